/* SPDX-License-Identifier: Apache-2.0 */
/* The curve over the hours, the lengths of rides, and files that are no such thing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "sim/demo_demand.h"
#include "sim/demo_persona.h"

#define HOUR_MS 3600000ll
#define MONDAY_MS 1795392000000ll /* 2026-11-23T00:00 */
#define AT(day, hour, minute) (MONDAY_MS + (day) * 24 * HOUR_MS + (hour) * HOUR_MS + (minute) * 60000ll)

static char text[16384];

/* A whole file: as many trips in each hour as its number says, rides of 100 to 900 s. */
static struct bytes whole_file(void)
{
    static const char *const kinds[] = {"commuter", "visitor"}, *const days[] = {"weekday", "weekend"};
    struct buf b = buf_on(text, sizeof text - 1);
    buf_put_text(&b, "# paddock demand 1: made up\n");
    for (int k = 0; k < 2; k++) {
        for (int d = 0; d < 2; d++) {
            for (int h = 0; h < 24; h++) {
                buf_put_text(&b, "hour ");
                buf_put_text(&b, kinds[k]);
                buf_put_char(&b, ' ');
                buf_put_text(&b, days[d]);
                buf_put_char(&b, ' ');
                buf_put_u64(&b, (uint64_t)h);
                buf_put_char(&b, ' ');
                buf_put_u64(&b, (uint64_t)(h * 10));
                buf_put_char(&b, '\n');
            }
        }
        buf_put_text(&b, "length ");
        buf_put_text(&b, kinds[k]);
        buf_put_text(&b, " 100 200 300 400 500 600 700 800 900\n");
    }
    text[b.len] = 0;
    return buf_bytes(&b);
}

static void test_commuters_ride_at_eight_visitors_at_noon_nobody_at_three(void **s)
{
    (void)s;
    struct demo_demand d;
    demo_demand_init(&d);
    assert_int_equal(demo_demand_of(&d, DEMO_COMMUTER, AT(0, 8, 30)), 1000);
    assert_in_range(demo_demand_of(&d, DEMO_VISITOR, AT(0, 8, 30)), 0, 400);
    assert_in_range(demo_demand_of(&d, DEMO_VISITOR, AT(5, 14, 30)), 900, 1000);
    for (int day = 0; day < 7; day++) assert_in_range(demo_demand_now(&d, AT(day, 3, 30)), 0, 50);
    assert_true(demo_demand_of(&d, DEMO_COMMUTER, AT(5, 8, 30)) < 300); /* Saturday */
    assert_true(demo_demand_of(&d, DEMO_COMMUTER, AT(6, 8, 30)) < 300); /* Sunday */
    assert_int_equal(demo_demand_of(&d, DEMO_COMMUTER, AT(7, 8, 30)), 1000); /* Monday again */
}

static void test_the_curve_has_no_steps_and_stays_within_bounds(void **s)
{
    (void)s;
    struct demo_demand d;
    demo_demand_init(&d);
    uint32_t before = demo_demand_now(&d, AT(0, 0, 0));
    for (int64_t ms = AT(0, 0, 0); ms < AT(7, 0, 0); ms += 60000) {
        uint32_t now = demo_demand_now(&d, ms);
        assert_in_range(now, 0, 1000);
        assert_true(now > before ? now - before <= 15 : before - now <= 15);
        before = now;
    }
}

static void test_the_riders_day_begins_where_there_is_life(void **s)
{
    (void)s;
    struct demo_demand d;
    demo_demand_init(&d);
    assert_int_equal(demo_demand_ahead_ms(&d, AT(1, 8, 30)), 0);
    for (int64_t ms = AT(0, 0, 0); ms < AT(7, 0, 0); ms += 1700000) {
        int64_t ahead_ms = demo_demand_ahead_ms(&d, ms);
        assert_true(ahead_ms >= 0 && ahead_ms < 4 * 24 * HOUR_MS);
        assert_true(demo_demand_now(&d, ms + ahead_ms) >= DEMO_DEMAND_LIVELY);
    }
}

