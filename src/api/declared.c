/* SPDX-License-Identifier: Apache-2.0 */
/* declared.c: see declared.h. */
#include "api/declared.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "proto/codec.h"

/* ---- members: D(name, how it is written, field of the row, what it says) ---- */

#define OPERATOR_DECLARED(D)                                              \
    D("id", ID, uuid, "name outside")                                     \
    D("name", TEXT, name, "for people")

#define LEGAL_ENTITY_DECLARED(D)                                          \
    D("id", ID, uuid, "name outside")                                     \
    D("code", TEXT, code, "short name used in settings files")            \
    D("name", TEXT, name, "the company that sells and invoices")          \
    D("currency", TEXT, currency, "ISO 4217; books are kept in it")       \
    D("decimals", WHOLE, decimals, "decimals of the currency: 0, 2 or 3")

#define CITY_DECLARED(D)                                                  \
    D("id", ID, uuid, "name outside")                                     \
    D("code", TEXT, code, "short name used in settings files")            \
    D("name", TEXT, name, "for people")                                   \
    D("legal_entity", ENTITY, entity_id, "code of the company that sells here") \
    D("time_zone", TEXT, time_zone, "IANA name")                          \
    D("lat", DEGREES, lat_e7, "centre")                                   \
    D("lon", DEGREES, lon_e7, "centre")                                   \
    D("radius_m", WHOLE, radius_m, "boundary; 0 = none")                  \
    D("ride_max_s", SECONDS, ride_max_ms, "longest ride; 0 = 12 hours")

#define VEHICLE_TYPE_DECLARED(D)                                          \
    D("id", ID, uuid, "name outside")                                     \
    D("code", TEXT, code, "short name used in settings files")            \
    D("name", TEXT, name, "for people")                                   \
    D("heartbeat_s", SECONDS, heartbeat_ms, "longest silence of a healthy device; 0 = 240") \
    D("battery_min_pct", WHOLE, battery_min_pct, "no ride starts below")  \
    D("motor", BOOL, motor, "has a motor: its charge counts")

#define PLAN_DECLARED(D)                                                  \
    D("id", ID, uuid, "name outside")                                     \
    D("code", TEXT, code, "short name used in settings files")            \
    D("name", TEXT, name, "for people")                                   \
    D("city", CITY, city_id, "code of the city")                          \
    D("vehicle_type", TYPE, type_id, "code of the type; null: every type") \
    D("unlock_minor", WHOLE, unlock_minor, "price of the unlock")         \
    D("minute_minor", WHOLE, minute_minor, "price of a started minute")   \
    D("version", WHOLE, version, "counts its changes; a ride keeps the prices it began with")

#define FLEET_DECLARED(D)                                                 \
    D("id", ID, uuid, "name outside")                                     \
    D("code", TEXT, code, "the public code that it was made with")        \
    D("codes", CODES, id, "every public code that it answers to")         \
    D("city", CITY, city_id, "code of the city")                          \
    D("vehicle_type", TYPE, type_id, "code of the type")                  \
    D("protocol", PROTOCOL, device_id, "of its device; null: it has none") \
    D("device", IDENT, device_id, "the device's own id; null: it has none")

#define MEMBER_OF_ID MEMBER_UUID, 0, NULL
#define MEMBER_OF_TEXT MEMBER_TEXT, 0, NULL
#define MEMBER_OF_WHOLE MEMBER_WHOLE, 0, NULL
#define MEMBER_OF_SECONDS MEMBER_WHOLE, 0, NULL
#define MEMBER_OF_BOOL MEMBER_BOOL, 0, NULL
#define MEMBER_OF_DEGREES MEMBER_DECIMAL, 0, NULL
#define MEMBER_OF_ENTITY MEMBER_TEXT, 0, NULL
#define MEMBER_OF_CITY MEMBER_TEXT, 0, NULL
#define MEMBER_OF_TYPE MEMBER_TEXT, MEMBER_NULL, NULL
#define MEMBER_OF_CODES MEMBER_TEXTS, 0, NULL
#define MEMBER_OF_PROTOCOL MEMBER_TERM, MEMBER_NULL, &protocol_names
#define MEMBER_OF_IDENT MEMBER_TEXT, MEMBER_NULL, NULL
#define AS_MEMBER_(...) {__VA_ARGS__}
#define AS_MEMBER(name, how, field, doc) AS_MEMBER_(name, MEMBER_OF_##how, NULL, doc),

#define SCHEMA_OF(tag, TAG, Name, doc)                                                    \
    static const struct member tag##_members[] = {TAG##_DECLARED(AS_MEMBER)};             \
    static const struct schema tag##_schema = {Name, doc, NULL, SCHEMA_MEMBERS(tag##_members), true};
