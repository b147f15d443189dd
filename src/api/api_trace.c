/* SPDX-License-Identifier: Apache-2.0 */
/* api_trace.c: the spans of one request, for who asked to see them (net/trace.h).
 *
 *     /v1/rides                     the request, from its last byte to its reply
 *      ├─ engine                    from its bytes to the fact applied
 *      ├─ commit                    to the batch on the disk
 *      ├─ order to vehicle          to the vehicle's socket; the gateway's, tied by the fact's seq
 *      └─ vehicle: engine, commit   with ?wait=: the vehicle's answer that decided, the same two steps */
#include <string.h>

#include "api/api_inside.h"

static uint64_t hex_id(struct bytes hex)
{
    uint64_t id = 0;
    for (size_t i = 0; i < hex.len; i++) {
        uint8_t c = hex.at[i];
        id = id << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return id;
}

void api_trace_begin(struct api *api, const struct http_request *request, struct client *client)
{
    if (!api->config.trace || request->sampled == SAMPLED_NO) return;
    if (request->sampled == SAMPLED_UNSAID && (!api->config.trace_one_in || api->untraced++ % api->config.trace_one_in)) return;
    client->span = trace_new_id(api->config.trace);
    client->parent_span = hex_id(request->parent_id);
}

static struct trace_place place_of(const struct client *client, uint64_t parent)
{
    struct trace_place place = {.parent = parent};
    memcpy(place.trace, client->trace_id, sizeof place.trace);
    return place;
}

static void put_step(struct api *api, const struct client *client, const char *name, int64_t from_us, int64_t to_us,
                     uint64_t seq)
{
    struct span span = {.place = place_of(client, client->span), .name = name, .kind = SPAN_INTERNAL, .from_us = from_us,
                        .to_us = to_us};
    if (seq) span_number(&span, "paddock.seq", (int64_t)seq);
    trace_put(api->config.trace, &span);
}

void api_trace_fact(struct api *api, const struct client *client, const struct to_api *in)
{
    if (!client->span) return;
    struct trace_place place = place_of(client, client->span);
    trace_tie(api->config.trace, trace_key(TRACE_SEQ, in->seq), &place);
    put_step(api, client, "engine", in->born_us, in->stepped_us, in->seq);
    put_step(api, client, "commit", in->stepped_us, in->synced_us, in->seq);
}

void api_trace_decided(struct api *api, const struct pending *p)
{
    if (!p->client.span || !p->decided) return;
    put_step(api, &p->client, "vehicle: engine", p->born_us, p->stepped_us, 0);
    put_step(api, &p->client, "vehicle: commit", p->stepped_us, p->synced_us, 0);
}

void api_trace_end(struct api *api, const struct client *client, int status)
{
    if (!client->span) return;
    const struct route *route = client->route < route_count ? &routes[client->route] : NULL;
    struct span span = {.place = place_of(client, client->parent_span), .id = client->span, .kind = SPAN_SERVER,
                        .name = route ? route->path : "no route", .from_us = client->started_us,
                        .to_us = loop_now_us(api->config.loop), .failed = status >= 500};
    if (route) {
        span_text(&span, "http.request.method", bytes_text(route_verb_name(route->verb)));
        span_text(&span, "http.route", bytes_text(route->path));
    }
    span_number(&span, "http.response.status_code", status);
    trace_put(api->config.trace, &span);
}
