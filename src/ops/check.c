/* SPDX-License-Identifier: Apache-2.0 */
/* check.c: `paddock check`: does a data directory hold together? Journal chain, tables, books, and whether
 * the journal's facts still lead to the state that the tables hold. Nothing is repaired: a server repairs
 * what it safely can when it starts, and a backup is for the rest. */
#include <inttypes.h>
#include <string.h>

#include "ops/offline_inside.h"
#include "store/tables_check.h"

#define PROBLEMS_MAX 100u
#define PROBLEM_TEXT_MAX 400u

struct check {
    struct offline common;
    bool json;
    char problems[PROBLEMS_MAX][PROBLEM_TEXT_MAX];
    size_t told;
    uint64_t problem_count;
    struct journal_report journal;
    bool has_tables;
    uint64_t tables_seq;
    struct tables_figures figures;
    uint64_t state_hash, end_seq, tail, whole, whole_from; /* whole: facts of the long replay; 0 = none was possible */
    bool whole_done;
    const char *whole_why_not;
};

static void help(void)
{
    puts("Usage: paddock check --data DIR [--json] [--config FILE] [--set name=value]...\n"
         "\n"
         "Verifies a data directory that no server works in: every record of the journal and its chain; the\n"
         "tables, their integrity, every row; the books (postings sum to zero, rides charged once, riders owe what\n"
         "was posted); and that the journal's facts lead to the state that the tables hold. Prints figures.\n"
         "Nothing is written.\n"
         "\n"
         "For a server that runs: make a copy with paddock backup, and check that.\n"
         "\n"
         "Exit: 0 all is well; 1 something is broken; 2 bad usage; 3 could not run (a server is at work there, say)");
}

static void problem(void *ctx, const char *text)
{
    struct check *c = ctx;
    c->problem_count++;
    if (c->told < PROBLEMS_MAX) snprintf(c->problems[c->told++], PROBLEM_TEXT_MAX, "%s", text);
}

static void progress(void *ctx, const char *table, uint64_t rows)
{
    struct check *c = ctx;
    offline_progress(&c->common, "  ... table %s, row %" PRIu64, table, rows);
}

/* 0 or an exit code: only what makes checking impossible. */
static int check_journal(struct check *c)
{
    struct offline *o = &c->common;
    struct journal_options options = {.mode = JOURNAL_READ_ONLY, .verify_all = true};
    struct journal *j;
    struct err e = journal_open(&j, &o->fs, DATA_JOURNAL, &options, JOURNAL_FROM_END, NULL, NULL, &c->journal);
    journal_close(j);
    if (!e.code) return 0;
    char text[PROBLEM_TEXT_MAX];
    snprintf(text, sizeof text, "journal: %s", c->journal.text[0] ? c->journal.text : e.why);
    if (e.code == ERR_NOT_FOUND || e.code == ERR_CORRUPT) {
        problem(c, text);
        return 0;
    }
    fprintf(stderr, "paddock check: %s\n", text);
    return EXIT_CANNOT;
}

static int check_tables(struct check *c)
{
    struct tables t = {0};
    struct err e = data_has(&c->common.dir, DATA_TABLES, &c->has_tables);
    if (!e.code && !c->has_tables) {
        problem(c, "tables.db is missing; a server makes it anew from the journal or a base");
        return 0;
    }
    if (!e.code) e = tables_open_reading(&t, &c->common.dir, DATA_TABLES);
    if (!e.code) {
        c->tables_seq = t.seq;
        e = tables_check(&t, &(struct tables_checker){problem, progress, c}, &c->figures);
    }
    if (e.code == ERR_CORRUPT) problem(c, t.text);
    else if (e.code) fprintf(stderr, "paddock check: %s\n", t.text[0] ? t.text : e.why);
    tables_close(&t);
    return e.code && e.code != ERR_CORRUPT ? EXIT_CANNOT : 0;
}

static struct err replay(struct check *c, enum recover_from from, struct recovered *r)
{
    struct recover_options options = {
        .dir = c->common.dir, .from = from, .read_only = true, .accept_other_effects = true, .build = offline_build,
        .limits = &c->common.limits, .on_progress = offline_replaying, .ctx = &c->common,
    };
    struct err e = recover_open(r, &options);
    if (!e.code && r->differing) {
        char text[PROBLEM_TEXT_MAX];
        snprintf(text, sizeof text, "%" PRIu64 " facts have other effects than recorded; the first is fact %" PRIu64
                 ", written by build %016" PRIx64 "; this is build %016" PRIx64,
                 r->differing, r->first_differing_seq, r->first_differing_build, offline_build);
        problem(c, text);
    }
    return e;
}

/* Tables and tail must lead to what the whole journal leads to. */
static void check_state(struct check *c)
{
    struct recovered r;
    char text[PROBLEM_TEXT_MAX];
    struct err tail = replay(c, RECOVER_TABLES, &r);
    if (tail.code) {
        snprintf(text, sizeof text, "tables and tail: %.300s", r.text);
        problem(c, text);
    } else {
        c->state_hash = engine_hash(r.engine);
        c->end_seq = r.seq;
        c->tail = r.replayed;
    }
    recovered_close(&r);
    uint64_t before = c->problem_count;
    struct err whole = replay(c, RECOVER_BASE, &r);
    if (whole.code == ERR_NOT_FOUND) {
        c->whole_why_not = "the journal does not reach back to fact 1 or a base";
    } else if (whole.code) {
        snprintf(text, sizeof text, "whole journal: %.300s", r.text);
        problem(c, text);
    } else {
        c->whole_done = true;
        c->whole = r.replayed;
        c->whole_from = r.from_seq;
        uint64_t hash = engine_hash(r.engine);
        if (!tail.code && before == c->problem_count && (hash != c->state_hash || r.seq != c->end_seq)) {
            snprintf(text, sizeof text, "the journal leads to state %016" PRIx64 " at fact %" PRIu64
                     ", the tables and their tail to %016" PRIx64 " at fact %" PRIu64,
                     hash, r.seq, c->state_hash, c->end_seq);
            problem(c, text);
        }
    }
    recovered_close(&r);
}

