/* SPDX-License-Identifier: Apache-2.0 */
/* http_test.c: the server over a network in memory: framing at every split, hostile heads, order, limits,
 * streams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/fake/loop_fake.h"
#include "net/http.h"
#include "net/http_text.h"

enum { LATER_MAX = 64 };

struct world {
    struct loop *loop;
    struct http_server *server;
    uint64_t later[LATER_MAX], gone[LATER_MAX];
    int later_count, gone_count, requests;
    char last_body[256], last_trace[33];
};

static const char GET[] = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

static void on_request(void *ctx, const struct http_request *r)
{
    struct world *w = ctx;
    struct http_response out = {.status = 200, .content_type = "text/plain"};

    w->requests++;
    assert_int_equal(r->trace_id.len, 32);
    memcpy(w->last_trace, r->trace_id.at, 32);
    assert_true(r->body.len < sizeof w->last_body || bytes_equal_text(r->path, "/size"));
    if (r->body.len < sizeof w->last_body) {
        memcpy(w->last_body, r->body.at, r->body.len);
        w->last_body[r->body.len] = 0;
    }
    if (bytes_equal_text(r->path, "/later")) {
        assert_true(w->later_count < LATER_MAX);
        w->later[w->later_count++] = r->handle;
        return;
    }
    if (bytes_equal_text(r->path, "/hello")) out.body = bytes_text("hello");
    if (bytes_equal_text(r->path, "/echo")) out.body = r->body;
    if (bytes_equal_text(r->path, "/query")) out.body = r->query;
    if (bytes_equal_text(r->path, "/header")) out.body = http_header_of(r, "x-one");
    if (bytes_equal_text(r->path, "/problem")) {
        assert_int_equal(http_reply_problem(w->server, r->handle, ERR(RIDER_HAS_RIDE, "")).code, ERR_OK);
        return;
    }
    assert_int_equal(http_reply(w->server, r->handle, &out).code, ERR_OK);
    assert_int_equal(http_reply(w->server, r->handle, &out).code, ERR_NOT_FOUND);
}

static void on_gone(void *ctx, uint64_t handle)
{
    struct world *w = ctx;
    assert_true(w->gone_count < LATER_MAX);
    w->gone[w->gone_count++] = handle;
}

static void open_world(struct world *w, struct http_limits limits)
{
    *w = (struct world){.loop = loop_fake_create()};
    struct http_server_config config = {.loop_conn_max = FAKE_CONN_MAX, .limits = limits, .trace_seed = 1,
                                        .events = {w, on_request, on_gone}};
    assert_int_equal(http_server_create(w->loop, &config, &w->server).code, ERR_OK);
}

static void close_world(struct world *w)
{
    http_server_destroy(w->server);
    loop_destroy(w->loop);
}

/* The received bytes as a C string; borrowed until the next call. */
static const char *received(struct world *w, uint64_t conn)
{
    static char text[4 << 20];
    struct bytes b = fake_received(w->loop, conn);
    assert_true(b.len < sizeof text);
    if (b.len) memcpy(text, b.at, b.len);
    text[b.len] = 0;
    return text;
}

static int count_of(const char *text, const char *part)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, part)); at++) n++;
    return n;
}

static uint64_t ask(struct world *w, const char *text)
{
    uint64_t conn = fake_dial(w->loop, 0);
    assert_true(conn);
    fake_send(w->loop, conn, bytes_text(text));
    fake_settle(w->loop);
    return conn;
}

