/* SPDX-License-Identifier: Apache-2.0 */
/* journal_copy.c: a journal's second home (`paddock backup --follow`). Every record is read with its checksum
 * verified, appended there, and must come out with the same checksum: so both chains are one. */
#include <stdlib.h>

#include "store/journal_cursor.h"
#include "store/journal_read.h"

struct journal_copy {
    struct journal_reader *from;
    struct journal *to;
};

static struct err copy_connect(struct journal_copy *c, const struct file_system *from_fs,
                               const char *from, const struct file_system *to_fs, const char *to,
                               struct journal_options *options, uint64_t base_seq,
                               struct journal_report *report);
static struct err copy_on_record(void *ctx, const struct journal_record *r);

struct err journal_copy_open(struct journal_copy **out, const struct file_system *from_fs,
                             const char *from, const struct file_system *to_fs, const char *to,
                             const struct journal_options *to_options, uint64_t base_seq,
                             struct journal_report *report)
{
    *out = NULL;
    *report = (struct journal_report){0};
    struct journal_copy *c = calloc(1, sizeof *c);
    if (!c) return ERR(FULL, "no memory for a journal's copy");
    struct journal_options options = *to_options;
    options.mode = JOURNAL_WRITE;
    struct err e = copy_connect(c, from_fs, from, to_fs, to, &options, base_seq, report);
    if (e.code) {
        journal_copy_close(c);
        return e;
    }
    *out = c;
    return NO_ERR;
}

void journal_copy_close(struct journal_copy *c)
{
    if (!c) return;
    journal_reader_close(c->from);
    journal_close(c->to);
    free(c);
}

struct err journal_copy_step(struct journal_copy *c, uint64_t records_max, uint64_t *count)
{
    struct err e = journal_reader_next(c->from, records_max, copy_on_record, c->to, count);
    if (e.code) return e;
    return journal_commit(c->to);
}

struct journal *journal_copy_target(struct journal_copy *c)
{
    return c->to;
}

uint64_t journal_copy_seq(const struct journal_copy *c)
{
    return journal_committed_seq(c->to);
}

static struct err copy_connect(struct journal_copy *c, const struct file_system *from_fs,
                               const char *from, const struct file_system *to_fs, const char *to,
                               struct journal_options *options, uint64_t base_seq,
                               struct journal_report *report)
{
    struct err e = journal_open(&c->to, to_fs, to, options, JOURNAL_FROM_END, NULL, NULL, report);
    if (!e.code) { /* there is a copy: it goes on where it ends */
        uint64_t seq = journal_committed_seq(c->to);
        TRY(journal_reader_open(&c->from, from_fs, from, seq, report));
        if (journal_reader_crc(c->from) == journal_last_crc(c->to)) return NO_ERR;
        journal_say(report->text, "seq %llu differs between the journal %s and its copy %s",
                    (unsigned long long)seq, from, to);
        return ERR(CORRUPT, "the copy and the journal differ");
    }
    if (e.code != ERR_NOT_FOUND || report->segments) return e;
    e = journal_reader_open(&c->from, from_fs, from, base_seq, report);
    if (e.code == ERR_NOT_FOUND && report->first_seq) { /* it begins later */
        e = journal_reader_open(&c->from, from_fs, from, report->first_seq - 1, report);
    }
    if (e.code) return e;
    options->salt = journal_reader_salt(c->from);
    options->first_prev = journal_reader_crc(c->from);
    return journal_open(&c->to, to_fs, to, options, journal_reader_seq(c->from), NULL, NULL, report);
}

static struct err copy_on_record(void *ctx, const struct journal_record *r)
{
    struct journal *to = ctx;
    struct err e =
        journal_append(to, r->seq, r->time_ms, r->build, r->effects_sum, r->payload);
    if (e.code == ERR_FULL && journal_buffered_bytes(to)) {
        TRY(journal_commit(to));
        e = journal_append(to, r->seq, r->time_ms, r->build, r->effects_sum, r->payload);
    }
    if (e.code) return e;
    if (journal_last_crc(to) != r->crc) return ERR(CORRUPT, "the copy and the journal differ");
    return NO_ERR;
}
