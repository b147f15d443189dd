/* SPDX-License-Identifier: Apache-2.0 */
/* tables_copy.h: a consistent copy of tables.db while it is written, and the bases folder that such copies
 * live in.
 *
 * What    one base a kept day lets any kept day replay: tables-SEQ.db holds the cut SEQ. Cuts that the same
 *         connection writes between two steps are in the copy as well; another process's begin it anew.
 * Owner   the connection's thread */
#ifndef STORE_TABLES_COPY_H
#define STORE_TABLES_COPY_H

#include "store/data.h"
#include "store/tables.h"

#define BASE_NAME_MAX 40u
#define BASES_MAX 512u /* looked at; more are left alone */

struct sqlite3_backup;

/* tables.db or a base of `dir` for reading only. Without a WAL beside it nothing is made in the folder, so
 * a medium that cannot be written will do. */
MUST_USE struct err tables_open_reading(struct tables *t, const struct data_dir *dir, const char *name);

/* All zero: none under way. */
struct tables_copy {
    struct sqlite3 *to;
    struct sqlite3_backup *backup;
    struct tables *from;
    uint64_t seq; /* of the copy, once done */
};

/* Begins a copy into the file that SQLite calls `path`; what was there is overwritten. */
MUST_USE struct err tables_copy_begin(struct tables_copy *c, struct tables *from, const char *path, const char *vfs);
/* At most `pages` more (0: all at once). *done: complete, and on the disk. */
MUST_USE struct err tables_copy_step(struct tables_copy *c, unsigned pages, bool *done);
void tables_copy_end(struct tables_copy *c); /* at any time */

/* Any other database of `dir` (contacts.db), whole and consistent, while others write it; into `to_path`. NOT_FOUND: it is
 * not there. */
MUST_USE struct err database_copy(const struct data_dir *dir, const char *name, const char *to_path);

struct base { uint64_t seq; uint64_t bytes; };
/* Into `out`, oldest first; *count says how many (at most `room`). No folder: none. */
MUST_USE struct err bases_list(const struct data_dir *dir, struct base *out, size_t room, size_t *count);
void base_name(uint64_t seq, char out[BASE_NAME_MAX]); /* bases/tables-SEQ.db */

struct bases_policy {
    uint64_t first_seq;  /* oldest fact of the journal: a base older than it - 1 replays nothing */
    uint64_t bytes_max;  /* of all bases together; 0 = no limit. The newest always stays. */
};
/* Which of `bases` (oldest first) may go: how many from the front. Pure: for tests and for the pruner. */
size_t bases_to_drop(const struct base *bases, size_t count, const struct bases_policy *policy);
MUST_USE struct err bases_prune(const struct data_dir *dir, const struct bases_policy *policy, size_t *dropped);

#endif
