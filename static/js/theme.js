// Applied before the first paint, so that a chosen theme never flashes the other one.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  let chosen = null;
  try {
    chosen = localStorage.getItem("theme");
  } catch {
    // storage may be forbidden; the system's theme is used then
  }
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
})();
