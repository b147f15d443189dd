/* SPDX-License-Identifier: Apache-2.0 */
/* apps.c: see apps.h. */
#include "api/apps.h"

struct err apps_look(struct apps *apps, struct auth *auth, int64_t mono_ms)
{
    struct contacts *contacts = auth_contacts(auth);
    int64_t mark;
    if (apps->looked && mono_ms - apps->looked_ms < APPS_LOOK_MS) return NO_ERR;
    TRY(contacts_mark(contacts, "apps", &mark));
    if (!apps->looked || mark != apps->mark) TRY(contacts_apps(contacts, apps->at, APPS_MAX, &apps->count));
    apps->mark = mark;
    apps->looked_ms = mono_ms;
    apps->looked = true;
    return NO_ERR;
}

void apps_changed(struct apps *apps)
{
    apps->looked = false;
}

const struct contacts_app *apps_find(const struct apps *apps, struct bytes name)
{
    for (unsigned i = 0; i < apps->count; i++) {
        if (bytes_equal(text_bytes(&apps->at[i].name), name)) return &apps->at[i];
    }
    return NULL;
}
