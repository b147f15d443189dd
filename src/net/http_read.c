/* SPDX-License-Identifier: Apache-2.0 */
/* http_read.c: bytes of one connection become requests. Heads are gathered line by line, so that a bare LF or
 * a control character is refused when it comes and not when the head is whole; bodies come by length or chunks. */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "net/http_inside.h"
#include "net/http_text.h"
#include "net/proxy.h"

static size_t proxy_take(struct http_server *s, struct http_conn *c, struct bytes in);
static size_t head_take(struct http_server *s, struct http_conn *c, struct bytes in);
static void head_done(struct http_server *s, struct http_conn *c, bool more_came);
static size_t body_take(struct http_server *s, struct http_conn *c, struct bytes in);
static size_t chunks_take(struct http_server *s, struct http_conn *c, struct bytes in);
static void request_done(struct http_server *s, struct http_conn *c);
static void trace_id_set(struct http_server *s, struct http_conn *c);
static bool mem_put(struct http_server *s, struct http_conn *c, struct bytes bytes);

size_t http_conn_read(struct http_server *s, struct http_conn *c, struct bytes in)
{
    size_t used = 0;

    while (used < in.len) {
        struct bytes rest = bytes_of(in.at + used, in.len - used);
        switch ((enum http_state)c->state) {
        case HTTP_PROXY_COMES: {
            size_t header = proxy_take(s, c, rest);
            if (!header) return c->state == HTTP_CLOSING ? in.len : used;
            used += header;
            break;
        }
        case HTTP_IDLE:
            if (c->held) return used;
            http_set_deadline(s, c, s->limits.header_ms);
            c->state = HTTP_HEAD_COMES;
            /* fall through */
        case HTTP_HEAD_COMES:
            used += head_take(s, c, rest);
            break;
        case HTTP_BODY_COMES:
            used += c->chunked ? chunks_take(s, c, rest) : body_take(s, c, rest);
            break;
        case HTTP_WAITING:
            if (rest.len >= s->limits.pipelined_max) loop_pause(s->loop, c->conn);
            return used;
        case HTTP_STREAM:
        case HTTP_CLOSING:
            return in.len;
        }
    }
    return used;
}

void http_conn_forget(struct http_server *s, struct http_conn *c)
{
    s->counters.memory_bytes -= c->mem_cap;
    free(c->mem);
    c->mem = NULL;
    c->mem_len = c->mem_cap = c->head_len = c->line_at = c->lines = 0;
    c->body_left = 0;
}

/* 0: more has to come, or the connection ends. */
static size_t proxy_take(struct http_server *s, struct http_conn *c, struct bytes in)
{
    size_t used;
    struct err e = proxy_read(in, &used, &c->peer);

    if (e.code) {
        s->counters.refused_proxy++;
        http_conn_end(s, c, CLOSE_PROTOCOL, CLOSE_NOW);
        return 0;
    }
    if (used) {
        c->state = HTTP_IDLE;
        http_set_deadline(s, c, s->limits.keep_alive_ms);
    }
    return used;
}

/* Takes at most one line. */
static size_t head_take(struct http_server *s, struct http_conn *c, struct bytes in)
{
    size_t end = bytes_find(in, '\n');
    struct bytes part = bytes_of(in.at, end < in.len ? end + 1 : end);

    if (http_head_has_control(part)) {
        http_conn_refuse(s, c, HTTP_REFUSE(400, MALFORMED, "control character in the head"));
        return part.len;
    }
    if (c->lines == 0 && c->mem_len + part.len > s->limits.line_max) {
        http_conn_refuse(s, c, HTTP_REFUSE(414, TOO_LARGE, "the request line is too long"));
        return part.len;
    }
    if (c->mem_len + part.len > s->limits.header_bytes_max) {
        http_conn_refuse(s, c, HTTP_REFUSE(431, TOO_LARGE, "the headers are too long"));
        return part.len;
    }
    if (!mem_put(s, c, part)) return part.len;
    if (end == in.len) return part.len;
    if (c->mem_len < 2 || c->mem[c->mem_len - 2] != '\r' || c->mem_len < c->line_at + 2) {
        http_conn_refuse(s, c, HTTP_REFUSE(400, MALFORMED, "a line ends without CR"));
        return part.len;
    }
    bool empty = c->mem_len == c->line_at + 2;
    if (!empty) {
        c->line_at = c->mem_len;
        if (++c->lines > s->limits.header_count_max + 1)
            http_conn_refuse(s, c, HTTP_REFUSE(431, TOO_LARGE, "too many headers"));
    } else if (c->lines > 0) {
        head_done(s, c, part.len < in.len);
    } else if (++c->blank_lines > HTTP_BLANK_LINES_MAX) {
        http_conn_refuse(s, c, HTTP_REFUSE(400, MALFORMED, "empty lines in place of a request"));
    } else {
        c->mem_len = 0;
    }
    return part.len;
}

