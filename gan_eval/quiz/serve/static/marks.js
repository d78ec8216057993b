// The question where the participant saw it: marks in the still picture, by mouse, touch, pen or keyboard.

const [STEP, FINE_STEP] = [0.02, 0.002]; // shares of the picture by which an arrow key moves the cross (with Shift)
const TOUCH_SIDE = 320; // CSS pixels to which a smaller picture is enlarged for fingers
const SWIPE = 20; // CSS pixels from which a finger's way is a swipe, which is no mark
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const within = (share) => Math.min(1, Math.max(0, share));

/** Return marks (shares of the sides, and times) and the time of "Nothing in particular"; null: `signal` was aborted. */
export async function askMarks(element, picture, asked, { signal, byTouch, pixelRatio, timeOf, onShown }) {
  const { size, limit, limit_ms, question } = asked;
  const part = (selector) => element.querySelector(selector);
  const [board, cross] = [part(".board"), part(".cross")];
  const button = (action) => part(`[data-action=${action}]`);
  const marks = [];
  let [place, down] = [[0.5, 0.5], null];
  const image = picture.cloneNode();
  image.removeAttribute("style");
  part(".question").textContent = question;
  cross.hidden = true;
  const drawn = () => {
    board.replaceChildren(image, cross, ...marks.map(({ x, y }) => at(document.createElement("span"), x, y, "place")));
    button("undo").disabled = button("continue").disabled = marks.length === 0;
    button("nothing").disabled = marks.length > 0;
  };
  drawn();
  const fit = () => {
    const [wide, high] = size.map((side) => side / pixelRatio());
    const scale = byTouch ? Math.max(1, TOUCH_SIDE / Math.max(wide, high)) : 1;
    const edge = parseFloat(getComputedStyle(element).padding);
    const texts = part(".question").offsetHeight + part(".controls").offsetHeight;
    const [width, height] = [innerWidth - 2 * edge, innerHeight - texts - 5 * edge];
    const least = Math.min(scale, width / wide, Math.max(height, 1) / high);
    [board.style.width, board.style.height] = [`${wide * least}px`, `${high * least}px`];
  };
  element.hidden = false;
  fit();
  await image.decode().catch(() => {});
  board.focus({ preventScroll: true });
  const shown = await new Promise(requestAnimationFrame);
  const put = (x, y, when) => {
    if (marks.length < limit) marks.push({ x: within(x), y: within(y), at_ms: Math.max(0, when - shown) });
    drawn();
  };
  return new Promise((resolve) => {
    const listening = new AbortController();
    const leave = (answer) => {
      listening.abort();
      clearTimeout(timer);
      element.hidden = true;
      board.replaceChildren(cross);
      resolve(answer);
    };
    const on = (target, type, handle) => target.addEventListener(type, handle, { signal: listening.signal });
    const timer = limit_ms === null ? null : setTimeout(() => leave({ marks, nothing_ms: null }), limit_ms);
    on(signal, "abort", () => leave(null));
    on(window, "resize", fit);
    on(board, "pointerdown", (event) => {
      const { pointerId, clientX, clientY } = event;
      down = event.isPrimary && !event.button ? { pointerId, clientX, clientY, at: timeOf(event) } : null;
    });
    on(board, "pointercancel", () => { down = null; }); // the fingers move or enlarge the page
    on(board, "pointerup", (event) => {
      if (down?.pointerId !== event.pointerId) return;
      const moved = Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY);
      if (event.pointerType === "touch" && moved > SWIPE) return;
      const { left, top, width, height } = image.getBoundingClientRect();
      put((down.clientX - left) / width, (down.clientY - top) / height, down.at);
      down = null;
    });
    on(window, "keydown", (event) => {
      const move = ARROWS[event.key];
      if (move) {
        board.focus({ preventScroll: true });
        const step = event.shiftKey ? FINE_STEP : STEP;
        place = place.map((share, axis) => within(share + move[axis] * step));
        at(cross, ...place, "cross");
        cross.hidden = false;
      } else if (event.key === "Enter" && !event.target.closest?.("button")) {
        if (!event.repeat) put(...place, timeOf(event));
      } else if (event.key === "Backspace") {
        if (!event.repeat) button("undo").click();
      } else return;
      event.preventDefault();
    });
    on(button("undo"), "click", () => {
      marks.pop();
      drawn();
      board.focus({ preventScroll: true });
    });
    on(button("nothing"), "click", (event) => leave({ marks, nothing_ms: Math.max(0, timeOf(event) - shown) }));
    on(button("continue"), "click", () => leave({ marks, nothing_ms: null }));
    if (signal.aborted) leave(null);
    else onShown();
  });
}

function at(element, x, y, name) {
  element.className = name;
  [element.style.left, element.style.top] = [`${100 * x}%`, `${100 * y}%`];
  return element;
}
