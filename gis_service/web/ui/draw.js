// Drawing one polygon: by pointer, by keyboard, or from a GeoJSON file.

const NOTHING = { type: "FeatureCollection", features: [] };
const SOURCE = "drawing";

/** Adds the layers in which the project area is drawn. */
export function addDrawing(map, colour) {
  map.addSource(SOURCE, { type: "geojson", data: NOTHING });
  const areas = ["==", ["geometry-type"], "Polygon"];
  const corners = ["==", ["geometry-type"], "Point"];
  map.addLayer({ id: "drawing-fill", type: "fill", source: SOURCE, filter: areas, paint: { "fill-color": colour, "fill-opacity": 0.18 } });
  map.addLayer({ id: "drawing-line", type: "line", source: SOURCE, layout: { "line-join": "round" }, paint: { "line-color": colour, "line-width": 2.4 } });
  map.addLayer({ id: "drawing-corners", type: "circle", source: SOURCE, filter: corners, paint: { "circle-radius": 4.5, "circle-color": "#ffffff", "circle-stroke-color": colour, "circle-stroke-width": 2 } });
}

/** Shows a finished area, or clears it with null. */
export function showArea(map, area) {
  map.getSource(SOURCE).setData(area ?? NOTHING);
}

/** A drawing in progress: `changed(corners)` after each step, `done(polygon)` or `done(null)` at the end. */
export class Drawing {
  constructor(map, { changed, done, crosses }) {
    Object.assign(this, { map, changed, done, crosses, corners: [], pointer: null });
    this.on = { click: (event) => this.click(event), mousemove: (event) => this.hover(event), dblclick: (event) => this.close(event) };
    for (const [name, handler] of Object.entries(this.on)) map.on(name, handler);
    this.keys = (event) => this.press(event);
    map.getContainer().addEventListener("keydown", this.keys, true);
    map.doubleClickZoom.disable();
    map.getCanvas().focus();
    this.show();
  }

  click({ lngLat, point }) {
    const first = this.corners[0] && this.map.project(this.corners[0]);
    if (this.corners.length > 2 && first.dist(point) < 12) this.finish();
    else this.add(lngLat.toArray());
  }

  /** A double click has set the same corner twice before it comes. */
  close(event) {
    event.preventDefault();
    this.finish();
  }

  hover({ lngLat }) {
    this.pointer = lngLat.toArray();
    this.show();
  }

  press(event) {
    const acts = { Enter: () => this.finish(), Escape: () => this.stop(null), Backspace: () => this.undo(), " ": () => this.corner() };
    if (!acts[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    acts[event.key]();
  }

  corner() {
    this.add(this.map.getCenter().toArray());
  }

  add(corner) {
    const last = this.corners.at(-1);
    if (last && this.map.project(last).dist(this.map.project(corner)) < 3) return;
    this.corners.push(corner.map((value) => Number(value.toFixed(7))));
    this.show();
  }

  undo() {
    this.corners.pop();
    this.show();
  }

  finish() {
    if (this.corners.length < 3) return;
    if (crossesItself(this.corners)) this.crosses();
    else this.stop(polygon(this.corners));
  }

  stop(result) {
    for (const [name, handler] of Object.entries(this.on)) this.map.off(name, handler);
    this.map.getContainer().removeEventListener("keydown", this.keys, true);
    setTimeout(() => this.map.doubleClickZoom.enable(), 300);
    this.done(result);
  }

  show() {
    const path = this.pointer ? [...this.corners, this.pointer] : this.corners;
    const features = this.corners.map((corner) => feature("Point", corner));
    if (path.length > 1) features.unshift(feature("LineString", path.length > 2 ? [...path, path[0]] : path));
    if (path.length > 2) features.unshift(polygon(path));
    this.map.getSource(SOURCE).setData({ type: "FeatureCollection", features });
    this.changed(this.corners);
  }
}

function feature(type, coordinates) {
  return { type: "Feature", properties: {}, geometry: { type, coordinates } };
}

export function polygon(corners) {
  return feature("Polygon", [[...corners, corners[0]]]);
}

/** Whether two sides of the ring that aren't neighbours cross. */
export function crossesItself(corners) {
  const n = corners.length;
  const sides = corners.map((corner, i) => [corner, corners[(i + 1) % n]]);
  return sides.some((one, i) => sides.some((other, j) => j > i + 1 && !(i === 0 && j === n - 1) && cross(one, other)));
}

function cross([a, b], [c, d]) {
  const side = (p, q, r) => Math.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]));
  return side(a, b, c) !== side(a, b, d) && side(c, d, a) !== side(c, d, b);
}

/** The areas of a GeoJSON document as one collection; throws where it has none. */
export function areasOf(document) {
  const found = parts(document).filter(({ geometry }) => /^(Multi)?Polygon$/.test(geometry?.type));
  if (!found.length) throw new Error("no polygon");
  return { type: "FeatureCollection", features: found };
}

function parts(document) {
  if (document?.type === "FeatureCollection") return document.features;
  if (document?.type === "Feature") return [document];
  if (document?.type === "GeometryCollection") return document.geometries.flatMap(parts);
  return [{ type: "Feature", properties: {}, geometry: document }];
}

/** Every position of a GeoJSON object. */
export function positions(object) {
  if (object.type === "FeatureCollection") return object.features.flatMap(positions);
  if (object.type === "Feature") return positions(object.geometry);
  const depth = { Point: -1, MultiPoint: 0, LineString: 0, MultiLineString: 1, Polygon: 1, MultiPolygon: 2 }[object.type];
  return depth < 0 ? [object.coordinates] : object.coordinates.flat(depth);
}

export function boundsOf(object) {
  const bounds = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of positions(object)) {
    bounds[0] = Math.min(bounds[0], x);
    bounds[1] = Math.min(bounds[1], y);
    bounds[2] = Math.max(bounds[2], x);
    bounds[3] = Math.max(bounds[3], y);
  }
  return bounds;
}
