/* SPDX-License-Identifier: Apache-2.0 */
/* registry.c: the list of protocols. A new maker is one line here and its own files. Pure. */
#include "proto/codec.h"
#include "proto/omni.h"

static const struct codec *const codecs[PROTOCOL_N] = {
    [PROTOCOL_OMNI] = &omni_codec,
};

const struct codec *codec_by_protocol(uint8_t protocol)
{
    return protocol < PROTOCOL_N ? codecs[protocol] : NULL;
}

const struct codec *codec_by_name(struct bytes name)
{
    for (unsigned i = 0; i < PROTOCOL_N; i++) {
        if (codecs[i] && bytes_equal_text(name, codecs[i]->name)) return codecs[i];
    }
    return NULL;
}

const struct codec *codec_sniff(struct bytes head, bool *more)
{
    *more = false;
    for (unsigned i = 0; i < PROTOCOL_N; i++) {
        if (!codecs[i]) continue;
        enum sniff answer = codecs[i]->sniff(head);
        if (answer == SNIFF_YES) {
            *more = false;
            return codecs[i];
        }
        if (answer == SNIFF_MORE) *more = true;
    }
    return NULL;
}
