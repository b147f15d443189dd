/* SPDX-License-Identifier: Apache-2.0 */
/* network_loop.c: struct loop on the fake network: its calls and its turn, in the order of
 * net/loop_epoll.c. */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "net/loop_address.h"
#include "sim/network_conn.h"

enum { CONNECT_GIVES_UP_MS = 10000 };
#define MEMORY_MAX (256ull << 20)

static struct err port_of(struct bytes address, uint16_t *port);
static void loop_accept(struct net_loop *l, uint32_t link);
static void turn_ready(struct net_loop *l);
static void turn_after(struct net_loop *l);
static uint32_t list_take(struct net_slots *list, uint32_t done);
static void loop_free(struct net_loop *l);

struct loop *network_loop_create(struct network *n, const char *name, const struct loop_config *config)
{
    struct net_loop *l = network_grow(NULL, sizeof *l);
    uint32_t index = 0, count = config->conn_max;

    memset(l, 0, sizeof *l);
    while (index < NETWORK_LOOP_MAX && n->loops[index]) index++;
    must(index < NETWORK_LOOP_MAX && count > 0);
    l->loop.calls = &net_loop_calls;
    l->loop.now_us = n->now_us;
    l->network = n;
    l->config = *config;
    if (!l->config.memory_max) l->config.memory_max = MEMORY_MAX;
    l->index = index;
    l->serial = (uint32_t)++n->loops_ever;
    l->hook_due_us = LOOP_NEVER;
    text_clip(&l->name, bytes_text(name));
    l->conns = calloc(count, sizeof *l->conns);
    l->free_slots = calloc(count, sizeof *l->free_slots);
    /* Twice: what is handled stays in its list while callbacks add to it. */
    l->ready.at = calloc(2 * (size_t)count, sizeof *l->ready.at);
    l->dirty.at = calloc(2 * (size_t)count, sizeof *l->dirty.at);
    l->again.at = calloc(2 * (size_t)count, sizeof *l->again.at);
    l->ended.at = calloc(2 * (size_t)count, sizeof *l->ended.at);
    l->read_buffer = malloc(LOOP_READ_MAX);
    must(l->conns && l->free_slots && l->ready.at && l->dirty.at && l->again.at && l->ended.at &&
         l->read_buffer);
    while (l->free_count < count) {
        l->free_slots[l->free_count] = count - 1 - l->free_count;
        l->free_count++;
    }
    n->loops[index] = l;
    return &l->loop;
}

void network_kill(struct loop *loop, uint32_t reset_us)
{
    struct net_loop *l = (struct net_loop *)loop;
    struct network *n = l->network;

    must(!l->in_turn);
    for (uint32_t i = 0; i < n->link_cap; i++) {
        for (uint8_t side = CLIENT; side <= SERVER; side++) {
            if (n->links[i].serial && n->links[i].ends[side].loop == l)
                link_kill(n, &n->links[i], side, reset_us);
        }
    }
    loop_free(l);
}

void network_name_link(struct loop *client, struct bytes name)
{
    text_clip(&((struct net_loop *)client)->link_name,
              bytes_of(name.at, name.len < RULE_NAME_MAX ? name.len : RULE_NAME_MAX));
}

void network_break(struct loop *loop, enum network_fault fault)
{
    struct net_loop *l = (struct net_loop *)loop;
    struct network *n = l->network;

    for (uint32_t i = 0; i < n->link_cap; i++) {
        struct net_link *k = &n->links[i];
        if (k->serial && (k->ends[CLIENT].loop == l || k->ends[SERVER].loop == l)) link_break(n, k, fault);
    }
}

