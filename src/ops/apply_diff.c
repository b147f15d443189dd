/* SPDX-License-Identifier: Apache-2.0 */
/* apply_diff.c: what is new, what changes from what to what, what is the same. Values are compared as the route reads
 * them: 57.70 and 57.7 are one position. */
#include <stdlib.h>
#include <string.h>

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

static void put_value(FILE *out, const struct arg_row *row, const struct arg *arg)
{
    char memory[160];
    struct buf b = buf_on(memory, sizeof memory);
    int64_t number = arg->given ? arg->number : 0;
    if (row->type == ARG_WHOLE) buf_put_i64(&b, number);
    else if (row->type == ARG_DEGREES) buf_put_decimal(&b, number, 7);
    else if (row->type == ARG_BOOL) buf_put_text(&b, number ? "true" : "false");
    else if (!arg->given) buf_put_text(&b, "none");
    else if (row->type == ARG_TERM) buf_put_text(&b, enum_name(row->names, (unsigned)arg->number));
    else buf_put_bytes(&b, arg->text);
    fwrite(b.at, 1, b.len, out);
}

/* What is not given means 0, false or nothing, as to the server. */
static bool same_value(const struct arg_row *row, const struct arg *a, const struct arg *b)
{
    bool number = row->type == ARG_WHOLE || row->type == ARG_DEGREES || row->type == ARG_BOOL || row->type == ARG_TERM;
    if (number) return (a->given ? a->number : 0) == (b->given ? b->number : 0);
    return bytes_equal(a->given ? a->text : bytes_of(NULL, 0), b->given ? b->text : bytes_of(NULL, 0));
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

/* Members that differ; told to `out` as "name: from -> to". */
static unsigned differences(const struct apply_list *list, const struct args *args, const struct json_in *known, FILE *out)
{
    unsigned count = 0;
    for (unsigned i = 0; i < args->count; i++) {
        const struct arg_row *row = &args->rows[i];
        const struct arg *to = &args->at[i];
        struct arg from = {.given = false};
        struct json_in_value v;
        if (row->where != IN_BODY || (list->kind->keeps && !to->given)) continue;
        if (strcmp(row->name, "add_code") == 0) {
            if (among_codes(known, to->text)) continue;
        } else {
            if (!json_in_get(known, row->name, &v)) continue; /* never shown, like a password */
            if (args_member(row, known, &from)) from.given = false;
            if (same_value(row, to, &from)) continue;
        }
        count++;
        if (!out) continue;
        fprintf(out, "%s%s: ", count > 1 ? ", " : "", row->name);
        put_value(out, row, &from);
        fputs(" -> ", out);
        put_value(out, row, to);
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
