/* SPDX-License-Identifier: Apache-2.0 */
/* describe_go.c: the calls and types of the Go client from the route table, as gofmt would have them. */
#include <string.h>

#include "base/must.h"
#include "tools/describe_clients.h"

enum { LINES_MAX = 128, WORD_MAX = 96 };

/* Lines of a block whose columns stand under each other. */
struct block {
    char words[LINES_MAX][3][WORD_MAX];
    unsigned count;
};

static void name_into(char out[WORD_MAX], const char *name)
{
    struct buf b = buf_on(out, WORD_MAX - 1);
    contract_put_type(&b, name);
    size_t len = strlen(name);
    bool id = len >= 2 && strcmp(name + len - 2, "id") == 0 && (len == 2 || name[len - 3] == '_');
    if (id) b.at[b.len - 1] = 'D';
    must(!b.full);
    out[b.len] = 0;
}

static void put_go_name(FILE *f, const char *name)
{
    char word[WORD_MAX];
    name_into(word, name);
    fputs(word, f);
}

static void put_block(FILE *f, const struct block *b)
{
    size_t widths[2] = {0, 0};
    for (unsigned i = 0; i < b->count; i++) {
        for (unsigned w = 0; w < 2; w++) {
            size_t len = strlen(b->words[i][w]);
            if (len > widths[w]) widths[w] = len;
        }
    }
    for (unsigned i = 0; i < b->count; i++) {
        fprintf(f, "\t%-*s %-*s %s\n", (int)widths[0], b->words[i][0], (int)widths[1], b->words[i][1], b->words[i][2]);
    }
}

/* ---- types ---- */

static void put_words(FILE *f, const struct enum_names *names)
{
    static struct block b;
    char type[WORD_MAX];
    b.count = 0;
    name_into(type, names->name);
    for (unsigned v = 0; v < names->count; v++) {
        char value[WORD_MAX];
        if (!names->names[v]) continue;
        must(b.count < LINES_MAX);
        name_into(value, names->names[v]);
        snprintf(b.words[b.count][0], WORD_MAX, "%.40s%.50s", type, value);
        snprintf(b.words[b.count][1], WORD_MAX, "%s", type);
        snprintf(b.words[b.count][2], WORD_MAX, "= \"%.80s\"", names->names[v]);
        b.count++;
    }
    fprintf(f, "\n// %s: words of its own; others may come.\ntype %s string\n\nconst (\n", type, type);
    put_block(f, &b);
    fputs(")\n", f);
}

static void member_type(char out[WORD_MAX], const struct member *m)
{
    static const char *const plain[MEMBER_TYPE_N] = {
        [MEMBER_TEXT] = "string", [MEMBER_WHOLE] = "int64", [MEMBER_DECIMAL] = "float64", [MEMBER_BOOL] = "bool",
        [MEMBER_UUID] = "string", [MEMBER_TIME] = "int64", [MEMBER_ROWS] = "[][]any",
        [MEMBER_COUNTS] = "map[string]int64", [MEMBER_TEXTS] = "string",
    };
    bool list = m->type == MEMBER_LIST || m->type == MEMBER_TEXTS;
    bool may_miss = m->flags & (MEMBER_NULL | MEMBER_MAYBE | MEMBER_STAFF);
    char type[WORD_MAX];
    if (m->of) name_into(type, m->of->name);
    else if (m->names) name_into(type, m->names->name);
    else snprintf(type, sizeof type, "%s", plain[m->type] ? plain[m->type] : "any");
    bool pointer = may_miss && !list && type[0] != '[' && type[0] != 'm';
    snprintf(out, WORD_MAX, "%s%.80s", list ? "[]" : pointer ? "*" : "", type);
}

static void add_member(void *ctx, const struct member *m)
{
    struct block *b = ctx;
    must(b->count < LINES_MAX);
    name_into(b->words[b->count][0], m->name);
    member_type(b->words[b->count][1], m);
    snprintf(b->words[b->count][2], WORD_MAX, "`json:\"%.80s\"`", m->name);
    b->count++;
}

static void put_struct(FILE *f, const struct schema *schema)
{
    static struct block b;
    b.count = 0;
    schema_each(schema, add_member, &b);
    fputs("\n// ", f);
    put_go_name(f, schema->name);
    fprintf(f, ": %c%s.\ntype ", schema->doc[0] >= 'A' && schema->doc[0] <= 'Z' ? schema->doc[0] - 'A' + 'a' : schema->doc[0],
            schema->doc + 1);
    put_go_name(f, schema->name);
    fputs(" struct {\n", f);
    put_block(f, &b);
    fputs("}\n", f);
}

