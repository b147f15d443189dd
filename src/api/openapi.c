/* SPDX-License-Identifier: Apache-2.0 */
/* openapi.c: see openapi.h: the document, its paths and its answers. */
#include "api/openapi.h"

#include <stdio.h>
#include <string.h>

#include "api/openapi_inside.h"

void openapi_text(struct json *j, const char *name, const char *text)
{
    json_name(j, name);
    json_literal(j, text);
}

void openapi_ref(struct json *j, const char *kind, const char *name)
{
    char memory[128];
    struct buf b = buf_on(memory, sizeof memory);
    buf_put_text(&b, "#/components/");
    buf_put_text(&b, kind);
    buf_put_char(&b, '/');
    contract_put_type(&b, name);
    json_name(j, "$ref");
    json_text(j, buf_bytes(&b));
}

static void put_ref_item(struct json *j, const char *kind, const char *name)
{
    json_open(j, '{');
    openapi_ref(j, kind, name);
    json_close(j, '}');
}

static void put_info(struct json *j)
{
    openapi_text(j, "openapi", "3.1.0");
    json_name(j, "info");
    json_open(j, '{');
    openapi_text(j, "title", "Paddock");
    openapi_text(j, "version", CONTRACT_VERSION);
    openapi_text(j, "summary", "Runs a shared fleet of bikes and scooters");
    openapi_text(j, "description",
                 "Everything that riders and staff can ask of a Paddock server. Answers are told once they are durable. Times "
                 "are whole milliseconds since 1970 UTC, money is in the currency's smallest coin, positions are decimal "
                 "degrees. Answers may gain members: ignore what you do not know. Requests may not: a field that is not "
                 "described here is refused by name.");
    json_name(j, "license");
    json_open(j, '{');
    openapi_text(j, "name", "Apache-2.0");
    openapi_text(j, "identifier", "Apache-2.0");
    json_close(j, '}');
    json_close(j, '}');
    json_name(j, "servers");
    json_open(j, '[');
    json_open(j, '{');
    openapi_text(j, "url", "/");
    openapi_text(j, "description", "the server that this document is from");
    json_close(j, '}');
    json_close(j, ']');
}

static void put_tags(struct json *j)
{
    json_name(j, "tags");
    json_open(j, '[');
    for (unsigned tag = 0; tag < TAG_N; tag++) {
        bool used = false;
        for (unsigned i = 0; i < route_count; i++) used = used || routes[i].tag == tag;
        if (!used) continue;
        json_open(j, '{');
        openapi_text(j, "name", route_tags[tag].name);
        openapi_text(j, "description", route_tags[tag].doc);
        json_close(j, '}');
    }
    json_close(j, ']');
}

/* ---- one operation ---- */

static void put_roles(struct json *j, const struct route *route)
{
    if (route->flags & ROUTE_PUBLIC) {
        json_name(j, "security");
        json_open(j, '[');
        json_close(j, ']');
        return;
    }
    openapi_text(j, "x-scope", route_scope_names[route->scope]);
    json_name(j, "x-roles");
    json_open(j, '[');
    for (unsigned role = 1; role < AUTH_ROLE_N; role++) {
        if (route->roles >> role & 1) json_literal(j, auth_role_names.names[role]);
    }
    json_close(j, ']');
}

static void put_parameters(struct json *j, const struct route *route)
{
    json_name(j, "parameters");
    json_open(j, '[');
    for (unsigned a = 0; a < route->arg_count; a++) {
        const struct arg_row *row = &route->args[a];
        if (row->where == IN_BODY) continue;
        json_open(j, '{');
        openapi_text(j, "name", row->name);
        openapi_text(j, "in", row->where == IN_PATH ? "path" : "query");
        json_name(j, "required");
        json_bool(j, row->where == IN_PATH || row->required);
        openapi_text(j, "description", row->doc);
        json_name(j, "schema");
        openapi_arg_schema(j, row);
        json_close(j, '}');
    }
    if (route->keyed) put_ref_item(j, "parameters", "IdempotencyKey");
    if (route->flags & ROUTE_STREAM) put_ref_item(j, "parameters", "LastEventID");
    if (!(route->flags & ROUTE_PUBLIC)) put_ref_item(j, "parameters", "PaddockApp");
    json_close(j, ']');
}

