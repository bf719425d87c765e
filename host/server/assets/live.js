// Keeps a page current: what happens to approvals is told by the host, and the page is fetched and drawn anew.
//
// Parts that change are marked `data-part` and known by their id. Nothing that a person typed is lost: a form
// that holds words of theirs stays as it is, and can no longer be sent where what it was about has moved.
"use strict";

(() => {
  const news = document.querySelector("[data-follows]");
  if (news === null) {
    return;
  }
  // An approval's id, or nothing: all of them.
  const followed = news.dataset.follows;
  // Looks no closer together, so that a burst of events is one of them.
  const APART = 1000;
  // Where no stream can be had: four are open already, or something between cuts them.
  const RETRY = 15000;
  // What a page says of distances in time goes stale by itself.
  const STALE = 60000;

  let busy = false;
  let again = false;
  let due = null;
  let last = 0;
  let stopped = false;

  const say = (words, lead) => {
    const paragraph = document.createElement("p");
    paragraph.className = "notice";
    paragraph.textContent = words;
    if (lead !== undefined) {
      const link = document.createElement("a");
      link.href = location.href;
      link.textContent = lead;
      paragraph.append(" ", link);
    }
    news.replaceChildren(paragraph);
  };

  const said = (page) => page.querySelector("[data-news]")?.dataset.news;

  const isTypedIn = (part) =>
    [...part.querySelectorAll("textarea, input:not([type=hidden])")].some((field) => field.value !== field.defaultValue);

  // What has the focus, as it can be found again in what replaces it.
  const place = (part) => {
    const focused = document.activeElement;
    if (focused === null || !part.contains(focused)) {
      return null;
    }
    const href = focused.getAttribute("href");
    const fold = focused.localName === "summary" ? focused.parentElement.id : "";
    return () => {
      const found =
        fold === ""
          ? [...document.querySelectorAll("main a[href]")].find((link) => link.getAttribute("href") === href)
          : document.getElementById(fold)?.querySelector("summary");
      (found ?? document.getElementById("content")).focus({ preventScroll: true });
    };
  };

  const swap = (part, fresh) => {
    const back = place(part);
    for (const open of part.querySelectorAll("details[open][id]")) {
      fresh?.querySelector(`#${CSS.escape(open.id)}`)?.setAttribute("open", "");
    }
    part.replaceWith(document.adoptNode(fresh));
    back?.();
  };

  const draw = (page) => {
    const words = said(page);
    const hasMoved = words !== said(document);
    let kept = false;
    for (const part of document.querySelectorAll("[data-part]")) {
      const fresh = page.getElementById(part.id);
      const waits = part.dataset.part === "form";
      if (fresh === null || (waits && !hasMoved)) {
        continue;
      }
      if (waits && isTypedIn(part)) {
        part.querySelectorAll("button").forEach((button) => (button.disabled = true));
        kept = true;
        continue;
      }
      swap(part, fresh);
    }
    document.title = page.title;
    if (hasMoved && kept) {
      say(`${words} What you typed was not sent, and is still below.`, "See the request as it stands now");
    } else if (hasMoved) {
      say(words);
    }
  };

  const look = async () => {
    due = null;
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    last = Date.now();
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (answer.status === 401 || answer.status === 403) {
        stopped = true;
        say("This page does not follow what happens any more: you are not signed in.", "Open it again");
      } else if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        // What stands before the host may answer with a page of its own, as for who has to sign in again.
        if (answer.redirected || said(page) === undefined) {
          stopped = true;
          say("This page does not follow what happens any more.", "Open it again");
        } else {
          draw(page);
        }
      }
    } catch {
      // The host cannot be reached: the stream comes back when it can, and with it the next look.
    }
    busy = false;
    if (again) {
      again = false;
      soon();
    }
  };

  const soon = () => {
    if (!stopped) {
      due ??= setTimeout(look, Math.max(100, last + APART - Date.now()));
    }
  };

  const follow = () => {
    if (stopped) {
      return;
    }
    const events = new EventSource("/events");
    // What happened between the page and the stream, or while that was down, is seen by looking.
    events.addEventListener("open", soon);
    events.addEventListener("approval", (event) => {
      if (followed === "" || JSON.parse(event.data).approval_id === followed) {
        soon();
      }
    });
    events.addEventListener("error", () => {
      if (events.readyState === EventSource.CLOSED) {
        soon();
        setTimeout(follow, RETRY);
      }
    });
  };

  follow();
  setInterval(soon, STALE);
})();
