/* SPDX-License-Identifier: Apache-2.0 */
/* loop_wheel_test.c: deadlines are named in time, once, and never early. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/prng.h"
#include "net/loop_wheel.h"

enum { COUNT = 300 };

static void test_empty_wheel_is_never_due(void **state)
{
    (void)state;
    static struct wheel_node nodes[4];
    struct wheel w;
    uint32_t slot;

    wheel_init(&w, nodes, 4, 123456);
    assert_true(wheel_due_ms(&w) == INT64_MAX);
    assert_false(wheel_next(&w, 999999999, &slot));
    wheel_set(&w, 2, 999999999 + 100);
    wheel_clear(&w, 2);
    wheel_clear(&w, 2);
    assert_true(wheel_due_ms(&w) == INT64_MAX);
}

static void test_sooner_time_moves_and_later_time_waits(void **state)
{
    (void)state;
    static struct wheel_node nodes[4];
    struct wheel w;
    uint32_t slot;

    wheel_init(&w, nodes, 4, 0);
    wheel_set(&w, 1, 10000);
    wheel_set(&w, 1, 20000);
    assert_true(wheel_due_ms(&w) <= 10000 + WHEEL_TICK_MS); /* lazily: the owner sets it again when named */
    wheel_set(&w, 1, 1000);
    assert_false(wheel_next(&w, 999, &slot));
    assert_true(wheel_next(&w, 1000 + WHEEL_TICK_MS, &slot));
    assert_int_equal(slot, 1);
    assert_false(wheel_next(&w, 50000, &slot));
}

/* The owner's way of use, with true deadlines beside the wheel, some beyond its horizon, and a clock that
 * jumps. */
static void test_every_deadline_is_named_within_a_tick(void **state)
{
    (void)state;
    static struct wheel_node nodes[COUNT];
    int64_t due[COUNT] = {0}, now_ms = 5000000;
    struct wheel w;
    struct prng prng = prng_of(7, bytes_text("wheel"));
    uint32_t fired = 0;

    wheel_init(&w, nodes, COUNT, now_ms);
    for (int step = 0; step < 20000; step++) {
        uint32_t slot = (uint32_t)prng_below(&prng, COUNT);
        due[slot] = now_ms + prng_between(&prng, 1, prng_chance(&prng, 100000) ? 300000 : 3000);
        wheel_set(&w, slot, due[slot]);
        if (prng_chance(&prng, 50000)) {
            wheel_clear(&w, slot);
            due[slot] = 0;
        }
        now_ms += prng_between(&prng, 0, prng_chance(&prng, 1000) ? 200000 : 40);
        int64_t due_ms = wheel_due_ms(&w);
        bool any = false;
        while (wheel_next(&w, now_ms, &slot)) {
            any = true;
            assert_true(due[slot] != 0);
            if (due[slot] > now_ms) {
                wheel_set(&w, slot, due[slot]);
                continue;
            }
            due[slot] = 0;
            fired++;
        }
        assert_true(any == (due_ms <= now_ms));
        for (uint32_t i = 0; i < COUNT; i++)
            assert_true(due[i] == 0 || due[i] > now_ms - WHEEL_TICK_MS);
    }
    assert_true(fired > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_wheel_is_never_due),
        cmocka_unit_test(test_sooner_time_moves_and_later_time_waits),
        cmocka_unit_test(test_every_deadline_is_named_within_a_tick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
