/* SPDX-License-Identifier: Apache-2.0 */
#include "store/tables_copy.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "store/tables_sql.h"

#define BASE_PREFIX "tables-"
#define BASE_SUFFIX ".db"
#define BASE_DIGITS 20u
#define DATABASE_COPY_BUSY_MS 5000

struct err tables_open_reading(struct tables *t, const struct data_dir *dir, const char *name)
{
    char path[FILE_PATH_MAX], wal[FILE_PATH_MAX];
    bool has_wal = false;
    memset(t, 0, sizeof *t);
    TRY(data_sql_path(dir, name, path));
    struct buf b = buf_on(wal, sizeof wal);
    buf_put_text(&b, name);
    buf_put_text(&b, "-wal");
    buf_put_char(&b, '\0');
    must(!b.full);
    TRY(data_has(dir, wal, &has_wal));
    struct tables_options options = {.vfs = dir->vfs, .exclusive = dir->exclusive, .read_only = true,
                                     .immutable = !has_wal && !dir->vfs};
    return tables_open(t, path, &options);
}

struct err tables_copy_begin(struct tables_copy *c, struct tables *from, const char *path, const char *vfs)
{
    must(!c->to && from->db);
    c->from = from;
    c->seq = 0;
    int rc = sqlite3_open_v2(path, &c->to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, vfs);
    if (!rc) rc = sqlite3_exec(c->to, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL", NULL, NULL, NULL);
    if (!rc) {
        c->backup = sqlite3_backup_init(c->to, "main", from->db, "main");
        if (c->backup) return NO_ERR;
        rc = sqlite3_errcode(c->to);
    }
    struct err e = tables_sql_err(from, rc, "copy");
    tables_copy_end(c);
    return e;
}

struct err database_copy(const struct data_dir *dir, const char *name, const char *to_path)
{
    char path[FILE_PATH_MAX];
    bool has;
    TRY(data_has(dir, name, &has));
    if (!has) return ERR(NOT_FOUND, "no such database");
    TRY(data_sql_path(dir, name, path));
    sqlite3 *from = NULL, *to = NULL;
    int rc = sqlite3_open_v2(path, &from, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, dir->vfs);
    if (!rc) rc = sqlite3_busy_timeout(from, DATABASE_COPY_BUSY_MS);
    if (!rc) rc = sqlite3_open_v2(to_path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (!rc) rc = sqlite3_exec(to, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL", NULL, NULL, NULL);
    sqlite3_backup *backup = rc ? NULL : sqlite3_backup_init(to, "main", from, "main");
    if (backup) {
        rc = sqlite3_backup_step(backup, -1);
        int finished = sqlite3_backup_finish(backup);
        if (rc == SQLITE_DONE) rc = finished;
    } else if (!rc) {
        rc = SQLITE_ERROR;
    }
    if (!rc) rc = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    sqlite3_close(from);
    sqlite3_close(to);
    return rc ? ERR(IO, "a database cannot be copied") : NO_ERR;
}

/* The copy says itself which cut it holds. */
static struct err read_seq(struct tables_copy *c)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(c->to, "SELECT value FROM meta WHERE operator_id = ? AND key = 'tables_seq'", -1, &st,
                                NULL);
    if (!rc) rc = sqlite3_bind_int64(st, 1, (int64_t)c->from->operator_id);
    if (!rc) rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) c->seq = (uint64_t)sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return rc == SQLITE_ROW ? NO_ERR : tables_sql_err(c->from, rc, "the copy's tables_seq");
}

struct err tables_copy_step(struct tables_copy *c, unsigned pages, bool *done)
{
    *done = false;
    must(c->backup);
    int rc = sqlite3_backup_step(c->backup, pages ? (int)pages : -1);
    if (rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED) return NO_ERR;
    if (rc != SQLITE_DONE) return tables_sql_err(c->from, rc, "copy");
    rc = sqlite3_backup_finish(c->backup);
    c->backup = NULL;
    if (rc) return tables_sql_err(c->from, rc, "copy");
    /* One file and nothing beside it: whoever opens it next may switch to WAL again. */
    rc = sqlite3_exec(c->to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    if (rc) return tables_sql_err(c->from, rc, "the copy's journal_mode");
    TRY(read_seq(c));
    *done = true;
    return NO_ERR;
}

void tables_copy_end(struct tables_copy *c)
{
    if (c->backup) sqlite3_backup_finish(c->backup);
    if (c->to) sqlite3_close(c->to);
    c->backup = NULL;
    c->to = NULL;
}

void base_name(uint64_t seq, char out[BASE_NAME_MAX])
{
    struct buf b = buf_on(out, BASE_NAME_MAX);
    buf_put_text(&b, DATA_BASES "/" BASE_PREFIX);
    buf_put_padded(&b, seq, BASE_DIGITS);
    buf_put_text(&b, BASE_SUFFIX);
    buf_put_char(&b, '\0');
    must(!b.full);
}

/* The seq in tables-SEQ.db; other names in the folder are not ours to touch. */
static bool name_seq(const char *name, uint64_t *seq)
{
    struct bytes in = bytes_text(name);
    size_t prefix = sizeof BASE_PREFIX - 1, suffix = sizeof BASE_SUFFIX - 1;
    if (in.len != prefix + BASE_DIGITS + suffix || !bytes_starts(in, BASE_PREFIX)) return false;
    if (strcmp(name + prefix + BASE_DIGITS, BASE_SUFFIX) != 0) return false;
    return !bytes_u64(bytes_of(in.at + prefix, BASE_DIGITS), BASE_DIGITS, seq).code;
}

struct listing { struct base *out; size_t room, count; };

static struct err on_name(void *ctx, const char *name)
{
    struct listing *l = ctx;
    uint64_t seq;
    if (l->count < l->room && name_seq(name, &seq)) l->out[l->count++] = (struct base){seq, 0};
    return NO_ERR;
}

static int by_seq(const void *a, const void *b)
{
    uint64_t x = ((const struct base *)a)->seq, y = ((const struct base *)b)->seq;
    return (x > y) - (x < y);
}

struct err bases_list(const struct data_dir *dir, struct base *out, size_t room, size_t *count)
{
    struct listing l = {out, room, 0};
    *count = 0;
    struct err e = file_list(dir->fs, DATA_BASES, on_name, &l);
    if (e.code == ERR_NOT_FOUND) return NO_ERR;
    TRY(e);
    qsort(out, l.count, sizeof *out, by_seq);
    for (size_t i = 0; i < l.count; i++) {
        char name[BASE_NAME_MAX];
        struct file_info info;
        base_name(out[i].seq, name);
        TRY(file_info(dir->fs, name, &info));
        out[i].bytes = info.size;
    }
    *count = l.count;
    return NO_ERR;
}

size_t bases_to_drop(const struct base *bases, size_t count, const struct bases_policy *policy)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) bytes += bases[i].bytes;
    size_t drop = 0;
    for (; drop + 1 < count; drop++) {
        bool too_many = policy->bytes_max && bytes > policy->bytes_max;
        bool too_old = bases[drop].seq + 1 < policy->first_seq;
        if (!too_many && !too_old) break;
        bytes -= bases[drop].bytes;
    }
    return drop;
}

struct err bases_prune(const struct data_dir *dir, const struct bases_policy *policy, size_t *dropped)
{
    struct base bases[BASES_MAX];
    size_t count;
    *dropped = 0;
    TRY(bases_list(dir, bases, BASES_MAX, &count));
    size_t drop = bases_to_drop(bases, count, policy);
    for (; *dropped < drop; ++*dropped) {
        char name[BASE_NAME_MAX];
        base_name(bases[*dropped].seq, name);
        TRY(file_remove(dir->fs, name));
    }
    return NO_ERR;
}
