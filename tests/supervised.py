# SPDX-License-Identifier: Apache-2.0
"""Under a supervisor: ready is told when it serves, alive while it turns, stopping before it drains; a stopped process falls
silent. The unit of docs/production is one that systemd understands."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from support.paddock import ROOT, Server


def unit_is_understood(folder):
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        print("no systemd-analyze here: the unit file was not verified")
        return
    binary = folder / "paddock"
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    unit = folder / "paddock.service"
    text = (ROOT / "docs" / "production" / "paddock.service").read_text()
    unit.write_text(text.replace("/usr/local/bin/paddock", str(binary)))
    said = subprocess.run([analyze, "verify", unit], capture_output=True, text=True)
    ours = [line for line in (said.stdout + said.stderr).splitlines() if "paddock.service" in line]
    assert said.returncode == 0 and not ours, said.stdout + said.stderr


def main():
    with tempfile.TemporaryDirectory(prefix="paddock-supervised-") as text:
        folder = pathlib.Path(text)
        unit_is_understood(folder)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.bind(str(folder / "notify"))
        listener.settimeout(20)
        os.environ.update(NOTIFY_SOCKET=str(folder / "notify"), WATCHDOG_USEC="1000000")
        os.environ.pop("WATCHDOG_PID", None)
        with Server() as server:
            said = listener.recv(1000).decode()
            assert said.startswith("READY=1\nSTATUS=API "), said
            assert "%s:%d" % server.http in said, said
            for _ in range(3):
                assert listener.recv(1000) == b"WATCHDOG=1"
            server.process.send_signal(signal.SIGSTOP)  # what a machine that hangs looks like
            listener.settimeout(1.5)
            try:
                while True:
                    last = listener.recv(1000)
                    assert last == b"WATCHDOG=1", last
            except TimeoutError:
                pass
            server.process.send_signal(signal.SIGCONT)
            listener.settimeout(20)
            assert listener.recv(1000) == b"WATCHDOG=1"
            server.process.send_signal(signal.SIGTERM)
            said = listener.recv(1000)
            while said == b"WATCHDOG=1":
                said = listener.recv(1000)
            assert said.startswith(b"STOPPING=1\n"), said
            assert server.process.wait(30) == 0
        listener.close()
    print("ready, alive and stopping were told")


if __name__ == "__main__":
    main()
