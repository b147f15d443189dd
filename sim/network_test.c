/* SPDX-License-Identifier: Apache-2.0 */
/* The fake network keeps the promises of net/loop.h: the first half of these claims runs on epoll too. The
 * second half is about what only the fake one can do: faults, crashes, and the same again from the same
 * seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/must.h"
#include "net/loop_epoll.h"
#include "sim/network.h"

enum { SEEN_MAX = 1 << 20, TURNS_MAX = 20000, SECOND_US = 1000000 };

/* One end's diary. */
struct side {
    struct conn_handler handler;
    uint64_t conn;
    int opened, closed, writable, calls;
    enum close_reason reason;
    size_t leave;             /* bytes that on_bytes leaves unconsumed when fewer came */
    size_t len;
    uint8_t seen[SEEN_MAX];
};

/* Two loops that can reach each other. `network` NULL: epoll. */
struct rig {
    struct network *network;
    struct loop *server, *client;
    uint32_t listener;
    struct text64 address;
    struct side a, b;         /* a connects, b accepts */
};

static void on_open(void *ctx, uint64_t conn, struct bytes peer)
{
    struct side *s = ctx;
    assert_true(peer.len > 0);
    s->opened++;
    s->conn = conn;
}

static size_t on_bytes(void *ctx, uint64_t conn, struct bytes in)
{
    struct side *s = ctx;
    assert_int_equal(conn, s->conn);
    s->calls++;
    if (in.len < s->leave) return 0;
    assert_true(s->len + in.len <= SEEN_MAX);
    memcpy(s->seen + s->len, in.at, in.len);
    s->len += in.len;
    return in.len;
}

static void on_writable(void *ctx, uint64_t conn)
{
    (void)conn;
    ((struct side *)ctx)->writable++;
}

static void on_close(void *ctx, uint64_t conn, enum close_reason reason)
{
    struct side *s = ctx;
    (void)conn;
    s->closed++;
    s->reason = reason;
}

static void side_init(struct side *s)
{
    s->handler = (struct conn_handler){s, on_open, on_bytes, on_writable, on_close};
}

static struct rig *rig_create(bool fake, uint64_t seed, struct conn_limits limits, uint32_t conn_max)
{
    struct rig *r = calloc(1, sizeof *r);
    struct loop_config config = {.conn_max = 64};

    must(r);
    side_init(&r->a);
    side_init(&r->b);
    if (fake) {
        r->network = network_create(seed, 1000 * (int64_t)SECOND_US);
        r->server = network_loop_create(r->network, "server", &config);
        r->client = network_loop_create(r->network, "client", &config);
    } else {
        assert_int_equal(loop_epoll_create(&config, &r->server).code, ERR_OK);
        assert_int_equal(loop_epoll_create(&config, &r->client).code, ERR_OK);
    }
    struct loop_listener_config listen = {bytes_text("127.0.0.1:0"), conn_max, limits, &r->b.handler};
    assert_int_equal(loop_listen(r->server, &listen, &r->listener).code, ERR_OK);
    assert_int_equal(loop_address(r->server, r->listener, &r->address).code, ERR_OK);
    return r;
}

static void rig_destroy(struct rig *r)
{
    loop_destroy(r->client);
    loop_destroy(r->server);
    network_destroy(r->network);
    free(r);
}

static void rig_turn(struct rig *r)
{
    if (r->network) {
        network_step(r->network, network_now_us(r->network) + 100000);
        return;
    }
    assert_int_equal(loop_turn(r->server, 1).code, ERR_OK);
    assert_int_equal(loop_turn(r->client, 1).code, ERR_OK);
}

#define UNTIL(r, claim)                                         \
    do {                                                        \
        int turns = 0;                                          \
        while (!(claim) && turns++ < TURNS_MAX) rig_turn(r);    \
        assert_true(claim);                                     \
    } while (0)

