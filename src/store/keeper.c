/* SPDX-License-Identifier: Apache-2.0 */
#include "store/keeper.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/map.h"
#include "base/must.h"

#define PART_NAME DATA_BASES "/copying.part"
#define SET_KEPT_BYTES (256u << 10) /* of each list of a set, between two cuts */

/* Sizes vary by kind, so rows lie one behind the other; the entry says where. */
struct entry {
    uint32_t at;    /* in rows, in units of 8 bytes */
    uint8_t kind;
    bool gone;
};

struct set {
    struct entry *entries;
    uint64_t *rows;  /* row_units of them */
    struct event *events;
    uint32_t entry_count, event_count, row_units;
    uint64_t seq;         /* of the last whole batch */
    int64_t first_ms;     /* time of the first batch */
    uint64_t hash;
    bool hashed, last, any; /* any: at least one batch ended in it */
    struct map index;     /* kind and id -> entry */
    uint8_t *index_memory;
};

struct keeper {
    struct tables *tables;
    struct keeper_options options;
    struct set *sets[2];
    struct set *filling;        /* the engine thread's, and: */
    uint64_t last_seq;          /* of the last batch that ended; 0 = none yet */
    _Atomic(struct set *) handed; /* NULL: the keeper thread has none */
    uint32_t entry_room, event_room, unit_room;
    struct table_change *changes; /* the keeper thread's, entry_room of them */
    int64_t synced_ms;          /* when the last synced cut was written; INT64_MIN before the first */
    const struct data_dir *dir; /* of the base copy under way */
    struct tables_copy copy;
};

_Static_assert(ROW_N <= 32, "the index packs a kind into five bits");

static struct set *set_create(const struct keeper *k);
static void set_destroy(struct set *s);
static void set_clear(struct set *s);
static struct err write_set(struct keeper *k, struct set *s, int64_t now_ms, struct keeper_turned *out);
static struct err continue_base(struct keeper *k, struct keeper_turned *out);

struct err keeper_create(struct keeper **out, struct tables *tables, const struct keeper_options *options)
{
    *out = NULL;
    struct keeper *k = calloc(1, sizeof *k);
    if (!k) return ERR(FULL, "keeper: no memory");
    k->tables = tables;
    k->options = *options;
    if (!k->options.interval_ms) k->options.interval_ms = KEEPER_INTERVAL_MS_DEFAULT;
    if (!k->options.sync_ms) k->options.sync_ms = KEEPER_SYNC_MS_DEFAULT;
    if (!k->options.rows_max) k->options.rows_max = KEEPER_ROWS_MAX_DEFAULT;
    if (!k->options.events_max) k->options.events_max = KEEPER_EVENTS_MAX_DEFAULT;
    k->entry_room = k->options.rows_max + KEEPER_BATCH_ROWS_MAX;
    k->event_room = k->options.events_max + KEEPER_BATCH_EVENTS_MAX;
    k->unit_room = k->entry_room * (ROW_SIZE_MAX / 8);
    k->synced_ms = INT64_MIN;
    k->sets[0] = set_create(k);
    k->sets[1] = set_create(k);
    k->changes = calloc(k->entry_room, sizeof *k->changes);
    if (!k->sets[0] || !k->sets[1] || !k->changes) {
        keeper_destroy(k);
        return ERR(FULL, "keeper: no memory");
    }
    k->filling = k->sets[0];
    *out = k;
    return NO_ERR;
}

void keeper_destroy(struct keeper *k)
{
    if (!k) return;
    tables_copy_end(&k->copy);
    set_destroy(k->sets[0]);
    set_destroy(k->sets[1]);
    free(k->changes);
    free(k);
}

/* Unique, so the index needs no comparison; ids stay neighbours. */
static uint64_t key_of(uint64_t id, uint8_t kind)
{
    return (uint64_t)kind << 59 | id;
}

bool keeper_has_room(const struct keeper *k)
{
    return k->filling->entry_count <= k->options.rows_max && k->filling->event_count <= k->options.events_max;
}

