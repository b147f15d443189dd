/* SPDX-License-Identifier: Apache-2.0 */
/* vehicle_say.c: what a simulated vehicle says, how often it repeats that, and what is wrong with the
 * frame. */
#include <string.h>

#include "base/must.h"
#include "proto/omni.h"
#include "sim/vehicle_inside.h"

enum { NOISE_MAX = 12, FRAME_MAX = OMNI_SAY_MAX * 2, JUMP_E7 = 200000 };

static bool say(struct sim_vehicle *v, const char *command, const struct message *m, uint8_t origin);
static bool send_frame(struct sim_vehicle *v, struct bytes frame, int *copies);
static struct message state_of(const struct sim_vehicle *v);
static void say_stranger(struct sim_vehicle *v);
static void said_lock(struct sim_vehicle *v, bool locked, bool by_order, uint32_t user, uint32_t stamp);
static void say_owed(struct sim_vehicle *v, struct owed *o);

const char owed_commands[OWED_N][3] = {"L0", "L1", "W0", "E0", "D0"};

void vehicle_say_heartbeat(struct sim_vehicle *v, bool sign_in)
{
    struct message m = state_of(v);

    if (sign_in) say(v, "Q0", &m, 0);
    if (say(v, "H0", &m, 0)) said_lock(v, v->locked, false, 0, 0);
    if (vehicle_unlucky(v, SIM_VEHICLE_FAULT_IMEI_CHANGE)) say_stranger(v);
}

void vehicle_say_twin(struct sim_vehicle *v)
{
    static const char *const commands[] = {"Q0", "H0"};
    struct message m = state_of(v);
    uint8_t text[OMNI_SAY_MAX];

    m.locked = v->twin_locked;
    for (int i = 0; i < 2; i++) {
        struct buf b = buf_on(text, sizeof text);
        struct omni_say what = {.command = commands[i], .state = &m, .clock_ms = crowd_now_ms(v->crowd)};
        must(omni_device_say(&what, &b).code == ERR_OK);
        if (loop_write(v->crowd->loop, v->twin_conn, buf_bytes(&b)).code) return;
    }
    /* For the server it is the same vehicle that spoke. */
    said_lock(v, v->twin_locked, false, 0, 0);
}

void vehicle_say_status(struct sim_vehicle *v)
{
    struct message m = state_of(v);
    bool horseshoe = v->config.dialect == OMNI_CMDR;

    if (v->config.dialect == OMNI_HBCR) {
        vehicle_say_place(v, 0);
        return;
    }
    if (!say(v, horseshoe ? "S5" : "S6", &m, 0)) return;
    if (m.speed_dmh && !horseshoe) v->said_moving++;
    said_lock(v, v->locked, false, 0, 0);
}

void vehicle_say_place(struct sim_vehicle *v, uint8_t origin)
{
    struct message m = state_of(v);

    if (vehicle_unlucky(v, SIM_VEHICLE_FAULT_NO_FIX)) m.has &= ~(uint32_t)HAS_POSITION;
    if (vehicle_unlucky(v, SIM_VEHICLE_FAULT_STALE_FIX)) m.fix_ms -= prng_between(&v->prng, 60000, 1800000);
    if (vehicle_unlucky(v, SIM_VEHICLE_FAULT_GPS_JUMP)) {
        m.lat_e7 += (int32_t)prng_between(&v->prng, -JUMP_E7, JUMP_E7);
        m.lon_e7 += (int32_t)prng_between(&v->prng, -JUMP_E7, JUMP_E7);
        m.hdop_centi = 950;
        m.sats = 4;
    }
    if (v->config.dialect == OMNI_CMDR && (m.has & HAS_POSITION)) {
        /* This family repeats positions until they are acknowledged; the newest one is enough. */
        for (uint32_t i = 0; i < v->owed_count; i++) {
            if (v->owed[i].class != OWED_D0) continue;
            v->owed[i].at = (struct point){m.lat_e7, m.lon_e7};
            v->owed[i].fix_ms = m.fix_ms;
            return;
        }
        vehicle_owe(v, (struct owed){.class = OWED_D0, .at = {m.lat_e7, m.lon_e7}, .fix_ms = m.fix_ms});
        return;
    }
    if (!say(v, "D0", &m, origin) && (m.has & HAS_POSITION) && origin && !v->locked)
        vehicle_keep_late(v, (struct point){m.lat_e7, m.lon_e7}, m.fix_ms);
}

