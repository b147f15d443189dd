/* SPDX-License-Identifier: Apache-2.0 */
/* Questions and events leave the house signed, are tried again, and come back as facts, whatever the other side does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "api/endpoint.h"
#include "api/fake/rig.h"
#include "api/outbound.h"
#include "api/secret.h"

#define TEST(name) static void name(void **state)
#define RIG struct rig *r = *state

static int set_up(void **state)
{
    struct rig *r = malloc(sizeof *r);
    rig_open(r, NULL);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    rig_close(*state);
    free(*state);
    return 0;
}

static uint64_t put(struct rig *r, const char *method, const char *path, const char *body)
{
    struct rig_request q = {.method = method, .path = path, .body = body, .role = AUTH_CONTROL, .key = "k"};
    return rig_ask(r, q);
}

static struct inbound next_of(struct rig *r, uint8_t kind)
{
    struct inbound in;
    while (rig_next(r, &in)) {
        if (!in.is_query && in.fact.kind == kind) return in;
    }
    fail_msg("no fact of kind %u", kind);
    return in;
}

static bool any_fact(struct rig *r)
{
    struct inbound in;
    return rig_next(r, &in);
}

static void declare_hook(struct rig *r)
{
    uint64_t conn = put(r, "PUT", "/v1/hooks/ride.may_start", "{\"url\":\"http://h.example/ask\",\"deadline_ms\":1000}");
    struct inbound in = next_of(r, FACT_HOOK_SET);
    assert_int_equal(in.fact.hook_set.deadline_ms, 1000);
    assert_int_equal(in.fact.hook_set.fallback, VERDICT_ALLOW);
    struct to_api item = {.kind = TO_API_REPLY, .handle = in.origin.handle,
                          .reply = {.subject_kind = ROW_HOOK, .subject_id = 7, .subject = rig_uuid(7)}};
    item.hook = (struct hook){.id = 7, .uuid = rig_uuid(7), .ask = ASK_RIDE_MAY_START, .deadline_ms = 1000,
                              .fallback = VERDICT_ALLOW};
    rig_give(r, item);
    assert_int_equal(rig_reply(r, conn).status, 200);
    assert_true(rig_has(rig_reply(r, conn).body, "\"secret\":\"whsec_"));
}

static void ask(struct rig *r, uint8_t name)
{
    struct to_api item = {.kind = TO_API_ASK};
    item.ask = (struct effect_ask){.ask = ASK_RIDE_MAY_START, .id = rig_uuid(name), .ride = rig_uuid(2), .rider = rig_uuid(3),
                                   .asked_ms = r->wall_ms, .deadline_ms = r->wall_ms + 1000};
    text_clip(&item.ask.vehicle_code, bytes_text("SE-0042"));
    rig_give(r, item);
}

static struct client_fake_call *called(struct rig *r)
{
    struct client_fake_call *call = client_fake_look(&r->client);
    assert_non_null(call);
    return call;
}

static void check_signature(struct rig *r, const char *kind, const char *code, const struct client_fake_call *call)
{
    struct endpoints all = {.auth = r->auth};
    assert_int_equal(endpoints_load(&all).code, ERR_OK);
    struct endpoint *e = endpoint_find(&all, kind, bytes_text(code));
    assert_non_null(e);
    char text[80];
    uint8_t mac[SECRET_MAC_LEN];
    struct buf b = buf_on(text, sizeof text - 1);
    const struct bytes parts[] = {bytes_text(client_fake_header(call, "webhook-id")), bytes_text("."),
                                  bytes_text(client_fake_header(call, "webhook-timestamp")), bytes_text("."),
                                  bytes_of(call->body, call->body_len)};
    secret_sign(e->secret, parts, 5, mac);
    buf_put_text(&b, "v1,");
    secret_base64(bytes_of(mac, sizeof mac), &b);
    text[b.len] = 0;
    assert_string_equal(client_fake_header(call, "webhook-signature"), text);
}

TEST(a_question_is_signed_and_its_answer_becomes_a_fact)
{
    RIG;
    declare_hook(r);
    ask(r, 1);
    struct client_fake_call *call = called(r);
    assert_string_equal(call->url, "http://h.example/ask");
    assert_string_equal(client_fake_header(call, "webhook-id"), "01010101-0101-0101-0101-010101010101");
    assert_true(strstr(call->body, "\"ask\":\"ride.may_start\"") && strstr(call->body, "\"vehicle_code\":\"SE-0042\""));
    assert_int_equal(call->deadline_ms, 1000);
    check_signature(r, "hook/", "ride.may_start", call);
    client_fake_answer(call, 200, "{\"verdict\":\"refuse\",\"reason\":\"after_hours\",\"text_key\":\"a.b\"}");
    rig_pass_ms(r, 1);
    struct inbound in = next_of(r, FACT_ASK_ANSWERED);
    assert_true(uuid_equal(in.fact.ask_answered.ask, rig_uuid(1)));
    assert_int_equal(in.fact.ask_answered.verdict, VERDICT_REFUSE);
    assert_true(text_is(&in.fact.ask_answered.reason, "after_hours") && text_is(&in.fact.ask_answered.text_key, "a.b"));
    assert_int_equal(in.origin.kind, ORIGIN_NONE);
}

TEST(no_answer_is_asked_again_until_the_deadline_and_not_beyond)
{
    RIG;
    static const struct { int status; const char *body; } none[] = {
        {0, ""}, {500, "{\"verdict\":\"allow\"}"}, {200, "nonsense"}, {200, "{\"verdict\":\"maybe\"}"}, {200, "[]"}};
    declare_hook(r);
    ask(r, 1);
    for (unsigned i = 0; i < 4; i++) {
        struct client_fake_call *call = called(r);
        client_fake_answer(call, none[i].status, none[i].body);
        rig_pass_ms(r, 1);
        assert_null(client_fake_look(&r->client)); /* not at once */
        assert_false(any_fact(r));
        rig_pass_ms(r, 100 << i);
    }
    assert_null(client_fake_look(&r->client)); /* the deadline passed before the fifth */
    rig_pass_ms(r, 5000);
    assert_null(client_fake_look(&r->client));
    assert_false(any_fact(r));
}

