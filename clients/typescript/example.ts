// SPDX-License-Identifier: Apache-2.0
// One whole ride: example.ts SERVER TOKEN VEHICLE_CODE. Prints what it cost and what was told on the way.
import { Client, Problem, type Schemas } from "./client.js";

declare const process: { argv: string[] };

/** Tells what happens until the ride is settled. */
async function listen(client: Client): Promise<string[]> {
  const told: string[] = [];
  for await (const sent of client.events<Schemas["Event"]>("/v1/events/live")) {
    told.push(sent.event === "ride_state" ? String(sent.data.ride_state) : sent.event);
    if (told.at(-1) === "settled") break;
  }
  return told;
}

async function main(server: string, token: string, code: string): Promise<void> {
  const client = new Client({ server, token, app: "rider/1" });
  const listening = listen(client);
  const refused = await client
    .post("/v1/rides", { body: { vehicle_code: "NOBODY" } })
    .then(() => "not refused")
    .catch((why: unknown) => (why instanceof Problem ? why.code : String(why)));
  const started = await client.post("/v1/rides", { body: { vehicle_code: code }, query: { wait: 30 } });
  const ride = started.ride.id;
  await client.post("/v1/rides/{id}/end", { path: { id: ride }, query: { wait: 30 } });
  const told = await listening;
  const receipt = await client.get("/v1/rides/{id}/receipt", { path: { id: ride } });
  const mine: string[] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const page = await client.get("/v1/rides", { query: { limit: 1, after } });
    mine.push(...page.rides.map((row) => row.id));
    after = page.next;
  }
  console.log(JSON.stringify({ ride, total_minor: receipt.total_minor, told, mine, refused }));
}

const [server, token, code] = process.argv.slice(2);
await main(server!, token!, code!);
