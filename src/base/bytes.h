/* SPDX-License-Identifier: Apache-2.0 */
/* bytes.h: a borrowed view of bytes, and reading from it with the end always in sight.
 *
 * Pure    no allocation, no I/O
 * Owner   nobody: the bytes live where the header that gave the view says */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct bytes {
    const uint8_t *at;
    size_t len;
};

static inline struct bytes bytes_of(const void *at, size_t len) { return (struct bytes){at, len}; }
struct bytes bytes_text(const char *text); /* without the final NUL */
bool bytes_equal(struct bytes a, struct bytes b);
bool bytes_equal_text(struct bytes a, const char *text);
bool bytes_starts(struct bytes whole, const char *text);
/* Position of `c` in `in`, or in.len. */
size_t bytes_find(struct bytes in, uint8_t c);
/* Without leading and trailing spaces and tabs. */
struct bytes bytes_trim(struct bytes in);
/* The part before the first `c`; moves `in` behind it. The last part ends with `in`. */
struct bytes bytes_split(struct bytes *in, uint8_t c);

/* Takes `n` bytes off the front, or MALFORMED and `in` as it was. */
MUST_USE struct err bytes_take(struct bytes *in, size_t n, struct bytes *out);

/* Decimal digits only, at most `digits_max` of them, the whole of `in`; no sign, no space, no exponent. MALFORMED if not. */
MUST_USE struct err bytes_u64(struct bytes in, unsigned digits_max, uint64_t *out);
/* A decimal number with optional sign and fraction, as an integer scaled by 10^decimals; further digits are cut off
 * (toward zero). At most 18 digits before and after together. MALFORMED if not. "12.345", 2 -> 1234. */
MUST_USE struct err bytes_scaled(struct bytes in, unsigned decimals, int64_t *out);

/* Little-endian loads from at least 2, 4, 8 readable bytes. */
static inline uint16_t load_u16(const uint8_t *at) { return (uint16_t)(at[0] | at[1] << 8); }
static inline uint32_t load_u32(const uint8_t *at) { return load_u16(at) | (uint32_t)load_u16(at + 2) << 16; }
static inline uint64_t load_u64(const uint8_t *at) { return load_u32(at) | (uint64_t)load_u32(at + 4) << 32; }
static inline void store_u16(uint8_t *at, uint16_t v)
{
    at[0] = (uint8_t)v;
    at[1] = (uint8_t)(v >> 8);
}
static inline void store_u32(uint8_t *at, uint32_t v)
{
    store_u16(at, (uint16_t)v);
    store_u16(at + 2, (uint16_t)(v >> 16));
}
static inline void store_u64(uint8_t *at, uint64_t v)
{
    store_u32(at, (uint32_t)v);
    store_u32(at + 4, (uint32_t)(v >> 32));
}

#endif
