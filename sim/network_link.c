/* SPDX-License-Identifier: Apache-2.0 */
/* network_link.c: one TCP connection as kernels and wires see it: chunks under way, ends, resets, and every
 * fault. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/must.h"
#include "sim/network_conn.h"

enum { PIECES_MAX = 4, PIECE_GAP_US = 20000 };

static void on_syn(struct network *n, struct net_link *k);
static void on_chunk(struct network *n, struct net_link *k, uint8_t side);
static void on_reset(struct network *n, struct net_link *k, uint8_t side);
static void end_ready(struct net_end *end, uint8_t what);
static void pipe_put(struct network *n, struct net_link *k, uint8_t side, struct bytes bytes, bool fin,
                     int64_t extra_us);
static void pipe_cut(struct network *n, struct net_pipe *p);
static void link_faults(struct network *n, struct net_link *k, uint8_t side, int64_t *extra_us);
static void link_free(struct network *n, struct net_link *k);

static uint32_t link_index(const struct network *n, const struct net_link *k)
{
    return (uint32_t)(k - n->links);
}
static uint8_t other(uint8_t side) { return side == CLIENT ? SERVER : CLIENT; }

static int64_t some_us(struct net_link *k, uint32_t most_us)
{
    return 1 + (int64_t)prng_below(&k->prng, most_us);
}

static int64_t latency_us(struct net_link *k, uint8_t side)
{
    const struct network_way *way = side == CLIENT ? &k->faults.up : &k->faults.down;
    return LATENCY_MIN_US + way->latency_us + (int64_t)prng_below(&k->prng, (uint64_t)way->jitter_us + 1);
}

uint32_t link_new(struct net_loop *client, uint16_t port, uint32_t slot)
{
    struct network *n = client->network;
    char text[128];
    struct buf b = buf_on(text, sizeof text);

    if (n->free_count == 0) {
        uint32_t cap = n->link_cap ? n->link_cap * 2 : 64;
        n->links = network_grow(n->links, cap * sizeof *n->links);
        n->free_links = network_grow(n->free_links, cap * sizeof *n->free_links);
        memset(n->links + n->link_cap, 0, (cap - n->link_cap) * sizeof *n->links);
        for (uint32_t i = cap; i > n->link_cap; i--) n->free_links[n->free_count++] = i - 1;
        n->link_cap = cap;
    }
    uint32_t index = n->free_links[--n->free_count];
    struct net_link *k = &n->links[index];
    client->links_made++;
    if (client->link_name.len) {
        buf_put_bytes(&b, text_bytes(&client->link_name));
    } else {
        buf_put_bytes(&b, text_bytes(&client->name));
        buf_put_char(&b, '/');
        buf_put_u64(&b, client->links_made);
    }
    client->link_name.len = 0;
    *k = (struct net_link){.serial = (uint32_t)++n->links_ever, .number = n->links_ever, .port = port,
                           .prng = prng_of(n->seed, buf_bytes(&b)), .faults = *network_rule(n, port)};
    if (k->serial == 0) k->serial = 1;
    k->client_port = 49152 + (uint32_t)(n->links_ever % 16384);
    k->ends[CLIENT] = (struct net_end){.loop = client, .slot = slot};
    k->ends[SERVER] = (struct net_end){.slot = NO_SLOT, .closed = true};
    n->link_count++;
    network_at(n, n->now_us + latency_us(k, CLIENT), ON_SYN, index, 0);
    return index;
}

void link_on_event(struct network *n, const struct net_event *event)
{
    if (event->kind == ON_DEADLINE) {
        struct net_loop *l = event->link < NETWORK_LOOP_MAX ? n->loops[event->link] : NULL;
        struct net_conn *c = l && l->serial == event->serial ? net_conn_of(l, event->arg) : NULL;
        if (!c) return;
        if (c->armed_ms * 1000 == event->at_us) c->armed_ms = 0;
        net_conn_ready(l, conn_slot(event->arg), READY_DUE);
        return;
    }
    struct net_link *k = &n->links[event->link];
    if (k->serial != event->serial) return;
    switch ((enum event_kind_of_network)event->kind) {
    case ON_CHUNK: on_chunk(n, k, event->side); break;
    case ON_SYN: on_syn(n, k); break;
    case ON_ANSWER: end_ready(&k->ends[CLIENT], READY_CONNECTED); break;
    case ON_REFUSAL: end_ready(&k->ends[CLIENT], READY_REFUSED); break;
    case ON_RESET: on_reset(n, k, event->side); break;
    case ON_SEVER:
        pipe_cut(n, &k->pipes[CLIENT]);
        pipe_cut(n, &k->pipes[SERVER]);
        on_reset(n, k, CLIENT);
        on_reset(n, k, SERVER);
        break;
    case ON_ROOM: end_ready(&k->ends[event->side], READY_ROOM); break;
    case ON_DEADLINE: break;
    }
}

uint32_t link_write(struct network *n, struct net_link *k, uint8_t side, struct bytes bytes)
{
    struct net_pipe *p = &k->pipes[side];
    struct network_way *way = side == CLIENT ? &k->faults.up : &k->faults.down;
    uint32_t room = NETWORK_WINDOW - p->under_way;
    int64_t extra_us = 0;

    if (bytes.len > room) bytes.len = room;
    if (bytes.len == 0) return 0;
    link_faults(n, k, side, &extra_us);
    struct bytes left = bytes, piece;
    for (int pieces = 1; pieces < PIECES_MAX && left.len > 1 && prng_chance(&k->prng, way->split_ppm);
         pieces++) {
        must(bytes_take(&left, 1 + (size_t)prng_below(&k->prng, left.len - 1), &piece).code == ERR_OK);
        pipe_put(n, k, side, piece, false, extra_us);
        extra_us += some_us(k, PIECE_GAP_US);
        n->faults[NETWORK_FAULT_SPLIT]++;
    }
    if (prng_chance(&k->prng, way->glue_ppm)) {
        extra_us += some_us(k, way->glue_us);
        n->faults[NETWORK_FAULT_GLUE]++;
    }
    pipe_put(n, k, side, left, false, extra_us);
    return (uint32_t)bytes.len;
}

uint32_t link_read(struct network *n, struct net_link *k, uint8_t side, uint8_t *to, uint32_t room)
{
    struct net_end *e = &k->ends[side];
    struct net_pipe *p = &k->pipes[other(side)];
    uint32_t len = e->in_len < room ? e->in_len : room;

    if (len == 0) return 0;
    bool was_full = p->under_way >= NETWORK_WINDOW;
    memcpy(to, e->in + e->in_head, len);
    e->in_head += len;
    e->in_len -= len;
    p->under_way -= len;
    if (e->in_len == 0) e->in_head = 0;
    if (was_full) network_at(n, n->now_us + latency_us(k, side), ON_ROOM, link_index(n, k), other(side));
    return len;
}

void link_shut(struct network *n, struct net_link *k, uint8_t side)
{
    if (k->pipes[side].fin_sent || k->ends[side].reset) return;
    k->pipes[side].fin_sent = true;
    pipe_put(n, k, side, bytes_of(NULL, 0), true, 0);
}

void link_close(struct network *n, struct net_link *k, uint8_t side)
{
    struct net_end *e = &k->ends[side];
    bool unread = e->in_len > 0;

    must(!e->closed);
    if (!e->reset && unread) {
        pipe_cut(n, &k->pipes[side]);
        if (!k->pipes[side].silent)
            network_at(n, n->now_us + latency_us(k, side), ON_RESET, link_index(n, k), other(side));
    } else {
        link_shut(n, k, side);
    }
    e->closed = true;
    e->loop = NULL;
    free(e->in);
    e->in = NULL;
    e->in_len = e->in_cap = 0;
    /* Until the connect has reached the far host there is no far end to wait for. */
    if (k->ends[other(side)].closed) link_free(n, k);
}

