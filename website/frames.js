"use strict";
// Brings explorers and microscopes to life: their pictures were drawn when the site was built. See frames.py.

// Strips of pictures, decoded, for all of the page: the latest used come last.
const DECODED = new Map();
const MOST_DECODED = 16; // about 12 MB each

async function decoded(image) {
  if (!DECODED.has(image)) DECODED.set(image, image.decode().then(() => createImageBitmap(image)));
  const bitmap = DECODED.get(image);
  DECODED.delete(image);
  DECODED.set(image, bitmap);
  if (DECODED.size > MOST_DECODED) {
    const [oldest, unused] = DECODED.entries().next().value;
    DECODED.delete(oldest);
    unused.then((each) => each.close(), () => {});
  }
  image.bitmap = await bitmap;
  return image.bitmap;
}

function buildFrames(box) {
  const data = JSON.parse(box.querySelector("script").textContent);
  const first = box.querySelector("img");
  const starts = data.controls.map((control) => control.start);
  const numbers = new Map(data.places.map((places, number) => [places.join(), number]));
  const canvas = document.createElement("canvas");
  canvas.width = data.width;
  canvas.height = data.height;
  canvas.setAttribute("role", "img");
  canvas.hidden = true;
  const form = document.createElement("div");
  form.className = "frames-controls";
  const status = document.createElement("p");
  status.setAttribute("role", "status");
  const inputs = data.controls.map(addControl);
  const images = []; // the strips, from when they are needed
  let places = starts;
  let wanted = -1;
  first.before(form);
  first.after(canvas);
  if (data.status) form.after(status);
  show();

  function addControl(control, number) {
    const label = document.createElement("label");
    const words = document.createElement("span");
    words.textContent = control.label;
    const value = document.createElement("output");
    let input;
    if (control.kind === "choice") {
      input = document.createElement("select");
      control.shown.forEach((text, place) => input.add(new Option(text, place)));
    } else {
      input = document.createElement("input");
      input.type = control.kind === "box" ? "checkbox" : "range";
      input.min = 0;
      input.max = control.shown.length - 1;
      input.step = 1;
    }
    input.autocomplete = "off"; // else a browser puts back what it was before the page was loaded again
    input.addEventListener("input", () => {
      const moved = places.slice();
      moved[number] = control.kind === "box" ? Number(input.checked) : Number(input.value);
      const alone = starts.slice();
      alone[number] = moved[number];
      move(numbers.has(moved.join()) ? moved : alone);
    });
    label.append(words, input, ...(control.kind === "slider" ? [value] : []));
    form.append(label);
    return { input, value };
  }

  function move(to) {
    places = to;
    show();
    draw(numbers.get(places.join()));
  }

  function show() {
    data.controls.forEach((control, number) => {
      const { input, value } = inputs[number];
      const text = control.shown[places[number]];
      if (control.kind === "box") input.checked = places[number] === 1;
      else input.value = places[number];
      if (control.kind === "slider") {
        value.textContent = text;
        input.setAttribute("aria-valuetext", text);
      }
    });
    const number = numbers.get(places.join());
    canvas.setAttribute("aria-label", data.words[number].map((each) => data.sentences[each]).join(". "));
    if (data.status) status.textContent = data.status[number];
  }

  function strip(number) {
    if (!images[number]) {
      images[number] = new Image();
      images[number].src = `frames/${data.name}-${number}.webp`;
    }
    return images[number];
  }

  // at once if the strip is decoded: its picture is then on the screen in the next frame
  function draw(number) {
    wanted = number;
    const image = strip(Math.floor(number / data.per_strip));
    const ready = decoded(image);
    box.setAttribute("aria-busy", !image.bitmap?.width);
    if (image.bitmap?.width) paint(image.bitmap);
    else ready.then((bitmap) => wanted === number && paint(bitmap), () => {}); // else the control has moved on

    function paint(bitmap) {
      const top = (number % data.per_strip) * data.height;
      canvas.getContext("2d").drawImage(bitmap, 0, top, data.width, data.height, 0, 0, data.width, data.height);
      canvas.hidden = false;
      first.hidden = true;
      box.dataset.picture = number;
      box.setAttribute("aria-busy", false);
    }
  }

  function press(event) {
    if (!(event.buttons & 1)) return;
    const target = event.currentTarget.getBoundingClientRect();
    const [left, top, width, height] = data.mouse.box;
    const column = Math.floor((((event.clientX - target.left) / target.width - left) / width) * data.mouse.columns);
    const row = Math.floor((((event.clientY - target.top) / target.height - top) / height) * data.mouse.rows);
    if (column < 0 || row < 0 || column >= data.mouse.columns || row >= data.mouse.rows) return;
    event.preventDefault();
    const to = data.mouse.places[row * data.mouse.columns + column];
    const moved = to.map((place, number) => place ?? places[number]);
    move(numbers.has(moved.join()) ? moved : to.map((place, number) => place ?? starts[number]));
  }

  if (data.mouse) {
    for (const picture of [first, canvas]) {
      picture.classList.add("frames-mouse");
      picture.draggable = false;
      picture.addEventListener("pointerdown", press);
      picture.addEventListener("pointermove", press);
    }
  }

  const strips = Math.ceil(data.places.length / data.per_strip);
  const own = Math.floor(numbers.get(starts.join()) / data.per_strip); // where the first picture is
  const nearest = [...Array(strips).keys()].sort((a, b) => Math.abs(a - own) - Math.abs(b - own));
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    nearest.forEach(strip);
  }, { rootMargin: "600px" }).observe(box);
  // decoded when the reader turns to it
  const decodeAll = () => nearest.forEach((number) => decoded(strip(number)).catch(() => {}));
  for (const turn of ["pointerenter", "focusin"]) box.addEventListener(turn, decodeAll);
}

document.querySelectorAll(".frames").forEach(buildFrames);
