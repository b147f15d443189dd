/* SPDX-License-Identifier: Apache-2.0 */
/* A declared hook decides whether a ride starts: by its answer, by its silence, never twice, over restarts. */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "engine/testing/town.h"

#define TEST(name) static void name(void **state)
#define TOWN struct town *t = *state

static int set_up(void **state)
{
    *state = town_create();
    return 0;
}

static int tear_down(void **state)
{
    town_destroy(*state);
    return 0;
}

static enum err_code reply(const struct town *t)
{
    for (unsigned i = 0; i < t->effects.count; i++) {
        if (t->effects.at[i].kind == EFFECT_REPLY) return t->effects.at[i].reply.code;
    }
    fail();
    return ERR_IO;
}

static enum err_code declare(struct town *t, int64_t deadline_ms, enum verdict fallback, bool removed)
{
    struct fact f = {.kind = FACT_HOOK_SET, .hook_set = {ASK_RIDE_MAY_START, deadline_ms, (uint8_t)fallback, removed}};
    town_apply(t, &f);
    return reply(t);
}

static const struct effect_ask *asked(const struct town *t)
{
    for (unsigned i = 0; i < t->effects.count; i++) {
        if (t->effects.at[i].kind == EFFECT_ASK) return &t->effects.at[i].ask;
    }
    return NULL;
}

static enum err_code answer(struct town *t, struct uuid ask, enum verdict verdict, const char *reason)
{
    struct fact f = {.kind = FACT_ASK_ANSWERED, .ask_answered = {.ask = ask, .verdict = (uint8_t)verdict}};
    text_clip(&f.ask_answered.reason, bytes_text(reason));
    text_clip(&f.ask_answered.text_key, bytes_text("ride.closed"));
    town_apply(t, &f);
    return reply(t);
}

/* A ride that waits; *ask is its question. */
static const struct ride *wait_for_answer(struct town *t, struct uuid *ask)
{
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    assert_non_null(asked(t));
    assert_null(town_sent(t, ORDER_UNLOCK));
    *ask = asked(t)->id;
    const struct ride *r = engine_ride(t->engine, asked(t)->ride);
    assert_int_equal(r->state, RIDE_REQUESTED);
    return r;
}

TEST(without_a_hook_the_unlock_leaves_at_once)
{
    TOWN;
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    assert_null(asked(t));
    assert_non_null(town_sent(t, ORDER_UNLOCK));
}

TEST(the_question_says_who_wants_what_where)
{
    TOWN;
    struct uuid ask;
    assert_int_equal(declare(t, 2000, VERDICT_ALLOW, false), ERR_OK);
    const struct ride *r = wait_for_answer(t, &ask);
    assert_true(uuid_equal(asked(t)->rider, town_rider) && uuid_equal(asked(t)->ride, r->uuid));
    assert_true(text_is(&asked(t)->vehicle_code, "S1") && text_is(&asked(t)->city, "gothenburg"));
    assert_true(text_is(&asked(t)->vehicle_type, "scooter"));
    assert_int_equal(asked(t)->deadline_ms - asked(t)->asked_ms, 2000);
    assert_non_null(town_event(t, EVENT_ASKED));
}

TEST(an_allowed_ride_unlocks_and_runs)
{
    TOWN;
    struct uuid ask;
    declare(t, 2000, VERDICT_REFUSE, false);
    const struct ride *r = wait_for_answer(t, &ask);
    assert_int_equal(answer(t, ask, VERDICT_ALLOW, ""), ERR_OK);
    assert_int_equal(r->state, RIDE_UNLOCKING);
    assert_non_null(town_sent(t, ORDER_UNLOCK));
    town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
    town_result(t, &town_scooter, COMMAND_OP_UNLOCK, 0);
    assert_int_equal(r->state, RIDE_RIDING);
    town_tick(t, 60000);
    assert_int_equal(r->state, RIDE_RIDING); /* the deadline of a question that was answered is nothing */
}

TEST(a_refused_ride_fails_unpaid_and_frees_rider_and_vehicle)
{
    TOWN;
    struct uuid ask;
    declare(t, 2000, VERDICT_ALLOW, false);
    const struct ride *r = wait_for_answer(t, &ask);
    assert_int_equal(town_start(t, town_other_rider, "S1"), ERR_VEHICLE_NOT_AVAILABLE); /* it is held */
    assert_int_equal(answer(t, ask, VERDICT_REFUSE, "after_hours"), ERR_OK);
    assert_int_equal(r->state, RIDE_FAILED);
    assert_int_equal(r->reason, RIDE_REASON_REFUSED);
    assert_true(text_is(&r->hook_reason, "after_hours") && text_is(&r->hook_text, "ride.closed"));
    assert_int_equal(r->charge_minor, 0);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_AVAILABLE);
    assert_int_equal(town_event(t, EVENT_ASK_ANSWERED)->verdict, VERDICT_REFUSE);
    assert_true(text_is(&town_event(t, EVENT_ASK_ANSWERED)->code, "after_hours"));
    assert_null(town_sent(t, ORDER_UNLOCK));
    assert_int_equal(town_start(t, town_other_rider, "S1"), ERR_OK);
    assert_int_equal(town_start(t, town_rider, "B1"), ERR_OK);
}

