/* SPDX-License-Identifier: Apache-2.0 */
/* Streets from files made here, byte by byte, and hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "base/prng.h"
#include "sim/streets.h"

enum { SIDE = 6, NODES = SIDE * SIDE, FILE_MAX = 8192, FAR = 1 << 30 };
#define CENTRE ((struct point){577089000, 119746000})

enum ways { BOTH_WAYS, SOME_ONE_WAY };
struct edge { uint32_t from, to; };

struct town {
    char path[64];
    struct point at[NODES];
    struct edge edges[4 * NODES];
    uint32_t edge_count;
    uint8_t file[FILE_MAX];
    struct buf b;
};

static void put_u32(struct buf *b, uint32_t v)
{
    uint8_t bytes[4];
    store_u32(bytes, v);
    buf_put(b, bytes, 4);
}

static void seal(struct town *t)
{
    t->b.len -= 4;
    put_u32(&t->b, crc32c(0, buf_bytes(&t->b)));
}

static void save(struct town *t, size_t len)
{
    FILE *f = fopen(t->path, "we");
    assert_non_null(f);
    assert_int_equal(fwrite(t->file, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static void write_file(struct town *t)
{
    t->b = buf_on(t->file, sizeof t->file);
    buf_put_text(&t->b, "PDKST01\n");
    put_u32(&t->b, NODES);
    put_u32(&t->b, t->edge_count);
    for (int i = 0; i < NODES; i++) {
        put_u32(&t->b, (uint32_t)t->at[i].lat_e7);
        put_u32(&t->b, (uint32_t)t->at[i].lon_e7);
    }
    uint32_t first = 0;
    for (uint32_t n = 0; n <= NODES; n++) {
        put_u32(&t->b, first);
        for (uint32_t i = 0; i < t->edge_count; i++) first += t->edges[i].from == n;
    }
    for (uint32_t n = 0; n < NODES; n++) {
        for (uint32_t i = 0; i < t->edge_count; i++) {
            if (t->edges[i].from == n) put_u32(&t->b, t->edges[i].to);
        }
    }
    put_u32(&t->b, 0);
    seal(t);
    assert_false(t->b.full);
    save(t, t->b.len);
}

static void add(struct town *t, uint32_t from, uint32_t to)
{
    t->edges[t->edge_count++] = (struct edge){from, to};
}

/* Crooked blocks of about a hundred metres. One-way streets may lead to where nothing leads away from. */
static void town_open(struct town *t, uint64_t seed, enum ways ways)
{
    struct prng p = prng_of(seed, bytes_text("town"));
    *t = (struct town){.path = "/tmp/paddock-streets-XXXXXX"};
    int fd = mkstemp(t->path);
    assert_true(fd >= 0);
    close(fd);
    for (int i = 0; i < NODES; i++) {
        t->at[i].lat_e7 =
            CENTRE.lat_e7 + (i / SIDE - SIDE / 2) * 9000 + (int32_t)prng_between(&p, -3000, 3000);
        t->at[i].lon_e7 =
            CENTRE.lon_e7 + (i % SIDE - SIDE / 2) * 17000 + (int32_t)prng_between(&p, -5000, 5000);
    }
    for (uint32_t i = 0; i < NODES; i++) {
        bool alone = ways == SOME_ONE_WAY && i % 3 == 0;
        if (i % SIDE + 1 < SIDE) {
            add(t, i, i + 1);
            if (!alone) add(t, i + 1, i);
        }
        if (i + SIDE < NODES) {
            add(t, i + SIDE, i);
            if (!alone) add(t, i, i + SIDE);
        }
    }
    write_file(t);
}

static void town_close(struct town *t) { unlink(t->path); }

static struct err streets_of(const struct town *t, struct streets **out)
{
    struct streets_config config = {.path = t->path, .centre = CENTRE, .reach_m = 2000, .vehicle_max = 3};
    *out = NULL;
    return streets_create(&config, out);
}

