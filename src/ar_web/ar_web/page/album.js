// What visitors keep: the record button, the list of films and snapshots, and the bag of topics.

import { say, size } from "./panel.js";

const SURE_MS = 3000; // how long the second press of a deletion is waited for

const $ = (id) => document.getElementById(id);
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

export function showAlbum({ folder, film, word, kept }, discard) {
  const label = !film ? "Record" : film.finishing ? "One moment …" : clock(film.seconds);
  showKeeper("film", Boolean(film), label);
  $("film").disabled = Boolean(film?.finishing);
  $("film").setAttribute("aria-label", film ? "Stop recording" : "Record the picture");
  showWord("film-word", word);
  say($("folder"), folder);
  say($("where"), kept.some((item) => item.kind === "film") ? `Recordings are in ${folder}` : "Snapshots are in memory until Tsukumo ends");
  $("album").hidden = kept.length === 0;
  document.body.classList.toggle("keepsakes", kept.length > 0);
  const list = $("kept");
  const rows = new Map([...list.children].map((row) => [row.dataset.name, row]));
  kept.forEach((item, i) => {
    const row = rows.get(item.name) ?? makeRow(item, discard);
    rows.delete(item.name);
    if (list.children[i] !== row) list.insertBefore(row, list.children[i] ?? null);
  });
  for (const row of rows.values()) row.remove();
}

// Where topics are recorded at all: `bag` is null where nobody does.
export function showBag(bag) {
  $("bag").hidden = !bag;
  if (!bag) return showWord("bag-word", "");
  const { recording, seconds, messages, path, message } = bag;
  showKeeper("bag", recording, recording ? `Bag ${clock(seconds)}` : "Bag");
  $("bag").setAttribute("aria-label", recording ? "Stop recording topics" : "Record all topics into a bag");
  const told = path && `${recording ? "Recording" : "Recorded"} ${messages} messages, ${size(bag.size)}, in ${path}`;
  return showWord("bag-word", [told, message].filter(Boolean).join(". "));
}

function showKeeper(id, on, label) {
  $(id).setAttribute("aria-pressed", on);
  say($(id).querySelector("span"), label);
}

function showWord(id, text) {
  say($(id), text);
  $(id).hidden = !text;
}

function makeRow({ name, kind, size: bytes, seconds }, discard) {
  const row = $("keepsake").content.firstElementChild.cloneNode(true);
  const address = encodeURIComponent(name);
  const length = seconds ? ` · ${clock(seconds)}` : "";
  row.dataset.name = name;
  row.title = name;
  row.querySelector("h3").textContent = kind === "film" ? `Film${length}` : "Snapshot";
  row.querySelector("p").textContent = [when(name), size(bytes)].filter(Boolean).join(" · ");
  const image = row.querySelector("img");
  image.onload = () => (image.hidden = false);
  image.src = `/kept/${address}/thumbnail`;
  const link = row.querySelector("a");
  link.href = `/kept/${address}`;
  link.setAttribute("aria-label", `Download ${name}`);
  row.querySelector(".discard").addEventListener("click", (event) => twice(event.currentTarget, () => discard(name)));
  row.querySelector(".discard").setAttribute("aria-label", `Delete ${name}`);
  return row;
}

// Deleting takes a second press.
function twice(button, action) {
  if (button.classList.contains("sure")) return action();
  const ask = (on) => {
    button.classList.toggle("sure", on);
    button.querySelector("span").hidden = !on;
    button.setAttribute("aria-label", button.getAttribute("aria-label").replace(/^(Really delete|Delete)/, on ? "Really delete" : "Delete"));
  };
  ask(true);
  return setTimeout(() => ask(false), SURE_MS);
}

// The time in a name, as people here write it; today's without the date.
function when(name) {
  const parts = /(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)/.exec(name)?.slice(1).map(Number);
  if (!parts) return "";
  const taken = new Date(parts[0], parts[1] - 1, ...parts.slice(2));
  const today = taken.toDateString() === new Date().toDateString();
  return taken.toLocaleString([], { ...(today ? {} : { day: "numeric", month: "short" }), hour: "2-digit", minute: "2-digit" });
}
