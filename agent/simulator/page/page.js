"use strict";

const SHOWN = 20;
const EVERY_MS = 1000;
// A reply bears the command's id or SID, then its code (docs/payloads.md).
const VERDICTS = { OK: "succeeded", ER: "failed or refused", WT: "not finished" };
const element = (id) => document.getElementById(id);
const time = (at) => String(at).slice(11, 19);

/** Put rows of plain values into a table: text only, whatever a message says. */
function fill(id, rows) {
  const body = element(id).tBodies[0];
  body.replaceChildren(...rows.map((values) => {
    const row = document.createElement("tr");
    for (const value of values) {
      row.appendChild(document.createElement("td")).textContent = value ?? "";
    }
    return row;
  }));
}

/** Keep a choice while its options change. */
function choose(id, names) {
  const select = element(id);
  const old = [...select.options].map((one) => one.value);
  if (old.join("\n") === names.join("\n")) return;
  const chosen = select.value;
  select.replaceChildren(...names.map((name) => new Option(name, name)));
  if (names.includes(chosen)) select.value = chosen;
}

function verdict(text) {
  const words = String(text ?? "").split(" ");
  return VERDICTS[words.slice(0, 2).find((word) => word in VERDICTS)] ?? "";
}

function show(state) {
  choose("platform", Object.keys(state.platforms));
  const platform = element("platform").value;
  const known = Object.entries(state.sims).filter(([, sim]) => platform in sim.known);
  choose("sim", known.map(([name]) => name));
  const api = Object.entries(state.platforms)
    .flatMap(([name, messages]) => messages.map((one) => ({ name, ...one })))
    .sort((a, b) => (a.at < b.at ? 1 : -1));
  const latest = (list) => list.slice(-SHOWN).reverse();
  fill("api", api.slice(0, SHOWN).map((one) =>
    [time(one.at), one.name, one.direction, one.text, one.status]));
  fill("centre", latest(state.deliveries).map((one) =>
    [one.from, one.sim, one.text, one.parts, one.state, one.attempts]));
  fill("replies", latest(state.originated).map((one) =>
    [time(one.at), one.sim, one.to, one.text, verdict(one.text), one.routed_to ?? "nobody"]));
  fill("callbacks", latest(state.callbacks).map((one) =>
    [time(one.at), one.platform, one.method, one.body || one.url, one.error ?? one.status]));
  fill("modems", Object.entries(state.sims).map(([name, sim]) =>
    [name, sim.modem ?? "none", sim.waiting, sim.stored, sim.sent]));
}

async function call(path, body) {
  const options = body && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const answer = await fetch(path, options);
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error);
  return told;
}

let reading = false;
async function refresh() {
  if (reading) return;
  reading = true;
  try {
    show(await call("/_control/state"));
    element("trouble").textContent = "";
  } catch (error) {
    element("trouble").textContent = `The simulator cannot be read: ${error.message}`;
  } finally {
    reading = false;
  }
}

element("platform").addEventListener("change", refresh);
element("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  element("send").disabled = true;
  try {
    const told = await call("/_control/send", {
      platform: element("platform").value,
      sim: element("sim").value,
      text: element("text").value,
    });
    element("exchange").textContent =
      `${told.method} ${told.url}\n${told.form}\n\n${told.status}\n${told.answer}`;
  } catch (error) {
    element("exchange").textContent = `Not sent: ${error.message}`;
  } finally {
    element("send").disabled = false;
  }
  await refresh();
});

refresh();
setInterval(refresh, EVERY_MS);
