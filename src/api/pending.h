/* SPDX-License-Identifier: Apache-2.0 */
/* pending.h: requests under way, from their fact or question until their reply.
 *
 *     FACT ──reply──► WATCH (?wait=) ──event, time──► QUERY ──answer──► (replied)
 *       └──(row left memory)──► DESK ◄──(not in memory)──┘
 *     DESK ──tables too old──► LATER ──time──► DESK
 *     CLERK ──result──► (replied)
 *     DESK ──codes──► BULK ──each vehicle's answer──► (replied)
 *     SCOPE: a fact by staff of some cities waits for the city of what it is about ──answer──► FACT
 *     ANNOUNCE: the engine is told of an account, nobody waits
 *
 * Gone    a client that leaves while an answer is under way leaves its entry behind (`http` 0) until the answer comes:
 *         the handle must stay known, and its Idempotency-Key in flight
 * Limits  api_limits.pending_max
 * Owner   an entry is known outside by its handle, a number; stale ones are harmless
 * Thread  the loop's */
#ifndef API_PENDING_H
#define API_PENDING_H

#include "api/desk.h"
#include "base/map.h"

enum pending_stage { PENDING_FREE, PENDING_ANNOUNCE, PENDING_FACT, PENDING_QUERY, PENDING_WATCH, PENDING_DESK,
                     PENDING_LATER, PENDING_CLERK, PENDING_SCOPE,
                     PENDING_BULK };

/* What the reply is made of. */
enum answer_shape { ANSWER_RIDE = 1, ANSWER_RECEIPT, ANSWER_COMMAND, ANSWER_VEHICLE, ANSWER_ID, ANSWER_PAGE,
                    ANSWER_FRAMES,
                    ANSWER_WEBHOOK, ANSWER_WEBHOOK_GONE, ANSWER_HOOK, ANSWER_HOOK_GONE, ANSWER_RIDER };
enum wait_for { WAIT_NOTHING, WAIT_START, WAIT_END };

/* Who gets the reply. */
struct client {
    uint64_t http;          /* handle of the HTTP request; 0 = left */
    char trace_id[32];
    uint8_t route;          /* its number in routes[] */
    uint64_t span, parent_span; /* of net/trace.h; span 0: not traced */
    int64_t started_us;
};

struct pending {
    struct client client;
    uint8_t stage, shape, wait_for;
    uint8_t bulk;             /* its place + 1 in bulk.c; 0: none */
    bool in_flight, watching; /* in the index of that name */
    bool staff, owner_only;   /* owner_only: a rider sees it when it is the rider's own */
    bool decided;             /* an event said so: not watched any more */
    uint16_t status;          /* of the reply; a decided wait makes it 200 */
    uint32_t generation, slot, account_slot, next_free;
    uint64_t key0, key1;
    struct uuid subject;      /* the ride or command */
    struct text32 name;       /* the hook or webhook */
    uint32_t version;         /* of its address when it was to go; 0: there was none */
    const struct scope *scope; /* only what is of these cities; NULL: of any */
    struct fact fact;         /* SCOPE */
    int64_t wait_until_ms;    /* of ?wait= */
    int64_t expires_ms;       /* of the token that it came with */
    int64_t due_ms;           /* WATCH: time is up; LATER: try again. 0 = none */
    int64_t fresh_until_ms;   /* DESK, LATER: from then on any age will do */
    struct desk_job job;
    int64_t since_ms, until_ms; /* of FRAMES */
    int64_t born_us, stepped_us, synced_us; /* of the event that decided */
};

struct pendings {
    struct pending *at;
    struct map by_http, in_flight, watching;
    uint32_t cap, count, free;
    int64_t due_ms, scanned_ms; /* the earliest due_ms is not before it */
    void *memory;
};

MUST_USE struct err pending_init(struct pendings *ps, uint32_t cap);
void pending_fini(struct pendings *ps);
/* NULL when full. */
struct pending *pending_take(struct pendings *ps, const struct client *client, enum pending_stage stage);
void pending_release(struct pendings *ps, struct pending *p);
uint64_t pending_handle(const struct pending *p);
struct pending *pending_of(struct pendings *ps, uint64_t handle);    /* NULL: stale */
struct pending *pending_of_http(struct pendings *ps, uint64_t http);
void pending_set_gone(struct pendings *ps, struct pending *p);

/* Until the engine's reply: the same key of the same account is not put twice. */
bool pending_is_in_flight(const struct pendings *ps, uint32_t account_slot, uint64_t key0, uint64_t key1);
void pending_set_in_flight(struct pendings *ps, struct pending *p, uint64_t key0, uint64_t key1);
void pending_clear_in_flight(struct pendings *ps, struct pending *p);

/* By ride. */
void pending_watch(struct pendings *ps, struct pending *p);
void pending_unwatch(struct pendings *ps, struct pending *p);
/* Calls back for each that watches `ride`; `fn` may unwatch or release the one it is given. */
void pending_each_watching(struct pendings *ps, struct uuid ride, void (*fn)(void *ctx, struct pending *p), void *ctx);

void pending_set_due(struct pendings *ps, struct pending *p, int64_t due_ms);
/* Calls back for each whose time has come, cleared; returns when to look again. */
int64_t pending_fire_due(struct pendings *ps, int64_t now_ms, void (*fn)(void *ctx, struct pending *p), void *ctx);

#endif
