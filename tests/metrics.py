# SPDX-License-Identifier: Apache-2.0
"""Metrics of a server that has worked are lint-clean; every metric that an alert, a test of one, or the dashboard asks for is
really there; the alerts fire on what they are for."""
import json
import pathlib
import re
import shutil
import subprocess

from support.paddock import ROOT, Client, Device, Server, declare_city, deploy, imei, request, skip

PRODUCTION = ROOT / "docs" / "production"
NAME = re.compile(r"\b((?:paddock|process)_[a-z0-9_]+)\b")
BUILT_IN = {"up", "ALERTS"}


def promtool(*words, text=None):
    done = subprocess.run(["promtool", *map(str, words)], input=text, capture_output=True, text=True, cwd=PRODUCTION)
    assert done.returncode == 0, done.stdout + done.stderr


def asked_for():
    """Metric names in expressions, and where they stand."""
    names = {}
    for path in (PRODUCTION / "alerts.yml", PRODUCTION / "alerts_test.yml"):
        for line in path.read_text().splitlines():
            if "description:" in line or "summary:" in line:
                continue
            for name in NAME.findall(line):
                names[name] = path.name
    for panel in json.loads((PRODUCTION / "grafana.json").read_text())["panels"]:
        for target in panel.get("targets", []):
            for name in NAME.findall(target["expr"]):
                names[name] = f"grafana.json, {panel['title']}"
    return names


def main():
    if not shutil.which("promtool"):
        skip("promtool is not installed; `make test` installs it with prometheus")
    with Server() as server:
        staff, rider = Client(server, "control"), Client(server, "rider")
        declare_city(staff)
        device = Device(server, imei(0))
        device.sign_in()
        device.say("H0,9,9,9,9,9")  # no heartbeat of this dialect: a refused frame is counted too
        deploy(staff)
        status, answer = rider.post("/v1/rides", {"vehicle_code": "GBG-0"})
        assert status == 202, answer
        assert rider.get("/v1/nothing")[0] == 404
        status, _, body = request(server.admin, "GET", "/metrics")
        assert status == 200
        text = body.decode()
    promtool("check", "metrics", text=text)
    there = set(re.findall(r"^# TYPE (\S+) ", text, re.M))
    for name in re.findall(r"^# TYPE (\S+) histogram", text, re.M):
        there |= {name + "_bucket", name + "_sum", name + "_count"}
    wrong = {name: where for name, where in asked_for().items() if name not in there | BUILT_IN}
    assert not wrong, f"nobody exports {wrong}"
    promtool("check", "rules", "alerts.yml")
    promtool("test", "rules", "alerts_test.yml")
    print(f"{len(there)} metrics, {len(asked_for())} of them watched")


if __name__ == "__main__":
    main()
