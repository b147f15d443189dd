/* SPDX-License-Identifier: Apache-2.0 */
/* The panel, asked as browsers, tools and strangers would: who may, what it does to the world, what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/demo_inside.h"
#include "sim/demo_panel.h"
#include "sim/network.h"

enum { SECOND_US = 1000000, VEHICLES = 12 };
#define SERVER "127.0.0.1:8080"

struct world {
    struct network *network;
    struct loop *demo_loop, *browser_loop;
    struct crowd *crowd;
    struct demo_figures figures;
    struct demo_tokens tokens;
    struct demo_demand demand;
    struct demo_city *city;
    struct demo_panel *panel;
    struct http_client *browser;
    struct text64 address;
    char folder[64], host[80];
    unsigned kills;
    bool down;
    int status;                     /* of the last reply; 0: none */
    char body[65536], allowed[96], csp[256];
};

static bool on_kill(void *ctx)
{
    struct world *w = ctx;
    if (w->down) return false;
    w->kills++;
    return true;
}

static void on_reply(void *ctx, struct http_client *client, const struct http_client_reply *reply)
{
    struct world *w = ctx;
    (void)client;
    w->status = reply->status;
    phone_copy(w->body, sizeof w->body, reply->body);
    phone_copy(w->allowed, sizeof w->allowed, http_client_header_of(reply, "access-control-allow-origin"));
    phone_copy(w->csp, sizeof w->csp, http_client_header_of(reply, "content-security-policy"));
}

static void on_failed(void *ctx, struct http_client *client, struct err why)
{
    (void)ctx;
    (void)client;
    (void)why;
}

static struct world *world_create(void)
{
    struct world *w = calloc(1, sizeof *w);
    struct loop_config loop = {.conn_max = 256};

    assert_non_null(w);
    w->network = network_create(3, 5 * SECOND_US);
    w->demo_loop = network_loop_create(w->network, "demo", &loop);
    w->browser_loop = network_loop_create(w->network, "browser", &loop);
    struct crowd_config crowd = {.loop = w->demo_loop, .seed = 3, .start_ms = 1795474800000ll};
    assert_int_equal(crowd_create(&crowd, &w->crowd).code, ERR_OK);
    snprintf(w->folder, sizeof w->folder, "/tmp/paddock-panel-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    w->figures = (struct demo_figures){.place = demo_place_nth(0), .dir = w->folder, .vehicle_count = VEHICLES,
                                       .speed = 1, .up = true};
    text_clip(&w->figures.http, bytes_text(SERVER));
    demo_demand_init(&w->demand);
    struct demo_panel_config panel = {.loop = w->demo_loop, .loop_conn_max = 256, .figures = &w->figures, .ctx = w,
                                      .kill_server = on_kill};
    assert_int_equal(demo_panel_create(&panel, &w->panel).code, ERR_OK);
    demo_panel_address(w->panel, &w->address);
    snprintf(w->host, sizeof w->host, "%.*s", w->address.len, w->address.at);
    struct demo_city_config city = {.crowd = w->crowd, .place = w->figures.place, .demand = &w->demand,
                                    .http = bytes_text(SERVER), .vehicles = bytes_text("127.0.0.1:7700"),
                                    .tokens = &w->tokens, .figures = &w->figures};
    assert_int_equal(demo_city_create(&city, &w->city).code, ERR_OK);
    assert_int_equal(demo_city_people(w->city).code, ERR_OK);
    demo_panel_city(w->panel, w->city);
    struct http_client_config browser = {.address = text_bytes(&w->address),
                                         .events = {.ctx = w, .on_reply = on_reply, .on_failed = on_failed}};
    assert_int_equal(http_client_create(w->browser_loop, &browser, &w->browser).code, ERR_OK);
    return w;
}

static void world_destroy(struct world *w)
{
    char path[160];
    http_client_destroy(w->browser);
    demo_city_destroy(w->city);
    demo_panel_destroy(w->panel);
    crowd_destroy(w->crowd);
    loop_destroy(w->browser_loop);
    loop_destroy(w->demo_loop);
    network_destroy(w->network);
    snprintf(path, sizeof path, "%s/" DEMO_CODES_FILE, w->folder);
    unlink(path);
    rmdir(w->folder);
    free(w);
}

/* Returns the status. `origin` NULL: none is sent. */
static int ask(struct world *w, const char *method, const char *path, const char *origin, const char *body)
{
    struct http_reply_header header = {"Origin", origin ? bytes_text(origin) : bytes_of(NULL, 0)};
    struct http_client_request request = {.method = method, .target = bytes_text(path), .headers = &header,
                                          .header_count = origin ? 1 : 0,
                                          .body = body ? bytes_text(body) : bytes_of(NULL, 0),
                                          .content_type = body ? "application/json" : NULL};
    w->status = 0;
    w->body[0] = w->allowed[0] = w->csp[0] = 0;
    assert_int_equal(http_client_send(w->browser, &request).code, ERR_OK);
    for (int i = 0; i < 50 && !w->status; i++) network_run(w->network, network_now_us(w->network) + 20000);
    return w->status;
}

