/* SPDX-License-Identifier: Apache-2.0 */
/* ask_street_test.c: near me, maps and counters over HTTP, from a street that the test tells what happened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/fake/rig_street.h"

#define BOX "west=11.9&south=57.6&east=12.1&north=57.8"
#define NEAR "/v1/near?lat=57.7089&lon=11.9746"

static struct rig rig;

static int set_up(void **state)
{
    (void)state;
    rig_open(&rig, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

static struct bytes get(enum auth_role role, const char *path, int status)
{
    uint64_t conn = rig_ask(&rig, (struct rig_request){.method = "GET", .path = path, .role = role});
    struct rig_reply reply = rig_reply(&rig, conn);
    if (reply.status != status) fail_msg("%s: %d %.*s", path, reply.status, (int)reply.body.len, (const char *)reply.body.at);
    return reply.body;
}

static unsigned count_of(struct bytes text, const char *part)
{
    unsigned n = 0;
    const uint8_t *at = text.at, *end = text.at + text.len, *found;
    while ((found = memmem(at, (size_t)(end - at), part, strlen(part)))) {
        n++;
        at = found + 1;
    }
    return n;
}

static void test_before_the_first_snapshot_everybody_is_asked_to_come_again(void **state)
{
    (void)state;
    static const char *const paths[] = {NEAR, "/v1/map?" BOX, "/v1/map/live?" BOX, "/v1/stats"};
    for (unsigned i = 0; i < 4; i++) assert_true(rig_has(get(AUTH_CONTROL, paths[i], 503), "\"limit_reached\""));
    get(AUTH_RIDER, "/v1/vehicles/V-1", 503);
}

static void test_near_me_tells_what_a_rider_needs(void **state)
{
    (void)state;
    rig_street_declare(&rig);
    rig_street_vehicle(&rig, 1, (struct rig_place){.lat_e7 = 577089000, .lon_e7 = 119746000, .battery_pct = 64});
    rig_street_vehicle(&rig, 2, (struct rig_place){.lat_e7 = 577098000, .lon_e7 = 119746000}); /* 100 m north */
    rig_street_vehicle(&rig, 3, (struct rig_place){.lat_e7 = 577089000, .lon_e7 = 119746000, .state = VEHICLE_NON_OPERATIONAL});
    rig_street_show(&rig);
    struct bytes body = get(AUTH_RIDER, NEAR, 200);
    assert_true(rig_has(body, "{\"vehicles\":[{\"code\":\"V-1\",\"vehicle_type\":\"scooter\",\"motor\":true,\"lat\":57.7089000,"
                              "\"lon\":11.9746000,\"battery_pct\":64,\"distance_m\":0,\"unlock_minor\":1000,"
                              "\"minute_minor\":250,\"currency\":\"SEK\",\"decimals\":2},{\"code\":\"V-2\","));
    assert_true(rig_has(body, "\"battery_pct\":null,\"distance_m\":100,"));
    assert_true(rig_has(body, "}],\"as_of_seq\":1}"));
    assert_false(rig_has(body, "V-3"));
    assert_false(rig_has(get(AUTH_RIDER, NEAR "&radius_m=99", 200), "V-2"));
    assert_int_equal(count_of(get(AUTH_RIDER, NEAR "&limit=1", 200), "\"code\""), 1);
    rig_pass_ms(&rig, 700000); /* nobody said a word since */
    assert_true(rig_has(get(AUTH_RIDER, NEAR, 200), "{\"vehicles\":[],"));
}

