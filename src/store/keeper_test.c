/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper writes the newest of every row, whole batches, and never ahead of the journal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <pthread.h>
#include <sqlite3.h>

#include "store/keeper.h"

static char folder[64], path[96];
static struct tables tables;
static struct keeper *keeper;
static struct keeper_turned turned;

static void start(const struct keeper_options *options)
{
    assert_int_equal(tables_open(&tables, path, &(struct tables_options){0}).code, ERR_OK);
    assert_int_equal(keeper_create(&keeper, &tables, options).code, ERR_OK);
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/paddock-keeper-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/tables.db", folder);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    keeper_destroy(keeper);
    keeper = NULL;
    tables_close(&tables);
    /* After a failed cut nothing is checkpointed, and the WAL stays. */
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        unlink(name);
    }
    return rmdir(folder);
}

static void add_rider(uint64_t id, int64_t owed_minor, bool gone)
{
    struct rider r = {.id = id, .state = ACCOUNT_ACTIVE, .owed_minor = owed_minor};
    assert_int_equal(keeper_add_row(keeper, ROW_RIDER, &r, gone).code, ERR_OK);
}

static void turn(uint64_t committed_seq, int64_t now_ms)
{
    struct err e = keeper_turn(keeper, committed_seq, now_ms, &turned);
    if (e.code) fail_msg("%s: %s", e.why, keeper_text(keeper));
}

static int64_t owed(uint64_t id)
{
    struct rider r;
    struct err e = tables_row(&tables, ROW_RIDER, id, &r);
    return e.code == ERR_NOT_FOUND ? -1 : r.owed_minor;
}

static void test_only_the_newest_version_of_a_row_is_written(void **state)
{
    (void)state;
    start(&(struct keeper_options){0});
    add_rider(1, 10, false);
    add_rider(2, 20, false);
    keeper_end_batch(keeper, 1, 0);
    add_rider(1, 11, false);
    add_rider(2, 20, true);
    add_rider(3, 30, true);
    add_rider(3, 31, false);
    keeper_end_batch(keeper, 2, 0);
    assert_true(keeper_hand_over(keeper, 0, KEEPER_NOW));
    turn(2, 0);
    assert_true(turned.wrote && turned.news);
    assert_int_equal(turned.rows, 3);
    assert_int_equal(turned.tables_seq, 2);
    assert_int_equal(owed(1), 11);
    assert_int_equal(owed(2), -1);
    assert_int_equal(owed(3), 31);
}

static void test_rows_of_two_kinds_with_one_id_are_two_rows(void **state)
{
    (void)state;
    start(&(struct keeper_options){0});
    struct staff s = {.id = 1, .role = STAFF_CREW};
    add_rider(1, 10, false);
    assert_int_equal(keeper_add_row(keeper, ROW_STAFF, &s, false).code, ERR_OK);
    keeper_end_batch(keeper, 1, 0);
    keeper_hand_over(keeper, 0, KEEPER_NOW);
    turn(1, 0);
    assert_int_equal(turned.rows, 2);
    assert_int_equal(owed(1), 10);
    assert_int_equal(tables_row(&tables, ROW_STAFF, 1, &s).code, ERR_OK);
}

/* Large lists give their pages back between two cuts: what comes next must find them empty, not half remembered. */
static void test_large_cuts_in_a_row_keep_every_row(void **state)
{
    (void)state;
    enum { ROWS = 4000 }; /* more than SET_KEPT_BYTES of them */
    start(&(struct keeper_options){0});
    for (uint64_t cut = 1; cut <= 4; cut++) { /* each of the two sets twice */
        for (uint64_t id = 1; id <= ROWS; id++) add_rider(id, (int64_t)(cut * 10000 + id), cut == 3 && id % 7 == 0);
        keeper_end_batch(keeper, cut, (int64_t)cut);
        assert_true(keeper_hand_over(keeper, (int64_t)cut, KEEPER_NOW));
        turn(cut, (int64_t)cut);
        assert_int_equal(turned.rows, ROWS);
        for (uint64_t id = 1; id <= ROWS; id++) {
            assert_int_equal(owed(id), cut == 3 && id % 7 == 0 ? -1 : (int64_t)(cut * 10000 + id));
        }
    }
}

