/* SPDX-License-Identifier: Apache-2.0 */
#include "node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/must.h"
#include "inhand.h"
#include "street_begin.h"

#define TELEMETRY_RING_DEFAULT 32768 /* more than are ever in flight in a city; a full ring costs two calls a pause */
#define URGENT_RING_DEFAULT 4096
#define OUT_RING_DEFAULT 16384
#define HASH_MS_DEFAULT 60000
#define BASE_EVERY_MS (24 * 3600000ll)
#define RETAIN_EVERY_MS 10000
#define OUT_WAIT_NS 50000 /* between two looks at a full out ring */
/* After a cut the keeper rests this many times as long as the cut took: rows that change with every message are written
 * less often when there are many of them, and the tables take a seventeenth of a core. No longer than CUT_REST_MAX_US:
 * who reads back what he wrote waits for it. */
#define CUT_REST_TIMES 16
#define CUT_REST_MAX_US 3000000

struct batch_record {
    uint32_t at, len;  /* of its encoding in payloads; len 0: an answer to a query, nothing for the journal */
    uint32_t effects_at, effects_end;
    uint32_t answer;   /* 1 + index in answers; 0 = none */
    uint64_t seq, sum;
    int64_t time_ms;
    struct origin origin;
};

struct batch {
    struct batch_record records[NODE_BATCH_FACTS_MAX];
    uint32_t count, answer_count, facts;
    uint64_t last_seq;
    int64_t stepped_us;
    struct buf payloads;
    struct effects effects;
    struct to_api *answers;
};

struct node {
    struct node_options options;
    struct recovered recovered;
    struct inhand inhand;
    struct ring telemetry, gateway_urgent, api_urgent, to_gateway, to_api;
    void *ring_memory;
    struct batch *filling;            /* engine thread */
    struct batch *spare;              /* engine thread; NULL while the journal has it */
    uint32_t handed_count;            /* engine thread: records of the last one */
    _Atomic(struct batch *) handed;   /* to the journal */
    _Atomic(struct batch *) returned; /* from the journal */
    _Atomic int64_t jumped_ms;
    _Atomic int64_t now_ms;           /* the engine's, for the journal's retention */
    int64_t hash_next_ms, base_next_ms, retain_next_ms;
    uint64_t told_tables_seq;         /* engine thread: last TABLES_WRITTEN */
    uint64_t commits_seen;            /* whoever turns the journal: before its turn before this one */
    _Atomic int64_t cut_next_us;      /* keeper: it rests until then */
    _Atomic uint64_t news_seq;        /* keeper: tables hold this and it is worth telling */
    struct journal_counters journal_seen;
    struct node_counters counters;
    uint64_t start_hash;
    _Atomic bool failing, failed; /* the text is being written; it stands */
    char failure[RECOVER_TEXT_MAX];
};

/* The page that a fatal signal on the engine's thread marks. */
static _Thread_local struct inhand *inhand_here;

void node_crashed(void)
{
    if (inhand_here) inhand_crashed(inhand_here);
}

static void *must_have(void *memory)
{
    must(memory);
    return memory;
}

static struct batch *batch_create(void)
{
    struct batch *b = must_have(calloc(1, sizeof *b));
    size_t bytes = (size_t)NODE_BATCH_FACTS_MAX * FACT_BYTES_MAX;
    b->payloads = buf_on(must_have(malloc(bytes)), bytes);
    b->effects.cap = NODE_BATCH_EFFECTS_MAX;
    b->effects.at = must_have(calloc(b->effects.cap, sizeof *b->effects.at));
    b->answers = must_have(calloc(NODE_BATCH_ANSWERS_MAX, sizeof *b->answers));
    return b;
}

static void batch_clear(struct batch *b)
{
    b->count = b->answer_count = b->facts = 0;
    b->effects.count = 0;
    buf_clear(&b->payloads);
}

static void batch_destroy(struct batch *b)
{
    if (!b) return;
    free(b->payloads.at);
    free(b->effects.at);
    free(b->answers);
    free(b);
}

static bool batch_full(const struct node *n)
{
    const struct batch *b = n->filling;
    if (engine_changed_count(n->recovered.engine) >= NODE_BATCH_ROWS_MAX) return true;
    return b->count == NODE_BATCH_FACTS_MAX || b->effects.cap - b->effects.count < 2 * EFFECTS_PER_FACT_MAX;
}

