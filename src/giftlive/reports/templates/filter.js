(function () {
  "use strict";
  // Without this script every row is shown: the buttons stay hidden.
  for (const bar of document.querySelectorAll("[data-filter]")) {
    const rows = document.querySelectorAll("#" + bar.dataset.filter + " [data-verdict]");
    const buttons = bar.querySelectorAll("button");
    bar.hidden = false;
    bar.addEventListener("click", function (event) {
      const chosen = event.target.closest("button");
      if (!chosen) return;
      for (const button of buttons) button.setAttribute("aria-pressed", String(button === chosen));
      const only = chosen.dataset.only;
      for (const row of rows) row.hidden = only !== "" && row.dataset.verdict !== only;
    });
  }
})();
