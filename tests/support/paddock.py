# SPDX-License-Identifier: Apache-2.0
"""A real server, real sockets, and nothing but the standard library: what the black-box tests share.

PADDOCK names the binary (default build/paddock). Every port is free-chosen, every folder temporary; what was started
is ended by its own process id."""
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid

from support.openapi import Contract

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get("PADDOCK", str(ROOT / "build" / "paddock")).split()
SHARED = ROOT.parent / "shared"


def skip(why):
    print("skipped:", why)
    sys.exit(77)


def until(what, condition, seconds=20):
    """Waits for a state, never for a time; says what did not come."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"did not happen in {seconds} s: {what}")


class Server:
    """`paddock serve` on a data directory, which outlives it."""

    def __init__(self, data=None, *settings):
        self.folder = None
        if data is None:
            self.folder = tempfile.TemporaryDirectory(prefix="paddock-test-")
            data = self.folder.name + "/data"
        self.data = str(data)
        self.settings = list(settings)
        self.process = None
        self.log = ""

    def start(self, expect_ready=True):
        ready = pathlib.Path(self.data + ".ready")
        ready.unlink(missing_ok=True)
        pathlib.Path(self.data).parent.mkdir(parents=True, exist_ok=True)
        command = BINARY + ["serve", "--data", self.data, "--ready-file", str(ready)]
        defaults = ["http.address=127.0.0.1:0", "vehicles.address=127.0.0.1:0", "admin.address=127.0.0.1:0",
                    "vehicles.max=2000", "journal.segment_mb=8"]
        for setting in defaults + self.settings:
            command += ["--set", setting]
        self.errors = open(self.data + ".log", "ab")
        begun = time.monotonic()
        self.process = subprocess.Popen(command, stderr=self.errors, stdout=self.errors, stdin=subprocess.DEVNULL)
        if not expect_ready:
            return self
        until("the server is ready", lambda: ready.exists() or self.process.poll() is not None)
        assert self.process.poll() is None, "the server ended at once:\n" + self.said()
        self.start_s = time.monotonic() - begun
        said = json.loads(ready.read_text())
        self.http, self.vehicles, self.admin = (self.address(said[k]) for k in ("http", "vehicles", "admin"))
        return self

    @staticmethod
    def address(text):
        host, port = text.rsplit(":", 1)
        return host, int(port)

    def said(self):
        return pathlib.Path(self.data + ".log").read_text(errors="replace")

    def kill(self):
        """As the kernel would in a panic: no handler runs."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.kill()

    def token(self, role, account=None):
        command = BINARY + ["token", "--data", self.data, "--role", role]
        if account:
            command += ["--account", account]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def check(self):
        """`paddock check` of the stopped server's data."""
        return subprocess.run(BINARY + ["check", "--data", self.data], capture_output=True, text=True)

    def metrics(self):
        status, _, body = request(self.admin, "GET", "/metrics")
        assert status == 200
        return {m[1]: float(m[2]) for m in re.finditer(r"^(\S+) (\S+)$", body.decode(), re.M)}


def request(address, method, path, body=None, headers=None, timeout=35):
    connection = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def contract_of(server):
    """What the server says of itself: every answer to a Client is held against it."""
    if not getattr(server, "contract", None):
        status, _, body = request(server.http, "GET", "/openapi.json")
        assert status == 200, "no /openapi.json"
        server.contract = Contract(json.loads(body))
    return server.contract


class Client:
    """Somebody with a token."""

    def __init__(self, server, role, account=None):
        self.server = server
        self.role = role
        self.token = server.token(role, account)

    def call(self, method, path, body=None, key=None):
        headers = {"Authorization": "Bearer " + self.token}
        if method == "POST":
            headers["Idempotency-Key"] = key or uuid.uuid4().hex
        if body is not None:
            headers["Content-Type"] = "application/json"
        status, sent, data = request(self.server.http, method, path, None if body is None else json.dumps(body), headers)
        answer = json.loads(data) if data else None
        contract_of(self.server).check(method, path, status, sent.get("Content-Type"), answer, self.role != "rider")
        return status, answer

    def get(self, path):
        return self.call("GET", path)

    def put(self, path, body):
        status, answer = self.call("PUT", path, body)
        assert status == 200, (path, status, answer)
        return answer

    def post(self, path, body=None, key=None):
        return self.call("POST", path, body, key)


