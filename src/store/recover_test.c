/* SPDX-License-Identifier: Apache-2.0 */
/* However a directory was left, the engine that starts from it holds what the uninterrupted one held, or the start is
 * refused with a reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "engine/testing/town.h"
#include "store/recover.h"

#define BUILD 0x1234u
#define BATCH 50u
#define SEGMENT_BYTES (64u << 10)

static const struct engine_limits limits = {{
    [ROW_LEGAL_ENTITY] = 8, [ROW_CITY] = 8, [ROW_VEHICLE_TYPE] = 8, [ROW_PLAN] = 8, [ROW_VEHICLE] = 64,
    [ROW_PUBLIC_CODE] = 64, [ROW_DEVICE] = 64, [ROW_RIDER] = 64, [ROW_STAFF] = 8, [ROW_RIDE] = 64, [ROW_COMMAND] = 256,
    [ROW_ANSWER] = 512, [ROW_QUARANTINE] = 4,
}};

static struct town *town; /* the life that is recovered: made once, read by all */
static char folder[64];
static struct file_os os;
static struct file_system fs;
static struct recover_options options;
static struct recovered r;

static void one_ride(void)
{
    struct uuid ride = town_ride(town)->uuid;
    for (int i = 0; i < 30; i++) {
        town->now_ms += 15000;
        town_speed(town, &town_scooter, 120, false);
    }
    town->now_ms += 15000;
    town_speed(town, &town_scooter, 0, false);
    assert_int_equal(town_end(town, town_rider, ride), ERR_OK);
    town_key(town, &town_scooter, COMMAND_OP_LOCK, 5);
    town_result(town, &town_scooter, COMMAND_OP_LOCK, 0);
    town_apply(town, &(struct fact){.kind = FACT_TABLES_WRITTEN, .tables_written = {town->seq}});
    town_tick(town, 60000);
}

static int make_town(void **state)
{
    (void)state;
    town = town_create();
    while (town->seq < 3000) one_ride();
    return 0;
}

