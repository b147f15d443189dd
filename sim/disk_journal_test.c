/* SPDX-License-Identifier: Apache-2.0 */
/* disk_journal_test.c: the journal on the lying disk. What journal_commit() promised is compared with what a
 * recovery finds; the same checker must notice a disk that lies about its syncs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "base/prng.h"
#include "sim/disk.h"
#include "store/journal.h"
#include "store/journal_format.h"

#define FOLDER "journal"
#define SEQ_MAX 400000u
#define PAYLOAD_MAX 3000u
#define SALT 0x5eedf00dcafe1234ull

/* What was appended, and how much of it was promised. */
struct truth {
    uint32_t sum[SEQ_MAX];
    uint64_t appended, acked, cut;
    uint64_t seen; /* of the running recovery */
    const char *broken;
    enum err_code code;
    uint64_t rolls, dropped, prepared, torn; /* what the rounds exercised */
};

static uint32_t sum_of(int64_t time_ms, uint64_t build, uint64_t effects, struct bytes payload)
{
    uint8_t head[24];
    store_u64(head, (uint64_t)time_ms);
    store_u64(head + 8, build);
    store_u64(head + 16, effects);
    return crc32c(crc32c(0, bytes_of(head, sizeof head)), payload);
}

static struct err truth_on_record(void *ctx, const struct journal_record *r)
{
    struct truth *t = ctx;
    if (r->seq != t->seen + 1) t->broken = "a record is out of order";
    else if (r->seq > t->appended) t->broken = "a record was invented";
    else if (t->sum[r->seq] != sum_of(r->time_ms, r->build, r->effects_sum, r->payload)) {
        t->broken = "a record differs from what was appended";
    }
    t->seen = r->seq;
    return NO_ERR;
}

static struct err truth_append(struct truth *t, struct journal *j, struct prng *prng)
{
    uint8_t payload[PAYLOAD_MAX];
    static const uint64_t limit[] = {1, 40, 130, 600, PAYLOAD_MAX + 1};
    size_t len = (size_t)prng_below(prng, limit[prng_below(prng, 5)]);
    bool zeros = prng_chance(prng, 200000);
    for (size_t i = 0; i < len; i++) payload[i] = zeros ? 0 : (uint8_t)prng_next(prng);
    uint64_t seq = journal_next_seq(j), build = prng_below(prng, 3), effects = prng_next(prng);
    int64_t time_ms = (int64_t)seq * 10;
    TRY(journal_append(j, seq, time_ms, build, effects, bytes_of(payload, len)));
    assert_true(seq < SEQ_MAX);
    t->sum[seq] = sum_of(time_ms, build, effects, bytes_of(payload, len));
    t->appended = seq;
    return NO_ERR;
}

static struct journal_options small_segments(void)
{
    return (struct journal_options){
        .segment_bytes = JOURNAL_SEGMENT_BYTES_MIN, .buffer_bytes = 256 << 10, .salt = SALT};
}

/* Some work of a journal thread, until something refuses. */
static void truth_work(struct truth *t, struct journal *j, struct prng *prng)
{
    struct err e = NO_ERR;
    for (unsigned step = (unsigned)prng_below(prng, 20); step && !e.code; step--) {
        switch (prng_below(prng, 8)) {
        case 0:
            e = journal_prepare(j, prng_below(prng, 80 << 10));
            break;
        case 1:
            t->cut += prng_below(prng, t->acked - t->cut + 1);
            e = journal_drop_before(j, t->cut + 1);
            break;
        case 2:
            t->cut += prng_below(prng, t->acked - t->cut + 1);
            e = journal_retain(j, t->cut, (int64_t)prng_below(prng, t->acked + 1) * 10);
            break;
        default:
            for (uint64_t n = 1 + prng_below(prng, 40); n && !e.code; n--) {
                e = truth_append(t, j, prng);
            }
            if (!e.code) e = journal_commit(j);
            if (!e.code) t->acked = t->appended;
        }
    }
}

