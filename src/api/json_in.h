/* SPDX-License-Identifier: Apache-2.0 */
/* json_in.h: request bodies and files: a JSON object from outside, read strictly. The only file that knows jansson.
 *
 * Strict  RFC 8259, UTF-8, one object and nothing behind it; a member twice is an error, so is \u0000
 * Limits  bytes, depth and number of values, checked before the parser sees anything: it would allocate for each
 * Owner   values are borrowed from the document until json_in_free
 * Thread  one */
#ifndef API_JSON_IN_H
#define API_JSON_IN_H

#include "base/bytes.h"

#define JSON_IN_BYTES_MAX 65536u
#define JSON_IN_DEPTH_MAX 8u
#define JSON_IN_VALUES_MAX 2048u

enum json_in_kind { JSON_IN_NULL, JSON_IN_BOOL, JSON_IN_INTEGER, JSON_IN_REAL, JSON_IN_TEXT, JSON_IN_LIST,
                    JSON_IN_OBJECT };

struct json_in_value {
    enum json_in_kind kind;
    int64_t number;     /* BOOL, INTEGER */
    double real;        /* REAL */
    struct bytes text;  /* TEXT */
};

struct json_in;

/* Seeds the parser's tables against chosen names; before the first parse, once. */
void json_in_seed(uint32_t seed);
/* MALFORMED, TOO_LARGE. */
MUST_USE struct err json_in_parse(struct bytes text, struct json_in **out);

struct json_in_limits { size_t bytes_max, values_max; unsigned depth_max; };
struct json_in_place { int line, column; char text[160]; }; /* where the grammar broke, and how; line 0: nowhere */
/* For files of our own users, with other limits and the place of a fault. `place` may be NULL. */
MUST_USE struct err json_in_parse_within(struct bytes text, const struct json_in_limits *limits, struct json_in **out,
                                         struct json_in_place *place);
void json_in_free(struct json_in *doc); /* NULL is fine */
bool json_in_get(const struct json_in *doc, const char *name, struct json_in_value *out);
/* What stands deeper; borrowed from the document, never freed by itself. NULL, 0 and false where there is no such thing
 * or it is of another kind. */
const struct json_in *json_in_object(const struct json_in *doc, const char *name);
size_t json_in_count(const struct json_in *doc, const char *list);
const struct json_in *json_in_item(const struct json_in *doc, const char *list, size_t i);       /* an object */
bool json_in_item_value(const struct json_in *doc, const char *list, size_t i, struct json_in_value *out);
/* Every member's name, in no promised order. */
void json_in_names(const struct json_in *doc, void (*fn)(void *ctx, const char *name), void *ctx);

#endif
