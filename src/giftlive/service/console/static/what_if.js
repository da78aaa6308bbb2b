// What if: four sliders, a small world played again by the service, and the frontier redrawn.

import { el, put, table } from "./dom.js";
import { duration, number, percent, t, within } from "./texts.js";
import { Refused, read, send } from "./service.js";
import * as charts from "./charts.js";

const STEPS = {
  fairness: [0, 0.1, 0.3, 1, 3, 10, 30],
  cold_start: [0, 0.02, 0.05, 0.1, 0.15, 0.2],
  whale_cap: [0, 5, 4, 3, 2, 1],
  exploration: [0, 0.01, 0.02, 0.05, 0.1, 0.2],
};
const NONE = { fairness: 0, cold_start: 0, whale_cap: 0, exploration: 0 };
const SHARES = new Set(["newcomer_exposure", "not_served"]);
const WAIT = 500, ASK_AGAIN = 400, CHANGES = 3;
const kept = { asked: { ...NONE }, job: null, before: null };

export default function whatIf({ root, guard }) {
  let closed = false, timer = null, turn = 0;
  const state = el("p", { class: "muted", id: "what-if-state", role: "status", "aria-live": "polite" });
  const bar = el("progress", { id: "what-if-progress", max: 1, hidden: true, "aria-label": t("what_if.title") });
  const result = el("div", { id: "what-if-result" });
  const board = el("div", {});

  function plan() {
    clearTimeout(timer);
    timer = setTimeout(play, WAIT);
  }

  async function play() {
    clearTimeout(timer);
    const mine = ++turn;
    say(t("what_if.starting"), null);
    const done = await guard(root, async () => {
      let job = await post(mine);
      while (job && job.status === "running" && mine === turn && !closed) {
        say(reached(job), job.done ? job.done / job.total : null);
        await pause(ASK_AGAIN);
        job = await read(`/v1/console/what-if/${job.job_id}`);
      }
      if (!job || mine !== turn || closed) return;
      if (job.status === "done") take(job);
      else say(t(job.status === "cancelled" ? "what_if.cancelled" : "what_if.failed", { error: job.error }), false);
    });
    if (done === null && mine === turn) say("", false);
  }

  async function post(mine) {
    while (mine === turn && !closed) {
      try { return await send("/v1/console/what-if", { ...kept.asked, seed: 0 }); } catch (error) {
        if (!(error instanceof Refused) || error.status !== 429) throw error;
        say(t("what_if.busy"), null);
        await pause(1000 * error.wait);
      }
    }
    return null;
  }

  function take(job) {
    if (kept.job && kept.job.job_id !== job.job_id) kept.before = kept.job;
    kept.job = job;
    redraw();
  }

  function say(words, share) {
    state.textContent = words;
    bar.hidden = share === false;
    if (share === null) bar.removeAttribute("value"); else if (share !== false) bar.value = share;
  }

  function redraw() {
    if (!kept.job) { say(t("what_if.waiting"), false); return; }
    say(t("what_if.done", { n: kept.job.result.seeds, seed: kept.job.result.seed }), false);
    put(result, drawn(kept.job, kept.before, result.clientWidth || root.clientWidth));
  }

  put(board, Object.keys(STEPS).map((name) => slider(name, plan)));
  put(root, el("h1", {}, t("what_if.title")), el("p", { class: "lead" }, t("what_if.lead")),
    el("div", { class: "bench" },
      el("div", {}, board,
        el("div", { class: "line" }, el("button", { type: "button", class: "main", id: "play", onclick: play }, t("what_if.play")), " ",
          el("button", { type: "button", id: "reset", onclick: () => { kept.asked = { ...NONE }; put(board, Object.keys(STEPS).map((name) => slider(name, plan))); plan(); } }, t("what_if.reset"))),
        state, bar),
      result));
  redraw();
  guard(root, () => read("/v1/policy"));
  return { close: () => { closed = true; clearTimeout(timer); }, redraw };
}

