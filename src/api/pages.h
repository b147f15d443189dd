/* SPDX-License-Identifier: Apache-2.0 */
/* pages.h: the built pages for people: read once at start, then answered from memory.
 *
 *     DIR/control/index.html           /control/, and every path below it that names no file: the page routes itself
 *     DIR/control/assets/x-1a2b3c.js   named by its content: may be kept for ever
 *     DIR/control/assets/x-1a2b3c.js.br, .gz      the same, compressed by the build, given to who accepts it
 *
 * A request is compared with the table of what was read and with nothing else: no path of a request ever reaches the
 * file system. Every answer carries a policy that forbids scripts, styles and connections from elsewhere.
 * Limits  enum below; a folder that is over them, or a link in it, is refused whole
 * Owner   pages_create/pages_destroy
 * Thread  any; nothing changes after pages_create */
#ifndef API_PAGES_H
#define API_PAGES_H

#include "net/http.h"

enum {
    PAGES_FILE_MAX = 1024,          /* files, compressed ones included */
    PAGES_FILE_BYTES_MAX = 4 << 20, /* of one */
    PAGES_BYTES_MAX = 64 << 20,     /* of all */
    PAGES_PATH_MAX = 120,           /* "/control/assets/x-1a2b3c.js" */
    PAGES_DEPTH_MAX = 4,            /* folders below DIR */
    PAGES_HEADERS_MAX = 10,
};

struct pages;

struct pages_options {
    const char *dir;
    const char *panel;              /* an origin that the pages may call beside ours ("http://127.0.0.1:9000"), or "" */
};

/* NOT_FOUND: no such folder. INVALID: `panel` is no origin. TOO_LARGE, UNSUPPORTED: the folder holds what it must not. */
MUST_USE struct err pages_create(const struct pages_options *options, struct pages **out);
void pages_destroy(struct pages *p); /* NULL is fine */
unsigned pages_count(const struct pages *p);

/* An answer and the headers that it points to; both borrow from `pages`. */
struct pages_answer {
    struct http_response response;
    struct http_reply_header headers[PAGES_HEADERS_MAX];
    char etag[24], location[PAGES_PATH_MAX];
};

/* OK: answered (200, 304, 308). NOT_FOUND: the path is under no app. UNSUPPORTED: it is, but not with this method.
 * INVALID: it is, and names a file that is not there. */
struct err pages_find(const struct pages *p, const struct http_request *request, struct pages_answer *out);

/* DIR for a binary that lies beside its pages: "build/paddock" has "build/apps". */
void pages_beside_binary(char *path, size_t room);

#endif
