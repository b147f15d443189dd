/* SPDX-License-Identifier: Apache-2.0 */
/* auth.c: see auth.h. A known token costs one hash and one look-up in memory; an unknown one costs a read of the
 * database, so those are counted by address. */
#include "api/auth.h"

#include <stdlib.h>
#include <string.h>

#include "api/contacts.h"
#include "api/secret.h"
#include "api/shelf.h"
#include "base/must.h"
#include "net/loop_address.h"

#define TOKEN_PREFIX "pdk_"
#define EXPIRY_MAX_MS (3660ll * 86400000) /* ten years */

static const char *const role_texts[AUTH_ROLE_N] = {
#define X(no, NAME, name, doc) [no] = #name,
    AUTH_ROLE_LIST(X)
#undef X
};
const struct enum_names auth_role_names = {"auth_role", role_texts, AUTH_ROLE_N};

static const char *const staff_role_texts[AUTH_ROLE_N] = {
#define X(no, NAME, name, doc) [no] = (no) == AUTH_RIDER ? NULL : #name,
    AUTH_ROLE_LIST(X)
#undef X
};
const struct enum_names auth_staff_role_names = {"auth_staff_role", staff_role_texts, AUTH_ROLE_N};

/* A token as last read from the database. */
struct known {
    uint8_t hash[SECRET_HASH_LEN]; /* the identity */
    struct auth_who who;
    uint64_t generation;
};

/* Unknown tokens from one address: a bucket that fills up again. */
struct misses {
    struct text64 address; /* the identity */
    int64_t filled_ms;
    uint32_t left_milli;   /* thousandths of a miss */
};

struct auth {
    struct contacts contacts;
    struct shelf known, misses;
    struct scopes scopes;
    struct auth_counters counters;
    uint64_t generation;   /* of what `known` holds: goes up when somebody lost something */
    int64_t version, revoked, looked_ms;
    bool looked;
    void (*random16)(void *ctx, uint8_t out[16]);
    void *random_ctx;
};

struct err auth_draw(struct auth *a, uint8_t *out, size_t count16)
{
    if (!a->random16) return secret_random(out, count16 * 16);
    for (size_t i = 0; i < count16; i++) a->random16(a->random_ctx, out + i * 16);
    return NO_ERR;
}

struct err auth_create(const struct auth_options *options, struct auth **out)
{
    struct auth *a = calloc(1, sizeof *a);
    uint8_t key[16];
    if (!a) return ERR(IO, "no memory");
    *out = a; /* also on error: auth_text() says more; the caller destroys it */
    a->random16 = options->random16;
    a->random_ctx = options->random_ctx;
    a->generation = 1;
    TRY(contacts_open(&a->contacts, options));
    TRY(auth_draw(a, key, 1));
    struct hash_key k = {load_u64(key), load_u64(key + 8)};
    uint32_t cap = options->cache_max ? options->cache_max : AUTH_CACHE_DEFAULT;
    TRY(shelf_init(&a->known, sizeof(struct known), SECRET_HASH_LEN, cap, k));
    return shelf_init(&a->misses, sizeof(struct misses), sizeof(struct text64), AUTH_ADDRESS_MAX, k);
}

void auth_destroy(struct auth *a)
{
    if (!a) return;
    contacts_close(&a->contacts);
    shelf_fini(&a->known);
    shelf_fini(&a->misses);
    scopes_fini(&a->scopes);
    free(a);
}

static struct misses *misses_of(struct auth *a, struct bytes peer, int64_t mono_ms)
{
    struct text64 address;
    address_who(peer, &address);
    struct misses *m = shelf_find(&a->misses, &address);
    if (!m) {
        m = shelf_add(&a->misses, &address);
        m->left_milli = AUTH_MISSES_BURST * 1000;
        m->filled_ms = mono_ms;
    }
    int64_t gained = (mono_ms - m->filled_ms) * AUTH_MISSES_PER_S; /* thousandths, as a second has as many ms */
    if (gained > 0) {
        int64_t left = m->left_milli + gained;
        m->left_milli = left < AUTH_MISSES_BURST * 1000 ? (uint32_t)left : AUTH_MISSES_BURST * 1000;
        m->filled_ms = mono_ms;
    }
    return m;
}

/* Another connection may have granted or revoked. */
static struct err look(struct auth *a, int64_t mono_ms)
{
    int64_t version, revoked = a->revoked;
    if (a->looked && mono_ms - a->looked_ms < AUTH_LOOK_MS) return NO_ERR;
    TRY(contacts_version(&a->contacts, &version));
    if (!a->looked || version != a->version) TRY(contacts_mark(&a->contacts, "revoked", &revoked));
    if (!a->looked || revoked != a->revoked) a->generation++;
    a->version = version;
    a->revoked = revoked;
    a->looked = true;
    a->looked_ms = mono_ms;
    return NO_ERR;
}

/* Reads the token's row; what is not valid (any more) is not kept. */
static struct err read_row(struct auth *a, const uint8_t *hash, struct known **out)
{
    struct auth_token_row row;
    struct known *k = shelf_find(&a->known, hash);
    a->counters.looked_up++;
    struct err e = contacts_token_find(&a->contacts, hash, &row);
    if (e.code || row.revoked_ms) {
        if (k) shelf_remove(&a->known, k);
        *out = NULL;
        return e.code == ERR_NOT_FOUND ? NO_ERR : e;
    }
    const struct scope *scope;
    TRY(scopes_intern(&a->scopes, bytes_of(row.scope, row.scope_len), &scope));
    if (!k) k = shelf_add(&a->known, hash);
    must(k);
    k->who = (struct auth_who){.account = row.account, .role = row.role, .scope = scope, .expires_ms = row.expires_ms};
    k->generation = a->generation;
    *out = k;
    return NO_ERR;
}

