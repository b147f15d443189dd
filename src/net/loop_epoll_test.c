/* SPDX-License-Identifier: Apache-2.0 */
/* loop_epoll_test.c: the real loop over loopback sockets; the peers are plain blocking sockets or the loop
 * itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/loop_address.h"
#include "net/loop_epoll.h"

enum { TURNS_MAX = 20000, MANY = 2000 };

/* What one kind of connection did, and how it shall behave. */
struct side {
    struct loop *loop;
    struct conn_handler handler;
    uint64_t last;
    int opened, closed[CLOSE_N], closed_all, writable, hooks;
    size_t got, take_max;
    bool echo, pause_at_open, write_at_open;
};

static void on_open(void *ctx, uint64_t conn, struct bytes peer)
{
    struct side *s = ctx;
    assert_true(bytes_starts(peer, "127.0.0.1:"));
    s->opened++;
    s->last = conn;
    if (s->pause_at_open) loop_pause(s->loop, conn);
    if (s->write_at_open) assert_int_equal(loop_write(s->loop, conn, bytes_text("hello")).code, ERR_OK);
}

static size_t on_bytes(void *ctx, uint64_t conn, struct bytes in)
{
    struct side *s = ctx;
    size_t n = in.len < s->take_max ? in.len : s->take_max;
    s->got += n;
    if (s->echo) assert_int_equal(loop_write(s->loop, conn, bytes_of(in.at, n)).code, ERR_OK);
    return n;
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
    s->closed[reason]++;
    s->closed_all++;
}

static void side_init(struct side *s, struct loop *l)
{
    *s = (struct side){.loop = l, .take_max = SIZE_MAX};
    s->handler = (struct conn_handler){s, on_open, on_bytes, on_writable, on_close};
}

static struct loop *make_loop(uint32_t conn_max)
{
    struct loop *l;
    assert_int_equal(loop_epoll_create(&(struct loop_config){.conn_max = conn_max}, &l).code, ERR_OK);
    return l;
}

static uint32_t listen_on(struct side *s, uint32_t conn_max, struct conn_limits limits,
                          struct text64 *address)
{
    uint32_t listener;
    struct loop_listener_config config = {
        .address = bytes_text("127.0.0.1:0"), .conn_max = conn_max, .limits = limits, .handler = &s->handler};
    assert_int_equal(loop_listen(s->loop, &config, &listener).code, ERR_OK);
    assert_int_equal(loop_address(s->loop, listener, address).code, ERR_OK);
    return listener;
}

/* A blocking socket to `address`, with small kernel buffers; -1 when refused. */
static int dial(struct text64 address)
{
    struct net_address to;
    int small = 4096, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    assert_int_equal(address_parse(text_bytes(&address), &to).code, ERR_OK);
    if (connect(fd, (struct sockaddr *)&to.at, to.len) == 0) return fd;
    close(fd);
    return -1;
}

#define TURN_UNTIL(l, claim)                                            \
    do {                                                                \
        int until_turns = 0;                                                  \
        while (!(claim)) {                                              \
            assert_true(++until_turns < TURNS_MAX);                     \
            assert_int_equal(loop_turn((l), 50).code, ERR_OK);          \
        }                                                               \
    } while (0)

static void test_many_connections_echo(void **state)
{
    (void)state;
    struct loop *l = make_loop(2 * MANY);
    struct side server, client;
    struct text64 address;
    static uint64_t conns[MANY];
    char frame[80];

    memset(frame, 'f', sizeof frame);
    side_init(&server, l);
    side_init(&client, l);
    server.echo = true;
    listen_on(&server, MANY, (struct conn_limits){.idle_ms = 60000}, &address);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(loop_connect(l, text_bytes(&address), NULL, &client.handler, &conns[i]).code,
                         ERR_OK);
        assert_int_equal(loop_write(l, conns[i], bytes_of(frame, 80)).code,
                         ERR_OK); /* before it is connected */
    }
    TURN_UNTIL(l, client.got == 80 * MANY);
    assert_int_equal(l->counters.open, 2 * MANY);
    for (int round = 2; round < 6; round++) {
        uint64_t writes = l->counters.writes;
        for (int i = 0; i < MANY; i++) {
            for (int k = 0; k < 4; k++)
                assert_int_equal(loop_write(l, conns[i], bytes_of(frame, 20)).code, ERR_OK);
        }
        TURN_UNTIL(l, client.got == (size_t)(80 * MANY * round));
        assert_true(l->counters.writes - writes <= 3 * MANY); /* four messages leave in one write */
    }
    assert_int_equal(l->counters.memory_bytes, 0); /* idle connections hold nothing */
    assert_true(l->counters.memory_peak_bytes > 0);
    for (int i = 0; i < MANY; i++) loop_close(l, conns[i], CLOSE_DONE, i % 2 ? CLOSE_FLUSH : CLOSE_NOW);
    TURN_UNTIL(l, l->counters.open == 0);
    assert_int_equal(client.closed[CLOSE_DONE], MANY);
    assert_int_equal(server.closed_all, MANY);
    loop_destroy(l);
}

