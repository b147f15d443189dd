/* SPDX-License-Identifier: Apache-2.0 */
/* data.h: what stands where in a data directory, and how both halves of storage reach it.
 *
 *     DIR/lock         held by the one server that writes here
 *     DIR/journal/     the truth (journal.h)
 *     DIR/tables.db    the memory made readable (tables.h), with -wal and -shm beside it
 *     DIR/bases/       copies of tables.db, one a kept day: tables-SEQ.db
 *     DIR/inhand       the fact being applied (the node's)
 *
 * Owner   everything in struct data_dir is borrowed and outlives whoever was given it
 * Thread  plain data */
#ifndef STORE_DATA_H
#define STORE_DATA_H

#include "store/file.h"

#define DATA_LOCK    "lock"
#define DATA_JOURNAL "journal"
#define DATA_TABLES  "tables.db"
#define DATA_BASES   "bases"

struct data_dir {
    const struct file_system *fs; /* its paths begin inside the directory */
    const char *sql_folder;       /* the same directory as SQLite names it; "" inside the simulator's VFS */
    const char *vfs;              /* SQLite VFS; NULL: the system's own */
    bool exclusive;               /* no shared memory between connections: the simulator's VFS has none */
};

/* The path by which SQLite opens `name`, into `out` of FILE_PATH_MAX bytes. */
MUST_USE struct err data_sql_path(const struct data_dir *dir, const char *name, char *out);
/* The directory's exclusive lock, until file_close(). STATE: a server holds it. */
MUST_USE struct err data_lock(const struct data_dir *dir, struct file *out);
/* Is there such a file? Errors other than NOT_FOUND come back. */
MUST_USE struct err data_has(const struct data_dir *dir, const char *name, bool *has);
/* `from` byte for byte into `to` (made, or overwritten), synced. With to == from the file's own bytes are
 * written again: after a sync that failed its pages count as clean without being on the disk, and no
 * further sync would bring them there. One thread at a time. */
MUST_USE struct err data_copy(const struct data_dir *dir, const char *from, const char *to);

#endif
