/* SPDX-License-Identifier: Apache-2.0 */
/* auth_test.c: the life of a token, across two processes' connections to one contacts.db. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/auth.h"
#include "api/contacts.h"
#include "api/secret.h"

#define WALL 1764000000000ll

static char folder[64], path[96];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/paddock-auth-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/contacts.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"contacts.db", "contacts.db-wal", "contacts.db-shm"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s/%s", folder, names[i]);
        unlink(name);
    }
    return rmdir(folder);
}

static struct auth *open_auth(uint32_t cache_max)
{
    struct auth *a;
    struct auth_options options = {.path = path, .cache_max = cache_max};
    assert_int_equal(auth_create(&options, &a).code, ERR_OK);
    return a;
}

static struct bytes grant(struct auth *a, enum auth_role role, char *token, struct uuid *account)
{
    struct auth_grant g = {.role = role, .now_ms = WALL, .expires_ms = WALL + 60000};
    assert_int_equal(auth_grant(a, &g, token, account).code, ERR_OK);
    return bytes_of(token, AUTH_TOKEN_LEN);
}

static enum err_code check(struct auth *a, struct bytes token, int64_t wall_ms, int64_t mono_ms, struct auth_who *who)
{
    return auth_check(a, token, bytes_text("192.0.2.1:1000"), wall_ms, mono_ms, who).code;
}

static void test_a_granted_token_names_its_account_and_role(void **state)
{
    (void)state;
    struct auth *a = open_auth(0);
    char token[AUTH_TOKEN_LEN], other[AUTH_TOKEN_LEN];
    struct uuid account, second;
    struct auth_who who;
    struct bytes t = grant(a, AUTH_CREW, token, &account);
    grant(a, AUTH_RIDER, other, &second);
    assert_memory_equal(token, "pdk_", 4);
    assert_memory_not_equal(token, other, sizeof token);
    assert_false(uuid_equal(account, second));
    assert_int_equal(account.at[6] >> 4, 4);
    assert_int_equal(check(a, t, WALL, 0, &who), ERR_OK);
    assert_true(uuid_equal(who.account, account));
    assert_int_equal(who.role, AUTH_CREW);
    assert_int_equal(check(a, t, WALL + 59999, 1, &who), ERR_OK);
    assert_int_equal(auth_counters(a)->cached, 1);
    assert_int_equal(check(a, t, WALL + 60000, 2, &who), ERR_UNAUTHENTICATED);
    auth_destroy(a);
}

static void test_the_database_never_holds_a_token(void **state)
{
    (void)state;
    struct auth *a = open_auth(0);
    char token[AUTH_TOKEN_LEN], name[128];
    struct uuid account;
    static char content[1 << 20];
    grant(a, AUTH_RIDER, token, &account);
    auth_destroy(a);
    snprintf(name, sizeof name, "%s", path);
    FILE *f = fopen(name, "rb");
    assert_non_null(f);
    size_t len = fread(content, 1, sizeof content, f);
    fclose(f);
    assert_true(len > 4096);
    assert_non_null(memmem(content, len, "rider", 5));
    assert_null(memmem(content, len, token + 4, 16));
}

static void test_what_another_process_grants_and_revokes_is_seen(void **state)
{
    (void)state;
    struct auth *server = open_auth(0), *cli = open_auth(16);
    char token[AUTH_TOKEN_LEN], name[16];
    struct uuid account;
    struct auth_who who;
    uint8_t hash[SECRET_HASH_LEN];
    struct bytes t = grant(cli, AUTH_CONTROL, token, &account);
    assert_int_equal(check(server, t, WALL, 0, &who), ERR_OK);
    secret_hash(t, hash);
    struct buf b = buf_on(name, sizeof name);
    buf_put_hex(&b, bytes_of(hash, 8));
    assert_int_equal(auth_revoke(cli, buf_bytes(&b), WALL).code, ERR_OK);
    assert_int_equal(auth_revoke(cli, buf_bytes(&b), WALL + 1).code, ERR_OK); /* twice is fine */
    assert_int_equal(check(server, t, WALL, AUTH_LOOK_MS - 1, &who), ERR_OK);
    assert_int_equal(check(server, t, WALL, AUTH_LOOK_MS, &who), ERR_UNAUTHENTICATED);
    assert_int_equal(auth_revoke(cli, bytes_text("0123456789abcdef"), WALL).code, ERR_NOT_FOUND);
    assert_int_equal(auth_revoke(cli, bytes_text("nonsense"), WALL).code, ERR_NOT_FOUND);
    auth_destroy(cli);
    auth_destroy(server);
}