/* False: nobody heard it, again. */
bool vehicle_say_late(struct sim_vehicle *v, const struct late *late)
{
    struct message m = state_of(v);

    m.lat_e7 = late->at.lat_e7;
    m.lon_e7 = late->at.lon_e7;
    m.fix_ms = late->fix_ms;
    return say(v, "D0", &m, 1);
}

void vehicle_say_key(struct sim_vehicle *v)
{
    struct message m = state_of(v);

    if (v->key.op == ORDER_NONE || v->key.given) return;
    v->key.key = (uint8_t)prng_below(&v->prng, 256);
    v->key.given = true;
    v->counters.order_us += crowd_now_us(v->crowd) - v->heard_us;
    v->key.until_us = crowd_now_us(v->crowd) + v->key.valid_s * SECONDS_US;
    m.op = v->key.op;
    m.key = v->key.key;
    m.user = v->key.user;
    m.stamp = v->key.stamp;
    say(v, "R0", &m, 0);
    if (vehicle_unlucky(v, SIM_VEHICLE_FAULT_LEAVE_KEYED)) vehicle_due(v, DUE_LEAVE, 100000);
}

void vehicle_echo(struct sim_vehicle *v, const struct omni_ask *ask)
{
    uint8_t text[OMNI_SAY_MAX];
    struct buf b = buf_on(text, sizeof text);

    if (omni_device_echo(ask, crowd_now_ms(v->crowd), &b).code) return;
    send_frame(v, buf_bytes(&b), NULL);
}

void vehicle_owe(struct sim_vehicle *v, struct owed owed)
{
    if (v->owed_count == SIM_VEHICLE_OWED_MAX) {
        struct sim_vehicle_log gone = {.kind = SIM_VEHICLE_LOG_GIVEN_UP, .result = v->owed[0].result,
                                       .user = v->owed[0].user, .stamp = v->owed[0].stamp};
        memcpy(gone.command, owed_commands[v->owed[0].class], 3);
        vehicle_write_log(v, gone);
        v->owed_count--;
        memmove(v->owed, v->owed + 1, v->owed_count * sizeof v->owed[0]);
    }
    v->owed[v->owed_count] = owed;
    say_owed(v, &v->owed[v->owed_count++]);
    if (!v->due_us[DUE_REPEAT]) vehicle_due(v, DUE_REPEAT, SIM_VEHICLE_REPEAT_MS * 1000ll);
}

/* All that is not acknowledged, once more. One that was said SIM_VEHICLE_TRIES_MAX times in vain is kept
 * for the next connection, and the vehicle makes one: the link may be dead. */
void vehicle_repeat(struct sim_vehicle *v, bool new_connection)
{
    bool in_vain = false;

    if (new_connection) {
        memset(v->sent_of, 0, sizeof v->sent_of);
        memset(v->acks_of, 0, sizeof v->acks_of);
    }
    for (uint32_t i = 0; i < v->owed_count; i++) {
        struct owed *o = &v->owed[i];
        if (new_connection) {
            o->tries = 0;
            o->was_sent = false;
        }
        if (o->tries >= SIM_VEHICLE_TRIES_MAX) in_vain = true;
        else say_owed(v, o);
    }
    if (in_vain && v->signed_in) vehicle_leave(v, 0);
    else if (v->owed_count && v->signed_in) vehicle_due(v, DUE_REPEAT, SIM_VEHICLE_REPEAT_MS * 1000ll);
}

