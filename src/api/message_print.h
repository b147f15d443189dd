/* SPDX-License-Identifier: Apache-2.0 */
/* message_print.h: the demo's way for messages: a line on stderr and the last few in a file, for the people of a demo
 * have no phones.
 *
 * Only    with the setting demo.mode: what a real person gets on a phone must not stand in a log. Opening it otherwise
 *         is refused.
 * File    `path`: {"messages":[{"at_ms","to","template","params":{…}}, …]}, newest first, MESSAGE_PRINT_KEPT of them,
 *         replaced whole by rename, readable by its owner
 * Thread  the loop's; it writes a small file on it, which a demo can bear */
#ifndef API_MESSAGE_PRINT_H
#define API_MESSAGE_PRINT_H

#include "api/message.h"

enum { MESSAGE_PRINT_KEPT = 32 };

struct message_print_options {
    bool demo;                          /* the setting demo.mode */
    const char *path;                   /* NULL: no file */
    bool quiet;                         /* nothing on stderr */
    int64_t (*wall_ms)(void *ctx);
    void *ctx;
};

struct message_print;

/* STATE: not in a demo. */
MUST_USE struct err message_print_open(const struct message_print_options *options, struct message_print **out);
void message_print_close(struct message_print *p); /* NULL is fine */
struct message_way message_print_way(struct message_print *p);

#endif