static void rings_create(struct node *n)
{
    struct node_options *o = &n->options;
    if (!o->telemetry_ring) o->telemetry_ring = TELEMETRY_RING_DEFAULT;
    if (!o->urgent_ring) o->urgent_ring = URGENT_RING_DEFAULT;
    if (!o->out_ring) o->out_ring = OUT_RING_DEFAULT;
    size_t need = ring_need(sizeof(struct inbound), o->telemetry_ring) + 2 * ring_need(sizeof(struct inbound), o->urgent_ring) +
                  ring_need(sizeof(struct to_gateway), o->out_ring) + ring_need(sizeof(struct to_api), o->out_ring);
    n->ring_memory = must_have(aligned_alloc(64, arena_need(need)));
    struct arena a = arena_on(n->ring_memory, need);
    ring_init(&n->telemetry, &a, sizeof(struct inbound), o->telemetry_ring);
    ring_init(&n->gateway_urgent, &a, sizeof(struct inbound), o->urgent_ring);
    ring_init(&n->api_urgent, &a, sizeof(struct inbound), o->urgent_ring);
    ring_init(&n->to_gateway, &a, sizeof(struct to_gateway), o->out_ring);
    ring_init(&n->to_api, &a, sizeof(struct to_api), o->out_ring);
}

static int64_t mono_us(const struct node *n)
{
    return n->options.mono_us ? n->options.mono_us(n->options.ctx) : 0;
}

static void wake(const struct node *n, void (*fn)(void *ctx))
{
    if (fn) fn(n->options.ctx);
}

static struct err fail(struct node *n, struct err e, const char *where, const char *text)
{
    if (atomic_exchange(&n->failing, true)) return e; /* the journal's thread and the keeper's may fail at once */
    snprintf(n->failure, sizeof n->failure, "%s: %s%s%s", where, e.why, text && *text ? ": " : "", text ? text : "");
    atomic_store(&n->failed, true);
    return e;
}

const char *node_failure(const struct node *n)
{
    return atomic_load(&n->failed) ? n->failure : "";
}

/* ---- engine ---- */

/* Applies one fact into the batch: encoded, held in hand, stepped, summed. */
static void apply(struct node *n, const struct origin *origin, const struct fact *fact)
{
    struct batch *b = n->filling;
    struct batch_record *r = &b->records[b->count++];
    uint64_t seq = engine_seq(n->recovered.engine) + 1;
    *r = (struct batch_record){.at = (uint32_t)b->payloads.len, .seq = seq, .time_ms = fact->now_ms, .origin = *origin,
                               .effects_at = b->effects.count};
    fact_encode(fact, &b->payloads);
    must(!b->payloads.full);
    r->len = (uint32_t)b->payloads.len - r->at;
    inhand_hold(&n->inhand, seq, bytes_of(b->payloads.at + r->at, r->len));
    inhand_here = &n->inhand;
    /* Every member of a device's fact begins alike up to the ident; the hook for tests reads a report's. */
    if (n->options.crash_on.len && fact->kind == FACT_REPORT && text_equal(&fact->report.ident, &n->options.crash_on)) {
        must(!"a planted fact that stops the engine");
    }
    engine_step(n->recovered.engine, seq, fact, &b->effects);
    inhand_here = NULL;
    inhand_release(&n->inhand);
    r->sum = engine_record_sum(n->recovered.engine, &b->effects);
    r->effects_end = b->effects.count;
    b->last_seq = seq;
    b->facts++;
    atomic_store_explicit(&n->counters.seq, seq, memory_order_relaxed);
}

static uint64_t city_of(const struct engine *e, enum row_kind kind, const void *row)
{
    if (kind == ROW_RIDE) return ((const struct ride *)row)->city_id;
    if (kind == ROW_VEHICLE) return ((const struct vehicle *)row)->city_id;
    if (kind == ROW_RIDER) return ((const struct rider *)row)->city_id;
    if (kind != ROW_COMMAND) return 0;
    const struct vehicle *v = engine_row(e, ROW_VEHICLE, ((const struct command *)row)->vehicle_id);
    return v ? v->city_id : 0;
}

static void copy_subject(const struct node *n, struct to_api *to, enum row_kind kind, const void *row)
{
    const struct engine *e = n->recovered.engine;
    if (!row) return;
    const struct city *city = engine_row(e, ROW_CITY, city_of(e, kind, row));
    if (city) {
        to->city_id = city->id;
        to->city = city->code;
    }
    if (kind == ROW_RIDER) to->rider = *(const struct rider *)row;
    if (kind == ROW_RIDE) to->ride = *(const struct ride *)row;
    if (kind == ROW_COMMAND) to->command = *(const struct command *)row;
    if (kind == ROW_WEBHOOK) to->webhook = *(const struct webhook *)row;
    if (kind == ROW_HOOK) to->hook = *(const struct hook *)row;
    if (kind != ROW_VEHICLE) return;
    to->vehicle = *(const struct vehicle *)row;
    const struct device *d = engine_row(e, ROW_DEVICE, to->vehicle.device_id);
    if (d) to->device = *d;
}

