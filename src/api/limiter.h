/* SPDX-License-Identifier: Apache-2.0 */
/* limiter.h: how often one may try: a bucket for each who, that empties with each try and fills up again with time.
 *
 * Who     a name of up to 64 bytes, hostile: an address (address_who), a hash of a phone number, a staff name
 * Limits  the table below, LIMITER_KEPT whos each; the oldest is forgotten, which gives it a full bucket: whoever can
 *         come from so many addresses is for a firewall to stop
 * Thread  one */
#ifndef API_LIMITER_H
#define API_LIMITER_H

#include "api/shelf.h"
#include "base/text.h"

enum { LIMITER_KEPT = 8192 };

/* (NAME, name, tries at once, ms until one more, what is counted) */
#define LIMIT_LIST(X)                                                                                           \
    X(CODE_PHONE,      code_phone,      4,   600000, "codes sent to one phone number")                          \
    X(CODE_ADDRESS,    code_address,    60,  2000,   "codes asked for from one address")                        \
    X(SIGN_IN_PHONE,   sign_in_phone,   10,  60000,  "codes tried for one phone number")                        \
    X(SIGN_IN_ADDRESS, sign_in_address, 100, 1000,   "codes tried from one address")                            \
    X(STAFF_NAME,      staff_name,      10,  60000,  "wrong passwords for one name")                            \
    X(STAFF_ADDRESS,   staff_address,   30,  5000,   "wrong passwords from one address")

enum limit {
#define X(NAME, name, burst, refill_ms, doc) LIMIT_##NAME,
    LIMIT_LIST(X)
#undef X
    LIMIT_N
};

struct limiter {
    struct shelf buckets[LIMIT_N];
    uint64_t taken[LIMIT_N], refused[LIMIT_N];
};

MUST_USE struct err limiter_init(struct limiter *l, struct hash_key key);
void limiter_fini(struct limiter *l); /* fine on a zero one */
/* 0, and one try is gone; or in how many ms there will be one. */
int64_t limiter_take(struct limiter *l, enum limit limit, struct bytes who, int64_t now_ms);
/* It was a good one: it does not count. */
void limiter_give_back(struct limiter *l, enum limit limit, struct bytes who, int64_t now_ms);
const char *limiter_name(enum limit limit);

#endif
