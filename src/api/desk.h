/* SPDX-License-Identifier: Apache-2.0 */
/* desk.h: reads of the SQL tables off the loop: lists, timelines, and single rows that left the engine's memory.
 *
 *     api ──desk_submit──► job ring ─► worker thread: tables.db, read only ─► result ring ──desk_next──► api
 *
 * Inline  in the simulator there is no thread: desk_submit does the work, and may share the keeper's connection
 * Bodies  lists come as finished JSON, made where the rows are; single rows come as rows: the caller decides who sees
 * Limits  DESK_JOBS jobs at once, else FULL; DESK_BODY_MAX bytes of a body, a page ends before it
 * Thread  submit, next and release: the caller's; the worker meets it at two rings */
#ifndef API_DESK_H
#define API_DESK_H

#include "api/scope.h"
#include "engine/effect.h"
#include "store/tables.h"

#define DESK_JOBS 256u                  /* power of two */
#define DESK_BODY_MAX (1u << 20)

enum desk_job_kind {
    DESK_RIDE = 1,          /* by uuid */
    DESK_COMMAND,           /* by uuid */
    DESK_VEHICLE,           /* by any of its codes, with its device */
    DESK_VEHICLES,          /* state, city, after, and the filters of vehicles */
    DESK_PICK,              /* the same, their codes only */
    DESK_RIDES,             /* state, rider_id, after; newest first */
    DESK_VEHICLE_TIMELINE,  /* code, before */
    DESK_RIDE_TIMELINE,     /* uuid, before */
    DESK_QUARANTINE,        /* after */
    DESK_RIDER,             /* by uuid */
    DESK_RIDERS,            /* state, after */
    DESK_EVENTS,            /* after, after_part, kinds, city; oldest first, `next` always */
    DESK_DECLARED,          /* row, name, after: declared.h */
    DESK_CITY,              /* city: is there one of this code? */
    DESK_JOB_KIND_N
};

enum desk_damaged { DAMAGED_OR_NOT, DAMAGED_YES, DAMAGED_NO };

struct desk_job {
    uint8_t kind, sight;        /* enum desk_job_kind, enum field_sight */
    uint8_t state;              /* filter: vehicle or ride state; 0 = all */
    uint64_t ticket;            /* comes back with the result */
    uint64_t min_seq;           /* tables older than this: answer BEHIND and nothing else; 0 = any */
    uint8_t row;                /* DECLARED: enum row_kind */
    uint8_t staff_wait;         /* CITY: the caller's: its place + 1 in staff.c */
    struct text32 name;         /* DECLARED: only the one with this code; empty = a page of all */
    struct uuid uuid;
    struct text16 code;
    struct text32 city;         /* CITY; else a filter, code; empty = all */
    uint64_t rider_id;          /* filter; 0 = all */
    struct text32 vehicle_type; /* filter of vehicles, code; empty = all */
    struct text16 prefix;       /* ... a public code begins so, whatever its case; empty = all */
    int64_t heard_before_ms;    /* ... its device was last heard then or earlier, or never; 0 = all */
    bool by_battery;            /* ... a charge was reported, of at most battery_max_pct */
    uint8_t battery_max_pct;
    uint8_t damaged;            /* ... enum desk_damaged */
    const struct scope *scope;  /* what lies outside is not there; NULL: the whole operator */
    uint64_t after;             /* cursor of a list; of a timeline: before this seq */
    uint32_t before_part;
    uint32_t after_part;        /* EVENTS */
    uint64_t kinds;             /* EVENTS: 1 << each enum event_kind; 0 = all */
    unsigned limit;
};

struct desk_result {
    uint64_t ticket;
    uint64_t as_of_seq;         /* the cut that it is of */
    struct err err;             /* NOT_FOUND, TOO_LARGE, IO... */
    bool behind;                /* the tables do not hold min_seq yet */
    uint8_t kind;
    union { struct ride ride; struct command command; struct vehicle vehicle; struct rider rider; };
    struct device device;       /* with a vehicle; id 0 = none */
    struct text32 city;         /* code of the row's; empty: of none */
    struct feed_place place;    /* of EVENTS */
    unsigned rows;              /* of a list: how many it has */
    uint8_t *body;              /* of a list: JSON, of PICK: a struct text16 for each row; freed by desk_release */
    size_t body_len;
};

struct desk_options {
    const char *path, *vfs;     /* of tables.db; it may come into being later: until then everything is empty */
    uint64_t operator_id;
    bool inline_jobs;
    struct tables *shared;      /* inline only: this connection instead of one of our own; borrowed */
    void (*wake)(void *ctx);    /* from the worker: a result is there (loop_wake) */
    void *wake_ctx;
};

struct desk;

MUST_USE struct err desk_create(const struct desk_options *options, struct desk **out);
/* Waits for the job under way; NULL is fine. */
void desk_destroy(struct desk *d);
/* FULL: DESK_JOBS are under way. */
MUST_USE struct err desk_submit(struct desk *d, const struct desk_job *job);
/* Oldest result, NULL when none; good until desk_release, which takes it off and frees its body. */
struct desk_result *desk_next(struct desk *d);
void desk_release(struct desk *d);

#endif
