/* SPDX-License-Identifier: Apache-2.0 */
/* device.c: what devices say: sessions, reports, keys, lock results.
 *
 * Only the device's present connection counts; what still trickles in over an older one is acknowledged by the gateway
 * and otherwise ignored, but for answers that name an order of ours. Unregistered devices go to quarantine, a list
 * of bounded length where the oldest make room.
 * Movement is evidence, from speed where the device reports it, else from the distance between fixes. */
#include "engine/state.h"

#include "geo/point.h"

#define SWAP_GAP_MS 10000           /* a second connection may take over this often */
#define QUARANTINE_NOTE_MS 60000
#define FIX_AHEAD_MAX_MS 120000     /* a device clock further ahead is not believed */
#define MOVED_CM 2500               /* between two fixes: certainly moved, whatever the noise */
#define STILL_CM 1200               /* certainly did not ride away */
#define STILL_CM_PER_S 100          /* slower than a walk: 12 m within two seconds is riding */
#define STILL_PAIR_MAX_MS 20000     /* in more time it may have been away and back */
#define FIX_PAIR_MIN_MS 2000
#define FIX_PAIR_MAX_MS 60000
#define SPEED_STILL_DMH 10          /* 1 km/h: below it a wheel sensor is noise */

void quarantine_note(struct engine *e, uint8_t protocol, const struct text64 *ident, bool poisoned)
{
    struct quarantine *q = quarantine_find(e, protocol, ident);
    int64_t now_ms = now_of(e);
    if (q && !poisoned && now_ms - q->last_ms < QUARANTINE_NOTE_MS) return;
    if (q) {
        q = EDIT(e, QUARANTINE, quarantine, q->id);
        q->last_ms = now_ms;
        q->reports++;
        q->poisoned = q->poisoned || poisoned;
        return;
    }
    struct pool *p = &e->pools[ROW_QUARANTINE];
    while (p->count >= p->limit) {
        uint32_t oldest = pool_slot(p, heap_pop(&e->quarantine_order).id);
        if (oldest == MAP_NONE) continue;
        unindex_row(e, ROW_QUARANTINE, pool_row(p, oldest));
        pool_remove(p, oldest, true);
    }
    q = add_row(e, ROW_QUARANTINE);
    q->protocol = protocol;
    q->ident = *ident;
    q->first_ms = q->last_ms = now_ms;
    q->reports = 1;
    q->poisoned = poisoned;
    index_row(e, ROW_QUARANTINE, q);
    struct event *ev = event_begin(e, EVENT_DEVICE_QUARANTINED);
    ev->code = *ident;
    event_end(e, ev);
}

/* The registered device, in the change list; NULL sends it to quarantine. */
static struct device *registered(struct engine *e, uint8_t protocol, const struct text64 *ident)
{
    struct device *d = device_find(e, protocol, ident);
    if (!d || d->poisoned) {
        quarantine_note(e, protocol, ident, false);
        return NULL;
    }
    return edit_row(e, ROW_DEVICE, d);
}

/* Over the connection that it has now? Handle 0 is none. */
static bool over_present(const struct device *d, uint64_t session)
{
    return session && d->session == session;
}

static void heard(struct engine *e, struct device *d)
{
    d->seen_ms = now_of(e);
    if (d->silent) d->silent = false;
    timer_touch(e, ROW_DEVICE, d);
    struct vehicle *v = (struct vehicle *)ROW(e, VEHICLE, vehicle, d->vehicle_id);
    if (v && (v->state == VEHICLE_NON_CONTACTABLE || v->state == VEHICLE_MISSING)) {
        vehicle_heard(e, EDIT(e, VEHICLE, vehicle, v->id));
    }
}

static void say_connection(struct engine *e, const struct device *d, enum event_kind kind)
{
    struct event *ev = event_begin(e, kind);
    event_about(ev, ROW(e, VEHICLE, vehicle, d->vehicle_id), NULL, NULL);
    event_end(e, ev);
}

