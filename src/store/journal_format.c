/* SPDX-License-Identifier: Apache-2.0 */
/* journal_format.c: what a journal's bytes mean. All numbers are little-endian.
 *
 *   folder/0000000000000001.seg    a segment; the name is its number in hex, there are no gaps
 *   folder/spare-0000000000000004  room for a coming segment: zeros, or a retired one as it was
 *   folder/committed               the commit mark
 *
 * A segment: a header, then records one behind the other up to segment_bytes. A record never spans
 * two segments. Behind the last record: zeros, or (in a reused file) old records, whose seq is lower.
 *
 *   header   0  u8[8]  "PADDOCKJ"          record   0  u32  magic "JREC"
 *            8  u32    version 1                    4  u32  payload length
 *           12  u32    4096, its own length         8  u64  seq, one more than the predecessor's
 *           16  u64    number                      16  i64  time_ms
 *           24  u64    first_seq                   24  u64  build
 *           32  i64    first_time_ms               32  u64  effects_sum
 *           40  u64    salt                        40  u32  crc of the predecessor
 *           48  u64    segment_bytes               44  u16  batch: records before it in its batch
 *           56  u32    crc before first_seq        46  u16  ~(batch ^ low 16 bits of salt)
 *           60  u32    CRC32C of bytes 0..59       48       payload, zeros to a multiple of 8 less 4
 *           64         zeros to 4096             last  u32  crc: CRC32C of salt, 0..43, 48..last
 *
 * salt     random, secret, one for all segments of a journal and its copies. Without it a payload could
 *          carry bytes that pass for a record once a crash has torn the real one around them.
 * batch    which records were synced together. Everything before a batch was synced when the batch was
 *          written, so a good record of a later batch proves that a bad one before it is damage and not
 *          a torn tail, and one of the same batch proves nothing: disks write in any order. It is left
 *          out of crc so that a copy, which syncs in other batches, has the same chain.
 * header   alone in its 4096 bytes, so that no later write touches its sector. Written and synced before
 *          the file gets its segment name: a named segment has a header.
 * mark     two slots of 64 bytes: u64 seq, u64 seq ^ salt ^ MARK. Written in turn, after the sync,
 *          through shared memory, never synced while running: it may lag, it never leads. What it covers is
 *          not a torn tail, and a reader in another process need not guess what is safe.
 *
 * Golden bytes are in journal_format_test.c. A change here is a new version number. */
#include "store/journal_format.h"

#include <string.h>

#include "base/buf.h"
#include "base/crc32c.h"
#include "base/must.h"

#define RECORD_MAGIC 0x4345524au /* "JREC" */
#define MARK 0x4b52414d4c4e524aull /* "JRNLMARK" */

static const uint8_t header_magic[8] = {'P', 'A', 'D', 'D', 'O', 'C', 'K', 'J'};

void journal_header_write(const struct journal_header *h, uint8_t *to)
{
    memset(to, 0, JOURNAL_HEADER_BYTES);
    memcpy(to, header_magic, sizeof header_magic);
    store_u32(to + 8, JOURNAL_VERSION);
    store_u32(to + 12, JOURNAL_HEADER_BYTES);
    store_u64(to + 16, h->number);
    store_u64(to + 24, h->first_seq);
    store_u64(to + 32, (uint64_t)h->first_time_ms);
    store_u64(to + 40, h->salt);
    store_u64(to + 48, h->segment_bytes);
    store_u32(to + 56, h->prev_crc);
    store_u32(to + 60, crc32c(0, bytes_of(to, 60)));
}

struct err journal_header_read(struct bytes in, struct journal_header *out)
{
    if (in.len < JOURNAL_HEADER_BYTES) return ERR(MALFORMED, "the header ends early");
    if (memcmp(in.at, header_magic, sizeof header_magic) != 0) {
        return ERR(MALFORMED, "not a segment header");
    }
    if (load_u32(in.at + 60) != crc32c(0, bytes_of(in.at, 60))) {
        return ERR(MALFORMED, "the header's checksum is wrong");
    }
    if (load_u32(in.at + 8) != JOURNAL_VERSION) {
        return ERR(UNSUPPORTED, "a newer build wrote this segment");
    }
    for (size_t i = JOURNAL_HEADER_USED; i < JOURNAL_HEADER_BYTES; i++) {
        if (in.at[i]) return ERR(MALFORMED, "the header is not followed by zeros");
    }
    *out = (struct journal_header){
        .number = load_u64(in.at + 16),
        .first_seq = load_u64(in.at + 24),
        .first_time_ms = (int64_t)load_u64(in.at + 32),
        .salt = load_u64(in.at + 40),
        .segment_bytes = load_u64(in.at + 48),
        .prev_crc = load_u32(in.at + 56),
    };
    if (load_u32(in.at + 12) != JOURNAL_HEADER_BYTES || !out->number || !out->first_seq ||
        out->segment_bytes < JOURNAL_SEGMENT_BYTES_MIN || out->segment_bytes % 8 != 0) {
        return ERR(MALFORMED, "the header says what no header may");
    }
    return NO_ERR;
}

size_t journal_record_bytes(size_t payload_len)
{
    return (JOURNAL_RECORD_HEAD_BYTES + payload_len + 4 + 7) & ~(size_t)7;
}

uint32_t journal_salt_crc(uint64_t salt)
{
    uint8_t bytes[8];
    store_u64(bytes, salt);
    return crc32c(0, bytes_of(bytes, sizeof bytes));
}

static uint32_t record_crc(const uint8_t *at, size_t bytes, uint64_t salt)
{
    uint32_t crc = crc32c(journal_salt_crc(salt), bytes_of(at, 44));
    return crc32c(crc, bytes_of(at + JOURNAL_RECORD_HEAD_BYTES,
                                bytes - JOURNAL_RECORD_HEAD_BYTES - 4));
}

