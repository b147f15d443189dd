/* SPDX-License-Identifier: Apache-2.0 */
/* api_in_test.c: the way back: replies, waits, questions, and what is read from the tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/fake/rig.h"
#include "api/scope.h"

#define START(wait) (struct rig_request){.method = "POST", .path = "/v1/rides" wait, .key = "k1", \
                                         .role = AUTH_RIDER, .body = "{\"vehicle_code\":\"SE-0042\"}"}
#define GET(path_, role_) (struct rig_request){.method = "GET", .path = path_, .role = role_}
#define RIDE_1 "/v1/rides/01010101-0101-0101-0101-010101010101"

/* Asks for a ride, and the engine takes it. */
static uint64_t begin(struct rig *r, struct rig_request q, struct ride *ride, enum ride_state state)
{
    struct inbound in;
    uint64_t conn = rig_ask(r, q);
    *ride = rig_ride(1, state);
    assert_true(rig_next(r, &in));
    rig_reply_ride(r, in.origin.handle, ride);
    return conn;
}

static void assert_code(struct rig *r, uint64_t conn, int status, const char *member)
{
    assert_int_equal(rig_reply(r, conn).status, status);
    assert_true(rig_has(rig_reply(r, conn).body, member));
}

static void test_a_ride_is_accepted_with_202_and_its_row(void **state)
{
    (void)state;
    struct rig r;
    struct ride ride;
    rig_open(&r, NULL);
    uint64_t conn = begin(&r, START(""), &ride, RIDE_UNLOCKING);
    struct bytes body = rig_reply(&r, conn).body;
    assert_code(&r, conn, 202, "{\"ride\":{\"id\":\"01010101-0101-0101-0101-010101010101\",\"state\":\"unlocking\"");
    assert_true(rig_has(body, "\"vehicle_code\":\"SE-0042\",\"currency\":\"SEK\""));
    assert_true(rig_has(body, "\"requested_ms\":1764000000000,\"started_ms\":null"));
    assert_true(rig_has(body, "\"refusal\":null},\"as_of_seq\":"));
    assert_false(rig_has(body, "start_lat")); /* not for riders */
    assert_int_equal(api_counters(r.api)->pending, 0);
    rig_close(&r);
}

static void test_refusals_of_the_engine_are_problems(void **state)
{
    (void)state;
    struct rig r;
    struct inbound in;
    rig_open(&r, NULL);
    uint64_t conn = rig_ask(&r, START(""));
    assert_true(rig_next(&r, &in));
    rig_reply_code(&r, in.origin.handle, ERR_VEHICLE_BATTERY_LOW);
    assert_code(&r, conn, 409, "\"code\":\"vehicle_battery_low\"");
    rig_close(&r);
}

static void test_a_wait_ends_when_the_vehicle_confirms(void **state)
{
    (void)state;
    struct rig r;
    struct ride ride;
    struct inbound in;
    rig_open(&r, NULL);
    uint64_t conn = begin(&r, START("?wait=10"), &ride, RIDE_UNLOCKING);
    assert_int_equal(rig_reply(&r, conn).status, 0);
    struct ride other = rig_ride(2, RIDE_RIDING);
    rig_event_ride(&r, &other, rig_uuid(9));
    rig_event_ride(&r, &ride, r.accounts[AUTH_RIDER]); /* still unlocking */
    assert_false(rig_next(&r, &in));
    ride.state = RIDE_RIDING;
    ride.started_ms = r.wall_ms;
    rig_event_ride(&r, &ride, r.accounts[AUTH_RIDER]);
    assert_true(rig_next(&r, &in));
    assert_true(in.is_query && in.query.kind == QUERY_RIDE && uuid_equal(in.query.uuid, ride.uuid));
    rig_answer_ride(&r, in.origin.handle, &ride);
    assert_code(&r, conn, 200, "\"state\":\"riding\"");
    assert_int_equal(api_counters(r.api)->waits_decided, 1);
    rig_close(&r);
}

