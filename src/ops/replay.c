/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c: `paddock replay`: the journal through this build's engine, nothing written. How a release is
 * tried against yesterday's facts, and how two machines compare what they hold: the same journal gives the
 * same state hash. */
#include <inttypes.h>
#include <string.h>

#include "base/timetext.h"
#include "ops/offline_inside.h"

struct replay_options {
    struct offline common;
    enum recover_from from;
    uint64_t until_seq;
    int64_t until_ms;
    bool json;
};

static void help(void)
{
    puts("Usage: paddock replay --data DIR [OPTIONS]\n"
         "\n"
         "Runs the facts of DIR/journal through this build's engine again, compares the effects of each with the\n"
         "checksum in its record, and prints the state hash. Nothing is written; a server may be at work in DIR.\n"
         "\n"
         "  --until SEQ|TIME   stop behind this fact, or this time (2026-11-23T22:46:00Z)\n"
         "  --from-start       begin with fact 1, or not at all\n"
         "  --from-tables      begin with tables.db\n"
         "                     (neither: fact 1 if it is still there, else the oldest base that the journal follows)\n"
         "  --json             one JSON object instead of the lines\n"
         "  --config FILE, --set name=value   the server's settings: its row limits are part of what it did\n"
         "\n"
         "Exit: 0 every effect as recorded; 1 effects differ, or journal or tables are damaged; 2 bad usage;\n"
         "3 could not run");
}

/* 0, or an exit code; -1 means help was asked for. */
static int parse(struct replay_options *p, int argc, char **argv)
{
    struct offline *o = &p->common;
    for (int i = 1; i < argc; i++) {
        const char *value;
        int common = offline_common(o, argc, argv, &i);
        if (common > 0) return common;
        if (!common) continue;
        if (!strcmp(argv[i], "--help")) return -1;
        if (!strcmp(argv[i], "--json")) p->json = true;
        else if (!strcmp(argv[i], "--from-start")) p->from = RECOVER_START;
        else if (!strcmp(argv[i], "--from-tables")) p->from = RECOVER_TABLES;
        else if (offline_option(argc, argv, &i, "--until", &value)) {
            if (!value || offline_until(value, &p->until_seq, &p->until_ms).code) {
                return offline_usage(o, "--until needs a fact's number or a time like 2026-11-23T22:46:00Z");
            }
        } else {
            return offline_usage(o, "'%s' is no option", argv[i]);
        }
    }
    return 0;
}

static void print_json(const struct recovered *r, uint64_t hash, uint64_t per_s)
{
    char memory[1024];
    struct buf b = buf_on(memory, sizeof memory);
    struct json j = json_on(&b);
    json_open(&j, '{');
    json_name(&j, "state_hash");
    buf_put_char(&b, '"');
    buf_put_hex64(&b, hash);
    buf_put_char(&b, '"');
    j.comma = true;
    json_name(&j, "seq");
    json_u64(&j, r->seq);
    json_name(&j, "from_seq");
    json_u64(&j, r->from_seq);
    json_name(&j, "time");
    json_time_ms(&j, r->now_ms);
    json_name(&j, "facts");
    json_u64(&j, r->replayed);
    json_name(&j, "facts_per_s");
    json_u64(&j, per_s);
    json_name(&j, "differing");
    json_u64(&j, r->differing);
    json_name(&j, "first_differing_seq");
    json_u64(&j, r->first_differing_seq);
    json_close(&j, '}');
    printf("%.*s\n", (int)b.len, memory);
}

static void print_lines(const struct recovered *r, uint64_t hash, uint64_t per_s)
{
    char memory[64];
    struct buf b = buf_on(memory, sizeof memory);
    buf_put_time_ms(&b, r->now_ms);
    printf("state hash  %016" PRIx64 "  at fact %" PRIu64 ", %.*s\n", hash, r->seq, (int)b.len, memory);
    printf("replayed    %" PRIu64 " facts from fact %" PRIu64 ", %" PRIu64 "/s, build %s\n", r->replayed,
           r->from_seq + 1, per_s, offline_build_text);
    if (r->journal_report.torn_bytes) printf("note        %s\n", r->journal_report.text);
    if (!r->differing) {
        puts("effects     all as recorded");
        return;
    }
    printf("effects     %" PRIu64 " facts have other effects than recorded; the first is fact %" PRIu64
           ", written by build %016" PRIx64 " (recorded %016" PRIx64 ", here %016" PRIx64 ")\n",
           r->differing, r->first_differing_seq, r->first_differing_build, r->first_differing_want,
           r->first_differing_got);
}

static int run(struct replay_options *p)
{
    struct offline *o = &p->common;
    int code = offline_open(o);
    if (code) return code;
    struct recover_options options = {
        .dir = o->dir, .from = p->from, .read_only = true, .accept_other_effects = true, .build = offline_build,
        .limits = &o->limits, .until_seq = p->until_seq, .until_ms = p->until_ms, .on_progress = offline_replaying,
        .ctx = o,
    };
    struct recovered r;
    int64_t began_ms = offline_mono_ms();
    struct err e = recover_open(&r, &options);
    int64_t took_ms = offline_mono_ms() - began_ms;
    if (e.code) {
        fprintf(stderr, "paddock replay: %s\n", r.text);
        code = e.code == ERR_CORRUPT || e.code == ERR_STATE ? EXIT_BROKEN : EXIT_CANNOT;
    } else {
        uint64_t per_s = r.replayed * 1000 / (uint64_t)(took_ms ? took_ms : 1), hash = engine_hash(r.engine);
        if (p->json) print_json(&r, hash, per_s);
        else print_lines(&r, hash, per_s);
        code = r.differing ? EXIT_BROKEN : EXIT_FINE;
    }
    recovered_close(&r);
    return code;
}

int replay_main(int argc, char **argv)
{
    struct replay_options p = {.common = {.command = "replay"}, .from = RECOVER_BASE};
    settings_init(&p.common.settings);
    int code = parse(&p, argc, argv);
    if (code < 0) {
        help();
        return EXIT_FINE;
    }
    if (!code) code = run(&p);
    offline_close(&p.common);
    return code;
}
