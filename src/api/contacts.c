/* SPDX-License-Identifier: Apache-2.0 */
/* contacts.c: see contacts.h. SQLite is known here and in contacts_people.c, and nowhere else in the api. */
#include "api/contacts_inside.h"

#include <string.h>

#include "base/buf.h"
#include "base/must.h"

#define TOKEN_COLUMNS "hash, account, role, created_ms, expires_ms, revoked_ms"
#define TOKEN_AND_SCOPE "t.hash, t.account, t.role, t.created_ms, t.expires_ms, t.revoked_ms, a.scope"
/* A token without its account is none: erasing the account is enough. */
#define TOKENS "tokens t JOIN accounts a ON a.operator_id = t.operator_id AND a.account = t.account"
#define STAFF "staff s JOIN accounts a ON a.operator_id = s.operator_id AND a.account = s.account"
#define MONTH_MS "2592000000"

/* Step n leads from format n to n + 1. */
static const char *const steps[CONTACTS_FORMAT] = {
    "CREATE TABLE IF NOT EXISTS accounts (operator_id INTEGER NOT NULL, account TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL, PRIMARY KEY (operator_id, account)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS tokens (operator_id INTEGER NOT NULL, hash BLOB NOT NULL, account TEXT NOT NULL,"
    " role TEXT NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, revoked_ms INTEGER NOT NULL,"
    " PRIMARY KEY (operator_id, hash)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS secrets (operator_id INTEGER NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY (operator_id, name)) WITHOUT ROWID;",

    "ALTER TABLE accounts ADD COLUMN scope TEXT NOT NULL DEFAULT '*';"
    "CREATE INDEX tokens_account ON tokens (operator_id, account);"
    "CREATE TABLE phones (operator_id INTEGER NOT NULL, hash BLOB NOT NULL, account TEXT NOT NULL,"
    " phone TEXT NOT NULL, created_ms INTEGER NOT NULL, PRIMARY KEY (operator_id, hash)) WITHOUT ROWID;"
    "CREATE UNIQUE INDEX phones_account ON phones (operator_id, account);"
    "CREATE TABLE phone_reads (operator_id INTEGER NOT NULL, at_ms INTEGER NOT NULL, reader TEXT NOT NULL,"
    " account TEXT NOT NULL);"
    "CREATE INDEX phone_reads_account ON phone_reads (operator_id, account);"
    "CREATE TABLE staff (operator_id INTEGER NOT NULL, name TEXT NOT NULL, account TEXT NOT NULL,"
    " role TEXT NOT NULL, password TEXT NOT NULL, created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL,"
    " PRIMARY KEY (operator_id, name)) WITHOUT ROWID;"
    "CREATE UNIQUE INDEX staff_account ON staff (operator_id, account);"
    "CREATE TABLE apps (operator_id INTEGER NOT NULL, name TEXT NOT NULL, minimum_build INTEGER NOT NULL,"
    " update_url TEXT NOT NULL, PRIMARY KEY (operator_id, name)) WITHOUT ROWID;"
    "CREATE TABLE marks (operator_id INTEGER NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL,"
    " PRIMARY KEY (operator_id, name)) WITHOUT ROWID;",
};

/* Without statistics the planner takes the primary key, of which only the operator is given: it would walk everybody's. */
#define TOKENS_OF_ACCOUNT "tokens INDEXED BY tokens_account"

