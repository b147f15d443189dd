/* SPDX-License-Identifier: Apache-2.0 */
/* api_inside.h: what the files of the api share. Nobody else includes this.
 *
 *     api.c        life, the turn of the loop, requests in
 *     api_in.c     replies, answers, events and pages come back
 *     api_out.c    replies and problems go out
 *     ask_*.c      one function a route: turns a request into a fact, a question or a job */
#ifndef API_API_INSIDE_H
#define API_API_INSIDE_H

#include "api/accounts.h"
#include "api/api.h"
#include "api/live.h"
#include "api/pending.h"
#include "api/routes.h"
#include "api/stats.h"
#include "engine/traffic.h"

enum {
    API_BODY_MAX = 8192,        /* of what is not a page */
    API_LATER_MS = 25,          /* between two looks whether the tables have caught up */
    API_IDEMPOTENCY_KEY_MAX = 64,
    API_PAGE_DEFAULT = 50,
};

struct api {
    struct api_config config;
    struct http_server *http, *admin;
    struct shelf accounts;
    struct pendings pendings;
    struct live *live;
    struct stats stats;
    struct api_counters counters;
    bool wake_engine, draining, hooked;
};

/* A request that passed every check of its row. */
struct call {
    struct api *api;
    const struct http_request *request;
    const struct route *route;
    struct client client;
    struct account *account;
    uint32_t account_slot;
    bool staff;
    struct bytes token;
    uint64_t key0, key1, body_hash;
    struct args args;
};

/* ---- api.c ---- */
/* Puts the fact or question and leaves a pending entry that `p` may be filled into; NULL: answered with 503. */
struct pending *call_put(struct call *call, const struct inbound *in, enum answer_shape shape);
struct pending *call_ask(struct call *call, const struct query *query, enum answer_shape shape);
void call_job(struct call *call, const struct desk_job *job);
/* Questions about a ride whose waiter is due: same entry, new question. False: the ring is full. */
bool api_ask_again(struct api *api, struct pending *p, const struct query *query);
/* Hands p->job to the desk. */
void api_submit(struct api *api, struct pending *p);

/* ---- api_in.c ---- */
/* At most limits.out_per_turn items; true when there are more. */
bool api_drain_out(struct api *api);
void api_drain_desk(struct api *api);
void api_on_due(void *ctx, struct pending *p);

/* ---- api_out.c ---- */
/* All answer `client` once; nothing happens when it has left. */
void out_json(struct api *api, const struct client *client, int status, struct bytes body);
void out_problem(struct api *api, const struct client *client, struct err why);
/* With the fields at fault; `args` may be NULL. */
void out_faults(struct api *api, const struct client *client, struct err why, const struct args *args);
void out_no_route(struct api *api, const struct client *client, uint32_t verbs);

/* ---- admin.c ---- */
struct err admin_create(struct api *api);

#endif
