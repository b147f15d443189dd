/* SPDX-License-Identifier: Apache-2.0 */
/* judge.c: what must hold, whatever happens.
 *
 *  1 what a client saw acknowledged survives: the clients' own logs are the oracle, the journal and the tables the
 *    witnesses
 *  2 a vehicle has one ride at most, a rider too
 *  3 nothing is charged without the vehicle having said that it opened
 *  4 a ride is charged once: its postings are two and sum to zero, riders owe what their rides cost
 *  5 no order to lock or restart reaches a vehicle that has been moving for longer than evidence of standing still lasts
 *  6 the running state = tables + tail = the whole journal replayed
 *  7 a ride that a hook refused was never unlocked; a webhook got every event, in order
 *  8 when faults stop every ride ends and every command is decided
 *  9 what is shown of the street is durable, and at that fact it was so: no vehicle is offered that the engine would refuse */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "sim/world_inside.h"
#include "street/testing/agree.h"

#define MOVING_GRACE_MS 90000 /* 15 s of evidence, and what a stalled connection may delay it and the order */

#define PUSH_LATEST_MS (15 * 60000)  /* a receiver that was down is tried again within ten minutes */

/* ---- 2: at every moment ---- */

struct taken { struct world *w; uint64_t *vehicles; uint32_t count; };

static void judge_ride(void *ctx, const void *row)
{
    struct taken *t = ctx;
    const struct ride *r = row;
    bool open = r->state == RIDE_REQUESTED || r->state == RIDE_UNLOCKING || r->state == RIDE_RIDING || r->state == RIDE_ENDING;
    const struct engine *e = node_engine(t->w->life.node);
    const struct vehicle *v = engine_row(e, ROW_VEHICLE, r->vehicle_id);
    const struct rider *rider = engine_row(e, ROW_RIDER, r->rider_id);
    if (!open) return;
    if (!v || v->ride_id != r->id) world_broken(t->w, "ride %" PRIu64 " is open and its vehicle does not know", r->id);
    if (!rider || rider->ride_id != r->id) world_broken(t->w, "ride %" PRIu64 " is open and its rider does not know", r->id);
    bool before = r->state == RIDE_REQUESTED || r->state == RIDE_UNLOCKING;
    if (r->started_ms == 0 && !before) world_broken(t->w, "ride %" PRIu64 " runs unconfirmed", r->id);
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->vehicles[i] == r->vehicle_id) world_broken(t->w, "vehicle %" PRIu64 " has two rides", r->vehicle_id);
    }
    t->vehicles[t->count++] = r->vehicle_id;
}

static void judge_movement(struct world *w, struct world_vehicle *v)
{
    const struct sim_vehicle_log *log;
    uint32_t count = sim_vehicle_log_of(v->actor, &log);
    for (uint32_t i = count; i-- > 0 && log[i].at_ms > v->judged_ms;) {
        if (log[i].kind != SIM_VEHICLE_LOG_MOVING) continue;
        w->figures.moving_orders++;
        if (log[i].moved_ms <= MOVING_GRACE_MS) continue;
        world_broken(w, "%.*s was ordered %s after moving for %" PRId64 " s%s", v->code.len, v->code.at, log[i].command,
                     log[i].moved_ms / 1000, log[i].certain ? ", and had said so" : "");
    }
    v->judged_ms = world_now_ms(w);
}

/* ---- 9: the street ---- */

/* The engine may be ahead of what is durable; when it is not, a snapshot of that very fact must say what it says. */
static void judge_street(struct world *w)
{
    const struct engine *e = node_engine(w->life.node);
    struct street *street = w->life.street;
    uint64_t committed = atomic_load(&node_counters(w->life.node)->committed_seq);
    const struct snapshot *s = street_hold(street, STREET_READER_JUDGE);
    if (!s || s->seq > committed) world_broken(w, "the street shows what is not durable");
    street_let_go(street, STREET_READER_JUDGE);
    if (committed != engine_seq(e)) return;
    char why[STREET_WHY_MAX];
    must(street_show(street, committed, world_now_ms(w)));
    s = street_hold(street, STREET_READER_JUDGE);
    w->figures.streets_judged++;
    if (!street_agrees(s, e, why)) world_broken(w, "the street at seq %" PRIu64 ": %s", s->seq, why);
    street_let_go(street, STREET_READER_JUDGE);
}

