/* SPDX-License-Identifier: Apache-2.0 */
/* omni_rows_test.c: who says what, as the protocol's description lists it: every message of a vehicle and every word of a
 * server, by dialect; and whole JSON objects, in which nothing stands that a frame does not say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/omni_device.h"
#include "proto/omni_frame.h"

#define IMEI "490154203237518"
#define FIX ",0,224600.00,A,5742.1750,N,01157.8620,E,9,0.85,231126,12,M,A"

/* A column for each dialect: r report, k key, l lock result, e echo, o known but of no meaning to the fleet, - not known.
 * A capital is acknowledged. */
static const struct { const char *command, *params, *kinds; } messages[] = {
    {"Q0", ",400", "rrrr"},     {"H0", ",1", "rrrr"},       {"D0", FIX, "rrRR"},        {"D1", FIX, "rrrr"},
    {"D1", ",10", "eeee"},      {"S6", ",1,1,1,1,1,1,1,1,1,1", "r---"}, {"S5", ",400", "e-r-"},
    {"R0", ",0,1,2,3", "kk-k"}, {"L0", ",0,1,2", "LLLL"},   {"L1", ",0,1,2", "LLLL"},   {"W0", ",1", "RRRR"},
    {"E0", ",1", "RRrr"},       {"E1", "", "r-rr"},         {"S7", ",1", "e---"},       {"S4", ",1", "e---"},
    {"V0", ",2", "ee--"},       {"S1", ",2", "eee-"},       {"S8", ",5", "--e-"},       {"L5", ",1", "oo--"},
    {"C0", ",1", "o---"},       {"K0", ",1", "oo--"},       {"M0", ",1", "oooo"},       {"I0", ",1", "oooo"},
    {"G0", ",1", "----"},       {"Z9", ",1", "----"},
};

static const char *const headers[] = {"SCOR", "HBCR", "CMDR", "BGCR"};

static void test_each_dialect_says_what_its_description_lists(void **s)
{
    (void)s;
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        for (size_t k = 0; k < 4; k++) {
            char frame[200], want = messages[i].kinds[k];
            snprintf(frame, sizeof frame, "*%s,OM," IMEI ",%s%s#", headers[k], messages[i].command, messages[i].params);
            struct message m;
            struct err e = omni_decode(bytes_text(frame), &m);
            if (e.code) fail_msg("%s: %s", frame, e.why);
            const struct omni_shape *shape = omni_shape_find(m.command, m.dialect, 20);
            char kind = m.kind == MESSAGE_OPAQUE && !shape ? '-' : " rkleo"[m.kind];
            if (m.must_ack) kind = (char)(kind - 'a' + 'A');
            if (kind != want) fail_msg("%s is %c, not %c", frame, kind, want);
        }
    }
}

static void test_a_lock_result_says_of_which_order_it_is(void **s)
{
    (void)s;
    static const struct { const char *frame; uint8_t op, result; } rows[] = {
        {"*SCOR,OM," IMEI ",L0,1,7,9#", ORDER_UNLOCK, 1}, {"*SCOR,OM," IMEI ",L1,3,7,9#", ORDER_LOCK, 3},
        {"*CMDR,OM," IMEI ",L0,0,7,9#", ORDER_UNLOCK, 0}, {"*CMDR,OM," IMEI ",L1,7,9#", ORDER_LOCK, 0},
        {"*SCOR,OM," IMEI ",R0,0,1,7,9#", ORDER_UNLOCK, 0}, {"*SCOR,OM," IMEI ",R0,1,1,7,9#", ORDER_LOCK, 0},
        {"*SCOR,OM," IMEI ",R0,2,1,7,9#", ORDER_NONE, 0}, {"*SCOR,OM," IMEI ",V0,2#", ORDER_RING, 0},
        {"*SCOR,OM," IMEI ",V0,1#", ORDER_NONE, 0}, {"*SCOR,OM," IMEI ",S1,2#", ORDER_RESTART, 0},
        {"*SCOR,OM," IMEI ",S1,1#", ORDER_NONE, 0}, {"*CMDR,OM," IMEI ",S1#", ORDER_RESTART, 0},
        {"*CMDR,OM," IMEI ",S8,5,0#", ORDER_RING, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct message m;
        assert_int_equal(omni_decode(bytes_text(rows[i].frame), &m).code, ERR_OK);
        assert_int_equal(m.op, rows[i].op);
        assert_int_equal(m.result, rows[i].result);
    }
}

static void test_an_alarm_is_an_alarm_in_every_dialect(void **s)
{
    (void)s;
    static const uint8_t want[][4] = { /* what alarms 4, 6 and 12 mean to each */
        {ALARM_BATTERY_LOW, ALARM_BATTERY_LOW, ALARM_BATTERY_LOW, ALARM_BATTERY_LOW},
        {ALARM_FALL_CLEARED, ALARM_FALL_CLEARED, ALARM_FALL_CLEARED, ALARM_FALL_CLEARED},
        {ALARM_OTHER, ALARM_BATTERY_LOW, ALARM_OTHER, ALARM_OTHER},
    };
    static const unsigned numbers[] = {4, 6, 12};
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < 4; k++) {
            char frame[100];
            snprintf(frame, sizeof frame, "*%s,OM," IMEI ",W0,%u#", headers[k], numbers[i]);
            struct message m;
            assert_int_equal(omni_decode(bytes_text(frame), &m).code, ERR_OK);
            assert_int_equal(m.has, HAS_ALARM);
            assert_int_equal(m.alarm, want[i][k]);
        }
    }
}

