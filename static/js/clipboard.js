// Buttons with data-copy put that text on the clipboard and say so; an empty one copies the text
// that it stands beside, which the page need not hold twice.
import { announce } from "./announce.js";

const LONGEST_SAID = 200;

async function copy(button) {
  const text = button.dataset.copy || button.parentElement.querySelector("pre").textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    announce("The browser did not allow copying.");
    return;
  }
  announce(text.length > LONGEST_SAID ? "Copied the text" : `Copied: ${text}`);
  const use = button.querySelector("use");
  if (!use) return;
  const before = use.getAttribute("href");
  use.setAttribute("href", before.replace(/#.*/, "#check"));
  setTimeout(() => use.setAttribute("href", before), 1200);
}

export function watchClipboard() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (button) copy(button);
  });
}
