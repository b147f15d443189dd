/* SPDX-License-Identifier: Apache-2.0 */
#include "street/change.h"

static struct change_vehicle of_vehicle(const struct vehicle *v)
{
    return (struct change_vehicle){
        .id = v->id, .type_id = v->type_id, .city_id = v->city_id, .device_id = v->device_id, .state_ms = v->state_ms,
        .uuid = v->uuid, .code = v->code, .state = v->state, .cause = v->cause, .taken = v->ride_id != 0,
        .busy = v->command_id != 0, .suspect = v->suspect,
    };
}

static struct change_device of_device(const struct device *d)
{
    return (struct change_device){
        .id = d->id, .vehicle_id = d->vehicle_id, .seen_ms = d->seen_ms, .fix_ms = d->fix_got_ms,
        .at = {d->lat_e7, d->lon_e7}, .speed_dmh = d->speed_dmh, .lock_state = d->lock_state, .battery_pct = d->battery_pct,
        .has_battery = d->has_battery, .has_fix = d->has_fix, .connected = d->session != 0, .charging = d->charging,
    };
}

bool change_of_row(struct street_change *to, enum row_kind kind, const void *row)
{
    to->kind = (uint8_t)kind;
    switch (kind) {
    case ROW_LEGAL_ENTITY: {
        const struct legal_entity *e = row;
        to->entity = (struct change_entity){e->id, e->currency, e->decimals};
        return true;
    }
    case ROW_CITY: {
        const struct city *c = row;
        to->city = (struct change_city){c->id, c->entity_id, {c->lat_e7, c->lon_e7}, c->code, c->name, c->time_zone};
        return true;
    }
    case ROW_VEHICLE_TYPE: {
        const struct vehicle_type *t = row;
        to->type = (struct change_type){t->id, t->heartbeat_ms, t->code, t->name, t->battery_min_pct, t->motor};
        return true;
    }
    case ROW_PLAN: to->plan = *(const struct plan *)row; return true;
    case ROW_VEHICLE: to->vehicle = of_vehicle(row); return true;
    case ROW_PUBLIC_CODE: {
        const struct public_code *c = row;
        to->code = (struct change_code){c->id, c->vehicle_id, c->code};
        return true;
    }
    case ROW_DEVICE: to->device = of_device(row); return true;
    case ROW_RIDE: {
        const struct ride *r = row;
        to->ride = (struct change_ride){r->id, r->city_id, r->ended_ms, r->charge_minor, r->minutes, r->state, r->resident};
        return true;
    }
    default: return false;
    }
}
