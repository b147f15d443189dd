/* SPDX-License-Identifier: Apache-2.0 */
/* omni_test.c: cutting, sniffing, decoding into struct message, masking. The frames file has the wide cover; here is
 * what its JSON does not show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/omni_frame.h"

#define IMEI "490154203237518"
#define H0 "*SCOR,OM," IMEI ",H0,1,398,24,80,0#"

static struct message decoded(const char *frame)
{
    struct message m;
    struct err e = omni_decode(bytes_text(frame), &m);
    assert_string_equal(e.why, "");
    return m;
}

static void assert_refused(const char *frame, const char *reason)
{
    struct message m;
    struct err e = omni_decode(bytes_text(frame), &m);
    assert_int_equal(e.code, ERR_MALFORMED);
    assert_string_equal(e.why, reason);
}

static void assert_cut(const char *in, size_t len, size_t skip, size_t frame, bool noise)
{
    struct cut cut = omni_cut(bytes_of(in, len));
    assert_int_equal(cut.skip, skip);
    assert_int_equal(cut.len, frame);
    assert_int_equal(cut.noise, noise);
}

static void test_cut_finds_a_frame_behind_filling(void **s)
{
    (void)s;
    assert_cut(H0, sizeof H0 - 1, 0, sizeof H0 - 1, false);
    assert_cut("\r\n \0\xff\xff*a#\n", 11, 6, 3, false);
    assert_cut("", 0, 0, 0, false);
    assert_cut("\r\n", 2, 2, 0, false);
    assert_cut("\n*SCOR", 6, 1, 0, false);
}

static void test_cut_counts_other_bytes_as_noise(void **s)
{
    (void)s;
    assert_cut("x*a#", 4, 1, 3, true);
    assert_cut("\nx\n*a#", 6, 3, 3, true);
    assert_cut("xyz", 3, 3, 0, true);
    assert_cut("#*a#", 4, 1, 3, true);
    assert_cut("\t*a#", 4, 1, 3, true);
}

static void test_second_star_begins_the_frame_anew(void **s)
{
    (void)s;
    assert_cut("*ab*c#", 6, 3, 3, true);
    assert_cut("*a*b*c#", 7, 4, 3, true);
    assert_cut("*ab*c", 5, 3, 0, true);
    assert_cut("*a#*b#", 6, 0, 3, false);
    assert_cut("**", 2, 1, 0, true);
}

static void test_frame_at_the_limit_passes_and_one_byte_more_does_not(void **s)
{
    (void)s;
    char in[2 * OMNI_FRAME_MAX];
    memset(in, 'a', sizeof in);
    in[0] = '*';
    in[OMNI_FRAME_MAX - 1] = '#';
    assert_cut(in, OMNI_FRAME_MAX, 0, OMNI_FRAME_MAX, false);
    assert_cut(in, OMNI_FRAME_MAX - 1, 0, 0, false);
    in[OMNI_FRAME_MAX - 1] = 'a';
    in[OMNI_FRAME_MAX] = '#';
    assert_cut(in, OMNI_FRAME_MAX, OMNI_FRAME_MAX, 0, true);
    assert_cut(in, OMNI_FRAME_MAX + 1, OMNI_FRAME_MAX + 1, 0, true);
    memcpy(in + OMNI_FRAME_MAX + 1, "*b#", 3);
    assert_cut(in, OMNI_FRAME_MAX + 4, OMNI_FRAME_MAX + 1, 3, true);
    char frame[OMNI_FRAME_MAX + 1] = H0;
    memset(frame + sizeof H0 - 2, ' ', sizeof frame - sizeof H0 + 2);
    frame[OMNI_FRAME_MAX] = '#';
    struct message m;
    assert_string_equal(omni_decode(bytes_of(frame, sizeof frame), &m).why, "too_long");
    frame[OMNI_FRAME_MAX - 1] = '#';
    assert_string_equal(omni_decode(bytes_of(frame, sizeof frame - 1), &m).why, "");
}

/* Feeds `in` split at `at` through a buffer as a session does and writes the frames found, one after another. */
static size_t frames_of(const char *in, size_t len, size_t at, char *out)
{
    size_t from = 0, found = 0;
    for (size_t seen = at; seen <= len; seen = seen == at ? len : len + 1) {
        for (;;) {
            struct cut cut = omni_cut(bytes_of(in + from, seen - from));
            assert_true(cut.skip + cut.len <= seen - from);
            from += cut.skip;
            if (!cut.len) break;
            memcpy(out + found, in + from, cut.len);
            found += cut.len;
            from += cut.len;
        }
        if (at == len) break;
    }
    return found;
}