void link_kill(struct network *n, struct net_link *k, uint8_t side, uint32_t reset_us)
{
    uint32_t index = link_index(n, k);
    int64_t at_us = n->now_us + LATENCY_MIN_US;

    n->faults[NETWORK_FAULT_KILLED]++;
    if (prng_below(&k->prng, 2)) pipe_cut(n, &k->pipes[side]);
    else if (k->pipes[side].last_due_us > at_us) at_us = k->pipes[side].last_due_us;
    if (prng_below(&k->prng, 2)) at_us += some_us(k, reset_us);
    k->pipes[side].fin_sent = true;
    k->ends[side].reset = true;
    if (!k->pipes[side].silent) network_at(n, at_us, ON_RESET, index, other(side));
    link_close(n, k, side);
}

void link_break(struct network *n, struct net_link *k, enum network_fault fault)
{
    uint32_t index = link_index(n, k);

    if (k->doomed) return;
    switch ((int)fault) {
    case NETWORK_FAULT_RESET:
        network_at(n, n->now_us + latency_us(k, CLIENT), ON_SEVER, index, 0);
        break;
    case NETWORK_FAULT_SILENCE: {
        uint8_t side = (uint8_t)prng_below(&k->prng, 2);
        uint32_t most_us = side == CLIENT ? k->faults.up.silence_us : k->faults.down.silence_us;
        k->pipes[side].silent = true;
        network_at(n, n->now_us + some_us(k, most_us ? most_us : 60000000), ON_SEVER, index, 0);
        break;
    }
    case NETWORK_FAULT_HALF_OPEN:
    case NETWORK_FAULT_LATE: {
        uint32_t most_us = fault == NETWORK_FAULT_LATE ? k->faults.late_us : k->faults.half_open_us;
        int64_t end_us = n->now_us + some_us(k, most_us ? most_us : 60000000);
        k->pipes[SERVER].silent = true;
        network_at(n, n->now_us + latency_us(k, CLIENT), ON_RESET, index, CLIENT);
        if (fault == NETWORK_FAULT_LATE) k->pipes[CLIENT].stalled_until_us = end_us;
        network_at(n, end_us + some_us(k, 1000000), ON_RESET, index, SERVER);
        break;
    }
    default: return;
    }
    k->doomed = true;
    n->faults[fault]++;
}

