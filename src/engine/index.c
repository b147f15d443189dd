/* SPDX-License-Identifier: Apache-2.0 */
/* index.c: finding rows by the names that the world uses. Indexes are derived: rebuilt when state is loaded. */
#include <string.h>

#include "engine/ask.h"

/* Fixed keys: indexes answer by comparing whole names, so a crafted collision costs time, not truth; the state is
 * the same on every machine. */
static const struct hash_key index_key = {0x7061646f636b0001u, 0x7061646f636b0002u};

static uint64_t ident_hash(uint8_t protocol, const struct text64 *ident)
{
    return hash_bytes(index_key, text_bytes(ident)) + protocol;
}

static uint64_t uuid_hash(struct uuid u)
{
    return hash_bytes(index_key, bytes_of(u.at, sizeof u.at));
}

static uint64_t answer_hash(struct uuid account, uint64_t key0, uint64_t key1)
{
    return hash_mix(hash_mix(uuid_hash(account), key0), key1);
}

struct lookup { const struct pool *pool; const void *want; uint8_t protocol; };

static bool same_device(const void *ctx, uint32_t slot)
{
    const struct lookup *l = ctx;
    const struct device *d = pool_row(l->pool, slot);
    return d->protocol == l->protocol && text_equal(&d->ident, l->want);
}

static bool same_quarantine(const void *ctx, uint32_t slot)
{
    const struct lookup *l = ctx;
    const struct quarantine *q = pool_row(l->pool, slot);
    return q->protocol == l->protocol && text_equal(&q->ident, l->want);
}

static bool same_code(const void *ctx, uint32_t slot)
{
    const struct lookup *l = ctx;
    const struct public_code *c = pool_row(l->pool, slot);
    return bytes_equal(text_bytes(&c->code), *(const struct bytes *)l->want);
}

/* Rows with a uuid keep it in field 2, behind the id. */
struct named_row { uint64_t id; struct uuid uuid; };
_Static_assert(offsetof(struct rider, uuid) == offsetof(struct named_row, uuid), "rider's uuid");
_Static_assert(offsetof(struct staff, uuid) == offsetof(struct named_row, uuid), "staff's uuid");
_Static_assert(offsetof(struct ask, uuid) == offsetof(struct named_row, uuid), "ask's uuid");
_Static_assert(offsetof(struct ride, uuid) == offsetof(struct named_row, uuid), "ride's uuid");

static bool same_uuid(const void *ctx, uint32_t slot)
{
    const struct lookup *l = ctx;
    const struct named_row *row = pool_row(l->pool, slot);
    return uuid_equal(row->uuid, *(const struct uuid *)l->want);
}

struct device *device_find(struct engine *e, uint8_t protocol, const struct text64 *ident)
{
    struct lookup l = {&e->pools[ROW_DEVICE], ident, protocol};
    uint32_t slot = map_find(&e->device_by_ident, ident_hash(protocol, ident), same_device, &l);
    return slot == MAP_NONE ? NULL : pool_row(l.pool, slot);
}

struct quarantine *quarantine_find(struct engine *e, uint8_t protocol, const struct text64 *ident)
{
    struct lookup l = {&e->pools[ROW_QUARANTINE], ident, protocol};
    uint32_t slot = map_find(&e->quarantine_by_ident, ident_hash(protocol, ident), same_quarantine, &l);
    return slot == MAP_NONE ? NULL : pool_row(l.pool, slot);
}

struct vehicle *vehicle_find(struct engine *e, struct bytes code)
{
    struct lookup l = {&e->pools[ROW_PUBLIC_CODE], &code, 0};
    uint32_t slot = map_find(&e->vehicle_by_code, hash_bytes(index_key, code), same_code, &l);
    if (slot == MAP_NONE) return NULL;
    const struct public_code *c = pool_row(l.pool, slot);
    return (struct vehicle *)ROW(e, VEHICLE, vehicle, c->vehicle_id);
}

static void *by_uuid(const struct pool *pool, const struct map *map, struct uuid uuid)
{
    struct lookup l = {pool, &uuid, 0};
    uint32_t slot = map_find(map, uuid_hash(uuid), same_uuid, &l);
    return slot == MAP_NONE ? NULL : pool_row(pool, slot);
}