static void test_frames_do_not_depend_on_where_the_stream_was_split(void **s)
{
    (void)s;
    static char in[3 * OMNI_FRAME_MAX], whole[sizeof in], split[sizeof in];
    static const char head[] = "\xff\xff" H0 "\r\n" H0 "junk*half" H0 "#*#**x#\n*";
    memcpy(in, head, sizeof head - 1);
    memset(in + sizeof head - 1, 'z', OMNI_FRAME_MAX + 7);
    size_t len = sizeof head - 1 + OMNI_FRAME_MAX + 7;
    memcpy(in + len, "#" H0, sizeof H0);
    len += sizeof H0;
    size_t count = frames_of(in, len, len, whole);
    assert_int_equal(count, 4 * (sizeof H0 - 1) + 2 + 3);
    for (size_t at = 0; at < len; at++) {
        assert_int_equal(frames_of(in, len, at, split), count);
        assert_memory_equal(split, whole, count);
    }
}

static void test_sniff_knows_the_four_headers(void **s)
{
    (void)s;
    static const char *const yes[] = {"*SCOR", "*HBCR,", "*CMDR,OM", "*BGCR", "\xff\xff\r\n *SCOR", "* SCOR"};
    static const char *const more[] = {"", "\r\n", "*", "*S", "*SCO", " *HB", "* "};
    static const char *const no[] = {"S", "*X", "*SCOS", "*HQ", "GET /", "\n*scor", "\x16\x03", "*#"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        assert_int_equal(omni_codec.sniff(bytes_text(yes[i])), SNIFF_YES);
    }
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        assert_int_equal(omni_codec.sniff(bytes_text(more[i])), SNIFF_MORE);
    }
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        assert_int_equal(omni_codec.sniff(bytes_text(no[i])), SNIFF_NO);
    }
}

static void test_sniff_gives_up_on_endless_filling(void **s)
{
    (void)s;
    char filling[OMNI_SNIFF_MAX + 1];
    memset(filling, '\n', sizeof filling);
    assert_int_equal(omni_codec.sniff(bytes_of(filling, OMNI_SNIFF_MAX)), SNIFF_MORE);
    assert_int_equal(omni_codec.sniff(bytes_of(filling, OMNI_SNIFF_MAX + 1)), SNIFF_NO);
    assert_int_equal(omni_codec.sniff(bytes_of("*\0\0\0\0\0", 6)), SNIFF_NO);
    assert_int_equal(omni_codec.sniff(bytes_of("*\0", 2)), SNIFF_NO);
    memset(filling, ' ', sizeof filling);
    filling[0] = '*';
    assert_int_equal(omni_codec.sniff(bytes_of(filling, OMNI_SNIFF_MAX)), SNIFF_MORE);
    assert_int_equal(omni_codec.sniff(bytes_of(filling, OMNI_SNIFF_MAX + 1)), SNIFF_NO);
}