/* An acknowledgement names a command, not which of its frames: devices take it for the oldest. */
void vehicle_acked(struct sim_vehicle *v, struct bytes command)
{
    for (uint32_t i = 0; i < v->owed_count; i++) {
        struct owed o = v->owed[i];
        if (!bytes_equal_text(command, owed_commands[o.class])) continue;
        if (!o.was_sent) continue;
        v->counters.acks++;
        v->acks_of[o.class]++;
        struct sim_vehicle_log entry = {.kind = SIM_VEHICLE_LOG_ACKED,
                                        .by_order = o.by_order,
                                        .result = o.result,
                                        .certain = v->acks_of[o.class] > o.sent_before,
                                        .user = o.user,
                                        .stamp = o.stamp};
        memcpy(entry.command, owed_commands[o.class], 3);
        if (o.class == OWED_L0 || o.class == OWED_L1) vehicle_write_log(v, entry); /* positions would push these out */
        v->owed_count--;
        memmove(v->owed + i, v->owed + i + 1, (v->owed_count - i) * sizeof v->owed[0]);
        return;
    }
    for (int i = 0; i < OWED_N; i++) {
        if (bytes_equal_text(command, owed_commands[i])) v->acks_of[i]++; /* of a repeat */
    }
}

static void say_owed(struct sim_vehicle *v, struct owed *o)
{
    struct message m = state_of(v);
    uint32_t before = v->sent_of[o->class];

    if (!v->signed_in) return;
    m.result = o->result;
    m.user = o->user;
    m.stamp = o->stamp;
    m.ride_min = o->ride_min;
    m.alarm = o->alarm;
    m.fault = o->fault;
    m.has |= HAS_ALARM | HAS_FAULT;
    if (o->class == OWED_D0) {
        m.lat_e7 = o->at.lat_e7;
        m.lon_e7 = o->at.lon_e7;
        m.fix_ms = o->fix_ms;
    }
    if (o->tries++) v->counters.repeats++;
    if (o->class <= OWED_L1 && vehicle_loses(v)) return; /* it will say so again */
    if (!say(v, owed_commands[o->class], &m, 0)) return;
    if (!o->was_sent) o->sent_before = before;
    o->was_sent = true;
    if (o->result == 0 && o->class <= OWED_L1)
        said_lock(v, o->class == OWED_L1, o->by_order, o->user, o->stamp);
}

/* False: nobody heard a word of it. */
static bool say(struct sim_vehicle *v, const char *command, const struct message *m, uint8_t origin)
{
    uint8_t text[OMNI_SAY_MAX];
    struct buf b = buf_on(text, sizeof text);
    int64_t clock_ms = v->clock_unset ? 0 : crowd_now_ms(v->crowd) + v->clock_error_ms;
    struct omni_say what = {.command = command, .state = m, .clock_ms = clock_ms, .origin = origin};
    int copies = 0;

    struct err e = omni_device_say(&what, &b);
    if (e.code == ERR_UNSUPPORTED) return false; /* this family has no such message */
    must(e.code == ERR_OK);
    bool sent = send_frame(v, buf_bytes(&b), &copies);
    for (int i = 0; i < OWED_N && sent; i++) {
        if (strcmp(command, owed_commands[i]) == 0) v->sent_of[i] += (uint32_t)copies;
    }
    return sent;
}

