/* SPDX-License-Identifier: Apache-2.0 */
/* near_http: near me over HTTP, 20 vehicles of 100,000, against our own hello of the same size: one server thread with the
 * whole api (token, route, arguments, snapshot, JSON), one client with 32 connections and one request in flight on each.
 *
 * Both are asked by turns. What counts is replies in a second of the server's processor time: the client and whoever else
 * works on the machine take theirs. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "api/api.h"
#include "api/clerk.h"
#include "api/secret.h"
#include "base/must.h"
#include "base/prng.h"
#include "engine/traffic.h"
#include "net/loop_epoll.h"
#include "street/street.h"

#define VEHICLES 100000u
#define CONNS 32
#define ROUNDS 5
#define SECONDS 1.0
#define NOW_MS 1790000000000ll
#define LAT_E7 577089000
#define LON_E7 119746000

static struct prng prng;

static int64_t wall_ms(void *ctx)
{
    (void)ctx;
    return NOW_MS;
}

static void random16(void *ctx, uint8_t out[16])
{
    (void)ctx;
    store_u64(out, prng_next(&prng));
    store_u64(out + 8, prng_next(&prng));
}

static void wake(void *ctx) { (void)ctx; }

static void on_must(const char *claim, const char *file, int line)
{
    fprintf(stderr, "near_http: broken promise at %s:%d: %s\n", file, line, claim);
}

/* ---- the server ---- */

static struct http_server *hello;
static char hello_body[16384];
static size_t hello_len;

static void say_hello(void *ctx, const struct http_request *request)
{
    (void)ctx;
    struct http_reply_header headers[] = {{"X-Content-Type-Options", bytes_text("nosniff")},
                                          {"Cache-Control", bytes_text("no-store")}};
    struct http_response r = {.status = 200, .content_type = "application/json", .headers = headers, .header_count = 2,
                              .body = bytes_of(hello_body, hello_len)};
    (void)http_reply(hello, request->handle, &r);
}

#define SET(text, from) text_clip(&(text), bytes_text(from))

static struct point somewhere(void)
{
    return (struct point){LAT_E7 + (int32_t)prng_between(&prng, -899322, 899322),
                          LON_E7 + (int32_t)prng_between(&prng, -1683100, 1683100)};
}

static struct street *make_street(void)
{
    struct street *s;
    struct err e = street_create(&(struct street_options){.vehicles_max = VEHICLES, .key = {1, 2}}, &s);
    must(!e.code);
    struct legal_entity entity = {.id = 1, .decimals = 2};
    SET(entity.currency, "SEK");
    struct city city = {.id = 2, .entity_id = 1};
    SET(city.code, "gothenburg");
    struct vehicle_type type = {.id = 3, .motor = true};
    SET(type.code, "scooter");
    struct plan plan = {.id = 4, .city_id = 2, .unlock_minor = 1000, .minute_minor = 250};
    street_put(s, 1, ROW_LEGAL_ENTITY, &entity, false);
    street_put(s, 1, ROW_CITY, &city, false);
    street_put(s, 1, ROW_VEHICLE_TYPE, &type, false);
    street_put(s, 1, ROW_PLAN, &plan, false);
    for (uint32_t i = 0; i < VEHICLES; i++) {
        char text[16];
        struct point at = somewhere();
        struct vehicle v = {.id = 100 + i, .type_id = 3, .city_id = 2, .device_id = 1000000 + i, .state = VEHICLE_AVAILABLE};
        snprintf(text, sizeof text, "GBG-%u", i);
        SET(v.code, text);
        struct device d = {.id = 1000000 + i, .vehicle_id = 100 + i, .session = 1, .seen_ms = NOW_MS, .has_fix = true,
                           .lock_state = LOCK_STATE_LOCKED, .battery_pct = 80, .has_battery = true, .lat_e7 = at.lat_e7,
                           .lon_e7 = at.lon_e7};
        if (!street_has_room(s)) must(street_show(s, 1, NOW_MS));
        street_put(s, 1, ROW_VEHICLE, &v, false);
        street_put(s, 1, ROW_DEVICE, &d, false);
    }
    must(street_show(s, 1, NOW_MS));
    return s;
}

struct said { struct text64 api, hello; char token[AUTH_TOKEN_LEN]; };

static void serve(int to_parent, size_t body_len)
{
    struct said said;
    struct loop *loop;
    struct auth *auth;
    struct clerk *clerk;
    struct desk *desk;
    struct api *api;
    struct uuid account;
    static struct ring urgent, out;
    size_t need = ring_need(sizeof(struct inbound), 64) + ring_need(sizeof(struct to_api), 64);
    struct arena a = arena_on(calloc(1, need), need);
    ring_init(&urgent, &a, sizeof(struct inbound), 64);
    ring_init(&out, &a, sizeof(struct to_api), 64);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct err e = loop_epoll_create(&(struct loop_config){.conn_max = 256}, &loop);
    must(!e.code);
    e = auth_create(&(struct auth_options){.path = ":memory:", .exclusive = true}, &auth);
    must(!e.code);
    struct auth_grant grant = {.role = AUTH_RIDER, .now_ms = NOW_MS, .expires_ms = NOW_MS + 3600000};
    e = auth_grant(auth, &grant, said.token, &account);
    must(!e.code);
    e = clerk_create(&(struct clerk_options){.shared = auth, .cost = SECRET_COST_LEAST}, &clerk);
    must(!e.code);
    e = desk_create(&(struct desk_options){.path = "/nowhere/tables.db", .inline_jobs = true}, &desk);
    must(!e.code);
    struct api_config config = {.loop = loop, .loop_conn_max = 256, .address = bytes_text("127.0.0.1:0"), .urgent = &urgent,
                                .out = &out, .world = {.wake_engine = wake, .wall_ms = wall_ms, .random16 = random16},
                                .auth = auth, .clerk = clerk, .desk = desk, .street = make_street(), .key = {1, 2},
                                .build = "bench"};
    e = api_create(&config, &api);
    must(!e.code);
    struct http_server_config plain = {.address = bytes_text("127.0.0.1:0"), .loop_conn_max = 256,
                                       .events = {.on_request = say_hello}, .wall_ms = wall_ms};
    e = http_server_create(loop, &plain, &hello);
    must(!e.code && !api_address(api, &said.api, NULL).code && !http_server_address(hello, &said.hello).code);
    hello_len = body_len;
    memset(hello_body, 'x', hello_len);
    must(write(to_parent, &said, sizeof said) == sizeof said);
    for (;;) must(!loop_turn(loop, 1000).code);
}

