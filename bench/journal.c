/* SPDX-License-Identifier: Apache-2.0 */
/* journal.c: commits a second of the journal against the bare write and sync of the same bytes.
 *
 * bench_journal [FOLDER] [COMMITS]: on the disk that FOLDER (default: here) is on. The two take turns, a
 * round each, so that a disk that slows down slows both. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/journal.h"
#include "store/journal_format.h"

#define RECORDS 100u
#define PAYLOAD 120u
#define ROUNDS 5u
#define FOLDER "bench-journal.tmp"
#define BARE "bench-bare.tmp"
#define ROOM (512u << 20)

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void must_ok(struct err e, const char *what)
{
    if (!e.code) return;
    fprintf(stderr, "bench_journal: %s: %s\n", what, e.why);
    exit(1);
}

static int by_time(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const char *name, double *took_s, unsigned count, size_t bytes)
{
    double sum = 0;
    for (unsigned i = 0; i < count; i++) sum += took_s[i];
    qsort(took_s, count, sizeof *took_s, by_time);
    printf("%-8s %7.0f commits/s  %6.1f MB/s  %8.0f records/s  p50 %.3f ms  p99 %.3f ms  worst %.3f ms\n",
           name, count / sum, count * (double)bytes / sum / 1e6, count * RECORDS / sum,
           took_s[count / 2] * 1e3, took_s[count - 1 - count / 100] * 1e3, took_s[count - 1] * 1e3);
}

static struct err remove_name(void *ctx, const char *name)
{
    char path[FILE_PATH_MAX];
    TRY(file_path(path, FOLDER, name));
    return file_remove(ctx, path);
}

int main(int argc, char **argv)
{
    uint64_t commits = 1000;
    if (argc > 2) must_ok(bytes_u64(bytes_text(argv[2]), 6, &commits), "commits");
    struct file_os os;
    struct file_system fs;
    struct journal *j;
    struct journal_report seen;
    struct journal_options options = {.salt = 1};
    struct file bare;
    uint8_t payload[PAYLOAD];
    size_t bytes = RECORDS * journal_record_bytes(PAYLOAD);
    uint8_t *batch = malloc(bytes);
    double *ours = calloc(2 * commits * ROUNDS, sizeof *ours), *theirs = ours + commits * ROUNDS;
    uint64_t at = 0;
    unsigned n = 0;
    memset(payload, 'p', sizeof payload);
    memset(batch, 'p', bytes);
    must_ok(file_os_open(&os, argc > 1 ? argv[1] : ".", &fs), "folder");
    must_ok(journal_open(&j, &fs, FOLDER, &options, 0, NULL, NULL, &seen), "open");
    must_ok(file_open(&fs, BARE, FILE_CREATE, &bare), "bare");
    for (unsigned i = 0; i < 512; i++) must_ok(journal_prepare(j, 1 << 20), "prepare");
    must_ok(file_fill_zeros(&fs, bare, 0, ROOM), "bare");
    must_ok(file_sync_data(&fs, bare), "bare");
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (uint64_t i = 0; i < commits; i++) {
            double start = now_s();
            for (unsigned r = 0; r < RECORDS; r++) {
                struct bytes fact = bytes_of(payload, PAYLOAD);
                must_ok(journal_append(j, journal_next_seq(j), 1, 2, 3, fact), "append");
            }
            must_ok(journal_commit(j), "commit");
            ours[n + i] = now_s() - start;
        }
        for (uint64_t i = 0; i < commits; i++) {
            double start = now_s();
            must_ok(file_write_at(&fs, bare, at, batch, bytes), "bare");
            must_ok(file_sync_data(&fs, bare), "bare");
            theirs[n + i] = now_s() - start;
            at = at + 2 * bytes > ROOM ? 0 : at + bytes;
        }
        n += (unsigned)commits;
    }
    double a = 0, b = 0;
    for (unsigned i = 0; i < n; i++) a += ours[i], b += theirs[i];
    printf("%u records of %u bytes a commit, %zu bytes with heads\n", RECORDS, PAYLOAD, bytes);
    report("journal", ours, n, bytes);
    report("bare", theirs, n, bytes);
    printf("ratio    %.2f (bare time / journal time)\n", b / a);
    journal_close(j);
    file_close(&fs, &bare);
    must_ok(file_list(&fs, FOLDER, remove_name, &fs), "clean up");
    must_ok(file_remove(&fs, BARE), "clean up");
    unlinkat(os.root, FOLDER, AT_REMOVEDIR);
    file_os_close(&os);
    free(ours);
    free(batch);
    return 0;
}
