/* SPDX-License-Identifier: Apache-2.0 */
/* The tables keep what they are given, whole cuts only, and say where it is damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store/tables_copy.h"

static char folder[64], path[96];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/paddock-tables-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/tables.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"tables.db", "tables.db-wal", "tables.db-shm", "copy.db"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s/%s", folder, names[i]);
        unlink(name);
    }
    return rmdir(folder);
}

static struct tables open_or_fail(const struct tables_options *o)
{
    struct tables t;
    struct err e = tables_open(&t, path, o);
    if (e.code) fail_msg("%s: %s", e.why, t.text);
    return t;
}

static void sql(const char *text)
{
    sqlite3 *db;
    char *why = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &why)) fail_msg("%s: %s", text, why);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void write_cut(struct tables *t, const struct table_cut *cut)
{
    struct err e = tables_write_cut(t, cut);
    if (e.code) fail_msg("%s: %s", e.why, t->text);
}

enum extreme { LOWEST, HIGHEST, EXTREMES };

static void set_text(const struct field *f, uint8_t *at, enum extreme x)
{
    size_t room = f->type == FIELD_TEXT4 ? 3 : f->type == FIELD_TEXT16 ? 15 : f->type == FIELD_TEXT32 ? 31 : 64;
    memset(at, 0, 1 + room);
    if (x == LOWEST) return;
    at[0] = (uint8_t)room;
    /* Quotes, a NUL in the middle and bytes that are not UTF-8: whatever it was, it comes back. */
    for (size_t i = 0; i < room; i++) at[1 + i] = (uint8_t)("'\"\0\xff;-"[i % 6]);
}

/* Every field at the end of its range; the first keeps `id`. */
static void fill(const struct shape *shape, uint8_t *row, enum extreme x, int64_t id)
{
    memset(row, 0, shape->size);
    for (unsigned i = 0; i < shape->count; i++) {
        const struct field *f = &shape->fields[i];
        uint8_t *at = row + f->offset;
        bool high = x == HIGHEST;
        switch (f->type) {
        case FIELD_U8: field_set_number(f, row, high ? UINT8_MAX : 0); break;
        case FIELD_U16: field_set_number(f, row, high ? UINT16_MAX : 0); break;
        case FIELD_U32: field_set_number(f, row, high ? UINT32_MAX : 0); break;
        case FIELD_U64: field_set_number(f, row, high ? -1 : 0); break;
        case FIELD_I32:
        case FIELD_E7: field_set_number(f, row, high ? INT32_MAX : INT32_MIN); break;
        case FIELD_I64:
        case FIELD_TIME: field_set_number(f, row, high ? INT64_MAX : INT64_MIN); break;
        case FIELD_BOOL: field_set_number(f, row, high); break;
        case FIELD_ENUM: field_set_number(f, row, high ? f->names->count - 1 : 0); break;
        case FIELD_UUID: memset(at, high ? 0xff : 0, 16); break;
        default: set_text(f, at, x);
        }
    }
    field_set_number(&shape->fields[0], row, id);
}

static void test_every_row_kind_comes_back_at_the_ends_of_its_ranges(void **state)
{
    (void)state;
    struct tables t = open_or_fail(&(struct tables_options){0});
    _Alignas(16) uint8_t want[ROW_N][EXTREMES][ROW_SIZE_MAX], got[ROW_SIZE_MAX];
    struct table_change changes[ROW_N * EXTREMES];
    for (int kind = 0; kind < ROW_N; kind++) {
        for (int x = 0; x < EXTREMES; x++) {
            fill(&row_shapes[kind], want[kind][x], (enum extreme)x, x + 1);
            changes[kind * EXTREMES + x] = (struct table_change){(uint8_t)kind, false, want[kind][x]};
        }
    }
    write_cut(&t, &(struct table_cut){.seq = 7, .rows = changes, .row_count = ROW_N * EXTREMES});
    /* Again: an upsert replaces. */
    write_cut(&t, &(struct table_cut){.seq = 8, .rows = changes, .row_count = ROW_N * EXTREMES});
    tables_close(&t);

    struct tables r = open_or_fail(&(struct tables_options){.read_only = true});
    assert_int_equal(r.seq, 8);
    for (int kind = 0; kind < ROW_N; kind++) {
        for (int x = 0; x < EXTREMES; x++) {
            struct err e = tables_row(&r, (enum row_kind)kind, (uint64_t)x + 1, got);
            if (e.code) fail_msg("%s: %s", row_tables[kind], r.text);
            assert_memory_equal(got, want[kind][x], row_shapes[kind].size);
        }
    }
    tables_close(&r);
}