static void test_lengths_follow_the_deciles(void **s)
{
    (void)s;
    struct demo_demand d;
    demo_demand_init(&d);
    assert_int_equal(demo_demand_parse(&d, whole_file()).code, ERR_OK);
    assert_int_equal(demo_demand_length_s(&d, DEMO_COMMUTER, 0), 50);
    assert_int_equal(demo_demand_length_s(&d, DEMO_COMMUTER, 100000), 100);
    assert_int_equal(demo_demand_length_s(&d, DEMO_COMMUTER, 550000), 550);
    assert_int_equal(demo_demand_length_s(&d, DEMO_COMMUTER, 900000), 900);
    assert_in_range(demo_demand_length_s(&d, DEMO_COMMUTER, 999999), 1340, 1350);
    uint32_t before = 0;
    for (uint32_t draw = 0; draw < 1000000; draw += 1000) {
        uint32_t now = demo_demand_length_s(&d, DEMO_VISITOR, draw);
        assert_true(now >= before);
        before = now;
    }
}

static void test_a_file_takes_the_place_of_the_curve(void **s)
{
    (void)s;
    struct demo_demand d;
    demo_demand_init(&d);
    assert_false(d.measured);
    assert_int_equal(demo_demand_parse(&d, whole_file()).code, ERR_OK);
    assert_true(d.measured);
    assert_int_equal(demo_demand_of(&d, DEMO_COMMUTER, AT(0, 23, 30)), 1000);
    assert_int_equal(demo_demand_of(&d, DEMO_COMMUTER, AT(0, 12, 0)), 500); /* between 110 and 120, of 230 */
    assert_int_equal(demo_demand_read(&d, "/no/such/file").code, ERR_NOT_FOUND);
}

static void test_what_is_no_such_file_changes_nothing(void **s)
{
    (void)s;
    static const struct { const char *line, *instead; } rows[] = {
        {"hour commuter weekday 8 80\n", ""},
        {"hour commuter weekday 8 80\n", "hour commuter weekday 24 80\n"},
        {"hour commuter weekday 8 80\n", "hour commuter weekday 8 -1\n"},
        {"hour commuter weekday 8 80\n", "hour commuter weekday 8 99999999999\n"},
        {"hour commuter weekday 8 80\n", "hour commuter someday 8 80\n"},
        {"hour commuter weekday 8 80\n", "hour pirate weekday 8 80\n"},
        {"hour commuter weekday 8 80\n", "minute commuter weekday 8 80\n"},
        {"length visitor 100 200", "length visitor 200 100"},
        {"length visitor 100 200", "length visitor 0 200"},
        {" 800 900\n", " 800\n"},
        {" 800 900\n", " 800 99000\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static char changed[sizeof text];
        struct demo_demand d, before;
        struct bytes whole = whole_file();
        const char *at = strstr(text, rows[i].line);
        assert_non_null(at);
        struct buf b = buf_on(changed, sizeof changed);
        buf_put(&b, text, (size_t)(at - text));
        buf_put_text(&b, rows[i].instead);
        buf_put_text(&b, at + strlen(rows[i].line));
        demo_demand_init(&d);
        before = d;
        if (!demo_demand_parse(&d, buf_bytes(&b)).code) fail_msg("was believed: %s", rows[i].instead);
        assert_memory_equal(&d, &before, sizeof d);
        assert_int_equal(demo_demand_parse(&d, whole).code, ERR_OK);
    }
}

static void test_personas_keep_their_shares(void **s)
{
    (void)s;
    uint32_t count[DEMO_PERSONA_N] = {0};
    for (uint32_t rider = 0; rider < 100; rider++) count[demo_persona_of(rider)]++;
    uint32_t sum = 0;
    for (int p = 0; p < DEMO_PERSONA_N; p++) {
        assert_int_equal(count[p], demo_persona_row(p)->share);
        sum += count[p];
    }
    assert_int_equal(sum, 100);
    /* Even a hamlet has more than one kind of people. */
    uint32_t seen = 0;
    for (uint32_t rider = 0; rider < 7; rider++) seen |= 1u << demo_persona_of(rider);
    assert_true(seen & (seen - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commuters_ride_at_eight_visitors_at_noon_nobody_at_three),
        cmocka_unit_test(test_the_curve_has_no_steps_and_stays_within_bounds),
        cmocka_unit_test(test_the_riders_day_begins_where_there_is_life),
        cmocka_unit_test(test_lengths_follow_the_deciles),
        cmocka_unit_test(test_a_file_takes_the_place_of_the_curve),
        cmocka_unit_test(test_what_is_no_such_file_changes_nothing),
        cmocka_unit_test(test_personas_keep_their_shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
