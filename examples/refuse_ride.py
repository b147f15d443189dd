# SPDX-License-Identifier: Apache-2.0
"""Refuses rides on one vehicle, and any after 23:00; prints the events it gets.  refuse_ride.py API TOKEN VEHICLE [PORT]"""
import base64, hashlib, hmac, json, sys, time, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

API, TOKEN, VEHICLE = sys.argv[1:4]
SECRETS = {}

def declare(path, here, **more):
    body = json.dumps({"url": here, "new_secret": True, **more}).encode()
    headers = {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"}
    answer = json.load(urllib.request.urlopen(urllib.request.Request(API + path, body, headers, method="PUT")))
    return base64.b64decode((answer.get("hook") or answer.get("webhook"))["secret"].removeprefix("whsec_"))

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body, head = self.rfile.read(int(self.headers["Content-Length"])), self.headers
        signed = f'{head["webhook-id"]}.{head["webhook-timestamp"]}.'.encode() + body
        right = "v1," + base64.b64encode(hmac.digest(SECRETS[self.path], signed, hashlib.sha256)).decode()
        genuine, said = hmac.compare_digest(right, head["webhook-signature"]), json.loads(body)
        for event in said.get("events", []) if genuine else []: print(json.dumps(event), flush=True)
        no = said.get("vehicle_code") == VEHICLE or time.localtime().tm_hour >= 23
        self.send_response(200 if genuine else 401)
        self.end_headers()
        self.wfile.write(json.dumps({"verdict": "refuse", "reason": "not_now"} if no else {"verdict": "allow"}).encode())
    def log_message(self, *_): pass

server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[4]) if len(sys.argv) > 4 else 0), Handler)
for path, at in (("/v1/hooks/ride.may_start", "/ask"), ("/v1/webhooks/example", "/events")):
    SECRETS[at] = declare(path, f"http://127.0.0.1:{server.server_port}{at}")
server.serve_forever()
