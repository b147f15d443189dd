/* SPDX-License-Identifier: Apache-2.0 */
/* vehicle.c: see vehicle.h: the life of a vehicle. Frames are in vehicle_say.c and vehicle_hear.c. */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "sim/vehicle_inside.h"

enum { HEARTBEAT_S = 240, STATUS_S = 10, BACKOFF_MAX = 6, DRAIN_PPM_PER_M = 33, PLACE_MS = 1500 };

static void on_open(void *ctx, uint64_t conn, struct bytes peer);
static size_t on_bytes(void *ctx, uint64_t conn, struct bytes in);
static void on_close(void *ctx, uint64_t conn, enum close_reason reason);
static void twin_open(void *ctx, uint64_t conn, struct bytes peer);
static size_t twin_bytes(void *ctx, uint64_t conn, struct bytes in);
static void twin_close(void *ctx, uint64_t conn, enum close_reason reason);
static void on_timer(void *owner);
static void on_due(struct sim_vehicle *v, enum due what);
static void connect_now(struct sim_vehicle *v);
static void heartbeat(struct sim_vehicle *v);
static void street_life(struct sim_vehicle *v);
static void set_down(struct sim_vehicle *v);
static uint32_t battery_ppm(const struct sim_vehicle *v);
static struct sim_path_place straight_at(void *ctx, uint32_t vehicle, struct point from, uint64_t draw,
                                         int64_t ridden_ms);

const struct sim_path_fn sim_path_straight = {.at = straight_at};

const char *sim_vehicle_fault_text(enum sim_vehicle_fault fault)
{
    static const char *const texts[SIM_VEHICLE_FAULT_N] = {
#define X(name, text) [SIM_VEHICLE_FAULT_##name] = text,
        SIM_VEHICLE_FAULT_LIST(X)
#undef X
    };
    return (unsigned)fault < SIM_VEHICLE_FAULT_N ? texts[fault] : "unknown";
}

struct err sim_vehicle_create(struct crowd *crowd, const struct sim_vehicle_config *config,
                              struct sim_vehicle **out)
{
    struct sim_vehicle *v = calloc(1, sizeof *v);

    if (!v) return ERR(IO, "vehicle: no memory");
    struct err e = text_set(&v->ident, config->ident);
    if (!e.code) e = text_set(&v->address, config->address);
    if (!e.code) e = text_set(&v->vendor, config->vendor.len ? config->vendor : bytes_text("OM"));
    if (e.code) {
        free(v);
        return e;
    }
    v->crowd = crowd;
    v->config = *config;
    v->config.ident = text_bytes(&v->ident);
    v->config.address = text_bytes(&v->address);
    if (!v->config.path.at) v->config.path = sim_path_straight;
    v->prng = crowd_stream(crowd, "vehicle", config->ident);
    v->handler = (struct conn_handler){v, on_open, on_bytes, NULL, on_close};
    v->twin_handler = (struct conn_handler){v, twin_open, twin_bytes, NULL, twin_close};
    v->timer = (struct crowd_timer){.fn = on_timer, .owner = v};
    v->locked = v->said_locked = true;
    v->at = config->at;
    v->battery_ppm = config->battery_pct * 10000u;
    v->drained_us = crowd_now_us(crowd);
    v->heartbeat_s = config->heartbeat_s ? config->heartbeat_s : HEARTBEAT_S;
    v->status_s = STATUS_S;
    v->track_s = config->track_s;
    v->clock_unset = vehicle_unlucky(v, SIM_VEHICLE_FAULT_CLOCK_ZERO);
    if (vehicle_unlucky(v, SIM_VEHICLE_FAULT_CLOCK_DRUNK))
        v->clock_error_ms = prng_between(&v->prng, -86400000, 86400000);
    vehicle_due(v, DUE_CONNECT, 1 + (int64_t)prng_below(&v->prng, config->first_connect_ms * 1000ull));
    *out = v;
    return NO_ERR;
}

void sim_vehicle_destroy(struct sim_vehicle *v)
{
    if (!v) return;
    if (v->conn) loop_close(v->crowd->loop, v->conn, CLOSE_DONE, CLOSE_ABANDON);
    if (v->twin_conn) loop_close(v->crowd->loop, v->twin_conn, CLOSE_DONE, CLOSE_ABANDON);
    crowd_clear_timer(v->crowd, &v->timer);
    free(v->log);
    free(v);
}

void sim_vehicle_ride(struct sim_vehicle *v)
{
    if (v->locked || v->moving) return;
    v->moving = true;
    v->draw = prng_next(&v->prng);
    v->left_us = crowd_now_us(v->crowd);
}

