/* SPDX-License-Identifier: Apache-2.0 */
/* ride.c: one rental of one vehicle, from the request to the charge.
 *
 *     requested ──► unlocking ──(vehicle confirms)──► riding ◄──► ending ──► ended ──► settled
 *         │           │    │                             └──(lock closed)──────▲
 *         │           │    └──► cancelled (by the rider; before the hook answered, too)
 *         │           └──► failed (refused, disproved, not delivered, no answer)
 *         └──(the hook refuses)──► failed
 *
 * `requested` lasts while a declared hook is asked (ask.c), with the vehicle held for the rider; without one it is
 * passed through at once.
 * Only the vehicle's confirmation starts the meter. A ride always ends: an end that the lock does not confirm ends
 * at the rider's word and the vehicle is kept from others until it reports its lock closed; a forgotten ride ends
 * at its longest time, charged to the last movement that the vehicle saw.
 * `holding` and `paused` are words of the field whose rows come with payments and parking.
 *
 * Before a vehicle is locked it must be known to stand still: it is asked, a few times, seconds apart. */
#include "engine/ask.h"
#include "engine/ready.h"

#define UNLOCK_TOTAL_MS 60000
#define STILL_ASK_MS 3000
#define STILL_ASKS_MAX 4
#define LOCK_TOTAL_MS 60000
#define CLOSE_BY_HAND_MS 120000
#define LOCK_TRIES_MAX 2
#define RIDE_MAX_DEFAULT_MS (12 * HOUR_MS)
#define RELOCK_GAP_MS (10 * MINUTE_MS)
#define RELOCK_ASK_MS 30000
#define ASK_QUICK_MS 5000          /* a hook that may take longer makes its hold an MDS reservation */
#define TRACK_S 10                 /* positions while it is ridden */

#define TO(s) (1u << RIDE_##s)
static const uint16_t may_become[RIDE_STATE_N] = {
    [RIDE_REQUESTED] = TO(UNLOCKING) | TO(FAILED) | TO(CANCELLED),
    [RIDE_UNLOCKING] = TO(RIDING) | TO(FAILED) | TO(CANCELLED),
    [RIDE_RIDING]    = TO(ENDING) | TO(ENDED),
    [RIDE_ENDING]    = TO(RIDING) | TO(ENDED),
    [RIDE_ENDED]     = TO(SETTLED),
};

bool ride_may(enum ride_state from, enum ride_state to)
{
    return from < RIDE_STATE_N && (may_become[from] >> to & 1);
}

bool ride_open(const struct ride *r)
{
    return r->state == RIDE_REQUESTED || r->state == RIDE_UNLOCKING || r->state == RIDE_RIDING || r->state == RIDE_ENDING;
}

struct ride *ride_of_vehicle(const struct engine *e, const struct vehicle *v)
{
    struct ride *r = (struct ride *)ROW(e, RIDE, ride, v->ride_id);
    return r && ride_open(r) ? r : NULL;
}

static struct vehicle *vehicle_of(struct engine *e, const struct ride *r)
{
    struct vehicle *v = EDIT(e, VEHICLE, vehicle, r->vehicle_id);
    must(v);
    return v;
}

/* A ridden vehicle has its device: starts ask for it, and nobody takes it off under a rider. */
static const struct device *device_of(const struct engine *e, const struct ride *r)
{
    const struct device *d = ROW(e, DEVICE, device, ROW(e, VEHICLE, vehicle, r->vehicle_id)->device_id);
    must(d);
    return d;
}

static void say(struct engine *e, const struct ride *r)
{
    struct event *ev = event_begin(e, EVENT_RIDE_STATE);
    event_about(ev, ROW(e, VEHICLE, vehicle, r->vehicle_id), r, NULL);
    ev->ride_reason = r->reason;
    ev->rider = ROW(e, RIDER, rider, r->rider_id)->uuid;
    event_end(e, ev);
}

static void change(struct engine *e, struct ride *r, enum ride_state to, int64_t deadline_ms)
{
    must(ride_may(r->state, to));
    e->coverage.ride[r->state][to]++;
    r->state = (uint8_t)to;
    r->deadline_ms = deadline_ms;
    timer_touch(e, ROW_RIDE, r);
    say(e, r);
}

