/* SPDX-License-Identifier: Apache-2.0 */
/* api_in.c: what comes back from the engine and the desk finds the request that waits for it. */
#include <string.h>

#include "api/api_inside.h"
#include "api/api_json.h"
#include "base/must.h"

static void on_reply(struct api *api, const struct to_api *in);
static void on_answer(struct api *api, const struct to_api *in);
static void on_event(struct api *api, const struct to_api *in);

bool api_drain_out(struct api *api)
{
    for (uint32_t n = 0; n < api->config.limits.out_per_turn; n++) {
        const struct to_api *in = ring_peek(api->config.out);
        if (!in) return false;
        switch (in->kind) {
        case TO_API_REPLY: on_reply(api, in); break;
        case TO_API_ANSWER: on_answer(api, in); break;
        case TO_API_EVENT: on_event(api, in); break;
        case TO_API_ASK:
            if (api->outbound) outbound_on_ask(api->outbound, &in->ask);
            break;
        default: must(!"an item of no kind");
        }
        ring_took(api->config.out);
    }
    return ring_peek(api->config.out) != NULL;
}

/* ---- bodies ---- */

struct body {
    struct buf b;
    struct json j;
    uint8_t memory[API_BODY_MAX];
};

static void body_begin(struct body *body)
{
    body->b = buf_on(body->memory, sizeof body->memory);
    body->j = json_on(&body->b);
    json_open(&body->j, '{');
}

static void body_send(struct api *api, struct pending *p, struct body *body, int status, uint64_t seq)
{
    json_name(&body->j, "as_of_seq");
    json_u64(&body->j, seq);
    json_close(&body->j, '}');
    must(!body->b.full);
    out_json(api, &p->client, status, buf_bytes(&body->b));
    api_release(api, p);
}

static void refuse(struct api *api, struct pending *p, struct err why)
{
    out_problem(api, &p->client, why);
    api_release(api, p);
}

static void send_command(struct api *api, struct pending *p, const struct command *command, uint64_t seq)
{
    struct body body;
    body_begin(&body);
    json_name(&body.j, "command");
    api_json_command(command, SIGHT_STAFF, &body.j);
    body_send(api, p, &body, p->status, seq);
}

static void send_vehicle(struct api *api, struct pending *p, const struct vehicle *v, const struct device *d,
                         uint64_t seq)
{
    struct body body;
    body_begin(&body);
    json_name(&body.j, "vehicle");
    api_json_vehicle(v, d, p->staff ? SIGHT_STAFF : SIGHT_RIDER, &body.j);
    body_send(api, p, &body, p->status, seq);
}

static void send_rider(struct api *api, struct pending *p, const struct rider *rider, uint64_t seq)
{
    struct body body;
    body_begin(&body);
    json_name(&body.j, "rider");
    api_json_rider(rider, SIGHT_STAFF, &body.j);
    body_send(api, p, &body, p->status, seq);
}

static void send_id(struct api *api, struct pending *p, struct uuid id, uint64_t seq)
{
    struct body body;
    body_begin(&body);
    json_name(&body.j, "id");
    json_uuid(&body.j, id.at);
    body_send(api, p, &body, p->status, seq);
}

static void send_webhook(struct api *api, struct pending *p, const struct webhook *row, uint64_t seq)
{
    out_webhook(api, p, row, seq);
    api_release(api, p);
}

static void send_hook(struct api *api, struct pending *p, const struct hook *row, uint64_t seq)
{
    out_hook(api, p, row, seq);
    api_release(api, p);
}

static void send_receipt(struct api *api, struct pending *p, const struct ride *ride)
{
    uint8_t memory[API_BODY_MAX];
    struct buf b = buf_on(memory, sizeof memory);
    struct json j = json_on(&b);
    if (ride->state != RIDE_SETTLED) {
        refuse(api, p, ERR(STATE, "a receipt is there once the ride is settled"));
        return;
    }
    api_json_receipt(ride, &j);
    must(!b.full);
    out_json(api, &p->client, p->status, buf_bytes(&b));
    api_release(api, p);
}

/* ---- rides and waiting ---- */

static bool is_decided(enum wait_for wait_for, enum ride_state state)
{
    bool before = state == RIDE_REQUESTED || state == RIDE_HOLDING || state == RIDE_UNLOCKING;
    return wait_for == WAIT_START ? !before : !before && state != RIDE_ENDING;
}

static void send_ride(struct api *api, struct pending *p, const struct ride *ride, uint64_t seq)
{
    struct body body;
    int status = p->status;
    if (p->wait_for) {
        bool decided = is_decided(p->wait_for, ride->state);
        if (decided) status = 200;
        if (decided) api->counters.waits_decided++;
        else api->counters.waits_timed_out++;
        api_trace_decided(api, p);
        stats_split(api->stats.wait, p->born_us, p->stepped_us, p->synced_us, loop_now_us(api->config.loop));
    }
    body_begin(&body);
    json_name(&body.j, "ride");
    api_json_ride(ride, p->staff ? SIGHT_STAFF : SIGHT_RIDER, &body.j);
    body_send(api, p, &body, status, seq);
}