static const char *truth_recover(struct truth *t, struct file_system *fs, struct journal **j,
                                 struct journal_report *report)
{
    struct journal_options options = small_segments();
    t->broken = NULL;
    t->seen = t->cut;
    struct err e = journal_open(j, fs, FOLDER, &options, t->cut, truth_on_record, t, report);
    t->code = e.code;
    if (t->broken) return t->broken;
    if (e.code) return report->text[0] ? report->text : "refused without a word";
    t->torn += report->torn_bytes > 0;
    if (report->last_seq < t->acked) return "a promised record is missing";
    if (t->seen != report->last_seq || journal_next_seq(*j) != t->seen + 1) {
        return "the report does not fit the records";
    }
    t->appended = t->acked = report->last_seq;
    return NULL;
}

static struct disk_faults random_faults(struct prng *prng)
{
    struct disk_faults f = {0};
    switch (prng_below(prng, 6)) {
    case 0:
        f.sync_fail_ppm = 30000;
        break;
    case 1:
        f.write_fail_ppm = 30000;
        break;
    case 2:
        f.call_fail_ppm = 50000;
        f.read_fail_ppm = 20000;
        break;
    case 3:
        f.capacity_bytes = 100000 + prng_below(prng, 400000);
        break;
    default:
        f.stop_nth = 1 + prng_below(prng, 30);
    }
    return f;
}

/* Most ends are crashes. */
static void truth_end(struct truth *t, struct disk *d, struct journal *j, struct prng *prng)
{
    if (j) {
        struct journal_counters c = journal_counters(j);
        t->rolls += c.rolls;
        t->dropped += c.dropped;
        t->prepared += c.prepared_bytes;
    }
    bool orderly = prng_chance(prng, 100000);
    if (orderly) journal_close(j);
    disk_crash(d, (enum disk_crash)prng_below(prng, 3));
    if (!orderly) journal_close(j);
}

/* Crash rounds on one disk. NULL, or what broke first. */
static const char *crash_rounds(uint64_t seed, unsigned rounds, bool lies, uint64_t *faults,
                                struct truth *work, unsigned *done)
{
    struct truth *t = calloc(1, sizeof *t);
    struct prng prng = prng_of(seed, bytes_text("journal"));
    struct disk *d = disk_create(seed);
    struct file_system fs = disk_files(d);
    struct journal_report report;
    const char *broken = NULL;
    static char text[JOURNAL_TEXT_MAX];
    for (*done = 0; *done < rounds && !broken; ++*done) {
        struct journal *j = NULL;
        /* Sometimes the recovery itself is cut short. */
        if (prng_chance(&prng, 300000)) {
            disk_set_faults(d, random_faults(&prng));
            struct truth before = {.cut = t->cut, .acked = t->acked, .appended = t->appended};
            (void)truth_recover(t, &fs, &j, &report);
            broken = t->code == ERR_CORRUPT ? report.text : t->broken;
            if (j) truth_work(t, j, &prng);
            else t->acked = before.acked, t->appended = before.appended;
            truth_end(t, d, j, &prng);
            if (broken) break;
        }
        broken = truth_recover(t, &fs, &j, &report);
        if (!broken) {
            struct disk_faults f = random_faults(&prng);
            f.sync_lies = lies;
            disk_set_faults(d, f);
            truth_work(t, j, &prng);
            truth_end(t, d, j, &prng);
        } else {
            journal_close(j);
        }
    }
    if (work) {
        work->rolls += t->rolls;
        work->dropped += t->dropped;
        work->prepared += t->prepared;
        work->torn += t->torn;
    }
    if (broken) {
        snprintf(text, sizeof text, "%s", broken);
        broken = text;
    }
    for (unsigned f = 0; faults && f < DISK_FAULT_N; f++) {
        faults[f] += disk_fault_count(d, (enum disk_fault)f);
    }
    disk_destroy(d);
    free(t);
    return broken;
}

