// Plays pictures that the kernel sends ahead of time, so that a film does not wait for training. Each has its words.
function render({ model, el }) {
  const image = el.appendChild(document.createElement("img"));
  const caption = el.appendChild(document.createElement("div"));
  el.classList.add("pglesson-film");
  const queue = [];
  let timer = 0;

  function display(bytes, words) {
    const last = image.src;
    image.src = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
    if (last) URL.revokeObjectURL(last);
    image.alt = "the agent in its task: " + words;
    caption.textContent = words;
  }
  function next() {
    timer = 0;
    const frame = queue.shift();
    if (!frame) return;
    display(frame.bytes, frame.words);
    timer = setTimeout(next, frame.hold);
  }
  function still() {
    image.style.visibility = model.get("still")?.byteLength ? "visible" : "hidden";
    if (model.get("still")?.byteLength) display(model.get("still"), model.get("words"));
  }
  function say() {
    caption.textContent = model.get("words");
  }
  function received({ frames, clear }, buffers) {
    if (clear) {
      queue.length = 0;
      clearTimeout(timer);
      timer = 0;
    }
    frames?.forEach(({ words, hold }, index) => queue.push({ words, hold, bytes: buffers[index] }));
    if (frames) image.style.visibility = "visible";
    if (!timer) next();
  }
  const handlers = { "change:still": still, "change:words": say, "msg:custom": received };
  Object.entries(handlers).forEach(([event, handle]) => model.on(event, handle));
  still();
  say();
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
    model.set("reduced_motion", true);
    model.save_changes();
  }
  return () => {
    clearTimeout(timer);
    Object.entries(handlers).forEach(([event, handle]) => model.off(event, handle));
  };
}

export default { render };
