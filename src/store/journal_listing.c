/* SPDX-License-Identifier: Apache-2.0 */
/* journal_listing.c: which segments a folder has, and whether they can be one journal. */
#include <stdlib.h>

#include "store/journal_cursor.h"

#define LISTING_TRIES 3u

static struct err listing_once(struct journal_listing *l, const struct file_system *fs,
                               const char *folder, struct journal_report *report);
static struct err listing_on_name(void *ctx, const char *name);
static struct err listing_check(const struct journal_listing *l, size_t i, const char *folder,
                                struct journal_report *report);

struct err journal_listing_init(struct journal_listing *l)
{
    *l = (struct journal_listing){0};
    l->segments = calloc(JOURNAL_SEGMENTS_MAX, sizeof *l->segments);
    return l->segments ? NO_ERR : ERR(FULL, "no memory for a journal's list of segments");
}

void journal_listing_fini(struct journal_listing *l)
{
    free(l->segments);
    *l = (struct journal_listing){0};
}

static int segment_compare(const void *a, const void *b)
{
    uint64_t x = ((const struct journal_segment *)a)->header.number;
    uint64_t y = ((const struct journal_segment *)b)->header.number;
    return (x > y) - (x < y);
}

struct err journal_listing_read(struct journal_listing *l, const struct file_system *fs,
                                const char *folder, struct journal_report *report)
{
    struct err e = NO_ERR;
    for (unsigned i = 0; i < LISTING_TRIES; i++) {
        e = listing_once(l, fs, folder, report);
        if (e.code != ERR_NOT_FOUND && e.code != ERR_CORRUPT) break;
    }
    if (!e.code) report->text[0] = '\0';
    return e;
}

static struct err listing_once(struct journal_listing *l, const struct file_system *fs,
                               const char *folder, struct journal_report *report)
{
    l->count = l->spare_count = 0;
    struct err e = file_list(fs, folder, listing_on_name, l);
    if (e.code) {
        journal_say(report->text, "journal %s: %s", folder, e.why);
        return e;
    }
    qsort(l->segments, l->count, sizeof *l->segments, segment_compare);
    for (size_t i = 0; i < l->count; i++) {
        uint64_t number = l->segments[i].header.number;
        report->bad_segment = number;
        e = journal_header_load(fs, folder, JOURNAL_NAME_SEGMENT, number, &l->segments[i]);
        /* A name is given only to a file whose header was synced: this is never a torn tail. */
        if (e.code == ERR_MALFORMED) e = (struct err){ERR_CORRUPT, e.why};
        if (!e.code && l->segments[i].header.number != number) {
            e = ERR(CORRUPT, "the segment's name and its header differ");
        }
        if (e.code) {
            journal_say_file(report->text, folder, JOURNAL_NAME_SEGMENT, number, e);
            return e;
        }
        TRY(listing_check(l, i, folder, report));
    }
    report->bad_segment = report->bad_seq = 0;
    report->segments = l->count;
    report->first_seq = l->count ? l->segments[0].header.first_seq : 0;
    report->salt = l->count ? l->segments[0].header.salt : 0;
    return NO_ERR;
}

struct err journal_listing_find(const struct journal_listing *l, uint64_t from_seq, size_t *index,
                                struct journal_report *report)
{
    uint64_t first_seq = l->segments[0].header.first_seq;
    if (from_seq < first_seq - 1) {
        journal_say(report->text, "the journal begins at seq %llu, after the %llu that was asked for",
                    (unsigned long long)first_seq, (unsigned long long)from_seq + 1);
        return ERR(NOT_FOUND, "the journal begins after what was asked for");
    }
    *index = 0;
    while (*index + 1 < l->count && l->segments[*index + 1].header.first_seq <= from_seq) {
        (*index)++;
    }
    return NO_ERR;
}

static struct err listing_on_name(void *ctx, const char *name)
{
    struct journal_listing *l = ctx;
    uint64_t number;
    enum journal_name kind = journal_name_read(name, &number);
    if (kind == JOURNAL_NAME_SPARE && l->spare_count < JOURNAL_LISTED_SPARES_MAX) {
        l->spares[l->spare_count++] = number;
    }
    if (kind != JOURNAL_NAME_SEGMENT) return NO_ERR;
    if (l->count == JOURNAL_SEGMENTS_MAX) return ERR(TOO_LARGE, "more segments than the limit");
    l->segments[l->count++] = (struct journal_segment){.header.number = number};
    return NO_ERR;
}

static struct err listing_check(const struct journal_listing *l, size_t i, const char *folder,
                                struct journal_report *report)
{
    if (i == 0) return NO_ERR;
    const struct journal_header *prev = &l->segments[i - 1].header, *h = &l->segments[i].header;
    const char *what = h->number != prev->number + 1         ? "segments before it are missing"
                       : h->salt != prev->salt               ? "it belongs to another journal"
                       : h->first_seq < prev->first_seq      ? "it begins before its predecessor"
                                                             : NULL;
    if (!what) return NO_ERR;
    journal_say(report->text, "journal %s/%016llx.seg: %s", folder, (unsigned long long)h->number,
                what);
    report->bad_segment = h->number;
    report->bad_seq = h->first_seq;
    return ERR(CORRUPT, "the journal's segments do not fit together");
}
