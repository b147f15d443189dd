/* SPDX-License-Identifier: Apache-2.0 */
/* apply_file.c: the file: read whole, checked whole. What may stand in it follows from the rows of the routes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "ops/apply_inside.h"

/* In the order in which they are declared: what others name stands first. */
const struct apply_kind apply_kinds[APPLY_KINDS] = {
    {"operator", "putOperator", "/v1/operator", "operator", NULL, true, false},
    {"legal_entities", "putLegalEntity", "/v1/legal-entities", "legal_entities", "legal_entity", false, false},
    {"cities", "putCity", "/v1/cities", "cities", "city", false, false},
    {"vehicle_types", "putVehicleType", "/v1/vehicle-types", "vehicle_types", "vehicle_type", false, false},
    {"plans", "putPlan", "/v1/plans", "plans", NULL, false, false},
    {"vehicles", "putVehicle", "/v1/fleet", "fleet", NULL, false, true},
};

void *apply_memory(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (memory) return memory;
    fprintf(stderr, "paddock apply: no memory\n");
    exit(APPLY_REFUSED);
}

static void fault(struct apply *a, const struct apply_list *list, uint32_t index, const char *field, const char *why)
{
    if (a->fault_count++ >= APPLY_FAULTS_SHOWN) return;
    fprintf(stderr, "%s: %s", a->path, list->kind->member);
    if (!list->kind->single) fprintf(stderr, "[%u]", index);
    fprintf(stderr, "%s%s: %s\n", field[0] ? "." : "", field, why);
}

static int read_text(struct apply *a, struct bytes *out)
{
    FILE *f = strcmp(a->path, "-") ? fopen(a->path, "rb") : stdin;
    size_t len = 0, cap = 1 << 16;
    if (!f) {
        fprintf(stderr, "paddock apply: %s: %s\n", a->path, strerror(errno));
        return APPLY_FAULTY;
    }
    a->text = apply_memory(cap);
    for (;;) {
        size_t got = fread(a->text + len, 1, cap - len, f);
        if (!got) break;
        len += got;
        if (len < cap) continue;
        char *more = cap < APPLY_FILE_MAX ? realloc(a->text, cap *= 2) : NULL;
        if (!more) break;
        a->text = more;
    }
    bool failed = ferror(f), too_long = len == cap;
    if (f != stdin) fclose(f);
    if (failed || too_long) {
        fprintf(stderr, "paddock apply: %s: %s\n", a->path, failed ? "cannot be read" : "is too long");
        return APPLY_FAULTY;
    }
    *out = bytes_of(a->text, len);
    return APPLY_DONE;
}

/* ---- one thing ---- */

void apply_args(const struct apply_list *list, const struct apply_thing *thing, struct args *args)
{
    struct err e = args_read_object(args, list->route->args, list->route->arg_count, thing->object);
    must(!e.code);
}

static void check_thing(struct apply *a, const struct apply_list *list, struct apply_thing *thing)
{
    struct args args;
    if (!thing->object) {
        fault(a, list, thing->index, "", "is not an object");
        return;
    }
    struct err e = args_read_object(&args, list->route->args, list->route->arg_count, thing->object);
    for (unsigned i = 0; i < args.fault_count && i < ARGS_FAULTS_MAX; i++) {
        fault(a, list, thing->index, args.faults[i].field, args.faults[i].why);
    }
    must(e.code || !args.fault_count);
    if (list->key && args_get(&args, list->key)->given) thing->name = args_get(&args, list->key)->text;
    args_fini(&args);
}

static void find_things(struct apply *a, struct apply_list *list)
{
    struct json_in_value v;
    const char *member = list->kind->member;
    if (!json_in_get(a->file, member, &v)) return;
    if (v.kind != (list->kind->single ? JSON_IN_OBJECT : JSON_IN_LIST)) {
        a->fault_count++;
        fprintf(stderr, "%s: %s: is not %s\n", a->path, member, list->kind->single ? "an object" : "a list");
        return;
    }
    list->count = list->kind->single ? 1 : (uint32_t)json_in_count(a->file, member);
    list->things = apply_memory(list->count * sizeof *list->things);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct json_in *object = list->kind->single ? json_in_object(a->file, member)
                                                          : json_in_item(a->file, member, i);
        list->things[i] = (struct apply_thing){.object = object, .index = i};
        check_thing(a, list, &list->things[i]);
    }
}

/* ---- all of them together ---- */

static int by_name(const void *a, const void *b)
{
    const struct apply_thing *const *x = a, *const *y = b;
    struct bytes n = (*x)->name, m = (*y)->name;
    int order = memcmp(n.at ? n.at : (const uint8_t *)"", m.at ? m.at : (const uint8_t *)"", n.len < m.len ? n.len : m.len);
    if (order) return order;
    if (n.len != m.len) return n.len < m.len ? -1 : 1;
    return (*x)->index < (*y)->index ? -1 : 1;
}

