/* SPDX-License-Identifier: Apache-2.0 */
/* ask_people_test.c: signing in and out over the api, with the clerk working inline. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/fake/rig.h"

#define PHONE "+46701740605"

static struct rig_reply post(struct rig *r, const char *path, const char *body, const char *token)
{
    char headers[160];
    snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", token ? token : "");
    return rig_ask_once(r, (struct rig_request){.method = "POST", .path = path,
                                                .body = body, .headers = token ? headers : NULL});
}

static struct rig_reply get(struct rig *r, const char *path, const char *token)
{
    char headers[160];
    snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", token);
    return rig_ask_once(r, (struct rig_request){.method = "GET", .path = path, .headers = headers});
}

static int send_code(struct rig *r, const char *phone, char code[7])
{
    char body[80];
    snprintf(body, sizeof body, "{\"phone\":\"%s\"}", phone);
    struct rig_reply reply = post(r, "/v1/sign-in/code", body, NULL);
    struct bytes digits = text_bytes(&r->message.params[0].value);
    memset(code, 0, 7);
    if (reply.status == 202 && digits.len == 6) memcpy(code, digits.at, 6);
    return reply.status;
}

static struct rig_reply sign_in(struct rig *r, const char *phone, const char *code)
{
    char body[120];
    snprintf(body, sizeof body, "{\"phone\":\"%s\",\"code\":\"%s\"}", phone, code);
    return post(r, "/v1/sign-in", body, NULL);
}

static void take_member(struct bytes body, const char *name, char *out, size_t room)
{
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\"%s\":\"", name);
    const uint8_t *at = memmem(body.at, body.len, wanted, strlen(wanted));
    assert_non_null(at);
    at += strlen(wanted);
    const uint8_t *end = memchr(at, '"', (size_t)(body.at + body.len - at));
    assert_true(end && (size_t)(end - at) < room);
    memcpy(out, at, (size_t)(end - at));
    out[end - at] = 0;
}

static void wrong_of(char code[7])
{
    code[5] = code[5] == '9' ? '0' : (char)(code[5] + 1);
}

static void test_a_code_signs_in_and_the_number_is_the_same_person_again(void **state)
{
    (void)state;
    struct rig r;
    char code[7], token[80], account[64], again[64];
    rig_open(&r, NULL);
    assert_int_equal(send_code(&r, PHONE, code), 202);
    assert_int_equal(strlen(code), 6);
    assert_true(text_is(&r.message.to, PHONE));
    assert_int_equal(r.message.template, MESSAGE_SIGN_IN_CODE);
    struct rig_reply reply = sign_in(&r, PHONE, code);
    assert_int_equal(reply.status, 200);
    assert_true(rig_has(reply.body, "\"role\":\"rider\""));
    take_member(reply.body, "token", token, sizeof token);
    take_member(reply.body, "account", account, sizeof account);
    reply = get(&r, "/v1/me", token);
    assert_int_equal(reply.status, 200);
    assert_true(rig_has(reply.body, account));
    assert_true(rig_has(reply.body, "\"role\":\"rider\",\"cities\":null,\"name\":null,\"expires_ms\":1771776000000"));
    rig_pass_ms(&r, CODES_RESEND_MS);
    assert_int_equal(send_code(&r, PHONE, code), 202);
    take_member(sign_in(&r, PHONE, code).body, "account", again, sizeof again);
    assert_string_equal(account, again);
    rig_pass_ms(&r, CODES_RESEND_MS);
    assert_int_equal(send_code(&r, "+4915112345678", code), 202);
    take_member(sign_in(&r, "+4915112345678", code).body, "account", again, sizeof again);
    assert_string_not_equal(account, again);
    rig_close(&r);
}

static void test_a_code_is_good_once(void **state)
{
    (void)state;
    struct rig r;
    char code[7];
    rig_open(&r, NULL);
    send_code(&r, PHONE, code);
    assert_int_equal(sign_in(&r, PHONE, code).status, 200);
    struct rig_reply reply = sign_in(&r, PHONE, code);
    assert_int_equal(reply.status, 401);
    assert_true(rig_has(reply.body, "\"code\":\"sign_in_refused\""));
    rig_close(&r);
}

static void test_a_code_ends_with_its_time_and_with_the_next_one(void **state)
{
    (void)state;
    struct rig r;
    char first[7], second[7];
    rig_open(&r, NULL);
    send_code(&r, PHONE, first);
    rig_pass_ms(&r, 300000);
    assert_int_equal(sign_in(&r, PHONE, first).status, 401);
    send_code(&r, PHONE, first);
    rig_pass_ms(&r, CODES_RESEND_MS);
    send_code(&r, PHONE, second);
    assert_string_not_equal(first, second);
    assert_int_equal(sign_in(&r, PHONE, first).status, 401);
    assert_int_equal(sign_in(&r, PHONE, second).status, 200);
    rig_close(&r);
}

static void test_a_code_bears_few_tries(void **state)
{
    (void)state;
    struct rig r;
    char code[7], wrong[7];
    rig_open(&r, NULL);
    send_code(&r, PHONE, code);
    memcpy(wrong, code, 7);
    wrong_of(wrong);
    for (unsigned i = 0; i < CODES_TRIES; i++) assert_int_equal(sign_in(&r, PHONE, wrong).status, 401);
    assert_int_equal(sign_in(&r, PHONE, code).status, 401);
    rig_close(&r);
}

/* What is said of a number that asked for no code, of one that did, and of one that is somebody's, is the same. */
static void test_nobody_learns_whether_a_number_is_known(void **state)
{
    (void)state;
    struct rig r;
    char code[7], wrong[7], bodies[3][400], heads[3][600];
    rig_open(&r, NULL);
    send_code(&r, PHONE, code);
    assert_int_equal(sign_in(&r, PHONE, code).status, 200);
    rig_pass_ms(&r, CODES_RESEND_MS);
    static const char *const phones[] = {PHONE, "+4915112345678", "+33123456789"};
    for (unsigned i = 0; i < 3; i++) {
        char body[80];
        snprintf(body, sizeof body, "{\"phone\":\"%s\"}", phones[i]);
        if (i < 2) {
            struct rig_reply sent = post(&r, "/v1/sign-in/code", body, NULL);
            assert_int_equal(sent.status, 202);
            snprintf(bodies[i], sizeof bodies[i], "%.*s", (int)sent.body.len, sent.body.at);
        }
        memcpy(wrong, text_bytes(&r.message.params[0].value).at, 6);
        wrong[6] = 0;
        wrong_of(wrong);
        struct rig_reply refused = sign_in(&r, phones[i], wrong);
        assert_int_equal(refused.status, 401);
        const char *trace = memmem(refused.body.at, refused.body.len, "\"trace_id\"", 10);
        assert_non_null(trace);
        size_t shown = (size_t)(trace - (const char *)refused.body.at);
        snprintf(heads[i], sizeof heads[i], "%.*s|%.*s", (int)refused.head.len, refused.head.at, (int)shown,
                 refused.body.at);
    }
    assert_string_equal(bodies[0], bodies[1]);
    assert_string_equal(heads[0], heads[1]);
    assert_string_equal(heads[0], heads[2]);
    rig_close(&r);
}

