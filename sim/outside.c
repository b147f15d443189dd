/* SPDX-License-Identifier: Apache-2.0 */
/* outside.c: see outside.h. */
#include "sim/outside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/prng.h"

struct call {
    struct client_answer answer;
    int64_t answer_us;
    char body[128];
};

struct outside {
    struct caller client;
    struct outside_config config;
    struct prng prng;
    struct call calls[CLIENT_CALLS_MAX];
    uint32_t under_way;
    struct call *looked_at;
    struct outside_event *events;
    uint32_t event_count, event_cap;
    uint64_t asked;
    char broken[160];
};

const char *outside_fault_text(enum outside_fault fault)
{
    static const char *const texts[] = {
#define X(name, text) text,
        OUTSIDE_FAULT_LIST(X)
#undef X
    };
    return texts[fault];
}

static bool hit(struct outside *o, enum outside_fault fault)
{
    if (!prng_chance(&o->prng, o->config.fault_ppm[fault])) return false;
    o->config.fault_count[fault]++;
    return true;
}

/* ---- what the programs do ---- */

static bool after(const struct outside_event *a, const struct outside_event *b)
{
    return a->seq > b->seq || (a->seq == b->seq && a->part > b->part);
}

static void take_event(struct outside *o, struct outside_event event)
{
    if (o->event_count && !after(&event, &o->events[o->event_count - 1])) {
        for (uint32_t i = o->event_count; i-- > 0 && !after(&event, &o->events[i]);) {
            if (o->events[i].seq == event.seq && o->events[i].part == event.part) return; /* a double */
        }
        snprintf(o->broken, sizeof o->broken, "event %llu.%u came behind %llu.%u", (unsigned long long)event.seq, event.part,
                 (unsigned long long)o->events[o->event_count - 1].seq, o->events[o->event_count - 1].part);
        return;
    }
    if (o->event_count == o->event_cap) {
        o->event_cap = o->event_cap ? 2 * o->event_cap : 4096;
        o->events = realloc(o->events, o->event_cap * sizeof *o->events);
        must(o->events);
    }
    o->events[o->event_count++] = event;
}

static void take_batch(struct outside *o, struct bytes body)
{
    static const char mark[] = "\"id\":\"";
    const uint8_t *at = body.at, *end = body.at + body.len;
    while ((at = memmem(at, (size_t)(end - at), mark, sizeof mark - 1))) {
        struct outside_event event;
        uint64_t part;
        struct bytes rest = bytes_of(at + sizeof mark - 1, (size_t)(end - at) - (sizeof mark - 1));
        struct bytes id = bytes_split(&rest, '"'), seq = bytes_split(&id, '.');
        at += sizeof mark - 1;
        if (bytes_u64(seq, 18, &event.seq).code || bytes_u64(id, 10, &part).code) continue; /* a name of something else */
        event.part = (uint32_t)part;
        take_event(o, event);
    }
}

/* Yes or no by the question's name: asked again, the same. */
static void answer_ask(struct outside *o, struct bytes body, struct call *call)
{
    static const char mark[] = "\"id\":\"";
    const uint8_t *at = memmem(body.at, body.len, mark, sizeof mark - 1);
    must(at);
    o->asked++;
    bool no = at[sizeof mark - 1] <= '3';
    snprintf(call->body, sizeof call->body, no ? "{\"verdict\":\"refuse\",\"reason\":\"by_name\"}" : "{\"verdict\":\"allow\"}");
}

static void receive(struct outside *o, const struct client_call *from, struct call *call)
{
    if (memmem(from->url.at, from->url.len, "/ask", 4)) answer_ask(o, from->body, call);
    else take_batch(o, from->body);
    call->answer.status = 200;
    call->answer.body = bytes_text(call->body);
}

/* ---- the way ---- */

static struct err submit(struct caller *client, const struct client_call *from)
{
    struct outside *o = (struct outside *)client;
    if (o->under_way == CLIENT_CALLS_MAX) return ERR(FULL, "too many calls under way");
    struct call *call = &o->calls[o->under_way++];
    int64_t now_us = o->config.now_us(o->config.ctx), deadline_us = now_us + 1000ll * from->deadline_ms;
    *call = (struct call){.answer = {.ticket = from->ticket}, .answer_us = now_us + prng_between(&o->prng, 500, 80000)};
    bool silent = hit(o, OUTSIDE_LOST_REQUEST);
    if (!silent && hit(o, OUTSIDE_ERROR)) {
        call->answer.status = 500;
        return NO_ERR;
    }
    if (!silent) {
        receive(o, from, call);
        if (hit(o, OUTSIDE_TWICE)) receive(o, from, call);
        silent = hit(o, OUTSIDE_LOST_ANSWER) || hit(o, OUTSIDE_LATE);
    }
    if (silent || call->answer_us > deadline_us) {
        call->answer_us = deadline_us;
        call->answer.err = ERR(TIMEOUT, "no answer in time");
    }
    return NO_ERR;
}

static struct client_answer *next(struct caller *client)
{
    struct outside *o = (struct outside *)client;
    int64_t now_us = o->config.now_us(o->config.ctx);
    o->looked_at = NULL;
    for (uint32_t i = 0; i < o->under_way; i++) {
        struct call *call = &o->calls[i];
        bool due = call->answer_us <= now_us;
        if (due && (!o->looked_at || call->answer_us < o->looked_at->answer_us)) o->looked_at = call;
    }
    if (!o->looked_at) return NULL;
    if (o->looked_at->answer.status == 200) o->looked_at->answer.body = bytes_text(o->looked_at->body); /* it may have moved */
    return &o->looked_at->answer;
}

static void release(struct caller *client)
{
    struct outside *o = (struct outside *)client;
    must(o->looked_at);
    *o->looked_at = o->calls[--o->under_way];
    o->looked_at = NULL;
}

static void destroy(struct caller *client)
{
    (void)client; /* it outlives the server */
}

struct caller *outside_client(struct outside *o)
{
    static const struct client_calls calls = {submit, next, release, destroy};
    o->client.calls = &calls;
    o->under_way = 0;
    o->looked_at = NULL;
    return &o->client;
}

int64_t outside_next_us(const struct outside *o)
{
    int64_t next_us = INT64_MAX;
    for (uint32_t i = 0; i < o->under_way; i++) {
        if (o->calls[i].answer_us < next_us) next_us = o->calls[i].answer_us;
    }
    return next_us;
}

/* ---- life ---- */

struct outside *outside_create(const struct outside_config *config)
{
    struct outside *o = calloc(1, sizeof *o);
    must(o);
    o->config = *config;
    o->prng = prng_of(config->seed, bytes_text("outside"));
    return o;
}

void outside_destroy(struct outside *o)
{
    if (!o) return;
    free(o->events);
    free(o);
}

uint32_t outside_events(const struct outside *o, const struct outside_event **out)
{
    *out = o->events;
    return o->event_count;
}

uint64_t outside_asked(const struct outside *o) { return o->asked; }
const char *outside_broken(const struct outside *o) { return o->broken; }
