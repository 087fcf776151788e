// A slider with its value to type beside it, or a list. The kernel has the values; here are their words.
function make(tag, properties, parent) {
  return parent.appendChild(Object.assign(document.createElement(tag), properties));
}

function render({ model, el }) {
  const id = `control-${Math.random().toString(36).slice(2)}`;
  const tooltip = model.get("tooltip") ?? "";
  el.classList.add("pglesson-control");
  el.title = tooltip;
  const label = make("label", { htmlFor: id }, el);
  const slider = model.get("kind") === "slider";
  const main = make(slider ? "input" : "select", { id, title: tooltip }, el);
  const number = slider && make("input", { type: "text", className: "pglesson-number", title: "type a value, then Enter" }, el);
  if (slider) main.type = "range";
  main.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take the arrow keys to go to another cell

  function show() {
    const name = model.get("description"), words = model.get("words"), index = model.get("index");
    const note = model.get("note");
    label.replaceChildren(name);
    if (note) make("small", { textContent: note }, label);
    el.classList.toggle("pglesson-marked", Boolean(note));
    if (slider) {
      Object.assign(main, { min: 0, max: words.length - 1, step: 1, value: index, ariaValueText: words[index] });
      Object.assign(number, { value: words[index], ariaLabel: `${name}, typed` });
    } else {
      if (words.join("\n") !== [...main.options].map((option) => option.textContent).join("\n"))
        main.replaceChildren(...words.map((word) => new Option(word)));
      main.selectedIndex = index;
    }
  }

  main.addEventListener(slider ? "input" : "change", () => {
    model.set("index", slider ? Number(main.value) : main.selectedIndex);
    model.save_changes(); // while the kernel draws, the widget manager keeps the last of several moves and drops the rest
  });
  if (slider) {
    number.addEventListener("input", () => number.setCustomValidity(""));
    const commit = () => number.value !== model.get("words")[model.get("index")] && model.send({ typed: number.value });
    number.addEventListener("change", commit);
    number.addEventListener("keydown", (event) => event.key === "Enter" && commit()); // JupyterLab prevents the change
  }
  const answered = ({ refused }) => {
    show();
    if (refused) {
      number.setCustomValidity(refused);
      if (number === document.activeElement) number.reportValidity(); // it would take the focus from elsewhere
    }
  };
  const shown = ["words", "index", "description", "note"];
  shown.forEach((name) => model.on(`change:${name}`, show));
  model.on("msg:custom", answered);
  show();
  return () => {
    shown.forEach((name) => model.off(`change:${name}`, show));
    model.off("msg:custom", answered);
  };
}

export default { render };