static void arg_type(char out[WORD_MAX], const struct arg_row *row)
{
    char type[WORD_MAX] = "string";
    if (row->type == ARG_WHOLE) snprintf(type, sizeof type, "int64");
    if (row->type == ARG_BOOL) snprintf(type, sizeof type, "bool");
    if (row->type == ARG_DEGREES) snprintf(type, sizeof type, "float64");
    if (row->type == ARG_TERM || row->type == ARG_TERMS) name_into(type, row->names->name);
    bool list = row->type == ARG_TERMS || row->type == ARG_CODES || row->type == ARG_CITIES;
    snprintf(out, WORD_MAX, "%s%.80s", list ? "[]" : row->required ? "" : "*", type);
}

/* Body, and what may be asked beside it. */
static void put_arg_struct(FILE *f, const struct route *route, enum arg_where where, const char *suffix)
{
    static struct block b;
    b.count = 0;
    for (unsigned a = 0; a < route->arg_count; a++) {
        const struct arg_row *row = &route->args[a];
        if (row->where != where) continue;
        name_into(b.words[b.count][0], row->name);
        arg_type(b.words[b.count][1], row);
        snprintf(b.words[b.count][2], WORD_MAX, "`json:\"%.60s%s\"`", row->name, row->required ? "" : ",omitempty");
        b.count++;
    }
    if (!b.count) return;
    fputs("\n// ", f);
    put_go_name(f, route->id);
    fprintf(f, "%s is what %s takes.\ntype ", suffix, route->id);
    put_go_name(f, route->id);
    fprintf(f, "%s struct {\n", suffix);
    put_block(f, &b);
    fputs("}\n", f);
}

/* ---- calls ---- */

static void put_path(FILE *f, const char *path)
{
    const char *between = "";
    while (*path) {
        const char *brace = strchr(path, '{');
        size_t len = brace ? (size_t)(brace - path) : strlen(path);
        if (len) fprintf(f, "%s\"%.*s\"", between, (int)len, path);
        if (len) between = "+";
        path += len;
        if (!brace) break;
        const char *end = strchr(path, '}');
        must(end);
        fprintf(f, "%ssegment(%.*s)", between, (int)(end - path - 1), path + 1);
        path = end + 1;
    }
}

static void put_call(FILE *f, const struct route *route)
{
    bool body = contract_has(route, IN_BODY), query = contract_has(route, IN_QUERY), stream = route->flags & ROUTE_STREAM;
    fputs("\n// ", f);
    put_go_name(f, route->id);
    fprintf(f, ": %s %s: %s.\nfunc (c *Client) ", route_verb_name(route->verb), route->path, route->summary);
    put_go_name(f, route->id);
    fputs("(ctx context.Context", f);
    for (unsigned a = 0; a < route->arg_count; a++) {
        if (route->args[a].where == IN_PATH) fprintf(f, ", %s string", route->args[a].name);
    }
    if (body) {
        fputs(", body ", f);
        put_go_name(f, route->id);
        fputs("Body", f);
    }
    if (query) {
        fputs(", query ", f);
        put_go_name(f, route->id);
        fputs("Query", f);
    }
    if (stream) {
        fputs(", lastEventID string, each func(SentEvent) error) error {\n\treturn c.stream(ctx, ", f);
        put_path(f, route->path);
        fprintf(f, ", %s, lastEventID, each)\n}\n", query ? "query" : "nil");
        return;
    }
    fputs(", options ...Option) (", f);
    if (route->answer) {
        fputc('*', f);
        put_go_name(f, route->answer->name);
        fputs(", error) {\n\tvar answer ", f);
        put_go_name(f, route->answer->name);
        fputs("\n\terr := ", f);
    } else {
        fputs(route->status == 204 ? "err error) {\n\treturn " : "answer any, err error) {\n\terr = ", f);
    }
    fprintf(f, "c.call(ctx, \"%s\", ", route_verb_name(route->verb));
    put_path(f, route->path);
    fprintf(f, ", %s, %s, %s, ", query ? "query" : "nil", body ? "body" : "nil", route->keyed ? "true" : "false");
    fputs(route->status == 204 ? "nil, options)\n}\n" : "&answer, options)\n", f);
    if (route->answer) fputs("\tif err != nil {\n\t\treturn nil, err\n\t}\n\treturn &answer, nil\n}\n", f);
    else if (route->status != 204) fputs("\treturn answer, err\n}\n", f);
}

void describe_go(FILE *f)
{
    struct contract c;
    contract_collect(&c);
    fputs("// SPDX-License-Identifier: Apache-2.0\n\n"
          "// Code generated by tools/describe_go.c from the route table: change that, then `make docs`. DO NOT EDIT.\n\n"
          "package paddock\n\nimport \"context\"\n", f);
    for (unsigned i = 0; i < c.enum_count; i++) put_words(f, c.enums[i]);
    for (unsigned i = 0; i < c.schema_count; i++) put_struct(f, c.schemas[i]);
    for (unsigned i = 0; i < route_count; i++) {
        put_arg_struct(f, &routes[i], IN_BODY, "Body");
        put_arg_struct(f, &routes[i], IN_QUERY, "Query");
    }
    for (unsigned i = 0; i < route_count; i++) put_call(f, &routes[i]);
}