static struct event last_event;
static unsigned events_seen;
static struct err keep_event(void *ctx, const struct event *event)
{
    (void)ctx;
    last_event = *event;
    events_seen++;
    return NO_ERR;
}

static void test_events_come_back_newest_first_from_a_cursor(void **state)
{
    (void)state;
    struct tables t = open_or_fail(&(struct tables_options){0});
    struct event events[12];
    memset(events, 0, sizeof events);
    fill(&event_shape, (uint8_t *)&events[0], HIGHEST, 1);
    for (unsigned i = 0; i < 12; i++) {
        events[i] = events[0];
        events[i].seq = 1 + i / 3;
        events[i].part = i % 3;
        events[i].vehicle_id = i % 2 ? 5 : 6;
        events[i].ride_id = i < 6 ? 9 : 0;
    }
    write_cut(&t, &(struct table_cut){.seq = 4, .events = events, .event_count = 12});
    uint64_t seq;
    struct timeline_query q = {.of = TIMELINE_VEHICLE, .id = 5, .limit = 1};
    events_seen = 0;
    assert_int_equal(tables_timeline(&t, &q, keep_event, NULL, &seq).code, ERR_OK);
    assert_int_equal(seq, 4);
    assert_int_equal(events_seen, 1);
    assert_memory_equal(&last_event, &events[11], sizeof last_event);
    q.before_seq = last_event.seq;
    q.before_part = last_event.part;
    q.limit = 2;
    assert_int_equal(tables_timeline(&t, &q, keep_event, NULL, &seq).code, ERR_OK);
    assert_memory_equal(&last_event, &events[7], sizeof last_event); /* 9, of the same fact as 11, then 7 */
    events_seen = 0;
    q = (struct timeline_query){.of = TIMELINE_RIDE, .id = 9, .limit = 100};
    assert_int_equal(tables_timeline(&t, &q, keep_event, NULL, &seq).code, ERR_OK);
    assert_int_equal(events_seen, 6);
    q.limit = TABLES_LIST_MAX + 1;
    assert_int_equal(tables_timeline(&t, &q, keep_event, NULL, &seq).code, ERR_INVALID);
    tables_close(&t);
}

static uint64_t ids[16];
static unsigned id_count;
static struct err keep_id(void *ctx, enum row_kind kind, const void *row)
{
    (void)ctx;
    ids[id_count++] = (uint64_t)field_number(&row_shapes[kind].fields[0], row);
    return NO_ERR;
}

static void test_lists_filter_page_and_name_their_cut(void **state)
{
    (void)state;
    struct tables t = open_or_fail(&(struct tables_options){0});
    struct ride rides[10];
    struct table_change changes[10];
    memset(rides, 0, sizeof rides);
    for (unsigned i = 0; i < 10; i++) {
        rides[i].id = i + 1;
        rides[i].state = i % 2 ? RIDE_RIDING : RIDE_SETTLED;
        rides[i].rider_id = 77;
        rides[i].uuid.at[3] = (uint8_t)(i + 1);
        changes[i] = (struct table_change){ROW_RIDE, false, &rides[i]};
    }
    write_cut(&t, &(struct table_cut){.seq = 3, .rows = changes, .row_count = 10});
    uint64_t seq;
    struct tables_query q = {.kind = ROW_RIDE, .limit = 3, .newest_first = true, .filter_count = 2,
                             .filters = {{.field = 3, .number = RIDE_RIDING}, {.field = 4, .number = 77}}};
    id_count = 0;
    assert_int_equal(tables_list(&t, &q, keep_id, NULL, &seq).code, ERR_OK);
    assert_int_equal(seq, 3);
    assert_int_equal(id_count, 3);
    assert_int_equal(ids[0], 10);
    assert_int_equal(ids[2], 6);
    q.after_id = 6;
    id_count = 0;
    assert_int_equal(tables_list(&t, &q, keep_id, NULL, &seq).code, ERR_OK);
    assert_int_equal(id_count, 2);
    assert_int_equal(ids[1], 2);
    struct ride ride;
    assert_int_equal(tables_row_by_uuid(&t, ROW_RIDE, rides[4].uuid, &ride).code, ERR_OK);
    assert_memory_equal(&ride, &rides[4], sizeof ride);
    assert_int_equal(tables_row_by_uuid(&t, ROW_RIDE, (struct uuid){{9}}, &ride).code, ERR_NOT_FOUND);
    assert_int_equal(tables_row_by_code(&t, ROW_RIDE, bytes_text("A"), &ride).code, ERR_INVALID);
    q.filters[0].number = 4000;
    assert_int_equal(tables_list(&t, &q, keep_id, NULL, &seq).code, ERR_INVALID);
    tables_close(&t);
}

