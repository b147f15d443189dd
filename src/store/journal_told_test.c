/* SPDX-License-Identifier: Apache-2.0 */
/* journal_told_test.c: what a journal tells its operator: reports, sentences, counters; and that it keeps no file open. */
#include <dirent.h>
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
#define HEADER JOURNAL_HEADER_BYTES
#define FIRST "j/0000000000000001.seg"
#define SECOND "j/0000000000000002.seg"

static struct file_os os;
static struct file_system fs;
static char root[64];

static struct err remove_name(void *ctx, const char *name)
{
    char path[FILE_PATH_MAX];
    TRY(file_path(path, ctx, name));
    return file_remove(&fs, path);
}

static int set_up(void **s)
{
    (void)s;
    test_folder_name(root, sizeof root, "paddock-told-XXXXXX");
    if (!mkdtemp(root)) return -1;
    return file_os_open(&os, root, &fs).code;
}

static int tear_down(void **s)
{
    (void)s;
    (void)file_list(&fs, "j", remove_name, "j").code;
    (void)unlinkat(os.root, "j", AT_REMOVEDIR);
    file_os_close(&os);
    return rmdir(root);
}

static const struct journal_options small = {.segment_bytes = SEGMENT, .salt = SALT, .first_prev = 77};
static struct journal_report report;

static struct err count_record(void *ctx, const struct journal_record *r)
{
    (void)r;
    ++*(uint64_t *)ctx;
    return NO_ERR;
}

static struct err open_with(struct journal **j, struct journal_options options, uint64_t from_seq)
{
    uint64_t count = 0;
    struct err e = journal_open(j, &fs, "j", &options, from_seq, count_record, &count, &report);
    if (!e.code) assert_int_equal(count, report.records);
    return e;
}

static struct journal *open_ok(void)
{
    struct journal *j;
    if (open_with(&j, small, 0).code) fail_msg("%s", report.text);
    return j;
}

static void assert_refused(enum err_code code, uint64_t from_seq, const char *text)
{
    struct journal *j;
    struct journal_options options = small;
    options.mode = JOURNAL_READ_ONLY;
    assert_int_equal(open_with(&j, options, from_seq).code, code);
    assert_null(j);
    assert_string_equal(report.text, text);
}

/* A record of so many bytes, at second `seq`. */
static void append(struct journal *j, size_t bytes)
{
    static const uint8_t zeros[SEGMENT];
    uint64_t seq = journal_next_seq(j);
    assert_int_equal(journal_append(j, seq, (int64_t)seq * 1000, 1, 2, bytes_of(zeros, bytes - 52)).code, ERR_OK);
}

static void commit(struct journal *j)
{
    assert_int_equal(journal_commit(j).code, ERR_OK);
}

/* Three segments of 15 records of 4096 bytes, and five in the fourth. */
static void fifty(void)
{
    struct journal *j = open_ok();
    for (unsigned i = 0; i < 50; i++) {
        append(j, 4096);
        commit(j);
    }
    journal_close(j);
}

static void write_at(const char *path, uint64_t at, const void *from, size_t len)
{
    struct file file;
    assert_int_equal(file_open(&fs, path, FILE_CREATE, &file).code, ERR_OK);
    assert_int_equal(file_write_at(&fs, file, at, from, len).code, ERR_OK);
    file_close(&fs, &file);
}