static int64_t number(const struct world *w, const char *name)
{
    int64_t out = -1;
    (void)phone_find_number(bytes_text(w->body), name, &out);
    return out;
}

static void test_only_the_demos_own_pages_and_tools_may_ask(void **s)
{
    (void)s;
    struct world *w = world_create();
    static const char *const strangers[] = {"http://example.org", "http://127.0.0.1:8081", "https://127.0.0.1:8080",
                                            "http://localhost:80800", "http://127.0.0.1:8080.example.org", "null"};
    char own[96];
    snprintf(own, sizeof own, "http://%s", w->host);
    const char *ours[] = {"http://127.0.0.1:8080", "http://localhost:8080", own};
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        assert_int_equal(ask(w, "GET", "/state", strangers[i], NULL), 403);
        assert_string_equal(w->allowed, "");
        assert_int_equal(ask(w, "POST", "/kill", strangers[i], "{}"), 403);
        assert_int_equal(ask(w, "OPTIONS", "/kill", strangers[i], NULL), 403);
    }
    assert_int_equal(w->kills, 0);
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        assert_int_equal(ask(w, "GET", "/state", ours[i], NULL), 200);
        assert_string_equal(w->allowed, ours[i]);
        assert_int_equal(ask(w, "OPTIONS", "/kill", ours[i], NULL), 204);
        assert_string_equal(w->allowed, ours[i]);
        /* What is refused may be read as well. */
        assert_int_equal(ask(w, "POST", "/lose-ack", ours[i], "{\"vehicle\":\"GBG-999\"}"), 404);
        assert_string_equal(w->allowed, ours[i]);
    }
    assert_int_equal(ask(w, "GET", "/state", NULL, NULL), 200);
    assert_string_equal(w->allowed, "");
    world_destroy(w);
}

static void test_a_name_that_points_at_us_is_not_us(void **s)
{
    (void)s;
    struct world *w = world_create();
    struct http_reply_header header = {"Host", bytes_text("evil.example:80")};
    struct http_client_request request = {.method = "POST", .target = bytes_text("/kill"), .headers = &header,
                                          .header_count = 1};
    assert_int_equal(http_client_send(w->browser, &request).code, ERR_OK);
    for (int i = 0; i < 50 && !w->status; i++) network_run(w->network, network_now_us(w->network) + 20000);
    assert_true(w->status == 403 || w->status == 400); /* two Host headers are malformed */
    assert_int_equal(w->kills, 0);
    world_destroy(w);
}

static void test_a_district_is_cut_and_mended(void **s)
{
    (void)s;
    struct world *w = world_create();
    struct point at = sim_vehicle_place(w->city->vehicles[0].actor).at;
    w->figures.sim_ms = crowd_now_ms(w->crowd);
    char body[200];
    snprintf(body, sizeof body, "{\"lat\":%.7f,\"lon\":%.7f,\"radius_m\":200,\"for_s\":90}", at.lat_e7 / 1e7, at.lon_e7 / 1e7);
    assert_int_equal(ask(w, "POST", "/district", NULL, body), 200);
    assert_true(number(w, "vehicles") >= 1 && number(w, "for_s") == 90);
    assert_int_equal(demo_radio_at(&w->city->radio, at), SIM_RADIO_CUT);
    assert_int_equal(ask(w, "GET", "/state", NULL, NULL), 200);
    assert_non_null(strstr(w->body, "\"radius_m\":200,\"left_s\""));
    assert_in_range(number(w, "left_s"), 85, 90);
    assert_int_equal(ask(w, "POST", "/mend", NULL, NULL), 200);
    assert_int_equal(number(w, "mended"), 1);
    assert_int_not_equal(demo_radio_at(&w->city->radio, at), SIM_RADIO_CUT);
    /* Without a word: the middle of town, for a minute. */
    assert_int_equal(ask(w, "POST", "/district", NULL, NULL), 200);
    assert_int_equal(demo_radio_at(&w->city->radio, w->figures.place->centre), SIM_RADIO_CUT);
    world_destroy(w);
}

