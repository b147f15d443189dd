/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/testing/town.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

#define FACTS_MAX 20000

const struct uuid town_rider = {{1, 2, 3}}, town_other_rider = {{1, 2, 4}}, town_staff = {{9, 9, 9}};
const struct text64 town_scooter = {15, "490154203237518"}, town_lock = {15, "356938035643809"};

static uint32_t last_user, last_stamp;

static void keep_row(void *ctx, enum row_kind kind, const void *row, bool gone)
{
    struct town *t = ctx;
    uint64_t id;
    if (t->watch) t->watch(t->watch_ctx, kind, row, gone);
    memcpy(&id, row, sizeof id);
    unsigned i = 0;
    for (; i < t->row_count; i++) {
        uint64_t other;
        memcpy(&other, t->rows[i].row, sizeof other);
        if (t->rows[i].kind == kind && other == id) break;
    }
    must(i < TOWN_ROWS_MAX);
    if (i == t->row_count) t->row_count++;
    t->rows[i].kind = (uint8_t)kind;
    t->rows[i].in = !gone;
    memcpy(t->rows[i].row, row, row_shapes[kind].size);
}

/* The checksum in the journal is that of every effect, in order. */
static uint64_t sum_of(const struct effects *effects)
{
    struct effects again = {0};
    for (unsigned i = 0; i < effects->count; i++) effects_added(&again, &effects->at[i]);
    return again.sum;
}

void town_apply(struct town *t, const struct fact *fact)
{
    must(t->fact_count < FACTS_MAX);
    struct fact f = *fact;
    f.now_ms = t->now_ms;
    t->effects.count = 0;
    engine_step(t->engine, ++t->seq, &f, &t->effects);
    must(sum_of(&t->effects) == t->effects.sum);
    t->facts[t->fact_count] = f;
    t->sums[t->fact_count++] = t->effects.sum;
    for (unsigned i = 0; i < t->effects.count; i++) {
        if (t->effects.at[i].kind != EFFECT_ORDER || !t->effects.at[i].order.command_id) continue;
        last_user = t->effects.at[i].order.user;
        last_stamp = t->effects.at[i].order.stamp;
    }
    engine_drain_changes(t->engine, keep_row, t);
}

void town_tick(struct town *t, int64_t later_ms)
{
    int64_t until_ms = t->now_ms + later_ms;
    while (engine_due_ms(t->engine) <= until_ms) {
        int64_t due_ms = engine_due_ms(t->engine);
        if (due_ms > t->now_ms) t->now_ms = due_ms;
        town_apply(t, &(struct fact){.kind = FACT_TICK});
    }
    t->now_ms = until_ms;
}

static void text_of(void *text, size_t room, const char *from)
{
    text_clip_room(text, room, bytes_text(from));
}
#define SET(text, from) text_of(&(text), sizeof (text).at, (from))

static void declare_city(struct town *t)
{
    struct fact f = {.kind = FACT_LEGAL_ENTITY_SET};
    SET(f.legal_entity_set.code, "se");
    SET(f.legal_entity_set.name, "Example AB");
    SET(f.legal_entity_set.currency, "SEK");
    f.legal_entity_set.decimals = 2;
    town_apply(t, &f);
    f = (struct fact){.kind = FACT_CITY_SET};
    SET(f.city_set.code, "gothenburg");
    SET(f.city_set.name, "Gothenburg");
    SET(f.city_set.entity, "se");
    f.city_set.lat_e7 = 577089000;
    f.city_set.lon_e7 = 119746000;
    f.city_set.radius_m = 10000;
    f.city_set.ride_max_ms = 2 * 3600000;
    town_apply(t, &f);
    f = (struct fact){.kind = FACT_VEHICLE_TYPE_SET};
    SET(f.vehicle_type_set.code, "scooter");
    f.vehicle_type_set.battery_min_pct = 15;
    f.vehicle_type_set.motor = true;
    f.vehicle_type_set.heartbeat_ms = 240000;
    town_apply(t, &f);
    f = (struct fact){.kind = FACT_PLAN_SET};
    SET(f.plan_set.code, "standard");
    SET(f.plan_set.city, "gothenburg");
    f.plan_set.unlock_minor = 1000;
    f.plan_set.minute_minor = 250;
    town_apply(t, &f);
}

static void declare_vehicle(struct town *t, const char *code, const struct text64 *ident, uint64_t session, uint32_t caps)
{
    struct fact f = {.kind = FACT_VEHICLE_SET};
    SET(f.vehicle_set.code, code);
    SET(f.vehicle_set.city, "gothenburg");
    SET(f.vehicle_set.vehicle_type, "scooter");
    f.vehicle_set.protocol = PROTOCOL_OMNI;
    f.vehicle_set.ident = *ident;
    town_apply(t, &f);
    f = (struct fact){.kind = FACT_SESSION_OPENED};
    f.session_opened = (struct fact_session_opened){session, PROTOCOL_OMNI, *ident, caps};
    town_apply(t, &f);
    town_report(t, ident, session, (struct fact_report){.has = HAS_LOCKED | HAS_BATTERY, .locked = true, .battery_pct = 80});
    must(town_mark(t, code, VEHICLE_EVENT_PROVIDER_DROP_OFF, 0) == ERR_OK);
}

