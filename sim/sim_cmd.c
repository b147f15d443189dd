/* SPDX-License-Identifier: Apache-2.0 */
/* sim_cmd.c: `paddock sim`: one seed told in full, or many judged side by side, a process each. */
#include "sim/sim_cmd.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"
#include "build_id.h"
#include "sim/coverage.h"
#include "sim/world.h"

#define SEEDS_MAX 1000000

struct sim_run {
    struct world_options options;
    uint64_t seeds;
    unsigned jobs;
    bool coverage, require_all, quiet;
};

/* What a child leaves for its parent. */
struct outcome {
    bool done, held;
    char why[WORLD_WHY_MAX];
    struct world_figures figures;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void on_must(const char *claim, const char *file, int line)
{
    fprintf(stderr, "broken promise at %s:%d: %s\n", file, line, claim);
}

/* A planted fault that goes unnoticed is as bad as a broken promise. */
static bool good(const struct world_options *o, bool held)
{
    return o->plant == WORLD_PLANT_NONE ? held : !held;
}

static const char *plant_option(const struct world_options *o)
{
    return o->plant == WORLD_PLANT_SYNC_LIES ? " --plant sync-lies" : "";
}

static void again(FILE *out, const struct sim_run *run, uint64_t seed)
{
    fprintf(out, "again: build/paddock sim --seed %" PRIu64 "%s", seed, plant_option(&run->options));
    if (run->options.vehicles) fprintf(out, " --vehicles %u", run->options.vehicles);
    if (run->options.riders) fprintf(out, " --riders %u", run->options.riders);
    if (run->options.gentle) fprintf(out, " --gentle");
    if (run->options.chaos_ms) fprintf(out, " --minutes %" PRId64, run->options.chaos_ms / 60000);
    fprintf(out, " --trace\n");
}

static void print_figures(const struct world_figures *f, int64_t took_ms)
{
    printf("simulated %" PRId64 " s in %.1f s: %" PRIu64 " facts (%" PRIu64 " frames), %" PRIu64 " commits, %" PRIu64
           " starts (%" PRIu64 " kills, %" PRIu64 " power cuts, %" PRIu64 " by the disk, %" PRIu64 " torn tails), %" PRIu64 " facts replayed\n",
           f->simulated_ms / 1000, (double)took_ms / 1000, f->facts, f->frames_in, f->commits, f->restarts, f->kills, f->power_cuts,
           f->disk_ends, f->torn_starts, f->replayed);
    printf("rides: %" PRIu64 " settled, %" PRIu64 " failed, %" PRIu64 " cancelled; %" PRIu64 " commands; %" PRIu64
           " acknowledgements seen by clients and %" PRIu64 " views of the street checked\n", f->rides_settled,
           f->rides_failed, f->rides_cancelled, f->commands, f->acked_checked, f->streets_judged);
    printf("checks: acknowledged survives, one ride a vehicle, no charge unconfirmed, charged once, no lock on the move,\n"
           "        tables + tail = replay = live, all ends when faults stop, the street shows what is durable and so\n");
}

static int run_one(const struct sim_run *run)
{
    char text[512], why[WORLD_WHY_MAX];
    int64_t begun_ms = now_ms();
    struct world *w = world_create(&run->options);
    world_describe(w, text, sizeof text);
    printf("paddock sim  build %s  seed %" PRIu64 "\n%s\n", paddock_build_text, run->options.seed, text);
    fflush(stdout);
    bool held = world_run(w, why), fine = good(&run->options, held);
    print_figures(world_figures(w), now_ms() - begun_ms);
    if (!held) printf("FAIL %s\n", why);
    if (run->coverage) coverage_print(stdout, world_figures(w), true);
    if (held) printf("state hash %016" PRIx64 " at seq %" PRIu64 "\n", world_figures(w)->state_hash, world_figures(w)->seq);
    if (!held) again(stdout, run, run->options.seed);
    if (run->options.plant) printf("%s\n", held ? "the planted fault went UNNOTICED" : "the planted fault was noticed");
    world_destroy(w);
    return fine ? 0 : 1;
}

static void child(const struct sim_run *run, uint64_t seed, struct outcome *out)
{
    struct world_options o = run->options;
    o.seed = seed;
    struct world *w = world_create(&o);
    out->held = world_run(w, out->why);
    out->figures = *world_figures(w);
    out->done = true;
    _exit(0); /* the process is the clean-up */
}

struct pool_state { struct outcome *slots; pid_t *pids; uint64_t *seeds; uint64_t failed; struct world_figures sum; };

static void collect(const struct sim_run *run, struct pool_state *p)
{
    int status = 0;
    pid_t pid = wait(&status);
    for (unsigned i = 0; i < run->jobs; i++) {
        if (p->pids[i] != pid) continue;
        struct outcome *o = &p->slots[i];
        p->pids[i] = 0;
        if (!o->done) snprintf(o->why, sizeof o->why, "the simulator itself stopped (status %d)", status);
        if (o->done) coverage_add(&p->sum, &o->figures);
        if (o->done && good(&run->options, o->held)) return;
        p->failed++;
        printf("FAIL seed %" PRIu64 "  %s\n", p->seeds[i], o->held ? "the planted fault went unnoticed" : o->why);
        again(stdout, run, p->seeds[i]);
        fflush(stdout);
        return;
    }
}

static int run_many(const struct sim_run *run)
{
    size_t bytes = run->jobs * sizeof(struct outcome);
    struct pool_state p = {.slots = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0),
                           .pids = calloc(run->jobs, sizeof(pid_t)), .seeds = calloc(run->jobs, sizeof(uint64_t))};
    must(p.slots != MAP_FAILED && p.pids && p.seeds);
    int64_t begun_ms = now_ms(), told_ms = begun_ms;
    printf("paddock sim  build %s  seeds %" PRIu64 " to %" PRIu64 "  %u at a time%s\n", paddock_build_text, run->options.seed,
           run->options.seed + run->seeds - 1, run->jobs, plant_option(&run->options));
    fflush(stdout);
    uint64_t started = 0, running = 0;
    while (started < run->seeds || running) {
        for (unsigned i = 0; i < run->jobs && started < run->seeds; i++) {
            if (p.pids[i]) continue;
            memset(&p.slots[i], 0, sizeof p.slots[i]);
            p.seeds[i] = run->options.seed + started++;
            p.pids[i] = fork();
            must(p.pids[i] >= 0);
            if (!p.pids[i]) child(run, p.seeds[i], &p.slots[i]);
            running++;
        }
        collect(run, &p);
        running--;
        if (run->quiet || now_ms() - told_ms < 2000) continue;
        told_ms = now_ms();
        fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " seeds, %" PRIu64 " failed ", started - running, run->seeds, p.failed);
    }
    print_figures(&p.sum, now_ms() - begun_ms);
    unsigned never = coverage_print(stdout, &p.sum, run->coverage);
    printf("%" PRIu64 " of %" PRIu64 " seeds held every promise\n", run->seeds - p.failed, run->seeds);
    return p.failed || (run->require_all && never) ? 1 : 0;
}

