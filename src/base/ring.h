/* SPDX-License-Identifier: Apache-2.0 */
/* ring.h: a bounded queue of fixed-size items between exactly two threads: one puts, one takes.
 *
 * Items are written and read in place. A full ring answers NULL: the putter decides how to push back.
 * Pure (C11 atomics only); waking the other side is the shell's business. */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/err.h"

struct ring {
    uint8_t *items;
    size_t item_size;
    uint32_t mask;
    _Alignas(64) _Atomic uint32_t head; /* next to take; written by the taker */
    uint32_t tail_seen;                 /* the taker's last look at tail */
    _Alignas(64) _Atomic uint32_t tail; /* next to put; written by the putter */
    uint32_t head_seen;                 /* the putter's last look at head */
};

/* `count` is a power of two. */
size_t ring_need(size_t item_size, uint32_t count);
void ring_init(struct ring *r, struct arena *a, size_t item_size, uint32_t count);

/* Putter: room for one item, NULL when full; what is written there is seen after ring_put. */
void *ring_room(struct ring *r);
void ring_put(struct ring *r);
/* Taker: the oldest item, NULL when empty; it is the taker's until ring_took. */
void *ring_peek(struct ring *r);
void ring_took(struct ring *r);
/* Either side, a moment's truth. */
uint32_t ring_count(const struct ring *r);

#endif
