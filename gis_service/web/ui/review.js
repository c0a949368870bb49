// The map of a review: shapes as they stand (dashed) and as proposed, what comes and what goes; n and p walk the changes.

import { settingsOf } from "./basics.js";
import "./small-map.js";
import { darkWanted } from "./style.js";

const SOURCE = "review";

document.addEventListener("small-map", ({ target, detail: { map } }) => {
  const { review } = settingsOf(target.parentElement.querySelector("[data-small-map-settings]"));
  const dark = darkWanted().matches;
  const colours = dark
    ? { before: "#c9d1d9", after: "#7fc29d", added: "#6fb7ff", removed: "#ff9d73" }
    : { before: "#3b4650", after: "#1f6b49", added: "#0b62b8", removed: "#b3400b" };
  map.addSource(SOURCE, { type: "geojson", data: review, tolerance: 0.1 });
  const layer = (part, type, kind, paint) => map.addLayer({
    id: `review-${part}-${type}`, type, source: SOURCE, paint,
    filter: ["all", ["==", ["get", "part"], part], ["==", ["geometry-type"], kind]],
  });
  for (const part of ["removed", "added"]) layer(part, "fill", "Polygon", { "fill-color": colours[part], "fill-opacity": 0.4 });
  layer("before", "line", "Polygon", { "line-color": colours.before, "line-width": 1.8, "line-dasharray": [2, 2] });
  layer("after", "line", "Polygon", { "line-color": colours.after, "line-width": 2.2 });
  layer("before", "circle", "Point", { "circle-color": "transparent", "circle-radius": 6, "circle-stroke-color": colours.before, "circle-stroke-width": 2 });
  layer("after", "circle", "Point", { "circle-color": colours.after, "circle-radius": 5, "circle-stroke-color": "#ffffff", "circle-stroke-width": 1.4 });
  map.on("click", (event) => {
    const found = map.queryRenderedFeatures(event.point).find(({ source }) => source === SOURCE);
    if (found) go(document.getElementById(`change-${found.properties.number}`));
  });
});

/** The next change or the one before by keyboard, where nothing is being typed. */
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select");
  const way = { n: 1, p: -1 }[event.key];
  if (typing || !way || event.ctrlKey || event.metaKey || event.altKey) return;
  const changes = [...document.querySelectorAll("[data-change]")];
  const here = changes.indexOf(document.activeElement.closest("[data-change]"));
  go(changes[here < 0 ? 0 : here + way]);
});

function go(change) {
  change?.focus();
  change?.scrollIntoView({ block: "start" });
}
