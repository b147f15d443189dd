/* SPDX-License-Identifier: Apache-2.0 */
/* pages.c: a request for a page becomes an answer out of the table. */
#include "api/pages.h"

#include <stdlib.h>
#include <string.h>

#include "api/pages_inside.h"
#include "net/http_text.h"

/* Nothing from elsewhere, nothing written into the page itself, nobody may frame it. Pictures may come out of the
 * page (data:, blob:), where the map draws its own. */
static const char policy_front[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "connect-src 'self'";
static const char permissions[] =
    "camera=(self), geolocation=(self), microphone=(), payment=(), usb=(), serial=(), display-capture=()";

/* "http://host:port" and no more: it goes into a header. */
static bool is_origin(struct bytes text)
{
    struct bytes host = text;
    if (bytes_starts(text, "http://")) host = bytes_of(text.at + 7, text.len - 7);
    else if (bytes_starts(text, "https://")) host = bytes_of(text.at + 8, text.len - 8);
    else return false;
    for (size_t i = 0; i < host.len; i++) {
        uint8_t c = host.at[i], lower = c | 0x20;
        bool fine = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == ':' || c == '-' ||
                    c == '[' || c == ']';
        if (!fine) return false;
    }
    return host.len > 0 && host.len <= 80;
}

static struct err put_policy(struct pages *p, const char *panel)
{
    struct buf b = buf_on(p->policy, sizeof p->policy - 1);
    buf_put_text(&b, policy_front);
    if (*panel) {
        if (!is_origin(bytes_text(panel))) return ERR(INVALID, "the demo's panel is no origin like http://127.0.0.1:9000");
        buf_put_char(&b, ' ');
        buf_put_text(&b, panel);
    }
    return NO_ERR;
}

struct err pages_create(const struct pages_options *options, struct pages **out)
{
    struct pages *p = calloc(1, sizeof *p);
    if (!p) return ERR(IO, "no memory");
    struct err e = put_policy(p, options->panel ? options->panel : "");
    if (!e.code) e = pages_read(p, options->dir);
    if (e.code) {
        pages_destroy(p);
        return e;
    }
    *out = p;
    return NO_ERR;
}

void pages_destroy(struct pages *p)
{
    if (!p) return;
    for (unsigned i = 0; i < p->count; i++) {
        for (unsigned c = 0; c < PAGE_CODING_N; c++) free((void *)(uintptr_t)p->at[i].body[c].at);
    }
    free(p->at);
    free(p);
}

unsigned pages_count(const struct pages *p)
{
    return p->count;
}

/* "br;q=0" is a refusal; any other weight is a yes. */
static bool accepts(struct bytes list, const char *coding)
{
    while (list.len) {
        struct bytes rest = bytes_split(&list, ','), name = bytes_trim(bytes_split(&rest, ';'));
        if (!http_equal_nocase(name, coding)) continue;
        struct bytes weight = bytes_trim(rest);
        bool zero = bytes_starts(weight, "q=0");
        for (size_t i = 3; zero && i < weight.len; i++) zero = weight.at[i] == '.' || weight.at[i] == '0';
        return !zero;
    }
    return false;
}

/* The smallest body that the client takes. */
static enum page_coding coding_for(const struct page *page, struct bytes accepted)
{
    static const char *const names[PAGE_CODING_N] = {[PAGE_GZIP] = "gzip", [PAGE_BROTLI] = "br"};
    enum page_coding best = PAGE_PLAIN;
    for (unsigned c = PAGE_GZIP; c < PAGE_CODING_N; c++) {
        if (page->body[c].at && page->body[c].len < page->body[best].len && accepts(accepted, names[c])) best = c;
    }
    return best;
}

static bool tag_listed(struct bytes list, struct bytes tag)
{
    while (list.len) {
        struct bytes one = bytes_trim(bytes_split(&list, ','));
        if (bytes_starts(one, "W/")) one = bytes_of(one.at + 2, one.len - 2);
        if (bytes_equal(one, tag) || bytes_equal_text(one, "*")) return true;
    }
    return false;
}

static void add(struct pages_answer *out, const char *name, struct bytes value)
{
    out->headers[out->response.header_count++] = (struct http_reply_header){name, value};
}

static void fill(const struct pages *p, const struct page *page, const struct http_request *request,
                 struct pages_answer *out)
{
    static const char *const names[PAGE_CODING_N] = {[PAGE_GZIP] = "gzip", [PAGE_BROTLI] = "br"};
    enum page_coding coding = coding_for(page, http_header_of(request, "accept-encoding"));
    struct buf tag = buf_on(out->etag, sizeof out->etag);
    buf_put_char(&tag, '"');
    buf_put_hex64(&tag, page->sum);
    if (coding) buf_put_char(&tag, "-gb"[coding]);
    buf_put_char(&tag, '"');
    bool same = tag_listed(http_header_of(request, "if-none-match"), buf_bytes(&tag));
    out->response = (struct http_response){.status = same ? 304 : 200, .content_type = page->type,
                                           .headers = out->headers, .body = page->body[coding]};
    if (same) out->response.body = bytes_of(NULL, 0);
    add(out, "ETag", buf_bytes(&tag));
    add(out, "Vary", bytes_text("Accept-Encoding"));
    add(out, "Cache-Control", bytes_text(page->immutable ? "public, max-age=31536000, immutable" : "no-cache"));
    add(out, "X-Content-Type-Options", bytes_text("nosniff"));
    add(out, "Content-Security-Policy", bytes_text(p->policy)); /* a worker's own answer carries the worker's policy */
    add(out, "Referrer-Policy", bytes_text("no-referrer"));
    add(out, "Permissions-Policy", bytes_text(permissions));
    add(out, "Cross-Origin-Opener-Policy", bytes_text("same-origin"));
    if (coding) add(out, "Content-Encoding", bytes_text(names[coding]));
}

/* "/control/assets/x.js" → "/control/index.html", when there is one. */
static const struct page *index_of(const struct pages *p, struct bytes path)
{
    char name[PAGES_PATH_MAX];
    struct buf b = buf_on(name, sizeof name);
    struct bytes rest = path, app;
    if (!http_path_next(&rest, &app) || !app.len) return NULL;
    buf_put_char(&b, '/');
    buf_put_bytes(&b, app);
    buf_put_text(&b, "/index.html");
    return b.full ? NULL : pages_at(p, buf_bytes(&b));
}

static struct err redirect(struct pages_answer *out, struct bytes path)
{
    struct buf b = buf_on(out->location, sizeof out->location);
    buf_put_bytes(&b, path);
    buf_put_char(&b, '/');
    if (b.full) return ERR(NOT_FOUND, "");
    out->response = (struct http_response){.status = 308, .headers = out->headers};
    add(out, "Location", buf_bytes(&b));
    add(out, "Cache-Control", bytes_text("no-cache"));
    return NO_ERR;
}

struct err pages_find(const struct pages *p, const struct http_request *request, struct pages_answer *out)
{
    struct bytes path = request->path, last = path, rest = path;
    const struct page *page = pages_at(p, path), *index = index_of(p, path);
    *out = (struct pages_answer){.etag = ""};
    if (!page && !index) return ERR(NOT_FOUND, "");
    if (request->verb != HTTP_VERB_GET && request->verb != HTTP_VERB_HEAD) {
        return ERR(UNSUPPORTED, "a page is only there to be read");
    }
    while (http_path_next(&rest, &last)) {}
    if (!page) {
        size_t slash = 1 + bytes_find(bytes_of(path.at + 1, path.len - 1), '/');
        if (slash == path.len) return redirect(out, path);
        if (bytes_find(last, '.') < last.len) return ERR(INVALID, "there is no such file");
        page = index;
    }
    fill(p, page, request, out);
    return NO_ERR;
}
