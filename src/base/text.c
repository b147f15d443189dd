/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <string.h>

#include "base/must.h"

struct bytes text_bytes(const void *text)
{
    const uint8_t *at = text;
    return (struct bytes){at + 1, at[0]};
}

struct err text_set_room(void *text, size_t room, struct bytes from)
{
    uint8_t *at = text;
    memset(at, 0, room + 1);
    if (from.len > room) return ERR(TOO_LARGE, "a text is longer than its field");
    at[0] = (uint8_t)from.len;
    if (from.len) memcpy(at + 1, from.at, from.len);
    return NO_ERR;
}

void text_clip_room(void *text, size_t room, struct bytes from)
{
    if (from.len > room) from.len = room;
    struct err e = text_set_room(text, room, from);
    must(!e.code);
}

bool text_equal(const void *a, const void *b)
{
    return bytes_equal(text_bytes(a), text_bytes(b));
}

bool text_is(const void *a, const char *b)
{
    return bytes_equal_text(text_bytes(a), b);
}
