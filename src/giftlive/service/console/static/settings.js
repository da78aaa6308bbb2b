// Settings: who decides; the key of this tab, language, colours; and what this service is.

import { el, put } from "./dom.js";
import { LANGUAGES, count, language, t } from "./texts.js";
import { forgetKey, key, read } from "./service.js";
import policy from "./policy.js";
import { keyForm, show, speak } from "./main.js";
import { applyTheme } from "./theme.js";

export default function settings({ root, guard }) {
  const abort = new AbortController();
  const about = el("div", {}), decides = el("section", { class: "panel", id: "policy" });
  const choice = (id, title, options, now, act) => {
    const select = el("select", { id, onchange: () => act(select.value) }, Object.entries(options).map(([value, name]) => el("option", { value, selected: value === now }, name)));
    return el("p", {}, el("label", { for: id }, title), el("br"), select);
  };
  put(root, el("h1", {}, t("settings.title")), decides,
    el("h3", {}, t("settings.key")), el("p", {}, t(key() ? "key.kept" : "key.absent")), el("p", { class: "muted small" }, t("key.why")),
    keyForm(),
    key() === null ? null : el("p", {}, el("button", { type: "button", id: "forget-key", onclick: () => { forgetKey(); show(); } }, t("key.forget"))),
    el("h3", {}, t("settings.look")),
    choice("language-choice", t("settings.language"), LANGUAGES, language(), speak),
    choice("theme", t("settings.theme"), { system: t("settings.theme_system"), light: t("settings.theme_light"), dark: t("settings.theme_dark") }, localStorage.getItem("giftlive-theme") ?? "system", (value) => {
      if (value === "system") localStorage.removeItem("giftlive-theme"); else localStorage.setItem("giftlive-theme", value);
      applyTheme();
    }),
    el("p", { class: "muted small" }, t("settings.here")), about);
  const who = policy({ root: decides, guard });
  guard(about, async () => {
    const [found, policy] = await Promise.all(["/v1/console/about", "/v1/policy"].map((path) => read(path, abort.signal)));
    const rows = [["version", found.version], ["policy", el("code", {}, policy.policy)], ["spec", el("code", {}, JSON.stringify(policy.spec))],
      ["shadow", policy.shadow ? el("code", {}, policy.shadow.name) : t("none")], ["values", found.values ? el("code", {}, found.values) : t("settings.popularity")],
      ["log", count(found.seq)], ["events", count(found.events)], ["orphans", count(found.orphan_events)], ["open", count(found.open_decisions)]];
    put(about, el("h3", {}, t("settings.service")), el("dl", { class: "facts" }, rows.flatMap(([name, value]) => [el("dt", {}, t(`settings.${name}`)), el("dd", {}, value)])),
      el("p", {}, el("a", { href: "/docs", id: "to-docs" }, t("settings.docs"))));
  });
  return { close: () => { abort.abort(); who.close(); } };
}
