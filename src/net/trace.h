/* SPDX-License-Identifier: Apache-2.0 */
/* trace.h: what one request cost and where, as spans for a collector: OTLP over HTTP, in JSON. Off by default.
 *
 *     any thread ──trace_put, trace_tie──► ring ──trace_turn (one thread)──► matched ──► client ──► POST /v1/traces
 *
 * Ties    who makes a span does not always know its trace: the gateway knows the fact behind an order, the API the trace
 *         behind the fact. Spans name what they belong to by a key (a fact's seq, a command's id); trace_tie says which trace
 *         a key is; a span with several keys ties the others to the same. Without a tie a span waits TRACE_PATIENCE_MS, then
 *         it is nobody's
 * Loss    a full ring, a silent collector: spans are dropped and counted. Nothing ever waits for a trace
 * Names   OpenTelemetry's trace and OTLP specifications; W3C trace context
 * Owner   what a span points at are literals; the client is borrowed
 * Thread  put, tie: any; the rest one */
#ifndef NET_TRACE_H
#define NET_TRACE_H

#include "base/hash.h"
#include "base/text.h"

#define TRACE_RING 4096u            /* spans and ties not yet looked at */
#define TRACE_WAITING_MAX 1024u     /* spans without a trace */
#define TRACE_TIES_MAX 1024u        /* the oldest is forgotten */
#define TRACE_BATCH_MAX 256u        /* spans of one POST */
#define TRACE_PATIENCE_MS 3000
#define TRACE_DEADLINE_MS 5000
enum { TRACE_KEYS = 2, TRACE_ATTRIBUTES_MAX = 5 };

/* What kind of number a key is made of, so that a seq is never taken for a command. */
enum trace_key_kind { TRACE_SEQ = 1, TRACE_COMMAND = 2 };
static inline uint64_t trace_key(enum trace_key_kind kind, uint64_t number) { return (uint64_t)kind << 62 | number; }

struct trace_place {                /* where a span hangs; trace[0] 0: not known */
    char trace[32];                 /* hex digits */
    uint64_t parent;                /* 0: it is the root */
};

enum span_kind { SPAN_INTERNAL = 1, SPAN_SERVER = 2, SPAN_CLIENT = 3 }; /* OTLP's numbers */

struct span_attribute { const char *name; bool is_number; int64_t number; struct text64 text; };

struct span {
    struct trace_place place;
    uint64_t keys[TRACE_KEYS];      /* 0: none */
    uint64_t id;                    /* 0: drawn by trace_put */
    const char *name;
    uint8_t kind, attribute_count;
    bool failed;
    int64_t from_us, to_us;         /* monotonic */
    struct span_attribute attributes[TRACE_ATTRIBUTES_MAX];
};

struct trace_counters { uint64_t spans, sent, dropped_full, dropped_unknown, dropped_collector, posts, posts_failed; };

struct caller; /* net/client.h */

struct trace_options {
    const char *url;                /* "http://127.0.0.1:4318/v1/traces" */
    const char *build;
    struct caller *client;
    int64_t (*wall_us)(void *ctx);  /* since 1970 */
    int64_t (*mono_us)(void *ctx);
    void *ctx;
    struct hash_key key;            /* for ids of spans: random, or the simulator's */
};

struct trace;

MUST_USE struct err trace_create(const struct trace_options *options, struct trace **out);
void trace_destroy(struct trace *t); /* NULL is fine */

/* All three are harmless on NULL: tracing is off. An id that no other span has: */
uint64_t trace_new_id(struct trace *t);
void trace_put(struct trace *t, const struct span *span);
void trace_tie(struct trace *t, uint64_t key, const struct trace_place *place);
void span_text(struct span *s, const char *name, struct bytes text);
void span_number(struct span *s, const char *name, int64_t number);

/* A few times a second: matches, sends, takes the collector's answers. */
void trace_turn(struct trace *t);
struct trace_counters trace_counters(struct trace *t);

#endif
