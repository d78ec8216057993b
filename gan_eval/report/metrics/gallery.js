// The gallery: sort, filter, and draw only the cards that are on screen. `data` comes from gallery.py:
// rows are [name, model or -1 of a real picture, data set, files by panel, values], and a value is a number,
// null where the metric does not concern the picture, or [number of the reason why it is missing].
const GAP = 12, OVERSCAN = 2;
const $ = id => document.getElementById(id);
const form = $("controls"), field = form.elements, list = $("list"), one = $("one");
const panelOf = Object.fromEntries(data.panels.map((panel, place) => [panel[0], place]));
const numberOf = (row, metric) => typeof row[4][metric] === "number" ? row[4][metric] : NaN;
let order = [], shown = [], cards = new Map(), grid = {}, current = -1, view = "", waiting = false, remembering = 0, before = 0, settling = 0;

function make(tag, props = {}, ...children) {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children);
  return node;
}

function written(value, metric) {
  if (typeof value !== "number") return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  return value.toFixed(data.metrics[metric].digits).replace("-", "−");
}

const withUnit = (value, metric) => {
  const unit = data.metrics[metric].unit;
  return written(value, metric) + (unit && unit.length < 5 && typeof value === "number" ? `\u202f${unit}` : "");
};
const fileOf = (row, panel) => row[3][panelOf[panel]] && data.folder + row[3][panelOf[panel]];
const mainPanel = row => row[1] < 0 ? "real" : "fake";

function scale(panel) {
  const bar = make("span", {className: "scale"}, make("i"));
  [bar.dataset.low, bar.dataset.high] = [panel[3], panel[4]];
  return bar;
}

function choices(name, texts, all) {
  const options = [...(all ? [["", all]] : []), ...texts.map((text, place) => [place, text])];
  field[name].replaceChildren(...options.map(([value, text]) => make("option", {value, textContent: text})));
  field[name].closest("label").hidden = texts.length < 2;
}

function orderChoices() {
  const metric = data.metrics[field.sort.value], before = field.first.value;
  const names = !metric || !metric.better ? ["lowest", "highest"] : ["worst", "best"];
  field.first.replaceChildren(...names.map((textContent, value) => make("option", {value, textContent})));
  field.first.value = before || "0";
  field.first.closest("label").hidden = !metric;
  $("ranged").textContent = metric ? metric.title : "";
  $("histogram").parentElement.hidden = !metric;
}

function prepare() {
  const arrow = metric => metric.title + (metric.better ? metric.better > 0 ? " ↑" : " ↓" : "");
  choices("sort", [...data.metrics.map(arrow), "Order of the set"]);
  choices("model", data.models, "all");
  choices("dataset", data.datasets, "all");
  choices("kind", ["generated", "real"], "all");
  const kinds = new Set(data.rows.map(row => row[1] < 0));
  field.kind.closest("label").hidden = kinds.size < 2;
  if (kinds.size === 2) field.kind.options[1].defaultSelected = true;
  for (const panel of data.panels) {
    const box = make("input", {type: "checkbox", name: "show", value: panel[0], defaultChecked: true});
    const label = make("label", {title: panel[2]}, box, panel[1]);
    if (panel[4]) label.append(scale(panel));
    $("panels").append(label);
  }
  document.documentElement.style.setProperty("--shape", 1 / data.shape);
  const small = matchMedia("(max-width: 760px)").matches;
  field.size.defaultValue = small ? 104 : innerWidth > 2400 ? 180 : 120;
  $("filters").open = !small;
  form.reset();
  orderChoices();
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    if (name === "hide") for (const box of form.querySelectorAll("[name=show]")) box.checked &&= box.value !== value;
    else if (field[name] && name !== "show") field[name].value = value;
    if (name === "sort") orderChoices();
  }
  update();
  const name = new URLSearchParams(location.hash.slice(1)).get("picture");
  const place = order.findIndex(row => row[0] === name);
  if (place >= 0) open(place);
}

// In the address, so that a reload and a copied link show the same. Browsers refuse many changes within a second.
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(toAddress, 300);
}

function toAddress() {
  const state = new URLSearchParams();
  for (const input of form.querySelectorAll("select, input:not([name=show])")) {
    const start = input.defaultValue ?? [...input.options].find(option => option.defaultSelected)?.value ?? input.options[0].value;
    if (input.value !== start) state.set(input.name, input.value);
  }
  for (const box of form.querySelectorAll("[name=show]:not(:checked)")) state.append("hide", box.value);
  if (one.open) state.set("picture", order[current][0]);
  history.replaceState(null, "", `#${state}`);
}

