# SPDX-License-Identifier: Apache-2.0
"""lifetime: how long a start takes with 100,000 declared vehicles, after an orderly stop and after a kill in mid-load; and
what a connected vehicle costs in memory: the slope of the resident size between 1,000 and 10,000 connections."""
import os
import subprocess
import time

from kit.load import BINARY, Watched, declare, rss_bytes, say

VEHICLES = int(os.environ.get("BENCH_VEHICLES", "100000"))


def held(server, connections):
    """Resident bytes while that many vehicles are connected and have spoken twice, gently: no queue ever fills."""
    load = subprocess.Popen(BINARY + ["load", "--quiet", *server.target(), "--declared", "--connections", str(connections),
                                      "--rate", str(connections), "--for", "30s", "--warmup", "0s"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 40
        before = server.metrics().get("paddock_acks_total", 0)
        while server.metrics()["paddock_acks_total"] - before < 2 * connections:
            assert time.monotonic() < end and load.poll() is None, "the vehicles do not speak"
            time.sleep(0.2)
        return rss_bytes(server.process.pid)
    finally:
        load.terminate()
        load.wait(timeout=60)


with Watched() as server:
    declare(server, VEHICLES)
    assert server.stop() == 0
    server.start()
    say(name=f"start with {VEHICLES} vehicles", value=server.start_s, unit="s")
    held(server, 10000)  # pages that are touched once, by whoever comes first
    slope = (held(server, 10000) - held(server, 1000)) / 9000
    say(name="memory of a connected vehicle (slope)", value=slope, unit="bytes")
    load = subprocess.Popen(BINARY + ["load", "--quiet", *server.target(), "--declared", "--connections", "1000",
                                      "--for", "30s"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(4)
    server.kill()
    load.terminate()
    load.wait(timeout=60)
    killed = time.monotonic()
    server.start()
    say(name=f"kill -9 under load to serving, {VEHICLES} vehicles", value=time.monotonic() - killed, unit="s")