static void head_done(struct http_server *s, struct http_conn *c, bool more_came)
{
    struct http_refusal r;

    c->blank_lines = 0;
    c->head_len = c->mem_len;
    r = http_head_parse(bytes_of(c->mem, c->head_len), &s->limits, &s->head);
    if (r.status) {
        http_conn_refuse(s, c, r);
        return;
    }
    c->verb = (uint8_t)s->head.verb;
    c->requests++;
    if (!s->head.keep_alive || s->draining || c->requests >= s->limits.requests_per_conn_max)
        c->keep_alive = false;
    if (!s->head.chunked && s->head.content_length == 0) {
        request_done(s, c);
        return;
    }
    c->body_left = s->head.content_length;
    c->chunked = s->head.chunked;
    c->chunks = http_chunks_of(s->limits.body_max);
    c->state = HTTP_BODY_COMES;
    http_set_deadline(s, c, s->limits.body_ms);
    /* Who has sent its body already does not wait for leave. */
    if (s->head.expects_continue && !more_came) {
        struct err e = loop_write(s->loop, c->conn, bytes_text("HTTP/1.1 100 Continue\r\n\r\n"));
        if (e.code) http_conn_end(s, c, CLOSE_SLOW, CLOSE_NOW);
    }
}

static size_t body_take(struct http_server *s, struct http_conn *c, struct bytes in)
{
    size_t n = in.len < c->body_left ? in.len : (size_t)c->body_left;

    if (!mem_put(s, c, bytes_of(in.at, n))) return n;
    c->body_left -= n;
    if (c->body_left == 0) request_done(s, c);
    return n;
}

static size_t chunks_take(struct http_server *s, struct http_conn *c, struct bytes in)
{
    struct bytes rest = in, part;

    do {
        struct http_refusal r = http_chunks_next(&c->chunks, &rest, &part);
        if (r.status) {
            http_conn_refuse(s, c, r);
            return in.len;
        }
        if (!mem_put(s, c, part)) return in.len;
    } while (part.len > 0);
    if (c->chunks.state == HTTP_CHUNKS_DONE) request_done(s, c);
    return in.len - rest.len;
}

static void request_done(struct http_server *s, struct http_conn *c)
{
    struct bytes body = bytes_of(c->mem + c->head_len, c->mem_len - c->head_len);

    /* Again, because the memory may have moved while the body came. */
    must(!http_head_parse(bytes_of(c->mem, c->head_len), &s->limits, &s->head).status);
    trace_id_set(s, c);
    c->state = HTTP_WAITING;
    c->handle = ++s->serial << HTTP_SLOT_BITS | conn_slot(c->conn);
    http_set_deadline(s, c, s->limits.reply_ms);
    s->counters.requests++;
    s->counters.body_bytes_in += body.len;
    struct http_request request = {
        .handle = c->handle,
        .verb = s->head.verb,
        .method = s->head.method,
        .target = s->head.target,
        .path = s->head.path,
        .query = s->head.query,
        .headers = s->head.headers,
        .header_count = s->head.header_count,
        .body = body,
        .trace_id = bytes_of(c->trace_id, sizeof c->trace_id),
        .parent_id = bytes_of(c->parent_id, c->sampled == SAMPLED_UNSAID ? 0 : sizeof c->parent_id),
        .sampled = (enum http_sampled)c->sampled,
        .peer = text_bytes(&c->peer),
    };
    s->events.on_request(s->events.ctx, &request);
    http_conn_forget(s, c);
}

static void trace_id_set(struct http_server *s, struct http_conn *c)
{
    struct buf b = buf_on(c->trace_id, sizeof c->trace_id);
    struct traceparent given;

    c->sampled = SAMPLED_UNSAID;
    for (uint32_t i = 0; i < s->head.header_count; i++) {
        if (!http_equal_nocase(s->head.headers[i].name, "traceparent")) continue;
        if (!http_traceparent(s->head.headers[i].value, &given)) break;
        buf_put_bytes(&b, given.trace_id);
        memcpy(c->parent_id, given.parent_id.at, sizeof c->parent_id);
        c->sampled = given.sampled ? SAMPLED_YES : SAMPLED_NO;
        return;
    }
    buf_put_hex64(&b, prng_next(&s->prng));
    buf_put_hex64(&b, prng_next(&s->prng));
}

/* Grows as bytes come, not as a header promises. False: refused for lack of memory. */
static bool mem_put(struct http_server *s, struct http_conn *c, struct bytes bytes)
{
    size_t need = c->mem_len + bytes.len, cap = c->mem_cap ? c->mem_cap : 512;

    while (cap < need) cap *= 2;
    if (cap > c->mem_cap) {
        uint8_t *mem = realloc(c->mem, cap);
        if (!mem) {
            http_conn_refuse(s, c, HTTP_REFUSE(503, FULL, "no memory for the request"));
            return false;
        }
        s->counters.memory_bytes += cap - c->mem_cap;
        c->mem = mem;
        c->mem_cap = (uint32_t)cap;
    }
    if (bytes.len) memcpy(c->mem + c->mem_len, bytes.at, bytes.len);
    c->mem_len += (uint32_t)bytes.len;
    return true;
}
