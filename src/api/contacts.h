/* SPDX-License-Identifier: Apache-2.0 */
/* contacts.h: contacts.db, the data about people that stays outside the journal: phone numbers, names and passwords of
 * staff, who holds which token; and what only the api itself needs: keys of the installation, the apps' oldest builds.
 *
 * Erasing a person is deleting rows here: facts, tables and logs name accounts by UUID only.
 * Apps    the oldest builds that are still let in stand here and not among the engine's rows: no fact is decided by
 *         them, they are read before a request becomes a fact, and any api node reads them here
 * Columns operator_id first in every key; UUIDs as 36 characters, enums by name, hashes as BLOB
 * Marks   numbers that go up when something changed that others keep in memory: `revoked` for tokens and accounts,
 *         `apps`. A sign-in moves none, or every token in every memory would be read again
 * Safety  WAL, synchronous=FULL: there is no journal behind it. Writers wait for each other CONTACTS_BUSY_MS.
 * Owner   the caller's memory; one connection, one thread */
#ifndef API_CONTACTS_H
#define API_CONTACTS_H

#include "api/auth.h"
#include "api/secret.h"

#define CONTACTS_FORMAT 2
#define CONTACTS_BUSY_MS 2000   /* how long a writer waits for another */
#define CONTACTS_TEXT_MAX 200u
#define CONTACTS_URL_MAX 200u

struct sqlite3;
struct sqlite3_stmt;

enum contacts_call { CONTACTS_FIND, CONTACTS_ADD, CONTACTS_REVOKE, CONTACTS_REVOKE_HASH, CONTACTS_REVOKE_ACCOUNT,
                     CONTACTS_LIST, CONTACTS_TIDY, CONTACTS_ACCOUNT, CONTACTS_SCOPE, CONTACTS_SECRET_ADD,
                     CONTACTS_SECRET, CONTACTS_VERSION, CONTACTS_MARK, CONTACTS_MARK_UP, CONTACTS_PHONE,
                     CONTACTS_PHONE_ADD, CONTACTS_NUMBER, CONTACTS_NUMBER_READ, CONTACTS_PHONE_DROP, CONTACTS_STAFF,
                     CONTACTS_STAFF_OF, CONTACTS_STAFF_PUT, CONTACTS_STAFF_PASSWORD, CONTACTS_STAFF_DROP,
                     CONTACTS_ACCOUNT_DROP, CONTACTS_TOKENS_DROP, CONTACTS_STAFF_LIST, CONTACTS_APP_PUT,
                     CONTACTS_APP_DROP, CONTACTS_APPS, CONTACTS_CALL_N };

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
/* Makes the account when there is none; `set_scope`: row->scope is the account's from now on. */
MUST_USE struct err contacts_token_add(struct contacts *c, const struct auth_token_row *row, bool set_scope);
/* `first`: the first 8 bytes of the hash. NOT_FOUND. */
MUST_USE struct err contacts_token_revoke(struct contacts *c, const uint8_t first[8], int64_t now_ms);
MUST_USE struct err contacts_token_revoke_hash(struct contacts *c, const uint8_t hash[32], int64_t now_ms);
MUST_USE struct err contacts_revoke_account(struct contacts *c, struct uuid account, int64_t now_ms);
MUST_USE struct err contacts_token_list(struct contacts *c, void (*fn)(void *ctx, const struct auth_token_row *row),
                                        void *ctx);
/* Keeps `fresh` under `name` unless there is one already; *out is what is kept. */
MUST_USE struct err contacts_secret16(struct contacts *c, const char *name, const uint8_t fresh[16], uint8_t out[16]);
/* contacts_secrets.c: secrets of any length that come and go. */
MUST_USE struct err contacts_secret_put(struct contacts *c, struct bytes name, struct bytes value);
MUST_USE struct err contacts_secret_drop(struct contacts *c, struct bytes name);
typedef void contacts_secret_fn(void *ctx, struct bytes name, struct bytes value);
MUST_USE struct err contacts_secret_each(struct contacts *c, struct bytes prefix, contacts_secret_fn *fn, void *ctx);
/* A number that changes when another connection writes. */
MUST_USE struct err contacts_version(struct contacts *c, int64_t *out);
/* "revoked", "apps"; 0 when it never moved. */
MUST_USE struct err contacts_mark(struct contacts *c, const char *name, int64_t *out);

/* ---- contacts_people.c ---- */

struct contacts_staff {
    struct text32 name;
    struct uuid account;
    uint8_t role;                       /* enum auth_role */
    char password[SECRET_PASSWORD_LEN]; /* its hash, or in a list a mark that there is one; ends with NUL. Empty: none */
    uint16_t scope_len;
    char scope[SCOPE_TEXT_MAX];         /* as scope.h writes it */
};

/* NOT_FOUND. `hash`: 32 bytes, keyed. */
MUST_USE struct err contacts_phone_find(struct contacts *c, const uint8_t hash[32], struct uuid *account);
/* With its account. *account is the one that has the number already, if there is one. */
MUST_USE struct err contacts_phone_add(struct contacts *c, const uint8_t hash[32], struct bytes phone, int64_t now_ms,
                                       struct uuid *account);
/* The number, for `by`: that somebody looked is kept. NOT_FOUND: nothing is known, or it was erased. */
MUST_USE struct err contacts_number(struct contacts *c, struct uuid account, struct uuid by, int64_t now_ms,
                                    struct text32 *out);
/* Everything about that account as a rider goes; fine when there is nothing. */
MUST_USE struct err contacts_erase(struct contacts *c, struct uuid account);

MUST_USE struct err contacts_staff_find(struct contacts *c, struct bytes name, struct contacts_staff *out);
/* The name that signs in to this account; NOT_FOUND. */
MUST_USE struct err contacts_staff_of(struct contacts *c, struct uuid account, struct text32 *name);
/* Makes or changes; whoever had tokens by that name loses them. An empty password leaves the one that there is. */
MUST_USE struct err contacts_staff_put(struct contacts *c, const struct contacts_staff *staff, int64_t now_ms);
/* The name signs in no more, and all tokens of its account end. NOT_FOUND. */
MUST_USE struct err contacts_staff_drop(struct contacts *c, struct bytes name, int64_t now_ms);
/* The same password, hashed anew. */
MUST_USE struct err contacts_staff_rehash(struct contacts *c, const struct contacts_staff *staff);
/* By name, those behind `after` (empty: all), `limit` at most; 0 = no limit. */
MUST_USE struct err contacts_staff_list(struct contacts *c, struct bytes after, unsigned limit,
                                        void (*fn)(void *ctx, const struct contacts_staff *staff), void *ctx);

struct contacts_app { struct text32 name; int64_t minimum_build; uint8_t url_len; char url[CONTACTS_URL_MAX]; };
/* minimum_build 0 takes it away. */
MUST_USE struct err contacts_app_put(struct contacts *c, const struct contacts_app *app);
/* At most `room`, by name. */
MUST_USE struct err contacts_apps(struct contacts *c, struct contacts_app *at, unsigned room, unsigned *count);

#endif