void sim_vehicle_stop(struct sim_vehicle *v)
{
    if (!v->moving) return;
    struct sim_path_place place = sim_vehicle_place(v);
    v->battery_ppm = battery_ppm(v);
    v->drained_us = crowd_now_us(v->crowd);
    v->total_m += v->carried ? 0 : place.ridden_m;
    v->at = place.at;
    v->moving = v->carried = false;
    v->said_moving = 0;
}

bool sim_vehicle_close_lock(struct sim_vehicle *v)
{
    if (v->config.dialect != OMNI_CMDR || v->moving) return false;
    if (v->locked) return true;
    uint32_t user = v->user, stamp = v->stamp, minutes = vehicle_ride_minutes(v);
    vehicle_turn_lock(v, true, false, user, stamp);
    vehicle_owe(v, (struct owed){.class = OWED_L1, .user = user, .stamp = stamp, .ride_min = minutes});
    return true;
}

void sim_vehicle_open_local(struct sim_vehicle *v)
{
    if (!v->locked) return;
    vehicle_turn_lock(v, false, false, 0, 0);
    vehicle_owe(v, (struct owed){.class = OWED_L0});
}

void sim_vehicle_set_battery(struct sim_vehicle *v, uint8_t pct)
{
    v->battery_ppm = pct * 10000u;
    v->drained_us = crowd_now_us(v->crowd);
    v->said_low = false;
}

void sim_vehicle_put(struct sim_vehicle *v, struct point at)
{
    if (!v->moving) v->at = at;
}

void sim_vehicle_switch(struct sim_vehicle *v, bool on)
{
    if (on == !v->off) return;
    v->off = !on;
    if (on) vehicle_due(v, DUE_CONNECT, 1);
    else vehicle_leave(v, 0);
}

void sim_vehicle_restart(struct sim_vehicle *v)
{
    v->key = (struct key){0}; /* memory is gone; owed reports are in flash */
    vehicle_leave(v, vehicle_between_us(v, 3000, 15000));
}

struct sim_path_place sim_vehicle_place(const struct sim_vehicle *v)
{
    if (!v->moving) return (struct sim_path_place){.at = v->at};
    int64_t ridden_ms = (crowd_now_us(v->crowd) - v->left_us) / 1000;
    return v->config.path.at(v->config.path.ctx, v->config.index, v->at, v->draw, ridden_ms);
}

/* A horseshoe lock's battery turns no motor. */
static uint32_t battery_ppm(const struct sim_vehicle *v)
{
    bool motor = v->config.dialect != OMNI_CMDR && v->moving && !v->carried;
    uint64_t idle_s = (uint64_t)(crowd_now_us(v->crowd) - v->drained_us) / 1000000;
    uint64_t drain = motor ? (uint64_t)sim_vehicle_place(v).ridden_m * DRAIN_PPM_PER_M : 0;

    drain += idle_s * v->config.idle_ppm_per_h / 3600;
    return drain < v->battery_ppm ? v->battery_ppm - (uint32_t)drain : 0;
}

uint8_t sim_vehicle_battery_pct(const struct sim_vehicle *v) { return (uint8_t)(battery_ppm(v) / 10000); }

bool sim_vehicle_is_locked(const struct sim_vehicle *v) { return v->locked; }
bool sim_vehicle_is_moving(const struct sim_vehicle *v) { return v->moving; }
bool sim_vehicle_is_connected(const struct sim_vehicle *v) { return v->signed_in; }
bool sim_vehicle_is_stuck(const struct sim_vehicle *v) { return crowd_now_us(v->crowd) < v->stuck_until_us; }
uint8_t sim_vehicle_dialect(const struct sim_vehicle *v) { return v->config.dialect; }
int64_t sim_vehicle_connected_ms(const struct sim_vehicle *v)
{
    return v->signed_in ? (crowd_now_us(v->crowd) - v->signed_in_us) / 1000 : 0;
}

struct bytes sim_vehicle_ident(const struct sim_vehicle *v) { return text_bytes(&v->ident); }
int64_t sim_vehicle_said_unlocked_ms(const struct sim_vehicle *v) { return v->said_unlocked_ms; }
uint32_t sim_vehicle_owes(const struct sim_vehicle *v) { return v->owed_count; }
const struct sim_vehicle_counters *sim_vehicle_counters_of(const struct sim_vehicle *v)
{
    return &v->counters;
}

uint32_t sim_vehicle_log_of(const struct sim_vehicle *v, const struct sim_vehicle_log **at)
{
    *at = v->log;
    return v->log_count;
}

uint32_t sim_vehicle_log_forgot(const struct sim_vehicle *v) { return v->log_forgot; }

