/* SPDX-License-Identifier: Apache-2.0 */
/* contacts.h: contacts.db, the data about people that stays outside the journal. So far: who holds which token, and
 * keys of the installation.
 *
 * Columns operator_id first in every key; UUIDs as 36 characters, enums by name, hashes as BLOB
 * Safety  WAL, synchronous=FULL: there is no journal behind it. The one writer is whoever grants or revokes.
 * Owner   the caller's memory; one connection, one thread */
#ifndef API_CONTACTS_H
#define API_CONTACTS_H

#include "api/auth.h"

#define CONTACTS_FORMAT 1
#define CONTACTS_BUSY_MS 2000   /* how long a writer waits for another */
#define CONTACTS_TEXT_MAX 200u

struct sqlite3;
struct sqlite3_stmt;

enum contacts_call { CONTACTS_FIND, CONTACTS_ADD, CONTACTS_REVOKE, CONTACTS_LIST, CONTACTS_ACCOUNT,
                     CONTACTS_SECRET_ADD, CONTACTS_SECRET, CONTACTS_VERSION, CONTACTS_CALL_N };

struct contacts {
    struct sqlite3 *db;
    struct sqlite3_stmt *calls[CONTACTS_CALL_N];
    uint64_t operator_id;
    char text[CONTACTS_TEXT_MAX]; /* SQLite's words for the last error */
};

/* Makes it when there is none. UNSUPPORTED: a later format; CORRUPT: not a database; IO. */
MUST_USE struct err contacts_open(struct contacts *c, const struct auth_options *options);
void contacts_close(struct contacts *c); /* fine on a zero one */

MUST_USE struct err contacts_token_find(struct contacts *c, const uint8_t hash[32], struct auth_token_row *out);
MUST_USE struct err contacts_token_add(struct contacts *c, const struct auth_token_row *row);
/* `first`: the first 8 bytes of the hash. NOT_FOUND. */
MUST_USE struct err contacts_token_revoke(struct contacts *c, const uint8_t first[8], int64_t now_ms);
MUST_USE struct err contacts_token_list(struct contacts *c, void (*fn)(void *ctx, const struct auth_token_row *row),
                                        void *ctx);
/* Keeps `fresh` under `name` unless there is one already; *out is what is kept. */
MUST_USE struct err contacts_secret16(struct contacts *c, const char *name, const uint8_t fresh[16], uint8_t out[16]);
/* A number that changes when another connection writes. */
MUST_USE struct err contacts_version(struct contacts *c, int64_t *out);

#endif
