const data = JSON.parse(document.getElementById("data").textContent);
document.getElementById("data").remove(); // it may be large
const $ = (id) => document.getElementById(id);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const distinct = (values) => [...new Set(values)];
const stage = $("stage");
const MOST = 64; // screen pixels for an image pixel

// What is shown: all of it is in the address, but for `flip`. x and y are the middle of the view, in parts of the
// image; zoom is relative to the whole image in a panel, below 1 if only a smaller one has one pixel for a pixel.
const FIRST = { view: "images", layout: "side", at: 50, zoom: 1, x: 0.5, y: 0.5 };
const VIEWS = { error: "scale", removed: "range" }; // in place of images; what a case has that can be seen so
const state = { ...FIRST, flip: false }; // flip: the left image is shown in place of the others, while one holds it
let current; // the case shown
let panels = []; // its panels, with `pixels` {canvas, bytes} of what is `seen`: "image", "error" or "removed"
let drawn = []; // [{canvas, panels: [panel] or [left, right]}]
let whole = 1; // screen pixels for an image pixel when all of the image fills its panel

// ---- the address

function readAddress() {
  const said = new URLSearchParams(location.hash.slice(1));
  Object.assign(state, FIRST);
  for (const [name, text] of said) {
    if (!(name in FIRST)) state[name] = text;
    else if (typeof FIRST[name] === "string") state[name] = text;
    else if (Number.isFinite(Number(text))) state[name] = Number(text);
  }
  if (!(state.view in VIEWS)) state.view = FIRST.view;
  state.at = clamp(state.at, 0, 100);
}

function writeAddress() {
  const said = new URLSearchParams();
  for (const name of ["image", "corruption", "seed"]) if (current[name]) said.set(name, current[name]);
  const names = ["view", "layout", "zoom", "x", "y", ...(state.layout === "swipe" ? ["left", "right", "at"] : [])];
  for (const name of names) {
    const value = typeof state[name] === "number" ? Number(state[name].toFixed(4)) : state[name];
    if (value !== FIRST[name]) said.set(name, value);
  }
  history.replaceState(null, "", `#${said}`);
}

// ---- the case: its choice, its images

function choose() {
  for (const name of ["image", "corruption", "seed"]) {
    const before = { image: [], corruption: ["image"], seed: ["image", "corruption"] }[name];
    const left = data.cases.filter((one) => before.every((key) => one[key] === state[key]));
    const values = distinct(left.map((one) => one[name]));
    if (!values.includes(state[name])) state[name] = values[0];
    const text = (value) => (name === "corruption" ? left.find((one) => one.corruption === value).name : value);
    fill($(name), values, text, state[name]);
  }
  $("seeds").hidden = $("seed").length < 2;
  return data.cases.find((one) => ["image", "corruption", "seed"].every((name) => one[name] === state[name]));
}

function fill(select, values, text, value) {
  select.replaceChildren(...values.map((one) => new Option(text(one), one, false, one === value)));
}

async function decode(name, coloured) {
  const image = new Image();
  image.src = `data:image/png;base64,${data.images[name]}`;
  await image.decode();
  const canvas = make("canvas", { width: image.naturalWidth, height: image.naturalHeight });
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const bytes = context.getImageData(0, 0, canvas.width, canvas.height).data;
  if (coloured) {
    const colours = context.createImageData(canvas.width, canvas.height);
    for (let i = 0; i < bytes.length; i += 4) colours.data.set(COLOURS[bytes[i]], i);
    context.putImageData(colours, 0, 0);
  }
  return { canvas, bytes };
}

async function load(panel) {
  const seen = panel[state.view] ? state.view : "image";
  const name = panel[seen];
  return { ...panel, seen, pixels: name && (await decode(name, seen === "error")) };
}

const COLOURS = data.colours.match(/.{6}/g).map((text) => [...text.match(/../g).map((two) => parseInt(two, 16)), 255]);

let turn = 0;
async function present() {
  const mine = ++turn;
  const chosen = choose();
  const loaded = await Promise.all(chosen.panels.map(load));
  if (mine !== turn) return; // another case was chosen meanwhile
  if (current !== chosen) state.flip = false;
  current = chosen;
  panels = loaded;
  build();
}