static void test_gone_rows_are_deleted(void **state)
{
    (void)state;
    struct tables t = open_or_fail(&(struct tables_options){0});
    struct answer answer = {.id = 3, .code = 9};
    struct table_change change = {ROW_ANSWER, false, &answer};
    write_cut(&t, &(struct table_cut){.seq = 1, .rows = &change, .row_count = 1});
    change.gone = true;
    write_cut(&t, &(struct table_cut){.seq = 2, .rows = &change, .row_count = 1});
    assert_int_equal(tables_row(&t, ROW_ANSWER, 3, &answer).code, ERR_NOT_FOUND);
    tables_close(&t);
}

static void test_a_failed_cut_leaves_the_one_before_and_ends_the_tables(void **state)
{
    (void)state;
    struct tables t = open_or_fail(&(struct tables_options){0});
    struct rider rider = {.id = 1, .state = ACCOUNT_ACTIVE, .owed_minor = 10};
    struct table_change change = {ROW_RIDER, false, &rider};
    struct event twice[2] = {{.seq = 2, .kind = EVENT_ALARM}, {.seq = 2, .kind = EVENT_ALARM}};
    write_cut(&t, &(struct table_cut){.seq = 1, .rows = &change, .row_count = 1});
    rider.owed_minor = 20;
    struct table_cut bad = {.seq = 2, .rows = &change, .row_count = 1, .events = twice, .event_count = 2};
    assert_int_equal(tables_write_cut(&t, &bad).code, ERR_CORRUPT);
    assert_non_null(strstr(t.text, "event"));
    bad.event_count = 0;
    assert_int_equal(tables_write_cut(&t, &bad).code, ERR_CORRUPT);
    tables_close(&t);
    t = open_or_fail(&(struct tables_options){0});
    assert_int_equal(t.seq, 1);
    assert_int_equal(tables_row(&t, ROW_RIDER, 1, &rider).code, ERR_OK);
    assert_int_equal(rider.owed_minor, 10);
    tables_close(&t);
}

static void test_an_older_file_gains_columns_and_a_later_one_keeps_its_own(void **state)
{
    (void)state;
    struct tables t = open_or_fail(&(struct tables_options){0});
    struct vehicle v = {.id = 4, .state = VEHICLE_AVAILABLE, .command_id = 3};
    struct table_change change = {ROW_VEHICLE, false, &v};
    write_cut(&t, &(struct table_cut){.seq = 1, .rows = &change, .row_count = 1});
    tables_close(&t);
    sql("ALTER TABLE vehicles DROP COLUMN command_id; ALTER TABLE vehicles DROP COLUMN held_state;"
        "ALTER TABLE vehicles ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'; UPDATE vehicles SET colour = 'blue'");
    /* A reader that may not add them sees them empty. */
    struct vehicle got;
    t = open_or_fail(&(struct tables_options){.read_only = true});
    assert_int_equal(tables_row(&t, ROW_VEHICLE, 4, &got).code, ERR_OK);
    assert_int_equal(got.command_id, 0);
    tables_close(&t);
    t = open_or_fail(&(struct tables_options){0});
    write_cut(&t, &(struct table_cut){.seq = 2, .rows = &change, .row_count = 1});
    assert_int_equal(tables_row(&t, ROW_VEHICLE, 4, &got).code, ERR_OK);
    assert_memory_equal(&got, &v, sizeof v);
    tables_close(&t);
    sqlite3 *db;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT colour FROM vehicles", -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(st, 0), "blue");
    sqlite3_finalize(st);
    sqlite3_close(db);
}