struct err keeper_add_row(struct keeper *k, enum row_kind kind, const void *row, bool gone)
{
    must(kind < ROW_N);
    struct set *s = k->filling;
    const struct shape *shape = &row_shapes[kind];
    uint64_t id = (uint64_t)field_number(&shape->fields[0], row);
    must(id && id >> 59 == 0);
    uint64_t key = key_of(id, (uint8_t)kind);
    uint32_t slot = map_find(&s->index, key, NULL, NULL);
    if (slot == MAP_NONE) {
        uint32_t units = (shape->size + 7u) / 8;
        if (s->entry_count == k->entry_room) return ERR(FULL, "keeper: more changed rows than a batch may have");
        TRY(map_put(&s->index, key, s->entry_count));
        slot = s->entry_count++;
        s->entries[slot] = (struct entry){s->row_units, (uint8_t)kind, false};
        s->row_units += units;
        must(s->row_units <= k->unit_room);
    }
    s->entries[slot].gone = gone;
    memcpy(&s->rows[s->entries[slot].at], row, shape->size);
    return NO_ERR;
}

struct err keeper_add_event(struct keeper *k, const struct event *event)
{
    struct set *s = k->filling;
    if (s->event_count == k->event_room) return ERR(FULL, "keeper: more events than a batch may have");
    s->events[s->event_count++] = *event;
    return NO_ERR;
}

void keeper_end_batch(struct keeper *k, uint64_t seq, int64_t now_ms)
{
    struct set *s = k->filling;
    must(seq >= k->last_seq);
    if (!s->any) s->first_ms = now_ms;
    s->any = true;
    s->seq = k->last_seq = seq;
    s->hashed = false;
}

/* A set without changes: it moves nothing but the hash, and the sync. */
static void begin_empty(struct keeper *k)
{
    struct set *s = k->filling;
    if (s->any || !k->last_seq) return;
    s->any = true;
    s->seq = k->last_seq;
    s->hashed = false;
}

void keeper_note_hash(struct keeper *k, uint64_t state_hash)
{
    begin_empty(k);
    k->filling->hash = state_hash;
    k->filling->hashed = k->filling->any;
}

bool keeper_hand_over(struct keeper *k, int64_t now_ms, enum keeper_when when)
{
    struct set *s = k->filling;
    if (when == KEEPER_LAST) begin_empty(k);
    if (!s->any || keeper_busy(k)) return false;
    bool full = s->entry_count >= k->options.rows_max / 2 || s->event_count >= k->options.events_max / 2;
    bool due = full || now_ms - s->first_ms >= k->options.interval_ms;
    if ((when == KEEPER_WHEN_DUE && !due) || (when == KEEPER_WHEN_FULL && !full)) return false;
    s->last = when == KEEPER_LAST;
    /* The keeper thread cleared its set before it let go of it: it is the other one of the two. */
    k->filling = s == k->sets[0] ? k->sets[1] : k->sets[0];
    atomic_store_explicit(&k->handed, s, memory_order_release);
    return true;
}

bool keeper_busy(const struct keeper *k)
{
    return atomic_load_explicit(&k->handed, memory_order_acquire) != NULL;
}

struct err keeper_turn(struct keeper *k, uint64_t committed_seq, int64_t now_ms, struct keeper_turned *out)
{
    *out = (struct keeper_turned){0};
    struct set *s = atomic_load_explicit(&k->handed, memory_order_acquire);
    struct err e = NO_ERR;
    if (s && s->seq <= committed_seq) {
        e = write_set(k, s, now_ms, out);
        set_clear(s);
        atomic_store_explicit(&k->handed, NULL, memory_order_release);
    }
    if (!e.code && k->dir) e = continue_base(k, out);
    out->tables_seq = k->tables->seq;
    out->synced_seq = k->tables->synced_seq;
    return e;
}

struct err keeper_base(struct keeper *k, const struct data_dir *dir)
{
    if (k->dir) return ERR(STATE, "keeper: a base copy is under way");
    char path[FILE_PATH_MAX];
    TRY(file_make_folder(dir->fs, DATA_BASES));
    TRY(data_sql_path(dir, PART_NAME, path));
    TRY(tables_copy_begin(&k->copy, k->tables, path, dir->vfs));
    k->dir = dir;
    return NO_ERR;
}

