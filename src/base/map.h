/* SPDX-License-Identifier: Apache-2.0 */
/* map.h: an open-addressing index from a 64-bit hash or id to a 32-bit slot, over memory of its owner.
 *
 * Keys may collide (two texts with one hash): map_find visits every slot under a key until `same` says yes.
 * Keys are good hashes, or ids that count up: their low bits say where they lie, so a caller's own pattern there (a kind, a
 * stride) belongs into the high ones. Nothing depends on the order inside: there is no iteration. Pure. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/arena.h"
#include "base/err.h"

#define MAP_NONE UINT32_MAX

/* Key and slot lie side by side: a look-up in a large map costs one cache line, not two. */
struct map_place { uint64_t key; uint32_t slot; };

struct map {
    struct map_place *places; /* key 0 = empty: a key of 0 is stored as 1 */
    uint32_t mask, count, limit;
};

/* Room for `limit` entries; `memory` from fresh (zero) pages. */
size_t map_need(uint32_t limit);
void map_init(struct map *m, struct arena *a, uint32_t limit);

/* FULL when `limit` entries are in. */
MUST_USE struct err map_put(struct map *m, uint64_t key, uint32_t slot);
/* First slot under `key` for which same(ctx, slot), or MAP_NONE. `same` NULL accepts the first. */
uint32_t map_find(const struct map *m, uint64_t key, bool (*same)(const void *ctx, uint32_t slot), const void *ctx);
/* Forgets everything. */
void map_clear(struct map *m);
/* Removes exactly (key, slot); must() when it is not there. */
void map_remove(struct map *m, uint64_t key, uint32_t slot);

#endif
