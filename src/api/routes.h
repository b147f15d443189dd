/* SPDX-License-Identifier: Apache-2.0 */
/* routes.h: everything that can be asked over HTTP, a row each: method, path, who may, what it takes, who does it.
 * Checks of tokens, roles, keys and fields follow from the rows, and so do documents. Thread any. */
#ifndef API_ROUTES_H
#define API_ROUTES_H

#include "api/args.h"
#include "api/auth.h"

struct call;

struct route {
    uint8_t verb;                /* enum http_verb */
    uint8_t roles;               /* ROLE() of each that may */
    bool keyed;                  /* needs an Idempotency-Key */
    const char *path;            /* "/v1/rides/{id}" */
    void (*fn)(struct call *call);
    const struct arg_row *args;
    unsigned arg_count;
    const char *summary;
};

#define ROLE(name) (1u << AUTH_##name)
#define ROLES_STAFF (ROLE(CONTROL) | ROLE(ONCALL) | ROLE(CREW))

extern const struct route routes[];
extern const unsigned route_count;
#define ROUTES_MAX 64

/* NULL: no such path (*verbs 0), or not with this method (*verbs has 1 << each that there is). HEAD finds GET. */
const struct route *route_find(enum http_verb verb, struct bytes path, uint32_t *verbs);
const char *route_verb_name(unsigned verb);

#endif
