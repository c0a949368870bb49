// The list of features: rows and map point at each other, and the form sends only what was filled in.

import { maplibregl } from "./view.js";

const NARROW = matchMedia("(max-width: 60rem)");
const LAYERS = ["features-point", "features-path", "features-fill"];

const filters = document.querySelector("[data-filters]");
const form = document.querySelector("[data-filter-form]");
const rows = new Map([...document.querySelectorAll("[data-feature]")].map((row) => [row.dataset.feature, row]));

if (NARROW.matches && !document.querySelector(".fault")) filters.open = false;

/** Fields that are empty, and comparisons of empty texts, don't go into the address. */
form.addEventListener("submit", () => {
  for (const field of form.elements) {
    const owner = field.name?.endsWith(".how") ? form.elements[field.name.slice(0, -4)] : field;
    if (field.name && owner.value.trim() === "") field.disabled = true;
  }
});
addEventListener("pageshow", () => {
  for (const field of form.elements) field.disabled = false;
});

document.addEventListener("small-map", ({ detail: { map, data } }) => {
  askInView(map);
  if (data?.features) pointAtEachOther(map, data.features);
});

function askInView(map) {
  const button = document.querySelector("[data-in-view]");
  button.hidden = false;
  button.addEventListener("click", () => {
    const box = map.getBounds();
    const corners = [box.getWest(), Math.max(box.getSouth(), -90), box.getEast(), Math.min(box.getNorth(), 90)];
    form.elements.bbox.value = corners.map((degrees) => Number(degrees.toFixed(4))).join(",");
    form.requestSubmit();
  });
}

function pointAtEachOther(map, features) {
  const numbers = new Map(features.map(({ id }, number) => [String(id), number]));
  const name = new maplibregl.Popup({ closeButton: false, closeOnClick: false, className: "name" });
  let lit = null;

  function light(id, place) {
    if (id === lit) return place && name.setLngLat(place);
    mark(lit, false);
    lit = id;
    mark(lit, true);
    name.remove();
    if (id != null && place) name.setLngLat(place).setText(link(id).textContent).addTo(map);
  }

  function mark(id, on) {
    if (!numbers.has(id)) return;
    map.setFeatureState({ source: "features", id: numbers.get(id) }, { lit: on });
    rows.get(id)?.classList.toggle("lit", on);
  }

  const link = (id) => rows.get(id).querySelector("a");
  const at = ({ point }) => {
    const [found] = map.queryRenderedFeatures(point, { layers: LAYERS });
    return found ? String(features[found.id]?.id) : null;
  };

  map.on("mousemove", (event) => {
    const id = at(event);
    map.getCanvas().style.cursor = rows.has(id) ? "pointer" : "";
    light(rows.has(id) ? id : null, event.lngLat);
  });
  map.on("mouseout", () => light(null));
  map.on("click", (event) => {
    const id = at(event);
    if (rows.has(id)) link(id).click();
  });
  for (const [id, row] of rows) {
    row.addEventListener("mouseenter", () => light(id));
    row.addEventListener("mouseleave", () => light(null));
    row.addEventListener("focusin", () => light(id));
    row.addEventListener("focusout", () => light(null));
  }
}