static void test_nothing_is_written_before_its_batch_is_committed(void **state)
{
    (void)state;
    start(&(struct keeper_options){0});
    add_rider(1, 10, false);
    keeper_end_batch(keeper, 5, 0);
    assert_true(keeper_hand_over(keeper, 0, KEEPER_NOW));
    turn(4, 0);
    assert_false(turned.wrote);
    assert_true(keeper_busy(keeper));
    /* Meanwhile the engine fills the other set, and cannot hand it over. */
    add_rider(1, 12, false);
    keeper_end_batch(keeper, 6, 0);
    assert_false(keeper_hand_over(keeper, 99999, KEEPER_NOW));
    turn(5, 0);
    assert_true(turned.wrote);
    assert_int_equal(owed(1), 10);
    assert_true(keeper_hand_over(keeper, 99999, KEEPER_NOW));
    turn(6, 0);
    assert_int_equal(owed(1), 12);
}

static void test_a_set_is_due_by_time_or_by_size(void **state)
{
    (void)state;
    start(&(struct keeper_options){.interval_ms = 100, .rows_max = 8, .events_max = 8});
    assert_false(keeper_hand_over(keeper, 0, KEEPER_NOW)); /* empty */
    add_rider(1, 1, false);
    keeper_end_batch(keeper, 1, 1000);
    assert_false(keeper_hand_over(keeper, 1099, KEEPER_WHEN_DUE));
    assert_false(keeper_hand_over(keeper, 99999, KEEPER_WHEN_FULL)); /* however long it has waited */
    assert_true(keeper_hand_over(keeper, 1100, KEEPER_WHEN_DUE));
    turn(1, 1100);
    for (uint64_t id = 1; id <= 4; id++) add_rider(id, 1, false);
    keeper_end_batch(keeper, 2, 1101);
    assert_true(keeper_hand_over(keeper, 1101, KEEPER_WHEN_DUE));
    turn(2, 1101);
    struct event event = {.seq = 3, .kind = EVENT_ALARM};
    for (event.part = 0; event.part < 4; event.part++) {
        assert_int_equal(keeper_add_event(keeper, &event).code, ERR_OK);
    }
    keeper_end_batch(keeper, 3, 1102);
    assert_true(keeper_hand_over(keeper, 1102, KEEPER_WHEN_DUE));
    turn(3, 1102);
    assert_int_equal(turned.events, 4);
}

static void test_a_full_set_pushes_back_and_one_batch_still_fits(void **state)
{
    (void)state;
    start(&(struct keeper_options){.rows_max = 10, .events_max = 10});
    for (uint64_t id = 1; id <= 10; id++) add_rider(id, 1, false);
    assert_true(keeper_has_room(keeper));
    uint64_t id = 11;
    for (; id <= 10 + KEEPER_BATCH_ROWS_MAX; id++) add_rider(id, 1, false);
    assert_false(keeper_has_room(keeper));
    struct rider r = {.id = id, .state = ACCOUNT_ACTIVE};
    assert_int_equal(keeper_add_row(keeper, ROW_RIDER, &r, false).code, ERR_FULL);
    r.id = 1; /* a row that is in already needs no room */
    r.owed_minor = 9;
    assert_int_equal(keeper_add_row(keeper, ROW_RIDER, &r, false).code, ERR_OK);
    keeper_end_batch(keeper, 1, 0);
    assert_true(keeper_hand_over(keeper, 0, KEEPER_WHEN_DUE));
    assert_true(keeper_has_room(keeper)); /* the other set */
    turn(1, 0);
    assert_int_equal(turned.rows, 10 + KEEPER_BATCH_ROWS_MAX);
    assert_int_equal(owed(1), 9);
    struct event event = {.kind = EVENT_ALARM};
    for (unsigned i = 0; i < 10 + KEEPER_BATCH_EVENTS_MAX; i++) {
        assert_int_equal(keeper_add_event(keeper, &event).code, ERR_OK);
    }
    assert_false(keeper_has_room(keeper));
    assert_int_equal(keeper_add_event(keeper, &event).code, ERR_FULL);
}

