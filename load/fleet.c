/* SPDX-License-Identifier: Apache-2.0 */
/* fleet.c: see fleet.h. Due times are never stored: message k of connection c is number k * connections + place(c) of
 * the fleet, so its time is a formula, and what an answer took is known from counting. */
#include "load/fleet.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"
#include "net/loop_address.h"

enum {
    EVENTS_MAX = 512, READ_MAX = 65536, KEPT_MAX = 512, BURST_MAX = 32,
    CONNECTING_MAX = 512,        /* at once: below any listener's backlog */
    SLACK_US = 200,              /* what is due within that is sent together; its time runs from when it was due */
    PROGRESS_US = 2000000,
    PAYLOAD_MAX = WIRE_SAY_MAX,
};

enum conn_state { CONN_NONE, CONN_CONNECTING, CONN_GREETING, CONN_OPEN, CONN_GONE };

struct fleet_conn {
    int fd;
    uint8_t state;
    bool blocked;
    uint16_t kept_len;
    uint32_t sent, acked, pending_len;
    struct wire_vehicle vehicle;
    uint8_t *pending;            /* what the socket did not take; heap, rare */
    uint8_t *kept;               /* the begin of an answer; heap, rare */
};

struct fleet {
    struct fleet_options options;
    struct net_address to;
    struct fleet_conn *conns;
    int64_t *sent_us;            /* closed loop: in_flight of each connection */
    int epoll_fd;
    uint32_t next_connect, connecting;
    uint64_t cursor;             /* open loop: next message of the fleet to look at */
    int64_t now_us, begin_us, measure_us, end_us; /* monotonic; 0 before they are known */
    int64_t wall_ms, wall_us;    /* the wall clock, and when it was read */
    bool sending;
    struct fleet_result *result;
    uint8_t read_buffer[READ_MAX];
};

static int64_t clock_us(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t cpu_us(void)
{
    return clock_us(CLOCK_PROCESS_CPUTIME_ID);
}

/* Processor time of another process so far; 0 when there is none to see. Linux keeps a clock for each. */
static int64_t server_cpu_us(const struct fleet *f)
{
    clockid_t clock;
    if (!f->options.server_pid || clock_getcpuclockid(f->options.server_pid, &clock) != 0) return 0;
    return clock_us(clock);
}

static int64_t wall_ms(const struct fleet *f)
{
    return f->wall_ms + (f->now_us - f->wall_us) / 1000;
}

static void first_wrong(struct fleet *f, const char *why)
{
    if (!f->result->why) f->result->why = why;
}

/* ---- due times ---- */

static bool open_loop(const struct fleet *f) { return f->options.rate != 0; }

/* When the fleet's message number i is due. */
static int64_t due_us(const struct fleet *f, uint64_t i)
{
    uint64_t rate = f->options.rate;
    return f->begin_us + (int64_t)(i / rate * 1000000 + i % rate * 1000000 / rate);
}

/* Due by now, and within the run. */
static bool is_due(const struct fleet *f, uint64_t i)
{
    int64_t at_us = due_us(f, i);
    return at_us <= f->now_us && at_us < f->end_us;
}

static uint64_t number_of(const struct fleet *f, const struct fleet_conn *c, uint32_t k)
{
    return (uint64_t)k * f->options.connections + (uint64_t)(c - f->conns);
}

static int64_t *sent_at(const struct fleet *f, const struct fleet_conn *c, uint32_t k)
{
    return &f->sent_us[(uint64_t)(c - f->conns) * f->options.in_flight + k % f->options.in_flight];
}

/* ---- connections ---- */

static void conn_gone(struct fleet *f, struct fleet_conn *c, uint32_t *counter, const char *why)
{
    if (c->state == CONN_CONNECTING || c->state == CONN_GREETING) f->connecting--;
    close(c->fd); /* epoll forgets it */
    c->fd = -1;
    c->state = CONN_GONE;
    (*counter)++;
    first_wrong(f, why);
}

static void conn_watch(struct fleet *f, struct fleet_conn *c, int op, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u32 = (uint32_t)(c - f->conns)};
    must(epoll_ctl(f->epoll_fd, op, c->fd, &event) == 0);
}