static void test_a_wait_ends_at_once_when_the_event_brings_the_ride(void **state)
{
    (void)state;
    struct rig r;
    struct ride ride;
    struct inbound in;
    rig_open(&r, NULL);
    uint64_t conn = begin(&r, START("?wait=10"), &ride, RIDE_UNLOCKING);
    ride.state = RIDE_RIDING;
    ride.started_ms = r.wall_ms;
    rig_event_with_ride(&r, &ride, r.accounts[AUTH_RIDER]);
    assert_false(rig_next(&r, &in)); /* nobody was asked */
    assert_code(&r, conn, 200, "\"state\":\"riding\"");
    assert_int_equal(api_counters(r.api)->waits_decided, 1);
    assert_int_equal(api_counters(r.api)->pending, 0);
    rig_event_with_ride(&r, &ride, r.accounts[AUTH_RIDER]); /* nobody waits any more */
    rig_close(&r);
}

/* The event's row says not of which city it is: staff of some cities get the answer that is looked at for that. */
static void test_staff_of_some_cities_wait_for_an_answer_with_a_city(void **state)
{
    (void)state;
    struct rig r;
    struct inbound in;
    struct scope scope;
    rig_open(&r, NULL);
    assert_int_equal(scope_read(bytes_text("gothenburg"), &scope).code, ERR_OK);
    struct auth_grant grant = {.role = AUTH_ONCALL, .now_ms = r.wall_ms, .expires_ms = r.wall_ms + 3600000, .scope = &scope,
                               .set_scope = true};
    assert_int_equal(auth_grant(r.auth, &grant, r.tokens[AUTH_ONCALL], &r.accounts[AUTH_ONCALL]).code, ERR_OK);
    struct rig_request q = {.method = "POST", .path = RIDE_1 "/end?wait=10", .key = "e1", .role = AUTH_ONCALL};
    uint64_t conn = rig_ask(&r, q);
    struct ride ride = rig_ride(1, RIDE_ENDING);
    struct to_api item = {.kind = TO_API_ANSWER, .city_id = 7};
    item.reply = (struct effect_reply){.subject_kind = ROW_RIDE, .subject_id = ride.id, .subject = ride.uuid};
    item.ride = ride;
    text_clip(&item.city, bytes_text("gothenburg"));
    assert_true(rig_next(&r, &in) && in.is_query); /* of which city is the ride? */
    item.handle = in.origin.handle;
    rig_give(&r, item);
    assert_true(rig_next(&r, &in) && !in.is_query && in.fact.kind == FACT_RIDE_END);
    item.kind = TO_API_REPLY;
    item.handle = in.origin.handle;
    rig_give(&r, item);
    ride.state = RIDE_SETTLED;
    rig_event_with_ride(&r, &ride, r.accounts[AUTH_RIDER]);
    assert_int_equal(rig_reply(&r, conn).status, 0);
    assert_true(rig_next(&r, &in) && in.is_query && in.query.kind == QUERY_RIDE);
    item.kind = TO_API_ANSWER;
    item.handle = in.origin.handle;
    item.ride = ride;
    text_clip(&item.city, bytes_text("malmo")); /* in another city meanwhile */
    rig_give(&r, item);
    assert_code(&r, conn, 404, "\"code\":\"no_ride\"");
    rig_close(&r);
}

static void test_a_wait_that_runs_out_answers_202_with_the_present_row(void **state)
{
    (void)state;
    struct rig r;
    struct ride ride;
    struct inbound in;
    rig_open(&r, NULL);
    uint64_t conn = begin(&r, START("?wait=2"), &ride, RIDE_UNLOCKING);
    rig_pass_ms(&r, 1900);
    assert_false(rig_next(&r, &in));
    rig_pass_ms(&r, 110);
    assert_true(rig_next(&r, &in) && in.is_query);
    rig_answer_ride(&r, in.origin.handle, &ride);
    assert_code(&r, conn, 202, "\"state\":\"unlocking\"");
    assert_int_equal(api_counters(r.api)->waits_timed_out, 1);
    rig_close(&r);
}

