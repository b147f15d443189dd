/* SPDX-License-Identifier: Apache-2.0 */
/* http_client.c: see http_client.h. llhttp parses; header fields are gathered as offsets because memory
 * moves. */
#include "net/http_client.h"

#include <llhttp.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "net/http_text.h"

enum { HEAD_MAX = 16384, OUT_MAX = 1 << 20 };

struct span { uint32_t at, len; };

struct http_client {
    struct loop *loop;
    struct http_client_events events;
    struct conn_handler handler;
    struct text64 address;
    uint32_t reply_max, event_max, timeout_ms;
    uint64_t conn;                /* 0: not connected */
    llhttp_t parser;
    uint8_t *mem;                 /* header texts, then the body or the event that comes */
    uint32_t mem_len, mem_cap, body_at, line_at;
    struct span names[HTTP_CLIENT_HEADERS_MAX], values[HTTP_CLIENT_HEADERS_MAX];
    uint32_t header_count;
    bool busy, stream, streaming, in_value, is_head, done, too_large, in_parser, after_cr, keep;
};

static size_t on_bytes(void *ctx, uint64_t conn, struct bytes in);
static void on_close(void *ctx, uint64_t conn, enum close_reason reason);
static int on_field(llhttp_t *p, const char *at, size_t len);
static int on_value(llhttp_t *p, const char *at, size_t len);
static int on_headers(llhttp_t *p);
static int on_body(llhttp_t *p, const char *at, size_t len);
static int on_message(llhttp_t *p);
static void request_put(struct http_client *c, const struct http_client_request *request, struct buf *b);
static void request_start(struct http_client *c, const struct http_client_request *request);
static bool mem_put(struct http_client *c, struct bytes bytes, uint32_t max);
static bool mem_repeat(struct http_client *c, struct span span);
static void reply_done(struct http_client *c, bool keep);
static void fail(struct http_client *c, struct err why);
static bool stream_take(struct http_client *c, struct bytes in);
static bool event_done(struct http_client *c);

static const llhttp_settings_t settings = {
    .on_header_field = on_field, .on_header_value = on_value, .on_headers_complete = on_headers,
    .on_body = on_body, .on_message_complete = on_message,
};

struct err http_client_create(struct loop *loop, const struct http_client_config *config,
                              struct http_client **out)
{
    struct http_client *c = calloc(1, sizeof *c);

    if (!c) return ERR(IO, "client: no memory");
    struct err e = text_set(&c->address, config->address);
    if (e.code) {
        free(c);
        return e;
    }
    c->loop = loop;
    c->events = config->events;
    c->reply_max = config->reply_max ? config->reply_max : 1u << 20;
    c->event_max = config->event_max ? config->event_max : 65536;
    c->timeout_ms = config->timeout_ms ? config->timeout_ms : 70000;
    c->handler = (struct conn_handler){.ctx = c, .on_bytes = on_bytes, .on_close = on_close};
    *out = c;
    return NO_ERR;
}

void http_client_destroy(struct http_client *c)
{
    if (!c) return;
    must(!c->in_parser);
    http_client_hang_up(c);
    free(c->mem);
    free(c);
}

struct err http_client_send(struct http_client *c, const struct http_client_request *request)
{
    static const struct conn_limits limits = {.kept_max = 1, .out_max = OUT_MAX};
    char head[HEAD_MAX];
    struct buf b = buf_on(head, sizeof head);

    if (c->busy || c->in_parser) return ERR(STATE, "client: one request is in flight");
    request_put(c, request, &b);
    if (b.full || request->body.len > OUT_MAX - HEAD_MAX)
        return ERR(FULL, "client: the request is too large");
    if (!c->conn) TRY(loop_connect(c->loop, text_bytes(&c->address), &limits, &c->handler, &c->conn));
    struct err e = loop_write(c->loop, c->conn, buf_bytes(&b));
    if (!e.code) e = loop_write(c->loop, c->conn, request->body);
    if (e.code) {
        http_client_hang_up(c);
        return e;
    }
    request_start(c, request);
    loop_set_deadline(c->loop, c->conn, c->timeout_ms);
    return NO_ERR;
}

bool http_client_is_busy(const struct http_client *c) { return c->busy; }

void http_client_hang_up(struct http_client *c)
{
    if (c->conn) loop_close(c->loop, c->conn, CLOSE_DONE, CLOSE_ABANDON);
    c->conn = 0;
    c->busy = c->streaming = false;
}

struct bytes http_client_header_of(const struct http_client_reply *reply, const char *name)
{
    for (uint32_t i = 0; i < reply->header_count; i++) {
        if (http_equal_nocase(reply->headers[i].name, name)) return reply->headers[i].value;
    }
    return bytes_of(NULL, 0);
}

