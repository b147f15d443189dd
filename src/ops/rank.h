/* SPDX-License-Identifier: Apache-2.0 */
/* rank.h: which thread of the server the kernel lets go first when there are more threads than cores.
 *
 *     RANK_PROMPT       somebody waits for it: a rider for an unlock, a commit for its batch. It runs for microseconds and is
 *                       to be let in soon after it woke
 *     RANK_BACKGROUND   nobody waits: writing tables, drawing the map's next picture. It gets what is left, and enough of it
 *
 * Nothing here needs a privilege, and a kernel that knows no slices (before 6.12) is asked in vain: a rank is a wish, never a
 * condition. Thread: sets its own. */
#ifndef OPS_RANK_H
#define OPS_RANK_H

#include <stdbool.h>

enum rank { RANK_PROMPT, RANK_BACKGROUND };

/* False: the kernel took nothing of it. */
bool rank_take(enum rank rank);

#endif
