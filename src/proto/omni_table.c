/* SPDX-License-Identifier: Apache-2.0 */
/* omni_table.c: every OMNI message and parameter as a row. Decoding, `paddock decode` and the simulated devices read
 * these rows, so a layout is corrected in one place. What the protocol notes call shaky has no row: it is opaque. */
#include "proto/omni_frame.h"

#include <string.h>

#define SCOR OMNI_BIT(OMNI_SCOR)
#define HBCR OMNI_BIT(OMNI_HBCR)
#define CMDR OMNI_BIT(OMNI_CMDR)
#define BGCR OMNI_BIT(OMNI_BGCR)
#define ALL (SCOR | HBCR | CMDR | BGCR)

const struct omni_dialect_row omni_dialects[OMNI_DIALECT_N] = {
    /*             up      down    clock  Re     can */
    [OMNI_SCOR] = {"SCOR", "SCOS", false, false, CAP_LOCK | CAP_KEY_STEP | CAP_ASK_STATUS | CAP_RESTART | CAP_SPEED},
    [OMNI_HBCR] = {"HBCR", "HBCS", false, false, CAP_LOCK | CAP_KEY_STEP | CAP_RESTART},
    [OMNI_CMDR] = {"CMDR", "CMDS", true,  true,  CAP_ASK_STATUS | CAP_RESTART},
    [OMNI_BGCR] = {"BGCR", "BGCS", false, true,  CAP_LOCK | CAP_KEY_STEP},
};

#define CODES(list, unknown) {list, sizeof list / sizeof list[0], unknown}
static const struct omni_code op_rows[] = {{0, ORDER_UNLOCK}, {1, ORDER_LOCK}};
static const struct omni_code alarm_rows[] = {
    {1, ALARM_MOVED_LOCKED}, {2, ALARM_FELL}, {3, ALARM_DISMANTLED}, {4, ALARM_BATTERY_LOW}, {6, ALARM_FALL_CLEARED},
    {7, ALARM_DISMANTLE_CLEARED}, {12, ALARM_BATTERY_LOW},
};
static const struct omni_code sound_rows[] = {{2, ORDER_RING}};
static const struct omni_code power_rows[] = {{2, ORDER_RESTART}};
static const struct omni_codes ops = CODES(op_rows, ORDER_NONE);
static const struct omni_codes alarms_ninebot = CODES(alarm_rows, ALARM_OTHER);
static const struct omni_codes alarms = {alarm_rows, sizeof alarm_rows / sizeof alarm_rows[0] - 1, ALARM_OTHER};
static const struct omni_codes sounds = CODES(sound_rows, ORDER_NONE);
static const struct omni_codes powers = CODES(power_rows, ORDER_NONE);

/* What every row holds; a row that lands in struct message, one whose number stands for a word of ours, and one that
 * is checked and shown but means nothing to the fleet. */
#define BODY(json, reason, how, dec, times, low, high, need) \
    .name = json, .form = OMNI_##how, .decimals = dec, .scale = times, .min = low, .max = high, .needed = need, \
    .not_number = reason "_not_number", .range = reason "_range"
#define INTO(member) .offset = offsetof(struct message, member), .width = sizeof((struct message *)0)->member
#define ROW(json, reason, how, dec, times, low, high, member, sets, need) \
    {BODY(json, reason, how, dec, times, low, high, need), INTO(member), .has = sets}
#define CODED(json, table, member, sets, need) \
    {BODY(json, json, CODE, 0, 1, 0, 255, need), INTO(member), .has = sets, .codes = table}
#define SHOWN(json, reason, how, dec, high) {BODY(json, reason, how, dec, 1, 0, high, OPT)}
#define OPT false
#define NEED true

/* Fields that several messages share.
 *                   in the JSON    reason        form  dec scale min max         lands in     sets          empty? */
