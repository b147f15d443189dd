/* SPDX-License-Identifier: Apache-2.0 */
/* request.c: what riders and staff ask for, checked and answered once. */
#include "engine/ask.h"

/* By any of its codes. Staff whose scope is a list of cities name the one that they were let in for: elsewhere there is
 * nothing for them. */
static const struct vehicle *vehicle_in(struct engine *e, const struct text16 *code, uint64_t city_id)
{
    const struct vehicle *v = vehicle_find(e, text_bytes(code));
    return v && city_id && v->city_id != city_id ? NULL : v;
}

static enum err_code order_allowed(const struct engine *e, const struct vehicle *v, uint8_t op)
{
    if (op >= COMMAND_OP_N || !command_op_names.names[op]) return ERR_INVALID;
    if (op == COMMAND_OP_UNLOCK && v->ride_id) return ERR_RIDE_OPEN;
    return command_allowed(e, v, op, COMMAND_WHY_STAFF).code;
}

enum err_code engine_would_order(const struct engine *e, const struct vehicle *v, uint8_t op)
{
    return order_allowed(e, v, op);
}

enum err_code engine_would_mark(const struct engine *e, const struct vehicle *v, uint8_t event, uint8_t to)
{
    enum vehicle_state target = to;
    return vehicle_mark_allowed(e, v, event, &target).code;
}

static void command_ask(struct engine *e, const struct fact_command_ask *f)
{
    struct request_key key = {f->account, f->key0, f->key1, f->body_hash};
    if (answer_again(e, &key)) return;
    const struct staff *staff = staff_find(e, f->account);
    const struct vehicle *seen = vehicle_in(e, &f->code, f->city_id);
    enum err_code refused = !staff ? ERR_FORBIDDEN : !seen ? ERR_VEHICLE_UNKNOWN : order_allowed(e, seen, f->op);
    if (refused) {
        answer_err(e, &key, refused);
        return;
    }
    struct vehicle *v = EDIT(e, VEHICLE, vehicle, seen->id);
    struct command *c;
    struct err err = command_order(e, v, f->op, COMMAND_WHY_STAFF, v->ride_id, staff->id, &c);
    if (err.code) {
        answer_err(e, &key, err.code);
        return;
    }
    if (f->op == COMMAND_OP_UNLOCK) v->relock_ms = now_of(e); /* staff opened it: no hurry to lock it again */
    answer_row(e, &key, ROW_COMMAND, c->id, c->uuid);
}

static void vehicle_mark(struct engine *e, const struct fact_vehicle_mark *f)
{
    struct request_key key = {f->account, f->key0, f->key1, f->body_hash};
    if (answer_again(e, &key)) return;
    const struct staff *staff = staff_find(e, f->account);
    const struct vehicle *seen = vehicle_in(e, &f->code, f->city_id);
    enum vehicle_state to = f->to;
    struct err err = NO_ERR;
    if (!staff) err = ERR(FORBIDDEN, "not staff");
    else if (!seen) err = ERR(VEHICLE_UNKNOWN, "no such vehicle");
    else err = vehicle_mark_allowed(e, seen, f->event, &to);
    if (err.code) {
        answer_err(e, &key, err.code);
        return;
    }
    struct vehicle *v = EDIT(e, VEHICLE, vehicle, seen->id);
    bool was_missing = v->state == VEHICLE_MISSING;
    if (to == VEHICLE_NON_CONTACTABLE && v->state != to && !(was_missing && (v->ride_id || v->owed))) {
        v->held_state = v->state;
    }
    if (to == VEHICLE_NON_OPERATIONAL) v->cause = f->event == VEHICLE_EVENT_BATTERY_LOW ? f->event : VEHICLE_EVENT_MAINTENANCE;
    /* Where a missing vehicle was before nobody knows any more: it is looked at when it is found. */
    if (to == VEHICLE_MISSING && v->held_state == VEHICLE_MISSING) v->held_state = VEHICLE_NON_OPERATIONAL;
    answer_row(e, &key, ROW_VEHICLE, v->id, v->uuid);
    vehicle_change(e, v, f->event, to);
    if (to != VEHICLE_NON_CONTACTABLE && to != VEHICLE_MISSING) {
        v->held_state = 0;
        if (!v->ride_id) {
            v->owed = 0;
            v->trip = (struct uuid){{0}};
        }
    }
    if (to == VEHICLE_AVAILABLE || to == VEHICLE_REMOVED) v->cause = 0;
    /* Who ends maintenance or sets it down has looked at it; who opens the system again has not. */
    if (to == VEHICLE_AVAILABLE && (f->event == VEHICLE_EVENT_MAINTENANCE || f->event == VEHICLE_EVENT_PROVIDER_DROP_OFF)) {
        v->damage = 0;
    }
    vehicle_tell_trip(e, v);
    vehicle_listen(e, v);
    vehicle_check(e, v);
}

