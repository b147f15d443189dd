/* SPDX-License-Identifier: Apache-2.0 */
/* demo_guest.c: what the watch tells of the town; and guests: people who ride a vehicle of the demo from a browser or
 * by hand. Their vehicle rolls as if they stood on it, so that it moves on every map:
 *
 *     ride is `riding` ─► a moment ─► rolls ─► they ask to end ─► stands ─► a horseshoe lock is pushed shut
 *
 * A guest who is told to come to a stop first has done so by then, and asks again. */
#include <stdio.h>
#include <string.h>

#include "proto/omni.h"
#include "sim/demo_inside.h"

enum { GO_MS = 1500, CLOSE_MS = 2500, STAY_MS = 20000, LISTED_AFTER_MS = 20000 };

/* How accounts of simulated riders begin, see demo_tokens.c. */
#define SIMULATED "70616464-6f63-8320-"

/* ---- guests ---- */

static struct demo_guest *guest_of(struct demo_city *c, const struct demo_vehicle *v)
{
    for (uint32_t i = 0; i < c->guest_count; i++) {
        if (c->guests[i].vehicle == (uint32_t)(v - c->vehicles)) return &c->guests[i];
    }
    return NULL;
}

static int64_t now_ms(const struct demo_city *c) { return crowd_now_ms(c->config.crowd); }

static void guest_rides(struct demo_city *c, struct demo_vehicle *v)
{
    struct demo_guest *g = guest_of(c, v);

    if (g) {
        g->go_ms = now_ms(c) + STAY_MS; /* asked to end and was refused: has a look around before going on */
        g->close_ms = 0;
        return;
    }
    if (c->guest_count == DEMO_GUESTS_MAX) return;
    c->guests[c->guest_count++] =
        (struct demo_guest){.vehicle = (uint32_t)(v - c->vehicles), .since_ms = now_ms(c), .go_ms = now_ms(c) + GO_MS};
    demo_tell(c->config.figures, DEMO_GOOD, "a guest rides %.*s", v->code.len, v->code.at);
}

static void guest_stops(struct demo_city *c, struct demo_vehicle *v)
{
    struct demo_guest *g = guest_of(c, v);

    if (!g) return;
    sim_vehicle_stop(v->actor);
    g->go_ms = 0;
    g->close_ms = v->dialect == OMNI_CMDR ? now_ms(c) + CLOSE_MS : 0;
}

static void guest_leaves(struct demo_city *c, struct demo_vehicle *v)
{
    struct demo_guest *g = guest_of(c, v);

    if (!g) return;
    sim_vehicle_stop(v->actor);
    if (!sim_vehicle_is_locked(v->actor)) (void)sim_vehicle_close_lock(v->actor);
    *g = c->guests[--c->guest_count];
}

/* A few times a second. */
void demo_guests_turn(struct demo_city *c)
{
    for (uint32_t i = 0; i < c->guest_count; i++) {
        struct demo_guest *g = &c->guests[i];
        struct demo_vehicle *v = &c->vehicles[g->vehicle];
        if (g->go_ms && now_ms(c) >= g->go_ms) {
            g->go_ms = 0;
            sim_vehicle_ride(v->actor);
        }
        if (g->close_ms && now_ms(c) >= g->close_ms) {
            g->close_ms = 0;
            (void)sim_vehicle_close_lock(v->actor);
        }
    }
}

static void on_ride_state(struct demo_city *c, struct bytes event)
{
    struct demo_vehicle *v = demo_city_vehicle(c, phone_find(event, "code"));
    struct bytes rider = phone_find(event, "rider");

    if (!v || !v->actor || !rider.len || bytes_starts(rider, SIMULATED)) return;
    switch (enum_value(&ride_state_names, phone_find(event, "ride_state"))) {
    case RIDE_RIDING: guest_rides(c, v); break;
    case RIDE_ENDING: guest_stops(c, v); break;
    case RIDE_SETTLED:
    case RIDE_FAILED:
    case RIDE_CANCELLED: guest_leaves(c, v); break;
    default: break;
    }
}

/* ---- from the watch ---- */

void demo_city_on_vehicle(struct demo_city *c, struct bytes code, enum vehicle_state state)
{
    struct demo_vehicle *v = demo_city_vehicle(c, code);

    if (!v) return;
    v->state = state;
    /* The word that the ride was over may have gone by while the server was down; a list may be a moment old. */
    const struct demo_guest *g = guest_of(c, v);
    if (g && state == VEHICLE_AVAILABLE && now_ms(c) - g->since_ms > LISTED_AFTER_MS) guest_leaves(c, v);
}

/* What is worth a line: the rest is a city's everyday life. */
static void tell_vehicle(struct demo_figures *f, int event, int len, const char *code)
{
    static const struct { enum vehicle_event event; enum demo_tone tone; const char *text; } rows[] = {
        {VEHICLE_EVENT_BATTERY_LOW, DEMO_ODD, "battery low: not rented until swapped"},
        {VEHICLE_EVENT_BATTERY_CHARGED, DEMO_GOOD, "has charge again"},
        {VEHICLE_EVENT_COMMS_LOST, DEMO_BAD, "fell silent"},
        {VEHICLE_EVENT_COMMS_RESTORED, DEMO_GOOD, "speaks again"},
        {VEHICLE_EVENT_LOCATED, DEMO_GOOD, "was found"},
        {VEHICLE_EVENT_TRIP_LEAVE_JURISDICTION, DEMO_ODD, "left the city on a ride"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if ((int)rows[i].event == event) demo_tell(f, rows[i].tone, "%.*s %s", len, code, rows[i].text);
    }
}

void demo_city_on_event(struct demo_city *c, struct bytes event)
{
    struct demo_figures *f = c->config.figures;
    int kind = enum_value(&event_kind_names, phone_find(event, "kind"));
    struct bytes code = phone_find(event, "code");
    const char *at = (const char *)code.at;
    int len = (int)(code.len < 20 ? code.len : 20);

    if (!code.len) return;
    switch (kind) {
    case EVENT_RIDE_STATE: on_ride_state(c, event); break;
    case EVENT_VEHICLE_STATE: {
        int what = enum_value(&vehicle_event_names, phone_find(event, "vehicle_event"));
        int state = enum_value(&vehicle_state_names, phone_find(event, "vehicle_state"));
        if (state > 0) demo_city_on_vehicle(c, code, (enum vehicle_state)state);
        tell_vehicle(f, what, len, at);
        break;
    }
    case EVENT_ALARM: demo_tell(f, DEMO_ODD, "%.*s raised an alarm", len, at); break;
    case EVENT_FAULT: demo_tell(f, DEMO_ODD, "%.*s's controller reports a fault", len, at); break;
    case EVENT_UNLOCKED_NO_RIDE:
        demo_tell(f, DEMO_BAD, "%.*s is unlocked and nobody rides it", len, at);
        break;
    case EVENT_MOVED_NO_RIDE: demo_tell(f, DEMO_BAD, "%.*s is locked and moves", len, at); break;
    case EVENT_ONE_WAY_LINK: demo_tell(f, DEMO_ODD, "%.*s speaks but does not answer", len, at); break;
    case EVENT_DEVICE_QUARANTINED:
        demo_tell(f, DEMO_ODD, "unknown device %.*s is in quarantine", len, at);
        break;
    case EVENT_FACT_REFUSED:
        demo_tell(f, DEMO_BAD, "a fact of %.*s that stopped the engine is refused", len, at);
        break;
    default: break;
    }
}

void demo_city_on_why(struct demo_city *c, uint32_t what, struct bytes ride) { demo_ride_why(c, what, ride); }
