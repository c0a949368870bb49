// Draws the pack's map from what lies beside this page. Browsers read no file from a page that was opened as a file,
// so everything came in scripts, as base64; modules and the worker are made of it here.

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const parts = (name) => bytes(PACK.files[name]);
const text = (name) => new TextDecoder().decode(parts(name));
const script = (name) => URL.createObjectURL(new Blob([parts(name)], { type: "text/javascript" }));

async function unpacked(data) {
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** What MapLibre asks for by an address that begins with pack: a tile, letters or icons. */
async function asked({ url, type }) {
  const name = decodeURIComponent(url.replace(/^pack:\/\//, ""));
  if (name.startsWith("tiles/")) {
    const [, layer, ...place] = name.split("/");
    const tile = PACK.tiles[layer]?.[place.join("/")];
    return { data: tile ? await unpacked(bytes(tile)) : new ArrayBuffer(0) };
  }
  if (!(name in PACK.files)) throw new Error(name);
  return { data: type === "json" ? JSON.parse(text(name)) : parts(name).buffer };
}

async function draw() {
  const maplibregl = await import(script("maplibre-gl.mjs"));
  maplibregl.setWorkerUrl(script("maplibre-gl-worker.mjs"));
  maplibregl.addProtocol("pack", asked);
  const map = new maplibregl.Map({
    container: "map",
    style: JSON.parse(text("style.json")),
    bounds: PACK.bounds,
    fitBoundsOptions: { padding: innerWidth > 800 ? { top: 24, right: 24, bottom: 24, left: 360 } : 24 },
    dragRotate: false,
    pitchWithRotate: false,
    attributionControl: { compact: true },
  });
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }));
  map.addControl(new maplibregl.ScaleControl());
  map.once("idle", () => {
    document.querySelector(".maplibregl-ctrl-attrib")?.classList.remove("maplibregl-compact-show");
    document.querySelector(".maplibregl-ctrl-attrib")?.removeAttribute("open");
    document.body.classList.add("drawn");
  });
  window.map = map;
}

draw().catch((fault) => {
  document.getElementById("map").textContent = fault.message;
});