static size_t on_bytes(void *ctx, uint64_t conn, struct bytes in)
{
    struct http_client *c = ctx;

    (void)conn;
    if (!c->busy) {
        /* Nobody asked: whatever this is, it must not become the answer to the next request. */
        http_client_hang_up(c);
        return in.len;
    }
    c->in_parser = true;
    llhttp_errno_t error = llhttp_execute(&c->parser, (const char *)in.at, in.len);
    c->in_parser = false;
    if (!c->busy) return in.len; /* on_open or on_event hung up */
    if (c->done && error == HPE_PAUSED) {
        bool more = llhttp_get_error_pos(&c->parser) != (const char *)in.at + in.len;
        /* llhttp has forgotten the flags by now; on_headers noted whether the connection may stay. */
        if (c->streaming) fail(c, ERR(IO, "client: the stream ended"));
        else reply_done(c, c->keep && !more);
    } else if (error != HPE_OK) {
        fail(c, c->too_large ? ERR(TOO_LARGE, "client: the reply is larger than its limit")
                             : ERR(MALFORMED, "client: the reply is not HTTP"));
    } else if (c->streaming) {
        loop_set_deadline(c->loop, c->conn, c->timeout_ms);
    }
    return in.len;
}

static void on_close(void *ctx, uint64_t conn, enum close_reason reason)
{
    struct http_client *c = ctx;

    (void)conn;
    c->conn = 0;
    if (!c->busy) return;
    if (reason == CLOSE_PEER && !c->streaming) {
        c->in_parser = true;
        llhttp_finish(&c->parser); /* a body without length ends here */
        c->in_parser = false;
        if (c->done) {
            reply_done(c, false);
            return;
        }
    }
    if (reason == CLOSE_TIMEOUT) fail(c, ERR(TIMEOUT, "client: no reply in time"));
    else if (reason == CLOSE_CONNECT) fail(c, ERR(IO, "client: no connection"));
    else fail(c, ERR(IO, "client: the connection broke"));
}

static void request_put(struct http_client *c, const struct http_client_request *request, struct buf *b)
{
    buf_put_text(b, request->method);
    buf_put_char(b, ' ');
    buf_put_bytes(b, request->target);
    buf_put_text(b, " HTTP/1.1\r\nHost: ");
    buf_put_bytes(b, text_bytes(&c->address));
    buf_put_text(b, "\r\n");
    for (uint32_t i = 0; i < request->header_count; i++) {
        buf_put_text(b, request->headers[i].name);
        buf_put_text(b, ": ");
        buf_put_bytes(b, request->headers[i].value);
        buf_put_text(b, "\r\n");
    }
    if (request->content_type) {
        buf_put_text(b, "Content-Type: ");
        buf_put_text(b, request->content_type);
        buf_put_text(b, "\r\n");
    }
    if (request->body.len > 0 || request->method[0] == 'P') {
        buf_put_text(b, "Content-Length: ");
        buf_put_u64(b, request->body.len);
        buf_put_text(b, "\r\n");
    }
    buf_put_text(b, "\r\n");
}

static void request_start(struct http_client *c, const struct http_client_request *request)
{
    llhttp_init(&c->parser, HTTP_RESPONSE, &settings);
    c->parser.data = c;
    c->mem_len = c->body_at = c->line_at = c->header_count = 0;
    c->busy = true;
    c->stream = request->stream;
    c->is_head = bytes_equal_text(bytes_text(request->method), "HEAD");
    c->streaming = c->in_value = c->done = c->too_large = c->after_cr = c->keep = false;
}

static int on_field(llhttp_t *p, const char *at, size_t len)
{
    struct http_client *c = p->data;

    if (c->in_value || c->header_count == 0) {
        if (c->header_count == HTTP_CLIENT_HEADERS_MAX) {
            c->too_large = true;
            return -1;
        }
        c->header_count++;
        c->names[c->header_count - 1] = c->values[c->header_count - 1] = (struct span){c->mem_len, 0};
        c->in_value = false;
    }
    if (!mem_put(c, bytes_of(at, len), c->reply_max)) return -1;
    c->names[c->header_count - 1].len += (uint32_t)len;
    return 0;
}

static int on_value(llhttp_t *p, const char *at, size_t len)
{
    struct http_client *c = p->data;

    if (c->header_count == 0) return -1;
    if (!c->in_value) c->values[c->header_count - 1] = (struct span){c->mem_len, 0};
    c->in_value = true;
    if (!mem_put(c, bytes_of(at, len), c->reply_max)) return -1;
    c->values[c->header_count - 1].len += (uint32_t)len;
    return 0;
}

static int on_headers(llhttp_t *p)
{
    struct http_client *c = p->data;

    p->upgrade = 0;
    c->body_at = c->line_at = c->mem_len;
    c->keep = !(p->flags & F_CONNECTION_CLOSE) && p->http_minor == 1;
    if (c->stream && p->status_code == 200) {
        c->streaming = true;
        if (c->events.on_open) c->events.on_open(c->events.ctx, c);
        if (!c->busy) return -1;
    }
    return c->is_head ? 1 : 0;
}

static int on_body(llhttp_t *p, const char *at, size_t len)
{
    struct http_client *c = p->data;

    if (c->streaming) return stream_take(c, bytes_of(at, len)) ? 0 : -1;
    return mem_put(c, bytes_of(at, len), c->reply_max) ? 0 : -1;
}

