"use strict";
// What screen readers and keyboards need and the theme leaves out.

document.querySelector(".sidebar-drawer")?.setAttribute("aria-label", "The lesson's pages");

// code wider than the page is scrolled by keyboard; its width is known once it is shown
function reach(part) {
  for (const code of part.querySelectorAll("pre")) {
    if (code.scrollWidth > code.clientWidth) code.tabIndex = 0;
  }
}

reach(document);
document.querySelectorAll("details").forEach((each) => each.addEventListener("toggle", () => reach(each)));