static void test_a_wait_that_is_decided_already_does_not_wait(void **state)
{
    (void)state;
    struct rig r;
    struct ride ride;
    rig_open(&r, NULL);
    uint64_t conn = begin(&r, START("?wait=10"), &ride, RIDE_FAILED);
    assert_code(&r, conn, 200, "\"state\":\"failed\"");
    rig_close(&r);
}

static void test_waiting_longer_than_allowed_is_at_fault(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, NULL);
    assert_code(&r, rig_ask(&r, START("?wait=31")), 422, "{\"field\":\"wait\",\"why\":\"is too large\"}");
    rig_close(&r);
}

static void test_an_end_that_is_refused_ends_the_wait(void **state)
{
    (void)state;
    struct rig r;
    struct ride ride;
    struct inbound in;
    rig_open(&r, NULL);
    struct rig_request q = {.method = "POST", .path = RIDE_1 "/end?wait=10", .key = "e1", .role = AUTH_RIDER};
    uint64_t conn = begin(&r, q, &ride, RIDE_ENDING);
    ride.state = RIDE_RIDING;
    ride.refusal = ERR_CLOSE_LOCK;
    rig_event_ride(&r, &ride, r.accounts[AUTH_RIDER]);
    assert_true(rig_next(&r, &in) && in.is_query);
    rig_answer_ride(&r, in.origin.handle, &ride);
    assert_code(&r, conn, 200, "\"refusal\":\"close_lock\"");
    rig_close(&r);
}

static void test_an_end_carries_who_asks(void **state)
{
    (void)state;
    struct rig r;
    struct inbound in;
    rig_open(&r, NULL);
    rig_ask(&r, (struct rig_request){.method = "POST", .path = RIDE_1 "/end", .key = "e", .role = AUTH_RIDER});
    assert_true(rig_next(&r, &in));
    assert_int_equal(in.fact.kind, FACT_RIDE_END);
    assert_false(in.fact.ride_end.by_staff);
    assert_true(uuid_equal(in.fact.ride_end.ride, rig_uuid(1)));
    rig_ask(&r, (struct rig_request){.method = "POST", .path = RIDE_1 "/end", .key = "e", .role = AUTH_ONCALL});
    assert_true(rig_next(&r, &in));
    assert_true(in.fact.ride_end.by_staff);
    rig_close(&r);
}

static void test_a_client_that_leaves_while_waiting_is_forgotten(void **state)
{
    (void)state;
    struct rig r;
    struct ride ride;
    struct inbound in;
    rig_open(&r, NULL);
    uint64_t conn = begin(&r, START("?wait=10"), &ride, RIDE_UNLOCKING);
    fake_hang_up(r.loop, conn);
    fake_settle(r.loop);
    assert_int_equal(api_counters(r.api)->pending, 0);
    ride.state = RIDE_RIDING;
    rig_event_ride(&r, &ride, r.accounts[AUTH_RIDER]);
    assert_false(rig_next(&r, &in));
    rig_close(&r);
}

static void test_a_wait_tries_again_when_the_ring_is_full(void **state)
{
    (void)state;
    struct rig r;
    struct ride ride;
    struct inbound in;
    struct rig_options options = {.ring = 2};
    rig_open(&r, &options);
    uint64_t conn = begin(&r, START("?wait=10"), &ride, RIDE_UNLOCKING);
    rig_ask(&r, GET(RIDE_1, AUTH_RIDER));
    rig_ask(&r, GET(RIDE_1, AUTH_RIDER)); /* full */
    ride.state = RIDE_RIDING;
    rig_event_ride(&r, &ride, r.accounts[AUTH_RIDER]);
    assert_int_equal(api_counters(r.api)->ring_full, 1);
    for (int i = 0; i < 2; i++) {
        assert_true(rig_next(&r, &in));
        rig_answer_ride(&r, in.origin.handle, &ride);
    }
    rig_pass_ms(&r, 30);
    assert_true(rig_next(&r, &in) && in.is_query);
    rig_answer_ride(&r, in.origin.handle, &ride);
    assert_code(&r, conn, 200, "\"state\":\"riding\"");
    rig_close(&r);
}

