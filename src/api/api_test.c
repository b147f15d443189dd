/* SPDX-License-Identifier: Apache-2.0 */
/* api_test.c: the way in: who may what, what is at fault, and what happens when something is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/fake/rig.h"
#include "api/routes.h"

#define START (struct rig_request){.method = "POST", .path = "/v1/rides", .key = "k1", .role = AUTH_RIDER, \
                                   .body = "{\"vehicle_code\":\"SE-0042\"}"}

static void assert_problem(struct rig *r, uint64_t conn, int status, const char *code)
{
    struct rig_reply reply = rig_reply(r, conn);
    char member[64];
    struct buf b = buf_on(member, sizeof member - 1);
    buf_put_text(&b, "\"code\":\"");
    buf_put_text(&b, code);
    buf_put_char(&b, '"');
    member[b.len] = 0;
    assert_int_equal(reply.status, status);
    assert_true(rig_has(reply.head, "application/problem+json"));
    assert_true(rig_has(reply.head, "X-Content-Type-Options: nosniff"));
    assert_true(rig_has(reply.head, "Cache-Control: no-store"));
    assert_true(rig_has(reply.body, member));
    assert_true(rig_has(reply.body, "\"trace_id\":\""));
}

/* A path that fits the pattern, and a body with every required field. */
static void example_of(const struct route *route, char *path, size_t room)
{
    struct bytes left = bytes_text(route->path);
    struct buf b = buf_on(path, room - 1);
    while (left.len) {
        struct bytes part = bytes_split(&left, '{');
        buf_put_bytes(&b, part);
        if (!left.len) break;
        struct bytes name = bytes_split(&left, '}');
        buf_put_text(&b, bytes_equal_text(name, "id") ? "01010101-0101-0101-0101-010101010101" : "SE-0042");
    }
    path[b.len] = 0;
}

static struct rig_request request_of(const struct route *route, const char *path, enum auth_role role)
{
    return (struct rig_request){.method = route_verb_name(route->verb), .path = path, .role = role, .key = "k"};
}

static void test_every_route_wants_a_token(void **state)
{
    (void)state;
    struct rig r;
    char path[128];
    unsigned closed = 0;
    rig_open(&r, NULL);
    for (unsigned i = 0; i < route_count; i++) {
        if (routes[i].flags & ROUTE_PUBLIC) continue;
        closed++;
        example_of(&routes[i], path, sizeof path);
        uint64_t conn = rig_ask(&r, request_of(&routes[i], path, 0));
        assert_problem(&r, conn, 401, "unauthenticated");
        assert_true(rig_has(rig_reply(&r, conn).head, "WWW-Authenticate: Bearer"));
        fake_hang_up(r.loop, conn);
        fake_settle(r.loop);
    }
    assert_int_equal(ring_count(&r.urgent), 0);
    assert_int_equal(api_counters(r.api)->unauthenticated, closed);
    rig_close(&r);
}

static void test_every_route_refuses_the_roles_it_does_not_name(void **state)
{
    (void)state;
    struct rig r;
    char path[128];
    unsigned refused = 0, let_in = 0;
    for (unsigned i = 0; i < route_count; i++) {
        if (routes[i].flags & ROUTE_PUBLIC) continue;
        rig_open(&r, NULL); /* some routes end tokens */
        for (int role = AUTH_RIDER; role < AUTH_ROLE_N; role++) {
            struct inbound in;
            example_of(&routes[i], path, sizeof path);
            uint64_t conn = rig_ask(&r, request_of(&routes[i], path, (enum auth_role)role));
            int status = rig_reply(&r, conn).status;
            if (routes[i].roles >> role & 1 || routes[i].flags & ROUTE_PUBLIC) {
                assert_true(status != 401 && status != 403);
                let_in++;
            } else {
                assert_problem(&r, conn, 403, "forbidden");
                assert_int_equal(ring_count(&r.urgent), 0);
                refused++;
            }
            fake_hang_up(r.loop, conn);
            while (rig_next(&r, &in)) rig_reply_code(&r, in.origin.handle, ERR_NOT_FOUND);
        }
        rig_close(&r);
    }
    assert_true(refused > 20 && let_in > 40);
}

static void test_unknown_paths_and_methods_say_so(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, NULL);
    assert_problem(&r, rig_ask(&r, (struct rig_request){.method = "GET", .path = "/v1/nothing"}), 404, "not_found");
    assert_problem(&r, rig_ask(&r, (struct rig_request){.method = "GET", .path = "/v1/rides/"}), 404, "not_found");
    uint64_t conn = rig_ask(&r, (struct rig_request){.method = "DELETE", .path = "/v1/rides"});
    assert_int_equal(rig_reply(&r, conn).status, 405);
    assert_true(rig_has(rig_reply(&r, conn).head, "Allow: GET, HEAD, POST"));
    rig_close(&r);
}

