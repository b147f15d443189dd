/* SPDX-License-Identifier: Apache-2.0 */
/* journal_read.h: following a journal from another thread or process, and copying it as it commits.
 *
 * Why     what a writer has written but not yet synced is readable and may still vanish: a reader
 *         stops at the commit mark (file `committed`), so a copy is never ahead of the truth.
 * Owner   the caller; one thread at a time. Nothing here writes into the journal that is read. */
#ifndef STORE_JOURNAL_READ_H
#define STORE_JOURNAL_READ_H

#include "store/journal.h"

struct journal_reader;

/* Ready to deliver records above `from_seq`. NOT_FOUND: no journal there, or it begins later. */
MUST_USE struct err journal_reader_open(struct journal_reader **out, const struct file_system *fs,
                                        const char *folder, uint64_t from_seq,
                                        struct journal_report *report);
void journal_reader_close(struct journal_reader *r);
/* Delivers what is committed now, at most `records_max`; call again later to go on. *count says
 * how many. NOT_FOUND: the journal has dropped what comes next. After an error the reader is to be
 * closed. */
MUST_USE struct err journal_reader_next(struct journal_reader *r, uint64_t records_max,
                                        journal_on_record *on_record, void *ctx, uint64_t *count);
uint64_t journal_reader_seq(const struct journal_reader *r); /* the last delivered (or skipped) */
uint32_t journal_reader_crc(const struct journal_reader *r);
uint64_t journal_reader_salt(const struct journal_reader *r);
const char *journal_reader_text(const struct journal_reader *r); /* the sentence for the last error */

/* Open, deliver all that is committed above `from_seq`, close. */
MUST_USE struct err journal_read_from(const struct file_system *fs, const char *folder,
                                      uint64_t from_seq, journal_on_record *on_record, void *ctx,
                                      struct journal_report *report);

/* A copy in a folder (and file system) of its own: own segments, same records and chain. */
struct journal_copy;

/* Goes on where the copy in `to` ends; a new copy begins with the oldest record of `from`, or after
 * `base_seq` when that is later (the copy's base is a copy of the tables). CORRUPT: the two
 * differ. */
MUST_USE struct err journal_copy_open(struct journal_copy **out, const struct file_system *from_fs,
                                      const char *from, const struct file_system *to_fs,
                                      const char *to, const struct journal_options *to_options,
                                      uint64_t base_seq, struct journal_report *report);
void journal_copy_close(struct journal_copy *c);
/* Copies and commits what the source has committed, at most `records_max`. */
MUST_USE struct err journal_copy_step(struct journal_copy *c, uint64_t records_max,
                                      uint64_t *count);
/* The copy as a journal, for journal_prepare and journal_retain. Borrowed. */
struct journal *journal_copy_target(struct journal_copy *c);
uint64_t journal_copy_seq(const struct journal_copy *c); /* everything to here is safe in the copy */

#endif
