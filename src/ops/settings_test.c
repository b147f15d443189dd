/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void defaults_are_the_contract_s(void **state)
{
    (void)state;
    struct settings s;
    settings_init(&s);
    assert_string_equal(s.http_address, "127.0.0.1:8080");
    assert_string_equal(s.vehicles_address, "0.0.0.0:7700");
    assert_string_equal(s.admin_address, "127.0.0.1:8081");
    assert_int_equal(s.clock_speed, 1);
}

static void a_wrong_value_is_refused_and_says_the_range(void **state)
{
    (void)state;
    struct settings s;
    char why[256] = "";
    settings_init(&s);
    assert_int_equal(settings_set(&s, bytes_text("clock.speed=0"), why).code, ERR_INVALID);
    assert_non_null(strstr(why, "1 to 1000"));
    assert_int_equal(settings_set(&s, bytes_text("clock.sped=2"), why).code, ERR_INVALID);
    assert_non_null(strstr(why, "clock.sped"));
    assert_int_equal(settings_set(&s, bytes_text("bases = false"), why).code, ERR_OK);
    assert_false(s.bases);
}

static void a_bad_file_changes_nothing(void **state)
{
    (void)state;
    char path[] = "/tmp/paddock-settings-XXXXXX", why[256] = "";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    const char *text = "# demo\nclock.speed = 10\nbases = perhaps\n";
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    struct settings s;
    settings_init(&s);
    assert_int_equal(settings_file(&s, path, why).code, ERR_INVALID);
    assert_non_null(strstr(why, "line 3"));
    assert_int_equal(s.clock_speed, 1);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_the_contract_s),
        cmocka_unit_test(a_wrong_value_is_refused_and_says_the_range),
        cmocka_unit_test(a_bad_file_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
