// ---- the page

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const shown = () => panels.filter((panel) => panel.pixels);
const named = (label) => shown().find((panel) => panel.label === label);
const errors = () => state.view === "error" && Boolean(current.scale);

function build() {
  const focus = stage.contains(document.activeElement) && spot(document.activeElement);
  const names = shown().map((panel) => panel.label);
  if (!names.includes(state.left)) state.left = names[0];
  if (!names.includes(state.right)) state.right = best() ?? names.at(-1);
  fill($("left"), names, (name) => name, state.left);
  fill($("right"), names, (name) => name, state.right);
  const swipe = state.layout === "swipe";
  $("pair").hidden = !swipe;
  press("swipe", swipe);
  press("error", errors());
  press("flip", state.flip);
  $("error").disabled = !current.scale;
  $("error").title = current.scale ? "Absolute errors in place of the images (E)"
    : "There are no errors without a ground truth";
  $("bar").hidden = !errors();
  if (errors()) bar();
  drawn = [];
  down.clear();
  stage.replaceChildren(...(swipe ? [swiped()] : panels.map(figure)));
  resize();
  read();
  if (focus) refocus(focus);
  const said = [current.image, current.name, current.seed].filter(Boolean).join(", ");
  $("status").textContent = `${said}: ${errors() ? "errors" : "images"}, ${swipe ? "swipe" : `${names.length} panels`}`;
}

// What an element of the stage is, and so what takes its place when all are new.
const spot = (element) => [element.localName, element.dataset.label, element.closest("figcaption")?.dataset.of].join();

function refocus(focus) {
  const found = [...stage.querySelectorAll("canvas, summary, #divider")];
  const same = found.find((one) => spot(one) === focus);
  (same ?? $("divider") ?? found.find((one) => one.dataset.label === state.right)).focus();
}

const best = () => shown().find((panel) => panel.best.includes(Object.keys(data.better)[0]))?.label;

function press(id, on) {
  $(id).setAttribute("aria-pressed", String(on));
}

function spoken(panel) {
  const numbers = Object.entries(panel.numbers).map(([name, text]) => `${name} ${text}`);
  return [panel.label, panel.isMap ? "absolute error" : "", ...numbers].filter(Boolean).join(", ");
}

function surface(shownPanels, label, text) {
  const canvas = make("canvas", { tabIndex: 0, role: "img", ariaLabel: text });
  canvas.dataset.label = label;
  drawn.push({ canvas, panels: shownPanels });
  return canvas;
}

function figure(panel) {
  const hole = () => make("div", { className: "hole" }, "not made");
  const top = panel.pixels ? surface([panel], panel.label, spoken(panel)) : hole();
  return make("figure", {}, top, caption(panel));
}

function caption(panel) {
  const numbers = Object.entries(panel.numbers).map(([name, text]) => {
    const isBest = panel.best.includes(name);
    const words = `${["PSNR", "Time"].includes(name) ? "" : `${name} `}${text}${isBest ? " ★" : ""}`;
    const title = name in data.better ? `${name}, ${data.better[name]} is better` : name;
    return make("span", { className: isBest ? "best" : "", title: isBest ? `the best ${title}` : title }, words);
  });
  const rows = Object.entries(panel.settings).map(([name, text]) =>
    make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, text)));
  const box = make(
    "figcaption", {}, make("h2", {}, panel.label), make("p", { className: "numbers" }, ...numbers),
    make("p", { className: "value" }),
    ...(rows.length ? [make("details", {}, make("summary", {}, "Settings"), make("table", {}, ...rows))] : []),
  );
  box.dataset.of = panel.label;
  return box;
}

function swiped() {
  const pair = [named(state.left), named(state.right)];
  const canvas = surface(pair, "swipe", `${spoken(pair[0])} on the left; ${spoken(pair[1])} on the right`);
  const divider = make("div", { id: "divider", tabIndex: 0, role: "slider", ariaValueMin: "0", ariaValueMax: "100" });
  divider.ariaLabel = `Divider between ${state.left} and ${state.right}`;
  divider.ariaOrientation = "horizontal";
  divider.addEventListener("pointerdown", (event) => divider.setPointerCapture(event.pointerId));
  divider.addEventListener("pointermove", (event) => {
    if (!divider.hasPointerCapture(event.pointerId)) return;
    const box = canvas.getBoundingClientRect();
    divide((100 * (event.clientX - box.left)) / box.width);
  });
  const badges = ["left", "right"].map((side) => make("span", { className: `badge ${side}` }, state[side]));
  return make("figure", { className: "pair" }, make("div", {}, canvas, divider, ...badges), ...pair.map(caption));
}

function divide(at) {
  state.at = clamp(at, 0, 100);
  draw();
}