static void test_codes_are_not_sent_too_often(void **state)
{
    (void)state;
    struct rig r;
    char code[7];
    rig_open(&r, NULL);
    assert_int_equal(send_code(&r, PHONE, code), 202);
    struct rig_reply reply = post(&r, "/v1/sign-in/code", "{\"phone\":\"" PHONE "\"}", NULL);
    assert_int_equal(reply.status, 429);
    assert_true(rig_has(reply.head, "Retry-After: 30"));
    for (unsigned i = 1; i < 4; i++) { /* LIMIT_CODE_PHONE */
        rig_pass_ms(&r, CODES_RESEND_MS);
        assert_int_equal(send_code(&r, PHONE, code), 202);
    }
    rig_pass_ms(&r, CODES_RESEND_MS);
    assert_int_equal(send_code(&r, PHONE, code), 429);
    assert_int_equal(send_code(&r, "+4915112345678", code), 202); /* others may */
    rig_pass_ms(&r, 600000);
    assert_int_equal(send_code(&r, PHONE, code), 202);
    assert_int_equal(r.messages, 6);
    rig_close(&r);
}

static void test_one_address_may_not_ask_for_everybodys_code(void **state)
{
    (void)state;
    struct rig r;
    char code[7], phone[24];
    unsigned sent = 0;
    rig_open(&r, NULL);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(phone, sizeof phone, "+4670000%04u", i);
        sent += send_code(&r, phone, code) == 202;
    }
    assert_int_equal(sent, 60);
    struct rig_reply metrics = rig_admin(&r, "/metrics");
    assert_true(rig_has(metrics.body, "paddock_api_limited_total{limit=\"code_address\"} 40"));
    assert_true(rig_has(metrics.body, "paddock_api_messages_total{outcome=\"sent\"} 60"));
    rig_close(&r);
}