static void test_impossible_values_are_named_with_their_place(void **state)
{
    (void)state;
    static const struct { const char *sql, *column; } damages[] = {
        {"UPDATE vehicles SET state = 'flying'", "state"},   {"UPDATE vehicles SET state = 3", "state"},
        {"UPDATE vehicles SET state_ms = 'x'", "state_ms"},  {"UPDATE vehicles SET state_ms = 1.5", "state_ms"},
        {"UPDATE vehicles SET uuid = 'no'", "uuid"},         {"UPDATE vehicles SET code = 'sixteen letters!'", "code"},
        {"UPDATE vehicles SET code = x'00'", "code"},
    };
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct tables t = open_or_fail(&(struct tables_options){0});
        struct vehicle v = {.id = 4, .state = VEHICLE_AVAILABLE}, got;
        struct table_change change = {ROW_VEHICLE, false, &v};
        write_cut(&t, &(struct table_cut){.seq = i + 1, .rows = &change, .row_count = 1});
        sql(damages[i].sql);
        assert_int_equal(tables_row(&t, ROW_VEHICLE, 4, &got).code, ERR_CORRUPT);
        char place[96];
        snprintf(place, sizeof place, "table vehicles, row 4, column %s:", damages[i].column);
        if (!strstr(t.text, place)) fail_msg("%s gave: %s", damages[i].sql, t.text);
        tables_close(&t);
    }
}

static void test_numbers_outside_their_field_are_damage(void **state)
{
    (void)state;
    static const char *const damages[] = {"stamp = 4294967296", "stamp = -1", "battery_pct = 256", "charging = 2",
                                          "lat_e7 = 2147483648", "iot_mV = 65536"};
    struct tables t = open_or_fail(&(struct tables_options){0});
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct device d = {.id = 4}, got;
        struct table_change change = {ROW_DEVICE, false, &d};
        write_cut(&t, &(struct table_cut){.seq = i + 1, .rows = &change, .row_count = 1});
        assert_int_equal(tables_row(&t, ROW_DEVICE, 4, &got).code, ERR_OK);
        char text[96];
        snprintf(text, sizeof text, "UPDATE devices SET %s", damages[i]);
        sql(text);
        assert_int_equal(tables_row(&t, ROW_DEVICE, 4, &got).code, ERR_CORRUPT);
    }
    tables_close(&t);
}

static void test_what_is_not_ours_is_refused(void **state)
{
    (void)state;
    struct tables t;
    assert_int_equal(tables_open(&t, path, &(struct tables_options){.read_only = true}).code, ERR_NOT_FOUND);
    sql("CREATE TABLE other (x)");
    assert_int_equal(tables_open(&t, path, &(struct tables_options){0}).code, ERR_CORRUPT);
    assert_int_equal(tables_open(&t, path, &(struct tables_options){.read_only = true}).code, ERR_CORRUPT);
    sql("DROP TABLE other");
    t = open_or_fail(&(struct tables_options){0});
    tables_close(&t);
    sql("UPDATE meta SET value = 99 WHERE key = 'format'");
    assert_int_equal(tables_open(&t, path, &(struct tables_options){0}).code, ERR_UNSUPPORTED);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < 4096; i++) fputc('x', f);
    fclose(f);
    assert_int_equal(tables_open(&t, path, &(struct tables_options){0}).code, ERR_CORRUPT);
}

