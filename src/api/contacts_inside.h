/* SPDX-License-Identifier: Apache-2.0 */
/* contacts_inside.h: what the two halves of contacts.db share: statements and transactions. Nobody else includes this. */
#ifndef API_CONTACTS_INSIDE_H
#define API_CONTACTS_INSIDE_H

#include <sqlite3.h>

#include "api/contacts.h"

/* The error of `rc`, with SQLite's words in c->text. */
struct err contacts_failed(struct contacts *c, int rc);
/* A statement with the operator bound; contacts_end, or contacts_finish when it gives no rows. */
sqlite3_stmt *contacts_begin(struct contacts *c, enum contacts_call call);
void contacts_end(sqlite3_stmt *st);
MUST_USE struct err contacts_finish(struct contacts *c, sqlite3_stmt *st);
void contacts_bind_uuid(sqlite3_stmt *st, int at, struct uuid uuid);

MUST_USE struct err contacts_transaction(struct contacts *c);
/* Ends it: kept when `e` is fine, else taken back; gives the error. */
MUST_USE struct err contacts_all_or_nothing(struct contacts *c, struct err e);

/* Inside a transaction. */
MUST_USE struct err contacts_mark_up(struct contacts *c, const char *name);
MUST_USE struct err contacts_account_add(struct contacts *c, struct uuid account, int64_t now_ms, struct bytes scope,
                                         bool set_scope);
MUST_USE struct err contacts_revoke_tokens(struct contacts *c, struct uuid account, int64_t now_ms);

#endif