static void test_heartbeat_fills_the_state(void **s)
{
    (void)s;
    struct message m = decoded("*HBCR,NB," IMEI ",H0,1,398,24,80,1#");
    assert_int_equal(m.kind, MESSAGE_REPORT);
    assert_int_equal(m.dialect, OMNI_HBCR);
    assert_true(text_is(&m.vendor, "NB"));
    assert_true(text_is(&m.ident, IMEI));
    assert_true(bytes_equal_text(m.command, "H0"));
    assert_false(m.must_ack);
    assert_int_equal(m.has, HAS_LOCKED | HAS_IOT_MV | HAS_RSSI | HAS_BATTERY | HAS_CHARGING);
    assert_true(m.locked && m.charging);
    assert_int_equal(m.iot_mv, 3980);
    assert_int_equal(m.rssi, 24);
    assert_int_equal(m.battery_pct, 80);
}

static void test_empty_field_is_absent_and_not_zero(void **s)
{
    (void)s;
    struct message m = decoded("*SCOR,OM," IMEI ",H0,1,,24,,0#");
    assert_int_equal(m.has, HAS_LOCKED | HAS_RSSI | HAS_CHARGING);
    assert_int_equal(decoded("*SCOR,OM," IMEI ",H0,0#").has, HAS_LOCKED);
}

static void test_sign_in_says_so(void **s)
{
    (void)s;
    assert_int_equal(decoded("*SCOR,OM," IMEI ",Q0,412,80,28#").has,
                     HAS_SIGN_IN | HAS_IOT_MV | HAS_BATTERY | HAS_RSSI);
    assert_int_equal(decoded("*BGCR,OM," IMEI ",Q0,4100,a,0,0,3#").has, HAS_SIGN_IN | HAS_IOT_MV);
    assert_int_equal(decoded("*BGCR,OM," IMEI ",Q0,4100,a,0,0,3#").iot_mv, 4100);
}

static void test_horseshoe_lock_voltage_becomes_percent(void **s)
{
    (void)s;
    struct message m = decoded("*CMDR,OM," IMEI ",261123224600,Q0,401#");
    assert_int_equal(m.has, HAS_SIGN_IN | HAS_IOT_MV | HAS_BATTERY);
    assert_int_equal(m.battery_pct, 90);
    static const struct { uint16_t mv; uint8_t pct; } curve[] = {
        {0, 0}, {3400, 0}, {3401, 0}, {3415, 1}, {3550, 10}, {3590, 20}, {3620, 30}, {3640, 40}, {3670, 45}, {3700, 50},
        {3760, 60}, {3830, 70}, {3910, 80}, {4010, 90}, {4119, 99}, {4120, 100}, {4200, 100},
    };
    for (size_t i = 0; i < sizeof curve / sizeof *curve; i++) {
        assert_int_equal(omni_battery_pct(curve[i].mv), curve[i].pct);
    }
    assert_int_equal(decoded("*CMDR,OM," IMEI ",H0,1,,24#").has, HAS_LOCKED | HAS_RSSI);
}

static void test_each_tenth_of_the_battery_begins_at_its_voltage(void **s)
{
    (void)s;
    static const uint16_t begins_mv[] = {3400, 3550, 3590, 3620, 3640, 3700, 3760, 3830, 3910, 4010, 4120};
    for (unsigned i = 0; i <= 10; i++) assert_int_equal(omni_battery_pct(begins_mv[i]), 10 * i);
    for (unsigned i = 1; i <= 10; i++) assert_int_equal(omni_battery_pct(begins_mv[i] - 1u), 10 * i - 1);
    assert_int_equal(omni_battery_pct(0), 0);
    assert_int_equal(omni_battery_pct(3475), 5);
    assert_int_equal(omni_battery_pct(4065), 95);
    assert_int_equal(omni_battery_pct(UINT32_MAX), 100);
}

static void test_fields_that_are_not_there_are_not_looked_at(void **s)
{
    (void)s;
    static const char *const frames[] = {"*SCOR#", "*SCOR,OM#", "*SCOR,OM," IMEI "#", "*CMDR,OM," IMEI ",261123224600#"};
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        struct omni_frame f;
        memset(&f, 0, sizeof f);
        assert_string_equal(omni_frame_split(bytes_text(frames[i]), &f).why, "too_few_fields");
    }
}

