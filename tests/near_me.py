# SPDX-License-Identifier: Apache-2.0
"""What phones and the control room see of the street: vehicles come and go with what is true of them."""
import http.client
import json
import time

from support.paddock import Client, Device, Server, declare_city, deploy, imei, until

PLACES = [(57.7029167, 11.9643667), (57.7038167, 11.9643667), (57.7229167, 11.9643667)]  # the second 100 m off, the third 2 km
BOX = "west=11.9&south=57.6&east=12.1&north=57.8"
NEAR = "/v1/near?lat=57.7029&lon=11.9644"


def minutes(degrees):
    return f"{int(degrees) * 100 + (degrees - int(degrees)) * 60:09.4f}"


def position(device, lat, lon):
    clock, day = time.strftime("%H%M%S %d%m%y", time.gmtime()).split()
    device.say(f"D0,0,{clock}.00,A,{minutes(lat)},N,0{minutes(lon)},E,9,0.85,{day},12.3,M,A")


def rows(answer):
    return {row[0]: dict(zip(answer["columns"], row)) for row in answer["rows"]}


class LiveMap:
    """GET /v1/map/live, message by message."""

    def __init__(self, server, client, query):
        self.connection = http.client.HTTPConnection(*server.http, timeout=15)
        self.connection.request("GET", f"/v1/map/live?{query}", headers={"Authorization": "Bearer " + client.token})
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()

    def next(self):
        said = {}
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if not line and "data" in said:
                assert said["event"] == "rows", said
                return json.loads(said["data"])
            if ": " in line:
                name, said[line.split(": ")[0]] = line.split(": ", 1)

    def until(self, what, condition):
        for _ in range(20):
            message = self.next()
            if condition(message):
                return message
        raise AssertionError("the live map never told: " + what)

    def close(self):
        self.connection.close()


def start_fleet(server, staff):
    devices = [Device(server, imei(n)) for n in range(3)]
    for device, place in zip(devices, PLACES):
        device.sign_in()
        position(device, *place)
    def reported():
        answer = staff.get("/v1/map?" + BOX)[1]
        return len(answer["rows"]) == 3 and all(row["heard_ms"] for row in rows(answer).values())
    until("all three are on the staff's map", reported)
    return devices


def key_asked(device):
    """The vehicle is asked for a key; other questions may come before."""
    frame = device.hear()
    while b",R0," not in frame:
        frame = device.hear()
    op, _, user, stamp = frame[3:-1].decode().split(",")[4:]
    return op, user, stamp


def ready_to_rent(staff, n):
    return staff.get(f"/v1/vehicles/GBG-{n}")[1]["vehicle"]["device"]["lock_state"] == "locked"


def comes_and_goes(server, staff, rider, device):
    assert rider.get(NEAR)[1]["vehicles"] == [], "in the depot, nobody may rent it"
    assert rows(staff.get("/v1/map?" + BOX)[1])["GBG-0"]["state"] == "removed"
    until("its lock is known", lambda: ready_to_rent(staff, 0))
    deploy(staff)
    found = until("it appears", lambda: rider.get(NEAR)[1]["vehicles"])
    assert [v["code"] for v in found] == ["GBG-0"], found
    want = {"code": "GBG-0", "vehicle_type": "scooter", "motor": True, "battery_pct": 90, "unlock_minor": 1000,
            "minute_minor": 250, "currency": "SEK", "decimals": 2}
    assert {k: found[0][k] for k in want} == want and found[0]["distance_m"] < 10, found
    assert abs(found[0]["lat"] - PLACES[0][0]) < 1e-4 and abs(found[0]["lon"] - PLACES[0][1]) < 1e-4, found
    shown = rider.get("/v1/vehicles/GBG-0")[1]["vehicle"]
    assert shown["offer"]["rentable"] and shown["offer"]["unlock_minor"] == 1000 and shown["device"]["lat"], shown
    assert "id" not in shown and "ident" not in shown["device"], "a rider is told nothing of the device"

    status, answer = rider.post("/v1/rides", {"vehicle_code": "GBG-0"})
    assert status == 202, answer
    until("rented, it is shown to nobody", lambda: rider.get(NEAR)[1]["vehicles"] == [])
    assert rider.get("/v1/map?" + BOX)[1]["rows"] == []
    other = Client(server, "rider").get("/v1/vehicles/GBG-0")[1]["vehicle"]
    assert not other["offer"]["rentable"] and other["offer"]["refusal"] == "vehicle_not_available", other
    assert other["device"]["lat"] is None, "where others ride is theirs"
    op, user, stamp = key_asked(device)
    device.say(f"R0,{op},77,{user},{stamp}")
    device.expect("L0")
    device.say(f"L0,0,{user},{stamp}")
    until("the staff see it ridden", lambda: rows(staff.get("/v1/map?" + BOX)[1])["GBG-0"]["state"] == "on_trip")
    until("the counters too", lambda: staff.get("/v1/stats")[1]["open_rides"] == 1)
    position(device, PLACES[0][0] + 0.0018, PLACES[0][1])  # 200 m on
    device.say("S6,88,2,0,0,372,0,0,28,10,500")  # stands still, unlocked
    ride = answer["ride"]["id"]
    assert rider.post(f"/v1/rides/{ride}/end")[0] == 202
    op, user, stamp = key_asked(device)
    device.say(f"R0,{op},5,{user},{stamp}")
    device.expect("L1")
    device.say(f"L1,0,{user},{stamp},1")
    found = until("it is back", lambda: rider.get(NEAR)[1]["vehicles"])
    assert 190 <= found[0]["distance_m"] <= 215, found


