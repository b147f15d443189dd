/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/terms.h"

#define TERM_NAME(no, NAME, name, doc) [no] = #name,
#define TERM_DOC(no, NAME, name, doc) [no] = doc,
#define TERM_TABLES(tag, LIST)                                        \
    static const char *const tag##_texts[] = {LIST(TERM_NAME)};       \
    static const char *const tag##_docs[] = {LIST(TERM_DOC)};         \
    const struct enum_names tag##_names = {#tag, tag##_texts, sizeof tag##_texts / sizeof *tag##_texts};
TERM_LIST(TERM_TABLES)

#define TERM_ENTRY(tag, LIST) &tag##_names,
const struct enum_names *const term_enums[] = {TERM_LIST(TERM_ENTRY)};
const unsigned term_enum_count = sizeof term_enums / sizeof *term_enums;

#define TERM_DOC_ENTRY(tag, LIST) {&tag##_names, tag##_docs},
static const struct { const struct enum_names *names; const char *const *docs; } docs[] = {TERM_LIST(TERM_DOC_ENTRY)};

const char *term_doc(const struct enum_names *names, unsigned value)
{
    for (unsigned i = 0; i < term_enum_count; i++) {
        if (docs[i].names == names && value < names->count && docs[i].docs[value]) return docs[i].docs[value];
    }
    return "";
}