static void test_a_422_names_every_field_at_fault(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, NULL);
    uint64_t conn = rig_ask(&r, (struct rig_request){
        .method = "PUT", .path = "/v1/cities/a%20b", .role = AUTH_CONTROL,
        .body = "{\"name\":\"\",\"legal_entity\":7,\"lat\":91,\"radius_m\":1.5,\"surprise\":1,\"ride_max_s\":-1}"});
    struct rig_reply reply = rig_reply(&r, conn);
    assert_problem(&r, conn, 422, "invalid");
    const char *fields[] = {"code", "name", "legal_entity", "lat", "lon", "time_zone", "radius_m", "surprise",
                            "ride_max_s"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        char member[64];
        struct buf b = buf_on(member, sizeof member - 1);
        buf_put_text(&b, "{\"field\":\"");
        buf_put_text(&b, fields[i]);
        buf_put_text(&b, "\",\"why\":");
        member[b.len] = 0;
        assert_true(rig_has(reply.body, member));
    }
    assert_int_equal(ring_count(&r.urgent), 0);
    rig_close(&r);
}

static void test_fields_that_belong_together_are_checked_together(void **state)
{
    (void)state;
    struct rig r;
    struct inbound in;
    rig_open(&r, NULL);
    struct rig_request q = {.method = "PUT", .path = "/v1/vehicles/SE-0042", .role = AUTH_CONTROL,
                            .body = "{\"city\":\"gbg\",\"vehicle_type\":\"s1\",\"device\":\"490154203237518\"}"};
    uint64_t conn = rig_ask(&r, q);
    assert_problem(&r, conn, 422, "invalid");
    assert_true(rig_has(rig_reply(&r, conn).body, "\"field\":\"protocol\""));
    assert_false(rig_next(&r, &in));
    q.body = "{\"city\":\"gbg\",\"vehicle_type\":\"s1\",\"protocol\":\"omni\",\"device\":\"490154203237518\"}";
    conn = rig_ask(&r, q);
    assert_true(rig_next(&r, &in));
    assert_int_equal(in.fact.kind, FACT_VEHICLE_SET);
    assert_int_equal(in.fact.vehicle_set.protocol, 1);
    assert_true(text_is(&in.fact.vehicle_set.ident, "490154203237518"));
    rig_give(&r, (struct to_api){.kind = TO_API_REPLY, .handle = in.origin.handle,
                                 .reply = {.subject_kind = ROW_VEHICLE, .subject_id = 9, .subject = rig_uuid(0x22)}});
    assert_int_equal(rig_reply(&r, conn).status, 200);
    assert_true(rig_has(rig_reply(&r, conn).body, "{\"id\":\"22222222-2222-2222-2222-222222222222\""));
    rig_close(&r);
}

static void test_settings_become_facts_in_the_units_of_the_engine(void **state)
{
    (void)state;
    struct rig r;
    struct inbound in;
    rig_open(&r, NULL);
    rig_ask(&r, (struct rig_request){.method = "PUT", .path = "/v1/cities/gbg", .role = AUTH_CONTROL,
                                     .body = "{\"name\":\"G\xc3\xb6teborg\",\"legal_entity\":\"se\","
                                             "\"time_zone\":\"Europe/Stockholm\",\"lat\":57.7088701,"
                                             "\"lon\":-11.9745602,\"ride_max_s\":3600}"});
    assert_true(rig_next(&r, &in));
    assert_int_equal(in.fact.kind, FACT_CITY_SET);
    assert_int_equal(in.fact.city_set.lat_e7, 577088701);
    assert_int_equal(in.fact.city_set.lon_e7, -119745602);
    assert_int_equal(in.fact.city_set.ride_max_ms, 3600000);
    assert_true(text_is(&in.fact.city_set.entity, "se"));
    rig_reply_code(&r, in.origin.handle, ERR_ENTITY_UNKNOWN);
    rig_ask(&r, (struct rig_request){.method = "PUT", .path = "/v1/vehicle-types/s1", .role = AUTH_CONTROL,
                                     .body = "{\"name\":\"S1\",\"heartbeat_s\":120,\"battery_min_pct\":15,"
                                             "\"motor\":true}"});
    assert_true(rig_next(&r, &in));
    assert_int_equal(in.fact.vehicle_type_set.heartbeat_ms, 120000);
    assert_true(in.fact.vehicle_type_set.motor);
    rig_close(&r);
}

