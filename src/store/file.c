/* SPDX-License-Identifier: Apache-2.0 */
/* file.c: the calls of file.h, handed to whichever file system stands behind them. */
#include "store/file.h"

#include <errno.h>
#include <string.h>

#include "base/must.h"

static _Thread_local int file_errno;

struct err file_open(const struct file_system *fs, const char *path, enum file_mode mode,
                     struct file *out)
{
    *out = FILE_NONE;
    return fs->ops->open(fs->self, path, mode, out);
}

void file_close(const struct file_system *fs, struct file *file)
{
    if (file->v >= 0) fs->ops->close(fs->self, *file);
    *file = FILE_NONE;
}

struct err file_read_at(const struct file_system *fs, struct file file, uint64_t at, void *to,
                        size_t len, size_t *got)
{
    *got = 0;
    return fs->ops->read_at(fs->self, file, at, to, len, got);
}

struct err file_write_at(const struct file_system *fs, struct file file, uint64_t at,
                         const void *from, size_t len)
{
    return fs->ops->write_at(fs->self, file, at, from, len);
}

struct err file_fill_zeros(const struct file_system *fs, struct file file, uint64_t at,
                           uint64_t len)
{
    static const uint8_t zeros[64 << 10];
    while (len) {
        size_t part = len < sizeof zeros ? (size_t)len : sizeof zeros;
        TRY(file_write_at(fs, file, at, zeros, part));
        at += part;
        len -= part;
    }
    return NO_ERR;
}

struct err file_sync_data(const struct file_system *fs, struct file file)
{
    return fs->ops->sync_data(fs->self, file);
}

struct err file_size(const struct file_system *fs, struct file file, uint64_t *out)
{
    *out = 0;
    return fs->ops->size(fs->self, file, out);
}

struct err file_truncate(const struct file_system *fs, struct file file, uint64_t size)
{
    return fs->ops->truncate(fs->self, file, size);
}

struct err file_map(const struct file_system *fs, struct file file, size_t len, void **out)
{
    must(len > 0 && len <= FILE_MAP_MAX);
    *out = NULL;
    return fs->ops->map(fs->self, file, len, out);
}

void file_unmap(const struct file_system *fs, void *at, size_t len)
{
    if (at) fs->ops->unmap(fs->self, at, len);
}

struct err file_info(const struct file_system *fs, const char *path, struct file_info *out)
{
    *out = (struct file_info){0};
    return fs->ops->info(fs->self, path, out);
}

struct err file_rename(const struct file_system *fs, const char *from, const char *to)
{
    return fs->ops->rename(fs->self, from, to);
}

struct err file_remove(const struct file_system *fs, const char *path)
{
    return fs->ops->remove(fs->self, path);
}

struct err file_list(const struct file_system *fs, const char *folder, file_on_name *on_name,
                     void *ctx)
{
    return fs->ops->list(fs->self, folder, on_name, ctx);
}

struct err file_make_folder(const struct file_system *fs, const char *folder)
{
    return fs->ops->make_folder(fs->self, folder);
}

struct err file_sync_folder(const struct file_system *fs, const char *folder)
{
    return fs->ops->sync_folder(fs->self, folder);
}

struct err file_lock(const struct file_system *fs, const char *path, struct file *out)
{
    *out = FILE_NONE;
    return fs->ops->lock(fs->self, path, out);
}

struct err file_free_bytes(const struct file_system *fs, const char *folder, uint64_t *out)
{
    *out = 0;
    return fs->ops->free_bytes(fs->self, folder, out);
}

struct err file_path(char *out, const char *folder, const char *name)
{
    size_t folder_len = strlen(folder), name_len = strlen(name);
    if (folder_len + 1 + name_len >= FILE_PATH_MAX) return ERR(TOO_LARGE, "a path is too long");
    memcpy(out, folder, folder_len);
    out[folder_len] = '/';
    memcpy(out + folder_len + 1, name, name_len + 1);
    return NO_ERR;
}

int file_last_errno(void)
{
    return file_errno;
}

struct err file_fail(int number, const char *why)
{
    file_errno = number;
    if (number == ENOENT || number == ENOTDIR) return (struct err){ERR_NOT_FOUND, why};
    if (number == EEXIST || number == EWOULDBLOCK) return (struct err){ERR_STATE, why};
    if (number == ENOSPC || number == EDQUOT) return (struct err){ERR_FULL, why};
    return (struct err){ERR_IO, why};
}
