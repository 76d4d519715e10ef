// @ts-check
// Ctrl K: go to any page by a part of its name.

/** @typedef {{title: string, kind: string, href: string}} Place */

const dialog = /** @type {HTMLDialogElement | null} */ (document.querySelector("dialog.palette"));
const field = dialog?.querySelector("input");
const list = dialog?.querySelector("ul");
/** @type {Place[]} */
let places = [];
/** @type {Place[]} */
let shown = [];
let chosen = 0;

async function load() {
  const response = await fetch("/api/places");
  if (response.ok) places = (await response.json()).items;
}

function draw() {
  if (!field || !list) return;
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  shown = places.filter((place) => words.every((word) => `${place.title} ${place.kind}`.toLowerCase().includes(word))).slice(0, 30);
  chosen = Math.min(chosen, Math.max(0, shown.length - 1));
  list.replaceChildren(...shown.map((place, index) => {
    const item = document.createElement("li");
    item.id = `place-${index}`;
    item.role = "option";
    item.ariaSelected = String(index === chosen);
    const title = document.createElement("span");
    title.textContent = place.title;
    const kind = document.createElement("span");
    kind.className = "muted";
    kind.textContent = place.kind;
    item.append(title, kind);
    item.addEventListener("click", () => { location.href = place.href; });
    return item;
  }));
  field.setAttribute("aria-activedescendant", shown.length ? `place-${chosen}` : "");
  list.children[chosen]?.scrollIntoView({ block: "nearest" });
}

async function open() {
  if (!dialog || !field || dialog.open) return;
  field.value = "";
  chosen = 0;
  dialog.showModal();
  await load();
  draw();
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); void open(); }
});
document.querySelector("[data-palette]")?.addEventListener("click", () => void open());
dialog?.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
field?.addEventListener("input", () => { chosen = 0; draw(); });
field?.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") chosen = Math.min(chosen + 1, shown.length - 1);
  else if (event.key === "ArrowUp") chosen = Math.max(chosen - 1, 0);
  else if (event.key === "Enter" && shown[chosen]) { location.href = shown[chosen].href; return; }
  else return;
  event.preventDefault();
  draw();
});
