/* SPDX-License-Identifier: Apache-2.0 */
/* A webhook's cursor moves forward by deliveries and anywhere by a replay, and by nothing else. */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
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
    assert_int_equal(t->effects.count, 1); /* and no event: a cursor that made events would never come to rest */
    assert_int_equal(t->effects.at[0].kind, EFFECT_REPLY);
    return t->effects.at[0].reply.code;
}

static enum err_code set(struct town *t, const char *code, const char *city, bool removed)
{
    struct fact f = {.kind = FACT_WEBHOOK_SET, .webhook_set = {.kinds = 6, .removed = removed}};
    text_clip(&f.webhook_set.code, bytes_text(code));
    text_clip(&f.webhook_set.city, bytes_text(city));
    town_apply(t, &f);
    return reply(t);
}

static enum err_code move(struct town *t, uint64_t generation, uint64_t seq, uint32_t part, bool replay)
{
    struct fact f = {.kind = FACT_WEBHOOK_MOVED, .webhook_moved = {.generation = generation, .seq = seq, .part = part}};
    f.webhook_moved.replay = replay;
    text_clip(&f.webhook_moved.code, bytes_text("log"));
    town_apply(t, &f);
    return reply(t);
}

static const struct webhook *row(const struct town *t)
{
    return engine_webhook(t->engine, bytes_text("log"));
}

TEST(a_new_webhook_hears_of_what_comes)
{
    TOWN;
    assert_int_equal(set(t, "log", "gothenburg", false), ERR_OK);
    assert_int_equal(row(t)->after_seq, engine_seq(t->engine));
    assert_int_equal(row(t)->after_part, UINT32_MAX);
    assert_int_equal(row(t)->kinds, 6);
    assert_int_equal(set(t, "", "", false), ERR_INVALID);
    assert_int_equal(set(t, "other", "nowhere", false), ERR_CITY_UNKNOWN);
    assert_int_equal(set(t, "other", "", true), ERR_NOT_FOUND);
}

TEST(deliveries_move_the_cursor_forward_only)
{
    TOWN;
    assert_int_equal(move(t, 1, 1, 0, false), ERR_NOT_FOUND);
    set(t, "log", "", false);
    uint64_t generation = row(t)->generation, seq = engine_seq(t->engine);
    for (int i = 0; i < 5; i++) town_tick(t, 1);
    move(t, generation, seq + 1, 3, false);
    assert_int_equal(row(t)->after_seq, seq + 1);
    move(t, generation, seq + 1, 2, false);
    move(t, generation, seq, 9, false);
    move(t, generation, engine_seq(t->engine) + 1000, 0, false); /* what has not happened was not delivered */
    move(t, generation + 1, seq + 2, 0, false);                   /* another cursor's */
    assert_int_equal(row(t)->after_seq, seq + 1);
    assert_int_equal(row(t)->after_part, 3);
    set(t, "log", "gothenburg", false); /* declared again: the cursor stays */
    assert_int_equal(row(t)->after_seq, seq + 1);
    assert_int_equal(row(t)->generation, generation);
}

TEST(a_replay_goes_anywhere_and_ends_what_was_under_way)
{
    TOWN;
    set(t, "log", "", false);
    uint64_t generation = row(t)->generation;
    assert_int_equal(move(t, 0, 0, 0, true), ERR_OK);
    assert_int_equal(row(t)->after_seq, 0);
    assert_int_not_equal(row(t)->generation, generation);
    move(t, generation, 5, 0, false);
    assert_int_equal(row(t)->after_seq, 0);
    assert_int_equal(move(t, 0, engine_seq(t->engine) + 100, 0, true), ERR_INVALID);
    generation = row(t)->generation;
    assert_int_equal(set(t, "log", "", true), ERR_OK);
    assert_null(row(t));
    set(t, "log", "", false);
    assert_int_not_equal(row(t)->generation, generation);
}

TEST(only_so_many_webhooks)
{
    TOWN;
    char code[8] = "w00";
    for (unsigned i = 0; i < engine_row_limit(t->engine, ROW_WEBHOOK); i++) {
        code[1] = (char)('0' + i / 10);
        code[2] = (char)('0' + i % 10);
        assert_int_equal(set(t, code, "", false), ERR_OK);
    }
    assert_int_equal(set(t, "more", "", false), ERR_FULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_new_webhook_hears_of_what_comes),
        CASE(deliveries_move_the_cursor_forward_only),
        CASE(a_replay_goes_anywhere_and_ends_what_was_under_way),
        CASE(only_so_many_webhooks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
