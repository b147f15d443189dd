# SPDX-License-Identifier: Apache-2.0
"""Paddock is extended from outside: examples/refuse_ride.py, as it stands, refuses a ride and gets its signed events; a hook
that is down, slow or talks nonsense leaves its default; a receiver that was down, and a kill -9, lose no event."""
import base64
import hashlib
import hmac
import http.server
import json
import subprocess
import sys
import threading
import time

from support.paddock import ROOT, Client, Device, Server, declare_city, deploy, imei, until


class Peer(http.server.ThreadingHTTPServer):
    """Somebody who is called: keeps what it got and answers as it is told."""

    daemon_threads = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), PeerHandler)
        self.status, self.answer, self.wait = 200, {}, None
        self.calls = []
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self.thread.start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server_port}{path}"

    def close(self):
        if self.wait:
            self.wait.set()
        self.shutdown()
        self.server_close()
        self.thread.join()


class PeerHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        peer = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        peer.calls.append((dict(self.headers.items()), body, peer.status))
        if peer.wait:
            peer.wait.wait(20)
        answer = peer.answer if isinstance(peer.answer, bytes) else json.dumps(peer.answer).encode()
        try:
            self.send_response(peer.status)
            self.end_headers()
            self.wfile.write(answer)
        except OSError:
            pass  # the caller did not wait

    def log_message(self, *_):
        pass


def vehicle(server, staff, n):
    device = Device(server, imei(n))
    device.sign_in()
    until("the vehicle reported", lambda: staff.get(f"/v1/vehicles/GBG-{n}")[1]["vehicle"]["device"]["lock_state"] == "locked")
    return device


def start(rider, code, wait=10):
    status, answer = rider.post(f"/v1/rides?wait={wait}" if wait else "/v1/rides", {"vehicle_code": code})
    assert status in (200, 202), answer
    return answer["ride"]


def cancel(rider, ride):
    assert rider.post(f"/v1/rides/{ride['id']}/end")[1]["ride"]["state"] == "cancelled"


def the_example(server, staff, rider):
    api = "http://%s:%d" % server.http
    path = ROOT / "examples" / "refuse_ride.py"
    assert len(path.read_text().splitlines()) <= 35
    example = subprocess.Popen([sys.executable, str(path), api, staff.token, "GBG-0"], stdout=subprocess.PIPE, text=True)
    try:
        until("it declared itself", lambda: staff.get("/v1/webhooks/example")[0] == 200)
        ride = start(rider, "GBG-0")
        assert (ride["state"], ride["reason"], ride["hook_reason"]) == ("failed", "refused", "not_now"), ride
        assert ride["started_ms"] is None and ride["charge_minor"] == 0
        assert rider.get("/v1/rides/current")[0] == 404
        if time.localtime().tm_hour < 22:
            other = start(rider, "GBG-2", 0)  # a cancelled unlock keeps its vehicle busy: each its own
            assert other["state"] == "requested", other
            until("allowed", lambda: rider.get("/v1/rides/current")[1]["ride"]["state"] == "unlocking")
            cancel(rider, other)
        seen = []
        for line in example.stdout:  # only what was signed right is printed
            seen.append(json.loads(line))
            if (seen[-1]["ride"], seen[-1]["ride_state"], seen[-1]["kind"]) == (ride["id"], "failed", "ride_state"):
                break
        verdicts = [e["verdict"] for e in seen if e["kind"] == "ask_answered" and e["ride"] == ride["id"]]
        assert verdicts == ["refuse"], seen
        return ride
    finally:
        example.kill()
        example.wait()
        example.stdout.close()


def declare_hook(staff, peer, default, deadline_ms=400):
    return staff.put("/v1/hooks/ride.may_start", {"url": peer.url("/ask"), "deadline_ms": deadline_ms, "default": default})


def down_slow_or_mad(staff, rider):
    """The example is gone: whatever a hook does that is no answer, its default holds at the deadline."""
    gone = Peer()
    gone.close()
    declare_hook(staff, gone, "refuse")
    began = time.monotonic()
    ride = start(rider, "GBG-1")
    assert (ride["state"], ride["reason"]) == ("failed", "not_answered"), ride
    assert time.monotonic() - began < 5
    declare_hook(staff, gone, "allow")
    ride = start(rider, "GBG-3", 0)
    until("allowed by default", lambda: rider.get("/v1/rides/current")[1]["ride"]["state"] == "unlocking")
    cancel(rider, ride)

    peer = Peer()
    peer.wait, peer.answer = threading.Event(), {"verdict": "allow"}
    declare_hook(staff, peer, "refuse")
    ride = start(rider, "GBG-1")
    assert (ride["state"], ride["reason"]) == ("failed", "not_answered"), "a slow hook"
    peer.wait.set()  # its answer comes too late and changes nothing
    assert rider.get(f"/v1/rides/{ride['id']}")[1]["ride"]["state"] == "failed"
    peer.wait = None

    for status, answer in ((500, {"verdict": "allow"}), (200, b"nonsense"), (200, {"verdict": "perhaps"}), (302, b"")):
        peer.status, peer.answer, peer.calls = status, answer, []
        ride = start(rider, "GBG-1")
        assert (ride["state"], ride["reason"]) == ("failed", "not_answered"), (status, answer, ride)
        assert len({json.loads(c[1])["id"] for c in peer.calls}) == 1 and len(peer.calls) > 1, "asked again under one id"
    peer.status, peer.answer = 200, {"verdict": "refuse", "reason": "too young", "text_key": "ride.too_young"}
    ride = start(rider, "GBG-1")
    assert (ride["hook_reason"], ride["hook_text"]) == ("", "ride.too_young"), "a reason is one word"
    peer.close()
    assert staff.call("DELETE", "/v1/hooks/ride.may_start")[0] == 200
    assert staff.get("/v1/hooks/ride.may_start")[0] == 404
    ride = start(rider, "GBG-4", 0)
    assert ride["state"] == "unlocking", "nobody is asked any more"
    cancel(rider, ride)