SCHEMA_OF(operator, OPERATOR, "Operator", "Who runs the vehicles")
SCHEMA_OF(legal_entity, LEGAL_ENTITY, "LegalEntity", "A company that sells and invoices")
SCHEMA_OF(city, CITY, "City", "A place with prices and a time zone of its own")
SCHEMA_OF(vehicle_type, VEHICLE_TYPE, "VehicleType", "What vehicles of a kind have in common")
SCHEMA_OF(plan, PLAN, "Plan", "Prices of rides")
SCHEMA_OF(fleet, FLEET, "FleetVehicle", "A vehicle as it was declared")

#define ANSWER(tag, name, Name, doc)                                                      \
    static const struct member one_##tag[] = ANSWER_OF(name, &tag##_schema, "as declared last"); \
    const struct schema answer_##tag = {Name, doc, NULL, SCHEMA_MEMBERS(one_##tag), true};
ANSWER(operator, "operator", "OperatorAnswer", "The operator")
ANSWER(legal_entity, "legal_entity", "LegalEntityAnswer", "One legal entity")
ANSWER(city, "city", "CityAnswer", "One city")
ANSWER(vehicle_type, "vehicle_type", "VehicleTypeAnswer", "One vehicle type")
ANSWER(plan, "plan", "PlanAnswer", "One plan")

#define PAGE(tag, name, Name, doc)                                                        \
    static const struct member name##_rows[] = PAGE_OF(#name, &tag##_schema, "in the order they were made"); \
    const struct schema page_##name = {Name, doc, NULL, SCHEMA_MEMBERS(name##_rows), true};
PAGE(legal_entity, legal_entities, "LegalEntityPage", "A page of legal entities")
PAGE(city, cities, "CityPage", "A page of cities")
PAGE(vehicle_type, vehicle_types, "VehicleTypePage", "A page of vehicle types")
PAGE(plan, plans, "PlanPage", "A page of plans")
PAGE(fleet, fleet, "FleetPage", "A page of the fleet")

/* ---- writing ---- */

struct page {
    struct tables *tables;
    const struct desk_job *job;
    struct json j;
    struct buf body;
    unsigned rows;
    uint64_t last_id;
    /* Looked up for the row before; most rows name the same. */
    struct legal_entity entity;
    struct city city;
    struct vehicle_type type;
    struct device device;
    struct err err;
};

/* `row` becomes the one with this id, all zero when there is none: the tables of a cut belong together, so that is 0. */
static void look_up(struct page *p, enum row_kind kind, uint64_t id, void *row)
{
    uint64_t known;
    memcpy(&known, row, sizeof known);
    if (known == id && id) return;
    memset(row, 0, row_shapes[kind].size);
    if (!id) return;
    struct err e = tables_row(p->tables, kind, id, row);
    if (e.code && e.code != ERR_NOT_FOUND && !p->err.code) p->err = e;
}

static void put_text_or_null(struct json *j, struct bytes text)
{
    if (text.len) json_text(j, text);
    else json_null(j);
}

static struct err on_code(void *ctx, enum row_kind kind, const void *row)
{
    const struct public_code *code = row;
    must(kind == ROW_PUBLIC_CODE);
    json_text(ctx, text_bytes(&code->code));
    return NO_ERR;
}

static void put_codes(struct page *p, uint64_t vehicle_id)
{
    struct tables_query q = {.kind = ROW_PUBLIC_CODE, .filter_count = 1, .limit = TABLES_LIST_MAX};
    uint64_t seq;
    q.filters[0] = (struct tables_filter){.field = 3, .number = (int64_t)vehicle_id}; /* vehicle_id */
    json_open(&p->j, '[');
    struct err e = tables_list(p->tables, &q, on_code, &p->j, &seq);
    json_close(&p->j, ']');
    if (e.code && !p->err.code) p->err = e;
}

#define WRITE_ID(v) json_uuid(&p->j, (v).at)
#define WRITE_TEXT(v) json_text(&p->j, text_bytes(&(v)))
#define WRITE_WHOLE(v) json_i64(&p->j, (int64_t)(v))
#define WRITE_SECONDS(v) json_i64(&p->j, (v) / 1000)
#define WRITE_BOOL(v) json_bool(&p->j, v)
#define WRITE_DEGREES(v) json_decimal(&p->j, v, 7)
#define WRITE_ENTITY(v) look_up(p, ROW_LEGAL_ENTITY, v, &p->entity), json_text(&p->j, text_bytes(&p->entity.code))
#define WRITE_CITY(v) look_up(p, ROW_CITY, v, &p->city), json_text(&p->j, text_bytes(&p->city.code))
#define WRITE_TYPE(v) look_up(p, ROW_VEHICLE_TYPE, v, &p->type), put_text_or_null(&p->j, text_bytes(&p->type.code))
#define WRITE_CODES(v) put_codes(p, v)
#define WRITE_PROTOCOL(v) \
    look_up(p, ROW_DEVICE, v, &p->device), put_text_or_null(&p->j, protocol_text(p->device.protocol))
