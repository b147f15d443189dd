/* SPDX-License-Identifier: Apache-2.0 */
/* The board and its lines, from made-up figures, on a little terminal of this test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/demo_board.h"
#include "sim/demo_place.h"

enum { COLS = 200, ROWS = 80 };

/* What a terminal would show: a cell holds the first byte of its character. */
struct page {
    char cells[ROWS][COLS + 1];
    unsigned row, col, widest, escapes_of_colour;
    bool wrapped, strange;
};

static uint8_t text[DEMO_BOARD_MAX];

static struct demo_figures *figures(void)
{
    static struct demo_figures f;
    f = (struct demo_figures){
        .place = demo_place_nth(0),
        .dir = "build/demo.a1b2c3", .json_path = "build/demo.a1b2c3/demo.json", .seed = 4273177608,
        .speed = 10, .vehicle_count = 50, .rider_count = 17, .streets = true, .up = true,
        .declared = true, .listed = true, .real_ms = 151000, .wall_ms = 1795474800000,
        .sim_ms = 1795476310000, .local_ms = 1795479910000, .riders_ms = 1795509310000, .demand = 914,
        .connected = 49, .asking = 1, .riding = 7, .ending = 2, .asked = 54,
        .completed = 41, .failed = 3, .cancelled = 1, .refused = 4, .charged_minor = 231050,
        .messages_in_rate = 234, .messages_out_rate = 120, .requests_rate = 155, .commits_rate = 312,
        .cuts_rate = 20, .batch_tenths = 14, .sync_us = 900, .memory_kib = 62464, .unlocks = 52,
        .disturbed = 2, .unlock = {2100000, 2900000, 4000000}, .server = {1340, 9800, 15000},
        .device = {980000, 1700000, 3000000},
    };
    f.states[VEHICLE_AVAILABLE] = 32;
    f.states[VEHICLE_ON_TRIP] = 9;
    f.states[VEHICLE_NON_OPERATIONAL] = 5;
    f.states[VEHICLE_NON_CONTACTABLE] = 1;
    f.states[VEHICLE_REMOVED] = 3;
    text_clip(&f.http, bytes_text("127.0.0.1:8080"));
    text_clip(&f.vehicles, bytes_text("127.0.0.1:7700"));
    text_clip(&f.admin, bytes_text("127.0.0.1:8081"));
    text_clip(&f.panel, bytes_text("127.0.0.1:45678"));
    memcpy(f.staff_password, "blue-harbour-42", 16);
    memcpy(f.rider_phone, "+46700000001", 13);
    demo_tell(&f, DEMO_CALM, "rider-3 unlocked GBG-017 in 2.1 s");
    demo_tell(&f, DEMO_ODD, "GBG-004 battery low");
    return &f;
}

static const char *escape(struct page *p, const char *c)
{
    const char *end = c + 2;
    while (*end && !(*end >= '@' && *end <= '~')) end++;
    if (c[1] != '[' || !*end) p->strange = true;
    else if (*end == 'm') p->escapes_of_colour++;
    else if (*end == 'H') p->row = p->col = 0;
    else if (*end != 'K' && *end != 'J') p->strange = true;
    return *end ? end + 1 : end;
}

static struct page show(const struct demo_figures *f, uint16_t cols, uint16_t rows, bool colour, bool utf8)
{
    struct page p = {0};
    struct demo_style style = {cols, rows, colour, utf8};
    struct buf b = buf_on(text, sizeof text - 1);
    demo_board_draw(f, &style, &b);
    assert_false(b.full);
    text[b.len] = 0;
    memset(p.cells, ' ', sizeof p.cells);
    for (unsigned i = 0; i < ROWS; i++) p.cells[i][COLS] = 0;
    for (const char *c = (const char *)text; *c;) {
        if (*c == '\x1b') {
            c = escape(&p, c);
            continue;
        }
        if (*c == '\n') p.row++;
        else if (*c == '\r') p.col = 0;
        else if ((*c & 0xc0) != 0x80) {
            if (!utf8 && (*c & 0x80)) p.strange = true;
            if (p.col >= cols || p.row >= rows) p.wrapped = true;
            else p.cells[p.row][p.col] = *c;
            if (++p.col > p.widest) p.widest = p.col;
        }
        c++;
    }
    return p;
}

/* Somewhere on the page. */
static bool shows(const struct page *p, const char *what)
{
    for (unsigned i = 0; i < ROWS; i++) {
        if (strstr(p->cells[i], what)) return true;
    }
    return false;
}