static void rig_connect(struct rig *r, const struct conn_limits *limits)
{
    assert_int_equal(loop_connect(r->client, text_bytes(&r->address), limits, &r->a.handler, &r->a.conn).code,
                     ERR_OK);
    UNTIL(r, r->a.opened && r->b.opened);
}

static bool is_fake(void **state) { return *state != NULL; }

/* ---- claims about both ---- */

static void test_bytes_arrive_in_order_both_ways(void **s)
{
    struct rig *r = rig_create(is_fake(s), 1, (struct conn_limits){0}, 8);
    rig_connect(r, NULL);
    assert_int_equal(loop_write(r->client, r->a.conn, bytes_text("hello ")).code, ERR_OK);
    assert_int_equal(loop_write(r->client, r->a.conn, bytes_text("there")).code, ERR_OK);
    assert_int_equal(loop_write(r->server, r->b.conn, bytes_text("welcome")).code, ERR_OK);
    UNTIL(r, r->b.len == 11 && r->a.len == 7);
    assert_memory_equal(r->b.seen, "hello there", 11);
    assert_memory_equal(r->a.seen, "welcome", 7);
    rig_destroy(r);
}

static void test_a_write_before_the_connection_stands_is_kept(void **s)
{
    struct rig *r = rig_create(is_fake(s), 1, (struct conn_limits){0}, 8);
    assert_int_equal(loop_connect(r->client, text_bytes(&r->address), NULL, &r->a.handler, &r->a.conn).code,
                     ERR_OK);
    assert_int_equal(loop_write(r->client, r->a.conn, bytes_text("early")).code, ERR_OK);
    UNTIL(r, r->b.len == 5);
    rig_destroy(r);
}

static void test_nobody_listening_is_a_connect_failure(void **s)
{
    struct rig *r = rig_create(is_fake(s), 1, (struct conn_limits){0}, 8);
    loop_unlisten(r->server, r->listener);
    struct err e = loop_connect(r->client, text_bytes(&r->address), NULL, &r->a.handler, &r->a.conn);
    if (!e.code) {
        UNTIL(r, r->a.closed);
        assert_int_equal(r->a.reason, CLOSE_CONNECT);
    }
    assert_int_equal(r->a.opened, 0);
    rig_destroy(r);
}

static void test_what_is_not_consumed_comes_again_with_what_follows(void **s)
{
    struct rig *r = rig_create(is_fake(s), 1, (struct conn_limits){0}, 8);
    rig_connect(r, NULL);
    r->b.leave = 6;
    assert_int_equal(loop_write(r->client, r->a.conn, bytes_text("abc")).code, ERR_OK);
    UNTIL(r, r->b.calls == 1);
    assert_int_equal(r->b.len, 0);
    assert_int_equal(loop_write(r->client, r->a.conn, bytes_text("def")).code, ERR_OK);
    UNTIL(r, r->b.len == 6);
    assert_memory_equal(r->b.seen, "abcdef", 6);
    rig_destroy(r);
}

static void test_too_many_unconsumed_bytes_are_an_overflow(void **s)
{
    struct rig *r = rig_create(is_fake(s), 1, (struct conn_limits){.kept_max = 100}, 8);
    uint8_t many[101] = {0};
    rig_connect(r, NULL);
    r->b.leave = 1000;
    assert_int_equal(loop_write(r->client, r->a.conn, bytes_of(many, 100)).code, ERR_OK);
    UNTIL(r, r->b.calls >= 1);
    assert_int_equal(r->b.closed, 0);
    assert_int_equal(loop_write(r->client, r->a.conn, bytes_of(many, 1)).code, ERR_OK);
    UNTIL(r, r->b.closed);
    assert_int_equal(r->b.reason, CLOSE_OVERFLOW);
    rig_destroy(r);
}

