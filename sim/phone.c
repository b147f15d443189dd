/* SPDX-License-Identifier: Apache-2.0 */
/* phone.c: see phone.h. */
#include "sim/phone.h"

#include <string.h>

#include "base/must.h"

static void on_reply(void *ctx, struct http_client *client, const struct http_client_reply *reply);
static void on_event(void *ctx, struct http_client *client, struct bytes id, struct bytes event,
                     struct bytes data);
static void on_failed(void *ctx, struct http_client *client, struct err why);

struct err phone_open(struct phone *p, struct crowd *crowd, struct bytes name, struct bytes token,
                      struct bytes address, uint32_t reply_ms)
{
    struct buf b = buf_on(p->authorization, sizeof p->authorization);
    struct http_client_config config = {
        .address = address, .timeout_ms = reply_ms,
        .events = {.ctx = p, .on_reply = on_reply, .on_event = on_event, .on_failed = on_failed},
    };

    p->crowd = crowd;
    text_clip(&p->name, name);
    buf_put_text(&b, "Bearer ");
    buf_put_bytes(&b, token);
    if (b.full) return ERR(TOO_LARGE, "phone: the token is too long");
    p->authorization_len = (uint32_t)b.len;
    return http_client_create(crowd->loop, &config, &p->client);
}

void phone_close(struct phone *p)
{
    http_client_destroy(p->client);
    p->client = NULL;
}

bool phone_send(struct phone *p, uint32_t ask, const char *method, const char *target, const char *body,
                uint64_t key)
{
    char text[17];
    struct buf b = buf_on(text, sizeof text);
    struct http_reply_header headers[2] = {
        {"Authorization", bytes_of(p->authorization, p->authorization_len)}};
    struct http_client_request request = {.method = method, .target = bytes_text(target), .headers = headers,
                                          .header_count = 1};

    if (key) {
        buf_put_char(&b, 'k');
        buf_put_hex64(&b, key);
        headers[request.header_count++] = (struct http_reply_header){"Idempotency-Key", buf_bytes(&b)};
    }
    if (body) {
        request.body = bytes_text(body);
        request.content_type = "application/json";
    }
    crowd_name_link(p->crowd, "phone", text_bytes(&p->name), ++p->sent);
    if (http_client_send(p->client, &request).code) return false;
    p->ask = ask;
    p->key = key;
    return true;
}

bool phone_listen(struct phone *p, uint32_t ask, const char *target)
{
    struct http_reply_header header = {"Authorization", bytes_of(p->authorization, p->authorization_len)};
    struct http_client_request request = {.method = "GET", .target = bytes_text(target), .headers = &header,
                                          .header_count = 1, .stream = true};

    crowd_name_link(p->crowd, "phone", text_bytes(&p->name), ++p->sent);
    if (http_client_send(p->client, &request).code) return false;
    p->ask = ask;
    p->key = 0;
    return true;
}

bool phone_is_busy(const struct phone *p) { return http_client_is_busy(p->client); }
void phone_hang_up(struct phone *p) { http_client_hang_up(p->client); }

/* Behind the text that starts at `at` (its opening quote). */
static size_t text_end(struct bytes json, size_t at)
{
    for (at++; at < json.len && json.at[at] != '"'; at++) {
        if (json.at[at] == '\\') at++;
    }
    return at < json.len ? at + 1 : json.len;
}

static struct bytes value_at(struct bytes json, size_t at)
{
    size_t start = at, depth = 0;

    if (at >= json.len) return bytes_of(NULL, 0);
    if (json.at[at] == '"') {
        size_t end = text_end(json, at);
        return bytes_of(json.at + at + 1, end > at + 2 ? end - at - 2 : 0);
    }
    for (; at < json.len; at++) {
        uint8_t c = json.at[at];
        if (c == '"') {
            at = text_end(json, at) - 1;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            if (depth == 0) break;
            if (--depth == 0) return bytes_of(json.at + start, at + 1 - start);
        } else if (c == ',' && depth == 0) {
            break;
        }
    }
    struct bytes word = bytes_trim(bytes_of(json.at + start, at - start));
    return bytes_equal_text(word, "null") ? bytes_of(NULL, 0) : word;
}

struct bytes phone_find(struct bytes json, const char *name)
{
    size_t len = strlen(name), at = 0;

    while (at < json.len) {
        if (json.at[at] != '"') {
            at++;
            continue;
        }
        size_t end = text_end(json, at), colon = end;
        while (colon < json.len && (json.at[colon] == ' ' || json.at[colon] == '\n')) colon++;
        bool is_name = colon < json.len && json.at[colon] == ':';
        if (is_name && end - at == len + 2 && memcmp(json.at + at + 1, name, len) == 0) {
            for (colon++; colon < json.len && (json.at[colon] == ' ' || json.at[colon] == '\n'); colon++) { }
            return value_at(json, colon);
        }
        at = end;
    }
    return bytes_of(NULL, 0);
}

bool phone_find_number(struct bytes json, const char *name, int64_t *out)
{
    return !bytes_scaled(phone_find(json, name), 0, out).code;
}

void phone_copy(char *to, size_t room, struct bytes from)
{
    size_t len = from.len < room ? from.len : room - 1;

    if (len) memcpy(to, from.at, len);
    to[len] = 0;
}

static void on_reply(void *ctx, struct http_client *client, const struct http_client_reply *reply)
{
    struct phone *p = ctx;

    (void)client;
    p->on_reply(p->owner, p, reply->status, reply->body);
}

static void on_event(void *ctx, struct http_client *client, struct bytes id, struct bytes event,
                     struct bytes data)
{
    struct phone *p = ctx;

    (void)client;
    (void)id;
    if (p->on_event) p->on_event(p->owner, event, data);
}

static void on_failed(void *ctx, struct http_client *client, struct err why)
{
    struct phone *p = ctx;

    (void)client;
    (void)why;
    p->on_reply(p->owner, p, 0, bytes_of(NULL, 0));
}
