/* SPDX-License-Identifier: Apache-2.0 */
/* command.c: an order to a vehicle, from the wish to a known outcome.
 *
 *     queued ──► sent ──► accepted ──► done          sent, accepted ──(no answer)──► unknown ──► done
 *        │        │ ▲        │                                                          └──────► failed
 *        └► failed◄┘ └─new key┘              queued ──(not connected in time)──► failed: it was never sent
 *
 * A time-out is unknown, never failed: what the vehicle does next is told by its reports, and an order is never
 * repeated blindly (only a key that the device itself called expired is asked for again). One order to the lock at
 * a time; locate and ring run beside it.
 *
 * Safety: an order to lock or restart is refused, and withdrawn between its two steps, unless the vehicle is known
 * to stand still and nobody rides it. interlock() is the only judge.
 * Source  protocols note on OMNI, sections 5 and 9: key step, result codes, timers */
#include "engine/state.h"

#define QUEUED_MS 10000    /* an old unlock is never delivered */
#define KEY_WAIT_MS 10000
#define ACT_WAIT_MS 15000
#define KEY_TRIES_MAX 3
#define STILL_FOR_MS 15000 /* evidence of standing still is good for this long */
#define UNANSWERED_MAX 2
#define RESTART_WAIT_MS 60000

#define TO(s) (1u << COMMAND_##s)
static const uint8_t may_become[COMMAND_STATE_N] = {
    [COMMAND_QUEUED]   = TO(SENT) | TO(FAILED),
    [COMMAND_SENT]     = TO(ACCEPTED) | TO(DONE) | TO(FAILED) | TO(UNKNOWN),
    [COMMAND_ACCEPTED] = TO(SENT) | TO(DONE) | TO(FAILED) | TO(UNKNOWN),
    [COMMAND_UNKNOWN]  = TO(DONE) | TO(FAILED),
};

/* Vendor results of a lock order (OMNI): the only ones that change what we do. */
enum { RESULT_DONE = 0, RESULT_KEY_EXPIRED = 2, RESULT_MOVING = 3 };

bool command_may(enum command_state from, enum command_state to)
{
    return from < COMMAND_STATE_N && (may_become[from] >> to & 1);
}

static bool open_state(const struct command *c)
{
    return c->state != COMMAND_DONE && c->state != COMMAND_FAILED;
}

static bool beside_lock(enum command_op op)
{
    return op == COMMAND_OP_LOCATE || op == COMMAND_OP_RING;
}

static void say(struct engine *e, const struct command *c)
{
    struct event *ev = event_begin(e, EVENT_COMMAND_STATE);
    event_about(ev, ROW(e, VEHICLE, vehicle, c->vehicle_id), ROW(e, RIDE, ride, c->ride_id), c);
    ev->command_result = c->result;
    ev->number = c->result_code;
    const struct staff *staff = ROW(e, STAFF, staff, c->staff_id);
    if (staff) ev->actor = staff->uuid;
    event_end(e, ev);
}

static void change(struct engine *e, struct command *c, enum command_state to, int64_t deadline_ms)
{
    must(command_may(c->state, to));
    e->coverage.command[c->state][to]++;
    c->state = (uint8_t)to;
    c->deadline_ms = deadline_ms;
    timer_touch(e, ROW_COMMAND, c);
    say(e, c);
}

static void decide(struct engine *e, struct command *c, enum command_state to, enum command_result result)
{
    c->result = (uint8_t)result;
    c->over_ms = now_of(e);
    c->over_seq = e->self->seq;
    change(e, c, to, 0);
    over_now(e, ROW_COMMAND, c->id);
    struct vehicle *v = EDIT(e, VEHICLE, vehicle, c->vehicle_id);
    must(v);
    if (v->command_id == c->id) v->command_id = 0;
    if (v->side_command_id == c->id) v->side_command_id = 0;
    struct ride *r = EDIT(e, RIDE, ride, c->ride_id);
    if (r && r->command_id == c->id) ride_command_over(e, r, c);
}

bool device_still(const struct engine *e, const struct device *d)
{
    return d->still_ms && d->still_ms > d->moved_ms && now_of(e) - d->still_ms <= STILL_FOR_MS;
}

/* May this vehicle be locked or restarted at this moment? */
static bool interlock(const struct engine *e, const struct vehicle *v, const struct device *d, enum command_why why)
{
    const struct ride *r = ride_of_vehicle(e, v);
    if (r && !(r->state == RIDE_ENDING && why == COMMAND_WHY_RIDE_END)) return false;
    return device_still(e, d);
}

