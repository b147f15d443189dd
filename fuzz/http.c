/* SPDX-License-Identifier: Apache-2.0 */
/* http.c: fuzzes the HTTP server through a network in memory. The first byte picks where reads split and how
 * the handler answers; the rest is what a client sends.
 *
 * Holds   never more answers than requests, and none to a request twice; each answer starts with a status
 * line; memory returns to nothing; unread bytes and queues stay in their limits */
#include <string.h>

#include "base/must.h"
#include "net/fake/loop_fake.c" /* NOLINT: the fuzz targets link layers only, and this is no layer */
#include "net/http.h"

struct fuzz {
    struct loop *loop;
    struct http_server *server;
    uint64_t later;
    uint32_t requests, replies, gone;
    bool answers_late;
};

static void on_request(void *ctx, const struct http_request *r)
{
    struct fuzz *f = ctx;
    static char copy[65536];
    struct http_response out = {.status = 200, .content_type = "text/plain", .body = r->path};

    f->requests++;
    must(f->later == 0); /* one at a time on a connection */
    must(r->path.len > 0 && r->path.at[0] == '/' && r->path.len + r->query.len <= r->target.len);
    must(r->header_count <= HTTP_HEADER_LIMIT && r->body.len <= sizeof copy && r->trace_id.len == 32);
    for (uint32_t i = 0; i < r->header_count; i++) {
        must(r->headers[i].name.len > 0 && bytes_find(r->headers[i].name, ' ') == r->headers[i].name.len);
        must(bytes_find(r->headers[i].value, '\n') == r->headers[i].value.len);
    }
    if (r->body.len) memcpy(copy, r->body.at, r->body.len); /* the sanitizer reads along */
    if (f->answers_late) {
        f->later = r->handle;
        return;
    }
    if (http_reply(f->server, r->handle, &out).code == ERR_OK) f->replies++;
    must(http_reply(f->server, r->handle, &out).code == ERR_NOT_FOUND);
}

static void on_gone(void *ctx, uint64_t handle)
{
    struct fuzz *f = ctx;
    must(handle && handle == f->later);
    f->gone++;
    f->later = 0;
}

static void answer_late(struct fuzz *f)
{
    for (int i = 0; i < 1000 && f->later; i++) {
        uint64_t handle = f->later;
        f->later = 0;
        if (http_reply(f->server, handle, &(struct http_response){.status = 204}).code == ERR_OK)
            f->replies++;
        fake_settle(f->loop);
    }
}

static uint32_t count_answers(struct bytes out)
{
    static const char line[] = "HTTP/1.1 ";
    uint32_t count = 0;

    must(out.len == 0 || bytes_starts(out, line));
    for (size_t i = 0; i + sizeof line <= out.len; i++) {
        /* Echoed paths have no spaces; "100 Continue" is no answer; a problem's text may speak of HTTP/1.1
         * too. */
        if (memcmp(out.at + i, line, sizeof line - 1) == 0 && out.at[i + 9] >= '2' && out.at[i + 9] <= '5')
            count++;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz f = {.loop = loop_fake_create()};
    struct http_server_config config = {.loop_conn_max = FAKE_CONN_MAX,
                                        .events = {&f, on_request, on_gone},
                                        .limits = {.line_max = 200,
                                                   .header_bytes_max = 1000,
                                                   .body_max = 2000,
                                                   .pipelined_max = 500,
                                                   .header_count_max = 10}};

    must(http_server_create(f.loop, &config, &f.server).code == ERR_OK);
    if (size > 0) {
        f.answers_late = data[0] & 1;
        fake_set_read_max(f.loop, data[0] >> 1);
        uint64_t conn = fake_dial(f.loop, 0);
        fake_send(f.loop, conn, bytes_of(data + 1, size - 1));
        fake_settle(f.loop);
        must(fake_kept(f.loop, conn) <= 1000);
        must(http_server_counters(f.server)->memory_bytes < 20000);
        answer_late(&f);
        fake_hang_up(f.loop, conn);
        fake_settle(f.loop);
        must(fake_is_closed(f.loop, conn, NULL));
        const struct http_counters *n = http_server_counters(f.server);
        must(n->requests == f.requests && f.replies <= f.requests);
        /* Each request once, and one refusal at most, which ends the connection. */
        must(n->replies <= (uint64_t)f.requests + 1 && n->replies <= f.replies + 1);
        must(count_answers(fake_received(f.loop, conn)) == n->replies);
        must(f.later == 0 && n->memory_bytes == 0 && n->conns == 0);
    }
    http_server_destroy(f.server);
    loop_destroy(f.loop);
    return 0;
}
