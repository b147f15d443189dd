// SPDX-License-Identifier: Apache-2.0
// i18n: sentences in the reader's language. A table a language; {name} takes a parameter; a sentence that counts is an
// object by plural category: { one: "{n} ride", other: "{n} rides" }. A sentence that a language lacks is English.
//
//     const words = addWords({ en: {...}, fr: {...}, sv: {...} });      once, at the top of an app
//     t("ride.open", { n: 3 })                                            in templates: follows the language
export const LANGUAGES = ["en", "fr", "sv"] as const;
export type Language = (typeof LANGUAGES)[number];
export const LANGUAGE_NAMES: Record<Language, string> = { en: "English", fr: "Français", sv: "Svenska" };
export type Sentence = string | Partial<Record<Intl.LDMLPluralRule, string>>;
export type Words = Record<string, Sentence>;
export type Params = Record<string, string | number>;

const KEY = "paddock.language";
const tables: Record<Language, Words> = { en: {}, fr: {}, sv: {} };

function isLanguage(text: string | null | undefined): text is Language {
    return LANGUAGES.includes(text as Language);
}

function firstLanguage(): Language {
    const kept = localStorage.getItem(KEY);
    if (isLanguage(kept)) return kept;
    return navigator.languages.map((l) => l.slice(0, 2)).find(isLanguage) ?? "en";
}

class I18n {
    language = $state<Language>(firstLanguage());
    set(language: Language) {
        this.language = language;
        localStorage.setItem(KEY, language);
        document.documentElement.lang = language;
    }
}
export const i18n = new I18n();
document.documentElement.lang = i18n.language;

export function addWords(more: { en: Words } & Partial<Record<Language, Words>>) {
    for (const language of LANGUAGES) Object.assign(tables[language], more[language] ?? {});
}

const rules = new Map<string, Intl.PluralRules>();
function plural(language: Language, n: number) {
    let rule = rules.get(language);
    if (!rule) rules.set(language, (rule = new Intl.PluralRules(language)));
    return rule.select(n);
}

export function has(key: string) {
    return key in tables.en;
}

export function t(key: string, params: Params = {}): string {
    const language = i18n.language;
    let sentence = tables[language][key] ?? tables.en[key];
    if (sentence === undefined) return key;
    if (typeof sentence !== "string") {
        sentence = sentence[plural(language, Number(params.n ?? 0))] ?? sentence.other ?? "";
    }
    return sentence.replace(/\{(\w+)\}/g, (whole, name) => {
        const value = params[name];
        return value === undefined ? whole : typeof value === "number" ? number(value) : value;
    });
}

// ── numbers, money, time ──

export function number(value: number, digits = 0) {
    return new Intl.NumberFormat(i18n.language, { maximumFractionDigits: digits }).format(value);
}

// Money is minor units, always with its currency and its decimals (0, 2 or 3).
export function money(minor: number, currency: string, decimals = 2) {
    const whole = minor / 10 ** decimals;
    try {
        return new Intl.NumberFormat(i18n.language, { style: "currency", currency, minimumFractionDigits: decimals,
                                                      maximumFractionDigits: decimals }).format(whole);
    } catch {
        return `${whole.toFixed(decimals)} ${currency}`;
    }
}

export function distance(metres: number) {
    if (metres < 950) return `${number(Math.round(metres / 10) * 10)} m`;
    return `${number(metres / 1000, 1)} km`;
}

// "3 s", "12 min", "5 h", "2 d": how long, in the largest unit that says enough.
export function span(ms: number) {
    const s = Math.max(0, Math.round(ms / 1000));
    if (s < 90) return `${s} s`;
    if (s < 90 * 60) return `${Math.round(s / 60)} min`;
    if (s < 36 * 3600) return `${Math.round(s / 3600)} h`;
    return `${Math.round(s / 86400)} ${t("unit.days")}`;
}

export function ago(ms: number) {
    return ms < 2000 ? t("time.now") : t("time.ago", { span: span(ms) });
}

export function clock(ms: number, timeZone?: string) {
    return new Intl.DateTimeFormat(i18n.language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone }).format(ms);
}

export function day(ms: number, timeZone?: string) {
    return new Intl.DateTimeFormat(i18n.language, { weekday: "short", day: "numeric", month: "short", timeZone }).format(ms);
}

addWords({
    en: { "time.now": "just now", "time.ago": "{span} ago", "unit.days": "d" },
    fr: { "time.now": "à l’instant", "time.ago": "il y a {span}", "unit.days": "j" },
    sv: { "time.now": "just nu", "time.ago": "för {span} sedan", "unit.days": "d" },
});
