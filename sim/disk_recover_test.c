/* SPDX-License-Identifier: Apache-2.0 */
/* A whole data directory, SQLite too, on the lying disk: after any crash a start finds what was
 * acknowledged, and tables that hold exactly one of the cuts, none older than the last that was said to be
 * synced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/prng.h"
#include "sim/disk.h"
#include "store/testing/life.h"
#include "store/vfs.h"

#define SEEDS_DEFAULT 40u
#define CRASHES_MAX 400u

static unsigned seeds; /* SEEDS in the environment: more of them by hand */

struct machine {
    struct disk *disk;
    struct file_system fs;
    struct vfs *vfs;
    struct recovered r;
    struct recover_options options;
    struct prng prng;
    uint64_t acknowledged, synced; /* what the last process promised */
    unsigned crashes, rebuilt;
};

static void boot(struct machine *m)
{
    struct vfs_options options = {.name = "lying", .fs = &m->fs, .seed = prng_next(&m->prng)};
    assert_int_equal(vfs_create(&m->vfs, &options).code, ERR_OK);
}

static void crash(struct machine *m, enum disk_crash kind)
{
    if (m->r.journal && journal_committed_seq(m->r.journal) > m->acknowledged) {
        m->acknowledged = journal_committed_seq(m->r.journal);
    }
    if (m->r.keeper && m->r.tables.synced_seq > m->synced) m->synced = m->r.tables.synced_seq;
    recovered_close(&m->r);
    vfs_destroy(m->vfs);
    disk_crash(m->disk, kind);
    m->crashes++;
    boot(m);
}

static void check_start(struct machine *m, uint64_t seed)
{
    struct err e = recover_open(&m->r, &m->options);
    if (e.code) fail_msg("seed %llu, crash %u: %s: %s", (unsigned long long)seed, m->crashes, e.why, m->r.text);
    if (m->r.rebuilt) fail_msg("seed %llu, crash %u: %s", (unsigned long long)seed, m->crashes, m->r.text);
    if (m->r.seq < m->acknowledged || m->r.from_seq < m->synced || m->r.from_seq > m->r.seq) {
        fail_msg("seed %llu, crash %u: fact %llu of %llu, cut %llu of %llu", (unsigned long long)seed, m->crashes,
                 (unsigned long long)m->r.seq, (unsigned long long)m->acknowledged, (unsigned long long)m->r.from_seq,
                 (unsigned long long)m->synced);
    }
    if (engine_hash(m->r.engine) != life_hash(m->r.seq)) {
        fail_msg("seed %llu, crash %u: another state at fact %llu", (unsigned long long)seed, m->crashes,
                 (unsigned long long)m->r.seq);
    }
}

static void one_fault(struct machine *m)
{
    struct disk_faults faults = {0};
    uint64_t calls = 1 + prng_below(&m->prng, 400);
    if (prng_chance(&m->prng, 600000)) faults.stop_nth = calls;
    else faults.fail_nth = calls;
    disk_set_faults(m->disk, faults);
}

/* Lives to the end through crashes; the sum over the tables is the result. */
static uint64_t live(uint64_t seed, bool faulty)
{
    static struct machine machine; /* the keeper points into it */
    struct machine *m = &machine;
    *m = (struct machine){.disk = disk_create(seed), .prng = prng_of(seed, bytes_text("machine"))};
    m->fs = disk_files(m->disk);
    boot(m);
    struct data_dir dir = {.fs = &m->fs, .sql_folder = "", .vfs = "lying", .exclusive = true};
    m->options = life_options(&dir);
    m->options.keeper.sync_ms = 120000;
    m->options.keeper.rows_max = m->options.keeper.events_max = 16; /* cuts while replaying, too */
    check_start(m, seed);
    while (m->r.seq < LIFE_FACTS) {
        if (faulty && m->crashes < CRASHES_MAX) one_fault(m);
        /* Sometimes the crash comes while starting. */
        if (faulty && prng_chance(&m->prng, 200000)) {
            recovered_close(&m->r);
            (void)recover_open(&m->r, &m->options).code;
        }
        struct err e = ERR(IO, "not started");
        /* ... or right behind the start: what it built on must not depend on what it wrote since. */
        uint64_t until = faulty && prng_chance(&m->prng, 250000) ? engine_seq(m->r.engine) : LIFE_FACTS;
        if (m->r.keeper && m->r.journal) e = life_go(&m->r, until, 1 + (unsigned)prng_below(&m->prng, 4));
        if (!e.code && !faulty) break;
        if (!e.code) disk_set_faults(m->disk, (struct disk_faults){.stop_nth = 1});
        crash(m, (enum disk_crash)prng_below(&m->prng, 3));
        check_start(m, seed);
    }
    assert_int_equal(life_flush(&m->r).code, ERR_OK);
    uint64_t sum = life_tables_sum(&m->r);
    if (faulty) assert_true(m->crashes > 0);
    recovered_close(&m->r);
    vfs_destroy(m->vfs);
    disk_destroy(m->disk);
    return sum;
}

static void test_any_crash_leaves_the_acknowledged_facts_and_one_whole_cut(void **state)
{
    (void)state;
    uint64_t want = live(1, false);
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        if (live(seed, true) != want) fail_msg("seed %llu: the tables differ", (unsigned long long)seed);
    }
}

/* The checks above must be able to fail. */
static void test_a_disk_that_lies_about_syncs_is_noticed(void **state)
{
    (void)state;
    unsigned noticed = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct disk *disk = disk_create(seed);
        struct file_system fs = disk_files(disk);
        struct vfs *vfs;
        static struct recovered r;
        struct vfs_options vfs_options = {.name = "lying", .fs = &fs, .seed = seed};
        assert_int_equal(vfs_create(&vfs, &vfs_options).code, ERR_OK);
        struct data_dir dir = {.fs = &fs, .sql_folder = "", .vfs = "lying", .exclusive = true};
        struct recover_options options = life_options(&dir);
        assert_int_equal(recover_open(&r, &options).code, ERR_OK);
        disk_set_faults(disk, (struct disk_faults){.sync_lies = true});
        assert_int_equal(life_go(&r, 500, 2).code, ERR_OK);
        disk_set_faults(disk, (struct disk_faults){.stop_nth = 1});
        recovered_close(&r);
        vfs_destroy(vfs);
        disk_crash(disk, DISK_POWER);
        assert_int_equal(vfs_create(&vfs, &vfs_options).code, ERR_OK);
        if (recover_open(&r, &options).code || r.rebuilt || r.seq < 500) noticed++;
        recovered_close(&r);
        vfs_destroy(vfs);
        disk_destroy(disk);
    }
    assert_true(noticed >= 15);
}

static int begin(void **state)
{
    (void)state;
    const char *text = getenv("SEEDS");
    seeds = text ? (unsigned)strtoul(text, NULL, 10) : SEEDS_DEFAULT;
    life_begin();
    return 0;
}

static int end(void **state)
{
    (void)state;
    life_end();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_crash_leaves_the_acknowledged_facts_and_one_whole_cut),
        cmocka_unit_test(test_a_disk_that_lies_about_syncs_is_noticed),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
