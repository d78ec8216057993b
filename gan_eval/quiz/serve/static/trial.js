// One trial on the screen, frame by frame, and its report. Requests to the server and other pages are in other files.
//
// Pictures are on plates: compositor layers that are in the document, decoded and rasterised, before their onset.
// Showing and hiding a plate changes only its opacity, so that both take the same short time. Every change is made in
// the callback of an animation frame. Times are those of the frames, in ms of `performance.now()`.

import { askMarks } from "./marks.js";

const GAP = 64; // between two pictures side by side, in device pixels as on the desktop
const MARGIN = 12; // around a picture nothing else is drawn, in device pixels
const CAPTION_SIZES = [1, 0.85, 0.7]; // of a caption, relative to normal text: the first one that fits
const FIRST_BLANK_MS = 1000; // after a page, the eyes and the fingers need a moment
const PATCH = 48; // side of the photodiode's patch in device pixels, as on the desktop
const PAUSE = 56; // side in CSS pixels of the corner with the pause symbol
const SETTLE_MS = 500; // the next page ignores keys and touches for this time after a press during a trial
const STRAGGLERS_MS = 20; // a press within the response window may be handled after it has closed
const MAX_REPEATS = 100; // in a trial; a key that is held down repeats without end
const BANNER_MS = 5000; // browsers cover the top of a new full screen with a message for up to this time
const COARSE_MS = 5; // steps of the clock from which times are not to be relied on
const FRAMES_MEASURED = 60; // at least; a hidden tab has none for a long time
const FRAMES_TO_SETTLE = 10; // before a measurement
const FRAMES_TO_PREPARE = 4; // number of frames after which a new plate is rasterised

/** Smallest step of the clock in ms: 16.67 where Firefox resists fingerprinting, otherwise 1 or less. */
function clockStep() {
  const steps = Array.from({ length: 3 }, () => {
    const before = performance.now();
    let now = before;
    while (now === before) now = performance.now();
    return now - before;
  });
  return Math.min(...steps);
}

// In Chromium a change in every frame makes some onsets a frame late.
const isFirefox = "mozInnerScreenX" in window;
const coarseClock = clockStep() > COARSE_MS;
let measuredRatio = null;

/** Device pixels of a CSS pixel. A browser that resists fingerprinting says 2 on every display; its boxes do not. */
export const pixelRatio = () => measuredRatio ?? devicePixelRatio;

if (coarseClock) {
  new ResizeObserver(([{ contentBoxSize: [own], devicePixelContentBoxSize: [device] }]) => {
    measuredRatio = device.inlineSize / own.inlineSize;
    dispatchEvent(new Event("resize")); // the window's own event came before this measurement
  }).observe(document.querySelector("#ruler"), { box: "device-pixel-content-box" });
}

const nextFrame = () => new Promise(requestAnimationFrame);

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Intervals between frames without those in which frames were missed, and without the shorter one after each, in which a
 * late callback catches up.
 */
function steady(intervals) {
  const longest = 1.5 * median(intervals);
  return intervals.filter((interval, index) => interval <= longest && !(intervals[index - 1] > longest));
}

/** Length of a frame in ms: a mean, because WebKit gives the times of frames in whole ms (17 or 16 at 60 Hz). */
export const frameLength = (intervals) => mean(steady(intervals));

/** Number of frames that these intervals had and no callback; a callback may be late and the next one on time again. */
export function missedFrames(intervals, frame) {
  const passed = intervals.reduce((sum, interval) => sum + interval, 0);
  return Math.max(0, Math.round(passed / frame) - intervals.length);
}

/** Time of an event in ms of `performance.now()`; WebKit's may be ahead of that clock. */
export const timeOf = (event) => Math.min(event.timeStamp, performance.now());

/** Measure the display for this time in ms, and over 60 frames or more. */
export async function measureFrames(length) {
  const times = [];
  for (let count = 0; count < FRAMES_TO_SETTLE; count += 1) await nextFrame(); // a busy page is late in its first ones
  while (times.length <= FRAMES_MEASURED || times.at(-1) - times[0] < length) times.push(await nextFrame());
  const intervals = times.slice(1).map((time, index) => time - times[index]);
  const frame = frameLength(intervals);
  const missed = missedFrames(intervals, frame);
  return {
    frame_ms: frame,
    refresh_hz: 1000 / frame,
    jitter_ms: Math.sqrt(mean(steady(intervals).map((interval) => (interval - frame) ** 2))),
    missed,
    frames: intervals.length + missed,
    dropped: missed / (intervals.length + missed),
  };
}

