/* SPDX-License-Identifier: Apache-2.0 */
/* What a ride remembers, orders and refuses, and what a command says of itself: details that mutants changed unseen. */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "engine/state.h"
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

/* The picture on top of ride.c, and nothing beside it. */
TEST(a_ride_goes_only_the_ways_of_the_picture)
{
    (void)state;
    static const uint8_t ways[][2] = {
        {RIDE_REQUESTED, RIDE_FAILED}, {RIDE_REQUESTED, RIDE_CANCELLED},
        {RIDE_REQUESTED, RIDE_UNLOCKING}, {RIDE_UNLOCKING, RIDE_RIDING}, {RIDE_UNLOCKING, RIDE_FAILED},
        {RIDE_UNLOCKING, RIDE_CANCELLED}, {RIDE_RIDING, RIDE_ENDING}, {RIDE_RIDING, RIDE_ENDED},
        {RIDE_ENDING, RIDE_RIDING}, {RIDE_ENDING, RIDE_ENDED}, {RIDE_ENDED, RIDE_SETTLED},
    };
    unsigned may = 0;
    for (unsigned from = 0; from <= RIDE_STATE_N; from++) {
        for (unsigned to = 0; to < RIDE_STATE_N; to++) may += ride_may(from, to);
    }
    for (unsigned i = 0; i < sizeof ways / sizeof ways[0]; i++) assert_true(ride_may(ways[i][0], ways[i][1]));
    assert_int_equal(may, sizeof ways / sizeof ways[0]);
}

static void declare_plan(struct town *t, const char *code, const char *vehicle_type, int64_t minute_minor)
{
    struct fact f = {.kind = FACT_PLAN_SET, .plan_set = {.unlock_minor = 1000, .minute_minor = minute_minor}};
    text_clip(&f.plan_set.code, bytes_text(code));
    text_clip(&f.plan_set.city, bytes_text("gothenburg"));
    text_clip(&f.plan_set.vehicle_type, bytes_text(vehicle_type));
    town_apply(t, &f);
}

static void declare_type(struct town *t, const char *code, bool motor)
{
    struct fact f = {.kind = FACT_VEHICLE_TYPE_SET,
                     .vehicle_type_set = {.battery_min_pct = 15, .motor = motor, .heartbeat_ms = 240000}};
    text_clip(&f.vehicle_type_set.code, bytes_text(code));
    town_apply(t, &f);
}

static const struct ride *ride_on(const struct town *t, const char *code)
{
    return engine_row(t->engine, ROW_RIDE, town_vehicle(t, code)->ride_id);
}

static void cancel(struct town *t, const char *code)
{
    assert_int_equal(town_end(t, town_rider, ride_on(t, code)->uuid), ERR_OK);
    town_result(t, &town_scooter, COMMAND_OP_UNLOCK, 1);
    town_lock_seen(t, &town_scooter, true);
}

TEST(the_plan_of_the_vehicle_s_type_goes_before_the_city_s_and_the_older_before_the_younger)
{
    TOWN;
    declare_type(t, "moped", true);
    declare_plan(t, "mopeds", "moped", 900);
    declare_plan(t, "younger", "", 300);
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    assert_int_equal(ride_on(t, "S1")->minute_minor, 250); /* the first of the city's; another type's is none */
    cancel(t, "S1");
    declare_plan(t, "scooters", "scooter", 200);
    declare_plan(t, "scooters2", "scooter", 400);
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    assert_int_equal(ride_on(t, "S1")->minute_minor, 200);
    assert_int_equal(ride_on(t, "S1")->unlock_minor, 1000);
}

