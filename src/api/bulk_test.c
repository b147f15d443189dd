/* SPDX-License-Identifier: Apache-2.0 */
/* bulk_test.c: many vehicles in one call: asked first, put once each, answered together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/bulk.h"
#include "api/fake/rig.h"

static struct rig_request bulk(const char *body, const char *key)
{
    return (struct rig_request){.method = "POST", .path = "/v1/vehicles/bulk", .key = key, .role = AUTH_CONTROL, .body = body};
}

/* The test's engine: vehicles are called V0, V1, ...; V13 has a ride open, V66 is not there. */
struct seen { unsigned questions, facts, changed; uint64_t key0[600], key1[600]; };

static unsigned number_of(const struct text16 *code)
{
    unsigned n = 0;
    for (unsigned i = 1; i < code->len; i++) n = n * 10 + (unsigned)(code->at[i] - '0');
    return n;
}

static void answer(struct rig *r, const struct inbound *in, struct seen *seen)
{
    const struct text16 *code = in->is_query ? &in->query.code : &in->fact.vehicle_mark.code;
    unsigned n = number_of(code);
    struct to_api item = {.kind = in->is_query ? TO_API_ANSWER : TO_API_REPLY, .handle = in->origin.handle};
    item.reply.code = n == 66 ? ERR_NOT_FOUND : n == 13 ? ERR_RIDE_OPEN : ERR_OK;
    item.vehicle.id = n + 1;
    item.vehicle.uuid = rig_uuid((uint8_t)(n % 255 + 1));
    item.vehicle.uuid.at[0] = (uint8_t)(n / 255);
    seen->questions += in->is_query;
    if (!in->is_query) {
        assert_int_equal(in->fact.kind, FACT_VEHICLE_MARK);
        assert_int_equal(in->fact.vehicle_mark.event, VEHICLE_EVENT_MAINTENANCE);
        assert_true(uuid_equal(in->fact.vehicle_mark.account, r->accounts[AUTH_CONTROL]));
        assert_int_not_equal(n, 66);
        bool again = seen->key0[n] == in->fact.vehicle_mark.key0 && seen->key1[n] == in->fact.vehicle_mark.key1;
        seen->key0[n] = in->fact.vehicle_mark.key0;
        seen->key1[n] = in->fact.vehicle_mark.key1;
        seen->facts++;
        seen->changed += !again && !item.reply.code;
    }
    rig_give(r, item);
}

/* Answers everything; what is under way at once never exceeds the window. */
static void answer_all(struct rig *r, struct seen *seen)
{
    struct inbound in[BULK_WINDOW + 1];
    for (;;) {
        unsigned count = 0;
        while (count <= BULK_WINDOW && rig_next(r, &in[count])) count++;
        assert_true(count <= BULK_WINDOW);
        if (!count) return;
        for (unsigned i = 0; i < count; i++) answer(r, &in[i], seen);
    }
}

static void assert_has(struct rig *r, uint64_t conn, int status, const char *part)
{
    struct rig_reply reply = rig_reply(r, conn);
    assert_int_equal(reply.status, status);
    if (!rig_has(reply.body, part)) fail_msg("%s is not in %.*s", part, (int)reply.body.len, (const char *)reply.body.at);
}

static void test_a_dry_run_asks_and_puts_nothing(void **state)
{
    (void)state;
    struct rig r;
    struct seen seen = {0};
    rig_open(&r, NULL);
    uint64_t conn = rig_ask(&r, bulk("{\"event\":\"maintenance\",\"codes\":[\"V1\",\"V13\",\"V66\"]}", "k"));
    assert_int_equal(rig_reply(&r, conn).status, 0);
    answer_all(&r, &seen);
    assert_int_equal(seen.questions, 3);
    assert_int_equal(seen.facts, 0);
    assert_has(&r, conn, 200, "{\"dry_run\":true,\"vehicles\":[{\"code\":\"V1\",\"id\":\"00020202-");
    assert_has(&r, conn, 200, "\"ok\":true,\"error\":null,\"command_id\":null},{\"code\":\"V13\",");
    assert_has(&r, conn, 200, "\"ok\":false,\"error\":\"ride_open\"");
    assert_has(&r, conn, 200, "{\"code\":\"V66\",\"id\":null,\"ok\":false,\"error\":\"vehicle_unknown\"");
    assert_has(&r, conn, 200, "],\"total\":3,\"ok\":1,\"as_of_seq\":");
    assert_int_equal(api_counters(r.api)->pending, 0);
    rig_close(&r);
}