static void test_what_a_frame_lacks_is_nothing(void **s)
{
    (void)s;
    struct omni_frame f;
    memset(&f, 0xaa, sizeof f);
    struct bytes bare = bytes_text("*SCOR,OM," IMEI ",D0,0,224600.00,A,5742.1,N,01157.8,E,,,231126,,,#");
    assert_int_equal(omni_frame_split(bare, &f).code, ERR_OK);
    assert_null(f.clock.at);
    struct omni_fix fix;
    memset(&fix, 0xaa, sizeof fix);
    assert_int_equal(omni_fix_read(&f, &fix).code, ERR_OK);
    assert_true(fix.valid && fix.has_time && fix.has_date && !fix.has_sats && !fix.has_hdop && !fix.has_alt);
    assert_true(fix.sats == 0 && fix.hdop_milli == 0 && fix.alt_mm == 0 && fix.mode.len == 0);
    assert_true(omni_param(&f, 13).len == 0 && omni_param(&f, 13).at == NULL);
}

static void test_operations_carry_user_and_stamp(void **s)
{
    (void)s;
    struct message m = decoded("*SCOR,OM," IMEI ",R0,1,201,7,1795474800#");
    assert_int_equal(m.kind, MESSAGE_KEY);
    assert_int_equal(m.op, ORDER_LOCK);
    assert_int_equal(m.has, 0);
    assert_int_equal(m.key, 201);
    assert_int_equal(m.user, 7);
    assert_int_equal(m.stamp, 1795474800);
    assert_false(m.must_ack);
    assert_int_equal(decoded("*SCOR,OM," IMEI ",R0,0,1,7,9#").op, ORDER_UNLOCK);
    assert_int_equal(decoded("*SCOR,OM," IMEI ",R0,2,1,7,9#").op, ORDER_NONE);
    m = decoded("*SCOR,OM," IMEI ",L1,3,7,1795474800,12#");
    assert_int_equal(m.kind, MESSAGE_LOCK_RESULT);
    assert_int_equal(m.op, ORDER_LOCK);
    assert_int_equal(m.has, 0);
    assert_int_equal(m.result, 3);
    assert_int_equal(m.user, 7);
    assert_int_equal(m.stamp, 1795474800);
    assert_int_equal(m.ride_min, 12);
    m = decoded("*SCOR,OM," IMEI ",L0,2,7,9#");
    assert_int_equal(m.op, ORDER_UNLOCK);
    assert_int_equal(m.result, 2);
}

static void test_horseshoe_lock_report_has_no_result(void **s)
{
    (void)s;
    struct message m = decoded("*CMDR,OM," IMEI ",000000000000,L1,7,1795474800,12#");
    assert_int_equal(m.op, ORDER_LOCK);
    assert_int_equal(m.result, 0);
    assert_int_equal(m.user, 7);
    assert_int_equal(m.stamp, 1795474800);
    assert_int_equal(m.ride_min, 12);
    assert_true(m.must_ack);
}

static void test_user_that_is_a_word_is_nobody_of_ours(void **s)
{
    (void)s;
    struct message m = decoded("*HBCR,NB," IMEI ",L0,0,anna,1795474800#");
    assert_true(m.user_word);
    assert_int_equal(m.user, 0);
    assert_true(decoded("*HBCR,NB," IMEI ",L0,0,4294967296,1#").user_word);
    assert_true(decoded("*HBCR,NB," IMEI ",L0,0,-1,1#").user_word);
    m = decoded("*HBCR,NB," IMEI ",L0,0,4294967295,1#");
    assert_false(m.user_word);
    assert_int_equal(m.user, UINT32_MAX);
    decoded("*HBCR,NB," IMEI ",L0,0,abcdefghijklmnopqrstuvwxyz012345,1#");
}

