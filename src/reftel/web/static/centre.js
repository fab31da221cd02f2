// Keeps the centre's pages fresh without touching what a person is doing; they work without it.
"use strict";
const EVERY_MS = 2000;
const stale = document.querySelector(".stale");
// A list does not shift under the pointer of somebody who is about to press a button.
let touched = { part: null, at: 0 };
document.addEventListener("pointermove", (event) => {
  touched = { part: event.target.closest("[data-live]"), at: performance.now() };
});
function busy(part) {
  if (part === touched.part && performance.now() - touched.at < 1000) return true;
  if (part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select")) return true;
  if (part.querySelector("details[open]")) return true;
  return [...part.querySelectorAll("input:not([type=hidden]), textarea")].some((field) => field.value !== field.defaultValue);
}
// What had the focus keeps it, if it is still there: the same link, or the same button of the same form.
const sameness = (element) => (element.closest("form") || element).outerHTML;
function replace(part, now) {
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  part.replaceChildren(...now.childNodes);
  if (!focused) return;
  const same = (each) => each.textContent === focused.textContent && sameness(each) === sameness(focused);
  [...part.querySelectorAll(focused.tagName)].find(same)?.focus({ preventScroll: true });
}
async function refresh() {
  if (document.hidden || !document.querySelector("[data-live]")) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.redirected) return location.reload();
    if (!answer.ok) throw new Error(answer.statusText);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const now = fresh.getElementById(part.id);
      if (now && now.innerHTML !== part.innerHTML && !busy(part)) replace(part, now);
    }
    if (stale) stale.hidden = true;
  } catch {
    if (stale && stale.hidden) {
      stale.hidden = false;
      stale.querySelector("time").textContent = new Date().toISOString().slice(11, 19) + "Z";
    }
  }
}
setInterval(refresh, EVERY_MS);
document.addEventListener("visibilitychange", refresh);
