# SPDX-License-Identifier: Apache-2.0
"""unlock: the server's share of an unlock, measured at the client: request sent to order at the lock, the lock's answer to
the reply. Idle, and beside 50,000 durable messages a second in an open loop. The server's own stamps split the order's way.

Two commits lie on that way, so beside it stands what two bare writes and syncs take on the same disk at the same pace."""
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

from kit.load import BINARY, SECONDS, Watched, people, say

RATE = int(os.environ.get("BENCH_RATE", "50000"))
STAGES = ("queue", "sync", "socket")


def stages(server):
    seen = server.metrics()
    return {s: (seen[f"paddock_order_{s}_seconds_sum"], seen[f"paddock_order_{s}_seconds_count"]) for s in STAGES}


def bare_syncs_ms(folder, count=100, pause_s=0.02):
    """The least that two commits can take: 200 bytes into a file that has its blocks already, one sync, no threads; twice."""
    path, took = pathlib.Path(folder) / "bare", []
    with open(path, "wb", buffering=0) as file:
        file.write(bytes(1 << 20))
        os.fsync(file.fileno())
        for at in range(count):
            begun = time.perf_counter()
            os.pwrite(file.fileno(), b"x" * 200, 200 * at)
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - begun) * 1000)
            time.sleep(pause_s)
    path.unlink()
    return 2 * statistics.median(took)


def measured(server, name, floor_ms):
    before = stages(server)
    said = people(server, "--riders", 50, "--connections", 100, "--near", 0, "--polls", 0, "--starts", 40,
                  "--ride-for", "500ms", for_s=max(SECONDS, 3) * 2, first=1)
    assert said["share_us"]["count"] > 50, said
    for part in ("share", "order", "answer"):
        for point in ("p50", "p99", "p999"):
            beside = {"peer": "two bare syncs", "peer_value": floor_ms} if (part, point) == ("share", "p50") else {}
            say(name=f"unlock {name}: {part} {point}", value=said[part + "_us"][point] / 1000, unit="ms", **beside)
    after = stages(server)
    for stage in STAGES:
        took, count = after[stage][0] - before[stage][0], after[stage][1] - before[stage][1]
        say(name=f"unlock {name}: mean {stage}", value=took / max(count, 1) * 1000, unit="ms")


with Watched() as server:
    floor_ms = bare_syncs_ms(pathlib.Path(server.data).parent)
    measured(server, "idle", floor_ms)
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        beside = BINARY + ["load", "--quiet", *server.target(), "--first", "10001", "--connections", "2000",
                           "--in-flight", "64", "--rate", str(RATE), "--warmup", "2s",
                           "--for", f"{int(max(SECONDS, 3) * 2 + 4)}s", "--json", report.name]
        load = subprocess.Popen(beside, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            measured(server, f"beside {RATE // 1000} k msg/s", floor_ms)
        finally:
            out, err = load.communicate(timeout=120)
        assert load.returncode == 0, out + err
        told = json.load(open(report.name))
        say(name="unlock: telemetry beside it", value=told["per_s"], unit="msg/s", peer="wanted", peer_value=RATE)
