(function () {
  "use strict";
  // Without this script the slides stand below one another.
  const slides = Array.from(document.querySelectorAll(".slide"));
  const steps = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1, Backspace: -1 };
  let at = 0;

  function show(k) {
    at = Math.min(Math.max(k, 0), slides.length - 1);
    slides.forEach((slide, n) => slide.classList.toggle("now", n === at));
    if (location.hash !== "#" + (at + 1)) history.replaceState(null, "", "#" + (at + 1));
  }

  function fromHash() {
    show((parseInt(location.hash.slice(1), 10) || 1) - 1);
  }

  // A hidden slide counts nothing: its number is written down.
  slides.forEach((slide, n) => (slide.dataset.n = String(n + 1)));
  document.documentElement.classList.add("talk");
  document.addEventListener("keydown", function (event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key in steps) show(at + (event.key === " " && event.shiftKey ? -1 : steps[event.key]));
    else if (event.key === "Home") show(0);
    else if (event.key === "End") show(slides.length - 1);
    else return;
    event.preventDefault();
  });
  let start = 0;
  document.addEventListener("touchstart", (event) => (start = event.changedTouches[0].clientX), { passive: true });
  document.addEventListener("touchend", function (event) {
    const moved = event.changedTouches[0].clientX - start;
    if (Math.abs(moved) > 60) show(at + (moved < 0 ? 1 : -1));
  }, { passive: true });
  window.addEventListener("hashchange", fromHash);
  fromHash();
})();
