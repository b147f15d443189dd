/* SPDX-License-Identifier: Apache-2.0 */
/* map_live_test.c: a map that moves: what each stream is sent, when, and what it is spared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/fake/rig_street.h"
#include "api/map_live.h"

#define BOX "west=11.9&south=57.6&east=12.1&north=57.8"
#define HOME {.lat_e7 = 577089000, .lon_e7 = 119746000}

static struct rig rig;

static int set_up(void **state)
{
    (void)state;
    rig_open(&rig, NULL);
    rig_street_declare(&rig);
    rig_street_vehicle(&rig, 1, (struct rig_place)HOME);
    rig_street_vehicle(&rig, 2, (struct rig_place)HOME);
    rig_street_show(&rig);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

static uint64_t listen_to(const char *query, const char *headers)
{
    char path[200];
    snprintf(path, sizeof path, "/v1/map/live?" BOX "%s", query);
    uint64_t conn = rig_ask(&rig, (struct rig_request){.method = "GET", .path = path, .role = AUTH_CONTROL,
                                                       .headers = headers});
    assert_int_equal(rig_reply(&rig, conn).status, 200);
    return conn;
}

/* What came since the last time. */
static struct bytes heard(uint64_t conn)
{
    static char memory[200000];
    struct bytes in = fake_received(rig.loop, conn);
    assert_true(in.len <= sizeof memory);
    if (in.len) memcpy(memory, in.at, in.len);
    fake_forget_received(rig.loop, conn);
    return bytes_of(memory, in.len);
}

static unsigned messages(struct bytes text)
{
    unsigned n = 0;
    for (size_t i = 0; i + 12 <= text.len; i++) n += memcmp(text.at + i, "event: rows\n", 12) == 0;
    return n;
}

static void test_first_everything_then_what_changed_then_what_left(void **state)
{
    (void)state;
    uint64_t conn = listen_to("", NULL);
    struct bytes text = heard(conn);
    assert_true(rig_has(text, "id: 1\nevent: rows\ndata: {\"now_ms\":") && rig_has(text, "V-1") && rig_has(text, "V-2"));
    rig_pass_ms(&rig, 3000);
    assert_int_equal(messages(heard(conn)), 0); /* nothing happened */
    rig_street_vehicle(&rig, 2, (struct rig_place){.lat_e7 = 577090000, .lon_e7 = 119746000});
    rig_street_show(&rig);
    rig_pass_ms(&rig, 1000);
    text = heard(conn);
    assert_true(rig_has(text, "[\"V-2\",\"scooter\",57.7090000,") && !rig_has(text, "V-1") && rig_has(text, "\"gone\":[]"));
    rig_street_vehicle(&rig, 1, (struct rig_place){.lat_e7 = 587089000, .lon_e7 = 119746000});
    rig_street_show(&rig);
    rig_pass_ms(&rig, 1000);
    text = heard(conn);
    assert_true(rig_has(text, "\"gone\":[\"V-1\"],\"rows\":[]"));
    rig_pass_ms(&rig, 1000);
    assert_int_equal(messages(heard(conn)), 0);
    rig_street_vehicle(&rig, 1, (struct rig_place)HOME);
    rig_street_show(&rig);
    rig_pass_ms(&rig, 1000);
    assert_true(rig_has(heard(conn), "V-1")); /* it is back */
}

static void test_at_most_one_message_a_second(void **state)
{
    (void)state;
    uint64_t conn = listen_to("", NULL);
    (void)heard(conn);
    unsigned total = 0;
    for (unsigned i = 0; i < 50; i++) {
        rig_street_vehicle(&rig, 1, (struct rig_place){.lat_e7 = 577089000 + (int32_t)i * 100, .lon_e7 = 119746000});
        rig_street_show(&rig);
        rig_pass_ms(&rig, 100);
        total += messages(heard(conn));
    }
    assert_int_equal(total, 5);
}

static void test_who_has_the_map_already_is_sent_only_what_is_newer(void **state)
{
    (void)state;
    rig_street_vehicle(&rig, 2, (struct rig_place){.lat_e7 = 577090000, .lon_e7 = 119746000});
    rig_street_show(&rig); /* seq 2 */
    struct bytes text = heard(listen_to("&after=1", NULL));
    assert_true(rig_has(text, "V-2") && !rig_has(text, "V-1"));
    text = heard(listen_to("", "Last-Event-ID: 1\r\n"));
    assert_true(rig_has(text, "V-2") && !rig_has(text, "V-1"));
    text = heard(listen_to("&after=2", NULL));
    assert_true(rig_has(text, "\"rows\":[]") && rig_has(text, "\"as_of_seq\":2"));
    text = heard(listen_to("&after=777", NULL)); /* of a server that knew more: everything */
    assert_true(rig_has(text, "V-1") && rig_has(text, "V-2"));
    rig_street_vehicle(&rig, 1, (struct rig_place){.lat_e7 = 587089000, .lon_e7 = 119746000});
    rig_street_show(&rig); /* seq 3: V-1 left while nobody listened */
    text = heard(listen_to("&after=2", NULL));
    assert_true(rig_has(text, "\"gone\":[\"V-1\"]"));
}

