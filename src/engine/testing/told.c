/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/testing/told.h"

#include "base/must.h"

static const char *const order_names[ORDER_N] = {"none", "unlock", "lock", "locate", "status", "ring", "restart", "track"};

static void put_name(struct buf *b, const struct enum_names *names, unsigned value)
{
    const char *name = enum_name(names, value);
    buf_put_text(b, name ? name : "?");
}

static void put_number(struct buf *b, const char *before, int64_t number)
{
    if (!number) return;
    buf_put_text(b, before);
    buf_put_i64(b, number);
}

static void put_person(struct buf *b, const char *before, struct uuid account)
{
    if (!uuid_zero(account)) put_number(b, before, account.at[2]);
}

static void put_order(struct buf *b, const struct effect_order *o, int64_t now_ms)
{
    buf_put_text(b, "order ");
    buf_put_text(b, order_names[o->op]);
    put_number(b, "/", o->step);
    if (o->op == ORDER_TRACK) put_number(b, " every ", o->value);
    put_number(b, " key ", o->key);
    if (o->command_id) put_number(b, " in ", o->deadline_ms - now_ms);
    if (o->command_id) buf_put_text(b, " ms");
}

static void put_command(struct buf *b, const struct event *ev)
{
    buf_put_text(b, "command ");
    put_name(b, &command_op_names, ev->command_op);
    buf_put_char(b, ' ');
    put_name(b, &command_state_names, ev->command_state);
    if (ev->command_result) buf_put_text(b, ": ");
    if (ev->command_result) put_name(b, &command_result_names, ev->command_result);
    put_number(b, " code ", ev->number);
    if (ev->ride_id) buf_put_text(b, " for ride");
    put_person(b, " by ", ev->actor);
}

static void put_event(struct buf *b, const struct event *ev)
{
    switch (ev->kind) {
    case EVENT_VEHICLE_STATE:
        buf_put_bytes(b, text_bytes(&ev->code));
        buf_put_char(b, ' ');
        put_name(b, &vehicle_state_names, ev->vehicle_state);
        buf_put_text(b, ": ");
        put_name(b, &vehicle_event_names, ev->vehicle_event);
        return;
    case EVENT_RIDE_STATE:
        buf_put_text(b, "ride ");
        put_name(b, &ride_state_names, ev->ride_state);
        if (ev->ride_reason) buf_put_text(b, ": ");
        if (ev->ride_reason) put_name(b, &ride_reason_names, ev->ride_reason);
        break;
    case EVENT_COMMAND_STATE:
        put_command(b, ev);
        break;
    default:
        put_name(b, &event_kind_names, ev->kind);
        put_number(b, " ", ev->number);
        buf_put_text(b, ev->code.len ? ", " : "");
        buf_put_bytes(b, text_bytes(&ev->code));
    }
    put_person(b, " of ", ev->rider);
    must(!ev->vehicle_id == uuid_zero(ev->vehicle) && !ev->command_id == uuid_zero(ev->command));
}

const char *told(const struct town *t)
{
    static char text[4096];
    struct buf b = buf_on(text, sizeof text);
    for (unsigned i = 0; i < t->effects.count; i++) {
        const struct effect *e = &t->effects.at[i];
        if (e->kind == EFFECT_ORDER) put_order(&b, &e->order, t->now_ms);
        if (e->kind == EFFECT_EVENT) put_event(&b, &e->event);
        if (e->kind == EFFECT_HANG_UP) put_number(&b, "hang up ", (int64_t)e->hang_up.session);
        if (e->kind == EFFECT_REPLY) {
            buf_put_text(&b, e->reply.again ? "reply again " : "reply ");
            buf_put_text(&b, err_name(e->reply.code));
        }
        buf_put_char(&b, '\n');
    }
    buf_put_char(&b, 0);
    must(!b.full);
    return text;
}
