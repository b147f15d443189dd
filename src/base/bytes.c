/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <string.h>

struct bytes bytes_text(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool bytes_equal_text(struct bytes a, const char *text)
{
    return bytes_equal(a, bytes_text(text));
}

bool bytes_starts(struct bytes whole, const char *text)
{
    size_t n = strlen(text);
    return whole.len >= n && memcmp(whole.at, text, n) == 0;
}

size_t bytes_find(struct bytes in, uint8_t c)
{
    const uint8_t *hit = in.len ? memchr(in.at, c, in.len) : NULL;
    return hit ? (size_t)(hit - in.at) : in.len;
}

struct bytes bytes_trim(struct bytes in)
{
    while (in.len && (in.at[0] == ' ' || in.at[0] == '\t')) {
        in.at++;
        in.len--;
    }
    while (in.len && (in.at[in.len - 1] == ' ' || in.at[in.len - 1] == '\t')) in.len--;
    return in;
}

struct bytes bytes_split(struct bytes *in, uint8_t c)
{
    size_t n = bytes_find(*in, c);
    struct bytes part = {in->at, n};
    size_t step = n < in->len ? n + 1 : n;
    in->at += step;
    in->len -= step;
    return part;
}

struct err bytes_take(struct bytes *in, size_t n, struct bytes *out)
{
    if (n > in->len) return ERR(MALFORMED, "the input ends early");
    *out = (struct bytes){in->at, n};
    in->at += n;
    in->len -= n;
    return NO_ERR;
}

struct err bytes_u64(struct bytes in, unsigned digits_max, uint64_t *out)
{
    if (in.len == 0 || in.len > digits_max) return ERR(MALFORMED, "a number has a wrong length");
    uint64_t value = 0;
    for (size_t i = 0; i < in.len; i++) {
        unsigned digit = (unsigned)in.at[i] - '0';
        if (digit > 9) return ERR(MALFORMED, "a number holds something other than digits");
        if (value > (UINT64_MAX - digit) / 10) return ERR(MALFORMED, "a number is too large");
        value = value * 10 + digit;
    }
    *out = value;
    return NO_ERR;
}

struct err bytes_scaled(struct bytes in, unsigned decimals, int64_t *out)
{
    bool negative = in.len && in.at[0] == '-';
    if (in.len && (in.at[0] == '-' || in.at[0] == '+')) {
        in.at++;
        in.len--;
    }
    int64_t value = 0;
    unsigned digits = 0, kept = 0;
    bool fraction = false;
    for (size_t i = 0; i < in.len; i++) {
        if (in.at[i] == '.' && !fraction) {
            fraction = true;
            continue;
        }
        unsigned digit = (unsigned)in.at[i] - '0';
        if (digit > 9) return ERR(MALFORMED, "a number holds something other than digits");
        if (++digits > 18) return ERR(MALFORMED, "a number has too many digits");
        if (fraction && kept == decimals) continue;
        if (fraction) kept++;
        value = value * 10 + digit;
    }
    if (!digits) return ERR(MALFORMED, "a number has no digits");
    for (; kept < decimals; kept++) {
        if (value > INT64_MAX / 10) return ERR(MALFORMED, "a number is too large");
        value *= 10;
    }
    *out = negative ? -value : value;
    return NO_ERR;
}
