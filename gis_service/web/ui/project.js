// The project area of the panel: drawn or opened, then sent for its overlap report.

import { ask, key, make, request, withParameter } from "./basics.js";
import { addDrawing, areasOf, boundsOf, Drawing, positions, showArea } from "./draw.js";
import { summary } from "./report.js";

const byId = (id) => document.getElementById(id);

export class Project {
  constructor(map, settings, say, isDark) {
    Object.assign(this, { map, settings, say, area: null, drawing: null });
    addDrawing(map, isDark ? "#7fb6df" : "#1d5f92");
    byId("draw").addEventListener("click", () => this.draw());
    byId("file").addEventListener("change", (event) => this.open(event.target));
    byId("corner").addEventListener("click", () => this.drawing?.corner());
    byId("undo").addEventListener("click", () => this.drawing?.undo());
    byId("finish").addEventListener("click", () => this.drawing?.finish());
    byId("cancel").addEventListener("click", () => this.drawing?.stop(null));
    byId("clear").addEventListener("click", () => this.clear());
    byId("run").addEventListener("click", () => this.report());
  }

  draw() {
    this.clear();
    this.mode(true);
    this.drawing = new Drawing(this.map, {
      changed: (corners) => { byId("finish").disabled = corners.length < 3; },
      crosses: () => this.tell(this.say("map.draw.crosses")),
      done: (area) => this.drawn(area),
    });
  }

  drawn(area) {
    this.drawing = null;
    this.mode(false);
    if (area) this.ready(area, this.say("map.subject", { n: positions(area).length - 1 }));
    else showArea(this.map, null);
  }

  mode(drawing) {
    document.body.classList.toggle("drawing", drawing);
    byId("drawing").hidden = !drawing;
    byId("crosshair").hidden = !drawing;
    byId("result").replaceChildren();
  }

  async open(input) {
    const [file] = input.files;
    if (!file) return;
    this.drawing?.stop(null);
    try {
      const area = areasOf(JSON.parse(await file.text()));
      this.ready(area, this.say("map.subject.file", { name: file.name, n: positions(area).length }));
      this.map.fitBounds(boundsOf(area), { padding: 60, maxZoom: 13, animate: false });
    } catch {
      this.tell(this.say("map.file.unreadable", { name: file.name }));
    }
    input.value = "";
  }

  ready(area, words) {
    this.area = area;
    showArea(this.map, area);
    byId("result").replaceChildren();
    byId("subject").textContent = words;
    byId("ready").hidden = false;
    byId("run").focus();
  }

  clear() {
    this.drawing?.stop(null);
    this.area = null;
    showArea(this.map, null);
    byId("ready").hidden = true;
    byId("result").replaceChildren();
  }

  tell(words) {
    byId("result").replaceChildren(make("p", { class: "notice" }, words));
  }

  async report() {
    byId("run").disabled = true;
    this.tell(this.say("map.report.running"));
    try {
      const { report, link } = await execute(this.settings, this.area, this.say);
      byId("result").replaceChildren(...summary(report, { settings: this.settings, say: this.say, link }));
      byId("result").focus();
    } catch (error) {
      this.tell(this.say("map.failed", { detail: error.message }));
    }
    byId("run").disabled = false;
  }
}

/** The report of an area as JSON, and a link to the whole document. */
async function execute({ execution, lang }, area, say) {
  const answer = await send(execution, lang, area);
  const result = answer.status === 201 ? await results(answer.headers.get("Location")) : await answer.json();
  const report = result.report ?? result;
  const page = report.links?.find(({ type }) => type === "text/html");
  return { report, link: page && documentLink(withParameter(page.href, "lang", lang), say) };
}

function send(execution, lang, area) {
  return request(`${execution}?lang=${lang}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ inputs: { area } }),
  });
}

/** The results of a job that takes longer than the server lets a request wait. */
async function results(job) {
  for (;;) {
    const { status, message } = await ask(job);
    if (status === "successful") return ask(`${job}/results`);
    if (status === "failed" || status === "dismissed") throw new Error(message ?? status);
    await new Promise((done) => setTimeout(done, 700));
  }
}

/** A link to the report; whoever has a key gets it as a file, since a plain link can't carry the key. */
function documentLink(address, say) {
  const link = make("a", { class: "button", href: address, target: "_blank", rel: "noopener" }, say("map.report.open"));
  if (key.get()) link.addEventListener("click", (event) => saveInstead(event, address));
  return link;
}

async function saveInstead(event, address) {
  event.preventDefault();
  const file = await (await request(address, { headers: { Accept: "text/html" } })).blob();
  const href = URL.createObjectURL(file);
  make("a", { href, download: "overlap-report.html" }).click();
  URL.revokeObjectURL(href);
}
