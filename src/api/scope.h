/* SPDX-License-Identifier: Apache-2.0 */
/* scope.h: where somebody may work: everywhere, or in a list of cities.
 *
 * NULL    `const struct scope *` NULL is the whole operator; an empty list is nowhere. What cannot be read is refused,
 *         never taken for "everywhere"
 * Text    "gothenburg,malmo": codes of cities, sorted, each once; "*" is the whole operator. So it stands in contacts.db
 * Shared  equal scopes are one object, kept for the life of the process: pointers compare, and other threads may read
 * Limits  SCOPE_CITIES_MAX cities, SCOPE_TEXT_MAX bytes, SCOPES_MAX different scopes
 * Thread  scopes_intern: its owner's; a scope: any */
#ifndef API_SCOPE_H
#define API_SCOPE_H

#include "base/buf.h"
#include "base/text.h"

enum { SCOPE_CITIES_MAX = 24, SCOPE_TEXT_MAX = 512, SCOPES_MAX = 1024 };

struct scope {
    unsigned count;
    struct text32 cities[SCOPE_CITIES_MAX];
};

struct scopes { struct scope *at[SCOPES_MAX]; unsigned count; };

/* Reads a list; INVALID: not codes of cities, TOO_LARGE: too many. `out` is sorted, each city once. */
MUST_USE struct err scope_read(struct bytes list, struct scope *out);
/* "*" for NULL. */
void scope_put(struct buf *b, const struct scope *scope);
/* Is a thing of this city (code) in it? Things of no city are the whole operator's. */
bool scope_has(const struct scope *scope, struct bytes city);

/* *out is the shared one for the text of contacts.db. CORRUPT: it cannot be read; FULL: too many different ones. */
MUST_USE struct err scopes_intern(struct scopes *all, struct bytes text, const struct scope **out);
void scopes_fini(struct scopes *all);

#endif
