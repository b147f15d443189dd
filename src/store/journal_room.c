/* SPDX-License-Identifier: Apache-2.0 */
/* journal_room.c: where the next segment comes from and where the oldest goes.
 *
 *            prepare: zeros                    roll: header, sync, rename, sync of the folder
 *   nothing ───────────────► spare-8… (zeros) ──┐
 *                                               ├──► number.seg ──► active ──► older
 *                  ┌────► spare-N (old bytes) ──┘                                │
 *                  └──────────────────────────────────── retire: rename, sync ◄──┘
 *
 * One name changes at a time, and the folder is synced before the next does or the file is written
 * to: whatever subset a power cut keeps, the segments have no gap and a named one has its header. */
#include "store/journal_impl.h"

#include <string.h>

#include "base/must.h"

#define MADE (1ull << 63) /* in a spare's number: made, never a segment; so no two names meet */

static struct err room_header(struct journal *j, struct file file, const struct journal_header *h);
static struct err room_grow(struct journal *j, struct file file, enum journal_name kind,
                            uint64_t number, uint64_t *filled, uint64_t want);
static struct err room_spare(struct journal *j, uint64_t budget_bytes);
static struct err room_retire(struct journal *j);
static bool room_usable(const struct journal *j, uint64_t number, uint64_t *filled, struct err *e);

struct err journal_roll(struct journal *j, const struct journal_header *first)
{
    char from[FILE_PATH_MAX], to[FILE_PATH_MAX];
    struct journal_header h = *first;
    enum file_mode mode = FILE_WRITE;
    h.number = j->listing.count ? journal_active(j)->header.number + 1 : 1;
    h.salt = j->salt;
    h.segment_bytes = j->options.segment_bytes;
    if (j->listing.count == JOURNAL_SEGMENTS_MAX) {
        struct err full = ERR(FULL, "as many segments as the limit allows");
        return journal_fail(j, JOURNAL_NAME_SEGMENT, h.number, full);
    }
    struct journal_spare spare = {MADE | h.number, 0};
    if (j->spare_count) {
        spare = j->spares[0];
        memmove(j->spares, j->spares + 1, --j->spare_count * sizeof *j->spares);
    } else {
        mode = FILE_NEW;
    }
    struct file file = FILE_NONE;
    struct err e = journal_path(from, j->folder, JOURNAL_NAME_SPARE, spare.number);
    if (!e.code) e = journal_path(to, j->folder, JOURNAL_NAME_SEGMENT, h.number);
    if (!e.code) e = file_open(j->fs, from, mode, &file);
    if (!e.code) e = room_header(j, file, &h);
    if (!e.code) e = file_rename(j->fs, from, to);
    if (!e.code) e = file_sync_folder(j->fs, j->folder);
    if (e.code) {
        file_close(j->fs, &file);
        return journal_fail(j, JOURNAL_NAME_SEGMENT, h.number, e);
    }
    if (j->listing.count) journal_active(j)->bytes = j->filled;
    file_close(j->fs, &j->active);
    j->active = file;
    j->tail = JOURNAL_HEADER_BYTES;
    j->filled = spare.filled > j->tail ? spare.filled : j->tail;
    j->listing.segments[j->listing.count++] = (struct journal_segment){h, j->filled};
    j->counters.rolls++;
    return NO_ERR;
}

struct err journal_prepare(struct journal *j, uint64_t budget_bytes)
{
    if (j->failure.code) return j->failure;
    const struct journal_header *h = &journal_active(j)->header;
    if (!budget_bytes) return NO_ERR;
    if (j->filled >= h->segment_bytes) return room_spare(j, budget_bytes);
    uint64_t rest = h->segment_bytes - j->filled;
    return room_grow(j, j->active, JOURNAL_NAME_SEGMENT, h->number, &j->filled,
                     rest < budget_bytes ? rest : budget_bytes);
}

struct err journal_drop_before(struct journal *j, uint64_t seq)
{
    if (j->failure.code) return j->failure;
    while (j->listing.count > 1 && j->listing.segments[1].header.first_seq <= seq) {
        TRY(room_retire(j));
    }
    return NO_ERR;
}

struct err journal_retain(struct journal *j, uint64_t cut_seq, int64_t now_ms)
{
    if (j->failure.code) return j->failure;
    while (j->listing.count > 1) {
        /* Everything in the oldest is older than the first of the next. */
        const struct journal_header *next = &j->listing.segments[1].header;
        uint64_t bytes = journal_counters(j).segment_bytes_sum;
        bool old = now_ms - j->options.keep_ms >= next->first_time_ms;
        bool large = j->options.keep_bytes && bytes > j->options.keep_bytes;
        if (next->first_seq - 1 > cut_seq || (!old && !large)) return NO_ERR;
        TRY(room_retire(j));
    }
    return NO_ERR;
}

