/* SPDX-License-Identifier: Apache-2.0 */
/* tape.c: see tape.h. An entry remembers the one before it of its chain by number; a number that was overwritten since ends
 * the chain. */
#include "net/tape.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

enum { ENTRIES_MIN = 1024, ENTRIES_MAX = 1 << 26 };

struct slot { uint64_t hash, before; struct tape_entry entry; };

struct tape {
    pthread_mutex_t lock;
    struct hash_key key;
    uint32_t count;
    uint64_t last;                 /* number of the newest entry; 0: none */
    uint32_t next;                 /* where the next one goes: last % count, kept at hand */
    uint64_t heads[TAPE_CHAINS];   /* number of the newest of each chain; 0: none */
    struct slot *slots;            /* calloc: pages appear as they fill */
};

struct err tape_create(uint32_t entries, struct hash_key key, struct tape **out)
{
    *out = NULL;
    if (entries < ENTRIES_MIN || entries > ENTRIES_MAX) return ERR(INVALID, "tape: from 1,024 to 2^26 entries");
    struct tape *t = calloc(1, sizeof *t);
    if (t) t->slots = calloc(entries, sizeof *t->slots);
    if (!t || !t->slots) {
        free(t);
        return ERR(IO, "tape: no memory");
    }
    pthread_mutex_init(&t->lock, NULL);
    t->key = key;
    t->count = entries;
    *out = t;
    return NO_ERR;
}

void tape_destroy(struct tape *t)
{
    if (!t) return;
    pthread_mutex_destroy(&t->lock);
    free(t->slots);
    free(t);
}

uint64_t tape_name(const struct tape *t, struct bytes name)
{
    return t ? hash_bytes(t->key, name) : 0;
}

void tape_put(struct tape *t, uint64_t name, struct tape_note note, struct bytes frame)
{
    if (!t) return;
    size_t kept = frame.len < TAPE_BYTES_MAX ? frame.len : TAPE_BYTES_MAX;
    uint64_t *head = &t->heads[name % TAPE_CHAINS];
    pthread_mutex_lock(&t->lock);
    uint32_t at = t->next;
    t->next = at + 1 < t->count ? at + 1 : 0;
    struct slot *s = &t->slots[at];
    s->hash = name;
    s->before = *head;
    s->entry.number = *head = ++t->last;
    s->entry.at_ms = note.at_ms;
    s->entry.seq = note.seq;
    s->entry.flags = note.flags;
    s->entry.len = frame.len < UINT16_MAX ? (uint16_t)frame.len : UINT16_MAX;
    memcpy(s->entry.bytes, frame.at, kept);
    s = &t->slots[t->next]; /* its memory is cold: it comes while other work is done */
    __builtin_prefetch(s, 1);
    __builtin_prefetch((uint8_t *)s + 64, 1);
    pthread_mutex_unlock(&t->lock);
}

/* The slot of a number, NULL when it was overwritten or never written. */
static const struct slot *slot_of(const struct tape *t, uint64_t number)
{
    const struct slot *s = &t->slots[(number - 1) % t->count];
    return number && s->entry.number == number ? s : NULL;
}

uint32_t tape_read(struct tape *t, struct bytes name, uint64_t before, int64_t since_ms, int64_t until_ms,
                   struct tape_entry *out, uint32_t limit, bool *more)
{
    uint32_t found = 0, seen = 0;
    *more = false;
    if (!t) return 0;
    uint64_t hash = hash_bytes(t->key, name);
    pthread_mutex_lock(&t->lock);
    const struct slot *s = slot_of(t, t->heads[hash % TAPE_CHAINS]);
    for (; s && seen < TAPE_WALK_MAX && !*more; s = slot_of(t, s->before), seen++) {
        const struct tape_entry *e = &s->entry;
        if (s->hash != hash || (before && e->number >= before) || e->at_ms > until_ms) continue;
        if (e->at_ms < since_ms) break;
        if (found < limit) out[found++] = *e;
        else *more = true;
    }
    pthread_mutex_unlock(&t->lock);
    return found;
}
