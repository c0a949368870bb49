// A MapLibre map on a style of the service, asking for nothing but this service's own addresses.

import * as maplibregl from "../maplibre/maplibre-gl.mjs";
import { ask, credentials, headers, withParameter } from "./basics.js";
import { dark, darkWanted, only, showing, withGraticule } from "./style.js";

export { maplibregl };

const LONGEST_SOURCES_PIXELS = 30;

/** The style's document, ready for the screen; `chosen` layers are shown, and `settings.layers` alone are kept. */
export async function readyStyle(settings, chosen = null) {
  const style = await ask(withParameter(settings.style, "lang", settings.lang));
  const isDark = darkWanted().matches;
  const coloured = isDark ? dark(style) : style;
  const made = settings.layers ? only(coloured, settings.layers) : showing(coloured, chosen);
  return withGraticule(made, isDark);
}

/** The colours of the map once the reader has turned the system light or dark; nothing else changes. */
export async function recolour(map, settings) {
  const style = await readyStyle(settings);
  for (const { id, paint } of style.layers.filter((layer) => map.getLayer(layer.id))) {
    for (const [name, value] of Object.entries(paint ?? {})) map.setPaintProperty(id, name, value);
  }
}

/** A map in that element. */
export function drawMap(container, settings, style, options = {}) {
  const say = (key) => settings.texts[`map.control.${key}`];
  const map = new maplibregl.Map({
    container,
    style,
    attributionControl: { compact: true },
    ...(settings.bbox ? { bounds: settings.bbox, fitBoundsOptions: { padding: settings.padding ?? 24 } } : {}),
    dragRotate: false,
    pitchWithRotate: false,
    fadeDuration: 0,
    transformRequest: (address) => ours(address, settings),
    locale: {
      "NavigationControl.ZoomIn": say("zoom_in"),
      "NavigationControl.ZoomOut": say("zoom_out"),
      "NavigationControl.ResetBearing": say("north"),
      "AttributionControl.ToggleAttribution": say("attribution"),
      "Popup.Close": say("close"),
    },
    ...options,
  });
  map.once("idle", () => foldSources(map));
  return map;
}

/** A long list of sources would hide the map: it stays behind its button, a short one stays open. */
function foldSources(map) {
  const list = map.getContainer().querySelector(".maplibregl-ctrl-attrib");
  if (!list || list.offsetHeight <= LONGEST_SOURCES_PIXELS) return;
  list.removeAttribute("open");
  list.classList.remove("maplibregl-compact-show");
}

/** The reader's key goes to this service alone; TileJSON is asked for in the page's language. */
function ours(address, settings) {
  if (!address.startsWith(settings.base)) return { url: address };
  const url = address.endsWith("/tilejson.json") ? withParameter(address, "lang", settings.lang) : address;
  return { url, headers: headers(), credentials: credentials() };
}