static void test_a_paused_connection_reads_nothing_until_resumed(void **s)
{
    struct rig *r = rig_create(is_fake(s), 1, (struct conn_limits){0}, 8);
    rig_connect(r, NULL);
    loop_pause(r->server, r->b.conn);
    assert_int_equal(loop_write(r->client, r->a.conn, bytes_text("wait")).code, ERR_OK);
    for (int i = 0; i < 20; i++) rig_turn(r);
    assert_int_equal(r->b.calls, 0);
    loop_resume(r->server, r->b.conn);
    UNTIL(r, r->b.len == 4);
    rig_destroy(r);
}

static void test_a_resume_shows_kept_bytes_again(void **s)
{
    struct rig *r = rig_create(is_fake(s), 1, (struct conn_limits){0}, 8);
    rig_connect(r, NULL);
    r->b.leave = 10;
    assert_int_equal(loop_write(r->client, r->a.conn, bytes_text("kept")).code, ERR_OK);
    UNTIL(r, r->b.calls == 1);
    r->b.leave = 0;
    loop_resume(r->server, r->b.conn);
    UNTIL(r, r->b.len == 4);
    rig_destroy(r);
}

static void test_a_reader_that_stops_fills_the_queue_and_is_told_when_there_is_room(void **s)
{
    struct rig *r = rig_create(is_fake(s), 1, (struct conn_limits){0}, 8);
    static uint8_t block[16384];
    size_t sent = 0;
    int full = 0;
    rig_connect(r, NULL);
    loop_pause(r->server, r->b.conn);
    for (int i = 0; i < 20000 && full < 50; i++) {
        struct err e = loop_write(r->client, r->a.conn, bytes_of(block, sizeof block));
        if (e.code == ERR_FULL) full++;
        else sent += sizeof block;
        rig_turn(r);
    }
    assert_true(full >= 50);
    assert_true(loop_queued(r->client, r->a.conn) > 0);
    int before = r->a.writable;
    r->b.len = 0;
    loop_resume(r->server, r->b.conn);
    int turns = 0;
    size_t got = 0;
    while (r->a.writable == before && turns++ < TURNS_MAX) {
        rig_turn(r);
        got += r->b.len;
        r->b.len = 0;
    }
    assert_true(r->a.writable > before);
    while (got < sent && turns++ < TURNS_MAX) {
        rig_turn(r);
        got += r->b.len;
        r->b.len = 0;
    }
    assert_int_equal(got, sent);
    rig_destroy(r);
}

static void test_a_reader_that_never_reads_is_stalled(void **s)
{
    struct rig *r = rig_create(is_fake(s), 1, (struct conn_limits){0}, 8);
    static uint8_t block[65536];
    struct conn_limits limits = {.out_max = 65536, .stall_ms = 300};
    rig_connect(r, &limits);
    loop_pause(r->server, r->b.conn);
    for (int i = 0; i < 20000 && !r->a.closed; i++) {
        (void)!loop_write(r->client, r->a.conn, bytes_of(block, sizeof block)).code;
        rig_turn(r);
    }
    assert_int_equal(r->a.reason, CLOSE_STALLED);
    rig_destroy(r);
}

static void test_an_orderly_close_delivers_what_was_queued(void **s)
{
    struct rig *r = rig_create(is_fake(s), 1, (struct conn_limits){0}, 8);
    rig_connect(r, NULL);
    assert_int_equal(loop_write(r->server, r->b.conn, bytes_text("last words")).code, ERR_OK);
    loop_close(r->server, r->b.conn, CLOSE_DONE, CLOSE_FLUSH);
    assert_int_equal(loop_write(r->server, r->b.conn, bytes_text("more")).code, ERR_STATE);
    UNTIL(r, r->a.closed && r->b.closed);
    assert_int_equal(r->a.len, 10);
    assert_int_equal(r->a.reason, CLOSE_PEER);
    assert_int_equal(r->b.reason, CLOSE_DONE);
    assert_int_equal(loop_write(r->server, r->b.conn, bytes_text("x")).code, ERR_NOT_FOUND);
    rig_destroy(r);
}

