/* SPDX-License-Identifier: Apache-2.0 */
/* journal_test.c: the journal on a real folder: boundaries, forged and left-over bytes, retention.
 * What crashes do to it is in sim/disk_journal_test.c. */
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

#include "store/journal.h"
#include "store/journal_format.h"
#include "store/testing/folder.h"

#define SALT 42u
#define FIRST "j/0000000000000001.seg"

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
    test_folder_name(here.root, sizeof here.root, "paddock-journal-XXXXXX");
    if (!mkdtemp(here.root)) return -1;
    return file_os_open(&here.os, here.root, &here.fs).code;
}

static int tear_down(void **s)
{
    (void)s;
    (void)file_list(&here.fs, "j", remove_name, "j").code;
    (void)unlinkat(here.os.root, "j", AT_REMOVEDIR);
    file_os_close(&here.os);
    return rmdir(here.root);
}

struct seen {
    uint64_t count, last;
    char payload[16];
};

static struct err on_record(void *ctx, const struct journal_record *r)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->last = r->seq;
    size_t len = r->payload.len < 15 ? r->payload.len : 15;
    if (len) memcpy(seen->payload, r->payload.at, len);
    seen->payload[len] = '\0';
    return NO_ERR;
}

static struct journal_options small(void)
{
    return (struct journal_options){.segment_bytes = JOURNAL_SEGMENT_BYTES_MIN, .salt = SALT};
}

static struct err open_from(struct journal **j, struct journal_options options, uint64_t from_seq,
                            struct seen *seen, struct journal_report *report)
{
    *seen = (struct seen){0};
    return journal_open(j, &here.fs, "j", &options, from_seq, on_record, seen, report);
}

static struct journal *open_ok(uint64_t from_seq, struct seen *seen)
{
    struct journal *j;
    struct journal_report report;
    struct err e = open_from(&j, small(), from_seq, seen, &report);
    if (e.code) fail_msg("%s", report.text);
    return j;
}

static void append_bytes(struct journal *j, size_t bytes)
{
    static const uint8_t zeros[JOURNAL_SEGMENT_BYTES_MIN];
    uint64_t seq = journal_next_seq(j);
    struct bytes payload = bytes_of(zeros, bytes - 52);
    assert_int_equal(journal_record_bytes(payload.len), bytes);
    assert_int_equal(journal_append(j, seq, (int64_t)seq * 1000, 1, 2, payload).code, ERR_OK);
}

static void append_text(struct journal *j, const char *text)
{
    uint64_t seq = journal_next_seq(j);
    assert_int_equal(journal_append(j, seq, (int64_t)seq * 1000, 1, 2, bytes_text(text)).code, ERR_OK);
}

static void commit(struct journal *j)
{
    assert_int_equal(journal_commit(j).code, ERR_OK);
}

static uint64_t segments(void)
{
    struct seen seen;
    struct journal *j = open_ok(JOURNAL_FROM_END, &seen);
    uint64_t count = journal_counters(j).segments;
    journal_close(j);
    return count;
}

static void write_at(const char *path, uint64_t at, const void *from, size_t len)
{
    struct file file;
    assert_int_equal(file_open(&here.fs, path, FILE_CREATE, &file).code, ERR_OK);
    assert_int_equal(file_write_at(&here.fs, file, at, from, len).code, ERR_OK);
    file_close(&here.fs, &file);
}

static void read_at(const char *path, uint64_t at, void *to, size_t len)
{
    struct file file;
    size_t got;
    assert_int_equal(file_open(&here.fs, path, FILE_READ, &file).code, ERR_OK);
    assert_int_equal(file_read_at(&here.fs, file, at, to, len, &got).code, ERR_OK);
    assert_int_equal(got, len);
    file_close(&here.fs, &file);
}

static void remove_mark(void)
{
    assert_int_equal(file_remove(&here.fs, "j/" JOURNAL_MARK_NAME).code, ERR_OK);
}