TEST(silence_means_the_default_at_the_deadline)
{
    TOWN;
    static const struct { enum verdict fallback; enum ride_state state; } cases[] = {
        {VERDICT_REFUSE, RIDE_FAILED}, {VERDICT_ALLOW, RIDE_UNLOCKING}};
    for (unsigned i = 0; i < 2; i++) {
        struct uuid ask;
        assert_int_equal(declare(t, 2000, cases[i].fallback, false), ERR_OK);
        const struct ride *r = wait_for_answer(t, &ask);
        town_tick(t, 1999);
        assert_int_equal(r->state, RIDE_REQUESTED);
        town_tick(t, 1);
        assert_int_equal(r->state, cases[i].state);
        if (r->state == RIDE_FAILED) assert_int_equal(r->reason, RIDE_REASON_NOT_ANSWERED);
        /* what comes late, or again, changes nothing */
        assert_int_equal(answer(t, ask, VERDICT_REFUSE, "late"), ERR_NOT_FOUND);
        assert_int_equal(answer(t, ask, VERDICT_ALLOW, ""), ERR_NOT_FOUND);
        assert_int_equal(r->state, cases[i].state);
        assert_int_equal(r->hook_reason.len, 0);
    }
}

TEST(only_the_first_answer_counts_and_nonsense_is_none)
{
    TOWN;
    struct uuid ask;
    declare(t, 2000, VERDICT_ALLOW, false);
    const struct ride *r = wait_for_answer(t, &ask);
    assert_int_equal(answer(t, ask, 0, ""), ERR_INVALID);
    assert_int_equal(answer(t, ask, VERDICT_N, ""), ERR_INVALID);
    assert_int_equal(answer(t, town_rider, VERDICT_REFUSE, ""), ERR_NOT_FOUND);
    assert_int_equal(r->state, RIDE_REQUESTED);
    assert_int_equal(answer(t, ask, VERDICT_REFUSE, "no"), ERR_OK);
    assert_int_equal(answer(t, ask, VERDICT_ALLOW, ""), ERR_NOT_FOUND);
    assert_int_equal(r->state, RIDE_FAILED);
}

TEST(a_cancelled_ride_ends_its_question)
{
    TOWN;
    struct uuid ask;
    declare(t, 2000, VERDICT_ALLOW, false);
    const struct ride *r = wait_for_answer(t, &ask);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    assert_int_equal(r->state, RIDE_CANCELLED);
    assert_int_equal(engine_row_count(t->engine, ROW_ASK), 0);
    assert_int_equal(answer(t, ask, VERDICT_ALLOW, ""), ERR_NOT_FOUND);
    town_tick(t, 60000);
    assert_int_equal(r->state, RIDE_CANCELLED);
    assert_int_equal(town_start(t, town_other_rider, "S1"), ERR_OK);
}

TEST(a_restart_asks_again_under_the_same_name)
{
    TOWN;
    struct uuid ask;
    declare(t, 2000, VERDICT_REFUSE, false);
    const struct ride *r = wait_for_answer(t, &ask);
    int64_t deadline_ms = asked(t)->deadline_ms;
    t->now_ms += 500;
    town_apply(t, &(struct fact){.kind = FACT_NODE_STARTED, .node_started = {1, 5, 6}});
    town_apply(t, &(struct fact){.kind = FACT_TICK});
    assert_non_null(asked(t));
    assert_true(uuid_equal(asked(t)->id, ask));
    assert_int_equal(asked(t)->deadline_ms, deadline_ms);
    assert_null(town_event(t, EVENT_ASKED)); /* one question, told once */
    town_apply(t, &(struct fact){.kind = FACT_TICK});
    assert_null(asked(t));
    assert_int_equal(answer(t, ask, VERDICT_ALLOW, ""), ERR_OK);
    assert_int_equal(r->state, RIDE_UNLOCKING);
}

