/* SPDX-License-Identifier: Apache-2.0 */
/* client_fake.c: see client_fake.h. */
#include "net/fake/client_fake.h"

#include <string.h>

#include "base/must.h"

static struct err submit(struct caller *client, const struct client_call *from)
{
    struct client_fake *f = (struct client_fake *)client;
    if (f->refuse) return ERR(FORBIDDEN, "refused by the test");
    must(f->begun < CLIENT_FAKE_CALLS && from->body.len < CLIENT_FAKE_BODY && from->url.len <= CLIENT_URL_MAX);
    struct client_fake_call *call = &f->calls[f->begun++];
    *call = (struct client_fake_call){.ticket = from->ticket, .deadline_ms = from->deadline_ms,
                                      .header_count = from->header_count, .body_len = from->body.len};
    memcpy(call->url, from->url.at, from->url.len);
    memcpy(call->body, from->body.at, from->body.len);
    for (uint32_t i = 0; i < from->header_count; i++) {
        const struct client_header *h = &from->headers[i];
        size_t len = strlen(h->name);
        must(len + h->value.len + 3 < CLIENT_HEADER_LEN_MAX);
        memcpy(call->headers[i], h->name, len);
        call->headers[i][len] = ' ';
        memcpy(call->headers[i] + len + 1, h->value.at, h->value.len);
    }
    return NO_ERR;
}

static struct client_answer *next(struct caller *client)
{
    struct client_fake *f = (struct client_fake *)client;
    struct client_fake_call *call = &f->calls[f->released];
    return f->released < f->begun && call->answered ? &call->answer : NULL;
}

static void release(struct caller *client)
{
    ((struct client_fake *)client)->released++;
}

static void destroy(struct caller *client)
{
    (void)client;
}

void client_fake_init(struct client_fake *f)
{
    static const struct client_calls calls = {submit, next, release, destroy};
    memset(f, 0, sizeof *f);
    f->client.calls = &calls;
}

struct client_fake_call *client_fake_look(struct client_fake *f)
{
    return f->looked < f->begun ? &f->calls[f->looked++] : NULL;
}

void client_fake_answer(struct client_fake_call *call, int status, const char *body)
{
    must(strlen(body) < sizeof call->reply);
    memcpy(call->reply, body, strlen(body) + 1);
    call->answered = true;
    call->answer = (struct client_answer){.ticket = call->ticket, .status = status, .body = bytes_text(call->reply),
                                          .err = status ? NO_ERR : ERR(IO, "the call broke off")};
}

const char *client_fake_header(const struct client_fake_call *call, const char *name)
{
    size_t len = strlen(name);
    for (uint32_t i = 0; i < call->header_count; i++) {
        if (!strncmp(call->headers[i], name, len) && call->headers[i][len] == ' ') return call->headers[i] + len + 1;
    }
    return "";
}
