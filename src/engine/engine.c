/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c: memory, the step, loading and hashing. What facts mean stands in the files beside it. */
#include "engine/engine.h"

#include <string.h>

#include "engine/ask.h"

static const uint32_t default_limits[ROW_N] = {
    [ROW_PARTITION] = 1,        [ROW_LEGAL_ENTITY] = 256,    [ROW_CITY] = 1024,      [ROW_VEHICLE_TYPE] = 1024,
    [ROW_PLAN] = 4096,          [ROW_VEHICLE] = 200000,      [ROW_PUBLIC_CODE] = 400000, [ROW_DEVICE] = 200000,
    [ROW_RIDER] = 5000000,      [ROW_STAFF] = 20000,         [ROW_RIDE] = 200000,    [ROW_COMMAND] = 200000,
    [ROW_ANSWER] = 2000000,     [ROW_QUARANTINE] = 10000,    [ROW_POSTING] = 131072,
    [ROW_HOOK] = 16,            [ROW_ASK] = 50000,          [ROW_WEBHOOK] = 32,
};

/* Heaps hold stale entries beside the live one of each row; twice the rows is enough because a row is pushed again
 * only when its deadline moved earlier, and compact_timers() clears the stale ones when it fills. */
static uint32_t timer_limit(const struct engine_limits *l)
{
    return 2 * (l->rows[ROW_DEVICE] + l->rows[ROW_RIDE] + l->rows[ROW_COMMAND] + l->rows[ROW_ANSWER] + l->rows[ROW_ASK]) + 1024;
}

static struct engine_limits with_defaults(const struct engine_limits *asked)
{
    struct engine_limits l = {{0}};
    for (unsigned k = 0; k < ROW_N; k++) {
        l.rows[k] = asked && asked->rows[k] ? asked->rows[k] : default_limits[k];
    }
    l.rows[ROW_PARTITION] = 1;
    l.rows[ROW_POSTING] = default_limits[ROW_POSTING]; /* only those of one batch are ever in */
    return l;
}

static size_t indexes_need(const struct engine_limits *l)
{
    return map_need(l->rows[ROW_PUBLIC_CODE]) + map_need(l->rows[ROW_DEVICE]) + map_need(l->rows[ROW_QUARANTINE]) +
           map_need(l->rows[ROW_RIDER]) + map_need(l->rows[ROW_STAFF]) + map_need(l->rows[ROW_RIDE]) +
           map_need(l->rows[ROW_ANSWER]) + map_need(l->rows[ROW_ASK]) + heap_need(timer_limit(l)) +
           heap_need(l->rows[ROW_RIDE] + l->rows[ROW_COMMAND]) + heap_need(2 * l->rows[ROW_QUARANTINE]);
}

size_t engine_need(const struct engine_limits *limits)
{
    struct engine_limits l = with_defaults(limits);
    size_t need = arena_need(sizeof(struct engine)) + indexes_need(&l);
    for (unsigned k = 0; k < ROW_N; k++) need += pool_need(row_shapes[k].size, l.rows[k]);
    return need;
}

struct engine *engine_init(void *memory, const struct engine_limits *limits)
{
    struct arena a = arena_on(memory, engine_need(limits));
    struct engine *e = arena_take(&a, sizeof *e);
    memset(e, 0, sizeof *e);
    e->limits = with_defaults(limits);
    const struct engine_limits *l = &e->limits;
    for (unsigned k = 0; k < ROW_N; k++) pool_init(&e->pools[k], &a, row_shapes[k].size, l->rows[k]);
    map_init(&e->vehicle_by_code, &a, l->rows[ROW_PUBLIC_CODE]);
    map_init(&e->device_by_ident, &a, l->rows[ROW_DEVICE]);
    map_init(&e->quarantine_by_ident, &a, l->rows[ROW_QUARANTINE]);
    map_init(&e->rider_by_uuid, &a, l->rows[ROW_RIDER]);
    map_init(&e->staff_by_uuid, &a, l->rows[ROW_STAFF]);
    map_init(&e->ride_by_uuid, &a, l->rows[ROW_RIDE]);
    map_init(&e->answer_by_key, &a, l->rows[ROW_ANSWER]);
    map_init(&e->ask_by_uuid, &a, l->rows[ROW_ASK]);
    heap_init(&e->timers, &a, timer_limit(l));
    heap_init(&e->over, &a, l->rows[ROW_RIDE] + l->rows[ROW_COMMAND]);
    heap_init(&e->quarantine_order, &a, 2 * l->rows[ROW_QUARANTINE]);
    return e;
}

