/* SPDX-License-Identifier: Apache-2.0 */
/* staff_test.c: staff declared over the api, with the clerk and the desk working inline. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/fake/rig.h"
#include "api/people.h"

#define PASSWORD "correct horse battery"

static struct rig_reply put(struct rig *r, const char *path, const char *body)
{
    return rig_ask_once(r, (struct rig_request){.method = "PUT", .path = path, .role = AUTH_CONTROL, .body = body});
}

static struct rig_reply get(struct rig *r, const char *path)
{
    return rig_ask_once(r, (struct rig_request){.method = "GET", .path = path, .role = AUTH_CONTROL});
}

static int me(struct rig *r, const char *token)
{
    char headers[160];
    snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", token);
    return rig_ask_once(r, (struct rig_request){.method = "GET", .path = "/v1/me", .headers = headers}).status;
}

/* The status; 200 with the token. */
static int sign_in(struct rig *r, const char *name, const char *password, char token[AUTH_TOKEN_LEN + 1])
{
    char body[200];
    snprintf(body, sizeof body, "{\"name\":\"%s\",\"password\":\"%s\"}", name, password);
    struct rig_reply reply = rig_ask_once(r, (struct rig_request){.method = "POST", .path = "/v1/staff/sign-in", .body = body});
    const uint8_t *at = reply.status == 200 ? memmem(reply.body.at, reply.body.len, "pdk_", 4) : NULL;
    if (at) memcpy(token, at, AUTH_TOKEN_LEN);
    token[at ? AUTH_TOKEN_LEN : 0] = 0;
    return reply.status;
}

static void declare_city(struct rig *r, uint64_t id, const char *code)
{
    struct city city = {.id = id, .uuid = rig_uuid((uint8_t)id)};
    text_clip(&city.code, bytes_text(code));
    rig_cut(r, ROW_CITY, &city);
}

static void test_who_has_no_password_yet_cannot_sign_in(void **state)
{
    (void)state;
    struct rig r;
    char token[AUTH_TOKEN_LEN + 1];
    rig_open(&r, NULL);
    struct rig_reply reply = put(&r, "/v1/staff/ada", "{\"role\":\"oncall\"}");
    assert_int_equal(reply.status, 200);
    assert_true(rig_has(reply.body, "\"name\":\"ada\""));
    assert_true(rig_has(reply.body, "\"role\":\"oncall\",\"cities\":null,\"can_sign_in\":false"));
    assert_int_equal(sign_in(&r, "ada", PASSWORD, token), 401);
    assert_int_equal(sign_in(&r, "ada", "*", token), 401);
    reply = put(&r, "/v1/staff/ada", "{\"role\":\"oncall\",\"password\":\"" PASSWORD "\"}");
    assert_true(rig_has(reply.body, "\"can_sign_in\":true"));
    assert_int_equal(sign_in(&r, "ada", PASSWORD, token), 200);
    rig_close(&r);
}

static void test_a_change_ends_what_is_out_and_a_repeat_does_not(void **state)
{
    (void)state;
    struct rig r;
    char token[AUTH_TOKEN_LEN + 1];
    static const char *const same[] = {"{\"role\":\"crew\"}", "{\"role\":\"crew\",\"password\":\"" PASSWORD "\"}"};
    static const char *const other[] = {"{\"role\":\"control\"}", "{\"role\":\"crew\",\"cities\":[\"gothenburg\"]}",
                                        "{\"role\":\"crew\",\"password\":\"another long one\"}"};
    rig_open(&r, NULL);
    declare_city(&r, 1, "gothenburg");
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(put(&r, "/v1/staff/ada", same[1]).status, 200);
        assert_int_equal(sign_in(&r, "ada", PASSWORD, token), 200);
        for (unsigned k = 0; k < 2; k++) assert_int_equal(put(&r, "/v1/staff/ada", same[k]).status, 200);
        assert_int_equal(me(&r, token), 200);
        assert_int_equal(put(&r, "/v1/staff/ada", other[i]).status, 200);
        assert_int_equal(me(&r, token), 401);
        if (i < 2) assert_int_equal(sign_in(&r, "ada", PASSWORD, token), 200); /* theirs stayed */
        else assert_int_equal(sign_in(&r, "ada", PASSWORD, token), 401);
    }
    rig_close(&r);
}

static void test_no_answer_has_a_password_or_its_hash(void **state)
{
    (void)state;
    struct rig r;
    static const char *const paths[] = {"/v1/staff", "/v1/staff/ada"};
    rig_open(&r, NULL);
    struct rig_reply reply = put(&r, "/v1/staff/ada", "{\"role\":\"crew\",\"password\":\"" PASSWORD "\"}");
    assert_true(rig_has(reply.body, "ada") && !rig_has(reply.body, PASSWORD) && !rig_has(reply.body, "argon2"));
    for (unsigned i = 0; i < 2; i++) {
        reply = get(&r, paths[i]);
        assert_int_equal(reply.status, 200);
        assert_true(rig_has(reply.body, "\"name\":\"ada\"") && rig_has(reply.body, "\"can_sign_in\":true"));
        assert_false(rig_has(reply.body, PASSWORD) || rig_has(reply.body, "argon2") || rig_has(reply.body, "password"));
    }
    reply = put(&r, "/v1/staff/ada", "{\"role\":\"crew\",\"password\":\"short one\"}");
    assert_int_equal(reply.status, 422);
    assert_true(rig_has(reply.body, "\"field\":\"password\"") && !rig_has(reply.body, "short one"));
    rig_close(&r);
}

