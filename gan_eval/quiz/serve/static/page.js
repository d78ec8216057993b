// The pages of a session in their order, and the trials between them. Texts come from the server with the document.

import { answerButton, answerCap, keyName, matchingKey, measureFrames, pixelRatio, Stage } from "./trial.js";
import { Refusal } from "./transport.js";

const CARD_MM = [85.6, 53.98]; // a bank card (ISO/IEC 7810 ID-1)
const MEASURED_MS = 1000;
const SELF_TEST_MS = 3000;

const main = document.querySelector("main");
const sheet = document.querySelector("#sheet");
const facts = JSON.parse(document.querySelector("#facts").textContent);
const texts = JSON.parse(document.querySelector("#texts").textContent);
const byTouch = matchMedia("(pointer: coarse)").matches;
const trouble = document.querySelector("#trouble");
const { connect } = await import(facts.transport);
const transport = await connect((waiting) => {
  trouble.textContent = waiting ? texts.offline : "";
}, facts);
const { query } = transport;
const stage = new Stage(main, document.querySelector("#stage"));
const named = facts.parameters.participant.map((name) => query.get(name)?.trim()).filter((code) => code !== undefined);
const preview = [...query.values()].find((value) => value.endsWith("_NOT_AVAILABLE")); // MTurk's, which names nobody
// an empty code and that of a preview are refused
const participant = preview ?? (named.length ? named.find(Boolean) ?? "" : transport.code());
let setup = null;
const pictures = new Map(); // promises of pictures by address

/** A text with its braces filled in. */
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (brace, name) => values[name] ?? brace);

// ---- pages

/**
 * Show a page and wait for one of its buttons; return the button's action.
 *
 * `prepare(part, signal)` fills the page in; `part(selector)` finds an element, `signal` is aborted when the page is
 * left. `check(action)` may refuse to leave by returning false. Enter does what `continue` does, Escape what `escape`
 * names.
 */
async function show(name, { prepare = () => {}, check = () => true, escape = null, onKey = () => false } = {}) {
  const content = document.querySelector(`#page-${name}`).content.cloneNode(true);
  sheet.replaceChildren(content);
  const part = (selector) => sheet.querySelector(selector);
  const listening = new AbortController();
  const { signal } = listening;
  prepare(part, signal);
  sheet.hidden = false;
  main.dataset.page = name;
  scrollTo(0, 0);
  part("h1").tabIndex = -1;
  part("h1").focus({ preventScroll: true });
  return new Promise((resolve, reject) => {
    let checking = false;
    const act = async (action) => {
      const button = part(`[data-action="${action}"]`);
      if (checking || !button || button.disabled) return;
      checking = true;
      try {
        if (!(await check(action, part))) return;
      } catch (error) {
        reject(error);
      } finally {
        checking = false;
      }
      listening.abort();
      for (const each of sheet.querySelectorAll("button")) each.disabled = true; // until the next page is there
      resolve(action);
    };
    sheet.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-action]");
      if (button && event.detail) button.blur(); // Enter, after a click that did not leave the page, continues
      if (button && !button.dataset.action.startsWith("answer-")) act(button.dataset.action);
    }, { signal });
    addEventListener("keydown", (event) => {
      if (event.repeat && event.key === "Enter") event.preventDefault(); // a key held down presses no button again
      if (event.repeat || event.isComposing) return;
      if (event.key === "Enter" && !event.target.closest?.("button, a, summary")) {
        event.preventDefault();
        const link = part("a[data-action=continue]");
        if (link) link.click();
        else act("continue");
      } else if (event.key === "Escape" && escape) {
        act(escape);
      } else if (onKey(event, part)) {
        event.preventDefault();
      }
    }, { signal });
  });
}

/** Put paragraphs into an element. */
function paragraphs(element, lines) {
  element.replaceChildren(...lines.map((line) => {
    const paragraph = document.createElement("p");
    paragraph.textContent = line;
    return paragraph;
  }));
}

/** Say what is wrong on a page, and move there. */
function problem(part, text, field = null) {
  part(".problem").textContent = text;
  field?.focus();
  return false;
}

function progress(part, { done, trials }) {
  part("progress").max = trials;
  part("progress").value = done;
}

const askConsent = () => show("consent", { escape: "back" });

