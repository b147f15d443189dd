/* SPDX-License-Identifier: Apache-2.0 */
/* emit.c: making effects: events with who they concern, orders, hang-ups. */
#include "engine/state.h"

struct event *event_begin(struct engine *e, enum event_kind kind)
{
    struct effect *effect = effects_add(e->out, EFFECT_EVENT);
    effect->event.seq = e->self->seq;
    effect->event.part = e->out->parts++;
    effect->event.at_ms = now_of(e);
    effect->event.kind = (uint8_t)kind;
    return &effect->event;
}

void event_end(struct engine *e, struct event *event)
{
    struct effect *effect = &e->out->at[e->out->count - 1];
    must(&effect->event == event);
    effects_added(e->out, effect);
}

void event_about(struct event *event, const struct vehicle *v, const struct ride *r, const struct command *c)
{
    if (v) {
        event->vehicle_id = v->id;
        event->vehicle = v->uuid;
        event->vehicle_state = v->state;
        event->city_id = v->city_id;
        text_clip(&event->code, text_bytes(&v->code)); /* 15 bytes always fit into 64 */
    }
    if (r) {
        event->ride_id = r->id;
        event->ride = r->uuid;
        event->ride_state = r->state;
        event->city_id = r->city_id;
    }
    if (c) {
        event->command_id = c->id;
        event->command = c->uuid;
        event->command_op = c->op;
        event->command_state = c->state;
    }
}

void emit_order(struct engine *e, const struct device *d, const struct command *c, uint8_t op, uint8_t step, uint32_t key)
{
    if (!d->session) return;
    struct effect *effect = effects_add(e->out, EFFECT_ORDER);
    effect->order = (struct effect_order){.session = d->session, .op = op, .step = step, .key = key,
                                          .created_ms = now_of(e), .deadline_ms = now_of(e) + 10000};
    if (c) {
        effect->order.command_id = c->id;
        effect->order.user = c->user;
        effect->order.stamp = c->stamp;
        effect->order.created_ms = c->created_ms;
        effect->order.deadline_ms = c->deadline_ms;
    }
    effects_added(e->out, effect);
}

void emit_track(struct engine *e, const struct device *d, uint32_t seconds)
{
    if (!d->session) return;
    struct effect *effect = effects_add(e->out, EFFECT_ORDER);
    effect->order = (struct effect_order){.session = d->session, .op = ORDER_TRACK, .value = seconds,
                                          .created_ms = now_of(e), .deadline_ms = now_of(e) + 10000};
    effects_added(e->out, effect);
}

void emit_hang_up(struct engine *e, uint64_t session)
{
    struct effect *effect = effects_add(e->out, EFFECT_HANG_UP);
    effect->hang_up.session = session;
    effects_added(e->out, effect);
}
