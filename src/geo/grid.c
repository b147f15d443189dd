/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/grid.h"

#include <string.h>

#include "base/must.h"

#define BANDS_MAX (2u * LAT_E7_MAX / GRID_BAND_E7 + 1)
#define COLUMN_BITS_MIN 14 /* 182 m at the equator, 91 m in Oslo */
#define CROWD_MIN_Q8 16   /* nobody else for sixteen squares: look far at once */
#define CM_PER_DEGREE 11119493
#define DIGIT_BITS 11
#define DIGITS (1u << DIGIT_BITS)

static uint32_t band_of(int64_t lat_e7)
{
    return (uint32_t)(lat_e7 + LAT_E7_MAX) / GRID_BAND_E7;
}

/* Columns of all bands together; one in each band at least. */
static size_t cells_max(uint32_t limit) { return BANDS_MAX + 2ull * limit; }

size_t grid_need(uint32_t limit)
{
    return arena_need(limit * sizeof(struct grid_point)) + arena_need((cells_max(limit) + 1) * sizeof(uint32_t));
}

void grid_init(struct grid *g, struct arena *a, uint32_t limit)
{
    *g = (struct grid){.limit = limit};
    g->points = arena_take(a, limit * sizeof *g->points);
    g->begins = arena_take(a, (cells_max(limit) + 1) * sizeof *g->begins);
}

size_t grid_scratch_need(uint32_t limit)
{
    return 2 * arena_need(limit * sizeof(struct grid_sorted));
}

void grid_scratch_init(struct grid_scratch *s, struct arena *a, uint32_t limit)
{
    s->limit = limit;
    s->a = arena_take(a, limit * sizeof *s->a);
    s->b = arena_take(a, limit * sizeof *s->b);
}

/* ---- building ---- */

static unsigned bits_of(uint64_t v)
{
    return v ? 64 - (unsigned)__builtin_clzll(v) : 0;
}

/* By key, from the lowest digit up; the result is in the array returned. */
static struct grid_sorted *sort(struct grid_scratch *s, uint32_t count, unsigned bits)
{
    struct grid_sorted *from = s->a, *to = s->b;
    for (unsigned shift = 0; shift < bits; shift += DIGIT_BITS) {
        uint32_t at[DIGITS] = {0};
        for (uint32_t i = 0; i < count; i++) at[from[i].key >> shift & (DIGITS - 1)]++;
        for (uint32_t d = 0, sum = 0; d < DIGITS; d++) {
            uint32_t n = at[d];
            at[d] = sum;
            sum += n;
        }
        for (uint32_t i = 0; i < count; i++) to[at[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
        struct grid_sorted *sorted = to;
        to = from;
        from = sorted;
    }
    return from;
}

/* Covers each band's points with squares of its height, from each first uncovered one on. By chance alone a square holds
 * its first point and as many others as any square does: those others tell how crowded it is where there is anybody. */
static void measure_crowd(struct grid *g)
{
    uint64_t squares = 0;
    for (uint32_t b = 0; b < g->band_count; b++) {
        int32_t cos_q16 = point_cos_q16((int32_t)((g->first_band + b) * (int64_t)GRID_BAND_E7 - LAT_E7_MAX));
        int64_t wide_e7 = cos_q16 ? (int64_t)GRID_BAND_E7 * 65536 / cos_q16 : 2ll * LON_E7_MAX, end_e7 = INT64_MIN;
        for (uint32_t i = g->begins[b * g->column_count]; i < g->begins[(b + 1) * g->column_count]; i++) {
            if (g->points[i].at.lon_e7 < end_e7) continue;
            end_e7 = g->points[i].at.lon_e7 + wide_e7;
            squares++;
        }
    }
    g->crowd_q8 = (uint32_t)(g->count * 256ull / squares) - 256 + CROWD_MIN_Q8;
}

/* Bands and columns over what the points cover. */
static void lay_out(struct grid *g, const struct grid_point *points, uint32_t count, int64_t *width_e7)
{
    int32_t south = INT32_MAX, north = INT32_MIN, west = INT32_MAX, east = INT32_MIN;
    for (uint32_t i = 0; i < count; i++) {
        struct point p = points[i].at;
        if (p.lat_e7 < south) south = p.lat_e7;
        if (p.lat_e7 > north) north = p.lat_e7;
        if (p.lon_e7 < west) west = p.lon_e7;
        if (p.lon_e7 > east) east = p.lon_e7;
    }
    must(point_valid((struct point){south, west}) && point_valid((struct point){north, east}));
    *width_e7 = (int64_t)east - west;
    g->west_e7 = west;
    g->first_band = band_of(south);
    g->band_count = band_of(north) - g->first_band + 1;
    g->column_bits = COLUMN_BITS_MIN;
    while (g->band_count * ((uint64_t)(*width_e7 >> g->column_bits) + 1) > cells_max(g->limit)) g->column_bits++;
    g->column_count = (uint32_t)(*width_e7 >> g->column_bits) + 1;
}

void grid_build(struct grid *g, struct grid_scratch *s, const struct grid_point *points, uint32_t count)
{
    must(count <= g->limit && count <= s->limit);
    g->count = count;
    g->band_count = 0;
    g->crowd_q8 = CROWD_MIN_Q8;
    if (!count) return;
    int64_t width_e7;
    lay_out(g, points, count, &width_e7);
    unsigned lon_bits = bits_of((uint64_t)width_e7);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t band = band_of(points[i].at.lat_e7) - g->first_band;
        uint64_t lon = (uint64_t)((int64_t)points[i].at.lon_e7 - g->west_e7);
        s->a[i] = (struct grid_sorted){band << lon_bits | lon, points[i].at.lat_e7, points[i].tag};
    }
    const struct grid_sorted *sorted = sort(s, count, lon_bits + bits_of(g->band_count - 1));
    uint64_t lon_mask = ((uint64_t)1 << lon_bits) - 1;
    uint32_t cells = g->band_count * g->column_count, next = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t lon = sorted[i].key & lon_mask;
        uint32_t cell = (uint32_t)(sorted[i].key >> lon_bits) * g->column_count + (uint32_t)(lon >> g->column_bits);
        while (next <= cell) g->begins[next++] = i;
        g->points[i] = (struct grid_point){{sorted[i].lat_e7, (int32_t)((int64_t)lon + g->west_e7)}, sorted[i].tag};
    }
    while (next <= cells) g->begins[next++] = count;
    measure_crowd(g);
}