static void test_numbers_are_e164(void **state)
{
    (void)state;
    struct rig r;
    static const char *const bad[] = {"0701740605", "+0701740605", "+4670", "+46 70 174 06 05", "+467017406051234567",
                                      "+46701740a05", ""};
    rig_open(&r, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char code[7];
        assert_int_equal(send_code(&r, bad[i], code), 422);
    }
    assert_int_equal(r.messages, 0);
    rig_close(&r);
}

static void test_without_a_way_for_messages_the_reason_is_said(void **state)
{
    (void)state;
    struct rig r;
    struct rig_options options = {.no_messages = true};
    rig_open(&r, &options);
    struct rig_reply reply = post(&r, "/v1/sign-in/code", "{\"phone\":\"" PHONE "\"}", NULL);
    assert_int_equal(reply.status, 501);
    assert_true(rig_has(reply.body, "message.send"));
    rig_close(&r);
}

static void add_staff(struct rig *r, const char *name, enum auth_role role, const char *cities, const char *password)
{
    struct scope scope;
    struct uuid account;
    assert_int_equal(scope_read(bytes_text(cities ? cities : ""), &scope).code, ERR_OK);
    struct people_staff staff = {bytes_text(name), role, cities ? &scope : NULL, bytes_text(password)};
    assert_int_equal(people_staff_put(r->auth, &staff, SECRET_COST_LEAST, r->wall_ms, &account).code, ERR_OK);
}

static struct rig_reply staff_sign_in(struct rig *r, const char *name, const char *password)
{
    char body[200];
    snprintf(body, sizeof body, "{\"name\":\"%s\",\"password\":\"%s\"}", name, password);
    return post(r, "/v1/staff/sign-in", body, NULL);
}

static void test_staff_sign_in_by_password(void **state)
{
    (void)state;
    struct rig r;
    char token[80];
    rig_open(&r, NULL);
    add_staff(&r, "ada", AUTH_CONTROL, NULL, "correct horse battery");
    add_staff(&r, "bo", AUTH_CREW, "malmo,gothenburg", "another long password");
    struct rig_reply reply = staff_sign_in(&r, "ada", "correct horse battery");
    assert_int_equal(reply.status, 200);
    assert_true(rig_has(reply.body, "\"role\":\"control\",\"cities\":null"));
    reply = staff_sign_in(&r, "bo", "another long password");
    assert_true(rig_has(reply.body, "\"role\":\"crew\",\"cities\":[\"gothenburg\",\"malmo\"]"));
    take_member(reply.body, "token", token, sizeof token);
    reply = get(&r, "/v1/me", token);
    assert_true(rig_has(reply.body, "\"cities\":[\"gothenburg\",\"malmo\"],\"name\":\"bo\""));
    rig_close(&r);
}

static void test_a_wrong_name_and_a_wrong_password_are_one(void **state)
{
    (void)state;
    struct rig r;
    char bodies[2][400];
    rig_open(&r, NULL);
    add_staff(&r, "ada", AUTH_CONTROL, NULL, "correct horse battery");
    for (unsigned i = 0; i < 2; i++) {
        struct rig_reply reply = staff_sign_in(&r, i ? "nobody" : "ada", "wrong password");
        assert_int_equal(reply.status, 401);
        const char *trace = memmem(reply.body.at, reply.body.len, "\"trace_id\"", 10);
        snprintf(bodies[i], sizeof bodies[i], "%.*s", (int)(trace - (const char *)reply.body.at), reply.body.at);
    }
    assert_string_equal(bodies[0], bodies[1]);
    rig_close(&r);
}

