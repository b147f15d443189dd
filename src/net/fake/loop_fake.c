/* SPDX-License-Identifier: Apache-2.0 */
/* loop_fake.c: see loop_fake.h. Plain and slow; memory that runs out ends the test. */
#include "net/fake/loop_fake.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

/* A growing piece of memory. */
struct heap { uint8_t *at; size_t len, cap; };

struct fake_conn {
    const struct conn_handler *handler;
    struct conn_limits limits;
    struct heap inbox, kept, out, received; /* received: by a peer that is the test */
    uint64_t handle, other;                 /* other: the far end in this loop, 0 when it is the test */
    int64_t deadline_ms;
    uint32_t generation;
    uint8_t listener;
    enum close_reason reason;
    bool used, opening, closing, now, paused, again, hung_up, stalled, wants_writable, refused;
};

struct loop_fake {
    struct loop loop;
    struct fake_conn conns[FAKE_CONN_MAX];
    struct loop_listener_config listeners[LOOP_LISTENER_MAX];
    struct loop_hook hooks[LOOP_HOOK_MAX];
    size_t read_max;
    bool moved;
};

static const struct loop_calls fake_calls;

static void heap_put(struct heap *h, struct bytes bytes)
{
    if (h->len + bytes.len > h->cap) {
        h->cap = (h->len + bytes.len) * 2;
        h->at = realloc(h->at, h->cap);
        must(h->at);
    }
    if (bytes.len) memcpy(h->at + h->len, bytes.at, bytes.len);
    h->len += bytes.len;
}

static void heap_cut(struct heap *h, size_t n)
{
    h->len -= n;
    if (h->len) memmove(h->at, h->at + n, h->len);
}

static void heap_drop(struct heap *h)
{
    free(h->at);
    *h = (struct heap){0};
}

static struct fake_conn *fake_of(struct loop *loop, uint64_t handle)
{
    struct loop_fake *l = (struct loop_fake *)loop;
    uint32_t slot = conn_slot(handle);

    if (slot >= FAKE_CONN_MAX || l->conns[slot].handle != handle) return NULL;
    return &l->conns[slot];
}

static struct fake_conn *fake_live(struct loop *loop, uint64_t handle)
{
    struct fake_conn *c = fake_of(loop, handle);
    return c && c->used ? c : NULL;
}

static struct fake_conn *fake_new(struct loop_fake *l, const struct conn_handler *handler,
                                  struct conn_limits limits)
{
    for (uint32_t i = 0; i < FAKE_CONN_MAX; i++) {
        struct fake_conn *c = &l->conns[i];
        if (c->used) continue;
        heap_drop(&c->inbox);
        heap_drop(&c->kept);
        heap_drop(&c->out);
        heap_drop(&c->received);
        *c = (struct fake_conn){.handler = handler,
                                .limits = limits,
                                .generation = c->generation + 1,
                                .used = true,
                                .opening = true,
                                .listener = LOOP_LISTENER_MAX};
        c->handle = (uint64_t)c->generation << 32 | i;
        if (!c->limits.kept_max) c->limits.kept_max = 2048;
        if (!c->limits.out_max) c->limits.out_max = 16384;
        if (!c->limits.out_low) c->limits.out_low = c->limits.out_max / 2;
        if (!c->limits.read_max) c->limits.read_max = 16384;
        if (c->limits.idle_ms) c->deadline_ms = loop_now_ms(&l->loop) + c->limits.idle_ms;
        l->loop.counters.open++;
        return c;
    }
    return NULL;
}

struct loop *loop_fake_create(void)
{
    struct loop_fake *l = calloc(1, sizeof *l);

    must(l);
    l->loop.calls = &fake_calls;
    l->loop.now_us = 1000000;
    return &l->loop;
}

void fake_set_read_max(struct loop *l, size_t read_max) { ((struct loop_fake *)l)->read_max = read_max; }
void fake_advance_ms(struct loop *l, int64_t ms) { l->now_us += ms * 1000; }
void fake_turn(struct loop *l) { must(loop_turn(l, 0).code == ERR_OK); }

void fake_settle(struct loop *l)
{
    do {
        ((struct loop_fake *)l)->moved = false;
        fake_turn(l);
    } while (((struct loop_fake *)l)->moved);
}

