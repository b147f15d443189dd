/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint.h: programs outside that are called (hooks and webhooks): where they are, and the secret that signs what they
 * get.
 *
 * Kept    in contacts.db, never in the journal: an address often carries a password of its own, and a journal that is
 *         replayed elsewhere must not call anybody. Read once, then in memory
 * Signed  as Standard Webhooks say (standardwebhooks.com): headers webhook-id, webhook-timestamp and webhook-signature
 *         "v1,BASE64" of HMAC-SHA256 over "ID.TIMESTAMP.BODY"; the secret is shown once, as "whsec_BASE64"
 * Limits  ENDPOINTS_MAX
 * Thread  the loop's; a change is a synced write of a few ms, and rare */
#ifndef API_ENDPOINT_H
#define API_ENDPOINT_H

#include "api/auth.h"
#include "net/client.h"

#define ENDPOINTS_MAX 48u
#define ENDPOINT_SECRET_LEN 32u
#define ENDPOINT_SECRET_TEXT_MAX 64u  /* "whsec_" and base64 */
#define ENDPOINT_SIGNATURE_MAX 64u

struct endpoint {
    struct text64 name;               /* "webhook/CODE", "hook/ride.may_start"; empty: free */
    uint16_t url_len;
    char url[CLIENT_URL_MAX];
    uint8_t secret[ENDPOINT_SECRET_LEN];
    bool unseen;                      /* nobody was shown the secret yet */
    uint32_t version;                 /* another one with each change in this process */
    bool open;                        /* changed, and whether that holds is not known yet: */
    uint16_t old_url_len;             /* how it was before; 0: it was not there */
    char old_url[CLIENT_URL_MAX];
    uint8_t old_secret[ENDPOINT_SECRET_LEN];
};

struct endpoints {
    struct auth *auth;
    struct endpoint at[ENDPOINTS_MAX];
    uint32_t changes;
    void (*random16)(void *ctx, uint8_t out[16]);
    void *random_ctx;
};

/* Reads them all. */
MUST_USE struct err endpoints_load(struct endpoints *all);
/* `kind` is "webhook/" or "hook/". NULL: none. */
struct endpoint *endpoint_find(struct endpoints *all, const char *kind, struct bytes code);
/* Made or changed, durably. A new one, or `new_secret`, gets a fresh secret. FULL. */
MUST_USE struct err endpoint_put(struct endpoints *all, const char *kind, struct bytes code, struct bytes url, bool new_secret);
/* The change to `version` holds; or it was refused, and everything is as before. A newer change decides for itself. */
void endpoint_settle(struct endpoint *endpoint, uint32_t version);
MUST_USE struct err endpoint_undo(struct endpoints *all, struct endpoint *endpoint, uint32_t version);
MUST_USE struct err endpoint_drop(struct endpoints *all, struct endpoint *endpoint);
struct bytes endpoint_code(const struct endpoint *endpoint);
struct bytes endpoint_url(const struct endpoint *endpoint);
void endpoint_put_secret(const struct endpoint *endpoint, struct buf *out);

/* The three headers of a call. */
struct endpoint_signed {
    char id[128], time[24], signature[ENDPOINT_SIGNATURE_MAX];
    struct client_header headers[3];
};
void endpoint_sign(const struct endpoint *endpoint, struct bytes id, int64_t wall_ms, struct bytes body,
                   struct endpoint_signed *out);

#endif
