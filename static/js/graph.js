// One graph: Graphviz lays it out, CSS paints it; the server's words go onto nodes and edges.
import { Graphviz } from "../vendor/wasm-graphviz/index.js";
import { watchWalk } from "./graph-keys.js";
import { watchSaving } from "./graph-save.js";

const SVG = "http://www.w3.org/2000/svg";
const engine = Graphviz.load();
// Graphviz counts in points, a page in pixels
const POINT = 4 / 3;
const LEGIBLE = 0.6;
const NARROW = 640;
// a drawing larger than its place is not shrunk below this to fit: it is scrolled
const LEAST = 0.45;

function roomIn(canvas) {
  const { paddingLeft, paddingRight } = getComputedStyle(canvas);
  return canvas.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
}

// what presentation attributes say is left to the style sheet, which knows the theme
const PAINT = ["fill", "stroke", "stroke-width", "stroke-dasharray", "font-family"];

export function make(name, attributes = {}, ...inside) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...inside);
  return element;
}

async function layout(dot) {
  const svg = new DOMParser().parseFromString((await engine).dot(dot), "image/svg+xml")
    .documentElement;
  for (const element of svg.querySelectorAll("*")) {
    for (const name of PAINT) element.removeAttribute(name);
  }
  return document.importNode(svg, true);
}

// A drawing from left to right is too small to read in a narrow place: then from top to bottom,
// if that comes out larger.
async function arrange(dot, room) {
  const across = await layout(dot);
  const wide = across.viewBox?.baseVal.width;
  if (!wide || room >= NARROW || wide * POINT * LEGIBLE <= room) return [across, "right"];
  const down = await layout(dot.replace("rankdir=LR", "rankdir=TB"));
  return down.viewBox?.baseVal.width < wide ? [down, "down"] : [across, "right"];
}

// the parts of a group move into a link, so that what is drawn can be followed
function link(group, url, said, tab) {
  const a = make("a", url ? { href: url } : { role: "img" });
  a.setAttribute("aria-label", said);
  a.setAttribute("tabindex", tab);
  a.append(make("title", {}, said), ...group.children);
  group.append(a);
  return a;
}

// how many neighbours are not drawn, at the side they would be on
function badge(a, count, side, node) {
  const box = a.getBBox();
  const text = `+${count}`;
  const width = 9 + 5.5 * text.length;
  const x = side === "up" ? box.x - width / 2 + 3 : box.x + box.width - width / 2 - 3;
  const y = box.y + box.height - 5;
  const words = `${count} not drawn ${side === "up" ? "upstream" : "downstream"} of ${node.said}`;
  const mark = make("a", { class: `more ${side}`, href: "#", tabindex: "-1", "aria-label": words });
  mark.dataset.side = side;
  mark.append(
    make("title", {}, words),
    make("rect", { x, y, width, height: 12, rx: 6 }),
    make("text", { x: x + width / 2, y: y + 9, "text-anchor": "middle", "font-size": 9 }, text),
  );
  a.after(mark);
}

const KINDS = ["topic", "service", "copy", "context"];
const STATES = { o: "observed", s: "stale", d: "declared" };

// what the server leaves to be told by a node's key: kind, words, address
function describe(said, at) {
  const [key, context, up, down, opened, inside, url] = said.nodes[at];
  const before = key.slice(0, key.indexOf(":"));
  const name = key.slice(before.length + 1);
  const kind = KINDS.includes(before) ? before : "actor";
  const words = [kind === "actor" ? `unrecognised ${before.replace("_", " ")} ${name}` : `${before} ${name}`];
  if (context >= 0 && kind !== "context") words.push(`context ${said.contexts[context]}`);
  if (inside) words.push(kind === "context" ? `${inside} things folded into one` : `${inside} internal topics folded in`);
  const node = { key, kind, up, down, opened, said: words.join(", "), before: [], after: [] };
  node.url = url ?? (kind === "context" ? unfolded(said.here, name) : centred(said.here, key));
  return node;
}

function unfolded(here, name) {
  const url = new URL(here, location.href);
  const named = url.searchParams.getAll("folded");
  url.searchParams.delete("folded");
  for (const it of named) if (it !== name) url.searchParams.append("folded", it);
  if (!named.includes(name)) url.searchParams.append("folded", name);
  return url.pathname + url.search;
}

function centred(here, key) {
  const url = new URL(here, location.href);
  for (const name of ["expand", "collapse", "folded"]) url.searchParams.delete(name);
  url.searchParams.set("focus", key);
  return url.pathname + url.search;
}

function proof(said, from, to) {
  if (!said.proof) return "";
  const url = new URL(said.proof, location.href);
  url.searchParams.set("source", from.key);
  url.searchParams.set("target", to.key);
  const when = new URL(said.here, location.href).searchParams.get("as_of");
  if (when) url.searchParams.set("as_of", when);
  return url.pathname + url.search;
}

function classes(code) {
  if (code[0] === "c") return ["edge-coupling", `edge-w${code[1]}`];
  return [code[0] === "w" ? "edge-write" : "edge-read", `edge-${STATES[code[1]]}`];
}

function tip([, , , kinds, seen, many]) {
  const last = seen ? `; last seen ${new Date(seen * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC` : "";
  return (many > 1 ? `${many} edges: ` : "") + kinds + last;
}