static struct to_api *answer_room(struct node *n, struct batch_record *r)
{
    struct batch *b = n->filling;
    must(b->answer_count < NODE_BATCH_ANSWERS_MAX);
    struct to_api *to = &b->answers[b->answer_count++];
    memset(to, 0, sizeof *to);
    r->answer = b->answer_count;
    to->handle = r->origin.handle;
    to->seq = engine_seq(n->recovered.engine);
    to->now_ms = engine_now_ms(n->recovered.engine);
    to->born_us = r->origin.born_us;
    return to;
}

/* The reply to a request, with a copy of what it is about as it stands now. */
static void keep_reply(struct node *n, struct batch_record *r)
{
    const struct batch *b = n->filling;
    for (uint32_t i = r->effects_at; i < r->effects_end; i++) {
        const struct effect *effect = &b->effects.at[i];
        if (effect->kind != EFFECT_REPLY) continue;
        struct to_api *to = answer_room(n, r);
        to->kind = TO_API_REPLY;
        to->reply = effect->reply;
        const void *row = effect->reply.subject_id
                              ? engine_row(n->recovered.engine, effect->reply.subject_kind, effect->reply.subject_id) : NULL;
        copy_subject(n, to, effect->reply.subject_kind, row);
        return;
    }
    must(!"a request without a reply");
}

static const void *query_row(const struct node *n, const struct query *q, enum row_kind *kind)
{
    const struct engine *e = n->recovered.engine;
    switch (q->kind) {
    case QUERY_RIDE_OF_RIDER: {
        const struct rider *rider = engine_rider(e, q->uuid);
        *kind = ROW_RIDE;
        return rider && rider->ride_id ? engine_row(e, ROW_RIDE, rider->ride_id) : NULL;
    }
    case QUERY_RIDE:
        *kind = ROW_RIDE;
        return engine_ride(e, q->uuid);
    case QUERY_VEHICLE:
    case QUERY_MARK:
    case QUERY_ORDER:
        *kind = ROW_VEHICLE;
        return engine_vehicle(e, text_bytes(&q->code));
    case QUERY_RIDER:
        *kind = ROW_RIDER;
        return engine_rider(e, q->uuid);
    case QUERY_COMMAND:
        *kind = ROW_COMMAND;
        return engine_command(e, q->uuid);
    case QUERY_WEBHOOK:
        *kind = ROW_WEBHOOK;
        return engine_webhook(e, text_bytes(&q->name));
    case QUERY_HOOK:
        *kind = ROW_HOOK;
        return engine_hook(e, (enum ask_kind)q->ask);
    default:
        *kind = ROW_PARTITION;
        return NULL;
    }
}

static void answer_query(struct node *n, const struct inbound *in)
{
    struct batch *b = n->filling;
    struct batch_record *r = &b->records[b->count++];
    *r = (struct batch_record){.origin = in->origin, .seq = engine_seq(n->recovered.engine),
                               .effects_at = b->effects.count, .effects_end = b->effects.count};
    struct to_api *to = answer_room(n, r);
    enum row_kind kind;
    const void *row = query_row(n, &in->query, &kind);
    to->kind = TO_API_ANSWER;
    bool found = row || in->query.kind == QUERY_NOTHING;
    to->reply = (struct effect_reply){.code = found ? ERR_OK : ERR_NOT_FOUND, .subject_kind = (uint8_t)kind};
    if (row && in->query.kind == QUERY_MARK) {
        to->reply.code = engine_would_mark(n->recovered.engine, row, in->query.event, in->query.to);
    }
    if (row && in->query.kind == QUERY_ORDER) to->reply.code = engine_would_order(n->recovered.engine, row, in->query.op);
    copy_subject(n, to, kind, row);
    if (kind == ROW_RIDE && row) {
        to->reply.subject_id = to->ride.id;
        to->reply.subject = to->ride.uuid;
    }
}

/* Phones wait for what vehicles do to their rides: such an event takes the row along, so that nobody has to ask for it. */
static void keep_ride(struct node *n, struct batch_record *r)
{
    const struct batch *b = n->filling;
    for (uint32_t i = r->effects_at; i < r->effects_end; i++) {
        const struct effect *effect = &b->effects.at[i];
        if (effect->kind != EFFECT_EVENT || effect->event.kind != EVENT_RIDE_STATE) continue;
        const struct ride *ride = engine_row(n->recovered.engine, ROW_RIDE, effect->event.ride_id);
        if (!ride) return;
        struct to_api *to = answer_room(n, r);
        to->kind = TO_API_EVENT;
        to->event_ride = *ride;
        return;
    }
}

