// The overlap report's answer as a few tables beside the map; the whole document stands behind a link.

import { formatter, make } from "./basics.js";
import { basis } from "./popup.js";

/** The panel's content for one report. */
export function summary(report, { settings, say, link }) {
  const number = formatter(settings.lang, 4);
  const km2 = (m2) => number.format(m2 / 1e6);
  const percent = (share) => number.format(share * 100);
  const words = { say, km2, percent, number, lang: settings.lang };
  return [
    make("h3", {}, say("map.report.project", { area: km2(report.subject.area_m2) })),
    ...areas(report, words),
    ...nearest(report, words),
    ...species(report, words),
    make("p", {}, say("map.report.plots", { n: report.plots.length })),
    link ? make("p", {}, link) : null,
  ].filter(Boolean);
}

function areas({ protected_areas: hits, totals }, { say, km2, percent, lang }) {
  if (!hits.length) return [make("p", {}, say("map.report.no_areas"))];
  const head = ["area", "overlap", "share_project", "share_area"].map((key, i) =>
    make("th", { scope: "col", class: i ? "number" : null }, say(`map.report.${key}`)),
  );
  const rows = hits.map((hit) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, (lang === "en" && hit.name_en) || hit.name, " ", basis(hit.basis, say)),
      ...[km2(hit.overlap_m2), percent(hit.share_of_project), percent(hit.share_of_area)].map((text) => make("td", { class: "number" }, text)),
    ),
  );
  return [
    make("h4", {}, say("map.report.areas")),
    make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows)),
    make("p", {}, say("map.report.flat", { area: km2(totals.flat_m2), share: percent(totals.flat_share) })),
    make("p", { class: "quiet" }, say("map.report.naive", { area: km2(totals.naive_m2) })),
  ];
}

function nearest({ protected_areas: hits, nearest: found }, { say, number }) {
  if (hits.length || !found.length) return [];
  const [first] = found;
  const line = say("map.report.nearest", { name: first.name, distance: number.format(first.distance_m / 1000) });
  return [make("p", {}, line, " ", basis(first.basis, say))];
}

function species({ ranges, recorded }, { say }) {
  return [
    make("h4", {}, say("map.report.species")),
    make("p", {}, say("map.report.by_record", { n: recorded.length })),
    list(recorded, say, (each) => ` × ${each.records ?? say("map.report.withheld")}`),
    make("p", {}, say("map.report.by_range", { n: ranges.length })),
    list(ranges, say, () => ""),
  ].filter(Boolean);
}

function list(found, say, after) {
  if (!found.length) return null;
  const entries = found.map((each) => make("li", {}, make("i", {}, each.scientific_name), after(each), " ", basis(each.basis, say)));
  return make("ul", {}, ...entries);
}
