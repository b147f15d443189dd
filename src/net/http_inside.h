/* SPDX-License-Identifier: Apache-2.0 */
/* http_inside.h: what the files of the HTTP server share. Nobody else includes this.
 *
 *     (PROXY ─►) IDLE ─► HEAD ─► BODY ─► WAITING ─► IDLE
 *               └───────┴────────┤   └─► STREAM
 *                                └──► CLOSING     (from every state) */
#ifndef NET_HTTP_INSIDE_H
#define NET_HTTP_INSIDE_H

#include "base/prng.h"
#include "net/http.h"
#include "net/http_parse.h"

enum {
    HTTP_REPLY_HEAD_MAX = 8192,
    HTTP_HOLD_MAX = 65536,        /* unsent reply bytes above which no further pipelined request is read */
    HTTP_BLANK_LINES_MAX = 2,     /* before a request line */
    HTTP_SCAN_MS = 100,           /* deadlines are looked at this often at most */
    HTTP_SLOT_BITS = 20,          /* of a handle; the rest counts requests */
};

enum http_state { HTTP_PROXY_COMES, HTTP_IDLE, HTTP_HEAD_COMES, HTTP_BODY_COMES, HTTP_WAITING, HTTP_STREAM, HTTP_CLOSING };

struct http_conn {
    uint64_t conn, handle;        /* handle 0: nobody waits for on_gone */
    uint8_t *mem;                 /* head and body while they arrive; NULL in between */
    uint32_t mem_len, mem_cap, head_len, line_at, lines;
    uint64_t body_left;           /* with Content-Length */
    struct http_chunks chunks;    /* or this */
    int64_t deadline_ms;
    uint32_t requests;
    uint8_t state, verb, blank_lines;
    bool keep_alive, in_bytes, held, streaming, chunked;
    char trace_id[32], parent_id[16];
    uint8_t sampled;              /* enum http_sampled */
    struct text64 peer;
};

struct http_server {
    struct loop *loop;
    struct http_limits limits;
    struct http_events events;
    struct conn_handler handler;
    struct http_counters counters;
    struct prng prng;
    int64_t (*wall_ms)(void *ctx);
    void *wall_ctx;
    uint64_t serial;
    int64_t scan_due_ms, scanned_ms;
    uint32_t listener, loop_conn_max;
    bool draining, proxied;
    struct http_head head;        /* of the request in the callback */
    struct http_conn **conns;     /* by the loop's slot */
};

/* http.c */
struct http_conn *http_conn_of(struct http_server *s, uint64_t handle); /* a request's; NULL when stale */
void http_set_deadline(struct http_server *s, struct http_conn *c, uint32_t in_ms);
void http_conn_end(struct http_server *s, struct http_conn *c, enum close_reason reason, enum close_how how);
/* After a reply: the next request, or the end. */
void http_conn_next(struct http_server *s, struct http_conn *c);

/* http_read.c */
size_t http_conn_read(struct http_server *s, struct http_conn *c, struct bytes in);
void http_conn_forget(struct http_server *s, struct http_conn *c); /* frees what a request brought */

/* http_reply.c */
const char *http_status_phrase(int status);
void http_conn_refuse(struct http_server *s, struct http_conn *c, struct http_refusal refusal);
/* Sends a whole reply; false when it could not be queued, then the connection is ending. */
bool http_conn_send(struct http_server *s, struct http_conn *c, const struct http_response *r);
void http_head_put(struct http_server *s, struct buf *b, int status, const char *content_type);

/* http_sse.c */
void http_sse_heartbeat(struct http_server *s, struct http_conn *c);

#endif
