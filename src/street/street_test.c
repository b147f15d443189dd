/* SPDX-License-Identifier: Apache-2.0 */
/* The street against the engine that it is a view of: after each step of a town's life the two must agree. */
#include "street/street.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/must.h"
#include "base/prng.h"
#include "engine/testing/town.h"
#include "street/testing/agree.h"

static struct town *town;
static struct street *street;

static void to_street(void *ctx, enum row_kind kind, const void *row, bool gone)
{
    (void)ctx;
    street_put(street, town->seq, kind, row, gone);
}

static struct street *make_street(uint32_t vehicles_max)
{
    struct street *s;
    struct err e = street_create(&(struct street_options){.vehicles_max = vehicles_max, .rides_max = 64, .key = {1, 2}}, &s);
    assert_int_equal(e.code, 0);
    return s;
}

static int set_up(void **state)
{
    (void)state;
    town = town_create();
    street = make_street(64);
    street_seed(street, town->engine);
    town->watch = to_street;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    street_destroy(street);
    town_destroy(town);
    return 0;
}

/* Everything is durable now: what is shown is what is. */
static const struct snapshot *settle(void)
{
    char why[STREET_WHY_MAX];
    assert_true(street_show(street, town->seq, town->now_ms));
    const struct snapshot *s = street_hold(street, STREET_READER_TEST);
    if (!street_agrees(s, town->engine, why)) fail_msg("seq %llu: %s", (unsigned long long)s->seq, why);
    street_let_go(street, STREET_READER_TEST);
    assert_int_equal(s->seq, town->seq);
    return s;
}

static void place(const struct text64 *ident, uint64_t session, int32_t lat_e7, int32_t lon_e7)
{
    town->now_ms += 10000;
    town_report(town, ident, session, (struct fact_report){.has = HAS_POSITION | HAS_FIX_TIME, .lat_e7 = lat_e7,
                                                           .lon_e7 = lon_e7, .fix_ms = town->now_ms, .sats = 9});
}

static uint32_t near_count(const struct snapshot *s, uint32_t radius_m)
{
    struct grid_found found[GRID_NEAR_MAX];
    return snapshot_find_near(s, &(struct snapshot_near){{577089000, 119746000}, radius_m, 20, town->now_ms}, found);
}

static void test_a_town_that_was_there_before_is_seen(void **state)
{
    (void)state;
    const struct snapshot *s = settle();
    assert_int_equal(s->vehicle_count, engine_row_count(town->engine, ROW_VEHICLE));
    assert_int_equal(s->city_count, 1);
    assert_true(text_is(&s->prices[s->vehicles[0].price].currency, "SEK"));
    assert_null(snapshot_by_code(s, bytes_text("NOBODY")));
    assert_int_equal(snapshot_city(s, bytes_text("gothenburg")), 0);
    assert_int_equal(snapshot_city(s, bytes_text("oslo")), STREET_NONE);
}

static void test_a_vehicle_is_near_until_it_is_taken_and_again_after(void **state)
{
    (void)state;
    place(&town_scooter, 1, 577089000, 119747000);
    place(&town_lock, 2, 577089000, 119760000); /* 82 m on */
    const struct snapshot *s = settle();
    assert_int_equal(near_count(s, 500), 2);
    assert_int_equal(near_count(s, 50), 1);
    const struct ride *ride = town_ride(town);
    struct uuid uuid = ride->uuid;
    s = settle();
    assert_int_equal(near_count(s, 500), 1);
    assert_int_equal(s->counts[0].rides[RIDE_RIDING], 1);
    town->now_ms += 61000;
    town_speed(town, &town_scooter, 0, false);
    assert_int_equal(town_end(town, town_rider, uuid), ERR_OK);
    settle();
    town_key(town, &town_scooter, COMMAND_OP_LOCK, 7);
    town_result(town, &town_scooter, COMMAND_OP_LOCK, 0);
    s = settle();
    assert_int_equal(near_count(s, 500), 2);
    assert_int_equal(s->counts[0].rides[RIDE_RIDING], 0);
    assert_int_equal(s->counts[0].day_rides, 1);
    assert_int_equal(s->counts[0].day_minor, 1000 + 2 * 250);
    assert_int_equal(s->counts[0].day_minutes, 2);
}

