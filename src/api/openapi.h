/* SPDX-License-Identifier: Apache-2.0 */
/* openapi.h: the route table as an OpenAPI 3.1 document, complete: parameters, bodies, ranges, words, answers, problems
 * with their codes, who may ask. Served at /openapi.json; docs/reference/openapi.json is the same, indented.
 *
 * x-roles   who may call; x-staff on a member: riders do not get it; x-event-data: what an event of a stream says
 * Thread    any */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include "base/buf.h"

#define OPENAPI_MAX (1u << 20)

/* Compact JSON; out->full when it has less room than needed (OPENAPI_MAX is enough: openapi_test). */
void openapi_put(struct buf *out);

#endif
