/* SPDX-License-Identifier: Apache-2.0 */
/* pages_test.c: what a folder of pages gives, to whom, and what it never gives. */
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

#include "api/pages.h"

struct folder { char at[64]; };
struct ask { const char *path, *accept, *match; enum http_verb verb; };

static void put_file(const struct folder *f, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", f->at, name);
    for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int open_folder(void **state)
{
    struct folder *f = calloc(1, sizeof *f);
    snprintf(f->at, sizeof f->at, "/tmp/paddock-pages-XXXXXX");
    assert_non_null(mkdtemp(f->at));
    put_file(f, "control/index.html", "<html>the control room, long enough to be worth it</html>");
    put_file(f, "control/index.html.gz", "gzipped");
    put_file(f, "control/index.html.br", "brotli");
    put_file(f, "control/assets/x-1a2b.js", "code()");
    put_file(f, "control/icon.svg", "<svg/>");
    put_file(f, "control/.stamp", "not for anybody");
    put_file(f, "map/index.json", "{}");
    *state = f;
    return 0;
}

static int close_folder(void **state)
{
    struct folder *f = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", f->at);
    int code = system(command);
    free(f);
    return code;
}

static struct pages *create(const struct folder *f)
{
    struct pages *p = NULL;
    struct err e = pages_create(&(struct pages_options){.dir = f->at}, &p);
    assert_int_equal(e.code, ERR_OK);
    return p;
}

static struct err find(const struct pages *p, struct ask ask, struct pages_answer *out)
{
    struct http_header headers[2] = {{bytes_text("Accept-Encoding"), bytes_text(ask.accept ? ask.accept : "")},
                                     {bytes_text("If-None-Match"), bytes_text(ask.match ? ask.match : "")}};
    struct http_request request = {.verb = ask.verb, .path = bytes_text(ask.path), .headers = headers, .header_count = 2};
    return pages_find(p, &request, out);
}

static struct bytes header(const struct pages_answer *a, const char *name)
{
    for (unsigned i = 0; i < a->response.header_count; i++) {
        if (!strcmp(a->headers[i].name, name)) return a->headers[i].value;
    }
    return bytes_text("");
}

static bool has(struct bytes text, const char *part)
{
    return memmem(text.at, text.len, part, strlen(part)) != NULL;
}

static void test_a_file_has_its_type_and_every_answer_forbids_foreign_code(void **state)
{
    struct pages *p = create(*state);
    struct pages_answer a;
    static const struct { const char *path, *type; } files[] = {
        {"/control/", "text/html; charset=utf-8"},
        {"/control/index.html", "text/html; charset=utf-8"},
        {"/control/assets/x-1a2b.js", "text/javascript; charset=utf-8"},
        {"/control/icon.svg", "image/svg+xml"},
        {"/map/index.json", "application/json"},
    };
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
        assert_int_equal(find(p, (struct ask){.path = files[i].path}, &a).code, ERR_OK);
        assert_int_equal(a.response.status, 200);
        assert_string_equal(a.response.content_type, files[i].type);
        struct bytes policy = header(&a, "Content-Security-Policy");
        assert_true(has(policy, "default-src 'none'") && has(policy, "frame-ancestors 'none'"));
        assert_false(has(policy, "unsafe") || has(policy, "*") || has(policy, "http:"));
        assert_true(has(header(&a, "X-Content-Type-Options"), "nosniff"));
        assert_true(has(header(&a, "Referrer-Policy"), "no-referrer"));
        assert_true(has(header(&a, "Permissions-Policy"), "microphone=()"));
    }
    pages_destroy(p);
}

static void test_only_what_is_named_by_its_content_is_kept_for_ever(void **state)
{
    struct pages *p = create(*state);
    struct pages_answer a;
    assert_int_equal(find(p, (struct ask){.path = "/control/assets/x-1a2b.js"}, &a).code, ERR_OK);
    assert_true(has(header(&a, "Cache-Control"), "immutable"));
    assert_int_equal(find(p, (struct ask){.path = "/control/"}, &a).code, ERR_OK);
    assert_true(has(header(&a, "Cache-Control"), "no-cache"));
    assert_false(has(header(&a, "Cache-Control"), "immutable"));
    pages_destroy(p);
}

static void test_the_smallest_accepted_coding_is_given(void **state)
{
    struct pages *p = create(*state);
    struct pages_answer a;
    static const struct { const char *accept, *coding, *body; } cases[] = {
        {"gzip, deflate, br", "br", "brotli"},
        {"gzip", "gzip", "gzipped"},
        {"br;q=0, gzip;q=0.5", "gzip", "gzipped"},
        {"GZIP", "gzip", "gzipped"},
        {"brotli", "", "<html>"},
        {"br;q=0.000,gzip;q=0", "", "<html>"},
        {"", "", "<html>"},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(find(p, (struct ask){.path = "/control/", .accept = cases[i].accept}, &a).code, ERR_OK);
        assert_true(bytes_equal_text(header(&a, "Content-Encoding"), cases[i].coding));
        assert_true(bytes_starts(a.response.body, cases[i].body));
        assert_true(bytes_equal_text(header(&a, "Vary"), "Accept-Encoding"));
    }
    pages_destroy(p);
}