static void change_header(const char *path, void (*change)(struct journal_header *))
{
    uint8_t bytes[HEADER];
    struct journal_header h;
    struct file file;
    size_t got;
    assert_int_equal(file_open(&fs, path, FILE_READ, &file).code, ERR_OK);
    assert_int_equal(file_read_at(&fs, file, 0, bytes, sizeof bytes, &got).code, ERR_OK);
    file_close(&fs, &file);
    assert_int_equal(journal_header_read(bytes_of(bytes, got), &h).code, ERR_OK);
    change(&h);
    journal_header_write(&h, bytes);
    write_at(path, 0, bytes, sizeof bytes);
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

/* ── reports ── */

static void test_a_new_journal_is_reported_as_created_and_an_old_one_as_found(void **s)
{
    (void)s;
    struct journal *j = open_ok();
    assert_true(report.created);
    assert_int_equal(report.salt, SALT);
    assert_int_equal(report.first_seq, 1);
    assert_int_equal(report.last_seq, 0);
    assert_int_equal(report.last_crc, 77);
    assert_int_equal(report.segments, 1);
    assert_string_equal(report.text, "");
    assert_int_equal(journal_first_seq(j), 1);
    assert_int_equal(journal_next_seq(j), 1);
    assert_int_equal(journal_committed_seq(j), 0);
    assert_int_equal(journal_last_crc(j), 77);
    append(j, 56);
    assert_int_equal(journal_buffered_bytes(j), 56);
    append(j, 64);
    assert_int_equal(journal_buffered_bytes(j), 120);
    assert_int_equal(journal_committed_seq(j), 0);
    assert_int_equal(journal_next_seq(j), 3);
    commit(j);
    assert_int_equal(journal_committed_seq(j), 2);
    assert_int_equal(journal_buffered_bytes(j), 0);
    uint32_t crc = journal_last_crc(j);
    append(j, 56); /* never committed: gone with the close */
    journal_close(j);
    j = open_ok();
    assert_false(report.created);
    assert_int_equal(report.salt, SALT);
    assert_int_equal(report.first_seq, 1);
    assert_int_equal(report.last_seq, 2);
    assert_int_equal(report.last_time_ms, 2000);
    assert_int_equal(report.last_crc, crc);
    assert_int_equal(report.records, 2);
    assert_int_equal(report.segments, 1);
    assert_int_equal(report.bad_segment + report.bad_offset + report.bad_seq + report.torn_bytes, 0);
    assert_int_equal(journal_last_crc(j), crc);
    assert_int_equal(journal_committed_seq(j), 2);
    const char *text = NULL;
    assert_int_equal(journal_failure(j, &text).code, ERR_OK);
    assert_string_equal(text, "");
    assert_int_equal(journal_failure(j, NULL).code, ERR_OK);
    journal_close(j);
}

static void test_zero_asks_for_the_default_sizes(void **s)
{
    (void)s;
    static uint8_t payload[JOURNAL_PAYLOAD_MAX];
    struct journal *j;
    assert_int_equal(open_with(&j, (struct journal_options){.salt = SALT}, 0).code, ERR_OK);
    uint64_t n = 0;
    while (!journal_append(j, n + 1, 0, 0, 0, bytes_of(payload, sizeof payload)).code) n++;
    assert_int_equal(n, 3); /* of a mebibyte and its head, in four */
    journal_close(j);
    uint8_t bytes[HEADER];
    struct file file;
    size_t got;
    struct journal_header h;
    assert_int_equal(file_open(&fs, FIRST, FILE_READ, &file).code, ERR_OK);
    assert_int_equal(file_read_at(&fs, file, 0, bytes, sizeof bytes, &got).code, ERR_OK);
    file_close(&fs, &file);
    assert_int_equal(journal_header_read(bytes_of(bytes, got), &h).code, ERR_OK);
    assert_int_equal(h.segment_bytes, JOURNAL_SEGMENT_BYTES_DEFAULT);
    assert_int_equal(h.number, 1);
    assert_int_equal(h.first_seq, 1);
}

static void test_a_batch_holds_exactly_what_its_buffer_holds(void **s)
{
    (void)s;
    struct journal *j;
    struct journal_options options = small;
    static const uint8_t zeros[80];
    options.buffer_bytes = 112;
    assert_int_equal(open_with(&j, options, 0).code, ERR_OK);
    assert_int_equal(journal_append(j, 1, 0, 0, 0, bytes_of(zeros, 61)).code, ERR_TOO_LARGE); /* 120 bytes */
    append(j, 56);
    append(j, 56);
    assert_int_equal(journal_append(j, 3, 0, 0, 0, bytes_of(zeros, 0)).code, ERR_FULL);
    commit(j);
    append(j, 112);
    commit(j);
    journal_close(j);
    journal_close(open_ok());
    assert_int_equal(report.last_seq, 3);
}

/* ── counters ── */

static void test_counters_count(void **s)
{
    (void)s;
    struct journal *j = open_ok();
    struct journal_counters c = journal_counters(j);
    assert_int_equal(c.commits + c.records + c.bytes + c.syncs + c.unprepared + c.dropped + c.prepared_bytes, 0);
    assert_int_equal(c.rolls, 1); /* into its first segment */
    assert_int_equal(c.segments, 1);
    assert_int_equal(c.segment_bytes_sum, HEADER);
    append(j, 56);
    append(j, 64);
    commit(j);
    c = journal_counters(j);
    assert_int_equal(c.commits, 1);
    assert_int_equal(c.records, 2);
    assert_int_equal(c.bytes, 120);
    assert_int_equal(c.syncs, 1);
    assert_int_equal(c.unprepared, 1);
    assert_int_equal(c.segment_bytes_sum, HEADER + 120);
    assert_int_equal(journal_prepare(j, 0).code, ERR_OK);
    assert_int_equal(journal_counters(j).prepared_bytes, 0);
    assert_int_equal(journal_prepare(j, 80).code, ERR_OK);
    assert_int_equal(journal_counters(j).prepared_bytes, 80);
    append(j, 80);
    commit(j);
    assert_int_equal(journal_counters(j).unprepared, 1);
    assert_int_equal(journal_counters(j).prepared_bytes, 0);
    append(j, 56);
    commit(j);
    assert_int_equal(journal_counters(j).unprepared, 2);
    /* The rest of the segment, then a spare of one more. */
    assert_int_equal(journal_prepare(j, 1 << 20).code, ERR_OK);
    assert_int_equal(journal_counters(j).prepared_bytes, SEGMENT - HEADER - 256);
    assert_int_equal(journal_prepare(j, 1000).code, ERR_OK);
    assert_int_equal(journal_counters(j).prepared_bytes, SEGMENT - HEADER - 256 + 1000);
    struct file_info info;
    assert_int_equal(file_info(&fs, "j/spare-8000000000000002", &info).code, ERR_OK); /* made, never a segment's number */
    assert_int_equal(info.size, 1000);
    for (int i = 0; i < 3; i++) assert_int_equal(journal_prepare(j, 1 << 20).code, ERR_OK);
    assert_int_equal(journal_counters(j).prepared_bytes, SEGMENT - HEADER - 256 + SEGMENT);
    append(j, SEGMENT - HEADER);
    commit(j); /* does not fit: a segment of its own, the one that was prepared */
    c = journal_counters(j);
    assert_int_equal(c.rolls, 2);
    assert_int_equal(c.segments, 2);
    assert_int_equal(c.prepared_bytes, 0);
    assert_int_equal(c.unprepared, 2);
    assert_int_equal(c.segment_bytes_sum, 2 * SEGMENT);
    assert_int_equal(journal_drop_before(j, 4).code, ERR_OK);
    assert_int_equal(journal_counters(j).dropped, 0); /* 4 is in the first */
    assert_int_equal(journal_drop_before(j, 5).code, ERR_OK);
    c = journal_counters(j);
    assert_int_equal(c.dropped, 1);
    assert_int_equal(c.segments, 1);
    assert_int_equal(c.segment_bytes_sum, SEGMENT);
    assert_int_equal(c.prepared_bytes, SEGMENT); /* what was dropped is room for what comes */
    assert_int_equal(journal_first_seq(j), 5);
    journal_close(j);
}

static void test_two_dropped_segments_are_kept_as_room_and_more_are_removed(void **s)
{
    (void)s;
    fifty();
    struct journal *j = open_ok();
    assert_int_equal(journal_counters(j).segments, 4);
    assert_int_equal(journal_drop_before(j, 50).code, ERR_OK);
    assert_int_equal(journal_counters(j).dropped, 3);
    struct file_info info;
    assert_int_equal(file_info(&fs, "j/spare-0000000000000001", &info).code, ERR_OK);
    assert_int_equal(file_info(&fs, "j/spare-0000000000000002", &info).code, ERR_OK);
    assert_int_equal(file_info(&fs, "j/spare-0000000000000003", &info).code, ERR_NOT_FOUND);
    assert_int_equal(file_info(&fs, "j/0000000000000003.seg", &info).code, ERR_NOT_FOUND);
    journal_close(j);
    assert_int_equal(open_with(&j, small, 45).code, ERR_OK);
    assert_int_equal(journal_counters(j).prepared_bytes, 2 * SEGMENT); /* found again */
    journal_close(j);
}

static void test_bytes_at_the_limit_stay_and_one_more_goes(void **s)
{
    (void)s;
    fifty();
    struct journal *j;
    struct journal_options options = small;
    options.keep_ms = INT64_MAX / 4;
    options.keep_bytes = 3 * SEGMENT + HEADER + 5 * 4096;
    assert_int_equal(open_with(&j, options, 0).code, ERR_OK);
    assert_int_equal(journal_counters(j).segment_bytes_sum, options.keep_bytes);
    assert_int_equal(journal_retain(j, 50, 0).code, ERR_OK);
    assert_int_equal(journal_counters(j).segments, 4);
    append(j, 56);
    commit(j);
    assert_int_equal(journal_retain(j, 50, 0).code, ERR_OK);
    assert_int_equal(journal_counters(j).segments, 3);
    journal_close(j);
    options.keep_bytes = 0; /* no limit */
    assert_int_equal(open_with(&j, options, 15).code, ERR_OK);
    assert_int_equal(journal_retain(j, 50, 0).code, ERR_OK);
    assert_int_equal(journal_counters(j).segments, 3);
    journal_close(j);
}

/* ── nothing stays open ── */

static void test_a_journal_holds_its_segment_and_its_mark_and_no_file_more(void **s)
{
    (void)s;
    unsigned before = open_files();
    fifty();
    struct journal *j = open_ok();
    assert_int_equal(open_files(), before + 2);
    for (unsigned i = 0; i < 60; i++) {
        append(j, 4096);
        commit(j);
        assert_int_equal(journal_prepare(j, 10000).code, ERR_OK);
        if (i % 20 == 0) assert_int_equal(journal_drop_before(j, journal_committed_seq(j)).code, ERR_OK);
        assert_int_equal(open_files(), before + 2);
    }
    journal_close(j);
    assert_int_equal(open_files(), before);
    struct journal_reader *r;
    uint64_t count, seen = 0;
    assert_int_equal(journal_reader_open(&r, &fs, "j", 100, &report).code, ERR_OK);
    assert_int_equal(journal_reader_next(r, UINT64_MAX, count_record, &seen, &count).code, ERR_OK);
    assert_int_equal(count, 10);
    assert_int_equal(open_files(), before + 1);
    journal_reader_close(r);
    assert_int_equal(open_files(), before);
    write_at("j/0000000000000007.seg", HEADER, "damage", 6);
    for (uint64_t from = 0; from < 110; from += 10) {
        if (!open_with(&j, small, from).code) journal_close(j);
        if (!journal_reader_open(&r, &fs, "j", from, &report).code) journal_reader_close(r);
        assert_int_equal(open_files(), before);
    }
}

/* ── sentences ── */

static void other_salt(struct journal_header *h) { h->salt++; }
static void other_chain(struct journal_header *h) { h->prev_crc++; }
static void other_number(struct journal_header *h) { h->number++; }
static void other_first(struct journal_header *h) { h->first_seq = 14; }
static void too_early(struct journal_header *h) { h->first_seq = 1; }

static void test_segments_that_do_not_fit_are_named_with_the_reason(void **s)
{
    (void)s;
    fifty();
    change_header("j/0000000000000003.seg", other_salt);
    assert_refused(ERR_CORRUPT, 0, "journal j/0000000000000003.seg: it belongs to another journal");
    assert_int_equal(report.bad_segment, 3);
    assert_int_equal(report.bad_seq, 31);
    change_header("j/0000000000000003.seg", too_early);
    assert_refused(ERR_CORRUPT, 0, "journal j/0000000000000003.seg: it belongs to another journal");
    tear_down(s);
    set_up(s);
    fifty();
    change_header("j/0000000000000003.seg", too_early);
    assert_refused(ERR_CORRUPT, 0, "journal j/0000000000000003.seg: it begins before its predecessor");
    change_header("j/0000000000000003.seg", other_number);
    assert_refused(ERR_CORRUPT, 0, "journal j/0000000000000003.seg: the segment's name and its header differ");
    assert_int_equal(report.bad_segment, 3);
    write_at("j/0000000000000003.seg", 20, "x", 1);
    assert_refused(ERR_CORRUPT, 0, "journal j/0000000000000003.seg: the header's checksum is wrong");
    assert_int_equal(file_remove(&fs, "j/0000000000000003.seg").code, ERR_OK);
    assert_refused(ERR_CORRUPT, 0, "journal j/0000000000000004.seg: segments before it are missing");
    assert_int_equal(report.bad_segment, 4);
}

static void test_damage_is_named_with_its_place_and_its_proof(void **s)
{
    (void)s;
    fifty();
    change_header(SECOND, other_chain);
    assert_refused(ERR_CORRUPT, 0,
                   "journal j/0000000000000001.seg: damaged at offset 65536: seq 16 is not there or not whole, but the next "
                   "segment begins with seq 16");
    change_header(SECOND, other_first);
    assert_refused(ERR_CORRUPT, 0,
                   "journal j/0000000000000001.seg: damaged at offset 65536: seq 16 is not there or not whole, but the next "
                   "segment begins with seq 14");
    tear_down(s);
    set_up(s);
    fifty();
    write_at("j/0000000000000004.seg", HEADER + 3 * 4096 + 100, "x", 1);
    assert_refused(ERR_CORRUPT, 0,
                   "journal j/0000000000000004.seg: damaged at offset 16384: seq 49 is not there or not whole, but the commit "
                   "mark (file committed) covers seq 50");
    assert_int_equal(report.bad_segment, 4);
    assert_int_equal(report.bad_offset, 16384);
    assert_int_equal(report.bad_seq, 49);
    assert_int_equal(file_remove(&fs, "j/" JOURNAL_MARK_NAME).code, ERR_OK);
    assert_refused(ERR_CORRUPT, 0,
                   "journal j/0000000000000004.seg: damaged at offset 16384: seq 49 is not there or not whole, but behind it, "
                   "synced later, lies seq 50");
    write_at("j/0000000000000004.seg", HEADER + 4 * 4096 + 100, "x", 1);
    struct journal *j;
    struct journal_options options = small;
    options.mode = JOURNAL_READ_ONLY;
    assert_int_equal(open_with(&j, options, 0).code, ERR_OK);
    assert_string_equal(report.text, "journal j/0000000000000004.seg: torn tail of 4096 bytes at offset 16384, seq 49: never "
                                     "promised to anyone");
    assert_int_equal(report.torn_bytes, 4096);
    assert_int_equal(report.bad_segment, 4);
    assert_int_equal(report.bad_offset, 16384);
    assert_int_equal(report.bad_seq, 49);
    assert_int_equal(report.last_seq, 48);
    journal_close(j);
}

static void test_segments_before_what_is_asked_for_are_walked_only_on_request(void **s)
{
    (void)s;
    fifty();
    write_at(FIRST, HEADER + 100, "x", 1);
    struct journal *j;
    struct journal_options options = small;
    options.mode = JOURNAL_READ_ONLY;
    assert_int_equal(open_with(&j, options, 15).code, ERR_CORRUPT); /* 15 itself is in the first */
    assert_int_equal(open_with(&j, options, 16).code, ERR_OK);
    assert_int_equal(report.records, 34);
    assert_int_equal(report.segments, 4);
    journal_close(j);
    options.verify_all = true;
    assert_int_equal(open_with(&j, options, 16).code, ERR_CORRUPT);
    assert_int_equal(report.bad_seq, 1);
    options.verify_all = false;
    assert_int_equal(open_with(&j, options, JOURNAL_FROM_END).code, ERR_OK);
    assert_int_equal(report.records, 0);
    assert_int_equal(report.last_seq, 50);
    journal_close(j);
}

static void test_what_is_missing_is_named(void **s)
{
    (void)s;
    assert_refused(ERR_NOT_FOUND, 0, "journal j: a folder does not open");
    fifty();
    assert_refused(ERR_CORRUPT, 51, "the journal j ends at seq 50, before the tables (51)");
    struct journal *j = open_ok();
    assert_int_equal(journal_drop_before(j, 20).code, ERR_OK);
    journal_close(j);
    assert_refused(ERR_NOT_FOUND, 14, "the journal begins at seq 16, after the 15 that was asked for");
    assert_int_equal(open_with(&j, small, 15).code, ERR_OK);
    journal_close(j);
    char name[FILE_PATH_MAX];
    memset(name, 'n', sizeof name);
    name[FILE_PATH_MAX - JOURNAL_NAME_MAX] = '\0'; /* with a file's name behind it one byte too long */
    struct journal_reader *r;
    assert_int_equal(journal_open(&j, &fs, name, &small, 0, NULL, NULL, &report).code, ERR_TOO_LARGE);
    assert_string_equal(report.text, "a path is too long");
    assert_int_equal(journal_reader_open(&r, &fs, name, 0, &report).code, ERR_TOO_LARGE);
}

static void test_a_reader_names_what_it_cannot_have(void **s)
{
    (void)s;
    struct journal_reader *r;
    uint64_t seen = 0, count;
    assert_int_equal(journal_reader_open(&r, &fs, "j", 0, &report).code, ERR_NOT_FOUND);
    assert_string_equal(report.text, "journal j: a folder does not open");
    assert_int_equal(file_make_folder(&fs, "j").code, ERR_OK);
    assert_int_equal(journal_reader_open(&r, &fs, "j", 0, &report).code, ERR_NOT_FOUND);
    assert_string_equal(report.text, "there is no journal");
    fifty();
    assert_int_equal(journal_reader_open(&r, &fs, "j", 51, &report).code, ERR_CORRUPT);
    assert_string_equal(report.text, "the journal ends before what was asked");
    assert_int_equal(journal_reader_open(&r, &fs, "j", 20, &report).code, ERR_OK);
    assert_int_equal(journal_reader_seq(r), 20);
    assert_int_equal(journal_reader_salt(r), SALT);
    assert_int_equal(journal_reader_next(r, 3, count_record, &seen, &count).code, ERR_OK);
    assert_int_equal(count, 3);
    assert_int_equal(seen, 3);
    assert_int_equal(journal_reader_seq(r), 23);
    write_at(SECOND, HEADER + 9 * 4096 + 100, "x", 1); /* 25 */
    assert_int_equal(journal_reader_next(r, 10, count_record, &seen, &count).code, ERR_CORRUPT);
    assert_int_equal(count, 1);
    assert_string_equal(journal_reader_text(r), "journal j/0000000000000002.seg, offset 40960, seq 25: the journal is damaged "
                                                "before its end");
    journal_reader_close(r);
    assert_int_equal(journal_reader_open(&r, &fs, "j", 31, &report).code, ERR_OK);
    struct journal *j;
    assert_int_equal(open_with(&j, small, 31).code, ERR_OK);
    assert_int_equal(journal_drop_before(j, 50).code, ERR_OK);
    assert_int_equal(journal_reader_next(r, 100, count_record, &seen, &count).code, ERR_OK);
    assert_int_equal(count, 19); /* the file that it reads is gone from the folder, not from its hands */
    journal_close(j);
    journal_reader_close(r);
}

static void test_read_from_reports_what_it_read(void **s)
{
    (void)s;
    fifty();
    struct journal *j = open_ok();
    uint32_t crc = journal_last_crc(j);
    journal_close(j);
    uint64_t seen = 0;
    assert_int_equal(journal_read_from(&fs, "j", 20, count_record, &seen, &report).code, ERR_OK);
    assert_int_equal(seen, 30);
    assert_int_equal(report.records, 30);
    assert_int_equal(report.last_seq, 50);
    assert_int_equal(report.last_crc, crc);
    assert_int_equal(report.last_time_ms, 50000);
    assert_string_equal(report.text, "");
    write_at(SECOND, HEADER + 9 * 4096 + 100, "x", 1);
    assert_int_equal(journal_read_from(&fs, "j", 20, count_record, &seen, &report).code, ERR_CORRUPT);
    assert_int_equal(report.records, 4);
    assert_int_equal(report.last_seq, 24);
    assert_string_equal(report.text, "journal j/0000000000000002.seg, offset 40960, seq 25: the journal is damaged "
                                     "before its end");
}

static void test_a_long_record_behind_the_damage_is_proof_too(void **s)
{
    (void)s;
    static const uint8_t zeros[JOURNAL_PAYLOAD_MAX];
    struct journal *j;
    struct journal_options options = small;
    options.segment_bytes = 4 << 20;
    assert_int_equal(open_with(&j, options, 0).code, ERR_OK);
    append(j, 60000);
    append(j, 60000);
    commit(j);
    assert_int_equal(journal_append(j, 3, 0, 0, 0, bytes_of(zeros, sizeof zeros)).code, ERR_OK);
    commit(j);
    journal_close(j);
    write_at(FIRST, HEADER + 100, "x", 1);
    assert_int_equal(file_remove(&fs, "j/" JOURNAL_MARK_NAME).code, ERR_OK);
    assert_refused(ERR_CORRUPT, 0,
                   "journal j/0000000000000001.seg: damaged at offset 4096: seq 1 is not there or not whole, but behind it, "
                   "synced later, lies seq 3");
}

static void test_a_copy_begins_where_the_journal_does_and_says_what_does_not_fit(void **s)
{
    (void)s;
    fifty();
    struct journal *j;
    struct journal_copy *c;
    struct journal_options options = small;
    uint64_t count;
    assert_int_equal(open_with(&j, small, 0).code, ERR_OK);
    assert_int_equal(journal_drop_before(j, 20).code, ERR_OK);
    journal_close(j);
    options.buffer_bytes = 4088;
    struct err e = journal_copy_open(&c, &fs, "j", &fs, "j/copy", &options, 3, &report);
    assert_int_equal(e.code, ERR_OK);
    assert_int_equal(journal_copy_seq(c), 15); /* 16 is the first that there is */
    assert_int_equal(journal_copy_step(c, UINT64_MAX, &count).code, ERR_TOO_LARGE);
    journal_copy_close(c);
    options.buffer_bytes = 4096; /* one at a time */
    assert_int_equal(journal_copy_open(&c, &fs, "j", &fs, "j/copy", &options, 3, &report).code, ERR_OK);
    assert_int_equal(journal_copy_step(c, UINT64_MAX, &count).code, ERR_OK);
    assert_int_equal(count, 35);
    assert_int_equal(journal_copy_seq(c), 50);
    journal_copy_close(c);
    assert_int_equal(file_list(&fs, "j/copy", remove_name, "j/copy").code, ERR_OK);
    assert_int_equal(unlinkat(os.root, "j/copy", AT_REMOVEDIR), 0);
}

#define ON_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_FOLDER(test_a_new_journal_is_reported_as_created_and_an_old_one_as_found),
        ON_FOLDER(test_zero_asks_for_the_default_sizes),
        ON_FOLDER(test_a_batch_holds_exactly_what_its_buffer_holds),
        ON_FOLDER(test_counters_count),
        ON_FOLDER(test_two_dropped_segments_are_kept_as_room_and_more_are_removed),
        ON_FOLDER(test_bytes_at_the_limit_stay_and_one_more_goes),
        ON_FOLDER(test_a_journal_holds_its_segment_and_its_mark_and_no_file_more),
        ON_FOLDER(test_segments_that_do_not_fit_are_named_with_the_reason),
        ON_FOLDER(test_damage_is_named_with_its_place_and_its_proof),
        ON_FOLDER(test_segments_before_what_is_asked_for_are_walked_only_on_request),
        ON_FOLDER(test_what_is_missing_is_named),
        ON_FOLDER(test_a_reader_names_what_it_cannot_have),
        ON_FOLDER(test_read_from_reports_what_it_read),
        ON_FOLDER(test_a_long_record_behind_the_damage_is_proof_too),
        ON_FOLDER(test_a_copy_begins_where_the_journal_does_and_says_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
