/* SPDX-License-Identifier: Apache-2.0 */
/* admin.c: the second listener: metrics, and whether the server lives and is ready. Not for the public: it has no
 * tokens, so it stands on an address of its own. */
#include <stdlib.h>

#include "api/api_inside.h"

enum { METRICS_MAX = 1 << 20, WHY_MAX = 512 };

static void send(struct api *api, uint64_t handle, int status, const char *type, struct bytes body)
{
    struct http_reply_header headers[] = {
        {"X-Content-Type-Options", bytes_text("nosniff")},
        {"Cache-Control", bytes_text("no-store")},
    };
    struct http_response r = {.status = status, .content_type = type, .headers = headers, .header_count = 2,
                              .body = body};
    struct err e = http_reply(api->admin, handle, &r);
    (void)e; /* who has left needs no answer */
}

#define HTTP_METRICS(X)                                                                                     \
    X(requests, "requests_total", "counter", "Requests read.")                                              \
    X(refused_malformed, "refused_malformed_total", "counter", "Requests that break the grammar.")          \
    X(refused_limit, "refused_limit_total", "counter", "Requests beyond a limit.")                          \
    X(refused_proxy, "refused_proxy_total", "counter", "Connections without the front proxy's header.")    \
    X(timeouts, "timeouts_total", "counter", "Requests that came or were answered too slowly.")             \
    X(gone, "gone_total", "counter", "Clients that left before their answer, and streams that ended.")      \
    X(conns, "connections", "gauge", "Open connections.")                                                   \
    X(sse_open, "streams", "gauge", "Open event streams.")                                                  \
    X(sse_overflow, "stream_overflows_total", "counter", "Streams closed because their client was slow.")   \
    X(body_bytes_in, "received_bytes_total", "counter", "Bytes of bodies read.")                            \
    X(reply_bytes_out, "sent_bytes_total", "counter", "Bytes of replies.")                                  \
    X(memory_bytes, "memory_bytes", "gauge", "Memory of connections and requests.")

/* All values of a metric stand together: the format wants it. */
static void put_http(const struct http_counters *pub, const struct http_counters *admin, struct buf *out)
{
#define PUT(member, name, type, help)                                                                       \
    metric_head(out, "paddock_http_" name, type, help);                                                     \
    metric_value(out, "paddock_http_" name, "listener=\"public\"", pub->member);                            \
    metric_value(out, "paddock_http_" name, "listener=\"admin\"", admin->member);
    HTTP_METRICS(PUT)
#undef PUT
}

