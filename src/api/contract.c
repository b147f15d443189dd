/* SPDX-License-Identifier: Apache-2.0 */
/* contract.c: see contract.h. */
#include "api/contract.h"

#include <string.h>

#include "base/must.h"
#include "engine/terms.h"

static void add_enum(struct contract *c, const struct enum_names *names)
{
    if (!names) return;
    for (unsigned i = 0; i < c->enum_count; i++) {
        if (c->enums[i] == names) return;
        must(strcmp(c->enums[i]->name, names->name) != 0); /* two enums of one name would be one type */
    }
    must(c->enum_count < CONTRACT_ENUMS_MAX);
    c->enums[c->enum_count++] = names;
}

static void add_schema(struct contract *c, const struct schema *schema);

static void add_member(void *ctx, const struct member *m)
{
    add_enum(ctx, m->names);
    if (m->of) add_schema(ctx, m->of);
}

static void add_schema(struct contract *c, const struct schema *schema)
{
    for (unsigned i = 0; i < c->schema_count; i++) {
        if (c->schemas[i] == schema) return;
        must(strcmp(c->schemas[i]->name, schema->name) != 0);
    }
    must(c->schema_count < CONTRACT_SCHEMAS_MAX);
    c->schemas[c->schema_count++] = schema;
    schema_each(schema, add_member, c);
}

void contract_collect(struct contract *c)
{
    c->schema_count = c->enum_count = 0;
    for (unsigned i = 0; i < route_count; i++) {
        for (unsigned a = 0; a < routes[i].arg_count; a++) add_enum(c, routes[i].args[a].names);
        if (routes[i].answer) add_schema(c, routes[i].answer);
    }
    add_schema(c, &schema_problem);
}

void contract_put_type(struct buf *out, const char *name)
{
    bool large = true;
    for (; *name; name++) {
        if (*name == '_' || *name == '.' || *name == '-') {
            large = true;
            continue;
        }
        buf_put_char(out, large && *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name);
        large = false;
    }
}

bool contract_has(const struct route *route, enum arg_where where)
{
    for (unsigned a = 0; a < route->arg_count; a++) {
        if (route->args[a].where == where) return true;
    }
    return false;
}

bool contract_body_required(const struct route *route)
{
    for (unsigned a = 0; a < route->arg_count; a++) {
        if (route->args[a].where == IN_BODY && route->args[a].required) return true;
    }
    return false;
}

bool contract_takes(const struct route *route, const char *name)
{
    for (unsigned a = 0; a < route->arg_count; a++) {
        if (strcmp(route->args[a].name, name) == 0) return true;
    }
    return false;
}

static bool may_answer(const struct route *route, int status)
{
    bool open = route->flags & ROUTE_PUBLIC, writes = route->verb != HTTP_VERB_GET;
    bool asks = route->arg_count > 0, body = contract_has(route, IN_BODY);
    switch (status) {
    case 400: return body || route->keyed;
    case 401: return !open || (writes && body); /* signing in is refused so, too */
    case 403:
    case 426: return !open;
    case 404: return asks || !open;
    case 409: return writes || contract_has(route, IN_PATH);
    case 413: return body || route->flags & ROUTE_PAGED;
    case 422: return asks;
    case 504: return writes;
    case 429:
    case 500:
    case 503: return true;
    default: return false;
    }
}

unsigned contract_statuses(const struct route *route, int out[CONTRACT_STATUSES_MAX])
{
    unsigned count = 0;
    for (int status = 400; status < 600; status++) {
        bool there = false;
        for (unsigned code = 1; code < error_names.count; code++) {
            there = there || (error_names.names[code] && err_http(code) == status);
        }
        if (!there || !may_answer(route, status)) continue;
        must(count < CONTRACT_STATUSES_MAX);
        out[count++] = status;
    }
    return count;
}

const char *contract_enum_doc(const struct enum_names *names, unsigned value)
{
    return names == &error_names ? err_text(value) : term_doc(names, value);
}
