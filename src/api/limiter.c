/* SPDX-License-Identifier: Apache-2.0 */
/* limiter.c: see limiter.h. */
#include "api/limiter.h"

struct bucket {
    struct text64 who;     /* the identity */
    int64_t full_ms;       /* when it will be full again: all that there is to know of a bucket */
};

static const struct { const char *name; int64_t burst, refill_ms; } rows[LIMIT_N] = {
#define X(NAME, name, burst, refill_ms, doc) [LIMIT_##NAME] = {#name, burst, refill_ms},
    LIMIT_LIST(X)
#undef X
};

struct err limiter_init(struct limiter *l, struct hash_key key)
{
    *l = (struct limiter){.taken = {0}};
    for (unsigned i = 0; i < LIMIT_N; i++) {
        TRY(shelf_init(&l->buckets[i], sizeof(struct bucket), sizeof(struct text64), LIMITER_KEPT, key));
    }
    return NO_ERR;
}

void limiter_fini(struct limiter *l)
{
    for (unsigned i = 0; i < LIMIT_N; i++) shelf_fini(&l->buckets[i]);
}

static struct bucket *bucket_of(struct limiter *l, enum limit limit, struct bytes who, int64_t now_ms)
{
    struct text64 id = {0};
    text_clip(&id, who);
    struct bucket *b = shelf_find(&l->buckets[limit], &id);
    if (!b) {
        b = shelf_add(&l->buckets[limit], &id);
        b->full_ms = now_ms;
    }
    if (b->full_ms < now_ms) b->full_ms = now_ms;
    return b;
}

int64_t limiter_take(struct limiter *l, enum limit limit, struct bytes who, int64_t now_ms)
{
    struct bucket *b = bucket_of(l, limit, who, now_ms);
    int64_t full_ms = b->full_ms + rows[limit].refill_ms, latest_ms = now_ms + rows[limit].burst * rows[limit].refill_ms;
    if (full_ms > latest_ms) {
        l->refused[limit]++;
        return full_ms - latest_ms;
    }
    b->full_ms = full_ms;
    l->taken[limit]++;
    return 0;
}

void limiter_give_back(struct limiter *l, enum limit limit, struct bytes who, int64_t now_ms)
{
    bucket_of(l, limit, who, now_ms)->full_ms -= rows[limit].refill_ms;
}

const char *limiter_name(enum limit limit)
{
    return rows[limit].name;
}
