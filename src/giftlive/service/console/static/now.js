// Now: revenue, rooms by load, prices, guardrails; read again every two seconds.

import { el, put, table } from "./dom.js";
import { count, dated, duration, has, moment, number, percent, t, within } from "./texts.js";
import { read } from "./service.js";
import { every } from "./live.js";
import * as charts from "./charts.js";

const ROOMS = 12;
const NOTHING = 0.99;

export default function now({ root, guard }) {
  let seen = null;
  const stop = every(2000, (signal) => guard(root, async () => {
    const about = await read("/v1/console/about", signal); // first by itself: a refused key is refused once
    const [revenue, rooms, prices, policy, history] = await Promise.all(
      ["/v1/console/revenue", "/v1/rooms", "/v1/prices", "/v1/policy", "/v1/history?points=240"].map((path) => read(path, signal)));
    seen = { about, revenue, rooms: rooms.rooms, prices, policy, points: history.points };
    draw(root, seen);
  }));
  return { close: stop, redraw: () => seen && draw(root, seen) };
}

function draw(root, seen) {
  const { about, policy } = seen;
  const since = policy.changed_ts ? moment(policy.changed_ts) : t("now.the_start");
  const title = [el("h1", {}, t("now.title")), el("p", { class: "lead" }, t(policy.kill_switch ? "now.lead_killed" : "now.lead", { policy: policy.policy, since }))];
  if (about.decisions === 0 && about.live_rooms === 0) {
    put(root, title, el("div", { class: "empty" }, el("h2", {}, t("now.empty_title")), el("p", {}, t("now.empty"))), rails(seen, root));
    return;
  }
  put(root, title, head(seen), about.history_since_ts === null ? null : el("p", { class: "muted small", id: "charts-since" }, t(about.history_cut ? "now.charts_cut" : "now.charts_since", { time: moment(about.history_since_ts) })),
    el("div", { class: "pair" }, revenue(seen, root), price(seen, root)),
    el("h3", {}), rooms(seen), rails(seen, root));
}

const wide = (root, parts = 1) => {
  const whole = root.clientWidth || 320;
  return parts === 2 && innerWidth > 900 ? Math.floor((whole - 40) / 2) : whole;
};

function head({ about, revenue, policy, points }) {
  const first = points[0], last = points[points.length - 1];
  const minutes = last && first ? (last.tick_ts - first.tick_ts) / 60000 : 0;
  const rate = minutes > 0 ? (last.decisions - first.decisions) / minutes : null;
  const bad = policy.guardrails.filter((g) => g.breached).length;
  const waiting = policy.guardrails.filter((g) => g.low === null).length;
  const cell = (value, range, label, context) => el("div", {}, el("div", { class: "value" }, value, range ? [" ", el("span", { class: "range" }, range)] : null), el("div", { class: "label" }, label), el("div", { class: "context" }, context));
  const recent = revenue.recent;
  return el("div", { class: "numbers" },
    cell(rate === null ? t("now.not_yet") : number(rate), "", t("now.decisions"), t("now.decisions_context", { n: count(about.decisions) })),
    cell(recent ? number(recent.value) : t("now.not_yet"), recent && recent.low !== null ? `[${number(recent.low)}, ${number(recent.high)}]` : "", t("now.revenue"), t("now.revenue_context")),
    cell(count(about.live_rooms), "", t("now.rooms", { n: count(about.live_rooms) }), t("now.rooms_context", { n: count(about.viewers) })),
    cell(count(bad), "", t("now.guardrails", { n: count(bad) }), t("now.guardrails_context", { n: policy.guardrails.length, waiting })));
}

function revenue({ revenue: found }, root) {
  const recent = found.recent;
  const finding = recent && recent.low !== null
    ? t("revenue.finding", { value: number(recent.value), low: number(recent.low), high: number(recent.high) }) : t("revenue.finding_none");
  const points = found.bins;
  const when = (axis) => dated(points[0].ts, points[points.length - 1].ts, { axis, seconds: !axis || found.width_seconds < 60 });
  const written = points.length ? when(false) : null;
  const cells = points.slice().reverse().map((p) => ({ cells: [written(p.ts), number(p.value), number(p.low), number(p.high)] }));
  return el("section", { class: "panel", id: "revenue" }, el("h2", {}, finding),
    points.length > 1 ? [
      el("p", { class: "subtitle" }, t("revenue.subtitle", { width: duration(found.width_seconds), n: points[0].n })),
      charts.overTime(points, { width: wide(root, 2), label: finding, axis: t("revenue.axis"), show: (x) => number(x), when: when(true), hint: (p) => `${moment(p.ts)} · ${within(p)} · n = ${p.n}` }),
      el("p", { class: "subtitle" }, t("revenue.follows")),
      el("details", { id: "revenue-numbers" }, el("summary", {}, t("numbers")), el("div", { class: "scroll", tabindex: "0" }, table([{ title: t("revenue.time"), text: true }, { title: t("revenue.value") }, { title: t("revenue.low") }, { title: t("revenue.high") }], cells, { name: "" })))] : null);
}

function price({ prices, rooms, points }, root) {
  const priced = prices.prices.length;
  const mean = points.length ? points[points.length - 1].mean_price * 60 : 0;
  const finding = prices.stale ? t("price.stale") : priced ? t("price.finding_some", { n: priced, all: rooms.length, value: number(mean) }) : t("price.finding_none");
  const line = [];
  for (const p of points) if (!line.length || p.tick_ts > line[line.length - 1].ts) line.push({ ts: p.tick_ts, value: p.mean_price * 60, low: null, high: null });
  return el("section", { class: "panel", id: "prices" }, el("h2", {}, finding),
    line.length > 1 ? [
      el("p", { class: "subtitle" }, t("price.subtitle")),
      charts.overTime(line, { width: wide(root, 2), label: finding, axis: t("price.axis"), show: (x) => number(x), when: dated(line[0].ts, line[line.length - 1].ts, { axis: true }), hint: (p) => `${moment(p.ts)} · ${number(p.value)}` })] : null);
}

