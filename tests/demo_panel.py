# SPDX-License-Identifier: Apache-2.0
"""The demo's panel over the world: a district without network, a lost lock report, a killed server, each as a rider
meets it, and how the report explains it. Strangers' pages may do none of it."""
import json
import time

from support.demo import At, Demo
from support.paddock import Client, request, until

HEADERS = {"Content-Type": "application/json"}


class Panel:
    def __init__(self, addresses):
        host, port = addresses["panel"].removeprefix("http://").rsplit(":", 1)
        self.at = host, int(port)

    def call(self, method, path, body=None, origin=None):
        headers = dict(HEADERS, **({"Origin": origin} if origin else {}))
        status, answer_headers, data = request(self.at, method, path, None if body is None else json.dumps(body), headers)
        return status, answer_headers, json.loads(data) if data else None

    def state(self):
        return self.call("GET", "/state")[2]

    def post(self, path, body=None):
        status, _, answer = self.call("POST", path, body)
        assert status in (200, 202), (path, status, answer)
        return answer


def strangers_are_refused(panel, addresses):
    for origin in ("http://example.org", "https://" + addresses["http"], "null"):
        status, headers, _ = panel.call("POST", "/kill", {}, origin)
        assert status == 403 and "Access-Control-Allow-Origin" not in headers, (origin, status)
    ours = "http://" + addresses["http"]
    status, headers, _ = panel.call("GET", "/state", origin=ours)
    assert status == 200 and headers["Access-Control-Allow-Origin"] == ours, headers


def scooter(control, locks=1):
    """One that can be ridden, charged, and that locks by itself (the first of its capabilities), or does not."""
    for v in control.get("/v1/vehicles?state=available&limit=100")[1]["vehicles"]:
        device = v["device"]
        if device and device["connected"] and device["caps"] & 1 == locks and device["fix_ms"] and device["battery_pct"] > 40:
            return v["code"], device
    return None


def state_of(rider, ride):
    return rider.get("/v1/rides/" + ride)[1]["ride"]


def a_district_is_cut(panel, control, rider):
    """The order goes into the void: the rider is never told that it opened, and pays nothing."""
    code, device = until("a scooter is there", lambda: scooter(control))
    cut = panel.post("/district", {"lat": device["lat"], "lon": device["lon"], "radius_m": 400, "for_s": 3600})
    assert cut["vehicles"] >= 1, cut
    status, answer = rider.post("/v1/rides", {"vehicle_code": code})
    assert status in (202, 409), (status, answer)
    if status == 202:
        ride = answer["ride"]["id"]
        over = until("the ride is over", lambda: (r := state_of(rider, ride))["state"] in ("failed", "cancelled") and r, 40)
        assert over["state"] == "failed" and not over.get("charge_minor"), over
    state = panel.state()
    assert len(state["districts"]) == 1 and state["without_network"] >= 1, state
    panel.post("/mend")
    until("all have network again", lambda: not panel.state()["districts"])
    return status == 202


def a_report_is_lost(panel, control, rider):
    """It takes five seconds longer and then goes on as if nothing had been."""
    code, _ = until("a scooter is there", lambda: scooter(control))
    lost = panel.state()["acks_lost"]
    panel.post("/lose-ack", {"vehicle": code})
    status, answer = rider.post("/v1/rides?wait=20", {"vehicle_code": code})
    assert status in (200, 202), (status, answer)
    ride = answer["ride"]["id"]
    until("it is ridden all the same", lambda: state_of(rider, ride)["state"] == "riding", 40)
    assert panel.state()["acks_lost"] > lost
    return ride, code


def it_moves_and_ends(control, rider, ride, code):
    """Nobody simulated rides it: the demo lets it roll, and stand when its rider asks to end."""
    def place():
        device = control.get("/v1/vehicles/" + code)[1]["vehicle"]["device"]
        return device["lat"], device["lon"]

    first = place()
    until("the guest's vehicle moves", lambda: place() != first, 20)

    def ended():
        state = state_of(rider, ride)["state"]
        if state == "riding":
            rider.post(f"/v1/rides/{ride}/end", {})
        return state == "settled"
    until("the guest's ride is settled", ended, 40)


def a_bicycle_is_closed_by_hand(control, rider):
    """Its rider asks to end at a browser: somebody of the demo pushes the lock shut."""
    code, _ = until("a bicycle is there", lambda: scooter(control, locks=0))
    status, answer = rider.post("/v1/rides?wait=20", {"vehicle_code": code})
    assert status in (200, 202), (status, answer)
    ride = answer["ride"]["id"]
    until("it is ridden", lambda: state_of(rider, ride)["state"] == "riding", 40)
    it_moves_and_ends(control, rider, ride, code)


def the_server_is_killed(panel, demo, control, rider):
    """In the middle of a ride: back on the same data and addresses, the ride is the same, and so is its meter."""
    code, _ = until("a scooter is there", lambda: scooter(control))
    status, answer = rider.post("/v1/rides?wait=20", {"vehicle_code": code})
    assert status in (200, 202), (status, answer)
    ride = answer["ride"]["id"]
    before = until("it is ridden", lambda: (r := state_of(rider, ride))["state"] == "riding" and r, 40)
    pid = demo.addresses()["pid"]
    panel.post("/kill")
    killed = time.monotonic()
    until("the server is back", lambda: panel.state()["server"]["restarts"] == 1 and panel.state()["server"]["up"], 30)
    back_s = time.monotonic() - killed
    until("its address is told", lambda: demo.addresses()["pid"] != pid, 10)
    after = state_of(rider, ride)
    assert after["id"] == ride and after["started_ms"] == before["started_ms"], (before, after)
    it_moves_and_ends(control, rider, ride, code)
    assert panel.state()["server"]["how"] == "was killed"
    return back_s


def main():
    with Demo("--speed", "8", "--vehicles", "30", "--seed", "3", "--hour", "3") as demo:
        addresses = demo.addresses()
        panel, at = Panel(addresses), At(addresses)
        control, rider = Client(at, "control"), Client(at, "rider")
        strangers_are_refused(panel, addresses)
        status, _, page = request(panel.at, "GET", "/")
        assert status == 200 and b"<form" in page
        went = a_district_is_cut(panel, control, rider)
        ride, code = a_report_is_lost(panel, control, rider)
        it_moves_and_ends(control, rider, ride, code)
        a_bicycle_is_closed_by_hand(control, rider)
        back_s = the_server_is_killed(panel, demo, control, rider)
        demo.process.terminate()
        code, report = demo.ended()
        assert code == 0, demo.said()
        assert report["districts_cut"] == 1 and report["server"]["restart_count"] == 1, report
        assert report["rides"]["unexplained"] == 0, report["rides"]
        said = demo.said()
        assert "is cut off for 3600 s" in said and "somebody kills the server" in said, said
    print(f"a cut {'failed a ride' if went else 'was known in time'}; back {back_s:.1f} s after the kill")


if __name__ == "__main__":
    main()
