/* SPDX-License-Identifier: Apache-2.0 */
#include "net/client_url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void good_urls_come_apart(void **state)
{
    (void)state;
    struct client_url u;
    assert_int_equal(client_url_parse(bytes_text("https://Hooks.example.org/a?b=c"), &u).code, ERR_OK);
    assert_true(u.https && bytes_equal_text(u.host, "Hooks.example.org") && !u.port.len);
    assert_int_equal(client_url_parse(bytes_text("http://10.0.0.1:8080"), &u).code, ERR_OK);
    assert_true(!u.https && bytes_equal_text(u.host, "10.0.0.1") && bytes_equal_text(u.port, "8080"));
    assert_int_equal(client_url_parse(bytes_text("http://[::1]:9/x"), &u).code, ERR_OK);
    assert_true(bytes_equal_text(u.host, "::1") && bytes_equal_text(u.port, "9"));
    assert_int_equal(client_url_parse(bytes_text("http://[fe80::1]"), &u).code, ERR_OK);
}

static void bad_urls_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "ftp://a/", "file:///etc/passwd", "gopher://a", "http://", "http:///x", "http://a:0/", "http://a:65536",
        "http://a:",
        "http://a:9x/", "http://u:p@a/", "http://good.example@evil.example/", "http://a b/", "http://a\r\nHost: b/",
        "http://a\\@b/", "http://[::1", "http://[::1]x/", "http://\xc3\xa9/", "HTTP://a/", "//a/", "http://a%2eb/",
    };
    struct client_url u;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(client_url_parse(bytes_text(bad[i]), &u).code, ERR_INVALID);
    }
    char longest[600];
    memset(longest, 'a', sizeof longest);
    memcpy(longest, "http://", 7);
    assert_int_equal(client_url_parse(bytes_of(longest, 513), &u).code, ERR_INVALID);
    assert_int_equal(client_url_parse(bytes_of(longest, 512), &u).code, ERR_OK);
}

static bool allowed(const char *url, const char *hosts)
{
    struct client_url u;
    assert_int_equal(client_url_parse(bytes_text(url), &u).code, ERR_OK);
    return !client_url_allowed(&u, bytes_text(hosts)).code;
}

static void the_list_says_which_hosts(void **state)
{
    (void)state;
    assert_true(allowed("http://any.example/", ""));
    assert_true(allowed("http://A.example/", "b.example, a.example"));
    assert_false(allowed("http://c.example/", "b.example, a.example"));
    assert_true(allowed("https://x.y.example/", ".example"));
    assert_false(allowed("https://example/", ".example"));
    assert_false(allowed("https://badexample/", ".example"));
    assert_true(allowed("https://a.example/", "a.example:443"));
    assert_false(allowed("http://a.example/", "a.example:443"));
    assert_true(allowed("http://a.example:81/", "a.example:81"));
    assert_true(allowed("http://[::1]:81/", "::1"));
    assert_false(allowed("http://a.example.evil/", "a.example"));
}

static bool is_public(int family, const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    void *to = family == AF_INET ? (void *)&in.sin_addr : (void *)&in6.sin6_addr;
    assert_int_equal(inet_pton(family, text, to), 1);
    return client_address_public(family == AF_INET ? (struct sockaddr *)&in : (struct sockaddr *)&in6);
}

static void inside_addresses_are_not_public(void **state)
{
    (void)state;
    static const char *const inside[] = {"0.0.0.0", "127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "172.31.255.255",
                                         "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255",
                                         "198.18.0.1", "192.0.0.1"};
    static const char *const outside[] = {"1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.255.255", "100.128.0.1",
                                          "223.255.255.255",
                                          "11.0.0.1", "192.1.0.1"};
    static const char *const inside6[] = {"::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1",
                                          "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001::1", "::127.0.0.1"};
    static const char *const outside6[] = {"2606:4700::1111", "2a00::1", "::ffff:1.1.1.1", "64:ff9b::101:101"};
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) assert_false(is_public(AF_INET, inside[i]));
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) assert_true(is_public(AF_INET, outside[i]));
    for (size_t i = 0; i < sizeof inside6 / sizeof *inside6; i++) assert_false(is_public(AF_INET6, inside6[i]));
    for (size_t i = 0; i < sizeof outside6 / sizeof *outside6; i++) assert_true(is_public(AF_INET6, outside6[i]));
    struct sockaddr other = {.sa_family = AF_UNIX};
    assert_false(client_address_public(&other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_urls_come_apart),
        cmocka_unit_test(bad_urls_are_refused),
        cmocka_unit_test(the_list_says_which_hosts),
        cmocka_unit_test(inside_addresses_are_not_public),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
