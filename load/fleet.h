/* SPDX-License-Identifier: Apache-2.0 */
/* fleet.h: many vehicles' connections that say what wire.h writes, and how long each answer took.
 *
 *     connect, paced ─► hello ─► warm up ─► measured ─► drain: what is in flight is waited for
 *
 * Open    with a rate, message i of the whole fleet is due at start + i / rate, whatever the server does. Its time runs from
 *         then, not from when it could be sent: a server that stalls is charged for everybody who had to wait
 * Closed  rate 0: each connection keeps in_flight messages on their way
 * Limits  FLEET_* below. A connection that is lost or answers wrongly is counted, named and not opened again
 * Owner   create/destroy
 * Thread  one; blocks in fleet_run. It has its own epoll: what the generator costs is taken from the server that it
 *         measures on the same machine */
#ifndef LOAD_FLEET_H
#define LOAD_FLEET_H

#include "load/spread.h"
#include "load/wire.h"

enum { FLEET_CONNECTIONS_MAX = 100000, FLEET_IN_FLIGHT_MAX = 256, FLEET_CONNECT_PER_S = 5000, FLEET_CONNECT_MS = 20000,
       FLEET_DRAIN_MS = 10000 };

struct fleet_options {
    const struct wire_dialect *dialect;
    struct bytes address;
    uint32_t connections, in_flight, first; /* first: number of the first vehicle */
    uint64_t rate;                          /* messages a second of all together; 0: closed loop */
    int64_t warmup_ms, for_ms;
    /* About every two seconds, and once when the measured part begins. NULL: silent. */
    void (*progress)(void *ctx, const char *phase, uint64_t acked, double per_s);
    void *ctx;
    int32_t server_pid;                     /* its processor time in the measured part is counted; 0: nobody's */
    const volatile bool *stop;              /* set by a signal: drain and end; may be NULL */
};

struct fleet_result {
    struct spread latency;          /* of the measured part */
    uint64_t sent, acked;           /* from the first message to the last */
    uint64_t measured_acked;        /* answers that came in the measured part */
    uint64_t behind;                /* due and never sent: their connection had in_flight on its way until the end */
    uint64_t unanswered;            /* sent and not answered when it ended */
    uint64_t others;                /* frames from the server that were no acknowledgement */
    uint32_t connected, refused, lost, wrong;
    int64_t measured_us, connect_us;
    int64_t cpu_us, server_cpu_us;  /* processor time in the measured part: the generator's own, and of server_pid */
    const char *why;                /* the first thing that went wrong; NULL */
};

struct fleet;

/* FULL: no memory or descriptors; MALFORMED address. */
MUST_USE struct err fleet_create(const struct fleet_options *options, struct fleet **out);
/* An error means that nothing was measured: nobody could connect. */
MUST_USE struct err fleet_run(struct fleet *f, struct fleet_result *out);
/* How many messages of connection `i` were sent, and answered. */
uint32_t fleet_sent(const struct fleet *f, uint32_t i);
uint32_t fleet_acked(const struct fleet *f, uint32_t i);
void fleet_destroy(struct fleet *f); /* NULL is fine */

#endif