static void test_a_filter_makes_a_vehicle_come_and_go(void **state)
{
    (void)state;
    uint64_t conn = listen_to("&state=available", NULL);
    assert_true(rig_has(heard(conn), "V-1"));
    rig_street_vehicle(&rig, 1, (struct rig_place){.lat_e7 = 577089000, .lon_e7 = 119746000, .state = VEHICLE_ON_TRIP});
    rig_street_show(&rig);
    rig_pass_ms(&rig, 1000);
    assert_true(rig_has(heard(conn), "\"gone\":[\"V-1\"]"));
}

static void test_what_does_not_fit_goes_with_the_next_message(void **state)
{
    (void)state;
    for (unsigned i = 3; i < 3 + 1200; i++) {
        char code[16];
        snprintf(code, sizeof code, "LONGCODE-%u", i);
        struct vehicle v = {.id = 10000 + i, .type_id = 3, .city_id = RIG_CITY, .device_id = 20000 + i,
                            .state = VEHICLE_AVAILABLE};
        text_clip(&v.code, bytes_text(code));
        struct device d = {.id = 20000 + i, .vehicle_id = v.id, .has_fix = true, .lat_e7 = 577089000, .lon_e7 = 119746000,
                           .seen_ms = rig.wall_ms};
        street_put(rig.street, 2, ROW_VEHICLE, &v, false);
        street_put(rig.street, 2, ROW_DEVICE, &d, false);
    }
    rig_street_show(&rig);
    uint64_t conn = listen_to("", NULL);
    unsigned rows = 0, sent = 0;
    for (unsigned second = 0; second < 6; second++) {
        struct bytes text = heard(conn);
        sent += messages(text);
        for (size_t i = 0; i + 8 <= text.len; i++) rows += memcmp(text.at + i, "[\"LONGCO", 8) == 0;
        assert_true(text.len < MAP_LIVE_BYTES + 1000);
        rig_pass_ms(&rig, 1000);
    }
    assert_int_equal(rows, 1200);
    assert_true(sent >= 2 && sent <= 4);
}

static void test_streams_are_counted_limited_and_end_with_their_token(void **state)
{
    (void)state;
    uint64_t first = listen_to("", NULL);
    (void)listen_to("", NULL);
    assert_int_equal(api_counters(rig.api)->map_streams, 2);
    fake_hang_up(rig.loop, first);
    fake_settle(rig.loop);
    assert_int_equal(api_counters(rig.api)->map_streams, 1);
    rig_pass_ms(&rig, 3700000); /* tokens are good for an hour */
    assert_int_equal(api_counters(rig.api)->map_streams, 0);
    struct map_live *m;
    assert_int_equal(map_live_create(&(struct map_live_options){.street = rig.street}, &m).code, ERR_OK);
    for (uint64_t http = 1; http <= MAP_LIVE_MAX; http++) {
        assert_int_equal(map_live_room(m).code, ERR_OK);
        map_live_open(m, &(struct map_live_client){.http = http}, 0);
    }
    assert_int_equal(map_live_room(m).code, ERR_FULL);
    assert_false(map_live_gone(m, 1000));
    assert_true(map_live_gone(m, 7));
    assert_int_equal(map_live_room(m).code, ERR_OK);
    map_live_destroy(m);
}

static void test_riders_have_no_live_map(void **state)
{
    (void)state;
    uint64_t conn = rig_ask(&rig, (struct rig_request){.method = "GET", .path = "/v1/map/live?" BOX, .role = AUTH_RIDER});
    assert_int_equal(rig_reply(&rig, conn).status, 403);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_first_everything_then_what_changed_then_what_left),
        TEST(test_at_most_one_message_a_second),
        TEST(test_who_has_the_map_already_is_sent_only_what_is_newer),
        TEST(test_a_filter_makes_a_vehicle_come_and_go),
        TEST(test_what_does_not_fit_goes_with_the_next_message),
        TEST(test_streams_are_counted_limited_and_end_with_their_token),
        TEST(test_riders_have_no_live_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
