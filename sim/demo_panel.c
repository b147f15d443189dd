/* SPDX-License-Identifier: Apache-2.0 */
/* demo_panel.c: see demo_panel.h. */
#include "sim/demo_panel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_in.h"
#include "base/json.h"
#include "base/timetext.h"
#include "net/http_text.h"
#include "sim/demo_server.h"
#include "sim/phone.h"

#define ADDRESS "127.0.0.1:0"
#define DEGREE_E7 10000000.0
enum { HEADERS_MAX = 8, DEFAULT_RADIUS_M = 500, DEFAULT_FOR_S = 60 };

struct demo_panel {
    struct demo_panel_config config;
    struct http_server *http;
    struct demo_city *city;
    struct text64 address;
    struct bytes origin;        /* of the request in hand, when it may read the answer */
    char text[DEMO_PANEL_REPLY_MAX];
};

struct route {
    enum http_verb verb;
    const char *path;
    struct err (*fn)(struct demo_panel *p, const struct json_in *body, struct json *out, int *status);
};

static void on_request(void *ctx, const struct http_request *request);
static struct err get_state(struct demo_panel *p, const struct json_in *body, struct json *out, int *status);
static struct err get_codes(struct demo_panel *p, const struct json_in *body, struct json *out, int *status);
static struct err post_district(struct demo_panel *p, const struct json_in *body, struct json *out, int *status);
static struct err post_mend(struct demo_panel *p, const struct json_in *body, struct json *out, int *status);
static struct err post_lose_ack(struct demo_panel *p, const struct json_in *body, struct json *out, int *status);
static struct err post_kill(struct demo_panel *p, const struct json_in *body, struct json *out, int *status);

static const struct route routes[] = {
    {HTTP_VERB_GET, "/state", get_state},        {HTTP_VERB_GET, "/codes", get_codes},
    {HTTP_VERB_POST, "/district", post_district}, {HTTP_VERB_POST, "/mend", post_mend},
    {HTTP_VERB_POST, "/lose-ack", post_lose_ack}, {HTTP_VERB_POST, "/kill", post_kill},
};

struct err demo_panel_create(const struct demo_panel_config *config, struct demo_panel **out)
{
    struct demo_panel *p = calloc(1, sizeof *p);
    struct http_server_config http = {
        .address = bytes_text(ADDRESS),
        .loop_conn_max = config->loop_conn_max,
        .limits = {.conn_max = DEMO_PANEL_CONNS_MAX, .body_max = DEMO_PANEL_BODY_MAX},
        .events = {.ctx = p, .on_request = on_request},
    };

    if (!p) return ERR(IO, "panel: no memory");
    p->config = *config;
    struct err e = http_server_create(config->loop, &http, &p->http);
    if (!e.code) e = http_server_address(p->http, &p->address);
    if (e.code) {
        demo_panel_destroy(p);
        return e;
    }
    *out = p;
    return NO_ERR;
}

void demo_panel_destroy(struct demo_panel *p)
{
    if (!p) return;
    http_server_destroy(p->http);
    free(p);
}

void demo_panel_address(const struct demo_panel *p, struct text64 *out) { *out = p->address; }
void demo_panel_city(struct demo_panel *p, struct demo_city *city) { p->city = city; }

/* ---- who asks ---- */

/* Is `text` this address, by its number or as localhost? */
static bool is_address(struct bytes text, struct bytes address)
{
    static const char number[] = "127.0.0.1:", name[] = "localhost:";

    if (bytes_equal(text, address)) return true;
    if (!bytes_starts(address, number) || !bytes_starts(text, name)) return false;
    return bytes_equal(bytes_of(text.at + strlen(name), text.len - strlen(name)),
                       bytes_of(address.at + strlen(number), address.len - strlen(number)));
}

static bool is_ours(const struct demo_panel *p, struct bytes origin)
{
    const struct demo_figures *f = p->config.figures;

    if (!bytes_starts(origin, "http://")) return false;
    struct bytes host = bytes_of(origin.at + 7, origin.len - 7);
    return is_address(host, text_bytes(&f->http)) || is_address(host, text_bytes(&p->address));
}

