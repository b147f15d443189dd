/* SPDX-License-Identifier: Apache-2.0 */
/* desk_test.c: reads of the tables, by the worker's thread and in line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <semaphore.h>

#include "api/desk.h"

static char folder[64], path[96];
static struct tables writer;
static sem_t results; /* one up for each result of the worker */

static struct ride ride_of(uint64_t id, uint64_t rider_id)
{
    struct ride r = {.id = id, .rider_id = rider_id, .state = RIDE_SETTLED};
    memset(r.uuid.at, (int)id, 16);
    return r;
}

static void write_all(void)
{
    struct city city = {.id = 2};
    struct vehicle vehicle = {.id = 3, .city_id = 2, .device_id = 5, .state = VEHICLE_AVAILABLE};
    struct vehicle bare = {.id = 4, .state = VEHICLE_REMOVED};
    struct device device = {.id = 5, .protocol = 1, .vehicle_id = 3};
    struct public_code code = {.id = 6, .vehicle_id = 3};
    struct ride rides[3] = {ride_of(10, 100), ride_of(11, 101), ride_of(12, 100)};
    struct event event = {.seq = 40, .part = 1, .kind = EVENT_ALARM, .vehicle_id = 3, .ride_id = 10};
    text_clip(&city.code, bytes_text("gbg"));
    text_clip(&vehicle.code, bytes_text("SE-0042"));
    text_clip(&bare.code, bytes_text("SE-0043"));
    text_clip(&code.code, bytes_text("OLD-7"));
    struct table_change rows[] = {
        {.kind = ROW_CITY, .row = &city},        {.kind = ROW_VEHICLE, .row = &vehicle},
        {.kind = ROW_VEHICLE, .row = &bare},     {.kind = ROW_DEVICE, .row = &device},
        {.kind = ROW_PUBLIC_CODE, .row = &code}, {.kind = ROW_RIDE, .row = &rides[0]},
        {.kind = ROW_RIDE, .row = &rides[1]},    {.kind = ROW_RIDE, .row = &rides[2]},
    };
    struct table_cut cut = {.seq = 50, .rows = rows, .row_count = sizeof rows / sizeof *rows, .events = &event,
                            .event_count = 1};
    assert_int_equal(tables_write_cut(&writer, &cut).code, ERR_OK);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/paddock-desk-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/tables.db", folder);
    assert_int_equal(sem_init(&results, 0, 0), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {"tables.db", "tables.db-wal", "tables.db-shm"};
    tables_close(&writer);
    sem_destroy(&results);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s/%s", folder, names[i]);
        unlink(name);
    }
    return rmdir(folder);
}

static void open_writer(void)
{
    assert_int_equal(tables_open(&writer, path, &(struct tables_options){0}).code, ERR_OK);
    write_all();
}

static void wake(void *ctx) { sem_post(ctx); }

static struct desk *open_desk(bool inline_jobs)
{
    struct desk *d;
    struct desk_options options = {.path = path, .inline_jobs = inline_jobs, .wake = wake, .wake_ctx = &results};
    assert_int_equal(desk_create(&options, &d).code, ERR_OK);
    return d;
}

static struct desk_result *result_of(struct desk *d, bool inline_jobs, struct desk_job job)
{
    assert_int_equal(desk_submit(d, &job).code, ERR_OK);
    if (!inline_jobs) assert_int_equal(sem_wait(&results), 0);
    struct desk_result *r = desk_next(d);
    assert_non_null(r);
    assert_int_equal(r->ticket, job.ticket);
    return r;
}

static bool body_has(const struct desk_result *r, const char *part)
{
    return r->body && memmem(r->body, r->body_len, part, strlen(part));
}

