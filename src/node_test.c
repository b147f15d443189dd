/* SPDX-License-Identifier: Apache-2.0 */
/* The rule that everything hangs on, on the lying disk: nothing is told before it is durable, and what was told is there
 * after any crash. */
#include "node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/must.h"
#include "base/prng.h"
#include "inhand.h"
#include "sim/disk.h"
#include "store/vfs.h"

#define NOW_MS 1790000000000ll

struct rig {
    struct disk *disk;
    struct file_system fs;
    struct vfs *vfs;
    struct node *node;
    char name[32], text[RECOVER_TEXT_MAX];
};

static struct engine_limits limits = {{[ROW_VEHICLE] = 64, [ROW_PUBLIC_CODE] = 64, [ROW_DEVICE] = 64, [ROW_RIDER] = 64,
                                       [ROW_RIDE] = 64, [ROW_COMMAND] = 64, [ROW_ANSWER] = 64, [ROW_QUARANTINE] = 64}};

static struct err open_node(struct rig *r, const char *crash_on)
{
    struct node_options o = {
        .recover = {.dir = {.fs = &r->fs, .sql_folder = "", .vfs = r->name, .exclusive = true}, .build = 1, .limits = &limits,
                    .journal = {.segment_bytes = 64 << 10, .salt = 1}, .keeper = {.interval_ms = 100}},
        .telemetry_ring = 64, .urgent_ring = 64, .out_ring = 2 * NODE_BATCH_FACTS_MAX, .seed0 = 1, .seed1 = 2,
    };
    text_clip(&o.crash_on, bytes_text(crash_on));
    return node_create(&o, &r->node, r->text);
}

static int set_up(void **state)
{
    static unsigned count;
    struct rig *r = calloc(1, sizeof *r);
    r->disk = disk_create(99);
    r->fs = disk_files(r->disk);
    snprintf(r->name, sizeof r->name, "node-test-%u", ++count);
    struct vfs_options o = {.name = r->name, .fs = &r->fs, .seed = 3};
    if (vfs_create(&r->vfs, &o).code || open_node(r, "").code) return -1;
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *r = *state;
    node_destroy(r->node);
    vfs_destroy(r->vfs);
    disk_destroy(r->disk);
    free(r);
    return 0;
}

static void put_rider(struct rig *r, uint32_t number)
{
    struct inbound *in = ring_room(node_api_urgent(r->node));
    assert_non_null(in);
    *in = (struct inbound){.origin = {.kind = ORIGIN_REQUEST, .handle = number}, .fact = {.kind = FACT_RIDER_SET}};
    store_u32(in->fact.rider_set.account.at, number);
    ring_put(node_api_urgent(r->node));
}

static unsigned replies(struct rig *r, uint64_t *last)
{
    unsigned n = 0;
    for (struct to_api *to; (to = ring_peek(node_to_api(r->node)));) {
        if (to->kind == TO_API_REPLY) {
            *last = to->handle;
            n++;
        }
        ring_took(node_to_api(r->node));
    }
    return n;
}

static void a_reply_waits_for_the_commit(void **state)
{
    struct rig *r = *state;
    uint64_t last = 0;
    (void)node_engine_turn(r->node, NOW_MS);
    assert_int_equal(node_journal_turn(r->node).code, ERR_OK);
    put_rider(r, 1);
    (void)node_engine_turn(r->node, NOW_MS);
    (void)node_engine_turn(r->node, NOW_MS + 1);
    assert_int_equal(replies(r, &last), 0);
    assert_int_equal(node_journal_turn(r->node).code, ERR_OK);
    assert_int_equal(replies(r, &last), 1);
    assert_int_equal(last, 1);
}

