/* SPDX-License-Identifier: Apache-2.0 */
/* The promises of the whole engine: one vehicle's and one rider's life, and that replay and reload give the same. */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
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

TEST(only_the_vehicles_confirmation_starts_the_meter)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    const struct effect_order *ask = town_sent(t, ORDER_UNLOCK);
    assert_non_null(ask);
    assert_int_equal(ask->step, 0);
    const struct ride *r = engine_row(t->engine, ROW_RIDE, town_vehicle(t, "S1")->ride_id);
    assert_int_equal(r->state, RIDE_UNLOCKING);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_AVAILABLE); /* quick starts are no reservations for MDS */
    t->now_ms += 2000;
    town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
    assert_int_equal(town_sent(t, ORDER_UNLOCK)->step, 1);
    assert_int_equal(town_sent(t, ORDER_UNLOCK)->key, 77);
    assert_int_equal(r->started_ms, 0);
    t->now_ms += 1000;
    town_result(t, &town_scooter, COMMAND_OP_UNLOCK, 0);
    assert_int_equal(r->state, RIDE_RIDING);
    assert_int_equal(r->started_ms, t->now_ms);
    assert_int_equal(r->started_by, COMMAND_RESULT_CONFIRMED);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_ON_TRIP);
}

TEST(a_ride_ends_with_the_lock_and_costs_its_started_minutes)
{
    TOWN;
    const struct ride *r = town_ride(t);
    t->now_ms = r->started_ms + 5 * 60000 + 1;
    town_speed(t, &town_scooter, 0, false);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    assert_int_equal(r->state, RIDE_ENDING);
    assert_non_null(town_sent(t, ORDER_LOCK));
    town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
    town_result(t, &town_scooter, COMMAND_OP_LOCK, 0);
    assert_int_equal(r->state, RIDE_SETTLED);
    assert_int_equal(r->reason, RIDE_REASON_RIDER_ENDED);
    assert_int_equal(r->minutes, 6);
    assert_int_equal(r->charge_minor, 1000 + 6 * 250);
    const struct rider *rider = engine_rider(t->engine, town_rider);
    assert_int_equal(rider->owed_minor, 2500);
    assert_int_equal(rider->ride_id, 0);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_AVAILABLE);
    int64_t sum = 0;
    unsigned postings = 0;
    for (unsigned i = 0; i < t->row_count; i++) {
        if (t->rows[i].kind != ROW_POSTING) continue;
        sum += ((const struct posting *)t->rows[i].row)->amount_minor;
        postings++;
    }
    assert_int_equal(postings, 2);
    assert_int_equal(sum, 0);
}

TEST(two_riders_never_get_one_vehicle)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    assert_int_equal(town_start(t, town_other_rider, "S1"), ERR_VEHICLE_NOT_AVAILABLE);
    assert_int_equal(town_start(t, town_rider, "B1"), ERR_RIDER_HAS_RIDE);
}

TEST(a_refused_unlock_costs_nothing_and_frees_the_vehicle)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    const struct ride *r = engine_row(t->engine, ROW_RIDE, town_vehicle(t, "S1")->ride_id);
    town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
    town_result(t, &town_scooter, COMMAND_OP_UNLOCK, 1);
    assert_int_equal(r->state, RIDE_FAILED);
    assert_int_equal(r->charge_minor, 0);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_AVAILABLE);
    assert_int_equal(town_start(t, town_other_rider, "S1"), ERR_OK);
    assert_int_equal(engine_rider(t->engine, town_rider)->ride_id, 0);
}

TEST(a_ride_cancelled_before_the_key_came_opens_nothing)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    const struct ride *r = engine_row(t->engine, ROW_RIDE, town_vehicle(t, "S1")->ride_id);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    assert_int_equal(r->state, RIDE_CANCELLED);
    town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
    assert_null(town_sent(t, ORDER_UNLOCK));
    town_lock_seen(t, &town_scooter, true);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_AVAILABLE);
}