static void test_a_key_is_asked_for_an_unlock_a_lock_or_nothing_known(void **s)
{
    (void)s;
    static const uint8_t ops[] = {ORDER_UNLOCK, ORDER_LOCK, ORDER_NONE, ORDER_NONE};
    for (unsigned i = 0; i < sizeof ops; i++) {
        char frame[100];
        snprintf(frame, sizeof frame, "*SCOS,OM," IMEI ",R0,%u,20,7,9#", i);
        struct omni_ask ask;
        assert_int_equal(omni_device_read(bytes_text(frame), &ask).code, ERR_OK);
        assert_int_equal(ask.op, ops[i]);
    }
}

/* What a vehicle hears in a server's word: a letter for each dialect as above, - for nothing. */
static const struct { const char *command, *params, *asks; } words[] = {
    {"R0", ",0,20,7,9", "kk-k"}, {"L0", ",5,7,9", "uuuu"}, {"L1", ",5", "ll-l"}, {"L0", "", "aa--"}, {"L1", "", "aa--"},
    {"W0", "", "aa--"},          {"E0", "", "aa--"},       {"D0", "", "????"},   {"D1", ",10", "tttt"}, {"S6", "", "ss--"},
    {"S5", "", "--s-"},          {"V0", ",2", "rr--"},     {"S8", ",5,0", "--r-"}, {"S1", ",2", "bb--"}, {"S1", "", "--b-"},
    {"S5", ",1,2,3,4", "ee--"},  {"S7", ",1,2,3,4", "ee--"}, {"S4", ",1,2,3,4,5,6,7,8", "ee--"},
    {"S7", ",1,2,3", "----"},    {"S8", ",5", "----"},     {"G0", "", "----"},
};

static char letter_of(uint8_t ask)
{
    switch (ask) {
    case OMNI_ASK_KEY: return 'k';
    case OMNI_ASK_UNLOCK: return 'u';
    case OMNI_ASK_LOCK: return 'l';
    case OMNI_ASK_ACK: return 'a';
    case OMNI_ASK_LOCATE: return '?';
    case OMNI_ASK_TRACK: return 't';
    case OMNI_ASK_STATUS: return 's';
    case OMNI_ASK_RING: return 'r';
    case OMNI_ASK_RESTART: return 'b';
    case OMNI_ASK_SETTING: return 'e';
    case OMNI_ASK_OTHER: return '-';
    default: return '!';
    }
}

static void test_each_dialect_hears_what_its_description_lists(void **s)
{
    (void)s;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        for (size_t k = 0; k < 4; k++) {
            char frame[200];
            snprintf(frame, sizeof frame, "*%.3sS,OM," IMEI ",%s%s#", headers[k], words[i].command, words[i].params);
            struct omni_ask ask;
            struct err e = omni_device_read(bytes_text(frame), &ask);
            if (e.code) fail_msg("%s: %s", frame, e.why);
            char got = letter_of(ask.kind), want = words[i].asks[k];
            if (got != want) fail_msg("%s is %c, not %c", frame, got, want);
        }
    }
}

/* ── JSON, whole ── */

static void assert_json(const char *chunk, size_t len, const char *want)
{
    static char json[8192];
    struct buf b = buf_on(json, sizeof json);
    omni_describe(bytes_of(chunk, len), &b);
    buf_put_char(&b, 0);
    assert_string_equal(json, want);
}
#define JSON(chunk, want) assert_json(chunk, sizeof chunk - 1, want)

