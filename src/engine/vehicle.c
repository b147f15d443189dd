/* SPDX-License-Identifier: Apache-2.0 */
/* vehicle.c: where a vehicle stands for the public, in the states and events of MDS 2.0.
 *
 *                    reservation_start            trip_start      (a start that is quick needs no reservation:
 *                                                                    available ──trip_start──► on_trip)
 *      available ──────────────────────► reserved ──────────► on_trip ◄──enter── elsewhere
 *       ▲  │  ▲ ◄──reservation_cancel──────┘                   │  │ ──leave────────►
 *       │  │  └────────────trip_end, trip_cancel───────────────┘  │
 *       │  └──battery_low, maintenance…──► non_operational        │
 *       └────battery_charged, maintenance…─────┘                  │
 *      any ──comms_lost──► non_contactable ──comms_restored──► the state it had
 *      non_contactable ──not_located──► missing ──located──► any      in the street ──…_pick_up──► removed ──…_drop_off──► available
 *
 * The table below is the whole of it and vehicle_change() the only door. While a vehicle is silent MDS knows no
 * trip_end: the event is owed and paid when the vehicle speaks again.
 * Source  MDS 2.0.2, modes/micromobility: state machine */
#include "engine/ready.h"
#include "engine/state.h"

#include "geo/point.h"