static void test_a_reader_sees_cuts_while_they_are_written_and_cannot_write(void **state)
{
    (void)state;
    struct tables t = open_or_fail(&(struct tables_options){0});
    struct tables r = open_or_fail(&(struct tables_options){.read_only = true});
    uint64_t seq;
    for (uint64_t s = 1; s <= 3; s++) {
        write_cut(&t, &(struct table_cut){.seq = s});
        assert_int_equal(tables_seq(&r, &seq).code, ERR_OK);
        assert_int_equal(seq, s);
    }
    assert_int_not_equal(sqlite3_exec(r.db, "DELETE FROM meta", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(t.synced_seq, 0);
    write_cut(&t, &(struct table_cut){.seq = 4, .sync = true, .hashed = true, .state_hash = UINT64_MAX});
    assert_int_equal(t.synced_seq, 4);
    tables_close(&r);
    tables_close(&t);
    t = open_or_fail(&(struct tables_options){0});
    assert_true(t.hash_seq == 4 && t.state_hash == UINT64_MAX && t.synced_seq == 4);
    tables_close(&t);
}

static void test_a_copy_holds_the_cuts_written_meanwhile(void **state)
{
    (void)state;
    char to[96];
    snprintf(to, sizeof to, "%s/copy.db", folder);
    struct tables t = open_or_fail(&(struct tables_options){0});
    struct rider rider = {.id = 1, .state = ACCOUNT_ACTIVE};
    struct table_change change = {ROW_RIDER, false, &rider};
    write_cut(&t, &(struct table_cut){.seq = 1, .rows = &change, .row_count = 1});
    struct tables_copy c = {0};
    assert_int_equal(tables_copy_begin(&c, &t, to, NULL).code, ERR_OK);
    bool done;
    assert_int_equal(tables_copy_step(&c, 2, &done).code, ERR_OK);
    assert_false(done);
    rider.owed_minor = 5;
    write_cut(&t, &(struct table_cut){.seq = 2, .rows = &change, .row_count = 1});
    while (!done) assert_int_equal(tables_copy_step(&c, 2, &done).code, ERR_OK);
    assert_int_equal(c.seq, 2);
    tables_copy_end(&c);
    tables_close(&t);
    strcpy(path, to);
    t = open_or_fail(&(struct tables_options){.read_only = true, .immutable = true});
    assert_int_equal(t.seq, 2);
    assert_int_equal(tables_row(&t, ROW_RIDER, 1, &rider).code, ERR_OK);
    assert_int_equal(rider.owed_minor, 5);
    tables_close(&t);
}

static void test_old_and_surplus_bases_go_but_never_the_newest(void **state)
{
    (void)state;
    struct base bases[] = {{10, 100}, {20, 100}, {30, 100}, {40, 100}};
    assert_int_equal(bases_to_drop(bases, 4, &(struct bases_policy){0, 0}), 0);
    assert_int_equal(bases_to_drop(bases, 4, &(struct bases_policy){21, 0}), 1); /* fact 21 still follows base 20 */
    assert_int_equal(bases_to_drop(bases, 4, &(struct bases_policy){22, 0}), 2);
    assert_int_equal(bases_to_drop(bases, 4, &(struct bases_policy){999, 0}), 3);
    assert_int_equal(bases_to_drop(bases, 4, &(struct bases_policy){0, 250}), 2);
    assert_int_equal(bases_to_drop(bases, 4, &(struct bases_policy){0, 1}), 3);
    assert_int_equal(bases_to_drop(bases, 0, &(struct bases_policy){9, 1}), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_every_row_kind_comes_back_at_the_ends_of_its_ranges),
        TEST(test_events_come_back_newest_first_from_a_cursor),
        TEST(test_lists_filter_page_and_name_their_cut),
        TEST(test_gone_rows_are_deleted),
        TEST(test_a_failed_cut_leaves_the_one_before_and_ends_the_tables),
        TEST(test_an_older_file_gains_columns_and_a_later_one_keeps_its_own),
        TEST(test_impossible_values_are_named_with_their_place),
        TEST(test_numbers_outside_their_field_are_damage),
        TEST(test_what_is_not_ours_is_refused),
        TEST(test_a_reader_sees_cuts_while_they_are_written_and_cannot_write),
        TEST(test_a_copy_holds_the_cuts_written_meanwhile),
        TEST(test_old_and_surplus_bases_go_but_never_the_newest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
