/* SPDX-License-Identifier: Apache-2.0 */
/* crowd.h: what the actors of one loop share: simulated time, timers, and streams of chance named by actor.
 *
 * An actor sleeps until a timer or bytes wake it; nothing is polled. One hook on the loop drives a heap of
 * timers.
 * Time    simulated: the loop's, times `speed`; *_ms here is since 1970 of that time. The loop's own
 *         deadlines are real
 * Order   timers due together fire in the order in which they were set
 * Owner   create after the loop, destroy before it and after every actor
 * Thread  the loop's */
#ifndef SIM_CROWD_H
#define SIM_CROWD_H

#include "base/buf.h"
#include "base/prng.h"
#include "net/loop.h"

/* Belongs to an actor; zero is a timer that is not set. */
struct crowd_timer {
    int64_t due_us;
    uint64_t order;
    uint32_t at;                      /* place in the heap, from 1; 0: not set */
    void (*fn)(void *owner);
    void *owner;
};

struct crowd_config {
    struct loop *loop;
    uint64_t seed;
    int64_t start_ms;                 /* simulated wall clock now; the simulator's, or the real one's */
    uint32_t speed;                   /* 0: 1 */
    /* of on_connect: the simulator's network_name_link(); NULL on real sockets */
    void *ctx;
    void (*on_connect)(void *ctx, struct bytes name);
};

struct crowd {
    struct loop *loop;
    uint64_t seed;
    int64_t start_ms, loop_start_us;
    uint32_t speed;
    void *ctx;
    void (*on_connect)(void *ctx, struct bytes name);
    struct crowd_place *heap;         /* 1-based */
    uint32_t count, cap;
    uint64_t order, fired;
    bool in_hook;
};

MUST_USE struct err crowd_create(const struct crowd_config *config, struct crowd **out);
void crowd_destroy(struct crowd *c);

int64_t crowd_now_us(const struct crowd *c);  /* simulated, since 1970 */
int64_t crowd_now_ms(const struct crowd *c);
void crowd_set_timer(struct crowd *c, struct crowd_timer *t, int64_t due_us);
void crowd_clear_timer(struct crowd *c, struct crowd_timer *t);
struct prng crowd_stream(const struct crowd *c, const char *kind, struct bytes name);
/* Before an actor connects: "kind/name/count". */
void crowd_name_link(struct crowd *c, const char *kind, struct bytes name, uint64_t count);

#endif