TEST(an_answer_after_the_deadline_is_dropped)
{
    RIG;
    declare_hook(r);
    ask(r, 1);
    struct client_fake_call *call = called(r);
    rig_pass_ms(r, 1001);
    client_fake_answer(call, 200, "{\"verdict\":\"allow\"}");
    rig_pass_ms(r, 1);
    assert_false(any_fact(r));
    ask(r, 2); /* the same place, another question: the late answer was not its own */
    assert_non_null(client_fake_look(&r->client));
}

TEST(the_same_question_again_is_not_sent_beside_itself)
{
    RIG;
    declare_hook(r);
    ask(r, 1);
    ask(r, 1);
    called(r);
    assert_null(client_fake_look(&r->client));
}

/* ---- webhooks ---- */

static struct webhook row_of(struct rig *r, uint64_t generation)
{
    struct webhook w = {.id = 9, .uuid = rig_uuid(9), .after_seq = 1000, .after_part = 0, .generation = generation};
    (void)r;
    text_clip(&w.code, bytes_text("log"));
    return w;
}

static void reply_webhook(struct rig *r, uint64_t handle, const struct webhook *row)
{
    struct to_api item = {.kind = TO_API_REPLY, .handle = handle,
                          .reply = {.subject_kind = ROW_WEBHOOK, .subject_id = row->id, .subject = row->uuid}};
    item.webhook = *row;
    rig_give(r, item);
}

static void declare_webhook(struct rig *r)
{
    uint64_t conn = put(r, "PUT", "/v1/webhooks/log", "{\"url\":\"http://w.example/\",\"kinds\":[\"alarm\",\"fault\"]}");
    struct inbound in = next_of(r, FACT_WEBHOOK_SET);
    assert_int_equal(in.fact.webhook_set.kinds, 1ull << EVENT_ALARM | 1ull << EVENT_FAULT);
    struct webhook row = row_of(r, 50);
    reply_webhook(r, in.origin.handle, &row);
    assert_int_equal(rig_reply(r, conn).status, 200);
    assert_true(rig_has(rig_reply(r, conn).body, "\"secret\":\"whsec_"));
}