def verified(secret, call):
    headers = {k.lower(): v for k, v in call[0].items()}
    signed = f'{headers["webhook-id"]}.{headers["webhook-timestamp"]}.'.encode() + call[1]
    right = base64.b64encode(hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == "v1," + right
    return headers["webhook-id"]


def taken(peer):
    """Events of the deliveries that were taken, doubles dropped by id, in the order they came."""
    events, seen = [], set()
    for _, body, status in peer.calls:
        for event in json.loads(body)["events"] if status == 200 else []:
            if event["id"] not in seen:
                seen.add(event["id"])
                events.append(event)
    return events


def nothing_is_lost(server, staff):
    peer = Peer()
    answer = staff.put("/v1/webhooks/log", {"url": peer.url("/events"), "kinds": ["registered", "vehicle_state"]})
    secret = answer["webhook"]["secret"]
    assert answer["webhook"]["kinds"] == ["vehicle_state", "registered"]
    assert "secret" not in staff.get("/v1/webhooks/log")[1]["webhook"], "shown once"

    def make(first, count):
        for n in range(first, first + count):
            staff.put(f"/v1/vehicles/W-{n}", {"city": "gothenburg", "vehicle_type": "scooter"})
        return [f"W-{n}" for n in range(first, first + count)]

    def codes():
        return [e["code"] for e in taken(peer) if e["code"].startswith("W-")]

    wanted = make(0, 5)
    until("delivered", lambda: codes() == wanted)
    assert server.metrics()["paddock_outbound_delivered_events_total"] >= 5
    peer.status = 500
    wanted += make(5, 5)
    resting = lambda w: w if w["failures"] >= 2 and w["next_try_ms"] else None
    state = until("it is retried", lambda: resting(staff.get("/v1/webhooks/log")[1]["webhook"]))
    assert state["state"] in ("retrying", "down") and state["last_status"] == 500, state
    assert state["lag_facts"] > 0 and codes() == wanted[:5]
    ids = [verified(secret, c) for c in peer.calls if c[2] == 500]
    assert len(set(ids)) == 1, "the same delivery again, under the same id"
    server.kill()
    server.start()
    wanted += make(10, 5)
    peer.status = 200
    until("nothing was lost", lambda: codes() == wanted)
    for call in peer.calls:
        verified(secret, call)
    events = [(e["seq"], e["part"]) for e in taken(peer)]
    assert events == sorted(events), "in order"
    until("told", lambda: staff.get("/v1/webhooks/log")[1]["webhook"]["state"] == "idle")
    server.kill()
    peer.calls = []
    server.start()
    wanted = make(15, 2)
    until("from the cursor on", lambda: codes()[-2:] == wanted)

    peer.calls = []
    status, answer = staff.post("/v1/webhooks/log/replay", {"after": "0.0"})
    assert status == 200, answer
    until("replayed from the beginning", lambda: codes() == [f"W-{n}" for n in range(17)])
    assert staff.call("DELETE", "/v1/webhooks/log")[0] == 200 and staff.get("/v1/webhooks/log")[0] == 404
    before = len(peer.calls)
    make(17, 1)
    server.kill()
    server.start()
    assert staff.get("/v1/webhooks/log")[0] == 404
    make(18, 1)
    assert len(peer.calls) == before
    peer.close()


def refused(staff):
    for url in ("ftp://a/", "http://u:p@a/", "http://a:0/", "nonsense", "http://" + "a" * 600):
        assert staff.call("PUT", "/v1/webhooks/bad", {"url": url})[0] == 422, url
    assert staff.call("PUT", "/v1/webhooks/bad", {"url": "http://a/", "kinds": ["nothing"]})[0] == 422
    assert staff.call("PUT", "/v1/webhooks/bad", {"url": "http://a/", "city": "nowhere"})[0] == 422
    assert staff.call("PUT", "/v1/hooks/ride.may_start", {"url": "http://a/", "deadline_ms": 99})[0] == 422
    assert staff.call("PUT", "/v1/hooks/nothing", {"url": "http://a/"})[0] in (404, 422)
    assert staff.get("/v1/webhooks/bad")[0] == 404


def main():
    with Server(None, "outbound.private=true") as server:
        staff = Client(server, "control")
        declare_city(staff, 5)
        devices = [vehicle(server, staff, n) for n in range(5)]
        for n in range(5):
            deploy(staff, n)
        rider = Client(server, "rider")
        ride = the_example(server, staff, rider)
        down_slow_or_mad(staff, rider)
        refused(staff)
        nothing_is_lost(server, staff)
        assert server.stop() == 0, server.said()
        checked = server.check()
        assert checked.returncode == 0, checked.stdout + checked.stderr
        for device in devices:
            device.close()
    with Server() as server:  # without the setting nothing inside is called
        staff = Client(server, "control")
        peer = Peer()
        staff.put("/v1/webhooks/inside", {"url": peer.url("/")})
        declare_city(staff, 1)
        until("refused", lambda: "not public" in (staff.get("/v1/webhooks/inside")[1]["webhook"]["last_error"] or ""))
        assert not peer.calls
        peer.close()
        assert server.stop() == 0, server.said()
    print(json.dumps({"ride": ride["id"], "check": "fine"}))


if __name__ == "__main__":
    main()