/* Takes the ride from rider and vehicle; the row stays until the tables hold it. */
static void close_ride(struct engine *e, struct ride *r, enum vehicle_event event)
{
    r->command_id = 0;
    r->over_seq = e->self->seq;
    over_now(e, ROW_RIDE, r->id);
    struct rider *rider = EDIT(e, RIDER, rider, r->rider_id);
    must(rider && rider->ride_id == r->id);
    rider->ride_id = 0;
    vehicle_end_trip(e, vehicle_of(e, r), event);
}

static void finish(struct engine *e, struct ride *r, enum ride_reason reason, int64_t ended_ms, bool locked)
{
    struct vehicle *v = vehicle_of(e, r);
    const struct device *d = device_of(e, r);
    must(r->started_ms);
    r->ended_ms = ended_ms < r->started_ms ? r->started_ms : ended_ms;
    r->reason = (uint8_t)reason;
    r->ending_by = RIDE_REASON_NONE;
    r->closed_ms = 0;
    if (d->has_fix) {
        r->end_lat_e7 = d->lat_e7;
        r->end_lon_e7 = d->lon_e7;
    }
    emit_track(e, d, 0);
    change(e, r, RIDE_ENDED, 0);
    charge_ride(e, r);
    change(e, r, RIDE_SETTLED, 0); /* booked on the rider's account: nothing is left to wait for */
    v->suspect = !locked;
    /* Over within a minute and never seen moving: for MDS that trip was taken back. The price stays what was shown. */
    bool unused = r->ended_ms - r->started_ms < MINUTE_MS && d->moved_ms <= r->started_ms;
    close_ride(e, r, unused ? VEHICLE_EVENT_TRIP_CANCEL : VEHICLE_EVENT_TRIP_END);
}

/* When a ride that went on too long is held to have ended: the last movement that the vehicle saw. */
static int64_t last_movement_ms(const struct ride *r, const struct device *d)
{
    return d->moved_ms > r->started_ms ? d->moved_ms : r->started_ms;
}

/* The end that was asked for comes true. */
static void finish_asked(struct engine *e, struct ride *r, bool locked)
{
    enum ride_reason by = r->ending_by;
    int64_t ended_ms = by == RIDE_REASON_TOO_LONG ? last_movement_ms(r, device_of(e, r)) : r->end_asked_ms;
    enum ride_reason reason = !locked && by == RIDE_REASON_RIDER_ENDED ? RIDE_REASON_LOCK_UNCONFIRMED : by;
    finish(e, r, reason, ended_ms, locked);
}

static void fail(struct engine *e, struct ride *r, enum ride_state to, enum ride_reason reason)
{
    struct vehicle *v = vehicle_of(e, r);
    const struct command *c = ROW(e, COMMAND, command, v->command_id);
    bool undecided = c && c->op == COMMAND_OP_UNLOCK && c->state != COMMAND_QUEUED;
    r->reason = (uint8_t)reason;
    change(e, r, to, 0);
    if (undecided) v->suspect = true; /* it may open yet: nobody else rents it until it says that it is locked */
    close_ride(e, r, VEHICLE_EVENT_RESERVATION_CANCEL);
}

/* ---- start ---- */

static const struct plan *plan_for(const struct engine *e, const struct vehicle *v)
{
    const struct plan *best = NULL;
    const struct pool *p = &e->pools[ROW_PLAN];
    for (uint32_t slot = pool_next(p, 0); slot != MAP_NONE; slot = pool_next(p, slot + 1)) {
        const struct plan *plan = pool_row(p, slot);
        if (ready_plan_fits(plan, best, v->city_id, v->type_id)) best = plan;
    }
    return best;
}

static enum err_code vehicle_ready(const struct engine *e, const struct vehicle *v, const struct device *d)
{
    const struct vehicle_type *t = ROW(e, VEHICLE_TYPE, vehicle_type, v->type_id);
    struct ready r = {.state = v->state, .cause = v->cause, .taken = v->ride_id != 0, .busy = v->command_id != 0};
    if (d) {
        r.seen_ms = d->seen_ms;
        r.silence_ms = silence_ms(e, d);
        r.lock_state = d->lock_state;
        r.charge_counts = t && t->motor && d->has_battery;
        r.battery_pct = d->battery_pct;
        r.battery_min_pct = t ? t->battery_min_pct : 0;
    }
    return ready_to_ride(&r, now_of(e));
}

