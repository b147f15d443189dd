# SPDX-License-Identifier: Apache-2.0
"""A small client of Paddock's API: Python 3.8 or later, the standard library only. Copy this file and paddock_calls.py.

    client = Client("http://127.0.0.1:8080", token)
    ride = client.start_ride(vehicle_code="GBG-1", wait=20)["ride"]
    for vehicle in client.pages(client.list_vehicles, state="available"):
        print(vehicle["code"])
    for id, event, data in client.stream_events():
        print(event, data)

Each call of the API is a method (paddock_calls.py is written from the server's route table). A refusal is raised as
Problem, with its code. A POST gets an Idempotency-Key, and is sent again under the same one when the network fails or the
server asks for patience: what it does happens once. Streams go on by themselves where they were."""
import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

from paddock_calls import Calls, SentEvent

__all__ = ["Client", "Problem", "Unreachable", "SentEvent"]
AGAIN = (429, 503, 504)
IN_FLIGHT = "idempotency_in_flight"


class Problem(Exception):
    """The server refused (RFC 9457). Act on `code`; `errors` names every field at fault; quote `trace_id`."""

    def __init__(self, status, body, retry_after=None):
        self.status, self.body, self.retry_after = status, body, retry_after
        self.code = body.get("code", "unknown")
        self.detail = body.get("detail", "")
        self.trace_id = body.get("trace_id")
        self.errors = body.get("errors", [])
        fields = "".join(f"; {e['field']} {e['why']}" for e in self.errors)
        super().__init__(f"{status} {self.code}: {self.detail}{fields}")


class Unreachable(Exception):
    """Nobody answered, however often it was tried. Whether the server acted is unknown: `key` tells it again."""

    def __init__(self, why, key=None):
        super().__init__(str(why))
        self.key = key


class Client(Calls):
    def __init__(self, server, token=None, *, app=None, tries=6, timeout_s=70, patience_s=0.25):
        """`app` is what Paddock-App says: "rider/12". `tries` of each request; `patience_s` doubles between them."""
        self.server, self.token, self.app = server.rstrip("/"), token, app
        self.tries, self.timeout_s, self.patience_s = tries, timeout_s, patience_s

    # ---- one call ----

    def call(self, method, pattern, *, path=None, query=None, body=None, keyed=False, key=None):
        if keyed:
            key = key or uuid.uuid4().hex
        data = None
        headers = {}
        if body is not None:
            data = json.dumps({k: v for k, v in body.items() if v is not None}).encode()
            headers["Content-Type"] = "application/json"
        if keyed:
            headers["Idempotency-Key"] = key
        request = self._request(method, pattern, path, query, data, headers)
        for tried in range(1, self.tries + 1):
            wait_s = self.patience_s * 2 ** (tried - 1)
            try:
                with urllib.request.urlopen(request, timeout=self.timeout_s) as answer:
                    text = answer.read()
                    return json.loads(text) if text else None
            except urllib.error.HTTPError as e:
                problem = self._problem(e)
                again = problem.status in AGAIN or problem.code == IN_FLIGHT
                if not again or tried == self.tries:
                    raise problem from None
                wait_s = max(wait_s, problem.retry_after or 0)
            except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as e:
                # Only what may safely be said twice is: a POST without a key is not.
                if tried == self.tries or (method == "POST" and not keyed):
                    raise Unreachable(e, key) from e
            time.sleep(wait_s)

    def _request(self, method, pattern, path, query, data, headers):
        for name, value in (path or {}).items():
            pattern = pattern.replace("{" + name + "}", urllib.parse.quote(str(value), safe=""))
        asked = [(k, str(v).lower() if isinstance(v, bool) else v) for k, v in (query or {}).items() if v is not None]
        url = self.server + pattern + ("?" + urllib.parse.urlencode(asked) if asked else "")
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        if self.app:
            headers["Paddock-App"] = self.app
        return urllib.request.Request(url, data=data, headers=headers, method=method)

    @staticmethod
    def _problem(error):
        try:
            body = json.loads(error.read())
        except (ValueError, OSError, http.client.HTTPException):
            body = {}
        retry = error.headers.get("Retry-After", "")
        return Problem(error.code, body if isinstance(body, dict) else {}, int(retry) if retry.isdigit() else None)

    # ---- pages ----

    @staticmethod
    def pages(call, *path, **query):
        """Every row of every page of a list: `client.pages(client.list_rides, state="settled")`."""
        cursor = "before" if "before" in call.__annotations__ else "after"
        while True:
            page = call(*path, **query)
            rows = next(value for value in page.values() if isinstance(value, list))
            yield from rows
            following = page["next"]
            if following is None or following == query.get(cursor) or page.get("more") is False:
                return
            query[cursor] = following

    # ---- streams ----

    def stream(self, method, pattern, *, path=None, query=None, last_event_id=None):
        """SentEvents until the caller stops; connects again where it was when the network fails."""
        failed = 0
        while True:
            headers = {"Accept": "text/event-stream"}
            if last_event_id:
                headers["Last-Event-ID"] = last_event_id
            try:
                with urllib.request.urlopen(self._request(method, pattern, path, query, None, headers),
                                            timeout=self.timeout_s) as answer:
                    for event in self._events(answer):
                        failed = 0
                        last_event_id = event.id or last_event_id
                        yield event
            except urllib.error.HTTPError as e:
                problem = self._problem(e)
                if problem.status not in AGAIN:
                    raise problem from None
            except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError):
                pass
            failed += 1
            if failed >= self.tries:
                raise Unreachable("the stream does not come back")
            time.sleep(min(self.patience_s * 2 ** failed, 10))

    @staticmethod
    def _events(lines):
        id_, event, data = "", "message", []
        for raw in lines:
            line = raw.decode().rstrip("\r\n")
            if not line:
                if data:
                    yield SentEvent(id_, event, json.loads("\n".join(data)))
                event, data = "message", []
                continue
            name, _, value = line.partition(":")
            value = value[1:] if value.startswith(" ") else value
            if name == "id":
                id_ = value
            elif name == "event":
                event = value
            elif name == "data":
                data.append(value)
