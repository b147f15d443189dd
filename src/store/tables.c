/* SPDX-License-Identifier: Apache-2.0 */
/* tables.c: opening, writing cuts, and the errors of the tables. */
#include "store/tables.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "store/file.h"
#include "store/tables_sql.h"

#define BUSY_MS 5000 /* another program's lock: it may read, and may be slow about it */

/* Bounded growth of the WAL, and few checkpoints: they sync, and the journal syncs on the same disk. */
#define PRAGMAS_WRITE                                                                                    \
    "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;" \
    "PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON"
#define PRAGMAS_READ "PRAGMA query_only = ON; PRAGMA cache_size = -8192; PRAGMA cell_size_check = ON"

static struct err prepare_writes(struct tables *t);
static struct err open_connection(struct tables *t, const char *path, const struct tables_options *o);
static struct err set_up_writer(struct tables *t, const struct tables_options *o);

struct err tables_open(struct tables *t, const char *path, const struct tables_options *o)
{
    memset(t, 0, sizeof *t);
    t->operator_id = o->operator_id ? o->operator_id : 1;
    t->build = o->build;
    t->read_only = o->read_only;
    struct err e = open_connection(t, path, o);
    if (!e.code && !o->read_only) e = set_up_writer(t, o);
    if (!e.code && o->read_only) e = tables_exec(t, PRAGMAS_READ);
    if (!e.code) e = tables_read_meta(t);
    if (!e.code && !o->read_only) {
        e = prepare_writes(t);
        t->synced_seq = t->seq;
    }
    if (!e.code) return e;
    t->failed = e;
    tables_close(t);
    return e;
}

