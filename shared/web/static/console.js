// What makes the pages quicker to use. Everything works without it.
"use strict";

// Times in the reader's zone; UTC stays as the title.
function localise(root) {
  for (const it of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(it.dateTime);
    if (!Number.isNaN(moment.getTime())) it.textContent = moment.toLocaleString([], {dateStyle: "medium", timeStyle: "seconds" in it.dataset ? "medium" : "short"});
  }
}

function count() {
  for (const it of document.querySelectorAll("[data-until]")) {
    const minutes = Math.floor((new Date(it.dataset.until) - Date.now()) / 60000);
    it.textContent = minutes <= 0 ? "over" : minutes >= 2880 ? `${Math.floor(minutes / 1440)} days left`
      : minutes >= 120 ? `${Math.floor(minutes / 60)} hours left` : `${minutes} minutes left`;
    it.classList.toggle("soon", minutes < 4320);
  }
}

function move(by) {
  const rows = [...document.querySelectorAll("a[data-row]")];
  const at = rows.indexOf(document.activeElement);
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
  if (next) { next.focus(); next.scrollIntoView({block: "nearest"}); }
}

let went = 0;
document.addEventListener("keydown", (event) => {
  const types = event.target.closest("input, textarea, select");
  if (types || event.ctrlKey || event.metaKey || event.altKey) return;
  if (Date.now() - went < 1500) {
    went = 0;
    const to = document.querySelector(`nav a[data-key="${CSS.escape(event.key)}"]`);
    if (to) to.click();
    return;
  }
  const search = document.querySelector("[data-search]"), decide = document.querySelector("[data-key-a]");
  if (event.key === "g") went = Date.now();
  else if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "/" && search) { event.preventDefault(); search.focus(); }
  else if (event.key === "a" && decide) { decide.click(); document.querySelector("#approve textarea")?.focus({preventScroll: true}); event.preventDefault(); }
});

// A form is sent once: the second click of a tired finger does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((it) => delete it.dataset.sent));

addEventListener("DOMContentLoaded", () => { localise(document); count(); setInterval(count, 30000); });
document.addEventListener("htmx:after:swap", () => localise(document));
document.addEventListener("htmx:afterSwap", () => localise(document));