/* One request alone: its whole answer, which must end the connection when `status` is an error. */
static void expect(const char *request, int status)
{
    struct world w;
    char line[32] = "HTTP/1.1 000 ";
    enum close_reason reason;

    line[9] = (char)('0' + status / 100);
    line[10] = (char)('0' + status / 10 % 10);
    line[11] = (char)('0' + status % 10);
    for (size_t split = 0; split <= 3; split++) {
        open_world(&w, (struct http_limits){0});
        fake_set_read_max(w.loop, split);
        uint64_t conn = ask(&w, request);
        const char *text = received(&w, conn);
        if (strncmp(text, line, 13) != 0) print_error("%s\n--> %s\n", request, text);
        assert_memory_equal(text, line, 13);
        assert_int_equal(count_of(text, "\r\nContent-Length: "), 1);
        if (status >= 400) {
            assert_non_null(strstr(text, "Content-Type: application/problem+json\r\n"));
            assert_non_null(strstr(text, "Connection: close\r\n"));
            assert_non_null(strstr(text, "\"code\":\""));
            assert_non_null(strstr(text, "\"trace_id\":\""));
            assert_true(fake_is_closed(w.loop, conn, &reason));
            assert_int_equal(w.requests, 0);
        } else {
            assert_int_equal(w.requests, 1);
        }
        close_world(&w);
    }
}

