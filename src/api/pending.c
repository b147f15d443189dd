/* SPDX-License-Identifier: Apache-2.0 */
/* pending.c: see pending.h. */
#include "api/pending.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "net/loop.h"

#define SCAN_MS 10           /* due times are looked at this often at most */
#define WATCHERS_MAX 16u     /* of one ride at once in one walk; a rider has a phone or two */

struct err pending_init(struct pendings *ps, uint32_t cap)
{
    size_t need = arena_need(cap * sizeof *ps->at) + 3 * map_need(cap);
    *ps = (struct pendings){.cap = cap, .due_ms = LOOP_NEVER};
    ps->memory = calloc(1, need);
    if (!ps->memory) return ERR(IO, "no memory");
    struct arena a = arena_on(ps->memory, need);
    ps->at = arena_take(&a, cap * sizeof *ps->at);
    map_init(&ps->by_http, &a, cap);
    map_init(&ps->in_flight, &a, cap);
    map_init(&ps->watching, &a, cap);
    for (uint32_t i = 0; i < cap; i++) {
        ps->at[i].slot = i;
        ps->at[i].next_free = i + 1;
    }
    return NO_ERR;
}

void pending_fini(struct pendings *ps)
{
    free(ps->memory);
    *ps = (struct pendings){0};
}

static void put(struct map *m, uint64_t key, const struct pending *p)
{
    struct err e = map_put(m, key, p->slot);
    must(!e.code); /* each map has room for every entry */
}

struct pending *pending_take(struct pendings *ps, const struct client *client, enum pending_stage stage)
{
    if (ps->count == ps->cap) return NULL;
    struct pending *p = &ps->at[ps->free];
    uint32_t generation = p->generation + 1, slot = p->slot, next = p->next_free;
    memset(p, 0, sizeof *p);
    p->slot = slot;
    p->generation = generation ? generation : 1;
    p->client = *client;
    p->stage = (uint8_t)stage;
    ps->free = next;
    ps->count++;
    if (client->http) put(&ps->by_http, client->http, p);
    return p;
}

void pending_release(struct pendings *ps, struct pending *p)
{
    must(p->stage != PENDING_FREE);
    pending_set_gone(ps, p);
    pending_clear_in_flight(ps, p);
    pending_unwatch(ps, p);
    p->stage = PENDING_FREE;
    p->due_ms = 0;
    p->next_free = ps->free;
    ps->free = p->slot;
    ps->count--;
}

uint64_t pending_handle(const struct pending *p)
{
    return (uint64_t)(p->generation & 0x7fffffff) << 32 | p->slot; /* the highest bit is OUTBOUND_HANDLE's */
}

struct pending *pending_of(struct pendings *ps, uint64_t handle)
{
    uint32_t slot = (uint32_t)handle;
    struct pending *p = slot < ps->cap ? &ps->at[slot] : NULL;
    return p && p->stage != PENDING_FREE && p->generation == handle >> 32 ? p : NULL;
}

struct pending *pending_of_http(struct pendings *ps, uint64_t http)
{
    uint32_t slot = map_find(&ps->by_http, http, NULL, NULL); /* handles of requests are exact, not hashes */
    return slot == MAP_NONE ? NULL : &ps->at[slot];
}

void pending_set_gone(struct pendings *ps, struct pending *p)
{
    if (p->client.http) map_remove(&ps->by_http, p->client.http, p->slot);
    p->client.http = 0;
}

/* ---- in flight ---- */

struct same_key { const struct pendings *ps; uint32_t account_slot; uint64_t key0, key1; };

static uint64_t flight_hash(uint32_t account_slot, uint64_t key0)
{
    return key0 ^ (uint64_t)account_slot << 32;
}

static bool has_key(const void *ctx, uint32_t slot)
{
    const struct same_key *w = ctx;
    const struct pending *p = &w->ps->at[slot];
    return p->account_slot == w->account_slot && p->key0 == w->key0 && p->key1 == w->key1;
}

bool pending_is_in_flight(const struct pendings *ps, uint32_t account_slot, uint64_t key0, uint64_t key1)
{
    struct same_key wanted = {ps, account_slot, key0, key1};
    return map_find(&ps->in_flight, flight_hash(account_slot, key0), has_key, &wanted) != MAP_NONE;
}

void pending_set_in_flight(struct pendings *ps, struct pending *p, uint64_t key0, uint64_t key1)
{
    must(!p->in_flight);
    p->key0 = key0;
    p->key1 = key1;
    p->in_flight = true;
    put(&ps->in_flight, flight_hash(p->account_slot, key0), p);
}

void pending_clear_in_flight(struct pendings *ps, struct pending *p)
{
    if (p->in_flight) map_remove(&ps->in_flight, flight_hash(p->account_slot, p->key0), p->slot);
    p->in_flight = false;
}

/* ---- watching ---- */

void pending_watch(struct pendings *ps, struct pending *p)
{
    must(!p->watching);
    p->watching = true;
    put(&ps->watching, load_u64(p->subject.at), p);
}

void pending_unwatch(struct pendings *ps, struct pending *p)
{
    if (p->watching) map_remove(&ps->watching, load_u64(p->subject.at), p->slot);
    p->watching = false;
}

struct gathered {
    const struct pendings *ps;
    struct uuid ride;
    uint32_t slots[WATCHERS_MAX];
    unsigned count;
};

/* Says no to all but the one too many: map_find walks on. */
static bool gather(const void *ctx, uint32_t slot)
{
    struct gathered *g = (struct gathered *)(uintptr_t)ctx;
    if (!uuid_equal(g->ps->at[slot].subject, g->ride)) return false;
    g->slots[g->count++] = slot;
    return g->count == WATCHERS_MAX;
}

void pending_each_watching(struct pendings *ps, struct uuid ride, void (*fn)(void *ctx, struct pending *p), void *ctx)
{
    struct gathered g = {.ps = ps, .ride = ride};
    map_find(&ps->watching, load_u64(ride.at), gather, &g);
    for (unsigned i = 0; i < g.count; i++) fn(ctx, &ps->at[g.slots[i]]);
}

/* ---- time ---- */

void pending_set_due(struct pendings *ps, struct pending *p, int64_t due_ms)
{
    p->due_ms = due_ms;
    if (due_ms && due_ms < ps->due_ms) ps->due_ms = due_ms;
}

int64_t pending_fire_due(struct pendings *ps, int64_t now_ms, void (*fn)(void *ctx, struct pending *p), void *ctx)
{
    if (ps->due_ms > now_ms) return ps->due_ms;
    if (now_ms < ps->scanned_ms + SCAN_MS) return ps->scanned_ms + SCAN_MS;
    ps->scanned_ms = now_ms;
    ps->due_ms = LOOP_NEVER;
    for (uint32_t i = 0; i < ps->cap; i++) {
        struct pending *p = &ps->at[i];
        if (p->stage == PENDING_FREE || !p->due_ms) continue;
        if (p->due_ms <= now_ms) {
            p->due_ms = 0;
            fn(ctx, p);
        }
        if (p->due_ms && p->due_ms < ps->due_ms) ps->due_ms = p->due_ms;
    }
    return ps->due_ms;
}
