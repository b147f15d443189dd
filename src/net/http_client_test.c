/* SPDX-License-Identifier: Apache-2.0 */
/* http_client_test.c: the client against our server and against a hostile one, over a network in memory; and
 * once over real sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "net/fake/loop_fake.h"
#include "net/http_client.h"
#include "net/loop_epoll.h"

struct world {
    struct loop *loop;
    struct http_server *server;
    struct http_client *client;
    uint64_t stream;
    int replies, opens, events, failures, status, gone;
    enum err_code why;
    char body[64], id[16], event[16];
    uint64_t open_after; /* connections, when all had settled */
    bool again, hang_up_at_event;
};

static const struct http_client_request GET_HELLO = {.method = "GET",
                                                     .target = {(const uint8_t *)"/hello", 6}};

static void copy(char *to, size_t room, struct bytes from)
{
    assert_true(from.len < room);
    if (from.len) memcpy(to, from.at, from.len);
    to[from.len] = 0;
}

static void on_request(void *ctx, const struct http_request *r)
{
    struct world *w = ctx;
    struct http_response out = {.status = 200, .body = bytes_text("hello")};
    if (bytes_equal_text(r->path, "/echo")) out.body = r->body;
    if (bytes_equal_text(r->path, "/none")) out.status = 204;
    if (bytes_equal_text(r->path, "/never")) return;
    if (bytes_equal_text(r->path, "/close")) out.close = true;
    if (bytes_equal_text(r->path, "/stream")) {
        w->stream = r->handle;
        assert_int_equal(http_sse_begin(w->server, r->handle).code, ERR_OK);
        return;
    }
    http_reply(w->server, r->handle, &out);
}

static void on_gone(void *ctx, uint64_t handle)
{
    (void)handle;
    ((struct world *)ctx)->gone++;
}

static void on_reply(void *ctx, struct http_client *client, const struct http_client_reply *reply)
{
    struct world *w = ctx;
    w->replies++;
    w->status = reply->status;
    copy(w->body, sizeof w->body, reply->body);
    if (!w->again) return;
    w->again = false;
    assert_int_equal(http_client_send(client, &GET_HELLO).code, ERR_OK);
}

static void on_open(void *ctx, struct http_client *client)
{
    (void)client;
    ((struct world *)ctx)->opens++;
}

static void on_event(void *ctx, struct http_client *client, struct bytes id, struct bytes event,
                     struct bytes data)
{
    struct world *w = ctx;
    w->events++;
    copy(w->id, sizeof w->id, id);
    copy(w->event, sizeof w->event, event);
    copy(w->body, sizeof w->body, data);
    assert_int_equal(http_client_send(client, &GET_HELLO).code, ERR_STATE);
    if (w->hang_up_at_event) http_client_hang_up(client);
}

static void on_failed(void *ctx, struct http_client *client, struct err why)
{
    struct world *w = ctx;
    assert_false(http_client_is_busy(client));
    w->failures++;
    w->why = why.code;
}

static void open_client(struct world *w, struct bytes address)
{
    struct http_client_config config = {.address = address,
                                        .reply_max = 1000,
                                        .event_max = 200,
                                        .timeout_ms = 5000,
                                        .events = {w, on_reply, on_open, on_event, on_failed}};
    assert_int_equal(http_client_create(w->loop, &config, &w->client).code, ERR_OK);
}

static void open_world(struct world *w)
{
    struct text64 address;
    *w = (struct world){.loop = loop_fake_create()};
    struct http_server_config config = {.loop_conn_max = FAKE_CONN_MAX, .events = {w, on_request, on_gone}};
    assert_int_equal(http_server_create(w->loop, &config, &w->server).code, ERR_OK);
    assert_int_equal(http_server_address(w->server, &address).code, ERR_OK);
    open_client(w, text_bytes(&address));
}

static void close_world(struct world *w)
{
    http_client_destroy(w->client);
    http_server_destroy(w->server);
    loop_destroy(w->loop);
}

static void send_to(struct world *w, const char *method, const char *target, const char *body, bool stream)
{
    struct http_client_request r = {
        .method = method, .target = bytes_text(target), .body = bytes_text(body), .stream = stream};
    assert_int_equal(http_client_send(w->client, &r).code, ERR_OK);
    assert_int_equal(http_client_send(w->client, &r).code, ERR_STATE);
    fake_settle(w->loop);
}

