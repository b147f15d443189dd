/* SPDX-License-Identifier: Apache-2.0 */
/* check, replay and backup as they are called, on a directory that a life went through. */
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "ops/offline.h"
#include "store/testing/life.h"

#define OUT_MAX 65536

static char folder[64], data[80], copy[80];
static struct file_os os;
static struct file_system fs;
static struct data_dir dir;
static struct recover_options options;
static struct recovered r;
static char out[OUT_MAX]; /* of the last command, both streams */

static int begin(void **state)
{
    (void)state;
    life_begin();
    offline_set_build(LIFE_BUILD, "0000000000001234");
    return 0;
}

static int end(void **state)
{
    (void)state;
    life_end();
    return 0;
}

static void open_data(void)
{
    struct err e = recover_open(&r, &options);
    if (e.code) fail_msg("%s", r.text);
}

static int make_data(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/paddock-offline-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(data, sizeof data, "%s/data", folder);
    snprintf(copy, sizeof copy, "%s/copy", folder);
    assert_int_equal(mkdir(data, 0700), 0);
    assert_int_equal(file_os_open(&os, data, &fs).code, ERR_OK);
    dir = (struct data_dir){.fs = &fs, .sql_folder = data};
    options = life_options(&dir);
    open_data();
    assert_int_equal(life_go(&r, 1234, 4).code, ERR_OK);
    recovered_close(&r);
    return 0;
}

static int drop_data(void **state)
{
    (void)state;
    recovered_close(&r);
    file_os_close(&os);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* Runs a command with everything it prints going to `out`. */
static int run(int (*command)(int, char **), const char *name, const char *a, const char *b, const char *c,
               const char *d, const char *e)
{
    const char *argv[8] = {name, a, b, c, d, e, NULL};
    int argc = 1;
    while (argv[argc]) argc++;
    char path[96];
    snprintf(path, sizeof path, "%s/out", folder);
    fflush(stdout);
    int saved_out = dup(1), saved_err = dup(2), file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(file, 1);
    dup2(file, 2);
    int code = command(argc, (char **)argv);
    fflush(stdout);
    dup2(saved_out, 1);
    dup2(saved_err, 2);
    close(saved_out);
    close(saved_err);
    memset(out, 0, sizeof out);
    assert_true(pread(file, out, sizeof out - 1, 0) >= 0);
    close(file);
    return code;
}
#define CHECK(...) run(check_main, "check", __VA_ARGS__, NULL, NULL, NULL, NULL)
#define REPLAY(a, b, c, d) run(replay_main, "replay", a, b, c, d, NULL)

static void expect(const char *text)
{
    if (!strstr(out, text)) fail_msg("'%s' is not in: %s", text, out);
}

static void expect_hash(uint64_t seq)
{
    char text[32];
    snprintf(text, sizeof text, "%016" PRIx64, life_hash(seq));
    expect(text);
}

static char *data_option(const char *path)
{
    static char text[96];
    snprintf(text, sizeof text, "--data=%s", path);
    return text;
}

static void sql(const char *text)
{
    char path[96], *why = NULL;
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/tables.db", data);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &why)) fail_msg("%s: %s", text, why);
    sqlite3_close(db);
}

static void test_a_sound_directory_checks_clean(void **state)
{
    (void)state;
    assert_int_equal(CHECK(data_option(data)), EXIT_FINE);
    expect("all is well");
    expect("facts 1 to 1234");
    expect_hash(1234);
    assert_int_equal(run(check_main, "check", "--data", data, "--json", NULL, NULL), EXIT_FINE);
    expect("{\"ok\":true,\"problem_count\":0,\"problems\":[],");
    expect("\"replayed_facts\":1234");
    expect_hash(1234);
}

static void test_check_stays_away_from_a_server(void **state)
{
    (void)state;
    struct file lock;
    assert_int_equal(data_lock(&dir, &lock).code, ERR_OK);
    assert_int_equal(CHECK(data_option(data)), EXIT_CANNOT);
    expect("a server works in");
    file_close(&fs, &lock);
}

static void test_check_names_what_is_broken_in_the_tables(void **state)
{
    (void)state;
    static const struct { const char *sql, *text, *undo; } damages[] = {
        {"UPDATE postings SET amount_minor = amount_minor + 1 WHERE id = (SELECT min(id) FROM postings)",
         "do not sum to zero",
         "UPDATE postings SET amount_minor = amount_minor - 1 WHERE id = (SELECT min(id) FROM postings)"},
        {"UPDATE rides SET charge_minor = charge_minor + 1 WHERE id = (SELECT min(ride_id) FROM postings)",
         "and that is not what was posted",
         "UPDATE rides SET charge_minor = charge_minor - 1 WHERE id = (SELECT min(ride_id) FROM postings)"},
        {"UPDATE riders SET owed_minor = owed_minor + 1 WHERE owed_minor > 0", "does not owe the posted",
         "UPDATE riders SET owed_minor = owed_minor - 1 WHERE owed_minor > 0"},
        {"UPDATE rides SET started_by = 'none' WHERE charge_minor > 0", "without a vehicle's confirmation",
         "UPDATE rides SET started_by = 'confirmed' WHERE charge_minor > 0"},
        {"UPDATE postings SET ride_id = ride_id + 100000", "no such ride",
         "UPDATE postings SET ride_id = ride_id - 100000"},
        {"UPDATE devices SET battery_pct = 300", "column battery_pct: does not fit",
         "UPDATE devices SET battery_pct = 80"},
    };
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        sql(damages[i].sql);
        assert_int_equal(CHECK(data_option(data)), EXIT_BROKEN);
        expect(damages[i].text);
        expect("What to do");
        sql(damages[i].undo);
    }
    /* A value that is possible, but not what the facts lead to. */
    sql("DELETE FROM meta WHERE key = 'state_hash_seq'; UPDATE devices SET total_m = 99");
    assert_int_equal(CHECK(data_option(data)), EXIT_BROKEN);
    expect("the journal leads to state");
}

