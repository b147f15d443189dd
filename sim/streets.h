/* SPDX-License-Identifier: Apache-2.0 */
/* streets.h: a town's streets from the file that tools/streets makes, and vehicles that follow them.
 *
 * A leg leads from where the vehicle stands to the next corner and on to corner after corner: the
 * shortest way to a place near the centre, then to another, for as long as it is ridden. Ways are found
 * once a leg, places in them by walking.
 * Hostile everything in the file is checked before anything is believed
 * Limits  STREETS_*_MAX; a leg ends where its vehicle has passed STREETS_LEG_MAX corners
 * Units   lengths in centimetres, as point_distance_cm says
 * Owner   create/destroy
 * Thread  one */
#ifndef SIM_STREETS_H
#define SIM_STREETS_H

#include "geo/point.h"
#include "sim/vehicle.h"

enum { STREETS_NODES_MAX = 1 << 22, STREETS_EDGES_MAX = 1 << 24, STREETS_LEG_MAX = 8192,
       STREETS_STRETCH_MAX_CM = 5000000 };

struct streets_config {
    const char *path;
    struct point centre;
    uint32_t reach_m;        /* places to go to are within this of the centre */
    uint32_t vehicle_max;    /* numbers of vehicles are below it */
};

struct streets;

/* IO: cannot be read. MALFORMED, CORRUPT: not such a file, or a damaged one. INVALID: no street near
 * the centre. */
MUST_USE struct err streets_create(const struct streets_config *config, struct streets **out);
void streets_destroy(struct streets *s); /* NULL is fine */

uint32_t streets_count(const struct streets *s);
struct point streets_at(const struct streets *s, uint32_t node);
uint32_t streets_nearest(const struct streets *s, struct point at);
/* A place in reach, the same for the same draw; the middle of town is the likeliest. */
uint32_t streets_draw(const struct streets *s, uint64_t draw);

/* The shortest way, both ends included, into `nodes`; how many there are, 0 when there is none or it
 * does not fit. */
uint32_t streets_route(struct streets *s, uint32_t from, uint32_t to, uint32_t *nodes, uint32_t max);

/* For struct sim_vehicle_config. */
struct sim_path_fn streets_path(struct streets *s);

#endif