function update() {
  const metric = Number(field.sort.value), words = field.find.value.trim().toLowerCase();
  const chosen = name => field[name].value === "" ? null : Number(field[name].value);
  const model = chosen("model"), dataset = chosen("dataset"), kind = chosen("kind");
  const pool = data.rows.filter(row => (model === null || row[1] === model || (kind === 1 && row[1] < 0)) &&
    (dataset === null || row[2] === dataset) && (kind === null || (row[1] < 0) === (kind === 1)) &&
    (!words || row[0].toLowerCase().includes(words)));
  order = pool;
  if (data.metrics[metric]) {
    const low = field.from.value === "" ? null : Number(field.from.value);
    const high = field.to.value === "" ? null : Number(field.to.value);
    if (low !== null || high !== null) {
      order = pool.filter(row => numberOf(row, metric) >= (low ?? -Infinity) && numberOf(row, metric) <= (high ?? Infinity));
    }
    const best = field.first.value === "1", up = data.metrics[metric].better >= 0 ? !best : best;
    order = order.toSorted((a, b) => {
      const x = numberOf(a, metric), y = numberOf(b, metric);
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
      return x === y ? 0 : x < y === up ? -1 : 1;
    });
    histogram(pool, metric, low ?? -Infinity, high ?? Infinity);
  }
  const count = number => number.toLocaleString("en").replaceAll(",", "\u202f");
  $("count").textContent = `${count(order.length)} of ${count(data.rows.length)} pictures`;
  $("none").hidden = order.length > 0;
  remember();
  for (const node of cards.values()) node.remove();
  cards.clear();
  layout();
}

function histogram(pool, metric, low, high) {
  const values = pool.map(row => numberOf(row, metric)).filter(Number.isFinite);
  const least = values.reduce((a, b) => Math.min(a, b), Infinity), most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const BINS = 36, width = (most - least) / BINS || 1, bins = new Array(BINS).fill(0);
  for (const value of values) bins[Math.min(BINS - 1, Math.floor((value - least) / width))]++;
  const tallest = Math.max(...bins, 1);
  const parts = {in: "", out: ""};
  bins.forEach((count, bin) => {
    const height = count && Math.max(2, 60 * count / tallest), middle = least + (bin + 0.5) * width;
    const isIn = middle + width / 2 >= low && middle - width / 2 <= high;
    parts[isIn ? "in" : "out"] += `M${bin * 10 + 1} 60v${-height}h8v${height}z`;
  });
  const [from, to] = [field.from, field.to];
  [from.placeholder, to.placeholder] = values.length ? [written(least, metric), written(most, metric)] : ["–", "–"];
  $("histogram").innerHTML = `<svg viewBox="0 0 ${BINS * 10} 60" preserveAspectRatio="none"><path d="${parts.out}"/><path class="in" d="${parts.in}"/></svg>`;
}

function layout() {
  const anchor = grid.columns ? Math.round((scrollY - list.offsetTop) / grid.height) * grid.columns : 0;
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  shown = data.panels.filter((panel, place) =>
    form.querySelector(`[name=show][value=${panel[0]}]`).checked && order.some(row => row[3][place])).map(panel => panel[0]);
  const width = list.clientWidth, size = Number(field.size.value), count = Math.max(1, shown.length);
  const lines = Math.ceil(count / Math.max(1, Math.min(count, Math.floor((width - rem) / size))));
  const across = Math.ceil(count / lines);
  const columns = Math.max(1, Math.floor((width + GAP) / (across * size + 0.8 * rem + 2 + GAP)));
  const cardWidth = Math.floor((width - GAP * (columns - 1)) / columns);
  const panel = (cardWidth - 0.8 * rem - 2 - 3 * (across - 1)) / across;
  const height = Math.ceil((shown.length ? lines : 0) * (panel * data.shape + 1.15 * rem) + (2.9 + 0.8 + 0.8) * rem + 2);
  Object.assign(grid, {across, columns, cardWidth, height});
  list.style.height = `${Math.ceil(order.length / columns) * height}px`;
  for (const node of cards.values()) node.remove();
  cards.clear();
  if (anchor > 0) scrollTo(0, list.offsetTop + Math.floor(anchor / columns) * height);
  draw();
}

