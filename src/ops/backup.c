/* SPDX-License-Identifier: Apache-2.0 */
/* backup.c: `paddock backup`: a copy of a data directory, also while a server writes it; the copy is itself
 * a data directory that `check` and `serve` take.
 *
 * How     tables.db at its newest cut S, then the journal's records behind S as far as they are committed.
 *         With --follow further records are copied as they commit, and the tables anew every hour, so that
 *         a start needs little replay.
 * Loss    what a failure of the first machine takes with it: one run of backup, everything since that run;
 *         --follow, what was committed within the last FOLLOW_POLL_MS plus one sync of the copy; the
 *         server's own disk alone, nothing that was acknowledged, as long as the disk lives.
 * Order   a copy of the tables gets its name only when the copied journal reaches its cut: at any moment
 *         what stands in TO starts. */
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "ops/offline_inside.h"
#include "store/journal_read.h"

#define PART "tables.db.copying"
#define CONTACTS "contacts.db"
#define CONTACTS_PART "contacts.db.copying"
#define COPY_RECORDS_MAX 4096u  /* one commit in the copy */
#define COPY_PAGES 4096u        /* of the tables at a time */
#define BUSY_TRIES_MAX 500u     /* ... each FOLLOW_POLL_MS apart */
#define FOLLOW_POLL_MS 20
#define TABLES_EVERY_MS 3600000
#define STOP_STEPS_MAX 1000u    /* a busy server would lead a stopping copy on for ever */

struct backup {
    struct offline common;  /* DIR */
    const char *to_path;
    bool follow;
    int64_t for_ms;         /* 0 = until told to stop */
    struct file_os to_os;
    struct file_system to_fs;
    struct data_dir to;
    bool to_opened;
    struct file lock;
    struct journal_copy *copy;
    uint64_t records;
    uint64_t tables_seq;    /* cut of the copied tables that have no name yet */
    bool tables_waiting;    /* a copy of the tables (of any cut, 0 too) has not got its name yet */
    uint64_t kept_seq;      /* cut of those that have */
    int64_t tables_ms;      /* when they were last copied, monotonic */
};

static volatile sig_atomic_t stopping;

static void on_stop(int signal)
{
    (void)signal;
    stopping = 1;
}

static void help(void)
{
    puts("Usage: paddock backup --data DIR --to TO [--follow [--for DURATION]]\n"
         "\n"
         "Copies a data directory, also while a server works in it. TO is made when missing; an earlier backup\n"
         "there is carried on. TO can be checked (paddock check) and served (paddock serve) as it is.\n"
         "\n"
         "  --follow   goes on copying records as they are committed, until Ctrl-C\n"
         "  --for      or until this long has passed: 30s, 5m, 2h\n"
         "\n"
         "Exit: 0 copied; 1 DIR or TO is damaged, or TO holds another journal; 2 bad usage; 3 could not run");
}

static int parse(struct backup *b, int argc, char **argv)
{
    struct offline *o = &b->common;
    for (int i = 1; i < argc; i++) {
        const char *value;
        int common = offline_common(o, argc, argv, &i);
        if (common > 0) return common;
        if (!common) continue;
        if (!strcmp(argv[i], "--help")) return -1;
        if (!strcmp(argv[i], "--follow")) b->follow = true;
        else if (offline_option(argc, argv, &i, "--to", &value)) b->to_path = value;
        else if (offline_option(argc, argv, &i, "--for", &value)) {
            if (!value || offline_duration(value, &b->for_ms).code) {
                return offline_usage(o, "--for needs a duration like 30s");
            }
        } else {
            return offline_usage(o, "'%s' is no option", argv[i]);
        }
    }
    if (!b->to_path || !*b->to_path) return offline_usage(o, "--to TO is missing");
    return 0;
}

static int failed(const struct err e, const char *text)
{
    fprintf(stderr, "paddock backup: %s\n", text && *text ? text : e.why);
    return e.code == ERR_CORRUPT || e.code == ERR_NOT_FOUND ? EXIT_BROKEN : EXIT_CANNOT;
}

static void nap(void)
{
    struct timespec t = {.tv_nsec = FOLLOW_POLL_MS * 1000000l};
    nanosleep(&t, NULL); /* a signal ends it early, and that is wanted */
}

static int open_target(struct backup *b)
{
    (void)mkdir(b->to_path, 0700); /* opening tells */
    struct err e = file_os_open(&b->to_os, b->to_path, &b->to_fs);
    if (e.code) {
        fprintf(stderr, "paddock backup: %s cannot be made or opened.\n", b->to_path);
        return EXIT_CANNOT;
    }
    b->to_opened = true;
    b->to = (struct data_dir){.fs = &b->to_fs, .sql_folder = b->to_path};
    e = data_lock(&b->to, &b->lock);
    if (e.code == ERR_STATE) return failed(e, "a server or another backup works in TO.");
    return e.code ? failed(e, NULL) : 0;
}

/* Who may sign in, and the secret behind hashed Idempotency-Keys: without it a restored server would take a retry for a
 * new request. It is outside the journal, so it is copied with every copy of the tables. */
static struct err copy_contacts(struct backup *b)
{
    char path[FILE_PATH_MAX];
    TRY(data_sql_path(&b->to, CONTACTS_PART, path));
    struct err e = database_copy(&b->common.dir, CONTACTS, path);
    if (e.code) return e.code == ERR_NOT_FOUND ? NO_ERR : e;
    TRY(file_rename(&b->to_fs, CONTACTS_PART, CONTACTS));
    return file_sync_folder(&b->to_fs, ".");
}

