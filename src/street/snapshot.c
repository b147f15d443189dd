/* SPDX-License-Identifier: Apache-2.0 */
#include "street/snapshot.h"

struct asked { const struct snapshot *s; struct bytes code; };

static bool same_code(const void *ctx, uint32_t slot)
{
    const struct asked *a = ctx;
    return bytes_equal(text_bytes(&a->s->codes[slot].code), a->code);
}

const struct street_vehicle *snapshot_by_code(const struct snapshot *s, struct bytes code)
{
    struct asked asked = {s, code};
    uint32_t slot = map_find(&s->by_code, hash_bytes(s->key, code), same_code, &asked);
    if (slot == MAP_NONE) return NULL;
    const struct street_vehicle *v = &s->vehicles[s->codes[slot].vehicle];
    return v->id ? v : NULL;
}

uint16_t snapshot_city(const struct snapshot *s, struct bytes code)
{
    for (uint32_t i = 0; i < s->city_count; i++) {
        if (bytes_equal(text_bytes(&s->cities[i].code), code)) return (uint16_t)i;
    }
    return STREET_NONE;
}

bool street_rentable(const struct street_vehicle *v, int64_t now_ms)
{
    return v->id && v->refusal == ERR_OK && now_ms <= v->silent_ms;
}

uint32_t snapshot_find_near(const struct snapshot *s, const struct snapshot_near *near, struct grid_found *found)
{
    /* Of those found a few may have fallen silent since: the engine says so with its next fact. They are left out, and
     * the answer is shorter by them for a moment. */
    struct grid_near ask = {near->at, near->radius_m, near->limit, STREET_RENTABLE};
    uint32_t got = grid_find_near(&s->grid, &ask, found), kept = 0;
    for (uint32_t i = 0; i < got; i++) __builtin_prefetch(&s->vehicles[found[i].tag & ~STREET_RENTABLE]);
    for (uint32_t i = 0; i < got; i++) {
        found[i].tag &= ~STREET_RENTABLE;
        if (street_rentable(&s->vehicles[found[i].tag], near->now_ms)) found[kept++] = found[i];
    }
    return kept;
}
