/* SPDX-License-Identifier: Apache-2.0 */
#include "base/prng.h"

#include "base/hash.h"

static uint64_t rotl(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

struct prng prng_of(uint64_t seed, struct bytes name)
{
    struct prng p;
    for (unsigned i = 0; i < 4; i++) p.s[i] = hash_bytes((struct hash_key){seed, i + 1}, name);
    return p;
}

uint64_t prng_next(struct prng *p)
{
    uint64_t *s = p->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t prng_below(struct prng *p, uint64_t limit)
{
    if (!limit) return 0;
    return (uint64_t)((unsigned __int128)prng_next(p) * limit >> 64);
}

int64_t prng_between(struct prng *p, int64_t low, int64_t high)
{
    return low + (int64_t)prng_below(p, (uint64_t)(high - low) + 1);
}

bool prng_chance(struct prng *p, uint32_t per_million)
{
    return prng_below(p, 1000000) < per_million;
}
