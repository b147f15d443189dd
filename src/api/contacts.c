/* SPDX-License-Identifier: Apache-2.0 */
/* contacts.c: see contacts.h. The only file of the api that knows SQLite. */
#include "api/contacts.h"

#include <sqlite3.h>
#include <string.h>

#include "base/buf.h"
#include "base/must.h"

#define TOKEN_COLUMNS "hash, account, role, created_ms, expires_ms, revoked_ms"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS accounts (operator_id INTEGER NOT NULL, account TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL, PRIMARY KEY (operator_id, account)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS tokens (operator_id INTEGER NOT NULL, hash BLOB NOT NULL, account TEXT NOT NULL,"
    " role TEXT NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, revoked_ms INTEGER NOT NULL,"
    " PRIMARY KEY (operator_id, hash)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS secrets (operator_id INTEGER NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY (operator_id, name)) WITHOUT ROWID;";

static const char *const sql[CONTACTS_CALL_N] = {
    [CONTACTS_FIND] = "SELECT " TOKEN_COLUMNS " FROM tokens WHERE operator_id = ?1 AND hash = ?2",
    [CONTACTS_ADD] = "INSERT INTO tokens (operator_id, " TOKEN_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [CONTACTS_REVOKE] = "UPDATE tokens SET revoked_ms = CASE revoked_ms WHEN 0 THEN ?3 ELSE revoked_ms END"
                        " WHERE operator_id = ?1 AND hash >= ?2 AND substr(hash, 1, 8) = ?2",
    [CONTACTS_LIST] = "SELECT " TOKEN_COLUMNS " FROM tokens WHERE operator_id = ?1 ORDER BY created_ms, hash",
    [CONTACTS_ACCOUNT] = "INSERT INTO accounts (operator_id, account, created_ms) VALUES (?1, ?2, ?3)"
                         " ON CONFLICT DO NOTHING",
    [CONTACTS_SECRET_ADD] = "INSERT INTO secrets (operator_id, name, value) VALUES (?1, ?2, ?3)"
                            " ON CONFLICT DO NOTHING",
    [CONTACTS_SECRET] = "SELECT value FROM secrets WHERE operator_id = ?1 AND name = ?2",
    [CONTACTS_VERSION] = "PRAGMA data_version",
};

static struct err failed(struct contacts *c, int rc)
{
    struct buf b = buf_on(c->text, sizeof c->text - 1);
    const char *text = c->db ? sqlite3_errmsg(c->db) : sqlite3_errstr(rc);
    buf_put(&b, text, strlen(text) < b.cap ? strlen(text) : b.cap);
    c->text[b.len] = 0;
    rc &= 0xff;
    if (rc == SQLITE_FULL) return ERR(FULL, "contacts.db: no space left");
    if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED) return ERR(FULL, "contacts.db is in use by another writer");
    if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB) return ERR(CORRUPT, "contacts.db is damaged");
    return ERR(IO, "contacts.db cannot be used");
}

static struct err run(struct contacts *c, const char *text)
{
    int rc = sqlite3_exec(c->db, text, NULL, NULL, NULL);
    return rc ? failed(c, rc) : NO_ERR;
}

static struct err set_up(struct contacts *c, bool exclusive)
{
    sqlite3_stmt *st = NULL;
    if (exclusive) TRY(run(c, "PRAGMA locking_mode = EXCLUSIVE"));
    TRY(run(c, "PRAGMA journal_mode = WAL"));
    TRY(run(c, "PRAGMA synchronous = FULL"));
    int rc = sqlite3_prepare_v2(c->db, "PRAGMA user_version", -1, &st, NULL);
    if (!rc) rc = sqlite3_step(st);
    int format = rc == SQLITE_ROW ? sqlite3_column_int(st, 0) : 0;
    sqlite3_finalize(st);
    if (rc != SQLITE_ROW) return failed(c, rc);
    if (format > CONTACTS_FORMAT) return ERR(UNSUPPORTED, "contacts.db was written by a later release");
    if (format == CONTACTS_FORMAT) return NO_ERR;
    TRY(run(c, "BEGIN IMMEDIATE"));
    TRY(run(c, schema));
    TRY(run(c, "PRAGMA user_version = 1"));
    return run(c, "COMMIT");
}

struct err contacts_open(struct contacts *c, const struct auth_options *options)
{
    *c = (struct contacts){.operator_id = options->operator_id ? options->operator_id : 1};
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(options->path, &c->db, flags, options->vfs);
    if (rc) return failed(c, rc);
    sqlite3_busy_timeout(c->db, CONTACTS_BUSY_MS);
    TRY(set_up(c, options->exclusive));
    for (unsigned i = 0; i < CONTACTS_CALL_N; i++) {
        rc = sqlite3_prepare_v3(c->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &c->calls[i], NULL);
        if (rc) return failed(c, rc);
    }
    return NO_ERR;
}

void contacts_close(struct contacts *c)
{
    for (unsigned i = 0; i < CONTACTS_CALL_N; i++) sqlite3_finalize(c->calls[i]);
    sqlite3_close(c->db);
    c->db = NULL;
    memset(c->calls, 0, sizeof c->calls);
}

/* Every statement but PRAGMA has the operator first. */
static sqlite3_stmt *begin(struct contacts *c, enum contacts_call call)
{
    sqlite3_stmt *st = c->calls[call];
    sqlite3_bind_int64(st, 1, (int64_t)c->operator_id);
    return st;
}

static void end(sqlite3_stmt *st)
{
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
}