static void test_unread_input_does_not_cost_the_peer_our_last_words(void **s)
{
    struct rig *r = rig_create(is_fake(s), 1, (struct conn_limits){0}, 8);
    rig_connect(r, NULL);
    loop_pause(r->server, r->b.conn);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(loop_write(r->client, r->a.conn, bytes_text("unread")).code, ERR_OK);
        rig_turn(r);
    }
    assert_int_equal(loop_write(r->server, r->b.conn, bytes_text("last words")).code, ERR_OK);
    loop_close(r->server, r->b.conn, CLOSE_PROTOCOL, CLOSE_FLUSH);
    UNTIL(r, r->a.closed && r->b.closed);
    assert_int_equal(r->a.len, 10);
    assert_int_equal(r->b.reason, CLOSE_PROTOCOL);
    rig_destroy(r);
}

static void test_a_close_at_once_ends_both_sides(void **s)
{
    struct rig *r = rig_create(is_fake(s), 1, (struct conn_limits){0}, 8);
    rig_connect(r, NULL);
    loop_close(r->client, r->a.conn, CLOSE_LIMIT, CLOSE_NOW);
    UNTIL(r, r->a.closed && r->b.closed);
    assert_int_equal(r->a.reason, CLOSE_LIMIT);
    assert_int_equal(r->b.reason, CLOSE_PEER);
    assert_int_equal(r->server->counters.open + r->client->counters.open, 0);
    rig_destroy(r);
}

static void test_a_close_over_unread_input_resets_the_peer(void **s)
{
    struct rig *r = rig_create(is_fake(s), 1, (struct conn_limits){0}, 8);
    rig_connect(r, NULL);
    loop_pause(r->server, r->b.conn);
    assert_int_equal(loop_write(r->client, r->a.conn, bytes_text("never read")).code, ERR_OK);
    for (int i = 0; i < 20; i++) rig_turn(r);
    loop_close(r->server, r->b.conn, CLOSE_LIMIT, CLOSE_NOW);
    UNTIL(r, r->a.closed && r->b.closed);
    assert_int_equal(r->a.reason, CLOSE_RESET);
    rig_destroy(r);
}

static size_t pause_and_leave(void *ctx, uint64_t conn, struct bytes in)
{
    struct rig *r = ctx;
    (void)in;
    r->b.calls++;
    loop_pause(r->server, conn);
    return 0;
}

static void test_a_paused_connection_may_keep_its_last_read(void **s)
{
    struct rig *r = rig_create(is_fake(s), 1, (struct conn_limits){.kept_max = 10}, 8);
    rig_connect(r, NULL);
    r->b.handler.ctx = r;
    r->b.handler.on_bytes = pause_and_leave;
    r->b.handler.on_close = NULL;
    assert_int_equal(loop_write(r->client, r->a.conn, bytes_text("more than ten bytes")).code, ERR_OK);
    UNTIL(r, r->b.calls == 1);
    for (int i = 0; i < 20; i++) rig_turn(r);
    assert_int_equal(r->a.closed, 0);
    rig_destroy(r);
}

static void test_an_abandoned_handler_is_never_called_again(void **s)
{
    struct rig *r = rig_create(is_fake(s), 1, (struct conn_limits){0}, 8);
    rig_connect(r, NULL);
    assert_int_equal(loop_write(r->server, r->b.conn, bytes_text("too late")).code, ERR_OK);
    loop_close(r->client, r->a.conn, CLOSE_DONE, CLOSE_ABANDON);
    UNTIL(r, r->b.closed);
    assert_int_equal(r->a.closed + r->a.calls, 0);
    assert_int_equal(r->client->counters.open, 0);
    rig_destroy(r);
}

