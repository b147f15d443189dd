# SPDX-License-Identifier: Apache-2.0
"""lifetime: how long a start takes with 100,000 declared vehicles, after an orderly stop and after a kill in mid-load; and
what a connected vehicle with all its state costs in memory: the slope of the resident size between a server that knows 1,000,
connected, and one that knows 10,000. Both saw 10,000 come and 50,000 messages: a ring's pages are no vehicle's memory."""
import os
import subprocess
import time

from kit.load import BINARY, Watched, declare, rss_bytes, say

VEHICLES = int(os.environ.get("BENCH_VEHICLES", "100000"))
FEW, MANY = 1000, 10000


def come_and_go(server, connections):
    done = subprocess.run(BINARY + ["load", "--quiet", *server.target(), "--declared", "--connections", str(connections),
                                    "--rate", "1000", "--for", "200ms", "--warmup", "0s"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def resident(server, connections):
    """Resident bytes of a fresh server on its data while that many vehicles are connected, after 50,000 messages in all: rings
    and caches are touched alike."""
    for _ in range(connections, MANY, connections):
        come_and_go(server, connections)
    load = subprocess.Popen(BINARY + ["load", "--quiet", *server.target(), "--declared", "--connections", str(connections),
                                      "--in-flight", "8", "--rate", "5000", "--for", "60s", "--warmup", "0s"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while server.metrics().get("paddock_acks_total", 0) < 50000:
            assert time.monotonic() < end and load.poll() is None, "the vehicles do not speak"
            time.sleep(0.2)
        return rss_bytes(server.process.pid)
    finally:
        load.terminate()
        load.wait(timeout=60)


def knows_only(vehicles):
    """With tables sized for as many: an index sized for a hundred times more is touched all over by the first few."""
    with Watched(f"rows.vehicles={vehicles}") as server:
        declare(server, vehicles)
        assert server.stop() == 0
        server.start()
        return resident(server, vehicles)


with Watched() as server:
    declare(server, VEHICLES)
    assert server.stop() == 0
    server.start()
    say(name=f"start with {VEHICLES} vehicles", value=server.start_s, unit="s")
    load = subprocess.Popen(BINARY + ["load", "--quiet", *server.target(), "--declared", "--connections", "1000",
                                      "--for", "30s"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(4)
    server.kill()
    load.terminate()
    load.wait(timeout=60)
    killed = time.monotonic()
    server.start()
    say(name=f"kill -9 under load to serving, {VEHICLES} vehicles", value=time.monotonic() - killed, unit="s")

slope = (knows_only(MANY) - knows_only(FEW)) / (MANY - FEW)
say(name="memory of a connected vehicle with all its state (slope)", value=slope, unit="bytes", peer="limit", peer_value=2048)