static bool is_over(enum ride_state state)
{
    return state == RIDE_ENDED || state == RIDE_SETTLED || state == RIDE_CANCELLED || state == RIDE_FAILED;
}

/* A ride's row, from the engine or the tables. Who is told that it is over finds it so in the lists, too. */
static void on_ride(struct api *api, struct pending *p, const struct ride *ride, uint64_t seq)
{
    struct account *account = api_account_of(api, p);
    if (is_over(ride->state) && ride->rider_id == account->row_id && seq > account->last_seq) account->last_seq = seq;
    if (p->owner_only && !account->row_id) {
        refuse(api, p, ERR(FULL, "the account is not known yet; try again shortly"));
    } else if (p->owner_only && ride->rider_id != account->row_id) {
        refuse(api, p, ERR(NO_RIDE, "")); /* as if it were not there */
    } else if (p->shape == ANSWER_RECEIPT) {
        send_receipt(api, p, ride);
    } else {
        send_ride(api, p, ride, seq);
    }
}

/* The engine took the request; with ?wait= the reply waits for the vehicle. */
static void on_ride_accepted(struct api *api, struct pending *p, const struct ride *ride, uint64_t seq)
{
    if (!p->wait_for || is_decided(p->wait_for, ride->state) || api->draining) {
        on_ride(api, p, ride, seq);
        return;
    }
    p->stage = PENDING_WATCH;
    api->counters.waits++;
    pending_watch(&api->pendings, p);
    pending_set_due(&api->pendings, p, p->wait_until_ms);
}

/* The wait is over, one way or the other: the present row is the answer. */
static void end_wait(struct api *api, struct pending *p)
{
    struct query query = {.kind = QUERY_RIDE, .uuid = p->subject};
    if (!api_ask(api, p, &query)) {
        pending_set_due(&api->pendings, p, loop_now_ms(api->config.loop) + API_LATER_MS);
        return;
    }
    pending_unwatch(&api->pendings, p);
    pending_set_due(&api->pendings, p, 0);
    p->stage = PENDING_QUERY;
}

struct watched { struct api *api; const struct to_api *in; };

/* The event brought the ride along. */
static void end_wait_with(struct api *api, struct pending *p, const struct to_api *in)
{
    pending_unwatch(&api->pendings, p);
    pending_set_due(&api->pendings, p, 0);
    if (p->client.http) on_ride(api, p, &in->event_ride, in->seq);
    else refuse(api, p, NO_ERR);
}

static void on_watched(void *ctx, struct pending *p)
{
    struct watched *w = ctx;
    if (p->decided || !is_decided(p->wait_for, w->in->event.ride_state)) return;
    p->decided = true;
    p->born_us = w->in->born_us;
    p->stepped_us = w->in->stepped_us;
    p->synced_us = w->in->synced_us;
    /* The city's code is not in the event: who works in some cities only gets the answer that is looked at for that. */
    if (w->in->event_ride.id && !p->scope) end_wait_with(w->api, p, w->in);
    else end_wait(w->api, p);
}

static void on_event(struct api *api, const struct to_api *in)
{
    struct watched watched = {api, in};
    live_push(api->live, &in->event);
    unlocks_see(&api->unlocks, &in->event, in->born_us, loop_now_us(api->config.loop));
    if (api->outbound) outbound_on_event(api->outbound, &in->event);
    if (in->event.kind != EVENT_RIDE_STATE) return;
    pending_each_watching(&api->pendings, in->event.ride, on_watched, &watched);
}

/* ---- replies and answers ---- */

static void look_in_tables(struct api *api, struct pending *p, enum desk_job_kind kind)
{
    p->job = (struct desk_job){.kind = (uint8_t)kind, .uuid = p->subject};
    api_submit(api, p);
}

static void on_announced(struct api *api, struct pending *p, const struct effect_reply *reply)
{
    struct account *account = api_account_of(api, p);
    if (reply->code) account->announced = false; /* the next request tries again */
    else account->row_id = reply->subject_id;
    api_release(api, p);
}

static struct err not_found(enum answer_shape shape, enum desk_job_kind kind)
{
    if (shape == ANSWER_RIDE || shape == ANSWER_RECEIPT || kind == DESK_RIDE_TIMELINE) return ERR(NO_RIDE, "");
    if (shape == ANSWER_VEHICLE || shape == ANSWER_FRAMES || kind == DESK_VEHICLE_TIMELINE) return ERR(VEHICLE_UNKNOWN, "");
    if (shape == ANSWER_RIDER) return ERR(RIDER_UNKNOWN, "");
    return ERR(NOT_FOUND, "");
}

