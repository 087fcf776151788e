"use strict";
// What screen readers and keyboards need and the theme leaves out.

document.querySelector(".sidebar-drawer")?.setAttribute("aria-label", "The lesson's pages");

// what is wider than the page is scrolled by keyboard; its width is known once it is shown, with its fonts
function reach(part) {
  for (const wide of part.querySelectorAll("pre, .table-wrapper, div.math")) {
    if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
  }
}

reach(document);
document.querySelectorAll("details").forEach((each) => each.addEventListener("toggle", () => reach(each)));
addEventListener("load", () => document.fonts.ready.then(() => reach(document)));
