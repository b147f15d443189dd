/* SPDX-License-Identifier: Apache-2.0 */
/* describe_api.c: the route table for people (api.md), and as the document that /openapi.json serves, indented. */
#include <string.h>

#include "api/contract.h"
#include "api/openapi.h"
#include "base/must.h"
#include "tools/describe.h"

/* ---- openapi.json ---- */

static void put_line(FILE *f, unsigned depth)
{
    fprintf(f, "\n%*s", (int)depth, "");
}

/* One member a line, one space a level; what is empty stays on its line. */
static void put_indented(FILE *f, struct bytes json)
{
    unsigned depth = 0;
    bool in_text = false;
    for (size_t i = 0; i < json.len; i++) {
        char c = (char)json.at[i];
        if (in_text || (c != '{' && c != '[' && c != '}' && c != ']' && c != ',' && c != ':')) {
            fputc(c, f);
            if (in_text && c == '\\') fputc(json.at[++i], f);
            else if (c == '"') in_text = !in_text;
            continue;
        }
        bool empty = i + 1 < json.len && (json.at[i + 1] == '}' || json.at[i + 1] == ']');
        if (c == '}' || c == ']') put_line(f, --depth);
        fputc(c, f);
        if (c == ':') fputc(' ', f);
        else if (c == ',') put_line(f, depth);
        else if ((c == '{' || c == '[') && empty) fputc(json.at[++i], f);
        else if (c == '{' || c == '[') put_line(f, ++depth);
    }
    fputc('\n', f);
}

void describe_openapi(void)
{
    static uint8_t memory[OPENAPI_MAX];
    struct buf b = buf_on(memory, sizeof memory);
    FILE *f = file_open("openapi.json");
    openapi_put(&b);
    must(!b.full);
    put_indented(f, buf_bytes(&b));
    page_close(f);
}

/* ---- api.md ---- */

static void put_type(FILE *f, const char *name)
{
    char memory[64];
    struct buf b = buf_on(memory, sizeof memory);
    contract_put_type(&b, name);
    fwrite(b.at, 1, b.len, f);
}

static void put_anchor(FILE *f, const char *text)
{
    fprintf(f, "[%s](#", text);
    for (; *text; text++) fputc(*text >= 'A' && *text <= 'Z' ? *text - 'A' + 'a' : *text, f);
    fputc(')', f);
}

static void put_link(FILE *f, const char *type)
{
    char memory[64];
    struct buf b = buf_on(memory, sizeof memory - 1);
    contract_put_type(&b, type);
    memory[b.len] = 0;
    put_anchor(f, memory);
}

static void put_degrees(FILE *f, int64_t e7)
{
    fprintf(f, "%lld", (long long)(e7 / 10000000));
}

static void put_arg_type(FILE *f, const struct arg_row *row)
{
    static const char *const texts[] = {[ARG_TEXT] = "text", [ARG_CODE] = "letters, digits, `-`, `_`",
                                        [ARG_IDENT] = "printable ASCII"};
    switch ((enum arg_type)row->type) {
    case ARG_TEXT:
    case ARG_CODE:
    case ARG_IDENT:
        fprintf(f, "%s, %lld", texts[row->type], (long long)row->min);
        if (row->max > row->min) fprintf(f, " to %lld", (long long)row->max);
        break;
    case ARG_WHOLE: fprintf(f, "whole, %lld to %lld", (long long)row->min, (long long)row->max); break;
    case ARG_BOOL: fputs("`true` or `false`", f); break;
    case ARG_TERM: put_link(f, row->names->name); break;
    case ARG_TERMS:
        fputs("list of ", f);
        put_link(f, row->names->name);
        break;
    case ARG_CITIES:
    case ARG_CODES: fprintf(f, "list of %lld to %lld codes", (long long)row->min, (long long)row->max); break;
    case ARG_DEGREES:
        fputs("degrees, ", f);
        put_degrees(f, row->min);
        fputs(" to ", f);
        put_degrees(f, row->max);
        break;
    case ARG_UUID: fputs("UUID", f); break;
    case ARG_PHONE: fputs("phone number in E.164, `+46701234567`", f); break;
    case ARG_CURSOR: fputs("cursor", f); break;
    }
}

static void put_args(FILE *f, const struct route *route)
{
    static const char *const places[] = {[IN_PATH] = "path", [IN_QUERY] = "query", [IN_BODY] = "body"};
    if (!route->arg_count) return;
    fprintf(f, "| in | name | type | | |\n| --- | --- | --- | --- | --- |\n");
    for (unsigned a = 0; a < route->arg_count; a++) {
        const struct arg_row *row = &route->args[a];
        fprintf(f, "| %s | `%s` | ", places[row->where], row->name);
        put_arg_type(f, row);
        fprintf(f, " | %s | %s |\n", row->required ? "required" : "", row->doc);
    }
    fputc('\n', f);
}

static void put_roles(FILE *f, const struct route *route)
{
    const char *between = "";
    if (route->flags & ROUTE_PUBLIC) {
        fputs("Anybody, without a token.", f);
        return;
    }
    fputs("Roles: ", f);
    for (unsigned role = 1; role < AUTH_ROLE_N; role++) {
        if (!(route->roles >> role & 1)) continue;
        fprintf(f, "%s%s", between, auth_role_names.names[role]);
        between = ", ";
    }
    fputc('.', f);
}

