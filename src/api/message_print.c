/* SPDX-License-Identifier: Apache-2.0 */
/* message_print.c: see message_print.h. */
#include "api/message_print.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_ROOM 1200
#define TEXT_ROOM 32768

struct kept { struct message_ask message; int64_t at_ms; };

struct message_print {
    struct message_print_options options;
    char path[PATH_ROOM], part[PATH_ROOM];
    struct kept kept[MESSAGE_PRINT_KEPT]; /* a ring */
    uint64_t count;
    char text[TEXT_ROOM];
};

struct err message_print_open(const struct message_print_options *options, struct message_print **out)
{
    if (!options->demo) return ERR(STATE, "messages are printed in a demo only: set demo.mode, or declare a hook");
    struct message_print *p = calloc(1, sizeof *p);
    if (!p) return ERR(IO, "no memory");
    p->options = *options;
    if (options->path) {
        snprintf(p->path, sizeof p->path, "%s", options->path);
        int len = snprintf(p->part, sizeof p->part, "%s.part", options->path);
        if (len < 0 || (size_t)len >= sizeof p->part) {
            free(p);
            return ERR(TOO_LARGE, "the path for printed messages is too long");
        }
    }
    *out = p;
    return NO_ERR;
}

void message_print_close(struct message_print *p)
{
    free(p);
}

static void put_message(const struct kept *k, struct json *j)
{
    const struct message_ask *m = &k->message;
    json_open(j, '{');
    json_name(j, "at_ms");
    json_i64(j, k->at_ms);
    json_name(j, "to");
    json_text(j, text_bytes(&m->to));
    json_name(j, "template");
    json_literal(j, enum_name(&message_template_names, m->template));
    json_name(j, "params");
    json_open(j, '{');
    for (unsigned i = 0; i < m->param_count; i++) {
        json_name(j, m->params[i].name);
        json_text(j, text_bytes(&m->params[i].value));
    }
    json_close(j, '}');
    json_close(j, '}');
}

static bool write_all(const char *path, struct bytes text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    bool whole = write(fd, text.at, text.len) == (ssize_t)text.len;
    return close(fd) == 0 && whole;
}

static bool write_file(struct message_print *p)
{
    struct buf b = buf_on(p->text, sizeof p->text);
    struct json j = json_on(&b);
    json_open(&j, '{');
    json_name(&j, "messages");
    json_open(&j, '[');
    for (uint64_t i = 0; i < p->count && i < MESSAGE_PRINT_KEPT; i++) {
        put_message(&p->kept[(p->count - 1 - i) % MESSAGE_PRINT_KEPT], &j);
    }
    json_close(&j, ']');
    json_close(&j, '}');
    buf_put_char(&b, '\n');
    return !b.full && write_all(p->part, buf_bytes(&b)) && rename(p->part, p->path) == 0;
}

static void print_line(const struct message_ask *m)
{
    char memory[400];
    struct buf b = buf_on(memory, sizeof memory);
    buf_put_text(&b, "demo: message ");
    buf_put_text(&b, enum_name(&message_template_names, m->template));
    buf_put_text(&b, " to ");
    buf_put_bytes(&b, text_bytes(&m->to));
    for (unsigned i = 0; i < m->param_count; i++) {
        buf_put_char(&b, ' ');
        buf_put_text(&b, m->params[i].name);
        buf_put_char(&b, '=');
        buf_put_bytes(&b, text_bytes(&m->params[i].value));
    }
    buf_put_char(&b, '\n');
    fwrite(b.at, 1, b.len, stderr);
}

static struct err print_send(void *ctx, struct messages *messages, uint64_t ticket, const struct message_ask *message)
{
    struct message_print *p = ctx;
    struct kept *k = &p->kept[p->count % MESSAGE_PRINT_KEPT];
    k->message = *message;
    k->at_ms = p->options.wall_ms ? p->options.wall_ms(p->options.ctx) : 0;
    p->count++;
    if (!p->options.quiet) print_line(message);
    bool fine = !p->options.path || write_file(p);
    message_done(messages, ticket, fine ? MESSAGE_SENT : MESSAGE_FAILED);
    return NO_ERR;
}

struct message_way message_print_way(struct message_print *p)
{
    return (struct message_way){.name = "print", .ctx = p, .send = print_send};
}