static const char *const sql[CONTACTS_CALL_N] = {
    [CONTACTS_FIND] = "SELECT " TOKEN_AND_SCOPE " FROM " TOKENS " WHERE t.operator_id = ?1 AND t.hash = ?2",
    [CONTACTS_ADD] = "INSERT INTO tokens (operator_id, " TOKEN_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [CONTACTS_REVOKE] = "UPDATE tokens SET revoked_ms = CASE revoked_ms WHEN 0 THEN ?3 ELSE revoked_ms END"
                        " WHERE operator_id = ?1 AND hash >= ?2 AND substr(hash, 1, 8) = ?2",
    [CONTACTS_REVOKE_HASH] = "UPDATE tokens SET revoked_ms = ?3 WHERE operator_id = ?1 AND hash = ?2 AND revoked_ms = 0",
    [CONTACTS_REVOKE_ACCOUNT] = "UPDATE " TOKENS_OF_ACCOUNT " SET revoked_ms = ?3"
                                " WHERE operator_id = ?1 AND account = ?2 AND revoked_ms = 0",
    [CONTACTS_LIST] = "SELECT " TOKEN_AND_SCOPE " FROM " TOKENS " WHERE t.operator_id = ?1 ORDER BY t.created_ms, t.hash",
    /* What ended a month ago, and good ones beyond the newest ?4, ?5 being the newest. */
    [CONTACTS_TIDY] = "DELETE FROM " TOKENS_OF_ACCOUNT " WHERE operator_id = ?1 AND account = ?2 AND ("
                      " expires_ms < ?3 - " MONTH_MS " OR (revoked_ms > 0 AND revoked_ms < ?3 - " MONTH_MS ") OR"
                      " (revoked_ms = 0 AND expires_ms > ?3 AND hash NOT IN (SELECT hash FROM " TOKENS_OF_ACCOUNT
                      " WHERE operator_id = ?1 AND account = ?2 AND revoked_ms = 0 AND expires_ms > ?3"
                      " ORDER BY hash = ?5 DESC, created_ms DESC, hash LIMIT ?4)))",
    [CONTACTS_ACCOUNT] = "INSERT INTO accounts (operator_id, account, created_ms, scope) VALUES (?1, ?2, ?3, ?4)"
                         " ON CONFLICT DO NOTHING",
    [CONTACTS_SCOPE] = "UPDATE accounts SET scope = ?3 WHERE operator_id = ?1 AND account = ?2",
    [CONTACTS_SECRET_ADD] = "INSERT INTO secrets (operator_id, name, value) VALUES (?1, ?2, ?3)"
                            " ON CONFLICT DO NOTHING",
    [CONTACTS_SECRET] = "SELECT value FROM secrets WHERE operator_id = ?1 AND name = ?2",
    [CONTACTS_VERSION] = "PRAGMA data_version",
    [CONTACTS_MARK] = "SELECT value FROM marks WHERE operator_id = ?1 AND name = ?2",
    [CONTACTS_MARK_UP] = "INSERT INTO marks (operator_id, name, value) VALUES (?1, ?2, 1)"
                         " ON CONFLICT DO UPDATE SET value = value + 1",
    [CONTACTS_PHONE] = "SELECT account FROM phones WHERE operator_id = ?1 AND hash = ?2",
    [CONTACTS_PHONE_ADD] = "INSERT INTO phones (operator_id, hash, account, phone, created_ms)"
                           " VALUES (?1, ?2, ?3, ?4, ?5)",
    [CONTACTS_NUMBER] = "SELECT phone FROM phones WHERE operator_id = ?1 AND account = ?2",
    [CONTACTS_NUMBER_READ] = "INSERT INTO phone_reads (operator_id, account, reader, at_ms) VALUES (?1, ?2, ?3, ?4)",
    [CONTACTS_PHONE_DROP] = "DELETE FROM phones WHERE operator_id = ?1 AND account = ?2",
    [CONTACTS_STAFF] = "SELECT s.name, s.account, s.role, s.password, a.scope FROM " STAFF
                       " WHERE s.operator_id = ?1 AND s.name = ?2",
    [CONTACTS_STAFF_OF] = "SELECT name FROM staff WHERE operator_id = ?1 AND account = ?2",
    [CONTACTS_STAFF_PUT] = "INSERT INTO staff (operator_id, name, account, role, password, created_ms, changed_ms)"
                           " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT (operator_id, name) DO UPDATE SET"
                           " role = excluded.role, changed_ms = excluded.changed_ms,"
                           " password = CASE excluded.password WHEN '' THEN password ELSE excluded.password END",
    [CONTACTS_STAFF_PASSWORD] = "UPDATE staff SET password = ?3 WHERE operator_id = ?1 AND name = ?2",
    /* Of a rider: who also works here keeps that. */
    [CONTACTS_TOKENS_DROP] = "DELETE FROM " TOKENS_OF_ACCOUNT " WHERE operator_id = ?1 AND account = ?2 AND role = 'rider'",
    [CONTACTS_ACCOUNT_DROP] = "DELETE FROM accounts WHERE operator_id = ?1 AND account = ?2 AND NOT EXISTS (SELECT 1"
                              " FROM " TOKENS_OF_ACCOUNT " WHERE operator_id = ?1 AND account = ?2) AND NOT EXISTS (SELECT 1"
                              " FROM staff s WHERE s.operator_id = ?1 AND s.account = ?2)",
    [CONTACTS_STAFF_DROP] = "DELETE FROM staff WHERE operator_id = ?1 AND name = ?2",
    [CONTACTS_STAFF_LIST] = "SELECT s.name, s.account, s.role, CASE s.password WHEN '' THEN '' ELSE '*' END, a.scope FROM"
                            " " STAFF " WHERE s.operator_id = ?1 AND s.name > ?2 ORDER BY s.name LIMIT ?3",
    [CONTACTS_APP_PUT] = "INSERT INTO apps (operator_id, name, minimum_build, update_url) VALUES (?1, ?2, ?3, ?4)"
                         " ON CONFLICT DO UPDATE SET minimum_build = excluded.minimum_build,"
                         " update_url = excluded.update_url",
    [CONTACTS_APP_DROP] = "DELETE FROM apps WHERE operator_id = ?1 AND name = ?2",
    [CONTACTS_APPS] = "SELECT name, minimum_build, update_url FROM apps WHERE operator_id = ?1 ORDER BY name LIMIT ?2",
};

