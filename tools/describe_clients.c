/* SPDX-License-Identifier: Apache-2.0 */
/* describe_clients.c: the calls of the Python client from the route table, and what its file and the Go client's share.
 * What sends requests is written by hand beside them: clients/python/paddock.py, clients/go/paddock.go. */
#include "tools/describe_clients.h"

#include <string.h>

#include "base/must.h"

enum { LINE_MAX = 110, TEXT_MAX = 4096 };

void put_camel(FILE *f, const char *name)
{
    char memory[96];
    struct buf b = buf_on(memory, sizeof memory);
    contract_put_type(&b, name);
    must(!b.full);
    fwrite(b.at, 1, b.len, f);
}

void put_snake(FILE *f, const char *name)
{
    for (; *name; name++) {
        if (*name >= 'A' && *name <= 'Z') fprintf(f, "_%c", *name - 'A' + 'a');
        else fputc(*name, f);
    }
}

/* ---- Python ---- */

static void put_name(FILE *f, const char *name)
{
    static const char *const keywords[] = {"from", "in", "is", "as", "class", "def", "pass", "with", "import", "global"};
    fputs(name, f);
    for (unsigned i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        if (strcmp(name, keywords[i]) == 0) fputc('_', f);
    }
}

static void put_arg_type(FILE *f, const struct arg_row *row)
{
    switch ((enum arg_type)row->type) {
    case ARG_WHOLE: fputs("int", f); break;
    case ARG_BOOL: fputs("bool", f); break;
    case ARG_DEGREES: fputs("float", f); break;
    case ARG_TERM: put_camel(f, row->names->name); break;
    case ARG_TERMS:
        fputs("List[", f);
        put_camel(f, row->names->name);
        fputc(']', f);
        break;
    case ARG_CITIES:
    case ARG_CODES: fputs("List[str]", f); break;
    default: fputs("str", f);
    }
}

static void put_member_type(FILE *f, const struct member *m)
{
    static const char *const plain[MEMBER_TYPE_N] = {
        [MEMBER_TEXT] = "str", [MEMBER_WHOLE] = "int", [MEMBER_DECIMAL] = "float", [MEMBER_BOOL] = "bool",
        [MEMBER_UUID] = "str", [MEMBER_TIME] = "int", [MEMBER_ROWS] = "List[List[Any]]",
        [MEMBER_COUNTS] = "Dict[str, int]", [MEMBER_TEXTS] = "str",
    };
    bool list = m->type == MEMBER_LIST || m->type == MEMBER_TEXTS;
    if (m->flags & MEMBER_NULL) fputs("Optional[", f);
    if (list) fputs("List[", f);
    if (m->of) put_camel(f, m->of->name);
    else if (m->names) put_camel(f, m->names->name);
    else fputs(plain[m->type] ? plain[m->type] : "Any", f);
    if (list) fputc(']', f);
    if (m->flags & MEMBER_NULL) fputc(']', f);
}

static void put_member(void *ctx, const struct member *m)
{
    FILE *f = ctx;
    fprintf(f, "    %s: ", m->name);
    put_member_type(f, m);
    fputc('\n', f);
}

static void put_types(FILE *f, const struct contract *c)
{
    for (unsigned i = 0; i < c->enum_count; i++) {
        const char *between = "";
        put_camel(f, c->enums[i]->name);
        fputs(" = Literal[\n", f);
        for (unsigned v = 0, on_line = 0; v < c->enums[i]->count; v++) {
            const char *name = c->enums[i]->names[v];
            if (!name) continue;
            fprintf(f, "%s%s\"%s\"", between, on_line++ % 4 ? " " : "    ", name);
            between = on_line % 4 ? "," : ",\n";
        }
        fputs("]\n", f);
    }
    for (unsigned i = 0; i < c->schema_count; i++) {
        fputs("\n\nclass ", f);
        put_camel(f, c->schemas[i]->name);
        fputs("(TypedDict, total=False):\n", f);
        schema_each(c->schemas[i], put_member, f);
    }
}

static void put_parameters(FILE *f, const struct route *route)
{
    bool star = false;
    for (unsigned a = 0; a < route->arg_count; a++) {
        if (route->args[a].where != IN_PATH) continue;
        fputs(", ", f);
        put_name(f, route->args[a].name);
        fputs(": str", f);
    }
    for (int required = 1; required >= 0; required--) {
        for (unsigned a = 0; a < route->arg_count; a++) {
            const struct arg_row *row = &route->args[a];
            if (row->where == IN_PATH || row->required != (bool)required) continue;
            fputs(star ? ", " : ", *, ", f);
            star = true;
            put_name(f, row->name);
            fputs(required ? ": " : ": Optional[", f);
            put_arg_type(f, row);
            if (!required) fputs("] = None", f);
        }
    }
    if (route->keyed) fputs(star ? ", key: Optional[str] = None" : ", *, key: Optional[str] = None", f);
    if (route->flags & ROUTE_STREAM) {
        fputs(star ? ", last_event_id: Optional[str] = None" : ", *, last_event_id: Optional[str] = None", f);
    }
}