const char *keeper_text(const struct keeper *k)
{
    return k->tables->text;
}

static int by_kind_and_id(const void *a, const void *b)
{
    const struct table_change *x = a, *y = b;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    uint64_t i = *(const uint64_t *)x->row, j = *(const uint64_t *)y->row; /* every row begins with its id */
    return (i > j) - (i < j);
}

static struct err write_set(struct keeper *k, struct set *s, int64_t now_ms, struct keeper_turned *out)
{
    for (uint32_t i = 0; i < s->entry_count; i++) {
        const struct entry *e = &s->entries[i];
        k->changes[i] = (struct table_change){e->kind, e->gone, &s->rows[e->at]};
        if (e->kind != ROW_PARTITION) out->news = true;
    }
    /* In the order of the keys: neighbours share pages, and the same changes make the same file. */
    qsort(k->changes, s->entry_count, sizeof *k->changes, by_kind_and_id);
    bool sync = s->last || k->synced_ms == INT64_MIN || now_ms - k->synced_ms >= k->options.sync_ms;
    struct table_cut cut = {.seq = s->seq, .rows = k->changes, .row_count = s->entry_count, .events = s->events,
                            .event_count = s->event_count, .sync = sync, .hashed = s->hashed, .state_hash = s->hash};
    TRY(tables_write_cut(k->tables, &cut));
    if (sync) k->synced_ms = now_ms;
    out->wrote = true;
    out->news = out->news || s->event_count;
    out->rows = s->entry_count;
    out->events = s->event_count;
    return NO_ERR;
}

static struct err continue_base(struct keeper *k, struct keeper_turned *out)
{
    bool done;
    TRY(tables_copy_step(&k->copy, KEEPER_BASE_PAGES_A_TURN, &done));
    if (!done) return NO_ERR;
    const struct data_dir *dir = k->dir;
    char name[BASE_NAME_MAX];
    base_name(k->copy.seq, name);
    out->base_seq = k->copy.seq;
    tables_copy_end(&k->copy);
    k->dir = NULL;
    /* Under its name only when complete: a crash leaves a .part that nobody reads. */
    TRY(file_rename(dir->fs, PART_NAME, name));
    TRY(file_sync_folder(dir->fs, DATA_BASES));
    out->base_done = true;
    return NO_ERR;
}

static struct set *set_create(const struct keeper *k)
{
    size_t need = map_need(k->entry_room);
    struct set *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->entries = calloc(k->entry_room, sizeof *s->entries);
    s->rows = calloc(k->unit_room, sizeof *s->rows);
    s->events = calloc(k->event_room, sizeof *s->events);
    s->index_memory = calloc(1, need + 64); /* fresh pages, touched as rows come */
    if (!s->entries || !s->rows || !s->events || !s->index_memory) {
        set_destroy(s);
        return NULL;
    }
    struct arena a = arena_on(s->index_memory + (64 - (uintptr_t)s->index_memory % 64), need);
    map_init(&s->index, &a, k->entry_room);
    return s;
}

static void set_destroy(struct set *s)
{
    if (!s) return;
    free(s->entries);
    free(s->rows);
    free(s->events);
    free(s->index_memory);
    free(s);
}

/* What a large cut touched goes back to the system, so that a morning's ten thousand connections are not paid for all day. */
static void let_go(void *list, size_t bytes)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)list;
    uintptr_t from = (begin + SET_KEPT_BYTES + page - 1) & ~(page - 1), end = (begin + bytes) & ~(page - 1);
    if (end > from) (void)madvise((void *)from, end - from, MADV_DONTNEED); /* memory that stays is no harm */
}

static void set_clear(struct set *s)
{
    if (s->entry_count < s->index.mask / 16) {
        for (uint32_t i = s->entry_count; i--;) {
            const struct entry *e = &s->entries[i];
            map_remove(&s->index, key_of(s->rows[e->at], e->kind), i);
        }
    } else {
        map_clear(&s->index);
    }
    let_go(s->rows, s->row_units * sizeof *s->rows);
    let_go(s->events, s->event_count * sizeof *s->events);
    s->entry_count = s->event_count = s->row_units = 0;
    s->any = s->hashed = s->last = false;
}