static void test_position_is_exact_and_signed(void **s)
{
    (void)s;
    struct message m =
        decoded("*SCOR,OM," IMEI ",D0,0,224600.250,A,5742.1750,S,01157.86214,W,9,0.857,231126,-12.39,M,A#");
    assert_int_equal(m.has, HAS_POSITION | HAS_FIX_TIME);
    assert_int_equal(m.lat_e7, -577029167);
    assert_int_equal(m.lon_e7, -119643690);
    assert_int_equal(m.sats, 9);
    assert_int_equal(m.hdop_centi, 85);
    assert_int_equal(m.alt_dm, -123);
    assert_true(m.fix_ms == 1795473960250);
    /* 1e-7 minutes / 60: .0000029 rounds down, .0000030 up. */
    m = decoded("*SCOR,OM," IMEI ",D0,0,224600,A,0000.0000029,N,00000.0000030,E,9,1,231126,0,M,A#");
    assert_int_equal(m.lat_e7, 0);
    assert_int_equal(m.lon_e7, 1);
    m = decoded("*SCOR,OM," IMEI ",D1,1,224600,A,8959.9999999,N,17959.99999,E,9,1,231126,0,M,A#");
    assert_int_equal(m.lat_e7, 900000000);
    assert_int_equal(m.lon_e7, 1799999998);
    assert_int_equal(m.kind, MESSAGE_REPORT);
}

static void test_position_without_date_gives_the_second_of_the_day(void **s)
{
    (void)s;
    struct message m = decoded("*CMDR,OM," IMEI ",D0,0,224600.5,A,5742.1750,N,01157.8620,E,9,0.85,,12,M,A#");
    assert_int_equal(m.has, HAS_POSITION | HAS_FIX_SECOND);
    assert_true(m.fix_ms == 81960500);
    assert_true(m.must_ack);
}

static void test_no_fix_is_not_a_place_in_the_gulf_of_guinea(void **s)
{
    (void)s;
    struct message m = decoded("*SCOR,OM," IMEI ",D0,0,224600.00,V,0,N,0,E,0,0,231126,0,M,N#");
    assert_int_equal(m.has, HAS_NO_FIX);
    assert_false(m.must_ack);
}

static void test_speed_unit_is_told_by_its_size(void **s)
{
    (void)s;
    assert_int_equal(decoded("*SCOR,OM," IMEI ",S6,80,3,221,0,372,0,1,28,100,5000#").speed_dmh, 221);
    assert_int_equal(decoded("*SCOR,OM," IMEI ",S6,80,3,60,0,372,0,1,28,100,5000#").speed_dmh, 600);
    assert_int_equal(decoded("*SCOR,OM," IMEI ",S6,80,3,61,0,372,0,1,28,100,5000#").speed_dmh, 61);
    struct message m = decoded("*SCOR,OM," IMEI ",S6,80,3,0,1,372,0,1,28,100,5000#");
    assert_int_equal(m.has, HAS_BATTERY | HAS_SPEED | HAS_CHARGING | HAS_LOCKED | HAS_RSSI | HAS_TRIP | HAS_TOTAL);
    assert_int_equal(m.trip_m, 1000);
    assert_int_equal(m.total_m, 50000);
    assert_int_equal(m.speed_dmh, 0);
}

static void test_layouts_that_are_not_known_stay_opaque(void **s)
{
    (void)s;
    static const char *const frames[] = {
        "*HBCR,NB," IMEI ",S6,80,3,221,0,372,0,1,28,100,5000#", "*SCOR,OM," IMEI ",S6,80,3,22,0,372,0,1,cell#",
        "*SCOR,OM," IMEI ",Z9,1#", "*SCOR,OM," IMEI ",U0,1,2,3#", "*HBCR,NB," IMEI ",JR4#", "*SCOR,OM," IMEI ",Re,L0#",
        "*HBCR,NB," IMEI ",E1#", "*CMDR,OM," IMEI ",R0,x#",
    };
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        struct message m = decoded(frames[i]);
        assert_int_equal(m.kind, MESSAGE_OPAQUE);
        assert_int_equal(m.has, 0);
        assert_false(m.must_ack);
    }
}

