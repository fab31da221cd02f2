// Keeps the centre's pages fresh without touching what a person is doing; they work without it.
"use strict";
const EVERY_MS = 2000;
const stale = document.querySelector(".stale");
function busy(part) {
  if (part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select, summary, button")) return true;
  if (part.querySelector("details[open]")) return true;
  return [...part.querySelectorAll("input:not([type=hidden]), textarea")].some((field) => field.value !== field.defaultValue);
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
      if (now && now.innerHTML !== part.innerHTML && !busy(part)) part.replaceChildren(...now.childNodes);
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
