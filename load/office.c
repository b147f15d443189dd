/* SPDX-License-Identifier: Apache-2.0 */
#include "load/office.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "load/wire.h"
#include "net/http_client.h"
#include "net/loop_epoll.h"

enum { TARGET_MAX = 256, BODY_MAX = 320, AUTHORIZATION_MAX = 256, REPLY_MAX = 4 << 20, PAGE = 1000 };

static const struct { const char *target, *body; } settings[] = {
    {"/v1/legal-entities/load", "{\"name\":\"Load\",\"currency\":\"SEK\",\"decimals\":2}"},
    {"/v1/cities/load", "{\"name\":\"Load\",\"legal_entity\":\"load\",\"time_zone\":\"UTC\",\"lat\":57.7,\"lon\":11.9}"},
    {"/v1/vehicle-types/load", "{\"name\":\"Horseshoe lock\",\"heartbeat_s\":3600,\"motor\":false}"},
    {"/v1/plans/load",
     "{\"name\":\"Load\",\"city\":\"load\",\"vehicle_type\":\"load\",\"unlock_minor\":100,\"minute_minor\":10}"},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

struct desk { struct office *office; struct http_client *client; };

struct office {
    const struct office_options *options;
    struct loop *loop;
    struct desk desks[OFFICE_CLIENTS];
    char authorization[AUTHORIZATION_MAX], *why;
    uint32_t next, done, end;      /* of the declarations: settings first, then vehicles */
    office_vehicle_fn *fn;
    void *ctx;
    char after[TARGET_MAX];        /* cursor of the page that is asked for */
    bool failed, listed, fit;
    uint64_t answers;
};

static void send(struct office *o, struct desk *d, const char *method, const char *target, const char *body)
{
    struct http_reply_header headers[] = {{"Authorization", bytes_text(o->authorization)},
                                          {"Paddock-App", bytes_text("load/1")},
                                          {"Idempotency-Key", bytes_text(target)}}; /* once for each vehicle */
    struct http_client_request request = {
        .method = method, .target = bytes_text(target), .headers = headers, .header_count = *method == 'P' ? 3 : 2,
        .body = bytes_text(body), .content_type = *body ? "application/json" : NULL};
    struct err e = http_client_send(d->client, &request);
    if (!e.code) return;
    o->failed = true;
    snprintf(o->why, OFFICE_TEXT_MAX, "%s %s: %s", method, target, e.why);
}

static void fit_next(struct office *o, struct desk *d)
{
    char target[TARGET_MAX];
    if (o->next >= o->end || o->failed) return;
    struct text16 code = wire_code(o->options->first + o->next++);
    snprintf(target, sizeof target, "/v1/vehicles/%.*s/events", (int)code.len, code.at);
    send(o, d, "POST", target, "{\"event\":\"provider_drop_off\"}");
}

static void declare_next(struct office *o, struct desk *d)
{
    char target[TARGET_MAX], body[BODY_MAX];
    uint32_t i = o->next;
    if (i >= o->end || o->failed) return;
    if (i < SETTINGS) {
        if (o->done < i) return; /* each stands on the one before */
        o->next++;
        send(o, d, "PUT", settings[i].target, settings[i].body);
        return;
    }
    if (o->done < SETTINGS) return;
    o->next++;
    uint32_t number = o->options->first + i - SETTINGS;
    struct wire_vehicle v = wire_vehicle(number);
    struct text16 code = wire_code(number);
    snprintf(target, sizeof target, "/v1/vehicles/%.*s", (int)code.len, code.at);
    snprintf(body, sizeof body, "{\"city\":\"load\",\"vehicle_type\":\"load\",\"protocol\":\"omni\",\"device\":\"%.*s\"}",
             (int)v.ident.len, v.ident.at);
    send(o, d, "PUT", target, body);
}

static void ask_page(struct office *o, struct desk *d)
{
    char target[TARGET_MAX * 2];
    snprintf(target, sizeof target, "/v1/vehicles?city=load&limit=%d%s%s", PAGE, *o->after ? "&after=" : "", o->after);
    send(o, d, "GET", target, "");
}

static void on_reply(void *ctx, struct http_client *client, const struct http_client_reply *reply)
{
    struct desk *d = ctx;
    struct office *o = d->office;
    (void)client;
    o->answers++;
    bool already = o->fit && reply->status == 409; /* no such step from where it is: it was dropped off before */
    if (reply->status / 100 != 2 && !already && !o->failed) {
        o->failed = true;
        snprintf(o->why, OFFICE_TEXT_MAX, "the API answers %d: %.*s", reply->status,
                 (int)(reply->body.len < 180 ? reply->body.len : 180), (const char *)reply->body.at);
    }
    if (o->failed) return;
    if (!o->fn) {
        o->done++;
        /* The last setting opens the gate for everybody. */
        for (unsigned i = 0; i < OFFICE_CLIENTS; i++) {
            if (!http_client_is_busy(o->desks[i].client)) (o->fit ? fit_next : declare_next)(o, &o->desks[i]);
        }
        return;
    }
    struct bytes next = office_page(o->options, reply->body, o->fn, o->ctx);
    if (!next.len || next.len >= sizeof o->after) {
        o->listed = true;
        return;
    }
    memcpy(o->after, next.at, next.len);
    o->after[next.len] = 0;
    ask_page(o, d);
}

static void on_failed(void *ctx, struct http_client *client, struct err why)
{
    struct office *o = ((struct desk *)ctx)->office;
    (void)client;
    if (!o->failed) snprintf(o->why, OFFICE_TEXT_MAX, "the API does not answer: %s", why.why);
    o->failed = true;
}

static struct err office_open(struct office *o, const struct office_options *options, char *why)
{
    *o = (struct office){.options = options, .why = why};
    *why = 0;
    snprintf(o->authorization, sizeof o->authorization, "Bearer %.*s", (int)options->token.len,
             (const char *)options->token.at);
    TRY(loop_epoll_create(&(struct loop_config){.conn_max = OFFICE_CLIENTS}, &o->loop));
    for (unsigned i = 0; i < OFFICE_CLIENTS; i++) {
        o->desks[i].office = o;
        struct http_client_config config = {
            .address = options->address, .reply_max = REPLY_MAX, .timeout_ms = OFFICE_PATIENCE_MS,
            .events = {.ctx = &o->desks[i], .on_reply = on_reply, .on_failed = on_failed}};
        TRY(http_client_create(o->loop, &config, &o->desks[i].client));
    }
    return NO_ERR;
}

static void office_close(struct office *o)
{
    for (unsigned i = 0; i < OFFICE_CLIENTS; i++) http_client_destroy(o->desks[i].client);
    loop_destroy(o->loop);
}

/* Turns until `o` is through; silence on every line ends it too. */
static struct err office_work(struct office *o, bool (*through)(const struct office *o))
{
    uint64_t seen = 0;
    int64_t heard_ms = loop_now_ms(o->loop);
    while (!o->failed && !through(o)) {
        TRY(loop_turn(o->loop, 100));
        if (o->answers != seen) heard_ms = loop_now_ms(o->loop);
        seen = o->answers;
        if (o->options->stop && *o->options->stop && !through(o)) return ERR(STATE, "stopped");
        if (loop_now_ms(o->loop) - heard_ms <= OFFICE_PATIENCE_MS + 1000) continue;
        snprintf(o->why, OFFICE_TEXT_MAX, "the API says nothing");
        o->failed = true;
    }
    return o->failed ? ERR(IO, "the API refused or was not there") : NO_ERR;
}

static bool all_declared(const struct office *o) { return o->done == o->end; }
static bool all_listed(const struct office *o) { return o->listed; }

struct err office_declare(const struct office_options *options, char *why)
{
    struct office o;
    struct err e = office_open(&o, options, why);
    if (!e.code) {
        o.end = SETTINGS + options->count;
        declare_next(&o, &o.desks[0]);
        e = office_work(&o, all_declared);
    }
    office_close(&o);
    return e;
}

struct err office_make_fit(const struct office_options *options, char *why)
{
    struct office o;
    struct err e = office_open(&o, options, why);
    if (!e.code) {
        o.end = options->count;
        o.fit = true;
        for (unsigned i = 0; i < OFFICE_CLIENTS; i++) fit_next(&o, &o.desks[i]);
        e = office_work(&o, all_declared);
    }
    office_close(&o);
    return e;
}

struct err office_list(const struct office_options *options, office_vehicle_fn *fn, void *ctx, char *why)
{
    struct office o;
    struct err e = office_open(&o, options, why);
    if (!e.code) {
        o.fn = fn;
        o.ctx = ctx;
        ask_page(&o, &o.desks[0]);
        e = office_work(&o, all_listed);
    }
    office_close(&o);
    return e;
}

/* ---- reading a page ---- */

/* The text behind the first `what`; empty when it is not there. */
static struct bytes behind(struct bytes in, const char *what)
{
    const uint8_t *at = in.len ? memmem(in.at, in.len, what, strlen(what)) : NULL;
    if (!at) return bytes_of(NULL, 0);
    at += strlen(what);
    return bytes_of(at, in.len - (size_t)(at - in.at));
}

static bool degrees(struct bytes in, const char *name, int64_t *out)
{
    struct bytes value = behind(in, name);
    size_t len = 0;
    while (len < value.len && value.at[len] != ',' && value.at[len] != '}') len++;
    return !bytes_scaled(bytes_of(value.at, len), 7, out).code;
}

struct bytes office_page(const struct office_options *o, struct bytes body, office_vehicle_fn *fn, void *ctx)
{
    static const char code[] = "\"code\":\"L";
    struct bytes rest = behind(body, code);
    while (rest.len) {
        struct bytes following = behind(rest, code);
        struct bytes one = bytes_of(rest.at, following.len ? rest.len - following.len : rest.len);
        uint64_t number;
        int64_t lat_e7 = 0, lon_e7 = 0;
        size_t len = bytes_find(one, '"');
        if (!bytes_u64(bytes_of(one.at, len), 9, &number).code && number >= o->first && number - o->first < o->count) {
            bool has = degrees(one, "\"lat\":", &lat_e7) && degrees(one, "\"lon\":", &lon_e7);
            fn(ctx, (uint32_t)number, has, lat_e7, lon_e7);
        }
        rest = following;
    }
    struct bytes next = behind(body, "\"next\":\"");
    return bytes_of(next.at, next.len ? bytes_find(next, '"') : 0);
}
