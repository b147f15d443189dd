/* SPDX-License-Identifier: Apache-2.0 */
/* ask_server.c: what anybody may ask about the server itself. */
#include <stdlib.h>

#include "api/api_inside.h"
#include "api/ask.h"
#include "api/openapi.h"
#include "base/must.h"

void ask_openapi(struct call *call)
{
    struct api *api = call->api;
    if (!api->openapi.at) {
        void *memory = malloc(OPENAPI_MAX);
        if (!memory) {
            out_problem(api, &call->client, ERR(FULL, ""));
            return;
        }
        struct buf b = buf_on(memory, OPENAPI_MAX);
        openapi_put(&b);
        must(!b.full);
        void *fitting = realloc(memory, b.len);
        if (fitting) b.at = fitting;
        api->openapi = b;
    }
    out_json(api, &call->client, 200, buf_bytes(&api->openapi));
}