/* Kept for the moment when staff register it: then it need not connect anew. */
static void quarantine_session(struct engine *e, uint8_t protocol, const struct text64 *ident, uint64_t session, uint32_t caps)
{
    const struct quarantine *seen = quarantine_find(e, protocol, ident);
    if (!seen) return;
    struct quarantine *q = EDIT(e, QUARANTINE, quarantine, seen->id);
    q->session = session;
    q->caps = caps;
}

static void session_opened(struct engine *e, const struct fact_session_opened *f)
{
    struct device *d = registered(e, f->protocol, &f->ident);
    if (!d) quarantine_session(e, f->protocol, &f->ident, f->session, f->caps);
    if (!d || !f->session || d->session == f->session) return;
    if (d->session) {
        if (d->swap_ms && now_of(e) - d->swap_ms < SWAP_GAP_MS) {
            emit_hang_up(e, f->session); /* two that claim one id do not get to fight over it */
            return;
        }
        d->swap_ms = now_of(e);
        emit_hang_up(e, d->session);
    }
    d->session = f->session;
    d->caps = f->caps;
    d->signed_in_ms = now_of(e);
    heard(e, d);
    say_connection(e, d, EVENT_DEVICE_CONNECTED);
    command_session(e, d);
    const struct vehicle *v = ROW(e, VEHICLE, vehicle, d->vehicle_id);
    const struct ride *r = v ? ride_of_vehicle(e, v) : NULL;
    if (r) ride_device_back(e, r, d);
    if (v && (v->ride_id || v->suspect || d->lock_state == LOCK_STATE_UNKNOWN)) ask_state(e, d);
}

static void session_closed(struct engine *e, const struct fact_session_closed *f)
{
    struct device *d = device_find(e, f->protocol, &f->ident);
    const struct quarantine *q = d ? NULL : quarantine_find(e, f->protocol, &f->ident);
    if (q && q->session == f->session) quarantine_session(e, f->protocol, &f->ident, 0, 0);
    if (!d || !over_present(d, f->session)) return;
    d = EDIT(e, DEVICE, device, d->id);
    d->session = 0;
    say_connection(e, d, EVENT_DEVICE_GONE);
}

static void evidence_from_fixes(struct device *d, struct point before, int64_t before_ms, int64_t fix_ms, int64_t now_ms)
{
    int64_t apart_ms = fix_ms - before_ms;
    if (apart_ms < FIX_PAIR_MIN_MS || apart_ms > FIX_PAIR_MAX_MS) return;
    int64_t cm = point_distance_cm(before, (struct point){d->lat_e7, d->lon_e7});
    bool slow = cm * 1000 <= STILL_CM_PER_S * apart_ms && apart_ms <= STILL_PAIR_MAX_MS;
    if (cm > MOVED_CM) d->moved_ms = now_ms;
    else if (cm < STILL_CM && slow && now_ms - fix_ms < 10000) d->still_ms = now_ms;
}

static void take_position(struct engine *e, struct device *d, const struct fact_report *f)
{
    int64_t now_ms = now_of(e), fix_ms = f->fix_ms ? f->fix_ms : now_ms;
    if (!point_valid((struct point){f->lat_e7, f->lon_e7}) || fix_ms < 0 || fix_ms > now_ms + FIX_AHEAD_MAX_MS) return;
    if (d->has_fix && fix_ms < d->fix_ms) return; /* late: the place it was, not the place it is */
    struct point before = {d->lat_e7, d->lon_e7};
    int64_t before_ms = d->has_fix ? d->fix_ms : 0;
    d->lat_e7 = f->lat_e7;
    d->lon_e7 = f->lon_e7;
    d->fix_ms = fix_ms;
    d->fix_got_ms = now_ms;
    d->has_fix = true;
    /* A wheel knows better than a satellite: distance counts only where the status has no speed. */
    if (before_ms && !(d->caps & CAP_SPEED)) evidence_from_fixes(d, before, before_ms, fix_ms, now_ms);
    const struct vehicle *v = ROW(e, VEHICLE, vehicle, d->vehicle_id);
    if (v && v->ride_id) vehicle_moved_to(e, EDIT(e, VEHICLE, vehicle, v->id), d);
}

