# SPDX-License-Identifier: Apache-2.0
"""Who may what, and where: every route of /openapi.json with every role, with and without a scope, on things of their own
city and of another. What is expected follows from x-roles and x-scope alone: a route that forgets its scope is found here."""
import http.client
import json
import subprocess
import time
import uuid

from support.paddock import BINARY, Client, Device, Server, imei, request, until

ROLES = ("rider", "control", "oncall", "crew", "owner", "city", "mds")
HERE, THERE = "gothenburg", "malmo"
QUERY = {"lat": 55.6, "lon": 13.0, "radius_m": 2000, "west": 11, "south": 55, "east": 14, "north": 58}
BODY = {"op": "locate", "event": "located", "phone": "+46701740605", "state": "active", "kind": "other", "text": "a test",
        "time_zone": "Europe/Stockholm", "currency": "SEK", "update_url": "https://example.com/", "dry_run": True}


def declare(staff):
    staff.put("/v1/legal-entities/se", {"name": "Example AB", "currency": "SEK", "decimals": 2})
    staff.put("/v1/vehicle-types/scooter", {"name": "Scooter", "heartbeat_s": 240, "motor": True})
    for n, (city, lat, lon) in enumerate(((HERE, 57.7089, 11.9746), (THERE, 55.605, 13.0038))):
        staff.put(f"/v1/cities/{city}", {"name": city.title(), "legal_entity": "se", "time_zone": "Europe/Stockholm",
                                         "lat": lat, "lon": lon})
        staff.put(f"/v1/plans/{city}", {"name": city, "city": city, "unlock_minor": 1000, "minute_minor": 250})
        for spare in (0, 2):
            staff.put(f"/v1/vehicles/{city[:3].upper()}-{n + spare}", {"city": city, "vehicle_type": "scooter",
                                                                      "protocol": "omni", "device": imei(n + spare)})


def deploy(server, staff, n, city):
    """A vehicle in the street that has said where it stands."""
    code, device = f"{city[:3].upper()}-{n}", Device(server, imei(n))
    device.sign_in()
    place = "5742.5340,N,01158.4760,E" if city == HERE else "5536.3000,N,01300.2280,E"
    clock, day = time.strftime("%H%M%S %d%m%y", time.gmtime()).split()  # a place from later today is none
    device.say(f"D0,0,{clock}.00,A,{place},10,0.5,{day},10,M,A")
    until("it is locked", lambda: staff.get(f"/v1/vehicles/{code}")[1]["vehicle"]["device"]["lock_state"] == "locked")
    assert staff.post(f"/v1/vehicles/{code}/events", {"event": "provider_drop_off"})[0] == 200
    return code, device


def things(server, staff):
    """In each city a rider on a ride, the vehicle of it, one that is free, and a command."""
    found = {}
    for n, city in enumerate((HERE, THERE)):
        code, device = deploy(server, staff, n, city)
        free, other = deploy(server, staff, n + 2, city)
        rider = Client(server, "rider")
        status, answer = rider.post("/v1/rides", {"vehicle_code": code})
        assert status == 202, answer
        status, command = staff.post(f"/v1/vehicles/{free}/commands", {"op": "locate"})
        assert status == 202, command
        account = rider.get("/v1/me")[1]["account"]
        found[city] = {"vehicles": code, "rides": answer["ride"]["id"], "commands": command["command"]["id"],
                       "riders": account, "rider": rider, "devices": (device, other), "free": free}
    until("the tables know all of it", lambda: len(staff.get("/v1/riders?limit=50")[1]["riders"]) == 2
          and all(staff.get(f"/v1/rides/{t['rides']}/timeline")[0] == 200 for t in found.values()))
    return found


def example(spec, schema):
    while "$ref" in schema:
        part = spec
        for step in schema["$ref"][2:].split("/"):
            part = part[step]
        schema = part
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        names = schema.get("properties", {})
        return {n: BODY.get(n) if n in BODY else example(spec, names[n]) for n in schema.get("required", [])}
    return {"string": "x" * max(1, schema.get("minLength", 1)), "boolean": False, "array": [],
            "integer": schema.get("minimum", 1), "number": schema.get("minimum", 1)}[kind]


