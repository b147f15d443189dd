/* SPDX-License-Identifier: Apache-2.0 */
/* secret.c: see secret.h. */
#include "api/secret.h"

#include <sodium.h>

#include "base/must.h"

_Static_assert(SECRET_HASH_LEN == crypto_generichash_BYTES, "the default length of the hash");
_Static_assert(SECRET_KEY_LEN >= crypto_generichash_KEYBYTES_MIN, "a key that is long enough");
_Static_assert(SECRET_PASSWORD_LEN == crypto_pwhash_STRBYTES, "room for a password's hash");

void secret_hash(struct bytes in, uint8_t out[SECRET_HASH_LEN])
{
    int rc = crypto_generichash(out, SECRET_HASH_LEN, in.at, in.len, NULL, 0);
    must(rc == 0);
}

void secret_keyed_hash(const uint8_t key[SECRET_KEY_LEN], struct bytes in, uint8_t out[SECRET_HASH_LEN])
{
    int rc = crypto_generichash(out, SECRET_HASH_LEN, in.at, in.len, key, SECRET_KEY_LEN);
    must(rc == 0);
}

bool secret_equal(const void *a, const void *b, size_t len)
{
    return sodium_memcmp(a, b, len) == 0;
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

struct err secret_password_hash(struct bytes password, struct secret_cost cost, char out[SECRET_PASSWORD_LEN])
{
    if (sodium_init() < 0) return ERR(IO, "the system has no randomness");
    int rc = crypto_pwhash_str_alg(out, (const char *)password.at, password.len, cost.passes, cost.memory_bytes,
                                   crypto_pwhash_ALG_ARGON2ID13);
    return rc ? ERR(FULL, "no memory to hash a password") : NO_ERR;
}

bool secret_password_is(const char hash[SECRET_PASSWORD_LEN], struct bytes password)
{
    return crypto_pwhash_str_verify(hash, (const char *)password.at, password.len) == 0;
}

bool secret_password_stale(const char hash[SECRET_PASSWORD_LEN], struct secret_cost cost)
{
    return crypto_pwhash_str_needs_rehash(hash, cost.passes, cost.memory_bytes) != 0;
}

_Static_assert(SECRET_SIGN_KEY_LEN == crypto_auth_hmacsha256_KEYBYTES, "the key's length");
_Static_assert(SECRET_MAC_LEN == crypto_auth_hmacsha256_BYTES, "the signature's length");

void secret_sign(const uint8_t key[SECRET_SIGN_KEY_LEN], const struct bytes *parts, unsigned count,
                 uint8_t out[SECRET_MAC_LEN])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, SECRET_SIGN_KEY_LEN);
    for (unsigned i = 0; i < count; i++) crypto_auth_hmacsha256_update(&state, parts[i].at, parts[i].len);
    crypto_auth_hmacsha256_final(&state, out);
}

void secret_base64(struct bytes in, struct buf *out)
{
    char text[sodium_base64_ENCODED_LEN(48, sodium_base64_VARIANT_ORIGINAL)];
    must(in.len <= 48);
    sodium_bin2base64(text, sizeof text, in.at, in.len, sodium_base64_VARIANT_ORIGINAL);
    buf_put_text(out, text);
}