static void test_silence_takes_a_vehicle_away_at_once_and_the_engine_says_so_later(void **state)
{
    (void)state;
    place(&town_scooter, 1, 577089000, 119747000);
    const struct snapshot *s = settle();
    int64_t heard_ms = town->now_ms;
    struct grid_found found[1];
    struct snapshot_near near = {{577089000, 119746000}, 500, 1, heard_ms + 600000};
    assert_int_equal(snapshot_find_near(s, &near, found), 1);
    near.now_ms++;
    assert_int_equal(snapshot_find_near(s, &near, found), 0); /* this very snapshot, a moment later */
    town_tick(town, 700000);
    s = settle();
    assert_int_equal(s->counts[0].vehicles[VEHICLE_NON_CONTACTABLE], engine_row_count(town->engine, ROW_VEHICLE));
    assert_int_equal(near_count(s, 500), 0);
}

static void test_nothing_is_shown_before_it_is_durable(void **state)
{
    (void)state;
    place(&town_scooter, 1, 577089000, 119747000);
    settle();
    uint64_t durable = town->seq;
    assert_int_equal(town_mark(town, "S1", VEHICLE_EVENT_MAINTENANCE, 0), ERR_OK);
    assert_true(street_show(street, durable, town->now_ms));
    const struct snapshot *s = street_hold(street, STREET_READER_TEST);
    assert_int_equal(s->seq, durable);
    assert_int_equal(near_count(s, 500), 1);
    street_let_go(street, STREET_READER_TEST);
    assert_true(street_waiting(street) > 0);
    assert_int_equal(near_count(settle(), 500), 0);
    assert_int_equal(street_waiting(street), 0);
}

static void test_a_snapshot_that_is_held_stays_as_it_is(void **state)
{
    (void)state;
    place(&town_scooter, 1, 577089000, 119747000);
    settle();
    const struct snapshot *held = street_hold(street, STREET_READER_TEST);
    uint64_t seq = held->seq;
    place(&town_scooter, 1, 577189000, 119747000);
    assert_true(street_show(street, town->seq, town->now_ms));  /* the other one */
    assert_false(street_show(street, town->seq, town->now_ms)); /* one is shown, one held: not now */
    assert_int_equal(held->seq, seq);
    assert_int_equal(near_count(held, 100), 1);
    street_let_go(street, STREET_READER_TEST);
    assert_int_equal(near_count(settle(), 100), 0);
    assert_int_equal(atomic_load(&street_counters(street)->held_back), 1);
}

static void test_settings_reach_every_vehicle(void **state)
{
    (void)state;
    place(&town_scooter, 1, 577089000, 119747000);
    settle();
    struct fact f = {.kind = FACT_PLAN_SET};
    text_clip(&f.plan_set.code, bytes_text("dear"));
    text_clip(&f.plan_set.city, bytes_text("gothenburg"));
    text_clip(&f.plan_set.vehicle_type, bytes_text("scooter"));
    f.plan_set.unlock_minor = 4200;
    town_apply(town, &f);
    const struct snapshot *s = settle();
    const struct street_vehicle *v = snapshot_by_code(s, bytes_text("S1"));
    assert_int_equal(s->prices[v->price].unlock_minor, 4200);
    f = (struct fact){.kind = FACT_VEHICLE_TYPE_SET};
    text_clip(&f.vehicle_type_set.code, bytes_text("scooter"));
    f.vehicle_type_set.battery_min_pct = 90; /* both have 80 */
    f.vehicle_type_set.motor = true;
    f.vehicle_type_set.heartbeat_ms = 240000;
    town_apply(town, &f);
    s = settle();
    assert_int_equal(s->counts[0].battery_low, 2);
    assert_int_equal(near_count(s, 500), 0);
}

