/* SPDX-License-Identifier: Apache-2.0 */
/* Commands as the world is told of them: what goes to the vehicle and when, how each outcome becomes known, and what
 * never opens, locks or restarts anything. */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "engine/state.h"
#include "engine/testing/told.h"

#define TEST(name) static void name(void **state)
#define TOWN struct town *t = *state
#define TOLD(what) assert_string_equal(told(t), what)
#define SCOOTER_CAPS (CAP_LOCK | CAP_KEY_STEP | CAP_ASK_STATUS | CAP_RESTART | CAP_SPEED)

#define ORDERED(op, ms) "command " op " queued by 9\n" "command " op " sent by 9\n" "order " op " in " ms " ms\n" "reply ok\n"
#define QUEUED(op) "command " op " queued by 9\n" "reply ok\n"
#define SENT(op, ms) "command " op " sent by 9\n" "order " op " in " ms " ms\n"

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

static void tick_after(struct town *t, int64_t later_ms)
{
    t->now_ms += later_ms;
    town_apply(t, &(struct fact){.kind = FACT_TICK});
}

static void hang_up(struct town *t, uint64_t session)
{
    struct fact f = {.kind = FACT_SESSION_CLOSED, .session_closed = {session, PROTOCOL_OMNI, town_scooter}};
    town_apply(t, &f);
}

static void connect(struct town *t, uint64_t session)
{
    struct fact f = {.kind = FACT_SESSION_OPENED, .session_opened = {session, PROTOCOL_OMNI, town_scooter, SCOOTER_CAPS}};
    town_apply(t, &f);
}

static void echo(struct town *t, enum command_op op)
{
    struct fact f = {.kind = FACT_DEVICE_ECHO, .device_echo = {1, PROTOCOL_OMNI, town_scooter, (uint8_t)op}};
    town_apply(t, &f);
}

static void order(struct town *t, enum command_op op)
{
    assert_int_equal(town_order(t, "S1", op), ERR_OK);
}

static const struct device *scooter(const struct town *t)
{
    return engine_device(t->engine, PROTOCOL_OMNI, text_bytes(&town_scooter));
}

static const struct command *last_command(const struct town *t)
{
    const struct vehicle *v = town_vehicle(t, "S1");
    return engine_row(t->engine, ROW_COMMAND, v->command_id ? v->command_id : v->side_command_id);
}

/* The picture on top of the file, and nothing beside it. */
TEST(a_command_goes_only_the_ways_of_the_picture)
{
    (void)state;
    static const uint8_t ways[][2] = {
        {COMMAND_QUEUED, COMMAND_SENT}, {COMMAND_QUEUED, COMMAND_FAILED},
        {COMMAND_SENT, COMMAND_ACCEPTED}, {COMMAND_SENT, COMMAND_DONE}, {COMMAND_SENT, COMMAND_FAILED},
        {COMMAND_SENT, COMMAND_UNKNOWN},
        {COMMAND_ACCEPTED, COMMAND_SENT}, {COMMAND_ACCEPTED, COMMAND_DONE}, {COMMAND_ACCEPTED, COMMAND_FAILED},
        {COMMAND_ACCEPTED, COMMAND_UNKNOWN},
        {COMMAND_UNKNOWN, COMMAND_DONE}, {COMMAND_UNKNOWN, COMMAND_FAILED},
    };
    unsigned may = 0;
    for (unsigned from = 0; from <= COMMAND_STATE_N; from++) {
        for (unsigned to = 0; to < COMMAND_STATE_N; to++) may += command_may(from, to);
    }
    for (unsigned i = 0; i < sizeof ways / sizeof ways[0]; i++) assert_true(command_may(ways[i][0], ways[i][1]));
    assert_int_equal(may, sizeof ways / sizeof ways[0]);
}

