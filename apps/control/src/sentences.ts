// SPDX-License-Identifier: Apache-2.0
// sentences: an event of a timeline as something a person reads. One table by kind; what it does not know is said by its code.
import { addWords, has, t } from "@paddock/ui/i18n.svelte.ts";
import type { FleetEvent } from "./terms.ts";

addWords({
    en: {
        "ev.vehicle_state": "{state}: {event}", "ev.registered": "Declared", "ev.device_connected": "Connected", "ev.device_gone": "Connection closed",
        "ev.alarm": "Alarm {number} from the device", "ev.fault": "Fault code {number} from the controller", "ev.unlocked_no_ride": "Unlocked without a ride",
        "ev.moved_no_ride": "Moves while locked, without a ride", "ev.late_result": "Answered an order that was already decided",
        "ev.one_way_link": "Speaks but does not answer", "ev.ride_end_refused": "Could not end the ride: {code}", "ev.fact_refused": "A message that stopped the server was refused",
        "ev.clock_jump": "The server’s clock jumped", "ev.device_quarantined": "An unknown device spoke", "ev.ride_charged": "Ride charged",
        "ev.ride.requested": "A rider asked for it", "ev.ride.holding": "Waiting for the card", "ev.ride.unlocking": "Unlocking for a ride", "ev.ride.riding": "Ride began",
        "ev.ride.paused": "Ride paused", "ev.ride.ending": "Ending the ride", "ev.ride.ended": "Ride ended", "ev.ride.settled": "Ride booked",
        "ev.ride.failed": "Ride did not begin; nothing is charged", "ev.ride.cancelled": "Ride taken back; nothing is charged",
        "ev.command": "{op}: {state}",
        "cmd.queued": "waiting for the connection", "cmd.sent": "sent", "cmd.accepted": "accepted", "cmd.done": "done", "cmd.failed": "not done", "cmd.unknown": "no answer, outcome unknown",
        "why.rider_ended": "by the rider", "why.lock_closed": "the lock was closed", "why.staff_ended": "by staff", "why.lock_unconfirmed": "the lock did not confirm",
        "why.too_long": "longest ride reached", "why.unlock_refused": "the vehicle refused", "why.unlock_timed_out": "the vehicle did not answer", "why.not_delivered": "not connected",
        "why.rider_cancelled": "by the rider", "why.still_locked": "it stayed locked",
        "mds.agency_drop_off": "put back by the city", "mds.agency_pick_up": "taken by the city", "mds.battery_charged": "charged again", "mds.battery_low": "battery too low",
        "mds.changed_geographies": "changed area", "mds.comms_lost": "fell silent", "mds.comms_restored": "speaks again", "mds.compliance_pick_up": "taken in for a rule",
        "mds.decommissioned": "out of the fleet for good", "mds.located": "found again", "mds.maintenance": "maintenance", "mds.maintenance_pick_up": "taken in for repair",
        "mds.not_located": "not found where it should be", "mds.off_hours": "service hours ended", "mds.on_hours": "service hours began", "mds.provider_drop_off": "put into the street",
        "mds.rebalance_pick_up": "taken to be moved", "mds.reservation_cancel": "hold ended", "mds.reservation_start": "held for a rider", "mds.system_resume": "system open again",
        "mds.system_suspend": "system closed", "mds.trip_cancel": "trip not used", "mds.trip_end": "trip ended", "mds.trip_enter_jurisdiction": "back in the city",
        "mds.trip_leave_jurisdiction": "left the city", "mds.trip_start": "trip began", "mds.unspecified": "no reason given",
    },
    fr: {
        "ev.vehicle_state": "{state} : {event}", "ev.registered": "Déclaré", "ev.device_connected": "Connecté", "ev.device_gone": "Connexion fermée",
        "ev.alarm": "Alarme {number} du boîtier", "ev.fault": "Code de panne {number} du contrôleur", "ev.unlocked_no_ride": "Déverrouillé sans course",
        "ev.moved_no_ride": "Bouge verrouillé, sans course", "ev.late_result": "A répondu à un ordre déjà tranché",
        "ev.one_way_link": "Parle mais ne répond pas", "ev.ride_end_refused": "Fin de course impossible : {code}", "ev.fact_refused": "Un message qui avait arrêté le serveur est refusé",
        "ev.clock_jump": "L’horloge du serveur a sauté", "ev.device_quarantined": "Un boîtier inconnu a parlé", "ev.ride_charged": "Course facturée",
        "ev.ride.requested": "Demandé par un client", "ev.ride.holding": "En attente de la carte", "ev.ride.unlocking": "Déverrouillage pour une course", "ev.ride.riding": "Course commencée",
        "ev.ride.paused": "Course en pause", "ev.ride.ending": "Fin de course en cours", "ev.ride.ended": "Course terminée", "ev.ride.settled": "Course comptabilisée",
        "ev.ride.failed": "La course n’a pas commencé ; rien n’est facturé", "ev.ride.cancelled": "Course annulée ; rien n’est facturé",
        "ev.command": "{op} : {state}",
        "cmd.queued": "attend la connexion", "cmd.sent": "envoyé", "cmd.accepted": "accepté", "cmd.done": "fait", "cmd.failed": "pas fait", "cmd.unknown": "sans réponse, issue inconnue",
        "why.rider_ended": "par le client", "why.lock_closed": "antivol fermé", "why.staff_ended": "par l’équipe", "why.lock_unconfirmed": "antivol non confirmé",
        "why.too_long": "durée maximale atteinte", "why.unlock_refused": "le véhicule a refusé", "why.unlock_timed_out": "le véhicule n’a pas répondu", "why.not_delivered": "non connecté",
        "why.rider_cancelled": "par le client", "why.still_locked": "resté verrouillé",
        "mds.agency_drop_off": "remis par la ville", "mds.agency_pick_up": "pris par la ville", "mds.battery_charged": "rechargé", "mds.battery_low": "batterie trop faible",
        "mds.changed_geographies": "changement de zone", "mds.comms_lost": "devenu muet", "mds.comms_restored": "parle de nouveau", "mds.compliance_pick_up": "retiré pour conformité",
        "mds.decommissioned": "sorti de la flotte", "mds.located": "retrouvé", "mds.maintenance": "maintenance", "mds.maintenance_pick_up": "pris pour réparation",
        "mds.not_located": "introuvable", "mds.off_hours": "fin du service", "mds.on_hours": "début du service", "mds.provider_drop_off": "mis en rue",
        "mds.rebalance_pick_up": "pris pour être déplacé", "mds.reservation_cancel": "réservation finie", "mds.reservation_start": "réservé", "mds.system_resume": "système rouvert",
        "mds.system_suspend": "système fermé", "mds.trip_cancel": "trajet non utilisé", "mds.trip_end": "trajet terminé", "mds.trip_enter_jurisdiction": "revenu en ville",
        "mds.trip_leave_jurisdiction": "sorti de la ville", "mds.trip_start": "trajet commencé", "mds.unspecified": "sans raison donnée",
    },
});

