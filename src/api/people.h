/* SPDX-License-Identifier: Apache-2.0 */
/* people.h: how riders and staff come to their tokens, and what else is done with what contacts.db knows of them.
 *
 * Slow    each of these reads and syncs a database, and passwords are hashed on purpose at a cost: on a worker (clerk.h)
 *         or in the command line, never on a loop
 * Equal   a wrong name costs the same hash as a wrong password
 * Phones  are looked up by a keyed hash; the number itself stands in one column of contacts.db
 * Thread  that of its `struct auth` */
#ifndef API_PEOPLE_H
#define API_PEOPLE_H

#include "api/auth.h"
#include "api/codes.h"

enum { PEOPLE_PASSWORD_MIN = 12, PEOPLE_PASSWORD_MAX = 128 };

/* '+' and 7 to 15 digits, the first of them not 0. */
bool phone_is(struct bytes text);
struct phone_hash phone_hash_of(const uint8_t key[SECRET_KEY_LEN], struct bytes phone);

/* Who has just signed in. */
struct signed_in {
    char token[AUTH_TOKEN_LEN];
    struct uuid account;
    uint8_t role;                       /* enum auth_role */
    const struct scope *scope;          /* of the auth that it was asked of */
    int64_t expires_ms;
};

/* The account with this number, made when new. Its number has been shown to be theirs. */
MUST_USE struct err people_rider_sign_in(struct auth *a, struct bytes phone, const struct phone_hash *hash, int64_t now_ms,
                                         int64_t good_for_ms, struct signed_in *out);

/* What a wrong name's password is compared with: made once, at the cost of the day. */
struct people_nobody { char password[SECRET_PASSWORD_LEN]; };
MUST_USE struct err people_nobody_init(struct people_nobody *nobody, struct secret_cost cost);
/* SIGN_IN_REFUSED: no such name, or not its password. */
MUST_USE struct err people_staff_sign_in(struct auth *a, struct bytes name, struct bytes password,
                                         const struct people_nobody *nobody, struct secret_cost cost, int64_t now_ms,
                                         int64_t good_for_ms, struct signed_in *out);

struct people_staff {
    struct bytes name;                  /* 1 to 31 bytes */
    enum auth_role role;                /* not RIDER */
    const struct scope *scope;          /* NULL = the whole operator */
    struct bytes password;              /* empty: stays as it is; somebody new cannot sign in before they have one */
};
/* Makes or changes. All tokens of a changed one end; who is so already keeps them, and nothing is written. INVALID with
 * the reason. */
MUST_USE struct err people_staff_put(struct auth *a, const struct people_staff *staff, struct secret_cost cost,
                                     int64_t now_ms, struct uuid *account);
/* Takes away: the name signs in no more, all their tokens end. NOT_FOUND. */
MUST_USE struct err people_staff_drop(struct auth *a, struct bytes name, int64_t now_ms);
/* Ends all their tokens; signing in again is fine. NOT_FOUND. */
MUST_USE struct err people_staff_sign_out(struct auth *a, struct bytes name, int64_t now_ms);

#endif
