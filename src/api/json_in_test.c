/* SPDX-License-Identifier: Apache-2.0 */
/* json_in_test.c: bodies are read strictly and within limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/json_in.h"

static enum err_code parse(const char *text)
{
    struct json_in *doc;
    struct err e = json_in_parse(bytes_text(text), &doc);
    assert_true((doc != NULL) == !e.code);
    json_in_free(doc);
    return e.code;
}

static void test_members_have_their_kinds(void **state)
{
    (void)state;
    struct json_in *doc;
    struct json_in_value v;
    const char *text = "{\"t\":\"\\u00e9\",\"n\":-7,\"r\":1.5,\"b\":true,\"z\":null,\"l\":[1],\"o\":{}}";
    assert_int_equal(json_in_parse(bytes_text(text), &doc).code, ERR_OK);
    assert_true(json_in_get(doc, "t", &v) && v.kind == JSON_IN_TEXT && bytes_equal_text(v.text, "\xc3\xa9"));
    assert_true(json_in_get(doc, "n", &v) && v.kind == JSON_IN_INTEGER && v.number == -7);
    assert_true(json_in_get(doc, "r", &v) && v.kind == JSON_IN_REAL && v.real == 1.5);
    assert_true(json_in_get(doc, "b", &v) && v.kind == JSON_IN_BOOL && v.number == 1);
    assert_true(json_in_get(doc, "z", &v) && v.kind == JSON_IN_NULL);
    assert_true(json_in_get(doc, "l", &v) && v.kind == JSON_IN_LIST);
    assert_true(json_in_get(doc, "o", &v) && v.kind == JSON_IN_OBJECT);
    assert_false(json_in_get(doc, "x", &v));
    json_in_free(doc);
}

static void test_what_is_not_one_plain_object_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", " ", "{", "[]", "1", "\"a\"", "{}x", "{} {}", "{\"a\":1,}", "{'a':1}", "{\"a\":1,\"a\":1}", "{\"a\":01}",
        "{\"a\":1e999}", "{\"a\":\"\\u0000\"}", "{\"a\":\"\xff\"}", "{\"a\":\"\n\"}", "{\"a\":NaN}",
        "{\"a\":99999999999999999999}",
        "\xef\xbb\xbf{}", "{\"a\":\"\\ud800\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_equal(parse(bad[i]), ERR_MALFORMED);
    assert_int_equal(parse("{}"), ERR_OK);
}

static void test_depth_values_and_bytes_are_limited(void **state)
{
    (void)state;
    static char text[JSON_IN_BYTES_MAX + 2];
    assert_int_equal(parse("{\"a\":[[[[[[[]]]]]]]}"), ERR_OK);
    assert_int_equal(parse("{\"a\":[[[[[[[[]]]]]]]]}"), ERR_TOO_LARGE);
    assert_int_equal(parse("{\"a\":\"[[[[[[[[[[[[[[\\\"[[[[[[[[[[\"}"), ERR_OK); /* in a text they are letters */
    char *at = text + sprintf(text, "{\"a\":[1");
    for (unsigned i = 0; i < JSON_IN_VALUES_MAX; i++) at += sprintf(at, ",1");
    strcpy(at, "]}");
    assert_int_equal(parse(text), ERR_TOO_LARGE);
    memset(text, ' ', sizeof text);
    text[0] = '{';
    text[JSON_IN_BYTES_MAX] = '}';
    text[JSON_IN_BYTES_MAX + 1] = 0;
    assert_int_equal(parse(text), ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_have_their_kinds),
        cmocka_unit_test(test_what_is_not_one_plain_object_is_refused),
        cmocka_unit_test(test_depth_values_and_bytes_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