static struct err call_listen(struct loop *loop, const struct loop_listener_config *config,
                              uint32_t *listener)
{
    struct net_loop *l = (struct net_loop *)loop;
    struct network *n = l->network;
    uint32_t index = 0;
    uint16_t port;
    uint8_t taken;

    must(config->handler && config->handler->on_bytes);
    while (index < LOOP_LISTENER_MAX && (l->listeners[index].listening || l->listeners[index].open > 0))
        index++;
    if (index == LOOP_LISTENER_MAX) return ERR(FULL, "listen: too many listeners");
    TRY(port_of(config->address, &port));
    while (!port) {
        uint16_t next = (uint16_t)n->next_port++;
        if (!network_listener_of(n, next, &taken)) port = next;
    }
    if (network_listener_of(n, port, &taken)) return ERR(IO, "listen: the address is in use");
    l->listeners[index] = (struct net_listener){.config = *config, .port = port, .listening = true};
    l->listeners[index].config.address = bytes_of(NULL, 0); /* the text was borrowed for this call */
    *listener = index;
    return NO_ERR;
}

static struct err call_address(struct loop *loop, uint32_t listener, struct text64 *out)
{
    struct net_loop *l = (struct net_loop *)loop;
    char text[32];
    struct buf b = buf_on(text, sizeof text);

    if (listener >= LOOP_LISTENER_MAX || !l->listeners[listener].listening)
        return ERR(NOT_FOUND, "address: no such listener");
    buf_put_text(&b, "127.0.0.1:");
    buf_put_u64(&b, l->listeners[listener].port);
    return text_set(out, buf_bytes(&b));
}

static void call_unlisten(struct loop *loop, uint32_t listener)
{
    if (listener < LOOP_LISTENER_MAX) ((struct net_loop *)loop)->listeners[listener].listening = false;
}

static struct err call_connect(struct loop *loop, struct bytes address, const struct conn_limits *limits,
                               const struct conn_handler *handler, uint64_t *conn)
{
    struct net_loop *l = (struct net_loop *)loop;
    uint16_t port;

    must(handler && handler->on_bytes);
    TRY(port_of(address, &port));
    struct net_conn *c = net_conn_new(l, 0, CLIENT, handler, limits, NET_CONNECTING);
    if (!c) return ERR(FULL, "connect: conn_max is reached");
    *conn = net_conn_handle(l, c);
    c->link = link_new(l, port, conn_slot(*conn));
    c->deadline_ms = loop_now_ms(loop) + CONNECT_GIVES_UP_MS;
    net_conn_arm(l, c);
    return NO_ERR;
}

static struct err call_write(struct loop *loop, uint64_t conn, struct bytes bytes)
{
    struct net_loop *l = (struct net_loop *)loop;
    struct net_conn *c = net_conn_of(l, conn);

    if (!c) return ERR(NOT_FOUND, "write: the connection is gone");
    if (c->state != NET_OPEN && c->state != NET_CONNECTING)
        return ERR(STATE, "write: the connection is closing");
    if (bytes.len == 0) return NO_ERR;
    if (bytes.len > c->limits.out_max - c->out_len) {
        loop->counters.out_full++;
        c->wants_writable = true;
        return ERR(FULL, "write: the peer reads too slowly");
    }
    if (!net_conn_reserve_out(l, c, bytes.len)) return ERR(FULL, "write: memory_max of the loop is reached");
    memcpy(c->out + c->out_head + c->out_len, bytes.at, bytes.len);
    c->out_len += (uint32_t)bytes.len;
    if (c->out_len > c->limits.out_low) c->wants_writable = true;
    if (!c->blocked) net_mark(&l->dirty, &c->dirty, conn_slot(conn));
    return NO_ERR;
}

static size_t call_queued(struct loop *loop, uint64_t conn)
{
    struct net_conn *c = net_conn_of((struct net_loop *)loop, conn);
    return c ? c->out_len : 0;
}

static void call_close(struct loop *loop, uint64_t conn, enum close_reason reason, enum close_how how)
{
    struct net_loop *l = (struct net_loop *)loop;
    struct net_conn *c = net_conn_of(l, conn);

    if (c && how == CLOSE_ABANDON) net_conn_abandon(l, c);
    else if (c) net_conn_end(l, c, reason, how);
}