uint64_t fake_dial(struct loop *loop, uint32_t listener)
{
    struct loop_fake *l = (struct loop_fake *)loop;
    struct loop_listener_config *at = &l->listeners[listener];
    uint32_t open = 0;

    for (uint32_t i = 0; i < FAKE_CONN_MAX; i++) open += l->conns[i].used && l->conns[i].listener == listener;
    struct fake_conn *c = at->handler && open < at->conn_max ? fake_new(l, at->handler, at->limits) : NULL;
    if (!c) {
        l->loop.counters.refused_limit++;
        return 0;
    }
    c->listener = (uint8_t)listener;
    l->loop.counters.accepted++;
    return c->handle;
}

void fake_send(struct loop *l, uint64_t conn, struct bytes bytes)
{
    struct fake_conn *c = fake_live(l, conn);
    if (c) heap_put(&c->inbox, bytes);
}

struct bytes fake_received(struct loop *l, uint64_t conn)
{
    struct fake_conn *c = fake_of(l, conn);
    return c ? bytes_of(c->received.at, c->received.len) : bytes_of(NULL, 0);
}

void fake_forget_received(struct loop *l, uint64_t conn)
{
    struct fake_conn *c = fake_of(l, conn);
    if (c) c->received.len = 0;
}

void fake_stall(struct loop *l, uint64_t conn, bool stalled)
{
    struct fake_conn *c = fake_live(l, conn);
    if (c) c->stalled = stalled;
}

void fake_hang_up(struct loop *l, uint64_t conn)
{
    struct fake_conn *c = fake_live(l, conn);
    if (c) c->hung_up = true;
}

bool fake_is_closed(struct loop *l, uint64_t conn, enum close_reason *reason)
{
    struct fake_conn *c = fake_of(l, conn);
    if (!c || c->used) return false;
    if (reason) *reason = c->reason;
    return true;
}

bool fake_is_paused(struct loop *l, uint64_t conn)
{
    struct fake_conn *c = fake_live(l, conn);
    return c && c->paused;
}

size_t fake_kept(struct loop *l, uint64_t conn)
{
    struct fake_conn *c = fake_live(l, conn);
    return c ? c->kept.len : 0;
}

static struct err call_listen(struct loop *loop, const struct loop_listener_config *config,
                              uint32_t *listener)
{
    struct loop_fake *l = (struct loop_fake *)loop;

    for (uint32_t i = 0; i < LOOP_LISTENER_MAX; i++) {
        if (l->listeners[i].handler) continue;
        l->listeners[i] = *config;
        *listener = i;
        return NO_ERR;
    }
    return ERR(FULL, "listen: too many listeners");
}

/* Listener n is "fake:n", whatever it was asked to be. */
static struct err call_address(struct loop *loop, uint32_t listener, struct text64 *out)
{
    char text[8] = "fake:";

    (void)loop;
    text[5] = (char)('0' + listener);
    return text_set(out, bytes_of(text, 6));
}

static void call_unlisten(struct loop *loop, uint32_t listener)
{
    ((struct loop_fake *)loop)->listeners[listener] = (struct loop_listener_config){0};
}

static struct err call_connect(struct loop *loop, struct bytes address, const struct conn_limits *limits,
                               const struct conn_handler *handler, uint64_t *conn)
{
    struct loop_fake *l = (struct loop_fake *)loop;

    if (!bytes_starts(address, "fake:") || address.len != 6)
        return ERR(MALFORMED, "connect: not a fake address");
    struct fake_conn *near = fake_new(l, handler, limits ? *limits : (struct conn_limits){0});
    if (!near) return ERR(FULL, "connect: no slot");
    uint64_t far = fake_dial(loop, address.at[5] - (uint32_t)'0');
    *conn = near->handle;
    if (!far) {
        near->refused = true; /* told in the next turn, as the real one does */
        return NO_ERR;
    }
    near->other = far;
    fake_of(loop, far)->other = near->handle;
    l->loop.counters.connected++;
    return NO_ERR;
}

static struct err call_write(struct loop *loop, uint64_t conn, struct bytes bytes)
{
    struct fake_conn *c = fake_live(loop, conn);