TEST(an_expired_key_is_asked_for_again_with_a_later_stamp)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    uint32_t first = town_sent(t, ORDER_UNLOCK)->stamp;
    for (int i = 0; i < 2; i++) {
        town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
        town_result(t, &town_scooter, COMMAND_OP_UNLOCK, 2);
        assert_int_equal(town_sent(t, ORDER_UNLOCK)->step, 0);
        assert_true(town_sent(t, ORDER_UNLOCK)->stamp > first);
    }
    town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
    town_result(t, &town_scooter, COMMAND_OP_UNLOCK, 2);
    assert_null(town_sent(t, ORDER_UNLOCK));
    assert_int_equal(town_vehicle(t, "S1")->ride_id, 0);
}

TEST(a_timeout_is_unknown_until_a_report_tells)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    const struct ride *r = engine_row(t->engine, ROW_RIDE, town_vehicle(t, "S1")->ride_id);
    const struct command *c = engine_row(t->engine, ROW_COMMAND, r->command_id);
    town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
    town_tick(t, 16000);
    assert_int_equal(c->state, COMMAND_UNKNOWN);
    assert_int_equal(r->state, RIDE_UNLOCKING);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_RESERVED);
    town_lock_seen(t, &town_scooter, false);
    assert_int_equal(c->state, COMMAND_DONE);
    assert_int_equal(c->result, COMMAND_RESULT_INFERRED);
    assert_int_equal(r->state, RIDE_RIDING);
    assert_int_equal(r->started_by, COMMAND_RESULT_INFERRED);
}

TEST(a_report_that_it_stayed_locked_fails_the_ride_without_charge)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    const struct ride *r = engine_row(t->engine, ROW_RIDE, town_vehicle(t, "S1")->ride_id);
    town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
    town_lock_seen(t, &town_scooter, true); /* before the time-out this proves nothing */
    assert_int_equal(r->state, RIDE_UNLOCKING);
    town_tick(t, 16000);
    town_lock_seen(t, &town_scooter, true);
    assert_int_equal(r->state, RIDE_FAILED);
    assert_int_equal(r->reason, RIDE_REASON_STILL_LOCKED);
    assert_int_equal(engine_rider(t->engine, town_rider)->owed_minor, 0);
}

TEST(a_silent_vehicle_fails_the_ride_and_stays_out_of_hire_until_it_says_locked)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    const struct ride *r = engine_row(t->engine, ROW_RIDE, town_vehicle(t, "S1")->ride_id);
    town_tick(t, 61000);
    assert_int_equal(r->state, RIDE_FAILED);
    assert_int_equal(r->reason, RIDE_REASON_UNLOCK_TIMED_OUT);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_NON_OPERATIONAL);
    assert_int_equal(town_start(t, town_other_rider, "S1"), ERR_VEHICLE_NOT_AVAILABLE);
    town_lock_seen(t, &town_scooter, true);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_AVAILABLE);
    assert_int_equal(town_start(t, town_other_rider, "S1"), ERR_OK);
}

TEST(a_late_success_locks_again_and_charges_nobody)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
    town_tick(t, 61000);
    town_result(t, &town_scooter, COMMAND_OP_UNLOCK, 0);
    assert_non_null(town_event(t, EVENT_UNLOCKED_NO_RIDE));
    assert_null(town_sent(t, ORDER_LOCK)); /* not known to stand still */
    town_speed(t, &town_scooter, 0, false);
    assert_non_null(town_sent(t, ORDER_LOCK));
    assert_int_equal(engine_rider(t->engine, town_rider)->owed_minor, 0);
}

TEST(a_moving_vehicle_is_never_locked)
{
    TOWN;
    const struct ride *r = town_ride(t);
    t->now_ms += 60000;
    town_speed(t, &town_scooter, 180, false);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    assert_null(town_sent(t, ORDER_LOCK));
    assert_non_null(town_sent(t, ORDER_STATUS));
    for (int i = 0; i < 5 && r->state == RIDE_ENDING; i++) {
        town_tick(t, 3000);
        town_speed(t, &town_scooter, 180, false);
        assert_null(town_sent(t, ORDER_LOCK));
    }
    assert_int_equal(r->state, RIDE_RIDING);
    assert_int_equal(r->refusal, ERR_VEHICLE_MOVING);
    assert_int_equal(town_order(t, "S1", COMMAND_OP_LOCK), ERR_INTERLOCK);
    assert_int_equal(town_order(t, "S1", COMMAND_OP_RESTART), ERR_INTERLOCK);
}

