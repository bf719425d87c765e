// Copies a new key where the browser lets a page do so; elsewhere one click selects it. And sees to it that
// neither reloading the page, nor coming back to it, mints another key or shows this one again.
"use strict";

(() => {
  // The page answers a form. Reloaded under an address of its own it is the list, and nothing is sent again.
  history.replaceState(null, "", "/console/keys");
  // Some browsers keep whole pages to come back to.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) {
      location.reload();
    }
  });

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
