/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor_test.c: what a supervisor hears, over a real datagram socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "ops/supervisor.h"

/* In the abstract namespace: nothing is left behind. */
static int listen_as(char name[64])
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int len = snprintf(name, 64, "@paddock-supervisor-test-%d", (int)getpid());
    memcpy(at.sun_path + 1, name + 1, (size_t)len - 1);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)), 0);
    return fd;
}

static const char *heard(int fd)
{
    static char text[512];
    ssize_t n = recv(fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = 0;
    return text;
}

static void test_without_a_socket_nothing_is_said(void **state)
{
    (void)state;
    struct supervisor s = {0};
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(supervisor_open(&s).code, ERR_OK);
    assert_int_equal(s.fd, -1);
    supervisor_ready(&s, "serves");
    assert_null(supervisor_turn(&s, 1));
    supervisor_close(&s);
}

static void test_a_name_that_is_no_socket_is_an_error(void **state)
{
    (void)state;
    struct supervisor s = {0};
    setenv("NOTIFY_SOCKET", "relative", 1);
    assert_int_equal(supervisor_open(&s).code, ERR_INVALID);
    setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
    assert_int_equal(supervisor_open(&s).code, ERR_IO);
    assert_int_equal(s.fd, -1);
    unsetenv("NOTIFY_SOCKET");
}

static void test_ready_alive_and_stopping_are_told_in_their_time(void **state)
{
    (void)state;
    struct supervisor s = {0};
    char name[64], pid[32];
    int fd = listen_as(name);
    setenv("NOTIFY_SOCKET", name, 1);
    setenv("WATCHDOG_USEC", "4000000", 1);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(supervisor_open(&s).code, ERR_OK);
    unsigned engine = supervisor_watch(&s, "engine", 1000), http = supervisor_watch(&s, "http", 1000);
    supervisor_ready(&s, "serves 127.0.0.1:8080");
    assert_string_equal(heard(fd), "READY=1\nSTATUS=serves 127.0.0.1:8080");
    assert_null(supervisor_turn(&s, 1100));
    assert_string_equal(heard(fd), "WATCHDOG=1");
    assert_null(supervisor_turn(&s, 3000)); /* half of the four seconds are not over */
    assert_string_equal(heard(fd), "");
    assert_null(supervisor_turn(&s, 3100));
    assert_string_equal(heard(fd), "WATCHDOG=1");
    supervisor_beat(&s, http, 9000);
    assert_string_equal(supervisor_turn(&s, 1000 + SUPERVISOR_STUCK_MS + 1), "engine");
    assert_string_equal(heard(fd), ""); /* a stuck thread: the supervisor is to act */
    supervisor_beat(&s, engine, 12000);
    assert_null(supervisor_turn(&s, 12000));
    assert_string_equal(heard(fd), "WATCHDOG=1");
    supervisor_stopping(&s, "draining");
    assert_string_equal(heard(fd), "STOPPING=1\nSTATUS=draining");
    supervisor_close(&s);
    close(fd);
    unsetenv("NOTIFY_SOCKET");
}

static void test_a_watchdog_for_another_process_is_not_ours(void **state)
{
    (void)state;
    struct supervisor s = {0};
    char name[64];
    int fd = listen_as(name);
    setenv("NOTIFY_SOCKET", name, 1);
    setenv("WATCHDOG_USEC", "4000000", 1);
    setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(supervisor_open(&s).code, ERR_OK);
    assert_null(supervisor_turn(&s, 5000));
    assert_string_equal(heard(fd), "");
    supervisor_close(&s);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_socket_nothing_is_said),
        cmocka_unit_test(test_a_name_that_is_no_socket_is_an_error),
        cmocka_unit_test(test_ready_alive_and_stopping_are_told_in_their_time),
        cmocka_unit_test(test_a_watchdog_for_another_process_is_not_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
