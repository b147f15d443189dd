/* SPDX-License-Identifier: Apache-2.0 */
/* desk_jobs.c: see desk_jobs.h. */
#include "api/desk_jobs.h"

#include <stdlib.h>
#include <string.h>

#include "api/api_json.h"
#include "api/declared.h"
#include "base/must.h"

/* A page under construction. */
struct page {
    struct tables *tables;
    const struct desk_job *job;
    struct json j;
    struct buf body;
    unsigned rows;
    uint64_t last_id, last_seq;
    uint32_t last_part;
};

static struct err open_tables(struct desk_tables *t, struct tables **out);
static struct err do_job(struct tables *t, const struct desk_job *job, struct desk_result *out);
static struct err page_begin(struct page *p, struct tables *t, const struct desk_job *job, const char *name);
static struct err feed_end(struct page *p, struct err e, struct desk_result *out);

void desk_tables_init(struct desk_tables *t, const struct desk_options *options)
{
    *t = (struct desk_tables){.options = *options};
}

void desk_tables_fini(struct desk_tables *t)
{
    if (t->open) tables_close(&t->own);
    t->open = false;
}

/* Nothing was ever written: every list is empty and nothing is found. */
static void nothing_yet(const struct desk_job *job, struct desk_result *out)
{
    static const char *const empty[DESK_JOB_KIND_N] = {
        [DESK_VEHICLES] = "{\"vehicles\":[],\"next\":null,\"as_of_seq\":0}",
        [DESK_RIDERS] = "{\"riders\":[],\"next\":null,\"as_of_seq\":0}",
        [DESK_RIDES] = "{\"rides\":[],\"next\":null,\"as_of_seq\":0}",
        [DESK_QUARANTINE] = "{\"devices\":[],\"next\":null,\"as_of_seq\":0}",
    };
    if (job->kind == DESK_PICK) return; /* none */
    if (job->kind == DESK_DECLARED) {
        out->err = declared_read(NULL, job, out);
        return;
    }
    if (job->kind == DESK_EVENTS) {
        struct page page;
        out->place = (struct feed_place){.seq = job->after, .part = job->after_part};
        out->err = page_begin(&page, NULL, job, "events");
        if (!out->err.code) out->err = feed_end(&page, NO_ERR, out);
        return;
    }
    if (!empty[job->kind]) {
        out->err = ERR(NOT_FOUND, "");
        return;
    }
    out->body_len = strlen(empty[job->kind]);
    out->body = malloc(out->body_len);
    if (out->body) memcpy(out->body, empty[job->kind], out->body_len);
    else out->err = ERR(FULL, "no memory for the answer");
}

void desk_do(struct desk_tables *t, const struct desk_job *job, struct desk_result *out)
{
    struct tables *tables = NULL;
    must(job->kind && job->kind < DESK_JOB_KIND_N);
    memset(out, 0, sizeof *out);
    out->ticket = job->ticket;
    out->kind = job->kind;
    out->err = open_tables(t, &tables);
    if (!out->err.code) out->err = tables_seq(tables, &out->as_of_seq);
    else if (out->err.code == ERR_NOT_FOUND) {
        out->err = NO_ERR;
        out->behind = job->min_seq > 0;
        if (!out->behind) nothing_yet(job, out);
        return;
    }
    if (!out->err.code && out->as_of_seq < job->min_seq) {
        out->behind = true;
        return;
    }
    if (!out->err.code) out->err = do_job(tables, job, out);
    bool broken = out->err.code == ERR_IO || out->err.code == ERR_CORRUPT;
    if (broken && t->open) desk_tables_fini(t); /* the next job tries afresh */
}

static struct err open_tables(struct desk_tables *t, struct tables **out)
{
    *out = t->options.shared ? t->options.shared : &t->own;
    if (t->options.shared || t->open) return NO_ERR;
    struct tables_options options = {.vfs = t->options.vfs, .operator_id = t->options.operator_id, .read_only = true};
    struct err e = tables_open(&t->own, t->options.path, &options);
    if (e.code) tables_close(&t->own);
    t->open = !e.code;
    return e;
}

