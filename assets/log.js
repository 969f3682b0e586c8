// The log viewer: holds only the lines in sight, so that a log of any length opens at any line at once.
"use strict";

// The height of a line; the style sheet says the same.
const ROW = 19;
// No element is made higher than browsers can: beyond it, the scroll bar stands for shares of the log.
const TALLEST = 8_000_000;
// Lines asked for at once, and blocks of them that are kept.
const BLOCK = 250;
const KEPT = 40;
// Lines drawn above and below what is in sight.
const SPARE = 20;

const make = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

class LogView {
  constructor(host) {
    this.host = host;
    this.total = Number(host.dataset.lines);
    this.blocks = new Map();
    this.first = 0;
    this.marked = 0;
    this.found = [];
    this.isFollowing = Boolean(document.querySelector("[data-live]"));
    this.build();
    this.resize();
    if (this.isFollowing) this.toEnd();
  }

  build() {
    const label = `Log of ${this.host.dataset.stepId}`;
    this.search = make("input", { type: "search", placeholder: "Search this log", "aria-label": `Search the log of ${this.host.dataset.stepId}` });
    this.said = make("span", { class: "log-said", role: "status" });
    this.follow = make("input", { type: "checkbox" });
    this.follow.checked = this.isFollowing;
    this.times = make("input", { type: "checkbox" });
    this.goTo = make("input", { type: "text", inputmode: "numeric", size: "7", placeholder: "Line", "aria-label": "Go to line" });
    this.host.querySelector("[data-plain]")?.remove();
    const following = this.isFollowing ? [make("label", {}, this.follow, " Follow")] : [];
    this.host.querySelector(".log-bar").prepend(
      this.search, this.goTo, ...following, make("label", {}, this.times, " Times"), this.said);
    this.rows = make("div", { class: "log-rows" });
    this.fill = make("div", { class: "log-fill" }, this.rows);
    this.view = make("div", { class: "log-view", tabindex: "0", role: "region", "aria-label": label }, this.fill);
    this.host.append(this.view);
    this.listen();
  }

  listen() {
    this.view.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.view.addEventListener("wheel", (event) => this.wheeled(event), { passive: false });
    this.view.addEventListener("keydown", (event) => this.keyed(event));
    this.search.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      event.shiftKey ? this.findBefore() : this.findNext();
    });
    this.search.addEventListener("input", () => { this.found = []; this.said.textContent = ""; });
    this.goTo.addEventListener("keydown", (event) => { if (event.key === "Enter") this.open(Number(this.goTo.value)); });
    this.follow.addEventListener("change", () => { this.isFollowing = this.follow.checked; if (this.isFollowing) this.toEnd(); });
    this.times.addEventListener("change", () => this.host.classList.toggle("has-times", this.times.checked));
  }

  get height() { return this.view.clientHeight; }
  get inSight() { return Math.max(1, Math.floor(this.height / ROW)); }
  get last() { return Math.max(0, this.total - this.inSight); }
  get isScaled() { return this.total * ROW > TALLEST; }

  resize() {
    // A short log takes no more room than it needs; the style sheet bounds the long ones.
    this.view.style.height = `${Math.max(2, this.total + 1) * ROW}px`;
    this.fill.style.height = `${Math.min(this.total * ROW, TALLEST)}px`;
    this.draw();
  }

  grow(total) {
    // Logs only grow; a run that begins anew has others.
    if (total <= this.total) return;
    this.blocks.delete(Math.floor(this.total / BLOCK));
    this.total = total;
    this.resize();
    if (this.isFollowing) this.toEnd();
  }

  // Moves so that a line, from 0, is the first in sight.
  moveTo(line) {
    this.first = Math.min(Math.max(0, line), this.last);
    const room = this.fill.offsetHeight - this.height;
    this.own = this.isScaled ? Math.round((this.first / Math.max(1, this.last)) * room) : Math.round(this.first * ROW);
    this.view.scrollTop = this.own;
    this.draw();
  }

  toEnd() { this.moveTo(this.last); }

  scrolled() {
    const top = this.view.scrollTop;
    if (this.own !== undefined && Math.abs(top - this.own) <= 1) return;
    this.own = undefined;
    const room = Math.max(1, this.fill.offsetHeight - this.height);
    this.first = this.isScaled ? Math.round((top / room) * this.last) : top / ROW;
    this.stay();
    this.draw();
  }

  // Who scrolls away from the end no longer follows; who comes back to it does again.
  stay() {
    if (!document.querySelector("[data-live]")) return;
    this.isFollowing = this.first >= this.last - 2;
    this.follow.checked = this.isFollowing;
  }

  // Where a pixel of the scroll bar is many lines, the wheel still moves line by line.
  wheeled(event) {
    if (!this.isScaled || event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? event.deltaY : event.deltaY / ROW;
    this.moveTo(this.first + Math.sign(lines) * Math.max(1, Math.round(Math.abs(lines))));
    this.stay();
  }

  keyed(event) {
    const page = this.inSight - 1;
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page }[event.key];
    const to = { Home: 0, End: this.last }[event.key] ?? (by === undefined ? undefined : Math.round(this.first) + by);
    if (to === undefined || event.target !== this.view) return;
    event.preventDefault();
    this.moveTo(to);
    this.stay();
  }

  draw() {
    const first = Math.max(0, Math.floor(this.first) - (this.isScaled ? 0 : SPARE));
    const end = Math.min(this.total, Math.floor(this.first) + this.inSight + SPARE);
    const rows = [];
    for (let line = first; line < end; line += 1) rows.push(this.row(line));
    this.rows.replaceChildren(...rows);
    this.rows.style.transform = `translateY(${this.isScaled ? this.view.scrollTop : first * ROW}px)`;
  }

  row(line) {
    const text = this.line(line);
    const name = this.name(line + 1);
    const number = make("a", { class: "n", href: `#${name}`, tabindex: "-1" }, String(line + 1));
    const row = make("div", { class: "row" }, number);
    if (line + 1 === this.marked) row.classList.add("marked");
    if (!text) return row;
    const [at, isError, html] = text;
    if (isError) row.classList.add("error");
    const time = make("time", {}, new Date(at).toISOString().slice(11, 23));
    const content = make("span", { class: "t" });
    // The server escaped every letter of it.
    content.innerHTML = html;
    row.append(time, content);
    return row;
  }

  // What a link to a line is called: `step:line`, or `step.attempt:line` where there was more than one.
  name(line) {
    const { stepId, attempt } = this.host.dataset;
    return `${stepId}${attempt === "1" ? "" : `.${attempt}`}:${line}`;
  }

  line(line) {
    const block = this.block(Math.floor(line / BLOCK));
    return block.lines?.[line % BLOCK];
  }

  block(number) {
    const known = this.blocks.get(number);
    if (known) {
      this.blocks.delete(number);
      this.blocks.set(number, known);
      return known;
    }
    const block = {};
    this.blocks.set(number, block);
    if (this.blocks.size > KEPT) this.blocks.delete(this.blocks.keys().next().value);
    this.fetch(number, block);
    return block;
  }

  async fetch(number, block) {
    try {
      const answer = await fetch(`${this.host.dataset.src}&from=${number * BLOCK + 1}&count=${BLOCK}`);
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      block.lines = (await answer.json()).lines;
      this.draw();
    } catch (error) {
      // Asked again when it is next in sight.
      this.blocks.delete(number);
      this.said.textContent = `Lines could not be read: ${error.message}`;
    }
  }

  // Opens the log at a line, from 1.
  open(line) {
    if (!(line >= 1)) return;
    this.marked = Math.min(line, Math.max(1, this.total));
    this.isFollowing = this.follow.checked = false;
    this.moveTo(this.marked - 1 - Math.floor(this.inSight / 3));
  }

  async findNext() {
    const text = this.search.value;
    if (!text) return;
    let from = (this.found.at(-1) ?? Math.floor(this.first)) + 1;
    const round = (this.asked = {});
    while (from) {
      this.said.textContent = `Searching from line ${from} …`;
      const answer = await fetch(`${this.host.dataset.find}&text=${encodeURIComponent(text)}&from=${from}`);
      if (!answer.ok || this.asked !== round) return;
      const { line, next } = await answer.json();
      if (line) {
        this.found.push(line);
        return this.show(line);
      }
      from = next;
    }
    this.said.textContent = this.found.length ? "No more; the next search begins at the top" : "Not found";
    this.found = [0];
  }

  findBefore() {
    this.found.pop();
    const line = this.found.at(-1);
    if (line) this.show(line);
  }

  show(line) {
    this.said.textContent = `Line ${line}`;
    this.open(line);
  }
}

