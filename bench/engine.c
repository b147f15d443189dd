/* SPDX-License-Identifier: Apache-2.0 */
/* engine: facts a second of the engine alone, on one core: what a fleet says in a day, mixed as it comes.
 *
 * Reports (position, heartbeat) of 12,000 vehicles in a fixed shuffle, and rides with their whole exchange: start, key,
 * unlocked, end, standing still, key, locked. Applied, effects summed, changes drained every 512 facts; the encoding
 * into journal records is measured apart. The peer is hashing the same facts' encodings once: what touching the bytes
 * costs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/hash.h"
#include "base/must.h"
#include "base/prng.h"
#include "engine/engine.h"
#include "proto/codec.h"

#define VEHICLES 12000
#define FACTS 2000000
#define NOW_MS 1790000000000ll

static struct effects effects;
static struct engine *engine;
static uint64_t seq;
static int64_t now_ms = NOW_MS;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void apply(struct fact *f)
{
    f->now_ms = now_ms;
    if (effects.cap - effects.count < EFFECTS_PER_FACT_MAX || seq % ENGINE_BATCH_MAX == 0) {
        engine_drain_changes(engine, NULL, NULL);
        effects.count = 0;
    }
    engine_step(engine, ++seq, f, &effects);
}

#define SET(text, from) text_clip(&(text), bytes_text(from))

static struct text64 ident_of(unsigned i)
{
    char digits[16];
    struct text64 t;
    snprintf(digits, sizeof digits, "49015420%07u", i);
    SET(t, digits);
    return t;
}

static void declare(void)
{
    static struct fact f;
    f = (struct fact){.kind = FACT_NODE_STARTED, .node_started = {1, 2, 3}};
    apply(&f);
    f = (struct fact){.kind = FACT_LEGAL_ENTITY_SET};
    SET(f.legal_entity_set.code, "se");
    SET(f.legal_entity_set.currency, "SEK");
    apply(&f);
    f = (struct fact){.kind = FACT_CITY_SET};
    SET(f.city_set.code, "gbg");
    SET(f.city_set.entity, "se");
    apply(&f);
    f = (struct fact){.kind = FACT_VEHICLE_TYPE_SET};
    SET(f.vehicle_type_set.code, "scooter");
    apply(&f);
    f = (struct fact){.kind = FACT_PLAN_SET};
    SET(f.plan_set.code, "p");
    SET(f.plan_set.city, "gbg");
    apply(&f);
    f = (struct fact){.kind = FACT_STAFF_SET, .staff_set = {.account = {{9}}, .role = STAFF_CONTROL}};
    apply(&f);
    for (unsigned i = 0; i < VEHICLES; i++) {
        char code[16];
        snprintf(code, sizeof code, "V%u", i);
        f = (struct fact){.kind = FACT_VEHICLE_SET, .vehicle_set = {.protocol = PROTOCOL_OMNI, .ident = ident_of(i)}};
        SET(f.vehicle_set.code, code);
        SET(f.vehicle_set.city, "gbg");
        SET(f.vehicle_set.vehicle_type, "scooter");
        apply(&f);
        f = (struct fact){.kind = FACT_SESSION_OPENED, .session_opened = {i + 1, PROTOCOL_OMNI, ident_of(i),
                          CAP_LOCK | CAP_KEY_STEP | CAP_ASK_STATUS | CAP_SPEED}};
        apply(&f);
        f = (struct fact){.kind = FACT_REPORT, .report = {.session = i + 1, .protocol = PROTOCOL_OMNI, .ident = ident_of(i),
                          .has = HAS_LOCKED | HAS_BATTERY, .locked = true, .battery_pct = 90}};
        apply(&f);
        f = (struct fact){.kind = FACT_VEHICLE_MARK, .vehicle_mark = {.account = {{9}}, .key0 = i + 1, .event = VEHICLE_EVENT_PROVIDER_DROP_OFF}};
        SET(f.vehicle_mark.code, code);
        apply(&f);
        f = (struct fact){.kind = FACT_RIDER_SET, .rider_set = {.account = {{1}}}};
        store_u32(f.rider_set.account.at + 4, i + 1);
        apply(&f);
    }
}

static struct fact *make_reports(void)
{
    struct prng p = prng_of(1, bytes_text("reports"));
    struct fact *facts = calloc(FACTS, sizeof *facts);
    must(facts);
    for (unsigned i = 0; i < FACTS; i++) {
        unsigned v = (unsigned)prng_below(&p, VEHICLES);
        facts[i].kind = FACT_REPORT;
        facts[i].report = (struct fact_report){.session = v + 1, .protocol = PROTOCOL_OMNI, .ident = ident_of(v)};
        struct fact_report *r = &facts[i].report;
        if (i % 3) {
            r->has = HAS_POSITION | HAS_FIX_TIME;
            r->lat_e7 = 577000000 + (int32_t)prng_below(&p, 200000);
            r->lon_e7 = 119700000 + (int32_t)prng_below(&p, 200000);
            r->fix_ms = NOW_MS + i;
            r->sats = 9;
        } else {
            r->has = HAS_LOCKED | HAS_BATTERY | HAS_RSSI | HAS_IOT_MV;
            r->locked = true;
            r->battery_pct = 90;
            r->iot_mV = 4100;
        }
    }
    return facts;
}

static unsigned ride_exchange(unsigned i)
{
    uint64_t before = seq;
    char code[16];
    struct uuid rider = {{1}};
    store_u32(rider.at + 4, i + 1);
    snprintf(code, sizeof code, "V%u", i);
    struct fact f = {.kind = FACT_RIDE_START, .ride_start = {.account = rider, .key0 = 1000000 + seq, .body_hash = 1}};
    SET(f.ride_start.code, code);
    apply(&f);
    const struct vehicle *v = engine_vehicle(engine, bytes_text(code));
    must(v->ride_id);
    for (unsigned half = 0; half < 2; half++) {
        uint8_t op = half ? COMMAND_OP_LOCK : COMMAND_OP_UNLOCK;
        const struct command *c = engine_row(engine, ROW_COMMAND, v->command_id);
        must(c);
        uint32_t user = c->user, stamp = c->stamp;
        f = (struct fact){.kind = FACT_DEVICE_KEYED, .device_keyed = {i + 1, PROTOCOL_OMNI, ident_of(i), op, 7, user, stamp}};
        apply(&f);
        f = (struct fact){.kind = FACT_LOCK_RESULT, .lock_result = {i + 1, PROTOCOL_OMNI, ident_of(i), op, 0, user, stamp, 1}};
        apply(&f);
        if (half) break;
        now_ms += 1;
        f = (struct fact){.kind = FACT_REPORT, .report = {.session = i + 1, .protocol = PROTOCOL_OMNI, .ident = ident_of(i),
                          .has = HAS_LOCKED | HAS_SPEED}};
        apply(&f);
        struct uuid ride = ((const struct ride *)engine_row(engine, ROW_RIDE, v->ride_id))->uuid;
        f = (struct fact){.kind = FACT_RIDE_END, .ride_end = {.account = rider, .key0 = 2000000 + seq, .body_hash = 1, .ride = ride}};
        apply(&f);
    }
    must(!v->ride_id);
    return (unsigned)(seq - before);
}

static void report(const char *name, double value, const char *peer, double peer_value)
{
    printf("{\"name\":\"%s\",\"value\":%.0f,\"unit\":\"facts/s\"", name, value);
    if (peer) printf(",\"peer\":\"%s\",\"peer_value\":%.0f", peer, peer_value);
    printf("}\n");
}

int main(void)
{
    size_t need = engine_need(NULL);
    void *memory = mmap(NULL, need, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    must(memory != MAP_FAILED);
    engine = engine_init(memory, NULL);
    effects.cap = 16384;
    effects.at = calloc(effects.cap, sizeof *effects.at);
    must(effects.at);
    declare();
    struct fact *facts = make_reports();
    uint8_t room[FACT_BYTES_MAX];
    double begun = seconds();
    uint64_t sum = 0;
    for (unsigned i = 0; i < FACTS; i++) {
        struct buf b = buf_on(room, sizeof room);
        fact_encode(&facts[i], &b);
        sum += hash_bytes((struct hash_key){1, 2}, buf_bytes(&b));
    }
    double encoding = FACTS / (seconds() - begun);
    begun = seconds();
    for (unsigned i = 0; i < FACTS; i++) {
        if (i % 1000 == 0) now_ms += 30; /* 33,000 facts a simulated second: timers stay as they are in a fleet */
        apply(&facts[i]);
    }
    report("engine: reports", FACTS / (seconds() - begun), "encoding and hashing the same facts", encoding);
    begun = seconds();
    unsigned rides = 0, count = 0;
    for (unsigned i = 0; i < VEHICLES; i++, rides++) count += ride_exchange(i);
    report("engine: whole rides", count / (seconds() - begun), NULL, 0);
    fprintf(stderr, "%u rides; state hash %016llx; %llu\n", rides, (unsigned long long)engine_hash(engine), (unsigned long long)sum % 2);
    return 0;
}
