"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");

  // The theme is set before anything is painted. A page from a file may have no storage.
  const themes = ["auto", "light", "dark"];
  let theme = "auto";
  try {
    const kept = localStorage.getItem("obit-theme");
    if (themes.includes(kept)) theme = kept;
  } catch { /* no storage */ }
  const paint = () => {
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
    for (const button of document.querySelectorAll('[data-do="theme"]')) {
      button.textContent = "Theme: " + theme;
    }
  };
  paint();

  document.addEventListener("DOMContentLoaded", () => {
    const all = (selector, within = document) => [...within.querySelectorAll(selector)];
    const one = (selector) => document.querySelector(selector);
    for (const element of all("[data-js]")) element.hidden = false;
    paint();

    let quiet;
    const say = (text) => {
      const status = one("[data-status]");
      status.textContent = text;
      clearTimeout(quiet);
      quiet = setTimeout(() => { status.textContent = ""; }, 2500);
    };

    // Frames: one panel at a time.
    const panels = all(".panel");
    const links = new Map(all("a.frame").map((link) => [link.hash.slice(1), link]));
    const fold = (panel) => links.get(panel.id)?.closest("details.fold");
    const select = (panel) => {
      const around = fold(panel);
      if (around) around.open = true;
      for (const other of all(".panel.selected")) other.classList.remove("selected");
      for (const link of links.values()) link.removeAttribute("aria-current");
      panel.classList.add("selected");
      const link = links.get(panel.id);
      if (!link) return;
      link.setAttribute("aria-current", "true");
      // Only the list moves, not the page.
      const list = link.closest(".frames");
      const [inner, outer] = [link.getBoundingClientRect(), list.getBoundingClientRect()];
      if (inner.top < outer.top) list.scrollTop -= outer.top - inner.top;
      if (inner.bottom > outer.bottom) list.scrollTop += inner.bottom - outer.bottom;
    };
    const remember = (id) => {
      try { history.replaceState(null, "", "#" + id); } catch { /* a sandbox */ }
    };
    const step = (by) => {
      // Folded frames are skipped.
      const shown = panels.filter((panel) => fold(panel)?.open !== false);
      const at = shown.findIndex((panel) => panel.classList.contains("selected"));
      const next = shown[Math.min(Math.max(at + by, 0), shown.length - 1)];
      if (!next) return;
      select(next);
      remember(next.id);
      if (one(".editor").getBoundingClientRect().bottom < 80) one("#frames").scrollIntoView();
      say(links.get(next.id)?.textContent.trim() ?? "");
    };

    // A link opens what it points to. Threads of one stack share its anchors.
    const find = (id) => {
      const exact = document.getElementById(id);
      if (exact) return exact;
      const [, tid, frame] = /^t(-?\d+)(-f\d+)?$/.exec(id) ?? [];
      if (!tid) return null;
      const group = all("[data-tids]").find((stack) => stack.dataset.tids.split(" ").includes(tid));
      return (frame && group && document.getElementById(group.id + frame)) || group || null;
    };
    const reveal = (id) => {
      const target = find(id);
      if (!target) return false;
      for (let up = target; up; up = up.parentElement?.closest("details")) {
        if (up.tagName === "DETAILS") up.open = true;
      }
      if (target.classList.contains("panel")) {
        select(target);
        const box = target.closest(".editor").getBoundingClientRect();
        if (box.top < 0 || box.top > innerHeight * 0.6) one("#frames").scrollIntoView();
      } else {
        target.scrollIntoView();
      }
      return true;
    };
    const first = panels.find((panel) => panel.hasAttribute("data-first")) ?? panels[0];
    if (first) select(first);
    const follow = () => {
      let id = location.hash.slice(1);
      try { id = decodeURIComponent(id); } catch { /* as it is */ }
      if (id) reveal(id);
    };
    follow();
    addEventListener("hashchange", follow);

    // Escape empties a field that filters, and leaves it.
    document.addEventListener("keydown", ({ key, target: field }) => {
      if (key !== "Escape" || !field.matches?.("[data-filter], [data-find]")) return;
      field.value = "";
      field.dispatchEvent(new Event("input"));
      field.blur();
    });

    // Search: what does not fit is hidden.
    for (const field of all("[data-filter]")) {
      const list = one(`[data-filtered="${field.dataset.filter}"]`);
      const items = [...list.children].map((item) => [item, item.textContent.toLowerCase()]);
      const count = field.parentElement.querySelector("[data-count]");
      const filter = () => {
        const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
        let shown = 0;
        for (const [item, text] of items) {
          const fits = words.every((word) => text.includes(word));
          item.hidden = !fits;
          shown += fits ? 1 : 0;
        }
        count.textContent = words.length ? `${shown} of ${items.length} stacks` : "";
      };
      field.addEventListener("input", filter);
    }

    const copy = async (text, what) => {
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        // A page from a file may have no clipboard of the new kind.
        const field = document.createElement("textarea");
        field.value = text;
        document.body.append(field);
        field.select();
        document.execCommand("copy");
        field.remove();
      }
      say(what + " copied");
    };

    let expanded = false;
    const actions = {
      theme: () => {
        theme = themes[(themes.indexOf(theme) + 1) % themes.length];
        try { localStorage.setItem("obit-theme", theme); } catch { /* no storage */ }
        paint();
      },
      expand: () => {
        expanded = !expanded;
        for (const details of all("main details")) details.open = expanded;
        const button = one('[data-do="expand"]');
        button.textContent = expanded ? "Collapse all" : "Expand all";
        button.setAttribute("aria-pressed", String(expanded));
      },
      markdown: () => copy(one("[data-markdown]").value, "Markdown"),
      copy: (button) => copy(button.previousElementSibling.textContent, "Command"),
    };
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button) actions[button.dataset.do]?.(button);
      const link = event.target.closest("a.frame");
      if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
        event.preventDefault();
        const panel = document.getElementById(link.hash.slice(1));
        if (!panel) return;
        select(panel);
        remember(panel.id);
      }
      // The same link again is no change of the address.
      const other = event.target.closest('a[href^="#"]:not(.frame)');
      if (other && other.hash === location.hash) reveal(other.hash.slice(1));
    });

    const keys = {
      j: () => step(1),
      k: () => step(-1),
      e: () => actions.expand(),
      t: () => actions.theme(),
      "/": () => { const field = one("[data-filter]"); field?.scrollIntoView({ block: "center" }); field?.focus(); },
    };
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.closest("input, textarea, select")) return;
      const action = keys[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    });

    // On paper nothing opens.
    let closed = [];
    addEventListener("beforeprint", () => {
      closed = all("main details:not([open])");
      for (const details of closed) details.open = true;
    });
    addEventListener("afterprint", () => {
      for (const details of closed) details.open = false;
    });
  });
})();