void tables_close(struct tables *t)
{
    if (!t->db) return;
    for (int kind = 0; kind < ROW_N; kind++) {
        sqlite3_finalize(t->upsert[kind]);
        sqlite3_finalize(t->remove[kind]);
        t->upsert[kind] = t->remove[kind] = NULL;
    }
    sqlite3_finalize(t->event);
    sqlite3_finalize(t->meta);
    t->event = t->meta = NULL;
    /* After a failed write nothing more is asked of this disk. */
    if (t->failed.code) sqlite3_db_config(t->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    int rc = sqlite3_close(t->db);
    must(rc != SQLITE_BUSY); /* a statement or a copy was left open */
    t->db = NULL;
}

/* `sql` with the operator as parameter 1, `changed` rows behind it. */
static struct err write_row(struct tables *t, sqlite3_stmt *st, const struct shape *shape, const void *row)
{
    struct row_scratch scratch;
    int rc = sqlite3_bind_int64(st, 1, (int64_t)t->operator_id);
    if (!rc) rc = row_bind(st, 2, shape, row, &scratch);
    if (!rc) rc = sqlite3_step(st);
    struct err e = rc == SQLITE_DONE ? NO_ERR : tables_sql_err(t, rc, shape->name);
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return e;
}

static struct err remove_row(struct tables *t, enum row_kind kind, const void *row)
{
    sqlite3_stmt *st = t->remove[kind];
    int rc = sqlite3_bind_int64(st, 1, (int64_t)t->operator_id);
    if (!rc) rc = sqlite3_bind_int64(st, 2, field_number(&row_shapes[kind].fields[0], row));
    if (!rc) rc = sqlite3_step(st);
    struct err e = rc == SQLITE_DONE ? NO_ERR : tables_sql_err(t, rc, row_tables[kind]);
    sqlite3_reset(st);
    return e;
}

static struct err write_meta(struct tables *t, const char *key, uint64_t value)
{
    int rc = sqlite3_bind_int64(t->meta, 1, (int64_t)t->operator_id);
    if (!rc) rc = sqlite3_bind_text(t->meta, 2, key, -1, SQLITE_STATIC);
    if (!rc) rc = sqlite3_bind_int64(t->meta, 3, (int64_t)value);
    if (!rc) rc = sqlite3_step(t->meta);
    struct err e = rc == SQLITE_DONE ? NO_ERR : tables_sql_err(t, rc, "meta");
    sqlite3_reset(t->meta);
    return e;
}

static struct err write_all(struct tables *t, const struct table_cut *cut)
{
    for (size_t i = 0; i < cut->row_count; i++) {
        const struct table_change *c = &cut->rows[i];
        must(c->kind < ROW_N);
        enum row_kind kind = c->kind;
        TRY(c->gone ? remove_row(t, kind, c->row) : write_row(t, t->upsert[kind], &row_shapes[kind], c->row));
    }
    for (size_t i = 0; i < cut->event_count; i++) TRY(write_row(t, t->event, &event_shape, &cut->events[i]));
    if (cut->hashed) {
        TRY(write_meta(t, "state_hash", cut->state_hash));
        TRY(write_meta(t, "state_hash_seq", cut->seq));
        TRY(write_meta(t, "state_hash_build", t->build));
    }
    TRY(write_meta(t, "build", t->build));
    return write_meta(t, "tables_seq", cut->seq);
}

struct err tables_write_cut(struct tables *t, const struct table_cut *cut)
{
    if (t->failed.code) return t->failed;
    must(!t->read_only && cut->seq >= t->seq);
    /* FULL syncs the WAL with the commit, and so everything that earlier commits left in it. */
    struct err e = tables_exec(t, cut->sync ? "PRAGMA synchronous = FULL; BEGIN IMMEDIATE" : "BEGIN IMMEDIATE");
    if (!e.code) e = write_all(t, cut);
    if (!e.code) e = tables_exec(t, "COMMIT");
    if (e.code) {
        t->failed = e;
        sqlite3_exec(t->db, "ROLLBACK", NULL, NULL, NULL); /* the first error is the one to tell */
        return e;
    }
    t->seq = cut->seq;
    if (cut->hashed) {
        t->hash_seq = cut->seq;
        t->state_hash = cut->state_hash;
        t->hash_build = t->build;
    }
    if (!cut->sync) return NO_ERR;
    t->synced_seq = cut->seq;
    return tables_exec(t, "PRAGMA synchronous = NORMAL");
}

struct err tables_seq(struct tables *t, uint64_t *seq)
{
    *seq = 0;
    TRY(tables_read_meta(t));
    *seq = t->seq;
    return NO_ERR;
}

struct err tables_sql_err(struct tables *t, int rc, const char *doing)
{
    const char *words = t->db ? sqlite3_errmsg(t->db) : sqlite3_errstr(rc);
    snprintf(t->text, sizeof t->text, "tables.db: %.80s: %.200s", doing, words);
    switch (rc & 0xff) {
    case SQLITE_FULL: return ERR(FULL, "tables: no space left");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH: return ERR(CORRUPT, "tables: the database is damaged");
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ERR(STATE, "tables: another program holds the database");
    /* SQLite says this of a missing table or column: not what this program made. */
    case SQLITE_ERROR: return ERR(CORRUPT, "tables: not the tables that this program makes");
    default: return ERR(IO, "tables: the database cannot be read or written");
    }
}

struct err tables_corrupt(struct tables *t, const char *table, uint64_t id, const char *column, const char *what)
{
    snprintf(t->text, sizeof t->text, "tables.db: table %s, row %llu, column %s: %s", table, (unsigned long long)id,
             column, what);
    return ERR(CORRUPT, "tables: a stored value is not possible");
}

struct err tables_exec(struct tables *t, const char *sql)
{
    int rc = sqlite3_exec(t->db, sql, NULL, NULL, NULL);
    return rc ? tables_sql_err(t, rc, sql) : NO_ERR;
}

struct err tables_prepare(struct tables *t, const char *sql, sqlite3_stmt **out)
{
    int rc = sqlite3_prepare_v3(t->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    return rc ? tables_sql_err(t, rc, sql) : NO_ERR;
}

struct err tables_number(struct tables *t, const char *sql, int64_t missing, int64_t *out)
{
    sqlite3_stmt *st = NULL;
    *out = missing;
    TRY(tables_prepare(t, sql, &st));
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) *out = sqlite3_column_int64(st, 0);
    struct err e = rc == SQLITE_ROW || rc == SQLITE_DONE ? NO_ERR : tables_sql_err(t, rc, sql);
    sqlite3_finalize(st);
    return e;
}

bool tables_has_table(struct tables *t, const char *table)
{
    return sqlite3_table_column_metadata(t->db, NULL, table, NULL, NULL, NULL, NULL, NULL, NULL) == SQLITE_OK;
}

bool tables_has_column(struct tables *t, const char *table, const char *column)
{
    return sqlite3_table_column_metadata(t->db, NULL, table, column, NULL, NULL, NULL, NULL, NULL) == SQLITE_OK;
}

struct err tables_read_meta(struct tables *t)
{
    sqlite3_stmt *st = NULL;
    uint64_t format = 0;
    TRY(tables_prepare(t, "SELECT key, value FROM meta WHERE operator_id = ?", &st));
    int rc = sqlite3_bind_int64(st, 1, (int64_t)t->operator_id);
    while (!rc && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct bytes key = bytes_of(sqlite3_column_text(st, 0), (size_t)sqlite3_column_bytes(st, 0));
        uint64_t value = (uint64_t)sqlite3_column_int64(st, 1);
        if (bytes_equal_text(key, "format")) format = value;
        if (bytes_equal_text(key, "tables_seq")) t->seq = value;
        if (bytes_equal_text(key, "state_hash")) t->state_hash = value;
        if (bytes_equal_text(key, "state_hash_seq")) t->hash_seq = value;
        if (bytes_equal_text(key, "state_hash_build")) t->hash_build = value;
        rc = SQLITE_OK;
    }
    struct err e = rc == SQLITE_DONE ? NO_ERR : tables_sql_err(t, rc, "meta");
    sqlite3_finalize(st);
    if (!e.code && !format) e = tables_corrupt(t, "meta", 0, "format", "is missing");
    if (!e.code && format > TABLES_FORMAT) {
        snprintf(t->text, sizeof t->text, "tables.db has format %llu, this program knows up to %d: use a later one",
                 (unsigned long long)format, TABLES_FORMAT);
        e = ERR(UNSUPPORTED, "tables: written by a later release");
    }
    return e;
}

/* file:PATH?immutable=1, the path's own %, ? and # escaped. */
static struct err immutable_uri(const char *path, char *out, size_t room)
{
    struct buf b = buf_on(out, room);
    buf_put_text(&b, "file:");
    for (const char *c = path; *c; c++) {
        if (*c == '%' || *c == '?' || *c == '#') {
            buf_put_char(&b, '%');
            buf_put_hex(&b, bytes_of(c, 1));
        } else {
            buf_put_char(&b, *c);
        }
    }
    buf_put_text(&b, "?immutable=1");
    buf_put_char(&b, '\0');
    return b.full ? ERR(TOO_LARGE, "tables: the path is too long") : NO_ERR;
}

static struct err open_connection(struct tables *t, const char *path, const struct tables_options *o)
{
    char uri[FILE_PATH_MAX + 64];
    int flags = o->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (o->immutable) {
        TRY(immutable_uri(path, uri, sizeof uri));
        path = uri;
        flags |= SQLITE_OPEN_URI;
    }
    int rc = sqlite3_open_v2(path, &t->db, flags | SQLITE_OPEN_NOMUTEX, o->vfs);
    if ((rc & 0xff) == SQLITE_CANTOPEN && o->read_only) {
        (void)tables_sql_err(t, rc, path);
        return ERR(NOT_FOUND, "tables: no such database");
    }
    if (rc) return tables_sql_err(t, rc, path);
    sqlite3_extended_result_codes(t->db, 1);
    sqlite3_busy_timeout(t->db, BUSY_MS);
    sqlite3_db_config(t->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return o->exclusive ? tables_exec(t, "PRAGMA locking_mode = EXCLUSIVE") : NO_ERR;
}

static struct err use_wal(struct tables *t)
{
    sqlite3_stmt *st = NULL;
    TRY(tables_prepare(t, "PRAGMA journal_mode = WAL", &st));
    int rc = sqlite3_step(st);
    bool wal = rc == SQLITE_ROW && !strcmp((const char *)sqlite3_column_text(st, 0), "wal");
    struct err e = wal ? NO_ERR : rc == SQLITE_ROW ? ERR(IO, "tables: WAL is not possible here")
                                                   : tables_sql_err(t, rc, "journal_mode");
    sqlite3_finalize(st);
    return e;
}

static struct err set_up_writer(struct tables *t, const struct tables_options *o)
{
    int64_t others = 0, format = 0;
    TRY(use_wal(t));
    TRY(tables_exec(t, PRAGMAS_WRITE));
    TRY(tables_number(t, "SELECT count(*) FROM sqlite_master", 0, &others));
    if (others && !tables_has_table(t, "meta")) return tables_corrupt(t, "meta", 0, "format", "is missing");
    /* A later format is left as it is, before anything is added to it. */
    if (others) TRY(tables_number(t, "SELECT max(value) FROM meta WHERE key = 'format'", 0, &format));
    if (format > TABLES_FORMAT) return tables_read_meta(t);
    /* FULL: what an earlier process left unsynced in the WAL is on the disk after this commit. */
    TRY(tables_exec(t, "PRAGMA synchronous = FULL; BEGIN IMMEDIATE;"
                       "CREATE TABLE IF NOT EXISTS meta (operator_id INTEGER NOT NULL, key TEXT NOT NULL,"
                       " value INTEGER NOT NULL, PRIMARY KEY (operator_id, key)) WITHOUT ROWID"));
    TRY(tables_migrate(t));
    char sql[256];
    snprintf(sql, sizeof sql, "INSERT OR IGNORE INTO meta VALUES (%lld, 'format', %d), (%lld, 'tables_seq', 0);"
             "INSERT OR REPLACE INTO meta VALUES (%lld, 'build', %lld); COMMIT; PRAGMA synchronous = NORMAL",
             (long long)t->operator_id, TABLES_FORMAT, (long long)t->operator_id, (long long)t->operator_id,
             (long long)o->build);
    TRY(tables_exec(t, sql));
    /* Best effort: a reader of another process may hold parts of the WAL back. */
    int rc = sqlite3_wal_checkpoint_v2(t->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return rc && (rc & 0xff) != SQLITE_BUSY ? tables_sql_err(t, rc, "checkpoint") : NO_ERR;
}

/* INSERT INTO x (operator_id, a, b) VALUES (?, ?, ?), and with `upsert` the update of what is there. */
static struct err prepare_insert(struct tables *t, const char *table, const struct shape *shape, bool upsert,
                                 sqlite3_stmt **out)
{
    char memory[SQL_MAX];
    struct buf sql = buf_on(memory, sizeof memory);
    buf_put_text(&sql, "INSERT INTO ");
    sql_put_name(&sql, table);
    buf_put_text(&sql, " (operator_id, ");
    sql_put_columns(t, table, shape, &sql);
    buf_put_text(&sql, ") VALUES (?");
    for (unsigned i = 0; i < shape->count; i++) buf_put_text(&sql, ", ?");
    buf_put_char(&sql, ')');
    if (upsert) buf_put_text(&sql, " ON CONFLICT (operator_id, id) DO UPDATE SET ");
    for (unsigned i = 1; upsert && i < shape->count; i++) {
        if (i > 1) buf_put_text(&sql, ", ");
        sql_put_name(&sql, shape->fields[i].name);
        buf_put_text(&sql, " = excluded.");
        sql_put_name(&sql, shape->fields[i].name);
    }
    return tables_prepare(t, sql_text(&sql), out);
}

static struct err prepare_writes(struct tables *t)
{
    for (int kind = 0; kind < ROW_N; kind++) {
        must(!strcmp(row_shapes[kind].fields[0].name, "id"));
        TRY(prepare_insert(t, row_tables[kind], &row_shapes[kind], true, &t->upsert[kind]));
        char memory[256];
        struct buf sql = buf_on(memory, sizeof memory);
        buf_put_text(&sql, "DELETE FROM ");
        sql_put_name(&sql, row_tables[kind]);
        buf_put_text(&sql, " WHERE operator_id = ? AND id = ?");
        TRY(tables_prepare(t, sql_text(&sql), &t->remove[kind]));
    }
    TRY(prepare_insert(t, "events", &event_shape, false, &t->event));
    return tables_prepare(t, "INSERT INTO meta VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                          &t->meta);
}
