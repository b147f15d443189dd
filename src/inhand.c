/* SPDX-License-Identifier: Apache-2.0 */
#include "inhand.h"

#include <string.h>

#include "base/must.h"

static const char magic[8] = {'P', 'D', 'H', 'A', 'N', 'D', '0', '1'};
enum { AT_STATE = 8, AT_LEN = 12, AT_SEQ = 16, AT_FACT = 24 };
enum { IDLE = 0, APPLYING = 1, STOPPED = 2 };

static void set_state(struct inhand *h, uint32_t state)
{
    *(volatile uint32_t *)(void *)(h->page + AT_STATE) = state;
}

/* The page comes from a file: whatever does not read as a fact that stopped us is nothing. */
static void read_refused(const uint8_t *page, struct fact *refused, uint64_t *seq)
{
    uint32_t len = load_u32(page + AT_LEN);
    if (load_u32(page + AT_STATE) != STOPPED || len > INHAND_BYTES - AT_FACT) return;
    struct fact fact;
    if (fact_decode(bytes_of(page + AT_FACT, len), &fact).code) return;
    *refused = fact;
    *seq = load_u64(page + AT_SEQ);
}

struct err inhand_open(struct inhand *h, const struct file_system *fs, struct fact *refused, uint64_t *seq)
{
    *h = (struct inhand){.fs = fs, .file = FILE_NONE};
    *refused = (struct fact){.kind = 0};
    *seq = 0;
    struct err e = file_open(fs, INHAND_FILE, FILE_CREATE, &h->file);
    uint64_t size = 0;
    if (!e.code) e = file_size(fs, h->file, &size);
    if (!e.code && size < INHAND_BYTES) e = file_fill_zeros(fs, h->file, 0, INHAND_BYTES);
    void *page = NULL;
    if (!e.code) e = file_map(fs, h->file, INHAND_BYTES, &page);
    if (e.code) {
        file_close(fs, &h->file);
        return e;
    }
    h->page = page;
    if (memcmp(h->page, magic, sizeof magic) == 0) read_refused(h->page, refused, seq);
    memcpy(h->page, magic, sizeof magic);
    set_state(h, IDLE);
    return NO_ERR;
}

void inhand_close(struct inhand *h)
{
    if (!h->page) return;
    file_unmap(h->fs, h->page, INHAND_BYTES);
    file_close(h->fs, &h->file);
    h->page = NULL;
}

void inhand_hold(struct inhand *h, uint64_t seq, struct bytes fact)
{
    must(fact.len <= INHAND_BYTES - AT_FACT);
    store_u32(h->page + AT_LEN, (uint32_t)fact.len);
    store_u64(h->page + AT_SEQ, seq);
    memcpy(h->page + AT_FACT, fact.at, fact.len);
    set_state(h, APPLYING);
}

void inhand_release(struct inhand *h)
{
    set_state(h, IDLE);
}

void inhand_crashed(struct inhand *h)
{
    if (h->page && *(volatile uint32_t *)(void *)(h->page + AT_STATE) == APPLYING) set_state(h, STOPPED);
}