#define REAL "{\"event\":\"maintenance\",\"dry_run\":false,\"codes\":[\"V1\",\"V2\",\"V13\",\"V66\"]}"

static void test_a_repeat_puts_the_same_keys_and_another_call_others(void **state)
{
    (void)state;
    struct rig r;
    struct seen seen = {0};
    rig_open(&r, NULL);
    uint64_t conn = rig_ask(&r, bulk(REAL, "k"));
    answer_all(&r, &seen);
    assert_has(&r, conn, 200, "\"dry_run\":false");
    assert_has(&r, conn, 200, "\"total\":4,\"ok\":2");
    assert_int_equal(seen.facts, 3); /* the engine refuses V13 by itself; V66 is not there */
    assert_int_equal(seen.changed, 2);
    assert_int_not_equal(seen.key0[1], seen.key0[2]);
    conn = rig_ask(&r, bulk(REAL, "k"));
    answer_all(&r, &seen);
    assert_has(&r, conn, 200, "\"total\":4,\"ok\":2");
    assert_int_equal(seen.facts, 6);
    assert_int_equal(seen.changed, 2); /* the same keys */
    conn = rig_ask(&r, bulk("{\"event\":\"maintenance\",\"dry_run\":false,\"codes\":[\"V3\"]}", "k"));
    assert_has(&r, conn, 422, "idempotency_mismatch");
    conn = rig_ask(&r, bulk(REAL, "other"));
    answer_all(&r, &seen);
    assert_int_equal(seen.changed, 4);
    assert_int_equal(api_counters(r.api)->bulk_vehicles, 9);
    rig_close(&r);
}

static void test_a_repeat_of_a_filter_is_about_the_vehicles_of_before(void **state)
{
    (void)state;
    struct rig r;
    struct seen seen = {0};
    struct vehicle v = {.id = 7, .state = VEHICLE_AVAILABLE};
    static const char body[] = "{\"event\":\"maintenance\",\"dry_run\":false,\"state\":\"available\"}";
    rig_open(&r, NULL);
    text_clip(&v.code, bytes_text("V7"));
    rig_cut(&r, ROW_VEHICLE, &v);
    uint64_t conn = rig_ask(&r, bulk(body, "k"));
    answer_all(&r, &seen);
    assert_has(&r, conn, 200, "{\"code\":\"V7\"");
    assert_has(&r, conn, 200, "\"total\":1,\"ok\":1");
    struct vehicle other = {.id = 8, .state = VEHICLE_AVAILABLE};
    text_clip(&other.code, bytes_text("V8"));
    v.state = VEHICLE_NON_OPERATIONAL;
    rig_cut(&r, ROW_VEHICLE, &v);
    rig_cut(&r, ROW_VEHICLE, &other);
    conn = rig_ask(&r, bulk(body, "k"));
    answer_all(&r, &seen);
    assert_has(&r, conn, 200, "{\"code\":\"V7\"");
    assert_has(&r, conn, 200, "\"total\":1,\"ok\":1");
    assert_int_equal(seen.changed, 1);
    rig_cut(&r, ROW_VEHICLE, &other); /* the tables know of the call's own facts */
    conn = rig_ask(&r, bulk(body, "new"));
    answer_all(&r, &seen);
    assert_has(&r, conn, 200, "\"vehicles\":[{\"code\":\"V8\"");
    assert_int_equal(seen.changed, 2);
    rig_close(&r);
}

static const char *many(unsigned count)
{
    static char body[12000];
    size_t len = (size_t)snprintf(body, sizeof body, "{\"event\":\"maintenance\",\"dry_run\":false,\"codes\":[");
    for (unsigned i = 0; i < count; i++) len += (size_t)snprintf(body + len, sizeof body - len, "%s\"V%u\"", i ? "," : "", i);
    snprintf(body + len, sizeof body - len, "]}");
    return body;
}

static void test_as_many_as_allowed_go_through_a_small_window(void **state)
{
    (void)state;
    struct rig r;
    struct seen seen = {0};
    struct rig_options options = {.ring = 16}; /* smaller than the window: the rest goes on later */
    rig_open(&r, &options);
    uint64_t conn = rig_ask(&r, bulk(many(BULK_VEHICLES_MAX), "k"));
    for (unsigned i = 0; i < 400 && !rig_reply(&r, conn).status; i++) {
        answer_all(&r, &seen);
        if (!rig_reply(&r, conn).status) rig_pass_ms(&r, 30);
    }
    assert_has(&r, conn, 200, "\"total\":500,\"ok\":498");
    assert_int_equal(seen.questions, 500);
    assert_int_equal(seen.facts, 499);
    assert_int_equal(api_counters(r.api)->pending, 0);
    conn = rig_ask(&r, bulk(many(BULK_VEHICLES_MAX + 1), "l"));
    assert_has(&r, conn, 422, "{\"field\":\"codes\",\"why\":\"has too many codes\"}");
    rig_close(&r);
}