static int64_t length_cm(const struct streets *s, const uint32_t *nodes, uint32_t count)
{
    int64_t cm = 0;
    for (uint32_t i = 1; i < count; i++)
        cm += point_distance_cm(streets_at(s, nodes[i - 1]), streets_at(s, nodes[i]));
    return cm;
}

static bool is_edge(const struct town *t, uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < t->edge_count; i++) {
        if (t->edges[i].from == from && t->edges[i].to == to) return true;
    }
    return false;
}

/* All pairs, by the book. */
static void all_ways(const struct town *t, int64_t way[NODES][NODES])
{
    for (int i = 0; i < NODES * NODES; i++) way[i / NODES][i % NODES] = i / NODES == i % NODES ? 0 : FAR;
    for (uint32_t i = 0; i < t->edge_count; i++) {
        struct edge e = t->edges[i];
        way[e.from][e.to] = point_distance_cm(t->at[e.from], t->at[e.to]);
    }
    for (int k = 0; k < NODES; k++) {
        for (int i = 0; i < NODES * NODES; i++) {
            int64_t through = way[i / NODES][k] + way[k][i % NODES];
            if (through < way[i / NODES][i % NODES]) way[i / NODES][i % NODES] = through;
        }
    }
}

static void test_every_way_is_the_shortest_and_goes_along_streets(void **state)
{
    (void)state;
    static int64_t way[NODES][NODES];
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct town t;
        struct streets *s;
        uint32_t nodes[NODES];
        town_open(&t, seed, SOME_ONE_WAY);
        assert_int_equal(streets_of(&t, &s).code, ERR_OK);
        all_ways(&t, way);
        for (uint32_t pair = 0; pair < NODES * NODES; pair++) {
            uint32_t from = pair / NODES, to = pair % NODES;
            uint32_t count = streets_route(s, from, to, nodes, NODES);
            if (way[from][to] >= FAR) {
                assert_int_equal(count, 0);
                continue;
            }
            assert_true(count >= 1 && nodes[0] == from && nodes[count - 1] == to);
            for (uint32_t i = 1; i < count; i++) assert_true(is_edge(&t, nodes[i - 1], nodes[i]));
            /* Lengths are cut to whole centimetres, so a way may be that much off a stretch. */
            assert_in_range(length_cm(s, nodes, count) - way[from][to] + 100, 100, 100 + 2 * count);
        }
        streets_destroy(s);
        town_close(&t);
    }
}

static void test_a_way_that_does_not_fit_is_none(void **state)
{
    (void)state;
    struct town t;
    struct streets *s;
    uint32_t nodes[NODES];
    town_open(&t, 1, BOTH_WAYS);
    assert_int_equal(streets_of(&t, &s).code, ERR_OK);
    uint32_t count = streets_route(s, 1, NODES - 2, nodes, NODES);
    assert_true(count > 3);
    assert_int_equal(streets_route(s, 1, NODES - 2, nodes, count - 1), 0);
    assert_int_equal(streets_route(s, 1, NODES - 2, nodes, count), count);
    assert_int_equal(streets_route(s, 7, 7, nodes, 1), 1);
    streets_destroy(s);
    town_close(&t);
}

static void test_the_nearest_place_is_the_nearest(void **state)
{
    (void)state;
    struct town t;
    struct streets *s;
    struct prng p = prng_of(9, bytes_text("nearest"));
    town_open(&t, 8, BOTH_WAYS);
    assert_int_equal(streets_of(&t, &s).code, ERR_OK);
    assert_int_equal(streets_count(s), NODES);
    for (int i = 0; i < 500; i++) {
        struct point at = {CENTRE.lat_e7 + (int32_t)prng_between(&p, -40000, 40000),
                           CENTRE.lon_e7 + (int32_t)prng_between(&p, -80000, 80000)};
        int64_t found_cm = point_distance_cm(streets_at(s, streets_nearest(s, at)), at);
        for (uint32_t n = 0; n < NODES; n++) assert_true(found_cm <= point_distance_cm(t.at[n], at) + 2);
    }
    (void)streets_nearest(s,
                          (struct point){-900000000, -1800000000}); /* too far to be told, and no overflow */
    streets_destroy(s);
    town_close(&t);
}