/* Into PART, under its name only later. *seq is its cut. */
static struct err copy_tables(struct backup *b, char *why)
{
    struct tables t;
    struct tables_copy c = {0};
    char path[FILE_PATH_MAX];
    bool done = false;
    struct err e = tables_open_reading(&t, &b->common.dir, DATA_TABLES);
    if (!e.code) e = data_sql_path(&b->to, PART, path);
    if (!e.code) e = tables_copy_begin(&c, &t, path, NULL);
    for (unsigned tries = 0; !e.code && !done && tries < BUSY_TRIES_MAX; tries++) {
        /* A read transaction holds the cut, however long the copy takes: the writer goes on beside it. */
        e = tables_copy_step(&c, 0, &done);
        if (!e.code && !done) nap();
    }
    if (!e.code && !done) e = ERR(STATE, "the tables stayed locked by another program");
    b->tables_seq = c.seq;
    b->tables_waiting = !e.code;
    tables_copy_end(&c);
    snprintf(why, TABLES_TEXT_MAX, "%s", t.text);
    tables_close(&t);
    if (!e.code) e = copy_contacts(b);
    b->tables_ms = offline_mono_ms();
    return e;
}

static struct err copy_step(struct backup *b, uint64_t *count)
{
    struct err e = journal_copy_step(b->copy, COPY_RECORDS_MAX, count);
    b->records += *count;
    return e;
}

/* A followed copy keeps what the settings keep, and what its tables need. */
static struct err retain(struct backup *b)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return journal_retain(journal_copy_target(b->copy), b->kept_seq, (int64_t)now.tv_sec * 1000);
}

/* All that is committed now; the tables get their name when the journal has come to their cut. */
static struct err copy_journal(struct backup *b)
{
    uint64_t count;
    do {
        TRY(copy_step(b, &count));
        if (count) offline_progress(&b->common, "  ... copied to fact %" PRIu64, journal_copy_seq(b->copy));
    } while (count && !stopping);
    if (!b->tables_waiting) return NO_ERR;
    if (journal_copy_seq(b->copy) < b->tables_seq) {
        return stopping ? NO_ERR : ERR(CORRUPT, "the tables are ahead of the journal");
    }
    TRY(file_rename(&b->to_fs, PART, DATA_TABLES));
    /* What an earlier start in TO left beside the tables that are replaced. */
    static const char *const beside[] = {DATA_TABLES "-wal", DATA_TABLES "-shm"};
    for (size_t i = 0; i < 2; i++) {
        bool has;
        TRY(data_has(&b->to, beside[i], &has));
        if (has) TRY(file_remove(&b->to_fs, beside[i]));
    }
    b->kept_seq = b->tables_seq;
    b->tables_waiting = false;
    TRY(file_sync_folder(&b->to_fs, "."));
    return retain(b);
}

static struct err follow(struct backup *b, char *why)
{
    int64_t end_ms = b->for_ms ? offline_mono_ms() + b->for_ms : INT64_MAX;
    while (!stopping && offline_mono_ms() < end_ms) {
        uint64_t count;
        if (offline_mono_ms() - b->tables_ms >= TABLES_EVERY_MS) {
            TRY(copy_tables(b, why));
            TRY(copy_journal(b));
        }
        TRY(copy_step(b, &count));
        if (!count) nap();
    }
    /* Stopped: what was committed until now still comes along. */
    for (unsigned steps = 0; steps < STOP_STEPS_MAX; steps++) {
        uint64_t count;
        TRY(copy_step(b, &count));
        if (!count) break;
    }
    return NO_ERR;
}

static int run(struct backup *b)
{
    char why[TABLES_TEXT_MAX] = "";
    int code = offline_open(&b->common);
    if (!code) code = open_target(b);
    if (code) return code;
    bool has_tables;
    struct err e = data_has(&b->common.dir, DATA_TABLES, &has_tables);
    if (!e.code && !has_tables) e = ERR(NOT_FOUND, "there is no tables.db in DIR: start a server there once");
    if (!e.code) e = copy_tables(b, why);
    if (e.code) return failed(e, why);
    struct journal_report report;
    const struct settings *set = &b->common.settings;
    struct journal_options options = {.keep_ms = set->journal_keep_h * 3600000,
                                      .keep_bytes = (uint64_t)set->journal_keep_mb << 20};
    uint64_t cut = b->tables_seq;
    e = journal_copy_open(&b->copy, &b->common.fs, DATA_JOURNAL, &b->to_fs, DATA_JOURNAL, &options, cut,
                          &report);
    if (e.code == ERR_NOT_FOUND) {
        return failed(e, "DIR's journal no longer holds what follows the backup in TO: make a new one in an empty"
                         " folder");
    }
    if (e.code) return failed(e, report.text);
    e = copy_journal(b);
    if (!e.code) {
        printf("copied %s to %s: tables at fact %" PRIu64 ", journal to fact %" PRIu64 "%s\n", b->common.data,
               b->to_path, cut, journal_copy_seq(b->copy), b->follow ? "; following" : "");
        fflush(stdout);
        if (b->follow) e = follow(b, why);
    }
    if (e.code) return failed(e, why);
    if (b->follow) {
        printf("stopped: everything to fact %" PRIu64 " is in %s\n", journal_copy_seq(b->copy), b->to_path);
    }
    return EXIT_FINE;
}

int backup_main(int argc, char **argv)
{
    struct backup b = {.common = {.command = "backup"}, .lock = FILE_NONE};
    settings_init(&b.common.settings);
    int code = parse(&b, argc, argv);
    if (code < 0) {
        help();
        return EXIT_FINE;
    }
    struct sigaction stop = {.sa_handler = on_stop};
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    if (!code) code = run(&b);
    journal_copy_close(b.copy);
    if (b.to_opened) {
        file_close(&b.to_fs, &b.lock);
        file_os_close(&b.to_os);
    }
    offline_close(&b.common);
    return code;
}
