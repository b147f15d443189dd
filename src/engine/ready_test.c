/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ready.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define NOW_MS 1790000000000ll

static struct ready fine(void)
{
    return (struct ready){.state = VEHICLE_AVAILABLE, .charge_counts = true, .battery_pct = 50, .battery_min_pct = 15,
                          .lock_state = LOCK_STATE_LOCKED, .seen_ms = NOW_MS - 1000, .silence_ms = 600000};
}

static void expect(enum err_code want, struct ready r)
{
    assert_int_equal(ready_to_ride(&r, NOW_MS), want);
}

#define WITH(member, value) ({ struct ready r = fine(); r.member = (value); r; })

static void test_each_thing_that_keeps_a_vehicle_from_riders_does(void **state)
{
    (void)state;
    expect(ERR_OK, fine());
    for (uint8_t s = 1; s < VEHICLE_STATE_N; s++) {
        bool silent = s == VEHICLE_NON_CONTACTABLE || s == VEHICLE_MISSING;
        if (s != VEHICLE_AVAILABLE) expect(silent ? ERR_VEHICLE_SILENT : ERR_VEHICLE_NOT_AVAILABLE, WITH(state, s));
    }
    expect(ERR_VEHICLE_NOT_AVAILABLE, WITH(taken, true));
    expect(ERR_VEHICLE_BUSY, WITH(busy, true));
    expect(ERR_VEHICLE_SILENT, WITH(seen_ms, 0));
    expect(ERR_VEHICLE_SILENT, WITH(seen_ms, NOW_MS - 600001));
    expect(ERR_OK, WITH(seen_ms, NOW_MS - 600000));
    expect(ERR_VEHICLE_BATTERY_LOW, WITH(battery_pct, 14));
    expect(ERR_OK, WITH(battery_pct, 15));
    expect(ERR_VEHICLE_NOT_LOCKED, WITH(lock_state, LOCK_STATE_UNLOCKED));
    expect(ERR_VEHICLE_NOT_LOCKED, WITH(lock_state, LOCK_STATE_UNKNOWN));
    struct ready bicycle = WITH(battery_pct, 0);
    bicycle.charge_counts = false;
    expect(ERR_OK, bicycle);
    struct ready empty = WITH(state, VEHICLE_NON_OPERATIONAL);
    empty.cause = VEHICLE_EVENT_BATTERY_LOW;
    expect(ERR_VEHICLE_BATTERY_LOW, empty);
}

static void test_silence_is_two_and_a_half_heartbeats(void **state)
{
    (void)state;
    assert_int_equal(ready_silence_ms(0), 600000);
    assert_int_equal(ready_silence_ms(1000), 2500);
}

static const struct plan *chosen(const struct plan *plans, unsigned count, uint64_t city, uint64_t type)
{
    const struct plan *best = NULL;
    for (unsigned i = 0; i < count; i++) {
        if (ready_plan_fits(&plans[i], best, city, type)) best = &plans[i];
    }
    return best;
}

static void test_a_plan_for_the_type_goes_before_the_others_and_the_older_before_the_newer(void **state)
{
    (void)state;
    const struct plan plans[] = {
        {.id = 9, .city_id = 1}, {.id = 5, .city_id = 1, .type_id = 2}, {.id = 3, .city_id = 1},
        {.id = 4, .city_id = 1, .type_id = 2}, {.id = 1, .city_id = 7}, {.id = 2, .city_id = 1, .type_id = 6},
    };
    assert_int_equal(chosen(plans, 6, 1, 2)->id, 4);
    assert_int_equal(chosen(plans, 6, 1, 3)->id, 3);
    assert_int_equal(chosen(plans, 6, 7, 2)->id, 1);
    assert_null(chosen(plans, 6, 8, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_thing_that_keeps_a_vehicle_from_riders_does),
        cmocka_unit_test(test_silence_is_two_and_a_half_heartbeats),
        cmocka_unit_test(test_a_plan_for_the_type_goes_before_the_others_and_the_older_before_the_newer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
