# SPDX-License-Identifier: Apache-2.0
"""Pages over HTTP: kept as long as they may be, compressed, with a policy, and never a file that is not one of them."""
import gzip
import json
import pathlib
import socket

from support.paddock import Client, Server, declare_city, request, until

PAGE = "<!doctype html><title>Control</title>" + "<p>words that compress</p>" * 50


def write(folder):
    assets = folder / "control" / "assets"
    assets.mkdir(parents=True)
    (folder / "control" / "index.html").write_text(PAGE)
    (folder / "control" / "index.html.gz").write_bytes(gzip.compress(PAGE.encode()))
    (assets / "app-1a2b3c.js").write_text("export {}")
    (folder.parent / "secret.txt").write_text("secret")


def get(server, path, **headers):
    return request(server.http, "GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})


def raw(server, line):
    """A request line that no polite client sends."""
    with socket.create_connection(server.http, 10) as s:
        s.sendall(f"{line}\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        data = b""
        while chunk := s.recv(65536):
            data += chunk
    return data


def serving(server):
    status, headers, body = get(server, "/control/", Accept_Encoding="gzip, br")
    assert status == 200 and gzip.decompress(body).decode() == PAGE and headers["Content-Encoding"] == "gzip"
    assert headers["Cache-Control"] == "no-cache" and "script-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Vary"] == "Accept-Encoding"
    status, again, body = get(server, "/control/", Accept_Encoding="gzip", If_None_Match=headers["ETag"])
    assert (status, body) == (304, b"") and again["ETag"] == headers["ETag"]
    status, headers, body = get(server, "/control/vehicles/GBG-0")
    assert status == 200 and body.decode() == PAGE and "Content-Encoding" not in headers
    status, headers, _ = get(server, "/control/assets/app-1a2b3c.js")
    assert status == 200 and "immutable" in headers["Cache-Control"] and headers["Content-Type"].startswith("text/javascript")
    status, headers, body = request(server.http, "HEAD", "/control/")
    assert (status, body, headers["Content-Length"]) == (200, b"", str(len(PAGE)))
    assert get(server, "/control")[:1] == (308,) and get(server, "/control")[1]["Location"] == "/control/"
    status, headers, _ = request(server.http, "POST", "/control/")
    assert status == 405 and headers["Allow"] == "GET, HEAD"
    assert get(server, "/control/assets/gone-ffff.js")[0] == 404
    assert get(server, "/v1/rides")[0] == 401, "the API is where it was"


def refusing(server):
    for path in ("/control/../../secret.txt", "/../secret.txt", "/control/%2e%2e/%2e%2e/secret.txt",
                 "/control/assets/..%2f..%2fx", "/control/index.html.gz",
                 "//etc/passwd", "/control/\\..\\secret.txt", "/" + "a/" * 500):
        said = raw(server, f"GET {path} HTTP/1.1")
        assert b"secret" not in said and b"root:" not in said, path
        assert said.startswith(b"HTTP/1.1 4"), (path, said[:60])


def about(server):
    """What a page asks before anybody signed in."""
    status, headers, body = get(server, "/v1/about")
    assert status == 200 and headers["Cache-Control"] == "no-store"
    said = json.loads(body)
    assert said["build"] and said["cities"] == [] and said["demo"] == {"panel": "http://127.0.0.1:9"}, said
    assert "connect-src 'self' http://127.0.0.1:9" in get(server, "/control/")[1]["Content-Security-Policy"]
    staff = Client(server, "control")
    declare_city(staff)
    told = until("the city is told", lambda: json.loads(get(server, "/v1/about")[2])["cities"])
    assert told == [{"code": "gothenburg", "name": "Gothenburg", "lat": 57.7089, "lon": 11.9746,
                     "time_zone": "Europe/Stockholm"}], told


def main():
    server = Server()
    folder = pathlib.Path(server.folder.name) / "pages"
    write(folder)
    server.settings += ["demo.panel=http://127.0.0.1:9", f"pages.dir={folder}"]
    with server:
        serving(server)
        refusing(server)
        about(server)
        counted = server.metrics()
        assert counted["paddock_api_pages_total"] == 7 and counted["paddock_api_pages_unchanged_total"] == 1, counted
        server.stop()
        # What the operator named must be there; without a word about it, there are none.
        server.settings[-1] = f"pages.dir={folder}-not"
        server.start(expect_ready=False)
        assert server.process.wait(20) == 1 and "there is no folder of pages" in server.said()
        server.settings[-1] = "pages.dir=-"
        server.start()
        assert get(server, "/control/")[0] == 404
    print("pages are served")


if __name__ == "__main__":
    main()
