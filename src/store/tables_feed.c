/* SPDX-License-Identifier: Apache-2.0 */
/* tables_feed.c: the one event table read forward, for machines: the API's feed and webhooks. */
#include "base/must.h"
#include "store/tables_sql.h"

static bool wanted(const struct feed_query *q, const struct event *event)
{
    if (q->kinds && !(q->kinds >> event->kind & 1)) return false;
    if (q->city_id && event->city_id != q->city_id) return false;
    for (unsigned i = 0; q->city_ids && i < q->city_count; i++) {
        if (event->city_id == q->city_ids[i]) return true;
    }
    return !q->city_ids;
}

static struct err walk(struct tables *t, const struct feed_query *q, sqlite3_stmt *st, tables_on_event *on_event, void *ctx,
                       struct feed_place *next)
{
    unsigned looked = 0, given = 0;
    int rc = sqlite3_bind_int64(st, 1, (int64_t)t->operator_id);
    if (!rc) rc = sqlite3_bind_int64(st, 2, (int64_t)q->after_seq);
    if (!rc) rc = sqlite3_bind_int64(st, 3, q->after_part);
    if (!rc) rc = sqlite3_bind_int64(st, 4, TABLES_FEED_SCAN_MAX + 1);
    while (!rc && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct event event;
        rc = SQLITE_OK;
        next->more = looked++ == TABLES_FEED_SCAN_MAX || given == q->limit;
        if (next->more) return NO_ERR;
        TRY(row_read(t, st, 0, "events", &event_shape, &event));
        next->seq = event.seq;
        next->part = event.part;
        if (!wanted(q, &event)) continue;
        given++;
        TRY(on_event(ctx, &event));
    }
    return rc == SQLITE_DONE ? NO_ERR : tables_sql_err(t, rc, "events");
}

static struct err read_feed(struct tables *t, const struct feed_query *q, tables_on_event *on_event, void *ctx,
                            struct feed_place *next)
{
    char memory[SQL_MAX];
    struct buf sql = buf_on(memory, sizeof memory);
    buf_put_text(&sql, "SELECT ");
    sql_put_columns(t, "events", &event_shape, &sql);
    buf_put_text(&sql, " FROM events WHERE operator_id = ?1 AND (seq, part) > (?2, ?3) ORDER BY seq, part LIMIT ?4");
    sqlite3_stmt *st = NULL;
    TRY(tables_prepare(t, sql_text(&sql), &st));
    struct err e = walk(t, q, st, on_event, ctx, next);
    sqlite3_finalize(st);
    return e;
}

struct err tables_feed(struct tables *t, const struct feed_query *q, tables_on_event *on_event, void *ctx,
                       struct feed_place *next)
{
    *next = (struct feed_place){.seq = q->after_seq, .part = q->after_part};
    if (!q->limit || q->limit > TABLES_LIST_MAX) return ERR(INVALID, "a page has 1 to 1000 events");
    TRY(tables_exec(t, "BEGIN"));
    struct err e = tables_seq(t, &next->as_of_seq);
    if (!e.code) e = read_feed(t, q, on_event, ctx, next);
    if (!e.code) return tables_exec(t, "COMMIT");
    sqlite3_exec(t->db, "ROLLBACK", NULL, NULL, NULL);
    return e;
}
