/* SPDX-License-Identifier: Apache-2.0 */
/* omni.c: hostile bytes for the OMNI codec, as a session and as `paddock decode` would meet them.
 *
 * Held at the end of every input: cutting moves on and stays inside; the frames do not depend on where the stream was
 * split; decoding twice gives one answer, inside its limits; an accepted message that wants an ack gets one; JSON is
 * whole unless its buffer is full; masking keeps lengths; a simulated vehicle reads anything without harm. */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "proto/omni.h"
#include "proto/omni_device.h"

#define JSON_MAX (512 * 1024)
#define STREAM_MAX (64 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t json[JSON_MAX];

static void check_message(const struct message *m)
{
    must(m->kind >= MESSAGE_REPORT && m->kind <= MESSAGE_OPAQUE);
    must(m->ident.len == 15 && m->vendor.len == 2 && m->dialect > 0 && m->dialect < OMNI_DIALECT_N);
    must(m->battery_pct <= 100 && m->rssi <= 99 && m->alarm < ALARM_N && m->op < ORDER_N);
    must(m->lat_e7 >= -900000000 && m->lat_e7 <= 900000000);
    must(m->lon_e7 >= -1800000000 && m->lon_e7 <= 1800000000);
    must(!(m->has & HAS_NO_FIX) || !(m->has & HAS_POSITION));
    uint8_t frame[OMNI_ORDER_MAX];
    struct buf b = buf_on(frame, sizeof frame);
    struct err e = omni_encode_ack(m, 1795473960000, &b);
    must(m->must_ack ? !e.code : e.code == ERR_UNSUPPORTED);
    if (e.code) return;
    struct omni_ask ask;
    struct cut cut = omni_cut(buf_bytes(&b));
    must(cut.len && !omni_device_read(bytes_of(frame + cut.skip, cut.len), &ask).code);
    must(ask.kind == OMNI_ASK_ACK && bytes_equal(ask.command, m->command));
}

static void check_frame(struct bytes frame)
{
    struct message m, again;
    memset(&m, 0x55, sizeof m);
    memset(&again, 0xaa, sizeof again);
    struct err e = omni_decode(frame, &m), f = omni_decode(frame, &again);
    must(e.code == f.code && strcmp(e.why, f.why) == 0);
    must(!e.code || e.code == ERR_MALFORMED);
    struct omni_ask ask;
    struct err down = omni_device_read(frame, &ask);
    must(e.code || down.code); /* no frame is of both directions */
    if (e.code) return;
    must(m.has == again.has && m.fix_ms == again.fix_ms && m.user == again.user && m.kind == again.kind);
    check_message(&m);
}

/* One whole JSON value: brackets match, outside of texts, and nothing follows. */
static void check_json(struct bytes text)
{
    int depth = 0;
    bool quoted = false;
    must(text.len >= 2 && text.at[0] == '{');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        must(c >= 0x20);
        if (quoted && c == '\\') {
            i++;
            continue;
        }
        if (c == '"') quoted = !quoted;
        if (quoted) continue;
        if (c == '{' || c == '[') depth++;
        if (c == '}' || c == ']') depth--;
        must(depth > 0 || i == text.len - 1);
    }
    must(depth == 0 && !quoted);
}

/* What a session takes out of the stream when it comes in three pieces. */
static size_t frames_of(struct bytes in, size_t first, size_t second, uint8_t *out)
{
    size_t from = 0, found = 0, ends[] = {first, second, in.len};
    for (int part = 0; part < 3; part++) {
        for (;;) {
            /* A copy of exactly what has come, so that reading beyond it is seen. */
            size_t len = ends[part] - from;
            uint8_t *seen = malloc(len ? len : 1);
            must(seen);
            if (len) memcpy(seen, in.at + from, len);
            struct cut cut = omni_cut(bytes_of(seen, len));
            must(cut.skip <= len && cut.len <= len - cut.skip && cut.len <= OMNI_FRAME_MAX);
            if (cut.len) memcpy(out + found, seen + cut.skip, cut.len);
            free(seen);
            found += cut.len;
            from += cut.skip + cut.len;
            if (!cut.len) break;
            must(in.at[from - cut.len] == '*' && in.at[from - 1] == '#');
        }
        must(ends[part] - from < OMNI_FRAME_MAX); /* a session's buffer of one frame is enough */
    }
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t whole[STREAM_MAX], split[STREAM_MAX];
    if (size < 4 || size > STREAM_MAX) return 0;
    size_t first = load_u16(data) % (size - 3), second = load_u16(data + 2) % (size - 3);
    struct bytes in = {data + 4, size - 4};
    if (first > second) {
        size_t swap = first;
        first = second;
        second = swap;
    }
    size_t len = frames_of(in, in.len, in.len, whole);
    must(frames_of(in, first, second, split) == len && memcmp(whole, split, len) == 0);

    for (struct bytes rest = {whole, len}; rest.len;) {
        struct cut cut = omni_cut(rest);
        must(cut.skip == 0 && cut.len);
        check_frame(bytes_of(rest.at, cut.len));
        rest = bytes_of(rest.at + cut.len, rest.len - cut.len);
    }
    check_frame(in);
    bool more;
    codec_sniff(in, &more);

    struct buf b = buf_on(json, sizeof json);
    omni_describe(in, &b);
    if (!b.full) check_json(buf_bytes(&b));
    size_t json_len = b.len;
    b = buf_on(json, json_len / 2);
    omni_describe(in, &b);
    must(b.full && b.len <= json_len / 2);

    memcpy(whole, in.at, in.len);
    omni_codec.mask(whole, in.len);
    for (size_t i = 0; i < in.len; i++) must(whole[i] == in.at[i] || whole[i] == 'x');
    return 0;
}
