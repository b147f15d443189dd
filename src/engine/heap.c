/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/heap.h"

#include "base/must.h"

size_t heap_need(uint32_t limit)
{
    return arena_need((size_t)limit * sizeof(struct heap_entry));
}

void heap_init(struct heap *h, struct arena *a, uint32_t limit)
{
    *h = (struct heap){.at = arena_take(a, (size_t)limit * sizeof *h->at), .limit = limit};
}

static bool before(const struct heap_entry *a, const struct heap_entry *b)
{
    if (a->key != b->key) return a->key < b->key;
    if (a->kind != b->kind) return a->kind < b->kind;
    return a->id < b->id;
}

void heap_push(struct heap *h, struct heap_entry entry)
{
    must(h->count < h->limit);
    uint32_t i = h->count++;
    while (i) {
        uint32_t up = (i - 1) / 2;
        if (!before(&entry, &h->at[up])) break;
        h->at[i] = h->at[up];
        i = up;
    }
    h->at[i] = entry;
}

const struct heap_entry *heap_first(const struct heap *h)
{
    return h->count ? &h->at[0] : NULL;
}

struct heap_entry heap_pop(struct heap *h)
{
    must(h->count);
    struct heap_entry first = h->at[0], last = h->at[--h->count];
    uint32_t i = 0;
    for (;;) {
        uint32_t down = 2 * i + 1;
        if (down >= h->count) break;
        if (down + 1 < h->count && before(&h->at[down + 1], &h->at[down])) down++;
        if (!before(&h->at[down], &last)) break;
        h->at[i] = h->at[down];
        i = down;
    }
    if (h->count) h->at[i] = last;
    return first;
}