static void test_deadlines_close_and_renewed_ones_do_not(void **s)
{
    struct rig *r = rig_create(is_fake(s), 1, (struct conn_limits){0}, 8);
    rig_connect(r, NULL);
    loop_set_deadline(r->server, r->b.conn, 50);
    loop_set_deadline(r->server, r->b.conn, 0);
    loop_set_deadline(r->client, r->a.conn, 100);
    UNTIL(r, r->a.closed);
    assert_int_equal(r->a.reason, CLOSE_TIMEOUT);
    UNTIL(r, r->b.closed);
    assert_int_equal(r->b.reason, CLOSE_PEER);
    rig_destroy(r);
}

static void test_a_deadline_set_while_connecting_holds_afterwards(void **s)
{
    struct rig *r = rig_create(is_fake(s), 1, (struct conn_limits){0}, 8);
    assert_int_equal(loop_connect(r->client, text_bytes(&r->address), NULL, &r->a.handler, &r->a.conn).code,
                     ERR_OK);
    loop_set_deadline(r->client, r->a.conn, 200);
    UNTIL(r, r->a.opened);
    UNTIL(r, r->a.closed);
    assert_int_equal(r->a.reason, CLOSE_TIMEOUT);
    rig_destroy(r);
}

static void test_silence_is_an_idle_timeout(void **s)
{
    struct rig *r = rig_create(is_fake(s), 1, (struct conn_limits){.idle_ms = 80}, 8);
    rig_connect(r, NULL);
    UNTIL(r, r->b.closed);
    assert_int_equal(r->b.reason, CLOSE_TIMEOUT);
    rig_destroy(r);
}

static void test_more_than_conn_max_are_closed_at_once(void **s)
{
    struct rig *r = rig_create(is_fake(s), 1, (struct conn_limits){0}, 1);
    rig_connect(r, NULL);
    struct side *c = calloc(1, sizeof *c);
    must(c);
    side_init(c);
    assert_int_equal(loop_connect(r->client, text_bytes(&r->address), NULL, &c->handler, &c->conn).code,
                     ERR_OK);
    UNTIL(r, c->closed);
    assert_int_equal(r->server->counters.refused_limit, 1);
    assert_int_equal(r->a.closed, 0);
    free(c);
    rig_destroy(r);
}

static int hook_calls;
static int64_t hook(void *ctx, int64_t now_ms)
{
    (void)ctx;
    hook_calls++;
    return now_ms + 5;
}

static void test_hooks_come_back_when_they_asked_to(void **s)
{
    struct rig *r = rig_create(is_fake(s), 1, (struct conn_limits){0}, 8);
    hook_calls = 0;
    assert_int_equal(loop_add_hook(r->server, (struct loop_hook){r, hook}).code, ERR_OK);
    UNTIL(r, hook_calls >= 10);
    loop_remove_hook(r->server, r);
    int before = hook_calls;
    for (int i = 0; i < 10; i++) rig_turn(r);
    assert_int_equal(hook_calls, before);
    rig_destroy(r);
}

/* ---- claims about the fake one ---- */

static const struct network_faults rough = {
    .up = {.latency_us = 40000,
           .jitter_us = 30000,
           .split_ppm = 300000,
           .glue_ppm = 200000,
           .glue_us = 50000,
           .stall_ppm = 20000,
           .stall_us = 2000000,
           .silence_ppm = 3000,
           .silence_us = 60000000},
    .down = {.latency_us = 40000,
             .jitter_us = 30000,
             .split_ppm = 300000,
             .glue_ppm = 200000,
             .glue_us = 50000,
             .stall_ppm = 20000,
             .stall_us = 2000000,
             .silence_ppm = 3000,
             .silence_us = 60000000},
    .refuse_ppm = 100000,
    .reset_ppm = 5000,
    .half_open_ppm = 3000,
    .half_open_us = 120000000,
    .late_ppm = 3000,
    .late_us = 90000000,
};

