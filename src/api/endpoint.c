/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint.c: see endpoint.h. */
#include "api/endpoint.h"

#include <string.h>

#include "api/contacts.h"
#include "api/secret.h"
#include "base/must.h"

static void take(void *ctx, struct bytes name, struct bytes value)
{
    struct endpoints *all = ctx;
    struct endpoint *free_one = NULL;
    for (unsigned i = 0; i < ENDPOINTS_MAX && !free_one; i++) {
        if (!all->at[i].name.len) free_one = &all->at[i];
    }
    bool fits = value.len > ENDPOINT_SECRET_LEN && value.len <= ENDPOINT_SECRET_LEN + CLIENT_URL_MAX && name.len <= 64;
    if (!free_one || !fits) return; /* not written by this release */
    text_clip(&free_one->name, name);
    free_one->version = ++all->changes;
    memcpy(free_one->secret, value.at, ENDPOINT_SECRET_LEN);
    free_one->url_len = (uint16_t)(value.len - ENDPOINT_SECRET_LEN);
    memcpy(free_one->url, value.at + ENDPOINT_SECRET_LEN, free_one->url_len);
}

struct err endpoints_load(struct endpoints *all)
{
    TRY(contacts_secret_each(auth_contacts(all->auth), bytes_text("webhook/"), take, all));
    return contacts_secret_each(auth_contacts(all->auth), bytes_text("hook/"), take, all);
}

static void full_name(const char *kind, struct bytes code, struct text64 *out)
{
    char memory[64];
    struct buf b = buf_on(memory, sizeof memory);
    buf_put_text(&b, kind);
    buf_put_bytes(&b, code);
    must(!b.full); /* codes have at most 31 bytes */
    text_clip(out, buf_bytes(&b));
}

struct endpoint *endpoint_find(struct endpoints *all, const char *kind, struct bytes code)
{
    struct text64 name;
    full_name(kind, code, &name);
    for (unsigned i = 0; i < ENDPOINTS_MAX; i++) {
        if (text_equal(&all->at[i].name, &name)) return &all->at[i];
    }
    return NULL;
}

static void fresh_secret(struct endpoints *all, struct endpoint *e)
{
    all->random16(all->random_ctx, e->secret);
    all->random16(all->random_ctx, e->secret + 16);
    e->unseen = true;
}

static struct err keep(struct endpoints *all, const struct endpoint *e)
{
    uint8_t value[ENDPOINT_SECRET_LEN + CLIENT_URL_MAX];
    memcpy(value, e->secret, ENDPOINT_SECRET_LEN);
    memcpy(value + ENDPOINT_SECRET_LEN, e->url, e->url_len);
    struct err err = contacts_secret_put(auth_contacts(all->auth), text_bytes(&e->name),
                                         bytes_of(value, ENDPOINT_SECRET_LEN + e->url_len));
    secret_forget(value, sizeof value);
    return err;
}

struct err endpoint_put(struct endpoints *all, const char *kind, struct bytes code, struct bytes url, bool new_secret)
{
    struct endpoint *known = endpoint_find(all, kind, code), *place = known;
    for (unsigned i = 0; i < ENDPOINTS_MAX && !place; i++) {
        if (!all->at[i].name.len) place = &all->at[i];
    }
    if (!place) return ERR(FULL, "too many hooks and webhooks");
    must(url.len && url.len <= CLIENT_URL_MAX);
    struct endpoint e = known ? *known : (struct endpoint){0};
    full_name(kind, code, &e.name);
    e.version = ++all->changes;
    if (!e.open) {
        e.old_url_len = e.url_len;
        memcpy(e.old_url, e.url, sizeof e.old_url);
        memcpy(e.old_secret, e.secret, sizeof e.old_secret);
        e.open = true;
    }
    if (!known || new_secret) fresh_secret(all, &e);
    memcpy(e.url, url.at, url.len);
    e.url_len = (uint16_t)url.len;
    TRY(keep(all, &e));
    *place = e;
    return NO_ERR;
}

void endpoint_settle(struct endpoint *endpoint, uint32_t version)
{
    if (endpoint->version != version) return;
    endpoint->open = false;
    secret_forget(endpoint->old_secret, sizeof endpoint->old_secret);
}

struct err endpoint_undo(struct endpoints *all, struct endpoint *endpoint, uint32_t version)
{
    if (endpoint->version != version || !endpoint->open) return NO_ERR;
    if (!endpoint->old_url_len) return endpoint_drop(all, endpoint);
    struct endpoint e = *endpoint;
    if (memcmp(e.secret, e.old_secret, sizeof e.secret) != 0) e.unseen = false;
    memcpy(e.secret, e.old_secret, sizeof e.secret);
    memcpy(e.url, e.old_url, sizeof e.url);
    e.url_len = e.old_url_len;
    TRY(keep(all, &e));
    *endpoint = e;
    endpoint_settle(endpoint, version);
    return NO_ERR;
}

struct err endpoint_drop(struct endpoints *all, struct endpoint *endpoint)
{
    TRY(contacts_secret_drop(auth_contacts(all->auth), text_bytes(&endpoint->name)));
    secret_forget(endpoint, sizeof *endpoint);
    return NO_ERR;
}

struct bytes endpoint_code(const struct endpoint *endpoint)
{
    struct bytes code = text_bytes(&endpoint->name);
    (void)bytes_split(&code, '/');
    return code;
}

struct bytes endpoint_url(const struct endpoint *endpoint)
{
    return bytes_of(endpoint->url, endpoint->url_len);
}

void endpoint_put_secret(const struct endpoint *endpoint, struct buf *out)
{
    buf_put_text(out, "whsec_");
    secret_base64(bytes_of(endpoint->secret, ENDPOINT_SECRET_LEN), out);
}

void endpoint_sign(const struct endpoint *endpoint, struct bytes id, int64_t wall_ms, struct bytes body,
                   struct endpoint_signed *out)
{
    struct buf id_buf = buf_on(out->id, sizeof out->id), time = buf_on(out->time, sizeof out->time);
    struct buf signature = buf_on(out->signature, sizeof out->signature);
    uint8_t mac[SECRET_MAC_LEN];
    buf_put_bytes(&id_buf, id);
    buf_put_i64(&time, wall_ms / 1000);
    const struct bytes parts[] = {id, bytes_text("."), buf_bytes(&time), bytes_text("."), body};
    secret_sign(endpoint->secret, parts, sizeof parts / sizeof *parts, mac);
    buf_put_text(&signature, "v1,");
    secret_base64(bytes_of(mac, sizeof mac), &signature);
    must(!id_buf.full && !time.full && !signature.full);
    out->headers[0] = (struct client_header){"webhook-id", buf_bytes(&id_buf)};
    out->headers[1] = (struct client_header){"webhook-timestamp", buf_bytes(&time)};
    out->headers[2] = (struct client_header){"webhook-signature", buf_bytes(&signature)};
}