/* One rider cannot empty a street: what they say beyond this in an hour is told, and takes nothing out of service. */
enum { DAMAGES_AN_HOUR = 3 };

static bool believed(struct engine *e, const struct rider *seen)
{
    if (!seen) return true; /* staff */
    if (seen->state == ACCOUNT_BLOCKED) return false;
    struct rider *r = EDIT(e, RIDER, rider, seen->id);
    if (now_of(e) - r->damage_ms >= HOUR_MS) {
        r->damage_ms = now_of(e);
        r->damages = 0;
    }
    if (r->damages >= DAMAGES_AN_HOUR) return false;
    r->damages++;
    return true;
}

static void damage_report(struct engine *e, const struct fact_damage_report *f)
{
    struct request_key key = {f->account, f->key0, f->key1, f->body_hash};
    if (answer_again(e, &key)) return;
    const struct rider *rider = f->by_staff ? NULL : rider_find(e, f->account);
    const struct vehicle *seen = vehicle_in(e, &f->code, f->city_id);
    bool known_kind = f->damage < DAMAGE_KIND_N && damage_kind_names.names[f->damage];
    if (f->by_staff ? !staff_find(e, f->account) : !rider) {
        answer_err(e, &key, ERR_FORBIDDEN);
        return;
    }
    if (!seen || !known_kind) {
        answer_err(e, &key, !seen ? ERR_VEHICLE_UNKNOWN : ERR_INVALID);
        return;
    }
    struct vehicle *v = EDIT(e, VEHICLE, vehicle, seen->id);
    struct event *ev = event_begin(e, EVENT_DAMAGE_REPORTED);
    event_about(ev, v, NULL, NULL);
    ev->number = f->damage;
    ev->actor = f->account;
    event_end(e, ev);
    if (f->damage != DAMAGE_DIRTY && believed(e, rider)) {
        v->damage = f->damage;
        v->damage_ms = now_of(e);
        vehicle_check(e, v); /* with a ride open: once it is over */
    }
    answer_row(e, &key, ROW_VEHICLE, v->id, v->uuid);
}

void apply_request(struct engine *e, const struct fact *fact)
{
    switch (fact->kind) {
    case FACT_RIDE_START: ride_start(e, &fact->ride_start); break;
    case FACT_RIDE_END: ride_end(e, &fact->ride_end); break;
    case FACT_COMMAND_ASK: command_ask(e, &fact->command_ask); break;
    case FACT_ASK_ANSWERED: ask_answered(e, &fact->ask_answered); break;
    case FACT_WEBHOOK_MOVED: webhook_moved(e, &fact->webhook_moved); break;
    case FACT_VEHICLE_MARK: vehicle_mark(e, &fact->vehicle_mark); break;
    case FACT_DAMAGE_REPORT: damage_report(e, &fact->damage_report); break;
    default: must(!"a request of no kind");
    }
}
