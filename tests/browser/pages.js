// Opens pages that obit wrote in Chromium: they work by mouse and by keyboard, ask nobody
// for anything, show hostile names as text, and are usable with a screen reader.
//
//     node pages.js OBIT        (see scripts/test-browser)
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";
import { launch } from "./browser.js";

const obit = path.resolve(process.argv[2] ?? "target/release/obit");
const here = path.dirname(fileURLToPath(import.meta.url));
const fixtures = path.join(here, "..", "fixtures");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const scratch = mkdtempSync(path.join(os.tmpdir(), "obit-pages-"));

const write = (name, core, ...more) => {
  const file = path.join(scratch, name + ".html");
  execFileSync(obit, [path.join(fixtures, core), "--format", "html", "-o", file, ...more]);
  return file;
};
const source = (name) => ["--source-path", path.join(fixtures, name)];
const pages = {
  null: write("null", "null-field/core.zst"),
  deadlock: write("deadlock", "causes-c-O2/deadlock.core.zst", ...source("causes-c")),
  cpp: write("cpp", "causes-cpp-O0/probe_vector.core.zst", ...source("causes-cpp")),
  recursion: write("recursion", "recursion/core.zst"),
};
// Made by a test of the library: src/render/html/tests.rs.
if (process.env.OBIT_HOSTILE_PAGES) {
  for (const name of ["hostile", "crowd", "heavy"]) {
    pages[name] = path.join(process.env.OBIT_HOSTILE_PAGES, name + ".html");
  }
}

const browser = await launch(puppeteer);
const tests = [];
const test = (name, body) => tests.push([name, body]);

// A tab in which each request, each message and each violation is written down.
const open = async (page, { hash = "", width = 1280, height = 900, scheme = "light" } = {}) => {
  const tab = await browser.newPage();
  tab.troubles = [];
  await tab.setViewport({ width, height });
  await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  const url = pathToFileURL(pages[page]).href;
  tab.on("request", (request) => {
    const asked = request.url();
    if (!asked.startsWith(url) && asked !== "data:,") tab.troubles.push("request: " + asked);
  });
  tab.on("console", (message) => tab.troubles.push("console: " + message.text()));
  tab.on("pageerror", (error) => tab.troubles.push("error: " + error.message));
  tab.on("dialog", (dialog) => { tab.troubles.push("dialog: " + dialog.message()); dialog.dismiss(); });
  await tab.evaluateOnNewDocument(() => {
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) =>
      window.violations.push(event.violatedDirective + " " + event.blockedURI));
  });
  await tab.goto(url + hash, { waitUntil: "load" });
  return tab;
};
const close = async (tab) => {
  assert.deepEqual(await tab.evaluate(() => window.violations), [], "policy");
  assert.deepEqual(tab.troubles, []);
  await tab.close();
};
const selected = (tab) =>
  tab.$$eval(".panel.selected", (panels) => panels.map((panel) => panel.id).join());
const inView = (tab, selector) =>
  tab.$eval(selector, (element) => {
    const box = element.getBoundingClientRect();
    return box.bottom > 0 && box.top < innerHeight;
  });

test("the first screen says what died, why, where and what next", async () => {
  const tab = await open("null");
  const seen = await tab.evaluate(() => {
    const words = [];
    const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const range = document.createRange();
      range.selectNodeContents(walker.currentNode);
      const box = range.getBoundingClientRect();
      if (box.height && box.bottom <= innerHeight) words.push(walker.currentNode.data);
    }
    return words.join("");
  });
  for (const words of ["SIGSEGV", "a null pointer was read through", "proved", "job->owner",
    "#1 book", "jobd.c:68", "rax = 0x0", "'*job' -f 1", "next_serial(job->owner)", "owner = 0x0"]) {
    assert.ok(seen.replace(/\s+/g, " ").includes(words), words);
  }
  await close(tab);
});

test("frames are selected by mouse and by keys", async () => {
  const tab = await open("null");
  const frames = await tab.$$eval("a.frame", (links) => links.map((link) => link.hash.slice(1)));
  assert.ok(frames.length >= 4);
  assert.equal(await selected(tab), frames[1], "the frame to blame first");
  await tab.click(`a.frame[href="#${frames[3]}"]`);
  assert.equal(await selected(tab), frames[3]);
  assert.ok((await tab.url()).endsWith("#" + frames[3]));
  await tab.keyboard.press("k");
  assert.equal(await selected(tab), frames[2]);
  await tab.keyboard.press("j");
  await tab.keyboard.press("j");
  assert.equal(await selected(tab), frames[4]);
  const current = await tab.$$eval('[aria-current="true"]', (links) => links.map((link) => link.hash));
  assert.deepEqual(current, ["#" + frames[4]]);
  await close(tab);
});

test("a variable opens and shows its members", async () => {
  const tab = await open("null");
  const summary = await tab.waitForSelector(".panel.selected .vars summary");
  await summary.click();
  const members = await tab.$eval(".panel.selected .vars details[open]", (tree) => tree.innerText);
  for (const member of ["command", "\"report\"", "struct account *"]) {
    assert.ok(members.includes(member), member);
  }
  await close(tab);
});