static void test_nothing_is_ever_wider_or_higher_than_the_terminal(void **state)
{
    (void)state;
    static const uint16_t cols[] = {1, 10, 40, 79, 80, 81, 100, 120, 160};
    static const uint16_t rows[] = {1, 2, 5, 12, 20, 24, 25, 27, 40, 60};
    struct demo_figures *f = figures();
    for (int huge = 0; huge < 2; huge++) {
        if (huge) {
            f->charged_minor = 99999999999;
            f->completed = f->failed = f->unlocks = 123456789012;
            f->messages_in_rate = f->messages_out_rate = f->commits_rate = f->batch_tenths = UINT64_MAX;
            f->sync_us = f->server.p95_us = UINT64_MAX / 2;
            f->states[VEHICLE_AVAILABLE] = f->vehicle_count = UINT32_MAX;
            f->json_path = "a-very-long-path-a-very-long-path-a-very-long-path-a-very-long-path-a-very-long-path";
            for (int i = 0; i < 200; i++) demo_tell(f, DEMO_BAD, "%0150d", i);
        }
        for (size_t c = 0; c < sizeof cols / sizeof cols[0]; c++) {
            for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
                for (int how = 0; how < 4; how++) {
                    struct page p = show(f, cols[c], rows[r], how & 1, how & 2);
                    assert_false(p.wrapped);
                    assert_false(p.strange);
                    assert_in_range(p.widest, 0, cols[c]);
                    /* The last line ends without a new one: nothing scrolls. */
                    assert_int_equal(p.row, rows[r] - 1);
                }
            }
        }
    }
}

static void test_eighty_by_twenty_four_shows_all_figures(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        "Paddock", "city 24 Nov 00:25:10", "x10", "real 23:00:00", "running 2m 31s",
        "http://127.0.0.1:8080/control/", "http://127.0.0.1:8080/rider/", "http://127.0.0.1:45678/",
        "demo / blue-harbour-42", "+46700000001", "live as at 08:35, 91 %",
        "127.0.0.1:7700", "127.0.0.1:8081", "build/demo.a1b2c3/demo.json",
        "50, 49 connected", "available           32 ##", "on_trip              9",
        "non_operational      5", "removed              3", "elsewhere            0",
        "non_contactable      1", "missing              0", "reserved             0", "17 riders",
        "unlocking            1", "riding               7", "ending               2",
        "completed           41", "failed               3", "cancelled            1",
        "refused              4", "2310.50 SEK", "server          1.3 ms    9.8 ms",
        "vehicle         980 ms    1.70 s", "tap to ride     2.10 s    2.90 s", "61 MiB",
        "23.4/s in, 12.0/s out", "15.5/s", "31.2/s of 1.4 facts", "0.9 ms", "2.0 cuts/s",
        "rider-3 unlocked GBG-017 in 2.1 s", "GBG-004 battery low", "(c) OpenStreetMap contributors",
        "seed 4273177608", "Ctrl-C",
    };
    struct page p = show(figures(), 80, 24, false, false);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (!shows(&p, wanted[i])) fail_msg("the board does not show: %s", wanted[i]);
    }
}

static void test_without_colour_there_is_none(void **state)
{
    (void)state;
    assert_int_equal(show(figures(), 80, 24, false, true).escapes_of_colour, 0);
    assert_true(show(figures(), 80, 24, true, true).escapes_of_colour > 20);
}

static void test_streets_are_credited_and_straight_lines_said(void **state)
{
    (void)state;
    struct demo_figures *f = figures();
    struct page with = show(f, 80, 24, true, true);
    f->streets = false;
    struct page without = show(f, 80, 24, true, true);
    assert_true(shows(&with, "OpenStreetMap contributors") && !shows(&with, "straight"));
    assert_true(!shows(&without, "OpenStreetMap") && shows(&without, "straight lines"));
}

static void test_a_dead_server_is_told(void **state)
{
    (void)state;
    struct demo_figures *f = figures();
    f->up = false;
    struct page down = show(f, 80, 24, true, false);
    assert_true(shows(&down, "is down"));
    f->up = true;
    f->outages[0] = (struct demo_outage){.down_ms = 900, .how = "was killed"};
    f->outages[1] = (struct demo_outage){.down_ms = 430, .how = "was killed"};
    f->outage_count = 2;
    struct page back = show(f, 80, 24, true, false);
    assert_true(shows(&back, "killed x2, back in 0.4 s") && !shows(&back, "is down"));
}

static void test_the_latest_news_stand_at_the_bottom(void **state)
{
    (void)state;
    struct demo_figures *f = figures();
    for (int i = 0; i < 300; i++) demo_tell(f, DEMO_CALM, "news %d", i);
    struct page p = show(f, 80, 24, false, false);
    assert_true(strstr(p.cells[22], "news 299") && strstr(p.cells[21], "news 298"));
    assert_true(strstr(p.cells[20], "news 297"));
    assert_null(demo_latest(f, DEMO_NEWS_MAX));
    assert_string_equal(demo_latest(f, DEMO_NEWS_MAX - 1)->text, "news 236");
}

static void test_a_tall_terminal_shows_more_news(void **state)
{
    (void)state;
    struct demo_figures *f = figures();
    for (int i = 0; i < 60; i++) demo_tell(f, DEMO_CALM, "news %d", i);
    struct page low = show(f, 80, 24, false, false), tall = show(f, 120, 40, false, false);
    assert_true(!shows(&low, "news 50") && shows(&tall, "news 50"));
}