static void say_number(struct engine *e, const struct device *d, enum event_kind kind, int64_t number)
{
    const struct vehicle *v = ROW(e, VEHICLE, vehicle, d->vehicle_id);
    struct event *ev = event_begin(e, kind);
    event_about(ev, v, v ? ride_of_vehicle(e, v) : NULL, NULL);
    ev->number = number;
    event_end(e, ev);
}

static void take_battery(struct engine *e, struct device *d, const struct fact_report *f)
{
    bool changed = !d->has_battery || d->battery_pct != f->battery_pct;
    d->battery_pct = f->battery_pct > 100 ? 100 : f->battery_pct;
    d->has_battery = true;
    const struct vehicle *v = ROW(e, VEHICLE, vehicle, d->vehicle_id);
    if (!v || (v->state != VEHICLE_AVAILABLE && v->state != VEHICLE_NON_OPERATIONAL)) return;
    /* Held for its charge: looked at each time, the bound may be another one now. */
    bool held = v->state == VEHICLE_NON_OPERATIONAL && v->cause == VEHICLE_EVENT_BATTERY_LOW;
    if (changed || held) vehicle_check(e, EDIT(e, VEHICLE, vehicle, v->id));
}

/* The lock was closed and reported so: what was suspect may be rented again. */
static void clear_suspicion(struct engine *e, const struct device *d)
{
    const struct vehicle *seen = ROW(e, VEHICLE, vehicle, d->vehicle_id);
    if (!seen || !seen->suspect) return;
    struct vehicle *v = EDIT(e, VEHICLE, vehicle, seen->id);
    v->suspect = false;
    if (v->state == VEHICLE_NON_OPERATIONAL && v->cause == VEHICLE_EVENT_MAINTENANCE) {
        v->cause = 0;
        vehicle_change(e, v, VEHICLE_EVENT_MAINTENANCE, VEHICLE_AVAILABLE);
        vehicle_check(e, v);
    } else if (v->held_state == VEHICLE_NON_OPERATIONAL && v->cause == VEHICLE_EVENT_MAINTENANCE) {
        v->cause = 0;
        v->held_state = VEHICLE_AVAILABLE; /* told over an older connection: it comes back as if it had been said before */
    }
}

static void take_lock(struct engine *e, struct device *d, bool locked, enum lock_sign sign)
{
    enum lock_state before = d->lock_state;
    d->lock_state = locked ? LOCK_STATE_LOCKED : LOCK_STATE_UNLOCKED;
    d->lock_ms = now_of(e);
    const struct vehicle *v = ROW(e, VEHICLE, vehicle, d->vehicle_id);
    if (!v) return;
    struct ride *r = ride_of_vehicle(e, v);
    if (r) ride_lock_seen(e, EDIT(e, RIDE, ride, r->id), locked, sign);
    else if (locked) clear_suspicion(e, d);
    else lock_watch(e, EDIT(e, VEHICLE, vehicle, v->id), d, before);
}

