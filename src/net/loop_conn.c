/* SPDX-License-Identifier: Apache-2.0 */
/* loop_conn.c: one connection of the epoll loop: its states, its bytes in and out. Called from turns only. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"
#include "net/loop_address.h"
#include "net/loop_inside.h"

static void conn_connected(struct loop_epoll *l, struct conn *c);
static void conn_read(struct loop_epoll *l, struct conn *c);
static void conn_deliver(struct loop_epoll *l, struct conn *c, size_t len);
static bool kept_store(struct loop_epoll *l, struct conn *c, struct bytes left);
static void kept_drop(struct loop_epoll *l, struct conn *c);
static void out_drop(struct loop_epoll *l, struct conn *c);
static void conn_written(struct loop_epoll *l, struct conn *c);

struct conn_limits conn_limits_filled(const struct conn_limits *limits)
{
    struct conn_limits filled = limits ? *limits : (struct conn_limits){0};

    if (!filled.kept_max) filled.kept_max = KEPT_DEFAULT_MAX;
    if (!filled.read_max) filled.read_max = READ_DEFAULT_MAX;
    if (!filled.out_max) filled.out_max = OUT_DEFAULT_MAX;
    if (!filled.out_low) filled.out_low = filled.out_max / 2;
    if (!filled.stall_ms) filled.stall_ms = STALL_DEFAULT_MS;
    if (!filled.linger_ms) filled.linger_ms = LINGER_DEFAULT_MS;
    if (filled.kept_max > LOOP_READ_MAX) filled.kept_max = LOOP_READ_MAX;
    if (filled.read_max > LOOP_READ_MAX) filled.read_max = LOOP_READ_MAX;
    return filled;
}

uint64_t conn_handle(const struct loop_epoll *l, const struct conn *c)
{
    return (uint64_t)c->generation << 32 | (uint64_t)(c - l->conns);
}

struct conn *conn_of(struct loop_epoll *l, uint64_t handle)
{
    uint32_t slot = conn_slot(handle);

    if (slot >= l->config.conn_max) return NULL;
    struct conn *c = &l->conns[slot];
    return c->state != CONN_FREE && c->generation == handle >> 32 ? c : NULL;
}

struct conn *conn_new(struct loop_epoll *l, int fd, uint8_t listener, const struct conn_handler *handler,
                      const struct conn_limits *limits, enum conn_state state)
{
    if (l->free_count == 0) return NULL;
    uint32_t slot = l->free_slots[l->free_count - 1];
    struct conn *c = &l->conns[slot];
    uint32_t generation = c->generation + 1;

    /* 0 names listeners in epoll's data, see loop_epoll.c. */
    if (generation == 0) generation = 1;
    *c = (struct conn){.handler = handler,
                       .limits = conn_limits_filled(limits),
                       .generation = generation,
                       .fd = fd,
                       .state = (uint8_t)state,
                       .listener = listener,
                       .dirty = c->dirty,
                       .again = c->again}; /* the slot may still be in those lists */
    c->events = state == CONN_CONNECTING ? EPOLLOUT : EPOLLIN;
    struct epoll_event event = {.events = c->events, .data.u64 = conn_handle(l, c)};
    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        c->state = CONN_FREE;
        return NULL;
    }
    l->free_count--;
    l->loop.counters.open++;
    if (c->limits.idle_ms) {
        c->deadline_ms = loop_now_ms(&l->loop) + c->limits.idle_ms;
        wheel_set(&l->wheel, slot, c->deadline_ms);
    }
    return c;
}

void conn_on_event(struct loop_epoll *l, struct conn *c, uint32_t events)
{
    if (c->state == CONN_CONNECTING) {
        conn_connected(l, c);
        return;
    }
    if (events & EPOLLOUT) {
        c->blocked = false;
        conn_flush(l, c);
    }
    if (c->state == CONN_ENDED || (c->state == CONN_FLUSHING && events & EPOLLIN)) return;
    if (events & EPOLLIN && c->events & EPOLLIN) {
        conn_read(l, c);
    } else if (events & (EPOLLERR | EPOLLHUP)) {
        /* We are not reading, so nothing else will find out; level-triggered, it would be told for ever. */
        conn_end(l, c, CLOSE_RESET, CLOSE_NOW);
    }
}