class Call:
    """One operation, ready to be tried on things of a city."""

    def __init__(self, spec, path, method, op):
        self.path, self.method = path, method.upper()
        self.public, self.roles, self.scope = op.get("security") == [], op.get("x-roles", []), op.get("x-scope")
        self.collection = path.split("/")[2] if path.startswith("/v1/") else ""
        self.about_one = "{" in path and self.scope == "city"
        required = [p for p in op.get("parameters", []) if p.get("in") == "query" and p.get("required")]
        self.query = "&".join(f"{p['name']}={QUERY.get(p['name'], example(spec, p['schema']))}" for p in required)
        body = op.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        self.body = json.dumps(example(spec, body)) if body else None
        content = next((r["content"] for s, r in op["responses"].items() if s.startswith("2") and "content" in r), {})
        self.stream = "text/event-stream" in content
        self.ends_tokens = "sign-out" in path or self.method == "DELETE"

    def on(self, thing):
        filled = self.path.split("/")
        for i, part in enumerate(filled):
            if part.startswith("{"):
                filled[i] = thing if self.about_one else "x-1" if part != "{id}" else str(uuid.UUID(int=7))
        return "/".join(filled) + ("?" + self.query if self.query else "")

    def ask(self, server, token, thing=None):
        headers = {"Content-Type": "application/json"} if self.body else {}
        if token:
            headers["Authorization"] = "Bearer " + token
        if self.method == "POST":
            headers["Idempotency-Key"] = uuid.uuid4().hex
        if self.stream:
            return open_stream(server, self.on(thing), headers)
        status, _, data = request(server.http, self.method, self.on(thing), self.body, headers)
        return status, json.loads(data) if data else {}

    def nothing(self):
        return "NO-1" if self.path.split("/")[3] == "{code}" else str(uuid.UUID(int=99))


def open_stream(server, path, headers):
    connection = http.client.HTTPConnection(*server.http, timeout=10)
    connection.request("GET", path, None, headers)
    answer = connection.getresponse()
    data = b"" if answer.status == 200 else answer.read()
    connection.close()
    return answer.status, json.loads(data) if data else {}


def token_of(server, role, cities=None, account=None):
    command = BINARY + ["token", "--data", server.data, "--role", role]
    command += ["--cities", cities] if cities else []
    command += ["--account", account] if account else []
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def bare(answer):
    return {k: v for k, v in answer.items() if k != "trace_id"}


def try_one(server, call, found, tokens, tried):
    def ask(token, thing=None):
        tried["calls"] += 1
        return call.ask(server, token(), thing)

    def check(ok, *what):
        assert ok, (call.method, call.path, call.roles, call.scope, *what)

    here, there = (found[c].get(call.collection) for c in (HERE, THERE)) if call.about_one else (None, None)
    check(not call.about_one or here, "this test does not know what", call.collection, "are: teach things()")
    status, answer = ask(lambda: None, here)
    if call.public:
        check(answer.get("code") not in ("unauthenticated", "forbidden"), status, answer)
        return
    check(status == 401 and answer["code"] == "unauthenticated", status, answer)
    for role in ROLES:
        wide, narrow = (lambda: tokens(role, None)), (lambda: tokens(role, HERE))
        if role not in call.roles:
            for token in (wide, narrow):
                status, answer = ask(token, here)
                check(status == 403 and answer["code"] == "forbidden", role, status, answer)
                tried["refused"] += 1
            continue
        status, answer = ask(wide, here)
        check(status not in (401, 403), role, status, answer)
        tried["let in"] += 1
        if call.about_one:
            check(status != 404, role, "cannot see", here, answer)
            unknown = ask(wide, call.nothing())
            foreign = ask(wide if role == "rider" else narrow, there)
            open_to_all = role == "rider" and call.collection == "vehicles"
            check(unknown[0] == 404, role, unknown)
            check(open_to_all or (foreign[0], bare(foreign[1])) == (404, bare(unknown[1])), role, foreign, unknown)
            check(ask(narrow, here)[0] not in (401, 403, 404), role, "in their own city")
            tried["hidden"] += 1
        elif role != "rider" and call.scope == "operator":
            check(ask(narrow)[0] == 403, role)
            tried["refused"] += 1
        elif role != "rider" and call.scope == "city" and not call.stream:
            every, some = json.dumps(answer), json.dumps(ask(narrow)[1])
            for city in (HERE, THERE):
                marks = [m for k, m in found[city].items() if isinstance(m, str) and m in every] + [f'"{city}"']
                shown = [m for m in marks if m in some]
                if city == THERE:
                    check(not shown, role, "shows", shown, "of another city")
                    tried["left out"] += len(marks) - 1
                else:
                    check(set(marks[:-1]) <= set(shown), role, "hides", set(marks) - set(shown), "of their own")