#define TO(s) (1u << VEHICLE_##s)
/* clang-format off */
static const uint16_t may_become[VEHICLE_STATE_N][VEHICLE_EVENT_N] = { /* long: a table */
    [VEHICLE_AVAILABLE][VEHICLE_EVENT_AGENCY_PICK_UP] = TO(REMOVED),
    [VEHICLE_AVAILABLE][VEHICLE_EVENT_BATTERY_LOW] = TO(NON_OPERATIONAL),
    [VEHICLE_AVAILABLE][VEHICLE_EVENT_COMMS_LOST] = TO(NON_CONTACTABLE),
    [VEHICLE_AVAILABLE][VEHICLE_EVENT_COMPLIANCE_PICK_UP] = TO(REMOVED),
    [VEHICLE_AVAILABLE][VEHICLE_EVENT_DECOMMISSIONED] = TO(REMOVED),
    [VEHICLE_AVAILABLE][VEHICLE_EVENT_MAINTENANCE] = TO(NON_OPERATIONAL),
    [VEHICLE_AVAILABLE][VEHICLE_EVENT_MAINTENANCE_PICK_UP] = TO(REMOVED),
    [VEHICLE_AVAILABLE][VEHICLE_EVENT_OFF_HOURS] = TO(NON_OPERATIONAL),
    [VEHICLE_AVAILABLE][VEHICLE_EVENT_REBALANCE_PICK_UP] = TO(REMOVED),
    [VEHICLE_AVAILABLE][VEHICLE_EVENT_RESERVATION_START] = TO(RESERVED),
    [VEHICLE_AVAILABLE][VEHICLE_EVENT_SYSTEM_SUSPEND] = TO(NON_OPERATIONAL),
    [VEHICLE_AVAILABLE][VEHICLE_EVENT_TRIP_START] = TO(ON_TRIP),
    [VEHICLE_AVAILABLE][VEHICLE_EVENT_UNSPECIFIED] = TO(NON_CONTACTABLE) | TO(NON_OPERATIONAL) | TO(REMOVED),

    [VEHICLE_ELSEWHERE][VEHICLE_EVENT_AGENCY_PICK_UP] = TO(REMOVED),
    [VEHICLE_ELSEWHERE][VEHICLE_EVENT_COMMS_LOST] = TO(NON_CONTACTABLE),
    [VEHICLE_ELSEWHERE][VEHICLE_EVENT_COMPLIANCE_PICK_UP] = TO(REMOVED),
    [VEHICLE_ELSEWHERE][VEHICLE_EVENT_DECOMMISSIONED] = TO(REMOVED),
    [VEHICLE_ELSEWHERE][VEHICLE_EVENT_MAINTENANCE_PICK_UP] = TO(REMOVED),
    [VEHICLE_ELSEWHERE][VEHICLE_EVENT_REBALANCE_PICK_UP] = TO(REMOVED),
    [VEHICLE_ELSEWHERE][VEHICLE_EVENT_TRIP_ENTER_JURISDICTION] = TO(ON_TRIP),
    [VEHICLE_ELSEWHERE][VEHICLE_EVENT_UNSPECIFIED] = TO(NON_CONTACTABLE) | TO(REMOVED),

    [VEHICLE_MISSING][VEHICLE_EVENT_AGENCY_DROP_OFF] = TO(AVAILABLE),
    [VEHICLE_MISSING][VEHICLE_EVENT_AGENCY_PICK_UP] = TO(REMOVED),
    [VEHICLE_MISSING][VEHICLE_EVENT_COMMS_LOST] = TO(NON_CONTACTABLE),
    [VEHICLE_MISSING][VEHICLE_EVENT_DECOMMISSIONED] = TO(REMOVED),
    [VEHICLE_MISSING][VEHICLE_EVENT_LOCATED] =
        TO(AVAILABLE) | TO(ELSEWHERE) | TO(NON_CONTACTABLE) | TO(NON_OPERATIONAL) | TO(ON_TRIP) | TO(REMOVED) | TO(RESERVED),
    [VEHICLE_MISSING][VEHICLE_EVENT_PROVIDER_DROP_OFF] = TO(AVAILABLE),
    [VEHICLE_MISSING][VEHICLE_EVENT_UNSPECIFIED] =
        TO(AVAILABLE) | TO(ELSEWHERE) | TO(NON_CONTACTABLE) | TO(NON_OPERATIONAL) | TO(ON_TRIP) | TO(REMOVED) | TO(RESERVED),

    [VEHICLE_NON_CONTACTABLE][VEHICLE_EVENT_AGENCY_DROP_OFF] = TO(AVAILABLE),
    [VEHICLE_NON_CONTACTABLE][VEHICLE_EVENT_AGENCY_PICK_UP] = TO(REMOVED),
    [VEHICLE_NON_CONTACTABLE][VEHICLE_EVENT_COMMS_RESTORED] =
        TO(AVAILABLE) | TO(ELSEWHERE) | TO(MISSING) | TO(NON_OPERATIONAL) | TO(ON_TRIP) | TO(REMOVED) | TO(RESERVED),
    [VEHICLE_NON_CONTACTABLE][VEHICLE_EVENT_DECOMMISSIONED] = TO(REMOVED),
    [VEHICLE_NON_CONTACTABLE][VEHICLE_EVENT_NOT_LOCATED] = TO(MISSING),
    [VEHICLE_NON_CONTACTABLE][VEHICLE_EVENT_PROVIDER_DROP_OFF] = TO(AVAILABLE),
    [VEHICLE_NON_CONTACTABLE][VEHICLE_EVENT_UNSPECIFIED] =
        TO(AVAILABLE) | TO(ELSEWHERE) | TO(MISSING) | TO(NON_OPERATIONAL) | TO(ON_TRIP) | TO(REMOVED) | TO(RESERVED),

    [VEHICLE_NON_OPERATIONAL][VEHICLE_EVENT_AGENCY_PICK_UP] = TO(REMOVED),
    [VEHICLE_NON_OPERATIONAL][VEHICLE_EVENT_BATTERY_CHARGED] = TO(AVAILABLE),
    [VEHICLE_NON_OPERATIONAL][VEHICLE_EVENT_COMMS_LOST] = TO(NON_CONTACTABLE),
    [VEHICLE_NON_OPERATIONAL][VEHICLE_EVENT_COMPLIANCE_PICK_UP] = TO(REMOVED),
    [VEHICLE_NON_OPERATIONAL][VEHICLE_EVENT_DECOMMISSIONED] = TO(REMOVED),
    [VEHICLE_NON_OPERATIONAL][VEHICLE_EVENT_MAINTENANCE] = TO(AVAILABLE),
    [VEHICLE_NON_OPERATIONAL][VEHICLE_EVENT_MAINTENANCE_PICK_UP] = TO(REMOVED),
    [VEHICLE_NON_OPERATIONAL][VEHICLE_EVENT_ON_HOURS] = TO(AVAILABLE),
    [VEHICLE_NON_OPERATIONAL][VEHICLE_EVENT_REBALANCE_PICK_UP] = TO(REMOVED),
    [VEHICLE_NON_OPERATIONAL][VEHICLE_EVENT_SYSTEM_RESUME] = TO(AVAILABLE),
    [VEHICLE_NON_OPERATIONAL][VEHICLE_EVENT_UNSPECIFIED] = TO(AVAILABLE) | TO(NON_CONTACTABLE) | TO(REMOVED),

    [VEHICLE_ON_TRIP][VEHICLE_EVENT_CHANGED_GEOGRAPHIES] = TO(ON_TRIP),
    [VEHICLE_ON_TRIP][VEHICLE_EVENT_COMMS_LOST] = TO(NON_CONTACTABLE),
    [VEHICLE_ON_TRIP][VEHICLE_EVENT_TRIP_CANCEL] = TO(AVAILABLE),
    [VEHICLE_ON_TRIP][VEHICLE_EVENT_TRIP_END] = TO(AVAILABLE),
    [VEHICLE_ON_TRIP][VEHICLE_EVENT_TRIP_LEAVE_JURISDICTION] = TO(ELSEWHERE),
    [VEHICLE_ON_TRIP][VEHICLE_EVENT_UNSPECIFIED] = TO(NON_CONTACTABLE),

    [VEHICLE_REMOVED][VEHICLE_EVENT_AGENCY_DROP_OFF] = TO(AVAILABLE),
    [VEHICLE_REMOVED][VEHICLE_EVENT_COMMS_LOST] = TO(NON_CONTACTABLE),
    [VEHICLE_REMOVED][VEHICLE_EVENT_PROVIDER_DROP_OFF] = TO(AVAILABLE),
    [VEHICLE_REMOVED][VEHICLE_EVENT_UNSPECIFIED] = TO(NON_CONTACTABLE),

    [VEHICLE_RESERVED][VEHICLE_EVENT_COMMS_LOST] = TO(NON_CONTACTABLE),
    [VEHICLE_RESERVED][VEHICLE_EVENT_RESERVATION_CANCEL] = TO(AVAILABLE),
    [VEHICLE_RESERVED][VEHICLE_EVENT_TRIP_START] = TO(ON_TRIP),
    [VEHICLE_RESERVED][VEHICLE_EVENT_UNSPECIFIED] = TO(NON_CONTACTABLE),
};
/* clang-format on */

