"use strict";
// Brings the explorers of a page to life: their pictures were drawn when the site was built. See frames.py.

function build(box) {
  const data = JSON.parse(box.querySelector("script").textContent);
  const first = box.querySelector("img");
  const canvas = document.createElement("canvas");
  canvas.width = data.width;
  canvas.height = data.height;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", first.alt);
  canvas.hidden = true;
  first.after(canvas);
  const places = data.controls.map((control) => control.start);
  const inputs = data.controls.map((control, number) => add(control, number));
  const strips = new Map();
  let wanted = -1;

  function add(control, number) {
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
      const chosen = control.kind === "box" ? Number(input.checked) : Number(input.value);
      move(new Map([[number, chosen]]));
    });
    label.append(words, input, ...(control.kind === "slider" ? [value] : []));
    let form = box.querySelector(".explorer-controls");
    if (!form) {
      form = document.createElement("div");
      form.className = "explorer-controls";
      first.before(form);
    }
    form.append(label);
    return { input, value };
  }

  function move(changes) {
    const one = changes.keys().next().value;
    places.forEach((_, number) => {
      if (changes.has(number)) places[number] = changes.get(number);
      else if (!data.grid) places[number] = data.controls[number].start;
    });
    show();
    draw(index(one));
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
  }

  // the number of the picture: in a grid the first control changes fastest; else each control has its own row
  function index(moved) {
    const sizes = data.controls.map((control) => control.shown.length);
    if (!data.grid) return sizes.slice(0, moved).reduce((a, b) => a + b, 0) + places[moved];
    return places.reduceRight((sum, place, number) => sum * sizes[number] + place, 0);
  }

  function strip(number) {
    if (!strips.has(number)) {
      const image = new Image();
      image.src = `frames/${data.name}-${number}.webp`;
      strips.set(number, image);
    }
    return strips.get(number);
  }

  function draw(picture) {
    wanted = picture;
    const image = strip(Math.floor(picture / data.per_strip));
    const paint = () => {
      if (wanted !== picture) return; // the control has moved on while the strip was loading
      const top = (picture % data.per_strip) * data.height;
      canvas.getContext("2d").drawImage(image, 0, top, data.width, data.height, 0, 0, data.width, data.height);
      canvas.hidden = false;
      first.hidden = true;
      box.dataset.picture = picture;
    };
    if (image.complete && image.naturalWidth) paint();
    else image.decode().then(paint, () => {});
  }

  function press(event) {
    if (!(event.buttons & 1)) return;
    const target = event.currentTarget.getBoundingClientRect();
    const [left, top, width, height] = data.mouse.box;
    const column = Math.floor((((event.clientX - target.left) / target.width - left) / width) * data.mouse.columns);
    const row = Math.floor((((event.clientY - target.top) / target.height - top) / height) * data.mouse.rows);
    if (column < 0 || row < 0 || column >= data.mouse.columns || row >= data.mouse.rows) return;
    event.preventDefault();
    const chosen = data.mouse.places[row * data.mouse.columns + column];
    move(new Map(data.mouse.moves.map((number, place) => [number, chosen[place]])));
  }

  if (data.mouse) {
    for (const picture of [first, canvas]) {
      picture.classList.add("explorer-mouse");
      picture.draggable = false;
      picture.addEventListener("pointerdown", press);
      picture.addEventListener("pointermove", press);
    }
  }
  show();
  // all strips are loaded when the reader comes near, the one of the first picture first
  const near = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    near.disconnect();
    for (let number = 0; number < data.strips; number++) strip(number);
  }, { rootMargin: "600px" });
  near.observe(box);
}

document.querySelectorAll(".explorer").forEach(build);
