/* SPDX-License-Identifier: Apache-2.0 */
/* http_text.h: the small grammars of HTTP: percent-encoding, queries, paths, tokens, lists. Strict: what is
 * not well formed is an error, not a guess. Pure. */
#ifndef NET_HTTP_TEXT_H
#define NET_HTTP_TEXT_H

#include "base/buf.h"

bool http_is_token_char(uint8_t c);
bool http_is_token(struct bytes text);                     /* at least one character */
bool http_equal_nocase(struct bytes text, const char *lower); /* ASCII only; `lower` is in lower case */

/* Decodes %41 into `out`. MALFORMED: a % without two hex digits, a decoded NUL or other control character.
 * TOO_LARGE: `out` is full. `plus_is_space` for queries. */
MUST_USE struct err http_percent_decode(struct bytes text, bool plus_is_space, struct buf *out);

/* The value of `name` in "a=1&b=2", decoded into `out`; NOT_FOUND when absent, INVALID when there twice.
 * A name without '=' has the empty value. Names are compared decoded. */
MUST_USE struct err http_query_get(struct bytes query, const char *name, struct buf *out);

/* Takes the next segment off "/v1/rides/7": "v1", then "rides"… false at the end. Not decoded. An empty
 * segment ("//", or a '/' at the end) is given as such. */
bool http_path_next(struct bytes *path, struct bytes *segment);

/* Is `token` (lower case) in a comma-separated header value, any case? */
bool http_list_has(struct bytes list, const char *token);

/* "Bearer abc" -> "abc"; NOT_FOUND when absent, MALFORMED for another scheme or odd characters. */
MUST_USE struct err http_bearer(struct bytes authorization, struct bytes *token);

/* The trace id of a W3C traceparent header; false when it is not valid. */
struct traceparent { struct bytes trace_id, parent_id; bool sampled; }; /* 32 and 16 hex digits */
bool http_traceparent(struct bytes value, struct traceparent *out);

#endif
