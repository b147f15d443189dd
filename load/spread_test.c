/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "load/spread.h"

static void test_empty_spread_says_nothing(void **state)
{
    (void)state;
    struct spread s = {0};
    assert_int_equal(spread_at(&s, 50000), 0);
}

static void test_every_time_is_told_to_three_percent(void **state)
{
    (void)state;
    for (uint64_t us = 0; us < 1ull << 39; us = us < 200 ? us + 1 : us + us / 7) {
        struct spread s = {0};
        spread_add(&s, (int64_t)us);
        spread_add(&s, 1ll << 39); /* so that the longest does not hide the bucket */
        uint64_t told = spread_at(&s, 50000);
        assert_true(told >= us && told - us <= us / 32 + 1);
    }
}

static void test_percentiles_of_a_thousand(void **state)
{
    (void)state;
    struct spread s = {0};
    for (unsigned i = 1; i <= 1000; i++) spread_add(&s, i <= 990 ? 10 : 5000 + i);
    assert_int_equal(spread_at(&s, 50000), 10);
    assert_int_equal(spread_at(&s, 99000), 10);
    assert_in_range(spread_at(&s, 99100), 5991, 6200);
    assert_int_equal(spread_at(&s, 100000), 6000);
    assert_int_equal(s.max_us, 6000);
}

static void test_the_longest_is_exact_whatever_its_size(void **state)
{
    (void)state;
    struct spread s = {0};
    spread_add(&s, -5);
    spread_add(&s, 1ll << 50);
    assert_int_equal(spread_at(&s, 50000), 0);
    assert_int_equal(spread_at(&s, 100000), 1ll << 50);
}

static void test_merged_is_as_if_added(void **state)
{
    (void)state;
    struct spread a = {0}, b = {0}, both = {0};
    for (unsigned i = 0; i < 300; i++) {
        spread_add(i % 2 ? &a : &b, i * i);
        spread_add(&both, i * i);
    }
    spread_merge(&a, &b);
    assert_memory_equal(&a, &both, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_spread_says_nothing),
        cmocka_unit_test(test_every_time_is_told_to_three_percent),
        cmocka_unit_test(test_percentiles_of_a_thousand),
        cmocka_unit_test(test_the_longest_is_exact_whatever_its_size),
        cmocka_unit_test(test_merged_is_as_if_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
