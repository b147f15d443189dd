/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/rank.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROMPT_SLICE_NS 100000     /* the least that the kernel grants: who asks for little is let in early (EEVDF) */
#define BACKGROUND_NICE 5          /* a third of the weight of the others, while they want to run */
#define NICEST 19

bool rank_take(enum rank rank)
{
    struct sched_attr attr = {.size = sizeof attr};
    if (rank == RANK_PROMPT) {
        attr.sched_policy = SCHED_NORMAL;
        attr.sched_runtime = PROMPT_SLICE_NS;
        attr.sched_nice = getpriority(PRIO_PROCESS, 0);
    } else {
        attr.sched_policy = SCHED_BATCH;
        attr.sched_nice = getpriority(PRIO_PROCESS, 0) + BACKGROUND_NICE;
        if (attr.sched_nice > NICEST) attr.sched_nice = NICEST;
    }
    return syscall(SYS_sched_setattr, 0, &attr, 0u) == 0;
}