static void put_route(FILE *f, const struct route *route)
{
    fprintf(f, "### %s\n\n`%s %s`\n\n%c%s. ", route->id, route_verb_name(route->verb), route->path,
            route->summary[0] >= 'a' && route->summary[0] <= 'z' ? route->summary[0] - 'a' + 'A' : route->summary[0],
            route->summary + 1);
    put_roles(f, route);
    if (route->scope == SCOPE_CITY) fputs(" Of one's cities.", f);
    if (route->scope == SCOPE_OPERATOR) fputs(" Not where one's scope is a list of cities.", f);
    if (route->keyed) fputs(" Needs an `Idempotency-Key`.", f);
    fputs("\n\n", f);
    put_args(f, route);
    if (route->flags & ROUTE_STREAM) {
        fputs("Answers `text/event-stream`; the data of each event is ", f);
        put_link(f, route->answer->name);
    } else if (route->status == 204) {
        fputs("Answers 204", f);
    } else {
        bool waits = route->status == 202 && contract_takes(route, "wait");
        fprintf(f, "Answers %d%s", route->status, waits ? ", or 200 when `wait` was worth it" : "");
        if (route->answer) fputs(": ", f);
        if (route->answer) put_link(f, route->answer->name);
    }
    fputs(".\n\n", f);
}

static void put_member_type(FILE *f, const struct member *m)
{
    static const char *const types[MEMBER_TYPE_N] = {
        [MEMBER_TEXT] = "text", [MEMBER_WHOLE] = "whole", [MEMBER_DECIMAL] = "number", [MEMBER_BOOL] = "truth value",
        [MEMBER_UUID] = "UUID", [MEMBER_TIME] = "ms since 1970 UTC", [MEMBER_ROWS] = "list of rows",
        [MEMBER_COUNTS] = "whole numbers by name",
    };
    bool list = m->type == MEMBER_LIST || m->type == MEMBER_TEXTS;
    if (list) fputs("list of ", f);
    if (m->of) put_link(f, m->of->name);
    else if (m->names) put_link(f, m->names->name);
    else fputs(m->type == MEMBER_TEXTS ? "texts" : types[m->type], f);
}

static void put_member(void *ctx, const struct member *m)
{
    FILE *f = ctx;
    fprintf(f, "| `%s` | ", m->name);
    put_member_type(f, m);
    fprintf(f, " | %s%s%s | %s |\n", m->flags & MEMBER_NULL ? "null " : "", m->flags & MEMBER_MAYBE ? "may be absent " : "",
            m->flags & MEMBER_STAFF ? "staff" : "", m->doc);
}

static void put_words(FILE *f, const struct enum_names *names)
{
    fprintf(f, "### ");
    put_type(f, names->name);
    fputs("\n\n", f);
    for (unsigned value = 0; value < names->count; value++) {
        if (!names->names[value]) continue;
        const char *doc = contract_enum_doc(names, value);
        fprintf(f, "- `%s`%s%s\n", names->names[value], doc[0] ? ": " : "", doc);
    }
    fputc('\n', f);
}

void describe_api(void)
{
    struct contract c;
    contract_collect(&c);
    FILE *f = page_open("api", "API");
    fprintf(f, "Every call, from the route table. [api.md](../api.md) says how to use them; [openapi.json](openapi.json) is "
               "the same for\nprograms, and each server serves it at `/openapi.json`.\n\n## Calls\n\n");
    fprintf(f, "| | who | |\n| --- | --- | --- |\n");
    for (unsigned i = 0; i < route_count; i++) {
        fprintf(f, "| `%s %s` | ", route_verb_name(routes[i].verb), routes[i].path);
        const char *between = "";
        for (unsigned role = 1; role < AUTH_ROLE_N; role++) {
            if (!(routes[i].roles >> role & 1)) continue;
            fprintf(f, "%s%s", between, auth_role_names.names[role]);
            between = ", ";
        }
        fprintf(f, "%s | ", routes[i].flags & ROUTE_PUBLIC ? "anybody" : "");
        put_anchor(f, routes[i].id);
        fprintf(f, ": %s |\n", routes[i].summary);
    }
    for (unsigned tag = 0; tag < TAG_N; tag++) {
        bool begun = false;
        for (unsigned i = 0; i < route_count; i++) {
            if (routes[i].tag != tag) continue;
            if (!begun) fprintf(f, "\n## %s\n\n%s.\n\n", route_tags[tag].name, route_tags[tag].doc);
            begun = true;
            put_route(f, &routes[i]);
        }
    }
    fprintf(f, "## Objects\n\nThe third column: may be null, may be absent, shown to staff only.\n\n");
    for (unsigned i = 0; i < c.schema_count; i++) {
        fprintf(f, "### %s\n\n%s.\n\n| member | type | | |\n| --- | --- | --- | --- |\n", c.schemas[i]->name,
                c.schemas[i]->doc);
        schema_each(c.schemas[i], put_member, f);
        fputc('\n', f);
    }
    fprintf(f, "## Words\n\n");
    for (unsigned i = 0; i < c.enum_count; i++) put_words(f, c.enums[i]);
    page_close(f);
}
