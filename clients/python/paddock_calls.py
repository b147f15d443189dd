# SPDX-License-Identifier: Apache-2.0
"""Every call of Paddock's API, one method each. Written by tools/describe_clients.c from the route table:
change that, then `make docs`. What sends them stands in paddock.py."""
# pylint: disable=all
from __future__ import annotations

from typing import Any, Dict, Iterator, List, Literal, NamedTuple, Optional, TypedDict


class SentEvent(NamedTuple):
    """One event of a stream: where to resume behind it, its kind, what it says."""
    id: str
    event: str
    data: Any


AuthRole = Literal[
    "rider", "control", "oncall", "crew",
    "owner", "city", "mds"]
AccountState = Literal[
    "active", "blocked"]
AuthStaffRole = Literal[
    "control", "oncall", "crew", "owner",
    "city", "mds"]
RideState = Literal[
    "requested", "holding", "unlocking", "riding",
    "paused", "ending", "ended", "settled",
    "failed", "cancelled"]
RideReason = Literal[
    "none", "rider_ended", "lock_closed", "staff_ended",
    "lock_unconfirmed", "too_long", "unlock_refused", "unlock_timed_out",
    "not_delivered", "rider_cancelled", "still_locked", "refused",
    "not_answered", "vehicle_changed"]
CommandResult = Literal[
    "none", "confirmed", "inferred", "refused",
    "moving", "key_expired", "not_delivered", "no_answer",
    "disproved", "interlock", "restarted", "withdrawn"]
ErrorCode = Literal[
    "malformed", "invalid", "unauthenticated", "forbidden",
    "not_found", "wrong_state", "limit_reached", "io_failed",
    "corrupt", "too_large", "timeout", "unsupported",
    "idempotency_mismatch", "idempotency_in_flight", "idempotency_key_missing", "rate_limited",
    "rider_unknown", "rider_blocked", "rider_has_ride", "vehicle_unknown",
    "vehicle_not_available", "vehicle_silent", "vehicle_battery_low", "vehicle_not_locked",
    "vehicle_moving", "vehicle_busy", "no_ride", "ride_not_endable",
    "interlock", "command_unsupported", "city_unknown", "vehicle_type_unknown",
    "plan_unknown", "device_taken", "event_not_allowed", "ride_open",
    "quarantined", "vehicle_not_confirmed", "legal_entity_unknown", "code_taken",
    "close_lock", "sign_in_refused", "app_too_old"]
ReceiptItem = Literal[
    "unlock", "minutes"]
EventKind = Literal[
    "vehicle_state", "ride_state", "command_state", "ride_charged",
    "alarm", "fault", "unlocked_no_ride", "late_result",
    "device_connected", "device_gone", "device_quarantined", "ride_end_refused",
    "registered", "moved_no_ride", "clock_jump", "one_way_link",
    "fact_refused", "asked", "ask_answered", "ask_defaulted",
    "damage_reported", "rider_state"]
VehicleState = Literal[
    "available", "reserved", "on_trip", "non_operational",
    "removed", "elsewhere", "non_contactable", "missing"]
VehicleEvent = Literal[
    "agency_drop_off", "agency_pick_up", "battery_charged", "battery_low",
    "changed_geographies", "comms_lost", "comms_restored", "compliance_pick_up",
    "decommissioned", "located", "maintenance", "maintenance_pick_up",
    "not_located", "off_hours", "on_hours", "provider_drop_off",
    "rebalance_pick_up", "reservation_cancel", "reservation_start", "system_resume",
    "system_suspend", "trip_cancel", "trip_end", "trip_enter_jurisdiction",
    "trip_leave_jurisdiction", "trip_start", "unspecified"]
CommandOp = Literal[
    "unlock", "lock", "locate", "ring",
    "restart"]
CommandState = Literal[
    "queued", "sent", "accepted", "done",
    "failed", "unknown"]
AskKind = Literal[
    "ride.may_start", "message.send"]
Verdict = Literal[
    "allow", "refuse"]
DamageKind = Literal[
    "brakes", "wheel", "frame", "battery",
    "lights", "lock", "seat", "code",
    "dirty", "other"]
LockState = Literal[
    "unknown", "locked", "unlocked"]
Protocol = Literal[
    "omni"]
Direction = Literal[
    "in", "out"]
CommandWhy = Literal[
    "none", "ride_start", "ride_end", "staff",
    "relock"]
WebhookState = Literal[
    "starting", "idle", "sending", "retrying",
    "down"]