/* Events with these numbers are in the tables, and the api hears of them. */
static void happen(struct rig *r, uint64_t first, unsigned count)
{
    struct event events[16];
    for (unsigned i = 0; i < count; i++) {
        events[i] = (struct event){.seq = first + i, .kind = EVENT_ALARM, .at_ms = r->wall_ms};
    }
    struct table_cut cut = {.seq = first + count, .events = events, .event_count = count};
    assert_int_equal(tables_write_cut(&r->tables, &cut).code, ERR_OK);
    for (unsigned i = 0; i < count; i++) {
        struct to_api item = {.kind = TO_API_EVENT, .seq = events[i].seq};
        item.event = events[i];
        rig_give(r, item);
    }
    rig_pass_ms(r, 200);
}

TEST(events_are_delivered_in_order_and_the_cursor_becomes_a_fact)
{
    RIG;
    declare_webhook(r);
    happen(r, 2001, 3);
    struct client_fake_call *call = called(r);
    assert_string_equal(client_fake_header(call, "webhook-id"), "log:1000.0-2003.0");
    const char *a = strstr(call->body, "\"id\":\"2001.0\""), *c = strstr(call->body, "\"id\":\"2003.0\"");
    assert_true(a && c && a < c);
    check_signature(r, "webhook/", "log", call);
    assert_null(client_fake_look(&r->client)); /* one at a time */
    client_fake_answer(call, 204, "");
    rig_pass_ms(r, 1);
    struct inbound in = next_of(r, FACT_WEBHOOK_MOVED);
    assert_int_equal(in.fact.webhook_moved.seq, 2003);
    assert_int_equal(in.fact.webhook_moved.generation, 50);
    assert_false(in.fact.webhook_moved.replay);
    happen(r, 2010, 1);
    assert_string_equal(client_fake_header(called(r), "webhook-id"), "log:2003.0-2010.0");
}

TEST(a_failed_delivery_is_made_again_later_and_nothing_overtakes_it)
{
    RIG;
    declare_webhook(r);
    happen(r, 2001, 2);
    int64_t rest_ms = 1000;
    for (unsigned i = 0; i < 4; i++, rest_ms *= 2) {
        struct client_fake_call *call = called(r);
        assert_string_equal(client_fake_header(call, "webhook-id"), "log:1000.0-2002.0");
        client_fake_answer(call, i ? 500 : 0, "");
        rig_pass_ms(r, 1);
        assert_false(any_fact(r));
        happen(r, 3000 + 10 * i, 1);
        rig_pass_ms(r, rest_ms * 3 / 4 - 250);
        assert_null(client_fake_look(&r->client));
        rig_pass_ms(r, rest_ms / 2 + 60);
    }
    uint64_t conn = put(r, "GET", "/v1/webhooks/log", NULL);
    struct inbound in;
    assert_true(rig_next(r, &in));
    struct to_api item = {.kind = TO_API_ANSWER, .handle = in.origin.handle, .reply = {.subject_kind = ROW_WEBHOOK}};
    item.webhook = row_of(r, 50);
    rig_give(r, item);
    assert_true(rig_has(rig_reply(r, conn).body, "\"state\":\"down\",\"failures\":4,"));
    assert_true(rig_has(rig_reply(r, conn).body, "\"last_status\":500"));
    assert_false(rig_has(rig_reply(r, conn).body, "secret"));
    client_fake_answer(called(r), 200, "");
    rig_pass_ms(r, 1);
    assert_int_equal(next_of(r, FACT_WEBHOOK_MOVED).fact.webhook_moved.seq, 2002);
    assert_string_equal(client_fake_header(called(r), "webhook-id"), "log:2002.0-3030.0");
}