#define CELL_CV  ROW("iot_v",       "voltage",    NUMBER, 3, 10, 0,   6553,       iot_mv,      HAS_IOT_MV,   OPT)
/* A horseshoe lock's cell is between 3.20 and 4.20 V, or the frame is damaged. */
#define LOCK_CV  ROW("iot_v",       "voltage",    NUMBER, 3, 10, 320, 420,        iot_mv,      HAS_IOT_MV,   OPT)
#define CELL_MV  ROW("iot_mv",      "voltage",    NUMBER, 0, 1,  0,   65535,      iot_mv,      HAS_IOT_MV,   OPT)
#define BATTERY  ROW("battery_pct", "battery",    NUMBER, 0, 1,  0,   100,        battery_pct, HAS_BATTERY,  OPT)
#define SIGNAL   ROW("rssi",        "signal",     NUMBER, 0, 1,  0,   99,         rssi,        HAS_RSSI,     OPT)
#define LOCKED   ROW("locked",      "lock_state", FLAG,   0, 1,  0,   1,          locked,      HAS_LOCKED,   OPT)
#define CHARGING ROW("charging",    "charging",   FLAG,   0, 1,  0,   1,          charging,    HAS_CHARGING, OPT)
#define RESULT   ROW("result",      "result",     NUMBER, 0, 1,  0,   255,        result,      0,            NEED)
#define KEY      ROW("key",         "key",        NUMBER, 0, 1,  0,   UINT32_MAX, key,         0,            NEED)
#define USER     ROW("user",        "user",       USER,   0, 1,  0,   UINT32_MAX, user,        0,            OPT)
#define STAMP    ROW("ts",          "stamp",      NUMBER, 0, 1,  0,   UINT32_MAX, stamp,       0,            OPT)
#define MINUTES  ROW("ride_min",    "minutes",    NUMBER, 0, 1,  0,   UINT32_MAX, ride_min,    0,            OPT)
#define SKIP SHOWN(NULL, "reserved", TEXT, 0, 0)
#define TEXT(name) SHOWN(name, "text", TEXT, 0, 0)
#define SETTING(name) SHOWN(name, "setting", NUMBER, 0, UINT32_MAX)

static const struct omni_field sign_in[] = {CELL_CV, BATTERY, SIGNAL};
static const struct omni_field sign_in_lock[] = {LOCK_CV};
static const struct omni_field sign_in_ground[] = {CELL_MV, TEXT("ble_mac"), SKIP, SKIP, TEXT("lever")};
static const struct omni_field heartbeat[] = {LOCKED, CELL_CV, SIGNAL, BATTERY, CHARGING};
static const struct omni_field heartbeat_lock[] = {LOCKED, LOCK_CV, SIGNAL};
static const struct omni_field heartbeat_ground[] = {LOCKED, CELL_MV, SIGNAL, TEXT("car_present"), TEXT("lever")};
static const struct omni_field key_given[] = {
    CODED("op", &ops, op, 0, NEED), KEY, USER, STAMP,
};
static const struct omni_field unlock_result[] = {RESULT, USER, STAMP};
static const struct omni_field lock_result[] = {RESULT, USER, STAMP, MINUTES};
static const struct omni_field closed_by_hand[] = {USER, STAMP, MINUTES};
static const struct omni_field status_lock[] = {
    LOCK_CV, SIGNAL, ROW("sats", "satellites", NUMBER, 0, 1, 0, 255, sats, 0, OPT), LOCKED, SKIP,
};
static const struct omni_field status[] = {
    BATTERY,
    SETTING("speed_mode"),
    ROW("speed_kmh", "speed", SPEED, 1, 1, 0, 6553, speed_dmh, HAS_SPEED, OPT),
    CHARGING,
    SHOWN("battery1_v", "voltage", NUMBER, 1, 6553),
    SHOWN("battery2_v", "voltage", NUMBER, 1, 6553),
    LOCKED,
    SIGNAL,
    ROW("trip_m", "distance", NUMBER, 0, 10, 0, UINT32_MAX / 10, trip_m, HAS_TRIP, OPT),
    ROW("total_m", "distance", NUMBER, 0, 10, 0, UINT32_MAX / 10, total_m, HAS_TOTAL, OPT),
};
static const struct omni_field alarm[] = {
    CODED("alarm", &alarms, alarm, HAS_ALARM, NEED),
};
static const struct omni_field alarm_ninebot[] = {
    CODED("alarm", &alarms_ninebot, alarm, HAS_ALARM, NEED),
};
static const struct omni_field fault[] = {
    ROW("error", "fault", NUMBER, 0, 1, 0, UINT32_MAX, fault, HAS_FAULT, NEED),
};
static const struct omni_field track_echo[] = {SETTING("interval_s")};
static const struct omni_field report_settings[] = {
    SETTING("accel"), SETTING("upload"), SETTING("heartbeat_s"), SETTING("status_interval_s"),
};
static const struct omni_field ride_settings[] = {
    SETTING("headlight"), SETTING("speed_mode"), SETTING("throttle"), SETTING("taillight"),
};
static const struct omni_field model_settings[] = {
    SETTING("speed_unit"), SETTING("cruise"), SETTING("start_mode"), SETTING("mode_button"), SETTING("light_button"),
    SETTING("low_kmh"), SETTING("mid_kmh"), SETTING("high_kmh"),
};
static const struct omni_field sound_echo[] = {
    CODED("sound", &sounds, op, 0, OPT),
};
static const struct omni_field power_event[] = {
    CODED("event", &powers, op, 0, OPT),
};
static const struct omni_field ring_echo[] = {SETTING("times")};
static const struct omni_field outer_lock[] = {SETTING("op"), SETTING("result")};
static const struct omni_field card[] = {SETTING("op"), SETTING("card_type"), TEXT("card_id")};
static const struct omni_field ble_key[] = {TEXT("ble_key")};
static const struct omni_field ble_mac[] = {TEXT("ble_mac")};
static const struct omni_field iccid[] = {TEXT("iccid")};

