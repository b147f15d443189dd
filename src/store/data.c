/* SPDX-License-Identifier: Apache-2.0 */
#include "store/data.h"

#include <string.h>

#include "base/buf.h"

#define COPY_BYTES (1u << 20)

struct err data_sql_path(const struct data_dir *dir, const char *name, char *out)
{
    struct buf b = buf_on(out, FILE_PATH_MAX);
    if (dir->sql_folder[0]) {
        buf_put_text(&b, dir->sql_folder);
        buf_put_char(&b, '/');
    }
    buf_put_text(&b, name);
    buf_put_char(&b, '\0');
    return b.full ? ERR(TOO_LARGE, "the path of the data directory is too long") : NO_ERR;
}

struct err data_lock(const struct data_dir *dir, struct file *out)
{
    return file_lock(dir->fs, DATA_LOCK, out);
}

struct err data_has(const struct data_dir *dir, const char *name, bool *has)
{
    struct file_info info;
    struct err e = file_info(dir->fs, name, &info);
    *has = !e.code;
    return e.code == ERR_NOT_FOUND ? NO_ERR : e;
}

static struct err copy_bytes(const struct file_system *fs, struct file from, struct file to)
{
    static uint8_t buffer[COPY_BYTES];
    for (uint64_t at = 0;;) {
        size_t got;
        TRY(file_read_at(fs, from, at, buffer, sizeof buffer, &got));
        if (!got) return file_sync_data(fs, to);
        TRY(file_write_at(fs, to, at, buffer, got));
        at += got;
    }
}

struct err data_copy(const struct data_dir *dir, const char *from_name, const char *to_name)
{
    bool same = !strcmp(from_name, to_name);
    struct file from, to = FILE_NONE;
    TRY(file_open(dir->fs, from_name, same ? FILE_WRITE : FILE_READ, &from));
    struct err e = same ? NO_ERR : file_open(dir->fs, to_name, FILE_CREATE, &to);
    if (!e.code && !same) e = file_truncate(dir->fs, to, 0);
    if (!e.code) e = copy_bytes(dir->fs, from, same ? from : to);
    file_close(dir->fs, &from);
    file_close(dir->fs, &to);
    return e;
}
