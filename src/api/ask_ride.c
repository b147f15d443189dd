/* SPDX-License-Identifier: Apache-2.0 */
/* ask_ride.c: what riders ask, and staff about rides. */
#include "api/api_inside.h"
#include "api/ask.h"

static void wait_for(struct call *call, struct pending *p, enum wait_for what)
{
    const struct arg *wait = args_get(&call->args, "wait");
    int64_t most_s = call->api->config.limits.wait_s_max, wait_s = wait->given ? wait->number : 0;
    p->status = 202;
    if (!wait_s) return;
    p->wait_for = (uint8_t)what;
    p->wait_until_ms = loop_now_ms(call->api->config.loop) + 1000 * (wait_s < most_s ? wait_s : most_s);
}

void ask_ride_start(struct call *call)
{
    struct fact fact = {.kind = FACT_RIDE_START};
    struct fact_ride_start *f = &fact.ride_start;
    f->account = call->account->uuid;
    f->key0 = call->key0;
    f->key1 = call->key1;
    f->body_hash = call->body_hash;
    text_clip(&f->code, args_get(&call->args, "vehicle_code")->text);
    struct pending *p = call_fact(call, &fact, ANSWER_RIDE);
    if (p) wait_for(call, p, WAIT_START);
}

void ask_ride_end(struct call *call)
{
    struct fact fact = {.kind = FACT_RIDE_END};
    struct fact_ride_end *f = &fact.ride_end;
    f->account = call->account->uuid;
    f->key0 = call->key0;
    f->key1 = call->key1;
    f->body_hash = call->body_hash;
    f->ride = args_get(&call->args, "id")->uuid;
    f->by_staff = call->staff;
    struct pending *p = call_fact(call, &fact, ANSWER_RIDE);
    if (!p) return;
    p->subject = f->ride; /* a ride that is over may have left the engine's memory: then the tables answer */
    p->owner_only = !call->staff;
    wait_for(call, p, WAIT_END);
}

void ask_ride_current(struct call *call)
{
    struct query query = {.kind = QUERY_RIDE_OF_RIDER, .uuid = call->account->uuid};
    call_query(call, &query, ANSWER_RIDE);
}

static void one_ride(struct call *call, enum answer_shape shape)
{
    struct query query = {.kind = QUERY_RIDE, .uuid = args_get(&call->args, "id")->uuid};
    struct pending *p = call_query(call, &query, shape);
    if (!p) return;
    p->subject = query.uuid;
    p->owner_only = !call->staff;
}

void ask_ride(struct call *call) { one_ride(call, ANSWER_RIDE); }
void ask_ride_receipt(struct call *call) { one_ride(call, ANSWER_RECEIPT); }

unsigned call_limit(const struct call *call)
{
    const struct arg *limit = args_get(&call->args, "limit");
    unsigned most = call->api->config.limits.page_max;
    unsigned wanted = limit->given ? (unsigned)limit->number : API_PAGE_DEFAULT;
    return wanted < most ? wanted : most;
}

void ask_rides(struct call *call)
{
    struct desk_job job = {.kind = DESK_RIDES, .sight = call->staff ? SIGHT_STAFF : SIGHT_RIDER,
                           .state = (uint8_t)args_get(&call->args, "state")->number,
                           .after = args_get(&call->args, "after")->cursor, .limit = call_limit(call)};
    call_job(call, &job);
}

void ask_ride_timeline(struct call *call)
{
    const struct arg *before = args_get(&call->args, "before");
    struct desk_job job = {.kind = DESK_RIDE_TIMELINE, .sight = SIGHT_STAFF,
                           .uuid = args_get(&call->args, "id")->uuid, .after = before->cursor,
                           .before_part = before->cursor_part, .limit = call_limit(call)};
    call_job(call, &job);
}

void ask_events(struct call *call)
{
    const struct arg *after = args_get(&call->args, "after"), *kind = args_get(&call->args, "kind");
    struct desk_job job = {.kind = DESK_EVENTS, .sight = SIGHT_STAFF, .after = after->cursor,
                           .after_part = after->cursor_part, .kinds = kind->given ? 1ull << kind->number : 0,
                           .limit = call_limit(call)};
    text_clip(&job.city, args_get(&call->args, "city")->text);
    call_job(call, &job);
}

void ask_live(struct call *call)
{
    struct api *api = call->api;
    struct err e = api->draining ? ERR(FULL, "the server is stopping") : http_sse_begin(api->http, call->client.http);
    if (e.code) {
        out_problem(api, &call->client, e);
        return;
    }
    struct live_client client = {.http = call->client.http, .staff = call->staff, .scope = call->who.scope,
                                 .account = call->account->uuid,
                                 .token = call->token,
                                 .last_id = bytes_trim(http_header_of(call->request, "last-event-id"))};
    live_open(api->live, &client, loop_now_ms(api->config.loop));
    stats_route(&api->stats, call->client.route, 200, 0);
}
