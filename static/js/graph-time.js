// The slider over the ledger's time, the thresholds beside it, and names found while typing.
const form = () => document.getElementById("filter");

function instantOf(range) {
  const { start, end } = range.closest(".span").dataset;
  const [from, to] = [Date.parse(start), Date.parse(end)];
  return Number(range.value) >= Number(range.max)
    ? null
    : new Date(from + ((to - from) * Number(range.value)) / Number(range.max));
}

const words = (instant) => (instant ? instant.toISOString().slice(0, 19).replace("T", " ") : "now");

function slide(range) {
  const instant = instantOf(range);
  range.closest(".span").querySelector("output").textContent = words(instant);
  range.setAttribute("aria-valuetext", instant ? `${words(instant)} UTC` : "now");
}

function ask(range) {
  const field = form()?.elements.as_of;
  if (!field) return;
  field.value = instantOf(range)?.toISOString().slice(0, 19) ?? "";
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

// links in the part that is swapped change the instant too; the field follows the URL
function follow() {
  const asked = new URLSearchParams(location.search);
  const fields = form()?.elements;
  if (fields?.as_of && document.activeElement !== fields.as_of) {
    fields.as_of.value = (asked.get("as_of") ?? "").slice(0, 19);
  }
}

function names(event) {
  const box = event.target.closest?.(".suggest");
  if (!box) return;
  const field = box.querySelector("input");
  const links = [...box.querySelectorAll("a")];
  if (event.key === "Escape") {
    box.querySelector("#names").replaceChildren();
    field.focus();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const at = links.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    if (at < 0) field.focus();
    else links[Math.min(at, links.length - 1)]?.focus();
  } else if (event.key === "Enter" && event.target === field && links.length) {
    // Enter takes the first, as it is the best
    links[0].click();
  } else return;
  event.preventDefault();
}

export function watchTime() {
  document.addEventListener("input", ({ target }) => {
    if (target.id === "when") slide(target);
    if (target.id === "least") target.closest("label").querySelector("output").textContent = target.value;
  });
  document.addEventListener("change", ({ target }) => {
    if (target.id === "when") ask(target);
    // it stands beside the form and belongs to it
    if (target.id === "least") form()?.dispatchEvent(new Event("change"));
  });
  document.addEventListener("keydown", names);
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.(".suggest")) document.getElementById("names")?.replaceChildren();
  });
  document.addEventListener("htmx:afterSettle", follow);
}
