/* SPDX-License-Identifier: Apache-2.0 */
/* However a directory was left, the engine that starts from it holds what the uninterrupted one held, or
 * the start is refused with a reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store/testing/life.h"

static char folder[64];
static struct file_os os;
static struct file_system fs;
static struct recover_options options;
static struct recovered r;

static int make_life(void **state)
{
    (void)state;
    life_begin();
    return 0;
}

static int end_life(void **state)
{
    (void)state;
    life_end();
    return 0;
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/paddock-recover-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(file_os_open(&os, folder, &fs).code, ERR_OK);
    struct data_dir dir = {.fs = &fs, .sql_folder = folder};
    options = life_options(&dir);
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

static void serve(uint64_t until, unsigned cut_every)
{
    struct err e = life_go(&r, until, cut_every);
    if (e.code) fail_msg("%s", e.why);
}

/* Cuts everything that is left into the tables and gives a sum over all of them. */
static uint64_t tables_sum(void)
{
    assert_int_equal(life_flush(&r).code, ERR_OK);
    return life_tables_sum(&r);
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
        uint64_t want = life_hash(stops[i]);
        assert_int_equal(engine_hash(r.engine), want);
        recovered_close(&r); /* as a kill: what the keeper held is gone */
        start();
        assert_int_equal(r.seq, stops[i]);
        assert_int_equal(r.now_ms, life->facts[stops[i] - 1].now_ms);
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
    assert_int_equal(engine_hash(r.engine), life_hash(2000));
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
    assert_int_equal(engine_hash(r.engine), life_hash(2400));
    assert_true(tables_sum() == want);
    recovered_close(&r);
    /* Reading only: the oldest base that the journal still follows, and nothing in the folder changes. */
    options.read_only = true;
    options.from = RECOVER_BASE;
    options.until_seq = 2100;
    start();
    assert_int_equal(r.from_seq, 2000);
    assert_int_equal(r.seq, 2100);
    assert_int_equal(engine_hash(r.engine), life_hash(2100));
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
        fact_encode(&life->facts[seq - 1], &b);
        uint64_t sum = life->sums[seq - 1] ^ (seq >= 105);
        struct err e = journal_append(r.journal, seq, life->facts[seq - 1].now_ms, 0xbeef, sum, buf_bytes(&b));
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
    options.until_ms = life->facts[399].now_ms;
    options.from = RECOVER_START;
    start();
    assert_true(r.seq >= 400 && life->facts[r.seq - 1].now_ms == options.until_ms);
    assert_true(life->facts[r.seq].now_ms > options.until_ms);
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
    return cmocka_run_group_tests(tests, make_life, end_life);
}