/* ---- rows ---- */

const void *row_of(const struct engine *e, enum row_kind kind, uint64_t id)
{
    uint32_t slot = pool_slot(&e->pools[kind], id);
    return slot == MAP_NONE ? NULL : pool_row(&e->pools[kind], slot);
}

void *edit_of(struct engine *e, enum row_kind kind, uint64_t id)
{
    uint32_t slot = pool_slot(&e->pools[kind], id);
    return slot == MAP_NONE ? NULL : pool_edit(&e->pools[kind], slot);
}

void *edit_row(struct engine *e, enum row_kind kind, const void *row)
{
    return pool_edit(&e->pools[kind], pool_slot_of(&e->pools[kind], row));
}

uint64_t new_id(struct engine *e)
{
    return e->self->next_id++;
}

void *add_row(struct engine *e, enum row_kind kind)
{
    if (e->pools[kind].count >= e->pools[kind].limit) return NULL;
    return pool_add(&e->pools[kind], new_id(e));
}

uint64_t draw(struct engine *e)
{
    uint8_t counter[8];
    store_u64(counter, ++e->self->draws);
    return hash_bytes((struct hash_key){e->self->seed0, e->self->seed1}, bytes_of(counter, sizeof counter));
}

struct uuid new_uuid(struct engine *e)
{
    struct uuid u;
    store_u64(u.at, draw(e));
    store_u64(u.at + 8, draw(e));
    u.at[6] = (uint8_t)((u.at[6] & 0x0f) | 0x40);
    u.at[8] = (uint8_t)((u.at[8] & 0x3f) | 0x80);
    return u;
}

int64_t now_of(const struct engine *e)
{
    return e->self->now_ms;
}

/* ---- timers ---- */

int64_t deadline_of(const struct engine *e, enum row_kind kind, const void *row)
{
    switch (kind) {
    case ROW_RIDE: return ((const struct ride *)row)->deadline_ms;
    case ROW_COMMAND: return ((const struct command *)row)->deadline_ms;
    case ROW_ANSWER: return ((const struct answer *)row)->at_ms + ANSWER_KEEP_MS;
    case ROW_ASK: {
        const struct ask *ask = row;
        return ask->send_ms && ask->send_ms < ask->deadline_ms ? ask->send_ms : ask->deadline_ms;
    }
    case ROW_DEVICE: {
        const struct device *d = row;
        return d->vehicle_id && !d->silent && d->seen_ms ? d->seen_ms + silence_ms(e, d) : 0;
    }
    default: return 0;
    }
}

/* Throws away stale entries: rebuilds the heap from the rows. */
static void compact_timers(struct engine *e)
{
    static const uint8_t kinds[] = {ROW_DEVICE, ROW_RIDE, ROW_COMMAND, ROW_ANSWER, ROW_ASK};
    e->timers.count = 0;
    for (unsigned k = 0; k < sizeof kinds; k++) {
        struct pool *p = &e->pools[kinds[k]];
        for (uint32_t slot = pool_next(p, 0); slot != MAP_NONE; slot = pool_next(p, slot + 1)) {
            const void *row = pool_row(p, slot);
            uint64_t id;
            memcpy(&id, row, sizeof id);
            p->timer_ms[slot] = deadline_of(e, kinds[k], row);
            if (p->timer_ms[slot]) heap_push(&e->timers, (struct heap_entry){p->timer_ms[slot], id, kinds[k]});
        }
    }
}

static void touch_slot(struct engine *e, enum row_kind kind, uint32_t slot)
{
    struct pool *p = &e->pools[kind];
    int64_t want_ms = deadline_of(e, kind, pool_row(p, slot));
    if (!want_ms || (p->timer_ms[slot] && p->timer_ms[slot] <= want_ms)) return;
    if (e->timers.count == e->timers.limit) compact_timers(e);
    if (p->timer_ms[slot] == want_ms) return;
    p->timer_ms[slot] = want_ms;
    uint64_t id;
    memcpy(&id, pool_row(p, slot), sizeof id);
    heap_push(&e->timers, (struct heap_entry){want_ms, id, kind});
}

