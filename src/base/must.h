/* SPDX-License-Identifier: Apache-2.0 */
/* must.h: asserts on our own state, on in production.
 *
 * Why     a wrong ledger is worse than a restart. Never use it on input: bytes from a device, a phone, a file
 *         or a database get a struct err.
 * Thread  any */
#ifndef BASE_MUST_H
#define BASE_MUST_H

#include <stdnoreturn.h>

/* Called once with the broken claim, then the process aborts. The shell replaces it to log; base has no I/O. */
typedef void must_handler(const char *claim, const char *file, int line);
void must_set_handler(must_handler *handler);

noreturn void must_fail(const char *claim, const char *file, int line);

#define must(claim) ((claim) ? (void)0 : must_fail(#claim, __FILE__, __LINE__))

#endif