static void test_what_commit_promised_survives_2000_crashes(void **s)
{
    (void)s;
    static struct truth work;
    uint64_t faults[DISK_FAULT_N] = {0};
    for (uint64_t seed = 1; seed <= 40; seed++) {
        unsigned done;
        const char *broken = crash_rounds(seed, 50, false, faults, &work, &done);
        if (broken) fail_msg("seed %llu round %u: %s", (unsigned long long)seed, done, broken);
    }
    for (unsigned f = 0; f < DISK_FAULT_N; f++) {
        print_message("  %-28s %llu\n", disk_fault_text((enum disk_fault)f),
                      (unsigned long long)faults[f]);
        if (f == DISK_FAULT_SYNC_LIED || f == DISK_FAULT_BIT_FLIPPED) continue;
        assert_true(faults[f] > 0);
    }
    print_message("  %llu new segments, %llu retired, %llu torn tails\n",
                  (unsigned long long)work.rolls, (unsigned long long)work.dropped,
                  (unsigned long long)work.torn);
    assert_true(work.rolls > 200 && work.dropped > 100 && work.torn > 50 && work.prepared > 0);
}

static void test_a_disk_that_lies_about_syncs_is_noticed(void **s)
{
    (void)s;
    unsigned noticed = 0, done;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        noticed += crash_rounds(seed, 50, true, NULL, NULL, &done) != NULL;
    }
    print_message("  noticed in %u of 20 runs\n", noticed);
    assert_int_equal(noticed, 20);
}

/* The whole life of a journal in one go, so that every file call there is can fail in turn. */
static struct err life(struct truth *t, struct file_system *fs, struct journal **j)
{
    struct journal_options options = small_segments();
    struct journal_report report;
    struct prng prng = prng_of(7, bytes_text("life"));
    t->seen = t->cut;
    TRY(journal_open(j, fs, FOLDER, &options, t->cut, truth_on_record, t, &report));
    for (unsigned batch = 0; batch < 60; batch++) {
        for (unsigned n = 0; n < 20; n++) TRY(truth_append(t, *j, &prng));
        TRY(journal_commit(*j));
        t->acked = t->appended;
        if (batch % 3 == 0) TRY(journal_prepare(*j, 24 << 10));
        if (batch % 8 == 7) {
            t->cut = t->acked - 30;
            TRY(journal_drop_before(*j, t->cut + 1));
        }
        if (batch == 40) TRY(journal_retain(*j, t->acked - 1, INT64_MAX / 2));
    }
    return NO_ERR;
}

static void test_every_file_call_may_fail_and_nothing_promised_is_lost(void **s)
{
    (void)s;
    struct truth *t = calloc(1, sizeof *t);
    uint64_t nth = 1;
    for (bool fired = true; fired; nth++) {
        memset(t, 0, sizeof *t);
        struct disk *d = disk_create(nth);
        struct file_system fs = disk_files(d);
        struct journal *j = NULL;
        struct journal_report report;
        disk_set_faults(d, (struct disk_faults){.fail_nth = nth});
        struct err e = life(t, &fs, &j);
        fired = disk_fired(d);
        if (fired && !e.code) fail_msg("call %llu failed and nobody said so", (unsigned long long)nth);
        assert_true(fired || !e.code);
        if (j && fired) { /* it never comes back */
            assert_true(journal_failure(j, NULL).code != ERR_OK);
            assert_true(journal_commit(j).code != ERR_OK);
        }
        if (nth % 2) disk_crash(d, DISK_POWER);
        else disk_crash(d, DISK_KILL);
        journal_close(j);
        const char *broken = truth_recover(t, &fs, &j, &report);
        if (broken) fail_msg("call %llu: %s", (unsigned long long)nth, broken);
        journal_close(j);
        disk_destroy(d);
    }
    free(t);
    print_message("  %llu calls failed in turn, none of them benign\n", (unsigned long long)nth - 2);
    assert_true(nth > 200);
}

