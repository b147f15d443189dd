/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h: the rows of one kind: found by id, changed through one door, handed to the change stream once a batch.
 *
 * A removed row leaves the index at once but its slot only when the change stream has taken it. The limit counts
 * rows that are in, not slots, so that FULL does not depend on where batches end.
 * Pure; slots are never visible outside and never part of state. */
#ifndef ENGINE_POOL_H
#define ENGINE_POOL_H

#include "base/map.h"
#include "engine/engine.h"

/* Slots beyond the limit, for rows on their way out within one batch: more than a batch can produce. */
#define POOL_SLACK 131072

/* Places that remember where an id was found last, by its low bits: ids count up, so the rows of a fleet hardly share any,
 * and neighbours in time are neighbours in memory, which an index by hash never gives. */
#define POOL_HINTS_MAX 32768

struct pool {
    uint8_t *rows;
    uint8_t *flags;       /* POOL_* per slot */
    int64_t *timer_ms;    /* key under which the slot waits in the timer heap; 0 = it does not */
    uint32_t *dirty;      /* slots in the change list, in order of first change */
    uint32_t *free;       /* stack of slots to use again */
    struct map by_id;
    uint32_t *hints;      /* 1 + slot, hint_mask + 1 of them; 0: none. A hint never outlives its row */
    uint32_t hint_mask, row_size, limit, slots, used, count, dirty_count, free_count;
};

size_t pool_need(uint32_t row_size, uint32_t limit);
void pool_init(struct pool *p, struct arena *a, uint32_t row_size, uint32_t limit);

/* A new zeroed row with this id, in the change list; NULL when the limit is reached. */
void *pool_add(struct pool *p, uint64_t id);
/* The slot of an id, MAP_NONE when there is none. */
uint32_t pool_slot(const struct pool *p, uint64_t id);
void *pool_row(const struct pool *p, uint32_t slot);
/* To be changed by the caller: puts it into the change list. */
void *pool_edit(struct pool *p, uint32_t slot);
/* The slot of a row of this pool: no look-up. */
uint32_t pool_slot_of(const struct pool *p, const void *row);
/* Takes the row out. `gone`: out of the tables too; else the tables keep it as it stands. */
void pool_remove(struct pool *p, uint32_t slot, bool gone);
void pool_drain(struct pool *p, enum row_kind kind, engine_change_fn *fn, void *ctx);
/* Rows that are in: for (slot = pool_next(p, 0); slot != MAP_NONE; slot = pool_next(p, slot + 1)). */
uint32_t pool_next(const struct pool *p, uint32_t from);

#endif
