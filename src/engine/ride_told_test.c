/* SPDX-License-Identifier: Apache-2.0 */
/* Rides as the world is told of them, word for word and in order: what is ordered, what is published, what is answered,
 * and that at every other moment nothing is. */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "engine/testing/told.h"

#define TEST(name) static void name(void **state)
#define TOWN struct town *t = *state
#define TOLD(what) assert_string_equal(told(t), what)
#define SCOOTER_CAPS (CAP_LOCK | CAP_KEY_STEP | CAP_ASK_STATUS | CAP_RESTART | CAP_SPEED)

#define ASKED "ride requested of 3\n" "ride unlocking of 3\n" "reply ok\n" "command unlock queued for ride\n"
#define UNLOCK_SENT "command unlock sent for ride\n" "order unlock in 10000 ms\n"
#define UNLOCK_TAKEN "command unlock accepted for ride\n" "order unlock/1 key 77 in 15000 ms\n"
#define RIDING(code) "ride riding of 3\n" code " on_trip: trip_start\n" "order track every 10\n"
#define ENDING "reply ok\n" "ride ending of 3\n"
#define LOCK_SENT "command lock queued for ride\n" "command lock sent for ride\n" "order lock in 10000 ms\n"
#define LOCK_TAKEN "command lock accepted for ride\n" "order lock/1 key 5 in 15000 ms\n"
#define SETTLED(code, why, price) \
    "order track\n" "ride ended: " why " of 3\n" "ride_charged " price ", " code "\n" "ride settled: " why " of 3\n"
#define KEPT_BACK "S1 available: trip_end\n" "S1 non_operational: maintenance\n"

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

static void tick_after(struct town *t, int64_t later_ms)
{
    t->now_ms += later_ms;
    town_apply(t, &(struct fact){.kind = FACT_TICK});
}

static void hang_up(struct town *t)
{
    struct fact f = {.kind = FACT_SESSION_CLOSED, .session_closed = {1, PROTOCOL_OMNI, town_scooter}};
    town_apply(t, &f);
}

static void connect(struct town *t)
{
    struct fact f = {.kind = FACT_SESSION_OPENED, .session_opened = {5, PROTOCOL_OMNI, town_scooter, SCOOTER_CAPS}};
    town_apply(t, &f);
}

static struct uuid ride_on(const struct town *t, const char *code)
{
    return ((const struct ride *)engine_row(t->engine, ROW_RIDE, town_vehicle(t, code)->ride_id))->uuid;
}

static void start(struct town *t, const char *code)
{
    assert_int_equal(town_start(t, town_rider, code), ERR_OK);
}

static void end(struct town *t, const char *code)
{
    assert_int_equal(town_end(t, town_rider, ride_on(t, code)), ERR_OK);
}

TEST(a_scooter_is_unlocked_ridden_locked_and_paid)
{
    TOWN;
    start(t, "S1");
    TOLD(ASKED UNLOCK_SENT);
    t->now_ms += 2000;
    town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
    TOLD(UNLOCK_TAKEN);
    t->now_ms += 1000;
    town_result(t, &town_scooter, COMMAND_OP_UNLOCK, 0);
    TOLD("command unlock done: confirmed for ride\n" RIDING("S1"));
    t->now_ms += 61000;
    town_speed(t, &town_scooter, 200, false);
    TOLD("");
    t->now_ms += 61000;
    town_speed(t, &town_scooter, 0, false);
    TOLD("");
    struct uuid ride = ride_on(t, "S1");
    end(t, "S1");
    TOLD(ENDING LOCK_SENT);
    t->now_ms += 2000;
    town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
    TOLD(LOCK_TAKEN);
    t->now_ms += 2000;
    town_result(t, &town_scooter, COMMAND_OP_LOCK, 0);
    TOLD("command lock done: confirmed for ride\n" SETTLED("S1", "rider_ended", "1750") "S1 available: trip_end\n");
    assert_int_equal(town_end(t, town_rider, ride), ERR_OK); /* over is over */
    TOLD("reply ok\n");
}

