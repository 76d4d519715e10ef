// @ts-check
// Copy buttons, times that age, and a page that knows that scripts run.
document.documentElement.classList.add("js");

/** @param {string} sentence */
function say(sentence) {
  const place = document.querySelector("[data-said]");
  if (!place) return;
  place.textContent = sentence;
  setTimeout(() => { if (place.textContent === sentence) place.textContent = ""; }, 2500);
}

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // No clipboard outside a secure context: select the text in a field instead.
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  say(`Copied: ${text.length > 60 ? text.slice(0, 59) + "…" : text}`);
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target.closest("[data-copy], [data-copy-link]") : null;
  if (target) void copy(target.getAttribute("data-copy") ?? location.href);
});

/** @param {number} s */
function ago(s) {
  if (s < 1) return "just now";
  if (s < 120) return `${Math.round(s)} s ago`;
  if (s < 7200) return `${Math.round(s / 60)} min ago`;
  if (s < 172800) return `${Math.round(s / 3600)} h ago`;
  return `${Math.round(s / 86400)} days ago`;
}

setInterval(() => {
  if (document.hidden) return;
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const passed = (Date.now() - Date.parse(time.getAttribute("datetime") ?? "")) / 1000;
    if (passed > -5) time.textContent = ago(passed);
  }
}, 5000);

document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLElement && event.target.matches("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    const field = document.querySelector("[data-filter]");
    if (field instanceof HTMLElement) { event.preventDefault(); field.focus(); }
  }
  if (event.key === "n") {
    const stops = [...document.querySelectorAll("[data-stop]")];
    const next = stops.find((each) => each.getBoundingClientRect().top > 60) ?? stops[0];
    if (next instanceof HTMLElement) { next.scrollIntoView({ block: "start" }); next.focus({ preventScroll: true }); }
  }
});
