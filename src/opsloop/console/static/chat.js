// @ts-check
// The chat box: asks the endpoint as any OpenAI client does, streams the answer in, shows its sources, takes thumbs.

/** @typedef {{quote?: string, filename?: string, document_id?: string, start?: number, end?: number}} Source */
/** @typedef {{id: string, token: string, url: string}} Ticket */
/** @typedef {{number?: number, arm?: string, request_id?: string, citations?: Source[], abstained?: boolean | null, ticket?: Ticket}} Told */
/** @typedef {{role: "user" | "assistant", content: string, told?: Told, failed?: string, thumb?: string, answered?: string}} Turn */

const box = /** @type {HTMLElement | null} */ (document.querySelector("[data-chat]"));
const endpoint = box?.dataset.chat ?? "";
const talk = box?.querySelector("[data-talk]");
const form = box?.querySelector("form");
const question = box?.querySelector("textarea");
const memory = `opsloop-chat:${endpoint}`;
/** @type {Turn[]} */
let turns = [];

/**
 * @param {string} tag
 * @param {string} [className]
 * @param {string} [text]
 */
function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function remember() {
  try { sessionStorage.setItem(memory, JSON.stringify(turns.slice(-40))); } catch { /* full or forbidden: only this page remembers */ }
}

/** @param {Source} source @param {number} number */
function sourceOf(source, number) {
  const details = element("details");
  details.append(element("summary", "", `${number}. ${source.filename ?? "source"}`), element("blockquote", "", String(source.quote ?? JSON.stringify(source))));
  if (source.document_id) {
    const link = /** @type {HTMLAnchorElement} */ (element("a", "", "Open it in the document"));
    link.href = `/go/${encodeURIComponent(source.document_id)}?start=${Number(source.start) || 0}&end=${Number(source.end) || 0}#cited`;
    details.append(link);
  }
  return details;
}

/** @param {Turn} turn */
function thumbsOf(turn) {
  const row = element("div", "thumbs");
  const said = element("span", "muted");
  said.setAttribute("role", "status");
  for (const [thumb, sign, name] of [["up", "▲", "Good answer"], ["down", "▼", "Bad answer"]]) {
    const button = /** @type {HTMLButtonElement} */ (element("button", "plain", `${sign} ${name}`));
    button.type = "button";
    button.ariaPressed = String(turn.thumb === thumb);
    button.addEventListener("click", async () => {
      const response = await fetch("/feedback", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ request_id: turn.told?.request_id, thumb }),
      });
      if (!response.ok) { said.textContent = "It could not be kept; try again."; return; }
      turn.thumb = thumb;
      remember();
      for (const each of row.querySelectorAll("button")) each.ariaPressed = String(each === button);
      said.textContent = "Kept, thank you.";
    });
    row.append(button);
  }
  row.append(said);
  return row;
}

const LOOK_EVERY_MS = 5000;

/** What a person answers under a ticket: looked for until it is there. @param {Turn} turn @param {Ticket} ticket */
function ticketOf(turn, ticket) {
  const row = element("div", "ticket");
  row.setAttribute("role", "status");
  const show = () => row.replaceChildren(element("div", "by", "A person"), element("div", "text", turn.answered));
  if (turn.answered !== undefined) { show(); return row; }
  row.append(element("span", "muted", `Waiting for a person, ticket ${ticket.id}.`));
  const look = async () => {
    if (!row.isConnected) return;
    let ends = false;
    try {
      const response = await fetch(ticket.url, { headers: { "x-ticket-token": ticket.token, accept: "application/json" } });
      const found = response.ok ? await response.json() : {};
      ends = response.status === 404 || found.state === "answered" || found.state === "closed";
      if (ends) turn.answered = found.answer ?? "This was closed without an answer.";
    } catch { /* the platform is away for a moment: look again */ }
    if (!ends) { setTimeout(look, LOOK_EVERY_MS); return; }
    show();
    remember();
  };
  setTimeout(look, 0);
  return row;
}

/** @param {Turn} turn @param {HTMLElement} item */
function draw(turn, item) {
  const by = element("div", "by", turn.role === "user" ? "You" : endpoint);
  const text = element("div", turn.failed ? "text badge bad" : "text", turn.failed ? `✕ ${turn.failed}` : turn.content);
  item.className = turn.role;
  item.replaceChildren(by, text);
  if (!turn.told) return text;
  if (turn.told.number) by.append(element("span", "", `release ${turn.told.number} · ${turn.told.arm}`));
  if (turn.told.abstained) by.append(element("span", "abstained", "~ abstained: the documents do not say"));
  (turn.told.citations ?? []).forEach((source, index) => item.append(sourceOf(source, index + 1)));
  if (turn.told.ticket) item.append(ticketOf(turn, turn.told.ticket));
  if (turn.told.request_id) item.append(thumbsOf(turn));
  return text;
}

/** @param {Turn} turn */
function add(turn) {
  const item = element("li");
  const text = draw(turn, item);
  talk?.append(item);
  box?.querySelector("[data-hint]")?.remove();
  item.scrollIntoView({ block: "nearest" });
  return { item, text };
}

/** @param {Response} response */
async function* events(response) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  while (reader) {
    const { value, done } = await reader.read();
    if (done) return;
    const pieces = (rest + value).split("\n\n");
    rest = pieces.pop() ?? "";
    for (const piece of pieces) if (piece.startsWith("data: ") && piece !== "data: [DONE]") yield JSON.parse(piece.slice(6));
  }
}

/** @param {string} asked @param {string} user */
async function ask(asked, user) {
  turns.push({ role: "user", content: asked });
  add(turns[turns.length - 1]);
  /** @type {Turn} */
  const answer = { role: "assistant", content: "" };
  const place = add({ ...answer, content: "…" });
  try {
    const messages = turns.filter((turn) => !turn.failed).map(({ role, content }) => ({ role, content }));
    const response = await fetch("/v1/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: endpoint, messages, stream: true, ...(user ? { user } : {}) }),
    });
    if (!response.ok) throw new Error((await response.json()).error?.message ?? response.statusText);
    for await (const event of events(response)) {
      if (event.error) throw new Error(event.error.message);
      const delta = event.choices?.[0]?.delta ?? {};
      if (delta.opsloop) answer.told = { ...answer.told, ...delta.opsloop };
      if (delta.content) {
        answer.content += delta.content;
        place.text.textContent = answer.content;
        place.item.scrollIntoView({ block: "nearest" });
      }
    }
  } catch (error) {
    answer.failed = error instanceof Error ? error.message : String(error);
  }
  draw(answer, place.item);
  turns.push(answer);
  remember();
}

if (box && form && question && talk) {
  try { turns = JSON.parse(sessionStorage.getItem(memory) ?? "[]"); } catch { turns = []; }
  if (!talk.children.length) turns.forEach(add);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const asked = question.value.trim();
    const button = form.querySelector("button");
    if (!asked || !button || button.disabled) return;
    question.value = "";
    button.disabled = true;
    const user = /** @type {HTMLInputElement | null} */ (form.querySelector("[name=user]"))?.value.trim() ?? "";
    await ask(asked, user);
    button.disabled = false;
    question.focus();
  });
  question.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
  });
  box.querySelector("[data-again]")?.addEventListener("click", () => {
    turns = [];
    remember();
    talk.replaceChildren();
    question.focus();
  });
}
