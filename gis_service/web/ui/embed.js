// <script src=".../static/ui/embed.js" data-layers="protected-areas" data-position="6/16.2/106.4" async></script>
// puts the service's map where the script stands. It runs in a frame of its own and changes nothing else of the page.

const script = document.currentScript;
const { layers, position, lang, height = "480", title = "" } = script.dataset;
const map = new URL("../../map", script.src);
map.searchParams.set("panel", "0");
if (layers) map.searchParams.set("layers", layers);
if (lang) map.searchParams.set("lang", lang);
if (position) map.hash = position;
const frame = Object.assign(document.createElement("iframe"), { src: map.href, title, loading: "lazy" });
frame.style.cssText = `width: 100%; height: ${Number(height) || 480}px; border: 0`;
script.after(frame);