function draw() {
  const {columns, height, cardWidth} = grid, top = scrollY - list.offsetTop;
  // Faster than this, pictures could not be seen: they are loaded where the scrolling slows down.
  const rushing = Math.abs(scrollY - before) > innerHeight / 4;
  before = scrollY;
  clearTimeout(settling);
  if (rushing) settling = setTimeout(draw, 80);
  const first = Math.max(0, Math.floor(top / height) - OVERSCAN) * columns;
  const end = Math.min(order.length, (Math.ceil((top + innerHeight) / height) + OVERSCAN) * columns);
  for (const [place, node] of cards) {
    if ((place < first || place >= end) && !node.contains(document.activeElement)) {
      node.remove();
      cards.delete(place);
    }
  }
  for (let place = first; place < end; place++) {
    if (cards.has(place)) continue;
    const node = card(place);
    node.style.cssText = `width:${cardWidth}px;height:${height}px;transform:translate(${(place % columns) * (cardWidth + GAP)}px,${Math.floor(place / columns) * height}px)`;
    cards.set(place, node);
    list.append(node);
  }
  if (!rushing) for (const image of list.querySelectorAll("img[data-src]")) {
    image.src = image.dataset.src;
    image.removeAttribute("data-src");
  }
}

function thumbnail(row, panel) {
  const file = fileOf(row, panel);
  if (!file) return make("i");
  const image = make("img", {alt: "", decoding: "async", draggable: false});
  image.dataset.src = file;
  return image;
}

function card(place) {
  const row = order[place], sorted = Number(field.sort.value);
  const panels = make("span", {className: "panels"}, ...shown.map(panel =>
    make("span", {className: "panel"}, data.panels[panelOf[panel]][1], thumbnail(row, panel))));
  panels.style.gridTemplateColumns = `repeat(${grid.across}, minmax(0, 1fr))`;
  const values = make("span", {}, make("small", {className: "rank", textContent: `#${place + 1}`}));
  const others = data.metrics.map((_, metric) => metric).filter(metric => metric !== sorted && row[4][metric] !== null);
  for (const metric of [...(data.metrics[sorted] ? [sorted] : []), ...others]) {
    const title = make("small", {textContent: `${data.metrics[metric].title} `});
    values.append(make("span", {}, title, make(metric === sorted ? "b" : "span", {textContent: withUnit(row[4][metric], metric)})));
  }
  const name = make("span", {className: "name", title: row[0]}, make("bdi", {textContent: row[0]}));
  const button = make("button", {type: "button", className: "card"}, panels, make("span", {className: "caption"}, values, name));
  button.dataset.place = place;
  const node = make("li", {}, button);
  node.ariaPosInSet = place + 1;
  node.ariaSetSize = order.length;
  return node;
}

function focusCard(place) {
  const {columns, height} = grid, top = list.offsetTop + Math.floor(place / columns) * height;
  if (top < scrollY || top + height > scrollY + innerHeight) {
    scrollTo(0, top < scrollY ? top - 8 : Math.min(top - 8, top + height - innerHeight));
    draw();
  }
  cards.get(place)?.firstChild.focus({preventScroll: true});
}

function ranked(row, metric) {
  const {better} = data.metrics[metric], value = numberOf(row, metric);
  const alike = data.rows.filter(other => other[2] === row[2] && (other[1] < 0) === (row[1] < 0))
    .map(other => numberOf(other, metric)).filter(other => !Number.isNaN(other));
  const ahead = alike.filter(other => better < 0 ? other < value : other > value).length;
  return [ahead + 1, alike.length];
}

