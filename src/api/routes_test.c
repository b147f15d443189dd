/* SPDX-License-Identifier: Apache-2.0 */
/* routes_test.c: the table holds together: every name in a path has its row, every row makes sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/routes.h"
#include "proto/codec.h"

static void test_names_in_paths_are_described_and_the_other_way_round(void **state)
{
    (void)state;
    for (unsigned i = 0; i < route_count; i++) {
        const struct route *r = &routes[i];
        unsigned described = 0, named = 0;
        for (const char *c = r->path; *c; c++) named += *c == '{';
        for (unsigned a = 0; a < r->arg_count; a++) {
            char name[64];
            snprintf(name, sizeof name, "{%s}", r->args[a].name);
            if (r->args[a].where != IN_PATH) continue;
            assert_non_null(strstr(r->path, name));
            described++;
        }
        assert_int_equal(described, named);
    }
}

static void test_rows_make_sense(void **state)
{
    (void)state;
    assert_true(route_count <= ROUTES_MAX);
    for (unsigned i = 0; i < route_count; i++) {
        const struct route *r = &routes[i];
        assert_true((r->roles || r->flags & ROUTE_PUBLIC) && r->fn && r->summary[0] && r->arg_count <= ARGS_MAX);
        assert_true(strncmp(r->path, "/v1/", 4) == 0 || strcmp(r->path, "/openapi.json") == 0);
        bool unkeyed = r->flags & ROUTE_UNKEYED; /* PUTs are idempotent by nature */
        assert_int_equal(r->keyed, r->verb == HTTP_VERB_POST && !unkeyed);
        assert_true(r->scope < SCOPE_N && (r->scope == SCOPE_NOBODY) == ((r->flags & ROUTE_PUBLIC) != 0));
        for (unsigned a = 0; a < r->arg_count; a++) {
            const struct arg_row *row = &r->args[a];
            assert_true(strlen(row->name) < ARGS_NAME_MAX && row->doc[0]);
            assert_true((row->type == ARG_TERM || row->type == ARG_TERMS) == (row->names != NULL));
            assert_true(row->where != IN_BODY || r->verb != HTTP_VERB_GET);
            bool bounded = row->type <= ARG_WHOLE || row->type == ARG_DEGREES;
            assert_true(!bounded || row->max > row->min || row->type == ARG_CODE);
            if (row->type == ARG_TERM && strcmp(row->name, "protocol") == 0) {
                for (unsigned v = 1; v < row->names->count; v++) {
                    assert_string_equal(row->names->names[v], codec_by_protocol((uint8_t)v)->name);
                }
            }
        }
    }
}

static bool takes(const struct route *r, const char *name)
{
    for (unsigned a = 0; a < r->arg_count; a++) {
        if (r->args[a].where == IN_QUERY && strcmp(r->args[a].name, name) == 0) return true;
    }
    return false;
}

/* What the contract is made of: without it a route is in no client. */
static void test_every_row_says_what_it_answers(void **state)
{
    (void)state;
    for (unsigned i = 0; i < route_count; i++) {
        const struct route *r = &routes[i];
        if (!r->id || r->tag >= TAG_N || !r->status) fail_msg("%s has no id, tag or status", r->path);
        for (const char *c = r->id; *c; c++) {
            bool small = *c >= 'a' && *c <= 'z', large = *c >= 'A' && *c <= 'Z';
            if (!small && (!large || c == r->id)) fail_msg("%s: \"%s\" is no name like startRide", r->path, r->id);
        }
        for (unsigned k = 0; k < i; k++) assert_string_not_equal(r->id, routes[k].id);
        if ((r->status == 204 || r->flags & ROUTE_PLAIN) == (r->answer != NULL)) fail_msg("%s: an answer, or 204", r->path);
        if (r->flags & ROUTE_PAGED && !(takes(r, "limit") && (takes(r, "after") || takes(r, "before")))) {
            fail_msg("%s: a page without limit and cursor", r->path);
        }
    }
}

static void test_literal_paths_win_over_names(void **state)
{
    (void)state;
    uint32_t verbs;
    assert_string_equal(route_find(HTTP_VERB_GET, bytes_text("/v1/rides/current"), &verbs)->path, "/v1/rides/current");
    assert_string_equal(route_find(HTTP_VERB_GET, bytes_text("/v1/rides/other"), &verbs)->path, "/v1/rides/{id}");
    assert_string_equal(route_find(HTTP_VERB_HEAD, bytes_text("/v1/vehicles"), &verbs)->path, "/v1/vehicles");
    assert_null(route_find(HTTP_VERB_DELETE, bytes_text("/v1/rides/other"), &verbs));
    assert_int_equal(verbs, 1u << HTTP_VERB_GET | 1u << HTTP_VERB_HEAD);
    static const char *const none[] = {"/", "/v1", "/v1/", "/v1/rides/", "/v1//current", "/v1/rides/a/b",
                                       "/v2/rides", "v1/rides"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_null(route_find(HTTP_VERB_GET, bytes_text(none[i]), &verbs));
        assert_int_equal(verbs, 0);
    }
}

static void test_no_two_rows_are_the_same(void **state)
{
    (void)state;
    for (unsigned i = 0; i < route_count; i++) {
        for (unsigned k = 0; k < i; k++) {
            assert_true(routes[i].verb != routes[k].verb || strcmp(routes[i].path, routes[k].path) != 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_in_paths_are_described_and_the_other_way_round),
        cmocka_unit_test(test_rows_make_sense),
        cmocka_unit_test(test_every_row_says_what_it_answers),
        cmocka_unit_test(test_literal_paths_win_over_names),
        cmocka_unit_test(test_no_two_rows_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
