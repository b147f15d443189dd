/* SPDX-License-Identifier: Apache-2.0 */
/* live_test.c: live events over the api: whose, from where on, and what happens to who is slow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/fake/rig.h"
#include "api/live.h"

static uint64_t listen_as(struct rig *r, enum auth_role role, const char *headers)
{
    uint64_t conn = rig_ask(r, (struct rig_request){.method = "GET", .path = "/v1/events/live", .role = role,
                                                    .headers = headers});
    assert_int_equal(rig_reply(r, conn).status, 200);
    assert_true(rig_has(rig_reply(r, conn).head, "text/event-stream"));
    fake_forget_received(r->loop, conn);
    return conn;
}

static struct to_api event_of(struct rig *r, enum event_kind kind, struct uuid ride, struct uuid rider)
{
    struct to_api item = {.kind = TO_API_EVENT};
    r->seq++;
    item.seq = r->seq;
    item.event = (struct event){.seq = r->seq, .part = 2, .kind = (uint8_t)kind, .ride = ride, .rider = rider,
                                .at_ms = r->wall_ms};
    return item;
}

static void test_riders_hear_of_their_own_rides_and_staff_of_all(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, NULL);
    uint64_t rider = listen_as(&r, AUTH_RIDER, NULL), staff = listen_as(&r, AUTH_CONTROL, NULL);
    struct ride mine = rig_ride(1, RIDE_RIDING), theirs = rig_ride(2, RIDE_RIDING);
    rig_event_ride(&r, &mine, r.accounts[AUTH_RIDER]);
    rig_event_ride(&r, &theirs, rig_uuid(9));
    struct bytes heard = fake_received(r.loop, rider);
    assert_true(rig_has(heard, "id: 1001.0\nevent: ride_state\ndata: {\"seq\":1001,\"part\":0,"));
    assert_true(rig_has(heard, "\"ride_state\":\"riding\""));
    assert_false(rig_has(heard, "02020202"));
    assert_false(rig_has(heard, "\"rider\":")); /* a staff field */
    heard = fake_received(r.loop, staff);
    assert_true(rig_has(heard, "01010101-") && rig_has(heard, "02020202-") && rig_has(heard, "\"rider\":\"09090909-"));
    /* The ride is known by now: events that do not name the rider find them. */
    fake_forget_received(r.loop, rider);
    rig_give(&r, event_of(&r, EVENT_RIDE_CHARGED, mine.uuid, (struct uuid){{0}}));
    rig_give(&r, event_of(&r, EVENT_RIDE_CHARGED, theirs.uuid, (struct uuid){{0}}));
    rig_give(&r, event_of(&r, EVENT_RIDE_CHARGED, rig_uuid(3), (struct uuid){{0}}));
    heard = fake_received(r.loop, rider);
    assert_true(rig_has(heard, "event: ride_charged\n") && rig_has(heard, "01010101-"));
    assert_false(rig_has(heard, "02020202-") || rig_has(heard, "03030303-"));
    rig_close(&r);
}

static void test_two_phones_of_one_rider_both_hear(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, NULL);
    uint64_t one = listen_as(&r, AUTH_RIDER, NULL), two = listen_as(&r, AUTH_RIDER, NULL);
    struct ride ride = rig_ride(1, RIDE_RIDING);
    rig_event_ride(&r, &ride, r.accounts[AUTH_RIDER]);
    assert_true(rig_has(fake_received(r.loop, one), "id: 1001.0"));
    assert_true(rig_has(fake_received(r.loop, two), "id: 1001.0"));
    rig_close(&r);
}

