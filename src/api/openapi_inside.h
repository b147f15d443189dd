/* SPDX-License-Identifier: Apache-2.0 */
/* openapi_inside.h: what the two files of the OpenAPI document share. */
#ifndef API_OPENAPI_INSIDE_H
#define API_OPENAPI_INSIDE_H

#include "api/contract.h"
#include "base/json.h"

/* "name": "text" */
void openapi_text(struct json *j, const char *name, const char *text);
/* "$ref": "#/components/KIND/NAME" as the members of an object of its own. */
void openapi_ref(struct json *j, const char *kind, const char *name);
/* ---- openapi_types.c ---- */
/* The schema of an argument: of a parameter or of a body's member. */
void openapi_arg_schema(struct json *j, const struct arg_row *row);
/* "schemas": {...}: every type that the contract names. */
void openapi_schemas(struct json *j, const struct contract *c);

#endif
