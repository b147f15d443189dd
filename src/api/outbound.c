/* SPDX-License-Identifier: Apache-2.0 */
/* outbound.c: see outbound.h. */
#include <stdlib.h>
#include <string.h>

#include "api/outbound_inside.h"
#include "api/secret.h"
#include "api/stats.h"
#include "base/must.h"

#define ROUNDS_MAX 4 /* of one turn; what is left comes in the next, at once */

struct err outbound_create(const struct outbound_options *options, struct outbound **out)
{
    struct outbound *o = calloc(1, sizeof *o);
    bool fine = o && (o->inquiries = calloc(INQUIRIES_MAX, sizeof *o->inquiries)) &&
                (o->errands = calloc(MESSAGES_MAX, sizeof *o->errands));
    if (!fine) {
        outbound_destroy(o);
        return ERR(IO, "no memory");
    }
    uint8_t seed[16];
    o->options = *options;
    options->random16(options->ctx, seed);
    o->chance = prng_of(load_u64(seed), bytes_text("outbound"));
    o->endpoints = (struct endpoints){.auth = options->auth, .random16 = options->random16, .random_ctx = options->ctx};
    struct err e = endpoints_load(&o->endpoints);
    if (e.code) {
        outbound_destroy(o);
        return e;
    }
    for (unsigned i = 0; i < ENDPOINTS_MAX; i++) {
        const struct endpoint *at = &o->endpoints.at[i];
        if (bytes_starts(text_bytes(&at->name), "webhook/")) push_begin(o, endpoint_code(at));
    }
    *out = o;
    return NO_ERR;
}

void outbound_destroy(struct outbound *o)
{
    if (!o) return;
    for (unsigned i = 0; i < ENDPOINTS_MAX; i++) push_end(&o->pushes[i]);
    if (o->errands) secret_forget(o->errands, MESSAGES_MAX * sizeof *o->errands);
    free(o->errands);
    free(o->inquiries);
    free(o);
}

bool outbound_put(struct outbound *o, const struct inbound *in)
{
    struct inbound *room = ring_room(o->options.urgent);
    if (!room) return false;
    *room = *in;
    room->origin.port = o->options.port;
    ring_put(o->options.urgent);
    o->put = true;
    return true;
}

int64_t outbound_wall_ms(const struct outbound *o)
{
    return o->options.wall_ms(o->options.ctx);
}

static void take_answers(struct outbound *o)
{
    struct client_answer *a;
    while ((a = client_next(o->options.client))) {
        if (ticket_kind_of(a->ticket) == TICKET_INQUIRY) inquiry_answered(o, a);
        else if (ticket_kind_of(a->ticket) == TICKET_MESSAGE) errand_answered(o, a);
        else push_answered(o, a);
        client_release(o->options.client);
    }
}

static void take_pages(struct outbound *o)
{
    struct desk_result *r;
    while ((r = desk_next(o->options.desk))) {
        push_read(o, r);
        desk_release(o->options.desk);
    }
}

int64_t outbound_turn(struct outbound *o, int64_t now_ms, bool *facts)
{
    o->now_ms = now_ms;
    o->put = false;
    int64_t asks_ms = INT64_MAX, pushes_ms = INT64_MAX, errands_ms = INT64_MAX;
    bool more = true;
    for (unsigned round = 0; more && round < ROUNDS_MAX; round++) {
        take_answers(o);
        take_pages(o);
        asks_ms = inquiries_turn(o);
        pushes_ms = pushes_turn(o);
        errands_ms = errands_turn(o);
        more = desk_next(o->options.desk) || client_next(o->options.client); /* one without a thread answers at once */
    }
    *facts = o->put;
    if (errands_ms < asks_ms) asks_ms = errands_ms;
    return more ? now_ms : asks_ms < pushes_ms ? asks_ms : pushes_ms;
}

void outbound_on_event(struct outbound *o, const struct event *event)
{
    if (event->seq > o->newest_seq) o->newest_seq = event->seq;
}

void outbound_on_ask(struct outbound *o, const struct effect_ask *ask)
{
    inquiry_begin(o, ask);
}

void outbound_on_answer(struct outbound *o, const struct to_api *in)
{
    push_row(o, (uint32_t)in->handle, in->reply.code ? NULL : &in->webhook);
}

struct endpoints *outbound_endpoints(struct outbound *o)
{
    return &o->endpoints;
}

#define OUTBOUND_METRICS(X)                                                                  \
    X(asked, "Calls to hooks that answer questions.")                                        \
    X(answered, "Questions answered by hooks.")                                              \
    X(ask_failures, "Calls to hooks that failed or gave no answer.")                         \
    X(asks_expired, "Questions whose deadline passed without an answer.")                    \
    X(asks_full, "Questions not sent because too many were under way.")                      \
    X(deliveries, "Deliveries to webhooks that were taken.")                                 \
    X(delivered_events, "Events in them.")                                                   \
    X(delivery_failures, "Deliveries to webhooks that failed.")                              \
    X(replays, "Cursors that staff moved.")

#define CLIENT_METRICS(X)                                                                    \
    X(calls, "counter", "Outgoing calls begun.")                                             \
    X(full, "counter", "Outgoing calls refused because too many were under way.")            \
    X(refused, "counter", "Outgoing calls refused because of their host or address.")        \
    X(answers_2xx, "counter", "Outgoing calls answered with a 2xx.")                         \
    X(answers_other, "counter", "Outgoing calls answered with another status.")              \
    X(timeouts, "counter", "Outgoing calls without an answer in time.")                      \
    X(failed, "counter", "Outgoing calls that broke off.")                                   \
    X(too_large, "counter", "Outgoing calls whose answer was too long.")                     \
    X(active, "gauge", "Outgoing calls on the wire.")                                        \
    X(waiting, "gauge", "Outgoing calls waiting for their turn.")

void outbound_metrics(const struct outbound *o, struct buf *out)
{
#define PUT(member, help)                                                                    \
    metric_head(out, "paddock_outbound_" #member "_total", "counter", help);                 \
    metric_value(out, "paddock_outbound_" #member "_total", NULL, o->counters.member);
    OUTBOUND_METRICS(PUT)
#undef PUT
    const struct client_counters *c = &o->options.client->counters;
#define PUT(member, type, help)                                                              \
    {                                                                                        \
        const char *name = type[0] == 'c' ? "paddock_client_" #member "_total" : "paddock_client_" #member; \
        metric_head(out, name, type, help);                                                  \
        metric_value(out, name, NULL, atomic_load_explicit(&c->member, memory_order_relaxed)); \
    }
    CLIENT_METRICS(PUT)
#undef PUT
    uint64_t down = 0, lag = 0;
    for (unsigned i = 0; i < ENDPOINTS_MAX; i++) {
        const struct push *p = &o->pushes[i];
        if (p->stage <= PUSH_ASKING) continue;
        down += p->failures >= PUSH_OPEN_AFTER;
        if (o->newest_seq > p->at_seq && o->newest_seq - p->at_seq > lag) lag = o->newest_seq - p->at_seq;
    }
    metric_head(out, "paddock_webhooks_down", "gauge", "Webhooks whose receiver failed three times in a row.");
    metric_value(out, "paddock_webhooks_down", NULL, down);
    metric_head(out, "paddock_webhooks_lag_facts", "gauge", "How far the slowest webhook is behind.");
    metric_value(out, "paddock_webhooks_lag_facts", NULL, lag);
}