static void test_request_is_the_same_at_every_split(void **state)
{
    (void)state;
    static const char text[] = "\r\nPOST /echo?x=1 HTTP/1.1\r\nHost: a:80\r\nX-One:  two words "
                               "\r\nContent-Length: 7\r\n\r\nabc\r\nde"
                               "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                               "chunked\r\n\r\n3\r\nxyz\r\nA;e=1\r\n0123456789\r\n0\r\n\r\n"
                               "GET /header HTTP/1.1\r\nHost: a\r\nx-ONE: value\r\n\r\n"
                               "GET /query?q=%20 HTTP/1.1\r\nHost: a\r\n\r\n";
    static const char want[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\nabc\r\nde"
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nxyz0123456789"
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nvalue"
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nq=%20";

    for (size_t first = 1; first < sizeof text - 1; first++) {
        struct world w;
        open_world(&w, (struct http_limits){0});
        uint64_t conn = fake_dial(w.loop, 0);
        fake_send(w.loop, conn, bytes_of(text, first));
        fake_settle(w.loop);
        fake_send(w.loop, conn, bytes_of(text + first, sizeof text - 1 - first));
        fake_settle(w.loop);
        assert_string_equal(received(&w, conn), want);
        assert_int_equal(http_server_counters(w.server)->memory_bytes > 0, 1);
        assert_false(fake_is_closed(w.loop, conn, NULL));
        close_world(&w);
    }
    for (size_t step = 1; step < 9; step++) {
        struct world w;
        open_world(&w, (struct http_limits){0});
        fake_set_read_max(w.loop, step);
        assert_string_equal(received(&w, ask(&w, text)), want);
        close_world(&w);
    }
}

static void test_hostile_heads_are_refused(void **state)
{
    (void)state;
    expect("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", 200);
    expect("GET /hello HTTP/1.0\r\n\r\n", 200);
    expect("GET /hello HTTP/1.1\r\nHost : a\r\n\r\n", 400);
    expect("GET /hello HTTP/1.1\r\n\r\n", 400);
    expect("GET /hello HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400);
    expect("GET /hello HTTP/1.1\r\nHost:\r\n\r\n", 400);
    expect("GET /hello HTTP/1.1\r\nHost: a/b\r\n\r\n", 400);
    expect("GET /hello HTTP/1.1\nHost: a\n\n", 400);
    expect("GET /hello HTTP/1.1\r\nHost: a\n\r\n", 400);
    expect("GET /hello HTTP/1.1\r\nHost: a\r\n\n", 400);
    expect("GET /hello HTTP/1.1\r\nHost: a\r\nX: \rb\r\n\r\n", 400);
    expect("GET /hello HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n", 400);
    expect("GET /hello HTTP/1.1\r\nHost: a\r\nX: a\x01z\r\n\r\n", 400);
    expect("GET /hello HTTP/1.1\r\nHost: a\r\nX: a\x7fz\r\n\r\n", 400);
    expect("GET /hello HTTP/1.1\r\nHost: a\r\n: v\r\n\r\n", 400);
    expect("GET /hello HTTP/1.1\r\nHost: a\r\nnocolon\r\n\r\n", 400);
    expect("GET /hello HTTP/1.1\r\nHost: a\r\nX\xc3\xa9: v\r\n\r\n", 400);
    expect("GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    expect("GET /hel lo HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    expect("GET /hello HTTP/1.1 \r\nHost: a\r\n\r\n", 400);
    expect("GET /hello\r\nHost: a\r\n\r\n", 400);
    expect("GET /h\tello HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    expect("GET /h\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    expect("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    expect("GET http://a/hello HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    expect("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    expect(" GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    expect("\r\n\r\n\r\n", 400);
    expect("\x16\x03\x01\x02", 400);
    expect("get /hello HTTP/1.1\r\nHost: a\r\n\r\n", 501);
    expect("BREW /hello HTTP/1.1\r\nHost: a\r\n\r\n", 501);
    expect("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501);
    expect("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
    expect("GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", 505);
    expect("GET /hello HTTP/1.2\r\nHost: a\r\n\r\n", 505);
    expect("GET /hello ICE/1.1\r\nHost: a\r\n\r\n", 400);
    expect("GET /hello HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", 417);
}

static void test_two_lengths_are_refused(void **state)
{
    (void)state;
    expect("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 200);
    expect("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400);
    expect("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", 400);
    expect("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400);
    expect("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc", 400);
    expect("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc", 400);
    expect("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3 \r\n\r\nabc", 200);
    expect("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400);
    expect("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\na", 400);
    expect("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999\r\n\r\na", 413);
    expect(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400);
    expect(
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        400);
    expect("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501);
    expect("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 501);
    expect("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501);
    expect("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
           "chunked\r\n\r\n0\r\n\r\n",
           400);
    expect("POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
    expect("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n", 200);
}

static void test_broken_chunks_are_refused(void **state)
{
    (void)state;
#define CHUNKED "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    expect(CHUNKED "3\r\nabc\r\n0\r\n\r\n", 200);
    expect(CHUNKED "3\nabc\r\n0\r\n\r\n", 400);
    expect(CHUNKED "3\r\nabc\n0\r\n\r\n", 400);
    expect(CHUNKED "3\r\nabc\r\n0\n\r\n", 400);
    expect(CHUNKED "3\r\nabc\r\n0\r\n\n", 400);
    expect(CHUNKED "3\r\nabcd\r\n0\r\n\r\n", 400);
    expect(CHUNKED "x\r\nabc\r\n0\r\n\r\n", 400);
    expect(CHUNKED "-3\r\nabc\r\n0\r\n\r\n", 400);
    expect(CHUNKED " 3\r\nabc\r\n0\r\n\r\n", 400);
    expect(CHUNKED "\r\n3\r\nabc\r\n0\r\n\r\n", 400);
    expect(CHUNKED "0x3\r\nabc\r\n0\r\n\r\n", 400);
    expect(CHUNKED "3;a\nb\r\nabc\r\n0\r\n\r\n", 400);
    expect(CHUNKED "3\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n", 400);
    expect(CHUNKED "fffffffffffffffff\r\na", 413);
    expect(CHUNKED "ffffffff\r\na", 413);
    expect(CHUNKED "ffffffffffffffff\r\na\r\n0\r\n\r\n", 413);
}

/* `n` bytes of `fill` between two texts. */
static void ask_long(struct world *w, const char *before, char fill, size_t n, const char *after,
                     uint64_t *conn)
{
    char *text = malloc(n);
    assert_non_null(text);
    memset(text, fill, n);
    *conn = fake_dial(w->loop, 0);
    fake_send(w->loop, *conn, bytes_text(before));
    fake_send(w->loop, *conn, bytes_of(text, n));
    fake_send(w->loop, *conn, bytes_text(after));
    free(text);
    fake_settle(w->loop);
}

static void test_every_limit_has_its_answer(void **state)
{
    (void)state;
    struct world w;
    uint64_t conn;
    char many[8192] = "GET /hello HTTP/1.1\r\nHost: a\r\n";
    static const char tiny[] = "1;xxxxxxxxxxxxxxxxxxxxxxxx\r\na\r\n";

    open_world(&w, (struct http_limits){.conn_max = 60});
    ask_long(&w, "GET /", 'a', 4096 - 5 - 11, " HTTP/1.1\r\nHost: a\r\n\r\n", &conn);
    assert_memory_equal(received(&w, conn), "HTTP/1.1 200", 12);
    ask_long(&w, "GET /", 'a', 4096 - 5 - 10, " HTTP/1.1\r\nHost: a\r\n\r\n", &conn);
    assert_memory_equal(received(&w, conn), "HTTP/1.1 414", 12);
    ask_long(&w, "GET /hello HTTP/1.1\r\nHost: a\r\nX:", 'b', 16384 - 36, "\r\n\r\n", &conn);
    assert_memory_equal(received(&w, conn), "HTTP/1.1 200", 12);
    ask_long(&w, "GET /hello HTTP/1.1\r\nHost: a\r\nX:", 'b', 16384 - 35, "\r\n\r\n", &conn);
    assert_memory_equal(received(&w, conn), "HTTP/1.1 431", 12);
    for (int i = 0; i < 63; i++) strcat(many, "X: 1\r\n");
    strcat(many, "\r\n");
    assert_memory_equal(received(&w, ask(&w, many)), "HTTP/1.1 200", 12);
    strcpy(many + strlen(many) - 2, "X: 1\r\n\r\n");
    assert_memory_equal(received(&w, ask(&w, many)), "HTTP/1.1 431", 12);
    ask_long(&w, "POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n", 'c', 65536, "", &conn);
    assert_memory_equal(received(&w, conn), "HTTP/1.1 200", 12);
    ask_long(&w, "POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", 'c', 65537, "", &conn);
    assert_memory_equal(received(&w, conn), "HTTP/1.1 413", 12);
    ask_long(&w, "POST /size HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n", 'c', 65536,
             "\r\n0\r\n\r\n", &conn);
    assert_memory_equal(received(&w, conn), "HTTP/1.1 200", 12);
    ask_long(&w, "POST /size HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n", 'c', 65537,
             "\r\n0\r\n\r\n", &conn);
    assert_memory_equal(received(&w, conn), "HTTP/1.1 413", 12);
    /* Chunk lines far larger than what they carry. */
    conn = fake_dial(w.loop, 0);
    fake_send(w.loop, conn,
              bytes_text("POST /size HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
    for (int i = 0; i < 10000; i++) fake_send(w.loop, conn, bytes_text(tiny));
    fake_settle(w.loop);
    assert_memory_equal(received(&w, conn), "HTTP/1.1 413", 12);
    assert_int_equal(http_server_counters(w.server)->refused_limit, 6);
    close_world(&w);
}

static void test_pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    struct world w;
    char text[4096] = "";

    for (int i = 0; i < 20; i++) strcat(text, i % 2 ? "GET /later HTTP/1.1\r\nHost: a\r\n\r\n" : GET);
    open_world(&w, (struct http_limits){0});
    uint64_t conn = ask(&w, text);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(w.later_count, i + 1); /* the next is not read before its turn */
        struct http_response r = {.status = 202, .body = bytes_text("late")};
        assert_int_equal(http_reply(w.server, w.later[i], &r).code, ERR_OK);
        fake_settle(w.loop);
    }
    const char *at = received(&w, conn);
    for (int i = 0; i < 20; i++) {
        at = strstr(at, "HTTP/1.1 2");
        assert_non_null(at);
        assert_int_equal(at[10], '0');
        assert_int_equal(at[11], i % 2 ? '2' : '0');
        at++;
    }
    assert_null(strstr(at, "HTTP/1.1"));
    close_world(&w);
}

static void test_pipelined_flood_pauses_reading(void **state)
{
    (void)state;
    struct world w;

    open_world(&w, (struct http_limits){0});
    uint64_t conn = ask(&w, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int i = 0; i < 20000; i++) fake_send(w.loop, conn, bytes_text(GET));
    fake_settle(w.loop);
    assert_true(fake_is_paused(w.loop, conn));
    assert_true(fake_kept(w.loop, conn) <= 2 * 16384);
    assert_int_equal(w.requests, 1);
    /* A client that never reads its replies is not read either. */
    fake_stall(w.loop, conn, true);
    http_reply(w.server, w.later[0], &(struct http_response){.status = 200});
    fake_settle(w.loop);
    int answered = w.requests;
    assert_in_range(answered, 2, 1200);
    assert_true(loop_queued(w.loop, conn) <= 65536 + 256);
    fake_settle(w.loop);
    assert_int_equal(w.requests, answered);
    fake_stall(w.loop, conn, false);
    fake_settle(w.loop);
    assert_int_equal(w.requests, 20001);
    assert_int_equal(count_of(received(&w, conn), "HTTP/1.1 "), 20001);
    close_world(&w);
}

static void test_stale_handles_are_harmless(void **state)
{
    (void)state;
    struct world w;
    struct http_response r = {.status = 200};

    open_world(&w, (struct http_limits){0});
    uint64_t conn = ask(&w, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    fake_hang_up(w.loop, conn);
    fake_settle(w.loop);
    assert_int_equal(w.gone_count, 1);
    assert_true(w.gone[0] == w.later[0]);
    assert_int_equal(http_reply(w.server, w.later[0], &r).code, ERR_NOT_FOUND);
    assert_int_equal(http_sse_begin(w.server, w.later[0]).code, ERR_NOT_FOUND);
    assert_int_equal(http_reply(w.server, 0, &r).code, ERR_NOT_FOUND);
    assert_int_equal(http_reply(w.server, UINT64_MAX, &r).code, ERR_NOT_FOUND);
    /* The slot's next owner has another handle. */
    uint64_t other = ask(&w, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(conn_slot(other), conn_slot(conn));
    assert_int_equal(http_reply(w.server, w.later[0], &r).code, ERR_NOT_FOUND);
    assert_int_equal(http_reply(w.server, w.later[1], &r).code, ERR_OK);
    fake_settle(w.loop);
    assert_int_equal(w.gone_count, 1);
    close_world(&w);
}

static void test_deadlines_answer_and_close(void **state)
{
    (void)state;
    struct world w;
    enum close_reason reason;

    open_world(&w, (struct http_limits){0});
    uint64_t idle = fake_dial(w.loop, 0);
    uint64_t head = ask(&w, "GET /hello HTT");
    uint64_t body = ask(&w, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc");
    uint64_t reply = ask(&w, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int i = 0; i < 99; i++) {
        fake_advance_ms(w.loop, 100);
        fake_send(w.loop, head, bytes_text("P")); /* dripping does not help */
        fake_turn(w.loop);
    }
    assert_string_equal(received(&w, head), "");
    fake_advance_ms(w.loop, 200);
    fake_settle(w.loop);
    assert_memory_equal(received(&w, head), "HTTP/1.1 408", 12);
    assert_true(fake_is_closed(w.loop, head, &reason));
    assert_int_equal(reason, CLOSE_TIMEOUT);
    fake_advance_ms(w.loop, 10000);
    fake_settle(w.loop);
    assert_memory_equal(received(&w, body), "HTTP/1.1 408", 12);
    fake_advance_ms(w.loop, 40000);
    fake_settle(w.loop);
    assert_true(fake_is_closed(w.loop, idle, &reason));
    assert_string_equal(received(&w, idle), "");
    assert_int_equal(w.gone_count, 0);
    fake_advance_ms(w.loop, 6000);
    fake_settle(w.loop);
    assert_memory_equal(received(&w, reply), "HTTP/1.1 504", 12);
    assert_int_equal(w.gone_count, 1);
    assert_int_equal(http_reply(w.server, w.later[0], &(struct http_response){.status = 200}).code,
                     ERR_NOT_FOUND);
    assert_int_equal(http_server_counters(w.server)->timeouts, 3);
    close_world(&w);
}

static void test_head_has_length_and_no_body(void **state)
{
    (void)state;
    struct world w;

    open_world(&w, (struct http_limits){0});
    uint64_t conn = ask(&w, "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: "
                            "a\r\nConnection: x, CLOSE\r\n\r\n");
    assert_string_equal(
        received(&w, conn),
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n"
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
    assert_true(fake_is_closed(w.loop, conn, NULL));
    close_world(&w);
}

static void test_continue_is_sent_when_it_is_waited_for(void **state)
{
    (void)state;
    struct world w;
    static const char head[] =
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";

    open_world(&w, (struct http_limits){0});
    uint64_t conn = ask(&w, head);
    assert_string_equal(received(&w, conn), "HTTP/1.1 100 Continue\r\n\r\n");
    fake_send(w.loop, conn, bytes_text("ok"));
    fake_settle(w.loop);
    assert_non_null(strstr(received(&w, conn), "\r\n\r\nok"));
    conn = ask(&w, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok");
    assert_memory_equal(received(&w, conn), "HTTP/1.1 200", 12);
    conn = ask(&w, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 70000\r\n\r\n");
    assert_memory_equal(received(&w, conn), "HTTP/1.1 413", 12);
    close_world(&w);
}

static void test_replies_cannot_be_split_by_their_headers(void **state)
{
    (void)state;
    struct world w;
    struct http_reply_header evil = {"Location", bytes_text("/x\r\nSet-Cookie: a=b")};
    struct http_reply_header good = {"Location", bytes_text("/x")};

    open_world(&w, (struct http_limits){.reply_max = 1000});
    uint64_t conn = ask(&w, "GET /later HTTP/1.1\r\nHost: a\r\n\r\nGET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    struct http_response r = {.status = 302, .headers = &evil, .header_count = 1};
    assert_int_equal(http_reply(w.server, w.later[0], &r).code, ERR_INVALID);
    fake_settle(w.loop);
    assert_memory_equal(received(&w, conn), "HTTP/1.1 500", 12);
    assert_null(strstr(received(&w, conn), "Set-Cookie"));
    fake_forget_received(w.loop, conn);
    evil.value = bytes_text("/x\nSet-Cookie: a=b");
    uint64_t second = ask(&w, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(http_reply(w.server, w.later[w.later_count - 1], &r).code, ERR_INVALID);
    fake_settle(w.loop);
    assert_memory_equal(received(&w, second), "HTTP/1.1 500", 12);
    r.headers = &good;
    assert_int_equal(http_reply(w.server, w.later[1], &r).code, ERR_OK);
    fake_settle(w.loop);
    assert_string_equal(received(&w, conn),
                        "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /x\r\n\r\n");
    fake_send(w.loop, conn, bytes_text("GET /later HTTP/1.1\r\nHost: a\r\n\r\n"));
    fake_settle(w.loop);
    char large[1001] = "";
    assert_int_equal(http_reply(w.server, w.later[w.later_count - 1],
                                &(struct http_response){.status = 200, .body = bytes_of(large, 1001)})
                         .code,
                     ERR_TOO_LARGE);
    close_world(&w);
}

static void test_trace_id_is_the_clients_when_valid(void **state)
{
    (void)state;
    struct world w;

    open_world(&w, (struct http_limits){0});
    ask(&w, "GET /hello HTTP/1.1\r\nHost: a\r\ntraceparent: "
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n");
    assert_string_equal(w.last_trace, "4bf92f3577b34da6a3ce929d0e0e4736");
    ask(&w, "GET /hello HTTP/1.1\r\nHost: a\r\ntraceparent: "
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01\r\n\r\n");
    assert_string_not_equal(w.last_trace, "00000000000000000000000000000000");
    uint64_t conn = ask(&w, "GET /problem HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_memory_equal(received(&w, conn), "HTTP/1.1 409 Conflict\r\n", 23);
    assert_non_null(strstr(received(&w, conn), "\"code\":\"rider_has_ride\""));
    assert_non_null(strstr(received(&w, conn), w.last_trace));
    assert_false(fake_is_closed(w.loop, conn, NULL)); /* the stream is safe: it stays */
    close_world(&w);
}

static uint64_t open_stream(struct world *w, uint64_t *handle)
{
    uint64_t conn = ask(w, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    *handle = w->later[w->later_count - 1];
    assert_int_equal(http_sse_begin(w->server, *handle).code, ERR_OK);
    fake_settle(w->loop);
    return conn;
}

static void test_stream_carries_events_and_heartbeats(void **state)
{
    (void)state;
    struct world w;
    uint64_t handle;

    open_world(&w, (struct http_limits){0});
    uint64_t conn = open_stream(&w, &handle);
    assert_non_null(strstr(received(&w, conn), "Content-Type: text/event-stream\r\n"));
    fake_forget_received(w.loop, conn);
    assert_int_equal(
        http_sse_send(w.server, handle, bytes_text("7"), bytes_text("ride"), bytes_text("a\nb\r\nc")).code,
        ERR_OK);
    assert_int_equal(http_sse_send(w.server, handle, bytes_text(""), bytes_text(""), bytes_text("{}")).code,
                     ERR_OK);
    assert_int_equal(
        http_sse_send(w.server, handle, bytes_text("7\n"), bytes_text(""), bytes_text("{}")).code,
        ERR_INVALID);
    fake_settle(w.loop);
    assert_string_equal(received(&w, conn), "id: 7\nevent: ride\ndata: a\ndata: b\ndata: c\n\ndata: {}\n\n");
    fake_forget_received(w.loop, conn);
    fake_send(w.loop, conn, bytes_text("noise"));
    for (int i = 0; i < 46; i++) {
        fake_advance_ms(w.loop, 1000);
        fake_turn(w.loop);
    }
    assert_string_equal(received(&w, conn), ":\n\n:\n\n:\n\n");
    assert_int_equal(http_reply(w.server, handle, &(struct http_response){.status = 200}).code,
                     ERR_NOT_FOUND);
    fake_hang_up(w.loop, conn);
    fake_settle(w.loop);
    assert_int_equal(w.gone_count, 1);
    assert_int_equal(http_sse_send(w.server, handle, bytes_text(""), bytes_text(""), bytes_text("x")).code,
                     ERR_NOT_FOUND);
    assert_int_equal(http_server_counters(w.server)->sse_open, 0);
    close_world(&w);
}

static void test_an_event_for_a_connection_that_was_just_reset_is_refused_at_once(void **state)
{
    (void)state;
    struct world w;
    uint64_t handle;

    open_world(&w, (struct http_limits){0});
    uint64_t conn = open_stream(&w, &handle);
    loop_close(w.loop, conn, CLOSE_RESET, CLOSE_NOW); /* the server hears of it at the end of the turn */
    assert_int_equal(http_sse_send(w.server, handle, bytes_text("7"), bytes_text("ride"), bytes_text("a\nb")).code, ERR_FULL);
    fake_settle(w.loop);
    assert_int_equal(w.gone_count, 1);
    assert_int_equal(http_server_counters(w.server)->sse_open, 0);
    close_world(&w);
}

static void test_slow_stream_is_closed_alone(void **state)
{
    (void)state;
    struct world w;
    uint64_t slow_handle, good_handle;
    char data[1000];
    enum close_reason reason;
    int sent = 0;

    memset(data, 'x', sizeof data);
    open_world(&w, (struct http_limits){.sse_queue_max = 20000, .sse_count_max = 2});
    uint64_t slow = open_stream(&w, &slow_handle), good = open_stream(&w, &good_handle);
    fake_stall(w.loop, slow, true);
    while (http_sse_send(w.server, slow_handle, bytes_text("1"), bytes_text("e"), bytes_of(data, sizeof data))
               .code == ERR_OK) {
        sent++;
        assert_int_equal(
            http_sse_send(w.server, good_handle, bytes_text("1"), bytes_text("e"), bytes_text("y")).code,
            ERR_OK);
        fake_turn(w.loop);
    }
    assert_in_range(sent, 17, 19);
    assert_int_equal(
        http_sse_send(w.server, slow_handle, bytes_text("1"), bytes_text("e"), bytes_text("")).code,
        ERR_NOT_FOUND);
    fake_settle(w.loop);
    assert_true(fake_is_closed(w.loop, slow, &reason));
    assert_int_equal(reason, CLOSE_SLOW);
    assert_int_equal(w.gone_count, 1);
    assert_true(w.gone[0] == slow_handle);
    assert_int_equal(count_of(received(&w, good), "data: y\n\n"), sent);
    assert_int_equal(http_server_counters(w.server)->sse_overflow, 1);
    uint64_t third;
    open_stream(&w, &third);
    ask(&w, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(http_sse_begin(w.server, w.later[w.later_count - 1]).code, ERR_FULL);
    assert_int_equal(http_reply_problem(w.server, w.later[w.later_count - 1], ERR(FULL, "streams")).code,
                     ERR_OK);
    http_sse_end(w.server, third);
    fake_settle(w.loop);
    assert_int_equal(w.gone_count, 1); /* the owner ended it itself */
    assert_int_equal(http_server_counters(w.server)->sse_open, 1);
    close_world(&w);
}

static void test_drain_lets_answers_finish(void **state)
{
    (void)state;
    struct world w;
    uint64_t stream_handle;

    open_world(&w, (struct http_limits){0});
    uint64_t idle = ask(&w, GET), waiting = ask(&w, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    uint64_t handle = w.later[0], stream = open_stream(&w, &stream_handle);
    http_server_drain(w.server);
    fake_settle(w.loop);
    assert_true(fake_is_closed(w.loop, idle, NULL));
    assert_true(fake_is_closed(w.loop, stream, NULL));
    assert_false(fake_is_closed(w.loop, waiting, NULL));
    assert_int_equal(fake_dial(w.loop, 0), 0);
    assert_int_equal(http_reply(w.server, handle, &(struct http_response){.status = 200}).code, ERR_OK);
    fake_settle(w.loop);
    assert_true(fake_is_closed(w.loop, waiting, NULL));
    assert_non_null(strstr(received(&w, waiting), "Connection: close\r\n"));
    assert_int_equal(http_server_counters(w.server)->conns, 0);
    assert_int_equal(http_server_counters(w.server)->memory_bytes, 0);
    close_world(&w);
}

static int64_t wall(void *ctx)
{
    (void)ctx;
    return 1795475763000; /* 2026-11-23T23:16:03Z */
}

static void test_date_is_what_the_standard_wants(void **state)
{
    (void)state;
    struct world w = {.loop = loop_fake_create()};
    struct http_server_config config = {
        .loop_conn_max = FAKE_CONN_MAX, .wall_ms = wall, .events = {&w, on_request, on_gone}};

    assert_int_equal(http_server_create(w.loop, &config, &w.server).code, ERR_OK);
    assert_non_null(strstr(received(&w, ask(&w, GET)), "\r\nDate: Mon, 23 Nov 2026 23:16:03 GMT\r\n"));
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_is_the_same_at_every_split),
        cmocka_unit_test(test_hostile_heads_are_refused),
        cmocka_unit_test(test_two_lengths_are_refused),
        cmocka_unit_test(test_broken_chunks_are_refused),
        cmocka_unit_test(test_every_limit_has_its_answer),
        cmocka_unit_test(test_pipelined_requests_are_answered_in_order),
        cmocka_unit_test(test_pipelined_flood_pauses_reading),
        cmocka_unit_test(test_stale_handles_are_harmless),
        cmocka_unit_test(test_deadlines_answer_and_close),
        cmocka_unit_test(test_head_has_length_and_no_body),
        cmocka_unit_test(test_continue_is_sent_when_it_is_waited_for),
        cmocka_unit_test(test_replies_cannot_be_split_by_their_headers),
        cmocka_unit_test(test_trace_id_is_the_clients_when_valid),
        cmocka_unit_test(test_stream_carries_events_and_heartbeats),
        cmocka_unit_test(test_an_event_for_a_connection_that_was_just_reset_is_refused_at_once),
        cmocka_unit_test(test_slow_stream_is_closed_alone),
        cmocka_unit_test(test_drain_lets_answers_finish),
        cmocka_unit_test(test_date_is_what_the_standard_wants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
