/* SPDX-License-Identifier: Apache-2.0 */
/* The towns of the demo: their clocks on the wall, their money, and what is declared of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/timetext.h"
#include "sim/demo_place.h"

static int64_t ms_of(int32_t year, uint8_t month, uint8_t day, uint8_t hour, uint8_t minute)
{
    struct civil c = {.year = year, .month = month, .day = day, .hour = hour, .minute = minute};
    int64_t ms;
    assert_int_equal(civil_to_ms(c, &ms).code, ERR_OK);
    return ms;
}

static int hour_in(const char *town, int64_t ms)
{
    return civil_of_ms(demo_place_local_ms(demo_place_find(town), ms)).hour;
}

static void test_gothenburg_is_an_hour_ahead_and_two_in_summer(void **s)
{
    (void)s;
    assert_int_equal(hour_in("gothenburg", ms_of(2026, 11, 26, 12, 0)), 13);
    assert_int_equal(hour_in("gothenburg", ms_of(2026, 7, 1, 12, 0)), 14);
    /* 2026: the 29th of March and the 25th of October, at one o'clock UTC. */
    assert_int_equal(hour_in("gothenburg", ms_of(2026, 3, 29, 0, 59)), 1);
    assert_int_equal(hour_in("gothenburg", ms_of(2026, 3, 29, 1, 0)), 3);
    assert_int_equal(hour_in("gothenburg", ms_of(2026, 10, 25, 0, 59)), 2);
    assert_int_equal(hour_in("gothenburg", ms_of(2026, 10, 25, 1, 0)), 2);
    /* The last day of March 2024 was a Sunday itself. */
    assert_int_equal(hour_in("gothenburg", ms_of(2024, 3, 31, 1, 0)), 3);
    assert_int_equal(hour_in("gothenburg", ms_of(2024, 3, 30, 23, 0)), 0);
}

static void test_montevideo_knows_no_summer_time(void **s)
{
    (void)s;
    assert_int_equal(hour_in("montevideo", ms_of(2026, 1, 10, 12, 0)), 9);
    assert_int_equal(hour_in("montevideo", ms_of(2026, 7, 1, 12, 0)), 9);
    assert_int_equal(hour_in("montevideo", ms_of(2026, 7, 1, 1, 0)), 22);
}

static void test_money_is_told_with_its_currency(void **s)
{
    (void)s;
    char text[40];
    const struct demo_place *place = demo_place_find("gothenburg");
    assert_string_equal(demo_place_money(place, 1234, text, sizeof text), "12.34 SEK");
    assert_string_equal(demo_place_money(place, 5, text, sizeof text), "0.05 SEK");
    struct demo_place whole = {.currency = "JPY"};
    assert_string_equal(demo_place_money(&whole, 1234, text, sizeof text), "1234 JPY");
}

/* Two towns on one server must not overwrite each other's entity or plans. */
static void test_towns_differ_in_all_that_is_theirs(void **s)
{
    (void)s;
    assert_null(demo_place_find("atlantis"));
    for (uint32_t i = 0; demo_place_nth(i); i++) {
        const struct demo_place *a = demo_place_nth(i);
        assert_ptr_equal(demo_place_find(a->code), a);
        assert_int_equal(a->prefix[strlen(a->prefix) - 1], '-');
        assert_true(point_valid(a->centre));
        for (uint32_t k = 0; k < i; k++) {
            const struct demo_place *b = demo_place_nth(k);
            assert_string_not_equal(a->prefix, b->prefix);
            assert_string_not_equal(a->currency, b->currency);
            assert_string_not_equal(a->time_zone, b->time_zone);
            assert_string_not_equal(a->language, b->language);
            for (uint32_t n = 0; n < a->put_count; n++) {
                bool own = strstr(a->puts[n].path, "/plans/") || strstr(a->puts[n].path, "/legal-") ||
                           strstr(a->puts[n].path, "/cities/");
                for (uint32_t m = 0; own && m < b->put_count; m++)
                    assert_string_not_equal(a->puts[n].path, b->puts[m].path);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gothenburg_is_an_hour_ahead_and_two_in_summer),
        cmocka_unit_test(test_montevideo_knows_no_summer_time),
        cmocka_unit_test(test_money_is_told_with_its_currency),
        cmocka_unit_test(test_towns_differ_in_all_that_is_theirs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