static bool dangerous(enum command_op op)
{
    return op == COMMAND_OP_LOCK || op == COMMAND_OP_RESTART;
}

static bool supported(const struct device *d, enum command_op op)
{
    if (op == COMMAND_OP_LOCK) return d->caps & CAP_LOCK;
    if (op == COMMAND_OP_RESTART) return d->caps & CAP_RESTART;
    return true;
}

static void send(struct engine *e, struct command *c, struct device *d)
{
    int64_t now_ms = now_of(e);
    uint32_t now_s = (uint32_t)(now_ms / 1000);
    /* The pair (user, stamp) names the order on the wire: a later stamp each time, a user nobody can guess. */
    d->stamp = d->stamp >= now_s ? d->stamp + 1 : now_s;
    c->stamp = d->stamp;
    c->user = (uint32_t)(draw(e) % 0x7fffffff) + 1;
    c->sent_ms = now_ms;
    c->tries++;
    bool key_step = (d->caps & CAP_KEY_STEP) && (c->op == COMMAND_OP_UNLOCK || c->op == COMMAND_OP_LOCK);
    int64_t wait_ms = c->op == COMMAND_OP_RESTART ? RESTART_WAIT_MS : key_step ? KEY_WAIT_MS : ACT_WAIT_MS;
    change(e, c, COMMAND_SENT, now_ms + wait_ms);
    struct ride *r = EDIT(e, RIDE, ride, c->ride_id);
    if (r && c->op == COMMAND_OP_UNLOCK) {
        r->unlock_user = c->user;
        r->unlock_stamp = c->stamp;
    }
    emit_order(e, d, c, c->op, 0, 0);
}

/* Sends what waits for a connection, unless safety has changed its mind since. */
static void send_queued(struct engine *e, struct command *c, struct device *d)
{
    const struct vehicle *v = ROW(e, VEHICLE, vehicle, c->vehicle_id);
    if (dangerous(c->op) && !interlock(e, v, d, c->why)) {
        decide(e, c, COMMAND_FAILED, COMMAND_RESULT_INTERLOCK);
        return;
    }
    send(e, c, d);
}

struct err command_allowed(const struct engine *e, const struct vehicle *v, enum command_op op, enum command_why why)
{
    const struct device *d = ROW(e, DEVICE, device, v->device_id);
    if (!d) return ERR(VEHICLE_SILENT, "the vehicle has no device");
    if (!supported(d, op)) return ERR(COMMAND_UNSUPPORTED, "the model cannot do that");
    if (beside_lock(op) ? v->side_command_id : v->command_id) return ERR(VEHICLE_BUSY, "a command is under way");
    if (dangerous(op) && !interlock(e, v, d, why)) return ERR(INTERLOCK, "not known to stand still unridden");
    return NO_ERR;
}

struct err command_order(struct engine *e, struct vehicle *v, enum command_op op, enum command_why why,
                         uint64_t ride_id, uint64_t staff_id, struct command **out)
{
    TRY(command_allowed(e, v, op, why));
    struct device *d = EDIT(e, DEVICE, device, v->device_id);
    struct command *c = add_row(e, ROW_COMMAND);
    if (!c) return ERR(FULL, "too many commands");
    c->uuid = new_uuid(e);
    c->op = (uint8_t)op;
    c->why = (uint8_t)why;
    c->state = COMMAND_QUEUED;
    c->vehicle_id = v->id;
    c->device_id = d->id;
    c->ride_id = ride_id;
    c->staff_id = staff_id;
    c->created_ms = now_of(e);
    c->deadline_ms = c->created_ms + QUEUED_MS;
    c->resident = true;
    if (beside_lock(op)) v->side_command_id = c->id;
    else v->command_id = c->id;
    timer_touch(e, ROW_COMMAND, c);
    say(e, c);
    if (d->session) send(e, c, d);
    *out = c;
    return NO_ERR;
}

void command_withdraw(struct engine *e, struct command *c)
{
    if (c->state == COMMAND_QUEUED) decide(e, c, COMMAND_FAILED, COMMAND_RESULT_WITHDRAWN);
}

bool command_may_let_go(const struct engine *e, const struct vehicle *v)
{
    const struct command *c = ROW(e, COMMAND, command, v->command_id);
    const struct command *side = ROW(e, COMMAND, command, v->side_command_id);
    return (!c || c->state == COMMAND_UNKNOWN) && (!side || side->state == COMMAND_UNKNOWN);
}

