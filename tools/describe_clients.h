/* SPDX-License-Identifier: Apache-2.0 */
/* describe_clients.h: the calls of the clients, a file a language. */
#ifndef TOOLS_DESCRIBE_CLIENTS_H
#define TOOLS_DESCRIBE_CLIENTS_H

#include <stdio.h>

#include "api/contract.h"

void put_camel(FILE *f, const char *name); /* vehicle_state: VehicleState */
void put_snake(FILE *f, const char *name); /* startRide: start_ride */

void describe_python(FILE *f);
void describe_go(FILE *f);

#endif
