// @ts-check
// Uploads: files picked or dropped go one after the other, each with its progress and what came of it. And a document
// opens at the span that was cited.

/** @typedef {{filename: string, address: string, chunks: number, duplicate: boolean, refused: string}} Outcome */
/** @typedef {{file: File, item: HTMLLIElement, said: HTMLElement, bar: HTMLProgressElement}} Waiting */

/** @param {number} bytes */
function size(bytes) {
  let amount = bytes;
  for (const unit of ["B", "kB", "MB"]) {
    if (amount < 1000) return `${Number(amount.toPrecision(3))} ${unit}`;
    amount /= 1000;
  }
  return `${Number(amount.toPrecision(3))} GB`;
}

/** @param {File} file @param {Element} list @returns {Waiting} */
function listed(file, list) {
  const item = document.createElement("li");
  const said = document.createElement("span");
  const name = document.createElement("bdi");
  const bar = document.createElement("progress");
  said.className = "badge quiet";
  said.textContent = "○ waits";
  name.textContent = file.name;
  bar.max = 1;
  bar.value = 0;
  bar.ariaLabel = `Sent of ${file.name}`;
  const about = document.createElement("span");
  about.className = "muted";
  about.textContent = size(file.size);
  item.append(said, " ", name, " ", about, bar);
  list.append(item);
  return { file, item, said, bar };
}

/** @param {Waiting} one @param {string} tone @param {string} word */
function say(one, tone, word) {
  one.said.className = `badge ${tone}`;
  one.said.textContent = word;
}

/** @param {Waiting} one @param {string} sentence */
function refuse(one, sentence) {
  say(one, "bad", "✕ refused");
  one.bar.remove();
  const why = document.createElement("p");
  why.textContent = sentence;
  one.item.append(why);
}

/** @param {Waiting} one @param {Outcome} outcome */
function settle(one, outcome) {
  if (outcome.refused) { refuse(one, outcome.refused); return; }
  say(one, outcome.duplicate ? "quiet" : "good", outcome.duplicate ? "○ there already" : "✓ taken in");
  const link = document.createElement("a");
  const name = one.item.querySelector("bdi");
  link.href = outcome.address;
  name?.replaceWith(link);
  if (name) link.append(name);
  const chunks = document.createElement("span");
  chunks.className = "muted";
  chunks.textContent = ` · ${outcome.chunks.toLocaleString("en")} chunk${outcome.chunks === 1 ? "" : "s"}`;
  one.bar.replaceWith(chunks);
}

/** @param {HTMLFormElement} form @param {Waiting} one @returns {Promise<void>} */
function send(form, one) {
  const limit = Number(form.dataset.limit);
  if (one.file.size > limit) {
    refuse(one, `${one.file.name} has ${size(one.file.size)}, the limit is ${size(limit)}; split it, or raise OPSLOOP_RAG_DOCUMENT_LIMIT_BYTES`);
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    const body = new FormData();
    body.append("metadata", /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("metadata")).value);
    body.append("file", one.file, one.file.name);
    const request = new XMLHttpRequest(); // fetch tells nothing of what was sent
    request.open("POST", form.action);
    request.setRequestHeader("accept", "application/json");
    request.responseType = "json";
    say(one, "busy", "◐ sending");
    request.upload.onprogress = (event) => { one.bar.value = event.loaded / event.total; };
    request.upload.onload = () => { one.bar.removeAttribute("value"); say(one, "busy", "◐ reading"); };
    request.onload = () => {
      const told = request.response;
      if (request.status === 200 && told?.items?.[0]) settle(one, told.items[0]);
      else refuse(one, told?.detail ?? `the platform answered ${request.status}`);
    };
    request.onerror = () => refuse(one, "the connection broke off; try again");
    request.onloadend = () => resolve();
    request.send(body);
  });
}

/** The figures and the list as they are now; the files on their way stay where they are. */
async function refresh() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const name of ["facts", "list"]) {
    const [next, old] = [fresh, document].map((each) => each.querySelector(`[data-part=${name}]`));
    if (next && old && !(old.contains(document.activeElement) && document.activeElement?.matches("input"))) old.replaceWith(next);
  }
}

/** @type {Waiting[]} */
const queue = [];
let sending = false;

/** @param {HTMLFormElement} form */
async function work(form) {
  if (sending) return;
  sending = true;
  const summary = form.querySelector("[data-summary]");
  const list = form.querySelector("[data-sending]");
  for (let one = queue.shift(); one; one = queue.shift()) {
    if (summary) summary.textContent = `Uploading, ${queue.length + 1} to go`;
    await send(form, one);
  }
  sending = false;
  const refused = list?.querySelectorAll(".badge.bad").length ?? 0;
  if (summary) summary.textContent = `Done: ${(list?.children.length ?? 0) - refused} kept, ${refused} refused`;
  await refresh();
}

/** @param {HTMLFormElement} form @param {Iterable<File>} files */
function add(form, files) {
  const list = form.querySelector("[data-sending]");
  if (!list) return;
  for (const file of files) queue.push(listed(file, list));
  if (queue.length) void work(form);
}

/** Files of what was dropped; of a folder all that is in it. @param {FileSystemEntry} entry @returns {Promise<File[]>} */
async function filesOf(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject))];
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  const found = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // at most 100 at a time
    if (!some.length) return found;
    for (const each of some) found.push(...(await filesOf(each)));
  }
}

/** @param {HTMLFormElement} form */
function take(form) {
  const field = form.querySelector("input[type=file]");
  if (!(field instanceof HTMLInputElement)) return;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    add(form, [...(field.files ?? [])]);
    field.value = "";
  });
  for (const kind of ["dragenter", "dragover"]) form.addEventListener(kind, (event) => { event.preventDefault(); form.classList.add("over"); });
  form.addEventListener("dragleave", (event) => { if (!form.contains(/** @type {Node | null} */ (event.relatedTarget))) form.classList.remove("over"); });
  form.addEventListener("drop", async (event) => {
    event.preventDefault();
    form.classList.remove("over");
    const entries = [...(event.dataTransfer?.items ?? [])].map((each) => each.webkitGetAsEntry?.()).filter((each) => each !== null && each !== undefined);
    if (!entries.length) { add(form, [...(event.dataTransfer?.files ?? [])]); return; }
    for (const entry of entries) add(form, await filesOf(entry));
  });
  addEventListener("beforeunload", (event) => { if (sending) event.preventDefault(); });
}

const form = document.querySelector("form[data-upload]");
if (form instanceof HTMLFormElement) take(form);
if (!location.hash) (document.getElementById("cited") ?? document.getElementById("chunk"))?.scrollIntoView({ block: "center" });