class Caller:
    """Somebody with or without a token of their own."""

    def __init__(self, server, token=None, app=None):
        self.server, self.token, self.app = server, token, app

    def call(self, method, path, body=None):
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        if self.app:
            headers["Paddock-App"] = self.app
        status, head, data = request(self.server.http, method, path, None if body is None else json.dumps(body), headers)
        return status, json.loads(data) if data else None, head

    def get(self, path):
        return self.call("GET", path)[:2]

    def post(self, path, body=None):
        return self.call("POST", path, body)[:2]


def imei(n):
    """A made-up IMEI with a right check digit."""
    digits = f"4901542{n:07d}"
    total = sum(sum(divmod(int(d) * (1 + i % 2), 10)) for i, d in enumerate(digits))
    return digits + str(-total % 10)


def declare_city(staff, vehicles=1, heartbeat_s=240, radius_m=20000):
    """One city with `vehicles` vehicles, GBG-0 and on; their devices are imei(0) and on. None speaks yet."""
    staff.put("/v1/legal-entities/se", {"name": "Example AB", "currency": "SEK", "decimals": 2})
    staff.put("/v1/cities/gothenburg", {"name": "Gothenburg", "legal_entity": "se", "time_zone": "Europe/Stockholm",
                                        "lat": 57.7089, "lon": 11.9746, "radius_m": radius_m, "ride_max_s": 43200})
    staff.put("/v1/vehicle-types/scooter", {"name": "Scooter", "heartbeat_s": heartbeat_s, "battery_min_pct": 15, "motor": True})
    staff.put("/v1/plans/standard", {"name": "Standard", "city": "gothenburg", "unlock_minor": 1000, "minute_minor": 250})
    for n in range(vehicles):
        staff.put(f"/v1/vehicles/GBG-{n}", {"city": "gothenburg", "vehicle_type": "scooter", "protocol": "omni", "device": imei(n)})


def deploy(staff, n=0):
    status, answer = staff.post(f"/v1/vehicles/GBG-{n}/events", {"event": "provider_drop_off"})
    assert status == 200, answer


class Device:
    """The wire end of an OMNI vehicle, by hand."""

    def __init__(self, server, ident, dialect="SCOR", vendor="OM"):
        self.ident, self.dialect, self.vendor = ident, dialect, vendor
        self.socket = socket.create_connection(server.vehicles, timeout=20)
        self.received = b""

    def frame(self, rest):
        clock = "000000000000," if self.dialect == "CMDR" else ""
        return f"*{self.dialect},{self.vendor},{self.ident},{clock}{rest}#\n".encode()

    def say(self, rest):
        self.socket.sendall(self.frame(rest))

    def hear(self):
        """The next downstream frame, as it came."""
        while b"#" not in self.received:
            part = self.socket.recv(4096)
            assert part, "the server hung up"
            self.received += part
        frame, self.received = self.received.split(b"#", 1)
        self.received = self.received.lstrip(b"\n")
        return frame + b"#"

    def expect(self, command):
        """The next frame, which must be `command`: its parameters. Wishes about tracking and state may come between."""
        frame = self.hear()
        while any(b",%s" % wish in frame and command != wish.decode() for wish in (b"D1", b"S5", b"S6")):
            frame = self.hear()
        assert frame.startswith(b"\xff\xff*"), frame
        fields = frame[3:-1].decode().split(",")
        assert fields[0] == self.dialect[:3] + "S" and fields[1] == self.vendor and fields[2] == self.ident, frame
        rest = fields[4:] if self.dialect == "CMDR" else fields[3:]
        assert rest[0] == command, f"wanted {command}, got {frame}"
        return rest[1:]

    def sign_in(self, locked=1, battery=90):
        self.say("Q0,412,%d,28" % battery if self.dialect != "CMDR" else "Q0,412")
        self.say("H0,%d,412,28,%d,0" % (locked, battery) if self.dialect != "CMDR" else "H0,%d,412,28" % locked)

    def give_key(self, key=77):
        op, _, user, stamp = self.expect("R0")
        self.say(f"R0,{op},{key},{user},{stamp}")
        return user, stamp

    def close(self):
        self.socket.close()