/**
 * Return the key of `wanted` that was pressed: by its character in either case; if that is not a Latin letter, by the
 * place of the key on a US keyboard. Null: another key.
 */
export function matchingKey(event, wanted) {
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  const character = event.key.toLowerCase();
  if (wanted.includes(character)) return character;
  if (/^[a-z]$/.test(character)) return null;
  const place = US_PLACES[event.code] ?? (/^(?:Key|Digit|Numpad)(.)$/.exec(event.code)?.[1] ?? "").toLowerCase();
  return place && wanted.includes(place) ? place : null;
}

const US_PLACES = {
  Minus: "-", Equal: "=", BracketLeft: "[", BracketRight: "]", Semicolon: ";", Quote: "'", Backquote: "`",
  Backslash: "\\", Comma: ",", Period: ".", Slash: "/",
};

/** Put an answer's key and label into an element, and return the element. */
export function answerCap(element, { name, key, label }) {
  element.className = "answer";
  element.dataset.key = key.toLowerCase();
  const cap = document.createElement("kbd");
  if (label && !Number(name)) cap.className = "letter"; // a touch screen needs no letter next to the answer
  cap.textContent = keyName(key);
  element.append(cap);
  if (label) element.append(Object.assign(document.createElement("span"), { textContent: label }));
  return element;
}

/** The name of a key as it stands on the keyboard. */
export const keyName = (key) =>
  key.toLowerCase() === key && key.toUpperCase().toLowerCase() === key ? key.toUpperCase() : key;

/** A button that answers: the answer's label and its key. */
export function answerButton(answer) {
  const button = answerCap(document.createElement("button"), answer);
  button.type = "button";
  button.dataset.action = `answer-${answer.name}`;
  button.setAttribute("aria-label", answer.label || answer.name);
  return button;
}

/** The trial was broken off: paused, or the tab was hidden. */
class BrokenOff extends Error {}

export class Stage {
  #settings;
  #open = false;
  #frameMs = 1000 / 60;
  #lastFrame = null;
  #intervals = []; // of all frames of the trial
  #counted = null; // of those from the first onset to the last offset; null: no picture has been shown
  #presses = [];
  #lastPress = -Infinity;
  #flags = new Set();
  #blankFrom = 0;
  #blankMs = 0;
  #broken = null; // the flag of a trial that was broken off
  #reject = () => {};
  #onPress = () => {};
  #plates = [];
  #area = { width: 0, height: 0 };
  #cutOff = 0; // height in device pixels of a caption that fits nowhere
  #mode = "answer"; // or "confidence"
  #answer = null; // the press that answered
  #vanished = false; // the last picture has been hidden
  #counting = true; // frames may still change what is seen of the pictures
  #coveredUntil = 0; // by the browser's message about full screen

