/* SPDX-License-Identifier: Apache-2.0 */
/* http_parse.c: see http_parse.h. */
#include "net/http_parse.h"

#include <llhttp.h>

#include "base/must.h"
#include "net/http_text.h"

#define OK_HEAD ((struct http_refusal){0, {ERR_OK, ""}})
#define CHUNK_LINES_MAX 1024u /* raw bytes of chunk lines that are free of charge */

static struct http_refusal request_line_parse(struct bytes line, struct http_head *out, bool *v11);
static struct http_refusal header_parse(struct bytes line, struct http_header *out);
static struct http_refusal framing_check(struct http_head *h, const struct http_limits *limits, bool v11);
static struct http_refusal host_check(const struct http_head *h, bool v11);
static struct http_refusal second_opinion(struct bytes text, const struct http_head *h);
static struct bytes line_next(struct bytes *text);
static bool value_of(const struct http_head *h, const char *name, struct bytes *value, uint32_t *count);
static int on_headers_complete(llhttp_t *p);
static struct http_refusal chunk_byte(struct http_chunks *c, uint8_t byte);

static const char *const verbs[HTTP_VERB_N] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

struct http_refusal http_head_parse(struct bytes text, const struct http_limits *limits,
                                    struct http_head *out)
{
    struct bytes rest = text;
    struct http_refusal r;
    bool v11;

    out->header_count = 0;
    out->content_length = 0;
    out->chunked = out->expects_continue = false;
    r = request_line_parse(line_next(&rest), out, &v11);
    if (r.status) return r;
    for (;;) {
        struct bytes line = line_next(&rest);
        if (line.len == 0) break;
        if (out->header_count == limits->header_count_max || out->header_count == HTTP_HEADER_LIMIT)
            return HTTP_REFUSE(431, TOO_LARGE, "too many headers");
        r = header_parse(line, &out->headers[out->header_count]);
        if (r.status) return r;
        out->header_count++;
    }
    r = host_check(out, v11);
    if (!r.status) r = framing_check(out, limits, v11);
    if (!r.status) r = second_opinion(text, out);
    return r;
}

bool http_head_has_control(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        if ((c < 32 && c != '\r' && c != '\n' && c != '\t') || c == 127) return true;
    }
    return false;
}

struct http_chunks http_chunks_of(uint64_t body_max)
{
    return (struct http_chunks){.body_left = body_max, .lines_max = (uint32_t)body_max + CHUNK_LINES_MAX};
}

/*  SIZE ─► (EXTENSION) ─► SIZE_LF ─► DATA ─► DATA_CR ─► DATA_LF ─► SIZE …
 *                            └─► END_CR ─► END_LF ─► DONE      behind the chunk of size 0 */
enum chunk_state {
    CHUNK_SIZE,
    CHUNK_EXTENSION,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_END_CR,
    CHUNK_END_LF
};

struct http_refusal http_chunks_next(struct http_chunks *c, struct bytes *in, struct bytes *part)
{
    *part = bytes_of(NULL, 0);
    while (in->len > 0 && c->state != HTTP_CHUNKS_DONE) {
        if (c->state == CHUNK_DATA) {
            *part = bytes_of(in->at, in->len < c->left ? in->len : (size_t)c->left);
            *in = bytes_of(in->at + part->len, in->len - part->len);
            c->left -= part->len;
            if (c->left == 0) c->state = CHUNK_DATA_CR;
            return OK_HEAD;
        }
        if (++c->lines_len > c->lines_max)
            return HTTP_REFUSE(413, TOO_LARGE, "chunked body: too many chunk lines");
        struct http_refusal r = chunk_byte(c, in->at[0]);
        if (r.status) return r;
        *in = bytes_of(in->at + 1, in->len - 1);
    }
    return OK_HEAD;
}

/* GET /path?query HTTP/1.1 */
static struct http_refusal request_line_parse(struct bytes line, struct http_head *out, bool *v11)
{
    struct bytes rest = line;
    uint32_t verb = 0;

