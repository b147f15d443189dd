/* SPDX-License-Identifier: Apache-2.0 */
/* Each answer is compared with looking at every point. */
#include "geo/grid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/prng.h"

#define POINTS 3000u

static struct grid_point points[POINTS];
static struct grid grid;
static struct grid_scratch scratch;
static void *memory;

static int set_up(void **state)
{
    (void)state;
    size_t need = grid_need(POINTS) + grid_scratch_need(POINTS);
    memory = aligned_alloc(64, need);
    memset(memory, 0xa5, need); /* nothing may lean on fresh pages */
    struct arena a = arena_on(memory, need);
    grid_init(&grid, &a, POINTS);
    grid_scratch_init(&scratch, &a, POINTS);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(memory);
    return 0;
}

/* A town of some kilometres around a place; longitudes wrap, latitudes stop. */
static struct point somewhere(struct prng *p, struct point centre, int32_t spread_e7)
{
    int64_t lat = centre.lat_e7 + prng_between(p, -spread_e7, spread_e7);
    int64_t lon = centre.lon_e7 + prng_between(p, -spread_e7, spread_e7);
    if (lat > LAT_E7_MAX) lat = LAT_E7_MAX;
    if (lat < -LAT_E7_MAX) lat = -LAT_E7_MAX;
    if (lon > LON_E7_MAX) lon -= 2ll * LON_E7_MAX;
    if (lon < -LON_E7_MAX) lon += 2ll * LON_E7_MAX;
    return (struct point){(int32_t)lat, (int32_t)lon};
}

static void fill(struct prng *p, struct point centre, int32_t spread_e7, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t classes = (uint32_t)prng_below(p, 4) << 30;
        points[i] = (struct grid_point){somewhere(p, centre, spread_e7), i | classes};
        if (i && prng_chance(p, 30000)) points[i].at = points[i - 1].at; /* two on one spot */
    }
    grid_build(&grid, &scratch, points, count);
}

static int by_square(const void *a, const void *b)
{
    const struct grid_found *x = a, *y = b;
    if (x->square != y->square) return x->square < y->square ? -1 : 1;
    return x->tag < y->tag ? -1 : x->tag > y->tag;
}

static void near_is_right(const struct grid_near *near, uint32_t count)
{
    static struct grid_found all[POINTS];
    struct grid_found found[GRID_NEAR_MAX];
    uint32_t n = 0, got = grid_find_near(&grid, near, found);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t square = grid_square(near->at, points[i].at);
        bool wanted = (points[i].tag & near->want) == near->want;
        if (wanted && square <= grid_square_of_m(near->radius_m)) all[n++] = (struct grid_found){square, points[i].tag};
    }
    qsort(all, n, sizeof *all, by_square);
    if (n > near->limit) n = near->limit;
    assert_int_equal(got, n);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(found[i].tag, all[i].tag);
        assert_int_equal(found[i].square, all[i].square);
    }
}

struct seen { uint8_t times[POINTS]; };

static void see(void *ctx, uint32_t tag)
{
    ((struct seen *)ctx)->times[tag & 0x3fffffff]++;
}

static void box_is_right(const struct box *box, uint32_t want, uint32_t count)
{
    static struct seen seen;
    memset(&seen, 0, sizeof seen);
    grid_each_in(&grid, box, want, see, &seen);
    for (uint32_t i = 0; i < count; i++) {
        bool in = box_has(box, points[i].at) && (points[i].tag & want) == want;
        assert_int_equal(seen.times[points[i].tag & 0x3fffffff], in);
    }
}

static const struct point places[] = {
    {577089000, 119746000},             /* Gothenburg */
    {-349011000, -561645000},           /* Montevideo */
    {-180000000, LON_E7_MAX - 1000},    /* Fiji, across the 180th meridian */
    {0, -LON_E7_MAX},
    {LAT_E7_MAX - 20000, 100000000},    /* the poles */
    {-LAT_E7_MAX, 0},
    {LAT_E7_MAX, LON_E7_MAX},
};
#define PLACES (sizeof places / sizeof *places)

static void test_near_finds_what_looking_at_every_point_finds(void **state)
{
    (void)state;
    struct prng p = prng_of(11, bytes_text("near"));
    for (unsigned place = 0; place < PLACES; place++) {
        for (unsigned round = 0; round < 30; round++) {
            int32_t spread_e7 = (int32_t)prng_between(&p, 1000, round % 3 ? 400000 : 40000000);
            uint32_t count = (uint32_t)prng_between(&p, 0, POINTS);
            fill(&p, places[place], spread_e7, count);
            for (unsigned asks = 0; asks < 20; asks++) {
                /* One after the other: compilers differ about the order inside a list. */
                struct point at = somewhere(&p, places[place], spread_e7 * 2);
                uint32_t radius_m = (uint32_t)prng_below(&p, 3000);
                uint32_t limit = (uint32_t)prng_between(&p, 1, GRID_NEAR_MAX);
                uint32_t quarter = (uint32_t)prng_below(&p, 4) << 30;
                struct grid_near near = {at, radius_m, limit, quarter};
                if (asks == 0) near.radius_m = GRID_RADIUS_M_MAX;
                near_is_right(&near, count);
            }
        }
    }
}

