/* SPDX-License-Identifier: Apache-2.0 */
/* journal_fail_test.c: each file call fails once. The journal ends, says so of the right file, does nothing more, keeps no
 * file open, and what it had acknowledged is there for the next. What a lying disk makes of it: sim/disk_journal_test.c. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/journal_format.h"
#include "store/journal_read.h"
#include "store/testing/folder.h"

#define SALT 42u
#define SEGMENT JOURNAL_SEGMENT_BYTES_MIN

static struct file_os os;
static struct file_system real, fs; /* `fs` fails */
static char root[64];

static struct err remove_name(void *ctx, const char *name)
{
    char path[FILE_PATH_MAX];
    TRY(file_path(path, ctx, name));
    return file_remove(&real, path);
}

static int set_up(void **s)
{
    (void)s;
    test_folder_name(root, sizeof root, "paddock-fail-XXXXXX");
    if (!mkdtemp(root)) return -1;
    return file_os_open(&os, root, &real).code;
}

static int tear_down(void **s)
{
    (void)s;
    (void)file_list(&real, "j", remove_name, "j").code;
    (void)unlinkat(os.root, "j", AT_REMOVEDIR);
    file_os_close(&os);
    return rmdir(root);
}

static const struct journal_options small = {.segment_bytes = SEGMENT, .salt = SALT};
static struct journal_report report;
static uint64_t seen;

static struct err count_record(void *ctx, const struct journal_record *r)
{
    (void)ctx;
    seen = r->seq;
    return NO_ERR;
}

static unsigned open_files(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir)) count++;
    closedir(dir);
    return count;
}

/* ── a disk that says no once ── */

static unsigned calls, fail_at;
static const char reason[] = "the disk said no";

static bool fails(void)
{
    return ++calls == fail_at;
}
#define OR_FAIL(call) return fails() ? file_fail(EIO, reason) : real.ops->call

/* How many more opens of a segment find that its name has just been changed. */
static unsigned renamed_meanwhile;
/* What the mark's file held when it was mapped. */
static uint64_t mark_seq_mapped;

static struct err bad_open(void *o, const char *path, enum file_mode mode, struct file *out)
{
    if (renamed_meanwhile && strstr(path, ".seg") && renamed_meanwhile--) return file_fail(ENOENT, "no such file");
    OR_FAIL(open(o, path, mode, out));
}
static struct err bad_read(void *o, struct file f, uint64_t at, void *to, size_t len, size_t *got)
{
    OR_FAIL(read_at(o, f, at, to, len, got));
}
static struct err bad_write(void *o, struct file f, uint64_t at, const void *from, size_t len)
{
    OR_FAIL(write_at(o, f, at, from, len));
}
static struct err bad_sync(void *o, struct file f) { OR_FAIL(sync_data(o, f)); }
static struct err bad_size(void *o, struct file f, uint64_t *out) { OR_FAIL(size(o, f, out)); }
static struct err bad_map(void *o, struct file f, size_t len, void **out)
{
    _Alignas(8) uint8_t mark[JOURNAL_MARK_BYTES] = {0};
    size_t got = 0;
    TRY(real.ops->read_at(o, f, 0, mark, sizeof mark, &got));
    (void)journal_mark_read(mark, SALT, &mark_seq_mapped);
    OR_FAIL(map(o, f, len, out));
}
static struct err bad_rename(void *o, const char *from, const char *to) { OR_FAIL(rename(o, from, to)); }
static struct err bad_remove(void *o, const char *path) { OR_FAIL(remove(o, path)); }
static struct err bad_list(void *o, const char *folder, file_on_name *on, void *ctx) { OR_FAIL(list(o, folder, on, ctx)); }
static struct err bad_make(void *o, const char *folder) { OR_FAIL(make_folder(o, folder)); }
static struct err bad_sync_folder(void *o, const char *folder) { OR_FAIL(sync_folder(o, folder)); }

static void disk_fails_at(unsigned nth)
{
    static struct file_ops ops;
    ops = *real.ops;
    ops.open = bad_open;
    ops.read_at = bad_read;
    ops.write_at = bad_write;
    ops.sync_data = bad_sync;
    ops.size = bad_size;
    ops.map = bad_map;
    ops.rename = bad_rename;
    ops.remove = bad_remove;
    ops.list = bad_list;
    ops.make_folder = bad_make;
    ops.sync_folder = bad_sync_folder;
    fs = (struct file_system){&ops, real.self};
    calls = 0;
    fail_at = nth;
}

/* ── a journal's life, up to the first error ── */

static uint64_t acked;

static struct err open_it(struct journal **j)
{
    struct err e = journal_open(j, &fs, "j", &small, acked > 60 ? 60 : acked > 40 ? 40 : 0, count_record, NULL, &report);
    if (!e.code) return e;
    assert_null(*j);
    bool named = strncmp(report.text, "journal j", 9) == 0 || strcmp(report.text, reason) == 0;
    if (!named || !strstr(report.text, reason)) fail_msg("call %u: %s", fail_at, report.text);
    return e;
}

static struct err write_some(struct journal *j, unsigned batches)
{
    static const uint8_t zeros[4096 - 52];
    for (; batches; batches--) {
        uint64_t seq = journal_next_seq(j);
        TRY(journal_append(j, seq, (int64_t)seq, 1, 2, bytes_of(zeros, sizeof zeros)));
        TRY(journal_commit(j));
        acked = seq;
        if (batches % 2) TRY(journal_prepare(j, 6000));
    }
    return NO_ERR;
}

