/* SPDX-License-Identifier: Apache-2.0 */
/* network_conn.c: one connection as its loop sees it. The states and their order are those of
 * net/loop_conn.c; where the two differ, this one is wrong: sim/network_test.c runs the same claims on
 * both. */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "sim/network_conn.h"

enum { KEPT_MAX = 2048, READ_MAX = 16384, OUT_MAX = 16384, STALL_MS = 30000, LINGER_MS = 5000 };

static void conn_read(struct net_loop *l, struct net_conn *c);
static void conn_deliver(struct net_loop *l, struct net_conn *c, const uint8_t *at, size_t len);
static bool kept_store(struct net_loop *l, struct net_conn *c, struct bytes left);
static void kept_drop(struct net_loop *l, struct net_conn *c);
static void out_drop(struct net_loop *l, struct net_conn *c);
static void conn_written(struct net_loop *l, struct net_conn *c);
static void conn_connected(struct net_loop *l, struct net_conn *c);

static struct net_link *link_of(struct net_loop *l, const struct net_conn *c)
{
    return &l->network->links[c->link];
}
static uint32_t slot_of(const struct net_loop *l, const struct net_conn *c)
{
    return (uint32_t)(c - l->conns);
}

uint64_t net_conn_handle(const struct net_loop *l, const struct net_conn *c)
{
    return (uint64_t)c->generation << 32 | slot_of(l, c);
}

struct net_conn *net_conn_of(struct net_loop *l, uint64_t handle)
{
    uint32_t slot = conn_slot(handle);

    if (slot >= l->config.conn_max) return NULL;
    struct net_conn *c = &l->conns[slot];
    return c->state != NET_FREE && c->generation == handle >> 32 ? c : NULL;
}

struct net_conn *net_conn_new(struct net_loop *l, uint32_t link, uint8_t side,
                              const struct conn_handler *handler, const struct conn_limits *limits,
                              enum net_conn_state state)
{
    if (l->free_count == 0) return NULL;
    uint32_t slot = l->free_slots[--l->free_count];
    struct net_conn *c = &l->conns[slot];
    uint32_t generation = c->generation + 1 ? c->generation + 1 : 1;

    *c = (struct net_conn){.handler = handler,
                           .limits = limits ? *limits : (struct conn_limits){0},
                           .link = link,
                           .side = side,
                           .generation = generation,
                           .state = (uint8_t)state,
                           .listener = LOOP_LISTENER_MAX,
                           .listed = c->listed,
                           .dirty = c->dirty,
                           .again = c->again}; /* the slot may be in those lists */
    struct conn_limits *f = &c->limits;
    if (!f->kept_max) f->kept_max = KEPT_MAX;
    if (!f->read_max) f->read_max = READ_MAX;
    if (!f->out_max) f->out_max = OUT_MAX;
    if (!f->out_low) f->out_low = f->out_max / 2;
    if (!f->stall_ms) f->stall_ms = STALL_MS;
    if (!f->linger_ms) f->linger_ms = LINGER_MS;
    if (f->kept_max > LOOP_READ_MAX) f->kept_max = LOOP_READ_MAX;
    if (f->read_max > LOOP_READ_MAX) f->read_max = LOOP_READ_MAX;
    l->loop.counters.open++;
    if (f->idle_ms) {
        c->deadline_ms = loop_now_ms(&l->loop) + f->idle_ms;
        net_conn_arm(l, c);
    }
    return c;
}

/* Deadlines are renewed far more often than they pass: an event that is early looks and goes to sleep
 * again. */
void net_conn_arm(struct net_loop *l, struct net_conn *c)
{
    int64_t at_ms = c->deadline_ms;

    if (c->stall_at_ms && (!at_ms || c->stall_at_ms < at_ms)) at_ms = c->stall_at_ms;
    if (!at_ms || (c->armed_ms && c->armed_ms <= at_ms)) return;
    c->armed_ms = at_ms;
    network_at_deadline(l, at_ms, net_conn_handle(l, c));
}