static void print_json(const struct check *c)
{
    static char memory[128 << 10];
    struct buf b = buf_on(memory, sizeof memory);
    struct json j = json_on(&b);
    json_open(&j, '{');
    json_name(&j, "ok");
    json_bool(&j, !c->problem_count);
    json_name(&j, "problem_count");
    json_u64(&j, c->problem_count);
    json_name(&j, "problems");
    json_open(&j, '[');
    for (size_t i = 0; i < c->told; i++) json_literal(&j, c->problems[i]);
    json_close(&j, ']');
    const struct { const char *name; uint64_t value; } numbers[] = {
        {"journal_first_seq", c->journal.first_seq}, {"journal_last_seq", c->journal.last_seq},
        {"journal_segments", c->journal.segments},   {"journal_torn_bytes", c->journal.torn_bytes},
        {"tables_seq", c->tables_seq},               {"events", c->figures.events},
        {"rides_charged", c->figures.rides_charged}, {"tail_facts", c->tail},
        {"replayed_facts", c->whole},                {"replayed_from_seq", c->whole_from}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        json_name(&j, numbers[i].name);
        json_u64(&j, numbers[i].value);
    }
    json_name(&j, "charged_minor");
    json_i64(&j, c->figures.charged_minor);
    json_name(&j, "state_hash");
    char hash[16];
    struct buf h = buf_on(hash, sizeof hash);
    buf_put_hex64(&h, c->state_hash);
    json_text(&j, buf_bytes(&h));
    json_name(&j, "rows");
    json_open(&j, '{');
    for (int kind = 0; kind < ROW_N; kind++) {
        json_name(&j, row_tables[kind]);
        json_u64(&j, c->figures.rows[kind]);
    }
    json_close(&j, '}');
    json_close(&j, '}');
    printf("%.*s\n", (int)b.len, memory);
}

static void print_lines(const struct check *c)
{
    const struct journal_report *j = &c->journal;
    const struct tables_figures *f = &c->figures;
    printf("journal     facts %" PRIu64 " to %" PRIu64 " in %" PRIu64 " segments", j->first_seq, j->last_seq,
           j->segments);
    if (j->torn_bytes) printf("; a torn tail of %" PRIu64 " bytes, never acknowledged", j->torn_bytes);
    printf("\ntables      cut at fact %" PRIu64 ", %" PRIu64 " events\n", c->tables_seq, f->events);
    for (int kind = 0; kind < ROW_N; kind++) {
        if (f->rows[kind]) printf("            %10" PRIu64 " %s\n", f->rows[kind], row_tables[kind]);
    }
    printf("books       %" PRIu64 " rides charged, %" PRId64 " minor units in all, no holds\n", f->rides_charged,
           f->charged_minor);
    printf("tail        %" PRIu64 " facts behind the tables, state %016" PRIx64 " at fact %" PRIu64 "\n", c->tail,
           c->state_hash, c->end_seq);
    if (c->whole_done) {
        printf("replay      %" PRIu64 " facts from fact %" PRIu64 " on\n", c->whole, c->whole_from + 1);
    } else if (c->whole_why_not) printf("replay      not done: %s\n", c->whole_why_not);
    for (size_t i = 0; i < c->told; i++) printf("BROKEN      %s\n", c->problems[i]);
    if (c->problem_count > c->told) printf("BROKEN      ... and %" PRIu64 " more\n", c->problem_count - c->told);
    if (!c->problem_count) {
        puts("all is well");
        return;
    }
    puts("\nWhat to do: keep a copy of the directory as it is. Damaged tables are made anew by the next `paddock\n"
         "serve`, as long as the journal is whole. For a damaged journal, or books that do not add up, start from the\n"
         "last `paddock backup` that checks clean. Other effects: run the build that the journal names, or read its\n"
         "release notes first.");
}

static int run(struct check *c)
{
    struct offline *o = &c->common;
    int code = offline_open(o);
    if (code) return code;
    struct file lock = FILE_NONE;
    struct err e = data_lock(&o->dir, &lock);
    if (e.code == ERR_STATE) {
        fprintf(stderr, "paddock check: a server works in %s; stop it, or check a copy:"
                        " paddock backup --data %s --to COPY\n", o->data, o->data);
        return EXIT_CANNOT;
    }
    /* Other failures: a medium that cannot be written, so nobody works there either. */
    code = check_journal(c);
    if (!code) code = check_tables(c);
    if (!code) check_state(c);
    file_close(&o->fs, &lock);
    if (code) return code;
    if (c->json) print_json(c);
    else print_lines(c);
    return c->problem_count ? EXIT_BROKEN : EXIT_FINE;
}

int check_main(int argc, char **argv)
{
    static struct check c;
    c = (struct check){.common = {.command = "check"}};
    settings_init(&c.common.settings);
    int code = 0;
    for (int i = 1; i < argc && !code; i++) {
        int common = offline_common(&c.common, argc, argv, &i);
        if (common >= 0) code = common;
        else if (!strcmp(argv[i], "--json")) c.json = true;
        else if (!strcmp(argv[i], "--help")) {
            help();
            return EXIT_FINE;
        } else code = offline_usage(&c.common, "'%s' is no option", argv[i]);
    }
    if (!code) code = run(&c);
    offline_close(&c.common);
    return code;
}
