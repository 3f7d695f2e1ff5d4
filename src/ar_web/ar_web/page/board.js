// The board on a screen: as large as it fits, in whole pixels a cell, and its real size by a bank card held against it.

const CARD_MM = [85.6, 53.98]; // ISO/IEC 7810 ID-1
const UNIT = 20; // pixels of the drawing: a cell of a marker
const CELLS = 8; // a square
const DEFAULT = 96 / 25.4; // CSS pixels a millimetre, by their definition; on real screens rarely so

const $ = (id) => document.getElementById(id);
let known = Number(localStorage.getItem("px_per_mm")) || 0;

// In whole pixels of the screen: an edge between two of them would be grey. Turned where the screen stands upright.
function fit() {
  const image = $("board");
  const [columns, rows] = [image.naturalWidth / UNIT, image.naturalHeight / UNIT];
  if (!columns) return;
  const ratio = devicePixelRatio || 1;
  const upright = innerHeight > innerWidth;
  const [across, down] = upright ? [rows, columns] : [columns, rows];
  const cell = Math.max(1, Math.floor(Math.min((innerWidth * ratio) / across, (innerHeight * ratio) / down)));
  const corner = (space, size, shift) => `${(Math.floor((space * ratio - size) / 2) - shift) / ratio}px`;
  const shift = upright ? (cell * (columns - rows)) / 2 : 0;
  Object.assign(image.style, {
    width: `${(cell * columns) / ratio}px`,
    height: `${(cell * rows) / ratio}px`,
    left: corner(innerWidth, cell * across, shift),
    top: corner(innerHeight, cell * down, -shift),
    rotate: upright ? "90deg" : "none",
  });
  if (!known) return;
  const square = ((cell * CELLS) / ratio / known).toFixed(1);
  localStorage.setItem("square_mm", square);
  $("caption").textContent = `${square} mm`;
  $("board-size").textContent = `A square is ${square} mm wide here; on the whole screen it is written below the board.`;
}

function measure(on) {
  document.body.classList.toggle("measuring", on);
  $("measure").hidden = $("card").hidden = !on;
  $("choices").hidden = on;
  if (on) showCard();
}

function showCard() {
  const [long, short] = CARD_MM.map((mm) => `${mm * Number($("scale").value)}px`);
  const upright = innerHeight > innerWidth; // a phone held so is narrower than a card is long
  Object.assign($("card").style, { width: upright ? short : long, height: upright ? long : short });
}

function whole(on) {
  document.body.classList.toggle("whole", on);
  if (on && document.fullscreenEnabled) document.documentElement.requestFullscreen().catch(() => {});
  if (!on && document.fullscreenElement) document.exitFullscreen();
}

$("scale").value = known || DEFAULT;
$("board").addEventListener("load", fit);
$("board").addEventListener("click", () => whole(!document.body.classList.contains("whole")));
$("scale").addEventListener("input", showCard);
$("measure-open").addEventListener("click", () => measure(true));
$("measured").addEventListener("click", () => {
  known = Number($("scale").value);
  localStorage.setItem("px_per_mm", known);
  measure(false);
  fit();
});
$("whole").addEventListener("click", () => whole(true));
$("print").addEventListener("click", () => print());
document.addEventListener("fullscreenchange", () => document.fullscreenElement || whole(false));
addEventListener("resize", fit);
fit();
