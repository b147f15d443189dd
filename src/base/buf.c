/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <string.h>

struct buf buf_on(void *memory, size_t cap)
{
    return (struct buf){.at = memory, .cap = cap};
}

struct bytes buf_bytes(const struct buf *b)
{
    return (struct bytes){b->at, b->len};
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->full = false;
}

uint8_t *buf_claim(struct buf *b, size_t n)
{
    if (b->full || n > b->cap - b->len) {
        b->full = true;
        return NULL;
    }
    uint8_t *at = b->at + b->len;
    b->len += n;
    return at;
}

void buf_put(struct buf *b, const void *at, size_t len)
{
    uint8_t *to = buf_claim(b, len);
    if (to && len) memcpy(to, at, len);
}

void buf_put_bytes(struct buf *b, struct bytes bytes)
{
    buf_put(b, bytes.at, bytes.len);
}

void buf_put_text(struct buf *b, const char *text)
{
    buf_put(b, text, strlen(text));
}

void buf_put_char(struct buf *b, char c)
{
    if (b->full || b->len == b->cap) b->full = true;
    else b->at[b->len++] = (uint8_t)c;
}

void buf_put_padded(struct buf *b, uint64_t v, unsigned width)
{
    uint8_t digits[20];
    unsigned at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + v % 10);
        v /= 10;
    } while (v);
    while (sizeof digits - at < width && at) digits[--at] = '0';
    buf_put(b, digits + at, sizeof digits - at);
}

void buf_put_u64(struct buf *b, uint64_t v)
{
    buf_put_padded(b, v, 1);
}

void buf_put_i64(struct buf *b, int64_t v)
{
    if (v < 0) buf_put_char(b, '-');
    buf_put_u64(b, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

void buf_put_hex(struct buf *b, struct bytes bytes)
{
    static const char digit[] = "0123456789abcdef";
    if (bytes.len > SIZE_MAX / 2) {
        b->full = true;
        return;
    }
    uint8_t *to = buf_claim(b, bytes.len * 2);
    if (!to) return;
    for (size_t i = 0; i < bytes.len; i++) {
        *to++ = (uint8_t)digit[bytes.at[i] >> 4];
        *to++ = (uint8_t)digit[bytes.at[i] & 15];
    }
}

void buf_put_hex64(struct buf *b, uint64_t v)
{
    uint8_t big[8];
    for (int i = 0; i < 8; i++) big[i] = (uint8_t)(v >> (56 - 8 * i));
    buf_put_hex(b, bytes_of(big, sizeof big));
}

void buf_put_decimal(struct buf *b, int64_t v, unsigned decimals)
{
    uint64_t size = v < 0 ? -(uint64_t)v : (uint64_t)v, unit = 1;
    for (unsigned i = 0; i < decimals; i++) unit *= 10;
    if (v < 0) buf_put_char(b, '-');
    buf_put_u64(b, size / unit);
    if (!decimals) return;
    buf_put_char(b, '.');
    buf_put_padded(b, size % unit, decimals);
}

void buf_put_varint(struct buf *b, uint64_t v)
{
    uint8_t out[10];
    unsigned n = 0;
    while (v >= 0x80) {
        out[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    out[n++] = (uint8_t)v;
    buf_put(b, out, n);
}

struct err bytes_varint(struct bytes *in, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 10; i++) {
        if (i >= in->len) return ERR(MALFORMED, "a number ends early");
        uint8_t c = in->at[i];
        if (i == 9 && c > 1) return ERR(MALFORMED, "a number is too large");
        value |= (uint64_t)(c & 0x7f) << (7 * i);
        if (c & 0x80) continue;
        in->at += i + 1;
        in->len -= i + 1;
        *out = value;
        return NO_ERR;
    }
    return ERR(MALFORMED, "a number is too long");
}
