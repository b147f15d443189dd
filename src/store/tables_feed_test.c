/* SPDX-License-Identifier: Apache-2.0 */
/* The feed gives every event once, in order, whatever the pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/tables.h"

#define EVENTS 4500u

static struct event all[EVENTS];
static char folder[64], path[96];

/* Three events a fact; every tenth fact tells of a ride in city 2, all others of a vehicle in city 1. */
static struct tables full_tables(void)
{
    struct tables t;
    memcpy(folder, "/tmp/paddock-feed-XXXXXX", sizeof "/tmp/paddock-feed-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/tables.db", folder);
    assert_int_equal(tables_open(&t, path, &(struct tables_options){.exclusive = true}).code, ERR_OK);
    for (unsigned i = 0; i < EVENTS; i++) {
        bool ride = i / 3 % 10 == 0;
        all[i] = (struct event){.seq = 100 + i / 3, .part = i % 3, .at_ms = 1, .city_id = ride ? 2 : 1,
                                .kind = ride ? EVENT_RIDE_STATE : EVENT_VEHICLE_STATE};
    }
    struct table_cut cut = {.seq = 5000, .events = all, .event_count = EVENTS};
    assert_int_equal(tables_write_cut(&t, &cut).code, ERR_OK);
    return t;
}

static void close_tables(struct tables *t)
{
    tables_close(t);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

struct seen { unsigned count; struct event last; };

static struct err see(void *ctx, const struct event *event)
{
    struct seen *s = ctx;
    bool rising = event->seq > s->last.seq || (event->seq == s->last.seq && event->part > s->last.part);
    assert_true(rising || !s->count);
    s->last = *event;
    s->count++;
    return NO_ERR;
}

static unsigned read_all(struct tables *t, struct feed_query q, unsigned *pages)
{
    struct seen seen = {0};
    struct feed_place next;
    *pages = 0;
    do {
        assert_int_equal(tables_feed(t, &q, see, &seen, &next).code, ERR_OK);
        assert_int_equal(next.as_of_seq, 5000);
        assert_true(next.seq > q.after_seq || (next.seq == q.after_seq && next.part > q.after_part));
        q.after_seq = next.seq;
        q.after_part = next.part;
        ++*pages;
    } while (next.more);
    assert_int_equal(q.after_seq, all[EVENTS - 1].seq); /* also past the last that was not wanted */
    assert_int_equal(q.after_part, all[EVENTS - 1].part);
    return seen.count;
}

static void test_pages_of_any_size_give_everything_once_and_in_order(void **state)
{
    (void)state;
    struct tables t = full_tables();
    static const unsigned limits[] = {1, 7, 50, 1000};
    unsigned pages;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        assert_int_equal(read_all(&t, (struct feed_query){.limit = limits[i]}, &pages), EVENTS);
        assert_int_equal(pages, (EVENTS + limits[i] - 1) / limits[i]);
    }
    close_tables(&t);
}

static void test_what_is_not_wanted_costs_bounded_work_and_moves_the_cursor(void **state)
{
    (void)state;
    struct tables t = full_tables();
    unsigned pages;
    assert_int_equal(read_all(&t, (struct feed_query){.limit = 1000, .kinds = 1ull << EVENT_RIDE_STATE}, &pages), EVENTS / 10);
    assert_int_equal(pages, (EVENTS + TABLES_FEED_SCAN_MAX - 1) / TABLES_FEED_SCAN_MAX);
    assert_int_equal(read_all(&t, (struct feed_query){.limit = 1000, .city_id = 2}, &pages), EVENTS / 10);
    assert_int_equal(read_all(&t, (struct feed_query){.limit = 1000, .kinds = 1ull << EVENT_ALARM}, &pages), 0);
    close_tables(&t);
}

static void test_at_the_end_the_cursor_stays_and_a_wrong_limit_is_refused(void **state)
{
    (void)state;
    struct tables t = full_tables();
    struct seen seen = {0};
    struct feed_place next;
    struct feed_query q = {.after_seq = 9000, .after_part = 4, .limit = 5};
    assert_int_equal(tables_feed(&t, &q, see, &seen, &next).code, ERR_OK);
    assert_true(!seen.count && !next.more && next.seq == 9000 && next.part == 4);
    q.limit = 0;
    assert_int_equal(tables_feed(&t, &q, see, &seen, &next).code, ERR_INVALID);
    q.limit = TABLES_LIST_MAX + 1;
    assert_int_equal(tables_feed(&t, &q, see, &seen, &next).code, ERR_INVALID);
    close_tables(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages_of_any_size_give_everything_once_and_in_order),
        cmocka_unit_test(test_what_is_not_wanted_costs_bounded_work_and_moves_the_cursor),
        cmocka_unit_test(test_at_the_end_the_cursor_stays_and_a_wrong_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
