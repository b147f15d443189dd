/* SPDX-License-Identifier: Apache-2.0 */
/* loop_epoll.c: the turn, the listeners and the making of the epoll loop; connections are in loop_conn.c.
 *
 * Level-triggered: a connection that has more than one read's worth is simply told again, so no connection
 * can hog a turn. io_uring was rejected: within a tenth of this, and often forbidden. */
#include "net/loop_epoll.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"
#include "net/loop_address.h"
#include "net/loop_inside.h"

enum { CONN_SLOTS_MAX = 1000000, BACKLOG = 4096 };
/* Connections have a generation in the upper half of epoll's data, these have 0. */
#define WAKE_DATA ((uint64_t)LOOP_LISTENER_MAX)
#define MEMORY_DEFAULT_MAX (256ull << 20)

static struct err call_listen(struct loop *loop, const struct loop_listener_config *config,
                              uint32_t *listener);
static struct err call_address(struct loop *loop, uint32_t listener, struct text64 *out);
static void call_unlisten(struct loop *loop, uint32_t listener);
static struct err call_add_hook(struct loop *loop, struct loop_hook hook);
static void call_remove_hook(struct loop *loop, const void *ctx);
static void call_wake(struct loop *loop);
static struct err call_turn(struct loop *loop, uint32_t timeout_ms);
static void call_destroy(struct loop *loop);
static struct err socket_listen(struct bytes address, int *fd);
static void listener_accept(struct loop_epoll *l, uint32_t index);
static void listener_open(struct loop_epoll *l, uint32_t index, int fd, const struct net_address *peer);
static bool listener_out_of_descriptors(struct loop_epoll *l, int fd);
static void listeners_watch(struct loop_epoll *l, bool watch);
static int turn_timeout_ms(const struct loop_epoll *l, uint32_t timeout_ms);
static int turn_rest(struct loop_epoll *l, int timeout_ms, struct epoll_event *event);
static void turn_events(struct loop_epoll *l, const struct epoll_event *events, int count);
static void turn_after(struct loop_epoll *l);
static uint32_t list_take(struct slot_list *list, uint32_t done);
static int64_t clock_us(void);

static const struct loop_calls epoll_calls = {
    .listen = call_listen, .address = call_address, .unlisten = call_unlisten, .connect = conn_call_connect,
    .write = conn_call_write, .queued = conn_call_queued, .close = conn_call_close, .pause = conn_call_pause,
    .resume = conn_call_resume, .set_deadline = conn_call_set_deadline, .add_hook = call_add_hook,
    .remove_hook = call_remove_hook, .wake = call_wake, .turn = call_turn, .destroy = call_destroy,
};

struct err loop_epoll_create(const struct loop_config *config, struct loop **out)
{
    struct loop_epoll *l;
    uint32_t count = config->conn_max;

    if (count == 0 || count > CONN_SLOTS_MAX) return ERR(INVALID, "loop: conn_max is not 1 to 1,000,000");
    l = calloc(1, sizeof *l);
    if (!l) return ERR(IO, "loop: no memory");
    l->loop.calls = &epoll_calls;
    l->loop.now_us = clock_us();
    l->config = *config;
    if (!l->config.memory_max) l->config.memory_max = MEMORY_DEFAULT_MAX;
    l->hook_due_ms = LOOP_NEVER;
    for (int i = 0; i < LOOP_LISTENER_MAX; i++) l->listeners[i].fd = -1;
    l->conns = calloc(count, sizeof *l->conns);
    l->nodes = calloc(count, sizeof *l->nodes);
    l->free_slots = calloc(count, sizeof *l->free_slots);
    /* Twice: what is handled stays in its list while callbacks add to it. */
    l->dirty.at = calloc(2 * (size_t)count, sizeof *l->dirty.at);
    l->again.at = calloc(2 * (size_t)count, sizeof *l->again.at);
    l->ended.at = calloc(2 * (size_t)count, sizeof *l->ended.at);
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = WAKE_DATA};
    if (!l->conns || !l->nodes || !l->free_slots || !l->dirty.at || !l->again.at || !l->ended.at ||
        l->epoll_fd < 0 || l->wake_fd < 0 || l->spare_fd < 0 ||
        epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->wake_fd, &event) != 0) {
        call_destroy(&l->loop);
        return ERR(IO, "loop: no memory or no descriptors");
    }
    wheel_init(&l->wheel, l->nodes, count, loop_now_ms(&l->loop));
    while (l->free_count < count) {
        l->free_slots[l->free_count] = count - 1 - l->free_count;
        l->free_count++;
    }
    *out = &l->loop;
    return NO_ERR;
}