/* What a kill left in the page cache only must not be built upon: the next process makes it sure first. */
static void test_a_kill_at_every_call_and_a_power_cut_after_the_next_commit(void **s)
{
    (void)s;
    struct truth *t = calloc(1, sizeof *t);
    uint64_t nth = 1;
    for (bool fired = true; fired; nth++) {
        memset(t, 0, sizeof *t);
        struct disk *d = disk_create(nth);
        struct file_system fs = disk_files(d);
        struct prng prng = prng_of(nth, bytes_text("after"));
        struct journal *j = NULL;
        struct journal_report report;
        disk_set_faults(d, (struct disk_faults){.stop_nth = nth});
        (void)life(t, &fs, &j);
        fired = disk_fired(d);
        for (unsigned end = 0; end < 3; end++) {
            disk_crash(d, end ? DISK_POWER : DISK_KILL);
            journal_close(j);
            const char *broken = truth_recover(t, &fs, &j, &report);
            if (broken) fail_msg("call %llu: %s", (unsigned long long)nth, broken);
            assert_int_equal(truth_append(t, j, &prng).code, ERR_OK);
            assert_int_equal(journal_commit(j).code, ERR_OK);
            t->acked = t->appended;
        }
        journal_close(j);
        disk_destroy(d);
    }
    free(t);
    assert_true(nth > 200);
}

static void test_a_full_disk_in_prepare_is_no_end_but_in_commit_it_is(void **s)
{
    (void)s;
    struct truth *t = calloc(1, sizeof *t);
    struct disk *d = disk_create(1);
    struct file_system fs = disk_files(d);
    struct journal *j;
    struct journal_report report;
    struct prng prng = prng_of(1, bytes_text("full"));
    assert_null(truth_recover(t, &fs, &j, &report));
    disk_set_faults(d, (struct disk_faults){.capacity_bytes = 40000});
    assert_int_equal(journal_prepare(j, 64 << 10).code, ERR_FULL);
    assert_int_equal(journal_failure(j, NULL).code, ERR_OK);
    struct err e = NO_ERR;
    for (unsigned i = 0; i < 1000 && !e.code; i++) {
        assert_int_equal(truth_append(t, j, &prng).code, ERR_OK);
        e = journal_commit(j);
        if (!e.code) t->acked = t->appended;
    }
    const char *text;
    assert_int_equal(e.code, ERR_FULL);
    assert_int_equal(journal_failure(j, &text).code, ERR_FULL);
    assert_non_null(strstr(text, "No space left"));
    disk_crash(d, DISK_POWER);
    journal_close(j);
    assert_true(t->acked > 3);
    assert_null(truth_recover(t, &fs, &j, &report));
    journal_close(j);
    disk_destroy(d);
    free(t);
}

