/* SPDX-License-Identifier: Apache-2.0 */
#include "street/street.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/ring.h"
#include "street/board.h"
#include "street/mirror.h"

#define ROWS_DEFAULT 200000u
#define SNAPSHOTS 2u
#define HELD_AGAIN_US 1000
#define PRESSED_PART 4u            /* of the ring */

struct street {
    struct street_options options;
    struct ring ring;              /* struct street_change, engine to view */
    struct mirror mirror;
    struct snapshot_state snapshots[SNAPSHOTS];
    struct board board;
    struct street_counters counters;
    int64_t next_us;               /* when a snapshot is due */
    void *memory;
};

static struct street_options filled(const struct street_options *o)
{
    struct street_options f = *o;
    if (!f.vehicles_max) f.vehicles_max = ROWS_DEFAULT;
    if (!f.rides_max) f.rides_max = ROWS_DEFAULT;
    if (!f.ring) f.ring = STREET_RING_DEFAULT;
    return f;
}

size_t street_need(const struct street_options *options)
{
    struct street_options o = filled(options);
    struct mirror_limits limits = {o.vehicles_max, o.rides_max};
    return ring_need(sizeof(struct street_change), o.ring) + mirror_need(&limits) + SNAPSHOTS * snapshot_need(&limits);
}

struct err street_create(const struct street_options *options, struct street **out)
{
    *out = NULL;
    struct street *s = aligned_alloc(64, arena_need(sizeof *s));
    if (!s) return ERR(FULL, "street: no memory");
    memset(s, 0, sizeof *s);
    s->options = filled(options);
    struct mirror_limits limits = {s->options.vehicles_max, s->options.rides_max};
    must(s->options.ring > STREET_BATCH_ROWS_MAX && s->options.vehicles_max < STREET_RENTABLE);
    size_t need = street_need(options);
    s->memory = calloc(1, need + 64); /* fresh pages, touched as rows come */
    if (!s->memory) {
        free(s);
        return ERR(FULL, "street: no memory");
    }
    struct arena a = arena_on((uint8_t *)s->memory + (64 - (uintptr_t)s->memory % 64), need);
    ring_init(&s->ring, &a, sizeof(struct street_change), s->options.ring);
    mirror_init(&s->mirror, &a, &limits, s->options.key);
    for (unsigned i = 0; i < SNAPSHOTS; i++) snapshot_init(&s->snapshots[i], &a, &s->mirror);
    *out = s;
    return NO_ERR;
}

void street_destroy(struct street *s)
{
    if (!s) return;
    free(s->memory);
    free(s);
}

/* ---- before the threads ---- */

struct seeding { struct street *s; enum row_kind kind; };

static void seed_row(void *ctx, const void *row)
{
    const struct seeding *seeding = ctx;
    struct street_change change = {.seq = 0};
    if (change_of_row(&change, seeding->kind, row)) mirror_apply(&seeding->s->mirror, &change, MIRROR_SEED);
}

void street_seed(struct street *s, const struct engine *engine)
{
    for (unsigned kind = 0; kind < ROW_N; kind++) {
        struct seeding seeding = {s, kind};
        struct street_change none;
        static const union { uint64_t id; uint8_t room[ROW_SIZE_MAX]; } nothing;
        if (change_of_row(&none, kind, &nothing)) engine_each(engine, kind, seed_row, &seeding);
    }
}

void street_seed_ride(struct street *s, const struct ride *ride)
{
    if (ride->state != RIDE_SETTLED) return;
    struct street_counts one = {.day_rides = 1, .day_minutes = ride->minutes, .day_minor = ride->charge_minor};
    mirror_add_day(&s->mirror, ride->city_id, ride->ended_ms / STREET_DAY_MS, &one);
}

/* ---- engine thread ---- */

bool street_has_room(const struct street *s)
{
    return s->options.ring - ring_count(&s->ring) >= STREET_BATCH_ROWS_MAX;
}

bool street_pressed(const struct street *s)
{
    return ring_count(&s->ring) >= s->options.ring / PRESSED_PART;
}

void street_put(struct street *s, uint64_t seq, enum row_kind kind, const void *row, bool gone)
{
    struct street_change *room = ring_room(&s->ring);
    must(room); /* asked for before the batch began */
    if (!change_of_row(room, kind, row)) return;
    room->seq = seq;
    room->gone = gone;
    ring_put(&s->ring);
}

