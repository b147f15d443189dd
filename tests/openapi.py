# SPDX-License-Identifier: Apache-2.0
"""/openapi.json is good OpenAPI (linted by @redocly/cli), is what docs/reference/openapi.json says, and is true: every
route is asked until it answers well, and each answer is held against the document (as every answer to support.Client
is, in all tests). A new route needs a line in `calls`."""
import http.client
import json
import pathlib
import subprocess
import tempfile
import uuid

from support.paddock import BINARY, ROOT, Client, Device, Server, declare_city, deploy, imei, request, skip, until


def fetch(server):
    status, headers, body = request(server.http, "GET", "/openapi.json")
    assert status == 200 and headers["Content-Type"] == "application/json", (status, headers)
    assert request(server.http, "GET", "/openapi.json")[2] == body, "it is the same every time"
    return json.loads(body)


def lint(document):
    tools = subprocess.run([str(ROOT / "tools" / "contract_npm")], capture_output=True, text=True)
    if tools.returncode:
        skip("redocly is not there: " + tools.stderr.strip().split("\n")[-1])
    # The system's Node.js may be too old for it: the pages' builder knows a good one.
    node = subprocess.run([str(ROOT / "tools" / "apps"), "--node"], capture_output=True, text=True, check=True)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "openapi.json"
        path.write_text(json.dumps(document))
        command = [node.stdout.strip().split("\n")[-1], str(ROOT / "build/npm/node_modules/@redocly/cli/bin/cli.js"),
                   "lint", "--format=json", f"--config={ROOT / 'tools/npm/redocly.yaml'}", str(path)]
        said = subprocess.run(command, capture_output=True, text=True, cwd=folder,
                              env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": folder, "REDOCLY_TELEMETRY": "off"})
        report = json.loads(said.stdout)
        complaints = [f"{p['ruleId']}: {p['message']} at {p['location'][0].get('pointer')}" for p in report["problems"]]
        assert said.returncode == 0 and not complaints, "\n".join(complaints[:20]) + said.stderr


def committed(document):
    path = ROOT / "docs" / "reference" / "openapi.json"
    assert json.loads(path.read_text()) == document, "docs/reference/openapi.json is not what is served: make docs"


def says_what_matters(document):
    """A few sentences of the contract, read from the document as a stranger would."""
    start = document["paths"]["/v1/rides"]["post"]
    assert start["operationId"] == "startRide" and start["x-roles"] == ["rider"]
    assert {"$ref": "#/components/parameters/IdempotencyKey"} in start["parameters"]
    wait = next(p for p in start["parameters"] if p.get("name") == "wait")
    assert wait["in"] == "query" and wait["schema"]["maximum"] == 30 and not wait["required"]
    body = document["components"]["schemas"]["StartRideBody"]
    assert body["required"] == ["vehicle_code"] and body["additionalProperties"] is False
    assert {"200", "202", "400", "401", "403", "409", "422", "429", "503"} <= set(start["responses"])
    codes = document["components"]["responses"]["Problem409"]["content"]["application/problem+json"]["schema"]["allOf"][1]
    assert "vehicle_not_available" in codes["properties"]["code"]["enum"]
    assert document["components"]["schemas"]["VehicleState"]["enum"][0] == "available"
    city = document["components"]["schemas"]["PutCityBody"]["properties"]["lat"]
    assert (city["minimum"], city["maximum"]) == (-90, 90)
    live = document["paths"]["/v1/events/live"]["get"]
    assert {"$ref": "#/components/parameters/LastEventID"} in live["parameters"]
    assert live["responses"]["200"]["content"]["text/event-stream"]["x-event-data"]["$ref"].endswith("/Event")
    assert document["paths"]["/openapi.json"]["get"]["security"] == []


def first_event(server, client, path):
    connection = http.client.HTTPConnection(*server.http, timeout=20)
    connection.request("GET", path, headers={"Authorization": "Bearer " + client.token, "Last-Event-ID": "1.0"})
    answer = connection.getresponse()
    assert answer.status == 200 and answer.getheader("Content-Type") == "text/event-stream"
    for line in iter(answer.readline, b""):
        if line.startswith(b"data: "):
            connection.close()
            return json.loads(line[6:])
    raise AssertionError("the stream ended")


def people(server, staff):
    """Somebody signs in, is looked at, blocked, let in, and erased; staff sign in; everybody signs out."""
    nobody = Client(server, "rider")
    assert nobody.post("/v1/sign-in/code", {"phone": "+46701740605"})[0] == 202
    code = json.loads(pathlib.Path(server.data, "demo_messages.json").read_text())["messages"][0]["params"]["code"]
    status, answer = nobody.post("/v1/sign-in", {"phone": "+46701740605", "code": code})
    assert status == 200, answer
    nobody.token, account = answer["token"], answer["account"]
    assert nobody.get("/v1/me")[0] == 200 and nobody.get("/v1/rides")[0] == 200
    until("the tables know them", lambda: account in [r["id"] for r in staff.get("/v1/riders")[1]["riders"]])
    assert staff.get(f"/v1/riders/{account}")[0] == 200 and staff.get(f"/v1/riders/{account}/contact")[0] == 200
    for state in ("blocked", "active"):
        assert staff.put(f"/v1/riders/{account}", {"state": state})["rider"]["state"] == state
    command = BINARY + ["staff", "--data", server.data, "--name", "ada", "--role", "crew", "--city", "gothenburg"]
    subprocess.run(command, input="correct horse battery\n", text=True, capture_output=True, check=True)
    status, answer = staff.post("/v1/staff/sign-in", {"name": "ada", "password": "correct horse battery"})
    assert status == 200 and answer["cities"] == ["gothenburg"], answer
    ada = Client(server, "crew")
    ada.token = answer["token"]
    assert ada.post("/v1/sign-out")[0] == 204 and ada.post("/v1/sign-out")[0] == 401
    assert Client(server, "mds").post("/v1/sign-out/everywhere")[0] == 204
    assert staff.post(f"/v1/riders/{account}/sign-out")[0] == 204 and nobody.get("/v1/me")[0] == 401
    assert staff.call("DELETE", f"/v1/riders/{account}")[0] == 204
    assert staff.put("/v1/staff/cleo", {"role": "city", "cities": ["gothenburg"]})["staff"]["can_sign_in"] is False
    assert staff.get("/v1/staff/cleo")[0] == 200 and staff.get("/v1/staff?limit=1")[1]["next"] == "ada"
    assert staff.post("/v1/staff/cleo/sign-out")[0] == 204 and staff.call("DELETE", "/v1/staff/cleo")[0] == 204
    assert staff.call("PUT", "/v1/apps/old", {"minimum_build": 2, "update_url": "https://example.com/"})[0] == 204


def every_route(server):
    staff, rider = Client(server, "control"), Client(server, "rider")
    declare_city(staff, 1)
    device = Device(server, imei(0))
    device.sign_in()
    device.expect("S6")  # its lock state is not known yet: it is asked
    Device(server, imei(77)).sign_in()  # nobody knows it
    until("the vehicle reported", lambda: staff.get("/v1/vehicles/GBG-0")[1]["vehicle"]["device"]["lock_state"] == "locked")
    deploy(staff)
    ride = rider.post("/v1/rides", {"vehicle_code": "GBG-0"})[1]["ride"]["id"]
    user, stamp = device.give_key(77)
    assert device.expect("L0") == ["77", user, stamp]
    device.say(f"L0,0,{user},{stamp}")
    assert device.expect("L0") == []
    until("riding", lambda: rider.get("/v1/rides/current")[1]["ride"]["state"] == "riding")
    device.say("S6,88,2,0,0,372,0,0,28,10,500")
    calls = {
        "endRide": (rider, f"/v1/rides/{ride}/end", None),
        "commandVehicle": (staff, "/v1/vehicles/GBG-0/commands", {"op": "locate"}),
        "changeVehicles": (staff, "/v1/vehicles/bulk", {"op": "ring", "codes": ["GBG-0"]}),
        "putOperator": (staff, "/v1/operator", {"name": "Example"}),
    }

    def call(name, method, path):
        who, at, body = calls.get(name, (staff, path, None))
        return who.call(method, at, body)

    assert call("endRide", "POST", "")[0] == 202
    user, stamp = device.give_key(5)
    assert device.expect("L1") == ["5"]
    device.say(f"L1,0,{user},{stamp},1")
    assert device.expect("L1") == []
    until("settled", lambda: rider.get(f"/v1/rides/{ride}")[1]["ride"]["state"] == "settled")
    assert call("putOperator", "PUT", "")[0] == 200
    status, answer = call("commandVehicle", "POST", "")
    assert status == 202, answer
    command = answer["command"]["id"]
    assert call("changeVehicles", "POST", "")[0] == 200
    for who in (rider, staff):
        for path in ("/v1/rides", "/v1/rides?limit=1", f"/v1/rides/{ride}", f"/v1/rides/{ride}/receipt"):
            assert who.get(path)[0] == 200, path
    for path in (f"/v1/rides/{ride}/timeline", "/v1/vehicles", "/v1/vehicles/GBG-0/timeline", f"/v1/commands/{command}",
                 "/v1/quarantine", "/v1/events?limit=20", "/openapi.json",
                 "/v1/map?west=11&south=57&east=12&north=58", "/v1/stats"):
        assert staff.get(path)[0] == 200, path
    kinds = {"legal-entities": "se", "cities": "gothenburg", "vehicle-types": "scooter", "plans": "standard"}
    for kind, code in kinds.items():
        assert staff.get(f"/v1/{kind}/{code}")[0] == 200, kind
        assert staff.get(f"/v1/{kind}/nowhere")[0] == 404, kind
        assert staff.get(f"/v1/{kind}?limit=1")[1]["next"], kind
    assert staff.get("/v1/operator")[1]["operator"]["name"] == "Example"
    assert staff.get("/v1/fleet")[1]["fleet"][0]["codes"] == ["GBG-0"]
    until("quarantined", lambda: staff.get("/v1/quarantine")[1]["devices"])
    assert rider.get("/v1/near?lat=57.7089&lon=11.9746&radius_m=1000")[0] == 200
    people(server, staff)
    assert staff.get("/v1/vehicles/GBG-0/frames")[0] == 200 and staff.get("/v1/about")[0] == 200
    assert rider.post("/v1/vehicles/GBG-0/damage", {"kind": "dirty"})[0] == 200
    staff.put("/v1/hooks/ride.may_start", {"url": "http://127.0.0.1:9/", "deadline_ms": 500, "default": "allow"})
    staff.put("/v1/webhooks/log", {"url": "http://127.0.0.1:9/", "kinds": ["registered"]})
    assert staff.post("/v1/webhooks/log/replay", {"after": "0.0"})[0] == 200
    for path in ("/v1/hooks/ride.may_start", "/v1/webhooks/log"):
        assert staff.get(path)[0] == 200 and staff.call("DELETE", path)[0] == 200, path
    contract = server.contract
    for who, path in ((staff, "/v1/events/live"), (rider, "/v1/events/live"),
                      (staff, "/v1/map/live?west=11&south=57&east=12&north=58")):
        event = first_event(server, who, path)
        operation = contract.operation("GET", path)
        data = operation["responses"]["200"]["content"]["text/event-stream"]["x-event-data"]
        if set(event) != {"as_of_seq"}:  # else it is a reset
            contract.value(data, event, path, who is staff)
        contract.seen.add((operation["operationId"], 200))
    # What is refused is described, too.
    stranger = Client(server, "rider")
    stranger.token = "pdk_" + "0" * 64
    for who, method, path, body, status in (
            (rider, "POST", "/v1/rides", {"vehicle_code": "GBG-9"}, 404), (rider, "POST", "/v1/rides", {"color": 1}, 422),
            (rider, "GET", "/v1/vehicles", None, 403), (stranger, "GET", "/v1/rides", None, 401),
            (rider, "GET", f"/v1/rides/{uuid.uuid4()}", None, 404), (staff, "PUT", "/v1/cities/x", {"lat": 100}, 422),
            (staff, "GET", "/v1/vehicles?limit=0&color=1", None, 422)):
        assert who.call(method, path, body)[0] == status, (method, path)
    good = {name for name, status in contract.seen if status < 300}
    all_names = {o["operationId"] for o in contract.operations.values()}
    assert not all_names - good, f"never answered well here, so nothing is known of them: {sorted(all_names - good)}"
    device.close()


def main():
    with Server(None, "demo.mode=true") as server:
        document = fetch(server)
        says_what_matters(document)
        every_route(server)
        assert server.stop() == 0, server.said()
    committed(document)
    lint(document)
    print(json.dumps({"routes": sum(len(item) for item in document["paths"].values())}))


if __name__ == "__main__":
    main()
