// `/` or Ctrl-K goes to the search field; arrows walk its results and any list; Esc closes.
const field = () => document.querySelector(".find input");
const results = () => [...document.querySelectorAll("#found a")];

function typing(target) {
  return target.matches?.("input, textarea, select, [contenteditable]");
}

function close() {
  document.getElementById("found")?.replaceChildren();
}

function walkResults(event) {
  const links = results();
  const at = links.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || links.length === 0 || !event.target.closest(".find")) return false;
  const next = at + step;
  if (next < 0) field().focus();
  else links[Math.min(next, links.length - 1)].focus();
  return true;
}

function walkRows(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const row = event.target.closest?.(".list tbody tr");
  if (!step || !row || typing(event.target)) return false;
  const next = step > 0 ? row.nextElementSibling : row.previousElementSibling;
  next?.querySelector("a")?.focus();
  return Boolean(next);
}

function escape(event) {
  if (event.key !== "Escape") return false;
  const inside = event.target.closest?.(".find");
  if (inside && results().length) {
    close();
    field().focus();
    return true;
  }
  if (inside) field().blur();
  return false;
}

function seek(event) {
  const slash = event.key === "/" && !typing(event.target);
  const controlK = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
  if (!slash && !controlK) return false;
  field()?.focus();
  field()?.select();
  return true;
}

export function watchKeys() {
  document.addEventListener("keydown", (event) => {
    if (seek(event) || escape(event) || walkResults(event) || walkRows(event)) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.(".find")) close();
  });
}
