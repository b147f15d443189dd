#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""frames_seeds: every frame of a .frames file as a seed of its own: frames_seeds.py FILE.frames FOLDER.

Four bytes stand before each, from which the harness takes where to split the stream."""
import pathlib
import re
import sys


def unescape(text):
    names = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"\\": b"\\"}
    return re.sub(rb"\\(x[0-9a-f]{2}|.)",
                  lambda m: bytes([int(m[1][1:], 16)]) if m[1][:1] == b"x" else names[m[1]], text)


def main():
    source, folder = map(pathlib.Path, sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    for number, line in enumerate(source.read_bytes().split(b"\n"), 1):
        if line.startswith((b"up ", b"down ")):
            frame = unescape(line.split(b" ", 1)[1].rsplit(b" => ", 1)[0])
            (folder / f"{source.stem}-{number}").write_bytes(b"\x03\x00\x11\x00" + frame)


main()
