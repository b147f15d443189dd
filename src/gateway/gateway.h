/* SPDX-License-Identifier: Apache-2.0 */
/* gateway.h: vehicles' connections: bytes become facts for the engine, acks and orders become bytes.
 *
 *     loop ─► sniff ─► cut ─► decode ─┬─► telemetry   reports: heartbeat, position, status
 *                                     └─► urgent      sessions, keys, lock results, echoes, alarms, faults
 *     out  ─► acks, orders, hang-ups ─► loop_write
 *
 * Order   What one session says is applied in the order in which it was said, but a report without lock state may be
 *         overtaken by an urgent fact, and its own SESSION_CLOSED overtakes what waits in telemetry (stale then).
 *         For that the engine's thread does, each round: n = ring_count(telemetry), then take urgent until it is
 *         empty, then at most n of telemetry. Without looking first, a report could overtake its SESSION_OPENED.
 *         An urgent fact goes behind telemetry while a lock state of its session waits there: an old "locked" after
 *         "unlocked" would end a ride.
 * Full    a ring without room pauses the connection, its frame stays unread; they go on first come, first served.
 *         Nothing is dropped, SESSION_CLOSED least of all. TCP pushes back on the vehicle
 * Acks    come from `out` only, so after the commit
 * Hostile each limit below bounds one connection; neighbours do not notice
 * Thread  the loop's, for everything here; the simulator has one for all
 * Owner   of its sessions, sized at create; nothing is allocated later */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "base/histogram.h"
#include "engine/traffic.h"
#include "net/loop.h"
#include "net/tape.h"
#include "net/trace.h"

/* A frame was refused or a connection hung up for what it said. At most one a minute for each device or address. */
struct gateway_note {
    const char *reason;         /* a literal in snake_case */
    struct bytes ident, peer;   /* ident: empty while nobody knows */
    struct bytes frame;         /* secrets masked; empty when it is not about one */
    uint64_t suppressed;        /* notes that were not written since the last one, of anybody */
};

struct gateway_config {
    struct loop *loop;          /* borrowed; outlives the gateway */
    struct bytes address;       /* of vehicles: "0.0.0.0:7700"; port 0 is any free one */
    uint8_t port;               /* goes into origin.port */
    uint32_t conn_max;          /* vehicles at once; more are refused by the loop */
    uint32_t slot_max;          /* loop_config.conn_max; 0: conn_max */
    struct ring *telemetry, *urgent; /* struct inbound; this is the putter */
    struct ring *out;                /* struct to_gateway; this is the taker. Who puts calls loop_wake() */

    void (*wake_engine)(void *ctx);  /* at most once a turn, and once more for closes */
    void *wake_ctx;
    int64_t (*wall_ms)(void *ctx);   /* server time, the one in facts and deadlines */
    void *wall_ctx;
    int64_t (*clock_us)(void *ctx);  /* monotonic, finer than a turn, for the histograms; NULL: the loop's */
    void *clock_ctx;
    void (*log)(void *ctx, const struct gateway_note *note); /* NULL: no notes */
    void *log_ctx;
    struct tape *tape;          /* keeps the last frames of every device, secrets masked; NULL: off */
    struct trace *trace;        /* who asked for an order may want to know when it left; NULL: off */

    /* 0 takes the default. */
    uint32_t hello_ms;          /* to the first valid frame; 20,000 */
    uint32_t idle_ms;           /* silence of a device; 900,000: 3.75 usual heartbeats */
    uint32_t frames_per_s;      /* of one connection, for long; 200 */
    uint32_t frames_burst;      /* of one connection, at once; 400 */
    uint32_t out_max;           /* bytes that wait for a slow reader, then it is hung up; 65,536: a whole burst's acks */
};

enum {
    GATEWAY_KEPT_MAX = 2048,       /* unconsumed bytes; every codec's frame_max fits in */
    GATEWAY_READ_MAX = 4096,       /* bytes per read: what a paused connection holds besides */
    GATEWAY_HELLO_BYTES_MAX = 4096, /* before the first valid frame */
    GATEWAY_BAD_ROW_MAX = 10,      /* bad frames without a good one between: hang up */
    GATEWAY_OVERLONG_ROW_MAX = 3,  /* the same for frames without an end */
    GATEWAY_NOISE_ROW_MAX = 4096,  /* the same for bytes that belong to no frame */
    GATEWAY_FLOOD_PAUSE_MS = 1000, /* how long a flood is not read */
    GATEWAY_OUT_PER_TURN_MAX = 4096,
    GATEWAY_BACKLOG_MAX = 4096,    /* reports that wait for the engine; with more, nobody is read until it woke us or RETRY_MS:
                                      each vehicle's next read then brings more of its frames, and one write their acks */
    GATEWAY_RETRY_MS = 1,          /* between looks at a full ring */
    GATEWAY_BAD_MAX = 64,          /* reasons told apart; the last row counts the rest */
};

