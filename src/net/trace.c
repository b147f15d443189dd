/* SPDX-License-Identifier: Apache-2.0 */
/* trace.c: see trace.h. */
#include "net/trace.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/must.h"
#include "net/client.h"

enum { BODY_MAX = 512 * 1024 };

struct tie { uint64_t key; struct trace_place place; };
struct item { bool is_tie; int64_t at_us; union { struct span span; struct tie tie; }; };

struct trace {
    struct trace_options options;
    pthread_mutex_t lock;           /* guards the ring, the counters and next_id */
    struct item *ring;
    uint32_t first, count;
    uint64_t next_id;
    struct trace_counters counters;

    /* trace_turn's alone */
    struct item *taken, *waiting;
    uint32_t waiting_count, tie_next, ready_count;
    struct tie *ties;
    struct span *ready;
    uint8_t *body;
    bool posted;                    /* one POST at a time */
    uint32_t posted_count;
};

struct err trace_create(const struct trace_options *options, struct trace **out)
{
    struct trace *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t) return ERR(IO, "trace: no memory");
    t->options = *options;
    pthread_mutex_init(&t->lock, NULL);
    t->ring = calloc(TRACE_RING, sizeof *t->ring);
    t->taken = calloc(TRACE_RING, sizeof *t->taken);
    t->waiting = calloc(TRACE_WAITING_MAX, sizeof *t->waiting);
    t->ties = calloc(TRACE_TIES_MAX, sizeof *t->ties);
    t->ready = calloc(TRACE_BATCH_MAX, sizeof *t->ready);
    t->body = malloc(BODY_MAX);
    if (!t->ring || !t->taken || !t->waiting || !t->ties || !t->ready || !t->body) {
        trace_destroy(t);
        return ERR(IO, "trace: no memory");
    }
    *out = t;
    return NO_ERR;
}

void trace_destroy(struct trace *t)
{
    if (!t) return;
    pthread_mutex_destroy(&t->lock);
    free(t->ring);
    free(t->taken);
    free(t->waiting);
    free(t->ties);
    free(t->ready);
    free(t->body);
    free(t);
}

/* ---- any thread ---- */

uint64_t trace_new_id(struct trace *t)
{
    if (!t) return 0;
    pthread_mutex_lock(&t->lock);
    uint64_t number = ++t->next_id;
    pthread_mutex_unlock(&t->lock);
    uint64_t id = hash_bytes(t->options.key, bytes_of(&number, sizeof number));
    return id ? id : 1;
}

static void put(struct trace *t, const struct item *item)
{
    pthread_mutex_lock(&t->lock);
    bool room = t->count < TRACE_RING;
    if (room) t->ring[(t->first + t->count++) % TRACE_RING] = *item;
    if (!item->is_tie) t->counters.spans++;
    if (!room) t->counters.dropped_full++;
    pthread_mutex_unlock(&t->lock);
}

void trace_put(struct trace *t, const struct span *span)
{
    if (!t) return;
    struct item item = {.at_us = t->options.mono_us(t->options.ctx), .span = *span};
    if (!item.span.id) item.span.id = trace_new_id(t);
    put(t, &item);
}

void trace_tie(struct trace *t, uint64_t key, const struct trace_place *place)
{
    if (!t || !place->trace[0]) return;
    put(t, &(struct item){.is_tie = true, .tie = {key, *place}});
}

static struct span_attribute *attribute(struct span *s, const char *name)
{
    must(s->attribute_count < TRACE_ATTRIBUTES_MAX);
    struct span_attribute *a = &s->attributes[s->attribute_count++];
    a->name = name;
    return a;
}

void span_text(struct span *s, const char *name, struct bytes text)
{
    text_clip(&attribute(s, name)->text, text);
}

void span_number(struct span *s, const char *name, int64_t number)
{
    struct span_attribute *a = attribute(s, name);
    a->is_number = true;
    a->number = number;
}

/* ---- matching ---- */

