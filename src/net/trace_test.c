/* SPDX-License-Identifier: Apache-2.0 */
/* trace_test.c: spans to a collector in this process; time is the test's. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/client.h"
#include "net/trace.h"

static const char TRACE[33] = "4bf92f3577b34da6a3ce929d0e0e4736", OTHER[33] = "0af7651916cd43dd8448eb211c80319c";

/* Takes every POST; answers when it is told to. */
struct collector {
    struct caller client;
    char body[600000];
    unsigned posts;
    bool silent, refuses, pending;
    struct client_answer answer;
};

struct world { struct collector *collector; struct trace *trace; int64_t mono_us; };

static struct err submit(struct caller *c, const struct client_call *call)
{
    struct collector *k = (struct collector *)c;
    assert_false(k->pending);
    if (k->refuses) return ERR(FULL, "");
    assert_true(bytes_equal_text(call->url, "http://127.0.0.1:4318/v1/traces"));
    assert_true(call->body.len < sizeof k->body);
    memcpy(k->body, call->body.at, call->body.len);
    k->body[call->body.len] = 0;
    k->posts++;
    k->pending = true;
    k->answer = (struct client_answer){.ticket = call->ticket, .status = 200};
    return NO_ERR;
}

static struct client_answer *next(struct caller *c)
{
    struct collector *k = (struct collector *)c;
    return k->pending && !k->silent ? &k->answer : NULL;
}

static void release(struct caller *c) { ((struct collector *)c)->pending = false; }
static void destroy(struct caller *c) { free(c); }
static const struct client_calls calls = {submit, next, release, destroy};

static int64_t mono_us(void *ctx) { return ((struct world *)ctx)->mono_us; }
static int64_t wall_us(void *ctx) { return 1795475763000000 + ((struct world *)ctx)->mono_us; }

static void open_world(struct world *w)
{
    *w = (struct world){.mono_us = 1000000};
    w->collector = calloc(1, sizeof *w->collector);
    assert_non_null(w->collector);
    w->collector->client.calls = &calls;
    struct trace_options o = {.url = "http://127.0.0.1:4318/v1/traces", .build = "b1", .client = &w->collector->client,
                              .wall_us = wall_us, .mono_us = mono_us, .ctx = w, .key = {1, 2}};
    assert_int_equal(trace_create(&o, &w->trace).code, ERR_OK);
}

static void close_world(struct world *w)
{
    trace_destroy(w->trace);
    client_destroy(&w->collector->client);
}

static struct trace_place place_of(const char *trace, uint64_t parent)
{
    struct trace_place p = {.parent = parent};
    memcpy(p.trace, trace, sizeof p.trace);
    return p;
}

static void test_a_span_is_what_the_specification_wants(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    struct span s = {.place = place_of(TRACE, 0xb7), .id = 0x51, .name = "POST /v1/rides", .kind = SPAN_SERVER, .failed = true,
                     .from_us = 1000250, .to_us = 1001500};
    span_text(&s, "http.route", bytes_text("/v1/rides"));
    span_number(&s, "http.response.status_code", 503);
    trace_put(w.trace, &s);
    trace_turn(w.trace);
    assert_string_equal(w.collector->body,
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"paddock\"}},"
        "{\"key\":\"service.version\",\"value\":{\"stringValue\":\"b1\"}}]},\"scopeSpans\":[{\"scope\":{\"name\":\"paddock\"},"
        "\"spans\":[{\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"spanId\":\"0000000000000051\","
        "\"parentSpanId\":\"00000000000000b7\",\"name\":\"POST /v1/rides\",\"kind\":2,"
        "\"startTimeUnixNano\":\"1795475764000250000\",\"endTimeUnixNano\":\"1795475764001500000\",\"attributes\":["
        "{\"key\":\"http.route\",\"value\":{\"stringValue\":\"/v1/rides\"}},"
        "{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":\"503\"}}],\"status\":{\"code\":2}}]}]}]}");
    trace_turn(w.trace);
    assert_int_equal(trace_counters(w.trace).sent, 1);
    close_world(&w);
}

static void put_keyed(struct world *w, const char *name, uint64_t seq, uint64_t command)
{
    struct span s = {.name = name, .kind = SPAN_CLIENT, .keys = {seq ? trace_key(TRACE_SEQ, seq) : 0,
                                                                 command ? trace_key(TRACE_COMMAND, command) : 0}};
    trace_put(w->trace, &s);
}