class CodeSent(TypedDict, total=False):
    expires_in_s: int


class SignedIn(TypedDict, total=False):
    token: str
    account: str
    role: AuthRole
    cities: Optional[List[str]]
    expires_ms: int


class Me(TypedDict, total=False):
    account: str
    role: AuthRole
    cities: Optional[List[str]]
    name: Optional[str]
    expires_ms: int


class RiderPage(TypedDict, total=False):
    riders: List[Rider]
    next: Optional[str]
    as_of_seq: int


class Rider(TypedDict, total=False):
    id: str
    state: AccountState
    owed_minor: int
    rides: int
    has_ride: bool


class RiderAnswer(TypedDict, total=False):
    rider: Rider
    as_of_seq: int


class RiderContact(TypedDict, total=False):
    account: str
    phone: Optional[str]


class StaffPage(TypedDict, total=False):
    staff: List[Staff]
    next: Optional[str]


class Staff(TypedDict, total=False):
    name: str
    account: str
    role: AuthStaffRole
    cities: Optional[List[str]]
    can_sign_in: bool


class StaffAnswer(TypedDict, total=False):
    staff: Staff


class RideAnswer(TypedDict, total=False):
    ride: Ride
    as_of_seq: int


class Ride(TypedDict, total=False):
    id: str
    state: RideState
    vehicle_code: str
    currency: str
    unlock_minor: int
    minute_minor: int
    requested_ms: int
    started_ms: Optional[int]
    end_asked_ms: Optional[int]
    ended_ms: Optional[int]
    reason: RideReason
    minutes: int
    charge_minor: int
    started_by: CommandResult
    start_lat: float
    start_lon: float
    end_lat: float
    end_lon: float
    hook_reason: str
    hook_text: str
    refusal: Optional[ErrorCode]


class RidePage(TypedDict, total=False):
    rides: List[Ride]
    next: Optional[str]
    as_of_seq: int


class Receipt(TypedDict, total=False):
    ride_id: str
    vehicle_code: str
    currency: str
    started_ms: int
    ended_ms: int
    minutes: int
    lines: List[ReceiptLine]
    total_minor: int


class ReceiptLine(TypedDict, total=False):
    what: ReceiptItem
    count: int
    each_minor: int
    minor: int


class EventPage(TypedDict, total=False):
    events: List[Event]
    next: Optional[str]
    as_of_seq: int


class Event(TypedDict, total=False):
    seq: int
    part: int
    at_ms: int
    kind: EventKind
    vehicle: Optional[str]
    ride: Optional[str]
    rider: Optional[str]
    command: Optional[str]
    actor: Optional[str]
    vehicle_state: Optional[VehicleState]
    vehicle_event: Optional[VehicleEvent]
    ride_state: Optional[RideState]
    ride_reason: RideReason
    command_op: Optional[CommandOp]
    command_state: Optional[CommandState]
    command_result: CommandResult
    number: int
    code: str
    ask: Optional[AskKind]
    verdict: Optional[Verdict]
    id: str


class EventFeed(TypedDict, total=False):
    events: List[Event]
    next: str
    more: bool
    as_of_seq: int


class NearAnswer(TypedDict, total=False):
    vehicles: List[NearVehicle]
    as_of_seq: int


class NearVehicle(TypedDict, total=False):
    code: str
    vehicle_type: Optional[str]
    motor: bool
    lat: float
    lon: float
    battery_pct: Optional[int]
    distance_m: int
    unlock_minor: int
    minute_minor: int
    currency: str
    decimals: int


class MapAnswer(TypedDict, total=False):
    now_ms: int
    columns: List[str]
    rows: List[List[Any]]
    next: Optional[str]
    as_of_seq: int


class MapRows(TypedDict, total=False):
    now_ms: int
    columns: List[str]
    rows: List[List[Any]]
    gone: List[str]
    as_of_seq: int


class StatsAnswer(TypedDict, total=False):
    city: Optional[str]
    now_ms: int
    vehicles: int
    vehicles_by_state: Dict[str, int]
    rentable: int
    disconnected: int
    battery_low: int
    open_rides: int
    rides_by_state: Dict[str, int]
    today: Today
    unlocks: Unlocks
    alerts: List[Alert]
    as_of_seq: int


class Today(TypedDict, total=False):
    begins_ms: int
    time_zone: str
    rides: int
    minutes: int
    revenue: List[Revenue]


class Revenue(TypedDict, total=False):
    currency: str
    decimals: int
    minor: int


