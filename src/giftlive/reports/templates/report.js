(function () {
  "use strict";
  const specs = JSON.parse(document.getElementById("figure-specs").textContent);
  const themes = JSON.parse(document.getElementById("figure-themes").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const drawn = new Set();
  let paper = false;
  const SHEET = 780; // CSS pixels that a page of A4 has for a figure, beside its title and captions

  function theme() {
    return !paper && dark.matches ? themes.dark : themes.light;
  }

  function layoutFor(host, spec) {
    const colours = theme();
    const width = paper ? 660 : host.clientWidth;
    const narrow = width < 420;
    const layout = JSON.parse(JSON.stringify(spec.layout));
    layout.width = width;
    layout.font.color = colours.ink;
    layout.font.family = getComputedStyle(document.body).fontFamily;
    layout.hoverlabel = { bgcolor: colours.paper, bordercolor: colours.grid, font: { color: colours.ink } };
    for (const axis of [layout.xaxis, layout.yaxis]) {
      axis.gridcolor = axis.linecolor = colours.grid;
      axis.tickfont.color = colours.muted;
      if (axis.title) axis.title.font.color = colours.muted;
    }
    for (const note of layout.annotations) {
      const slot = note.name.replace("label-", "");
      note.font.color = slot in colours.labels ? colours.labels[slot] : colours.muted;
    }
    for (const span of layout.shapes) span.line.color = colours.labels.reference;
    const title = layout.xaxis.title;
    const lines = wrap(title.text, (width - (narrow ? 150 : 120)) / 6.6);
    title.text = lines.join("<br>");
    layout.margin.b += 15 * (lines.length - 1);
    layout.height += 15 * (lines.length - 1);
    if (narrow && layout.margin.r > 60) inside(layout);
    if (paper) layout.height = Math.min(layout.height, SHEET);
    return layout;
  }

  function wrap(text, most) {
    const lines = [""];
    for (const word of text.split(" ")) {
      const last = lines[lines.length - 1];
      if (last && last.length + word.length + 1 > most) lines.push(word);
      else lines[lines.length - 1] = last ? last + " " + word : word;
    }
    return lines;
  }

  // On a narrow screen there is no room beside the plot: series are named in the legend and
  // references inside the plot, on their line.
  function inside(layout) {
    layout.margin.r = 12;
    layout.annotations = layout.annotations.filter(
      (note) => !/^label-\d/.test(note.name)
    );
    for (const note of layout.annotations) {
      if (note.name === "label-reference") {
        note.xanchor = "right";
        note.yanchor = "bottom";
        note.xshift = 0;
        note.text = note.text.replace(/<br>/g, " ");
      }
    }
    layout.showlegend = true;
    layout.margin.t = 84;
    layout.legend.y = 1.12;
    layout.height += 40;
  }

  function dataFor(spec) {
    if (paper || !dark.matches) return spec.data;
    const data = JSON.parse(JSON.stringify(spec.data));
    for (const trace of data) {
      if (trace.line && trace.line.dash === "dash" && trace.showlegend === false) {
        trace.line.color = themes.dark.labels.reference;
      }
    }
    return data;
  }

  function draw(host) {
    const spec = specs[host.dataset.figure];
    if (!paper && host.clientWidth === 0) return;
    const still = host.querySelector(".static");
    if (still) still.remove();
    host.style.height = host.style.overflow = "";
    Plotly.react(host, dataFor(spec), layoutFor(host, spec), { displayModeBar: false, responsive: false });
    drawn.add(host);
  }

  const hosts = Array.from(document.querySelectorAll("[data-figure]"));
  const near = new IntersectionObserver(function (entries) {
    for (const entry of entries) {
      if (entry.isIntersecting) {
        near.unobserve(entry.target);
        draw(entry.target);
      }
    }
  }, { rootMargin: "800px" });
  // A figure takes its place before it is drawn: a link into the page must not land beside its target.
  for (const host of hosts) {
    if (host.clientWidth === 0) continue;
    host.style.height = layoutFor(host, specs[host.dataset.figure]).height + "px";
    host.style.overflow = "hidden";
  }
  hosts.forEach((host) => near.observe(host));

  let waiting = 0;
  window.addEventListener("resize", function () {
    clearTimeout(waiting);
    waiting = setTimeout(() => drawn.forEach(draw), 120);
  });
  dark.addEventListener("change", () => drawn.forEach(draw));

  function print(on) {
    paper = on;
    document.querySelectorAll("details").forEach(function (box) {
      if (on && !box.open) box.dataset.closed = "";
      if (on) box.open = true;
      else if ("closed" in box.dataset) {
        box.open = false;
        delete box.dataset.closed;
      }
    });
    hosts.forEach(draw);
  }
  window.addEventListener("beforeprint", () => print(true));
  window.addEventListener("afterprint", () => print(false));
})();
