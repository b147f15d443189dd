/* SPDX-License-Identifier: Apache-2.0 */
/* journal_read_test.c: following a live journal, in this process and beside one that is killed; copies. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/journal_format.h"
#include "store/journal_read.h"
#include "store/testing/folder.h"

struct place {
    struct file_os os;
    struct file_system fs;
    char root[64];
};
static struct place here;

static struct err remove_name(void *ctx, const char *name)
{
    char path[FILE_PATH_MAX];
    TRY(file_path(path, ctx, name));
    return file_remove(&here.fs, path);
}

static int set_up(void **s)
{
    (void)s;
    test_folder_name(here.root, sizeof here.root, "paddock-follow-XXXXXX");
    if (!mkdtemp(here.root)) return -1;
    return file_os_open(&here.os, here.root, &here.fs).code;
}

static int tear_down(void **s)
{
    (void)s;
    static char *const folders[] = {"j", "copy"};
    for (size_t i = 0; i < 2; i++) {
        (void)file_list(&here.fs, folders[i], remove_name, folders[i]).code;
        (void)unlinkat(here.os.root, folders[i], AT_REMOVEDIR);
    }
    file_os_close(&here.os);
    return rmdir(here.root);
}

/* Every record's content follows from its seq, so that whoever reads one can tell. */
static struct bytes payload_of(uint64_t seq, uint8_t *memory)
{
    size_t len = (size_t)(seq * 37 % 500);
    for (size_t i = 0; i < len; i++) memory[i] = (uint8_t)(seq * 31 + i);
    return bytes_of(memory, len);
}

struct seen {
    uint64_t count, last;
};

static struct err on_record(void *ctx, const struct journal_record *r)
{
    struct seen *seen = ctx;
    uint8_t memory[500];
    if (seen->last && r->seq != seen->last + 1) return ERR(STATE, "out of order");
    if (r->time_ms != (int64_t)r->seq || r->effects_sum != ~r->seq) return ERR(STATE, "not ours");
    if (!bytes_equal(r->payload, payload_of(r->seq, memory))) return ERR(STATE, "not ours");
    seen->last = r->seq;
    seen->count++;
    return NO_ERR;
}

static struct journal *open_writer(const char *folder)
{
    struct journal_options options = {.segment_bytes = JOURNAL_SEGMENT_BYTES_MIN, .salt = 77};
    struct journal_report report;
    struct journal *j;
    struct err e =
        journal_open(&j, &here.fs, folder, &options, JOURNAL_FROM_END, NULL, NULL, &report);
    if (e.code == ERR_NOT_FOUND) {
        e = journal_open(&j, &here.fs, folder, &options, 0, NULL, NULL, &report);
    }
    if (e.code) fail_msg("%s", report.text);
    return j;
}

static void append(struct journal *j, unsigned count)
{
    uint8_t memory[500];
    for (; count; count--) {
        uint64_t seq = journal_next_seq(j);
        struct err e = journal_append(j, seq, (int64_t)seq, 9, ~seq, payload_of(seq, memory));
        assert_int_equal(e.code, ERR_OK);
    }
}

static void write_batches(struct journal *j, unsigned batches, unsigned each)
{
    for (; batches; batches--) {
        append(j, each);
        assert_int_equal(journal_commit(j).code, ERR_OK);
    }
}

static void test_a_reader_sees_what_is_committed_and_goes_on_later(void **s)
{
    (void)s;
    struct journal *j = open_writer("j");
    struct journal_reader *r;
    struct journal_report report;
    struct seen seen = {0};
    uint64_t count;
    assert_int_equal(journal_reader_open(&r, &here.fs, "j", 0, &report).code, ERR_OK);
    for (unsigned round = 0; round < 60; round++) {
        assert_int_equal(journal_reader_next(r, 1000, on_record, &seen, &count).code, ERR_OK);
        assert_int_equal(seen.last, journal_committed_seq(j));
        append(j, 13);
        assert_int_equal(journal_reader_next(r, 1000, on_record, &seen, &count).code, ERR_OK);
        assert_int_equal(count, 0);
        assert_int_equal(journal_commit(j).code, ERR_OK);
        if (round % 7 == 0) assert_int_equal(journal_prepare(j, 30000).code, ERR_OK);
        assert_int_equal(journal_reader_next(r, 5, on_record, &seen, &count).code, ERR_OK);
        assert_int_equal(count, 5);
    }
    assert_true(journal_counters(j).rolls > 3);
    assert_int_equal(journal_reader_next(r, 1000, on_record, &seen, &count).code, ERR_OK);
    assert_int_equal(journal_reader_crc(r), journal_last_crc(j));
    journal_reader_close(r);
    journal_close(j);
}

