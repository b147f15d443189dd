/* SPDX-License-Identifier: Apache-2.0 */
/* webhook.c: who gets events pushed, and how far each got. The cursor is a row because it must survive anything: a
 * delivery is made again rather than lost. Addresses and secrets are in contacts.db; nothing is sent from here.
 *
 * Every declaration, and every order to go back, has a generation of its own: what was under way before it moves
 * nothing any more. */
#include "engine/ask.h"

static struct webhook *webhook_find(struct engine *e, const struct text32 *code)
{
    const struct pool *p = &e->pools[ROW_WEBHOOK];
    for (uint32_t slot = pool_next(p, 0); slot != MAP_NONE; slot = pool_next(p, slot + 1)) {
        struct webhook *w = pool_row(p, slot);
        if (text_equal(&w->code, code)) return w;
    }
    return NULL;
}

const struct webhook *engine_webhook(const struct engine *e, struct bytes code)
{
    struct text32 text;
    return text_set(&text, code).code ? NULL : webhook_find((struct engine *)e, &text);
}

const struct hook *engine_hook(const struct engine *e, enum ask_kind kind)
{
    return hook_for(e, kind);
}

void webhook_set(struct engine *e, const struct fact_webhook_set *f)
{
    const struct webhook *known = webhook_find(e, &f->code);
    const struct city *city = f->city.len ? city_find(e, &f->city) : NULL;
    if (f->removed && known) {
        reply_row(e, ROW_WEBHOOK, known->id, known->uuid);
        pool_remove(&e->pools[ROW_WEBHOOK], pool_slot(&e->pools[ROW_WEBHOOK], known->id), true);
        return;
    }
    if (f->removed || !f->code.len || (f->city.len && !city)) {
        reply_err(e, f->removed ? ERR_NOT_FOUND : f->code.len ? ERR_CITY_UNKNOWN : ERR_INVALID);
        return;
    }
    struct webhook *row = known ? EDIT(e, WEBHOOK, webhook, known->id) : add_row(e, ROW_WEBHOOK);
    if (!row) {
        reply_err(e, ERR_FULL);
        return;
    }
    if (!known) {
        row->uuid = new_uuid(e);
        row->code = f->code;
        row->generation = new_id(e);
        row->after_seq = e->self->seq; /* it hears of what comes from now on; replay goes further back */
        row->after_part = UINT32_MAX;
    }
    row->kinds = f->kinds;
    row->city = f->city;
    reply_row(e, ROW_WEBHOOK, row->id, row->uuid);
}

void webhook_moved(struct engine *e, const struct fact_webhook_moved *f)
{
    const struct webhook *known = webhook_find(e, &f->code);
    if (!known) {
        reply_err(e, ERR_NOT_FOUND);
        return;
    }
    if (f->replay && f->seq > e->self->seq) {
        reply_err(e, ERR_INVALID);
        return;
    }
    bool further = f->seq > known->after_seq || (f->seq == known->after_seq && f->part > known->after_part);
    if (f->replay || (f->generation == known->generation && further && f->seq <= e->self->seq)) {
        struct webhook *row = EDIT(e, WEBHOOK, webhook, known->id);
        row->after_seq = f->seq;
        row->after_part = f->part;
        if (f->replay) row->generation = new_id(e);
    }
    reply_row(e, ROW_WEBHOOK, known->id, known->uuid);
}
