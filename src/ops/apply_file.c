/* SPDX-License-Identifier: Apache-2.0 */
/* apply_file.c: the file: read whole, checked whole. What may stand in it follows from the rows of the routes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "ops/apply_inside.h"

/* In the order in which they are declared: what others name stands first. */
const struct apply_kind apply_kinds[APPLY_KINDS] = {
    {"operator", "putOperator", "/v1/operator", "operator", .single = true},
    {"legal_entities", "putLegalEntity", "/v1/legal-entities", "legal_entities", .named_by = "legal_entity"},
    {"cities", "putCity", "/v1/cities", "cities", .named_by = "city"},
    {"vehicle_types", "putVehicleType", "/v1/vehicle-types", "vehicle_types", .named_by = "vehicle_type"},
    {"plans", "putPlan", "/v1/plans", "plans", .named_by = NULL},
    {"vehicles", "putVehicle", "/v1/fleet", "fleet", .keeps = true},
    {"webhooks", "putWebhook", "/v1/webhooks/", "webhook", .one_by_one = true},
    {"hooks", "putHook", "/v1/hooks/", "hook", .one_by_one = true},
    /* Last: whoever changes themselves is signed out. Each costs the server a hash that is slow on purpose: those who sign in
     * meanwhile find a place, too. */
    {"staff", "putStaff", "/v1/staff", "staff", .at_once = 4},
};

void *apply_memory(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (memory) return memory;
    fprintf(stderr, "paddock apply: no memory\n");
    exit(APPLY_REFUSED);
}

void apply_fault(struct apply *a, const struct apply_list *list, uint32_t index, const char *field, const char *why)
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
    struct err e = args_read_object(args, list->rows, list->row_count, thing->object);
    must(!e.code);
}

static const char *better(const struct fault *fault)
{
    if (!strcmp(fault->field, "password")) return "does not stand in a file that is kept: use password_env or password_file";
    if (!strcmp(fault->field, "new_secret")) return "would make another one each time: PUT it by hand";
    return fault->why;
}

static void check_password_source(struct apply *a, const struct apply_list *list, const struct apply_thing *thing,
                                  const struct args *args)
{
    if (!list->has_password || !args_get(args, "password_env")->given || !args_get(args, "password_file")->given) return;
    apply_fault(a, list, thing->index, "password_file", "or password_env, not both");
}

static void check_thing(struct apply *a, const struct apply_list *list, struct apply_thing *thing)
{
    struct args args;
    if (!thing->object) {
        apply_fault(a, list, thing->index, "", "is not an object");
        return;
    }
    struct err e = args_read_object(&args, list->rows, list->row_count, thing->object);
    for (unsigned i = 0; i < args.fault_count && i < ARGS_FAULTS_MAX; i++) {
        apply_fault(a, list, thing->index, args.faults[i].field, better(&args.faults[i]));
    }
    must(e.code || !args.fault_count);
    check_password_source(a, list, thing, &args);
    for (unsigned i = 0; i < args.count; i++) {
        const struct arg_row *row = &args.rows[i];
        if (row->where != IN_PATH || !args.at[i].given) continue;
        thing->name = row->type == ARG_TERM ? bytes_text(enum_name(row->names, (unsigned)args.at[i].number)) : args.at[i].text;
    }
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
        apply_fault(a, list, sorted[i]->index, list->key, why);
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

static void check_reference(struct apply *a, const struct apply_list *list, const struct apply_thing *thing,
                            const struct apply_known_list in_file[APPLY_KINDS], const char *field, struct bytes name)
{
    unsigned kind;
    char why[128];
    if (!kind_named_by(strcmp(field, "cities") ? field : "city", &kind)) return;
    if (apply_find_known(&in_file[kind], name) || apply_find_known(&a->known[kind], name)) return;
    snprintf(why, sizeof why, "\"%.*s\" is neither in this file nor on the server", (int)name.len, (const char *)name.at);
    apply_fault(a, list, thing->index, field, why);
}

static void check_references_of(struct apply *a, const struct apply_list *list, const struct apply_thing *thing,
                                const struct apply_known_list in_file[APPLY_KINDS])
{
    struct args args;
    apply_args(list, thing, &args);
    for (unsigned i = 0; i < args.count; i++) {
        const struct arg *arg = &args.at[i];
        const struct arg_row *row = &args.rows[i];
        if (row->where != IN_BODY || !arg->given) continue;
        if (row->type != ARG_CITIES) check_reference(a, list, thing, in_file, row->name, arg->text);
        for (size_t c = 0; row->type == ARG_CITIES && c < (size_t)arg->number; c++) {
            check_reference(a, list, thing, in_file, row->name, args_code(&args, row->name, c));
        }
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
    static const struct arg_row password_env = {"password_env", IN_BODY, ARG_CODE, false, 1, APPLY_VARIABLE_MAX, NULL, ""};
    static const struct arg_row password_file = {"password_file", IN_BODY, ARG_TEXT, false, 1, APPLY_PATH_MAX, NULL, ""};
    static const struct arg_row secret_file = {"secret_file", IN_BODY, ARG_TEXT, false, 1, APPLY_PATH_MAX, NULL, ""};
    for (unsigned i = 0; i < route_count; i++) {
        if (strcmp(routes[i].id, list->kind->put) == 0) list->route = &routes[i];
    }
    for (unsigned i = 0; list->route && i < list->route->arg_count; i++) {
        const struct arg_row *row = &list->route->args[i];
        if (row->where == IN_PATH) list->key = row->name;
        if (!strcmp(row->name, "password")) list->has_password = true;
        else if (!strcmp(row->name, "new_secret")) list->has_secret = true;
        else list->rows[list->row_count++] = *row;
    }
    must(list->row_count + 3 <= ARGS_MAX || !(list->has_password || list->has_secret));
    if (list->has_password) {
        list->rows[list->row_count++] = password_env;
        list->rows[list->row_count++] = password_file;
    }
    if (list->has_secret) list->rows[list->row_count++] = secret_file;
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
