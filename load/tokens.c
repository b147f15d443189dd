/* SPDX-License-Identifier: Apache-2.0 */
#include "load/tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/auth.h"

enum { PATH_ROOM = 1200 };
#define GOOD_FOR_MS 86400000ll

_Static_assert(TOKEN_ROOM > AUTH_TOKEN_LEN, "a token and its NUL");

/* The same account for the same number, so that a second run brings the same riders: a UUID of version 8. */
static struct uuid account_of(uint32_t number)
{
    struct uuid u;
    memcpy(u.at, "paddock load", 12);
    u.at[6] = 0x81;
    u.at[8] = 0x80;
    store_u32(u.at + 12, number);
    return u;
}

struct err tokens_grant(const char *data, uint32_t count, const volatile bool *stop, char (**out)[TOKEN_ROOM])
{
    char path[PATH_ROOM];
    struct auth_options options = {.path = path, .unsynced = true};
    struct auth *auth = NULL;
    *out = NULL;
    if (snprintf(path, sizeof path, "%s/contacts.db", data) >= PATH_ROOM) return ERR(INVALID, "the path is too long");
    char (*tokens)[TOKEN_ROOM] = calloc(count, sizeof *tokens);
    struct err e = tokens ? auth_create(&options, &auth) : ERR(FULL, "no memory");
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    for (uint32_t i = 0; i < count && !e.code; i++) {
        struct auth_grant grant = {.account = account_of(i), .role = AUTH_RIDER, .now_ms = now_ms,
                                   .expires_ms = now_ms + GOOD_FOR_MS};
        struct uuid account;
        e = stop && *stop ? ERR(STATE, "stopped") : auth_grant(auth, &grant, tokens[i], &account);
    }
    auth_destroy(auth);
    if (e.code) {
        free(tokens);
        return e;
    }
    *out = tokens;
    return NO_ERR;
}
