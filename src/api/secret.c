/* SPDX-License-Identifier: Apache-2.0 */
/* secret.c: see secret.h. */
#include "api/secret.h"

#include <sodium.h>

#include "base/must.h"

_Static_assert(SECRET_HASH_LEN == crypto_generichash_BYTES, "the default length of the hash");

void secret_hash(struct bytes in, uint8_t out[SECRET_HASH_LEN])
{
    int rc = crypto_generichash(out, SECRET_HASH_LEN, in.at, in.len, NULL, 0);
    must(rc == 0);
}

struct err secret_random(void *out, size_t len)
{
    if (sodium_init() < 0) return ERR(IO, "the system has no randomness");
    randombytes_buf(out, len);
    return NO_ERR;
}

void secret_forget(void *at, size_t len)
{
    sodium_memzero(at, len);
}