#define API_METRICS(X)                                                                                      \
    X(facts, "counter", "Facts put to the engine.")                                                         \
    X(queries, "counter", "Questions put to the engine.")                                                   \
    X(ring_full, "counter", "Requests refused because the ring to the engine was full.")                    \
    X(pending_full, "counter", "Requests refused because too many were under way.")                         \
    X(announced, "counter", "Accounts announced to the engine.")                                            \
    X(replies, "counter", "Replies sent.")                                                                  \
    X(replies_stale, "counter", "Answers that no request waits for.")                                       \
    X(replies_gone, "counter", "Answers whose client had left.")                                            \
    X(in_flight_refused, "counter", "Repeats refused while the first was still being answered.")            \
    X(waits, "counter", "Requests held for the vehicle's answer.")                                          \
    X(waits_decided, "counter", "Held requests that were decided in time.")                                 \
    X(waits_timed_out, "counter", "Held requests whose time was up.")                                       \
    X(unauthenticated, "counter", "Requests without a valid token.")                                        \
    X(forbidden, "counter", "Requests by a role that may not.")                                             \
    X(out_of_scope, "counter", "Requests for what is of another city: not there for the caller.")           \
    X(not_valid, "counter", "Requests with fields at fault.")                                               \
    X(rate_limited, "counter", "Requests refused because somebody tries too often.")                        \
    X(apps_too_old, "counter", "Requests of apps below their minimum build.")                               \
    X(clerk_jobs, "counter", "Works about people: sign-ins and the like.")                                  \
    X(clerk_full, "counter", "Those refused because too many were under way.")                              \
    X(clerk_errors, "counter", "Those that failed.")                                                        \
    X(signed_in, "counter", "Sign-ins.")                                                                    \
    X(sign_ins_refused, "counter", "Sign-ins with a wrong code, name or password.")                         \
    X(signed_out, "counter", "Sign-outs.")                                                                  \
    X(events, "counter", "Events from the engine.")                                                         \
    X(streams_open, "gauge", "Live streams now.")                                                           \
    X(streams_reset, "counter", "Streams told that they missed something.")                                 \
    X(stream_events, "counter", "Events sent to streams.")                                                  \
    X(pages, "counter", "Pages and their parts given to browsers.")                                         \
    X(pages_unchanged, "counter", "Pages a browser had already.")                                           \
    X(pages_missing, "counter", "Files of an app that are not there.")                                      \
    X(map_streams, "gauge", "Live maps now.")                                                               \
    X(map_messages, "counter", "Messages to live maps.")                                                    \
    X(map_rows, "counter", "Vehicles sent to live maps.")                                                   \
    X(bulk_vehicles, "counter", "Vehicles changed or refused by calls about many.")                         \
    X(bulk_full, "counter", "Such calls refused because too many were under way.")                          \
    X(desk_jobs, "counter", "Reads of the tables.")                                                         \
    X(desk_full, "counter", "Reads refused because too many were under way.")                               \
    X(desk_waits, "counter", "Reads put off until the tables caught up.")                                   \
    X(desk_errors, "counter", "Reads that failed.")                                                         \
    X(pending, "gauge", "Requests under way.")

static void put_api(const struct api_counters *c, struct buf *out)
{
#define PUT(member, type, help)                                                                             \
    {                                                                                                       \
        const char *name = type[0] == 'c' ? "paddock_api_" #member "_total" : "paddock_api_" #member;       \
        metric_head(out, name, type, help);                                                                 \
        metric_value(out, name, NULL, c->member);                                                           \
    }
    API_METRICS(PUT)
#undef PUT
}

static void put_people(struct api *api, struct buf *out)
{
    const struct message_counters *m = messages_counters(api->messages);
    char memory[64];
    metric_head(out, "paddock_api_limited_total", "counter", "Tries refused, by limit.");
    for (unsigned i = 0; i < LIMIT_N; i++) {
        struct buf b = buf_on(memory, sizeof memory - 1);
        buf_put_text(&b, "limit=\"");
        buf_put_text(&b, limiter_name((enum limit)i));
        buf_put_char(&b, '"');
        memory[b.len] = 0;
        metric_value(out, "paddock_api_limited_total", memory, api->limiter.refused[i]);
    }
    metric_head(out, "paddock_api_messages_total", "counter", "Messages to people, by what became of them.");
    metric_value(out, "paddock_api_messages_total", "outcome=\"sent\"", m->outcomes[MESSAGE_SENT]);
    metric_value(out, "paddock_api_messages_total", "outcome=\"refused\"", m->outcomes[MESSAGE_REFUSED]);
    metric_value(out, "paddock_api_messages_total", "outcome=\"failed\"", m->outcomes[MESSAGE_FAILED]);
    metric_value(out, "paddock_api_messages_total", "outcome=\"timed_out\"", m->timed_out);
    metric_value(out, "paddock_api_messages_total", "outcome=\"full\"", m->full);
    metric_value(out, "paddock_api_messages_total", "outcome=\"no_way\"", m->no_way);
    metric_head(out, "paddock_api_messages_under_way", "gauge", "Messages whose outcome is not known yet.");
    metric_value(out, "paddock_api_messages_under_way", NULL, m->under_way);
    metric_head(out, "paddock_api_codes_total", "counter", "Sign-in codes, by what became of them.");
    metric_value(out, "paddock_api_codes_total", "outcome=\"made\"", api->codes.counters.made);
    metric_value(out, "paddock_api_codes_total", "outcome=\"taken\"", api->codes.counters.taken);
    metric_value(out, "paddock_api_codes_total", "outcome=\"wrong\"", api->codes.counters.wrong);
    metric_value(out, "paddock_api_codes_total", "outcome=\"late\"", api->codes.counters.late);
    metric_value(out, "paddock_api_codes_total", "outcome=\"none\"", api->codes.counters.none);
    metric_value(out, "paddock_api_codes_total", "outcome=\"used_up\"", api->codes.counters.used_up);
}

