// @ts-check
// A flow's page: the answer streams in while a run goes on, JSON is checked where it is typed, a node opens its panel.

const WAIT_MS = 100;

/** @param {string} sentence */
function state(sentence) {
  const place = document.querySelector("[data-state]");
  if (place) place.textContent = sentence;
}

/** Open the panel that the address names: not every browser opens what is folded. */
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  const panel = target.closest("details");
  if (!panel || panel.open) return;
  panel.open = true;
  target.scrollIntoView({ block: "nearest" });
}

/** @param {Element} field */
function checkJson(field) {
  if (!(field instanceof HTMLTextAreaElement)) return;
  const place = document.getElementById(`${field.id}-about`)?.querySelector("[data-fault]");
  if (!place) return;
  let fault = "";
  try {
    const value = field.value.trim() ? JSON.parse(field.value) : null;
    const isList = Array.isArray(value);
    const fits = value === null || (field.dataset.json === "list" ? isList : typeof value === "object" && !isList);
    if (!fits) fault = `✕ wanted ${field.dataset.wanted}`;
  } catch {
    fault = `✕ not JSON; wanted ${field.dataset.wanted}`;
  }
  place.textContent = fault;
  if (fault) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

/**
 * Reads server-sent events as they come.
 * @param {ReadableStream<Uint8Array>} body
 * @param {(kind: string, data: any) => void} hear
 */
async function listen(body, hear) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const whole = rest.split("\n\n");
    rest = whole.pop() ?? "";
    for (const event of whole) {
      const kind = /^event: (.*)$/m.exec(event)?.[1];
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (kind && data) hear(kind, JSON.parse(data));
    }
  }
}

/** @param {string} html */
function show(html) {
  const next = new DOMParser().parseFromString(html, "text/html").querySelector("[data-region]");
  const region = document.querySelector("[data-region]");
  if (!next || !region) return;
  region.replaceChildren(...next.childNodes);
  const wrong = region.querySelector("[aria-invalid]") ?? region.querySelector("[role=alert]");
  if (wrong instanceof HTMLElement) { wrong.focus(); wrong.scrollIntoView({ block: "center" }); }
}

/** @param {HTMLFormElement} form */
async function run(form) {
  const button = form.querySelector("button[type=submit]");
  const stop = form.querySelector("[data-stop-run]");
  const streamed = form.querySelector("[data-streamed]");
  if (!(button instanceof HTMLButtonElement) || !(stop instanceof HTMLButtonElement) || !(streamed instanceof HTMLElement)) return;
  const asked = new AbortController();
  const began = Date.now();
  const tick = setInterval(() => state(`Running, ${((Date.now() - began) / 1000).toFixed(1)} s`), WAIT_MS);
  button.disabled = true;
  stop.hidden = false;
  stop.onclick = () => asked.abort();
  streamed.textContent = "";
  let ended = "The run broke off; try again.";
  try {
    const headers = { accept: "text/event-stream, text/html" };
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers, signal: asked.signal });
    if (!(answer.headers.get("content-type") ?? "").startsWith("text/event-stream") || !answer.body) {
      show(await answer.text());
      ended = "";
      return;
    }
    await listen(answer.body, (kind, data) => {
      if (kind === "delta") { streamed.hidden = false; streamed.textContent += data.text; }
      if (kind === "problem") ended = `✕ ${data.detail}`;
      if (kind === "run") {
        ended = "";
        location.href = `/flows/${encodeURIComponent(data.ref)}/runs/${encodeURIComponent(data.id)}`;
      }
    });
  } catch (error) {
    ended = asked.signal.aborted ? "Stopped." : `✕ ${error}`;
  } finally {
    clearInterval(tick);
    button.disabled = false;
    stop.hidden = true;
    state(ended);
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.matches("[data-run]")) return;
  event.preventDefault();
  void run(form);
});
// A fault comes when a field is left and goes as soon as it is mended. Not on the way to a button: that would move away
// from under the pointer.
document.addEventListener("focusout", (event) => {
  if (event.relatedTarget instanceof HTMLButtonElement) return;
  if (event.target instanceof Element && event.target.matches("[data-json]")) checkJson(event.target);
});
document.addEventListener("input", (event) => {
  if (event.target instanceof Element && event.target.matches("[data-json][aria-invalid]")) checkJson(event.target);
});
addEventListener("hashchange", reveal);
reveal();
