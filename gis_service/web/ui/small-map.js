// The small maps on the pages of layers and features.

import { ask, settingsOf } from "./basics.js";
import { boundsOf } from "./draw.js";
import { keepLabels, withOwnLabels } from "./labels.js";
import { darkWanted } from "./style.js";
import { drawMap, maplibregl, readyStyle } from "./view.js";

for (const place of document.querySelectorAll("[data-small-map]")) {
  const settings = settingsOf(place.parentElement.querySelector("[data-small-map-settings]"));
  draw(place, settings).catch((error) => { place.textContent = error.message; });
}

async function draw(place, settings) {
  const [style, data] = await Promise.all([readyStyle(settings), settings.features ? ask(settings.features) : null]);
  const bounds = data ? around(data) : settings.bbox ?? (await country(settings));
  const view = { ...settings, bbox: bounds };
  const map = drawMap(place, view, withOwnLabels(style), { scrollZoom: false, maxZoom: 17 });
  keepLabels(map);
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }));
  if (data) map.on("load", () => addFeatures(map, data));
}

/** The box of the layer that frames the country, or nothing where the reader may not see it. */
async function country({ frame }) {
  return frame ? (await ask(frame).catch(() => ({}))).bounds ?? null : null;
}

function around(data) {
  const drawn = features(data).filter(({ geometry }) => geometry);
  if (!drawn.length) return null;
  const [west, south, east, north] = boundsOf({ type: "FeatureCollection", features: drawn });
  const margin = Math.max((east - west) * 0.15, (north - south) * 0.15, 0.05);
  return [west - margin, Math.max(south - margin, -85), east + margin, Math.min(north + margin, 85)];
}

const features = (data) => (data.type === "FeatureCollection" ? data.features : [data]);

function addFeatures(map, data) {
  const colour = darkWanted().matches ? "#7fc29d" : "#1f6b49";
  map.addSource("features", { type: "geojson", data, tolerance: 0.1 });
  const layer = (id, type, kind, paint) => map.addLayer({ id, type, source: "features", filter: ["==", ["geometry-type"], kind], paint });
  layer("features-fill", "fill", "Polygon", { "fill-color": colour, "fill-opacity": 0.25 });
  layer("features-line", "line", "Polygon", { "line-color": colour, "line-width": 1.8 });
  layer("features-point", "circle", "Point", { "circle-color": colour, "circle-radius": 5, "circle-stroke-color": "#ffffff", "circle-stroke-width": 1.4 });
}