void judge_moment(struct world *w)
{
    for (uint32_t i = 0; i < w->vehicle_count; i++) judge_movement(w, &w->vehicles[i]);
    for (uint32_t i = 0; w->riders && i < w->rider_count; i++) {
        const char *broken = sim_rider_broken(w->riders[i]);
        if (broken) world_broken(w, "rider %u saw: %s", i, broken);
    }
    if (*outside_broken(w->outside)) world_broken(w, "a webhook saw: %s", outside_broken(w->outside));
    const char *broken = w->staff ? sim_staff_broken(w->staff) : NULL;
    if (broken) world_broken(w, "staff saw: %s", broken);
    if (!w->up) return;
    const struct engine *e = node_engine(w->life.node);
    struct taken t = {w, calloc(engine_row_count(e, ROW_RIDE) + 1, sizeof(uint64_t)), 0};
    must(t.vehicles);
    engine_each(e, ROW_RIDE, judge_ride, &t);
    free(t.vehicles);
    judge_street(w);
}

/* ---- 6: replay ---- */

static bool replay_hash(struct world *w, enum recover_from from, uint64_t until, uint64_t *hash, uint64_t *seq)
{
    struct recovered r;
    struct recover_options o = {.dir = {.fs = &w->fs, .sql_folder = "", .vfs = w->vfs, .exclusive = true}, .from = from,
                                .read_only = true, .build = 1, .limits = &w->limits, .until_seq = until,
                                .journal = {.segment_bytes = (uint64_t)w->segment_kib << 10}};
    struct err e = recover_open(&r, &o);
    if (!e.code) {
        *hash = engine_hash(r.engine);
        *seq = r.seq;
    } else {
        world_broken(w, "replay: %s: %s", e.why, r.text);
    }
    recovered_close(&r);
    return !e.code;
}

void judge_start(struct world *w)
{
    /* The engine that just came up has applied its own first facts beyond the recovered ones; compare what is on disk. */
    const struct recovered *r = node_recovered(w->life.node);
    uint64_t hash, seq;
    if (!replay_hash(w, RECOVER_START, r->seq, &hash, &seq)) return;
    if (seq != r->seq) world_broken(w, "the journal replays to %" PRIu64 ", the start was at %" PRIu64, seq, r->seq);
    else if (node_start_hash(w->life.node) != hash) world_broken(w, "tables + tail differ from the whole journal at %" PRIu64, seq);
}

/* ---- the end: the journal as witness ---- */

struct lock_fact { struct text64 ident; uint8_t op; uint32_t user, stamp; };
struct witness { struct lock_fact *at; size_t count, cap; };

static void note_lock(void *ctx, const struct journal_record *record, const struct fact *fact, const struct effects *effects)
{
    (void)record;
    (void)effects;
    struct witness *wit = ctx;
    if (fact->kind != FACT_LOCK_RESULT) return;
    if (wit->count == wit->cap) {
        wit->cap = wit->cap ? 2 * wit->cap : 1024;
        wit->at = realloc(wit->at, wit->cap * sizeof *wit->at);
        must(wit->at);
    }
    const struct fact_lock_result *f = &fact->lock_result;
    wit->at[wit->count++] = (struct lock_fact){f->ident, f->op, f->user, f->stamp};
}

static int by_lock(const void *a, const void *b)
{
    const struct lock_fact *x = a, *y = b;
    if (x->stamp != y->stamp) return x->stamp < y->stamp ? -1 : 1;
    if (x->user != y->user) return x->user < y->user ? -1 : 1;
    if (x->op != y->op) return x->op - y->op;
    return x->ident.len != y->ident.len ? x->ident.len - y->ident.len : memcmp(x->ident.at, y->ident.at, x->ident.len);
}

static bool witnessed(const struct witness *wit, const struct text64 *ident, uint8_t op, uint32_t user, uint32_t stamp)
{
    struct lock_fact wanted = {*ident, op, user, stamp};
    return wit->count && bsearch(&wanted, wit->at, wit->count, sizeof *wit->at, by_lock);
}

