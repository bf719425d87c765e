// Copies a new key where the browser lets a page do so; elsewhere one click selects it.
"use strict";

(() => {
  const button = document.querySelector("button[data-copies]");
  if (button === null || navigator.clipboard === undefined) {
    return;
  }
  button.hidden = false;
  button.addEventListener("click", async () => {
    const said = document.getElementById("copied");
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
      said.textContent = "Copied.";
    } catch {
      said.textContent = "This browser does not let the page copy: select the key and copy it yourself.";
    }
  });
})();