/* `share`: of a batch, so that no lane keeps another out of it. */
static void take_inbound(struct node *n, struct ring *ring, uint32_t share, int64_t now_ms)
{
    for (uint32_t i = 0; i < share && !batch_full(n); i++) {
        struct inbound *in = ring_peek(ring);
        if (!in) return;
        if (in->is_query) {
            answer_query(n, in);
        } else {
            in->fact.now_ms = now_ms;
            apply(n, &in->origin, &in->fact);
            struct batch_record *r = &n->filling->records[n->filling->count - 1];
            if (in->origin.kind == ORIGIN_REQUEST) keep_reply(n, r);
            else keep_ride(n, r);
        }
        ring_took(ring);
    }
}

/* Facts of our own: what is due, what the tables hold, that the clock jumped. */
static void take_own(struct node *n, int64_t now_ms)
{
    static const struct origin nobody = {.kind = ORIGIN_NONE};
    uint64_t news = atomic_load_explicit(&n->news_seq, memory_order_acquire);
    if (news > n->told_tables_seq && !batch_full(n)) {
        n->told_tables_seq = news;
        apply(n, &nobody, &(struct fact){.kind = FACT_TABLES_WRITTEN, .now_ms = now_ms, .tables_written = {news}});
    }
    int64_t jumped_ms = batch_full(n) ? 0 : atomic_exchange(&n->jumped_ms, 0);
    if (jumped_ms) apply(n, &nobody, &(struct fact){.kind = FACT_TICK, .now_ms = now_ms, .tick = {jumped_ms}});
    while (engine_due_ms(n->recovered.engine) <= now_ms && !batch_full(n)) {
        apply(n, &nobody, &(struct fact){.kind = FACT_TICK, .now_ms = now_ms});
    }
}

static void keep_change(void *ctx, enum row_kind kind, const void *row, bool gone)
{
    struct node *n = ctx;
    struct err e = keeper_add_row(n->recovered.keeper, kind, row, gone);
    must(!e.code); /* room for a batch was asked for before it began */
    if (n->options.street) street_put(n->options.street, n->filling->last_seq, kind, row, gone);
}

/* The batch is whole: its changes go to the keeper, then it goes to the journal. */
static void hand_to_journal(struct node *n, int64_t now_ms)
{
    struct batch *b = n->filling;
    struct keeper *k = n->recovered.keeper;
    if (b->facts) {
        engine_drain_changes(n->recovered.engine, keep_change, n);
        for (uint32_t i = 0; i < b->effects.count; i++) {
            if (b->effects.at[i].kind != EFFECT_EVENT) continue;
            struct err e = keeper_add_event(k, &b->effects.at[i].event);
            must(!e.code);
        }
        keeper_end_batch(k, b->last_seq, now_ms);
        if (now_ms >= n->hash_next_ms) {
            int64_t every_ms = n->options.hash_ms ? n->options.hash_ms : HASH_MS_DEFAULT;
            keeper_note_hash(k, engine_hash(n->recovered.engine));
            n->hash_next_ms = every_ms < 0 ? 0 : now_ms + every_ms;
        }
    }
    b->stepped_us = mono_us(n);
    n->filling = n->spare;
    n->spare = NULL;
    n->handed_count = b->count;
    atomic_store_explicit(&n->handed, b, memory_order_release);
    wake(n, n->options.wake_journal);
}

static void hand_to_keeper(struct node *n, int64_t now_ms)
{
    bool rests = mono_us(n) < atomic_load_explicit(&n->cut_next_us, memory_order_relaxed);
    if (!keeper_hand_over(n->recovered.keeper, now_ms, rests ? KEEPER_WHEN_FULL : KEEPER_WHEN_DUE)) return;
    wake(n, n->options.wake_keeper);
}