static void check_names(struct apply *a, const struct apply_list *list)
{
    if (list->kind->single || !list->count) return;
    struct apply_thing **sorted = apply_memory(list->count * sizeof *sorted);
    for (uint32_t i = 0; i < list->count; i++) sorted[i] = &list->things[i];
    qsort(sorted, list->count, sizeof *sorted, by_name);
    for (uint32_t i = 1; i < list->count; i++) {
        if (!sorted[i]->name.len || !bytes_equal(sorted[i]->name, sorted[i - 1]->name)) continue;
        char why[64];
        snprintf(why, sizeof why, "is the same as in %s[%u]", list->kind->member, sorted[i - 1]->index);
        fault(a, list, sorted[i]->index, list->key, why);
    }
    free(sorted);
}

/* ---- what they name ---- */

static const struct apply_kind *kind_named_by(const char *arg, unsigned *kind)
{
    for (*kind = 0; *kind < APPLY_KINDS; (*kind)++) {
        const char *named_by = apply_kinds[*kind].named_by;
        if (named_by && !strcmp(named_by, arg)) return &apply_kinds[*kind];
    }
    return NULL;
}

static void check_references_of(struct apply *a, const struct apply_list *list, const struct apply_thing *thing,
                                const struct apply_known_list in_file[APPLY_KINDS])
{
    struct args args;
    apply_args(list, thing, &args);
    for (unsigned i = 0; i < args.count; i++) {
        unsigned kind;
        const struct arg *arg = &args.at[i];
        if (args.rows[i].where != IN_BODY || !arg->given || !kind_named_by(args.rows[i].name, &kind)) continue;
        if (apply_find_known(&in_file[kind], arg->text) || apply_find_known(&a->known[kind], arg->text)) continue;
        char why[128];
        snprintf(why, sizeof why, "\"%.*s\" is neither in this file nor on the server", (int)arg->text.len,
                 (const char *)arg->text.at);
        fault(a, list, thing->index, args.rows[i].name, why);
    }
    args_fini(&args);
}

void apply_check_references(struct apply *a)
{
    struct apply_known_list in_file[APPLY_KINDS] = {{.count = 0}};
    for (unsigned k = 0; k < APPLY_KINDS; k++) {
        const struct apply_list *list = &a->lists[k];
        if (!apply_kinds[k].named_by || !list->count) continue;
        in_file[k].at = apply_memory(list->count * sizeof *in_file[k].at);
        for (uint32_t i = 0; i < list->count; i++) {
            in_file[k].at[in_file[k].count++] = (struct apply_known){list->things[i].name, list->things[i].object};
        }
        apply_sort_known(&in_file[k]);
    }
    for (unsigned k = 0; k < APPLY_KINDS; k++) {
        for (uint32_t i = 0; i < a->lists[k].count; i++) check_references_of(a, &a->lists[k], &a->lists[k].things[i], in_file);
    }
    for (unsigned k = 0; k < APPLY_KINDS; k++) free(in_file[k].at);
}

static void check_member(void *ctx, const char *name)
{
    struct apply *a = ctx;
    for (unsigned k = 0; k < APPLY_KINDS; k++) {
        if (a->lists[k].route && !strcmp(apply_kinds[k].member, name)) return;
    }
    a->fault_count++;
    fprintf(stderr, "%s: %s: is nothing that can be declared\n", a->path, name);
}

static void find_route(struct apply_list *list)
{
    for (unsigned i = 0; i < route_count; i++) {
        if (strcmp(routes[i].id, list->kind->put) == 0) list->route = &routes[i];
    }
    for (unsigned i = 0; list->route && i < list->route->arg_count; i++) {
        if (list->route->args[i].where == IN_PATH) list->key = list->route->args[i].name;
    }
}

int apply_read_file(struct apply *a)
{
    static const struct json_in_limits limits = {.bytes_max = APPLY_FILE_MAX, .depth_max = 8, .values_max = 20000000};
    struct json_in_place place;
    struct bytes text;
    int code = read_text(a, &text);
    if (code) return code;
    struct err e = json_in_parse_within(text, &limits, &a->file, &place);
    if (e.code) {
        fprintf(stderr, "%s:%d:%d: %s\n", a->path, place.line, place.column, place.text[0] ? place.text : e.why);
        return APPLY_FAULTY;
    }
    for (unsigned k = 0; k < APPLY_KINDS; k++) {
        a->lists[k] = (struct apply_list){.kind = &apply_kinds[k]};
        find_route(&a->lists[k]);
    }
    json_in_names(a->file, check_member, a);
    for (unsigned k = 0; k < APPLY_KINDS; k++) {
        if (a->lists[k].route) find_things(a, &a->lists[k]);
        check_names(a, &a->lists[k]);
    }
    return a->fault_count ? APPLY_FAULTY : APPLY_DONE;
}