static void test_riders_see_their_own_rides_only(void **state)
{
    (void)state;
    struct rig r;
    struct inbound in;
    struct ride mine = rig_ride(1, RIDE_RIDING), theirs = mine;
    theirs.rider_id = RIG_RIDER_ROW + 1;
    rig_open(&r, NULL);
    uint64_t conn = rig_ask(&r, GET(RIDE_1, AUTH_RIDER));
    assert_true(rig_next(&r, &in));
    rig_answer_ride(&r, in.origin.handle, &theirs);
    assert_code(&r, conn, 404, "\"code\":\"no_ride\"");
    conn = rig_ask(&r, GET(RIDE_1, AUTH_RIDER));
    assert_true(rig_next(&r, &in));
    rig_answer_ride(&r, in.origin.handle, &mine);
    assert_code(&r, conn, 200, "\"state\":\"riding\"");
    conn = rig_ask(&r, GET(RIDE_1, AUTH_CREW));
    assert_true(rig_next(&r, &in));
    rig_answer_ride(&r, in.origin.handle, &theirs);
    assert_code(&r, conn, 200, "\"start_lat\":0.0000000");
    rig_close(&r);
}

static void test_the_present_ride_or_404(void **state)
{
    (void)state;
    struct rig r;
    struct inbound in;
    struct ride ride = rig_ride(1, RIDE_RIDING);
    rig_open(&r, NULL);
    uint64_t conn = rig_ask(&r, GET("/v1/rides/current", AUTH_RIDER));
    assert_true(rig_next(&r, &in));
    assert_int_equal(in.query.kind, QUERY_RIDE_OF_RIDER);
    assert_true(uuid_equal(in.query.uuid, r.accounts[AUTH_RIDER]));
    rig_answer_ride(&r, in.origin.handle, NULL);
    assert_code(&r, conn, 404, "\"code\":\"no_ride\"");
    conn = rig_ask(&r, GET("/v1/rides/current", AUTH_RIDER));
    assert_true(rig_next(&r, &in));
    rig_answer_ride(&r, in.origin.handle, &ride);
    assert_code(&r, conn, 200, "\"state\":\"riding\"");
    rig_close(&r);
}

static void test_a_ride_that_left_memory_is_read_from_the_tables(void **state)
{
    (void)state;
    struct rig r;
    struct inbound in;
    struct ride ride = rig_ride(1, RIDE_SETTLED);
    rig_open(&r, NULL);
    rig_cut(&r, ROW_RIDE, &ride);
    uint64_t conn = rig_ask(&r, GET(RIDE_1 "/receipt", AUTH_RIDER));
    assert_true(rig_next(&r, &in));
    rig_answer_ride(&r, in.origin.handle, NULL);
    assert_code(&r, conn, 200, "\"total_minor\":1750");
    assert_true(rig_has(rig_reply(&r, conn).body,
                        "\"lines\":[{\"what\":\"unlock\",\"minor\":1000},"
                        "{\"what\":\"minutes\",\"count\":3,\"each_minor\":250,\"minor\":750}]"));
    conn = rig_ask(&r, GET("/v1/rides/02020202-0202-0202-0202-020202020202", AUTH_CONTROL));
    assert_true(rig_next(&r, &in));
    rig_answer_ride(&r, in.origin.handle, NULL);
    assert_code(&r, conn, 404, "\"code\":\"no_ride\"");
    rig_close(&r);
}

static void test_an_old_answer_about_a_forgotten_ride_still_has_its_row(void **state)
{
    (void)state;
    struct rig r;
    struct inbound in;
    struct ride ride = rig_ride(1, RIDE_SETTLED);
    rig_open(&r, NULL);
    rig_cut(&r, ROW_RIDE, &ride);
    uint64_t conn = rig_ask(&r, START(""));
    assert_true(rig_next(&r, &in));
    rig_give(&r, (struct to_api){.kind = TO_API_REPLY, .handle = in.origin.handle,
                                 .reply = {.again = true, .subject_kind = ROW_RIDE, .subject = ride.uuid}});
    assert_code(&r, conn, 202, "\"state\":\"settled\"");
    rig_close(&r);
}