/* ---- view thread ---- */

static void count(_Atomic uint64_t *counter, uint64_t by)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by, memory_order_relaxed);
}

static void set(_Atomic uint64_t *counter, uint64_t value)
{
    atomic_store_explicit(counter, value, memory_order_relaxed);
}

static int64_t mono_us(const struct street *s)
{
    return s->options.mono_us ? s->options.mono_us(s->options.ctx) : 0;
}

static void take_durable(struct street *s, uint64_t committed_seq)
{
    uint64_t taken = 0;
    for (const struct street_change *c; (c = ring_peek(&s->ring)) && c->seq <= committed_seq; taken++) {
        mirror_apply(&s->mirror, c, MIRROR_LIVE);
        ring_took(&s->ring);
    }
    count(&s->counters.changes, taken);
}

static struct snapshot_state *free_snapshot(struct street *s)
{
    for (unsigned i = 0; i < SNAPSHOTS; i++) {
        if (board_free(&s->board, &s->snapshots[i].s)) return &s->snapshots[i];
    }
    return NULL;
}

static void note_snapshot(struct street *s, const struct snapshot *shown)
{
    struct street_counters *c = &s->counters;
    uint64_t rentable = 0, vehicles = 0;
    for (uint32_t i = 0; i <= shown->city_count; i++) {
        rentable += shown->counts[i].rentable;
        for (unsigned state = 0; state < VEHICLE_STATE_N; state++) vehicles += shown->counts[i].vehicles[state];
    }
    set(&c->seq, shown->seq);
    set(&c->vehicles, vehicles);
    set(&c->rentable, rentable);
    set(&c->left_out, s->mirror.left_out);
    set(&c->taken_us, (uint64_t)shown->taken_us);
    count(&c->snapshots, 1);
}

static void note_time(struct street *s, int64_t us)
{
    struct street_counters *c = &s->counters;
    uint64_t took = us > 0 ? (uint64_t)us : 0;
    count(&c->make_us_sum, took);
    if (took > atomic_load_explicit(&c->make_us_max, memory_order_relaxed)) set(&c->make_us_max, took);
    int64_t pause_us = us * STREET_BUSY_PART;
    s->next_us = mono_us(s) + (pause_us > STREET_INTERVAL_MS * 1000 ? pause_us : STREET_INTERVAL_MS * 1000);
}

bool street_show(struct street *s, uint64_t committed_seq, int64_t now_ms)
{
    int64_t begun_us = mono_us(s);
    take_durable(s, committed_seq);
    struct snapshot_state *to = free_snapshot(s), *all[SNAPSHOTS];
    if (!to) {
        count(&s->counters.held_back, 1);
        s->next_us = begun_us + HELD_AGAIN_US;
        return false;
    }
    for (unsigned i = 0; i < SNAPSHOTS; i++) all[i] = &s->snapshots[i];
    mirror_settle(&s->mirror, committed_seq, now_ms, all, SNAPSHOTS);
    mirror_copy(&s->mirror, to);
    to->s.seq = committed_seq;
    to->s.now_ms = now_ms;
    to->s.taken_us = begun_us;
    board_show(&s->board, &to->s);
    note_snapshot(s, &to->s);
    note_time(s, mono_us(s) - begun_us);
    return true;
}

int64_t street_turn(struct street *s, uint64_t committed_seq, int64_t now_ms)
{
    if (s->options.mono_us && mono_us(s) < s->next_us) take_durable(s, committed_seq);
    else (void)street_show(s, committed_seq, now_ms); /* held back: a moment later */
    int64_t left_us = s->next_us - mono_us(s);
    return left_us > 0 ? left_us : 0;
}

/* ---- readers ---- */

const struct snapshot *street_hold(struct street *s, enum street_reader reader)
{
    return board_hold(&s->board, reader);
}

void street_let_go(struct street *s, enum street_reader reader)
{
    board_let_go(&s->board, reader);
}

const struct street_counters *street_counters(const struct street *s)
{
    return &s->counters;
}

unsigned street_readers(const struct street *s)
{
    return board_held(&s->board);
}

uint32_t street_waiting(const struct street *s)
{
    return ring_count(&s->ring);
}
