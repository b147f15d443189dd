/* SPDX-License-Identifier: Apache-2.0 */
/* vehicle_hear.c: what a simulated vehicle does with the server's frames: keys, the bolt, settings,
 * acknowledgements. */
#include <string.h>

#include "proto/omni.h"
#include "sim/vehicle_inside.h"

enum { STUCK_MIN_MS = 120000, STUCK_MAX_MS = 900000 };
enum { RESULT_DONE = 0, RESULT_FAILED = 1, RESULT_KEY = 2, RESULT_MOVING = 3 };

static void hear_frame(struct sim_vehicle *v, struct bytes frame);
static void hear_key_wish(struct sim_vehicle *v, const struct omni_ask *ask);
static void hear_order(struct sim_vehicle *v, const struct omni_ask *ask);
static void hear_track(struct sim_vehicle *v, struct omni_ask *ask);
static void hear_restart(struct sim_vehicle *v, const struct omni_ask *ask);
static void hear_setting(struct sim_vehicle *v, struct omni_ask *ask);
static void note_moving(struct sim_vehicle *v, const char *command);

/* How many bytes are done with. */
size_t vehicle_hear(struct sim_vehicle *v, struct bytes in)
{
    size_t done = 0;

    for (;;) {
        struct cut cut = omni_cut(bytes_of(in.at + done, in.len - done));
        struct bytes frame = bytes_of(in.at + done + cut.skip, cut.len);
        done += cut.skip + cut.len;
        if (!cut.len) return done;
        hear_frame(v, frame);
        if (!v->conn || !v->signed_in) return in.len;
    }
}

/* The bolt has moved, or has not. */
void vehicle_act(struct sim_vehicle *v)
{
    static const uint8_t failures[] = {1, 2, 2, 4, 5, 6, 11, 12, 99};
    struct key order = v->order;
    bool lock = order.op == ORDER_LOCK;
    bool jammed = vehicle_unlucky(v, SIM_VEHICLE_FAULT_JAM), lies = vehicle_unlucky(v, SIM_VEHICLE_FAULT_LIE);
    bool silent = vehicle_unlucky(v, SIM_VEHICLE_FAULT_ACT_SILENT);
    if (vehicle_unlucky(v, SIM_VEHICLE_FAULT_STUCK))
        v->stuck_until_us = crowd_now_us(v->crowd) + vehicle_between_us(v, STUCK_MIN_MS, STUCK_MAX_MS);
    bool stuck = crowd_now_us(v->crowd) < v->stuck_until_us;
    uint8_t failure = failures[prng_below(&v->prng, sizeof failures)];
    struct owed o = {
        .class = lock ? OWED_L1 : OWED_L0, .by_order = true, .user = order.user, .stamp = order.stamp};

    if (order.op == ORDER_NONE) return;
    v->order.op = ORDER_NONE;
    v->counters.order_us += crowd_now_us(v->crowd) - v->heard_us;
    if (v->config.dialect == OMNI_CMDR) failure = RESULT_FAILED;
    if (lock && v->moving) {
        o.result = RESULT_MOVING;
    } else if (jammed || stuck) {
        o.result = failure;
    } else {
        o.ride_min = lock ? vehicle_ride_minutes(v) : 0;
        if (v->locked != lock) vehicle_turn_lock(v, lock, true, order.user, order.stamp);
    }
    if (lies) o.result = o.result ? RESULT_DONE : failure;
    if (o.result) {
        struct sim_vehicle_log entry = {.kind = SIM_VEHICLE_LOG_REFUSED, .by_order = true, .result = o.result,
                                        .user = order.user, .stamp = order.stamp};
        memcpy(entry.command, owed_commands[o.class], 3);
        vehicle_write_log(v, entry);
    }
    if (!silent) vehicle_owe(v, o);
}

static void hear_frame(struct sim_vehicle *v, struct bytes frame)
{
    struct omni_ask ask;

    if (omni_device_read(frame, &ask).code || !text_equal(&ask.ident, &v->ident) ||
        ask.dialect != v->config.dialect) {
        v->counters.bad_in++;
        return;
    }
    v->counters.frames_in++;
    switch ((enum omni_ask_kind)ask.kind) {
    case OMNI_ASK_OTHER: break;
    case OMNI_ASK_ACK:
        if (ask.command.len == 2 && ask.command.at[0] == 'L' && vehicle_loses(v)) break;
        vehicle_acked(v, ask.command);
        break;
    case OMNI_ASK_KEY: hear_key_wish(v, &ask); break;
    case OMNI_ASK_UNLOCK:
    case OMNI_ASK_LOCK: hear_order(v, &ask); break;
    case OMNI_ASK_LOCATE: vehicle_say_place(v, 0); break;
    case OMNI_ASK_TRACK: hear_track(v, &ask); break;
    case OMNI_ASK_STATUS: vehicle_say_status(v); break;
    case OMNI_ASK_RING: vehicle_echo(v, &ask); break;
    case OMNI_ASK_RESTART: hear_restart(v, &ask); break;
    case OMNI_ASK_SETTING: hear_setting(v, &ask); break;
    }
}