static void conn_write(struct fleet *f, struct fleet_conn *c, struct bytes out)
{
    ssize_t done = c->blocked ? 0 : send(c->fd, out.at, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (done < 0 && errno != EAGAIN && errno != EINTR) {
        conn_gone(f, c, &f->result->lost, "a connection broke while it was written to");
        return;
    }
    if (done < 0) done = 0;
    size_t left = out.len - (size_t)done;
    if (!left) return;
    uint8_t *pending = realloc(c->pending, c->pending_len + left);
    must(pending); /* bounded by in_flight messages */
    memcpy(pending + c->pending_len, out.at + done, left);
    c->pending = pending;
    c->pending_len += (uint32_t)left;
    if (!c->blocked) conn_watch(f, c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    c->blocked = true;
}

static void conn_unblocked(struct fleet *f, struct fleet_conn *c)
{
    struct bytes all = bytes_of(c->pending, c->pending_len);
    c->blocked = false;
    c->pending = NULL;
    c->pending_len = 0;
    conn_watch(f, c, EPOLL_CTL_MOD, EPOLLIN);
    conn_write(f, c, all);
    free((void *)all.at);
}

/* Everything that is due and has room to be in flight, in one write. */
static void conn_fill(struct fleet *f, struct fleet_conn *c)
{
    uint8_t room[BURST_MAX * PAYLOAD_MAX];
    struct buf out = buf_on(room, sizeof room);
    if (c->state != CONN_OPEN || !f->sending) return;
    while (c->sent - c->acked < f->options.in_flight && out.cap - out.len >= PAYLOAD_MAX) {
        if (open_loop(f) && !is_due(f, number_of(f, c, c->sent))) break;
        if (!open_loop(f)) *sent_at(f, c, c->sent) = f->now_us;
        f->options.dialect->say(&c->vehicle, c->sent++, wall_ms(f), &out);
        f->result->sent++;
    }
    if (out.len) conn_write(f, c, buf_bytes(&out));
}

static void conn_answered(struct fleet *f, struct fleet_conn *c, uint32_t acks)
{
    struct fleet_result *r = f->result;
    for (; acks; acks--, c->acked++) {
        int64_t from_us = open_loop(f) ? due_us(f, number_of(f, c, c->acked)) : *sent_at(f, c, c->acked);
        r->acked++;
        if (f->now_us >= f->measure_us && f->now_us < f->end_us) r->measured_acked++;
        /* By when it was due: what was due in the measured part and is answered late counts with all of its time. */
        if (from_us >= f->measure_us && from_us < f->end_us) spread_add(&r->latency, f->now_us - from_us);
    }
}

static void conn_heard(struct fleet *f, struct fleet_conn *c, const struct wire_heard *heard)
{
    struct fleet_result *r = f->result;
    r->others += heard->others;
    if (heard->wrong) {
        conn_gone(f, c, &r->wrong, heard->wrong);
        return;
    }
    uint32_t acks = heard->acks;
    if (c->state == CONN_GREETING && acks) {
        c->state = CONN_OPEN;
        f->connecting--;
        r->connected++;
        acks--;
    }
    if (acks > c->sent - c->acked) {
        conn_gone(f, c, &r->wrong, "more acknowledgements than messages");
        return;
    }
    conn_answered(f, c, acks);
    conn_fill(f, c);
}

static void conn_read(struct fleet *f, struct fleet_conn *c)
{
    size_t kept = c->kept_len;
    if (kept) memcpy(f->read_buffer, c->kept, kept);
    ssize_t got = recv(c->fd, f->read_buffer + kept, READ_MAX - kept, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        conn_gone(f, c, &f->result->lost, got ? "a connection broke" : "the server hung up");
        return;
    }
    struct bytes in = bytes_of(f->read_buffer, kept + (size_t)got);
    uint32_t n = c->state == CONN_GREETING ? UINT32_MAX : c->acked;
    struct wire_heard heard = f->options.dialect->hear(&c->vehicle, n, in);
    size_t left = in.len - heard.used;
    c->kept_len = 0;
    if (left > KEPT_MAX && !heard.wrong) heard.wrong = "an answer without an end";
    if (left && !heard.wrong) {
        if (!c->kept) must(c->kept = malloc(KEPT_MAX));
        memcpy(c->kept, in.at + heard.used, left);
        c->kept_len = (uint16_t)left;
    }
    conn_heard(f, c, &heard);
}

static void conn_connected(struct fleet *f, struct fleet_conn *c)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error) {
        conn_gone(f, c, &f->result->refused, "a connection was refused");
        return;
    }
    conn_watch(f, c, EPOLL_CTL_MOD, EPOLLIN);
    if (!f->options.dialect->hello) {
        c->state = CONN_OPEN;
        f->connecting--;
        f->result->connected++;
        return;
    }
    uint8_t room[PAYLOAD_MAX];
    struct buf out = buf_on(room, sizeof room);
    c->state = CONN_GREETING;
    f->options.dialect->hello(&c->vehicle, &out);
    conn_write(f, c, buf_bytes(&out));
}

