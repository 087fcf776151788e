// A picture with its description. Where the mouse presses or drags is sent to the kernel, as shares of width and height.
function render({ model, el }) {
  const canvas = el.appendChild(document.createElement("canvas"));
  canvas.className = "pglesson-frame";
  canvas.setAttribute("role", "img");
  const context = canvas.getContext("2d", { alpha: false });
  let presses = 0, latest = 0, resting;

  async function show() { // an <img> would fetch the picture from its URL: three times as slow
    const bytes = model.get("value"), number = ++latest;
    if (!bytes?.byteLength) return;
    const picture = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    if (number !== latest) return; // decoded after one that came later
    Object.assign(canvas, { width: picture.width, height: picture.height });
    context.drawImage(picture, 0, 0);
    picture.close();
    rest();
  }
  function rest() { // where a screen shows more pixels than were drawn, a picture that stays is drawn finer
    clearTimeout(resting);
    resting = setTimeout(() => {
      const pixels = Math.min(canvas.clientWidth * devicePixelRatio, 3 * model.get("width"));
      if (canvas.isConnected && pixels > 1.1 * canvas.width) model.send({ pixels });
    }, 400);
  }
  function describe() {
    canvas.ariaLabel = model.get("alt");
    canvas.style.width = `${model.get("width")}px`;
  }
  function point(event) {
    if (!model.get("listens") || !(event.buttons & 1)) return;
    const box = canvas.getBoundingClientRect();
    if (event.type === "pointerdown") {
      presses += 1;
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
    }
    model.set("pointer", [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height, presses]);
    model.save_changes(); // while the kernel draws, the widget manager keeps the last of several moves and drops the rest
  }
  canvas.addEventListener("pointerdown", point);
  canvas.addEventListener("pointermove", point);
  if (model.get("listens")) canvas.style.touchAction = "none";
  const handlers = { "change:value": show, "change:alt": describe, "change:width": describe };
  Object.entries(handlers).forEach(([event, handle]) => model.on(event, handle));
  addEventListener("resize", rest); // also when the page is zoomed
  describe();
  show();
  return () => {
    Object.entries(handlers).forEach(([event, handle]) => model.off(event, handle));
    removeEventListener("resize", rest);
    clearTimeout(resting);
    latest += 1;
  };
}

export default { render };
