/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void time_is_drawn_by_at_most_one_percent(void **state)
{
    (void)state;
    assert_int_equal(clock_slew_ms(3000, 1000), 10);
    assert_int_equal(clock_slew_ms(-3000, 1000), -10);
    assert_int_equal(clock_slew_ms(4, 1000), 4);
}

static void a_jump_is_not_followed(void **state)
{
    (void)state;
    assert_int_equal(clock_slew_ms(5001, 100000), 0);
    assert_int_equal(clock_slew_ms(-3600000, 100000), 0);
}

static void time_never_goes_back_and_begins_behind_the_journal(void **state)
{
    (void)state;
    struct clock c;
    int64_t later_ms = clock_wall_ms() + 30000;
    clock_init(&c, 1, later_ms);
    int64_t before_ms = clock_now_ms(&c);
    assert_true(before_ms >= later_ms);
    atomic_store(&c.slew_ms, -100000);
    assert_int_equal(clock_now_ms(&c), before_ms);
}

static void speed_multiplies(void **state)
{
    (void)state;
    struct clock c;
    clock_init(&c, 1000, 0);
    int64_t from_ms = clock_now_ms(&c), from_us = clock_mono_us(); /* in this order: a pause between only adds */
    while (clock_mono_us() < from_us + 2000) { }
    assert_true(clock_now_ms(&c) - from_ms >= 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_is_drawn_by_at_most_one_percent),
        cmocka_unit_test(a_jump_is_not_followed),
        cmocka_unit_test(time_never_goes_back_and_begins_behind_the_journal),
        cmocka_unit_test(speed_multiplies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
