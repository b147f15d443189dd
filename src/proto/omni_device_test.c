/* SPDX-License-Identifier: Apache-2.0 */
/* omni_device_test.c: what the simulated vehicle says, the server reads; what the server says, the vehicle reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/omni_device.h"
#include "proto/omni_frame.h"

#define IMEI "490154203237518"
#define NOW_MS 1795473960000 /* 2026-11-23T22:46:00Z */
#define EVERYTHING                                                                                      \
    (HAS_LOCKED | HAS_IOT_MV | HAS_BATTERY | HAS_RSSI | HAS_CHARGING | HAS_SPEED | HAS_TRIP | HAS_TOTAL | \
     HAS_ALARM | HAS_FAULT)

static struct message state_of(uint8_t dialect)
{
    struct message m = {
        .dialect = dialect, .has = EVERYTHING | HAS_POSITION | HAS_FIX_TIME, .locked = true, .charging = true,
        .battery_pct = 81, .rssi = 23, .sats = 9, .alarm = ALARM_FELL, .iot_mv = 3980, .hdop_centi = 85,
        .speed_dmh = 221, .lat_e7 = -338685185, .lon_e7 = 1512037037, .alt_dm = -123, .fix_ms = NOW_MS - 250,
        .trip_m = 1230, .total_m = 456780, .fault = 33, .op = ORDER_LOCK, .result = 3, .key = 201, .user = 7,
        .stamp = 1795474800, .ride_min = 12,
    };
    assert_int_equal(text_set(&m.vendor, bytes_text("OM")).code, ERR_OK);
    assert_int_equal(text_set(&m.ident, bytes_text(IMEI)).code, ERR_OK);
    return m;
}

static struct message said(const struct message *state, const char *command, uint8_t *frame)
{
    struct buf b = buf_on(frame, OMNI_SAY_MAX);
    struct omni_say say = {.command = command, .state = state, .clock_ms = NOW_MS};
    assert_string_equal(omni_device_say(&say, &b).why, "");
    struct cut cut = omni_cut(buf_bytes(&b));
    assert_true(cut.skip == 0 && !cut.noise && cut.len == b.len - 1);
    assert_int_equal(frame[b.len - 1], '\n');
    struct message m;
    assert_string_equal(omni_decode(bytes_of(frame, cut.len), &m).why, "");
    assert_true(bytes_equal_text(m.command, command));
    assert_int_equal(m.dialect, state->dialect);
    assert_true(text_equal(&m.ident, &state->ident) && text_equal(&m.vendor, &state->vendor));
    return m;
}

/* Every row of the tables, through the wire and back: each member that the row fills is what it was. */
static void test_every_message_of_every_dialect_comes_back(void **s)
{
    (void)s;
    unsigned tried = 0;
    for (unsigned i = 0; i < omni_shape_count; i++) {
        const struct omni_shape *shape = &omni_shapes[i];
        for (uint8_t dialect = 1; dialect < OMNI_DIALECT_N; dialect++) {
            if (!(shape->dialects & OMNI_BIT(dialect)) || shape->fix) continue;
            if (omni_shape_find(bytes_text(shape->command), dialect, OMNI_FIELDS_MAX) != shape) continue;
            struct message state = state_of(dialect);
            uint8_t frame[OMNI_SAY_MAX];
            struct message m = said(&state, shape->command, frame);
            assert_int_equal(m.kind, shape->kind);
            for (unsigned k = 0; k < shape->field_count; k++) {
                const struct omni_field *field = &shape->fields[k];
                if (!field->width || bytes_equal_text(bytes_text(shape->command), "V0")) continue;
                if (bytes_equal_text(bytes_text(shape->command), "S1")) continue; /* LOCK has no code there */
                assert_int_equal(omni_member_get(&m, field), omni_member_get(&state, field));
                assert_int_equal(m.has & field->has, field->has);
            }
            tried++;
        }
    }
    assert_true(tried > 40);
}

