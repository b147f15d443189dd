/* SPDX-License-Identifier: Apache-2.0 */
/* json.c: request bodies through the reader and the field checks of every route.
 *
 * Holds   a document that parses has its members found by the names that it gives; faults are named; values that are
 *         given lie within their rows' limits */
#include <stdint.h>
#include <string.h>

#include "api/routes.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void has_it(void *ctx, const char *name)
{
    struct json_in_value v;
    must(json_in_get(ctx, name, &v));
}

static void check(const struct args *a, struct err e)
{
    must((e.code == ERR_INVALID) <= (a->fault_count > 0));
    for (unsigned i = 0; i < a->fault_count && i < ARGS_FAULTS_MAX; i++) {
        must(a->faults[i].why[0] && memchr(a->faults[i].field, 0, ARGS_NAME_MAX));
    }
    for (unsigned i = 0; i < a->count && !e.code; i++) {
        const struct arg_row *row = &a->rows[i];
        const struct arg *arg = &a->at[i];
        must(arg->given || !row->required);
        if (!arg->given) continue;
        bool number = row->type == ARG_WHOLE || row->type == ARG_DEGREES;
        if (number) must(arg->number >= row->min && arg->number <= row->max);
        if (row->type <= ARG_IDENT) must((int64_t)arg->text.len >= row->min && (int64_t)arg->text.len <= row->max);
        if (row->type == ARG_TERM) must(row->names->names[arg->number]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct args args;
    struct json_in *doc;
    struct bytes in = bytes_of(data, size);
    json_in_seed(7);
    struct err e = json_in_parse(in, &doc);
    must((doc != NULL) == !e.code);
    if (doc) json_in_names(doc, has_it, doc);
    json_in_free(doc);
    if (!size) return 0;
    /* The first byte chooses a route, the rest is query and body, parted by a NUL. */
    const struct route *route = &routes[data[0] % route_count];
    struct bytes body = bytes_of(data + 1, size - 1);
    struct bytes query = bytes_split(&body, 0);
    struct http_request request = {.verb = route->verb, .path = bytes_text("/v1/vehicles/SE-0042/commands"),
                                   .query = query, .body = body};
    e = args_read(&args, route->args, route->arg_count, route->path, &request);
    check(&args, e);
    args_fini(&args);
    return 0;
}