struct err contacts_failed(struct contacts *c, int rc)
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
    return rc ? contacts_failed(c, rc) : NO_ERR;
}

static struct err set_up(struct contacts *c, const struct auth_options *options)
{
    sqlite3_stmt *st = NULL;
    if (options->exclusive) TRY(run(c, "PRAGMA locking_mode = EXCLUSIVE"));
    TRY(run(c, "PRAGMA journal_mode = WAL"));
    TRY(run(c, options->unsynced ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL"));
    int rc = sqlite3_prepare_v2(c->db, "PRAGMA user_version", -1, &st, NULL);
    if (!rc) rc = sqlite3_step(st);
    int format = rc == SQLITE_ROW ? sqlite3_column_int(st, 0) : 0;
    sqlite3_finalize(st);
    if (rc != SQLITE_ROW) return contacts_failed(c, rc);
    if (format > CONTACTS_FORMAT) return ERR(UNSUPPORTED, "contacts.db was written by a later release");
    if (format == CONTACTS_FORMAT) return NO_ERR;
    TRY(run(c, "BEGIN IMMEDIATE"));
    for (int i = format; i < CONTACTS_FORMAT; i++) TRY(run(c, steps[i]));
    TRY(run(c, "PRAGMA user_version = 2"));
    return run(c, "COMMIT");
}

struct err contacts_open(struct contacts *c, const struct auth_options *options)
{
    *c = (struct contacts){.operator_id = options->operator_id ? options->operator_id : 1};
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(options->path, &c->db, flags, options->vfs);
    if (rc) return contacts_failed(c, rc);
    sqlite3_busy_timeout(c->db, CONTACTS_BUSY_MS);
    TRY(set_up(c, options));
    for (unsigned i = 0; i < CONTACTS_CALL_N; i++) {
        rc = sqlite3_prepare_v3(c->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &c->calls[i], NULL);
        if (rc) return contacts_failed(c, rc);
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
sqlite3_stmt *contacts_begin(struct contacts *c, enum contacts_call call)
{
    sqlite3_stmt *st = c->calls[call];
    sqlite3_bind_int64(st, 1, (int64_t)c->operator_id);
    return st;
}

void contacts_end(sqlite3_stmt *st)
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
    int scope_len = sqlite3_column_bytes(st, 6);
    if (scope_len > (int)sizeof row->scope) return ERR(CORRUPT, "contacts.db: an account's scope is damaged");
    row->scope_len = (uint16_t)scope_len;
    if (scope_len) memcpy(row->scope, sqlite3_column_text(st, 6), (size_t)scope_len);
    return NO_ERR;
}

struct err contacts_token_find(struct contacts *c, const uint8_t hash[32], struct auth_token_row *out)
{
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_FIND);
    sqlite3_bind_blob(st, 2, hash, 32, SQLITE_TRANSIENT);
    int rc = sqlite3_step(st);
    struct err e = rc == SQLITE_ROW    ? token_read(st, out)
                   : rc == SQLITE_DONE ? ERR(NOT_FOUND, "no such token")
                                       : contacts_failed(c, rc);
    contacts_end(st);
    return e;
}

/* What was bound is run to its end. */
struct err contacts_finish(struct contacts *c, sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);
    struct err e = rc == SQLITE_DONE ? NO_ERR : contacts_failed(c, rc);
    contacts_end(st);
    return e;
}

void contacts_bind_uuid(sqlite3_stmt *st, int at, struct uuid uuid)
{
    char text[36];
    struct buf b = buf_on(text, sizeof text);
    buf_put_uuid(&b, uuid);
    sqlite3_bind_text(st, at, text, sizeof text, SQLITE_TRANSIENT);
}

static struct err write_token(struct contacts *c, const struct auth_token_row *row)
{
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_ADD);
    sqlite3_bind_blob(st, 2, row->hash, 32, SQLITE_TRANSIENT);
    contacts_bind_uuid(st, 3, row->account);
    sqlite3_bind_text(st, 4, enum_name(&auth_role_names, row->role), -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 5, row->created_ms);
    sqlite3_bind_int64(st, 6, row->expires_ms);
    sqlite3_bind_int64(st, 7, row->revoked_ms);
    return contacts_finish(c, st);
}

