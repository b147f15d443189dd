/* SPDX-License-Identifier: Apache-2.0 */
/* loop_conn_calls.c: what owners do to one connection of the epoll loop. Nothing here calls back. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "net/loop_address.h"
#include "net/loop_inside.h"

static size_t nobody_reads(void *ctx, uint64_t conn, struct bytes in);
static struct err out_reserve(struct loop_epoll *l, struct conn *c, size_t more);
static void mark(struct slot_list *list, bool *flag, uint32_t slot);

static const struct conn_handler nobody = {.on_bytes = nobody_reads};

struct err conn_call_write(struct loop *loop, uint64_t handle, struct bytes bytes)
{
    struct loop_epoll *l = (struct loop_epoll *)loop;
    struct conn *c = conn_of(l, handle);

    if (!c) return ERR(NOT_FOUND, "write: the connection is gone");
    if (c->state != CONN_OPEN && c->state != CONN_CONNECTING)
        return ERR(STATE, "write: the connection is closing");
    if (bytes.len == 0) return NO_ERR;
    if (bytes.len > c->limits.out_max - c->out_len) {
        l->loop.counters.out_full++;
        c->wants_writable = true;
        return ERR(FULL, "write: the peer reads too slowly");
    }
    TRY(out_reserve(l, c, bytes.len));
    memcpy(c->out + c->out_head + c->out_len, bytes.at, bytes.len);
    c->out_len += (uint32_t)bytes.len;
    if (c->out_len > c->limits.out_low) c->wants_writable = true;
    if (!c->blocked) mark(&l->dirty, &c->dirty, conn_slot(handle));
    return NO_ERR;
}

size_t conn_call_queued(struct loop *loop, uint64_t handle)
{
    struct conn *c = conn_of((struct loop_epoll *)loop, handle);
    return c ? c->out_len : 0;
}

void conn_call_close(struct loop *loop, uint64_t handle, enum close_reason reason, enum close_how how)
{
    struct loop_epoll *l = (struct loop_epoll *)loop;
    struct conn *c = conn_of(l, handle);

    if (!c) return;
    if (how == CLOSE_ABANDON) {
        c->handler = &nobody;
        how = CLOSE_NOW;
    }
    conn_end(l, c, reason, how);
}

void conn_call_pause(struct loop *loop, uint64_t handle)
{
    struct loop_epoll *l = (struct loop_epoll *)loop;
    struct conn *c = conn_of(l, handle);

    if (!c || c->paused) return;
    c->paused = true;
    l->loop.counters.paused++;
    conn_update(l, c);
}

void conn_call_resume(struct loop *loop, uint64_t handle)
{
    struct loop_epoll *l = (struct loop_epoll *)loop;
    struct conn *c = conn_of(l, handle);

    if (!c) return;
    c->paused = false;
    conn_update(l, c);
    if (c->kept_len > 0) mark(&l->again, &c->again, conn_slot(handle));
}

void conn_call_set_deadline(struct loop *loop, uint64_t handle, uint32_t in_ms)
{
    struct loop_epoll *l = (struct loop_epoll *)loop;
    struct conn *c = conn_of(l, handle);

    if (!c || (c->state != CONN_OPEN && c->state != CONN_CONNECTING)) return;
    c->deadline_ms = in_ms ? loop_now_ms(loop) + in_ms : 0;
    c->connect_deadline = false;
    if (in_ms) wheel_set(&l->wheel, conn_slot(handle), c->deadline_ms);
}

struct err conn_call_connect(struct loop *loop, struct bytes address, const struct conn_limits *limits,
                             const struct conn_handler *handler, uint64_t *conn)
{
    struct loop_epoll *l = (struct loop_epoll *)loop;
    struct net_address to;
    int one = 1;

    must(handler && handler->on_bytes);
    TRY(address_parse(address, &to));
    int fd = socket(to.at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return ERR(IO, "connect: the system has no socket left");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&to.at, to.len) != 0 && errno != EINPROGRESS) {
        close(fd);
        return ERR(IO, "connect: refused at once");
    }
    struct conn *c = conn_new(l, fd, LOOP_LISTENER_MAX, handler, limits, CONN_CONNECTING);
    if (!c) {
        close(fd);
        return ERR(FULL, "connect: conn_max is reached");
    }
    *conn = conn_handle(l, c);
    conn_call_set_deadline(loop, *conn, CONNECT_MS);
    c->connect_deadline = true;
    return NO_ERR;
}

void conn_end(struct loop_epoll *l, struct conn *c, enum close_reason reason, enum close_how how)
{
    uint32_t slot = (uint32_t)(c - l->conns);
    bool connecting = c->state == CONN_CONNECTING;

    if (c->state == CONN_ENDED) return;
    if (c->state == CONN_OPEN || connecting) c->reason = (uint8_t)reason;
    if (how == CLOSE_NOW || connecting || (c->eof && c->out_len == 0)) {
        c->state = CONN_ENDED;
        l->ended.at[l->ended.count++] = slot;
        return;
    }
    if (c->state != CONN_OPEN) return;
    c->state = CONN_FLUSHING;
    c->deadline_ms = loop_now_ms(&l->loop) + c->limits.linger_ms;
    wheel_set(&l->wheel, slot, c->deadline_ms);
    if (!c->blocked) mark(&l->dirty, &c->dirty, slot);
}

static size_t nobody_reads(void *ctx, uint64_t conn, struct bytes in)
{
    (void)ctx;
    (void)conn;
    return in.len;
}

/* Room behind the queued bytes, by moving them to the front or into a larger piece. */
static struct err out_reserve(struct loop_epoll *l, struct conn *c, size_t more)
{
    size_t need = c->out_len + more, cap = c->out_cap ? c->out_cap : OUT_SIZE_MIN;

    if (c->out && c->out_head + need <= c->out_cap) return NO_ERR;
    while (cap < need) cap *= 2;
    if (cap > c->out_cap) {
        uint64_t total = l->loop.counters.memory_bytes + cap - c->out_cap;
        uint8_t *out = total <= l->config.memory_max ? malloc(cap) : NULL;
        if (!out) {
            l->loop.counters.memory_full++;
            return ERR(FULL, "write: memory_max of the loop is reached");
        }
        if (c->out_len) memcpy(out, c->out + c->out_head, c->out_len);
        free(c->out);
        c->out = out;
        c->out_cap = (uint32_t)cap;
        l->loop.counters.memory_bytes = total;
        if (total > l->loop.counters.memory_peak_bytes) l->loop.counters.memory_peak_bytes = total;
    } else {
        memmove(c->out, c->out + c->out_head, c->out_len);
    }
    c->out_head = 0;
    return NO_ERR;
}

static void mark(struct slot_list *list, bool *flag, uint32_t slot)
{
    if (*flag) return;
    *flag = true;
    list->at[list->count++] = slot;
}
