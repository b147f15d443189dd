// SPDX-License-Identifier: Apache-2.0
import "@paddock/ui/tokens.css";
import "@paddock/ui/base.css";
import "@paddock/ui/theme.svelte.ts";
import { mount } from "svelte";
import App from "./App.svelte";

mount(App, { target: document.getElementById("app")! });
// The shell opens without a network; what it shows always comes from the server.
if ("serviceWorker" in navigator && isSecureContext) void navigator.serviceWorker.register("/rider/sw.js", { scope: "/rider/" }).catch(() => undefined);