static void help(void)
{
    printf("Usage: paddock sim [--seed N] [--seeds COUNT] [OPTIONS]\n\n"
           "Runs the real engine, codecs, sessions, HTTP handlers, journal and tables on a fake clock, network and disk, with\n"
           "simulated vehicles, riders and staff, and attacks all of it: lost and torn writes, kills, power cuts, broken and\n"
           "one-way connections, devices that repeat, lie and fall silent, phones that double-tap. Everything follows from\n"
           "the seed. A failing seed prints the command that repeats it.\n\n"
           "  --seed N          the seed, or the first of several (default: a fresh one, printed)\n"
           "  --seeds COUNT     that many worlds from N on, side by side (--jobs, default 2)\n"
           "  --coverage        print how often each transition and fault was exercised\n"
           "  --require-all     fail when any of them never was\n"
           "  --vehicles N, --riders N, --minutes N   instead of drawn ones\n"
           "  --gentle          no crashes and a mild radio, for long or large worlds\n"
           "  --day             12,000 vehicles and 700 riders for 24 hours: some 30,000 rides (implies --gentle)\n"
           "  --plant sync-lies the disk says \"synced\" and is not: this run must fail, and exits 0 when it does\n"
           "  --trace           tell what happens on stderr\n");
}

/* Decimal, or hexadecimal behind 0x. */
static bool number(const char *text, uint64_t most, uint64_t *out)
{
    if (strncmp(text, "0x", 2)) return !bytes_u64(bytes_text(text), 20, out).code && *out <= most;
    static const char digits[] = "0123456789abcdef";
    size_t len = strlen(text += 2);
    *out = 0;
    for (size_t i = 0; i < len; i++) {
        const char *digit = strchr(digits, text[i]);
        if (!digit) return false;
        *out = *out << 4 | (uint64_t)(digit - digits);
    }
    return len && len <= 16 && *out <= most;
}