/* ---- single rows ---- */

static struct err find_vehicle(struct tables *t, struct bytes code, struct vehicle *out)
{
    struct public_code row;
    TRY(tables_row_by_code(t, ROW_PUBLIC_CODE, code, &row));
    return tables_row(t, ROW_VEHICLE, row.vehicle_id, out);
}

static struct err find_device(struct tables *t, const struct vehicle *v, struct device *out)
{
    memset(out, 0, sizeof *out);
    if (!v->device_id) return NO_ERR;
    struct err e = tables_row(t, ROW_DEVICE, v->device_id, out);
    if (e.code) memset(out, 0, sizeof *out);
    return e.code == ERR_NOT_FOUND ? NO_ERR : e;
}

static struct err find_city(struct tables *t, uint64_t id, struct text32 *code)
{
    struct city city;
    *code = (struct text32){0};
    if (!id) return NO_ERR;
    struct err e = tables_row(t, ROW_CITY, id, &city);
    if (!e.code) *code = city.code;
    return e.code == ERR_NOT_FOUND ? NO_ERR : e;
}

static struct err city_of_command(struct tables *t, const struct command *c, struct text32 *code)
{
    struct vehicle vehicle;
    struct err e = tables_row(t, ROW_VEHICLE, c->vehicle_id, &vehicle);
    if (e.code) return e.code == ERR_NOT_FOUND ? NO_ERR : e;
    return find_city(t, vehicle.city_id, code);
}

/* ---- whose cities ---- */

/* A scope's cities by their numbers. */
struct reach { uint64_t ids[SCOPE_CITIES_MAX]; unsigned count; bool everywhere; };

static struct err reach_of(struct tables *t, const struct desk_job *job, struct reach *out)
{
    *out = (struct reach){.everywhere = !job->scope};
    for (unsigned i = 0; job->scope && i < job->scope->count; i++) {
        struct city city;
        struct err e = tables_row_by_code(t, ROW_CITY, text_bytes(&job->scope->cities[i]), &city);
        if (!e.code) out->ids[out->count++] = city.id;
        else if (e.code != ERR_NOT_FOUND) return e;
    }
    return NO_ERR;
}

/* NOT_FOUND when that city is not the caller's to see. */
static struct err reaches(struct tables *t, const struct desk_job *job, uint64_t city_id)
{
    struct reach reach;
    TRY(reach_of(t, job, &reach));
    for (unsigned i = 0; i < reach.count; i++) {
        if (reach.ids[i] == city_id) return NO_ERR;
    }
    return reach.everywhere ? NO_ERR : ERR(NOT_FOUND, "");
}

/* ---- pages ---- */

static struct err page_begin(struct page *p, struct tables *t, const struct desk_job *job, const char *name)
{
    uint8_t *memory = malloc(DESK_BODY_MAX);
    if (!memory) return ERR(FULL, "no memory for the answer");
    *p = (struct page){.tables = t, .job = job, .body = buf_on(memory, DESK_BODY_MAX)};
    p->j = json_on(&p->body);
    json_open(&p->j, '{');
    json_name(&p->j, name);
    json_open(&p->j, '[');
    return NO_ERR;
}

static void put_next(struct page *p)
{
    char text[40];
    struct buf b = buf_on(text, sizeof text);
    json_name(&p->j, "next");
    if (p->rows < p->job->limit) {
        json_null(&p->j);
        return;
    }
    if (p->last_seq) api_put_event_id(&b, p->last_seq, p->last_part);
    else buf_put_u64(&b, p->last_id);
    json_text(&p->j, buf_bytes(&b));
}

