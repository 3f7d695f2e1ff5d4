// The lantern blinks and glances about now and then. In between nothing on the page moves but the picture: a page that
// animates all the time costs a small machine without a GPU as much as the picture itself.

const BLINK_MS = 130;
const GLANCES_MS = { awake: [2600, 5200], looking: [700, 1300], lost: [350, 800] }; // from .. to, by mood

const between = (low, high) => low + Math.random() * (high - low);

export function enliven(lantern) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const eye = lantern.querySelector(".eye");
  const next = () => {
    const range = GLANCES_MS[document.body.dataset.mood];
    if (!range || document.hidden) return setTimeout(next, 1000);
    const far = document.body.dataset.mood === "awake" ? 3 : 6.5;
    eye.style.setProperty("--glance", `${between(-far, far)}px`);
    if (Math.random() < 0.6) {
      eye.classList.add("shut");
      setTimeout(() => eye.classList.remove("shut"), BLINK_MS);
    }
    return setTimeout(next, between(...range));
  };
  next();
}