static void test_cuts_are_synced_at_intervals_and_at_the_end(void **state)
{
    (void)state;
    start(&(struct keeper_options){.sync_ms = 1000});
    static const struct { int64_t now_ms; enum keeper_when when; uint64_t synced; } cuts[] = {
        {5000, KEEPER_NOW, 1}, {5999, KEEPER_NOW, 1}, {6000, KEEPER_NOW, 3}, {6001, KEEPER_NOW, 3},
        {6002, KEEPER_LAST, 5}};
    for (unsigned i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct partition p = {.id = 1, .seq = i + 1};
        assert_int_equal(keeper_add_row(keeper, ROW_PARTITION, &p, false).code, ERR_OK);
        keeper_end_batch(keeper, i + 1, cuts[i].now_ms);
        assert_true(keeper_hand_over(keeper, cuts[i].now_ms, cuts[i].when));
        turn(i + 1, cuts[i].now_ms);
        assert_int_equal(turned.tables_seq, i + 1);
        assert_int_equal(turned.synced_seq, cuts[i].synced);
        assert_false(turned.news); /* the partition's row alone is none */
    }
}

static void test_a_hash_is_stored_only_with_the_seq_it_is_of(void **state)
{
    (void)state;
    start(&(struct keeper_options){0});
    add_rider(1, 1, false);
    keeper_end_batch(keeper, 1, 0);
    keeper_note_hash(keeper, 0xabc);
    keeper_hand_over(keeper, 0, KEEPER_NOW);
    turn(1, 0);
    assert_true(tables.hash_seq == 1 && tables.state_hash == 0xabc);
    add_rider(1, 2, false);
    keeper_end_batch(keeper, 2, 0);
    keeper_note_hash(keeper, 0xdef);
    keeper_end_batch(keeper, 3, 0);
    keeper_hand_over(keeper, 0, KEEPER_NOW);
    turn(3, 0);
    assert_true(tables.hash_seq == 1 && tables.seq == 3);
}

static void test_an_orderly_stop_syncs_and_hashes_what_is_written_already(void **state)
{
    (void)state;
    start(&(struct keeper_options){0});
    keeper_note_hash(keeper, 1); /* nothing to be the hash of */
    assert_false(keeper_hand_over(keeper, 0, KEEPER_LAST));
    for (uint64_t seq = 1; seq <= 2; seq++) {
        add_rider(1, 1, false);
        keeper_end_batch(keeper, seq, 0);
        keeper_hand_over(keeper, 0, KEEPER_NOW);
        turn(seq, 0);
    }
    assert_int_equal(turned.synced_seq, 1);
    keeper_note_hash(keeper, 0xabc);
    assert_true(keeper_hand_over(keeper, 0, KEEPER_LAST));
    turn(2, 0);
    assert_false(turned.news);
    assert_int_equal(turned.synced_seq, 2);
    assert_true(tables.hash_seq == 2 && tables.state_hash == 0xabc);
}

static void test_a_failed_cut_is_final(void **state)
{
    (void)state;
    start(&(struct keeper_options){0});
    struct event event = {.seq = 1, .kind = EVENT_ALARM};
    for (int twice = 0; twice < 2; twice++) assert_int_equal(keeper_add_event(keeper, &event).code, ERR_OK);
    keeper_end_batch(keeper, 1, 0);
    keeper_hand_over(keeper, 0, KEEPER_NOW);
    assert_int_equal(keeper_turn(keeper, 1, 0, &turned).code, ERR_CORRUPT);
    assert_int_equal(turned.tables_seq, 0);
    add_rider(1, 1, false);
    keeper_end_batch(keeper, 2, 0);
    keeper_hand_over(keeper, 0, KEEPER_NOW);
    assert_int_equal(keeper_turn(keeper, 2, 0, &turned).code, ERR_CORRUPT);
}

