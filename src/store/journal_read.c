/* SPDX-License-Identifier: Apache-2.0 */
/* journal_read.c: a reader beside a live writer.
 *
 * The mark is read first, then the records: what it covers is whole by then. A record that it covers and
 * that is not where it should be lies in the next segment, or its segment was retired and perhaps
 * overwritten; only when neither is so is it damage. */
#include "store/journal_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "store/journal_cursor.h"

#define READER_CHUNK_BYTES (128u << 10) /* a follower reads little and often */

struct journal_reader {
    const struct file_system *fs;
    char folder[FILE_PATH_MAX];
    struct journal_cursor cursor;
    char text[JOURNAL_TEXT_MAX];
};

static struct err reader_begin(struct journal_reader *r, uint64_t from_seq,
                               struct journal_report *report);
static struct err reader_limit(struct journal_reader *r, uint64_t *limit);
static struct err reader_record(struct journal_reader *r, bool promised,
                                struct journal_record *out);
static struct err reader_missing(struct journal_reader *r, bool *moved);

struct err journal_reader_open(struct journal_reader **out, const struct file_system *fs,
                               const char *folder, uint64_t from_seq,
                               struct journal_report *report)
{
    *out = NULL;
    *report = (struct journal_report){0};
    if (strlen(folder) + JOURNAL_NAME_MAX >= FILE_PATH_MAX) {
        return ERR(TOO_LARGE, "a path is too long");
    }
    struct journal_reader *r = calloc(1, sizeof *r);
    if (!r) return ERR(FULL, "no memory for a journal's reader");
    r->fs = fs;
    memcpy(r->folder, folder, strlen(folder) + 1);
    struct err e = journal_cursor_init(&r->cursor, fs, r->folder, READER_CHUNK_BYTES);
    if (!e.code) e = reader_begin(r, from_seq, report);
    if (e.code) {
        const char *said = r->text[0] ? r->text : e.why;
        if (!report->text[0]) journal_say(report->text, "%s", said);
        journal_reader_close(r);
        return e;
    }
    *out = r;
    return NO_ERR;
}

void journal_reader_close(struct journal_reader *r)
{
    if (!r) return;
    journal_cursor_fini(&r->cursor);
    free(r);
}

struct err journal_reader_next(struct journal_reader *r, uint64_t records_max,
                               journal_on_record *on_record, void *ctx, uint64_t *count)
{
    uint64_t limit;
    *count = 0;
    journal_cursor_forget(&r->cursor);
    TRY(reader_limit(r, &limit));
    while (*count < records_max && r->cursor.next_seq <= limit) {
        struct journal_record record;
        struct err e = reader_record(r, limit != UINT64_MAX, &record);
        if (e.code == ERR_MALFORMED) return NO_ERR;
        if (e.code) return e;
        ++*count;
        TRY(on_record(ctx, &record));
    }
    return NO_ERR;
}

uint64_t journal_reader_seq(const struct journal_reader *r)
{
    return r->cursor.next_seq - 1;
}

uint32_t journal_reader_crc(const struct journal_reader *r)
{
    return r->cursor.prev_crc;
}

uint64_t journal_reader_salt(const struct journal_reader *r)
{
    return r->cursor.header.salt;
}

const char *journal_reader_text(const struct journal_reader *r)
{
    return r->text;
}

struct err journal_read_from(const struct file_system *fs, const char *folder, uint64_t from_seq,
                             journal_on_record *on_record, void *ctx,
                             struct journal_report *report)
{
    struct journal_reader *r;
    TRY(journal_reader_open(&r, fs, folder, from_seq, report));
    struct err e = journal_reader_next(r, UINT64_MAX, on_record, ctx, &report->records);
    report->last_seq = journal_reader_seq(r);
    report->last_crc = journal_reader_crc(r);
    report->last_time_ms = r->cursor.time_ms;
    if (e.code && r->text[0]) memcpy(report->text, r->text, sizeof report->text);
    journal_reader_close(r);
    return e;
}

static struct err reader_begin(struct journal_reader *r, uint64_t from_seq,
                               struct journal_report *report)
{
    struct journal_listing listing;
    uint64_t limit;
    size_t index;
    TRY(journal_listing_init(&listing));
    struct err e = journal_listing_read(&listing, r->fs, r->folder, report);
    if (!e.code && !listing.count) e = ERR(NOT_FOUND, "there is no journal");
    if (!e.code) e = journal_listing_find(&listing, from_seq, &index, report);
    if (!e.code) e = journal_cursor_enter(&r->cursor, &listing.segments[index].header);
    journal_listing_fini(&listing);
    if (!e.code) e = reader_limit(r, &limit);
    while (!e.code && r->cursor.next_seq <= from_seq) {
        struct journal_record record;
        if (r->cursor.next_seq > limit) return ERR(CORRUPT, "the journal ends before what was asked");
        e = reader_record(r, limit != UINT64_MAX, &record);
        if (e.code == ERR_MALFORMED) e = ERR(CORRUPT, "the journal ends before what was asked for");
    }
    return e;
}

/* How far a reader may go. A journal that no writer has opened since a power cut may have no mark; then
 * its end is where its records end. */
static struct err reader_limit(struct journal_reader *r, uint64_t *limit)
{
    struct journal_mark mark;
    struct err e = journal_mark_load(r->fs, r->folder, &mark);
    if (e.code) journal_say_file(r->text, r->folder, JOURNAL_NAME_OTHER, 0, e);
    if (!journal_mark_read(mark.slots, r->cursor.header.salt, limit)) *limit = UINT64_MAX;
    return e;
}

/* The next record, in this segment or the next. MALFORMED: the end, where nothing more is promised. */
static struct err reader_record(struct journal_reader *r, bool promised,
                                struct journal_record *out)
{
    for (;;) {
        bool moved = false;
        struct err e = journal_cursor_next(&r->cursor, out);
        if (!e.code) return e;
        if (e.code == ERR_MALFORMED) {
            struct err missing = reader_missing(r, &moved);
            if (moved) continue;
            if (missing.code) e = missing;
            else if (promised) e = ERR(CORRUPT, "the journal is damaged before its end");
            else return e;
        }
        journal_say(r->text, "journal %s/%016llx.seg, offset %llu, seq %llu: %s", r->folder,
                    (unsigned long long)r->cursor.header.number,
                    (unsigned long long)r->cursor.offset, (unsigned long long)r->cursor.next_seq,
                    e.why);
        return e;
    }
}

static struct err reader_missing(struct journal_reader *r, bool *moved)
{
    struct journal_segment next, same;
    struct journal_cursor *c = &r->cursor;
    struct err e = journal_header_load(r->fs, r->folder, JOURNAL_NAME_SEGMENT,
                                       c->header.number + 1, &next);
    if (!e.code && next.header.first_seq == c->next_seq && next.header.prev_crc == c->prev_crc) {
        e = journal_cursor_enter(c, &next.header);
        *moved = !e.code;
        if (*moved || e.code != ERR_NOT_FOUND) return e;
    }
    if (e.code == ERR_IO) return e;
    e = journal_header_load(r->fs, r->folder, JOURNAL_NAME_SEGMENT, c->header.number, &same);
    if (e.code == ERR_NOT_FOUND) return ERR(NOT_FOUND, "the journal has dropped what comes next");
    return e.code == ERR_IO ? e : NO_ERR;
}
