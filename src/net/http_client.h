/* SPDX-License-Identifier: Apache-2.0 */
/* http_client.h: a small HTTP/1.1 client on any loop of loop.h, for the demo's riders, the load generator and
 * the simulator: one server, one request in flight, keep-alive, and reading an event stream.
 *
 *     send ─► on_reply                    once, with the whole reply
 *          ├► on_open ─► on_event… ─► on_failed   when `stream` was asked for and the answer is 200
 *          └► on_failed                   no reply; whether the server acted is unknown
 *
 * Limits  reply_max, event_max, HTTP_CLIENT_HEADERS_MAX headers, timeout_ms per request (streams: silence)
 * Owner   create/destroy. on_reply and on_failed may send the next request (the reply's texts end there);
 *         on_open and on_event may hang up, not send. Borrowed texts end with the callback
 * Thread  the loop's */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include "net/http.h"

enum { HTTP_CLIENT_HEADERS_MAX = 32 };

struct http_client;

struct http_client_reply {
    int status;
    const struct http_header *headers;
    uint32_t header_count;
    struct bytes body;
};

struct http_client_events {
    void *ctx;
    void (*on_reply)(void *ctx, struct http_client *client, const struct http_client_reply *reply);
    void (*on_open)(void *ctx, struct http_client *client);
    void (*on_event)(void *ctx, struct http_client *client, struct bytes id, struct bytes event,
                     struct bytes data);
    void (*on_failed)(void *ctx, struct http_client *client, struct err why);
};

struct http_client_config {
    struct bytes address;            /* "127.0.0.1:8080"; copied */
    uint32_t reply_max;              /* headers and body; 0: 1 MiB */
    uint32_t event_max;              /* one event; 0: 65,536 */
    uint32_t timeout_ms;             /* 0: 70,000, longer than the server's longest ?wait= */
    struct http_client_events events;
};

struct http_client_request {
    const char *method;
    struct bytes target;             /* "/v1/rides?wait=5s" */
    const struct http_reply_header *headers;
    uint32_t header_count;
    struct bytes body;               /* with Content-Length when not empty, and for POST, PUT, PATCH */
    const char *content_type;        /* NULL: none */
    bool stream;                     /* read the answer as server-sent events */
};

MUST_USE struct err http_client_create(struct loop *loop, const struct http_client_config *config,
                                       struct http_client **out);
/* Hangs up without callbacks; not from inside one. NULL is fine. */
void http_client_destroy(struct http_client *c);

/* STATE: one is in flight. IO, FULL: could not be sent at all; no callback follows. */
MUST_USE struct err http_client_send(struct http_client *c, const struct http_client_request *request);
bool http_client_is_busy(const struct http_client *c);
/* Drops the connection and what is in flight, as a phone in a tunnel does; no callback. The next send
 * connects anew. */
void http_client_hang_up(struct http_client *c);
struct bytes http_client_header_of(const struct http_client_reply *reply, const char *name);

#endif
