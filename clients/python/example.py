# SPDX-License-Identifier: Apache-2.0
"""One whole ride: example.py SERVER TOKEN VEHICLE_CODE. Prints what it cost and what was told on the way."""
import json
import sys
import threading

from paddock import Client, Problem


def listen(client, told):
    for sent in client.stream_events():
        told.append(sent.data["ride_state"] if sent.event == "ride_state" else sent.event)
        if told[-1] == "settled":
            return


def main(server, token, code):
    client = Client(server, token, app="rider/1")
    told = []
    listener = threading.Thread(target=listen, args=(client, told), daemon=True)
    listener.start()
    try:
        client.start_ride(vehicle_code="NOBODY")
    except Problem as problem:
        refused = problem.code
    ride = client.start_ride(vehicle_code=code, wait=30)["ride"]["id"]
    client.end_ride(ride, wait=30)
    listener.join()
    receipt = client.get_receipt(ride)
    mine = [row["id"] for row in client.pages(client.list_rides, limit=1)]
    print(json.dumps({"ride": ride, "total_minor": receipt["total_minor"], "told": told, "mine": mine, "refused": refused}))


if __name__ == "__main__":
    main(*sys.argv[1:])
