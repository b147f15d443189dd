/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_test.c: the header of a front proxy, by itself and before a request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "net/fake/loop_fake.h"
#include "net/http.h"
#include "net/proxy.h"

#define SIGNATURE "\x0d\x0a\x0d\x0a\x00\x0d\x0a\x51\x55\x49\x54\x0a"
#define BYTES(literal) bytes_of(literal, sizeof(literal) - 1)
/* 203.0.113.7:50123 to 198.51.100.1:443 */
#define CLIENT4 SIGNATURE "\x21\x11\x00\x0c" "\xcb\x00\x71\x07" "\xc6\x33\x64\x01" "\xc3\xcb" "\x01\xbb"
/* [2001:db8::7]:50123 to [2001:db8::1]:443, and a TLV of five bytes */
#define CLIENT6 SIGNATURE "\x21\x21\x00\x29" \
    "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07" \
    "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" "\xc3\xcb" "\x01\xbb" "\x01\x00\x02h2"

static void expect_peer(struct bytes header, const char *peer)
{
    struct text64 text = {0};
    size_t used;
    assert_int_equal(text_set(&text, bytes_text("127.0.0.1:9")).code, ERR_OK);
    for (size_t cut = 0; cut < header.len; cut++) {
        assert_int_equal(proxy_read(bytes_of(header.at, cut), &used, &text).code, ERR_OK);
        assert_int_equal(used, 0);
    }
    assert_int_equal(proxy_read(header, &used, &text).code, ERR_OK);
    assert_int_equal(used, header.len);
    assert_true(bytes_equal_text(text_bytes(&text), peer));
}

static void test_the_client_is_who_the_header_names(void **state)
{
    (void)state;
    expect_peer(BYTES(CLIENT4), "203.0.113.7:50123");
    expect_peer(BYTES(CLIENT6), "[2001:db8::7]:50123");
}

static void test_a_proxy_that_speaks_for_itself_keeps_its_address(void **state)
{
    (void)state;
    expect_peer(BYTES(SIGNATURE "\x20\x11\x00\x0c" "\xcb\x00\x71\x07" "\xc6\x33\x64\x01" "\xc3\xcb" "\x01\xbb"), "127.0.0.1:9");
    expect_peer(BYTES(SIGNATURE "\x20\x00\x00\x00"), "127.0.0.1:9");
    expect_peer(BYTES(SIGNATURE "\x21\x00\x00\x03" "abc"), "127.0.0.1:9");
}

static void expect_refused(struct bytes header, enum err_code code)
{
    struct text64 text = {0};
    size_t used;
    assert_int_equal(proxy_read(header, &used, &text).code, code);
    assert_int_equal(used, 0);
    assert_int_equal(text.len, 0);
}

static void test_what_is_no_header_is_refused_at_its_first_wrong_byte(void **state)
{
    (void)state;
    expect_refused(BYTES("G"), ERR_MALFORMED);
    expect_refused(BYTES("\x0d\x0aX"), ERR_MALFORMED);
    expect_refused(BYTES("PROXY TCP4 203.0.113.7 198.51.100.1 50123 443\r\n"), ERR_MALFORMED);
    expect_refused(BYTES(SIGNATURE "\x11\x11\x00\x0c" "\xcb\x00\x71\x07"), ERR_MALFORMED);
    expect_refused(BYTES(SIGNATURE "\x22\x11\x00\x00"), ERR_MALFORMED);
    expect_refused(BYTES(SIGNATURE "\x21\x12\x00\x0c" "\xcb\x00\x71\x07\xc6\x33\x64\x01\xc3\xcb\x01\xbb"), ERR_MALFORMED);
    expect_refused(BYTES(SIGNATURE "\x21\x11\x00\x0b" "\xcb\x00\x71\x07\xc6\x33\x64\x01\xc3\xcb\x01"), ERR_MALFORMED);
    expect_refused(BYTES(SIGNATURE "\x21\x21\x00\x0c" "\xcb\x00\x71\x07\xc6\x33\x64\x01\xc3\xcb\x01\xbb"), ERR_MALFORMED);
    expect_refused(BYTES(SIGNATURE "\x21\x11\x02\x09"), ERR_TOO_LARGE);
}

struct world { struct loop *loop; struct http_server *server; char peer[64]; };

static void on_request(void *ctx, const struct http_request *request)
{
    struct world *w = ctx;
    memcpy(w->peer, request->peer.at, request->peer.len);
    w->peer[request->peer.len] = 0;
    struct http_response r = {.status = 200, .body = bytes_text("hello")};
    assert_int_equal(http_reply(w->server, request->handle, &r).code, ERR_OK);
}

static void open_world(struct world *w)
{
    *w = (struct world){.loop = loop_fake_create()};
    struct http_server_config config = {.loop_conn_max = FAKE_CONN_MAX, .trace_seed = 1, .proxied = true,
                                        .events = {.ctx = w, .on_request = on_request}};
    assert_int_equal(http_server_create(w->loop, &config, &w->server).code, ERR_OK);
}

static void close_world(struct world *w)
{
    http_server_destroy(w->server);
    loop_destroy(w->loop);
}

static void test_requests_behind_a_header_are_the_clients_at_every_split(void **state)
{
    (void)state;
    static const char both[] = CLIENT4 "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (size_t split = 0; split <= 5; split++) {
        struct world w;
        open_world(&w);
        fake_set_read_max(w.loop, split);
        uint64_t conn = fake_dial(w.loop, 0);
        fake_send(w.loop, conn, BYTES(both));
        fake_settle(w.loop);
        assert_string_equal(w.peer, "203.0.113.7:50123");
        assert_int_equal(http_server_counters(w.server)->requests, 2);
        close_world(&w);
    }
}

static void test_a_client_without_header_is_hung_up_on_and_counted(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    uint64_t conn = fake_dial(w.loop, 0);
    fake_send(w.loop, conn, bytes_text("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    fake_settle(w.loop);
    assert_true(fake_is_closed(w.loop, conn, NULL));
    assert_int_equal(fake_received(w.loop, conn).len, 0);
    assert_int_equal(http_server_counters(w.server)->refused_proxy, 1);
    assert_int_equal(http_server_counters(w.server)->requests, 0);
    close_world(&w);
}

static void test_a_header_that_never_ends_times_out(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    uint64_t conn = fake_dial(w.loop, 0);
    fake_send(w.loop, conn, BYTES(SIGNATURE));
    fake_settle(w.loop);
    assert_false(fake_is_closed(w.loop, conn, NULL));
    fake_advance_ms(w.loop, 10200);
    fake_settle(w.loop);
    assert_true(fake_is_closed(w.loop, conn, NULL));
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_client_is_who_the_header_names),
        cmocka_unit_test(test_a_proxy_that_speaks_for_itself_keeps_its_address),
        cmocka_unit_test(test_what_is_no_header_is_refused_at_its_first_wrong_byte),
        cmocka_unit_test(test_requests_behind_a_header_are_the_clients_at_every_split),
        cmocka_unit_test(test_a_client_without_header_is_hung_up_on_and_counted),
        cmocka_unit_test(test_a_header_that_never_ends_times_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