static void *fresh_memory(size_t size)
{
    void *memory = calloc(1, size); /* of this size it comes from the kernel, zero and touched only as rows appear */
    must(memory);
    return memory;
}

static const struct engine_limits small = {{
    [ROW_LEGAL_ENTITY] = 8, [ROW_CITY] = 8, [ROW_VEHICLE_TYPE] = 8, [ROW_PLAN] = 8, [ROW_VEHICLE] = 64,
    [ROW_PUBLIC_CODE] = 64, [ROW_DEVICE] = 64, [ROW_RIDER] = 64, [ROW_STAFF] = 8, [ROW_RIDE] = 64, [ROW_COMMAND] = 256,
    [ROW_ANSWER] = 512, [ROW_QUARANTINE] = 4,
}};

struct town *town_create(void)
{
    struct town *t = calloc(1, sizeof *t);
    must(t);
    t->memory = fresh_memory(engine_need(&small));
    t->engine = engine_init(t->memory, &small);
    t->effects.cap = 4 * EFFECTS_PER_FACT_MAX;
    t->effects.at = calloc(t->effects.cap, sizeof *t->effects.at);
    t->facts = calloc(FACTS_MAX, sizeof *t->facts);
    t->sums = calloc(FACTS_MAX, sizeof *t->sums);
    must(t->effects.at && t->facts && t->sums);
    t->now_ms = TOWN_START_MS;
    town_apply(t, &(struct fact){.kind = FACT_NODE_STARTED, .node_started = {1, 11, 22}});
    declare_city(t);
    town_apply(t, &(struct fact){.kind = FACT_RIDER_SET, .rider_set = {.account = town_rider}});
    town_apply(t, &(struct fact){.kind = FACT_RIDER_SET, .rider_set = {.account = town_other_rider}});
    town_apply(t, &(struct fact){.kind = FACT_STAFF_SET, .staff_set = {.account = town_staff, .role = STAFF_CONTROL}});
    declare_vehicle(t, "S1", &town_scooter, 1, CAP_LOCK | CAP_KEY_STEP | CAP_ASK_STATUS | CAP_RESTART | CAP_SPEED);
    declare_vehicle(t, "B1", &town_lock, 2, CAP_ASK_STATUS | CAP_RESTART);
    return t;
}

void town_destroy(struct town *t)
{
    free(t->effects.at);
    free(t->facts);
    free(t->sums);
    free(t->memory);
    free(t);
}

struct engine *town_reload(const struct town *t, void **memory)
{
    *memory = fresh_memory(engine_need(&small));
    struct engine *e = engine_init(*memory, &small);
    for (unsigned k = 0; k < ROW_N; k++) {
        for (unsigned i = t->row_count; i-- > 0;) { /* another order than they were made in */
            const struct ride *r = (const void *)t->rows[i].row;
            const struct command *c = (const void *)t->rows[i].row;
            if (t->rows[i].kind != k || !t->rows[i].in || k == ROW_POSTING) continue;
            if ((k == ROW_RIDE && !r->resident) || (k == ROW_COMMAND && !c->resident)) continue;
            struct err err = engine_load(e, k, t->rows[i].row);
            must(!err.code);
        }
    }
    struct err err = engine_loaded(e);
    must(!err.code);
    return e;
}

static enum err_code reply_of(const struct town *t)
{
    must(town_effect_count(t, EFFECT_REPLY) == 1);
    for (unsigned i = 0;; i++) {
        if (t->effects.at[i].kind == EFFECT_REPLY) return t->effects.at[i].reply.code;
    }
}

enum err_code town_start(struct town *t, struct uuid rider, const char *code)
{
    struct fact f = {.kind = FACT_RIDE_START, .ride_start = {.account = rider, .key0 = ++t->next_key, .body_hash = 1}};
    SET(f.ride_start.code, code);
    town_apply(t, &f);
    return reply_of(t);
}

enum err_code town_end(struct town *t, struct uuid rider, struct uuid ride)
{
    struct fact f = {.kind = FACT_RIDE_END, .ride_end = {.account = rider, .key0 = ++t->next_key, .body_hash = 1, .ride = ride}};
    f.ride_end.by_staff = uuid_equal(rider, town_staff);
    town_apply(t, &f);
    return reply_of(t);
}

/* Would the engine do as it was asked right before? Only where no time has passed and no timer is due meanwhile. */
static void check_foresight(const struct town *t, bool still, enum err_code would)
{
    if (still && reply_of(t) != ERR_FULL) must(would == reply_of(t)); /* which is not foreseen */
}

