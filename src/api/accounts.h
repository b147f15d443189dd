/* SPDX-License-Identifier: Apache-2.0 */
/* accounts.h: what the api remembers of each account since it started: whether the engine was told, and its last write.
 *
 * Limits  api_limits.account_max; older ones make room and are announced again, which changes nothing in the engine
 * Thread  the loop's */
#ifndef API_ACCOUNTS_H
#define API_ACCOUNTS_H

#include "api/auth.h"
#include "api/shelf.h"

struct account {
    struct uuid uuid;    /* the identity, */
    uint8_t is_staff;    /* with this: one person may ride and work here */
    uint8_t role;        /* enum auth_role, as last announced */
    bool announced;      /* the fact is in the ring or beyond it */
    const struct scope *scope;
    uint64_t row_id;     /* of the rider or staff in the engine; 0 = not answered yet */
    uint64_t last_seq;   /* of its last answered fact, or of the answer that told the end of its ride: lists are as new */
};
#define ACCOUNT_ID_SIZE (sizeof(struct uuid) + 1)

MUST_USE struct err accounts_init(struct shelf *accounts, uint32_t cap, struct hash_key key);
/* Known or new; NULL when every one is held by a request. */
struct account *accounts_get(struct shelf *accounts, struct auth_who who);

#endif
