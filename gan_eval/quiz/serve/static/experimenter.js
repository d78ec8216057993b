// The experimenter's page: asks for the state every two seconds.

const state = document.querySelector("#state");
const table = document.querySelector("#sessions");

function show(status) {
  for (const cell of document.querySelectorAll("[data-count]")) {
    const value = status[cell.dataset.count];
    cell.textContent = value === null ? "–" : Number.isInteger(value) ? value : value.toFixed(1);
  }
  state.textContent = status.paused ? "Paused: nobody new is admitted; open sessions continue." : "";
  document.querySelector("[data-act=pause]").hidden = status.paused;
  document.querySelector("[data-act=resume]").hidden = !status.paused;
  table.replaceChildren(
    ...status.sessions.map((session) => {
      const row = document.createElement("tr");
      row.dataset.status = session.status;
      const began = (session.started_at ?? "").slice(0, 16).replace("T", " ");
      const minutes = session.minutes === null ? "" : session.minutes.toFixed(1);
      const cells = [session.participant, session.status, session.list, `${session.trials} of ${session.planned}`,
        session.flagged, began, minutes];
      for (const text of cells) row.insertCell().textContent = text;
      return row;
    }),
  );
}

async function refresh() {
  try {
    const response = await fetch("status");
    if (!response.ok) throw new Error(response.statusText);
    show(await response.json());
  } catch {
    state.textContent = "The server does not answer.";
  }
}

for (const button of document.querySelectorAll("[data-act]")) {
  button.addEventListener("click", async () => {
    const stops = button.dataset.act === "stop";
    if (stops && !confirm("Stop the server? Open sessions can continue when it runs again.")) return;
    await fetch(button.dataset.act, { method: "POST" });
    await refresh();
  });
}

await refresh();
setInterval(refresh, 2000);