static void test_stale_handles_do_nothing(void **state)
{
    (void)state;
    struct loop *l = make_loop(4);
    struct side server, client;
    struct text64 address;
    uint64_t conn, other;

    side_init(&server, l);
    side_init(&client, l);
    listen_on(&server, 2, (struct conn_limits){0}, &address);
    assert_int_equal(loop_connect(l, text_bytes(&address), NULL, &client.handler, &conn).code, ERR_OK);
    TURN_UNTIL(l, server.opened == 1 && client.opened == 1);
    loop_close(l, conn, CLOSE_DONE, CLOSE_NOW);
    assert_int_equal(loop_write(l, conn, bytes_text("x")).code, ERR_STATE);
    assert_int_equal(client.closed_all, 0); /* never from inside a call */
    TURN_UNTIL(l, client.closed_all == 1 && server.closed_all == 1);
    assert_int_equal(server.closed[CLOSE_PEER], 1);
    assert_int_equal(loop_connect(l, text_bytes(&address), NULL, &client.handler, &other).code, ERR_OK);
    TURN_UNTIL(l, client.opened == 2 && server.opened == 2);
    assert_true(conn_slot(conn) == conn_slot(other) ||
                conn_slot(conn) == conn_slot(server.last)); /* used again */
    assert_int_equal(loop_write(l, conn, bytes_text("x")).code, ERR_NOT_FOUND);
    loop_close(l, conn, CLOSE_DONE, CLOSE_NOW);
    loop_pause(l, conn);
    loop_resume(l, conn);
    loop_set_deadline(l, conn, 1);
    loop_close(l, 0, CLOSE_DONE, CLOSE_NOW);
    loop_close(l, UINT64_MAX, CLOSE_DONE, CLOSE_NOW);
    assert_int_equal(loop_write(l, 0, bytes_text("x")).code, ERR_NOT_FOUND);
    for (int i = 0; i < 5; i++) assert_int_equal(loop_turn(l, 1).code, ERR_OK);
    assert_int_equal(client.closed_all, 1);
    assert_int_equal(server.got, 0);
    /* What was written between turns does not wait for the next event. */
    assert_int_equal(loop_write(l, other, bytes_text("x")).code, ERR_OK);
    int64_t start_ms = loop_now_ms(l);
    assert_int_equal(loop_turn(l, 600000).code, ERR_OK);
    assert_true(loop_now_ms(l) - start_ms < 5000);
    TURN_UNTIL(l, server.got == 1);
    loop_destroy(l);
}

static void test_leftovers_come_again_and_are_bounded(void **state)
{
    (void)state;
    struct loop *l = make_loop(4);
    struct side server;
    struct text64 address;

    side_init(&server, l);
    server.take_max = 0;
    listen_on(&server, 2, (struct conn_limits){.kept_max = 100}, &address);
    int fd = dial(address);
    char bytes[101] = {0};
    assert_int_equal(write(fd, bytes, 60), 60);
    TURN_UNTIL(l, l->counters.bytes_in == 60);
    assert_true(l->counters.memory_bytes >= 60);
    assert_int_equal(write(fd, bytes, 40), 40);
    TURN_UNTIL(l, l->counters.bytes_in == 100);
    assert_int_equal(server.closed_all, 0);
    server.take_max = 70;
    loop_resume(l, server.last); /* with nothing new */
    TURN_UNTIL(l, server.got == 70);
    server.take_max = 0;
    assert_int_equal(write(fd, bytes, 71), 71);
    TURN_UNTIL(l, server.closed[CLOSE_OVERFLOW] == 1);
    assert_int_equal(l->counters.memory_bytes, 0);
    close(fd);
    loop_destroy(l);
}

