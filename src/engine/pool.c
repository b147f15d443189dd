/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/pool.h"

#include <string.h>

#include "base/must.h"

enum { POOL_IN = 1, POOL_DIRTY = 2, POOL_LEAVING = 4, POOL_GONE = 8 };

static uint32_t hints_for(uint32_t limit)
{
    uint32_t n = 16;
    while (n < limit && n < POOL_HINTS_MAX) n *= 2;
    return n;
}

size_t pool_need(uint32_t row_size, uint32_t limit)
{
    size_t slots = (size_t)limit + POOL_SLACK;
    return arena_need(slots * row_size) + arena_need(slots) + arena_need(slots * sizeof(int64_t)) +
           2 * arena_need(slots * sizeof(uint32_t)) + arena_need(hints_for(limit) * sizeof(uint32_t)) + map_need(limit);
}

void pool_init(struct pool *p, struct arena *a, uint32_t row_size, uint32_t limit)
{
    size_t slots = (size_t)limit + POOL_SLACK;
    *p = (struct pool){.row_size = row_size, .limit = limit, .slots = (uint32_t)slots};
    p->rows = arena_take(a, slots * row_size);
    p->flags = arena_take(a, slots);
    p->timer_ms = arena_take(a, slots * sizeof *p->timer_ms);
    p->dirty = arena_take(a, slots * sizeof *p->dirty);
    p->free = arena_take(a, slots * sizeof *p->free);
    p->hint_mask = hints_for(limit) - 1;
    p->hints = arena_take(a, (p->hint_mask + 1ull) * sizeof *p->hints);
    map_init(&p->by_id, a, limit);
}

static void mark_dirty(struct pool *p, uint32_t slot)
{
    if (p->flags[slot] & POOL_DIRTY) return;
    p->flags[slot] |= POOL_DIRTY;
    p->dirty[p->dirty_count++] = slot;
}

void *pool_add(struct pool *p, uint64_t id)
{
    if (p->count >= p->limit) return NULL;
    must(p->free_count || p->used < p->slots);
    uint32_t slot = p->free_count ? p->free[--p->free_count] : p->used++;
    struct err e = map_put(&p->by_id, id, slot);
    must(!e.code);
    p->count++;
    void *row = pool_row(p, slot);
    memset(row, 0, p->row_size);
    memcpy(row, &id, sizeof id);
    p->flags[slot] = POOL_IN;
    p->timer_ms[slot] = 0;
    mark_dirty(p, slot);
    return row;
}

uint32_t pool_slot(const struct pool *p, uint64_t id)
{
    if (!id) return MAP_NONE;
    uint32_t *hint = &p->hints[id & p->hint_mask];
    uint64_t there = 0;
    if (*hint) memcpy(&there, p->rows + (size_t)(*hint - 1) * p->row_size, sizeof there);
    if (there == id) return *hint - 1;
    uint32_t slot = map_find(&p->by_id, id, NULL, NULL);
    if (slot != MAP_NONE) *hint = slot + 1;
    return slot;
}

void *pool_row(const struct pool *p, uint32_t slot)
{
    return p->rows + (size_t)slot * p->row_size;
}

uint32_t pool_slot_of(const struct pool *p, const void *row)
{
    size_t at = (size_t)((const uint8_t *)row - p->rows);
    must(at < (size_t)p->used * p->row_size);
    return (uint32_t)(at / p->row_size);
}

void *pool_edit(struct pool *p, uint32_t slot)
{
    must(p->flags[slot] & POOL_IN);
    mark_dirty(p, slot);
    return pool_row(p, slot);
}

void pool_remove(struct pool *p, uint32_t slot, bool gone)
{
    must(p->flags[slot] & POOL_IN);
    uint64_t id;
    memcpy(&id, pool_row(p, slot), sizeof id);
    map_remove(&p->by_id, id, slot);
    if (p->hints[id & p->hint_mask] == slot + 1) p->hints[id & p->hint_mask] = 0;
    p->count--;
    mark_dirty(p, slot);
    p->flags[slot] = (uint8_t)((p->flags[slot] & ~POOL_IN) | POOL_LEAVING | (gone ? POOL_GONE : 0));
    p->timer_ms[slot] = 0;
}

void pool_drain(struct pool *p, enum row_kind kind, engine_change_fn *fn, void *ctx)
{
    for (uint32_t i = 0; i < p->dirty_count; i++) {
        uint32_t slot = p->dirty[i];
        if (fn) fn(ctx, kind, pool_row(p, slot), p->flags[slot] & POOL_GONE);
        if (p->flags[slot] & POOL_LEAVING) {
            p->flags[slot] = 0;
            p->free[p->free_count++] = slot;
        } else {
            p->flags[slot] = POOL_IN;
        }
    }
    p->dirty_count = 0;
}

uint32_t pool_next(const struct pool *p, uint32_t from)
{
    for (uint32_t slot = from; slot < p->used; slot++) {
        if (p->flags[slot] & POOL_IN) return slot;
    }
    return MAP_NONE;
}
