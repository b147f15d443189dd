/* SPDX-License-Identifier: Apache-2.0 */
/* secret.h: the only file that knows libsodium: hashing of tokens, and secrets out of nothing. Thread any. */
#ifndef API_SECRET_H
#define API_SECRET_H

#include "base/bytes.h"

enum { SECRET_HASH_LEN = 32 };

/* BLAKE2b-256. Tokens carry 256 bits of their own, so a slow hash would add nothing. */
void secret_hash(struct bytes in, uint8_t out[SECRET_HASH_LEN]);
/* From the system. IO: there is no source of randomness. */
MUST_USE struct err secret_random(void *out, size_t len);
/* Overwrites memory that held a secret; the compiler may not leave it out. */
void secret_forget(void *at, size_t len);

#endif
