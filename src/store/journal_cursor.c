/* SPDX-License-Identifier: Apache-2.0 */
/* journal_cursor.c: reads a segment through a window that always holds one whole record. */
#include "store/journal_cursor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_BYTES (JOURNAL_PAYLOAD_MAX + (64u << 10))

static struct err cursor_view(struct journal_cursor *c, uint64_t at, size_t need,
                              struct bytes *out);

struct err journal_cursor_init(struct journal_cursor *c, const struct file_system *fs,
                               const char *folder, size_t chunk)
{
    *c = (struct journal_cursor){.fs = fs, .folder = folder, .file = FILE_NONE, .chunk = chunk};
    if (!c->chunk || c->chunk > WINDOW_BYTES) c->chunk = WINDOW_BYTES;
    c->window = malloc(WINDOW_BYTES);
    return c->window ? NO_ERR : ERR(FULL, "no memory for a journal's window");
}

void journal_cursor_fini(struct journal_cursor *c)
{
    if (c->fs) file_close(c->fs, &c->file);
    free(c->window);
    *c = (struct journal_cursor){.file = FILE_NONE};
}

struct err journal_cursor_enter(struct journal_cursor *c, const struct journal_header *header)
{
    char path[FILE_PATH_MAX];
    TRY(journal_path(path, c->folder, JOURNAL_NAME_SEGMENT, header->number));
    file_close(c->fs, &c->file);
    TRY(file_open(c->fs, path, FILE_READ, &c->file));
    c->header = *header;
    c->offset = c->batch_offset = JOURNAL_HEADER_BYTES;
    c->next_seq = header->first_seq;
    c->prev_crc = header->prev_crc;
    journal_cursor_forget(c);
    return NO_ERR;
}

void journal_cursor_forget(struct journal_cursor *c)
{
    c->window_at = 0;
    c->window_len = 0;
}

struct err journal_cursor_next(struct journal_cursor *c, struct journal_record *out)
{
    struct bytes in;
    struct journal_head head;
    TRY(cursor_view(c, c->offset, JOURNAL_RECORD_MIN, &in));
    TRY(journal_head_read(in, c->header.salt, &head));
    if (head.bytes > c->header.segment_bytes - c->offset) {
        return ERR(MALFORMED, "a record spans segments");
    }
    TRY(cursor_view(c, c->offset, head.bytes, &in));
    TRY(journal_record_read(in, c->header.salt, &head, out));
    /* Whole, but of another time: left from before a cut, or from the file's last life. */
    if (head.seq != c->next_seq || out->prev_crc != c->prev_crc) {
        return ERR(MALFORMED, "a record does not follow its predecessor");
    }
    if (head.batch == 0) c->batch_offset = c->offset;
    c->offset += head.bytes;
    c->next_seq++;
    c->prev_crc = out->crc;
    c->time_ms = out->time_ms;
    return NO_ERR;
}

struct err journal_cursor_behind(struct journal_cursor *c, struct journal_behind *out)
{
    *out = (struct journal_behind){.torn_end = c->offset};
    for (uint64_t at = c->offset;; at += 8) {
        struct bytes in;
        struct journal_head head;
        struct journal_record record;
        TRY(cursor_view(c, at, JOURNAL_RECORD_MIN, &in));
        if (in.len < 8) return NO_ERR;
        if (journal_head_read(in, c->header.salt, &head).code) continue;
        if (head.seq < c->next_seq) continue; /* from the file's last life */
        bool later = head.batch < head.seq - c->next_seq;
        if (!later) { /* it was being written when the end came */
            if (at + head.bytes > out->torn_end) out->torn_end = at + head.bytes;
            continue;
        }
        TRY(cursor_view(c, at, head.bytes, &in));
        if (journal_record_read(in, c->header.salt, &head, &record).code) continue;
        out->proof_offset = at;
        out->proof_seq = head.seq;
        return NO_ERR;
    }
}

/* What the file has from `at` on: at least `need` bytes, if there are so many before its end. */
static struct err cursor_view(struct journal_cursor *c, uint64_t at, size_t need,
                              struct bytes *out)
{
    uint64_t window_end = c->window_at + c->window_len;
    if (at < c->window_at || at > window_end || window_end - at < need) {
        c->window_at = at;
        c->window_len = 0;
        size_t want = need > c->chunk ? need : c->chunk;
        TRY(file_read_at(c->fs, c->file, at, c->window, want, &c->window_len));
    }
    size_t skip = (size_t)(at - c->window_at);
    *out = bytes_of(c->window + skip, c->window_len - skip);
    return NO_ERR;
}

struct err journal_path(char *to, const char *folder, enum journal_name kind, uint64_t number)
{
    char name[JOURNAL_NAME_MAX];
    if (kind == JOURNAL_NAME_OTHER) return file_path(to, folder, JOURNAL_MARK_NAME);
    journal_name_write(kind, number, name);
    return file_path(to, folder, name);
}

struct err journal_header_load(const struct file_system *fs, const char *folder,
                               enum journal_name kind, uint64_t number,
                               struct journal_segment *out)
{
    char path[FILE_PATH_MAX];
    uint8_t bytes[JOURNAL_HEADER_BYTES];
    size_t got = 0;
    struct file file;
    *out = (struct journal_segment){0};
    TRY(journal_path(path, folder, kind, number));
    TRY(file_open(fs, path, FILE_READ, &file));
    struct err e = file_read_at(fs, file, 0, bytes, sizeof bytes, &got);
    if (!e.code) e = file_size(fs, file, &out->bytes);
    file_close(fs, &file);
    if (e.code) return e;
    return journal_header_read(bytes_of(bytes, got), &out->header);
}

struct err journal_mark_load(const struct file_system *fs, const char *folder,
                             struct journal_mark *out)
{
    char path[FILE_PATH_MAX];
    size_t got = 0;
    struct file file;
    *out = (struct journal_mark){0};
    TRY(file_path(path, folder, JOURNAL_MARK_NAME));
    struct err e = file_open(fs, path, FILE_READ, &file);
    if (e.code == ERR_NOT_FOUND) return NO_ERR;
    if (e.code) return e;
    e = file_read_at(fs, file, 0, out->slots, sizeof out->slots, &got);
    file_close(fs, &file);
    return e;
}

void journal_say(char *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(text, JOURNAL_TEXT_MAX, format, args);
    va_end(args);
}

void journal_say_file(char *text, const char *folder, enum journal_name kind, uint64_t number,
                      struct err e)
{
    char name[JOURNAL_NAME_MAX] = JOURNAL_MARK_NAME;
    char number_text[96];
    if (kind != JOURNAL_NAME_OTHER) journal_name_write(kind, number, name);
    const char *said = strerror_r(file_last_errno(), number_text, sizeof number_text);
    bool system = e.code == ERR_IO || e.code == ERR_FULL || e.code == ERR_NOT_FOUND;
    journal_say(text, "journal %s/%s: %s%s%s%s", folder, name, e.why, system ? " (" : "",
                system ? said : "", system ? ")" : "");
}
