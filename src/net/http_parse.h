/* SPDX-License-Identifier: Apache-2.0 */
/* http_parse.h: the head of a request, and chunked bodies. Inside net: http.h is what others use.
 *
 * Two parsers look at every head: our own strict reading of the lines, from which everything is taken, and
 * llhttp, which must accept it too and come to the same framing. What one of them understands differently is
 * refused, so no proxy in front can be made to see other requests than we do. Pure, but for llhttp. */
#ifndef NET_HTTP_PARSE_H
#define NET_HTTP_PARSE_H

#include "net/http.h"

struct http_head {
    enum http_verb verb;
    struct bytes method, target, path, query;
    struct http_header headers[HTTP_HEADER_LIMIT];
    uint32_t header_count;
    uint64_t content_length;
    bool chunked, keep_alive, expects_continue;
};

/* What to answer a request that is not taken; status 0: nothing is wrong. */
struct http_refusal {
    int status;
    struct err why;
};
#define HTTP_REFUSE(status, code, text) ((struct http_refusal){status, ERR(code, text)})

/* `text` is the request line and headers with the empty line at the end, each line ended by CR LF. The head
 * borrows it. */
struct http_refusal http_head_parse(struct bytes text, const struct http_limits *limits,
                                    struct http_head *out);
/* A byte that may stand nowhere in a head; used while it is still arriving. */
bool http_head_has_control(struct bytes text);

/* Decodes one chunked body. Our own: llhttp takes a bare LF behind the last chunk. Extensions are skipped,
 * trailers refused. */
struct http_chunks {
    uint64_t left;             /* of the chunk that comes */
    uint64_t body_left;        /* may still come in all */
    uint32_t lines_len;        /* bytes that are not body: tiny chunks must not cost more than they carry */
    uint32_t lines_max;
    uint8_t state, digits;
};
enum { HTTP_CHUNK_DIGITS_MAX = 8, HTTP_CHUNKS_DONE = 255 };

struct http_chunks http_chunks_of(uint64_t body_max);
/* Takes off `in` what it understands and sets `part` to the next piece of the body (empty: more input is
 * needed, or `state` is HTTP_CHUNKS_DONE and `in` is what follows). */
struct http_refusal http_chunks_next(struct http_chunks *c, struct bytes *in, struct bytes *part);

#endif
