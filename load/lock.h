/* SPDX-License-Identifier: Apache-2.0 */
/* lock.h: one simulated horseshoe lock that opens at once when it is told to and is closed by hand when its owner says so:
 * what remains of an unlock's time is the server's.
 *
 * Owner   people.c, which has many; struct lock lies still while it is connected
 * Thread  the loop's */
#ifndef LOAD_LOCK_H
#define LOAD_LOCK_H

#include "load/wire.h"
#include "net/loop.h"

enum lock_stage {
    LOCK_AWAY,       /* not connected, or gone again */
    LOCK_SAYING,     /* said where it is and that it is closed, not acknowledged yet */
    LOCK_READY,
    LOCK_OPENED,     /* by an order; its answer is on the way */
    LOCK_CLOSING,    /* closed by hand, not acknowledged yet */
};

struct lock {
    struct loop *loop;
    struct conn_handler handler;
    uint64_t conn;                     /* 0: none */
    struct wire_vehicle vehicle;
    uint8_t stage;                     /* enum lock_stage */
    uint32_t user, stamp;              /* of the order that opened it */
    int64_t ordered_us, answered_us;   /* monotonic: the order came; its answer was given to the socket */
    int64_t (*now_us)(void);
    int64_t (*wall_ms)(void);
    void *ctx;
    void (*on_ready)(void *ctx, struct lock *lock);  /* became LOCK_READY: said who it is, or was closed */
    void (*on_gone)(void *ctx, struct lock *lock);
};

/* Connects and says its state; on_ready follows, or on_gone. */
MUST_USE struct err lock_connect(struct lock *lock, struct bytes address);
/* Says that it was closed by hand. */
void lock_close(struct lock *lock);

#endif
