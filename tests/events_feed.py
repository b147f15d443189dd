# SPDX-License-Identifier: Apache-2.0
"""The feed of events for machines: every event once, in order, page by page, over a kill -9; and a live stream that
resumes inside one process and says `reset` across two."""
import http.client
import json

from support.paddock import Client, Server, declare_city, until


def read_feed(staff, after, limit=7, extra=""):
    events = []
    while True:
        status, page = staff.get(f"/v1/events?after={after}&limit={limit}{extra}")
        assert status == 200 and page["next"] and len(page["events"]) <= limit, page
        events += page["events"]
        assert page["as_of_seq"] >= (events[-1]["seq"] if events else 0)
        if page["next"] == after or (not page["more"] and not page["events"]):
            return events, page["next"]
        after = page["next"]


def stream(server, token, last_id=None):
    connection = http.client.HTTPConnection(*server.http, timeout=20)
    headers = {"Authorization": "Bearer " + token}
    if last_id:
        headers["Last-Event-ID"] = last_id
    connection.request("GET", "/v1/events/live", headers=headers)
    answer = connection.getresponse()
    assert answer.status == 200
    return connection, answer


def next_event(answer):
    event = {}
    while True:
        line = answer.readline().decode().rstrip("\n").rstrip("\r")
        if not line and "event" in event:
            return event
        name, _, value = line.partition(":")
        if name:
            event[name] = value.strip()


def main():
    with Server() as server:
        staff = Client(server, "control")
        connection, live = stream(server, staff.token)
        declare_city(staff, 20)
        full = lambda r, count: r if len(r[0]) >= count else None
        events, cursor = until("all are in the tables", lambda: full(read_feed(staff, "0.0"), 24))
        ids = [(e["seq"], e["part"]) for e in events]
        assert ids == sorted(set(ids)), "in order, each once"
        assert all(e["id"] == f'{e["seq"]}.{e["part"]}' for e in events)
        codes = [e["code"] for e in events if e["kind"] == "registered"]
        assert [c for c in codes if c.startswith("GBG-")] == [f"GBG-{n}" for n in range(20)], codes
        assert read_feed(staff, cursor) == ([], cursor), "at the end the cursor stays"
        assert read_feed(staff, "0.0", extra="&kind=alarm")[0] == []
        assert staff.get("/v1/events?city=nowhere")[0] == 422
        assert [e["code"] for e in read_feed(staff, "0.0", extra="&city=gothenburg")[0]] == [f"GBG-{n}" for n in range(20)]
        rider = Client(server, "rider")
        assert rider.get("/v1/events")[0] == 403, "a machine's feed is for staff"
        for bad in ("x", "1.x", "-1", "1.2.3"):
            assert staff.get(f"/v1/events?after={bad}")[0] == 422, bad

        heard = [next_event(live) for _ in range(3)]
        connection.close()
        connection, live = stream(server, staff.token, heard[0]["id"])
        assert next_event(live)["id"] == heard[1]["id"], "resumed inside one process"
        connection.close()

        server.kill()
        server.start()
        connection, live = stream(server, staff.token, heard[2]["id"])
        assert next_event(live)["event"] == "reset", "another process: what was missed is in the feed"
        connection.close()
        for n in range(20, 25):
            staff.put(f"/v1/vehicles/GBG-{n}", {"city": "gothenburg", "vehicle_type": "scooter"})
        new, _ = until("the new ones", lambda: full(read_feed(staff, cursor, 2), 5))
        assert [e["code"] for e in new] == [f"GBG-{n}" for n in range(20, 25)], new
        assert read_feed(staff, "0.0", 1000)[0] == events + new, "nothing changed behind the cursor"
        assert server.stop() == 0, server.said()
    print(json.dumps({"events": len(events) + len(new)}))


if __name__ == "__main__":
    main()
