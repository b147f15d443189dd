/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

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
    return arena_need(n * sizeof(uint64_t)) + arena_need(n * sizeof(uint32_t));
}

void map_init(struct map *m, struct arena *a, uint32_t limit)
{
    uint32_t n = buckets_for(limit);
    m->keys = arena_take(a, n * sizeof *m->keys);
    m->slots = arena_take(a, n * sizeof *m->slots);
    m->mask = n - 1;
    m->count = 0;
    m->limit = limit;
}

static uint64_t key_of(uint64_t key)
{
    return key ? key : 1;
}

static uint32_t home_of(const struct map *m, uint64_t key)
{
    return (uint32_t)((key * 0x9e3779b97f4a7c15u) >> 32) & m->mask;
}

struct err map_put(struct map *m, uint64_t key, uint32_t slot)
{
    if (m->count >= m->limit) return ERR(FULL, "an index is full");
    key = key_of(key);
    uint32_t i = home_of(m, key);
    while (m->keys[i]) i = (i + 1) & m->mask;
    m->keys[i] = key;
    m->slots[i] = slot;
    m->count++;
    return NO_ERR;
}

uint32_t map_find(const struct map *m, uint64_t key, bool (*same)(const void *ctx, uint32_t slot), const void *ctx)
{
    key = key_of(key);
    for (uint32_t i = home_of(m, key); m->keys[i]; i = (i + 1) & m->mask) {
        if (m->keys[i] == key && (!same || same(ctx, m->slots[i]))) return m->slots[i];
    }
    return MAP_NONE;
}

void map_remove(struct map *m, uint64_t key, uint32_t slot)
{
    key = key_of(key);
    uint32_t i = home_of(m, key);
    while (m->keys[i] && (m->keys[i] != key || m->slots[i] != slot)) i = (i + 1) & m->mask;
    must(m->keys[i]);
    m->count--;
    /* Close the gap: move back whatever probed over it. */
    for (uint32_t j = (i + 1) & m->mask; m->keys[j]; j = (j + 1) & m->mask) {
        uint32_t home = home_of(m, m->keys[j]);
        if (((j - home) & m->mask) < ((j - i) & m->mask)) continue;
        m->keys[i] = m->keys[j];
        m->slots[i] = m->slots[j];
        i = j;
    }
    m->keys[i] = 0;
}