static struct err first_life(struct journal **j)
{
    TRY(open_it(j));
    TRY(write_some(*j, 50));
    TRY(journal_drop_before(*j, 40));
    TRY(write_some(*j, 20));
    return journal_retain(*j, 60, INT64_MAX / 2);
}

static struct err second_life(struct journal **j)
{
    TRY(open_it(j));
    return write_some(*j, 20);
}

/* True when the failing call came to pass. An error at the very end, when the mark is synced once more, changes nothing. */
static bool live(struct err (*life)(struct journal **), unsigned nth)
{
    struct journal *j = NULL;
    disk_fails_at(nth);
    struct err e = life(&j);
    bool fired = calls >= nth;
    if (fired != (e.code == ERR_IO)) fail_msg("call %u: %s", nth, e.why);
    if (j && fired) {
        const char *text = "";
        assert_int_equal(journal_failure(j, &text).code, ERR_IO);
        if (strncmp(text, "journal j/", 10) != 0 || !strstr(text, reason)) fail_msg("call %u: %s", nth, text);
        unsigned quiet = calls;
        assert_int_equal(journal_append(j, journal_next_seq(j), 0, 0, 0, bytes_text("x")).code, ERR_IO);
        assert_int_equal(journal_commit(j).code, ERR_IO);
        assert_int_equal(journal_prepare(j, 1000).code, ERR_IO);
        assert_int_equal(journal_drop_before(j, UINT64_MAX).code, ERR_IO);
        assert_int_equal(journal_retain(j, UINT64_MAX, INT64_MAX / 2).code, ERR_IO);
        assert_int_equal(calls, quiet); /* it never touches a file again */
    }
    journal_close(j);
    return fired;
}

static void assert_all_there(unsigned nth)
{
    struct journal *j;
    disk_fails_at(0);
    seen = 0;
    if (open_it(&j).code) fail_msg("call %u: %s", nth, report.text);
    if (seen < acked && acked) fail_msg("call %u: %u acknowledged, %u found", nth, (unsigned)acked, (unsigned)seen);
    journal_close(j);
}

static void test_each_call_that_fails_ends_the_journal_with_its_name(void **s)
{
    unsigned files = open_files(), nth = 1, tried = 0;
    for (unsigned lives = 1; lives <= 2; lives++) {
        for (bool fired = true; fired; nth++, tried += fired) {
            acked = 0;
            fired = lives == 2 ? (void)live(first_life, UINT32_MAX), live(second_life, nth) : live(first_life, nth);
            assert_int_equal(open_files(), files);
            assert_all_there(nth);
            tear_down(s);
            assert_int_equal(set_up(s), 0);
        }
        nth = 1;
    }
    assert_true(tried > 200);
}

static void test_a_segment_that_is_retired_while_it_is_listed_is_listed_again(void **s)
{
    (void)s;
    struct journal_reader *r;
    acked = 0;
    assert_false(live(first_life, UINT32_MAX));
    for (renamed_meanwhile = 1; renamed_meanwhile < 3; renamed_meanwhile++) {
        unsigned times = renamed_meanwhile;
        assert_int_equal(journal_reader_open(&r, &fs, "j", 60, &report).code, ERR_OK);
        assert_string_equal(report.text, "");
        journal_reader_close(r);
        assert_int_equal(renamed_meanwhile, 0);
        renamed_meanwhile = times;
    }
    assert_int_equal(journal_reader_open(&r, &fs, "j", 60, &report).code, ERR_NOT_FOUND);
    assert_int_equal(renamed_meanwhile, 0); /* asked three times in all */
}

static void test_the_mark_holds_through_an_open(void **s)
{
    (void)s;
    acked = 0;
    assert_false(live(first_life, UINT32_MAX));
    mark_seq_mapped = 0;
    assert_all_there(0);
    assert_int_equal(mark_seq_mapped, acked);
}

static void test_nothing_to_do_touches_no_file(void **s)
{
    (void)s;
    struct journal *j;
    acked = 0;
    disk_fails_at(0);
    assert_int_equal(open_it(&j).code, ERR_OK);
    assert_int_equal(write_some(j, 3).code, ERR_OK);
    unsigned before = calls;
    assert_int_equal(journal_commit(j).code, ERR_OK);
    assert_int_equal(journal_prepare(j, 0).code, ERR_OK);
    assert_int_equal(journal_drop_before(j, 3).code, ERR_OK);
    assert_int_equal(journal_retain(j, 3, INT64_MAX / 2).code, ERR_OK);
    assert_int_equal(calls, before);
    while (journal_counters(j).prepared_bytes < SEGMENT) assert_int_equal(journal_prepare(j, SEGMENT).code, ERR_OK);
    assert_int_equal(journal_prepare(j, SEGMENT).code, ERR_OK);
    before = calls;
    assert_int_equal(journal_prepare(j, SEGMENT).code, ERR_OK); /* all is ready */
    assert_int_equal(calls, before);
    journal_close(j);
}

#define ON_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_FOLDER(test_each_call_that_fails_ends_the_journal_with_its_name),
        ON_FOLDER(test_a_segment_that_is_retired_while_it_is_listed_is_listed_again),
        ON_FOLDER(test_the_mark_holds_through_an_open),
        ON_FOLDER(test_nothing_to_do_touches_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