static uint16_t batch_check(uint16_t batch, uint64_t salt)
{
    return (uint16_t)~(batch ^ (uint16_t)salt);
}

uint32_t journal_record_write(const struct journal_record *r, uint64_t salt, uint32_t batch,
                              uint8_t *to)
{
    must(r->payload.len <= JOURNAL_PAYLOAD_MAX && batch < JOURNAL_BATCH_RECORDS_MAX);
    size_t bytes = journal_record_bytes(r->payload.len);
    memset(to + bytes - 12, 0, 12);
    store_u32(to, RECORD_MAGIC);
    store_u32(to + 4, (uint32_t)r->payload.len);
    store_u64(to + 8, r->seq);
    store_u64(to + 16, (uint64_t)r->time_ms);
    store_u64(to + 24, r->build);
    store_u64(to + 32, r->effects_sum);
    store_u32(to + 40, r->prev_crc);
    store_u16(to + 44, (uint16_t)batch);
    store_u16(to + 46, batch_check((uint16_t)batch, salt));
    if (r->payload.len) memcpy(to + JOURNAL_RECORD_HEAD_BYTES, r->payload.at, r->payload.len);
    uint32_t crc = record_crc(to, bytes, salt);
    store_u32(to + bytes - 4, crc);
    return crc;
}

struct err journal_head_read(struct bytes in, uint64_t salt, struct journal_head *out)
{
    if (in.len < JOURNAL_RECORD_MIN) return ERR(MALFORMED, "a record ends early");
    if (load_u32(in.at) != RECORD_MAGIC) return ERR(MALFORMED, "not a record");
    uint32_t len = load_u32(in.at + 4);
    uint16_t batch = load_u16(in.at + 44);
    if (len > JOURNAL_PAYLOAD_MAX) return ERR(MALFORMED, "a record's length is damaged");
    if (load_u16(in.at + 46) != batch_check(batch, salt)) {
        return ERR(MALFORMED, "a record's batch is damaged");
    }
    *out = (struct journal_head){journal_record_bytes(len), load_u64(in.at + 8), batch};
    return NO_ERR;
}

struct err journal_record_read(struct bytes in, uint64_t salt, struct journal_head *head,
                               struct journal_record *out)
{
    TRY(journal_head_read(in, salt, head));
    if (in.len < head->bytes) return ERR(MALFORMED, "a record ends early");
    uint32_t crc = record_crc(in.at, head->bytes, salt);
    if (load_u32(in.at + head->bytes - 4) != crc) {
        return ERR(MALFORMED, "a record's checksum is wrong");
    }
    *out = (struct journal_record){
        .seq = head->seq,
        .time_ms = (int64_t)load_u64(in.at + 16),
        .build = load_u64(in.at + 24),
        .effects_sum = load_u64(in.at + 32),
        .payload = bytes_of(in.at + JOURNAL_RECORD_HEAD_BYTES, load_u32(in.at + 4)),
        .prev_crc = load_u32(in.at + 40),
        .crc = crc,
    };
    return NO_ERR;
}

void journal_mark_write(void *mark, uint64_t salt, uint64_t seq, unsigned slot)
{
    uint64_t *at = (uint64_t *)((uint8_t *)mark + (size_t)slot * JOURNAL_MARK_SLOT_BYTES);
    /* The other slot holds while a kill or a reader comes between these two. */
    __atomic_store_n(at, seq, __ATOMIC_RELEASE);
    __atomic_store_n(at + 1, seq ^ salt ^ MARK, __ATOMIC_RELEASE);
}

bool journal_mark_read(const void *mark, uint64_t salt, uint64_t *seq)
{
    bool found = false;
    *seq = 0;
    for (unsigned slot = 0; slot < 2; slot++) {
        const uint64_t *at =
            (const uint64_t *)((const uint8_t *)mark + (size_t)slot * JOURNAL_MARK_SLOT_BYTES);
        uint64_t check = __atomic_load_n(at + 1, __ATOMIC_ACQUIRE);
        uint64_t value = __atomic_load_n(at, __ATOMIC_ACQUIRE);
        if ((value ^ salt ^ MARK) != check) continue;
        found = true;
        if (value > *seq) *seq = value;
    }
    return found;
}

void journal_name_write(enum journal_name kind, uint64_t number, char *to)
{
    must(kind == JOURNAL_NAME_SEGMENT || kind == JOURNAL_NAME_SPARE);
    struct buf b = buf_on(to, JOURNAL_NAME_MAX);
    if (kind == JOURNAL_NAME_SPARE) buf_put_text(&b, "spare-");
    buf_put_hex64(&b, number);
    if (kind == JOURNAL_NAME_SEGMENT) buf_put_text(&b, ".seg");
    buf_put_char(&b, '\0');
    must(!b.full);
}

enum journal_name journal_name_read(const char *name, uint64_t *number)
{
    enum journal_name kind = JOURNAL_NAME_SEGMENT;
    if (strncmp(name, "spare-", 6) == 0) {
        kind = JOURNAL_NAME_SPARE;
        name += 6;
    }
    *number = 0;
    for (unsigned i = 0; i < 16; i++, name++) {
        unsigned digit = *name >= '0' && *name <= '9'   ? (unsigned)(*name - '0')
                         : *name >= 'a' && *name <= 'f' ? (unsigned)(*name - 'a' + 10)
                                                        : 16u;
        if (digit == 16) return JOURNAL_NAME_OTHER;
        *number = *number << 4 | digit;
    }
    return strcmp(name, kind == JOURNAL_NAME_SEGMENT ? ".seg" : "") == 0 ? kind : JOURNAL_NAME_OTHER;
}