test("threads are searched by name, and / leads to the search", async () => {
  const tab = await open("null");
  await tab.keyboard.press("/");
  await tab.keyboard.type("reaper");
  const shown = () => tab.$$eval(".thread:not([hidden])", (all) => all.map((one) => one.innerText));
  let threads = await shown();
  assert.equal(threads.length, 1);
  assert.ok(threads[0].includes("reaper"));
  assert.match(await tab.$eval("[data-count]", (count) => count.textContent), /1 of 3/);
  await tab.keyboard.press("Escape");
  threads = await shown();
  assert.equal(threads.length, 3);
  await close(tab);
});

test("a link opens what it points to, also a thread whose stack is folded into another's", async () => {
  let tab = await open("null", { hash: "#t16961-f3" });
  assert.equal(await selected(tab), "t16961-f3");
  await close(tab);
  tab = await open("null", { hash: "#t16963-f2" });
  const stack = await tab.$eval(".thread[open]", (thread) => [thread.id, thread.innerText]);
  assert.ok(stack[1].includes("take"));
  assert.ok(await inView(tab, ".thread[open] .stack"));
  await close(tab);
});

test("all opens and closes at once, and the theme changes and stays readable", async () => {
  const tab = await open("cpp");
  await tab.click('[data-do="expand"]');
  assert.equal((await tab.$$("main details:not([open])")).length, 0);
  await tab.click('[data-do="expand"]');
  assert.equal((await tab.$$("main details[open]")).length, 0);
  const paper = () => tab.$eval("body", (body) => getComputedStyle(body).backgroundColor);
  const before = await paper();
  await tab.keyboard.press("t");
  await tab.keyboard.press("t");
  assert.notEqual(await paper(), before);
  await close(tab);
});

test("the crash is copied as Markdown", async () => {
  const tab = await open("null");
  await tab.click('[data-do="markdown"]');
  await tab.waitForFunction(() => document.querySelector("[data-status]").textContent.includes("copied"));
  const text = await tab.$eval("[data-markdown]", (field) => field.value);
  assert.ok(/^### `prog` died of SIGSEGV \(null-read\)/.test(text), text.slice(0, 60));
  await close(tab);
});

test("locks that wait for each other are drawn", async () => {
  const tab = await open("deadlock");
  assert.equal((await tab.$$(".graph .waits")).length, 2);
  assert.equal((await tab.$$(".graph .holds")).length, 2);
  await tab.click(".graph a");
  assert.equal(await tab.$$eval(".panel.selected", (all) => all.length), 1);
  await close(tab);
});

test("without its script a page shows every frame", async () => {
  const tab = await browser.newPage();
  await tab.setJavaScriptEnabled(false);
  await tab.goto(pathToFileURL(pages.null).href);
  const visible = await tab.$$eval(".panel", (panels) => panels.every((panel) => panel.offsetHeight > 0));
  assert.ok(visible);
  assert.equal(await tab.$eval(".tools", (tools) => tools.offsetHeight), 0);
  await tab.close();
});

for (const page of Object.keys(pages)) {
  for (const [width, scheme] of [[1280, "light"], [390, "dark"]]) {
    test(`${page} at ${width} pixels, ${scheme}: no serious violation, nothing wider than the page`, async () => {
      const tab = await open(page, { width, scheme });
      const wide = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${wide} pixels too wide`);
      // The policy lets no script in; the debugger's own are not asked.
      await tab.setBypassCSP(true);
      await tab.evaluate(axe);
      const { violations } = await tab.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
      const grave = violations.filter((one) => ["serious", "critical"].includes(one.impact));
      assert.deepEqual(grave.map((one) => `${one.id}: ${one.nodes.length} × ${one.nodes[0].html.slice(0, 200)} ${one.nodes[0].failureSummary}`), []);
      await close(tab);
    });
  }
  test(`${page} opens in less than a second`, async () => {
    const tab = await open(page);
    const took = await tab.evaluate(() => performance.getEntriesByType("navigation")[0].loadEventEnd);
    console.log(`  ${page}: ${Math.round(took)} ms, ${Math.round(readFileSync(pages[page]).length / 1024)} KiB`);
    assert.ok(took < 1000, `${took} ms`);
    await close(tab);
  });
}

if (pages.hostile) {
  test("hostile names are text", async () => {
    const tab = await open("hostile");
    await tab.click('[data-do="expand"]');
    assert.equal((await tab.$$("img, iframe, object, embed, body script, form")).length, 0);
    const text = await tab.$eval("main", (main) => main.innerText);
    assert.ok(text.includes("<script>alert(1)</script>\"><img src=x onerror=alert(2)>"));
    assert.ok(text.includes("\\u{202e}\\x1b[31m\\x00"));
    await close(tab);
  });
}

let failed = 0;
for (const [name, body] of tests) {
  try {
    await body();
    console.log("ok    " + name);
  } catch (error) {
    failed += 1;
    console.log("FAIL  " + name + "\n" + (error.stack ?? error));
  }
}
await browser.close();
rmSync(scratch, { recursive: true });
console.log(`${tests.length - failed} of ${tests.length} passed`);
process.exit(failed ? 1 : 0);