static struct err token_read(sqlite3_stmt *st, struct auth_token_row *row)
{
    const uint8_t *role = sqlite3_column_text(st, 2);
    const uint8_t *account = sqlite3_column_text(st, 1);
    *row = (struct auth_token_row){.created_ms = sqlite3_column_int64(st, 3), .expires_ms = sqlite3_column_int64(st, 4),
                                   .revoked_ms = sqlite3_column_int64(st, 5)};
    if (sqlite3_column_bytes(st, 0) != sizeof row->hash || !role || !account) {
        return ERR(CORRUPT, "contacts.db: a token's row is damaged");
    }
    memcpy(row->hash, sqlite3_column_blob(st, 0), sizeof row->hash);
    int value = enum_value(&auth_role_names, bytes_of(role, (size_t)sqlite3_column_bytes(st, 2)));
    if (value <= 0 || uuid_parse(bytes_of(account, (size_t)sqlite3_column_bytes(st, 1)), &row->account).code) {
        return ERR(CORRUPT, "contacts.db: a token's row is damaged");
    }
    row->role = (uint8_t)value;
    return NO_ERR;
}

struct err contacts_token_find(struct contacts *c, const uint8_t hash[32], struct auth_token_row *out)
{
    sqlite3_stmt *st = begin(c, CONTACTS_FIND);
    sqlite3_bind_blob(st, 2, hash, 32, SQLITE_TRANSIENT);
    int rc = sqlite3_step(st);
    struct err e = rc == SQLITE_ROW    ? token_read(st, out)
                   : rc == SQLITE_DONE ? ERR(NOT_FOUND, "no such token")
                                       : failed(c, rc);
    end(st);
    return e;
}

/* What was bound is run to its end. */
static struct err finish(struct contacts *c, sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);
    struct err e = rc == SQLITE_DONE ? NO_ERR : failed(c, rc);
    end(st);
    return e;
}

static void bind_uuid(sqlite3_stmt *st, int at, struct uuid uuid)
{
    char text[36];
    struct buf b = buf_on(text, sizeof text);
    buf_put_uuid(&b, uuid);
    sqlite3_bind_text(st, at, text, sizeof text, SQLITE_TRANSIENT);
}

static struct err add_both(struct contacts *c, const struct auth_token_row *row)
{
    sqlite3_stmt *st = begin(c, CONTACTS_ACCOUNT);
    bind_uuid(st, 2, row->account);
    sqlite3_bind_int64(st, 3, row->created_ms);
    TRY(finish(c, st));
    st = begin(c, CONTACTS_ADD);
    sqlite3_bind_blob(st, 2, row->hash, 32, SQLITE_TRANSIENT);
    bind_uuid(st, 3, row->account);
    sqlite3_bind_text(st, 4, enum_name(&auth_role_names, row->role), -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 5, row->created_ms);
    sqlite3_bind_int64(st, 6, row->expires_ms);
    sqlite3_bind_int64(st, 7, row->revoked_ms);
    return finish(c, st);
}

struct err contacts_token_add(struct contacts *c, const struct auth_token_row *row)
{
    TRY(run(c, "BEGIN IMMEDIATE"));
    struct err e = add_both(c, row);
    if (!e.code) e = run(c, "COMMIT");
    if (e.code) sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
    return e;
}

struct err contacts_token_revoke(struct contacts *c, const uint8_t first[8], int64_t now_ms)
{
    sqlite3_stmt *st = begin(c, CONTACTS_REVOKE);
    sqlite3_bind_blob(st, 2, first, 8, SQLITE_TRANSIENT);
    sqlite3_bind_int64(st, 3, now_ms);
    TRY(finish(c, st));
    return sqlite3_changes(c->db) ? NO_ERR : ERR(NOT_FOUND, "no such token");
}

struct err contacts_token_list(struct contacts *c, void (*fn)(void *ctx, const struct auth_token_row *row), void *ctx)
{
    sqlite3_stmt *st = begin(c, CONTACTS_LIST);
    struct err e = NO_ERR;
    int rc = SQLITE_ROW;
    while (!e.code && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct auth_token_row row;
        e = token_read(st, &row);
        if (!e.code) fn(ctx, &row);
    }
    if (!e.code && rc != SQLITE_DONE) e = failed(c, rc);
    end(st);
    return e;
}

struct err contacts_secret16(struct contacts *c, const char *name, const uint8_t fresh[16], uint8_t out[16])
{
    sqlite3_stmt *st = begin(c, CONTACTS_SECRET_ADD);
    sqlite3_bind_text(st, 2, name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_blob(st, 3, fresh, 16, SQLITE_TRANSIENT);
    TRY(finish(c, st));
    st = begin(c, CONTACTS_SECRET);
    sqlite3_bind_text(st, 2, name, -1, SQLITE_TRANSIENT);
    int rc = sqlite3_step(st);
    bool whole = rc == SQLITE_ROW && sqlite3_column_bytes(st, 0) == 16;
    if (whole) memcpy(out, sqlite3_column_blob(st, 0), 16);
    struct err e = whole              ? NO_ERR
                   : rc == SQLITE_ROW ? ERR(CORRUPT, "contacts.db: a secret is damaged")
                                      : failed(c, rc);
    end(st);
    return e;
}

struct err contacts_version(struct contacts *c, int64_t *out)
{
    sqlite3_stmt *st = c->calls[CONTACTS_VERSION];
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) *out = sqlite3_column_int64(st, 0);
    struct err e = rc == SQLITE_ROW ? NO_ERR : failed(c, rc);
    end(st);
    return e;
}
