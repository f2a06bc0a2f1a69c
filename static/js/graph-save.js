// The drawing as a file, SVG or PNG: colours written out, the legend below it.
import { make } from "./graph.js";

const PAINT = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "opacity"];
const TEXT = ["font-family", "font-size", "font-weight", "paint-order"];
const STATES = [
  ["edge-write edge-observed", "writes"],
  ["edge-read edge-observed", "reads, copies"],
  ["edge-read edge-declared", "declared only"],
  ["edge-read edge-stale", "stale"],
];
const MOST_PIXELS = 8000;

// the legend is a part of the drawing while its colours are read, so that the same rules paint it
function legend(svg, weighted) {
  const { x, y, width, height } = svg.viewBox.baseVal;
  const group = make("g", { class: "legend" });
  const rows = weighted ? [] : STATES;
  rows.forEach(([kind, words], at) => {
    const left = x + 8 + at * 110;
    group.append(
      make("g", { class: `edge ${kind}` }, make("path", { d: `M${left} ${y + height + 12}h28` })),
      make("text", { x: left + 34, y: y + height + 15, "font-size": 10 }, words),
    );
  });
  const said = `Insideout lineage, ${new Date().toISOString().slice(0, 19)}Z, ${location.pathname}${location.search}`;
  group.append(make("text", { x: x + 8, y: y + height + 30, "font-size": 8 }, said));
  svg.append(group);
  const wide = Math.max(width, rows.length * 110 + 16, 8 + said.length * 4.4);
  return { group, box: [x, y, wide, height + 38] };
}

function painted(view) {
  const { svg } = view;
  const { group, box } = legend(svg, view.said.edges.some((edge) => edge[2].startsWith("coupling")));
  const copy = svg.cloneNode(true);
  const here = [...svg.querySelectorAll("*")];
  const there = [...copy.querySelectorAll("*")];
  here.forEach((element, at) => {
    const style = getComputedStyle(element);
    const names = element.tagName === "text" ? [...PAINT, ...TEXT] : PAINT;
    for (const name of names) there[at].setAttribute(name, style.getPropertyValue(name));
  });
  group.remove();
  for (const hit of copy.querySelectorAll(".hit")) hit.remove();
  // a file may be opened anywhere: addresses are whole
  for (const a of copy.querySelectorAll("a")) {
    if (a.hasAttribute("href")) a.setAttribute("href", new URL(a.getAttribute("href"), location.href).href);
  }
  const [x, y, width, height] = box;
  const ground = getComputedStyle(view.figure).backgroundColor;
  copy.prepend(make("rect", { x, y, width, height, fill: ground }));
  copy.setAttribute("viewBox", box.join(" "));
  copy.setAttribute("width", (width * 4) / 3);
  copy.setAttribute("height", (height * 4) / 3);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return { copy, width: (width * 4) / 3, height: (height * 4) / 3 };
}

function name(view, kind) {
  const words = view.figure.dataset.label.replace(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 80);
  return `${words}.${kind}`;
}

function download(blob, file) {
  const url = URL.createObjectURL(blob);
  const a = document.createElement("a");
  a.href = url;
  a.download = file;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

async function pixels(blob, width, height) {
  const url = URL.createObjectURL(blob);
  const image = new Image();
  image.src = url;
  await image.decode();
  const by = Math.min(2, MOST_PIXELS / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(width * by);
  canvas.height = Math.ceil(height * by);
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(url);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

export function watchSaving(view) {
  for (const button of view.figure.querySelectorAll("[data-save]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const { copy, width, height } = painted(view);
      const text = new XMLSerializer().serializeToString(copy);
      const svg = new Blob([text], { type: "image/svg+xml" });
      const kind = button.dataset.save;
      download(kind === "svg" ? svg : await pixels(svg, width, height), name(view, kind));
    });
  }
}
