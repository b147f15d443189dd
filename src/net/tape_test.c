/* SPDX-License-Identifier: Apache-2.0 */
/* tape_test.c: what was said is there, newest first, until newer things take its place. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/tape.h"

enum { ENTRIES = 1024 };

static struct tape *open_tape(void)
{
    struct tape *t;
    assert_int_equal(tape_create(ENTRIES, (struct hash_key){3, 4}, &t).code, ERR_OK);
    return t;
}

static void say(struct tape *t, const char *name, int64_t at_ms, const char *frame)
{
    struct tape_note note = {.at_ms = at_ms, .seq = (uint64_t)at_ms * 10};
    tape_put(t, tape_name(t, bytes_text(name)), note, bytes_text(frame));
}

static uint32_t read_all(struct tape *t, const char *name, uint64_t before, struct tape_entry *out, uint32_t limit, bool *more)
{
    return tape_read(t, bytes_text(name), before, INT64_MIN, INT64_MAX, out, limit, more);
}

static void test_each_name_has_its_own_tape_newest_first(void **state)
{
    (void)state;
    struct tape *t = open_tape();
    struct tape_entry out[8];
    bool more;
    say(t, "a", 1, "one");
    say(t, "b", 2, "two");
    say(t, "a", 3, "three");
    assert_int_equal(read_all(t, "a", 0, out, 8, &more), 2);
    assert_false(more);
    assert_memory_equal(out[0].bytes, "three", 5);
    assert_int_equal(out[0].len, 5);
    assert_int_equal(out[0].seq, 30);
    assert_int_equal(out[1].at_ms, 1);
    assert_int_equal(read_all(t, "c", 0, out, 8, &more), 0);
    assert_int_equal(read_all(NULL, "a", 0, out, 8, &more), 0);
    tape_put(NULL, tape_name(NULL, bytes_text("a")), (struct tape_note){0}, bytes_text("x"));
    tape_destroy(t);
}

static void test_pages_follow_each_other(void **state)
{
    (void)state;
    struct tape *t = open_tape();
    struct tape_entry out[4];
    bool more;
    for (int i = 1; i <= 10; i++) {
        say(t, "a", i, "x");
        say(t, "b", i, "y");
    }
    uint64_t cursor = 0;
    int64_t wanted = 10;
    for (int page = 0; page < 3; page++) {
        uint32_t n = read_all(t, "a", cursor, out, 4, &more);
        assert_int_equal(n, page < 2 ? 4 : 2);
        assert_int_equal(more, page < 2);
        for (uint32_t i = 0; i < n; i++) assert_int_equal(out[i].at_ms, wanted--);
        cursor = out[n - 1].number;
    }
    assert_int_equal(tape_read(t, bytes_text("a"), 0, 3, 5, out, 4, &more), 3);
    assert_int_equal(out[0].at_ms, 5);
    assert_int_equal(out[2].at_ms, 3);
    tape_destroy(t);
}

static void test_the_oldest_make_room_and_chains_end_there(void **state)
{
    (void)state;
    struct tape *t = open_tape();
    static struct tape_entry out[2 * ENTRIES];
    bool more;
    say(t, "quiet", 1, "long ago");
    for (int i = 2; i <= ENTRIES; i++) say(t, "loud", i, "x");
    assert_int_equal(read_all(t, "quiet", 0, out, 8, &more), 1);
    say(t, "loud", ENTRIES + 1, "x");
    assert_int_equal(read_all(t, "quiet", 0, out, 8, &more), 0);
    for (int i = 0; i < 3 * ENTRIES; i++) say(t, "loud", 2000 + i, "x");
    assert_int_equal(read_all(t, "loud", 0, out, 2 * ENTRIES, &more), ENTRIES);
    assert_int_equal(out[ENTRIES - 1].at_ms, 2000 + 2 * ENTRIES);
    tape_destroy(t);
}

static void test_a_long_frame_is_cut_and_says_so(void **state)
{
    (void)state;
    struct tape *t = open_tape();
    struct tape_entry out;
    bool more;
    uint8_t frame[TAPE_BYTES_MAX + 50];
    memset(frame, 'z', sizeof frame);
    tape_put(t, tape_name(t, bytes_text("a")), (struct tape_note){.flags = TAPE_OUT}, bytes_of(frame, sizeof frame));
    assert_int_equal(read_all(t, "a", 0, &out, 1, &more), 1);
    assert_int_equal(out.len, sizeof frame);
    assert_int_equal(out.flags, TAPE_OUT);
    assert_int_equal(out.bytes[TAPE_BYTES_MAX - 1], 'z');
    tape_destroy(t);
}

static void test_a_size_that_is_none_is_refused(void **state)
{
    (void)state;
    struct tape *t;
    assert_int_equal(tape_create(10, (struct hash_key){0}, &t).code, ERR_INVALID);
    assert_null(t);
    tape_destroy(t);
}

static void *talk(void *arg)
{
    for (int i = 0; i < 20000; i++) say(arg, i % 2 ? "a" : "b", i, "word");
    return NULL;
}

static void test_reading_beside_writing_sees_whole_entries(void **state)
{
    (void)state;
    struct tape *t = open_tape();
    struct tape_entry out[16];
    pthread_t thread;
    bool more;
    assert_int_equal(pthread_create(&thread, NULL, talk, t), 0);
    for (int i = 0; i < 500; i++) {
        uint32_t n = read_all(t, "a", 0, out, 16, &more);
        for (uint32_t k = 0; k < n; k++) assert_int_equal(out[k].seq, (uint64_t)out[k].at_ms * 10);
    }
    pthread_join(thread, NULL);
    tape_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_name_has_its_own_tape_newest_first),
        cmocka_unit_test(test_pages_follow_each_other),
        cmocka_unit_test(test_the_oldest_make_room_and_chains_end_there),
        cmocka_unit_test(test_a_long_frame_is_cut_and_says_so),
        cmocka_unit_test(test_a_size_that_is_none_is_refused),
        cmocka_unit_test(test_reading_beside_writing_sees_whole_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
