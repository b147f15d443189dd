/* SPDX-License-Identifier: Apache-2.0 */
#include "store/data.h"

#include "base/buf.h"

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