TEST(a_ring_is_done_with_its_echo_and_no_other)
{
    TOWN;
    order(t, COMMAND_OP_RING);
    TOLD(ORDERED("ring", "15000"));
    assert_int_equal(town_order(t, "S1", COMMAND_OP_RING), ERR_VEHICLE_BUSY);
    assert_int_equal(town_order(t, "S1", COMMAND_OP_LOCATE), ERR_VEHICLE_BUSY); /* one beside the lock at a time */
    echo(t, COMMAND_OP_LOCATE);
    TOLD("");
    echo(t, COMMAND_OP_RESTART);
    TOLD("");
    echo(t, COMMAND_OP_RING);
    TOLD("command ring done: confirmed by 9\n");
    echo(t, COMMAND_OP_RING);
    TOLD("");
}

TEST(an_echo_from_before_the_order_was_sent_is_no_answer)
{
    TOWN;
    hang_up(t, 1);
    order(t, COMMAND_OP_RING);
    TOLD(QUEUED("ring"));
    struct fact f = {.kind = FACT_DEVICE_ECHO, .device_echo = {1, PROTOCOL_OMNI, town_scooter, COMMAND_OP_RING}};
    town_apply(t, &f);
    TOLD("");
    connect(t, 5);
    TOLD("device_connected, S1\n" SENT("ring", "15000"));
}

TEST(a_position_answers_where_are_you_also_when_there_is_none)
{
    TOWN;
    struct fact_report here = {.has = HAS_POSITION, .lat_e7 = 577000001, .lon_e7 = 119700002}, nowhere = {.has = HAS_NO_FIX};
    order(t, COMMAND_OP_LOCATE);
    TOLD(ORDERED("locate", "15000"));
    town_lock_seen(t, &town_scooter, true);
    TOLD("");
    town_report(t, &town_scooter, 1, here);
    TOLD("command locate done: confirmed by 9\n");
    order(t, COMMAND_OP_LOCATE);
    tick_after(t, 14999);
    TOLD("");
    tick_after(t, 1);
    TOLD("command locate unknown: no_answer by 9\n" "order status\n");
    town_report(t, &town_scooter, 1, nowhere);
    TOLD("command locate done: inferred by 9\n");
    order(t, COMMAND_OP_LOCATE);
    tick_after(t, 15000);
    TOLD("command locate unknown: no_answer by 9\n" "order status\n"); /* the answer before set the count back */
    town_lock_seen(t, &town_scooter, true);
    TOLD("command locate failed: disproved by 9\n"); /* it speaks, but not of where it is */
}

TEST(what_is_beside_the_lock_does_not_wait_for_the_lock)
{
    TOWN;
    order(t, COMMAND_OP_UNLOCK);
    order(t, COMMAND_OP_RING);
    TOLD(ORDERED("ring", "15000"));
    echo(t, COMMAND_OP_RING);
    TOLD("command ring done: confirmed by 9\n");
    assert_int_equal(last_command(t)->op, COMMAND_OP_UNLOCK);
    assert_int_equal(last_command(t)->state, COMMAND_SENT);
}

TEST(a_restart_is_done_when_it_signs_in_anew)
{
    TOWN;
    assert_int_equal(town_order(t, "S1", COMMAND_OP_RESTART), ERR_INTERLOCK);
    TOLD("reply interlock\n");
    town_speed(t, &town_scooter, 0, true);
    order(t, COMMAND_OP_RESTART);
    TOLD(ORDERED("restart", "60000"));
    int64_t until_ms = last_command(t)->deadline_ms;
    assert_int_equal(until_ms, t->now_ms + 60000);
    t->now_ms += 2000;
    echo(t, COMMAND_OP_RESTART);
    TOLD("command restart accepted by 9\n");
    assert_int_equal(last_command(t)->accepted_ms, t->now_ms);
    assert_int_equal(last_command(t)->deadline_ms, until_ms);
    echo(t, COMMAND_OP_RESTART);
    TOLD("");
    town_lock_seen(t, &town_scooter, true); /* its last words before it goes down */
    TOLD("");
    hang_up(t, 1);
    t->now_ms += 20000;
    connect(t, 5);
    TOLD("device_connected, S1\n" "command restart done: inferred by 9\n");
}

