/* SPDX-License-Identifier: Apache-2.0 */
/* ask_staff.c: what staff ask about vehicles and of them. */
#include "api/api_inside.h"
#include "api/ask.h"

void ask_filter_vehicles(const struct call *call, struct desk_job *job)
{
    const struct args *args = &call->args;
    const struct arg *battery = args_get(args, "battery_max_pct"), *damaged = args_get(args, "damaged");
    job->state = (uint8_t)args_get(args, "state")->number;
    job->by_battery = battery->given;
    job->battery_max_pct = (uint8_t)battery->number;
    if (damaged->given) job->damaged = damaged->number ? DAMAGED_YES : DAMAGED_NO;
    text_clip(&job->city, args_get(args, "city")->text);
    text_clip(&job->vehicle_type, args_get(args, "vehicle_type")->text);
}

void ask_vehicles(struct call *call)
{
    const struct arg *silent = args_get(&call->args, "silent_s");
    struct desk_job job = {.kind = DESK_VEHICLES, .sight = SIGHT_STAFF,
                           .after = args_get(&call->args, "after")->cursor, .limit = call_limit(call)};
    ask_filter_vehicles(call, &job);
    text_clip(&job.prefix, args_get(&call->args, "q")->text);
    if (silent->given) job.heard_before_ms = call_wall_ms(call) - 1000 * silent->number;
    call_job(call, &job);
}

void ask_vehicle(struct call *call)
{
    if (!call->staff) {
        ask_vehicle_offer(call);
        return;
    }
    struct query query = {.kind = QUERY_VEHICLE};
    text_clip(&query.code, args_get(&call->args, "code")->text);
    call_query(call, &query, ANSWER_VEHICLE);
}

void ask_vehicle_timeline(struct call *call)
{
    const struct arg *before = args_get(&call->args, "before");
    struct desk_job job = {.kind = DESK_VEHICLE_TIMELINE, .sight = SIGHT_STAFF, .after = before->cursor,
                           .before_part = before->cursor_part, .limit = call_limit(call)};
    text_clip(&job.code, args_get(&call->args, "code")->text);
    call_job(call, &job);
}

void ask_vehicle_command(struct call *call)
{
    struct fact fact = {.kind = FACT_COMMAND_ASK};
    struct fact_command_ask *f = &fact.command_ask;
    f->account = call->account->uuid;
    f->key0 = call->key0;
    f->key1 = call->key1;
    f->body_hash = call->body_hash;
    f->op = (uint8_t)args_get(&call->args, "op")->number;
    text_clip(&f->code, args_get(&call->args, "code")->text);
    struct pending *p = call_fact(call, &fact, ANSWER_COMMAND);
    if (p) p->status = 202;
}

void ask_vehicle_event(struct call *call)
{
    struct fact fact = {.kind = FACT_VEHICLE_MARK};
    struct fact_vehicle_mark *f = &fact.vehicle_mark;
    f->account = call->account->uuid;
    f->key0 = call->key0;
    f->key1 = call->key1;
    f->body_hash = call->body_hash;
    f->event = (uint8_t)args_get(&call->args, "event")->number;
    f->to = (uint8_t)args_get(&call->args, "to")->number;
    text_clip(&f->code, args_get(&call->args, "code")->text);
    call_fact(call, &fact, ANSWER_VEHICLE);
}

void ask_vehicle_damage(struct call *call)
{
    struct fact fact = {.kind = FACT_DAMAGE_REPORT};
    struct fact_damage_report *f = &fact.damage_report;
    f->account = call->account->uuid;
    f->key0 = call->key0;
    f->key1 = call->key1;
    f->body_hash = call->body_hash;
    f->damage = (uint8_t)args_get(&call->args, "kind")->number;
    f->by_staff = call->staff;
    text_clip(&f->code, args_get(&call->args, "code")->text);
    call_fact(call, &fact, ANSWER_VEHICLE);
}

void ask_command(struct call *call)
{
    struct query query = {.kind = QUERY_COMMAND, .uuid = args_get(&call->args, "id")->uuid};
    struct pending *p = call_query(call, &query, ANSWER_COMMAND);
    if (p) p->subject = query.uuid;
}

void ask_quarantine(struct call *call)
{
    struct desk_job job = {.kind = DESK_QUARANTINE, .sight = SIGHT_STAFF,
                           .after = args_get(&call->args, "after")->cursor, .limit = call_limit(call)};
    call_job(call, &job);
}
