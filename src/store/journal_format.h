/* SPDX-License-Identifier: Apache-2.0 */
/* journal_format.h: segment headers, records, the commit mark and file names as bytes, and back.
 *
 * Pure    no I/O, no allocation
 * Use     inside the journal only; others include journal.h */
#ifndef STORE_JOURNAL_FORMAT_H
#define STORE_JOURNAL_FORMAT_H

#include "store/journal.h"

#define JOURNAL_VERSION 1u
#define JOURNAL_HEADER_BYTES 4096u      /* room of the header; records start behind it */
#define JOURNAL_HEADER_USED 64u         /* of which this much says something */
#define JOURNAL_RECORD_HEAD_BYTES 48u
#define JOURNAL_RECORD_MIN 56u          /* an empty payload */
#define JOURNAL_MARK_BYTES 4096u
#define JOURNAL_MARK_SLOT_BYTES 64u     /* two slots, a cache line each */
#define JOURNAL_NAME_MAX 32u

struct journal_header {
    uint64_t number; /* from 1, no gaps */
    uint64_t first_seq;
    int64_t first_time_ms; /* what retention by hours goes by */
    uint64_t salt;
    uint64_t segment_bytes; /* where it ends and the next begins */
    uint32_t prev_crc;      /* of the record before first_seq */
};

/* Both on exactly JOURNAL_HEADER_BYTES. */
void journal_header_write(const struct journal_header *h, uint8_t *to);
MUST_USE struct err journal_header_read(struct bytes in, struct journal_header *out);

/* Bytes of a record with this payload, padding and checksum in. */
size_t journal_record_bytes(size_t payload_len);
/* What every checksum of a journal starts from. */
uint32_t journal_salt_crc(uint64_t salt);
/* Writes the record (all but crc is read from it) with `batch` records before it in its batch;
 * returns its crc. `to` has journal_record_bytes(). */
uint32_t journal_record_write(const struct journal_record *r, uint64_t salt, uint32_t batch,
                              uint8_t *to);

/* What stands in a record's head, before the checksum says whether to believe it. */
struct journal_head {
    size_t bytes; /* the whole record */
    uint64_t seq;
    uint32_t batch;
};
/* MALFORMED unless `in` begins with a plausible head: magic, length, batch check. */
MUST_USE struct err journal_head_read(struct bytes in, uint64_t salt, struct journal_head *out);
/* The record at the front of `in`, its checksum verified. MALFORMED when it is not all there or
 * damaged. Its payload lies in `in`. */
MUST_USE struct err journal_record_read(struct bytes in, uint64_t salt, struct journal_head *head,
                                        struct journal_record *out);

/* The commit mark in shared memory: the highest seq known to be synced. False: there is none. */
void journal_mark_write(void *mark, uint64_t salt, uint64_t seq, unsigned slot);
bool journal_mark_read(const void *mark, uint64_t salt, uint64_t *seq);

enum journal_name { JOURNAL_NAME_SEGMENT, JOURNAL_NAME_SPARE, JOURNAL_NAME_OTHER };
/* "0000000000000001.seg" or "spare-0000000000000001"; `to` has JOURNAL_NAME_MAX. */
void journal_name_write(enum journal_name kind, uint64_t number, char *to);
enum journal_name journal_name_read(const char *name, uint64_t *number);
#define JOURNAL_MARK_NAME "committed"

#endif
