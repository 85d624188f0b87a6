// ---- zoom and pan

// By wheel or fingers, nothing becomes smaller than the whole image, or than it is.
const zoomBy = (factor, ...where) => zoomTo(Math.max(state.zoom * factor, Math.min(state.zoom, 1)), ...where);

function zoomTo(zoom, canvas = drawn[0].canvas, x = canvas.width / 2, y = canvas.height / 2) {
  const before = geometry(canvas);
  const point = [(x - before.left) / before.width, (y - before.top) / before.height];
  state.zoom = zoom;
  const { width, height } = geometry(canvas);
  state.x = point[0] + (canvas.width / 2 - x) / width;
  state.y = point[1] + (canvas.height / 2 - y) / height;
  draw();
}

function step(up) {
  const scale = whole * state.zoom;
  const stops = [whole, 0.5, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, MOST].filter((stop) => stop >= Math.min(whole, 1));
  const next = up ? stops.filter((stop) => stop > scale * 1.001).sort((a, b) => a - b)[0]
    : stops.filter((stop) => stop < scale * 0.999).sort((a, b) => b - a)[0];
  if (next) zoomTo(next / whole);
}

function pan(canvas, dx, dy) {
  const { width, height } = geometry(canvas);
  state.x -= dx / width;
  state.y -= dy / height;
  draw();
}

const down = new Map(); // pointers that are down; a canvas that is replaced does not hear of their end
const place = (event) => [event.offsetX * devicePixelRatio, event.offsetY * devicePixelRatio];
const isPanel = (target) => target.matches("#stage canvas");

stage.addEventListener("pointerdown", (event) => {
  if (!isPanel(event.target) || event.button) return;
  event.target.setPointerCapture(event.pointerId);
  down.set(event.pointerId, place(event));
});

stage.addEventListener("pointermove", (event) => {
  if (!isPanel(event.target)) return;
  const now = place(event);
  const before = down.get(event.pointerId);
  if (before) {
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    pan(event.target, ...[0, 1].map((i) => (now[i] - before[i]) / down.size));
    if (other) {
      const far = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
      const middle = other.map((value, i) => (value + now[i]) / 2);
      zoomBy(far(now) / Math.max(far(before), 1), event.target, ...middle);
    }
    down.set(event.pointerId, now);
  }
  point(event.target, now);
});

for (const name of ["pointerup", "pointercancel"]) {
  stage.addEventListener(name, (event) => down.delete(event.pointerId));
}
stage.addEventListener("pointerleave", () => point());

stage.addEventListener("wheel", (event) => {
  if (!isPanel(event.target) || (state.zoom <= 1 && event.deltaY > 0)) return; // then the page scrolls
  event.preventDefault();
  const turned = event.deltaY * (event.deltaMode ? 30 : 1);
  zoomBy(2 ** (-turned / (event.ctrlKey ? 80 : 250)), event.target, ...place(event));
}, { passive: false });

stage.addEventListener("dblclick", (event) => isPanel(event.target) && zoomTo(1));

// ---- the pixel under the pointer, in all panels

let cursor = null;
function point(canvas, [x, y] = []) {
  const before = cursor;
  cursor = null;
  if (canvas) {
    const { scale, left, top } = geometry(canvas);
    const [column, row] = [Math.floor((x - left) / scale), Math.floor((y - top) / scale)];
    if (column >= 0 && row >= 0 && column < current.size[0] && row < current.size[1]) cursor = { row, column };
  }
  if (before?.row !== cursor?.row || before?.column !== cursor?.column) read();
}

function read() {
  if (cursor?.column >= current.size[0] || cursor?.row >= current.size[1]) cursor = null;
  $("pixel").textContent = cursor ? `Row ${cursor.row}, column ${cursor.column}` : "";
  for (const caption of stage.querySelectorAll("figcaption")) {
    const panel = named(caption.dataset.of);
    caption.querySelector(".value").textContent = cursor && panel ? valueAt(panel) : "";
  }
  draw();
}

function valueAt(panel) {
  const start = 4 * (cursor.row * current.size[0] + cursor.column);
  const bytes = [...panel.pixels.bytes.slice(start, start + 3)];
  if (panel.seen === "error") {
    return `error ${bytes[0] === 255 ? "≥ " : ""}${((bytes[0] / 255) * current.scale).toPrecision(2)}`;
  }
  if (panel.seen === "removed") return `removed ${grays(bytes).map(taken).join(" ")}`;
  return grays(bytes).map((byte) => (byte / 255).toFixed(3)).join(" ");
}