static struct err tidy_tokens(struct contacts *c, const struct auth_token_row *row)
{
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_TIDY);
    contacts_bind_uuid(st, 2, row->account);
    sqlite3_bind_int64(st, 3, row->created_ms);
    sqlite3_bind_int64(st, 4, AUTH_TOKENS_MAX);
    sqlite3_bind_blob(st, 5, row->hash, 32, SQLITE_TRANSIENT);
    return contacts_finish(c, st);
}

struct err contacts_account_add(struct contacts *c, struct uuid account, int64_t now_ms, struct bytes scope, bool set)
{
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_ACCOUNT);
    contacts_bind_uuid(st, 2, account);
    sqlite3_bind_int64(st, 3, now_ms);
    sqlite3_bind_text(st, 4, (const char *)scope.at, (int)scope.len, SQLITE_TRANSIENT);
    TRY(contacts_finish(c, st));
    if (sqlite3_changes(c->db) || !set) return NO_ERR;
    st = contacts_begin(c, CONTACTS_SCOPE);
    contacts_bind_uuid(st, 2, account);
    sqlite3_bind_text(st, 3, (const char *)scope.at, (int)scope.len, SQLITE_TRANSIENT);
    TRY(contacts_finish(c, st));
    return contacts_mark_up(c, "revoked");
}

struct err contacts_all_or_nothing(struct contacts *c, struct err e)
{
    if (!e.code) e = run(c, "COMMIT");
    if (e.code) sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
    return e;
}

struct err contacts_transaction(struct contacts *c)
{
    return run(c, "BEGIN IMMEDIATE");
}

struct err contacts_token_add(struct contacts *c, const struct auth_token_row *row, bool set_scope)
{
    TRY(contacts_transaction(c));
    struct err e = contacts_account_add(c, row->account, row->created_ms, bytes_of(row->scope, row->scope_len), set_scope);
    if (!e.code) e = write_token(c, row);
    if (!e.code) e = tidy_tokens(c, row);
    return contacts_all_or_nothing(c, e);
}

struct err contacts_mark_up(struct contacts *c, const char *name)
{
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_MARK_UP);
    sqlite3_bind_text(st, 2, name, -1, SQLITE_TRANSIENT);
    return contacts_finish(c, st);
}