def live(server, found, path, wanted, unwanted, cause):
    """What a stream of somebody with one city brings, until their own city's news is there."""
    connection = http.client.HTTPConnection(*server.http, timeout=10)
    connection.request("GET", path, None, {"Authorization": "Bearer " + token_of(server, "control", HERE)})
    answer, seen, end = connection.getresponse(), b"", time.monotonic() + 10
    assert answer.status == 200
    cause()
    while wanted.encode() not in seen and time.monotonic() < end:
        seen += answer.read1(65536)
    connection.close()
    assert wanted.encode() in seen and unwanted.encode() not in seen, (path, seen)


def main():
    with Server() as server:
        staff = Client(server, "control")
        declare(staff)
        found = things(server, staff)
        spec = json.loads(request(server.http, "GET", "/openapi.json")[2])
        calls = [Call(spec, p, m, op) for p, ops in spec["paths"].items() for m, op in ops.items() if "responses" in op]
        assert len(calls) > 45, len(calls)
        doors = {(c.method, c.path): c for c in calls if c.path.startswith("/v1/staff") and not c.public}
        assert set(doors) == {("GET", "/v1/staff"), ("GET", "/v1/staff/{name}"), ("PUT", "/v1/staff/{name}"),
                              ("DELETE", "/v1/staff/{name}"), ("POST", "/v1/staff/{name}/sign-out")}, set(doors)
        # Who could make staff could make themselves anything: control everywhere, and nobody else.
        assert all(c.roles == ["control"] and c.scope == "operator" for c in doors.values())
        kept, tried = {}, {"calls": 0, "refused": 0, "let in": 0, "hidden": 0, "left out": 0}

        def tokens(role, cities):
            account = found[HERE]["riders"] if role == "rider" else None
            if ends or (role, cities) not in kept:
                kept[role, cities] = token_of(server, role, cities if role != "rider" else None, account)
            return kept[role, cities]

        for ends in (False, True):
            for call in calls:
                if call.ends_tokens == ends:
                    try_one(server, call, found, tokens, tried)

        def news():  # of the other city first: whoever hears the second has not been told of the first
            for city in (THERE, HERE):
                assert staff.post(f"/v1/vehicles/{found[city]['free']}/events", {"event": "maintenance"})[0] == 200

        live(server, found, "/v1/events/live", '"code":"%s"' % found[HERE]["free"], found[THERE]["free"], news)
        box = "west=11&south=55&east=14&north=58"
        live(server, found, f"/v1/map/live?{box}", found[HERE]["free"], found[THERE]["free"], lambda: None)
        assert server.metrics()["paddock_api_out_of_scope_total"] > 0
        assert tried["refused"] > 300 and tried["hidden"] > 20 and tried["left out"] > 10, tried
        assert server.stop() == 0, server.said()
        assert server.check().returncode == 0
    print(json.dumps(tried))


if __name__ == "__main__":
    main()