void conn_on_due(struct loop_epoll *l, uint32_t slot, int64_t now_ms)
{
    struct conn *c = &l->conns[slot];

    if (c->state == CONN_FREE || c->state == CONN_ENDED) return;
    if (c->deadline_ms && c->deadline_ms <= now_ms) {
        conn_end(l, c, c->state == CONN_CONNECTING ? CLOSE_CONNECT : CLOSE_TIMEOUT, CLOSE_NOW);
        return;
    }
    if (c->stall_at_ms && c->stall_at_ms <= now_ms) {
        conn_end(l, c, CLOSE_STALLED, CLOSE_NOW);
        return;
    }
    if (c->deadline_ms) wheel_set(&l->wheel, slot, c->deadline_ms);
    if (c->stall_at_ms) wheel_set(&l->wheel, slot, c->stall_at_ms);
}

void conn_redeliver(struct loop_epoll *l, struct conn *c)
{
    if (c->state != CONN_OPEN || c->paused || c->kept_len == 0) return;
    memcpy(l->read_buffer, c->kept, c->kept_len);
    conn_deliver(l, c, c->kept_len);
}

/* One write for whatever has been queued; FLUSHING goes on to LINGERING or ENDED when nothing is left. */
void conn_flush(struct loop_epoll *l, struct conn *c)
{
    struct loop_counters *n = &l->loop.counters;

    if (c->state == CONN_FREE || c->state == CONN_CONNECTING || c->state == CONN_ENDED || c->blocked) return;
    if (c->out_len > 0) {
        ssize_t done = send(c->fd, c->out + c->out_head, c->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (done < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS && errno != ENOMEM) {
            conn_end(l, c, CLOSE_RESET, CLOSE_NOW);
            return;
        }
        n->writes++;
        if (done > 0) {
            n->bytes_out += (uint64_t)done;
            c->out_head += (uint32_t)done;
            c->out_len -= (uint32_t)done;
            c->stall_at_ms = 0;
        }
        c->blocked = c->out_len > 0;
        if (c->out_len == 0) out_drop(l, c);
        if (c->blocked) {
            n->short_writes++;
            if (!c->stall_at_ms) {
                c->stall_at_ms = loop_now_ms(&l->loop) + c->limits.stall_ms;
                wheel_set(&l->wheel, (uint32_t)(c - l->conns), c->stall_at_ms);
            }
        }
    }
    conn_written(l, c);
    conn_update(l, c);
}

void conn_finish(struct loop_epoll *l, struct conn *c)
{
    uint32_t slot = (uint32_t)(c - l->conns);

    must(c->state == CONN_ENDED);
    conn_drop_memory(l, c);
    close(c->fd);
    c->fd = -1;
    wheel_clear(&l->wheel, slot);
    l->loop.counters.closed[c->reason]++;
    l->loop.counters.open--;
    if (c->listener < LOOP_LISTENER_MAX) l->listeners[c->listener].open--;
    if (c->handler->on_close)
        c->handler->on_close(c->handler->ctx, conn_handle(l, c), (enum close_reason)c->reason);
    c->state = CONN_FREE;
    l->free_slots[l->free_count++] = slot;
}

void conn_drop_memory(struct loop_epoll *l, struct conn *c)
{
    kept_drop(l, c);
    out_drop(l, c);
}

/* Tells epoll what we want to hear, when that changed. */
void conn_update(struct loop_epoll *l, struct conn *c)
{
    uint32_t events = 0;

    if (c->state == CONN_FREE || c->state == CONN_ENDED || c->state == CONN_CONNECTING) return;
    if (!c->eof && (c->state == CONN_LINGERING || (c->state == CONN_OPEN && !c->paused))) events |= EPOLLIN;
    if (c->blocked) events |= EPOLLOUT;
    if (events == c->events) return;
    struct epoll_event event = {.events = events, .data.u64 = conn_handle(l, c)};
    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, c->fd, &event) != 0) {
        conn_end(l, c, CLOSE_RESET, CLOSE_NOW);
        return;
    }
    c->events = events;
}

static void conn_connected(struct loop_epoll *l, struct conn *c)
{
    struct net_address peer = {.len = sizeof peer.at};
    int error = 0;
    socklen_t len = sizeof error;
    char text[64];
    struct buf b = buf_on(text, sizeof text);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0 ||
        getpeername(c->fd, (struct sockaddr *)&peer.at, &peer.len) != 0) {
        conn_end(l, c, CLOSE_CONNECT, CLOSE_NOW);
        return;
    }
    c->state = CONN_OPEN;
    if (c->connect_deadline) { /* the owner's own holds on */
        c->deadline_ms = c->limits.idle_ms ? loop_now_ms(&l->loop) + c->limits.idle_ms : 0;
        if (c->deadline_ms) wheel_set(&l->wheel, (uint32_t)(c - l->conns), c->deadline_ms);
        c->connect_deadline = false;
    }
    l->loop.counters.connected++;
    conn_update(l, c);
    address_put(&b, &peer);
    if (c->handler->on_open) c->handler->on_open(c->handler->ctx, conn_handle(l, c), buf_bytes(&b));
    conn_flush(l, c);
}