static void test_guessing_a_password_locks_the_name_for_a_while(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, NULL);
    add_staff(&r, "ada", AUTH_CONTROL, NULL, "correct horse battery");
    for (unsigned i = 0; i < 10; i++) assert_int_equal(staff_sign_in(&r, "ada", "wrong password").status, 401);
    assert_int_equal(staff_sign_in(&r, "ada", "correct horse battery").status, 429);
    rig_pass_ms(&r, 60000);
    assert_int_equal(staff_sign_in(&r, "ada", "correct horse battery").status, 200);
    for (unsigned i = 0; i < 40; i++) { /* the right one costs nothing */
        assert_int_equal(staff_sign_in(&r, "ada", "correct horse battery").status, 200);
    }
    rig_close(&r);
}

static void test_a_changed_password_ends_what_was_signed_in_by_the_old_one(void **state)
{
    (void)state;
    struct rig r;
    char token[80];
    rig_open(&r, NULL);
    add_staff(&r, "ada", AUTH_CONTROL, NULL, "correct horse battery");
    take_member(staff_sign_in(&r, "ada", "correct horse battery").body, "token", token, sizeof token);
    assert_int_equal(get(&r, "/v1/me", token).status, 200);
    add_staff(&r, "ada", AUTH_CONTROL, NULL, "a new and better one");
    assert_int_equal(get(&r, "/v1/me", token).status, 401);
    assert_int_equal(staff_sign_in(&r, "ada", "correct horse battery").status, 401);
    assert_int_equal(staff_sign_in(&r, "ada", "a new and better one").status, 200);
    rig_close(&r);
}

static void test_signing_out_ends_the_token_or_all_of_them(void **state)
{
    (void)state;
    struct rig r;
    char code[7], tokens[3][80];
    rig_open(&r, NULL);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(send_code(&r, PHONE, code), 202);
        take_member(sign_in(&r, PHONE, code).body, "token", tokens[i], sizeof tokens[i]);
        rig_pass_ms(&r, CODES_RESEND_MS);
    }
    assert_int_equal(post(&r, "/v1/sign-out", NULL, tokens[0]).status, 204);
    assert_int_equal(get(&r, "/v1/me", tokens[0]).status, 401);
    assert_int_equal(get(&r, "/v1/me", tokens[1]).status, 200);
    assert_int_equal(post(&r, "/v1/sign-out/everywhere", NULL, tokens[1]).status, 204);
    assert_int_equal(get(&r, "/v1/me", tokens[1]).status, 401);
    assert_int_equal(get(&r, "/v1/me", tokens[2]).status, 401);
    rig_close(&r);
}

static struct rig_reply by_control(struct rig *r, const char *method, const char *account, const char *what)
{
    char path[120];
    snprintf(path, sizeof path, "/v1/riders/%s%s", account, what);
    return rig_ask_once(r, (struct rig_request){.method = method, .path = path, .role = AUTH_CONTROL});
}