static void test_slow_reader_fills_its_queue_alone(void **state)
{
    (void)state;
    struct loop *l = make_loop(8);
    struct side server, calm;
    struct text64 address, calm_address;
    static char bytes[8192], sink[65536];
    int turns = 0;

    side_init(&server, l);
    side_init(&calm, l);
    calm.echo = true;
    listen_on(&server, 4, (struct conn_limits){.out_max = 32768}, &address);
    listen_on(&calm, 4, (struct conn_limits){0}, &calm_address);
    int slow = dial(address), good = dial(calm_address);
    TURN_UNTIL(l, server.opened == 1 && calm.opened == 1);
    while (loop_write(l, server.last, bytes_of(bytes, sizeof bytes)).code == ERR_OK) {
        assert_true(++turns < TURNS_MAX);
        assert_int_equal(loop_turn(l, 0).code, ERR_OK);
    }
    assert_true(loop_queued(l, server.last) <= 32768 && loop_queued(l, server.last) > 32768 - 8192);
    assert_int_equal(loop_write(l, server.last, bytes_of(bytes, 1)).code == ERR_OK,
                     loop_queued(l, server.last) <= 32768);
    assert_true(l->counters.out_full > 0 && l->counters.short_writes > 0);
    assert_int_equal(write(good, "ping", 4), 4);
    TURN_UNTIL(l, calm.got == 4);
    assert_int_equal(read(good, sink, 4), 4);
    int before = server.writable;
    assert_int_equal(fcntl(slow, F_SETFL, O_NONBLOCK), 0);
    while (loop_queued(l, server.last) > 0) {
        assert_true(++turns < TURNS_MAX);
        while (read(slow, sink, sizeof sink) > 0) { }
        assert_int_equal(loop_turn(l, 10).code, ERR_OK);
    }
    assert_int_equal(server.writable, before + 1);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(loop_write(l, server.last, bytes_of(bytes, 10)).code, ERR_OK);
        assert_int_equal(loop_turn(l, 1).code, ERR_OK);
    }
    assert_int_equal(server.writable, before + 1);
    assert_int_equal(server.closed_all, 0);
    close(slow);
    close(good);
    loop_destroy(l);
}

static void test_stalled_and_silent_peers_are_closed(void **state)
{
    (void)state;
    struct loop *l = make_loop(8);
    struct side server, client, patient;
    struct text64 address, patient_address;
    static char bytes[4096];
    uint64_t conn;
    int turns = 0;

    side_init(&server, l);
    side_init(&client, l);
    side_init(&patient, l);
    listen_on(&server, 8, (struct conn_limits){.out_max = 8192, .idle_ms = 1000, .stall_ms = 100}, &address);
    listen_on(&patient, 8, (struct conn_limits){0}, &patient_address);
    int silent = dial(address);
    TURN_UNTIL(l, server.opened == 1);
    int64_t start_ms = loop_now_ms(l);
    while (server.got < 5 && server.closed_all == 0) { /* each byte gives it a second more */
        if (loop_now_ms(l) - start_ms >= 300 * (int64_t)(server.got + 1))
            assert_int_equal(write(silent, "x", 1), 1);
        assert_int_equal(loop_turn(l, 10).code, ERR_OK);
    }
    assert_int_equal(server.got, 5);
    start_ms = loop_now_ms(l);
    TURN_UNTIL(l, server.closed[CLOSE_TIMEOUT] == 1);
    assert_true(loop_now_ms(l) - start_ms >= 990);
    int stalled = dial(address);
    TURN_UNTIL(l, server.opened == 2);
    while (loop_write(l, server.last, bytes_of(bytes, sizeof bytes)).code == ERR_OK) {
        assert_true(++turns < TURNS_MAX);
        assert_int_equal(loop_turn(l, 0).code, ERR_OK);
    }
    TURN_UNTIL(l, server.closed[CLOSE_STALLED] == 1);
    /* A deadline that is moved again and again never passes; the last one does. */
    assert_int_equal(loop_connect(l, text_bytes(&patient_address), NULL, &client.handler, &conn).code,
                     ERR_OK);
    TURN_UNTIL(l, client.opened == 1);
    start_ms = loop_now_ms(l);
    while (loop_now_ms(l) < start_ms + 900) {
        loop_set_deadline(l, conn, 600);
        assert_int_equal(loop_turn(l, 20).code, ERR_OK);
    }
    assert_int_equal(client.closed_all, 0);
    TURN_UNTIL(l, client.closed[CLOSE_TIMEOUT] == 1);
    close(silent);
    close(stalled);
    loop_destroy(l);
}