void timer_touch(struct engine *e, enum row_kind kind, const void *row)
{
    touch_slot(e, kind, pool_slot_of(&e->pools[kind], row));
}

static void device_silent(struct engine *e, struct device *d)
{
    d->silent = true;
    struct vehicle *v = EDIT(e, VEHICLE, vehicle, d->vehicle_id);
    if (v) vehicle_lost(e, v);
}

static void fire(struct engine *e, enum row_kind kind, uint32_t slot)
{
    void *row = pool_edit(&e->pools[kind], slot);
    if (kind == ROW_RIDE) ride_timer(e, row);
    else if (kind == ROW_COMMAND) command_timer(e, row);
    else if (kind == ROW_DEVICE) device_silent(e, row);
    else if (kind == ROW_ASK) ask_timer(e, row);
    else if (kind == ROW_ANSWER) {
        unindex_row(e, kind, row);
        pool_remove(&e->pools[kind], slot, true);
    }
}

/* A popped entry is fired only when it is the row's true deadline: a stale one is pushed again under the true key,
 * so the order of firing is the same in a process that has lived long and in one that just loaded. */
static void fire_due(struct engine *e)
{
    unsigned fired = 0;
    while (fired < TIMERS_PER_STEP_MAX) {
        const struct heap_entry *first = heap_first(&e->timers);
        if (!first || first->key > now_of(e)) return;
        struct heap_entry entry = heap_pop(&e->timers);
        struct pool *p = &e->pools[entry.kind];
        uint32_t slot = pool_slot(p, entry.id);
        if (slot == MAP_NONE || p->timer_ms[slot] != entry.key) continue;
        p->timer_ms[slot] = 0;
        int64_t due_ms = deadline_of(e, entry.kind, pool_row(p, slot));
        if (due_ms == entry.key) {
            fire(e, entry.kind, slot);
            fired++;
        }
        if (pool_slot(p, entry.id) == slot) touch_slot(e, entry.kind, slot);
    }
}

void over_now(struct engine *e, enum row_kind kind, uint64_t id)
{
    heap_push(&e->over, (struct heap_entry){(int64_t)e->self->seq, id, kind});
}

/* Lets go of what is over once the tables hold it. */
static void forget_written(struct engine *e)
{
    for (unsigned n = 0; n < FORGET_PER_STEP_MAX; n++) {
        const struct heap_entry *first = heap_first(&e->over);
        if (!first || first->key > (int64_t)e->self->tables_seq) return;
        struct heap_entry entry = heap_pop(&e->over);
        uint32_t slot = pool_slot(&e->pools[entry.kind], entry.id);
        must(slot != MAP_NONE);
        void *row = pool_edit(&e->pools[entry.kind], slot);
        if (entry.kind == ROW_RIDE) ((struct ride *)row)->resident = false;
        else ((struct command *)row)->resident = false;
        unindex_row(e, entry.kind, row);
        pool_remove(&e->pools[entry.kind], slot, false);
    }
}

/* ---- the step ---- */

static void node_started(struct engine *e, const struct fact_node_started *f)
{
    struct partition *self = e->self;
    self->starts++;
    self->seed0 = hash_mix(self->seed0, f->seed0);
    self->seed1 = hash_mix(self->seed1, f->seed1);
    if (uuid_zero(self->uuid)) self->uuid = new_uuid(e);
    struct pool *p = &e->pools[ROW_DEVICE];
    for (uint32_t slot = pool_next(p, 0); slot != MAP_NONE; slot = pool_next(p, slot + 1)) {
        const struct device *d = pool_row(p, slot);
        if (d->session) ((struct device *)pool_edit(p, slot))->session = 0;
    }
    p = &e->pools[ROW_QUARANTINE];
    for (uint32_t slot = pool_next(p, 0); slot != MAP_NONE; slot = pool_next(p, slot + 1)) {
        const struct quarantine *q = pool_row(p, slot);
        if (q->session) ((struct quarantine *)pool_edit(p, slot))->session = 0;
    }
    command_restarted(e);
    ask_restarted(e);
}

