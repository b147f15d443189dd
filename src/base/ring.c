/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ring.h"

#include "base/must.h"

size_t ring_need(size_t item_size, uint32_t count)
{
    return arena_need(item_size * count);
}

void ring_init(struct ring *r, struct arena *a, size_t item_size, uint32_t count)
{
    must(count && (count & (count - 1)) == 0);
    r->items = arena_take(a, item_size * count);
    r->item_size = item_size;
    r->mask = count - 1;
    r->head_seen = r->tail_seen = 0;
    atomic_init(&r->head, 0);
    atomic_init(&r->tail, 0);
}

void *ring_room(struct ring *r)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    if (tail - r->head_seen > r->mask) {
        r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
        if (tail - r->head_seen > r->mask) return NULL;
    }
    return r->items + (size_t)(tail & r->mask) * r->item_size;
}

void ring_put(struct ring *r)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
}

void *ring_peek(struct ring *r)
{
    uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    if (head == r->tail_seen) {
        r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
        if (head == r->tail_seen) return NULL;
    }
    return r->items + (size_t)(head & r->mask) * r->item_size;
}

void ring_took(struct ring *r)
{
    uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    atomic_store_explicit(&r->head, head + 1, memory_order_release);
}

uint32_t ring_count(const struct ring *r)
{
    return atomic_load_explicit(&r->tail, memory_order_acquire) - atomic_load_explicit(&r->head, memory_order_acquire);
}