int64_t node_engine_turn(struct node *n, int64_t now_ms)
{
    atomic_store_explicit(&n->now_ms, now_ms, memory_order_relaxed);
    struct batch *back = atomic_exchange_explicit(&n->returned, NULL, memory_order_acq_rel);
    if (back) {
        batch_clear(back);
        n->spare = back;
    }
    if (atomic_load(&n->failed)) return INT64_MAX;
    struct keeper *k = n->recovered.keeper;
    hand_to_keeper(n, now_ms);
    if (!keeper_has_room(k) && !n->filling->count) {
        atomic_fetch_add_explicit(&n->counters.stalls_keeper, 1, memory_order_relaxed);
        return now_ms + 1;
    }
    if (n->options.street && !street_has_room(n->options.street) && !n->filling->count) {
        atomic_fetch_add_explicit(&n->counters.stalls_street, 1, memory_order_relaxed);
        wake(n, n->options.wake_street);
        return now_ms + 1;
    }
    /* Counted before urgent is emptied: a report must not overtake the opening of its own session (gateway.h). */
    uint32_t reports = ring_count(&n->telemetry);
    take_inbound(n, &n->gateway_urgent, NODE_BATCH_FACTS_MAX / 2, now_ms);
    take_inbound(n, &n->api_urgent, NODE_BATCH_FACTS_MAX / 4, now_ms);
    take_own(n, now_ms); /* behind them: an answer that is here already is not late because the disk was */
    if (!ring_count(&n->gateway_urgent)) take_inbound(n, &n->telemetry, reports, now_ms);
    if (n->filling->count && n->spare) {
        hand_to_journal(n, now_ms);
        hand_to_keeper(n, now_ms);
    }
    if (batch_full(n)) {
        atomic_fetch_add_explicit(&n->counters.stalls_journal, 1, memory_order_relaxed);
        return INT64_MAX; /* the journal wakes us when it gives a batch back */
    }
    bool more = ring_count(&n->telemetry) || ring_count(&n->gateway_urgent) || ring_count(&n->api_urgent);
    int64_t due_ms = more ? now_ms : engine_due_ms(n->recovered.engine);
    int64_t cut_ms = now_ms + KEEPER_INTERVAL_MS_DEFAULT; /* a set waits for its interval */
    return due_ms < cut_ms ? due_ms : cut_ms;
}

bool node_commit_is_small(const struct node *n)
{
    return n->handed_count <= NODE_SMALL_FACTS_MAX &&
           atomic_load_explicit(&n->counters.journal_prepared_bytes, memory_order_relaxed) >= NODE_SMALL_READY_BYTES;
}

void node_clock_jumped(struct node *n, int64_t by_ms)
{
    atomic_store(&n->jumped_ms, by_ms);
}

/* ---- journal ---- */

/* The out rings are drained every turn by their owners, who never wait for us: so we may wait for them. */
static void *out_room(struct node *n, struct ring *ring)
{
    void *room;
    while (!(room = ring_room(ring))) {
        if (!n->options.wake_gateway || !n->options.wake_api) return NULL;
        n->options.wake_gateway(n->options.ctx);
        n->options.wake_api(n->options.ctx);
        nanosleep(&(struct timespec){.tv_nsec = OUT_WAIT_NS}, NULL); /* whoever is to drain it needs the core more than we do */
    }
    return room;
}

static void release_to_gateway(struct node *n, const struct batch *b, const struct batch_record *r,
                               const struct effect *effect, int64_t synced_us)
{
    struct to_gateway *to = out_room(n, &n->to_gateway);
    must(to);
    *to = (struct to_gateway){.seq = r->seq, .born_us = r->origin.born_us, .stepped_us = b->stepped_us, .synced_us = synced_us};
    if (!effect) {
        to->kind = TO_GATEWAY_ACK;
        to->tag = r->origin.tag;
        to->session = r->origin.handle;
        atomic_fetch_add_explicit(&n->counters.acks, 1, memory_order_relaxed);
    } else if (effect->kind == EFFECT_ORDER) {
        to->kind = TO_GATEWAY_ORDER;
        to->session = effect->order.session;
        to->order = effect->order;
        atomic_fetch_add_explicit(&n->counters.orders, 1, memory_order_relaxed);
    } else {
        to->kind = TO_GATEWAY_HANG_UP;
        to->session = effect->hang_up.session;
    }
    ring_put(&n->to_gateway);
}

static void release_event(struct node *n, const struct batch *b, const struct batch_record *r, const struct effect *effect,
                          int64_t synced_us)
{
    struct to_api *to = out_room(n, &n->to_api);
    must(to);
    to->kind = effect->kind == EFFECT_ASK ? TO_API_ASK : TO_API_EVENT;
    to->seq = r->seq;
    to->now_ms = r->time_ms;
    to->born_us = r->origin.born_us;
    to->stepped_us = b->stepped_us;
    to->synced_us = synced_us;
    if (effect->kind == EFFECT_ASK) {
        to->ask = effect->ask;
        ring_put(&n->to_api);
        return;
    }
    to->event = effect->event;
    to->event_ride.id = 0;
    const struct to_api *kept = r->answer ? &b->answers[r->answer - 1] : NULL;
    bool ride = kept && kept->kind == TO_API_EVENT && to->event.kind == EVENT_RIDE_STATE;
    if (ride && to->event.ride_id == kept->event_ride.id) to->event_ride = kept->event_ride;
    ring_put(&n->to_api);
    atomic_fetch_add_explicit(&n->counters.events, 1, memory_order_relaxed);
}