    out->method = bytes_split(&rest, ' ');
    out->target = bytes_split(&rest, ' ');
    if (!http_is_token(out->method) || out->target.len == 0 || !bytes_starts(rest, "HTTP/") || rest.len != 8)
        return HTTP_REFUSE(400, MALFORMED, "request line: expected METHOD /target HTTP/1.1");
    *v11 = bytes_equal_text(rest, "HTTP/1.1");
    if (!*v11 && !bytes_equal_text(rest, "HTTP/1.0")) {
        bool digits = rest.at[6] == '.' && rest.at[5] >= '0' && rest.at[5] <= '9' && rest.at[7] >= '0' &&
                      rest.at[7] <= '9';
        return digits ? HTTP_REFUSE(505, UNSUPPORTED, "only HTTP/1.1 and HTTP/1.0")
                      : HTTP_REFUSE(400, MALFORMED, "request line: odd version");
    }
    while (verb < HTTP_VERB_N && !bytes_equal_text(out->method, verbs[verb])) verb++;
    if (verb == HTTP_VERB_N) return HTTP_REFUSE(501, UNSUPPORTED, "this method is not known here");
    out->verb = (enum http_verb)verb;
    if (out->target.at[0] != '/')
        return HTTP_REFUSE(400, MALFORMED, "target: expected a path that starts with /");
    for (size_t i = 0; i < out->target.len; i++) {
        uint8_t c = out->target.at[i];
        if (c <= 32 || c >= 127 || c == '#')
            return HTTP_REFUSE(400, MALFORMED, "target: character that must be encoded");
    }
    out->query = out->target;
    out->path = bytes_split(&out->query, '?');
    return OK_HEAD;
}

static struct http_refusal header_parse(struct bytes line, struct http_header *out)
{
    size_t colon = bytes_find(line, ':');

    if (line.at[0] == ' ' || line.at[0] == '\t')
        return HTTP_REFUSE(400, MALFORMED, "header: folded over lines");
    if (colon == line.len) return HTTP_REFUSE(400, MALFORMED, "header: no colon");
    out->name = bytes_of(line.at, colon);
    if (!http_is_token(out->name))
        return HTTP_REFUSE(400, MALFORMED, "header: odd character or space in a name");
    out->value = bytes_trim(bytes_of(line.at + colon + 1, line.len - colon - 1));
    for (size_t i = 0; i < out->value.len; i++) {
        uint8_t c = out->value.at[i];
        if ((c < 32 && c != '\t') || c == 127)
            return HTTP_REFUSE(400, MALFORMED, "header: control character in a value");
    }
    return OK_HEAD;
}

static struct http_refusal framing_check(struct http_head *h, const struct http_limits *limits, bool v11)
{
    struct bytes length, coding, connection, expect;
    uint32_t lengths, codings, expects;

    if (value_of(h, "content-length", &length, &lengths)) {
        if (lengths > 1) return HTTP_REFUSE(400, MALFORMED, "Content-Length is there twice");
        if (bytes_u64(length, 15, &h->content_length).code)
            return HTTP_REFUSE(400, MALFORMED, "Content-Length is not a number");
    }
    if (value_of(h, "transfer-encoding", &coding, &codings)) {
        if (lengths) return HTTP_REFUSE(400, MALFORMED, "both Content-Length and Transfer-Encoding");
        if (codings > 1 || !v11)
            return HTTP_REFUSE(400, MALFORMED, "Transfer-Encoding twice, or with HTTP/1.0");
        if (!http_equal_nocase(coding, "chunked"))
            return HTTP_REFUSE(501, UNSUPPORTED, "only chunked transfer coding");
        h->chunked = true;
    }
    if (h->content_length > limits->body_max)
        return HTTP_REFUSE(413, TOO_LARGE, "the body is larger than the limit");
    if (value_of(h, "expect", &expect, &expects)) {
        if (expects > 1 || !http_equal_nocase(expect, "100-continue"))
            return HTTP_REFUSE(417, UNSUPPORTED, "only Expect: 100-continue");
        h->expects_continue = v11;
    }
    h->keep_alive = v11;
    for (uint32_t i = 0; i < h->header_count; i++) {
        if (!http_equal_nocase(h->headers[i].name, "connection")) continue;
        connection = h->headers[i].value;
        if (http_list_has(connection, "close")) h->keep_alive = false;
    }
    return OK_HEAD;
}

static struct http_refusal host_check(const struct http_head *h, bool v11)
{
    struct bytes host;
    uint32_t count;

