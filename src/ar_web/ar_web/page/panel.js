// Everything beside the picture, drawn from the state: words, friends, notices, how the stages do.

const TITLES = { camera: "Camera", detect: "Find", segment: "Cut out", slam: "Locate", character: "Embody", render: "Draw" };
const OF_ITSELF = ["idle", "awaken"]; // clips nobody needs to ask for
const SCALE_MS = 50; // of the bars, unless a stage needs longer

const $ = (id) => document.getElementById(id);
export const say = (element, text) => {
  if (element.textContent !== text) element.textContent = text; // a screen reader hears changes only
};
const element = (name, className, text) => Object.assign(document.createElement(name), { className, textContent: text ?? "" });
const round = (value, digits = 0) => (value === null || value === undefined ? "–" : value.toFixed(digits));
const title = (name) => TITLES[name] ?? name;

export function showSpeech({ mood, headline, hint }, friends) {
  document.body.dataset.mood = mood;
  document.body.classList.toggle("company", friends > 0);
  say($("headline"), headline);
  say($("hint"), hint);
}

export function showNotices(notices) {
  const list = $("notices");
  const now = [...list.children].map((item) => item.textContent);
  if (now.join("\n") !== notices.join("\n")) list.replaceChildren(...notices.map((text) => element("li", "", text)));
}

export function showPace(state) {
  const parts = [];
  if (state.picture_rate > 0) parts.push(`${round(state.picture_rate)} pictures/s`);
  if (state.picture_rate > 0 && state.delay_ms) parts.push(`${round(state.delay_ms[0])} ms from camera to picture`);
  say($("pace"), parts.join(" · "));
}

// ---- friends

export function showFriends(friends, deeds) {
  const list = $("friends");
  $("nobody").hidden = friends.length > 0;
  const cards = new Map([...list.children].map((card) => [card.dataset.id, card]));
  for (const friend of friends) {
    const card = cards.get(friend.id) ?? list.appendChild(makeCard(friend, deeds));
    cards.delete(friend.id);
    updateCard(card, friend, deeds);
  }
  for (const card of cards.values()) card.remove();
}

function makeCard(friend, deeds) {
  const card = $("friend").content.firstElementChild.cloneNode(true);
  card.dataset.id = friend.id;
  card.querySelector(".caller").textContent = friend.name;
  card.querySelector(".caller").setAttribute("title", `Call ${friend.name}`);
  card.querySelector(".caller").addEventListener("click", () => deeds.call(friend));
  card.querySelector(".sleep").addEventListener("click", () => deeds.sleep(friend));
  return card;
}

function updateCard(card, friend, deeds) {
  const version = JSON.stringify(friend);
  if (card.dataset.version === version) return;
  card.dataset.version = version;
  const address = encodeURIComponent(friend.id);
  const about = [friend.kind === "object" ? "" : friend.kind, friend.height > 0 ? `${round(100 * friend.height)} cm tall` : ""];
  say(card.querySelector(".who p"), about.filter(Boolean).join(", ") || "just woke up");
  const image = card.querySelector("img");
  image.hidden = !friend.portrait;
  if (friend.portrait) {
    image.alt = `${friend.name}, cut out of the picture`;
    image.src = `/portrait/${address}.png`;
  }
  const buttons = friend.clips.filter((clip) => !OF_ITSELF.includes(clip)).map((clip) => {
    const button = element("button", "deed", clip);
    button.addEventListener("click", () => deeds.act(friend, clip));
    return button;
  });
  const group = card.querySelector(".deeds");
  group.setAttribute("aria-label", `What ${friend.name} can do`);
  group.replaceChildren(...buttons);
  const link = card.querySelector(".download");
  link.href = `/character/${address}.glb`;
  link.setAttribute("aria-label", `Download ${friend.name} as a .glb file`);
  say(link.querySelector("span"), `.glb, ${size(friend.size)}`);
}

export const size = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

// ---- stages

export function showStages(stages) {
  const longest = Math.max(SCALE_MS, ...stages.filter(flows).map((stage) => stage.latency_ms[1]));
  const strip = $("strip");
  if (strip.children.length !== stages.length) strip.replaceChildren(...stages.map(() => makeChip()));
  stages.forEach((stage, i) => updateChip(strip.children[i], stage, longest));
  if ($("pulse").open) $("ledger").replaceChildren(...stages.map(row));
}

