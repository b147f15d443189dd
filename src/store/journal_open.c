/* SPDX-License-Identifier: Apache-2.0 */
/* journal_open.c: from a folder to a journal that can append: walk, cut, make sure, mark.
 *
 * What the walk has seen may be in the page cache only: after a kill it was never synced, after a
 * failed sync its pages even count as clean. So before anyone builds on it, the newest batch is written
 * once more and synced, and so is the folder. */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "store/journal_impl.h"

static struct err open_checked(struct journal *j, uint64_t from_seq, journal_on_record *on_record,
                               void *ctx, struct journal_report *report);
static struct err open_created(struct journal *j, uint64_t from_seq, struct journal_report *report);
static struct err open_recovered(struct journal *j, const struct journal_cursor *end,
                                 const struct journal_report *report);
static struct err open_settle(struct journal *j, const struct journal_cursor *end,
                              uint64_t torn_bytes);
static struct err open_mark(struct journal *j);

struct err journal_open(struct journal **out, const struct file_system *fs, const char *folder,
                        const struct journal_options *options, uint64_t from_seq,
                        journal_on_record *on_record, void *ctx, struct journal_report *report)
{
    *out = NULL;
    *report = (struct journal_report){0};
    struct journal *j = calloc(1, sizeof *j);
    if (!j) return ERR(FULL, "no memory for a journal");
    j->fs = fs;
    j->active = j->mark_file = FILE_NONE;
    j->options = *options;
    if (!j->options.segment_bytes) j->options.segment_bytes = JOURNAL_SEGMENT_BYTES_DEFAULT;
    if (!j->options.buffer_bytes) j->options.buffer_bytes = JOURNAL_BUFFER_BYTES_DEFAULT;
    must(j->options.segment_bytes >= JOURNAL_SEGMENT_BYTES_MIN && j->options.segment_bytes % 8 == 0);
    struct err e = NO_ERR;
    if (strlen(folder) + JOURNAL_NAME_MAX >= FILE_PATH_MAX) {
        e = ERR(TOO_LARGE, "a path is too long");
    } else {
        memcpy(j->folder, folder, strlen(folder) + 1);
        e = journal_listing_init(&j->listing);
    }
    if (!e.code) e = open_checked(j, from_seq, on_record, ctx, report);
    if (e.code) {
        if (!report->text[0]) {
            journal_say(report->text, "%s", j->failure.code ? j->failure_text : e.why);
        }
        journal_close(j);
        return e;
    }
    *out = j;
    return NO_ERR;
}

void journal_close(struct journal *j)
{
    if (!j) return;
    /* An orderly end leaves an exact mark on the disk too; a crash may leave an older one. */
    if (j->mark && !j->failure.code) (void)file_sync_data(j->fs, j->mark_file).code;
    file_unmap(j->fs, j->mark, JOURNAL_MARK_BYTES);
    file_close(j->fs, &j->mark_file);
    file_close(j->fs, &j->active);
    journal_listing_fini(&j->listing);
    free(j->buffer);
    free(j);
}

static struct err open_checked(struct journal *j, uint64_t from_seq, journal_on_record *on_record,
                               void *ctx, struct journal_report *report)
{
    bool write = j->options.mode == JOURNAL_WRITE;
    if (write) TRY(file_make_folder(j->fs, j->folder));
    struct journal_mark mark;
    TRY(journal_mark_load(j->fs, j->folder, &mark));
    TRY(journal_listing_read(&j->listing, j->fs, j->folder, report));
    if (!j->listing.count) {
        if (from_seq == JOURNAL_FROM_END) return ERR(NOT_FOUND, "there is no journal");
        report->last_seq = from_seq;
        return write ? open_created(j, from_seq, report) : NO_ERR;
    }
    struct journal_cursor end;
    struct err e = journal_cursor_init(&end, j->fs, j->folder, 0);
    if (!e.code) {
        e = journal_walk(&end, &mark, &j->listing, &j->options, from_seq, on_record, ctx, report);
    }
    if (!e.code) {
        j->salt = end.header.salt;
        j->next_seq = report->last_seq + 1;
        j->committed_seq = report->last_seq;
        j->last_crc = report->last_crc;
        if (write) e = open_recovered(j, &end, report);
    }
    journal_cursor_fini(&end);
    return e;
}

