/* SPDX-License-Identifier: Apache-2.0 */
/* demo_radio.c: see demo_radio.h. */
#include "sim/demo_radio.h"

#include <string.h>

/* Garages, tunnels, a quarry: small enough that a rider is through in a minute. */
enum { DEAD_MIN_M = 70, DEAD_MAX_M = 190 };

void demo_radio_init(struct demo_radio *r, const struct crowd *crowd, struct prng *p,
                     struct point (*place)(void *ctx, uint64_t draw), void *ctx)
{
    *r = (struct demo_radio){.crowd = crowd};
    for (; r->dead_count < DEMO_DEAD_SPOTS; r->dead_count++) {
        r->dead[r->dead_count].at = place(ctx, prng_next(p));
        r->dead[r->dead_count].radius_m = (uint32_t)prng_between(p, DEAD_MIN_M, DEAD_MAX_M);
    }
}

static bool is_in(const struct demo_area *a, struct point at)
{
    /* Most are far away: a look at latitudes spares the root. A metre is 90 of these degrees. */
    int64_t north = (int64_t)a->at.lat_e7 - at.lat_e7, reach = (int64_t)a->radius_m * 91;

    if (north > reach || north < -reach) return false;
    return point_distance_cm(a->at, at) <= (int64_t)a->radius_m * 100;
}

static void forget_ended(struct demo_radio *r)
{
    int64_t now_ms = crowd_now_ms(r->crowd);

    for (uint32_t i = 0; i < r->cut_count;) {
        if (r->cuts[i].until_ms > now_ms) i++;
        else r->cuts[i] = r->cuts[--r->cut_count];
    }
}

enum sim_radio demo_radio_at(struct demo_radio *r, struct point at)
{
    forget_ended(r);
    for (uint32_t i = 0; i < r->cut_count; i++) {
        if (is_in(&r->cuts[i], at)) return SIM_RADIO_CUT;
    }
    for (uint32_t i = 0; i < r->dead_count; i++) {
        if (is_in(&r->dead[i], at)) return SIM_RADIO_DEAD_SPOT;
    }
    return SIM_RADIO_FINE;
}

struct err demo_radio_cut(struct demo_radio *r, struct point at, uint32_t radius_m, uint32_t for_s)
{
    forget_ended(r);
    if (r->cut_count == DEMO_CUTS_MAX) return ERR(FULL, "as many districts as may be are cut off already");
    r->cuts[r->cut_count++] = (struct demo_area){at, radius_m, crowd_now_ms(r->crowd) + for_s * 1000ll};
    r->cuts_ever++;
    return NO_ERR;
}

void demo_radio_mend(struct demo_radio *r) { r->cut_count = 0; }

static enum sim_radio at(void *ctx, struct point here) { return demo_radio_at(ctx, here); }
struct sim_radio_fn demo_radio_fn(struct demo_radio *r) { return (struct sim_radio_fn){.ctx = r, .at = at}; }
