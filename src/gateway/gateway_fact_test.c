/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_fact_test.c: which message is which fact, and what day a fix without a date was taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gateway/gateway_inside.h"
#include "proto/omni.h"

#define HOUR 3600000
#define NOON 1795435200000 /* 2026-11-23T12:00:00Z */

static void test_day_of_a_fix_is_the_nearest(void **s)
{
    (void)s;
    const int64_t midnight = NOON - 12 * HOUR;
    static const struct { int64_t now, of_day, from_midnight; } rows[] = {
        {12 * HOUR, 12 * HOUR, 12 * HOUR},          /* now */
        {12 * HOUR, 0, 0},                          /* this morning: exactly half a day */
        {1, 24 * HOUR - 1, -1},                     /* just after midnight, taken just before */
        {24 * HOUR - 1, 1, 24 * HOUR + 1},          /* just before midnight, a clock slightly ahead */
        {11 * HOUR, 23 * HOUR + 1, -1 * HOUR + 1},  /* more than half a day ahead was yesterday */
        {11 * HOUR, 23 * HOUR, 23 * HOUR},
        {13 * HOUR, HOUR - 1, 25 * HOUR - 1},
        {13 * HOUR, HOUR, HOUR},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(fix_time(rows[i].of_day, midnight + rows[i].now), midnight + rows[i].from_midnight);
    }
}

static void test_tag_gives_the_letters_back(void **s)
{
    (void)s;
    static const char *const commands[] = {"L0", "D0", "LS1", "SC", "AI23"};
    uint8_t room[4];
    for (unsigned i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        uint32_t tag = tag_pack(bytes_text(commands[i]));
        assert_true(tag != 0);
        assert_true(bytes_equal_text(tag_unpack(tag, room), commands[i]));
    }
}

static void test_urgent_is_what_somebody_waits_for(void **s)
{
    (void)s;
    static const struct { struct message m; bool fact; enum lane lane; } rows[] = {
        {{.kind = MESSAGE_KEY}, true, LANE_URGENT},
        {{.kind = MESSAGE_LOCK_RESULT}, true, LANE_URGENT},
        {{.kind = MESSAGE_ECHO}, true, LANE_URGENT},
        {{.kind = MESSAGE_REPORT, .has = HAS_ALARM}, true, LANE_URGENT},
        {{.kind = MESSAGE_REPORT, .has = HAS_FAULT}, true, LANE_URGENT},
        {{.kind = MESSAGE_REPORT, .has = HAS_LOCKED | HAS_POSITION | HAS_SPEED}, true, LANE_TELEMETRY},
        {{.kind = MESSAGE_OPAQUE}, false, LANE_TELEMETRY},
        {{.kind = MESSAGE_OPAQUE, .must_ack = true}, true, LANE_TELEMETRY},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum lane lane;
        assert_int_equal(fact_lane(&rows[i].m, &lane), rows[i].fact);
        if (rows[i].fact) assert_int_equal(lane, rows[i].lane);
    }
}

static struct session session_of(const char *ident)
{
    struct session s = {.conn = 7, .codec = &omni_codec};
    assert_int_equal(text_set(&s.ident, bytes_text(ident)).code, ERR_OK);
    return s;
}

static void test_every_value_of_a_report_arrives(void **state)
{
    (void)state;
    struct session s = session_of("490154203237518");
    struct message m = {.kind = MESSAGE_REPORT, .has = HAS_POSITION | HAS_FIX_SECOND | HAS_LOCKED, .locked = true,
                        .charging = true, .battery_pct = 1, .rssi = 2, .sats = 3, .alarm = 4, .iot_mv = 5,
                        .hdop_centi = 6, .speed_dmh = 7, .lat_e7 = -8, .lon_e7 = 9, .fix_ms = 10 * HOUR,
                        .total_m = 11, .fault = 12};
    struct fact f;
    fact_of_message(&s, &m, NOON, &f);
    const struct fact_report *r = &f.report;
    assert_int_equal(f.kind, FACT_REPORT);
    assert_int_equal(f.now_ms, 0);
    assert_int_equal(r->session, 7);
    assert_int_equal(r->protocol, PROTOCOL_OMNI);
    assert_true(text_is(&r->ident, "490154203237518"));
    assert_int_equal(r->has, HAS_POSITION | HAS_FIX_TIME | HAS_LOCKED);
    assert_true(r->locked && r->charging);
    assert_int_equal(r->battery_pct, 1);
    assert_int_equal(r->rssi, 2);
    assert_int_equal(r->sats, 3);
    assert_int_equal(r->alarm, 4);
    assert_int_equal(r->iot_mV, 5);
    assert_int_equal(r->hdop_centi, 6);
    assert_int_equal(r->speed_dmh, 7);
    assert_int_equal(r->lat_e7, -8);
    assert_int_equal(r->lon_e7, 9);
    assert_int_equal(r->fix_ms, NOON - 2 * HOUR);
    assert_int_equal(r->total_m, 11);
    assert_int_equal(r->fault, 12);
}

static void test_every_value_of_an_answer_arrives(void **state)
{
    (void)state;
    struct session s = session_of("490154203237518");
    struct message m = {.kind = MESSAGE_KEY, .op = ORDER_LOCK, .key = 1, .user = 2, .stamp = 3, .result = 4,
                        .ride_min = 5};
    struct fact f;
    fact_of_message(&s, &m, NOON, &f);
    assert_int_equal(f.kind, FACT_DEVICE_KEYED);
    assert_int_equal(f.device_keyed.op, COMMAND_OP_LOCK);
    assert_int_equal(f.device_keyed.key, 1);
    assert_int_equal(f.device_keyed.user, 2);
    assert_int_equal(f.device_keyed.stamp, 3);
    m.kind = MESSAGE_LOCK_RESULT;
    fact_of_message(&s, &m, NOON, &f);
    assert_int_equal(f.kind, FACT_LOCK_RESULT);
    assert_int_equal(f.lock_result.op, COMMAND_OP_LOCK);
    assert_int_equal(f.lock_result.result, 4);
    assert_int_equal(f.lock_result.user, 2);
    assert_int_equal(f.lock_result.stamp, 3);
    assert_int_equal(f.lock_result.ride_min, 5);
    m.kind = MESSAGE_ECHO;
    m.op = ORDER_RING;
    fact_of_message(&s, &m, NOON, &f);
    assert_int_equal(f.kind, FACT_DEVICE_ECHO);
    assert_int_equal(f.device_echo.op, COMMAND_OP_RING);
    assert_int_equal(f.device_echo.session, 7);
    m.kind = MESSAGE_OPAQUE;
    m.has = HAS_LOCKED;
    fact_of_message(&s, &m, NOON, &f);
    assert_int_equal(f.kind, FACT_REPORT);
    assert_int_equal(f.report.has, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_day_of_a_fix_is_the_nearest),
        cmocka_unit_test(test_tag_gives_the_letters_back),
        cmocka_unit_test(test_urgent_is_what_somebody_waits_for),
        cmocka_unit_test(test_every_value_of_a_report_arrives),
        cmocka_unit_test(test_every_value_of_an_answer_arrives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
