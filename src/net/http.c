/* SPDX-License-Identifier: Apache-2.0 */
/* http.c: the server, its connections and their deadlines. Requests come in through http_read.c, replies
 * leave through http_reply.c. Stands on the loop interface alone, so it runs unchanged in the simulator. */
#include "net/http.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "net/http_inside.h"
#include "net/http_text.h"

static struct http_limits limits_filled(struct http_limits limits);
static void on_open(void *ctx, uint64_t conn, struct bytes peer);
static size_t on_bytes(void *ctx, uint64_t conn, struct bytes in);
static void on_writable(void *ctx, uint64_t conn);
static void on_close(void *ctx, uint64_t conn, enum close_reason reason);
static int64_t on_turn(void *ctx, int64_t now_ms);
static void on_due(struct http_server *s, struct http_conn *c);

struct err http_server_create(struct loop *loop, const struct http_server_config *config,
                              struct http_server **out)
{
    struct err e;

    must(config->events.on_request && config->loop_conn_max > 0 &&
         config->loop_conn_max <= 1u << HTTP_SLOT_BITS);
    struct http_server *s = calloc(1, sizeof *s);
    struct http_conn **conns = calloc(config->loop_conn_max, sizeof *conns);
    if (!s || !conns) {
        free(s);
        free(conns);
        return ERR(IO, "http: no memory");
    }
    s->loop = loop;
    s->conns = conns;
    s->limits = limits_filled(config->limits);
    s->events = config->events;
    s->proxied = config->proxied;
    s->wall_ms = config->wall_ms;
    s->wall_ctx = config->wall_ctx;
    s->loop_conn_max = config->loop_conn_max;
    s->prng = prng_of(config->trace_seed, bytes_text("http trace"));
    s->scan_due_ms = LOOP_NEVER;
    s->handler = (struct conn_handler){s, on_open, on_bytes, on_writable, on_close};
    struct loop_listener_config listener = {
        .address = config->address,
        .conn_max = s->limits.conn_max,
        .handler = &s->handler,
        .limits = {.kept_max = LOOP_READ_MAX,
                   .read_max = s->limits.pipelined_max,
                   .stall_ms = s->limits.stall_ms,
                   .out_max = s->limits.reply_max + HTTP_REPLY_HEAD_MAX + 2 * HTTP_HOLD_MAX,
                   .out_low = HTTP_HOLD_MAX},
    };
    e = loop_add_hook(loop, (struct loop_hook){s, on_turn});
    if (!e.code) e = loop_listen(loop, &listener, &s->listener);
    if (e.code) {
        loop_remove_hook(loop, s);
        free(conns);
        free(s);
        return e;
    }
    *out = s;
    return NO_ERR;
}

void http_server_destroy(struct http_server *s)
{
    if (!s) return;
    loop_remove_hook(s->loop, s);
    if (!s->draining) loop_unlisten(s->loop, s->listener);
    for (uint32_t i = 0; i < s->loop_conn_max; i++) {
        struct http_conn *c = s->conns[i];
        if (!c) continue;
        loop_close(s->loop, c->conn, CLOSE_LOOP, CLOSE_ABANDON);
        http_conn_forget(s, c);
        free(c);
    }
    free(s->conns);
    free(s);
}

void http_server_drain(struct http_server *s)
{
    if (s->draining) return;
    s->draining = true;
    loop_unlisten(s->loop, s->listener);
    for (uint32_t i = 0; i < s->loop_conn_max; i++) {
        struct http_conn *c = s->conns[i];
        if (!c) continue;
        c->keep_alive = false;
        if (c->state <= HTTP_IDLE || c->state == HTTP_STREAM) http_conn_end(s, c, CLOSE_DONE, CLOSE_FLUSH);
    }
}

struct err http_server_address(struct http_server *s, struct text64 *out)
{
    return loop_address(s->loop, s->listener, out);
}

const struct http_counters *http_server_counters(const struct http_server *s) { return &s->counters; }

struct bytes http_header_of(const struct http_request *request, const char *name)
{
    for (uint32_t i = 0; i < request->header_count; i++) {
        if (http_equal_nocase(request->headers[i].name, name)) return request->headers[i].value;
    }
    return bytes_of(NULL, 0);
}

struct http_conn *http_conn_of(struct http_server *s, uint64_t handle)
{
    uint64_t slot = handle & ((1u << HTTP_SLOT_BITS) - 1);
    struct http_conn *c = handle && slot < s->loop_conn_max ? s->conns[slot] : NULL;

    return c && c->handle == handle ? c : NULL;
}

void http_set_deadline(struct http_server *s, struct http_conn *c, uint32_t in_ms)
{
    c->deadline_ms = loop_now_ms(s->loop) + in_ms;
    if (c->deadline_ms < s->scan_due_ms) s->scan_due_ms = c->deadline_ms;
}

void http_conn_end(struct http_server *s, struct http_conn *c, enum close_reason reason, enum close_how how)
{
    c->state = HTTP_CLOSING;
    c->deadline_ms = LOOP_NEVER;
    loop_close(s->loop, c->conn, reason, how);
}

