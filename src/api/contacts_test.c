/* SPDX-License-Identifier: Apache-2.0 */
/* contacts_test.c: what a statement about one account costs does not grow with how many others there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "api/auth.h"
#include "api/contacts.h"

/* The plan's words for walking every row of the operator. */
#define WALKS "PRIMARY KEY (operator_id=?)"

static bool walks_tokens(sqlite3 *db, const char *sql)
{
    char text[2048];
    sqlite3_stmt *plan;
    bool walks = false;
    assert_true(snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", sql) < (int)sizeof text);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &plan, NULL), SQLITE_OK);
    while (sqlite3_step(plan) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(plan, 3);
        bool tokens = strstr(step, "SEARCH tokens ") || strstr(step, "SEARCH t ") || strstr(step, "SCAN tokens");
        walks = walks || (tokens && (strstr(step, WALKS) || strstr(step, "SCAN")));
    }
    sqlite3_finalize(plan);
    return walks;
}

static void test_who_asks_about_one_account_walks_no_others_tokens(void **state)
{
    (void)state;
    struct contacts c = {0};
    struct auth_options options = {.path = ":memory:"};
    unsigned looked = 0;
    assert_int_equal(contacts_open(&c, &options).code, ERR_OK);
    for (unsigned i = 0; i < CONTACTS_CALL_N; i++) {
        const char *sql = sqlite3_sql(c.calls[i]);
        if (!strstr(sql, "tokens") || !strstr(sql, "account = ?2")) continue;
        looked++;
        if (walks_tokens(c.db, sql)) fail_msg("walks all tokens: %s", sql);
    }
    assert_in_range(looked, 4, CONTACTS_CALL_N);
    contacts_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_who_asks_about_one_account_walks_no_others_tokens)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