static void test_check_and_replay_name_damage_in_the_journal(void **state)
{
    (void)state;
    char path[128];
    struct file f;
    uint8_t byte;
    size_t got;
    snprintf(path, sizeof path, "ls %s/journal/* | head -1", data);
    FILE *p = popen(path, "r");
    assert_non_null(fgets(path, sizeof path, p));
    pclose(p);
    path[strcspn(path, "\n")] = '\0';
    const char *name = path + strlen(data) + 1;
    assert_int_equal(file_open(&fs, name, FILE_WRITE, &f).code, ERR_OK);
    assert_int_equal(file_read_at(&fs, f, 20000, &byte, 1, &got).code, ERR_OK);
    byte ^= 4;
    assert_int_equal(file_write_at(&fs, f, 20000, &byte, 1).code, ERR_OK);
    file_close(&fs, &f);
    assert_int_equal(CHECK(data_option(data)), EXIT_BROKEN);
    expect("BROKEN      journal:");
    assert_int_equal(REPLAY(data_option(data), NULL, NULL, NULL), EXIT_BROKEN);
}

static void test_replay_prints_the_state_of_any_fact_and_time(void **state)
{
    (void)state;
    assert_int_equal(REPLAY(data_option(data), NULL, NULL, NULL), EXIT_FINE);
    expect_hash(1234);
    expect("all as recorded");
    assert_int_equal(REPLAY(data_option(data), "--from-tables", NULL, NULL), EXIT_FINE);
    expect_hash(1234);
    assert_int_equal(REPLAY(data_option(data), "--from-start", "--until", "777"), EXIT_FINE);
    expect_hash(777);
    assert_int_equal(REPLAY(data_option(data), "--until=2026-09-21T14:30:00Z", "--json", NULL), EXIT_FINE);
    int64_t until_ms = 1790001000000; /* that moment */
    uint64_t seq = 0;
    while (life->facts[seq].now_ms <= until_ms) seq++;
    assert_true(seq > 10 && seq < 1234);
    expect_hash(seq);
}

static void test_replay_names_the_first_fact_with_other_effects(void **state)
{
    (void)state;
    open_data();
    for (uint64_t seq = 1235; seq <= 1240; seq++) {
        uint8_t memory[FACT_BYTES_MAX];
        struct buf b = buf_on(memory, sizeof memory);
        fact_encode(&life->facts[seq - 1], &b);
        struct err e = journal_append(r.journal, seq, life->facts[seq - 1].now_ms, 0xbeef,
                                      life->sums[seq - 1] ^ (seq >= 1238), buf_bytes(&b));
        assert_int_equal(e.code, ERR_OK);
    }
    assert_int_equal(journal_commit(r.journal).code, ERR_OK);
    recovered_close(&r);
    assert_int_equal(REPLAY(data_option(data), NULL, NULL, NULL), EXIT_BROKEN);
    expect("3 facts have other effects than recorded; the first is fact 1238, written by build 000000000000beef");
    assert_int_equal(CHECK(data_option(data)), EXIT_BROKEN);
    expect("the first is fact 1238");
}

