/* SPDX-License-Identifier: Apache-2.0 */
/* What a hostile reading of the engine found, a test each: state that depended on history, vehicles and devices that got
 * stuck, evidence that was none, settings that broke arithmetic. */
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

static void set(void *text, size_t room, const char *from)
{
    text_clip_room(text, room, bytes_text(from));
}
#define SET(text, from) set(&(text), sizeof (text).at, (from))

static enum err_code reply(const struct town *t)
{
    for (unsigned i = 0; i < t->effects.count; i++) {
        if (t->effects.at[i].kind == EFFECT_REPLY) return t->effects.at[i].reply.code;
    }
    fail_msg("no reply");
    return ERR_STATE;
}

static enum err_code declare_type(struct town *t, const char *code, int64_t heartbeat_ms, uint8_t battery_min_pct)
{
    struct fact f = {.kind = FACT_VEHICLE_TYPE_SET, .vehicle_type_set = {.heartbeat_ms = heartbeat_ms,
                                                                         .battery_min_pct = battery_min_pct, .motor = true}};
    SET(f.vehicle_type_set.code, code);
    town_apply(t, &f);
    return reply(t);
}

static enum err_code declare_vehicle(struct town *t, const char *code, const char *city, const char *type, const char *ident)
{
    struct fact f = {.kind = FACT_VEHICLE_SET, .vehicle_set = {.protocol = *ident ? PROTOCOL_OMNI : 0}};
    SET(f.vehicle_set.code, code);
    SET(f.vehicle_set.city, city);
    SET(f.vehicle_set.vehicle_type, type);
    SET(f.vehicle_set.ident, ident);
    town_apply(t, &f);
    return reply(t);
}

static enum err_code declare_city(struct town *t, const char *code, int64_t ride_max_ms)
{
    struct fact f = {.kind = FACT_CITY_SET, .city_set = {.lat_e7 = 577089000, .lon_e7 = 119746000, .ride_max_ms = ride_max_ms}};
    SET(f.city_set.code, code);
    SET(f.city_set.entity, "se");
    town_apply(t, &f);
    return reply(t);
}

/* The same facts on an engine loaded from tables give the same effects. */
static void assert_both_live_on_alike(struct town *t, int64_t for_ms, int64_t step_ms)
{
    void *memory;
    struct engine *loaded = town_reload(t, &memory);
    struct effects effects = {.cap = EFFECTS_PER_FACT_MAX, .at = calloc(EFFECTS_PER_FACT_MAX, sizeof *effects.at)};
    assert_non_null(effects.at);
    for (int64_t until_ms = t->now_ms + for_ms; t->now_ms < until_ms;) {
        t->now_ms += step_ms;
        town_apply(t, &(struct fact){.kind = FACT_TICK});
        effects.count = 0;
        engine_step(loaded, t->seq, &t->facts[t->fact_count - 1], &effects);
        assert_int_equal(effects.sum, t->effects.sum);
        assert_int_equal(engine_hash(loaded), engine_hash(t->engine));
    }
    free(effects.at);
    free(memory);
}

/* ---- the same everywhere ---- */

TEST(a_shorter_heartbeat_means_the_same_after_a_restart)
{
    TOWN;
    assert_int_equal(declare_type(t, "scooter", 60000, 15), ERR_OK);
    assert_both_live_on_alike(t, 900000, 10000);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_NON_CONTACTABLE);
}

TEST(another_vehicle_type_means_the_same_after_a_restart)
{
    TOWN;
    assert_int_equal(declare_type(t, "hasty", 30000, 15), ERR_OK);
    assert_int_equal(declare_vehicle(t, "S1", "gothenburg", "hasty", "490154203237518"), ERR_OK);
    assert_both_live_on_alike(t, 900000, 10000);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_NON_CONTACTABLE);
}

/* ---- nothing is stuck ---- */

static void answer_over(struct town *t, uint64_t session, const struct effect_order *order)
{
    struct fact f = {.kind = FACT_LOCK_RESULT, .lock_result = {.session = session, .protocol = PROTOCOL_OMNI, .ident = town_scooter,
                                                               .op = order->op, .user = order->user, .stamp = order->stamp}};
    town_apply(t, &f);
}