enum err_code engine_offer(const struct engine *e, const struct vehicle *v, const struct plan **plan)
{
    enum err_code code = vehicle_ready(e, v, ROW(e, DEVICE, device, v->device_id));
    *plan = code ? NULL : plan_for(e, v);
    return code ? code : *plan ? ERR_OK : ERR_PLAN_UNKNOWN;
}

static enum err_code may_start(const struct engine *e, const struct rider *rider, const struct vehicle *v,
                               const struct plan **plan)
{
    if (!rider) return ERR_RIDER_UNKNOWN;
    if (rider->state != ACCOUNT_ACTIVE) return ERR_RIDER_BLOCKED;
    if (rider->ride_id) return ERR_RIDER_HAS_RIDE;
    if (!v) return ERR_VEHICLE_UNKNOWN;
    enum err_code code = engine_offer(e, v, plan);
    if (code) return code;
    bool full = e->pools[ROW_RIDE].count >= e->pools[ROW_RIDE].limit ||
                e->pools[ROW_COMMAND].count >= e->pools[ROW_COMMAND].limit;
    full = full || (hook_for(e, ASK_RIDE_MAY_START) && !ask_room(e));
    return full ? ERR_FULL : ERR_OK;
}

static void begin_unlocking(struct engine *e, struct ride *r, struct vehicle *v)
{
    struct command *c;
    struct err err = command_order(e, v, COMMAND_OP_UNLOCK, COMMAND_WHY_RIDE_START, r->id, 0, &c);
    must(!err.code); /* whoever calls has asked for everything that could refuse it */
    r->command_id = c->id;
}

void ride_start(struct engine *e, const struct fact_ride_start *f)
{
    struct request_key key = {f->account, f->key0, f->key1, f->body_hash};
    if (answer_again(e, &key)) return;
    struct rider *rider = rider_find(e, f->account);
    const struct vehicle *seen = vehicle_find(e, text_bytes(&f->code));
    const struct plan *plan = NULL;
    enum err_code code = may_start(e, rider, seen, &plan);
    if (code) {
        answer_err(e, &key, code);
        return;
    }
    struct vehicle *v = EDIT(e, VEHICLE, vehicle, seen->id);
    const struct device *d = ROW(e, DEVICE, device, v->device_id);
    const struct city *city = ROW(e, CITY, city, v->city_id);
    must(d && city);
    struct ride *r = add_row(e, ROW_RIDE);
    must(r);
    r->uuid = new_uuid(e);
    r->state = RIDE_REQUESTED;
    r->rider_id = rider->id;
    r->vehicle_id = v->id;
    r->city_id = city->id;
    r->plan_id = plan->id;
    r->vehicle_code = f->code;
    r->currency = ROW(e, LEGAL_ENTITY, legal_entity, city->entity_id)->currency;
    r->unlock_minor = plan->unlock_minor;
    r->minute_minor = plan->minute_minor;
    r->requested_ms = now_of(e);
    r->resident = true;
    index_row(e, ROW_RIDE, r);
    struct rider *who = EDIT(e, RIDER, rider, rider->id);
    who->ride_id = r->id;
    who->city_id = city->id;
    say(e, r);
    vehicle_take(v, r);
    const struct hook *hook = hook_for(e, ASK_RIDE_MAY_START);
    if (hook) {
        if (hook->deadline_ms > ASK_QUICK_MS) vehicle_reserve(e, v);
        ask_begin(e, hook, r);
        answer_row(e, &key, ROW_RIDE, r->id, r->uuid);
        return;
    }
    change(e, r, RIDE_UNLOCKING, now_of(e) + UNLOCK_TOTAL_MS);
    answer_row(e, &key, ROW_RIDE, r->id, r->uuid);
    begin_unlocking(e, r, v);
}

