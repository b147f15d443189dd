# SPDX-License-Identifier: Apache-2.0
"""Browser tests of apps/e2e against a `paddock demo`: starts the city, lets Node.js run the file, and tells what came of
each test the way unittest does, so that tools/test counts them one by one.

SHOTS=FOLDER in the environment keeps pictures; ONLY_TEST=PATTERN runs some of a file."""
import os
import re
import shutil
import subprocess
import time

from support.demo import Demo
from support.paddock import BINARY, ROOT

E2E = ROOT / "apps" / "e2e"
TESTS_S = 540


def pages():
    """Built, or the reason why not. Returns the Node.js to use."""
    done = subprocess.run([ROOT / "tools" / "apps", "--node"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip().splitlines()[-1]


def outcomes(tap):
    """(name, passed, text) of each test: the TAP of `node --test`."""
    for m in re.finditer(r"^ *(not )?ok \d+ - (.*?)( # .*)?\n((?: +.*\n)*)", tap, re.M):
        left_out = (m[3] or "").startswith(" # SKIP")  # by ONLY_TEST
        if not left_out and "type: 'suite'" not in m[4] and not m[2].endswith(".mjs"):
            yield m[2], not m[1], m[4]


def run(file, *demo_options):
    node, browser = pages(), shutil.which("chromium")
    assert browser, "chromium is not there: tools/install brings it"
    with Demo(*demo_options) as demo:
        demo.addresses()
        environment = {**os.environ, "DEMO": str(demo.data / "demo.json"), "CHROMIUM": browser,
                       "PADDOCK": " ".join(BINARY)}
        command = [node, "--test", "--test-reporter=tap"]
        if os.environ.get("ONLY_TEST"):
            command.append(f"--test-name-pattern={os.environ['ONLY_TEST']}")
        began = time.monotonic()
        done = subprocess.run([*command, str(E2E / file)], cwd=E2E, env=environment, capture_output=True, text=True,
                              timeout=TESTS_S)
    found = list(outcomes(done.stdout))
    for name, passed, text in found:
        print(f"{'ok' if passed else 'not ok'}: {name}", flush=True)
        if not passed:
            print(f"\nFAIL: {re.sub(r'[^A-Za-z0-9]+', '_', name)} (browser)\n{'-' * 70}\n{text}{'-' * 70}")
    print(f"Ran {len(found)} tests in {time.monotonic() - began:.1f}s", flush=True)
    if done.returncode or not found:
        print(done.stdout[-3000:] if not found else "", done.stderr[-3000:])
    return done.returncode == 0 and found and all(passed for _, passed, _ in found)