static void metrics(struct api *api, uint64_t handle)
{
    uint8_t *memory = malloc(METRICS_MAX);
    if (!memory) {
        send(api, handle, 503, "text/plain", bytes_text("no memory\n"));
        return;
    }
    struct buf b = buf_on(memory, METRICS_MAX);
    metric_head(&b, "paddock_build_info", "gauge", "The build that runs.");
    buf_put_text(&b, "paddock_build_info{build=\"");
    buf_put_text(&b, api->config.build ? api->config.build : "");
    buf_put_text(&b, "\"} 1\n");
    put_http(http_server_counters(api->http), http_server_counters(api->admin), &b);
    put_api(api_counters(api), &b);
    put_people(api, &b);
    stats_put(&api->stats, &b);
    if (api->outbound) outbound_metrics(api->outbound, &b);
    if (api->config.world.metrics) api->config.world.metrics(api->config.world.ctx, &b);
    if (b.full) send(api, handle, 500, "text/plain", bytes_text("the metrics do not fit\n"));
    else send(api, handle, 200, "text/plain; version=0.0.4", buf_bytes(&b));
    free(memory);
}

static void ready(struct api *api, uint64_t handle)
{
    char memory[WHY_MAX];
    struct buf why = buf_on(memory, sizeof memory);
    const struct api_world *w = &api->config.world;
    bool fine = !w->ready || w->ready(w->ctx, &why);
    if (api->draining) {
        fine = false;
        buf_clear(&why);
        buf_put_text(&why, "stopping");
    }
    if (fine && !why.len) buf_put_text(&why, "ready");
    buf_put_char(&why, '\n');
    send(api, handle, fine ? 200 : 503, "text/plain", buf_bytes(&why));
}

static void on_request(void *ctx, const struct http_request *request)
{
    struct api *api = ctx;
    bool get = request->verb == HTTP_VERB_GET || request->verb == HTTP_VERB_HEAD;
    if (!get) {
        send(api, request->handle, 405, "text/plain", bytes_text("GET only\n"));
    } else if (bytes_equal_text(request->path, "/metrics")) {
        metrics(api, request->handle);
    } else if (bytes_equal_text(request->path, "/readyz")) {
        ready(api, request->handle);
    } else if (bytes_equal_text(request->path, "/healthz")) {
        char memory[WHY_MAX];
        struct buf b = buf_on(memory, sizeof memory);
        buf_put_text(&b, "alive ");
        buf_put_text(&b, api->config.build ? api->config.build : "");
        buf_put_char(&b, '\n');
        send(api, request->handle, 200, "text/plain", buf_bytes(&b));
    } else {
        send(api, request->handle, 404, "text/plain", bytes_text("/metrics, /healthz, /readyz\n"));
    }
}

struct err admin_create(struct api *api)
{
    const struct api_config *c = &api->config;
    struct http_server_config http = {.address = c->admin_address, .loop_conn_max = c->loop_conn_max,
                                      .limits = c->admin_http, .events = {.ctx = api, .on_request = on_request},
                                      .wall_ms = c->world.wall_ms, .wall_ctx = c->world.ctx};
    return http_server_create(c->loop, &http, &api->admin);
}