static void test_a_stream_resumes_behind_the_last_id(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, NULL);
    for (int i = 0; i < 3; i++) rig_give(&r, event_of(&r, EVENT_ALARM, rig_uuid(1), r.accounts[AUTH_RIDER]));
    rig_give(&r, event_of(&r, EVENT_ALARM, rig_uuid(2), rig_uuid(9)));
    uint64_t staff = rig_ask(&r, (struct rig_request){.method = "GET", .path = "/v1/events/live", .role = AUTH_CREW,
                                                      .headers = "Last-Event-ID: 1001.2\r\n"});
    uint64_t rider = rig_ask(&r, (struct rig_request){.method = "GET", .path = "/v1/events/live", .role = AUTH_RIDER,
                                                      .headers = "Last-Event-ID: 1002.2\r\n"});
    struct bytes heard = fake_received(r.loop, staff);
    assert_false(rig_has(heard, "id: 1001.2") || rig_has(heard, "reset"));
    assert_true(rig_has(heard, "id: 1002.2") && rig_has(heard, "id: 1003.2") && rig_has(heard, "id: 1004.2"));
    heard = fake_received(r.loop, rider);
    assert_false(rig_has(heard, "id: 1002.2") || rig_has(heard, "reset") || rig_has(heard, "id: 1004.2"));
    assert_true(rig_has(heard, "id: 1003.2"));
    rig_close(&r);
}

static void test_ids_that_the_ring_does_not_know_reset(void **state)
{
    (void)state;
    struct rig r;
    struct rig_options options = {.limits = {.event_ring = 4}};
    rig_open(&r, &options);
    for (int i = 0; i < 6; i++) rig_give(&r, event_of(&r, EVENT_ALARM, rig_uuid(1), rig_uuid(2)));
    const char *unknown[] = {"Last-Event-ID: 1002.2\r\n", "Last-Event-ID: 1006.1\r\n", "Last-Event-ID: 9999.0\r\n",
                             "Last-Event-ID: nonsense\r\n", "Last-Event-ID: 1004\r\n"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        uint64_t conn = rig_ask(&r, (struct rig_request){.method = "GET", .path = "/v1/events/live",
                                                         .role = AUTH_CONTROL, .headers = unknown[i]});
        struct bytes heard = fake_received(r.loop, conn);
        assert_true(rig_has(heard, "id: 1006.2\nevent: reset\ndata: {\"as_of_seq\":1006}\n\n"));
        assert_false(rig_has(heard, "event: alarm"));
    }
    assert_int_equal(api_counters(r.api)->streams_reset, 5);
    uint64_t conn = rig_ask(&r, (struct rig_request){.method = "GET", .path = "/v1/events/live", .role = AUTH_CONTROL,
                                                     .headers = "Last-Event-ID: 1003.2\r\n"}); /* the oldest there is */
    assert_false(rig_has(fake_received(r.loop, conn), "reset"));
    assert_true(rig_has(fake_received(r.loop, conn), "id: 1004.2"));
    rig_close(&r);
}

static void test_a_burst_is_paced_and_complete(void **state)
{
    (void)state;
    struct rig r;
    struct rig_options options = {.ring = 1024, .limits = {.event_ring = 1024}};
    rig_open(&r, &options);
    uint64_t staff = listen_as(&r, AUTH_CONTROL, NULL);
    for (int i = 0; i < 400; i++) {
        struct to_api item = event_of(&r, EVENT_ALARM, rig_uuid(1), rig_uuid(2));
        struct to_api *room = ring_room(&r.out);
        *room = item;
        ring_put(&r.out);
    }
    fake_settle(r.loop);
    struct bytes heard = fake_received(r.loop, staff);
    assert_true(heard.len > 1000 && heard.len < 2 * LIVE_CHUNK);
    assert_false(rig_has(heard, "id: 1400.2"));
    for (int i = 0; i < 20; i++) rig_pass_ms(&r, LIVE_PACE_MS);
    heard = fake_received(r.loop, staff);
    assert_true(rig_has(heard, "id: 1400.2") && rig_has(heard, "id: 1200.2"));
    assert_false(rig_has(heard, "reset"));
    rig_close(&r);
}