/* Time passed since may_start looked. */
static bool still_ready(const struct engine *e, const struct ride *r, const struct vehicle *v)
{
    const struct device *d = ROW(e, DEVICE, device, v->device_id);
    const struct rider *rider = ROW(e, RIDER, rider, r->rider_id);
    bool room = e->pools[ROW_COMMAND].count < e->pools[ROW_COMMAND].limit;
    return d && d->lock_state == LOCK_STATE_LOCKED && !v->command_id && rider->state == ACCOUNT_ACTIVE && room;
}

void ride_asked(struct engine *e, struct ride *r, enum verdict verdict, bool answered)
{
    struct vehicle *v = vehicle_of(e, r);
    must(r->state == RIDE_REQUESTED);
    if (verdict != VERDICT_ALLOW) {
        fail(e, r, RIDE_FAILED, answered ? RIDE_REASON_REFUSED : RIDE_REASON_NOT_ANSWERED);
    } else if (!still_ready(e, r, v)) {
        fail(e, r, RIDE_FAILED, RIDE_REASON_VEHICLE_CHANGED);
    } else {
        change(e, r, RIDE_UNLOCKING, now_of(e) + UNLOCK_TOTAL_MS);
        begin_unlocking(e, r, v);
    }
}

static void begin_riding(struct engine *e, struct ride *r, const struct command *c)
{
    const struct device *d = device_of(e, r);
    const struct city *city = ROW(e, CITY, city, r->city_id);
    r->command_id = 0;
    r->started_ms = now_of(e);
    r->started_by = c->result;
    if (d->has_fix) {
        r->start_lat_e7 = d->lat_e7;
        r->start_lon_e7 = d->lon_e7;
    }
    int64_t longest_ms = city->ride_max_ms ? city->ride_max_ms : RIDE_MAX_DEFAULT_MS;
    change(e, r, RIDE_RIDING, r->started_ms + longest_ms);
    vehicle_begin_trip(e, vehicle_of(e, r));
    emit_track(e, d, TRACK_S);
}

void ride_device_back(struct engine *e, const struct ride *r, const struct device *d)
{
    if (r->state == RIDE_RIDING || r->state == RIDE_ENDING) emit_track(e, d, TRACK_S);
}

/* ---- end ---- */

static void refuse_end(struct engine *e, struct ride *r, enum err_code code)
{
    if (r->ending_by != RIDE_REASON_RIDER_ENDED) {
        finish_asked(e, r, false);
        return;
    }
    const struct city *city = ROW(e, CITY, city, r->city_id);
    int64_t longest_ms = city->ride_max_ms ? city->ride_max_ms : RIDE_MAX_DEFAULT_MS;
    int64_t until_ms = r->started_ms + longest_ms;
    r->refusal = (uint8_t)code;
    r->end_asked_ms = 0;
    r->ending_by = RIDE_REASON_NONE;
    r->command_id = 0;
    change(e, r, RIDE_RIDING, until_ms > now_of(e) + MINUTE_MS ? until_ms : now_of(e) + MINUTE_MS);
    struct event *ev = event_begin(e, EVENT_RIDE_END_REFUSED);
    event_about(ev, ROW(e, VEHICLE, vehicle, r->vehicle_id), r, NULL);
    text_clip(&ev->code, bytes_text(err_name(code)));
    ev->rider = ROW(e, RIDER, rider, r->rider_id)->uuid;
    event_end(e, ev);
}

static void wait_until(struct engine *e, struct ride *r, int64_t deadline_ms)
{
    r->deadline_ms = deadline_ms;
    timer_touch(e, ROW_RIDE, r);
}

/* The vehicle stands still: lock it. */
static void order_lock(struct engine *e, struct ride *r)
{
    struct command *c;
    struct vehicle *v = vehicle_of(e, r);
    struct err err = command_order(e, v, COMMAND_OP_LOCK, COMMAND_WHY_RIDE_END, r->id, 0, &c);
    must(err.code != ERR_VEHICLE_BUSY); /* a vehicle is rented with no order under way; this ride has one at a time */
    if (err.code == ERR_INTERLOCK) {
        refuse_end(e, r, ERR_VEHICLE_MOVING);
        return;
    }
    if (err.code) {
        finish_asked(e, r, false);
        return;
    }
    r->command_id = c->id;
    r->lock_tries++;
    wait_until(e, r, now_of(e) + LOCK_TOTAL_MS);
}