TEST(a_ride_of_less_than_a_minute_that_never_moved_is_a_cancelled_trip)
{
    TOWN;
    for (int moved = 0; moved < 2; moved++) {
        start(t, "S1");
        town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
        town_result(t, &town_scooter, COMMAND_OP_UNLOCK, 0);
        t->now_ms += 1000;
        if (moved) town_speed(t, &town_scooter, 200, false);
        t->now_ms += 58999;
        town_speed(t, &town_scooter, 0, false);
        end(t, "S1");
        town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
        town_result(t, &town_scooter, COMMAND_OP_LOCK, 0);
        if (moved) TOLD("command lock done: confirmed for ride\n"
                        SETTLED("S1", "rider_ended", "1250") "S1 available: trip_end\n");
        else TOLD("command lock done: confirmed for ride\n"
                  SETTLED("S1", "rider_ended", "1250") "S1 available: trip_cancel\n");
    }
}

TEST(a_whole_minute_is_a_trip_even_if_nothing_moved)
{
    TOWN;
    (void)town_ride(t);
    t->now_ms += 60000;
    town_speed(t, &town_scooter, 0, false);
    end(t, "S1");
    town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
    town_result(t, &town_scooter, COMMAND_OP_LOCK, 0);
    TOLD("command lock done: confirmed for ride\n" SETTLED("S1", "rider_ended", "1250") "S1 available: trip_end\n");
}

TEST(a_horseshoe_lock_that_stays_open_goes_back_to_its_rider_until_it_is_closed)
{
    TOWN;
    start(t, "B1");
    TOLD(ASKED "command unlock sent for ride\n" "order unlock in 15000 ms\n");
    town_result(t, &town_lock, COMMAND_OP_UNLOCK, 0);
    TOLD("command unlock done: confirmed for ride\n" RIDING("B1"));
    t->now_ms += 61000;
    end(t, "B1");
    TOLD(ENDING "order status\n");
    t->now_ms += 1000;
    town_lock_seen(t, &town_lock, false);
    TOLD("");
    tick_after(t, 118999);
    TOLD("");
    tick_after(t, 1);
    TOLD("ride riding of 3\n" "ride_end_refused, close_lock of 3\n");
    end(t, "B1");
    TOLD(ENDING "order status\n");
    t->now_ms += 5000;
    town_result(t, &town_lock, COMMAND_OP_LOCK, 0);
    TOLD(SETTLED("B1", "rider_ended", "2000") "B1 available: trip_end\n");
}

TEST(a_refused_unlock_is_a_failed_ride)
{
    TOWN;
    start(t, "S1");
    town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
    town_result(t, &town_scooter, COMMAND_OP_UNLOCK, 1);
    TOLD("command unlock failed: refused code 1 for ride\n" "ride failed: unlock_refused of 3\n");
}

TEST(no_answer_is_a_reservation_until_the_lock_tells)
{
    TOWN;
    for (int open = 0; open < 2; open++) {
        start(t, "S1");
        tick_after(t, 9999);
        TOLD("");
        tick_after(t, 1);
        /* Two in a row without an answer: perhaps it does not hear us on this connection. */
        if (open) TOLD("command unlock unknown: no_answer for ride\n" "S1 reserved: reservation_start\n"
                       "one_way_link, S1\n" "hang up 1\n");
        else TOLD("command unlock unknown: no_answer for ride\n" "S1 reserved: reservation_start\n" "order status\n");
        t->now_ms += 1000;
        town_lock_seen(t, &town_scooter, !open);
        if (open) TOLD("command unlock done: inferred for ride\n" RIDING("S1"));
        else TOLD("command unlock failed: disproved for ride\n" "ride failed: still_locked of 3\n"
                  "S1 available: reservation_cancel\n");
    }
}

