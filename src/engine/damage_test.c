/* SPDX-License-Identifier: Apache-2.0 */
/* damage_test.c: what somebody says is broken is not rented again before staff looked at it; nobody empties a street. */
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
#define SCOOTER "S1"

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

static enum err_code report_key(struct town *t, struct uuid account, bool by_staff, enum damage_kind kind, uint64_t key)
{
    struct fact f = {.kind = FACT_DAMAGE_REPORT, .damage_report = {.account = account, .key0 = key, .body_hash = kind,
                                                                   .damage = (uint8_t)kind, .by_staff = by_staff}};
    must(!text_set(&f.damage_report.code, bytes_text(SCOOTER)).code);
    town_apply(t, &f);
    assert_int_equal(town_effect_count(t, EFFECT_REPLY), 1);
    for (uint32_t i = 0; i < t->effects.count; i++) {
        if (t->effects.at[i].kind == EFFECT_REPLY) return t->effects.at[i].reply.code;
    }
    fail();
    return ERR_OK;
}

static enum err_code report(struct town *t, enum damage_kind kind)
{
    return report_key(t, town_rider, false, kind, ++t->next_key);
}

static enum vehicle_state state_of(const struct town *t) { return town_vehicle(t, SCOOTER)->state; }

TEST(a_damaged_vehicle_is_not_rented_until_staff_looked_at_it)
{
    TOWN;
    assert_int_equal(report(t, DAMAGE_BRAKES), ERR_OK);
    const struct event *e = town_event(t, EVENT_DAMAGE_REPORTED);
    assert_non_null(e);
    assert_int_equal(e->number, DAMAGE_BRAKES);
    assert_true(uuid_equal(e->actor, town_rider));
    assert_true(text_is(&e->code, SCOOTER));
    assert_int_equal(state_of(t), VEHICLE_NON_OPERATIONAL);
    assert_int_equal(town_vehicle(t, SCOOTER)->last_event, VEHICLE_EVENT_MAINTENANCE);
    assert_int_equal(town_vehicle(t, SCOOTER)->damage, DAMAGE_BRAKES);
    assert_int_equal(town_vehicle(t, SCOOTER)->damage_ms, t->now_ms);
    assert_int_not_equal(town_start(t, town_rider, SCOOTER), ERR_OK);
    assert_int_equal(town_mark(t, SCOOTER, VEHICLE_EVENT_MAINTENANCE, 0), ERR_OK);
    assert_int_equal(state_of(t), VEHICLE_AVAILABLE);
    assert_int_equal(town_vehicle(t, SCOOTER)->damage, 0);
    assert_int_equal(town_start(t, town_rider, SCOOTER), ERR_OK);
}

TEST(opening_the_system_again_is_no_inspection)
{
    TOWN;
    assert_int_equal(report(t, DAMAGE_WHEEL), ERR_OK);
    assert_int_equal(town_mark(t, SCOOTER, VEHICLE_EVENT_SYSTEM_RESUME, 0), ERR_OK);
    assert_int_equal(state_of(t), VEHICLE_NON_OPERATIONAL);
    assert_int_equal(town_vehicle(t, SCOOTER)->damage, DAMAGE_WHEEL);
}

TEST(a_damage_said_during_a_ride_takes_effect_behind_it)
{
    TOWN;
    const struct ride *r = town_ride(t);
    struct uuid ride = r->uuid;
    assert_int_equal(report(t, DAMAGE_FRAME), ERR_OK);
    assert_int_equal(state_of(t), VEHICLE_ON_TRIP);
    assert_int_equal(r->state, RIDE_RIDING);
    assert_int_equal(town_effect_count(t, EFFECT_ORDER), 0);
    t->now_ms += 60000;
    town_speed(t, &town_scooter, 0, false);
    assert_int_equal(town_end(t, town_rider, ride), ERR_OK);
    town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
    town_result(t, &town_scooter, COMMAND_OP_LOCK, 0);
    assert_int_equal(engine_ride(t->engine, ride)->state, RIDE_SETTLED);
    assert_int_equal(state_of(t), VEHICLE_NON_OPERATIONAL);
    void *memory;
    struct engine *again = town_reload(t, &memory);
    assert_int_equal(engine_hash(again), engine_hash(t->engine));
    free(memory);
}

