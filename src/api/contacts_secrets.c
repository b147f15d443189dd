/* SPDX-License-Identifier: Apache-2.0 */
/* contacts_secrets.c: secrets of contacts.db that come and go: addresses and keys of hooks and webhooks. Rare calls, so
 * their statements are made when they are needed. */
#include <sqlite3.h>

#include "api/contacts.h"

static struct err failed(struct contacts *c, sqlite3_stmt *st, int rc)
{
    sqlite3_finalize(st);
    rc &= 0xff;
    (void)c;
    if (rc == SQLITE_FULL) return ERR(FULL, "contacts.db: no space left");
    if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED) return ERR(FULL, "contacts.db is in use by another writer");
    return ERR(IO, "contacts.db cannot be used");
}

/* Prepared, with operator and name bound. */
static int prepare(struct contacts *c, const char *sql, struct bytes name, sqlite3_stmt **st)
{
    *st = NULL;
    int rc = sqlite3_prepare_v2(c->db, sql, -1, st, NULL);
    if (!rc) rc = sqlite3_bind_int64(*st, 1, (int64_t)c->operator_id);
    if (!rc) rc = sqlite3_bind_text(*st, 2, (const char *)name.at, (int)name.len, SQLITE_TRANSIENT);
    return rc;
}

static struct err finish(struct contacts *c, sqlite3_stmt *st, int rc)
{
    if (!rc) rc = sqlite3_step(st);
    if (rc != SQLITE_DONE) return failed(c, st, rc);
    sqlite3_finalize(st);
    return NO_ERR;
}

struct err contacts_secret_put(struct contacts *c, struct bytes name, struct bytes value)
{
    sqlite3_stmt *st;
    int rc = prepare(c, "INSERT INTO secrets (operator_id, name, value) VALUES (?1, ?2, ?3)"
                        " ON CONFLICT (operator_id, name) DO UPDATE SET value = excluded.value", name, &st);
    if (!rc) rc = sqlite3_bind_blob(st, 3, value.at, (int)value.len, SQLITE_TRANSIENT);
    return finish(c, st, rc);
}

struct err contacts_secret_drop(struct contacts *c, struct bytes name)
{
    sqlite3_stmt *st;
    int rc = prepare(c, "DELETE FROM secrets WHERE operator_id = ?1 AND name = ?2", name, &st);
    return finish(c, st, rc);
}

struct err contacts_secret_each(struct contacts *c, struct bytes prefix, contacts_secret_fn *fn, void *ctx)
{
    sqlite3_stmt *st;
    int rc = prepare(c, "SELECT name, value FROM secrets WHERE operator_id = ?1 AND substr(name, 1, length(?2)) = ?2"
                        " ORDER BY name", prefix, &st);
    while (!rc && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const uint8_t *name = sqlite3_column_text(st, 0);
        const void *value = sqlite3_column_blob(st, 1);
        struct bytes text = bytes_of(name, (size_t)sqlite3_column_bytes(st, 0));
        fn(ctx, text, bytes_of(value, (size_t)sqlite3_column_bytes(st, 1)));
        rc = SQLITE_OK;
    }
    if (rc != SQLITE_DONE) return failed(c, st, rc);
    sqlite3_finalize(st);
    return NO_ERR;
}
