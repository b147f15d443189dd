/* SPDX-License-Identifier: Apache-2.0 */
/* scope_test.c: what cannot be read is never everywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/scope.h"

static void test_a_scope_is_sorted_and_has_each_city_once(void **state)
{
    (void)state;
    struct scope s;
    char memory[SCOPE_TEXT_MAX];
    struct buf b = buf_on(memory, sizeof memory);
    assert_int_equal(scope_read(bytes_text("malmo,gothenburg,malmo,a"), &s).code, ERR_OK);
    assert_int_equal(s.count, 3);
    scope_put(&b, &s);
    assert_true(bytes_equal_text(buf_bytes(&b), "a,gothenburg,malmo"));
    assert_true(scope_has(&s, bytes_text("malmo")));
    assert_false(scope_has(&s, bytes_text("malm")));
    assert_false(scope_has(&s, bytes_text("")));
}

static void test_an_empty_scope_is_nowhere_and_none_is_everywhere(void **state)
{
    (void)state;
    struct scope s;
    assert_int_equal(scope_read(bytes_text(""), &s).code, ERR_OK);
    assert_false(scope_has(&s, bytes_text("malmo")));
    assert_true(scope_has(NULL, bytes_text("malmo")));
    assert_true(scope_has(NULL, bytes_text("")));
}

static void test_what_cannot_be_read_is_refused(void **state)
{
    (void)state;
    struct scope s;
    struct scopes all = {.count = 0};
    const struct scope *shared;
    char many[SCOPE_TEXT_MAX] = "";
    static const char *const bad[] = {"a b", "*,a", "a,,b", ",a", "city;drop", "g\xc3\xb6teborg"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(scope_read(bytes_text(bad[i]), &s).code, ERR_INVALID);
        shared = &s;
        assert_int_equal(scopes_intern(&all, bytes_text(bad[i]), &shared).code, ERR_CORRUPT);
    }
    for (unsigned i = 0; i <= SCOPE_CITIES_MAX; i++) {
        size_t len = strlen(many);
        snprintf(many + len, sizeof many - len, "%sc%02u", i ? "," : "", i);
    }
    assert_int_equal(scope_read(bytes_text(many), &s).code, ERR_TOO_LARGE);
    scopes_fini(&all);
}

static void test_equal_scopes_are_one(void **state)
{
    (void)state;
    struct scopes all = {.count = 0};
    const struct scope *a, *b, *c, *none;
    assert_int_equal(scopes_intern(&all, bytes_text("a,b"), &a).code, ERR_OK);
    assert_int_equal(scopes_intern(&all, bytes_text("b,a"), &b).code, ERR_OK);
    assert_int_equal(scopes_intern(&all, bytes_text(""), &c).code, ERR_OK);
    assert_int_equal(scopes_intern(&all, bytes_text("*"), &none).code, ERR_OK);
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, c);
    assert_non_null(c);
    assert_null(none);
    for (unsigned i = all.count; i < SCOPES_MAX; i++) {
        char text[16];
        snprintf(text, sizeof text, "c%u", i);
        assert_int_equal(scopes_intern(&all, bytes_text(text), &c).code, ERR_OK);
    }
    assert_int_equal(scopes_intern(&all, bytes_text("one-more"), &c).code, ERR_FULL); /* refused, not everywhere */
    scopes_fini(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_scope_is_sorted_and_has_each_city_once),
        cmocka_unit_test(test_an_empty_scope_is_nowhere_and_none_is_everywhere),
        cmocka_unit_test(test_what_cannot_be_read_is_refused),
        cmocka_unit_test(test_equal_scopes_are_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
