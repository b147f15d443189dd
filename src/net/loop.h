/* SPDX-License-Identifier: Apache-2.0 */
/* loop.h: TCP connections on one thread, as one interface: epoll below it in the server, a fake network in
 * the simulator. Nobody above calls a socket function.
 *
 *     turn: wait ─► bytes in (on_bytes) ─► deadlines ─► hooks ─► one write per connection ─► on_close
 *
 * Limits  every connection is made under a struct conn_limits, the loop under a struct loop_config
 * Owner   a conn is a number, not memory: a stale one is harmless (writes say NOT_FOUND, the rest does
 *         nothing). conn_slot() is below loop_config.conn_max and no two open connections share one: index
 *         your state by it
 * Calls   callbacks come only from inside loop_turn(), never from inside another call of this header
 * Thread  the one that calls loop_turn(); loop_wake() from any */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "base/bytes.h"
#include "base/text.h"

#define LOOP_READ_MAX 65536u  /* most bytes that on_bytes sees at once, kept ones included */
#define LOOP_NEVER INT64_MAX  /* what a hook returns that waits for nothing */
enum { LOOP_LISTENER_MAX = 16, LOOP_HOOK_MAX = 8 };

#define CLOSE_LIST(X)                                                   \
    X(PEER,     "peer",     "the peer ended the stream")                \
    X(RESET,    "reset",    "the network broke it")                     \
    X(TIMEOUT,  "timeout",  "its deadline passed")                      \
    X(OVERFLOW, "overflow", "kept_max unconsumed bytes")                \
    X(STALLED,  "stalled",  "the peer did not read for stall_ms")       \
    X(SLOW,     "slow",     "owner: its bounded queue was full")        \
    X(DONE,     "done",     "owner: finished in good order")            \
    X(PROTOCOL, "protocol", "owner: the peer breaks the protocol")      \
    X(LIMIT,    "limit",    "owner: a limit of ours")                   \
    X(REPLACED, "replaced", "owner: the same peer came again")          \
    X(CONNECT,  "connect",  "our own connection attempt failed")        \
    X(LOOP,     "loop",     "the loop ends")

enum close_reason {
#define X(name, label, text) CLOSE_##name,
    CLOSE_LIST(X)
#undef X
    CLOSE_N
};
const char *close_label(enum close_reason reason);

enum close_how {
    CLOSE_FLUSH, /* queued bytes go out first, for at most linger_ms */
    CLOSE_NOW,   /* queued bytes are dropped */
    CLOSE_ABANDON, /* as NOW, and nothing is called any more: the handler may be freed at once */
};

struct loop;

/* Callbacks of one kind of connection; borrowed until its last one is gone. Only on_bytes must be there. */
struct conn_handler {
    void *ctx;
    /* Accepted, or our own connect succeeded. `peer` is "203.0.113.7:50123". */
    void (*on_open)(void *ctx, uint64_t conn, struct bytes peer);
    /* Returns how many bytes it is done with; the rest comes again with what follows, or on loop_resume(). */
    size_t (*on_bytes)(void *ctx, uint64_t conn, struct bytes in);
    /* The out queue fell to out_low or less after it was above, or after a write was refused. */
    void (*on_writable)(void *ctx, uint64_t conn);
    /* Once for each conn that on_open or loop_connect gave; the handle is stale when it returns. The peer's end
     * of stream closes: a half-open peer gets no more than what was queued by then. */
    void (*on_close)(void *ctx, uint64_t conn, enum close_reason reason);
};

struct conn_limits {         /* 0 takes the default */
    uint32_t kept_max;       /* unconsumed bytes, else OVERFLOW; default 2048, at most LOOP_READ_MAX */
    uint32_t read_max;       /* bytes per read, which a pause may keep above kept_max; default 16384 */
    uint32_t out_max;        /* queued bytes, else loop_write says FULL; default 16384 */
    uint32_t out_low;        /* see on_writable; default half of out_max */
    uint32_t idle_ms;        /* silence, else TIMEOUT; default none. Not with loop_set_deadline */
    uint32_t stall_ms;       /* queued bytes and none taken, else STALLED; default 30,000 */
    uint32_t linger_ms;      /* CLOSE_FLUSH gives up after; default 5,000 */
};

struct loop_listener_config {
    struct bytes address;    /* "127.0.0.1:7700", "[::1]:7700"; port 0 is any free one, see loop_address() */
    uint32_t conn_max;       /* more are accepted and closed at once, counted as refused */
    struct conn_limits limits;
    const struct conn_handler *handler;
};

struct loop_config {
    uint32_t conn_max;        /* of all listeners and own connections together */
    uint64_t memory_max;      /* bytes of kept input and out queues; 0: 256 MiB */
};

struct loop_counters {
    uint64_t accepted, connected, refused_limit, refused_descriptors, accept_pauses;
    uint64_t closed[CLOSE_N];
    uint64_t bytes_in, bytes_out, reads, writes, short_writes, out_full, memory_full, paused, turns;
    uint64_t memory_bytes, memory_peak_bytes; /* now and ever; kept input and out queues */
    uint64_t open;                            /* now */
};

/* Called once a turn, before the writes; returns when the next call must come at the latest, or LOOP_NEVER. */
struct loop_hook {
    void *ctx;
    int64_t (*fn)(void *ctx, int64_t now_ms);
};

struct loop_calls {
    struct err (*listen)(struct loop *l, const struct loop_listener_config *config, uint32_t *listener);
    struct err (*address)(struct loop *l, uint32_t listener, struct text64 *out);
    void (*unlisten)(struct loop *l, uint32_t listener);
    struct err (*connect)(struct loop *l, struct bytes address, const struct conn_limits *limits,
                          const struct conn_handler *handler, uint64_t *conn);
    struct err (*write)(struct loop *l, uint64_t conn, struct bytes bytes);
    size_t (*queued)(struct loop *l, uint64_t conn);
    void (*close)(struct loop *l, uint64_t conn, enum close_reason reason, enum close_how how);
    void (*pause)(struct loop *l, uint64_t conn);
    void (*resume)(struct loop *l, uint64_t conn);
    void (*set_deadline)(struct loop *l, uint64_t conn, uint32_t in_ms);
    struct err (*add_hook)(struct loop *l, struct loop_hook hook);
    void (*remove_hook)(struct loop *l, const void *ctx);
    void (*wake)(struct loop *l);
    struct err (*turn)(struct loop *l, uint32_t timeout_ms);
    void (*destroy)(struct loop *l);
};

/* First member of every implementation. */
struct loop {
    const struct loop_calls *calls;
    int64_t now_us; /* monotonic, when the last wait returned */
    uint32_t rest_ms; /* see loop_rest() */
    struct loop_counters counters;
};

#include "net/loop_calls.h"

#endif