TEST(an_unlock_that_nobody_confirms_in_a_minute_fails_and_its_connection_is_cut)
{
    TOWN;
    start(t, "S1");
    tick_after(t, 10000);
    tick_after(t, 49999);
    TOLD("");
    tick_after(t, 1);
    TOLD("ride failed: unlock_timed_out of 3\n" "S1 available: reservation_cancel\n"
         "S1 non_operational: maintenance\n" "hang up 1\n");
    town_result(t, &town_scooter, COMMAND_OP_UNLOCK, 0);
    TOLD("command unlock done: confirmed for ride\n" "unlocked_no_ride, S1\n" "order status\n");
    town_speed(t, &town_scooter, 0, false);
    TOLD("command lock queued\n" "command lock sent\n" "order lock in 10000 ms\n");
    town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
    TOLD("command lock accepted\n" "order lock/1 key 5 in 15000 ms\n");
    town_result(t, &town_scooter, COMMAND_OP_LOCK, 0);
    TOLD("command lock done: confirmed\n" "S1 available: maintenance\n");
}

TEST(an_unconnected_vehicle_has_ten_seconds_to_come_back)
{
    TOWN;
    hang_up(t);
    TOLD("device_gone, S1\n");
    start(t, "S1");
    TOLD(ASKED);
    tick_after(t, 9999);
    TOLD("");
    tick_after(t, 1);
    TOLD("command unlock failed: not_delivered for ride\n" "ride failed: not_delivered of 3\n");
    start(t, "S1");
    t->now_ms += 9999;
    connect(t);
    TOLD("device_connected, S1\n" UNLOCK_SENT "order status\n");
}

TEST(a_rider_who_cancels_takes_the_order_back_or_the_vehicle_out)
{
    TOWN;
    hang_up(t);
    start(t, "S1");
    end(t, "S1");
    TOLD("reply ok\n" "command unlock failed: withdrawn for ride\n" "ride cancelled: rider_cancelled of 3\n");
    connect(t);
    start(t, "S1");
    end(t, "S1");
    TOLD("reply ok\n" "ride cancelled: rider_cancelled of 3\n" "S1 non_operational: maintenance\n");
    town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
    TOLD("command unlock failed: withdrawn for ride\n" "order status\n");
    town_lock_seen(t, &town_scooter, true);
    TOLD("S1 available: maintenance\n");
    start(t, "S1");
    town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
    end(t, "S1");
    TOLD("reply ok\n" "ride cancelled: rider_cancelled of 3\n" "S1 non_operational: maintenance\n");
    town_result(t, &town_scooter, COMMAND_OP_UNLOCK, 0);
    TOLD("command unlock done: confirmed for ride\n" "unlocked_no_ride, S1\n" "order status\n");
}

TEST(a_lock_that_refuses_is_asked_once_more_then_the_end_is_the_word_of_who_asked)
{
    TOWN;
    for (int staff = 0; staff < 2; staff++) {
        (void)town_ride(t);
        t->now_ms += 61000;
        town_speed(t, &town_scooter, 0, false);
        assert_int_equal(town_end(t, staff ? town_staff : town_rider, ride_on(t, "S1")), ERR_OK);
        TOLD(ENDING LOCK_SENT);
        town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
        town_result(t, &town_scooter, COMMAND_OP_LOCK, 1);
        TOLD("command lock failed: refused code 1 for ride\n" LOCK_SENT);
        town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
        town_result(t, &town_scooter, COMMAND_OP_LOCK, 1);
        if (staff) TOLD("command lock failed: refused code 1 for ride\n"
                        SETTLED("S1", "staff_ended", "1500") KEPT_BACK);
        else TOLD("command lock failed: refused code 1 for ride\n" SETTLED("S1", "lock_unconfirmed", "1500") KEPT_BACK);
        t->now_ms += 1000;
        town_lock_seen(t, &town_scooter, true);
        TOLD("S1 available: maintenance\n");
    }
}

