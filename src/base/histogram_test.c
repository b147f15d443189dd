/* SPDX-License-Identifier: Apache-2.0 */
/* histogram_test.c: every time lands in one bucket, and what is read back is at most a factor of two off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/histogram.h"

static void test_edges_of_buckets_are_powers_of_two(void **s)
{
    (void)s;
    static const struct { int64_t us; unsigned bucket; } rows[] = {
        {INT64_MIN, 0}, {-1, 0}, {0, 0}, {1, 1}, {2, 2}, {3, 2}, {4, 3}, {1023, 10}, {1024, 11},
        {(INT64_C(1) << 30) - 1, 30}, {INT64_C(1) << 30, 31}, {INT64_MAX, 31},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct histogram h = {0};
        histogram_add(&h, rows[i].us);
        assert_int_equal(h.buckets[rows[i].bucket], 1);
        assert_int_equal(h.count, 1);
        assert_true(rows[i].us <= 0 || (uint64_t)rows[i].us <= histogram_bucket_max_us(rows[i].bucket));
        assert_true(rows[i].bucket == 0 || (uint64_t)rows[i].us > histogram_bucket_max_us(rows[i].bucket - 1));
    }
}

static void test_quantiles_are_never_below_and_at_most_double(void **s)
{
    (void)s;
    struct histogram h = {0};
    assert_int_equal(histogram_per_mille(&h, 500), 0);
    for (int64_t us = 1; us <= 1000; us++) histogram_add(&h, us);
    for (uint32_t per_mille = 1; per_mille <= 1000; per_mille++) {
        uint64_t got = histogram_per_mille(&h, per_mille);
        assert_true(got >= per_mille && got < 2 * per_mille && got <= 1000);
    }
    assert_int_equal(h.sum_us, 500500);
    assert_int_equal(h.max_us, 1000);
}

static void test_few_slow_ones_do_not_hide(void **s)
{
    (void)s;
    struct histogram h = {0};
    for (int i = 0; i < 98; i++) histogram_add(&h, 100);
    histogram_add(&h, 50000);
    histogram_add(&h, 60000);
    assert_int_equal(histogram_per_mille(&h, 980), 127);
    assert_int_equal(histogram_per_mille(&h, 981), 60000);
    assert_int_equal(histogram_per_mille(&h, 1000), 60000);
}

static void test_merge_is_as_if_all_were_added_to_one(void **s)
{
    (void)s;
    struct histogram a = {0}, b = {0}, all = {0};
    for (int64_t us = 1; us < 100000; us *= 3) {
        histogram_add(&a, us);
        histogram_add(&all, us);
        histogram_add(&b, us * 2);
        histogram_add(&all, us * 2);
    }
    histogram_merge(&a, &b);
    assert_memory_equal(&a, &all, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges_of_buckets_are_powers_of_two),
        cmocka_unit_test(test_quantiles_are_never_below_and_at_most_double),
        cmocka_unit_test(test_few_slow_ones_do_not_hide),
        cmocka_unit_test(test_merge_is_as_if_all_were_added_to_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
