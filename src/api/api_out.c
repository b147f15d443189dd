/* SPDX-License-Identifier: Apache-2.0 */
/* api_out.c: replies and problems leave: one place for their headers, counts and times. */
#include "api/api_inside.h"

enum { PROBLEM_MAX = 8192, HEADERS_MAX = 4 };

static void out(struct api *api, const struct client *client, const struct http_response *r)
{
    if (!client->http) {
        api->counters.replies_gone++;
        return;
    }
    struct http_reply_header headers[HEADERS_MAX + 2] = {
        {"X-Content-Type-Options", bytes_text("nosniff")},
        {"Cache-Control", bytes_text("no-store")},
    };
    struct http_response whole = *r;
    uint32_t count = 2;
    for (uint32_t i = 0; i < r->header_count && i < HEADERS_MAX; i++) headers[count++] = r->headers[i];
    whole.headers = headers;
    whole.header_count = count;
    api->counters.replies++;
    stats_route(&api->stats, client->route, r->status, loop_now_us(api->config.loop) - client->started_us);
    api_trace_end(api, client, r->status);
    struct err e = http_reply(api->http, client->http, &whole);
    if (e.code == ERR_NOT_FOUND) api->counters.replies_gone++;
}

void out_json(struct api *api, const struct client *client, int status, struct bytes body)
{
    out(api, client, &(struct http_response){.status = status, .content_type = "application/json", .body = body});
}

void out_nothing(struct api *api, const struct client *client)
{
    out(api, client, &(struct http_response){.status = 204});
}

static void put_faults(const struct args *args, struct json *j)
{
    json_name(j, "errors");
    json_open(j, '[');
    for (unsigned i = 0; i < args->fault_count && i < ARGS_FAULTS_MAX; i++) {
        json_open(j, '{');
        json_name(j, "field");
        json_literal(j, args->faults[i].field);
        json_name(j, "why");
        json_literal(j, args->faults[i].why);
        json_close(j, '}');
    }
    json_close(j, ']');
}

/* The rest of a problem+json: open for further members until it is sent. */
struct problem { struct buf b; struct json j; int status; char memory[PROBLEM_MAX]; };

static void problem_begin(struct problem *p, const struct client *client, int status, struct err why)
{
    p->b = buf_on(p->memory, sizeof p->memory);
    p->j = json_on(&p->b);
    p->status = status;
    http_problem_open(&p->j, status, why, bytes_of(client->trace_id, sizeof client->trace_id));
}

static void problem_send(struct api *api, const struct client *client, struct problem *p,
                         const struct http_reply_header *header, uint32_t retry_after_s)
{
    json_close(&p->j, '}');
    out(api, client, &(struct http_response){.status = p->status, .content_type = "application/problem+json",
                                             .headers = header, .header_count = header ? 1 : 0,
                                             .retry_after_s = retry_after_s, .body = buf_bytes(&p->b)});
}

static void problem(struct api *api, const struct client *client, int status, struct err why, const struct args *args,
                    const struct http_reply_header *header)
{
    struct problem p;
    problem_begin(&p, client, status, why);
    if (args && args->fault_count) put_faults(args, &p.j);
    problem_send(api, client, &p, header, 0);
}

void out_too_often(struct api *api, const struct client *client, int64_t wait_ms)
{
    struct problem p;
    api->counters.rate_limited++;
    problem_begin(&p, client, 429, ERR(RATE_LIMITED, ""));
    problem_send(api, client, &p, NULL, (uint32_t)((wait_ms + 999) / 1000));
}

void out_too_old(struct api *api, const struct client *client, const struct contacts_app *app)
{
    char memory[64];
    struct buf b = buf_on(memory, sizeof memory);
    struct problem p;
    problem_begin(&p, client, 426, ERR(APP_TOO_OLD, ""));
    json_name(&p.j, "update_url");
    json_text(&p.j, bytes_of(app->url, app->url_len));
    json_name(&p.j, "minimum_build");
    json_i64(&p.j, app->minimum_build);
    buf_put_bytes(&b, text_bytes(&app->name)); /* RFC 9110: a 426 names what to upgrade to */
    buf_put_char(&b, '/');
    buf_put_i64(&b, app->minimum_build);
    struct http_reply_header upgrade = {"Upgrade", buf_bytes(&b)};
    problem_send(api, client, &p, &upgrade, 0);
}

void out_faults(struct api *api, const struct client *client, struct err why, const struct args *args)
{
    int status = err_http(why.code);
    struct http_reply_header bearer = {"WWW-Authenticate", bytes_text("Bearer")};
    struct http_reply_header again = {"Retry-After", bytes_text("1")};
    bool retry = err_retry(why.code) && status != 503 && status != 429; /* those two get it from the server */
    problem(api, client, status, why, args, status == 401 ? &bearer : retry ? &again : NULL);
}

/* What the engine refuses by a code that speaks of one field. */
static const struct { enum err_code code; const char *field; } field_codes[] = {
    {ERR_CITY_UNKNOWN, "city"},       {ERR_TYPE_UNKNOWN, "vehicle_type"}, {ERR_ENTITY_UNKNOWN, "legal_entity"},
    {ERR_COMMAND_UNSUPPORTED, "op"},
};

void out_problem(struct api *api, const struct client *client, struct err why)
{
    struct args args = {.fault_count = 0};
    for (unsigned i = 0; i < sizeof field_codes / sizeof *field_codes; i++) {
        if (field_codes[i].code == why.code) args_fault(&args, field_codes[i].field, err_text(why.code));
    }
    out_faults(api, client, why, &args);
}

void out_no_route(struct api *api, const struct client *client, uint32_t verbs)
{
    char memory[64];
    struct buf b = buf_on(memory, sizeof memory);
    if (!verbs) {
        out_problem(api, client, ERR(NOT_FOUND, "there is nothing at this path"));
        return;
    }
    for (unsigned v = 0; v < HTTP_VERB_N; v++) {
        if (!(verbs >> v & 1)) continue;
        if (b.len) buf_put_text(&b, ", ");
        buf_put_text(&b, route_verb_name(v));
    }
    struct http_reply_header allow = {"Allow", buf_bytes(&b)};
    problem(api, client, 405, ERR(UNSUPPORTED, "this path has other methods"), NULL, &allow);
}
