# SPDX-License-Identifier: Apache-2.0
"""Tracing: a request that asks to be traced becomes one tree of spans at the collector, from its bytes to the frames on the
vehicle's socket; one that asks not to, does not; a collector that is gone costs nobody anything."""
import http.server
import json
import threading

from support.paddock import Client, Device, Server, declare_city, deploy, imei, request, until

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector:
    """Takes OTLP over HTTP and keeps the spans."""

    def __init__(self):
        self.spans, self.services = [], set()
        kept = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                assert self.path == "/v1/traces" and self.headers["Content-Type"] == "application/json"
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for resource in body["resourceSpans"]:
                    kept.services |= {a["value"]["stringValue"] for a in resource["resource"]["attributes"]}
                    for scope in resource["scopeSpans"]:
                        kept.spans += scope["spans"]
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d/v1/traces" % self.server.server_address[1]

    def of(self, trace, name=None):
        return [s for s in self.spans if s["traceId"] == trace and name in (None, s["name"])]

    def end(self):
        self.server.shutdown()
        self.server.server_close()


def attributes(span):
    return {a["key"]: next(iter(a["value"].values())) for a in span["attributes"]}


def start_ride(server, rider, key, flags, wait):
    headers = {"Authorization": "Bearer " + rider.token, "Content-Type": "application/json", "Idempotency-Key": key,
               "traceparent": f"00-{TRACE}-{PARENT}-{flags}"}
    return request(server.http, "POST", f"/v1/rides?wait={wait}", json.dumps({"vehicle_code": "GBG-0"}), headers)


def main():
    collector = Collector()
    with Server(None, "trace.otlp=" + collector.url) as server:
        staff, rider = Client(server, "control"), Client(server, "rider")
        declare_city(staff)
        device = Device(server, imei(0))
        device.sign_in()
        device.expect("S6")
        device.say("S6,90,1,0,412,28,0,90,1")
        deploy(staff)
        answers = []
        phone = threading.Thread(target=lambda: answers.append(start_ride(server, rider, "one", "01", 20)))
        phone.start()
        user, stamp = device.give_key()
        device.expect("L0")
        device.say(f"L0,0,{user},{stamp}")
        phone.join(25)
        assert answers and answers[0][0] == 200, answers
        until("the spans are there", lambda: len(collector.of(TRACE)) >= 7)
        root = collector.of(TRACE, "/v1/rides")
        assert len(root) == 1 and root[0]["parentSpanId"] == PARENT and root[0]["kind"] == 2, root
        said = attributes(root[0])
        assert said["http.request.method"] == "POST" and said["http.response.status_code"] == "200", said
        inside = [s for s in collector.of(TRACE) if s is not root[0]]
        assert all(s["parentSpanId"] == root[0]["spanId"] for s in inside), inside
        names = sorted(s["name"] for s in inside)
        both = ["order to vehicle"] * 2
        assert names == ["commit", "engine", *both, "vehicle: commit", "vehicle: engine"], names
        for s in collector.of(TRACE):
            assert int(s["startTimeUnixNano"]) <= int(s["endTimeUnixNano"]), s
        engine, commit = collector.of(TRACE, "engine")[0], collector.of(TRACE, "commit")[0]
        assert engine["endTimeUnixNano"] == commit["startTimeUnixNano"]
        orders = [attributes(s) for s in collector.of(TRACE, "order to vehicle")]
        steps = {o["paddock.order.step"] for o in orders}
        assert {o["paddock.device"] for o in orders} == {imei(0)} and len(steps) == 2, orders
        assert "paddock" in collector.services
        before = len(collector.spans)
        assert start_ride(server, rider, "two", "00", 0)[0] == 409  # traced or not, it is refused: a ride is open
        assert rider.get("/v1/rides/current")[0] == 200
        start_ride(server, rider, "two", "01", 0)
        until("a span for who asks again", lambda: len(collector.spans) > before)
        assert all(s["name"] != "/v1/rides/current" for s in collector.spans), "traced without being asked"
        collector.end()
        for n in range(20):
            assert start_ride(server, rider, f"gone-{n}", "01", 0)[0] == 409
        dropped = 'paddock_trace_spans_dropped_total{reason="collector"}'
        until("spans for a dead collector are dropped and counted", lambda: server.metrics()[dropped] > 0)
        assert server.stop() == 0, server.said()
    print("one tree: request, engine, commit, both frames to the vehicle, and its answer")


if __name__ == "__main__":
    main()