/* What this write sets off, at most one thing that ends the link. */
static void link_faults(struct network *n, struct net_link *k, uint8_t side, int64_t *extra_us)
{
    const struct network_faults *f = &k->faults;
    const struct network_way *way = side == CLIENT ? &f->up : &f->down;

    if (prng_chance(&k->prng, f->reset_ppm)) link_break(n, k, NETWORK_FAULT_RESET);
    if (prng_chance(&k->prng, way->silence_ppm) && !k->doomed) {
        k->doomed = k->pipes[side].silent = true;
        n->faults[NETWORK_FAULT_SILENCE]++;
        network_at(n, n->now_us + some_us(k, way->silence_us), ON_SEVER, link_index(n, k), 0);
    }
    if (side == CLIENT && prng_chance(&k->prng, f->half_open_ppm)) link_break(n, k, NETWORK_FAULT_HALF_OPEN);
    if (side == CLIENT && prng_chance(&k->prng, f->late_ppm)) link_break(n, k, NETWORK_FAULT_LATE);
    if (prng_chance(&k->prng, way->stall_ppm)) {
        *extra_us += some_us(k, way->stall_us);
        n->faults[NETWORK_FAULT_STALL]++;
    }
}

static void on_syn(struct network *n, struct net_link *k)
{
    uint32_t index = link_index(n, k);
    uint8_t listener = 0;
    struct net_loop *l = network_listener_of(n, k->port, &listener);
    bool unlucky = prng_chance(&k->prng, k->faults.refuse_ppm);
    int64_t back_us = n->now_us + latency_us(k, SERVER);

    if (!l || unlucky) {
        n->faults[l ? NETWORK_FAULT_REFUSED : NETWORK_FAULT_DOWN]++;
        network_at(n, back_us, ON_REFUSAL, index, 0);
        return;
    }
    k->ends[SERVER] = (struct net_end){.loop = l, .slot = NO_SLOT};
    k->listener = listener;
    if (l->accepts.count == l->accepts_cap) {
        l->accepts_cap = l->accepts_cap ? l->accepts_cap * 2 : 64;
        l->accepts.at = network_grow(l->accepts.at, l->accepts_cap * sizeof *l->accepts.at);
    }
    l->accepts.at[l->accepts.count++] = index;
    network_at(n, back_us, ON_ANSWER, index, 0);
}