void http_conn_next(struct http_server *s, struct http_conn *c)
{
    c->handle = 0;
    if (!c->keep_alive) {
        http_conn_end(s, c, CLOSE_DONE, CLOSE_FLUSH);
        return;
    }
    c->state = HTTP_IDLE;
    http_set_deadline(s, c, s->limits.keep_alive_ms);
    /* A client that asks and asks and never reads its answers is not read either, until it has. */
    c->held = loop_queued(s->loop, c->conn) > HTTP_HOLD_MAX;
    if (c->held) loop_pause(s->loop, c->conn);
    else if (!c->in_bytes) loop_resume(s->loop, c->conn);
}

static struct http_limits limits_filled(struct http_limits limits)
{
#define FILL(member, value) do { if (!limits.member) limits.member = (value); } while (0)
    FILL(conn_max, 1500);
    FILL(line_max, 4096);
    FILL(header_count_max, HTTP_HEADER_LIMIT);
    FILL(header_bytes_max, 16384);
    FILL(body_max, 65536);
    FILL(pipelined_max, 16384);
    FILL(requests_per_conn_max, 100000);
    FILL(header_ms, 10000);
    FILL(body_ms, 20000);
    FILL(keep_alive_ms, 60000);
    FILL(reply_ms, 65000);
    FILL(reply_max, 8u << 20);
    FILL(sse_queue_max, 65536);
    FILL(sse_count_max, 1000);
    FILL(sse_heartbeat_ms, 15000);
    FILL(stall_ms, 30000);
#undef FILL
    must(limits.header_count_max <= HTTP_HEADER_LIMIT && limits.pipelined_max <= LOOP_READ_MAX / 2);
    return limits;
}

static void on_open(void *ctx, uint64_t conn, struct bytes peer)
{
    struct http_server *s = ctx;
    struct http_conn *c = calloc(1, sizeof *c);

    must(conn_slot(conn) < s->loop_conn_max && !s->conns[conn_slot(conn)]);
    if (!c) {
        loop_close(s->loop, conn, CLOSE_LIMIT, CLOSE_NOW);
        return;
    }
    c->conn = conn;
    c->keep_alive = true;
    c->state = s->proxied ? HTTP_PROXY_COMES : HTTP_IDLE;
    if (text_set(&c->peer, peer).code) c->peer.len = 0;
    s->conns[conn_slot(conn)] = c;
    s->counters.conns++;
    s->counters.memory_bytes += sizeof *c;
    http_set_deadline(s, c, s->proxied ? s->limits.header_ms : s->limits.keep_alive_ms);
}

static size_t on_bytes(void *ctx, uint64_t conn, struct bytes in)
{
    struct http_server *s = ctx;
    struct http_conn *c = s->conns[conn_slot(conn)];

    if (!c) return in.len;
    c->in_bytes = true;
    size_t used = http_conn_read(s, c, in);
    c->in_bytes = false;
    return used;
}

static void on_writable(void *ctx, uint64_t conn)
{
    struct http_server *s = ctx;
    struct http_conn *c = s->conns[conn_slot(conn)];

    if (!c || !c->held) return;
    c->held = false;
    loop_resume(s->loop, conn);
}

static void on_close(void *ctx, uint64_t conn, enum close_reason reason)
{
    struct http_server *s = ctx;
    struct http_conn *c = s->conns[conn_slot(conn)];

    (void)reason;
    if (!c) return;
    uint64_t handle = c->handle;
    s->conns[conn_slot(conn)] = NULL;
    http_conn_forget(s, c);
    s->counters.conns--;
    s->counters.memory_bytes -= sizeof *c;
    if (c->streaming) s->counters.sse_open--;
    free(c);
    if (!handle) return;
    s->counters.gone++;
    if (s->events.on_gone) s->events.on_gone(s->events.ctx, handle);
}

/* Looks at all connections when the first deadline has come: there are few beside what the vehicles' port
 * carries. */
static int64_t on_turn(void *ctx, int64_t now_ms)
{
    struct http_server *s = ctx;
    int64_t due_ms = LOOP_NEVER;

    if (s->scan_due_ms > now_ms) return s->scan_due_ms;
    if (now_ms < s->scanned_ms + HTTP_SCAN_MS) return s->scanned_ms + HTTP_SCAN_MS;
    s->scanned_ms = now_ms;
    for (uint32_t i = 0; i < s->loop_conn_max; i++) {
        struct http_conn *c = s->conns[i];
        if (!c) continue;
        if (c->deadline_ms <= now_ms) on_due(s, c);
        if (c->deadline_ms < due_ms) due_ms = c->deadline_ms;
    }
    s->scan_due_ms = due_ms;
    return due_ms;
}

static void on_due(struct http_server *s, struct http_conn *c)
{
    uint64_t handle = c->handle;

    if (c->state == HTTP_STREAM) {
        http_sse_heartbeat(s, c);
        return;
    }
    if (c->state == HTTP_IDLE || c->state == HTTP_PROXY_COMES) {
        http_conn_end(s, c, CLOSE_TIMEOUT, CLOSE_FLUSH);
        return;
    }
    s->counters.timeouts++;
    if (c->state != HTTP_WAITING) {
        http_conn_refuse(s, c, HTTP_REFUSE(408, TIMEOUT, "the request did not arrive in time"));
        return;
    }
    c->handle = 0;
    http_conn_refuse(s, c, HTTP_REFUSE(504, TIMEOUT, "no answer in time"));
    s->counters.gone++;
    if (s->events.on_gone) s->events.on_gone(s->events.ctx, handle);
}
