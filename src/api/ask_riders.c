/* SPDX-License-Identifier: Apache-2.0 */
/* ask_riders.c: what staff ask about riders. The engine knows accounts and what they owe; who they are stands in
 * contacts.db and is shown to few (people.h). */
#include "api/api_inside.h"
#include "api/ask.h"

static struct uuid rider_of(const struct call *call) { return args_get(&call->args, "id")->uuid; }

void ask_riders(struct call *call)
{
    struct desk_job job = {.kind = DESK_RIDERS, .sight = SIGHT_STAFF,
                           .state = (uint8_t)args_get(&call->args, "state")->number,
                           .after = args_get(&call->args, "after")->cursor, .limit = call_limit(call)};
    call_job(call, &job);
}

void ask_rider(struct call *call)
{
    struct query query = {.kind = QUERY_RIDER, .uuid = rider_of(call)};
    call_query(call, &query, ANSWER_RIDER);
}

void ask_put_rider(struct call *call)
{
    struct fact fact = {.kind = FACT_RIDER_SET};
    struct fact_rider_set *f = &fact.rider_set;
    f->account = rider_of(call);
    f->state = (uint8_t)args_get(&call->args, "state")->number;
    f->by = call->who.account;
    call_fact(call, &fact, ANSWER_RIDER);
}

static void by_clerk(struct call *call, enum clerk_kind kind)
{
    struct clerk_job job = {.kind = (uint8_t)kind, .account = rider_of(call), .by = call->who.account,
                            .now_ms = call_wall_ms(call)};
    call_clerk(call, &job);
}

void ask_rider_contact(struct call *call) { by_clerk(call, CLERK_NUMBER); }
void ask_rider_sign_out(struct call *call) { by_clerk(call, CLERK_SIGN_OUT_ALL); }
void ask_erase_rider(struct call *call) { by_clerk(call, CLERK_ERASE); }
