// The desk: findings as you type, completions, and a draft that is never lost.
"use strict";
(() => {
  const form = document.querySelector("form.desk");
  const area = document.getElementById("draft");
  const under = document.getElementById("under");
  const gutter = document.getElementById("gutter");
  const list = document.getElementById("completions");
  const state = document.getElementById("state");
  const named = form.elements.name;
  // What is typed is kept here at every key, under the draft's name, until it is saved.
  const key = () => "reftel-draft:" + (form.dataset.name || "");
  const keep = () => {
    try {
      localStorage.setItem(key(), JSON.stringify({ text: area.value, at: Date.now() }));
      return true;
    } catch {
      state.textContent = "This browser keeps nothing: save the draft before you leave.";
      return false;
    }
  };
  const kept = () => {
    try {
      return JSON.parse(localStorage.getItem(key()));
    } catch {
      return null;
    }
  };
  const forget = () => localStorage.removeItem(key());
  const before = kept();
  if (before && before.text !== area.value) {
    area.value = before.text;
    state.textContent = "Your unsaved draft is here again.";
  }

  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  };

  const scroll = () => {
    under.scrollTop = area.scrollTop;
    under.scrollLeft = area.scrollLeft;
    gutter.scrollTop = area.scrollTop;
  };

  let seen = { findings: [], marks: [] };
  const paint = () => {
    const lines = area.value.split("\n").length;
    const worst = new Map();
    for (const each of seen.findings) {
      if (!worst.has(each.line) || each.severity === "error") worst.set(each.line, each);
    }
    gutter.replaceChildren(
      ...Array.from({ length: lines }, (_, at) => {
        const found = worst.get(at + 1);
        const number = element("span", String(at + 1), found ? found.severity : "");
        if (found) number.title = found.message;
        const row = element("span");
        row.append(number, "\n");
        return row;
      }),
    );
    // Places are counted in code points, as in Python.
    const points = Array.from(area.value);
    const parts = [];
    let at = 0;
    const places = seen.text === area.value ? seen.findings.filter((f) => f.start !== null) : [];
    for (const each of places.sort((a, b) => a.start - b.start)) {
      if (each.start < at) continue;
      const text = points.slice(each.start, each.end).join("").split("\n")[0];
      if (!text) continue;
      parts.push(points.slice(at, each.start).join(""), element("mark", text, each.severity));
      at = each.start + Array.from(text).length;
    }
    parts.push(points.slice(at).join("") + "\n");
    under.replaceChildren(...parts);
    scroll();
  };

  const show = () => {
    const findings = seen.findings.map((each) => {
      const item = element("li", undefined, each.severity);
      const link = element("a");
      link.href = "#draft";
      link.dataset.line = each.line || 1;
      link.dataset.column = each.column || 1;
      link.append(element("b", each.line ? `Line ${each.line}` : "Draft"), " " + each.message);
      item.append(link, element("span", " " + each.rule, "quiet"), element("p", each.remedy));
      return item;
    });
    if (!findings.length) findings.push(element("li", "No rule is broken.", "none"));
    document.getElementById("findings").replaceChildren(...findings);
    document.getElementById("marks").replaceChildren(
      ...seen.marks.map((each) => {
        const item = element("li");
        const number = each.number ? `${each.number}. ` : "";
        item.append(element("span", each.marking || "none", "level " + each.level_class), ` ${number}${each.words}`);
        return item;
      }),
    );
    const level = document.getElementById("level");
    level.className = "level-banner banner " + seen.level_class;
    level.textContent = [seen.level, ...(seen.captions || [])].filter(Boolean).join(" · ");
    document.getElementById("wire").textContent = seen.wire || seen.refused.join("\n");
    document
      .getElementById("changes")
      .replaceChildren(...(seen.changes || []).map((each) => element("p", each)));
    paint();
  };

  let asked = 0;
  const look = async () => {
    const turn = ++asked;
    const text = area.value;
    try {
      const answer = await fetch("/desk/look", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ draft: text, profile: form.elements.profile.value }),
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const found = await answer.json();
      if (turn !== asked) return;
      seen = { ...found, text };
      const errors = found.findings.filter((each) => each.severity === "error").length;
      const warnings = found.findings.length - errors;
      state.textContent = `${errors} ${errors === 1 ? "error" : "errors"}, ${warnings} ${warnings === 1 ? "warning" : "warnings"}; kept in this browser`;
      show();
    } catch {
      state.textContent = "The reading room does not answer; the draft is kept in this browser.";
    }
  };
  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(look, 200);
  };

  // Completions: the word before the caret, on a line whose key has a table.
  const KINDS = { from: "address", to: "address", info: "address", exempt: "address", tags: "tags", captions: "captions" };
  const beginning = () => {
    if (area.selectionStart !== area.selectionEnd) return null;
    const before = area.value.slice(0, area.selectionStart);
    const lines = before.split("\n");
    if (lines.slice(0, -1).some((line, at) => at && !line.trim())) return null;
    let at = lines.length - 1;
    while (at > 0 && /^\s/.test(lines[at])) at--;
    const match = /^([A-Za-z ]+):/.exec(lines[at]);
    const kind = match && KINDS[match[1].trim().toLowerCase()];
    if (!kind) return null;
    let words = at === lines.length - 1 ? lines[at].slice(match[0].length) : lines[lines.length - 1];
    if (kind !== "address") words = words.split(/[,;]/).pop();
    words = words.replace(/^\s+/, "");
    return words ? { kind, words, row: lines.length - 1, column: lines[lines.length - 1].length } : null;
  };
  let choices = [];
  let chosen = 0;
  const close = () => {
    list.hidden = true;
    choices = [];
    area.removeAttribute("aria-activedescendant");
  };
  const mark = () => {
    [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === chosen)));
    area.setAttribute("aria-activedescendant", "choice-" + chosen);
  };
  const take = (at) => {
    const begun = beginning();
    if (!begun || !choices[at]) return close();
    const end = area.selectionStart;
    area.setRangeText(choices[at].value, end - begun.words.length, end, "end");
    close();
    area.dispatchEvent(new Event("input"));
    close();
    area.focus();
  };
  let completing = 0;
  const complete = async () => {
    const turn = ++completing;
    const begun = beginning();
    if (!begun) return close();
    const answer = await fetch(`/desk/complete?${new URLSearchParams({ kind: begun.kind, words: begun.words })}`).catch(() => null);
    if (!answer || !answer.ok || turn !== completing) return;
    choices = (await answer.json()).filter((each) => each.value !== begun.words.toUpperCase().trim());
    if (turn !== completing || !choices.length) return close();
    chosen = 0;
    list.replaceChildren(
      ...choices.map((each, at) => {
        const item = element("li");
        item.id = "choice-" + at;
        item.setAttribute("role", "option");
        item.append(element("b", each.value), element("span", each.meaning));
        item.addEventListener("mousedown", (event) => {
          event.preventDefault();
          take(at);
        });
        return item;
      }),
    );
    const style = getComputedStyle(area);
    const height = parseFloat(style.lineHeight);
    const canvas = document.createElement("canvas").getContext("2d");
    canvas.font = `${style.fontSize} ${style.fontFamily}`;
    const width = canvas.measureText("0").width;
    list.style.top = `${(begun.row + 1) * height + parseFloat(style.paddingTop) - area.scrollTop + 2}px`;
    list.style.left = `${Math.max(0, begun.column * width + parseFloat(style.paddingLeft) - area.scrollLeft - 8)}px`;
    list.hidden = false;
    mark();
  };

  area.addEventListener("input", () => {
    keep();
    paint();
    later();
    complete();
  });
  area.addEventListener("scroll", scroll);
  area.addEventListener("blur", () => setTimeout(close, 150));
  area.addEventListener("keydown", (event) => {
    if (list.hidden || !choices.length) return;
    if (event.key === "ArrowDown") chosen = (chosen + 1) % choices.length;
    else if (event.key === "ArrowUp") chosen = (chosen + choices.length - 1) % choices.length;
    else if (event.key === "Enter" || event.key === "Tab") {
      event.preventDefault();
      return take(chosen);
    } else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    if (!list.hidden) mark();
  });
  form.elements.profile.addEventListener("change", look);
  document.getElementById("findings").addEventListener("click", (event) => {
    const link = event.target.closest("a[data-line]");
    if (!link) return;
    event.preventDefault();
    const lines = area.value.split("\n");
    const row = Math.min(Number(link.dataset.line), lines.length) - 1;
    const start = lines.slice(0, row).reduce((sum, line) => sum + line.length + 1, 0);
    const place = start + Math.min(Number(link.dataset.column) - 1, lines[row].length);
    area.focus();
    area.setSelectionRange(place, start + lines[row].length);
    area.scrollTop = Math.max(0, (row - 4) * parseFloat(getComputedStyle(area).lineHeight));
  });
  document.getElementById("fresh").addEventListener("click", () => {
    form.dataset.name = "";
    forget();
  });
  form.addEventListener("submit", async (event) => {
    const what = event.submitter ? event.submitter.value : "check";
    keep();
    if (what === "check") {
      event.preventDefault();
      look();
    } else if (what === "save") {
      event.preventDefault();
      if (!named.reportValidity()) return;
      if (!named.value) {
        state.textContent = "Give the draft a name to save it under.";
        return named.focus();
      }
      const answer = await fetch("/desk", { method: "POST", body: new URLSearchParams({ do: "save", name: named.value, draft: area.value, profile: form.elements.profile.value }) }).catch(() => null);
      if (answer && answer.ok) {
        forget();
        form.dataset.name = named.value;
        history.replaceState(null, "", `/desk?draft=${encodeURIComponent(named.value)}`);
        state.textContent = `Saved as ${named.value}`;
      } else state.textContent = "It could not be saved; the draft is kept in this browser.";
    }
  });
  paint();
  look();
})();