static void conn_read(struct loop_epoll *l, struct conn *c)
{
    struct loop_counters *n = &l->loop.counters;
    bool lingering = c->state == CONN_LINGERING;
    size_t kept = lingering ? 0 : c->kept_len;
    size_t room = LOOP_READ_MAX - kept;

    if (room > c->limits.read_max) room = c->limits.read_max;
    if (room == 0) {
        conn_end(l, c, CLOSE_OVERFLOW, CLOSE_NOW);
        return;
    }
    ssize_t got = recv(c->fd, l->read_buffer + kept, room, MSG_DONTWAIT);
    if (got < 0) {
        if (errno != EAGAIN && errno != EINTR) conn_end(l, c, CLOSE_RESET, CLOSE_NOW);
        return;
    }
    if (got == 0) {
        c->eof = true;
        conn_end(l, c, CLOSE_PEER, lingering ? CLOSE_NOW : CLOSE_FLUSH);
        conn_update(l, c);
        return;
    }
    n->reads++;
    n->bytes_in += (uint64_t)got;
    if (lingering) return;
    if (c->limits.idle_ms) c->deadline_ms = loop_now_ms(&l->loop) + c->limits.idle_ms;
    if (kept) memcpy(l->read_buffer, c->kept, kept);
    conn_deliver(l, c, kept + (size_t)got);
}

/* Shows the first `len` bytes of the shared buffer to the owner and keeps what it leaves. */
static void conn_deliver(struct loop_epoll *l, struct conn *c, size_t len)
{
    size_t used = c->handler->on_bytes(c->handler->ctx, conn_handle(l, c), bytes_of(l->read_buffer, len));

    must(used <= len);
    if (c->state != CONN_OPEN) {
        kept_drop(l, c);
        return;
    }
    /* A paused one may keep the last read too: pausing is our doing, not the peer's fault. */
    if (len - used > c->limits.kept_max && !c->paused) {
        conn_end(l, c, CLOSE_OVERFLOW, CLOSE_NOW);
        return;
    }
    if (!kept_store(l, c, bytes_of(l->read_buffer + used, len - used)))
        conn_end(l, c, CLOSE_OVERFLOW, CLOSE_NOW);
}

static bool kept_store(struct loop_epoll *l, struct conn *c, struct bytes left)
{
    if (left.len == 0) {
        kept_drop(l, c);
        return true;
    }
    if (left.len > c->kept_cap) {
        uint32_t cap = (uint32_t)(left.len + 63) & ~63u;
        if (cap < c->kept_cap * 2) cap = c->kept_cap * 2; /* a slow sender must not cost a copy per byte */
        uint64_t total = l->loop.counters.memory_bytes + cap - c->kept_cap;
        uint8_t *kept = total <= l->config.memory_max ? malloc(cap) : NULL;
        if (!kept) {
            l->loop.counters.memory_full++;
            return false;
        }
        free(c->kept);
        c->kept = kept;
        c->kept_cap = cap;
        l->loop.counters.memory_bytes = total;
        if (total > l->loop.counters.memory_peak_bytes) l->loop.counters.memory_peak_bytes = total;
    }
    memcpy(c->kept, left.at, left.len);
    c->kept_len = (uint32_t)left.len;
    return true;
}

static void kept_drop(struct loop_epoll *l, struct conn *c)
{
    free(c->kept);
    l->loop.counters.memory_bytes -= c->kept_cap;
    c->kept = NULL;
    c->kept_len = c->kept_cap = 0;
}

static void out_drop(struct loop_epoll *l, struct conn *c)
{
    free(c->out);
    l->loop.counters.memory_bytes -= c->out_cap;
    c->out = NULL;
    c->out_head = c->out_len = c->out_cap = 0;
}

/* After a write: the owner may go on, or the connection may. */
static void conn_written(struct loop_epoll *l, struct conn *c)
{
    if (c->state == CONN_OPEN && c->wants_writable && c->out_len <= c->limits.out_low) {
        c->wants_writable = false;
        if (c->handler->on_writable) c->handler->on_writable(c->handler->ctx, conn_handle(l, c));
    }
    if (c->state != CONN_FLUSHING || c->out_len > 0) return;
    if (c->eof || shutdown(c->fd, SHUT_WR) != 0) {
        conn_end(l, c, (enum close_reason)c->reason, CLOSE_NOW);
        return;
    }
    c->state = CONN_LINGERING;
}
