/* SPDX-License-Identifier: Apache-2.0 */
#include "load/lock.h"

#include "base/must.h"
#include "proto/omni_device.h"

static size_t on_bytes(void *ctx, uint64_t conn, struct bytes in);
static void on_open(void *ctx, uint64_t conn, struct bytes peer);
static void on_close(void *ctx, uint64_t conn, enum close_reason reason);

struct err lock_connect(struct lock *lock, struct bytes address)
{
    lock->handler = (struct conn_handler){.ctx = lock, .on_open = on_open, .on_bytes = on_bytes, .on_close = on_close};
    return loop_connect(lock->loop, address, NULL, &lock->handler, &lock->conn);
}

static void say(struct lock *lock, const char *command, bool locked)
{
    struct message m = {.dialect = OMNI_CMDR, .vendor = {2, {'O', 'M'}}, .ident = lock->vehicle.ident, .locked = locked,
                        .iot_mv = 4100, .battery_pct = 100, .rssi = 24, .sats = 10, .hdop_centi = 132, .alt_dm = 498,
                        .fix_ms = lock->wall_ms(), .user = lock->user, .stamp = lock->stamp, .ride_min = 1,
                        .has = HAS_LOCKED | HAS_IOT_MV | HAS_BATTERY | HAS_RSSI | HAS_POSITION | HAS_FIX_TIME};
    uint8_t room[OMNI_SAY_MAX];
    struct buf b = buf_on(room, sizeof room);
    wire_position(lock->vehicle.number, 0, &m.lat_e7, &m.lon_e7);
    struct omni_say what = {.command = command, .state = &m, .clock_ms = m.fix_ms};
    struct err e = omni_device_say(&what, &b);
    must(!e.code); /* each of these has its row */
    e = loop_write(lock->loop, lock->conn, buf_bytes(&b));
    if (e.code) loop_close(lock->loop, lock->conn, CLOSE_SLOW, CLOSE_NOW);
}

void lock_close(struct lock *lock)
{
    if (lock->stage != LOCK_OPENED) return;
    lock->stage = LOCK_CLOSING;
    say(lock, "L1", true);
}

static void on_open(void *ctx, uint64_t conn, struct bytes peer)
{
    struct lock *lock = ctx;
    (void)conn;
    (void)peer;
    lock->stage = LOCK_SAYING;
    say(lock, "H0", true);
    say(lock, "D0", true); /* the one that is acknowledged: then the other is applied too */
}

static void on_ask(struct lock *lock, const struct omni_ask *ask)
{
    if (ask->kind == OMNI_ASK_UNLOCK) {
        lock->ordered_us = lock->now_us();
        lock->user = ask->user;
        lock->stamp = ask->stamp;
        lock->stage = LOCK_OPENED;
        say(lock, "L0", false);
        lock->answered_us = lock->now_us();
        return;
    }
    if (ask->kind == OMNI_ASK_STATUS) say(lock, "S5", lock->stage != LOCK_OPENED);
    if (ask->kind == OMNI_ASK_LOCATE) say(lock, "D0", lock->stage != LOCK_OPENED);
    if (ask->kind != OMNI_ASK_ACK) return;
    bool said = lock->stage == LOCK_SAYING && bytes_equal_text(ask->command, "D0");
    bool closed = lock->stage == LOCK_CLOSING && bytes_equal_text(ask->command, "L1");
    if (!said && !closed) return;
    lock->stage = LOCK_READY;
    lock->on_ready(lock->ctx, lock);
}

static size_t on_bytes(void *ctx, uint64_t conn, struct bytes in)
{
    struct lock *lock = ctx;
    size_t done = 0;
    (void)conn;
    for (;;) {
        struct cut cut = omni_cut(bytes_of(in.at + done, in.len - done));
        struct omni_ask ask;
        if (!cut.len) return done + cut.skip;
        if (!omni_device_read(bytes_of(in.at + done + cut.skip, cut.len), &ask).code) on_ask(lock, &ask);
        done += cut.skip + cut.len;
    }
}

static void on_close(void *ctx, uint64_t conn, enum close_reason reason)
{
    struct lock *lock = ctx;
    (void)conn;
    (void)reason;
    lock->stage = LOCK_AWAY;
    lock->conn = 0;
    lock->on_gone(lock->ctx, lock);
}
