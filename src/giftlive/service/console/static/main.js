// The frame: which page, which language, which key; and what to say when the service does not answer.

import "./theme.js";
import { el, put } from "./dom.js";
import * as texts from "./texts.js";
import { Refused, forgetKey, key, useKey } from "./service.js";
import now from "./now.js";
import whatIf from "./what_if.js";
import decisions from "./decisions.js";
import studies from "./studies.js";
import settings from "./settings.js";

const { t } = texts;
const PAGES = { now, "what-if": whatIf, decisions, studies, settings };
const page = document.getElementById("page");
let open = null;
let heard = 0;
let refused = false;

function where() {
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  return { name: name in PAGES ? name : "now", rest: decoded(rest.join("/")) };
}

// An address that somebody mistyped is no id, and no reason to stop.
function decoded(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

function drawFrame() {
  const { name } = where();
  document.title = `${t(`page.${name}`)} · ${t("name")}`;
  document.getElementById("skip").textContent = t("skip");
  document.getElementById("tagline").textContent = t("tagline");
  const menu = document.getElementById("menu");
  menu.setAttribute("aria-label", t("menu"));
  put(menu, Object.keys(PAGES).map((p) => el("a", { href: `#/${p}`, id: `to-${p}`, "aria-current": p === name ? "page" : null }, t(`page.${p}`))));
  const languages = document.getElementById("languages");
  languages.setAttribute("aria-label", t("language"));
  put(languages, Object.entries(texts.LANGUAGES).map(([lang, title]) => el("button", {
    type: "button", id: `language-${lang}`, lang: lang === "zh" ? "zh-Hans" : "en", "aria-pressed": String(texts.language() === lang),
    onclick: () => speak(lang),
  }, title)));
}

export function speak(lang) {
  texts.choose(lang);
  show();
}

export function show() {
  open?.close?.();
  drawFrame();
  const { name, rest } = where();
  const root = el("div", {}, el("p", { class: "muted" }, t("loading")));
  put(page, root);
  open = PAGES[name]({ root, rest, guard });
}

// Run what reads from the service; say what is wrong in words where it fails.
async function guard(root, work) {
  try {
    await work();
    heard = Date.now();
    document.getElementById("offline").hidden = true;
    return true;
  } catch (error) {
    if (error.name === "AbortError") return false;
    if (error instanceof Refused && error.status === 401) { askForKey(root); return false; }
    if (error instanceof Refused && error.status === 403) {
      put(root, el("div", { class: "empty" }, el("p", { class: "error" }, t("forbidden", { scope: (error.detail.hint ?? "").replace("a key for ", "") })), keyForm()));
      return false;
    }
    const banner = document.getElementById("offline");
    const since = heard ? texts.clock(heard) : "–";
    banner.textContent = error instanceof Refused ? t("failed", { message: error.message }) : t("offline", { time: since });
    banner.hidden = false;
    return null;
  }
}

function askForKey(root) {
  const shown = document.getElementById("api-key");
  if (key() !== null) {
    refused = true;
    forgetKey();
    if (shown) { show(); return; }
  } else if (shown) {
    const below = root.compareDocumentPosition(shown) & Node.DOCUMENT_POSITION_FOLLOWING && !root.contains(shown);
    if (below) put(root, el("p", { class: "muted" }, t("key.below")));
    return;
  }
  open?.close?.();
  put(root, el("div", { class: "empty" },
    el("h1", {}, t("key.title")), el("p", {}, t("key.why")),
    keyForm(),
    el("p", { class: "small muted" }, t("key.make")), el("pre", {}, "giftlive keys create --scope decide --name console")));
}

// The field for a key, in use or not; above it what became of the last one.
export function keyForm() {
  const field = el("input", { id: "api-key", type: "password", autocomplete: "off", spellcheck: "false", required: true });
  return [refused ? el("p", { class: "error", id: "key-wrong", role: "alert" }, t("key.wrong")) : null,
    el("form", { class: "line", onsubmit: (event) => { event.preventDefault(); refused = false; useKey(field.value.trim()); field.value = ""; show(); } },
      el("div", {}, el("label", { for: "api-key" }, t(key() === null ? "key.label" : "key.other")), field),
      el("button", { class: "main", type: "submit", id: "use-key" }, t("key.save")))];
}

let width = innerWidth;
addEventListener("hashchange", () => { show(); page.focus({ preventScroll: true }); scrollTo(0, 0); });
addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; open?.redraw?.(); } });

await texts.load();
show();