#define OF(list) .fields = list, .field_count = sizeof list / sizeof list[0]
#define REPORT .kind = MESSAGE_REPORT
#define ECHO .kind = MESSAGE_ECHO
#define OPAQUE .kind = MESSAGE_OPAQUE
#define DONE(what) .kind = MESSAGE_LOCK_RESULT, .op = ORDER_##what

/* The common ones first: the search is linear. `acked` masks are exactly section 3 of the protocol note: a plain D0
 * downstream is the position request of SCOR, so an ack of D0 there would loop for ever. */
const struct omni_shape omni_shapes[] = {
    /*cmd   dialects      must be acknowledged */
    {"D0", ALL,           .acked = CMDR | BGCR, REPORT, .fix = true, .required = OMNI_FIX_PARAMS},
    {"H0", SCOR | HBCR,   REPORT, OF(heartbeat), .required = 1},
    {"H0", CMDR,          REPORT, OF(heartbeat_lock), .required = 1},
    {"H0", BGCR,          REPORT, OF(heartbeat_ground), .required = 1},
    {"S6", SCOR,          REPORT, OF(status), .at_least = 10},
    {"S5", CMDR,          REPORT, OF(status_lock), .required = 1},
    {"R0", SCOR | HBCR | BGCR, .kind = MESSAGE_KEY, OF(key_given), .required = 4},
    {"L0", ALL,           .acked = ALL, DONE(UNLOCK), OF(unlock_result), .required = 3},
    {"L1", SCOR | HBCR | BGCR, .acked = ALL, DONE(LOCK), OF(lock_result), .required = 3},
    {"L1", CMDR,          .acked = ALL, DONE(LOCK), OF(closed_by_hand), .required = 2, .most = 3},
    {"Q0", SCOR | HBCR,   REPORT, OF(sign_in), .required = 1, .has = HAS_SIGN_IN},
    {"Q0", CMDR,          REPORT, OF(sign_in_lock), .required = 1, .has = HAS_SIGN_IN},
    {"Q0", BGCR,          REPORT, OF(sign_in_ground), .required = 1, .has = HAS_SIGN_IN},
    {"W0", SCOR | CMDR | BGCR, .acked = ALL, REPORT, OF(alarm), .required = 1},
    {"W0", HBCR,          .acked = ALL, REPORT, OF(alarm_ninebot), .required = 1},
    {"E0", ALL,           .acked = SCOR | HBCR, REPORT, OF(fault), .required = 1},
    {"E1", SCOR | CMDR | BGCR, REPORT, .has = HAS_FAULT}, /* cleared: fault 0; for Ninebot also a query, so opaque */
    {"D1", ALL,           REPORT, .fix = true, .at_least = OMNI_FIX_PARAMS},
    {"D1", ALL,           ECHO, OF(track_echo), .most = 1},
    {"S5", SCOR,          ECHO, OF(report_settings)},
    {"S7", SCOR,          ECHO, OF(ride_settings)},
    {"S4", SCOR,          ECHO, OF(model_settings)},
    {"V0", SCOR | HBCR,   ECHO, OF(sound_echo)},
    {"S1", SCOR | HBCR,   ECHO, OF(power_event)},
    {"S1", CMDR,          ECHO, .op = ORDER_RESTART},
    {"S8", CMDR,          ECHO, .op = ORDER_RING, OF(ring_echo)},
    {"L5", SCOR | HBCR,   OPAQUE, OF(outer_lock)},
    {"C0", SCOR,          OPAQUE, OF(card)},
    {"K0", SCOR | HBCR,   OPAQUE, OF(ble_key)},
    {"M0", ALL,           OPAQUE, OF(ble_mac)},
    {"I0", ALL,           OPAQUE, OF(iccid)},
};
const unsigned omni_shape_count = sizeof omni_shapes / sizeof omni_shapes[0];

