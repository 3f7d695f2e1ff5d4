// The websocket to the server: pictures in, state in, wishes out; comes back by itself when it was cut.

const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 4000;
const ANSWER_MS = 12000;

export class Connection {
  // on: {picture(stamp: string, jpeg: Uint8Array), state(s), objects(o), album(a), calibration(c), link("open" | "closed", why), refused(message)}
  constructor(on) {
    this.on = on;
    this.pause = FIRST_PAUSE_MS;
    this.number = 0;
    this.waiting = new Map(); // number → resolve
    document.addEventListener("visibilitychange", () => this.send({ type: "watch", on: !document.hidden }));
    this.open();
  }

  open() {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.pause = FIRST_PAUSE_MS;
      if (document.hidden) this.send({ type: "watch", on: false });
      this.on.link("open");
    };
    socket.onmessage = ({ data }) => (typeof data === "string" ? this.hear(JSON.parse(data)) : this.see(data));
    socket.onclose = async () => {
      for (const resolve of this.waiting.values()) resolve({ ok: false, message: "The connection was lost; trying again." });
      this.waiting.clear();
      this.on.link("closed", opened ? "" : await whyNot());
      setTimeout(() => this.open(), this.pause);
      this.pause = Math.min(2 * this.pause, LONGEST_PAUSE_MS);
    };
  }

  see(buffer) {
    const stamp = new DataView(buffer).getBigInt64(0).toString(); // nanoseconds: too long for a JavaScript number
    this.on.picture(stamp, new Uint8Array(buffer, 8));
  }

  hear(message) {
    if (message.type === "state") this.on.state(message);
    else if (message.type === "objects") this.on.objects(message.objects);
    else if (message.type === "album") this.on.album(message);
    else if (message.type === "calibration") this.on.calibration(message);
    else if (message.type === "answer") this.resolve(message.number, message);
    else if (message.type === "error" && !this.resolve(message.number, { ok: false, message: message.message })) {
      this.on.refused(message.message);
    }
  }

  resolve(number, answer) {
    const resolve = this.waiting.get(number);
    this.waiting.delete(number);
    resolve?.(answer);
    return Boolean(resolve);
  }

  send(message) {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  seen() {
    this.send({ type: "seen" });
  }

  // A wish gets exactly one answer {ok, message}: the server's, or that there is none.
  wish(type, fields) {
    const number = ++this.number;
    return new Promise((resolve) => {
      this.waiting.set(number, resolve);
      if (!this.send({ type, number, ...fields })) this.resolve(number, { ok: false, message: "Not connected: one moment." });
      setTimeout(() => this.resolve(number, { ok: false, message: "No answer; is everything still running?" }), ANSWER_MS);
    });
  }
}

// Why the server lets no websocket open, in its words; "" if it does not answer at all.
async function whyNot() {
  const answer = await fetch("/live").catch(() => null);
  if (answer?.status === 401) location.reload(); // the token is another one now: the server says what to do
  return answer?.status === 503 ? answer.text() : "";
}