const views = new Map();

// The viewer of a log, made when its step is first opened.
const viewOf = (host) => {
  if (!views.has(host.id)) views.set(host.id, new LogView(host));
  return views.get(host.id);
};

// Who watches is shown what speaks; what has succeeded is folded again. Once they touch a step, that is theirs to do.
let isLeftToUs = !location.hash;
for (const [kind, touched] of [["click", "details.step"], ["keydown", "details.step"], ["wheel", ".log-view"]])
  document.addEventListener(kind, (event) => { if (event.target.closest?.(touched)) isLeftToUs = false; }, { passive: true });

const showOnly = (speaking) => {
  for (const other of document.querySelectorAll("details.step[open]"))
    if (other !== speaking && other.querySelector(".state.succeeded")) other.open = false;
  speaking.open = true;
};

const openAll = (details) => {
  if (details.open) for (const host of details.querySelectorAll(".log")) viewOf(host);
};

// Opens what the address names: a step, or a line of its log.
const openNamed = () => {
  const name = decodeURIComponent(location.hash.slice(1));
  const [, step, attempt, line] = name.match(/^(.*?)(?:\.(\d+))?:(\d+)$/) ?? [null, name, null, null];
  const details = [...document.querySelectorAll("details.step")].find((it) => it.id === step);
  if (!details) return;
  details.open = true;
  openAll(details);
  const host = details.querySelector(`.log[data-attempt="${CSS.escape(attempt ?? "1")}"]`);
  if (line && host) viewOf(host).open(Number(line));
  details.scrollIntoView({ block: "start" });
};

if (document.querySelector("[data-run]")) {
  document.addEventListener("toggle", (event) => event.target.matches?.("details.step") && openAll(event.target), true);
  document.addEventListener("logs", ({ detail }) => {
    for (const [log, lines] of detail) {
      const host = document.querySelector(`[data-log="${CSS.escape(log)}"]`);
      if (!host) continue;
      const wasSilent = host.dataset.lines === "0";
      host.dataset.lines = lines;
      const details = host.closest("details.step");
      if (wasSilent && isLeftToUs) showOnly(details);
      if (details.open) viewOf(host).grow(Number(lines));
    }
  });
  document.addEventListener("over", () => {
    document.querySelectorAll("[data-live]").forEach((it) => it.removeAttribute("data-live"));
    // What went wrong is what is looked for.
    const wrong = document.querySelector(":is(.state.failed, .state.errored, .state.timed-out)");
    if (wrong && isLeftToUs) wrong.closest("details.step").open = true;
  });
  document.querySelectorAll("details.step[open]").forEach(openAll);
  addEventListener("hashchange", openNamed);
  openNamed();
}