TEST(movement_between_key_and_lock_withdraws_the_lock)
{
    TOWN;
    const struct ride *r = town_ride(t);
    town_speed(t, &town_scooter, 0, false);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    assert_non_null(town_sent(t, ORDER_LOCK));
    t->now_ms += 500;
    town_speed(t, &town_scooter, 90, false);
    town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
    assert_null(town_sent(t, ORDER_LOCK));
    assert_int_equal(r->state, RIDE_RIDING);
}

TEST(staff_cannot_restart_what_is_not_known_to_stand_still)
{
    TOWN;
    assert_int_equal(town_order(t, "S1", COMMAND_OP_RESTART), ERR_INTERLOCK);
    town_speed(t, &town_scooter, 0, true);
    assert_int_equal(town_order(t, "S1", COMMAND_OP_RESTART), ERR_OK);
    t->now_ms += 16000;
    assert_int_equal(town_order(t, "S1", COMMAND_OP_LOCK), ERR_VEHICLE_BUSY);
}

TEST(an_unconfirmed_lock_lets_the_rider_go_at_the_rider_s_word)
{
    TOWN;
    const struct ride *r = town_ride(t);
    int64_t asked_ms = t->now_ms += 90000;
    town_speed(t, &town_scooter, 0, false);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    town_tick(t, 120000);
    assert_int_equal(r->state, RIDE_SETTLED);
    assert_int_equal(r->reason, RIDE_REASON_LOCK_UNCONFIRMED);
    assert_int_equal(r->ended_ms, asked_ms);
    assert_int_equal(r->minutes, 2);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_NON_OPERATIONAL);
}

TEST(a_horseshoe_lock_closed_by_hand_ends_its_ride)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "B1"), ERR_OK);
    assert_int_equal(town_sent(t, ORDER_UNLOCK)->step, 0);
    town_result(t, &town_lock, COMMAND_OP_UNLOCK, 0);
    const struct ride *r = engine_row(t->engine, ROW_RIDE, town_vehicle(t, "B1")->ride_id);
    assert_int_equal(r->state, RIDE_RIDING);
    t->now_ms += 61000;
    town_result(t, &town_lock, COMMAND_OP_LOCK, 0); /* names user and stamp of the unlock */
    assert_int_equal(r->state, RIDE_SETTLED);
    assert_int_equal(r->reason, RIDE_REASON_LOCK_CLOSED);
    assert_int_equal(r->minutes, 2);
}

TEST(an_open_horseshoe_lock_refuses_the_end)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "B1"), ERR_OK);
    town_result(t, &town_lock, COMMAND_OP_UNLOCK, 0);
    const struct ride *r = engine_row(t->engine, ROW_RIDE, town_vehicle(t, "B1")->ride_id);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    assert_null(town_sent(t, ORDER_LOCK));
    town_lock_seen(t, &town_lock, false);
    town_tick(t, 121000);
    assert_int_equal(r->state, RIDE_RIDING);
    assert_int_equal(r->refusal, ERR_CLOSE_LOCK);
    assert_int_equal(town_order(t, "B1", COMMAND_OP_LOCK), ERR_COMMAND_UNSUPPORTED);
}

TEST(a_lone_lock_report_does_not_end_a_ride)
{
    TOWN;
    const struct ride *r = town_ride(t);
    t->now_ms += 30000;
    int64_t closed_ms = t->now_ms;
    struct fact f = {.kind = FACT_LOCK_RESULT, .lock_result = {.session = 1, .protocol = PROTOCOL_OMNI, .ident = town_scooter,
                                                               .op = COMMAND_OP_LOCK}};
    town_apply(t, &f);
    assert_int_equal(r->state, RIDE_RIDING);
    t->now_ms += 9000;
    town_lock_seen(t, &town_scooter, true);
    assert_int_equal(r->state, RIDE_SETTLED);
    assert_int_equal(r->ended_ms, closed_ms);
}