static void judge_vehicle_log(struct world *w, const struct world_vehicle *v, const struct witness *wit)
{
    const struct sim_vehicle_log *log;
    uint32_t count = sim_vehicle_log_of(v->actor, &log), forgot = sim_vehicle_log_forgot(v->actor);
    if (forgot) world_broken(w, "%.*s forgot %u entries of its log: nobody can judge it", v->code.len, v->code.at, forgot);
    for (uint32_t i = 0; i < count; i++) {
        bool lock = !strcmp(log[i].command, "L1"), unlock = !strcmp(log[i].command, "L0");
        if (log[i].kind == SIM_VEHICLE_LOG_ACKED && log[i].certain && (lock || unlock)) {
            w->figures.acked_checked++;
            uint8_t op = lock ? COMMAND_OP_LOCK : COMMAND_OP_UNLOCK;
            if (!witnessed(wit, &v->ident, op, log[i].user, log[i].stamp)) {
                world_broken(w, "an acknowledged %s of %.*s (user %u, stamp %u) is not in the journal", log[i].command,
                             v->ident.len, v->ident.at, log[i].user, log[i].stamp);
            }
        }
    }
}

/* ---- the end: the tables as witness ---- */

struct books {
    struct world *w;
    struct ride *rides;      /* by uuid, once all are read */
    size_t ride_count, ride_cap, postings;
    int64_t owed_minor;      /* by all riders, from their rows */
    int64_t charged_minor;   /* of all rides */
    int64_t posted_minor;    /* to riders' accounts */
    int64_t sum_minor;
    uint64_t undecided;
    uint64_t *unlocked;      /* rides that an unlock was ordered for */
    size_t unlocked_count;
    uint64_t last_id;        /* cursor of the list being read */
};

static struct err take_row(void *ctx, enum row_kind kind, const void *row)
{
    struct books *b = ctx;
    memcpy(&b->last_id, row, sizeof b->last_id);
    if (kind == ROW_RIDE) {
        if (b->ride_count == b->ride_cap) {
            b->ride_cap = b->ride_cap ? 2 * b->ride_cap : 1024;
            b->rides = realloc(b->rides, b->ride_cap * sizeof *b->rides);
            must(b->rides);
        }
        b->rides[b->ride_count++] = *(const struct ride *)row;
    } else if (kind == ROW_POSTING) {
        const struct posting *p = row;
        b->postings++;
        b->sum_minor += p->amount_minor;
        if (p->rider_id) b->posted_minor += p->amount_minor;
    } else if (kind == ROW_RIDER) {
        b->owed_minor += ((const struct rider *)row)->owed_minor;
    } else if (kind == ROW_COMMAND) {
        const struct command *c = row;
        b->w->figures.commands++;
        if (c->op == COMMAND_OP_UNLOCK && c->ride_id) {
            if (!(b->unlocked_count & (b->unlocked_count + 1))) {
                b->unlocked = realloc(b->unlocked, 2 * (b->unlocked_count + 1) * sizeof *b->unlocked);
                must(b->unlocked);
            }
            b->unlocked[b->unlocked_count++] = c->ride_id;
        }
        b->undecided += c->state != COMMAND_DONE && c->state != COMMAND_FAILED;
    }
    return NO_ERR;
}

static struct err read_all(struct tables *t, enum row_kind kind, struct books *b)
{
    struct tables_query q = {.kind = kind, .limit = TABLES_LIST_MAX};
    uint64_t as_of;
    for (;;) {
        b->last_id = 0;
        TRY(tables_list(t, &q, take_row, b, &as_of));
        if (!b->last_id) return NO_ERR;
        q.after_id = b->last_id;
    }
}

/* With --trace: what the vehicle did and said around a ride. */
static void trace_vehicle(const struct world *w, const struct world_vehicle *v, const struct ride *r)
{
    const struct sim_vehicle_log *log;
    uint32_t count = sim_vehicle_log_of(v->actor, &log);
    for (uint32_t n = 0; n < count; n++) {
        if (log[n].at_ms < r->requested_ms - 300000 || log[n].at_ms > r->ended_ms + 60000) continue;
        world_trace(w, "  %.3f s: kind %u %s by_order %u result %u certain %u user %u stamp %u",
                    (double)(log[n].at_ms - WORLD_START_MS) / 1000, log[n].kind, log[n].command, log[n].by_order, log[n].result,
                    log[n].certain, log[n].user, log[n].stamp);
    }
}