bool vehicle_may(enum vehicle_state from, enum vehicle_event event, enum vehicle_state to)
{
    if (from >= VEHICLE_STATE_N || event >= VEHICLE_EVENT_N || to >= VEHICLE_STATE_N) return false;
    return may_become[from][event] >> to & 1;
}

void vehicle_change(struct engine *e, struct vehicle *v, enum vehicle_event event, enum vehicle_state to)
{
    must(vehicle_may(v->state, event, to));
    e->coverage.vehicle[v->state][event][to]++;
    v->state = (uint8_t)to;
    v->state_ms = now_of(e);
    v->last_event = (uint8_t)event;
    struct event *ev = event_begin(e, EVENT_VEHICLE_STATE);
    event_about(ev, v, ride_of_vehicle(e, v), NULL);
    ev->ride = v->trip; /* MDS wants the trip named, also when it ended while the vehicle was silent */
    ev->vehicle_event = (uint8_t)event;
    event_end(e, ev);
}

int64_t silence_ms(const struct engine *e, const struct device *d)
{
    const struct vehicle *v = ROW(e, VEHICLE, vehicle, d->vehicle_id);
    const struct vehicle_type *t = v ? ROW(e, VEHICLE_TYPE, vehicle_type, v->type_id) : NULL;
    return ready_silence_ms(t ? t->heartbeat_ms : 0);
}

static bool silent_state(const struct vehicle *v)
{
    return v->state == VEHICLE_NON_CONTACTABLE || v->state == VEHICLE_MISSING;
}

