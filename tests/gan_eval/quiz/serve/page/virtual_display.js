// The page's own trial.js on displays that exist in the clock of this program only, without a browser.
//
//     node virtual_display.js path/of/trial.js < jobs.json
//
// A job has the display: `hz`, `phase` (0..1 of a frame) and `whole` (its times are whole ms, as WebKit's); and the trials
// to `show`: `planned_ms`, `skipped` (number of frames without a callback at the offset) and `late_ms` (delay of the first
// callback after the onset). Prints a list of {measured, reports}.

let clock = 1000;
Object.defineProperty(globalThis, "performance", { value: { now: () => (clock += 0.0005), timeOrigin: 0 } });

class Element {
  constructor() {
    Object.assign(this, { dataset: {}, style: { setProperty() {} }, children: [], hidden: false, textContent: "" });
    Object.assign(this, { offsetHeight: 40, scrollHeight: 10, scrollWidth: 10 });
    const names = new Set();
    const toggle = (name, on) => { if (on) names.add(name); else names.delete(name); };
    this.classList = { toggle, remove: (name) => names.delete(name), contains: (name) => names.has(name) };
  }
  get parentElement() { return (this.parent ??= new Element()); }
  querySelector() { return new Element(); }
  replaceChildren(...children) { this.children = children; }
  append(...children) { this.children.push(...children); }
  addEventListener() {}
  setAttribute() {}
}

let waiting = [];
Object.assign(globalThis, {
  window: globalThis,
  document: Object.assign(new Element(), { hidden: false, hasFocus: () => true, createElement: () => new Element() }),
  addEventListener() {},
  matchMedia: () => new Element(),
  devicePixelRatio: 1, innerWidth: 1280, innerHeight: 800,
  requestAnimationFrame: (callback) => waiting.push(callback),
});

/** Call the page back in each frame of a display until a promise is fulfilled; `disturb` delays a callback, in ms. */
async function runFrames({ hz, phase, whole }, promise, disturb = () => 0) {
  let done = false;
  promise.then(() => { done = true; });
  for (;;) {
    await new Promise(setImmediate); // let the page go on
    if (done) return promise;
    if (!waiting.length) continue;
    const frame = (Math.floor((clock * hz) / 1000 - phase + 1e-6) + 1 + phase) * (1000 / hz);
    clock = frame + disturb(frame);
    const time = whole ? Math.round(clock) : clock;
    const callbacks = waiting;
    waiting = [];
    clock += 0.3; // the callbacks begin a little later
    for (const callback of callbacks) callback(time);
  }
}

const { Stage, measureFrames } = await import(process.argv[2]);
const input = [];
for await (const part of process.stdin) input.push(part);

const results = [];
for (const { show, ...display } of JSON.parse(input.join(""))) {
  const measured = await runFrames(display, measureFrames(1000));
  const main = new Element();
  const stage = new Stage(main, new Element());
  const times = { blank_ms: 300, feedback_ms: 0, mask_ms: 0 };
  const looks = { fixation_mark: true, corner_patch: false, by_touch: false };
  const settings = { ...times, ...looks, answers: [{ name: "real", key: "f" }], confidence: 0, confidence_labels: {}, too_small: () => "" };
  stage.configure(new Proxy(settings, {
    get(known, name) {
      if (!(name in known)) throw Error(`${name}: Content.setup (serve/content.py) must send it, and this display`);
      return known[name];
    },
  }));
  stage.frameMs = measured.frame_ms;
  stage.open();
  const reports = [];
  for (const { planned_ms, skipped = 0, late_ms = 0 } of show) {
    const trial = {
      trial: 1, phase: "main", progress: "", caption: "", cue: "", showings: [["a"]], masks: [], sizes: [[[64, 64]]],
      planned_exposure_ms: planned_ms, response_ms: 500, gap_ms: 0,
    };
    let [since, onset] = [0, null];
    const disturb = (frame) => {
      if (main.dataset.state !== "shown") return 0;
      onset ??= frame - 1000 / display.hz;
      since += 1;
      const last = Math.round((frame - onset) / (1000 / display.hz)) === Math.round(planned_ms / (1000 / display.hz));
      return since === 1 ? late_ms : last ? (skipped * 1000) / display.hz : 0;
    };
    reports.push(await runFrames(display, stage.run(trial, async () => new Element(), () => {}), disturb));
  }
  results.push({ measured, reports });
}
console.log(JSON.stringify(results));