const grays = (bytes) => (distinct(bytes).length === 1 ? bytes.slice(1, 2) : bytes);

function taken(byte) {
  const value = (Math.abs(byte - 128) / 127) * current.range;
  return `${{ 1: "≤ ", 255: "≥ " }[byte] ?? ""}${byte < 128 ? "−" : ""}${value.toPrecision(2)}`;
}

// ---- controls and keys

function next(id, back) {
  const select = $(id);
  select.selectedIndex = (select.selectedIndex + (back ? -1 : 1) + select.length) % select.length;
  select.dispatchEvent(new Event("change"));
}

function look(view) {
  if ($(view).disabled) return;
  state.view = state.view === view ? FIRST.view : view;
  present();
}

function hold(on) {
  if (state.flip === on) return;
  state.flip = on;
  press("flip", on);
  head();
  draw();
}

const actions = {
  in: () => step(true),
  out: () => step(false),
  fit: () => zoomTo(1),
  exact: () => zoomTo(1 / whole),
  error: () => look("error"),
  removed: () => look("removed"),
  swipe: () => {
    state.layout = state.layout === "swipe" ? "side" : "swipe";
    build();
  },
  keys: () => $("help").showModal(),
};
const ZOOMS = { "+": "in", "=": "in", "-": "out", 0: "fit", 1: "exact" };
const KEYS = { ...ZOOMS, e: "error", d: "removed", s: "swipe", "?": "keys" };
const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const SIDEWAYS = { ",": -2, ".": 2 };
const PRESSES = ["Enter", " "]; // of a button by keys
const CHOICES = { i: "image", c: "corruption", n: "seed", l: "left", r: "right" };

function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open || event.target.matches("select")) return;
  const letter = event.key.toLowerCase();
  const divider = event.target.id === "divider";
  const far = event.shiftKey ? 10 : 1; // percent
  if (letter === "f" || (event.target.id === "flip" && PRESSES.includes(event.key))) hold(true);
  else if (divider && event.key in ARROWS) divide(state.at + far * (ARROWS[event.key][1] - ARROWS[event.key][0]));
  else if (divider && (event.key === "Home" || event.key === "End")) divide(event.key === "End" ? 100 : 0);
  else if (event.key in ARROWS && state.zoom > 1) {
    const { canvas } = drawn[0];
    pan(canvas, ...ARROWS[event.key].map((way) => (way * canvas.width) / 10));
  } else if (letter in KEYS) actions[KEYS[letter]]();
  else if (letter in CHOICES) next(CHOICES[letter], event.shiftKey);
  else if (event.key in SIDEWAYS && state.layout === "swipe") divide(state.at + SIDEWAYS[event.key]);
  else if (event.key === "Enter" && isPanel(event.target) && state.layout === "side") {
    Object.assign(state, { layout: "swipe", right: event.target.dataset.label });
    build();
  } else return;
  event.preventDefault();
}

function begin() {
  $("notes").replaceChildren(...data.notes.map((text) => make("p", {}, text)));
  if (!data.cases.length) {
    stage.append(make("p", {}, "Nothing to show."));
    $("controls").hidden = true;
    return;
  }
  for (const [id, action] of Object.entries(actions)) $(id).addEventListener("click", action);
  for (const id of ["image", "corruption", "seed"]) {
    $(id).addEventListener("change", () => { state[id] = $(id).value; present(); });
  }
  for (const id of ["left", "right"]) {
    $(id).addEventListener("change", () => { state[id] = $(id).value; build(); });
  }
  $("flip").addEventListener("pointerdown", (event) => { if (!event.button) hold(true); });
  $("flip").addEventListener("contextmenu", (event) => event.preventDefault()); // a finger that stays asks for one
  for (const name of ["pointerup", "pointercancel", "keyup", "blur"]) addEventListener(name, () => hold(false));
  document.addEventListener("keydown", key);
  addEventListener("resize", resize);
  addEventListener("hashchange", () => { readAddress(); present(); });
  readAddress();
  present();
}

begin();
