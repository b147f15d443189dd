/* SPDX-License-Identifier: Apache-2.0 */
/* api.h: HTTP for riders and staff: requests become facts, replies and events become answers.
 *
 *     request ─► route, token, role, fields ─► urgent ring ─► engine ─► journal ─► out ring ─► reply, ?wait=, live
 *                                          └─► desk (SQL tables, off the loop) ─────────────► lists, timelines
 *
 * What is asked and who may stands in one table (routes.h). Nothing here decides about rides: it translates.
 * World   no clock, socket or randomness of its own: all of it comes through struct api_config, so the simulator runs
 *         this unchanged on a loop of its own
 * Limits  struct api_limits and http_limits; what is full answers 503 with Retry-After
 * Owner   everything in the config is borrowed until api_destroy
 * Thread  the loop's. It is the only putter of `urgent` (together with others on the same thread) and the only taker
 *         of `out`; who puts into `out` calls loop_wake() */
#ifndef API_API_H
#define API_API_H

#include "api/auth.h"
#include "api/clerk.h"
#include "api/desk.h"
#include "api/message.h"
#include "api/pages.h"
#include "base/hash.h"
#include "base/ring.h"
#include "net/client.h"
#include "net/http.h"
#include "street/street.h"
#include "net/tape.h"
#include "net/trace.h"

struct api_limits {             /* 0 takes the default */
    uint32_t pending_max;       /* requests under way, waiting ones included; 4,096, else 503 */
    uint32_t account_max;       /* accounts remembered as announced; 262,144, older ones are announced again */
    uint32_t event_ring;        /* events to resume a live stream from, a power of two; 65,536 */
    uint32_t ride_memory;       /* rides whose rider is remembered for events that do not name one; 65,536 */
    uint32_t wait_s_max;        /* of ?wait=; 30 */
    uint32_t fresh_ms;          /* how long a list waits for the account's own last write; 2,000 */
    uint32_t out_per_turn;      /* items taken from `out` in one turn of the loop; 4,096 */
    uint32_t page_max;          /* rows of one page; 200 */
    uint32_t code_s;            /* how long a sign-in code is good; 300 */
    uint32_t rider_token_s;     /* how long a rider stays signed in; 90 days */
    uint32_t staff_token_s;     /* how long staff do; 12 hours */
};

/* What the world lends. All may be called on the loop's thread only. */
struct api_world {
    void *ctx;
    void (*wake_engine)(void *ctx);                     /* facts were put; at most once a turn */
    int64_t (*wall_ms)(void *ctx);                      /* ms since 1970 */
    void (*random16)(void *ctx, uint8_t out[16]);       /* unguessable, or the simulator's */
    bool (*ready)(void *ctx, struct buf *why);          /* /readyz; `why` in a line of plain text */
    void (*metrics)(void *ctx, struct buf *out);        /* Prometheus text behind our own; NULL: none */
};

struct api_config {
    struct loop *loop;
    uint32_t loop_conn_max;     /* conn_max of that loop */
    struct bytes address;       /* "127.0.0.1:8080"; port 0 is any */
    struct bytes admin_address; /* /metrics, /healthz, /readyz; empty: no admin listener */
    uint8_t port;               /* goes into origin.port */
    struct ring *urgent;        /* struct inbound; we put */
    struct ring *out;           /* struct to_api; we take */
    struct api_world world;
    struct auth *auth;
    struct desk *desk;
    struct clerk *clerk;
    struct message_way messages; /* how messages leave; name NULL: not at all, and nobody signs in by phone */
    const struct pages *pages;  /* for people with a browser; NULL: none */
    const char *panel;          /* origin of the demo's control panel; NULL or "": none */
    struct street *street;      /* near me, maps and counters come from it; NULL: they answer 503 */
    struct caller *client;      /* outgoing calls; NULL: there are no hooks and webhooks */
    struct desk *push_desk;     /* with a client: reads what webhooks get */
    struct hash_key key;        /* of Idempotency-Keys; must survive restarts, see auth_secret16 */
    struct api_limits limits;
    struct http_limits http, admin_http;
    struct tape *tape;          /* the vehicles' frames; NULL: none are kept */
    struct trace *trace;        /* NULL: off */
    uint32_t trace_one_in;      /* of requests that do not say themselves; 0: none */
    bool proxied;               /* the API stands behind a front that speaks net/proxy.h */
    const char *build;          /* for /healthz and the build metric */
};

struct api_counters {
    uint64_t facts, queries, ring_full, pending_full, announced;
    uint64_t replies, replies_stale, replies_gone;      /* stale: no such request; gone: the client had left */
    uint64_t in_flight_refused, waits, waits_decided, waits_timed_out;
    uint64_t unauthenticated, forbidden, not_valid, rate_limited, apps_too_old;
    uint64_t out_of_scope;                              /* of another city: answered as if it were not there */
    uint64_t clerk_jobs, clerk_full, clerk_errors, signed_in, sign_ins_refused, signed_out;
    uint64_t events, streams_open, streams_reset, stream_events;
    uint64_t pages, pages_unchanged, pages_missing;     /* files given; 304; paths of an app without a file */
    uint64_t map_streams, map_messages, map_rows;
    uint64_t bulk_vehicles, bulk_full;                  /* of calls about many vehicles: facts answered; refused */
    uint64_t desk_jobs, desk_full, desk_waits, desk_errors;
    uint32_t pending;                                   /* now */
};

struct api;

/* Listens at once. */
MUST_USE struct err api_create(const struct api_config *config, struct api **out);
/* Drops its connections; NULL is fine. The desk must be destroyed after it. */
void api_destroy(struct api *api);
/* No new connections; replies under way go out; live streams and waits end. True once nothing is pending. */
bool api_drain(struct api *api);
/* Either may be NULL. Empty when there is no admin listener. */
MUST_USE struct err api_address(struct api *api, struct text64 *http, struct text64 *admin);
const struct api_counters *api_counters(const struct api *api);

#endif
