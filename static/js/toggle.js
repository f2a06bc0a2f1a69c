// The theme button: system → light → dark → system, remembered in this browser.
import { announce } from "./announce.js";

const NEXT = { system: "light", light: "dark", dark: "system" };

function current() {
  return document.documentElement.dataset.theme ?? "system";
}

function choose(theme) {
  const root = document.documentElement;
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch {
    // storage may be forbidden; the choice then lasts as long as the page
  }
}

export function watchTheme() {
  const button = document.querySelector("[data-theme-toggle]");
  if (!button) return;
  const label = () => button.setAttribute("aria-label", `Theme: ${current()}`);
  label();
  button.addEventListener("click", () => {
    choose(NEXT[current()]);
    label();
    announce(`Theme: ${current()}`);
  });
}