static uint16_t port_number(const struct rig *r)
{
    struct bytes text = text_bytes(&r->address);
    uint64_t port;
    text.at += text.len - 5;
    text.len = 5;
    assert_int_equal(bytes_u64(text, 5, &port).code, ERR_OK);
    return (uint16_t)port;
}

/* A byte stream that says where it is: any loss in the middle, repeat or swap shows. */
static void check_stream(const struct side *s)
{
    for (size_t i = 0; i < s->len; i++) assert_int_equal(s->seen[i], (uint8_t)(i * 7 + i / 256));
}

static void fill(uint8_t *to, size_t from, size_t len)
{
    for (size_t i = 0; i < len; i++) to[i] = (uint8_t)((from + i) * 7 + (from + i) / 256);
}

/* Writes on one connection until it breaks or is old. */
static uint64_t rough_life(uint64_t seed, const struct network_faults *faults,
                           uint64_t faults_seen[NETWORK_FAULT_N])
{
    struct rig *r = rig_create(true, seed, (struct conn_limits){.kept_max = 65536}, 8);
    size_t up = 0, down = 0;
    uint8_t block[64];

    network_set_faults(r->network, port_number(r), faults);
    assert_int_equal(loop_connect(r->client, text_bytes(&r->address), NULL, &r->a.handler, &r->a.conn).code,
                     ERR_OK);
    for (int i = 0; i < 200; i++) {
        network_run(r->network, network_now_us(r->network) + SECOND_US / 2);
        fill(block, up, sizeof block);
        if (!r->a.closed && !loop_write(r->client, r->a.conn, bytes_of(block, sizeof block)).code)
            up += sizeof block;
        fill(block, down, sizeof block);
        if (r->b.opened && !loop_write(r->server, r->b.conn, bytes_of(block, 20)).code) down += 20;
    }
    network_calm(r->network);
    network_run(r->network, network_now_us(r->network) + 400 * (int64_t)SECOND_US);
    check_stream(&r->a);
    check_stream(&r->b);
    assert_true(r->b.len <= up && r->a.len <= down);
    if (!r->a.closed) assert_int_equal(r->b.len, up);
    if (r->b.opened && !r->b.closed) assert_int_equal(r->a.len, down);
    /* Whatever broke, both sides know by now. */
    if (r->b.opened) assert_int_equal(r->a.closed, r->b.closed);
    for (int i = 0; i < NETWORK_FAULT_N; i++) faults_seen[i] += network_fault_count(r->network, i);
    uint64_t hash = network_hash(r->network);
    rig_destroy(r);
    return hash;
}

static void test_a_rough_network_never_repeats_skips_or_reorders_bytes_of_a_connection(void **s)
{
    uint64_t seen[NETWORK_FAULT_N] = {0};
    (void)s;
    for (uint64_t seed = 1; seed <= 60; seed++) rough_life(seed, &rough, seen);
    for (int i = 0; i < NETWORK_FAULT_N; i++) {
        if (i == NETWORK_FAULT_DOWN || i == NETWORK_FAULT_KILLED) continue;
        if (!seen[i]) fail_msg("never happened: %s", network_fault_text(i));
    }
}

static void test_the_same_seed_gives_the_same_bytes_at_the_same_times(void **s)
{
    uint64_t seen[NETWORK_FAULT_N];
    (void)s;
    assert_int_equal(rough_life(7, &rough, seen), rough_life(7, &rough, seen));
    assert_true(rough_life(7, &rough, seen) != rough_life(8, &rough, seen));
}