static void test_a_reader_does_not_believe_what_lies_behind_the_mark(void **s)
{
    (void)s;
    struct journal *j = open_writer("j");
    struct journal_report report;
    struct seen seen = {0};
    uint8_t mark[JOURNAL_MARK_BYTES];
    size_t got;
    struct file file;
    write_batches(j, 1, 3);
    assert_int_equal(file_open(&here.fs, "j/" JOURNAL_MARK_NAME, FILE_WRITE, &file).code, ERR_OK);
    assert_int_equal(file_read_at(&here.fs, file, 0, mark, sizeof mark, &got).code, ERR_OK);
    write_batches(j, 1, 3);
    journal_close(j);
    /* As it is while the second batch is written but its sync is not back. */
    assert_int_equal(file_write_at(&here.fs, file, 0, mark, sizeof mark).code, ERR_OK);
    file_close(&here.fs, &file);
    struct err e = journal_read_from(&here.fs, "j", 0, on_record, &seen, &report);
    assert_int_equal(e.code, ERR_OK);
    assert_int_equal(seen.last, 3);
    /* No mark at all, as after a power cut: to the end of what is whole. */
    assert_int_equal(file_remove(&here.fs, "j/" JOURNAL_MARK_NAME).code, ERR_OK);
    seen = (struct seen){0};
    assert_int_equal(journal_read_from(&here.fs, "j", 0, on_record, &seen, &report).code, ERR_OK);
    assert_int_equal(seen.last, 6);
    assert_int_equal(report.last_seq, 6);
}

static void test_a_reader_that_was_overtaken_is_told(void **s)
{
    (void)s;
    struct journal *j = open_writer("j");
    struct journal_reader *r;
    struct journal_report report;
    struct seen seen = {0};
    uint64_t count;
    write_batches(j, 10, 10);
    assert_int_equal(journal_reader_open(&r, &here.fs, "j", 0, &report).code, ERR_OK);
    assert_int_equal(journal_reader_next(r, 50, on_record, &seen, &count).code, ERR_OK);
    for (unsigned round = 0; round < 5; round++) { /* retired, overwritten, retired ... */
        write_batches(j, 60, 10);
        assert_int_equal(journal_drop_before(j, journal_committed_seq(j)).code, ERR_OK);
    }
    assert_true(journal_first_seq(j) > 1000);
    assert_int_equal(journal_reader_next(r, UINT64_MAX, on_record, &seen, &count).code, ERR_NOT_FOUND);
    assert_non_null(strstr(journal_reader_text(r), "dropped"));
    journal_reader_close(r);
    assert_int_equal(journal_reader_open(&r, &here.fs, "j", 50, &report).code, ERR_NOT_FOUND);
    assert_int_equal(report.first_seq, journal_first_seq(j));
    journal_close(j);
}

static void test_a_reader_names_damage(void **s)
{
    (void)s;
    struct journal *j = open_writer("j");
    struct journal_report report;
    struct seen seen = {0};
    struct file file;
    write_batches(j, 60, 10);
    assert_int_equal(file_open(&here.fs, "j/0000000000000002.seg", FILE_WRITE, &file).code, ERR_OK);
    assert_int_equal(file_write_at(&here.fs, file, 30000, "damage", 6).code, ERR_OK);
    file_close(&here.fs, &file);
    struct err e = journal_read_from(&here.fs, "j", 0, on_record, &seen, &report);
    assert_int_equal(e.code, ERR_CORRUPT);
    assert_non_null(strstr(report.text, "0000000000000002.seg, offset 2"));
    journal_close(j);
}

static void test_a_copy_has_the_same_chain_and_goes_on_after_a_restart(void **s)
{
    (void)s;
    struct journal *j = open_writer("j");
    struct journal_copy *c;
    struct journal_report report;
    struct journal_options options = {.segment_bytes = 100000, .buffer_bytes = 20000};
    struct seen seen = {0};
    uint64_t count;
    write_batches(j, 30, 10);
    for (unsigned round = 0; round < 6; round++) {
        struct err e = journal_copy_open(&c, &here.fs, "j", &here.fs, "copy", &options, 0, &report);
        assert_int_equal(e.code, ERR_OK);
        write_batches(j, 20, 10);
        assert_int_equal(journal_copy_step(c, UINT64_MAX, &count).code, ERR_OK);
        assert_int_equal(journal_copy_seq(c), journal_committed_seq(j));
        assert_int_equal(journal_last_crc(journal_copy_target(c)), journal_last_crc(j));
        journal_copy_close(c);
    }
    assert_int_equal(journal_read_from(&here.fs, "copy", 0, on_record, &seen, &report).code, ERR_OK);
    assert_int_equal(seen.last, journal_committed_seq(j));
    assert_int_equal(report.last_crc, journal_last_crc(j));
    journal_close(j);
}

static void test_a_copy_may_begin_in_the_middle(void **s)
{
    (void)s;
    struct journal *j = open_writer("j");
    struct journal_copy *c;
    struct journal_report report;
    struct journal_options options = {.segment_bytes = 100000};
    struct seen seen = {0};
    uint64_t count;
    write_batches(j, 50, 10);
    struct err e = journal_copy_open(&c, &here.fs, "j", &here.fs, "copy", &options, 333, &report);
    assert_int_equal(e.code, ERR_OK);
    assert_int_equal(journal_copy_step(c, 50, &count).code, ERR_OK);
    assert_int_equal(count, 50);
    assert_int_equal(journal_copy_seq(c), 383);
    journal_copy_close(c);
    assert_int_equal(journal_read_from(&here.fs, "copy", 333, on_record, &seen, &report).code, ERR_OK);
    assert_int_equal(seen.count, 50);
    assert_int_equal(report.first_seq, 334);
    journal_close(j);
}

