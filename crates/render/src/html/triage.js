"use strict";
// Groups: sorted by their headings, filtered by words and by status, walked with j and k.
document.addEventListener("DOMContentLoaded", () => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const table = document.querySelector("[data-groups]");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = all("tr", body);
  const heads = all("th", table.tHead);

  // A cell's number if it has one, else what it says.
  const key = (row, column) => {
    const cell = row.cells[column];
    const { value } = cell.dataset;
    return value === undefined ? cell.textContent.trim().toLowerCase() : Number(value);
  };
  const sort = (column, order) => {
    const keys = new Map(rows.map((row) => [row, key(row, column)]));
    const sign = order === "ascending" ? 1 : -1;
    // Of equal ones the higher rank stays first.
    const rank = new Map(rows.map((row) => [row, key(row, 0)]));
    rows.sort((a, b) => {
      const [x, y] = [keys.get(a), keys.get(b)];
      const by = typeof x === "number" ? x - y : x.localeCompare(y);
      return by * sign || rank.get(a) - rank.get(b);
    });
    body.append(...rows);
    heads.forEach((head, at) => {
      if (at === column) head.setAttribute("aria-sort", order);
      else head.removeAttribute("aria-sort");
    });
  };
  heads.forEach((head, column) => {
    const first = head.dataset.sort;
    if (!first) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      const other = now === "ascending" ? "descending" : "ascending";
      sort(column, now ? other : first);
    });
  });

  // What does not fit is hidden, in every part of the page.
  const field = document.querySelector("[data-find]");
  const chips = all(".chip");
  const shown = document.querySelector("[data-shown]");
  const parts = new Map();
  for (const part of all("[data-group]")) {
    const list = parts.get(part.dataset.group) ?? [];
    list.push(part);
    parts.set(part.dataset.group, list);
  }
  const texts = new Map(rows.map((row) =>
    [row, (row.textContent + " " + row.dataset.words).toLowerCase()]));
  const filter = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true")
      .map((chip) => chip.dataset.status);
    let count = 0;
    for (const row of rows) {
      const fits = words.every((word) => texts.get(row).includes(word)) &&
        (!wanted.length || wanted.includes(row.dataset.status));
      for (const part of parts.get(row.dataset.group)) part.hidden = !fits;
      count += fits ? 1 : 0;
    }
    shown.textContent = words.length || wanted.length ? `${count} of ${rows.length} groups shown` : "";
  };
  const clear = () => {
    field.value = "";
    for (const chip of chips) chip.setAttribute("aria-pressed", "false");
    filter();
  };
  field.addEventListener("input", filter);
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      const pressed = chip.getAttribute("aria-pressed") === "true";
      chip.setAttribute("aria-pressed", String(!pressed));
      filter();
    });
  }

  // Laid out in full behind the first screen; a link's target may have moved by that.
  addEventListener("load", () => setTimeout(() => {
    document.documentElement.classList.add("settled");
    if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
  }));

  // A link shows what it leads to, whatever is filtered.
  addEventListener("hashchange", () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target?.hidden) return;
    clear();
    target.scrollIntoView();
  });

  // Among the opened groups where one of them has the focus, else in the table.
  const step = (by) => {
    const here = document.activeElement?.closest("details.group, [data-groups] tr");
    const inside = here?.matches("details.group");
    const stops = (inside ? all("details.group") : rows).filter((stop) => !stop.hidden);
    const at = here ? stops.indexOf(here) : by > 0 ? -1 : 0;
    const next = stops[Math.min(Math.max(at + by, 0), stops.length - 1)];
    const target = next?.querySelector(inside ? "summary" : "th a") ?? next;
    target?.focus({ preventScroll: true });
    target?.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select")) return;
    if (event.key === "j" || event.key === "k") {
      event.preventDefault();
      step(event.key === "j" ? 1 : -1);
    }
    if (event.key === "/") {
      event.preventDefault();
      field.scrollIntoView({ block: "center" });
      field.focus();
    }
  });
  // Who follows a link to a group goes on from there.
  addEventListener("hashchange", () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target?.matches("details.group")) {
      target.querySelector("summary").focus({ preventScroll: true });
    }
  });
});
