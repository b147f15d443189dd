# SPDX-License-Identifier: Apache-2.0
"""`paddock apply`: the samples declare a city, its staff, and programs outside; twice is once, a dry run says what would
change, a file with faults names them all and sends nothing, one that was killed in the middle is repeated, and no password
or secret is printed or kept where it does not belong."""
import json
import os
import pathlib
import subprocess
import tempfile
import time

from support.paddock import BINARY, ROOT, Caller, Client, Server, imei, until

SAMPLE = ROOT / "docs" / "examples" / "city.json"
PEOPLE = ROOT / "docs" / "examples" / "people.json"
ADA, BO, DI = "a password of ada's", "bo keeps this in a file", "di was given this later"
FLEET = 2000


class Apply:
    def __init__(self, server, folder):
        self.url = "http://%s:%d" % server.http
        self.token = server.token("control")
        self.path = pathlib.Path(folder) / "city.json"
        self.folder, self.env, self.printed = pathlib.Path(folder), {}, ""

    def command(self, content, *options):
        if content is not None:
            self.path.write_text(content if isinstance(content, str) else json.dumps(content))
        return [*BINARY, "apply", str(self.path), "--server", self.url, "--token", self.token, *options]

    def __call__(self, content, *options):
        done = subprocess.run(self.command(content, *options), capture_output=True, text=True, timeout=60,
                              cwd=self.folder, env={**os.environ, **self.env})
        self.printed += done.stdout + done.stderr
        return done.returncode, done.stdout, done.stderr


def says(output, *parts):
    for part in parts:
        assert part in output, f"{part!r} is not in:\n{output}"


def sample_twice(apply, staff):
    city = json.loads(SAMPLE.read_text())
    code, out, err = apply(city, "--dry-run", "--exit-code")
    assert code == 4, (code, out, err)
    says(out, "+ cities gothenburg  new", "vehicles        3 new", "dry run: nothing was sent",
         "+ staff bo  new, without a password: cannot sign in before one is set")
    assert staff.get("/v1/cities")[1]["cities"] == [], "a dry run declares nothing"
    code, out, err = apply(city)
    assert code == 0 and not err, (code, out, err)
    says(out, "vehicles        3 new", "applied: 11 sent")
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


def sign_in(server, name, password):
    return Caller(server).post("/v1/staff/sign-in", {"name": name, "password": password})


