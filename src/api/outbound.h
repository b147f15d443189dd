/* SPDX-License-Identifier: Apache-2.0 */
/* outbound.h: what leaves the house over HTTP, in one turn of the api's loop: questions to hooks (inquiry.c), events to
 * webhooks (push.c), short messages (errand.c). The first two are rows of the engine with a lifecycle; here is only what
 * can be lost with the process.
 *
 *     asks    engine ──effect──► inquiry ──client──► hook ──► fact ASK_ANSWERED
 *     events  tables ──desk───► push ────client──► receiver ──► fact WEBHOOK_MOVED (the cursor)
 *
 * Limits  INQUIRIES_MAX questions and ENDPOINTS_MAX webhooks at once; one delivery of a webhook at a time, so that a dead
 *         receiver holds one call and nobody else's
 * Owner   everything in the options is borrowed
 * Thread  the loop's; a putter of `urgent`, on the same thread as the api */
#ifndef API_OUTBOUND_H
#define API_OUTBOUND_H

#include "api/desk.h"
#include "api/endpoint.h"
#include "api/message.h"
#include "base/prng.h"
#include "base/ring.h"
#include "engine/traffic.h"

struct outbound_options {
    struct caller *client;
    struct desk *desk;              /* its own: reading far back must not keep staff's lists waiting */
    struct auth *auth;
    struct ring *urgent;            /* struct inbound */
    uint8_t port;                   /* goes into origin.port */
    int64_t (*wall_ms)(void *ctx);
    void (*random16)(void *ctx, uint8_t out[16]);
    void *ctx;
};

/* Handles of questions of our own to the engine: no request's handle has this bit. */
#define OUTBOUND_HANDLE (1ull << 63)

struct outbound;
MUST_USE struct err outbound_create(const struct outbound_options *options, struct outbound **out);
void outbound_destroy(struct outbound *o); /* NULL is fine; the desk and the client after it */
/* Returns when to be called again; *facts: something was put into `urgent`. */
int64_t outbound_turn(struct outbound *o, int64_t now_ms, bool *facts);
void outbound_on_event(struct outbound *o, const struct event *event);
void outbound_on_ask(struct outbound *o, const struct effect_ask *ask);
/* An answer to a handle with OUTBOUND_HANDLE. */
void outbound_on_answer(struct outbound *o, const struct to_api *in);

/* For the routes. */
struct endpoints *outbound_endpoints(struct outbound *o);
/* The row as it stands after a declaration or replay. */
void outbound_webhook_is(struct outbound *o, const struct webhook *row);
void outbound_webhook_gone(struct outbound *o, struct bytes code);
/* Members of an open object: how far deliveries are, and the secret when nobody saw it yet (this shows it). */
void outbound_webhook_json(struct outbound *o, const struct webhook *row, int64_t now_ms, struct json *j);
/* Messages leave by the hook message.send from now on; that it is declared is the caller's to know. */
struct message_way outbound_message_way(struct outbound *o);
void outbound_metrics(const struct outbound *o, struct buf *out);

#endif
