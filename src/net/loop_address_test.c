/* SPDX-License-Identifier: Apache-2.0 */
/* loop_address_test.c: addresses are read strictly and written as they are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "net/loop_address.h"

static void expect_same(const char *text)
{
    struct net_address address;
    char room[64];
    struct buf b = buf_on(room, sizeof room);

    assert_int_equal(address_parse(bytes_text(text), &address).code, ERR_OK);
    address_put(&b, &address);
    assert_true(bytes_equal_text(buf_bytes(&b), text));
}

static void test_addresses_survive_reading_and_writing(void **state)
{
    (void)state;
    expect_same("127.0.0.1:7700");
    expect_same("0.0.0.0:0");
    expect_same("255.255.255.255:65535");
    expect_same("[::1]:80");
    expect_same("[2001:db8::7]:8080");
}

static void test_odd_addresses_are_refused(void **state)
{
    (void)state;
    static const char *const odd[] = {"", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                                      "127.0.0.1:1x", "127.1:80", ":80", "::1:80", "[::1:80", "[]:80",
                                      "example.org:80", "127.0.0.1 :80", "[127.0.0.1]:80",
                                      "[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa]:80"};
    struct net_address address;

    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        assert_int_equal(address_parse(bytes_text(odd[i]), &address).code, ERR_MALFORMED);
    assert_int_equal(address_parse(bytes_text("localhost:80"), &address).code, ERR_OK);
}

static void expect_who(const char *peer, const char *who)
{
    struct text64 got;
    address_who(bytes_text(peer), &got);
    assert_true(text_is(&got, who));
}

static void test_who_is_the_address_without_port_and_of_ipv6_its_network(void **state)
{
    (void)state;
    expect_who("192.0.2.1:50123", "192.0.2.1");
    expect_who("[2001:db8:1:2:3:4:5:6]:50123", "2001:db8:1:2::/64");
    expect_who("[2001:db8:1:2::]:1", "2001:db8:1:2::/64");
    expect_who("[2001:db8:1:3::9]:1", "2001:db8:1:3::/64");
    expect_who("[::1]:80", "::/64");
    expect_who("[::ffff:192.0.2.1]:50123", "192.0.2.1");
    expect_who("[::ffff:192.0.2.2]:50123", "192.0.2.2");
    expect_who("", "");
    expect_who("somewhere", "somewhere");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_survive_reading_and_writing),
        cmocka_unit_test(test_odd_addresses_are_refused),
        cmocka_unit_test(test_who_is_the_address_without_port_and_of_ipv6_its_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