/* What a fact is told when what it is about is not there. */
static struct err not_there(const struct pending *p)
{
    if (p->stage != PENDING_SCOPE) return not_found(p->shape, 0);
    if (p->fact.kind == FACT_RIDE_END) return ERR(NO_RIDE, "");
    return p->fact.kind == FACT_RIDER_SET ? ERR(RIDER_UNKNOWN, "") : ERR(VEHICLE_UNKNOWN, "");
}

/* True: it is of a city that the caller does not work in, and has been answered as if it were not there. */
static bool hidden(struct api *api, struct pending *p, struct bytes city)
{
    if (scope_has(p->scope, city)) return false;
    api->counters.out_of_scope++;
    refuse(api, p, not_there(p));
    return true;
}

/* The city is known now: the fact may go. A ride that left memory is answered from the tables. */
static void on_scoped(struct api *api, struct pending *p, const struct to_api *in)
{
    bool missing = in->reply.code == ERR_NOT_FOUND;
    if (!p->client.http) {
        refuse(api, p, NO_ERR);
    } else if (missing && p->shape == ANSWER_RIDE) {
        pending_clear_in_flight(&api->pendings, p);
        look_in_tables(api, p, DESK_RIDE);
    } else if (missing || in->reply.code) {
        refuse(api, p, missing ? not_there(p) : (struct err){in->reply.code, ""});
    } else if (!hidden(api, p, text_bytes(&in->city)) && !api_put_in_city(api, p, in->city_id)) {
        refuse(api, p, ERR(FULL, ""));
    }
}

static void on_reply(struct api *api, const struct to_api *in)
{
    if (in->handle & BULK_HANDLE) {
        bulk_on(api, in);
        return;
    }
    struct pending *p = pending_of(&api->pendings, in->handle);
    if (p && p->stage == PENDING_ANNOUNCE) {
        on_announced(api, p, &in->reply);
        return;
    }
    if (!p || p->stage != PENDING_FACT) {
        api->counters.replies_stale++;
        return;
    }
    struct account *account = api_account_of(api, p);
    pending_clear_in_flight(&api->pendings, p);
    if (in->seq > account->last_seq) account->last_seq = in->seq;
    api_trace_fact(api, &p->client, in);
    hook_answered(api, p, in);
    stats_split(api->stats.reply, in->born_us, in->stepped_us, in->synced_us, loop_now_us(api->config.loop));
    if (p->client.http && in->reply.code == ERR_NO_RIDE && !uuid_zero(p->subject)) {
        look_in_tables(api, p, DESK_RIDE);
        return;
    }
    if (!p->client.http || in->reply.code) {
        refuse(api, p, (struct err){in->reply.code, ""});
        return;
    }
    p->subject = in->reply.subject;
    if (in->city.len && hidden(api, p, text_bytes(&in->city))) return;
    switch ((enum answer_shape)p->shape) {
    case ANSWER_RIDE:
        if (in->ride.id) on_ride_accepted(api, p, &in->ride, in->seq);
        else look_in_tables(api, p, DESK_RIDE); /* an old answer again, about a ride that left memory */
        break;
    case ANSWER_COMMAND:
        if (in->command.id) send_command(api, p, &in->command, in->seq);
        else look_in_tables(api, p, DESK_COMMAND);
        break;
    case ANSWER_VEHICLE: send_vehicle(api, p, &in->vehicle, &in->device, in->seq); break;
    case ANSWER_WEBHOOK: send_webhook(api, p, &in->webhook, in->seq); break;
    case ANSWER_HOOK: send_hook(api, p, &in->hook, in->seq); break;
    case ANSWER_WEBHOOK_GONE:
    case ANSWER_HOOK_GONE:
        send_id(api, p, in->reply.subject, in->seq);
        break;
    case ANSWER_ID: send_id(api, p, in->reply.subject, in->seq); break;
    case ANSWER_RIDER: send_rider(api, p, &in->rider, in->seq); break;
    case ANSWER_RECEIPT:
    case ANSWER_FRAMES:
    case ANSWER_PAGE: must(!"no fact is answered like that");
    }
}