TEST(a_restart_is_disproved_by_a_word_over_the_old_connection)
{
    TOWN;
    town_speed(t, &town_scooter, 0, true);
    order(t, COMMAND_OP_RESTART);
    tick_after(t, 59999);
    TOLD("");
    tick_after(t, 1);
    TOLD("command restart unknown: no_answer by 9\n" "order status\n");
    town_lock_seen(t, &town_scooter, true);
    TOLD("command restart failed: disproved by 9\n");
}

TEST(a_restart_waits_for_the_connection_only_as_long_as_standing_still_is_known)
{
    TOWN;
    town_speed(t, &town_scooter, 0, true);
    hang_up(t, 1);
    order(t, COMMAND_OP_RESTART);
    TOLD(QUEUED("restart"));
    order(t, COMMAND_OP_LOCATE);
    connect(t, 5); /* queued before it signed in: it is no sign of the restart */
    TOLD("device_connected, S1\n" SENT("restart", "60000") SENT("locate", "15000"));
    town_report(t, &town_scooter, 5, (struct fact_report){.has = HAS_NO_FIX});
    t->now_ms += 11000;
    connect(t, 6);
    town_speed(t, &town_scooter, 0, true);
    t->now_ms += 6000;
    hang_up(t, 6);
    order(t, COMMAND_OP_RESTART);
    t->now_ms += 9001; /* seen to stand still 15,001 ms ago */
    connect(t, 7);
    TOLD("device_connected, S1\n" "command restart failed: interlock by 9\n");
}

TEST(standing_still_is_known_for_fifteen_seconds_and_not_before_the_last_movement)
{
    TOWN;
    town_speed(t, &town_scooter, 0, true);
    t->now_ms += 15001;
    assert_int_equal(town_order(t, "S1", COMMAND_OP_LOCK), ERR_INTERLOCK);
    town_speed(t, &town_scooter, 0, true);
    town_speed(t, &town_scooter, 50, true); /* in the same millisecond: movement counts */
    assert_int_equal(town_order(t, "S1", COMMAND_OP_LOCK), ERR_INTERLOCK);
    t->now_ms += 1;
    town_speed(t, &town_scooter, 0, true);
    t->now_ms += 15000;
    assert_int_equal(town_order(t, "S1", COMMAND_OP_LOCK), ERR_OK);
}

TEST(staff_unlock_and_lock_under_their_name)
{
    TOWN;
    order(t, COMMAND_OP_UNLOCK);
    TOLD(ORDERED("unlock", "10000"));
    const struct command *c = last_command(t);
    assert_int_equal(c->created_ms, t->now_ms);
    assert_int_equal(c->sent_ms, t->now_ms);
    assert_int_equal(c->tries, 1);
    assert_int_equal(c->why, COMMAND_WHY_STAFF);
    t->now_ms += 1500;
    town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
    TOLD("command unlock accepted by 9\n" "order unlock/1 key 77 in 15000 ms\n");
    assert_int_equal(c->accepted_ms, t->now_ms);
    t->now_ms += 1500;
    town_result(t, &town_scooter, COMMAND_OP_UNLOCK, 0);
    TOLD("command unlock done: confirmed by 9\n" "unlocked_no_ride, S1\n" "S1 non_operational: maintenance\n");
    assert_int_equal(c->over_ms, t->now_ms);
    assert_int_equal(c->over_seq, t->seq);
    assert_int_equal(town_vehicle(t, "S1")->command_id, 0);
    town_speed(t, &town_scooter, 0, false);
    TOLD(""); /* staff opened it: no hurry to lock it again */
    order(t, COMMAND_OP_LOCK);
    TOLD(ORDERED("lock", "10000"));
    town_key(t, &town_scooter, COMMAND_OP_LOCK, 78);
    TOLD("command lock accepted by 9\n" "order lock/1 key 78 in 15000 ms\n");
    town_result(t, &town_scooter, COMMAND_OP_LOCK, 0);
    TOLD("command lock done: confirmed by 9\n" "S1 available: maintenance\n");
}

