/* SPDX-License-Identifier: Apache-2.0 */
/* ask_about.c: what a page or an app needs to know before anybody has signed in. */
#include "api/api_inside.h"
#include "api/ask.h"

/* The street's cities; none while it is not in view yet: an app opens all the same. */
static void put_cities(struct api *api, struct json *j)
{
    struct street *street = api->config.street;
    const struct snapshot *s = street ? street_hold(street, STREET_READER_HTTP) : NULL;
    json_open(j, '[');
    for (uint32_t i = 0; s && i < s->city_count; i++) {
        const struct street_city *city = &s->cities[i];
        json_open(j, '{');
        json_name(j, "code");
        json_text(j, text_bytes(&city->code));
        json_name(j, "name");
        json_text(j, text_bytes(&city->name));
        json_name(j, "lat");
        json_decimal(j, city->at.lat_e7, 7);
        json_name(j, "lon");
        json_decimal(j, city->at.lon_e7, 7);
        json_name(j, "time_zone");
        json_text(j, text_bytes(&city->time_zone));
        json_close(j, '}');
    }
    json_close(j, ']');
    if (street) street_let_go(street, STREET_READER_HTTP);
}

void ask_about(struct call *call)
{
    struct api *api = call->api;
    const char *panel = api->config.panel;
    struct buf b = buf_on(api->street_text, API_STREET_MAX);
    struct json j = json_on(&b);
    json_open(&j, '{');
    json_name(&j, "build");
    json_text(&j, bytes_text(api->config.build ? api->config.build : ""));
    json_name(&j, "demo");
    if (panel && *panel) {
        json_open(&j, '{');
        json_name(&j, "panel");
        json_text(&j, bytes_text(panel));
        json_close(&j, '}');
    } else {
        json_null(&j);
    }
    json_name(&j, "cities");
    put_cities(api, &j);
    json_close(&j, '}');
    if (b.full) out_problem(api, &call->client, ERR(TOO_LARGE, "the answer does not fit"));
    else out_json(api, &call->client, 200, buf_bytes(&b));
}

/* clang-format off */
static const struct member demo_members[] = {
    {"panel", MEMBER_TEXT, 0, NULL, NULL, "origin of the control panel of the simulated world"},
};
static const struct schema schema_demo = {"Demo", "This server is the middle of a simulated city", NULL,
                                          SCHEMA_MEMBERS(demo_members), false};
static const struct member city_members[] = {
    {"code", MEMBER_TEXT, 0, NULL, NULL, "which"},
    {"name", MEMBER_TEXT, 0, NULL, NULL, "for people"},
    {"lat", MEMBER_DECIMAL, 0, NULL, NULL, "centre"},
    {"lon", MEMBER_DECIMAL, 0, NULL, NULL, "centre"},
    {"time_zone", MEMBER_TEXT, 0, NULL, NULL, "IANA name"},
};
static const struct schema schema_about_city = {"AboutCity", "A city of this operator", NULL,
                                                SCHEMA_MEMBERS(city_members), false};
static const struct member about_members[] = {
    {"build", MEMBER_TEXT, 0, NULL, NULL, "of the server"},
    {"demo", MEMBER_OBJECT, MEMBER_NULL, NULL, &schema_demo, "null: a real one"},
    {"cities", MEMBER_LIST, 0, NULL, &schema_about_city, "where it runs"},
};
const struct schema answer_about = {"AboutAnswer", "What an app needs to know at its start", NULL,
                                    SCHEMA_MEMBERS(about_members), false};
/* clang-format on */
