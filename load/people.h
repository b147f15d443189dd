/* SPDX-License-Identifier: Apache-2.0 */
/* people.h: riders with open apps, in an open loop: they pan the map, look at their ride and start rides, whatever the
 * server does; and the locks that they open.
 *
 *     near    GET /v1/near around a random lock             poll   GET /v1/rides/current of somebody who rides, if anybody does
 *     start   POST /v1/rides?wait= of an idle rider for an idle lock; the lock opens at once, is closed by hand after
 *             ride_ms, and both are free again when that is acknowledged
 *
 * Times   each kind's run from when the request was due, waiting for a free connection included. An unlock is also split:
 *         request sent to order at the lock, lock's answer to reply; their sum is the server's share
 * Limits  PEOPLE_*. Apps share `clients` connections, as behind a front proxy; due requests without one wait in a queue
 * Owner   create/destroy
 * Thread  one; blocks in people_run */
#ifndef LOAD_PEOPLE_H
#define LOAD_PEOPLE_H

#include "base/bytes.h"
#include "load/spread.h"

enum { PEOPLE_RIDERS_MAX = 1000000, PEOPLE_LOCKS_MAX = 10000, PEOPLE_CLIENTS_MAX = 1024, PEOPLE_RATE_MAX = 200000,
       PEOPLE_WAITING_MAX = 1 << 16, PEOPLE_WHY_MAX = 200 };

enum people_kind { PEOPLE_NEAR, PEOPLE_POLL, PEOPLE_START, PEOPLE_KIND_N };

struct people_options {
    struct bytes http, vehicles;       /* addresses */
    const char (*tokens)[72];          /* a rider's each, borrowed */
    uint32_t riders, locks, clients, first; /* first: number of the first lock */
    uint32_t per_s[PEOPLE_KIND_N];     /* 0: not at all */
    int64_t warmup_ms, for_ms, ride_ms;
    /* The locks have said where they are: now they may be declared fit to ride. */
    struct err (*on_locks_ready)(void *ctx);
    void (*progress)(void *ctx, const char *phase, uint64_t done, uint64_t waiting);
    void *ctx;
    const volatile bool *stop;
};

struct people_figures {
    struct spread latency;             /* from due to reply */
    uint64_t due, done, failed;        /* in the measured part; failed: no reply, or one that is no success */
    uint64_t dropped;                  /* due while PEOPLE_WAITING_MAX waited: not sent */
};

struct people_result {
    struct people_figures of[PEOPLE_KIND_N];
    struct spread order, answer, share;   /* of starts: to the lock; back from it; both */
    uint64_t no_lock;                     /* starts that found no idle lock or rider: not sent */
    uint64_t rides_most;                  /* in progress at once */
    int64_t measured_us, cpu_us;
    uint32_t locks_lost;
    char why[PEOPLE_WHY_MAX];             /* the first that failed */
};

extern const char *const people_names[PEOPLE_KIND_N];

struct people;
MUST_USE struct err people_create(const struct people_options *options, struct people **out);
MUST_USE struct err people_run(struct people *p, struct people_result *out);
void people_destroy(struct people *p); /* NULL is fine */

#endif