async function askQuestions() {
  const read = (part) => Object.fromEntries(facts.questions.map(({ id, choices }, index) => {
    const field = part(choices.length ? `[name=question-${index}]:checked` : `[name=question-${index}]`);
    return [id, field?.value.trim() || null];
  }));
  let answers = {};
  const check = (action, part) => {
    answers = read(part);
    for (const fieldset of sheet.querySelectorAll(".question")) fieldset.classList.remove("missing");
    const missing = facts.questions.findIndex(({ id, required }) => required && answers[id] === null);
    if (missing < 0) return true;
    const field = part(`[name=question-${missing}]`);
    field.closest(".question").classList.add("missing");
    return problem(part, texts.question_missing, field);
  };
  await show("questions", { check });
  return answers;
}

async function instruct() {
  const asks = facts.checks.length > 0 && !setup.ready;
  let refused = null;
  const check = async (action, part) => {
    if (!asks) return true;
    const choices = facts.checks.map((_, index) => part(`[name=check-${index}]:checked`));
    const missing = choices.findIndex((choice) => choice === null);
    if (missing >= 0) return problem(part, texts.question_missing, part(`[name=check-${missing}]`));
    const answer = await transport.post("check", { choices: choices.map((choice) => Number(choice.value)) });
    if (answer.page) refused = answer;
    if (answer.page || answer.passed) return true;
    for (const choice of choices) choice.checked = false;
    scrollTo(0, 0);
    return problem(part, fill(texts.check_failed, answer));
  };
  await show("instructions", {
    prepare: (part) => {
      paragraphs(part(".lines"), (byTouch ? setup.touch : setup).instructions);
      part(".caps").append(...setup.answers.map((answer) => answerCap(document.createElement("span"), answer)));
      part(".checks").hidden = !asks;
      for (const words of sheet.querySelectorAll(".checks :is(legend, .choice span)")) {
        words.textContent = fill(words.textContent, answerNames());
      }
    },
    check,
  });
  return refused;
}

/** What gives each answer: its key, by touch the words on its button. Checks name it in braces, such as {real}. */
function answerNames() {
  const named = ({ name, key, label }) => (byTouch && label && !Number(name) ? label : keyName(key));
  return Object.fromEntries(setup.answers.map((answer) => [answer.name, named(answer)]));
}

async function tryKeys() {
  const untried = new Set(setup.answers.map(({ key }) => key.toLowerCase()));
  const levels = Array.from({ length: setup.confidence }, (_, index) => String(index + 1));
  const wanted = [...new Set([...untried, ...levels])];
  const tried = (part, key) => {
    for (const cap of sheet.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)) cap.classList.add("tried");
    untried.delete(key);
    part(".problem").textContent = "";
    if (untried.size === 0 && part("[data-action=continue]").disabled) {
      part("[data-action=continue]").disabled = false;
      part(".hint").textContent = texts.hint_step;
      part(".done").textContent = byTouch ? texts.keys_done_touch : texts.keys_done;
    }
  };
  return show("keys", {
    escape: "back",
    prepare: (part) => {
      part(".caps").append(...setup.answers.map(answerButton));
      part(".confidence").hidden = !levels.length;
      part(".levels").append(...levels.map((level) => {
        const label = setup.confidence_labels[level] ?? "";
        return answerCap(document.createElement("span"), { name: level, key: level, label });
      }));
      for (const type of ["pointerdown", "click"]) {
        part(".caps").addEventListener(type, (event) => {
          const button = event.target.closest("button");
          if (button) tried(part, button.dataset.key);
        });
      }
    },
    onKey: (event, part) => {
      const key = matchingKey(event, wanted);
      if (key !== null) tried(part, key);
      else if (event.key.length === 1 && event.key.trim() && !event.ctrlKey && !event.metaKey) {
        problem(part, fill(texts.keys_unknown, { key: event.key.toUpperCase() }));
      }
      return key !== null;
    },
  });
}