#define GATEWAY_COUNTER_LIST(X)                                                                    \
    X(frames,            "whole frames found")                                                     \
    X(reports,           "facts about state")                                                      \
    X(keys,              "facts with a key")                                                       \
    X(lock_results,      "facts about locks that moved or refused to")                             \
    X(echoes,            "facts about orders that a device repeated")                              \
    X(opaque,            "frames of no meaning to the fleet")                                      \
    X(bad_frames,        "frames refused; see bad")                                                \
    X(noise_bytes,       "bytes that belong to no frame")                                          \
    X(overlong,          "frames without an end")                                                  \
    X(sessions_opened,   "connections with a valid frame")                                         \
    X(sessions_closed,   "of those, gone")                                                         \
    X(behind,            "urgent facts that went behind a lock state of their session")            \
    X(hung_unknown,      "hung up: no protocol of ours")                                           \
    X(hung_hello_late,   "hung up: no valid frame in hello_ms")                                    \
    X(hung_hello_bytes,  "hung up: no valid frame in the first bytes")                             \
    X(hung_idle,         "hung up: silent for idle_ms")                                            \
    X(hung_ident,        "hung up: another device over the same connection")                       \
    X(hung_bad,          "hung up: bad frames in a row")                                           \
    X(hung_noise,        "hung up: overlong frames or noise in a row")                             \
    X(hung_slow,         "hung up: it does not read what we say")                                  \
    X(hung_asked,        "hung up: the engine asked for it")                                       \
    X(paused_telemetry,  "connections paused: telemetry was full")                                 \
    X(paused_urgent,     "connections paused: urgent was full")                                    \
    X(paused_flood,      "connections paused: more frames than allowed")                           \
    X(resumed,           "connections that went on")                                               \
    X(closes_delayed,    "SESSION_CLOSED that waited for room")                                    \
    X(acks,              "acknowledgements written")                                               \
    X(acks_stale,        "acknowledgements for connections that were gone")                        \
    X(acks_failed,       "acknowledgements that the codec refused")                                \
    X(orders,            "orders written")                                                         \
    X(orders_stale,      "orders for connections that were gone")                                  \
    X(orders_late,       "orders whose deadline had passed")                                       \
    X(orders_unsupported, "orders that the dialect lacks")                                         \
    X(orders_failed,     "orders that the codec refused")                                          \
    X(wakes,             "times that the engine was woken")                                        \
    X(rests,             "turns without reading: enough waits for the engine")                     \
    X(notes,             "notes written to the log")                                               \
    X(notes_suppressed,  "notes beyond one a minute")

struct gateway_bad { const char *why; uint64_t count; };

struct gateway_counters {
#define X(name, text) uint64_t name;
    GATEWAY_COUNTER_LIST(X)
#undef X
    struct gateway_bad bad[GATEWAY_BAD_MAX]; /* rows in use come first; why NULL: not in use */
    uint32_t connections, sessions;          /* now: open; bound to a device */
    uint32_t waiting_telemetry, waiting_urgent, flooding, closes_pending; /* now */
    struct histogram order_queue, order_sync, order_socket; /* born to stepped to synced to loop_write */
    struct histogram ack;                                   /* born to loop_write */
};

struct gateway;

/* INVALID config, FULL memory, what loop_listen says. Listens at once. */
MUST_USE struct err gateway_create(const struct gateway_config *config, struct gateway **out);
/* No loop_turn() after this while its connections are open: hang up first, or destroy the loop next. NULL is fine. */
void gateway_destroy(struct gateway *gw);
/* The bound address, with the real port. */
MUST_USE struct err gateway_address(struct gateway *gw, struct text64 *out);
const struct gateway_counters *gateway_counters(const struct gateway *gw);

/* An orderly stop: drain, turn until the engine has nothing left and gateway_drained(), hang up, turn until
 * counters.connections is 0, destroy. */
/* Accepts and reads no more; acks and orders still go out. */
void gateway_drain(struct gateway *gw);
/* Nothing waits in `out`, nor a SESSION_CLOSED for room. */
bool gateway_drained(const struct gateway *gw);
/* Closes every connection; what is queued for it goes out first. */
void gateway_hang_up(struct gateway *gw);

#endif
