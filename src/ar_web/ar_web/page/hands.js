// What hands do with who is awake: lead by the finger, feed, call.

import { toast } from "./panel.js";

const PAUSE_MS = 300; // between two steps of the way
const SLIP_PX = 12;
const $ = (id) => document.getElementById(id);

// A drag that may have begun on somebody: who that is is asked once, then where to, again and again, the newest only.
export function lead(ask, picture, start) {
  let goal = null, who = "", busy = true, over = false, dropped = false, mark = null;
  const step = async () => {
    if (busy || dropped) return;
    if (!goal) return over && mark.leave("heard");
    busy = true;
    const to = goal;
    goal = null;
    const { ok, message } = await ask("lead", { id: who, stamp: picture.stamp, ...to });
    if (over && !goal && !ok) {
      toast(message || "That did not work.", "refused");
      return mark.leave("refused");
    }
    if (!over) await new Promise((done) => setTimeout(done, PAUSE_MS));
    busy = false;
    step();
  };
  ask("hold", start).then(({ ok, id }) => {
    if (!ok || dropped) return (dropped = true); // a thing, or the table
    [who, mark, busy] = [id, picture.mark(), false];
    if (goal) mark.move(goal);
    document.body.classList.toggle("leading", !over);
    step();
  });
  const leave = () => document.body.classList.remove("leading");
  return {
    move(to) {
      goal = to;
      mark?.move(to);
      step();
    },
    end() {
      over = true;
      leave();
      step();
    },
    drop() {
      dropped = true;
      leave();
      mark?.leave("refused");
    },
  };
}

// The food beside the picture: drag it to somebody's mouth, or press it, and the newest friend gets it.
export function serve(food, picture, feed) {
  let from = null;
  const put = (x, y) => (food.style.translate = `${x}px ${y}px`);
  food.addEventListener("pointerdown", (event) => {
    from = event.isPrimary && event.button === 0 ? { x: event.clientX, y: event.clientY, far: false } : null;
    food.setPointerCapture(event.pointerId);
  });
  food.addEventListener("pointermove", (event) => {
    if (!from) return;
    const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
    from.far ||= Math.hypot(dx, dy) > SLIP_PX;
    food.classList.toggle("held", from.far);
    if (from.far) put(dx, dy);
  });
  const back = () => {
    from = null;
    food.classList.remove("held");
    put(0, 0);
  };
  food.addEventListener("pointerup", (event) => {
    if (from?.far) feed({ id: "", stamp: picture.stamp, ...picture.pixel(event.clientX, event.clientY) });
    food.dataset.far = String(from?.far ?? false);
    back();
  });
  food.addEventListener("pointercancel", back);
  food.addEventListener("click", () => {
    if (food.dataset.far !== "true") feed({});
    food.dataset.far = "false";
  });
}

// Who is meant by what was typed: the whole name, or the only one that begins so.
export function named(text, friends) {
  const wanted = text.trim().toLocaleLowerCase();
  const begins = friends.filter(({ name }) => name.toLocaleLowerCase().startsWith(wanted));
  return friends.find(({ name }) => name.toLocaleLowerCase() === wanted) ?? (wanted && begins.length === 1 ? begins[0] : null);
}

// The field for a name; its list offers who is awake.
export function listen(call) {
  let friends = [];
  $("call").addEventListener("submit", (event) => {
    event.preventDefault();
    const friend = named($("name").value, friends);
    if (friend) call(friend);
    else if ($("name").value.trim()) toast(`Nobody here is called ${$("name").value.trim().slice(0, 40)}.`, "refused");
    if (friend) $("name").value = "";
  });
  return (awake) => {
    if (awake.map(({ id }) => id).join() === friends.map(({ id }) => id).join()) return;
    friends = awake;
    $("names").replaceChildren(...friends.map(({ name }) => Object.assign(document.createElement("option"), { value: name })));
    $("name").placeholder = friends.length ? `${friends.at(-1).name} …` : "";
  };
}