static void put_body(struct json *j, const struct route *route)
{
    char memory[64];
    struct buf name = buf_on(memory, sizeof memory - 1);
    if (!contract_has(route, IN_BODY)) return;
    contract_put_type(&name, route->id);
    buf_put_text(&name, "Body");
    memory[name.len] = 0;
    json_name(j, "requestBody");
    json_open(j, '{');
    json_name(j, "required");
    json_bool(j, contract_body_required(route));
    json_name(j, "content");
    json_open(j, '{');
    json_name(j, "application/json");
    json_open(j, '{');
    json_name(j, "schema");
    put_ref_item(j, "schemas", memory);
    json_close(j, '}');
    json_close(j, '}');
    json_close(j, '}');
}

static void put_content(struct json *j, const struct route *route)
{
    bool stream = route->flags & ROUTE_STREAM;
    if (route->status == 204) return;
    json_name(j, "content");
    json_open(j, '{');
    json_name(j, stream ? "text/event-stream" : "application/json");
    json_open(j, '{');
    json_name(j, "schema");
    if (stream || !route->answer) {
        json_open(j, '{');
        openapi_text(j, "type", stream ? "string" : "object");
        if (stream) {
            json_name(j, "contentSchema");
            put_ref_item(j, "schemas", route->answer->name);
        }
        json_close(j, '}');
    } else {
        put_ref_item(j, "schemas", route->answer->name);
    }
    if (stream) {
        json_name(j, "x-event-data");
        put_ref_item(j, "schemas", route->answer->name);
    }
    json_close(j, '}');
    json_close(j, '}');
}

static void put_success(struct json *j, const struct route *route, int status, const char *doc)
{
    char number[12];
    snprintf(number, sizeof number, "%d", status);
    json_name(j, number);
    json_open(j, '{');
    openapi_text(j, "description", doc);
    put_content(j, route);
    json_close(j, '}');
}

static const char *success_text(const struct route *route)
{
    if (route->flags & ROUTE_STREAM) return "events until one side ends it; a comment now and then keeps it open";
    if (route->status == 202) return "taken up, and durable; how it ends is not known yet";
    if (route->status == 204) return "done";
    return route->answer ? route->answer->doc : "as described";
}

static void put_responses(struct json *j, const struct route *route)
{
    int statuses[CONTRACT_STATUSES_MAX];
    unsigned count = contract_statuses(route, statuses);
    json_name(j, "responses");
    json_open(j, '{');
    if (route->status == 202 && contract_takes(route, "wait")) put_success(j, route, 200, "decided while you waited");
    put_success(j, route, route->status, success_text(route));
    for (unsigned i = 0; i < count; i++) {
        char number[12], name[24];
        snprintf(number, sizeof number, "%d", statuses[i]);
        snprintf(name, sizeof name, "Problem%d", statuses[i]);
        json_name(j, number);
        put_ref_item(j, "responses", name);
    }
    json_close(j, '}');
}

static void put_operation(struct json *j, const struct route *route)
{
    char verb[8];
    size_t len = 0;
    for (const char *c = route_verb_name(route->verb); *c; c++) verb[len++] = (char)(*c - 'A' + 'a');
    verb[len] = 0;
    json_name(j, verb);
    json_open(j, '{');
    openapi_text(j, "operationId", route->id);
    openapi_text(j, "summary", route->summary);
    json_name(j, "tags");
    json_open(j, '[');
    json_literal(j, route_tags[route->tag].name);
    json_close(j, ']');
    put_roles(j, route);
    put_parameters(j, route);
    put_body(j, route);
    put_responses(j, route);
    json_close(j, '}');
}

static void put_paths(struct json *j)
{
    json_name(j, "paths");
    json_open(j, '{');
    for (unsigned i = 0; i < route_count; i++) {
        bool before = false;
        for (unsigned k = 0; k < i; k++) before = before || strcmp(routes[k].path, routes[i].path) == 0;
        if (before) continue;
        json_name(j, routes[i].path);
        json_open(j, '{');
        for (unsigned k = i; k < route_count; k++) {
            if (strcmp(routes[k].path, routes[i].path) == 0) put_operation(j, &routes[k]);
        }
        json_close(j, '}');
    }
    json_close(j, '}');
}

/* ---- components ---- */

