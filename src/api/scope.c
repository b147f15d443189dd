/* SPDX-License-Identifier: Apache-2.0 */
/* scope.c: see scope.h. */
#include "api/scope.h"

#include <stdlib.h>
#include <string.h>

static bool is_code(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        bool fine = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!fine) return false;
    }
    return text.len > 0;
}

static int order(const struct text32 *a, struct bytes b)
{
    size_t shorter = a->len < b.len ? a->len : b.len;
    int by = memcmp(a->at, b.at, shorter);
    return by ? by : (int)a->len - (int)b.len;
}

static struct err add(struct scope *s, struct bytes code)
{
    struct text32 city;
    if (!is_code(code) || text_set(&city, code).code) return ERR(INVALID, "not the code of a city");
    unsigned at = 0;
    while (at < s->count && order(&s->cities[at], code) < 0) at++;
    if (at < s->count && text_equal(&s->cities[at], &city)) return NO_ERR;
    if (s->count == SCOPE_CITIES_MAX) return ERR(TOO_LARGE, "too many cities in one scope");
    memmove(&s->cities[at + 1], &s->cities[at], (s->count - at) * sizeof city);
    s->cities[at] = city;
    s->count++;
    return NO_ERR;
}

struct err scope_read(struct bytes list, struct scope *out)
{
    *out = (struct scope){0};
    while (list.len) TRY(add(out, bytes_split(&list, ',')));
    return NO_ERR;
}

void scope_put(struct buf *b, const struct scope *scope)
{
    if (!scope) buf_put_char(b, '*');
    for (unsigned i = 0; scope && i < scope->count; i++) {
        if (i) buf_put_char(b, ',');
        buf_put_bytes(b, text_bytes(&scope->cities[i]));
    }
}

bool scope_has(const struct scope *scope, struct bytes city)
{
    if (!scope) return true;
    for (unsigned i = 0; i < scope->count; i++) {
        if (bytes_equal(text_bytes(&scope->cities[i]), city)) return true;
    }
    return false;
}

struct err scopes_intern(struct scopes *all, struct bytes text, const struct scope **out)
{
    struct scope read;
    *out = NULL;
    if (bytes_equal_text(text, "*")) return NO_ERR;
    if (scope_read(text, &read).code) return ERR(CORRUPT, "contacts.db: a scope cannot be read");
    for (unsigned i = 0; i < all->count; i++) {
        if (memcmp(all->at[i], &read, sizeof read)) continue;
        *out = all->at[i];
        return NO_ERR;
    }
    struct scope *kept = all->count < SCOPES_MAX ? malloc(sizeof *kept) : NULL;
    if (!kept) return ERR(FULL, "too many different scopes");
    *kept = read;
    all->at[all->count++] = kept;
    *out = kept;
    return NO_ERR;
}

void scopes_fini(struct scopes *all)
{
    for (unsigned i = 0; i < all->count; i++) free(all->at[i]);
    *all = (struct scopes){.count = 0};
}
