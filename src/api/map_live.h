/* SPDX-License-Identifier: Apache-2.0 */
/* map_live.h: maps that move: to each stream the vehicles of its box that changed, and those that left it, at most once a
 * second.
 *
 * Each stream remembers of every vehicle which version it was sent, so a vehicle is sent when it changed, whenever that
 * was; what does not fit into one message goes with the next.
 * Resume  the event's id is the snapshot's seq: Last-Event-ID, or `after`, spares what changed before it
 * Limits  MAP_LIVE_MAX streams; MAP_LIVE_BYTES a message; 8 bytes a vehicle and stream
 * Thread  the loop's */
#ifndef API_MAP_LIVE_H
#define API_MAP_LIVE_H

#include "api/scope.h"
#include "net/http.h"
#include "street/street.h"

#define MAP_LIVE_MAX 64u
#define MAP_LIVE_EVERY_MS 1000
#define MAP_LIVE_BYTES 49152u
#define MAP_LIVE_RECHECK_MS 10000  /* how often a stream's token is looked at again */
#define MAP_LIVE_TOKEN_MAX 80u

struct map_live_options {
    struct street *street;
    struct http_server *http;
    int64_t (*wall_ms)(void *ctx);
    bool (*still_good)(void *ctx, struct bytes token, const struct scope *scope, int64_t now_ms);
    void *wall_ctx, *ctx;
};

struct map_live_client {
    uint64_t http;
    struct box box;
    uint8_t state;                 /* only this one; 0: all */
    uint16_t city;                 /* only this one; STREET_NONE: all */
    const struct scope *scope;     /* only these cities; NULL: all */
    uint64_t after_seq;            /* what changed up to here is known; 0: nothing is */
    struct bytes token;            /* copied */
};

struct map_live_counters { uint64_t sent, rows; uint32_t open; };

struct map_live;

MUST_USE struct err map_live_create(const struct map_live_options *options, struct map_live **out);
void map_live_destroy(struct map_live *m); /* NULL is fine */
/* Before http_sse_begin. FULL. */
MUST_USE struct err map_live_room(const struct map_live *m);
/* The stream behind client->http has begun. */
void map_live_open(struct map_live *m, const struct map_live_client *client, int64_t now_ms);
/* False: it is none of ours. */
bool map_live_gone(struct map_live *m, uint64_t http);
/* Sends what is due; returns when to be called again. */
int64_t map_live_turn(struct map_live *m, int64_t now_ms);
const struct map_live_counters *map_live_counters(const struct map_live *m);

#endif