static const struct tie *tie_find(const struct trace *t, uint64_t key)
{
    for (uint32_t i = 0; key && i < TRACE_TIES_MAX; i++) {
        if (t->ties[i].key == key) return &t->ties[i];
    }
    return NULL;
}

static void tie_set(struct trace *t, uint64_t key, const struct trace_place *place)
{
    if (!key || tie_find(t, key)) return; /* the first says it */
    t->ties[t->tie_next] = (struct tie){key, *place};
    t->tie_next = (t->tie_next + 1) % TRACE_TIES_MAX;
}

static bool placed(struct trace *t, struct span *s)
{
    for (unsigned i = 0; i < TRACE_KEYS && !s->place.trace[0]; i++) {
        const struct tie *tie = tie_find(t, s->keys[i]);
        if (tie) s->place = tie->place;
    }
    if (!s->place.trace[0]) return false;
    for (unsigned i = 0; i < TRACE_KEYS; i++) tie_set(t, s->keys[i], &s->place);
    return true;
}

static void count(struct trace *t, uint64_t *counter, uint64_t by)
{
    pthread_mutex_lock(&t->lock);
    *counter += by;
    pthread_mutex_unlock(&t->lock);
}

static void keep(struct trace *t, const struct item *item)
{
    if (t->waiting_count < TRACE_WAITING_MAX) t->waiting[t->waiting_count++] = *item;
    else count(t, &t->counters.dropped_unknown, 1);
}

static void make_ready(struct trace *t, const struct span *s)
{
    if (t->ready_count < TRACE_BATCH_MAX) t->ready[t->ready_count++] = *s;
    else count(t, &t->counters.dropped_collector, 1);
}

static void match(struct trace *t, uint32_t taken)
{
    for (uint32_t i = 0; i < taken; i++) {
        struct item *item = &t->taken[i];
        if (item->is_tie) tie_set(t, item->tie.key, &item->tie.place);
        else if (placed(t, &item->span)) make_ready(t, &item->span);
        else keep(t, item);
    }
    int64_t now_us = t->options.mono_us(t->options.ctx);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < t->waiting_count; i++) {
        struct item *item = &t->waiting[i];
        if (placed(t, &item->span)) make_ready(t, &item->span);
        else if (now_us - item->at_us < TRACE_PATIENCE_MS * 1000ll) t->waiting[kept++] = *item;
        else count(t, &t->counters.dropped_unknown, 1);
    }
    t->waiting_count = kept;
}

/* ---- sending ---- */

static void json_attribute(struct json *j, const char *name, bool is_number, int64_t number, struct bytes text)
{
    json_open(j, '{');
    json_name(j, "key");
    json_literal(j, name);
    json_name(j, "value");
    json_open(j, '{');
    json_name(j, is_number ? "intValue" : "stringValue");
    char memory[24];
    struct buf b = buf_on(memory, sizeof memory);
    if (is_number) buf_put_i64(&b, number); /* 64 bits stand in quotes, by the specification */
    json_text(j, is_number ? buf_bytes(&b) : text);
    json_close(j, '}');
    json_close(j, '}');
}

static void json_hex_id(struct json *j, const char *name, uint64_t id)
{
    char memory[16];
    struct buf b = buf_on(memory, sizeof memory);
    buf_put_hex64(&b, id);
    json_name(j, name);
    json_text(j, buf_bytes(&b));
}

static void json_nanos(struct json *j, const char *name, int64_t us)
{
    char memory[32];
    struct buf b = buf_on(memory, sizeof memory);
    buf_put_i64(&b, us);
    buf_put_text(&b, "000");
    json_name(j, name);
    json_text(j, buf_bytes(&b));
}