static int drop_town(void **state)
{
    (void)state;
    town_destroy(town);
    return 0;
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/paddock-recover-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(file_os_open(&os, folder, &fs).code, ERR_OK);
    options = (struct recover_options){.dir = {.fs = &fs, .sql_folder = folder}, .build = BUILD, .limits = &limits,
                                       .journal = {.segment_bytes = SEGMENT_BYTES, .buffer_bytes = 32u << 10, .salt = 7}};
    memset(&r, 0, sizeof r);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    recovered_close(&r);
    file_os_close(&os);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static void start(void)
{
    struct err e = recover_open(&r, &options);
    if (e.code) fail_msg("%s: %s", e.why, r.text);
}

static void keep(void *ctx, enum row_kind kind, const void *row, bool gone)
{
    (void)ctx;
    assert_int_equal(keeper_add_row(r.keeper, kind, row, gone).code, ERR_OK);
}

/* Applies the town's facts up to `until`, as a node does; a cut after every `cut_every` batches. */
static void serve(uint64_t until, unsigned cut_every)
{
    static struct effect room[EFFECTS_PER_FACT_MAX];
    struct effects effects = {.at = room, .cap = EFFECTS_PER_FACT_MAX};
    unsigned batches = 0;
    for (uint64_t seq = engine_seq(r.engine) + 1; seq <= until; seq++) {
        const struct fact *fact = &town->facts[seq - 1];
        uint8_t memory[FACT_BYTES_MAX];
        struct buf b = buf_on(memory, sizeof memory);
        effects.count = 0;
        engine_step(r.engine, seq, fact, &effects);
        assert_int_equal(effects.sum, town->sums[seq - 1]);
        fact_encode(fact, &b);
        assert_int_equal(journal_append(r.journal, seq, fact->now_ms, BUILD, effects.sum, buf_bytes(&b)).code, ERR_OK);
        for (unsigned i = 0; i < effects.count; i++) {
            if (effects.at[i].kind != EFFECT_EVENT) continue;
            assert_int_equal(keeper_add_event(r.keeper, &effects.at[i].event).code, ERR_OK);
        }
        if (seq % BATCH && seq != until) continue;
        engine_drain_changes(r.engine, keep, NULL);
        keeper_end_batch(r.keeper, seq, fact->now_ms);
        assert_int_equal(journal_commit(r.journal).code, ERR_OK);
        if (!cut_every || ++batches % cut_every) continue;
        struct keeper_turned turned;
        keeper_note_hash(r.keeper, engine_hash(r.engine));
        keeper_hand_over(r.keeper, fact->now_ms, KEEPER_NOW);
        assert_int_equal(keeper_turn(r.keeper, seq, fact->now_ms, &turned).code, ERR_OK);
    }
}

/* What an engine holds that lived through it without a stop. */
static uint64_t hash_at(uint64_t seq)
{
    static struct effect room[EFFECTS_PER_FACT_MAX];
    struct effects effects = {.at = room, .cap = EFFECTS_PER_FACT_MAX};
    void *memory = aligned_alloc(64, (engine_need(&limits) + 63) & ~(size_t)63);
    assert_non_null(memory);
    memset(memory, 0, engine_need(&limits));
    struct engine *e = engine_init(memory, &limits);
    for (uint64_t s = 1; s <= seq; s++) {
        effects.count = 0;
        engine_step(e, s, &town->facts[s - 1], &effects);
        engine_drain_changes(e, NULL, NULL);
    }
    uint64_t hash = engine_hash(e);
    free(memory);
    return hash;
}

/* Cuts everything that is left into the tables and gives a sum over all of them. */
static uint64_t tables_sum(void)
{
    struct keeper_turned turned;
    keeper_hand_over(r.keeper, 0, KEEPER_LAST);
    assert_int_equal(keeper_turn(r.keeper, engine_seq(r.engine), 0, &turned).code, ERR_OK);
    uint64_t sum = 0;
    for (int table = 0; table <= ROW_N; table++) {
        char sql[96];
        snprintf(sql, sizeof sql, "SELECT * FROM %s", table < ROW_N ? row_tables[table] : "events");
        sqlite3_stmt *st;
        assert_int_equal(sqlite3_prepare_v2(r.tables.db, sql, -1, &st, NULL), SQLITE_OK);
        while (sqlite3_step(st) == SQLITE_ROW) {
            for (int i = 0; i < sqlite3_column_count(st); i++) {
                const void *text = sqlite3_column_text(st, i);
                struct bytes value = bytes_of(text ? text : "", (size_t)sqlite3_column_bytes(st, i));
                for (size_t k = 0; k < value.len; k++) sum = sum * 31 + value.at[k];
            }
            sum = sum * 31 + 1;
        }
        sqlite3_finalize(st);
    }
    return sum;
}

static void test_an_empty_directory_starts_as_new(void **state)
{
    (void)state;
    start();
    assert_int_equal(r.seq, 0);
    assert_false(r.rebuilt);
    assert_string_equal(r.text, "");
    assert_int_equal(journal_next_seq(r.journal), 1);
}

static void test_cut_and_tail_give_the_uninterrupted_state(void **state)
{
    (void)state;
    static const uint64_t stops[] = {1, 49, 50, 51, 700, 701, 1500, 2999};
    start();
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        serve(stops[i], 7);
        uint64_t want = hash_at(stops[i]);
        assert_int_equal(engine_hash(r.engine), want);
        recovered_close(&r); /* as a kill: what the keeper held is gone */
        start();
        assert_int_equal(r.seq, stops[i]);
        assert_int_equal(r.now_ms, town->facts[stops[i] - 1].now_ms);
        assert_int_equal(r.from_seq + r.replayed, stops[i]);
        assert_int_equal(engine_hash(r.engine), want);
    }
    assert_true(r.from_seq >= 2500);
    assert_int_equal(r.state_hash_checked, r.from_seq);
}

