/* SPDX-License-Identifier: Apache-2.0 */
/* journal_cursor.h: walking the records of one segment after the other; what stands in a folder.
 *
 * Why     recovery, check and the reader see the same bytes with the same eyes
 * Owner   the caller; init/fini; one thread
 * Use     inside the journal only */
#ifndef STORE_JOURNAL_CURSOR_H
#define STORE_JOURNAL_CURSOR_H

#include "store/journal_format.h"

#define JOURNAL_LISTED_SPARES_MAX 64u

struct journal_segment {
    struct journal_header header;
    uint64_t bytes; /* of its file */
};

/* A journal's folder by its names: segments ascending, without gaps, headers verified. */
struct journal_listing {
    struct journal_segment *segments; /* JOURNAL_SEGMENTS_MAX of room */
    size_t count;
    uint64_t spares[JOURNAL_LISTED_SPARES_MAX];
    size_t spare_count; /* more than fit are left where they are */
};

struct journal_cursor {
    const struct file_system *fs;
    const char *folder;
    size_t chunk; /* bytes a refill asks for */
    struct file file;
    struct journal_header header;
    uint64_t offset, next_seq, batch_offset; /* batch_offset: where the newest batch begins */
    int64_t time_ms;                         /* of the record before next_seq; 0: none seen */
    uint32_t prev_crc;
    uint8_t *window;
    uint64_t window_at;
    size_t window_len;
};

struct journal_mark {
    _Alignas(8) uint8_t slots[2 * JOURNAL_MARK_SLOT_BYTES];
};

/* What lies behind a bad place. */
struct journal_behind {
    uint64_t proof_offset, proof_seq; /* a good record of a later batch; 0: none */
    uint64_t torn_end;                /* end of the last record of the torn batch */
};

MUST_USE struct err journal_listing_init(struct journal_listing *l);
void journal_listing_fini(struct journal_listing *l);
/* Reads names and headers. CORRUPT with the sentence in `report`; NOT_FOUND when there is no folder.
 * Beside a live writer segments may come and go meanwhile: looks a few times before it says so. */
MUST_USE struct err journal_listing_read(struct journal_listing *l, const struct file_system *fs,
                                         const char *folder, struct journal_report *report);
/* The segment to walk from for records above from_seq: the one with from_seq in it. */
MUST_USE struct err journal_listing_find(const struct journal_listing *l, uint64_t from_seq,
                                         size_t *index, struct journal_report *report);

/* Path of a segment or spare, `to` has FILE_PATH_MAX. */
MUST_USE struct err journal_path(char *to, const char *folder, enum journal_name kind,
                                 uint64_t number);
/* One segment's header and size by its name. MALFORMED when the header is damaged. */
MUST_USE struct err journal_header_load(const struct file_system *fs, const char *folder,
                                        enum journal_name kind, uint64_t number,
                                        struct journal_segment *out);
/* The commit mark's slots as they stand now, zeros when there is none; journal_mark_read() tells what
 * they say. Beside a live writer: load it before anything else, for what it covers is there by then. */
MUST_USE struct err journal_mark_load(const struct file_system *fs, const char *folder,
                                      struct journal_mark *out);

MUST_USE struct err journal_cursor_init(struct journal_cursor *c, const struct file_system *fs,
                                        const char *folder, size_t chunk);
void journal_cursor_fini(struct journal_cursor *c);
/* Opens a segment and stands before its first record. next_seq and prev_crc become its header's. */
MUST_USE struct err journal_cursor_enter(struct journal_cursor *c,
                                         const struct journal_header *header);
/* The next record and past it. MALFORMED: none here, the cursor stands still. Borrowed until the
 * next call. */
MUST_USE struct err journal_cursor_next(struct journal_cursor *c, struct journal_record *out);
/* Forgets what it has read: the file may have changed. */
void journal_cursor_forget(struct journal_cursor *c);
/* Looks through the rest of the segment, behind a place where journal_cursor_next() found none. */
MUST_USE struct err journal_cursor_behind(struct journal_cursor *c, struct journal_behind *out);

__attribute__((format(printf, 2, 3))) void journal_say(char *text, const char *format, ...);
/* The sentence for an error of a file call. */
void journal_say_file(char *text, const char *folder, enum journal_name kind, uint64_t number,
                      struct err e);

#endif
