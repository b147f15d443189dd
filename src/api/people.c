/* SPDX-License-Identifier: Apache-2.0 */
/* people.c: see people.h. */
#include "api/people.h"

#include <string.h>

#include "api/contacts.h"

bool phone_is(struct bytes text)
{
    if (text.len < 8 || text.len > 16 || text.at[0] != '+' || text.at[1] == '0') return false;
    for (size_t i = 1; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') return false;
    }
    return true;
}

struct phone_hash phone_hash_of(const uint8_t key[SECRET_KEY_LEN], struct bytes phone)
{
    struct phone_hash hash;
    secret_keyed_hash(key, phone, hash.at);
    return hash;
}

static struct err give_token(struct auth *a, int64_t now_ms, int64_t good_for_ms, struct signed_in *out)
{
    struct auth_grant grant = {.account = out->account, .role = out->role, .now_ms = now_ms,
                               .expires_ms = now_ms + good_for_ms};
    struct uuid same;
    TRY(auth_grant(a, &grant, out->token, &same));
    struct auth_who who;
    /* Read back: who is let in by it is what the caller is told. */
    TRY(auth_who_of(a, bytes_of(out->token, AUTH_TOKEN_LEN), &who));
    out->scope = who.scope;
    out->expires_ms = who.expires_ms;
    return NO_ERR;
}

struct err people_rider_sign_in(struct auth *a, struct bytes phone, const struct phone_hash *hash, int64_t now_ms,
                                int64_t good_for_ms, struct signed_in *out)
{
    *out = (struct signed_in){.role = AUTH_RIDER};
    struct err e = contacts_phone_find(auth_contacts(a), hash->at, &out->account);
    if (e.code == ERR_NOT_FOUND) {
        TRY(auth_account_draw(a, &out->account));
        e = contacts_phone_add(auth_contacts(a), hash->at, phone, now_ms, &out->account);
    }
    TRY(e);
    return give_token(a, now_ms, good_for_ms, out);
}

struct err people_nobody_init(struct people_nobody *nobody, struct secret_cost cost)
{
    uint8_t luck[16];
    TRY(secret_random(luck, sizeof luck));
    return secret_password_hash(bytes_of(luck, sizeof luck), cost, nobody->password);
}

struct err people_staff_sign_in(struct auth *a, struct bytes name, struct bytes password,
                                const struct people_nobody *nobody, struct secret_cost cost, int64_t now_ms,
                                int64_t good_for_ms, struct signed_in *out)
{
    struct contacts_staff staff;
    *out = (struct signed_in){.role = 0};
    struct err e = contacts_staff_find(auth_contacts(a), name, &staff);
    if (e.code && e.code != ERR_NOT_FOUND) return e;
    bool may = !e.code && staff.password[0]; /* who has no password yet is as dear to ask as nobody is */
    bool good = secret_password_is(may ? staff.password : nobody->password, password) && may;
    if (!good) return ERR(SIGN_IN_REFUSED, "");
    if (secret_password_stale(staff.password, cost)) {
        TRY(secret_password_hash(password, cost, staff.password));
        TRY(contacts_staff_rehash(auth_contacts(a), &staff));
    }
    out->account = staff.account;
    out->role = staff.role;
    return give_token(a, now_ms, good_for_ms, out);
}

/* Is `row` what `staff` says, with this scope? Looked at by the hash that there is: a repeat signs nobody out. */
static bool same_staff(const struct contacts_staff *row, const struct people_staff *staff, struct bytes scope)
{
    if (row->role != staff->role || !bytes_equal(bytes_of(row->scope, row->scope_len), scope)) return false;
    return !staff->password.len || (row->password[0] && secret_password_is(row->password, staff->password));
}

struct err people_staff_put(struct auth *a, const struct people_staff *staff, struct secret_cost cost, int64_t now_ms,
                            struct uuid *account)
{
    struct contacts_staff row;
    char scope[SCOPE_TEXT_MAX];
    struct buf b = buf_on(scope, sizeof scope);
    if (staff->role <= AUTH_RIDER || staff->role >= AUTH_ROLE_N) return ERR(INVALID, "not a role of staff");
    struct err e = contacts_staff_find(auth_contacts(a), staff->name, &row);
    if (e.code && e.code != ERR_NOT_FOUND) return e;
    bool fits = !staff->password.len ||
                (staff->password.len >= PEOPLE_PASSWORD_MIN && staff->password.len <= PEOPLE_PASSWORD_MAX);
    if (!fits) return ERR(INVALID, "a password has 12 to 128 characters");
    scope_put(&b, staff->scope);
    if (b.full) return ERR(INVALID, "too many cities");
    if (!e.code) *account = row.account;
    if (!e.code && same_staff(&row, staff, buf_bytes(&b))) return NO_ERR;
    if (e.code) {
        row = (struct contacts_staff){.role = 0};
        if (!staff->name.len || text_set(&row.name, staff->name).code) return ERR(INVALID, "a name has 1 to 31 characters");
        TRY(auth_account_draw(a, &row.account));
    }
    row.role = (uint8_t)staff->role;
    row.scope_len = (uint16_t)b.len;
    memcpy(row.scope, scope, b.len);
    row.password[0] = 0; /* none: the database keeps the one that it has when this is written */
    if (staff->password.len) TRY(secret_password_hash(staff->password, cost, row.password));
    TRY(contacts_staff_put(auth_contacts(a), &row, now_ms));
    auth_changed(a);
    *account = row.account;
    return NO_ERR;
}

struct err people_staff_drop(struct auth *a, struct bytes name, int64_t now_ms)
{
    TRY(contacts_staff_drop(auth_contacts(a), name, now_ms));
    auth_changed(a);
    return NO_ERR;
}

struct err people_staff_sign_out(struct auth *a, struct bytes name, int64_t now_ms)
{
    struct contacts_staff staff;
    TRY(contacts_staff_find(auth_contacts(a), name, &staff));
    TRY(contacts_revoke_account(auth_contacts(a), staff.account, now_ms));
    auth_changed(a);
    return NO_ERR;
}
