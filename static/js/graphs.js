// Finds graphs on the page and lays each out; the layout engine is fetched only then.
const seen = new WeakSet();

async function draw(figure) {
  const { show } = await import("./graph.js");
  await show(figure);
}

function find() {
  for (const figure of document.querySelectorAll("figure.graph")) {
    if (seen.has(figure)) continue;
    seen.add(figure);
    draw(figure);
  }
}

export function watchGraphs() {
  find();
  document.addEventListener("htmx:load", find);
}