TEST(a_forgotten_ride_ends_at_its_last_movement)
{
    TOWN;
    const struct ride *r = town_ride(t);
    t->now_ms += 10 * 60000;
    town_speed(t, &town_scooter, 150, false);
    int64_t moved_ms = t->now_ms;
    town_tick(t, 3 * 3600000);
    assert_int_equal(r->state, RIDE_SETTLED);
    assert_int_equal(r->reason, RIDE_REASON_TOO_LONG);
    assert_int_equal(r->ended_ms, moved_ms);
}

TEST(silence_is_non_contactable_and_the_trip_end_is_paid_on_return)
{
    TOWN;
    const struct ride *r = town_ride(t);
    town_tick(t, 601000);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_NON_CONTACTABLE);
    assert_int_equal(r->state, RIDE_RIDING);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    town_tick(t, 120000);
    assert_int_equal(r->state, RIDE_SETTLED);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_NON_CONTACTABLE);
    town_lock_seen(t, &town_scooter, true);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_AVAILABLE);
    unsigned events = town_effect_count(t, EFFECT_EVENT);
    assert_true(events >= 4); /* comms_restored, trip_end, maintenance, maintenance */
}

TEST(the_same_request_again_gets_the_same_answer_and_acts_once)
{
    TOWN;
    struct fact f = {.kind = FACT_RIDE_START, .ride_start = {.account = town_rider, .key0 = 99, .body_hash = 7}};
    text_clip(&f.ride_start.code, bytes_text("S1"));
    town_apply(t, &f);
    struct uuid ride = engine_rider(t->engine, town_rider)->uuid;
    for (unsigned i = 0; i < t->effects.count; i++) {
        if (t->effects.at[i].kind == EFFECT_REPLY) ride = t->effects.at[i].reply.subject;
    }
    town_apply(t, &f);
    assert_int_equal(t->effects.count, 1);
    assert_true(t->effects.at[0].reply.again);
    assert_true(uuid_equal(t->effects.at[0].reply.subject, ride));
    assert_int_equal(engine_row_count(t->engine, ROW_RIDE), 1);
    f.ride_start.body_hash = 8;
    town_apply(t, &f);
    assert_int_equal(t->effects.at[0].reply.code, ERR_IDEMPOTENCY_MISMATCH);
    town_tick(t, 24 * 3600000ll + 1);
    assert_int_equal(engine_row_count(t->engine, ROW_ANSWER), 0);
}

TEST(a_low_battery_takes_a_vehicle_out_and_charge_brings_it_back)
{
    TOWN;
    town_report(t, &town_scooter, 1, (struct fact_report){.has = HAS_BATTERY, .battery_pct = 14});
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_NON_OPERATIONAL);
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_VEHICLE_BATTERY_LOW);
    town_report(t, &town_scooter, 1, (struct fact_report){.has = HAS_BATTERY, .battery_pct = 16});
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_NON_OPERATIONAL);
    town_report(t, &town_scooter, 1, (struct fact_report){.has = HAS_BATTERY, .battery_pct = 90});
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_AVAILABLE);
}

TEST(an_unregistered_device_reaches_quarantine_and_never_the_fleet)
{
    TOWN;
    for (unsigned i = 0; i < 6; i++) {
        struct text64 ident = {15, "490154203237500"};
        ident.at[14] = (char)('0' + i);
        town_report(t, &ident, 50 + i, (struct fact_report){.has = HAS_LOCKED});
        t->now_ms += 1000;
    }
    assert_int_equal(engine_row_count(t->engine, ROW_QUARANTINE), 4); /* its limit here: the oldest made room */
    assert_int_equal(engine_row_count(t->engine, ROW_DEVICE), 2);
}