/* Hands the body over, or frees it. */
static struct err page_finish(struct page *p, struct err e, struct desk_result *out)
{
    json_name(&p->j, "as_of_seq");
    json_u64(&p->j, out->as_of_seq);
    json_close(&p->j, '}');
    if (!e.code && p->body.full) e = ERR(TOO_LARGE, "the page is too long: ask for fewer rows");
    if (e.code) {
        free(p->body.at);
        return e;
    }
    uint8_t *fitting = realloc(p->body.at, p->body.len);
    out->body = fitting ? fitting : p->body.at;
    out->body_len = p->body.len;
    return NO_ERR;
}

static struct err page_end(struct page *p, struct err e, struct desk_result *out)
{
    json_close(&p->j, ']');
    put_next(p);
    return page_finish(p, e, out);
}

/* The feed's cursor is given always: who reads it comes back with it for ever. */
static struct err feed_end(struct page *p, struct err e, struct desk_result *out)
{
    char text[40];
    struct buf b = buf_on(text, sizeof text);
    json_close(&p->j, ']');
    json_name(&p->j, "next");
    api_put_event_id(&b, out->place.seq, out->place.part);
    json_text(&p->j, buf_bytes(&b));
    json_name(&p->j, "more");
    json_bool(&p->j, out->place.more);
    return page_finish(p, e, out);
}

static struct err on_row(void *ctx, enum row_kind kind, const void *row)
{
    struct page *p = ctx;
    struct device device;
    memcpy(&p->last_id, row, sizeof p->last_id);
    p->rows++;
    if (kind == ROW_RIDE) {
        api_json_ride(row, p->job->sight, &p->j);
    } else if (kind == ROW_RIDER) {
        api_json_rider(row, p->job->sight, &p->j);
    } else if (kind == ROW_QUARANTINE) {
        api_json_quarantine(row, p->job->sight, &p->j);
    } else {
        TRY(find_device(p->tables, row, &device));
        api_json_vehicle(row, &device, p->job->sight, &p->j);
    }
    return NO_ERR;
}

static struct err on_event(void *ctx, const struct event *event)
{
    struct page *p = ctx;
    p->last_seq = event->seq;
    p->last_part = event->part;
    p->rows++;
    api_json_event(event, p->job->sight, &p->j);
    return NO_ERR;
}

static struct tables_filter *filter_number(struct tables_query *q, enum row_kind kind, size_t offset, int64_t value)
{
    for (unsigned i = 0; i < row_shapes[kind].count; i++) {
        const struct field *f = &row_shapes[kind].fields[i];
        if (f->offset != offset) continue;
        must(q->filter_count < TABLES_FILTERS_MAX);
        struct tables_filter *filter = &q->filters[q->filter_count++];
        *filter = (struct tables_filter){.field = f->number, .number = value, .of = kind == q->kind ? 0 : (uint8_t)kind};
        return filter;
    }
    must(!"a filter on a field that the row does not have");
    return NULL;
}

#define FILTER(q, KIND, tag, member, value)                                                            \
    filter_number((q), KIND, offsetof(struct tag, member), (value))

/* `reach` must live as long as the query. */
static struct err only_reached(struct tables *t, const struct desk_job *job, struct reach *reach, struct tables_query *q)
{
    TRY(reach_of(t, job, reach));
    if (reach->everywhere || q->kind == ROW_QUARANTINE) return NO_ERR;
    q->city_ids = reach->ids;
    q->city_count = reach->count;
    return NO_ERR;
}

static struct err list(struct tables *t, const struct desk_job *job, struct tables_query *q, const char *name,
                       struct desk_result *out)
{
    struct page page;
    struct reach reach;
    TRY(only_reached(t, job, &reach, q));
    q->after_id = job->after;
    q->limit = job->limit;
    TRY(page_begin(&page, t, job, name));
    return page_end(&page, tables_list(t, q, on_row, &page, &out->as_of_seq), out);
}

