/* SPDX-License-Identifier: Apache-2.0 */
/* shelf.h: a bounded memory of fixed-size items; when it is full, the oldest that nobody holds makes room.
 *
 * Items   begin with their identity: `id_size` bytes that may be hostile, so they are found by a keyed hash
 * Limits  `cap` items, all reserved at once, touched as they come
 * Left    least-recently-used order: a list to keep for every hit, and the oldest are few
 * Owner   an item's address is good until a later shelf_add takes its place; items with `held` above 0 stay */
#ifndef API_SHELF_H
#define API_SHELF_H

#include "base/hash.h"
#include "base/map.h"

struct shelf {
    struct map map;
    struct hash_key key;
    uint8_t *items;
    uint64_t *hashes;   /* by slot; valid where taken */
    uint32_t *held;     /* by slot */
    bool *taken;
    size_t item_size, id_size;
    uint32_t cap, next;
    uint64_t evicted;
    void *memory;
};

MUST_USE struct err shelf_init(struct shelf *s, size_t item_size, size_t id_size, uint32_t cap, struct hash_key key);
void shelf_fini(struct shelf *s); /* fine on a zero one */

void *shelf_find(const struct shelf *s, const void *id);
/* A zeroed item with that identity, which is not in yet; NULL when every item is held. */
void *shelf_add(struct shelf *s, const void *id);
void shelf_remove(struct shelf *s, void *item);
uint32_t shelf_slot(const struct shelf *s, const void *item);
void *shelf_at(const struct shelf *s, uint32_t slot);
void shelf_hold(struct shelf *s, uint32_t slot);
void shelf_let_go(struct shelf *s, uint32_t slot);

#endif
