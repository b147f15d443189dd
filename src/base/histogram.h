/* SPDX-License-Identifier: Apache-2.0 */
/* histogram.h: how long things took, in buckets of powers of two: cheap enough for every message, exact to a factor
 * of two. For budgets that need more than that, measure at the client.
 *
 * Bucket  0 holds 0 us and below (a clock read earlier on another thread), i holds 2^(i-1) to 2^i - 1, the last
 *         everything above
 * Pure    the time arrives as an argument */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_N = 32 }; /* the last begins at 2^30 us: 18 minutes */

struct histogram {
    uint64_t count, sum_us, max_us;
    uint64_t buckets[HISTOGRAM_N];
};

void histogram_add(struct histogram *h, int64_t us);
/* Adds what `from` holds, e.g. another thread's copy. */
void histogram_merge(struct histogram *h, const struct histogram *from);
/* A time that `per_mille` of all stayed at or below, never above the longest: 500 is the median. 0 when empty. */
uint64_t histogram_per_mille(const struct histogram *h, uint32_t per_mille);
/* Longest time of a bucket; the last has none: UINT64_MAX. */
uint64_t histogram_bucket_max_us(unsigned bucket);

#endif
