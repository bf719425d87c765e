// Waits for the decision about a request of this very page, and finishes it once people have approved it,
// unless something has to be typed again. It only repeats the form that the person sent from this tab:
// no address that somebody else could have them open does anything.
"use strict";

(() => {
  const form = document.querySelector("form[data-waits]");
  if (form === null) {
    return;
  }
  const PAUSE = 3000;
  const show = (id) => {
    for (const said of document.querySelectorAll("[data-said]")) {
      said.hidden = said.id !== id;
    }
  };
  const pause = () => new Promise((done) => setTimeout(done, PAUSE));

  // `undefined`: it cannot be told now. `null`: it will not be told to this session any more.
  const look = async () => {
    try {
      const answer = await fetch(`${form.dataset.waits}?wait=25`, { cache: "no-store" });
      if (answer.ok) {
        return (await answer.json()).status;
      }
      return [401, 403, 404].includes(answer.status) ? null : undefined;
    } catch {
      return undefined;
    }
  };

  const seen = () =>
    new Promise((done) => {
      const check = () => document.hidden || done();
      document.addEventListener("visibilitychange", check);
      check();
    });

  const alone = (use) =>
    navigator.locks === undefined ? use() : navigator.locks.request(form.dataset.waits, use);

  const use = async () => {
    let state = await look();
    while (state === undefined) {
      await pause();
      state = await look();
    }
    if (state === "approved") {
      form.requestSubmit();
      await new Promise(() => {});
    } else if (state === null) {
      show("said-lost");
    } else {
      location.replace(form.dataset.approval);
    }
  };

  const wait = async () => {
    for (;;) {
      const state = await look();
      if (state === "approved") {
        show("said-approved");
        if ("byItself" in form.dataset) {
          // Of several pages that wait for one approval, one that is looked at uses it, and holds the others back
          // until it has gone.
          await seen();
          await alone(use);
        } else {
          form.querySelector("textarea").focus();
        }
        return;
      }
      if (state === null) {
        show("said-lost");
        return;
      }
      if (state !== undefined && state !== "pending") {
        location.replace(form.dataset.approval);
        return;
      }
      if (state === undefined) {
        await pause();
      }
    }
  };

  show("said-waiting");
  wait();
})();