TEST(a_trip_that_began_while_the_vehicle_was_silent_is_told_and_ends)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    struct effect_order order = *town_sent(t, ORDER_UNLOCK);
    const struct ride *r = engine_row(t->engine, ROW_RIDE, town_vehicle(t, "S1")->ride_id);
    assert_int_equal(town_mark(t, "S1", VEHICLE_EVENT_COMMS_LOST, 0), ERR_OK);
    answer_over(t, 77, &order); /* its old connection still brought the answer */
    assert_int_equal(r->state, RIDE_RIDING);
    town_lock_seen(t, &town_scooter, false);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_ON_TRIP);
    assert_int_equal(town_vehicle(t, "S1")->last_event, VEHICLE_EVENT_TRIP_START);
    t->now_ms += 60000;
    town_speed(t, &town_scooter, 0, false);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    town_lock_seen(t, &town_scooter, true);
    assert_int_equal(r->state, RIDE_SETTLED);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_AVAILABLE);
}

TEST(a_trip_that_began_and_ended_while_the_vehicle_was_silent_is_told_whole)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    struct effect_order order = *town_sent(t, ORDER_UNLOCK);
    const struct ride *r = engine_row(t->engine, ROW_RIDE, town_vehicle(t, "S1")->ride_id);
    assert_int_equal(town_mark(t, "S1", VEHICLE_EVENT_COMMS_LOST, 0), ERR_OK);
    answer_over(t, 77, &order);
    t->now_ms += 61000;
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    town_tick(t, 400000);
    assert_int_equal(r->state, RIDE_SETTLED);
    town_lock_seen(t, &town_scooter, true);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_AVAILABLE);
    assert_int_equal(engine_coverage(t->engine)->vehicle[VEHICLE_AVAILABLE][VEHICLE_EVENT_TRIP_START][VEHICLE_ON_TRIP], 1);
    assert_int_equal(engine_coverage(t->engine)->vehicle[VEHICLE_ON_TRIP][VEHICLE_EVENT_TRIP_END][VEHICLE_AVAILABLE], 1);
}

TEST(an_order_that_no_list_knows_is_refused)
{
    TOWN;
    assert_int_equal(town_order(t, "S1", (enum command_op)4), ERR_INVALID);
    assert_int_equal(town_vehicle(t, "S1")->command_id, 0);
}

TEST(a_device_that_died_over_an_order_can_be_replaced)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    assert_int_equal(declare_vehicle(t, "S1", "gothenburg", "scooter", "new one"), ERR_RIDE_OPEN);
    assert_int_equal(town_order(t, "S1", COMMAND_OP_LOCATE), ERR_OK);
    town_tick(t, 3600000);
    const struct vehicle *v = town_vehicle(t, "S1");
    const struct command *c = engine_row(t->engine, ROW_COMMAND, v->command_id);
    assert_int_equal(c->state, COMMAND_UNKNOWN);
    assert_int_equal(v->ride_id, 0);
    assert_int_equal(declare_vehicle(t, "S1", "gothenburg", "scooter", "new one"), ERR_OK);
    assert_int_equal(c->state, COMMAND_FAILED);
    assert_int_equal(c->result, COMMAND_RESULT_NO_ANSWER);
    assert_int_equal(v->command_id, 0);
    assert_int_equal(v->side_command_id, 0);
}

TEST(a_vehicle_put_out_with_a_silent_device_does_not_stay_available)
{
    TOWN;
    assert_int_equal(town_mark(t, "S1", VEHICLE_EVENT_MAINTENANCE_PICK_UP, 0), ERR_OK);
    town_tick(t, 3600000);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_REMOVED);
    assert_int_equal(town_mark(t, "S1", VEHICLE_EVENT_PROVIDER_DROP_OFF, 0), ERR_OK);
    town_tick(t, 3600000);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_NON_CONTACTABLE);
}

TEST(a_device_that_fell_silent_elsewhere_counts_as_silent_on_its_new_vehicle)
{
    TOWN;
    town_tick(t, 3600000);
    assert_int_equal(declare_vehicle(t, "S1", "gothenburg", "scooter", "new one"), ERR_OK); /* frees the silent one */
    assert_int_equal(declare_vehicle(t, "N1", "gothenburg", "scooter", "490154203237518"), ERR_OK);
    assert_int_equal(town_mark(t, "N1", VEHICLE_EVENT_PROVIDER_DROP_OFF, 0), ERR_OK);
    town_tick(t, 3600000);
    assert_int_equal(town_vehicle(t, "N1")->state, VEHICLE_NON_CONTACTABLE);
}

