/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c: shows what captured frames say, one a line, one JSON object back for each, whatever the line holds:
 * line N of the answer belongs to line N of the input.
 *
 * Limits  a line is at most DECODE_LINE_MAX bytes; longer ones are answered with an error
 * Thread  main only (static buffers) */
#include "decode.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "proto/codec.h"

#define DECODE_LINE_MAX (64 * 1024)
#define DECODE_ANSWER_MAX (2 * 1024 * 1024)

static const char help[] =
    "usage: paddock decode PROTOCOL [FILE]\n"
    "\n"
    "Shows what frames of a vehicle protocol say: one frame a line in (FILE or standard input), one JSON object a\n"
    "line out.\n"
    "A line is `txt:` and text, in which \\n \\r \\t \\\\ and \\xff are escapes, or `hex:` and hex digits.\n"
    "A frame that is not accepted gives {\"error\":...,\"reason\":...}; the exit status is 0 all the same.\n"
    "\n"
    "PROTOCOL is one of: omni\n"
    "\n"
    "Example:\n"
    "  $ echo 'txt:*SCOR,OM,490154203237518,H0,1,398,24,80,0#' | paddock decode omni\n"
    "  {\"dir\":\"up\",\"dialect\":\"SCOR\",...,\"cmd\":\"H0\",...,\"fields\":{\"locked\":true,\"iot_v\":3.980,...}}\n"
    "\n"
    "Bluetooth keys in a frame are printed as they are: mind where the output goes.\n";

static uint8_t line[DECODE_LINE_MAX];
static uint8_t chunk[DECODE_LINE_MAX];
static uint8_t answer[DECODE_ANSWER_MAX];

static int decode_stream(const struct codec *codec, FILE *in);
static bool line_read(FILE *in, struct buf *out);
static const char *chunk_read(struct bytes text, struct buf *out);

int decode_main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return fflush(stdout) ? 1 : 0;
    }
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "paddock decode: needs PROTOCOL and at most one FILE; see paddock decode --help\n");
        return 2;
    }
    const struct codec *codec = codec_by_name(bytes_text(argv[1]));
    if (!codec) {
        fprintf(stderr, "paddock decode: no protocol is called '%s'; see paddock decode --help\n", argv[1]);
        return 2;
    }
    FILE *in = argc == 3 ? fopen(argv[2], "rb") : stdin;
    if (!in) {
        fprintf(stderr, "paddock decode: cannot read %s: %m\n", argv[2]);
        return 1;
    }
    int status = decode_stream(codec, in);
    if (in != stdin) fclose(in);
    return status;
}

static void put_error(struct buf *out, const char *reason)
{
    struct json j = json_on(out);
    json_open(&j, '{');
    json_name(&j, "error");
    json_literal(&j, err_name(ERR_MALFORMED));
    json_name(&j, "reason");
    json_literal(&j, reason);
    json_close(&j, '}');
}

static int decode_stream(const struct codec *codec, FILE *in)
{
    struct buf text = buf_on(line, sizeof line), out = buf_on(answer, sizeof answer);
    while (line_read(in, &text)) {
        struct buf frame = buf_on(chunk, sizeof chunk);
        const char *wrong = text.full ? "line_too_long" : chunk_read(buf_bytes(&text), &frame);
        buf_clear(&out);
        if (wrong) {
            put_error(&out, wrong);
        } else {
            codec->describe(buf_bytes(&frame), &out);
        }
        if (out.full) {
            buf_clear(&out);
            put_error(&out, "answer_too_long");
        }
        buf_put_char(&out, '\n');
        if (fwrite(out.at, 1, out.len, stdout) != out.len) break;
    }
    if (ferror(in)) {
        fprintf(stderr, "paddock decode: reading failed: %m\n");
        return 1;
    }
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "paddock decode: writing failed: %m\n");
        return 1;
    }
    return 0;
}

/* One line without its end into `out`, all of it or `full`; false at the end of the file. */
static bool line_read(FILE *in, struct buf *out)
{
    buf_clear(out);
    int c = getc(in);
    if (c == EOF) return false;
    for (; c != EOF && c != '\n'; c = getc(in)) buf_put_char(out, (char)c);
    if (!out->full && out->len && out->at[out->len - 1] == '\r') out->len--;
    return true;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Two hex digits at the front, or -1. */
static int hex_pair(struct bytes text)
{
    if (text.len < 2) return -1;
    int high = hex_digit(text.at[0]), low = hex_digit(text.at[1]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* The byte behind a backslash and how much text it took; -1 when there is no such escape. */
static int escape_read(struct bytes text, size_t *used)
{
    *used = 1;
    if (text.len == 0) return -1;
    switch (text.at[0]) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case '\\': return '\\';
    case 'x':
        *used = 3;
        return hex_pair(bytes_of(text.at + 1, text.len - 1));
    default: return -1;
    }
}

/* Writes the bytes that a line stands for; returns NULL, or why it stands for none. */
static const char *chunk_read(struct bytes text, struct buf *out)
{
    bool hex = bytes_starts(text, "hex:");
    if (!hex && !bytes_starts(text, "txt:")) return "line_is_not_hex_or_txt";
    text = bytes_of(text.at + 4, text.len - 4);
    for (size_t i = 0; i < text.len;) {
        struct bytes rest = {text.at + i, text.len - i};
        size_t used = hex ? 2 : 1;
        int c = hex ? hex_pair(rest) : rest.at[0];
        if (!hex && c == '\\') {
            c = escape_read(bytes_of(rest.at + 1, rest.len - 1), &used);
            used++;
        }
        if (c < 0) return hex ? "line_is_not_hex" : "line_has_an_unknown_escape";
        buf_put_char(out, (char)c);
        i += used;
    }
    return NULL;
}