static void test_requests_share_a_connection(void **state)
{
    (void)state;
    for (size_t step = 0; step < 5; step++) {
        struct world w;
        open_world(&w);
        fake_set_read_max(w.loop, step);
        send_to(&w, "POST", "/echo", "body", false);
        assert_string_equal(w.body, "body");
        send_to(&w, "HEAD", "/hello", "", false);
        assert_string_equal(w.body, "");
        send_to(&w, "GET", "/none", "", false);
        assert_int_equal(w.status, 204);
        w.again = true;
        send_to(&w, "GET", "/hello", "", false);
        assert_string_equal(w.body, "hello");
        assert_int_equal(w.replies, 5);
        assert_int_equal(w.loop->counters.connected, 1);
        send_to(&w, "GET", "/close", "", false);
        send_to(&w, "GET", "/hello", "", false);
        assert_int_equal(w.replies, 7);
        assert_int_equal(w.loop->counters.connected, 2);
        assert_int_equal(w.failures, 0);
        close_world(&w);
    }
}

static void test_stream_events_arrive_at_every_split(void **state)
{
    (void)state;
    for (size_t step = 0; step < 5; step++) {
        struct world w;
        open_world(&w);
        fake_set_read_max(w.loop, step);
        send_to(&w, "GET", "/stream", "", true);
        assert_int_equal(w.opens, 1);
        assert_int_equal(http_sse_send(w.server, w.stream, bytes_text("41"), bytes_text("ride"),
                                       bytes_text("a\nb: c\n\nd"))
                             .code,
                         ERR_OK);
        fake_settle(w.loop);
        assert_int_equal(w.events, 1);
        assert_string_equal(w.id, "41");
        assert_string_equal(w.event, "ride");
        assert_string_equal(w.body, "a\nb: c\n\nd");
        fake_advance_ms(w.loop, 4000);
        assert_int_equal(
            http_sse_send(w.server, w.stream, bytes_text(""), bytes_text(""), bytes_text("")).code, ERR_OK);
        fake_settle(w.loop);
        assert_int_equal(w.events, 2);
        assert_string_equal(w.body, "");
        fake_advance_ms(w.loop, 4000); /* the event has renewed the deadline */
        fake_settle(w.loop);
        assert_int_equal(w.failures, 0);
        http_sse_end(w.server, w.stream);
        fake_settle(w.loop);
        assert_int_equal(w.failures, 1);
        assert_int_equal(w.why, ERR_IO);
        send_to(&w, "GET", "/stream", "", true);
        w.hang_up_at_event = true;
        assert_int_equal(
            http_sse_send(w.server, w.stream, bytes_text(""), bytes_text(""), bytes_text("x")).code, ERR_OK);
        assert_int_equal(
            http_sse_send(w.server, w.stream, bytes_text(""), bytes_text(""), bytes_text("y")).code, ERR_OK);
        fake_settle(w.loop);
        assert_string_equal(w.body, "x");
        assert_int_equal(w.failures, 1);
        assert_int_equal(w.gone, 1);
        close_world(&w);
    }
}

static void test_failures_are_told_once(void **state)
{
    (void)state;
    struct world w;
    char large[900];

    open_world(&w);
    send_to(&w, "GET", "/never", "", false);
    fake_advance_ms(w.loop, 5001);
    fake_settle(w.loop);
    assert_int_equal(w.failures, 1);
    assert_int_equal(w.why, ERR_TIMEOUT);
    assert_int_equal(w.gone, 1);
    memset(large, 'x', sizeof large);
    large[sizeof large - 1] = 0;
    send_to(&w, "POST", "/echo", large + 850, false);
    assert_int_equal(w.replies, 1);
    send_to(&w, "GET", "/stream", "", true);
    assert_int_equal(
        http_sse_send(w.server, w.stream, bytes_text(""), bytes_text(""), bytes_text(large)).code, ERR_OK);
    fake_settle(w.loop);
    assert_int_equal(w.failures, 2);
    assert_int_equal(w.why, ERR_TOO_LARGE);
    http_client_destroy(w.client);
    open_client(&w, bytes_text("fake:7"));
    send_to(&w, "GET", "/hello", "", false);
    assert_int_equal(w.failures, 3);
    assert_int_equal(w.why, ERR_IO);
    send_to(&w, "GET", "/hello", "", false);
    http_client_hang_up(w.client);
    fake_settle(w.loop);
    close_world(&w);
}

/* A server that says whatever the test wants. */
struct liar { struct loop *loop; const char *says; bool hangs_up; };

static size_t liar_bytes(void *ctx, uint64_t conn, struct bytes in)
{
    struct liar *liar = ctx;
    if (loop_write(liar->loop, conn, bytes_text(liar->says)).code) fail();
    if (liar->hangs_up) loop_close(liar->loop, conn, CLOSE_DONE, CLOSE_FLUSH);
    return in.len;
}

