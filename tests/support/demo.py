# SPDX-License-Identifier: Apache-2.0
"""`paddock demo` on a temporary folder, for the tests of it."""
import json
import os
import pathlib
import subprocess
import tempfile
import time

from support.paddock import BINARY, until

ANY_PORT = ["http.address=127.0.0.1:0", "vehicles.address=127.0.0.1:0", "admin.address=127.0.0.1:0"]


class Demo:
    """Runs it; `said` is its output so far, which is no terminal."""

    def __init__(self, *options, settings=ANY_PORT):
        self.folder = tempfile.TemporaryDirectory(prefix="paddock-demo-")
        self.data = pathlib.Path(self.folder.name) / "data"
        self.report_path = pathlib.Path(self.folder.name) / "report.json"
        self.out = open(self.folder.name + "/out", "w+b")
        command = BINARY + ["demo", "--data", str(self.data), "--report", str(self.report_path), *options]
        for setting in settings:
            command += ["--set", setting]
        self.process = subprocess.Popen(command, stdout=self.out, stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def said(self):
        return pathlib.Path(self.folder.name + "/out").read_text(errors="strict")

    def addresses(self):
        """demo.json, once it is there."""
        path = self.data / "demo.json"
        until("demo.json is there", lambda: path.exists() or self.process.poll() is not None, 60)
        assert path.exists(), self.said()
        return json.loads(path.read_text())

    def ended(self, seconds=90):
        code = self.process.wait(timeout=seconds)
        return code, json.loads(self.report_path.read_text()) if self.report_path.exists() else None


class At:
    """Somebody with one of its tokens, for Client of support.paddock."""

    def __init__(self, addresses):
        host, port = addresses["http"].rsplit(":", 1)
        self.http = host, int(port)
        self.tokens = addresses["tokens"]

    def token(self, role, account=None):
        assert account is None
        return self.tokens[role]


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = pathlib.Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def gone(pid, seconds=20):
    until(f"process {pid} is gone", lambda: not is_alive(pid), seconds)
    return time.monotonic()
