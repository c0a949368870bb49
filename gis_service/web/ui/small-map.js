// The small maps on the pages of layers and features.

import { ask, settingsOf, speaker, withParameter } from "./basics.js";
import { boundsOf } from "./draw.js";
import { keepLabels, withOwnLabels } from "./labels.js";
import { darkWanted, withPicture } from "./style.js";
import { drawMap, maplibregl, readyStyle } from "./view.js";

const SOURCE = "features";
const CLOSEST = 22;

for (const place of document.querySelectorAll("[data-small-map]")) {
  const settings = settingsOf(place.parentElement.querySelector("[data-small-map-settings]"));
  const state = place.parentElement.querySelector("[data-map-state]");
  const say = speaker(settings.texts);
  draw(place, settings, (text) => { state.textContent = text; }, say).catch((error) => {
    place.textContent = say("page.map.failed", { detail: error.message });
    state.textContent = place.textContent;
  });
}

async function draw(place, settings, tell, say) {
  const [style, data] = await Promise.all([readyStyle(settings), shapes(settings)]);
  const bounds = (data && around(data)) ?? settings.bbox ?? (await country(settings));
  const view = { ...settings, bbox: bounds };
  const map = drawMap(place, view, withOwnLabels(withPicture(style, settings.raster)), { scrollZoom: false, maxZoom: 17 });
  if (settings.least > map.getZoom()) map.setZoom(settings.least); // further out there are no tiles of the layer
  keepLabels(map);
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }));
  map.on("load", () => {
    if (data) addFeatures(map, data);
    if (data) keepDetail(map, settings);
    if (settings.rows) tell(data && around(data) ? say("page.map.drawn", { n: features(data).length }) : say("page.map.empty"));
    place.dispatchEvent(new CustomEvent("small-map", { bubbles: true, detail: { map, data } }));
  });
}

/** What the page gave with it, or what it says where to find; areas with the detail of a first look. */
async function shapes({ data, features: address, level }) {
  return data ?? (address ? ask(detailed(address, level)) : null);
}

function detailed(address, level) {
  return level == null ? address : withParameter(address, "zoom-level", level);
}

/** Closer in, the outlines come again with the detail of that zoom; once they are exact, no more. */
function keepDetail(map, settings) {
  let { level, exact, features: address } = settings;
  if (level == null || !(exact || address)) return;
  const refine = async () => {
    const wanted = Math.min(CLOSEST, Math.ceil(map.getZoom()) + 1);
    if (wanted <= level) return;
    level = exact ? CLOSEST : wanted;
    map.getSource(SOURCE).setData(await ask(exact ?? detailed(address, wanted)));
  };
  map.on("zoomend", refine);
  refine();
}

/** The box of the layer that frames the country, or nothing where the reader may not see it. */
async function country({ country: frame }) {
  return frame ? (await ask(frame).catch(() => ({}))).bounds ?? null : null;
}

function around(data) {
  const drawn = features(data).filter(({ geometry }) => geometry);
  if (!drawn.length) return null;
  const [west, south, east, north] = boundsOf({ type: "FeatureCollection", features: drawn });
  const margin = Math.max((east - west) * 0.15, (north - south) * 0.15, 0.05);
  return [west - margin, Math.max(south - margin, -85), east + margin, Math.min(north + margin, 85)];
}

function features(data) {
  return data.type === "FeatureCollection" ? data.features : [data];
}

/** A feature that is pointed at stands out by colour and by weight. */
function addFeatures(map, data) {
  const isDark = darkWanted().matches;
  const lit = (yes, no) => ["case", ["boolean", ["feature-state", "lit"], false], yes, no];
  const colour = lit(isDark ? "#ffb55c" : "#c2410c", isDark ? "#7fc29d" : "#1f6b49");
  map.addSource(SOURCE, { type: "geojson", data, tolerance: 0.1, generateId: true });
  const layer = (id, type, kind, paint) => map.addLayer({ id, type, source: SOURCE, filter: ["==", ["geometry-type"], kind], paint });
  layer("features-fill", "fill", "Polygon", { "fill-color": colour, "fill-opacity": lit(0.45, 0.25) });
  layer("features-line", "line", "Polygon", { "line-color": colour, "line-width": 1.6 });
  layer("features-lit", "line", "Polygon", { "line-color": colour, "line-width": 3.4, "line-opacity": lit(1, 0) });
  layer("features-path", "line", "LineString", { "line-color": colour, "line-width": lit(5, 2.4) });
  layer("features-point", "circle", "Point", { "circle-color": colour, "circle-radius": lit(9, 5), "circle-stroke-color": "#ffffff", "circle-stroke-width": lit(2.4, 1.4) });
}