static void release_answer(struct node *n, const struct batch *b, const struct batch_record *r, int64_t synced_us)
{
    struct to_api *to = out_room(n, &n->to_api);
    must(to);
    *to = b->answers[r->answer - 1];
    to->stepped_us = b->stepped_us;
    to->synced_us = synced_us;
    ring_put(&n->to_api);
    atomic_fetch_add_explicit(&n->counters.replies, 1, memory_order_relaxed);
}

/* Only now may anyone be told. */
static void release(struct node *n, const struct batch *b, int64_t synced_us)
{
    uint64_t orders_before = atomic_load_explicit(&n->counters.orders, memory_order_relaxed);
    for (uint32_t i = 0; i < b->count; i++) {
        const struct batch_record *r = &b->records[i];
        if (r->origin.kind == ORIGIN_DEVICE && r->origin.tag) release_to_gateway(n, b, r, NULL, synced_us);
        for (uint32_t x = r->effects_at; x < r->effects_end; x++) {
            const struct effect *effect = &b->effects.at[x];
            if (effect->kind == EFFECT_EVENT || effect->kind == EFFECT_ASK) release_event(n, b, r, effect, synced_us);
            else if (effect->kind != EFFECT_REPLY) release_to_gateway(n, b, r, effect, synced_us);
        }
        if (r->answer && b->answers[r->answer - 1].kind != TO_API_EVENT) release_answer(n, b, r, synced_us);
    }
    /* Whoever is woken first may get this core: an order's vehicle waits for nobody, otherwise people come first. */
    bool orders = atomic_load_explicit(&n->counters.orders, memory_order_relaxed) != orders_before;
    wake(n, orders ? n->options.wake_gateway : n->options.wake_api);
    wake(n, orders ? n->options.wake_api : n->options.wake_gateway);
}