static void hear_key_wish(struct sim_vehicle *v, const struct omni_ask *ask)
{
    if (ask->op == ORDER_NONE) return; /* 2, 3 and 6 are hearsay */
    if (ask->op == ORDER_LOCK) note_moving(v, "R0");
    v->key = (struct key){.op = ask->op, .user = ask->user, .stamp = ask->stamp, .valid_s = ask->valid_s};
    v->heard_us = crowd_now_us(v->crowd);
    if (vehicle_unlucky(v, SIM_VEHICLE_FAULT_KEY_SILENT)) return;
    if (vehicle_unlucky(v, SIM_VEHICLE_FAULT_KEY_LATE))
        vehicle_due(v, DUE_KEY, vehicle_between_us(v, 5000, 25000));
    else vehicle_due(v, DUE_KEY, vehicle_between_us(v, 60, 350));
}

static void hear_order(struct sim_vehicle *v, const struct omni_ask *ask)
{
    bool keyed = v->config.dialect != OMNI_CMDR;
    uint8_t op = ask->kind == OMNI_ASK_UNLOCK ? ORDER_UNLOCK : ORDER_LOCK;
    struct key k = v->key;

    if (op == ORDER_LOCK) note_moving(v, "L1");
    if (keyed) {
        bool good = k.given && k.op == op && k.key == ask->key && crowd_now_us(v->crowd) <= k.until_us;
        if (op == ORDER_UNLOCK && (k.user != ask->user || k.stamp != ask->stamp)) good = false;
        v->key = (struct key){0};
        if (!good) {
            uint32_t user = op == ORDER_UNLOCK ? ask->user : k.user,
                     stamp = op == ORDER_UNLOCK ? ask->stamp : k.stamp;
            struct sim_vehicle_log entry = {.kind = SIM_VEHICLE_LOG_REFUSED,
                                            .by_order = true,
                                            .result = RESULT_KEY,
                                            .user = user,
                                            .stamp = stamp};
            memcpy(entry.command, owed_commands[op == ORDER_LOCK], 3);
            vehicle_write_log(v, entry);
            vehicle_owe(v, (struct owed){.class = op == ORDER_LOCK ? OWED_L1 : OWED_L0,
                                         .result = RESULT_KEY,
                                         .by_order = true,
                                         .user = user,
                                         .stamp = stamp});
            return;
        }
    }
    if (v->order.op != ORDER_NONE) vehicle_act(v); /* one bolt, one movement at a time */
    v->order =
        (struct key){.op = op, .user = keyed ? k.user : ask->user, .stamp = keyed ? k.stamp : ask->stamp};
    v->heard_us = crowd_now_us(v->crowd);
    vehicle_due(v, DUE_ACT, vehicle_between_us(v, 300, 1500));
}

static void hear_track(struct sim_vehicle *v, struct omni_ask *ask)
{
    uint32_t own_s = v->config.track_s;

    v->track_s = ask->values[0] > 86400 ? 86400 : ask->values[0];
    if (v->track_s && own_s && own_s < v->track_s) v->track_s = own_s;
    vehicle_echo(v, ask);
    if (v->track_s) vehicle_due(v, DUE_TRACK, v->track_s * SECONDS_US);
}

static void hear_restart(struct sim_vehicle *v, const struct omni_ask *ask)
{
    note_moving(v, "S1");
    vehicle_echo(v, ask);
    if (v->config.dialect != OMNI_CMDR && ask->values[0] != 2) return;
    /* The echo goes out first. */
    v->key = (struct key){0};
    vehicle_due(v, DUE_LEAVE, 500000);
    vehicle_due(v, DUE_CONNECT, vehicle_between_us(v, 4000, 20000));
}

/* S5: acceleration, upload, heartbeat, status interval; 0 leaves a value as it is. Others are echoed as
 * they came. */
static void hear_setting(struct sim_vehicle *v, struct omni_ask *ask)
{
    if (bytes_equal_text(ask->command, "S5") && ask->value_count == 4) {
        if (ask->values[2]) v->heartbeat_s = ask->values[2] > 86400 ? 86400 : ask->values[2];
        if (ask->values[3]) v->status_s = ask->values[3] > 3600 ? 3600 : ask->values[3];
        if (!ask->values[0]) ask->values[0] = 2;
        if (!ask->values[1]) ask->values[1] = 2;
        ask->values[2] = v->heartbeat_s;
        ask->values[3] = v->status_s;
        if (v->signed_in) vehicle_due(v, DUE_HEARTBEAT, v->heartbeat_s * SECONDS_US);
    }
    vehicle_echo(v, ask);
}

/* An order that must not come now. What the server could know is the checker's business; `certain` helps
 * it. */
static void note_moving(struct sim_vehicle *v, const char *command)
{
    struct sim_vehicle_log entry = {
        .kind = SIM_VEHICLE_LOG_MOVING, .by_order = true, .certain = v->said_moving >= 3,
        .moved_ms = (crowd_now_us(v->crowd) - v->left_us) / 1000};

    if (!v->moving) return;
    memcpy(entry.command, command, 3);
    vehicle_write_log(v, entry);
}