struct err journal_adopt_spares(struct journal *j)
{
    char path[FILE_PATH_MAX];
    for (size_t i = 0; i < j->listing.spare_count; i++) {
        uint64_t number = j->listing.spares[i], filled = 0;
        struct err e = NO_ERR;
        if (j->spare_count < JOURNAL_SPARES_MAX && room_usable(j, number, &filled, &e)) {
            j->spares[j->spare_count++] = (struct journal_spare){number, filled};
            continue;
        }
        if (e.code) return journal_fail(j, JOURNAL_NAME_SPARE, number, e);
        TRY(journal_path(path, j->folder, JOURNAL_NAME_SPARE, number));
        e = file_remove(j->fs, path);
        if (e.code) return journal_fail(j, JOURNAL_NAME_SPARE, number, e);
    }
    j->listing.spare_count = 0;
    return NO_ERR;
}

static struct err room_header(struct journal *j, struct file file, const struct journal_header *h)
{
    uint8_t bytes[JOURNAL_HEADER_BYTES];
    journal_header_write(h, bytes);
    TRY(file_write_at(j->fs, file, 0, bytes, sizeof bytes));
    return file_sync_data(j->fs, file);
}

static struct err room_grow(struct journal *j, struct file file, enum journal_name kind,
                            uint64_t number, uint64_t *filled, uint64_t want)
{
    struct err e = file_fill_zeros(j->fs, file, *filled, want);
    if (e.code == ERR_FULL) return e; /* an alarm, not the end: what is filled can still be used */
    if (!e.code) e = file_sync_data(j->fs, file);
    if (e.code) return journal_fail(j, kind, number, e);
    *filled += want;
    return NO_ERR;
}

static struct err room_spare(struct journal *j, uint64_t budget_bytes)
{
    char path[FILE_PATH_MAX];
    struct journal_spare spare = {MADE | (journal_active(j)->header.number + 1), 0};
    if (j->spare_count) spare = j->spares[0];
    if (spare.filled >= j->options.segment_bytes) return NO_ERR;
    uint64_t rest = j->options.segment_bytes - spare.filled;
    struct file file;
    struct err e = journal_path(path, j->folder, JOURNAL_NAME_SPARE, spare.number);
    if (!e.code) e = file_open(j->fs, path, FILE_CREATE, &file);
    if (e.code == ERR_FULL) return e;
    if (e.code) return journal_fail(j, JOURNAL_NAME_SPARE, spare.number, e);
    if (!j->spare_count) j->spares[j->spare_count++] = spare;
    e = room_grow(j, file, JOURNAL_NAME_SPARE, spare.number, &j->spares[0].filled,
                  rest < budget_bytes ? rest : budget_bytes);
    file_close(j->fs, &file);
    return e;
}

/* The oldest segment becomes a spare, or goes when there are enough. */
static struct err room_retire(struct journal *j)
{
    char from[FILE_PATH_MAX], to[FILE_PATH_MAX];
    must(j->listing.count > 1);
    struct journal_segment oldest = j->listing.segments[0];
    uint64_t number = oldest.header.number;
    bool keep = j->spare_count < JOURNAL_SPARES_MAX;
    struct err e = journal_path(from, j->folder, JOURNAL_NAME_SEGMENT, number);
    if (!e.code) e = journal_path(to, j->folder, JOURNAL_NAME_SPARE, number);
    if (!e.code) e = keep ? file_rename(j->fs, from, to) : file_remove(j->fs, from);
    if (!e.code) e = file_sync_folder(j->fs, j->folder);
    if (e.code) return journal_fail(j, JOURNAL_NAME_SEGMENT, number, e);
    if (keep) j->spares[j->spare_count++] = (struct journal_spare){number, oldest.bytes};
    memmove(j->listing.segments, j->listing.segments + 1,
            --j->listing.count * sizeof *j->listing.segments);
    j->counters.dropped++;
    return NO_ERR;
}

/* A spare of zeros, or one whose records are surely older than any that will follow: recovery tells
 * old from torn by their seq. After a restored backup an old spare may hold newer ones. */
static bool room_usable(const struct journal *j, uint64_t number, uint64_t *filled, struct err *e)
{
    struct journal_segment s;
    const struct journal_header *active = &journal_active(j)->header;
    *e = journal_header_load(j->fs, j->folder, JOURNAL_NAME_SPARE, number, &s);
    *filled = s.bytes;
    if (!e->code) {
        return s.header.salt == j->salt && s.header.number < active->number &&
               s.header.first_seq <= active->first_seq;
    }
    if (e->code != ERR_MALFORMED && e->code != ERR_UNSUPPORTED) return false;
    *e = NO_ERR;
    return (number & MADE) != 0;
}