#define UP(dialect) "{\"dir\":\"up\",\"dialect\":\"" dialect "\",\"vendor\":\"OM\",\"device\":\"" IMEI "\","
#define DOWN(dialect) "{\"dir\":\"down\",\"dialect\":\"" dialect "\",\"vendor\":\"OM\",\"device\":\"" IMEI "\","
#define HEARTBEAT UP("SCOR") "\"cmd\":\"H0\",\"params\":[\"1\"],\"fields\":{\"locked\":true}}"

static void test_json_holds_what_the_frame_says_and_nothing_else(void **s)
{
    (void)s;
    JSON("\r\n*SCOR,OM," IMEI ",H0,1#\n", HEARTBEAT);
    JSON("*SCOR,OM," IMEI ",H0,1#x",
         UP("SCOR") "\"cmd\":\"H0\",\"params\":[\"1\"],\"fields\":{\"locked\":true},\"noise\":true}");
    JSON("*CMDR,OM," IMEI ",261123224601,L1,7,9#",
         UP("CMDR") "\"device_clock\":\"2026-11-23T22:46:01\",\"cmd\":\"L1\",\"params\":[\"7\",\"9\"],"
         "\"fields\":{\"user\":\"7\",\"ts\":9,\"ack_cmd\":\"Re,L1\"}}");
    JSON("*SCOR,OM," IMEI ",L0,0,,9#",
         UP("SCOR") "\"cmd\":\"L0\",\"params\":[\"0\",\"\",\"9\"],\"fields\":{\"result\":0,\"ts\":9,\"ack_cmd\":\"L0\"}}");
    JSON("*SCOR,OM," IMEI ",D1" FIX "#",
         UP("SCOR") "\"cmd\":\"D1\",\"params\":[\"0\",\"224600.00\",\"A\",\"5742.1750\",\"N\",\"01157.8620\",\"E\",\"9\","
         "\"0.85\",\"231126\",\"12\",\"M\",\"A\"],\"fields\":{\"tracking\":false,\"loc_flags\":\"0\",\"valid\":true,"
         "\"lat\":57.7029167,\"lon\":11.9643667,\"sats\":9,\"hdop\":0.850,\"alt_m\":12.000,"
         "\"time\":\"2026-11-23T22:46:00Z\",\"mode\":\"A\"}}");
    JSON("*SCOR,OM," IMEI ",D0,100,224600.5,V,,,,,,,,,,N#",
         UP("SCOR") "\"cmd\":\"D0\",\"params\":[\"100\",\"224600.5\",\"V\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"N\"],"
         "\"fields\":{\"loc_flags\":\"100\",\"valid\":false,\"second_of_day\":81960.500,\"mode\":\"N\"}}");
    JSON("*SCOR,OM," IMEI ",S6,80,1,25,0,361,0,1,20,12,345#",
         UP("SCOR") "\"cmd\":\"S6\",\"params\":[\"80\",\"1\",\"25\",\"0\",\"361\",\"0\",\"1\",\"20\",\"12\",\"345\"],"
         "\"fields\":{\"battery_pct\":80,\"speed_mode\":1,\"speed_kmh\":25.0,\"charging\":false,\"battery1_v\":36.1,"
         "\"battery2_v\":0.0,\"locked\":true,\"rssi\":20,\"trip_m\":120,\"total_m\":3450,"
         "\"note\":\"mileage fields in 10 m steps\"}}");
}

static void test_json_of_a_position_without_date_says_so(void **s)
{
    (void)s;
    JSON("*SCOR,OM," IMEI ",D1,1,224600,A,5742.1750,S,01157.8620,W,,,,,,#",
         UP("SCOR") "\"cmd\":\"D1\",\"params\":[\"1\",\"224600\",\"A\",\"5742.1750\",\"S\",\"01157.8620\",\"W\","
         "\"\",\"\",\"\",\"\",\"\",\"\"],\"fields\":{\"tracking\":true,\"loc_flags\":\"1\",\"valid\":true,\"lat\":-57.7029167,"
         "\"lon\":-11.9643667,"
         "\"second_of_day\":81960.000,\"mode\":\"\","
         "\"note\":\"date field empty although fix is valid: take the date from the server clock\"}}");
}

static void test_json_reads_no_further_than_its_bytes(void **s)
{
    (void)s;
    static const char two[] = "\n*SCOR,OM," IMEI ",H0,1#\n*SCOR,OM," IMEI ",H0,1#\n*SCOR,OM," IMEI ",Q0,1#\n";
    static const char three[] = "*SCOR,OM," IMEI ",H0,1#";
    assert_json(two, 2 * (sizeof three - 1) + 2,
                "{\"stream\":true,\"frames\":[\"H0\",\"H0\"],\"each\":[" HEARTBEAT "," HEARTBEAT "],\"dir\":\"up\"}");
    assert_json(two, sizeof three, HEARTBEAT);
}

