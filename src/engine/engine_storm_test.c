/* SPDX-License-Identifier: Apache-2.0 */
/* A storm of random facts, plausible and hostile, on a tiny city. After each one the engine keeps its promises; at
 * random moments another engine is loaded from the change stream's rows, in another order, and both live on alike; at the
 * end everything is replayed from fact 1, and then the faults stop and everything has to come to rest.
 * STORM_SEED=n runs one seed, STORM_SEEDS=n that many. */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "base/must.h"
#include "base/prng.h"
#include "proto/codec.h"

#define FACTS 4000
#define REST_FACTS 4000
#define SEEDS_DEFAULT 8
#define IDS_MAX 60000
#define DEVICES 6
#define VEHICLES 4
#define START_MS 1790000000000ll
#define COUNT(a) (sizeof(a) / sizeof *(a))

struct kept { bool in; uint8_t kind; _Alignas(8) uint8_t row[ROW_SIZE_MAX]; };

/* One engine and what it stands on. */
struct being { struct engine *engine; void *memory; size_t need; struct effects effects; };

struct storm {
    struct being live, other; /* `other`: loaded from tables; engine NULL = none at the moment */
    struct prng dice;
    struct kept *tables; /* by id: ids are one sequence for all kinds */
    uint32_t ids_end;    /* after the last of them */
    struct fact *facts;
    uint64_t *sums, *hashes;
    uint64_t seq, seed;
    int64_t now_ms;
    uint8_t public_state[IDS_MAX]; /* by vehicle id, as the events told it */
    uint8_t charges[IDS_MAX];      /* by ride id */
    struct effect_order orders[8]; /* the last that named a command */
    unsigned order_count;
    bool staff_marks; /* without them nothing may be out of hire when the faults have stopped */
    struct engine_limits limits;
};

static struct storm *running; /* for the message when a must() breaks */

static void say_claim(const char *claim, const char *file, int line)
{
    if (!running) return;
    fprintf(stderr, "storm seed %llu fact %llu: must(%s) at %s:%d\n", (unsigned long long)running->seed,
            (unsigned long long)running->seq, claim, file, line);
}

static void broken(const struct storm *s, const char *what)
{
    fail_msg("storm seed %llu fact %llu kind %d: %s", (unsigned long long)s->seed, (unsigned long long)s->seq,
             s->facts[s->seq].kind, what);
}
#define HOLDS(s, claim) do { if (!(claim)) broken((s), #claim); } while (0)

static uint32_t roll(struct storm *s, uint32_t sides)
{
    return (uint32_t)prng_below(&s->dice, sides);
}

/* ---- engines ---- */