static bool vehicle_said_open(const struct world *w, const struct ride *r)
{
    const struct world_vehicle *v = world_vehicle_of(w, text_bytes(&r->vehicle_code));
    if (!v) return false;
    const struct sim_vehicle_log *log;
    uint32_t count = sim_vehicle_log_of(v->actor, &log);
    uint8_t last = 0; /* what its newest statement before the meter began was */
    for (uint32_t n = 0; n < count && log[n].at_ms <= r->started_ms + 1000; n++) {
        bool open = log[n].kind == SIM_VEHICLE_LOG_SAID_UNLOCKED;
        if (open && log[n].at_ms >= r->requested_ms - 1000) return true;
        if (open || log[n].kind == SIM_VEHICLE_LOG_SAID_LOCKED) last = log[n].kind;
    }
    if (last == SIM_VEHICLE_LOG_SAID_UNLOCKED) return true; /* it repeated itself: only news is logged */
    trace_vehicle(w, v, r);
    return false;
}

/* What a hook refused was never even tried. */
static void judge_refused(struct world *w, const struct books *b, const struct ride *r)
{
    bool refused = r->reason == RIDE_REASON_REFUSED || r->reason == RIDE_REASON_NOT_ANSWERED;
    if (!refused) return;
    w->figures.rides_refused++;
    if (r->state != RIDE_FAILED || r->started_ms) world_broken(w, "ride %" PRIu64 " was refused and ran", r->id);
    for (size_t i = 0; i < b->unlocked_count; i++) {
        if (b->unlocked[i] == r->id) world_broken(w, "ride %" PRIu64 " was refused and its vehicle unlocked", r->id);
    }
}

struct pushed { struct world *w; const struct outside_event *at; uint32_t count, next; int64_t end_ms; };

/* Each event of the table is the receiver's next; at the end some may be missing that are only minutes old. */
static struct err judge_pushed_event(void *ctx, const struct event *event)
{
    struct pushed *p = ctx;
    const struct outside_event *got = p->next < p->count ? &p->at[p->next] : NULL;
    p->next++;
    bool same = got && got->seq == event->seq && got->part == event->part;
    bool late = !got && p->end_ms - event->at_ms < PUSH_LATEST_MS;
    if (!same && !late) {
        world_broken(p->w, "a webhook did not get event %" PRIu64 ".%u; it got %u events", event->seq, event->part, p->count);
    }
    return NO_ERR;
}

static struct err judge_pushed(struct world *w, struct tables *t)
{
    struct pushed p = {.w = w, .end_ms = world_now_ms(w)};
    struct feed_place next;
    p.count = outside_events(w->outside, &p.at);
    w->figures.asked += outside_asked(w->outside);
    w->figures.events_pushed += p.count;
    if (!p.count) return NO_ERR;
    struct feed_query q = {.after_seq = p.at[0].seq, .after_part = p.at[0].part, .limit = TABLES_LIST_MAX};
    p.next = 1;
    do {
        TRY(tables_feed(t, &q, judge_pushed_event, &p, &next));
        q.after_seq = next.seq;
        q.after_part = next.part;
    } while (next.more && !*w->why);
    return NO_ERR;
}

static void judge_rides(struct world *w, struct books *b)
{
    for (size_t i = 0; i < b->ride_count; i++) {
        const struct ride *r = &b->rides[i];
        bool over = r->state == RIDE_SETTLED || r->state == RIDE_FAILED || r->state == RIDE_CANCELLED;
        w->figures.rides_settled += r->state == RIDE_SETTLED;
        w->figures.rides_failed += r->state == RIDE_FAILED;
        w->figures.rides_cancelled += r->state == RIDE_CANCELLED;
        w->figures.rides_checked++;
        b->charged_minor += r->charge_minor;
        judge_refused(w, b, r);
        if (!over) world_broken(w, "ride %" PRIu64 " never ended (state %u)", r->id, r->state);
        if (r->state != RIDE_SETTLED && r->charge_minor) world_broken(w, "ride %" PRIu64 " failed and was charged", r->id);
        if (r->state == RIDE_SETTLED && !vehicle_said_open(w, r)) {
            world_broken(w, "ride %" PRIu64 " on %.*s was charged and its vehicle never said that it opened: asked at %.3f s, "
                         "began at %.3f s (%s), user %u, stamp %u", r->id, r->vehicle_code.len, r->vehicle_code.at,
                         (double)(r->requested_ms - WORLD_START_MS) / 1000, (double)(r->started_ms - WORLD_START_MS) / 1000,
                         enum_name(&command_result_names, r->started_by), r->unlock_user, r->unlock_stamp);
        }
    }
    if (b->sum_minor) world_broken(w, "postings sum to %" PRId64, b->sum_minor);
    if (b->posted_minor != b->charged_minor || b->owed_minor != b->charged_minor) {
        world_broken(w, "rides cost %" PRId64 ", posted %" PRId64 ", owed %" PRId64, b->charged_minor, b->posted_minor,
                     b->owed_minor);
    }
    if (b->undecided) world_broken(w, "%" PRIu64 " commands were never decided", b->undecided);
}

