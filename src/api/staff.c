/* SPDX-License-Identifier: Apache-2.0 */
/* staff.c: see staff.h. */
#include "api/staff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_inside.h"
#include "api/ask.h"
#include "base/must.h"

enum { STAFF_ROW_MAX = 1536 }; /* of one as JSON: 31 bytes of a name at 6 each, 512 of cities with their quotes */

struct staff_wait {
    bool used;
    unsigned looked;      /* how many of its cities are known to be there */
    struct clerk_job job;
};
struct staff_waits { struct staff_wait at[STAFF_WAITS_MAX]; };

struct err staff_waits_create(struct staff_waits **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? NO_ERR : ERR(IO, "no memory");
}

void staff_waits_destroy(struct staff_waits *all)
{
    if (all) secret_forget(all, sizeof *all);
    free(all);
}

/* ---- what is answered ---- */

/* clang-format off */
static const struct member staff_members[] = {
    {"name", MEMBER_TEXT, 0, NULL, NULL, "that they sign in by"},
    {"account", MEMBER_UUID, 0, NULL, NULL, "whose actions theirs are"},
    {"role", MEMBER_TERM, 0, &auth_staff_role_names, NULL, "what they may do"},
    {"cities", MEMBER_TEXTS, MEMBER_NULL, NULL, NULL, "codes of the cities they work in; null: all"},
    {"can_sign_in", MEMBER_BOOL, 0, NULL, NULL, "false: they have no password yet; PUT one"},
};
static const struct schema schema_staff = {"Staff", "Somebody who works here", NULL, SCHEMA_MEMBERS(staff_members), true};
static const struct member one_staff[] = {{"staff", MEMBER_OBJECT, 0, NULL, &schema_staff, "as they are now"}};
static const struct member staff_rows[] = {
    {"staff", MEMBER_LIST, 0, NULL, &schema_staff, "by name"},
    {"next", MEMBER_TEXT, MEMBER_NULL, NULL, NULL, "cursor of the page behind; null: this is the last"},
};
/* clang-format on */
const struct schema answer_staff = {"StaffAnswer", "One of staff", NULL, SCHEMA_MEMBERS(one_staff), true};
const struct schema page_staff = {"StaffPage", "A page of staff", NULL, SCHEMA_MEMBERS(staff_rows), true};

struct page { struct buf b; struct json j; struct text32 last; unsigned rows; };

static void put_cities(struct json *j, struct bytes scope)
{
    json_name(j, "cities");
    if (bytes_equal_text(scope, "*")) {
        json_null(j);
        return;
    }
    json_open(j, '[');
    while (scope.len) json_text(j, bytes_split(&scope, ','));
    json_close(j, ']');
}

static void put_staff(void *ctx, const struct contacts_staff *staff)
{
    struct page *page = ctx;
    struct json *j = &page->j;
    json_open(j, '{');
    json_name(j, "name");
    json_text(j, text_bytes(&staff->name));
    json_name(j, "account");
    json_uuid(j, staff->account.at);
    json_name(j, "role");
    json_literal(j, enum_name(&auth_staff_role_names, staff->role));
    put_cities(j, bytes_of(staff->scope, staff->scope_len));
    json_name(j, "can_sign_in");
    json_bool(j, staff->password[0] != 0);
    json_close(j, '}');
    page->last = staff->name;
    page->rows++;
}

static struct err page_begin(struct page *page, unsigned rows)
{
    size_t room = 256 + (size_t)rows * STAFF_ROW_MAX;
    void *memory = malloc(room);
    if (!memory) return ERR(FULL, "no memory for the answer");
    *page = (struct page){.b = buf_on(memory, room)};
    page->j = json_on(&page->b);
    json_open(&page->j, '{');
    json_name(&page->j, "staff");
    return NO_ERR;
}

static struct err page_end(struct page *page, struct err e, char **body, size_t *body_len)
{
    json_close(&page->j, '}');
    if (!e.code && page->b.full) e = ERR(TOO_LARGE, "the page is too long: ask for fewer rows");
    if (e.code) {
        free(page->b.at);
        return e;
    }
    *body_len = page->b.len;
    *body = (char *)page->b.at;
    return NO_ERR;
}

struct err staff_page(struct contacts *c, struct bytes after, unsigned limit, char **body, size_t *body_len)
{
    struct page page;
    TRY(page_begin(&page, limit));
    json_open(&page.j, '[');
    struct err e = contacts_staff_list(c, after, limit, put_staff, &page);
    json_close(&page.j, ']');
    json_name(&page.j, "next");
    if (page.rows == limit) json_text(&page.j, text_bytes(&page.last));
    else json_null(&page.j);
    return page_end(&page, e, body, body_len);
}

struct err staff_one(struct contacts *c, struct bytes name, char **body, size_t *body_len)
{
    struct contacts_staff staff;
    struct page page;
    TRY(contacts_staff_find(c, name, &staff));
    TRY(page_begin(&page, 1));
    put_staff(&page, &staff);
    secret_forget(&staff, sizeof staff);
    return page_end(&page, NO_ERR, body, body_len);
}