TEST(an_end_on_the_move_waits_for_it_to_stop)
{
    TOWN;
    (void)town_ride(t);
    t->now_ms += 61000;
    town_speed(t, &town_scooter, 200, false);
    end(t, "S1");
    TOLD(ENDING "order status\n");
    t->now_ms += 2000;
    town_speed(t, &town_scooter, 200, false); /* one sign is not enough: the rider may be braking */
    TOLD("");
    tick_after(t, 999);
    TOLD("");
    tick_after(t, 1);
    TOLD("order status\n");
    t->now_ms += 1000;
    town_speed(t, &town_scooter, 150, false);
    TOLD("ride riding of 3\n" "ride_end_refused, vehicle_moving of 3\n");
    end(t, "S1");
    t->now_ms += 2000;
    town_speed(t, &town_scooter, 0, false);
    TOLD(LOCK_SENT);
}

TEST(a_scooter_that_says_nothing_after_the_end_is_asked_four_times)
{
    TOWN;
    for (int spoke = 0; spoke < 2; spoke++) {
        (void)town_ride(t);
        t->now_ms += 61000;
        end(t, "S1");
        TOLD(ENDING "order status\n");
        for (int i = 0; i < 3; i++) {
            tick_after(t, 2999);
            TOLD("");
            tick_after(t, 1);
            TOLD("order status\n");
        }
        if (spoke) town_lock_seen(t, &town_scooter, false); /* not a word about its speed */
        tick_after(t, 3000);
        if (spoke) TOLD("ride riding of 3\n" "ride_end_refused, vehicle_moving of 3\n");
        else TOLD(SETTLED("S1", "lock_unconfirmed", "1500") KEPT_BACK);
        town_lock_seen(t, &town_scooter, true);
        t->now_ms += 1000;
    }
}

TEST(a_forgotten_ride_ends_by_itself_at_its_longest_time)
{
    TOWN;
    (void)town_ride(t);
    tick_after(t, 2 * 3600000 - 1);
    TOLD("S1 non_contactable: comms_lost\n" "B1 non_contactable: comms_lost\n");
    tick_after(t, 1);
    TOLD("ride ending of 3\n" "order status\n");
    for (int i = 0; i < 3; i++) {
        tick_after(t, 3000);
        TOLD("order status\n");
    }
    tick_after(t, 3000);
    TOLD(SETTLED("S1", "too_long", "1000"));
    town_lock_seen(t, &town_scooter, true);
    TOLD("S1 on_trip: comms_restored\n" "S1 available: trip_cancel\n" "S1 non_operational: maintenance\n"
         "S1 available: maintenance\n");
}

TEST(a_lock_closed_on_the_vehicle_ends_the_ride_at_its_second_sign)
{
    TOWN;
    (void)town_ride(t);
    t->now_ms += 59000;
    town_lock_seen(t, &town_scooter, true);
    TOLD("order status\n");
    t->now_ms += 1000;
    town_lock_seen(t, &town_scooter, false); /* opened again: it was no end */
    TOLD("");
    t->now_ms += 1000;
    town_lock_seen(t, &town_scooter, true);
    TOLD("order status\n");
    t->now_ms += 70000;
    town_lock_seen(t, &town_scooter, true);
    TOLD(SETTLED("S1", "lock_closed", "1500") "S1 available: trip_end\n");
}

