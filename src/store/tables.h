/* SPDX-License-Identifier: Apache-2.0 */
/* tables.h: the engine's rows and events as SQL tables that people and programs may read at any time.
 *
 * What    a table per entity (row_tables), columns from its field table, `events`, and `meta` (key, value).
 *         Written in consistent cuts: every row changed up to seq S and S itself in one transaction.
 * Columns numbers INTEGER (u64 as the same 64 bits, signed), BOOL 0/1, ENUM its name, UUID 36 characters, texts
 *         TEXT; an enum value without a name and a zero UUID are NULL. operator_id stands first in every key.
 * Safety  WAL, synchronous=NORMAL: a power cut may take back the newest cuts, never half of one. A cut
 *         written with `sync` is on the disk with all before it: only up to there may the journal forget.
 * Ends    with the first failed write: every later call repeats the reason
 * Change  new columns are added on open; columns of a later build are left alone, and kept by upserts
 * Owner   the caller's memory; one connection, one thread. Readers open their own with read_only.
 * Left    INSERT OR REPLACE: it would clear columns that this build does not know */
#ifndef STORE_TABLES_H
#define STORE_TABLES_H

#include "engine/effect.h"
#include "engine/rows.h"

#define TABLES_FORMAT 1
#define TABLES_TEXT_MAX 320u
#define TABLES_LIST_MAX 1000u   /* rows of one answer */
#define TABLES_FILTERS_MAX 10u

struct sqlite3;
struct sqlite3_stmt;
struct engine;

struct tables_options {
    const char *vfs;      /* NULL: SQLite's own for this system */
    uint64_t operator_id; /* 0: 1 */
    uint64_t build;       /* of the writer, for the record */
    bool exclusive;       /* locking_mode=EXCLUSIVE: no shared memory, no other connection */
    bool read_only;       /* nothing is created or changed; query_only */
    bool immutable;       /* with read_only: on a medium that cannot be written; nobody else may write meanwhile */
};

struct tables {
    struct sqlite3 *db;
    struct sqlite3_stmt *upsert[ROW_N], *remove[ROW_N], *event, *meta;
    uint64_t operator_id, build;
    uint64_t seq, synced_seq;       /* last cut written; last cut known to be on the disk */
    uint64_t hash_seq, state_hash;  /* state hash of the engine at hash_seq; 0: never stored */
    uint64_t hash_build;            /* the build that counted it: another one may count other fields */
    bool read_only;
    struct err failed;
    char text[TABLES_TEXT_MAX];     /* the sentence for the last error: place and SQLite's own words */
};

/* One changed row; `gone` deletes it. */
struct table_change {
    uint8_t kind; /* enum row_kind */
    bool gone;
    const void *row;
};

struct table_cut {
    uint64_t seq; /* everything up to this fact */
    const struct table_change *rows;
    size_t row_count;
    const struct event *events;
    size_t event_count;
    bool sync;    /* on the disk when the call returns */
    bool hashed;  /* state_hash is the engine's at `seq` */
    uint64_t state_hash;
};

/* NOT_FOUND: read_only and no file. CORRUPT: not a database, or not ours. UNSUPPORTED: a later format. */
MUST_USE struct err tables_open(struct tables *t, const char *path, const struct tables_options *options);
/* Checkpoints what is open for writing. Fine on a half-opened or zero `t`; `text` stays readable. */
void tables_close(struct tables *t);

/* Every resident row through engine_load, then engine_loaded; *seq is the cut they are of. CORRUPT names
 * the place. */
MUST_USE struct err tables_load(struct tables *t, struct engine *engine, uint64_t *seq);
MUST_USE struct err tables_write_cut(struct tables *t, const struct table_cut *cut);

/* Reading; good on a connection of its own. `row` is a struct of the kind and borrowed until the callback
 * returns; an error of the callback ends the walk and comes back. */
typedef struct err tables_on_row(void *ctx, enum row_kind kind, const void *row);
typedef struct err tables_on_event(void *ctx, const struct event *event);

/* AT_MOST: a number. SET, of what may be NULL: number 1 has a value, 0 has none. BEGINS: a text, whatever its case. */
enum filter_how { FILTER_IS, FILTER_AT_MOST, FILTER_SET, FILTER_BEGINS };

struct tables_filter {
    uint16_t field;    /* its number in the shape */
    uint8_t how;       /* enum filter_how */
    uint8_t of;        /* enum row_kind whose field it is, linked to the one that is listed; 0: that one itself */
    int64_t number;    /* numbers, times, enums by value */
    struct bytes text; /* texts; UUIDs as their 16 bytes */
};

struct tables_query {
    enum row_kind kind;
    struct tables_filter filters[TABLES_FILTERS_MAX];
    unsigned filter_count;
    const uint64_t *city_ids; /* only rows of these cities (field city_id); NULL: of all */
    unsigned city_count;
    uint64_t after_id; /* cursor: the id of the last row seen; 0 = from the beginning */
    bool newest_first; /* falling ids, and the cursor runs that way */
    unsigned limit;    /* 1 to TABLES_LIST_MAX */
};

/* *as_of_seq: the cut that the whole answer is of. From inside a callback of another list: of the same cut,
 * and the number is left 0. */
MUST_USE struct err tables_list(struct tables *t, const struct tables_query *query, tables_on_row *on_row, void *ctx,
                                uint64_t *as_of_seq);
/* Into `row`, a struct of the kind. NOT_FOUND; INVALID for a kind without such a field. */
MUST_USE struct err tables_row(struct tables *t, enum row_kind kind, uint64_t id, void *row);
MUST_USE struct err tables_row_by_uuid(struct tables *t, enum row_kind kind, struct uuid uuid, void *row);
MUST_USE struct err tables_row_by_code(struct tables *t, enum row_kind kind, struct bytes code, void *row);

/* Events of a vehicle or a ride, newest first, older than (before_seq, before_part); 0, 0 = from the
 * newest. */
enum timeline_of { TIMELINE_VEHICLE, TIMELINE_RIDE };
struct timeline_query {
    enum timeline_of of;
    uint64_t id;
    uint64_t before_seq;
    uint32_t before_part;
    unsigned limit; /* 1 to TABLES_LIST_MAX */
};
MUST_USE struct err tables_timeline(struct tables *t, const struct timeline_query *query, tables_on_event *on_event,
                                    void *ctx, uint64_t *as_of_seq);
/* Events of everything, oldest first, after (after_seq, after_part). At most TABLES_FEED_SCAN_MAX are looked at, so a
 * page may be short, even empty, before the end: `more` says so. *next is the last one looked at, or what was given. */
#define TABLES_FEED_SCAN_MAX 2000u
struct feed_query {
    uint64_t after_seq;
    uint32_t after_part;
    uint64_t kinds;   /* 1 << each enum event_kind that is wanted; 0 = all */
    uint64_t city_id; /* only what concerns this city; 0 = all */
    const uint64_t *city_ids; /* only what concerns these; NULL: all */
    unsigned city_count;
    unsigned limit;   /* 1 to TABLES_LIST_MAX */
};
struct feed_place {
    uint64_t seq, as_of_seq;
    uint32_t part;
    bool more;
};
MUST_USE struct err tables_feed(struct tables *t, const struct feed_query *query, tables_on_event *on_event, void *ctx,
                                struct feed_place *next);
/* The cut that a reader sees now. */
MUST_USE struct err tables_seq(struct tables *t, uint64_t *seq);

#endif