static void apply_node(struct engine *e, const struct fact *fact)
{
    switch (fact->kind) {
    case FACT_NODE_STARTED:
        node_started(e, &fact->node_started);
        break;
    case FACT_TICK:
        if (fact->tick.jumped_ms) {
            struct event *ev = event_begin(e, EVENT_CLOCK_JUMP);
            ev->number = fact->tick.jumped_ms;
            event_end(e, ev);
        }
        break;
    case FACT_TABLES_WRITTEN:
        if (fact->tables_written.seq > e->self->tables_seq && fact->tables_written.seq < e->self->seq) {
            e->self->tables_seq = fact->tables_written.seq;
        }
        break;
    case FACT_FACT_REFUSED: {
        if (fact->fact_refused.protocol) {
            struct device *d = device_find(e, fact->fact_refused.protocol, &fact->fact_refused.ident);
            if (d) EDIT(e, DEVICE, device, d->id)->poisoned = true;
            quarantine_note(e, fact->fact_refused.protocol, &fact->fact_refused.ident, true);
        }
        struct event *ev = event_begin(e, EVENT_FACT_REFUSED);
        ev->number = fact->fact_refused.kind;
        ev->code = fact->fact_refused.ident;
        event_end(e, ev);
        break;
    }
    default: must(!"a fact of no kind");
    }
}

static void first_row(struct engine *e)
{
    e->self = pool_add(&e->pools[ROW_PARTITION], 1);
    e->self->next_id = 2;
}

void engine_step(struct engine *e, uint64_t seq, const struct fact *fact, struct effects *effects)
{
    if (!e->self) first_row(e);
    pool_edit(&e->pools[ROW_PARTITION], 0);
    must(seq == e->self->seq + 1);
    effects_begin_fact(effects);
    e->out = effects;
    e->self->seq = seq;
    if (fact->now_ms > e->self->now_ms) e->self->now_ms = fact->now_ms;
    forget_written(e);
    fire_due(e);
    if (fact->kind < 10) apply_node(e, fact);
    else if (fact->kind < 30) apply_declaration(e, fact);
    else if (fact->kind < 50) apply_request(e, fact);
    else apply_device(e, fact);
    e->out = NULL;
}

int64_t engine_due_ms(const struct engine *e)
{
    const struct heap_entry *over = heap_first(&e->over);
    if (over && over->key <= (int64_t)e->self->tables_seq) return e->self->now_ms;
    const struct heap_entry *first = heap_first(&e->timers);
    return first ? first->key : INT64_MAX;
}

uint64_t engine_seq(const struct engine *e)
{
    return e->self ? e->self->seq : 0;
}

int64_t engine_now_ms(const struct engine *e)
{
    return e->self ? e->self->now_ms : 0;
}

/* ---- state as a whole ---- */

uint64_t engine_hash(const struct engine *e)
{
    uint64_t total = 0;
    for (unsigned k = 0; k < ROW_N; k++) {
        if (k == ROW_POSTING) continue; /* written once and let go of with the batch */
        const struct pool *p = &e->pools[k];
        /* A sum over rows: slots have no order that counts. */
        for (uint32_t slot = pool_next(p, 0); slot != MAP_NONE; slot = pool_next(p, slot + 1)) {
            total += hash_mix(0x9e37 + k, field_hash(&row_shapes[k], pool_row(p, slot), k + 1));
        }
    }
    return total;
}

uint64_t engine_record_sum(const struct engine *e, const struct effects *effects)
{
    return e->self->seq % ENGINE_HASH_EVERY ? effects->sum : hash_mix(effects->sum, engine_hash(e));
}

uint32_t engine_changed_count(const struct engine *e)
{
    uint32_t count = 0;
    for (unsigned k = 0; k < ROW_N; k++) count += e->pools[k].dirty_count;
    return count;
}

void engine_drain_changes(struct engine *e, engine_change_fn *fn, void *ctx)
{
    struct pool *postings = &e->pools[ROW_POSTING];
    for (uint32_t i = 0; i < postings->dirty_count; i++) pool_remove(postings, postings->dirty[i], false);
    for (unsigned k = 0; k < ROW_N; k++) pool_drain(&e->pools[k], k, fn, ctx);
}