class Unlocks(TypedDict, total=False):
    window_s: int
    count: int
    server_us: Dict[str, int]
    device_us: Dict[str, int]
    total_us: Dict[str, int]


class Alert(TypedDict, total=False):
    code: str
    level: str
    count: int


class VehiclePage(TypedDict, total=False):
    vehicles: List[Vehicle]
    next: Optional[str]
    as_of_seq: int


class Vehicle(TypedDict, total=False):
    id: str
    code: str
    state: VehicleState
    state_ms: Optional[int]
    last_event: Optional[VehicleEvent]
    held_state: Optional[VehicleState]
    cause: Optional[VehicleEvent]
    trip: Optional[str]
    suspect: bool
    damage: Optional[DamageKind]
    damage_ms: Optional[int]
    device: Optional[Device]
    offer: Offer


class Device(TypedDict, total=False):
    ident: str
    caps: int
    seen_ms: Optional[int]
    lock_state: LockState
    lock_ms: Optional[int]
    charging: bool
    iot_mV: int
    rssi: int
    fix_ms: Optional[int]
    fix_got_ms: Optional[int]
    speed_dmh: int
    moved_ms: Optional[int]
    still_ms: Optional[int]
    total_m: int
    unanswered: int
    poisoned: bool
    protocol: Optional[Protocol]
    battery_pct: Optional[int]
    lat: Optional[float]
    lon: Optional[float]
    connected: bool


class Offer(TypedDict, total=False):
    rentable: bool
    refusal: Optional[ErrorCode]
    vehicle_type: Optional[str]
    vehicle_type_name: Optional[str]
    motor: bool
    unlock_minor: int
    minute_minor: int
    currency: str
    decimals: int


class BulkAnswer(TypedDict, total=False):
    dry_run: bool
    vehicles: List[BulkVehicle]
    total: int
    ok: int
    as_of_seq: int


class BulkVehicle(TypedDict, total=False):
    code: str
    id: Optional[str]
    ok: bool
    error: Optional[ErrorCode]
    command_id: Optional[str]


class VehicleAnswer(TypedDict, total=False):
    vehicle: Vehicle
    as_of_seq: int


class IdAnswer(TypedDict, total=False):
    id: str
    as_of_seq: int


class FramePage(TypedDict, total=False):
    frames: List[Frame]
    next: Optional[str]
    as_of_seq: int


class Frame(TypedDict, total=False):
    at_ms: int
    direction: Direction
    seq: Optional[int]
    refused: bool
    len: int
    text: str
    hex: str


class CommandAnswer(TypedDict, total=False):
    command: Command
    as_of_seq: int


class Command(TypedDict, total=False):
    id: str
    op: CommandOp
    state: CommandState
    result: CommandResult
    result_code: int
    why: CommandWhy
    created_ms: Optional[int]
    sent_ms: Optional[int]
    accepted_ms: Optional[int]
    over_ms: Optional[int]
    tries: int


class QuarantinePage(TypedDict, total=False):
    devices: List[QuarantinedDevice]
    next: Optional[str]
    as_of_seq: int


class QuarantinedDevice(TypedDict, total=False):
    ident: str
    first_ms: Optional[int]
    last_ms: Optional[int]
    reports: int
    poisoned: bool
    protocol: Optional[Protocol]


class OperatorAnswer(TypedDict, total=False):
    operator: Operator
    as_of_seq: int


class Operator(TypedDict, total=False):
    id: str
    name: str


class LegalEntityPage(TypedDict, total=False):
    legal_entities: List[LegalEntity]
    next: Optional[str]
    as_of_seq: int


class LegalEntity(TypedDict, total=False):
    id: str
    code: str
    name: str
    currency: str
    decimals: int


class LegalEntityAnswer(TypedDict, total=False):
    legal_entity: LegalEntity
    as_of_seq: int


class CityPage(TypedDict, total=False):
    cities: List[City]
    next: Optional[str]
    as_of_seq: int


class City(TypedDict, total=False):
    id: str
    code: str
    name: str
    legal_entity: str
    time_zone: str
    lat: float
    lon: float
    radius_m: int
    ride_max_s: int


class CityAnswer(TypedDict, total=False):
    city: City
    as_of_seq: int


class VehicleTypePage(TypedDict, total=False):
    vehicle_types: List[VehicleType]
    next: Optional[str]
    as_of_seq: int


class VehicleType(TypedDict, total=False):
    id: str
    code: str
    name: str
    heartbeat_s: int
    battery_min_pct: int
    motor: bool


