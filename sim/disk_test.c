/* SPDX-License-Identifier: Apache-2.0 */
/* disk_test.c: the lying disk keeps its own promises: what it may lose, what it may not, and the same
 * again from the same seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/disk.h"

static struct file new_file(struct file_system *fs, const char *path)
{
    struct file f;
    assert_int_equal(file_make_folder(fs, "d").code, ERR_OK);
    assert_int_equal(file_open(fs, path, FILE_CREATE, &f).code, ERR_OK);
    return f;
}

static size_t read_all(struct file_system *fs, const char *path, uint8_t *to, size_t cap)
{
    struct file f;
    size_t got;
    if (file_open(fs, path, FILE_READ, &f).code) return SIZE_MAX;
    assert_int_equal(file_read_at(fs, f, 0, to, cap, &got).code, ERR_OK);
    file_close(fs, &f);
    return got;
}

static void write_text(struct file_system *fs, struct file f, uint64_t at, const char *text)
{
    assert_int_equal(file_write_at(fs, f, at, text, strlen(text)).code, ERR_OK);
}

static void test_a_kill_keeps_every_write_and_frees_handles_and_locks(void **s)
{
    (void)s;
    struct disk *d = disk_create(1);
    struct file_system fs = disk_files(d);
    uint8_t bytes[64];
    struct file f = new_file(&fs, "d/a"), lock, second;
    void *map;
    write_text(&fs, f, 0, "unsynced");
    assert_int_equal(file_map(&fs, f, 8, &map).code, ERR_OK);
    memcpy(map, "UN", 2);
    assert_int_equal(file_lock(&fs, "d/lock", &lock).code, ERR_OK);
    assert_int_equal(file_lock(&fs, "d/lock", &second).code, ERR_STATE);
    disk_crash(d, DISK_KILL);
    assert_int_equal(file_sync_data(&fs, f).code, ERR_IO);
    assert_int_equal(read_all(&fs, "d/a", bytes, sizeof bytes), 8);
    assert_memory_equal(bytes, "UNsynced", 8);
    assert_int_equal(file_lock(&fs, "d/lock", &lock).code, ERR_OK);
    disk_destroy(d);
}

static void test_a_power_cut_never_touches_what_was_synced(void **s)
{
    (void)s;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct disk *d = disk_create(seed);
        struct file_system fs = disk_files(d);
        static uint8_t synced[3000], after[8000], fresh[3000];
        struct file f = new_file(&fs, "d/a");
        memset(synced, 's', sizeof synced);
        memset(fresh, 'f', sizeof fresh);
        assert_int_equal(file_write_at(&fs, f, 0, synced, sizeof synced).code, ERR_OK);
        assert_int_equal(file_sync_data(&fs, f).code, ERR_OK);
        assert_int_equal(file_sync_folder(&fs, "d").code, ERR_OK);
        assert_int_equal(file_write_at(&fs, f, 2000, fresh, sizeof fresh).code, ERR_OK);
        disk_crash(d, seed % 2 ? DISK_POWER : DISK_POWER_BYTES);
        size_t len = read_all(&fs, "d/a", after, sizeof after);
        assert_true(len >= 3000 && len <= 5000);
        assert_memory_equal(after, synced, 2000);
        for (size_t i = 2000; i < len; i++) {
            assert_true(after[i] == 'f' || after[i] == (i < 3000 ? 's' : 0) || after[i] == 0);
            if (i < 3000) assert_true(after[i] != 0);
        }
        disk_destroy(d);
    }
}

/* Over many seeds each fate must be met: all kept, all lost, a part. */
static void test_unsynced_writes_meet_every_fate(void **s)
{
    (void)s;
    unsigned kept = 0, lost = 0, part = 0, hole = 0;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct disk *d = disk_create(seed);
        struct file_system fs = disk_files(d);
        uint8_t fresh[2048], after[4096] = {0};
        struct file f = new_file(&fs, "d/a");
        assert_int_equal(file_sync_folder(&fs, "d").code, ERR_OK);
        memset(fresh, 'f', sizeof fresh);
        assert_int_equal(file_write_at(&fs, f, 0, fresh, sizeof fresh).code, ERR_OK);
        disk_crash(d, DISK_POWER);
        size_t len = read_all(&fs, "d/a", after, sizeof after), count = 0;
        for (size_t i = 0; i < len; i++) count += after[i] == 'f';
        assert_int_equal(count % 512, 0);
        kept += count == sizeof fresh;
        lost += count == 0;
        part += count && count < sizeof fresh;
        hole += after[0] == 0 && after[2047] == 'f';
        disk_destroy(d);
    }
    assert_true(kept > 20 && lost > 20 && part > 20 && hole > 5);
}