/* Found by reading: a full batch that waits for the journal must not take one fact more, whoever wants it. */
static void a_jumped_clock_waits_for_room_in_the_batch(void **state)
{
    struct rig *r = *state;
    (void)node_engine_turn(r->node, NOW_MS); /* the first batch is the journal's now, and stays there */
    for (uint32_t i = 1; i <= 2 * NODE_BATCH_FACTS_MAX; i++) {
        if (!ring_room(node_api_urgent(r->node))) (void)node_engine_turn(r->node, NOW_MS);
        if (!ring_room(node_api_urgent(r->node))) break;
        put_rider(r, i);
    }
    while (ring_count(node_api_urgent(r->node))) {
        uint32_t before = ring_count(node_api_urgent(r->node));
        (void)node_engine_turn(r->node, NOW_MS);
        if (ring_count(node_api_urgent(r->node)) == before) break;
    }
    assert_int_not_equal(ring_count(node_api_urgent(r->node)), 0); /* full */
    uint64_t seq = engine_seq(node_engine(r->node));
    node_clock_jumped(r->node, 7000);
    (void)node_engine_turn(r->node, NOW_MS);
    assert_int_equal(engine_seq(node_engine(r->node)), seq);
    assert_int_equal(node_journal_turn(r->node).code, ERR_OK);
    (void)node_engine_turn(r->node, NOW_MS);
    assert_int_equal(node_journal_turn(r->node).code, ERR_OK);
    bool said = false;
    for (unsigned turns = 0; turns < 8; turns++) {
        for (struct to_api *to; (to = ring_peek(node_to_api(r->node))); ring_took(node_to_api(r->node))) {
            said = said || (to->kind == TO_API_EVENT && to->event.kind == EVENT_CLOCK_JUMP && to->event.number == 7000);
        }
        (void)node_engine_turn(r->node, NOW_MS);
        assert_int_equal(node_journal_turn(r->node).code, ERR_OK);
    }
    assert_true(said);
}

/* What came while the disk was slow counts before what became due meanwhile: an answer that is here is not late. */
static void what_is_here_counts_before_what_is_due(void **state)
{
    struct rig *r = *state;
    (void)node_engine_turn(r->node, NOW_MS);
    assert_int_equal(node_journal_turn(r->node).code, ERR_OK);
    for (struct to_api *to; (to = ring_peek(node_to_api(r->node))); ring_took(node_to_api(r->node))) { }
    node_clock_jumped(r->node, 7000);
    put_rider(r, 1);
    (void)node_engine_turn(r->node, NOW_MS + 1);
    assert_int_equal(node_journal_turn(r->node).code, ERR_OK);
    uint64_t replied_seq = 0, jumped_seq = 0;
    for (struct to_api *to; (to = ring_peek(node_to_api(r->node))); ring_took(node_to_api(r->node))) {
        if (to->kind == TO_API_REPLY) replied_seq = to->seq;
        if (to->kind == TO_API_EVENT && to->event.kind == EVENT_CLOCK_JUMP) jumped_seq = to->seq;
    }
    assert_true(replied_seq && jumped_seq > replied_seq);
}

static void a_failed_sync_tells_nobody_and_ends_the_node(void **state)
{
    struct rig *r = *state;
    uint64_t last = 0;
    (void)node_engine_turn(r->node, NOW_MS);
    assert_int_equal(node_journal_turn(r->node).code, ERR_OK);
    put_rider(r, 1);
    (void)node_engine_turn(r->node, NOW_MS);
    disk_set_faults(r->disk, (struct disk_faults){.sync_fail_ppm = 1000000});
    assert_int_not_equal(node_journal_turn(r->node).code, ERR_OK);
    assert_int_equal(replies(r, &last), 0);
    assert_true(strlen(node_failure(r->node)) > 0);
    put_rider(r, 2);
    assert_true(node_engine_turn(r->node, NOW_MS) == INT64_MAX);
    assert_int_equal(replies(r, &last), 0);
}

static void restart(struct rig *r, enum disk_crash kind, const char *crash_on)
{
    disk_crash(r->disk, kind);
    node_destroy(r->node);
    r->node = NULL;
    assert_int_equal(open_node(r, crash_on).code, ERR_OK);
}

