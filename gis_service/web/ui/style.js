// A style of the service made ready for the screen: dark colours, chosen layers, graticule.

/** The style in its dark colours, where it has some. */
export function dark(style) {
  const colours = style.metadata?.["gis:dark"] ?? {};
  const own = (layer) => colours[layer.id.replace(/-unnamed$/, "")];
  const layers = style.layers.map((layer) => ({ ...layer, paint: { ...layer.paint, ...own(layer) } }));
  return { ...style, layers };
}

/** The style with just these layers of data shown; null leaves it as its author chose. */
export function showing(style, chosen) {
  if (!chosen) return style;
  const layers = style.layers.map((layer) =>
    layer.source ? { ...layer, layout: { ...layer.layout, visibility: visibility(chosen.includes(layer.source)) } } : layer,
  );
  return { ...style, layers };
}

/** The style with just these layers of data in it. */
export function only(style, chosen) {
  const kept = (id) => chosen.includes(id);
  return {
    ...style,
    sources: Object.fromEntries(Object.entries(style.sources).filter(([id]) => kept(id))),
    layers: showing(style, chosen).layers.filter((layer) => !layer.source || kept(layer.source)),
  };
}

export function visibility(shown) {
  return shown ? "visible" : "none";
}

/** The layers of data that the style shows from the start. */
export function shownAtFirst(style) {
  const drawn = style.layers.filter((layer) => layer.source && layer.layout?.visibility !== "none");
  return [...new Set(drawn.map((layer) => layer.source))];
}

/** The style with meridians and parallels every five degrees below everything else. */
export function withGraticule(style, isDark) {
  const lines = {
    id: "graticule",
    type: "line",
    source: "graticule",
    paint: { "line-color": isDark ? "#24343a" : "#cfdbde", "line-width": 0.6 },
  };
  const background = {
    id: "background",
    type: "background",
    paint: { "background-color": isDark ? "#101b20" : "#e1e9ea" },
  };
  const [first, ...rest] = style.layers[0]?.type === "background" ? style.layers : [background, ...style.layers];
  return {
    ...style,
    sources: { ...style.sources, graticule: { type: "geojson", data: graticule(5) } },
    layers: [first, lines, ...rest],
  };
}

/** The style with a raster above its areas and below its lines and words. */
export function withPicture(style, raster) {
  if (!raster) return style;
  const { id, tilejson, resampling } = raster;
  const drawn = { id, type: "raster", source: id, paint: { "raster-resampling": resampling } };
  const over = style.layers.findIndex(({ type, source }) => ["line", "symbol"].includes(type) && source !== "graticule");
  const at = over < 0 ? style.layers.length : over;
  return {
    ...style,
    sources: { ...style.sources, [id]: { type: "raster", url: tilejson, tileSize: 256 } },
    layers: [...style.layers.slice(0, at), drawn, ...style.layers.slice(at)],
  };
}

function graticule(step) {
  const coordinates = [];
  for (let lon = -180; lon <= 180; lon += step) coordinates.push([[lon, -85], [lon, 85]]);
  for (let lat = -80; lat <= 80; lat += step) coordinates.push([[-180, lat], [180, lat]]);
  return { type: "MultiLineString", coordinates };
}

export const darkWanted = () => matchMedia("(prefers-color-scheme: dark)");
