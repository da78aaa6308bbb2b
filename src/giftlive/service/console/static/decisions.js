// Decisions: the latest ones, and why any of them was as it was.

import { el, put, table } from "./dom.js";
import { count, dated, has, moment, number, t } from "./texts.js";
import { Refused, read } from "./service.js";
import * as charts from "./charts.js";

const PARTS = ["value", "price", "bonus", "score"];
const BEST = 5;

export default function decisions({ root, rest, guard }) {
  let seen = null;
  const abort = new AbortController();
  const draw = () => seen && (rest ? explained(root, seen) : listed(root, seen, load));
  async function load() {
    await guard(root, async () => {
      try {
        seen = rest ? await read(`/v1/decisions/${encodeURIComponent(rest)}`, abort.signal) : (await read("/v1/console/decisions", abort.signal)).decisions;
      } catch (error) {
        if (!(error instanceof Refused) || error.status !== 404) throw error;
        put(root, el("h1", {}, t("decisions.title")), el("p", { class: "error", role: "alert" }, t("decisions.missing")), back());
        return;
      }
      draw();
    });
  }
  load();
  return { close: () => abort.abort(), redraw: draw };
}

const back = () => el("p", {}, el("a", { href: "#/decisions", id: "back" }, `← ${t("decisions.back")}`));
const rule = (code) => (has(`reason.${code}`) ? t(`reason.${code}`) : t("reason.other", { code }));
const ruleName = (code) => (has(`rule.${code}`) ? t(`rule.${code}`) : el("code", {}, code));

function finder() {
  const field = el("input", { type: "text", id: "decision-id", required: true, autocomplete: "off", spellcheck: "false" });
  return el("form", { class: "line", onsubmit: (event) => { event.preventDefault(); location.hash = `#/decisions/${encodeURIComponent(field.value.trim())}`; } },
    el("div", {}, el("label", { for: "decision-id" }, t("decisions.find_label")), field), el("button", { type: "submit" }, t("decisions.open")));
}

function listed(root, found, load) {
  const title = [el("h1", {}, t("decisions.title"))];
  if (!found.length) { put(root, title, el("div", { class: "empty" }, el("p", {}, t("decisions.empty")), again(load))); return; }
  const columns = [{ title: t("decisions.time"), text: true }, { title: t("decisions.user") }, { title: t("decisions.room") }, ...PARTS.map((part) => ({ title: t(`decisions.${part}`) })), { title: t("decisions.propensity") }, { title: t("decisions.reason"), text: true }];
  const when = dated(found[found.length - 1].ts, Math.max(found[0].ts, Date.now()));
  const rows = found.map((d) => ({ cells: [
    el("a", { href: `#/decisions/${d.decision_id}`, id: `open-${d.decision_id}` }, when(d.ts)), String(d.user_id),
    d.first ? String(d.first.live_id) : t("decisions.nothing"), ...PARTS.map((part) => (d.first ? number(d.first[part]) : "–")),
    d.first ? number(d.first.propensity) : "–", ruleName(d.reason)] }));
  put(root, title, el("p", { class: "lead" }, t("decisions.lead", { n: count(found.length) })), finder(), table(columns, rows), el("p", {}), again(load));
}

const again = (load) => el("button", { type: "button", id: "again", onclick: load }, t("decisions.refresh"));

function explained(root, d) {
  const chosen = d.candidates.find((c) => c.place === 0) ?? null;
  const second = d.candidates.find((c) => c !== chosen) ?? null;
  const words = { user: d.user_id, n: count(d.candidates.length) };
  const sentences = chosen ? [
    t("why.shown", { ...words, room: chosen.live_id }),
    t("why.shown_score", Object.fromEntries(PARTS.map((part) => [part, number(chosen[part])]))),
    !second ? t("why.alone") : t(second.score > chosen.score ? "why.second_ahead" : "why.second", { room: second.live_id, score: number(second.score), gap: number(Math.abs(chosen.score - second.score)) }),
  ] : [t("why.nothing", words)];
  put(root, back(), el("h1", {}, t("why.title")), el("p", { class: "lead", id: "why-when" }, t("why.when", { time: moment(d.ts), policy: d.policy })), el("p", { class: "finding" }, sentences.join(t("menu") === "Pages" ? " " : "")),
    el("p", {}, el("strong", {}, `${t("why.rule")}: `), rule(d.reason)),
    falls(root, chosen, second), others(d), facts(d));
}