struct rider *rider_find(struct engine *e, struct uuid account)
{
    return by_uuid(&e->pools[ROW_RIDER], &e->rider_by_uuid, account);
}

struct staff *staff_find(struct engine *e, struct uuid account)
{
    return by_uuid(&e->pools[ROW_STAFF], &e->staff_by_uuid, account);
}

struct ride *ride_find(struct engine *e, struct uuid ride)
{
    return by_uuid(&e->pools[ROW_RIDE], &e->ride_by_uuid, ride);
}

struct ask *ask_find(struct engine *e, struct uuid ask)
{
    return by_uuid(&e->pools[ROW_ASK], &e->ask_by_uuid, ask);
}

struct answer_lookup { const struct pool *pool; const struct request_key *key; };

static bool same_answer(const void *ctx, uint32_t slot)
{
    const struct answer_lookup *l = ctx;
    const struct answer *a = pool_row(l->pool, slot);
    return a->key0 == l->key->key0 && a->key1 == l->key->key1 && uuid_equal(a->account, l->key->account);
}

struct answer *answer_find(struct engine *e, const struct request_key *key)
{
    struct answer_lookup l = {&e->pools[ROW_ANSWER], key};
    uint32_t slot = map_find(&e->answer_by_key, answer_hash(key->account, key->key0, key->key1), same_answer, &l);
    return slot == MAP_NONE ? NULL : pool_row(l.pool, slot);
}

/* Index and key of a row, NULL for kinds that are found by id only. */
static struct map *index_of(struct engine *e, enum row_kind kind, const void *row, uint64_t *key)
{
    switch (kind) {
    case ROW_PUBLIC_CODE:
        *key = hash_bytes(index_key, text_bytes(&((const struct public_code *)row)->code));
        return &e->vehicle_by_code;
    case ROW_DEVICE:
        *key = ident_hash(((const struct device *)row)->protocol, &((const struct device *)row)->ident);
        return &e->device_by_ident;
    case ROW_QUARANTINE:
        *key = ident_hash(((const struct quarantine *)row)->protocol, &((const struct quarantine *)row)->ident);
        return &e->quarantine_by_ident;
    case ROW_ANSWER: {
        const struct answer *a = row;
        *key = answer_hash(a->account, a->key0, a->key1);
        return &e->answer_by_key;
    }
    case ROW_RIDER:
    case ROW_STAFF:
    case ROW_RIDE:
    case ROW_ASK:
        *key = uuid_hash(((const struct named_row *)row)->uuid);
        if (kind == ROW_ASK) return &e->ask_by_uuid;
        return kind == ROW_RIDER ? &e->rider_by_uuid : kind == ROW_STAFF ? &e->staff_by_uuid : &e->ride_by_uuid;
    default: return NULL;
    }
}

/* Adopted devices leave stale entries behind; when the heap is full of them it is made anew. */
static void quarantine_queue(struct engine *e, uint64_t id)
{
    struct heap *h = &e->quarantine_order;
    const struct pool *p = &e->pools[ROW_QUARANTINE];
    if (h->count < h->limit) {
        heap_push(h, (struct heap_entry){0, id, ROW_QUARANTINE});
        return;
    }
    h->count = 0;
    for (uint32_t slot = pool_next(p, 0); slot != MAP_NONE; slot = pool_next(p, slot + 1)) {
        const struct quarantine *q = pool_row(p, slot);
        heap_push(h, (struct heap_entry){0, q->id, ROW_QUARANTINE});
    }
}

void index_row(struct engine *e, enum row_kind kind, const void *row)
{
    uint64_t key = 0, id;
    struct map *map = index_of(e, kind, row, &key);
    if (!map) return;
    memcpy(&id, row, sizeof id);
    struct err err = map_put(map, key, pool_slot(&e->pools[kind], id));
    must(!err.code);
    if (kind == ROW_QUARANTINE) quarantine_queue(e, id);
}

void unindex_row(struct engine *e, enum row_kind kind, const void *row)
{
    uint64_t key = 0, id;
    struct map *map = index_of(e, kind, row, &key);
    memcpy(&id, row, sizeof id);
    if (map) map_remove(map, key, pool_slot(&e->pools[kind], id));
}
