/* SPDX-License-Identifier: Apache-2.0 */
/* demo_harm.c: what somebody at the panel does to the world. */
#include "base/must.h"
#include "sim/demo_inside.h"

enum { LOSE_MAX = 1000 };

const struct demo_radio *demo_city_radio(const struct demo_city *c) { return &c->radio; }

struct err demo_city_cut(struct demo_city *c, struct point at, uint32_t radius_m, uint32_t for_s, uint32_t *inside)
{
    TRY(demo_radio_cut(&c->radio, at, radius_m, for_s));
    *inside = 0;
    for (uint32_t i = 0; i < c->config.figures->vehicle_count; i++) {
        struct sim_vehicle *v = c->vehicles[i].actor;
        if (v && point_distance_cm(sim_vehicle_place(v).at, at) <= (int64_t)radius_m * 100) ++*inside;
    }
    demo_tell(c->config.figures, DEMO_BAD, "a district of %u m is cut off for %u s: %u vehicles", radius_m, for_s, *inside);
    return NO_ERR;
}

uint32_t demo_city_mend(struct demo_city *c)
{
    uint32_t count = c->radio.cut_count;

    demo_radio_mend(&c->radio);
    if (count) demo_tell(c->config.figures, DEMO_GOOD, "the network is everywhere again");
    return count;
}

struct err demo_city_lose_ack(struct demo_city *c, struct bytes code)
{
    struct demo_vehicle *v = code.len ? demo_city_vehicle(c, code) : NULL;

    if (code.len && (!v || !v->actor)) return ERR(VEHICLE_UNKNOWN, "no vehicle of the demo has this code");
    if (!v && c->lose_lock_reports == LOSE_MAX) return ERR(FULL, "enough are to be lost already");
    if (v) sim_vehicle_lose_lock_report(v->actor);
    else c->lose_lock_reports++;
    demo_tell(c->config.figures, DEMO_BAD, "the next lock report of %.*s will be lost", v ? v->code.len : 11,
              v ? v->code.at : "any vehicle");
    return NO_ERR;
}

uint32_t demo_city_acks_to_lose(const struct demo_city *c) { return c->lose_lock_reports; }
