/* SPDX-License-Identifier: Apache-2.0 */
/* describe.h: what the files of describe share. A disk that refuses ends the program. */
#ifndef TOOLS_DESCRIBE_H
#define TOOLS_DESCRIBE_H

#include <stdio.h>

extern const char *describe_folder;

FILE *file_open(const char *name);
/* NAME.md with its title, and the hint that it is written by a program. */
FILE *page_open(const char *name, const char *title);
void page_close(FILE *f); /* either */

void describe_api(void);
void describe_openapi(void);

#endif
