/* SPDX-License-Identifier: Apache-2.0 */
/* journal.c: any bytes as a journal's folder: refused, or a journal that goes on working.
 *
 * Held    records come in unbroken order; looking only and opening for good give the same verdict and
 *         records; what opens takes another record, and it is there afterwards
 * Input   steps of: what (raw bytes in a file; a segment with a good header; a good record; noise over
 *         what there is), which file, then what the step needs. Checksums are given, not guessed. */
#include <string.h>

#include "base/must.h"
#include "sim/disk.h"
#include "store/journal.h"
#include "store/journal_format.h"

#define FOLDER "j"
#define SALT 0x1234567890abcdefull
#define STEPS_MAX 64u
#define FILES 5u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[FILES] = {
    FOLDER "/0000000000000001.seg", FOLDER "/0000000000000002.seg", FOLDER "/0000000000000003.seg",
    FOLDER "/committed", FOLDER "/spare-0000000000000001",
};

struct chain {
    uint64_t seq, end[FILES];
    uint32_t crc;
};

static uint8_t take(struct bytes *in)
{
    struct bytes one;
    return bytes_take(in, 1, &one).code ? 0 : one.at[0];
}

static void put(struct file_system *fs, unsigned which, uint64_t at, struct bytes what)
{
    struct file f;
    must(!file_open(fs, names[which], FILE_CREATE, &f).code);
    must(!file_write_at(fs, f, at, what.at, what.len).code && !file_sync_data(fs, f).code);
    file_close(fs, &f);
}

static void step(struct file_system *fs, struct chain *c, struct bytes *in)
{
    uint8_t what = take(in), which = take(in) % FILES, header[JOURNAL_HEADER_BYTES], record[512];
    struct bytes some = {in->at, take(in)};
    if (some.len > in->len) some.len = in->len;
    some.at = in->at;
    switch (what % 4) {
    case 0: /* raw bytes */
        put(fs, which, take(in) * 64u, some);
        break;
    case 1: { /* a segment */
        struct journal_header h = {which + 1u, c->seq, what, SALT, JOURNAL_SEGMENT_BYTES_MIN, c->crc};
        journal_header_write(&h, header);
        put(fs, which, 0, bytes_of(header, sizeof header));
        c->end[which] = JOURNAL_HEADER_BYTES;
        break;
    }
    case 2: { /* a record, of this batch or another */
        struct journal_record r = {.seq = c->seq, .payload = some, .prev_crc = c->crc};
        r.seq += what & 128 ? take(in) % 5 : 0;
        c->crc = journal_record_write(&r, SALT, what >> 2 & 7, record);
        c->seq = r.seq + 1;
        put(fs, which, c->end[which], bytes_of(record, journal_record_bytes(some.len)));
        c->end[which] += journal_record_bytes(some.len);
        break;
    }
    default: /* noise near the end, or a mark */
        if (names[which] == names[3]) {
            _Alignas(8) uint8_t mark[JOURNAL_MARK_BYTES] = {0};
            journal_mark_write(mark, SALT, c->seq - 1 + what / 64, what >> 2 & 1);
            put(fs, 3, 0, bytes_of(mark, sizeof mark));
        } else {
            uint64_t back = take(in) * 4u;
            put(fs, which, c->end[which] > back ? c->end[which] - back : 0, some);
        }
    }
    in->at += some.len <= in->len ? some.len : in->len;
    in->len -= some.len <= in->len ? some.len : in->len;
}

struct seen {
    uint64_t count, last, from;
};

static struct err on_record(void *ctx, const struct journal_record *r)
{
    struct seen *s = ctx;
    must(r->seq == (s->count ? s->last : s->from) + 1 && r->payload.len <= JOURNAL_PAYLOAD_MAX);
    s->last = r->seq;
    s->count++;
    return NO_ERR;
}

static struct err look(struct file_system *fs, enum journal_mode mode, uint64_t from, struct seen *s,
                       struct journal **j)
{
    struct journal_options options = {
        .mode = mode, .segment_bytes = JOURNAL_SEGMENT_BYTES_MIN, .salt = SALT, .buffer_bytes = 8192};
    struct journal_report report;
    *s = (struct seen){.from = from};
    struct err e = journal_open(j, fs, FOLDER, &options, from, on_record, s, &report);
    must(!e.code || strlen(report.text) > 0);
    must(strlen(report.text) < JOURNAL_TEXT_MAX);
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct disk *d = disk_create(1);
    struct file_system fs = disk_files(d);
    struct bytes in = {data, size};
    struct chain chain = {.seq = 1, .end = {4096, 4096, 4096, 0, 0}};
    must(!file_make_folder(&fs, FOLDER).code);
    uint64_t from = take(&in) % 4;
    for (unsigned i = 0; i < STEPS_MAX && in.len; i++) step(&fs, &chain, &in);

    struct journal *j;
    struct seen only, good, again;
    struct err e = look(&fs, JOURNAL_READ_ONLY, from, &only, &j);
    journal_close(j);
    struct err f = look(&fs, JOURNAL_WRITE, from, &good, &j);
    must(e.code == f.code && only.count == good.count && only.last == good.last);
    if (!f.code) {
        uint64_t next = journal_next_seq(j);
        struct err a = journal_append(j, next, 1, 2, 3, bytes_text("one more"));
        must(!a.code && !journal_commit(j).code);
        disk_crash(d, DISK_POWER);
        journal_close(j);
        f = look(&fs, JOURNAL_WRITE, from, &again, &j);
        must(!f.code && again.count == good.count + 1 && again.last == next);
        journal_close(j);
    }
    disk_destroy(d);
    return 0;
}
