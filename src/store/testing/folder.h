/* SPDX-License-Identifier: Apache-2.0 */
/* folder.h: where tests make their folders: below TMPDIR, as other programs do; mutate points it at memory. Test
 * support only. */
#ifndef STORE_TESTING_FOLDER_H
#define STORE_TESTING_FOLDER_H

#include <stdio.h>
#include <stdlib.h>

/* Room for mkdtemp's template. */
static inline void test_folder_name(char *out, size_t room, const char *name)
{
    const char *above = getenv("TMPDIR");
    int len = snprintf(out, room, "%s/%s", above ? above : P_tmpdir, name);
    if (len < 0 || (size_t)len >= room) snprintf(out, room, "%s/%s", P_tmpdir, name);
}

#endif
