/* SPDX-License-Identifier: Apache-2.0 */
#include "street/testing/agree.h"

#include <stdio.h>
#include <string.h>

struct agreeing {
    const struct snapshot *s;
    const struct engine *e;
    char *why;
    uint32_t vehicles, rentable, rides[RIDE_STATE_N];
};

static void differs(struct agreeing *a, const struct text16 *code, const char *what, int64_t shown, int64_t is)
{
    if (*a->why) return;
    snprintf(a->why, STREET_WHY_MAX, "%.*s: %s is %lld in the view and %lld in the engine", code->len, code->at, what,
             (long long)shown, (long long)is);
}

static void same_price(struct agreeing *a, const struct vehicle *v, const struct street_vehicle *shown, const struct plan *plan)
{
    const struct city *city = engine_row(a->e, ROW_CITY, v->city_id);
    const struct legal_entity *entity = engine_row(a->e, ROW_LEGAL_ENTITY, city->entity_id);
    const struct street_price *p = &a->s->prices[shown->price];
    if (p->unlock_minor != plan->unlock_minor) differs(a, &v->code, "unlock_minor", p->unlock_minor, plan->unlock_minor);
    if (p->minute_minor != plan->minute_minor) differs(a, &v->code, "minute_minor", p->minute_minor, plan->minute_minor);
    if (!text_equal(&p->currency, &entity->currency)) differs(a, &v->code, "currency", 0, 1);
}

static void agree_vehicle(void *ctx, const void *row)
{
    struct agreeing *a = ctx;
    const struct vehicle *v = row;
    const struct street_vehicle *shown = snapshot_by_code(a->s, text_bytes(&v->code));
    const struct device *d = engine_row(a->e, ROW_DEVICE, v->device_id);
    a->vehicles++;
    if (!shown) {
        differs(a, &v->code, "the vehicle", 0, 1);
        return;
    }
    const struct plan *plan;
    int64_t now_ms = engine_now_ms(a->e);
    bool rentable = engine_offer(a->e, v, &plan) == ERR_OK, shown_rentable = street_rentable(shown, now_ms);
    a->rentable += rentable;
    if (shown->state != v->state) differs(a, &v->code, "state", shown->state, v->state);
    if (shown->suspect != v->suspect) differs(a, &v->code, "suspect", shown->suspect, v->suspect);
    if (shown_rentable != rentable) differs(a, &v->code, "rentable", shown_rentable, rentable);
    if (rentable && shown_rentable) same_price(a, v, shown, plan);
    if (shown->has_fix != (d && d->has_fix)) differs(a, &v->code, "has_fix", shown->has_fix, d && d->has_fix);
    if (!d) return;
    if (shown->at.lat_e7 != d->lat_e7) differs(a, &v->code, "lat_e7", shown->at.lat_e7, d->lat_e7);
    if (shown->at.lon_e7 != d->lon_e7) differs(a, &v->code, "lon_e7", shown->at.lon_e7, d->lon_e7);
    if (shown->seen_ms != d->seen_ms) differs(a, &v->code, "seen_ms", shown->seen_ms, d->seen_ms);
    if (shown->battery_pct != d->battery_pct) differs(a, &v->code, "battery_pct", shown->battery_pct, d->battery_pct);
    if (shown->connected != (d->session != 0)) differs(a, &v->code, "connected", shown->connected, d->session != 0);
}

static void count_ride(void *ctx, const void *row)
{
    struct agreeing *a = ctx;
    a->rides[((const struct ride *)row)->state]++;
}

/* What the grid offers is what rows say. */
static void agree_grid(struct agreeing *a, uint32_t in_grid)
{
    static const struct text16 all = {3, "all"};
    uint32_t rentable = 0;
    for (uint32_t i = 0; i < a->s->vehicle_count; i++) {
        const struct street_vehicle *v = &a->s->vehicles[i];
        rentable += v->id && v->has_fix && v->refusal == ERR_OK;
    }
    if (in_grid != rentable) differs(a, &all, "rentable in the grid", in_grid, rentable);
}

static void count_tag(void *ctx, uint32_t tag)
{
    (void)tag;
    ++*(uint32_t *)ctx;
}

bool street_agrees(const struct snapshot *snapshot, const struct engine *engine, char why[STREET_WHY_MAX])
{
    static const struct text16 all = {3, "all"};
    static const struct box earth = {-LAT_E7_MAX, -LON_E7_MAX, LAT_E7_MAX, LON_E7_MAX};
    struct agreeing a = {.s = snapshot, .e = engine, .why = why};
    uint32_t vehicles = 0, in_grid = 0;
    *why = 0;
    engine_each(engine, ROW_VEHICLE, agree_vehicle, &a);
    engine_each(engine, ROW_RIDE, count_ride, &a);
    grid_each_in(&snapshot->grid, &earth, STREET_RENTABLE, count_tag, &in_grid);
    agree_grid(&a, in_grid);
    uint32_t rides[RIDE_STATE_N] = {0};
    for (uint32_t i = 0; i <= snapshot->city_count; i++) {
        for (unsigned k = 0; k < VEHICLE_STATE_N; k++) vehicles += snapshot->counts[i].vehicles[k];
        for (unsigned k = 0; k < RIDE_STATE_N; k++) rides[k] += snapshot->counts[i].rides[k];
    }
    if (vehicles != a.vehicles) differs(&a, &all, "count of vehicles", vehicles, a.vehicles);
    for (unsigned k = RIDE_REQUESTED; k < RIDE_ENDED; k++) {
        if (rides[k] != a.rides[k]) differs(&a, &all, "count of rides", rides[k], a.rides[k]);
    }
    return !*why;
}
