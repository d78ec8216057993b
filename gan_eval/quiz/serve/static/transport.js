// The page's only way to the server. Another transport with the same methods can take its place, such as one for JATOS.

const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 2000;
const SLOW_MS = 2500; // after this time without an answer the participant is told

/** An answer of the server that a repetition would not change. */
export class Refusal extends Error {
  constructor(status, body) {
    super(body.error || `HTTP ${status}`);
    this.status = status;
    this.body = body;
  }
}

/** Random characters that are safe in addresses and file names. */
function randomName(length) {
  const letters = "abcdefghijkmnpqrstuvwxyz23456789"; // 32, without l, o, 0 and 1, which look alike
  return Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => letters[byte % 32]).join("");
}

export class Transport {
  #token = null;
  #tab = randomName(24);
  #waiting = 0;

  /** `onTrouble(true)` is called while an answer is overdue, `onTrouble(false)` once it has come. */
  constructor(onTrouble) {
    this.onTrouble = onTrouble;
    this.keep = storage();
    this.place = `gan-eval ${location.pathname}`;
  }

  /** The participant's code for a page without one in its address: made once, then kept by the browser. */
  code() {
    const name = `${this.place} participant`;
    const code = this.keep.getItem(name) || `W${randomName(11)}`;
    this.keep.setItem(name, code);
    return code;
  }

  /** Drop the kept code: the next person at this browser must not get that of someone whose data are deleted. */
  dropCode() {
    this.keep.removeItem(`${this.place} participant`);
  }

  /** Ask for something, again and again until the server has answered; a refusal is thrown as `Refusal`. */
  async post(name, body = {}) {
    return this.#insist(() => this.#send(name, body), (response) => response.json());
  }

  /** Begin or resume a session; the token that this gives is used from then on. */
  async enter(name, body) {
    const setup = await this.post(name, { ...body, tab: this.#tab });
    this.#token = setup.token;
    this.participant = body.participant;
    return setup;
  }

  /** Send the time of an onset without waiting for the answer. */
  onset(trial, onset_ms) {
    const body = { trial, onset_ms, sent_ms: performance.now() };
    this.#send("onset", body, { keepalive: true }).catch(() => {});
  }

  /** Deliver the report of a trial. Until it is acknowledged the browser keeps it, also when the tab is closed. */
  async report(report) {
    const unsent = { report, origin: performance.timeOrigin, token: this.#token, tab: this.#tab };
    this.keep.setItem(this.#unsentName(this.participant), JSON.stringify(unsent));
    return this.#deliver(this.participant, unsent);
  }

  /** Deliver what an earlier page could not; the server takes no report twice. */
  async deliverUnsent(participant) {
    const kept = this.keep.getItem(this.#unsentName(participant));
    if (kept === null) return;
    try {
      await this.#deliver(participant, JSON.parse(kept));
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof SyntaxError)) throw error;
      this.keep.removeItem(this.#unsentName(participant)); // the session went on elsewhere, or is gone
    }
  }

  /** Fetch and decode a picture; one that arrived broken is fetched again. */
  async picture(address) {
    return this.#insist(() => fetch(address), async (response) => {
      const picture = new Image();
      picture.alt = "";
      picture.src = URL.createObjectURL(await response.blob());
      await picture.decode();
      return picture;
    });
  }

  /** Let a picture's memory go. */
  release(picture) {
    URL.revokeObjectURL(picture.src);
  }

  #unsentName(participant) {
    return `${this.place} unsent ${participant}`;
  }

  async #deliver(participant, { report, origin, token, tab }) {
    const send = () => {
      // in the clock of the page that showed the trial, also when this is a later page; a trial that is broken off in
      // the frame of its onset ends in the next one
      const moments = [...report.showings, ...report.presses].map(({ offset_ms, at_ms }) => offset_ms ?? at_ms);
      const sent_ms = Math.max(performance.timeOrigin + performance.now() - origin, ...moments);
      return this.#send("trial", { ...report, sent_ms }, { token, tab });
    };
    const answer = await this.#insist(send, (response) => response.json());
    this.keep.removeItem(this.#unsentName(participant));
    return answer;
  }

  #send(name, body, { token = this.#token, tab = this.#tab, keepalive = false } = {}) {
    const headers = { "Content-Type": "application/json" };
    if (token) Object.assign(headers, { Authorization: `Bearer ${token}`, "X-Tab": tab });
    return fetch(`api/${name}`, { method: "POST", headers, body: JSON.stringify(body), keepalive, cache: "no-store" });
  }

  async #insist(send, read) {
    let overdue = false;
    const slow = setTimeout(() => { overdue = true; this.#trouble(1); }, SLOW_MS);
    try {
      for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, MAX_PAUSE_MS)) {
        try {
          const response = await send();
          if (response.ok) return await read(response);
          if (response.status < 500 && response.status !== 429) {
            throw new Refusal(response.status, await response.json().catch(() => ({})));
          }
        } catch (error) {
          if (error instanceof Refusal) throw error; // anything else is the network: try again
        }
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    } finally {
      clearTimeout(slow);
      if (overdue) this.#trouble(-1);
    }
  }

  #trouble(change) {
    this.#waiting += change;
    this.onTrouble(this.#waiting > 0);
  }
}

/** The browser's storage; where it is forbidden, one that lasts as long as the page. */
function storage() {
  try {
    localStorage.setItem("gan-eval", "");
    localStorage.removeItem("gan-eval");
    return localStorage;
  } catch {
    const kept = new Map();
    return {
      getItem: (name) => kept.get(name) ?? null,
      setItem: (name, value) => kept.set(name, value),
      removeItem: (name) => kept.delete(name),
    };
  }
}
