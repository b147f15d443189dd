/* SPDX-License-Identifier: Apache-2.0 */
/* loop_calls.h: the second half of loop.h: what an owner calls. Include loop.h. */
#ifndef NET_LOOP_CALLS_H
#define NET_LOOP_CALLS_H

#include "net/loop.h"

/* A conn's slot, see loop.h; the upper half is its generation, so 0 is never a conn. */
static inline uint32_t conn_slot(uint64_t conn) { return (uint32_t)conn; }

static inline int64_t loop_now_ms(const struct loop *l) { return l->now_us / 1000; }
static inline int64_t loop_now_us(const struct loop *l) { return l->now_us; }

/* MALFORMED address, IO from the system, FULL when there are LOOP_LISTENER_MAX. `config` is copied. */
MUST_USE static inline struct err loop_listen(struct loop *l, const struct loop_listener_config *config,
                                              uint32_t *listener)
{
    return l->calls->listen(l, config, listener);
}

/* The bound address, with the real port. */
MUST_USE static inline struct err loop_address(struct loop *l, uint32_t listener, struct text64 *out)
{
    return l->calls->address(l, listener, out);
}

/* Accepts no more; open connections stay. */
static inline void loop_unlisten(struct loop *l, uint32_t listener) { l->calls->unlisten(l, listener); }

/* Starts connecting; on_open or on_close(CONNECT) follows in a later turn. May be written to at once. */
MUST_USE static inline struct err loop_connect(struct loop *l, struct bytes address,
                                               const struct conn_limits *limits,
                                               const struct conn_handler *handler, uint64_t *conn)
{
    return l->calls->connect(l, address, limits, handler, conn);
}

/* Queues all of `bytes` (copied) for this turn's write, or nothing: FULL when out_max is reached, NOT_FOUND
 * when stale, STATE when it is closing. */
MUST_USE static inline struct err loop_write(struct loop *l, uint64_t conn, struct bytes bytes)
{
    return l->calls->write(l, conn, bytes);
}

/* Bytes that wait to be written; 0 when stale. */
static inline size_t loop_queued(struct loop *l, uint64_t conn) { return l->calls->queued(l, conn); }

/* on_bytes is not called again; on_close follows at the end of a turn. */
static inline void loop_close(struct loop *l, uint64_t conn, enum close_reason reason, enum close_how how)
{
    l->calls->close(l, conn, reason, how);
}

/* Stops reading: the peer feels it. A broken connection still closes. */
static inline void loop_pause(struct loop *l, uint64_t conn) { l->calls->pause(l, conn); }

/* Reads again, and has on_bytes called with what is kept (paused or not), even when nothing new came. */
static inline void loop_resume(struct loop *l, uint64_t conn) { l->calls->resume(l, conn); }

/* From a hook: the next turn reads from nobody, for `ms` or until it is woken. What peers say meanwhile comes in larger
 * pieces later. A wish: a loop that does not wait need not follow it. */
static inline void loop_rest(struct loop *l, uint32_t ms) { l->rest_ms = ms; }

/* Closes with TIMEOUT in `in_ms` from now, unless set again; 0: no deadline. Up to 64 ms late. Cheap. */
static inline void loop_set_deadline(struct loop *l, uint64_t conn, uint32_t in_ms)
{
    l->calls->set_deadline(l, conn, in_ms);
}

MUST_USE static inline struct err loop_add_hook(struct loop *l, struct loop_hook hook)
{
    return l->calls->add_hook(l, hook);
}
static inline void loop_remove_hook(struct loop *l, const void *ctx) { l->calls->remove_hook(l, ctx); }

/* The present or next wait of loop_turn() returns at once. Any thread, and signal handlers. */
static inline void loop_wake(struct loop *l) { l->calls->wake(l); }

/* One turn, waiting at most `timeout_ms`. IO only when the loop itself is broken. */
MUST_USE static inline struct err loop_turn(struct loop *l, uint32_t timeout_ms)
{
    return l->calls->turn(l, timeout_ms);
}

/* Closes listeners and connections without callbacks; their owners go first. NULL is fine. */
static inline void loop_destroy(struct loop *l)
{
    if (l) l->calls->destroy(l);
}

#endif