TEST(a_replay_makes_what_is_under_way_stale)
{
    RIG;
    declare_webhook(r);
    happen(r, 2001, 3);
    struct client_fake_call *call = called(r);
    put(r, "POST", "/v1/webhooks/log/replay", "{\"after\":\"2001.0\"}");
    struct inbound in = next_of(r, FACT_WEBHOOK_MOVED);
    assert_true(in.fact.webhook_moved.replay && in.fact.webhook_moved.seq == 2001);
    struct webhook row = row_of(r, 51);
    row.after_seq = 2001;
    reply_webhook(r, in.origin.handle, &row);
    client_fake_answer(call, 200, "");
    rig_pass_ms(r, 1);
    assert_string_equal(client_fake_header(called(r), "webhook-id"), "log:2001.0-2003.0");
    assert_false(any_fact(r)); /* the old delivery moved no cursor */
}

TEST(a_webhook_that_is_taken_back_is_called_no_more)
{
    RIG;
    declare_webhook(r);
    happen(r, 2001, 1);
    struct client_fake_call *call = called(r);
    uint64_t conn = put(r, "DELETE", "/v1/webhooks/log", NULL);
    struct inbound in = next_of(r, FACT_WEBHOOK_SET);
    assert_true(in.fact.webhook_set.removed);
    struct to_api item = {.kind = TO_API_REPLY, .handle = in.origin.handle,
                          .reply = {.subject_kind = ROW_WEBHOOK, .subject = rig_uuid(9)}};
    rig_give(r, item);
    assert_int_equal(rig_reply(r, conn).status, 200);
    client_fake_answer(call, 500, "");
    rig_pass_ms(r, 60000);
    happen(r, 2100, 1);
    assert_null(client_fake_look(&r->client));
    struct endpoints all = {.auth = r->auth};
    assert_int_equal(endpoints_load(&all).code, ERR_OK);
    assert_null(endpoint_find(&all, "webhook/", bytes_text("log")));
}

/* Two people at once: the answer to the first says that the webhook is gone when the second's address is there already. */
TEST(a_webhook_declared_again_while_it_is_taken_back_keeps_its_new_address)
{
    RIG;
    declare_webhook(r);
    put(r, "DELETE", "/v1/webhooks/log", NULL);
    struct inbound removal = next_of(r, FACT_WEBHOOK_SET);
    uint64_t conn = put(r, "PUT", "/v1/webhooks/log", "{\"url\":\"http://new.example/\"}");
    struct inbound in = next_of(r, FACT_WEBHOOK_SET);
    struct to_api gone = {.kind = TO_API_REPLY, .handle = removal.origin.handle,
                          .reply = {.subject_kind = ROW_WEBHOOK, .subject = rig_uuid(9)}};
    rig_give(r, gone);
    struct webhook row = row_of(r, 51);
    reply_webhook(r, in.origin.handle, &row);
    assert_int_equal(rig_reply(r, conn).status, 200);
    happen(r, 2001, 1);
    assert_string_equal(called(r)->url, "http://new.example/");
    struct endpoints all = {.auth = r->auth};
    assert_int_equal(endpoints_load(&all).code, ERR_OK);
    assert_non_null(endpoint_find(&all, "webhook/", bytes_text("log")));
}

TEST(a_refused_declaration_leaves_the_address_as_it_was)
{
    RIG;
    declare_webhook(r);
    uint64_t conn = put(r, "PUT", "/v1/webhooks/log",
                        "{\"url\":\"http://evil.example/\",\"city\":\"nowhere\",\"new_secret\":true}");
    rig_reply_code(r, next_of(r, FACT_WEBHOOK_SET).origin.handle, ERR_CITY_UNKNOWN);
    assert_int_equal(rig_reply(r, conn).status, err_http(ERR_CITY_UNKNOWN));
    happen(r, 2001, 1);
    struct client_fake_call *call = called(r);
    assert_string_equal(call->url, "http://w.example/");
    check_signature(r, "webhook/", "log", call);
}