static void test_rows_beyond_a_limit_are_left_out_and_counted(void **state)
{
    (void)state;
    struct street *small = make_street(1);
    street_seed(small, town->engine);
    assert_true(street_show(small, town->seq, town->now_ms));
    const struct snapshot *s = street_hold(small, STREET_READER_TEST);
    assert_int_equal(s->vehicle_count, 1);
    street_let_go(small, STREET_READER_TEST);
    assert_true(atomic_load(&street_counters(small)->left_out) > 0);
    street_destroy(small);
}

static void test_the_day_begins_anew_at_midnight(void **state)
{
    (void)state;
    uint64_t city = engine_vehicle(town->engine, bytes_text("S1"))->city_id;
    int64_t noon_ms = town->now_ms - town->now_ms % STREET_DAY_MS + STREET_DAY_MS / 2;
    struct ride ride = {.id = 900, .city_id = city, .state = RIDE_SETTLED, .ended_ms = noon_ms, .charge_minor = 700,
                        .minutes = 3};
    street_seed_ride(street, &ride);
    ride.ended_ms -= STREET_DAY_MS; /* yesterday's comes behind it, newest first */
    street_seed_ride(street, &ride);
    ride.state = RIDE_FAILED;
    ride.ended_ms = noon_ms;
    street_seed_ride(street, &ride);
    const struct snapshot *s = settle();
    assert_int_equal(s->counts[0].day_rides, 1);
    assert_int_equal(s->counts[0].day_minor, 700);
    ride.state = RIDE_SETTLED;
    ride.ended_ms = noon_ms + STREET_DAY_MS;
    ride.charge_minor = 50;
    street_seed_ride(street, &ride);
    s = settle();
    assert_int_equal(s->counts[0].day_rides, 1);
    assert_int_equal(s->counts[0].day_minor, 50);
    assert_int_equal(s->counts[0].day, noon_ms / STREET_DAY_MS + 1);
}

/* A long life at random, with snapshots now and then: also of what is only half durable. */
static void test_the_street_agrees_with_the_engine_all_along(void **state)
{
    (void)state;
    struct prng p = prng_of(21, bytes_text("street"));
    uint64_t durable = town->seq;
    for (unsigned i = 0; i < 3000; i++) {
        const struct text64 *ident = prng_chance(&p, 500000) ? &town_scooter : &town_lock;
        uint64_t session = ident == &town_scooter ? 1 : 2;
        const char *code = ident == &town_scooter ? "S1" : "B1";
        const struct vehicle *v = engine_vehicle(town->engine, bytes_text(code));
        const struct ride *r = v ? engine_row(town->engine, ROW_RIDE, v->ride_id) : NULL;
        town->now_ms += (int64_t)prng_below(&p, 20000);
        switch (prng_below(&p, 10)) {
        case 0: place(ident, session, 577089000 + (int32_t)prng_below(&p, 60000), 119746000); break;
        case 1: town_lock_seen(town, ident, prng_chance(&p, 800000)); break;
        case 2: town_speed(town, ident, (uint16_t)prng_below(&p, 60), r == NULL); break;
        case 3: (void)town_start(town, town_rider, code); break;
        case 4: if (r) (void)town_end(town, town_rider, r->uuid); break;
        case 5: town_tick(town, (int64_t)prng_below(&p, 400000)); break;
        case 6: (void)town_mark(town, code, (enum vehicle_event)prng_between(&p, 1, VEHICLE_EVENT_N - 1), 0); break;
        case 7:
            town_report(town, ident, session, (struct fact_report){.has = HAS_BATTERY | HAS_LOCKED, .locked = true,
                                                                   .battery_pct = (uint8_t)prng_below(&p, 100)});
            break;
        case 8: (void)town_order(town, code, prng_chance(&p, 500000) ? COMMAND_OP_LOCK : COMMAND_OP_UNLOCK); break;
        default: town_result(town, ident, prng_chance(&p, 500000) ? COMMAND_OP_UNLOCK : COMMAND_OP_LOCK, 0);
        }
        if (prng_chance(&p, 200000)) {
            assert_true(street_show(street, durable, town->now_ms));
            const struct snapshot *s = street_hold(street, STREET_READER_TEST);
            assert_int_equal(s->seq, durable);
            street_let_go(street, STREET_READER_TEST);
            durable = town->seq;
        }
        if (prng_chance(&p, 300000)) {
            settle();
            durable = town->seq;
        }
    }
    settle();
}

