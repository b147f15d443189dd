/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/file.h"
#include "store/testing/folder.h"

static struct file_os os;
static struct file_system fs;
static char root[64];

static int set_up(void **s)
{
    (void)s;
    test_folder_name(root, sizeof root, "paddock-file-XXXXXX");
    if (!mkdtemp(root)) return -1;
    return file_os_open(&os, root, &fs).code;
}

static int tear_down(void **s)
{
    (void)s;
    file_os_close(&os);
    return rmdir(root);
}

static void test_files_are_made_read_and_refused_by_mode(void **s)
{
    (void)s;
    struct file a, b;
    uint8_t bytes[8];
    size_t got;
    assert_int_equal(file_open(&fs, "a", FILE_READ, &a).code, ERR_NOT_FOUND);
    assert_int_equal(a.v, -1);
    assert_int_equal(file_last_errno(), ENOENT);
    assert_int_equal(file_open(&fs, "a", FILE_WRITE, &a).code, ERR_NOT_FOUND);
    assert_int_equal(file_open(&fs, "a", FILE_NEW, &a).code, ERR_OK);
    assert_int_equal(file_open(&fs, "a", FILE_NEW, &b).code, ERR_STATE);
    assert_int_equal(file_write_at(&fs, a, 3, "xyz", 3).code, ERR_OK);
    assert_int_equal(file_sync_data(&fs, a).code, ERR_OK);
    assert_int_equal(file_open(&fs, "a", FILE_READ, &b).code, ERR_OK);
    assert_int_equal(file_write_at(&fs, b, 0, "x", 1).code, ERR_IO);
    assert_int_equal(file_read_at(&fs, b, 0, bytes, sizeof bytes, &got).code, ERR_OK);
    assert_int_equal(got, 6);
    assert_memory_equal(bytes, "\0\0\0xyz", 6);
    assert_int_equal(file_truncate(&fs, a, 4).code, ERR_OK);
    uint64_t size;
    assert_int_equal(file_size(&fs, b, &size).code, ERR_OK);
    assert_int_equal(size, 4);
    file_close(&fs, &a);
    file_close(&fs, &b);
    assert_int_equal(b.v, -1);
    file_close(&fs, &b);
    assert_int_equal(file_remove(&fs, "a").code, ERR_OK);
    assert_int_equal(file_remove(&fs, "a").code, ERR_NOT_FOUND);
}

static struct err count_name(void *ctx, const char *name)
{
    (void)name;
    ++*(unsigned *)ctx;
    return NO_ERR;
}

static void test_folders_list_rename_and_sync(void **s)
{
    (void)s;
    struct file f;
    struct file_info info;
    unsigned names = 0;
    uint64_t bytes;
    assert_int_equal(file_make_folder(&fs, "d").code, ERR_OK);
    assert_int_equal(file_make_folder(&fs, "d").code, ERR_OK);
    assert_int_equal(file_open(&fs, "d/a", FILE_CREATE, &f).code, ERR_OK);
    assert_int_equal(file_fill_zeros(&fs, f, 0, 200000).code, ERR_OK);
    file_close(&fs, &f);
    assert_int_equal(file_rename(&fs, "d/a", "d/b").code, ERR_OK);
    assert_int_equal(file_sync_folder(&fs, "d").code, ERR_OK);
    assert_int_equal(file_list(&fs, "d", count_name, &names).code, ERR_OK);
    assert_int_equal(names, 1);
    assert_int_equal(file_info(&fs, "d/a", &info).code, ERR_NOT_FOUND);
    assert_int_equal(file_info(&fs, "d/b", &info).code, ERR_OK);
    assert_int_equal(info.size, 200000);
    assert_int_equal(file_info(&fs, "d", &info).code, ERR_OK);
    assert_true(info.folder);
    assert_int_equal(file_free_bytes(&fs, "d", &bytes).code, ERR_OK);
    assert_true(bytes > 0);
    assert_int_equal(file_list(&fs, "none", count_name, &names).code, ERR_NOT_FOUND);
    assert_int_equal(file_sync_folder(&fs, "none").code, ERR_NOT_FOUND);
    assert_int_equal(file_remove(&fs, "d/b").code, ERR_OK);
    rmdir(strcat(strcpy((char[128]){0}, root), "/d"));
}

static void test_a_lock_keeps_another_process_out_and_ends_with_its_own(void **s)
{
    (void)s;
    struct file lock;
    int up[2], status;
    char go;
    assert_int_equal(pipe(up), 0);
    pid_t child = fork();
    if (child == 0) {
        struct file mine;
        struct err e = file_lock(&fs, "lock", &mine);
        if (e.code || write(up[1], "x", 1) != 1) _exit(1);
        pause();
    }
    assert_int_equal(read(up[0], &go, 1), 1);
    assert_int_equal(file_lock(&fs, "lock", &lock).code, ERR_STATE);
    assert_int_equal(kill(child, 9), 0);
    waitpid(child, &status, 0);
    assert_int_equal(file_lock(&fs, "lock", &lock).code, ERR_OK);
    struct file second;
    assert_int_equal(file_lock(&fs, "lock", &second).code, ERR_STATE);
    file_close(&fs, &lock);
    assert_int_equal(file_lock(&fs, "lock", &second).code, ERR_OK);
    file_close(&fs, &second);
    close(up[0]);
    close(up[1]);
    assert_int_equal(file_remove(&fs, "lock").code, ERR_OK);
}

static void test_mapped_memory_is_the_file(void **s)
{
    (void)s;
    struct file f;
    void *map;
    uint8_t bytes[4];
    size_t got;
    assert_int_equal(file_open(&fs, "m", FILE_CREATE, &f).code, ERR_OK);
    assert_int_equal(file_map(&fs, f, 4096, &map).code, ERR_IO); /* shorter than that */
    assert_int_equal(file_fill_zeros(&fs, f, 0, 4096).code, ERR_OK);
    assert_int_equal(file_map(&fs, f, 4096, &map).code, ERR_OK);
    memcpy(map, "hand", 4);
    assert_int_equal(file_read_at(&fs, f, 0, bytes, 4, &got).code, ERR_OK);
    assert_memory_equal(bytes, "hand", 4);
    assert_int_equal(file_sync_data(&fs, f).code, ERR_OK);
    file_unmap(&fs, map, 4096);
    file_close(&fs, &f);
    assert_int_equal(file_remove(&fs, "m").code, ERR_OK);
}

static void test_a_full_device_is_full(void **s)
{
    (void)s;
    struct file_os device_os;
    struct file_system device;
    struct file f;
    if (access("/dev/full", W_OK) != 0) skip();
    assert_int_equal(file_os_open(&device_os, "/dev", &device).code, ERR_OK);
    assert_int_equal(file_open(&device, "full", FILE_WRITE, &f).code, ERR_OK);
    assert_int_equal(file_write_at(&device, f, 0, "x", 1).code, ERR_FULL);
    file_close(&device, &f);
    file_os_close(&device_os);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_are_made_read_and_refused_by_mode),
        cmocka_unit_test(test_folders_list_rename_and_sync),
        cmocka_unit_test(test_a_lock_keeps_another_process_out_and_ends_with_its_own),
        cmocka_unit_test(test_mapped_memory_is_the_file),
        cmocka_unit_test(test_a_full_device_is_full),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