struct err contacts_mark(struct contacts *c, const char *name, int64_t *out)
{
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_MARK);
    sqlite3_bind_text(st, 2, name, -1, SQLITE_TRANSIENT);
    int rc = sqlite3_step(st);
    *out = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
    struct err e = rc == SQLITE_ROW || rc == SQLITE_DONE ? NO_ERR : contacts_failed(c, rc);
    contacts_end(st);
    return e;
}

/* What the statement names ends, and whoever keeps tokens in memory hears of it. *count: how many. */
static struct err revoke(struct contacts *c, sqlite3_stmt *st, int64_t now_ms, int *count)
{
    sqlite3_bind_int64(st, 3, now_ms);
    TRY(contacts_finish(c, st));
    *count = sqlite3_changes(c->db);
    return *count ? contacts_mark_up(c, "revoked") : NO_ERR;
}

struct err contacts_token_revoke(struct contacts *c, const uint8_t first[8], int64_t now_ms)
{
    int count = 0;
    TRY(contacts_transaction(c));
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_REVOKE);
    sqlite3_bind_blob(st, 2, first, 8, SQLITE_TRANSIENT);
    TRY(contacts_all_or_nothing(c, revoke(c, st, now_ms, &count)));
    return count ? NO_ERR : ERR(NOT_FOUND, "no such token");
}

struct err contacts_token_revoke_hash(struct contacts *c, const uint8_t hash[32], int64_t now_ms)
{
    int count = 0;
    TRY(contacts_transaction(c));
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_REVOKE_HASH);
    sqlite3_bind_blob(st, 2, hash, 32, SQLITE_TRANSIENT);
    return contacts_all_or_nothing(c, revoke(c, st, now_ms, &count));
}

struct err contacts_revoke_tokens(struct contacts *c, struct uuid account, int64_t now_ms)
{
    int count = 0;
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_REVOKE_ACCOUNT);
    contacts_bind_uuid(st, 2, account);
    return revoke(c, st, now_ms, &count);
}

struct err contacts_revoke_account(struct contacts *c, struct uuid account, int64_t now_ms)
{
    TRY(contacts_transaction(c));
    return contacts_all_or_nothing(c, contacts_revoke_tokens(c, account, now_ms));
}

struct err contacts_token_list(struct contacts *c, void (*fn)(void *ctx, const struct auth_token_row *row), void *ctx)
{
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_LIST);
    struct err e = NO_ERR;
    int rc = SQLITE_ROW;
    while (!e.code && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct auth_token_row row;
        e = token_read(st, &row);
        if (!e.code) fn(ctx, &row);
    }
    if (!e.code && rc != SQLITE_DONE) e = contacts_failed(c, rc);
    contacts_end(st);
    return e;
}

struct err contacts_secret16(struct contacts *c, const char *name, const uint8_t fresh[16], uint8_t out[16])
{
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_SECRET_ADD);
    sqlite3_bind_text(st, 2, name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_blob(st, 3, fresh, 16, SQLITE_TRANSIENT);
    TRY(contacts_finish(c, st));
    st = contacts_begin(c, CONTACTS_SECRET);
    sqlite3_bind_text(st, 2, name, -1, SQLITE_TRANSIENT);
    int rc = sqlite3_step(st);
    bool whole = rc == SQLITE_ROW && sqlite3_column_bytes(st, 0) == 16;
    if (whole) memcpy(out, sqlite3_column_blob(st, 0), 16);
    struct err e = whole              ? NO_ERR
                   : rc == SQLITE_ROW ? ERR(CORRUPT, "contacts.db: a secret is damaged")
                                      : contacts_failed(c, rc);
    contacts_end(st);
    return e;
}

struct err contacts_version(struct contacts *c, int64_t *out)
{
    sqlite3_stmt *st = c->calls[CONTACTS_VERSION];
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) *out = sqlite3_column_int64(st, 0);
    struct err e = rc == SQLITE_ROW ? NO_ERR : contacts_failed(c, rc);
    contacts_end(st);
    return e;
}
