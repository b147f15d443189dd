/* SPDX-License-Identifier: Apache-2.0 */
/* live.h: events to those who listen, by server-sent events.
 *
 *     event ─► ring (65,536) ─┬─► riders: their own, at once
 *                             └─► staff and whoever resumes: each stream reads the ring from its own place, paced
 *
 * Own     an event is a rider's when it names the rider, or its ride is known to be theirs
 * Resume  Last-Event-ID within the ring; older, unknown or future: `reset`, and on from now. A stream that falls out of
 *         the ring gets the same.
 * Limits  the ring, the rides remembered, LIVE_CHUNK bytes a stream in LIVE_PACE_MS (a client that takes less is closed
 *         by its bounded queue and resumes), http_limits.sse_count_max streams
 * Thread  the loop's */
#ifndef API_LIVE_H
#define API_LIVE_H

#include "api/scope.h"
#include "api/shelf.h"
#include "engine/effect.h"
#include "net/http.h"

#define LIVE_CHUNK 24576u
#define LIVE_PACE_MS 20
#define LIVE_RECHECK_MS 10000    /* how often a stream's token is looked at again */
#define LIVE_TOKEN_MAX 80u
#define LIVE_SCAN_MAX 8192u      /* events that one stream looks at in one turn */

struct live_options {
    uint32_t ring;               /* a power of two */
    uint32_t stream_max;
    uint32_t ride_memory;
    struct hash_key key;
    struct http_server *http;    /* may be set later */
    /* Asked now and then for each stream: may it go on? A revoked token must not listen for ever. */
    bool (*still_good)(void *ctx, struct bytes token, const struct scope *scope, int64_t now_ms);
    /* Is that city in it? NULL: no. */
    bool (*in_scope)(void *ctx, const struct scope *scope, uint64_t city_id);
    void *ctx;
};

/* Who listens. */
struct live_client {
    uint64_t http;
    bool staff;
    const struct scope *scope;   /* of staff: only events of these cities */
    struct uuid account;
    struct bytes token;          /* copied */
    struct bytes last_id;        /* Last-Event-ID; may be empty */
};

struct live_counters { uint64_t events, sent, resets, closed_slow, closed_token; uint32_t open; };

struct live;

MUST_USE struct err live_create(const struct live_options *options, struct live **out);
void live_destroy(struct live *l); /* NULL is fine */
void live_set_server(struct live *l, struct http_server *http);

/* In rising order of (seq, part). */
void live_push(struct live *l, const struct event *event);
/* The stream behind client->http has begun. */
void live_open(struct live *l, const struct live_client *client, int64_t now_ms);
/* False: it is none of ours. */
bool live_gone(struct live *l, uint64_t http);
/* Sends what is due; returns when to be called again. */
int64_t live_turn(struct live *l, int64_t now_ms);
const struct live_counters *live_counters(const struct live *l);

#endif