TEST(suspicion_that_ended_in_silence_leaves_nothing_behind)
{
    TOWN;
    t->now_ms += 1000;
    town_speed(t, &town_scooter, 0, false); /* open without a ride: locked again */
    const struct effect_order *sent = town_sent(t, ORDER_LOCK);
    assert_non_null(sent);
    struct effect_order order = *sent;
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_NON_OPERATIONAL);
    assert_int_equal(town_mark(t, "S1", VEHICLE_EVENT_COMMS_LOST, 0), ERR_OK);
    answer_over(t, 77, &order);
    assert_false(town_vehicle(t, "S1")->suspect);
    town_lock_seen(t, &town_scooter, true);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_AVAILABLE);
}

TEST(a_lower_bound_for_the_battery_frees_whom_the_old_one_held)
{
    TOWN;
    struct fact_report low = {.has = HAS_BATTERY | HAS_LOCKED, .battery_pct = 12, .locked = true};
    town_report(t, &town_scooter, 1, low);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_NON_OPERATIONAL);
    assert_int_equal(declare_type(t, "scooter", 240000, 5), ERR_OK);
    town_report(t, &town_scooter, 1, low);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_AVAILABLE);
}

/* ---- evidence ---- */

TEST(two_fixes_at_riding_speed_are_no_proof_of_standing_still)
{
    TOWN;
    struct fact_report fix = {.has = HAS_POSITION, .lat_e7 = 577089000, .lon_e7 = 119746000};
    const struct device *d = engine_device(t->engine, PROTOCOL_OMNI, text_bytes(&town_lock)); /* reports no speed */
    for (int i = 0; i < 4; i++) {
        t->now_ms += 3000;
        fix.lat_e7 += 1000; /* 11 m in 3 s: 13 km/h */
        town_report(t, &town_lock, 2, fix);
        assert_int_equal(d->still_ms, 0);
    }
    assert_int_equal(town_order(t, "B1", COMMAND_OP_RESTART), ERR_INTERLOCK);
    for (int i = 0; i < 2; i++) {
        t->now_ms += 3000;
        fix.lat_e7 += 100; /* 1 m: noise */
        town_report(t, &town_lock, 2, fix);
    }
    assert_int_equal(d->still_ms, t->now_ms);
    t->now_ms += 55000;
    town_report(t, &town_lock, 2, fix); /* nobody knows where it went between */
    assert_int_not_equal(d->still_ms, t->now_ms);
}

TEST(a_repeated_lock_report_is_not_its_own_second_sign)
{
    TOWN;
    const struct ride *r = town_ride(t);
    struct fact f = {.kind = FACT_LOCK_RESULT, .lock_result = {.session = 1, .protocol = PROTOCOL_OMNI, .ident = town_scooter,
                                                               .op = COMMAND_OP_LOCK}};
    for (int i = 0; i < 4; i++) {
        t->now_ms += 5000;
        town_apply(t, &f);
        assert_int_equal(r->state, RIDE_RIDING);
    }
    town_lock_seen(t, &town_scooter, true);
    assert_int_equal(r->state, RIDE_SETTLED);
    assert_int_equal(r->ended_ms, t->now_ms - 15000);
}

TEST(a_fix_from_before_time_is_not_believed)
{
    TOWN;
    struct fact_report fix = {.has = HAS_POSITION, .lat_e7 = 577089000, .lon_e7 = 119746000, .fix_ms = INT64_MIN};
    const struct device *d = engine_device(t->engine, PROTOCOL_OMNI, text_bytes(&town_lock));
    town_report(t, &town_lock, 2, fix);
    assert_false(d->has_fix);
    fix.fix_ms = t->now_ms;
    town_report(t, &town_lock, 2, fix);
    assert_true(d->has_fix);
}

TEST(what_comes_over_no_connection_is_not_heard)
{
    TOWN;
    struct fact f = {.kind = FACT_SESSION_CLOSED, .session_closed = {1, PROTOCOL_OMNI, town_scooter}};
    town_apply(t, &f);
    t->now_ms += 5000;
    town_report(t, &town_scooter, 0, (struct fact_report){.has = HAS_LOCKED, .locked = false});
    const struct device *d = engine_device(t->engine, PROTOCOL_OMNI, text_bytes(&town_scooter));
    assert_int_equal(d->lock_state, LOCK_STATE_LOCKED);
    assert_int_not_equal(d->seen_ms, t->now_ms);
}

