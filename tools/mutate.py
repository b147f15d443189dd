#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mutate: breaks the code on purpose, one small place at a time, and asks whether anything notices.

Each mutant is one edit in a copy of the tree: a comparison or an operator changed, a constant off by one, a condition
negated, a statement removed, a state or event swapped for its neighbour, an alternative taken out of a table. The copy
is built; the layer's unit tests run, then `paddock sim` over some seeds. Somebody red, or stuck: killed. Everybody
green: the mutant survived, and either a test is missing or the place does not matter. Survivors go to build/mutate.txt;
tools/mutants_explained.tsv (file, the changed line or `removed: ` and the line, why it does not matter; separated by
tabs) keeps those that were read. Lengths of arrays and `sizeof x[0]` are left alone: no test can tell.

The same --seed chooses the same mutants. Not part of CI: it takes minutes for a hundred."""
import argparse
import atexit
import collections
import concurrent.futures
import os
import pathlib
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import c_text

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "mutate"
REPORT = ROOT / "build" / "mutate.txt"
EXPLAINED = ROOT / "tools" / "mutants_explained.tsv"

# What the mutation score is about; patterns that match nothing are told.
FILES = ("src/engine/ride.c", "src/engine/ready.c", "src/engine/command.c", "src/engine/charge.c", "src/store/journal*.c",
         "src/proto/omni*.c")
# Lists whose names are constants: PREFIX_NAME. Neighbours in a list are swapped. Read from these headers.
HEADERS = ("src/engine/terms.h", "src/engine/fact.h", "src/engine/effect.h", "src/proto/*.h", "src/base/err.h")

Mutant = collections.namedtuple("Mutant", "path line kind start end text")  # replaces [start, end) of the file by text

COMPARE = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "&&": "||", "||": "&&", "&": "|", "|": "&",
              "<<": ">>", ">>": "<<", "+=": "-=", "-=": "+=", "|=": "&=", "&=": "|=", "++": "--", "--": "++"}
OPERATOR = re.compile(r"->|<<=|>>=|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%&|<>]")
BINARY_BEFORE = re.compile(r"[\w\])]\s*$")
TYPES = re.compile(r"^(const|static|struct|enum|union|unsigned|signed|int|char|bool|short|long|size_t|ssize_t|void|"
                   r"u?int\d+_t|FILE|typedef|extern|register)\b")
SKIPPED_LINES = re.compile(r"\bmust\s*\(|_Static_assert|^\s*#|^\s*case\b.*:$|^\s*default:")


def families(texts):
    """Constant -> its neighbour, from the X-macro lists and enums of the headers."""
    neighbour = {}
    for text in texts:
        code = c_text.without_comments(text)
        rows = dict(re.findall(r"#define\s+(\w+)_ROW\(no, NAME[^)]*\)\s+(\w+?)##NAME", code))
        rows["ERR"] = "ERR_"
        rows["FACT"] = "FACT_"
        for m in re.finditer(r"#define\s+(\w+)_LIST\(X\)((?:.*\\\n)*.*)", code):
            names = re.findall(r"\bX\(\s*\d+,\s*(\w+)", m.group(2))
            join(names, neighbour, rows.get(m.group(1), m.group(1) + "_"))
        for m in re.finditer(r"\benum\s*\w*\s*\{([^}]*)\}", code):
            names = re.findall(r"\b([A-Z][A-Z0-9_]+)\b\s*(?:=[^,]*)?(?:,|$)", m.group(1).strip())
            join([n for n in names if not n.endswith("_N")], neighbour, "")
    return neighbour


def join(names, neighbour, prefix):
    for here, there in zip(names, names[1:] + names[:1]):
        if here != there:
            neighbour.setdefault(prefix + here, prefix + there)


def mutants_of(path, text, neighbour):
    """Every mutant of one file, in order."""
    pasted = re.findall(r"#define\s+(\w+)\(\w+\)\s.*?\b([A-Z][A-Z0-9_]*_)##", text)  # TO(s) stands for COMMAND_##s
    pasted = dict([("ERR", "ERR_"), *pasted])
    code = c_text.without_directives(c_text.bare(text))
    starts = [0]
    for line in code.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    inside = set()
    for f in c_text.functions(text):
        inside.update(range(f.body_first, f.last + 1))
    found = []
    depth = 0
    for number, line in enumerate(code.split("\n"), 1):
        at, in_table = starts[number - 1], depth > 0 and number not in inside
        depth += line.count("{") - line.count("}")
        if SKIPPED_LINES.search(text[at:at + len(line)]) or not line.strip():
            continue

        def add(kind, start, end, new):
            found.append(Mutant(path, number, kind, at + start, at + end, new))

        if number in inside or in_table or line.rstrip().endswith("},"):
            constants(line, add, neighbour, pasted)
            for m in re.finditer(r"\s\|\s[A-Z]\w*(?:\(\w+\))?", line):
                add("alternative removed", m.start(), m.end(), "")
        if number not in inside:
            continue
        operators(line, add)
        numbers(line, add)
        conditions(line, add)
        statements(line, add)
    return found


def operators(line, add):
    for m in OPERATOR.finditer(line):
        op = m.group(0)
        binary = bool(BINARY_BEFORE.search(line[:m.start()]))
        if op in COMPARE and binary:
            add("comparison", m.start(), m.end(), COMPARE[op])
        elif op in ("++", "--") or (op in ARITHMETIC and binary and not is_pointer(line, m)):
            add("operator", m.start(), m.end(), ARITHMETIC[op])


def is_pointer(line, m):
    """`struct x *p` and `char *p` are declarations, `)*p` a cast: no arithmetic."""
    return m.group(0) in "*&" and (line[m.end():m.end() + 1] != " " or line[:m.start()].rstrip().endswith(")"))


def numbers(line, add):
    declares = TYPES.match(line.strip())
    for m in re.finditer(r"(?<![\w.])(\d+)([uUlL]*)\b(?!\.)", line):
        if re.search(r"\bsizeof\s+\w+\[$", line[:m.start()]):
            continue  # each element is as large
        if declares and re.search(r"\w\[$", line[:m.start()]):
            continue  # an array's length: longer changes nothing, shorter is for the sanitizers to see
        value = int(m.group(1), 8 if m.group(1)[0] == "0" and len(m.group(1)) > 1 else 10)
        add("constant", m.start(), m.end(), f"{value + 1}{m.group(2)}")
        if value > 0:
            add("constant", m.start(), m.end(), f"{value - 1}{m.group(2)}")
    for m in re.finditer(r"\b(true|false)\b", line):
        add("constant", m.start(), m.end(), "false" if m.group(1) == "true" else "true")


def constants(line, add, neighbour, pasted):
    for m in re.finditer(r"\b[A-Z][A-Z0-9_]{2,}\b", line):
        macro = re.search(r"\b(\w+)\($", line[:m.start()])
        prefix = pasted.get(macro.group(1), "") if macro else ""
        there = neighbour.get(prefix + m.group(0))
        if there and there.startswith(prefix):
            add("swapped", m.start(), m.end(), there[len(prefix):])


def conditions(line, add):
    m = re.search(r"\b(if|while)\s*\(", line)
    if not m:
        return
    depth = 0
    for i in range(m.end() - 1, len(line)):
        depth += {"(": 1, ")": -1}.get(line[i], 0)
        if depth == 0:
            add("negated", m.end(), i, f"!({line[m.end():i]})")
            return


def statements(line, add):
    s = line.strip()
    lead = len(line) - len(line.lstrip())
    guarded = re.match(r"(?:if|else if)\s*\(.*\)\s+(?=\w)", s)
    if guarded and s.endswith(";") and not s.startswith("else"):
        add("removed", lead, lead + len(s), ";")
        return
    call = re.fullmatch(r"[A-Za-z_]\w*\s*\(.*\);", s)
    assign = re.fullmatch(r"[*\w.>\[\]\- ]+?\s*(?:[-+|&^*/%]|<<|>>)?=(?!=).*;", s) and not TYPES.match(s)
    step = re.fullmatch(r"[\w.>\-\[\]]+(\+\+|--);", s)
    jump = s in ("break;", "continue;", "return;")
    if (call or assign or step or jump) and not s.startswith("return "):
        add("removed", lead, lead + len(s), ";")


# ── trying them ─────────────────────────────────────────────────────────────────────────────────────────

def run(command, limit_s, cwd, tmp=None):
    """Exit code, or None when it had to be stopped, and its output."""
    env = {**os.environ, "TMPDIR": tmp} if tmp else None
    child = subprocess.Popen([str(c) for c in command], cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, start_new_session=True, env=env)
    try:
        out, _ = child.communicate(timeout=limit_s)
        return child.returncode, out.decode(errors="replace")
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        return None, ""


class Copy:
    """One copy of the tree with a build folder of its own."""

    def __init__(self, number, args):
        self.at, self.args = WORK / str(number), args
        self.folder = self.at / "build"
        shutil.rmtree(self.at, ignore_errors=True)
        ignore = shutil.ignore_patterns("build", "build-*", ".git", "node_modules", "__pycache__")
        shutil.copytree(ROOT, self.at, ignore=ignore)
        for lists in [self.at / "CMakeLists.txt", *(self.at / "cmake").glob("*.cmake")]:
            text = lists.read_text()
            text = text.replace("-Werror ", "")  # a mutant may leave something unused
            text = text.replace("-fno-common -fno-strict-aliasing -g)", "-fno-common -fno-strict-aliasing)")
            # Shared layers: a mutant costs one object and one layer, and links no test and no simulator again.
            text = re.sub(r"add_library\((\S+) STATIC", r"add_library(\1 SHARED", text)
            lists.write_text(text.replace(" CONFIGURE_DEPENDS", ""))
        code, out = run(["cmake", "-S", self.at, "-B", self.folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
                         "-DCMAKE_C_FLAGS_DEBUG=-O1", "-DCMAKE_C_FLAGS=-w", "-DCMAKE_LINK_DEPENDS_NO_SHARED=ON"],
                        120, self.at)
        if code != 0:
            sys.exit(f"mutate: cmake failed\n{out}")
        listed = run(["ninja", "-C", self.folder, "-t", "targets", "all"], 60, self.at)[1]
        self.targets = set(re.findall(r"^(?!cmake_)(\w+): phony", listed, re.M))
        self.took_s = {}
        # Tests' folders: in memory, where a sync costs nothing. Mutants that die leave theirs behind.
        self.tmp = tempfile.mkdtemp(prefix="paddock-mutate-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        atexit.register(shutil.rmtree, self.tmp, ignore_errors=True)

    def tests_of(self, path):
        """Test targets: of the mutant's own name first, then of its layer, the quick ones before the slow ones, then
        those of other folders that bear its name (sim/disk_journal_test.c)."""
        layer, stem = path.split("/")[1], pathlib.PurePath(path).stem
        word = stem.split("_")[0]
        own, near = f"src_{layer}_{word}", f"src_{layer}_"
        tests = [t for t in self.targets if t.endswith("_test") and (t.startswith(near) or f"_{word}_" in t)]
        return sorted(tests, key=lambda t: (not t.startswith(own), not t.startswith(near), self.took_s.get(t, 0), t))

    def build(self, targets):
        return run(["ninja", "-C", self.folder, "-j", "1", *targets], 1800, self.at)

    def prepare(self, files):
        """Builds and runs everything unchanged: it must be green, and shows how long it takes."""
        tests = sorted({t for path in files for t in self.tests_of(path)})
        sim = ["paddock"] if self.args.sim_seeds and "paddock" in self.targets else []
        code, out = self.build(tests + sim)
        if code != 0:
            sys.exit(f"mutate: does not build\n{out[-2000:]}")
        for test in tests:
            if self.time(test, [self.folder / "tests" / test], self.args.test_limit) != 0:
                sys.exit(f"mutate: {test} is red before any change")
        for seed in range(1, self.args.sim_seeds + 1 if sim else 1):
            if self.time(f"sim --seed {seed}", self.simulator(seed), self.args.sim_limit) != 0:
                sys.exit(f"mutate: sim --seed {seed} is red before any change")

    def time(self, name, command, limit_s):
        began = time.monotonic()
        code, _ = run(command, limit_s, self.at, self.tmp)
        self.took_s[name] = time.monotonic() - began
        return code

    def simulator(self, seed):
        return [self.folder / "paddock", "sim", "--seed", seed]

    def limit_s(self, name):
        """Longer is stuck: far more than it needs unchanged, because the machine may be busy."""
        return 15 + 20 * self.took_s[name]

    def judge(self, path):
        """What notices: (killed, by) or (survived, "")."""
        if self.build([path.split("/")[1]])[0] != 0:
            return "invalid", ""
        for test in self.tests_of(path):
            code, _ = run([self.folder / "tests" / test], self.limit_s(test), self.at, self.tmp)
            if code != 0:
                return "killed" if code is not None else "timeout", test
        if "paddock" in self.targets:
            for seed in range(1, self.args.sim_seeds + 1):
                name = f"sim --seed {seed}"
                code, _ = run(self.simulator(seed), self.limit_s(name), self.at)
                if code != 0:
                    return "killed" if code is not None else "timeout", name
        return "survived", ""

    def attempt(self, mutant, original):
        target = self.at / mutant.path
        target.write_text(original[:mutant.start] + mutant.text + original[mutant.end:])
        try:
            return self.judge(mutant.path)
        finally:
            target.write_text(original)
            shutil.rmtree(self.tmp, ignore_errors=True)
            os.makedirs(self.tmp, exist_ok=True)


def line_pair(mutant, original):
    lines = original.split("\n")
    changed = (original[:mutant.start] + mutant.text + original[mutant.end:]).split("\n")
    return lines[mutant.line - 1].strip(), changed[mutant.line - 1].strip()


def key_of(mutant, original):
    """What the explanations know it by."""
    before, after = line_pair(mutant, original)
    return mutant.path, f"removed: {before}" if mutant.kind == "removed" else after


def read_explained():
    if not EXPLAINED.exists():
        return {}
    rows = [line.split("\t") for line in EXPLAINED.read_text().split("\n") if line and not line.startswith("#")]
    return {(r[0], r[1]): r[2] for r in rows if len(r) == 3}


def write_report(results, texts, args, elapsed_s):
    explained, out = read_explained(), []
    per_file = collections.defaultdict(collections.Counter)
    for mutant, verdict, _ in results:
        per_file[mutant.path][verdict] += 1
    out.append(f"{'file':<34} {'mutants':>8} {'killed':>7} {'stuck':>6} {'survived':>9} {'score':>6}")
    whole = collections.Counter()
    for path, c in sorted(per_file.items()):
        whole += c
        out.append(row(path, c))
    out.append(row("all", whole))
    out.append(f"\n{whole['invalid']} more did not compile. sample {args.sample or 'all'}, seed {args.seed}, "
               f"{args.sim_seeds} simulator seeds, {elapsed_s / 60:.0f} min.\n")
    by = collections.Counter(re.sub(r" --seed.*", "", by) for _, v, by in results if v in ("killed", "timeout"))
    out.append("killed by: " + ", ".join(f"{name} {count}" for name, count in by.most_common()) + "\n")
    out.append("survivors:")
    for mutant, verdict, _ in sorted(results):
        if verdict == "survived":
            before, after = line_pair(mutant, texts[mutant.path])
            why = explained.get(key_of(mutant, texts[mutant.path]))
            out.append(f"\n{mutant.path}:{mutant.line}  {mutant.kind}\n  - {before}\n  + {after}"
                       + (f"\n  explained: {why}" if why else ""))
    REPORT.write_text("\n".join(out) + "\n")
    print("\n".join(out[:len(per_file) + 3]))
    print(f"survivors: {REPORT.relative_to(ROOT)}")
    killed = whole["killed"] + whole["timeout"]
    return killed, killed + whole["survived"]


def row(name, c):
    killed, tried = c["killed"] + c["timeout"], c["killed"] + c["timeout"] + c["survived"]
    score = f"{100 * killed / tried:.0f} %" if tried else "-"
    return f"{name:<34} {tried:>8} {c['killed']:>7} {c['timeout']:>6} {c['survived']:>9} {score:>6}"


def chosen_files(patterns):
    files = []
    for pattern in patterns:
        some = sorted(str(p.relative_to(ROOT)) for p in ROOT.glob(pattern) if not p.name.endswith("_test.c"))
        if not some:
            print(f"mutate: no {pattern} in this tree")
        files += [f for f in some if f not in files]
    return files


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--files", nargs="*", default=os.environ.get("FILES", "").split() or FILES)
    ap.add_argument("--sample", type=int, default=int(os.environ.get("SAMPLE") or 200), help="0 = every mutant")
    ap.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or 1), help="which sample")
    ap.add_argument("--jobs", type=int, default=2)
    ap.add_argument("--sim-seeds", type=int, default=10)
    ap.add_argument("--sim-limit", type=int, default=300, help="seconds for one unchanged seed")
    ap.add_argument("--test-limit", type=int, default=300, help="seconds for one unchanged test")
    ap.add_argument("--least", type=float, default=0, help="exit 1 below this score, per cent")
    ap.add_argument("--list", action="store_true", help="only show the mutants")
    args = ap.parse_args()

    files = chosen_files(args.files)
    texts = {f: (ROOT / f).read_text() for f in files}
    headers = [p.read_text() for pattern in HEADERS for p in sorted(ROOT.glob(pattern))]
    neighbour = families(headers + [texts[f] for f in files])
    mutants = [m for f in files for m in mutants_of(f, texts[f], neighbour)]
    total = len(mutants)
    there = {key_of(m, texts[m.path]) for m in mutants}
    for path, line in sorted(read_explained()):
        if path in texts and (path, line) not in there:
            print(f"mutate: explained, but no mutant any more: {path}  {line}")
    if args.sample and args.sample < total:
        mutants = random.Random(args.seed).sample(mutants, args.sample)
    if args.list:
        for m in sorted(mutants):
            print(f"{m.path}:{m.line}  {m.kind}\n  - " + "\n  + ".join(line_pair(m, texts[m.path])))
    print(f"mutate: {len(mutants)} of {total} mutants in {len(files)} files, seed {args.seed}")
    if args.list or not mutants:
        return 0

    copies = queue.Queue()
    for number in range(args.jobs):
        copy = Copy(number, args)
        copy.prepare(files)
        copies.put(copy)
    results, began, shown = [], time.monotonic(), time.monotonic()

    def attempt(mutant):
        copy = copies.get()
        try:
            return mutant, *copy.attempt(mutant, texts[mutant.path])
        finally:
            copies.put(copy)

    with concurrent.futures.ThreadPoolExecutor(max_workers=args.jobs) as pool:
        for future in concurrent.futures.as_completed([pool.submit(attempt, m) for m in mutants]):
            results.append(future.result())
            mutant, verdict, _ = results[-1]
            if verdict == "survived":
                print(f"survived: {mutant.path}:{mutant.line}  {key_of(mutant, texts[mutant.path])[1]}", flush=True)
            if time.monotonic() - shown > 20 or len(results) == len(mutants):
                shown = time.monotonic()
                left_s = (shown - began) / len(results) * (len(mutants) - len(results))
                survived = sum(v == "survived" for _, v, _ in results)
                print(f"mutate: {len(results)} of {len(mutants)}, {survived} survived, {left_s / 60:.0f} min left",
                      flush=True)
    killed, tried = write_report(results, texts, args, time.monotonic() - began)
    return 1 if tried and 100 * killed / tried < args.least else 0


if __name__ == "__main__":
    sys.exit(main())