static void test_the_engines_refusal_names_its_field(void **state)
{
    (void)state;
    struct rig r;
    struct inbound in;
    rig_open(&r, NULL);
    uint64_t conn = rig_ask(&r, (struct rig_request){.method = "PUT", .path = "/v1/plans/p", .role = AUTH_CONTROL,
                                                     .body = "{\"name\":\"P\",\"city\":\"x\",\"unlock_minor\":1,"
                                                             "\"minute_minor\":2}"});
    assert_true(rig_next(&r, &in));
    rig_reply_code(&r, in.origin.handle, ERR_CITY_UNKNOWN);
    assert_problem(&r, conn, 422, "city_unknown");
    assert_true(rig_has(rig_reply(&r, conn).body, "\"errors\":[{\"field\":\"city\""));
    rig_close(&r);
}

static void test_bodies_that_are_not_json_are_400(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, NULL);
    const char *bad[] = {"{", "[]", "{\"vehicle_code\":\"a\",\"vehicle_code\":\"b\"}", "{} {}", "nonsense"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct rig_request q = START;
        q.body = bad[i];
        assert_problem(&r, rig_ask(&r, q), 400, "malformed");
    }
    rig_close(&r);
}

static void test_unsafe_calls_want_a_key(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, NULL);
    struct rig_request q = START;
    q.key = NULL;
    assert_problem(&r, rig_ask(&r, q), 400, "idempotency_key_missing");
    q.key = "12345678901234567890123456789012345678901234567890123456789012345"; /* 65 */
    assert_problem(&r, rig_ask(&r, q), 400, "idempotency_key_missing");
    assert_int_equal(ring_count(&r.urgent), 0);
    rig_close(&r);
}

static void test_a_request_becomes_a_fact_behind_its_account(void **state)
{
    (void)state;
    struct rig r;
    struct rig_options options = {.keep_announces = true};
    struct inbound first, second, third;
    rig_open(&r, &options);
    rig_ask(&r, START);
    assert_true(rig_next(&r, &first) && rig_next(&r, &second));
    assert_int_equal(first.fact.kind, FACT_RIDER_SET);
    assert_true(uuid_equal(first.fact.rider_set.account, r.accounts[AUTH_RIDER]));
    assert_int_equal(second.fact.kind, FACT_RIDE_START);
    assert_true(uuid_equal(second.fact.ride_start.account, r.accounts[AUTH_RIDER]));
    assert_true(text_is(&second.fact.ride_start.code, "SE-0042"));
    assert_true(second.fact.ride_start.key0 && second.fact.ride_start.key1 && second.fact.ride_start.body_hash);
    assert_int_equal(second.origin.kind, ORIGIN_REQUEST);
    assert_int_equal(second.origin.port, 3);
    assert_int_equal(second.origin.born_us, loop_now_us(r.loop));
    assert_int_equal(r.wakes, 1);
    struct rig_request q = START;
    q.key = "k2";
    rig_ask(&r, q);
    assert_true(rig_next(&r, &third));
    assert_int_equal(third.fact.kind, FACT_RIDE_START); /* announced once */
    assert_true(third.fact.ride_start.key0 != second.fact.ride_start.key0);
    assert_int_equal(third.fact.ride_start.body_hash, second.fact.ride_start.body_hash);
    rig_close(&r);
}

static void test_a_refused_announcement_is_made_again(void **state)
{
    (void)state;
    struct rig r;
    struct rig_options options = {.keep_announces = true};
    struct inbound in;
    rig_open(&r, &options);
    rig_ask(&r, (struct rig_request){.method = "GET", .path = "/v1/rides/current", .role = AUTH_RIDER});
    assert_true(rig_next(&r, &in));
    assert_int_equal(in.fact.kind, FACT_RIDER_SET);
    rig_reply_code(&r, in.origin.handle, ERR_FULL);
    assert_true(rig_next(&r, &in) && in.is_query);
    rig_ask(&r, (struct rig_request){.method = "GET", .path = "/v1/rides/current", .role = AUTH_RIDER});
    assert_true(rig_next(&r, &in));
    assert_int_equal(in.fact.kind, FACT_RIDER_SET);
    rig_close(&r);
}

