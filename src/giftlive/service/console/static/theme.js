// Light or dark: as chosen in Settings, else as the machine has it.

export function applyTheme() {
  const wanted = localStorage.getItem("giftlive-theme");
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = wanted ?? (dark ? "dark" : "light");
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme);
applyTheme();