/* ---- with threads ---- */

static _Atomic uint64_t committed;
static _Atomic bool over;
static _Atomic uint64_t looks, wrong;

static void *view(void *arg)
{
    (void)arg;
    while (!atomic_load(&over)) {
        (void)street_turn(street, atomic_load_explicit(&committed, memory_order_acquire), town->now_ms);
        sched_yield();
    }
    return NULL;
}

/* The two vehicles are always moved together, so no whole snapshot has them apart. */
static void *look(void *arg)
{
    enum street_reader reader = (enum street_reader)(uintptr_t)arg;
    uint64_t seq = 0;
    while (!atomic_load(&over)) {
        const struct snapshot *s = street_hold(street, reader);
        if (s && s->vehicle_count >= 2) {
            const struct street_vehicle *a = snapshot_by_code(s, bytes_text("S1")), *b = snapshot_by_code(s, bytes_text("B1"));
            if (!a || !b || a->at.lat_e7 != b->at.lat_e7 || s->seq < seq) atomic_fetch_add(&wrong, 1);
            seq = s->seq;
            atomic_fetch_add(&looks, 1);
        }
        street_let_go(street, reader);
        sched_yield(); /* never asleep with a snapshot in hand: the view would wait */
    }
    return NULL;
}

static void test_readers_on_threads_see_whole_batches(void **state)
{
    (void)state;
    pthread_t threads[3];
    int64_t now_ms = town->now_ms;
    town->watch = NULL;
    const struct vehicle *vehicles[2] = {engine_vehicle(town->engine, bytes_text("S1")),
                                         engine_vehicle(town->engine, bytes_text("B1"))};
    struct device devices[2];
    for (unsigned i = 0; i < 2; i++) {
        devices[i] = *(const struct device *)engine_row(town->engine, ROW_DEVICE, vehicles[i]->device_id);
        devices[i].has_fix = true;
    }
    for (unsigned i = 0; i < 2; i++) street_put(street, 1, ROW_DEVICE, &devices[i], false);
    atomic_store(&committed, 1);
    pthread_create(&threads[0], NULL, view, NULL);
    pthread_create(&threads[1], NULL, look, (void *)(uintptr_t)STREET_READER_HTTP);
    pthread_create(&threads[2], NULL, look, (void *)(uintptr_t)STREET_READER_TEST);
    for (uint64_t seq = 2; seq < 30000 || atomic_load(&looks) < 1000; seq++) {
        while (!street_has_room(street)) sched_yield();
        for (unsigned i = 0; i < 2; i++) {
            devices[i].lat_e7 = (int32_t)(577089000 + seq % 1000);
            devices[i].seen_ms = now_ms;
            street_put(street, seq, ROW_DEVICE, &devices[i], false);
        }
        if (seq % 3 == 0) atomic_store_explicit(&committed, seq, memory_order_release);
    }
    atomic_store(&over, true);
    for (unsigned i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&wrong), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_town_that_was_there_before_is_seen),
        TEST(test_a_vehicle_is_near_until_it_is_taken_and_again_after),
        TEST(test_silence_takes_a_vehicle_away_at_once_and_the_engine_says_so_later),
        TEST(test_nothing_is_shown_before_it_is_durable),
        TEST(test_a_snapshot_that_is_held_stays_as_it_is),
        TEST(test_settings_reach_every_vehicle),
        TEST(test_rows_beyond_a_limit_are_left_out_and_counted),
        TEST(test_the_day_begins_anew_at_midnight),
        TEST(test_the_street_agrees_with_the_engine_all_along),
        TEST(test_readers_on_threads_see_whole_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