static void test_a_killed_process_vanishes_without_callbacks_and_its_peers_hear_of_it(void **s)
{
    (void)s;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rig *r = rig_create(true, seed, (struct conn_limits){0}, 8);
        rig_connect(r, NULL);
        assert_int_equal(loop_write(r->client, r->a.conn, bytes_text("on its way")).code, ERR_OK);
        network_kill(r->server, 2 * SECOND_US);
        r->server = NULL;
        network_run(r->network, network_now_us(r->network) + 10 * (int64_t)SECOND_US);
        assert_int_equal(r->b.closed, 0);
        assert_int_equal(r->a.closed, 1);
        assert_int_equal(r->a.reason, CLOSE_RESET);
        assert_int_equal(network_link_count(r->network), 0);
        side_init(&r->a);
        assert_int_equal(
            loop_connect(r->client, text_bytes(&r->address), NULL, &r->a.handler, &r->a.conn).code, ERR_OK);
        UNTIL(r, r->a.closed == 2);
        assert_int_equal(r->a.reason, CLOSE_CONNECT);
        assert_int_equal(network_fault_count(r->network, NETWORK_FAULT_DOWN), 1);
        rig_destroy(r);
    }
}

static void test_a_half_open_server_hears_nothing_for_long(void **s)
{
    (void)s;
    struct rig *r = rig_create(true, 3, (struct conn_limits){0}, 8);
    struct network_faults faults = {.half_open_us = 60 * SECOND_US};
    network_set_faults(r->network, 0, &faults);
    rig_connect(r, NULL);
    network_break(r->client, NETWORK_FAULT_HALF_OPEN);
    network_run(r->network, network_now_us(r->network) + SECOND_US);
    assert_int_equal(r->a.reason, CLOSE_RESET);
    assert_int_equal(r->b.closed, 0);
    assert_int_equal(loop_write(r->server, r->b.conn, bytes_text("anyone?")).code, ERR_OK);
    network_run(r->network, network_now_us(r->network) + SECOND_US);
    assert_int_equal(r->b.closed, 0);
    network_run(r->network, network_now_us(r->network) + 62 * (int64_t)SECOND_US);
    assert_int_equal(r->b.reason, CLOSE_RESET);
    rig_destroy(r);
}

static void test_a_slow_reader_is_not_stalled(void **s)
{
    (void)s;
    struct rig *r = rig_create(true, 3, (struct conn_limits){.read_max = 1000}, 8);
    static uint8_t block[65536];
    struct conn_limits limits = {.out_max = 1 << 20, .stall_ms = 300};
    rig_connect(r, &limits);
    loop_pause(r->server, r->b.conn);
    for (int i = 0; i < 3; i++)
        assert_int_equal(loop_write(r->client, r->a.conn, bytes_of(block, sizeof block)).code, ERR_OK);
    for (int i = 0; i < 20; i++) { /* a little every 200 ms, for 4 s */
        network_run(r->network, network_now_us(r->network) + SECOND_US / 5);
        loop_resume(r->server, r->b.conn);
        assert_int_equal(loop_turn(r->server, 0).code, ERR_OK);
        loop_pause(r->server, r->b.conn);
    }
    assert_int_equal(r->a.closed, 0);
    assert_true(loop_queued(r->client, r->a.conn) > 0);
    network_run(r->network, network_now_us(r->network) + SECOND_US);
    assert_int_equal(r->a.reason, CLOSE_STALLED);
    rig_destroy(r);
}

static void test_late_bytes_come_after_the_successor(void **s)
{
    (void)s;
    struct rig *r = rig_create(true, 3, (struct conn_limits){0}, 8);
    struct network_faults faults = {
        .up = {.latency_us = 1000}, .late_ppm = 1000000, .late_us = 60 * SECOND_US};
    rig_connect(r, NULL);
    uint64_t first = r->b.conn;
    network_set_faults(r->network, 0, &faults);
    loop_close(r->client, r->a.conn, CLOSE_DONE, CLOSE_NOW);
    UNTIL(r, r->a.closed);
    rig_connect(r, NULL);
    UNTIL(r, r->b.opened == 2);
    uint64_t old = r->b.conn;
    assert_true(old != first);
    assert_int_equal(loop_write(r->client, r->a.conn, bytes_text("old news")).code, ERR_OK);
    UNTIL(r, r->a.closed == 2);
    network_calm(r->network);
    assert_int_equal(loop_connect(r->client, text_bytes(&r->address), NULL, &r->a.handler, &r->a.conn).code,
                     ERR_OK);
    UNTIL(r, r->b.opened == 3);
    assert_int_equal(r->b.len, 0);
    r->b.conn = old; /* on_bytes checks that they come over the old one */
    network_run(r->network, network_now_us(r->network) + 62 * (int64_t)SECOND_US);
    assert_int_equal(r->b.len, 8);
    rig_destroy(r);
}