static void test_lines_say_it_in_one(void **state)
{
    (void)state;
    struct buf b = buf_on(text, sizeof text - 1);
    demo_board_line(figures(), &b);
    text[b.len] = 0;
    assert_string_equal((const char *)text,
                        "2m 31s  city 00:25:10  50 vehicles: 32 available 9 on_trip 5 non_operational"
                        " 3 removed 1 non_contactable  rides: 10 open 41 completed 3 failed 2310.50 SEK"
                        "  messages 23.4/s  requests 15.5/s  commits 31.2/s"
                        "  unlock p50 server 1.3 ms vehicle 980 ms\n");
}

static void test_hello_says_where_to_go_and_how_to_get_in(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        "http://127.0.0.1:8080/control/", "http://127.0.0.1:8080/rider/", "http://127.0.0.1:45678/",
        "as demo, password blue-harbour-42", "as +46700000001", "demo.json", "OpenStreetMap contributors, ODbL",
    };
    struct demo_figures *f = figures();
    struct buf b = buf_on(text, sizeof text - 1);
    demo_board_hello(f, &b);
    text[b.len] = 0;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (!strstr((char *)text, wanted[i])) fail_msg("hello does not say: %s", wanted[i]);
    }
    assert_null(strstr((char *)text, "counted from real trips"));
    f->staff_password[0] = f->rider_phone[0] = 0;
    f->measured_demand = true;
    buf_clear(&b);
    demo_board_hello(f, &b);
    text[b.len] = 0;
    assert_null(strstr((char *)text, "sign in"));
    assert_non_null(strstr((char *)text, "counted from real trips"));
}

static void test_goodbye_names_the_data_that_stay(void **state)
{
    (void)state;
    struct demo_figures *f = figures();
    for (int passing = 0; passing < 2; passing++) {
        f->passing = passing;
        struct buf b = buf_on(text, sizeof text - 1);
        demo_board_goodbye(f, &b);
        text[b.len] = 0;
        assert_non_null(strstr((char *)text, "41 rides completed, 3 failed"));
        assert_int_equal(!strstr((char *)text, "build/demo.a1b2c3\n"), passing);
    }
}

static void test_a_cut_off_district_is_seen(void **state)
{
    (void)state;
    struct demo_figures *f = figures();
    struct page whole = show(f, 80, 24, false, false);
    f->districts_cut = 1;
    f->without_network = 12;
    struct page cut = show(f, 80, 24, false, false);
    assert_true(!shows(&whole, "cut off") && shows(&cut, "50, 49 connected, 12 cut off"));
}

static void test_money_is_that_of_the_town(void **state)
{
    (void)state;
    struct demo_figures *f = figures();
    f->place = demo_place_find("montevideo");
    struct page p = show(f, 80, 24, false, false);
    assert_true(shows(&p, "2310.50 UYU") && shows(&p, "Montevideo"));
}

static void test_numbers_read_like_numbers(void **state)
{
    (void)state;
    static const struct { uint64_t us; const char *text; } times[] = {
        {0, "0.0 ms"}, {49, "0.0 ms"}, {50, "0.1 ms"}, {1340, "1.3 ms"}, {99940, "99.9 ms"},
        {100000, "100 ms"}, {999999, "999 ms"}, {1000000, "1.00 s"}, {1234567, "1.23 s"}
    };
    static const struct { int64_t ms; const char *text; } spans[] = {
        {-5, "0s"}, {999, "0s"}, {59999, "59s"}, {60000, "1m 0s"}, {3599000, "59m 59s"},
        {3600000, "1h 0m 0s"}, {90061000, "25h 1m 1s"},
    };
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct buf b = buf_on(text, sizeof text);
        demo_put_us(&b, times[i].us);
        assert_true(bytes_equal_text(buf_bytes(&b), times[i].text));
    }
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        struct buf b = buf_on(text, sizeof text);
        demo_put_took(&b, spans[i].ms);
        assert_true(bytes_equal_text(buf_bytes(&b), spans[i].text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_ever_wider_or_higher_than_the_terminal),
        cmocka_unit_test(test_eighty_by_twenty_four_shows_all_figures),
        cmocka_unit_test(test_without_colour_there_is_none),
        cmocka_unit_test(test_streets_are_credited_and_straight_lines_said),
        cmocka_unit_test(test_a_dead_server_is_told),
        cmocka_unit_test(test_the_latest_news_stand_at_the_bottom),
        cmocka_unit_test(test_a_tall_terminal_shows_more_news),
        cmocka_unit_test(test_lines_say_it_in_one),
        cmocka_unit_test(test_hello_says_where_to_go_and_how_to_get_in),
        cmocka_unit_test(test_goodbye_names_the_data_that_stay),
        cmocka_unit_test(test_a_cut_off_district_is_seen),
        cmocka_unit_test(test_money_is_that_of_the_town),
        cmocka_unit_test(test_numbers_read_like_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
