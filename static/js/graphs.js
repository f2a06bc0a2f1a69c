// Finds graphs on the page and lays each out; the layout engine is fetched only then.
const seen = new WeakSet();

async function draw(figure) {
  const { show } = await import("./graph.js");
  await show(figure);
}

async function find() {
  const figures = [...document.querySelectorAll("figure.graph")].filter((it) => !seen.has(it));
  for (const figure of figures) seen.add(figure);
  for (const figure of figures) await draw(figure);
}

async function findTime() {
  if (!document.getElementById("filter")?.elements.as_of) return;
  const { watchTime } = await import("./graph-time.js");
  watchTime();
}

export function watchGraphs() {
  find();
  findTime();
  document.addEventListener("htmx:load", find);
}
