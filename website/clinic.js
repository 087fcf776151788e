"use strict";
// Brings the clinic to life: its patients were trained when the site was built. See clinics.py.

function buildClinic(box) {
  const data = JSON.parse(box.querySelector("script").textContent);
  const picture = box.querySelector("img");
  const solved = new Set();
  const form = document.createElement("form");
  const patient = list(data.patients.map((each, number) => [number, each.name]), data.labels[0]);
  const diagnosis = list(data.causes, data.labels[1]);
  const button = document.createElement("button");
  button.textContent = data.button;
  const count = document.createElement("span");
  const said = document.createElement("p");
  said.setAttribute("role", "status");
  form.append(patient, diagnosis, button, count);
  picture.before(form, said);
  admit();

  function list(options, label) {
    const made = document.createElement("select");
    options.forEach(([value, words]) => made.add(new Option(words, value)));
    made.setAttribute("aria-label", label);
    made.autocomplete = "off";
    return made;
  }

  function admit() {
    const { picture: file, alt } = data.patients[patient.value];
    picture.src = `frames/${file}`;
    picture.alt = alt;
    diagnosis.value = "";
    said.textContent = "";
    count.textContent = data.count.replace(/^\d+/, solved.size);
  }

  patient.addEventListener("input", admit);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const shown = data.patients[patient.value];
    said.textContent = shown.said[diagnosis.value];
    if (diagnosis.value === shown.right) solved.add(patient.value);
    count.textContent = data.count.replace(/^\d+/, solved.size);
  });
}

document.querySelectorAll(".clinic").forEach(buildClinic);