static void test_no_receipt_before_the_ride_is_settled(void **state)
{
    (void)state;
    struct rig r;
    struct inbound in;
    struct ride ride = rig_ride(1, RIDE_RIDING);
    rig_open(&r, NULL);
    uint64_t conn = rig_ask(&r, GET(RIDE_1 "/receipt", AUTH_RIDER));
    assert_true(rig_next(&r, &in));
    rig_answer_ride(&r, in.origin.handle, &ride);
    assert_code(&r, conn, 409, "\"code\":\"wrong_state\"");
    rig_close(&r);
}

static void test_ones_own_list_waits_for_ones_last_write(void **state)
{
    (void)state;
    struct rig r;
    struct ride ride, theirs = rig_ride(2, RIDE_SETTLED);
    theirs.rider_id = 7;
    rig_open(&r, NULL);
    begin(&r, START(""), &ride, RIDE_UNLOCKING);
    uint64_t conn = rig_ask(&r, GET("/v1/rides", AUTH_RIDER));
    rig_pass_ms(&r, 100);
    assert_int_equal(rig_reply(&r, conn).status, 0); /* the tables are behind */
    rig_cut(&r, ROW_RIDE, &theirs);
    rig_cut(&r, ROW_RIDE, &ride);
    rig_pass_ms(&r, 30);
    assert_code(&r, conn, 200, "{\"rides\":[{\"id\":\"01010101-");
    assert_false(rig_has(rig_reply(&r, conn).body, "02020202-"));
    assert_true(rig_has(rig_reply(&r, conn).body, "\"next\":null,\"as_of_seq\":"));
    rig_close(&r);
}

/* Who was told that a ride is over finds it so in the list, whatever the tables know by then. */
static void test_ones_own_list_waits_for_the_end_that_one_was_told_of(void **state)
{
    (void)state;
    struct rig r;
    struct inbound in;
    struct ride ride = rig_ride(1, RIDE_RIDING);
    rig_open(&r, NULL);
    rig_cut(&r, ROW_RIDE, &ride);
    uint64_t conn = rig_ask(&r, GET(RIDE_1, AUTH_RIDER));
    assert_true(rig_next(&r, &in));
    rig_answer_ride(&r, in.origin.handle, &ride);
    assert_code(&r, conn, 200, "\"state\":\"riding\"");
    assert_int_equal(rig_ask_once(&r, GET("/v1/rides", AUTH_RIDER)).status, 200); /* nobody waits for a ride that goes on */
    conn = rig_ask(&r, GET(RIDE_1 "/receipt", AUTH_RIDER));
    assert_true(rig_next(&r, &in));
    ride.state = RIDE_SETTLED;
    ride.ended_ms = r.wall_ms;
    rig_answer_ride(&r, in.origin.handle, &ride);
    assert_int_equal(rig_reply(&r, conn).status, 200);
    conn = rig_ask(&r, GET("/v1/rides", AUTH_RIDER));
    rig_pass_ms(&r, 100);
    assert_int_equal(rig_reply(&r, conn).status, 0); /* the tables are behind */
    rig_cut(&r, ROW_RIDE, &ride);
    rig_pass_ms(&r, 30);
    assert_code(&r, conn, 200, "\"state\":\"settled\"");
    rig_close(&r);
}

static void test_a_list_waits_two_seconds_at_most(void **state)
{
    (void)state;
    struct rig r;
    struct ride ride;
    rig_open(&r, NULL);
    begin(&r, START(""), &ride, RIDE_UNLOCKING);
    uint64_t conn = rig_ask(&r, GET("/v1/rides", AUTH_RIDER));
    for (int i = 0; i < 76; i++) rig_pass_ms(&r, 26);
    rig_pass_ms(&r, 50);
    assert_code(&r, conn, 200, "\"rides\":[]");
    rig_close(&r);
}

