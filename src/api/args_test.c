/* SPDX-License-Identifier: Apache-2.0 */
/* args_test.c: described fields, from path, query and body. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/args.h"
#include "engine/terms.h"

static const struct arg_row rows[] = {
    {"id", IN_PATH, ARG_UUID, true, 0, 0, NULL, ""},
    {"limit", IN_QUERY, ARG_WHOLE, false, 1, 100, NULL, ""},
    {"before", IN_QUERY, ARG_CURSOR, false, 0, 0, NULL, ""},
    {"name", IN_BODY, ARG_TEXT, true, 1, 8, NULL, ""},
    {"lat", IN_BODY, ARG_DEGREES, false, -900000000, 900000000, NULL, ""},
    {"op", IN_BODY, ARG_TERM, false, 0, 0, &command_op_names, ""},
    {"on", IN_BODY, ARG_BOOL, false, 0, 1, NULL, ""},
    {"cities", IN_BODY, ARG_CITIES, false, 1, 2, NULL, ""},
    {"q", IN_QUERY, ARG_TEXT, false, 1, 16, NULL, ""},
};

static struct args args;

static enum err_code read_all(const char *path, const char *query, const char *body)
{
    struct http_request request = {.verb = HTTP_VERB_POST, .path = bytes_text(path), .query = bytes_text(query),
                                   .body = bytes_text(body)};
    args_fini(&args);
    return args_read(&args, rows, sizeof rows / sizeof *rows, "/v1/x/{id}", &request).code;
}

#define PATH "/v1/x/01020304-0506-0708-090a-0b0c0d0e0f10"

static bool at_fault(const char *field)
{
    for (unsigned i = 0; i < args.fault_count && i < ARGS_FAULTS_MAX; i++) {
        if (strcmp(args.faults[i].field, field) == 0) return true;
    }
    return false;
}

static void test_good_fields_are_read(void **state)
{
    (void)state;
    assert_int_equal(read_all(PATH, "limit=7&before=12.3",
                              "{\"name\":\"a b\",\"lat\":-57.7,\"op\":\"lock\",\"on\":true}"), ERR_OK);
    assert_int_equal(args_get(&args, "id")->uuid.at[15], 0x10);
    assert_int_equal(args_get(&args, "limit")->number, 7);
    assert_int_equal(args_get(&args, "before")->cursor, 12);
    assert_int_equal(args_get(&args, "before")->cursor_part, 3);
    assert_true(bytes_equal_text(args_get(&args, "name")->text, "a b"));
    assert_int_equal(args_get(&args, "lat")->number, -577000000);
    assert_int_equal(args_get(&args, "op")->number, COMMAND_OP_LOCK);
    assert_int_equal(args_get(&args, "on")->number, 1);
    assert_int_equal(read_all(PATH, "", "{\"name\":\"a\",\"lat\":90,\"op\":null}"), ERR_OK);
    assert_int_equal(args_get(&args, "lat")->number, 900000000);
    assert_false(args_get(&args, "op")->given);
}

static void test_bad_fields_are_all_named(void **state)
{
    (void)state;
    assert_int_equal(read_all(PATH, "limit=101&before=x&limit=1&what=1",
                          "{\"lat\":90.0000001,\"op\":\"fly\",\"on\":1,\"more\":1}"), ERR_INVALID);
    assert_true(at_fault("limit") && at_fault("before") && at_fault("what"));
    assert_true(at_fault("lat") && at_fault("op") && at_fault("on") && at_fault("more") && at_fault("name"));
    assert_int_equal(args.fault_count, 8);
}

static void test_values_of_the_wrong_kind_are_at_fault(void **state)
{
    (void)state;
    static const char *const bad[] = {"{\"name\":1}", "{\"name\":null}", "{\"name\":true}", "{\"name\":[]}",
                                      "{\"name\":{}}", "{\"name\":1.5}", "{\"name\":\"123456789\"}",
                                      "{\"name\":\"\"}", "{\"name\":\"a\\tb\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(read_all(PATH, "", bad[i]), ERR_INVALID);
        assert_int_equal(args.fault_count, 1);
        assert_true(at_fault("name"));
    }
    assert_int_equal(read_all(PATH, "", "{\"name\":\"a\",\"lat\":1e300}"), ERR_INVALID);
    assert_int_equal(read_all(PATH, "", "{\"name\":\"a\",\"lat\":9223372036854775807}"), ERR_INVALID);
    assert_int_equal(read_all(PATH, "", "{\"name\":\"a\",\"lat\":\"1\"}"), ERR_INVALID);
}

static void test_a_path_that_names_nothing_is_404(void **state)
{
    (void)state;
    assert_int_equal(read_all("/v1/x/7", "", "{\"name\":\"a\"}"), ERR_NOT_FOUND);
    assert_int_equal(read_all("/v1/x/%zz", "", "{\"name\":\"a\"}"), ERR_NOT_FOUND);
}

static void test_more_faults_than_are_kept_are_counted(void **state)
{
    (void)state;
    assert_int_equal(read_all(PATH, "a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q&r&s", "{}"), ERR_INVALID);
    assert_int_equal(args.fault_count, 20);
    char query[200];
    memset(query, 'q', sizeof query - 1);
    query[sizeof query - 1] = 0;
    assert_int_equal(read_all(PATH, query, "{\"name\":\"a\"}"), ERR_INVALID);
    assert_int_equal(strlen(args.faults[0].field), ARGS_NAME_MAX - 1);
}

static void test_a_list_of_cities_is_read_by_place(void **state)
{
    (void)state;
    assert_int_equal(read_all(PATH, "", "{\"name\":\"a\",\"cities\":[\"b\",\"abcdefghijklmnopqrstuvwxyz01234\"]}"), ERR_OK);
    assert_int_equal(args_get(&args, "cities")->number, 2);
    assert_true(bytes_equal_text(args_code(&args, "cities", 1), "abcdefghijklmnopqrstuvwxyz01234"));
    assert_int_equal(read_all(PATH, "", "{\"name\":\"a\",\"cities\":null}"), ERR_OK);
    assert_false(args_get(&args, "cities")->given);
    static const char *const bad[] = {"[]", "[\"a\",\"b\",\"c\"]", "[1]", "[\"\"]", "\"a\"", "[\"a b\"]", "[null]",
                                      "[\"abcdefghijklmnopqrstuvwxyz012345\"]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char body[96];
        snprintf(body, sizeof body, "{\"name\":\"a\",\"cities\":%s}", bad[i]);
        assert_int_equal(read_all(PATH, "", body), ERR_INVALID);
        assert_true(args.fault_count == 1 && at_fault("cities"));
    }
}

static void test_a_wrong_word_is_told_the_right_ones_where_they_are_few(void **state)
{
    (void)state;
    static const char *const texts[] = {"red", NULL, "green"};
    static const struct enum_names colours = {"colour", texts, 3};
    static const struct arg_row row = {"colour", IN_QUERY, ARG_TERM, false, 0, 0, &colours, ""};
    struct http_request request = {.verb = HTTP_VERB_GET, .path = bytes_text("/x"), .query = bytes_text("colour=blue")};
    args_fini(&args);
    assert_int_equal(args_read(&args, &row, 1, "/x", &request).code, ERR_INVALID);
    assert_string_equal(args.faults[0].why, "is none of red, green");
}

static void test_text_in_paths_and_queries_is_utf8(void **state)
{
    (void)state;
    static const char *const good[] = {"a%20b", "%C3%85sa", "%F0%9F%9A%B2", "%ED%9F%BF"};
    static const char *const bad[] = {"%C3", "%80", "%C0%AF", "%E0%80%80", "%ED%A0%80", "%F4%90%80%80", "%FF", "%C3%85%C3"};
    char query[64];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        snprintf(query, sizeof query, "q=%s", good[i]);
        assert_int_equal(read_all(PATH, query, "{\"name\":\"a\"}"), ERR_OK);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(query, sizeof query, "q=%s", bad[i]);
        assert_int_equal(read_all(PATH, query, "{\"name\":\"a\"}"), ERR_INVALID);
        assert_true(args.fault_count == 1 && at_fault("q"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_fields_are_read),
        cmocka_unit_test(test_bad_fields_are_all_named),
        cmocka_unit_test(test_values_of_the_wrong_kind_are_at_fault),
        cmocka_unit_test(test_a_path_that_names_nothing_is_404),
        cmocka_unit_test(test_more_faults_than_are_kept_are_counted),
        cmocka_unit_test(test_a_list_of_cities_is_read_by_place),
        cmocka_unit_test(test_a_wrong_word_is_told_the_right_ones_where_they_are_few),
        cmocka_unit_test(test_text_in_paths_and_queries_is_utf8),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    args_fini(&args);
    return failed;
}