const struct omni_shape *omni_shape_find(struct bytes command, uint8_t dialect, unsigned param_count)
{
    if (command.len != 2 || dialect >= OMNI_DIALECT_N) return NULL;
    for (unsigned i = 0; i < omni_shape_count; i++) {
        const struct omni_shape *s = &omni_shapes[i];
        if (s->command[0] != command.at[0] || s->command[1] != command.at[1]) continue;
        if ((s->dialects & OMNI_BIT(dialect)) && param_count >= s->at_least) return s;
    }
    return NULL;
}

struct err omni_field_read(const struct omni_field *field, struct bytes param, uint32_t *wire)
{
    uint64_t v;
    if (bytes_u64(param, 10, &v).code) return (struct err){ERR_MALFORMED, field->not_number};
    if (v < field->min || v > field->max) return (struct err){ERR_MALFORMED, field->range};
    *wire = (uint32_t)v;
    return NO_ERR;
}

uint32_t omni_field_ours(const struct omni_field *field, uint32_t wire)
{
    if (field->form == OMNI_SPEED) return wire > 60 ? wire : wire * 10;
    if (field->form != OMNI_CODE) return wire * field->scale;
    for (unsigned i = 0; i < field->codes->count; i++) {
        if (field->codes->rows[i].wire == wire) return field->codes->rows[i].ours;
    }
    return field->codes->other;
}

uint32_t omni_field_wire(const struct omni_field *field, uint32_t ours)
{
    if (field->form == OMNI_SPEED) return ours > 60 ? ours : ours / 10;
    if (field->form != OMNI_CODE) return ours / field->scale;
    for (unsigned i = 0; i < field->codes->count; i++) {
        if (field->codes->rows[i].ours == ours) return field->codes->rows[i].wire;
    }
    return 0;
}

void omni_member_set(struct message *m, const struct omni_field *field, uint32_t value)
{
    uint8_t *to = (uint8_t *)m + field->offset;
    uint8_t byte = (uint8_t)value;
    uint16_t half = (uint16_t)value;
    if (field->width == sizeof byte) memcpy(to, &byte, sizeof byte);
    if (field->width == sizeof half) memcpy(to, &half, sizeof half);
    if (field->width == sizeof value) memcpy(to, &value, sizeof value);
}

uint32_t omni_member_get(const struct message *m, const struct omni_field *field)
{
    const uint8_t *from = (const uint8_t *)m + field->offset;
    uint32_t value = 0;
    uint16_t half;
    if (field->width == 1) return from[0];
    if (field->width == sizeof half) {
        memcpy(&half, from, sizeof half);
        return half;
    }
    if (field->width == sizeof value) memcpy(&value, from, sizeof value);
    return value;
}
