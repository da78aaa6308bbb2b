// Charts as SVG, drawn to the width there is; every one stands beside a table of its numbers.

import { svg } from "./dom.js";

const PAD = { top: 26, right: 14, bottom: 30, left: 58 };

export function nice(low, high, most = 5) {
  if (!(high > low)) { const half = Math.abs(low) * 0.1 || 1; low -= half; high += half; }
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
  const first = Math.floor(low / step + 1e-9) * step;
  const ticks = [];
  for (let tick = first; tick < high + step * 0.999; tick += step) ticks.push(Math.abs(tick) < step * 1e-9 ? 0 : tick);
  return ticks;
}

const scale = (from, to, a, b) => (x) => a + ((x - from) / (to - from || 1)) * (b - a);

export const finite = (xs) => xs.filter((x) => x !== null && x !== undefined && Number.isFinite(x));

function frame(width, height, label) {
  return svg("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, height, preserveAspectRatio: "xMinYMid", role: "img", "aria-label": label });
}

function rows(chart, ticks, y, x0, x1, show) {
  for (const tick of ticks) {
    chart.append(svg("line", { class: "grid", x1: x0, x2: x1, y1: y(tick), y2: y(tick) }));
    chart.append(svg("text", { x: x0 - 7, y: y(tick) + 4, "text-anchor": "end" }, show(tick)));
  }
}

// A line over time, with the band of its intervals.
export function overTime(points, { width, height = 200, label, axis, show, when, hint }) {
  const chart = frame(width, height, label);
  const values = finite(points.flatMap((p) => [p.value, p.low, p.high]));
  const top = Math.max(...values, 0);
  const ticks = nice(Math.min(0, ...values), top > 0 ? top : 1, 4);
  const [x0, x1] = [PAD.left, width - PAD.right];
  const y = scale(ticks[0], ticks[ticks.length - 1], height - PAD.bottom, PAD.top);
  const x = scale(points[0].ts, points[points.length - 1].ts, x0, x1);
  rows(chart, ticks, y, x0, x1, show);
  chart.append(svg("text", { x: 0, y: 11 }, axis));
  const banded = points.filter((p) => p.low !== null && p.low !== undefined);
  if (banded.length > 1) {
    const up = banded.map((p) => `${x(p.ts)},${y(p.high)}`);
    const down = banded.map((p) => `${x(p.ts)},${y(p.low)}`).reverse();
    chart.append(svg("polygon", { class: "band", points: [...up, ...down].join(" ") }));
  }
  chart.append(svg("polyline", { class: "line", points: points.map((p) => `${x(p.ts)},${y(p.value)}`).join(" ") }));
  const last = points[points.length - 1];
  chart.append(svg("circle", { class: "dot", r: 4, cx: x(last.ts), cy: y(last.value) }));
  const many = Math.max(1, Math.min(points.length - 1, Math.floor((x1 - x0) / 110)));
  for (let k = 0; k <= many; k += 1) {
    const ts = points[0].ts + (k * (last.ts - points[0].ts)) / many;
    const anchor = k === 0 ? "start" : k === many ? "end" : "middle";
    chart.append(svg("text", { x: x(ts), y: height - 9, "text-anchor": anchor }, when(ts)));
  }
  for (const p of points) {
    const wide = (x1 - x0) / points.length;
    const left = Math.max(x(p.ts) - wide / 2, 0);
    chart.append(svg("rect", { x: left, width: Math.min(wide, width - left), y: PAD.top, height: height - PAD.top - PAD.bottom, fill: "transparent" }, svg("title", {}, hint(p))));
  }
  return chart;
}

// A small line with its band and, where it is near, the threshold.
export function spark(points, { width, height = 44, label, threshold }) {
  const chart = frame(width, height, label);
  const known = points.filter((p) => p.value !== null);
  if (known.length < 2) return chart;
  const values = finite(known.flatMap((p) => [p.low, p.high, p.value]));
  const [low, high] = [Math.min(...values, threshold), Math.max(...values, threshold)];
  const y = scale(low, high, height - 5, 5);
  const x = scale(known[0].ts, known[known.length - 1].ts, 1, width - 5);
  const edge = (name) => known.map((p) => `${x(p.ts)},${y(p[name])}`);
  chart.append(svg("polygon", { class: "band", points: [...edge("high"), ...edge("low").reverse()].join(" ") }));
  chart.append(svg("line", { class: "reference", x1: 0, x2: width, y1: y(threshold), y2: y(threshold) }));
  chart.append(svg("polyline", { class: "line", points: edge("value").join(" ") }));
  return chart;
}

// How full a room is: viewers over seats, with the target and the last seat marked.
export function load(share, target, label) {
  const most = Math.max(1.15, share * 1.02);
  const at = scale(0, most, 0, 200);
  const chart = svg("svg", { class: "chart", viewBox: "0 0 200 16", height: 16, preserveAspectRatio: "none", role: "img", "aria-label": label });
  chart.append(svg("rect", { class: "track", x: 0, y: 4, width: at(1), height: 8 }));
  chart.append(svg("rect", { class: share > target ? "full" : "room", x: 0, y: 4, width: Math.max(at(share), 0), height: 8 }));
  chart.append(svg("line", { class: "target", x1: at(target), x2: at(target), y1: 1, y2: 15 }));
  chart.append(svg("line", { class: "seat", x1: at(1), x2: at(1), y1: 1, y2: 15 }));
  return chart;
}

// value → − price → + bonus → score, on a scale that several of them share.
export function waterfall(parts, { width, scaleTo, label, names, show }) {
  const [high, low] = scaleTo;
  const height = 172, foot = 24, top = 22;
  const chart = frame(width, height, label);
  const y = scale(low, high, height - foot, top);
  const slot = width / 4, bar = Math.min(slot * 0.56, 64);
  const { value, price, bonus, score } = parts;
  const bars = [["value", 0, value, value], ["price", value - price, value, price ? -price : 0], ["bonus", value - price, value - price + bonus, bonus], ["score", 0, score, score]];
  chart.append(svg("line", { class: "axis", x1: 0, x2: width, y1: y(0), y2: y(0) }));
  let before = null;
  bars.forEach(([name, from, to, said], k) => {
    const x = k * slot + (slot - bar) / 2;
    const [a, b] = [y(Math.max(from, to)), y(Math.min(from, to))];
    if (before !== null) chart.append(svg("line", { class: "reference", x1: x - slot + bar, x2: x, y1: before, y2: before }));
    chart.append(svg("rect", { class: name, x, y: a, width: bar, height: Math.max(b - a, 1.5) }, svg("title", {}, `${names[name]} ${show(said)}`)));
    chart.append(svg("text", { class: "strong", x: x + bar / 2, y: Math.max(a - 6, 12), "text-anchor": "middle" }, show(said)));
    chart.append(svg("text", { x: x + bar / 2, y: height - 6, "text-anchor": "middle" }, names[name]));
    before = y(name === "value" ? value : name === "price" ? value - price : value - price + bonus);
  });
  return chart;
}

// Revenue against evenness: the frontier, where it was before, these settings and the current policy.
export function frontier(data, { width, label, axes, names, show, hint }) {
  const height = Math.min(440, Math.max(300, width * 0.62));
  const chart = frame(width, height, label);
  const everyone = [...data.curve, ...data.before, ...(data.current ? [data.current] : [])];
  const xs = finite(everyone.flatMap((p) => [p.x.value, p.x.low, p.x.high]));
  const ys = finite(everyone.flatMap((p) => [p.y.value, p.y.low, p.y.high]));
  const xt = nice(Math.min(...xs), Math.max(...xs), width < 460 ? 4 : 6), yt = nice(Math.min(...ys), Math.max(...ys), 5);
  const [x0, x1, y0, y1] = [62, width - 16, height - 48, 30];
  const x = scale(xt[0], xt[xt.length - 1], x0, x1), y = scale(yt[0], yt[yt.length - 1], y0, y1);
  rows(chart, yt, y, x0, x1, show.y);
  for (const tick of xt) chart.append(svg("text", { x: x(tick), y: y0 + 18, "text-anchor": "middle" }, show.x(tick)));
  chart.append(svg("text", { x: x0 - 54, y: 14 }, axes.y));
  chart.append(svg("text", { x: (x0 + x1) / 2, y: height - 8, "text-anchor": "middle" }, axes.x));
  const path = (points) => points.map((p) => `${x(p.x.value)},${y(p.y.value)}`).join(" ");
  if (data.before.length > 1) chart.append(svg("polyline", { class: "before", points: path(data.before) }));
  for (const p of [...data.curve, ...(data.current ? [data.current] : [])]) {
    if (p.y.low !== null) chart.append(svg("line", { class: "whisker", x1: x(p.x.value), x2: x(p.x.value), y1: y(p.y.low), y2: y(p.y.high) }));
    if (p.x.low !== null) chart.append(svg("line", { class: "whisker", x1: x(p.x.low), x2: x(p.x.high), y1: y(p.y.value), y2: y(p.y.value) }));
  }
  chart.append(svg("polyline", { class: "line", points: path(data.curve) }));
  for (const p of data.curve) if (!p.chosen) chart.append(svg("circle", { class: "dot", r: 4.5, cx: x(p.x.value), cy: y(p.y.value) }, svg("title", {}, hint(p))));
  const marks = [];
  const chosen = data.curve.find((p) => p.chosen);
  if (data.current) {
    const [cx, cy] = [x(data.current.x.value), y(data.current.y.value)];
    chart.append(svg("path", { class: "current", d: `M${cx} ${cy - 9}l9 9l-9 9l-9 -9z` }, svg("title", {}, hint(data.current))));
    marks.push({ cx, cy, text: names.current });
  }
  if (chosen) {
    const [cx, cy] = [x(chosen.x.value), y(chosen.y.value)];
    chart.append(svg("circle", { class: "chosen", r: 8.5, cx, cy }, svg("title", {}, hint(chosen))));
    marks.push({ cx, cy, text: names.chosen });
  }
  if (data.before.length > 1) {
    const end = data.before[0];
    marks.push({ cx: x(end.x.value), cy: y(end.y.value), text: names.before, faint: true });
  }
  const paths = [data.curve, data.before].map((points) => points.map((p) => [x(p.x.value), y(p.y.value)]));
  labelled(chart, marks, paths.flatMap(along), x0, x1, y0, y1);
  return chart;
}

// Points a few pixels apart on a line, which a label should not stand on.
function along(points) {
  return points.slice(1).flatMap(([bx, by], k) => {
    const [ax, ay] = points[k];
    const steps = Math.max(Math.ceil(Math.hypot(bx - ax, by - ay) / 6), 1);
    return Array.from({ length: steps + 1 }, (_, j) => [ax + ((bx - ax) * j) / steps, ay + ((by - ay) * j) / steps]);
  });
}

// Direct labels beside their marks, on the side with room, each clear of the others.
function labelled(chart, marks, lines, x0, x1, y0, y1) {
  const placed = [];
  const hit = (b, [px, py]) => px > b.x - 3 && px < b.x + b.w + 3 && py > b.y - 13 && py < b.y + 5;
  for (const mark of marks) {
    const wide = [...mark.text].reduce((sum, c) => sum + (c.charCodeAt(0) > 255 ? 12.5 : 7.2), 0);
    const sides = [[14, 22], [14, -14], [-14 - wide, 22], [-14 - wide, -14], [-wide / 2, -18], [-wide / 2, 28], [14, 40], [-14 - wide, 40], [14, -32], [-14 - wide, -32]];
    const boxes = sides.map(([dx, dy]) => ({ x: mark.cx + dx, y: mark.cy + dy, w: wide }))
      .filter((b) => b.x >= x0 && b.x + b.w <= x1 && b.y > y1 - 4 && b.y < y0 - 2)
      .filter((b) => placed.every((o) => Math.abs(o.y - b.y) > 14 || b.x > o.x + o.w || o.x > b.x + b.w))
      .filter((b) => marks.every((m) => m === mark || !hit({ x: b.x - 7, y: b.y, w: b.w + 14 }, [m.cx, m.cy])));
    const cost = (b) => lines.filter((point) => hit(b, point)).length;
    const box = boxes.sort((a, b) => cost(a) - cost(b))[0] ?? { x: Math.min(mark.cx + 14, x1 - wide), y: mark.cy + 22, w: wide };
    placed.push(box);
    chart.append(svg("text", { class: mark.faint ? null : "strong", x: box.x, y: box.y }, mark.text));
  }
}

// A dot with its interval against a passing region.
export function whisker(gate, label) {
  const width = 240, height = 30;
  const chart = frame(width, height, label);
  const known = finite([gate.estimate, gate.low, gate.high, gate.from, gate.to]);
  if (gate.estimate === null || known.length < 2) return chart;
  const spread = Math.max(...known) - Math.min(...known) || Math.abs(known[0]) || 1;
  const x = scale(Math.min(...known) - spread * 0.25, Math.max(...known) + spread * 0.25, 4, width - 4);
  if (gate.from !== null) {
    const end = gate.to === null ? width : x(gate.to);
    chart.append(svg("rect", { class: "region", x: x(gate.from), y: 3, width: Math.max(end - x(gate.from), 0), height: 24 }));
    chart.append(svg("line", { class: "reference", x1: x(gate.from), x2: x(gate.from), y1: 2, y2: 28 }));
    if (gate.to !== null) chart.append(svg("line", { class: "reference", x1: x(gate.to), x2: x(gate.to), y1: 2, y2: 28 }));
  }
  chart.append(svg("line", { class: "axis", x1: 0, x2: width, y1: 15, y2: 15 }));
  if (gate.low !== null && gate.high !== null) chart.append(svg("line", { class: "line", x1: x(gate.low), x2: x(gate.high), y1: 15, y2: 15 }));
  chart.append(svg("circle", { class: "dot", r: 5, cx: x(gate.estimate), cy: 15 }));
  return chart;
}
