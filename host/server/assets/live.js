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
  let stopped = true;
  let events = null;
  let retry = null;
  let pulse = null;
  let title = document.title;
  let isUnseen = false;

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

  // What a list holds, by id.
  const listed = (page) =>
    new Map([...page.querySelectorAll("[data-item]")].map((item) => [item.dataset.item, item.dataset]));

  const tell = (items, one, many) => {
    const what = [items.length, items[0]?.title];
    return items.length === 0 ? [] : [items.length === 1 ? one(...what) : many(...what)];
  };

  // What came, went and was signed. A count is the same where one came and another went.
  const changes = (page) => {
    const [before, after] = [listed(document), listed(page)];
    const items = [...after.values()];
    // Into a part that is not the last one moves what waited all along.
    const isLast = document.querySelector("[data-goes-on]") === null;
    const came = items.filter(({ item }) => isLast && !before.has(item));
    const went = [...before.values()].filter(({ item }) => !after.has(item));
    const signed = items.filter(({ item, signed }) => before.has(item) && before.get(item).signed !== signed);
    return [
      ...tell(came, (_, title) => `New: ${title}.`, (count) => `${count} are new.`),
      ...tell(went, (_, title) => `No longer waiting: ${title}.`, (count) => `${count} are no longer waiting.`),
      ...tell(signed, (_, title) => `Signed: ${title}, ${signed[0].signed}.`, (count) => `${count} were signed.`),
    ];
  };

  const retitle = () => {
    isUnseen &&= document.hidden;
    document.title = isUnseen ? `New: ${title}` : title;
  };

  const isTypedIn = (part) =>
    [...part.querySelectorAll("textarea, input:not([type=hidden])")].some((field) => field.value !== field.defaultValue);

  // What has the focus, as it can be found again in what replaces it.
  const place = (part) => {
    const focused = document.activeElement;
    if (focused === null || !part.contains(focused)) {
      return null;
    }
    const href = focused.getAttribute("href");
    const fold = focused.closest("details")?.id ?? "";
    // A button has no counterpart: what is in its place may do something else.
    const find = () => {
      if (href !== null) {
        return [...document.querySelectorAll("main a[href]")].find((link) => link.getAttribute("href") === href);
      }
      if (focused.id !== "") {
        return document.getElementById(focused.id);
      }
      return document.getElementById(fold)?.querySelector(focused.localName);
    };
    return () => {
      const found = find();
      (found ?? document.getElementById("content")).focus({ preventScroll: true });
    };
  };

  const swap = (part, fresh) => {
    const back = place(part);
    for (const fold of part.querySelectorAll("details[id]")) {
      fresh.querySelector(`#${CSS.escape(fold.id)}`)?.toggleAttribute("open", fold.open);
    }
    part.replaceWith(document.adoptNode(fresh));
    back?.();
  };

  const draw = (page) => {
    const told = changes(page);
    const words = [...told, said(page)].join(" ");
    const hasMoved = told.length > 0 || said(page) !== said(document);
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
    title = page.title;
    isUnseen ||= hasMoved;
    retitle();
    if (hasMoved && kept) {
      say(`${words} What you typed was not sent, and is still below.`, "See the request as it stands now");
    } else if (hasMoved) {
      say(words);
    }
  };

  // A click is a press and a release on one and the same thing: nothing is replaced between them.
  const HELD = 2000;
  let release = null;
  let held = Promise.resolve();
  document.addEventListener(
    "pointerdown",
    () => {
      release?.();
      held = new Promise((done) => (release = done));
      setTimeout(release, HELD);
    },
    true,
  );
  for (const end of ["click", "pointercancel"]) {
    document.addEventListener(end, () => setTimeout(() => release?.()), true);
  }

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
      if (stopped) {
        // Nobody wants to know any more.
      } else if (answer.status === 401 || answer.status === 403) {
        stop();
        say("This page does not follow what happens any more: you are not signed in.", "Open it again");
      } else if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        // What stands before the host may answer with a page of its own, as for who has to sign in again.
        if (answer.redirected || said(page) === undefined) {
          stop();
          say("This page does not follow what happens any more.", "Open it again");
        } else {
          let waited;
          do {
            waited = held;
            await waited;
          } while (waited !== held);
          if (!stopped) {
            draw(page);
          }
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
    events = new EventSource("/events");
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
        retry = setTimeout(follow, RETRY);
      }
    });
  };

  // The sentence that says whether the page keeps itself current, and the link that changes it.
  const note = document.querySelector("[data-keeps]");

  const show = () => {
    note.querySelector("[role=status]").textContent = stopped
      ? "This page stands still."
      : "This page keeps itself current.";
    note.querySelector("a").textContent = stopped ? "Keep it current" : "Stop that";
  };

  const stop = () => {
    stopped = true;
    events.close();
    [due, retry].forEach(clearTimeout);
    clearInterval(pulse);
    due = null;
    show();
  };

  const start = () => {
    stopped = false;
    follow();
    pulse = setInterval(soon, STALE);
  };

  // In place: what stands in a form stays.
  note.querySelector("a").addEventListener("click", (event) => {
    event.preventDefault();
    const here = new URL(location.href);
    if (stopped) {
      here.searchParams.delete("refresh");
      start();
      show();
    } else {
      here.searchParams.set("refresh", "off");
      stop();
    }
    history.replaceState(null, "", here);
  });
  document.addEventListener("visibilitychange", retitle);

  start();
})();