function dressEdge(group, edge, nodes, said) {
  const [from, to, code, , , many, url] = edge;
  group.classList.add(...classes(code));
  nodes[from].after.push(nodes[to]);
  nodes[to].before.push(nodes[from]);
  // a thin line is hard to hit: a wide one that is not seen lies over it
  const wide = group.querySelector("path")?.cloneNode();
  wide?.setAttribute("class", "hit");
  const words = `${nodes[from].said} → ${nodes[to].said}: ${tip(edge)}`;
  const address = url ?? (many > 1 ? "" : proof(said, nodes[from], nodes[to]));
  link(group, address, words, "-1").append(...(wide ? [wide] : []));
  group.dataset.from = from;
  group.dataset.to = to;
}

function dress(svg, said) {
  for (const title of svg.querySelectorAll("title")) {
    if (!title.parentNode.classList.contains("graph")) title.parentNode.dataset.name = title.textContent;
    title.remove();
  }
  const groups = new Map([...svg.querySelectorAll("[data-name]")].map((it) => [it.dataset.name, it]));
  const nodes = said.nodes.map((_, at) => {
    const node = describe(said, at);
    const group = groups.get(`n${at}`);
    node.group = group;
    group.classList.add(`node-${node.kind}`);
    if (node.key === said.focus) group.classList.add("focus");
    const more = [node.up && `${node.up} more upstream`, node.down && `${node.down} more downstream`];
    const [first, ...rest] = node.said.split(", ");
    // what is seen, cut where it is long, begins what is said
    const seen = [...group.querySelectorAll("text")].map((it) => it.textContent).join(" ");
    const words = [`${seen} (${first})`, ...rest, ...more.filter(Boolean)].join(", ");
    node.link = link(group, node.url, words, "-1");
    return node;
  });
  for (const edge of said.edges) {
    dressEdge(groups.get(`n${edge[0]}->n${edge[1]}`), edge, nodes, said);
  }
  for (const name of svg.querySelectorAll(".cluster text")) {
    // names of contexts go above the edges that cross them; drawn last, they lie on top
    name.classList.add("cluster-name");
    svg.querySelector(".graph").append(name);
  }
  return nodes;
}

class View {
  constructor(figure, svg, flow, said) {
    Object.assign(this, { figure, svg, flow, said });
    this.canvas = figure.querySelector(".canvas");
    const { width, height } = svg.viewBox.baseVal;
    this.width = width * POINT;
    this.height = height * POINT;
  }

  place(nodes) {
    this.nodes = nodes;
    this.canvas.replaceChildren(this.svg);
    for (const node of nodes) {
      if (node.up) badge(node.link, node.up, "up", node);
      if (node.down) badge(node.link, node.down, "down", node);
    }
    // one stop for Tab; arrows go on from there
    this.stop(nodes.find((node) => node.group.classList.contains("focus")) ?? nodes[0]);
    this.fit();
  }

  stop(node) {
    this.current?.link.setAttribute("tabindex", "-1");
    this.current = node;
    node?.link.setAttribute("tabindex", "0");
  }

  scale(to) {
    this.zoom = Math.min(3, Math.max(0.15, to));
    this.svg.setAttribute("width", this.width * this.zoom);
    this.svg.setAttribute("height", this.height * this.zoom);
  }

  fit() {
    const across = Math.max(roomIn(this.canvas) / this.width, LEAST);
    const down = Math.max(parseFloat(getComputedStyle(this.canvas).maxHeight) / this.height, LEGIBLE);
    this.scale(Math.min(1, across, down));
    const focus = this.svg.querySelector(".focus");
    if (focus) this.reveal(focus);
  }

  reveal(element) {
    const box = element.getBoundingClientRect();
    const frame = this.canvas.getBoundingClientRect();
    this.canvas.scrollBy(
      box.left + box.width / 2 - frame.left - frame.width / 2,
      box.top + box.height / 2 - frame.top - frame.height / 2,
    );
  }

  go(node) {
    this.stop(node);
    node.link.focus({ preventScroll: true });
    this.reveal(node.group);
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
  canvas.addEventListener(
    "click",
    (event) => {
      if (!canvas.classList.contains("held")) return;
      event.preventDefault();
      event.stopPropagation();
    },
    true,
  );
}

// what is next to the thing under the pointer stands out, the rest steps back
function lift(view) {
  const light = (node, on) => {
    view.svg.classList.toggle("lit", on);
    const at = String(view.nodes.indexOf(node));
    for (const it of [node, ...node.before, ...node.after]) it.group.classList.toggle("near", on);
    for (const edge of view.svg.querySelectorAll(".edge")) {
      if (edge.dataset.from === at || edge.dataset.to === at) edge.classList.toggle("near", on);
    }
  };
  for (const node of view.nodes) {
    const { group } = node;
    group.addEventListener("pointerenter", () => light(node, true));
    group.addEventListener("pointerleave", () => light(node, false));
    node.link.addEventListener("focus", () => view.stop(node));
  }
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
  const said = JSON.parse(figure.querySelector(".drawing").textContent);
  await engine;
  const began = performance.now();
  const [svg, flow] = await arrange(said.dot, roomIn(canvas));
  if (svg.namespaceURI !== SVG) return;
  const view = new View(figure, svg, flow, said);
  const nodes = dress(svg, said);
  svg.setAttribute("role", "group");
  svg.setAttribute("aria-label", figure.dataset.label);
  view.place(nodes);
  figure.dataset.layout = Math.round(performance.now() - began);
  drag(canvas);
  lift(view);
  watchWalk(view);
  tools(figure, view);
  watchSaving(view);
  figure.dataset.drawn = "";
}