bool vehicle_unlucky(struct sim_vehicle *v, enum sim_vehicle_fault fault)
{
    uint32_t ppm = v->config.fault_ppm ? v->config.fault_ppm[fault] : 0;

    /* Always drawn, so that turning one knob leaves the rest of the stream in its place. */
    if (!prng_chance(&v->prng, ppm)) return false;
    vehicle_count(v, fault);
    return true;
}

void vehicle_count(struct sim_vehicle *v, enum sim_vehicle_fault fault)
{
    if (v->config.fault_count) v->config.fault_count[fault]++;
}

int64_t vehicle_between_us(struct sim_vehicle *v, int64_t low_ms, int64_t high_ms)
{
    return prng_between(&v->prng, low_ms * 1000, high_ms * 1000);
}

static void set_timer(struct sim_vehicle *v)
{
    int64_t first_us = 0;

    for (int i = 0; i < DUE_N; i++) {
        if (v->due_us[i] && (!first_us || v->due_us[i] < first_us)) first_us = v->due_us[i];
    }
    if (first_us) crowd_set_timer(v->crowd, &v->timer, first_us);
    else crowd_clear_timer(v->crowd, &v->timer);
}

void vehicle_due(struct sim_vehicle *v, enum due what, int64_t in_us)
{
    v->due_us[what] = crowd_now_us(v->crowd) + (in_us > 0 ? in_us : 1);
    set_timer(v);
}

void vehicle_not_due(struct sim_vehicle *v, enum due what)
{
    v->due_us[what] = 0;
    set_timer(v);
}

/* Hangs up; `back_in_us` 0: on_close decides when to come back. */
void vehicle_leave(struct sim_vehicle *v, int64_t back_in_us)
{
    if (v->conn) loop_close(v->crowd->loop, v->conn, CLOSE_DONE, CLOSE_NOW);
    v->signed_in = false;
    if (back_in_us) vehicle_due(v, DUE_CONNECT, back_in_us);
}

void vehicle_write_log(struct sim_vehicle *v, struct sim_vehicle_log entry)
{
    uint32_t most = v->config.log_max;

    if (!most) return;
    if (v->log_count == most) {
        uint32_t drop = most / 2 ? most / 2 : 1; /* in halves, or each entry would move all others */
        v->log_count -= drop;
        v->log_forgot += drop;
        memmove(v->log, v->log + drop, v->log_count * sizeof *v->log);
    }
    if (v->log_count == v->log_cap) {
        v->log_cap = v->log_cap ? v->log_cap * 2 : 8;
        v->log = realloc(v->log, v->log_cap * sizeof *v->log);
        must(v->log);
    }
    entry.at_ms = crowd_now_ms(v->crowd);
    v->log[v->log_count++] = entry;
}

void vehicle_turn_lock(struct sim_vehicle *v, bool locked, bool by_order, uint32_t user, uint32_t stamp)
{
    v->locked = locked;
    *(locked ? &v->counters.locks : &v->counters.unlocks) += 1;
    vehicle_write_log(
        v, (struct sim_vehicle_log){.kind = locked ? SIM_VEHICLE_LOG_LOCKED : SIM_VEHICLE_LOG_UNLOCKED,
                                    .by_order = by_order,
                                    .user = user,
                                    .stamp = stamp});
    if (!locked) {
        v->unlocked_us = crowd_now_us(v->crowd);
        v->user = user;
        v->stamp = stamp;
        vehicle_due(v, DUE_STATUS, v->status_s * SECONDS_US);
        if (v->track_s) vehicle_due(v, DUE_TRACK, v->track_s * SECONDS_US);
    }
    if (locked && v->config.place_s) vehicle_due(v, DUE_PLACE, PLACE_MS * 1000ll);
    if (v->config.on_lock) v->config.on_lock(v->config.ctx, v->config.index, locked);
}

uint32_t vehicle_ride_minutes(const struct sim_vehicle *v)
{
    return v->unlocked_us ? (uint32_t)((crowd_now_us(v->crowd) - v->unlocked_us) / MINUTES_US) : 0;
}

static void connect_now(struct sim_vehicle *v)
{
    static const struct conn_limits limits = {.kept_max = 2048, .out_max = 8192};

    if (v->off || v->signed_in) return;
    if (!vehicle_has_radio(v)) return; /* comes back by itself */
    if (v->conn) { /* the old one is not yet gone */
        vehicle_due(v, DUE_CONNECT, vehicle_between_us(v, 100, 200));
        return;
    }
    crowd_name_link(v->crowd, "vehicle", text_bytes(&v->ident), ++v->counters.connects);
    if (!loop_connect(v->crowd->loop, text_bytes(&v->address), &limits, &v->handler, &v->conn).code) return;
    v->conn = 0;
    vehicle_due(v, DUE_CONNECT, vehicle_between_us(v, 1000, 5000));
}