/* What is filtered by their devices and codes. */
static void filter_linked(struct tables_query *q, const struct desk_job *job)
{
    if (job->by_battery) {
        FILTER(q, ROW_DEVICE, device, has_battery, 1);
        FILTER(q, ROW_DEVICE, device, battery_pct, job->battery_max_pct)->how = FILTER_AT_MOST;
    }
    if (job->heard_before_ms) FILTER(q, ROW_DEVICE, device, seen_ms, job->heard_before_ms)->how = FILTER_AT_MOST;
    if (!job->prefix.len) return;
    struct tables_filter *code = FILTER(q, ROW_PUBLIC_CODE, public_code, code, 0);
    code->how = FILTER_BEGINS;
    code->text = text_bytes(&job->prefix);
}

static struct err vehicles_query(struct tables *t, const struct desk_job *job, struct tables_query *q)
{
    *q = (struct tables_query){.kind = ROW_VEHICLE};
    if (job->state) FILTER(q, ROW_VEHICLE, vehicle, state, job->state);
    if (job->city.len) {
        struct city city;
        struct err e = tables_row_by_code(t, ROW_CITY, text_bytes(&job->city), &city);
        if (e.code == ERR_NOT_FOUND || !scope_has(job->scope, text_bytes(&job->city))) return ERR(CITY_UNKNOWN, "");
        TRY(e);
        FILTER(q, ROW_VEHICLE, vehicle, city_id, (int64_t)city.id);
    }
    if (job->vehicle_type.len) {
        struct vehicle_type type;
        struct err e = tables_row_by_code(t, ROW_VEHICLE_TYPE, text_bytes(&job->vehicle_type), &type);
        if (e.code == ERR_NOT_FOUND) return ERR(TYPE_UNKNOWN, "");
        TRY(e);
        FILTER(q, ROW_VEHICLE, vehicle, type_id, (int64_t)type.id);
    }
    if (job->damaged) FILTER(q, ROW_VEHICLE, vehicle, damage, job->damaged == DAMAGED_YES)->how = FILTER_SET;
    filter_linked(q, job);
    return NO_ERR;
}

static struct err list_vehicles(struct tables *t, const struct desk_job *job, struct desk_result *out)
{
    struct tables_query q;
    TRY(vehicles_query(t, job, &q));
    return list(t, job, &q, "vehicles", out);
}

struct picked { struct text16 *at; unsigned count, room; };

static struct err on_picked(void *ctx, enum row_kind kind, const void *row)
{
    struct picked *p = ctx;
    must(kind == ROW_VEHICLE && p->count < p->room);
    p->at[p->count++] = ((const struct vehicle *)row)->code;
    return NO_ERR;
}

static struct err pick(struct tables *t, const struct desk_job *job, struct desk_result *out)
{
    struct tables_query q;
    TRY(vehicles_query(t, job, &q));
    struct reach reach;
    TRY(only_reached(t, job, &reach, &q));
    struct picked picked = {.at = calloc(job->limit, sizeof(struct text16)), .room = job->limit};
    q.limit = job->limit;
    if (!picked.at) return ERR(FULL, "no memory for the answer");
    struct err e = tables_list(t, &q, on_picked, &picked, &out->as_of_seq);
    out->rows = picked.count;
    out->body = (uint8_t *)picked.at;
    out->body_len = picked.count * sizeof *picked.at;
    return e;
}

static struct err list_rides(struct tables *t, const struct desk_job *job, struct desk_result *out)
{
    struct tables_query q = {.kind = ROW_RIDE, .newest_first = true};
    if (job->state) FILTER(&q, ROW_RIDE, ride, state, job->state);
    if (job->rider_id) FILTER(&q, ROW_RIDE, ride, rider_id, (int64_t)job->rider_id);
    return list(t, job, &q, "rides", out);
}

static struct err list_riders(struct tables *t, const struct desk_job *job, struct desk_result *out)
{
    struct tables_query q = {.kind = ROW_RIDER};
    if (job->state) FILTER(&q, ROW_RIDER, rider, state, job->state);
    return list(t, job, &q, "riders", out);
}

