/* What a page does besides being read: all of it works without this, slower. No inline code runs here, by policy. */
"use strict";

/* Times. The server writes UTC; where the whole time is shown it is told in the reader's zone, UTC stays on hover. */
const whole = new Intl.DateTimeFormat(undefined, {
  year: "numeric", month: "short", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  hourCycle: "h23", timeZoneName: "short",
});
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

function tellTimes(root) {
  for (const time of root.querySelectorAll("time[data-whole]")) {
    time.textContent = whole.format(new Date(time.dateTime));
  }
}

/* Times that are typed. The server writes and takes UTC: here they are in the reader's zone, and the instant is sent. One that
   nobody touched is sent as it came, to the last digit. */
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const untouched = new WeakMap();

function tellFields() {
  for (const input of document.querySelectorAll("input[data-instant]")) {
    const at = new Date(input.dataset.instant);
    if (!isNaN(at)) {
      const here = new Date(at - at.getTimezoneOffset() * 60000).toISOString();
      input.value = here.slice(0, 23).replace(/(:00)?\.000$/, "");
      untouched.set(input, input.value);
    }
    input.closest("label").querySelector("[data-zone]").textContent = zone;
  }
}
document.addEventListener("formdata", (event) => {
  for (const input of event.target.querySelectorAll("input[data-instant]")) {
    const at = new Date(input.value);
    if (isNaN(at)) continue;
    event.formData.set(input.name, input.value === untouched.get(input) ? input.dataset.instant : at.toISOString());
  }
});

/* Live. htmx asks for the same page again and idiomorph changes what differs, so that focus, scroll and what is open
   stay. Nobody is asked while the tab is hidden, or while rows are ticked: they must not move under the reader. */
const live = () => document.getElementById("live");
let sound = null;

document.addEventListener("htmx:beforeRequest", (event) => {
  const ticked = live()?.querySelector("input[type=checkbox]:checked");
  if (document.hidden || ticked) event.preventDefault();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const answered = new URL(event.detail.xhr.responseURL || location.href, location.href);
  if (answered.pathname !== location.pathname) {
    event.preventDefault(); // signed out meanwhile: the page that says so is a page of its own
    location.reload();
  }
});
document.addEventListener("htmx:afterRequest", (event) => {
  const failed = event.detail.failed || !event.detail.xhr?.status;
  const read = document.querySelector("time[data-read]");
  const at = new Date(event.detail.xhr?.getResponseHeader("date") ?? NaN);
  if (!failed && read && !isNaN(at)) {
    read.dateTime = at.toISOString();
    read.title = at.toUTCString();
    read.textContent = whole.format(at);
  }
  clearTimeout(sound);
  sound = setTimeout(() => document.body.classList.toggle("stale", failed), failed ? 2000 : 0);
});
document.addEventListener("htmx:afterSwap", () => {
  tellTimes(document);
  drawCharts();
});
document.addEventListener("visibilitychange", () => {
  const part = live();
  if (!document.hidden && part?.hasAttribute("hx-get")) htmx.trigger(part, "look");
});
if (window.Idiomorph) {
  Object.assign(Idiomorph.defaults, { ignoreActiveValue: true, restoreFocus: true });
  Object.assign(Idiomorph.defaults.callbacks, {
    // What the reader opened stays open; what a chart has drawn is redrawn from its table.
    beforeAttributeUpdated: (name, element) => !(name === "open" && element.tagName === "DETAILS"),
    beforeNodeMorphed: (old) => !(old instanceof Element && old.classList.contains("drawn")),
  });
}

/* Charts, from the table that stands under each: without this, the server's own drawing of it is shown. */
const drawn = new Map();

function readTable(table) {
  const rows = [...table.tBodies[0].rows].map((row) => [...row.querySelectorAll("[data-n]")].map((c) => +c.dataset.n));
  return rows[0].map((_, column) => rows.map((row) => (column === 2 ? -row[column] : row[column])));
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function bars(place, data) {
  const number = new Intl.NumberFormat();
  const told = (_, value) => (value == null ? "–" : number.format(Math.abs(value)));
  const axis = { stroke: () => colour("--quiet"), grid: { stroke: () => colour("--line"), width: 1 }, ticks: { show: false } };
  const font = "11px system-ui, sans-serif";
  return new uPlot({
    width: place.clientWidth, height: 190, padding: [8, 18, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    legend: { live: true, markers: { width: 0, fill: (_, n) => colour(n === 1 ? "--bar" : "--bar-bad") } },
    scales: { x: { time: true }, y: { range: (_, low, high) => [Math.min(low * 1.1, 0), Math.max(high * 1.1, 1)] } },
    axes: [
      { ...axis, font, grid: { show: false }, size: 28, values: (_, ticks) => ticks.map((t) => clock.format(new Date(t * 1000))) },
      { ...axis, font, size: 44, values: (_, ticks) => ticks.map((t) => (Number.isInteger(t) ? number.format(Math.abs(t)) : "")) },
    ],
    series: [
      { label: "At", value: (_, t) => (t == null ? "–" : whole.format(new Date(t * 1000))) },
      { label: "Succeeded", value: told, stroke: () => colour("--bar"), fill: () => colour("--bar"), width: 0,
        paths: uPlot.paths.bars({ size: [0.8, 24], align: 1 }), points: { show: false } },
      { label: "Failed attempts", value: told, stroke: () => colour("--bar-bad"), fill: () => colour("--bar-bad"), width: 0,
        paths: uPlot.paths.bars({ size: [0.8, 24], align: 1 }), points: { show: false } },
    ],
    hooks: { init: [(plot) => plot.root.setAttribute("aria-hidden", "true")] }, // the table says it all
  }, data, place);
}

function drawCharts() {
  if (!window.uPlot) return;
  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    const table = figure.querySelector("table");
    if (!table?.tBodies[0].rows.length) continue;
    const data = readTable(table);
    const known = drawn.get(figure.id);
    if (known?.place.isConnected) {
      known.plot.setData(data);
      continue;
    }
    const place = figure.querySelector(".canvas");
    place.classList.add("drawn");
    figure.classList.add("enhanced");
    const plot = bars(place, data);
    drawn.set(figure.id, { place, plot });
    new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: 190 })).observe(place);
  }
}

/* Rows that are ticked: how many, and all of them by one. */
document.addEventListener("change", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement) || box.type !== "checkbox" || box.form?.id !== "picked") return;
  const form = box.form;
  const boxes = [...form.elements].filter((each) => each.name === "job");
  if (box.hasAttribute("data-all")) for (const each of boxes) each.checked = box.checked;
  const count = boxes.filter((each) => each.checked).length;
  const all = [...form.elements].find((each) => each.hasAttribute("data-all"));
  if (all) {
    all.checked = count > 0 && count === boxes.length;
    all.indeterminate = count > 0 && count < boxes.length;
  }
  const told = form.querySelector("[data-picked]");
  if (told) told.textContent = count ? `${count} ticked` : told.dataset.picked;
});

document.addEventListener("DOMContentLoaded", () => {
  document.documentElement.classList.add("scripted");
  tellTimes(document);
  tellFields();
  drawCharts();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const { plot } of drawn.values()) plot.redraw();
  });
});