def people(apply, server, staff):
    """Staff: a first password comes from elsewhere, is sent once, and theirs stays; a change ends tokens that are out."""
    file = {"staff": json.loads(PEOPLE.read_text())["staff"]}
    code, out, err = apply(file)
    assert code == 3 and "nothing was sent" in err, (code, out, err)
    says(err, "staff[0].password_env: is not set", "staff[1].password_file: No such file")
    apply.env["PADDOCK_PASSWORD_ADA"] = "too short"
    (apply.folder / "bo.password").write_text("x" * 129)
    code, out, err = apply(file, "--dry-run")
    assert code == 3 and err.count("12 to 128 characters") == 2, (code, out, err)
    assert [s["name"] for s in staff.get("/v1/staff")[1]["staff"]] == ["bo"], "only the first sample's"
    apply.env["PADDOCK_PASSWORD_ADA"] = ADA
    (apply.folder / "bo.password").write_text(BO + "\r\nand another line\n")
    code, out, err = apply(file, "--dry-run", "--exit-code")
    assert code == 4 and not err, (code, out, err)
    says(out, "+ staff ada  new\n", "+ staff cleo  new, without", "~ staff bo  password_file: none -> bo.password\n")
    assert len(staff.get("/v1/staff")[1]["staff"]) == 1, "a dry run declares nobody"
    code, out, err = apply(file)
    assert code == 0 and not err, (code, out, err)
    says(out, "staff           2 new, 1 changed", "applied: 3 sent")
    apply.env.clear()  # they are not needed any more
    (apply.folder / "bo.password").unlink()
    code, out, err = apply(file, "--dry-run", "--exit-code")
    assert code == 0 and "staff           3 the same" in out, (code, out, err)
    status, ada = sign_in(server, "ada", ADA)
    assert status == 200 and ada["role"] == "control" and ada["cities"] is None, ada
    status, bo = sign_in(server, "bo", BO)
    assert status == 200 and bo["role"] == "crew" and bo["cities"] == ["gothenburg"], bo
    assert sign_in(server, "cleo", "")[0] == 422 and sign_in(server, "cleo", "whatever it may be")[0] == 401
    bo = Caller(server, bo["token"])
    assert bo.get("/v1/vehicles")[0] == 200
    file["staff"][1] = {"name": "bo", "role": "oncall", "cities": ["boras", "gothenburg"]}
    code, out, err = apply(file, "--dry-run")
    says(out, "~ staff bo  role: crew -> oncall, cities: gothenburg -> boras,gothenburg\n")
    assert bo.get("/v1/me")[0] == 200, "a dry run signs nobody out"
    assert apply(file)[0] == 0 and bo.get("/v1/me")[0] == 401, "what they may do has changed: their token has ended"
    file["staff"][1]["cities"].reverse()  # a set
    assert apply(file, "--dry-run", "--exit-code")[0] == 0
    assert sign_in(server, "bo", BO)[1]["role"] == "oncall", "theirs stays"
    del file["staff"][1]["cities"]
    file["staff"].append({"name": "Åsa b/c%41", "role": "mds", "password_env": "OF_DI"})
    apply.env["OF_DI"] = DI
    code, out, err = apply(file)
    assert code == 0 and not err, (code, out, err)
    says(out, "~ staff bo  cities: boras,gothenburg -> all\n")
    assert sign_in(server, "Åsa b/c%41", DI)[1]["role"] == "mds"
    assert apply(file, "--dry-run", "--exit-code")[0] == 0
    for wrong, why in (({"password": ADA}, "staff[4].password: does not stand in a file"),
                       ({"role": "rider"}, "is none of control"),
                       ({"cities": ["atlantis"]}, 'cities: "atlantis" is neither'), ({"cities": []}, "cities: is empty"),
                       ({"password_env": "A", "password_file": "B"}, "or password_env, not both")):
        code, out, err = apply({"staff": [*file["staff"], {"name": "eve", "role": "crew", **wrong}]})
        assert code == 3, (wrong, code, out, err)
        says(err, why)
    crowd = {"staff": [{"name": f"crew {n:03}", "role": "crew", "cities": ["gothenburg"]} for n in range(220)]}  # two pages
    code, out, err = apply(crowd)
    assert code == 0 and "applied: 220 sent" in out, (code, out, err)
    assert "220 the same" in apply(crowd, "--dry-run", "--exit-code")[1]