/* ---- distances ---- */

static uint64_t square_at(struct point from, struct point to, int32_t cos_q16)
{
    int64_t y = (int64_t)to.lat_e7 - from.lat_e7, x = (int64_t)to.lon_e7 - from.lon_e7;
    if (x < 0) x = -x;
    if (x > LON_E7_MAX) x = 2ll * LON_E7_MAX - x;
    x = x * cos_q16 / 65536;
    return (uint64_t)(x * x) + (uint64_t)(y * y);
}

uint64_t grid_square(struct point from, struct point to)
{
    return square_at(from, to, point_cos_q16(from.lat_e7));
}

static uint64_t units_of_m(uint32_t radius_m)
{
    return radius_m * 1000000000ull / CM_PER_DEGREE;
}

uint64_t grid_square_of_m(uint32_t radius_m)
{
    uint64_t units = units_of_m(radius_m);
    return units * units;
}

int64_t grid_cm_of_square(uint64_t square)
{
    return (int64_t)(int_sqrt(square) * CM_PER_DEGREE / 10000000);
}

/* ---- asking ---- */

/* The points of one band from lon_e7 on: first of them, and the band's end. */
static struct grid_run { uint32_t at, end; } run_from(const struct grid *g, uint32_t band, int64_t lon_e7)
{
    const uint32_t *begins = &g->begins[band * g->column_count];
    struct grid_run run = {begins[0], begins[g->column_count]};
    if (lon_e7 <= g->west_e7) return run;
    uint64_t column = (uint64_t)(lon_e7 - g->west_e7) >> g->column_bits;
    if (column >= g->column_count) return (struct grid_run){run.end, run.end};
    uint32_t end = begins[column + 1];
    run.at = begins[column];
    while (run.at < end) { /* few, but where all the Earth shares the columns */
        uint32_t middle = run.at + (end - run.at) / 2;
        if (g->points[middle].at.lon_e7 < lon_e7) run.at = middle + 1;
        else end = middle;
    }
    return run;
}

/* A range of longitudes as one or two that do not wrap. */
struct span { int64_t west_e7[2], east_e7[2]; unsigned count; };

static struct span span_of(int64_t west_e7, int64_t east_e7)
{
    if (east_e7 - west_e7 >= 2ll * LON_E7_MAX) return (struct span){{-LON_E7_MAX}, {LON_E7_MAX}, 1};
    if (west_e7 < -LON_E7_MAX) return (struct span){{west_e7 + 2ll * LON_E7_MAX, -LON_E7_MAX}, {LON_E7_MAX, east_e7}, 2};
    if (east_e7 > LON_E7_MAX) return (struct span){{west_e7, -LON_E7_MAX}, {LON_E7_MAX, east_e7 - 2ll * LON_E7_MAX}, 2};
    return (struct span){{west_e7}, {east_e7}, 1};
}