void net_conn_ready(struct net_loop *l, uint32_t slot, uint8_t what)
{
    struct net_conn *c = &l->conns[slot];

    c->ready |= what;
    net_mark(&l->ready, &c->listed, slot);
}

void net_conn_on_ready(struct net_loop *l, struct net_conn *c, uint8_t what)
{
    if (c->state == NET_FREE || c->state == NET_ENDED) return;
    if (c->state == NET_CONNECTING) {
        bool reset = link_of(l, c)->ends[c->side].reset;
        if (what & READY_REFUSED || reset) net_conn_end(l, c, CLOSE_CONNECT, CLOSE_NOW);
        else if (what & READY_CONNECTED) conn_connected(l, c);
        if (c->state != NET_OPEN) return;
        what |= READY_SOCKET;
    }
    if (what & READY_ROOM && c->blocked) {
        c->blocked = false;
        net_conn_flush(l, c);
    }
    if (!(what & READY_SOCKET) || c->state == NET_ENDED || c->state == NET_FREE) return;
    const struct net_end *e = &link_of(l, c)->ends[c->side];
    bool reads = !c->eof && (c->state == NET_LINGERING || (c->state == NET_OPEN && !c->paused));
    if (reads && (e->in_len || e->fin || e->reset)) conn_read(l, c);
    else if (e->reset) net_conn_end(l, c, CLOSE_RESET, CLOSE_NOW);
}

void net_conn_on_due(struct net_loop *l, struct net_conn *c)
{
    int64_t now_ms = loop_now_ms(&l->loop);

    if (c->state == NET_FREE || c->state == NET_ENDED) return;
    if (c->deadline_ms && c->deadline_ms <= now_ms)
        net_conn_end(l, c, c->state == NET_CONNECTING ? CLOSE_CONNECT : CLOSE_TIMEOUT, CLOSE_NOW);
    else if (c->stall_at_ms && c->stall_at_ms <= now_ms) net_conn_end(l, c, CLOSE_STALLED, CLOSE_NOW);
    else net_conn_arm(l, c);
}

void net_conn_redeliver(struct net_loop *l, struct net_conn *c)
{
    if (c->state != NET_OPEN || c->paused || c->kept_len == 0) return;
    uint8_t *at = l->read_buffer + LOOP_READ_MAX - c->kept_len;
    memcpy(at, c->kept, c->kept_len);
    conn_deliver(l, c, at, c->kept_len);
}

void net_conn_flush(struct net_loop *l, struct net_conn *c)
{
    struct loop_counters *n = &l->loop.counters;

    if (c->state == NET_FREE || c->state == NET_CONNECTING || c->state == NET_ENDED || c->blocked) return;
    if (c->out_len > 0) {
        uint32_t done =
            link_write(l->network, link_of(l, c), c->side, bytes_of(c->out + c->out_head, c->out_len));
        n->writes++;
        if (done > 0) {
            n->bytes_out += done;
            c->out_head += done;
            c->out_len -= done;
            c->stall_at_ms = 0;
        }
        c->blocked = c->out_len > 0;
        if (c->out_len == 0) out_drop(l, c);
        if (c->blocked) {
            n->short_writes++;
            if (!c->stall_at_ms) {
                c->stall_at_ms = loop_now_ms(&l->loop) + c->limits.stall_ms;
                net_conn_arm(l, c);
            }
        }
    }
    conn_written(l, c);
}

void net_conn_finish(struct net_loop *l, struct net_conn *c)
{
    must(c->state == NET_ENDED);
    net_conn_drop_memory(l, c);
    link_close(l->network, link_of(l, c), c->side);
    l->loop.counters.closed[c->reason]++;
    l->loop.counters.open--;
    if (c->listener < LOOP_LISTENER_MAX) l->listeners[c->listener].open--;
    if (c->handler->on_close)
        c->handler->on_close(c->handler->ctx, net_conn_handle(l, c), (enum close_reason)c->reason);
    c->state = NET_FREE;
    l->free_slots[l->free_count++] = slot_of(l, c);
}

