/* SPDX-License-Identifier: Apache-2.0 */
/* demo_crew.c: the demo's crew, a phone and a van: swaps batteries, closes locks that stand open,
 * brings back what was taken in, and now and then takes one in for a look. */
#include <stdio.h>

#include "base/must.h"
#include "proto/omni.h"
#include "sim/demo_inside.h"

enum {
    PAUSE_S = 8,
    PAUSE_PER_SPEED_S = 2,
    PAUSE_MAX_S = 60,
    VEHICLES_EACH = 100,
    LOOK_IN = 12,
    REPLY_MS = 20000
};

static void on_timer(void *owner);
static void on_reply(void *owner, struct phone *phone, int status, struct bytes body);

static void later(struct demo_crew *w)
{
    const struct demo_figures *f = w->city->config.figures;
    int64_t mean_s = PAUSE_S + PAUSE_PER_SPEED_S * (f->speed - 1);

    if (mean_s > PAUSE_MAX_S) mean_s = PAUSE_MAX_S;
    int64_t mean_us = mean_s * 1000000 / (1 + f->vehicle_count / VEHICLES_EACH);
    crowd_set_timer(w->city->config.crowd, &w->timer,
                    crowd_now_us(w->city->config.crowd) +
                        prng_between(&w->prng, mean_us / 2, mean_us + mean_us / 2));
}

struct err demo_crew_begin(struct demo_crew *w, struct demo_city *c)
{
    w->city = c;
    w->vehicle = NOBODY;
    w->prng = crowd_stream(c->config.crowd, "demo", bytes_text("crew"));
    w->timer = (struct crowd_timer){.fn = on_timer, .owner = w};
    w->phone.owner = w;
    w->phone.on_reply = on_reply;
    TRY(phone_open(&w->phone, c->config.crowd, bytes_text("crew"),
                   bytes_of(c->config.tokens->crew.text, AUTH_TOKEN_LEN), c->config.http, REPLY_MS));
    w->open = true;
    later(w);
    return NO_ERR;
}

void demo_crew_end(struct demo_crew *w)
{
    if (!w->open) return;
    crowd_clear_timer(w->city->config.crowd, &w->timer);
    phone_close(&w->phone);
    w->open = false;
}

static void say(struct demo_crew *w, struct demo_vehicle *v, const char *tail, const char *body)
{
    char target[PHONE_TARGET_MAX];

    snprintf(target, sizeof target, "/v1/vehicles/%.*s%s", v->code.len, v->code.at, tail);
    w->vehicle = (uint32_t)(v - w->city->vehicles);
    w->visits++;
    (void)!phone_send(&w->phone, 1, "POST", target, body, prng_next(&w->prng) | 1);
}

/* What brings a vehicle back into the street; NULL: nothing that a crew could do. */
static const char *way_back(const struct demo_vehicle *v)
{
    switch (v->state) {
    case VEHICLE_REMOVED: return "{\"event\":\"provider_drop_off\"}";
    case VEHICLE_ELSEWHERE: return "{\"event\":\"rebalance_pick_up\"}";
    case VEHICLE_MISSING: return "{\"event\":\"located\",\"to\":\"available\"}";
    case VEHICLE_NON_OPERATIONAL: return v->pulled ? "{\"event\":\"maintenance\"}" : NULL;
    default: return NULL;
    }
}

/* True: this one needed somebody. */
static bool visit(struct demo_crew *w, struct demo_vehicle *v)
{
    struct demo_figures *f = w->city->config.figures;

    if (v->rider != NOBODY || sim_vehicle_is_moving(v->actor) || v->state == VEHICLE_ON_TRIP ||
        v->state == VEHICLE_RESERVED)
        return false;
    if (sim_vehicle_battery_pct(v->actor) <= BATTERY_FLAT_PCT) {
        sim_vehicle_set_battery(v->actor, 100);
        /* It was without current for a moment, and tells its charge when it is back. */
        sim_vehicle_restart(v->actor);
        w->swaps++;
        demo_tell(f, DEMO_GOOD, "the crew swapped the battery of %.*s", v->code.len, v->code.at);
        return true;
    }
    if (v->state == VEHICLE_NON_CONTACTABLE && sim_vehicle_is_in_hole(v->actor) &&
        sim_vehicle_last_hole(v->actor) == SIM_RADIO_DEAD_SPOT) {
        sim_vehicle_put(v->actor, demo_city_place(w->city, prng_next(&w->prng)));
        demo_tell(f, DEMO_GOOD, "the crew carried %.*s out of a dead spot", v->code.len, v->code.at);
        return true;
    }
    if (!sim_vehicle_is_locked(v->actor)) {
        if (!sim_vehicle_close_lock(v->actor)) say(w, v, "/commands", "{\"op\":\"lock\"}");
        return true;
    }
    const char *back = way_back(v);
    if (back) say(w, v, "/events", back);
    return back;
}

static void take_one_in(struct demo_crew *w)
{
    struct demo_city *c = w->city;
    struct demo_vehicle *v = &c->vehicles[prng_below(&w->prng, c->config.figures->vehicle_count)];

    if (v->rider != NOBODY || v->state != VEHICLE_AVAILABLE) return;
    bool van = prng_below(&w->prng, 3) == 0;
    v->pulled = true;
    say(w, v, "/events", van ? "{\"event\":\"maintenance_pick_up\"}" : "{\"event\":\"maintenance\"}");
    demo_tell(c->config.figures, DEMO_CALM,
              van ? "the crew took %.*s into the van" : "the crew looks at %.*s", v->code.len, v->code.at);
}

static void on_timer(void *owner)
{
    struct demo_crew *w = owner;
    struct demo_city *c = w->city;
    uint32_t count = c->config.figures->vehicle_count, first = (uint32_t)prng_below(&w->prng, count), i = 0;

    later(w);
    if (phone_is_busy(&w->phone)) return;
    if (prng_below(&w->prng, LOOK_IN) == 0) {
        take_one_in(w);
        return;
    }
    while (i < count && !visit(w, &c->vehicles[(first + i) % count])) i++;
}

static void on_reply(void *owner, struct phone *phone, int status, struct bytes body)
{
    struct demo_crew *w = owner;
    struct demo_vehicle *v = &w->city->vehicles[w->vehicle];
    int state = status == 200
                    ? enum_value(&vehicle_state_names, phone_find(phone_find(body, "vehicle"), "state"))
                    : 0;

    (void)phone;
    if (state <= 0) return;
    v->state = (enum vehicle_state)state;
    if (v->state == VEHICLE_AVAILABLE) v->pulled = false;
}
