/* SPDX-License-Identifier: Apache-2.0 */
#include "base/histogram.h"

void histogram_add(struct histogram *h, int64_t us)
{
    uint64_t v = us > 0 ? (uint64_t)us : 0;
    unsigned bucket = v ? 64 - (unsigned)__builtin_clzll(v) : 0;
    if (bucket >= HISTOGRAM_N) bucket = HISTOGRAM_N - 1;
    h->buckets[bucket]++;
    h->count++;
    h->sum_us += v;
    if (v > h->max_us) h->max_us = v;
}

void histogram_merge(struct histogram *h, const struct histogram *from)
{
    for (unsigned i = 0; i < HISTOGRAM_N; i++) h->buckets[i] += from->buckets[i];
    h->count += from->count;
    h->sum_us += from->sum_us;
    if (from->max_us > h->max_us) h->max_us = from->max_us;
}

uint64_t histogram_per_mille(const struct histogram *h, uint32_t per_mille)
{
    /* The rank is rounded up, and in two parts so that no count overflows. */
    uint64_t whole = h->count / 1000, rest = h->count % 1000;
    uint64_t rank = whole * per_mille + (rest * per_mille + 999) / 1000;
    uint64_t seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_N; i++) {
        seen += h->buckets[i];
        if (seen < rank || seen == 0) continue;
        uint64_t most = histogram_bucket_max_us(i);
        return most < h->max_us ? most : h->max_us;
    }
    return h->max_us;
}

uint64_t histogram_bucket_max_us(unsigned bucket)
{
    return bucket >= HISTOGRAM_N - 1 ? UINT64_MAX : (UINT64_C(1) << bucket) - 1;
}
