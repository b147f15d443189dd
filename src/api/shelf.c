/* SPDX-License-Identifier: Apache-2.0 */
/* shelf.c: see shelf.h. */
#include "api/shelf.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

struct wanted { const struct shelf *shelf; const void *id; };

struct err shelf_init(struct shelf *s, size_t item_size, size_t id_size, uint32_t cap, struct hash_key key)
{
    must(cap && id_size <= item_size);
    *s = (struct shelf){.item_size = item_size, .id_size = id_size, .cap = cap, .key = key};
    size_t need = map_need(cap) + arena_need(item_size * cap) + arena_need(cap * sizeof *s->hashes) +
                  arena_need(cap * sizeof *s->held) + arena_need(cap * sizeof *s->taken);
    s->memory = calloc(1, need);
    if (!s->memory) return ERR(IO, "no memory");
    struct arena a = arena_on(s->memory, need);
    map_init(&s->map, &a, cap);
    s->items = arena_take(&a, item_size * cap);
    s->hashes = arena_take(&a, cap * sizeof *s->hashes);
    s->held = arena_take(&a, cap * sizeof *s->held);
    s->taken = arena_take(&a, cap * sizeof *s->taken);
    return NO_ERR;
}

void shelf_fini(struct shelf *s)
{
    free(s->memory);
    *s = (struct shelf){0};
}

static bool same(const void *ctx, uint32_t slot)
{
    const struct wanted *w = ctx;
    return memcmp(shelf_at(w->shelf, slot), w->id, w->shelf->id_size) == 0;
}

void *shelf_find(const struct shelf *s, const void *id)
{
    struct wanted wanted = {s, id};
    uint32_t slot = map_find(&s->map, hash_bytes(s->key, bytes_of(id, s->id_size)), same, &wanted);
    return slot == MAP_NONE ? NULL : shelf_at(s, slot);
}

void *shelf_add(struct shelf *s, const void *id)
{
    uint32_t tried = 0;
    while (tried < s->cap && s->held[s->next]) {
        s->next = (s->next + 1) % s->cap;
        tried++;
    }
    if (tried == s->cap) return NULL;
    uint32_t slot = s->next;
    s->next = (s->next + 1) % s->cap;
    if (s->taken[slot]) {
        map_remove(&s->map, s->hashes[slot], slot);
        s->evicted++;
    }
    void *item = shelf_at(s, slot);
    memset(item, 0, s->item_size);
    memcpy(item, id, s->id_size);
    s->hashes[slot] = hash_bytes(s->key, bytes_of(id, s->id_size));
    s->taken[slot] = true;
    struct err e = map_put(&s->map, s->hashes[slot], slot);
    must(!e.code); /* the map is as large as the shelf */
    return item;
}

void shelf_remove(struct shelf *s, void *item)
{
    uint32_t slot = shelf_slot(s, item);
    must(s->taken[slot] && !s->held[slot]);
    map_remove(&s->map, s->hashes[slot], slot);
    s->taken[slot] = false;
}

uint32_t shelf_slot(const struct shelf *s, const void *item)
{
    return (uint32_t)((size_t)((const uint8_t *)item - s->items) / s->item_size);
}

void *shelf_at(const struct shelf *s, uint32_t slot)
{
    must(slot < s->cap);
    return s->items + (size_t)slot * s->item_size;
}

void shelf_hold(struct shelf *s, uint32_t slot)
{
    s->held[slot]++;
}

void shelf_let_go(struct shelf *s, uint32_t slot)
{
    must(s->held[slot]);
    s->held[slot]--;
}
