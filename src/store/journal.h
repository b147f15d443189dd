/* SPDX-License-Identifier: Apache-2.0 */
/* journal.h: the truth: every fact in order, on disk before anyone is told.
 *
 * What    segments of our own, records with a chained CRC32C, one sync a batch. The format, byte
 *         by byte, stands above journal_format.c.
 * Promise after journal_commit() returned OK its records survive a kill and a power cut. A failed
 *         write or sync ends the journal: every later call repeats the reason (a failed sync is
 *         never tried again).
 * Damage  a bad record that a later batch, a later segment or the commit mark proves to have been
 *         synced is corruption: refused, with file, offset and seq. Otherwise it is a torn tail:
 *         cut, and said.
 * Limits  payload JOURNAL_PAYLOAD_MAX and never more than a segment holds; a batch
 *         JOURNAL_BATCH_RECORDS_MAX records and options.buffer_bytes; JOURNAL_SEGMENTS_MAX segments
 * Owner   one thread (the journal thread) for everything here; readers (journal_read.h) live
 *         elsewhere
 * Left    SQLite's WAL as a journal: a flipped bit silently ends it, and its checkpoints stall
 *         commits */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "store/file.h"

#define JOURNAL_PAYLOAD_MAX (1u << 20)
#define JOURNAL_BATCH_RECORDS_MAX 65535u
#define JOURNAL_SEGMENTS_MAX 4096u
#define JOURNAL_SEGMENT_BYTES_MIN (64u << 10)
#define JOURNAL_SEGMENT_BYTES_DEFAULT (256ull << 20)
#define JOURNAL_BUFFER_BYTES_DEFAULT (4u << 20)
#define JOURNAL_SPARES_MAX 2u
#define JOURNAL_TEXT_MAX 320u
#define JOURNAL_FROM_END UINT64_MAX /* as from_seq: deliver nothing, wherever it ends */

struct journal_record {
    uint64_t seq;         /* one more than its predecessor's, always */
    int64_t time_ms;
    uint64_t build;       /* of the engine that applied it */
    uint64_t effects_sum; /* checksum of the effects it had there */
    struct bytes payload; /* borrowed until the callback returns */
    uint32_t prev_crc, crc;
};
/* An error ends the walk and comes back from it. */
typedef struct err journal_on_record(void *ctx, const struct journal_record *record);

enum journal_mode {
    JOURNAL_WRITE,     /* recover, cut a torn tail, be ready to append */
    JOURNAL_READ_ONLY, /* the same verdicts, nothing is touched; may run beside a live writer */
};

struct journal_options {
    enum journal_mode mode;
    uint64_t segment_bytes; /* 0: the default; at least JOURNAL_SEGMENT_BYTES_MIN, a multiple of 8 */
    uint64_t buffer_bytes;  /* 0: the default; what one batch can carry */
    uint64_t salt;          /* secret random number of a new journal; ignored when one exists */
    uint32_t first_prev;    /* a copy begins in the middle: the crc before its first record */
    bool verify_all;        /* walk also the segments wholly before from_seq (`paddock check`) */
    int64_t keep_ms;        /* journal_retain: records younger than this stay ... */
    uint64_t keep_bytes;    /* ... unless the segments together are larger than this; 0: no limit */
};

/* What a recovery saw. Valid also when it fails: `text` is the sentence for the operator. */
struct journal_report {
    bool created;             /* there was none */
    uint64_t first_seq;       /* oldest record still there */
    uint64_t last_seq;        /* newest; from_seq for an empty journal */
    int64_t last_time_ms;     /* 0 for an empty journal */
    uint32_t last_crc;
    uint64_t salt;
    uint64_t records;         /* given to on_record */
    uint64_t segments;
    uint64_t bad_segment;     /* where a torn tail or damage begins ... */
    uint64_t bad_offset;
    uint64_t bad_seq;         /* ... 0: nowhere */
    uint64_t torn_bytes;      /* cut off (READ_ONLY: would be) */
    char text[JOURNAL_TEXT_MAX];
};

struct journal_counters {
    uint64_t commits, records, bytes, syncs, rolls;
    uint64_t unprepared;     /* commits that had to extend a file themselves */
    uint64_t prepared_bytes; /* zero-filled or reusable room ahead */
    uint64_t segments, segment_bytes_sum;
    uint64_t dropped;        /* segments retired */
};

struct journal; /* create: heap, for the buffer and the tables inside */

/* Recovers `folder` (made when missing, in WRITE mode) and calls `on_record` for every record
 * above `from_seq`. CORRUPT: damage, or the journal ends before from_seq. NOT_FOUND: it begins
 * after from_seq + 1. `report` is filled either way. A new journal's first record will be from_seq
 * + 1; with JOURNAL_FROM_END none is made (NOT_FOUND). *out is NULL on error. */
MUST_USE struct err journal_open(struct journal **out, const struct file_system *fs,
                                 const char *folder, const struct journal_options *options,
                                 uint64_t from_seq, journal_on_record *on_record, void *ctx,
                                 struct journal_report *report);
/* Discards what was not committed. NULL is fine. */
void journal_close(struct journal *j);

/* Adds a record to the batch in memory. `seq` is journal_next_seq(). FULL: commit first.
 * TOO_LARGE: never fits. */
MUST_USE struct err journal_append(struct journal *j, uint64_t seq, int64_t time_ms, uint64_t build,
                                   uint64_t effects_sum, struct bytes payload);
/* Writes the batch and syncs it: one write and one sync, but for a batch that crosses into a new
 * segment. */
MUST_USE struct err journal_commit(struct journal *j);
/* Between commits: zero-fills at most `budget_bytes` of the room ahead and syncs it; nothing when
 * all is ready. FULL (the disk) does not end the journal. */
MUST_USE struct err journal_prepare(struct journal *j, uint64_t budget_bytes);

/* Retires segments whose records all are below `seq`; the newest stays. */
MUST_USE struct err journal_drop_before(struct journal *j, uint64_t seq);
/* Retention: retires what options.keep_* no longer want, never a record above `cut_seq` (the last
 * synced cut). */
MUST_USE struct err journal_retain(struct journal *j, uint64_t cut_seq, int64_t now_ms);

uint64_t journal_next_seq(const struct journal *j);      /* the next append */
uint64_t journal_committed_seq(const struct journal *j); /* the last that is safe */
uint64_t journal_first_seq(const struct journal *j);
uint32_t journal_last_crc(const struct journal *j);      /* of the last append */
size_t journal_buffered_bytes(const struct journal *j);
struct journal_counters journal_counters(const struct journal *j);
/* OK, or why the journal ended; the sentence names the file. Borrowed until journal_close(). */
struct err journal_failure(const struct journal *j, const char **text);

#endif
