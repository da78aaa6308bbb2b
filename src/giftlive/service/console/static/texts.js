// Sentences of both languages, numbers and times as each writes them.

let every = {};
let chosen = "en";

export const LANGUAGES = { en: "English", zh: "中文" };

export async function load() {
  every = await (await fetch("/console/texts.json")).json();
  const kept = localStorage.getItem("giftlive-language");
  const own = navigator.language?.toLowerCase().startsWith("zh") ? "zh" : "en";
  chosen = kept in LANGUAGES ? kept : own;
  document.documentElement.lang = chosen === "zh" ? "zh-Hans" : "en";
}

export const language = () => chosen;

export function choose(lang) {
  chosen = lang;
  localStorage.setItem("giftlive-language", lang);
  document.documentElement.lang = lang === "zh" ? "zh-Hans" : "en";
}

export const has = (key) => key in every[chosen];

// A sentence with its holes filled; {n:room|rooms} is the word that goes with n.
export function t(key, parts = {}) {
  const sentence = every[chosen][key] ?? key;
  return sentence
    .replace(/\{(\w+):([^|{}]*)\|([^{}]*)\}/g, (_, name, one, many) => (String(parts[name]) === "1" ? one : many))
    .replace(/\{(\w+)\}/g, (hole, name) => (name in parts ? parts[name] : hole));
}

const locale = () => (chosen === "zh" ? "zh-CN" : "en-GB");

// Three digits that count, plain up to a million, never 1e-7.
export function number(x, digits = 3) {
  if (x === null || x === undefined || !Number.isFinite(x)) return "–";
  if (x !== 0 && Math.abs(x) < 1e-6) return x > 0 ? "< 0.000001" : "> −0.000001";
  const whole = Math.abs(x) >= 10 ** digits;
  const how = whole ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: digits };
  return new Intl.NumberFormat(locale(), how).format(x).replace("-", "−");
}

export const percent = (x, digits = 3) => (x === null || x === undefined ? "–" : `${number(100 * x, digits)} %`);
export const count = (n) => new Intl.NumberFormat(locale(), { maximumFractionDigits: 0 }).format(n);

export function clock(ts, seconds = true) {
  const how = { hour: "2-digit", minute: "2-digit", hour12: false, ...(seconds ? { second: "2-digit" } : {}) };
  return new Intl.DateTimeFormat(locale(), how).format(new Date(ts));
}

export function moment(ts) {
  const how = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false };
  return new Intl.DateTimeFormat(locale(), how).format(new Date(ts));
}

// How times of such a span are written: a day needs its date, and an axis of many days nothing else.
export function dated(first, last, { seconds = true, axis = false } = {}) {
  const days = (last - first) / 86400000;
  if (days < 0.8) return (ts) => clock(ts, seconds);
  const how = { day: "numeric", month: "short", ...(days >= 4 && axis ? {} : { hour: "2-digit", minute: "2-digit", hour12: false }) };
  const written = new Intl.DateTimeFormat(locale(), how);
  return (ts) => written.format(new Date(ts));
}

export function duration(seconds) {
  const [n, unit] = seconds < 60 ? [seconds, "second"] : seconds < 3600 ? [seconds / 60, "minute"] : seconds < 86400 ? [seconds / 3600, "hour"] : [seconds / 86400, "day"];
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "short" }).format(n);
}

export function size(bytes) {
  return new Intl.NumberFormat(locale(), { style: "unit", unit: "megabyte", maximumFractionDigits: 1 }).format(bytes / 1e6);
}

export const within = (found, show = number) => (found.low === null || found.low === undefined ? show(found.value)
  : t("interval", { value: show(found.value), low: show(found.low), high: show(found.high) }));
