/* SPDX-License-Identifier: Apache-2.0 */
#include "store/testing/life.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

struct town *life;

static const struct engine_limits limits = {{
    [ROW_LEGAL_ENTITY] = 8, [ROW_CITY] = 8, [ROW_VEHICLE_TYPE] = 8, [ROW_PLAN] = 8, [ROW_VEHICLE] = 64,
    [ROW_PUBLIC_CODE] = 64, [ROW_DEVICE] = 64, [ROW_RIDER] = 64, [ROW_STAFF] = 8, [ROW_RIDE] = 64, [ROW_COMMAND] = 256,
    [ROW_ANSWER] = 512, [ROW_QUARANTINE] = 4,
}};
static struct effect effect_room[EFFECTS_PER_FACT_MAX];
static uint64_t *hashes; /* by seq */

static void one_ride(void)
{
    struct uuid ride = town_ride(life)->uuid;
    for (int i = 0; i < 30; i++) {
        life->now_ms += 15000;
        town_speed(life, &town_scooter, 120, false);
    }
    life->now_ms += 15000;
    town_speed(life, &town_scooter, 0, false);
    must(town_end(life, town_rider, ride) == ERR_OK);
    town_key(life, &town_scooter, COMMAND_OP_LOCK, 5);
    town_result(life, &town_scooter, COMMAND_OP_LOCK, 0);
    town_apply(life, &(struct fact){.kind = FACT_TABLES_WRITTEN, .tables_written = {life->seq}});
    town_tick(life, 60000);
}

/* The same facts in an engine that never stops. */
static void count_hashes(void)
{
    struct effects effects = {.at = effect_room, .cap = EFFECTS_PER_FACT_MAX};
    uint8_t *memory = calloc(1, engine_need(&limits) + 64);
    hashes = calloc(life->seq + 1, sizeof *hashes);
    must(memory && hashes);
    struct engine *e = engine_init(memory + (64 - (uintptr_t)memory % 64), &limits);
    for (uint64_t seq = 1; seq <= life->seq; seq++) {
        effects.count = 0;
        engine_step(e, seq, &life->facts[seq - 1], &effects);
        engine_drain_changes(e, NULL, NULL);
        hashes[seq] = engine_hash(e);
    }
    free(memory);
}

void life_begin(void)
{
    life = town_create();
    while (life->seq < LIFE_FACTS) one_ride();
    count_hashes();
}

void life_end(void)
{
    town_destroy(life);
    free(hashes);
}

struct recover_options life_options(const struct data_dir *dir)
{
    return (struct recover_options){
        .dir = *dir, .build = LIFE_BUILD, .limits = &limits,
        .journal = {.segment_bytes = LIFE_SEGMENT_BYTES, .buffer_bytes = 32u << 10, .salt = 7},
        .keeper = {.rows_max = 2000, .events_max = 2000},
    };
}

static void keep(void *ctx, enum row_kind kind, const void *row, bool gone)
{
    struct err e = keeper_add_row(ctx, kind, row, gone);
    must(!e.code);
}

static struct err add_events(struct keeper *k, const struct effects *effects)
{
    for (unsigned i = 0; i < effects->count; i++) {
        if (effects->at[i].kind == EFFECT_EVENT) TRY(keeper_add_event(k, &effects->at[i].event));
    }
    return NO_ERR;
}

static struct err end_batch(struct recovered *r, const struct fact *last, bool cut)
{
    uint64_t seq = engine_seq(r->engine);
    struct keeper_turned turned;
    engine_drain_changes(r->engine, keep, r->keeper);
    keeper_end_batch(r->keeper, seq, last->now_ms);
    TRY(journal_commit(r->journal));
    if (!cut) return NO_ERR;
    keeper_note_hash(r->keeper, engine_hash(r->engine));
    (void)keeper_hand_over(r->keeper, last->now_ms, KEEPER_NOW);
    return keeper_turn(r->keeper, seq, last->now_ms, &turned);
}

struct err life_go(struct recovered *r, uint64_t until, unsigned cut_every)
{
    struct effects effects = {.at = effect_room, .cap = EFFECTS_PER_FACT_MAX};
    unsigned batches = 0;
    for (uint64_t seq = engine_seq(r->engine) + 1; seq <= until; seq++) {
        const struct fact *fact = &life->facts[seq - 1];
        uint8_t memory[FACT_BYTES_MAX];
        struct buf b = buf_on(memory, sizeof memory);
        effects.count = 0;
        engine_step(r->engine, seq, fact, &effects);
        must(effects.sum == life->sums[seq - 1]);
        fact_encode(fact, &b);
        TRY(journal_append(r->journal, seq, fact->now_ms, LIFE_BUILD, effects.sum, buf_bytes(&b)));
        TRY(add_events(r->keeper, &effects));
        if (seq % LIFE_BATCH && seq != until) continue;
        TRY(end_batch(r, fact, cut_every && ++batches % cut_every == 0));
    }
    return NO_ERR;
}

uint64_t life_hash(uint64_t seq)
{
    return hashes[seq];
}

struct err life_flush(struct recovered *r)
{
    struct keeper_turned turned;
    (void)keeper_hand_over(r->keeper, r->now_ms, KEEPER_LAST);
    return keeper_turn(r->keeper, engine_seq(r->engine), r->now_ms, &turned);
}

uint64_t life_tables_sum(struct recovered *r)
{
    uint64_t sum = 0;
    for (int table = 0; table <= ROW_N; table++) {
        char sql[96];
        sqlite3_stmt *st;
        snprintf(sql, sizeof sql, "SELECT * FROM %s", table < ROW_N ? row_tables[table] : "events");
        must(sqlite3_prepare_v2(r->tables.db, sql, -1, &st, NULL) == SQLITE_OK);
        while (sqlite3_step(st) == SQLITE_ROW) {
            for (int i = 0; i < sqlite3_column_count(st); i++) {
                const void *text = sqlite3_column_text(st, i);
                struct bytes value = bytes_of(text ? text : "", (size_t)sqlite3_column_bytes(st, i));
                for (size_t k = 0; k < value.len; k++) sum = sum * 31 + value.at[k];
                sum = sum * 31 + 0x100;
            }
        }
        sqlite3_finalize(st);
    }
    return sum;
}