TEST(what_stands_open_with_no_ride_is_locked_once_in_ten_minutes)
{
    TOWN;
    town_speed(t, &town_scooter, 50, false);
    TOLD("unlocked_no_ride, S1\n" "S1 non_operational: maintenance\n" "order status\n");
    t->now_ms += 29999;
    town_speed(t, &town_scooter, 50, false);
    TOLD("");
    t->now_ms += 1;
    town_speed(t, &town_scooter, 50, false);
    TOLD("order status\n");
    t->now_ms += 1000;
    for (int i = 0; i < 2; i++) {
        town_speed(t, &town_scooter, 0, false);
        TOLD("command lock queued\n" "command lock sent\n" "order lock in 10000 ms\n");
        town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
        town_result(t, &town_scooter, COMMAND_OP_LOCK, 1);
        TOLD("command lock failed: refused code 1\n");
        town_report(t, &town_lock, 2, (struct fact_report){0}); /* nobody falls silent meanwhile */
        t->now_ms += 599999;
        town_report(t, &town_lock, 2, (struct fact_report){0});
        town_speed(t, &town_scooter, 0, false);
        TOLD("");
        t->now_ms += 1;
    }
}

TEST(a_vehicle_that_reconnects_on_a_ride_is_told_again_to_report_its_way)
{
    TOWN;
    (void)town_ride(t);
    hang_up(t);
    connect(t);
    TOLD("device_connected, S1\n" "order track every 10\n" "order status\n");
}

TEST(a_vehicle_that_reconnects_while_it_ends_is_told_again_to_report_its_way)
{
    TOWN;
    (void)town_ride(t);
    t->now_ms += 61000;
    town_speed(t, &town_scooter, 200, false);
    end(t, "S1");
    hang_up(t);
    connect(t);
    TOLD("device_connected, S1\n" "order track every 10\n" "order status\n");
}

TEST(a_staff_end_of_what_moves_is_an_end_all_the_same)
{
    TOWN;
    (void)town_ride(t);
    t->now_ms += 61000;
    town_speed(t, &town_scooter, 0, false);
    assert_int_equal(town_end(t, town_staff, ride_on(t, "S1")), ERR_OK);
    town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
    town_result(t, &town_scooter, COMMAND_OP_LOCK, 3);
    TOLD("command lock failed: moving code 3 for ride\n" SETTLED("S1", "staff_ended", "1500") KEPT_BACK);
}

TEST(a_lock_that_could_not_be_delivered_ends_the_ride_at_the_rider_s_word)
{
    TOWN;
    (void)town_ride(t);
    t->now_ms += 61000;
    town_speed(t, &town_scooter, 0, false);
    hang_up(t);
    end(t, "S1");
    TOLD(ENDING "command lock queued for ride\n");
    tick_after(t, 9999);
    TOLD("");
    tick_after(t, 1);
    TOLD("command lock failed: not_delivered for ride\n" "ride ended: lock_unconfirmed of 3\n" "ride_charged 1500, S1\n"
         "ride settled: lock_unconfirmed of 3\n" KEPT_BACK);
}

TEST(a_refused_lock_is_not_ordered_again_once_it_moves)
{
    TOWN;
    (void)town_ride(t);
    t->now_ms += 61000;
    town_speed(t, &town_scooter, 0, false);
    end(t, "S1");
    town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
    t->now_ms += 1000;
    town_speed(t, &town_scooter, 90, false);
    TOLD("");
    town_result(t, &town_scooter, COMMAND_OP_LOCK, 1);
    TOLD("command lock failed: refused code 1 for ride\n" "ride riding of 3\n" "ride_end_refused, vehicle_moving of 3\n");
}

TEST(each_end_has_its_own_two_tries)
{
    TOWN;
    (void)town_ride(t);
    for (int i = 0; i < 2; i++) {
        t->now_ms += 61000;
        town_speed(t, &town_scooter, 0, false);
        end(t, "S1");
        town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
        town_result(t, &town_scooter, COMMAND_OP_LOCK, 1);
        TOLD("command lock failed: refused code 1 for ride\n" LOCK_SENT);
        town_result(t, &town_scooter, COMMAND_OP_LOCK, 3);
        TOLD("command lock failed: moving code 3 for ride\n" "ride riding of 3\n" "ride_end_refused, vehicle_moving of 3\n");
    }
}