static void test_any_flipped_bit_is_refused_with_its_place(void **s)
{
    (void)s;
    struct truth *t = calloc(1, sizeof *t);
    struct prng prng = prng_of(3, bytes_text("flip"));
    struct disk *d = disk_create(3);
    struct file_system fs = disk_files(d);
    struct journal *j;
    struct journal_report report;
    assert_null(truth_recover(t, &fs, &j, &report));
    while (journal_counters(j).rolls < 4) {
        for (unsigned n = 0; n < 9; n++) assert_int_equal(truth_append(t, j, &prng).code, ERR_OK);
        assert_int_equal(journal_commit(j).code, ERR_OK);
        t->acked = t->appended;
    }
    journal_close(j);
    /* From here the state is fixed: flip, look, flip back. */
    for (unsigned round = 0; round < 6000; round++) {
        uint64_t number = 1 + prng_below(&prng, 4), size, at;
        char path[64];
        struct file file;
        snprintf(path, sizeof path, FOLDER "/%016llx.seg", (unsigned long long)number);
        assert_int_equal(file_open(&fs, path, FILE_READ, &file).code, ERR_OK);
        assert_int_equal(file_size(&fs, file, &size).code, ERR_OK);
        file_close(&fs, &file);
        at = prng_below(&prng, round % 10 ? size : JOURNAL_HEADER_BYTES + 200);
        unsigned bit = (unsigned)prng_below(&prng, 8);
        assert_int_equal(disk_flip(d, path, at, bit).code, ERR_OK);
        struct journal_options options = small_segments();
        options.mode = round % 2 ? JOURNAL_READ_ONLY : JOURNAL_WRITE;
        t->seen = 0;
        struct err e = journal_open(&j, &fs, FOLDER, &options, 0, truth_on_record, t, &report);
        if (e.code != ERR_CORRUPT) {
            fail_msg("segment %llu byte %llu: %s", (unsigned long long)number,
                     (unsigned long long)at, report.text);
        }
        assert_int_equal(report.bad_segment, number);
        assert_non_null(strstr(report.text, ".seg"));
        if (at >= JOURNAL_HEADER_BYTES) {
            assert_true(report.bad_offset <= at && at - report.bad_offset < PAYLOAD_MAX + 64);
            assert_int_equal(report.bad_seq, t->seen + 1);
        }
        assert_null(t->broken);
        assert_int_equal(disk_flip(d, path, at, bit).code, ERR_OK);
    }
    assert_null(truth_recover(t, &fs, &j, &report));
    journal_close(j);
    disk_destroy(d);
    free(t);
}

static void test_a_flip_in_a_batch_without_mark_or_successor_is_a_torn_tail(void **s)
{
    (void)s;
    struct truth *t = calloc(1, sizeof *t);
    struct prng prng = prng_of(4, bytes_text("tail"));
    struct disk *d = disk_create(4);
    struct file_system fs = disk_files(d);
    struct journal *j;
    struct journal_report report;
    assert_null(truth_recover(t, &fs, &j, &report));
    for (unsigned n = 0; n < 10; n++) assert_int_equal(truth_append(t, j, &prng).code, ERR_OK);
    assert_int_equal(journal_commit(j).code, ERR_OK);
    uint64_t first = JOURNAL_HEADER_BYTES;
    journal_close(j);
    assert_int_equal(file_remove(&fs, FOLDER "/" JOURNAL_MARK_NAME).code, ERR_OK);
    assert_int_equal(disk_flip(d, FOLDER "/0000000000000001.seg", first + 9, 0).code, ERR_OK);
    assert_null(truth_recover(t, &fs, &j, &report));
    assert_int_equal(report.last_seq, 0);
    assert_int_equal(report.bad_seq, 1);
    assert_int_equal(report.bad_offset, first);
    assert_true(report.torn_bytes > 9 * JOURNAL_RECORD_MIN);
    assert_non_null(strstr(report.text, "torn tail"));
    journal_close(j);
    disk_destroy(d);
    free(t);
}

static void test_a_new_journal_does_not_believe_the_mark_of_a_removed_one(void **s)
{
    (void)s;
    struct truth *t = calloc(1, sizeof *t);
    struct prng prng = prng_of(6, bytes_text("mark"));
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct disk *d = disk_create(seed);
        struct file_system fs = disk_files(d);
        struct journal *j;
        struct journal_report report;
        memset(t, 0, sizeof *t);
        assert_null(truth_recover(t, &fs, &j, &report));
        for (unsigned n = 0; n < 9; n++) assert_int_equal(truth_append(t, j, &prng).code, ERR_OK);
        assert_int_equal(journal_commit(j).code, ERR_OK);
        journal_close(j);
        assert_int_equal(file_remove(&fs, FOLDER "/0000000000000001.seg").code, ERR_OK);
        assert_int_equal(file_sync_folder(&fs, FOLDER).code, ERR_OK);
        memset(t, 0, sizeof *t);
        assert_null(truth_recover(t, &fs, &j, &report)); /* with the same salt, as a copy has */
        assert_int_equal(truth_append(t, j, &prng).code, ERR_OK);
        assert_int_equal(journal_commit(j).code, ERR_OK);
        t->acked = t->appended;
        disk_crash(d, DISK_POWER);
        journal_close(j);
        assert_null(truth_recover(t, &fs, &j, &report));
        journal_close(j);
        disk_destroy(d);
    }
    free(t);
}

