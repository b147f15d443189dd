# SPDX-License-Identifier: Apache-2.0
"""durable: telemetry that is acknowledged after its commit, every last position compared afterwards, beside a bare echo of
the same bytes and beside Mosquitto QoS 1, by the same generator, one after the other in the same minute.

The server writes to a real file system, its keeper writes tables, someone follows the live events, metrics are scraped."""
import os

from kit.load import Watched, echo, load, mosquitto, say

SIZES = [int(n) for n in os.environ.get("BENCH_CONNECTIONS", "1000,10000").split(",")]
FLIGHTS = [int(n) for n in os.environ.get("BENCH_IN_FLIGHT", "1,8").split(",")]


def row(name, unit, figures, key, peer=None, peer_figures=None):
    one = {"name": name, "value": figures[key], "unit": unit}
    if peer_figures:
        one |= {"peer": peer, "peer_value": peer_figures[key]}
    say(**one)


with Watched("vehicles.frames_per_s=10000") as server, echo() as bare, mosquitto() as broker:
    declared = 0
    for connections in SIZES:
        for in_flight in FLIGHTS:
            options = ["--connections", connections, "--in-flight", in_flight]
            known = ["--declared"] if connections <= declared else []
            declared = max(declared, connections)
            ours = load(server, *options, *known)
            assert ours["positions"]["equal"] == connections, ours
            theirs = load(bare, *options)
            name = f"durable {connections} x {in_flight}"
            row(name, "msg/s", ours, "per_s", "bare epoll echo", theirs)
            if broker:
                row(name + " (mosquitto)", "msg/s", ours, "per_s", "mosquitto QoS 1", load(broker, *options))
            row(name + " server cpu", "us/msg", ours, "server_us_per_msg", "bare epoll echo", theirs)
            say(name=name + " p99", value=ours["latency_us"]["p99"] / 1000, unit="ms", peer="bare epoll echo",
                peer_value=theirs["latency_us"]["p99"] / 1000)
