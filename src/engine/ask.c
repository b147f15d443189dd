/* SPDX-License-Identifier: Apache-2.0 */
/* ask.c: questions to the operator's own programs: an effect that wants an answer, which comes back as a fact.
 *
 *     (hook declared) ──► asked ──answer──────────► the asker goes on, the row leaves
 *                           │  └──(deadline)───────► the same, with the hook's default
 *                           └──(no longer wanted)──► the row leaves, nobody is told
 *
 * The first answer counts; one that comes after it, after the deadline or to nobody changes nothing. A process that
 * starts asks open questions again under the same id, so an answer that died with the last one is not lost; when the
 * deadline passed meanwhile, the default holds. */
#include "engine/ask.h"

const struct hook *hook_for(const struct engine *e, enum ask_kind kind)
{
    const struct pool *p = &e->pools[ROW_HOOK];
    for (uint32_t slot = pool_next(p, 0); slot != MAP_NONE; slot = pool_next(p, slot + 1)) {
        const struct hook *hook = pool_row(p, slot);
        if (hook->ask == kind) return hook;
    }
    return NULL;
}

void hook_set(struct engine *e, const struct fact_hook_set *f)
{
    const struct hook *known = hook_for(e, f->ask);
    bool fine = f->ask && f->ask < ASK_KIND_N;
    if (f->removed && fine && known) {
        reply_row(e, ROW_HOOK, known->id, known->uuid);
        pool_remove(&e->pools[ROW_HOOK], pool_slot(&e->pools[ROW_HOOK], known->id), true);
        return;
    }
    fine = fine && f->deadline_ms >= ASK_DEADLINE_MIN_MS && f->deadline_ms <= ASK_DEADLINE_MAX_MS && f->fallback &&
           f->fallback < VERDICT_N;
    if (f->removed || !fine) {
        reply_err(e, f->removed ? ERR_NOT_FOUND : ERR_INVALID);
        return;
    }
    struct hook *row = known ? EDIT(e, HOOK, hook, known->id) : add_row(e, ROW_HOOK);
    if (!row) {
        reply_err(e, ERR_FULL);
        return;
    }
    if (!known) row->uuid = new_uuid(e);
    row->ask = f->ask;
    row->deadline_ms = f->deadline_ms;
    row->fallback = f->fallback;
    reply_row(e, ROW_HOOK, row->id, row->uuid);
}

/* What the hook needs to know, as things stand now. */
static void send(struct engine *e, const struct ask *ask)
{
    const struct ride *r = ROW(e, RIDE, ride, ask->ride_id);
    must(r);
    const struct vehicle *v = ROW(e, VEHICLE, vehicle, r->vehicle_id);
    const struct device *d = ROW(e, DEVICE, device, v->device_id);
    struct effect *effect = effects_add(e->out, EFFECT_ASK);
    struct effect_ask *out = &effect->ask;
    out->ask = ask->kind;
    out->id = ask->uuid;
    out->ride = r->uuid;
    out->rider = ROW(e, RIDER, rider, r->rider_id)->uuid;
    out->vehicle = v->uuid;
    out->vehicle_code = r->vehicle_code;
    out->city = ROW(e, CITY, city, r->city_id)->code;
    out->vehicle_type = ROW(e, VEHICLE_TYPE, vehicle_type, v->type_id)->code;
    out->asked_ms = ask->asked_ms;
    out->deadline_ms = ask->deadline_ms;
    if (d && d->has_fix) {
        out->lat_e7 = d->lat_e7;
        out->lon_e7 = d->lon_e7;
    }
    effects_added(e->out, effect);
}

static void say(struct engine *e, const struct ask *ask, enum event_kind kind, enum verdict verdict, struct bytes code)
{
    const struct ride *r = ROW(e, RIDE, ride, ask->ride_id);
    struct event *ev = event_begin(e, kind);
    event_about(ev, ROW(e, VEHICLE, vehicle, r->vehicle_id), r, NULL);
    ev->rider = ROW(e, RIDER, rider, r->rider_id)->uuid;
    ev->ask = ask->kind;
    ev->verdict = (uint8_t)verdict;
    text_clip(&ev->code, code);
    event_end(e, ev);
}

bool ask_room(const struct engine *e)
{
    return e->pools[ROW_ASK].count < e->pools[ROW_ASK].limit;
}

void ask_begin(struct engine *e, const struct hook *hook, struct ride *r)
{
    struct ask *ask = add_row(e, ROW_ASK);
    must(ask);
    ask->uuid = new_uuid(e);
    ask->kind = hook->ask;
    ask->ride_id = r->id;
    ask->asked_ms = now_of(e);
    ask->deadline_ms = now_of(e) + hook->deadline_ms;
    ask->fallback = hook->fallback;
    index_row(e, ROW_ASK, ask);
    timer_touch(e, ROW_ASK, ask);
    r->ask_id = ask->id;
    say(e, ask, EVENT_ASKED, 0, text_bytes(&r->vehicle_code));
    send(e, ask);
}

static void leave(struct engine *e, const struct ask *ask)
{
    unindex_row(e, ROW_ASK, ask);
    pool_remove(&e->pools[ROW_ASK], pool_slot(&e->pools[ROW_ASK], ask->id), true);
}

static void decide(struct engine *e, const struct ask *ask, enum verdict verdict, bool answered)
{
    struct ride *r = EDIT(e, RIDE, ride, ask->ride_id);
    must(r && r->ask_id == ask->id);
    r->ask_id = 0;
    leave(e, ask);
    ride_asked(e, r, verdict, answered);
}

void ask_withdraw(struct engine *e, struct ride *r)
{
    const struct ask *ask = ROW(e, ASK, ask, r->ask_id);
    must(ask);
    r->ask_id = 0;
    leave(e, ask);
}

void ask_answered(struct engine *e, const struct fact_ask_answered *f)
{
    const struct ask *ask = ask_find(e, f->ask);
    bool known = f->verdict && f->verdict < VERDICT_N;
    reply_err(e, !ask ? ERR_NOT_FOUND : known ? ERR_OK : ERR_INVALID);
    if (!ask || !known) return;
    say(e, ask, EVENT_ASK_ANSWERED, f->verdict, text_bytes(&f->reason));
    struct ride *r = EDIT(e, RIDE, ride, ask->ride_id);
    must(r);
    if (f->verdict == VERDICT_REFUSE) {
        r->hook_reason = f->reason;
        r->hook_text = f->text_key;
    }
    decide(e, ask, f->verdict, true);
}

void ask_timer(struct engine *e, struct ask *ask)
{
    if (now_of(e) < ask->deadline_ms) {
        ask->send_ms = 0;
        send(e, ask);
        return;
    }
    say(e, ask, EVENT_ASK_DEFAULTED, ask->fallback, bytes_text(""));
    decide(e, ask, ask->fallback, false);
}

void ask_restarted(struct engine *e)
{
    /* Due at once rather than here: timers fire in one order everywhere and a bounded number a step. */
    struct pool *p = &e->pools[ROW_ASK];
    for (uint32_t slot = pool_next(p, 0); slot != MAP_NONE; slot = pool_next(p, slot + 1)) {
        struct ask *ask = pool_edit(p, slot);
        ask->send_ms = now_of(e);
        timer_touch(e, ROW_ASK, ask);
    }
}