function open(place) {
  current = place;
  const row = order[place];
  $("name").textContent = row[0];
  $("place").textContent = `${place + 1} of ${order.length}`;
  if (!fileOf(row, view)) view = mainPanel(row);
  $("tabs").replaceChildren(...data.panels.filter((_, panel) => row[3][panel]).map(([panel, title, what]) => {
    const image = make("img", {src: fileOf(row, panel), alt: ""});
    const tab = make("button", {type: "button", title: what}, make("span", {className: "panel"}, title, image));
    tab.dataset.panel = panel;
    return tab;
  }));
  $("values").replaceChildren(...row[4].flatMap((value, metric) => {
    if (value === null) return [];
    const cells = [make("td", {textContent: data.metrics[metric].title})];
    if (typeof value === "number") {
      const [rank, of] = ranked(row, metric), bar = make("i");
      bar.style.left = `${of > 1 ? 100 * (rank - 1) / (of - 1) : 50}%`;
      cells.push(make("td", {textContent: withUnit(value, metric)}),
        make("td", {}, `${rank} `, make("small", {textContent: `of ${of}${data.metrics[metric].better ? "" : ", highest first"}`}), make("span", {className: "place"}, bar)));
    } else cells.push(make("td", {className: "reason", colSpan: 2, textContent: data.reasons[value[0]]}));
    const line = make("tr", {}, ...cells);
    if (metric === Number(field.sort.value)) line.ariaCurrent = "true";
    return [line];
  }));
  show(view);
  if (!one.open) one.showModal();
  for (const button of one.querySelectorAll("[data-step]")) button.disabled = !order[place + Number(button.dataset.step)];
  remember();
}

function show(panel, {isGlance = false} = {}) {
  const file = fileOf(order[current], panel);
  $("large").hidden = !file && !isGlance;
  if (!file) {
    if (!isGlance) {
      $("large").removeAttribute("src");
      $("what").textContent = "This picture cannot be read.";
    }
    return;
  }
  if (!isGlance) view = panel;
  $("large").src = file;
  $("large").alt = `${data.panels[panelOf[panel]][1]}: ${order[current][0]}`;
  const entry = data.panels[panelOf[panel]];
  $("what").replaceChildren(`${entry[2]}.`, ...(entry[4] ? [scale(entry)] : []));
  for (const tab of $("tabs").children) tab.ariaPressed = String(tab.dataset.panel === panel);
}

const step = by => { if (order[current + by]) open(current + by); };
const glance = () => show(view === "real" ? mainPanel(order[current]) : "real", {isGlance: true});

function later(what) {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; what(); });
}

form.oninput = event => {
  if (event.target.name === "sort") {
    [field.from.value, field.to.value] = ["", ""];
    orderChoices();
  }
  if (event.target.name === "size" || event.target.name === "show") { remember(); layout(); }
  else { scrollTo(0, Math.min(scrollY, list.offsetTop > 200 ? scrollY : 0)); update(); }
};
form.onsubmit = event => event.preventDefault();
form.onreset = () => setTimeout(() => { orderChoices(); update(); });
document.querySelector(".reset").onclick = () => form.reset();
list.onclick = event => { const card = event.target.closest(".card"); if (card) open(Number(card.dataset.place)); };
list.onkeydown = event => {
  const place = Number(event.target.dataset.place), by = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -grid.columns, ArrowDown: grid.columns}[event.key];
  const aim = event.key === "Home" ? 0 : event.key === "End" ? order.length - 1 : by ? place + by : -1;
  if (!order[aim] || Number.isNaN(place)) return;
  event.preventDefault();
  focusCard(aim);
};
document.onkeydown = event => {
  if (one.open) {
    const tab = $("tabs").children[Number(event.key) - 1];
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") step(event.key === "ArrowLeft" ? -1 : 1);
    else if (event.key === " ") { if (!event.repeat) glance(); }
    else if (tab) show(tab.dataset.panel);
    else return;
    event.preventDefault();
  } else if (event.key === "/" && !event.target.matches("input")) {
    event.preventDefault();
    $("filters").open = true;
    field.find.focus();
  }
};
document.onkeyup = event => { if (one.open && event.key === " ") { event.preventDefault(); show(view); } };
$("large").onpointerdown = glance;
$("large").onpointerup = $("large").onpointerleave = () => { if (one.open) show(view); };
$("tabs").onclick = event => { const tab = event.target.closest("button"); if (tab) show(tab.dataset.panel); };
$("close").onclick = () => one.close();
for (const button of one.querySelectorAll("[data-step]")) button.onclick = () => step(Number(button.dataset.step));
one.onclose = () => { remember(); focusCard(current); };
addEventListener("error", event => {  // of a picture: the page was copied or sent alone
  if (event.target.tagName !== "IMG") return;
  const folder = decodeURIComponent(data.folder.split("/")[0]);
  $("lost").textContent = `Pictures are missing: they are in the folder ${folder}, which must be next to this page.`;
  $("lost").hidden = false;
}, true);
addEventListener("scroll", () => later(draw), {passive: true});
addEventListener("resize", () => later(layout));
prepare();
