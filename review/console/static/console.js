// Docket's console works without this file. With it: keys, countdowns, a lease that runs on while
// the person works, and word of what changed. It reads and writes no content, only codes and times.
"use strict";

(() => {
  const $ = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));
  const page = $("#case");
  const held = $("[data-beat]"); // the case or the appeal that the person holds
  const form = $("#opinion-form") || $("#ruling-form");
  let lastInput = Date.now();
  let dirty = Boolean(page && page.dataset.draft);
  let sending = false;

  document.documentElement.classList.add("js");
  all(".scripted").forEach((e) => { e.hidden = false; });
  $("#errors")?.focus();

  // Countdowns: the page holds the moment; only the words beside it change.
  const span = (ms) => {
    const s = Math.floor(ms / 1000);
    if (s >= 48 * 3600) return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
    if (s >= 3600) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
    if (s >= 60) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, "0")} s`;
    return `${s} s`;
  };
  const tick = () => {
    const now = Date.now();
    for (const e of all("[data-until]")) {
      const left = Date.parse(e.dataset.until) - now;
      if (Number.isNaN(left)) continue;
      const text = left < 0 ? `${span(-left)} ago` : `in ${span(left)}`;
      const away = $(".away", e);
      if (away && away.textContent !== text) away.textContent = text;
      e.classList.toggle("late", left < 0);
    }
    for (const e of all("[data-since]")) {
      const gone = now - Date.parse(e.dataset.since);
      if (Number.isNaN(gone)) continue;
      const text = gone < 60000 ? "just now" : gone < 3600000 ? `${Math.floor(gone / 60000)} min ago` : `${span(gone)} ago`;
      const away = $(".away", e);
      if (away && away.textContent !== text) away.textContent = text;
    }
  };
  setInterval(tick, matchMedia("(prefers-reduced-motion: reduce)").matches ? 15000 : 1000);

  // What is being written must not be lost by a slip.
  const ofForm = (e) => form && e && e.form === form;
  document.addEventListener("input", (e) => {
    if (ofForm(e.target)) dirty = true;
    countRelied();
  });
  document.addEventListener("submit", (e) => { if (e.target === form || ["confirm-form", "verb-form"].includes(e.target.id)) sending = true; });
  addEventListener("beforeunload", (e) => { if (dirty && !sending) e.preventDefault(); });
  addEventListener("pageshow", () => { sending = false; });

  const countRelied = () => {
    const out = $("#relied-count");
    if (!out || !form) return;
    const n = all("input[name=relied]:checked").length;
    out.textContent = n === 0 ? "Nothing ticked yet." : `${n} ticked.`;
  };
  countRelied();

  // A blurred text opens where it is clicked, too.
  document.addEventListener("click", (e) => {
    const cover = e.target.closest?.("details.cover:not([open])");
    if (cover && !e.target.closest("summary")) cover.open = true;
  });
  addEventListener("beforeprint", () => all("details").forEach((d) => { d.open = true; }));

  // Keys.
  const typing = (e) => e.isContentEditable || e.tagName === "TEXTAREA" || e.tagName === "SELECT" ||
    (e.tagName === "INPUT" && !["checkbox", "radio", "button", "submit"].includes(e.type));
  const items = () => all("[data-item]").filter((e) => e.getClientRects().length > 0);
  const move = (by) => {
    const list = items();
    if (list.length === 0) return;
    const here = list.indexOf(document.activeElement?.closest?.("[data-item]"));
    const to = here < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(Math.max(here + by, 0), list.length - 1);
    list[to].focus();
    list[to].scrollIntoView({ block: "nearest" });
  };
  const open = (item) => {
    const cover = $("details.cover", item) || $("details", item);
    if (cover) { cover.open = !cover.open; return; }
    $("a", item)?.click();
  };
  const decide = () => {
    const active = document.activeElement;
    if ($("#preview") && (ofForm(active) || active?.closest?.("#opinion, #ruling"))) { $("#preview").click(); return; }
    goTo($("#action") || $("#outcome-rejected") || $("#confirm") || $("#claim") || $("#decision"));
  };
  // goTo only moves the focus: what stands there is still to be pressed.
  const goTo = (to) => {
    if (!to) return;
    if (to.matches("section, div")) to.tabIndex = -1;
    to.focus();
    to.scrollIntoView({ block: "center" });
  };
  const next = () => {
    const row = document.activeElement?.closest?.("[data-item]");
    ((row && $("[data-next]", row)) || $("[data-next]"))?.click();
  };
  document.addEventListener("keydown", (e) => {
    if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || e.isComposing || e.repeat && !"jk".includes(e.key)) return;
    const target = e.target;
    // The rest of an Enter that followed a link to a field would send that field's form.
    if (e.key === "Enter" && target.matches?.("a[href^='#']")) { swallow = true; return; }
    if (typing(target)) {
      if (e.key === "Escape") target.blur();
      return;
    }
    if (document.body.dataset.keys !== "on" || $("dialog[open]")) return;
    const item = target.closest?.("[data-item]");
    switch (e.key) {
      case "j": move(1); break;
      case "k": move(-1); break;
      case "n": next(); break;
      case "d": decide(); break;
      case "x": if (!item) return; $("input[name=relied]", item)?.click(); break;
      case "v": if (!$("#verbs")) return; goTo($("#verbs button, #verbs a")); break;
      case "c": if (!$("#comment")) return; goTo($("#comment")); break;
      case "/": if (!$("nav a[href='/find']")) return; if ($("#q")) goTo($("#q")); else $("nav a[href='/find']").click(); break;
      case "?": $("#sheet")?.showModal(); break;
      case "Enter": if (target !== item || !item) return; open(item); break;
      default: return;
    }
    e.preventDefault();
    swallow = true;
  });
  // A key that moved the focus must not write where the focus went.
  let swallow = false;
  document.addEventListener("keypress", (e) => { if (swallow) e.preventDefault(); }, { capture: true });
  document.addEventListener("keyup", () => { swallow = false; }, { capture: true });

  // The lease runs on by the person's input alone, at most every half a minute.
  const beatEvery = 30000;
  let lastBeat = 0;
  let beating = Boolean(held && held.dataset.claim);
  const beat = async () => {
    lastBeat = Date.now();
    try {
      const answer = await fetch(held.dataset.beat, {
        method: "POST",
        headers: { Accept: "application/json" },
        body: new URLSearchParams({ csrf: held.dataset.csrf, claim: held.dataset.claim }),
      });
      if (answer.ok) {
        const lease = await answer.json();
        const until = $("#lease .until");
        if (until && lease.expires_at) until.dataset.until = lease.expires_at;
        return;
      }
      if ([403, 409].includes(answer.status)) { beating = false; $("#lost").hidden = false; }
      if (answer.status === 401) { beating = false; $("#ended").hidden = false; }
    } catch {
      // The server is away for a moment: the next input tries again.
    }
  };
  const input = () => {
    lastInput = Date.now();
    if (beating && lastInput - lastBeat >= beatEvery) beat();
    listen();
  };

  // Word of what changed. Nobody's session is kept open by a page that nobody looks at.
  const awayAfter = 5 * 60000;
  const watching = () => !document.hidden && Date.now() - lastInput < awayAfter;
  const ask = async (address) => {
    const answer = await fetch(address, { headers: { Accept: "application/json, text/html" } });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer;
  };
  const look = async () => {
    const now = await (await ask(page.dataset.standing)).json();
    if (now.evidence_revision > Number(page.dataset.evidence)) { $("#grown").hidden = false; return; }
    const decision = now.decision || "";
    const moved = decision !== (page.dataset.decision || "") || now.proven !== Boolean(page.dataset.proven) || now.state !== page.dataset.state;
    if (!moved || sending) return;
    const busy = form || dirty || $("#comment")?.value || (document.activeElement && typing(document.activeElement));
    if (busy) { $("#changed").hidden = form && now.state === "claimed"; return; }
    location.reload();
  };

  // What a fresh page says is laid over the old one node by node: what has the focus keeps it, and what
  // is written in a field stays.
  const sameNode = (a, b) => a.nodeName === b.nodeName && (a.id || "") === (b.id || "");
  const lay = (old, fresh) => {
    if (old.nodeType === Node.TEXT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE) return;
    for (const { name } of Array.from(old.attributes)) if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    for (const { name, value } of Array.from(fresh.attributes)) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    // Each fresh child takes the place of an old one of its kind and id. A node that is put in anew loses
    // the focus: what has it stays, and the others move around it.
    const left = Array.from(old.childNodes);
    const next = Array.from(fresh.childNodes).map((n) => {
      const i = left.findIndex((o) => sameNode(o, n));
      if (i < 0) return document.adoptNode(n);
      const [was] = left.splice(i, 1);
      lay(was, n);
      return was;
    });
    left.forEach((n) => n.remove());
    let at = old.firstChild;
    for (const n of next) {
      while (at && at !== n && n.parentNode === old && n.contains(document.activeElement)) {
        const before = at;
        at = at.nextSibling;
        before.remove();
      }
      if (n === at) at = at.nextSibling;
      else old.insertBefore(n, at);
    }
  };
  const refresh = async (address) => {
    const text = await (await ask(address)).text();
    const fresh = new DOMParser().parseFromString(text, "text/html");
    for (const old of all("[data-live]")) {
      const now = old.id && fresh.getElementById(old.id);
      const focus = document.activeElement;
      if (!now || (old.contains(focus) && typing(focus))) continue;
      lay(old, now);
      // A row that moved took the focus with it: give it back.
      if (focus?.id && document.activeElement !== focus) document.getElementById(focus.id)?.focus({ preventScroll: true });
    }
    tick();
  };
  const list = Boolean($("main [data-live]")) && !location.search.includes("cursor=");
  const renew = async () => {
    if (!watching()) return;
    try {
      if (page?.dataset.standing) await look();
      else if (list) await refresh(location.href);
    } catch {
      // Asked again in a moment.
    }
  };
  // A page that is no list takes the banner from one that shows nobody's words: it is not opened anew.
  const renewBanner = async () => {
    try {
      if (watching()) await refresh("/help");
    } catch {
      // The next change tells again.
    }
  };

  // Hints come as events; a page without them asks by itself, and one with them does so now and then.
  const gather = 1000;
  let source = null;
  let soon = 0;
  const listen = () => {
    if (source || !watching() || !document.body.dataset.events) return;
    source = new EventSource(document.body.dataset.events);
    // What changed while there was no stream is asked for once it stands.
    source.addEventListener("open", () => { if (list) renew(); else renewBanner(); });
    source.addEventListener("change", (e) => {
      const hint = JSON.parse(e.data);
      if (!list && (hint.kind === "switch" || !hint.kind)) renewBanner();
      if (soon || !page && !list || page && hint.case && hint.case !== page.dataset.case) return;
      soon = setTimeout(() => { soon = 0; renew(); }, gather);
    });
    source.addEventListener("error", () => { if (source?.readyState === EventSource.CLOSED) source = null; });
  };
  const hush = () => { if (source && !watching()) { source.close(); source = null; } };
  const poll = async () => {
    hush();
    listen();
    await renew();
    const settling = page && ["grace", "recorded", "executing"].includes(page.dataset.decision);
    setTimeout(poll, settling ? 2000 : source ? 30000 : 10000);
  };
  ["keydown", "pointerdown", "scroll", "input"].forEach((kind) => addEventListener(kind, input, { passive: true, capture: true }));
  document.addEventListener("visibilitychange", () => { hush(); listen(); });
  listen();
  if (page?.dataset.standing || list) setTimeout(poll, page?.dataset.decision ? 2000 : 10000);
})();
