/* SPDX-License-Identifier: Apache-2.0 */
/* charge.c: from a ride's times and the prices it began with to a price and its bookings.
 *
 * Price = unlock + minute x started minutes. A minute counts from its first millisecond: 60,000 ms are one minute,
 * 60,001 ms are two. Nothing is charged without a vehicle's confirmation, and a ride is charged once: both are
 * must()s here, the last door. */
#include "engine/state.h"

uint32_t charge_minutes(int64_t started_ms, int64_t ended_ms)
{
    if (ended_ms <= started_ms) return 0;
    return (uint32_t)((ended_ms - started_ms + MINUTE_MS - 1) / MINUTE_MS);
}

static void post(struct engine *e, const struct ride *r, uint64_t entity_id, uint64_t rider_id, int64_t amount_minor)
{
    struct posting *p = add_row(e, ROW_POSTING);
    must(p);
    p->ride_id = r->id;
    p->entity_id = entity_id;
    p->city_id = r->city_id;
    p->rider_id = rider_id;
    p->amount_minor = amount_minor;
    p->currency = r->currency;
    p->at_ms = now_of(e);
}

void charge_ride(struct engine *e, struct ride *r)
{
    must(r->state == RIDE_ENDED && r->started_ms && r->ended_ms >= r->started_ms);
    must(!r->over_seq);
    const struct city *city = ROW(e, CITY, city, r->city_id);
    must(city);
    r->minutes = charge_minutes(r->started_ms, r->ended_ms);
    r->charge_minor = r->unlock_minor + r->minute_minor * r->minutes;
    struct rider *rider = EDIT(e, RIDER, rider, r->rider_id);
    must(rider);
    if (r->charge_minor) {
        post(e, r, city->entity_id, rider->id, r->charge_minor);
        post(e, r, city->entity_id, 0, -r->charge_minor);
    }
    rider->owed_minor += r->charge_minor;
    rider->rides++;
    struct event *ev = event_begin(e, EVENT_RIDE_CHARGED);
    event_about(ev, ROW(e, VEHICLE, vehicle, r->vehicle_id), r, NULL);
    ev->number = r->charge_minor;
    event_end(e, ev);
}