static void call_pause(struct loop *loop, uint64_t conn)
{
    struct net_conn *c = net_conn_of((struct net_loop *)loop, conn);

    if (!c || c->paused) return;
    c->paused = true;
    loop->counters.paused++;
}

static void call_resume(struct loop *loop, uint64_t conn)
{
    struct net_loop *l = (struct net_loop *)loop;
    struct net_conn *c = net_conn_of(l, conn);

    if (!c) return;
    c->paused = false;
    net_conn_ready(l, conn_slot(conn), READY_SOCKET);
    if (c->kept_len > 0) net_mark(&l->again, &c->again, conn_slot(conn));
}

static void call_set_deadline(struct loop *loop, uint64_t conn, uint32_t in_ms)
{
    struct net_conn *c = net_conn_of((struct net_loop *)loop, conn);

    if (!c || (c->state != NET_OPEN && c->state != NET_CONNECTING)) return;
    c->deadline_ms = in_ms ? loop_now_ms(loop) + in_ms : 0;
    c->own_deadline = in_ms != 0;
    net_conn_arm((struct net_loop *)loop, c);
}

static struct err call_add_hook(struct loop *loop, struct loop_hook hook)
{
    struct net_loop *l = (struct net_loop *)loop;

    for (int i = 0; i < LOOP_HOOK_MAX; i++) {
        if (l->hooks[i].fn) continue;
        l->hooks[i] = hook;
        l->hook_due_us = 0;
        return NO_ERR;
    }
    return ERR(FULL, "loop: too many hooks");
}

static void call_remove_hook(struct loop *loop, const void *ctx)
{
    struct net_loop *l = (struct net_loop *)loop;

    for (int i = 0; i < LOOP_HOOK_MAX; i++) {
        if (l->hooks[i].ctx == ctx) l->hooks[i] = (struct loop_hook){0};
    }
}

static void call_wake(struct loop *loop) { ((struct net_loop *)loop)->woken = true; }

static struct err call_turn(struct loop *loop, uint32_t timeout_ms)
{
    struct net_loop *l = (struct net_loop *)loop;
    struct network *n = l->network;

    (void)timeout_ms;
    must(!l->in_turn);
    l->in_turn = true;
    l->woken = false;
    loop->now_us = n->now_us;
    loop->counters.turns++;
    uint32_t accepts = l->accepts.count;
    for (uint32_t i = 0; i < accepts; i++) loop_accept(l, l->accepts.at[i]);
    l->accepts.count = list_take(&l->accepts, accepts);
    turn_ready(l);

    l->hook_due_us = LOOP_NEVER;
    for (int i = 0; i < LOOP_HOOK_MAX; i++) {
        if (!l->hooks[i].fn) continue;
        int64_t due_ms = l->hooks[i].fn(l->hooks[i].ctx, loop_now_ms(loop));
        if (due_ms >= LOOP_NEVER / 1000) continue;
        /* A hook that is always due must not stop the clock. */
        int64_t due_us = due_ms * 1000 > n->now_us ? due_ms * 1000 : n->now_us + 1000;
        if (due_us < l->hook_due_us) l->hook_due_us = due_us;
    }
    turn_after(l);
    l->in_turn = false;
    return NO_ERR;
}

static void call_destroy(struct loop *loop)
{
    struct net_loop *l = (struct net_loop *)loop;
    struct network *n = l->network;

    must(!l->in_turn);
    for (uint32_t i = 0; i < n->link_cap; i++) {
        for (uint8_t side = CLIENT; side <= SERVER; side++) {
            if (n->links[i].serial && n->links[i].ends[side].loop == l) link_close(n, &n->links[i], side);
        }
    }
    loop_free(l);
}