/* Bands of the grid from south to north, as [first, end) of its own numbers. */
static void bands_of(const struct grid *g, int64_t south_e7, int64_t north_e7, uint32_t *first, uint32_t *end)
{
    uint32_t from = band_of(south_e7 < -LAT_E7_MAX ? -LAT_E7_MAX : south_e7);
    uint32_t to = band_of(north_e7 > LAT_E7_MAX ? LAT_E7_MAX : north_e7) + 1, last = g->first_band + g->band_count;
    *first = from > g->first_band ? from - g->first_band : 0;
    *end = (to < last ? to : last) > g->first_band ? (to < last ? to : last) - g->first_band : 0;
}

struct best { struct grid_found *at; uint32_t count, limit; };

static bool closer(uint64_t square, uint32_t tag, const struct grid_found *than)
{
    return square < than->square || (square == than->square && tag < than->tag);
}

static void best_add(struct best *b, uint64_t square, uint32_t tag)
{
    uint32_t i = b->count < b->limit ? b->count++ : b->limit - 1;
    for (; i && closer(square, tag, &b->at[i - 1]); i--) b->at[i] = b->at[i - 1];
    b->at[i] = (struct grid_found){square, tag};
}

/* Everything within `units`, into `b`. */
static void look_around(const struct grid *g, const struct grid_near *near, uint64_t units, struct best *b)
{
    int32_t cos_q16 = point_cos_q16(near->at.lat_e7);
    int64_t reach_e7 = (int64_t)units, wide_e7 = cos_q16 ? (reach_e7 + 1) * 65536 / cos_q16 + 1 : 2ll * LON_E7_MAX;
    struct span lon = span_of(near->at.lon_e7 - wide_e7, near->at.lon_e7 + wide_e7);
    uint64_t most = units * units;
    uint32_t band, end;
    bands_of(g, near->at.lat_e7 - reach_e7, near->at.lat_e7 + reach_e7, &band, &end);
    for (; band < end; band++) {
        for (unsigned part = 0; part < lon.count; part++) {
            struct grid_run run = run_from(g, band, lon.west_e7[part]);
            for (const struct grid_point *p = &g->points[run.at], *stop = &g->points[run.end]; p < stop; p++) {
                if (p->at.lon_e7 > lon.east_e7[part]) break;
                uint64_t square = square_at(near->at, p->at, cos_q16);
                if (square > most || (p->tag & near->want) != near->want) continue;
                if (b->count == b->limit && !closer(square, p->tag, &b->at[b->count - 1])) continue;
                best_add(b, square, p->tag);
            }
        }
    }
}

uint32_t grid_find_near(const struct grid *g, const struct grid_near *near, struct grid_found *found)
{
    must(near->limit && near->limit <= GRID_NEAR_MAX && near->radius_m <= GRID_RADIUS_M_MAX && point_valid(near->at));
    uint64_t whole = units_of_m(near->radius_m);
    /* A circle that should hold half as many again as wanted (122 = 256 x 1.5 / pi); where it does not: twice as wide. */
    uint64_t units = int_sqrt((uint64_t)near->limit * GRID_BAND_E7 * GRID_BAND_E7 * 122 / g->crowd_q8);
    struct best b = {found, 0, near->limit};
    for (;; units *= 2) {
        if (units > whole) units = whole;
        b.count = 0;
        look_around(g, near, units, &b);
        if (b.count == near->limit || units == whole) return b.count;
        if (!units) units = 1;
    }
}

bool box_has(const struct box *box, struct point p)
{
    if (p.lat_e7 < box->south_e7 || p.lat_e7 > box->north_e7) return false;
    if (box->west_e7 <= box->east_e7) return p.lon_e7 >= box->west_e7 && p.lon_e7 <= box->east_e7;
    return p.lon_e7 >= box->west_e7 || p.lon_e7 <= box->east_e7;
}

void grid_each_in(const struct grid *g, const struct box *box, uint32_t want, void (*fn)(void *ctx, uint32_t tag), void *ctx)
{
    struct span lon = {{box->west_e7}, {box->east_e7}, 1};
    if (box->west_e7 > box->east_e7) lon = (struct span){{box->west_e7, -LON_E7_MAX}, {LON_E7_MAX, box->east_e7}, 2};
    uint32_t band, end;
    if (box->south_e7 > box->north_e7) return;
    bands_of(g, box->south_e7, box->north_e7, &band, &end);
    for (; band < end; band++) {
        for (unsigned part = 0; part < lon.count; part++) {
            struct grid_run run = run_from(g, band, lon.west_e7[part]);
            for (const struct grid_point *p = &g->points[run.at], *stop = &g->points[run.end]; p < stop; p++) {
                if (p->at.lon_e7 > lon.east_e7[part]) break;
                bool inside = p->at.lat_e7 >= box->south_e7 && p->at.lat_e7 <= box->north_e7;
                if (inside && (p->tag & want) == want) fn(ctx, p->tag);
            }
        }
    }
}
