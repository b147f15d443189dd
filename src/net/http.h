/* SPDX-License-Identifier: Apache-2.0 */
/* http.h: a strict HTTP/1.1 server on any loop of loop.h, with a limit on everything; server-sent events.
 *
 *     on_request ─► http_reply                       once, in the callback or later
 *                └► http_sse_begin ─► http_sse_send…  until on_gone or http_sse_end
 *                └► on_gone                           the client left, or reply_ms passed: the handle is stale
 *
 * Pipelined requests are read one after the other's reply, so replies are always in order.
 * What the server refuses by itself is answered with RFC 9457 problem+json, then closed: the stream is unsafe.
 * TLS is the front proxy's, and so is compressing what was not compressed before (api/pages.h). Rejected: trailers,
 * upgrades, HTTP/1.0 keep-alive, absolute-form targets.
 *
 * Owner   a handle is a number; stale ones are harmless. All in struct http_request is borrowed for the callback
 * Thread  the loop's */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/buf.h"
#include "net/loop.h"

enum { HTTP_HEADER_LIMIT = 64 }; /* most that header_count_max may say */

struct http_limits {                    /* 0 takes the default */
    uint32_t conn_max;                  /* 1,500 */
    uint32_t line_max;                  /* request line; 4,096 bytes, else 414 */
    uint32_t header_count_max;          /* 64, else 431 */
    uint32_t header_bytes_max;          /* request line and headers; 16,384 bytes, else 431 */
    uint32_t body_max;                  /* 65,536 bytes, else 413 */
    uint32_t pipelined_max;             /* unread bytes while a reply is awaited; 16,384, then it pauses */
    uint32_t requests_per_conn_max;     /* 100,000, then close */
    uint32_t header_ms;                 /* first byte to end of headers; 10,000, else 408 */
    uint32_t body_ms;                   /* end of headers to end of body; 20,000, else 408 */
    uint32_t keep_alive_ms;             /* between requests; 60,000 */
    uint32_t reply_ms;                  /* on_request to http_reply; 65,000, else 504 and on_gone */
    uint32_t reply_max;                 /* headers and body of a reply; 8 MiB, else 500 */
    uint32_t sse_queue_max;             /* unsent bytes of one stream; 65,536, else closed */
    uint32_t sse_count_max;             /* open streams; 1,000, else http_sse_begin says FULL */
    uint32_t sse_heartbeat_ms;          /* 15,000 */
    uint32_t stall_ms;                  /* client takes nothing of what is queued; 30,000 */
};

enum http_verb { HTTP_VERB_GET, HTTP_VERB_HEAD, HTTP_VERB_POST, HTTP_VERB_PUT, HTTP_VERB_PATCH,
                 HTTP_VERB_DELETE, HTTP_VERB_OPTIONS, HTTP_VERB_N };

enum http_sampled { SAMPLED_UNSAID, SAMPLED_NO, SAMPLED_YES };

struct http_header { struct bytes name, value; };

struct http_request {
    uint64_t handle;
    enum http_verb verb;
    struct bytes method;                /* as text */
    struct bytes target;                /* path and query as sent */
    struct bytes path;                  /* still percent-encoded; starts with '/', see http_text.h */
    struct bytes query;                 /* behind the '?', may be empty */
    const struct http_header *headers;
    uint32_t header_count;
    struct bytes body;
    struct bytes trace_id;              /* 32 hex digits: the client's traceparent or ours */
    struct bytes parent_id;             /* 16 hex digits of the same; empty: it sent none */
    enum http_sampled sampled;          /* does the client want this traced? */
    struct bytes peer;                  /* "203.0.113.7:50123" */
};

/* Value of the first header of that name (any case); .at is NULL when absent. */
struct bytes http_header_of(const struct http_request *request, const char *name);

struct http_reply_header { const char *name; struct bytes value; };

struct http_response {
    int status;
    const char *content_type;           /* NULL: none */
    const struct http_reply_header *headers;
    uint32_t header_count;
    struct bytes body;                  /* copied; not sent to HEAD, never with 204 and 304 */
    uint32_t retry_after_s;             /* of 429 and 503; 0 = 1 */
    bool close;                         /* end the connection behind it */
};

struct http_events {
    void *ctx;
    void (*on_request)(void *ctx, const struct http_request *request);
    void (*on_gone)(void *ctx, uint64_t handle); /* only for handles not replied to, and for streams */
};

struct http_server_config {
    struct bytes address;               /* as in loop_listener_config */
    uint32_t loop_conn_max;             /* conn_max of the loop it stands on */
    struct http_limits limits;
    bool proxied;                       /* every connection begins with a header of proxy.h, else it is closed */
    struct http_events events;
    uint64_t trace_seed;                /* for trace ids of our own; random, or the simulator's */
    int64_t (*wall_ms)(void *ctx);      /* ms since 1970 for Date; NULL: no Date header */
    void *wall_ctx;
};

struct http_counters {
    uint64_t requests, replies, status_class[6]; /* [2] counts 2xx */
    uint64_t refused_malformed, refused_limit, refused_proxy, timeouts, gone, not_found_replies;
    uint64_t sse_opened, sse_open, sse_sent, sse_overflow;
    uint64_t conns, body_bytes_in, reply_bytes_out, memory_bytes;
};

struct http_server;

/* Listens at once. The loop must outlive it. */
MUST_USE struct err http_server_create(struct loop *loop, const struct http_server_config *config,
                                       struct http_server **out);
/* Hangs up on everybody without calling on_gone; not from inside a callback. NULL is fine. */
void http_server_destroy(struct http_server *s);
/* Accepts no more, closes idle connections, and each other one after its reply; streams end. */
void http_server_drain(struct http_server *s);
MUST_USE struct err http_server_address(struct http_server *s, struct text64 *out);
const struct http_counters *http_server_counters(const struct http_server *s);

/* NOT_FOUND: stale, nothing is to be done. TOO_LARGE, INVALID: the client got a 500 instead. */
struct err http_reply(struct http_server *s, uint64_t handle, const struct http_response *response);
/* problem+json for an error: status, title, code and retry advice from base/err.h, `why` as detail. */
struct err http_reply_problem(struct http_server *s, uint64_t handle, struct err why);
/* The same body into `out`, for callers with further members: the object is left open for the caller. */
struct json;
void http_problem_open(struct json *out, int status, struct err why, struct bytes trace_id);

/* Answers with an endless event stream. FULL: sse_count_max (nothing was sent; reply with a problem). */
MUST_USE struct err http_sse_begin(struct http_server *s, uint64_t handle);
/* One event; `id` and `event` may be empty, `data` may have lines. FULL: the stream is closed, on_gone follows. */
struct err http_sse_send(struct http_server *s, uint64_t handle, struct bytes id, struct bytes event,
                         struct bytes data);
void http_sse_end(struct http_server *s, uint64_t handle);

#endif