TEST(a_city_without_a_plan_rents_nothing)
{
    TOWN;
    struct fact f = {.kind = FACT_CITY_SET, .city_set = {.radius_m = 10000}};
    text_clip(&f.city_set.code, bytes_text("oslo"));
    text_clip(&f.city_set.entity, bytes_text("se"));
    town_apply(t, &f);
    f = (struct fact){.kind = FACT_VEHICLE_SET, .vehicle_set = {.protocol = PROTOCOL_OMNI, .ident = town_scooter}};
    text_clip(&f.vehicle_set.code, bytes_text("S1"));
    text_clip(&f.vehicle_set.city, bytes_text("oslo"));
    text_clip(&f.vehicle_set.vehicle_type, bytes_text("scooter"));
    town_apply(t, &f);
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_PLAN_UNKNOWN);
}

TEST(a_ride_knows_who_what_where_and_at_which_price)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    const struct ride *r = ride_on(t, "S1");
    const struct vehicle *v = town_vehicle(t, "S1");
    assert_int_equal(r->rider_id, engine_rider(t->engine, town_rider)->id);
    assert_int_equal(engine_rider(t->engine, town_rider)->ride_id, r->id);
    assert_int_equal(r->vehicle_id, v->id);
    assert_int_equal(r->city_id, v->city_id);
    assert_non_null(engine_row(t->engine, ROW_PLAN, r->plan_id));
    assert_true(text_is(&r->vehicle_code, "S1"));
    assert_true(text_is(&r->currency, "SEK"));
    assert_int_equal(r->requested_ms, t->now_ms);
    assert_int_equal(r->deadline_ms, t->now_ms + 60000);
    assert_true(r->resident);
    assert_int_equal(r->command_id, v->command_id);
    const struct command *c = command_of(t, "S1");
    assert_int_equal(c->why, COMMAND_WHY_RIDE_START);
    assert_int_equal(c->ride_id, r->id);
    assert_int_equal(c->staff_id, 0);
    assert_int_equal(r->unlock_user, c->user); /* a horseshoe lock names them again when it is closed */
    assert_int_equal(r->unlock_stamp, c->stamp);
    town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
    town_result(t, &town_scooter, COMMAND_OP_UNLOCK, 0);
    assert_int_equal(r->command_id, 0);
    assert_int_equal(r->over_seq, 0);
    town_speed(t, &town_scooter, 0, false);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    assert_int_equal(r->ending_by, RIDE_REASON_RIDER_ENDED);
    assert_int_equal(command_of(t, "S1")->why, COMMAND_WHY_RIDE_END);
    town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
    town_result(t, &town_scooter, COMMAND_OP_LOCK, 0);
    assert_int_equal(r->ending_by, RIDE_REASON_NONE);
    assert_int_equal(r->command_id, 0);
    assert_int_equal(r->deadline_ms, 0);
    assert_int_equal(r->over_seq, t->seq);
}

TEST(each_thing_that_forbids_a_start_has_its_own_word)
{
    TOWN;
    struct uuid stranger = {{7, 7, 7}};
    assert_int_equal(town_start(t, stranger, "S1"), ERR_RIDER_UNKNOWN);
    assert_int_equal(town_start(t, town_rider, "X9"), ERR_VEHICLE_UNKNOWN);
    struct fact f = {.kind = FACT_RIDER_SET, .rider_set = {.account = town_rider, .state = ACCOUNT_BLOCKED}};
    town_apply(t, &f);
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_RIDER_BLOCKED);
    f.rider_set.state = ACCOUNT_ACTIVE;
    town_apply(t, &f);
    town_report(t, &town_scooter, 1, (struct fact_report){.has = HAS_BATTERY, .battery_pct = 14});
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_VEHICLE_BATTERY_LOW);
    town_report(t, &town_scooter, 1, (struct fact_report){.has = HAS_BATTERY, .battery_pct = 20});
    assert_int_equal(town_mark(t, "S1", VEHICLE_EVENT_MAINTENANCE, 0), ERR_OK);
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_VEHICLE_NOT_AVAILABLE);
    assert_int_equal(town_mark(t, "S1", VEHICLE_EVENT_MAINTENANCE, 0), ERR_OK);
    assert_int_equal(town_mark(t, "S1", VEHICLE_EVENT_COMMS_LOST, 0), ERR_OK);
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_VEHICLE_SILENT);
    assert_int_equal(town_mark(t, "S1", VEHICLE_EVENT_NOT_LOCATED, 0), ERR_OK);
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_VEHICLE_SILENT);
}

