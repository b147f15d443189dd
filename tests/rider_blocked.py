# SPDX-License-Identifier: Apache-2.0
"""Control blocks a rider on a real server: nothing new starts, what is under way goes on, and it is told."""
import json

from support.paddock import Client, Device, Server, declare_city, deploy, imei, until


def blocked(server, staff):
    """A blocked rider starts nothing; the open ride goes on, and may be ended."""
    declare_city(staff, 2)
    devices = [Device(server, imei(n)) for n in range(2)]
    for n, device in enumerate(devices):
        device.sign_in()
        path = f"/v1/vehicles/GBG-{n}"
        until("it reported", lambda at=path: staff.get(at)[1]["vehicle"]["device"]["lock_state"] == "locked")
        deploy(staff, n)
    rider = Client(server, "rider")
    status, answer = rider.post("/v1/rides", {"vehicle_code": "GBG-0"})
    assert status == 202, answer
    account = rider.get("/v1/me")[1]["account"]
    assert staff.put(f"/v1/riders/{account}", {"state": "blocked"})["rider"]["state"] == "blocked"
    assert rider.get("/v1/rides/current")[1]["ride"]["id"] == answer["ride"]["id"], "the open ride goes on"
    assert rider.post(f"/v1/rides/{answer['ride']['id']}/end")[0] in (200, 202)
    until("it is over", lambda: rider.get("/v1/rides/current")[0] == 404)
    status, problem = rider.post("/v1/rides", {"vehicle_code": "GBG-1"})
    assert (status, problem["code"]) == (403, "rider_blocked"), problem
    staff.put(f"/v1/riders/{account}", {"state": "active"})
    assert rider.post("/v1/rides", {"vehicle_code": "GBG-1"})[0] == 202
    told = until("it is told", lambda: [e for e in staff.get("/v1/events?kind=rider_state")[1]["events"]] or None)
    assert {e["code"] for e in told} <= {"blocked", "active"} and told[0]["rider"] == account and told[0]["actor"], told
    assert staff.call("PUT", "/v1/riders/00000000-0000-4000-8000-000000000001", {"state": "blocked"})[0] == 404
    for device in devices:
        device.close()


def main():
    with Server() as server:
        blocked(server, Client(server, "control"))
        assert server.stop() == 0, server.said()
        assert server.check().returncode == 0
    print(json.dumps({"blocked": "fine"}))


if __name__ == "__main__":
    main()