static void test_a_map_shows_riders_what_they_may_rent_and_staff_everything(void **state)
{
    (void)state;
    rig_street_declare(&rig);
    rig_street_vehicle(&rig, 1, (struct rig_place){.lat_e7 = 577089000, .lon_e7 = 119746000, .speed_dmh = 123});
    rig_street_vehicle(&rig, 2, (struct rig_place){.lat_e7 = 577089000, .lon_e7 = 119746000, .state = VEHICLE_ON_TRIP});
    rig_street_vehicle(&rig, 3, (struct rig_place){.lat_e7 = 578089000, .lon_e7 = 119746000});
    rig_street_vehicle(&rig, 4, (struct rig_place){.nowhere = true});
    rig_street_show(&rig);
    struct bytes body = get(AUTH_RIDER, "/v1/map?" BOX, 200);
    assert_true(rig_has(body, "\"columns\":[\"code\",\"vehicle_type\",\"lat\",\"lon\",\"state\",\"battery_pct\",\"speed_dmh\","
                              "\"heard_ms\",\"fix_ms\",\"city\"],\"rows\":[[\"V-1\",\"scooter\",57.7089000,11.9746000,"
                              "\"available\",null,123,1764000000000,1764000000000,\"gothenburg\"]],\"next\":null,"));
    body = get(AUTH_CONTROL, "/v1/map?" BOX, 200);
    assert_true(rig_has(body, "V-1") && rig_has(body, "\"on_trip\"") && !rig_has(body, "V-3") && !rig_has(body, "V-4"));
    body = get(AUTH_CONTROL, "/v1/map?" BOX "&state=on_trip", 200);
    assert_true(rig_has(body, "V-2") && !rig_has(body, "V-1"));
    assert_true(rig_has(get(AUTH_RIDER, "/v1/map?" BOX "&state=on_trip", 200), "\"rows\":[]"));
}

static void test_a_large_map_comes_in_pages_without_a_seam(void **state)
{
    (void)state;
    rig_street_declare(&rig);
    for (uint8_t i = 1; i <= 200; i++) {
        rig_street_vehicle(&rig, i, (struct rig_place){.lat_e7 = 577089000 + i * 100, .lon_e7 = 119746000});
    }
    rig_street_show(&rig);
    char path[200] = "/v1/map?" BOX "&limit=70";
    unsigned rows = 0, pages = 0;
    for (;; pages++) {
        struct bytes body = get(AUTH_CONTROL, path, 200);
        const char *next = memmem(body.at, body.len, "\"next\":\"", 8);
        rows += count_of(body, "[\"V-");
        if (!next) break;
        snprintf(path, sizeof path, "/v1/map?" BOX "&limit=70&after=%.*s", (int)strspn(next + 8, "0123456789"), next + 8);
    }
    assert_int_equal(pages, 2);
    assert_int_equal(rows, 200);
    get(AUTH_CONTROL, "/v1/map?" BOX "&after=999999999999999", 200); /* behind the end */
}

static void test_boxes_cross_the_180th_meridian(void **state)
{
    (void)state;
    rig_street_declare(&rig);
    rig_street_vehicle(&rig, 1, (struct rig_place){.lat_e7 = -180000000, .lon_e7 = 1799990000});
    rig_street_vehicle(&rig, 2, (struct rig_place){.lat_e7 = -180000000, .lon_e7 = -1799990000});
    rig_street_vehicle(&rig, 3, (struct rig_place){.lat_e7 = -180000000, .lon_e7 = 0});
    rig_street_show(&rig);
    struct bytes body = get(AUTH_CONTROL, "/v1/map?west=179&south=-19&east=-179&north=-17", 200);
    assert_true(rig_has(body, "V-1") && rig_has(body, "V-2") && !rig_has(body, "V-3"));
    body = get(AUTH_RIDER, "/v1/near?lat=-18&lon=180&radius_m=500", 200);
    assert_true(rig_has(body, "V-1") && rig_has(body, "V-2"));
    assert_true(rig_has(get(AUTH_CONTROL, "/v1/map?west=-180&south=-90&east=180&north=90", 200), "V-3"));
    assert_true(rig_has(get(AUTH_CONTROL, "/v1/map?west=179&south=-17&east=-179&north=-19", 200), "\"rows\":[]"));
}