static void put_dict(FILE *f, const struct route *route, enum arg_where where, const char *name)
{
    const char *between = "";
    if (!contract_has(route, where)) return;
    fprintf(f, ", %s={", name);
    for (unsigned a = 0; a < route->arg_count; a++) {
        if (route->args[a].where != where) continue;
        fprintf(f, "%s\"%s\": ", between, route->args[a].name);
        put_name(f, route->args[a].name);
        between = ", ";
    }
    fputc('}', f);
}

/* Breaks behind a comma where a line would become too long. */
static void put_wrapped(FILE *f, const char *text)
{
    size_t column = 0;
    while (*text) {
        const char *comma = strstr(text, ", ");
        size_t len = comma ? (size_t)(comma - text) + 1 : strlen(text);
        if (column && column + len > LINE_MAX) {
            fputs("\n            ", f);
            column = 12;
            text += *text == ' ';
            len -= text[-1] == ' ';
        }
        fwrite(text, 1, len, f);
        column += len;
        text += len;
    }
    fputc('\n', f);
}

static void put_signature(FILE *f, const struct route *route)
{
    bool stream = route->flags & ROUTE_STREAM;
    fputs("    def ", f);
    put_snake(f, route->id);
    fputs("(self", f);
    put_parameters(f, route);
    fputs(") -> ", f);
    if (stream) fputs("Iterator[SentEvent]", f);
    else if (route->answer) put_camel(f, route->answer->name);
    else fputs(route->status == 204 ? "None" : "Any", f);
    fputc(':', f);
}

static void put_request(FILE *f, const struct route *route)
{
    bool stream = route->flags & ROUTE_STREAM;
    fprintf(f, "        return self.%s(\"%s\", \"%s\"", stream ? "stream" : "call", route_verb_name(route->verb), route->path);
    put_dict(f, route, IN_PATH, "path");
    put_dict(f, route, IN_QUERY, "query");
    put_dict(f, route, IN_BODY, "body");
    if (route->keyed) fputs(", keyed=True, key=key", f);
    if (stream) fputs(", last_event_id=last_event_id", f);
    fputc(')', f);
}

static void put_call(FILE *f, const struct route *route)
{
    static void (*const parts[])(FILE *f, const struct route *route) = {put_signature, put_request};
    for (unsigned i = 0; i < 2; i++) {
        char text[TEXT_MAX] = "";
        FILE *memory = fmemopen(text, sizeof text, "w");
        must(memory);
        parts[i](memory, route);
        must(!ferror(memory) && ftell(memory) < TEXT_MAX - 1 && !fclose(memory));
        if (!i) fputc('\n', f);
        put_wrapped(f, text);
        if (!i) fprintf(f, "        \"\"\"`%s %s`: %s.\"\"\"\n", route_verb_name(route->verb), route->path, route->summary);
    }
}

void describe_python(FILE *f)
{
    struct contract c;
    contract_collect(&c);
    fputs("# SPDX-License-Identifier: Apache-2.0\n"
          "\"\"\"Every call of Paddock's API, one method each. Written by tools/describe_clients.c from the route table:\n"
          "change that, then `make docs`. What sends them stands in paddock.py.\"\"\"\n"
          "# pylint: disable=all\nfrom __future__ import annotations\n\n"
          "from typing import Any, Dict, Iterator, List, Literal, NamedTuple, Optional, TypedDict\n\n\n"
          "class SentEvent(NamedTuple):\n"
          "    \"\"\"One event of a stream: where to resume behind it, its kind, what it says.\"\"\"\n"
          "    id: str\n    event: str\n    data: Any\n\n\n", f);
    put_types(f, &c);
    fputs("\n\nclass Calls:\n    def call(self, method, pattern, *, path=None, query=None, body=None, keyed=False, key=None):\n"
          "        raise NotImplementedError\n\n"
          "    def stream(self, method, pattern, *, path=None, query=None, last_event_id=None):\n"
          "        raise NotImplementedError\n", f);
    for (unsigned i = 0; i < route_count; i++) put_call(f, &routes[i]);
}