static bool stands_still(const struct town *t, const struct vehicle *v)
{
    return v && engine_now_ms(t->engine) == t->now_ms && engine_due_ms(t->engine) > t->now_ms;
}

enum err_code town_order(struct town *t, const char *code, enum command_op op)
{
    const struct vehicle *v = town_vehicle(t, code);
    bool still = stands_still(t, v);
    enum err_code would = v ? engine_would_order(t->engine, v, (uint8_t)op) : ERR_VEHICLE_UNKNOWN;
    struct fact f = {.kind = FACT_COMMAND_ASK, .command_ask = {.account = town_staff, .key0 = ++t->next_key, .op = (uint8_t)op}};
    SET(f.command_ask.code, code);
    town_apply(t, &f);
    check_foresight(t, still, would);
    return reply_of(t);
}

enum err_code town_mark(struct town *t, const char *code, enum vehicle_event event, enum vehicle_state to)
{
    const struct vehicle *v = town_vehicle(t, code);
    bool still = stands_still(t, v);
    enum err_code would = v ? engine_would_mark(t->engine, v, (uint8_t)event, (uint8_t)to) : ERR_VEHICLE_UNKNOWN;
    struct fact f = {.kind = FACT_VEHICLE_MARK, .vehicle_mark = {.account = town_staff, .key0 = ++t->next_key,
                                                                  .event = (uint8_t)event, .to = (uint8_t)to}};
    SET(f.vehicle_mark.code, code);
    town_apply(t, &f);
    check_foresight(t, still, would);
    return reply_of(t);
}

void town_report(struct town *t, const struct text64 *ident, uint64_t session, struct fact_report report)
{
    struct fact f = {.kind = FACT_REPORT, .report = report};
    f.report.protocol = PROTOCOL_OMNI;
    f.report.ident = *ident;
    f.report.session = session;
    town_apply(t, &f);
}

static uint64_t session_of(const struct town *t, const struct text64 *ident)
{
    const struct device *d = engine_device(t->engine, PROTOCOL_OMNI, text_bytes(ident));
    return d ? d->session : 0;
}

void town_key(struct town *t, const struct text64 *ident, enum command_op op, uint32_t key)
{
    struct fact f = {.kind = FACT_DEVICE_KEYED,
                     .device_keyed = {.session = session_of(t, ident), .protocol = PROTOCOL_OMNI, .ident = *ident,
                                      .op = (uint8_t)op, .key = key, .user = last_user, .stamp = last_stamp}};
    town_apply(t, &f);
}

void town_result(struct town *t, const struct text64 *ident, enum command_op op, uint32_t result)
{
    struct fact f = {.kind = FACT_LOCK_RESULT,
                     .lock_result = {.session = session_of(t, ident), .protocol = PROTOCOL_OMNI, .ident = *ident,
                                     .op = (uint8_t)op, .result = result, .user = last_user, .stamp = last_stamp}};
    town_apply(t, &f);
}

void town_lock_seen(struct town *t, const struct text64 *ident, bool locked)
{
    town_report(t, ident, session_of(t, ident), (struct fact_report){.has = HAS_LOCKED, .locked = locked});
}

void town_speed(struct town *t, const struct text64 *ident, uint16_t speed_dmh, bool locked)
{
    town_report(t, ident, session_of(t, ident),
                (struct fact_report){.has = HAS_LOCKED | HAS_SPEED, .locked = locked, .speed_dmh = speed_dmh});
}

const struct ride *town_ride(struct town *t)
{
    must(town_start(t, town_rider, "S1") == ERR_OK);
    town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
    town_result(t, &town_scooter, COMMAND_OP_UNLOCK, 0);
    const struct vehicle *v = town_vehicle(t, "S1");
    return engine_row(t->engine, ROW_RIDE, v->ride_id);
}

const struct effect_order *town_sent(const struct town *t, uint8_t op)
{
    for (unsigned i = 0; i < t->effects.count; i++) {
        if (t->effects.at[i].kind == EFFECT_ORDER && t->effects.at[i].order.op == op) return &t->effects.at[i].order;
    }
    return NULL;
}

const struct event *town_event(const struct town *t, enum event_kind kind)
{
    for (unsigned i = t->effects.count; i-- > 0;) {
        const struct effect *e = &t->effects.at[i];
        if (e->kind == EFFECT_EVENT && e->event.kind == kind) return &e->event;
    }
    return NULL;
}

unsigned town_effect_count(const struct town *t, enum effect_kind kind)
{
    unsigned n = 0;
    for (unsigned i = 0; i < t->effects.count; i++) n += t->effects.at[i].kind == kind;
    return n;
}

const struct vehicle *town_vehicle(const struct town *t, const char *code)
{
    return engine_vehicle(t->engine, bytes_text(code));
}