const word = (prefix: string, code: string | null) => (code && has(`${prefix}.${code}`) ? t(`${prefix}.${code}`) : (code ?? ""));
const reason = (e: FleetEvent) => (e.ride_reason && e.ride_reason !== "none" ? ` (${word("why", e.ride_reason)})` : "");

const BY_KIND: Record<string, (e: FleetEvent) => string> = {
    vehicle_state: (e) => e.vehicle_event ? t("ev.vehicle_state", { state: word("state", e.vehicle_state), event: word("mds", e.vehicle_event) }) : word("state", e.vehicle_state),
    ride_state: (e) => word("ev.ride", e.ride_state) + reason(e),
    command_state: (e) => t("ev.command", { op: word("op", e.command_op), state: word("cmd", e.command_state) }) +
        (e.command_result && e.command_result !== "none" && e.command_state !== "done" ? ` (${word("result", e.command_result)})` : ""),
    ride_end_refused: (e) => t("ev.ride_end_refused", { code: e.code ?? "" }),
};

export function sentence(e: FleetEvent) {
    return BY_KIND[e.kind]?.(e) ?? (has(`ev.${e.kind}`) ? t(`ev.${e.kind}`, { number: String(e.number), code: e.code ?? "" }) : e.kind.replaceAll("_", " "));
}

export type Tone = "good" | "bad" | "warn" | "plain";
export function toneOf(e: FleetEvent): Tone {
    if (["alarm", "fault", "fact_refused"].includes(e.kind) || e.ride_state === "failed" && e.kind === "ride_state") return "bad";
    if (["unlocked_no_ride", "moved_no_ride", "one_way_link", "ride_end_refused", "late_result"].includes(e.kind)) return "warn";
    if (e.kind === "command_state" && e.command_state === "failed") return "bad";
    if (e.kind === "command_state" && e.command_state === "unknown") return "warn";
    if (e.kind === "ride_state" && e.ride_state === "riding" || e.kind === "command_state" && e.command_state === "done") return "good";
    return "plain";
}
