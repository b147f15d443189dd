/* SPDX-License-Identifier: Apache-2.0 */
/* vfs_test.c: SQLite through file.h on a real folder. What crashes do is in sim/disk_vfs_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store/vfs.h"
#include "store/testing/folder.h"

static struct file_os os;
static struct file_system fs;
static struct vfs *vfs;
static char root[64];

static int64_t now_ms(void *ctx)
{
    (void)ctx;
    return 1795478400123; /* 2026-11-24 00:00:00.123 */
}

static int set_up(void **s)
{
    (void)s;
    test_folder_name(root, sizeof root, "paddock-vfs-XXXXXX");
    if (!mkdtemp(root) || file_os_open(&os, root, &fs).code) return -1;
    struct vfs_options options = {.name = "ours", .fs = &fs, .seed = 5, .now_ms = now_ms};
    return vfs_create(&vfs, &options).code;
}

static struct err remove_name(void *ctx, const char *name)
{
    (void)ctx;
    return file_remove(&fs, name);
}

static int tear_down(void **s)
{
    (void)s;
    vfs_destroy(vfs);
    struct err e = file_list(&fs, ".", remove_name, NULL);
    file_os_close(&os);
    return e.code ? -1 : rmdir(root);
}

static sqlite3 *open_db(const char *name)
{
    sqlite3 *db;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    assert_int_equal(sqlite3_open_v2(name, &db, flags, "ours"), SQLITE_OK);
    return db;
}

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) fail_msg("%s", sqlite3_errmsg(db));
}

static void assert_text(sqlite3 *db, const char *sql, const char *want)
{
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(st, 0), want);
    sqlite3_finalize(st);
}

static void test_rows_come_back_after_reopening(void **s)
{
    (void)s;
    sqlite3 *db = open_db("a.db");
    run(db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=10");
    assert_text(db, "PRAGMA journal_mode=WAL", "wal");
    run(db, "CREATE TABLE t(k INTEGER PRIMARY KEY, v BLOB);"
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 3000)"
            "INSERT INTO t SELECT i, zeroblob(i % 200) FROM n");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    db = open_db("a.db");
    run(db, "PRAGMA locking_mode=EXCLUSIVE");
    assert_text(db, "SELECT count(*) || ' ' || sum(length(v)) FROM t", "3000 298500");
    assert_text(db, "PRAGMA integrity_check", "ok");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void test_large_sorts_use_temporary_files_and_leave_none(void **s)
{
    (void)s;
    sqlite3 *db = open_db("b.db");
    struct file_info info;
    run(db, "PRAGMA temp_store=FILE; PRAGMA cache_size=5; CREATE TABLE t(v);"
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 20000)"
            "INSERT INTO t SELECT hex(randomblob(100)) FROM n; CREATE INDEX t_v ON t(v)");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(file_info(&fs, "sqlite-temp-1", &info).code, ERR_NOT_FOUND);
    assert_int_equal(file_info(&fs, "b.db-journal", &info).code, ERR_NOT_FOUND);
}

static void test_time_and_chance_are_the_callers(void **s)
{
    (void)s;
    sqlite3 *db = open_db("c.db");
    assert_text(db, "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')", "2026-11-24 00:00:00.123");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    sqlite3_vfs *v;
    char first[16], again[16];
    vfs_destroy(vfs);
    for (unsigned i = 0; i < 2; i++) {
        struct vfs_options options = {.name = "ours", .fs = &fs, .seed = 5};
        assert_int_equal(vfs_create(&vfs, &options).code, ERR_OK);
        v = sqlite3_vfs_find("ours");
        v->xRandomness(v, 16, i ? again : first);
        if (!i) vfs_destroy(vfs);
    }
    assert_memory_equal(first, again, 16);
}

static void test_what_is_not_there_does_not_open(void **s)
{
    (void)s;
    sqlite3 *db;
    assert_int_equal(sqlite3_open_v2("none.db", &db, SQLITE_OPEN_READWRITE, "ours"), SQLITE_CANTOPEN);
    sqlite3_close(db);
    assert_int_equal(sqlite3_open_v2("no/folder.db", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                     "ours"),
                     SQLITE_CANTOPEN);
    sqlite3_close(db);
}

#define ON_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_FOLDER(test_rows_come_back_after_reopening),
        ON_FOLDER(test_large_sorts_use_temporary_files_and_leave_none),
        ON_FOLDER(test_time_and_chance_are_the_callers),
        ON_FOLDER(test_what_is_not_there_does_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
