// What every page does with script; each part is useless to the others and lives alone.
import { watchClipboard } from "./clipboard.js";
import { watchGraphs } from "./graphs.js";
import { watchKeys } from "./keys.js";
import { watchPolls } from "./poll.js";
import { announce } from "./announce.js";
import { watchTheme } from "./toggle.js";
import { watchTimes } from "./times.js";

watchTheme();
watchKeys();
watchClipboard();
watchTimes();
watchPolls();
watchGraphs();

// the URL holds the state of a list, and an empty field is no state
document.addEventListener("htmx:configRequest", (event) => {
  const { parameters, verb } = event.detail;
  if (verb !== "get") return;
  for (const name of Object.keys(parameters)) {
    if (parameters[name] === "") delete parameters[name];
  }
});

document.addEventListener("htmx:afterSwap", (event) => {
  const said = event.detail.elt.querySelector?.("[data-announce]");
  if (said) announce(said.dataset.announce);
});

document.addEventListener("htmx:sendError", () => announce("The server could not be reached."));
document.addEventListener("htmx:responseError", (event) =>
  announce(`The server answered ${event.detail.xhr.status}.`),
);
