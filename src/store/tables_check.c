/* SPDX-License-Identifier: Apache-2.0 */
#include "store/tables_check.h"

#include <stdio.h>

#include "base/must.h"
#include "store/tables_sql.h"

#define PROGRESS_ROWS 65536u

/* A ride is open from the request to its end. */
#define OPEN "('requested', 'holding', 'unlocking', 'riding', 'paused', 'ending', 'ended')"
#define STARTED "('confirmed', 'inferred')"

/* Each finds what must not be: an id, and a number that says how bad. */
static const struct rule { const char *sql, *text; } rules[] = {
    {"SELECT ride_id, sum(amount_minor) FROM postings WHERE operator_id = ?1 GROUP BY ride_id, currency"
     " HAVING sum(amount_minor) <> 0",
     "the postings of ride %lld do not sum to zero but to %lld"},
    {"SELECT ride_id, count(*) FROM postings WHERE operator_id = ?1 AND rider_id <> 0 GROUP BY ride_id"
     " HAVING count(*) > 1",
     "ride %lld is charged %lld times"},
    {"SELECT r.id, r.charge_minor FROM rides r LEFT JOIN (SELECT ride_id, sum(amount_minor) AS posted FROM postings"
     " WHERE operator_id = ?1 AND rider_id <> 0 GROUP BY ride_id) p ON p.ride_id = r.id"
     " WHERE r.operator_id = ?1 AND r.charge_minor <> coalesce(p.posted, 0)",
     "ride %lld cost %lld, and that is not what was posted"},
    {"SELECT r.id, coalesce(p.posted, 0) FROM riders r LEFT JOIN (SELECT rider_id, sum(amount_minor) AS posted"
     " FROM postings WHERE operator_id = ?1 AND rider_id <> 0 GROUP BY rider_id) p ON p.rider_id = r.id"
     " WHERE r.operator_id = ?1 AND r.owed_minor <> coalesce(p.posted, 0)",
     "rider %lld does not owe the posted %lld"},
    {"SELECT p.ride_id, p.amount_minor FROM postings p LEFT JOIN rides r ON r.operator_id = ?1 AND r.id = p.ride_id"
     " WHERE p.operator_id = ?1 AND r.id IS NULL",
     "there is a posting for ride %lld of %lld, and no such ride"},
    {"SELECT id, charge_minor FROM rides WHERE operator_id = ?1 AND charge_minor <> 0"
     " AND (started_ms = 0 OR started_by NOT IN " STARTED ")",
     "ride %lld cost %lld without a vehicle's confirmation"},
    {"SELECT id, charge_minor FROM rides WHERE operator_id = ?1 AND charge_minor < 0", "ride %lld cost %lld"},
    {"SELECT vehicle_id, count(*) FROM rides WHERE operator_id = ?1 AND state IN " OPEN
     " GROUP BY vehicle_id HAVING count(*) > 1",
     "vehicle %lld has %lld open rides"},
    {"SELECT rider_id, count(*) FROM rides WHERE operator_id = ?1 AND state IN " OPEN
     " GROUP BY rider_id HAVING count(*) > 1",
     "rider %lld has %lld open rides"},
};

struct checking {
    struct tables *t;
    const struct tables_checker *checker;
    struct tables_figures *figures;
    uint64_t told; /* of the present rule */
};

static void tell(struct checking *c, const char *text)
{
    c->figures->problems++;
    if (c->told++ < TABLES_CHECK_PER_RULE_MAX) c->checker->problem(c->checker->ctx, text);
}

static void told_enough(struct checking *c)
{
    char text[80];
    if (c->told > TABLES_CHECK_PER_RULE_MAX) {
        unsigned long long more = c->told - TABLES_CHECK_PER_RULE_MAX;
        snprintf(text, sizeof text, "... and %llu more of that kind", more);
        c->checker->problem(c->checker->ctx, text);
    }
    c->told = 0;
}