static int backup(const char *more, const char *still_more)
{
    return run(backup_main, "backup", data_option(data), "--to", copy, more, still_more);
}

static void test_a_backup_checks_clean_and_is_carried_on(void **state)
{
    (void)state;
    assert_int_equal(backup(NULL, NULL), EXIT_FINE);
    expect("journal to fact 1234");
    assert_int_equal(CHECK(data_option(copy)), EXIT_FINE);
    expect_hash(1234);
    open_data();
    assert_int_equal(life_go(&r, 2000, 3).code, ERR_OK); /* beside a server that is at work */
    assert_int_equal(backup(NULL, NULL), EXIT_FINE);
    expect("journal to fact 2000");
    assert_int_equal(CHECK(data_option(copy)), EXIT_FINE);
    expect_hash(2000);
    assert_int_equal(REPLAY(data_option(copy), "--from-tables", NULL, NULL), EXIT_FINE);
    expect_hash(2000);
    recovered_close(&r);
    /* And it serves: written to, it goes its own way, and then no longer takes records of the first. */
    struct file_os copy_os;
    struct file_system copy_fs;
    assert_int_equal(file_os_open(&copy_os, copy, &copy_fs).code, ERR_OK);
    struct data_dir copy_dir = {.fs = &copy_fs, .sql_folder = copy};
    struct recover_options o = life_options(&copy_dir);
    struct err e = recover_open(&r, &o);
    if (e.code) fail_msg("%s", r.text);
    assert_int_equal(r.seq, 2000);
    assert_int_equal(engine_hash(r.engine), life_hash(2000));
    recovered_close(&r);
    file_os_close(&copy_os);
}

static void test_a_following_backup_has_what_was_committed(void **state)
{
    (void)state;
    int began[2], status;
    char byte;
    assert_int_equal(pipe(began), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        char *argv[] = {"backup", "--data", data, "--to", copy, "--follow", NULL};
        dup2(began[1], 1);
        _exit(backup_main(6, argv));
    }
    assert_int_equal(read(began[0], &byte, 1), 1); /* "copied ...; following" */
    open_data();
    assert_int_equal(life_go(&r, 2500, 5).code, ERR_OK);
    assert_int_equal(kill(child, SIGINT), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FINE);
    close(began[0]);
    close(began[1]);
    recovered_close(&r);
    assert_int_equal(CHECK(data_option(copy)), EXIT_FINE);
    expect_hash(2500);
}

static void test_bad_usage_is_one_line_and_exits_2(void **state)
{
    (void)state;
    int (*const commands[])(int, char **) = {check_main, replay_main, backup_main};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(run(commands[i], "x", NULL, NULL, NULL, NULL, NULL), EXIT_USAGE);
        assert_int_equal(strcspn(out, "\n"), strlen(out) - 1);
        assert_int_equal(run(commands[i], "x", "--nonsense", NULL, NULL, NULL, NULL), EXIT_USAGE);
        expect("'--nonsense' is no option");
        assert_int_equal(run(commands[i], "x", "--data", NULL, NULL, NULL, NULL), EXIT_USAGE);
        assert_int_equal(run(commands[i], "x", "--help", NULL, NULL, NULL, NULL), EXIT_FINE);
        expect("Exit: 0");
    }
    assert_int_equal(REPLAY(data_option(data), "--until", "yesterday", NULL), EXIT_USAGE);
    assert_int_equal(CHECK("--data=/nowhere/at/all"), EXIT_CANNOT);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_data, drop_data)
    const struct CMUnitTest tests[] = {
        TEST(test_a_sound_directory_checks_clean),
        TEST(test_check_stays_away_from_a_server),
        TEST(test_check_names_what_is_broken_in_the_tables),
        TEST(test_check_and_replay_name_damage_in_the_journal),
        TEST(test_replay_prints_the_state_of_any_fact_and_time),
        TEST(test_replay_names_the_first_fact_with_other_effects),
        TEST(test_a_backup_checks_clean_and_is_carried_on),
        TEST(test_a_following_backup_has_what_was_committed),
        TEST(test_bad_usage_is_one_line_and_exits_2),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
