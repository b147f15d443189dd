# SPDX-License-Identifier: Apache-2.0
"""One ride, end to end: a phone asks over HTTP, the vehicle answers by its own protocol, every step in the right order."""
import json
import threading

from support.paddock import Client, Device, Server, declare_city, deploy, imei, until


def scooter_ride(server, staff):
    device = Device(server, imei(0))
    device.sign_in()
    device.expect("S6")  # its lock state is not known yet: it is asked
    until("the vehicle reported", lambda: staff.get("/v1/vehicles/GBG-0")[1]["vehicle"]["device"]["lock_state"] == "locked")
    deploy(staff)
    rider = Client(server, "rider")
    status, answer = rider.post("/v1/rides", {"vehicle_code": "GBG-0"}, key="tap-1")
    assert status == 202 and answer["ride"]["state"] == "unlocking", answer
    ride = answer["ride"]["id"]
    user, stamp = device.give_key(77)
    assert device.expect("L0") == ["77", user, stamp]
    assert rider.get("/v1/rides/current")[1]["ride"]["state"] == "unlocking", "only the vehicle starts the meter"
    device.say(f"L0,0,{user},{stamp}")
    assert device.expect("L0") == [], "acknowledged after the commit"
    until("riding", lambda: rider.get("/v1/rides/current")[1]["ride"]["state"] == "riding")
    again, repeated = rider.post("/v1/rides", {"vehicle_code": "GBG-0"}, key="tap-1")
    assert (again, repeated["ride"]["id"]) == (202, ride), "the same tap is the same ride"
    assert rider.post("/v1/rides", {"vehicle_code": "GBG-9"}, key="tap-1")[0] == 422
    other = Client(server, "rider")
    status, problem = other.post("/v1/rides", {"vehicle_code": "GBG-0"})
    assert status == 409 and problem["code"] == "vehicle_not_available" and problem["trace_id"], problem
    assert other.get(f"/v1/rides/{ride}")[0] in (403, 404), "somebody else's ride"

    device.say("S6,88,2,0,0,372,0,0,28,10,500")  # stands still, unlocked
    # The answer waits for the end; the vehicle is asked for its key meanwhile.
    ended = {}
    thread = threading.Thread(target=lambda: ended.update(zip(("status", "answer"), rider.post(f"/v1/rides/{ride}/end?wait=20"))))
    thread.start()
    user, stamp = device.give_key(5)
    assert device.expect("L1") == ["5"]
    asked = server.metrics()["paddock_replies_total"]
    device.say(f"L1,0,{user},{stamp},1")
    assert device.expect("L1") == []
    thread.join()
    assert server.metrics()["paddock_replies_total"] == asked, "the event brought the ride: the engine was not asked again"
    assert ended["status"] == 200 and ended["answer"]["ride"]["state"] in ("ended", "settled"), ended
    status, receipt = until("a receipt", lambda: (lambda r: r if r[0] == 200 else None)(rider.get(f"/v1/rides/{ride}/receipt")))
    assert receipt["total_minor"] == 1000 + 250 * receipt["minutes"] and receipt["minutes"] == 1, receipt
    assert receipt["currency"] == "SEK"
    assert rider.get("/v1/rides/current")[0] == 404
    device.close()
    return ride


def timeline(staff, ride):
    def kinds():
        _, answer = staff.get("/v1/vehicles/GBG-0/timeline?limit=100")
        return [e["kind"] for e in answer["events"]]
    until("the timeline tells of the charge", lambda: "ride_charged" in kinds())
    seen = kinds()
    for kind in ("registered", "device_connected", "vehicle_state", "ride_state", "command_state", "ride_charged"):
        assert kind in seen, (kind, seen)
    states = [e["ride_state"] for e in staff.get(f"/v1/rides/{ride}/timeline")[1]["events"] if e["kind"] == "ride_state"]
    assert states[::-1] == ["requested", "unlocking", "riding", "ending", "ended", "settled"], states


def bicycle_ride(server, staff):
    device = Device(server, imei(1), "CMDR")
    device.sign_in()
    until("the bicycle reported", lambda: staff.get("/v1/vehicles/GBG-1")[1]["vehicle"]["device"]["lock_state"] == "locked")
    deploy(staff, 1)
    rider = Client(server, "rider")
    status, answer = rider.post("/v1/rides", {"vehicle_code": "GBG-1"})
    assert status == 202, answer
    while True:  # a question about its state may come first
        frame = device.hear()
        if b",L0," in frame:
            break
    user, stamp = frame[3:-1].decode().split(",")[-2:]
    device.say(f"L0,0,{user},{stamp}")
    assert device.expect("Re") == ["L0"]
    until("riding", lambda: rider.get("/v1/rides/current")[1]["ride"]["state"] == "riding")
    device.say(f"L1,{user},{stamp},1")  # closed by hand
    assert device.expect("Re") == ["L1"]
    ride = answer["ride"]["id"]
    until("the lock ended the ride", lambda: rider.get(f"/v1/rides/{ride}")[1]["ride"]["state"] == "settled")
    assert rider.get(f"/v1/rides/{ride}")[1]["ride"]["reason"] == "lock_closed"
    device.close()


def main():
    with Server() as server:
        staff = Client(server, "control")
        declare_city(staff, 2)
        ride = scooter_ride(server, staff)
        timeline(staff, ride)
        bicycle_ride(server, staff)
        assert server.metrics()["paddock_commits_by_engine_total"] > 0, "while little goes on no thread is woken for a commit"
        assert server.stop() == 0, server.said()
        checked = server.check()
        assert checked.returncode == 0, checked.stdout + checked.stderr
    print(json.dumps({"ride": ride, "check": "fine"}))


if __name__ == "__main__":
    main()
