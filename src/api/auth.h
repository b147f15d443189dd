/* SPDX-License-Identifier: Apache-2.0 */
/* auth.h: who is calling: opaque 256-bit tokens, stored hashed in contacts.db, known ones kept in memory.
 *
 * Token   "pdk_" and 64 hex digits, shown once; the database holds its BLAKE2b hash only
 * Equal   unknown, expired and revoked tokens get one and the same answer; who keeps trying unknown ones is slowed down
 *         by address
 * Fresh   another process may grant and revoke at any time: seen within AUTH_LOOK_MS
 * Kept    contacts.db is outside the journal: deleting a row there erases a person everywhere
 * Rejected signed tokens: they cannot be taken back
 * Thread  one; the CLI opens its own */
#ifndef API_AUTH_H
#define API_AUTH_H

#include "api/scope.h"
#include "base/field.h"

#define AUTH_TOKEN_LEN 68u
#define AUTH_LOOK_MS 1000           /* how long a grant or revocation elsewhere may go unseen */
#define AUTH_CACHE_DEFAULT 65536u
#define AUTH_MISSES_BURST 50u       /* unknown tokens from one address at once, */
#define AUTH_MISSES_PER_S 5u        /* and from then on */
#define AUTH_ADDRESS_MAX 4096u      /* addresses watched; the oldest is forgotten */
#define AUTH_TOKENS_MAX 32u         /* good tokens of one account; a sign-in beyond ends the oldest */
#define AUTH_ROLE_LIST(X)                                          \
    X(1, RIDER,   rider,   "rides")                                \
    X(2, CONTROL, control, "the control room")                     \
    X(3, ONCALL,  oncall,  "the engineer on call")                 \
    X(4, CREW,    crew,    "in the street")                        \
    X(5, OWNER,   owner,   "owns vehicles and earns a share")      \
    X(6, CITY,    city,    "the city's administration")            \
    X(7, MDS,     mds,     "a program that reads MDS")

/* 0 is nobody: a request without a token. */

enum auth_role {
#define X(no, NAME, name, doc) AUTH_##NAME = no,
    AUTH_ROLE_LIST(X)
#undef X
    AUTH_ROLE_N
};
extern const struct enum_names auth_role_names, auth_staff_role_names; /* all; those of staff, under the same numbers */

struct auth_options {
    const char *path;                 /* of contacts.db, as SQLite names it */
    const char *vfs;                  /* NULL: SQLite's own for this system */
    bool unsynced;                    /* a power cut may take what was written: for tokens of a load run, by the ten thousand */
    bool exclusive;                   /* no shared memory: the simulator's VFS has none; then nobody else may open it */
    uint32_t cache_max;               /* tokens in memory; 0 = default */
    uint64_t operator_id;             /* 0: 1 */
    void (*random16)(void *ctx, uint8_t out[16]); /* NULL: the system's */
    void *random_ctx;
};

struct auth_who {
    struct uuid account;
    enum auth_role role;
    const struct scope *scope;        /* where they may work; NULL = the whole operator */
    int64_t expires_ms;
};

struct auth_grant {
    struct uuid account;              /* zero: a new one is drawn, see *account */
    enum auth_role role;
    int64_t now_ms, expires_ms;       /* ms since 1970 */
    const struct scope *scope;        /* of a new account, or from now on of a known one, with set_scope */
    bool set_scope;
};

struct auth_token_row {
    uint8_t hash[32];                 /* its first 8 bytes, in hex, name the token for people */
    struct uuid account;
    uint8_t role;
    int64_t created_ms, expires_ms, revoked_ms; /* revoked 0: not */
    uint16_t scope_len;
    char scope[SCOPE_TEXT_MAX];       /* of the account, as scope.h writes it */
};

struct auth_counters { uint64_t checks, cached, looked_up, unknown, slowed, failed; };

struct auth;

/* Makes the database when there is none. *out is set on errors too, for auth_text(): SQLite's words. */
MUST_USE struct err auth_create(const struct auth_options *options, struct auth **out);
void auth_destroy(struct auth *a); /* NULL is fine */

/* UNAUTHENTICATED, RATE_LIMITED (by peer, "203.0.113.7:50123"), IO. wall_ms for expiry, mono_ms for rates. */
MUST_USE struct err auth_check(struct auth *a, struct bytes token, struct bytes peer, int64_t wall_ms, int64_t mono_ms,
                               struct auth_who *out);

/* Whose token it is, looked up afresh; nothing is said about its time. */
MUST_USE struct err auth_who_of(struct auth *a, struct bytes token, struct auth_who *out);

/* Writes the new token's AUTH_TOKEN_LEN characters and the account that it is for. INVALID role or expiry. */
MUST_USE struct err auth_grant(struct auth *a, const struct auth_grant *grant, char token[AUTH_TOKEN_LEN],
                               struct uuid *account);
/* By the name for people: 16 hex digits. NOT_FOUND; revoking twice is fine. */
MUST_USE struct err auth_revoke(struct auth *a, struct bytes name, int64_t now_ms);
MUST_USE struct err auth_list(struct auth *a, void (*fn)(void *ctx, const struct auth_token_row *row), void *ctx);

/* Sixteen secret bytes kept under `name`, drawn on first use: for keys that must survive restarts. */
MUST_USE struct err auth_secret16(struct auth *a, const char *name, uint8_t out[16]);

/* For people.c: randomness in pieces of sixteen bytes, the name of a new account, and the database itself. */
struct contacts;
MUST_USE struct err auth_draw(struct auth *a, uint8_t *out, size_t count16);
MUST_USE struct err auth_account_draw(struct auth *a, struct uuid *out);
struct contacts *auth_contacts(struct auth *a);

/* The account's scope, name and so on were changed, or tokens ended, by somebody else in this process. */
void auth_changed(struct auth *a);

const struct auth_counters *auth_counters(const struct auth *a);
const char *auth_text(const struct auth *a);

#endif