static void test_alarms_are_in_our_words(void **s)
{
    (void)s;
    static const uint8_t ours[] = {ALARM_OTHER, ALARM_MOVED_LOCKED, ALARM_FELL, ALARM_DISMANTLED, ALARM_BATTERY_LOW,
                                   ALARM_OTHER, ALARM_FALL_CLEARED, ALARM_DISMANTLE_CLEARED, ALARM_OTHER};
    char frame[] = "*SCOR,OM," IMEI ",W0,0#";
    for (unsigned i = 0; i < sizeof ours; i++) {
        frame[sizeof frame - 3] = (char)('0' + i);
        struct message m = decoded(frame);
        assert_int_equal(m.alarm, ours[i]);
        assert_int_equal(m.has, HAS_ALARM);
        assert_true(m.must_ack);
    }
    assert_int_equal(decoded("*HBCR,NB," IMEI ",W0,12#").alarm, ALARM_BATTERY_LOW);
    assert_int_equal(decoded("*SCOR,OM," IMEI ",W0,12#").alarm, ALARM_OTHER);
}

static void test_faults_come_and_go(void **s)
{
    (void)s;
    struct message m = decoded("*SCOR,OM," IMEI ",E0,33#");
    assert_int_equal(m.has, HAS_FAULT);
    assert_int_equal(m.fault, 33);
    assert_true(m.must_ack);
    assert_false(decoded("*CMDR,OM," IMEI ",E0,33#").must_ack);
    m = decoded("*SCOR,OM," IMEI ",E1#");
    assert_int_equal(m.has, HAS_FAULT);
    assert_int_equal(m.fault, 0);
    assert_false(m.must_ack);
}

static void test_echoes_name_the_order_that_they_repeat(void **s)
{
    (void)s;
    static const struct { const char *frame; uint8_t op; } echoes[] = {
        {"*SCOR,OM," IMEI ",V0,2#", ORDER_RING}, {"*SCOR,OM," IMEI ",V0,1#", ORDER_NONE},
        {"*SCOR,OM," IMEI ",S1,2#", ORDER_RESTART}, {"*SCOR,OM," IMEI ",S1,12#", ORDER_NONE},
        {"*CMDR,OM," IMEI ",S1#", ORDER_RESTART}, {"*CMDR,OM," IMEI ",S8,5,0#", ORDER_RING},
        {"*SCOR,OM," IMEI ",D1,30#", ORDER_NONE}, {"*SCOR,OM," IMEI ",S5,1,1,240,10#", ORDER_NONE},
        {"*SCOR,OM," IMEI ",S7,1,1,1,1#", ORDER_NONE}, {"*SCOR,OM," IMEI ",S4,0,0,0,0,0,6,7,8#", ORDER_NONE},
    };
    for (size_t i = 0; i < sizeof echoes / sizeof *echoes; i++) {
        struct message m = decoded(echoes[i].frame);
        assert_int_equal(m.kind, MESSAGE_ECHO);
        assert_int_equal(m.op, echoes[i].op);
        assert_int_equal(m.has, 0);
    }
}