static struct err call_listen(struct loop *loop, const struct loop_listener_config *config,
                              uint32_t *listener)
{
    struct loop_epoll *l = (struct loop_epoll *)loop;
    uint32_t index = 0;

    must(config->handler && config->handler->on_bytes);
    while (index < LOOP_LISTENER_MAX && (l->listeners[index].fd >= 0 || l->listeners[index].open > 0))
        index++;
    if (index == LOOP_LISTENER_MAX) return ERR(FULL, "listen: too many listeners");
    struct listener *at = &l->listeners[index];
    int fd;
    TRY(socket_listen(config->address, &fd));
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = index};
    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        close(fd);
        return ERR(IO, "listen: epoll refused");
    }
    *at = (struct listener){.config = *config, .fd = fd};
    at->config.address = bytes_of(NULL, 0); /* the text was borrowed for this call */
    *listener = index;
    return NO_ERR;
}

static struct err call_address(struct loop *loop, uint32_t listener, struct text64 *out)
{
    struct loop_epoll *l = (struct loop_epoll *)loop;
    struct net_address address = {.len = sizeof address.at};
    char text[64];
    struct buf b = buf_on(text, sizeof text);

    if (listener >= LOOP_LISTENER_MAX || l->listeners[listener].fd < 0)
        return ERR(NOT_FOUND, "address: no such listener");
    if (getsockname(l->listeners[listener].fd, (struct sockaddr *)&address.at, &address.len) != 0)
        return ERR(IO, "address: the system does not say");
    address_put(&b, &address);
    return text_set(out, buf_bytes(&b));
}

static void call_unlisten(struct loop *loop, uint32_t listener)
{
    struct loop_epoll *l = (struct loop_epoll *)loop;

    if (listener >= LOOP_LISTENER_MAX || l->listeners[listener].fd < 0) return;
    close(l->listeners[listener].fd);
    l->listeners[listener].fd = -1;
}

static struct err call_add_hook(struct loop *loop, struct loop_hook hook)
{
    struct loop_epoll *l = (struct loop_epoll *)loop;

    for (int i = 0; i < LOOP_HOOK_MAX; i++) {
        if (l->hooks[i].fn) continue;
        l->hooks[i] = hook;
        l->hook_due_ms = 0;
        return NO_ERR;
    }
    return ERR(FULL, "loop: too many hooks");
}

static void call_remove_hook(struct loop *loop, const void *ctx)
{
    struct loop_epoll *l = (struct loop_epoll *)loop;

    for (int i = 0; i < LOOP_HOOK_MAX; i++) {
        if (l->hooks[i].ctx == ctx) l->hooks[i] = (struct loop_hook){0};
    }
}

static void call_wake(struct loop *loop)
{
    struct loop_epoll *l = (struct loop_epoll *)loop;
    uint64_t one = 1;

    /* One write until the loop has seen it. Both sides exchange, so what a waker stored before is seen. */
    if (atomic_exchange(&l->waking, 1u)) return;
    while (write(l->wake_fd, &one, sizeof one) < 0 && errno == EINTR) { }
}

static struct err call_turn(struct loop *loop, uint32_t timeout_ms)
{
    struct loop_epoll *l = (struct loop_epoll *)loop;
    struct epoll_event events[EVENTS_MAX];
    uint32_t slot;

    must(!l->in_turn);
    l->in_turn = true;
    int wait_ms = turn_timeout_ms(l, timeout_ms);
    int count = loop->rest_ms ? turn_rest(l, wait_ms, events) : epoll_wait(l->epoll_fd, events, EVENTS_MAX, wait_ms);
    bool broken = count < 0 && errno != EINTR;
    l->loop.now_us = clock_us();
    l->loop.counters.turns++;
    turn_events(l, events, count);
    int64_t now_ms = loop_now_ms(loop);
    if (l->accept_again_ms && l->accept_again_ms <= now_ms) listeners_watch(l, true);
    while (wheel_next(&l->wheel, now_ms, &slot)) conn_on_due(l, slot, now_ms);