static bool send_frame(struct sim_vehicle *v, struct bytes frame, int *copies)
{
    uint8_t text[FRAME_MAX];
    struct buf b = buf_on(text, sizeof text);
    bool spaces = vehicle_unlucky(v, SIM_VEHICLE_FAULT_SPACES);
    bool no_end = vehicle_unlucky(v, SIM_VEHICLE_FAULT_NO_LINE_END);
    bool crlf = vehicle_unlucky(v, SIM_VEHICLE_FAULT_CRLF);
    int times = vehicle_unlucky(v, SIM_VEHICLE_FAULT_TWICE) ? 2 : 1;
    size_t noise =
        vehicle_unlucky(v, SIM_VEHICLE_FAULT_NOISE) ? 1 + (size_t)prng_below(&v->prng, NOISE_MAX) : 0;

    if (!v->signed_in || crowd_now_us(v->crowd) < v->mute_until_us || !vehicle_has_radio(v)) return false;
    while (noise-- > 0) buf_put_char(&b, (char)prng_below(&v->prng, 256));
    for (size_t i = 0; i + 1 < frame.len; i++) {
        if (spaces && frame.at[i] == ',' && prng_below(&v->prng, 2)) buf_put_char(&b, ' ');
        buf_put_char(&b, (char)frame.at[i]);
        if (spaces && frame.at[i] == ',' && prng_below(&v->prng, 2)) buf_put_char(&b, ' ');
    }
    if (crlf) buf_put_char(&b, '\r');
    if (!no_end) buf_put_char(&b, '\n');
    must(!b.full);
    for (int i = 0; i < times; i++) {
        if (loop_write(v->crowd->loop, v->conn, buf_bytes(&b)).code) {
            v->counters.writes_refused++;
            return i > 0;
        }
        v->counters.frames_out++;
        if (copies) ++*copies;
    }
    return true;
}

static struct message state_of(const struct sim_vehicle *v)
{
    struct sim_path_place place = sim_vehicle_place(v);
    struct fix fix = vehicle_fix(v, place.at);
    uint8_t battery = sim_vehicle_battery_pct(v);

    return (struct message){
        .dialect = v->config.dialect,
        .vendor = v->vendor,
        .ident = v->ident,
        .has = HAS_LOCKED | HAS_IOT_MV | HAS_BATTERY | HAS_RSSI | HAS_CHARGING | HAS_POSITION | HAS_FIX_TIME |
               HAS_SPEED | HAS_TRIP | HAS_TOTAL,
        .locked = v->locked,
        .battery_pct = battery,
        .rssi = (uint8_t)(12 + v->config.index % 19),
        .iot_mv = (uint16_t)(3400 + battery * 7),
        .speed_dmh = place.speed_dmh,
        .lat_e7 = fix.at.lat_e7,
        .lon_e7 = fix.at.lon_e7,
        .sats = fix.sats,
        .hdop_centi = fix.hdop_centi,
        .alt_dm = 250,
        .fix_ms = crowd_now_ms(v->crowd) + v->clock_error_ms,
        .trip_m = place.ridden_m,
        .total_m = v->total_m + place.ridden_m,
    };
}

/* Another IMEI on our connection: the server must not believe a word of it. */
static void say_stranger(struct sim_vehicle *v)
{
    struct message m = state_of(v);
    uint8_t text[OMNI_SAY_MAX];
    struct buf b = buf_on(text, sizeof text);
    size_t at = 6 + (size_t)prng_below(&v->prng, 9);

    m.ident.at[at] = (char)('0' + (m.ident.at[at] - '0' + 1 + (int)prng_below(&v->prng, 9)) % 10);
    m.locked = !m.locked;
    struct omni_say what = {.command = "H0", .state = &m};
    if (omni_device_say(&what, &b).code) return;
    send_frame(v, buf_bytes(&b), NULL);
}

static void said_lock(struct sim_vehicle *v, bool locked, bool by_order, uint32_t user, uint32_t stamp)
{
    if (!locked) v->said_unlocked_ms = crowd_now_ms(v->crowd);
    if (locked == v->said_locked && !stamp) return;
    v->said_locked = locked;
    vehicle_write_log(v, (struct sim_vehicle_log){.kind = locked ? SIM_VEHICLE_LOG_SAID_LOCKED
                                                                 : SIM_VEHICLE_LOG_SAID_UNLOCKED,
                                                  .by_order = by_order,
                                                  .user = user,
                                                  .stamp = stamp});
}
