/* SPDX-License-Identifier: Apache-2.0 */
/* prng.h: a small seeded generator (xoshiro256**) for the simulator, the demo and tests: never for secrets.
 * A stream is named by seed and text, so adding an actor does not reshuffle the others. Pure. */
#ifndef BASE_PRNG_H
#define BASE_PRNG_H

#include "base/bytes.h"

struct prng { uint64_t s[4]; };

struct prng prng_of(uint64_t seed, struct bytes name);
uint64_t prng_next(struct prng *p);
uint64_t prng_below(struct prng *p, uint64_t limit);            /* 0 when limit is 0 */
int64_t prng_between(struct prng *p, int64_t low, int64_t high); /* both included */
bool prng_chance(struct prng *p, uint32_t per_million);

#endif
