/* SPDX-License-Identifier: Apache-2.0 */
/* heap.h: the smallest (key, kind, id) first: timers by deadline, things that are over by the fact that ended them.
 * The order is total, so what comes out never depends on how it went in. Pure. */
#ifndef ENGINE_HEAP_H
#define ENGINE_HEAP_H

#include "base/arena.h"
#include "base/err.h"

struct heap_entry {
    int64_t key;
    uint64_t id;
    uint32_t kind; /* enum row_kind */
};

struct heap {
    struct heap_entry *at;
    uint32_t count, limit;
};

size_t heap_need(uint32_t limit);
void heap_init(struct heap *h, struct arena *a, uint32_t limit);
void heap_push(struct heap *h, struct heap_entry entry); /* must() have room */
const struct heap_entry *heap_first(const struct heap *h); /* NULL when empty */
struct heap_entry heap_pop(struct heap *h);

#endif
