# SPDX-License-Identifier: Apache-2.0
"""Replays captured bytes, and nothing else, into a real gateway: the published upstream frames of the shared vectors, as
they were, over one connection each and all mixed. The server must stay up, count, acknowledge only what the note says."""
import json
import socket

from support.paddock import SHARED, Client, Server, request, skip, until

VECTORS = SHARED / "protocols" / "vectors" / "omni.tsv"


def raw(text):
    if text.startswith("hex:"):
        return bytes.fromhex(text[4:])
    return text[4:].encode().decode("unicode_escape").encode("latin-1")


def frames():
    for line in VECTORS.read_text().splitlines()[1:]:
        frame, expected, _ = line.split("\t")
        yield raw(frame), json.loads(expected)


def main():
    if not VECTORS.exists():
        skip("the shared vectors are not beside this checkout")
    up = [(f, e) for f, e in frames() if e.get("dir") == "up"]
    wanted = {}
    with Server() as server:
        staff = Client(server, "control")
        for frame, expected in up:
            connection = socket.create_connection(server.vehicles, timeout=10)
            connection.sendall(frame)
            ack = expected.get("fields", {}).get("ack_cmd")
            if ack and "expect" not in expected:
                answer = b""
                while not answer.endswith(b"#\n"):
                    part = connection.recv(500)
                    assert part, f"hung up instead of {ack} to {frame}"
                    answer += part
                assert answer.startswith(b"\xff\xff*" + expected["dialect"][:3].encode() + b"S,"), answer
                assert answer.endswith(b"," + ack.encode() + b"#\n"), (answer, ack)
                wanted[ack] = wanted.get(ack, 0) + 1
            connection.close()
        # All of them glued into one stream: another IMEI on the same link ends it, and only it.
        with socket.create_connection(server.vehicles, timeout=10) as connection:
            connection.sendall(b"".join(f for f, _ in up))
        idents = {e["device"] for _, e in up if "device" in e}
        seen = until("every device is in quarantine",
                     lambda: (lambda q: q if len({d["ident"] for d in q}) >= len(idents) else None)(
                         staff.get("/v1/quarantine?limit=200")[1]["devices"]))
        assert {d["ident"] for d in seen} >= idents
        assert staff.get("/v1/vehicles")[1]["vehicles"] == [], "never in the fleet"
        assert request(server.admin, "GET", "/readyz")[0] == 200
        assert server.stop() == 0, server.said()
    print(f"{len(up)} captured frames, acknowledged: {wanted}, {len(idents)} devices in quarantine")


if __name__ == "__main__":
    main()
