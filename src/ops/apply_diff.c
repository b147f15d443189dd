/* SPDX-License-Identifier: Apache-2.0 */
/* apply_diff.c: what is new, what changes from what to what, what is the same. Values are compared as the route reads
 * them: 57.70 and 57.7 are one position. */
#include <stdlib.h>
#include <string.h>

#include "api/ask.h"
#include "engine/terms.h"
#include "net/client_url.h"
#include "ops/apply_inside.h"

static int order(struct bytes a, struct bytes b)
{
    size_t least = a.len < b.len ? a.len : b.len;
    int o = least ? memcmp(a.at, b.at, least) : 0;
    return o ? o : (a.len > b.len) - (a.len < b.len);
}

static int known_order(const void *a, const void *b)
{
    return order(((const struct apply_known *)a)->name, ((const struct apply_known *)b)->name);
}

void apply_sort_known(struct apply_known_list *known)
{
    if (known->count) qsort(known->at, known->count, sizeof *known->at, known_order);
}

const struct json_in *apply_find_known(const struct apply_known_list *known, struct bytes name)
{
    struct apply_known wanted = {.name = name};
    const struct apply_known *found = known->count ? bsearch(&wanted, known->at, known->count, sizeof wanted, known_order)
                                                   : NULL;
    return found ? found->object : NULL;
}

/* Addresses often carry a password of their own: who is called is told, and no more. */
static void put_url(struct buf *b, struct bytes text)
{
    struct client_url url;
    if (client_url_parse(text, &url).code) {
        buf_put_text(b, "no address");
        return;
    }
    buf_put_text(b, url.https ? "https://" : "http://");
    buf_put_bytes(b, url.host);
    if (url.port.len) buf_put_char(b, ':');
    buf_put_bytes(b, url.port);
    buf_put_text(b, "/...");
}

static void put_list(struct buf *b, const struct arg_row *row, const struct arg *arg, const struct json_in *object)
{
    struct json_in_value v;
    if (row->type == ARG_TERMS) {
        for (unsigned i = 0, put = 0; i < row->names->count && i < 63; i++) {
            if (!((uint64_t)arg->number >> i & 1)) continue;
            buf_put_text(b, put++ ? "," : "");
            buf_put_text(b, row->names->names[i]);
        }
        return;
    }
    for (size_t i = 0; json_in_item_value(object, row->name, i, &v); i++) {
        buf_put_text(b, i ? "," : "");
        buf_put_bytes(b, v.text);
    }
}

/* `object` is where the value stands. */
static void put_value(FILE *out, const struct arg_row *row, const struct arg *arg, const struct json_in *object)
{
    char memory[2048];
    struct buf b = buf_on(memory, sizeof memory);
    int64_t number = arg->given ? arg->number : 0;
    bool list = row->type == ARG_TERMS || row->type == ARG_CITIES;
    if (row->type == ARG_WHOLE) buf_put_i64(&b, number);
    else if (row->type == ARG_DEGREES) buf_put_decimal(&b, number, 7);
    else if (row->type == ARG_BOOL) buf_put_text(&b, number ? "true" : "false");
    else if (list && !number) buf_put_text(&b, "all");
    else if (list) put_list(&b, row, arg, object);
    else if (!arg->given) buf_put_text(&b, "none");
    else if (row->type == ARG_TERM) buf_put_text(&b, enum_name(row->names, (unsigned)arg->number));
    else if (!strcmp(row->name, "url")) put_url(&b, arg->text);
    else buf_put_bytes(&b, arg->text);
    fwrite(b.at, 1, b.len, out);
}

/* Each of `a` among `b`. */
static bool all_among(const struct json_in *a, const struct json_in *b, const char *list)
{
    struct json_in_value v, w;
    for (size_t i = 0; json_in_item_value(a, list, i, &v); i++) {
        bool found = false;
        for (size_t k = 0; !found && json_in_item_value(b, list, k, &w); k++) found = bytes_equal(v.text, w.text);
        if (!found) return false;
    }
    return true;
}

