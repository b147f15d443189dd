# SPDX-License-Identifier: Apache-2.0
"""The control page in a real browser, against a real city: apps/e2e/control.test.mjs."""
from support.browser import run

if __name__ == "__main__":
    assert run("control.test.mjs", "--vehicles", "60", "--speed", "10", "--seed", "1", "--for", "10m"), "a test is red"
