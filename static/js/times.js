// Keeps "12 s ago" true while a page stays open; the wording is the server's.
const STEPS = [
  [60, 1, "s"],
  [3600, 60, "min"],
  [86400 * 2, 3600, "h"],
  [Infinity, 86400, "d"],
];

function words(seconds) {
  if (seconds < 1) return "just now";
  const [, size, unit] = STEPS.find(([limit]) => seconds < limit);
  return `${Math.floor(seconds / size)} ${unit} ago`;
}

function refresh() {
  if (document.hidden) return;
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const text = words((Date.now() - Date.parse(time.dateTime)) / 1000);
    if (time.textContent !== text) time.textContent = text;
  }
}

export function watchTimes() {
  setInterval(refresh, 5000);
  document.addEventListener("visibilitychange", refresh);
}