function rooms({ rooms: found, about }) {
  const fullness = (r) => (r.seats > 0 ? r.load : r.viewers > 0 ? Infinity : 0);
  const limited = found.filter((r) => r.load !== null).sort((a, b) => fullness(b) - fullness(a) || a.live_id - b.live_id);
  const free = found.filter((r) => r.load === null).sort((a, b) => b.viewers - a.viewers || a.live_id - b.live_id);
  const target = about.target_load;
  const over = limited.filter((r) => fullness(r) > target).length;
  const finding = !found.length ? t("rooms.finding_none") : found.every((r) => r.seats === 0) ? t("rooms.finding_shut") : !limited.length ? t("rooms.finding_unlimited", { n: count(free.length) })
    : over ? t("rooms.finding_full", { over: count(over), n: count(limited.length), target: percent(target) }) : t("rooms.finding_free", { target: percent(target) });
  const columns = [{ title: t("rooms.room"), text: true }, { title: t("rooms.load"), bar: true, text: true }, { title: t("rooms.viewers") }, { title: t("rooms.price") }, { title: t("rooms.shown") }, { title: t("rooms.amount") }];
  const line = (r) => ({ cells: [String(r.live_id),
    r.load === null || r.seats === 0 ? el("span", { class: "muted" }, t(r.seats === 0 ? "rooms.no_seats" : "no_limit")) : charts.load(r.load, target, percent(r.load)),
    `${count(r.viewers)} / ${r.seats === null ? "∞" : count(r.seats)}`, number(r.price_per_second * 60), count(r.shown), count(r.amount)] });
  const ranked = [...limited, ...free];
  const rest = ranked.slice(ROOMS);
  return el("section", { class: "panel", id: "rooms" }, el("h2", {}, finding),
    ranked.length ? [el("p", { class: "subtitle" }, t("rooms.subtitle")), table(columns, ranked.slice(0, ROOMS).map(line))] : null,
    rest.length ? el("details", { id: "more-rooms" }, el("summary", {}, t("rooms.more", { n: count(rest.length) })), table(columns, rest.map(line))) : null);
}

// No measure is below 0 or above its largest: an interval that is says no more than its part inside; one of
// nearly the whole range says nothing.
function possible(g, found) {
  const cut = (x) => (x === null ? null : Math.min(Math.max(x, 0), g.largest));
  return { value: cut(found.value), low: cut(found.low), high: cut(found.high) };
}

function rails({ policy, points }, root) {
  const name = (g) => (has(`guardrail.${g}`) ? t(`guardrail.${g}`) : g);
  const bad = policy.guardrails.filter((g) => g.breached).map((g) => name(g.name));
  const columns = innerWidth > 1100 ? 4 : innerWidth > 640 ? 2 : 1;
  const width = Math.floor((wide(root) - 24 * (columns - 1)) / columns);
  const share = (g) => (x) => (g.largest === 1 ? percent(x) : number(x));
  const item = (g) => {
    const good = g.direction === "at_most" ? g.high <= g.threshold : g.low >= g.threshold;
    const word = g.breached ? "breached" : g.low === null ? "waiting" : good ? "ok" : "undecided";
    const line = points.filter((p) => p.guardrails[g.name]).map((p) => { const [value, low, high] = p.guardrails[g.name]; return { ts: p.tick_ts, ...possible(g, { value, low, high }) }; });
    const inside = possible(g, g);
    const nothing = inside.high - inside.low > NOTHING * g.largest;
    const found = g.low === null ? "" : `${nothing ? t("guardrail.too_few") : within(inside, share(g))} · ${t("guardrail.n", { n: count(g.n) })}`;
    return el("li", {}, el("span", { class: `chip ${{ ok: "pass", breached: "fail", waiting: "", undecided: "open" }[word]}` }, t(`guardrail.${word}`)),
      el("span", { class: "name" }, name(g.name)), found ? [found, el("br")] : null,
      el("span", { class: "muted small" }, `${t(`guardrail.${g.direction}`, { threshold: share(g)(g.threshold) })}; ${t(g.acts ? "guardrail.acts" : "guardrail.says")}`),
      line.filter((p) => p.value !== null).length > 1 ? charts.spark(line, { width, label: `${name(g.name)}: ${found}`, threshold: g.threshold }) : null);
  };
  const trips = policy.trips.slice(-10).reverse().map((trip) => {
    const g = policy.guardrails.find((one) => one.name === trip.name) ?? { largest: Infinity };
    const { value, low, high } = possible(g, trip);
    return el("li", {}, t("guardrail.trip", { time: moment(trip.ts), name: name(trip.name), value: share(g)(value), low: share(g)(low), high: share(g)(high), threshold: share(g)(trip.threshold) }));
  });
  return el("section", { class: "panel", id: "guardrails" },
    el("h2", {}, bad.length ? t("guardrail.finding_bad", { names: bad.join(", ") }) : t("guardrail.finding_ok")),
    el("p", { class: "subtitle" }, t("guardrail.subtitle")),
    el("ul", { class: "rails" }, policy.guardrails.map(item)),
    trips.length ? [el("h3", {}, t("guardrail.trips")), el("ul", {}, trips)] : null);
}
