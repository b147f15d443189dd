# SPDX-License-Identifier: Apache-2.0
"""The durable bench in small: everything is acknowledged and kept, the peer answers, and a row says how they compare. What
the figures are is not asserted: this machine is busy with other tests."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from support.paddock import BINARY, ROOT, skip


def main():
    if not (ROOT / "build" / "peer_echo").exists():
        skip("build/peer_echo is not built")
    with tempfile.TemporaryDirectory(prefix="paddock-bench-") as folder:
        out = pathlib.Path(folder) / "bench.json"
        small = {"ONLY": "durable", "RUNS": "1", "BENCH_SECONDS": "0.4", "BENCH_CONNECTIONS": "40", "BENCH_IN_FLIGHT": "4",
                 "OUT": str(out), "PADDOCK": " ".join(BINARY)}
        done = subprocess.run([sys.executable, str(ROOT / "tools" / "bench")], env=os.environ | small, capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        rows = {row["name"]: row for row in json.loads(out.read_text())}
        first = rows["durable 40 x 4"]
        assert set(first) == {"name", "value", "unit", "peer", "peer_value", "ratio", "runs", "min", "max"}, first
        assert first["value"] > 0 and first["peer_value"] > 0 and first["ratio"] > 0, first
        assert first["name"] in done.stdout
        print("ok the bench compares what was acknowledged and kept")


if __name__ == "__main__":
    main()
