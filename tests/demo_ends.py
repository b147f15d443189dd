# SPDX-License-Identifier: Apache-2.0
"""How the demo ends, and what it refuses to begin: no server is left behind, nobody else's data are touched,
and a port that is taken is said together with what to do."""
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import tempfile

from support.demo import ANY_PORT, Demo, gone
from support.paddock import BINARY


def run(*options):
    return subprocess.run(BINARY + ["demo", *options], capture_output=True, text=True, timeout=30)


def refuses_bad_usage():
    with tempfile.TemporaryDirectory() as folder:
        data = folder + "/data"
        for bad in ("", "--data D --vehicles 0", "--data D --vehicles 20000", "--data D --speed 0", "--data D --for 5",
                    "--data D --for 0s", "--data D --nonsense", "--data D --set no.such=1", "--data D more",
                    "--data D --set clock.speed=3", "--data D --seed x", "--data D --city atlantis", "--data D --hour 24",
                    "--data D --demand"):
            done = run(*[data if word == "D" else word for word in bad.split()])
            assert done.returncode == 2, (bad, done)
            assert len(done.stderr.splitlines()) == 1 and done.stdout == "", (bad, done)
        assert not pathlib.Path(data).exists(), "a refused call leaves nothing behind"
        done = run("--data", data, "--streets", folder + "/nowhere", "--set", "http.address=127.0.0.1:0")
        assert done.returncode == 3 and "nowhere" in done.stderr, done
        done = run("--data", data, "--report", folder + "/no/where.json", "--set", "http.address=127.0.0.1:0")
        assert done.returncode == 3 and "where.json" in done.stderr, done
    help_text = run("--help")
    assert help_text.returncode == 0 and "--vehicles" in help_text.stdout


def refuses_the_data_of_others():
    with tempfile.TemporaryDirectory() as folder:
        journal = pathlib.Path(folder) / "journal"
        journal.mkdir()
        done = run("--data", folder, "--set", "http.address=127.0.0.1:0")
        assert done.returncode == 2 and "no demo made" in done.stderr, done
        assert list(pathlib.Path(folder).iterdir()) == [journal]


def says_what_to_do_about_a_taken_port():
    with socket.socket() as taken, tempfile.TemporaryDirectory() as folder:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        done = run("--data", folder + "/data", "--set", "http.address=" + address)
        assert done.returncode == 2 and address in done.stderr and "PORT=" in done.stderr, done
        done = run("--data", folder + "/data", "--set", ANY_PORT[0], "--set", "admin.address=" + address)
        assert done.returncode == 2 and "--set admin.address=" in done.stderr, done


def lowers_what_cannot_be_and_says_so():
    """Open files that are not allowed, a speed at which orders run out: less of it, not a city that fails."""
    def few_files():
        resource.setrlimit(resource.RLIMIT_NOFILE, (3000, 3000))

    with tempfile.TemporaryDirectory() as folder:
        settings = [word for setting in ANY_PORT for word in ("--set", setting)]
        report = pathlib.Path(folder) / "report.json"
        done = subprocess.run(BINARY + ["demo", "--data", folder + "/data", "--vehicles", "9000", "--speed", "100", "--for",
                                        "2s", "--report", str(report), *settings],
                              capture_output=True, text=True, timeout=90, preexec_fn=few_files)
        assert done.returncode == 0, done
        assert "vehicles instead of 9000: 3000 open files are allowed" in done.stderr, done.stderr
        assert "30 times as fast instead of 100" in done.stderr, done.stderr
        said = json.loads(report.read_text())
        assert 100 < said["vehicles"]["count"] < 3000 and said["speed"] == 30, said["vehicles"]


def is_another_town():
    with Demo("--vehicles", "8", "--for", "8s", "--speed", "10", "--city", "montevideo", "--hour", "8") as demo:
        addresses = demo.addresses()
        assert addresses["city"]["currency"] == "UYU" and addresses["city"]["time_zone"] == "America/Montevideo", addresses
        code, report = demo.ended()
        said = demo.said()
        assert code == 0 and "Paddock serves Montevideo" in said and "SEK" not in said, said
        assert report["city"] == "montevideo" and report["rides"]["currency"] == "UYU", report["rides"]


def ends_in_order(number):
    with Demo("--vehicles", "3") as demo:
        server = demo.addresses()["pid"]
        demo.process.send_signal(number)
        code, report = demo.ended(40)
        assert code == 0, demo.said()
        assert report["server"]["ended_in_order"] and report["server"]["check"] == "fine", report["server"]
        gone(server)


def takes_the_server_with_it():
    with Demo("--vehicles", "3") as demo:
        server = demo.addresses()["pid"]
        os.kill(demo.process.pid, signal.SIGKILL)
        demo.process.wait()
        gone(server)


def goes_on_where_it_was():
    with tempfile.TemporaryDirectory() as folder:
        data = folder + "/data"
        settings = [word for setting in ANY_PORT for word in ("--set", setting)]
        for speed in ("50", "1"):  # the second city's clock begins behind the first one's end
            done = run("--data", data, "--vehicles", "3", "--for", "3s", "--speed", speed, *settings)
            assert done.returncode == 0, done
        checked = subprocess.run(BINARY + ["check", "--data", data], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stdout + checked.stderr


def main():
    refuses_bad_usage()
    refuses_the_data_of_others()
    says_what_to_do_about_a_taken_port()
    lowers_what_cannot_be_and_says_so()
    is_another_town()
    ends_in_order(signal.SIGTERM)
    ends_in_order(signal.SIGINT)
    takes_the_server_with_it()
    goes_on_where_it_was()


if __name__ == "__main__":
    main()
