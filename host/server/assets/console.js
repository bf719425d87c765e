// Keeps the session's proof, and sends it along with what a person decides, once for each click.
//
// Browsers send cookies to every port of a host's name, but keep localStorage for one origin, port
// included. So another server on this machine may see the session's cookie, and never its proof.
"use strict";

(() => {
  const KEY = "countersign-proof";
  const BACK = "countersign-back";
  const WITHOUT_PROOF = ["/console/sign-in", "/console/sign-out"];

  // A browser that blocks storage throws.
  const kept = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  };

  const forget = () => {
    try {
      localStorage.removeItem(KEY);
      sessionStorage.removeItem(BACK);
    } catch {
      // Then nothing was kept.
    }
  };

  const show = (id) => {
    const message = document.getElementById(id);
    message.hidden = false;
    message.focus();
  };

  const address = (form) => new URL(form.getAttribute("action") ?? "", location.href);

  // Only a session of the host's own login has a proof; such pages say so.
  const needsProof = (form) =>
    "signs" in document.body.dataset &&
    form.getAttribute("method") === "post" &&
    address(form).origin === location.origin &&
    !WITHOUT_PROOF.includes(address(form).pathname);

  // The second click of a double click would be sent as well, and only its answer be seen: of two keys one
  // would be lost, and of a link that works once the signing key.
  const AGAIN = 5000;
  let sent = -Infinity;
  window.addEventListener("pageshow", () => (sent = -Infinity));

  document.addEventListener("submit", (event) => {
    // What finishes a request uses it up, whichever its method is.
    if (event.target.getAttribute("method") !== "post" && !event.target.matches(".finish")) {
      return;
    }
    if (event.timeStamp - sent < AGAIN) {
      event.preventDefault();
      return;
    }
    if (needsProof(event.target) && kept() === null) {
      event.preventDefault();
      show("unsigned");
      return;
    }
    sent = event.timeStamp;
    if (address(event.target).pathname === "/console/sign-out") {
      forget();
    }
  });

  // Into what is sent, and never into the page.
  document.addEventListener("formdata", (event) => {
    if (needsProof(event.target)) {
      event.formData.set("proof", kept() ?? "");
    }
  });

  // Where whoever has to sign in first came from: a link opened in this window knows nothing of it.
  const asking = document.querySelector("[data-back]");
  if (asking !== null) {
    try {
      sessionStorage.setItem(BACK, asking.getAttribute("href"));
    } catch {
      // Then the inbox is where they begin.
    }
  }

  const home = () => {
    const back = new URL(sessionStorage.getItem(BACK) ?? "/console", location.origin);
    sessionStorage.removeItem(BACK);
    return back.origin === location.origin && back.pathname.startsWith("/console/")
      ? back.pathname + back.search
      : "/console";
  };

  const given = document.querySelector("[data-proof]");
  if (given !== null) {
    try {
      localStorage.setItem(KEY, given.dataset.proof);
      location.replace(home());
    } catch {
      show("unstored");
    }
  }
})();