static void test_erasing_a_rider_takes_number_and_tokens_and_nothing_of_staff(void **state)
{
    (void)state;
    struct rig r;
    char code[7], token[80], account[64], again[64];
    rig_open(&r, NULL);
    send_code(&r, PHONE, code);
    struct rig_reply reply = sign_in(&r, PHONE, code);
    take_member(reply.body, "token", token, sizeof token);
    take_member(reply.body, "account", account, sizeof account);
    assert_true(rig_has(by_control(&r, "GET", account, "/contact").body, "\"phone\":\"" PHONE "\""));
    uint64_t conn = rig_ask(&r, (struct rig_request){.method = "GET", .path = "/v1/riders/x/contact", .role = AUTH_CREW});
    assert_int_equal(rig_reply(&r, conn).status, 403);
    assert_int_equal(by_control(&r, "DELETE", account, "").status, 204);
    assert_int_equal(get(&r, "/v1/me", token).status, 401);
    assert_true(rig_has(by_control(&r, "GET", account, "/contact").body, "\"phone\":null"));
    rig_pass_ms(&r, CODES_RESEND_MS);
    send_code(&r, PHONE, code);
    take_member(sign_in(&r, PHONE, code).body, "account", again, sizeof again);
    assert_string_not_equal(account, again); /* somebody new */
    char control[40];
    struct buf b = buf_on(control, sizeof control - 1);
    buf_put_uuid(&b, r.accounts[AUTH_CONTROL]);
    control[b.len] = 0;
    assert_int_equal(by_control(&r, "DELETE", control, "").status, 204);
    assert_int_equal(by_control(&r, "GET", control, "/contact").status, 200); /* still lets control in */
    rig_close(&r);
}

static struct rig_reply me_by_app(struct rig *r, const char *app)
{
    char headers[80];
    snprintf(headers, sizeof headers, "Paddock-App: %s\r\n", app);
    return rig_reply(r, rig_ask(r, (struct rig_request){.method = "GET", .path = "/v1/me", .role = AUTH_RIDER,
                                                        .headers = headers}));
}

static void test_apps_below_the_minimum_build_are_sent_to_the_new_one(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, NULL);
    assert_int_equal(me_by_app(&r, "rider/12").status, 200);
    uint64_t conn = rig_ask(&r, (struct rig_request){
        .method = "PUT", .path = "/v1/apps/rider", .role = AUTH_CONTROL,
        .body = "{\"minimum_build\":13,\"update_url\":\"https://example.com/app\"}"});
    assert_int_equal(rig_reply(&r, conn).status, 204);
    struct rig_reply reply = me_by_app(&r, "rider/12");
    assert_int_equal(reply.status, 426);
    assert_true(rig_has(reply.head, "Upgrade: rider/13"));
    assert_true(rig_has(reply.body, "\"code\":\"app_too_old\""));
    assert_true(rig_has(reply.body, "\"update_url\":\"https://example.com/app\""));
    assert_int_equal(me_by_app(&r, "rider/13").status, 200);
    assert_int_equal(me_by_app(&r, "control/3").status, 200);
    assert_int_equal(me_by_app(&r, "rider").status, 400);
    assert_int_equal(me_by_app(&r, "rider/x").status, 400);
    conn = rig_ask(&r, (struct rig_request){.method = "PUT", .path = "/v1/apps/rider", .role = AUTH_CONTROL,
                                            .body = "{\"minimum_build\":0,\"update_url\":\"https://example.com/app\"}"});
    assert_int_equal(rig_reply(&r, conn).status, 204);
    assert_int_equal(me_by_app(&r, "rider/12").status, 200);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_code_signs_in_and_the_number_is_the_same_person_again),
        cmocka_unit_test(test_a_code_is_good_once),
        cmocka_unit_test(test_a_code_ends_with_its_time_and_with_the_next_one),
        cmocka_unit_test(test_a_code_bears_few_tries),
        cmocka_unit_test(test_nobody_learns_whether_a_number_is_known),
        cmocka_unit_test(test_codes_are_not_sent_too_often),
        cmocka_unit_test(test_one_address_may_not_ask_for_everybodys_code),
        cmocka_unit_test(test_numbers_are_e164),
        cmocka_unit_test(test_without_a_way_for_messages_the_reason_is_said),
        cmocka_unit_test(test_staff_sign_in_by_password),
        cmocka_unit_test(test_a_wrong_name_and_a_wrong_password_are_one),
        cmocka_unit_test(test_guessing_a_password_locks_the_name_for_a_while),
        cmocka_unit_test(test_a_changed_password_ends_what_was_signed_in_by_the_old_one),
        cmocka_unit_test(test_signing_out_ends_the_token_or_all_of_them),
        cmocka_unit_test(test_erasing_a_rider_takes_number_and_tokens_and_nothing_of_staff),
        cmocka_unit_test(test_apps_below_the_minimum_build_are_sent_to_the_new_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
