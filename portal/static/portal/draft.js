// Saves a draft while it is typed. The server merges what the page sends into what others saved meanwhile, and answers
// with what they changed, what clashes, and the estimate. Without JavaScript the buttons of the form do the same.
const form = document.querySelector("[data-draft]");
const words = (name) => form.dataset[`word${name}`];
const status = form.querySelector("[data-status]");
const login = form.querySelector("[data-login]");
const besides = form.querySelector("[data-beside]");
const token = form.elements.namedItem("csrfmiddlewaretoken");
const revision = form.elements.namedItem("revision");

const QUIET = 900; // ms without a key before it is saved
const LOOK = 30_000; // ms between two looks at who else is there
const WAITS = [3_000, 6_000, 12_000, 30_000]; // ms before an attempt is made again, longer each time

let dirty = false;
let busy = false;
let untold = false; // a mistake waits until its field is left
let failures = 0;
let timer = 0;

const say = (text, kind = "") => {
  if (status.textContent !== text) status.textContent = text;
  status.dataset.kind = kind;
};
const shown = (html) => {
  const holder = document.createElement("template");
  holder.innerHTML = html.trim();
  return holder.content.firstElementChild;
};
const contents = () => {
  const data = new FormData(form);
  return new URLSearchParams([...data].filter(([, value]) => typeof value === "string"));
};
// What one question holds now, to see whether it was typed in since it was sent.
const held = (block) =>
  JSON.stringify([...block.querySelectorAll("input, select, textarea")].map((e) => (e.type === "radio" || e.type === "checkbox" ? e.checked : e.value)));
const block = (key) => form.querySelector(`[data-key="${CSS.escape(key)}"]`);

const later = (wait) => {
  clearTimeout(timer);
  timer = setTimeout(save, wait);
};

const takeOver = (blocks, before) => {
  // What others changed takes the place of what the page shows, but never under somebody's fingers.
  let all = true;
  for (const [key, html] of Object.entries(blocks)) {
    const here = block(key);
    if (!here) continue;
    if (here.contains(document.activeElement) || held(here) !== before.get(key)) all = false;
    else here.replaceWith(shown(html));
  }
  return all;
};

const tell = (answer) => {
  untold = false;
  for (const [key, html] of Object.entries(answer.notes)) {
    const note = form.querySelector(`[data-note="${CSS.escape(key)}"]`);
    const here = note?.closest("[data-key]");
    if (!note) continue;
    const writing = here.contains(document.activeElement) && !note.contains(document.activeElement);
    // Nobody is told of a mistake in the middle of a word; a clash is told at once.
    if (writing && html && !answer.clashes.includes(key)) {
      untold = true;
      continue;
    }
    if (note.contains(document.activeElement) && answer.clashes.includes(key)) continue;
    if (note.innerHTML.trim() !== html) note.innerHTML = html;
    here.classList.toggle("field--error", html !== "" && here.classList.contains("field"));
    for (const input of here.querySelectorAll("[aria-describedby]:is(input, select, textarea)")) {
      if (answer.wrong.includes(key)) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
  }
};

const beside = (text) => {
  if (besides.textContent.trim() !== text) besides.textContent = text;
  besides.hidden = text === "";
};

const fresh = async () => {
  // After a new login in another window the page needs that session's token.
  const response = await fetch(form.dataset.keep, { credentials: "same-origin", headers: { Accept: "application/json" } });
  if (response.redirected || !response.ok) return false;
  const answer = await response.json();
  token.value = answer.token;
  beside(answer.beside);
  return true;
};

async function save() {
  clearTimeout(timer);
  if (busy || !dirty) return;
  busy = true;
  dirty = false;
  say(words("Saving"));
  const before = new Map([...form.querySelectorAll("[data-key]")].map((here) => [here.dataset.key, held(here)]));
  try {
    const response = await fetch(form.dataset.keep, {
      method: "POST",
      body: contents(),
      credentials: "same-origin",
      headers: { Accept: "application/json" },
    });
    const isAnswer = (response.headers.get("Content-Type") || "").startsWith("application/json");
    if (response.status === 409 && isAnswer) {
      const answer = await response.json();
      say(answer.message, "wrong");
      window.location.assign(answer.gone);
      return;
    }
    if (response.redirected || response.status === 403) {
      dirty = true;
      const again = await fresh();
      login.hidden = again;
      if (!again) say(words("Login"), "wrong");
      busy = false;
      later(again && failures++ < 3 ? 0 : 5_000);
      return;
    }
    if (response.status === 422 && isAnswer) {
      dirty = true; // nothing of it was kept: whoever closes the page is asked first
      say((await response.json()).message, "wrong");
      busy = false;
      return;
    }
    if (!response.ok || !isAnswer) throw new Error(response.statusText);
    const answer = await response.json();
    failures = 0;
    login.hidden = true;
    if (takeOver(answer.blocks, before)) revision.value = answer.revision;
    tell(answer);
    beside(answer.beside);
    document.querySelector("[data-aside]").innerHTML = answer.aside;
    const how = answer.clashes.length ? words("Clash") : answer.wrong.length ? words("Wrong") : words("Saved");
    if (answer.changed) say(answer.changed, "wrong");
    else say(`${how} ${answer.saved}`, answer.clashes.length ? "wrong" : "saved");
  } catch {
    dirty = true;
    say(words("Offline"), "wrong");
    busy = false;
    later(WAITS[Math.min(failures++, WAITS.length - 1)]);
    return;
  }
  busy = false;
  if (dirty) later(QUIET);
}

form.addEventListener("input", () => {
  dirty = true;
  later(QUIET);
});
form.addEventListener("change", () => {
  dirty = true;
  later(100);
});
// A mistake that was not told in the middle of a word is told when the field is left.
form.addEventListener("focusout", () => {
  if (!untold) return;
  dirty = true;
  later(100);
});
form.addEventListener("submit", () => {
  clearTimeout(timer);
  dirty = false;
});
window.addEventListener("online", () => later(0));
window.addEventListener("beforeunload", (event) => {
  if (dirty || (busy && failures)) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden" && dirty) save();
});
setInterval(() => {
  if (document.visibilityState === "visible" && !dirty && !busy) fresh().catch(() => {});
}, LOOK);
fresh().catch(() => {});