    if (!value_of(h, "host", &host, &count)) {
        return v11 ? HTTP_REFUSE(400, MALFORMED, "Host is missing") : OK_HEAD;
    }
    if (count > 1) return HTTP_REFUSE(400, MALFORMED, "Host is there twice");
    if (host.len == 0) return HTTP_REFUSE(400, MALFORMED, "Host is empty");
    for (size_t i = 0; i < host.len; i++) {
        uint8_t c = host.at[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!plain && bytes_find(bytes_text(".-:[]_~%"), c) == 8)
            return HTTP_REFUSE(400, MALFORMED, "Host has an odd character");
    }
    return OK_HEAD;
}

static struct http_refusal second_opinion(struct bytes text, const struct http_head *h)
{
    static const llhttp_settings_t settings = {.on_headers_complete = on_headers_complete};
    llhttp_t parser;

    llhttp_init(&parser, HTTP_REQUEST, &settings);
    if (llhttp_execute(&parser, (const char *)text.at, text.len) != HPE_PAUSED)
        return HTTP_REFUSE(400, MALFORMED, "not a well-formed request");
    bool chunked = parser.flags & F_CHUNKED;
    if (chunked != h->chunked || (!chunked && parser.content_length != h->content_length) ||
        !bytes_equal_text(h->method, llhttp_method_name((llhttp_method_t)parser.method)))
        return HTTP_REFUSE(400, MALFORMED, "a request that can be read in two ways");
    return OK_HEAD;
}

/* Without its CR LF, which the caller has made sure of. */
static struct bytes line_next(struct bytes *text)
{
    struct bytes line = bytes_split(text, '\n');

    must(line.len > 0 && line.at[line.len - 1] == '\r');
    line.len--;
    return line;
}

static bool value_of(const struct http_head *h, const char *name, struct bytes *value, uint32_t *count)
{
    *count = 0;
    for (uint32_t i = 0; i < h->header_count; i++) {
        if (!http_equal_nocase(h->headers[i].name, name)) continue;
        if (*count == 0) *value = h->headers[i].value;
        ++*count;
    }
    return *count > 0;
}

static int on_headers_complete(llhttp_t *p)
{
    p->upgrade = 0; /* upgrades are ignored, which the standard allows */
    return HPE_PAUSED;
}

/* One byte that is not body. */
static struct http_refusal chunk_byte(struct http_chunks *c, uint8_t byte)
{
    uint8_t lower = byte | 32;
    int digit = byte >= '0' && byte <= '9' ? byte - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;

    if (c->state == CHUNK_SIZE && digit >= 0) {
        if (++c->digits > HTTP_CHUNK_DIGITS_MAX)
            return HTTP_REFUSE(413, TOO_LARGE, "chunked body: the chunk is too large");
        c->left = c->left * 16 + (uint64_t)digit;
    } else if (c->state == CHUNK_SIZE && c->digits > 0 && byte == ';') {
        c->state = CHUNK_EXTENSION;
    } else if ((c->state == CHUNK_SIZE ? c->digits > 0 : c->state == CHUNK_EXTENSION) && byte == '\r') {
        c->state = CHUNK_SIZE_LF;
    } else if (c->state == CHUNK_EXTENSION && (byte >= 32 || byte == '\t') && byte != 127) {
        return OK_HEAD;
    } else if (c->state == CHUNK_SIZE_LF && byte == '\n') {
        if (c->left > c->body_left) return HTTP_REFUSE(413, TOO_LARGE, "the body is larger than the limit");
        c->body_left -= c->left;
        c->state = c->left ? CHUNK_DATA : CHUNK_END_CR;
    } else if (c->state == CHUNK_DATA_CR && byte == '\r') {
        c->state = CHUNK_DATA_LF;
    } else if (c->state == CHUNK_DATA_LF && byte == '\n') {
        c->state = CHUNK_SIZE;
        c->digits = 0;
    } else if (c->state == CHUNK_END_CR && byte == '\r') {
        c->state = CHUNK_END_LF;
    } else if (c->state == CHUNK_END_LF && byte == '\n') {
        c->state = HTTP_CHUNKS_DONE;
    } else {
        return HTTP_REFUSE(400, MALFORMED, "chunked body: broken chunk, or a trailer");
    }
    return OK_HEAD;
}
