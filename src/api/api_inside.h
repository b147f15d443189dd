/* SPDX-License-Identifier: Apache-2.0 */
/* api_inside.h: what the files of the api share. Nobody else includes this.
 *
 *     api.c        life, the turn of the loop, requests in
 *     api_in.c     replies, answers, events and pages come back
 *     api_out.c    replies and problems go out
 *     api_people.c results of the clerk go out
 *     outbound.h   what leaves the house over HTTP
 *     ask_*.c      one function a route: turns a request into a fact, a question or a job */
#ifndef API_API_INSIDE_H
#define API_API_INSIDE_H

#include "api/accounts.h"
#include "api/api.h"
#include "api/apps.h"
#include "api/bulk.h"
#include "api/codes.h"
#include "api/limiter.h"
#include "api/live.h"
#include "api/map_live.h"
#include "api/outbound.h"
#include "api/pending.h"
#include "api/routes.h"
#include "api/staff.h"
#include "api/stats.h"
#include "api/unlocks.h"
#include "engine/traffic.h"

enum {
    API_BODY_MAX = 8192,        /* of what is not a page */
    API_LATER_MS = 25,          /* between two looks whether the tables have caught up */
    API_IDEMPOTENCY_KEY_MAX = 64,
    API_PAGE_DEFAULT = 50,
    API_STREET_MAX = 2 << 20,   /* of an answer from the street: 20,000 vehicles of a map */
    API_STREET_PLACES = 2 << 20,
};

struct api {
    struct api_config config;
    struct http_server *http, *admin;
    struct shelf accounts;
    struct pendings pendings;
    struct live *live;
    struct map_live *map_live;
    struct unlocks unlocks;
    uint8_t *street_text;       /* API_STREET_MAX: where answers from the street are written, one after the other */
    uint64_t *street_inside;    /* a bit for each of API_STREET_PLACES vehicles: in the box asked for */
    struct codes codes;
    struct limiter limiter;
    struct messages *messages;
    struct apps apps;
    uint8_t phone_key[SECRET_KEY_LEN];
    bool messages_by_hook;      /* message.send is declared */
    struct outbound *outbound;  /* NULL: no client */
    struct bulks *bulks;
    struct staff_waits *staff_waits;
    struct stats stats;
    struct api_counters counters;
    struct buf openapi; /* made when first asked for; ours */
    uint64_t untraced;              /* requests that did not say whether they want to be traced */
    bool wake_engine, draining, hooked;
};

/* A request that passed every check of its row. */
struct call {
    struct api *api;
    const struct http_request *request;
    const struct route *route;
    struct client client;
    struct auth_who who;
    struct account *account;
    uint32_t account_slot;
    bool staff;
    struct bytes token;
    uint64_t key0, key1, body_hash;
    struct args args;
};

/* ---- api.c ---- */
/* For the functions of a route. Each either leaves a pending entry, which may be filled in further, or answers with a
 * problem and gives NULL. */
struct pending *call_fact(struct call *call, const struct fact *fact, enum answer_shape shape);
struct pending *call_query(struct call *call, const struct query *query, enum answer_shape shape);
/* The `limit` parameter within our own. */
unsigned call_limit(const struct call *call);
/* A page from the tables; everything after this call is done by others. False: answered, no entry was made. */
bool call_job(struct call *call, const struct desk_job *job);
/* Lasting work about people, whose result goes to api_people.c. The ticket is filled in here. */
void call_clerk(struct call *call, struct clerk_job *job);
bool api_clerk(struct api *api, struct pending *p, struct clerk_job *job); /* for an entry; false: refused, it is gone */
/* False: answered with 429. */
bool call_may(struct call *call, enum limit limit, struct bytes who);
int64_t call_wall_ms(const struct call *call);
/* An entry for a call that puts more than one thing; NULL: answered. */
struct pending *call_begin(struct call *call, enum pending_stage stage);
/* False: the ring is full. */
bool api_put(struct api *api, const struct inbound *in, uint64_t handle, int64_t born_us);
/* Puts a question for an entry that is there already. False: the ring is full. */
bool api_ask(struct api *api, struct pending *p, const struct query *query);
/* The fact that waited, about something of that city. False: the ring is full. */
bool api_put_in_city(struct api *api, struct pending *p, uint64_t city_id);
/* Ends the entry, and its hold on the account. */
void api_release(struct api *api, struct pending *p);
struct account *api_account_of(struct api *api, const struct pending *p);

/* ---- api_in.c ---- */
/* At most limits.out_per_turn items; true when there are more. */
bool api_drain_out(struct api *api);
void api_drain_desk(struct api *api);
/* Hands p->job to the desk, now or when the tables and the account are ready. */
void api_submit(struct api *api, struct pending *p);
void api_on_due(void *ctx, struct pending *p);

/* ---- api_people.c ---- */
void api_drain_clerk(struct api *api);

/* ---- api_out.c ---- */
/* All answer `client` once; nothing happens when it has left. */
void out_json(struct api *api, const struct client *client, int status, struct bytes body);
/* 204. */
void out_nothing(struct api *api, const struct client *client);
void out_problem(struct api *api, const struct client *client, struct err why);
/* 429. */
void out_too_often(struct api *api, const struct client *client, int64_t wait_ms);
/* 426, with where to get the new one. */
void out_too_old(struct api *api, const struct client *client, const struct contacts_app *app);
/* With the fields at fault; `args` may be NULL. */
void out_faults(struct api *api, const struct client *client, struct err why, const struct args *args);
void out_no_route(struct api *api, const struct client *client, uint32_t verbs);

/* ---- ask_frames.c ---- */
void api_send_frames(struct api *api, struct pending *p, const struct device *device, uint64_t seq);

/* ---- api_trace.c ---- */
/* All do nothing for a request that is not traced. */
void api_trace_begin(struct api *api, const struct http_request *request, struct client *client);
void api_trace_fact(struct api *api, const struct client *client, const struct to_api *in);
void api_trace_decided(struct api *api, const struct pending *p);
void api_trace_end(struct api *api, const struct client *client, int status);
/* ---- ask_hooks.c ---- */
void out_webhook(struct api *api, struct pending *p, const struct webhook *row, uint64_t seq);
void out_hook(struct api *api, struct pending *p, const struct hook *row, uint64_t seq);
void messages_by_hook(struct api *api);
/* The engine said what became of a declaration or its end, whether or not somebody still waits for that. */
void hook_answered(struct api *api, const struct pending *p, const struct to_api *in);

/* ---- admin.c ---- */
struct err admin_create(struct api *api);

#endif
