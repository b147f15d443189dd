# SPDX-License-Identifier: Apache-2.0
"""tools/streets on vector tiles that this test makes, and on bytes that are none; tools/demand on made-up trips."""
import gzip
import json
import math
import pathlib
import struct
import subprocess
import sys
import tempfile

from support.paddock import ROOT

ZOOM, COLUMN, ROW, EXTENT = 12, 1408, 2471, 4096


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def packed(numbers):
    return b"".join(map(varint, numbers))


def zigzag(n):
    return n << 1 if n >= 0 else (-n << 1) - 1


def feature(line, tags):
    commands, x, y = [1 << 3 | 1], 0, 0
    for i, (px, py) in enumerate(line):
        if i == 1:
            commands.append((len(line) - 1) << 3 | 2)
        commands += [zigzag(px - x), zigzag(py - y)]
        x, y = px, py
    return field(2, packed(tags)) + field(3, 2) + field(4, packed(commands))


def tile(ways):
    """ways: (line, {tag: text})"""
    keys, values, features = [], [], []
    for line, tags in ways:
        codes = []
        for key, value in tags.items():
            for known, word in ((keys, key), (values, value)):
                if word not in known:
                    known.append(word)
            codes += [keys.index(key), values.index(value)]
        features.append(feature(line, codes))
    layer = field(15, 2) + field(1, b"osm") + b"".join(field(2, f) for f in features)
    layer += b"".join(field(3, k.encode()) for k in keys) + b"".join(field(4, field(1, v.encode())) for v in values)
    return field(3, layer + field(5, EXTENT))


def streets(folder, *files):
    to = pathlib.Path(folder) / "town.bin"
    to.unlink(missing_ok=True)
    done = subprocess.run([sys.executable, str(ROOT / "tools" / "streets"), "montevideo", "--from", *map(str, files),
                           "--to", str(to)], capture_output=True, text=True)
    return done, to


def places(data):
    nodes, edges = struct.unpack_from("<II", data, 8)
    flat = struct.unpack_from(f"<{2 * nodes}i", data, 16)
    return list(zip(flat[::2], flat[1::2])), edges


def degrees_e7(x, y):
    whole = EXTENT << ZOOM
    x, y = COLUMN * EXTENT + x, ROW * EXTENT + y
    return (round(math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / whole)))) * 1e7),
            round((x / whole * 360 - 180) * 1e7))


def reads_tiles(folder):
    square = [(100, 100), (300, 100), (300, 300), (100, 300), (100, 100)]
    first = pathlib.Path(folder) / f"{ZOOM}-{COLUMN}-{ROW}.mvt"
    first.write_bytes(tile([
        (square, {"highway": "residential"}),
        ([(300, 300), (4096, 300)], {"highway": "cycleway"}),            # to the tile's edge
        ([(100, 100), (50, 50)], {"highway": "motorway"}),               # not for scooters
        ([(100, 300), (100, 400)], {"highway": "residential", "access": "private"}),
        ([(2000, 2000), (2100, 2000)], {"highway": "residential"}),      # leads nowhere from here
        ([(0, 0), (9, 9)], {"building": "yes"}),
    ]))
    second = pathlib.Path(folder) / f"{ZOOM}-{COLUMN + 1}-{ROW}.mvt"
    second.write_bytes(tile([([(0, 300), (500, 300)], {"highway": "path"})]))  # goes on from that edge
    done, to = streets(folder, first, second)
    assert done.returncode == 0, done
    assert "OpenStreetMap contributors, ODbL" in done.stdout, done
    found, edges = places(to.read_bytes())
    wanted = {degrees_e7(*p) for p in square + [(4096, 300), (4596, 300)]}
    assert set(found) == wanted, (found, wanted)
    assert edges == 2 * 6, edges
    done, to = streets(folder, second)
    assert done.returncode == 0 and len(places(to.read_bytes())[0]) == 2
    return first.read_bytes()


def refuses_rubbish(folder, whole):
    name = pathlib.Path(folder) / f"{ZOOM}-1-1.mvt"
    for bad in (whole[:-7], b"\x1a\xff\xff\xff\xff\x0f", b"\xff" * 40, b"", whole[:20] + b"\xff" * 20 + whole[40:]):
        name.write_bytes(bad)
        done, to = streets(folder, name)
        assert done.returncode == 1 and not to.exists(), (bad[:30], done)
        assert "Traceback" not in done.stderr and done.stderr.startswith("streets:"), done.stderr


def counts_trips(folder):
    trips = pathlib.Path(folder) / "trips"
    trips.mkdir()
    out = pathlib.Path(folder) / "demand.txt"
    command = [sys.executable, str(ROOT / "tools" / "demand"), "--trips", str(trips), "--to", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and not out.exists() and not done.stdout, "no trips, no file, no complaint"
    lines = ["trip_id,start,end,duration_s,start_station,end_station,bike_id,rider"]
    for day in ("03", "04", "08"):  # Monday, Tuesday, Saturday of February 2014
        for n in range(10):
            for rider in ("Subscriber", "Customer"):
                lines.append(f"1,2014-02-{day} {8 if rider == 'Subscriber' else 14:02}:0{n},x,{(n + 1) * 60},1,2,3,{rider}")
    lines.append("1,2014-02-03 08:00,x,90000,1,2,3,Subscriber")  # was never docked: counts as a trip, not as a length
    with gzip.open(trips / "bayarea-2014-trips.csv.gz", "wt") as f:
        f.write("\n".join(lines) + "\n")
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done
    text = out.read_text().splitlines()
    assert "hour commuter weekday 8 10500" in text, "21 trips in the hour of two days, in thousandths a day"
    assert "hour commuter weekend 8 10000" in text and "hour visitor weekday 14 10000" in text
    assert "length commuter 120 180 240 300 360 420 480 540 600" in text, text
    (trips / "bayarea-2014-trips.csv.gz").write_bytes(b"no gzip")
    out.unlink()
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr and not out.exists(), done


def main():
    with tempfile.TemporaryDirectory() as folder:
        refuses_rubbish(folder, reads_tiles(folder))
        counts_trips(folder)
        nowhere = pathlib.Path(folder) / "empty.json"
        nowhere.write_text(json.dumps({"features": []}))
        done, _ = streets(folder, nowhere)
        assert done.returncode == 1 and "Traceback" not in done.stderr, done


if __name__ == "__main__":
    main()
