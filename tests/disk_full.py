# SPDX-License-Identifier: Apache-2.0
"""A full disk: nothing is acknowledged any more, /readyz says why, the process ends non-zero with the reason, and with room
again the same data starts and holds what was acknowledged."""
import pathlib
import subprocess
import tempfile

from support.paddock import Client, Device, Server, declare_city, imei, request, skip, until


def journal_fails(server, device):
    """Positions until the disk is full; how many were acknowledged."""
    acked = 0
    device.socket.settimeout(2)  # longer than a flood is paused, shorter than the process lingers for /readyz
    try:
        while True:
            device.socket.sendall(b"".join(device.frame(f"D0,1,120000.00,A,57{(acked + i) // 1000 % 60:02d}.{(acked + i) % 1000:04d},N,"
                                                        "01158.0000,E,9,0.8,231126,10,M,A") for i in range(50)))
            for _ in range(50):
                while device.hear().split(b",")[-2:] != [b"Re", b"D0#"]:
                    pass
                acked += 1
    except (AssertionError, OSError):
        return acked


def main():
    with tempfile.TemporaryDirectory(prefix="paddock-full-") as place:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "paddock-test", place], capture_output=True).returncode:
            skip("a small file system cannot be mounted here (needs root)")
        try:
            server = Server(pathlib.Path(place) / "data", "journal.segment_mb=2", "journal.keep_mb=0", "journal.keep_h=48")
            server.start()
            staff = Client(server, "control")
            declare_city(staff, 1)
            device = Device(server, imei(0), "CMDR")
            device.sign_in()
            filler = pathlib.Path(place) / "filler"
            with filler.open("wb") as f:
                try:
                    while True:
                        f.write(bytes(1 << 16))
                        f.flush()
                except OSError:
                    pass
            acked = journal_fails(server, device)
            assert acked, "nothing was acknowledged: the test tested nothing"
            status, _, body = request(server.admin, "GET", "/readyz")
            assert status == 503 and (b"journal" in body or b"tables" in body), (status, body)
            code = until("the process ended", lambda: server.process.poll())
            assert code == 1, code
            assert "nothing is acknowledged any more" in server.said(), server.said()
            filler.unlink()
            server.start()
            assert server.stop() == 0, server.said()
            checked = server.check()
            assert checked.returncode == 0, checked.stdout + checked.stderr
            print(f"{acked} positions acknowledged before the disk was full; all there")
        finally:
            if "server" in locals() and server.process and server.process.poll() is None:
                server.kill()
            subprocess.run(["umount", "-l", place], check=False)


if __name__ == "__main__":
    main()