function bar() {
  const canvas = $("bar").querySelector("canvas");
  const image = canvas.getContext("2d").createImageData(256, 1);
  COLOURS.forEach((colour, i) => image.data.set(colour, 4 * i));
  canvas.getContext("2d").putImageData(image, 0, 0);
  const ticks = [0, current.scale / 2, `≥ ${current.scale}`];
  $("ticks").replaceChildren(...ticks.map((tick) => make("span", {}, String(tick))));
}

// ---- sizes: as large as lets all panels be in sight; whole screen pixels for an image pixel where they are larger

// In CSS pixels: the height of a caption; what a panel has at least, if there is room, for its caption and for a finger.
const CAPTION = 110;
const LEAST = [160, 44];

function resize() {
  if (!current) return;
  const [width, height] = current.size;
  const swipe = state.layout === "swipe";
  const tall = innerHeight - stage.getBoundingClientRect().top - scrollY - 24;
  const across = (columns) => (stage.clientWidth - 10 * (columns - 1)) / columns;
  const highest = swipe ? Math.max(240, tall) : Math.max(innerHeight / 2, tall - CAPTION);
  let room = across(1);
  if (!swipe) {
    const count = panels.length;
    const fits = (columns) => Math.ceil(count / columns) * ((across(columns) * height) / width + CAPTION) < tall;
    let columns = 1;
    while (columns < count && !fits(columns)) columns++;
    room = Math.max(across(columns), across(clamp(Math.round(stage.clientWidth / 260), 2, count))); // else one scrolls
  }
  const most = [room, highest].map((side) => Math.max(1, Math.floor(side * devicePixelRatio)));
  whole = Math.min(most[0] / width, most[1] / height);
  if (whole >= 1) whole = Math.floor(whole);
  const least = LEAST.map((side, i) => Math.min(Math.round(side * devicePixelRatio), most[i]));
  const size = current.size.map((side, i) => Math.max(Math.round(side * whole), least[i]));
  for (const canvas of stage.querySelectorAll("canvas, .hole")) {
    if (canvas.matches("canvas")) [canvas.width, canvas.height] = size;
    canvas.style.width = `${size[0] / devicePixelRatio}px`;
    canvas.style.height = `${size[1] / devicePixelRatio}px`;
    canvas.parentElement.style.width = canvas.style.width;
  }
  draw();
}

// ---- drawing

function geometry(canvas) {
  const [width, height] = current.size;
  state.zoom = clamp(state.zoom, Math.min(1, 1 / whole), Math.max(1, MOST / whole));
  const scale = whole * state.zoom;
  const within = (middle, part) => clamp(middle, Math.min(part, 1) / 2, 1 - Math.min(part, 1) / 2);
  state.x = within(state.x, canvas.width / (width * scale));
  state.y = within(state.y, canvas.height / (height * scale));
  const left = Math.round(canvas.width / 2 - state.x * width * scale);
  const top = Math.round(canvas.height / 2 - state.y * height * scale);
  return { scale, left, top, width: Math.round(width * scale), height: Math.round(height * scale) };
}

let waiting = false;
let address;
function draw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    for (const one of drawn) paint(one);
    if (!drawn.length) return;
    const { scale } = geometry(drawn[0].canvas);
    $("zoom").value = `${scale < 10 ? scale.toFixed(2).replace(/\.?0+$/, "") : scale.toFixed(0)}×`;
    stage.classList.toggle("zoomed", state.zoom > 1);
    const divider = $("divider");
    if (divider) {
      divider.style.left = `${(state.at * drawn[0].canvas.clientWidth) / 100}px`;
      divider.style.height = drawn[0].canvas.style.height;
      divider.ariaValueNow = String(Math.round(state.at));
      divider.ariaValueText = `${Math.round(state.at)} % ${state.left}`;
    }
    clearTimeout(address);
    address = setTimeout(writeAddress, 100); // browsers refuse to write it many times a second
  });
}

function paint({ canvas, panels: [first, second] }) {
  const { scale, left, top, width, height } = geometry(canvas);
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height); // of a panel that its image does not fill
  context.imageSmoothingEnabled = scale < 1;
  context.imageSmoothingQuality = "high";
  const put = (panel) => context.drawImage(panel.pixels.canvas, left, top, width, height);
  put(second ?? (state.flip ? named(state.left) : first));
  if (second) {
    context.save();
    context.beginPath();
    context.rect(0, 0, Math.round((canvas.width * state.at) / 100), canvas.height);
    context.clip();
    put(first);
    context.restore();
  }
  if (cursor) {
    context.lineWidth = devicePixelRatio;
    for (const [colour, more] of [["#000", 1], ["#fff", 0]]) {
      context.strokeStyle = colour;
      const side = Math.max(scale, 6) + 2 * more * devicePixelRatio;
      const [x, y] = [left + (cursor.column + 0.5) * scale, top + (cursor.row + 0.5) * scale];
      context.strokeRect(x - side / 2, y - side / 2, side, side);
    }
  }
}