/* Fills a segment to `left` bytes before its end, then adds a record of `bytes`; twice over. */
static void boundary(size_t left, size_t bytes, bool one_batch)
{
    struct seen seen;
    for (unsigned i = 0; i < 2; i++) {
        struct journal *j = open_ok(0, &seen);
        uint64_t rolls = 0, before = seen.count;
        append_bytes(j, JOURNAL_SEGMENT_BYTES_MIN - JOURNAL_HEADER_BYTES); /* a segment of its own */
        append_bytes(j, JOURNAL_SEGMENT_BYTES_MIN - JOURNAL_HEADER_BYTES - left);
        if (!one_batch) commit(j);
        if (!one_batch && i) { /* the end of a segment is found again */
            journal_close(j);
            j = open_ok(0, &seen);
            assert_int_equal(seen.count, before + 2);
        }
        rolls = one_batch ? 2 : journal_counters(j).rolls;
        append_bytes(j, bytes);
        commit(j);
        bool fits = bytes <= left;
        if (!one_batch) assert_int_equal(journal_counters(j).rolls, rolls + !fits);
        journal_close(j);
        j = open_ok(0, &seen);
        assert_int_equal(seen.count, before + 3);
        assert_int_equal(journal_next_seq(j), before + 4);
        journal_close(j);
    }
}

static void test_records_meet_the_end_of_a_segment_in_every_way(void **s)
{
    static const size_t left[] = {0, 8, 48, 56, 64, 4096};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        for (size_t bytes = 56; bytes <= 72; bytes += 8) {
            boundary(left[i], bytes, false);
            boundary(left[i], bytes, true);
            tear_down(s);
            assert_int_equal(set_up(s), 0);
        }
    }
}

static void test_a_batch_may_cross_several_segments(void **s)
{
    (void)s;
    struct seen seen;
    struct journal *j = open_ok(0, &seen);
    for (unsigned i = 0; i < 100; i++) append_bytes(j, 4000);
    commit(j);
    struct journal_counters c = journal_counters(j);
    assert_int_equal(c.commits, 1);
    assert_int_equal(c.records, 100);
    assert_int_equal(c.segments, 7);
    assert_int_equal(c.syncs, 7);
    journal_close(j);
    journal_close(open_ok(0, &seen));
    assert_int_equal(seen.count, 100);
}

static void test_a_commit_within_a_segment_is_one_sync(void **s)
{
    (void)s;
    struct seen seen;
    struct journal *j = open_ok(0, &seen);
    for (unsigned i = 0; i < 50; i++) {
        for (unsigned n = 0; n < 5; n++) append_text(j, "a fact");
        commit(j);
        commit(j); /* nothing to do */
    }
    assert_int_equal(journal_counters(j).syncs, 50);
    assert_int_equal(journal_counters(j).commits, 50);
    journal_close(j);
}

static void test_limits_are_told_before_anything_changes(void **s)
{
    (void)s;
    struct seen seen;
    static uint8_t large[JOURNAL_PAYLOAD_MAX + 1];
    struct journal *j = open_ok(0, &seen);
    size_t most = JOURNAL_SEGMENT_BYTES_MIN - JOURNAL_HEADER_BYTES - 52;
    assert_int_equal(journal_append(j, 1, 0, 0, 0, bytes_of(large, most + 1)).code, ERR_TOO_LARGE);
    assert_int_equal(journal_append(j, 1, 0, 0, 0, bytes_of(large, sizeof large)).code, ERR_TOO_LARGE);
    struct err e = NO_ERR;
    uint64_t n = 0;
    while (!e.code) e = journal_append(j, n + 1, 0, 0, 0, bytes_of(large, most)), n += !e.code;
    assert_int_equal(e.code, ERR_FULL);
    assert_true(n > 60);
    commit(j);
    assert_int_equal(journal_committed_seq(j), n);
    for (e = NO_ERR; !e.code; n += !e.code) e = journal_append(j, n + 1, 0, 0, 0, bytes_of(large, 0));
    assert_int_equal(e.code, ERR_FULL);
    commit(j);
    journal_close(j);
    journal_close(open_ok(0, &seen));
    assert_int_equal(seen.count, n);
}

static void test_prepared_room_takes_commits_and_a_new_segment(void **s)
{
    (void)s;
    struct seen seen;
    struct journal *j = open_ok(0, &seen);
    for (unsigned i = 0; i < 40; i++) assert_int_equal(journal_prepare(j, 8 << 10).code, ERR_OK);
    uint64_t ahead = 2 * JOURNAL_SEGMENT_BYTES_MIN - JOURNAL_HEADER_BYTES;
    assert_int_equal(journal_counters(j).prepared_bytes, ahead);
    while (journal_counters(j).rolls < 2) append_bytes(j, 1000), commit(j);
    assert_int_equal(journal_counters(j).unprepared, 0);
    journal_close(j);
    j = open_ok(0, &seen); /* half of it is still known after a restart */
    assert_true(journal_counters(j).prepared_bytes > 32 << 10);
    journal_close(j);
}