const struct loop_calls net_loop_calls = {
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

/* Hosts are not told apart: the port says who listens. */
static struct err port_of(struct bytes address, uint16_t *port)
{
    struct net_address at;
    size_t colon = address.len;
    uint64_t number;

    TRY(address_parse(address, &at));
    while (colon > 0 && address.at[colon - 1] != ':') colon--;
    TRY(bytes_u64(bytes_of(address.at + colon, address.len - colon), 5, &number));
    *port = (uint16_t)number;
    return NO_ERR;
}

static void loop_accept(struct net_loop *l, uint32_t link)
{
    struct network *n = l->network;
    struct net_link *k = &n->links[link];
    struct net_end *e = &k->ends[SERVER];
    char text[64];
    struct buf b = buf_on(text, sizeof text);

    if (!k->serial || e->loop != l || e->slot != NO_SLOT) return;
    struct net_listener *at = &l->listeners[k->listener];
    struct net_conn *c = NULL;
    if (at->open < at->config.conn_max)
        c = net_conn_new(l, link, SERVER, at->config.handler, &at->config.limits, NET_OPEN);
    if (!c) {
        l->loop.counters.refused_limit++;
        link_close(n, k, SERVER);
        return;
    }
    c->listener = k->listener;
    at->open++;
    l->loop.counters.accepted++;
    e->slot = (uint32_t)(c - l->conns);
    buf_put_text(&b, "192.0.2.1:");
    buf_put_u64(&b, k->client_port);
    if (c->handler->on_open) c->handler->on_open(c->handler->ctx, net_conn_handle(l, c), buf_bytes(&b));
    if (e->in_len || e->fin || e->reset) net_conn_ready(l, e->slot, READY_SOCKET);
}

/* Bytes first, deadlines after them, as in a turn of epoll. */
static void turn_ready(struct net_loop *l)
{
    uint32_t count = l->ready.count;

    for (uint32_t i = 0; i < count; i++) {
        struct net_conn *c = &l->conns[l->ready.at[i]];
        uint8_t what = c->ready;
        c->ready = 0;
        c->listed = false;
        c->due = what & READY_DUE;
        if (what != READY_DUE) net_conn_on_ready(l, c, what);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct net_conn *c = &l->conns[l->ready.at[i]];
        if (c->due) net_conn_on_due(l, c);
        c->due = false;
    }
    l->ready.count = list_take(&l->ready, count);
}

static void turn_after(struct net_loop *l)
{
    uint32_t count = l->again.count;
    for (uint32_t i = 0; i < count; i++) {
        struct net_conn *c = &l->conns[l->again.at[i]];
        c->again = false;
        net_conn_redeliver(l, c);
    }
    l->again.count = list_take(&l->again, count);

    count = l->dirty.count;
    for (uint32_t i = 0; i < count; i++) {
        struct net_conn *c = &l->conns[l->dirty.at[i]];
        c->dirty = false;
        net_conn_flush(l, c);
    }
    l->dirty.count = list_take(&l->dirty, count);

    count = l->ended.count;
    for (uint32_t i = 0; i < count; i++) net_conn_finish(l, &l->conns[l->ended.at[i]]);
    l->ended.count = list_take(&l->ended, count);
}

static uint32_t list_take(struct net_slots *list, uint32_t done)
{
    uint32_t left = list->count - done;

    for (uint32_t i = 0; i < left; i++) list->at[i] = list->at[done + i];
    return left;
}

static void loop_free(struct net_loop *l)
{
    for (uint32_t i = 0; i < l->config.conn_max; i++) {
        if (l->conns[i].state != NET_FREE) net_conn_drop_memory(l, &l->conns[i]);
    }
    l->network->loops[l->index] = NULL;
    free(l->conns);
    free(l->free_slots);
    free(l->ready.at);
    free(l->dirty.at);
    free(l->again.at);
    free(l->ended.at);
    free(l->accepts.at);
    free(l->read_buffer);
    free(l);
}