TEST(a_new_webhook_that_was_refused_takes_no_room)
{
    RIG;
    char path[64];
    for (unsigned i = 0; i < 2 * ENDPOINTS_MAX; i++) {
        snprintf(path, sizeof path, "/v1/webhooks/w%u", i);
        uint64_t conn = put(r, "PUT", path, "{\"url\":\"http://w.example/\",\"city\":\"nowhere\"}");
        rig_reply_code(r, next_of(r, FACT_WEBHOOK_SET).origin.handle, ERR_CITY_UNKNOWN);
        assert_int_equal(rig_reply(r, conn).status, err_http(ERR_CITY_UNKNOWN));
        fake_hang_up(r->loop, conn);
        fake_settle(r->loop);
    }
    declare_webhook(r);
}

/* Who asked may be gone before the answer; what was asked is on disk all the same. */
TEST(a_webhook_is_taken_back_also_when_nobody_waits_for_the_answer)
{
    RIG;
    declare_webhook(r);
    uint64_t conn = put(r, "DELETE", "/v1/webhooks/log", NULL);
    struct inbound in = next_of(r, FACT_WEBHOOK_SET);
    fake_hang_up(r->loop, conn);
    fake_settle(r->loop);
    struct to_api item = {.kind = TO_API_REPLY, .handle = in.origin.handle,
                          .reply = {.subject_kind = ROW_WEBHOOK, .subject = rig_uuid(9)}};
    rig_give(r, item);
    happen(r, 2001, 1);
    assert_null(client_fake_look(&r->client));
}

/* contacts.db is not in the journal: a journal restored without it names webhooks whose address nobody knows. */
TEST(a_webhook_without_an_address_is_shown_and_not_called)
{
    RIG;
    uint64_t conn = put(r, "GET", "/v1/webhooks/log", NULL);
    struct inbound in;
    assert_true(rig_next(r, &in));
    struct to_api item = {.kind = TO_API_ANSWER, .handle = in.origin.handle, .reply = {.subject_kind = ROW_WEBHOOK}};
    item.webhook = row_of(r, 50);
    rig_give(r, item);
    assert_int_equal(rig_reply(r, conn).status, 200);
    assert_true(rig_has(rig_reply(r, conn).body, "\"url\":\"\""));
    put(r, "POST", "/v1/webhooks/log/replay", "{\"after\":\"1000.0\"}");
    struct webhook row = row_of(r, 51);
    reply_webhook(r, next_of(r, FACT_WEBHOOK_MOVED).origin.handle, &row);
    happen(r, 2001, 1);
    assert_null(client_fake_look(&r->client));
    declare_webhook(r);
    rig_pass_ms(r, 1);
    happen(r, 2002, 1);
    assert_string_equal(called(r)->url, "http://w.example/");
}

TEST(messages_leave_by_a_declared_hook_and_are_tried_again)
{
    RIG;
    uint64_t conn = put(r, "PUT", "/v1/hooks/message.send", "{\"url\":\"http://m.example/\"}");
    struct inbound in = next_of(r, FACT_HOOK_SET);
    struct to_api item = {.kind = TO_API_REPLY, .handle = in.origin.handle,
                          .reply = {.subject_kind = ROW_HOOK, .subject_id = 8}};
    item.hook = (struct hook){.id = 8, .ask = ASK_MESSAGE_SEND, .deadline_ms = 2000, .fallback = VERDICT_ALLOW};
    rig_give(r, item);
    assert_int_equal(rig_reply(r, conn).status, 200);
    struct rig_request q = {.method = "POST", .path = "/v1/sign-in/code", .body = "{\"phone\":\"+46701234567\"}"};
    conn = rig_ask(r, q);
    rig_pass_ms(r, 1);
    assert_int_equal(rig_reply(r, conn).status, 202);
    assert_int_equal(r->messages, 0); /* not the way that there was before */
    struct client_fake_call *call = called(r);
    assert_true(strstr(call->body, "\"to\":\"+46701234567\"") && strstr(call->body, "\"template\":\"sign_in_code\""));
    check_signature(r, "hook/", "message.send", call);
    char id[80];
    struct buf kept = buf_on(id, sizeof id - 1);
    buf_put_text(&kept, client_fake_header(call, "webhook-id"));
    id[kept.len] = 0;
    client_fake_answer(call, 500, "");
    rig_pass_ms(r, 1);
    assert_null(client_fake_look(&r->client));
    rig_pass_ms(r, 1000);
    call = called(r);
    assert_string_equal(client_fake_header(call, "webhook-id"), id);
    client_fake_answer(call, 202, "");
    rig_pass_ms(r, 5000);
    assert_null(client_fake_look(&r->client));
}

