// Who decides: choose, see what would change, say why, confirm. The service asks for the scope admin.

import { el, put } from "./dom.js";
import { moment, t } from "./texts.js";
import { Refused, change, read } from "./service.js";

const OWN = "own";
const MOST_PERCENT = 50;

export default function policy({ root, guard }) {
  const abort = new AbortController();
  const said = el("p", { id: "policy-said", role: "status", "aria-live": "polite" });
  const form = el("div", {}), step = el("div", { id: "policy-step" });
  put(root, el("h2", {}, t("policy.title")), said, form, step);
  const load = () => guard(form, async () => {
    const [found, about] = await Promise.all(["/v1/policy", "/v1/console/about"].map((path) => read(path, abort.signal)));
    put(form, drawn(found, about.policies, (ask) => confirm({ found, ask, said, step, again: load })));
  });
  load();
  return { close: () => abort.abort() };
}

function drawn(found, names, propose) {
  const select = el("select", { id: "policy-name" },
    names.map((name) => el("option", { value: name, selected: name === core(found.chosen).name }, t(`policy_name.${name}`))),
    el("option", { value: OWN }, t("policy.own")));
  const share = el("input", { id: "policy-share", type: "number", min: "0", max: String(MOST_PERCENT), step: "1", value: String(100 * shareOf(found.chosen)), inputmode: "numeric" });
  const spec = el("textarea", { id: "policy-spec", rows: "4", spellcheck: "false" }, JSON.stringify(found.chosen));
  const reason = el("input", { id: "policy-because", type: "text", maxlength: "200", required: true });
  const wrong = el("p", { class: "error", id: "policy-wrong", role: "alert", hidden: true });
  const plain = el("div", {}, el("label", { for: "policy-share" }, t("policy.share")), share, el("p", { class: "muted small" }, t("policy.share_why")));
  const own = el("div", { hidden: true }, el("label", { for: "policy-spec" }, t("policy.spec")), spec);
  const look = () => { plain.hidden = select.value === OWN; own.hidden = !plain.hidden; };
  select.addEventListener("change", look);
  look();
  const ask = (made) => (event) => {
    event.preventDefault();
    const because = reason.value.trim();
    try {
      if (because === "") throw new Wrong("policy.say_why", reason);
      const asked = made();
      wrong.hidden = true;
      propose({ ...asked, because });
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      wrong.textContent = t(error.message);
      wrong.hidden = false;
      error.field.focus();
    }
  };
  const chosen = () => (select.value === OWN ? parsed(spec) : wrapped(select.value, share));
  const button = (id, made, text) => el("button", { type: "button", id, onclick: ask(made) }, text);
  return [
    el("p", {}, el("strong", {}, t(found.kill_switch ? "policy.killed" : "policy.now", { policy: found.policy })), el("br"),
      el("span", { class: "muted small" }, t("policy.since", { since: found.changed_ts ? moment(found.changed_ts) : t("now.the_start"), because: found.because || "–" })), el("br"),
      el("span", { class: "muted small" }, found.shadow ? t("policy.watched", { shadow: found.shadow.name }) : t("policy.unwatched"))),
    el("form", { class: "policy", novalidate: true, onsubmit: ask(() => ({ policy: chosen() })) },
      el("div", {}, el("label", { for: "policy-name" }, t("policy.name")), select), plain, own,
      el("div", {}, el("label", { for: "policy-because" }, t("policy.because")), reason), wrong,
      el("p", { class: "buttons" },
        el("button", { class: "main", type: "submit", id: "policy-act" }, t("policy.act")),
        button("policy-watch", () => ({ shadow: chosen() }), t("policy.watch")),
        found.shadow ? button("policy-unwatch", () => ({ shadow: null }), t("policy.unwatch")) : null,
        button("policy-kill", () => ({ kill_switch: !found.kill_switch }), t(found.kill_switch ? "policy.revive" : "policy.kill")))),
  ];
}

// The second step: what is, what would be, and nothing happens without it.
function confirm({ found, ask, said, step, again }) {
  const back = document.activeElement?.id;
  const close = () => { put(step); document.getElementById(back)?.focus(); };
  const tell = (text, bad) => { said.textContent = text; said.className = bad ? "error" : ""; };
  const act = async () => {
    try {
      const now = await change("/v1/policy", { ...ask, if_version: found.policy_version });
      put(step);
      tell(t("policy.done", { policy: now.policy, shadow: now.shadow ? now.shadow.name : t("none") }), false);
    } catch (error) {
      if (!(error instanceof Refused)) { tell(t("policy.unheard"), true); return; }
      put(step);
      tell(refusal(error), true);
    }
    await again();
    said.setAttribute("tabindex", "-1");
    said.focus();
  };
  const row = (name, value) => [el("dt", {}, t(`policy.${name}`)), el("dd", {}, value)];
  const code = (spec) => (spec ? el("code", {}, JSON.stringify(spec)) : t("none"));
  const lines = [
    "policy" in ask ? [row("from", code(found.chosen)), row("to", code(ask.policy))] : null,
    "shadow" in ask ? [row("from_shadow", code(found.shadow?.spec)), row("to_shadow", code(ask.shadow))] : null,
    "kill_switch" in ask ? [row("kill_switch", t(ask.kill_switch ? "policy.kill_means" : "policy.revive_means", { policy: JSON.stringify(found.chosen) }))] : null,
    row("because", ask.because)];
  put(step, el("section", { class: "confirm", role: "group", "aria-labelledby": "policy-question", onkeydown: (event) => { if (event.key === "Escape") close(); } },
    el("h3", { id: "policy-question" }, t("policy.question")),
    el("dl", { class: "facts" }, lines),
    "policy" in ask && found.kill_switch ? el("p", { class: "error" }, t("policy.still_killed")) : null,
    el("p", { class: "muted small" }, t("policy.what_happens")),
    el("p", { class: "buttons" },
      el("button", { type: "button", id: "policy-cancel", onclick: close }, t("policy.cancel")),
      el("button", { type: "button", class: "main", id: "policy-confirm", onclick: act }, t("policy.confirm")))));
  document.getElementById("policy-cancel").focus();
}

function refusal(error) {
  if (error.status === 403 || error.status === 401) return t("policy.forbidden");
  if (error.status === 409) return t("policy.conflict");
  return t("failed", { message: `${error.message} ${error.detail.hint ?? ""}`.trim() });
}

const core = (spec) => (spec?.name === "random_bucket" && spec.options?.policy ? spec.options.policy : spec ?? {});
const shareOf = (spec) => (spec?.name === "random_bucket" ? spec.options?.share ?? 0.05 : 0);

// What was entered is none: the key of the sentence that says so, and the field.
class Wrong extends Error {
  constructor(said, field) {
    super(said);
    this.field = field;
  }
}

function parsed(field) {
  try { return JSON.parse(field.value); } catch { throw new Wrong("policy.not_json", field); }
}

function wrapped(name, input) {
  const asked = input.value.trim() === "" ? NaN : Number(input.value);
  if (!(asked >= 0 && asked <= MOST_PERCENT)) throw new Wrong("policy.not_share", input);
  const share = asked / 100;
  return share > 0 ? { name: "random_bucket", options: { share, respect_seats: true, policy: { name } } } : { name };
}