/** The page before the first trial; return the device pixels of a centimetre where the study needs them. */
async function getReady() {
  const degrees = facts.picture.degrees !== null;
  let pixels_per_cm = null;
  const action = await show("ready", {
    escape: "back",
    prepare: (part, signal) => {
      paragraphs(part(".lines"), (byTouch ? setup.touch : setup).ready_lines);
      addEventListener("resize", () => warnOfWindow(part), { signal });
      warnOfWindow(part);
      part("[data-action=full-screen]").hidden = !document.documentElement.requestFullscreen;
      part(".size").hidden = !degrees;
      const [slider, card] = [part(".size input"), part(".card-box .card")];
      const upright = innerWidth < 600; // a telephone is narrower than a card is wide
      card.classList.toggle("upright", upright);
      slider.max = upright ? innerWidth - 40 : Math.min(1200, innerWidth - 96);
      if (upright) slider.value = 300;
      const fit = () => {
        card.style.width = `${slider.value}px`;
        pixels_per_cm = (Number(slider.value) * pixelRatio()) / (CARD_MM[upright ? 1 : 0] / 10);
      };
      slider.addEventListener("input", fit);
      if (degrees) fit();
    },
    check: async (action, part) => {
      if (action !== "full-screen") return true;
      part("[data-action=continue]").focus();
      await document.documentElement.requestFullscreen().catch(() => {}); // offered, never needed
      part(".wait").textContent = document.fullscreenElement ? texts.full_screen_wait : "";
      return false;
    },
  });
  return { action, pixels_per_cm };
}

/** Say that the study wants a larger window, while there is time to make it so. */
function warnOfWindow(part) {
  const [width, height] = facts.smallest_window;
  const small = innerWidth < width || innerHeight < height;
  const there = { width, height, window_width: innerWidth, window_height: innerHeight };
  problem(part, small ? fill(texts.window_required, there) : "");
}

// ---- the course of a session

async function start() {
  if (query.has("self-test")) await selfTest();
  await transport.deliverUnsent(participant);
  const opened = await transport.post("open", { participant });
  if (opened.page === "end") return end(opened);
  if (opened.page === "refused") return refuse(opened);
  if (opened.page === "resume") {
    if (facts.intro) {
      const began = new Date(opened.started_at);
      const two = (number) => String(number).padStart(2, "0");
      const date = `${began.getFullYear()}-${two(began.getMonth() + 1)}-${two(began.getDate())}`;
      const question = fill(texts.resume_question, { date, time: `${two(began.getHours())}:${two(began.getMinutes())}` });
      const done = fill(texts.welcome_back, opened);
      const prepare = (part) => paragraphs(part(".lines"), opened.done ? [question, done] : [question]);
      if ((await show("resume", { prepare, escape: "exit" })) === "exit") return end({ text: texts.not_you });
    }
    setup = await transport.enter("resume", { participant });
  } else {
    const unfit = unfitDevice();
    if (unfit) return turnAway(unfit);
    if (facts.intro && !(await welcome())) return decline();
    const names = [...facts.parameters.participant, ...facts.parameters.others].filter((name) => query.has(name));
    const parameters = Object.fromEntries(names.map((name) => [name, query.get(name)]));
    setup = await transport.enter("begin", { participant, parameters, consent: facts.intro });
  }
  stage.configure({
    ...setup,
    fixation_mark: facts.fixation_mark,
    corner_patch: facts.corner_patch,
    by_touch: byTouch,
    confidence_question: fill(texts.confidence_question, { keys: "" }).trim(),
    too_small: (needed, there) => fill(texts.too_small, {
      width: needed.width, height: needed.height, window_width: there.width, window_height: there.height,
    }),
  });
  return introduce();
}

/** Welcome and consent; whether the participant agreed. */
async function welcome() {
  const prepare = (part) => {
    part(".participant").textContent = fill(texts.participant, { participant });
  };
  while ((await show("welcome", { prepare, escape: "exit" })) === "continue") {
    const action = await askConsent();
    if (action !== "back") return action === "continue";
  }
  return false;
}

async function decline() {
  return end(await transport.post("decline", { participant }));
}

/** The check that this device fails whatever its window: it has no keyboard, or a small screen. Null: none. */
function unfitDevice() {
  if (!byTouch) return null; // a window on a desk can be made larger
  if (!facts.touch) return "touch";
  const [width, height] = facts.smallest_window;
  const fits = (wide, high) => wide >= width && high >= height;
  const { width: wide, height: high } = screen;
  return fits(wide, high) || fits(high, wide) || fits(innerWidth, innerHeight) ? null : "window_width";
}

async function turnAway(unfit) {
  const { text, url, code } = await transport.post("decline", { participant, unfit });
  return refuse({ text: `${text} ${texts.same_link}`, url, code });
}

