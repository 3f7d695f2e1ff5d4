// Puts the page together: the connection feeds the picture and the panel, the user's deeds go back.

import { showAlbum, showBag } from "./album.js";
import { calibration, showCalibrated } from "./calibrate.js";
import { Connection } from "./connection.js";
import { lead, listen, serve } from "./hands.js";
import { enliven } from "./lantern.js";
import { Picture } from "./picture.js";
import { showFriends, showHappenings, showNotices, showPace, showSpeech, showStages, showTracking, toast } from "./panel.js";

const $ = (id) => document.getElementById(id);
const body = document.body;
let known = null; // id → name of the friends; null before the first state

const picture = new Picture($("frame"), {
  onTap: ({ stamp, x, y }) => !calibrating() && wish("tap", { stamp, x, y }, jumpsOrWakes),
  onDrag: (start) => (known?.size && !calibrating() ? lead(ask, picture, start) : null),
  onShown: () => connection.seen(),
  onSize: (width, height) => {
    body.classList.remove("no-picture");
    $("frame").style.setProperty("--ratio", width / height);
  },
});

const calibrating = () => body.classList.contains("calibrating");
const showCalibration = calibration((action, fields) => wish("calibrate", { action, ...fields }));

const connection = new Connection({
  picture: (stamp, jpeg) => picture.receive(stamp, jpeg),
  state: showState,
  objects: (objects) => picture.outline(objects),
  album: (album) => showAlbum(album, (name) => wish("discard", { name })),
  calibration: showCalibration,
  refused: (message) => toast(message, "refused"),
  link: (link, why) => {
    body.dataset.link = link;
    if (link === "closed") {
      showSpeech({ mood: "asleep", headline: "The line is cut", hint: why || "Is Tsukumo still running? I keep trying." }, 0);
      picture.outline([]);
    }
  },
});

// What went well is said in the page's words, what did not in the graph's own. `done`: text, or text from the answer's id.
async function wish(type, fields, done = "") {
  const { ok, message, id } = await connection.wish(type, fields);
  const text = ok ? (typeof done === "function" ? done(id) : done) : message || "That did not work.";
  if (text) toast(text, ok ? "heard" : "refused");
  return ok;
}

const jumpsOrWakes = (id) => (known?.has(id) ? `${known.get(id)} jumps!` : "Something stirs …");

const ask = (action, fields) => connection.wish("ask", { action, ...fields });
const call = ({ id, name }) => wish("ask", { action: "call", id }, `${name}!`);
const feed = (whom) => wish("ask", { action: "feed", id: [...known.keys()].at(-1), ...whom }, (id) => `${known.get(id) ?? "Somebody"} eats.`);
const hear = listen(call);

const deeds = {
  call,
  act: (friend, clip) => wish("act", { id: friend.id, clip }),
  sleep: (friend) => wish("remove", { id: friend.id }, `Good night, ${friend.name}.`),
};

function showState(state) {
  showSpeech(state.speech, state.friends.length);
  showNotices(state.notices);
  showPace(state);
  showFriends(state.friends, deeds);
  showStages(state.stages);
  showTracking(state.tracking);
  showHappenings(state.happenings, state.friends);
  showBag(state.bag);
  showCalibrated(state.calibrated);
  greet(state.friends);
}

function greet(friends) {
  hear(friends);
  for (const { id, name } of friends) if (known && !known.has(id)) toast(`${name} is awake!`, "awake");
  known = new Map(friends.map(({ id, name }) => [id, name]));
}

// ---- controls

const pressed = (id) => $(id).getAttribute("aria-pressed") === "true";
const film = () => wish("film", { on: !pressed("film") });
const snapshot = () => wish("snapshot", {}, "Kept.");

function outlines(on) {
  $("hints").setAttribute("aria-pressed", on);
  body.classList.toggle("outlined", on);
  localStorage.setItem("outlines", on ? "on" : "off");
}

// The picture alone, on the whole screen where the browser can (on an iPhone: in the whole window).
function theatre(on) {
  body.classList.toggle("theatre", on);
  $("theatre").setAttribute("aria-pressed", on);
  if (on && document.fullscreenEnabled) document.documentElement.requestFullscreen().catch(() => {});
  if (!on && document.fullscreenElement) document.exitFullscreen();
}

const inTheatre = () => body.classList.contains("theatre");

serve($("food"), picture, feed);
enliven(document.querySelector(".lantern"));
outlines(localStorage.getItem("outlines") !== "off");
$("hints").addEventListener("click", () => outlines($("hints").getAttribute("aria-pressed") !== "true"));
$("theatre").addEventListener("click", () => theatre(!inTheatre()));
document.addEventListener("fullscreenchange", () => document.fullscreenElement || theatre(false));
$("help-open").addEventListener("click", () => $("help").showModal());
$("surprise").addEventListener("click", () => wish("awaken", { stamp: picture.stamp, detection: "" }, jumpsOrWakes));
$("film").addEventListener("click", film);
$("snapshot").addEventListener("click", snapshot);
$("bag").addEventListener("click", () => wish("bag", { on: !pressed("bag") }));
$("reset").addEventListener("click", () => wish("reset", {}, "Looking for the table anew."));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") || event.target.matches("input")) return;
  if (event.key === "o") outlines($("hints").getAttribute("aria-pressed") !== "true");
  else if (event.key === "f") theatre(!inTheatre());
  else if (event.key === "r") film();
  else if (event.key === "s") snapshot();
  else if (event.key === "Escape" && inTheatre()) theatre(false);
  else if (event.key === "?") $("help").showModal();
});