static void read_everything(bool inline_jobs)
{
    struct desk *d = open_desk(inline_jobs);
    struct desk_job job = {.kind = DESK_VEHICLES, .sight = SIGHT_STAFF, .ticket = 1, .limit = 10};
    struct desk_result *r = result_of(d, inline_jobs, job);
    assert_int_equal(r->err.code, ERR_OK);
    assert_true(body_has(r, "{\"vehicles\":[{\"id\":null,\"code\":\"SE-0042\""));
    assert_true(body_has(r, "\"device\":{\"protocol\":\"omni\""));
    assert_true(body_has(r, "\"code\":\"SE-0043\"") && body_has(r, "\"device\":null"));
    assert_true(body_has(r, "],\"next\":null,\"as_of_seq\":50}"));
    desk_release(d);
    job.state = VEHICLE_AVAILABLE;
    text_clip(&job.city, bytes_text("gbg"));
    job.limit = 1;
    r = result_of(d, inline_jobs, job);
    assert_true(body_has(r, "SE-0042") && !body_has(r, "SE-0043") && body_has(r, "\"next\":\"3\""));
    desk_release(d);
    job.after = 3;
    r = result_of(d, inline_jobs, job);
    assert_true(body_has(r, "{\"vehicles\":[],\"next\":null"));
    desk_release(d);
    text_clip(&job.city, bytes_text("nowhere"));
    r = result_of(d, inline_jobs, job);
    assert_int_equal(r->err.code, ERR_CITY_UNKNOWN);
    desk_release(d);
    job = (struct desk_job){.kind = DESK_RIDES, .sight = SIGHT_RIDER, .rider_id = 100, .limit = 1};
    r = result_of(d, inline_jobs, job);
    assert_true(body_has(r, "0c0c0c0c-") && !body_has(r, "0b0b0b0b-") && body_has(r, "\"next\":\"12\"")); /* newest */
    desk_release(d);
    job = (struct desk_job){.kind = DESK_VEHICLE_TIMELINE, .sight = SIGHT_STAFF, .ticket = 9, .limit = 1};
    text_clip(&job.code, bytes_text("OLD-7"));
    r = result_of(d, inline_jobs, job);
    assert_true(body_has(r, "{\"events\":[{\"seq\":40,\"part\":1,") && body_has(r, "\"next\":\"40.1\""));
    desk_release(d);
    job.kind = DESK_VEHICLE;
    r = result_of(d, inline_jobs, job);
    assert_int_equal(r->vehicle.id, 3);
    assert_int_equal(r->device.id, 5);
    desk_release(d);
    struct ride ride = ride_of(11, 0);
    r = result_of(d, inline_jobs, (struct desk_job){.kind = DESK_RIDE, .uuid = ride.uuid});
    assert_int_equal(r->ride.rider_id, 101);
    desk_release(d);
    r = result_of(d, inline_jobs, (struct desk_job){.kind = DESK_COMMAND, .uuid = ride.uuid});
    assert_int_equal(r->err.code, ERR_NOT_FOUND);
    desk_release(d);
    r = result_of(d, inline_jobs, (struct desk_job){.kind = DESK_QUARANTINE, .limit = 5, .min_seq = 51});
    assert_true(r->behind && !r->body);
    desk_release(d);
    r = result_of(d, inline_jobs, (struct desk_job){.kind = DESK_QUARANTINE, .limit = 5, .min_seq = 50});
    assert_true(!r->behind && body_has(r, "{\"devices\":[]"));
    desk_destroy(d); /* with a result still in it */
}

static void test_the_worker_reads_everything(void **state)
{
    (void)state;
    open_writer();
    read_everything(false);
}

static void test_in_line_reads_the_same(void **state)
{
    (void)state;
    open_writer();
    read_everything(true);
}

/* Three vehicles of a type: A-1 with 15 % heard at 1000, a-2 without a charge heard at 2000, A_3 damaged and never heard;
 * and two without a type: B-1 has no device. */
static void write_street(void)
{
    struct vehicle_type type = {.id = 60};
    struct vehicle v[4] = {{.id = 61, .type_id = 60, .device_id = 71, .state = VEHICLE_AVAILABLE},
                           {.id = 62, .type_id = 60, .device_id = 72, .state = VEHICLE_AVAILABLE},
                           {.id = 63, .type_id = 60, .device_id = 73, .damage = DAMAGE_BRAKES},
                           {.id = 64, .state = VEHICLE_AVAILABLE}};
    struct device d[3] = {{.id = 71, .battery_pct = 15, .has_battery = true, .seen_ms = 1000},
                          {.id = 72, .seen_ms = 2000}, {.id = 73, .battery_pct = 90, .has_battery = true}};
    struct public_code c[5] = {{.id = 81, .vehicle_id = 61}, {.id = 82, .vehicle_id = 62}, {.id = 83, .vehicle_id = 63},
                               {.id = 84, .vehicle_id = 64}, {.id = 85, .vehicle_id = 64}};
    static const char *const codes[] = {"A-1", "a-2", "A_3", "B-1", "b-1b"};
    struct table_change rows[13] = {{.kind = ROW_VEHICLE_TYPE, .row = &type}};
    size_t n = 1;
    text_clip(&type.code, bytes_text("scooter"));
    for (unsigned i = 0; i < 4; i++) {
        text_clip(&v[i].code, bytes_text(codes[i]));
        rows[n++] = (struct table_change){.kind = ROW_VEHICLE, .row = &v[i]};
    }
    for (unsigned i = 0; i < 3; i++) rows[n++] = (struct table_change){.kind = ROW_DEVICE, .row = &d[i]};
    for (unsigned i = 0; i < 5; i++) {
        text_clip(&c[i].code, bytes_text(codes[i]));
        rows[n++] = (struct table_change){.kind = ROW_PUBLIC_CODE, .row = &c[i]};
    }
    struct table_cut cut = {.seq = 60, .rows = rows, .row_count = n};
    assert_int_equal(tables_write_cut(&writer, &cut).code, ERR_OK);
}

