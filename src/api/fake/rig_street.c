/* SPDX-License-Identifier: Apache-2.0 */
#include "api/fake/rig_street.h"

#include <stdio.h>

#include "base/must.h"

#define SET(text, from) text_clip(&(text), bytes_text(from))

static void put(struct rig *r, enum row_kind kind, const void *row)
{
    street_put(r->street, r->street_seq + 1, kind, row, false);
}

void rig_street_declare(struct rig *r)
{
    struct legal_entity e = {.id = 1, .decimals = 2};
    SET(e.currency, "SEK");
    put(r, ROW_LEGAL_ENTITY, &e);
    struct city c = {.id = RIG_CITY, .entity_id = 1};
    SET(c.code, "gothenburg");
    put(r, ROW_CITY, &c);
    struct vehicle_type t = {.id = 3, .motor = true, .battery_min_pct = 15};
    SET(t.code, "scooter");
    SET(t.name, "Scooter");
    put(r, ROW_VEHICLE_TYPE, &t);
    struct plan p = {.id = 4, .city_id = RIG_CITY, .unlock_minor = 1000, .minute_minor = 250};
    put(r, ROW_PLAN, &p);
}

void rig_street_vehicle(struct rig *r, uint8_t name, struct rig_place place)
{
    char code[16];
    snprintf(code, sizeof code, "V-%u", name);
    struct vehicle v = {.id = 1000u + name, .uuid = rig_uuid(name), .type_id = 3, .city_id = place.city ? place.city : RIG_CITY,
                        .device_id = 2000u + name, .state = place.state ? place.state : VEHICLE_AVAILABLE};
    SET(v.code, code);
    put(r, ROW_VEHICLE, &v);
    struct public_code c = {.id = 3000u + name, .code = v.code, .vehicle_id = v.id};
    put(r, ROW_PUBLIC_CODE, &c);
    struct device d = {.id = 2000u + name, .vehicle_id = v.id, .session = 1, .seen_ms = r->wall_ms,
                       .lock_state = LOCK_STATE_LOCKED, .battery_pct = place.battery_pct, .has_battery = place.battery_pct > 0,
                       .has_fix = !place.nowhere, .lat_e7 = place.lat_e7, .lon_e7 = place.lon_e7, .fix_got_ms = r->wall_ms,
                       .speed_dmh = place.speed_dmh};
    put(r, ROW_DEVICE, &d);
}

void rig_street_show(struct rig *r)
{
    must(street_show(r->street, ++r->street_seq, r->wall_ms));
}