static void test_who_has_it_already_gets_no_body(void **state)
{
    struct pages *p = create(*state);
    struct pages_answer a, b;
    char tags[96];
    assert_int_equal(find(p, (struct ask){.path = "/control/", .accept = "br"}, &a).code, ERR_OK);
    struct bytes tag = header(&a, "ETag");
    snprintf(tags, sizeof tags, "\"other\", W/%.*s", (int)tag.len, (const char *)tag.at);
    assert_int_equal(find(p, (struct ask){.path = "/control/", .accept = "br", .match = tags}, &b).code, ERR_OK);
    assert_int_equal(b.response.status, 304);
    assert_int_equal(b.response.body.len, 0);
    /* Another coding is another body. */
    assert_int_equal(find(p, (struct ask){.path = "/control/", .accept = "gzip", .match = tags}, &b).code, ERR_OK);
    assert_int_equal(b.response.status, 200);
    pages_destroy(p);
}

static void test_a_path_below_an_app_is_its_page_and_a_missing_file_is_none(void **state)
{
    struct pages *p = create(*state);
    struct pages_answer a;
    assert_int_equal(find(p, (struct ask){.path = "/control/vehicles/GBG-1"}, &a).code, ERR_OK);
    assert_true(bytes_starts(a.response.body, "<html>"));
    assert_true(has(header(&a, "Cache-Control"), "no-cache"));
    assert_int_equal(find(p, (struct ask){.path = "/control"}, &a).code, ERR_OK);
    assert_int_equal(a.response.status, 308);
    assert_true(bytes_equal_text(header(&a, "Location"), "/control/"));
    assert_int_equal(find(p, (struct ask){.path = "/control/assets/gone-9f.js"}, &a).code, ERR_INVALID);
    assert_int_equal(find(p, (struct ask){.path = "/map/"}, &a).code, ERR_NOT_FOUND); /* has no page of its own */
    assert_int_equal(find(p, (struct ask){.path = "/v1/rides"}, &a).code, ERR_NOT_FOUND);
    assert_int_equal(find(p, (struct ask){.path = "/"}, &a).code, ERR_NOT_FOUND);
    assert_int_equal(find(p, (struct ask){.path = "/control/", .verb = HTTP_VERB_POST}, &a).code, ERR_UNSUPPORTED);
    assert_int_equal(find(p, (struct ask){.path = "/control/", .verb = HTTP_VERB_HEAD}, &a).code, ERR_OK);
    pages_destroy(p);
}

static void test_nothing_outside_the_table_can_be_named(void **state)
{
    struct pages *p = create(*state);
    struct pages_answer a;
    static const char *const paths[] = {
        "/control/../control/index.html.gz", "/control/assets/../../../../etc/passwd", "/control/%2e%2e/index.html",
        "/control/index%2ehtml", "//control/index.html", "/control/index.html.br", "/control/.stamp", "/control/assets/.",
        "/control//etc/passwd.",
    };
    for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
        enum err_code code = find(p, (struct ask){.path = paths[i]}, &a).code;
        /* At most the app's own page, never another file. */
        assert_true(code != ERR_OK || bytes_starts(a.response.body, "<html>"));
    }
    pages_destroy(p);
}

static void test_a_folder_that_holds_what_it_must_not_is_refused_whole(void **state)
{
    struct folder *f = *state;
    struct pages *p = NULL;
    char link[128];
    assert_int_equal(pages_create(&(struct pages_options){.dir = "/nowhere/at/all"}, &p).code, ERR_NOT_FOUND);
    assert_int_equal(pages_create(&(struct pages_options){.dir = f->at, .panel = "http://a; script-src *"}, &p).code,
                     ERR_INVALID);
    snprintf(link, sizeof link, "%s/control/link.html", f->at);
    assert_int_equal(symlink("/etc/passwd", link), 0);
    assert_int_equal(pages_create(&(struct pages_options){.dir = f->at}, &p).code, ERR_UNSUPPORTED);
    assert_int_equal(unlink(link), 0);
    put_file(f, "control/two words.js", "x");
    assert_int_equal(pages_create(&(struct pages_options){.dir = f->at}, &p).code, ERR_UNSUPPORTED);
    assert_null(p);
}

static void test_a_page_may_call_the_panel_that_was_named(void **state)
{
    struct folder *f = *state;
    struct pages *p = NULL;
    struct pages_answer a;
    struct pages_options options = {.dir = f->at, .panel = "http://127.0.0.1:9000"};
    assert_int_equal(pages_create(&options, &p).code, ERR_OK);
    assert_int_equal(find(p, (struct ask){.path = "/control/"}, &a).code, ERR_OK);
    assert_true(has(header(&a, "Content-Security-Policy"), "connect-src 'self' http://127.0.0.1:9000"));
    pages_destroy(p);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_folder, close_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_a_file_has_its_type_and_every_answer_forbids_foreign_code),
        TEST(test_only_what_is_named_by_its_content_is_kept_for_ever),
        TEST(test_the_smallest_accepted_coding_is_given),
        TEST(test_who_has_it_already_gets_no_body),
        TEST(test_a_path_below_an_app_is_its_page_and_a_missing_file_is_none),
        TEST(test_nothing_outside_the_table_can_be_named),
        TEST(test_a_folder_that_holds_what_it_must_not_is_refused_whole),
        TEST(test_a_page_may_call_the_panel_that_was_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