    l->hook_due_ms = LOOP_NEVER;
    for (int i = 0; i < LOOP_HOOK_MAX; i++) {
        if (!l->hooks[i].fn) continue;
        int64_t due_ms = l->hooks[i].fn(l->hooks[i].ctx, now_ms);
        if (due_ms < l->hook_due_ms) l->hook_due_ms = due_ms;
    }
    turn_after(l);
    l->in_turn = false;
    return broken ? ERR(IO, "loop: epoll_wait failed") : NO_ERR;
}

static void call_destroy(struct loop *loop)
{
    struct loop_epoll *l = (struct loop_epoll *)loop;

    must(!l->in_turn);
    for (uint32_t i = 0; i < LOOP_LISTENER_MAX; i++) call_unlisten(loop, i);
    for (uint32_t i = 0; l->conns && i < l->config.conn_max; i++) {
        if (l->conns[i].state == CONN_FREE) continue;
        conn_drop_memory(l, &l->conns[i]);
        close(l->conns[i].fd);
    }
    if (l->epoll_fd >= 0) close(l->epoll_fd);
    if (l->wake_fd >= 0) close(l->wake_fd);
    if (l->spare_fd >= 0) close(l->spare_fd);
    free(l->conns);
    free(l->nodes);
    free(l->free_slots);
    free(l->dirty.at);
    free(l->again.at);
    free(l->ended.at);
    free(l);
}

/* Accepted sockets take these options over from the listening one, so an accept costs no further calls. */
static struct err socket_listen(struct bytes address, int *fd)
{
    struct net_address at;
    int one = 1, idle_s = 60, interval_s = 20, probes = 3, user_timeout_ms = 60000;

