/* SPDX-License-Identifier: Apache-2.0 */
/* http_text.c: see http_text.h. */
#include "net/http_text.h"

static int hex_of(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static uint8_t lower_of(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c; }

bool http_is_token_char(uint8_t c)
{
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) return true;
    return c > 32 && c < 127 && bytes_find(bytes_text("!#$%&'*+-.^_`|~"), c) < 15;
}

bool http_is_token(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!http_is_token_char(text.at[i])) return false;
    }
    return text.len > 0;
}

bool http_equal_nocase(struct bytes text, const char *lower)
{
    for (size_t i = 0; i < text.len; i++) {
        if (lower[i] == 0 || lower_of(text.at[i]) != (uint8_t)lower[i]) return false;
    }
    return lower[text.len] == 0;
}

struct err http_percent_decode(struct bytes text, bool plus_is_space, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        if (c == '+' && plus_is_space) {
            c = ' ';
        } else if (c == '%') {
            int high = i + 2 < text.len ? hex_of(text.at[i + 1]) : -1;
            int low = i + 2 < text.len ? hex_of(text.at[i + 2]) : -1;
            if (high < 0 || low < 0) return ERR(MALFORMED, "percent: two hex digits must follow %");
            c = (uint8_t)(high << 4 | low);
            i += 2;
        }
        if (c < 32 || c == 127) return ERR(MALFORMED, "percent: control character");
        buf_put_char(out, (char)c);
    }
    return out->full ? ERR(TOO_LARGE, "percent: longer than its limit") : NO_ERR;
}

struct err http_query_get(struct bytes query, const char *name, struct buf *out)
{
    char room[64];
    bool found = false;

    while (query.len > 0) {
        struct bytes value = bytes_split(&query, '&');
        struct bytes key = bytes_split(&value, '=');
        struct buf decoded = buf_on(room, sizeof room);
        struct err e = http_percent_decode(key, true, &decoded);
        if (e.code == ERR_TOO_LARGE) continue; /* longer than any name that we ask for */
        TRY(e);
        if (!bytes_equal_text(buf_bytes(&decoded), name)) continue;
        if (found) return ERR(INVALID, "query: a parameter is there twice");
        found = true;
        TRY(http_percent_decode(value, true, out));
    }
    return found ? NO_ERR : ERR(NOT_FOUND, "query: no such parameter");
}

bool http_path_next(struct bytes *path, struct bytes *segment)
{
    if (path->len == 0 || path->at[0] != '/') return false;
    struct bytes rest = bytes_of(path->at + 1, path->len - 1);
    size_t len = bytes_find(rest, '/');
    *segment = bytes_of(rest.at, len);
    *path = bytes_of(rest.at + len, rest.len - len);
    return true;
}

bool http_list_has(struct bytes list, const char *token)
{
    while (list.len > 0) {
        if (http_equal_nocase(bytes_trim(bytes_split(&list, ',')), token)) return true;
    }
    return false;
}

struct err http_bearer(struct bytes authorization, struct bytes *token)
{
    if (!authorization.at) return ERR(NOT_FOUND, "authorization: no header");
    struct bytes rest = authorization;
    if (!http_equal_nocase(bytes_split(&rest, ' '), "bearer"))
        return ERR(MALFORMED, "authorization: expected Bearer and a token");
    *token = bytes_trim(rest);
    for (size_t i = 0; i < token->len; i++) {
        uint8_t c = token->at[i];
        if (!http_is_token_char(c) && c != '/' && c != '=')
            return ERR(MALFORMED, "authorization: odd character in the token");
    }
    return token->len ? NO_ERR : ERR(MALFORMED, "authorization: the token is empty");
}

/* 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 */
bool http_traceparent(struct bytes value, struct traceparent *out)
{
    bool zero = true;

    if (value.len != 55 || value.at[2] != '-' || value.at[35] != '-' || value.at[52] != '-') return false;
    for (size_t i = 0; i < value.len; i++) {
        if (i == 2 || i == 35 || i == 52) continue;
        if (hex_of(value.at[i]) < 0 || (value.at[i] >= 'A' && value.at[i] <= 'F')) return false;
        if (i > 2 && i < 35 && value.at[i] != '0') zero = false;
    }
    if (zero || bytes_starts(value, "ff")) return false;
    *out = (struct traceparent){bytes_of(value.at + 3, 32), bytes_of(value.at + 36, 16), hex_of(value.at[54]) & 1};
    return true;
}
