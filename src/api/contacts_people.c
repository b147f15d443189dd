/* SPDX-License-Identifier: Apache-2.0 */
/* contacts_people.c: phone numbers, staff and apps in contacts.db; see contacts.h. */
#include <string.h>

#include "api/contacts_inside.h"

static const char damaged[] = "contacts.db: a person's row is damaged";

static bool uuid_read(sqlite3_stmt *st, int at, struct uuid *out)
{
    const uint8_t *text = sqlite3_column_text(st, at);
    return text && !uuid_parse(bytes_of(text, (size_t)sqlite3_column_bytes(st, at)), out).code;
}

static struct bytes column(sqlite3_stmt *st, int at)
{
    const uint8_t *text = sqlite3_column_text(st, at);
    return bytes_of(text, text ? (size_t)sqlite3_column_bytes(st, at) : 0);
}

static void bind_bytes(sqlite3_stmt *st, int at, struct bytes text)
{
    sqlite3_bind_text(st, at, text.at ? (const char *)text.at : "", (int)text.len, SQLITE_TRANSIENT);
}

/* ---- phone numbers ---- */

struct err contacts_phone_find(struct contacts *c, const uint8_t hash[32], struct uuid *account)
{
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_PHONE);
    sqlite3_bind_blob(st, 2, hash, 32, SQLITE_TRANSIENT);
    int rc = sqlite3_step(st);
    struct err e = rc == SQLITE_DONE  ? ERR(NOT_FOUND, "nobody has this number")
                   : rc != SQLITE_ROW ? contacts_failed(c, rc)
                   : uuid_read(st, 0, account) ? NO_ERR
                                               : (struct err){ERR_CORRUPT, damaged};
    contacts_end(st);
    return e;
}

static struct err add_phone(struct contacts *c, const uint8_t hash[32], struct bytes phone, int64_t now_ms,
                            struct uuid *account)
{
    struct err e = contacts_phone_find(c, hash, account); /* another thread may have been first */
    if (e.code != ERR_NOT_FOUND) return e;
    TRY(contacts_account_add(c, *account, now_ms, bytes_text("*"), false));
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_PHONE_ADD);
    sqlite3_bind_blob(st, 2, hash, 32, SQLITE_TRANSIENT);
    contacts_bind_uuid(st, 3, *account);
    bind_bytes(st, 4, phone);
    sqlite3_bind_int64(st, 5, now_ms);
    return contacts_finish(c, st);
}

struct err contacts_phone_add(struct contacts *c, const uint8_t hash[32], struct bytes phone, int64_t now_ms,
                              struct uuid *account)
{
    TRY(contacts_transaction(c));
    return contacts_all_or_nothing(c, add_phone(c, hash, phone, now_ms, account));
}

static struct err read_number(struct contacts *c, struct uuid account, struct text32 *out)
{
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_NUMBER);
    contacts_bind_uuid(st, 2, account);
    int rc = sqlite3_step(st);
    struct err e = rc == SQLITE_ROW    ? text_set(out, column(st, 0))
                   : rc == SQLITE_DONE ? ERR(NOT_FOUND, "no number is known")
                                       : contacts_failed(c, rc);
    contacts_end(st);
    return e;
}

static struct err note_read(struct contacts *c, struct uuid account, struct uuid by, int64_t now_ms)
{
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_NUMBER_READ);
    contacts_bind_uuid(st, 2, account);
    contacts_bind_uuid(st, 3, by);
    sqlite3_bind_int64(st, 4, now_ms);
    return contacts_finish(c, st);
}

struct err contacts_number(struct contacts *c, struct uuid account, struct uuid by, int64_t now_ms, struct text32 *out)
{
    *out = (struct text32){0};
    TRY(contacts_transaction(c));
    struct err e = read_number(c, account, out);
    if (!e.code) e = note_read(c, account, by, now_ms); /* not shown unless it is written down who looked */
    return contacts_all_or_nothing(c, e);
}

static struct err drop(struct contacts *c, struct uuid account)
{
    static const enum contacts_call all[] = {CONTACTS_PHONE_DROP, CONTACTS_TOKENS_DROP, CONTACTS_ACCOUNT_DROP};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        sqlite3_stmt *st = contacts_begin(c, all[i]);
        contacts_bind_uuid(st, 2, account);
        TRY(contacts_finish(c, st));
    }
    return contacts_mark_up(c, "revoked");
}

struct err contacts_erase(struct contacts *c, struct uuid account)
{
    TRY(contacts_transaction(c));
    return contacts_all_or_nothing(c, drop(c, account));
}

/* ---- staff ---- */

static struct err staff_read(sqlite3_stmt *st, struct contacts_staff *out)
{
    struct bytes password = column(st, 3), scope = column(st, 4);
    *out = (struct contacts_staff){.role = 0};
    int role = enum_value(&auth_role_names, column(st, 2));
    bool fine = !text_set(&out->name, column(st, 0)).code && uuid_read(st, 1, &out->account) && role > 0 &&
                password.len < sizeof out->password && scope.len <= sizeof out->scope;
    if (!fine) return (struct err){ERR_CORRUPT, damaged};
    out->role = (uint8_t)role;
    out->scope_len = (uint16_t)scope.len;
    if (password.len) memcpy(out->password, password.at, password.len);
    if (scope.len) memcpy(out->scope, scope.at, scope.len);
    return NO_ERR;
}