TEST(a_charge_at_the_bound_is_enough_and_a_bike_without_motor_needs_none)
{
    TOWN;
    town_report(t, &town_scooter, 1, (struct fact_report){.has = HAS_BATTERY, .battery_pct = 15});
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    cancel(t, "S1");
    declare_type(t, "scooter", false);
    town_report(t, &town_scooter, 1, (struct fact_report){.has = HAS_BATTERY, .battery_pct = 1});
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
}

TEST(a_vehicle_that_is_open_is_not_rented)
{
    TOWN;
    assert_int_equal(town_order(t, "S1", COMMAND_OP_UNLOCK), ERR_OK);
    town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
    town_result(t, &town_scooter, COMMAND_OP_UNLOCK, 0);
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_VEHICLE_NOT_AVAILABLE);
    assert_int_equal(town_mark(t, "S1", VEHICLE_EVENT_MAINTENANCE, 0), ERR_OK); /* staff say that it is well */
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_VEHICLE_NOT_AVAILABLE);
}

TEST(a_vehicle_is_rented_only_once_its_device_spoke_and_said_locked)
{
    TOWN;
    struct text64 ident = {15, "490154203237591"};
    struct fact f = {.kind = FACT_VEHICLE_SET};
    text_clip(&f.vehicle_set.code, bytes_text("N1"));
    text_clip(&f.vehicle_set.city, bytes_text("gothenburg"));
    text_clip(&f.vehicle_set.vehicle_type, bytes_text("scooter"));
    town_apply(t, &f);
    assert_int_equal(town_mark(t, "N1", VEHICLE_EVENT_PROVIDER_DROP_OFF, 0), ERR_OK);
    assert_int_equal(town_start(t, town_rider, "N1"), ERR_VEHICLE_SILENT); /* no device */
    f.vehicle_set.protocol = PROTOCOL_OMNI;
    f.vehicle_set.ident = ident;
    town_apply(t, &f);
    assert_int_equal(town_start(t, town_rider, "N1"), ERR_VEHICLE_SILENT); /* never heard of */
    f = (struct fact){.kind = FACT_SESSION_OPENED, .session_opened = {9, PROTOCOL_OMNI, ident, CAP_LOCK}};
    town_apply(t, &f);
    assert_int_equal(town_start(t, town_rider, "N1"), ERR_VEHICLE_NOT_LOCKED);
    town_lock_seen(t, &ident, true);
    assert_int_equal(town_start(t, town_rider, "N1"), ERR_OK);
}

TEST(only_its_rider_and_staff_end_a_ride)
{
    TOWN;
    const struct ride *r = town_ride(t);
    assert_int_equal(town_end(t, town_other_rider, r->uuid), ERR_NO_RIDE);
    assert_int_equal(town_end(t, (struct uuid){{7}}, r->uuid), ERR_NO_RIDE);
    assert_int_equal(town_end(t, town_rider, (struct uuid){{7}}), ERR_NO_RIDE);
    struct fact f = {.kind = FACT_RIDE_END,
                     .ride_end = {.account = town_other_rider, .key0 = 4711, .ride = r->uuid, .by_staff = true}};
    town_apply(t, &f); /* who is no staff does not become it by saying so */
    assert_int_equal(r->state, RIDE_RIDING);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    assert_int_equal(r->state, RIDE_ENDING);
}

