/* SPDX-License-Identifier: Apache-2.0 */
/* Run under TSan too: what a reader holds must not change below it. */
#include "street/board.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <stdint.h>
#include <cmocka.h>

#define ROUNDS 20000u
#define WORDS 64u

struct page { uint64_t words[WORDS]; };

static struct board board;
static struct page pages[2];
static _Atomic bool over;
static _Atomic uint64_t torn, backwards, looks;

static void test_what_is_shown_or_held_is_not_free(void **state)
{
    (void)state;
    struct board b;
    memset(&b, 0, sizeof b);
    int a, c;
    assert_null(board_hold(&b, 0));
    board_let_go(&b, 0);
    assert_true(board_free(&b, &a));
    board_show(&b, &a);
    assert_false(board_free(&b, &a));
    assert_ptr_equal(board_hold(&b, 2), &a);
    assert_int_equal(board_held(&b), 1);
    board_show(&b, &c);
    assert_false(board_free(&b, &a)); /* no longer shown, still held */
    assert_ptr_equal(board_hold(&b, 0), &c);
    board_let_go(&b, 2);
    assert_true(board_free(&b, &a));
    assert_false(board_free(&b, &c));
    board_let_go(&b, 0);
    assert_int_equal(board_held(&b), 0);
}

/* Every page has one number all over; it never goes back. */
static void *read_on(void *arg)
{
    unsigned reader = (unsigned)(uintptr_t)arg;
    uint64_t last = 0;
    while (!atomic_load(&over)) {
        const struct page *p = board_hold(&board, reader);
        uint64_t first = p->words[0];
        for (unsigned i = 1; i < WORDS; i++) {
            if (p->words[i] != first) atomic_fetch_add(&torn, 1);
        }
        if (first < last) atomic_fetch_add(&backwards, 1);
        last = first;
        board_let_go(&board, reader);
        atomic_fetch_add(&looks, 1);
        sched_yield(); /* whoever has to go goes with empty hands: a page held by a sleeper stops the writer */
    }
    return NULL;
}

static void test_readers_see_whole_pages_while_others_are_made(void **state)
{
    (void)state;
    pthread_t threads[BOARD_READERS];
    board_show(&board, &pages[0]);
    for (uintptr_t i = 0; i < BOARD_READERS; i++) pthread_create(&threads[i], NULL, read_on, (void *)i);
    for (uint64_t n = 1; n <= ROUNDS;) {
        struct page *p = board_free(&board, &pages[0]) ? &pages[0] : &pages[1];
        if (!board_free(&board, p)) {
            sched_yield();
            continue;
        }
        for (unsigned i = 0; i < WORDS; i++) p->words[i] = n;
        board_show(&board, p);
        n++;
    }
    while (atomic_load(&looks) < ROUNDS / 10) sched_yield(); /* with one core the readers may come late */
    atomic_store(&over, true);
    for (unsigned i = 0; i < BOARD_READERS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&torn), 0);
    assert_int_equal(atomic_load(&backwards), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_shown_or_held_is_not_free),
        cmocka_unit_test(test_readers_see_whole_pages_while_others_are_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