// How far a job is, and how long it will still take where that was measured.
function reached(job) {
  const known = job.seconds_left !== null && job.seconds_left !== undefined;
  const left = known ? duration(job.seconds_left < 60 ? Math.ceil(job.seconds_left) : 6 * Math.round(job.seconds_left / 6)) : "";
  if (job.done) return t(known ? "what_if.playing_left" : "what_if.playing", { done: job.done, total: job.total, left });
  return t(known ? "what_if.starting_left" : "what_if.starting", { left });
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export function said(name, value) {
  if (name === "fairness") return value === 0 ? t("what_if.fairness_0") : number(value);
  if (name === "whale_cap") return value === 0 ? t("what_if.whale_cap_none") : t("what_if.whale_cap_some", { n: value });
  return value === 0 ? t("none") : percent(value);
}

function slider(name, plan) {
  const steps = STEPS[name];
  const at = Math.max(steps.indexOf(kept.asked[name]), 0);
  const out = el("output", { id: `${name}-said`, for: name }, said(name, steps[at]));
  const input = el("input", { type: "range", id: name, min: 0, max: steps.length - 1, step: 1, value: at, "aria-describedby": `${name}-help`, "aria-valuetext": said(name, steps[at]) });
  input.addEventListener("input", () => {
    kept.asked[name] = steps[Number(input.value)];
    out.textContent = said(name, kept.asked[name]);
    input.setAttribute("aria-valuetext", out.textContent);
    plan();
  });
  return el("div", { class: "slider" }, el("div", { class: "head" }, el("label", { for: name }, t(`what_if.${name}`)), out), input, el("p", { id: `${name}-help` }, t(`what_if.${name}_help`)));
}

// The worlds are the same for all, so what tells settings apart is the interval of the difference.
function around(point, name) {
  const mean = point.measures[name], by = point.against_current?.[name];
  return by && by.low !== null ? { value: mean.value, low: mean.value + by.low - by.value, high: mean.value + by.high - by.value } : mean;
}
const place = (point) => ({ x: around(point, "exposure_gini"), y: around(point, "revenue"), point });
const middle = (p) => ({ ...p, x: { value: p.x.value, low: null, high: null }, y: { value: p.y.value, low: null, high: null } });
const same = (a, b) => Object.keys(NONE).every((name) => a[name] === b[name]);

function drawn(job, before, width) {
  const found = job.result;
  const curve = found.frontier.map((p) => ({ ...place(p), chosen: same(p.knobs, found.chosen.knobs) }));
  const data = { curve, before: before ? before.result.frontier.map(place).map(middle) : [], current: found.current ? middle(place(found.current)) : null };
  const finding = concluded(found);
  const show = (name) => (x) => (SHARES.has(name) ? percent(x) : number(x));
  const names = Object.keys(found.chosen.measures);
  const line = (title, point, mark) => ({ mark, cells: [title, ...names.map((name) => within(point.measures[name], show(name)))] });
  const rows = found.frontier.map((p) => line(t("what_if.at_fairness", { level: number(p.knobs.fairness) }), p, same(p.knobs, found.chosen.knobs)));
  if (found.current) rows.unshift(line(t("what_if.current"), found.current, false));
  const hint = (p) => `${p.point.knobs ? t("what_if.at_fairness", { level: number(p.point.knobs.fairness) }) : t("what_if.current")} · ${t("measure.revenue")} ${within(p.point.measures.revenue)} · ${t("measure.exposure_gini")} ${within(p.point.measures.exposure_gini)} · n = ${found.seeds}`;
  const asked = job.asked;
  const spoken = `giftlive allocate --frontier --fairness ${asked.fairness} --cold-start ${asked.cold_start} --whale-cap ${asked.whale_cap} --exploration ${asked.exploration} --seed ${asked.seed}`
    + (found.current ? ` --policy '${JSON.stringify(found.current.spec)}'` : "");
  return [
    el("h2", { id: "frontier-finding" }, finding), el("p", { class: "subtitle" }, t("what_if.subtitle", { n: found.seeds })),
    charts.frontier(data, { width, label: finding, axes: { x: t("what_if.x"), y: t("what_if.y") }, names: { chosen: t("what_if.chosen"), current: t("what_if.current"), before: t("what_if.before") }, show: { x: (x) => number(x, 2), y: (y) => number(y) }, hint }),
    found.current ? [el("h3", {}, t("what_if.changes")), changes(found)] : null,
    el("details", { id: "frontier-numbers" }, el("summary", {}, t("numbers")),
      el("div", { class: "scroll", tabindex: "0" }, table([{ title: t("what_if.setting"), text: true }, ...names.map((name) => ({ title: t(`measure.${name}`) }))], rows)),
      el("p", { class: "small muted" }, t("what_if.equal")), el("pre", {}, spoken)),
  ];
}

const points = (x) => t("what_if.points", { n: number(100 * x) });
const sure = (d) => d && d.low !== null && (d.low > 0 || d.high < 0);

function concluded(found) {
  const by = found.chosen.against_current;
  if (!by) return t("what_if.title");
  const even = !sure(by.exposure_gini) ? "as_even" : by.exposure_gini.value < 0 ? "more_even" : "less_even";
  if (!sure(by.revenue)) return t("what_if.frontier_same");
  const share = percent(Math.abs(by.revenue.value) / found.current.measures.revenue.value, 2);
  return t(by.revenue.value > 0 ? "what_if.frontier_more" : "what_if.frontier_less", { share, evenness: t(`what_if.${even}`) });
}

// The three measures that move most against what they are, among those that move beyond chance.
function changes(found) {
  const now = found.current.measures, then = found.chosen.measures, by = found.chosen.against_current;
  const moved = Object.keys(by).filter((name) => sure(by[name]))
    .map((name) => ({ name, size: Math.abs(by[name].value) / Math.max(Math.abs(now[name].value), Math.abs(then[name].value), 1e-12) }))
    .sort((a, b) => b.size - a.size).slice(0, CHANGES);
  if (!moved.length) return el("p", {}, t("what_if.no_change"));
  return el("ul", { class: "changes" }, moved.map(({ name }) => {
    const show = SHARES.has(name) ? percent : number;
    const step = SHARES.has(name) ? points : number;
    const d = by[name], up = d.value > 0;
    const [low, high] = up ? [d.low, d.high] : [-d.high, -d.low];
    return el("li", {}, t(up ? "what_if.up" : "what_if.down", { name: t(`measure.${name}`), from: show(now[name].value), to: show(then[name].value), by: step(Math.abs(d.value)), low: number(SHARES.has(name) ? 100 * low : low), high: number(SHARES.has(name) ? 100 * high : high) }));
  }));
}
