# SPDX-License-Identifier: Apache-2.0
"""The demo's server is killed in the middle of it all: the demo says so, starts it again on the same data and
addresses, and rides go on."""
import email.utils
import json
import os
import re
import signal
import subprocess

from support.demo import At, Demo, gone
from support.paddock import BINARY, request, until

KILLS = 2


def completed(demo):
    return [int(n) for n in re.findall(r" (\d+) completed ", demo.said())]


def not_ahead_of_time(at):
    """The server's clock stood still while it was down: devices must not tell of a time that it has not reached, or
    their positions are not believed."""
    headers = {"Authorization": "Bearer " + at.tokens["control"]}
    status, answer_headers, body = request(at.http, "GET", "/v1/vehicles?limit=100", headers=headers)
    assert status == 200
    now_ms = email.utils.parsedate_to_datetime(answer_headers["Date"]).timestamp() * 1000
    ahead_ms = [v["device"]["fix_ms"] - now_ms for v in json.loads(body)["vehicles"] if v["device"]["fix_ms"]]
    assert ahead_ms and max(ahead_ms) < 4000, ahead_ms


def main():
    with Demo("--speed", "20", "--vehicles", "20", "--seed", "2") as demo:
        first = before = demo.addresses()
        until("rides complete", lambda: (completed(demo) or [0])[-1] > 0, 60)
        for kill in range(KILLS):
            os.kill(before["pid"], signal.SIGKILL)
            gone(before["pid"])
            until("the server is back", lambda: demo.addresses()["pid"] != before["pid"], 30)
            before = demo.addresses()
            for name in ("http", "vehicles", "admin"):
                assert before[name] == first[name], "clients find it where it was"
            assert before["tokens"] == first["tokens"]
            so_far = completed(demo)[-1]
            until("rides go on", lambda: completed(demo)[-1] > so_far, 60)
        not_ahead_of_time(At(before))
        demo.process.send_signal(signal.SIGINT)
        code, report = demo.ended()
        said = demo.said()
        assert code == 0, said
        gone(before["pid"])
        assert said.count("the server was killed; starting it again") == KILLS, said
        assert len(re.findall(r"the server was killed, back in \d+\.\d s", said)) == KILLS, said
        server = report["server"]
        assert server["restart_count"] == KILLS and server["ended_in_order"], server
        assert server["check"] == "fine", server
        assert all(r["how"] == "was killed" and 0 < r["down_ms"] < 5000 for r in server["restarts"]), server
        assert report["broken_promise"] is None, report["broken_promise"]
        checked = subprocess.run(BINARY + ["check", "--data", str(demo.data)], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stdout + checked.stderr
    down_ms = [r["down_ms"] for r in server["restarts"]]
    print(f"{KILLS} kills, back after {down_ms} ms; {report['rides']['completed']} rides completed")


if __name__ == "__main__":
    main()
