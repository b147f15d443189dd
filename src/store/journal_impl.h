/* SPDX-License-Identifier: Apache-2.0 */
/* journal_impl.h: the inside of an open journal, shared by journal.c (append, commit), journal_open.c
 * (recovery) and journal_room.c (segments come and go).
 *
 *   segments   oldest ... newest; the newest is `active`
 *
 *              4096        tail          append_tail      filled        segment_bytes
 *   active     | header | committed | buffered ...... | zeros, synced | not there yet |
 *
 * append_tail is where the next record will go, in the active segment or, when the batch crosses
 * over, in a coming one: append() decides where each record will lie, commit() only follows. */
#ifndef STORE_JOURNAL_IMPL_H
#define STORE_JOURNAL_IMPL_H

#include "store/journal_cursor.h"

struct journal_spare {
    uint64_t number;
    uint64_t filled;
};

struct journal {
    const struct file_system *fs;
    char folder[FILE_PATH_MAX];
    struct journal_options options;
    uint64_t salt;

    struct journal_listing listing; /* its segments are kept up to date, its spares only at open */
    struct journal_spare spares[JOURNAL_SPARES_MAX];
    size_t spare_count;
    struct file active;
    uint64_t tail, filled;

    uint8_t *buffer;
    size_t buffer_len;
    uint64_t append_tail, append_limit;
    uint32_t batch_records; /* in the buffer */
    uint32_t batch;         /* of the next record: how many of its batch lie in its segment before it */
    uint64_t next_seq, committed_seq;
    uint32_t last_crc;

    struct file mark_file;
    void *mark;
    unsigned mark_slot;

    struct journal_counters counters;
    struct err failure;
    char failure_text[JOURNAL_TEXT_MAX];
};

struct journal_segment *journal_active(const struct journal *j);
/* Ends the journal for good; gives back `e`. */
struct err journal_fail(struct journal *j, enum journal_name kind, uint64_t number, struct err e);
/* Goes on in a new segment whose first record will be `first`. The old one is synced already. */
MUST_USE struct err journal_roll(struct journal *j, const struct journal_header *first);
/* Finds out which spares may be used again; removes the others. */
MUST_USE struct err journal_adopt_spares(struct journal *j);
void journal_set_mark(struct journal *j);

/* Walks what is there: verdict, report, and where the walk ended in `end`. Modifies nothing. `mark` was
 * loaded before the listing. */
MUST_USE struct err journal_walk(struct journal_cursor *end, const struct journal_mark *mark,
                                 struct journal_listing *listing,
                                 const struct journal_options *options, uint64_t from_seq,
                                 journal_on_record *on_record, void *ctx,
                                 struct journal_report *report);

#endif
