/* SPDX-License-Identifier: Apache-2.0 */
/* http_sse.c: server-sent events: replies without an end, each with its own bounded queue. A client that does
 * not keep up is closed, alone; it comes again with Last-Event-ID. */
#include "net/http_inside.h"

static size_t fields_len(struct bytes id, struct bytes event, struct bytes data);
static struct err field_put(struct http_server *s, struct http_conn *c, const char *name, struct bytes value);
static struct bytes line_of(struct bytes *data);
static bool is_one_line(struct bytes text);
static void overflow(struct http_server *s, struct http_conn *c);

struct err http_sse_begin(struct http_server *s, uint64_t handle)
{
    struct http_conn *c = http_conn_of(s, handle);
    char head[512];
    struct buf b = buf_on(head, sizeof head);

    if (!c || c->state != HTTP_WAITING) return ERR(NOT_FOUND, "sse: nobody waits for it");
    if (s->counters.sse_open >= s->limits.sse_count_max) return ERR(FULL, "sse: too many streams");
    http_head_put(s, &b, 200, "text/event-stream");
    buf_put_text(&b, "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\nConnection: close\r\n\r\n");
    struct err e = loop_write(s->loop, c->conn, buf_bytes(&b));
    if (e.code) return e;
    c->keep_alive = false;
    c->streaming = true;
    s->counters.sse_open++;
    s->counters.sse_opened++;
    s->counters.replies++;
    s->counters.status_class[2]++;
    if (c->verb == HTTP_VERB_HEAD || s->draining) {
        http_conn_end(s, c, CLOSE_DONE, CLOSE_FLUSH);
        return NO_ERR;
    }
    c->state = HTTP_STREAM;
    http_set_deadline(s, c, s->limits.sse_heartbeat_ms);
    if (!c->in_bytes) loop_resume(s->loop, c->conn);
    return NO_ERR;
}

struct err http_sse_send(struct http_server *s, uint64_t handle, struct bytes id, struct bytes event,
                         struct bytes data)
{
    struct http_conn *c = http_conn_of(s, handle);
    struct err e = NO_ERR;

    if (!c || c->state != HTTP_STREAM) return ERR(NOT_FOUND, "sse: nobody listens");
    if (!is_one_line(id) || !is_one_line(event)) return ERR(INVALID, "sse: line break in id or event");
    size_t len = fields_len(id, event, data);
    if (loop_queued(s->loop, c->conn) + len > s->limits.sse_queue_max) {
        overflow(s, c);
        return ERR(FULL, "sse: the client reads too slowly");
    }
    if (id.len) e = field_put(s, c, "id: ", id);
    if (!e.code && event.len) e = field_put(s, c, "event: ", event);
    do {
        if (!e.code) e = field_put(s, c, "data: ", line_of(&data));
    } while (!e.code && data.len > 0); /* a connection that was just reset takes nothing, and no line is taken off either */
    if (!e.code) e = loop_write(s->loop, c->conn, bytes_text("\n"));
    if (e.code) {
        overflow(s, c); /* half an event may be queued: the stream cannot go on */
        return ERR(FULL, "sse: the event could not be queued");
    }
    s->counters.sse_sent++;
    http_set_deadline(s, c, s->limits.sse_heartbeat_ms);
    return NO_ERR;
}

void http_sse_end(struct http_server *s, uint64_t handle)
{
    struct http_conn *c = http_conn_of(s, handle);

    if (!c || c->state != HTTP_STREAM) return;
    c->handle = 0;
    http_conn_end(s, c, CLOSE_DONE, CLOSE_FLUSH);
}

/* Keeps proxies from giving up, and finds clients that have vanished. */
void http_sse_heartbeat(struct http_server *s, struct http_conn *c)
{
    http_set_deadline(s, c, s->limits.sse_heartbeat_ms);
    /* Something is queued already: it serves, and the loop's stall_ms watches it. */
    if (loop_queued(s->loop, c->conn) > 0) return;
    if (loop_write(s->loop, c->conn, bytes_text(":\n\n")).code) overflow(s, c);
}

static size_t fields_len(struct bytes id, struct bytes event, struct bytes data)
{
    size_t len = id.len + event.len + data.len + sizeof "id: \nevent: \ndata: \n\n";

    for (size_t i = 0; i < data.len; i++)
        len += data.at[i] == '\n' || data.at[i] == '\r' ? sizeof "data: " : 0;
    return len;
}

static struct err field_put(struct http_server *s, struct http_conn *c, const char *name, struct bytes value)
{
    struct err e = loop_write(s->loop, c->conn, bytes_text(name));

    if (!e.code) e = loop_write(s->loop, c->conn, value);
    if (!e.code) e = loop_write(s->loop, c->conn, bytes_text("\n"));
    return e;
}

/* CR, LF and CR LF all end a line for the reader at the other end. */
static struct bytes line_of(struct bytes *data)
{
    size_t n = 0;

    while (n < data->len && data->at[n] != '\n' && data->at[n] != '\r') n++;
    struct bytes line = bytes_of(data->at, n);
    if (n < data->len) n += n + 1 < data->len && data->at[n] == '\r' && data->at[n + 1] == '\n' ? 2 : 1;
    *data = bytes_of(data->at + n, data->len - n);
    return line;
}

static bool is_one_line(struct bytes text)
{
    return bytes_find(text, '\n') == text.len && bytes_find(text, '\r') == text.len &&
           bytes_find(text, 0) == text.len;
}

static void overflow(struct http_server *s, struct http_conn *c)
{
    s->counters.sse_overflow++;
    http_conn_end(s, c, CLOSE_SLOW, CLOSE_NOW);
}