static void test_a_filter_that_fits_too_many_says_so_and_does_nothing(void **state)
{
    (void)state;
    struct rig r;
    struct inbound in;
    rig_open(&r, NULL);
    for (unsigned i = 0; i <= BULK_VEHICLES_MAX; i++) {
        struct vehicle v = {.id = i + 1, .state = VEHICLE_AVAILABLE};
        char code[16];
        snprintf(code, sizeof code, "V%u", i);
        text_clip(&v.code, bytes_text(code));
        rig_cut(&r, ROW_VEHICLE, &v);
    }
    uint64_t conn = rig_ask(&r, bulk("{\"op\":\"locate\",\"dry_run\":false,\"state\":\"available\"}", "k"));
    assert_has(&r, conn, 422, "more than 500 vehicles fit: narrow the filter");
    assert_false(rig_next(&r, &in));
    conn = rig_ask(&r, bulk("{\"op\":\"locate\",\"state\":\"removed\"}", "k"));
    assert_has(&r, conn, 200, "{\"dry_run\":true,\"vehicles\":[],\"total\":0,\"ok\":0,");
    rig_close(&r);
}

static void test_what_contradicts_itself_is_at_fault(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"codes\":[\"V1\"]}", "{\"codes\":[\"V1\"],\"event\":\"maintenance\",\"op\":\"lock\"}", "{\"op\":\"lock\"}",
        "{\"op\":\"lock\",\"codes\":[\"V1\"],\"city\":\"gbg\"}", "{\"op\":\"lock\",\"to\":\"removed\",\"codes\":[\"V1\"]}",
        "{\"op\":\"lock\",\"codes\":[]}", "{\"op\":\"lock\",\"codes\":\"V1\"}", "{\"op\":\"lock\",\"codes\":[1]}",
        "{\"op\":\"lock\",\"codes\":[\"V 1\"]}", "{\"op\":\"lock\",\"codes\":[\"V123456789012345\"]}",
    };
    struct rig r;
    struct inbound in;
    rig_open(&r, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_has(&r, rig_ask(&r, bulk(bad[i], "k")), 422, "\"errors\":[{\"field\":");
        assert_false(rig_next(&r, &in));
    }
    assert_int_equal(api_counters(r.api)->pending, 0);
    rig_close(&r);
}

static void test_calls_at_once_are_bounded_and_one_key_is_one_call(void **state)
{
    (void)state;
    struct rig r;
    struct seen seen = {0};
    char key[16];
    rig_open(&r, NULL);
    for (unsigned i = 0; i < BULKS_MAX; i++) {
        snprintf(key, sizeof key, "k%u", i);
        assert_int_equal(rig_reply(&r, rig_ask(&r, bulk("{\"event\":\"maintenance\",\"codes\":[\"V1\"]}", key))).status, 0);
        if (!i) assert_has(&r, rig_ask(&r, bulk("{\"event\":\"maintenance\",\"codes\":[\"V1\"]}", key)), 409, "in_flight");
    }
    assert_has(&r, rig_ask(&r, bulk("{\"event\":\"maintenance\",\"codes\":[\"V1\"]}", "x")), 503, "limit_reached");
    answer_all(&r, &seen);
    assert_int_equal(rig_reply(&r, rig_ask(&r, bulk("{\"event\":\"maintenance\",\"codes\":[\"V1\"]}", "x"))).status, 0);
    answer_all(&r, &seen);
    assert_int_equal(api_counters(r.api)->bulk_full, 1);
    assert_int_equal(api_counters(r.api)->pending, 0);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_dry_run_asks_and_puts_nothing),
        cmocka_unit_test(test_a_repeat_puts_the_same_keys_and_another_call_others),
        cmocka_unit_test(test_a_repeat_of_a_filter_is_about_the_vehicles_of_before),
        cmocka_unit_test(test_as_many_as_allowed_go_through_a_small_window),
        cmocka_unit_test(test_a_filter_that_fits_too_many_says_so_and_does_nothing),
        cmocka_unit_test(test_what_contradicts_itself_is_at_fault),
        cmocka_unit_test(test_calls_at_once_are_bounded_and_one_key_is_one_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
