// @ts-check
// Keeps the page as the platform is: figures are patched where they stand, a page of another shape is fetched again.
// One stream serves all tabs of a browser: a shared worker holds it.

const main = document.querySelector("main");
const topics = (main?.dataset.topics ?? "").split(",").filter(Boolean);

/** @typedef {{topic: string, values: Record<string, string>, shape: string}} Message */

/** @param {Record<string, string>} values */
function patch(values) {
  for (const place of document.querySelectorAll("[data-live]")) {
    const text = values[place.getAttribute("data-live") ?? ""];
    if (text !== undefined && place.textContent !== text) place.textContent = text;
  }
  for (const attribute of ["d", "width"]) {
    for (const place of document.querySelectorAll(`[data-live-${attribute}]`)) {
      const text = values[place.getAttribute(`data-live-${attribute}`) ?? ""];
      if (text !== undefined && place.getAttribute(attribute) !== text) place.setAttribute(attribute, text);
    }
  }
}

let fetching = false;
let again = false;

/** Fetch this page and put its content in place of the old one; what was open stays open. */
async function refresh() {
  if (fetching) { again = true; return; }
  fetching = true;
  try {
    const response = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!response.ok) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    const region = document.querySelector("[data-region]");
    const next = fresh.querySelector("[data-region]");
    const nextMain = fresh.querySelector("main");
    if (!region || !next || !main || !nextMain) return;
    if (region.contains(document.activeElement) && document.activeElement?.matches("input, textarea, select")) {
      setTimeout(refresh, 3000);
      return;
    }
    const open = [...region.querySelectorAll("details[open][id]")].map((each) => each.id);
    const focused = document.activeElement?.id;
    region.replaceChildren(...next.childNodes);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (focused) document.getElementById(focused)?.focus();
    main.dataset.shape = nextMain.dataset.shape;
    document.dispatchEvent(new CustomEvent("opsloop:refreshed"));
  } finally {
    fetching = false;
    if (again) { again = false; void refresh(); }
  }
}

/** @param {Message} message */
function hear(message) {
  if (!main || !topics.includes(message.topic)) return;
  patch(message.values);
  if (message.shape && message.shape !== main.dataset.shape) void refresh();
  document.dispatchEvent(new CustomEvent("opsloop:heard", { detail: message }));
}

/** @param {boolean} connected */
function pulse(connected) {
  const place = document.querySelector("[data-pulse]");
  if (!place) return;
  place.textContent = connected ? "live" : "reconnecting";
  place.classList.toggle("lost", !connected);
}

function listenAlone() {
  let last = "";
  const source = new EventSource(`/api/events?topics=${encodeURIComponent(topics.join(","))}`);
  source.onopen = () => pulse(true);
  source.onerror = () => pulse(false);
  source.onmessage = (event) => { if (event.data !== last) { last = event.data; hear(JSON.parse(event.data)); } };
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => { if (event.persisted) listenAlone(); });
}

function listenTogether() {
  const worker = new SharedWorker(document.documentElement.dataset.worker ?? "", { name: "opsloop" });
  worker.onerror = listenAlone;
  worker.port.onmessage = (event) => {
    if (event.data.message) hear(event.data.message);
    else pulse(event.data.connected);
  };
  const here = () => worker.port.postMessage({ topics });
  here();
  setInterval(here, 20_000);
  addEventListener("pagehide", () => worker.port.postMessage({ topics: [] }));
  addEventListener("pageshow", (event) => { if (event.persisted) here(); });
}

if (topics.length) {
  if (typeof SharedWorker === "undefined") listenAlone();
  else listenTogether();
}
