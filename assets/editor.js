// The editor: a task file is coloured, and what is wrong with it underlined, while one types it.
"use strict";

const PAUSE = 250;
// A text longer than this is not coloured: it would be painted anew with every letter.
const LONGEST = 100_000;

const SPECIAL = /(?<comment>(?<!\S)#.*)|(?<template>\{\{.*?(?:\}\}|$)|\$[\p{L}\p{N}_]+)|(?<string>"[^"]*"?|'[^']*'?)/gu;

// The class of each letter of a line, as the server paints YAML: it reads lines, not the language.
const colours = (line) => {
  const classes = new Array(line.length).fill("");
  const fill = (from, to, name) => { for (let at = from; at < to; at += 1) classes[at] = name; };
  const [, indent, dashes, key] = line.match(/^(\s*)((?:- )*)(?:([\p{L}\p{N}_.\/-]+):(?= |$))?/u);
  const start = indent.length + dashes.length;
  fill(indent.length, start, "y-mark");
  const end = key === undefined ? start : start + key.length + 1;
  if (key !== undefined) { fill(start, end - 1, "y-key"); fill(end - 1, end, "y-mark"); }
  for (const { index, 0: text, groups } of line.slice(end).matchAll(SPECIAL))
    fill(end + index, end + index + text.length, `y-${Object.keys(groups).find((name) => groups[name] !== undefined)}`);
  return classes;
};

class Editor {
  constructor(host) {
    this.host = host;
    this.area = host.querySelector("textarea");
    this.list = document.getElementById(this.area.getAttribute("aria-describedby"));
    this.paint = document.createElement("pre");
    this.paint.className = "editor-paint";
    this.paint.setAttribute("aria-hidden", "true");
    host.prepend(this.paint);
    this.draw(this.area.value, []);
    this.area.addEventListener("input", () => this.typed());
    this.area.addEventListener("scroll", () => this.move(), { passive: true });
    this.area.addEventListener("keydown", (event) => this.keyed(event));
    this.check();
  }

  typed() {
    this.draw(this.area.value, []);
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

  // A text without a checker is coloured all the same.
  async check() {
    if (!this.host.dataset.editor) return;
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
    this.draw(text, findings);
    this.list.replaceChildren(...findings.map((it) => this.said(it)));
  }

  // What is seen is painted; the text area above it keeps its letters to itself, and shows them where nothing is painted.
  draw(text, findings) {
    const isPainted = text.length <= LONGEST;
    this.host.classList.toggle("is-painted", isPainted);
    const lines = isPainted ? text.split("\n") : [];
    this.paint.replaceChildren(...lines.flatMap((line, at) => [...this.painted(line, at + 1, findings), "\n"]));
    this.move();
  }

  // A line in its colours, with what is wrong in it underlined.
  painted(line, number, findings) {
    const classes = colours(line);
    const marks = this.marks(line, number, findings);
    const parts = [];
    for (let at = 0; at < line.length;) {
      let end = at;
      while (end < line.length && classes[end] === classes[at] && marks[end] === marks[at]) end += 1;
      const part = line.slice(at, end);
      if (classes[at] || marks[at]) {
        const span = document.createElement("span");
        span.className = `${classes[at]} ${marks[at]}`.trim();
        span.textContent = part;
        parts.push(span);
      } else parts.push(part);
      at = end;
    }
    return parts;
  }

  // How bad each place of a line is; columns count letters, places of a string are halves of some.
  marks(line, number, findings) {
    const marks = new Array(line.length).fill("");
    const here = findings.filter((it) => it.line && it.line <= number && (it.end_line ?? it.line) >= number);
    if (!here.length) return marks;
    const place = [0];
    for (const letter of line) place.push(place.at(-1) + letter.length);
    for (const it of here) {
      const from = it.line === number ? it.column - 1 : 0;
      const to = (it.end_line ?? it.line) === number ? Math.max(from + 1, it.end_column - 1) : place.length - 1;
      for (let at = place[from] ?? line.length; at < (place[to] ?? line.length); at += 1)
        if (marks[at] !== "error") marks[at] = it.level;
    }
    return marks;
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
