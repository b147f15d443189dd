# SPDX-License-Identifier: Apache-2.0
"""Many vehicles in one call: a dry run changes nothing, the real one does each once, also when it is repeated; a ridden vehicle
and another city's are left alone; lists find them by what they are."""
import json
import subprocess

from support.paddock import BINARY, Client, Device, Server, declare_city, deploy, imei, until

COUNT, RIDDEN = 20, "GBG-7"


class Narrow(Client):
    """Staff of one city."""

    def __init__(self, server, cities):
        self.server, self.role = server, "control"
        command = BINARY + ["token", "--data", server.data, "--role", "control", "--cities", cities]
        self.token = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def bulk(staff, body, key=None):
    status, answer = staff.post("/v1/vehicles/bulk", body, key)
    assert status == 200, (status, answer)
    assert answer["total"] == len(answer["vehicles"]) and answer["ok"] == sum(v["ok"] for v in answer["vehicles"]), answer
    return answer


def states(staff):
    return {v["code"]: (v["state"], v["state_ms"]) for v in staff.get("/v1/vehicles?limit=200")[1]["vehicles"]}


def listed(staff, query):
    """Every page of two."""
    codes, after = [], ""
    while True:
        status, page = staff.get(f"/v1/vehicles?limit=2&{query}{after}")
        assert status == 200, page
        codes += [v["code"] for v in page["vehicles"]]
        if not page["next"]:
            return codes
        after = "&after=" + page["next"]


def wanted(device, command):
    """The parameters of the next such frame, whatever comes before it."""
    while True:
        fields = device.hear()[3:-1].decode().split(",")
        if fields[3] == command:
            return fields[4:]


def street(server, staff):
    declare_city(staff, COUNT)
    staff.put("/v1/cities/malmo", {"name": "Malmo", "legal_entity": "se", "time_zone": "Europe/Stockholm", "lat": 55.6,
                                   "lon": 13})
    staff.put("/v1/vehicle-types/bicycle", {"name": "Bicycle", "heartbeat_s": 240, "motor": False})
    staff.put("/v1/vehicles/MAL-1", {"city": "malmo", "vehicle_type": "bicycle"})
    devices = [Device(server, imei(n)) for n in range(COUNT)]
    for n, device in enumerate(devices):
        device.sign_in(battery=20 if n < 3 else 90)
    for n in range(COUNT):
        path = f"/v1/vehicles/GBG-{n}"
        until("it is locked", lambda p=path: staff.get(p)[1]["vehicle"]["device"]["lock_state"] == "locked")
        deploy(staff, n)
    staff.post("/v1/vehicles/MAL-1/events", {"event": "provider_drop_off"})
    assert Client(server, "rider").post("/v1/rides", {"vehicle_code": RIDDEN})[0] == 202
    user, stamp = wanted(devices[7], "R0")[-2:]
    devices[7].say(f"R0,0,77,{user},{stamp}")
    wanted(devices[7], "L0")
    devices[7].say(f"L0,0,{user},{stamp}")
    until("the ride has begun", lambda: staff.get(f"/v1/vehicles/{RIDDEN}")[1]["vehicle"]["state"] == "on_trip")
    return devices


def lists(staff):
    until("the tables have heard of it", lambda: len(listed(staff, "battery_max_pct=20")) == 3)
    assert listed(staff, "battery_max_pct=20") == ["GBG-0", "GBG-1", "GBG-2"]
    assert listed(staff, "q=gbg-1") == ["GBG-1"] + [f"GBG-{n}" for n in range(10, COUNT)]
    assert listed(staff, "vehicle_type=bicycle") == ["MAL-1"]
    assert listed(staff, "silent_s=3600") == []
    assert staff.post("/v1/vehicles/GBG-5/damage", {"kind": "brakes"})[0] == 200
    assert listed(staff, "damaged=true") == ["GBG-5"]
    assert listed(staff, "damaged=false&city=gothenburg&q=gbg-5") == []
    assert staff.post("/v1/vehicles/GBG-5/events", {"event": "maintenance"})[0] == 200
    assert staff.get("/v1/vehicles?vehicle_type=boat")[0] == 422


def many(staff, narrow):
    repair = {"event": "maintenance", "to": "non_operational", "city": "gothenburg"}
    before = states(staff)
    dry = bulk(staff, repair)
    assert dry["dry_run"] and dry["total"] == COUNT and dry["ok"] == COUNT - 1, dry
    assert {v["code"]: v["error"] for v in dry["vehicles"] if not v["ok"]} == {RIDDEN: "event_not_allowed"}, dry
    assert states(staff) == before, "a dry run changes nothing"

    done = bulk(staff, {**repair, "dry_run": False}, "night-1")
    assert not done["dry_run"] and done["vehicles"] == dry["vehicles"], done
    after = states(staff)
    changed = {c for c in after if after[c] != before[c]}
    assert changed == {f"GBG-{n}" for n in range(COUNT)} - {RIDDEN}, changed
    assert all(after[c][0] == "non_operational" for c in changed)
    again = bulk(staff, {**repair, "dry_run": False}, "night-1")
    assert again["vehicles"] == done["vehicles"], "the same call, the same answer"
    assert states(staff) == after, "and nothing twice"
    status, answer = staff.post("/v1/vehicles/bulk", {**repair, "dry_run": True}, "night-1")
    assert status == 422 and answer["code"] == "idempotency_mismatch", answer

    codes = ["GBG-1", "MAL-1", "NO-1"]
    seen = bulk(narrow, {"event": "maintenance", "codes": codes, "dry_run": False})
    assert [(v["code"], v["error"]) for v in seen["vehicles"]] == [("GBG-1", "vehicle_unknown"), ("MAL-1", None),
                                                                   ("NO-1", "vehicle_unknown")], seen
    assert states(staff)["GBG-1"] == after["GBG-1"], "another city's vehicle is left alone"
    assert bulk(narrow, {"event": "maintenance", "state": "non_operational", "damaged": False})["total"] == 1
    return done


def orders(staff, devices):
    """A locate for three; each is followed by its id. A lock is refused: nobody knows that they stand still."""
    answer = bulk(staff, {"op": "locate", "codes": ["GBG-0", "GBG-1", "GBG-2"], "dry_run": False})
    assert answer["ok"] == 3 and len({v["command_id"] for v in answer["vehicles"]}) == 3, answer
    for n in range(3):
        wanted(devices[n], "D0")
    assert staff.get("/v1/commands/" + answer["vehicles"][0]["command_id"])[1]["command"]["op"] == "locate"
    lock = bulk(staff, {"op": "lock", "codes": [RIDDEN]})
    assert lock["ok"] == 0 and lock["vehicles"][0]["error"] in ("interlock", "vehicle_busy"), lock


def main():
    with Server() as server:
        staff = Client(server, "control")
        devices = street(server, staff)
        lists(staff)
        narrow = Narrow(server, "malmo")
        done = many(staff, narrow)
        orders(staff, devices)
        assert server.metrics()["paddock_api_bulk_vehicles_total"] > 2 * COUNT
        assert server.stop() == 0, server.said()
        assert server.check().returncode == 0
    print(json.dumps({"done": done["ok"], "of": done["total"]}))


if __name__ == "__main__":
    main()
