/* SPDX-License-Identifier: Apache-2.0 */
/* schema_test.c: the tables of schemas hold together, and say what api_json.c writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/api_json.h"
#include "api/routes.h"

enum { NAMES_MAX = 64 };

struct names {
    char at[NAMES_MAX][ARGS_NAME_MAX];
    bool staff[NAMES_MAX], maybe[NAMES_MAX];
    unsigned count;
};

static void check_member(void *ctx, const struct member *m)
{
    struct names *seen = ctx;
    bool nested = m->type == MEMBER_OBJECT || m->type == MEMBER_LIST;
    assert_true(m->type != MEMBER_FIELD && m->type < MEMBER_TYPE_N);
    assert_true(m->doc && m->doc[0]);
    assert_true(nested == (m->of != NULL));
    assert_true(m->type != MEMBER_TERM || m->names);
    for (unsigned i = 0; i < seen->count; i++) assert_string_not_equal(seen->at[i], m->name);
    assert_true(seen->count < NAMES_MAX);
    seen->staff[seen->count] = m->flags & MEMBER_STAFF;
    seen->maybe[seen->count] = m->flags & MEMBER_MAYBE;
    snprintf(seen->at[seen->count++], ARGS_NAME_MAX, "%s", m->name);
}

static void check_schema(const struct schema *schema, unsigned depth)
{
    struct names seen = {.count = 0};
    assert_true(depth < 6 && schema->name[0] && schema->doc[0]);
    schema_each(schema, check_member, &seen);
    assert_true(seen.count > 0);
    for (unsigned i = 0; i < schema->count; i++) {
        const struct member *m = &schema->members[i];
        bool there = false; /* a name that replaces nothing and is not written either is a slip of the pen */
        for (unsigned k = 0; k < seen.count; k++) there = there || strcmp(seen.at[k], m->name) == 0;
        if (!there) fail_msg("%s has no field \"%s\"", schema->name, m->name);
        if (m->of) check_schema(m->of, depth + 1);
    }
}

static void test_every_schema_of_a_route_makes_sense(void **state)
{
    (void)state;
    check_schema(&schema_problem, 0);
    for (unsigned i = 0; i < route_count; i++) {
        if (routes[i].answer) check_schema(routes[i].answer, 0);
    }
}

/* Names at the first level of a written object. */
static unsigned written_names(struct bytes json, char out[][ARGS_NAME_MAX])
{
    unsigned count = 0, depth = 0;
    for (size_t i = 0; i < json.len; i++) {
        if (json.at[i] == '{' || json.at[i] == '[') depth++;
        if (json.at[i] == '}' || json.at[i] == ']') depth--;
        if (json.at[i] != '"') continue;
        size_t end = i + 1;
        while (json.at[end] != '"') end++; /* nothing here is escaped */
        if (depth == 1 && json.at[end + 1] == ':') {
            snprintf(out[count++], ARGS_NAME_MAX, "%.*s", (int)(end - i - 1), (const char *)json.at + i + 1);
        }
        i = end;
    }
    return count;
}

static void expect_names(const struct schema *schema, bool staff, struct bytes json)
{
    struct names said = {.count = 0};
    char written[NAMES_MAX][ARGS_NAME_MAX];
    unsigned count = written_names(json, written), expected = 0;
    schema_each(schema, check_member, &said);
    for (unsigned i = 0; i < said.count; i++) {
        bool there = false;
        for (unsigned k = 0; k < count; k++) there = there || strcmp(written[k], said.at[i]) == 0;
        bool wanted = said.maybe[i] ? there : staff || !said.staff[i];
        if (there != wanted) fail_msg("%s.%s: %s", schema->name, said.at[i], wanted ? "not written" : "written");
        expected += wanted;
    }
    assert_int_equal(count, expected);
}

static void test_rows_are_written_as_their_schema_says(void **state)
{
    (void)state;
    static uint8_t memory[16384];
    struct buf b = buf_on(memory, sizeof memory);
    struct ride ride = {.id = 1, .state = 4};
    struct vehicle vehicle = {.id = 1, .state = 1};
    struct device device = {.id = 1};
    struct command command = {.id = 1, .op = 1, .state = 1};
    struct event event = {.seq = 1, .kind = 1};
    struct quarantine quarantine = {.id = 1};
    static const enum field_sight sights[] = {SIGHT_STAFF, SIGHT_RIDER};
    for (unsigned i = 0; i < 2; i++) {
        bool staff = sights[i] == SIGHT_STAFF;
#define EXPECT(schema, call)                                       \
    do {                                                           \
        struct json j = (buf_clear(&b), json_on(&b));              \
        call;                                                      \
        expect_names(&schema, staff, buf_bytes(&b));               \
    } while (0)
        EXPECT(schema_ride, api_json_ride(&ride, sights[i], &j));
        EXPECT(schema_vehicle, api_json_vehicle(&vehicle, &device, sights[i], &j));
        EXPECT(schema_event, api_json_event(&event, sights[i], &j));
        EXPECT(schema_receipt, api_json_receipt(&ride, &j));
        if (!staff) continue;
        EXPECT(schema_command, api_json_command(&command, sights[i], &j));
        EXPECT(schema_quarantine, api_json_quarantine(&quarantine, sights[i], &j));
    }
    assert_false(b.full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_schema_of_a_route_makes_sense),
        cmocka_unit_test(test_rows_are_written_as_their_schema_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