static void test_names_are_lost_until_their_folder_is_synced(void **s)
{
    (void)s;
    unsigned kept = 0, lost = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct disk *d = disk_create(seed);
        struct file_system fs = disk_files(d);
        uint8_t bytes[16];
        struct file f = new_file(&fs, "d/a");
        write_text(&fs, f, 0, "old");
        assert_int_equal(file_sync_data(&fs, f).code, ERR_OK);
        assert_int_equal(file_sync_folder(&fs, "d").code, ERR_OK);
        f = new_file(&fs, "d/b");
        write_text(&fs, f, 0, "newer");
        assert_int_equal(file_sync_data(&fs, f).code, ERR_OK);
        assert_int_equal(file_rename(&fs, "d/b", "d/a").code, ERR_OK);
        disk_crash(d, DISK_POWER);
        size_t len = read_all(&fs, "d/a", bytes, sizeof bytes);
        assert_true(len == 3 || len == 5); /* one or the other, never neither */
        kept += len == 5;
        lost += len == 3;
        f = new_file(&fs, "d/c");
        assert_int_equal(file_sync_folder(&fs, "d").code, ERR_OK);
        disk_crash(d, DISK_POWER);
        assert_int_equal(read_all(&fs, "d/c", bytes, sizeof bytes), 0);
        disk_destroy(d);
    }
    assert_true(kept > 10 && lost > 10);
}

static void test_after_a_failed_sync_a_later_one_lies(void **s)
{
    (void)s;
    unsigned lost = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct disk *d = disk_create(seed);
        struct file_system fs = disk_files(d);
        uint8_t bytes[16];
        struct file f = new_file(&fs, "d/a");
        assert_int_equal(file_sync_folder(&fs, "d").code, ERR_OK);
        write_text(&fs, f, 0, "precious");
        disk_set_faults(d, (struct disk_faults){.fail_nth = 1});
        assert_int_equal(file_sync_data(&fs, f).code, ERR_IO);
        assert_int_equal(file_sync_data(&fs, f).code, ERR_OK);
        assert_int_equal(read_all(&fs, "d/a", bytes, sizeof bytes), 8);
        disk_crash(d, DISK_POWER);
        size_t len = read_all(&fs, "d/a", bytes, sizeof bytes);
        lost += len != 8 || memcmp(bytes, "precious", 8) != 0;
        disk_destroy(d);
    }
    assert_true(lost > 10 && lost < 50);
}

static void test_a_full_disk_says_so_and_a_stopped_one_does_nothing(void **s)
{
    (void)s;
    struct disk *d = disk_create(1);
    struct file_system fs = disk_files(d);
    uint8_t bytes[128];
    uint64_t free_bytes;
    struct file f = new_file(&fs, "d/a");
    disk_set_faults(d, (struct disk_faults){.capacity_bytes = 100});
    assert_int_equal(file_fill_zeros(&fs, f, 0, 60).code, ERR_OK);
    assert_int_equal(file_free_bytes(&fs, "d", &free_bytes).code, ERR_OK);
    assert_int_equal(free_bytes, 40);
    assert_int_equal(file_fill_zeros(&fs, f, 0, 60).code, ERR_OK); /* in place */
    assert_int_equal(file_fill_zeros(&fs, f, 60, 41).code, ERR_FULL);
    disk_stop(d);
    assert_int_equal(file_write_at(&fs, f, 0, "x", 1).code, ERR_IO);
    assert_int_equal(file_remove(&fs, "d/a").code, ERR_IO);
    disk_crash(d, DISK_KILL);
    assert_int_equal(read_all(&fs, "d/a", bytes, sizeof bytes), 100);
    assert_int_equal(bytes[0], 0);
    disk_destroy(d);
}

static void test_the_same_seed_makes_the_same_crash(void **s)
{
    (void)s;
    uint8_t after[2][4096];
    size_t len[2];
    for (unsigned run = 0; run < 2; run++) {
        struct disk *d = disk_create(99);
        struct file_system fs = disk_files(d);
        struct file f = new_file(&fs, "d/a");
        assert_int_equal(file_sync_folder(&fs, "d").code, ERR_OK);
        for (unsigned i = 0; i < 40; i++) write_text(&fs, f, i * 97, "the same bytes again and again");
        disk_crash(d, DISK_POWER);
        memset(after[run], 0, sizeof after[run]);
        len[run] = read_all(&fs, "d/a", after[run], sizeof after[run]);
        disk_destroy(d);
    }
    assert_int_equal(len[0], len[1]);
    assert_memory_equal(after[0], after[1], sizeof after[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_kill_keeps_every_write_and_frees_handles_and_locks),
        cmocka_unit_test(test_a_power_cut_never_touches_what_was_synced),
        cmocka_unit_test(test_unsynced_writes_meet_every_fate),
        cmocka_unit_test(test_names_are_lost_until_their_folder_is_synced),
        cmocka_unit_test(test_after_a_failed_sync_a_later_one_lies),
        cmocka_unit_test(test_a_full_disk_says_so_and_a_stopped_one_does_nothing),
        cmocka_unit_test(test_the_same_seed_makes_the_same_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
