// A picture with its description. Where the mouse presses or drags is sent to the kernel, as shares of width and height.
function render({ model, el }) {
  const image = el.appendChild(document.createElement("img"));
  image.className = "pglesson-frame";
  image.draggable = false;
  let presses = 0;

  function show() {
    const bytes = model.get("value"), last = image.src;
    if (!bytes?.byteLength) return;
    image.src = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
    if (last) URL.revokeObjectURL(last);
  }
  function describe() {
    image.alt = model.get("alt");
    image.style.width = `${model.get("width")}px`;
  }
  function point(event) {
    if (!model.get("listens") || !(event.buttons & 1)) return;
    const box = image.getBoundingClientRect();
    if (event.type === "pointerdown") {
      presses += 1;
      event.preventDefault();
      image.setPointerCapture(event.pointerId);
    }
    model.set("pointer", [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height, presses]);
    model.save_changes(); // while the kernel draws, the widget manager keeps the last of several moves and drops the rest
  }
  image.addEventListener("pointerdown", point);
  image.addEventListener("pointermove", point);
  if (model.get("listens")) image.style.touchAction = "none";
  const handlers = { "change:value": show, "change:alt": describe, "change:width": describe };
  Object.entries(handlers).forEach(([event, handle]) => model.on(event, handle));
  describe();
  show();
  return () => {
    Object.entries(handlers).forEach(([event, handle]) => model.off(event, handle));
    URL.revokeObjectURL(image.src);
  };
}

export default { render };