static void test_guesses_are_slowed_by_address_and_known_tokens_are_not(void **state)
{
    (void)state;
    struct auth *a = open_auth(0);
    char token[AUTH_TOKEN_LEN];
    struct uuid account;
    struct auth_who who;
    struct bytes good = grant(a, AUTH_RIDER, token, &account), bad = bytes_text("nonsense");
    assert_int_equal(check(a, good, WALL, 0, &who), ERR_OK);
    for (unsigned i = 0; i < AUTH_MISSES_BURST; i++) {
        assert_int_equal(check(a, bad, WALL, 0, &who), ERR_UNAUTHENTICATED);
    }
    assert_int_equal(check(a, bad, WALL, 0, &who), ERR_RATE_LIMITED);
    assert_int_equal(check(a, good, WALL, 0, &who), ERR_OK);
    struct err other = auth_check(a, bad, bytes_text("192.0.2.2:1000"), WALL, 0, &who);
    assert_int_equal(other.code, ERR_UNAUTHENTICATED);
    other = auth_check(a, bad, bytes_text("192.0.2.1:2000"), WALL, 0, &who); /* a port is no identity */
    assert_int_equal(other.code, ERR_RATE_LIMITED);
    assert_int_equal(check(a, bad, WALL, 1000 / AUTH_MISSES_PER_S, &who), ERR_UNAUTHENTICATED);
    assert_int_equal(check(a, bad, WALL, 1000 / AUTH_MISSES_PER_S, &who), ERR_RATE_LIMITED);
    auth_destroy(a);
}

/* Whoever has one address of IPv6 has 2^64 of them: the network is who guesses. */
static void test_guesses_from_one_network_of_ipv6_are_one_guesser(void **state)
{
    (void)state;
    struct auth *a = open_auth(0);
    struct auth_who who;
    char peer[64];
    unsigned slowed = 0;
    for (unsigned i = 0; i < 2 * AUTH_MISSES_BURST; i++) {
        snprintf(peer, sizeof peer, "[2001:db8:1:2:%x::%x]:%u", i, i + 1, 1024 + i);
        slowed += auth_check(a, bytes_text("nonsense"), bytes_text(peer), WALL, 0, &who).code == ERR_RATE_LIMITED;
    }
    assert_int_equal(slowed, AUTH_MISSES_BURST);
    struct bytes next_door = bytes_text("[2001:db8:1:3::1]:1024");
    assert_int_equal(auth_check(a, bytes_text("nonsense"), next_door, WALL, 0, &who).code, ERR_UNAUTHENTICATED);
    auth_destroy(a);
}

static void test_a_token_that_the_cache_forgot_is_read_again(void **state)
{
    (void)state;
    struct auth *a = open_auth(2);
    char tokens[5][AUTH_TOKEN_LEN];
    struct uuid account;
    struct auth_who who;
    for (int i = 0; i < 5; i++) grant(a, AUTH_RIDER, tokens[i], &account);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5; i++) {
            assert_int_equal(check(a, bytes_of(tokens[i], AUTH_TOKEN_LEN), WALL, 0, &who), ERR_OK);
        }
    }
    assert_int_equal(auth_counters(a)->looked_up, 10);
    auth_destroy(a);
}

static void test_grants_without_sense_are_refused(void **state)
{
    (void)state;
    struct auth *a = open_auth(0);
    char token[AUTH_TOKEN_LEN];
    struct uuid account;
    struct auth_grant g = {.role = AUTH_ROLE_N, .now_ms = WALL, .expires_ms = WALL + 1};
    assert_int_equal(auth_grant(a, &g, token, &account).code, ERR_INVALID);
    g = (struct auth_grant){.role = AUTH_RIDER, .now_ms = WALL, .expires_ms = WALL};
    assert_int_equal(auth_grant(a, &g, token, &account).code, ERR_INVALID);
    g.expires_ms = INT64_MAX;
    assert_int_equal(auth_grant(a, &g, token, &account).code, ERR_INVALID);
    auth_destroy(a);
}

static void test_a_secret_stays_the_same(void **state)
{
    (void)state;
    uint8_t one[16], two[16], other[16];
    struct auth *a = open_auth(0);
    assert_int_equal(auth_secret16(a, "idempotency", one).code, ERR_OK);
    assert_int_equal(auth_secret16(a, "other", other).code, ERR_OK);
    auth_destroy(a);
    a = open_auth(0);
    assert_int_equal(auth_secret16(a, "idempotency", two).code, ERR_OK);
    assert_memory_equal(one, two, 16);
    assert_memory_not_equal(one, other, 16);
    auth_destroy(a);
}

static void test_what_is_no_database_is_refused(void **state)
{
    (void)state;
    struct auth *a;
    struct auth_options options = {.path = path};
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    for (int i = 0; i < 500; i++) fputs("this is not a database ", f);
    fclose(f);
    assert_int_equal(auth_create(&options, &a).code, ERR_CORRUPT);
    assert_true(strlen(auth_text(a)) > 0);
    auth_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_granted_token_names_its_account_and_role, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_the_database_never_holds_a_token, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_what_another_process_grants_and_revokes_is_seen, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(test_guesses_are_slowed_by_address_and_known_tokens_are_not, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(test_guesses_from_one_network_of_ipv6_are_one_guesser, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_a_token_that_the_cache_forgot_is_read_again, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_grants_without_sense_are_refused, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_a_secret_stays_the_same, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_what_is_no_database_is_refused, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
