/* SPDX-License-Identifier: Apache-2.0 */
/* pages_read.c: the folder of built pages becomes a table in memory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/pages_inside.h"
#include "base/hash.h"

static struct err read_folder(struct pages *p, int folder, const char *prefix, unsigned depth);

static const struct { const char *ending, *type; } types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".wasm", "application/wasm"},
    {".txt", "text/plain; charset=utf-8"},
};
static const char *const codings[PAGE_CODING_N] = {[PAGE_GZIP] = ".gz", [PAGE_BROTLI] = ".br"};

static bool ends_with(struct bytes text, const char *ending)
{
    size_t len = strlen(ending);
    return text.len > len && !memcmp(text.at + text.len - len, ending, len);
}

/* Letters, digits and a few signs: such a name needs no escaping in a URL, so a request names it in one way only. */
static bool is_plain_name(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.at[i], lower = c | 0x20;
        bool plain = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
        if (!plain) return false;
    }
    return name.len && name.at[0] != '.';
}

static struct page *page_of(struct pages *p, struct bytes path)
{
    for (unsigned i = 0; i < p->count; i++) {
        if (bytes_equal_text(path, p->at[i].path)) return &p->at[i];
    }
    if (p->count == PAGES_FILE_MAX) return NULL;
    if (p->count == p->cap) {
        unsigned cap = p->cap ? 2 * p->cap : 64;
        struct page *more = realloc(p->at, cap * sizeof *more);
        if (!more) return NULL;
        p->at = more;
        p->cap = cap;
    }
    struct page *page = &p->at[p->count++];
    *page = (struct page){.type = "application/octet-stream"};
    memcpy(page->path, path.at, path.len);
    return page;
}

static struct err read_all(int file, size_t len, uint8_t *to)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = read(file, to + done, len - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return ERR(IO, "a page cannot be read");
        done += (size_t)n;
    }
    return NO_ERR;
}

static struct err take_file(struct pages *p, int file, size_t len, struct bytes path)
{
    enum page_coding coding = PAGE_PLAIN;
    for (unsigned c = PAGE_GZIP; c < PAGE_CODING_N; c++) {
        if (ends_with(path, codings[c])) coding = c;
    }
    if (coding) path.len -= strlen(codings[coding]);
    if (len > PAGES_FILE_BYTES_MAX || p->bytes + len > PAGES_BYTES_MAX) return ERR(TOO_LARGE, "the pages are too large");
    uint8_t *body = malloc(len + 1);
    struct page *page = page_of(p, path);
    if (!body || !page || page->body[coding].at) {
        free(body);
        return ERR(TOO_LARGE, "there are too many pages");
    }
    page->body[coding] = bytes_of(body, len);
    p->bytes += len;
    return read_all(file, len, body);
}

static struct err take_entry(struct pages *p, int folder, const char *name, struct bytes path, unsigned depth)
{
    char below[PAGES_PATH_MAX] = "";
    struct stat s;
    int file = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct err e = NO_ERR;
    if (file < 0 || fstat(file, &s)) e = ERR(UNSUPPORTED, "the pages hold a link, or what cannot be opened");
    else if (S_ISREG(s.st_mode)) e = take_file(p, file, (size_t)s.st_size, path);
    else if (!S_ISDIR(s.st_mode)) e = ERR(UNSUPPORTED, "the pages hold more than files and folders");
    else if (depth == PAGES_DEPTH_MAX) e = ERR(TOO_LARGE, "the pages lie in too deep folders");
    else {
        memcpy(below, path.at, path.len);
        return read_folder(p, file, below, depth + 1); /* closes it */
    }
    if (file >= 0) close(file);
    return e;
}

static struct err read_folder(struct pages *p, int folder, const char *prefix, unsigned depth)
{
    DIR *dir = fdopendir(folder);
    struct err e = NO_ERR;
    if (!dir) {
        close(folder);
        return ERR(IO, "a folder of the pages cannot be read");
    }
    for (struct dirent *entry; !e.code && (entry = readdir(dir));) {
        char path[PAGES_PATH_MAX];
        struct buf b = buf_on(path, sizeof path - 1);
        struct bytes name = bytes_text(entry->d_name);
        if (name.at[0] == '.') continue; /* ".", "..", and the build's own stamp */
        buf_put_text(&b, prefix);
        buf_put_char(&b, '/');
        buf_put_bytes(&b, name);
        if (b.full || !is_plain_name(name)) e = ERR(UNSUPPORTED, "a page has a name that a URL cannot say plainly");
        else e = take_entry(p, folder, entry->d_name, buf_bytes(&b), depth);
    }
    closedir(dir);
    return e;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct page *)a)->path, ((const struct page *)b)->path);
}

static struct err finish(struct page *page)
{
    struct bytes path = bytes_text(page->path);
    if (!page->body[PAGE_PLAIN].at) return ERR(UNSUPPORTED, "a compressed page has no plain one beside it");
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
        if (ends_with(path, types[i].ending)) page->type = types[i].type;
    }
    page->immutable = strstr(page->path, "/assets/") != NULL;
    page->sum = hash_bytes((struct hash_key){0, 0}, page->body[PAGE_PLAIN]);
    return NO_ERR;
}

struct err pages_read(struct pages *p, const char *dir)
{
    int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return ERR(NOT_FOUND, "there is no folder of pages");
    TRY(read_folder(p, folder, "", 0));
    for (unsigned i = 0; i < p->count; i++) TRY(finish(&p->at[i]));
    if (p->count) qsort(p->at, p->count, sizeof *p->at, by_path);
    return NO_ERR;
}

const struct page *pages_at(const struct pages *p, struct bytes path)
{
    char name[PAGES_PATH_MAX] = "";
    struct page key;
    if (!p->count || path.len >= sizeof name) return NULL;
    memcpy(name, path.at, path.len);
    memcpy(key.path, name, sizeof name);
    return bsearch(&key, p->at, p->count, sizeof *p->at, by_path);
}

void pages_beside_binary(char *path, size_t room)
{
    struct buf b = buf_on(path, room - 1);
    char self[1000];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self);
    while (len > 0 && self[len - 1] != '/') len--;
    if (len > 0) buf_put(&b, self, (size_t)len);
    buf_put_text(&b, "apps");
    path[b.full ? 0 : b.len] = 0;
}