class VehicleTypeAnswer(TypedDict, total=False):
    vehicle_type: VehicleType
    as_of_seq: int


class PlanPage(TypedDict, total=False):
    plans: List[Plan]
    next: Optional[str]
    as_of_seq: int


class Plan(TypedDict, total=False):
    id: str
    code: str
    name: str
    city: str
    vehicle_type: Optional[str]
    unlock_minor: int
    minute_minor: int
    version: int


class PlanAnswer(TypedDict, total=False):
    plan: Plan
    as_of_seq: int


class FleetPage(TypedDict, total=False):
    fleet: List[FleetVehicle]
    next: Optional[str]
    as_of_seq: int


class FleetVehicle(TypedDict, total=False):
    id: str
    code: str
    codes: List[str]
    city: str
    vehicle_type: Optional[str]
    protocol: Optional[Protocol]
    device: Optional[str]


class AboutAnswer(TypedDict, total=False):
    build: str
    demo: Optional[Demo]
    cities: List[AboutCity]


class Demo(TypedDict, total=False):
    panel: str


class AboutCity(TypedDict, total=False):
    code: str
    name: str
    lat: float
    lon: float
    time_zone: str


class WebhookAnswer(TypedDict, total=False):
    webhook: Webhook
    as_of_seq: int


class Webhook(TypedDict, total=False):
    id: str
    code: str
    url: str
    kinds: List[EventKind]
    city: str
    cursor: str
    lag_facts: int
    state: WebhookState
    failures: int
    last_error: Optional[str]
    last_status: Optional[int]
    last_delivery_ms: Optional[int]
    next_try_ms: Optional[int]
    delivered_events: int
    secret: str


class HookAnswer(TypedDict, total=False):
    hook: Hook
    as_of_seq: int


class Hook(TypedDict, total=False):
    id: str
    ask: AskKind
    url: str
    deadline_ms: int
    default: Verdict
    secret: str


class Problem(TypedDict, total=False):
    type: str
    title: str
    status: int
    code: ErrorCode
    detail: str
    trace_id: str
    errors: List[Fault]
    update_url: str
    minimum_build: int


class Fault(TypedDict, total=False):
    field: str
    why: str


