/* SPDX-License-Identifier: Apache-2.0 */
/* declared.h: what an operator declared, read back from the tables in the words of the PUTs: units, names and codes are
 * those of a request body, so that what GET answers, PUT takes. One list of members a kind is both its JSON and its
 * schema.
 * Thread  the desk's; schemas: any */
#ifndef API_DECLARED_H
#define API_DECLARED_H

#include "api/desk.h"
#include "api/schema.h"

#define DECLARED_FLEET_MAX 1000u /* vehicles of one page */

/* A page of job->row's kind, or the one named job->name; a page that is empty when `t` is NULL. */
MUST_USE struct err declared_read(struct tables *t, const struct desk_job *job, struct desk_result *out);

extern const struct schema answer_operator, answer_legal_entity, answer_city, answer_vehicle_type, answer_plan;
extern const struct schema page_legal_entities, page_cities, page_vehicle_types, page_plans, page_fleet;

#endif
