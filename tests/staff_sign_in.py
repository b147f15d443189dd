# SPDX-License-Identifier: Apache-2.0
"""Staff sign in by name and password on a real server; names are not told apart, guessing is locked out. Declared over HTTP
or on the command line they are the same people, and what is taken from them is gone from tokens and streams that are out."""
import concurrent.futures
import http.client
import json
import subprocess

from support.paddock import BINARY, Caller, Client, Server, declare_city, until


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


def listed(server):
    command = BINARY + ["staff", "--data", server.data, "--list"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {line.split("\t")[0]: line.split("\t")[1:3] for line in done.stdout.splitlines()}


def sign_in(server, name, password):
    status, answer = Caller(server).post("/v1/staff/sign-in", {"name": name, "password": password})
    return status, Caller(server, answer.get("token"))


def stream(server, token):
    connection = http.client.HTTPConnection(*server.http, timeout=20)
    connection.request("GET", "/v1/events/live", None, {"Authorization": "Bearer " + token})
    answer = connection.getresponse()
    assert answer.status == 200
    return answer


def over_http(server, control):
    declare_city(control, 0)
    password = "dora's first password"
    made = control.put("/v1/staff/dora", {"role": "crew", "cities": ["gothenburg"]})["staff"]
    assert made["can_sign_in"] is False and sign_in(server, "dora", password)[0] == 401
    assert listed(server)["dora"] == ["crew", "gothenburg"], "the command line knows them"
    made = control.put("/v1/staff/dora", {"role": "crew", "cities": ["gothenburg"], "password": password})["staff"]
    assert made["can_sign_in"] and set(made) == {"name", "account", "role", "cities", "can_sign_in"}, made
    status, dora = sign_in(server, "dora", password)
    assert status == 200 and dora.get("/v1/vehicles")[0] == 200 and dora.get("/v1/quarantine")[0] == 403
    assert dora.call("PUT", "/v1/staff/dora", {"role": "control"})[0] == 403
    open_one = stream(server, dora.token)
    control.put("/v1/staff/dora", {"role": "crew", "cities": ["gothenburg"]})  # as it is: nobody is signed out
    assert dora.get("/v1/me")[0] == 200
    made = control.put("/v1/staff/dora", {"role": "city"})["staff"]
    assert (made["role"], made["cities"], made["can_sign_in"]) == ("city", None, True), "the password stays"
    assert dora.get("/v1/me")[0] == 401, "at once: it was this server that changed them"
    open_one.read()  # ends
    status, dora = sign_in(server, "dora", password)
    assert status == 200 and dora.get("/v1/quarantine")[0] == 403 and dora.get("/v1/stats")[0] == 200
    assert control.post("/v1/staff/dora/sign-out")[0] == 204 and dora.get("/v1/me")[0] == 401
    assert sign_in(server, "dora", password)[0] == 200
    # The command line changes them, and the server follows.
    assert add_staff(server, "dora", "oncall", "", "--keep-password")[0] == 0
    assert control.get("/v1/staff/dora")[1]["staff"]["role"] == "oncall"
    status, dora = sign_in(server, "dora", password)
    assert status == 200 and dora.get("/v1/me")[0] == 200
    assert control.call("DELETE", "/v1/staff/dora")[0] == 204 and dora.get("/v1/me")[0] == 401
    assert sign_in(server, "dora", password)[0] == 401 and "dora" not in listed(server)
    assert control.call("DELETE", "/v1/staff/dora")[0] == 404
    assert control.put("/v1/staff/eli", {"role": "crew", "password": password})["staff"]["can_sign_in"]
    status, eli = sign_in(server, "eli", password)
    assert status == 200 and eli.get("/v1/me")[0] == 200
    command = BINARY + ["staff", "--data", server.data, "--name", "eli", "--remove"]
    assert subprocess.run(command, capture_output=True).returncode == 0
    until("their token has ended", lambda: eli.get("/v1/me")[0] == 401)
    assert sign_in(server, "eli", password)[0] == 401 and control.get("/v1/staff/eli")[0] == 404
    assert subprocess.run(command, capture_output=True).returncode == 1, "there is nobody any more"
    # What is wrong is told with what to do.
    status, answer = control.call("PUT", "/v1/staff/fay", {"role": "crew", "cities": ["atlantis"]})
    assert status == 422 and "PUT /v1/cities/atlantis first" in answer["errors"][0]["why"], answer
    status, answer = control.call("PUT", "/v1/staff/fay", {"role": "boss"})
    assert status == 422 and "control, oncall, crew" in answer["errors"][0]["why"], answer
    assert control.call("PUT", "/v1/staff/fay", {"role": "crew", "password": "short"})[0] == 422
    assert control.get("/v1/staff/fay")[0] == 404
    assert password not in server.said()


def at_once(server, control):
    """More than the clerk takes at once: each is declared, or told to come back; nobody is half made."""
    control.put("/v1/cities/boras", {"name": "Borås", "legal_entity": "se", "time_zone": "Europe/Stockholm",
                                     "lat": 57.7, "lon": 12.9})
    body = {"role": "crew", "cities": ["boras", "gothenburg"], "password": "the same for everybody"}
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        found = list(pool.map(lambda n: control.call("PUT", f"/v1/staff/crew-{n}", body)[0], range(64)))
    assert set(found) <= {200, 503} and found.count(200) >= 32, found
    names = {s["name"] for s in control.get("/v1/staff?limit=200")[1]["staff"]}
    assert {f"crew-{n}" for n, status in enumerate(found) if status == 200} == {n for n in names if n.startswith("crew-")}
    return found.count(200)


def main():
    with Server() as server:
        by_password(server, Caller(server))
        control = Client(server, "control")
        over_http(server, control)
        at_once(server, control)
        assert server.stop() == 0, server.said()
        assert server.check().returncode == 0
    print(json.dumps({"staff": "fine"}))


if __name__ == "__main__":
    main()
