/* SPDX-License-Identifier: Apache-2.0 */
/* gateway.c: life of the gateway and of its connections, and what it does each turn. */
#include <stdlib.h>

#include "gateway/gateway_inside.h"

static struct err config_check(const struct gateway_config *c);
static void config_fill(struct gateway_config *c);
static void on_open(void *ctx, uint64_t conn, struct bytes peer);
static void on_close(void *ctx, uint64_t conn, enum close_reason reason);
static int64_t on_turn(void *ctx, int64_t now_ms);
static bool close_put(struct gateway *gw, const struct close_left *left);

struct err gateway_create(const struct gateway_config *config, struct gateway **out)
{
    TRY(config_check(config));
    struct gateway *gw = calloc(1, sizeof *gw);
    if (!gw) return ERR(FULL, "gateway: no memory");
    gw->config = *config;
    config_fill(&gw->config);
    const struct gateway_config *c = &gw->config;
    gw->frame_us = 1000000 / c->frames_per_s;
    gw->burst_us = gw->frame_us * (c->frames_burst - 1);
    gw->listener = LOOP_LISTENER_MAX;
    gw->handler = (struct conn_handler){.ctx = gw, .on_open = on_open, .on_bytes = gateway_on_bytes,
                                        .on_close = on_close};
    struct loop_listener_config listener = {
        .address = c->address, .conn_max = c->conn_max, .handler = &gw->handler,
        .limits = {.kept_max = GATEWAY_KEPT_MAX, .read_max = GATEWAY_READ_MAX, .out_max = c->out_max}};
    struct err e = ERR(FULL, "gateway: no memory for sessions");
    gw->sessions = calloc(c->slot_max, sizeof *gw->sessions);
    gw->closes = calloc(c->slot_max, sizeof *gw->closes);
    if (!gw->sessions || !gw->closes) goto fail;
    e = loop_add_hook(c->loop, (struct loop_hook){gw, on_turn});
    if (e.code) goto fail;
    e = loop_listen(c->loop, &listener, &gw->listener);
    if (e.code) goto fail;
    *out = gw;
    return NO_ERR;
fail:
    gateway_destroy(gw);
    return e;
}

void gateway_destroy(struct gateway *gw)
{
    if (!gw) return;
    if (gw->listener < LOOP_LISTENER_MAX && !gw->draining) loop_unlisten(gw->config.loop, gw->listener);
    loop_remove_hook(gw->config.loop, gw);
    free(gw->sessions);
    free(gw->closes);
    free(gw);
}

struct err gateway_address(struct gateway *gw, struct text64 *out)
{
    return loop_address(gw->config.loop, gw->listener, out);
}

const struct gateway_counters *gateway_counters(const struct gateway *gw)
{
    return &gw->counters;
}

void gateway_drain(struct gateway *gw)
{
    if (gw->draining) return;
    gw->draining = true;
    loop_unlisten(gw->config.loop, gw->listener);
    for (uint32_t slot = 0; slot < gw->config.slot_max; slot++) {
        struct session *s = &gw->sessions[slot];
        if (s->state == SESSION_FREE) continue;
        wait_leave(gw, s);
        loop_pause(gw->config.loop, s->conn);
    }
}

bool gateway_drained(const struct gateway *gw)
{
    return ring_count(gw->config.out) == 0 && gw->close_count == 0;
}

void gateway_hang_up(struct gateway *gw)
{
    for (uint32_t slot = 0; slot < gw->config.slot_max; slot++) {
        if (gw->sessions[slot].state == SESSION_FREE) continue;
        loop_close(gw->config.loop, gw->sessions[slot].conn, CLOSE_LOOP, CLOSE_FLUSH);
    }
}

struct inbound *lane_room(struct gateway *gw, enum lane lane)
{
    if (lane == LANE_TELEMETRY) return ring_room(gw->config.telemetry);
    return gw->close_count ? NULL : ring_room(gw->config.urgent);
}

void lane_put(struct gateway *gw, enum lane lane)
{
    gw->put_any = true;
    if (lane == LANE_TELEMETRY) gw->telemetry_puts++;
    ring_put(lane == LANE_TELEMETRY ? gw->config.telemetry : gw->config.urgent);
}

static struct err config_check(const struct gateway_config *c)
{
    if (!c->loop || !c->telemetry || !c->urgent || !c->out || !c->wake_engine || !c->wall_ms) {
        return ERR(INVALID, "gateway: a part that it stands on is missing");
    }
    if (c->conn_max == 0 || (c->slot_max && c->slot_max < c->conn_max)) {
        return ERR(INVALID, "gateway: conn_max is 0 or above the loop's");
    }
    if (c->telemetry->item_size != sizeof(struct inbound) || c->urgent->item_size != sizeof(struct inbound) ||
        c->out->item_size != sizeof(struct to_gateway)) {
        return ERR(INVALID, "gateway: a ring holds items of another kind");
    }
    for (unsigned i = 0; i < PROTOCOL_N; i++) {
        const struct codec *codec = codec_by_protocol((uint8_t)i);
        if (codec) must(codec->frame_max <= GATEWAY_KEPT_MAX);
    }
    return NO_ERR;
}

