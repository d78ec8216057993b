// The experimenter's page: asks for the numbers every two seconds while it is visible.

const EVERY_MS = 2000;
const state = document.querySelector("#state");
let gone = "The server does not answer";

function ago(instant) {
  if (!instant) return "";
  const seconds = Math.max(0, (Date.now() - new Date(instant)) / 1000);
  if (seconds < 60) return "now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

function local(instant) {
  if (!instant) return "";
  return new Date(instant).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

function row(session) {
  const made = document.createElement("tr");
  made.dataset.status = session.status;
  const cell = (content, name = "") => {
    const it = made.insertCell();
    it.className = name;
    it.append(content);
    return it;
  };
  cell(session.participant).title = session.participant;
  cell(session.status === "aborted" ? "withdrawn" : session.status, "status");
  const bar = Object.assign(document.createElement("progress"), { max: session.planned || 1, value: session.trials });
  bar.setAttribute("aria-hidden", "true");
  cell(bar).append(`${session.trials} of ${session.planned}`);
  cell(String(session.flagged), session.flagged ? "number is-flagged" : "number").append(
    Object.assign(document.createElement("small"), { textContent: session.flags }),
  );
  cell(session.minutes === null ? "" : session.minutes.toFixed(1), "number");
  cell(ago(session.last_answer));
  cell(local(session.started_at));
  cell(String(session.list), "number");
  return made;
}

function show(numbers) {
  for (const cell of document.querySelectorAll("[data-count]")) {
    cell.textContent = numbers[cell.dataset.count] ?? "–";
  }
  document.querySelector("#progress").value = numbers.complete;
  document.querySelector("#flags").textContent = numbers.flags;
  document.querySelector("#flagged").hidden = !numbers.flags;
  state.dataset.state = numbers.paused ? "paused" : "running";
  say(numbers.paused ? "Paused: no new participants are admitted, open sessions continue" : "Admitting participants");
  document.querySelector("[data-act=pause]").hidden = numbers.paused;
  document.querySelector("[data-act=resume]").hidden = !numbers.paused;
  const report = document.querySelector("#report");
  report.hidden = !numbers.report_made;
  report.textContent = `Report (${ago(1000 * numbers.report_made)})`; // an old one lacks the latest answers
  document.querySelector("#answers").hidden = numbers.sessions.length === 0;
  document.querySelector("#empty").hidden = numbers.sessions.length > 0;
  document.querySelector("table").hidden = numbers.sessions.length === 0;
  document.querySelector("#sessions").replaceChildren(...numbers.sessions.map(row));
}

function say(words) {
  if (state.textContent !== words) state.textContent = words; // a screen reader reads changes aloud
}

async function refresh() {
  try {
    const response = await fetch("status");
    if (!response.ok) throw new Error(response.statusText);
    show(await response.json());
  } catch {
    state.dataset.state = "gone";
    say(gone);
  }
}

async function act(button) {
  const stops = button.dataset.act === "stop";
  if (stops && !confirm("Stop the server? Open sessions can continue when it runs again.")) return;
  button.disabled = true;
  try {
    const answer = await (await fetch(button.dataset.act, { method: "POST" })).json();
    if (stops) gone = answer.stored ? "Stopped; every answer is stored" : "Stopped; see the terminal about the store";
  } finally {
    button.disabled = false;
    await refresh();
  }
}

async function copy(button) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
  } catch { // the clipboard needs https or localhost
    button.textContent = "Select and copy by hand";
  }
  setTimeout(() => { button.textContent = label; }, 2000);
}

for (const button of document.querySelectorAll("[data-act]")) button.addEventListener("click", () => act(button));
for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", () => copy(button));
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());

if (document.body.dataset.page === "sessions") {
  await refresh();
  setInterval(() => document.hidden || refresh(), EVERY_MS);
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
}
