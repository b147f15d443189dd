/* SPDX-License-Identifier: Apache-2.0 */
/* spread.h: how long things took, to 3 % over the whole range: what a load generator reports percentiles from.
 *
 * Bucket  below 64 us one each; above, 32 to each power of two. base/histogram.h is the server's, coarser and smaller
 * Units   us; what is above 2^40 us counts as that
 * Pure    the time arrives as an argument */
#ifndef LOAD_SPREAD_H
#define LOAD_SPREAD_H

#include <stdint.h>

enum { SPREAD_FINE = 64, SPREAD_PARTS = 32, SPREAD_TOP_BIT = 40,
       SPREAD_N = SPREAD_FINE + (SPREAD_TOP_BIT - 6) * SPREAD_PARTS };

struct spread {
    uint64_t count, sum_us, max_us;
    uint64_t buckets[SPREAD_N];
};

/* Below 0 counts as 0. */
void spread_add(struct spread *s, int64_t us);
void spread_merge(struct spread *s, const struct spread *from);
/* A time that `per_100k` of 100,000 stayed at or below: 50,000 is the median, 99,900 the p99.9. Never above the
 * longest; 0 when empty. */
uint64_t spread_at(const struct spread *s, uint32_t per_100k);

#endif