static struct err open_created(struct journal *j, uint64_t from_seq, struct journal_report *report)
{
    char path[FILE_PATH_MAX];
    /* What a crash left of an earlier creation, or a hand that took only the segments away; roll syncs
     * the folder. A mark that outlived its journal would call the new one's end damaged. */
    TRY(file_path(path, j->folder, JOURNAL_MARK_NAME));
    struct err e = file_remove(j->fs, path);
    if (e.code && e.code != ERR_NOT_FOUND) return e;
    for (size_t i = 0; i < j->listing.spare_count; i++) {
        TRY(journal_path(path, j->folder, JOURNAL_NAME_SPARE, j->listing.spares[i]));
        TRY(file_remove(j->fs, path));
    }
    j->listing.spare_count = 0;
    j->salt = j->options.salt;
    j->next_seq = from_seq + 1;
    j->committed_seq = from_seq;
    j->last_crc = j->options.first_prev;
    j->buffer = malloc(j->options.buffer_bytes);
    if (!j->buffer) return ERR(FULL, "no memory for a journal's buffer");
    TRY(journal_roll(j, &(struct journal_header){
                            .first_seq = j->next_seq,
                            .prev_crc = j->last_crc,
                        }));
    j->append_tail = j->tail;
    j->append_limit = j->options.segment_bytes;
    report->created = true;
    report->salt = j->salt;
    report->first_seq = j->next_seq;
    report->last_crc = j->last_crc;
    report->segments = 1;
    return open_mark(j);
}

static struct err open_recovered(struct journal *j, const struct journal_cursor *end,
                                 const struct journal_report *report)
{
    char path[FILE_PATH_MAX];
    uint64_t number = journal_active(j)->header.number;
    j->buffer = malloc(j->options.buffer_bytes);
    if (!j->buffer) return ERR(FULL, "no memory for a journal's buffer");
    TRY(journal_path(path, j->folder, JOURNAL_NAME_SEGMENT, number));
    struct err e = file_open(j->fs, path, FILE_WRITE, &j->active);
    if (!e.code) e = open_settle(j, end, report->torn_bytes);
    if (!e.code) e = file_size(j->fs, j->active, &j->filled);
    if (!e.code) e = file_sync_folder(j->fs, j->folder);
    if (e.code) return journal_fail(j, JOURNAL_NAME_SEGMENT, number, e);
    j->tail = j->append_tail = end->offset;
    j->append_limit = journal_active(j)->header.segment_bytes;
    TRY(journal_adopt_spares(j));
    return open_mark(j);
}

/* Wipes the torn tail, so that its whole records cannot come back behind new ones, and writes the
 * newest batch again. */
static struct err open_settle(struct journal *j, const struct journal_cursor *end,
                              uint64_t torn_bytes)
{
    TRY(file_fill_zeros(j->fs, j->active, end->offset, torn_bytes));
    uint64_t at = end->batch_offset;
    while (at < end->offset) {
        uint64_t rest = end->offset - at;
        size_t part = rest < j->options.buffer_bytes ? (size_t)rest : j->options.buffer_bytes;
        size_t got = 0;
        TRY(file_read_at(j->fs, j->active, at, j->buffer, part, &got));
        if (got != part) return ERR(IO, "a record that was read is gone");
        TRY(file_write_at(j->fs, j->active, at, j->buffer, part));
        at += part;
    }
    return file_sync_data(j->fs, j->active);
}

static struct err open_mark(struct journal *j)
{
    char path[FILE_PATH_MAX];
    uint64_t size = 0;
    TRY(file_path(path, j->folder, JOURNAL_MARK_NAME));
    struct err e = file_open(j->fs, path, FILE_CREATE, &j->mark_file);
    if (!e.code) e = file_size(j->fs, j->mark_file, &size);
    if (!e.code && size < JOURNAL_MARK_BYTES) {
        e = file_fill_zeros(j->fs, j->mark_file, 0, JOURNAL_MARK_BYTES);
    }
    if (!e.code) e = file_map(j->fs, j->mark_file, JOURNAL_MARK_BYTES, &j->mark);
    if (e.code) return journal_fail(j, JOURNAL_NAME_OTHER, 0, e);
    journal_set_mark(j);
    journal_set_mark(j);
    return NO_ERR;
}