static void test_a_copy_of_another_history_is_refused(void **s)
{
    (void)s;
    struct journal *j = open_writer("j");
    struct journal_copy *c;
    struct journal_report report;
    struct journal_options options = {.segment_bytes = 100000};
    uint64_t count;
    write_batches(j, 5, 10);
    struct err e = journal_copy_open(&c, &here.fs, "j", &here.fs, "copy", &options, 0, &report);
    assert_int_equal(e.code, ERR_OK);
    assert_int_equal(journal_copy_step(c, UINT64_MAX, &count).code, ERR_OK);
    journal_copy_close(c);
    uint64_t seq = journal_next_seq(j);
    assert_int_equal(journal_append(j, seq, 1, 1, 1, bytes_text("one")).code, ERR_OK);
    assert_int_equal(journal_commit(j).code, ERR_OK);
    struct journal *other = open_writer("copy");
    assert_int_equal(journal_append(other, seq, 1, 1, 1, bytes_text("two")).code, ERR_OK);
    assert_int_equal(journal_commit(other).code, ERR_OK);
    journal_close(other);
    e = journal_copy_open(&c, &here.fs, "j", &here.fs, "copy", &options, 0, &report);
    assert_int_equal(e.code, ERR_CORRUPT);
    journal_close(j);
}

/* A child writes and tells each commit through a pipe until it is killed; the parent follows meanwhile. */
static void writer_child(int pipe_fd)
{
    struct journal_options options = {.segment_bytes = JOURNAL_SEGMENT_BYTES_MIN, .salt = 77};
    struct journal_report report;
    struct journal *j;
    uint8_t memory[500];
    struct err e = journal_open(&j, &here.fs, "j", &options, JOURNAL_FROM_END, NULL, NULL, &report);
    while (!e.code) {
        uint64_t seq = 0;
        for (unsigned n = 0; n < 8 && !e.code; n++) {
            seq = journal_next_seq(j);
            e = journal_append(j, seq, (int64_t)seq, 9, ~seq, payload_of(seq, memory));
        }
        if (!e.code) e = journal_commit(j);
        if (!e.code && write(pipe_fd, &seq, sizeof seq) != sizeof seq) break;
        if (!e.code) e = journal_prepare(j, 5000);
    }
    _exit(1);
}

static void test_a_killed_writer_loses_nothing_that_it_told(void **s)
{
    (void)s;
    struct journal *j = open_writer("j");
    write_batches(j, 1, 1);
    journal_close(j);
    struct journal_reader *r;
    struct journal_report report;
    struct seen seen = {0};
    uint64_t told = 0, count;
    assert_int_equal(journal_reader_open(&r, &here.fs, "j", 0, &report).code, ERR_OK);
    for (unsigned round = 0; round < 5; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(ends[0]);
            writer_child(ends[1]);
        }
        close(ends[1]);
        for (unsigned n = 0; n < 12 + round; n++) {
            assert_int_equal(read(ends[0], &told, sizeof told), sizeof told);
            struct err e = journal_reader_next(r, UINT64_MAX, on_record, &seen, &count);
            if (e.code) fail_msg("%s: %s", e.why, journal_reader_text(r));
            assert_true(seen.last >= told);
            if (n % 4) continue;
            /* `paddock check` beside a live server: what is being written is not damage. */
            struct journal_options look = {.mode = JOURNAL_READ_ONLY};
            e = journal_open(&j, &here.fs, "j", &look, 0, NULL, NULL, &report);
            if (e.code) fail_msg("%s", report.text);
            assert_true(report.last_seq >= told);
            journal_close(j);
        }
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(ends[0], &count, sizeof count) == sizeof count) told = count;
        close(ends[0]);
        j = open_writer("j");
        assert_true(journal_committed_seq(j) >= told);
        assert_true(journal_committed_seq(j) >= seen.last);
        journal_close(j);
    }
    journal_reader_close(r);
}

#define ON_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_FOLDER(test_a_reader_sees_what_is_committed_and_goes_on_later),
        ON_FOLDER(test_a_reader_does_not_believe_what_lies_behind_the_mark),
        ON_FOLDER(test_a_reader_that_was_overtaken_is_told),
        ON_FOLDER(test_a_reader_names_damage),
        ON_FOLDER(test_a_copy_has_the_same_chain_and_goes_on_after_a_restart),
        ON_FOLDER(test_a_copy_may_begin_in_the_middle),
        ON_FOLDER(test_a_copy_of_another_history_is_refused),
        ON_FOLDER(test_a_killed_writer_loses_nothing_that_it_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