static void on_chunk(struct network *n, struct net_link *k, uint8_t side)
{
    struct net_pipe *p = &k->pipes[side];
    struct net_end *to = &k->ends[other(side)];
    bool refused = false;

    while (p->first && p->first->due_us <= n->now_us) {
        struct net_chunk *chunk = p->first;
        p->first = chunk->next;
        if (!p->first) p->last = NULL;
        if (to->closed || to->reset) {
            refused = refused || chunk->len > 0;
            p->under_way -= chunk->len;
        } else if (chunk->fin) {
            to->fin = true;
        } else {
            if (to->in_head + to->in_len + chunk->len > to->in_cap) {
                if (to->in_len) memmove(to->in, to->in + to->in_head, to->in_len);
                to->in_head = 0;
                if (to->in_len + chunk->len > to->in_cap) {
                    to->in_cap = to->in_len + chunk->len + 256;
                    to->in = network_grow(to->in, to->in_cap);
                }
            }
            memcpy(to->in + to->in_head + to->in_len, chunk->at, chunk->len);
            to->in_len += chunk->len;
        }
        n->hash = hash_mix(n->hash, hash_bytes((struct hash_key){(uint64_t)n->now_us, k->number * 2 + side},
                                               bytes_of(chunk->at, chunk->len)));
        free(chunk);
    }
    end_ready(to, READY_SOCKET);
    /* Nobody there any more: its kernel says so, unless the way back is dead. */
    if (refused && !k->pipes[other(side)].silent && !k->doomed)
        network_at(n, n->now_us + latency_us(k, other(side)), ON_RESET, link_index(n, k), side);
}

static void on_reset(struct network *n, struct net_link *k, uint8_t side)
{
    if (k->ends[side].closed || k->ends[side].reset) return;
    pipe_cut(n, &k->pipes[other(side)]);
    k->ends[side].reset = true;
    end_ready(&k->ends[side], READY_SOCKET);
}

static void end_ready(struct net_end *end, uint8_t what)
{
    if (end->loop && end->slot != NO_SLOT) net_conn_ready(end->loop, end->slot, what);
}

static void pipe_put(struct network *n, struct net_link *k, uint8_t side, struct bytes bytes, bool fin,
                     int64_t extra_us)
{
    struct net_pipe *p = &k->pipes[side];
    int64_t due_us = n->now_us + latency_us(k, side) + extra_us;

    p->under_way += (uint32_t)bytes.len;
    if (p->silent) return;
    if (due_us < p->last_due_us) due_us = p->last_due_us;
    if (due_us < p->stalled_until_us) due_us = p->stalled_until_us;
    p->last_due_us = due_us;
    struct net_chunk *chunk = network_grow(NULL, sizeof *chunk + bytes.len);
    chunk->next = NULL;
    chunk->due_us = due_us;
    chunk->len = (uint32_t)bytes.len;
    chunk->fin = fin;
    if (bytes.len) memcpy(chunk->at, bytes.at, bytes.len);
    if (p->last) p->last->next = chunk;
    else p->first = chunk;
    p->last = chunk;
    network_at(n, due_us, ON_CHUNK, link_index(n, k), side);
}

static void pipe_cut(struct network *n, struct net_pipe *p)
{
    bool lost = false;

    while (p->first) {
        struct net_chunk *chunk = p->first;
        p->first = chunk->next;
        p->under_way -= chunk->len;
        lost = lost || chunk->len > 0;
        free(chunk);
    }
    p->last = NULL;
    n->faults[NETWORK_FAULT_CUT] += lost;
}

static void link_free(struct network *n, struct net_link *k)
{
    pipe_cut(n, &k->pipes[CLIENT]);
    pipe_cut(n, &k->pipes[SERVER]);
    k->serial = 0;
    n->free_links[n->free_count++] = link_index(n, k);
    n->link_count--;
}
