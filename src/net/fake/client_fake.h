/* SPDX-License-Identifier: Apache-2.0 */
/* client_fake.h: a net/client.h whose other side is the test: it looks at each call and answers when it likes. Test
 * support only. Thread one. */
#ifndef NET_FAKE_CLIENT_FAKE_H
#define NET_FAKE_CLIENT_FAKE_H

#include "net/client.h"

enum { CLIENT_FAKE_CALLS = 64, CLIENT_FAKE_BODY = 65536 };

struct client_fake_call {
    struct client_answer answer;
    bool taken, answered;
    uint64_t ticket;
    uint32_t deadline_ms, header_count;
    char url[CLIENT_URL_MAX + 1];
    char headers[CLIENT_HEADERS_MAX][CLIENT_HEADER_LEN_MAX];
    size_t body_len;
    char body[CLIENT_FAKE_BODY], reply[1024];
};

struct client_fake {
    struct caller client;
    struct client_fake_call calls[CLIENT_FAKE_CALLS]; /* in the order made */
    uint32_t begun, looked, released;
    bool refuse;                                      /* every submit is FORBIDDEN */
};

void client_fake_init(struct client_fake *f);
/* The oldest call that was not looked at yet; NULL: none. */
struct client_fake_call *client_fake_look(struct client_fake *f);
/* status 0: it failed with IO. Answers leave in the order of calls: earlier ones first. */
void client_fake_answer(struct client_fake_call *call, int status, const char *body);
/* "webhook-id" and so on, "" when it is not there. */
const char *client_fake_header(const struct client_fake_call *call, const char *name);

#endif
