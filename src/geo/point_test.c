/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/point.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void near(int64_t got, int64_t want, int64_t slack)
{
    assert_true(got >= want - slack && got <= want + slack);
}

static void test_a_degree_north_is_111_km(void **state)
{
    (void)state;
    near(point_distance_cm((struct point){577000000, 119700000}, (struct point){587000000, 119700000}), 11119493, 10);
}

static void test_a_degree_east_shrinks_with_latitude(void **state)
{
    (void)state;
    near(point_distance_cm((struct point){600000000, 100000000}, (struct point){600000000, 110000000}), 5559746, 600);
    near(point_distance_cm((struct point){0, 100000000}, (struct point){0, 110000000}), 11119493, 10);
}

static void test_the_short_way_crosses_the_180th_meridian(void **state)
{
    (void)state;
    near(point_distance_cm((struct point){0, 1799999000}, (struct point){0, -1799999000}), 2224, 3);
}

static void test_ten_metres_in_a_city_are_ten_metres(void **state)
{
    (void)state;
    struct point a = {577089000, 119746000}, b = {577089900, 119746000};
    near(point_distance_cm(a, b), 1001, 2);
    assert_int_equal(point_distance_cm(a, a), 0);
}

static void test_roots_are_floors(void **state)
{
    (void)state;
    for (uint64_t v = 0; v < 100000; v++) {
        uint64_t r = int_sqrt(v);
        assert_true(r * r <= v && (r + 1) * (r + 1) > v);
    }
    assert_int_equal(int_sqrt(UINT64_MAX), 4294967295u);
}

static void test_validity_ends_at_the_poles(void **state)
{
    (void)state;
    assert_true(point_valid((struct point){LAT_E7_MAX, -LON_E7_MAX}));
    assert_false(point_valid((struct point){LAT_E7_MAX + 1, 0}));
    assert_false(point_valid((struct point){0, LON_E7_MAX + 1}));
    assert_int_equal(point_cos_q16(LAT_E7_MAX), 0);
    assert_int_equal(point_cos_q16(-600000000), 32768);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_degree_north_is_111_km),
        cmocka_unit_test(test_a_degree_east_shrinks_with_latitude),
        cmocka_unit_test(test_the_short_way_crosses_the_180th_meridian),
        cmocka_unit_test(test_ten_metres_in_a_city_are_ten_metres),
        cmocka_unit_test(test_roots_are_floors),
        cmocka_unit_test(test_validity_ends_at_the_poles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