static struct err timeline(struct tables *t, const struct desk_job *job, enum timeline_of of, uint64_t id,
                           struct desk_result *out)
{
    struct page page;
    struct timeline_query q = {.of = of, .id = id, .before_seq = job->after, .before_part = job->before_part,
                               .limit = job->limit};
    TRY(page_begin(&page, t, job, "events"));
    return page_end(&page, tables_timeline(t, &q, on_event, &page, &out->as_of_seq), out);
}

static struct err feed(struct tables *t, const struct desk_job *job, struct desk_result *out)
{
    struct page page;
    struct city city = {0};
    if (job->city.len) {
        struct err e = tables_row_by_code(t, ROW_CITY, text_bytes(&job->city), &city);
        if (e.code && e.code != ERR_NOT_FOUND) return e;
        if (e.code || !scope_has(job->scope, text_bytes(&job->city))) return ERR(CITY_UNKNOWN, "");
    }
    struct reach reach;
    TRY(reach_of(t, job, &reach));
    struct feed_query q = {.after_seq = job->after, .after_part = job->after_part, .kinds = job->kinds, .city_id = city.id,
                           .city_ids = reach.everywhere ? NULL : reach.ids, .city_count = reach.count,
                           .limit = job->limit};
    TRY(page_begin(&page, t, job, "events"));
    struct err e = tables_feed(t, &q, on_event, &page, &out->place);
    out->as_of_seq = out->place.as_of_seq;
    out->rows = page.rows;
    return feed_end(&page, e, out);
}

static struct err do_job(struct tables *t, const struct desk_job *job, struct desk_result *out)
{
    struct tables_query q = {.kind = ROW_QUARANTINE};
    struct vehicle vehicle;
    struct ride ride;
    struct city city;
    switch ((enum desk_job_kind)job->kind) {
    case DESK_RIDE:
        TRY(tables_row_by_uuid(t, ROW_RIDE, job->uuid, &out->ride));
        return find_city(t, out->ride.city_id, &out->city);
    case DESK_COMMAND:
        TRY(tables_row_by_uuid(t, ROW_COMMAND, job->uuid, &out->command));
        return city_of_command(t, &out->command, &out->city);
    case DESK_RIDER:
        TRY(tables_row_by_uuid(t, ROW_RIDER, job->uuid, &out->rider));
        return find_city(t, out->rider.city_id, &out->city);
    case DESK_VEHICLE:
        TRY(find_vehicle(t, text_bytes(&job->code), &out->vehicle));
        TRY(find_city(t, out->vehicle.city_id, &out->city));
        return find_device(t, &out->vehicle, &out->device);
    case DESK_VEHICLES: return list_vehicles(t, job, out);
    case DESK_PICK: return pick(t, job, out);
    case DESK_RIDES: return list_rides(t, job, out);
    case DESK_RIDERS: return list_riders(t, job, out);
    case DESK_VEHICLE_TIMELINE:
        TRY(find_vehicle(t, text_bytes(&job->code), &vehicle));
        TRY(reaches(t, job, vehicle.city_id));
        return timeline(t, job, TIMELINE_VEHICLE, vehicle.id, out);
    case DESK_RIDE_TIMELINE:
        TRY(tables_row_by_uuid(t, ROW_RIDE, job->uuid, &ride));
        TRY(reaches(t, job, ride.city_id));
        return timeline(t, job, TIMELINE_RIDE, ride.id, out);
    case DESK_QUARANTINE: return list(t, job, &q, "devices", out);
    case DESK_EVENTS: return feed(t, job, out);
    case DESK_DECLARED: return declared_read(t, job, out);
    case DESK_CITY: return tables_row_by_code(t, ROW_CITY, text_bytes(&job->city), &city);
    case DESK_JOB_KIND_N: break;
    }
    must(!"a job of no kind");
    return NO_ERR;
}
