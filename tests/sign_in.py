# SPDX-License-Identifier: Apache-2.0
"""Riders sign in by phone on a real server: the whole way, every way that it is refused, and what is written where."""
import json
import pathlib
import sqlite3
import time

from support.paddock import Caller, Client, Server, until

PHONE, OTHER = "+46701740605", "+46701740606"


def code_of(server, phone):
    printed = json.loads(pathlib.Path(server.data, "demo_messages.json").read_text())["messages"]
    return next(m["params"]["code"] for m in printed if m["to"] == phone)


def wrong(code):
    return code[:-1] + str((int(code[-1]) + 1) % 10)


def by_phone(server, nobody):
    status, answer = nobody.post("/v1/sign-in/code", {"phone": PHONE})
    assert (status, answer) == (202, {"expires_in_s": 300}), (status, answer)
    code = code_of(server, PHONE)
    assert f"demo: message sign_in_code to {PHONE} code={code}" in server.said()
    status, problem, head = nobody.call("POST", "/v1/sign-in/code", {"phone": PHONE})
    assert status == 429 and problem["code"] == "rate_limited" and 0 < int(head["Retry-After"]) <= 30, (status, head)
    status, problem = nobody.post("/v1/sign-in", {"phone": PHONE, "code": wrong(code)})
    assert status == 401 and problem["code"] == "sign_in_refused", problem
    unknown = nobody.post("/v1/sign-in", {"phone": OTHER, "code": "123456"})
    assert unknown[0] == 401 and {**unknown[1], "trace_id": 0} == {**problem, "trace_id": 0}, "numbers are not told apart"
    status, signed_in = nobody.post("/v1/sign-in", {"phone": PHONE, "code": code})
    assert status == 200 and signed_in["role"] == "rider" and signed_in["token"].startswith("pdk_"), signed_in
    assert nobody.post("/v1/sign-in", {"phone": PHONE, "code": code})[0] == 401, "a code is good once"
    rider = Caller(server, signed_in["token"])
    status, me = rider.get("/v1/me")
    assert status == 200 and me["account"] == signed_in["account"] and me["cities"] is None, me
    assert rider.get("/v1/rides/current")[0] == 404, "a rider without a ride"
    return rider, signed_in


def ends(server, nobody, rider):
    assert rider.post("/v1/sign-out")[0] == 204
    assert rider.get("/v1/me")[0] == 401
    for bad in ("0701740605", "+0123456789", "46701740605"):
        assert nobody.post("/v1/sign-in/code", {"phone": bad})[0] == 422
    before = server.metrics()['paddock_api_limited_total{limit="sign_in_phone"}']
    answers = [nobody.post("/v1/sign-in", {"phone": "+33123456789", "code": "000000"})[0] for _ in range(12)]
    assert answers == [401] * 10 + [429] * 2, answers
    assert server.metrics()['paddock_api_limited_total{limit="sign_in_phone"}'] == before + 2


def expiry():
    with Server(None, "demo.mode=true", "sign_in.code_s=1") as server:
        nobody = Caller(server)
        assert nobody.post("/v1/sign-in/code", {"phone": PHONE})[1] == {"expires_in_s": 1}
        code, asked = code_of(server, PHONE), time.monotonic()
        until("a second is over", lambda: time.monotonic() > asked + 1.1)
        assert nobody.post("/v1/sign-in", {"phone": PHONE, "code": code})[0] == 401
        assert server.metrics()['paddock_api_codes_total{outcome="late"}'] == 1
    with Server() as server:
        status, problem = Caller(server).post("/v1/sign-in/code", {"phone": PHONE})
        assert status == 501 and "demo.mode" in problem["detail"], problem
        assert not pathlib.Path(server.data, "demo_messages.json").exists()


def apps(server, staff):
    status, _ = staff.call("PUT", "/v1/apps/rider", {"minimum_build": 13, "update_url": "https://example.com/get"})
    assert status == 204
    nobody = Caller(server, app="rider/12")
    status, problem, head = nobody.call("POST", "/v1/sign-in/code", {"phone": OTHER})
    assert status == 426 and problem["code"] == "app_too_old", problem
    assert problem["update_url"] == "https://example.com/get" and head["Upgrade"] == "rider/13"
    assert Caller(server, app="rider/13").post("/v1/sign-in/code", {"phone": OTHER})[0] == 202


def nothing_personal_elsewhere(server):
    """Numbers stand in contacts.db and, here, in what the demo prints: in no table, no segment, no log of the server."""
    data = pathlib.Path(server.data)
    for path in [p for p in data.rglob("*") if p.is_file() and p.name.split(".")[0] not in ("contacts", "demo_messages")]:
        assert PHONE.encode() not in path.read_bytes(), path
    rows = sqlite3.connect(f"file:{data}/contacts.db?mode=ro", uri=True).execute("SELECT phone, hash FROM phones").fetchall()
    assert [r[0] for r in rows] == [PHONE] and len(rows[0][1]) == 32, rows
    assert not [t for t in server.metrics() if "+46" in t]


def main():
    with Server(None, "demo.mode=true") as server:
        staff = Client(server, "control")
        nobody = Caller(server)
        rider, first = by_phone(server, nobody)
        ends(server, nobody, rider)
        apps(server, staff)
        assert server.stop() == 0, server.said()
        server.start()
        assert nobody.post("/v1/sign-in/code", {"phone": PHONE})[0] == 202, "codes are forgotten, nobody is locked out"
        status, again = nobody.post("/v1/sign-in", {"phone": PHONE, "code": code_of(server, PHONE)})
        assert status == 200 and again["account"] == first["account"], "the same number is the same account"
        assert Caller(server, app="rider/12").get("/v1/me")[0] == 426, "and the oldest build still holds"
        nothing_personal_elsewhere(server)
    expiry()
    print(json.dumps({"signed_in": again["account"]}))


if __name__ == "__main__":
    main()
