/* SPDX-License-Identifier: Apache-2.0 */
/* journal.c: append and commit.
 *
 * append()  writes the record, checksum and all, into the buffer and decides in which segment it lies
 * commit()  writes the buffer with one write, syncs once, moves the commit mark; where the batch crosses
 *           over: write, sync, new segment, write, sync, so that a segment is whole before the next exists
 *
 * The format of the bytes is in journal_format.c. */
#include "store/journal_impl.h"

#include "base/must.h"

static struct err commit_run(struct journal *j, const uint8_t *from, const uint8_t *to);

struct err journal_append(struct journal *j, uint64_t seq, int64_t time_ms, uint64_t build,
                          uint64_t effects_sum, struct bytes payload)
{
    if (j->failure.code) return j->failure;
    must(seq == j->next_seq && j->buffer);
    size_t bytes = payload.len <= JOURNAL_PAYLOAD_MAX ? journal_record_bytes(payload.len) : SIZE_MAX;
    if (bytes > j->options.segment_bytes - JOURNAL_HEADER_BYTES || bytes > j->options.buffer_bytes) {
        return ERR(TOO_LARGE, "a record is larger than the journal's limit");
    }
    if (bytes > j->options.buffer_bytes - j->buffer_len ||
        j->batch_records == JOURNAL_BATCH_RECORDS_MAX) {
        return ERR(FULL, "the batch is full");
    }
    if (bytes > j->append_limit - j->append_tail) {
        j->append_tail = JOURNAL_HEADER_BYTES;
        j->append_limit = j->options.segment_bytes;
        j->batch = 0;
    }
    struct journal_record record = {seq, time_ms, build, effects_sum, payload, j->last_crc, 0};
    j->last_crc = journal_record_write(&record, j->salt, j->batch, j->buffer + j->buffer_len);
    j->buffer_len += bytes;
    j->append_tail += bytes;
    j->batch_records++;
    j->batch++;
    j->next_seq++;
    return NO_ERR;
}

struct err journal_commit(struct journal *j)
{
    if (j->failure.code) return j->failure;
    if (!j->buffer_len) return NO_ERR;
    const uint8_t *run = j->buffer, *at = run, *end = run + j->buffer_len;
    while (at < end) {
        struct journal_head head;
        must(!journal_head_read(bytes_of(at, (size_t)(end - at)), j->salt, &head).code);
        uint64_t limit = journal_active(j)->header.segment_bytes;
        if ((uint64_t)(at - run) + head.bytes > limit - j->tail) {
            TRY(commit_run(j, run, at));
            TRY(journal_roll(j, &(struct journal_header){
                                    .first_seq = head.seq,
                                    .first_time_ms = (int64_t)load_u64(at + 16),
                                    .prev_crc = load_u32(at + 40),
                                }));
            run = at;
        }
        at += head.bytes;
    }
    TRY(commit_run(j, run, end));
    must(j->tail == j->append_tail);
    j->committed_seq = j->next_seq - 1;
    journal_set_mark(j);
    j->counters.commits++;
    j->counters.records += j->batch_records;
    j->counters.bytes += j->buffer_len;
    j->buffer_len = 0;
    j->batch_records = 0;
    j->batch = 0;
    return NO_ERR;
}

static struct err commit_run(struct journal *j, const uint8_t *from, const uint8_t *to)
{
    size_t len = (size_t)(to - from);
    if (!len) return NO_ERR;
    uint64_t number = journal_active(j)->header.number;
    struct err e = file_write_at(j->fs, j->active, j->tail, from, len);
    if (!e.code) e = file_sync_data(j->fs, j->active);
    if (e.code) return journal_fail(j, JOURNAL_NAME_SEGMENT, number, e);
    j->counters.syncs++;
    j->tail += len;
    if (j->tail > j->filled) {
        j->filled = j->tail;
        j->counters.unprepared++;
    }
    return NO_ERR;
}

struct err journal_fail(struct journal *j, enum journal_name kind, uint64_t number, struct err e)
{
    must(e.code);
    if (j->failure.code) return j->failure;
    j->failure = e;
    journal_say_file(j->failure_text, j->folder, kind, number, e);
    return e;
}

void journal_set_mark(struct journal *j)
{
    j->mark_slot ^= 1;
    journal_mark_write(j->mark, j->salt, j->committed_seq, j->mark_slot);
}

struct journal_segment *journal_active(const struct journal *j)
{
    must(j->listing.count > 0);
    return &j->listing.segments[j->listing.count - 1];
}

uint64_t journal_next_seq(const struct journal *j)
{
    return j->next_seq;
}

uint64_t journal_committed_seq(const struct journal *j)
{
    return j->committed_seq;
}

uint64_t journal_first_seq(const struct journal *j)
{
    return j->listing.segments[0].header.first_seq;
}

uint32_t journal_last_crc(const struct journal *j)
{
    return j->last_crc;
}

size_t journal_buffered_bytes(const struct journal *j)
{
    return j->buffer_len;
}

struct journal_counters journal_counters(const struct journal *j)
{
    struct journal_counters c = j->counters;
    c.segments = j->listing.count;
    c.prepared_bytes = j->filled - j->tail;
    for (size_t i = 0; i < j->spare_count; i++) c.prepared_bytes += j->spares[i].filled;
    c.segment_bytes_sum = j->filled;
    for (size_t i = 0; i + 1 < j->listing.count; i++) {
        c.segment_bytes_sum += j->listing.segments[i].bytes;
    }
    return c;
}

struct err journal_failure(const struct journal *j, const char **text)
{
    if (text) *text = j->failure_text;
    return j->failure;
}
