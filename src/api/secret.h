/* SPDX-License-Identifier: Apache-2.0 */
/* secret.h: the only file that knows libsodium: hashes of tokens, numbers and passwords, and secrets out of nothing.
 *
 * Thread  any; secret_password_* take as long and as much memory as their cost says: on a worker, never on a loop */
#ifndef API_SECRET_H
#define API_SECRET_H

#include "base/buf.h"

enum { SECRET_HASH_LEN = 32, SECRET_KEY_LEN = 16, SECRET_PASSWORD_LEN = 128 };

/* BLAKE2b-256. Tokens carry 256 bits of their own, so a slow hash would add nothing. */
void secret_hash(struct bytes in, uint8_t out[SECRET_HASH_LEN]);
/* The same under a key: for what has too few bits to be hashed alone, like a phone number or six digits. */
void secret_keyed_hash(const uint8_t key[SECRET_KEY_LEN], struct bytes in, uint8_t out[SECRET_HASH_LEN]);
/* Takes as long whatever differs. */
bool secret_equal(const void *a, const void *b, size_t len);
/* From the system. IO: there is no source of randomness. */
MUST_USE struct err secret_random(void *out, size_t len);
/* Overwrites memory that held a secret; the compiler may not leave it out. */
void secret_forget(void *at, size_t len);

/* How dear one guess of a password is: argon2id's passes and memory. */
struct secret_cost { uint64_t passes; size_t memory_bytes; };
#define SECRET_COST ((struct secret_cost){2, 64u << 20})   /* some 0.1 s; RFC 9106 asks for as much as one can bear */
#define SECRET_COST_LEAST ((struct secret_cost){1, 8192})  /* for tests and the simulator */

/* A text that carries salt and cost, ends with NUL. FULL: no memory. */
MUST_USE struct err secret_password_hash(struct bytes password, struct secret_cost cost, char out[SECRET_PASSWORD_LEN]);
bool secret_password_is(const char hash[SECRET_PASSWORD_LEN], struct bytes password);
/* It was made at another cost: to be made again while the password is at hand. */
bool secret_password_stale(const char hash[SECRET_PASSWORD_LEN], struct secret_cost cost);
enum { SECRET_SIGN_KEY_LEN = 32, SECRET_MAC_LEN = 32 };
/* HMAC-SHA256 over the parts, one behind the other. */
void secret_sign(const uint8_t key[SECRET_SIGN_KEY_LEN], const struct bytes *parts, unsigned count,
                 uint8_t out[SECRET_MAC_LEN]);
/* Of at most 48 bytes; with padding. */
void secret_base64(struct bytes in, struct buf *out);

#endif
