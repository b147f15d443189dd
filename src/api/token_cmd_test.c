/* SPDX-License-Identifier: Apache-2.0 */
/* token_cmd_test.c: `paddock token` as a person runs it: what goes to stdout, and how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/wait.h>

#include "api/auth.h"
#include "api/token_cmd.h"

static char folder[64], data[96], path[128];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/paddock-token-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(data, sizeof data, "%s/data", folder); /* made by the first token */
    snprintf(path, sizeof path, "%s/contacts.db", data);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char name[160];
    snprintf(name, sizeof name, "%s-wal", path);
    unlink(name);
    snprintf(name, sizeof name, "%s-shm", path);
    unlink(name);
    unlink(path);
    rmdir(data);
    return rmdir(folder);
}

/* Runs it in a process of its own; *out is what it wrote to stdout. */
static int run(char *out, size_t room, const char *const *args)
{
    int ends[2], status;
    const char *argv[16] = {"token"};
    int argc = 1;
    while (args[argc - 1]) {
        argv[argc] = args[argc - 1];
        argc++;
    }
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (!child) {
        dup2(ends[1], 1);
        dup2(open("/dev/null", O_WRONLY), 2);
        close(ends[0]);
        int rc = token_main(argc, (char **)(uintptr_t)argv);
        fflush(stdout);
        _exit(rc);
    }
    close(ends[1]);
    size_t len = 0;
    ssize_t n;
    while (len < room - 1 && (n = read(ends[0], out + len, room - 1 - len)) > 0) len += (size_t)n;
    out[len] = 0;
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

#define RUN(out, ...) run(out, sizeof out, (const char *const[]){__VA_ARGS__, NULL})

static void test_a_token_is_made_listed_and_revoked(void **state)
{
    (void)state;
    char token[256], list[512], name[32];
    const char *account = "01020304-0506-4708-890a-0b0c0d0e0f10";
    assert_int_equal(RUN(token, "--data", data, "--role", "oncall", "--account", account, "--for", "2h"), 0);
    assert_int_equal(strlen(token), AUTH_TOKEN_LEN + 1);
    assert_int_equal(token[AUTH_TOKEN_LEN], '\n');
    struct auth *server;
    struct auth_who who;
    struct auth_options options = {.path = path};
    assert_int_equal(auth_create(&options, &server).code, ERR_OK); /* as while the server runs */
    struct bytes t = bytes_of(token, AUTH_TOKEN_LEN);
    int64_t now_ms = 1764000000000;
    assert_int_equal(auth_check(server, t, bytes_text(""), now_ms, 0, &who).code, ERR_OK);
    assert_int_equal(who.role, AUTH_ONCALL);
    assert_int_equal(RUN(list, "--data", data, "--list"), 0);
    assert_non_null(strstr(list, " oncall 01020304-0506-4708-890a-0b0c0d0e0f10 until 20"));
    assert_null(strstr(list, "pdk_"));
    snprintf(name, sizeof name, "%.16s", list);
    assert_int_equal(RUN(list, "--data", data, "--revoke", name), 0);
    assert_string_equal(list, "");
    assert_int_equal(auth_check(server, t, bytes_text(""), now_ms, AUTH_LOOK_MS, &who).code, ERR_UNAUTHENTICATED);
    assert_int_equal(RUN(list, "--data", data, "--list"), 0);
    assert_non_null(strstr(list, " revoked 20"));
    assert_int_equal(RUN(list, "--data", data, "--revoke", "0000000000000000"), 1);
    auth_destroy(server);
}

static void test_bad_usage_exits_2(void **state)
{
    (void)state;
    char out[2048];
    assert_int_equal(RUN(out, "--role", "rider"), 2);
    assert_int_equal(RUN(out, "--data", data), 2);
    assert_int_equal(RUN(out, "--data", data, "--role", "king"), 2);
    assert_int_equal(RUN(out, "--data", data, "--role", "rider", "--list"), 2);
    assert_int_equal(RUN(out, "--data", data, "--role"), 2);
    assert_int_equal(RUN(out, "--data", data, "--role", "rider", "--for", "soon"), 2);
    assert_int_equal(RUN(out, "--data", data, "--role", "rider", "--for", "9999d"), 2);
    assert_int_equal(RUN(out, "--data", data, "--role", "rider", "--account", "7"), 2);
    assert_int_equal(RUN(out, "--what"), 2);
    assert_string_equal(out, "");
    assert_int_equal(RUN(out, "--help"), 0);
    assert_non_null(strstr(out, "usage: paddock token"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_token_is_made_listed_and_revoked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_usage_exits_2, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
