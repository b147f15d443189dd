/* SPDX-License-Identifier: Apache-2.0 */
/* bulk.c: see bulk.h. */
#include "api/bulk.h"

#include <stdlib.h>

#include "api/api_inside.h"
#include "api/ask.h"
#include "base/must.h"

enum bulk_stage { BULK_FREE, BULK_PICK, BULK_ASK, BULK_PUT, BULK_DONE };

struct bulk_vehicle {
    struct text16 code;
    struct uuid id, command;  /* zero: not there; none */
    uint64_t city_id;         /* that it was seen in, of callers with a list of cities */
    uint8_t err;              /* enum err_code */
};

struct bulk {
    uint8_t stage, event, to, op; /* op 0: an event */
    bool dry_run, known;          /* known: a repeat of a call that was answered */
    uint32_t generation;
    uint64_t born;                /* the lower, the older */
    uint64_t pending;             /* handle of the call's entry */
    struct uuid account;
    uint64_t key0, key1, body_hash, seq;
    unsigned count, next, waiting; /* vehicles; put so far; of them without an answer */
    struct bulk_vehicle at[BULK_VEHICLES_MAX];
};

struct bulks { struct bulk at[BULKS_MAX]; uint64_t born; };

struct err bulks_create(struct bulks **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? NO_ERR : ERR(IO, "no memory");
}

void bulks_destroy(struct bulks *all)
{
    free(all);
}

/* ---- what is answered ---- */

/* clang-format off */
static const struct member vehicle_members[] = {
    {"code", MEMBER_TEXT, 0, NULL, NULL, "public code"},
    {"id", MEMBER_UUID, MEMBER_NULL, NULL, NULL, "the vehicle; null: there is none with this code"},
    {"ok", MEMBER_BOOL, 0, NULL, NULL, "done, or ordered; in a dry run: would be"},
    {"error", MEMBER_TERM, MEMBER_NULL, &error_names, NULL, "why not"},
    {"command_id", MEMBER_UUID, MEMBER_NULL, NULL, NULL, "of the order, to follow it"},
};
static const struct schema schema_vehicle_of = {"BulkVehicle", "What became of one vehicle of many", NULL,
                                                SCHEMA_MEMBERS(vehicle_members), true};
static const struct member bulk_members[] = {
    {"dry_run", MEMBER_BOOL, 0, NULL, NULL, "nothing was changed"},
    {"vehicles", MEMBER_LIST, 0, NULL, &schema_vehicle_of, "in the order given, or made"},
    {"total", MEMBER_WHOLE, 0, NULL, NULL, "how many vehicles"},
    {"ok", MEMBER_WHOLE, 0, NULL, NULL, "how many of them are ok"},
    AS_OF_SEQ,
};
const struct schema answer_bulk = {"BulkAnswer", "What became of many vehicles", NULL, SCHEMA_MEMBERS(bulk_members), true};
/* clang-format on */

static void put_uuid(struct json *j, const char *name, struct uuid uuid)
{
    json_name(j, name);
    if (uuid_zero(uuid)) json_null(j);
    else json_uuid(j, uuid.at);
}

static void put_vehicle(struct json *j, const struct bulk_vehicle *v)
{
    json_open(j, '{');
    json_name(j, "code");
    json_text(j, text_bytes(&v->code));
    put_uuid(j, "id", v->id);
    json_name(j, "ok");
    json_bool(j, !v->err);
    json_name(j, "error");
    if (v->err) json_literal(j, err_name(v->err));
    else json_null(j);
    put_uuid(j, "command_id", v->command);
    json_close(j, '}');
}

/* What was put is remembered for a repeat. */
static void finish(struct api *api, struct bulk *b)
{
    struct pending *p = pending_of(&api->pendings, b->pending);
    struct buf body = buf_on(api->street_text, API_STREET_MAX);
    struct json j = json_on(&body);
    unsigned ok = 0;
    must(p);
    json_open(&j, '{');
    json_name(&j, "dry_run");
    json_bool(&j, b->dry_run);
    json_name(&j, "vehicles");
    json_open(&j, '[');
    for (unsigned i = 0; i < b->count; i++) {
        put_vehicle(&j, &b->at[i]);
        ok += !b->at[i].err;
    }
    json_close(&j, ']');
    json_name(&j, "total");
    json_u64(&j, b->count);
    json_name(&j, "ok");
    json_u64(&j, ok);
    json_name(&j, "as_of_seq");
    json_u64(&j, b->seq);
    json_close(&j, '}');
    must(!body.full);
    b->stage = b->stage == BULK_PUT || b->known ? BULK_DONE : BULK_FREE;
    p->bulk = 0;
    out_json(api, &p->client, 200, buf_bytes(&body));
    api_release(api, p);
}

/* ---- one vehicle after the other ---- */

static struct inbound question(const struct bulk *b, const struct bulk_vehicle *v)
{
    struct inbound in = {.is_query = true};
    in.query = (struct query){.kind = b->op ? QUERY_ORDER : QUERY_MARK, .code = v->code, .op = b->op, .event = b->event,
                              .to = b->to};
    return in;
}