static void test_sign_in_and_heartbeat_have_the_printed_form(void **s)
{
    (void)s;
    static const struct { uint8_t dialect; const char *command, *frame; } cases[] = {
        {OMNI_SCOR, "Q0", "*SCOR,OM," IMEI ",Q0,398,81,23#\n"},
        {OMNI_HBCR, "H0", "*HBCR,OM," IMEI ",H0,1,398,23,81,1#\n"},
        {OMNI_CMDR, "Q0", "*CMDR,OM," IMEI ",261123224600,Q0,398#\n"},
        {OMNI_CMDR, "S5", "*CMDR,OM," IMEI ",261123224600,S5,398,23,9,1,#\n"},
        {OMNI_BGCR, "H0", "*BGCR,OM," IMEI ",H0,1,3980,23,,#\n"},
        {OMNI_SCOR, "R0", "*SCOR,OM," IMEI ",R0,1,201,7,1795474800#\n"},
        {OMNI_SCOR, "L0", "*SCOR,OM," IMEI ",L0,3,7,1795474800#\n"},
        {OMNI_SCOR, "L1", "*SCOR,OM," IMEI ",L1,3,7,1795474800,12#\n"},
        {OMNI_CMDR, "L1", "*CMDR,OM," IMEI ",261123224600,L1,7,1795474800,12#\n"},
        {OMNI_SCOR, "S6", "*SCOR,OM," IMEI ",S6,81,0,221,1,0,0,1,23,123,45678#\n"},
        {OMNI_SCOR, "W0", "*SCOR,OM," IMEI ",W0,2#\n"},
        {OMNI_SCOR, "E0", "*SCOR,OM," IMEI ",E0,33#\n"},
        {OMNI_SCOR, "D0", "*SCOR,OM," IMEI ",D0,0,224559.750,A,3352.11111,S,15112.22222,E,9,0.85,231126,-12.3,M,A#\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t frame[OMNI_SAY_MAX] = {0};
        struct message state = state_of(cases[i].dialect);
        said(&state, cases[i].command, frame);
        assert_memory_equal(frame, cases[i].frame, strlen(cases[i].frame));
    }
}

static void test_position_comes_back_within_one_unit(void **s)
{
    (void)s;
    static const int32_t lats[] = {0, 1, -1, 9999999, 577029167, -338685185, 900000000, -900000000,
                                   599999999, 123456789};
    static const int32_t lons[] = {0, -9, 8, 9999998, 119643667, -1799999999, 1800000000, -1800000000,
                                   1799999999, 987654321};
    for (uint8_t dialect = 1; dialect < OMNI_DIALECT_N; dialect++) {
        for (size_t i = 0; i < sizeof lats / sizeof *lats; i++) {
            struct message state = state_of(dialect);
            state.lat_e7 = lats[i];
            state.lon_e7 = lons[i];
            uint8_t frame[OMNI_SAY_MAX];
            struct message m = said(&state, i & 1 ? "D0" : "D1", frame);
            assert_int_equal(m.has, HAS_POSITION | HAS_FIX_TIME);
            assert_in_range(m.lat_e7 - lats[i] + 1, 0, 2);
            assert_in_range(m.lon_e7 - lons[i] + 1, 0, 2);
            assert_true(m.fix_ms == state.fix_ms && m.sats == 9 && m.hdop_centi == 85 && m.alt_dm == -123);
        }
    }
}

static void test_position_is_rounded_to_the_nearest_hundred_thousandth_of_a_minute(void **s)
{
    (void)s;
    /* 1e-7 degrees are 0.6 of the unit: 5 of them are 3 units, 4 are 2.4, 1 is 0.6. */
    static const struct { int32_t e7; const char *text; } rows[] = {
        {0, ",0000.00000,N,"}, {1, ",0000.00001,N,"}, {4, ",0000.00002,N,"}, {-4, ",0000.00002,S,"}, {5, ",0000.00003,N,"},
        {166667, ",0001.00000,N,"}, {9999999, ",0059.99999,N,"}, {10000000, ",0100.00000,N,"}, {-577029167, ",5742.17500,S,"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct message state = state_of(OMNI_SCOR);
        state.lat_e7 = rows[i].e7;
        uint8_t frame[OMNI_SAY_MAX + 1] = {0};
        said(&state, "D0", frame);
        if (!strstr((char *)frame, rows[i].text)) fail_msg("%d: %s", rows[i].e7, (char *)frame);
    }
}

static void test_fix_may_lack_its_date_or_be_none(void **s)
{
    (void)s;
    uint8_t frame[OMNI_SAY_MAX];
    struct message state = state_of(OMNI_CMDR);
    state.has = HAS_POSITION | HAS_FIX_SECOND;
    struct message m = said(&state, "D0", frame);
    assert_int_equal(m.has, HAS_POSITION | HAS_FIX_SECOND);
    assert_true(m.fix_ms == 81959750);
    state.has = HAS_NO_FIX;
    assert_int_equal(said(&state, "D0", frame).has, HAS_NO_FIX);
}

static void test_slow_speed_is_said_in_whole_kilometres(void **s)
{
    (void)s;
    uint8_t frame[OMNI_SAY_MAX];
    struct message state = state_of(OMNI_SCOR);
    state.speed_dmh = 60;
    assert_int_equal(said(&state, "S6", frame).speed_dmh, 60);
    state.speed_dmh = 61;
    assert_int_equal(said(&state, "S6", frame).speed_dmh, 61);
    state.speed_dmh = 0;
    assert_int_equal(said(&state, "S6", frame).speed_dmh, 0);
}

static void test_what_is_not_announced_stays_empty(void **s)
{
    (void)s;
    uint8_t frame[OMNI_SAY_MAX];
    struct message state = state_of(OMNI_SCOR);
    state.has = HAS_LOCKED | HAS_RSSI;
    assert_int_equal(said(&state, "H0", frame).has, HAS_LOCKED | HAS_RSSI);
    struct buf b = buf_on(frame, sizeof frame);
    struct omni_say say = {.command = "W0", .state = &state};
    assert_int_equal(omni_device_say(&say, &b).code, ERR_INVALID);
    say.command = "Z9";
    b = buf_on(frame, sizeof frame);
    assert_int_equal(omni_device_say(&say, &b).code, ERR_UNSUPPORTED);
    state.has = EVERYTHING;
    say.command = "H0";
    b = buf_on(frame, 20);
    assert_int_equal(omni_device_say(&say, &b).code, ERR_TOO_LARGE);
    static const uint8_t none[] = {0, OMNI_DIALECT_N, 255};
    for (size_t i = 0; i < sizeof none; i++) {
        struct omni_ask ask = {.dialect = none[i]};
        state.dialect = none[i];
        assert_int_equal(omni_device_say(&say, &b).code, ERR_UNSUPPORTED);
        assert_int_equal(omni_device_echo(&ask, 0, &b).code, ERR_UNSUPPORTED);
    }
}

static void test_clock_that_is_not_set_is_zeros(void **s)
{
    (void)s;
    uint8_t frame[OMNI_SAY_MAX + 1] = {0};
    struct message state = state_of(OMNI_CMDR);
    struct buf b = buf_on(frame, OMNI_SAY_MAX);
    struct omni_say say = {.command = "Q0", .state = &state};
    assert_int_equal(omni_device_say(&say, &b).code, ERR_OK);
    assert_string_equal((char *)frame, "*CMDR,OM," IMEI ",000000000000,Q0,398#\n");
}

static void test_vehicle_reads_every_order(void **s)
{
    (void)s;
    static const struct { uint8_t dialect, op, step, kind, asked_op; } cases[] = {
        {OMNI_SCOR, ORDER_UNLOCK, 0, OMNI_ASK_KEY, ORDER_UNLOCK}, {OMNI_SCOR, ORDER_LOCK, 0, OMNI_ASK_KEY, ORDER_LOCK},
        {OMNI_HBCR, ORDER_UNLOCK, 1, OMNI_ASK_UNLOCK, 0}, {OMNI_BGCR, ORDER_LOCK, 1, OMNI_ASK_LOCK, 0},
        {OMNI_CMDR, ORDER_UNLOCK, 0, OMNI_ASK_UNLOCK, 0}, {OMNI_SCOR, ORDER_LOCATE, 0, OMNI_ASK_LOCATE, 0},
        {OMNI_SCOR, ORDER_STATUS, 0, OMNI_ASK_STATUS, 0}, {OMNI_CMDR, ORDER_STATUS, 0, OMNI_ASK_STATUS, 0},
        {OMNI_HBCR, ORDER_STATUS, 0, OMNI_ASK_LOCATE, 0}, {OMNI_SCOR, ORDER_RING, 0, OMNI_ASK_RING, 0},
        {OMNI_CMDR, ORDER_RING, 0, OMNI_ASK_RING, 0}, {OMNI_HBCR, ORDER_RESTART, 0, OMNI_ASK_RESTART, 0},
        {OMNI_CMDR, ORDER_RESTART, 0, OMNI_ASK_RESTART, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct message state = state_of(cases[i].dialect);
        struct order o = {.dialect = cases[i].dialect, .op = cases[i].op, .step = cases[i].step, .vendor = state.vendor,
                          .ident = state.ident, .key = 201, .user = 7, .stamp = 1795474800, .now_ms = NOW_MS};
        uint8_t frame[OMNI_ORDER_MAX];
        struct buf b = buf_on(frame, sizeof frame);
        assert_int_equal(omni_encode(&o, &b).code, ERR_OK);
        struct cut cut = omni_cut(buf_bytes(&b));
        struct omni_ask ask;
        assert_int_equal(omni_device_read(bytes_of(frame + cut.skip, cut.len), &ask).code, ERR_OK);
        assert_int_equal(ask.kind, cases[i].kind);
        assert_int_equal(ask.op, cases[i].asked_op);
        assert_true(ask.dialect == o.dialect && text_equal(&ask.ident, &o.ident) && text_equal(&ask.vendor, &o.vendor));
        bool names_it = ask.kind == OMNI_ASK_KEY || ask.kind == OMNI_ASK_UNLOCK;
        assert_int_equal(ask.user, names_it ? 7 : 0);
        assert_int_equal(ask.stamp, names_it ? 1795474800 : 0);
        assert_int_equal(ask.valid_s, ask.kind == OMNI_ASK_KEY ? OMNI_KEY_VALID_S : 0);
        bool has_key = cases[i].step == 1;
        assert_int_equal(ask.key, has_key ? 201 : 0);
    }
}

static struct omni_ask asked(const char *frame)
{
    struct omni_ask ask;
    assert_string_equal(omni_device_read(bytes_text(frame), &ask).why, "");
    return ask;
}

static void test_vehicle_tells_acks_from_orders(void **s)
{
    (void)s;
    struct omni_ask ask = asked("*SCOS,OM," IMEI ",L0#");
    assert_int_equal(ask.kind, OMNI_ASK_ACK);
    assert_true(bytes_equal_text(ask.command, "L0"));
    ask = asked("*CMDS,OM," IMEI ",261123224600,Re,D0#");
    assert_int_equal(ask.kind, OMNI_ASK_ACK);
    assert_true(bytes_equal_text(ask.command, "D0"));
    assert_int_equal(asked("*HBCS,NB," IMEI ",E0#").kind, OMNI_ASK_ACK);
    assert_int_equal(asked("*CMDS,OM," IMEI ",D0#").kind, OMNI_ASK_LOCATE);
    assert_int_equal(asked("*CMDS,OM," IMEI ",L0#").kind, OMNI_ASK_OTHER);
    assert_int_equal(asked("*SCOS,OM," IMEI ",G0#").kind, OMNI_ASK_OTHER);
}

static void test_vehicle_echoes_settings(void **s)
{
    (void)s;
    static const char *const frames[][2] = {
        {"*SCOS,OM," IMEI ",S5,0,2,240,10#", "*SCOR,OM," IMEI ",S5,0,2,240,10#\n"},
        {"*SCOS,OM," IMEI ",S4,1,0,2,0,0,10,15,20#", "*SCOR,OM," IMEI ",S4,1,0,2,0,0,10,15,20#\n"},
        {"*HBCS,NB," IMEI ",V0,2#", "*HBCR,NB," IMEI ",V0,2#\n"},
        {"*SCOS,OM," IMEI ",D1,30#", "*SCOR,OM," IMEI ",D1,30#\n"},
        {"*CMDS,OM," IMEI ",000000000000,S8,5,0#", "*CMDR,OM," IMEI ",261123224600,S8,5,0#\n"},
    };
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        struct omni_ask ask = asked(frames[i][0]);
        uint8_t frame[OMNI_SAY_MAX + 1] = {0};
        struct buf b = buf_on(frame, OMNI_SAY_MAX);
        assert_int_equal(omni_device_echo(&ask, NOW_MS, &b).code, ERR_OK);
        assert_string_equal((char *)frame, frames[i][1]);
        struct message m;
        assert_int_equal(omni_decode(bytes_of(frame, b.len - 1), &m).code, ERR_OK);
        assert_int_equal(m.kind, MESSAGE_ECHO);
    }
    assert_int_equal(asked("*SCOS,OM," IMEI ",L1,4294967295#").key, UINT32_MAX);
    struct omni_ask ask = asked("*SCOS,OM," IMEI ",D1,30#");
    assert_int_equal(ask.kind, OMNI_ASK_TRACK);
    assert_int_equal(ask.values[0], 30);
}

static void test_vehicle_refuses_what_is_not_for_it(void **s)
{
    (void)s;
    struct omni_ask ask;
    assert_string_equal(omni_device_read(bytes_text("*SCOR,OM," IMEI ",H0,1#"), &ask).why, "wrong_direction");
    assert_string_equal(omni_device_read(bytes_text("*SCOS,OM," IMEI ",L1,x#"), &ask).why, "parameter_not_number");
    assert_string_equal(omni_device_read(bytes_text("*SCOS,OM," IMEI ",L1,4294967296#"), &ask).why,
                        "parameter_not_number");
    assert_string_equal(omni_device_read(bytes_text("*SCOS,OM,1,L1,1#"), &ask).why, "bad_imei");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_message_of_every_dialect_comes_back),
        cmocka_unit_test(test_sign_in_and_heartbeat_have_the_printed_form),
        cmocka_unit_test(test_position_comes_back_within_one_unit),
        cmocka_unit_test(test_position_is_rounded_to_the_nearest_hundred_thousandth_of_a_minute),
        cmocka_unit_test(test_fix_may_lack_its_date_or_be_none),
        cmocka_unit_test(test_slow_speed_is_said_in_whole_kilometres),
        cmocka_unit_test(test_what_is_not_announced_stays_empty),
        cmocka_unit_test(test_clock_that_is_not_set_is_zeros),
        cmocka_unit_test(test_vehicle_reads_every_order),
        cmocka_unit_test(test_vehicle_tells_acks_from_orders),
        cmocka_unit_test(test_vehicle_echoes_settings),
        cmocka_unit_test(test_vehicle_refuses_what_is_not_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
