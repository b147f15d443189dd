/* SPDX-License-Identifier: Apache-2.0 */
/* http_parse.h: the head of a request, and chunked bodies. Inside net: http.h is what others use.
 *
 * Two parsers look at every head: our own strict reading of the lines, from which everything is taken, and llhttp,
 * which must accept it too and come to the same framing. What one of them understands differently is refused, so no
 * proxy in front can be made to see other requests than we do. Pure, but for llhttp. */
#ifndef NET_HTTP_PARSE_H
#define NET_HTTP_PARSE_H

#include <llhttp.h>

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

/* `text` is the request line and headers with the empty line at the end, each line ended by CR LF. The head borrows it. */
struct http_refusal http_head_parse(struct bytes text, const struct http_limits *limits, struct http_head *out);
/* A byte that may stand nowhere in a head; used while it is still arriving. */
bool http_head_has_control(struct bytes text);

/* Decodes one chunked body. Extensions are skipped, trailers refused. */
struct http_chunks {
    llhttp_t parser;
    uint64_t raw_len, raw_max; /* with the chunk lines: tiny chunks must not cost more than they carry */
    void *ctx;
    bool (*sink)(void *ctx, struct bytes part); /* false: too large */
    bool done, too_large;
};

void http_chunks_init(struct http_chunks *c, uint64_t body_max, void *ctx, bool (*sink)(void *ctx, struct bytes part));
/* Sets `used`; bytes behind the body's end are not used. */
struct http_refusal http_chunks_feed(struct http_chunks *c, struct bytes in, size_t *used);

#endif