static size_t nobody_reads(void *ctx, uint64_t conn, struct bytes in)
{
    (void)ctx;
    (void)conn;
    return in.len;
}

void net_conn_abandon(struct net_loop *l, struct net_conn *c)
{
    static const struct conn_handler nobody = {.on_bytes = nobody_reads};

    c->handler = &nobody;
    net_conn_end(l, c, CLOSE_DONE, CLOSE_NOW);
}

void net_conn_end(struct net_loop *l, struct net_conn *c, enum close_reason reason, enum close_how how)
{
    uint32_t slot = slot_of(l, c);
    bool connecting = c->state == NET_CONNECTING;

    if (c->state == NET_ENDED) return;
    if (c->state == NET_OPEN || connecting) c->reason = (uint8_t)reason;
    if (how == CLOSE_NOW || connecting || (c->eof && c->out_len == 0)) {
        c->state = NET_ENDED;
        l->ended.at[l->ended.count++] = slot;
        return;
    }
    if (c->state != NET_OPEN) return;
    c->state = NET_FLUSHING;
    c->deadline_ms = loop_now_ms(&l->loop) + c->limits.linger_ms;
    net_conn_arm(l, c);
    if (!c->blocked) net_mark(&l->dirty, &c->dirty, slot);
}

void net_conn_drop_memory(struct net_loop *l, struct net_conn *c)
{
    kept_drop(l, c);
    out_drop(l, c);
}

bool net_conn_reserve_out(struct net_loop *l, struct net_conn *c, size_t more)
{
    size_t need = c->out_len + more, cap = c->out_cap ? c->out_cap : 256;

    if (c->out && c->out_head + need <= c->out_cap) return true;
    while (cap < need) cap *= 2;
    uint64_t total = l->loop.counters.memory_bytes + cap - c->out_cap;
    if (cap > c->out_cap && total > l->config.memory_max) {
        l->loop.counters.memory_full++;
        return false;
    }
    if (c->out_len) memmove(c->out, c->out + c->out_head, c->out_len);
    c->out_head = 0;
    if (cap == c->out_cap) return true;
    c->out = network_grow(c->out, cap);
    c->out_cap = (uint32_t)cap;
    l->loop.counters.memory_bytes = total;
    if (total > l->loop.counters.memory_peak_bytes) l->loop.counters.memory_peak_bytes = total;
    return true;
}

void net_mark(struct net_slots *list, bool *flag, uint32_t slot)
{
    if (*flag) return;
    *flag = true;
    list->at[list->count++] = slot;
}

static void conn_connected(struct net_loop *l, struct net_conn *c)
{
    char text[32];
    struct buf b = buf_on(text, sizeof text);

    c->state = NET_OPEN;
    if (!c->own_deadline) c->deadline_ms = c->limits.idle_ms ? loop_now_ms(&l->loop) + c->limits.idle_ms : 0;
    net_conn_arm(l, c);
    l->loop.counters.connected++;
    buf_put_text(&b, "127.0.0.1:");
    buf_put_u64(&b, link_of(l, c)->port);
    if (c->handler->on_open) c->handler->on_open(c->handler->ctx, net_conn_handle(l, c), buf_bytes(&b));
    net_conn_flush(l, c);
}

