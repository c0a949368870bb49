// What stands where the reader clicked: a name, a few facts, and always how sure they are.

import { ask, formatter, make } from "./basics.js";

// Areas that carry the others lie below them; a click means what lies on top.
const BELOW = ["ecoregions", "sea-areas", "communes", "provinces"];

/** Each feature near a point once, the most telling first. */
export function featuresAt(map, point, layers) {
  const box = [[point.x - 4, point.y - 4], [point.x + 4, point.y + 4]];
  const seen = new Map();
  for (const feature of map.queryRenderedFeatures(box, { layers })) {
    seen.set(`${feature.source}/${feature.properties.id}`, feature);
  }
  const rank = (feature) => BELOW.indexOf(feature.source);
  return [...seen.values()].sort((a, b) => rank(a) - rank(b));
}

/** The popup's content; the decision behind an area arrives with a second request. */
export function content(features, context) {
  const [first, ...rest] = features;
  const body = make("div", { class: "popup" }, ...describe(first, context));
  if (rest.length) body.append(others(rest, context));
  return body;
}

function describe(feature, { settings, titles, say }) {
  const values = feature.properties;
  const address = `${settings.collections}/${feature.source}/items/${encodeURIComponent(values.id)}`;
  const facts = make("dl", {}, ...rows(feature, settings, say));
  if (feature.source === "protected-areas") addDecision(facts, address, settings, say);
  return [
    make("p", { class: "kind" }, titles[feature.source]?.title ?? feature.source),
    make("h3", {}, nameOf(feature, settings.lang)),
    basis(values.basis, say),
    facts,
    ...caution(feature.source, say),
    make("p", {}, make("a", { href: `${address}?lang=${settings.lang}` }, say("map.popup.details"))),
  ].filter(Boolean);
}

/** What a reader could take for more than it is. */
function caution(layer, say) {
  const words = { "species-ranges": "map.popup.presence", occurrences: "map.popup.coarse", plots: "map.popup.coarse" }[layer];
  return words ? [make("p", { class: "quiet" }, say(words))] : [];
}

export function nameOf({ properties }, lang) {
  const english = lang === "en" ? properties.name_eng ?? properties.name_en : null;
  return english ?? properties.name ?? properties.sci_name ?? properties.scientificName ?? properties.id;
}

/** The label that tells indicative and simulated things from surveyed ones. */
export function basis(value, say) {
  if (value !== "indicative" && value !== "simulated") return null;
  return make("span", { class: `basis ${value}` }, say(`page.basis.${value}`));
}

function rows({ properties: values }, settings, say) {
  const area = values.decided_area_ha == null ? null : `${formatter(settings.lang, 10).format(values.decided_area_ha)} ha`;
  return [
    ...fact(say("map.popup.designation"), values.desig_eng),
    ...fact(say("map.popup.category"), values.iucn_cat),
    ...fact(say("map.popup.decided_area"), area),
    ...fact(say("map.popup.stratum"), values.stratum),
    ...fact(say("map.popup.last_visit"), values.last_visit),
  ];
}

function fact(name, value) {
  return value == null || value === "" ? [] : [make("dt", {}, name), make("dd", {}, String(value))];
}

async function addDecision(facts, address, settings, say) {
  try {
    const { properties } = await ask(`${address}?f=json`);
    const decision = [properties.decision_no, properties.decision_date].filter(Boolean).join(", ");
    facts.append(...fact(say("map.popup.decision"), decision));
    if (settings.lang === "vi" && properties.desig) facts.querySelector("dd").textContent = properties.desig;
  } catch (error) {
    facts.append(make("dd", {}, say("map.failed", { detail: error.message })));
  }
}

function others(features, { settings, say }) {
  const shown = features.slice(0, 6).map((feature) =>
    make("li", {}, nameOf(feature, settings.lang), " ", basis(feature.properties.basis, say)),
  );
  const more = features.length - shown.length;
  if (more > 0) shown.push(make("li", {}, say("map.popup.more", { n: more })));
  return make("ul", { class: "others" }, ...shown);
}
