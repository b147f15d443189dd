/* SPDX-License-Identifier: Apache-2.0 */
/* message_test.c: every message that left is counted once: sent, refused, failed, or out of time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/message.h"
#include "api/message_print.h"

struct recorder { uint64_t tickets[MESSAGES_MAX + 1], dropped; unsigned count, drops; struct err answer; int64_t deadline_ms; };

static struct err record(void *ctx, struct messages *ms, uint64_t ticket, const struct message_ask *m)
{
    struct recorder *r = ctx;
    (void)ms;
    r->tickets[r->count++] = ticket;
    r->deadline_ms = m->deadline_ms;
    return r->answer;
}

static void note_drop(void *ctx, uint64_t ticket)
{
    struct recorder *r = ctx;
    r->dropped = ticket;
    r->drops++;
}

static struct message_ask code_message(const char *to, const char *code)
{
    struct message_ask m = {.template = MESSAGE_SIGN_IN_CODE, .param_count = 1};
    text_clip(&m.to, bytes_text(to));
    m.params[0].name = "code";
    text_clip(&m.params[0].value, bytes_text(code));
    return m;
}

static void test_without_a_way_every_message_is_refused(void **state)
{
    (void)state;
    struct messages *ms;
    struct message_ask m = code_message("+46701740605", "123456");
    assert_int_equal(messages_create(NULL, &ms).code, ERR_OK);
    assert_int_equal(message_send(ms, &m, 0).code, ERR_UNSUPPORTED);
    assert_int_equal(messages_counters(ms)->no_way, 1);
    assert_int_equal(messages_counters(ms)->under_way, 0);
    messages_destroy(ms);
}

static void test_a_message_ends_once(void **state)
{
    (void)state;
    struct messages *ms;
    struct recorder r = {.answer = NO_ERR};
    struct message_way way = {"recorder", &r, record, note_drop};
    struct message_ask m = code_message("+46701740605", "123456");
    assert_int_equal(messages_create(&way, &ms).code, ERR_OK);
    assert_int_equal(message_send(ms, &m, 1000).code, ERR_OK);
    assert_int_equal(r.deadline_ms, 1000 + MESSAGE_DEADLINE_MS);
    message_done(ms, r.tickets[0], MESSAGE_SENT);
    message_done(ms, r.tickets[0], MESSAGE_FAILED); /* said twice */
    assert_int_equal(messages_counters(ms)->outcomes[MESSAGE_SENT], 1);
    assert_int_equal(messages_counters(ms)->outcomes[MESSAGE_FAILED], 0);
    assert_int_equal(messages_counters(ms)->late, 1);
    assert_int_equal(message_send(ms, &m, 1000).code, ERR_OK);
    messages_turn(ms, 1000 + MESSAGE_DEADLINE_MS - 1);
    assert_int_equal(messages_counters(ms)->timed_out, 0);
    assert_true(messages_turn(ms, 1000 + MESSAGE_DEADLINE_MS) == INT64_MAX);
    assert_int_equal(messages_counters(ms)->timed_out, 1);
    assert_true(r.dropped == r.tickets[1]);
    message_done(ms, r.tickets[1], MESSAGE_SENT); /* too late */
    assert_int_equal(messages_counters(ms)->outcomes[MESSAGE_SENT], 1);
    assert_int_equal(messages_counters(ms)->under_way, 0);
    messages_destroy(ms);
}

static void test_what_the_way_refuses_is_not_under_way(void **state)
{
    (void)state;
    struct messages *ms;
    struct recorder r = {.answer = ERR(FULL, "the line is busy")};
    struct message_way way = {"recorder", &r, record, NULL};
    struct message_ask m = code_message("+46701740605", "123456");
    assert_int_equal(messages_create(&way, &ms).code, ERR_OK);
    assert_int_equal(message_send(ms, &m, 0).code, ERR_FULL);
    assert_int_equal(messages_counters(ms)->outcomes[MESSAGE_REFUSED], 1);
    assert_int_equal(messages_counters(ms)->under_way, 0);
    messages_destroy(ms);
}

static void test_too_many_under_way_are_refused_and_room_comes_back(void **state)
{
    (void)state;
    struct messages *ms;
    struct recorder r = {.answer = NO_ERR};
    struct message_way way = {"recorder", &r, record, note_drop};
    struct message_ask m = code_message("+46701740605", "123456");
    assert_int_equal(messages_create(&way, &ms).code, ERR_OK);
    for (unsigned i = 0; i < MESSAGES_MAX; i++) assert_int_equal(message_send(ms, &m, 0).code, ERR_OK);
    assert_int_equal(message_send(ms, &m, 0).code, ERR_FULL);
    assert_int_equal(messages_counters(ms)->full, 1);
    message_done(ms, r.tickets[77], MESSAGE_FAILED);
    assert_int_equal(message_send(ms, &m, 0).code, ERR_OK);
    messages_set_way(ms, NULL);
    assert_int_equal(r.drops, MESSAGES_MAX);
    assert_false(messages_have_way(ms));
    messages_destroy(ms);
}

static void test_printing_is_for_a_demo_only(void **state)
{
    (void)state;
    struct message_print *p = NULL;
    assert_int_equal(message_print_open(&(struct message_print_options){.demo = false}, &p).code, ERR_STATE);
    assert_null(p);
}

static void test_printed_messages_stand_in_a_bounded_private_file(void **state)
{
    (void)state;
    char folder[64] = "/tmp/paddock-print-XXXXXX", path[96], text[32768];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/messages.json", folder);
    struct message_print *p;
    struct messages *ms;
    struct message_print_options o = {.demo = true, .path = path, .quiet = true};
    assert_int_equal(message_print_open(&o, &p).code, ERR_OK);
    struct message_way way = message_print_way(p);
    assert_int_equal(messages_create(&way, &ms).code, ERR_OK);
    for (unsigned i = 0; i < MESSAGE_PRINT_KEPT + 1; i++) {
        char to[32];
        snprintf(to, sizeof to, "+4670000%04u", i);
        struct message_ask m = code_message(to, i == MESSAGE_PRINT_KEPT ? "999999" : "123456");
        assert_int_equal(message_send(ms, &m, 0).code, ERR_OK);
    }
    assert_int_equal(messages_counters(ms)->outcomes[MESSAGE_SENT], MESSAGE_PRINT_KEPT + 1);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    assert_non_null(strstr(text, "{\"messages\":[{\"at_ms\":0,\"to\":\"+46700000032\",\"template\":\"sign_in_code\","
                                 "\"params\":{\"code\":\"999999\"}}"));
    assert_non_null(strstr(text, "+46700000001"));
    assert_null(strstr(text, "+46700000000")); /* the oldest made room */
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    messages_destroy(ms);
    message_print_close(p);
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_way_every_message_is_refused),
        cmocka_unit_test(test_a_message_ends_once),
        cmocka_unit_test(test_what_the_way_refuses_is_not_under_way),
        cmocka_unit_test(test_too_many_under_way_are_refused_and_room_comes_back),
        cmocka_unit_test(test_printing_is_for_a_demo_only),
        cmocka_unit_test(test_printed_messages_stand_in_a_bounded_private_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