TEST(a_result_of_no_lock_order_moves_no_lock)
{
    TOWN;
    struct fact f = {.kind = FACT_LOCK_RESULT, .lock_result = {.session = 1, .protocol = PROTOCOL_OMNI, .ident = town_scooter,
                                                               .op = COMMAND_OP_RING}};
    town_apply(t, &f);
    assert_int_equal(engine_device(t->engine, PROTOCOL_OMNI, text_bytes(&town_scooter))->lock_state, LOCK_STATE_LOCKED);
    assert_false(town_vehicle(t, "S1")->suspect);
}

/* ---- settings ---- */

TEST(the_longest_ride_has_a_bound)
{
    TOWN;
    assert_int_equal(declare_city(t, "gothenburg", INT64_MAX), ERR_INVALID);
    assert_int_equal(declare_city(t, "gothenburg", 30 * 86400000ll), ERR_OK);
    assert_non_null(town_ride(t));
}

TEST(the_decimals_of_books_never_change)
{
    TOWN;
    struct fact f = {.kind = FACT_LEGAL_ENTITY_SET, .legal_entity_set = {.decimals = 0}};
    SET(f.legal_entity_set.code, "se");
    SET(f.legal_entity_set.currency, "SEK");
    town_apply(t, &f);
    assert_int_equal(reply(t), ERR_INVALID);
}

TEST(a_refused_vehicle_changes_nothing)
{
    TOWN;
    assert_int_equal(declare_city(t, "boras", 0), ERR_OK);
    uint64_t city_id = town_vehicle(t, "S1")->city_id;
    assert_int_equal(declare_vehicle(t, "S1", "boras", "scooter", "356938035643809"), ERR_DEVICE_TAKEN);
    assert_int_equal(town_vehicle(t, "S1")->city_id, city_id);
    assert_int_equal(declare_vehicle(t, "S1", "boras", "scooter", ""), ERR_OK);
    assert_int_not_equal(town_vehicle(t, "S1")->city_id, city_id);
}

TEST(what_is_declared_can_be_declared_again_when_everything_is_full)
{
    TOWN;
    char ident[4] = "X00";
    for (int i = 0; engine_row_count(t->engine, ROW_DEVICE) < engine_row_limit(t->engine, ROW_DEVICE); i++) {
        char code[4] = {'N', (char)('0' + i / 10), (char)('0' + i % 10), 0};
        memcpy(ident + 1, code + 1, 2);
        assert_int_equal(declare_vehicle(t, code, "gothenburg", "scooter", ident), ERR_OK);
    }
    assert_int_equal(declare_vehicle(t, "ONE", "gothenburg", "scooter", "too many"), ERR_FULL);
    assert_int_equal(declare_vehicle(t, "S1", "gothenburg", "scooter", "too many"), ERR_FULL);
    assert_int_equal(declare_vehicle(t, "S1", "gothenburg", "scooter", "490154203237518"), ERR_OK);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_shorter_heartbeat_means_the_same_after_a_restart),
        CASE(another_vehicle_type_means_the_same_after_a_restart),
        CASE(a_trip_that_began_while_the_vehicle_was_silent_is_told_and_ends),
        CASE(a_trip_that_began_and_ended_while_the_vehicle_was_silent_is_told_whole),
        CASE(an_order_that_no_list_knows_is_refused),
        CASE(a_device_that_died_over_an_order_can_be_replaced),
        CASE(a_vehicle_put_out_with_a_silent_device_does_not_stay_available),
        CASE(a_device_that_fell_silent_elsewhere_counts_as_silent_on_its_new_vehicle),
        CASE(suspicion_that_ended_in_silence_leaves_nothing_behind),
        CASE(a_lower_bound_for_the_battery_frees_whom_the_old_one_held),
        CASE(two_fixes_at_riding_speed_are_no_proof_of_standing_still),
        CASE(a_repeated_lock_report_is_not_its_own_second_sign),
        CASE(a_fix_from_before_time_is_not_believed),
        CASE(what_comes_over_no_connection_is_not_heard),
        CASE(a_result_of_no_lock_order_moves_no_lock),
        CASE(the_longest_ride_has_a_bound),
        CASE(the_decimals_of_books_never_change),
        CASE(a_refused_vehicle_changes_nothing),
        CASE(what_is_declared_can_be_declared_again_when_everything_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
