/* SPDX-License-Identifier: Apache-2.0 */
/* args.h: what a request brings along (path, query, body), described by rows and checked by them: every field at fault
 * is found at once, each with its reason.
 *
 * Owner   values borrow from the request, its document and `scratch`: good until args_fini
 * Thread  one */
#ifndef API_ARGS_H
#define API_ARGS_H

#include "api/json_in.h"
#include "base/field.h"
#include "net/http.h"

enum { ARGS_MAX = 10, ARGS_FAULTS_MAX = 16, ARGS_SCRATCH = 1024, ARGS_NAME_MAX = 40, ARGS_WORDS_MAX = 12 };

enum arg_where { IN_PATH, IN_QUERY, IN_BODY };

enum arg_type {
    ARG_TEXT,     /* min to max bytes of UTF-8 without control characters */
    ARG_CODE,     /* the same of letters, digits, '-' and '_' */
    ARG_IDENT,    /* the same of printable ASCII without spaces */
    ARG_WHOLE,    /* min to max */
    ARG_BOOL,
    ARG_TERM,     /* a name of `names` */
    ARG_DEGREES,  /* decimal degrees, min to max, kept as degrees x 10^7 */
    ARG_UUID,
    ARG_PHONE,    /* E.164: + and 7 to 15 digits */
    ARG_TERMS,    /* a list of names of `names`, below 64: number has 1 << each; in a body only */
    ARG_CODES,    /* a list of min to max ARG_CODEs of 1 to 15: number has how many, args_code each; in a body only */
    ARG_CITIES,   /* a list of min to max codes of cities, ARG_CODEs of 1 to 31: read like CODES; in a body only */
    ARG_CURSOR,   /* what an earlier page gave as "next" */
};

struct arg_row {
    const char *name;
    uint8_t where, type; /* enum arg_where, enum arg_type */
    bool required;
    int64_t min, max;
    const struct enum_names *names;
    const char *doc;
};

struct arg {
    bool given;
    int64_t number;      /* WHOLE, BOOL, TERM, DEGREES */
    uint64_t cursor;
    uint32_t cursor_part;
    struct bytes text;
    struct uuid uuid;
};

struct fault {
    char field[ARGS_NAME_MAX]; /* ends with NUL; cut */
    const char *why;           /* a literal, or good until args_fini */
};

struct args {
    const struct arg_row *rows;
    unsigned count;
    struct arg at[ARGS_MAX];
    struct fault faults[ARGS_FAULTS_MAX];
    unsigned fault_count;      /* more than ARGS_FAULTS_MAX are counted and not kept */
    struct json_in *doc;
    const struct json_in *object; /* whose members the body's are: doc, or somebody else's */
    struct buf scratch;
    uint8_t memory[ARGS_SCRATCH];
};

/* Reads everything. `pattern` is the route's path with {names}. MALFORMED or TOO_LARGE body; INVALID when there are
 * faults; NOT_FOUND when what the path names cannot exist. args_fini in every case. */
MUST_USE struct err args_read(struct args *a, const struct arg_row *rows, unsigned count, const char *pattern,
                              const struct http_request *request);
void args_fini(struct args *a);
/* The same rows, those of the path too, from the members of one object in a file. `object` must outlive `a`. */
MUST_USE struct err args_read_object(struct args *a, const struct arg_row *rows, unsigned count,
                                     const struct json_in *object);
/* Reads the member of `object` that the row names, lists too, into a zero `arg`; NULL, or why it cannot be. A null says
 * as much as nothing where the row allows that. */
const char *args_member(const struct arg_row *row, const struct json_in *object, struct arg *arg);
/* By name; must() when the route has no such row. */
const struct arg *args_get(const struct args *a, const char *name);
/* The i-th of a list of codes, or of cities. */
struct bytes args_code(const struct args *a, const char *name, size_t i);
/* One more fault, found by a handler. */
void args_fault(struct args *a, const char *field, const char *why);

#endif