/** Everything between consent and the first trial. */
async function introduce() {
  const measured = measureDisplay(); // while the participant reads
  if (!facts.intro) return setup.ready ? runTrials(setup.next) : sendReady({}, measured, null);
  const answers = facts.questions.length && !setup.ready ? await askQuestions() : {};
  const refused = await instruct();
  if (refused) return refuse(refused);
  for (;;) {
    if ((await tryKeys()) === "back") {
      await instruct();
      continue;
    }
    if (setup.ready) return runTrials(setup.next);
    const { action, pixels_per_cm } = await getReady();
    if (action === "continue") return sendReady(answers, measureDisplay(), pixels_per_cm);
  }
}

/** Measure the display; trials are then shown in its frames. */
async function measureDisplay() {
  const measured = await measureFrames(MEASURED_MS);
  stage.frameMs = measured.frame_ms;
  return measured;
}

async function sendReady(answers, measured, pixels_per_cm) {
  const { refresh_hz, jitter_ms, dropped } = await measured;
  const ratio = pixelRatio();
  const body = {
    answers,
    screen: {
      width: Math.round(screen.width * ratio),
      height: Math.round(screen.height * ratio),
      window_width: Math.round(innerWidth * ratio),
      window_height: Math.round(innerHeight * ratio),
      device_pixel_ratio: ratio,
      refresh_hz,
      jitter_ms,
      dropped,
      touch: byTouch,
      user_agent: navigator.userAgent,
      pixels_per_cm,
    },
  };
  for (;;) {
    try {
      const answer = await transport.post("ready", body);
      return answer.page ? refuse(answer) : runTrials(answer.next);
    } catch (error) {
      if (!(error instanceof Refusal && error.status === 422 && facts.questions.length)) throw error;
      body.answers = await askQuestions();
    }
  }
}

async function runTrials(next) {
  let rested = false;
  next = await openStage();
  while (next.page === "trial" || next.page === "marks") {
    if (next.break && facts.intro && !rested) {
      await stage.settled();
      stage.close();
      if (!(await rest(next.break))) return saved();
      next = await openStage();
    }
    rested = true; // by a page just now, or by no break being due
    const [shown, asks] = [next.trial, next.page === "marks"];
    if (!asks) keepOnly(next);
    const report = asks ? await stage.takeMarks(next, load) : await stage.run(next, load, (onset) => {
      transport.onset(shown, onset, () => stage.breakOff("paused")); // its report is refused, too
    });
    if (report) {
      const answer = await (asks ? transport.marks({ trial: shown, ...report }) : transport.report(report));
      rested = false;
      next = answer.next;
      if (answer.feedback) {
        main.dataset.state = "hidden";
        main.dataset.page = "feedback";
        await stage.feedback(answer.feedback);
        main.dataset.page = "trial";
      }
    }
    if (stage.brokenOff && next.page !== "end") {
      stage.close();
      const { action, forget } = await pause(next);
      if (action === "withdraw") {
        const withdrawn = await transport.post("withdraw", { forget });
        if (forget) transport.dropCode();
        return end(withdrawn);
      }
      if (action === "save-and-quit") return saved();
      rested = next.break?.kind !== "counts";
      next = await openStage();
    }
  }
  await stage.settled();
  stage.close();
  return end(next);
}

/** Turn from a page to the trials; return the next one. A page whose session continues elsewhere is refused here. */
async function openStage() {
  const { next } = await transport.post("next");
  sheet.hidden = true;
  sheet.replaceChildren();
  main.dataset.page = "trial";
  stage.open();
  return next;
}

/** A picture, fetched once; those of the trials ahead are fetched while the present ones are shown. */
function load(address) {
  if (!pictures.has(address)) pictures.set(address, transport.picture(address));
  return pictures.get(address);
}

/** Fetch ahead, and let go of pictures that are not needed any more. */
function keepOnly({ showings, masks, ahead }) {
  const needed = new Set([...showings, ...masks, ahead].flat());
  for (const [address, picture] of pictures) {
    if (needed.has(address)) continue;
    pictures.delete(address);
    picture.then((each) => transport.release(each), () => {});
  }
  const now = Promise.all([...showings, ...masks].flat().map(load));
  now.then(() => ahead.forEach((address) => load(address).catch(() => {})), () => {});
}

