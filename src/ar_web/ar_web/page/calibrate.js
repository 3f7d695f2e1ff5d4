// The guided calibration of the camera: how it begins, what is still missing, what lies over the picture, what came of it.

import { say } from "./panel.js";

const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

const item = (text) => Object.assign(document.createElement("li"), { textContent: text });
const shape = (name, attributes) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};

// ask(action, fields): a wish, its answer {ok, message}.
export function calibration(ask) {
  const begin = async () => {
    const model = $("calibrate").querySelector("input[name=lens]:checked").value;
    const answer = await ask("begin", { model, square_mm: Number($("square").value) || 0 });
    if (answer) $("calibrate").close();
  };
  const open = () => {
    const here = LOOPBACK.includes(location.hostname);
    $("board-far").hidden = here;
    $("board-near").hidden = !here;
    say($("board-address"), `${location.origin}/board.html`);
    $("square").value ||= localStorage.getItem("square_mm") ?? "";
    $("calibrate").showModal();
  };
  for (const id of ["calibrate-notice", "calibrate-open", "calibrate-again"]) $(id).addEventListener("click", open);
  $("calibrate-begin").addEventListener("click", begin);
  $("calibrate-finish").addEventListener("click", () => ask("finish"));
  for (const id of ["calibrate-cancel", "calibrate-close"]) $(id).addEventListener("click", () => ask("cancel"));
  return show;
}

export function showCalibrated(calibrated) {
  $("calibrate-notice").hidden = calibrated !== false;
}

function show(status) {
  const { state, missing, progress, views, enough, path } = status;
  const running = state === "looking" || state === "solving";
  document.body.classList.toggle("calibrating", state !== "idle");
  document.body.dataset.calibration = state;
  $("calibration").hidden = state === "idle";
  const share = Math.round(100 * progress);
  $("calibration-bar").setAttribute("aria-valuenow", share);
  $("calibration-bar").style.setProperty("--done", progress);
  say($("calibration-views"), running ? `${views} ${views === 1 ? "view" : "views"} kept, ${share} % of what is needed` : "");
  say($("calibration-path"), state === "done" ? `Written to ${path}. The camera uses it from now on.` : "");
  const list = $("missing");
  if ([...list.children].map((entry) => entry.textContent).join("\n") !== missing.join("\n")) list.replaceChildren(...missing.map(item));
  $("missing-title").hidden = !running || missing.length === 0;
  list.hidden = !running;
  $("calibrate-finish").hidden = !enough;
  $("calibrate-cancel").hidden = !running;
  $("calibrate-close").hidden = running;
  $("calibrate-again").hidden = running;
  draw(running ? status : null);
}

// Over the picture: the parts that have shown the board, where to bring it, and where it is seen.
function draw(status) {
  const layer = $("guides");
  if (!status) return layer.replaceChildren();
  const { size: [width, height], columns, covered, board, target } = status;
  const w = width / columns, h = (height * columns) / covered.length;
  const shapes = covered.flatMap((on, i) => (on ? [shape("rect", { class: "covered", x: (i % columns) * w, y: Math.floor(i / columns) * h, width: w, height: h })] : []));
  if (target.length === 4) {
    const [x0, y0, x1, y1] = target;
    shapes.push(shape("rect", { class: "target", x: x0, y: y0, width: x1 - x0, height: y1 - y0, rx: width / 60 }));
  }
  if (board.length === 8) shapes.push(shape("polygon", { class: "board", points: board.map((v) => v + 0.5).join(" ") }));
  return layer.replaceChildren(...shapes);
}