static struct err check_file(struct checking *c)
{
    sqlite3_stmt *st = NULL;
    TRY(tables_prepare(c->t, "PRAGMA integrity_check", &st));
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        const char *words = (const char *)sqlite3_column_text(st, 0);
        char text[256];
        if (words && bytes_equal_text(bytes_text(words), "ok")) continue;
        snprintf(text, sizeof text, "SQLite: %.200s", words ? words : "no words");
        tell(c, text);
    }
    told_enough(c);
    sqlite3_finalize(st);
    if (rc == SQLITE_DONE) return NO_ERR;
    struct err e = tables_sql_err(c->t, rc, "integrity_check");
    if (e.code == ERR_CORRUPT) tell(c, c->t->text);
    return e.code == ERR_CORRUPT ? NO_ERR : e;
}

static struct err check_rows(struct checking *c, const char *table, const struct shape *shape, uint64_t *count)
{
    char memory[SQL_MAX];
    struct buf sql = buf_on(memory, sizeof memory);
    if (!tables_has_table(c->t, table)) return NO_ERR;
    buf_put_text(&sql, "SELECT ");
    sql_put_columns(c->t, table, shape, &sql);
    buf_put_text(&sql, " FROM ");
    sql_put_name(&sql, table);
    buf_put_text(&sql, " WHERE operator_id = ?");
    sqlite3_stmt *st = NULL;
    TRY(tables_prepare(c->t, sql_text(&sql), &st));
    int rc = sqlite3_bind_int64(st, 1, (int64_t)c->t->operator_id);
    _Alignas(16) uint8_t row[ROW_SIZE_MAX > sizeof(struct event) ? ROW_SIZE_MAX : sizeof(struct event)];
    while (!rc && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        rc = SQLITE_OK;
        if (row_read(c->t, st, 0, table, shape, row).code) tell(c, c->t->text);
        if (++*count % PROGRESS_ROWS == 0 && c->checker->progress) {
            c->checker->progress(c->checker->ctx, table, *count);
        }
    }
    told_enough(c);
    struct err e = rc == SQLITE_DONE ? NO_ERR : tables_sql_err(c->t, rc, table);
    sqlite3_finalize(st);
    if (e.code == ERR_CORRUPT) tell(c, c->t->text);
    return e.code == ERR_CORRUPT ? NO_ERR : e;
}

static struct err check_rule(struct checking *c, const struct rule *rule)
{
    sqlite3_stmt *st = NULL;
    TRY(tables_prepare(c->t, rule->sql, &st));
    int rc = sqlite3_bind_int64(st, 1, (int64_t)c->t->operator_id);
    while (!rc && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        char text[160];
        rc = SQLITE_OK;
        snprintf(text, sizeof text, rule->text, (long long)sqlite3_column_int64(st, 0),
                 (long long)sqlite3_column_int64(st, 1));
        tell(c, text);
    }
    told_enough(c);
    struct err e = rc == SQLITE_DONE ? NO_ERR : tables_sql_err(c->t, rc, rule->sql);
    sqlite3_finalize(st);
    return e;
}

static struct err check_all(struct checking *c)
{
    struct tables_figures *f = c->figures;
    TRY(check_file(c));
    for (int kind = 0; kind < ROW_N; kind++) {
        TRY(check_rows(c, row_tables[kind], &row_shapes[kind], &f->rows[kind]));
    }
    TRY(check_rows(c, "events", &event_shape, &f->events));
    /* Sums over values that are not numbers mean nothing: first the rows, then the books. */
    if (f->problems) return NO_ERR;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) TRY(check_rule(c, &rules[i]));
    int64_t charged = 0;
    TRY(tables_number(c->t, "SELECT count(*) FROM rides WHERE charge_minor <> 0", 0, &charged));
    f->rides_charged = (uint64_t)charged;
    return tables_number(c->t, "SELECT coalesce(sum(charge_minor), 0) FROM rides", 0, &f->charged_minor);
}

struct err tables_check(struct tables *t, const struct tables_checker *checker, struct tables_figures *figures)
{
    struct checking c = {t, checker, figures, 0};
    *figures = (struct tables_figures){0};
    TRY(tables_exec(t, "BEGIN"));
    struct err e = check_all(&c);
    struct err end = tables_exec(t, e.code ? "ROLLBACK" : "COMMIT");
    return e.code ? e : end;
}