// Handles frames now; others, like the one that makes a body once, would only set the scale.
const flows = (stage) => stage.rate > 0 && stage.latency_ms;

function makeChip() {
  const chip = element("span", "chip");
  const bar = element("span", "bar");
  bar.append(element("i", "tail"), element("i", "body"));
  chip.append(element("b", "name"), element("span", "figure"), bar);
  return chip;
}

function updateChip(chip, stage, longest) {
  const [p50, p99] = flows(stage) ? stage.latency_ms : [0, 0];
  chip.dataset.health = health(stage);
  chip.title = describe(stage);
  say(chip.children[0], title(stage.name));
  say(chip.children[1], figure(stage));
  chip.style.setProperty("--p50", Math.min(p50 / longest, 1));
  chip.style.setProperty("--p99", Math.min(p99 / longest, 1));
}

const health = (stage) => (!stage.alive ? "quiet" : stage.problem ? "ill" : "well");

function figure(stage) {
  if (!stage.alive) return "quiet";
  if (stage.problem) return "cannot start";
  if (flows(stage)) return `${round(stage.rate)}/s · ${round(stage.latency_ms[0])} ms`;
  return stage.rate > 0 ? `${round(stage.rate)}/s` : "ready";
}

function describe(stage) {
  if (!stage.alive) return `${title(stage.name)}: nothing heard`;
  if (stage.problem) return `${title(stage.name)}: ${stage.problem}`;
  const latency = stage.latency_ms ? `, ${round(stage.latency_ms[0], 1)} ms typically, ${round(stage.latency_ms[1], 1)} ms at worst (99 %)` : "";
  return `${title(stage.name)}: ${round(stage.rate, 1)} per second${latency}`;
}

function row(stage) {
  const line = document.createElement("tr");
  const head = element("th", "", title(stage.name));
  head.scope = "row";
  const [p50, p99] = stage.latency_ms ?? [null, null];
  const left = [...Object.entries(stage.skipped), ...Object.entries(stage.rejected)].map(([why, n]) => `${n} × ${why}`);
  const unit = (value, digits, suffix) => (value === null ? "–" : `${round(value, digits)} ${suffix}`);
  const cells = [
    stage.alive ? round(stage.rate, 1) : "–",
    unit(p50, 1, "ms"),
    unit(p99, 1, "ms"),
    unit(stage.cpu_percent, 0, "%"),
    unit(stage.rss_mb, 0, "MB"),
    stage.problem || left.join("; ") || (stage.alive ? "nothing" : "not running"),
  ];
  line.append(head, ...cells.map((text) => element("td", "", text)));
  return line;
}

export function showTracking({ state, reason, points, inliers, scale_source }) {
  document.body.dataset.tracking = state;
  const parts = [`Tracking: ${state}`];
  if (points) parts.push(`${inliers} of ${points} points held`);
  if (scale_source) parts.push(`scale from ${scale_source.replaceAll("_", " ")}`);
  if (reason) parts.push(reason);
  say($("tracking"), parts.join(" · "));
}

export function showHappenings(happenings, friends) {
  const names = new Map(friends.map(({ id, name }) => [id, name]));
  const lines = happenings.slice(-5).reverse().map(({ kind, id, success, message }) => {
    const outcome = [success ? "" : "refused", message].filter(Boolean).join(": ");
    return [kind, names.get(id) ?? id, outcome].filter(Boolean).join(" · ");
  });
  const list = $("lately");
  if (list.dataset.newest === String(happenings.at(-1)?.number)) return;
  list.dataset.newest = happenings.at(-1)?.number;
  list.replaceChildren(...lines.map((line) => element("li", "", line)));
}

// ---- toasts

export function toast(text, kind = "plain") {
  const box = $("toasts");
  const same = [...box.children].find((t) => t.textContent === text);
  same?.remove();
  const note = element("p", `toast ${kind}`, text);
  box.append(note);
  while (box.children.length > 3) box.firstElementChild.remove();
  setTimeout(() => note.classList.add("leaving"), 4200);
  setTimeout(() => note.remove(), 4800);
}
