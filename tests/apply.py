# SPDX-License-Identifier: Apache-2.0
"""`paddock apply`: the sample declares a city, twice is once, a dry run says what would change, a file with faults names
them all and sends nothing, and one that was killed in the middle is repeated."""
import json
import pathlib
import subprocess
import tempfile
import time

from support.paddock import BINARY, ROOT, Client, Server, imei, until

SAMPLE = ROOT / "docs" / "examples" / "city.json"
FLEET = 2000


class Apply:
    def __init__(self, server, folder):
        self.url = "http://%s:%d" % server.http
        self.token = server.token("control")
        self.path = pathlib.Path(folder) / "city.json"

    def command(self, content, *options):
        if content is not None:
            self.path.write_text(content if isinstance(content, str) else json.dumps(content))
        return [*BINARY, "apply", str(self.path), "--server", self.url, "--token", self.token, *options]

    def __call__(self, content, *options):
        done = subprocess.run(self.command(content, *options), capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr


def says(output, *parts):
    for part in parts:
        assert part in output, f"{part!r} is not in:\n{output}"


def sample_twice(apply, staff):
    city = json.loads(SAMPLE.read_text())
    code, out, err = apply(city, "--dry-run", "--exit-code")
    assert code == 4, (code, out, err)
    says(out, "+ cities gothenburg  new", "vehicles        3 new", "dry run: nothing was sent")
    assert staff.get("/v1/cities")[1]["cities"] == [], "a dry run declares nothing"
    code, out, err = apply(city)
    assert code == 0 and not err, (code, out, err)
    says(out, "vehicles        3 new", "applied: 10 sent")
    for options in ((), ("--dry-run", "--exit-code")):
        code, out, err = apply(city, *options)
        assert code == 0 and not err, (code, out, err)
        says(out, "vehicles        3 the same", "nothing to do")
    types = {t["code"]: t for t in staff.get("/v1/vehicle-types")[1]["vehicle_types"]}
    assert types["scooter"]["battery_min_pct"] == 15 and types["scooter"]["motor"] and types["bicycle"]["heartbeat_s"] == 240
    vehicles = {v["code"]: v for v in staff.get("/v1/fleet")[1]["fleet"]}
    assert vehicles["SE-0042"]["device"] == "490154203237518" and vehicles["SE-0044"]["protocol"] is None, vehicles
    return city


def changes(apply, staff, city):
    city["plans"][0]["minute_minor"] = 300
    city["cities"][0]["lat"] = 57.71
    city["vehicle_types"][1].pop("motor")  # what is left out is 0, false or nothing
    city["vehicles"][1]["city"] = "boras"
    city["vehicles"][2]["add_code"] = "OLD-44"
    city["cities"].append({**city["cities"][0], "code": "boras", "name": "Borås", "radius_m": 0})
    code, out, err = apply(city, "--dry-run")
    assert code == 0, (code, out, err)
    says(out, "~ plans standard  minute_minor: 250 -> 300", "~ cities gothenburg  lat: 57.7089000 -> 57.7100000",
         "~ vehicle_types scooter  motor: true -> false", "~ vehicles SE-0043  city: gothenburg -> boras",
         "+ cities boras  new", "~ vehicles SE-0044  add_code: none -> OLD-44", "plans           1 changed, 1 the same")
    assert staff.get("/v1/plans/standard")[1]["plan"]["minute_minor"] == 250
    assert apply(city)[0] == 0
    assert staff.get("/v1/plans/standard")[1]["plan"]["minute_minor"] == 300
    code, out, err = apply(city, "--dry-run", "--exit-code")
    assert code == 0, (code, out, err)
    city["vehicles"][2]["code"] = "OLD-44"  # any of its codes names it
    assert apply(city, "--dry-run", "--exit-code")[0] == 0


def faults(apply, staff, city):
    seq = staff.get("/v1/operator")[1]["as_of_seq"]
    broken = json.loads(json.dumps(city))
    broken["vehicles"][1]["city"] = "atlantis"
    broken["vehicles"][0]["colour"] = "red"
    del broken["cities"][0]["time_zone"]
    broken["plans"][1]["unlock_minor"] = -5
    broken["plans"][0]["code"] = broken["plans"][1]["code"]
    broken["vehicles"].append("SE-0099")
    broken["zones"] = []
    code, out, err = apply(broken)
    assert code == 3, (code, out, err)
    says(err, "vehicles[0].colour: is not a member", "cities[0].time_zone: is required", "plans[1].unlock_minor: is too small",
         "plans[1].code: is the same as in plans[0]", "vehicles[3]: is not an object", "zones: is nothing", "nothing was sent")
    for whole in (broken, city):  # only what cannot be known before the server was asked comes after
        whole.pop("zones", None)
    broken = json.loads(json.dumps(city))
    broken["vehicles"][1]["city"] = "atlantis"
    code, out, err = apply(broken)
    assert code == 3, (code, out, err)
    says(err, 'vehicles[1].city: "atlantis" is neither in this file nor on the server')
    code, out, err = apply('{"cities": [\n  {"code": }\n]}')
    assert code == 3, (code, out, err)
    says(err, "city.json:2:")
    for content in ("[]", "", '{"cities": {}}', '{"operator": []}', '{"cities": [null]}', '{"cities": [], "cities": []}'):
        code, out, err = apply(content)
        assert code == 3 and err and "Sanitizer" not in err, (content, code, err)
    assert staff.get("/v1/operator")[1]["as_of_seq"] - seq < 20, "faulty files declared something"
    # What only the server can judge is told with its place; the rest of the file is declared.
    refused = json.loads(json.dumps(city))
    refused["legal_entities"][0]["currency"] = "EUR"
    refused["operator"]["name"] = "Renamed"
    code, out, err = apply(refused)
    assert code == 1, (code, out, err)
    says(err, "legal_entities[0] se: invalid", "refused")
    assert staff.get("/v1/operator")[1]["operator"]["name"] == "Renamed"


def bad_calls(apply, server):
    def run(*words):
        done = subprocess.run([*BINARY, "apply", *words], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stderr

    sample = str(SAMPLE)
    for words in ((), (sample,), (sample, "--server", apply.url), (sample, "--server", apply.url, "--token"),
                  (sample, "--color"), (sample, sample, "--server", apply.url, "--token", "x"),
                  (sample, "--server", "https://example.org", "--token", "x"),
                  (sample, "--server", "non/sense", "--token", "x"),
                  (sample, "--server", apply.url, "--token", "x", "--exit-code")):
        code, err = run(*words)
        assert code == 2 and err.count("\n") == 1, (words, code, err)
    code, err = run(sample, "--server", apply.url, "--token", "pdk_" + "0" * 64)
    assert code == 1 and "unauthenticated" in err, (code, err)
    code, err = run(sample, "--server", apply.url, "--token", server.token("rider"))
    assert code == 1 and "forbidden" in err, (code, err)
    code, err = run(sample, "--server", "127.0.0.1:1", "--token", "x")
    assert code == 1 and err, (code, err)
    code, err = run("/nowhere.json", "--server", apply.url, "--token", "x")
    assert code == 3 and "No such file" in err, (code, err)


def many(apply, staff):
    city = json.loads(SAMPLE.read_text())
    city["vehicles"] = [{"code": f"V{n}", "city": "gothenburg", "vehicle_type": "scooter", "protocol": "omni",
                         "device": imei(n + 100)} for n in range(FLEET)]
    killed = subprocess.Popen(apply.command(city), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until("it is under way", lambda: staff.get("/v1/vehicles/V100")[0] == 200 or killed.poll() is not None)
    killed.kill()
    killed.wait()
    code, out, err = apply(None, "--dry-run")
    assert code == 0, (code, out, err)
    line = next(line for line in out.split("\n") if line.startswith("vehicles "))
    assert "new" in line and "the same" in line, f"killed in the middle, but: {line}"
    begun = time.monotonic()
    code, out, err = apply(None)
    took = time.monotonic() - begun
    assert code == 0 and not err, (code, out, err)
    assert apply(None, "--dry-run", "--exit-code")[0] == 0
    fleet, after = set(), ""
    while after is not None:
        page = staff.get("/v1/fleet?limit=1000" + (f"&after={after}" if after else ""))[1]
        fleet |= {v["code"] for v in page["fleet"]}
        after = page["next"]
    assert {f"V{n}" for n in range(FLEET)} <= fleet
    return line, round(took, 2)


def main():
    with tempfile.TemporaryDirectory() as folder, Server(None, "vehicles.max=5000") as server:
        apply, staff = Apply(server, folder), Client(server, "control")
        apply.token = staff.token  # one account: its lists wait for its own last write
        city = sample_twice(apply, staff)
        changes(apply, staff, city)
        faults(apply, staff, city)
        bad_calls(apply, server)
        killed, took = many(apply, staff)
        assert server.stop() == 0, server.said()
        checked = server.check()
        assert checked.returncode == 0, checked.stdout + checked.stderr
    print(json.dumps({"when killed": killed, "the rest took s": took}))


if __name__ == "__main__":
    main()