    if (!c) return ERR(NOT_FOUND, "write: the connection is gone");
    if (c->closing) return ERR(STATE, "write: the connection is closing");
    if (bytes.len > c->limits.out_max - c->out.len) {
        loop->counters.out_full++;
        c->wants_writable = true;
        return ERR(FULL, "write: the peer reads too slowly");
    }
    heap_put(&c->out, bytes);
    if (c->out.len > c->limits.out_low) c->wants_writable = true;
    return NO_ERR;
}

static size_t call_queued(struct loop *loop, uint64_t conn)
{
    struct fake_conn *c = fake_live(loop, conn);
    return c ? c->out.len : 0;
}

static size_t nobody_reads(void *ctx, uint64_t conn, struct bytes in)
{
    (void)ctx;
    (void)conn;
    return in.len;
}

static const struct conn_handler nobody = {.on_bytes = nobody_reads};

static void call_close(struct loop *loop, uint64_t conn, enum close_reason reason, enum close_how how)
{
    struct fake_conn *c = fake_live(loop, conn);

    if (!c) return;
    if (!c->closing) c->reason = reason;
    if (how == CLOSE_ABANDON) c->handler = &nobody;
    c->closing = true;
    c->now = c->now || how != CLOSE_FLUSH;
}

static void call_pause(struct loop *loop, uint64_t conn)
{
    struct fake_conn *c = fake_live(loop, conn);
    if (c) c->paused = true;
}

static void call_resume(struct loop *loop, uint64_t conn)
{
    struct fake_conn *c = fake_live(loop, conn);
    if (!c) return;
    c->paused = false;
    c->again = c->kept.len > 0;
}

static void call_set_deadline(struct loop *loop, uint64_t conn, uint32_t in_ms)
{
    struct fake_conn *c = fake_live(loop, conn);
    if (c && !c->closing) c->deadline_ms = in_ms ? loop_now_ms(loop) + in_ms : 0;
}

static struct err call_add_hook(struct loop *loop, struct loop_hook hook)
{
    struct loop_fake *l = (struct loop_fake *)loop;

    for (int i = 0; i < LOOP_HOOK_MAX; i++) {
        if (l->hooks[i].fn) continue;
        l->hooks[i] = hook;
        return NO_ERR;
    }
    return ERR(FULL, "loop: too many hooks");
}

static void call_remove_hook(struct loop *loop, const void *ctx)
{
    struct loop_fake *l = (struct loop_fake *)loop;

    for (int i = 0; i < LOOP_HOOK_MAX; i++) {
        if (l->hooks[i].ctx == ctx) l->hooks[i] = (struct loop_hook){0};
    }
}

static void call_wake(struct loop *loop) { (void)loop; }

/* The handler sees a copy of just the right size, so that reading behind it is found by the sanitizer. */
static void fake_deliver(struct loop_fake *l, struct fake_conn *c)
{
    size_t len = c->kept.len;
    uint8_t *copy = malloc(len ? len : 1);

    must(copy);
    memcpy(copy, c->kept.at, len);
    size_t used = c->handler->on_bytes(c->handler->ctx, c->handle, bytes_of(copy, len));
    free(copy);
    must(used <= len);
    heap_cut(&c->kept, used);
    l->moved = true;
    if (!c->closing && c->kept.len > c->limits.kept_max && !c->paused) {
        c->closing = c->now = true;
        c->reason = CLOSE_OVERFLOW;
    }
}

static void fake_read(struct loop_fake *l, struct fake_conn *c)
{
    size_t n = c->inbox.len;

    if (c->refused && !c->closing) {
        c->closing = c->now = true;
        c->reason = CLOSE_CONNECT;
    }
    if (c->opening) {
        c->opening = false;
        l->moved = true;
        if (c->handler->on_open && !c->closing)
            c->handler->on_open(c->handler->ctx, c->handle, bytes_text("192.0.2.1:1234"));
    }
    if (c->closing || c->paused) return;
    if (n > c->limits.read_max) n = c->limits.read_max;
    if (l->read_max && n > l->read_max) n = l->read_max;
    if (n > LOOP_READ_MAX - c->kept.len) n = LOOP_READ_MAX - c->kept.len;
    if (n > 0) {
        heap_put(&c->kept, bytes_of(c->inbox.at, n));
        heap_cut(&c->inbox, n);
        l->loop.counters.bytes_in += n;
        if (c->limits.idle_ms) c->deadline_ms = loop_now_ms(&l->loop) + c->limits.idle_ms;
        fake_deliver(l, c);
    } else if (c->hung_up) {
        c->closing = true;
        c->reason = CLOSE_PEER;
    }
}