/* ---- routes ---- */

static void ask_about_one(struct call *call, enum clerk_kind kind)
{
    struct clerk_job job = {.kind = (uint8_t)kind, .now_ms = call_wall_ms(call)};
    text_clip(&job.name, args_get(&call->args, "name")->text);
    call_clerk(call, &job);
}

void ask_staff_one(struct call *call) { ask_about_one(call, CLERK_STAFF_ONE); }
void ask_staff_sign_out(struct call *call) { ask_about_one(call, CLERK_STAFF_SIGN_OUT); }
void ask_delete_staff(struct call *call) { ask_about_one(call, CLERK_STAFF_DROP); }

void ask_staff_list(struct call *call)
{
    const struct arg *limit = args_get(&call->args, "limit");
    struct clerk_job job = {.kind = CLERK_STAFF_LIST, .limit = API_PAGE_DEFAULT};
    if (limit->given) job.limit = limit->number < STAFF_PAGE_MAX ? (unsigned)limit->number : STAFF_PAGE_MAX;
    text_clip(&job.name, args_get(&call->args, "after")->text);
    call_clerk(call, &job);
}

/* False: answered. */
static bool read_cities(struct call *call, struct clerk_job *job)
{
    const struct arg *cities = args_get(&call->args, "cities");
    char memory[33 * SCOPE_CITIES_MAX], text[SCOPE_TEXT_MAX];
    struct buf list = buf_on(memory, sizeof memory), kept = buf_on(text, sizeof text);
    job->everywhere = !cities->given;
    if (!cities->given) return true;
    for (size_t i = 0; i < (size_t)cities->number; i++) {
        if (i) buf_put_char(&list, ',');
        buf_put_bytes(&list, args_code(&call->args, "cities", i));
    }
    must(!list.full);
    struct err e = scope_read(buf_bytes(&list), &job->scope);
    if (!e.code) scope_put(&kept, &job->scope);
    if (!e.code && !kept.full) return true;
    args_fault(&call->args, "cities", "are too many, or their codes too long together; leave them out for all cities");
    call->api->counters.not_valid++;
    out_faults(call->api, &call->client, ERR(INVALID, ""), &call->args);
    return false;
}

static bool wait_for_cities(struct call *call, const struct clerk_job *job)
{
    struct staff_waits *all = call->api->staff_waits;
    for (unsigned i = 0; i < STAFF_WAITS_MAX; i++) {
        if (all->at[i].used) continue;
        all->at[i].used = true;
        all->at[i].job = *job;
        struct desk_job look = {.kind = DESK_CITY, .city = job->scope.cities[0], .staff_wait = (uint8_t)(i + 1)};
        if (!call_job(call, &look)) secret_forget(&all->at[i], sizeof all->at[i]);
        return true;
    }
    return false;
}

void ask_put_staff(struct call *call)
{
    struct bytes password = args_get(&call->args, "password")->text;
    struct clerk_job job = {.kind = CLERK_STAFF_PUT, .now_ms = call_wall_ms(call)};
    job.role = (uint8_t)args_get(&call->args, "role")->number;
    text_clip(&job.name, args_get(&call->args, "name")->text);
    job.password.len = (uint8_t)password.len;
    if (password.len) memcpy(job.password.at, password.at, password.len);
    if (!read_cities(call, &job)) {
        /* answered */
    } else if (job.everywhere) {
        call_clerk(call, &job);
    } else if (!wait_for_cities(call, &job)) {
        out_problem(call->api, &call->client, ERR(FULL, "too many staff are declared at once; try again shortly"));
    }
    secret_forget(&job.password, sizeof job.password);
}

/* ---- the desk has looked ---- */

static void refuse_city(struct api *api, struct pending *p)
{
    char why[128];
    struct args args = {.fault_count = 0};
    const struct text32 *city = &p->job.city;
    snprintf(why, sizeof why, "names %.*s, which is not declared: PUT /v1/cities/%.*s first", (int)city->len, city->at,
             (int)city->len, city->at);
    args_fault(&args, "cities", why);
    api->counters.not_valid++;
    out_faults(api, &p->client, ERR(INVALID, ""), &args);
    api_release(api, p);
}

void staff_looked(struct api *api, struct pending *p, bool declared)
{
    must(p->job.staff_wait);
    struct staff_wait *wait = &api->staff_waits->at[p->job.staff_wait - 1];
    if (!declared) {
        refuse_city(api, p);
    } else if (++wait->looked < wait->job.scope.count) {
        p->job.city = wait->job.scope.cities[wait->looked];
        api_submit(api, p);
    } else if (api_clerk(api, p, &wait->job)) {
        staff_wait_drop(api, p);
    }
}

void staff_wait_drop(struct api *api, struct pending *p)
{
    struct staff_waits *all = api->staff_waits;
    if (!p->job.staff_wait) return;
    secret_forget(&all->at[p->job.staff_wait - 1], sizeof all->at[0]);
    p->job.staff_wait = 0;
}
