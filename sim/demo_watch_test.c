/* SPDX-License-Identifier: Apache-2.0 */
/* The demo's watch against a server that is this test: what it asks, what it makes of the answers, and
 * what it does when the server is gone for a while. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/http.h"
#include "sim/demo_watch.h"
#include "sim/network.h"

enum { SECOND_US = 1000000, PAGE = 2 };
#define START_MS 1795474800000ll

struct world {
    struct network *network;
    struct loop *server_loop, *client_loop;
    struct crowd *crowd;
    struct http_server *http;
    struct text64 address;
    struct demo_figures figures;
    struct demo_watch *watch;
    uint64_t facts, commits, frames, sessions;
    unsigned metrics, pages, lives, whys, whys_told, heard, events;
    bool refuses;
    char codes[128], ride[64];
};

static void answer(struct world *w, uint64_t handle, int status, const char *body)
{
    struct http_response r = {.status = status, .content_type = "application/json", .body = bytes_text(body)};
    (void)!http_reply(w->http, handle, &r).code;
}

static void give_metrics(struct world *w, uint64_t handle)
{
    char text[1024];
    snprintf(text, sizeof text,
             "# HELP paddock_facts_total Facts.\npaddock_facts_total %llu\npaddock_commits_total %llu\n"
             "paddock_commit_seconds_bucket{le=\"0.1\"} 7\npaddock_commit_seconds_sum %llu.000250\n"
             "paddock_commit_seconds_count %llu\npaddock_gateway_total{kind=\"frames\"} %llu\n"
             "paddock_gateway_total{kind=\"acks\"} 3\npaddock_cuts_total 5\n"
             "paddock_http_requests_total{listener=\"public\"} 9\n"
             "paddock_http_requests_total{listener=\"admin\"} 900\npaddock_vehicle_sessions %llu\n"
             "nonsense\npaddock_facts_total\npaddock_cuts_total -4\n",
             (unsigned long long)w->facts, (unsigned long long)w->commits,
             (unsigned long long)w->commits / 1000, (unsigned long long)w->commits,
             (unsigned long long)w->frames, (unsigned long long)w->sessions);
    w->metrics++;
    answer(w, handle, 200, text);
}

/* Three vehicles on two pages. */
static void give_vehicles(struct world *w, uint64_t handle, struct bytes query)
{
    bool second = query.len && memmem(query.at, query.len, "after=5012.3", 12);
    w->pages++;
    if (second)
        answer(w, handle, 200,
               "{\"vehicles\":[{\"code\":\"GBG-003\",\"state\":\"missing\",\"device\":null}],\"next\":null}");
    else
        answer(w, handle, 200,
               "{\"vehicles\":[{\"id\":\"x\",\"code\":\"GBG-001\",\"state\":\"available\","
               "\"device\":{\"a\":\"}\\\"{\"}}, {\"code\":\"GBG-002\",\"state\":\"on_trip\"}],"
               "\"next\":\"5012.3\",\"as_of_seq\":9}");
}

static void on_request(void *ctx, const struct http_request *request)
{
    struct world *w = ctx;
    if (w->refuses) answer(w, request->handle, 503, "{}");
    else if (bytes_equal_text(request->path, "/metrics")) give_metrics(w, request->handle);
    else if (bytes_equal_text(request->path, "/v1/vehicles"))
        give_vehicles(w, request->handle, request->query);
    else if (bytes_equal_text(request->path, "/v1/events/live")) {
        w->lives++;
        (void)!http_sse_begin(w->http, request->handle).code;
        (void)!http_sse_send(w->http, request->handle, bytes_text("1.0"), bytes_text("alarm"),
                             bytes_text("{\"kind\":\"alarm\"}"))
            .code;
    } else if (bytes_starts(request->path, "/v1/rides/")) {
        w->whys++;
        if (bytes_equal_text(request->path, "/v1/rides/gone"))
            answer(w, request->handle, 404, "{\"code\":\"no_ride\"}");
        else answer(w, request->handle, 200, "{\"ride\":{\"id\":\"r\",\"reason\":\"unlock_refused\"}}");
    } else {
        answer(w, request->handle, 404, "{}");
    }
}

static void on_vehicle(void *ctx, struct bytes code, enum vehicle_state state)
{
    struct world *w = ctx;
    struct buf b = buf_on(w->codes, sizeof w->codes - 1);
    b.len = strlen(w->codes);
    buf_put_bytes(&b, code);
    buf_put_char(&b, '=');
    buf_put_u64(&b, state);
    buf_put_char(&b, ' ');
}

static void on_event(void *ctx, struct bytes event)
{
    struct world *w = ctx;
    assert_true(bytes_equal_text(event, "{\"kind\":\"alarm\"}"));
    w->events++;
}

