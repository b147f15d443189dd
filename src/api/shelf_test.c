/* SPDX-License-Identifier: Apache-2.0 */
/* shelf_test.c: a bounded memory that lets the oldest go, but for what is held. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/shelf.h"

struct thing { uint32_t id; uint32_t value; };

static struct thing *add(struct shelf *s, uint32_t id)
{
    struct thing *t = shelf_add(s, &id);
    if (t) t->value = id * 10;
    return t;
}

static bool has(const struct shelf *s, uint32_t id)
{
    const struct thing *t = shelf_find(s, &id);
    return t && t->value == id * 10;
}

static void test_the_oldest_makes_room(void **state)
{
    (void)state;
    struct shelf s;
    assert_int_equal(shelf_init(&s, sizeof(struct thing), sizeof(uint32_t), 3, (struct hash_key){1, 2}).code, ERR_OK);
    for (uint32_t id = 1; id <= 5; id++) assert_non_null(add(&s, id));
    assert_false(has(&s, 1) || has(&s, 2));
    assert_true(has(&s, 3) && has(&s, 4) && has(&s, 5));
    assert_int_equal(s.evicted, 2);
    shelf_fini(&s);
}

static void test_what_is_held_stays(void **state)
{
    (void)state;
    struct shelf s;
    assert_int_equal(shelf_init(&s, sizeof(struct thing), sizeof(uint32_t), 2, (struct hash_key){1, 2}).code, ERR_OK);
    uint32_t one = shelf_slot(&s, add(&s, 1)), two = shelf_slot(&s, add(&s, 2));
    shelf_hold(&s, one);
    shelf_hold(&s, one);
    assert_non_null(add(&s, 3));
    assert_true(has(&s, 1) && !has(&s, 2) && has(&s, 3));
    shelf_hold(&s, two);
    assert_null(add(&s, 4));
    shelf_let_go(&s, one);
    assert_null(add(&s, 4));
    shelf_let_go(&s, one);
    assert_non_null(add(&s, 4));
    assert_true(!has(&s, 1) && has(&s, 3) && has(&s, 4));
    shelf_fini(&s);
}

static void test_what_is_removed_is_gone_and_its_place_is_used_again(void **state)
{
    (void)state;
    struct shelf s;
    assert_int_equal(shelf_init(&s, sizeof(struct thing), sizeof(uint32_t), 2, (struct hash_key){1, 2}).code, ERR_OK);
    add(&s, 1);
    shelf_remove(&s, add(&s, 2));
    assert_true(has(&s, 1) && !has(&s, 2));
    for (uint32_t id = 3; id < 40; id++) add(&s, id);
    assert_true(has(&s, 38) && has(&s, 39) && !has(&s, 37));
    shelf_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_oldest_makes_room),
        cmocka_unit_test(test_what_is_held_stays),
        cmocka_unit_test(test_what_is_removed_is_gone_and_its_place_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
