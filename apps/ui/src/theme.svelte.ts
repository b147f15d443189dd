// SPDX-License-Identifier: Apache-2.0
// theme: light, dark, or what the system says. The choice is kept on this device; importing this applies it.
export type ThemeChoice = "system" | "light" | "dark";

const KEY = "paddock.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function kept(): ThemeChoice {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "system";
}

class Theme {
    choice = $state<ThemeChoice>(kept());
    systemDark = $state(system.matches);
    get dark() {
        return this.choice === "dark" || (this.choice === "system" && this.systemDark);
    }
    set(choice: ThemeChoice) {
        this.choice = choice;
        if (choice === "system") localStorage.removeItem(KEY);
        else localStorage.setItem(KEY, choice);
        this.apply();
    }
    apply() {
        document.documentElement.dataset.theme = this.dark ? "dark" : "light";
        const meta = document.querySelector<HTMLMetaElement>('meta[name="theme-color"]');
        if (meta) meta.content = this.dark ? "#141c19" : "#ffffff";
    }
}

export const theme = new Theme();
system.addEventListener("change", (event) => {
    theme.systemDark = event.matches;
    theme.apply();
});
theme.apply();