class Calls:
    def call(self, method, pattern, *, path=None, query=None, body=None, keyed=False, key=None):
        raise NotImplementedError

    def stream(self, method, pattern, *, path=None, query=None, last_event_id=None):
        raise NotImplementedError

    def send_sign_in_code(self, *, phone: str, language: Optional[str] = None) -> CodeSent:
        """`POST /v1/sign-in/code`: send a one-time code to a phone."""
        return self.call("POST", "/v1/sign-in/code", body={"phone": phone, "language": language})

    def sign_in(self, *, phone: str, code: str) -> SignedIn:
        """`POST /v1/sign-in`: sign a rider in, who becomes one with the first time."""
        return self.call("POST", "/v1/sign-in", body={"phone": phone, "code": code})

    def sign_in_staff(self, *, name: str, password: str) -> SignedIn:
        """`POST /v1/staff/sign-in`: sign staff in."""
        return self.call("POST", "/v1/staff/sign-in", body={"name": name, "password": password})

    def sign_out(self) -> None:
        """`POST /v1/sign-out`: end this token."""
        return self.call("POST", "/v1/sign-out")

    def sign_out_everywhere(self) -> None:
        """`POST /v1/sign-out/everywhere`: end every token of this account."""
        return self.call("POST", "/v1/sign-out/everywhere")

    def get_me(self) -> Me:
        """`GET /v1/me`: who this token is for."""
        return self.call("GET", "/v1/me")

    def list_riders(self, *, state: Optional[AccountState] = None, after: Optional[str] = None,
            limit: Optional[int] = None) -> RiderPage:
        """`GET /v1/riders`: riders, by the city of their last ride."""
        return self.call("GET", "/v1/riders", query={"state": state, "after": after, "limit": limit})

    def get_rider(self, id: str) -> RiderAnswer:
        """`GET /v1/riders/{id}`: one rider."""
        return self.call("GET", "/v1/riders/{id}", path={"id": id})

    def put_rider(self, id: str, *, state: AccountState) -> RiderAnswer:
        """`PUT /v1/riders/{id}`: block a rider, or let one in again."""
        return self.call("PUT", "/v1/riders/{id}", path={"id": id}, body={"state": state})

    def get_rider_contact(self, id: str) -> RiderContact:
        """`GET /v1/riders/{id}/contact`: a rider's phone number; that somebody looked is kept."""
        return self.call("GET", "/v1/riders/{id}/contact", path={"id": id})

    def sign_out_rider(self, id: str) -> None:
        """`POST /v1/riders/{id}/sign-out`: end every token of a rider."""
        return self.call("POST", "/v1/riders/{id}/sign-out", path={"id": id})

    def erase_rider(self, id: str) -> None:
        """`DELETE /v1/riders/{id}`: erase who a rider is: number and tokens; rides and books stay."""
        return self.call("DELETE", "/v1/riders/{id}", path={"id": id})

    def list_staff(self, *, after: Optional[str] = None, limit: Optional[int] = None) -> StaffPage:
        """`GET /v1/staff`: staff, by name."""
        return self.call("GET", "/v1/staff", query={"after": after, "limit": limit})

    def get_staff(self, name: str) -> StaffAnswer:
        """`GET /v1/staff/{name}`: one of staff."""
        return self.call("GET", "/v1/staff/{name}", path={"name": name})

    def put_staff(self, name: str, *, role: AuthStaffRole, cities: Optional[List[str]] = None,
            password: Optional[str] = None) -> StaffAnswer:
        """`PUT /v1/staff/{name}`: declare who works here; who is changed is signed out everywhere."""
        return self.call("PUT", "/v1/staff/{name}", path={"name": name}, body={"role": role, "cities": cities,
            "password": password})

    def delete_staff(self, name: str) -> None:
        """`DELETE /v1/staff/{name}`: they work here no more: no signing in, and their tokens end."""
        return self.call("DELETE", "/v1/staff/{name}", path={"name": name})

    def sign_out_staff(self, name: str) -> None:
        """`POST /v1/staff/{name}/sign-out`: end every token of one of staff."""
        return self.call("POST", "/v1/staff/{name}/sign-out", path={"name": name})

    def put_app(self, name: str, *, minimum_build: int, update_url: str) -> None:
        """`PUT /v1/apps/{name}`: the oldest build of an app that is let in."""
        return self.call("PUT", "/v1/apps/{name}", path={"name": name}, body={"minimum_build": minimum_build,
            "update_url": update_url})

    def start_ride(self, *, vehicle_code: str, wait: Optional[int] = None,
            key: Optional[str] = None) -> RideAnswer:
        """`POST /v1/rides`: start a ride."""
        return self.call("POST", "/v1/rides", query={"wait": wait}, body={"vehicle_code": vehicle_code},
            keyed=True, key=key)

    def list_rides(self, *, state: Optional[RideState] = None, after: Optional[str] = None,
            limit: Optional[int] = None) -> RidePage:
        """`GET /v1/rides`: rides, newest first; a rider's own."""
        return self.call("GET", "/v1/rides", query={"state": state, "after": after, "limit": limit})

    def get_current_ride(self) -> RideAnswer:
        """`GET /v1/rides/current`: the open ride."""
        return self.call("GET", "/v1/rides/current")

    def get_ride(self, id: str) -> RideAnswer:
        """`GET /v1/rides/{id}`: one ride; a rider's own."""
        return self.call("GET", "/v1/rides/{id}", path={"id": id})

    def get_receipt(self, id: str) -> Receipt:
        """`GET /v1/rides/{id}/receipt`: what a settled ride cost."""
        return self.call("GET", "/v1/rides/{id}/receipt", path={"id": id})

    def end_ride(self, id: str, *, wait: Optional[int] = None, key: Optional[str] = None) -> RideAnswer:
        """`POST /v1/rides/{id}/end`: end a ride, or cancel one not begun."""
        return self.call("POST", "/v1/rides/{id}/end", path={"id": id}, query={"wait": wait}, keyed=True,
            key=key)

    def list_ride_events(self, id: str, *, before: Optional[str] = None,
            limit: Optional[int] = None) -> EventPage:
        """`GET /v1/rides/{id}/timeline`: events of a ride, newest first."""
        return self.call("GET", "/v1/rides/{id}/timeline", path={"id": id}, query={"before": before,
            "limit": limit})

    def stream_events(self, *, last_event_id: Optional[str] = None) -> Iterator[SentEvent]:
        """`GET /v1/events/live`: events as they happen (server-sent); a rider's own."""
        return self.stream("GET", "/v1/events/live", last_event_id=last_event_id)

    def list_events(self, *, after: Optional[str] = None, kind: Optional[EventKind] = None,
            city: Optional[str] = None, limit: Optional[int] = None) -> EventFeed:
        """`GET /v1/events`: every event in order, for machines; `next` is the cursor to come back with."""
        return self.call("GET", "/v1/events", query={"after": after, "kind": kind, "city": city,
            "limit": limit})

    def find_near(self, *, lat: float, lon: float, radius_m: Optional[int] = None,
            limit: Optional[int] = None) -> NearAnswer:
        """`GET /v1/near`: vehicles near by that may be rented, nearest first."""
        return self.call("GET", "/v1/near", query={"lat": lat, "lon": lon, "radius_m": radius_m,
            "limit": limit})

    def get_map(self, *, west: float, south: float, east: float, north: float,
            state: Optional[VehicleState] = None, city: Optional[str] = None, after: Optional[str] = None,
            limit: Optional[int] = None) -> MapAnswer:
        """`GET /v1/map`: vehicles in a box; riders: those that may be rented."""
        return self.call("GET", "/v1/map", query={"west": west, "south": south, "east": east, "north": north,
            "state": state, "city": city, "after": after, "limit": limit})

    def stream_map(self, *, west: float, south: float, east: float, north: float,
            state: Optional[VehicleState] = None, city: Optional[str] = None, after: Optional[str] = None,
            last_event_id: Optional[str] = None) -> Iterator[SentEvent]:
        """`GET /v1/map/live`: vehicles in a box as they change (server-sent)."""
        return self.stream("GET", "/v1/map/live", query={"west": west, "south": south, "east": east,
            "north": north, "state": state, "city": city, "after": after}, last_event_id=last_event_id)

    def get_stats(self, *, city: Optional[str] = None) -> StatsAnswer:
        """`GET /v1/stats`: the control room's counters."""
        return self.call("GET", "/v1/stats", query={"city": city})

    def list_vehicles(self, *, state: Optional[VehicleState] = None, city: Optional[str] = None,
            vehicle_type: Optional[str] = None, battery_max_pct: Optional[int] = None,
            damaged: Optional[bool] = None, q: Optional[str] = None, silent_s: Optional[int] = None,
            after: Optional[str] = None, limit: Optional[int] = None) -> VehiclePage:
        """`GET /v1/vehicles`: vehicles with their devices."""
        return self.call("GET", "/v1/vehicles", query={"state": state, "city": city,
            "vehicle_type": vehicle_type, "battery_max_pct": battery_max_pct, "damaged": damaged, "q": q,
            "silent_s": silent_s, "after": after, "limit": limit})

    def change_vehicles(self, *, event: Optional[VehicleEvent] = None, op: Optional[CommandOp] = None,
            to: Optional[VehicleState] = None, dry_run: Optional[bool] = None,
            codes: Optional[List[str]] = None, state: Optional[VehicleState] = None,
            city: Optional[str] = None, vehicle_type: Optional[str] = None,
            battery_max_pct: Optional[int] = None, damaged: Optional[bool] = None,
            key: Optional[str] = None) -> BulkAnswer:
        """`POST /v1/vehicles/bulk`: say what happened to many vehicles, or order something of them; first as a dry run."""
        return self.call("POST", "/v1/vehicles/bulk", body={"event": event, "op": op, "to": to,
            "dry_run": dry_run, "codes": codes, "state": state, "city": city, "vehicle_type": vehicle_type,
            "battery_max_pct": battery_max_pct, "damaged": damaged}, keyed=True, key=key)

    def get_vehicle(self, code: str) -> VehicleAnswer:
        """`GET /v1/vehicles/{code}`: one vehicle; riders: what renting it means."""
        return self.call("GET", "/v1/vehicles/{code}", path={"code": code})

    def put_vehicle(self, code: str, *, city: str, vehicle_type: str, protocol: Optional[Protocol] = None,
            device: Optional[str] = None, add_code: Optional[str] = None) -> IdAnswer:
        """`PUT /v1/vehicles/{code}`: declare a vehicle."""
        return self.call("PUT", "/v1/vehicles/{code}", path={"code": code}, body={"city": city,
            "vehicle_type": vehicle_type, "protocol": protocol, "device": device, "add_code": add_code})

    def list_vehicle_events(self, code: str, *, before: Optional[str] = None,
            limit: Optional[int] = None) -> EventPage:
        """`GET /v1/vehicles/{code}/timeline`: events of a vehicle, newest first."""
        return self.call("GET", "/v1/vehicles/{code}/timeline", path={"code": code}, query={"before": before,
            "limit": limit})

    def list_vehicle_frames(self, code: str, *, since_ms: Optional[int] = None,
            until_ms: Optional[int] = None, before: Optional[str] = None,
            limit: Optional[int] = None) -> FramePage:
        """`GET /v1/vehicles/{code}/frames`: the last bytes that a vehicle said and was told, newest first."""
        return self.call("GET", "/v1/vehicles/{code}/frames", path={"code": code},
            query={"since_ms": since_ms, "until_ms": until_ms, "before": before, "limit": limit})

    def command_vehicle(self, code: str, *, op: CommandOp, key: Optional[str] = None) -> CommandAnswer:
        """`POST /v1/vehicles/{code}/commands`: order something of a vehicle."""
        return self.call("POST", "/v1/vehicles/{code}/commands", path={"code": code}, body={"op": op},
            keyed=True, key=key)

    def mark_vehicle(self, code: str, *, event: VehicleEvent, to: Optional[VehicleState] = None,
            key: Optional[str] = None) -> VehicleAnswer:
        """`POST /v1/vehicles/{code}/events`: say what happened to a vehicle."""
        return self.call("POST", "/v1/vehicles/{code}/events", path={"code": code}, body={"event": event,
            "to": to}, keyed=True, key=key)

    def report_damage(self, code: str, *, kind: DamageKind, key: Optional[str] = None) -> VehicleAnswer:
        """`POST /v1/vehicles/{code}/damage`: say that a vehicle is damaged; it is not rented again until staff looked at it."""
        return self.call("POST", "/v1/vehicles/{code}/damage", path={"code": code}, body={"kind": kind},
            keyed=True, key=key)

    def get_command(self, id: str) -> CommandAnswer:
        """`GET /v1/commands/{id}`: one command."""
        return self.call("GET", "/v1/commands/{id}", path={"id": id})

    def list_quarantine(self, *, after: Optional[str] = None, limit: Optional[int] = None) -> QuarantinePage:
        """`GET /v1/quarantine`: devices that nobody registered."""
        return self.call("GET", "/v1/quarantine", query={"after": after, "limit": limit})

    def put_operator(self, *, name: str) -> IdAnswer:
        """`PUT /v1/operator`: name the operator."""
        return self.call("PUT", "/v1/operator", body={"name": name})

    def put_legal_entity(self, code: str, *, name: str, currency: str, decimals: int) -> IdAnswer:
        """`PUT /v1/legal-entities/{code}`: declare a legal entity."""
        return self.call("PUT", "/v1/legal-entities/{code}", path={"code": code}, body={"name": name,
            "currency": currency, "decimals": decimals})

    def put_city(self, code: str, *, name: str, legal_entity: str, time_zone: str, lat: float, lon: float,
            radius_m: Optional[int] = None, ride_max_s: Optional[int] = None) -> IdAnswer:
        """`PUT /v1/cities/{code}`: declare a city."""
        return self.call("PUT", "/v1/cities/{code}", path={"code": code}, body={"name": name,
            "legal_entity": legal_entity, "time_zone": time_zone, "lat": lat, "lon": lon,
            "radius_m": radius_m, "ride_max_s": ride_max_s})

    def put_vehicle_type(self, code: str, *, name: str, heartbeat_s: Optional[int] = None,
            battery_min_pct: Optional[int] = None, motor: Optional[bool] = None) -> IdAnswer:
        """`PUT /v1/vehicle-types/{code}`: declare a vehicle type."""
        return self.call("PUT", "/v1/vehicle-types/{code}", path={"code": code}, body={"name": name,
            "heartbeat_s": heartbeat_s, "battery_min_pct": battery_min_pct, "motor": motor})

    def put_plan(self, code: str, *, name: str, city: str, unlock_minor: int, minute_minor: int,
            vehicle_type: Optional[str] = None) -> IdAnswer:
        """`PUT /v1/plans/{code}`: declare a pricing plan."""
        return self.call("PUT", "/v1/plans/{code}", path={"code": code}, body={"name": name, "city": city,
            "vehicle_type": vehicle_type, "unlock_minor": unlock_minor, "minute_minor": minute_minor})

    def get_operator(self) -> OperatorAnswer:
        """`GET /v1/operator`: the operator."""
        return self.call("GET", "/v1/operator")

    def list_legal_entities(self, *, after: Optional[str] = None,
            limit: Optional[int] = None) -> LegalEntityPage:
        """`GET /v1/legal-entities`: legal entities as declared."""
        return self.call("GET", "/v1/legal-entities", query={"after": after, "limit": limit})

    def get_legal_entity(self, code: str) -> LegalEntityAnswer:
        """`GET /v1/legal-entities/{code}`: one legal entity as declared."""
        return self.call("GET", "/v1/legal-entities/{code}", path={"code": code})

    def list_cities(self, *, after: Optional[str] = None, limit: Optional[int] = None) -> CityPage:
        """`GET /v1/cities`: cities as declared."""
        return self.call("GET", "/v1/cities", query={"after": after, "limit": limit})

    def get_city(self, code: str) -> CityAnswer:
        """`GET /v1/cities/{code}`: one city as declared."""
        return self.call("GET", "/v1/cities/{code}", path={"code": code})

    def list_vehicle_types(self, *, after: Optional[str] = None,
            limit: Optional[int] = None) -> VehicleTypePage:
        """`GET /v1/vehicle-types`: vehicle types as declared."""
        return self.call("GET", "/v1/vehicle-types", query={"after": after, "limit": limit})

    def get_vehicle_type(self, code: str) -> VehicleTypeAnswer:
        """`GET /v1/vehicle-types/{code}`: one vehicle type as declared."""
        return self.call("GET", "/v1/vehicle-types/{code}", path={"code": code})

    def list_plans(self, *, after: Optional[str] = None, limit: Optional[int] = None) -> PlanPage:
        """`GET /v1/plans`: pricing plans as declared."""
        return self.call("GET", "/v1/plans", query={"after": after, "limit": limit})

    def get_plan(self, code: str) -> PlanAnswer:
        """`GET /v1/plans/{code}`: one pricing plan as declared."""
        return self.call("GET", "/v1/plans/{code}", path={"code": code})

    def list_fleet(self, *, after: Optional[str] = None, limit: Optional[int] = None) -> FleetPage:
        """`GET /v1/fleet`: vehicles as declared, up to 1000 a page."""
        return self.call("GET", "/v1/fleet", query={"after": after, "limit": limit})

    def get_about(self) -> AboutAnswer:
        """`GET /v1/about`: cities and demo, before signing in."""
        return self.call("GET", "/v1/about")

    def put_webhook(self, code: str, *, url: str, new_secret: Optional[bool] = None,
            kinds: Optional[List[EventKind]] = None, city: Optional[str] = None) -> WebhookAnswer:
        """`PUT /v1/webhooks/{code}`: declare who gets events pushed; the secret is shown once."""
        return self.call("PUT", "/v1/webhooks/{code}", path={"code": code}, body={"url": url,
            "new_secret": new_secret, "kinds": kinds, "city": city})

    def get_webhook(self, code: str) -> WebhookAnswer:
        """`GET /v1/webhooks/{code}`: how far its deliveries are."""
        return self.call("GET", "/v1/webhooks/{code}", path={"code": code})

    def delete_webhook(self, code: str) -> IdAnswer:
        """`DELETE /v1/webhooks/{code}`: push no more."""
        return self.call("DELETE", "/v1/webhooks/{code}", path={"code": code})

    def replay_webhook(self, code: str, *, after: str) -> WebhookAnswer:
        """`POST /v1/webhooks/{code}/replay`: deliver again from an event on."""
        return self.call("POST", "/v1/webhooks/{code}/replay", path={"code": code}, body={"after": after})

    def put_hook(self, ask: str, *, url: str, new_secret: Optional[bool] = None,
            deadline_ms: Optional[int] = None, default: Optional[Verdict] = None) -> HookAnswer:
        """`PUT /v1/hooks/{ask}`: declare who is asked before something is done; the secret is shown once."""
        return self.call("PUT", "/v1/hooks/{ask}", path={"ask": ask}, body={"url": url,
            "new_secret": new_secret, "deadline_ms": deadline_ms, "default": default})

    def get_hook(self, ask: str) -> HookAnswer:
        """`GET /v1/hooks/{ask}`: who is asked."""
        return self.call("GET", "/v1/hooks/{ask}", path={"ask": ask})

    def delete_hook(self, ask: str) -> IdAnswer:
        """`DELETE /v1/hooks/{ask}`: ask no more."""
        return self.call("DELETE", "/v1/hooks/{ask}", path={"ask": ask})

    def get_openapi(self) -> Any:
        """`GET /openapi.json`: this document."""
        return self.call("GET", "/openapi.json")
