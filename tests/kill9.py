# SPDX-License-Identifier: Apache-2.0
"""kill -9 at a random moment under load, again and again: whatever a client saw acknowledged is there afterwards, once.

ROUNDS (default 6; 100 for the full proof) kills. Clients keep their own logs: positions that were acknowledged, rides that
were answered with 202, receipts that were read. SEED (printed) draws the moments."""
import http.client
import os
import random
import sqlite3
import threading
import time
import uuid

from support.paddock import Client, Device, Server, declare_city, deploy, imei, until

ROUNDS = int(os.environ.get("ROUNDS") or 6)
SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))
VEHICLES = 12
GONE = (OSError, AssertionError, http.client.HTTPException, ValueError)


class Bicycle(threading.Thread):
    """A horseshoe lock: sends positions one after another, opens when ordered, is closed by its rider's hand."""

    def __init__(self, world, n):
        super().__init__(daemon=True)
        self.world, self.n = world, n
        self.sent = self.acked = 0      # thousandths of a minute of latitude: each position is another place
        self.locked = True
        self.order = None
        self.owed = []                  # lock reports that nobody acknowledged yet
        self.guard = threading.Lock()

    def close_lock(self):
        with self.guard:
            if self.locked or not self.order:
                return
            self.locked = True
            self.owed.append("L1,%s,%s,1" % self.order)

    def position(self):
        self.sent += 1
        return f"D0,1,120000.00,A,{5700 + self.sent // 10000}.{self.sent % 10000:04d},N,01158.0000,E,9,0.8,231126,10,M,A"

    def run(self):
        while not self.world.over:
            try:
                self.talk(Device(self.world.server, imei(self.n), "CMDR"))
            except GONE:
                time.sleep(0.02)

    def talk(self, device):
        device.sign_in(locked=int(self.locked))
        device.socket.settimeout(5)
        waiting = None
        while not self.world.over:
            with self.guard:
                if waiting is None and self.owed:
                    waiting = self.owed[0]
                elif waiting is None:
                    waiting = self.position()
            device.say(waiting)
            while waiting:
                waiting = self.hear(device, waiting)

    def hear(self, device, waiting):
        fields = device.hear()[3:-1].decode().split(",")[4:]
        if fields[0] == "L0":
            with self.guard:
                self.order, self.locked = (fields[2], fields[3]), False
                self.owed.append("L0,0,%s,%s" % self.order)
        elif fields[0] == "S5":
            device.say(f"S5,412,28,9,{int(self.locked)},0")
        elif fields[:2] == ["Re", "D0"] and waiting.startswith("D0"):
            self.acked = self.sent
            return None
        elif fields[0] == "Re" and waiting.startswith(fields[1]):
            with self.guard:
                self.owed.remove(waiting)
            return None
        return waiting


class Rider(threading.Thread):
    def __init__(self, world, n):
        super().__init__(daemon=True)
        self.world, self.n = world, n
        self.client = Client(world.server, "rider")
        self.random = random.Random(SEED + n)
        self.keys = {}      # key -> ride id that was answered
        self.receipts = {}  # ride id -> what the phone showed

    def ask(self, *args, **kw):
        """Until there is an answer; the same request under the same key."""
        while not self.world.over:
            try:
                status, answer = self.client.call(*args, **kw)
                if status not in (503, 429):
                    return status, answer
            except GONE:
                pass
            time.sleep(0.02)
        raise SystemExit

    def run(self):
        while not self.world.over:
            bicycle = self.world.bicycles[self.random.randrange(VEHICLES)]
            key = uuid.uuid4().hex
            status, answer = self.ask("POST", "/v1/rides", {"vehicle_code": f"GBG-{bicycle.n}"}, key=key)
            if status != 202:
                time.sleep(0.02)
                continue
            ride = self.keys[key] = answer["ride"]["id"]
            while True:
                state = self.ask("GET", f"/v1/rides/{ride}")[1]["ride"]["state"]
                if state == "riding":
                    bicycle.close_lock()
                if state in ("settled", "failed", "cancelled"):
                    break
                time.sleep(0.01)
            if state == "settled":
                self.receipts[ride] = self.ask("GET", f"/v1/rides/{ride}/receipt")[1]["total_minor"]


class World:
    def __init__(self, server):
        self.server, self.over = server, False
        staff = Client(server, "control")
        declare_city(staff, VEHICLES, radius_m=0)  # positions wander far: each is another place
        self.bicycles = [Bicycle(self, n) for n in range(VEHICLES)]
        for b in self.bicycles:
            b.start()
        until("all vehicles reported", lambda: all(b.acked for b in self.bicycles))
        for n in range(VEHICLES):
            deploy(staff, n)
        self.riders = [Rider(self, n) for n in range(4)]
        for r in self.riders:
            r.start()


def judge(world, data):
    db = sqlite3.connect(f"file:{data}/tables.db?mode=ro", uri=True)
    rides = {r[0]: r for r in db.execute("SELECT uuid, state, charge_minor FROM rides")}
    places = dict(db.execute("SELECT ident, lat_e7 FROM devices"))
    answered = 0
    for rider in world.riders:
        assert len(set(rider.keys.values())) == len(rider.keys), "two keys, one ride"
        for ride in rider.keys.values():
            answered += 1
            assert ride in rides, f"ride {ride} was answered with 202 and is gone"
        for ride, total in rider.receipts.items():
            assert rides[ride][1:] == ("settled", total), (rides[ride], total)
    for b in world.bicycles:
        want = (57 + (b.acked / 10000) / 60) * 1e7
        assert places[imei(b.n)] >= want - 2, f"the position acknowledged to vehicle {b.n} is gone"
    twice = db.execute("SELECT ride_id, count(*) FROM postings GROUP BY ride_id HAVING count(*) <> 2 OR sum(amount_minor) <> 0").fetchall()
    assert not twice, f"postings that do not balance: {twice}"
    settled = [r for r in rides.values() if r[1] == "settled"]
    return answered, len(settled), sum(len(r.receipts) for r in world.riders), sum(b.acked for b in world.bicycles)


def main():
    print(f"seed {SEED}, {ROUNDS} rounds")
    moments = random.Random(SEED)
    # A fixed port: clients come back to where the server was.
    with Server() as server:
        world = World(server)
        fixed = ["http.address=%s:%d" % server.http, "vehicles.address=%s:%d" % server.vehicles]
        server.settings += fixed
        slowest = 0.0
        for _ in range(ROUNDS):
            time.sleep(moments.uniform(0.05, 0.9))
            server.kill()
            server.start()
            slowest = max(slowest, server.start_s)
        time.sleep(0.5)
        world.over = True
        for thread in world.riders + world.bicycles:
            thread.join(timeout=40)
        assert server.stop() == 0, server.said()
        answered, settled, receipts, positions = judge(world, server.data)
        checked = server.check()
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert slowest <= 2.0, f"a start took {slowest:.2f} s"
        assert answered and receipts and positions, "nothing was acknowledged: the test tested nothing"
    print(f"{ROUNDS} kills; acknowledged and there: {positions} positions, {answered} rides, {receipts} receipts of {settled} "
          f"settled rides; slowest start {slowest:.2f} s")


if __name__ == "__main__":
    main()
