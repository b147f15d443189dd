/* SPDX-License-Identifier: Apache-2.0 */
#include "load/spread.h"

static unsigned bucket_of(uint64_t us)
{
    if (us < SPREAD_FINE) return (unsigned)us;
    if (us >> SPREAD_TOP_BIT) return SPREAD_N - 1;
    unsigned top = 63u - (unsigned)__builtin_clzll(us); /* 6 and above */
    return SPREAD_FINE + (top - 6) * SPREAD_PARTS + (unsigned)(us >> (top - 5) & (SPREAD_PARTS - 1));
}

/* The longest time that falls into the bucket. */
static uint64_t bucket_max_us(unsigned i)
{
    if (i < SPREAD_FINE) return i;
    unsigned top = 6 + (i - SPREAD_FINE) / SPREAD_PARTS, part = (i - SPREAD_FINE) % SPREAD_PARTS;
    return ((uint64_t)(SPREAD_PARTS + part + 1) << (top - 5)) - 1;
}

void spread_add(struct spread *s, int64_t us)
{
    uint64_t took = us < 0 ? 0 : (uint64_t)us;
    s->count++;
    s->sum_us += took;
    if (took > s->max_us) s->max_us = took;
    s->buckets[bucket_of(took)]++;
}

void spread_merge(struct spread *s, const struct spread *from)
{
    s->count += from->count;
    s->sum_us += from->sum_us;
    if (from->max_us > s->max_us) s->max_us = from->max_us;
    for (unsigned i = 0; i < SPREAD_N; i++) s->buckets[i] += from->buckets[i];
}

uint64_t spread_at(const struct spread *s, uint32_t per_100k)
{
    uint64_t rank = (s->count * per_100k + 99999) / 100000, seen = 0;
    if (!s->count) return 0;
    if (!rank) rank = 1;
    for (unsigned i = 0; i < SPREAD_N; i++) {
        seen += s->buckets[i];
        if (seen < rank) continue;
        uint64_t most = bucket_max_us(i);
        return most < s->max_us && i < SPREAD_N - 1 ? most : s->max_us;
    }
    return s->max_us;
}
