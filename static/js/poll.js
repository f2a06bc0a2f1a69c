// Elements with data-poll="MS" ask again while they are shown; what runs no more has no data-poll.
const waiting = new WeakSet();

function ask(element) {
  waiting.delete(element);
  if (!element.isConnected) return;
  if (document.hidden) return arm(element);
  window.htmx.trigger(element, "poll");
  // an answer swaps the element away; without one (server restarting) it asks again
  setTimeout(() => element.isConnected && arm(element), 4000);
}

function arm(element) {
  if (waiting.has(element)) return;
  waiting.add(element);
  setTimeout(() => ask(element), Number(element.dataset.poll));
}

function find() {
  for (const element of document.querySelectorAll("[data-poll]")) arm(element);
}

export function watchPolls() {
  find();
  document.addEventListener("htmx:load", find);
}
