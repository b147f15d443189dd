/* SPDX-License-Identifier: Apache-2.0 */
/* accounts.c: see accounts.h. */
#include "api/accounts.h"

_Static_assert(offsetof(struct account, is_staff) == sizeof(struct uuid), "the identity is one piece");

struct err accounts_init(struct shelf *accounts, uint32_t cap, struct hash_key key)
{
    return shelf_init(accounts, sizeof(struct account), ACCOUNT_ID_SIZE, cap, key);
}

struct account *accounts_get(struct shelf *accounts, struct auth_who who)
{
    struct account id = {.uuid = who.account, .is_staff = who.role != AUTH_RIDER};
    struct account *a = shelf_find(accounts, &id);
    if (!a) a = shelf_add(accounts, &id);
    if (!a) return NULL;
    /* A new role or scope is told to the engine; nobody is nobody to it. */
    if (a->role != who.role || a->scope != who.scope) a->announced = false;
    a->role = (uint8_t)who.role;
    a->scope = who.scope;
    return a;
}