static int on_message(llhttp_t *p)
{
    struct http_client *c = p->data;

    if (p->status_code / 100 == 1) {
        /* 100 Continue: the answer itself is still to come. */
        c->mem_len = c->body_at = c->line_at = c->header_count = 0;
        c->in_value = false;
        return 0;
    }
    c->done = true;
    return HPE_PAUSED;
}

static bool mem_put(struct http_client *c, struct bytes bytes, uint32_t max)
{
    size_t need = c->mem_len + bytes.len, cap = c->mem_cap ? c->mem_cap : 1024;

    if (bytes.len > max || need > max) {
        c->too_large = true;
        return false;
    }
    while (cap < need) cap *= 2;
    if (cap > c->mem_cap) {
        uint8_t *mem = realloc(c->mem, cap);
        if (!mem) return false;
        c->mem = mem;
        c->mem_cap = (uint32_t)cap;
    }
    if (bytes.len) memcpy(c->mem + c->mem_len, bytes.at, bytes.len);
    c->mem_len += (uint32_t)bytes.len;
    return true;
}

/* Puts a piece of mem at its end; by pieces through the stack, as the source lies in the memory that may
 * move. */
static bool mem_repeat(struct http_client *c, struct span span)
{
    uint8_t piece[256];

    while (span.len > 0) {
        uint32_t n = span.len < sizeof piece ? span.len : (uint32_t)sizeof piece;
        memcpy(piece, c->mem + span.at, n);
        if (!mem_put(c, bytes_of(piece, n), UINT32_MAX)) return false;
        span.at += n;
        span.len -= n;
    }
    return true;
}

static void reply_done(struct http_client *c, bool keep)
{
    struct http_header headers[HTTP_CLIENT_HEADERS_MAX];
    struct http_client_reply reply = {.status = c->parser.status_code, .headers = headers,
                                      .header_count = c->header_count,
                                      .body = bytes_of(c->mem + c->body_at, c->mem_len - c->body_at)};

    for (uint32_t i = 0; i < c->header_count; i++) {
        headers[i].name = bytes_of(c->mem + c->names[i].at, c->names[i].len);
        headers[i].value = bytes_trim(bytes_of(c->mem + c->values[i].at, c->values[i].len));
    }
    c->busy = false;
    if (keep) loop_set_deadline(c->loop, c->conn, 0);
    else http_client_hang_up(c);
    if (c->events.on_reply) c->events.on_reply(c->events.ctx, c, &reply);
}

static void fail(struct http_client *c, struct err why)
{
    http_client_hang_up(c);
    if (c->events.on_failed) c->events.on_failed(c->events.ctx, c, why);
}

/* Gathers the lines of one event in mem, each ended by LF whatever it had; an empty line ends the event. */
static bool stream_take(struct http_client *c, struct bytes in)
{
    for (size_t i = 0; i < in.len; i++) {
        uint8_t byte = in.at[i];
        bool ends = byte == '\n' || byte == '\r';
        if (byte == '\n' && c->after_cr) {
            c->after_cr = false;
            continue;
        }
        c->after_cr = byte == '\r';
        if (!ends || c->mem_len > c->line_at) {
            if (!mem_put(c, ends ? bytes_text("\n") : bytes_of(&byte, 1), c->body_at + c->event_max))
                return false;
            if (ends) c->line_at = c->mem_len;
            continue;
        }
        if (!event_done(c)) return false;
        c->mem_len = c->line_at = c->body_at;
    }
    return true;
}

/* False: the callback hung up, or there is no memory. */
static bool event_done(struct http_client *c)
{
    struct span id = {0}, event = {0};
    uint32_t end = c->mem_len, data_at = end;
    bool any = false;

    for (uint32_t at = c->body_at; at < end;) {
        struct bytes value = bytes_of(c->mem + at, bytes_find(bytes_of(c->mem + at, end - at), '\n'));
        uint32_t next = at + (uint32_t)value.len + 1;
        struct bytes name = bytes_split(&value, ':');
        if (value.len && value.at[0] == ' ') value = bytes_of(value.at + 1, value.len - 1);
        struct span span = {(uint32_t)(value.at - c->mem), (uint32_t)value.len};
        if (bytes_equal_text(name, "id")) id = span;
        if (bytes_equal_text(name, "event")) event = span;
        if (bytes_equal_text(name, "data")) {
            if (any && !mem_put(c, bytes_text("\n"), UINT32_MAX)) return false;
            if (!mem_repeat(c, span)) return false;
            any = true;
        }
        at = next;
    }
    if (!any) return true; /* a comment, or a field without data */
    if (c->events.on_event) {
        c->events.on_event(c->events.ctx, c, bytes_of(c->mem + id.at, id.len),
                           bytes_of(c->mem + event.at, event.len),
                           bytes_of(c->mem + data_at, c->mem_len - data_at));
    }
    return c->busy;
}
