/* SPDX-License-Identifier: Apache-2.0 */
/* process_test.c: figures about ourselves, against what this process knows of itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "ops/process.h"

static char text[8192];

static uint64_t value_of(const char *name)
{
    char line[128];
    uint64_t value = 0;
    struct buf b = buf_on(text, sizeof text - 1);
    process_metrics(".", &b);
    text[b.len] = 0;
    snprintf(line, sizeof line, "\n%s ", name);
    const char *at = strstr(text, line);
    assert_non_null(at);
    at += strlen(line);
    assert_int_equal(bytes_u64(bytes_of(at, strcspn(at, "\n")), 18, &value).code, ERR_OK);
    return value;
}

static void test_memory_that_is_touched_is_seen(void **state)
{
    (void)state;
    enum { SIZE = 32 << 20 };
    uint64_t before = value_of("process_resident_memory_bytes");
    uint8_t *memory = malloc(SIZE);
    assert_non_null(memory);
    for (size_t i = 0; i < SIZE; i += 512) ((volatile uint8_t *)memory)[i] = 1;
    uint64_t after = value_of("process_resident_memory_bytes");
    free(memory);
    assert_in_range(after - before, SIZE / 2, 8 * (uint64_t)SIZE); /* a sanitizer keeps books of its own beside it */
}

static void test_open_files_are_counted(void **state)
{
    (void)state;
    uint64_t before = value_of("process_open_fds");
    int fd = dup(0);
    assert_true(fd >= 0);
    assert_int_equal(value_of("process_open_fds"), before + 1);
    close(fd);
    assert_true(value_of("process_max_fds") > before);
}

static void test_it_began_a_short_while_ago(void **state)
{
    (void)state;
    uint64_t now_s = (uint64_t)time(NULL), began_s = value_of("process_start_time_seconds");
    assert_in_range(began_s, now_s - 3600, now_s + 2);
}

static void test_the_disk_has_a_size(void **state)
{
    (void)state;
    assert_true(value_of("paddock_data_size_bytes") >= value_of("paddock_data_free_bytes"));
    struct buf b = buf_on(text, sizeof text - 1);
    process_metrics("/nowhere", &b);
    text[b.len] = 0;
    assert_null(strstr(text, "paddock_data"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_that_is_touched_is_seen),
        cmocka_unit_test(test_open_files_are_counted),
        cmocka_unit_test(test_it_began_a_short_while_ago),
        cmocka_unit_test(test_the_disk_has_a_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
