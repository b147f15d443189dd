/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_out.c: what was released after its commit goes to the vehicles: acks, orders, hang-ups.
 *
 * An order is sent in time or not at all: the engine counts it as unknown at its deadline and asks for the state. */
#include "gateway/gateway_inside.h"

/* Read once for all items of a turn: what is synced after that counts as no time at all. */
struct moment { int64_t us, wall_ms; };

static void write_ack(struct gateway *gw, const struct to_gateway *item, struct moment now);
static struct bytes ack_of(struct gateway *gw, const struct session *s, uint32_t tag, int64_t now_ms);
static void write_order(struct gateway *gw, const struct to_gateway *item, struct moment now);
static void trace_order(struct gateway *gw, const struct session *s, const struct to_gateway *item, int64_t now_us);
static struct session *session_find(struct gateway *gw, uint64_t conn);
static bool session_write(struct gateway *gw, const struct session *s, struct bytes wire, uint64_t *stale);

bool out_write(struct gateway *gw)
{
    struct ring *out = gw->config.out;
    struct to_gateway *item = ring_peek(out);
    if (!item) return false;
    const struct gateway_config *c = &gw->config;
    struct moment now = {.us = c->clock_us ? c->clock_us(c->clock_ctx) : loop_now_us(c->loop),
                         .wall_ms = c->wall_ms(c->wall_ctx)};
    for (unsigned i = 0; item && i < GATEWAY_OUT_PER_TURN_MAX; i++, item = ring_peek(out)) {
        switch (item->kind) {
        case TO_GATEWAY_ACK: write_ack(gw, item, now); break;
        case TO_GATEWAY_ORDER: write_order(gw, item, now); break;
        case TO_GATEWAY_HANG_UP:
            if (!session_find(gw, item->session)) break;
            gw->counters.hung_asked++;
            loop_close(gw->config.loop, item->session, CLOSE_REPLACED, CLOSE_FLUSH);
            break;
        default: must(!"something of no kind for the gateway");
        }
        ring_took(out);
    }
    return item != NULL;
}

static void write_ack(struct gateway *gw, const struct to_gateway *item, struct moment now)
{
    struct session *s = session_find(gw, item->session);

    must(item->tag);
    if (!s) {
        gw->counters.acks_stale++;
        return;
    }
    struct bytes wire = ack_of(gw, s, item->tag, now.wall_ms);
    if (!wire.len) {
        gw->counters.acks_failed++;
        return;
    }
    if (!session_write(gw, s, wire, &gw->counters.acks_stale)) return;
    frame_keep(gw, s, wire, (struct told){TAPE_OUT, item->seq});
    gw->counters.acks++;
    histogram_add(&gw->counters.ack, now.us - item->born_us);
}

/* Frames that came in one burst are acknowledged with the same bytes. Empty: the codec has none. */
static struct bytes ack_of(struct gateway *gw, const struct session *s, uint32_t tag, int64_t now_ms)
{
    struct last_ack *last = &gw->last_ack;
    struct message *m = &gw->ack;
    bool same = last->conn == s->conn && last->tag == tag && last->at_ms == now_ms && text_equal(&m->vendor, &s->vendor);
    if (same) return bytes_of(last->wire, last->len);
    uint8_t letters[4];
    struct buf b = buf_on(last->wire, sizeof last->wire);
    m->dialect = s->dialect;
    m->vendor = s->vendor;
    m->ident = s->ident;
    m->command = tag_unpack(tag, letters);
    m->must_ack = true;
    struct err e = s->codec->encode_ack(m, now_ms, &b);
    last->conn = e.code ? 0 : s->conn;
    last->tag = tag;
    last->at_ms = now_ms;
    last->len = e.code ? 0 : (uint16_t)b.len;
    return bytes_of(last->wire, last->len);
}

static void write_order(struct gateway *gw, const struct to_gateway *item, struct moment now)
{
    struct gateway_counters *n = &gw->counters;
    const struct effect_order *o = &item->order;
    struct session *s = session_find(gw, item->session);
    uint8_t wire[WIRE_MAX];
    struct buf b = buf_on(wire, sizeof wire);

    if (!s) {
        n->orders_stale++;
        return;
    }
    if (o->deadline_ms < now.wall_ms) {
        n->orders_late++;
        return;
    }
    struct order order = {.op = o->op, .step = o->step, .dialect = s->dialect, .vendor = s->vendor, .ident = s->ident,
                          .key = o->key, .user = o->user, .stamp = o->stamp, .value = o->value, .now_ms = now.wall_ms};
    struct err e = s->codec->encode(&order, &b);
    if (e.code) {
        *(e.code == ERR_UNSUPPORTED ? &n->orders_unsupported : &n->orders_failed) += 1;
        return;
    }
    if (!session_write(gw, s, buf_bytes(&b), &n->orders_stale)) return;
    frame_keep(gw, s, buf_bytes(&b), (struct told){TAPE_OUT, item->seq});
    n->orders++;
    if (gw->config.trace) trace_order(gw, s, item, now.us);
    histogram_add(&n->order_queue, item->stepped_us - item->born_us);
    histogram_add(&n->order_sync, item->synced_us - item->stepped_us);
    histogram_add(&n->order_socket, now.us - item->synced_us);
}

static void trace_order(struct gateway *gw, const struct session *s, const struct to_gateway *item, int64_t now_us)
{
    struct span span = {.name = "order to vehicle", .kind = SPAN_CLIENT, .from_us = item->synced_us, .to_us = now_us,
                        .keys = {trace_key(TRACE_SEQ, item->seq)}};
    if (item->order.command_id) span.keys[1] = trace_key(TRACE_COMMAND, item->order.command_id);
    span_text(&span, "paddock.device", text_bytes(&s->ident));
    span_number(&span, "paddock.seq", (int64_t)item->seq);
    span_number(&span, "paddock.order.op", item->order.op);
    span_number(&span, "paddock.order.step", item->order.step);
    trace_put(gw->config.trace, &span);
}

/* The engine answers only to who was announced to it. */
static struct session *session_find(struct gateway *gw, uint64_t conn)
{
    uint32_t slot = conn_slot(conn);
    if (slot >= gw->config.slot_max) return NULL;
    struct session *s = &gw->sessions[slot];
    return s->conn == conn && s->announced ? s : NULL;
}

static bool session_write(struct gateway *gw, const struct session *s, struct bytes wire, uint64_t *stale)
{
    struct err e = loop_write(gw->config.loop, s->conn, wire);
    if (!e.code) return true;
    if (e.code == ERR_FULL) {
        session_hang_up(gw, s, &gw->counters.hung_slow, "slow_reader", CLOSE_SLOW);
    } else {
        (*stale)++; /* closing already */
    }
    return false;
}
