/* SPDX-License-Identifier: Apache-2.0 */
/* staff.h: staff as control declares them over HTTP: names, roles, cities, a first password. What is done with them is
 * people.h's, as it is for `paddock staff`.
 *
 *     PUT ─► are its cities declared? (desk) ─► hashed and written (clerk, password lane) ─► answer
 *     GET ─► clerk, book lane ─► answer
 *
 * Secret  a password goes to the clerk and nowhere else: no answer, event or log has one, and where it waited is overwritten
 * Limits  STAFF_WAITS_MAX wait for the desk at once, else FULL; STAFF_PAGE_MAX of a page
 * Thread  the loop's; staff_page and staff_one: the clerk's */
#ifndef API_STAFF_H
#define API_STAFF_H

#include "api/contacts.h"
#include "api/schema.h"

enum { STAFF_WAITS_MAX = 32, STAFF_PAGE_MAX = 200 };

struct api;
struct call;
struct pending;
struct staff_waits; /* PUTs whose cities are being looked up */

MUST_USE struct err staff_waits_create(struct staff_waits **out);
void staff_waits_destroy(struct staff_waits *all); /* NULL is fine */
/* The desk has looked for a city: the next one is looked for, the PUT goes to the clerk, or it is refused. */
void staff_looked(struct api *api, struct pending *p, bool declared);
/* The entry goes: what it waited with is forgotten. */
void staff_wait_drop(struct api *api, struct pending *p);

/* Whole answers as JSON into heap memory, the caller's. FULL: no memory. */
MUST_USE struct err staff_page(struct contacts *c, struct bytes after, unsigned limit, char **body, size_t *body_len);
/* NOT_FOUND. */
MUST_USE struct err staff_one(struct contacts *c, struct bytes name, char **body, size_t *body_len);

extern const struct schema answer_staff, page_staff;

#endif
