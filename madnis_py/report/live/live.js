"use strict";
(() => {
  const often = 1000, seldom = 10000;
  let pause = often, ended = 0;

  const parsed = text => new DOMParser().parseFromString(text, "text/html");
  const get = async where => {
    const answer = await fetch(where, {cache: "no-store", redirect: "error"});
    if (!answer.ok) throw new Error(answer.status);
    return answer.text();
  };

  // The first section on the screen stays where it is.
  const still = change => {
    const anchor = [...document.querySelectorAll("section")].find(
      one => one.getBoundingClientRect().bottom > 0);
    const top = anchor && anchor.getBoundingClientRect().top;
    change();
    const again = anchor && document.getElementById(anchor.id);
    if (again && scrollY > 0)
      scrollBy({top: again.getBoundingClientRect().top - top, behavior: "instant"});
  };

  // What was opened stays open.
  const replace = page => {
    const named = one => one.closest("section").id + one.textContent.slice(0, 40);
    const open = [...document.querySelectorAll("details[open]")].map(named);
    for (const name of ["header", "main"])
      document.querySelector(name).replaceWith(page.querySelector(name));
    for (const one of document.querySelectorAll("details")) one.open = open.includes(named(one));
    document.body.dataset.version = page.body.dataset.version;
  };

  const show = async state => {
    document.title = state.title;
    const banner = parsed(state.banner).getElementById("live");
    still(() => document.getElementById("live").replaceWith(banner));
    const busy = document.hidden || !getSelection().isCollapsed;
    if (state.version === document.body.dataset.version || (busy && !state.ended)) return;
    const page = parsed(await get(location.pathname));
    still(() => replace(page));
  };

  const lost = () => {
    if (document.querySelector(".lost")) return;
    const words = document.createElement("p");
    words.className = "lost";
    words.textContent = "No answer from madnis-py watch since " +
      new Date().toLocaleTimeString() + "; this is what was known then.";
    document.getElementById("live").append(words);
  };

  const look = async () => {
    try {
      const state = JSON.parse(await get("state.json"));
      await show(state);
      ended = state.ended ? ended + 1 : 0;
      pause = often;
    } catch {
      lost();
      pause = Math.min(2 * pause, seldom);
    }
    if (ended < 2) setTimeout(look, pause);
  };

  look();
})();