TEST(secrets_survive_and_are_made_anew_only_when_asked)
{
    RIG;
    uint8_t first[ENDPOINT_SECRET_LEN];
    struct endpoints all = {.auth = r->auth}, again = {.auth = r->auth};
    declare_hook(r);
    assert_int_equal(endpoints_load(&all).code, ERR_OK);
    memcpy(first, endpoint_find(&all, "hook/", bytes_text("ride.may_start"))->secret, sizeof first);
    put(r, "PUT", "/v1/hooks/ride.may_start", "{\"url\":\"https://other.example/\"}");
    assert_int_equal(endpoints_load(&again).code, ERR_OK);
    struct endpoint *e = endpoint_find(&again, "hook/", bytes_text("ride.may_start"));
    assert_memory_equal(e->secret, first, sizeof first);
    assert_true(bytes_equal_text(endpoint_url(e), "https://other.example/"));
    put(r, "PUT", "/v1/hooks/ride.may_start", "{\"url\":\"https://other.example/\",\"new_secret\":true}");
    memset(&again, 0, sizeof again);
    again.auth = r->auth;
    assert_int_equal(endpoints_load(&again).code, ERR_OK);
    assert_memory_not_equal(endpoint_find(&again, "hook/", bytes_text("ride.may_start"))->secret, first, sizeof first);
}

TEST(the_signature_is_the_standard_one)
{
    (void)state;
    /* By Python's hmac and base64. */
    static const uint8_t key[32] = "0123456789abcdef0123456789abcdef";
    uint8_t mac[SECRET_MAC_LEN];
    char text[64];
    struct buf b = buf_on(text, sizeof text - 1);
    const struct bytes parts[] = {bytes_text("msg_1"), bytes_text("."), bytes_text("1614265330"), bytes_text("."),
                                  bytes_text("{\"test\": 2432232314}")};
    secret_sign(key, parts, 5, mac);
    secret_base64(bytes_of(mac, sizeof mac), &b);
    text[b.len] = 0;
    assert_string_equal(text, "aTF4+pE6A/FmvKM0YSVBBUfRhLIlBiaBUR+EjGls6Mc=");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_question_is_signed_and_its_answer_becomes_a_fact),
        CASE(no_answer_is_asked_again_until_the_deadline_and_not_beyond),
        CASE(an_answer_after_the_deadline_is_dropped),
        CASE(the_same_question_again_is_not_sent_beside_itself),
        CASE(events_are_delivered_in_order_and_the_cursor_becomes_a_fact),
        CASE(a_failed_delivery_is_made_again_later_and_nothing_overtakes_it),
        CASE(a_replay_makes_what_is_under_way_stale),
        CASE(a_webhook_that_is_taken_back_is_called_no_more),
        CASE(a_webhook_declared_again_while_it_is_taken_back_keeps_its_new_address),
        CASE(a_refused_declaration_leaves_the_address_as_it_was),
        CASE(a_new_webhook_that_was_refused_takes_no_room),
        CASE(a_webhook_is_taken_back_also_when_nobody_waits_for_the_answer),
        CASE(a_webhook_without_an_address_is_shown_and_not_called),
        CASE(messages_leave_by_a_declared_hook_and_are_tried_again),
        CASE(secrets_survive_and_are_made_anew_only_when_asked),
        CASE(the_signature_is_the_standard_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