static void on_answer(struct api *api, const struct to_api *in)
{
    if (in->handle & OUTBOUND_HANDLE) {
        if (api->outbound) outbound_on_answer(api->outbound, in);
        return;
    }
    if (in->handle & BULK_HANDLE) {
        bulk_on(api, in);
        return;
    }
    struct pending *p = pending_of(&api->pendings, in->handle);
    if (p && p->stage == PENDING_SCOPE) {
        on_scoped(api, p, in);
        return;
    }
    if (!p || p->stage != PENDING_QUERY) {
        api->counters.replies_stale++;
        return;
    }
    bool missing = in->reply.code == ERR_NOT_FOUND, ride = p->shape == ANSWER_RIDE || p->shape == ANSWER_RECEIPT;
    if (!p->client.http) refuse(api, p, NO_ERR);
    else if (missing && ride && !uuid_zero(p->subject)) look_in_tables(api, p, DESK_RIDE);
    else if (missing && p->shape == ANSWER_COMMAND) look_in_tables(api, p, DESK_COMMAND);
    else if (missing) refuse(api, p, not_found(p->shape, 0));
    else if (in->reply.code) refuse(api, p, (struct err){in->reply.code, ""});
    else if (hidden(api, p, text_bytes(&in->city))) return;
    else if (ride) on_ride(api, p, &in->ride, in->seq);
    else if (p->shape == ANSWER_COMMAND) send_command(api, p, &in->command, in->seq);
    else if (p->shape == ANSWER_RIDER) send_rider(api, p, &in->rider, in->seq);
    else if (p->shape == ANSWER_FRAMES) api_send_frames(api, p, &in->device, in->seq);
    else if (p->shape == ANSWER_WEBHOOK) send_webhook(api, p, &in->webhook, in->seq);
    else if (p->shape == ANSWER_HOOK) send_hook(api, p, &in->hook, in->seq);
    else send_vehicle(api, p, &in->vehicle, &in->device, in->seq);
}

/* ---- the desk ---- */

static void later(struct api *api, struct pending *p)
{
    p->stage = PENDING_LATER;
    api->counters.desk_waits++;
    pending_set_due(&api->pendings, p, loop_now_ms(api->config.loop) + API_LATER_MS);
}

void api_submit(struct api *api, struct pending *p)
{
    bool time_left = loop_now_ms(api->config.loop) < p->fresh_until_ms;
    const struct account *account = api_account_of(api, p);
    if (p->owner_only && p->job.kind == DESK_RIDES) {
        p->job.rider_id = account->row_id;
        if (!p->job.rider_id && time_left) {
            later(api, p);
            return;
        }
        if (!p->job.rider_id) {
            refuse(api, p, ERR(FULL, "the account is not known yet; try again shortly"));
            return;
        }
    }
    p->job.ticket = pending_handle(p);
    p->job.scope = p->scope;
    p->job.min_seq = time_left ? account->last_seq : 0;
    p->stage = PENDING_DESK;
    struct err e = desk_submit(api->config.desk, &p->job);
    if (!e.code) {
        api->counters.desk_jobs++;
        return;
    }
    api->counters.desk_full++;
    refuse(api, p, e);
}

/* One row, which is looked at here; lists and timelines come as they may be seen. */
static bool single(enum desk_job_kind kind)
{
    return kind == DESK_RIDE || kind == DESK_COMMAND || kind == DESK_VEHICLE || kind == DESK_RIDER;
}

static void on_result(struct api *api, struct desk_result *r)
{
    struct pending *p = pending_of(&api->pendings, r->ticket);
    if (!p || p->stage != PENDING_DESK) {
        api->counters.replies_stale++;
        return;
    }
    if (r->err.code && err_http(r->err.code) >= 500) api->counters.desk_errors++;
    if (!p->client.http) refuse(api, p, NO_ERR);
    else if (r->behind) later(api, p);
    else if (r->kind == DESK_CITY && (!r->err.code || r->err.code == ERR_NOT_FOUND)) staff_looked(api, p, !r->err.code);
    else if (r->err.code == ERR_NOT_FOUND) refuse(api, p, not_found(p->shape, r->kind));
    else if (r->err.code) refuse(api, p, r->err);
    else if (r->kind == DESK_PICK) bulk_picked(api, p, r);
    else if (single(r->kind) && hidden(api, p, text_bytes(&r->city))) return;
    else if (r->kind == DESK_RIDER) send_rider(api, p, &r->rider, r->as_of_seq);
    else if (r->kind == DESK_RIDE) on_ride(api, p, &r->ride, r->as_of_seq);
    else if (r->kind == DESK_COMMAND) send_command(api, p, &r->command, r->as_of_seq);
    else if (r->kind == DESK_VEHICLE) send_vehicle(api, p, &r->vehicle, &r->device, r->as_of_seq);
    else {
        out_json(api, &p->client, 200, bytes_of(r->body, r->body_len));
        api_release(api, p);
    }
}

void api_drain_desk(struct api *api)
{
    for (unsigned n = 0; n < DESK_JOBS; n++) {
        struct desk_result *r = desk_next(api->config.desk);
        if (!r) return;
        on_result(api, r);
        desk_release(api->config.desk);
    }
}

void api_on_due(void *ctx, struct pending *p)
{
    struct api *api = ctx;
    if (p->stage == PENDING_WATCH) end_wait(api, p);
    else if (p->stage == PENDING_LATER) api_submit(api, p);
}
