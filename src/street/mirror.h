/* SPDX-License-Identifier: Apache-2.0 */
/* mirror.h: the view thread's own copy of what the street shows, kept up to date by changes; snapshots are copied from it.
 *
 * A change marks the vehicles that it may concern. mirror_settle makes their rows anew, and each snapshot later takes those
 * rows that it does not have yet: the cost is that of what changed, not of the fleet.
 * Limits  vehicles_max and devices alike, twice as many codes, rides_max; further rows are left out and counted
 * Memory  mirror_need bytes of address space, pages as they are used
 * Thread  one */
#ifndef STREET_MIRROR_H
#define STREET_MIRROR_H

#include "street/change.h"
#include "street/snapshot.h"

struct mirror_limits { uint32_t vehicles_max, rides_max; };

/* Rows that a snapshot does not have yet, each once. */
struct owing { uint32_t *places; uint8_t *marked; uint32_t count; };

/* What a snapshot has of the mirror. */
struct snapshot_state {
    struct snapshot s;
    struct owing rows;
    uint64_t settings_version, codes_version, points_version;
};

struct mirror {
    struct mirror_limits limits;
    struct hash_key key;
    struct map vehicle_of, device_of, ride_of, code_of; /* inside id -> place */
    struct change_entity *entities;
    struct change_city *cities;
    struct change_type *types;
    struct plan *plans;
    struct change_vehicle *vehicles;
    struct change_device *devices;
    struct change_ride *rides;
    struct change_code *codes;
    uint32_t entity_count, city_count, type_count, plan_count, vehicle_count, device_count, ride_top, code_count;
    uint32_t *free_rides, free_ride_count;
    struct owing touched;             /* vehicles whose row is to be made anew */
    struct street_vehicle *rows;      /* made */
    struct grid_point *points;        /* by place; a tag of POINT_NONE has no position */
    struct street_counts *counts;     /* by city; the last is of none */
    uint16_t *price_of;               /* by city and type: plan, STREET_NONE, or PRICE_UNKNOWN */
    uint64_t settings_version, codes_version, points_version;
    uint64_t left_out;
    struct grid_scratch scratch;
    struct grid_point *standing;      /* room for points on their way into a grid */
};

size_t mirror_need(const struct mirror_limits *limits);
void mirror_init(struct mirror *m, struct arena *a, const struct mirror_limits *limits, struct hash_key key);
size_t snapshot_need(const struct mirror_limits *limits);
void snapshot_init(struct snapshot_state *to, struct arena *a, const struct mirror *m);

enum mirror_apply { MIRROR_LIVE, MIRROR_SEED }; /* SEED: rides that are over were counted before */
void mirror_apply(struct mirror *m, const struct street_change *change, enum mirror_apply how);
/* Rides of a city that ended on `day` before the mirror began to look. */
void mirror_add_day(struct mirror *m, uint64_t city_id, int64_t day, const struct street_counts *add);
/* Makes the rows of touched vehicles, as of now, and owes them to each of the snapshots. */
void mirror_settle(struct mirror *m, uint64_t seq, int64_t now_ms, struct snapshot_state *const *snapshots, unsigned count);
/* Brings a snapshot that nobody looks at up to the mirror. */
void mirror_copy(struct mirror *m, struct snapshot_state *to);

#endif