static void conn_read(struct net_loop *l, struct net_conn *c)
{
    struct loop_counters *n = &l->loop.counters;
    struct net_link *k = link_of(l, c);
    bool lingering = c->state == NET_LINGERING;
    uint32_t kept = lingering ? 0 : c->kept_len, room = LOOP_READ_MAX - kept;
    uint8_t *buffer = l->read_buffer;

    if (room > c->limits.read_max) room = c->limits.read_max;
    if (room == 0) {
        net_conn_end(l, c, CLOSE_OVERFLOW, CLOSE_NOW);
        return;
    }
    uint32_t have = k->ends[c->side].in_len < room ? k->ends[c->side].in_len : room;
    uint8_t *at = buffer + LOOP_READ_MAX - kept - have;
    uint32_t got = link_read(l->network, k, c->side, at + kept, have);
    if (got == 0 && k->ends[c->side].reset) {
        net_conn_end(l, c, CLOSE_RESET, CLOSE_NOW);
        return;
    }
    if (got == 0) {
        c->eof = true;
        net_conn_end(l, c, CLOSE_PEER, lingering ? CLOSE_NOW : CLOSE_FLUSH);
        return;
    }
    n->reads++;
    n->bytes_in += got;
    const struct net_end *e = &k->ends[c->side];
    /* Level-triggered: what is left is told again. */
    if (e->in_len || e->fin || e->reset) net_conn_ready(l, slot_of(l, c), READY_SOCKET);
    if (lingering) return;
    if (c->limits.idle_ms) {
        c->deadline_ms = loop_now_ms(&l->loop) + c->limits.idle_ms;
        net_conn_arm(l, c);
    }
    if (kept) memcpy(at, c->kept, kept);
    conn_deliver(l, c, at, kept + got);
}

static void conn_deliver(struct net_loop *l, struct net_conn *c, const uint8_t *at, size_t len)
{
    size_t used = c->handler->on_bytes(c->handler->ctx, net_conn_handle(l, c), bytes_of(at, len));

    must(used <= len);
    if (c->state != NET_OPEN) {
        kept_drop(l, c);
        return;
    }
    if (len - used > c->limits.kept_max && !c->paused) {
        net_conn_end(l, c, CLOSE_OVERFLOW, CLOSE_NOW);
        return;
    }
    if (!kept_store(l, c, bytes_of(at + used, len - used))) net_conn_end(l, c, CLOSE_OVERFLOW, CLOSE_NOW);
}

static bool kept_store(struct net_loop *l, struct net_conn *c, struct bytes left)
{
    if (left.len == 0) {
        kept_drop(l, c);
        return true;
    }
    if (left.len > c->kept_cap) {
        uint32_t cap = (uint32_t)(left.len + 63) & ~63u;
        if (cap < c->kept_cap * 2) cap = c->kept_cap * 2;
        uint64_t total = l->loop.counters.memory_bytes + cap - c->kept_cap;
        if (total > l->config.memory_max) {
            l->loop.counters.memory_full++;
            return false;
        }
        c->kept = network_grow(c->kept, cap);
        c->kept_cap = cap;
        l->loop.counters.memory_bytes = total;
        if (total > l->loop.counters.memory_peak_bytes) l->loop.counters.memory_peak_bytes = total;
    }
    memcpy(c->kept, left.at, left.len);
    c->kept_len = (uint32_t)left.len;
    return true;
}

static void kept_drop(struct net_loop *l, struct net_conn *c)
{
    free(c->kept);
    l->loop.counters.memory_bytes -= c->kept_cap;
    c->kept = NULL;
    c->kept_len = c->kept_cap = 0;
}

static void out_drop(struct net_loop *l, struct net_conn *c)
{
    free(c->out);
    l->loop.counters.memory_bytes -= c->out_cap;
    c->out = NULL;
    c->out_head = c->out_len = c->out_cap = 0;
}

static void conn_written(struct net_loop *l, struct net_conn *c)
{
    if (c->state == NET_OPEN && c->wants_writable && c->out_len <= c->limits.out_low) {
        c->wants_writable = false;
        if (c->handler->on_writable) c->handler->on_writable(c->handler->ctx, net_conn_handle(l, c));
    }
    if (c->state != NET_FLUSHING || c->out_len > 0) return;
    if (c->eof) {
        net_conn_end(l, c, (enum close_reason)c->reason, CLOSE_NOW);
        return;
    }
    c->state = NET_LINGERING;
    link_shut(l->network, link_of(l, c), c->side);
    /* What lies unread, or the end that came meanwhile, is to be looked at. */
    net_conn_ready(l, slot_of(l, c), READY_SOCKET);
}