static void on_why(void *ctx, uint32_t what, struct bytes ride)
{
    struct world *w = ctx;
    w->whys_told++;
    w->heard = what;
    snprintf(w->ride, sizeof w->ride, "%.*s", (int)ride.len, (const char *)ride.at);
}

static void open_server(struct world *w)
{
    struct http_server_config http = {.address = bytes_text("127.0.0.1:8080"), .loop_conn_max = 64,
                                      .events = {.ctx = w, .on_request = on_request}};
    assert_int_equal(http_server_create(w->server_loop, &http, &w->http).code, ERR_OK);
}

static struct world *world_create(void)
{
    struct world *w = calloc(1, sizeof *w);
    struct loop_config loop = {.conn_max = 64};
    assert_non_null(w);
    w->network = network_create(3, 5 * SECOND_US);
    w->server_loop = network_loop_create(w->network, "server", &loop);
    w->client_loop = network_loop_create(w->network, "client", &loop);
    open_server(w);
    struct crowd_config crowd = {.loop = w->client_loop, .seed = 3, .start_ms = START_MS};
    assert_int_equal(crowd_create(&crowd, &w->crowd).code, ERR_OK);
    struct demo_watch_config watch = {.crowd = w->crowd,
                                      .token = bytes_text("tok"),
                                      .http = bytes_text("127.0.0.1:8080"),
                                      .admin = bytes_text("127.0.0.1:8080"),
                                      .figures = &w->figures,
                                      .ctx = w,
                                      .on_vehicle = on_vehicle,
                                      .on_event = on_event,
                                      .on_why = on_why};
    assert_int_equal(demo_watch_create(&watch, &w->watch).code, ERR_OK);
    return w;
}

static void world_destroy(struct world *w)
{
    demo_watch_destroy(w->watch);
    crowd_destroy(w->crowd);
    http_server_destroy(w->http);
    loop_destroy(w->client_loop);
    loop_destroy(w->server_loop);
    network_destroy(w->network);
    free(w);
}

/* In steps of the demo's turns. */
static void run_ms(struct world *w, int ms)
{
    for (; ms > 0; ms -= 20) {
        demo_watch_turn(w->watch);
        network_run(w->network, network_now_us(w->network) + 20000);
    }
}

static void test_rates_follow_the_counters(void **state)
{
    (void)state;
    struct world *w = world_create();
    w->facts = 1000;
    w->commits = 500;
    w->frames = 100;
    w->sessions = 42;
    run_ms(w, 400);
    assert_int_equal(w->figures.connected, 42);
    assert_int_equal(w->figures.messages_in_rate, 0);
    for (int i = 0; i < 10; i++) { /* 60 facts in 20 commits and 10 frames each half second */
        w->facts += 60;
        w->commits += 20;
        w->frames += 10;
        run_ms(w, 520);
    }
    assert_in_range(w->figures.messages_in_rate, 150, 210); /* 20 a second less the pace of asking */
    assert_in_range(w->figures.commits_rate, 300, 420);
    assert_int_equal(w->figures.batch_tenths, 30);
    assert_int_equal(w->figures.facts, w->facts);
    assert_int_equal(w->figures.commits, w->commits);
    assert_int_equal(w->figures.cuts, 5);
    world_destroy(w);
}

static void test_counters_that_begin_anew_do_not_shrink_the_sums(void **state)
{
    (void)state;
    struct world *w = world_create();
    w->facts = 1000;
    w->commits = 500;
    run_ms(w, 2000);
    w->facts = 10;
    w->commits = 5;
    demo_watch_restarted(w->watch);
    run_ms(w, 2000);
    assert_int_equal(w->figures.facts, 1010);
    assert_int_equal(w->figures.commits, 505);
    w->facts = 3; /* nobody said so this time */
    run_ms(w, 2000);
    assert_int_equal(w->figures.facts, 1013);
    assert_true(w->figures.commits_rate < 10000);
    world_destroy(w);
}

static void test_vehicles_are_counted_over_all_pages(void **state)
{
    (void)state;
    struct world *w = world_create();
    run_ms(w, 500);
    assert_string_equal(w->codes, "GBG-001=1 GBG-002=3 GBG-003=8 ");
    assert_true(w->figures.listed);
    assert_int_equal(w->figures.states[VEHICLE_AVAILABLE], 1);
    assert_int_equal(w->figures.states[VEHICLE_ON_TRIP], 1);
    assert_int_equal(w->figures.states[VEHICLE_MISSING], 1);
    assert_int_equal(w->pages, PAGE);
    memset(w->codes, 0, sizeof w->codes);
    run_ms(w, 1100);
    assert_int_equal(w->pages, 2 * PAGE);
    assert_int_equal(w->figures.states[VEHICLE_AVAILABLE], 1);
    world_destroy(w);
}