TEST(a_key_opens_only_for_the_order_that_it_names)
{
    TOWN;
    order(t, COMMAND_OP_UNLOCK);
    const struct command *c = last_command(t);
    struct fact good = {.kind = FACT_DEVICE_KEYED,
                        .device_keyed = {.session = 1, .protocol = PROTOCOL_OMNI, .ident = town_scooter,
                                         .op = COMMAND_OP_UNLOCK, .key = 7, .user = c->user, .stamp = c->stamp}}, f = good;
    f.device_keyed.op = COMMAND_OP_LOCK;
    town_apply(t, &f);
    TOLD("");
    f = good;
    f.device_keyed.user++;
    town_apply(t, &f);
    TOLD("");
    f = good;
    f.device_keyed.stamp++;
    town_apply(t, &f);
    TOLD("");
    town_apply(t, &good);
    TOLD("command unlock accepted by 9\n" "order unlock/1 key 7 in 15000 ms\n");
    town_apply(t, &good); /* a second copy opens nothing twice */
    TOLD("");
    tick_after(t, 15000);
    TOLD("command unlock unknown: no_answer by 9\n" "order status\n");
    town_apply(t, &good);
    TOLD("");
}

TEST(a_result_counts_only_for_the_order_that_it_names)
{
    TOWN;
    order(t, COMMAND_OP_UNLOCK);
    const struct command *c = last_command(t);
    struct fact good = {.kind = FACT_LOCK_RESULT,
                        .lock_result = {.session = 1, .protocol = PROTOCOL_OMNI, .ident = town_scooter,
                                        .op = COMMAND_OP_UNLOCK, .result = 1, .user = c->user, .stamp = c->stamp}}, f = good;
    f.lock_result.user++;
    town_apply(t, &f);
    TOLD("late_result 1, S1\n");
    f = good;
    f.lock_result.stamp++;
    town_apply(t, &f);
    TOLD("late_result 1, S1\n");
    f = good;
    f.lock_result.op = COMMAND_OP_LOCK;
    town_apply(t, &f);
    TOLD("late_result 1, S1\n");
    town_apply(t, &good);
    TOLD("command unlock failed: refused code 1 by 9\n");
}

TEST(an_expired_key_is_asked_for_three_times_in_all)
{
    TOWN;
    order(t, COMMAND_OP_UNLOCK);
    const struct command *c = last_command(t);
    uint32_t stamp = c->stamp;
    for (int i = 0; i < 2; i++) {
        town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
        town_result(t, &town_scooter, COMMAND_OP_UNLOCK, 2);
        TOLD("command unlock sent code 2 by 9\n" "order unlock in 10000 ms\n");
        assert_int_equal(c->stamp, ++stamp); /* within one second: the next number */
    }
    town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
    town_result(t, &town_scooter, COMMAND_OP_UNLOCK, 2);
    TOLD("command unlock failed: key_expired code 2 by 9\n");
    order(t, COMMAND_OP_UNLOCK);
    town_result(t, &town_scooter, COMMAND_OP_UNLOCK, 2); /* no key was given, so none can have expired */
    TOLD("command unlock failed: key_expired code 2 by 9\n");
    t->now_ms += 3600000;
    town_lock_seen(t, &town_scooter, true);
    order(t, COMMAND_OP_UNLOCK);
    assert_int_equal(last_command(t)->stamp, t->now_ms / 1000);
}

TEST(a_moving_answer_to_an_unlock_is_a_refusal_and_no_movement)
{
    TOWN;
    order(t, COMMAND_OP_UNLOCK);
    town_result(t, &town_scooter, COMMAND_OP_UNLOCK, 3);
    TOLD("command unlock failed: refused code 3 by 9\n");
    assert_int_equal(scooter(t)->moved_ms, 0);
    town_speed(t, &town_scooter, 0, true);
    t->now_ms += 1;
    order(t, COMMAND_OP_LOCK);
    town_result(t, &town_scooter, COMMAND_OP_LOCK, 3);
    TOLD("command lock failed: moving code 3 by 9\n");
    assert_int_equal(scooter(t)->moved_ms, t->now_ms);
    assert_int_equal(town_order(t, "S1", COMMAND_OP_LOCK), ERR_INTERLOCK);
}

