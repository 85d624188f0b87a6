// ---- the page

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const shown = () => panels.filter((panel) => panel.pixels);
const named = (label) => shown().find((panel) => panel.label === label);
const view = () => (current[VIEWS[state.view]] ? state.view : "images");
const WORDS = { images: "images", error: "errors", removed: "removed noise" };
const TITLES = {
  error: ["Absolute errors in place of the images (E)", "There are no errors without a ground truth"],
  removed: ["What was removed, y − A x̂, in place of the images (D)",
    "There is no removed noise: the measurement is no picture, or the note below says why"],
};

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
  for (const [id, there] of Object.entries(VIEWS)) {
    press(id, view() === id);
    $(id).disabled = !current[there];
    $(id).title = TITLES[id][current[there] ? 0 : 1];
  }
  press("flip", state.flip);
  $("flip").textContent = `Hold for ${state.left}`;
  $("bar").hidden = view() === "images";
  if (view() !== "images") bar();
  drawn = [];
  down.clear();
  stage.replaceChildren(...(swipe ? [swiped()] : panels.map(figure)));
  head();
  resize();
  read();
  if (focus) refocus(focus);
  const said = [current.image, current.name, current.seed].filter(Boolean).join(", ");
  $("status").textContent = `${said}: ${WORDS[view()]}, ${swipe ? "swipe" : `${names.length} panels`}`;
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

// A caption names what its panel shows: while one holds it, the left image.
function head() {
  stage.classList.toggle("held", state.flip);
  for (const box of stage.querySelectorAll("figcaption")) {
    const held = state.flip && state.layout === "side" && named(box.dataset.of);
    box.querySelector("h2").textContent = held ? `${state.left} (held)` : box.dataset.of;
  }
}

function spoken(panel) {
  const numbers = Object.entries(panel.numbers).map(([name, text]) => `${name} ${text}`);
  return [panel.label, panel.seen === "image" ? "" : WORDS[panel.seen], ...numbers].filter(Boolean).join(", ");
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
    "figcaption", {},
    make("h2", { title: panel.label }), make("p", { className: "value" }),
    make("p", { className: "numbers" }, ...numbers),
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

const SCALES = {
  error: "Absolute error |x̂ − x|, the image's range being 1; of colours the mean over channels. "
    + "One scale for all panels",
  removed: "Removed noise y − A x̂, gray where nothing was removed. Edges or texture that show in a method's panel "
    + "were taken from the image, too. One scale for all panels",
};

function bar() {
  const canvas = $("bar").querySelector("canvas");
  const image = canvas.getContext("2d").createImageData(256, 1);
  const [seen, end] = [view(), current[VIEWS[view()]]];
  COLOURS.forEach((colour, i) => image.data.set(seen === "error" ? colour : [i, i, i, 255], 4 * i));
  canvas.getContext("2d").putImageData(image, 0, 0);
  const ticks = seen === "error" ? [0, end / 2, `≥ ${end}`] : [`≤ −${end}`, 0, `≥ ${end}`];
  $("ticks").replaceChildren(...ticks.map((tick) => make("span", {}, String(tick))));
  const sigmas = current.sigma ? ": three standard deviations of the noise" : "";
  const said = seen === "removed" ? `, ±\u00a0${end}${sigmas}` : "";
  const truth = seen === "removed" && named("Truth") ? " Of Truth it is the noise itself." : "";
  $("meaning").textContent = `${SCALES[seen]}${said}.${truth}`;
}