static void fake_write(struct loop_fake *l, struct fake_conn *c)
{
    struct fake_conn *other = c->other ? fake_live(&l->loop, c->other) : NULL;

    if (c->stalled || (c->closing && c->now)) return;
    if (c->out.len > 0) {
        l->moved = true;
        l->loop.counters.bytes_out += c->out.len;
        if (other) heap_put(&other->inbox, bytes_of(c->out.at, c->out.len));
        else heap_put(&c->received, bytes_of(c->out.at, c->out.len));
        c->out.len = 0;
    }
    if (!c->wants_writable || c->closing) return;
    c->wants_writable = false;
    if (c->handler->on_writable) c->handler->on_writable(c->handler->ctx, c->handle);
}

static void fake_finish(struct loop_fake *l, struct fake_conn *c)
{
    struct fake_conn *other = c->other ? fake_live(&l->loop, c->other) : NULL;

    if (!c->closing || (!c->now && c->out.len > 0)) return;
    l->moved = true;
    l->loop.counters.closed[c->reason]++;
    l->loop.counters.open--;
    if (other) {
        other->hung_up = true;
        other->other = 0;
    }
    if (c->handler->on_close) c->handler->on_close(c->handler->ctx, c->handle, c->reason);
    c->used = false;
}

static struct err call_turn(struct loop *loop, uint32_t timeout_ms)
{
    struct loop_fake *l = (struct loop_fake *)loop;

    (void)timeout_ms;
    loop->counters.turns++;
    for (int i = 0; i < FAKE_CONN_MAX; i++) {
        if (l->conns[i].used) fake_read(l, &l->conns[i]);
    }
    for (int i = 0; i < FAKE_CONN_MAX; i++) {
        struct fake_conn *c = &l->conns[i];
        if (!c->used || !c->deadline_ms || c->deadline_ms > loop_now_ms(loop)) continue;
        if (!c->closing) c->reason = CLOSE_TIMEOUT;
        c->closing = c->now = true;
    }
    for (int i = 0; i < LOOP_HOOK_MAX; i++) {
        if (l->hooks[i].fn) l->hooks[i].fn(l->hooks[i].ctx, loop_now_ms(loop));
    }
    for (int i = 0; i < FAKE_CONN_MAX; i++) {
        struct fake_conn *c = &l->conns[i];
        if (!c->used || !c->again || c->closing || c->paused) continue;
        c->again = false;
        fake_deliver(l, c);
    }
    for (int i = 0; i < FAKE_CONN_MAX; i++) {
        if (l->conns[i].used) fake_write(l, &l->conns[i]);
    }
    for (int i = 0; i < FAKE_CONN_MAX; i++) {
        if (l->conns[i].used) fake_finish(l, &l->conns[i]);
    }
    return NO_ERR;
}

static void call_destroy(struct loop *loop)
{
    struct loop_fake *l = (struct loop_fake *)loop;

    for (int i = 0; i < FAKE_CONN_MAX; i++) {
        heap_drop(&l->conns[i].inbox);
        heap_drop(&l->conns[i].kept);
        heap_drop(&l->conns[i].out);
        heap_drop(&l->conns[i].received);
    }
    free(l);
}

static const struct loop_calls fake_calls = {
    .listen = call_listen,
    .address = call_address,
    .unlisten = call_unlisten,
    .connect = call_connect,
    .write = call_write,
    .queued = call_queued,
    .close = call_close,
    .pause = call_pause,
    .resume = call_resume,
    .set_deadline = call_set_deadline,
    .add_hook = call_add_hook,
    .remove_hook = call_remove_hook,
    .wake = call_wake,
    .turn = call_turn,
    .destroy = call_destroy,
};