static void put_header_parameter(struct json *j, const char *key, const char *name, bool required, const char *pattern,
                                 const char *doc)
{
    json_name(j, key);
    json_open(j, '{');
    openapi_text(j, "name", name);
    openapi_text(j, "in", "header");
    json_name(j, "required");
    json_bool(j, required);
    openapi_text(j, "description", doc);
    json_name(j, "schema");
    json_open(j, '{');
    openapi_text(j, "type", "string");
    openapi_text(j, "pattern", pattern);
    json_close(j, '}');
    json_close(j, '}');
}

static void put_problem(struct json *j, int status)
{
    char name[24];
    bool again = status == 429 || status == 503;
    snprintf(name, sizeof name, "Problem%d", status);
    json_name(j, name);
    json_open(j, '{');
    openapi_text(j, "description", "refused; `code` says why, `errors` names every field at fault");
    if (again) {
        json_name(j, "headers");
        json_open(j, '{');
        json_name(j, "Retry-After");
        json_open(j, '{');
        openapi_text(j, "description", "seconds to wait before the next try");
        json_name(j, "schema");
        json_open(j, '{');
        openapi_text(j, "type", "integer");
        json_close(j, '}');
        json_close(j, '}');
        json_close(j, '}');
    }
    json_name(j, "content");
    json_open(j, '{');
    json_name(j, "application/problem+json");
    json_open(j, '{');
    json_name(j, "schema");
    json_open(j, '{');
    json_name(j, "allOf");
    json_open(j, '[');
    put_ref_item(j, "schemas", schema_problem.name);
    json_open(j, '{');
    json_name(j, "properties");
    json_open(j, '{');
    json_name(j, "code");
    json_open(j, '{');
    json_name(j, "enum");
    json_open(j, '[');
    for (unsigned code = 1; code < error_names.count; code++) {
        if (error_names.names[code] && err_http(code) == status) json_literal(j, error_names.names[code]);
    }
    json_close(j, ']');
    for (unsigned i = 0; i < 3; i++) json_close(j, '}');
    json_close(j, ']');
    for (unsigned i = 0; i < 4; i++) json_close(j, '}');
}

static void put_components(struct json *j, const struct contract *c)
{
    json_name(j, "components");
    json_open(j, '{');
    openapi_schemas(j, c);
    json_name(j, "parameters");
    json_open(j, '{');
    put_header_parameter(j, "IdempotencyKey", "Idempotency-Key", true, "^[ -~]{1,64}$",
                         "A fresh name for this intention: repeat the request under the same one after a network failure, and "
                         "it happens once. Another body under the same key is refused.");
    put_header_parameter(j, "PaddockApp", "Paddock-App", false, "^[a-z0-9_-]+/[0-9]+$",
                         "Which app asks, and its build: `rider/12`. A build that is too old is answered with 426.");
    put_header_parameter(j, "LastEventID", "Last-Event-ID", false, "^[0-9]{1,18}[.][0-9]{1,10}$",
                         "The id of the last event seen: the stream goes on behind it, or begins with `reset` when that is too "
                         "long ago.");
    json_close(j, '}');
    json_name(j, "responses");
    json_open(j, '{');
    for (int status = 400; status < 600; status++) {
        bool used = false;
        for (unsigned i = 0; i < route_count && !used; i++) {
            int statuses[CONTRACT_STATUSES_MAX];
            unsigned count = contract_statuses(&routes[i], statuses);
            for (unsigned k = 0; k < count; k++) used = used || statuses[k] == status;
        }
        if (used) put_problem(j, status);
    }
    json_close(j, '}');
    json_name(j, "securitySchemes");
    json_open(j, '{');
    json_name(j, "token");
    json_open(j, '{');
    openapi_text(j, "type", "http");
    openapi_text(j, "scheme", "bearer");
    openapi_text(j, "description", "An opaque token; `paddock token` grants one, signing in does, too.");
    json_close(j, '}');
    json_close(j, '}');
    json_close(j, '}');
}

void openapi_put(struct buf *out)
{
    struct contract c;
    struct json j = json_on(out);
    contract_collect(&c);
    json_open(&j, '{');
    put_info(&j);
    put_tags(&j);
    json_name(&j, "security");
    json_open(&j, '[');
    json_open(&j, '{');
    json_name(&j, "token");
    json_open(&j, '[');
    json_close(&j, ']');
    json_close(&j, '}');
    json_close(&j, ']');
    put_paths(&j);
    put_components(&j, &c);
    json_close(&j, '}');
}