static void test_half_closed_peer_gets_what_was_queued(void **state)
{
    (void)state;
    struct loop *l = make_loop(8);
    struct side server;
    struct text64 address;
    char got[16] = "";

    side_init(&server, l);
    server.echo = true;
    listen_on(&server, 4, (struct conn_limits){0}, &address);
    int fd = dial(address);
    assert_int_equal(write(fd, "last words", 10), 10);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    TURN_UNTIL(l, server.closed[CLOSE_PEER] == 1);
    assert_int_equal(recv(fd, got, 10, MSG_WAITALL), 10);
    assert_string_equal(got, "last words");
    assert_int_equal(read(fd, got, 1), 0);
    close(fd);
    loop_destroy(l);
}

/* Closing over unread input would make the kernel reset the connection and the reply could be lost. */
static void test_last_reply_survives_unread_input(void **state)
{
    (void)state;
    struct loop *l = make_loop(8);
    struct side server;
    struct text64 address;
    static char bytes[65536];
    char got[16] = "";

    side_init(&server, l);
    server.take_max = 0;
    listen_on(&server, 4, (struct conn_limits){.kept_max = LOOP_READ_MAX, .read_max = 1000}, &address);
    int fd = dial(address);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    assert_true(write(fd, bytes, sizeof bytes) > 1000);
    TURN_UNTIL(l, l->counters.bytes_in >= 1000);
    assert_int_equal(loop_write(l, server.last, bytes_text("refused")).code, ERR_OK);
    loop_close(l, server.last, CLOSE_PROTOCOL, CLOSE_FLUSH);
    for (int i = 0; i < 20; i++) {
        if (write(fd, bytes, 1000) < 0) assert_int_equal(errno, EAGAIN);
        assert_int_equal(loop_turn(l, 1).code, ERR_OK);
    }
    assert_int_equal(recv(fd, got, sizeof got, 0), 7);
    assert_string_equal(got, "refused");
    assert_int_equal(server.closed_all, 0); /* lingers */
    close(fd);
    TURN_UNTIL(l, server.closed[CLOSE_PROTOCOL] == 1);
    loop_destroy(l);
}

static void test_paused_flood_is_left_in_the_kernel(void **state)
{
    (void)state;
    struct loop *l = make_loop(8);
    struct side server;
    struct text64 address;
    static char bytes[65536];
    size_t sent = 0;
    ssize_t n;

    side_init(&server, l);
    server.pause_at_open = true;
    listen_on(&server, 4, (struct conn_limits){0}, &address);
    int fd = dial(address);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    TURN_UNTIL(l, server.opened == 1);
    while ((n = write(fd, bytes, sizeof bytes)) > 0) sent += (size_t)n;
    for (int i = 0; i < 20; i++) assert_int_equal(loop_turn(l, 1).code, ERR_OK);
    assert_int_equal(l->counters.reads, 0);
    assert_int_equal(server.got, 0);
    loop_resume(l, server.last);
    TURN_UNTIL(l, server.got == sent);
    /* A reset is noticed while paused. */
    loop_pause(l, server.last);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger)), 0);
    close(fd);
    TURN_UNTIL(l, server.closed[CLOSE_RESET] == 1);
    loop_destroy(l);
}

static int64_t rest_once(void *ctx, int64_t now_ms)
{
    struct side *s = ctx;
    (void)now_ms;
    if (s->writable++ == 0) loop_rest(s->loop, 600000);
    return LOOP_NEVER;
}

static void test_a_rest_reads_nothing_until_it_is_woken(void **state)
{
    (void)state;
    struct loop *l = make_loop(8);
    struct side server, hook = {.loop = l};
    struct text64 address;

    side_init(&server, l);
    listen_on(&server, 4, (struct conn_limits){0}, &address);
    int fd = dial(address);
    TURN_UNTIL(l, server.opened == 1);
    assert_int_equal(loop_add_hook(l, (struct loop_hook){&hook, rest_once}).code, ERR_OK);
    assert_int_equal(loop_turn(l, 0).code, ERR_OK);
    assert_int_equal(write(fd, "hello", 5), 5);
    loop_wake(l); /* the rest would last ten minutes */
    assert_int_equal(loop_turn(l, 600000).code, ERR_OK);
    assert_int_equal(server.got, 0);
    TURN_UNTIL(l, server.got == 5);
    close(fd);
    loop_destroy(l);
}