static void test_only_what_the_device_repeats_is_acknowledged(void **s)
{
    (void)s;
    static const char *const params[] = {"L0,0,7,9", "L1,0,7,9", "W0,1", "E0,1",
                                         "D0,0,224600,V,,,,,,,,,,N", "Q0,400", "H0,1", "M0,x", "I0,x", "G0,x"};
    /* scooter, Ninebot, horseshoe, ground */
    static const bool acked[][5] = {{0}, {1, 1, 1, 1, 0}, {1, 1, 1, 1, 0}, {1, 1, 1, 0, 1}, {1, 1, 1, 0, 1}};
    for (unsigned d = 1; d < OMNI_DIALECT_N; d++) {
        for (unsigned i = 0; i < sizeof params / sizeof *params; i++) {
            char frame[100];
            struct buf b = buf_on(frame, sizeof frame);
            buf_put_char(&b, '*');
            buf_put_text(&b, omni_dialects[d].up);
            buf_put_text(&b, ",OM," IMEI ",");
            buf_put_text(&b, d == OMNI_CMDR && i == 1 ? "L1,7,9,1" : params[i]);
            buf_put_text(&b, "#");
            struct message m;
            assert_string_equal(omni_decode(buf_bytes(&b), &m).why, "");
            assert_int_equal(m.must_ack, i < 5 && acked[d][i]);
        }
    }
}

static void test_direction_and_shape_are_checked_without_cut_too(void **s)
{
    (void)s;
    assert_refused("*SCOS,OM," IMEI ",H0,1#", "wrong_direction");
    assert_refused("", "bad_frame");
    assert_refused("*", "bad_frame");
    assert_refused("#", "bad_frame");
    assert_refused("xSCOR,OM," IMEI ",H0,1#", "bad_frame");
    assert_refused("*SCOR,OM," IMEI ",H0,1", "bad_frame");
    assert_refused("*SCOR,OM," IMEI ",G0,a*b#", "bad_frame");
    assert_refused("*SCOR,OM," IMEI ",G0,a#b#", "bad_frame");
}

/* Every byte value in every place of an eight-byte word: the fast look must see what the slow one would. */
static void test_odd_bytes_are_seen_wherever_they_stand(void **s)
{
    (void)s;
    char frame[] = "*SCOR,OM," IMEI ",G0,abcdefghijklmnopqrstuvw#";
    size_t first = sizeof "*SCOR,OM," IMEI ",G0," - 1;
    for (size_t at = first; at < sizeof frame - 2; at++) {
        char was = frame[at];
        for (int c = 0; c < 256; c++) {
            frame[at] = (char)c;
            struct message m;
            struct err e = omni_decode(bytes_of(frame, sizeof frame - 1), &m);
            const char *want = c == '*' || c == '#' ? "bad_frame" : c < ' ' || c > '~' ? "bad_byte" : "";
            assert_string_equal(e.why, want);
        }
        frame[at] = was;
    }
}