static void begin_end(struct engine *e, struct ride *r, enum ride_reason by)
{
    const struct device *d = device_of(e, r);
    r->end_asked_ms = now_of(e);
    r->ending_by = (uint8_t)by;
    r->asks = 0;
    r->lock_tries = 0;
    bool can_lock = d->caps & CAP_LOCK;
    change(e, r, RIDE_ENDING, now_of(e) + (can_lock ? STILL_ASK_MS : CLOSE_BY_HAND_MS));
    if (d->lock_state == LOCK_STATE_LOCKED && d->lock_ms > r->started_ms) {
        finish_asked(e, r, true);
        return;
    }
    if (can_lock && device_still(e, d)) {
        order_lock(e, r);
        return;
    }
    r->asks++;
    ask_state(e, d);
}

void ride_end(struct engine *e, const struct fact_ride_end *f)
{
    struct request_key key = {f->account, f->key0, f->key1, f->body_hash};
    if (answer_again(e, &key)) return;
    struct ride *r = ride_find(e, f->ride);
    const struct rider *rider = rider_find(e, f->account);
    const struct staff *staff = f->by_staff ? staff_find(e, f->account) : NULL;
    bool elsewhere = r && f->city_id && r->city_id != f->city_id;
    if (!r || elsewhere || (!staff && (!rider || r->rider_id != rider->id))) {
        answer_err(e, &key, ERR_NO_RIDE);
        return;
    }
    r = EDIT(e, RIDE, ride, r->id);
    answer_row(e, &key, ROW_RIDE, r->id, r->uuid);
    if (r->state == RIDE_REQUESTED) {
        ask_withdraw(e, r);
        fail(e, r, RIDE_CANCELLED, RIDE_REASON_RIDER_CANCELLED);
    } else if (r->state == RIDE_UNLOCKING) {
        struct command *c = EDIT(e, COMMAND, command, r->command_id);
        r->command_id = 0;
        if (c) command_withdraw(e, c);
        fail(e, r, RIDE_CANCELLED, RIDE_REASON_RIDER_CANCELLED);
    } else if (r->state == RIDE_RIDING) {
        begin_end(e, r, staff ? RIDE_REASON_STAFF_ENDED : RIDE_REASON_RIDER_ENDED);
    }
    /* ending or over: the end that was asked for before stands */
}

static void lock_over(struct engine *e, struct ride *r, const struct command *c)
{
    if (c->state == COMMAND_DONE) {
        finish_asked(e, r, true);
        return;
    }
    switch (c->result) {
    case COMMAND_RESULT_MOVING:
    case COMMAND_RESULT_INTERLOCK:
        refuse_end(e, r, ERR_VEHICLE_MOVING);
        break;
    case COMMAND_RESULT_NOT_DELIVERED:
        finish_asked(e, r, false);
        break;
    default: /* the vehicle said that it did not: once more, then the rider is let go */
        if (r->lock_tries < LOCK_TRIES_MAX) order_lock(e, r);
        else finish_asked(e, r, false);
    }
}

void ride_command_unknown(struct engine *e, const struct ride *r)
{
    if (r->state == RIDE_UNLOCKING) vehicle_reserve(e, vehicle_of(e, r));
}

void ride_command_over(struct engine *e, struct ride *r, const struct command *c)
{
    if (r->state == RIDE_ENDING && c->op == COMMAND_OP_LOCK) {
        lock_over(e, r, c);
        return;
    }
    must(r->state == RIDE_UNLOCKING);
    if (c->state == COMMAND_DONE) {
        begin_riding(e, r, c);
        return;
    }
    fail(e, r, RIDE_FAILED,
         c->result == COMMAND_RESULT_NOT_DELIVERED ? RIDE_REASON_NOT_DELIVERED
         : c->result == COMMAND_RESULT_DISPROVED ? RIDE_REASON_STILL_LOCKED : RIDE_REASON_UNLOCK_REFUSED);
}