static void test_a_named_link_has_its_own_chances(void **s)
{
    struct network_faults faults = {.up = {.latency_us = 1000, .jitter_us = 1000000}};
    int64_t arrived_us[2];
    (void)s;
    for (int others = 0; others < 2; others++) {
        struct rig *r = rig_create(true, 5, (struct conn_limits){0}, 64);
        struct side *o = calloc(1, sizeof *o);
        must(o);
        side_init(o);
        network_set_faults(r->network, 0, &faults);
        if (others) {
            network_name_link(r->client, bytes_text("another"));
            assert_int_equal(
                loop_connect(r->client, text_bytes(&r->address), NULL, &o->handler, &o->conn).code, ERR_OK);
        }
        network_name_link(r->client, bytes_text("this"));
        assert_int_equal(
            loop_connect(r->client, text_bytes(&r->address), NULL, &r->a.handler, &r->a.conn).code, ERR_OK);
        UNTIL(r, r->a.opened);
        arrived_us[others] = network_now_us(r->network);
        free(o);
        loop_destroy(r->client);
        r->client = NULL;
        rig_destroy(r);
    }
    assert_int_equal(arrived_us[0], arrived_us[1]);
}

#define BOTH(test)                                                                                        \
    {#test " (fake)", test, NULL, NULL, "fake"}, {#test " (epoll)", test, NULL, NULL, NULL}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_bytes_arrive_in_order_both_ways),
        BOTH(test_a_write_before_the_connection_stands_is_kept),
        BOTH(test_nobody_listening_is_a_connect_failure),
        BOTH(test_what_is_not_consumed_comes_again_with_what_follows),
        BOTH(test_too_many_unconsumed_bytes_are_an_overflow),
        BOTH(test_a_paused_connection_reads_nothing_until_resumed),
        BOTH(test_a_resume_shows_kept_bytes_again),
        BOTH(test_a_reader_that_stops_fills_the_queue_and_is_told_when_there_is_room),
        BOTH(test_a_reader_that_never_reads_is_stalled),
        BOTH(test_an_orderly_close_delivers_what_was_queued),
        BOTH(test_unread_input_does_not_cost_the_peer_our_last_words),
        BOTH(test_a_close_at_once_ends_both_sides),
        BOTH(test_a_close_over_unread_input_resets_the_peer),
        BOTH(test_a_paused_connection_may_keep_its_last_read),
        BOTH(test_an_abandoned_handler_is_never_called_again),
        BOTH(test_deadlines_close_and_renewed_ones_do_not),
        BOTH(test_a_deadline_set_while_connecting_holds_afterwards),
        BOTH(test_silence_is_an_idle_timeout),
        BOTH(test_more_than_conn_max_are_closed_at_once),
        BOTH(test_hooks_come_back_when_they_asked_to),
        cmocka_unit_test(test_a_rough_network_never_repeats_skips_or_reorders_bytes_of_a_connection),
        cmocka_unit_test(test_the_same_seed_gives_the_same_bytes_at_the_same_times),
        cmocka_unit_test(test_a_killed_process_vanishes_without_callbacks_and_its_peers_hear_of_it),
        cmocka_unit_test(test_a_half_open_server_hears_nothing_for_long),
        cmocka_unit_test(test_a_slow_reader_is_not_stalled),
        cmocka_unit_test(test_late_bytes_come_after_the_successor),
        cmocka_unit_test(test_a_named_link_has_its_own_chances),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