static void move(struct file_system *fs, const char *from, const char *to)
{
    assert_int_equal(file_rename(fs, from, to).code, ERR_OK);
}

static enum err_code open_code(struct file_system *fs, uint64_t from_seq, struct journal_report *report)
{
    struct journal_options options = small_segments();
    struct journal *j;
    struct err e = journal_open(&j, fs, FOLDER, &options, from_seq, NULL, NULL, report);
    journal_close(j);
    return e.code;
}

static void test_segments_that_do_not_fit_together_are_refused(void **s)
{
    (void)s;
    struct truth *t = calloc(1, sizeof *t);
    struct prng prng = prng_of(5, bytes_text("gap"));
    struct disk *d = disk_create(5);
    struct file_system fs = disk_files(d);
    struct journal *j;
    struct journal_report report;
    assert_null(truth_recover(t, &fs, &j, &report));
    while (journal_counters(j).rolls < 5) {
        assert_int_equal(truth_append(t, j, &prng).code, ERR_OK);
        assert_int_equal(journal_commit(j).code, ERR_OK);
    }
    journal_close(j);
    move(&fs, FOLDER "/0000000000000003.seg", "kept");
    assert_int_equal(open_code(&fs, 0, &report), ERR_CORRUPT);
    assert_int_equal(report.bad_segment, 4);
    assert_non_null(strstr(report.text, "missing"));
    move(&fs, FOLDER "/0000000000000004.seg", FOLDER "/0000000000000003.seg");
    assert_int_equal(open_code(&fs, 0, &report), ERR_CORRUPT);
    assert_int_equal(report.bad_segment, 3);
    move(&fs, FOLDER "/0000000000000003.seg", FOLDER "/0000000000000004.seg");
    move(&fs, "kept", FOLDER "/0000000000000003.seg");
    /* The tables claim more than the journal has: acknowledged facts are gone. */
    assert_int_equal(open_code(&fs, 1u << 30, &report), ERR_CORRUPT);
    /* The newest segment is gone: the mark knows. */
    assert_int_equal(file_remove(&fs, FOLDER "/0000000000000005.seg").code, ERR_OK);
    assert_int_equal(open_code(&fs, 0, &report), ERR_CORRUPT);
    assert_non_null(strstr(report.text, JOURNAL_MARK_NAME));
    /* The oldest is gone: what was asked for is not there. */
    assert_int_equal(file_remove(&fs, FOLDER "/0000000000000001.seg").code, ERR_OK);
    assert_int_equal(open_code(&fs, 0, &report), ERR_NOT_FOUND);
    disk_destroy(d);
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_commit_promised_survives_2000_crashes),
        cmocka_unit_test(test_a_disk_that_lies_about_syncs_is_noticed),
        cmocka_unit_test(test_every_file_call_may_fail_and_nothing_promised_is_lost),
        cmocka_unit_test(test_a_kill_at_every_call_and_a_power_cut_after_the_next_commit),
        cmocka_unit_test(test_a_full_disk_in_prepare_is_no_end_but_in_commit_it_is),
        cmocka_unit_test(test_any_flipped_bit_is_refused_with_its_place),
        cmocka_unit_test(test_a_flip_in_a_batch_without_mark_or_successor_is_a_torn_tail),
        cmocka_unit_test(test_a_new_journal_does_not_believe_the_mark_of_a_removed_one),
        cmocka_unit_test(test_segments_that_do_not_fit_together_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
