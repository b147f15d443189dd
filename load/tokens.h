/* SPDX-License-Identifier: Apache-2.0 */
/* tokens.h: riders' tokens for a load run, granted straight into the contact database of a data directory: for a server of
 * one's own on this machine. Each is good for a day. */
#ifndef LOAD_TOKENS_H
#define LOAD_TOKENS_H

#include "base/err.h"

#include <stdint.h>

enum { TOKEN_ROOM = 72 };

/* `count` tokens, on the heap: the caller frees *out. Gives up when *stop becomes true; NULL: never. */
MUST_USE struct err tokens_grant(const char *data, uint32_t count, const volatile bool *stop, char (**out)[TOKEN_ROOM]);

#endif
