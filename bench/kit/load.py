# SPDX-License-Identifier: Apache-2.0
"""What the benches against a real server share: the server with its keeper, a live stream and a scraper of its metrics; its
peers; `paddock load` against either; and the processor time that a process took.

Everything is on loopback, ports are free-chosen, folders temporary, and what was started is ended by its own process id."""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from support.paddock import BINARY, Server, request, until  # noqa: E402,F401

# BENCH_SECONDS=1 for a quick look; the figures in the docs come from the default.
SECONDS = float(os.environ.get("BENCH_SECONDS") or 4)


def say(**row):
    print(json.dumps(row), flush=True)


def address(pair):
    return f"{pair[0]}:{pair[1]}"


def rss_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().split("\n"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


class Watched(Server):
    """A server as in production: someone follows its live events, and its metrics are scraped every second."""

    def __init__(self, *settings):
        super().__init__(None, "vehicles.max=18000", "journal.segment_mb=256", *settings)
        self.ended = threading.Event()
        self.scrapes = []

    def __enter__(self):
        self.start()
        self.staff = self.token("control")
        self.stream = http.client.HTTPConnection(*self.http, timeout=600)
        self.stream.request("GET", "/v1/events/live", headers={"Authorization": "Bearer " + self.staff})
        assert self.stream.getresponse().status == 200
        self.threads = [threading.Thread(target=body, daemon=True) for body in (self.read_stream, self.scrape)]
        for thread in self.threads:
            thread.start()
        return self

    def read_stream(self):
        """Bytes are taken and thrown away, as a page does that shows them."""
        with contextlib.suppress(OSError):
            while self.stream.sock and self.stream.sock.recv(65536):
                pass

    def scrape(self):
        while not self.ended.wait(1):
            with contextlib.suppress(OSError, AssertionError):
                self.scrapes.append(self.metrics())

    def __exit__(self, *error):
        self.ended.set()
        with contextlib.suppress(OSError):
            if self.stream.sock:
                self.stream.sock.shutdown(socket.SHUT_RDWR)
        if self.process.poll() is None and not error[0]:
            assert self.stop() == 0, self.said()
        super().__exit__(*error)

    def target(self):
        return ["--vehicles", address(self.vehicles), "--http", address(self.http), "--token", self.staff]


class Peer:
    """A server of somebody else: `target` says how `paddock load` speaks to it."""

    def __init__(self, command, target, ready):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.target_of, self.ready = target, ready

    def __enter__(self):
        self.address = self.ready(self.process)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait(timeout=20)

    def target(self):
        return self.target_of(self.address)


def echo():
    return Peer([str(ROOT / "build" / "peer_echo")], lambda at: ["--vehicles", at, "--dialect", "echo"],
                lambda process: process.stdout.readline().decode().strip())


@contextlib.contextmanager
def mosquitto():
    """Debian's broker on loopback: no persistence, no limits in the way. None where it is not installed."""
    path = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if not path:
        print("bench: mosquitto is not installed (apt install mosquitto): not compared with", file=sys.stderr)
        yield None
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="paddock-mosquitto-") as folder:
        config = pathlib.Path(folder) / "mosquitto.conf"
        config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type none\n"
                          "max_connections -1\nmax_inflight_messages 0\nmax_queued_messages 0\nset_tcp_nodelay true\n")

        def ready(process):
            until("mosquitto listens", lambda: process.poll() is not None or
                  socket.socket().connect_ex(("127.0.0.1", port)) == 0)
            assert process.poll() is None, "mosquitto ended at once"
            return f"127.0.0.1:{port}"

        with Peer([path, "-c", str(config)], lambda at: ["--vehicles", at, "--dialect", "mqtt"], ready) as peer:
            yield peer


def load(server, *options, for_s=None, warmup_s=None):
    """One run of `paddock load` against `server`; its figures, with the server's processor time per message."""
    for_s, warmup_s = for_s or SECONDS, warmup_s if warmup_s is not None else min(2.0, SECONDS / 2)
    with tempfile.NamedTemporaryFile(prefix="paddock-load-", suffix=".json") as report:
        command = BINARY + ["load", "--quiet", *server.target(), "--json", report.name, "--server-pid", str(server.process.pid),
                            "--for", f"{int(for_s * 1000)}ms", "--warmup", f"{int(warmup_s * 1000)}ms", *map(str, options)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(command)}\nexit {done.returncode}\n{done.stdout}{done.stderr}"
        figures = json.load(open(report.name))
    figures["server_us_per_msg"] = figures["server_cpu_us"] / max(figures["measured_acked"], 1)
    return figures


def people(server, *options, for_s, first, allow_dirty=False):
    """One run of `paddock load --riders`; its figures."""
    with tempfile.NamedTemporaryFile(prefix="paddock-people-", suffix=".json") as report:
        command = BINARY + ["load", "--quiet", *server.target(), "--data", server.data, "--first", str(first),
                            "--json", report.name, "--for", f"{int(for_s * 1000)}ms", "--warmup", "2s", *map(str, options)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0 or (allow_dirty and done.returncode == 1), \
            f"{' '.join(command)}\nexit {done.returncode}\n{done.stdout}{done.stderr}"
        if done.returncode:
            print(done.stdout, file=sys.stderr)
        return json.load(open(report.name))


def declare(server, vehicles, first=1):
    done = subprocess.run(BINARY + ["load", "--only-declare", "--quiet", *server.target(), "--first", str(first),
                                    "--connections", str(vehicles)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
