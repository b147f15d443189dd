/* SPDX-License-Identifier: Apache-2.0 */
/* net_echo.c: what the loop costs: 80-byte messages over 1,000 loopback connections through src/net's loop
 * and through the shortest epoll echo one can write, with 1 and 8 messages in flight, by turns. Prints one
 * line of JSON per pair.
 *
 * The client is the same for both and takes about half of the machine: trust ratios. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "net/loop_address.h"
#include "net/loop_epoll.h"

enum { CONNS = 1000, FRAME = 80, IN_FLIGHT_MAX = 8, ROUNDS = 3 };
static const double SECONDS = 1.5;

#define CHECK(claim)                                                                                         \
    do {                                                                                                     \
        if (!(claim)) {                                                                                      \
            fprintf(stderr, "net_echo: %s failed: %s\n", #claim, strerror(errno));                           \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

static struct loop *echo_loop;

static size_t echo_bytes(void *ctx, uint64_t conn, struct bytes in)
{
    size_t whole = in.len / FRAME * FRAME; /* frames are acknowledged whole, as a gateway does */
    (void)ctx;
    for (size_t at = 0; at < whole; at += FRAME) {
        if (loop_write(echo_loop, conn, bytes_of(in.at + at, FRAME)).code)
            loop_close(echo_loop, conn, CLOSE_SLOW, CLOSE_NOW);
        loop_set_deadline(echo_loop, conn, 60000);
    }
    return whole;
}

static void serve_loop(int port_pipe)
{
    static const struct conn_handler handler = {.on_bytes = echo_bytes};
    struct loop_listener_config config = {
        .address = bytes_text("127.0.0.1:0"), .conn_max = CONNS, .handler = &handler};
    struct net_address at;
    struct text64 address;
    uint32_t listener;

    CHECK(loop_epoll_create(&(struct loop_config){.conn_max = CONNS}, &echo_loop).code == ERR_OK);
    CHECK(loop_listen(echo_loop, &config, &listener).code == ERR_OK);
    CHECK(loop_address(echo_loop, listener, &address).code == ERR_OK);
    CHECK(address_parse(text_bytes(&address), &at).code == ERR_OK);
    CHECK(write(port_pipe, &((struct sockaddr_in *)&at.at)->sin_port, 2) == 2);
    for (;;) CHECK(loop_turn(echo_loop, 1000).code == ERR_OK);
}

static void serve_bare(int port_pipe)
{
    static char buffer[65536];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    struct epoll_event events[256], add = {.events = EPOLLIN, .data.fd = -1};
    int listening = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0), one = 1;

    CHECK(setsockopt(listening, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0);
    CHECK(bind(listening, (struct sockaddr *)&at, sizeof at) == 0 && listen(listening, 4096) == 0);
    CHECK(getsockname(listening, (struct sockaddr *)&at, &len) == 0 &&
          write(port_pipe, &at.sin_port, 2) == 2);
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, listening, &add) == 0);
    for (;;) {
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd < 0) {
                add.data.fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
                if (add.data.fd >= 0) CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, add.data.fd, &add) == 0);
                add.data.fd = -1;
                continue;
            }
            ssize_t n = read(fd, buffer, sizeof buffer);
            if (n <= 0) close(fd);
            else CHECK(write(fd, buffer, (size_t)n) == n);
        }
    }
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Messages a second through the server at `port`: as many come back as are sent again. */
static double drive(uint16_t port, int in_flight)
{
    static char buffer[FRAME * IN_FLIGHT_MAX];
    static size_t got[65536];
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event events[256];
    int epoll = epoll_create1(0), one = 1, fds[CONNS];
    size_t burst = (size_t)(FRAME * in_flight);
    uint64_t messages = 0;

    for (int i = 0; i < CONNS; i++) {
        struct epoll_event add = {.events = EPOLLIN};
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        CHECK(fds[i] >= 0 && fds[i] < 65536 && connect(fds[i], (struct sockaddr *)&at, sizeof at) == 0);
        CHECK(setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0 &&
              fcntl(fds[i], F_SETFL, O_NONBLOCK) == 0);
        add.data.fd = fds[i];
        got[fds[i]] = 0;
        CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &add) == 0);
        CHECK(write(fds[i], buffer, burst) == (ssize_t)burst);
    }
    double start = now_s(), end = start + SECONDS;
    while (now_s() < end) {
        int count = epoll_wait(epoll, events, 256, 100);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            ssize_t n = read(fd, buffer, sizeof buffer);
            CHECK(n > 0);
            got[fd] += (size_t)n;
            if (got[fd] < burst) continue;
            got[fd] -= burst;
            messages += (uint64_t)in_flight;
            CHECK(write(fd, buffer, burst) == (ssize_t)burst);
        }
    }
    double rate = (double)messages / (now_s() - start);
    for (int i = 0; i < CONNS; i++) close(fds[i]);
    close(epoll);
    return rate;
}

static double run(void (*serve)(int port_pipe), int in_flight)
{
    int ports[2];
    uint16_t port;

    CHECK(pipe(ports) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(ports[1]);
    }
    CHECK(read(ports[0], &port, 2) == 2);
    double rate = drive(port, in_flight);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ports[0]);
    close(ports[1]);
    return rate;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(void)
{
    for (int in_flight = 1; in_flight <= IN_FLIGHT_MAX; in_flight += IN_FLIGHT_MAX - 1) {
        double ours[ROUNDS], bare[ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
            bare[i] = run(serve_bare, in_flight);
            ours[i] = run(serve_loop, in_flight);
        }
        qsort(ours, ROUNDS, sizeof *ours, by_size);
        qsort(bare, ROUNDS, sizeof *bare, by_size);
        printf("{\"name\":\"net_echo_%d\",\"value\":%.0f,\"unit\":\"msg/s\",\"peer\":\"bare epoll "
               "echo\",\"peer_value\":%.0f,"
               "\"ratio\":%.2f,\"runs\":%d,\"min\":%.0f,\"max\":%.0f}\n",
               in_flight, ours[ROUNDS / 2], bare[ROUNDS / 2], ours[ROUNDS / 2] / bare[ROUNDS / 2], ROUNDS,
               ours[0], ours[ROUNDS - 1]);
    }
    return 0;
}
