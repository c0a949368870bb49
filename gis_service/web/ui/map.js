// The map page: puts the parts together.

import { ask, key, make, settingsOf, speaker, withParameter } from "./basics.js";
import { dataOf, keepLabels, withOwnLabels } from "./labels.js";
import { legend } from "./legend.js";
import { content, featuresAt } from "./popup.js";
import { Project } from "./project.js";
import { darkWanted, shownAtFirst, visibility } from "./style.js";
import { drawMap, maplibregl, readyStyle, recolour } from "./view.js";

const byId = (id) => document.getElementById(id);
const settings = settingsOf(byId("settings"));
const say = speaker(settings.texts);
const chosen = new URLSearchParams(location.search).get("layers")?.split(",") ?? null;

async function start() {
  if (settings.panel) wirePanel();
  const [ready, titles] = await Promise.all([readyStyle(settings, chosen), layerTitles()]);
  const shown = new Set(shownAtFirst(ready));
  const style = withOwnLabels(ready);
  const map = makeMap(style, titles, shown);
  window.gisMap = map; // for whoever embeds or tests the page
  if (settings.panel) legend(byId("layers"), style, titles, shown, say, (id, on) => toggle(map, style, shown, id, on));
  map.on("load", () => {
    if (settings.panel) new Project(map, settings, say, darkWanted().matches);
    document.body.dataset.ready = "true";
  });
  keepLabels(map);
  wireClicks(map, style, titles);
  darkWanted().addEventListener("change", () => recolour(map, settings));
}

async function layerTitles() {
  const { collections } = await ask(`${settings.collections}?f=json&lang=${settings.lang}`);
  return Object.fromEntries(collections.map((each) => [each.id, each]));
}

function makeMap(style, titles, shown) {
  const bbox = extent(titles, shown);
  const wide = settings.panel && !matchMedia("(max-width: 44rem)").matches;
  const padding = { top: 24, bottom: 24, right: 24, left: wide ? 380 : 24 }; // beside the panel, not below it
  const map = drawMap(byId("map"), { ...settings, bbox, padding }, style, { hash: true, maxZoom: 18 });
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibregl.ScaleControl({ maxWidth: 120 }), "bottom-right");
  map.on("error", ({ error }) => announce(say("map.failed", { detail: error?.message ?? "" })));
  return map;
}

/** The box around the layers shown; provinces alone where they're among them, since they frame the country. */
function extent(titles, shown) {
  const ids = shown.has("provinces") && titles.provinces?.extent ? ["provinces"] : [...shown];
  const boxes = ids.map((id) => titles[id]?.extent?.spatial?.bbox[0]).filter(Boolean);
  if (!boxes.length) return null;
  const side = (i, pick) => pick(...boxes.map((box) => box[i]));
  return [side(0, Math.min), Math.max(side(1, Math.min), -85), side(2, Math.max), Math.min(side(3, Math.max), 85)];
}

function toggle(map, style, shown, id, on) {
  if (on) shown.add(id);
  else shown.delete(id);
  for (const layer of style.layers) {
    if (dataOf(layer) === id) map.setLayoutProperty(layer.id, "visibility", visibility(on));
  }
  const url = withParameter(location.href, "layers", Object.keys(style.sources).filter((each) => shown.has(each)).join(","));
  history.replaceState(history.state, "", url.replaceAll("%2C", ","));
}

function wireClicks(map, style, titles) {
  const clickable = style.layers.filter((layer) => layer.source && layer.type !== "symbol" && layer.id !== "graticule");
  const ids = clickable.map((layer) => layer.id);
  const idle = () => !document.body.classList.contains("drawing");
  map.on("click", ({ point, lngLat }) => {
    const found = idle() ? featuresAt(map, point, ids) : [];
    if (!found.length) return;
    const body = content(found, { settings, titles, say });
    new maplibregl.Popup({ maxWidth: "20rem" }).setLngLat(lngLat).setDOMContent(body).addTo(map);
  });
  map.on("mousemove", ({ point }) => {
    map.getCanvas().style.cursor = idle() && map.queryRenderedFeatures(point, { layers: ids }).length ? "pointer" : "";
  });
}

function wirePanel() {
  const button = byId("panel-toggle");
  const show = (on) => {
    document.body.classList.toggle("panel-closed", !on);
    button.setAttribute("aria-expanded", String(on));
  };
  show(!matchMedia("(max-width: 44rem)").matches || location.hash === "#report");
  button.addEventListener("click", () => show(document.body.classList.contains("panel-closed")));
  byId("key-form").addEventListener("submit", useKey);
  byId("forget").addEventListener("click", () => {
    key.forget();
    location.reload();
  });
  if (key.get()) document.querySelector(".access").prepend(make("p", { class: "notice" }, say("map.key.in_use")));
}

async function useKey(event) {
  event.preventDefault();
  const before = key.get();
  key.set(byId("key").value.trim());
  try {
    await ask(`${settings.collections}?f=json`);
    location.reload();
  } catch (error) {
    if (before) key.set(before);
    else key.forget();
    announce(error.status === 401 ? say("map.key.wrong") : say("map.failed", { detail: error.message }));
  }
}

function announce(words) {
  const place = byId("message");
  place.textContent = words;
  place.hidden = !words;
}

start().catch((error) => announce(error.status ? say("map.failed", { detail: error.message }) : error.message));