static void test_the_list_of_a_client_that_left_is_dropped(void **state)
{
    (void)state;
    struct rig r;
    struct ride ride;
    rig_open(&r, NULL);
    begin(&r, START(""), &ride, RIDE_UNLOCKING);
    uint64_t conn = rig_ask(&r, GET("/v1/rides", AUTH_RIDER));
    assert_int_equal(api_counters(r.api)->pending, 1);
    fake_hang_up(r.loop, conn);
    fake_settle(r.loop);
    assert_int_equal(api_counters(r.api)->pending, 0);
    rig_close(&r);
}

static void test_commands_and_marks_become_facts_and_rows(void **state)
{
    (void)state;
    struct rig r;
    struct inbound in;
    rig_open(&r, NULL);
    uint64_t conn = rig_ask(&r, (struct rig_request){.method = "POST", .path = "/v1/vehicles/SE-0042/commands",
                                                     .key = "c", .role = AUTH_CREW, .body = "{\"op\":\"ring\"}"});
    assert_true(rig_next(&r, &in));
    assert_int_equal(in.fact.kind, FACT_COMMAND_ASK);
    assert_int_equal(in.fact.command_ask.op, COMMAND_OP_RING);
    struct to_api item = {.kind = TO_API_REPLY, .handle = in.origin.handle,
                          .reply = {.subject_kind = ROW_COMMAND, .subject_id = 8, .subject = rig_uuid(8)}};
    item.command = (struct command){.id = 8, .uuid = rig_uuid(8), .op = COMMAND_OP_RING, .state = COMMAND_SENT};
    rig_give(&r, item);
    assert_code(&r, conn, 202, "{\"command\":{\"id\":\"08080808-0808-0808-0808-080808080808\",\"op\":\"ring\","
                               "\"state\":\"sent\"");
    conn = rig_ask(&r, (struct rig_request){.method = "POST", .path = "/v1/vehicles/SE-0042/events", .key = "m",
                                            .role = AUTH_CREW, .body = "{\"event\":\"provider_drop_off\"}"});
    assert_true(rig_next(&r, &in));
    assert_int_equal(in.fact.vehicle_mark.event, VEHICLE_EVENT_PROVIDER_DROP_OFF);
    assert_int_equal(in.fact.vehicle_mark.to, 0);
    item = (struct to_api){.kind = TO_API_REPLY, .handle = in.origin.handle, .reply = {.subject_kind = ROW_VEHICLE}};
    item.vehicle = (struct vehicle){.id = 4, .uuid = rig_uuid(4), .state = VEHICLE_AVAILABLE};
    item.device = (struct device){.id = 5, .protocol = 1, .has_fix = true, .lat_e7 = 577000000, .session = 6};
    rig_give(&r, item);
    assert_code(&r, conn, 200, "{\"vehicle\":{\"id\":\"04040404-");
    assert_true(rig_has(rig_reply(&r, conn).body, "\"device\":{\"protocol\":\"omni\""));
    assert_true(rig_has(rig_reply(&r, conn).body, "\"battery_pct\":null"));
    assert_true(rig_has(rig_reply(&r, conn).body, "\"lat\":57.7000000"));
    assert_true(rig_has(rig_reply(&r, conn).body, "\"connected\":true"));
    rig_close(&r);
}

static void test_vehicles_are_answered_from_memory(void **state)
{
    (void)state;
    struct rig r;
    struct inbound in;
    rig_open(&r, NULL);
    uint64_t conn = rig_ask(&r, GET("/v1/vehicles/SE-0042", AUTH_CONTROL));
    assert_true(rig_next(&r, &in));
    assert_int_equal(in.query.kind, QUERY_VEHICLE);
    assert_true(text_is(&in.query.code, "SE-0042"));
    rig_give(&r, (struct to_api){.kind = TO_API_ANSWER, .handle = in.origin.handle,
                                 .reply = {.code = ERR_NOT_FOUND}});
    assert_code(&r, conn, 404, "\"code\":\"vehicle_unknown\"");
    rig_close(&r);
}