static void test_a_row_is_found_by_its_whole_name(void **s)
{
    (void)s;
    assert_non_null(omni_shape_find(bytes_text("H0"), OMNI_SCOR, 1));
    assert_null(omni_shape_find(bytes_text("H0x"), OMNI_SCOR, 1));
    assert_null(omni_shape_find(bytes_text("H"), OMNI_SCOR, 1));
    assert_null(omni_shape_find(bytes_text("H0"), OMNI_DIALECT_N, 1));
    assert_null(omni_shape_find(bytes_text("H0"), 0, 1));
}

static void test_a_slow_speed_is_cut_to_whole_kilometres(void **s)
{
    (void)s;
    const struct omni_shape *status = omni_shape_find(bytes_text("S6"), OMNI_SCOR, 10);
    const struct omni_field *speed = &status->fields[2];
    assert_int_equal(omni_field_wire(speed, 9), 0);
    assert_int_equal(omni_field_wire(speed, 10), 1);
    assert_int_equal(omni_field_wire(speed, 60), 6);
    assert_int_equal(omni_field_wire(speed, 61), 61);
    assert_int_equal(omni_field_ours(speed, 60), 600);
    assert_int_equal(omni_field_ours(speed, 61), 61);
}

static void test_json_of_a_server_s_frame_needs_the_octets_before_it(void **s)
{
    (void)s;
    JSON("\xff\xff*SCOS,OM," IMEI ",D0#\n", DOWN("SCOS") "\"cmd\":\"D0\",\"params\":[]}");
    JSON("0xFFFF*SCOS,OM," IMEI ",L1,5#\n", DOWN("SCOS") "\"cmd\":\"L1\",\"params\":[\"5\"],\"noise\":true}");
    static const char refused[] = "{\"error\":\"malformed\",\"reason\":\"wrong_direction\"}";
    JSON("\r\n*SCOS,OM," IMEI ",D0#\n", refused);
    JSON("\xff*SCOS,OM," IMEI ",D0#\n", refused);
    JSON("\xff\n*SCOS,OM," IMEI ",D0#\n", refused);
    JSON("\n\xff*SCOS,OM," IMEI ",D0#\n", refused);
    JSON("xFFFF*SCOS,OM," IMEI ",D0#\n", refused);
}

static void test_json_of_a_stream_holds_each_frame_wherever_it_stands(void **s)
{
    (void)s;
    JSON("\n*SCOR,OM," IMEI ",H0,1#\n\njunk*SCOR,OM," IMEI ",H0,1#*SCOR#\n*x",
         "{\"stream\":true,\"frames\":[\"H0\",\"H0\",null],\"each\":[" HEARTBEAT "," HEARTBEAT
         ",{\"error\":\"malformed\",\"reason\":\"too_few_fields\"}],\"dir\":\"up\"}");
    JSON("\xff\xff*SCOS,OM," IMEI ",D0#\n\xff\xff*SCOS,OM," IMEI ",S6#\n",
         "{\"stream\":true,\"frames\":[\"D0\",\"S6\"],\"each\":[" DOWN("SCOS") "\"cmd\":\"D0\",\"params\":[]},"
         DOWN("SCOS") "\"cmd\":\"S6\",\"params\":[]}],\"dir\":\"down\"}");
    JSON("*", "{\"error\":\"malformed\",\"reason\":\"frame_not_ended\"}");
    JSON("\n", "{\"error\":\"malformed\",\"reason\":\"no_frame\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_dialect_says_what_its_description_lists),
        cmocka_unit_test(test_an_alarm_is_an_alarm_in_every_dialect),
        cmocka_unit_test(test_a_key_is_asked_for_an_unlock_a_lock_or_nothing_known),
        cmocka_unit_test(test_a_lock_result_says_of_which_order_it_is),
        cmocka_unit_test(test_each_dialect_hears_what_its_description_lists),
        cmocka_unit_test(test_json_holds_what_the_frame_says_and_nothing_else),
        cmocka_unit_test(test_json_of_a_position_without_date_says_so),
        cmocka_unit_test(test_json_reads_no_further_than_its_bytes),
        cmocka_unit_test(test_a_row_is_found_by_its_whole_name),
        cmocka_unit_test(test_a_slow_speed_is_cut_to_whole_kilometres),
        cmocka_unit_test(test_json_of_a_server_s_frame_needs_the_octets_before_it),
        cmocka_unit_test(test_json_of_a_stream_holds_each_frame_wherever_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