static void test_any_damage_is_noticed(void **state)
{
    (void)state;
    struct town t;
    struct streets *s;
    town_open(&t, 2, SOME_ONE_WAY);
    for (size_t i = 0; i < t.b.len; i += 7) {
        t.file[i] ^= 0x10;
        save(&t, t.b.len);
        assert_int_not_equal(streets_of(&t, &s).code, ERR_OK);
        t.file[i] ^= 0x10;
    }
    for (size_t len = 0; len < t.b.len; len += 13) {
        save(&t, len);
        assert_int_not_equal(streets_of(&t, &s).code, ERR_OK);
    }
    save(&t, t.b.len);
    assert_int_equal(streets_of(&t, &s).code, ERR_OK);
    streets_destroy(s);
    town_close(&t);
    assert_int_equal(streets_of(&t, &s).code, ERR_IO);
}

/* With a right checksum: somebody made it so. */
static void test_lies_under_a_right_checksum_are_refused(void **state)
{
    (void)state;
    enum { AT = 16, FIRST = AT + NODES * 8, TARGET = FIRST + (NODES + 1) * 4 };
    static const struct { size_t at; uint32_t value;
    } lies[] = {
        {8, 0},
        {8, NODES + 1},
        {8, UINT32_MAX},
        {12, 0},
        {12, UINT32_MAX},
        {AT, 900000001},
        {AT + 4, 1800000001},
        {AT, 0},
        {FIRST, 1},
        {FIRST + 4, UINT32_MAX},
        {FIRST + NODES * 4, 3},
        {TARGET, NODES},
        {TARGET, UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct town t;
        struct streets *s;
        town_open(&t, 3, BOTH_WAYS);
        store_u32(t.file + lies[i].at, lies[i].value);
        seal(&t);
        save(&t, t.b.len);
        struct err e = streets_of(&t, &s);
        assert_int_equal(e.code, ERR_MALFORMED);
        town_close(&t);
    }
}

static void test_draws_are_in_reach_and_favour_the_middle(void **state)
{
    (void)state;
    struct town t;
    struct streets *s;
    int near = 0, far = 0;
    town_open(&t, 4, BOTH_WAYS);
    struct streets_config config = {.path = t.path, .centre = CENTRE, .reach_m = 300, .vehicle_max = 3};
    assert_int_equal(streets_create(&config, &s).code, ERR_OK);
    for (uint64_t draw = 0; draw < 2000; draw++) {
        struct point at = streets_at(s, streets_draw(s, draw));
        int64_t cm = point_distance_cm(at, CENTRE);
        assert_in_range(cm, 0, 30000);
        *(cm < 15000 ? &near : &far) += 1;
        assert_int_equal(streets_draw(s, draw), streets_draw(s, draw));
    }
    int near_places = 0, places = 0;
    for (uint32_t i = 0; i < NODES; i++) {
        int64_t cm = point_distance_cm(t.at[i], CENTRE);
        places += cm <= 30000;
        near_places += cm < 15000;
    }
    assert_true(near_places > 0 && far > 100);
    assert_true(near * places * 10 > 2000 * near_places * 13); /* a third more than their share, at least */
    streets_destroy(s);
    config.centre = (struct point){0, 0};
    assert_int_equal(streets_create(&config, &s).code, ERR_INVALID);
    town_close(&t);
}

/* How far from the nearest stretch. */
static int64_t off_street_cm(const struct town *t, struct point at)
{
    int64_t best = INT64_MAX;
    for (uint32_t i = 0; i < t->edge_count; i++) {
        struct point a = t->at[t->edges[i].from], b = t->at[t->edges[i].to];
        int64_t whole = point_distance_cm(a, b),
                detour = point_distance_cm(a, at) + point_distance_cm(at, b) - whole;
        if (detour < best) best = detour;
    }
    return best;
}

static void test_a_vehicle_keeps_to_the_streets_at_its_speed(void **state)
{
    (void)state;
    enum { STEP_MS = 1000, STEPS = 3600 };
    struct town t;
    struct streets *s;
    town_open(&t, 5, BOTH_WAYS);
    assert_int_equal(streets_of(&t, &s).code, ERR_OK);
    struct sim_path_fn path = streets_path(s);
    for (uint64_t draw = 10; draw < 13; draw++) {
        struct point from = t.at[8];
        struct sim_path_place before = path.at(path.ctx, 1, from, draw, 0);
        assert_int_equal(point_distance_cm(before.at, from), 0);
        for (int i = 1; i <= STEPS; i++) {
            struct sim_path_place now = path.at(path.ctx, 1, from, draw, (int64_t)i * STEP_MS);
            assert_in_range(now.speed_dmh, 130, 189);
            assert_in_range(off_street_cm(&t, now.at) + 10, 0, 20);
            /* Round a corner the straight line is shorter. */
            assert_in_range(point_distance_cm(before.at, now.at), 0, now.speed_dmh * 1000 / 360 + 3);
            before = now;
        }
        assert_in_range(before.ridden_m, 12900, 18900);
    }
    streets_destroy(s);
    town_close(&t);
}

static void test_a_place_depends_on_nothing_but_what_is_asked(void **state)
{
    (void)state;
    enum { MOMENTS = 40 };
    struct town t;
    struct streets *a, *b;
    town_open(&t, 6, BOTH_WAYS);
    assert_int_equal(streets_of(&t, &a).code, ERR_OK);
    assert_int_equal(streets_of(&t, &b).code, ERR_OK);
    struct sim_path_fn pa = streets_path(a), pb = streets_path(b);
    for (int i = 0; i < MOMENTS; i++) {
        /* One asks forward, the other backward and about other vehicles and legs between. */
        struct sim_path_place x = pa.at(pa.ctx, 0, t.at[3], 77, (MOMENTS - 1 - i) * 20000);
        (void)pb.at(pb.ctx, 2, t.at[i % NODES], (uint64_t)i, i * 7000);
        (void)pb.at(pb.ctx, 0, t.at[9], 78, i * 7000);
        struct sim_path_place y = pb.at(pb.ctx, 0, t.at[3], 77, (MOMENTS - 1 - i) * 20000);
        assert_memory_equal(&x.at, &y.at, sizeof x.at);
        assert_int_equal(x.ridden_m, y.ridden_m);
    }
    streets_destroy(a);
    streets_destroy(b);
    town_close(&t);
}

static void test_a_leg_ends_somewhere(void **state)
{
    (void)state;
    struct town t;
    struct streets *s;
    town_open(&t, 7, BOTH_WAYS);
    assert_int_equal(streets_of(&t, &s).code, ERR_OK);
    struct sim_path_fn path = streets_path(s);
    struct sim_path_place day = path.at(path.ctx, 0, t.at[8], 1, 1000ll * 86400 * 1000);
    assert_int_equal(day.speed_dmh, 0);
    assert_true(day.ridden_m > 100000 && day.ridden_m < 100000000);
    struct sim_path_place before = path.at(path.ctx, 0, t.at[8], 1, -5000);
    assert_int_equal(point_distance_cm(before.at, t.at[8]), 0);
    streets_destroy(s);
    town_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_way_is_the_shortest_and_goes_along_streets),
        cmocka_unit_test(test_a_way_that_does_not_fit_is_none),
        cmocka_unit_test(test_the_nearest_place_is_the_nearest),
        cmocka_unit_test(test_any_damage_is_noticed),
        cmocka_unit_test(test_lies_under_a_right_checksum_are_refused),
        cmocka_unit_test(test_draws_are_in_reach_and_favour_the_middle),
        cmocka_unit_test(test_a_vehicle_keeps_to_the_streets_at_its_speed),
        cmocka_unit_test(test_a_place_depends_on_nothing_but_what_is_asked),
        cmocka_unit_test(test_a_leg_ends_somewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
