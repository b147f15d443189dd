/* SPDX-License-Identifier: Apache-2.0 */
/* ask_declared.c: what was declared, read back. */
#include "api/api_inside.h"
#include "api/ask.h"
#include "api/declared.h"

static void ask_one(struct call *call, enum row_kind row)
{
    struct desk_job job = {.kind = DESK_DECLARED, .sight = SIGHT_STAFF, .row = (uint8_t)row};
    text_clip(&job.name, args_get(&call->args, "code")->text);
    call_job(call, &job);
}

static void ask_page(struct call *call, enum row_kind row, unsigned limit)
{
    struct desk_job job = {.kind = DESK_DECLARED, .sight = SIGHT_STAFF, .row = (uint8_t)row,
                           .after = args_get(&call->args, "after")->cursor, .limit = limit};
    call_job(call, &job);
}

void ask_operator(struct call *call)
{
    struct desk_job job = {.kind = DESK_DECLARED, .sight = SIGHT_STAFF, .row = ROW_PARTITION};
    call_job(call, &job);
}

void ask_legal_entities(struct call *call) { ask_page(call, ROW_LEGAL_ENTITY, call_limit(call)); }
void ask_legal_entity(struct call *call) { ask_one(call, ROW_LEGAL_ENTITY); }
void ask_cities(struct call *call) { ask_page(call, ROW_CITY, call_limit(call)); }
void ask_city(struct call *call) { ask_one(call, ROW_CITY); }
void ask_vehicle_types(struct call *call) { ask_page(call, ROW_VEHICLE_TYPE, call_limit(call)); }
void ask_vehicle_type(struct call *call) { ask_one(call, ROW_VEHICLE_TYPE); }
void ask_plans(struct call *call) { ask_page(call, ROW_PLAN, call_limit(call)); }
void ask_plan(struct call *call) { ask_one(call, ROW_PLAN); }

/* Its rows are short, and `paddock apply` reads all of them. */
void ask_fleet(struct call *call)
{
    const struct arg *limit = args_get(&call->args, "limit");
    int64_t wanted = limit->given ? limit->number : API_PAGE_DEFAULT;
    ask_page(call, ROW_VEHICLE, wanted < DECLARED_FLEET_MAX ? (unsigned)wanted : DECLARED_FLEET_MAX);
}