static void on_open(void *ctx, uint64_t conn, struct bytes peer)
{
    struct sim_vehicle *v = ctx;

    (void)peer;
    if (conn != v->conn) return;
    v->signed_in = true;
    v->signed_in_us = crowd_now_us(v->crowd);
    v->said_moving = 0;
    vehicle_say_heartbeat(v, true);
    if (v->config.place_s) vehicle_due(v, DUE_PLACE, PLACE_MS * 1000ll);
    /* The street goes on without a connection, so this timer does too. */
    if (!v->due_us[DUE_HEARTBEAT]) vehicle_due(v, DUE_HEARTBEAT, v->heartbeat_s * SECONDS_US);
    vehicle_tell_late(v);
    vehicle_repeat(v, true);
}

static size_t on_bytes(void *ctx, uint64_t conn, struct bytes in)
{
    struct sim_vehicle *v = ctx;
    return conn == v->conn && v->signed_in && vehicle_has_radio(v) ? vehicle_hear(v, in) : in.len;
}

static void on_close(void *ctx, uint64_t conn, enum close_reason reason)
{
    struct sim_vehicle *v = ctx;

    (void)reason;
    if (conn != v->conn) return;
    v->conn = 0;
    v->signed_in = false;
    v->counters.closes++;
    vehicle_not_due(v, DUE_LEAVE);
    vehicle_not_due(v, DUE_KEY);
    if (v->off || v->due_us[DUE_CONNECT]) return;
    int64_t wait_ms = 1000ll << v->backoff;
    if (v->backoff < BACKOFF_MAX) v->backoff++;
    vehicle_due(v, DUE_CONNECT, vehicle_between_us(v, wait_ms / 2, wait_ms));
}

static void twin_open(void *ctx, uint64_t conn, struct bytes peer)
{
    struct sim_vehicle *v = ctx;

    (void)peer;
    if (conn == v->twin_conn) vehicle_say_twin(v);
}

static size_t twin_bytes(void *ctx, uint64_t conn, struct bytes in)
{
    (void)ctx;
    (void)conn;
    return in.len; /* it does not answer */
}

static void twin_close(void *ctx, uint64_t conn, enum close_reason reason)
{
    struct sim_vehicle *v = ctx;

    (void)reason;
    if (conn == v->twin_conn) v->twin_conn = 0;
}

static void on_timer(void *owner)
{
    struct sim_vehicle *v = owner;
    int64_t now_us = crowd_now_us(v->crowd);

    for (int i = 0; i < DUE_N; i++) {
        if (!v->due_us[i] || v->due_us[i] > now_us) continue;
        v->due_us[i] = 0;
        on_due(v, (enum due)i);
    }
    set_timer(v);
}

static void on_due(struct sim_vehicle *v, enum due what)
{
    switch (what) {
    case DUE_CONNECT: connect_now(v); break;
    case DUE_HEARTBEAT: heartbeat(v); break;
    case DUE_STATUS:
        if (v->locked && !v->moving) break;
        if (v->config.dialect == OMNI_SCOR) vehicle_say_status(v);
        vehicle_due(v, DUE_STATUS, v->status_s * SECONDS_US);
        break;
    case DUE_TRACK:
        if (v->locked || !v->track_s) break;
        vehicle_say_place(v, 1);
        vehicle_due(v, DUE_TRACK, v->track_s * SECONDS_US);
        break;
    case DUE_REPEAT: vehicle_repeat(v, false); break;
    case DUE_KEY: vehicle_say_key(v); break;
    case DUE_ACT: vehicle_act(v); break;
    case DUE_LEAVE: vehicle_leave(v, 0); break;
    case DUE_TWIN:
        if (v->twin_conn) loop_close(v->crowd->loop, v->twin_conn, CLOSE_DONE, CLOSE_NOW);
        break;
    case DUE_SET_DOWN: set_down(v); break;
    case DUE_PLACE:
        vehicle_say_place(v, 0);
        vehicle_due(v, DUE_PLACE, v->config.place_s * SECONDS_US);
        break;
    case DUE_RADIO: vehicle_look_for_radio(v); break;
    case DUE_N: break;
    }
}