static int by_uuid(const void *a, const void *b)
{
    return memcmp(&((const struct ride *)a)->uuid, &((const struct ride *)b)->uuid, sizeof(struct uuid));
}

static const struct ride *ride_named(const struct books *b, const char *uuid)
{
    struct ride wanted = {0};
    if (uuid_parse(bytes_text(uuid), &wanted.uuid).code || !b->ride_count) return NULL;
    return bsearch(&wanted, b->rides, b->ride_count, sizeof wanted, by_uuid);
}

/* Everything that a phone was shown is true in the end. */
static void judge_rider_log(struct world *w, uint32_t index, const struct books *b)
{
    const struct sim_rider_log *log;
    uint32_t count = sim_rider_log_of(w->riders[index], &log);
    for (uint32_t i = 0; i < count; i++) {
        if (!log[i].ride[0] || log[i].status >= 400) continue;
        w->figures.acked_checked++;
        const struct ride *r = ride_named(b, log[i].ride);
        if (!r) {
            world_broken(w, "rider %u was told of ride %s, which does not exist", index, log[i].ride);
            return;
        }
        bool settled = !strcmp(log[i].state, "settled");
        if (settled && r->state != RIDE_SETTLED) world_broken(w, "ride %s was settled and is not", log[i].ride);
        if (settled && log[i].charge_minor >= 0 && log[i].charge_minor != r->charge_minor) {
            world_broken(w, "ride %s cost %" PRId64 " on the phone and %" PRId64 " in the books", log[i].ride,
                         log[i].charge_minor, r->charge_minor);
        }
        if (!strcmp(log[i].state, "failed") && r->state != RIDE_FAILED) world_broken(w, "ride %s had failed", log[i].ride);
        if (!strcmp(log[i].state, "riding") && !r->started_ms) world_broken(w, "ride %s was riding", log[i].ride);
    }
}

void judge_end(struct world *w)
{
    uint64_t hash, seq;
    struct witness wit = {0};
    struct recovered r;
    struct recover_options o = {.dir = {.fs = &w->fs, .sql_folder = "", .vfs = w->vfs, .exclusive = true},
                                .from = RECOVER_START, .read_only = true, .build = 1, .limits = &w->limits,
                                .journal = {.segment_bytes = (uint64_t)w->segment_kib << 10}, .on_fact = note_lock, .ctx = &wit};
    struct err e = recover_open(&r, &o);
    if (e.code) world_broken(w, "the journal does not replay: %s: %s", e.why, r.text);
    else if (engine_hash(r.engine) != w->figures.state_hash) world_broken(w, "the journal replays to another state");
    recovered_close(&r);
    if (*w->why || !replay_hash(w, RECOVER_TABLES, 0, &hash, &seq)) {
        free(wit.at);
        return;
    }
    if (hash != w->figures.state_hash) world_broken(w, "the tables hold another state");
    struct tables t = {0};
    struct tables_options options = {.vfs = w->vfs, .exclusive = true, .read_only = true};
    struct books b = {.w = w};
    e = tables_open(&t, DATA_TABLES, &options);
    static const uint8_t kinds[] = {ROW_RIDE, ROW_POSTING, ROW_RIDER, ROW_COMMAND};
    for (unsigned i = 0; i < sizeof kinds && !e.code; i++) e = read_all(&t, kinds[i], &b);
    if (!e.code) e = judge_pushed(w, &t);
    if (e.code) world_broken(w, "the tables do not read: %s: %s", e.why, t.text);
    tables_close(&t);
    if (b.ride_count) qsort(b.rides, b.ride_count, sizeof *b.rides, by_uuid);
    if (wit.count) qsort(wit.at, wit.count, sizeof *wit.at, by_lock);
    for (uint32_t i = 0; i < w->vehicle_count && !*w->why; i++) judge_vehicle_log(w, &w->vehicles[i], &wit);
    if (!*w->why) judge_rides(w, &b);
    for (uint32_t i = 0; i < w->rider_count && !*w->why; i++) judge_rider_log(w, i, &b);
    free(b.rides);
    free(b.unlocked);
    free(wit.at);
}
