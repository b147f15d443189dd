/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/file.h"

static void test_paths_that_are_too_long_are_refused(void **s)
{
    (void)s;
    char out[FILE_PATH_MAX], name[FILE_PATH_MAX];
    memset(name, 'x', sizeof name);
    name[FILE_PATH_MAX - 3] = '\0';
    assert_int_equal(file_path(out, "d", name).code, ERR_OK);
    assert_int_equal(strlen(out), FILE_PATH_MAX - 1);
    assert_memory_equal(out, "d/xx", 4);
    assert_int_equal(file_path(out, "dd", name).code, ERR_TOO_LARGE);
}

static void test_numbers_become_codes_that_a_caller_can_act_on(void **s)
{
    (void)s;
    static const struct {
        int number;
        enum err_code code;
    } rows[] = {
        {ENOENT, ERR_NOT_FOUND}, {ENOTDIR, ERR_NOT_FOUND}, {EEXIST, ERR_STATE}, {EAGAIN, ERR_STATE},
        {ENOSPC, ERR_FULL},      {EDQUOT, ERR_FULL},       {EIO, ERR_IO},       {EACCES, ERR_IO},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = file_fail(rows[i].number, "why");
        assert_int_equal(e.code, rows[i].code);
        assert_string_equal(e.why, "why");
        assert_int_equal(file_last_errno(), rows[i].number);
    }
}

static void test_closing_nothing_is_legal(void **s)
{
    (void)s;
    struct file none = FILE_NONE;
    file_close(NULL, &none);
    file_unmap(NULL, NULL, 0);
    assert_int_equal(none.v, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_that_are_too_long_are_refused),
        cmocka_unit_test(test_numbers_become_codes_that_a_caller_can_act_on),
        cmocka_unit_test(test_closing_nothing_is_legal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
