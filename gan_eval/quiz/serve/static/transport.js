// Requests of the page to the server. dealt.js replaces it where there is no server.

const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 2000;
const SLOW_MS = 2500; // after this time without an answer the participant sees a message

/** A refusal (4xx) of the study itself; a retry would not change it. */
export class Refusal extends Error {
  constructor(status, body) {
    super(body.error || `HTTP ${status}`);
    this.status = status;
    this.body = body;
  }
}

/** Random characters that are safe in addresses and file names. */
export function randomName(length) {
  const letters = "abcdefghijkmnpqrstuvwxyz23456789"; // 32, without l, o, 0 and 1, which look alike
  return Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => letters[byte % 32]).join("");
}

/** Return a report with the time at which it is sent: not before a trial that is aborted in its first frame ends. */
export function sentAt(now, report) {
  const moments = [...report.showings, ...report.presses].map(({ offset_ms, at_ms }) => offset_ms ?? at_ms);
  return { ...report, sent_ms: Math.max(now, ...moments) };
}

/** Return the page's transport. */
export const connect = (onTrouble) => new Transport(onTrouble);

export class Transport {
  #token = null;
  #tab = randomName(24);
  #waiting = 0;

  /** `onTrouble(true)` is called when an answer is overdue, `onTrouble(false)` when it has arrived. */
  constructor(onTrouble) {
    this.onTrouble = onTrouble;
    this.query = new URLSearchParams(location.search);
    this.storage = browserStorage();
    this.keyPrefix = `gan-eval ${location.pathname}`;
  }

  /** Return the participant's code for a page without one in its address: made once, then stored by the browser. */
  code() {
    const name = `${this.keyPrefix} participant`;
    const code = this.storage.getItem(name) || `W${randomName(11)}`;
    this.storage.setItem(name, code);
    return code;
  }

  /** Delete the stored code, so that the next person at this browser does not get the code of someone whose data are deleted. */
  dropCode() {
    this.storage.removeItem(`${this.keyPrefix} participant`);
  }

  /** Send a request, and retry until the server answers. Throws `Refusal` if the server refuses it. */
  async post(name, body = {}) {
    return this.#retry(() => this.#send(name, body), (response) => response.json());
  }

  /** Begin or resume a session; later requests use the token of the answer. */
  async enter(name, body) {
    const setup = await this.post(name, { ...body, tab: this.#tab });
    this.#token = setup.token;
    this.participant = body.participant;
    return setup;
  }

  /** Send the time of an onset without waiting for the answer; call `onLost` if the session continues elsewhere. */
  onset(trial, onset_ms, onLost) {
    const body = { trial, onset_ms, sent_ms: performance.now() };
    this.#send("onset", body, { keepalive: true }).then(({ status }) => status === 409 && onLost(), () => {});
  }

  /** Deliver the report of a trial. The browser stores it until it is acknowledged, even if the tab is closed. */
  report(report) {
    return this.#keepAndDeliver({ report, origin: performance.timeOrigin });
  }

  /** Deliver the marks of a trial in the same way. */
  marks(marks) { return this.#keepAndDeliver({ marks }); }

  #keepAndDeliver(message) {
    const unsent = { ...message, token: this.#token, tab: this.#tab };
    this.storage.setItem(this.#unsentName(this.participant), JSON.stringify(unsent));
    return this.#deliver(this.participant, unsent);
  }

  /** Deliver a report that an earlier page could not deliver; the server stores each report once. */
  async deliverUnsent(participant) {
    const kept = this.storage.getItem(this.#unsentName(participant));
    if (kept === null) return;
    try {
      await this.#deliver(participant, JSON.parse(kept));
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof SyntaxError)) throw error;
      if (error.status === 401) return; // another study is served at this address; the answer's own may come back
      this.storage.removeItem(this.#unsentName(participant)); // the session continued elsewhere, or was deleted
    }
  }

  /** Fetch and decode a picture; a damaged picture is fetched again. */
  async picture(address) {
    return this.fetched(address, async (response) => {
      const picture = new Image();
      picture.alt = "";
      picture.src = URL.createObjectURL(await this.content(response, address));
      await picture.decode();
      return picture;
    });
  }

  /** The content of a picture's file. */
  content(response) { return response.blob(); }

  /** Fetch a file, and retry until `read` succeeds. */
  fetched(address, read, options) { return this.#retry(() => fetch(address, options), read); }

  /** Release a picture's memory. */
  release(picture) {
    URL.revokeObjectURL(picture.src);
  }

  #unsentName(participant) {
    return `${this.keyPrefix} unsent ${participant}`;
  }

  async #deliver(participant, { report, marks, origin, token, tab }) {
    const send = () => {
      if (marks) return this.#send("marks", marks, { token, tab });
      // times are on the clock of the page that showed the trial, which may be an earlier page
      return this.#send("trial", sentAt(performance.timeOrigin + performance.now() - origin, report), { token, tab });
    };
    const answer = await this.#retry(send, async (response) => {
      const body = await response.json();
      if (!body.next) throw new Error("this is not the study's answer");
      return body;
    });
    this.storage.removeItem(this.#unsentName(participant));
    return answer;
  }

  #send(name, body, { token = this.#token, tab = this.#tab, keepalive = false } = {}) {
    const headers = { "Content-Type": "application/json" };
    if (token) Object.assign(headers, { Authorization: `Bearer ${token}`, "X-Tab": tab });
    return fetch(`api/${name}`, { method: "POST", headers, body: JSON.stringify(body), keepalive, cache: "no-store" });
  }

  async #retry(send, read) {
    let overdue = false;
    const slow = setTimeout(() => { overdue = true; this.#trouble(1); }, SLOW_MS);
    try {
      for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, MAX_PAUSE_MS)) {
        try {
          const response = await send();
          if (response.ok) return await read(response);
          if (response.status < 500 && ![408, 429].includes(response.status)) {
            const body = await response.json();
            if (body.from === "gan_eval") throw new Refusal(response.status, body);
          }
        } catch (error) {
          if (error instanceof Refusal) throw error; // anything else is the network or a proxy: try again
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

/** Return the browser's storage; if it is forbidden, return a storage that lasts as long as the page. */
function browserStorage() {
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
