/* SPDX-License-Identifier: Apache-2.0 */
/* loop.c: the words of loop.h, for metrics and logs. */
#include "net/loop.h"

const char *close_label(enum close_reason reason)
{
    static const char *const labels[CLOSE_N] = {
#define X(name, label, text) [CLOSE_##name] = label,
        CLOSE_LIST(X)
#undef X
    };
    return (unsigned)reason < CLOSE_N ? labels[reason] : "unknown";
}
