/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot.h: the street at one committed fact: every vehicle as it may be shown, found by place or code.
 *
 * Nothing in it changes while it is held (street.h). What it shows as rentable, the engine would have rented at `seq`.
 * Limits  STREET_*_MAX; what does not fit is left out and counted
 * Thread  any that holds it */
#ifndef STREET_SNAPSHOT_H
#define STREET_SNAPSHOT_H

#include "base/hash.h"
#include "base/map.h"
#include "engine/rows.h"
#include "geo/grid.h"

#define STREET_TYPES_MAX 1024u     /* as the engine's own limits */
#define STREET_CITIES_MAX 1024u
#define STREET_PLANS_MAX 4096u
#define STREET_ENTITIES_MAX 256u
#define STREET_DAY_MS 86400000ll
#define STREET_NONE UINT16_MAX     /* no such type, city, price */
#define STREET_RENTABLE (1u << 31) /* bit in a grid tag; the others are the vehicle's place in the snapshot */

struct street_type {
    struct text32 code, name;
    uint8_t battery_min_pct;
    bool motor;
};

struct street_city {
    uint64_t id;                   /* inside id */
    struct text32 code, name, time_zone;
    struct text4 currency;
    uint8_t decimals;
    struct point at;
};

struct street_price {
    int64_t unlock_minor, minute_minor;
    struct text4 currency;
    uint8_t decimals;
};

struct street_vehicle {
    uint64_t id;                   /* inside id; 0: this place is empty */
    uint64_t changed_seq;          /* what is shown of it changed with this snapshot */
    struct uuid uuid;
    struct text16 code;
    struct point at;               /* last good position, with has_fix */
    int64_t seen_ms, fix_ms, state_ms; /* last heard; when the position arrived; since when this state */
    int64_t silent_ms;             /* not heard again by then, it counts as silent */
    uint16_t type, city, price;    /* places in the snapshot's tables */
    uint16_t speed_dmh;
    uint8_t state, cause, lock_state, battery_pct;
    uint8_t refusal;               /* enum err_code that a rider would be told; OK = rentable */
    bool has_fix, has_battery, connected, charging, suspect, taken;
    bool low;                      /* too little charge for a ride */
};

/* What a city's control room counts. */
struct street_counts {
    uint32_t vehicles[VEHICLE_STATE_N], rides[RIDE_STATE_N];
    uint32_t rentable, disconnected, battery_low, suspect, no_fix;
    int64_t day;                   /* days since 1970, UTC; what follows is of rides that ended on it */
    uint32_t day_rides, day_minutes;
    int64_t day_minor;
};

struct snapshot {
    uint64_t seq;                  /* everything up to this fact and nothing later */
    int64_t now_ms;                /* server time when it was taken */
    int64_t taken_us;              /* monotonic */
    uint32_t vehicle_count;        /* places in use, empty ones included */
    uint32_t type_count, city_count, price_count;
    struct street_vehicle *vehicles;
    struct street_type *types;
    struct street_city *cities;
    struct street_price *prices;
    struct street_counts *counts;  /* by city; the last, at city_count, is of none */
    struct grid grid;              /* tags: place | STREET_RENTABLE */
    struct map by_code;            /* code's hash -> place in codes */
    struct snapshot_code { struct text16 code; uint32_t vehicle; } *codes;
    uint32_t code_count;
    struct hash_key key;
};

/* By any of its public codes; NULL: none. */
const struct street_vehicle *snapshot_by_code(const struct snapshot *s, struct bytes code);
/* STREET_NONE: no such city. */
uint16_t snapshot_city(const struct snapshot *s, struct bytes code);
/* Rentable right now: not fallen silent since the snapshot was taken either. */
bool street_rentable(const struct street_vehicle *v, int64_t now_ms);

struct snapshot_near { struct point at; uint32_t radius_m, limit; int64_t now_ms; };
/* Rentable vehicles, nearest first. Returns how many, at most `limit`. */
uint32_t snapshot_find_near(const struct snapshot *s, const struct snapshot_near *near, struct grid_found *found);

#endif