TEST(a_refused_end_near_the_longest_time_leaves_a_minute)
{
    TOWN;
    const struct ride *r = town_ride(t);
    int64_t longest_ms = r->deadline_ms;
    t->now_ms = longest_ms - 20000;
    town_report(t, &town_lock, 2, (struct fact_report){0});
    town_speed(t, &town_scooter, 0, false);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    town_result(t, &town_scooter, COMMAND_OP_LOCK, 3);
    assert_int_equal(r->state, RIDE_RIDING);
    assert_int_equal(r->deadline_ms, t->now_ms + 60000);
    assert_int_equal(r->refusal, ERR_VEHICLE_MOVING);
    assert_int_equal(r->ending_by, RIDE_REASON_NONE);
    assert_int_equal(r->command_id, 0);
}

TEST(a_lock_that_was_closed_before_the_end_was_asked_ends_at_once)
{
    TOWN;
    const struct ride *r = town_ride(t);
    t->now_ms += 61000;
    town_lock_seen(t, &town_scooter, true); /* a first sign */
    t->now_ms += 2000;
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    assert_int_equal(r->state, RIDE_SETTLED);
    assert_int_equal(r->reason, RIDE_REASON_RIDER_ENDED);
    assert_int_equal(r->ended_ms, t->now_ms);
    assert_false(town_vehicle(t, "S1")->suspect);
}

TEST(a_lock_state_from_before_the_start_ends_nothing)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
    town_tick(t, 15000);
    town_lock_seen(t, &town_scooter, false); /* inferred: the report itself says open */
    const struct ride *r = ride_on(t, "S1");
    assert_int_equal(r->state, RIDE_RIDING);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    assert_int_equal(r->state, RIDE_ENDING);
}

TEST(a_position_is_the_second_sign_of_a_closed_lock_where_it_shows_standing_still)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "B1"), ERR_OK);
    town_result(t, &town_lock, COMMAND_OP_UNLOCK, 0);
    const struct ride *r = ride_on(t, "B1");
    t->now_ms += 61000;
    town_lock_seen(t, &town_lock, true);
    int64_t closed_ms = t->now_ms;
    struct fact_report here = {.has = HAS_POSITION | HAS_FIX_TIME, .lat_e7 = 577000001, .lon_e7 = 119700002};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(r->state, RIDE_RIDING);
        t->now_ms += 15000;
        here.fix_ms = t->now_ms;
        town_report(t, &town_lock, 2, here);
    }
    assert_int_equal(r->state, RIDE_SETTLED);
    assert_int_equal(r->reason, RIDE_REASON_LOCK_CLOSED);
    assert_int_equal(r->ended_ms, closed_ms);
    assert_int_equal(r->minutes, 2);
}

TEST(a_ride_holds_its_vehicle_until_it_is_over)
{
    (void)state;
    for (unsigned i = 0; i < RIDE_STATE_N; i++) {
        bool open = i == RIDE_REQUESTED || i == RIDE_UNLOCKING || i == RIDE_RIDING || i == RIDE_ENDING;
        assert_int_equal(ride_open(&(struct ride){.state = (uint8_t)i}), open);
    }
}

TEST(the_plan_is_the_same_after_a_restart)
{
    TOWN;
    declare_plan(t, "younger", "", 300);
    void *memory;
    struct engine *loaded = town_reload(t, &memory); /* its rows in another order */
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    struct effects effects = {.at = t->effects.at, .cap = t->effects.cap};
    engine_step(loaded, t->seq, &t->facts[t->fact_count - 1], &effects);
    assert_int_equal(effects.sum, t->sums[t->fact_count - 1]);
    const struct vehicle *v = engine_vehicle(loaded, bytes_text("S1"));
    assert_int_equal(((const struct ride *)engine_row(loaded, ROW_RIDE, v->ride_id))->minute_minor, 250);
    free(memory);
}

