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
        cmocka_unit_test_setup_teardown(test_tables_may_come_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_jobs_under_way_are_bounded, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