void command_let_go(struct engine *e, const struct vehicle *v)
{
    must(command_may_let_go(e, v));
    struct command *c = EDIT(e, COMMAND, command, v->command_id);
    if (c) decide(e, c, COMMAND_FAILED, c->result);
    struct command *side = EDIT(e, COMMAND, command, v->side_command_id);
    if (side) decide(e, side, COMMAND_FAILED, side->result);
}

void ask_state(struct engine *e, const struct device *d)
{
    emit_order(e, d, NULL, d->caps & CAP_ASK_STATUS ? ORDER_STATUS : ORDER_LOCATE, 0, 0);
}

/* The command on this device's lock, or beside it, that is not decided. */
static struct command *current(struct engine *e, const struct device *d, bool beside)
{
    const struct vehicle *v = ROW(e, VEHICLE, vehicle, d->vehicle_id);
    struct command *c = v ? EDIT(e, COMMAND, command, beside ? v->side_command_id : v->command_id) : NULL;
    return c && c->device_id == d->id && open_state(c) ? c : NULL;
}

void command_keyed(struct engine *e, struct device *d, const struct fact_device_keyed *f)
{
    struct command *c = current(e, d, false);
    /* Only for the order that waits: a key that comes late opens nothing. */
    if (!c || c->state != COMMAND_SENT || c->op != f->op || c->user != f->user || c->stamp != f->stamp) return;
    const struct vehicle *v = ROW(e, VEHICLE, vehicle, c->vehicle_id);
    const struct ride *r = ROW(e, RIDE, ride, c->ride_id);
    d->unanswered = 0;
    if (c->why == COMMAND_WHY_RIDE_START && (!r || r->command_id != c->id)) {
        decide(e, c, COMMAND_FAILED, COMMAND_RESULT_WITHDRAWN); /* the rider took it back: nothing opens */
        ask_state(e, d);
        return;
    }
    if (dangerous(c->op) && !interlock(e, v, d, c->why)) {
        decide(e, c, COMMAND_FAILED, COMMAND_RESULT_INTERLOCK);
        return;
    }
    c->accepted_ms = now_of(e);
    change(e, c, COMMAND_ACCEPTED, now_of(e) + ACT_WAIT_MS);
    emit_order(e, d, c, c->op, 1, f->key);
}

bool command_result(struct engine *e, struct device *d, const struct fact_lock_result *f)
{
    struct command *c = current(e, d, false);
    if (!c || c->state == COMMAND_QUEUED || c->op != f->op || c->user != f->user || c->stamp != f->stamp) return false;
    d->unanswered = 0;
    c->result_code = f->result;
    if (f->result == RESULT_DONE) {
        decide(e, c, COMMAND_DONE, COMMAND_RESULT_CONFIRMED);
    } else if (f->result == RESULT_KEY_EXPIRED && c->state == COMMAND_ACCEPTED && c->tries < KEY_TRIES_MAX && d->session) {
        const struct vehicle *v = ROW(e, VEHICLE, vehicle, c->vehicle_id);
        if (dangerous(c->op) && !interlock(e, v, d, c->why)) decide(e, c, COMMAND_FAILED, COMMAND_RESULT_INTERLOCK);
        else send(e, c, d);
    } else if (f->result == RESULT_MOVING && c->op == COMMAND_OP_LOCK) {
        d->moved_ms = now_of(e);
        decide(e, c, COMMAND_FAILED, COMMAND_RESULT_MOVING);
    } else {
        bool expired = f->result == RESULT_KEY_EXPIRED;
        decide(e, c, COMMAND_FAILED, expired ? COMMAND_RESULT_KEY_EXPIRED : COMMAND_RESULT_REFUSED);
    }
    return true;
}

void command_echo(struct engine *e, struct device *d, enum command_op op)
{
    struct command *c = current(e, d, beside_lock(op));
    if (!c || c->op != op || c->state == COMMAND_QUEUED) return;
    d->unanswered = 0;
    if (op == COMMAND_OP_RING) decide(e, c, COMMAND_DONE, COMMAND_RESULT_CONFIRMED);
    else if (op == COMMAND_OP_RESTART && c->state == COMMAND_SENT) {
        c->accepted_ms = now_of(e);
        change(e, c, COMMAND_ACCEPTED, c->deadline_ms);
    }
}

