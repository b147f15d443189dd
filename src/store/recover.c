/* SPDX-License-Identifier: Apache-2.0 */
/* recover.c: where to start from, and what to do when the tables are no good. The replay itself:
 * recover_replay.c. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/must.h"
#include "store/recover_inside.h"

#define DAMAGED DATA_TABLES ".damaged"
#define PART DATA_TABLES ".part"
#define WAL DATA_TABLES "-wal"

static struct err engine_fresh(struct recovered *r, const struct recover_options *o);
static struct err begin_writing(struct recovered *r, const struct recover_options *o);
static struct err begin_reading(struct recovered *r, const struct recover_options *o);
static struct err refuse_lost_journal(struct recovered *r, const struct recover_options *o);

struct err recover_open(struct recovered *r, const struct recover_options *o)
{
    memset(r, 0, sizeof *r);
    struct err e = engine_fresh(r, o);
    if (!e.code) e = o->read_only ? begin_reading(r, o) : begin_writing(r, o);
    if (!e.code) e = refuse_lost_journal(r, o);
    if (!e.code) e = recover_replay(r, o);
    if (e.code && !r->text[0]) recover_say(r, "The data directory cannot be recovered: %s.", e.why);
    if (e.code) return e;
    r->seq = engine_seq(r->engine);
    r->now_ms = engine_now_ms(r->engine);
    return NO_ERR;
}

void recovered_close(struct recovered *r)
{
    keeper_destroy(r->keeper);
    tables_close(&r->tables);
    journal_close(r->journal);
    if (r->memory) munmap(r->memory, r->memory_len);
    r->keeper = NULL;
    r->journal = NULL;
    r->engine = NULL;
    r->memory = NULL;
}

/* An engine as new: address space only, pages come with rows. Again after a load that failed half-way. */
static struct err engine_fresh(struct recovered *r, const struct recover_options *o)
{
    if (r->memory) munmap(r->memory, r->memory_len);
    r->engine = NULL;
    r->memory_len = engine_need(o->limits);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    r->memory = mmap(NULL, r->memory_len, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (r->memory == MAP_FAILED) {
        r->memory = NULL;
        return ERR(FULL, "no address space for the engine's rows: lower the configured limits");
    }
    r->engine = engine_init(r->memory, o->limits);
    return NO_ERR;
}

/* Are they what the engine was at their cut? Another build may count other fields: nothing to compare with
 * then. */
static struct err compare_hash(struct recovered *r, const struct recover_options *o, struct tables *t)
{
    if (!t->hash_seq || t->hash_seq != r->from_seq || t->hash_build != o->build) return NO_ERR;
    uint64_t got = engine_hash(r->engine);
    if (got == t->state_hash) {
        r->state_hash_checked = r->from_seq;
        return NO_ERR;
    }
    snprintf(t->text, sizeof t->text,
             "tables.db holds another state at fact %llu than the engine had (hash %016llx, not %016llx)",
             (unsigned long long)r->from_seq, (unsigned long long)got, (unsigned long long)t->state_hash);
    return ERR(CORRUPT, "tables: the state hash differs");
}

static struct err open_and_load(struct recovered *r, const struct recover_options *o, const char *name,
                                struct tables *t)
{
    char path[FILE_PATH_MAX];
    memset(t, 0, sizeof *t);
    TRY(engine_fresh(r, o));
    TRY(data_sql_path(&o->dir, name, path));
    struct tables_options options = {.vfs = o->dir.vfs, .build = o->build, .exclusive = o->dir.exclusive};
    struct err e = o->read_only ? tables_open_reading(t, &o->dir, name) : tables_open(t, path, &options);
    if (!e.code) e = tables_load(t, r->engine, &r->from_seq);
    if (!e.code) e = compare_hash(r, o, t);
    return e;
}

/* Out of the way but not away: someone may want to look. */
static struct err set_aside(struct recovered *r, const struct recover_options *o, const char *why)
{
    const struct file_system *fs = o->dir.fs;
    recover_say(r, "%s. It is kept as " DAMAGED " and made anew. ", why);
    r->rebuilt = true;
    TRY(file_rename(fs, DATA_TABLES, DAMAGED));
    static const char *const suffixes[] = {"-wal", "-shm"};
    for (size_t i = 0; i < 2; i++) {
        char from[FILE_PATH_MAX], to[FILE_PATH_MAX];
        bool has;
        snprintf(from, sizeof from, DATA_TABLES "%s", suffixes[i]);
        snprintf(to, sizeof to, DAMAGED "%s", suffixes[i]);
        TRY(data_has(&o->dir, from, &has));
        if (has) TRY(file_rename(fs, from, to));
    }
    return NO_ERR;
}

/* The newest base that can be read becomes tables.db; none: an empty one. */
static struct err begin_anew(struct recovered *r, const struct recover_options *o)
{
    struct base bases[BASES_MAX];
    size_t count = 0;
    TRY(bases_list(&o->dir, bases, BASES_MAX, &count));
    while (count--) {
        char name[BASE_NAME_MAX];
        base_name(bases[count].seq, name);
        TRY(data_copy(&o->dir, name, PART));
        TRY(file_rename(o->dir.fs, PART, DATA_TABLES));
        struct err e = open_and_load(r, o, DATA_TABLES, &r->tables);
        r->from = RECOVER_BASE;
        if (!e.code) recover_say(r, "Started from %s. ", name);
        if (e.code != ERR_CORRUPT) return e;
        tables_close(&r->tables);
        TRY(file_remove(o->dir.fs, DATA_TABLES)); /* a copy; the base itself stays */
    }
    r->from = RECOVER_START;
    return open_and_load(r, o, DATA_TABLES, &r->tables);
}

/* A hole in the WAL that shows only after a power cut would put old pages over new ones. (tables.db needs
 * no such care: a checkpoint that was not synced is done again from the WAL.) */
static struct err settle_wal(const struct recover_options *o)
{
    bool has;
    TRY(data_has(&o->dir, WAL, &has));
    return has ? data_copy(&o->dir, WAL, WAL) : NO_ERR;
}

static struct err begin_writing(struct recovered *r, const struct recover_options *o)
{
    bool has;
    struct err e = NO_ERR;
    TRY(settle_wal(o));
    TRY(data_has(&o->dir, DATA_TABLES, &has));
    r->from = RECOVER_TABLES;
    if (has) e = open_and_load(r, o, DATA_TABLES, &r->tables);
    if (has && e.code == ERR_CORRUPT) {
        tables_close(&r->tables);
        TRY(set_aside(r, o, r->tables.text));
        has = false;
    }
    if (!has) e = begin_anew(r, o);
    if (e.code) {
        recover_say(r, "%s. ", r->tables.text[0] ? r->tables.text : e.why);
        return e;
    }
    return keeper_create(&r->keeper, &r->tables, &o->keeper);
}

/* Loads `name` and lets go of it: nothing is written. */
static struct err read_tables(struct recovered *r, const struct recover_options *o, const char *name)
{
    struct err e = open_and_load(r, o, name, &r->tables);
    tables_close(&r->tables);
    if (e.code) recover_say(r, "%s: %s. ", name, r->tables.text[0] ? r->tables.text : e.why);
    return e;
}

static struct err begin_at_oldest_base(struct recovered *r, const struct recover_options *o)
{
    struct base bases[BASES_MAX];
    size_t count = 0;
    struct journal_options options = o->journal;
    struct journal_report report;
    struct journal *j;
    options.mode = JOURNAL_READ_ONLY;
    struct err e = journal_open(&j, o->dir.fs, DATA_JOURNAL, &options, JOURNAL_FROM_END, NULL, NULL, &report);
    journal_close(j);
    if (e.code) {
        recover_say(r, "%s. ", report.text);
        return e;
    }
    r->from = RECOVER_START;
    if (report.first_seq <= 1) return NO_ERR;
    TRY(bases_list(&o->dir, bases, BASES_MAX, &count));
    for (size_t i = 0; i < count; i++) {
        if (bases[i].seq + 1 < report.first_seq) continue;
        char name[BASE_NAME_MAX];
        base_name(bases[i].seq, name);
        r->from = RECOVER_BASE;
        return read_tables(r, o, name);
    }
    return ERR(NOT_FOUND, "no base and no first fact to start from");
}

static struct err begin_reading(struct recovered *r, const struct recover_options *o)
{
    r->from = o->from;
    if (o->from == RECOVER_START) return NO_ERR;
    if (o->from == RECOVER_BASE) return begin_at_oldest_base(r, o);
    bool has;
    TRY(data_has(&o->dir, DATA_TABLES, &has));
    r->from = RECOVER_TABLES;
    struct err e = has ? read_tables(r, o, DATA_TABLES) : ERR(NOT_FOUND, "there is no tables.db");
    if (!e.code || o->from == RECOVER_TABLES || (e.code != ERR_CORRUPT && e.code != ERR_NOT_FOUND)) return e;
    r->rebuilt = true;
    r->from_seq = 0;
    TRY(engine_fresh(r, o));
    return begin_at_oldest_base(r, o);
}

/* A new journal would begin behind the tables as if nothing had been lost. */
static struct err refuse_lost_journal(struct recovered *r, const struct recover_options *o)
{
    bool has;
    if (!r->from_seq) return NO_ERR;
    TRY(data_has(&o->dir, DATA_JOURNAL, &has));
    if (has) return NO_ERR;
    recover_say(r, "journal/ is missing, tables.db holds facts up to %llu: what came later is lost."
                   " Restore journal/ from where it went, or start from a backup.", (unsigned long long)r->from_seq);
    return ERR(CORRUPT, "the journal is missing");
}
