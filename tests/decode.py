#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""paddock decode: one JSON object for each line, whatever the line holds; usage errors exit 2 with one line.

PADDOCK in the environment names another command than `build/paddock decode`."""
import json
import os
import pathlib
import shlex
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
DECODE = shlex.split(os.environ.get("PADDOCK") or f"{ROOT / 'build' / 'paddock'} decode")
H0 = "*SCOR,OM,490154203237518,H0,1,398,24,80,0#"


def decode(*args, given=b""):
    return subprocess.run(DECODE + list(args), input=given, capture_output=True, timeout=60)


def answers(text):
    done = decode("omni", given=text)
    assert done.returncode == 0 and done.stderr == b"", done
    return [json.loads(line) for line in done.stdout.split(b"\n")[:-1]]


class Decode(unittest.TestCase):
    def test_text_and_hex_say_the_same(self):
        text, digits = answers(f"txt:{H0}\nhex:{H0.encode().hex()}\nhex:{H0.encode().hex().upper()}".encode())[:2]
        self.assertEqual(text, digits)
        self.assertEqual(text["fields"],
                         {"locked": True, "iot_v": 3.98, "rssi": 24, "battery_pct": 80, "charging": False})

    def test_escapes_are_bytes(self):
        down, = answers(b"txt:\\xff\\xff*SCOS,OM,490154203237518,D0#\\r\\n\n")
        self.assertEqual((down["dir"], down["cmd"], down.get("noise")), ("down", "D0", None))
        odd, = answers(b"txt:\\t*HBCR,NB,490154203237518,AI2,\\\\#\n")
        self.assertEqual((odd["params"], odd["noise"]), (["\\"], True))

    def test_every_bad_line_has_its_answer(self):
        lines = [b"", b"nonsense", b"hex:0", b"hex:0g", b"txt:\\q", b"txt:\\x4", b"txt:\\", b"txt:", b"hex:",
                 b"txt:*SCOR,OM,1,H0#", b"\x00\xff", b"txt:" + b"a" * 70000, f"txt:{H0}".encode()]
        reasons = ["line_is_not_hex_or_txt", "line_is_not_hex_or_txt", "line_is_not_hex", "line_is_not_hex",
                   "line_has_an_unknown_escape", "line_has_an_unknown_escape", "line_has_an_unknown_escape", "no_frame",
                   "no_frame", "bad_imei", "line_is_not_hex_or_txt", "line_too_long", None]
        got = answers(b"\n".join(lines) + b"\n")
        self.assertEqual([a.get("reason") for a in got], reasons)
        self.assertTrue(all(a.get("error") == "malformed" for a in got[:-1]))

    def test_line_ends_of_windows_and_a_missing_last_one(self):
        got = answers(f"txt:{H0}\r\ntxt:{H0}".encode())
        self.assertEqual([a["cmd"] for a in got], ["H0", "H0"])

    def test_many_frames_in_one_line(self):
        got, = answers(("txt:" + H0 * 1000 + "\n").encode())
        self.assertEqual(got["frames"], ["H0"] * 1000)

    def test_largest_lines_get_an_answer(self):
        for piece in ("*#", "*SCOR,OM,490154203237518,G0," + '"' * 900 + "#", "\\xc3"):
            got, = answers(("txt:" + piece * (65000 // len(piece)) + "\n").encode())
            self.assertTrue("frames" in got or "error" in got)

    def test_file_is_read_too(self):
        with tempfile.NamedTemporaryFile() as f:
            f.write(f"txt:{H0}\n".encode())
            f.flush()
            self.assertEqual(json.loads(decode("omni", f.name).stdout)["cmd"], "H0")
        done = decode("omni", "/nonexistent")
        self.assertEqual((done.returncode, done.stdout, done.stderr.count(b"\n")), (1, b"", 1))

    def test_usage_errors_exit_2_with_one_line(self):
        for args in ((), ("morse",), ("omni", "a", "b"), ("",)):
            done = decode(*args)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count(b"\n")), (2, b"", 1), args)

    def test_help_shows_an_example_that_works(self):
        done = decode("--help")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        example = next(line for line in done.stdout.decode().split("\n") if "echo '" in line).split("'")[1]
        self.assertEqual(answers(example.encode())[0]["cmd"], "H0")

    def test_full_disk_is_told(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(DECODE + ["omni"], input=f"txt:{H0}\n".encode(), stdout=full, stderr=subprocess.PIPE)
        self.assertEqual((done.returncode, done.stderr.count(b"\n")), (1, 1))


if __name__ == "__main__":
    unittest.main()