static void test_boxes_hold_what_looking_at_every_point_finds(void **state)
{
    (void)state;
    struct prng p = prng_of(12, bytes_text("box"));
    for (unsigned place = 0; place < PLACES; place++) {
        for (unsigned round = 0; round < 30; round++) {
            int32_t spread_e7 = (int32_t)prng_between(&p, 1000, round % 3 ? 400000 : 40000000);
            uint32_t count = (uint32_t)prng_between(&p, 0, POINTS);
            fill(&p, places[place], spread_e7, count);
            for (unsigned asks = 0; asks < 20; asks++) {
                struct point a = somewhere(&p, places[place], spread_e7 * 2), b = somewhere(&p, places[place], spread_e7 * 2);
                struct box box = {a.lat_e7, a.lon_e7, b.lat_e7, b.lon_e7}; /* upside down holds nothing; west of east wraps */
                box_is_right(&box, (uint32_t)prng_below(&p, 4) << 30, count);
            }
        }
    }
}

static void test_the_whole_earth_is_a_box(void **state)
{
    (void)state;
    struct prng p = prng_of(13, bytes_text("earth"));
    for (uint32_t i = 0; i < POINTS; i++) {
        points[i] = (struct grid_point){{(int32_t)prng_between(&p, -LAT_E7_MAX, LAT_E7_MAX),
                                         (int32_t)prng_between(&p, -LON_E7_MAX, LON_E7_MAX)}, i};
    }
    points[0].at = (struct point){LAT_E7_MAX, LON_E7_MAX};
    points[1].at = (struct point){-LAT_E7_MAX, -LON_E7_MAX};
    grid_build(&grid, &scratch, points, POINTS);
    box_is_right(&(struct box){-LAT_E7_MAX, -LON_E7_MAX, LAT_E7_MAX, LON_E7_MAX}, 0, POINTS);
    for (unsigned asks = 0; asks < 200; asks++) {
        struct point at = points[prng_below(&p, POINTS)].at;
        near_is_right(&(struct grid_near){at, GRID_RADIUS_M_MAX, 20, 0}, POINTS);
    }
}

static void test_an_empty_grid_finds_nothing(void **state)
{
    (void)state;
    struct grid_found found[1];
    grid_build(&grid, &scratch, points, 0);
    assert_int_equal(grid_find_near(&grid, &(struct grid_near){{0, 0}, 500, 1, 0}, found), 0);
    box_is_right(&(struct box){-LAT_E7_MAX, -LON_E7_MAX, LAT_E7_MAX, LON_E7_MAX}, 0, 0);
}

static void test_distances_agree_with_those_between_points(void **state)
{
    (void)state;
    struct prng p = prng_of(14, bytes_text("distance"));
    for (unsigned i = 0; i < 20000; i++) {
        struct point a = somewhere(&p, places[0], 400000), b = somewhere(&p, a, 400000);
        int64_t cm = grid_cm_of_square(grid_square(a, b)), exact_cm = point_distance_cm(a, b);
        assert_true(cm - exact_cm <= exact_cm / 1000 + 3 && exact_cm - cm <= exact_cm / 1000 + 3);
    }
}

static void test_a_crowd_on_one_spot_is_found(void **state)
{
    (void)state;
    struct grid_found found[GRID_NEAR_MAX];
    for (uint32_t i = 0; i < POINTS; i++) points[i] = (struct grid_point){places[0], i};
    grid_build(&grid, &scratch, points, POINTS);
    assert_int_equal(grid_find_near(&grid, &(struct grid_near){places[0], 500, GRID_NEAR_MAX, 0}, found), GRID_NEAR_MAX);
    for (uint32_t i = 0; i < GRID_NEAR_MAX; i++) assert_int_equal(found[i].tag, i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_near_finds_what_looking_at_every_point_finds),
        cmocka_unit_test(test_boxes_hold_what_looking_at_every_point_finds),
        cmocka_unit_test(test_the_whole_earth_is_a_box),
        cmocka_unit_test(test_an_empty_grid_finds_nothing),
        cmocka_unit_test(test_distances_agree_with_those_between_points),
        cmocka_unit_test(test_a_crowd_on_one_spot_is_found),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
