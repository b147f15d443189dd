/* SPDX-License-Identifier: Apache-2.0 */
/* apps.h: the oldest build of each app that is still let in, in memory; contacts.db has them (contacts.h argues why).
 *
 * Fresh   looked at again APPS_LOOK_MS after the last time, and at once after apps_changed
 * Limits  APPS_MAX apps; further ones are let in whatever their build
 * Thread  the loop's */
#ifndef API_APPS_H
#define API_APPS_H

#include "api/contacts.h"

enum { APPS_MAX = 32, APPS_LOOK_MS = 1000 };

struct apps {
    struct contacts_app at[APPS_MAX];
    unsigned count;
    int64_t mark, looked_ms;
    bool looked;
};

/* Reads them when they have changed. */
MUST_USE struct err apps_look(struct apps *apps, struct auth *auth, int64_t mono_ms);
void apps_changed(struct apps *apps);
/* NULL: any build may. */
const struct contacts_app *apps_find(const struct apps *apps, struct bytes name);

#endif