    TRY(address_parse(address, &at));
    *fd = socket(at.at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0) return ERR(IO, "listen: no socket");
    setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(*fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    setsockopt(*fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(*fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(*fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    setsockopt(*fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout_ms, sizeof user_timeout_ms);
    if (bind(*fd, (struct sockaddr *)&at.at, at.len) != 0 || listen(*fd, BACKLOG) != 0) {
        int error = errno;
        close(*fd);
        return error == EADDRINUSE ? ERR(IO, "listen: the address is in use")
                                   : ERR(IO, "listen: the address cannot be had");
    }
    return NO_ERR;
}

static void listener_accept(struct loop_epoll *l, uint32_t index)
{
    /* A listener closed by a callback earlier in this turn may still have an event in the batch. */
    for (int i = 0; i < ACCEPTS_MAX && l->listeners[index].fd >= 0; i++) {
        struct net_address peer = {.len = sizeof peer.at};
        int listening = l->listeners[index].fd;
        int fd = accept4(listening, (struct sockaddr *)&peer.at, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            listener_open(l, index, fd, &peer);
        } else if (errno == EMFILE || errno == ENFILE) {
            if (!listener_out_of_descriptors(l, listening)) return;
        } else if (errno == ENOBUFS || errno == ENOMEM) {
            listeners_watch(l, false);
            return;
        } else if (errno == EAGAIN || errno == EBADF || errno == EINVAL) {
            return;
        }
        /* Anything else is an error of that one connection. */
    }
}

static void listener_open(struct loop_epoll *l, uint32_t index, int fd, const struct net_address *peer)
{
    struct listener *at = &l->listeners[index];
    char text[64];
    struct buf b = buf_on(text, sizeof text);
    struct conn *c = NULL;

    if (at->open < at->config.conn_max)
        c = conn_new(l, fd, (uint8_t)index, at->config.handler, &at->config.limits, CONN_OPEN);
    if (!c) {
        l->loop.counters.refused_limit++;
        close(fd);
        return;
    }
    at->open++;
    l->loop.counters.accepted++;
    address_put(&b, peer);
    if (c->handler->on_open) c->handler->on_open(c->handler->ctx, conn_handle(l, c), buf_bytes(&b));
}

/* Accepts with the spare descriptor and hangs up at once, so the peer knows and the loop does not spin. */
static bool listener_out_of_descriptors(struct loop_epoll *l, int fd)
{
    if (l->spare_fd >= 0) {
        close(l->spare_fd);
        int refused = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        /* Without a descriptor accept says EMFILE also when nobody waits: only who came counts. */
        if (refused >= 0) {
            l->loop.counters.refused_descriptors++;
            close(refused);
        }
        l->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (refused >= 0 && l->spare_fd >= 0) return true;
    }
    listeners_watch(l, false);
    return false;
}

static void listeners_watch(struct loop_epoll *l, bool watch)
{
    l->accept_again_ms = watch ? 0 : loop_now_ms(&l->loop) + ACCEPT_PAUSE_MS;
    if (!watch) l->loop.counters.accept_pauses++;
    if (watch && l->spare_fd < 0) l->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (uint32_t i = 0; i < LOOP_LISTENER_MAX; i++) {
        struct epoll_event event = {.events = watch ? EPOLLIN : 0, .data.u64 = i};
        if (l->listeners[i].fd >= 0) epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, l->listeners[i].fd, &event);
    }
}

static int turn_timeout_ms(const struct loop_epoll *l, uint32_t timeout_ms)
{
    int64_t wait_ms = timeout_ms, due_ms = wheel_due_ms(&l->wheel), now_ms = clock_us() / 1000;

    if (l->dirty.count || l->again.count || l->ended.count) return 0;
    if (l->hook_due_ms < due_ms) due_ms = l->hook_due_ms;
    if (l->accept_again_ms && l->accept_again_ms < due_ms) due_ms = l->accept_again_ms;
    if (due_ms <= now_ms) return 0;
    if (due_ms - now_ms < wait_ms) wait_ms = due_ms - now_ms;
    return wait_ms > INT32_MAX ? INT32_MAX : (int)wait_ms;
}

/* Hears nothing but being woken. */
static int turn_rest(struct loop_epoll *l, int timeout_ms, struct epoll_event *event)
{
    struct pollfd wake = {.fd = l->wake_fd, .events = POLLIN};
    int rest_ms = (int)l->loop.rest_ms;

    l->loop.rest_ms = 0;
    *event = (struct epoll_event){.events = EPOLLIN, .data.u64 = WAKE_DATA};
    return poll(&wake, 1, timeout_ms < rest_ms ? timeout_ms : rest_ms);
}

static void turn_events(struct loop_epoll *l, const struct epoll_event *events, int count)
{
    uint64_t seen;

    for (int i = 0; i < count; i++) {
        uint64_t data = events[i].data.u64;
        if (data < LOOP_LISTENER_MAX) {
            listener_accept(l, (uint32_t)data);
        } else if (data == WAKE_DATA) {
            while (read(l->wake_fd, &seen, sizeof seen) < 0 && errno == EINTR) { }
            atomic_exchange(&l->waking, 0u);
        } else {
            struct conn *c = conn_of(l, data);
            if (c) conn_on_event(l, c, events[i].events);
        }
    }
}

/* Each list is taken as it stands; what callbacks add is for the next turn, which then does not wait. */
static void turn_after(struct loop_epoll *l)
{
    uint32_t count = l->again.count;
    for (uint32_t i = 0; i < count; i++) {
        struct conn *c = &l->conns[l->again.at[i]];
        c->again = false;
        conn_redeliver(l, c);
    }
    l->again.count = list_take(&l->again, count);

    count = l->dirty.count;
    for (uint32_t i = 0; i < count; i++) {
        struct conn *c = &l->conns[l->dirty.at[i]];
        c->dirty = false;
        conn_flush(l, c);
    }
    l->dirty.count = list_take(&l->dirty, count);

    count = l->ended.count;
    for (uint32_t i = 0; i < count; i++) conn_finish(l, &l->conns[l->ended.at[i]]);
    l->ended.count = list_take(&l->ended, count);
}

/* Moves what came behind the first `done` to the front; returns how many those are. */
static uint32_t list_take(struct slot_list *list, uint32_t done)
{
    uint32_t left = list->count - done;

    for (uint32_t i = 0; i < left; i++) list->at[i] = list->at[done + i];
    return left;
}

static int64_t clock_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}