static void json_span(struct json *j, const struct span *s, int64_t wall_minus_mono_us)
{
    json_open(j, '{');
    json_name(j, "traceId");
    json_text(j, bytes_of(s->place.trace, sizeof s->place.trace));
    json_hex_id(j, "spanId", s->id);
    if (s->place.parent) json_hex_id(j, "parentSpanId", s->place.parent);
    json_name(j, "name");
    json_literal(j, s->name);
    json_name(j, "kind");
    json_u64(j, s->kind);
    json_nanos(j, "startTimeUnixNano", s->from_us + wall_minus_mono_us);
    json_nanos(j, "endTimeUnixNano", s->to_us + wall_minus_mono_us);
    json_name(j, "attributes");
    json_open(j, '[');
    for (unsigned i = 0; i < s->attribute_count; i++) {
        const struct span_attribute *a = &s->attributes[i];
        json_attribute(j, a->name, a->is_number, a->number, text_bytes(&a->text));
    }
    json_close(j, ']');
    if (s->failed) {
        json_name(j, "status");
        json_open(j, '{');
        json_name(j, "code");
        json_u64(j, 2); /* ERROR */
        json_close(j, '}');
    }
    json_close(j, '}');
}

static void open_in(struct json *j, const char *name, const char *brackets)
{
    json_name(j, name);
    for (; *brackets; brackets++) json_open(j, *brackets);
}

static struct bytes body_of(struct trace *t)
{
    struct buf b = buf_on(t->body, BODY_MAX);
    struct json j = json_on(&b);
    int64_t offset_us = t->options.wall_us(t->options.ctx) - t->options.mono_us(t->options.ctx);
    json_open(&j, '{');
    open_in(&j, "resourceSpans", "[{");
    open_in(&j, "resource", "{");
    open_in(&j, "attributes", "[");
    json_attribute(&j, "service.name", false, 0, bytes_text("paddock"));
    json_attribute(&j, "service.version", false, 0, bytes_text(t->options.build));
    json_close(&j, ']');
    json_close(&j, '}');
    open_in(&j, "scopeSpans", "[{");
    open_in(&j, "scope", "{");
    json_name(&j, "name");
    json_literal(&j, "paddock");
    json_close(&j, '}');
    open_in(&j, "spans", "[");
    for (uint32_t i = 0; i < t->ready_count; i++) json_span(&j, &t->ready[i], offset_us);
    for (const char *c = "]}]}]}"; *c; c++) json_close(&j, *c);
    must(!b.full);
    return buf_bytes(&b);
}

static void take_answers(struct trace *t)
{
    for (struct client_answer *a; (a = client_next(t->options.client)) != NULL;) {
        bool fine = !a->err.code && a->status >= 200 && a->status < 300;
        count(t, fine ? &t->counters.sent : &t->counters.dropped_collector, t->posted_count);
        if (!fine) count(t, &t->counters.posts_failed, 1);
        t->posted = false;
        client_release(t->options.client);
    }
}

static void send(struct trace *t)
{
    if (t->posted || !t->ready_count) return;
    struct client_call call = {.ticket = 1, .url = bytes_text(t->options.url), .body = body_of(t),
                               .deadline_ms = TRACE_DEADLINE_MS};
    struct err e = client_submit(t->options.client, &call);
    count(t, &t->counters.posts, 1);
    if (e.code) {
        count(t, &t->counters.posts_failed, 1);
        count(t, &t->counters.dropped_collector, t->ready_count);
    } else {
        t->posted = true;
        t->posted_count = t->ready_count;
    }
    t->ready_count = 0;
}

void trace_turn(struct trace *t)
{
    if (!t) return;
    take_answers(t);
    pthread_mutex_lock(&t->lock);
    /* What a batch has no room for stays in the ring, which drops what it has no room for. */
    uint32_t room = TRACE_BATCH_MAX - t->ready_count, taken = t->count < room ? t->count : room;
    for (uint32_t i = 0; i < taken; i++) t->taken[i] = t->ring[(t->first + i) % TRACE_RING];
    t->first = (t->first + taken) % TRACE_RING;
    t->count -= taken;
    pthread_mutex_unlock(&t->lock);
    match(t, taken);
    send(t);
}

struct trace_counters trace_counters(struct trace *t)
{
    struct trace_counters counters = {0};
    if (!t) return counters;
    pthread_mutex_lock(&t->lock);
    counters = t->counters;
    pthread_mutex_unlock(&t->lock);
    return counters;
}
