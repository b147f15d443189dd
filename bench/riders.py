# SPDX-License-Identifier: Apache-2.0
"""riders: ten times a real operator's people in an open loop: 50,000 open apps that pan the map, look at their ride and start
rides, while ten times its vehicles' messages come in."""
import os
import subprocess

from kit.load import BINARY, SECONDS, Watched, people, say

RIDERS = int(os.environ.get("BENCH_RIDERS", "50000"))

with Watched() as server:
    beside = BINARY + ["load", "--quiet", *server.target(), "--first", "10001", "--connections", "3100", "--in-flight", "16",
                       "--rate", "3100", "--warmup", "0s", "--for", f"{int(SECONDS * 3 + 30)}s"]
    load = subprocess.Popen(beside, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        said = people(server, "--riders", RIDERS, "--connections", 400, "--ride-for", "10s", for_s=SECONDS * 3, first=1,
                      allow_dirty=True)
    finally:
        load.terminate()
        load.communicate(timeout=60)
    for kind in ("near", "poll", "start"):
        one = said[kind]
        say(name=f"riders {RIDERS}: {kind}", value=one["done"] / (said["measured_us"] / 1e6), unit="req/s", peer="wanted",
            peer_value=one["per_s"])
        for point in ("p50", "p99"):
            say(name=f"riders {RIDERS}: {kind} {point}", value=one["latency_us"][point] / 1000, unit="ms")
