// A style of the service on a Leaflet map in somebody's page: for folium's maps in notebooks.

import * as maplibregl from "../maplibre/maplibre-gl.mjs";
import { only } from "./style.js";

/** Draw the style's layers, or just the chosen ones, below what else the map shows. */
export async function drawStyle(map, { style, layers }) {
  const answer = await fetch(style, { credentials: "omit" });
  if (!answer.ok) throw new Error(`${style}: ${answer.status}`);
  const drawn = await answer.json();
  await Promise.all([withBinding(), withSheet(new URL("../maplibre/maplibre-gl.css", import.meta.url))]);
  const layer = L.maplibreGL({ style: layers ? only(drawn, layers) : drawn }).addTo(map);
  map.getContainer().dataset.drawn = "true";
  return layer;
}

/** Leaflet's binding is a plain script that looks for both libraries among the page's own names. */
async function withBinding() {
  if (L.maplibreGL) return;
  globalThis.maplibregl = maplibregl;
  await added("script", { src: new URL("../maplibre-leaflet/leaflet-maplibre-gl.js", import.meta.url) });
}

function withSheet(href) {
  return added("link", { rel: "stylesheet", href });
}

function added(name, attributes) {
  return new Promise((loaded, failed) => {
    document.head.append(Object.assign(document.createElement(name), attributes, { onload: loaded, onerror: failed }));
  });
}
