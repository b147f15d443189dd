/* SPDX-License-Identifier: Apache-2.0 */
/* openapi_types.c: the types of the OpenAPI document: words, objects, bodies. */
#include "api/openapi_inside.h"

#include "base/must.h"

static void put_type(struct json *j, const char *type, bool null)
{
    json_name(j, "type");
    if (!null) {
        json_literal(j, type);
        return;
    }
    json_open(j, '[');
    json_literal(j, type);
    json_literal(j, "null");
    json_close(j, ']');
}

/* Members of the open object: a reference, or null. */
static void put_ref(struct json *j, const char *name, bool null)
{
    if (!null) {
        openapi_ref(j, "schemas", name);
        return;
    }
    json_name(j, "anyOf");
    json_open(j, '[');
    json_open(j, '{');
    openapi_ref(j, "schemas", name);
    json_close(j, '}');
    json_open(j, '{');
    openapi_text(j, "type", "null");
    json_close(j, '}');
    json_close(j, ']');
}

static void put_range(struct json *j, const char *least, int64_t min, const char *most, int64_t max, unsigned decimals)
{
    json_name(j, least);
    json_decimal(j, min, decimals);
    json_name(j, most);
    json_decimal(j, max, decimals);
}

static void put_items(struct json *j, const char *type)
{
    json_name(j, "items");
    json_open(j, '{');
    openapi_text(j, "type", type);
    json_close(j, '}');
}

void openapi_arg_schema(struct json *j, const struct arg_row *row)
{
    json_open(j, '{');
    switch ((enum arg_type)row->type) {
    case ARG_TEXT:
    case ARG_CODE:
    case ARG_IDENT:
        put_type(j, "string", false);
        put_range(j, "minLength", row->min, "maxLength", row->max, 0);
        if (row->type == ARG_CODE) openapi_text(j, "pattern", "^[A-Za-z0-9_-]+$");
        if (row->type == ARG_IDENT) openapi_text(j, "pattern", "^[!-~]+$");
        break;
    case ARG_WHOLE:
        put_type(j, "integer", false);
        openapi_text(j, "format", "int64");
        put_range(j, "minimum", row->min, "maximum", row->max, 0);
        break;
    case ARG_BOOL: put_type(j, "boolean", false); break;
    case ARG_TERM: openapi_ref(j, "schemas", row->names->name); break;
    case ARG_TERMS:
        put_type(j, "array", false);
        json_name(j, "items");
        json_open(j, '{');
        openapi_ref(j, "schemas", row->names->name);
        json_close(j, '}');
        break;
    case ARG_CITIES:
    case ARG_CODES:
        put_type(j, "array", false);
        put_range(j, "minItems", row->min, "maxItems", row->max, 0);
        json_name(j, "items");
        json_open(j, '{');
        put_type(j, "string", false);
        openapi_text(j, "pattern", row->type == ARG_CITIES ? "^[A-Za-z0-9_-]{1,31}$" : "^[A-Za-z0-9_-]{1,15}$");
        json_close(j, '}');
        break;
    case ARG_DEGREES:
        put_type(j, "number", false);
        put_range(j, "minimum", row->min, "maximum", row->max, 7);
        break;
    case ARG_UUID:
        put_type(j, "string", false);
        openapi_text(j, "format", "uuid");
        break;
    case ARG_PHONE:
        put_type(j, "string", false);
        openapi_text(j, "pattern", "^[+][1-9][0-9]{6,14}$");
        break;
    case ARG_CURSOR:
        put_type(j, "string", false);
        openapi_text(j, "pattern", "^[0-9]{1,18}([.][0-9]{1,10})?$");
        break;
    }
    if (row->where == IN_BODY) openapi_text(j, "description", row->doc);
    json_close(j, '}');
}

