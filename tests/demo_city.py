# SPDX-License-Identifier: Apache-2.0
"""The demo as people start it, only faster: 400 vehicles. Rides complete, vehicles move smoothly enough for a map, and
whatever failed or was refused is explained by what was done to it, never by the server's own words."""
import math

from support.demo import At, Demo
from support.paddock import Client, until

VEHICLES, SPEED = 400, 20


def metres(a, b):
    north = (b["lat"] - a["lat"]) * 111_320
    east = (b["lon"] - a["lon"]) * 111_320 * math.cos(math.radians(a["lat"]))
    return math.hypot(north, east)


def moves_smoothly(control):
    """A ridden vehicle is seen at ever other places, and never leaps: at most some seconds of riding apart."""
    def ridden():
        found = control.get("/v1/vehicles?state=on_trip&limit=200")[1]["vehicles"]
        return {v["code"]: v["device"] for v in found if v["device"] and v["device"].get("fix_ms")}

    last, steps = until("vehicles are ridden", ridden), []

    def watched():
        for code, now in ridden().items():
            was = last.get(code)
            if was and now["fix_ms"] > was["fix_ms"]:
                steps.append((metres(was, now), now["fix_ms"] - was["fix_ms"]))
            last[code] = now
        return len([m for m, _ in steps if m > 5]) > 40

    until("they are seen to move", watched)
    moved = [step for step in steps if step[0] > 5]
    # 13 to 19 km/h and some metres of drift; a jump of the receiver is seldom.
    wild = [step for step in moved if step[0] > step[1] / 1000 * 6.5 + 60]
    assert len(wild) <= len(moved) / 10, wild


def check(report):
    rides = report["rides"]
    assert rides["completed"] > 20, rides
    assert rides["unexplained"] == 0 and sum(rides["failed_by_fault"].values()) == rides["failed"], rides
    for ride in report["failed_rides"]:
        assert ride["fault"] and ride["fault"] != ride["reason"], ride
    assert sum(rides["refused_by_habit"].values()) == rides["refused"] == sum(rides["refused_by_persona"].values()), rides
    assert rides["refused_by_habit"].get("unexplained", 0) == 0, rides
    assert rides["failed"] < rides["started"] / 10, rides
    assert sum(report["riders"]["completed_by_persona"].values()) == rides["completed"], report["riders"]
    vehicles = report["vehicles"]
    assert vehicles["count"] == VEHICLES and sum(vehicles["by_state"].values()) == VEHICLES, vehicles
    faults, rates = vehicles["injected_faults"], vehicles["fault_rates_ppm"]
    assert set(faults) == set(rates), "a table of faults and their rates"
    for name in ("twice", "no_fix", "no_radio", "late", "drop"):
        assert faults[name] > 0, (name, faults)
    assert not [name for name, ppm in rates.items() if ppm == 0 and faults[name] and name != "late"], faults
    assert report["server"]["check"] == "fine" and report["broken_promise"] is None


def main():
    with Demo("--for", "30s", "--speed", str(SPEED), "--vehicles", str(VEHICLES), "--seed", "7", "--hour", "8") as demo:
        at = At(demo.addresses())
        control = Client(at, "control")
        moves_smoothly(control)
        code, report = demo.ended()
        assert code == 0, demo.said()
        check(report)
    rides = report["rides"]
    print(f"{rides['completed']} rides completed, {rides['failed']} failed {rides['failed_by_fault']}, "
          f"refused {rides['refused_by_habit']}")


if __name__ == "__main__":
    main()