static void test_it_listens_and_passes_events_on(void **state)
{
    (void)state;
    struct world *w = world_create();
    run_ms(w, 500);
    assert_int_equal(w->lives, 1);
    assert_int_equal(w->events, 1);
    world_destroy(w);
}

static void test_whys_are_asked_one_by_one_and_none_is_lost(void **state)
{
    (void)state;
    struct world *w = world_create();
    assert_false(demo_watch_is_waiting(w->watch));
    w->refuses = true;
    assert_true(demo_watch_why(w->watch, 7, "here"));
    run_ms(w, 3000);
    assert_int_equal(w->whys_told, 0);
    assert_true(demo_watch_is_waiting(w->watch));
    w->refuses = false;
    run_ms(w, 1000);
    assert_int_equal(w->whys_told, 1);
    assert_int_equal(w->heard, 7);
    assert_string_equal(w->ride, "{\"id\":\"r\",\"reason\":\"unlock_refused\"}");
    assert_true(demo_watch_why(w->watch, 8, "gone"));
    run_ms(w, 500);
    assert_int_equal(w->heard, 8);
    assert_string_equal(w->ride, "");
    for (uint32_t i = 0; i < WATCH_WHYS_MAX; i++) assert_true(demo_watch_why(w->watch, i, "here"));
    assert_false(demo_watch_why(w->watch, 0, "here"));
    run_ms(w, 20 * (WATCH_WHYS_MAX + 10));
    assert_int_equal(w->whys_told, 2 + WATCH_WHYS_MAX);
    assert_int_equal(w->heard, WATCH_WHYS_MAX - 1);
    assert_false(demo_watch_is_waiting(w->watch));
    world_destroy(w);
}

static void test_it_comes_back_to_a_server_that_was_gone(void **state)
{
    (void)state;
    struct world *w = world_create();
    run_ms(w, 500);
    http_server_destroy(w->http);
    w->http = NULL;
    run_ms(w, 3000);
    unsigned lives = w->lives, pages = w->pages, metrics = w->metrics;
    open_server(w);
    run_ms(w, 3000);
    assert_true(w->lives > lives && w->pages >= pages + PAGE && w->metrics > metrics);
    world_destroy(w);
}

static void test_lists_are_taken_apart_whatever_is_in_them(void **state)
{
    (void)state;
    static const struct { const char *list; int count;
    } rows[] = {{"", 0},
                {"[]", 0},
                {"[1,2]", 0},
                {"[{}]", 1},
                {"[{},{}]", 2},
                {"[{\"a\":\"}\"},{\"b\":{\"c\":[{}]}}]", 2},
                {"[{\"a\":\"\\\"}\"} , {}]", 2},
                {"[{\"a\":{}", 0},
                {"[{\"a\":\"", 0},
                {"[{\"a\":\"\\", 0},
                {"{}", 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes list = bytes_text(rows[i].list), one;
        int count = 0;
        while (demo_watch_next(&list, &one)) {
            assert_true(one.at[0] == '{' && one.at[one.len - 1] == '}');
            count++;
        }
        assert_int_equal(count, rows[i].count);
    }
}

static void test_a_date_is_read_or_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "Mon, 23 Nov 2026 23:16:03 GMT ",
                                      "Mon, 23 Nof 2026 23:16:03 GMT",
                                      "Mon, 23 Nov 2026 24:16:03 GMT",
                                      "Mon, xx Nov 2026 23:16:03 GMT",
                                      "Mon, 31 Feb 2026 23:16:03 GMT",
                                      "2026-11-23T23:16:03.000000000"};
    int64_t ms;
    assert_true(demo_watch_date(bytes_text("Mon, 23 Nov 2026 23:16:03 GMT"), &ms));
    assert_int_equal(ms, 1795475763000);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(demo_watch_date(bytes_text(bad[i]), &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates_follow_the_counters),
        cmocka_unit_test(test_counters_that_begin_anew_do_not_shrink_the_sums),
        cmocka_unit_test(test_vehicles_are_counted_over_all_pages),
        cmocka_unit_test(test_it_listens_and_passes_events_on),
        cmocka_unit_test(test_whys_are_asked_one_by_one_and_none_is_lost),
        cmocka_unit_test(test_it_comes_back_to_a_server_that_was_gone),
        cmocka_unit_test(test_lists_are_taken_apart_whatever_is_in_them),
        cmocka_unit_test(test_a_date_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