def programs(apply, staff):
    """Webhooks and hooks: the server makes the secret and shows it once; apply puts it where the file says."""
    file = json.loads(PEOPLE.read_text())
    del file["staff"]
    secrets = [apply.folder / one["secret_file"] for one in (file["webhooks"][0], file["hooks"][0])]
    secrets[1].write_text("an older one")
    code, out, err = apply(file)
    assert code == 3 and "hooks[0].secret_file: is there already" in err, (code, out, err)
    assert staff.get("/v1/webhooks/billing")[0] == 404 and secrets[1].read_text() == "an older one"
    secrets[1].unlink()
    code, out, err = apply(file, "--dry-run", "--exit-code")
    assert code == 4 and "+ webhooks billing  new\n" in out and "+ hooks ride.may_start  new\n" in out, (code, out, err)
    assert staff.get("/v1/hooks/ride.may_start")[0] == 404 and not secrets[0].exists()
    code, out, err = apply(file)
    assert code == 0 and not err, (code, out, err)
    says(out, "webhooks billing: its secret is in billing.secret", "hooks ride.may_start: its secret is in may-start.secret")
    for path in secrets:
        assert path.read_text().startswith("whsec_") and path.stat().st_mode & 0o777 == 0o600, path
    kept = [path.read_text() for path in secrets]
    assert apply(file, "--dry-run", "--exit-code")[0] == 0
    webhook, hook = (staff.get(path)[1] for path in ("/v1/webhooks/billing", "/v1/hooks/ride.may_start"))
    assert webhook["webhook"]["kinds"] == ["ride_state"] and webhook["webhook"]["city"] == "gothenburg", webhook
    assert hook["hook"]["deadline_ms"] == 500, hook
    file["webhooks"][0].update(url="https://elsewhere.example.com/path-with-a-password", kinds=["ride_state", "registered"])
    del file["webhooks"][0]["city"], file["hooks"][0]["deadline_ms"], file["hooks"][0]["default"]
    code, out, err = apply(file, "--dry-run")
    says(out, "url: https://billing.example.com/... -> https://elsewhere.example.com/...", "city: gothenburg -> none",
         "~ hooks ride.may_start  deadline_ms: 500 -> 2000\n")
    assert "path-with-a-password" not in out
    says(out, "kinds: ride_state -> ")
    assert apply(file)[0] == 0 and apply(file, "--dry-run", "--exit-code")[0] == 0
    webhook = staff.get("/v1/webhooks/billing")[1]["webhook"]
    assert webhook["url"].endswith("path-with-a-password") and set(webhook["kinds"]) == {"ride_state", "registered"}, webhook
    assert [path.read_text() for path in secrets] == kept, "a change makes no other secret"
    two = {"webhooks": [{"code": c, "url": "https://a.example/", "secret_file": "one"} for c in ("a", "b")]}
    code, out, err = apply(two)
    assert code == 1 and err.count("File exists") == 1, (code, out, err)
    assert (apply.folder / "one").read_text().count("whsec_") == 1, "the second did not write over the first"
    bare = {"hooks": [{"ask": "message.send", "url": "https://sms.example.com/"}]}
    code, out, err = apply(bare)
    assert code == 0 and "PUT it with new_secret for another" in out and "whsec_" not in out, (code, out, err)
    assert apply(bare, "--dry-run", "--exit-code")[0] == 0, "what is left out is what the server makes of it"
    for wrong, why in (({"new_secret": True}, "new_secret: would make another"),
                       ({"city": "atlantis"}, "is neither in this file"),
                       ({"kinds": ["nothing"]}, "kinds: has a word"), ({"url": "ftp://a/"}, "")):
        code, out, err = apply({"webhooks": [{"code": "bad", "url": "https://a.example/", **wrong}]})
        assert code == (3 if why else 1), (wrong, code, out, err)
        says(err, why, "webhooks[0]")
    assert staff.get("/v1/webhooks/bad")[0] == 404
    for path in ("/v1/webhooks/billing", "/v1/hooks/ride.may_start", "/v1/hooks/message.send"):
        assert staff.call("DELETE", path)[0] == 200


def nothing_leaked(apply, server):
    """Passwords are in no output, log or file of the server; secrets are printed nowhere."""
    for secret in (ADA, BO, DI, "whsec_"):
        assert secret not in apply.printed and secret not in server.said(), secret
    looked = 0
    for path in pathlib.Path(server.data).rglob("*"):
        if not path.is_file():
            continue
        looked += 1
        content = path.read_bytes()
        assert not any(secret.encode() in content for secret in (ADA, BO, DI)), path
    assert looked > 2 and "its secret is in" in apply.printed, looked


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
        people(apply, server, staff)
        programs(apply, staff)
        nothing_leaked(apply, server)
        killed, took = many(apply, staff)
        assert server.stop() == 0, server.said()
        checked = server.check()
        assert checked.returncode == 0, checked.stdout + checked.stderr
    print(json.dumps({"when killed": killed, "the rest took s": took}))


if __name__ == "__main__":
    main()
