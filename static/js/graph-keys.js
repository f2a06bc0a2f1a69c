// Walking a graph by keys, and opening or closing what is beside a node.
const FORWARD = { right: "ArrowRight", down: "ArrowDown" };
const BACK = { right: "ArrowLeft", down: "ArrowUp" };

const TOWARDS = {
  ArrowLeft: (dx, dy) => [-dx, Math.abs(dy)],
  ArrowRight: (dx, dy) => [dx, Math.abs(dy)],
  ArrowUp: (dx, dy) => [-dy, Math.abs(dx)],
  ArrowDown: (dx, dy) => [dy, Math.abs(dx)],
};

function centre(node) {
  const box = node.group.getBoundingClientRect();
  return [box.left + box.width / 2, box.top + box.height / 2];
}

// the nearest in the arrow's direction; being off the axis counts double
function nearest(nodes, from, key) {
  const [x, y] = centre(from);
  let best = null;
  for (const other of nodes) {
    const [ox, oy] = centre(other);
    const [ahead, aside] = TOWARDS[key](ox - x, oy - y);
    if (other === from || ahead < 4) continue;
    const cost = ahead + 2 * aside;
    if (!best || cost < best.cost) best = { other, cost };
  }
  return best?.other;
}

// along the flow an arrow follows edges, and only across it goes to what lies beside
function step(view, from, key) {
  if (key === FORWARD[view.flow]) return closest(from, from.after);
  if (key === BACK[view.flow]) return closest(from, from.before);
  return nearest(view.nodes, from, key);
}

function closest(from, nodes) {
  const [x, y] = centre(from);
  const far = (node) => Math.hypot(centre(node)[0] - x, centre(node)[1] - y);
  return nodes.filter((it) => it !== from).sort((one, other) => far(one) - far(other))[0];
}

function without(query, name, unwanted) {
  const kept = query.getAll(name).filter((value) => !unwanted(value));
  query.delete(name);
  for (const value of kept) query.append(name, value);
}

// A plus brings neighbours in, so many at a time; a minus takes them away again, or stops there.
export function address(here, node, sign, side) {
  const url = new URL(here, location.href);
  const query = url.searchParams;
  const sides = side ? [side] : ["up", "down"].filter((it) => node[it]);
  if (sign === "+") {
    if (query.getAll("collapse").includes(node.key)) without(query, "collapse", (it) => it === node.key);
    else for (const it of sides) query.append("expand", `${it}:${node.key}`);
  } else if (node.opened) {
    without(query, "expand", (it) => it.replace(/^(up|down):/, "") === node.key);
  } else if (!query.getAll("collapse").includes(node.key)) query.append("collapse", node.key);
  return url.pathname + url.search;
}

// after the swap the keyboard and the eye are where they were
let returning = null;

async function go(view, node, sign, side) {
  const url = address(view.said.here, node, sign, side);
  const rows = document.getElementById("rows");
  if (!rows || !view.figure.closest("#rows") || !window.htmx) {
    location.assign(url);
    return;
  }
  returning = node.key;
  history.pushState({}, "", url);
  await window.htmx.ajax("GET", url, { target: "#rows", swap: "outerHTML" });
}

function resume(view) {
  const node = view.nodes.find((it) => it.key === returning);
  returning = null;
  if (node) view.go(node);
}

function pressed(view, event) {
  const { key } = event;
  const node = view.current;
  const onNode = event.target.closest(".node a");
  if (key === "]" || key === "[") view.scale(view.zoom * (key === "]" ? 1.25 : 0.8));
  else if (key === "0") view.fit();
  else if (key === "Escape" && onNode) view.figure.querySelector("[data-zoom]").focus();
  else if (onNode && key in TOWARDS) {
    const next = step(view, node, key);
    if (next) view.go(next);
  } else if (onNode && view.said.here && ["+", "=", "-"].includes(key)) {
    if (node.key.startsWith("context:")) location.assign(node.url);
    else if (key === "-") go(view, node, "-");
    else if (node.up || node.down) go(view, node, "+");
  } else return;
  event.preventDefault();
}

export function watchWalk(view) {
  view.canvas.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) pressed(view, event);
  });
  view.canvas.addEventListener("click", (event) => {
    const mark = event.target.closest("a.more");
    if (!mark || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const node = view.nodes.find((it) => it.group.contains(mark));
    go(view, node, "+", mark.dataset.side);
  });
  for (const node of view.nodes) {
    for (const mark of node.group.querySelectorAll("a.more")) {
      mark.setAttribute("href", address(view.said.here ?? location.href, node, "+", mark.dataset.side));
    }
  }
  if (returning) resume(view);
}

window.addEventListener("popstate", () => location.reload());