TEST(dirt_is_told_and_rides_on)
{
    TOWN;
    assert_int_equal(report(t, DAMAGE_DIRTY), ERR_OK);
    assert_non_null(town_event(t, EVENT_DAMAGE_REPORTED));
    assert_int_equal(state_of(t), VEHICLE_AVAILABLE);
}

TEST(the_same_report_again_is_one_report)
{
    TOWN;
    assert_int_equal(report_key(t, town_rider, false, DAMAGE_LOCK, 77), ERR_OK);
    assert_int_equal(town_mark(t, SCOOTER, VEHICLE_EVENT_MAINTENANCE, 0), ERR_OK);
    assert_int_equal(report_key(t, town_rider, false, DAMAGE_LOCK, 77), ERR_OK);
    assert_int_equal(state_of(t), VEHICLE_AVAILABLE);
    assert_int_equal(report_key(t, town_rider, false, DAMAGE_SEAT, 77), ERR_IDEMPOTENCY_MISMATCH);
}

TEST(one_rider_cannot_empty_a_street)
{
    TOWN;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(report(t, DAMAGE_LIGHTS), ERR_OK);
        assert_int_equal(state_of(t), VEHICLE_NON_OPERATIONAL);
        assert_int_equal(town_mark(t, SCOOTER, VEHICLE_EVENT_MAINTENANCE, 0), ERR_OK);
    }
    assert_int_equal(report(t, DAMAGE_LIGHTS), ERR_OK); /* told, and no more */
    assert_non_null(town_event(t, EVENT_DAMAGE_REPORTED));
    assert_int_equal(state_of(t), VEHICLE_AVAILABLE);
    assert_int_equal(report_key(t, town_staff, true, DAMAGE_LIGHTS, ++t->next_key), ERR_OK);
    assert_int_equal(state_of(t), VEHICLE_NON_OPERATIONAL);
    assert_int_equal(town_mark(t, SCOOTER, VEHICLE_EVENT_MAINTENANCE, 0), ERR_OK);
    t->now_ms += 3600000; /* the device stays silent meanwhile, but no tick has noticed */
    assert_int_equal(report(t, DAMAGE_LIGHTS), ERR_OK);
    assert_int_equal(town_vehicle(t, SCOOTER)->damage, DAMAGE_LIGHTS);
}

TEST(strangers_and_nonsense_are_refused)
{
    TOWN;
    struct uuid nobody = {{200}};
    assert_int_equal(report_key(t, nobody, false, DAMAGE_LOCK, 1), ERR_FORBIDDEN);
    assert_int_equal(report_key(t, town_rider, true, DAMAGE_LOCK, 2), ERR_FORBIDDEN);
    assert_int_equal(report(t, 0), ERR_INVALID);
    assert_int_equal(report(t, DAMAGE_KIND_N), ERR_INVALID);
    assert_int_equal(state_of(t), VEHICLE_AVAILABLE);
    struct fact block = {.kind = FACT_RIDER_SET, .rider_set = {.account = town_rider, .state = ACCOUNT_BLOCKED}};
    town_apply(t, &block);
    assert_int_equal(report(t, DAMAGE_LOCK), ERR_OK);
    assert_int_equal(state_of(t), VEHICLE_AVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_damaged_vehicle_is_not_rented_until_staff_looked_at_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(opening_the_system_again_is_no_inspection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damage_said_during_a_ride_takes_effect_behind_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dirt_is_told_and_rides_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_report_again_is_one_report, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_rider_cannot_empty_a_street, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strangers_and_nonsense_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