function falls(root, chosen, second) {
  const shown = [chosen, second].filter(Boolean);
  if (!shown.length) return null;
  const ends = shown.flatMap((c) => [0, c.value, c.value - c.price, c.score]);
  const scaleTo = [Math.max(...ends, 1e-12) , Math.min(...ends)];
  const names = Object.fromEntries(PARTS.map((part) => [part, t(`decisions.${part}`)]));
  const whole = root.clientWidth || 320;
  const width = Math.min(innerWidth > 900 ? Math.floor((whole - 40) / 2) : whole, 480);
  return el("section", { class: "panel", id: "waterfall" }, el("h2", {}, t("why.chart")), el("p", { class: "subtitle" }, t("why.chart_subtitle")),
    el("div", { class: "pair" }, shown.map((c) => el("div", {}, el("h3", {}, t(c === chosen ? "why.chosen" : "why.runner_up", { room: c.live_id })),
      charts.waterfall(c, { width, scaleTo, label: PARTS.map((part) => `${names[part]} ${number(c[part])}`).join(", "), names, show: (x) => number(x) })))));
}

// What was shown and the best of the others; all the rest folded.
function others(d) {
  if (!d.candidates.length) return null;
  const columns = [{ title: t("rooms.room"), text: true }, ...PARTS.map((part) => ({ title: t(`decisions.${part}`) })), { title: t("decisions.propensity") }, { title: t("why.seats") }, { title: t("why.rank") }, { title: t("why.place") }];
  const free = (c) => (c.seats_left === null ? t("no_limit") : count(Math.max(c.seats_left, 0)));
  const line = (c) => ({ mark: c.place === 0, cells: [String(c.live_id), ...PARTS.map((part) => number(c[part])), number(c.propensity), free(c), count(c.rank), c.place === null ? "" : String(c.place + 1)] });
  const ranked = d.candidates.map((c, k) => ({ ...c, rank: k + 1 }));
  const shown = ranked.filter((c) => c.place !== null).sort((a, b) => a.place - b.place);
  const passed = ranked.filter((c) => c.place === null);
  const rest = passed.slice(BEST);
  return el("section", { class: "panel", id: "candidates" }, el("h2", {}, t("why.candidates")), el("p", { class: "subtitle" }, t("why.candidates_subtitle")),
    table(columns, [...shown, ...passed.slice(0, BEST)].map(line)),
    rest.length ? el("details", { id: "more-candidates" }, el("summary", {}, t("why.more", { n: count(rest.length) })), table(columns, rest.map(line))) : null);
}

function facts(d) {
  const rows = [["id", el("code", {}, d.decision_id)], ["code", el("code", {}, d.reason)], ["version", el("code", {}, d.policy_version)],
    ["price_version", d.price_version], ["valued_by", has(`valued.${d.valued_by}`) ? t(`valued.${d.valued_by}`) : d.valued_by], ["state", count(d.state_seq)]];
  if (d.shadow) rows.push(["shadow", d.shadow.action >= 0 ? t("why.shadow_says", { policy: d.shadow.policy, room: d.shadow.action }) : t("why.shadow_nothing", { policy: d.shadow.policy })]);
  return el("dl", { class: "facts" }, rows.flatMap(([name, value]) => [el("dt", {}, t(`why.${name}`)), el("dd", {}, value)]));
}
