/* SPDX-License-Identifier: Apache-2.0 */
/* What a ride costs and what is written into the books. */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "engine/state.h"
#include "engine/testing/told.h"

#define TEST(name) static void name(void **state)
#define TOWN struct town *t = *state

static int set_up(void **state)
{
    *state = town_create();
    return 0;
}

static int tear_down(void **state)
{
    town_destroy(*state);
    return 0;
}

/* Rides the scooter for so long; the fact that closes the lock is the last. */
static const struct ride *ride_for(struct town *t, int64_t time_ms)
{
    const struct ride *r = town_ride(t);
    t->now_ms += time_ms;
    town_speed(t, &town_scooter, 0, false);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
    t->now_ms += 4000; /* the lock's own time is not paid for */
    town_result(t, &town_scooter, COMMAND_OP_LOCK, 0);
    return r;
}

/* The n-th booking, or NULL. */
static const struct posting *posting(const struct town *t, unsigned n)
{
    for (unsigned i = 0; i < t->row_count; i++) {
        if (t->rows[i].kind == ROW_POSTING && n-- == 0) return (const void *)t->rows[i].row;
    }
    return NULL;
}

TEST(a_minute_is_paid_from_its_first_millisecond)
{
    (void)state;
    static const struct { int64_t ms; uint32_t minutes; } rows[] = {
        {-7200000, 0}, {-1, 0}, {0, 0}, {1, 1}, {59999, 1}, {60000, 1}, {60001, 2}, {120000, 2}, {120001, 3},
        {12 * 3600000, 720},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(charge_minutes(TOWN_START_MS, TOWN_START_MS + rows[i].ms), rows[i].minutes);
    }
}

TEST(a_charge_is_booked_on_the_rider_and_against_the_entity_s_revenue)
{
    TOWN;
    const struct ride *r = ride_for(t, 61000);
    const struct posting *owed = posting(t, 0), *earned = posting(t, 1);
    assert_null(posting(t, 2));
    assert_int_equal(r->charge_minor, 1000 + 2 * 250);
    assert_int_equal(owed->amount_minor, 1500);
    assert_int_equal(earned->amount_minor, -1500);
    assert_int_equal(owed->rider_id, engine_rider(t->engine, town_rider)->id);
    assert_int_equal(earned->rider_id, 0);
    const struct city *city = engine_row(t->engine, ROW_CITY, r->city_id);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(posting(t, i)->ride_id, r->id);
        assert_int_equal(posting(t, i)->entity_id, city->entity_id);
        assert_int_equal(posting(t, i)->city_id, city->id);
        assert_int_equal(posting(t, i)->at_ms, t->now_ms);
        assert_true(text_is(&posting(t, i)->currency, "SEK"));
    }
    assert_int_equal(town_event(t, EVENT_RIDE_CHARGED)->number, 1500);
    assert_int_equal(town_event(t, EVENT_RIDE_CHARGED)->ride_id, r->id);
}

TEST(a_rider_s_account_counts_rides_and_adds_up)
{
    TOWN;
    const struct rider *rider = engine_rider(t->engine, town_rider);
    (void)ride_for(t, 61000);
    assert_int_equal(rider->rides, 1);
    assert_int_equal(rider->owed_minor, 1500);
    (void)ride_for(t, 130000);
    assert_int_equal(rider->rides, 2);
    assert_int_equal(rider->owed_minor, 1500 + 1750);
}

TEST(a_free_ride_is_a_ride_without_bookings)
{
    TOWN;
    struct fact f = {.kind = FACT_PLAN_SET, .plan_set = {.unlock_minor = 0, .minute_minor = 0}};
    text_clip(&f.plan_set.code, bytes_text("standard"));
    text_clip(&f.plan_set.city, bytes_text("gothenburg"));
    town_apply(t, &f);
    const struct ride *r = ride_for(t, 61000);
    assert_int_equal(r->state, RIDE_SETTLED);
    assert_int_equal(r->minutes, 2);
    assert_null(posting(t, 0));
    assert_int_equal(engine_rider(t->engine, town_rider)->rides, 1);
    assert_int_equal(engine_rider(t->engine, town_rider)->owed_minor, 0);
}

TEST(the_price_is_that_of_the_start)
{
    TOWN;
    const struct ride *r = town_ride(t);
    struct fact f = {.kind = FACT_PLAN_SET, .plan_set = {.unlock_minor = 9000, .minute_minor = 900}};
    text_clip(&f.plan_set.code, bytes_text("standard"));
    text_clip(&f.plan_set.city, bytes_text("gothenburg"));
    town_apply(t, &f);
    t->now_ms += 61000;
    town_speed(t, &town_scooter, 0, false);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
    town_result(t, &town_scooter, COMMAND_OP_LOCK, 0);
    assert_int_equal(r->charge_minor, 1500);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minute_is_paid_from_its_first_millisecond),
        CASE(a_charge_is_booked_on_the_rider_and_against_the_entity_s_revenue),
        CASE(a_rider_s_account_counts_rides_and_adds_up),
        CASE(a_free_ride_is_a_ride_without_bookings),
        CASE(the_price_is_that_of_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
