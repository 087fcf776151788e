"use strict";
// Checks numbers and choices in the page, as pglesson/exercises/judges.py does in the notebook.

const near = (a, b, relative) => Math.abs(a - b) <= Math.max(relative * Math.max(Math.abs(a), Math.abs(b)), 1e-7);

// also of texts such as "15 updates", "about 60", "3/5" and "60 %"
function readNumber(text) {
  const found = text.trim().toLowerCase().match(/^(?:about|=|≈|~)? *([-+.\de]+)(?: *\/ *(\d+))? *(%?)[a-z ]*$/);
  if (!found || (found[2] && (!/^[-+]?\d+$/.test(found[1]) || Number(found[2]) === 0))) return NaN;
  return Number(found[1]) / Number(found[2] ?? 1) / (found[3] ? 100 : 1);
}

function isRounded(value, number) {
  const digits = String(number).split("e")[0].replace(".", "").replace(/^[-0]+/, "").length;
  if (digits < 2) return false;
  let rounded = value.toExponential(digits - 1);
  const rest = value.toExponential(60).split("e")[0].replace("-", "").slice(digits + 1);
  const isOdd = Number(rounded.split("e")[0].slice(-1)) % 2 === 1;
  if (/^50*$/.test(rest) && isOdd) rounded = (value * (1 - 1e-15)).toExponential(digits - 1); // half-way: to even
  return rounded === number.toExponential(digits - 1);
}

function judgeNumber({ right, tolerance, near: close, mistakes, otherwise }, text) {
  if (/^\s*[-+]?\d+,\d+\s*$/.test(text)) {
    return `answer is ${text.trim()}, but must be one number. A decimal point is meant: ${text.trim().replace(",", ".")}`;
  }
  const number = readNumber(text);
  if (Number.isNaN(number)) return `answer is "${text}", but must be one number.`;
  if (near(number, right, tolerance)) return null;
  if (isRounded(right, number) && !mistakes.some(([value]) => near(number, value, close))) return null;
  const known = mistakes.filter(([value]) => near(number, value, close) || isRounded(value, number));
  if (known.length) {
    known.sort(([a], [b]) => Math.abs(a - number) - Math.abs(b - number));
    return known[0][1];
  }
  if (Math.abs(right) > 0 && Math.abs(right) < 1 && near(number, 100 * right, tolerance)) {
    return "this is the number in percent. Give the fraction: a hundredth of it.";
  }
  if (right && near(number, right, Math.min(5 * tolerance, 0.1))) {
    const percent = Number((100 * tolerance).toPrecision(6));
    return `this is near, but the answer has to be right to ${percent} %. Compute it again, or give more digits.`;
  }
  return otherwise;
}

function buildExercise(box) {
  const data = JSON.parse(box.querySelector("script").textContent);
  if (!data.number && !data.choice) return;
  const form = document.createElement("form");
  const label = document.createElement("label");
  label.textContent = "Your answer ";
  let input;
  if (data.choice) {
    input = document.createElement("select");
    input.add(new Option("choose", ""));
    const words = [data.choice.right, ...Object.keys(data.choice.reasons)].sort();
    words.forEach((word) => input.add(new Option(word, word)));
  } else {
    input = document.createElement("input");
    input.inputMode = "decimal";
    input.size = 12;
  }
  input.autocomplete = "off";
  const button = document.createElement("button");
  button.textContent = "Check";
  const said = document.createElement("p");
  said.setAttribute("role", "status");
  label.append(input);
  form.append(label, button, said);
  box.prepend(form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.value.trim() === "") {
      say("not-attempted", "Not attempted: ", "give an answer first.");
      return;
    }
    const wrong = data.number
      ? judgeNumber(data.number, input.value)
      : input.value === data.choice.right ? null : data.choice.reasons[input.value];
    if (wrong === null) say("right", "Right: ", data.why);
    else say("wrong", "Not yet: ", wrong);
  });

  function say(kind, title, words) {
    const bold = document.createElement("b");
    bold.textContent = title;
    said.className = kind;
    said.replaceChildren(bold, words);
  }
}

document.querySelectorAll(".exercise").forEach(buildExercise);