static void test_every_field_at_fault_is_named(void **state)
{
    (void)state;
    rig_street_declare(&rig);
    rig_street_show(&rig);
    struct bytes body = get(AUTH_RIDER, "/v1/near?lat=91&lon=east&limit=0&radius_m=5001&of=it", 422);
    static const char *const fields[] = {"\"lat\"", "\"lon\"", "\"limit\"", "\"radius_m\"", "\"of\""};
    for (unsigned i = 0; i < 5; i++) assert_true(rig_has(body, fields[i]));
    assert_int_equal(count_of(get(AUTH_CONTROL, "/v1/map", 422), "is required"), 4);
    assert_true(rig_has(get(AUTH_CONTROL, "/v1/stats?city=oslo", 422), "\"city_unknown\""));
}

static void test_a_rider_learns_of_one_vehicle_what_renting_it_means(void **state)
{
    (void)state;
    rig_street_declare(&rig);
    rig_street_vehicle(&rig, 1, (struct rig_place){.lat_e7 = 577089000, .lon_e7 = 119746000, .battery_pct = 70});
    rig_street_vehicle(&rig, 2, (struct rig_place){.lat_e7 = 577089000, .lon_e7 = 119746000, .battery_pct = 3});
    rig_street_vehicle(&rig, 3, (struct rig_place){.lat_e7 = 577089000, .lon_e7 = 119746000, .state = VEHICLE_ON_TRIP});
    rig_street_show(&rig);
    struct bytes body = get(AUTH_RIDER, "/v1/vehicles/V-1", 200);
    assert_true(rig_has(body, "{\"vehicle\":{\"code\":\"V-1\",\"state\":\"available\",\"device\":{\"battery_pct\":70,"
                              "\"lat\":57.7089000,\"lon\":11.9746000,\"fix_ms\":1764000000000,\"connected\":true},"
                              "\"offer\":{\"rentable\":true,\"refusal\":null,\"vehicle_type\":\"scooter\","
                              "\"vehicle_type_name\":\"Scooter\",\"motor\":true,\"unlock_minor\":1000,"));
    body = get(AUTH_RIDER, "/v1/vehicles/V-2", 200);
    assert_true(rig_has(body, "\"lat\":null") && rig_has(body, "\"rentable\":false,\"refusal\":\"vehicle_battery_low\""));
    body = get(AUTH_RIDER, "/v1/vehicles/V-3", 200);
    assert_true(rig_has(body, "\"lat\":null,\"lon\":null,\"fix_ms\":null"));
    assert_true(rig_has(body, "\"refusal\":\"vehicle_not_available\""));
    get(AUTH_RIDER, "/v1/vehicles/V-9", 404);
}

static void test_the_counters_count(void **state)
{
    (void)state;
    rig_street_declare(&rig);
    rig_street_vehicle(&rig, 1, (struct rig_place){.lat_e7 = 577089000, .lon_e7 = 119746000, .battery_pct = 70});
    rig_street_vehicle(&rig, 2, (struct rig_place){.lat_e7 = 577089000, .lon_e7 = 119746000, .battery_pct = 3});
    rig_street_vehicle(&rig, 3, (struct rig_place){.lat_e7 = 577089000, .lon_e7 = 119746000, .state = VEHICLE_ON_TRIP});
    rig_street_vehicle(&rig, 4, (struct rig_place){.nowhere = true, .state = VEHICLE_NON_CONTACTABLE});
    struct ride open = rig_ride(1, RIDE_RIDING), over = rig_ride(2, RIDE_SETTLED);
    open.city_id = over.city_id = RIG_CITY;
    street_put(rig.street, 1, ROW_RIDE, &open, false);
    over.state = RIDE_ENDING;
    street_put(rig.street, 1, ROW_RIDE, &over, false);
    over.state = RIDE_SETTLED;
    street_put(rig.street, 1, ROW_RIDE, &over, false);
    street_put(rig.street, 1, ROW_RIDE, &over, false); /* told twice, counted once */
    over.resident = false;
    street_put(rig.street, 1, ROW_RIDE, &over, false);
    struct ride before = rig_ride(3, RIDE_SETTLED);
    before.city_id = RIG_CITY;
    before.ended_ms -= 86400000; /* yesterday's, told late */
    street_put(rig.street, 1, ROW_RIDE, &before, false);
    rig_street_show(&rig);
    struct bytes body = get(AUTH_CONTROL, "/v1/stats", 200);
    static const char *const parts[] = {
        "{\"city\":null,", "\"vehicles\":4,", "\"available\":2,", "\"on_trip\":1,", "\"non_contactable\":1,", "\"rentable\":1,",
        "\"battery_low\":1,", "\"open_rides\":1,", "\"riding\":1,", "\"rides\":1,\"minutes\":3,",
        "\"revenue\":[{\"currency\":\"SEK\",\"decimals\":2,\"minor\":1750}]", "\"time_zone\":\"UTC\"",
        "{\"code\":\"vehicles_silent\",\"level\":\"critical\",\"count\":1}",
        "{\"code\":\"battery_low\",\"level\":\"notice\",\"count\":1}",
    };
    for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!rig_has(body, parts[i])) fail_msg("%s is not in %.*s", parts[i], (int)body.len, (const char *)body.at);
    }
    rig.wall_ms -= 86400000;
    assert_true(rig_has(get(AUTH_CONTROL, "/v1/stats", 200), "\"rides\":0,\"minutes\":0,")); /* that was another day */
    rig.wall_ms += 86400000;
    get(AUTH_RIDER, "/v1/stats", 403);
}

