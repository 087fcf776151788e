"use strict";
// Plays the recorded runs of a page's dashboards, which were trained when the site was built. See recordings.py.
(() => {
  const lessMotion = matchMedia("(prefers-reduced-motion: reduce)");
  const HEIGHT = 260; // of a panel, in pixels
  const MARGIN = { left: 58, right: 14, top: 10, bottom: 42 };

  function element(name, properties = {}, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  function shape(name, attributes, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    made.append(...children);
    return made;
  }

  // --- numbers -------------------------------------------------------------------------------------------------------

  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

  function quantile(values, share) { // between neighbours, as NumPy does it
    const sorted = [...values].sort((a, b) => a - b);
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    return sorted[below] + (place - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
  }

  // mean and limits over the runs, update by update; null where nothing was measured
  function over(runs, limits) {
    return runs[0].map((_, place) => {
      const values = runs.map((run) => run[place]);
      return values.includes(null) ? null : [mean(values), ...limits(values)];
    });
  }

  const band = (values) => [quantile(values, 0.1), quantile(values, 0.9)];

  function interval(values, student) { // of the mean, by Student's t
    if (student === null) return [values[0], values[0]];
    const middle = mean(values);
    const variance = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
    const half = student * Math.sqrt(variance / values.length);
    return [middle - half, middle + half];
  }

  function write(value, digits, sign = "") { // with a minus sign, but none before a zero
    const text = Math.abs(value).toFixed(digits);
    return (Number(text) === 0 ? "" : value < 0 ? "\u2212" : sign) + text;
  }

  function digitsFor(values) { // as in_numbers in recordings.py
    const largest = Math.max(...values.map(Math.abs));
    return largest >= 100 ? 0 : largest >= 10 ? 1 : 2;
  }

  function ticks(low, high, log, most) {
    if (log) {
      const powers = [];
      for (let power = Math.ceil(Math.log10(low)); power <= Math.log10(high); power++) powers.push(10 ** power);
      return powers;
    }
    const rough = (high - low) / most;
    const power = 10 ** Math.floor(Math.log10(rough));
    const apart = [1, 2, 5, 10].map((step) => step * power).find((step) => step >= rough);
    const found = [];
    for (let step = Math.ceil(low / apart); step * apart <= high; step++) found.push(Number((step * apart).toPrecision(6)));
    return found;
  }

  function limitsOf(values) { // as round_limits in plots.py: zero, and a grid of 1, 2 or 5 times a power of ten
    const low = Math.min(0, ...values);
    const high = Math.max(0, ...values);
    const half = Math.max(high - low, 0.01) / 2;
    const power = 10 ** Math.floor(Math.log10(half));
    const grid = [1, 2, 5, 10].map((step) => step * power).find((step) => step >= half);
    const bottom = Math.floor(low / grid) * grid;
    const top = Math.max(Math.ceil(high / grid), Math.floor(low / grid) + 1) * grid;
    return [bottom - 0.03 * (top - bottom), top + 0.03 * (top - bottom)];
  }

  // --- a panel -------------------------------------------------------------------------------------------------------

  // curves: {color, dashes, points: [mean, low, high] or null for each update, runs: faint lines, or none}
  function makePanel() {
    const title = element("b");
    const legend = element("span", { className: "recording-legend" });
    const picture = shape("svg", { role: "img", height: HEIGHT });
    const box = element("div", { className: "recording-panel" }, element("p", {}, title, legend), picture);
    let clip, dots, placeOf;

    function draw({ words, keys, x, y, episodes, horizon, limits, log, curves, moves }) {
      title.textContent = words;
      legend.replaceChildren(...keys.map(key));
      const width = Math.max(box.clientWidth, 200);
      const right = width - MARGIN.right;
      const bottom = HEIGHT - MARGIN.bottom;
      const [low, high] = log ? limits.map(Math.log10) : limits;
      placeOf = (episode) => MARGIN.left + (episode / horizon) * (right - MARGIN.left);
      const heightOf = (value) => {
        const share = ((log ? Math.log10(Math.max(value, limits[0])) : value) - low) / (high - low);
        return bottom - share * (bottom - MARGIN.top);
      };
      picture.setAttribute("width", width);
      picture.setAttribute("aria-label", `${words}: ${y} against ${x}`);
      const parts = [];
      for (const tick of ticks(...limits, log, 5)) {
        const at = heightOf(tick);
        parts.push(shape("line", { class: "grid", x1: MARGIN.left, x2: right, y1: at, y2: at }));
        parts.push(shape("text", { x: MARGIN.left - 6, y: at + 4, "text-anchor": "end" }, log ? power(tick) : axisNumber(tick)));
      }
      for (const tick of ticks(0, horizon, false, width > 350 ? 5 : 3)) {
        const at = placeOf(tick);
        parts.push(shape("line", { class: "grid", x1: at, x2: at, y1: MARGIN.top, y2: bottom }));
        parts.push(shape("text", { x: at, y: bottom + 16, "text-anchor": "middle" }, String(tick)));
      }
      parts.push(shape("path", { class: "axis", d: `M${MARGIN.left},${MARGIN.top}V${bottom}H${right}` }));
      parts.push(shape("text", { x: (MARGIN.left + right) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, x));
      const middle = (MARGIN.top + bottom) / 2;
      parts.push(shape("text", { transform: `translate(13 ${middle}) rotate(-90)`, "text-anchor": "middle" }, y));

      const line = (points) => {
        let path = "";
        let open = false;
        points.forEach((value, place) => {
          if (value !== null) path += `${open ? "L" : "M"}${placeOf(episodes[place]).toFixed(1)},${heightOf(value).toFixed(1)}`;
          open = value !== null;
        });
        return path;
      };
      const id = `recording-${makePanel.made = (makePanel.made ?? 0) + 1}`;
      clip = shape("rect", { x: 0, y: 0, width: 0, height: HEIGHT });
      const shown = shape("g", { "clip-path": `url(#${id})` });
      if (limits[0] < 0 && limits[1] > 0 && !log) {
        parts.push(shape("line", { class: "zero", x1: MARGIN.left, x2: right, y1: heightOf(0), y2: heightOf(0) }));
      }
      moves.forEach(({ at, color }, number) => {
        const place = placeOf(at);
        shown.append(shape("line", { x1: place, x2: place, y1: MARGIN.top, y2: bottom, stroke: color, class: "move" }));
        shown.append(shape("circle", { cx: place, cy: bottom, r: 8, fill: color }));
        shown.append(shape("text", { x: place, y: bottom + 4, class: "number", "text-anchor": "middle" }, String(number + 1)));
      });
      for (const { color, points, runs = [] } of curves) {
        const area = points.map((each, place) => each && [place, each]).filter(Boolean);
        const edge = (list, side) => list.map(([place, each]) => `${placeOf(episodes[place]).toFixed(1)},${heightOf(each[side]).toFixed(1)}`);
        if (area.length) {
          const around = [...edge(area, 1), ...edge([...area].reverse(), 2)].join(" ");
          shown.append(shape("polygon", { points: around, fill: color, "fill-opacity": 0.2 }));
        }
        runs.forEach((run) => shown.append(shape("path", { d: line(run), stroke: color, class: "run" })));
      }
      for (const { color, points, dashes = "none" } of curves) {
        const d = line(points.map((each) => each && each[0]));
        shown.append(shape("path", { d, stroke: color, class: "mean", "stroke-dasharray": dashes }));
      }
      dots = curves.map(({ color, points }) => {
        const dot = shape("circle", { r: 4, fill: color, visibility: "hidden" });
        return (place) => {
          const point = place < 0 ? null : points[place];
          dot.setAttribute("visibility", point ? "visible" : "hidden");
          if (point) {
            dot.setAttribute("cx", placeOf(episodes[place]));
            dot.setAttribute("cy", heightOf(point[0]));
          }
          return dot;
        };
      });
      picture.replaceChildren(
        shape("clipPath", { id }, clip), ...parts, shown, ...dots.map((move) => move(-1)),
      );
    }

    // shows the curves until the update at this place, or nothing for -1
    function reveal(place, episode) {
      clip.setAttribute("width", place < 0 ? 0 : placeOf(episode) + 0.5);
      dots.forEach((move) => move(place));
    }

    return { box, draw, reveal, say: (words) => { title.textContent = words; } };
  }

  const axisNumber = (value) => String(value).replace("-", "\u2212");

  function power(value) { // 0.001 as 10⁻³
    const digits = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
    return `10${[...String(Math.round(Math.log10(value)))].map((digit) => digits[digit]).join("")}`;
  }

  function key({ color, dashes = "none", area, words }) {
    const look = area
      ? shape("rect", { width: 22, height: 10, fill: color, "fill-opacity": 0.2 })
      : shape("line", { x2: 22, y1: 5, y2: 5, stroke: color, "stroke-width": 2.5, "stroke-dasharray": dashes });
    const swatch = shape("svg", { width: 22, height: 10, "aria-hidden": "true" }, look);
    return element("span", {}, swatch, ` ${words}`);
  }

  // --- a film --------------------------------------------------------------------------------------------------------

  function makeFilm({ frame, last }) {
    const canvas = element("canvas", { width: 300, height: 200 });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "the agent in its task");
    const caption = element("p");
    const box = element("div", { className: "recording-film" }, canvas, caption);
    const images = new Map();
    let agents = [];
    let agent = null;
    let clock = 0;
    let who = "";
    let drawn = null;

    const agentAt = (update) => agents.filter((each) => each.update <= update).at(-1) ?? null;

    function load(each) {
      if (!images.has(each.file)) {
        const image = new Image();
        image.src = `frames/${each.file}`;
        images.set(each.file, image);
      }
      return images.get(each.file);
    }

    function show(number, words = null) {
      if (!agent) return;
      const image = load(agent);
      const shown = agent;
      const said = who + (words ?? agent.words[number]);
      drawn = [agent, number];
      if (caption.textContent !== said) caption.textContent = said;
      const paint = () => {
        if (drawn[0] !== shown || drawn[1] !== number) return; // another one has been asked for since
        Object.assign(canvas, { width: shown.width, height: shown.height });
        canvas.getContext("2d").drawImage(
          image, 0, number * shown.height, shown.width, shown.height, 0, 0, shown.width, shown.height,
        );
        box.dataset.frame = `${shown.update} ${number}`;
      };
      if (image.complete && image.naturalWidth) paint();
      else image.decode().then(paint, () => {});
    }

    return {
      box,
      take(films, name) { // the agents of one recording
        [agents, who, agent, clock] = [films, name, films[0] ?? null, 0];
        box.hidden = !films.length;
        show(0, "Here an agent plays.");
      },
      jump(update) { // to the end of the episode that this moment's agent plays
        agent = agentAt(update);
        clock = Infinity;
        if (update) show((agent?.words.length ?? 0) - 1);
        else show(0, "Here an agent plays.");
      },
      // plays on; returns whether there is more to come of what began before the end of the training
      advance(seconds, update, ended) {
        if (!agent) return false;
        agents.forEach(load);
        clock += seconds;
        const frames = agent.words.length;
        if (clock >= (frames - 1) * frame + last) {
          const next = agentAt(update);
          if (ended && next === agent) return false;
          [agent, clock] = [next, 0];
        }
        show(Math.min(Math.floor(clock / frame), agent.words.length - 1));
        return true;
      },
    };
  }

  // --- the recordings of one dashboard -------------------------------------------------------------------------------

  function build(box) {
    const data = JSON.parse(box.querySelector("script").textContent);
    const total = data.updates.at(-1);
    const horizon = total * data.episodes;
    const episodes = data.updates.map((update) => update * data.episodes);
    const state = { a: 0, b: -1, at: 0, playing: false, ending: false };
    let numbers = null;
    let before = 0;
    let shown = null; // the curves of A and B, and their difference
    let revealed = {};

    const left = makePanel();
    const right = makePanel();
    const films = { a: makeFilm(data.film), b: makeFilm(data.film) };
    const readout = element("p", { className: "recording-readout" });
    const moved = element("p", { className: "recording-moves" });
    const status = element("p", { className: "recording-status" });
    status.setAttribute("role", "status");

    const choices = element("fieldset", {}, element("legend", { textContent: "Setting" }));
    const group = `${data.name}-setting`;
    data.settings.forEach(({ words }, number) => {
      const radio = element("input", { type: "radio", name: group, value: number, checked: !number, autocomplete: "off" });
      radio.addEventListener("change", () => choose({ a: number }));
      choices.append(element("label", {}, radio, ` ${words}`));
    });
    const other = element("select", { autocomplete: "off" }, new Option("nothing", -1));
    data.settings.forEach(({ words }, number) => other.add(new Option(words, number)));
    other.addEventListener("change", () => choose({ b: Number(other.value) }));
    const start = element("button", { type: "button", textContent: "Start" });
    start.addEventListener("click", () => (state.playing ? pause() : play()));
    const reset = element("button", { type: "button", textContent: "Reset" });
    reset.addEventListener("click", () => { pause(); seek(0); });
    const speed = element("select", { autocomplete: "off" });
    [0.25, 0.5, 1, 2, 4].forEach((times) => speed.add(new Option(`${times}×`, times, times === 1, times === 1)));
    const slider = element("input", { type: "range", min: 0, max: total, step: 1, value: 0, autocomplete: "off" });
    slider.addEventListener("input", () => { pause(); seek(Number(slider.value)); });
    const count = element("output");
    box.querySelector(".live-note").after(
      choices,
      element("div", { className: "recording-controls" },
        element("label", { className: "recording-other" }, "Compare with ", other), start, reset, element("label", {}, "Speed ", speed)),
      element("label", { className: "recording-slider" }, "Update ", slider, count),
      status,
      element("div", { className: "recording-row" }, left.box, right.box),
      moved,
      element("div", { className: "recording-row" }, films.a.box, films.b.box, readout),
    );

    // what is chosen begins at its start again, so that nobody sees the end before it was pressed
    function choose(change) {
      pause();
      Object.assign(state, change);
      if (state.b === state.a) state.b = -1;
      other.value = state.b;
      [...other.options].forEach((option) => { option.disabled = Number(option.value) === state.a; });
      draw();
      takeFilms();
      seek(0);
    }

    const chosen = () => (state.b < 0 ? [state.a] : [state.a, state.b]);

    function takeFilms() {
      if (!numbers) return;
      films.a.take(numbers[state.a].films, state.b < 0 ? "" : "A. ");
      films.b.take(state.b < 0 ? [] : numbers[state.b].films, "B. ");
    }

    // limits that hold the chosen recordings, panel by panel
    function limits(panel) {
      const all = chosen().map((number) => data.settings[number].limits[panel]);
      return [Math.min(...all.map(([low]) => low)), Math.max(...all.map(([, high]) => high))];
    }

    function draw() {
      const two = state.b >= 0;
      const [first, second] = [data.settings[state.a], data.settings[state.b]];
      const many = data.runs > 1;
      const colors = [data.plots[0].color, data.rival.color];
      const dashes = ["none", "10 3"];
      const names = [many ? `mean of ${data.runs} runs, seed ${first.seed}` : `one run, seed ${first.seed}`];
      const keys = [{ color: colors[0], words: two ? `A: ${names[0]}` : names[0] }];
      if (two) {
        const from = second.seed === first.seed ? "from the same seed" : `seed ${second.seed}`;
        keys.push({ color: colors[1], dashes: dashes[1], words: `B: ${from}` });
      } else if (many) keys.push({ color: colors[0], area: true, words: "middle 80 % of them" });
      const moves = chosen().flatMap((number, side) =>
        data.settings[number].moves.map(([at, words]) => ({
          at, color: data.move, words: (two ? `${"AB"[side]}: ` : "") + words.join(", "),
        })));
      moves.sort((one, another) => one.at - another.at);
      const curves = (panel) => !numbers ? [] : chosen().map((number, side) => {
        const runs = numbers[number].series[panel];
        const faint = many && !side ? runs : [];
        return { color: panel ? data.plots[panel].color : colors[side], dashes: dashes[side], points: over(runs, band), runs: faint };
      });
      const common = { episodes, horizon };
      shown = { moves, left: curves(0), right: [], difference: null };
      left.draw({
        ...common, ...data.plots[0], words: two ? data.rival.title : data.plots[0].title, keys, moves,
        x: "episodes played by a run", limits: limits(0), curves: shown.left,
      });
      if (two) {
        if (numbers) {
          const [a, b] = chosen().map((number) => numbers[number].series[0]);
          const apart = b.map((run, place) => run.map((value, update) => value - a[place][update]));
          shown.difference = over(apart, (values) => interval(values, data.quantile));
          shown.right = [{ color: "currentColor", points: shown.difference }];
        }
        const range = limitsOf(shown.difference?.flatMap(([, low, high]) => [low, high]) ?? [-1, 1]);
        right.draw({
          ...common, y: data.rival.y, words: "B minus A", keys: [], moves: [], x: "episodes", limits: range, log: false,
          curves: shown.right,
        });
      } else {
        shown.right = curves(1);
        right.draw({ ...common, ...data.plots[1], words: data.plots[1].title, keys: [], moves: [], x: "episodes", limits: limits(1), curves: shown.right });
      }
      reveal();
    }

    // shows the moment at which the recording is; while it plays, most frames of the screen show what the last one did
    function reveal() {
      const update = Math.floor(state.at);
      if (revealed.update === update && revealed.shown === shown) return;
      revealed = { update, shown };
      const place = data.updates.filter((kept) => kept <= update).length - 1;
      left.reveal(numbers ? place : -1, episodes[place]);
      right.reveal(numbers ? place : -1, episodes[place]);
      slider.value = update;
      count.textContent = `${update} of ${total}`;
      const reached = shown.moves.filter(({ at }) => place >= 0 && at <= episodes[place]);
      moved.replaceChildren(...reached.map(({ words }, number) => element("span", {}, `${number + 1}  ${words}`)));
      const words = numbers && place >= 0 ? describe(place) : "";
      readout.textContent = words;
      slider.setAttribute("aria-valuetext", `update ${update} of ${total}. ${words}`);
      if (state.b >= 0) right.say(numbers && place >= 0 ? difference(place) : "B minus A");
      box.dataset.update = update;
    }

    function difference(place) {
      const point = shown.difference[place];
      const digits = digitsFor(point);
      const [low, high] = point.slice(1).map((value) => write(value, digits));
      return `B minus A: ${write(point[0], digits, "+")}` + (data.runs > 1 ? ` [${low}, ${high}]` : "");
    }

    function describe(place) {
      const said = shown.left.map(({ points }, side) => {
        const digits = digitsFor(points[place]);
        const [middle, low, high] = points[place].map((value) => write(value, digits));
        const spread = data.runs > 1 ? `, middle 80 % of the runs from ${low} to ${high}` : "";
        return `${state.b < 0 ? "Return" : "AB"[side]}: ${middle}${spread}. `;
      }).join("");
      if (state.b >= 0) return `${said}${difference(place)}${data.runs > 1 ? ", with the 95 % interval of the mean difference, run by run" : ""}.`;
      const point = shown.right[0].points[place];
      const watched = data.plots[1].y[0].toUpperCase() + data.plots[1].y.slice(1);
      return point ? `${said}${watched}: ${axisNumber(Number(point[0].toPrecision(3)).toLocaleString("en"))}.` : said;
    }

    function seek(update) {
      state.at = update;
      films.a.jump(update);
      films.b.jump(update);
      reveal();
      status.textContent = update ? "" : "Press Start: nothing has been learned yet.";
    }

    function play() {
      if (!numbers) {
        status.textContent = "Loading the recording ...";
        load(play);
        return;
      }
      if (state.at >= total) seek(0);
      if (lessMotion.matches) {
        seek(total);
        status.textContent = `Your system asks for less motion, so this is the end. The slider shows any moment. ${readout.textContent}`;
        return;
      }
      state.playing = true;
      start.textContent = "Pause";
      status.textContent = "Playing what was recorded.";
      before = performance.now();
      if (state.at === 0) takeFilms();
      requestAnimationFrame(tick);
    }

    function pause() {
      if (!state.playing) return;
      halt();
      status.textContent = `Paused after update ${Math.floor(state.at)}. Start goes on from here.`;
    }

    function halt() {
      state.playing = false;
      start.textContent = "Start";
    }

    function tick(now) {
      if (!state.playing) return;
      const passed = Math.min((now - before) / 1000, 0.25); // a page in the background does not run ahead
      before = now;
      const ended = state.at >= total;
      if (!ended) {
        state.at = Math.min(total, state.at + (passed * Number(speed.value) * total) / data.seconds);
        reveal();
        if (state.at >= total) status.textContent = `Finished: ${total} updates. ${readout.textContent}`;
      }
      const more = [films.a, films.b].map((film) => film.advance(passed, state.at, ended));
      if (ended && !more.includes(true)) halt();
      else requestAnimationFrame(tick);
    }

    const waiting = [];
    function load(then) {
      if (then) waiting.push(then);
      if (load.asked) return;
      load.asked = true;
      const script = element("script", { src: `frames/${data.name}.js` });
      script.addEventListener("load", () => {
        numbers = window.recordings[data.name];
        takeFilms();
        draw();
        waiting.splice(0).forEach((each) => each());
      });
      script.addEventListener("error", () => { status.textContent = "The recording could not be loaded."; });
      document.head.append(script);
    }

    choose({});
    let width = box.clientWidth;
    new ResizeObserver(() => {
      if (box.clientWidth === width) return; // only its height has changed
      width = box.clientWidth;
      draw();
    }).observe(box);
    // the numbers and films are loaded when the reader comes near
    const near = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      near.disconnect();
      load();
    }, { rootMargin: "600px" });
    near.observe(box);
  }

  document.querySelectorAll(".recording").forEach(build);
})();