static struct being being_create(const struct engine_limits *limits)
{
    struct being b = {0};
    size_t need = engine_need(limits);
    b.memory = mmap(NULL, need, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(b.memory != MAP_FAILED);
    b.need = need;
    b.engine = engine_init(b.memory, limits);
    b.effects.cap = EFFECTS_PER_FACT_MAX;
    b.effects.at = calloc(b.effects.cap, sizeof *b.effects.at);
    assert_non_null(b.effects.at);
    return b;
}

static void being_destroy(struct being *b)
{
    if (b->memory) munmap(b->memory, b->need);
    free(b->effects.at);
    *b = (struct being){0};
}

static void keep_row(void *ctx, enum row_kind kind, const void *row, bool gone)
{
    struct storm *s = ctx;
    uint64_t id;
    memcpy(&id, row, sizeof id);
    HOLDS(s, id < IDS_MAX);
    if (id >= s->ids_end) s->ids_end = (uint32_t)id + 1;
    struct kept *k = &s->tables[id];
    k->kind = (uint8_t)kind;
    k->in = !gone;
    memcpy(k->row, row, row_shapes[kind].size);
}

static bool loads(const struct kept *k)
{
    if (k->kind == ROW_RIDE) return ((const struct ride *)(const void *)k->row)->resident;
    if (k->kind == ROW_COMMAND) return ((const struct command *)(const void *)k->row)->resident;
    return k->kind != ROW_POSTING;
}

/* As after a kill: memory is gone, the tables are whole. Rows of a kind come in any order. */
static void reload(struct storm *s)
{
    being_destroy(&s->other);
    s->other = being_create(&s->limits);
    static uint32_t ids[IDS_MAX];
    for (unsigned kind = 0; kind < ROW_N; kind++) {
        uint32_t n = 0;
        for (uint32_t id = 1; id < s->ids_end; id++) {
            if (s->tables[id].in && s->tables[id].kind == kind && loads(&s->tables[id])) ids[n++] = id;
        }
        for (uint32_t i = n; i > 1; i--) {
            uint32_t j = roll(s, i), swap = ids[j];
            ids[j] = ids[i - 1];
            ids[i - 1] = swap;
        }
        for (uint32_t i = 0; i < n; i++) {
            struct err err = engine_load(s->other.engine, kind, s->tables[ids[i]].row);
            HOLDS(s, !err.code);
        }
    }
    struct err err = engine_loaded(s->other.engine);
    HOLDS(s, !err.code);
    HOLDS(s, engine_hash(s->other.engine) == engine_hash(s->live.engine));
}

/* ---- what must hold after each fact ---- */

static bool ride_is_open(const struct ride *r)
{
    return r->state == RIDE_REQUESTED || r->state == RIDE_UNLOCKING || r->state == RIDE_RIDING || r->state == RIDE_ENDING;
}

static bool command_is_open(const struct command *c)
{
    return c->state != COMMAND_DONE && c->state != COMMAND_FAILED;
}

static bool silent(enum vehicle_state state)
{
    return state == VEHICLE_NON_CONTACTABLE || state == VEHICLE_MISSING;
}

static void check_vehicle(void *ctx, const void *row)
{
    struct storm *s = ctx;
    const struct vehicle *v = row;
    const struct engine *e = s->live.engine;
    const struct ride *r = engine_row(e, ROW_RIDE, v->ride_id);
    const struct command *c = engine_row(e, ROW_COMMAND, v->command_id), *side = engine_row(e, ROW_COMMAND, v->side_command_id);
    const struct device *d = engine_row(e, ROW_DEVICE, v->device_id);
    if (v->ride_id) HOLDS(s, r && ride_is_open(r) && r->vehicle_id == v->id);
    if (v->command_id) HOLDS(s, c && command_is_open(c) && c->vehicle_id == v->id);
    if (v->side_command_id) HOLDS(s, side && command_is_open(side) && side->vehicle_id == v->id);
    if (v->device_id) HOLDS(s, d && d->vehicle_id == v->id);
    bool waits = r && (r->state == RIDE_REQUESTED || r->state == RIDE_UNLOCKING);
    if (v->state == VEHICLE_RESERVED) HOLDS(s, waits);
    if (v->state == VEHICLE_ON_TRIP) HOLDS(s, r && (r->state == RIDE_RIDING || r->state == RIDE_ENDING));
    if (r && v->state == VEHICLE_AVAILABLE) HOLDS(s, waits);
    if (r) HOLDS(s, silent(v->state) || v->state == VEHICLE_AVAILABLE || v->state == VEHICLE_RESERVED || v->state == VEHICLE_ON_TRIP || v->state == VEHICLE_ELSEWHERE);
    HOLDS(s, !r || uuid_equal(v->trip, r->uuid));
    HOLDS(s, silent(v->state) == (v->held_state != 0));
    HOLDS(s, silent(v->state) || !v->owed);
    HOLDS(s, v->state != VEHICLE_AVAILABLE || !v->suspect);
    HOLDS(s, v->state != VEHICLE_AVAILABLE || !v->damage || v->ride_id || !d);
    HOLDS(s, v->state == VEHICLE_NON_OPERATIONAL || v->held_state == VEHICLE_NON_OPERATIONAL || v->state != VEHICLE_AVAILABLE || !v->cause);
}

static void check_ride(void *ctx, const void *row)
{
    struct storm *s = ctx;
    const struct ride *r = row;
    const struct vehicle *v = engine_row(s->live.engine, ROW_VEHICLE, r->vehicle_id);
    const struct rider *rider = engine_row(s->live.engine, ROW_RIDER, r->rider_id);
    bool timed = r->deadline_ms || r->ask_id;
    if (ride_is_open(r)) HOLDS(s, v->ride_id == r->id && rider->ride_id == r->id && timed && !r->over_seq);
    else HOLDS(s, v->ride_id != r->id && rider->ride_id != r->id && r->over_seq && !r->deadline_ms);
    const struct ask *ask = engine_row(s->live.engine, ROW_ASK, r->ask_id);
    HOLDS(s, (r->state == RIDE_REQUESTED) == (r->ask_id != 0) && (r->ask_id != 0) == (ask && ask->ride_id == r->id));
    HOLDS(s, r->state != RIDE_REQUESTED || ask->deadline_ms > engine_now_ms(s->live.engine) ||
             engine_due_ms(s->live.engine) <= engine_now_ms(s->live.engine));
    HOLDS(s, (r->state == RIDE_SETTLED) == (r->ended_ms != 0));
    HOLDS(s, (r->state == RIDE_RIDING || r->state == RIDE_ENDING || r->state == RIDE_SETTLED) == (r->started_ms != 0));
    HOLDS(s, r->ended_ms == 0 || (r->ended_ms >= r->started_ms && r->ended_ms <= engine_now_ms(s->live.engine)));
    HOLDS(s, r->charge_minor >= 0 && (r->state == RIDE_SETTLED || !r->charge_minor));
    HOLDS(s, s->charges[r->id] == (r->state == RIDE_SETTLED));
}

static void check_command(void *ctx, const void *row)
{
    struct storm *s = ctx;
    const struct command *c = row;
    const struct vehicle *v = engine_row(s->live.engine, ROW_VEHICLE, c->vehicle_id);
    if (command_is_open(c)) HOLDS(s, v->command_id == c->id || v->side_command_id == c->id);
    HOLDS(s, (c->state == COMMAND_UNKNOWN || !command_is_open(c)) == (c->deadline_ms == 0));
    HOLDS(s, command_is_open(c) == (c->over_seq == 0));
}

static bool names_trip(enum vehicle_event event)
{
    return event == VEHICLE_EVENT_TRIP_START || event == VEHICLE_EVENT_TRIP_END || event == VEHICLE_EVENT_TRIP_CANCEL ||
           event == VEHICLE_EVENT_TRIP_ENTER_JURISDICTION || event == VEHICLE_EVENT_TRIP_LEAVE_JURISDICTION ||
           event == VEHICLE_EVENT_CHANGED_GEOGRAPHIES || event == VEHICLE_EVENT_RESERVATION_START ||
           event == VEHICLE_EVENT_RESERVATION_CANCEL;
}

static void check_event(struct storm *s, const struct event *ev)
{
    if (ev->kind == EVENT_RIDE_CHARGED) HOLDS(s, ++s->charges[ev->ride_id] == 1);
    if (ev->kind != EVENT_VEHICLE_STATE) return;
    uint8_t *state = &s->public_state[ev->vehicle_id];
    HOLDS(s, vehicle_may(*state ? *state : VEHICLE_REMOVED, ev->vehicle_event, ev->vehicle_state));
    *state = ev->vehicle_state;
    bool on_trip = ev->vehicle_state == VEHICLE_ON_TRIP || ev->vehicle_state == VEHICLE_RESERVED;
    if (names_trip(ev->vehicle_event) || on_trip) HOLDS(s, !uuid_zero(ev->ride));
}

static void check_order(struct storm *s, const struct effect_order *o)
{
    HOLDS(s, o->session);
    if (!o->command_id) {
        HOLDS(s, o->op != ORDER_UNLOCK && o->op != ORDER_LOCK && o->op != ORDER_RESTART);
        return;
    }
    const struct command *c = engine_row(s->live.engine, ROW_COMMAND, o->command_id);
    HOLDS(s, c && c->op == o->op && o->user && o->stamp && o->deadline_ms > engine_now_ms(s->live.engine));
    s->orders[s->order_count++ % COUNT(s->orders)] = *o;
    if (o->op != ORDER_LOCK && o->op != ORDER_RESTART) return;
    const struct device *d = engine_row(s->live.engine, ROW_DEVICE, c->device_id);
    const struct vehicle *v = engine_row(s->live.engine, ROW_VEHICLE, c->vehicle_id);
    const struct ride *r = engine_row(s->live.engine, ROW_RIDE, v->ride_id);
    HOLDS(s, d->still_ms > d->moved_ms && engine_now_ms(s->live.engine) - d->still_ms <= 15000);
    HOLDS(s, !r || (r->state == RIDE_ENDING && c->op == COMMAND_OP_LOCK && c->ride_id == r->id));
}

static void check(struct storm *s, const struct fact *f)
{
    const struct effects *effects = &s->live.effects;
    unsigned replies = 0;
    for (unsigned i = 0; i < effects->count; i++) {
        const struct effect *effect = &effects->at[i];
        replies += effect->kind == EFFECT_REPLY;
        if (effect->kind == EFFECT_EVENT) check_event(s, &effect->event);
        if (effect->kind == EFFECT_ORDER) check_order(s, &effect->order);
        if (effect->kind == EFFECT_HANG_UP) HOLDS(s, effect->hang_up.session);
    }
    HOLDS(s, replies == (f->kind >= FACT_OPERATOR_SET && f->kind < FACT_SESSION_OPENED));
    engine_each(s->live.engine, ROW_VEHICLE, check_vehicle, s);
    engine_each(s->live.engine, ROW_RIDE, check_ride, s);
    engine_each(s->live.engine, ROW_COMMAND, check_command, s);
}

static void step(struct being *b, uint64_t seq, const struct fact *f)
{
    b->effects.count = 0;
    engine_step(b->engine, seq, f, &b->effects);
}

static void apply(struct storm *s, struct fact *f)
{
    f->now_ms = s->now_ms;
    s->facts[++s->seq] = *f;
    step(&s->live, s->seq, f);
    s->sums[s->seq] = s->live.effects.sum;
    s->hashes[s->seq] = engine_hash(s->live.engine);
    check(s, f);
    if (s->other.engine) {
        step(&s->other, s->seq, f);
        HOLDS(s, s->other.effects.sum == s->live.effects.sum && s->other.effects.count == s->live.effects.count);
        HOLDS(s, engine_hash(s->other.engine) == s->hashes[s->seq]);
        if (!roll(s, 7)) engine_drain_changes(s->other.engine, NULL, NULL);
    }
    if (roll(s, 5)) return;
    engine_drain_changes(s->live.engine, keep_row, s);
    if (!roll(s, 8)) reload(s);
}

/* What is due is done in a bounded number of ticks. */
static void tick(struct storm *s)
{
    for (unsigned n = 0; s->seq && engine_due_ms(s->live.engine) <= s->now_ms; n++) {
        HOLDS(s, n < 100);
        apply(s, &(struct fact){.kind = FACT_TICK});
    }
}

/* ---- random facts ---- */

static void set(void *text, size_t room, const char *from)
{
    text_clip_room(text, room, bytes_text(from));
}
#define SET(text, from) set(&(text), sizeof (text).at, (from))

static int64_t wild(struct storm *s)
{
    static const int64_t values[] = {0, 1, -1, INT64_MAX, INT64_MIN, 1000, -1000, UINT32_MAX, INT32_MIN, START_MS, 86400000};
    return values[roll(s, COUNT(values))];
}

static struct uuid rider_of(struct storm *s)
{
    return roll(s, 40) ? (struct uuid){{1, (uint8_t)roll(s, 4)}} : (struct uuid){{0}};
}

static struct uuid staff_of(struct storm *s)
{
    return roll(s, 20) ? (struct uuid){{9, 1}} : rider_of(s);
}

static const char *code_of(struct storm *s)
{
    static const char *const codes[] = {"V0", "V1", "V2", "V3", "W0", "W1", "", "no code", "V9", "V8"};
    return codes[roll(s, roll(s, 30) ? VEHICLES : COUNT(codes))];
}

static struct text64 ident_of(unsigned n)
{
    static const char *const idents[DEVICES + 2] = {"490154203237518", "356938035643809", "D2", "D3", "D4", "D5", "stranger", ""};
    struct text64 t = {0};
    SET(t, idents[n]);
    return t;
}

/* Any device, mostly over the connection that it has. */
static struct fact_report from_device(struct storm *s)
{
    struct fact_report f = {.protocol = (uint8_t)(roll(s, 60) ? PROTOCOL_OMNI : roll(s, 256))};
    f.ident = ident_of(roll(s, roll(s, 30) ? VEHICLES : DEVICES + 2));
    const struct device *d = engine_device(s->live.engine, PROTOCOL_OMNI, text_bytes(&f.ident));
    f.session = d && roll(s, 12) ? d->session : roll(s, 8);
    return f;
}

static void random_declaration(struct storm *s, struct fact *f)
{
    static const char *const cities[] = {"gbg", "sto", "", "nowhere"};
    static const char *const types[] = {"scooter", "bike", "", "none"};
    f->kind = (uint8_t)(FACT_OPERATOR_SET + roll(s, 8));
    switch (f->kind) {
    case FACT_LEGAL_ENTITY_SET:
        SET(f->legal_entity_set.code, roll(s, 2) ? "se" : "fr");
        SET(f->legal_entity_set.currency, roll(s, 3) ? "SEK" : "EUR");
        f->legal_entity_set.decimals = (uint8_t)roll(s, 4);
        break;
    case FACT_CITY_SET:
        SET(f->city_set.code, cities[roll(s, 3)]);
        SET(f->city_set.entity, roll(s, 8) ? "se" : "fr");
        f->city_set.lat_e7 = roll(s, 9) ? 577000000 : (int32_t)wild(s);
        f->city_set.lon_e7 = roll(s, 9) ? 119700000 : (int32_t)wild(s);
        f->city_set.radius_m = roll(s, 5) ? 1000 : (uint32_t)wild(s);
        f->city_set.ride_max_ms = roll(s, 3) ? 3600000 : wild(s);
        break;
    case FACT_VEHICLE_TYPE_SET:
        SET(f->vehicle_type_set.code, types[roll(s, 3)]);
        f->vehicle_type_set.heartbeat_ms = roll(s, 4) ? prng_between(&s->dice, 1000, 900000) : wild(s);
        f->vehicle_type_set.battery_min_pct = (uint8_t)(roll(s, 5) ? 15 : roll(s, 256));
        f->vehicle_type_set.motor = roll(s, 4);
        break;
    case FACT_PLAN_SET:
        SET(f->plan_set.code, roll(s, 2) ? "standard" : "other");
        SET(f->plan_set.city, cities[roll(s, 4)]);
        SET(f->plan_set.vehicle_type, types[roll(s, 4)]);
        f->plan_set.unlock_minor = roll(s, 5) ? 1000 : wild(s);
        f->plan_set.minute_minor = roll(s, 5) ? 1000000 : wild(s);
        break;
    case FACT_VEHICLE_SET:
        SET(f->vehicle_set.code, code_of(s));
        SET(f->vehicle_set.city, cities[roll(s, roll(s, 5) ? 2 : 4)]);
        SET(f->vehicle_set.vehicle_type, types[roll(s, roll(s, 5) ? 2 : 4)]);
        f->vehicle_set.protocol = (uint8_t)(roll(s, 4) ? PROTOCOL_OMNI : roll(s, 3));
        f->vehicle_set.ident = ident_of(roll(s, DEVICES + 2));
        if (!roll(s, 3)) SET(f->vehicle_set.add_code, code_of(s));
        break;
    case FACT_RIDER_SET:
        f->rider_set.account = rider_of(s);
        f->rider_set.state = (uint8_t)(roll(s, 4) ? ACCOUNT_ACTIVE : roll(s, 4));
        break;
    case FACT_STAFF_SET:
        f->staff_set.account = staff_of(s);
        f->staff_set.role = (uint8_t)roll(s, STAFF_ROLE_N + 1);
        break;
    default: break;
    }
}

static void random_request(struct storm *s, struct fact *f)
{
    const struct engine *e = s->live.engine;
    f->kind = (uint8_t)(FACT_RIDE_START + roll(s, s->staff_marks ? 4 : 3));
    if (!roll(s, 30)) f->kind = FACT_DAMAGE_REPORT;
    uint64_t key = roll(s, 20) ? s->seq : roll(s, 300);
    uint64_t body = roll(s, 40) ? 1 : 2;
    if (f->kind == FACT_RIDE_START) {
        f->ride_start = (struct fact_ride_start){.account = rider_of(s), .key0 = key, .body_hash = body};
        SET(f->ride_start.code, code_of(s));
    } else if (f->kind == FACT_RIDE_END) {
        f->ride_end = (struct fact_ride_end){.account = roll(s, 3) ? rider_of(s) : staff_of(s), .key0 = key, .body_hash = body};
        f->ride_end.by_staff = roll(s, 2);
        const struct rider *rider = engine_rider(e, rider_of(s));
        const struct ride *r = rider ? engine_row(e, ROW_RIDE, rider->ride_id) : NULL;
        if (r) f->ride_end.ride = r->uuid;
        if (r && roll(s, 6)) f->ride_end.account = rider->uuid;
    } else if (f->kind == FACT_COMMAND_ASK) {
        f->command_ask = (struct fact_command_ask){.account = staff_of(s), .key0 = key, .body_hash = body, .op = (uint8_t)roll(s, 8)};
        SET(f->command_ask.code, code_of(s));
    } else if (f->kind == FACT_DAMAGE_REPORT) {
        f->damage_report = (struct fact_damage_report){.account = roll(s, 3) ? rider_of(s) : staff_of(s), .key0 = key,
                                                       .body_hash = body, .damage = (uint8_t)roll(s, DAMAGE_KIND_N + 1)};
        f->damage_report.by_staff = roll(s, 2);
        SET(f->damage_report.code, code_of(s));
    } else {
        f->vehicle_mark = (struct fact_vehicle_mark){.account = staff_of(s), .key0 = key, .body_hash = body,
                                                     .event = (uint8_t)roll(s, VEHICLE_EVENT_N + 1), .to = 0};
        if (roll(s, 3)) f->vehicle_mark.to = (uint8_t)roll(s, VEHICLE_STATE_N + 1);
        if (!roll(s, 4)) f->vehicle_mark.event = VEHICLE_EVENT_PROVIDER_DROP_OFF, f->vehicle_mark.to = 0;
        SET(f->vehicle_mark.code, code_of(s));
        const struct vehicle *v = engine_vehicle(e, text_bytes(&f->vehicle_mark.code));
        for (unsigned tries = 0; v && roll(s, 60) && !vehicle_may(v->state, f->vehicle_mark.event, f->vehicle_mark.to); tries++) {
            f->vehicle_mark.event = (uint8_t)roll(s, VEHICLE_EVENT_N);
            f->vehicle_mark.to = (uint8_t)roll(s, VEHICLE_STATE_N);
        }
    }
}

struct any_ask { struct storm *s; struct uuid uuid; };

static void pick_ask(void *ctx, const void *row)
{
    struct any_ask *any = ctx;
    if (uuid_zero(any->uuid) || roll(any->s, 2)) any->uuid = ((const struct ask *)row)->uuid;
}

/* Hooks come and go; answers come in time, twice, late, or to nobody. */
static void random_hook(struct storm *s, struct fact *f)
{
    if (!roll(s, 5)) {
        f->kind = FACT_HOOK_SET;
        f->hook_set = (struct fact_hook_set){(uint8_t)(roll(s, 8) ? ASK_RIDE_MAY_START : roll(s, 4)),
                                             roll(s, 8) ? 1000 + roll(s, 20000) : wild(s), (uint8_t)(1 + roll(s, 2)),
                                             !roll(s, 2)};
        if (!roll(s, 20)) f->hook_set.fallback = (uint8_t)roll(s, 5);
        return;
    }
    if (!roll(s, 4)) {
        const struct webhook *w = engine_webhook(s->live.engine, bytes_text("w"));
        f->kind = (uint8_t)(roll(s, 3) ? FACT_WEBHOOK_MOVED : FACT_WEBHOOK_SET);
        if (f->kind == FACT_WEBHOOK_SET) {
            SET(f->webhook_set.code, roll(s, 9) ? "w" : "");
            f->webhook_set.kinds = (uint64_t)wild(s);
            SET(f->webhook_set.city, roll(s, 2) ? "" : "gbg");
            f->webhook_set.removed = !roll(s, 6);
            return;
        }
        SET(f->webhook_moved.code, "w");
        f->webhook_moved.generation = w && roll(s, 4) ? w->generation : roll(s, 100);
        f->webhook_moved.seq = roll(s, 8) ? s->seq - roll(s, (uint32_t)s->seq / 8 + 1) : (uint64_t)wild(s);
        f->webhook_moved.part = roll(s, 5);
        f->webhook_moved.replay = !roll(s, 10);
        return;
    }
    struct any_ask any = {.s = s};
    f->kind = FACT_ASK_ANSWERED;
    engine_each(s->live.engine, ROW_ASK, pick_ask, &any);
    f->ask_answered.ask = roll(s, 20) ? any.uuid : rider_of(s);
    f->ask_answered.verdict = (uint8_t)(roll(s, 20) ? 1 + roll(s, 2) : roll(s, 256));
    SET(f->ask_answered.reason, "because");
}

static void random_report(struct storm *s, struct fact_report *f)
{
    f->has = HAS_LOCKED | (roll(s, 2) ? HAS_SPEED : 0) | (roll(s, 3) ? 0 : HAS_BATTERY) | (roll(s, 3) ? 0 : HAS_POSITION);
    if (!roll(s, 20)) f->has = (uint32_t)prng_next(&s->dice);
    /* Mostly the truth as the engine knows it, or nobody would ever ride. */
    const struct device *d = engine_device(s->live.engine, PROTOCOL_OMNI, text_bytes(&f->ident));
    f->locked = d && roll(s, 3) ? d->lock_state != LOCK_STATE_UNLOCKED : roll(s, 3);
    f->battery_pct = (uint8_t)(roll(s, 6) ? 80 : roll(s, 256));
    f->speed_dmh = (uint16_t)(roll(s, 4) ? 0 : roll(s, 65536));
    f->lat_e7 = 577000000 + (int32_t)roll(s, roll(s, 4) ? 900 : 300000);
    f->lon_e7 = 119700000;
    f->fix_ms = roll(s, 3) ? 0 : s->now_ms - roll(s, 60000);
    f->alarm = (uint8_t)roll(s, 256);
    if (roll(s, 30)) return;
    f->fix_ms = wild(s);
    f->lat_e7 = (int32_t)wild(s);
    f->lon_e7 = (int32_t)wild(s);
}

/* An answer to one of the last orders, mostly the one that fits; or to none. */
static void random_answer(struct storm *s, struct fact *f)
{
    static const struct effect_order none;
    const struct effect_order *o = s->order_count ? &s->orders[(s->order_count - 1 - (roll(s, 4) ? 0 : roll(s, 3))) % COUNT(s->orders)] : &none;
    const struct command *c = engine_row(s->live.engine, ROW_COMMAND, o->command_id);
    const struct device *d = c ? engine_row(s->live.engine, ROW_DEVICE, c->device_id) : NULL;
    bool lock = o->op == ORDER_LOCK || o->op == ORDER_UNLOCK;
    bool key = lock && d && (d->caps & CAP_KEY_STEP) && o->step == 0;
    f->kind = (uint8_t)(key ? FACT_DEVICE_KEYED : lock ? FACT_LOCK_RESULT : FACT_DEVICE_ECHO);
    if (!roll(s, 6)) f->kind = (uint8_t)(FACT_DEVICE_KEYED + roll(s, 3));
    f->report = from_device(s);
    if (d && roll(s, 12)) f->report.ident = d->ident;
    if (d && roll(s, 12)) f->report.session = d->session;
    uint8_t op = roll(s, 20) ? o->op : (uint8_t)roll(s, 8);
    uint32_t user = roll(s, 12) ? o->user : 0, stamp = roll(s, 12) ? o->stamp : 0;
    if (f->kind == FACT_DEVICE_KEYED) {
        f->device_keyed.op = op;
        f->device_keyed.user = user;
        f->device_keyed.stamp = stamp;
    } else if (f->kind == FACT_LOCK_RESULT) {
        const struct vehicle *v = d ? engine_row(s->live.engine, ROW_VEHICLE, d->vehicle_id) : NULL;
        const struct ride *r = v ? engine_row(s->live.engine, ROW_RIDE, v->ride_id) : NULL;
        bool by_hand = r && !roll(s, 12); /* a horseshoe lock is closed and names the unlock */
        f->lock_result.op = by_hand ? COMMAND_OP_LOCK : op;
        f->lock_result.result = roll(s, 3) ? 0 : roll(s, 5);
        f->lock_result.user = by_hand ? r->unlock_user : user;
        f->lock_result.stamp = by_hand ? r->unlock_stamp : stamp;
    } else {
        f->device_echo.op = op;
    }
}

static void random_device(struct storm *s, struct fact *f)
{
    uint32_t what = roll(s, 20);
    f->kind = (uint8_t)(what < 1 ? FACT_SESSION_CLOSED : what < 4 ? FACT_SESSION_OPENED : what < 13 ? FACT_REPORT : 0);
    if (!f->kind) {
        random_answer(s, f);
        return;
    }
    f->report = from_device(s);
    if (f->kind == FACT_REPORT) random_report(s, &f->report);
    if (f->kind != FACT_SESSION_OPENED) return;
    static const uint32_t caps[] = {CAP_LOCK | CAP_KEY_STEP | CAP_ASK_STATUS | CAP_RESTART | CAP_SPEED, CAP_ASK_STATUS | CAP_RESTART,
                                    CAP_LOCK | CAP_KEY_STEP | CAP_RESTART, UINT32_MAX, 0};
    f->session_opened.session = roll(s, 8);
    f->session_opened.caps = caps[roll(s, roll(s, 4) ? 3 : COUNT(caps))];
}

static void random_fact(struct storm *s, struct fact *f)
{
    uint32_t what = roll(s, 1000);
    memset(f, 0, sizeof *f);
    if (what < 4) {
        f->kind = FACT_NODE_STARTED;
        f->node_started = (struct fact_node_started){1, prng_next(&s->dice), 2};
    } else if (what < 20) {
        f->kind = FACT_TABLES_WRITTEN;
        f->tables_written.seq = roll(s, 10) ? s->seq - roll(s, (uint32_t)s->seq / 2 + 1) : (uint64_t)wild(s);
    } else if (what < 22) {
        f->kind = FACT_FACT_REFUSED;
        f->fact_refused.protocol = (uint8_t)roll(s, 3);
        f->fact_refused.ident = ident_of(roll(s, DEVICES + 2));
    } else if (what < 30) {
        f->kind = FACT_TICK;
        f->tick.jumped_ms = wild(s);
    } else if (what < 45) {
        random_declaration(s, f);
    } else if (what < 85) {
        random_hook(s, f);
    } else if (what < 300) {
        random_request(s, f);
    } else {
        random_device(s, f);
    }
}

static void let_time_pass(struct storm *s)
{
    static const uint32_t spans_ms[] = {0, 1, 1000, 3000, 5000, 12000, 20000, 70000, 200000, 700000};
    s->now_ms += spans_ms[roll(s, roll(s, 4) ? 5 : COUNT(spans_ms))];
    if (!roll(s, 400)) s->now_ms += 4 * 3600000;
    if (!roll(s, 1500)) s->now_ms += 25 * 3600000ll;
    if (roll(s, 3)) tick(s);
}

/* ---- a storm ---- */

static void declare(struct storm *s)
{
    struct fact f = {.kind = FACT_NODE_STARTED, .node_started = {1, s->seed, 7}};
    apply(s, &f);
    f = (struct fact){.kind = FACT_LEGAL_ENTITY_SET, .legal_entity_set = {.decimals = 2}};
    SET(f.legal_entity_set.code, "se");
    SET(f.legal_entity_set.currency, "SEK");
    apply(s, &f);
    f = (struct fact){.kind = FACT_CITY_SET, .city_set = {.lat_e7 = 577000000, .lon_e7 = 119700000, .radius_m = 1000}};
    SET(f.city_set.code, "gbg");
    SET(f.city_set.entity, "se");
    apply(s, &f);
    f = (struct fact){.kind = FACT_VEHICLE_TYPE_SET, .vehicle_type_set = {.battery_min_pct = 15, .motor = true}};
    SET(f.vehicle_type_set.code, "scooter");
    apply(s, &f);
    f = (struct fact){.kind = FACT_PLAN_SET, .plan_set = {.unlock_minor = 1000, .minute_minor = 250}};
    SET(f.plan_set.code, "standard");
    SET(f.plan_set.city, "gbg");
    apply(s, &f);
    for (unsigned i = 0; i < VEHICLES; i++) {
        f = (struct fact){.kind = FACT_VEHICLE_SET, .vehicle_set = {.protocol = PROTOCOL_OMNI, .ident = ident_of(i)}};
        SET(f.vehicle_set.code, ((const char *[]){"V0", "V1", "V2", "V3"})[i]);
        SET(f.vehicle_set.city, "gbg");
        SET(f.vehicle_set.vehicle_type, "scooter");
        apply(s, &f);
        f = (struct fact){.kind = FACT_RIDER_SET, .rider_set = {.account = {{1, (uint8_t)i}}, .state = ACCOUNT_ACTIVE}};
        apply(s, &f);
    }
    f = (struct fact){.kind = FACT_STAFF_SET, .staff_set = {.account = {{9, 1}}, .role = STAFF_CONTROL}};
    apply(s, &f);
    for (unsigned i = 0; i < VEHICLES; i++) {
        f = (struct fact){.kind = FACT_VEHICLE_MARK, .vehicle_mark = {.account = {{9, 1}}, .event = VEHICLE_EVENT_PROVIDER_DROP_OFF}};
        SET(f.vehicle_mark.code, ((const char *[]){"V0", "V1", "V2", "V3"})[i]);
        apply(s, &f);
    }
}

static struct storm *storm_create(uint64_t seed)
{
    struct storm *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->seed = seed;
    s->dice = prng_of(seed, bytes_text("storm"));
    s->now_ms = START_MS;
    s->staff_marks = seed % 3;
    /* Some cities are so small that everything is full at times. */
    bool tiny = seed % 4 == 3;
    s->limits = (struct engine_limits){{
        [ROW_LEGAL_ENTITY] = 2, [ROW_CITY] = 2, [ROW_VEHICLE_TYPE] = 2, [ROW_PLAN] = 2, [ROW_VEHICLE] = tiny ? 4 : 8,
        [ROW_PUBLIC_CODE] = tiny ? 6 : 16, [ROW_DEVICE] = tiny ? 5 : 16, [ROW_RIDER] = 5, [ROW_STAFF] = 2,
        [ROW_RIDE] = tiny ? 3 : 400, [ROW_COMMAND] = tiny ? 4 : 900, [ROW_ANSWER] = tiny ? 40 : 4000,
        [ROW_QUARANTINE] = tiny ? 1 : 2,
    }};
    s->live = being_create(&s->limits);
    s->tables = calloc(IDS_MAX, sizeof *s->tables);
    s->facts = calloc(20000 + FACTS + REST_FACTS, sizeof *s->facts);
    s->sums = calloc(20000 + FACTS + REST_FACTS, sizeof *s->sums);
    s->hashes = calloc(20000 + FACTS + REST_FACTS, sizeof *s->hashes);
    assert_true(s->tables && s->facts && s->sums && s->hashes);
    running = s;
    return s;
}

static void storm_destroy(struct storm *s)
{
    running = NULL;
    being_destroy(&s->live);
    being_destroy(&s->other);
    free(s->tables);
    free(s->facts);
    free(s->sums);
    free(s->hashes);
    free(s);
}

/* From fact 1, with batches that end elsewhere. */
static void replay(struct storm *s)
{
    struct being b = being_create(&s->limits);
    uint64_t last = s->seq;
    for (s->seq = 1; s->seq <= last; s->seq++) {
        step(&b, s->seq, &s->facts[s->seq]);
        HOLDS(s, b.effects.sum == s->sums[s->seq]);
        if (s->seq % 97 == 0) engine_drain_changes(b.engine, NULL, NULL);
    }
    s->seq = last;
    HOLDS(s, engine_hash(b.engine) == s->hashes[last]);
    being_destroy(&b);
}

/* The faults stop: every device is connected, stands still, is charged and says that it is locked. */
static void rest(struct storm *s)
{
    struct fact f = {.kind = FACT_SESSION_OPENED};
    for (unsigned n = 0; n < REST_FACTS / (DEVICES + 1); n++) {
        s->now_ms += 20000;
        tick(s);
        for (unsigned i = 0; i <= DEVICES; i++) { /* the stranger may have been registered */
            struct text64 ident = ident_of(i);
            const struct device *d = engine_device(s->live.engine, PROTOCOL_OMNI, text_bytes(&ident));
            if (!d || d->poisoned) continue;
            if (!d->session) {
                f = (struct fact){.kind = FACT_SESSION_OPENED};
                f.session_opened = (struct fact_session_opened){100 + s->seq, PROTOCOL_OMNI, ident, CAP_LOCK | CAP_KEY_STEP | CAP_SPEED | CAP_ASK_STATUS};
                apply(s, &f);
            }
            f = (struct fact){.kind = FACT_REPORT};
            f.report = (struct fact_report){.session = d->session, .protocol = PROTOCOL_OMNI, .ident = ident, .locked = true,
                                            .battery_pct = 100, .has = HAS_LOCKED | HAS_SPEED | HAS_BATTERY};
            apply(s, &f);
        }
    }
}

static void check_rest(void *ctx, const void *row)
{
    struct storm *s = ctx;
    const struct vehicle *v = row;
    const struct device *d = engine_row(s->live.engine, ROW_DEVICE, v->device_id);
    if (!d || d->poisoned) return;
    HOLDS(s, !v->ride_id);
    HOLDS(s, !v->command_id && !v->side_command_id);
    HOLDS(s, !v->suspect);
    if (s->staff_marks) return;
    if (v->damage && v->state == VEHICLE_NON_OPERATIONAL) return; /* waits for somebody to look at it */
    HOLDS(s, v->state == VEHICLE_AVAILABLE || v->state == VEHICLE_REMOVED || v->state == VEHICLE_ELSEWHERE);
}

static void run(uint64_t seed)
{
    struct storm *s = storm_create(seed);
    struct fact f;
    declare(s);
    for (unsigned i = 0; i < FACTS; i++) {
        let_time_pass(s);
        random_fact(s, &f);
        apply(s, &f);
    }
    rest(s);
    engine_each(s->live.engine, ROW_VEHICLE, check_rest, s);
    replay(s);
    storm_destroy(s);
}

static void test_no_storm_of_facts_breaks_a_promise(void **state)
{
    (void)state;
    must_set_handler(say_claim);
    const char *one = getenv("STORM_SEED"), *many = getenv("STORM_SEEDS");
    uint64_t from = one ? strtoull(one, NULL, 10) : 1, count = one ? 1 : many ? strtoull(many, NULL, 10) : SEEDS_DEFAULT;
    for (uint64_t seed = from; seed < from + count; seed++) run(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_storm_of_facts_breaks_a_promise)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
