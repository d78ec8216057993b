// The page without its server, for JATOS and for hosts that only hold files: its list is dealt beforehand.
//
// The browser stores what the page would post as numbered records, until JATOS, a POST, or a file takes them to the
// experimenter. `gan-eval store import-page` replays them.

import { fromBase64, listKey, opened } from "./cipher.js";
import { Refusal, Transport, randomName, sentAt } from "./transport.js";

const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30000;
const SLOW_MS = 2500; // at the end, after this time the participant sees a message
const LAST_WAIT_MS = 15000; // at the end, after this time the answers are offered as a file
const DATAPIPE = "https://pipe.jspsych.org/api/data/";
const ARRIVING = ["open", "begin", "resume", "decline"]; // requests that need no session

const LINK = /^#(all\.)?([\w-]{43})\.([\w-]{22})$/; // the key of one list or of all, and the proof of the link

const pause = (length) => new Promise((resolve) => setTimeout(resolve, length));

/** Return the transport when JATOS, if it shows the page, is ready. */
export async function connect(onTrouble, { dealt }) {
  if (window.jatos) await new Promise((resolve) => jatos.onLoad(resolve));
  return new DealtTransport(onTrouble, dealt);
}

/** A UUID of version 7, which sorts by time. */
function sessionId() {
  const bytes = crypto.getRandomValues(new Uint8Array(9));
  const random = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const time = Date.now().toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(6)}`;
}

/** Records as one JSON array, with a line for each. */
const whole = (records) => `[\n${records.map((record) => JSON.stringify(record)).join(",\n")}\n]\n`;

class DealtTransport extends Transport {
  #dealt;
  #link; // what is behind # in the address; in JATOS the page has it
  #state = null; // of the session, as the browser stores it
  #list = null; // setup, trials and practice feedback of the session's list
  #tab = randomName(24);
  #restedAfter = 0; // number of trials that were done when the page was opened; no break follows at that point
  #sending = null;

  constructor(onTrouble, dealt) {
    super(onTrouble);
    this.#dealt = dealt;
    this.keyPrefix += ` ${dealt.page}`;
    if (window.jatos) this.query = new URLSearchParams(jatos.urlQueryParameters);
    const [link, all, key, proof] = LINK.exec(dealt.open_to_all ? `#${dealt.open_to_all}` : location.hash) ?? [];
    this.#link = link && { all: Boolean(all), key: fromBase64(key), proof };
    addEventListener("hashchange", () => location.reload()); // the whole link, after an incomplete one
  }

  async post(name, body = {}) {
    if (!ARRIVING.includes(name)) this.#requireTab();
    return this[`_${name}`](body);
  }

  onset(trial, onset_ms, onLost) {
    const seen = { at: Date.now(), body: { trial, onset_ms, sent_ms: performance.now() } };
    if (this.#hasTab()) this.storage.setItem(this.#name("onset"), JSON.stringify(seen));
    else onLost();
  }

  async report(report) {
    this.#requireTab();
    const trial = this.#list.trials[this.#state.done];
    const answer = this.#answerTo(trial, report);
    const marks = this.#toMark(trial, report, answer);
    const feedback = this.#feedback(trial, report, answer);
    this.#record("trial", sentAt(performance.now(), report), { done: this.#state.done + 1, marks: marks && { ...marks, feedback } });
    return { feedback: marks ? null : feedback, next: await this.#next() };
  }

  async marks(marks) {
    this.#requireTab();
    const { feedback } = this.#state.marks;
    this.#record("marks", marks, { marks: null });
    return { feedback, next: await this.#next() };
  }

  async deliverUnsent() {} // these are sent when the session continues

  // ---- responses to the page's requests

  async _open({ participant }) {
    const { nobody, names, pages } = this.#dealt;
    const reduced = participant.replace(/[^\p{L}\p{N}]+/gu, "").toLowerCase();
    const isNobody = !names.includes(participant) && new RegExp(`^(?:${nobody})$`).test(reduced);
    if (isNobody || !/^[\p{L}\p{N}_.-]{1,64}$/u.test(participant)) throw new Refusal(422, pages.bad_code);
    this.participant = participant;
    this.#state = this.#stored();
    if (this.#state?.end) {
      this.#takeTab();
      return this.#ended();
    }
    if (!this.#link || !(this.#link.all || this.#asked())) throw new Refusal(422, pages.bad_link);
    if (!this.#state) {
      if (!this.#link.all) await this.#load(this.#asked());
      return { page: "welcome" };
    }
    await this.#load(this.#state.list);
    const { done = 0, trials = 0 } = this.#list.trials[this.#state.done] ?? this.#state.marks ?? {};
    return { page: "resume", started_at: this.#state.started_at, done, trials };
  }

  async _decline({ unfit }) {
    this.#endInJatos(false);
    return this.#dealt.pages[unfit ?? "declined"];
  }

  async _begin(body) {
    const list = await this.#chooseList();
    await this.#load(list);
    this.#state = this.#stored(); // another tab may have begun meanwhile
    if (this.#state) return this.#joined(body);
    this.#state = { session: sessionId(), list, started_at: new Date().toISOString(), n: 0, unsent: [], done: 0 };
    this.#takeTab();
    this.#record("begin", body, {}, { proof: this.#link.proof, list_sha256: this.#list.sha256 });
    return this.#setup();
  }

  /** Continue with the session that another tab has begun, or show its end. */
  async #joined(body) {
    if (this.#state.end) {
      this.#takeTab();
      throw new Refusal(409, await this.#ended());
    }
    await this.#load(this.#state.list);
    return this._resume(body);
  }

  async _resume(body) {
    this.#takeTab();
    const seen = JSON.parse(this.storage.getItem(this.#name("onset")));
    if (seen && seen.body.trial === this.#list.trials[this.#state.done]?.trial) { // it counts as seen
      this.#record("onset", seen.body, { done: this.#state.done + 1 }, { at: seen.at });
    }
    this.#record("resume", body, { marks: null });
    return this.#setup();
  }

  async _check(body) {
    const { checks, attempts } = this.#dealt;
    const left = attempts - (this.#state.attempts ?? 0) - 1;
    this.#record("check", body, { attempts: attempts - left });
    if (checks.every((choice, index) => choice === body.choices[index])) return { passed: true };
    return left > 0 ? { passed: false, left } : this.#screenedOut("comprehension");
  }

  async _ready(body) {
    const { screen } = body;
    const { touch, lowest_refresh_hz, smallest_window } = this.#dealt.gate;
    const [width, height] = smallest_window.map((length) => Math.floor(length * screen.device_pixel_ratio));
    this.#record("ready", body, { ready: true, refresh_hz: screen.refresh_hz });
    if (!touch && screen.touch) return this.#screenedOut("touch");
    if (screen.window_width < width || screen.window_height < height) return this.#screenedOut("window_width");
    if ((screen.refresh_hz ?? 0) < lowest_refresh_hz) return this.#screenedOut("refresh_rate");
    return this._next();
  }

  async _next() {
    return { next: await this.#next() };
  }

  async _withdraw({ forget }) {
    if (forget && (window.jatos || this.#state.n === this.#state.unsent.length)) { // nothing is anywhere else
      if (window.jatos) jatos.abortStudy("", false); // JATOS deletes the results
      this.storage.removeItem(this.#name("session"));
      return this.#dealt.pages.forgotten;
    }
    if (forget) this.#keep({ unsent: [] });
    this.#record("withdraw", { forget }, { end: forget ? "forgotten" : "withdrawn" });
    return this.#ended(false);
  }

  #setup() {
    const { done, ready = false } = this.#state;
    this.#restedAfter = done;
    return { ...this.#list.setup, ready, next: this.#list.trials[done] }; // the page now only loads its pictures
  }

  /** The next trial, with its times in whole frames, or the last page. */
  async #next() {
    const { done, refresh_hz: rate } = this.#state;
    const trial = this.#list.trials[done];
    if (this.#state.marks) return this.#state.marks;
    if (!trial) {
      this.#keep({ end: "end" });
      return this.#ended();
    }
    const inFrames = (time) => (rate ? (Math.max(1, Math.floor((time * rate) / 1000 + 0.5)) * 1000) / rate : time);
    return {
      ...trial,
      planned_exposure_ms: trial.planned_exposure_ms === null ? null : inFrames(trial.planned_exposure_ms),
      gap_ms: trial.showings.length > 1 ? inFrames(trial.gap_ms) : 0,
      break: trial.break?.kind === "break" && done <= this.#restedAfter ? null : trial.break,
    };
  }

  /** The name of the answer in a report; undefined: none. */
  #answerTo({ response_ms }, { presses, showings }) {
    const onset = showings.at(-1).onset_ms;
    const answers = ({ repeated, at_ms }) => !repeated && at_ms >= onset && at_ms <= onset + (response_ms ?? Infinity);
    const press = presses.find(answers);
    return press && this.#list.setup.answers.find(({ key }) => key === press.key).name;
  }

  /** The question for marks after a trial, of a pair in the picture that was not chosen; null: not asked. */
  #toMark({ trial, phase, showings, sizes, done, trials }, { broken_off }, answer) {
    const { every, ...asked } = this.#list.marks;
    const [addresses, all] = [showings.flat(), sizes.flat()];
    if (!asked.limit || !answer || broken_off) return null;
    if (addresses.length === 1 && !every && answer !== "fake") return null;
    const place = addresses.length > 1 && ["left", "first"].includes(answer) ? 1 : 0;
    return { page: "marks", trial, phase, address: addresses[place], size: all[place], ...asked, done, trials };
  }

  /** Feedback on a practice trial; the page contains the truth of these trials only. */
  #feedback({ trial }, { broken_off }, answer) {
    const known = this.#list.feedback[trial];
    if (!known || broken_off) return null;
    if (answer && known.truth === null) return null;
    return { text: answer ? known[answer === known.truth ? "right" : "wrong"] : known.none, captions: known.captions };
  }

  async #screenedOut(check) {
    this.#keep({ end: check });
    return { ...(await this.#ended(false)), page: "refused" };
  }

  // ---- lists

  /** Load a list; a link that does not open it, or that is another participant's, is refused. */
  async #load(number) {
    const { all, key } = this.#link;
    const read = async (response) => opened(await response.arrayBuffer(), all ? listKey(key, number) : key);
    const content = await this.fetched(`lists/${number}.bin`, read, { cache: "no-cache" });
    try {
      this.#list = JSON.parse(new TextDecoder().decode(content));
    } catch {
      this.#list = null; // the key is that of another list
    }
    if (!this.#list || !(all || this.#list.code === this.participant)) throw new Refusal(422, this.#dealt.pages.bad_link);
  }

  /** A picture's file; its key is behind # in its address. */
  async content(response, address) {
    const content = await opened(await response.arrayBuffer(), fromBase64(address.split("#")[1]));
    return new Blob([content], { type: "image/png" });
  }

  /** The list of the address; null without one. */
  #asked() {
    const asked = Number(this.query.get("list"));
    return Number.isInteger(asked) && asked >= 1 && asked <= this.#dealt.lists ? asked : null;
  }

  /** The list of the address; in JATOS the next one of the batch; otherwise a random one. */
  async #chooseList() {
    const { lists, page } = this.#dealt;
    const asked = this.#asked();
    if (asked) return asked;
    if (!window.jatos) return 1 + Math.floor(Math.random() * lists);
    for (let attempt = 0; jatos.batchSession && attempt < 10; attempt += 1) {
      try {
        const dealt = jatos.batchSession.get(`lists_${page}`) ?? 0;
        await jatos.batchSession.set(`lists_${page}`, dealt + 1); // fails if another participant was faster
        return 1 + (dealt % lists);
      } catch {
        await pause(100 + 400 * Math.random());
      }
    }
    return 1 + (Number(jatos.studyResultId) || 0) % lists; // without a batch channel
  }

  // ---- what the browser stores

  #name(what) {
    return `${this.keyPrefix} ${what} ${this.participant}`;
  }

  /** The session of this participant in this browser; null without one. */
  #stored() {
    return JSON.parse(this.storage.getItem(this.#name("session")));
  }

  #takeTab() {
    this.storage.setItem(this.#name("tab"), this.#tab);
  }

  #hasTab() {
    return this.storage.getItem(this.#name("tab")) === this.#tab;
  }

  #requireTab() {
    if (!this.#hasTab()) throw new Refusal(409, this.#dealt.pages.taken_over);
  }

  #keep(changes) {
    Object.assign(this.#state, changes);
    this.storage.setItem(this.#name("session"), JSON.stringify(this.#state));
  }

  /** Store a record together with changes of the state, then send it in the background. */
  #record(name, body, changes = {}, more = {}) {
    const { session, list, n, unsent } = this.#state;
    const record = { gan_eval: 1, page: this.#dealt.page, session, list, n, name, at: Date.now(), body, ...more };
    this.#keep({ ...changes, n: n + 1, unsent: [...unsent, record] });
    this.#send();
  }

  // ---- sending

  /** Send the records in their order; each is tried again until it has arrived. */
  #send() {
    const { post, datapipe } = this.#dealt;
    if (window.jatos || post || (datapipe && this.#state.end)) { // DataPipe takes one file of a session
      this.#sending ??= this.#sendAll().finally(() => { this.#sending = null; });
    }
    return this.#sending;
  }

  async #sendAll() {
    let wait = FIRST_PAUSE_MS;
    while (this.#state.unsent.length && this.#hasTab()) {
      const records = this.#dealt.datapipe ? this.#state.unsent : this.#state.unsent.slice(0, 1);
      try {
        await this.#deliver(records);
        this.#keep({ unsent: this.#state.unsent.slice(records.length) });
        wait = FIRST_PAUSE_MS;
      } catch {
        await pause(wait);
        wait = Math.min(2 * wait, MAX_PAUSE_MS);
      }
    }
  }

  async #deliver(records) {
    const { post, datapipe } = this.#dealt;
    const record = JSON.stringify(records[0]);
    if (window.jatos) return jatos.appendResultData(`${record}\n`);
    const file = { experimentID: datapipe, filename: `${records[0].session}.json`, data: whole(records) };
    const headers = { "Content-Type": "application/json" };
    const body = datapipe ? JSON.stringify(file) : record;
    const response = await fetch(datapipe ? DATAPIPE : post, { method: "POST", headers, body });
    if (response.ok || (datapipe && (await response.json()).error === "OSF_FILE_EXISTS")) return null;
    throw new Error(`HTTP ${response.status}`);
  }

  /** The last page, when everything has been sent; if that fails, with the answers as a file. */
  async #ended(successful = true) {
    const { url, code, ...page } = this.#dealt.pages[this.#state.end];
    const sending = this.#send();
    const slow = setTimeout(() => this.onTrouble(sending !== null), SLOW_MS);
    await Promise.race([sending, pause(LAST_WAIT_MS)]);
    clearTimeout(slow);
    this.onTrouble(false);
    const { unsent, session } = this.#state;
    if (!unsent.length) {
      this.#endInJatos(successful);
      return { ...page, url, code };
    }
    const address = URL.createObjectURL(new Blob([whole(unsent)], { type: "application/json" }));
    const offer = { ...page, text: this.#dealt.pages.file, file: { name: `${session}.json`, address } };
    if (!sending) return { ...offer, url, code };
    sending.then(() => location.reload()); // then with the study's return address
    return offer;
  }

  #endInJatos(successful) {
    if (window.jatos) jatos.endStudy(successful, "", false); // without JATOS' own last page
  }
}