static void test_bases_are_complete_copies_named_by_their_cut(void **state)
{
    (void)state;
    struct file_os os;
    struct file_system fs;
    assert_int_equal(file_os_open(&os, folder, &fs).code, ERR_OK);
    struct data_dir dir = {.fs = &fs, .sql_folder = folder};
    struct base bases[4];
    size_t count;
    assert_int_equal(bases_list(&dir, bases, 4, &count).code, ERR_OK);
    assert_int_equal(count, 0);
    start(&(struct keeper_options){0});
    for (uint64_t seq = 1; seq <= 2; seq++) {
        add_rider(1, (int64_t)seq * 100, false);
        keeper_end_batch(keeper, seq, 0);
        keeper_hand_over(keeper, 0, KEEPER_NOW);
        turn(seq, 0);
        assert_int_equal(keeper_base(keeper, &dir).code, ERR_OK);
        assert_int_equal(keeper_base(keeper, &dir).code, ERR_STATE);
        while (!turned.base_done) turn(seq, 0);
        assert_int_equal(turned.base_seq, seq);
    }
    assert_int_equal(bases_list(&dir, bases, 4, &count).code, ERR_OK);
    assert_int_equal(count, 2);
    assert_true(bases[0].seq == 1 && bases[1].seq == 2 && bases[0].bytes > 0);
    char name[BASE_NAME_MAX], sql_path[FILE_PATH_MAX];
    base_name(1, name);
    assert_int_equal(data_sql_path(&dir, name, sql_path).code, ERR_OK);
    struct tables base;
    struct rider r;
    assert_int_equal(tables_open(&base, sql_path, &(struct tables_options){.read_only = true}).code, ERR_OK);
    assert_int_equal(tables_row(&base, ROW_RIDER, 1, &r).code, ERR_OK);
    assert_int_equal(r.owed_minor, 100);
    tables_close(&base);
    size_t dropped;
    assert_int_equal(bases_prune(&dir, &(struct bases_policy){.bytes_max = 1}, &dropped).code, ERR_OK);
    assert_int_equal(dropped, 1);
    assert_int_equal(bases_list(&dir, bases, 4, &count).code, ERR_OK);
    assert_true(count == 1 && bases[0].seq == 2);
    base_name(2, name);
    assert_int_equal(file_remove(&fs, name).code, ERR_OK);
    char bases_path[96];
    snprintf(bases_path, sizeof bases_path, "%s/%s", folder, DATA_BASES);
    assert_int_equal(rmdir(bases_path), 0); /* nothing else was left there */
    file_os_close(&os);
}

enum { THREAD_BATCHES = 3000 };
static _Atomic uint64_t committed;

static void *keep(void *unused)
{
    (void)unused;
    uint64_t written = 0;
    while (written < THREAD_BATCHES) {
        struct keeper_turned did;
        uint64_t upto = committed;
        if (keeper_turn(keeper, upto, 0, &did).code) return NULL;
        if (did.tables_seq > upto) return NULL;
        written = did.tables_seq;
    }
    return &committed;
}

static void test_two_threads_lose_no_row(void **state)
{
    (void)state;
    start(&(struct keeper_options){.rows_max = 64, .events_max = 64});
    pthread_t thread;
    committed = 0;
    bool handed = false;
    assert_int_equal(pthread_create(&thread, NULL, keep, NULL), 0);
    for (uint64_t seq = 1; seq <= THREAD_BATCHES; seq++) {
        while (!keeper_has_room(keeper)) keeper_hand_over(keeper, 0, KEEPER_NOW);
        add_rider(seq % 97 + 1, (int64_t)seq, false);
        struct event event = {.seq = seq, .kind = EVENT_ALARM, .vehicle_id = 1};
        assert_int_equal(keeper_add_event(keeper, &event).code, ERR_OK);
        keeper_end_batch(keeper, seq, 0);
        handed = keeper_hand_over(keeper, 0, KEEPER_WHEN_DUE);
        committed = seq;
    }
    while (!handed) handed = keeper_hand_over(keeper, 0, KEEPER_NOW);
    void *fine;
    assert_int_equal(pthread_join(thread, &fine), 0);
    assert_non_null(fine);
    for (uint64_t id = 1; id <= 97; id++) {
        uint64_t last = THREAD_BATCHES;
        while (last % 97 + 1 != id) last--;
        assert_int_equal(owed(id), last);
    }
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_prepare_v2(tables.db, "SELECT count(*) FROM events", -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int64(st, 0), THREAD_BATCHES);
    sqlite3_finalize(st);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, stop)
    const struct CMUnitTest tests[] = {
        TEST(test_only_the_newest_version_of_a_row_is_written),
        TEST(test_rows_of_two_kinds_with_one_id_are_two_rows),
        TEST(test_large_cuts_in_a_row_keep_every_row),
        TEST(test_nothing_is_written_before_its_batch_is_committed),
        TEST(test_a_set_is_due_by_time_or_by_size),
        TEST(test_a_full_set_pushes_back_and_one_batch_still_fits),
        TEST(test_cuts_are_synced_at_intervals_and_at_the_end),
        TEST(test_a_hash_is_stored_only_with_the_seq_it_is_of),
        TEST(test_an_orderly_stop_syncs_and_hashes_what_is_written_already),
        TEST(test_a_failed_cut_is_final),
        TEST(test_bases_are_complete_copies_named_by_their_cut),
        TEST(test_two_threads_lose_no_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
