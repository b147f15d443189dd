# SPDX-License-Identifier: Apache-2.0
"""A backup taken under load is a data directory: it checks, it serves, tokens and rides are in it; --follow keeps up."""
import pathlib
import signal
import subprocess

from support.paddock import BINARY, Client, Device, Server, declare_city, imei, until


def main():
    with Server() as server:
        staff = Client(server, "control")
        declare_city(staff, 3)
        device = Device(server, imei(0), "CMDR")
        device.sign_in()
        to = server.data + ".backup"
        once = subprocess.run(BINARY + ["backup", "--data", server.data, "--to", to], capture_output=True, text=True)
        assert once.returncode == 0, once.stdout + once.stderr
        follow = subprocess.Popen(BINARY + ["backup", "--data", server.data, "--to", to, "--follow"], stdout=subprocess.PIPE, text=True)
        follow.stdout.readline()
        for i in range(300):
            device.say(f"D0,1,120000.00,A,5741.{i:04d},N,01158.0000,E,9,0.8,231126,10,M,A")
            while b"Re,D0" not in device.hear():
                pass
        seq = server.metrics()["paddock_committed_seq"]
        server.kill()
        follow.send_signal(signal.SIGINT)
        said = follow.communicate(timeout=30)[0]
        assert follow.returncode == 0, said
        restored = Server(to)
        checked = restored.check()
        assert checked.returncode == 0, checked.stdout + checked.stderr
        with restored:
            staff.server = restored
            vehicle = until("the old token works", lambda: staff.get("/v1/vehicles/GBG-0"))[1]["vehicle"]
            assert abs(vehicle["device"]["lat"] - (57 + 41.0299 / 60)) < 1e-6, vehicle
            assert restored.metrics()["paddock_committed_seq"] >= seq
            assert restored.stop() == 0, restored.said()
        assert pathlib.Path(to, "contacts.db").exists()
    print("the followed backup serves, to the last acknowledged position")


if __name__ == "__main__":
    main()
