// One label for each area in sight. Tiles cut areas into pieces and MapLibre would name every piece; here the
// largest visible piece gets the name, inside of itself.

const SOURCE = "labels";
const LEAST_PIXELS = 22;

/** The style with its labels taken from a source that `keepLabels` fills. */
export function withOwnLabels(style) {
  const data = { type: "FeatureCollection", features: [] };
  return {
    ...style,
    sources: { ...style.sources, [SOURCE]: { type: "geojson", data } },
    layers: style.layers.map((layer) => (layer.type === "symbol" ? ownLabel(layer) : layer)),
  };
}

function ownLabel(layer) {
  const { "source-layer": _, ...kept } = layer;
  const metadata = { of: layer.source, sourceLayer: layer["source-layer"], filter: layer.filter };
  return { ...kept, source: SOURCE, filter: ["==", ["get", "label"], layer.id], metadata };
}

/** The layer of data that a style layer shows. */
export function dataOf(layer) {
  return layer.metadata?.of ?? layer.source;
}

/** Names what is in sight whenever the map has come to rest in a new place. */
export function keepLabels(map) {
  let known = "";
  map.on("idle", () => {
    const named = map.getStyle().layers.filter((layer) => shows(map, layer));
    const place = [map.getBounds().toArray(), named.map(({ id }) => id)].join();
    if (place === known) return;
    known = place;
    const features = named.flatMap((layer) => labels(map, layer));
    map.getSource(SOURCE)?.setData({ type: "FeatureCollection", features });
  });
}

function shows(map, layer) {
  return layer.source === SOURCE && layer.layout?.visibility !== "none" && map.getZoom() >= (layer.minzoom ?? 0);
}

function labels(map, { id: label, metadata: { of, sourceLayer, filter } }) {
  const bounds = map.getBounds().toArray().flat();
  const pixel = (bounds[2] - bounds[0]) / map.getCanvas().clientWidth;
  const best = new Map();
  for (const feature of map.querySourceFeatures(of, { sourceLayer, filter })) {
    const found = largest(feature.geometry, bounds);
    const before = best.get(feature.properties.id);
    if (found && found.width > LEAST_PIXELS * pixel && !(before?.area >= found.area)) {
      best.set(feature.properties.id, { ...found, properties: feature.properties });
    }
  }
  return [...best.values()].map(({ point, properties }) => ({
    type: "Feature",
    properties: { ...properties, label },
    geometry: { type: "Point", coordinates: point },
  }));
}

/** The part of an area that fills most of the box, and a point well inside it. */
function largest({ type, coordinates }, box) {
  const polygons = type === "Polygon" ? [coordinates] : type === "MultiPolygon" ? coordinates : [];
  let found = null;
  for (const [outline] of polygons) {
    const ring = clipped(outline, box);
    const area = ring.length > 2 ? areaOf(ring) : 0;
    if (area > (found?.area ?? 0)) found = { area, ring };
  }
  return found && { area: found.area, ...inside(found.ring) };
}

/** The middle of the widest of three horizontal cuts. */
function inside(ring) {
  const heights = ring.map(([, y]) => y);
  const low = Math.min(...heights);
  const high = Math.max(...heights);
  const cuts = [0.5, 0.38, 0.62].map((share) => widest(ring, low + share * (high - low)));
  return cuts.reduce((a, b) => (b.width > a.width * 1.2 ? b : a));
}

function widest(ring, y) {
  const crossings = [];
  ring.forEach(([x1, y1], i) => {
    const [x2, y2] = ring[(i + 1) % ring.length];
    if (y1 > y !== y2 > y) crossings.push(x1 + ((y - y1) / (y2 - y1)) * (x2 - x1));
  });
  crossings.sort((a, b) => a - b);
  let best = { width: 0, point: ring[0] };
  for (let i = 0; i + 1 < crossings.length; i += 2) {
    const width = crossings[i + 1] - crossings[i];
    if (width > best.width) best = { width, point: [(crossings[i] + crossings[i + 1]) / 2, y] };
  }
  return best;
}

/** The ring cut by the four sides of a box, one after another (Sutherland and Hodgman). */
function clipped(ring, [west, south, east, north]) {
  const sides = [
    [0, (x) => x >= west, west],
    [0, (x) => x <= east, east],
    [1, (y) => y >= south, south],
    [1, (y) => y <= north, north],
  ];
  return sides.reduce(cut, ring);
}

function cut(ring, [axis, within, limit]) {
  return ring.flatMap((corner, i) => {
    const before = ring.at(i - 1);
    const enters = within(corner[axis]);
    if (enters === within(before[axis])) return enters ? [corner] : [];
    const share = (limit - before[axis]) / (corner[axis] - before[axis]);
    const crossing = [before[0] + share * (corner[0] - before[0]), before[1] + share * (corner[1] - before[1])];
    return enters ? [crossing, corner] : [crossing];
  });
}

function areaOf(ring) {
  const twice = ring.reduce((sum, [x1, y1], i) => {
    const [x2, y2] = ring[(i + 1) % ring.length];
    return sum + x1 * y2 - x2 * y1;
  }, 0);
  return Math.abs(twice) / 2;
}
