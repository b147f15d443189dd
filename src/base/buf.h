/* SPDX-License-Identifier: Apache-2.0 */
/* buf.h: writing into memory that somebody else owns, never past its end.
 *
 * A write that does not fit writes nothing and sets `full`; later writes do nothing either, so a caller may
 * write a whole message and check `full` once. Pure. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/bytes.h"

struct buf {
    uint8_t *at;
    size_t len, cap;
    bool full;
};

struct buf buf_on(void *memory, size_t cap);
struct bytes buf_bytes(const struct buf *b);
void buf_clear(struct buf *b);

/* Room for `n` bytes to be written by the caller, already counted; NULL when full. */
uint8_t *buf_claim(struct buf *b, size_t n);
void buf_put(struct buf *b, const void *at, size_t len);
void buf_put_bytes(struct buf *b, struct bytes bytes);
void buf_put_text(struct buf *b, const char *text);
void buf_put_char(struct buf *b, char c);
void buf_put_u64(struct buf *b, uint64_t v);                    /* decimal */
void buf_put_i64(struct buf *b, int64_t v);                     /* decimal */
void buf_put_padded(struct buf *b, uint64_t v, unsigned width); /* decimal with leading zeros */
void buf_put_hex(struct buf *b, struct bytes bytes);            /* lower case */
void buf_put_hex64(struct buf *b, uint64_t v);                  /* 16 digits */
/* v / 10^decimals with exactly that many digits behind the point: (1234, 2) -> 12.34 */
void buf_put_decimal(struct buf *b, int64_t v, unsigned decimals);

/* Unsigned LEB128. */
void buf_put_varint(struct buf *b, uint64_t v);
MUST_USE struct err bytes_varint(struct bytes *in, uint64_t *out);

#endif
