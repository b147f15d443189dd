/* SPDX-License-Identifier: Apache-2.0 */
/* vfs.h: SQLite on file.h, so that its files too can lie on the lying disk.
 *
 * Use     the simulator and tests. A server leaves SQLite its own: other processes may read the
 *         tables, and that needs shared memory and locks between processes, which file.h does not
 *         have.
 * WAL     works with PRAGMA locking_mode=EXCLUSIVE, set before journal_mode=WAL. Locks hold
 *         between the connections of one process.
 * Time    and randomness come from the caller: the same seed makes the same bytes
 * Thread  one for all connections of a vfs; create and destroy while no connection is open */
#ifndef STORE_VFS_H
#define STORE_VFS_H

#include "store/file.h"

#define VFS_LOCKED_FILES_MAX 16u /* databases open at a time */

struct vfs_options {
    const char *name; /* for sqlite3_open_v2; lives as long as the vfs */
    const struct file_system *fs;
    uint64_t seed;
    int64_t (*now_ms)(void *ctx); /* since 1970 UTC; NULL: always 0 */
    void *ctx;
};

struct vfs;

MUST_USE struct err vfs_create(struct vfs **out, const struct vfs_options *options);
void vfs_destroy(struct vfs *v);

#endif