/* ---- the client ---- */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void dial(const struct text64 *address, struct pollfd conns[CONNS])
{
    struct bytes port = text_bytes(address);
    uint64_t number;
    (void)bytes_split(&port, ':');
    must(!bytes_u64(port, 5, &number).code);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < CONNS; i++) {
        int on = 1;
        conns[i] = (struct pollfd){.fd = socket(AF_INET, SOCK_STREAM, 0), .events = POLLIN};
        must(connect(conns[i].fd, (struct sockaddr *)&to, sizeof to) == 0);
        setsockopt(conns[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
}

static void ask(int fd, const char *token)
{
    char text[400];
    struct point at = somewhere();
    int len = snprintf(text, sizeof text, "GET /v1/near?lat=%d.%07d&lon=%d.%07d HTTP/1.1\r\nHost: bench\r\n"
                       "Authorization: Bearer %.*s\r\n\r\n", at.lat_e7 / 10000000, at.lat_e7 % 10000000, at.lon_e7 / 10000000,
                       at.lon_e7 % 10000000, (int)AUTH_TOKEN_LEN, token);
    must(send(fd, text, (size_t)len, MSG_NOSIGNAL) == len);
}

/* Reads what is there; true when it ends a reply. Replies are small: each comes in one piece or two. */
static bool answered(int fd, size_t *body_len)
{
    static char text[32768];
    size_t have = 0;
    for (;;) {
        ssize_t n = recv(fd, text + have, sizeof text - 1 - have, 0);
        must(n > 0);
        have += (size_t)n;
        text[have] = 0;
        const char *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "content-length: ");
        if (!end || !length) continue;
        uint64_t len;
        struct bytes line = bytes_of(length + 16, (size_t)(text + have - length - 16));
        must(!bytes_u64(bytes_split(&line, '\r'), 9, &len).code);
        *body_len = (size_t)len;
        if (have == (size_t)(end + 4 - text) + *body_len) break;
    }
    must(strncmp(text, "HTTP/1.1 200", 12) == 0);
    return true;
}

/* Of the server, on the processor. */
static double server_seconds(pid_t pid)
{
    clockid_t clock;
    struct timespec t;
    must(clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &t) == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double rate(pid_t pid, struct pollfd conns[CONNS], const char *token, double for_s, double *bytes)
{
    double begun = seconds(), worked = server_seconds(pid);
    unsigned long replies = 0, sum = 0;
    for (int i = 0; i < CONNS; i++) ask(conns[i].fd, token);
    while (seconds() - begun < for_s) {
        must(poll(conns, CONNS, 1000) > 0);
        for (int i = 0; i < CONNS; i++) {
            size_t len;
            if (!(conns[i].revents & POLLIN) || !answered(conns[i].fd, &len)) continue;
            replies++;
            sum += len;
            ask(conns[i].fd, token);
        }
    }
    worked = server_seconds(pid) - worked;
    for (int i = 0; i < CONNS; i++) {
        size_t len;
        (void)answered(conns[i].fd, &len);
    }
    *bytes = (double)sum / (double)replies;
    return (double)replies / worked;
}

static pid_t start(size_t body_len, struct said *said)
{
    int pipes[2];
    must(pipe(pipes) == 0);
    pid_t pid = fork();
    must(pid >= 0);
    if (!pid) serve(pipes[1], body_len);
    must(read(pipes[0], said, sizeof *said) == sizeof *said);
    return pid;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void)
{
    struct said said;
    struct pollfd near[CONNS], plain[CONNS];
    double near_rates[ROUNDS], hello_rates[ROUNDS], bytes, unused;
    must_set_handler(on_must);
    prng = prng_of(1, bytes_text("near"));
    pid_t pid = start(1, &said); /* how long is an answer? */
    dial(&said.api, near);
    (void)rate(pid, near, said.token, 0.1, &bytes);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    pid = start((size_t)bytes, &said);
    dial(&said.api, near);
    dial(&said.hello, plain);
    for (int i = 0; i < ROUNDS; i++) {
        hello_rates[i] = rate(pid, plain, said.token, SECONDS, &unused);
        near_rates[i] = rate(pid, near, said.token, SECONDS, &unused);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    qsort(near_rates, ROUNDS, sizeof *near_rates, by_size);
    qsort(hello_rates, ROUNDS, sizeof *hello_rates, by_size);
    printf("{\"name\":\"near me over HTTP, 20 of 100,000, %.0f bytes\",\"value\":%.0f,\"unit\":\"replies/core s\","
           "\"peer\":\"our own hello of as many bytes\",\"peer_value\":%.0f}\n", bytes, near_rates[ROUNDS / 2],
           hello_rates[ROUNDS / 2]);
    return 0;
}
