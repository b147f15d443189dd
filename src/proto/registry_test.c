/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/omni.h"

static void test_codec_is_found_by_number_and_name(void **s)
{
    (void)s;
    assert_ptr_equal(codec_by_protocol(PROTOCOL_OMNI), &omni_codec);
    assert_ptr_equal(codec_by_name(bytes_text("omni")), &omni_codec);
    assert_null(codec_by_protocol(PROTOCOL_NONE));
    assert_null(codec_by_protocol(PROTOCOL_N));
    assert_null(codec_by_name(bytes_text("")));
    assert_null(codec_by_name(bytes_text("omn")));
    for (uint8_t i = 1; i < PROTOCOL_N; i++) assert_int_equal(codec_by_protocol(i)->protocol, i);
}

static void test_stream_is_named_or_more_of_it_is_asked_for(void **s)
{
    (void)s;
    bool more = true;
    assert_ptr_equal(codec_sniff(bytes_text("*SCOR,OM"), &more), &omni_codec);
    assert_false(more);
    assert_null(codec_sniff(bytes_text("*SC"), &more));
    assert_true(more);
    assert_null(codec_sniff(bytes_text("GET / HTTP/1.1"), &more));
    assert_false(more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codec_is_found_by_number_and_name),
        cmocka_unit_test(test_stream_is_named_or_more_of_it_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