/* The codes that a list has, in its order: "A-1 a-2". */
static const char *listed(struct desk *d, struct desk_job job)
{
    static char out[256];
    struct desk_result *r;
    out[0] = 0;
    job.kind = DESK_VEHICLES;
    job.sight = SIGHT_STAFF;
    if (!job.limit) job.limit = 10;
    r = result_of(d, true, job);
    if (r->err.code) snprintf(out, sizeof out, "%s", err_name(r->err.code));
    const char *at = (const char *)r->body, *end = at ? at + r->body_len : NULL;
    while (at && (at = memmem(at, (size_t)(end - at), "\"code\":\"", 8))) {
        size_t len = strlen(out);
        at += 8;
        size_t code_len = bytes_find(bytes_of(at, (size_t)(end - at)), '"');
        snprintf(out + len, sizeof out - len, "%s%.*s", len ? " " : "", (int)code_len, at);
    }
    desk_release(d);
    return out;
}

static struct text16 text16_of(const char *text)
{
    struct text16 t;
    text_clip(&t, bytes_text(text));
    return t;
}

static void test_vehicles_are_filtered_by_what_their_devices_and_codes_say(void **state)
{
    (void)state;
    open_writer();
    write_street();
    struct desk *d = open_desk(true);
    struct desk_job type = {.limit = 10}, none = {.limit = 10};
    text_clip(&type.vehicle_type, bytes_text("scooter"));
    text_clip(&none.vehicle_type, bytes_text("boat"));
    assert_string_equal(listed(d, type), "A-1 a-2 A_3");
    assert_string_equal(listed(d, none), "vehicle_type_unknown");
    assert_string_equal(listed(d, (struct desk_job){.by_battery = true, .battery_max_pct = 15}), "A-1");
    assert_string_equal(listed(d, (struct desk_job){.by_battery = true, .battery_max_pct = 14}), "");
    assert_string_equal(listed(d, (struct desk_job){.by_battery = true, .battery_max_pct = 100}), "A-1 A_3");
    type.heard_before_ms = 1000;
    assert_string_equal(listed(d, type), "A-1 A_3");
    type.heard_before_ms = 999;
    assert_string_equal(listed(d, type), "A_3"); /* never heard at all */
    type.heard_before_ms = 2000;
    type.state = VEHICLE_AVAILABLE;
    type.by_battery = true;
    type.battery_max_pct = 20;
    type.prefix = text16_of("a");
    type.damaged = DAMAGED_NO;
    assert_string_equal(listed(d, type), "A-1"); /* all of them at once */
    assert_string_equal(listed(d, (struct desk_job){.damaged = DAMAGED_YES}), "A_3");
    assert_string_equal(listed(d, (struct desk_job){.damaged = DAMAGED_NO}), "SE-0042 SE-0043 A-1 a-2 B-1");
    assert_string_equal(listed(d, (struct desk_job){.prefix = text16_of("A-")}), "A-1 a-2"); /* A_3 does not */
    assert_string_equal(listed(d, (struct desk_job){.prefix = text16_of("b-1")}), "B-1");    /* once, by two codes */
    assert_string_equal(listed(d, (struct desk_job){.prefix = text16_of("_")}), "");
    assert_string_equal(listed(d, (struct desk_job){.prefix = text16_of("old")}), "SE-0042"); /* by an older code */
    desk_destroy(d);
}

static void test_pages_of_filtered_vehicles_are_whole(void **state)
{
    (void)state;
    open_writer();
    write_street();
    struct desk *d = open_desk(true);
    struct desk_job job = {.by_battery = true, .battery_max_pct = 100, .limit = 1};
    assert_string_equal(listed(d, job), "A-1");
    job.after = 61;
    assert_string_equal(listed(d, job), "A_3"); /* a page is full of what fits, not of what was looked at */
    job.after = 63;
    assert_string_equal(listed(d, job), "");
    desk_destroy(d);
}

static void test_tables_may_come_later(void **state)
{
    (void)state;
    struct desk *d = open_desk(false);
    struct desk_job job = {.kind = DESK_RIDES, .limit = 5};
    struct desk_result *r = result_of(d, false, job);
    assert_true(!r->err.code && body_has(r, "{\"rides\":[],\"next\":null,\"as_of_seq\":0}"));
    desk_release(d);
    job.min_seq = 1;
    r = result_of(d, false, job);
    assert_true(r->behind);
    desk_release(d);
    open_writer();
    r = result_of(d, false, job);
    assert_true(!r->behind && body_has(r, "0a0a0a0a-"));
    desk_release(d);
    desk_destroy(d);
}

static void test_jobs_under_way_are_bounded(void **state)
{
    (void)state;
    struct desk *d = open_desk(true);
    struct desk_job job = {.kind = DESK_RIDES, .limit = 5};
    for (unsigned i = 0; i < DESK_JOBS; i++) assert_int_equal(desk_submit(d, &job).code, ERR_OK);
    assert_int_equal(desk_submit(d, &job).code, ERR_FULL);
    assert_non_null(desk_next(d));
    desk_release(d);
    assert_int_equal(desk_submit(d, &job).code, ERR_OK);
    desk_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_worker_reads_everything, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_in_line_reads_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_vehicles_are_filtered_by_what_their_devices_and_codes_say, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pages_of_filtered_vehicles_are_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tables_may_come_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_jobs_under_way_are_bounded, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