static void test_the_same_key_and_body_hash_the_same_in_the_next_process(void **state)
{
    (void)state;
    struct rig r;
    struct inbound before, after;
    rig_open(&r, NULL);
    rig_ask(&r, START);
    assert_true(rig_next(&r, &before));
    rig_close(&r);
    struct rig_options options = {.luck = 1};
    rig_open(&r, &options);
    rig_ask(&r, START);
    assert_true(rig_next(&r, &after));
    assert_int_equal(after.fact.ride_start.key0, before.fact.ride_start.key0);
    assert_int_equal(after.fact.ride_start.key1, before.fact.ride_start.key1);
    assert_int_equal(after.fact.ride_start.body_hash, before.fact.ride_start.body_hash);
    struct rig_request q = START;
    q.key = "other";
    q.body = "{\"vehicle_code\":\"SE-0043\"}";
    rig_ask(&r, q);
    assert_true(rig_next(&r, &after));
    assert_int_not_equal(after.fact.ride_start.body_hash, before.fact.ride_start.body_hash);
    rig_close(&r);
}

static void test_a_repeat_in_flight_is_409_and_after_it_goes_through(void **state)
{
    (void)state;
    struct rig r;
    struct inbound in, again;
    struct ride ride = rig_ride(1, RIDE_UNLOCKING);
    rig_open(&r, NULL);
    rig_ask(&r, START);
    assert_true(rig_next(&r, &in));
    uint64_t conn = rig_ask(&r, START);
    assert_problem(&r, conn, 409, "idempotency_in_flight");
    assert_true(rig_has(rig_reply(&r, conn).head, "Retry-After: 1"));
    assert_false(rig_next(&r, &again));
    rig_reply_ride(&r, in.origin.handle, &ride);
    rig_ask(&r, START);
    assert_true(rig_next(&r, &again)); /* the engine knows the answer */
    rig_close(&r);
}

static void test_a_client_that_leaves_keeps_its_key_in_flight(void **state)
{
    (void)state;
    struct rig r;
    struct inbound in;
    struct ride ride = rig_ride(1, RIDE_UNLOCKING);
    rig_open(&r, NULL);
    uint64_t conn = rig_ask(&r, START);
    assert_true(rig_next(&r, &in));
    fake_hang_up(r.loop, conn);
    fake_settle(r.loop);
    assert_int_equal(api_counters(r.api)->pending, 1);
    assert_problem(&r, rig_ask(&r, START), 409, "idempotency_in_flight");
    rig_reply_ride(&r, in.origin.handle, &ride);
    assert_int_equal(api_counters(r.api)->pending, 0);
    assert_int_equal(api_counters(r.api)->replies_gone, 1);
    rig_close(&r);
}

static void test_a_full_ring_is_503_and_leaves_nothing_behind(void **state)
{
    (void)state;
    struct rig r;
    struct rig_options options = {.ring = 2};
    struct inbound in;
    rig_open(&r, &options);
    struct rig_request q = START;
    rig_ask(&r, q); /* announcement and fact: full */
    q.key = "k2";
    uint64_t conn = rig_ask(&r, q);
    assert_problem(&r, conn, 503, "limit_reached");
    assert_true(rig_has(rig_reply(&r, conn).head, "Retry-After:"));
    assert_int_equal(api_counters(r.api)->pending, 2);
    assert_int_equal(api_counters(r.api)->ring_full, 1);
    assert_true(rig_next(&r, &in));
    rig_ask(&r, q); /* the same key: it was not in flight */
    assert_true(rig_next(&r, &in));
    rig_close(&r);
}

static void test_too_many_under_way_is_503(void **state)
{
    (void)state;
    struct rig r;
    struct rig_options options = {.limits = {.pending_max = 2, .account_max = 8}};
    rig_open(&r, &options);
    struct rig_request q = START;
    rig_ask(&r, q); /* announcement and request */
    q.key = "k2";
    assert_problem(&r, rig_ask(&r, q), 503, "limit_reached");
    assert_int_equal(api_counters(r.api)->pending_full, 1);
    rig_close(&r);
}

