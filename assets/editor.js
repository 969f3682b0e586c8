// The editor: what is wrong with a task file is underlined while one types it.
"use strict";

const PAUSE = 250;

class Editor {
  constructor(host) {
    this.host = host;
    this.area = host.querySelector("textarea");
    this.list = document.getElementById(this.area.getAttribute("aria-describedby"));
    this.paint = document.createElement("pre");
    this.paint.className = "editor-paint";
    this.paint.setAttribute("aria-hidden", "true");
    host.prepend(this.paint);
    this.area.addEventListener("input", () => this.typed());
    this.area.addEventListener("scroll", () => this.move(), { passive: true });
    this.area.addEventListener("keydown", (event) => this.keyed(event));
    this.check();
  }

  typed() {
    this.paint.replaceChildren();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.check(), PAUSE);
  }

  // A tab indents by two; after Escape it leaves, as everywhere.
  keyed(event) {
    if (event.key === "Escape") this.leaves = true;
    else if (event.key === "Tab" && !event.shiftKey && !this.leaves) {
      event.preventDefault();
      this.area.setRangeText("  ", this.area.selectionStart, this.area.selectionEnd, "end");
      this.typed();
    } else if (event.key !== "Tab") this.leaves = false;
  }

  async check() {
    const text = this.area.value;
    if (!text.trim()) return this.show(text, []);
    const answer = await fetch(this.host.dataset.editor, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text }),
    });
    if (answer.ok && text === this.area.value) this.show(text, (await answer.json()).findings);
  }

  show(text, findings) {
    this.area.setAttribute("aria-invalid", String(findings.some((it) => it.level === "error")));
    const lines = text.split("\n").map((line) => [...line]);
    this.paint.replaceChildren(...lines.flatMap((letters, at) => [...this.painted(letters, at + 1, findings), "\n"]));
    this.list.replaceChildren(...findings.map((it) => this.said(it)));
    this.move();
  }

  // A line with what is wrong in it underlined; the letters themselves are those of the text area.
  painted(letters, line, findings) {
    const here = findings.filter((it) => it.line && it.line <= line && (it.end_line ?? it.line) >= line);
    if (!here.length) return [letters.join("")];
    const marks = new Array(letters.length).fill("");
    for (const it of here) {
      const from = it.line === line ? it.column - 1 : 0;
      const to = (it.end_line ?? it.line) === line ? Math.max(from + 1, it.end_column - 1) : letters.length;
      for (let at = from; at < Math.min(to, letters.length); at += 1) if (marks[at] !== "error") marks[at] = it.level;
    }
    const parts = [];
    for (let at = 0; at < letters.length;) {
      let end = at;
      while (end < letters.length && marks[end] === marks[at]) end += 1;
      const part = letters.slice(at, end).join("");
      if (marks[at]) {
        const mark = document.createElement("span");
        mark.className = marks[at];
        mark.textContent = part;
        parts.push(mark);
      } else parts.push(part);
      at = end;
    }
    return parts;
  }

  said({ level, message, line, column, help }) {
    const item = document.createElement("li");
    item.className = level;
    const where = document.createElement("button");
    where.type = "button";
    where.textContent = line ? `${line}:${column}` : level;
    where.addEventListener("click", () => this.goTo(line ?? 1, column ?? 1));
    item.append(where, ` ${message}`, ...(help ?? []).map((it) => ` – ${it}`));
    return item;
  }

  goTo(line, column) {
    const before = this.area.value.split("\n").slice(0, line - 1).join("\n").length;
    const at = before + (line > 1 ? 1 : 0) + column - 1;
    this.area.focus();
    this.area.setSelectionRange(at, at);
  }

  move() {
    this.paint.scrollTop = this.area.scrollTop;
    this.paint.scrollLeft = this.area.scrollLeft;
  }
}

for (const host of document.querySelectorAll("[data-editor]")) new Editor(host);
