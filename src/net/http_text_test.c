/* SPDX-License-Identifier: Apache-2.0 */
/* http_text_test.c: the small grammars refuse what is not well formed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "net/http_text.h"

static void expect_decoded(const char *text, bool plus, const char *want)
{
    char room[32];
    struct buf b = buf_on(room, sizeof room);
    struct err e = http_percent_decode(bytes_text(text), plus, &b);
    assert_int_equal(e.code == ERR_OK, want != NULL);
    if (want) assert_true(bytes_equal_text(buf_bytes(&b), want));
}

static void test_percent_is_decoded_or_refused(void **state)
{
    (void)state;
    expect_decoded("a%41%7a%C3%a9", false, "aAz\xc3\xa9");
    expect_decoded("a+b", true, "a b");
    expect_decoded("a+b", false, "a+b");
    expect_decoded("%", false, NULL);
    expect_decoded("%4", false, NULL);
    expect_decoded("%4g", false, NULL);
    expect_decoded("%g4", false, NULL);
    expect_decoded("%00", false, NULL);
    expect_decoded("%0a", false, NULL);
    expect_decoded("%7f", false, NULL);
    expect_decoded("0123456789012345678901234567890123", false, NULL);
}

static enum err_code query(const char *text, const char *name, const char *want)
{
    char room[16];
    struct buf b = buf_on(room, sizeof room);
    struct err e = http_query_get(bytes_text(text), name, &b);
    if (!e.code) assert_true(bytes_equal_text(buf_bytes(&b), want));
    return e.code;
}

static void test_query_values_are_found_once(void **state)
{
    (void)state;
    assert_int_equal(query("a=1&b=2", "a", "1"), ERR_OK);
    assert_int_equal(query("a=1&b=2", "b", "2"), ERR_OK);
    assert_int_equal(query("a=1&b=%32+", "b", "2 "), ERR_OK);
    assert_int_equal(query("%61=1", "a", "1"), ERR_OK);
    assert_int_equal(query("a&b", "b", ""), ERR_OK);
    assert_int_equal(query("a=b=c", "a", "b=c"), ERR_OK);
    assert_int_equal(query("", "a", ""), ERR_NOT_FOUND);
    assert_int_equal(query("ab=1", "a", ""), ERR_NOT_FOUND);
    assert_int_equal(query("a=1&a=2", "a", ""), ERR_INVALID);
    assert_int_equal(query("a=%", "a", ""), ERR_MALFORMED);
    assert_int_equal(query("b=1&%=2&a=1", "a", ""), ERR_MALFORMED);
    assert_int_equal(query("a=01234567890123456", "a", ""), ERR_TOO_LARGE);
    assert_int_equal(
        query("0123456789012345678901234567890123456789012345678901234567890123456789=1&a=1", "a", "1"),
        ERR_OK);
}

static void test_path_is_walked_by_segments(void **state)
{
    (void)state;
    struct bytes path = bytes_text("/v1//x/"), segment;
    static const char *const want[] = {"v1", "", "x", ""};
    for (int i = 0; i < 4; i++) {
        assert_true(http_path_next(&path, &segment));
        assert_true(bytes_equal_text(segment, want[i]));
    }
    assert_false(http_path_next(&path, &segment));
}

static void test_tokens_lists_and_credentials(void **state)
{
    (void)state;
    struct bytes token;
    assert_true(http_is_token(bytes_text("X-Y_z!1")));
    assert_false(http_is_token(bytes_text("")));
    assert_false(http_is_token(bytes_text("a b")));
    assert_false(http_is_token(bytes_text("a:")));
    assert_false(http_is_token_char(0));
    assert_false(http_is_token_char('"'));
    assert_true(http_equal_nocase(bytes_text("CoNtent"), "content"));
    assert_false(http_equal_nocase(bytes_text("content"), "content-length"));
    assert_false(http_equal_nocase(bytes_text("content-length"), "content"));
    assert_true(http_list_has(bytes_text("a , Close"), "close"));
    assert_false(http_list_has(bytes_text("closer, x"), "close"));
    assert_int_equal(http_bearer(bytes_of(NULL, 0), &token).code, ERR_NOT_FOUND);
    assert_int_equal(http_bearer(bytes_text("bearer  a.b-c=="), &token).code, ERR_OK);
    assert_true(bytes_equal_text(token, "a.b-c=="));
    assert_int_equal(http_bearer(bytes_text("Bearer"), &token).code, ERR_MALFORMED);
    assert_int_equal(http_bearer(bytes_text("Basic abc"), &token).code, ERR_MALFORMED);
    assert_int_equal(http_bearer(bytes_text("Bearer a b"), &token).code, ERR_MALFORMED);
}

static void test_traceparent_is_strict(void **state)
{
    (void)state;
    struct traceparent given;
    assert_true(http_traceparent(bytes_text("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), &given));
    assert_true(bytes_equal_text(given.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736"));
    assert_true(bytes_equal_text(given.parent_id, "00f067aa0ba902b7"));
    assert_true(given.sampled);
    assert_true(http_traceparent(bytes_text("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02"), &given));
    assert_false(given.sampled); /* another flag than the one that we know */
    assert_false(
        http_traceparent(bytes_text("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"), &given));
    assert_false(
        http_traceparent(bytes_text("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), &given));
    assert_false(
        http_traceparent(bytes_text("00-00000000000000000000000000000000-00f067aa0ba902b7-01"), &given));
    assert_false(http_traceparent(bytes_text("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"), &given));
    assert_false(
        http_traceparent(bytes_text("00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), &given));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_percent_is_decoded_or_refused),
        cmocka_unit_test(test_query_values_are_found_once),
        cmocka_unit_test(test_path_is_walked_by_segments),
        cmocka_unit_test(test_tokens_lists_and_credentials),
        cmocka_unit_test(test_traceparent_is_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
