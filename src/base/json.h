/* SPDX-License-Identifier: Apache-2.0 */
/* json.h: writes JSON straight into a buf: commas and escaping are done here, nesting is the caller's.
 *
 * Pure. A value that does not fit sets buf.full like any other write.
 * Text is escaped byte by byte; bytes that are not UTF-8 become U+FFFD, so the output is always valid. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"

struct json {
    struct buf *out;
    bool comma; /* a value stands before, in the open object or list */
};

struct json json_on(struct buf *out);
void json_open(struct json *j, char bracket);  /* '{' or '[' */
void json_close(struct json *j, char bracket); /* '}' or ']' */
void json_name(struct json *j, const char *name);
void json_text(struct json *j, struct bytes text);
void json_literal(struct json *j, const char *text);       /* a C string, as text */
void json_u64(struct json *j, uint64_t v);
void json_i64(struct json *j, int64_t v);
void json_bool(struct json *j, bool v);
void json_null(struct json *j);
void json_decimal(struct json *j, int64_t v, unsigned decimals); /* v / 10^decimals, e.g. degrees e7 */
void json_raw(struct json *j, struct bytes valid_json);
/* 2026-11-23T22:46:00.123Z */
void json_time_ms(struct json *j, int64_t ms);
void json_uuid(struct json *j, const uint8_t uuid[16]);

#endif
