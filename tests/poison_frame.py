# SPDX-License-Identifier: Apache-2.0
"""A fact that stops the engine cannot hold a city: the next start refuses it once, shuts its sender out, and says so.
The poison is planted: the setting test.crash_on makes the reports of one device stop the engine."""
import socket

from support.paddock import Client, Device, Server, declare_city, imei, until


def main():
    with Server() as server:
        staff = Client(server, "control")
        declare_city(staff, 2)
        assert server.stop() == 0
        server.settings.append("test.crash_on=" + imei(0))
        server.start()
        device = Device(server, imei(0))
        device.say("H0,1,412,28,80,0")
        code = until("the engine stopped", lambda: server.process.poll())
        assert code < 0, f"ended with {code}, not by a fatal signal"
        assert "broken promise" in server.said()
        server.start()  # the poison is still planted; the sender is not listened to any more
        assert server.metrics()["paddock_refused_facts_total"] == 1
        poisoned = [d for d in staff.get("/v1/quarantine")[1]["devices"] if d["ident"] == imei(0)]
        until("its sender is in quarantine", lambda: [d for d in staff.get("/v1/quarantine")[1]["devices"]
                                                      if d["ident"] == imei(0) and d["poisoned"]])
        good = Device(server, imei(1))
        good.sign_in()
        until("the others live on", lambda: staff.get("/v1/vehicles/GBG-1")[1]["vehicle"]["device"]["lock_state"] == "locked")
        assert server.stop() == 0, server.said()
        assert server.check().returncode == 0
    print("refused once, sender shut out", len(poisoned))


if __name__ == "__main__":
    main()
