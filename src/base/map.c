/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <string.h>

#include "base/must.h"

/* Half full at most, so probes stay short. */
static uint32_t buckets_for(uint32_t limit)
{
    uint32_t n = 16;
    while (n < limit * 2ull && n < 1u << 31) n *= 2;
    return n;
}

size_t map_need(uint32_t limit)
{
    uint32_t n = buckets_for(limit);
    return arena_need(n * sizeof(struct map_place));
}

void map_init(struct map *m, struct arena *a, uint32_t limit)
{
    uint32_t n = buckets_for(limit);
    m->places = arena_take(a, n * sizeof *m->places);
    m->mask = n - 1;
    m->count = 0;
    m->limit = limit;
}

static uint64_t key_of(uint64_t key)
{
    return key ? key : 1;
}

/* Keys are hashes, whose bits are spread already, or ids, which count up: left where they are, ids that belong together share
 * cache lines and pages, and a map that is sized for millions touches memory only for those that are in it. */
static uint32_t home_of(const struct map *m, uint64_t key)
{
    return (uint32_t)(key ^ key >> 32) & m->mask;
}

struct err map_put(struct map *m, uint64_t key, uint32_t slot)
{
    if (m->count >= m->limit) return ERR(FULL, "an index is full");
    key = key_of(key);
    uint32_t i = home_of(m, key);
    while (m->places[i].key) i = (i + 1) & m->mask;
    m->places[i] = (struct map_place){key, slot};
    m->count++;
    return NO_ERR;
}

uint32_t map_find(const struct map *m, uint64_t key, bool (*same)(const void *ctx, uint32_t slot), const void *ctx)
{
    key = key_of(key);
    for (uint32_t i = home_of(m, key); m->places[i].key; i = (i + 1) & m->mask) {
        const struct map_place *at = &m->places[i];
        if (at->key == key && (!same || same(ctx, at->slot))) return at->slot;
    }
    return MAP_NONE;
}

void map_remove(struct map *m, uint64_t key, uint32_t slot)
{
    key = key_of(key);
    uint32_t i = home_of(m, key);
    while (m->places[i].key && (m->places[i].key != key || m->places[i].slot != slot)) i = (i + 1) & m->mask;
    must(m->places[i].key);
    m->count--;
    /* Close the gap: move back whatever probed over it. */
    for (uint32_t j = (i + 1) & m->mask; m->places[j].key; j = (j + 1) & m->mask) {
        uint32_t home = home_of(m, m->places[j].key);
        if (((j - home) & m->mask) < ((j - i) & m->mask)) continue;
        m->places[i] = m->places[j];
        i = j;
    }
    m->places[i].key = 0;
}

void map_clear(struct map *m)
{
    memset(m->places, 0, (m->mask + 1ull) * sizeof *m->places);
    m->count = 0;
}
