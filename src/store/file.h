/* SPDX-License-Identifier: Apache-2.0 */
/* file.h: every call that storage makes to a file system, behind one struct of functions.
 *
 * Why     so that a lying disk (sim/disk.h) can stand where the kernel stands, under the very code
 *         that ships; file_os.c is the real one. SQLite reaches the same calls through store/vfs.h.
 * Errors  NOT_FOUND no such path · STATE exists already, or locked by another · FULL no space left
 *         (ENOSPC, EDQUOT) · IO everything else. file_last_errno() has the number behind the last
 *         error of this thread.
 * Paths   "folder/name", '/' between parts, shorter than FILE_PATH_MAX. What they are relative to
 *         is the implementation's: file_os takes a root.
 * Owner   a struct file belongs to who opened it, until file_close(); closing FILE_NONE is legal.
 * Thread  any, as long as one handle is used by one thread at a time (reads may overlap) */
#ifndef STORE_FILE_H
#define STORE_FILE_H

#include "base/bytes.h"

#define FILE_PATH_MAX 1024u
#define FILE_MAP_MAX (64u << 10)

/* An open file. The number is the implementation's; 0 is a valid one. */
struct file {
    int32_t v;
};
#define FILE_NONE ((struct file){-1})

enum file_mode {
    FILE_READ,   /* must exist */
    FILE_WRITE,  /* read and write, must exist */
    FILE_CREATE, /* read and write, made when missing */
    FILE_NEW,    /* read and write, STATE when it exists */
};

struct file_info {
    uint64_t size;
    bool folder;
};

typedef struct err file_on_name(void *ctx, const char *name);

/* One implementation. `self` is file_system.self. */
struct file_ops {
    struct err (*open)(void *self, const char *path, enum file_mode mode, struct file *out);
    void (*close)(void *self, struct file file);
    struct err (*read_at)(void *self, struct file file, uint64_t at, void *to, size_t len, size_t *got);
    struct err (*write_at)(void *self, struct file file, uint64_t at, const void *from, size_t len);
    struct err (*sync_data)(void *self, struct file file);
    struct err (*size)(void *self, struct file file, uint64_t *out);
    struct err (*truncate)(void *self, struct file file, uint64_t size);
    struct err (*map)(void *self, struct file file, size_t len, void **out);
    void (*unmap)(void *self, void *at, size_t len);
    struct err (*info)(void *self, const char *path, struct file_info *out);
    struct err (*rename)(void *self, const char *from, const char *to);
    struct err (*remove)(void *self, const char *path);
    struct err (*list)(void *self, const char *folder, file_on_name *on_name, void *ctx);
    struct err (*make_folder)(void *self, const char *folder);
    struct err (*sync_folder)(void *self, const char *folder);
    struct err (*lock)(void *self, const char *path, struct file *out);
    struct err (*free_bytes)(void *self, const char *folder, uint64_t *out);
};

/* Passed by const pointer; borrowed by whoever holds it. */
struct file_system {
    const struct file_ops *ops;
    void *self;
};

/* Sets *out to FILE_NONE on error. */
MUST_USE struct err file_open(const struct file_system *fs, const char *path, enum file_mode mode,
                              struct file *out);
void file_close(const struct file_system *fs, struct file *file); /* leaves FILE_NONE */

/* Reads until `len` bytes or the end of the file; *got says how many. */
MUST_USE struct err file_read_at(const struct file_system *fs, struct file file, uint64_t at,
                                 void *to, size_t len, size_t *got);
/* All of it or an error; after an error any part of it may have been written. */
MUST_USE struct err file_write_at(const struct file_system *fs, struct file file, uint64_t at,
                                  const void *from, size_t len);
/* Writes `len` real zeros: room that a later write and sync need not allocate. */
MUST_USE struct err file_fill_zeros(const struct file_system *fs, struct file file, uint64_t at,
                                    uint64_t len);
/* Data, and the size needed to read it, are on the disk. After a failure the pages may count as
 * clean although they never arrived: calling again and believing the answer loses data. */
MUST_USE struct err file_sync_data(const struct file_system *fs, struct file file);
MUST_USE struct err file_size(const struct file_system *fs, struct file file, uint64_t *out);
MUST_USE struct err file_truncate(const struct file_system *fs, struct file file, uint64_t size);

/* The first `len` bytes (at most FILE_MAP_MAX, the file has them already) as shared memory: what is
 * stored there survives the process at once, and a power cut only after file_sync_data(). */
MUST_USE struct err file_map(const struct file_system *fs, struct file file, size_t len,
                             void **out);
void file_unmap(const struct file_system *fs, void *at, size_t len);

MUST_USE struct err file_info(const struct file_system *fs, const char *path,
                              struct file_info *out);
/* Replaces `to` in one step when it exists. On disk only after file_sync_folder(). */
MUST_USE struct err file_rename(const struct file_system *fs, const char *from, const char *to);
MUST_USE struct err file_remove(const struct file_system *fs, const char *path);
/* Names without "." and "..", in no order. An error of `on_name` ends the walk and comes back. */
MUST_USE struct err file_list(const struct file_system *fs, const char *folder,
                              file_on_name *on_name, void *ctx);
/* One that exists is fine. */
MUST_USE struct err file_make_folder(const struct file_system *fs, const char *folder);
MUST_USE struct err file_sync_folder(const struct file_system *fs, const char *folder);

/* An exclusive lock on `path` (made when missing), held until the handle is closed or the process
 * ends. STATE when another holds it. */
MUST_USE struct err file_lock(const struct file_system *fs, const char *path, struct file *out);
MUST_USE struct err file_free_bytes(const struct file_system *fs, const char *folder,
                                    uint64_t *out);

/* "folder/name" into `out` of FILE_PATH_MAX bytes, TOO_LARGE when it does not fit. */
MUST_USE struct err file_path(char *out, const char *folder, const char *name);

/* The number behind the last error in this thread (errno's meaning), and the way implementations
 * set it. */
int file_last_errno(void);
struct err file_fail(int number, const char *why);

/* The kernel. Paths are relative to `root` ("" or NULL: the working directory). */
struct file_os {
    int root; /* descriptor, or AT_FDCWD */
};
MUST_USE struct err file_os_open(struct file_os *os, const char *root, struct file_system *out);
void file_os_close(struct file_os *os);

#endif
