/* SPDX-License-Identifier: Apache-2.0 */
#include "base/must.h"

static must_handler *handler_now;

void must_set_handler(must_handler *handler)
{
    handler_now = handler;
}

noreturn void must_fail(const char *claim, const char *file, int line)
{
    if (handler_now) handler_now(claim, file, line);
    __builtin_trap();
}