/* The same call about the same vehicle has the same key, whichever of its codes was given. */
static struct inbound fact_of(const struct bulk *b, const struct bulk_vehicle *v)
{
    struct inbound in = {.is_query = false};
    uint64_t key0 = hash_mix(hash_mix(b->key0, load_u64(v->id.at)), load_u64(v->id.at + 8)) | 1;
    uint64_t key1 = hash_mix(hash_mix(b->key1, load_u64(v->id.at)), load_u64(v->id.at + 8));
    if (b->op) {
        in.fact.kind = FACT_COMMAND_ASK;
        in.fact.command_ask = (struct fact_command_ask){.account = b->account, .key0 = key0, .key1 = key1,
            .body_hash = b->body_hash, .code = v->code, .op = b->op, .city_id = v->city_id};
    } else {
        in.fact.kind = FACT_VEHICLE_MARK;
        in.fact.vehicle_mark = (struct fact_vehicle_mark){.account = b->account, .key0 = key0, .key1 = key1,
            .body_hash = b->body_hash, .code = v->code, .event = b->event, .to = b->to, .city_id = v->city_id};
    }
    return in;
}

/* False: the ring is full. */
static bool put_next(struct api *api, struct bulk *b, const struct pending *p)
{
    const struct bulk_vehicle *v = &b->at[b->next];
    if (b->stage == BULK_PUT && uuid_zero(v->id)) {
        b->next++; /* it is not there: there is nothing to put */
        return true;
    }
    struct inbound in = b->stage == BULK_PUT ? fact_of(b, v) : question(b, v);
    uint64_t slot = (uint64_t)(b - api->bulks->at);
    uint64_t handle = (uint64_t)b->generation << 32 | BULK_HANDLE | slot << 16 | b->next;
    if (!api_put(api, &in, handle, p->client.started_us)) return false;
    b->next++;
    b->waiting++;
    return true;
}

/* As much as may be under way; true when there is room to wait for. */
static bool go_on(struct api *api, struct bulk *b)
{
    struct pending *p = pending_of(&api->pendings, b->pending);
    must(p);
    for (;;) {
        while (b->next < b->count && b->waiting < BULK_WINDOW) {
            if (!put_next(api, b, p)) return true;
        }
        if (b->waiting || b->next < b->count) return false;
        bool stop = b->dry_run || b->stage == BULK_PUT || !p->client.http;
        if (stop) {
            finish(api, b);
            return false;
        }
        b->stage = BULK_PUT;
        b->next = 0;
    }
}

static void take_answer(struct api *api, const struct pending *p, struct bulk_vehicle *v, const struct to_api *in)
{
    bool hidden = in->reply.code != ERR_NOT_FOUND && !scope_has(p->scope, text_bytes(&in->city));
    v->command = v->id = (struct uuid){{0}};
    v->err = ERR_VEHICLE_UNKNOWN;
    if (hidden) api->counters.out_of_scope++;
    if (hidden || in->reply.code == ERR_NOT_FOUND) return;
    v->id = in->vehicle.uuid;
    v->city_id = p->scope ? in->city_id : 0;
    v->err = in->reply.code;
}

static void take_reply(struct api *api, const struct bulk *b, struct pending *p, struct bulk_vehicle *v,
                       const struct to_api *in)
{
    struct account *account = api_account_of(api, p);
    v->err = in->reply.code;
    if (!v->err && b->op) v->command = in->reply.subject;
    if (in->seq > account->last_seq) account->last_seq = in->seq;
    api->counters.bulk_vehicles++;
}

void bulk_on(struct api *api, const struct to_api *in)
{
    unsigned slot = in->handle >> 16 & 0x7fff, index = in->handle & 0xffff;
    struct bulk *b = slot < BULKS_MAX ? &api->bulks->at[slot] : NULL;
    bool fits = b && b->generation == in->handle >> 32 && index < b->count && b->waiting;
    fits = fits && b->stage == (in->kind == TO_API_REPLY ? BULK_PUT : BULK_ASK);
    if (!fits) {
        api->counters.replies_stale++;
        return;
    }
    struct pending *p = pending_of(&api->pendings, b->pending);
    must(p);
    if (in->kind == TO_API_REPLY) take_reply(api, b, p, &b->at[index], in);
    else take_answer(api, p, &b->at[index], in);
    if (in->seq > b->seq) b->seq = in->seq;
    b->waiting--;
    go_on(api, b);
}

bool bulks_turn(struct api *api)
{
    bool more = false;
    for (unsigned i = 0; i < BULKS_MAX; i++) {
        struct bulk *b = &api->bulks->at[i];
        if (b->stage == BULK_ASK || b->stage == BULK_PUT) more = go_on(api, b) || more;
    }
    return more;
}

/* ---- a call begins and ends ---- */

static void ask_all(struct api *api, struct bulk *b)
{
    struct pending *p = pending_of(&api->pendings, b->pending);
    must(p);
    p->stage = PENDING_BULK;
    b->stage = BULK_ASK;
    b->next = b->waiting = 0;
    go_on(api, b);
}

