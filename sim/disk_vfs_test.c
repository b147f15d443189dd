/* SPDX-License-Identifier: Apache-2.0 */
/* disk_vfs_test.c: SQLite on the lying disk: what it called committed is there, whole, after any crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/prng.h"
#include "sim/disk.h"
#include "store/vfs.h"

#define FOLDER "data"
#define DB FOLDER "/tables.db"

static bool run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *st = NULL;
    int64_t n = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
        n = sqlite3_column_int64(st, 0);
    }
    sqlite3_finalize(st);
    return n;
}

static bool whole(sqlite3 *db)
{
    sqlite3_stmt *st = NULL;
    bool ok = sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &st, NULL) == SQLITE_OK &&
              sqlite3_step(st) == SQLITE_ROW &&
              strcmp((const char *)sqlite3_column_text(st, 0), "ok") == 0;
    sqlite3_finalize(st);
    return ok;
}

static sqlite3 *open_db(const char *mode)
{
    sqlite3 *db = NULL;
    char sql[256];
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(DB, &db, flags, "lying") == SQLITE_OK) {
        snprintf(sql, sizeof sql,
                 "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=%s; PRAGMA synchronous=FULL;"
                 "PRAGMA temp_store=MEMORY; PRAGMA cache_size=20; PRAGMA wal_autocheckpoint=40",
                 mode);
        if (run(db, sql)) return db;
    }
    sqlite3_close_v2(db);
    return NULL;
}

/* One transaction: every row of it carries its number, and the count of its rows is in `done`. */
static bool transact(sqlite3 *db, struct prng *prng, int64_t n)
{
    char sql[256];
    bool ok = run(db, "BEGIN");
    int64_t rows = 1 + (int64_t)prng_below(prng, 30);
    for (int64_t i = 0; ok && i < rows; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO fact(txn, body) VALUES(%lld, randomblob(%lld))",
                 (long long)n, (long long)prng_below(prng, 900));
        ok = run(db, sql);
    }
    snprintf(sql, sizeof sql,
             "DELETE FROM fact WHERE txn=%lld; DELETE FROM done WHERE txn=%lld;"
             "INSERT INTO done VALUES(%lld,%lld); COMMIT",
             (long long)n - 20, (long long)n - 20, (long long)n, (long long)rows);
    return ok && run(db, sql);
}

/* The last transaction found, or -1 when something is broken. */
static int64_t check(sqlite3 *db)
{
    if (!whole(db)) return -1;
    if (number(db, "SELECT count(*) FROM done d WHERE rows <> "
                   "(SELECT count(*) FROM fact f WHERE f.txn = d.txn)") != 0) {
        return -1;
    }
    if (number(db, "SELECT count(*) FROM fact WHERE txn NOT IN (SELECT txn FROM done)") != 0) return -1;
    return number(db, "SELECT coalesce(max(txn), 0) FROM done");
}

/* Rounds of work and crash. The number of the round that broke, 0: none. */
static unsigned crash_rounds(uint64_t seed, const char *mode, unsigned rounds, bool lies)
{
    struct disk *d = disk_create(seed);
    struct file_system fs = disk_files(d);
    struct prng prng = prng_of(seed, bytes_text("vfs test"));
    struct vfs *v;
    struct vfs_options options = {.name = "lying", .fs = &fs, .seed = seed};
    assert_int_equal(file_make_folder(&fs, FOLDER).code, ERR_OK);
    assert_int_equal(vfs_create(&v, &options).code, ERR_OK);
    sqlite3 *db = open_db(mode);
    assert_non_null(db);
    assert_true(run(db, "CREATE TABLE fact(id INTEGER PRIMARY KEY, txn INT, body BLOB);"
                        "CREATE INDEX fact_txn ON fact(txn); CREATE TABLE done(txn INT, rows INT)"));
    sqlite3_close_v2(db);
    int64_t acked = 0;
    unsigned broken = 0;
    for (unsigned round = 1; round <= rounds && !broken; round++) {
        db = open_db(mode);
        int64_t last = db ? check(db) : -1;
        if (last < acked) broken = round;
        struct disk_faults f = {.sync_lies = lies};
        f.stop_nth = 1 + prng_below(&prng, 120);
        if (prng_chance(&prng, 200000)) f.sync_fail_ppm = 50000;
        if (prng_chance(&prng, 200000)) f.write_fail_ppm = 50000;
        disk_set_faults(d, f);
        for (int64_t n = last + 1; !broken && transact(db, &prng, n); n++) acked = n;
        /* After a failed sync SQLite believes its page cache, which a restart does not empty: then it can
         * lose what it commits later. The journal writes its newest batch again; SQLite needs the cut. */
        enum disk_crash least = disk_fault_count(d, DISK_FAULT_SYNC_FAILED) ? DISK_POWER : DISK_KILL;
        disk_stop(d);
        sqlite3_close_v2(db);
        disk_crash(d, least + (enum disk_crash)prng_below(&prng, 3u - least));
    }
    vfs_destroy(v);
    disk_destroy(d);
    return broken;
}

static void test_wal_survives_300_crashes(void **s)
{
    (void)s;
    for (uint64_t seed = 1; seed <= 10; seed++) assert_int_equal(crash_rounds(seed, "WAL", 30, false), 0);
}

static void test_rollback_journal_survives_150_crashes(void **s)
{
    (void)s;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        assert_int_equal(crash_rounds(seed, "DELETE", 30, false), 0);
    }
}

static void test_lying_syncs_are_noticed(void **s)
{
    (void)s;
    unsigned noticed = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) noticed += crash_rounds(seed, "WAL", 30, true) != 0;
    assert_int_equal(noticed, 10);
}

static void test_two_connections_lock_each_other_out(void **s)
{
    (void)s;
    struct disk *d = disk_create(1);
    struct file_system fs = disk_files(d);
    struct vfs *v;
    struct vfs_options options = {.name = "lying", .fs = &fs, .seed = 1};
    sqlite3 *a, *b;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    assert_int_equal(file_make_folder(&fs, FOLDER).code, ERR_OK);
    assert_int_equal(vfs_create(&v, &options).code, ERR_OK);
    assert_int_equal(sqlite3_open_v2(DB, &a, flags, "lying"), SQLITE_OK);
    assert_int_equal(sqlite3_open_v2(DB, &b, flags, "lying"), SQLITE_OK);
    assert_true(run(a, "CREATE TABLE t(x); BEGIN IMMEDIATE; INSERT INTO t VALUES(1)"));
    assert_int_equal(sqlite3_exec(b, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_BUSY);
    assert_int_equal(number(b, "SELECT count(*) FROM t"), 0);
    assert_true(run(a, "COMMIT"));
    assert_int_equal(number(b, "SELECT count(*) FROM t"), 1);
    assert_true(run(b, "INSERT INTO t VALUES(2)"));
    assert_int_equal(number(a, "SELECT count(*) FROM t"), 2);
    sqlite3_close_v2(a);
    sqlite3_close_v2(b);
    vfs_destroy(v);
    disk_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wal_survives_300_crashes),
        cmocka_unit_test(test_rollback_journal_survives_150_crashes),
        cmocka_unit_test(test_lying_syncs_are_noticed),
        cmocka_unit_test(test_two_connections_lock_each_other_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