static void test_an_orderly_stop_leaves_no_tail(void **state)
{
    (void)state;
    start();
    serve(500, 0);
    (void)tables_sum();
    recovered_close(&r);
    start();
    assert_int_equal(r.from_seq, 500);
    assert_int_equal(r.replayed, 0);
}

static void test_lost_tables_are_rebuilt_row_for_row(void **state)
{
    (void)state;
    start();
    serve(2000, 3);
    uint64_t want = tables_sum();
    recovered_close(&r);
    assert_int_equal(file_remove(&fs, DATA_TABLES).code, ERR_OK);
    options.keeper.rows_max = 40; /* many cuts on the way */
    start();
    assert_true(r.from == RECOVER_START && r.replayed == 2000);
    assert_true(tables_sum() == want);
    assert_int_equal(engine_hash(r.engine), hash_at(2000));
}

static void test_damaged_tables_are_set_aside_and_rebuilt(void **state)
{
    (void)state;
    static const char *const damages[] = {"UPDATE vehicles SET state = 'flying'",
                                          "UPDATE riders SET owed_minor = owed_minor + 1",
                                          "DELETE FROM devices WHERE ident = '490154203237518'",
                                          "UPDATE meta SET value = 100 WHERE key = 'tables_seq'", NULL};
    start();
    serve(900, 3);
    uint64_t want = tables_sum(), hash = engine_hash(r.engine);
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        keeper_note_hash(r.keeper, engine_hash(r.engine));
        (void)tables_sum();
        if (damages[i]) assert_int_equal(sqlite3_exec(r.tables.db, damages[i], NULL, NULL, NULL), SQLITE_OK);
        recovered_close(&r);
        if (!damages[i]) {
            struct file f;
            uint8_t junk[8192];
            memset(junk, 'x', sizeof junk);
            assert_int_equal(file_open(&fs, DATA_TABLES, FILE_WRITE, &f).code, ERR_OK);
            assert_int_equal(file_write_at(&fs, f, 0, junk, sizeof junk).code, ERR_OK);
            file_close(&fs, &f);
        }
        start();
        if (!r.rebuilt) fail_msg("%s went unnoticed: %s", damages[i], r.text);
        assert_non_null(strstr(r.text, "tables.db.damaged"));
        assert_int_equal(engine_hash(r.engine), hash);
        assert_true(tables_sum() == want);
        bool has;
        assert_int_equal(data_has(&options.dir, "tables.db.damaged", &has).code, ERR_OK);
        assert_true(has);
    }
}

static void make_base(void)
{
    struct keeper_turned turned = {0};
    assert_int_equal(keeper_base(r.keeper, &options.dir).code, ERR_OK);
    while (!turned.base_done) assert_int_equal(keeper_turn(r.keeper, engine_seq(r.engine), 0, &turned).code, ERR_OK);
}

static void test_a_base_takes_the_place_of_lost_tables_when_the_journal_is_short(void **state)
{
    (void)state;
    start();
    serve(1000, 1);
    make_base();
    serve(2000, 1);
    make_base();
    serve(2400, 1);
    uint64_t want = tables_sum();
    assert_int_equal(journal_drop_before(r.journal, 1900).code, ERR_OK);
    assert_true(journal_first_seq(r.journal) > 1);
    recovered_close(&r);
    assert_int_equal(file_remove(&fs, DATA_TABLES).code, ERR_OK);
    start();
    assert_int_equal(r.from, RECOVER_BASE);
    assert_int_equal(r.from_seq, 2000);
    assert_int_equal(engine_hash(r.engine), hash_at(2400));
    assert_true(tables_sum() == want);
    recovered_close(&r);
    /* Reading only: the oldest base that the journal still follows, and nothing in the folder changes. */
    options.read_only = true;
    options.from = RECOVER_BASE;
    options.until_seq = 2100;
    start();
    assert_int_equal(r.from_seq, 2000);
    assert_int_equal(r.seq, 2100);
    assert_int_equal(engine_hash(r.engine), hash_at(2100));
    recovered_close(&r);
    options.from = RECOVER_START;
    assert_int_equal(recover_open(&r, &options).code, ERR_NOT_FOUND);
}