struct err auth_check(struct auth *a, struct bytes token, struct bytes peer, int64_t wall_ms, int64_t mono_ms,
                      struct auth_who *out)
{
    uint8_t hash[SECRET_HASH_LEN];
    bool formed = token.len == AUTH_TOKEN_LEN && bytes_starts(token, TOKEN_PREFIX);
    a->counters.checks++;
    TRY(look(a, mono_ms));
    secret_hash(token, hash);
    struct known *k = formed ? shelf_find(&a->known, hash) : NULL;
    if (k && k->generation == a->generation) {
        a->counters.cached++;
    } else {
        struct misses *m = k ? NULL : misses_of(a, peer, mono_ms);
        if (m && m->left_milli < 1000) {
            a->counters.slowed++;
            return ERR(RATE_LIMITED, "");
        }
        if (formed) TRY(read_row(a, hash, &k));
        if (!k && m) m->left_milli -= 1000;
    }
    if (!k || k->who.expires_ms <= wall_ms) {
        a->counters.unknown++;
        return ERR(UNAUTHENTICATED, "");
    }
    *out = k->who;
    return NO_ERR;
}

struct err auth_who_of(struct auth *a, struct bytes token, struct auth_who *out)
{
    uint8_t hash[SECRET_HASH_LEN];
    struct known *k;
    secret_hash(token, hash);
    TRY(read_row(a, hash, &k));
    if (!k) return ERR(UNAUTHENTICATED, "");
    *out = k->who;
    return NO_ERR;
}

struct err auth_grant(struct auth *a, const struct auth_grant *grant, char token[AUTH_TOKEN_LEN],
                      struct uuid *account)
{
    uint8_t secret[32];
    struct auth_token_row row = {.account = grant->account, .role = (uint8_t)grant->role, .created_ms = grant->now_ms,
                                 .expires_ms = grant->expires_ms};
    if (grant->role < AUTH_RIDER || grant->role >= AUTH_ROLE_N) return ERR(INVALID, "no such role");
    if (grant->expires_ms <= grant->now_ms || grant->expires_ms - grant->now_ms > EXPIRY_MAX_MS) {
        return ERR(INVALID, "a token is good for up to ten years");
    }
    struct buf scope = buf_on(row.scope, sizeof row.scope);
    scope_put(&scope, grant->scope);
    if (scope.full) return ERR(INVALID, "the scope is too long");
    row.scope_len = (uint16_t)scope.len;
    if (uuid_zero(row.account)) TRY(auth_account_draw(a, &row.account));
    TRY(auth_draw(a, secret, 2));
    struct buf b = buf_on(token, AUTH_TOKEN_LEN);
    buf_put_text(&b, TOKEN_PREFIX);
    buf_put_hex(&b, bytes_of(secret, sizeof secret));
    must(b.len == AUTH_TOKEN_LEN);
    secret_forget(secret, sizeof secret);
    secret_hash(buf_bytes(&b), row.hash);
    *account = row.account;
    return contacts_token_add(&a->contacts, &row, grant->set_scope);
}

struct err auth_account_draw(struct auth *a, struct uuid *out)
{
    TRY(auth_draw(a, out->at, 1));
    out->at[6] = (uint8_t)((out->at[6] & 0x0f) | 0x40); /* RFC 9562, version 4 */
    out->at[8] = (uint8_t)((out->at[8] & 0x3f) | 0x80);
    return NO_ERR;
}

static bool hex_read(struct bytes text, uint8_t out[8])
{
    if (text.len != 16) return false;
    memset(out, 0, 8);
    for (unsigned i = 0; i < 16; i++) {
        uint8_t c = text.at[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) return false;
        out[i / 2] = (uint8_t)(out[i / 2] << 4 | digit);
    }
    return true;
}

struct err auth_revoke(struct auth *a, struct bytes name, int64_t now_ms)
{
    uint8_t first[8];
    if (!hex_read(name, first)) return ERR(NOT_FOUND, "no such token");
    auth_changed(a); /* our own changes do not move contacts_version() */
    return contacts_token_revoke(&a->contacts, first, now_ms);
}

struct err auth_list(struct auth *a, void (*fn)(void *ctx, const struct auth_token_row *row), void *ctx)
{
    return contacts_token_list(&a->contacts, fn, ctx);
}

struct err auth_secret16(struct auth *a, const char *name, uint8_t out[16])
{
    uint8_t fresh[16];
    TRY(auth_draw(a, fresh, 1));
    return contacts_secret16(&a->contacts, name, fresh, out);
}

void auth_changed(struct auth *a)
{
    a->generation++;
}

struct contacts *auth_contacts(struct auth *a)
{
    return &a->contacts;
}

const struct auth_counters *auth_counters(const struct auth *a)
{
    return &a->counters;
}

const char *auth_text(const struct auth *a)
{
    return a ? a->contacts.text : "";
}
