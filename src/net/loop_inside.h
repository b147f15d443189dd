/* SPDX-License-Identifier: Apache-2.0 */
/* loop_inside.h: what the files of the epoll loop share. Nobody else includes this.
 *
 *     FREE ─► CONNECTING ─► OPEN ─► FLUSHING ─► LINGERING ─► ENDED ─► FREE
 *               └──────────────┴───────┴────────────┴──────────┘
 * FLUSHING  the owner or the peer ended it; queued bytes still go out
 * LINGERING all is written and our side is shut; input is thrown away until the peer ends too, because
 *           closing over unread input makes the kernel reset the connection and the peer may lose our last words */
#ifndef NET_LOOP_INSIDE_H
#define NET_LOOP_INSIDE_H

#include <stdatomic.h>

#include "net/loop.h"
#include "net/loop_wheel.h"

enum {
    KEPT_DEFAULT_MAX = 2048,
    READ_DEFAULT_MAX = 16384,
    OUT_DEFAULT_MAX = 16384,
    STALL_DEFAULT_MS = 30000,
    LINGER_DEFAULT_MS = 5000,
    CONNECT_MS = 10000,         /* an own connection attempt gives up after this, unless a deadline is set */
    EVENTS_MAX = 256,           /* per wait */
    ACCEPTS_MAX = 256,          /* per listener and turn: a flood of connects must not starve the rest */
    ACCEPT_PAUSE_MS = 100,      /* when the system has no descriptor or memory left */
    OUT_SIZE_MIN = 256,
};

enum conn_state { CONN_FREE, CONN_CONNECTING, CONN_OPEN, CONN_FLUSHING, CONN_LINGERING, CONN_ENDED };

struct conn {
    const struct conn_handler *handler;
    struct conn_limits limits;  /* defaults filled in */
    uint8_t *kept, *out;        /* NULL while empty */
    uint32_t kept_len, kept_cap;
    uint32_t out_head, out_len, out_cap;
    uint32_t generation;
    int64_t deadline_ms;        /* 0: none */
    int64_t stall_at_ms;        /* 0: nothing is queued since the last write */
    int fd;
    uint32_t events;            /* as epoll knows them */
    uint8_t state, reason, listener; /* LOOP_LISTENER_MAX: our own connection */
    bool paused, blocked, eof, dirty, again, wants_writable;
    bool connect_deadline;      /* deadline_ms is our own limit on connecting, not the owner's */
};

/* Slots that something is to be done for at the end of the turn; each slot is in it once at most. */
struct slot_list { uint32_t *at, count; };

struct listener {
    struct loop_listener_config config;
    int fd;                     /* -1: not listening */
    uint32_t open;              /* its connections; the place is not reused before they are gone */
    bool paused;
};

struct loop_epoll {
    struct loop loop;
    struct loop_config config;
    struct conn *conns;
    struct wheel_node *nodes;
    struct wheel wheel;
    struct slot_list dirty, again, ended;
    uint32_t *free_slots, free_count;
    struct listener listeners[LOOP_LISTENER_MAX];
    struct loop_hook hooks[LOOP_HOOK_MAX];
    int64_t hook_due_ms, accept_again_ms; /* accept_again_ms 0: no listener is paused */
    int epoll_fd, wake_fd, spare_fd;
    atomic_uint waking;
    bool in_turn;
    uint8_t read_buffer[LOOP_READ_MAX];
};

/* loop_conn.c */
struct conn_limits conn_limits_filled(const struct conn_limits *limits);
uint64_t conn_handle(const struct loop_epoll *l, const struct conn *c);
struct conn *conn_of(struct loop_epoll *l, uint64_t handle); /* NULL when stale */
/* A free slot around `fd`, registered with epoll; NULL when none is left or epoll refuses. */
struct conn *conn_new(struct loop_epoll *l, int fd, uint8_t listener, const struct conn_handler *handler,
                      const struct conn_limits *limits, enum conn_state state);
void conn_on_event(struct loop_epoll *l, struct conn *c, uint32_t events);
void conn_on_due(struct loop_epoll *l, uint32_t slot, int64_t now_ms);
void conn_redeliver(struct loop_epoll *l, struct conn *c);
void conn_flush(struct loop_epoll *l, struct conn *c);
void conn_finish(struct loop_epoll *l, struct conn *c); /* on_close, then the slot is free */
void conn_drop_memory(struct loop_epoll *l, struct conn *c);
void conn_update(struct loop_epoll *l, struct conn *c);

/* loop_conn_calls.c: the rows of loop_calls that are about one connection */
struct err conn_call_write(struct loop *loop, uint64_t handle, struct bytes bytes);
size_t conn_call_queued(struct loop *loop, uint64_t handle);
void conn_call_close(struct loop *loop, uint64_t handle, enum close_reason reason, enum close_how how);
void conn_call_pause(struct loop *loop, uint64_t handle);
void conn_call_resume(struct loop *loop, uint64_t handle);
void conn_call_set_deadline(struct loop *loop, uint64_t handle, uint32_t in_ms);
struct err conn_call_connect(struct loop *loop, struct bytes address, const struct conn_limits *limits,
                             const struct conn_handler *handler, uint64_t *conn);
void conn_end(struct loop_epoll *l, struct conn *c, enum close_reason reason, enum close_how how);

#endif