/** A break, or the page that says that practice is over; false: the participant saves and leaves. */
async function rest({ kind, lines, done, trials }) {
  const counts = kind === "counts";
  const action = await show("break", {
    prepare: (part) => {
      paragraphs(part(".lines"), lines);
      part("progress").hidden = counts;
      part("[data-action=save-and-quit]").hidden = counts;
      progress(part, { done, trials });
      if (!counts) return;
      part("h1").textContent = texts.counts_title;
      part("[data-action=continue]").textContent = texts.start;
    },
  });
  return action === "continue";
}

/** A pause; return the button that ended it, and whether the participant's data are to be deleted. */
async function pause({ done, trials }) {
  let [asked, forget] = [false, false];
  const action = await show("paused", {
    escape: "continue",
    prepare: (part) => {
      paragraphs(part(".lines"), [fill(texts.pause_text, { done, trials }), texts.pause_resume_text]);
      progress(part, { done, trials });
    },
    check: (chosen, part) => {
      forget = part("[name=forget]").checked;
      if (chosen !== "withdraw" || asked) return true;
      asked = true;
      part(".forget").hidden = false;
      return problem(part, fill(texts.withdraw_question, { withdraw: texts.withdraw }));
    },
  });
  return { action, forget };
}

const saved = () => end({ title: texts.saved_title, text: texts.saved });

/** The last page, and the review of all trials where there is one. */
async function end({ title, text, url, code, file, scores = [], review = [] }) {
  stage.close();
  for (;;) {
    await show("end", {
      prepare: (part) => {
        if (title) part("h1").textContent = title;
        paragraphs(part(".lines"), text ? [text] : []);
        part(".scores").hidden = !scores.length;
        part(".scores").append(...scores.map(({ group, value, remark }) => row([group, value, remark])));
        part(".code").hidden = !code;
        part(".code strong").textContent = code ?? "";
        if (file) Object.assign(part(".save"), { download: file.name, href: file.address });
        else part(".save").remove();
        // Enter goes back to where the participant came from; where that is nowhere, to the review
        const back = part("nav a.main");
        if (url) back.href = url;
        else back.remove();
        const button = part("button");
        button.hidden = !review.length;
        if (url) button.dataset.action = "review";
      },
      check: () => review.length > 0,
    });
    await show("review", { prepare: (part) => part(".trials").append(...review.map(reviewed)), escape: "back" });
  }
}

function row(cells) {
  const line = document.createElement("tr");
  for (const [index, cell] of cells.entries()) {
    const element = document.createElement(index ? "td" : "th");
    if (!index) element.scope = "row";
    element.textContent = cell;
    line.append(element);
  }
  return line;
}

/** One trial of the review: what it was, what was answered, and its pictures. */
function reviewed({ lines, panels }) {
  const item = document.createElement("li");
  const figures = document.createElement("div");
  figures.className = "row";
  for (const { caption, address, marked } of panels) {
    const figure = document.createElement("figure");
    const picture = document.createElement(address ? "img" : "div");
    picture.className = marked ? "picture marked" : "picture";
    if (address) Object.assign(picture, { loading: "lazy", alt: caption, src: address });
    else picture.textContent = texts.picture_missing;
    const words = document.createElement("figcaption");
    words.textContent = caption;
    figure.append(picture, words);
    figures.append(figure);
  }
  const said = document.createElement("div");
  said.className = "lines";
  paragraphs(said, lines);
  item.append(figures, said);
  return item;
}

function refuse({ title, text, error, url, code }) {
  stage.close();
  return show("refused", {
    prepare: (part) => {
      if (title) part("h1").textContent = title;
      paragraphs(part(".lines"), [text ?? error]);
      part(".code").hidden = !code;
      part(".code strong").textContent = code ?? "";
      if (url) part("a").href = url;
      else part("a").remove();
    },
    check: () => false,
  });
}

/** Measure the participant's display and show the figures; no session is needed for it. */
async function selfTest() {
  const shown = show("self-test");
  const measured = await measureFrames(SELF_TEST_MS);
  const figures = sheet.querySelector(".figures");
  if (figures) {
    const round = (number, digits) => number.toFixed(digits);
    figures.textContent = fill(texts.self_test, {
      refresh: round(measured.refresh_hz, 1), frame: round(measured.frame_ms, 2), jitter: round(measured.jitter_ms, 2),
      missed: measured.missed, frames: measured.frames,
    });
  }
  await shown;
}

start().catch((error) => {
  if (!(error instanceof Refusal)) throw error;
  const show = error.body.page === "end" ? end : refuse;
  return show({ text: error.message, ...error.body });
});