static void config_fill(struct gateway_config *c)
{
    if (!c->slot_max) c->slot_max = c->conn_max;
    if (!c->hello_ms) c->hello_ms = 20000;
    if (!c->idle_ms) c->idle_ms = 900000;
    if (!c->frames_per_s) c->frames_per_s = 200;
    if (!c->frames_burst) c->frames_burst = 400;
    if (!c->out_max) c->out_max = 65536;
}

static void on_open(void *ctx, uint64_t conn, struct bytes peer)
{
    struct gateway *gw = ctx;
    uint32_t slot = conn_slot(conn);

    must(slot < gw->config.slot_max && gw->sessions[slot].state == SESSION_FREE);
    struct session *s = &gw->sessions[slot];
    *s = (struct session){.conn = conn, .state = SESSION_OPEN, .wait = WAIT_NOT};
    text_clip(&s->peer, peer);
    gw->counters.connections++;
    loop_set_deadline(gw->config.loop, conn, gw->config.hello_ms);
}

static void on_close(void *ctx, uint64_t conn, enum close_reason reason)
{
    struct gateway *gw = ctx;
    struct session *s = &gw->sessions[conn_slot(conn)];

    must(s->conn == conn && s->state != SESSION_FREE);
    if (reason == CLOSE_TIMEOUT) {
        *(s->state == SESSION_BOUND ? &gw->counters.hung_idle : &gw->counters.hung_hello_late) += 1;
    }
    wait_leave(gw, s);
    if (s->announced) {
        struct close_left left = {.conn = conn, .protocol = s->codec->protocol, .ident = s->ident};
        gw->counters.sessions_closed++;
        gw->counters.sessions--;
        if (!close_put(gw, &left)) {
            /* A session is announced only while no close waits, so each of the slots has at most one in here. */
            must(gw->close_count < gw->config.slot_max);
            gw->closes[(gw->close_first + gw->close_count++) % gw->config.slot_max] = left;
            gw->counters.closes_delayed++;
        } else if (!gw->woke_late) {
            /* Closes come after the hooks of a turn: the next one may be long after. */
            gw->woke_late = true;
            gw->counters.wakes++;
            gw->config.wake_engine(gw->config.wake_ctx);
        }
    }
    s->state = SESSION_FREE;
    s->announced = false;
    s->conn = 0;
    gw->counters.connections--;
}

static bool close_put(struct gateway *gw, const struct close_left *left)
{
    struct inbound *in = lane_room(gw, LANE_URGENT);
    if (!in) return false;
    in->is_query = false;
    in->origin = (struct origin){.kind = ORIGIN_DEVICE, .port = gw->config.port, .handle = left->conn,
                                 .born_us = loop_now_us(gw->config.loop)};
    in->fact.kind = FACT_SESSION_CLOSED;
    in->fact.now_ms = 0;
    in->fact.session_closed = (struct fact_session_closed){.session = left->conn, .protocol = left->protocol,
                                                           .ident = left->ident};
    lane_put(gw, LANE_URGENT);
    return true;
}

/* Closes that found no room go before anything else that is urgent. */
static void closes_put(struct gateway *gw)
{
    uint32_t count = gw->close_count;
    gw->close_count = 0; /* lane_room() stands back for them, but not here */
    uint32_t done = 0;
    while (done < count && close_put(gw, &gw->closes[(gw->close_first + done) % gw->config.slot_max])) done++;
    gw->close_first = (gw->close_first + done) % gw->config.slot_max;
    gw->close_count = count - done;
}

static int64_t on_turn(void *ctx, int64_t now_ms)
{
    struct gateway *gw = ctx;
    struct gateway_counters *n = &gw->counters;

    bool more = out_write(gw);
    if (gw->close_count) closes_put(gw);
    int64_t due_ms = wait_resume(gw);
    if (gw->close_count && now_ms + GATEWAY_RETRY_MS < due_ms) due_ms = now_ms + GATEWAY_RETRY_MS;
    n->waiting_telemetry = gw->waits[WAIT_TELEMETRY].count;
    n->waiting_urgent = gw->waits[WAIT_URGENT].count;
    n->flooding = gw->waits[WAIT_FLOOD].count;
    n->closes_pending = gw->close_count;
    gw->woke_late = false;
    if (ring_count(gw->config.telemetry) > GATEWAY_BACKLOG_MAX) {
        n->rests++;
        loop_rest(gw->config.loop, GATEWAY_RETRY_MS);
    }
    if (gw->put_any) {
        gw->put_any = false;
        n->wakes++;
        gw->config.wake_engine(gw->config.wake_ctx);
    }
    return more ? now_ms : due_ms;
}
