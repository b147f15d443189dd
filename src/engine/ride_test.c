/* SPDX-License-Identifier: Apache-2.0 */
/* What a ride remembers, orders and refuses, and what a command says of itself: details that mutants changed unseen. */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "engine/testing/town.h"

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

static void place(struct town *t, int32_t lat_e7, int32_t lon_e7)
{
    struct fact_report report = {.has = HAS_POSITION | HAS_FIX_TIME, .lat_e7 = lat_e7, .lon_e7 = lon_e7, .fix_ms = t->now_ms};
    town_report(t, &town_scooter, 1, report);
}

static const struct command *command_of(const struct town *t, const char *code)
{
    return engine_row(t->engine, ROW_COMMAND, town_vehicle(t, code)->command_id);
}

TEST(a_ride_remembers_where_it_began_and_ended)
{
    TOWN;
    place(t, 577000001, 119700002);
    const struct ride *r = town_ride(t);
    assert_int_equal(r->start_lat_e7, 577000001);
    assert_int_equal(r->start_lon_e7, 119700002);
    t->now_ms += 120000;
    place(t, 577100003, 119800004);
    town_speed(t, &town_scooter, 0, false);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
    town_result(t, &town_scooter, COMMAND_OP_LOCK, 0);
    assert_int_equal(r->end_lat_e7, 577100003);
    assert_int_equal(r->end_lon_e7, 119800004);
}

TEST(a_ridden_vehicle_is_tracked_and_left_alone_afterwards)
{
    TOWN;
    const struct ride *r = town_ride(t);
    assert_non_null(town_sent(t, ORDER_TRACK));
    assert_int_equal(town_sent(t, ORDER_TRACK)->value, 10);
    struct fact f = {.kind = FACT_SESSION_CLOSED, .session_closed = {1, PROTOCOL_OMNI, town_scooter}};
    town_apply(t, &f);
    f = (struct fact){.kind = FACT_SESSION_OPENED, .session_opened = {5, PROTOCOL_OMNI, town_scooter,
                      CAP_LOCK | CAP_KEY_STEP | CAP_ASK_STATUS | CAP_SPEED}};
    town_apply(t, &f);
    assert_non_null(town_sent(t, ORDER_TRACK)); /* a restart forgets settings */
    town_speed(t, &town_scooter, 0, false);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
    town_result(t, &town_scooter, COMMAND_OP_LOCK, 0);
    assert_int_equal(town_sent(t, ORDER_TRACK)->value, 0);
    f.session_opened.session = 6;
    t->now_ms += 60000;
    town_apply(t, &f);
    assert_null(town_sent(t, ORDER_TRACK));
}

TEST(a_refused_end_leaves_the_longest_ride_time_as_it_was)
{
    TOWN;
    const struct ride *r = town_ride(t);
    int64_t longest_ms = r->started_ms + 2 * 3600000;
    assert_int_equal(r->deadline_ms, longest_ms);
    t->now_ms += 60000;
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    assert_true(r->end_asked_ms > 0);
    for (int i = 0; i < 6 && r->state == RIDE_ENDING; i++) {
        town_tick(t, 3000);
        town_speed(t, &town_scooter, 150, false);
    }
    assert_int_equal(r->state, RIDE_RIDING);
    assert_int_equal(r->deadline_ms, longest_ms);
    assert_int_equal(r->end_asked_ms, 0);
    assert_non_null(town_event(t, EVENT_RIDE_END_REFUSED));
    assert_true(text_is(&town_event(t, EVENT_RIDE_END_REFUSED)->code, "vehicle_moving"));
}

TEST(a_lock_that_refuses_twice_lets_the_rider_go)
{
    TOWN;
    const struct ride *r = town_ride(t);
    t->now_ms += 61000;
    town_speed(t, &town_scooter, 0, false);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(r->state, RIDE_ENDING);
        town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
        town_result(t, &town_scooter, COMMAND_OP_LOCK, 1);
    }
    assert_int_equal(r->state, RIDE_SETTLED);
    assert_int_equal(r->reason, RIDE_REASON_LOCK_UNCONFIRMED);
    assert_true(town_vehicle(t, "S1")->suspect);
}

TEST(a_lock_that_says_it_moves_is_not_tried_again)
{
    TOWN;
    const struct ride *r = town_ride(t);
    town_speed(t, &town_scooter, 0, false);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    uint64_t id = command_of(t, "S1")->id;
    town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
    assert_int_equal(command_of(t, "S1")->accepted_ms, t->now_ms);
    town_result(t, &town_scooter, COMMAND_OP_LOCK, 3);
    const struct command *c = engine_row(t->engine, ROW_COMMAND, id);
    assert_int_equal(c->result, COMMAND_RESULT_MOVING);
    assert_int_equal(c->result_code, 3);
    assert_int_equal(r->state, RIDE_RIDING);
    assert_int_equal(r->refusal, ERR_VEHICLE_MOVING);
}

TEST(staff_end_a_ride_under_their_own_name)
{
    TOWN;
    const struct ride *r = town_ride(t);
    t->now_ms += 61000;
    town_speed(t, &town_scooter, 0, false);
    assert_int_equal(town_end(t, town_staff, r->uuid), ERR_OK);
    town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
    town_result(t, &town_scooter, COMMAND_OP_LOCK, 0);
    assert_int_equal(r->state, RIDE_SETTLED);
    assert_int_equal(r->reason, RIDE_REASON_STAFF_ENDED);
    assert_int_equal(town_end(t, town_other_rider, r->uuid), ERR_NO_RIDE);
}

