# SPDX-License-Identifier: Apache-2.0
"""Staff sign in by name and password on a real server; names are not told apart, guessing is locked out."""
import json
import subprocess

from support.paddock import BINARY, Caller, Server, until


def add_staff(server, name, role, password, *more):
    command = BINARY + ["staff", "--data", server.data, "--name", name, "--role", role, *more]
    done = subprocess.run(command, input=password + "\n", capture_output=True, text=True)
    return done.returncode, done.stderr


def by_password(server, nobody):
    code, said = add_staff(server, "ada", "control", "short")
    assert code == 2 and "12" in said, said
    assert add_staff(server, "ada", "control", "correct horse battery")[0] == 0
    assert add_staff(server, "bo", "crew", "another long password", "--city", "gothenburg")[0] == 0
    status, signed_in = nobody.post("/v1/staff/sign-in", {"name": "ada", "password": "correct horse battery"})
    assert status == 200 and signed_in["role"] == "control" and signed_in["cities"] is None, signed_in
    ada = Caller(server, signed_in["token"])
    assert ada.get("/v1/vehicles")[0] == 200
    status, signed_in = nobody.post("/v1/staff/sign-in", {"name": "bo", "password": "another long password"})
    assert status == 200 and signed_in["cities"] == ["gothenburg"], signed_in
    me = Caller(server, signed_in["token"]).get("/v1/me")[1]
    assert (me["role"], me["cities"], me["name"]) == ("crew", ["gothenburg"], "bo"), me
    refused = [nobody.post("/v1/staff/sign-in", {"name": n, "password": "a wrong password"}) for n in ("ada", "nobody")]
    assert [r[0] for r in refused] == [401, 401]
    assert {**refused[0][1], "trace_id": 0} == {**refused[1][1], "trace_id": 0}, "names are not told apart"
    for _ in range(9):
        assert nobody.post("/v1/staff/sign-in", {"name": "ada", "password": "a wrong password"})[0] == 401
    assert nobody.post("/v1/staff/sign-in", {"name": "ada", "password": "correct horse battery"})[0] == 429, "locked"
    assert ada.get("/v1/vehicles")[0] == 200, "who is in stays in"
    assert add_staff(server, "ada", "oncall", "a new long password")[0] == 0
    until("the change has ended her token", lambda: ada.get("/v1/me")[0] == 401)
    listed = subprocess.run(BINARY + ["staff", "--data", server.data, "--list"], capture_output=True, text=True, check=True)
    rows = [line.split("\t")[:3] for line in listed.stdout.splitlines()]
    assert rows == [["ada", "oncall", "*"], ["bo", "crew", "gothenburg"]], rows


def main():
    with Server() as server:
        by_password(server, Caller(server))
    print(json.dumps({"staff": "fine"}))


if __name__ == "__main__":
    main()