static void heartbeat(struct sim_vehicle *v)
{
    vehicle_due(v, DUE_HEARTBEAT, v->heartbeat_s * SECONDS_US);
    if (v->signed_in) {
        v->backoff = 0; /* a connection that lasted */
        vehicle_say_heartbeat(v, false);
    }
    if (!v->said_low && sim_vehicle_battery_pct(v) < 15) {
        v->said_low = true;
        vehicle_owe(v, (struct owed){.class = OWED_W0, .alarm = ALARM_BATTERY_LOW});
    }
    street_life(v);
}

/* What may happen to it between two heartbeats. */
static void street_life(struct sim_vehicle *v)
{
    if (vehicle_unlucky(v, SIM_VEHICLE_FAULT_MUTE))
        v->mute_until_us = crowd_now_us(v->crowd) + vehicle_between_us(v, 60000, 900000);
    if (vehicle_unlucky(v, SIM_VEHICLE_FAULT_DROP)) vehicle_leave(v, 0);
    vehicle_lose_radio(v);
    if (vehicle_unlucky(v, SIM_VEHICLE_FAULT_ALARM)) {
        /* Nobody acknowledges the E0 of a horseshoe lock: it would be repeated for ever. */
        bool fault = prng_below(&v->prng, 3) == 0 && v->config.dialect != OMNI_CMDR;
        vehicle_owe(v, fault
                           ? (struct owed){.class = OWED_E0, .fault = 1 + (uint32_t)prng_below(&v->prng, 99)}
                           : (struct owed){.class = OWED_W0,
                                           .alarm = (uint8_t)prng_between(&v->prng, ALARM_MOVED_LOCKED,
                                                                          ALARM_DISMANTLE_CLEARED)});
    }
    if (vehicle_unlucky(v, SIM_VEHICLE_FAULT_TWIN) && !v->twin_conn && v->conn) {
        v->twin_locked = prng_below(&v->prng, 4) != 0;
        crowd_name_link(v->crowd, "twin", text_bytes(&v->ident), v->counters.connects);
        if (loop_connect(v->crowd->loop, text_bytes(&v->address), NULL, &v->twin_handler, &v->twin_conn).code)
            v->twin_conn = 0;
        vehicle_due(v, DUE_TWIN, vehicle_between_us(v, 5000, 300000));
    }
    if (vehicle_unlucky(v, SIM_VEHICLE_FAULT_MOVED_LOCKED) && v->locked && !v->moving) {
        v->moving = v->carried = true;
        v->draw = prng_next(&v->prng);
        v->left_us = crowd_now_us(v->crowd);
        vehicle_owe(v, (struct owed){.class = OWED_W0, .alarm = ALARM_MOVED_LOCKED});
        vehicle_due(v, DUE_STATUS, v->status_s * SECONDS_US);
        vehicle_due(v, DUE_SET_DOWN, vehicle_between_us(v, 20000, 180000));
    }
    if (vehicle_unlucky(v, SIM_VEHICLE_FAULT_OPENED_LOCAL) && v->locked && !v->moving) {
        sim_vehicle_open_local(v);
        vehicle_due(v, DUE_SET_DOWN, vehicle_between_us(v, 30000, 300000));
    }
}

static void set_down(struct sim_vehicle *v)
{
    if (v->carried) sim_vehicle_stop(v);
    if (v->moving || v->user || v->stamp) return; /* somebody rides it by an order of the server */
    if (v->locked) return;
    vehicle_turn_lock(v, true, false, 0, 0);
    vehicle_owe(v, (struct owed){.class = OWED_L1});
}

/* Out and back again for ever, in one of many directions, in metres on a plane. */
static struct sim_path_place straight_at(void *ctx, uint32_t vehicle, struct point from, uint64_t draw,
                                         int64_t ridden_ms)
{
    enum { SPEED_DMH = 150, REACH_M = 2000 };
    int64_t ridden_m = ridden_ms * SPEED_DMH / 36000, along = ridden_m % (2 * REACH_M);
    int32_t north = (int32_t)(draw & 0xff) - 128, east = (int32_t)(draw >> 8 & 0xff) - 128;
    int64_t len = (int64_t)int_sqrt((uint64_t)(north * north + east * east) + 1);
    struct sim_path_place place = {.speed_dmh = SPEED_DMH, .ridden_m = (uint32_t)ridden_m};

    (void)ctx;
    (void)vehicle;
    if (along > REACH_M) along = 2 * REACH_M - along;
    /* 1 m is 89.8e-7 degrees of latitude, and that over the cosine of longitude. */
    place.at.lat_e7 = from.lat_e7 + (int32_t)(along * north * 90 / (len ? len : 1));
    place.at.lon_e7 =
        from.lon_e7 + (int32_t)(along * east * 90 * 65536 / ((len ? len : 1) * point_cos_q16(from.lat_e7)));
    return place;
}
