/* SPDX-License-Identifier: Apache-2.0 */
/* change.h: what the street view is told of a changed row: the members that it shows or decides by, and no more.
 *
 * Thread  plain data; crosses the street's ring */
#ifndef STREET_CHANGE_H
#define STREET_CHANGE_H

#include "engine/rows.h"
#include "geo/point.h"

struct change_entity { uint64_t id; struct text4 currency; uint8_t decimals; };

struct change_city {
    uint64_t id, entity_id;
    struct point at;
    struct text32 code, name, time_zone;
};

struct change_type {
    uint64_t id;
    int64_t heartbeat_ms;
    struct text32 code, name;
    uint8_t battery_min_pct;
    bool motor;
};

struct change_vehicle {
    uint64_t id, type_id, city_id, device_id;
    int64_t state_ms;
    struct uuid uuid;
    struct text16 code;
    uint8_t state, cause;
    bool taken, busy, suspect;
};

struct change_code { uint64_t id, vehicle_id; struct text16 code; };

struct change_device {
    uint64_t id, vehicle_id;
    int64_t seen_ms, fix_ms;      /* when it last spoke; when its last good position arrived */
    struct point at;
    uint16_t speed_dmh;
    uint8_t lock_state, battery_pct;
    bool has_battery, has_fix, connected, charging;
};

struct change_ride {
    uint64_t id, city_id;
    int64_t ended_ms, charge_minor;
    uint32_t minutes;
    uint8_t state;
    bool resident;
};

struct street_change {
    uint64_t seq;                 /* last fact of its batch */
    uint8_t kind;                 /* enum row_kind */
    bool gone;
    union {
        struct change_entity entity;
        struct change_city city;
        struct change_type type;
        struct plan plan;
        struct change_vehicle vehicle;
        struct change_code code;
        struct change_device device;
        struct change_ride ride;
    };
};

/* False: the street does not look at rows of this kind. */
bool change_of_row(struct street_change *to, enum row_kind kind, const void *row);

#endif