static void test_a_cut_tail_does_not_come_back_behind_the_same_record(void **s)
{
    (void)s;
    struct seen seen;
    uint8_t one[56], broken[8] = "broken!";
    struct journal *j = open_ok(0, &seen);
    for (unsigned i = 0; i < 3; i++) append_bytes(j, 56);
    commit(j);
    journal_close(j);
    read_at(FIRST, JOURNAL_HEADER_BYTES, one, sizeof one);
    /* The batch was torn: its first record did not arrive, the two behind it did. */
    write_at(FIRST, JOURNAL_HEADER_BYTES + 8, broken, sizeof broken);
    remove_mark();
    struct journal_report report;
    assert_int_equal(open_from(&j, small(), 0, &seen, &report).code, ERR_OK);
    assert_int_equal(seen.count, 0);
    assert_int_equal(report.torn_bytes, 3 * 56);
    append_bytes(j, 56); /* the same fact again, byte for byte */
    commit(j);
    journal_close(j);
    uint8_t again[56];
    read_at(FIRST, JOURNAL_HEADER_BYTES, again, sizeof again);
    assert_memory_equal(one, again, sizeof one);
    journal_close(open_ok(0, &seen));
    assert_int_equal(seen.count, 1);
}

static void test_damage_before_a_later_batch_is_refused_even_without_a_mark(void **s)
{
    (void)s;
    struct seen seen;
    struct journal *j = open_ok(0, &seen);
    for (unsigned batch = 0; batch < 3; batch++) {
        for (unsigned i = 0; i < 4; i++) append_bytes(j, 56);
        commit(j);
    }
    journal_close(j);
    uint8_t was[56], zeros[56] = {0};
    for (unsigned record = 0; record < 12; record++) {
        uint64_t at = JOURNAL_HEADER_BYTES + record * 56u;
        struct journal_report report;
        struct journal_options options = small();
        options.mode = JOURNAL_READ_ONLY;
        if (record == 0) remove_mark();
        read_at(FIRST, at, was, sizeof was);
        write_at(FIRST, at, zeros, sizeof zeros);
        struct err e = open_from(&j, options, 0, &seen, &report);
        assert_int_equal(e.code, record < 8 ? ERR_CORRUPT : ERR_OK);
        assert_int_equal(seen.count, record);
        if (record < 11) assert_int_equal(report.bad_seq, record + 1);
        if (record < 11) assert_int_equal(report.bad_offset, at);
        if (!e.code) journal_close(j);
        write_at(FIRST, at, was, sizeof was);
    }
}

static void test_a_whole_record_that_does_not_follow_is_not_delivered(void **s)
{
    (void)s;
    struct seen seen;
    struct journal *j = open_ok(0, &seen);
    append_text(j, "the first");
    commit(j);
    uint32_t crc = journal_last_crc(j);
    journal_close(j);
    uint8_t bytes[64];
    uint64_t at = JOURNAL_HEADER_BYTES + journal_record_bytes(9);
    struct journal_record forged[] = {
        {.seq = 3, .payload = bytes_text("x"), .prev_crc = crc},     /* not the next */
        {.seq = 1, .payload = bytes_text("x"), .prev_crc = crc},     /* of an earlier life */
        {.seq = 2, .payload = bytes_text("x"), .prev_crc = crc + 1}, /* of another chain */
        {.seq = 2, .payload = bytes_text("x"), .prev_crc = crc},     /* the real thing */
    };
    for (size_t i = 0; i < 4; i++) {
        journal_record_write(&forged[i], SALT, 1, bytes);
        write_at(FIRST, at, bytes, journal_record_bytes(1));
        journal_close(open_ok(0, &seen));
        assert_int_equal(seen.count, i < 3 ? 1 : 2);
    }
}