static void test_who_falls_out_of_the_ring_is_reset(void **state)
{
    (void)state;
    struct rig r;
    struct rig_options options = {.ring = 1024, .limits = {.event_ring = 64}};
    rig_open(&r, &options);
    uint64_t staff = listen_as(&r, AUTH_CONTROL, NULL);
    for (int i = 0; i < 400; i++) {
        struct to_api item = event_of(&r, EVENT_ALARM, rig_uuid(1), rig_uuid(2));
        struct to_api *room = ring_room(&r.out);
        *room = item;
        ring_put(&r.out);
    }
    fake_settle(r.loop);
    assert_true(rig_has(fake_received(r.loop, staff), "id: 1400.2\nevent: reset\n"));
    rig_close(&r);
}

static void test_a_client_that_does_not_read_is_closed_alone(void **state)
{
    (void)state;
    struct rig r;
    struct rig_options options = {.http = {.sse_queue_max = 4096}};
    rig_open(&r, &options);
    uint64_t slow = listen_as(&r, AUTH_CONTROL, NULL), quick = listen_as(&r, AUTH_CONTROL, NULL);
    fake_stall(r.loop, slow, true);
    for (int i = 0; i < 30; i++) rig_give(&r, event_of(&r, EVENT_ALARM, rig_uuid(1), rig_uuid(2)));
    assert_true(fake_is_closed(r.loop, slow, NULL));
    assert_false(fake_is_closed(r.loop, quick, NULL));
    assert_true(rig_has(fake_received(r.loop, quick), "id: 1030.2"));
    assert_int_equal(api_counters(r.api)->streams_open, 1);
    rig_close(&r);
}

static void test_streams_are_bounded_and_their_places_come_back(void **state)
{
    (void)state;
    struct rig r;
    struct rig_options options = {.http = {.sse_count_max = 2}};
    rig_open(&r, &options);
    uint64_t one = listen_as(&r, AUTH_CONTROL, NULL);
    listen_as(&r, AUTH_RIDER, NULL);
    uint64_t third = rig_ask(&r, (struct rig_request){.method = "GET", .path = "/v1/events/live", .role = AUTH_CREW});
    assert_int_equal(rig_reply(&r, third).status, 503);
    fake_hang_up(r.loop, one);
    fake_settle(r.loop);
    assert_int_equal(api_counters(r.api)->streams_open, 1);
    uint64_t fourth = listen_as(&r, AUTH_CREW, NULL);
    rig_give(&r, event_of(&r, EVENT_ALARM, rig_uuid(1), rig_uuid(2)));
    assert_true(rig_has(fake_received(r.loop, fourth), "id: 1001.2"));
    rig_close(&r);
}

static void first_name(void *ctx, const struct auth_token_row *row)
{
    struct { struct rig *r; char name[16]; } *want = ctx;
    if (row->role != AUTH_CONTROL) return;
    struct buf b = buf_on(want->name, sizeof want->name);
    buf_put_hex(&b, bytes_of(row->hash, 8));
}

static void test_a_revoked_token_stops_listening(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, NULL);
    struct { struct rig *r; char name[16]; } want = {&r, ""};
    uint64_t staff = listen_as(&r, AUTH_CONTROL, NULL), other = listen_as(&r, AUTH_CREW, NULL);
    assert_int_equal(auth_list(r.auth, first_name, &want).code, ERR_OK);
    assert_int_equal(auth_revoke(r.auth, bytes_of(want.name, 16), r.wall_ms).code, ERR_OK);
    rig_pass_ms(&r, LIVE_RECHECK_MS + 100);
    assert_true(fake_is_closed(r.loop, staff, NULL));
    assert_false(fake_is_closed(r.loop, other, NULL));
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_riders_hear_of_their_own_rides_and_staff_of_all),
        cmocka_unit_test(test_two_phones_of_one_rider_both_hear),
        cmocka_unit_test(test_a_stream_resumes_behind_the_last_id),
        cmocka_unit_test(test_ids_that_the_ring_does_not_know_reset),
        cmocka_unit_test(test_a_burst_is_paced_and_complete),
        cmocka_unit_test(test_who_falls_out_of_the_ring_is_reset),
        cmocka_unit_test(test_a_client_that_does_not_read_is_closed_alone),
        cmocka_unit_test(test_streams_are_bounded_and_their_places_come_back),
        cmocka_unit_test(test_a_revoked_token_stops_listening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