struct err contacts_staff_find(struct contacts *c, struct bytes name, struct contacts_staff *out)
{
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_STAFF);
    bind_bytes(st, 2, name);
    int rc = sqlite3_step(st);
    struct err e = rc == SQLITE_ROW    ? staff_read(st, out)
                   : rc == SQLITE_DONE ? ERR(NOT_FOUND, "no staff of this name")
                                       : contacts_failed(c, rc);
    contacts_end(st);
    return e;
}

struct err contacts_staff_of(struct contacts *c, struct uuid account, struct text32 *name)
{
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_STAFF_OF);
    contacts_bind_uuid(st, 2, account);
    int rc = sqlite3_step(st);
    struct err e = rc == SQLITE_ROW    ? text_set(name, column(st, 0))
                   : rc == SQLITE_DONE ? ERR(NOT_FOUND, "no name signs in to this account")
                                       : contacts_failed(c, rc);
    contacts_end(st);
    return e;
}

static struct err put_staff(struct contacts *c, const struct contacts_staff *staff, int64_t now_ms)
{
    TRY(contacts_account_add(c, staff->account, now_ms, bytes_of(staff->scope, staff->scope_len), true));
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_STAFF_PUT);
    bind_bytes(st, 2, text_bytes(&staff->name));
    contacts_bind_uuid(st, 3, staff->account);
    sqlite3_bind_text(st, 4, enum_name(&auth_role_names, staff->role), -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 5, staff->password, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(st, 6, now_ms);
    TRY(contacts_finish(c, st));
    return contacts_revoke_tokens(c, staff->account, now_ms);
}

struct err contacts_staff_put(struct contacts *c, const struct contacts_staff *staff, int64_t now_ms)
{
    TRY(contacts_transaction(c));
    return contacts_all_or_nothing(c, put_staff(c, staff, now_ms));
}

static struct err drop_staff(struct contacts *c, struct bytes name, int64_t now_ms)
{
    struct contacts_staff staff;
    TRY(contacts_staff_find(c, name, &staff));
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_STAFF_DROP);
    bind_bytes(st, 2, name);
    TRY(contacts_finish(c, st));
    return contacts_revoke_tokens(c, staff.account, now_ms);
}

struct err contacts_staff_drop(struct contacts *c, struct bytes name, int64_t now_ms)
{
    TRY(contacts_transaction(c));
    return contacts_all_or_nothing(c, drop_staff(c, name, now_ms));
}

struct err contacts_staff_rehash(struct contacts *c, const struct contacts_staff *staff)
{
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_STAFF_PASSWORD);
    bind_bytes(st, 2, text_bytes(&staff->name));
    sqlite3_bind_text(st, 3, staff->password, -1, SQLITE_TRANSIENT);
    return contacts_finish(c, st);
}

struct err contacts_staff_list(struct contacts *c, struct bytes after, unsigned limit,
                               void (*fn)(void *ctx, const struct contacts_staff *staff), void *ctx)
{
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_STAFF_LIST);
    bind_bytes(st, 2, after);
    sqlite3_bind_int64(st, 3, limit ? (int64_t)limit : -1);
    struct err e = NO_ERR;
    int rc = SQLITE_ROW;
    while (!e.code && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct contacts_staff staff;
        e = staff_read(st, &staff);
        if (!e.code) fn(ctx, &staff);
    }
    if (!e.code && rc != SQLITE_DONE) e = contacts_failed(c, rc);
    contacts_end(st);
    return e;
}

/* ---- apps ---- */

static struct err put_app(struct contacts *c, const struct contacts_app *app)
{
    sqlite3_stmt *st = contacts_begin(c, app->minimum_build ? CONTACTS_APP_PUT : CONTACTS_APP_DROP);
    bind_bytes(st, 2, text_bytes(&app->name));
    if (app->minimum_build) {
        sqlite3_bind_int64(st, 3, app->minimum_build);
        bind_bytes(st, 4, bytes_of(app->url, app->url_len));
    }
    TRY(contacts_finish(c, st));
    return contacts_mark_up(c, "apps");
}

struct err contacts_app_put(struct contacts *c, const struct contacts_app *app)
{
    TRY(contacts_transaction(c));
    return contacts_all_or_nothing(c, put_app(c, app));
}

struct err contacts_apps(struct contacts *c, struct contacts_app *at, unsigned room, unsigned *count)
{
    sqlite3_stmt *st = contacts_begin(c, CONTACTS_APPS);
    sqlite3_bind_int(st, 2, (int)room);
    struct err e = NO_ERR;
    int rc = SQLITE_ROW;
    *count = 0;
    while (!e.code && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct contacts_app *app = &at[(*count)++];
        struct bytes url = column(st, 2);
        *app = (struct contacts_app){.minimum_build = sqlite3_column_int64(st, 1)};
        e = text_set(&app->name, column(st, 0));
        if (url.len > sizeof app->url) e = ERR(CORRUPT, "contacts.db: an app's row is damaged");
        if (e.code) break;
        app->url_len = (uint8_t)url.len;
        if (url.len) memcpy(app->url, url.at, url.len);
    }
    if (!e.code && rc != SQLITE_DONE) e = contacts_failed(c, rc);
    contacts_end(st);
    return e;
}