void vehicle_lost(struct engine *e, struct vehicle *v)
{
    if (v->state == VEHICLE_NON_CONTACTABLE) return;
    /* A vehicle in a van or depot is expected to be silent, and one already missing is known to be. */
    if (v->state == VEHICLE_REMOVED || v->state == VEHICLE_MISSING) return;
    v->held_state = v->state;
    vehicle_change(e, v, VEHICLE_EVENT_COMMS_LOST, VEHICLE_NON_CONTACTABLE);
}

static void pay_owed(struct engine *e, struct vehicle *v)
{
    enum vehicle_event event = v->owed;
    v->owed = 0;
    if (event && vehicle_may(v->state, event, VEHICLE_AVAILABLE)) vehicle_change(e, v, event, VEHICLE_AVAILABLE);
    if (event) v->trip = (struct uuid){{0}};
}

void vehicle_heard(struct engine *e, struct vehicle *v)
{
    if (!silent_state(v)) return;
    /* Nobody knows how a long missing vehicle fares: it is looked at before it is rented. */
    enum vehicle_state back = v->held_state ? v->held_state : VEHICLE_NON_OPERATIONAL;
    bool missing = v->state == VEHICLE_MISSING;
    if (back == VEHICLE_NON_OPERATIONAL && !v->cause) v->cause = VEHICLE_EVENT_MAINTENANCE;
    v->held_state = back == VEHICLE_MISSING ? VEHICLE_NON_OPERATIONAL : 0;
    vehicle_change(e, v, missing ? VEHICLE_EVENT_LOCATED : VEHICLE_EVENT_COMMS_RESTORED, back);
    vehicle_tell_trip(e, v);
    pay_owed(e, v);
    vehicle_check(e, v);
}

void vehicle_listen(struct engine *e, const struct vehicle *v)
{
    const struct device *d = ROW(e, DEVICE, device, v->device_id);
    if (!d || !d->silent || silent_state(v) || v->state == VEHICLE_REMOVED) return;
    EDIT(e, DEVICE, device, d->id)->silent = false;
    timer_touch(e, ROW_DEVICE, d);
}

void vehicle_tell_trip(struct engine *e, struct vehicle *v)
{
    const struct ride *r = ROW(e, RIDE, ride, v->ride_id);
    bool began = r ? r->started_ms != 0 : v->owed == VEHICLE_EVENT_TRIP_END || v->owed == VEHICLE_EVENT_TRIP_CANCEL;
    bool before = v->state == VEHICLE_RESERVED || v->state == VEHICLE_AVAILABLE;
    if (before && began) vehicle_change(e, v, VEHICLE_EVENT_TRIP_START, VEHICLE_ON_TRIP);
}

void vehicle_take(struct vehicle *v, const struct ride *r)
{
    v->ride_id = r->id;
    v->trip = r->uuid;
}

void vehicle_reserve(struct engine *e, struct vehicle *v)
{
    if (v->state == VEHICLE_AVAILABLE) vehicle_change(e, v, VEHICLE_EVENT_RESERVATION_START, VEHICLE_RESERVED);
}

void vehicle_begin_trip(struct engine *e, struct vehicle *v)
{
    vehicle_tell_trip(e, v); /* while it is silent: once it speaks */
}

void vehicle_end_trip(struct engine *e, struct vehicle *v, enum vehicle_event event)
{
    v->owed = (uint8_t)event;
    if (!silent_state(v)) pay_owed(e, v); /* in `elsewhere` MDS has no end: the vehicle stays there */
    v->ride_id = 0;
    vehicle_check(e, v);
}