TEST(a_device_registered_while_connected_need_not_connect_anew)
{
    TOWN;
    struct text64 ident = {15, "490154203237591"};
    struct fact f = {.kind = FACT_SESSION_OPENED, .session_opened = {33, PROTOCOL_OMNI, ident, CAP_ASK_STATUS}};
    town_apply(t, &f);
    f = (struct fact){.kind = FACT_VEHICLE_SET, .vehicle_set = {.protocol = PROTOCOL_OMNI, .ident = ident}};
    text_clip(&f.vehicle_set.code, bytes_text("N1"));
    text_clip(&f.vehicle_set.city, bytes_text("gothenburg"));
    text_clip(&f.vehicle_set.vehicle_type, bytes_text("scooter"));
    town_apply(t, &f);
    const struct device *d = engine_device(t->engine, PROTOCOL_OMNI, text_bytes(&ident));
    assert_int_equal(d->session, 33);
    town_report(t, &ident, 33, (struct fact_report){.has = HAS_LOCKED, .locked = true});
    assert_int_equal(d->lock_state, LOCK_STATE_LOCKED);
    /* When even the quarantine forgot it, it is told to sign in anew rather than ignored for ever. */
    f = (struct fact){.kind = FACT_SESSION_CLOSED, .session_closed = {33, PROTOCOL_OMNI, ident}};
    town_apply(t, &f);
    town_report(t, &ident, 34, (struct fact_report){.has = HAS_LOCKED, .locked = false});
    assert_int_equal(town_effect_count(t, EFFECT_HANG_UP), 1);
    assert_int_equal(d->lock_state, LOCK_STATE_LOCKED);
}

TEST(a_second_connection_takes_over_and_a_third_at_once_does_not)
{
    TOWN;
    struct fact f = {.kind = FACT_SESSION_OPENED, .session_opened = {7, PROTOCOL_OMNI, town_scooter, CAP_LOCK}};
    town_apply(t, &f);
    assert_int_equal(engine_device(t->engine, PROTOCOL_OMNI, text_bytes(&town_scooter))->session, 7);
    assert_int_equal(town_effect_count(t, EFFECT_HANG_UP), 1);
    f.session_opened.session = 8;
    t->now_ms += 1000;
    town_apply(t, &f);
    assert_int_equal(engine_device(t->engine, PROTOCOL_OMNI, text_bytes(&town_scooter))->session, 7);
    assert_int_equal(town_effect_count(t, EFFECT_HANG_UP), 1);
    town_report(t, &town_scooter, 1, (struct fact_report){.has = HAS_BATTERY, .battery_pct = 1});
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_AVAILABLE); /* the old connection has no say */
}

TEST(a_restart_makes_commands_unknown_and_asks)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    const struct ride *r = engine_row(t->engine, ROW_RIDE, town_vehicle(t, "S1")->ride_id);
    town_apply(t, &(struct fact){.kind = FACT_NODE_STARTED, .node_started = {2, 5, 6}});
    town_tick(t, 0);
    const struct command *c = engine_row(t->engine, ROW_COMMAND, r->command_id);
    assert_int_equal(c->state, COMMAND_UNKNOWN);
    assert_int_equal(c->result, COMMAND_RESULT_RESTARTED);
    struct fact f = {.kind = FACT_SESSION_OPENED, .session_opened = {9, PROTOCOL_OMNI, town_scooter,
                                                                     CAP_LOCK | CAP_KEY_STEP | CAP_ASK_STATUS | CAP_SPEED}};
    town_apply(t, &f);
    assert_non_null(town_sent(t, ORDER_STATUS));
    assert_null(town_sent(t, ORDER_UNLOCK)); /* never repeated */
}

TEST(what_is_settled_leaves_memory_only_when_the_tables_hold_it)
{
    TOWN;
    a_ride_ends_with_the_lock_and_costs_its_started_minutes(state);
    assert_int_equal(engine_row_count(t->engine, ROW_RIDE), 1);
    uint64_t written = t->seq;
    town_apply(t, &(struct fact){.kind = FACT_TABLES_WRITTEN, .tables_written = {written - 1}});
    town_tick(t, 0);
    assert_int_equal(engine_row_count(t->engine, ROW_RIDE), 1);
    town_apply(t, &(struct fact){.kind = FACT_TABLES_WRITTEN, .tables_written = {written}});
    town_tick(t, 0);
    assert_int_equal(engine_row_count(t->engine, ROW_RIDE), 0);
    assert_int_equal(engine_row_count(t->engine, ROW_COMMAND), 0);
}