static void test_masked_frame_keeps_no_key(void **s)
{
    (void)s;
    static const struct { const char *in, *out; } cases[] = {
        {"*SCOR,OM,4,K0,secret12#", "*SCOR,OM,4,K0,xxxxxxxx#"},
        {"*CMDR,OM,4,261123224600,K0,1,secret12#", "*CMDR,OM,4,261123224600,K0,x,xxxxxxxx#"},
        {"*SCOR, OM, 4, K0 , secret12#", "*SCOR, OM, 4, K0 ,xxxxxxxxx#"},
        {"*SCOR,OM,4,K1,se*ret,2", "*SCOR,OM,4,K1,xx*xxx,x"},
        {"*SCOR,OM,4,H0,1,398#", "*SCOR,OM,4,H0,1,398#"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t frame[100] = {0};
        size_t len = strlen(cases[i].in);
        memcpy(frame, cases[i].in, len);
        omni_codec.mask(frame, len);
        assert_string_equal((char *)frame, cases[i].out);
    }
}

static void test_caps_say_what_a_dialect_can_do(void **s)
{
    (void)s;
    assert_int_equal(omni_codec.caps(OMNI_SCOR),
                     CAP_LOCK | CAP_KEY_STEP | CAP_ASK_STATUS | CAP_RESTART | CAP_SPEED);
    assert_int_equal(omni_codec.caps(OMNI_HBCR), CAP_LOCK | CAP_KEY_STEP | CAP_RESTART);
    assert_int_equal(omni_codec.caps(OMNI_CMDR), CAP_ASK_STATUS | CAP_RESTART);
    assert_int_equal(omni_codec.caps(OMNI_BGCR), CAP_LOCK | CAP_KEY_STEP);
    assert_int_equal(omni_codec.caps(0), 0);
    assert_int_equal(omni_codec.caps(OMNI_DIALECT_N), 0);
}

/* The tables hold promises that no single frame shows. */
static void test_every_row_of_the_tables_is_sound(void **s)
{
    (void)s;
    for (unsigned i = 0; i < omni_shape_count; i++) {
        const struct omni_shape *shape = &omni_shapes[i];
        assert_true(shape->kind >= MESSAGE_REPORT && shape->kind <= MESSAGE_OPAQUE);
        assert_true(shape->dialects != 0);
        for (unsigned k = 0; k < shape->field_count; k++) {
            const struct omni_field *field = &shape->fields[k];
            uint64_t limit = field->width == 4 ? UINT32_MAX : (1u << (8 * field->width)) - 1;
            assert_true(field->scale >= 1);
            assert_true(field->offset + field->width <= sizeof(struct message));
            if (field->width) assert_true((uint64_t)field->max * field->scale <= limit);
            assert_true(!field->codes == (field->form != OMNI_CODE));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_finds_a_frame_behind_filling),
        cmocka_unit_test(test_cut_counts_other_bytes_as_noise),
        cmocka_unit_test(test_second_star_begins_the_frame_anew),
        cmocka_unit_test(test_frame_at_the_limit_passes_and_one_byte_more_does_not),
        cmocka_unit_test(test_frames_do_not_depend_on_where_the_stream_was_split),
        cmocka_unit_test(test_sniff_knows_the_four_headers),
        cmocka_unit_test(test_sniff_gives_up_on_endless_filling),
        cmocka_unit_test(test_heartbeat_fills_the_state),
        cmocka_unit_test(test_empty_field_is_absent_and_not_zero),
        cmocka_unit_test(test_sign_in_says_so),
        cmocka_unit_test(test_horseshoe_lock_voltage_becomes_percent),
        cmocka_unit_test(test_each_tenth_of_the_battery_begins_at_its_voltage),
        cmocka_unit_test(test_fields_that_are_not_there_are_not_looked_at),
        cmocka_unit_test(test_what_a_frame_lacks_is_nothing),
        cmocka_unit_test(test_operations_carry_user_and_stamp),
        cmocka_unit_test(test_horseshoe_lock_report_has_no_result),
        cmocka_unit_test(test_user_that_is_a_word_is_nobody_of_ours),
        cmocka_unit_test(test_position_is_exact_and_signed),
        cmocka_unit_test(test_position_without_date_gives_the_second_of_the_day),
        cmocka_unit_test(test_no_fix_is_not_a_place_in_the_gulf_of_guinea),
        cmocka_unit_test(test_speed_unit_is_told_by_its_size),
        cmocka_unit_test(test_layouts_that_are_not_known_stay_opaque),
        cmocka_unit_test(test_alarms_are_in_our_words),
        cmocka_unit_test(test_faults_come_and_go),
        cmocka_unit_test(test_echoes_name_the_order_that_they_repeat),
        cmocka_unit_test(test_only_what_the_device_repeats_is_acknowledged),
        cmocka_unit_test(test_direction_and_shape_are_checked_without_cut_too),
        cmocka_unit_test(test_odd_bytes_are_seen_wherever_they_stand),
        cmocka_unit_test(test_masked_frame_keeps_no_key),
        cmocka_unit_test(test_caps_say_what_a_dialect_can_do),
        cmocka_unit_test(test_every_row_of_the_tables_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
