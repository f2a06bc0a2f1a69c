// Says a line to assistive technology through the page's one live region.
export function announce(text) {
  const region = document.getElementById("live");
  if (region && region.textContent !== text) region.textContent = text;
}