/* What is not given means 0, false, nothing or, of a list, all, as to the server. */
static bool same_value(const struct arg_row *row, const struct arg *a, const struct json_in *of_a, const struct arg *b,
                       const struct json_in *of_b)
{
    bool number = row->type == ARG_WHOLE || row->type == ARG_DEGREES || row->type == ARG_BOOL || row->type == ARG_TERM ||
                  row->type == ARG_TERMS;
    if (number) return (a->given ? a->number : 0) == (b->given ? b->number : 0);
    if (row->type == ARG_CITIES) {
        return a->given == b->given && (!a->given || (all_among(of_a, of_b, row->name) && all_among(of_b, of_a, row->name)));
    }
    return bytes_equal(a->given ? a->text : bytes_of(NULL, 0), b->given ? b->text : bytes_of(NULL, 0));
}

/* Where the server makes something else of nothing. */
static void fill_in(const struct apply_list *list, const struct arg_row *row, struct arg *arg)
{
    if (arg->given || strcmp(list->kind->member, "hooks")) return;
    if (!strcmp(row->name, "deadline_ms")) *arg = (struct arg){.given = true, .number = ASK_HOOK_DEADLINE_MS};
    if (!strcmp(row->name, "default")) *arg = (struct arg){.given = true, .number = VERDICT_ALLOW};
}

/* A further public code: is it among the vehicle's? */
static bool among_codes(const struct json_in *known, struct bytes code)
{
    size_t count = json_in_count(known, "codes");
    struct json_in_value v;
    for (size_t i = 0; i < count; i++) {
        if (json_in_item_value(known, "codes", i, &v) && bytes_equal(v.text, code)) return true;
    }
    return false;
}

static bool starts(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

/* Does the member differ? *from is what the server has, *to what it is to have. */
static bool differs(const struct apply_list *list, const struct args *args, unsigned i, const struct json_in *known,
                    struct arg *from, struct arg *to)
{
    const struct arg_row *row = &args->rows[i];
    struct json_in_value v;
    *from = (struct arg){.given = false};
    *to = args->at[i];
    if (row->where != IN_BODY || (list->kind->keeps && !to->given)) return false;
    if (!strcmp(row->name, "add_code")) return !among_codes(known, to->text);
    if (starts(row->name, "password_")) return to->given && apply_needs_password(list, args, known);
    if (!json_in_get(known, row->name, &v)) return false; /* ours alone, like secret_file */
    fill_in(list, row, to);
    if (args_member(row, known, from) || (v.kind == JSON_IN_TEXT && !v.text.len)) from->given = false;
    return !same_value(row, to, args->object, from, known);
}

/* Members that differ; told to `out` as "name: from -> to". */
static unsigned differences(const struct apply_list *list, const struct args *args, const struct json_in *known, FILE *out)
{
    unsigned count = 0;
    for (unsigned i = 0; i < args->count; i++) {
        struct arg from, to;
        if (!differs(list, args, i, known, &from, &to)) continue;
        count++;
        if (!out) continue;
        fprintf(out, "%s%s: ", count > 1 ? ", " : "", args->rows[i].name);
        put_value(out, &args->rows[i], &from, known);
        fputs(" -> ", out);
        put_value(out, &args->rows[i], &to, args->object);
    }
    return count;
}

static void tell(const struct apply_list *list, const struct apply_thing *thing, const struct args *args,
                 const struct json_in *known, FILE *out)
{
    fprintf(out, "  %c %s%s%.*s  ", known ? '~' : '+', list->kind->member, thing->name.len ? " " : "",
            (int)thing->name.len, thing->name.len ? (const char *)thing->name.at : "");
    if (known) differences(list, args, known, out);
    else fputs("new", out);
    if (!known && list->has_password && !apply_needs_password(list, args, NULL)) {
        fputs(", without a password: cannot sign in before one is set", out);
    }
    fputc('\n', out);
}

void apply_compare(struct apply *a, unsigned kind, FILE *out)
{
    struct apply_list *list = &a->lists[kind];
    uint32_t told = 0, untold = 0;
    memset(list->states, 0, sizeof list->states);
    for (uint32_t i = 0; i < list->count; i++) {
        struct apply_thing *thing = &list->things[i];
        struct args args;
        apply_args(list, thing, &args);
        const struct json_in *known = apply_find_known(&a->known[kind], thing->name);
        thing->state = !known ? APPLY_NEW : differences(list, &args, known, NULL) ? APPLY_CHANGED : APPLY_SAME;
        list->states[thing->state]++;
        if (out && thing->state != APPLY_SAME) {
            if (told < APPLY_LINES_SHOWN) tell(list, thing, &args, known, out);
            else untold++;
            told++;
        }
        args_fini(&args);
    }
    if (untold) fprintf(out, "    and %u more %s\n", untold, list->kind->member);
}