static void hear_as(struct world *w, const char *says, bool hangs_up, bool stream)
{
    struct liar liar = {.says = says, .hangs_up = hangs_up};
    struct conn_handler handler = {.ctx = &liar, .on_bytes = liar_bytes};
    struct loop_listener_config config = {.conn_max = 4, .handler = &handler};
    uint32_t listener;

    *w = (struct world){.loop = loop_fake_create()};
    liar.loop = w->loop;
    assert_int_equal(loop_listen(w->loop, &config, &listener).code, ERR_OK);
    open_client(w, bytes_text("fake:0"));
    send_to(w, "GET", "/", "", stream);
    http_client_destroy(w->client);
    w->open_after = w->loop->counters.open;
    loop_destroy(w->loop);
    assert_true(w->replies + w->failures <= 1);
}

static void hear(struct world *w, const char *says, bool hangs_up) { hear_as(w, says, hangs_up, false); }

static void test_hostile_replies_end_in_an_error(void **state)
{
    (void)state;
    struct world w;
    static char headers[4096] = "HTTP/1.1 200 OK\r\n";

    hear(&w, "HTTP/1.1 200 OK\r\n\r\nuntil the end", true);
    assert_string_equal(w.body, "until the end");
    hear(&w, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n", false);
    assert_string_equal(w.body, "abcde");
    hear(&w, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok", false);
    assert_int_equal(w.status, 201);
    assert_string_equal(w.body, "ok");
    hear(&w, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", true);
    assert_int_equal(w.failures, 1);
    hear(&w, "nonsense", false);
    assert_int_equal(w.why, ERR_MALFORMED);
    hear(&w, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", false);
    assert_int_equal(w.failures, 1);
    hear(&w, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc", false);
    assert_int_equal(w.replies + w.failures, 0);
    for (int i = 0; i < 33; i++) strcat(headers, "A: b\r\n");
    strcat(headers, "\r\n");
    hear(&w, headers, true);
    assert_int_equal(w.why, ERR_TOO_LARGE);
    /* Two answers to one question: the second is not kept for the next. */
    hear(&w, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb",
         false);
    assert_string_equal(w.body, "a");
    assert_int_equal(w.open_after, 0);
    hear(&w, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", false);
    assert_int_equal(w.open_after, 2); /* kept, at both ends */
}

static void test_stream_lines_may_end_in_any_way(void **state)
{
    (void)state;
    struct world w;
    hear_as(&w, "HTTP/1.1 200 OK\r\n\r\n:note\r\nid: 7\r\ndata:a\r\ndata: b\r\n\r\ndata: c\rdata: d\r\r",
            false, true);
    assert_int_equal(w.events, 2);
    assert_string_equal(w.id, "");
    assert_string_equal(w.body, "c\nd");
    hear_as(&w, "HTTP/1.1 200 OK\r\n\r\n:note\r\nid: 7\r\ndata:a\r\ndata: b\r\n\r\n", false, true);
    assert_int_equal(w.events, 1);
    assert_string_equal(w.id, "7");
    assert_string_equal(w.body, "a\nb");
}

static void test_both_ends_work_over_real_sockets(void **state)
{
    (void)state;
    struct world w = {0};
    struct text64 address;
    assert_int_equal(loop_epoll_create(&(struct loop_config){.conn_max = 16}, &w.loop).code, ERR_OK);
    struct http_server_config config = {.address = bytes_text("127.0.0.1:0"), .loop_conn_max = 16,
                                        .events = {&w, on_request, on_gone}};
    assert_int_equal(http_server_create(w.loop, &config, &w.server).code, ERR_OK);
    assert_int_equal(http_server_address(w.server, &address).code, ERR_OK);
    open_client(&w, text_bytes(&address));
    for (int i = 0; i < 100; i++) {
        assert_int_equal(http_client_send(w.client, &GET_HELLO).code, ERR_OK);
        for (int turn = 0; w.replies == i && turn < 1000; turn++)
            assert_int_equal(loop_turn(w.loop, 20).code, ERR_OK);
        assert_int_equal(w.replies, i + 1);
    }
    assert_string_equal(w.body, "hello");
    assert_int_equal(w.loop->counters.accepted, 1);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_share_a_connection),
        cmocka_unit_test(test_stream_events_arrive_at_every_split),
        cmocka_unit_test(test_failures_are_told_once),
        cmocka_unit_test(test_hostile_replies_end_in_an_error),
        cmocka_unit_test(test_stream_lines_may_end_in_any_way),
        cmocka_unit_test(test_both_ends_work_over_real_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