static void whatever_was_told_is_there_after_any_crash(void **state)
{
    struct rig *r = *state;
    struct prng p = prng_of(5, bytes_text("crashes"));
    uint32_t put = 0, told = 0;
    int64_t now_ms = NOW_MS;
    for (unsigned round = 0; round < 60; round++) {
        for (unsigned i = 0; i < 40; i++) {
            if (prng_chance(&p, 500000) && put < 60) put_rider(r, ++put);
            if (prng_chance(&p, 500000)) (void)node_engine_turn(r->node, ++now_ms);
            if (prng_chance(&p, 300000)) assert_int_equal(node_journal_turn(r->node).code, ERR_OK);
            if (prng_chance(&p, 100000)) assert_int_equal(node_keeper_turn(r->node, now_ms += 200).code, ERR_OK);
            uint64_t last = 0;
            if (replies(r, &last)) told = (uint32_t)last;
        }
        restart(r, prng_chance(&p, 500000) ? DISK_KILL : DISK_POWER, "");
        for (uint32_t i = 1; i <= told; i++) {
            struct uuid account = {{0}};
            store_u32(account.at, i);
            assert_non_null(engine_rider(node_engine(r->node), account));
        }
        put = engine_row_count(node_engine(r->node), ROW_RIDER);
        assert_true(put >= told);
        told = put;
    }
    assert_int_equal(put, 60);
}

static void an_orderly_end_leaves_no_tail(void **state)
{
    struct rig *r = *state;
    put_rider(r, 1);
    assert_int_equal(node_finish(r->node, NOW_MS).code, ERR_OK);
    restart(r, DISK_POWER, "");
    assert_int_equal(node_recovered(r->node)->replayed, 0);
    assert_true(node_recovered(r->node)->state_hash_checked > 0);
}

static jmp_buf stopped;

static void jump_out(const char *claim, const char *file, int line)
{
    (void)claim;
    (void)file;
    (void)line;
    node_crashed(); /* as the handler of the fatal signal does */
    must_set_handler(NULL);
    longjmp(stopped, 1);
}

static void put_report(struct rig *r, const char *ident)
{
    struct inbound *in = ring_room(node_telemetry(r->node));
    *in = (struct inbound){.fact = {.kind = FACT_REPORT, .report = {.session = 1, .protocol = 1}}};
    text_clip(&in->fact.report.ident, bytes_text(ident));
    ring_put(node_telemetry(r->node));
}

static void a_fact_that_stops_the_engine_is_refused_once(void **state)
{
    struct rig *r = *state;
    restart(r, DISK_KILL, "490154203237518");
    put_report(r, "490154203237518");
    must_set_handler(jump_out);
    if (!setjmp(stopped)) {
        (void)node_engine_turn(r->node, NOW_MS);
        fail_msg("the planted fact did not stop the engine");
    }
    restart(r, DISK_KILL, "");
    assert_int_equal(atomic_load(&node_counters(r->node)->refused_facts), 1);
    assert_int_equal(engine_row_count(node_engine(r->node), ROW_QUARANTINE), 1);
    restart(r, DISK_KILL, "");
    assert_int_equal(atomic_load(&node_counters(r->node)->refused_facts), 0);
}

static void a_kill_in_mid_fact_blames_nobody(void **state)
{
    struct rig *r = *state;
    struct inhand hand;
    struct fact refused, held = {.kind = FACT_TICK};
    uint64_t seq;
    uint8_t bytes[FACT_BYTES_MAX];
    struct buf b = buf_on(bytes, sizeof bytes);
    fact_encode(&held, &b);
    node_destroy(r->node);
    r->node = NULL;
    assert_int_equal(inhand_open(&hand, &r->fs, &refused, &seq).code, ERR_OK);
    inhand_hold(&hand, 42, buf_bytes(&b));
    inhand_close(&hand);
    assert_int_equal(inhand_open(&hand, &r->fs, &refused, &seq).code, ERR_OK);
    assert_int_equal(refused.kind, 0);
    inhand_hold(&hand, 42, buf_bytes(&b));
    inhand_crashed(&hand);
    inhand_close(&hand);
    assert_int_equal(inhand_open(&hand, &r->fs, &refused, &seq).code, ERR_OK);
    assert_int_equal(refused.kind, FACT_TICK);
    assert_int_equal(seq, 42);
    inhand_close(&hand);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_reply_waits_for_the_commit),
        CASE(a_jumped_clock_waits_for_room_in_the_batch),
        CASE(what_is_here_counts_before_what_is_due),
        CASE(a_failed_sync_tells_nobody_and_ends_the_node),
        CASE(whatever_was_told_is_there_after_any_crash),
        CASE(an_orderly_end_leaves_no_tail),
        CASE(a_fact_that_stops_the_engine_is_refused_once),
        CASE(a_kill_in_mid_fact_blames_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