TEST(movement_takes_back_a_lock_at_each_of_its_steps)
{
    TOWN;
    for (int taken = 0; taken < 2; taken++) {
        t->now_ms += 1;
        town_speed(t, &town_scooter, 0, true);
        order(t, COMMAND_OP_LOCK);
        if (taken) town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
        t->now_ms += 1000;
        town_report(t, &town_scooter, 1, (struct fact_report){.has = HAS_SPEED, .speed_dmh = 90});
        if (taken) town_result(t, &town_scooter, COMMAND_OP_LOCK, 2);
        else town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
        if (taken) TOLD("command lock failed: interlock code 2 by 9\n");
        else TOLD("command lock failed: interlock by 9\n");
    }
}

TEST(the_lock_s_state_decides_what_was_taken_and_not_what_was_only_sent)
{
    TOWN;
    static const struct { enum command_op op; bool taken, locked; const char *told; } rows[] = {
        {COMMAND_OP_LOCK, false, true, ""}, /* it was locked before */
        {COMMAND_OP_LOCK, true, true, "command lock done: inferred by 9\n"},
        {COMMAND_OP_UNLOCK, false, true, ""},
        {COMMAND_OP_UNLOCK, true, true, ""}, /* it may open yet */
        {COMMAND_OP_UNLOCK, true, false, "command unlock done: inferred by 9\n" "unlocked_no_ride, S1\n"
            "S1 non_operational: maintenance\n"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        t->now_ms += 1;
        town_report(t, &town_scooter, 1, (struct fact_report){.has = HAS_SPEED});
        order(t, rows[i].op);
        if (rows[i].taken) town_key(t, &town_scooter, rows[i].op, 5);
        town_report(t, &town_scooter, 1, (struct fact_report){.has = HAS_RSSI, .locked = rows[i].locked});
        TOLD(""); /* a report without the lock's state tells nothing */
        town_lock_seen(t, &town_scooter, rows[i].locked);
        TOLD(rows[i].told);
        if (town_vehicle(t, "S1")->command_id) town_result(t, &town_scooter, rows[i].op, 1);
    }
}

TEST(a_second_silence_in_a_row_cuts_the_connection_and_a_word_in_between_does_not)
{
    TOWN;
    order(t, COMMAND_OP_RING);
    order(t, COMMAND_OP_UNLOCK);
    tick_after(t, 10000);
    TOLD("command unlock unknown: no_answer by 9\n" "order status\n");
    tick_after(t, 5000);
    TOLD("command ring unknown: no_answer by 9\n" "one_way_link, S1\n" "hang up 1\n");
    assert_int_equal(scooter(t)->unanswered, 0);
    hang_up(t, 1);
    connect(t, 5);
    TOLD("device_connected, S1\n" "order status\n"); /* asked, never repeated */
    town_lock_seen(t, &town_scooter, true);
    TOLD("command unlock failed: disproved by 9\n" "command ring failed: disproved by 9\n");
}

TEST(answers_of_every_kind_end_a_silence)
{
    TOWN;
    for (int how = 0; how < 4; how++) {
        order(t, COMMAND_OP_RING);
        tick_after(t, 15000);
        assert_int_equal(scooter(t)->unanswered, 1);
        t->now_ms += 1;
        town_speed(t, &town_scooter, 0, true); /* disproves the ring */
        assert_int_equal(scooter(t)->unanswered, 1); /* speaking is not answering */
        order(t, how == 2 ? COMMAND_OP_RING : how == 3 ? COMMAND_OP_LOCATE : COMMAND_OP_LOCK);
        if (how == 0) town_key(t, &town_scooter, COMMAND_OP_LOCK, 5);
        if (how == 1) town_result(t, &town_scooter, COMMAND_OP_LOCK, 1);
        if (how == 2) echo(t, COMMAND_OP_RING);
        if (how == 3) town_report(t, &town_scooter, 1, (struct fact_report){.has = HAS_NO_FIX});
        assert_int_equal(scooter(t)->unanswered, 0);
        if (how == 0) town_result(t, &town_scooter, COMMAND_OP_LOCK, 1);
    }
}

TEST(silence_without_a_connection_cuts_nothing_and_asks_nothing)
{
    TOWN;
    order(t, COMMAND_OP_UNLOCK);
    order(t, COMMAND_OP_RING);
    hang_up(t, 1);
    tick_after(t, 10000);
    TOLD("command unlock unknown: no_answer by 9\n");
    tick_after(t, 5000);
    TOLD("command ring unknown: no_answer by 9\n");
    assert_int_equal(scooter(t)->unanswered, 2);
}

TEST(a_restarted_server_knows_no_outcome_and_repeats_nothing)
{
    TOWN;
    order(t, COMMAND_OP_RING);
    order(t, COMMAND_OP_UNLOCK);
    town_key(t, &town_scooter, COMMAND_OP_UNLOCK, 77);
    t->now_ms += 1000;
    town_apply(t, &(struct fact){.kind = FACT_NODE_STARTED, .node_started = {2, 5, 6}});
    TOLD("");
    tick_after(t, 0);
    TOLD("command ring unknown: restarted by 9\n" "command unlock unknown: restarted by 9\n");
    connect(t, 5);
    TOLD("device_connected, S1\n" "order status\n");
}

TEST(a_restarted_server_still_delivers_what_was_never_sent)
{
    TOWN;
    hang_up(t, 1);
    order(t, COMMAND_OP_UNLOCK);
    town_apply(t, &(struct fact){.kind = FACT_NODE_STARTED, .node_started = {2, 5, 6}});
    tick_after(t, 9999);
    TOLD("");
    connect(t, 5);
    TOLD("device_connected, S1\n" SENT("unlock", "10000"));
}

TEST(a_vehicle_without_a_device_takes_no_orders)
{
    TOWN;
    struct fact f = {.kind = FACT_VEHICLE_SET};
    text_clip(&f.vehicle_set.code, bytes_text("N1"));
    text_clip(&f.vehicle_set.city, bytes_text("gothenburg"));
    text_clip(&f.vehicle_set.vehicle_type, bytes_text("scooter"));
    town_apply(t, &f);
    assert_int_equal(town_order(t, "N1", COMMAND_OP_RING), ERR_VEHICLE_SILENT);
}

TEST(what_a_device_cannot_do_is_not_ordered)
{
    TOWN;
    struct fact f = {.kind = FACT_SESSION_OPENED, .session_opened = {5, PROTOCOL_OMNI, town_scooter, CAP_LOCK | CAP_SPEED}};
    town_apply(t, &f);
    town_speed(t, &town_scooter, 0, true);
    assert_int_equal(town_order(t, "S1", COMMAND_OP_RESTART), ERR_COMMAND_UNSUPPORTED);
    assert_int_equal(town_order(t, "S1", COMMAND_OP_LOCK), ERR_OK);
    f.session_opened = (struct fact_session_opened){6, PROTOCOL_OMNI, town_lock, CAP_RESTART | CAP_SPEED};
    town_apply(t, &f);
    town_speed(t, &town_lock, 0, true);
    assert_int_equal(town_order(t, "B1", COMMAND_OP_LOCK), ERR_COMMAND_UNSUPPORTED);
    assert_int_equal(town_order(t, "B1", COMMAND_OP_RESTART), ERR_OK);
}

TEST(a_device_that_has_no_status_is_asked_for_its_place)
{
    TOWN;
    (void)town_ride(t);
    struct fact f = {.kind = FACT_SESSION_OPENED, .session_opened = {5, PROTOCOL_OMNI, town_scooter, CAP_LOCK | CAP_KEY_STEP}};
    town_apply(t, &f);
    TOLD("hang up 1\n" "device_connected, S1\n" "order track every 10\n" "order locate\n");
}

TEST(each_transition_is_counted_for_the_coverage_report)
{
    TOWN;
    const struct engine_coverage *c = engine_coverage(t->engine);
    const struct ride *r = town_ride(t);
    t->now_ms += 1;
    town_speed(t, &town_scooter, 0, false);
    assert_int_equal(town_end(t, town_rider, r->uuid), ERR_OK);
    assert_int_equal(c->ride[RIDE_REQUESTED][RIDE_UNLOCKING], 1);
    assert_int_equal(c->ride[RIDE_UNLOCKING][RIDE_RIDING], 1);
    assert_int_equal(c->ride[RIDE_RIDING][RIDE_ENDING], 1);
    assert_int_equal(c->ride[RIDE_ENDING][RIDE_ENDED], 0);
    assert_int_equal(c->command[COMMAND_QUEUED][COMMAND_SENT], 2);
    assert_int_equal(c->command[COMMAND_SENT][COMMAND_ACCEPTED], 1);
    assert_int_equal(c->command[COMMAND_ACCEPTED][COMMAND_DONE], 1);
}

TEST(silences_are_counted_as_far_as_a_byte_goes)
{
    TOWN;
    for (unsigned i = 1; i <= 260; i++) {
        hang_up(t, i);
        connect(t, i + 1);
        town_report(t, &town_scooter, i + 1, (struct fact_report){.has = HAS_LOCKED, .locked = true}); /* disproves the last */
        order(t, COMMAND_OP_RING);
        hang_up(t, i + 1);
        tick_after(t, 15000);
        assert_int_equal(scooter(t)->unanswered, i < 255 ? i : 255);
        town_apply(t, &(struct fact){.kind = FACT_TABLES_WRITTEN, .tables_written = {t->seq}});
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_goes_only_the_ways_of_the_picture),
        CASE(a_ring_is_done_with_its_echo_and_no_other),
        CASE(an_echo_from_before_the_order_was_sent_is_no_answer),
        CASE(a_position_answers_where_are_you_also_when_there_is_none),
        CASE(what_is_beside_the_lock_does_not_wait_for_the_lock),
        CASE(a_restart_is_done_when_it_signs_in_anew),
        CASE(a_restart_is_disproved_by_a_word_over_the_old_connection),
        CASE(a_restart_waits_for_the_connection_only_as_long_as_standing_still_is_known),
        CASE(standing_still_is_known_for_fifteen_seconds_and_not_before_the_last_movement),
        CASE(staff_unlock_and_lock_under_their_name),
        CASE(a_key_opens_only_for_the_order_that_it_names),
        CASE(a_result_counts_only_for_the_order_that_it_names),
        CASE(an_expired_key_is_asked_for_three_times_in_all),
        CASE(a_moving_answer_to_an_unlock_is_a_refusal_and_no_movement),
        CASE(movement_takes_back_a_lock_at_each_of_its_steps),
        CASE(the_lock_s_state_decides_what_was_taken_and_not_what_was_only_sent),
        CASE(a_second_silence_in_a_row_cuts_the_connection_and_a_word_in_between_does_not),
        CASE(answers_of_every_kind_end_a_silence),
        CASE(silence_without_a_connection_cuts_nothing_and_asks_nothing),
        CASE(a_restarted_server_knows_no_outcome_and_repeats_nothing),
        CASE(a_restarted_server_still_delivers_what_was_never_sent),
        CASE(a_vehicle_without_a_device_takes_no_orders),
        CASE(what_a_device_cannot_do_is_not_ordered),
        CASE(a_device_that_has_no_status_is_asked_for_its_place),
        CASE(each_transition_is_counted_for_the_coverage_report),
        CASE(silences_are_counted_as_far_as_a_byte_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
