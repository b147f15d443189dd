/* SPDX-License-Identifier: Apache-2.0 */
/* openapi_test.c: the document is JSON, names every route, and leads nowhere that is not there. tests/openapi.py lints it
 * and holds real answers against it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/contract.h"
#include "api/openapi.h"

static char *document(void)
{
    static char memory[OPENAPI_MAX];
    struct buf b = buf_on(memory, sizeof memory - 1);
    openapi_put(&b);
    assert_false(b.full);
    assert_true(b.len < OPENAPI_MAX / 2); /* time to raise the limit */
    memory[b.len] = 0;
    return memory;
}

/* Every bracket finds its own; that it is JSON, and good OpenAPI, others say (tests/openapi.py). */
static void test_it_is_one_object(void **state)
{
    (void)state;
    char open[32];
    unsigned depth = 0, objects = 0;
    bool in_text = false;
    for (const char *c = document(); *c; c++) {
        if (in_text && *c == '\\') c++;
        else if (*c == '"') in_text = !in_text;
        else if (in_text) continue;
        else if (*c == '{' || *c == '[') {
            assert_true(depth < sizeof open);
            open[depth++] = *c == '{' ? '}' : ']';
        } else if (*c == '}' || *c == ']') {
            assert_true(depth > 0);
            assert_int_equal(open[--depth], *c);
            objects += depth == 0;
        }
    }
    assert_int_equal(depth, 0);
    assert_int_equal(objects, 1);
}

static void test_it_names_every_route_and_every_argument(void **state)
{
    (void)state;
    const char *doc = document();
    char wanted[128];
    for (unsigned i = 0; i < route_count; i++) {
        snprintf(wanted, sizeof wanted, "\"operationId\":\"%s\"", routes[i].id);
        if (!strstr(doc, wanted)) fail_msg("no %s", wanted);
        for (unsigned a = 0; a < routes[i].arg_count; a++) {
            const struct arg_row *row = &routes[i].args[a];
            snprintf(wanted, sizeof wanted, row->where == IN_BODY ? "\"%s\":{" : "\"name\":\"%s\"", row->name);
            if (!strstr(doc, wanted)) fail_msg("no %s", wanted);
        }
    }
}

static void test_every_reference_leads_somewhere(void **state)
{
    (void)state;
    const char *doc = document();
    unsigned count = 0;
    for (const char *at = strstr(doc, "\"$ref\":\""); at; at = strstr(at + 1, "\"$ref\":\"")) {
        const char *end = strchr(at + 8, '"'), *name = end;
        char wanted[128];
        while (name[-1] != '/') name--;
        snprintf(wanted, sizeof wanted, "\"%.*s\":{", (int)(end - name), name);
        if (!strstr(doc, wanted)) fail_msg("nothing at %.*s", (int)(end - at), at);
        count++;
    }
    assert_true(count > route_count);
}

static void test_types_are_named_in_one_case(void **state)
{
    (void)state;
    static const struct { const char *from, *to; } names[] = {
        {"vehicle_state", "VehicleState"}, {"startRide", "StartRide"}, {"Ride", "Ride"}, {"a_b_c", "ABC"},
    };
    char memory[64];
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        struct buf b = buf_on(memory, sizeof memory);
        contract_put_type(&b, names[i].from);
        assert_true(bytes_equal_text(buf_bytes(&b), names[i].to));
    }
}

static void test_the_contract_names_each_type_once(void **state)
{
    (void)state;
    struct contract c;
    contract_collect(&c); /* two schemas or enums of one name would stop here */
    assert_true(c.schema_count > 5 && c.enum_count > 5);
    for (unsigned i = 0; i < c.schema_count; i++) {
        for (unsigned k = 0; k < c.enum_count; k++) {
            char memory[64];
            struct buf b = buf_on(memory, sizeof memory);
            contract_put_type(&b, c.enums[k]->name);
            if (bytes_equal_text(buf_bytes(&b), c.schemas[i]->name)) fail_msg("%s: two types", c.schemas[i]->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_one_object),
        cmocka_unit_test(test_it_names_every_route_and_every_argument),
        cmocka_unit_test(test_every_reference_leads_somewhere),
        cmocka_unit_test(test_types_are_named_in_one_case),
        cmocka_unit_test(test_the_contract_names_each_type_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