static void test_lists_before_the_first_cut_are_empty(void **state)
{
    (void)state;
    struct rig r;
    struct rig_options options = {.no_tables = true};
    rig_open(&r, &options);
    assert_code(&r, rig_ask(&r, GET("/v1/vehicles", AUTH_CONTROL)), 200,
                "{\"vehicles\":[],\"next\":null,\"as_of_seq\":0}");
    assert_code(&r, rig_ask(&r, GET("/v1/vehicles/X/timeline", AUTH_CONTROL)), 404, "\"code\":\"vehicle_unknown\"");
    rig_close(&r);
}

static void test_the_admin_listener_shows_metrics_and_readiness(void **state)
{
    (void)state;
    struct rig r;
    struct ride ride;
    rig_open(&r, NULL);
    begin(&r, START(""), &ride, RIDE_UNLOCKING);
    struct bytes body = rig_admin(&r, "/metrics").body;
    assert_true(rig_has(body, "paddock_api_requests_total{route=\"/v1/rides\",method=\"POST\",class=\"2xx\"} 1\n"));
    assert_true(rig_has(body, "paddock_api_facts_total 2\n"));
    assert_true(rig_has(body, "paddock_http_requests_total{listener=\"public\"} 1\n"));
    assert_true(rig_has(body,
                        "paddock_api_request_seconds_bucket{route=\"/v1/rides\",method=\"POST\",le=\"+Inf\"} 1\n"));
    assert_true(rig_has(body, "rig_metric 1\n"));
    assert_int_equal(rig_admin(&r, "/healthz").status, 200);
    assert_int_equal(rig_admin(&r, "/readyz").status, 200);
    r.ready = false;
    r.why = "the disk is full";
    struct rig_reply reply = rig_admin(&r, "/readyz");
    assert_int_equal(reply.status, 503);
    assert_true(rig_has(reply.body, "the disk is full\n"));
    assert_int_equal(rig_admin(&r, "/v1/rides").status, 404);
    assert_int_equal(rig_reply(&r, rig_ask(&r, GET("/metrics", 0))).status, 404); /* not on the public side */
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_ride_is_accepted_with_202_and_its_row),
        cmocka_unit_test(test_refusals_of_the_engine_are_problems),
        cmocka_unit_test(test_a_wait_ends_when_the_vehicle_confirms),
        cmocka_unit_test(test_a_wait_ends_at_once_when_the_event_brings_the_ride),
        cmocka_unit_test(test_staff_of_some_cities_wait_for_an_answer_with_a_city),
        cmocka_unit_test(test_a_wait_that_runs_out_answers_202_with_the_present_row),
        cmocka_unit_test(test_a_wait_that_is_decided_already_does_not_wait),
        cmocka_unit_test(test_waiting_longer_than_allowed_is_at_fault),
        cmocka_unit_test(test_an_end_that_is_refused_ends_the_wait),
        cmocka_unit_test(test_an_end_carries_who_asks),
        cmocka_unit_test(test_a_client_that_leaves_while_waiting_is_forgotten),
        cmocka_unit_test(test_a_wait_tries_again_when_the_ring_is_full),
        cmocka_unit_test(test_riders_see_their_own_rides_only),
        cmocka_unit_test(test_the_present_ride_or_404),
        cmocka_unit_test(test_a_ride_that_left_memory_is_read_from_the_tables),
        cmocka_unit_test(test_an_old_answer_about_a_forgotten_ride_still_has_its_row),
        cmocka_unit_test(test_no_receipt_before_the_ride_is_settled),
        cmocka_unit_test(test_ones_own_list_waits_for_ones_last_write),
        cmocka_unit_test(test_ones_own_list_waits_for_the_end_that_one_was_told_of),
        cmocka_unit_test(test_a_list_waits_two_seconds_at_most),
        cmocka_unit_test(test_the_list_of_a_client_that_left_is_dropped),
        cmocka_unit_test(test_commands_and_marks_become_facts_and_rows),
        cmocka_unit_test(test_vehicles_are_answered_from_memory),
        cmocka_unit_test(test_lists_before_the_first_cut_are_empty),
        cmocka_unit_test(test_the_admin_listener_shows_metrics_and_readiness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
