# SPDX-License-Identifier: Apache-2.0
"""Behind haproxy, with the configuration of docs/production: TLS, live streams, limits by the rider's own address; who comes
past the front is hung up on; a node that stops is 503 until it is back."""
import http.client
import json
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

from support.paddock import ROOT, Client, Device, Server, declare_city, imei, skip, until

HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Front:
    """haproxy with the documented configuration; only addresses, files and users are other ones."""

    def __init__(self, server, folder):
        self.tls, self.plain = free_port(), free_port()
        certificate = folder / "paddock.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                        "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
        certificate.write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())
        self.trust = ssl.create_default_context(cafile=folder / "cert.pem")
        self.trust.check_hostname = False
        text = (ROOT / "docs" / "production" / "haproxy.cfg").read_text()
        for old, new in (("bind :443 ssl crt /etc/haproxy/certs/", f"bind 127.0.0.1:{self.tls} ssl crt {certificate}"),
                         ("bind :80\n", f"bind 127.0.0.1:{self.plain}\n"), ("    user haproxy\n", ""),
                         ("    group haproxy\n", ""), ("    log /dev/log local0 info\n", "    log stderr local0 info\n"),
                         ("node 127.0.0.1:8080", "node %s:%d" % server.http), ("port 8081", "port %d" % server.admin[1])):
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        config = folder / "haproxy.cfg"
        config.write_text(text)
        self.log = open(folder / "haproxy.log", "wb")
        self.process = subprocess.Popen([HAPROXY, "-db", "-f", config], stdout=self.log, stderr=self.log,
                                        stdin=subprocess.DEVNULL)
        until("the front answers", lambda: self.status("/v1/rides") == 401)

    def connection(self, source=None):
        return http.client.HTTPSConnection("127.0.0.1", self.tls, timeout=20, context=self.trust,
                                           source_address=source and (source, 0))

    def status(self, path, token=None, source=None):
        connection = self.connection(source)
        try:
            connection.request("GET", path, headers={"Authorization": "Bearer " + token} if token else {})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except OSError:
            return None
        finally:
            connection.close()

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.log.close()


def strangers_are_slowed_down_one_by_one(front):
    bad = "pdk_" + "0" * 64
    statuses = [front.status("/v1/rides", bad, "127.0.0.2") for _ in range(70)]
    assert statuses[0] == 401 and 429 in statuses, statuses
    assert front.status("/v1/rides", bad, "127.0.0.3") == 401, "another address pays for it"


def a_stream_passes(front, staff):
    connection = front.connection()
    connection.request("GET", "/v1/events/live", headers={"Authorization": "Bearer " + staff.token})
    stream = connection.getresponse()
    assert stream.status == 200 and "text/event-stream" in stream.getheader("Content-Type")
    seen = []
    def first():
        seen.append(next(line for line in stream if line.startswith(b"data:")))

    reader = threading.Thread(target=first, daemon=True)
    reader.start()
    poster = front.connection()
    poster.request("POST", "/v1/vehicles/GBG-0/events", json.dumps({"event": "provider_drop_off"}),
                   {"Authorization": "Bearer " + staff.token, "Content-Type": "application/json", "Idempotency-Key": "one"})
    assert poster.getresponse().status == 200
    poster.close()
    reader.join(20)
    assert seen and b"provider_drop_off" in seen[0], seen
    stream.close()
    connection.close()


def past_the_front_nobody_gets_in(server):
    with socket.create_connection(server.http, timeout=10) as s:
        s.sendall(b"GET /v1/rides HTTP/1.1\r\nHost: a\r\n\r\n")
        try:
            assert s.recv(100) == b"", "answered without a header"
        except ConnectionResetError:
            pass
    name = 'paddock_http_refused_proxy_total{listener="public"}'
    assert server.metrics()[name] >= 1


def main():
    if not HAPROXY:
        skip("haproxy is not installed; `make test` installs it")
    with Server() as server, tempfile.TemporaryDirectory(prefix="paddock-front-") as folder:
        staff = Client(server, "control")
        declare_city(staff)
        device = Device(server, imei(0))
        device.sign_in()
        server.stop()
        server.settings += ["http.proxy=true", "http.address=127.0.0.1:%d" % free_port(),
                            "admin.address=127.0.0.1:%d" % free_port()]
        server.start()
        device = Device(server, imei(0))
        device.sign_in()
        front = Front(server, pathlib.Path(folder))
        try:
            plain = http.client.HTTPConnection("127.0.0.1", front.plain, timeout=20)
            plain.request("GET", "/rider/")
            assert plain.getresponse().status == 308
            plain.close()
            assert front.status("/v1/vehicles", staff.token) == 200
            assert front.status("/metrics") in (401, 404), "the admin port is reached from outside"
            strangers_are_slowed_down_one_by_one(front)
            past_the_front_nobody_gets_in(server)
            a_stream_passes(front, staff)
            server.stop()
            until("the front says 503", lambda: front.status("/v1/rides") == 503)
            server.start()
            until("the front finds it again", lambda: front.status("/v1/vehicles", staff.token) == 200)
        except BaseException:
            print((pathlib.Path(folder) / "haproxy.log").read_text(errors="replace")[-3000:], file=sys.stderr)
            raise
        finally:
            front.end()
        assert server.stop() == 0
    print("behind haproxy: TLS, streams, limits by address, 503 while the node is away")


if __name__ == "__main__":
    main()