void bulk_picked(struct api *api, struct pending *p, const struct desk_result *r)
{
    struct bulk *b = &api->bulks->at[p->bulk - 1];
    must(p->bulk && b->stage == BULK_PICK);
    if (r->rows > BULK_VEHICLES_MAX) {
        out_problem(api, &p->client, ERR(INVALID, "more than 500 vehicles fit: narrow the filter"));
        api_release(api, p);
        return;
    }
    b->seq = r->as_of_seq;
    b->count = r->rows;
    const struct text16 *codes = (const void *)r->body;
    for (unsigned i = 0; i < r->rows; i++) b->at[i] = (struct bulk_vehicle){.code = codes[i]};
    ask_all(api, b);
}

void bulk_drop(struct api *api, const struct pending *p)
{
    if (p->bulk) api->bulks->at[p->bulk - 1].stage = BULK_FREE;
}

/* The same call as before, with the vehicles that it was about then. */
static struct bulk *find_done(struct bulks *all, const struct call *call)
{
    for (unsigned i = 0; i < BULKS_MAX; i++) {
        struct bulk *b = &all->at[i];
        bool same = b->stage == BULK_DONE && uuid_equal(b->account, call->account->uuid) && b->key0 == call->key0 &&
                    b->key1 == call->key1;
        if (same) return b;
    }
    return NULL;
}

/* A free one, or the oldest of those that are remembered; NULL: all are under way. */
static struct bulk *take(struct bulks *all)
{
    struct bulk *best = NULL;
    for (unsigned i = 0; i < BULKS_MAX; i++) {
        struct bulk *b = &all->at[i];
        if (b->stage == BULK_FREE) return b;
        if (b->stage == BULK_DONE && (!best || b->born < best->born)) best = b;
    }
    return best;
}

static bool has_filter(const struct args *args)
{
    static const char *const names[] = {"state", "city", "vehicle_type", "battery_max_pct", "damaged"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (args_get(args, names[i])->given) return true;
    }
    return false;
}

/* What no single field can say. False: answered. */
static bool check(struct call *call)
{
    struct args *args = &call->args;
    bool event = args_get(args, "event")->given, op = args_get(args, "op")->given, codes = args_get(args, "codes")->given;
    if (event == op) args_fault(args, "event", "give an event or an op, and not both");
    if (args_get(args, "to")->given && !event) args_fault(args, "to", "goes with an event");
    if (codes == has_filter(args)) args_fault(args, "codes", "give codes or a filter, and not both");
    if (!args->fault_count) return true;
    call->api->counters.not_valid++;
    out_faults(call->api, &call->client, ERR(INVALID, ""), args);
    return false;
}

static void take_codes(struct bulk *b, const struct args *args)
{
    unsigned given = (unsigned)args_get(args, "codes")->number;
    must(given <= BULK_VEHICLES_MAX);
    b->count = given;
    for (unsigned i = 0; i < given; i++) {
        b->at[i] = (struct bulk_vehicle){.err = ERR_OK};
        text_clip(&b->at[i].code, args_code(args, "codes", i));
    }
}

static void fill(struct bulk *b, bool again, struct bulks *all, const struct call *call)
{
    const struct args *args = &call->args;
    const struct arg *dry_run = args_get(args, "dry_run");
    b->born = ++all->born;
    b->generation = (b->generation + 1) & 0x3fffffff;
    b->account = call->account->uuid;
    b->key0 = call->key0;
    b->key1 = call->key1;
    b->body_hash = call->body_hash;
    b->event = (uint8_t)args_get(args, "event")->number;
    b->to = (uint8_t)args_get(args, "to")->number;
    b->op = (uint8_t)args_get(args, "op")->number;
    b->dry_run = dry_run->given ? dry_run->number : true;
    b->seq = 0;
    b->known = again;
    b->stage = BULK_PICK;
}

void ask_vehicles_bulk(struct call *call)
{
    struct api *api = call->api;
    if (!check(call)) return;
    struct bulk *done = find_done(api->bulks, call), *b = done ? done : take(api->bulks);
    if (done && done->body_hash != call->body_hash) {
        out_problem(api, &call->client, ERR(IDEMPOTENCY_MISMATCH, ""));
        return;
    }
    if (!b) {
        api->counters.bulk_full++;
        out_problem(api, &call->client, ERR(FULL, "too many such calls at once; try again shortly"));
        return;
    }
    struct pending *p = call_begin(call, done || args_get(&call->args, "codes")->given ? PENDING_BULK : PENDING_DESK);
    if (!p) return;
    fill(b, done != NULL, api->bulks, call);
    b->pending = pending_handle(p);
    p->bulk = (uint8_t)(b - api->bulks->at + 1);
    if (!done && args_get(&call->args, "codes")->given) take_codes(b, &call->args);
    if (p->stage == PENDING_BULK) {
        ask_all(api, b);
        return;
    }
    p->job = (struct desk_job){.kind = DESK_PICK, .sight = SIGHT_STAFF, .limit = BULK_VEHICLES_MAX + 1};
    ask_filter_vehicles(call, &p->job);
    p->fresh_until_ms = loop_now_ms(api->config.loop) + api->config.limits.fresh_ms;
    api_submit(api, p);
}
