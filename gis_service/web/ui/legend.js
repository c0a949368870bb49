// The list of layers with their switches and swatches.

import { make } from "./basics.js";
import { darkWanted } from "./style.js";

const SVG = "http://www.w3.org/2000/svg";

/** Fills the list; `toggle(layer, shown)` is called when the reader switches one. */
export function legend(list, style, titles, shown, say, toggle) {
  const entries = style.metadata["gis:legend"];
  const layers = Object.keys(style.sources).filter((id) => entries[id]).reverse();
  list.replaceChildren(...layers.map((id) => row(id, entries[id], titles[id], shown.has(id), say, toggle)));
}

function row(id, entries, about, shown, say, toggle) {
  const box = make("input", { type: "checkbox", id: `layer-${id}`, checked: shown });
  box.addEventListener("change", () => toggle(id, box.checked));
  const note = about?.itemCount === 0 ? make("span", { class: "quiet small" }, ` (${say("map.no_data")})`) : null;
  const words = make("span", {}, about?.title ?? id, note);
  const label = make("label", { for: box.id }, ...(entries.length === 1 ? [swatch(entries[0])] : []), words);
  const head = make("div", { class: "layer" }, box, label);
  if (entries.length === 1) return make("li", {}, head);
  const swatches = entries.map((entry) => make("li", {}, swatch(entry), say(entry.text)));
  return make("li", {}, head, make("ul", { class: "swatches" }, ...swatches));
}

/** A sample of the symbol, drawn as the map draws it. */
export function swatch({ colour: light, dark, shape, dash }) {
  const colour = darkWanted().matches ? dark ?? light : light;
  const drawing = svg("svg", { class: "swatch", viewBox: "0 0 22 14", width: 22, height: 14, "aria-hidden": "true" });
  const stroke = { stroke: colour, "stroke-width": 1.6, ...(dash ? { "stroke-dasharray": "4 2.4" } : {}) };
  if (shape === "line") drawing.append(svg("path", { d: "M1 7H21", fill: "none", ...stroke }));
  else if (shape === "circle") drawing.append(svg("circle", { cx: 11, cy: 7, r: 4.5, fill: colour }));
  else if (shape === "ring") drawing.append(svg("circle", { cx: 11, cy: 7, r: 4, fill: "none", ...stroke }));
  else drawing.append(svg("rect", { x: 1, y: 1, width: 20, height: 12, rx: 2, fill: colour, "fill-opacity": dash ? 0.3 : 0.5, ...stroke }));
  return drawing;
}

function svg(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
