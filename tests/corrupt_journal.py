# SPDX-License-Identifier: Apache-2.0
"""A flipped bit in the middle of the journal is refused, with the place; a torn end is cut, and said."""
import pathlib
import shutil

from support.paddock import Client, Device, Server, declare_city, imei, until


def newest_segment(data):
    return max((pathlib.Path(data) / "journal").glob("*.seg"), key=lambda p: p.name)


def written_end(blob):
    return len(blob.rstrip(b"\0"))


def main():
    with Server() as server:
        staff = Client(server, "control")
        declare_city(staff, 1)
        device = Device(server, imei(0), "CMDR")
        device.sign_in()
        for i in range(200):
            device.say(f"D0,1,120000.00,A,57{i // 60:02d}.{i:04d},N,01158.0000,E,9,0.8,231126,10,M,A")
        for _ in range(200):
            while b"Re,D0" not in device.hear():
                pass
        server.kill()
        keep = server.data + ".keep"
        shutil.copytree(server.data, keep)

        segment = newest_segment(server.data)
        blob = bytearray(segment.read_bytes())
        blob[written_end(blob) // 2] ^= 4
        segment.write_bytes(blob)
        server.start(expect_ready=False)
        code = until("the start was refused", lambda: server.process.poll() if server.process.poll() is not None else None)
        said = server.said()
        assert code == 1 and segment.name in said and "seq" in said, (code, said)
        checked = server.check()
        assert checked.returncode == 1, checked.stdout + checked.stderr

        shutil.rmtree(server.data)
        shutil.copytree(keep, server.data)
        segment = newest_segment(server.data)
        blob = bytearray(segment.read_bytes())
        end = written_end(blob)
        # The head of one more record that never became whole, as a power cut in the middle of a write leaves it.
        last = bytes(blob).rfind(b"JREC")
        seq = int.from_bytes(blob[last + 8:last + 16], "little")
        end += -end % 8
        blob[end:end + 60] = blob[last:last + 8] + (seq + 1).to_bytes(8, "little") + blob[last + 16:last + 60]
        segment.write_bytes(blob)
        server.start()
        assert "torn tail" in server.said(), server.said()
        assert server.stop() == 0
        assert server.check().returncode == 0
    print("refused with the place; the torn end was cut")


if __name__ == "__main__":
    main()