static void test_stale_answers_are_counted_and_harmless(void **state)
{
    (void)state;
    struct rig r;
    struct inbound in;
    struct ride ride = rig_ride(1, RIDE_UNLOCKING);
    rig_open(&r, NULL);
    uint64_t conn = rig_ask(&r, START);
    assert_true(rig_next(&r, &in));
    rig_reply_code(&r, in.origin.handle + 1, ERR_IO);
    rig_reply_code(&r, UINT64_MAX, ERR_IO);
    rig_reply_code(&r, 0, ERR_IO);
    rig_answer_ride(&r, in.origin.handle, &ride); /* an answer where a reply is awaited */
    assert_int_equal(rig_reply(&r, conn).status, 0);
    rig_reply_ride(&r, in.origin.handle, &ride);
    assert_int_equal(rig_reply(&r, conn).status, 202);
    rig_reply_ride(&r, in.origin.handle, &ride); /* twice */
    assert_int_equal(api_counters(r.api)->replies_stale, 5);
    conn = rig_ask(&r, (struct rig_request){.method = "GET", .path = "/v1/rides/current", .role = AUTH_RIDER});
    assert_true(rig_next(&r, &in));
    rig_reply_ride(&r, in.origin.handle, &ride); /* a reply where an answer is awaited */
    assert_int_equal(api_counters(r.api)->replies_stale, 6);
    assert_int_equal(rig_reply(&r, conn).status, 0);
    rig_close(&r);
}

static void test_tokens_end_by_time_and_by_revocation(void **state)
{
    (void)state;
    struct rig r;
    struct rig_request q = {.method = "GET", .path = "/v1/quarantine", .role = AUTH_CONTROL};
    rig_open(&r, NULL);
    assert_int_equal(rig_reply(&r, rig_ask(&r, q)).status, 200);
    r.wall_ms += 3600000;
    assert_problem(&r, rig_ask(&r, q), 401, "unauthenticated");
    rig_close(&r);
}

static void test_guessing_tokens_is_slowed_down(void **state)
{
    (void)state;
    struct rig r;
    struct rig_request q = {.method = "GET", .path = "/v1/quarantine", .headers = "Authorization: Bearer guess\r\n"};
    rig_open(&r, NULL);
    uint64_t conn = 0;
    for (unsigned i = 0; i < AUTH_MISSES_BURST; i++) {
        conn = rig_ask(&r, q);
        assert_int_equal(rig_reply(&r, conn).status, 401);
        fake_hang_up(r.loop, conn);
        fake_settle(r.loop);
    }
    assert_problem(&r, rig_ask(&r, q), 429, "rate_limited");
    rig_close(&r);
}

static void test_draining_ends_waits_and_new_connections(void **state)
{
    (void)state;
    struct rig r;
    struct inbound in;
    struct ride ride = rig_ride(1, RIDE_UNLOCKING);
    rig_open(&r, NULL);
    struct rig_request q = START;
    q.path = "/v1/rides?wait=30";
    uint64_t conn = rig_ask(&r, q);
    assert_true(rig_next(&r, &in));
    rig_reply_ride(&r, in.origin.handle, &ride);
    assert_int_equal(rig_reply(&r, conn).status, 0);
    assert_false(api_drain(r.api));
    rig_pass_ms(&r, 20);
    assert_true(rig_next(&r, &in) && in.is_query);
    rig_answer_ride(&r, in.origin.handle, &ride);
    assert_int_equal(rig_reply(&r, conn).status, 202);
    assert_true(api_drain(r.api));
    assert_int_equal(fake_dial(r.loop, 0), 0);
    assert_int_equal(rig_admin(&r, "/readyz").status, 503);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_route_wants_a_token),
        cmocka_unit_test(test_every_route_refuses_the_roles_it_does_not_name),
        cmocka_unit_test(test_unknown_paths_and_methods_say_so),
        cmocka_unit_test(test_a_422_names_every_field_at_fault),
        cmocka_unit_test(test_fields_that_belong_together_are_checked_together),
        cmocka_unit_test(test_settings_become_facts_in_the_units_of_the_engine),
        cmocka_unit_test(test_the_engines_refusal_names_its_field),
        cmocka_unit_test(test_bodies_that_are_not_json_are_400),
        cmocka_unit_test(test_unsafe_calls_want_a_key),
        cmocka_unit_test(test_a_request_becomes_a_fact_behind_its_account),
        cmocka_unit_test(test_a_refused_announcement_is_made_again),
        cmocka_unit_test(test_the_same_key_and_body_hash_the_same_in_the_next_process),
        cmocka_unit_test(test_a_repeat_in_flight_is_409_and_after_it_goes_through),
        cmocka_unit_test(test_a_client_that_leaves_keeps_its_key_in_flight),
        cmocka_unit_test(test_a_full_ring_is_503_and_leaves_nothing_behind),
        cmocka_unit_test(test_too_many_under_way_is_503),
        cmocka_unit_test(test_stale_answers_are_counted_and_harmless),
        cmocka_unit_test(test_tokens_end_by_time_and_by_revocation),
        cmocka_unit_test(test_guessing_tokens_is_slowed_down),
        cmocka_unit_test(test_draining_ends_waits_and_new_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
