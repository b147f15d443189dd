/* SPDX-License-Identifier: Apache-2.0 */
/* ask.h: one function a route, named in the table of routes.c. Thread the loop's. */
#ifndef API_ASK_H
#define API_ASK_H

enum { ASK_HOOK_DEADLINE_MS = 2000 }; /* of a hook that says nothing else; its default is then VERDICT_ALLOW */

struct call;
struct desk_job;

/* ask_ride.c */
void ask_ride_start(struct call *call);
void ask_ride_end(struct call *call);
void ask_ride_current(struct call *call);
void ask_ride(struct call *call);
void ask_ride_receipt(struct call *call);
void ask_rides(struct call *call);
void ask_ride_timeline(struct call *call);
void ask_live(struct call *call);
void ask_events(struct call *call);

void ask_about(struct call *call); /* ask_about.c */

/* ask_street.c */
void ask_near(struct call *call);
void ask_map(struct call *call);
void ask_map_live(struct call *call);
void ask_stats(struct call *call);
void ask_vehicle_offer(struct call *call); /* for riders */

/* ask_staff.c */
void ask_vehicles(struct call *call);
void ask_vehicles_bulk(struct call *call); /* bulk.c */
/* The filters that lists and bulk calls share, from the arguments. */
void ask_filter_vehicles(const struct call *call, struct desk_job *job);
void ask_vehicle(struct call *call);
void ask_vehicle_timeline(struct call *call);
void ask_vehicle_frames(struct call *call); /* ask_frames.c */
void ask_vehicle_command(struct call *call);
void ask_vehicle_event(struct call *call);
void ask_vehicle_damage(struct call *call);
void ask_command(struct call *call);
void ask_quarantine(struct call *call);

/* ask_people.c */
void ask_sign_in_code(struct call *call);
void ask_sign_in(struct call *call);
void ask_staff_sign_in(struct call *call);
void ask_sign_out(struct call *call);
void ask_sign_out_everywhere(struct call *call);
void ask_me(struct call *call);
void ask_put_app(struct call *call);

/* staff.c */
void ask_staff_list(struct call *call);
void ask_staff_one(struct call *call);
void ask_put_staff(struct call *call);
void ask_delete_staff(struct call *call);
void ask_staff_sign_out(struct call *call);

/* ask_riders.c */
void ask_riders(struct call *call);
void ask_rider(struct call *call);
void ask_put_rider(struct call *call);
void ask_rider_contact(struct call *call);
void ask_rider_sign_out(struct call *call);
void ask_erase_rider(struct call *call);

/* ask_settings.c */
void ask_put_operator(struct call *call);
void ask_put_legal_entity(struct call *call);
void ask_put_city(struct call *call);
void ask_put_vehicle_type(struct call *call);
void ask_put_plan(struct call *call);
void ask_put_vehicle(struct call *call);

/* ask_declared.c */
void ask_operator(struct call *call);
void ask_legal_entities(struct call *call);
void ask_legal_entity(struct call *call);
void ask_cities(struct call *call);
void ask_city(struct call *call);
void ask_vehicle_types(struct call *call);
void ask_vehicle_type(struct call *call);
void ask_plans(struct call *call);
void ask_plan(struct call *call);
void ask_fleet(struct call *call);

/* ask_server.c */
void ask_openapi(struct call *call);
/* ask_hooks.c */
void ask_put_webhook(struct call *call);
void ask_delete_webhook(struct call *call);
void ask_webhook(struct call *call);
void ask_webhook_replay(struct call *call);
void ask_put_hook(struct call *call);
void ask_delete_hook(struct call *call);
void ask_hook(struct call *call);

#endif