/* Members of the open schema object. */
static void put_member_type(struct json *j, const struct member *m)
{
    bool null = m->flags & MEMBER_NULL;
    switch ((enum member_type)m->type) {
    case MEMBER_TEXT: put_type(j, "string", null); break;
    case MEMBER_TIME:
    case MEMBER_WHOLE:
        put_type(j, "integer", null);
        openapi_text(j, "format", "int64");
        break;
    case MEMBER_DECIMAL: put_type(j, "number", null); break;
    case MEMBER_BOOL: put_type(j, "boolean", null); break;
    case MEMBER_UUID:
        put_type(j, "string", null);
        openapi_text(j, "format", "uuid");
        break;
    case MEMBER_TERM: put_ref(j, m->names->name, null); break;
    case MEMBER_OBJECT: put_ref(j, m->of->name, null); break;
    case MEMBER_LIST:
    case MEMBER_TEXTS:
        put_type(j, "array", null);
        if (m->type == MEMBER_TEXTS && !m->names) {
            put_items(j, "string");
            break;
        }
        json_name(j, "items");
        json_open(j, '{');
        openapi_ref(j, "schemas", m->type == MEMBER_LIST ? m->of->name : m->names->name);
        json_close(j, '}');
        break;
    case MEMBER_ROWS:
        put_type(j, "array", null);
        json_name(j, "items");
        json_open(j, '{');
        openapi_text(j, "type", "array");
        json_name(j, "items");
        json_open(j, '{');
        json_name(j, "type");
        json_open(j, '[');
        json_literal(j, "string");
        json_literal(j, "number");
        json_literal(j, "boolean");
        json_literal(j, "null");
        json_close(j, ']');
        json_close(j, '}');
        json_close(j, '}');
        break;
    case MEMBER_COUNTS:
        put_type(j, "object", null);
        json_name(j, "additionalProperties");
        json_open(j, '{');
        openapi_text(j, "type", "integer");
        json_close(j, '}');
        break;
    case MEMBER_FIELD:
    case MEMBER_TYPE_N: must(!"schema_each gives no such member");
    }
}

static void put_property(void *ctx, const struct member *m)
{
    struct json *j = ctx;
    json_name(j, m->name);
    json_open(j, '{');
    put_member_type(j, m);
    openapi_text(j, "description", m->doc);
    if (m->flags & MEMBER_STAFF) {
        json_name(j, "x-staff");
        json_bool(j, true);
    }
    json_close(j, '}');
}

static void put_required(void *ctx, const struct member *m)
{
    if (!(m->flags & (MEMBER_MAYBE | MEMBER_STAFF))) json_literal(ctx, m->name);
}

static void put_object(struct json *j, const struct schema *schema)
{
    json_name(j, schema->name);
    json_open(j, '{');
    openapi_text(j, "type", "object");
    openapi_text(j, "description", schema->doc);
    json_name(j, "properties");
    json_open(j, '{');
    schema_each(schema, put_property, j);
    json_close(j, '}');
    json_name(j, "required");
    json_open(j, '[');
    schema_each(schema, put_required, j);
    json_close(j, ']');
    json_close(j, '}');
}

static void put_words(struct json *j, const struct enum_names *names)
{
    char memory[8192];
    struct buf doc = buf_on(memory, sizeof memory);
    char type[ARGS_NAME_MAX + 1];
    struct buf name = buf_on(type, sizeof type - 1);
    contract_put_type(&name, names->name);
    type[name.len] = 0;
    json_name(j, type);
    json_open(j, '{');
    openapi_text(j, "type", "string");
    json_name(j, "enum");
    json_open(j, '[');
    for (unsigned value = 0; value < names->count; value++) {
        if (!names->names[value]) continue;
        json_literal(j, names->names[value]);
        const char *text = contract_enum_doc(names, value);
        if (!text[0]) continue;
        buf_put_text(&doc, doc.len ? "\n- `" : "- `");
        buf_put_text(&doc, names->names[value]);
        buf_put_text(&doc, "`: ");
        buf_put_text(&doc, text);
    }
    json_close(j, ']');
    must(!doc.full);
    if (doc.len) {
        json_name(j, "description");
        json_text(j, buf_bytes(&doc));
    }
    json_close(j, '}');
}

static void put_body(struct json *j, const struct route *route)
{
    char memory[64];
    struct buf name = buf_on(memory, sizeof memory - 1);
    contract_put_type(&name, route->id);
    buf_put_text(&name, "Body");
    must(!name.full);
    memory[name.len] = 0;
    json_name(j, memory);
    json_open(j, '{');
    openapi_text(j, "type", "object");
    json_name(j, "properties");
    json_open(j, '{');
    for (unsigned a = 0; a < route->arg_count; a++) {
        if (route->args[a].where != IN_BODY) continue;
        json_name(j, route->args[a].name);
        openapi_arg_schema(j, &route->args[a]);
    }
    json_close(j, '}');
    json_name(j, "required");
    json_open(j, '[');
    for (unsigned a = 0; a < route->arg_count; a++) {
        if (route->args[a].where == IN_BODY && route->args[a].required) json_literal(j, route->args[a].name);
    }
    json_close(j, ']');
    json_name(j, "additionalProperties");
    json_bool(j, false);
    json_close(j, '}');
}

void openapi_schemas(struct json *j, const struct contract *c)
{
    json_name(j, "schemas");
    json_open(j, '{');
    for (unsigned i = 0; i < c->schema_count; i++) put_object(j, c->schemas[i]);
    for (unsigned i = 0; i < route_count; i++) {
        if (contract_has(&routes[i], IN_BODY)) put_body(j, &routes[i]);
    }
    for (unsigned i = 0; i < c->enum_count; i++) put_words(j, c->enums[i]);
    json_close(j, '}');
}
