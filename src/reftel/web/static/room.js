// Speeds reading up; every page works without it.
"use strict";
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const links = [...document.querySelectorAll(".line h2 a")];
  const here = links.indexOf(document.activeElement);
  if (event.key === "/") document.getElementById("q").focus();
  else if (event.key === "j") links[Math.min(here + 1, links.length - 1)]?.focus();
  else if (event.key === "k") links[Math.max(here - 1, 0)]?.focus();
  else if (event.key === "?") location.href = "/about";
  else return;
  event.preventDefault();
});
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Selected";
    }
  });
}
for (const field of document.querySelectorAll(".copy textarea")) {
  field.addEventListener("focus", () => field.select());
}
// On a narrow screen the original begins folded.
const original = document.querySelector("details.original");
if (original && matchMedia("(max-width: 70rem)").matches) original.open = false;