static void note_commit(struct node *n, const struct batch *b, int64_t us)
{
    struct node_counters *c = &n->counters;
    struct journal_counters j = journal_counters(n->recovered.journal);
    unsigned bucket = 0;
    while (bucket < 31 && (int64_t)1 << bucket <= us) bucket++;
    atomic_fetch_add_explicit(&c->sync_us[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&c->commits, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&c->commit_us_sum, (uint64_t)us, memory_order_relaxed);
    if ((uint64_t)us > atomic_load_explicit(&c->commit_us_max, memory_order_relaxed)) atomic_store(&c->commit_us_max, (uint64_t)us);
    atomic_fetch_add_explicit(&c->facts, b->facts, memory_order_relaxed);
    atomic_store_explicit(&c->journal_bytes, j.bytes, memory_order_relaxed);
    atomic_store_explicit(&c->journal_first_seq, journal_first_seq(n->recovered.journal), memory_order_relaxed);
    atomic_store_explicit(&c->journal_segments, j.segments, memory_order_relaxed);
    atomic_store_explicit(&c->journal_unprepared, j.unprepared, memory_order_relaxed);
    atomic_store_explicit(&c->journal_prepared_bytes, j.prepared_bytes, memory_order_relaxed);
}

static struct err commit(struct node *n, const struct batch *b)
{
    struct journal *j = n->recovered.journal;
    uint64_t build = n->options.recover.build;
    for (uint32_t i = 0; i < b->count; i++) {
        const struct batch_record *r = &b->records[i];
        if (!r->len) continue;
        struct err e = journal_append(j, r->seq, r->time_ms, build, r->sum, bytes_of(b->payloads.at + r->at, r->len));
        if (e.code) return e;
    }
    return journal_commit(j);
}

struct err node_commit(struct node *n)
{
    struct batch *b = atomic_exchange_explicit(&n->handed, NULL, memory_order_acq_rel);
    const char *text = "";
    if (!b) return NO_ERR;
    if (b->facts) {
        int64_t begun_us = mono_us(n);
        struct err e = commit(n, b);
        if (e.code) {
            (void)journal_failure(n->recovered.journal, &text);
            batch_destroy(b);
            return fail(n, e, "journal", text);
        }
        note_commit(n, b, mono_us(n) - begun_us);
        atomic_store_explicit(&n->counters.committed_seq, b->last_seq, memory_order_release);
    }
    release(n, b, mono_us(n));
    atomic_store_explicit(&n->returned, b, memory_order_release);
    wake(n, n->options.wake_engine);
    if (keeper_busy(n->recovered.keeper)) wake(n, n->options.wake_keeper);
    if (n->options.street && street_pressed(n->options.street)) wake(n, n->options.wake_street);
    return NO_ERR;
}

struct err node_journal_turn(struct node *n)
{
    uint64_t commits = atomic_load_explicit(&n->counters.commits, memory_order_relaxed);
    bool idle = !atomic_load_explicit(&n->handed, memory_order_acquire) && commits == n->commits_seen;
    struct err e = node_commit(n);
    const char *text = "";
    if (e.code) return e;
    n->commits_seen = commits;
    bool low = journal_counters(n->recovered.journal).prepared_bytes < NODE_PREPARE_LOW_BYTES;
    if (idle || low) e = journal_prepare(n->recovered.journal, low ? NODE_PREPARE_BYTES : NODE_PREPARE_IDLE_BYTES);
    int64_t now_ms = atomic_load_explicit(&n->now_ms, memory_order_relaxed);
    if (!e.code && now_ms >= n->retain_next_ms) {
        n->retain_next_ms = now_ms + RETAIN_EVERY_MS;
        e = journal_retain(n->recovered.journal, atomic_load_explicit(&n->counters.synced_seq, memory_order_acquire), now_ms);
    }
    if (!e.code) return NO_ERR;
    bool broken = journal_failure(n->recovered.journal, &text).code != ERR_OK;
    return e.code == ERR_FULL && !broken ? NO_ERR : fail(n, e, "journal", text); /* no room ahead: a commit tells */
}

/* ---- keeper ---- */

struct err node_keeper_turn(struct node *n, int64_t now_ms)
{
    struct keeper_turned turned;
    int64_t begun_us = mono_us(n);
    uint64_t committed = atomic_load_explicit(&n->counters.committed_seq, memory_order_acquire);
    struct err e = keeper_turn(n->recovered.keeper, committed, now_ms, &turned);
    if (e.code) return fail(n, e, "tables", keeper_text(n->recovered.keeper));
    if (turned.wrote) {
        int64_t ended_us = mono_us(n), rest_us = (ended_us - begun_us) * CUT_REST_TIMES;
        uint64_t us = (uint64_t)(ended_us - begun_us);
        atomic_store_explicit(&n->cut_next_us, ended_us + (rest_us < CUT_REST_MAX_US ? rest_us : CUT_REST_MAX_US),
                              memory_order_relaxed);
        atomic_fetch_add_explicit(&n->counters.cuts, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&n->counters.cut_us_sum, us, memory_order_relaxed);
        if (us > atomic_load_explicit(&n->counters.cut_us_max, memory_order_relaxed)) atomic_store(&n->counters.cut_us_max, us);
        atomic_store_explicit(&n->counters.tables_seq, turned.tables_seq, memory_order_release);
        atomic_store_explicit(&n->counters.synced_seq, turned.synced_seq, memory_order_release);
        if (turned.news) atomic_store_explicit(&n->news_seq, turned.tables_seq, memory_order_release);
        wake(n, n->options.wake_engine);
    }
    if (turned.base_done) {
        size_t dropped;
        struct bases_policy policy = {.first_seq = atomic_load_explicit(&n->counters.journal_first_seq, memory_order_relaxed)};
        e = bases_prune(&n->options.recover.dir, &policy, &dropped);
        if (e.code) return fail(n, e, "bases", "");
    }
    if (n->options.bases && now_ms >= n->base_next_ms && turned.wrote) {
        n->base_next_ms = now_ms + BASE_EVERY_MS;
        e = keeper_base(n->recovered.keeper, &n->options.recover.dir);
        if (e.code && e.code != ERR_STATE) return fail(n, e, "bases", keeper_text(n->recovered.keeper));
    }
    return NO_ERR;
}

/* ---- begin and end ---- */

static void apply_started(struct node *n, const struct fact *refused)
{
    static const struct origin nobody = {.kind = ORIGIN_NONE};
    int64_t now_ms = n->recovered.now_ms;
    struct fact started = {.kind = FACT_NODE_STARTED, .now_ms = now_ms,
                           .node_started = {n->options.recover.build, n->options.seed0, n->options.seed1}};
    apply(n, &nobody, &started);
    if (!refused->kind) return;
    struct fact f = {.kind = FACT_FACT_REFUSED, .now_ms = now_ms, .fact_refused = {.kind = refused->kind}};
    if (refused->kind >= FACT_SESSION_OPENED) {
        /* session, protocol and ident open every device's fact */
        f.fact_refused.protocol = refused->report.protocol;
        f.fact_refused.ident = refused->report.ident;
    }
    apply(n, &nobody, &f);
    atomic_fetch_add(&n->counters.refused_facts, 1);
}
_Static_assert(offsetof(struct fact_session_opened, ident) == offsetof(struct fact_report, ident), "device facts begin alike");
_Static_assert(offsetof(struct fact_lock_result, ident) == offsetof(struct fact_report, ident), "device facts begin alike");

struct err node_create(const struct node_options *options, struct node **out, char *text)
{
    *out = NULL;
    struct node *n = must_have(calloc(1, sizeof *n));
    n->options = *options;
    struct err e = recover_open(&n->recovered, &n->options.recover);
    snprintf(text, RECOVER_TEXT_MAX, "%s", n->recovered.text);
    struct fact refused;
    uint64_t refused_seq;
    if (!e.code) {
        e = inhand_open(&n->inhand, n->options.recover.dir.fs, &refused, &refused_seq);
        if (e.code) snprintf(text, RECOVER_TEXT_MAX, "inhand: %s", e.why);
    }
    if (e.code) {
        recovered_close(&n->recovered);
        free(n);
        return e;
    }
    /* What a replay let go of is in the keeper's hands only: nobody may ask for it before the tables hold it. */
    struct keeper_turned turned;
    (void)keeper_hand_over(n->recovered.keeper, n->recovered.now_ms, KEEPER_NOW);
    e = keeper_turn(n->recovered.keeper, n->recovered.seq, n->recovered.now_ms, &turned);
    if (e.code) {
        snprintf(text, RECOVER_TEXT_MAX, "%s", keeper_text(n->recovered.keeper));
        inhand_close(&n->inhand);
        recovered_close(&n->recovered);
        free(n);
        return e;
    }
    if (n->options.street) street_begin(n->options.street, &n->recovered);
    rings_create(n);
    n->filling = batch_create();
    n->spare = batch_create();
    n->told_tables_seq = n->recovered.from_seq;
    atomic_store(&n->counters.tables_seq, n->recovered.from_seq);
    atomic_store(&n->counters.committed_seq, n->recovered.seq);
    if (n->options.hash_at_start) n->start_hash = engine_hash(n->recovered.engine);
    /* A refused fact that reached the journal all the same was applied and is no poison. */
    if (refused.kind && refused_seq <= n->recovered.seq) refused.kind = 0;
    apply_started(n, &refused);
    *out = n;
    return NO_ERR;
}

void node_destroy(struct node *n)
{
    if (!n) return;
    recovered_close(&n->recovered);
    inhand_close(&n->inhand);
    batch_destroy(n->filling);
    batch_destroy(n->spare);
    batch_destroy(atomic_load(&n->handed));
    batch_destroy(atomic_load(&n->returned));
    free(n->ring_memory);
    free(n);
}

struct err node_finish(struct node *n, int64_t now_ms)
{
    if (atomic_load(&n->failed)) return ERR(IO, "the node has failed");
    for (unsigned turns = 0; turns < 64; turns++) {
        (void)node_engine_turn(n, now_ms);
        TRY(node_journal_turn(n));
        TRY(node_keeper_turn(n, now_ms));
        if (n->filling->count || atomic_load(&n->handed)) continue;
        keeper_note_hash(n->recovered.keeper, engine_hash(n->recovered.engine));
        (void)keeper_hand_over(n->recovered.keeper, now_ms, KEEPER_LAST);
        TRY(node_keeper_turn(n, now_ms));
        if (!keeper_busy(n->recovered.keeper)) return NO_ERR;
    }
    return ERR(STATE, "the node did not come to rest");
}

bool node_busy(const struct node *n)
{
    return n->filling->count || atomic_load(&n->handed) || ring_count(&n->telemetry) || ring_count(&n->gateway_urgent) ||
           ring_count(&n->api_urgent) || keeper_busy(n->recovered.keeper);
}

struct ring *node_telemetry(struct node *n) { return &n->telemetry; }
struct ring *node_gateway_urgent(struct node *n) { return &n->gateway_urgent; }
struct ring *node_api_urgent(struct node *n) { return &n->api_urgent; }
struct ring *node_to_gateway(struct node *n) { return &n->to_gateway; }
struct ring *node_to_api(struct node *n) { return &n->to_api; }
const struct engine *node_engine(const struct node *n) { return n->recovered.engine; }
const struct recovered *node_recovered(const struct node *n) { return &n->recovered; }
uint64_t node_start_hash(const struct node *n) { return n->start_hash; }
struct node_counters *node_counters(struct node *n) { return &n->counters; }