TEST(a_lock_closed_by_hand_leaves_the_vehicle_for_the_next)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "B1"), ERR_OK);
    town_result(t, &town_lock, COMMAND_OP_UNLOCK, 0);
    t->now_ms += 61000;
    town_result(t, &town_lock, COMMAND_OP_LOCK, 0);
    assert_false(town_vehicle(t, "B1")->suspect);
    assert_int_equal(town_vehicle(t, "B1")->state, VEHICLE_AVAILABLE);
    assert_int_equal(town_start(t, town_other_rider, "B1"), ERR_OK);
}

TEST(a_silent_lock_at_the_end_keeps_the_vehicle_from_others)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "B1"), ERR_OK);
    town_result(t, &town_lock, COMMAND_OP_UNLOCK, 0);
    const struct ride *r = engine_row(t->engine, ROW_RIDE, town_vehicle(t, "B1")->ride_id);
    t->now_ms += 61000;
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    town_tick(t, 121000);
    assert_int_equal(r->state, RIDE_SETTLED);
    assert_int_equal(r->reason, RIDE_REASON_LOCK_UNCONFIRMED);
    assert_true(town_vehicle(t, "B1")->suspect);
    assert_int_equal(town_vehicle(t, "B1")->state, VEHICLE_NON_OPERATIONAL);
}

TEST(a_second_start_on_a_busy_lock_is_told_to_try_again)
{
    TOWN;
    town_speed(t, &town_scooter, 0, true);
    assert_int_equal(town_order(t, "S1", COMMAND_OP_RESTART), ERR_OK);
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_VEHICLE_BUSY);
}

TEST(a_vehicle_is_fresh_until_two_and_a_half_heartbeats)
{
    TOWN;
    town_lock_seen(t, &town_scooter, true);
    t->now_ms += 599999; /* the last moment of freshness: a millisecond later its timer fires first */
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    t->now_ms += 600000;
    assert_int_equal(town_start(t, town_other_rider, "B1"), ERR_VEHICLE_SILENT);
}

TEST(a_cancelled_start_without_a_connection_withdraws_its_order)
{
    TOWN;
    struct fact f = {.kind = FACT_SESSION_CLOSED, .session_closed = {1, PROTOCOL_OMNI, town_scooter}};
    town_apply(t, &f);
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    const struct command *c = command_of(t, "S1");
    assert_int_equal(c->state, COMMAND_QUEUED);
    const struct ride *r = engine_row(t->engine, ROW_RIDE, town_vehicle(t, "S1")->ride_id);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    assert_int_equal(c->state, COMMAND_FAILED);
    assert_int_equal(c->result, COMMAND_RESULT_WITHDRAWN);
    assert_int_equal(r->state, RIDE_CANCELLED);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_AVAILABLE);
    assert_false(town_vehicle(t, "S1")->suspect);
}

TEST(an_order_waits_as_long_as_its_protocol_needs)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "B1"), ERR_OK); /* no key step: 15 s to act */
    const struct command *c = command_of(t, "B1");
    assert_int_equal(c->deadline_ms, t->now_ms + 15000);
    assert_int_equal(town_start(t, town_other_rider, "S1"), ERR_OK); /* 10 s for the key, then 15 */
    c = command_of(t, "S1");
    assert_int_equal(c->deadline_ms, t->now_ms + 10000);
    t->now_ms += 2000;
    town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 9);
    assert_int_equal(c->deadline_ms, t->now_ms + 15000);
    assert_int_equal(town_order(t, "B1", COMMAND_OP_LOCATE), ERR_OK);
    const struct command *side = engine_row(t->engine, ROW_COMMAND, town_vehicle(t, "B1")->side_command_id);
    assert_int_equal(side->deadline_ms, t->now_ms + 15000);
}

TEST(nobody_s_order_locks_a_vehicle_again)
{
    TOWN;
    town_speed(t, &town_scooter, 0, false); /* unlocked, no ride, stands still */
    assert_non_null(town_event(t, EVENT_UNLOCKED_NO_RIDE));
    assert_non_null(town_sent(t, ORDER_LOCK));
    const struct command *c = command_of(t, "S1");
    assert_int_equal(c->why, COMMAND_WHY_RELOCK);
    assert_int_equal(c->staff_id, 0);
    assert_int_equal(c->ride_id, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_ride_remembers_where_it_began_and_ended),
        CASE(a_ridden_vehicle_is_tracked_and_left_alone_afterwards),
        CASE(a_refused_end_leaves_the_longest_ride_time_as_it_was),
        CASE(a_lock_that_refuses_twice_lets_the_rider_go),
        CASE(a_lock_that_says_it_moves_is_not_tried_again),
        CASE(staff_end_a_ride_under_their_own_name),
        CASE(a_lock_closed_by_hand_leaves_the_vehicle_for_the_next),
        CASE(a_silent_lock_at_the_end_keeps_the_vehicle_from_others),
        CASE(a_second_start_on_a_busy_lock_is_told_to_try_again),
        CASE(a_vehicle_is_fresh_until_two_and_a_half_heartbeats),
        CASE(a_cancelled_start_without_a_connection_withdraws_its_order),
        CASE(an_order_waits_as_long_as_its_protocol_needs),
        CASE(nobody_s_order_locks_a_vehicle_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
