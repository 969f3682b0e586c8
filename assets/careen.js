// What pages do beyond being read: follow what happens, let times grow, answer keys. Without it, they still read well.
"use strict";

const byId = (id) => document.getElementById(id);

// Durations as the server writes them, in at most two units.
const duration = (millis, isRounded) => {
  const seconds = Math.floor(Math.max(0, millis) / 1000);
  const two = (number) => String(number).padStart(2, "0");
  if (seconds < 1) return isRounded ? "0 s" : `${Math.max(0, Math.round(millis))} ms`;
  if (seconds < 10 && !isRounded) return `${(Math.floor(millis / 100) / 10).toFixed(1)} s`;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${two(Math.floor(seconds / 60) % 60)} m`;
  return `${Math.floor(seconds / 86400)} d ${two(Math.floor(seconds / 3600) % 24)} h`;
};

const tick = (root = document) => {
  const now = Date.now();
  for (const it of root.querySelectorAll("[data-since]")) it.textContent = duration(now - it.dataset.since);
  for (const it of root.querySelectorAll("[data-ago]")) it.textContent = `${duration(now - it.dataset.ago, true)} ago`;
};

// Reads one element; what stands inside a drawing is read as such.
const parse = (html, isDrawing) => {
  const template = document.createElement("template");
  template.innerHTML = isDrawing ? `<svg>${html}</svg>` : html;
  return isDrawing ? template.content.firstElementChild.firstElementChild : template.content.firstElementChild;
};

// Puts a piece where it belongs; who stood on a link of the old one stands on the same link of the new.
const put = ({ id, html, into, is_once }) => {
  const old = byId(id);
  if (old && is_once) return;
  const place = old ?? byId(into);
  if (!place) return;
  const fresh = parse(html, place instanceof SVGElement && (!old || !(old instanceof SVGSVGElement)));
  tick(fresh);
  if (!old) return place.append(fresh);
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  old.replaceWith(fresh);
  if (!focused) return;
  const href = focused.getAttribute("href");
  const again = href === null || fresh.getAttribute("href") === href ? fresh : fresh.querySelector(`[href="${CSS.escape(href)}"]`);
  again?.focus({ preventScroll: true });
};

const reorder = ([into, ids]) => {
  const holder = byId(into);
  // A list that was empty has no table to put rows into.
  if (!holder) return ids.length ? location.reload() : undefined;
  const wanted = new Set(ids);
  for (const child of [...holder.children]) if (!wanted.has(child.id)) child.remove();
  ids.forEach((id, place) => {
    const child = byId(id);
    if (child && holder.children[place] !== child) holder.insertBefore(child, holder.children[place] ?? null);
  });
};

const follow = (page) => {
  const mark = document.querySelector("[data-live-mark]");
  const source = new EventSource(page.dataset.live);
  const show = (isLive) => {
    if (!mark) return;
    mark.hidden = false;
    mark.textContent = isLive ? "live" : "reconnecting";
    mark.classList.toggle("lost", !isLive);
  };
  source.onopen = () => show(true);
  source.onerror = () => show(false);
  source.addEventListener("look", (message) => {
    const look = JSON.parse(message.data);
    look.pieces.forEach(put);
    if (look.order) reorder(look.order);
    if (look.logs) document.dispatchEvent(new CustomEvent("logs", { detail: look.logs }));
    if (look.is_last) {
      source.close();
      if (mark) mark.hidden = true;
      document.dispatchEvent(new CustomEvent("over"));
    }
  });
};

// `/` searches, `j` and `k` walk the rows of a list.
const keys = (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, [contenteditable]")) return;
  const marked = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (marked) {
    event.preventDefault();
    return marked.matches("input") ? marked.focus() : marked.click();
  }
  if (event.key !== "j" && event.key !== "k") return;
  const links = [...document.querySelectorAll("[data-rows] .what a")];
  const at = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
  links[event.key === "j" ? Math.min(at + 1, links.length - 1) : Math.max(at - 1, 0)]?.focus();
};

for (const page of document.querySelectorAll("[data-live]")) follow(page);
for (const form of document.querySelectorAll("[data-filters]")) form.addEventListener("change", () => form.requestSubmit());
document.addEventListener("keydown", keys);
tick();
setInterval(tick, 1000);
