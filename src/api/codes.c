/* SPDX-License-Identifier: Apache-2.0 */
/* codes.c: see codes.h. */
#include "api/codes.h"

#include <string.h>

struct code {
    struct phone_hash phone;           /* the identity */
    uint8_t hash[SECRET_HASH_LEN];     /* of number and digits */
    int64_t made_ms, ends_ms;
    uint8_t tries;
    bool used;
};

struct err codes_init(struct codes *c, const uint8_t key[SECRET_KEY_LEN], struct hash_key shelf_key)
{
    *c = (struct codes){.counters = {0}};
    memcpy(c->key, key, sizeof c->key);
    return shelf_init(&c->at, sizeof(struct code), sizeof(struct phone_hash), CODES_MAX, shelf_key);
}

void codes_fini(struct codes *c)
{
    secret_forget(c->key, sizeof c->key);
    shelf_fini(&c->at);
}

static void hash_of(const struct codes *c, const struct phone_hash *phone, struct bytes code, uint8_t out[SECRET_HASH_LEN])
{
    uint8_t both[sizeof *phone + CODES_DIGITS] = {0};
    memcpy(both, phone, sizeof *phone);
    if (code.len == CODES_DIGITS) memcpy(both + sizeof *phone, code.at, CODES_DIGITS);
    secret_keyed_hash(c->key, bytes_of(both, sizeof both), out);
    secret_forget(both, sizeof both);
}

int64_t codes_wait_ms(const struct codes *c, const struct phone_hash *phone, int64_t now_ms)
{
    const struct code *code = shelf_find(&c->at, phone);
    if (!code || code->used) return 0;
    int64_t wait_ms = code->made_ms + CODES_RESEND_MS - now_ms;
    return wait_ms > 0 ? wait_ms : 0;
}

void codes_make(struct codes *c, const struct phone_hash *phone, uint64_t luck, int64_t now_ms, int64_t good_for_ms,
                char out[CODES_DIGITS])
{
    struct code *code = shelf_find(&c->at, phone);
    if (!code) code = shelf_add(&c->at, phone);
    for (unsigned i = CODES_DIGITS; i-- > 0; luck /= 10) out[i] = (char)('0' + luck % 10);
    hash_of(c, phone, bytes_of(out, CODES_DIGITS), code->hash);
    code->made_ms = now_ms;
    code->ends_ms = now_ms + good_for_ms;
    code->tries = 0;
    code->used = false;
    c->counters.made++;
}

void codes_forget(struct codes *c, const struct phone_hash *phone)
{
    struct code *code = shelf_find(&c->at, phone);
    if (code) shelf_remove(&c->at, code);
}

bool codes_take(struct codes *c, const struct phone_hash *phone, struct bytes given, int64_t now_ms)
{
    static const struct code nothing = {.used = true};
    struct code *kept = shelf_find(&c->at, phone);
    const struct code *code = kept ? kept : &nothing;
    uint8_t hash[SECRET_HASH_LEN];
    hash_of(c, phone, given, hash);
    bool equal = secret_equal(hash, code->hash, sizeof hash) && given.len == CODES_DIGITS;
    bool good = equal && !code->used && now_ms < code->ends_ms && code->tries < CODES_TRIES;
    if (kept) {
        if (code->used) c->counters.none++;
        else if (now_ms >= code->ends_ms) c->counters.late++;
        else if (code->tries >= CODES_TRIES) c->counters.used_up++;
        else if (!equal) c->counters.wrong++;
        if (code->tries < CODES_TRIES) kept->tries++;
        if (good) kept->used = true;
    } else {
        c->counters.none++;
    }
    c->counters.taken += good;
    return good;
}