static void reply(struct demo_panel *p, uint64_t handle, int status, const char *content_type, struct bytes body)
{
    struct http_reply_header headers[HEADERS_MAX] = {
        {"Vary", bytes_text("Origin")},
        {"Cache-Control", bytes_text("no-store")},
        {"X-Content-Type-Options", bytes_text("nosniff")},
        {"Content-Security-Policy",
         bytes_text("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")},
    };
    struct http_response r = {.status = status, .content_type = content_type, .headers = headers,
                              .header_count = 4, .body = body};

    if (p->origin.len) {
        headers[r.header_count++] = (struct http_reply_header){"Access-Control-Allow-Origin", p->origin};
        headers[r.header_count++] = (struct http_reply_header){"Access-Control-Allow-Methods", bytes_text("GET, POST")};
        headers[r.header_count++] = (struct http_reply_header){"Access-Control-Allow-Headers", bytes_text("content-type")};
    }
    (void)http_reply(p->http, handle, &r);
}

static void reply_problem(struct demo_panel *p, const struct http_request *request, int status, struct err why)
{
    char text[1024];
    struct buf b = buf_on(text, sizeof text);
    struct json j = json_on(&b);

    http_problem_open(&j, status ? status : err_http(why.code), why, request->trace_id);
    json_close(&j, '}');
    reply(p, request->handle, status ? status : err_http(why.code), "application/problem+json", buf_bytes(&b));
}

static void answer(struct demo_panel *p, const struct http_request *request, const struct route *route)
{
    struct buf b = buf_on(p->text, sizeof p->text);
    struct json j = json_on(&b);
    struct json_in *body = NULL;
    struct err e = request->body.len ? json_in_parse(request->body, &body) : NO_ERR;
    int status = 200;

    if (!e.code && !p->city) e = ERR(STATE, "the city is not there yet");
    if (!e.code) {
        json_open(&j, '{');
        e = route->fn(p, body, &j, &status);
        json_close(&j, '}');
    }
    json_in_free(body);
    if (!e.code && b.full) e = ERR(TOO_LARGE, "the answer is too long");
    if (e.code) reply_problem(p, request, 0, e);
    else reply(p, request->handle, status, "application/json", buf_bytes(&b));
}

static void on_request(void *ctx, const struct http_request *request)
{
    struct demo_panel *p = ctx;
    struct bytes origin = http_header_of(request, "origin");
    const struct demo_panel_file *file = demo_panel_file(request->path);
    bool ours = origin.len && is_ours(p, origin), reads = request->verb == HTTP_VERB_GET || request->verb == HTTP_VERB_HEAD;
    const struct route *found = NULL;
    bool path = file;

    p->origin = ours ? origin : bytes_of(NULL, 0);
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (!bytes_equal_text(request->path, routes[i].path)) continue;
        path = true;
        if (routes[i].verb == request->verb || (routes[i].verb == HTTP_VERB_GET && reads)) found = &routes[i];
    }
    /* A name that somebody else's DNS points at us is somebody else's page. */
    if (!is_address(http_header_of(request, "host"), text_bytes(&p->address)))
        reply_problem(p, request, 403, ERR(FORBIDDEN, "this panel answers to 127.0.0.1 and localhost only"));
    else if (!path) reply_problem(p, request, 0, ERR(NOT_FOUND, "the panel has no such path"));
    else if (origin.len && !ours) reply_problem(p, request, 403, ERR(FORBIDDEN, "only the demo's own pages may ask"));
    else if (request->verb == HTTP_VERB_OPTIONS) reply(p, request->handle, 204, NULL, bytes_of(NULL, 0));
    else if (file && reads) reply(p, request->handle, 200, file->content_type, bytes_text(file->text));
    else if (found) answer(p, request, found);
    else reply_problem(p, request, 405, ERR(INVALID, "not with this method"));
    p->origin = bytes_of(NULL, 0);
}

/* ---- the world ---- */

static void put_text(struct json *j, const char *name, const char *text)
{
    json_name(j, name);
    json_literal(j, text);
}

static void put_u64(struct json *j, const char *name, uint64_t value)
{
    json_name(j, name);
    json_u64(j, value);
}

static void put_degrees(struct json *j, const char *name, int32_t e7)
{
    json_name(j, name);
    json_decimal(j, e7, 7);
}