#define WRITE_IDENT(v) look_up(p, ROW_DEVICE, v, &p->device), put_text_or_null(&p->j, text_bytes(&p->device.ident))

static struct bytes protocol_text(uint8_t protocol)
{
    return bytes_text(protocol && protocol < protocol_names.count ? protocol_names.names[protocol] : "");
}

#define WRITE(name, how, field, doc) json_name(&p->j, name), WRITE_##how(row->field);
#define WRITER(fn, tag, LIST)                             \
    static void fn(struct page *p, const struct tag *row) \
    {                                                     \
        json_open(&p->j, '{');                            \
        LIST(WRITE)                                       \
        json_close(&p->j, '}');                           \
    }
WRITER(put_operator, partition, OPERATOR_DECLARED)
WRITER(put_legal_entity, legal_entity, LEGAL_ENTITY_DECLARED)
WRITER(put_city, city, CITY_DECLARED)
WRITER(put_vehicle_type, vehicle_type, VEHICLE_TYPE_DECLARED)
WRITER(put_plan, plan, PLAN_DECLARED)
WRITER(put_fleet_vehicle, vehicle, FLEET_DECLARED)

static void put_row(struct page *p, enum row_kind kind, const void *row)
{
    switch (kind) {
    case ROW_PARTITION: put_operator(p, row); break;
    case ROW_LEGAL_ENTITY: put_legal_entity(p, row); break;
    case ROW_CITY: put_city(p, row); break;
    case ROW_VEHICLE_TYPE: put_vehicle_type(p, row); break;
    case ROW_PLAN: put_plan(p, row); break;
    case ROW_VEHICLE: put_fleet_vehicle(p, row); break;
    default: must(!"no such thing is declared");
    }
}

/* ---- reading ---- */

static const struct { const char *one, *many; } words[ROW_N] = {
    [ROW_PARTITION] = {"operator", NULL},           [ROW_LEGAL_ENTITY] = {"legal_entity", "legal_entities"},
    [ROW_CITY] = {"city", "cities"},                [ROW_VEHICLE_TYPE] = {"vehicle_type", "vehicle_types"},
    [ROW_PLAN] = {"plan", "plans"},                 [ROW_VEHICLE] = {NULL, "fleet"},
};

static struct err on_row(void *ctx, enum row_kind kind, const void *row)
{
    struct page *p = ctx;
    memcpy(&p->last_id, row, sizeof p->last_id);
    p->rows++;
    put_row(p, kind, row);
    return p->err;
}

static struct err read_page(struct page *p, struct desk_result *out)
{
    const struct desk_job *job = p->job;
    struct tables_query q = {.kind = job->row, .after_id = job->after, .limit = job->limit};
    json_name(&p->j, words[job->row].many);
    json_open(&p->j, '[');
    if (p->tables) TRY(tables_list(p->tables, &q, on_row, p, &out->as_of_seq));
    json_close(&p->j, ']');
    json_name(&p->j, "next");
    if (p->rows < job->limit) {
        json_null(&p->j);
        return NO_ERR;
    }
    char text[24];
    struct buf b = buf_on(text, sizeof text);
    buf_put_u64(&b, p->last_id);
    json_text(&p->j, buf_bytes(&b));
    return NO_ERR;
}

static struct err read_one(struct page *p)
{
    union { uint64_t id; uint8_t room[ROW_SIZE_MAX]; } row;
    const struct desk_job *job = p->job;
    if (!p->tables) return ERR(NOT_FOUND, "");
    if (job->row == ROW_PARTITION) TRY(tables_row(p->tables, ROW_PARTITION, 1, &row));
    else TRY(tables_row_by_code(p->tables, job->row, text_bytes(&job->name), &row));
    json_name(&p->j, words[job->row].one);
    put_row(p, job->row, &row);
    return p->err;
}

struct err declared_read(struct tables *t, const struct desk_job *job, struct desk_result *out)
{
    void *memory = malloc(DESK_BODY_MAX);
    if (!memory) return ERR(FULL, "no memory for the answer");
    struct page p = {.tables = t, .job = job, .body = buf_on(memory, DESK_BODY_MAX)};
    p.j = json_on(&p.body);
    json_open(&p.j, '{');
    struct err e = job->name.len || job->row == ROW_PARTITION ? read_one(&p) : read_page(&p, out);
    json_name(&p.j, "as_of_seq");
    json_u64(&p.j, out->as_of_seq);
    json_close(&p.j, '}');
    if (!e.code && p.body.full) e = ERR(TOO_LARGE, "the page is too long: ask for fewer rows");
    if (e.code) {
        free(memory);
        return e;
    }
    uint8_t *fitting = realloc(memory, p.body.len);
    out->body = fitting ? fitting : memory;
    out->body_len = p.body.len;
    return NO_ERR;
}
