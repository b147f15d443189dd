/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

static const struct err_row {
    const char *name, *text;
    short http;
    bool retry;
} err_rows[ERR_CODE_LIMIT] = {
#define X(no, code, name, http, retry, text) [ERR_##code] = {name, text, http, retry},
    ERR_LIST(X)
#undef X
};

static const struct err_row *row_of(enum err_code code)
{
    if ((unsigned)code >= ERR_CODE_LIMIT || !err_rows[code].name) code = ERR_IO;
    return &err_rows[code];
}

const char *err_name(enum err_code code) { return row_of(code)->name; }
const char *err_text(enum err_code code) { return row_of(code)->text; }
int err_http(enum err_code code) { return row_of(code)->http; }
bool err_retry(enum err_code code) { return row_of(code)->retry; }