enum { OPT_SEED = 1, OPT_SEEDS, OPT_JOBS, OPT_COVERAGE, OPT_ALL, OPT_VEHICLES, OPT_RIDERS, OPT_MINUTES, OPT_GENTLE, OPT_DAY,
       OPT_PLANT, OPT_TRACE, OPT_QUIET, OPT_HELP };

static bool take_option(struct sim_run *run, int option, const char *arg)
{
    uint64_t n = 0;
    switch (option) {
    case OPT_SEED: return number(arg, UINT64_MAX, &run->options.seed);
    case OPT_SEEDS: return number(arg, SEEDS_MAX, &run->seeds) && run->seeds;
    case OPT_JOBS:
        if (!number(arg, 64, &n) || !n) return false;
        run->jobs = (unsigned)n;
        return true;
    case OPT_VEHICLES:
        if (!number(arg, WORLD_VEHICLES_MAX, &n)) return false;
        run->options.vehicles = (uint32_t)n;
        return true;
    case OPT_RIDERS:
        if (!number(arg, WORLD_RIDERS_MAX, &n)) return false;
        run->options.riders = (uint32_t)n;
        return true;
    case OPT_MINUTES:
        if (!number(arg, 100000, &n)) return false;
        run->options.chaos_ms = (int64_t)n * 60000;
        return true;
    case OPT_COVERAGE: return run->coverage = true;
    case OPT_ALL: return run->require_all = true;
    case OPT_GENTLE: return run->options.gentle = true;
    case OPT_TRACE: return run->options.trace = true;
    case OPT_QUIET: return run->quiet = true;
    case OPT_DAY:
        run->options.vehicles = 12000;
        run->options.riders = 700;
        run->options.chaos_ms = 24ll * 3600000;
        return run->options.gentle = true;
    case OPT_PLANT:
        run->options.plant = !strcmp(arg, "sync-lies") ? WORLD_PLANT_SYNC_LIES : WORLD_PLANT_NONE;
        return run->options.plant;
    default: return false;
    }
}

int sim_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"seed", 1, NULL, OPT_SEED}, {"seeds", 1, NULL, OPT_SEEDS}, {"jobs", 1, NULL, OPT_JOBS},
        {"coverage", 0, NULL, OPT_COVERAGE}, {"require-all", 0, NULL, OPT_ALL}, {"vehicles", 1, NULL, OPT_VEHICLES},
        {"riders", 1, NULL, OPT_RIDERS}, {"minutes", 1, NULL, OPT_MINUTES}, {"gentle", 0, NULL, OPT_GENTLE},
        {"day", 0, NULL, OPT_DAY}, {"plant", 1, NULL, OPT_PLANT}, {"trace", 0, NULL, OPT_TRACE},
        {"quiet", 0, NULL, OPT_QUIET}, {"help", 0, NULL, OPT_HELP}, {0},
    };
    struct sim_run run = {.jobs = 2};
    if (getrandom(&run.options.seed, 4, 0) != 4) run.options.seed = 1;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == OPT_HELP) {
            help();
            return 0;
        }
        if (take_option(&run, c, optarg)) continue;
        fprintf(stderr, "paddock sim: %s is not an option or has a wrong value; see paddock sim --help\n", argv[optind - 1]);
        return 2;
    }
    if (optind != argc) {
        fprintf(stderr, "paddock sim: unexpected '%s'; see paddock sim --help\n", argv[optind]);
        return 2;
    }
    must_set_handler(on_must);
    return run.seeds ? run_many(&run) : run_one(&run);
}
