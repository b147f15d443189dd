/* SPDX-License-Identifier: Apache-2.0 */
/* http_reply.c: replies and problems become bytes. */
#include "base/json.h"
#include "base/timetext.h"
#include "net/http_inside.h"
#include "net/http_text.h"

enum { PROBLEM_MAX = 1024 };

static struct err response_check(const struct http_server *s, const struct http_response *r);
static bool has_no_body(int status);
static void date_put(struct buf *b, int64_t ms);
static void problem_send(struct http_server *s, struct http_conn *c, int status, struct err why);

static const struct { int status; const char *phrase; } phrases[] = {
    {200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"}, {206, "Partial Content"},
    {301, "Moved Permanently"}, {302, "Found"}, {303, "See Other"}, {304, "Not Modified"},
    {307, "Temporary Redirect"}, {308, "Permanent Redirect"},
    {400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"},
    {405, "Method Not Allowed"}, {406, "Not Acceptable"}, {408, "Request Timeout"}, {409, "Conflict"},
    {410, "Gone"}, {412, "Precondition Failed"}, {413, "Content Too Large"}, {414, "URI Too Long"},
    {415, "Unsupported Media Type"}, {417, "Expectation Failed"},
    {422, "Unprocessable Content"}, {426, "Upgrade Required"}, {428, "Precondition Required"}, {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"}, {501, "Not Implemented"}, {502, "Bad Gateway"},
    {503, "Service Unavailable"}, {504, "Gateway Timeout"}, {505, "HTTP Version Not Supported"},
};

struct err http_reply(struct http_server *s, uint64_t handle, const struct http_response *response)
{
    struct http_conn *c = http_conn_of(s, handle);

    if (!c || c->state != HTTP_WAITING) {
        s->counters.not_found_replies++;
        return ERR(NOT_FOUND, "reply: nobody waits for it");
    }
    struct err e = response_check(s, response);
    if (e.code) {
        problem_send(s, c, 500, e);
    } else if (!http_conn_send(s, c, response)) {
        c->handle = 0;
        return ERR(FULL, "reply: no memory to queue it");
    }
    if (c->state != HTTP_CLOSING) http_conn_next(s, c);
    c->handle = 0;
    return e;
}

struct err http_reply_problem(struct http_server *s, uint64_t handle, struct err why)
{
    struct http_conn *c = http_conn_of(s, handle);

    if (!c || c->state != HTTP_WAITING) {
        s->counters.not_found_replies++;
        return ERR(NOT_FOUND, "reply: nobody waits for it");
    }
    problem_send(s, c, err_http(why.code), why);
    if (c->state != HTTP_CLOSING) http_conn_next(s, c);
    c->handle = 0;
    return NO_ERR;
}

void http_problem_open(struct json *out, int status, struct err why, struct bytes trace_id)
{
    json_open(out, '{');
    json_name(out, "type");
    json_literal(out, "about:blank");
    json_name(out, "title");
    json_literal(out, http_status_phrase(status));
    json_name(out, "status");
    json_u64(out, (uint64_t)status);
    json_name(out, "code");
    json_literal(out, err_name(why.code));
    json_name(out, "detail");
    json_literal(out, why.why && why.why[0] ? why.why : err_text(why.code));
    json_name(out, "trace_id");
    json_text(out, trace_id);
}

const char *http_status_phrase(int status)
{
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
        if (phrases[i].status == status) return phrases[i].phrase;
    }
    return "Status";
}

/* The stream cannot be trusted behind this: answer and close. */
void http_conn_refuse(struct http_server *s, struct http_conn *c, struct http_refusal refusal)
{
    if (c->state == HTTP_CLOSING) return;
    if (refusal.status == 400) s->counters.refused_malformed++;
    else s->counters.refused_limit++;
    if (c->state != HTTP_WAITING) {
        /* No request was made of it, so it has no trace id yet. */
        struct buf b = buf_on(c->trace_id, sizeof c->trace_id);
        buf_put_hex64(&b, prng_next(&s->prng));
        buf_put_hex64(&b, prng_next(&s->prng));
        if (c->state != HTTP_BODY_COMES) c->verb = HTTP_VERB_GET; /* still that of the request before */
    }
    c->keep_alive = false;
    problem_send(s, c, refusal.status, refusal.why);
    bool late = refusal.status == 408 || refusal.status == 504;
    http_conn_end(s, c, late ? CLOSE_TIMEOUT : CLOSE_PROTOCOL, CLOSE_FLUSH);
}

bool http_conn_send(struct http_server *s, struct http_conn *c, const struct http_response *r)
{
    char head[HTTP_REPLY_HEAD_MAX];
    struct buf b = buf_on(head, sizeof head);
    bool bodiless = has_no_body(r->status);
    struct bytes body = bodiless || c->verb == HTTP_VERB_HEAD ? bytes_of(NULL, 0) : r->body;

    if (r->close) c->keep_alive = false;
    http_head_put(s, &b, r->status, r->content_type);
    if (r->status == 429 || r->status == 503) {
        buf_put_text(&b, "Retry-After: ");
        buf_put_u64(&b, r->retry_after_s ? r->retry_after_s : 1);
        buf_put_text(&b, "\r\n");
    }
    if (!bodiless) {
        buf_put_text(&b, "Content-Length: ");
        buf_put_u64(&b, r->body.len);
        buf_put_text(&b, "\r\n");
    }
    if (!c->keep_alive) buf_put_text(&b, "Connection: close\r\n");
    for (uint32_t i = 0; i < r->header_count; i++) {
        buf_put_text(&b, r->headers[i].name);
        buf_put_text(&b, ": ");
        buf_put_bytes(&b, r->headers[i].value);
        buf_put_text(&b, "\r\n");
    }
    buf_put_text(&b, "\r\n");

    struct err e = b.full ? ERR(TOO_LARGE, "reply: headers too long") : NO_ERR;
    if (!e.code) e = loop_write(s->loop, c->conn, buf_bytes(&b));
    if (!e.code) e = loop_write(s->loop, c->conn, body);
    if (e.code) {
        http_conn_end(s, c, CLOSE_SLOW, CLOSE_NOW);
        return false;
    }
    s->counters.replies++;
    s->counters.status_class[r->status / 100]++;
    s->counters.reply_bytes_out += b.len + body.len;
    return true;
}

void http_head_put(struct http_server *s, struct buf *b, int status, const char *content_type)
{
    buf_put_text(b, "HTTP/1.1 ");
    buf_put_u64(b, (uint64_t)status);
    buf_put_char(b, ' ');
    buf_put_text(b, http_status_phrase(status));
    buf_put_text(b, "\r\n");
    if (s->wall_ms) {
        buf_put_text(b, "Date: ");
        date_put(b, s->wall_ms(s->wall_ctx));
        buf_put_text(b, "\r\n");
    }
    if (content_type) {
        buf_put_text(b, "Content-Type: ");
        buf_put_text(b, content_type);
        buf_put_text(b, "\r\n");
    }
}

/* Header values may come from what a client once sent: a line break would let it write our next header. */
static struct err response_check(const struct http_server *s, const struct http_response *r)
{
    size_t total = r->body.len;

    if (r->status < 200 || r->status > 599) return ERR(INVALID, "reply: status is not 200 to 599");
    for (uint32_t i = 0; i < r->header_count; i++) {
        struct bytes value = r->headers[i].value;
        if (!http_is_token(bytes_text(r->headers[i].name)) || http_head_has_control(value) ||
            bytes_find(value, '\r') < value.len || bytes_find(value, '\n') < value.len)
            return ERR(INVALID, "reply: a header is not well formed");
        total += value.len;
    }
    if (total - r->body.len > HTTP_REPLY_HEAD_MAX / 2) return ERR(TOO_LARGE, "reply: headers too long");
    return total > s->limits.reply_max ? ERR(TOO_LARGE, "reply: larger than its limit") : NO_ERR;
}

static bool has_no_body(int status) { return status == 204 || status == 304; }

/* Mon, 23 Nov 2026 23:16:03 GMT */
static void date_put(struct buf *b, int64_t ms)
{
    static const char days[] = "ThuFriSatSunMonTueWed", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct civil t = civil_of_ms(ms);

    buf_put(b, days + ms / 86400000 % 7 * 3, 3);
    buf_put_text(b, ", ");
    buf_put_padded(b, t.day, 2);
    buf_put_char(b, ' ');
    buf_put(b, months + (t.month - 1) * 3, 3);
    buf_put_char(b, ' ');
    buf_put_padded(b, (uint64_t)t.year, 4);
    buf_put_char(b, ' ');
    buf_put_padded(b, t.hour, 2);
    buf_put_char(b, ':');
    buf_put_padded(b, t.minute, 2);
    buf_put_char(b, ':');
    buf_put_padded(b, t.second, 2);
    buf_put_text(b, " GMT");
}

static void problem_send(struct http_server *s, struct http_conn *c, int status, struct err why)
{
    char text[PROBLEM_MAX];
    struct buf b = buf_on(text, sizeof text);
    struct json j = json_on(&b);

    http_problem_open(&j, status, why, bytes_of(c->trace_id, sizeof c->trace_id));
    json_close(&j, '}');
    http_conn_send(s, c, &(struct http_response){.status = status, .content_type = "application/problem+json",
                                                 .body = buf_bytes(&b)});
}