static void put_areas(struct json *j, const char *name, const struct demo_area *at, uint32_t count, int64_t now_ms)
{
    json_name(j, name);
    json_open(j, '[');
    for (uint32_t i = 0; i < count; i++) {
        json_open(j, '{');
        put_degrees(j, "lat", at[i].at.lat_e7);
        put_degrees(j, "lon", at[i].at.lon_e7);
        put_u64(j, "radius_m", at[i].radius_m);
        if (at[i].until_ms) put_u64(j, "left_s", at[i].until_ms > now_ms ? (uint64_t)(at[i].until_ms - now_ms) / 1000 : 0);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_server(struct json *j, const struct demo_figures *f)
{
    json_name(j, "server");
    json_open(j, '{');
    json_name(j, "up");
    json_bool(j, f->up);
    put_u64(j, "restarts", f->outage_count);
    if (f->outage_count) {
        const struct demo_outage *last = &f->outages[(f->outage_count - 1) % DEMO_OUTAGES_MAX];
        put_text(j, "how", last->how);
        put_u64(j, "down_ms", (uint64_t)last->down_ms);
    }
    json_close(j, '}');
}

static void put_hour(struct json *j, const char *name, int64_t ms)
{
    char text[8];
    struct civil at = civil_of_ms(ms);

    snprintf(text, sizeof text, "%02u:%02u", at.hour, at.minute);
    put_text(j, name, text);
}

static void put_place(struct json *j, const struct demo_figures *f)
{
    json_name(j, "city");
    json_open(j, '{');
    put_text(j, "code", f->place->code);
    put_text(j, "name", f->place->name);
    put_degrees(j, "lat", f->place->centre.lat_e7);
    put_degrees(j, "lon", f->place->centre.lon_e7);
    put_text(j, "time_zone", f->place->time_zone);
    put_text(j, "language", f->place->language);
    put_text(j, "currency", f->place->currency);
    json_close(j, '}');
    put_hour(j, "time", f->local_ms);
    put_hour(j, "riders_time", f->riders_ms);
    put_u64(j, "demand_permille", f->demand);
    put_u64(j, "speed", f->speed);
}

static struct err get_state(struct demo_panel *p, const struct json_in *body, struct json *out, int *status)
{
    const struct demo_figures *f = p->config.figures;
    const struct demo_radio *radio = demo_city_radio(p->city);

    (void)body;
    (void)status;
    char http[80];

    snprintf(http, sizeof http, "http://%.*s", f->http.len, f->http.at);
    put_place(out, f);
    put_text(out, "http", http);
    put_server(out, f);
    put_u64(out, "vehicles", f->vehicle_count);
    put_u64(out, "connected", f->connected);
    put_u64(out, "without_network", f->without_network);
    put_u64(out, "riding", f->riding);
    put_u64(out, "completed", f->completed);
    put_u64(out, "failed", f->failed);
    put_u64(out, "acks_to_lose", demo_city_acks_to_lose(p->city));
    put_u64(out, "acks_lost", demo_city_faults(p->city, SIM_VEHICLE_FAULT_LOCK_LOST));
    put_areas(out, "districts", radio->cuts, radio->cut_count, f->sim_ms);
    put_areas(out, "dead_spots", radio->dead, radio->dead_count, f->sim_ms);
    json_name(out, "news");
    json_open(out, '[');
    for (uint32_t i = 0; i < DEMO_PANEL_NEWS && demo_latest(f, i); i++) json_literal(out, demo_latest(f, i)->text);
    json_close(out, ']');
    return NO_ERR;
}

static struct err get_codes(struct demo_panel *p, const struct json_in *body, struct json *out, int *status)
{
    char path[DEMO_PATH_MAX + 32], text[DEMO_PANEL_REPLY_MAX / 2];
    struct json_in *doc = NULL;
    int64_t at_ms;

    (void)body;
    (void)status;
    snprintf(path, sizeof path, "%s/" DEMO_CODES_FILE, p->config.figures->dir);
    FILE *f = fopen(path, "re");
    size_t len = f ? fread(text, 1, sizeof text, f) : 0;
    if (f) fclose(f);
    json_name(out, "codes");
    /* Nobody was sent one yet. What the server wrote is looked at all the same. */
    bool whole = len && len < sizeof text && !json_in_parse(bytes_of(text, len), &doc).code;
    json_in_free(doc);
    struct bytes list = whole ? phone_find(bytes_of(text, len), "messages") : bytes_of(NULL, 0);
    json_open(out, '[');
    for (struct bytes one; demo_watch_next(&list, &one);) {
        if (!bytes_equal_text(phone_find(one, "template"), "sign_in_code")) continue;
        json_open(out, '{');
        json_name(out, "to");
        json_text(out, phone_find(one, "to"));
        json_name(out, "code");
        json_text(out, phone_find(phone_find(one, "params"), "code"));
        json_name(out, "at_ms");
        json_i64(out, phone_find_number(one, "at_ms", &at_ms) ? at_ms : 0);
        json_close(out, '}');
    }
    json_close(out, ']');
    return NO_ERR;
}

/* ---- what is done to it ---- */

static struct err whole_of(const struct json_in *body, const char *name, int64_t low, int64_t high, int64_t *out)
{
    struct json_in_value v;

    if (!body || !json_in_get(body, name, &v)) return NO_ERR; /* keeps its default */
    if (v.kind != JSON_IN_INTEGER || v.number < low || v.number > high)
        return ERR(INVALID, "radius_m is 20 to 20000 metres, for_s 1 to 86400 seconds, whole numbers");
    *out = v.number;
    return NO_ERR;
}

static struct err degrees_of(const struct json_in *body, const char *name, int high, int32_t *out)
{
    struct json_in_value v;

    if (!body || !json_in_get(body, name, &v)) return NO_ERR;
    double degrees = v.kind == JSON_IN_REAL ? v.real : (double)v.number;
    bool number = v.kind == JSON_IN_REAL || v.kind == JSON_IN_INTEGER;
    if (!number || !(degrees >= -high && degrees <= high)) return ERR(INVALID, "lat and lon are degrees");
    *out = (int32_t)(degrees * DEGREE_E7);
    return NO_ERR;
}

static struct err post_district(struct demo_panel *p, const struct json_in *body, struct json *out, int *status)
{
    struct point at = p->config.figures->place->centre;
    int64_t radius_m = DEFAULT_RADIUS_M, for_s = DEFAULT_FOR_S;
    uint32_t inside;

    (void)status;
    TRY(degrees_of(body, "lat", 90, &at.lat_e7));
    TRY(degrees_of(body, "lon", 180, &at.lon_e7));
    TRY(whole_of(body, "radius_m", DEMO_CUT_RADIUS_MIN_M, DEMO_CUT_RADIUS_MAX_M, &radius_m));
    TRY(whole_of(body, "for_s", 1, DEMO_CUT_MAX_S, &for_s));
    TRY(demo_city_cut(p->city, at, (uint32_t)radius_m, (uint32_t)for_s, &inside));
    put_degrees(out, "lat", at.lat_e7);
    put_degrees(out, "lon", at.lon_e7);
    put_u64(out, "radius_m", (uint64_t)radius_m);
    put_u64(out, "for_s", (uint64_t)for_s);
    put_u64(out, "vehicles", inside);
    return NO_ERR;
}

static struct err post_mend(struct demo_panel *p, const struct json_in *body, struct json *out, int *status)
{
    (void)body;
    (void)status;
    put_u64(out, "mended", demo_city_mend(p->city));
    return NO_ERR;
}

static struct err post_lose_ack(struct demo_panel *p, const struct json_in *body, struct json *out, int *status)
{
    struct json_in_value v = {.kind = JSON_IN_NULL};

    (void)status;
    bool named = body && json_in_get(body, "vehicle", &v) && v.kind != JSON_IN_NULL;
    if (named && v.kind != JSON_IN_TEXT) return ERR(INVALID, "vehicle is a public code");
    TRY(demo_city_lose_ack(p->city, named ? v.text : bytes_of(NULL, 0)));
    put_u64(out, "acks_to_lose", demo_city_acks_to_lose(p->city));
    return NO_ERR;
}

static struct err post_kill(struct demo_panel *p, const struct json_in *body, struct json *out, int *status)
{
    (void)body;
    if (!p->config.kill_server(p->config.ctx)) return ERR(STATE, "the server is down already");
    json_name(out, "killed");
    json_bool(out, true);
    *status = 202;
    return NO_ERR;
}
