# SPDX-License-Identifier: Apache-2.0
"""`paddock load` against a real server: everything is acknowledged and every last position is kept; a server that does not
keep them is found out; and it refuses what it must not do. No time is asserted."""
import json
import pathlib
import socket
import sqlite3
import subprocess
import tempfile
import threading

from support.paddock import BINARY, Server, until


def load(*options):
    return subprocess.run(BINARY + ["load", "--quiet", *options], capture_output=True, text=True, timeout=60)


def address(pair):
    return f"{pair[0]}:{pair[1]}"


def everything_is_acknowledged_and_kept(server, folder):
    report = pathlib.Path(folder) / "load.json"
    common = ["--vehicles", address(server.vehicles), "--http", address(server.http), "--token", server.token("control"),
              "--connections", "200", "--json", str(report)]
    done = load(*common, "--for", "2s", "--warmup", "500ms", "--in-flight", "4")
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(report.read_text())
    assert said["clean"] and said["connected"] == 200 and said["unanswered"] == 0 and said["why"] is None, said
    assert said["acked"] == said["sent"] > 200 and said["latency_us"]["count"] > 0, said
    assert said["positions"] == {"equal": 200, "other": 0, "missing": 0}, said

    # open loop, over what is declared already: as many are due as the rate says
    done = load(*common, "--declared", "--rate", "500", "--for", "1s", "--warmup", "0s")
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(report.read_text())
    assert said["behind"] + said["sent"] == 500, said
    assert said["positions"]["equal"] == 200, said


def riders_find_and_unlock(server, folder):
    """Every unlock is one that a lock obeyed, seen from both sides, and the next ride begins where the last one ended."""
    report = pathlib.Path(folder) / "people.json"
    done = load("--vehicles", address(server.vehicles), "--http", address(server.http), "--token", server.token("control"),
                "--data", server.data, "--first", "1001", "--riders", "20", "--connections", "6", "--near", "20",
                "--polls", "20", "--starts", "10", "--ride-for", "50ms", "--for", "2s", "--warmup", "0s", "--json", str(report))
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(report.read_text())
    assert said["clean"] and said["near"]["done"] == said["poll"]["done"] == 40, said
    assert said["start"]["done"] + said["no_lock"] == 20 and said["start"]["done"] > 0, said
    assert said["share_us"]["count"] == said["start"]["done"], said


def stops_when_told_while_it_prepares(server, folder):
    """A hundred thousand riders want tokens: long before the last has one it is told to end, and does."""
    command = ["load", "--vehicles", address(server.vehicles), "--http", address(server.http), "--data", server.data,
               "--token", server.token("control"), "--first", "2001", "--riders", "100000", "--connections", "2", "--for", "1s"]
    contacts = sqlite3.connect(f"file:{server.data}/contacts.db?mode=ro", uri=True)
    tokens = lambda: contacts.execute("SELECT count(*) FROM tokens").fetchone()[0]
    before = tokens()
    process = subprocess.Popen(BINARY + command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until("riders are given tokens", lambda: process.poll() is not None or tokens() > before + 100)
    contacts.close()
    process.terminate()
    _, said = process.communicate(timeout=30)
    assert process.returncode == 3 and "no tokens for riders: stopped" in said, (process.returncode, said)


def a_lie_is_found_out(server, folder):
    """A peer that acknowledges without keeping: the echo's answers are no acknowledgements to a lock."""
    listening = socket.create_server(("127.0.0.1", 0))

    def echo():
        try:
            conn, _ = listening.accept()
            with conn:
                while data := conn.recv(4096):
                    conn.sendall(data)
        except OSError:
            pass

    thread = threading.Thread(target=echo, daemon=True)
    thread.start()
    done = load("--vehicles", address(listening.getsockname()), "--connections", "1", "--for", "200ms", "--warmup", "0s")
    listening.close()
    thread.join(timeout=10)
    assert done.returncode == 1 and "answered wrongly" in done.stdout, (done.returncode, done.stdout, done.stderr)


def an_absent_server_is_said(server, folder):
    unused = socket.create_server(("127.0.0.1", 0))
    gone = unused.getsockname()
    unused.close()
    done = load("--vehicles", address(gone), "--connections", "3", "--for", "200ms")
    assert done.returncode == 3 and "nobody could connect" in done.stderr, (done.returncode, done.stderr)


def bad_usage_is_two(server, folder):
    for options in (["--vehicles", "192.0.2.1:7700"], ["--vehicles", "127.0.0.1:1", "--rate", "0"], [],
                    ["--vehicles", "127.0.0.1:1", "--http", "127.0.0.1:2"], ["--vehicles", "127.0.0.1:1", "--for", "9h"],
                    ["--vehicles", "127.0.0.1:1", "--dialect", "klingon"]):
        done = load(*options)
        assert done.returncode == 2 and done.stderr.count("\n") == 1, (options, done.returncode, done.stderr)


def main():
    with tempfile.TemporaryDirectory(prefix="paddock-load-") as folder, Server() as server:
        for claim in (everything_is_acknowledged_and_kept, riders_find_and_unlock, stops_when_told_while_it_prepares,
                      a_lie_is_found_out, an_absent_server_is_said, bad_usage_is_two):
            claim(server, folder)
            print("ok", claim.__name__)
        assert server.stop() == 0


if __name__ == "__main__":
    main()