TEST(replay_and_reload_give_the_same_state)
{
    TOWN;
    a_ride_ends_with_the_lock_and_costs_its_started_minutes(state);
    town_apply(t, &(struct fact){.kind = FACT_TABLES_WRITTEN, .tables_written = {t->seq}});
    (void)town_ride(t);
    town_tick(t, 700000);
    void *memory;
    struct engine *loaded = town_reload(t, &memory);
    assert_int_equal(engine_hash(loaded), engine_hash(t->engine));
    /* Both live on alike. */
    struct town copy = *t;
    copy.engine = loaded;
    copy.effects.at = calloc(copy.effects.cap, sizeof *copy.effects.at);
    unsigned from = t->fact_count;
    town_lock_seen(t, &town_scooter, true);
    town_tick(t, 10000000);
    for (unsigned i = from; i < t->fact_count; i++) {
        copy.effects.count = 0;
        engine_step(loaded, ++copy.seq, &t->facts[i], &copy.effects);
        engine_drain_changes(loaded, NULL, NULL);
        assert_int_equal(copy.effects.sum, t->sums[i]);
    }
    assert_int_equal(engine_hash(loaded), engine_hash(t->engine));
    free(copy.effects.at);
    free(memory);
}

TEST(one_changed_fact_changes_the_hash)
{
    TOWN;
    uint64_t before = engine_hash(t->engine);
    town_report(t, &town_scooter, 1, (struct fact_report){.has = HAS_BATTERY, .battery_pct = 80});
    uint64_t same_battery = engine_hash(t->engine);
    assert_true(before != same_battery);
    town_report(t, &town_scooter, 1, (struct fact_report){.has = HAS_BATTERY, .battery_pct = 81});
    assert_true(same_battery != engine_hash(t->engine));
}

TEST(mds_has_89_transitions)
{
    (void)state;
    unsigned rows = 0;
    for (unsigned from = 0; from < VEHICLE_STATE_N; from++) {
        for (unsigned event = 0; event < VEHICLE_EVENT_N; event++) {
            for (unsigned to = 0; to < VEHICLE_STATE_N; to++) rows += vehicle_may(from, event, to);
        }
    }
    assert_int_equal(rows, 89);
    assert_false(vehicle_may(VEHICLE_ON_TRIP, VEHICLE_EVENT_BATTERY_LOW, VEHICLE_NON_OPERATIONAL));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(only_the_vehicles_confirmation_starts_the_meter),
        CASE(a_ride_ends_with_the_lock_and_costs_its_started_minutes),
        CASE(two_riders_never_get_one_vehicle),
        CASE(a_refused_unlock_costs_nothing_and_frees_the_vehicle),
        CASE(a_ride_cancelled_before_the_key_came_opens_nothing),
        CASE(an_expired_key_is_asked_for_again_with_a_later_stamp),
        CASE(a_timeout_is_unknown_until_a_report_tells),
        CASE(a_report_that_it_stayed_locked_fails_the_ride_without_charge),
        CASE(a_silent_vehicle_fails_the_ride_and_stays_out_of_hire_until_it_says_locked),
        CASE(a_late_success_locks_again_and_charges_nobody),
        CASE(a_moving_vehicle_is_never_locked),
        CASE(movement_between_key_and_lock_withdraws_the_lock),
        CASE(staff_cannot_restart_what_is_not_known_to_stand_still),
        CASE(an_unconfirmed_lock_lets_the_rider_go_at_the_rider_s_word),
        CASE(a_horseshoe_lock_closed_by_hand_ends_its_ride),
        CASE(an_open_horseshoe_lock_refuses_the_end),
        CASE(a_lone_lock_report_does_not_end_a_ride),
        CASE(a_forgotten_ride_ends_at_its_last_movement),
        CASE(silence_is_non_contactable_and_the_trip_end_is_paid_on_return),
        CASE(the_same_request_again_gets_the_same_answer_and_acts_once),
        CASE(a_low_battery_takes_a_vehicle_out_and_charge_brings_it_back),
        CASE(an_unregistered_device_reaches_quarantine_and_never_the_fleet),
        CASE(a_device_registered_while_connected_need_not_connect_anew),
        CASE(a_second_connection_takes_over_and_a_third_at_once_does_not),
        CASE(a_restart_makes_commands_unknown_and_asks),
        CASE(what_is_settled_leaves_memory_only_when_the_tables_hold_it),
        CASE(replay_and_reload_give_the_same_state),
        CASE(one_changed_fact_changes_the_hash),
        cmocka_unit_test(mds_has_89_transitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
