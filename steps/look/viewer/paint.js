// ---- sizes: as large as lets all panels be in sight; whole screen pixels for an image pixel if that costs little

// In CSS pixels: between panels; below the last; what a panel has at least, if there is room, for its caption and for a
// finger; how wide it is about if one scrolls, which one does if it is so many times as large as if all were in sight.
const [GAP, END, LEAST, WIDE, WORTH] = [10, 12, [160, 44], 260, 1.4];
const SPARE = 0.25; // screen pixels of an image pixel, given up for a whole number of them

function resize() {
  if (!current) return;
  let below = 0; // the height of the highest caption, which depends on how wide it is
  for (let turn = 0; turn < 3; turn++) {
    fit(below);
    const table = (caption) => caption.querySelector("details[open] table")?.offsetHeight ?? 0;
    const captions = state.layout === "swipe" ? [] : [...stage.querySelectorAll("figcaption")];
    below = Math.max(0, ...captions.map((caption) => caption.offsetHeight - table(caption)));
  }
  draw();
}

function fit(below) {
  const [width, height] = current.size;
  const tall = innerHeight - stage.getBoundingClientRect().top - scrollY - END;
  const room = (columns, rows) => [
    (stage.clientWidth - GAP * (columns - 1)) / columns, Math.max((tall - GAP * (rows - 1)) / rows - below, 1),
  ];
  const scaleIn = ([wide, high]) => Math.min(wide / width, high / height);
  const count = state.layout === "swipe" ? 1 : panels.length;
  const columns = Array.from({ length: count }, (_, i) => i + 1);
  const rooms = columns.map((some) => room(some, Math.ceil(count / some)))
    .filter(([wide], i) => i === 0 || wide >= LEAST[0]);
  const inSight = rooms.reduce((one, other) => (scaleIn(other) > scaleIn(one) ? other : one));
  const [across] = room(clamp(Math.round(stage.clientWidth / WIDE), Math.min(2, count), count), 1);
  const scrolled = [across, Math.max(innerHeight / 2, tall - below)];
  const most = (scaleIn(scrolled) > WORTH * scaleIn(inSight) ? scrolled : inSight)
    .map((side) => Math.max(1, Math.floor(side * devicePixelRatio)));
  whole = Math.min(most[0] / width, most[1] / height);
  if (Math.floor(whole) > Math.max(whole - SPARE, 0)) whole = Math.floor(whole);
  const least = LEAST.map((side, i) => Math.min(Math.round(side * devicePixelRatio), most[i]));
  const size = current.size.map((side, i) => Math.max(Math.round(side * whole), least[i]));
  for (const canvas of stage.querySelectorAll("canvas, .hole")) {
    if (canvas.matches("canvas")) [canvas.width, canvas.height] = size;
    canvas.style.width = `${size[0] / devicePixelRatio}px`;
    canvas.style.height = `${size[1] / devicePixelRatio}px`;
    canvas.parentElement.style.width = canvas.style.width;
  }
}

// ---- drawing

function geometry(canvas) {
  const [width, height] = current.size;
  state.zoom = clamp(state.zoom, Math.min(1, 1 / whole), Math.max(1, MOST / whole));
  const near = Math.round(whole * state.zoom); // which it is, but for the digits of an address
  const scale = Math.abs(whole * state.zoom - near) < 0.005 ? near : whole * state.zoom;
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
      divider.style.left = `${(dividedAt() * drawn[0].canvas.clientWidth) / 100}px`;
      divider.style.height = drawn[0].canvas.style.height;
      divider.ariaValueNow = String(Math.round(state.at));
      divider.ariaValueText = `${Math.round(state.at)} % ${state.left}`;
    }
    clearTimeout(address);
    address = setTimeout(writeAddress, 100); // browsers refuse to write it many times a second
  });
}

const dividedAt = () => (state.flip ? 100 : state.at);

function paint({ canvas, panels: [first, second] }) {
  const context = canvas.getContext("2d");
  const view = geometry(canvas);
  const { scale, left, top } = view;
  context.clearRect(0, 0, canvas.width, canvas.height); // of a panel that its image does not fill
  put(context, second ?? (state.flip ? named(state.left) : first), view);
  if (second) {
    context.save();
    context.beginPath();
    context.rect(0, 0, Math.round((canvas.width * dividedAt()) / 100), canvas.height);
    context.clip();
    put(context, first, view);
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

// If an image pixel is no whole number of screen pixels, what is in sight is enlarged by the next whole number, then
// reduced smoothly: so all pixels have one size, and only their edges are mixed.
const between = make("canvas");
function put(context, { pixels }, { scale, left, top, width, height }) {
  context.imageSmoothingEnabled = scale < 1;
  context.imageSmoothingQuality = "high";
  if (scale < 1 || Number.isInteger(scale)) return context.drawImage(pixels.canvas, left, top, width, height);
  const factor = Math.ceil(scale);
  const start = [left, top].map((side) => Math.max(0, Math.floor(-side / scale)));
  const sides = [context.canvas.width - left, context.canvas.height - top]
    .map((side, i) => Math.min(current.size[i], Math.ceil(side / scale)) - start[i]);
  [between.width, between.height] = sides.map((side) => side * factor);
  const enlarged = between.getContext("2d");
  enlarged.imageSmoothingEnabled = false;
  enlarged.drawImage(pixels.canvas, ...start, ...sides, 0, 0, between.width, between.height);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "low";
  const [x, y] = start.map((side, i) => [left, top][i] + side * scale);
  return context.drawImage(between, x, y, sides[0] * scale, sides[1] * scale);
}
