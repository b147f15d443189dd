/* SPDX-License-Identifier: Apache-2.0 */
/* contract.h: what the route table leads to, gathered once for all who publish it: /openapi.json, docs/reference/api.md
 * and the clients in clients/. The names of types are made here, so that they are the same in each.
 * Thread  any */
#ifndef API_CONTRACT_H
#define API_CONTRACT_H

#include "api/routes.h"

#define CONTRACT_VERSION "0.1.0" /* of the interface; what may change is said in docs/api.md */
#define CONTRACT_SCHEMAS_MAX 128u
#define CONTRACT_ENUMS_MAX 64u
#define CONTRACT_STATUSES_MAX 16u

struct contract {
    const struct schema *schemas[CONTRACT_SCHEMAS_MAX];
    const struct enum_names *enums[CONTRACT_ENUMS_MAX];
    unsigned schema_count, enum_count;
};

/* Each schema and enum once, in the order in which the routes name them; a schema before those in it. */
void contract_collect(struct contract *c);

/* "vehicle_state" -> VehicleState, "startRide" -> StartRide, "ride.may_start" -> RideMayStart. */
void contract_put_type(struct buf *out, const char *name);

bool contract_has(const struct route *route, enum arg_where where);
bool contract_body_required(const struct route *route);
bool contract_takes(const struct route *route, const char *name);

/* Statuses of problems that the route may answer, rising; at most CONTRACT_STATUSES_MAX. */
unsigned contract_statuses(const struct route *route, int out[CONTRACT_STATUSES_MAX]);

/* What a value of the enum means, for people; "" when there is no more to say than its name. */
const char *contract_enum_doc(const struct enum_names *names, unsigned value);

#endif