TEST(movement_while_a_lock_is_under_way_is_judged_at_its_next_step)
{
    TOWN;
    (void)town_ride(t);
    t->now_ms += 61000;
    town_speed(t, &town_scooter, 200, false);
    end(t, "S1");
    tick_after(t, 3000);
    TOLD("order status\n");
    t->now_ms += 1000;
    town_speed(t, &town_scooter, 0, false);
    TOLD(LOCK_SENT);
    t->now_ms += 1000;
    town_speed(t, &town_scooter, 90, false);
    TOLD("");
    town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
    TOLD("command lock failed: interlock for ride\n" "ride riding of 3\n" "ride_end_refused, vehicle_moving of 3\n");
}

TEST(a_lock_without_key_step_is_locked_when_it_stops)
{
    TOWN;
    (void)town_ride(t);
    struct fact f = {.kind = FACT_SESSION_OPENED, .session_opened = {5, PROTOCOL_OMNI, town_scooter, CAP_LOCK | CAP_SPEED}};
    town_apply(t, &f);
    t->now_ms += 61000;
    town_speed(t, &town_scooter, 200, false);
    end(t, "S1");
    t->now_ms += 1000;
    town_speed(t, &town_scooter, 0, false);
    TOLD("command lock queued for ride\n" "command lock sent for ride\n" "order lock in 15000 ms\n");
}

TEST(a_lock_that_only_a_hand_closes_is_not_ordered_to)
{
    TOWN;
    start(t, "B1");
    town_result(t, &town_lock, COMMAND_OP_UNLOCK, 0);
    t->now_ms += 61000;
    end(t, "B1");
    struct fact_report here = {.has = HAS_POSITION | HAS_FIX_TIME, .lat_e7 = 577000001, .lon_e7 = 119700002};
    for (int i = 0; i < 3; i++) {
        t->now_ms += 10000;
        here.fix_ms = t->now_ms;
        town_report(t, &town_lock, 2, here); /* stands still */
        TOLD("");
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_scooter_is_unlocked_ridden_locked_and_paid),
        CASE(a_ride_of_less_than_a_minute_that_never_moved_is_a_cancelled_trip),
        CASE(a_whole_minute_is_a_trip_even_if_nothing_moved),
        CASE(a_horseshoe_lock_that_stays_open_goes_back_to_its_rider_until_it_is_closed),
        CASE(a_refused_unlock_is_a_failed_ride),
        CASE(no_answer_is_a_reservation_until_the_lock_tells),
        CASE(an_unlock_that_nobody_confirms_in_a_minute_fails_and_its_connection_is_cut),
        CASE(an_unconnected_vehicle_has_ten_seconds_to_come_back),
        CASE(a_rider_who_cancels_takes_the_order_back_or_the_vehicle_out),
        CASE(a_lock_that_refuses_is_asked_once_more_then_the_end_is_the_word_of_who_asked),
        CASE(an_end_on_the_move_waits_for_it_to_stop),
        CASE(a_scooter_that_says_nothing_after_the_end_is_asked_four_times),
        CASE(a_forgotten_ride_ends_by_itself_at_its_longest_time),
        CASE(a_lock_closed_on_the_vehicle_ends_the_ride_at_its_second_sign),
        CASE(what_stands_open_with_no_ride_is_locked_once_in_ten_minutes),
        CASE(a_vehicle_that_reconnects_on_a_ride_is_told_again_to_report_its_way),
        CASE(a_vehicle_that_reconnects_while_it_ends_is_told_again_to_report_its_way),
        CASE(a_staff_end_of_what_moves_is_an_end_all_the_same),
        CASE(a_lock_that_could_not_be_delivered_ends_the_ride_at_the_rider_s_word),
        CASE(a_refused_lock_is_not_ordered_again_once_it_moves),
        CASE(each_end_has_its_own_two_tries),
        CASE(movement_while_a_lock_is_under_way_is_judged_at_its_next_step),
        CASE(a_lock_without_key_step_is_locked_when_it_stops),
        CASE(a_lock_that_only_a_hand_closes_is_not_ordered_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
