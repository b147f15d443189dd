/* SPDX-License-Identifier: Apache-2.0 */
/* demo_radio.h: where vehicles have no network: dead spots of the town, which stay, and districts that somebody
 * cut off, which do not.
 *
 * Whoever is inside neither sends nor hears; TCP on the other side notices nothing.
 * Times   of the city
 * Thread  the loop's */
#ifndef SIM_DEMO_RADIO_H
#define SIM_DEMO_RADIO_H

#include "geo/point.h"
#include "sim/vehicle.h"

enum { DEMO_DEAD_SPOTS = 5, DEMO_CUTS_MAX = 8 };
enum { DEMO_CUT_RADIUS_MIN_M = 20, DEMO_CUT_RADIUS_MAX_M = 20000, DEMO_CUT_MAX_S = 86400 };

struct demo_area { struct point at; uint32_t radius_m; int64_t until_ms; }; /* until: not of dead spots */

struct demo_radio {
    const struct crowd *crowd;
    struct demo_area dead[DEMO_DEAD_SPOTS], cuts[DEMO_CUTS_MAX];
    uint32_t dead_count, cut_count;
    uint64_t cuts_ever;
};

/* `place` draws where the dead spots are. */
void demo_radio_init(struct demo_radio *r, const struct crowd *crowd, struct prng *p,
                     struct point (*place)(void *ctx, uint64_t draw), void *ctx);
enum sim_radio demo_radio_at(struct demo_radio *r, struct point at);
/* FULL: DEMO_CUTS_MAX at once. */
MUST_USE struct err demo_radio_cut(struct demo_radio *r, struct point at, uint32_t radius_m, uint32_t for_s);
void demo_radio_mend(struct demo_radio *r); /* all cuts end */
struct sim_radio_fn demo_radio_fn(struct demo_radio *r);

#endif