void vehicle_check(struct engine *e, struct vehicle *v)
{
    const struct device *d = ROW(e, DEVICE, device, v->device_id);
    const struct vehicle_type *t = ROW(e, VEHICLE_TYPE, vehicle_type, v->type_id);
    if (!d || !t || v->ride_id) return; /* a vehicle that is taken stays its rider's, also before MDS says so */
    bool counts = t->motor && d->has_battery;
    if (v->state == VEHICLE_AVAILABLE && (v->suspect || v->damage)) {
        v->cause = VEHICLE_EVENT_MAINTENANCE;
        vehicle_change(e, v, VEHICLE_EVENT_MAINTENANCE, VEHICLE_NON_OPERATIONAL);
    } else if (v->state == VEHICLE_AVAILABLE && counts && d->battery_pct < t->battery_min_pct) {
        v->cause = VEHICLE_EVENT_BATTERY_LOW;
        vehicle_change(e, v, VEHICLE_EVENT_BATTERY_LOW, VEHICLE_NON_OPERATIONAL);
    } else if (v->state == VEHICLE_NON_OPERATIONAL && v->cause == VEHICLE_EVENT_BATTERY_LOW &&
               (!t->motor || (counts && d->battery_pct >= t->battery_min_pct + 5))) {
        v->cause = 0;
        vehicle_change(e, v, VEHICLE_EVENT_BATTERY_CHARGED, VEHICLE_AVAILABLE);
        vehicle_check(e, v); /* charged, but perhaps suspect: at most one level deep */
    }
}

void vehicle_moved_to(struct engine *e, struct vehicle *v, const struct device *d)
{
    const struct city *city = ROW(e, CITY, city, v->city_id);
    if (!city || !city->radius_m || !v->ride_id) return;
    struct point here = {d->lat_e7, d->lon_e7}, centre = {city->lat_e7, city->lon_e7};
    bool outside = point_distance_cm(here, centre) > (int64_t)city->radius_m * 100;
    if (outside && v->state == VEHICLE_ON_TRIP) {
        vehicle_change(e, v, VEHICLE_EVENT_TRIP_LEAVE_JURISDICTION, VEHICLE_ELSEWHERE);
    } else if (!outside && v->state == VEHICLE_ELSEWHERE) {
        vehicle_change(e, v, VEHICLE_EVENT_TRIP_ENTER_JURISDICTION, VEHICLE_ON_TRIP);
    }
}

/* Events that only the engine may find. */
static bool engine_only(enum vehicle_event event)
{
    static const uint32_t own = 1u << VEHICLE_EVENT_TRIP_START | 1u << VEHICLE_EVENT_TRIP_END |
                                1u << VEHICLE_EVENT_TRIP_CANCEL | 1u << VEHICLE_EVENT_RESERVATION_START |
                                1u << VEHICLE_EVENT_RESERVATION_CANCEL | 1u << VEHICLE_EVENT_TRIP_ENTER_JURISDICTION |
                                1u << VEHICLE_EVENT_TRIP_LEAVE_JURISDICTION | 1u << VEHICLE_EVENT_COMMS_RESTORED;
    return own >> event & 1;
}

/* The only state that (from, event) leads to, 0 when there are several or none. */
static enum vehicle_state only_target(enum vehicle_state from, enum vehicle_event event)
{
    uint32_t set = may_become[from][event];
    return set && !(set & (set - 1)) ? (enum vehicle_state)__builtin_ctz(set) : 0;
}

struct err vehicle_mark_allowed(const struct engine *e, const struct vehicle *v, enum vehicle_event event,
                                enum vehicle_state *to)
{
    (void)e;
    if (event >= VEHICLE_EVENT_N || engine_only(event)) return ERR(EVENT_NOT_ALLOWED, "found by the system itself");
    if (!*to) *to = only_target(v->state, event);
    if (!vehicle_may(v->state, event, *to)) return ERR(EVENT_NOT_ALLOWED, "no such transition");
    bool trip_state = *to == VEHICLE_ON_TRIP || *to == VEHICLE_RESERVED;
    if (silent_state(v) && trip_state && *to != v->held_state) return ERR(EVENT_NOT_ALLOWED, "there is no such trip");
    if (silent_state(v) && v->owed && trip_state) return ERR(EVENT_NOT_ALLOWED, "the trip is over");
    if (!v->ride_id) return NO_ERR;
    /* With a ride open staff may say what they saw, but nothing that takes the vehicle from its rider. */
    bool harmless = *to == v->state || silent_state(&(struct vehicle){.state = (uint8_t)*to}) || *to == v->held_state;
    return harmless ? NO_ERR : ERR(RIDE_OPEN, "end the ride first");
}
