/* SPDX-License-Identifier: Apache-2.0 */
/* codes.h: one-time codes under way: six digits for a phone number, good for minutes, for one sign-in and few tries.
 *
 *     codes_make ─► six digits for the message; here only their keyed hash, under the number's keyed hash
 *     codes_take ─► true once; false for wrong, used, late, tried too often and never made, all the same
 *
 * Memory  on purpose, and only there: a number that nobody has shown to own is written nowhere, and who asks for codes
 *         for a million numbers fills no disk. A restart costs those who are just signing in one more message
 * Equal   a number without a code is looked at like one with a code: one hash, one comparison in constant time
 * Limits  CODES_MAX numbers, the oldest makes room; CODES_TRIES tries of one code; CODES_RESEND_MS between two
 * Thread  the loop's */
#ifndef API_CODES_H
#define API_CODES_H

#include "api/secret.h"
#include "api/shelf.h"

enum { CODES_MAX = 32768, CODES_TRIES = 5, CODES_RESEND_MS = 30000, CODES_DIGITS = 6 };

/* Who asked, for whom: the keyed hash of a phone number (people.h). */
struct phone_hash { uint8_t at[SECRET_HASH_LEN]; };

struct code_counters { uint64_t made, taken, wrong, late, none, used_up; };

struct codes {
    struct shelf at;
    uint8_t key[SECRET_KEY_LEN];   /* of this process: what is in memory is worth nothing outside of it */
    struct code_counters counters;
};

MUST_USE struct err codes_init(struct codes *c, const uint8_t key[SECRET_KEY_LEN], struct hash_key shelf_key);
void codes_fini(struct codes *c); /* fine on a zero one */
/* In how many ms another code may be sent; 0 = now. */
int64_t codes_wait_ms(const struct codes *c, const struct phone_hash *phone, int64_t now_ms);
/* A fresh one from `luck`; the one before is void. `out` gets its digits, no NUL. */
void codes_make(struct codes *c, const struct phone_hash *phone, uint64_t luck, int64_t now_ms, int64_t good_for_ms,
                char out[CODES_DIGITS]);
/* It was never sent. */
void codes_forget(struct codes *c, const struct phone_hash *phone);
bool codes_take(struct codes *c, const struct phone_hash *phone, struct bytes code, int64_t now_ms);

#endif
