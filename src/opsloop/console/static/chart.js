// @ts-check
// One crosshair through all charts of a page; what it points at is read from the table of figures.

/** @type {HTMLElement[]} */
let figures = [];

/** @param {number} share */
function point(share) {
  const table = document.querySelector("table[data-figures]");
  if (!table) return;
  const heads = [...table.querySelectorAll("thead th")];
  const rows = table.querySelectorAll("tbody tr");
  const row = rows[Math.round(Math.min(Math.max(share, 0), 1) * (rows.length - 1))];
  if (!row) return;
  const cells = [...row.children];
  for (const figure of figures) {
    const said = heads.map((head, index) => ({ head, text: cells[index]?.textContent ?? "" }))
      .filter(({ head }) => head instanceof HTMLElement && head.dataset.chart === figure.dataset.chart)
      .map(({ head, text }) => `${(head.textContent ?? "").split(" ").slice(1).join(" ")} ${text}`);
    const readout = figure.querySelector("[data-readout]");
    if (readout) readout.textContent = `${cells[0]?.textContent} · ${said.join(" · ")}`;
    cross(figure).setAttribute("visibility", "visible");
    for (const end of ["x1", "x2"]) cross(figure).setAttribute(end, `${100 * share}%`);
  }
}

/** @param {Element} figure */
function cross(figure) {
  const present = figure.querySelector("line.cross");
  if (present) return present;
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  line.setAttribute("class", "cross");
  line.setAttribute("y1", "0");
  line.setAttribute("y2", "100%");
  figure.querySelector("svg")?.append(line);
  return line;
}

function leave() {
  for (const figure of figures) {
    cross(figure).setAttribute("visibility", "hidden");
    const readout = figure.querySelector("[data-readout]");
    if (readout) readout.textContent = "";
  }
}

function start() {
  figures = [...document.querySelectorAll("figure[data-chart]")].filter((each) => each instanceof HTMLElement);
  for (const figure of figures) {
    const drawing = figure.querySelector("svg");
    drawing?.addEventListener("pointermove", (event) => {
      const box = drawing.getBoundingClientRect();
      point(Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1));
    });
    drawing?.addEventListener("pointerleave", leave);
  }
}

start();
document.addEventListener("opsloop:refreshed", start);