static void report(struct engine *e, const struct fact_report *f)
{
    struct device *d = registered(e, f->protocol, &f->ident);
    /* Registered while it was connected, and its opening is no longer known: it is to sign in anew. */
    if (d && !d->session && f->session) emit_hang_up(e, f->session);
    if (!d || !over_present(d, f->session)) return;
    heard(e, d);
    if (f->has & HAS_IOT_MV) d->iot_mV = f->iot_mV;
    if (f->has & HAS_RSSI) d->rssi = f->rssi;
    if (f->has & HAS_CHARGING) d->charging = f->charging;
    if (f->has & HAS_TOTAL) d->total_m = f->total_m;
    if (f->has & HAS_SPEED) {
        d->speed_dmh = f->speed_dmh;
        if (f->speed_dmh > SPEED_STILL_DMH) d->moved_ms = now_of(e);
        else d->still_ms = now_of(e);
    }
    if (f->has & HAS_POSITION) take_position(e, d, f);
    if (f->has & HAS_BATTERY) take_battery(e, d, f);
    command_seen(e, d, f);
    if (f->has & HAS_LOCKED) take_lock(e, d, f->locked, LOCK_SIGN_REPORTED);
    if (f->has & HAS_ALARM) say_number(e, d, EVENT_ALARM, f->alarm);
    if (f->has & HAS_FAULT) say_number(e, d, EVENT_FAULT, f->fault);
    const struct vehicle *v = ROW(e, VEHICLE, vehicle, d->vehicle_id);
    struct ride *r = v && v->ride_id ? ride_of_vehicle(e, v) : NULL;
    if (r) ride_report_seen(e, EDIT(e, RIDE, ride, r->id), d, f);
}

/* Does it name the unlock order of the ride that is open? A horseshoe lock does when it is closed by hand. */
static bool names_ride(struct engine *e, const struct device *d, const struct fact_lock_result *f)
{
    const struct vehicle *v = ROW(e, VEHICLE, vehicle, d->vehicle_id);
    const struct ride *r = v ? ride_of_vehicle(e, v) : NULL;
    return r && f->user && r->unlock_user == f->user && r->unlock_stamp == f->stamp;
}

static void lock_result(struct engine *e, const struct fact_lock_result *f)
{
    struct device *d = registered(e, f->protocol, &f->ident);
    if (!d || (f->op != COMMAND_OP_LOCK && f->op != COMMAND_OP_UNLOCK)) return;
    bool present = over_present(d, f->session);
    if (present) heard(e, d);
    bool proven = f->op == COMMAND_OP_LOCK && names_ride(e, d, f);
    bool ours = command_result(e, d, f);
    if (!ours && !proven && !present) return;
    if (!ours && !proven && f->user && f->stamp) say_number(e, d, EVENT_LATE_RESULT, f->result);
    if (f->result) return;
    if (ours) {
        /* command_result told the ride; here only the vehicle's own state is left to keep. */
        enum lock_state before = d->lock_state;
        d->lock_state = f->op == COMMAND_OP_LOCK ? LOCK_STATE_LOCKED : LOCK_STATE_UNLOCKED;
        d->lock_ms = now_of(e);
        const struct vehicle *v = ROW(e, VEHICLE, vehicle, d->vehicle_id);
        if (f->op == COMMAND_OP_LOCK) clear_suspicion(e, d);
        else if (v && !v->ride_id) lock_watch(e, EDIT(e, VEHICLE, vehicle, v->id), d, before);
        return;
    }
    take_lock(e, d, f->op == COMMAND_OP_LOCK, proven ? LOCK_SIGN_PROVEN : LOCK_SIGN_CLAIMED);
}

void apply_device(struct engine *e, const struct fact *fact)
{
    switch (fact->kind) {
    case FACT_SESSION_OPENED: session_opened(e, &fact->session_opened); break;
    case FACT_SESSION_CLOSED: session_closed(e, &fact->session_closed); break;
    case FACT_REPORT: report(e, &fact->report); break;
    case FACT_LOCK_RESULT: lock_result(e, &fact->lock_result); break;
    case FACT_DEVICE_KEYED: {
        const struct fact_device_keyed *f = &fact->device_keyed;
        struct device *d = registered(e, f->protocol, &f->ident);
        if (!d || !over_present(d, f->session)) break;
        heard(e, d);
        command_keyed(e, d, f);
        break;
    }
    case FACT_DEVICE_ECHO: {
        const struct fact_device_echo *f = &fact->device_echo;
        struct device *d = registered(e, f->protocol, &f->ident);
        if (!d || !over_present(d, f->session)) break;
        heard(e, d);
        command_echo(e, d, f->op);
        break;
    }
    default: must(!"a device fact of no kind");
    }
}
