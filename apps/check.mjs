// SPDX-License-Identifier: Apache-2.0
// check.mjs: types of all apps, TypeScript and Svelte alike. Any warning counts.
import { spawnSync } from "node:child_process";

const args = ["node_modules/svelte-check/bin/svelte-check", "--tsconfig", "./tsconfig.json", "--output", "human", "--fail-on-warnings"];
process.exitCode = spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1;
