// Studies: the run that the service was started with, its gates and its answers.

import { el, put } from "./dom.js";
import { language, size, t } from "./texts.js";
import { file, read } from "./service.js";
import * as charts from "./charts.js";

const CHIPS = { PASS: "pass", FAIL: "fail", INCONCLUSIVE: "open" };

export default function studies({ root, guard }) {
  const abort = new AbortController();
  guard(root, async () => {
    const { board } = await read(`/v1/console/studies?lang=${language()}`, abort.signal);
    if (board) draw(root, board, guard);
    else put(root, el("h1", {}, t("studies.title")), el("div", { class: "empty" }, el("h2", {}, t("studies.none_title")), el("p", {}, t("studies.none")), el("pre", {}, "giftlive run --demo --out RUN\ngiftlive serve --run RUN")));
  });
  return { close: () => abort.abort() };
}

// `code` of the report's sentences as code; nothing else is markup.
const prose = (text) => text.split("`").map((part, k) => (k % 2 ? el("code", {}, part) : part));
const chip = (verdict) => el("span", { class: `chip ${CHIPS[verdict] ?? ""}` }, t(`verdict.${verdict.replace(" ", "_")}`));

function draw(root, board, guard) {
  const gates = board.studies.flatMap((s) => s.gates);
  put(root, el("h1", {}, t("studies.title")), el("p", { class: "finding" }, prose(board.sentence)),
    el("p", { class: "muted small" }, t("studies.run", { run: board.run, code: board.code_version ?? "–" })),
    board.report_bytes ? el("p", {}, el("button", { type: "button", id: "download", onclick: () => guard(root, download) }, t("studies.download", { size: size(board.report_bytes) }))) : null,
    board.numbers.length ? [el("h3", {}, t("studies.numbers")), el("div", { class: "numbers" }, board.numbers.map((n) => el("div", {},
      el("div", { class: "value" }, n.value, n.interval ? [" ", el("span", { class: "range" }, n.interval)] : null), el("div", { class: "label" }, prose(n.label)), el("div", { class: "context" }, prose(n.context)))))] : null,
    gates.length ? [el("h3", {}, t("studies.gates")), gates.map(gate)] : null,
    el("h3", {}, t("studies.answers")), board.studies.map(study),
    board.cannot_tell.length ? [el("h3", {}, t("studies.cannot")), el("ul", { class: "cannot" }, board.cannot_tell.map((line) => el("li", {}, prose(line))))] : null);
}

function gate(g) {
  const said = `${g.value}${g.interval ? ` ${g.interval}` : ""}`;
  return el("div", { class: "gate" }, charts.whisker(g, `${g.id}: ${said}, ${t("studies.threshold", { threshold: g.threshold })}`),
    el("div", {}, chip(g.verdict), " ", el("strong", {}, g.id), ` ${said} `, el("span", { class: "muted" }, t("studies.threshold", { threshold: g.threshold })),
      el("details", {}, el("summary", {}, t("studies.rule")), el("dl", { class: "facts" },
        [["rule", g.rule], ["because", g.reason], ["then", g.consequence]].flatMap(([name, text]) => [el("dt", {}, t(`studies.${name}`)), el("dd", { lang: "en" }, prose(text))])))));
}

function study(s) {
  return el("article", { class: "study" }, el("h2", {}, el("span", { class: "id" }, s.id), el("span", {}, prose(s.question)), s.verdicts.length ? s.verdicts.map(chip) : el("span", { class: "muted small" }, t("studies.no_gate"))),
    s.answer ? el("p", { class: "finding" }, prose(s.answer)) : null);
}

async function download() {
  const address = URL.createObjectURL(await file("/v1/console/report"));
  const link = el("a", { href: address, download: "report.html" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