def counts(staff):
    stats = until("the ride is counted", lambda: (lambda s: s if s["today"]["rides"] == 1 else None)(staff.get("/v1/stats")[1]))
    assert stats["vehicles"] == 3 and stats["vehicles_by_state"]["removed"] == 2 and stats["rentable"] == 1, stats
    assert stats["today"]["revenue"] == [{"currency": "SEK", "decimals": 2, "minor": 1250}], stats["today"]
    assert stats["open_rides"] == 0 and stats["unlocks"]["count"] == 1, stats
    waits = stats["unlocks"]
    assert 0 < waits["server_us"]["p50"] and waits["total_us"]["p50"] >= waits["server_us"]["p50"], waits
    assert staff.get("/v1/stats?city=gothenburg")[1]["today"]["rides"] == 1
    assert staff.get("/v1/stats?city=nowhere")[0] == 422


def moves(server, staff, device):
    shown = staff.get("/v1/map?" + BOX)[1]
    everything, changes = LiveMap(server, staff, BOX), LiveMap(server, staff, BOX + f"&after={shown['as_of_seq']}")
    small = LiveMap(server, staff, "west=11.9&south=57.70&east=12.1&north=57.71")
    assert set(rows(everything.next())) == {"GBG-0", "GBG-1", "GBG-2"}
    assert set(rows(small.next())) == {"GBG-0", "GBG-1"}
    first = changes.next()
    assert first["rows"] == [] and first["gone"] == [], "what the map showed is not told again"
    position(device, 57.7129, 11.97)
    message = changes.until("GBG-1 moved", lambda m: m["rows"])
    moved = rows(message)
    assert set(moved) == {"GBG-1"} and abs(moved["GBG-1"]["lat"] - 57.7129) < 1e-4, moved
    small.until("GBG-1 left the box", lambda m: m["gone"] == ["GBG-1"])
    for stream in (everything, changes, small):
        stream.close()


def refuses(server, staff, rider):
    assert rider.get(NEAR.replace("57.7029", "91"))[0] == 422
    assert rider.get("/v1/near?lat=57")[0] == 422
    assert rider.get(NEAR + "&limit=101")[0] == 422
    assert rider.get("/v1/stats")[0] == 403 and rider.get("/v1/map/live?" + BOX)[0] == 403
    assert rider.get("/v1/vehicles/GBG-77")[0] == 404
    assert staff.get("/v1/map?" + BOX + "&city=nowhere")[0] == 422
    pages = staff.get("/v1/map?" + BOX + "&limit=2")[1]
    rest = staff.get("/v1/map?" + BOX + "&limit=2&after=" + pages["next"])[1]
    assert len(pages["rows"]) == 2 and len(rest["rows"]) == 1 and rest["next"] is None, (pages, rest)
    figures = server.metrics()
    assert figures["paddock_street_vehicles"] == 3 and figures["paddock_street_age_seconds"] < 1, figures


def survives(server, staff, rider):
    server.kill()
    server.start()
    status, stats = staff.get("/v1/stats")  # the first request: the street is in view before anyone may ask
    assert status == 200 and stats["today"]["rides"] == 1 and stats["today"]["revenue"][0]["minor"] == 1250, stats
    assert stats["vehicles"] == 3, stats


def main():
    with Server() as server:
        staff, rider = Client(server, "control"), Client(server, "rider")
        declare_city(staff, 3)
        devices = start_fleet(server, staff)
        comes_and_goes(server, staff, rider, devices[0])
        counts(staff)
        moves(server, staff, devices[1])
        refuses(server, staff, rider)
        survives(server, staff, rider)
        assert server.stop() == 0, server.said()


if __name__ == "__main__":
    main()