static void test_a_span_finds_its_trace_by_what_it_belongs_to(void **state)
{
    (void)state;
    struct world w;
    struct trace_place place = place_of(TRACE, 7);
    open_world(&w);
    put_keyed(&w, "first", 41, 9);          /* before anybody knows */
    put_keyed(&w, "stranger", 9, 0);        /* seq 9 is not command 9 */
    trace_turn(w.trace);
    assert_int_equal(w.collector->posts, 0);
    trace_tie(w.trace, trace_key(TRACE_SEQ, 41), &place);
    trace_turn(w.trace);
    assert_non_null(strstr(w.collector->body, TRACE));
    assert_non_null(strstr(w.collector->body, "\"name\":\"first\""));
    assert_null(strstr(w.collector->body, "stranger"));
    put_keyed(&w, "second", 77, 9);         /* another fact of the same command */
    trace_turn(w.trace);
    trace_turn(w.trace);
    assert_non_null(strstr(w.collector->body, "\"name\":\"second\""));
    assert_non_null(strstr(w.collector->body, "\"parentSpanId\":\"0000000000000007\""));
    w.mono_us += TRACE_PATIENCE_MS * 1000ll + 1;
    trace_turn(w.trace);
    assert_int_equal(trace_counters(w.trace).dropped_unknown, 1);
    place = place_of(OTHER, 8);
    trace_tie(w.trace, trace_key(TRACE_COMMAND, 9), &place); /* too late: the first said it */
    put_keyed(&w, "third", 0, 9);
    trace_turn(w.trace);
    assert_non_null(strstr(w.collector->body, TRACE));
    assert_null(strstr(w.collector->body, OTHER));
    close_world(&w);
}

static void test_a_silent_collector_costs_spans_and_nothing_else(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    struct span s = {.place = place_of(TRACE, 0), .name = "x", .kind = SPAN_INTERNAL};
    w.collector->silent = true;
    for (unsigned i = 0; i < TRACE_RING + 2 * TRACE_BATCH_MAX + 100; i++) {
        trace_put(w.trace, &s);
        if (i < 1000 && i % 100 == 0) trace_turn(w.trace);
    }
    struct trace_counters c = trace_counters(w.trace);
    assert_int_equal(w.collector->posts, 1);
    assert_true(c.dropped_full > 0);
    w.collector->silent = false;
    for (unsigned i = 0; i < 100; i++) trace_turn(w.trace);
    c = trace_counters(w.trace);
    assert_int_equal(c.sent + c.dropped_full, c.spans);
    assert_true(c.sent >= TRACE_RING);
    w.collector->refuses = true;
    trace_put(w.trace, &s);
    trace_turn(w.trace);
    c = trace_counters(w.trace);
    assert_int_equal(c.posts_failed, 1);
    assert_int_equal(c.dropped_collector, 1);
    close_world(&w);
}

static void test_off_is_no_trace_at_all(void **state)
{
    (void)state;
    struct trace_place place = place_of(TRACE, 0);
    trace_put(NULL, &(struct span){.name = "x"});
    trace_tie(NULL, 1, &place);
    trace_turn(NULL);
    assert_int_equal(trace_new_id(NULL), 0);
    assert_int_equal(trace_counters(NULL).spans, 0);
}

static void *many(void *arg)
{
    struct world *w = arg;
    struct span s = {.place = place_of(TRACE, 0), .name = "x", .kind = SPAN_INTERNAL};
    for (unsigned i = 0; i < 500; i++) trace_put(w->trace, &s);
    return NULL;
}

static void test_threads_put_side_by_side(void **state)
{
    (void)state;
    struct world w;
    pthread_t threads[3];
    open_world(&w);
    for (unsigned i = 0; i < 3; i++) assert_int_equal(pthread_create(&threads[i], NULL, many, &w), 0);
    for (unsigned i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < 20; i++) trace_turn(w.trace);
    assert_int_equal(trace_counters(w.trace).sent, 1500);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_span_is_what_the_specification_wants),
        cmocka_unit_test(test_a_span_finds_its_trace_by_what_it_belongs_to),
        cmocka_unit_test(test_a_silent_collector_costs_spans_and_nothing_else),
        cmocka_unit_test(test_off_is_no_trace_at_all),
        cmocka_unit_test(test_threads_put_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
