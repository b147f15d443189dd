# SPDX-License-Identifier: Apache-2.0
"""The clients in Python, Go and TypeScript each take one whole ride on a vehicle, over a network that loses the answer to
every POST once and cuts the event stream once: one ride, one charge, no event lost. Go is checked by vet and gofmt,
TypeScript by tsc; the types of clients/typescript are those that openapi-typescript makes of the document."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

from support.paddock import ROOT, Client, Device, Server, declare_city, deploy, imei, until

CLIENTS = ROOT / "clients"


class Lossy:
    """Between client and server: the first answer to each POST's key is lost, a stream is cut once after an event."""

    def __init__(self, server):
        self.server, self.lost, self.cut, self.listening = server, [], 0, threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def close(self):
        self.listener.close()

    @staticmethod
    def message(stream):
        """Head and body of one HTTP message; None at the end."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline()
            if not line:
                return None
            head += line
        fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:] if b": " in line)
        length = int(fields.get(b"content-length", 0))
        return head, stream.read(length) if length else b"", fields

    def serve(self, client):
        with client, socket.create_connection(self.server) as upstream:
            asked, answered = client.makefile("rb"), upstream.makefile("rb")
            try:
                while True:
                    request = self.message(asked)
                    if request is None:
                        return
                    upstream.sendall(request[0] + request[1])
                    if request[0].startswith(b"GET /v1/events/live"):
                        self.stream(client, answered)
                        return
                    answer = self.message(answered)
                    if answer is None:
                        return
                    key = request[2].get(b"idempotency-key")
                    if key and key not in self.lost:
                        self.lost.append(key)  # the server acted, and nobody hears of it
                        return
                    client.sendall(answer[0] + answer[1])
            except OSError:
                return
            finally:
                for end in (client, upstream):
                    try:
                        end.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass

    def stream(self, client, answered):
        for line in answered:
            self.listening.set()
            client.sendall(line)
            if line.startswith(b"data: ") and not self.cut:
                self.cut += 1
                client.sendall(b"\n")
                return


class Vehicle(threading.Thread):
    """Opens and closes as it is told, but not before somebody listens: so no event may be missing."""

    def __init__(self, server, n, listening):
        super().__init__(daemon=True)
        self.listening = listening
        self.device = Device(server, imei(n))
        self.device.sign_in()
        self.device.expect("S6")
        self.failed = None

    def run(self):
        try:
            assert self.listening.wait(timeout=60), "nobody listens"
            user, stamp = self.device.give_key(77)
            self.device.expect("L0")
            self.device.say(f"L0,0,{user},{stamp}")
            self.device.expect("L0")
            self.device.say("S6,88,2,0,0,372,0,0,28,10,500")
            user, stamp = self.device.give_key(5)
            self.device.expect("L1")
            self.device.say(f"L1,0,{user},{stamp},1")
        except (AssertionError, OSError) as e:
            self.failed = e


def run(command, cwd, env=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60,
                          env={**os.environ, **(env or {})})
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


def go(folder):
    env = {"GOFLAGS": "-mod=mod", "GOCACHE": str(ROOT / "build" / "go-cache"), "GOPROXY": "off", "GO111MODULE": "on",
           "HOME": folder}
    assert run(["gofmt", "-l", "."], CLIENTS / "go", env) == "", "gofmt would write clients/go differently"
    run(["go", "vet", "./..."], CLIENTS / "go", env)
    run(["go", "build", "-o", folder + "/ride", "./example"], CLIENTS / "go", env)
    return [folder + "/ride"]


def node():
    """The one that the pages are built with, for the same reasons."""
    return run([ROOT / "tools" / "apps", "--node"], ROOT).strip().split("\n")[-1] or "node"


def typescript(folder):
    run([ROOT / "tools" / "contract_npm"], ROOT)
    modules = ROOT / "build" / "npm" / "node_modules"
    made = pathlib.Path(folder) / "schema.d.ts"
    run([ROOT / "tools" / "client_types", str(made)], ROOT)
    committed = CLIENTS / "typescript" / "schema.d.ts"
    assert made.read_text() == committed.read_text(), "clients/typescript/schema.d.ts is stale: make docs"
    run([node(), modules / "typescript" / "bin" / "tsc", "-p", CLIENTS / "typescript", "--outDir", folder + "/js"], ROOT)
    (pathlib.Path(folder) / "js" / "package.json").write_text('{"type": "module"}')
    return [node(), folder + "/js/example.js"]


def one_ride(server, staff, n, command, env=None):
    network = Lossy(server.http)
    vehicle = Vehicle(server, n, network.listening)
    until("the vehicle reported", lambda: staff.get(f"/v1/vehicles/GBG-{n}")[1]["vehicle"]["device"]["lock_state"] == "locked")
    deploy(staff, n)
    vehicle.start()
    rider = Client(server, "rider")
    said = json.loads(run([*command, network.address, rider.token, f"GBG-{n}"], CLIENTS, env))
    vehicle.join(timeout=20)
    network.close()
    assert vehicle.failed is None, vehicle.failed
    assert said["mine"] == [said["ride"]] == [r["id"] for r in rider.get("/v1/rides")[1]["rides"]], said
    assert said["total_minor"] == 1250 and said["refused"] == "vehicle_unknown", said
    assert len(network.lost) == 3 and network.cut == 1, (network.lost, network.cut)
    states = [state for state in said["told"] if state in ("riding", "ending", "ended", "settled")]
    assert states == ["riding", "ending", "ended", "settled"], f"events were lost or came twice: {said}"
    assert "ride_charged" in said["told"], said
    return said


def main():
    with tempfile.TemporaryDirectory() as folder, Server() as server:
        staff = Client(server, "control")
        declare_city(staff, 3)
        languages = [("python", [sys.executable, "python/example.py"], {"PYTHONPATH": str(CLIENTS / "python")})]
        if shutil.which("go"):
            languages.append(("go", go(folder), None))
        languages.append(("typescript", typescript(folder), None))
        rides = {name: one_ride(server, staff, n, command, env) for n, (name, command, env) in enumerate(languages)}
        assert server.stop() == 0, server.said()
        checked = server.check()
        assert checked.returncode == 0, checked.stdout + checked.stderr
    print(json.dumps({name: ride["total_minor"] for name, ride in rides.items()}))
    assert "go" in rides, "no Go here: tools/install gets golang-go"


if __name__ == "__main__":
    main()