/* What the lock says about an order whose answer never came, or has not come yet. */
static void lock_seen(struct engine *e, struct command *c, bool locked)
{
    bool done = locked == (c->op == COMMAND_OP_LOCK);
    if (done && (c->state == COMMAND_UNKNOWN || c->state == COMMAND_ACCEPTED)) {
        decide(e, c, COMMAND_DONE, COMMAND_RESULT_INFERRED);
    } else if (!done && c->state == COMMAND_UNKNOWN) {
        decide(e, c, COMMAND_FAILED, COMMAND_RESULT_DISPROVED);
    }
}

void command_seen(struct engine *e, struct device *d, const struct fact_report *f)
{
    struct command *c = current(e, d, false);
    if (c && (c->op == COMMAND_OP_UNLOCK || c->op == COMMAND_OP_LOCK) && (f->has & HAS_LOCKED)) {
        lock_seen(e, c, f->locked);
    } else if (c && c->op == COMMAND_OP_RESTART && c->state == COMMAND_UNKNOWN) {
        decide(e, c, COMMAND_FAILED, COMMAND_RESULT_DISPROVED); /* it speaks on the connection it had before */
    }
    struct command *side = current(e, d, true);
    if (!side || side->state == COMMAND_QUEUED) return;
    if (side->op == COMMAND_OP_LOCATE && (f->has & (HAS_POSITION | HAS_NO_FIX))) {
        d->unanswered = 0;
        bool known = side->state != COMMAND_UNKNOWN;
        decide(e, side, COMMAND_DONE, known ? COMMAND_RESULT_CONFIRMED : COMMAND_RESULT_INFERRED);
    } else if (side->state == COMMAND_UNKNOWN) {
        decide(e, side, COMMAND_FAILED, COMMAND_RESULT_DISPROVED);
    }
}

void command_session(struct engine *e, struct device *d)
{
    struct command *c = current(e, d, false);
    if (c && c->op == COMMAND_OP_RESTART && c->state != COMMAND_QUEUED) {
        decide(e, c, COMMAND_DONE, COMMAND_RESULT_INFERRED); /* it signed in anew after the order */
        c = NULL;
    }
    if (c && c->state == COMMAND_QUEUED) send_queued(e, c, d);
    else if (c && c->state == COMMAND_UNKNOWN) ask_state(e, d);
    struct command *side = current(e, d, true);
    if (side && side->state == COMMAND_QUEUED) send_queued(e, side, d);
}

void command_timer(struct engine *e, struct command *c)
{
    if (c->state == COMMAND_QUEUED) {
        decide(e, c, COMMAND_FAILED, COMMAND_RESULT_NOT_DELIVERED);
        return;
    }
    struct device *d = EDIT(e, DEVICE, device, c->device_id);
    must(d);
    if (c->result == COMMAND_RESULT_NONE) c->result = COMMAND_RESULT_NO_ANSWER;
    change(e, c, COMMAND_UNKNOWN, 0);
    const struct ride *r = ROW(e, RIDE, ride, c->ride_id);
    if (r && r->command_id == c->id) ride_command_unknown(e, r);
    if (d->unanswered < UINT8_MAX) d->unanswered++;
    if (!d->session) return;
    if (d->unanswered >= UNANSWERED_MAX) {
        /* It speaks but does not hear: a new connection often cures that. */
        struct event *ev = event_begin(e, EVENT_ONE_WAY_LINK);
        event_about(ev, ROW(e, VEHICLE, vehicle, c->vehicle_id), NULL, c);
        event_end(e, ev);
        d->unanswered = 0;
        emit_hang_up(e, d->session);
        return;
    }
    ask_state(e, d);
}

void command_restarted(struct engine *e)
{
    /* Due at once rather than here: timers fire in one order everywhere and a bounded number a step. */
    struct pool *p = &e->pools[ROW_COMMAND];
    for (uint32_t slot = pool_next(p, 0); slot != MAP_NONE; slot = pool_next(p, slot + 1)) {
        const struct command *seen = pool_row(p, slot);
        if (seen->state != COMMAND_SENT && seen->state != COMMAND_ACCEPTED) continue;
        struct command *c = pool_edit(p, slot);
        c->result = COMMAND_RESULT_RESTARTED;
        c->deadline_ms = now_of(e);
        timer_touch(e, ROW_COMMAND, c);
    }
}