static void test_what_makes_no_sense_is_refused(void **s)
{
    (void)s;
    struct world *w = world_create();
    static const struct { const char *method, *path, *body; int status; } rows[] = {
        {"POST", "/district", "{\"radius_m\":19}", 422},      {"POST", "/district", "{\"radius_m\":20001}", 422},
        {"POST", "/district", "{\"radius_m\":\"far\"}", 422}, {"POST", "/district", "{\"for_s\":0}", 422},
        {"POST", "/district", "{\"for_s\":1.5}", 422},        {"POST", "/district", "{\"lat\":91}", 422},
        {"POST", "/district", "{\"lon\":-180.5}", 422},       {"POST", "/district", "{\"lat\":\"north\"}", 422},
        {"POST", "/district", "{\"lat\":", 400},              {"POST", "/district", "[1]", 400},
        {"POST", "/lose-ack", "{\"vehicle\":7}", 422},        {"POST", "/lose-ack", "{\"vehicle\":\"MVD-001\"}", 404},
        {"GET", "/kill", NULL, 405},                          {"POST", "/state", "{}", 405},
        {"POST", "/", "{}", 405},                             {"GET", "/nowhere", NULL, 404},
        {"DELETE", "/district", NULL, 405},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int status = ask(w, rows[i].method, rows[i].path, NULL, rows[i].body);
        if (status != rows[i].status) fail_msg("%s %s %s: %d", rows[i].method, rows[i].path, rows[i].body, status);
    }
    assert_int_equal(w->city->radio.cut_count, 0);
    assert_int_equal(w->kills, 0);
    for (int i = 0; i < DEMO_CUTS_MAX; i++) assert_int_equal(ask(w, "POST", "/district", NULL, "{}"), 200);
    assert_int_equal(ask(w, "POST", "/district", NULL, "{}"), 503);
    world_destroy(w);
}

static void test_acknowledgements_to_lose_add_up(void **s)
{
    (void)s;
    struct world *w = world_create();
    assert_int_equal(ask(w, "POST", "/lose-ack", NULL, NULL), 200);
    assert_int_equal(ask(w, "POST", "/lose-ack", NULL, "{\"vehicle\":null}"), 200);
    assert_int_equal(number(w, "acks_to_lose"), 2);
    assert_int_equal(ask(w, "POST", "/lose-ack", NULL, "{\"vehicle\":\"GBG-003\"}"), 200);
    assert_int_equal(number(w, "acks_to_lose"), 2); /* that one's own */
    world_destroy(w);
}

static void test_the_server_is_killed_once_while_it_is_up(void **s)
{
    (void)s;
    struct world *w = world_create();
    assert_int_equal(ask(w, "POST", "/kill", NULL, NULL), 202);
    w->down = true;
    assert_int_equal(ask(w, "POST", "/kill", NULL, NULL), 409);
    assert_int_equal(w->kills, 1);
    world_destroy(w);
}

static void write_codes(struct world *w, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/" DEMO_CODES_FILE, w->folder);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void test_codes_are_shown_and_rubbish_is_not(void **s)
{
    (void)s;
    struct world *w = world_create();
    assert_int_equal(ask(w, "GET", "/codes", NULL, NULL), 200);
    assert_string_equal(w->body, "{\"codes\":[]}");
    write_codes(w, "{\"messages\":[{\"at_ms\":5,\"to\":\"+46700000001\",\"template\":\"sign_in_code\","
                   "\"params\":{\"code\":\"123456\",\"minutes\":\"10\"}},"
                   "{\"at_ms\":4,\"to\":\"+46700000002\",\"template\":\"other\",\"params\":{\"code\":\"1\"}}]}\n");
    assert_int_equal(ask(w, "GET", "/codes", NULL, NULL), 200);
    assert_string_equal(w->body, "{\"codes\":[{\"to\":\"+46700000001\",\"code\":\"123456\",\"at_ms\":5}]}");
    write_codes(w, "{\"messages\":[{\"at_ms\":5,\"to\":\"+46700");
    assert_int_equal(ask(w, "GET", "/codes", NULL, NULL), 200);
    assert_string_equal(w->body, "{\"codes\":[]}");
    world_destroy(w);
}

static void test_the_page_may_load_nothing_of_others(void **s)
{
    (void)s;
    struct world *w = world_create();
    assert_int_equal(ask(w, "GET", "/", NULL, NULL), 200);
    assert_non_null(strstr(w->csp, "default-src 'none'"));
    assert_non_null(strstr(w->body, "<label>"));
    assert_null(strstr(w->body, "style="));
    assert_int_equal(ask(w, "GET", "/panel.js", NULL, NULL), 200);
    assert_int_equal(ask(w, "GET", "/panel.css", NULL, NULL), 200);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_the_demos_own_pages_and_tools_may_ask),
        cmocka_unit_test(test_a_name_that_points_at_us_is_not_us),
        cmocka_unit_test(test_a_district_is_cut_and_mended),
        cmocka_unit_test(test_what_makes_no_sense_is_refused),
        cmocka_unit_test(test_acknowledgements_to_lose_add_up),
        cmocka_unit_test(test_the_server_is_killed_once_while_it_is_up),
        cmocka_unit_test(test_codes_are_shown_and_rubbish_is_not),
        cmocka_unit_test(test_the_page_may_load_nothing_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
