/* SPDX-License-Identifier: Apache-2.0 */
/* schema.h: what the API answers, each kind of object described once: /openapi.json, docs/reference/api.md and the
 * clients follow from these tables, and every answer that a test of tests/ gets is held against them.
 *
 * An object is a row of the engine as api_json_fields shows it (`row`, NULL for none) and then `members`. A member
 * named like a field of the row says how that one differs: written in another type, or never null.
 *
 * Adding one: write a table next to its writer, `extern` it in that file's header, name it in the route's row. What
 * no route leads to is not published.
 * Thread  any */
#ifndef API_SCHEMA_H
#define API_SCHEMA_H

#include "base/field.h"

enum member_type {
    MEMBER_FIELD,    /* as the row's field of that name, but never null */
    MEMBER_TEXT,
    MEMBER_WHOLE,
    MEMBER_DECIMAL,  /* degrees, mostly */
    MEMBER_BOOL,
    MEMBER_TERM,     /* a name of `names` */
    MEMBER_UUID,
    MEMBER_TIME,     /* whole ms since 1970 UTC */
    MEMBER_OBJECT,   /* of `of` */
    MEMBER_LIST,     /* of objects `of` */
    MEMBER_TEXTS,    /* list of texts, of `names` when given */
    MEMBER_ROWS,     /* list of lists of plain values; another member names the columns */
    MEMBER_COUNTS,   /* object of whole numbers, by name */
    MEMBER_TYPE_N
};

enum member_flags {
    MEMBER_NULL = 1,  /* may be null */
    MEMBER_MAYBE = 2, /* may be absent */
    MEMBER_STAFF = 4, /* absent for riders */
};

struct member {
    const char *name;
    uint8_t type, flags;
    const struct enum_names *names; /* of TERM, TEXTS */
    const struct schema *of;        /* of OBJECT, LIST */
    const char *doc;                /* NULL for FIELD: the field's own */
};

struct schema {
    const char *name; /* "Ride": of the component in /openapi.json, a type in the clients */
    const char *doc;
    const struct shape *row;
    const struct member *members;
    unsigned count;
    bool staff_only; /* riders never get one: no member is absent for want of sight */
};

#define SCHEMA_MEMBERS(rows) rows, sizeof rows / sizeof *rows
#define AS_OF_SEQ {"as_of_seq", MEMBER_WHOLE, 0, NULL, NULL, "number of the last fact that the answer knows of"}
/* `static const struct member NAME[] = ANSWER_OF(...)`: {"ride": {...}, "as_of_seq": 7} and a page of such. */
#define ANSWER_OF(name, schema, doc) {{name, MEMBER_OBJECT, 0, NULL, schema, doc}, AS_OF_SEQ}
#define PAGE_OF(name, schema, doc)                                                                          \
    {{name, MEMBER_LIST, 0, NULL, schema, doc},                                                             \
     {"next", MEMBER_TEXT, MEMBER_NULL, NULL, NULL, "cursor of the page behind; null: this is the last"},   \
     AS_OF_SEQ}

/* Every member of a schema in the order written, field or not: calls `each` with a member whose type is not FIELD. */
typedef void schema_each_fn(void *ctx, const struct member *member);
void schema_each(const struct schema *schema, schema_each_fn *each, void *ctx);

/* api_json.c's: rows as the API shows them. */
extern const struct schema schema_ride, schema_vehicle, schema_command, schema_receipt, schema_event, schema_quarantine;
/* Whole answers of more than one file. */
extern const struct schema answer_id, answer_ride, answer_vehicle, answer_command;
extern const struct schema page_rides, page_vehicles, page_events, page_feed, page_quarantine, page_frames;
extern const struct schema answer_about; /* ask_about.c */
extern const struct schema answer_code_sent, answer_signed_in, answer_me, answer_rider, answer_contact, page_riders;
extern const struct schema answer_webhook, answer_hook;
extern const struct schema schema_problem;

/* Words that are in no table of the engine. */
extern const struct enum_names error_names, protocol_names;

#endif
