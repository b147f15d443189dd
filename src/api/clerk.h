/* SPDX-License-Identifier: Apache-2.0 */
/* clerk.h: slow and lasting work about people, off the loop: contacts.db is written and passwords are hashed here.
 *
 *                      ┌─► book lane:     contacts.db, some ms                 ─┐
 *     api ─clerk_submit┤                                                        ├─► results ─clerk_next─► api
 *                      └─► password lane: argon2id, some 100 ms and 64 MiB     ─┘
 *
 * Lanes   a thread each with a connection of its own: who guesses passwords keeps nobody from signing in by phone
 * Inline  in the simulator and in tests there are no threads: clerk_submit does the work with the caller's own auth
 * Limits  CLERK_BOOK_MAX and CLERK_PASSWORD_MAX jobs under way, else FULL
 * Thread  submit, next and release: the caller's */
#ifndef API_CLERK_H
#define API_CLERK_H

#include "api/contacts.h"
#include "api/people.h"

enum { CLERK_BOOK_MAX = 256, CLERK_PASSWORD_MAX = 32 }; /* powers of two */

enum clerk_kind {
    CLERK_RIDER_SIGN_IN = 1, /* phone, hash, good_for_ms */
    CLERK_SIGN_OUT,          /* token_hash */
    CLERK_SIGN_OUT_ALL,      /* account */
    CLERK_WHO,               /* account: the name that it signs in by */
    CLERK_NUMBER,            /* account, by */
    CLERK_ERASE,             /* account */
    CLERK_APP_PUT,           /* app */
    CLERK_STAFF_LIST,        /* name: those behind it, limit */
    CLERK_STAFF_ONE,         /* name */
    CLERK_STAFF_SIGN_OUT,    /* name */
    CLERK_STAFF_DROP,        /* name */
    CLERK_STAFF_SIGN_IN,     /* name, password, good_for_ms[]; from here on in the password lane */
    CLERK_STAFF_PUT,         /* name, role, scope, password */
    CLERK_KIND_N
};

struct clerk_password { uint8_t len; char at[PEOPLE_PASSWORD_MAX]; };

struct clerk_job {
    uint8_t kind, role;                /* enum clerk_kind, enum auth_role */
    uint64_t ticket;                   /* comes back with the result */
    int64_t now_ms, good_for_ms;
    struct uuid account, by;
    struct text32 phone, name;
    struct text64 address;             /* whose; comes back with the result */
    struct phone_hash phone_hash;
    uint8_t token_hash[SECRET_HASH_LEN];
    struct clerk_password password;
    bool everywhere;                   /* STAFF_PUT: no scope, the whole operator */
    unsigned limit;                    /* STAFF_LIST */
    struct scope scope;
    struct contacts_app app;
};

struct clerk_result {
    uint64_t ticket;
    uint8_t kind;
    struct err err;
    struct signed_in signed_in;        /* its scope is gone through `scope` below: that of another thread's auth */
    struct text32 name, number;        /* STAFF_SIGN_IN: as given; WHO: empty for riders; NUMBER: empty when erased */
    struct text64 address;
    struct uuid account;
    uint16_t scope_len;
    char scope[SCOPE_TEXT_MAX];        /* as scope.h writes it */
    char *body;                        /* STAFF_LIST, ONE, PUT: the whole answer as JSON; freed by clerk_release */
    size_t body_len;
};

struct clerk_options {
    const struct auth_options *contacts;
    struct auth *shared;               /* not NULL: inline, with this one */
    struct secret_cost cost;           /* of passwords; passes 0 = SECRET_COST */
    void (*wake)(void *ctx);           /* from a lane: a result is there (loop_wake) */
    void *wake_ctx;
};

struct clerk;

MUST_USE struct err clerk_create(const struct clerk_options *options, struct clerk **out);
/* Waits for the jobs under way; NULL is fine. */
void clerk_destroy(struct clerk *c);
/* FULL. */
MUST_USE struct err clerk_submit(struct clerk *c, const struct clerk_job *job);
/* Oldest result of any lane, NULL when none; good until clerk_release. */
struct clerk_result *clerk_next(struct clerk *c);
void clerk_release(struct clerk *c);

#endif