static void test_staff_of_one_city_see_that_city(void **state)
{
    (void)state;
    char token[AUTH_TOKEN_LEN], header[200];
    struct uuid account;
    struct scope scope;
    assert_int_equal(scope_read(bytes_text("malmo"), &scope).code, 0);
    struct auth_grant grant = {.role = AUTH_CONTROL, .now_ms = rig.wall_ms, .expires_ms = rig.wall_ms + 3600000,
                               .scope = &scope, .set_scope = true};
    assert_int_equal(auth_grant(rig.auth, &grant, token, &account).code, 0);
    snprintf(header, sizeof header, "Authorization: Bearer %.*s\r\n", (int)AUTH_TOKEN_LEN, token);
    rig_street_declare(&rig);
    struct city other = {.id = RIG_CITY + 1, .entity_id = RIG_CITY - 1};
    text_clip(&other.code, bytes_text("malmo"));
    street_put(rig.street, 1, ROW_CITY, &other, false);
    rig_street_vehicle(&rig, 1, (struct rig_place){.lat_e7 = 577089000, .lon_e7 = 119746000});
    rig_street_vehicle(&rig, 2, (struct rig_place){.lat_e7 = 577089000, .lon_e7 = 119746000, .city = RIG_CITY + 1});
    rig_street_show(&rig);
    static const struct { const char *path; int status; const char *has, *has_not; } cases[] = {
        {"/v1/map?" BOX, 200, "V-2", "V-1"},
        {"/v1/map?" BOX "&city=malmo", 200, "V-2", "V-1"},
        {"/v1/map?" BOX "&city=gothenburg", 422, "city_unknown", "V-1"},
        {"/v1/stats", 200, "\"vehicles\":1,", "V-1"},
        {"/v1/stats?city=gothenburg", 422, "city_unknown", "V-1"},
        {NEAR, 200, "\"vehicles\":[]", "V-1"}, /* no plan in Malmö */
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t conn = rig_ask(&rig, (struct rig_request){.method = "GET", .path = cases[i].path, .headers = header});
        struct rig_reply reply = rig_reply(&rig, conn);
        assert_int_equal(reply.status, cases[i].status);
        assert_true(rig_has(reply.body, cases[i].has));
        assert_false(rig_has(reply.body, cases[i].has_not));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_before_the_first_snapshot_everybody_is_asked_to_come_again),
        TEST(test_near_me_tells_what_a_rider_needs),
        TEST(test_a_map_shows_riders_what_they_may_rent_and_staff_everything),
        TEST(test_a_large_map_comes_in_pages_without_a_seam),
        TEST(test_boxes_cross_the_180th_meridian),
        TEST(test_every_field_at_fault_is_named),
        TEST(test_a_rider_learns_of_one_vehicle_what_renting_it_means),
        TEST(test_the_counters_count),
        TEST(test_staff_of_one_city_see_that_city),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
