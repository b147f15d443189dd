# SPDX-License-Identifier: Apache-2.0
"""A frame pasted into a bare connection: the device waits in quarantine, staff adopt it, unlock it and read the very bytes; the
vehicle's timeline and its frames tell one story: what it said, what was decided, the commit, what it was told."""
import time

from support.paddock import Client, Device, Server, declare_city, imei, until


def frames(staff, query=""):
    status, page = staff.get("/v1/vehicles/GBG-0/frames" + query)
    assert status == 200, page
    return page


def main():
    with Server() as server:
        staff, rider = Client(server, "control"), Client(server, "rider")
        declare_city(staff, vehicles=0)
        device = Device(server, imei(0))
        device.sign_in()
        found = until("it is in quarantine", lambda: staff.get("/v1/quarantine")[1]["devices"])
        assert [d["ident"] for d in found] == [imei(0)] and found[0]["protocol"] == "omni", found
        staff.put("/v1/vehicles/GBG-0", {"city": "gothenburg", "vehicle_type": "scooter", "protocol": "omni",
                                         "device": imei(0)})
        device.say("K0,B2C4D6E8")  # a Bluetooth key: nobody needs to read it
        status, answer = staff.post("/v1/vehicles/GBG-0/commands", {"op": "unlock"})
        assert status == 202, answer
        command = answer["command"]["id"]
        while True:
            frame = device.hear()
            if b",R0," in frame:
                break
        user, stamp = frame[:-1].decode("latin-1").split(",")[-2:]
        device.say(f"R0,0,77,{user},{stamp}")
        told = device.hear()
        assert b",L0,77," in told, told
        device.say(f"L0,0,{user},{stamp}")
        assert device.hear().endswith(b",L0#")
        until("it is done", lambda: staff.get(f"/v1/commands/{command}")[1]["command"]["state"] == "done")

        began = time.monotonic()
        events = until("the timeline has it", lambda: [e for e in staff.get("/v1/vehicles/GBG-0/timeline")[1]["events"]
                                                       if e["command"] == command and e["command_state"] == "done"])
        page = frames(staff)["frames"]
        took_ms = 1000 * (time.monotonic() - began)
        texts = [f["text"] for f in page]
        assert f"*SCOR,OM,{imei(0)},K0,xxxxxxxx#" in texts, texts
        assert page[0]["direction"] == "out" and page[0]["text"] == f"..*SCOS,OM,{imei(0)},L0#.", page[0]
        assert page[0]["seq"] == events[0]["seq"], "the acknowledgement names the commit of the decision"
        assert page[1]["direction"] == "in" and page[1]["text"].endswith(f"L0,0,{user},{stamp}#"), page[1]
        order = next(f for f in page if f["hex"] == told.hex() + "0a")
        assert order["direction"] == "out" and order["seq"], order
        times = [f["at_ms"] for f in page]
        assert times == sorted(times, reverse=True)

        first = frames(staff, "?limit=2")
        rest = frames(staff, f"?limit=200&before={first['next']}")
        assert first["frames"] + rest["frames"] == page and rest["next"] is None
        assert frames(staff, f"?until_ms={times[-1] - 1}")["frames"] == []
        assert rider.get("/v1/vehicles/GBG-0/frames")[0] == 403
        assert staff.get("/v1/vehicles/GBG-9/frames")[0] == 404
        assert server.stop() == 0
    print(f"quarantine, adopted, unlocked; timeline and frames in {took_ms:.0f} ms")


if __name__ == "__main__":
    main()
