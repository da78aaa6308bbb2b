// Elements without inline code or inline style: the page's policy allows neither.

const SVG = "http://www.w3.org/2000/svg";

export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(9).filter((child) => child !== null && child !== undefined));
  return node;
}

// Put new children in, without a flicker and without taking the keyboard's place away.
export function put(node, ...children) {
  const focused = document.activeElement?.id;
  const open = [...node.querySelectorAll("details[id]")].filter((d) => d.open).map((d) => d.id);
  node.replaceChildren(...children.flat(9).filter(Boolean));
  for (const id of open) { const found = document.getElementById(id); if (found) found.open = true; }
  if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

export function table(columns, rows, { name = "stack", caption = null } = {}) {
  const head = columns.map((c) => el("th", { scope: "col", class: c.text ? null : "num" }, c.title));
  const body = rows.map((row) =>
    el("tr", { class: row.mark ? "shown" : null },
      row.cells.map((cell, k) => k === 0
        ? el("th", { scope: "row" }, cell)
        : el("td", { class: columns[k].bar ? "bar" : columns[k].text ? null : "num", "data-label": columns[k].title }, cell))));
  return el("table", { class: name }, caption ? el("caption", {}, caption) : null,
    el("thead", {}, el("tr", {}, head)), el("tbody", {}, body));
}