static void test_connections_above_the_limit_are_refused(void **state)
{
    (void)state;
    struct loop *l = make_loop(8);
    struct side server;
    struct text64 address;
    char byte;

    side_init(&server, l);
    server.write_at_open = true;
    uint32_t listener = listen_on(&server, 2, (struct conn_limits){0}, &address);
    int a = dial(address), b = dial(address), c = dial(address);
    TURN_UNTIL(l, l->counters.refused_limit == 1);
    assert_true(read(c, &byte, 1) <= 0);
    close(a);
    TURN_UNTIL(l, server.closed_all == 1);
    int d = dial(address);
    TURN_UNTIL(l, server.opened == 3);
    loop_unlisten(l, listener);
    assert_int_equal(dial(address), -1);
    assert_int_equal(read(d, &byte, 1), 1);
    close(b);
    close(c);
    close(d);
    loop_destroy(l);
}

static void test_refused_connect_is_told(void **state)
{
    (void)state;
    struct loop *l = make_loop(8);
    struct side server, client;
    struct text64 address;
    uint64_t conn;

    side_init(&server, l);
    side_init(&client, l);
    uint32_t listener = listen_on(&server, 2, (struct conn_limits){0}, &address);
    loop_unlisten(l, listener);
    if (loop_connect(l, text_bytes(&address), NULL, &client.handler, &conn).code == ERR_OK)
        TURN_UNTIL(l, client.closed[CLOSE_CONNECT] == 1);
    assert_int_equal(client.opened, 0);
    assert_int_equal(loop_connect(l, bytes_text("example.org:80"), NULL, &client.handler, &conn).code,
                     ERR_MALFORMED);
    assert_int_equal(loop_connect(l, bytes_text("127.0.0.1:65536"), NULL, &client.handler, &conn).code,
                     ERR_MALFORMED);
    assert_int_equal(loop_connect(l, bytes_text("127.0.0.1"), NULL, &client.handler, &conn).code,
                     ERR_MALFORMED);
    assert_int_equal(loop_connect(l, bytes_text("[::1:80"), NULL, &client.handler, &conn).code,
                     ERR_MALFORMED);
    loop_destroy(l);
}

/* In a child, which then has no descriptor left: the loop must neither spin nor starve who is connected. */
static int exhausted_child(void)
{
    struct loop *l = make_loop(64);
    struct side server;
    struct text64 address;
    int fds[64], count = 0;
    char got[4];

    side_init(&server, l);
    server.echo = true;
    listen_on(&server, 64, (struct conn_limits){0}, &address);
    int first = dial(address);
    TURN_UNTIL(l, server.opened == 1);
    int top = dup(first);
    close(top);
    struct rlimit limit = {(rlim_t)top + 12, (rlim_t)top + 12};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return 2;
    for (int i = 0; i < 12; i++) { /* each takes two: here and in the loop */
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        struct net_address to;
        if (fd < 0) break;
        if (address_parse(text_bytes(&address), &to).code) return 3;
        fds[count++] = fd;
        fcntl(fd, F_SETFL, O_NONBLOCK);
        connect(fd, (struct sockaddr *)&to.at, to.len);
    }
    TURN_UNTIL(l, l->counters.refused_descriptors > 0);
    for (int i = 0; i < 10; i++) if (loop_turn(l, 20).code) return 4;
    if (l->counters.refused_descriptors > 12) return 5; /* once for each that came */
    if (write(first, "ping", 4) != 4) return 6;
    TURN_UNTIL(l, server.got == 4);
    if (read(first, got, 4) != 4) return 7;
    for (int i = 0; i < count; i++) close(fds[i]);
    TURN_UNTIL(l, l->counters.open == 1);
    int again = dial(address), opened = server.opened;
    TURN_UNTIL(l, server.opened == opened + 1);
    close(again);
    loop_destroy(l);
    return 0;
}

static void test_no_descriptors_left_does_not_spin(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0) _exit(exhausted_child());
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int64_t on_hook(void *ctx, int64_t now_ms)
{
    (void)now_ms;
    ((struct side *)ctx)->hooks++;
    return LOOP_NEVER;
}

static int64_t on_hook_soon(void *ctx, int64_t now_ms)
{
    ((struct side *)ctx)->hooks++;
    return now_ms + 30;
}

static void *wake_it(void *loop)
{
    loop_wake(loop);
    loop_wake(loop);
    return NULL;
}