TEST(a_restart_after_the_deadline_applies_the_default)
{
    TOWN;
    struct uuid ask;
    declare(t, 2000, VERDICT_REFUSE, false);
    const struct ride *r = wait_for_answer(t, &ask);
    t->now_ms += 5000;
    town_apply(t, &(struct fact){.kind = FACT_NODE_STARTED, .node_started = {1, 5, 6}});
    town_tick(t, 0);
    assert_null(asked(t));
    assert_int_equal(r->state, RIDE_FAILED);
}

TEST(what_changed_meanwhile_is_looked_at_again)
{
    TOWN;
    struct uuid ask;
    declare(t, 2000, VERDICT_ALLOW, false);
    const struct ride *r = wait_for_answer(t, &ask);
    town_lock_seen(t, &town_scooter, false); /* somebody broke it open */
    answer(t, ask, VERDICT_ALLOW, "");
    assert_int_equal(r->state, RIDE_FAILED);
    assert_int_equal(r->reason, RIDE_REASON_VEHICLE_CHANGED);
    r = NULL;
    assert_int_equal(town_start(t, town_rider, "B1"), ERR_OK);
    ask = asked(t)->id;
    r = engine_ride(t->engine, asked(t)->ride);
    struct fact f = {.kind = FACT_RIDER_SET, .rider_set = {.account = town_rider, .state = ACCOUNT_BLOCKED}};
    town_apply(t, &f);
    answer(t, ask, VERDICT_ALLOW, "");
    assert_int_equal(r->state, RIDE_FAILED);
}

TEST(a_slow_hook_makes_its_hold_a_reservation)
{
    TOWN;
    struct uuid ask;
    declare(t, 20000, VERDICT_ALLOW, false);
    wait_for_answer(t, &ask);
    assert_int_equal(town_event(t, EVENT_VEHICLE_STATE)->vehicle_event, VEHICLE_EVENT_RESERVATION_START);
    answer(t, ask, VERDICT_REFUSE, "no");
    assert_int_equal(town_event(t, EVENT_VEHICLE_STATE)->vehicle_event, VEHICLE_EVENT_RESERVATION_CANCEL);
    assert_int_equal(town_vehicle(t, "S1")->state, VEHICLE_AVAILABLE);
}

TEST(a_hook_has_limits_and_can_be_taken_back)
{
    TOWN;
    assert_int_equal(declare(t, 99, VERDICT_ALLOW, false), ERR_INVALID);
    assert_int_equal(declare(t, 30001, VERDICT_ALLOW, false), ERR_INVALID);
    assert_int_equal(declare(t, 2000, 0, false), ERR_INVALID);
    assert_int_equal(declare(t, 0, 0, true), ERR_NOT_FOUND);
    assert_int_equal(declare(t, 2000, VERDICT_ALLOW, false), ERR_OK);
    assert_int_equal(declare(t, 3000, VERDICT_REFUSE, false), ERR_OK);
    assert_int_equal(engine_row_count(t->engine, ROW_HOOK), 1);
    struct uuid ask;
    const struct ride *r = wait_for_answer(t, &ask);
    assert_int_equal(declare(t, 0, 0, true), ERR_OK);
    town_tick(t, 3000); /* whoever waits already gets the default that was declared then */
    assert_int_equal(r->state, RIDE_FAILED);
    assert_int_equal(town_start(t, town_rider, "S1"), ERR_OK);
    assert_non_null(town_sent(t, ORDER_UNLOCK));
}

TEST(loaded_from_tables_the_question_still_waits)
{
    TOWN;
    struct uuid ask;
    declare(t, 2000, VERDICT_REFUSE, false);
    wait_for_answer(t, &ask);
    void *memory;
    struct engine *other = town_reload(t, &memory);
    assert_int_equal(engine_hash(other), engine_hash(t->engine));
    assert_int_equal(engine_due_ms(other), engine_due_ms(t->engine));
    free(memory);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(without_a_hook_the_unlock_leaves_at_once),
        CASE(the_question_says_who_wants_what_where),
        CASE(an_allowed_ride_unlocks_and_runs),
        CASE(a_refused_ride_fails_unpaid_and_frees_rider_and_vehicle),
        CASE(silence_means_the_default_at_the_deadline),
        CASE(only_the_first_answer_counts_and_nonsense_is_none),
        CASE(a_cancelled_ride_ends_its_question),
        CASE(a_restart_asks_again_under_the_same_name),
        CASE(a_restart_after_the_deadline_applies_the_default),
        CASE(what_changed_meanwhile_is_looked_at_again),
        CASE(a_slow_hook_makes_its_hold_a_reservation),
        CASE(a_hook_has_limits_and_can_be_taken_back),
        CASE(loaded_from_tables_the_question_still_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
