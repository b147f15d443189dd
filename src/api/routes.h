/* SPDX-License-Identifier: Apache-2.0 */
/* routes.h: everything that can be asked over HTTP, a row each: method, path, who may, what it takes, who does it, what
 * it answers. Checks of tokens, roles, keys and fields follow from the rows, and so do /openapi.json, the clients and
 * docs/reference/api.md: a new row is in all of them after `make docs`.
 * Thread  any */
#ifndef API_ROUTES_H
#define API_ROUTES_H

#include "api/args.h"
#include "api/auth.h"
#include "api/schema.h"

struct call;

enum route_tag_id { TAG_RIDES, TAG_VEHICLES, TAG_EVENTS, TAG_ACCOUNTS, TAG_SETTINGS, TAG_SERVER, TAG_N };

/* Whose things a row is about, beside what the role may: api.c refuses, api_in.c, the desk, the live streams and the
 * engine leave out what lies outside; scope_test.c tries every row. */
enum route_scope {
    SCOPE_NOBODY,      /* without a token: ROUTE_PUBLIC */
    SCOPE_OWN,         /* the caller's own */
    SCOPE_CITY,        /* a rider's own, or what every rider may see; staff: those of their cities, others are not there
                        * (404, left out of lists) */
    SCOPE_OPEN,        /* of no city and no secret: whoever has the role may */
    SCOPE_OPERATOR,    /* of no city: staff whose scope is a list of cities may not (403) */
    SCOPE_N
};

enum route_flags {
    ROUTE_PUBLIC = 1,  /* without a token: call.account is nobody's, and the engine cannot be asked */
    ROUTE_PAGED = 2,   /* takes limit and a cursor, answers "next" */
    ROUTE_STREAM = 4,  /* server-sent events; `answer` is the data of one */
    ROUTE_PLAIN = 8,   /* the answer is no object of ours: no `answer` */
    ROUTE_UNKEYED = 16, /* a POST that takes no Idempotency-Key: doing it twice is refused by itself, or does no harm */
};

struct route {
    uint8_t verb;                /* enum http_verb */
    uint16_t roles;              /* ROLE() of each that may */
    uint8_t scope;               /* enum route_scope */
    bool keyed;                  /* needs an Idempotency-Key */
    const char *path;            /* "/v1/rides/{id}" */
    void (*fn)(struct call *call);
    const struct arg_row *args;
    unsigned arg_count;
    const char *summary;
    const char *id;              /* "startRide": operationId, a function in the clients; for ever */
    uint8_t tag;                 /* enum route_tag_id */
    uint16_t status;             /* when it went well; 204 answers nothing. 202: also 200, when ?wait= was worth it */
    uint8_t flags;               /* enum route_flags */
    const struct schema *answer; /* NULL with 204 and PLAIN */
};

struct route_tag { const char *name, *doc; };
extern const struct route_tag route_tags[TAG_N];

#define ROLE(name) (1u << AUTH_##name)
#define ROLES_STAFF (ROLE(CONTROL) | ROLE(ONCALL) | ROLE(CREW))

extern const char *const route_scope_names[SCOPE_N];
extern const struct route routes[];
extern const unsigned route_count;
#define ROUTES_MAX 128

/* NULL: no such path (*verbs 0), or not with this method (*verbs has 1 << each that there is). HEAD finds GET. */
const struct route *route_find(enum http_verb verb, struct bytes path, uint32_t *verbs);
const char *route_verb_name(unsigned verb);

#endif
