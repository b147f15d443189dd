/* SPDX-License-Identifier: Apache-2.0 */
/* rank_test.c: a thread that takes a rank changes for itself only, and says when the kernel took nothing. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "ops/rank.h"

struct seen { enum rank rank; bool took; int policy, niceness; };

static void *take(void *arg)
{
    struct seen *s = arg;
    s->took = rank_take(s->rank);
    s->policy = sched_getscheduler(0);
    s->niceness = getpriority(PRIO_PROCESS, 0); /* Linux: of this thread */
    return NULL;
}

static struct seen in_a_thread(enum rank rank)
{
    struct seen s = {.rank = rank};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, take, &s), 0);
    pthread_join(thread, NULL);
    return s;
}

static void test_who_works_in_the_background_is_nicer_and_nobody_else(void **state)
{
    (void)state;
    int before = getpriority(PRIO_PROCESS, 0);
    struct seen s = in_a_thread(RANK_BACKGROUND);
    assert_true(s.took);
    assert_int_equal(s.policy, SCHED_BATCH);
    assert_int_equal(s.niceness, before + 5 > 19 ? 19 : before + 5);
    assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), before);
}

static void test_who_is_prompt_keeps_policy_and_weight(void **state)
{
    (void)state;
    int before = getpriority(PRIO_PROCESS, 0);
    struct seen s = in_a_thread(RANK_PROMPT);
    assert_true(s.took);
    assert_int_equal(s.policy, SCHED_OTHER);
    assert_int_equal(s.niceness, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_works_in_the_background_is_nicer_and_nobody_else),
        cmocka_unit_test(test_who_is_prompt_keeps_policy_and_weight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