void ride_lock_seen(struct engine *e, struct ride *r, bool locked, enum lock_sign sign)
{
    if (r->state == RIDE_ENDING && locked) {
        finish_asked(e, r, true);
    } else if (r->state == RIDE_RIDING && !locked) {
        r->closed_ms = 0;
    } else if (r->state == RIDE_RIDING && sign == LOCK_SIGN_PROVEN) {
        finish(e, r, RIDE_REASON_LOCK_CLOSED, now_of(e), true);
    } else if (r->state == RIDE_RIDING && (!r->closed_ms || sign == LOCK_SIGN_CLAIMED)) {
        /* A lone lock report is no proof: anybody can claim an IMEI, and the device repeats it until it is
         * acknowledged. Ask, and believe the second sign. */
        if (!r->closed_ms) r->closed_ms = now_of(e);
        ask_state(e, device_of(e, r));
    } else if (r->state == RIDE_RIDING) {
        finish(e, r, RIDE_REASON_LOCK_CLOSED, r->closed_ms, true);
    }
}

void ride_report_seen(struct engine *e, struct ride *r, struct device *d, const struct fact_report *f)
{
    if (r->state == RIDE_RIDING && r->closed_ms && !(f->has & HAS_LOCKED) && (f->has & HAS_POSITION) &&
        device_still(e, d)) {
        finish(e, r, RIDE_REASON_LOCK_CLOSED, r->closed_ms, true);
        return;
    }
    if (r->state != RIDE_ENDING || r->command_id || !(d->caps & CAP_LOCK)) return;
    if (device_still(e, d)) order_lock(e, r);
    else if (d->moved_ms == now_of(e) && r->asks >= 2) refuse_end(e, r, ERR_VEHICLE_MOVING);
}

/* ENDING ran out of time. */
static void ending_timer(struct engine *e, struct ride *r)
{
    const struct device *d = device_of(e, r);
    bool spoke = d->session && d->seen_ms >= r->end_asked_ms;
    if (r->command_id) {
        finish_asked(e, r, false);
    } else if (!(d->caps & CAP_LOCK)) {
        if (spoke) refuse_end(e, r, ERR_CLOSE_LOCK);
        else finish_asked(e, r, false);
    } else if (r->asks < STILL_ASKS_MAX) {
        r->asks++;
        ask_state(e, d);
        wait_until(e, r, now_of(e) + STILL_ASK_MS);
    } else if (spoke) {
        refuse_end(e, r, ERR_VEHICLE_MOVING);
    } else {
        finish_asked(e, r, false);
    }
}

void ride_timer(struct engine *e, struct ride *r)
{
    if (r->state == RIDE_UNLOCKING) {
        uint64_t session = device_of(e, r)->session;
        fail(e, r, RIDE_FAILED, RIDE_REASON_UNLOCK_TIMED_OUT);
        /* What still lies in that connection's buffers must not open a lock minutes from now. */
        if (session) emit_hang_up(e, session);
    } else if (r->state == RIDE_RIDING) {
        begin_end(e, r, RIDE_REASON_TOO_LONG);
    } else if (r->state == RIDE_ENDING) {
        ending_timer(e, r);
    }
}

void lock_watch(struct engine *e, struct vehicle *v, struct device *d, enum lock_state before)
{
    bool ours = v->state == VEHICLE_AVAILABLE || v->suspect;
    if (!ours || v->ride_id) return; /* in a workshop or van, staff open locks as they like */
    if (!v->suspect || before != LOCK_STATE_UNLOCKED) {
        v->suspect = true;
        struct event *ev = event_begin(e, EVENT_UNLOCKED_NO_RIDE);
        event_about(ev, v, NULL, NULL);
        event_end(e, ev);
        vehicle_check(e, v);
    }
    if (!(d->caps & CAP_LOCK) || v->command_id || now_of(e) - v->relock_ms < RELOCK_GAP_MS) return;
    if (device_still(e, d)) {
        struct command *c;
        v->relock_ms = now_of(e);
        struct err err = command_order(e, v, COMMAND_OP_LOCK, COMMAND_WHY_RELOCK, 0, 0, &c);
        must(err.code != ERR_INTERLOCK); /* any other refusal: the next gap tries again */
    } else if (now_of(e) - v->relock_ask_ms >= RELOCK_ASK_MS) {
        v->relock_ask_ms = now_of(e);
        ask_state(e, d);
    }
}