static void conn_begin(struct fleet *f, struct fleet_conn *c)
{
    int one = 1;
    c->fd = socket(f->to.at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    c->state = CONN_CONNECTING;
    f->connecting++;
    if (c->fd < 0) {
        conn_gone(f, c, &f->result->refused, "no descriptor is left: raise `ulimit -n`");
        return;
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(c->fd, (struct sockaddr *)&f->to.at, f->to.len) != 0 && errno != EINPROGRESS) {
        conn_gone(f, c, &f->result->refused, "a connection was refused");
        return;
    }
    conn_watch(f, c, EPOLL_CTL_ADD, EPOLLOUT);
}

static void conn_event(struct fleet *f, struct fleet_conn *c, uint32_t events)
{
    if (c->state == CONN_CONNECTING) {
        conn_connected(f, c);
        return;
    }
    if (events & EPOLLOUT && c->blocked) conn_unblocked(f, c);
    if (c->state != CONN_GONE && events & (EPOLLIN | EPOLLERR | EPOLLHUP)) conn_read(f, c);
}

/* ---- the run ---- */

static void turn(struct fleet *f, int64_t wait_us)
{
    struct epoll_event events[EVENTS_MAX];
    struct timespec limit = {.tv_sec = wait_us / 1000000, .tv_nsec = wait_us % 1000000 * 1000};
    int count = epoll_pwait2(f->epoll_fd, events, EVENTS_MAX, &limit, NULL);
    f->now_us = clock_us(CLOCK_MONOTONIC);
    for (int i = 0; i < count; i++) conn_event(f, &f->conns[events[i].data.u32], events[i].events);
}

static bool stopped(const struct fleet *f)
{
    return f->options.stop && *f->options.stop;
}

static void connect_all(struct fleet *f)
{
    int64_t began_us = f->now_us, end_us = began_us + FLEET_CONNECT_MS * 1000ll;
    while ((f->next_connect < f->options.connections || f->connecting) && f->now_us < end_us && !stopped(f)) {
        int64_t allowed = (f->now_us - began_us) * FLEET_CONNECT_PER_S / 1000000 + 64;
        while (f->next_connect < f->options.connections && f->next_connect < allowed && f->connecting < CONNECTING_MAX) {
            conn_begin(f, &f->conns[f->next_connect++]);
        }
        turn(f, 2000);
    }
    for (uint32_t i = 0; i < f->next_connect; i++) {
        uint8_t state = f->conns[i].state;
        if (state != CONN_CONNECTING && state != CONN_GREETING) continue;
        conn_gone(f, &f->conns[i], &f->result->refused, "a connection took too long");
    }
    f->result->connect_us = f->now_us - began_us;
}

/* Open loop: looks at every connection that has become due. One that has too much in flight goes on when it is answered. */
static int64_t send_due(struct fleet *f)
{
    for (; is_due(f, f->cursor); f->cursor++) conn_fill(f, &f->conns[f->cursor % f->options.connections]);
    int64_t wait_us = due_us(f, f->cursor) - f->now_us;
    return wait_us < SLACK_US ? SLACK_US : wait_us;
}

static void tell(struct fleet *f, const char *phase, uint64_t *seen, int64_t *at_us)
{
    const struct fleet_options *o = &f->options;
    double s = (double)(f->now_us - *at_us) / 1e6;
    if (o->progress) o->progress(o->ctx, phase, f->result->acked, s > 0 ? (double)(f->result->acked - *seen) / s : 0);
    *seen = f->result->acked;
    *at_us = f->now_us;
}

static void send_all(struct fleet *f)
{
    const struct fleet_options *o = &f->options;
    struct fleet_result *r = f->result;
    uint64_t seen = 0;
    f->begin_us = f->now_us = clock_us(CLOCK_MONOTONIC);
    f->measure_us = f->begin_us + o->warmup_ms * 1000;
    f->end_us = f->measure_us + o->for_ms * 1000;
    f->sending = true;
    int64_t told_us = f->begin_us, cpu_began_us = -1, server_began_us = 0, wait_us = 10000;
    if (!open_loop(f)) {
        for (uint32_t i = 0; i < o->connections; i++) conn_fill(f, &f->conns[i]);
    }
    while (f->now_us < f->end_us && !stopped(f) && r->lost + r->wrong < r->connected) {
        if (open_loop(f)) wait_us = send_due(f);
        turn(f, wait_us < 10000 ? wait_us : 10000);
        if (cpu_began_us < 0 && f->now_us >= f->measure_us) {
            cpu_began_us = cpu_us();
            server_began_us = server_cpu_us(f);
        }
        if (f->now_us - told_us < PROGRESS_US) continue;
        tell(f, f->now_us < f->measure_us ? "warming up" : "measuring", &seen, &told_us);
    }
    if (open_loop(f) && !stopped(f)) (void)send_due(f); /* what became due during the last turn */
    f->sending = false;
    if (cpu_began_us >= 0) {
        r->cpu_us = cpu_us() - cpu_began_us;
        r->server_cpu_us = server_cpu_us(f) - server_began_us;
    }
    if (f->now_us < f->end_us) f->end_us = f->now_us; /* stopped early: the measured part is what there was */
    r->measured_us = f->end_us > f->measure_us ? f->end_us - f->measure_us : 0;
}

static void drain(struct fleet *f)
{
    struct fleet_result *r = f->result;
    int64_t until_us = f->now_us + FLEET_DRAIN_MS * 1000ll;
    for (;;) {
        uint64_t waiting = 0;
        for (uint32_t i = 0; i < f->options.connections; i++) {
            const struct fleet_conn *c = &f->conns[i];
            if (c->state == CONN_OPEN) waiting += c->sent - c->acked;
        }
        if (!waiting || f->now_us >= until_us) break;
        turn(f, 5000);
    }
    r->unanswered = r->sent - r->acked;
    if (!open_loop(f)) return;
    uint64_t run_us = f->end_us > f->begin_us ? (uint64_t)(f->end_us - f->begin_us) : 0;
    uint64_t due = (run_us * f->options.rate + 999999) / 1000000; /* number 0 is due at once */
    r->behind = due > r->sent ? due - r->sent : 0;
}

struct err fleet_run(struct fleet *f, struct fleet_result *out)
{
    *out = (struct fleet_result){0};
    f->result = out;
    f->now_us = clock_us(CLOCK_MONOTONIC);
    f->wall_us = f->now_us;
    f->wall_ms = clock_us(CLOCK_REALTIME) / 1000;
    if (f->options.progress) f->options.progress(f->options.ctx, "connecting", 0, 0);
    connect_all(f);
    if (!out->connected) return ERR(IO, "nobody could connect");
    send_all(f);
    drain(f);
    return NO_ERR;
}

struct err fleet_create(const struct fleet_options *options, struct fleet **out)
{
    *out = NULL;
    must(options->connections && options->connections <= FLEET_CONNECTIONS_MAX);
    must(options->in_flight && options->in_flight <= FLEET_IN_FLIGHT_MAX);
    struct fleet *f = calloc(1, sizeof *f);
    if (!f) return ERR(FULL, "no memory");
    f->options = *options;
    f->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    f->conns = calloc(options->connections, sizeof *f->conns);
    f->sent_us = calloc((size_t)options->connections * options->in_flight, sizeof *f->sent_us);
    struct err e = address_parse(options->address, &f->to);
    if (!e.code && (!f->conns || !f->sent_us || f->epoll_fd < 0)) e = ERR(FULL, "no memory or descriptors");
    if (e.code) {
        fleet_destroy(f);
        return e;
    }
    for (uint32_t i = 0; i < options->connections; i++) {
        f->conns[i].fd = -1;
        f->conns[i].vehicle = wire_vehicle(options->first + i);
    }
    *out = f;
    return NO_ERR;
}

uint32_t fleet_sent(const struct fleet *f, uint32_t i) { return f->conns[i].sent; }
uint32_t fleet_acked(const struct fleet *f, uint32_t i) { return f->conns[i].acked; }

void fleet_destroy(struct fleet *f)
{
    if (!f) return;
    for (uint32_t i = 0; f->conns && i < f->options.connections; i++) {
        if (f->conns[i].fd >= 0) close(f->conns[i].fd);
        free(f->conns[i].pending);
        free(f->conns[i].kept);
    }
    if (f->epoll_fd >= 0) close(f->epoll_fd);
    free(f->conns);
    free(f->sent_us);
    free(f);
}