TEST(a_server_full_of_rides_or_of_commands_refuses_the_next)
{
    TOWN;
    for (unsigned i = 0; i < 64; i++) { /* rides that are over stay until the tables hold them */
        assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
        cancel(t, "S1");
    }
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_FULL);
    town_apply(t, &(struct fact){.kind = FACT_TABLES_WRITTEN, .tables_written = {t->seq}});
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    cancel(t, "S1");
    unsigned ordered = 0;
    struct fact f = {.kind = FACT_DEVICE_ECHO, .device_echo = {1, PROTOCOL_OMNI, town_scooter, COMMAND_OP_RING}};
    for (; town_order(t, "S1", COMMAND_OP_RING) == ERR_OK; ordered++) town_apply(t, &f);
    assert_in_range(ordered, 200, 256);
    assert_int_equal(town_order(t, "S1", COMMAND_OP_RING), ERR_FULL);
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_FULL);
}

TEST(a_refused_end_is_told_of_its_ride_and_vehicle)
{
    TOWN;
    const struct ride *r = town_ride(t);
    town_speed(t, &town_scooter, 0, false);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    assert_int_equal(command_of(t, "S1")->staff_id, 0);
    assert_int_equal(command_of(t, "S1")->ride_id, r->id);
    town_result(t, &town_scooter, COMMAND_OP_LOCK, 3);
    const struct event *ev = town_event(t, EVENT_RIDE_END_REFUSED);
    assert_int_equal(ev->ride_id, r->id);
    assert_int_equal(ev->vehicle_id, r->vehicle_id);
    assert_int_equal(ev->ride_state, RIDE_RIDING);
}

TEST(a_report_is_not_its_own_second_sign)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "B1"), ERR_OK);
    town_result(t, &town_lock, COMMAND_OP_UNLOCK, 0);
    const struct ride *r = ride_on(t, "B1");
    struct fact_report here = {.has = HAS_POSITION | HAS_FIX_TIME, .lat_e7 = 577000001, .lon_e7 = 119700002, .locked = true};
    for (int i = 0; i < 3; i++) {
        t->now_ms += 15000;
        here.fix_ms = t->now_ms;
        if (i == 2) here.has |= HAS_LOCKED;
        town_report(t, &town_lock, 2, here);
        assert_int_equal(r->state, RIDE_RIDING);
    }
    assert_int_equal(r->closed_ms, t->now_ms);
    town_report(t, &town_lock, 2, (struct fact_report){.has = HAS_RSSI}); /* says nothing of lock or place */
    assert_int_equal(r->state, RIDE_RIDING);
    t->now_ms += 15000;
    here.fix_ms = t->now_ms;
    here.has &= ~(uint32_t)HAS_LOCKED;
    town_report(t, &town_lock, 2, here);
    assert_int_equal(r->state, RIDE_SETTLED);
    assert_int_equal(r->ended_ms, t->now_ms - 15000);
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
        cmocka_unit_test(a_ride_goes_only_the_ways_of_the_picture),
        CASE(the_plan_of_the_vehicle_s_type_goes_before_the_city_s_and_the_older_before_the_younger),
        CASE(a_city_without_a_plan_rents_nothing),
        CASE(a_ride_knows_who_what_where_and_at_which_price),
        CASE(each_thing_that_forbids_a_start_has_its_own_word),
        CASE(a_charge_at_the_bound_is_enough_and_a_bike_without_motor_needs_none),
        CASE(a_vehicle_that_is_open_is_not_rented),
        CASE(a_vehicle_is_rented_only_once_its_device_spoke_and_said_locked),
        CASE(only_its_rider_and_staff_end_a_ride),
        CASE(a_refused_end_near_the_longest_time_leaves_a_minute),
        CASE(a_lock_that_was_closed_before_the_end_was_asked_ends_at_once),
        CASE(a_lock_state_from_before_the_start_ends_nothing),
        CASE(a_position_is_the_second_sign_of_a_closed_lock_where_it_shows_standing_still),
        cmocka_unit_test(a_ride_holds_its_vehicle_until_it_is_over),
        CASE(the_plan_is_the_same_after_a_restart),
        CASE(a_server_full_of_rides_or_of_commands_refuses_the_next),
        CASE(a_refused_end_is_told_of_its_ride_and_vehicle),
        CASE(a_report_is_not_its_own_second_sign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
