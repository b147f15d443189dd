// SPDX-License-Identifier: Apache-2.0
import "@paddock/ui/tokens.css";
import "@paddock/ui/base.css";
import "@paddock/ui/theme.svelte.ts";
import { mount } from "svelte";
import App from "./App.svelte";

mount(App, { target: document.getElementById("app")! });
