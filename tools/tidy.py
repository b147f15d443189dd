#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tidy: the house style, executable: purity, layers, sizes, banned calls, stale documents and a few small habits.

A ratchet: tools/tidy_ratchet.json names the sinners of the day it was written, each with its number. They may
shrink, never grow, and nobody joins them. `tidy.py --update` lowers the numbers and strikes out who is clean; it
never raises one (and writes the first file where there is none: sizes and missing tests only).
A long table, switch or macro list is marked where it stands: /* long: reason */.
tidy_test.py shows every check a bad example."""
import argparse
import collections
import fnmatch
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import c_text

ROOT = pathlib.Path(__file__).resolve().parent.parent
RATCHET = ROOT / "tools" / "tidy_ratchet.json"

# ── what holds ─────────────────────────────────────────────────────────────────────────────────────

PURE = ("base", "geo", "proto", "engine")

# What a file of a layer may include, beside its own layer. Tests may also use sim/ (the lying disk).
LAYERS = {
    "base": (),
    "geo": ("base",),
    "proto": ("base", "geo"),
    "engine": ("base", "geo", "proto"),
    "net": ("base",),
    "gateway": ("base", "geo", "proto", "engine", "net"),
    "store": ("base", "geo", "proto", "engine"),
    "street": ("base", "geo", "proto", "engine"),
    "bus": ("base", "geo", "proto", "engine", "net"),
    "pay": ("base", "geo", "proto", "engine", "net"),
    "api": ("base", "geo", "proto", "engine", "net", "store", "street", "bus", "pay"),
    "ops": ("base", "geo", "proto", "engine", "net", "gateway", "store", "street", "bus", "pay", "api"),
}
ABOVE_ALL = ("", "node", "sim", "load", "bench", "fuzz", "tools")  # "" is src/*.c; these may include anything

# An outside library stands behind the files named here, and nowhere else: replacing it touches nothing more.
OUTSIDE = {
    "sqlite3.h": ("src/store/tables*.[ch]", "src/store/vfs*.[ch]", "src/api/contacts*.[ch]", "src/store/*_test.c",
                  "src/store/testing/*.c", "src/ops/*_test.c", "sim/*_test.c"),
    "llhttp.h": ("src/net/http*.[ch]",),
    "jansson.h": ("src/api/json_in.c",),
    "sodium.h": ("src/api/secret.c",),
    "curl/curl.h": ("src/net/client.c",),
    "cmocka.h": ("*_test.c", "*_test.h"),
}

# Symbols that a pure layer may leave to the C library; calls between pure layers resolve among themselves.
PURE_SYMBOLS = re.compile(r"mem(cpy|move|set|cmp|chr|rchr)|str(len|nlen|cmp|ncmp)|abort|__stack_chk_fail|"
                          r"__(ubsan|asan|tsan|sanitizer)_\w+|__cpu_model|_GLOBAL_OFFSET_TABLE_")
PURE_HEADERS = {"stddef.h", "stdint.h", "stdbool.h", "stdnoreturn.h", "stdarg.h", "stdalign.h", "limits.h",
                "inttypes.h", "string.h"}
PURE_EXCEPTIONS = {  # header: who may, and what for
    "stdlib.h": ("src/base/must.c",),         # abort
    "stdatomic.h": ("src/base/ring.[ch]",),   # threads meet here
    "nmmintrin.h": ("src/base/crc32c.c",),    # one instruction
    "arm_acle.h": ("src/base/crc32c.c",),     # its sibling
}

SYSTEM_HEADERS = PURE_HEADERS | set(PURE_EXCEPTIONS) | set("""
    assert.h ctype.h dirent.h errno.h fcntl.h ftw.h getopt.h locale.h math.h netdb.h poll.h pthread.h sched.h
    semaphore.h setjmp.h signal.h spawn.h stdio.h strings.h termios.h time.h unistd.h
    netinet/in.h netinet/tcp.h arpa/inet.h linux/falloc.h linux/filter.h linux/futex.h linux/sched.h
    linux/sched/types.h linux/sockios.h
    sys/epoll.h sys/eventfd.h sys/file.h sys/ioctl.h sys/mman.h sys/prctl.h sys/random.h sys/resource.h
    sys/sendfile.h sys/signalfd.h sys/socket.h sys/stat.h sys/statvfs.h sys/syscall.h sys/time.h
    sys/timerfd.h sys/types.h sys/uio.h sys/un.h sys/utsname.h sys/vfs.h sys/wait.h""".split())

RATCHETED = ("file", "function", "header", "line", "tested")
FILE_MAX, HEADER_MAX, FUNCTION_MAX, LINE_MAX = 800, 150, 70, 128

BANNED = {  # call: what to use
    **dict.fromkeys(("strcpy", "strcat", "stpcpy", "strncpy", "strncat", "sprintf", "vsprintf"),
                    "base/buf.h, which knows its end"),
    **dict.fromkeys(("gets", "scanf", "sscanf", "fscanf"), "base/bytes.h"),
    **dict.fromkeys(("atoi", "atol", "atoll", "atof", "strtod", "strtof", "strtol", "strtoul", "strtoll",
                     "strtoull"),
                    "bytes_* of base, which report what is wrong"),
    **dict.fromkeys(("localtime", "gmtime", "localtime_r", "gmtime_r", "mktime", "timegm", "ctime", "asctime",
                     "strftime"), "base/timetext.h"),
    **dict.fromkeys(("system", "popen"), "posix_spawn or fork and exec, without a shell"),
    **dict.fromkeys(("rand", "srand", "random", "srandom", "drand48"), "base/prng.h, or getrandom for secrets"),
    **dict.fromkeys(("strtok", "tmpnam", "tempnam", "mktemp", "alloca", "vfork"), "its safe sibling"),
}
NO_SLEEPING = ("sleep", "usleep", "nanosleep")  # in unit tests: nothing is asserted by the clock on the wall

# A source without a test beside it: shown by what stands here.
TESTED_ELSEWHERE = {
    "src/street_begin.c": "tests/near_me.py",
    "src/api/accounts.c": "src/api/api_test.c",
    "src/api/admin.c": "src/api/api_test.c",
    "src/api/api_trace.c": "tests/traced.py",
    "src/api/ask_frames.c": "tests/first_frame.py",
    "src/api/ask_hooks.c": "src/api/outbound_test.c, tests/extend.py",
    "src/api/contacts_secrets.c": "src/api/outbound_test.c",
    "src/api/endpoint.c": "src/api/outbound_test.c",
    "src/api/errand.c": "src/api/outbound_test.c",
    "src/api/inquiry.c": "src/api/outbound_test.c",
    "src/api/push.c": "src/api/outbound_test.c",
    "src/api/ask_ride.c": "src/api/api_in_test.c, src/api/api_test.c",
    "src/api/ask_riders.c": "tests/scope.py",
    "src/api/ask_settings.c": "src/api/api_in_test.c, src/api/api_test.c",
    "src/api/ask_staff.c": "src/api/api_in_test.c, src/api/api_test.c",
    "src/api/ask_declared.c": "tests/openapi.py, tests/apply.py",
    "src/api/declared.c": "tests/openapi.py, tests/apply.py",
    "src/api/ask_server.c": "tests/openapi.py",
    "src/api/api_people.c": "src/api/ask_people_test.c",
    "src/api/apps.c": "src/api/ask_people_test.c",
    "src/api/clerk.c": "src/api/ask_people_test.c, tests/sign_in.py",
    "src/api/codes.c": "src/api/ask_people_test.c",
    "src/api/contacts.c": "src/api/auth_test.c",
    "src/api/contacts_people.c": "src/api/ask_people_test.c",
    "src/api/limiter.c": "src/api/ask_people_test.c",
    "src/api/people.c": "src/api/ask_people_test.c",
    "src/api/staff_cmd.c": "tests/staff_sign_in.py",
    "src/api/ask_server.c": "tests/openapi.py",
    "src/api/pages_read.c": "src/api/pages_test.c",
    "src/api/contract.c": "src/api/openapi_test.c",
    "src/api/ask_about.c": "tests/pages.py",
    "src/api/contacts.c": "src/api/auth_test.c",
    "src/api/secret.c": "src/api/auth_test.c",
    "src/api/stats.c": "src/api/api_test.c",
    "src/api/street_json.c": "src/api/ask_street_test.c",
    "src/base/arena.c": "src/base/map_test.c, src/base/ring_test.c",
    "src/base/err.c": "docs/reference/errors.md is compared",
    "src/base/must.c": "src/node_test.c",
    "src/base/prng.c": "src/base/hash_test.c",
    "src/base/text.c": "src/base/field_test.c",
    "src/base/timetext.c": "src/base/json_test.c",
    "src/decode.c": "tests/decode.py",
    "src/engine/answer.c": "src/engine/engine_test.c, engine_storm_test.c",
    "src/engine/charge.c": "src/engine/engine_test.c, engine_attack_test.c",
    "src/engine/command.c": "src/engine/engine_test.c, engine_attack_test.c",
    "src/engine/declare.c": "src/engine/engine_attack_test.c, engine_storm_test.c",
    "src/engine/device.c": "src/engine/engine_test.c, engine_attack_test.c",
    "src/engine/effect.c": "src/engine/engine_storm_test.c",
    "src/engine/emit.c": "src/engine/engine_test.c",
    "src/engine/heap.c": "src/engine/engine_storm_test.c",
    "src/engine/index.c": "src/engine/engine_test.c, engine_storm_test.c",
    "src/engine/pool.c": "src/engine/engine_storm_test.c",
    "src/engine/request.c": "src/engine/engine_test.c, engine_attack_test.c",
    "src/engine/vehicle.c": "src/engine/engine_test.c, engine_attack_test.c",
    "src/inhand.c": "src/node_test.c",
    "src/net/loop.c": "src/net/loop_epoll_test.c",
    "src/net/loop_conn.c": "src/net/loop_epoll_test.c, sim/network_test.c",
    "src/net/loop_conn_calls.c": "src/net/loop_epoll_test.c, sim/network_test.c",
    "src/ops/waker.c": "every test in tests/",
    "src/engine/rows.c": "tables only",
    "src/engine/terms.c": "tables and one look-up; docs/reference/terms.md is compared",
    "src/main.c": "tests/",
    "src/ops/apply.c": "tests/apply.py",
    "src/ops/apply_diff.c": "tests/apply.py",
    "src/ops/apply_file.c": "tests/apply.py",
    "src/ops/apply_secret.c": "tests/apply.py",
    "src/ops/apply_send.c": "tests/apply.py",
    "src/ops/backup.c": "src/ops/offline_test.c",
    "src/ops/check.c": "src/ops/offline_test.c",
    "src/ops/replay.c": "src/ops/offline_test.c",
    "src/store/data.c": "src/store/recover_test.c, sim/disk_recover_test.c",
    "src/serve.c": "tests/",
    "src/street/change.c": "src/street/street_test.c",
    "src/street/mirror.c": "src/street/street_test.c",
    "src/street/snapshot.c": "src/street/street_test.c",
}

SPDX = "SPDX-License-Identifier: Apache-2.0"
LEFTOVER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|root|home)/\w|/tmp/(?:brief|build-)")
MAKE_DOCS = ["build/describe"]  # writes these into the folder that it is given:
DOCS = ("docs/reference", "api.md openapi.json facts.md tables.md events.md errors.md terms.md transitions.md "
        "settings.md".split())
CLIENTS = ("python/paddock_calls.py", "go/calls.go")  # and these below clients/
TYPES = "clients/typescript/schema.d.ts"  # made from the document by Node.js: its second line says of which one

Finding = collections.namedtuple("Finding", "check key value limit text")


class Tree:
    """The files, and what the linker says of the pure layers. Tests make one by hand."""

    def __init__(self, files, undefined=None, fresh_docs=None):
        self.files = files                       # path -> text
        self.undefined = undefined or {}         # layer -> {symbol: object}
        self.fresh_docs = fresh_docs             # name -> text, None = could not be made
        self.c_files = {p: t for p, t in files.items() if p.endswith((".c", ".h"))}


def layer_of(path):
    parts = path.split("/")
    if parts[0] == "src":
        return parts[1] if len(parts) > 2 else ""
    return parts[0] if len(parts) > 1 and parts[0] in ABOVE_ALL else None


def is_test(path):
    return path.endswith(("_test.c", "_test.h")) or "/fake/" in path or "/testing/" in path


def is_pure(path):
    return layer_of(path) in PURE and path.startswith("src/") and not is_test(path)


# ── checks: each yields Finding(check, key, value, limit, text); over the limit is a sin ────────────

def check_purity(tree):
    for layer, symbols in tree.undefined.items():
        for symbol, where in sorted(symbols.items()):
            if not PURE_SYMBOLS.fullmatch(symbol):
                yield Finding("purity", f"{layer}:{symbol}", 1, 0,
                              f"{where} (lib{layer}.a) calls {symbol}: {layer} is pure")
    for path, text in tree.c_files.items():
        if not is_pure(path):
            continue
        for header in re.findall(r"^\s*#\s*include\s*<([^>]+)>", text, re.M):
            allowed = any(fnmatch.fnmatch(path, home) for home in PURE_EXCEPTIONS.get(header, ()))
            if header not in PURE_HEADERS and not allowed:
                yield Finding("purity", f"{path}:{header}", 1, 0, f"{path}: <{header}> in a pure layer")


def check_floating_point(tree):
    for path, text in tree.c_files.items():
        if not is_pure(path):
            continue
        code = c_text.bare(text)
        hits = list(re.finditer(r"\b(float|double)\b|(?<![\w.])\d+\.\d+f?\b", code))
        if hits:
            line = code.count("\n", 0, hits[0].start()) + 1
            yield Finding("floating", path, len(hits), 0,
                          f"{path}:{line}: floating point in a pure layer ({len(hits)} places)")


def check_layers(tree):
    for path, text in tree.c_files.items():
        layer = layer_of(path)
        if layer in ABOVE_ALL:
            continue
        if layer not in LAYERS:
            yield Finding("layers", path, 1, 0, f"{path}: LAYERS in tools/tidy.py does not know this folder")
            continue
        for included in re.findall(r'^\s*#\s*include\s*"([^"]+)"', text, re.M):
            other = included.split("/")[0] if "/" in included else ""
            if other == layer or other in LAYERS[layer] or (is_test(path) and other == "sim"):
                continue
            yield Finding("layers", f"{path}:{included}", 1, 0, f'{path}: {layer} may not include "{included}"')


def check_outside(tree):
    for path, text in tree.c_files.items():
        for header in re.findall(r"^\s*#\s*include\s*<([^>]+)>", text, re.M):
            if header in SYSTEM_HEADERS:
                continue
            homes = OUTSIDE.get(header)
            if homes is None:
                yield Finding("outside", f"{path}:{header}", 1, 0, f"{path}: <{header}>: OUTSIDE does not know it")
            elif not any(fnmatch.fnmatch(path, home) for home in homes):
                yield Finding("outside", f"{path}:{header}", 1, 0,
                              f"{path}: <{header}> stands behind {', '.join(homes)} only")


def check_sizes(tree):
    for path, text in tree.files.items():
        lines = text.split("\n")
        tables = c_text.long_macro_lines(text) if path.endswith(".h") else set()
        if path.endswith((".c", ".h", ".py")):
            wide = [n for n, line in enumerate(lines, 1) if len(line) > LINE_MAX and n not in tables]
            if wide:
                yield Finding("line", path, len(wide), 0, f"{path}:{wide[0]}: wider than {LINE_MAX} columns "
                              f"({len(wide)} such lines)")
            written = path.removeprefix("clients/") in CLIENTS  # by a program: as long as there are calls
            if len(lines) - 1 > FILE_MAX and not written:
                yield Finding("file", path, len(lines) - 1, FILE_MAX,
                              f"{path}: {len(lines) - 1} lines, {FILE_MAX} at most")
        if path.endswith(".h") and not re.search(r"/\* long: \w", "\n".join(lines[:25])):
            count = len(lines) - 1 - len(tables)
            yield Finding("header", path, count, HEADER_MAX,
                          f"{path}: {count} lines beside its X-macro tables, {HEADER_MAX} at most")


def check_functions(tree):
    for path, text in tree.c_files.items():
        lines = text.split("\n")
        for f in c_text.functions(text):
            size = f.last - f.first + 1
            marked = any("/* long:" in line for line in lines[max(0, f.first - 3):f.last])
            if size > FUNCTION_MAX and not marked:
                yield Finding("function", f"{path}:{f.name}", size, FUNCTION_MAX,
                              f"{path}:{f.first}: {f.name} has {size} lines, {FUNCTION_MAX} at most")


def check_banned(tree):
    for path, text in tree.c_files.items():
        code = c_text.bare(text)
        for m in re.finditer(r"(?<![\w.>])(\w+)\s*\(", code):
            call = m.group(1)
            line = code.count("\n", 0, m.start()) + 1
            if call in BANNED and not is_test(path):
                yield Finding("banned", f"{path}:{call}", 1, 0, f"{path}:{line}: {call}(): use {BANNED[call]}")
            elif call in NO_SLEEPING and is_test(path):
                yield Finding("banned", f"{path}:{call}", 1, 0, f"{path}:{line}: a unit test sleeps")


def check_opening(tree):
    for path, text in tree.files.items():
        lines = text.split("\n")
        name = pathlib.PurePath(path).name
        script = lines[0].startswith("#!")
        if path.endswith((".c", ".h")):
            if lines[0] != f"/* {SPDX} */":
                yield Finding("opening", path, 1, 0, f"{path}:1: the first line is /* {SPDX} */")
            elif path.endswith(".h") and not "\n".join(lines[1:2]).startswith(f"/* {name}:"):
                yield Finding("opening", path, 1, 0, f"{path}:2: say what it is: /* {name}: ...")
        elif path.endswith((".py", ".sh")) or script or name == "Makefile":
            if SPDX not in lines[1 if script and len(lines) > 1 else 0]:
                yield Finding("opening", path, 1, 0, f"{path}: no # {SPDX} at the top")


def check_guards(tree):
    for path, text in tree.c_files.items():
        if not path.endswith(".h"):
            continue
        parts = re.sub(r"^src/", "", path).split("/")
        guards = [re.sub(r"\W", "_", "_".join(names)).upper() for names in (parts, parts[:1] + parts[2:])]
        code = c_text.without_comments(text).split()
        if not any(code[:4] == ["#ifndef", guard, "#define", guard] for guard in guards[:len(parts) - 1 or 1]):
            yield Finding("guard", path, 1, 0, f"{path}: begin with #ifndef {guards[0]}, #define {guards[0]}")


def check_tested(tree):
    for path, text in tree.c_files.items():
        if not path.startswith("src/") or path.endswith(".h") or is_test(path) or path in TESTED_ELSEWHERE:
            continue
        folder, stem = path[:-2].rsplit("/", 1)
        words = stem.split("_")  # omni_frame.c: omni_frame_test.c or omni_test.c
        tests = [f"{folder}/{'_'.join(words[:n])}_test.c" for n in range(1, len(words) + 1)]
        if not any(test in tree.files for test in tests) and c_text.functions(text):
            yield Finding("tested", path, 1, 0,
                          f"{path}: no {pathlib.PurePath(path).stem}_test.c beside it (or a line in TESTED_ELSEWHERE)")


def check_runnable(tree):
    """tools/test runs the files of tests/ that can be run: one without a main would be silently left out."""
    for path, text in tree.files.items():
        if re.fullmatch(r"tests/\w+\.py", path) and "__main__" not in text:
            yield Finding("runnable", path, 1, 0, f"{path}: no `if __name__ == \"__main__\"`: nobody would run it")


def check_asserts(tree):
    asserts = re.compile(r"\b(assert_\w+|expect_\w+|must|fail|fail_msg)\s*\(")
    for path, text in tree.files.items():
        if path.startswith("src/") and path.endswith("_test.c"):
            found = {f.name: f for f in c_text.functions(text)}
            able = {name for name, f in found.items() if asserts.search(f.body)}
            able |= set(re.findall(r"#define\s+(\w+)\(.*?(?<!\\)\n", text)) if "assert_" in text else set()
            while True:
                more = {n for n, f in found.items() if n not in able and set(re.findall(r"(\w+)\s*\(", f.body)) & able}
                if not more:
                    break
                able |= more
            setups = set(re.findall(r"cmocka_\w*(?:setup|teardown)\w*\(([^;{}]*?)\)", text))
            setups = {word for words in setups for word in re.findall(r"\w+", words)[1:]}
            for words in re.findall(r"cmocka_run_group_tests\w*\(([^;]*)\)", text):
                setups.update(re.findall(r"\w+", words))
            for name, f in found.items():
                if re.search(r"\(\s*void\s*\*\*", f.signature) and name not in able | setups:
                    yield Finding("asserts", f"{path}:{name}", 1, 0, f"{path}:{f.first}: {name} asserts nothing")
        elif path.startswith("tests/") and path.endswith(".py") and "__main__" in text:
            if not re.search(r"\bassert\b|\bcheck\w*\(|\braise\b|\bfail\w*\(|self\.assert", text):
                yield Finding("asserts", path, 1, 0, f"{path}: asserts nothing")


def check_leftovers(tree):
    for path, text in tree.files.items():
        for number, line in enumerate(text.split("\n"), 1):
            m = LEFTOVER.search(line)
            if m:
                yield Finding("leftover", f"{path}:{line.strip()[:40]}", 1, 0,
                              f"{path}:{number}: {m.group(0)}: do it, or open an issue")
            m = MACHINE_PATH.search(line)
            if m:
                yield Finding("place", f"{path}:{line.strip()[:40]}", 1, 0,
                              f"{path}:{number}: names a place on one machine")


def check_documents(tree):
    if "tools/describe.c" not in tree.files:
        return
    if tree.fresh_docs is None:
        yield Finding("stale", MAKE_DOCS[0], 1, 0, f"{MAKE_DOCS[0]} could not be run: build first (make build)")
        return
    generated = {f"{DOCS[0]}/{name}": name for name in DOCS[1]} | {f"clients/{name}": name for name in CLIENTS}
    for path, name in generated.items():
        if tree.files.get(path) != tree.fresh_docs.get(name):
            yield Finding("stale", path, 1, 0, f"{path} does not say what the code says: make docs")
    document = tree.files.get(f"{DOCS[0]}/openapi.json", "")
    if hashlib.sha256(document.encode()).hexdigest() not in tree.files.get(TYPES, "")[:256]:
        yield Finding("stale", TYPES, 1, 0, f"{TYPES} is of another openapi.json: make docs")


CHECKS = (check_purity, check_floating_point, check_layers, check_outside, check_sizes, check_functions, check_banned,
          check_opening, check_guards, check_tested, check_runnable, check_asserts, check_leftovers, check_documents)

# ── the real tree ──────────────────────────────────────────────────────────────────────────────────

TEXT = (".c", ".h", ".py", ".sh", ".md", ".txt", ".cmake", ".json", ".js", ".ts", ".go", ".yml", ".frames", ".tsv")


def read_files():
    git = shutil.which("git")
    listed = git and subprocess.run([git, "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True,
                                    text=True)
    if listed and listed.returncode == 0:
        names = [n for n in listed.stdout.split("\0") if n]
    else:
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if p.is_file()]
        names = [n for n in names if not re.match(r"(build|\.git|node_modules)", n)]
    files = {}
    for name in sorted(names):
        path = ROOT / name
        if path.is_file() and path.suffix in TEXT + ("",) and path.stat().st_size < 2_000_000:
            try:
                files[name] = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
    files.pop("LICENSE", None)
    files.pop("tools/tidy_ratchet.json", None)
    return files


def read_symbols(build, files):
    """Symbols that the pure layers leave undefined, after resolving among themselves."""
    defined, undefined = set(), {}
    for layer in PURE:
        library = build / f"lib{layer}.a"
        if not any(p.startswith(f"src/{layer}/") and p.endswith(".c") and not is_test(p) for p in files):
            continue
        if not library.exists():
            undefined[layer] = {f"(no {library.name}: build first)": "nothing"}
            continue
        out = subprocess.run(["nm", "-g", library], capture_output=True, text=True, check=True).stdout
        symbols, member = undefined.setdefault(layer, {}), ""
        for line in out.split("\n"):
            words = line.split()
            if line.endswith(":"):
                member = line[:-1]
            elif len(words) == 2 and words[0] in "Uw":
                symbols.setdefault(words[1], member)
            elif len(words) == 3:
                defined.add(words[2])
    return {layer: {s: m for s, m in symbols.items() if s not in defined} for layer, symbols in undefined.items()}


def read_fresh_docs(build):
    program = build / "describe"
    if not program.exists():
        return None
    with tempfile.TemporaryDirectory() as folder:
        for name in CLIENTS:
            (pathlib.Path(folder) / name).parent.mkdir()
        if subprocess.run([program, folder, folder]).returncode != 0:
            return None
        paths = [p for p in pathlib.Path(folder).rglob("*") if p.is_file()]
        return {str(p.relative_to(folder)): p.read_text() for p in paths}


def findings(tree):
    """Worst value of each (check, key)."""
    worst = {}
    for check in CHECKS:
        for f in check(tree):
            if f.value > f.limit and f.value > worst.get((f.check, f.key), f._replace(value=0)).value:
                worst[(f.check, f.key)] = f
    return worst


def judge(worst, ratchet):
    """Complaints, and the ratchet as it may be from now on."""
    complaints, lowered = [], {}
    for (check, key), f in sorted(worst.items()):
        allowed = ratchet.get(check, {}).get(key)
        if allowed is None or f.value > allowed:
            held = f" (the ratchet holds it at {allowed})" if allowed is not None else ""
            complaints.append(f"{f.text}  [{check}]{held}")
        else:
            lowered.setdefault(check, {})[key] = f.value
    for check, keys in ratchet.items():
        for key, value in keys.items():
            if (check, key) in worst and worst[(check, key)].value > value:
                lowered.setdefault(check, {})[key] = value
    return complaints, lowered


def first_ratchet(worst):
    """Where there is no ratchet file yet: the sizes of today. A breach of purity or layers is never admitted."""
    ratchet = {}
    for (check, key), f in worst.items():
        if check in RATCHETED:
            ratchet.setdefault(check, {})[key] = f.value
    return ratchet


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--build", default=str(ROOT / "build"), help="where the libraries and describe are")
    ap.add_argument("--update", action="store_true", help="lower the ratchet to what is true today")
    args = ap.parse_args()
    build = pathlib.Path(args.build)
    files = read_files()
    tree = Tree(files, read_symbols(build, files), read_fresh_docs(build))
    worst = findings(tree)
    ratchet = json.loads(RATCHET.read_text()) if RATCHET.exists() else first_ratchet(worst) if args.update else {}
    complaints, lowered = judge(worst, ratchet)
    for complaint in complaints:
        print(complaint)
    if args.update:
        RATCHET.write_text(json.dumps(lowered, indent=1, sort_keys=True) + "\n")
        print("tidy: the ratchet holds what is true today; commit tools/tidy_ratchet.json")
    elif lowered != ratchet:
        print("tidy: somebody became better: lower the ratchet with tools/tidy.py --update")
    held = sum(len(keys) for keys in lowered.values())
    print(f"tidy: {len(tree.files)} files, {len(complaints)} complaints, {held} old sinners held by the ratchet")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