static void test_other_effects_are_named_and_refused_unless_accepted(void **state)
{
    (void)state;
    start();
    serve(100, 0);
    uint8_t memory[FACT_BYTES_MAX];
    for (uint64_t seq = 101; seq <= 110; seq++) {
        struct buf b = buf_on(memory, sizeof memory);
        fact_encode(&town->facts[seq - 1], &b);
        uint64_t sum = town->sums[seq - 1] ^ (seq >= 105);
        struct err e = journal_append(r.journal, seq, town->facts[seq - 1].now_ms, 0xbeef, sum, buf_bytes(&b));
        assert_int_equal(e.code, ERR_OK);
    }
    assert_int_equal(journal_commit(r.journal).code, ERR_OK);
    recovered_close(&r);
    assert_int_equal(recover_open(&r, &options).code, ERR_STATE);
    assert_non_null(strstr(r.text, "Fact 105, written by build 000000000000beef"));
    recovered_close(&r);
    options.accept_other_effects = true;
    start();
    assert_int_equal(r.seq, 110);
    assert_int_equal(r.differing, 6);
    assert_true(r.first_differing_seq == 105 && r.first_differing_build == 0xbeef);
}

static void test_a_lost_journal_is_not_begun_anew(void **state)
{
    (void)state;
    start();
    serve(100, 1);
    recovered_close(&r);
    char from[96], to[96];
    snprintf(from, sizeof from, "%s/journal", folder);
    snprintf(to, sizeof to, "%s/moved", folder);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(recover_open(&r, &options).code, ERR_CORRUPT);
    assert_non_null(strstr(r.text, "journal/ is missing"));
    recovered_close(&r);
    assert_int_equal(recover_open(&r, &options).code, ERR_CORRUPT); /* nor the second time */
}

static void test_reading_only_changes_nothing(void **state)
{
    (void)state;
    start();
    serve(777, 5);
    recovered_close(&r);
    options.read_only = true;
    options.until_ms = town->facts[399].now_ms;
    options.from = RECOVER_START;
    start();
    assert_true(r.seq >= 400 && town->facts[r.seq - 1].now_ms == options.until_ms);
    assert_true(town->facts[r.seq].now_ms > options.until_ms);
    assert_null(r.keeper);
    recovered_close(&r);
    options.until_ms = 0;
    options.from = RECOVER_BEST;
    for (int twice = 0; twice < 2; twice++) {
        start();
        assert_int_equal(r.from, RECOVER_TABLES);
        assert_true(r.seq == 777 && r.from_seq < 777);
        recovered_close(&r);
    }
    assert_int_equal(file_remove(&fs, DATA_TABLES).code, ERR_OK);
    start();
    assert_true(r.rebuilt && r.from == RECOVER_START);
    bool has;
    assert_int_equal(data_has(&options.dir, DATA_TABLES, &has).code, ERR_OK);
    assert_false(has);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_an_empty_directory_starts_as_new),
        TEST(test_cut_and_tail_give_the_uninterrupted_state),
        TEST(test_an_orderly_stop_leaves_no_tail),
        TEST(test_lost_tables_are_rebuilt_row_for_row),
        TEST(test_damaged_tables_are_set_aside_and_rebuilt),
        TEST(test_a_base_takes_the_place_of_lost_tables_when_the_journal_is_short),
        TEST(test_other_effects_are_named_and_refused_unless_accepted),
        TEST(test_a_lost_journal_is_not_begun_anew),
        TEST(test_reading_only_changes_nothing),
    };
    return cmocka_run_group_tests(tests, make_town, drop_town);
}