static void test_the_next_segment_must_continue_the_chain(void **s)
{
    (void)s;
    struct seen seen;
    struct journal_report report;
    struct journal *j = open_ok(0, &seen);
    while (!journal_counters(j).rolls || journal_counters(j).rolls < 2) append_bytes(j, 4000), commit(j);
    journal_close(j);
    uint8_t bytes[JOURNAL_HEADER_BYTES];
    struct journal_header h;
    read_at("j/0000000000000002.seg", 0, bytes, sizeof bytes);
    assert_int_equal(journal_header_read(bytes_of(bytes, sizeof bytes), &h).code, ERR_OK);
    h.prev_crc++;
    journal_header_write(&h, bytes);
    write_at("j/0000000000000002.seg", 0, bytes, sizeof bytes);
    assert_int_equal(open_from(&j, small(), 0, &seen, &report).code, ERR_CORRUPT);
    assert_int_equal(report.bad_segment, 1);
    assert_non_null(strstr(report.text, "next segment"));
}

static void test_spares_from_another_time_are_not_used(void **s)
{
    (void)s;
    struct seen seen;
    struct journal *j = open_ok(0, &seen);
    uint8_t header[JOURNAL_HEADER_BYTES];
    append_text(j, "x");
    commit(j);
    journal_close(j);
    /* Left behind by a journal that was further on when an older backup took its place. */
    struct journal_header newer = {
        .number = 9, .first_seq = 5000, .salt = SALT, .segment_bytes = JOURNAL_SEGMENT_BYTES_MIN};
    journal_header_write(&newer, header);
    write_at("j/spare-0000000000000009", 0, header, sizeof header);
    newer.salt++;
    newer.number = 1;
    newer.first_seq = 1;
    journal_header_write(&newer, header);
    write_at("j/spare-0000000000000007", 0, header, sizeof header);
    write_at("j/spare-0000000000000005", 0, "what is this", 12);
    j = open_ok(0, &seen);
    struct file_info info;
    assert_int_equal(file_info(&here.fs, "j/spare-0000000000000009", &info).code, ERR_NOT_FOUND);
    assert_int_equal(file_info(&here.fs, "j/spare-0000000000000007", &info).code, ERR_NOT_FOUND);
    assert_int_equal(file_info(&here.fs, "j/spare-0000000000000005", &info).code, ERR_NOT_FOUND);
    journal_close(j);
}

static void test_reused_segments_never_bring_old_records_back(void **s)
{
    (void)s;
    struct seen seen;
    struct journal *j = open_ok(0, &seen);
    uint64_t cut = 0;
    for (unsigned round = 0; round < 30; round++) {
        uint64_t rolls = journal_counters(j).rolls;
        while (journal_counters(j).rolls < rolls + 2) append_bytes(j, 1000), commit(j);
        cut = journal_committed_seq(j) - 1;
        assert_int_equal(journal_drop_before(j, cut).code, ERR_OK);
        append_text(j, "the newest");
        commit(j);
        uint64_t last = journal_committed_seq(j);
        journal_close(j);
        if (round % 2) remove_mark();
        j = open_ok(cut, &seen);
        assert_int_equal(seen.last, last);
        assert_int_equal(seen.count, last - cut);
        assert_string_equal(seen.payload, "the newest");
    }
    assert_true(journal_counters(j).segments <= 3);
    journal_close(j);
}

static void test_retention_goes_by_hours_by_bytes_and_never_beyond_the_cut(void **s)
{
    (void)s;
    struct seen seen;
    struct journal *j;
    struct journal_report report;
    struct journal_options options = small();
    options.keep_ms = 100000;
    assert_int_equal(open_from(&j, options, 0, &seen, &report).code, ERR_OK);
    /* 15 records a segment, one each second: 1..15, 16..30, ... 76..90, 91.. */
    for (unsigned i = 0; i < 100; i++) append_bytes(j, 4096), commit(j);
    assert_int_equal(journal_counters(j).segments, 7);
    assert_int_equal(journal_retain(j, 100, 115999).code, ERR_OK); /* record 16 is 99.999 s old */
    assert_int_equal(journal_first_seq(j), 1);
    assert_int_equal(journal_retain(j, 14, 1 << 30).code, ERR_OK); /* the cut has 15 still to come */
    assert_int_equal(journal_first_seq(j), 1);
    assert_int_equal(journal_retain(j, 15, 1 << 30).code, ERR_OK);
    assert_int_equal(journal_first_seq(j), 16);
    assert_int_equal(journal_retain(j, 100, 131000).code, ERR_OK); /* 31 is exactly as old */
    assert_int_equal(journal_first_seq(j), 31);
    assert_int_equal(journal_retain(j, 1000, INT64_MAX / 2).code, ERR_OK);
    assert_int_equal(journal_first_seq(j), 91); /* the newest stays */
    journal_close(j);
    options.keep_ms = INT64_MAX / 4;
    options.keep_bytes = 3 * JOURNAL_SEGMENT_BYTES_MIN;
    assert_int_equal(open_from(&j, options, 90, &seen, &report).code, ERR_OK);
    for (unsigned i = 0; i < 100; i++) append_bytes(j, 4096), commit(j);
    assert_int_equal(journal_retain(j, 200, 200000).code, ERR_OK);
    assert_true(journal_counters(j).segment_bytes_sum <= options.keep_bytes);
    assert_int_equal(journal_counters(j).segments, 3);
    journal_close(j);
    assert_int_equal(open_from(&j, options, 90, &seen, &report).code, ERR_NOT_FOUND);
    assert_int_equal(report.first_seq, 166);
}