  constructor(main, element) {
    this.main = main;
    this.element = element;
    const part = (name) => element.querySelector(`.${name}`);
    [this.platesBox, this.mark, this.headline, this.progress] = ["plates", "mark", "headline", "progress"].map(part);
    this.caption = part("caption");
    [this.bar, this.notice, this.review, this.patch] = ["answers", "notice", "shown-again", "patch"].map(part);
    [this.beat, this.marking] = [part("beat"), part("marking")];
    addEventListener("keydown", (event) => this.#keydown(event));
    addEventListener("blur", () => this.#flags.add("focus_lost"));
    addEventListener("resize", () => this.#screenChanged());
    const filled = (full) => { if (full) this.#coveredUntil = performance.now() + BANNER_MS; };
    matchMedia("(display-mode: fullscreen)").addEventListener("change", ({ matches }) => filled(matches)); // by F11
    document.addEventListener("fullscreenchange", () => {
      filled(document.fullscreenElement !== null);
      this.#screenChanged();
      if (!document.fullscreenElement) this.breakOff("paused"); // the browser took Escape for itself
    });
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.breakOff("hidden_tab");
    });
    this.bar.addEventListener("pointerdown", (event) => this.#touch(event));
    this.bar.addEventListener("click", (event) => {
      if (event.detail === 0) this.#touch(event); // made by a screen reader or a script, without a pointer
    });
    element.addEventListener("contextmenu", (event) => event.preventDefault()); // of a finger that rests on a picture
    part("pause").addEventListener("click", () => this.breakOff("paused"));
  }

  /** Apply the settings that all trials share. */
  configure(settings) {
    this.#settings = settings;
    this.patch.parentElement.hidden = !settings.corner_patch;
    this.#ask("answer");
  }

  set frameMs(frame) {
    if (frame > 0) this.#frameMs = frame;
  }

  /** Show the grey page; the first blank is longer. */
  open() {
    this.element.hidden = false;
    this.#open = true;
    this.#ask("answer");
    this.#clear();
    this.#startBlank(performance.now(), Math.max(FIRST_BLANK_MS, this.#settings.blank_ms));
    document.activeElement?.blur();
  }

  close() {
    this.#open = false;
    this.element.hidden = true;
    this.#clear();
    for (const name of ["trial", "phase", "state"]) delete this.main.dataset[name];
  }

  /** Wait until a repeated press of the last answer's key or button is no longer expected. */
  async settled() {
    for (let left; (left = this.#lastPress + SETTLE_MS - performance.now()) > 0;) {
      await new Promise((resolve) => setTimeout(resolve, left));
    }
  }

  /** Pause: break off the current trial; its report has the flag if a picture has been shown. */
  breakOff(flag) {
    if (!this.#open || this.#broken) return;
    this.#broken = flag;
    this.#reject(new BrokenOff());
  }

  /** True if the current trial was broken off. */
  get brokenOff() {
    return this.#broken !== null;
  }

  /**
   * Present a trial from the blank before it to its answer.
   *
   * `load(address)` promises a decoded picture; `onOnset(ms)` is called in the frame after the first picture appeared.
   * Return the report; null if the trial was broken off before a picture was shown.
   */
  async run(trial, load, onOnset) {
    Object.assign(this.main.dataset, { trial: trial.trial, phase: trial.phase, state: "waiting" });
    this.#flags.clear();
    if (coarseClock) this.#flags.add("coarse_clock");
    this.#intervals = [];
    this.#counted = null;
    this.#counting = true;
    this.#broken = document.hidden ? "hidden_tab" : null;
    const seen = [];
    const taken = { confidence: null, brokenAt: null };
    this.progress.textContent = trial.progress;
    this.#show(this.progress, true);
    this.#show(this.mark, this.#settings.fixation_mark);
    try {
      await this.#prepare(trial, load);
      await this.#present(trial, seen, onOnset);
      if (this.#answer && this.#settings.confidence) taken.confidence = await this.#askConfidence();
    } catch (error) {
      if (!(error instanceof BrokenOff)) throw error;
      taken.brokenAt = performance.now();
      this.#hideAll();
      if (!seen.length) return null;
      seen.at(-1).offset_ms ??= Math.max(seen.at(-1).onset_ms, taken.brokenAt);
    }
    this.main.dataset.state = "saving";
    const report = this.#report(trial, seen, taken);
    this.#ask("answer");
    this.#startBlank(performance.now(), this.#settings.blank_ms);
    return report;
  }

  /** In practice, show whether the answer was correct, with the pictures if there is a truth. */
  async feedback({ text, captions }) {
    const pictures = this.#plates.flatMap((plate) => [...plate.querySelectorAll("img:not(.mask)")]);
    this.#show(this.mark, false);
    this.#show(this.progress, false);
    this.review.replaceChildren();
    const ratio = pixelRatio();
    if (captions.length) {
      const sizes = pictures.map(({ dataset }) => [dataset.width / ratio, dataset.height / ratio]);
      const wide = sizes.reduce((sum, [width]) => sum + width, 0) + (GAP / ratio) * (sizes.length - 1);
      const high = Math.max(...sizes.map(([, height]) => height));
      const barHeight = this.bar.offsetHeight;
      const scale = Math.min(1, (innerWidth - 32) / wide, (innerHeight - barHeight - 160) / high);
      const row = document.createElement("div");
      row.className = "row";
      pictures.forEach((picture, index) => {
        const figure = document.createElement("figure");
        const caption = document.createElement("figcaption");
        caption.textContent = captions[index] ?? "";
        picture.style.transform = ''; picture.style.width = `${sizes[index][0] * scale}px`;
        picture.style.height = `${sizes[index][1] * scale}px`;
        figure.append(picture, caption);
        row.append(figure);
      });
      this.review.append(row);
    }
    const message = document.createElement("p");
    message.className = "message";
    message.textContent = text;
    this.review.append(message);
    this.review.hidden = false;
    try {
      await this.#until((await this.#frame()) + this.#settings.feedback_ms);
    } catch (error) {
      if (!(error instanceof BrokenOff)) throw error;
    }
    this.review.hidden = true;
    this.review.replaceChildren();
    this.#startBlank(performance.now(), this.#settings.blank_ms);
  }

  /** Ask for marks in a picture of the last trial, without a repeated press of its answer. Null: paused meanwhile. */
  async takeMarks(asked, load) {
    Object.assign(this.main.dataset, { trial: asked.trial, phase: asked.phase, state: "waiting" });
    this.#broken = document.hidden ? "hidden_tab" : null;
    const stopped = new AbortController();
    this.#reject = () => stopped.abort();
    for (const part of [this.mark, this.progress]) this.#show(part, false);
    [this.#mode, this.keys] = ["marks", []];
    try {
      const [picture] = await Promise.all([load(asked.address), this.settled()]);
      if (this.#broken) return null;
      const { signal } = stopped;
      const onShown = () => { this.main.dataset.state = "marking"; };
      return await askMarks(this.marking, picture, asked, { signal, byTouch: this.#settings.by_touch, pixelRatio, timeOf, onShown });
    } finally {
      this.main.dataset.state = "saving";
      this.#ask("answer");
      this.#startBlank(performance.now(), this.#settings.blank_ms);
    }
  }

  // ---- the course of a trial

  /** Decode and rasterise everything that the trial shows. */
  async #prepare(trial, load) {
    const broken = new Promise((_, reject) => { this.#reject = reject; });
    if (this.#broken) throw new BrokenOff();
    const all = (groups) => Promise.all(groups.map((group) => Promise.all(group.map(load))));
    const [showings, masks] = await Promise.race([Promise.all([all(trial.showings), all(trial.masks)]), broken]);
    this.#plates = showings.map((pictures, index) => plate(pictures, trial.sizes[index]));
    this.masks = masks.map((pictures, index) => plate(pictures, trial.sizes[index], "mask"));
    this.platesBox.replaceChildren(...this.#plates, ...this.masks);
    this.#write(this.#settings.by_touch ? trial.cue_touch : trial.cue);
    this.#show(this.headline, false);
    this.caption.textContent = trial.caption;
    this.#layout();
    for (let count = 0; count < FRAMES_TO_PREPARE; count += 1) await this.#frame();
  }

  async #present(trial, seen, onOnset) {
    const { planned_exposure_ms: exposure, response_ms: response, gap_ms: gap } = trial;
    const flash = exposure !== null;
    const window = response ?? Infinity;
    let due = this.#blankFrom + this.#blankMs;
    let frame;
    let cued = false;
    this.#answer = null;
    for (const [index, pictures] of this.#plates.entries()) {
      const last = index === this.#plates.length - 1;
      const masks = flash ? this.masks[index] : undefined;
      // the onset
      frame = await this.#until(due);
      while (index === 0 && (!this.notice.hidden || frame < this.#coveredUntil)) frame = await this.#frame();
      this.#show(this.progress, false);
      this.#show(this.mark, false);
      this.#hideAll();
      this.#show(pictures, true);
      this.#show(this.caption, true);
      this.#show(this.patch, true);
      this.main.dataset.state = "shown";
      const onset = performance.now(); // pictures are visible soon after this; the frame began slightly earlier
      const started = frame;
      seen.push({ onset_ms: onset, offset_ms: null });
      this.#counted ??= [];
      if (!document.hasFocus()) this.#flags.add("focus_lost");
      if (last) this.#takeAnswers(onset, onset + window);
      // in the frame after it
      if (index === 0) {
        frame = await this.#frame();
        onOnset(onset);
      }
      // the offset
      if (flash) frame = await this.#until(started + exposure, frame);
      else frame = await this.#untilAnswer(started + window, frame);
      this.#show(pictures, false);
      this.#show(this.caption, false);
      this.#show(this.patch, false);
      const closing = frame - started >= window - this.#frameMs / 2;
      if (masks) this.#show(masks, true);
      else if (last) cued = this.#cue(flash && !closing);
      else this.#show(this.mark, this.#settings.fixation_mark);
      this.main.dataset.state = last && this.#answer ? "saving" : "hidden";
      seen.at(-1).offset_ms = performance.now();
      if (last) this.#vanished = true;
      due = frame + gap;
      // the mask's offset; between two pictures, the mask stays until the second one if the gap is shorter
      if (masks && (last || this.#settings.mask_ms < gap)) {
        const maskEnd = frame + this.#settings.mask_ms;
        frame = await this.#until(maskEnd);
        this.#show(masks, false);
        if (last) cued = this.#cue(frame - started < window - this.#frameMs / 2);
        else this.#show(this.mark, this.#settings.fixation_mark);
      }
    }
    this.#counting = false;
    if (!this.#answer) await this.#untilAnswer(seen.at(-1).onset_ms + window + STRAGGLERS_MS + this.#frameMs / 2, frame);
    if (cued) this.#show(this.headline, false);
    this.#onPress = () => {};
  }

  /** Show the question with its keys while it is open. */
  #cue(wanted) {
    const cued = wanted && !this.#answer;
    this.#show(this.headline, cued);
    return cued;
  }

  /** Take the first press of an answer's key within the response window as the answer. */
  #takeAnswers(onset, closes) {
    this.#vanished = false;
    this.#onPress = (press) => {
      if (this.#answer || press.repeated || press.at_ms < onset || press.at_ms > closes) return;
      this.#answer = press;
      if (this.#vanished) this.main.dataset.state = "saving";
    };
    for (const press of this.#presses) this.#onPress(press); // one that came between this frame and its onset
  }

  async #askConfidence() {
    this.#ask("confidence");
    this.#write(this.#settings.confidence_question);
    this.#place(this.headline, { width: 0, height: 0 });
    this.#show(this.headline, true);
    try {
      const asked = await this.#frame(); // an earlier press was not meant for this question
      this.main.dataset.page = "confidence";
      this.main.dataset.state = "hidden";
      return await new Promise((resolve, reject) => {
        this.#reject = reject;
        this.#onPress = (press) => {
          if (!press.repeated && press.at_ms >= asked) resolve(Number(press.key));
        };
      });
    } finally {
      this.#onPress = () => {};
      this.#show(this.headline, false);
      this.#ask("answer");
      this.main.dataset.page = "trial";
    }
  }

  #report(trial, seen, { confidence, brokenAt }) {
    const frame_ms = this.#intervals.length > 10 ? frameLength(this.#intervals) : this.#frameMs;
    const missed_frames = missedFrames(this.#counted, frame_ms);
    if (missed_frames) this.#flags.add("missed_frames");
    if (this.#broken === "hidden_tab") this.#flags.add("hidden_tab");
    const presses = this.#presses;
    this.#presses = [];
    this.frameMs = frame_ms;
    return {
      trial: trial.trial,
      showings: seen,
      presses,
      confidence,
      broken_off: brokenAt === null ? null : { at_ms: brokenAt, flag: this.#broken },
      flags: [...this.#flags].sort(),
      frame_ms,
      missed_frames,
    };
  }

  #startBlank(from, length) {
    [this.#blankFrom, this.#blankMs] = [from, length];
    this.#show(this.mark, this.#settings.fixation_mark);
  }

  // ---- frames

  #frame() {
    return new Promise((resolve, reject) => {
      if (this.#broken) reject(new BrokenOff());
      this.#reject = reject;
      requestAnimationFrame((time) => {
        if (this.#lastFrame !== null && time > this.#lastFrame) {
          this.#intervals.push(time - this.#lastFrame);
          if (this.#counted && this.#counting) this.#counted.push(time - this.#lastFrame);
        }
        this.#lastFrame = time;
        if (isFirefox) this.beat.classList.toggle("seen"); // it follows the display only if something changes
        resolve(time);
      });
    });
  }

  /** Wait for the first frame that is due; return its time. `frame` is the current frame, if one has begun. */
  async #until(due, frame = -Infinity) {
    while (frame < due - this.#frameMs / 2) frame = await this.#frame();
    return frame;
  }

  /** Wait for the first frame after the answer, or for the first that is due. */
  async #untilAnswer(due, frame) {
    while (frame < due - this.#frameMs / 2) {
      frame = await this.#frame();
      if (this.#answer) break;
    }
    return frame;
  }

  // ---- answers

  #ask(mode) {
    this.#mode = mode;
    const { answers, confidence, confidence_labels: labels } = this.#settings;
    const levels = Array.from({ length: confidence }, (_, index) => String(index + 1));
    const items = mode === "answer" ? answers : levels.map((name) => ({ name, key: name, label: labels[name] ?? "" }));
    const half = Math.ceil(items.length / 2);
    const groups = [items.slice(0, half), items.slice(half)].map((group) => {
      const element = document.createElement("div");
      element.className = "group";
      element.style.setProperty("--count", group.length);
      element.append(...group.map(answerButton));
      return element;
    });
    for (const button of groups.flatMap((group) => [...group.children])) button.tabIndex = -1;
    this.bar.classList.toggle("many", items.length > 2);
    this.bar.replaceChildren(...groups);
    this.keys = items.map(({ key }) => key.toLowerCase());
  }

  #keydown(event) {
    if (!this.#open) return;
    if (event.key === "Escape") {
      if (!event.repeat) this.breakOff("paused");
      return;
    }
    const key = matchingKey(event, this.keys);
    if (key === null) return;
    event.preventDefault();
    this.#press({ key, at_ms: timeOf(event), repeated: event.repeat });
  }

  #touch(event) {
    const button = event.target.closest("button");
    if (!this.#open || !button || event.button) return; // only the first button of a mouse counts
    event.preventDefault(); // no focus, no selection, no zoom
    this.#press({ key: button.dataset.key, at_ms: timeOf(event), repeated: false });
  }

  #press(press) {
    if (!press.repeated) this.#lastPress = press.at_ms;
    const counts = !press.repeated || this.#presses.length < MAX_REPEATS;
    if (this.#mode === "answer" && counts) this.#presses.push(press);
    this.#onPress(press);
  }

  // ---- layout

  #show(layer, seen) {
    layer.classList.toggle("seen", seen);
  }

  /** Write a line whose parts, separated by two or more spaces, are not broken. */
  #write(line) {
    this.headline.replaceChildren(...line.split(/ {2,}/).map((words) => {
      const part = document.createElement("span");
      part.textContent = words;
      return part;
    }));
  }

  #hideAll() {
    for (const layer of [...this.#plates, ...(this.masks ?? []), this.headline, this.caption, this.patch]) this.#show(layer, false);
  }

  #clear() {
    this.#onPress = () => {};
    this.#plates = [];
    this.masks = [];
    this.#presses = [];
    this.#lastFrame = null;
    this.platesBox.replaceChildren();
    this.progress.textContent = "";
    this.notice.hidden = true;
    this.#show(this.headline, false);
    this.#show(this.caption, false);
    this.caption.textContent = "";
    this.#show(this.patch, false);
  }

  #screenChanged() {
    if (!this.#open) return;
    this.#flags.add("screen_changed");
    this.#layout();
  }

  /** Place the pictures in the middle of the window and everything else outside their area, on whole device pixels. */
  #layout() {
    const ratio = pixelRatio();
    const width = Math.round(innerWidth * ratio);
    const height = Math.round(innerHeight * ratio);
    this.#area = { width: 0, height: 0 };
    this.patch.parentElement.style.cssText = px({ width: PATCH / ratio, height: PATCH / ratio });
    for (const box of this.platesBox.children) {
      const pictures = [...box.children];
      const sizes = pictures.map((picture) => [Number(picture.dataset.width), Number(picture.dataset.height)]);
      const wide = sizes.reduce((sum, [each]) => sum + each, 0) + GAP * (sizes.length - 1);
      const high = Math.max(...sizes.map(([, each]) => each));
      let left = Math.floor((width - wide) / 2);
      pictures.forEach((picture, index) => {
        const [own, ownHeight] = sizes[index];
        const top = Math.floor((height - ownHeight) / 2);
        const [across, down] = [wholeLength(own, ratio), wholeLength(ownHeight, ratio)];
        picture.style.cssText = px({ width: across, height: down });
        picture.style.transform =
          `translate(${left / ratio}px, ${top / ratio}px) scale(${own / ratio / across}, ${ownHeight / ratio / down})`;
        left += own + GAP;
      });
      this.#area = { width: Math.max(this.#area.width, wide), height: Math.max(this.#area.height, high) };
    }
    // answer buttons are below the pictures or, if there is too little space, on both sides of them
    const below = (height - this.#area.height) / 2 / ratio;
    this.bar.classList.remove("corners"); // measured without
    this.element.style.setProperty("--bar", `${this.bar.offsetHeight}px`);
    const corners = below < this.bar.offsetHeight + MARGIN / ratio;
    this.bar.classList.toggle("corners", corners);
    this.bar.style.setProperty("--side", `${(width - this.#area.width) / 2 / ratio - MARGIN / ratio}px`);
    this.#place(this.headline, this.#area);
    this.#placeCaption();
    this.#warnIfSmall({ width, height }, ratio);
  }

  /** Place a line of text below an area in the middle; if it does not fit there, above it, else next to it. */
  #place(text, area) {
    const ratio = pixelRatio();
    const [wide, high] = [area.width / ratio, area.height / ratio];
    const margin = wide ? MARGIN / ratio + 4 : 0;
    const bar = this.bar.classList.contains("corners") ? 0 : this.bar.offsetHeight;
    const below = (innerHeight - high) / 2 - margin;
    const side = (innerWidth - wide) / 2 - margin;
    const places = wide
      ? [
        { left: 0, top: innerHeight - below, width: innerWidth, height: Math.min(below - bar, 160) },
        { left: 0, top: Math.max(0, below - 160), width: innerWidth, height: Math.min(below, 160) },
        { left: innerWidth - side, top: 0, width: side, height: innerHeight - this.bar.offsetHeight },
      ]
      : [{ left: 0, top: 0, width: innerWidth, height: innerHeight - bar }];
    fit(text, places);
  }

  /** Place the caption below the pictures, else above or to the right of them, between the buttons and the pause symbol. */
  #placeCaption() {
    const ratio = pixelRatio();
    const margin = MARGIN / ratio + 4;
    const [below, side] = [(innerHeight - this.#area.height / ratio) / 2, (innerWidth - this.#area.width / ratio) / 2];
    const bar = this.bar.offsetHeight;
    const top = innerHeight - below + margin;
    const under = this.bar.classList.contains("corners")
      ? { left: side, top, width: innerWidth - 2 * side, height: below - margin }
      : { left: 0, top, width: innerWidth, height: below - margin - bar };
    const places = [
      under,
      { left: PAUSE, top: 0, width: innerWidth - 2 * PAUSE, height: below - margin },
      { left: innerWidth - side + margin, top: PAUSE, width: side - margin, height: innerHeight - bar - PAUSE },
    ];
    const possible = places.filter(({ width, height }) => width > 0 && height > 0);
    const fits = CAPTION_SIZES.some((size) => fit(this.caption, possible, size));
    this.#cutOff = fits || !this.caption.textContent ? 0 : this.caption.scrollHeight * ratio;
  }

  /** Show a notice, in device pixels, if the window is too small for the pictures and the buttons. */
  #warnIfSmall({ width, height }, ratio) {
    const bar = Math.ceil(this.bar.offsetHeight * ratio);
    const [wide, high] = [this.#area.width + 2 * MARGIN, this.#area.height + 2 * MARGIN];
    const buttons = this.bar.classList.contains("corners") ? 2 * Math.ceil(96 * ratio) : 0;
    const small = width < wide + buttons || height < high || this.#cutOff > 0;
    const needed = { width: wide, height: high + 2 * bar + 2 * Math.ceil(this.#cutOff) };
    this.notice.textContent = small ? this.#settings.too_small(needed, { width, height }) : "";
    this.notice.hidden = !small;
  }
}

/** A layer with the pictures of one showing, at their sizes in device pixels. */
function plate(pictures, sizes, kind = "") {
  const box = document.createElement("div");
  box.className = "layer plate";
  pictures.forEach((picture, index) => {
    picture.className = kind;
    [picture.dataset.width, picture.dataset.height] = sizes[index];
    box.append(picture);
  });
  return box;
}

/**
 * Return a length in CSS pixels near this one that is also a whole number of device pixels. Browsers lay pictures out in
 * one of the two units and round to whole pixels. A transform, which is not rounded, then gives the picture its size.
 */
function wholeLength(length, ratio) {
  const lengths = Array.from({ length: 64 }, (_, more) => length + more);
  const excess = (each) => Math.abs(each * ratio - Math.round(each * ratio));
  return lengths.find((each) => excess(each) < 0.002) ?? length;
}

/** Put a text into the first place that it fits into, else into the last one; `size` is that of its font. */
function fit(text, places, size = 1) {
  return places.some((place) => {
    text.style.cssText = `${px(place)};--size:${size}`;
    return text.scrollHeight <= place.height + 1 && text.scrollWidth <= place.width + 1;
  });
}

/** A place as a style. */
function px(place) {
  return Object.entries(place).map(([name, value]) => `${name}:${value}px`).join(";");
}