static void test_wake_and_hooks_end_the_wait(void **state)
{
    (void)state;
    struct loop *l = make_loop(8);
    struct side side;
    pthread_t thread;

    side_init(&side, l);
    assert_int_equal(loop_add_hook(l, (struct loop_hook){&side, on_hook}).code, ERR_OK);
    assert_int_equal(loop_turn(l, 600000).code, ERR_OK); /* a new hook is called at once */
    for (int i = 0; i < 100; i++) {
        assert_int_equal(pthread_create(&thread, NULL, wake_it, l), 0);
        assert_int_equal(loop_turn(l, 600000).code, ERR_OK);
        pthread_join(thread, NULL);
        loop_wake(l);
        assert_int_equal(loop_turn(l, 600000).code, ERR_OK);
    }
    assert_int_equal(side.hooks, 201);
    loop_remove_hook(l, &side);
    assert_int_equal(loop_add_hook(l, (struct loop_hook){&side, on_hook_soon}).code, ERR_OK);
    for (int i = 0; i < 3; i++) assert_int_equal(loop_turn(l, 600000).code, ERR_OK);
    assert_true(side.hooks >= 203);
    for (int i = 1; i < LOOP_HOOK_MAX; i++)
        assert_int_equal(loop_add_hook(l, (struct loop_hook){&side, on_hook}).code, ERR_OK);
    assert_int_equal(loop_add_hook(l, (struct loop_hook){&side, on_hook}).code, ERR_FULL);
    loop_destroy(l);
    loop_destroy(NULL);
}

static void test_abandoned_handler_is_never_called(void **state)
{
    (void)state;
    struct loop *l = make_loop(8);
    struct side server, *client = malloc(sizeof *client);
    struct text64 address;
    uint64_t conn;

    assert_non_null(client);
    side_init(&server, l);
    side_init(client, l);
    server.write_at_open = true;
    listen_on(&server, 2, (struct conn_limits){0}, &address);
    assert_int_equal(loop_connect(l, text_bytes(&address), NULL, &client->handler, &conn).code, ERR_OK);
    TURN_UNTIL(l, server.opened == 1);
    loop_close(l, conn, CLOSE_DONE, CLOSE_ABANDON);
    free(client);
    TURN_UNTIL(l, server.closed_all == 1);
    assert_int_equal(l->counters.open, 0);
    loop_destroy(l);
}

static void test_memory_limit_refuses_writes(void **state)
{
    (void)state;
    struct loop *l;
    struct side server;
    struct text64 address;
    static char bytes[8192];

    assert_int_equal(loop_epoll_create(&(struct loop_config){.conn_max = 8, .memory_max = 4096}, &l).code,
                     ERR_OK);
    side_init(&server, l);
    listen_on(&server, 2, (struct conn_limits){0}, &address);
    int fd = dial(address);
    TURN_UNTIL(l, server.opened == 1);
    assert_int_equal(loop_write(l, server.last, bytes_of(bytes, 4097)).code, ERR_FULL);
    assert_int_equal(l->counters.memory_full, 1);
    assert_int_equal(loop_write(l, server.last, bytes_of(bytes, 4096)).code, ERR_OK);
    TURN_UNTIL(l, l->counters.memory_bytes == 0);
    close(fd);
    loop_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_connections_echo),
        cmocka_unit_test(test_stale_handles_do_nothing),
        cmocka_unit_test(test_leftovers_come_again_and_are_bounded),
        cmocka_unit_test(test_slow_reader_fills_its_queue_alone),
        cmocka_unit_test(test_stalled_and_silent_peers_are_closed),
        cmocka_unit_test(test_half_closed_peer_gets_what_was_queued),
        cmocka_unit_test(test_last_reply_survives_unread_input),
        cmocka_unit_test(test_paused_flood_is_left_in_the_kernel),
        cmocka_unit_test(test_a_rest_reads_nothing_until_it_is_woken),
        cmocka_unit_test(test_connections_above_the_limit_are_refused),
        cmocka_unit_test(test_refused_connect_is_told),
        cmocka_unit_test(test_no_descriptors_left_does_not_spin),
        cmocka_unit_test(test_wake_and_hooks_end_the_wait),
        cmocka_unit_test(test_abandoned_handler_is_never_called),
        cmocka_unit_test(test_memory_limit_refuses_writes),
    };
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    alarm(120); /* a loop that hangs is a failure too */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