static void test_read_only_touches_nothing(void **s)
{
    (void)s;
    struct seen seen;
    struct journal *j;
    struct journal_report report;
    struct journal_options options = small();
    struct file_info info;
    options.mode = JOURNAL_READ_ONLY;
    assert_int_equal(open_from(&j, options, 0, &seen, &report).code, ERR_NOT_FOUND);
    assert_int_equal(file_info(&here.fs, "j", &info).code, ERR_NOT_FOUND);
    j = open_ok(0, &seen);
    append_bytes(j, 56);
    append_bytes(j, 56);
    commit(j);
    journal_close(j);
    uint8_t torn[8] = {0}, after[8];
    write_at(FIRST, JOURNAL_HEADER_BYTES + 56 + 8, torn, sizeof torn); /* seq of the second */
    remove_mark();
    assert_int_equal(open_from(&j, options, 0, &seen, &report).code, ERR_OK);
    assert_int_equal(seen.count, 1);
    journal_close(j);
    read_at(FIRST, JOURNAL_HEADER_BYTES + 56, after, 4);
    assert_memory_equal(after, "JREC", 4);
    assert_int_equal(file_info(&here.fs, "j/" JOURNAL_MARK_NAME, &info).code, ERR_NOT_FOUND);
}

static void test_from_any_seq_exactly_what_follows_is_delivered(void **s)
{
    (void)s;
    struct seen seen;
    struct journal *j = open_ok(500, &seen); /* a new journal behind tables at 500 */
    assert_int_equal(journal_next_seq(j), 501);
    for (unsigned i = 0; i < 100; i++) append_bytes(j, 4096), commit(j);
    journal_close(j);
    for (uint64_t from = 500; from <= 600; from++) {
        struct journal_report report;
        assert_int_equal(open_from(&j, small(), from, &seen, &report).code, ERR_OK);
        assert_int_equal(seen.count, 600 - from);
        assert_int_equal(report.last_seq, 600);
        assert_int_equal(report.last_time_ms, 600000);
        assert_int_equal(report.first_seq, 501);
        journal_close(j);
    }
    struct journal_report report;
    assert_int_equal(open_from(&j, small(), 601, &seen, &report).code, ERR_CORRUPT);
    assert_int_equal(open_from(&j, small(), 499, &seen, &report).code, ERR_NOT_FOUND);
    assert_int_equal(segments(), 7);
}

#define ON_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_FOLDER(test_records_meet_the_end_of_a_segment_in_every_way),
        ON_FOLDER(test_a_batch_may_cross_several_segments),
        ON_FOLDER(test_a_commit_within_a_segment_is_one_sync),
        ON_FOLDER(test_limits_are_told_before_anything_changes),
        ON_FOLDER(test_prepared_room_takes_commits_and_a_new_segment),
        ON_FOLDER(test_a_cut_tail_does_not_come_back_behind_the_same_record),
        ON_FOLDER(test_damage_before_a_later_batch_is_refused_even_without_a_mark),
        ON_FOLDER(test_a_whole_record_that_does_not_follow_is_not_delivered),
        ON_FOLDER(test_the_next_segment_must_continue_the_chain),
        ON_FOLDER(test_spares_from_another_time_are_not_used),
        ON_FOLDER(test_reused_segments_never_bring_old_records_back),
        ON_FOLDER(test_retention_goes_by_hours_by_bytes_and_never_beyond_the_cut),
        ON_FOLDER(test_read_only_touches_nothing),
        ON_FOLDER(test_from_any_seq_exactly_what_follows_is_delivered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
