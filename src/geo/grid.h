/* SPDX-License-Identifier: Apache-2.0 */
/* grid.h: which of many points are near a place, or in a box.
 *
 *     bands of latitude, GRID_BAND_E7 high        in each band the points stand by longitude, one behind the other
 *     ├──·───···──·────────────────┤
 *     ├───·──[··(·o·)·]──·───·─────┤  ◄── a question looks at the few bands that it touches: in each it begins at the column
 *     ├──────[·(··)·]──··──────────┤      of its western edge and reads on to the eastern one
 *     │     │     │     │     │       ◄── columns only say where in a band to begin; they are as wide as memory allows
 *
 * Distance  on the plane through the asked place: within 0.1 % up to 5 km outside the polar circles. Longitudes wrap at
 *           the 180th meridian; beyond a pole nothing is found
 * Units     `square` is in squares of 10^-7 degree of latitude (1.112 cm)
 * Owner     memory of the caller; nothing borrows the points after grid_build
 * Thread    any number may ask a built grid
 * Pure */
#ifndef GEO_GRID_H
#define GEO_GRID_H

#include "base/arena.h"
#include "geo/point.h"

#define GRID_BAND_E7 8192         /* 91 m */
#define GRID_NEAR_MAX 100u        /* of one question */
#define GRID_RADIUS_M_MAX 50000u

struct grid_point {
    struct point at;              /* valid */
    uint32_t tag;                 /* the owner's; a question may want some of its bits */
};

struct grid {
    struct grid_point *points;    /* by band, then by longitude */
    uint32_t *begins;             /* first point of each column of each band, and the end */
    uint32_t first_band, band_count, column_count, count, limit;
    int32_t west_e7;              /* of the first column, each 2^column_bits wide */
    unsigned column_bits;
    uint32_t crowd_q8;            /* points in an area of a band's height squared where there are any, x 256 */
};

/* Room to sort in, shared by grids that are built one after the other. */
struct grid_scratch { struct grid_sorted { uint64_t key; int32_t lat_e7; uint32_t tag; } *a, *b; uint32_t limit; };

size_t grid_need(uint32_t limit);
void grid_init(struct grid *g, struct arena *a, uint32_t limit);
size_t grid_scratch_need(uint32_t limit);
void grid_scratch_init(struct grid_scratch *s, struct arena *a, uint32_t limit);
/* Forgets what it held. At most `limit` points. */
void grid_build(struct grid *g, struct grid_scratch *s, const struct grid_point *points, uint32_t count);

struct grid_near {
    struct point at;
    uint32_t radius_m;            /* up to GRID_RADIUS_M_MAX */
    uint32_t limit;               /* 1 to GRID_NEAR_MAX */
    uint32_t want;                /* only points whose tag has all of these bits */
};
struct grid_found { uint64_t square; uint32_t tag; };

/* The nearest, nearest first, equals by tag. Returns how many. */
uint32_t grid_find_near(const struct grid *g, const struct grid_near *near, struct grid_found *found);
/* The same distance without a grid. */
uint64_t grid_square(struct point from, struct point to);
uint64_t grid_square_of_m(uint32_t radius_m);
int64_t grid_cm_of_square(uint64_t square);

/* Edges belong to it. West of `east` in degrees, or, when west is the larger one, across the 180th meridian. */
struct box { int32_t south_e7, west_e7, north_e7, east_e7; };
bool box_has(const struct box *box, struct point p);
/* Calls back for each point in the box, by band and longitude. */
void grid_each_in(const struct grid *g, const struct box *box, uint32_t want, void (*fn)(void *ctx, uint32_t tag), void *ctx);

#endif