static void test_cities_must_be_declared_and_roles_be_of_staff(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, NULL);
    declare_city(&r, 1, "gothenburg");
    declare_city(&r, 2, "malmo");
    struct rig_reply reply = put(&r, "/v1/staff/bo", "{\"role\":\"crew\",\"cities\":[\"malmo\",\"gothenburg\",\"malmo\"]}");
    assert_int_equal(reply.status, 200);
    assert_true(rig_has(reply.body, "\"cities\":[\"gothenburg\",\"malmo\"]"));
    reply = put(&r, "/v1/staff/cy", "{\"role\":\"crew\",\"cities\":[\"malmo\",\"zembla\"]}");
    assert_int_equal(reply.status, 422);
    assert_true(rig_has(reply.body, "zembla, which is not declared: PUT /v1/cities/zembla first"));
    assert_int_equal(get(&r, "/v1/staff/cy").status, 404);
    reply = put(&r, "/v1/staff/cy", "{\"role\":\"rider\"}");
    assert_int_equal(reply.status, 422);
    assert_true(rig_has(reply.body, "is none of control, oncall, crew, owner, city, mds"));
    assert_int_equal(put(&r, "/v1/staff/cy", "{\"role\":\"crew\",\"cities\":[]}").status, 422);
    assert_int_equal(put(&r, "/v1/staff/cy", "{}").status, 422);
    rig_close(&r);
}

/* More than ever wait at once, one after the other: each gives its place back, whatever became of it. */
static void test_places_of_those_who_wait_for_cities_come_back(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, NULL);
    declare_city(&r, 1, "gothenburg");
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(put(&r, "/v1/staff/bo", "{\"role\":\"crew\",\"cities\":[\"gothenburg\"]}").status, 200);
        assert_int_equal(put(&r, "/v1/staff/bo", "{\"role\":\"crew\",\"cities\":[\"nowhere\"]}").status, 422);
    }
    rig_close(&r);
}

static void test_signing_out_and_leaving_end_tokens(void **state)
{
    (void)state;
    struct rig r;
    char token[AUTH_TOKEN_LEN + 1];
    struct rig_request out = {.method = "POST", .path = "/v1/staff/ada/sign-out", .role = AUTH_CONTROL};
    struct rig_request leave = {.method = "DELETE", .path = "/v1/staff/ada", .role = AUTH_CONTROL};
    rig_open(&r, NULL);
    assert_int_equal(rig_ask_once(&r, out).status, 404);
    assert_int_equal(rig_ask_once(&r, leave).status, 404);
    put(&r, "/v1/staff/ada", "{\"role\":\"crew\",\"password\":\"" PASSWORD "\"}");
    assert_int_equal(sign_in(&r, "ada", PASSWORD, token), 200);
    assert_int_equal(rig_ask_once(&r, out).status, 204);
    assert_int_equal(me(&r, token), 401);
    assert_int_equal(sign_in(&r, "ada", PASSWORD, token), 200);
    assert_int_equal(rig_ask_once(&r, leave).status, 204);
    assert_int_equal(me(&r, token), 401);
    assert_int_equal(sign_in(&r, "ada", PASSWORD, token), 401);
    assert_int_equal(get(&r, "/v1/staff/ada").status, 404);
    rig_close(&r);
}

static void test_pages_go_by_name_and_names_are_any_text(void **state)
{
    (void)state;
    struct rig r;
    static const char *const names[] = {"Anna%20Ek", "b%2Fo", "%C3%85sa"};
    rig_open(&r, NULL);
    for (unsigned i = 0; i < 3; i++) {
        char path[64];
        snprintf(path, sizeof path, "/v1/staff/%s", names[i]);
        assert_int_equal(put(&r, path, "{\"role\":\"crew\"}").status, 200);
        assert_int_equal(get(&r, path).status, 200);
    }
    struct rig_reply reply = get(&r, "/v1/staff?limit=2");
    assert_true(rig_has(reply.body, "Anna Ek") && rig_has(reply.body, "\"next\":\"b/o\"") && !rig_has(reply.body, "sa\""));
    reply = get(&r, "/v1/staff?limit=2&after=b%2Fo");
    assert_true(rig_has(reply.body, "\xc3\x85sa") && rig_has(reply.body, "\"next\":null") && !rig_has(reply.body, "Anna"));
    assert_int_equal(put(&r, "/v1/staff/%C3", "{\"role\":\"crew\"}").status, 422);
    assert_int_equal(put(&r, "/v1/staff/a%0Ab", "{\"role\":\"crew\"}").status, 422);
    assert_int_equal(put(&r, "/v1/staff/12345678901234567890123456789012", "{\"role\":\"crew\"}").status, 422);
    rig_close(&r);
}

static void test_only_control_of_the_whole_operator_may(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, NULL);
    for (enum auth_role role = AUTH_RIDER; role < AUTH_ROLE_N; role++) {
        if (role == AUTH_CONTROL) continue;
        struct rig_request q = {.method = "PUT", .path = "/v1/staff/me", .role = role, .body = "{\"role\":\"control\"}"};
        assert_int_equal(rig_ask_once(&r, q).status, 403);
        q = (struct rig_request){.method = "GET", .path = "/v1/staff", .role = role};
        assert_int_equal(rig_ask_once(&r, q).status, 403);
    }
    assert_int_equal(get(&r, "/v1/staff/me").status, 404);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_has_no_password_yet_cannot_sign_in),
        cmocka_unit_test(test_a_change_ends_what_is_out_and_a_repeat_does_not),
        cmocka_unit_test(test_no_answer_has_a_password_or_its_hash),
        cmocka_unit_test(test_cities_must_be_declared_and_roles_be_of_staff),
        cmocka_unit_test(test_places_of_those_who_wait_for_cities_come_back),
        cmocka_unit_test(test_signing_out_and_leaving_end_tokens),
        cmocka_unit_test(test_pages_go_by_name_and_names_are_any_text),
        cmocka_unit_test(test_only_control_of_the_whole_operator_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