struct err engine_load(struct engine *e, enum row_kind kind, const void *row)
{
    uint64_t id;
    memcpy(&id, row, sizeof id);
    struct pool *p = &e->pools[kind];
    if (!id || pool_slot(p, id) != MAP_NONE) return ERR(CORRUPT, "a stored row has no id or one that is taken");
    if (kind == ROW_PARTITION && id != 1) return ERR(CORRUPT, "the partition's row is not number 1");
    void *at = pool_add(p, id);
    if (!at) return ERR(FULL, "more stored rows than the configured limit");
    memcpy(at, row, p->row_size);
    if (kind == ROW_PARTITION) e->self = at;
    return NO_ERR;
}

/* The largest id in memory must be one that was given out. */
static struct err check_ids(const struct engine *e)
{
    for (unsigned k = 1; k < ROW_N; k++) {
        const struct pool *p = &e->pools[k];
        for (uint32_t slot = pool_next(p, 0); slot != MAP_NONE; slot = pool_next(p, slot + 1)) {
            uint64_t id;
            memcpy(&id, pool_row(p, slot), sizeof id);
            if (!e->self || id >= e->self->next_id) return ERR(CORRUPT, "a stored row has an id that was never given");
        }
    }
    return NO_ERR;
}

struct err engine_loaded(struct engine *e)
{
    TRY(check_ids(e));
    for (unsigned k = 0; k < ROW_N; k++) {
        struct pool *p = &e->pools[k];
        for (uint32_t slot = pool_next(p, 0); slot != MAP_NONE; slot = pool_next(p, slot + 1)) {
            const void *row = pool_row(p, slot);
            index_row(e, k, row);
            const struct ride *r = row;
            const struct command *c = row;
            if (k == ROW_RIDE && r->over_seq) heap_push(&e->over, (struct heap_entry){(int64_t)r->over_seq, r->id, k});
            if (k == ROW_COMMAND && c->over_seq) heap_push(&e->over, (struct heap_entry){(int64_t)c->over_seq, c->id, k});
        }
    }
    compact_timers(e);
    engine_drain_changes(e, NULL, NULL);
    return NO_ERR;
}

/* ---- reading ---- */

const void *engine_row(const struct engine *e, enum row_kind kind, uint64_t id)
{
    return row_of(e, kind, id);
}

const struct rider *engine_rider(const struct engine *e, struct uuid account)
{
    return rider_find((struct engine *)e, account);
}

const struct ride *engine_ride(const struct engine *e, struct uuid ride)
{
    return ride_find((struct engine *)e, ride);
}

const struct command *engine_command(const struct engine *e, struct uuid command)
{
    const struct pool *p = &e->pools[ROW_COMMAND];
    for (uint32_t slot = pool_next(p, 0); slot != MAP_NONE; slot = pool_next(p, slot + 1)) {
        const struct command *c = pool_row(p, slot);
        if (uuid_equal(c->uuid, command)) return c;
    }
    return NULL;
}

const struct vehicle *engine_vehicle(const struct engine *e, struct bytes code)
{
    return vehicle_find((struct engine *)e, code);
}

const struct device *engine_device(const struct engine *e, uint8_t protocol, struct bytes ident)
{
    struct text64 text;
    return text_set(&text, ident).code ? NULL : device_find((struct engine *)e, protocol, &text);
}

uint32_t engine_row_count(const struct engine *e, enum row_kind kind)
{
    return e->pools[kind].count;
}

uint32_t engine_row_limit(const struct engine *e, enum row_kind kind)
{
    return e->pools[kind].limit;
}

void engine_each(const struct engine *e, enum row_kind kind, void (*fn)(void *ctx, const void *row), void *ctx)
{
    const struct pool *p = &e->pools[kind];
    for (uint32_t slot = pool_next(p, 0); slot != MAP_NONE; slot = pool_next(p, slot + 1)) fn(ctx, pool_row(p, slot));
}

const struct engine_coverage *engine_coverage(const struct engine *e)
{
    return &e->coverage;
}
