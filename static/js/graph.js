// One graph: Graphviz lays the DOT text out, CSS paints it; zoom, drag, arrows between nodes.
import { Graphviz } from "../vendor/wasm-graphviz/index.js";

const SVG = "http://www.w3.org/2000/svg";
const engine = Graphviz.load();
// Graphviz counts in points, a page in pixels
const POINT = 4 / 3;
const LEGIBLE = 0.6;

function roomIn(canvas) {
  const { paddingLeft, paddingRight } = getComputedStyle(canvas);
  return canvas.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
}

// what presentation attributes say is left to the style sheet, which knows the theme
const PAINT = ["fill", "stroke", "stroke-width", "stroke-dasharray", "font-family", "target"];

// Graphviz's xlink becomes today's href, and its tooltip a title that is spoken too
function explain(link) {
  const address = link.getAttribute("xlink:href");
  const said = link.getAttribute("xlink:title");
  for (const name of ["xlink:href", "xlink:title"]) link.removeAttribute(name);
  if (address) {
    link.setAttribute("href", address);
    const words = [...link.querySelectorAll("text")].map((line) => line.textContent).join(" ");
    link.setAttribute("aria-label", said ? `${words} (${said})` : words);
  }
  if (!said) return;
  const title = document.createElementNS(SVG, "title");
  title.textContent = said;
  link.prepend(title);
}

async function layout(text) {
  const svg = new DOMParser().parseFromString((await engine).dot(text), "image/svg+xml")
    .documentElement;
  for (const element of svg.querySelectorAll("*")) {
    for (const name of PAINT) element.removeAttribute(name);
  }
  for (const title of svg.querySelectorAll("title")) title.remove();
  for (const link of svg.querySelectorAll("a")) explain(link);
  return document.importNode(svg, true);
}

// names of clusters go above the edges that cross them; drawn last, they lie on top
function raise(svg) {
  for (const name of svg.querySelectorAll(".cluster text")) {
    name.classList.add("cluster-name");
    svg.querySelector(".graph").append(name);
  }
}

// A drawing from left to right is too small to read in a narrow place: then from top to bottom,
// if that comes out larger.
async function arrange(text, room) {
  const across = await layout(text);
  const wide = across.viewBox?.baseVal.width;
  if (!wide || wide * POINT * LEGIBLE <= room) return across;
  const down = await layout(text.replace("rankdir=LR", "rankdir=TB"));
  return down.viewBox?.baseVal.width < wide ? down : across;
}

function naming(svg, figure) {
  for (const node of svg.querySelectorAll(".node")) {
    if (node.id === figure.dataset.focus) node.classList.add("focus");
  }
  svg.setAttribute("role", "group");
  svg.setAttribute("aria-label", figure.dataset.label);
}

class View {
  constructor(canvas, svg) {
    this.canvas = canvas;
    this.svg = svg;
    const { width, height } = svg.viewBox.baseVal;
    this.width = width * POINT;
    this.height = height * POINT;
    this.fit();
  }

  scale(to) {
    this.zoom = Math.min(3, Math.max(0.15, to));
    this.svg.setAttribute("width", this.width * this.zoom);
    this.svg.setAttribute("height", this.height * this.zoom);
  }

  fit() {
    this.scale(Math.min(1, roomIn(this.canvas) / this.width));
    const focus = this.svg.querySelector(".focus");
    if (focus) this.reveal(focus);
  }

  reveal(node) {
    const box = node.getBoundingClientRect();
    const frame = this.canvas.getBoundingClientRect();
    this.canvas.scrollBy(
      box.left + box.width / 2 - frame.left - frame.width / 2,
      box.top + box.height / 2 - frame.top - frame.height / 2,
    );
  }
}

function drag(canvas) {
  let from = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    from = { x: event.clientX + canvas.scrollLeft, y: event.clientY + canvas.scrollTop };
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return;
    canvas.classList.add("held");
    canvas.scrollTo(from.x - event.clientX, from.y - event.clientY);
  });
  const release = () => {
    from = null;
    setTimeout(() => canvas.classList.remove("held"));
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointerleave", release);
  canvas.addEventListener("dragstart", (event) => event.preventDefault());
  canvas.addEventListener("click", (event) => {
    if (canvas.classList.contains("held")) event.preventDefault();
  });
}

const TOWARDS = {
  ArrowLeft: (dx, dy) => [-dx, Math.abs(dy)],
  ArrowRight: (dx, dy) => [dx, Math.abs(dy)],
  ArrowUp: (dx, dy) => [-dy, Math.abs(dx)],
  ArrowDown: (dx, dy) => [dy, Math.abs(dx)],
};

function centre(element) {
  const box = element.getBoundingClientRect();
  return [box.left + box.width / 2, box.top + box.height / 2];
}

// the nearest node in the arrow's direction; being off the axis counts double
function nearest(svg, link, key) {
  const [x, y] = centre(link);
  let best = null;
  for (const other of svg.querySelectorAll(".node a")) {
    const [ox, oy] = centre(other);
    const [ahead, aside] = TOWARDS[key](ox - x, oy - y);
    if (other === link || ahead < 4) continue;
    const cost = ahead + 2 * aside;
    if (!best || cost < best.cost) best = { other, cost };
  }
  return best?.other;
}

function walk(view) {
  view.canvas.addEventListener("keydown", (event) => {
    const zoom = { "+": 1.25, "=": 1.25, "-": 0.8 }[event.key];
    if (zoom) view.scale(view.zoom * zoom);
    else if (event.key === "0") view.fit();
    else if (event.key in TOWARDS && event.target.closest("a")) {
      const next = nearest(view.svg, event.target.closest("a"), event.key);
      if (!next) return;
      next.focus({ preventScroll: true });
      view.reveal(next);
    } else return;
    event.preventDefault();
  });
}

function tools(figure, view) {
  const actions = {
    in: () => view.scale(view.zoom * 1.25),
    out: () => view.scale(view.zoom * 0.8),
    fit: () => view.fit(),
  };
  for (const button of figure.querySelectorAll("[data-zoom]")) {
    button.hidden = false;
    button.addEventListener("click", actions[button.dataset.zoom]);
  }
}

export async function show(figure) {
  const canvas = figure.querySelector(".canvas");
  const svg = await arrange(figure.querySelector(".dot").textContent, roomIn(canvas));
  if (!(svg instanceof SVGElement) || svg.namespaceURI !== SVG) return;
  raise(svg);
  naming(svg, figure);
  canvas.replaceChildren(svg);
  const view = new View(canvas, svg);
  drag(canvas);
  walk(view);
  tools(figure, view);
  figure.dataset.drawn = "";
}
