// Uses the pages of `obit serve` in Chromium as people do: finds groups, changes them, logs in,
// shares, reveals; by mouse and by keyboard, on a wide and a narrow screen.
//
//     node served.js OBIT [DIRECTORY]        (see scripts/test-browser; DIRECTORY gets pictures)
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer-core";
import { launch } from "./browser.js";

const obit = path.resolve(process.argv[2] ?? "target/release/obit");
const pictures = process.argv[3];
const here = path.dirname(fileURLToPath(import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const scratch = mkdtempSync(path.join(os.tmpdir(), "obit-served-"));
const db = path.join(scratch, "triage.db");
const users = path.join(scratch, "users");
execFileSync(obit, ["triage", path.join(here, "..", "fixtures"), "--db", db, "-q"], { stdio: "ignore" });
// Something to reveal.
execFileSync(obit, ["triage", path.join(here, "..", "fixtures", "null-field"), "--db", path.join(scratch, "off.db"),
  "--redact", "off", "-q"], { stdio: "ignore" });

const buildsOf = () => JSON.parse(execFileSync(obit, ["builds", "--json", "--db", db]).toString()).programs
  .flatMap((program) => program.releases).flatMap((release) => release.builds).map((build) => build.id).filter(Boolean);

const servers = [];
const serve = (...more) => new Promise((resolve, reject) => {
  const server = spawn(obit, ["serve", "--listen", "127.0.0.1:0", "--rate", "0", ...more]);
  servers.push(server);
  server.stdout.once("data", (line) => resolve(String(line).trim()));
  server.stderr.on("data", (text) => process.env.DEBUG && console.log(String(text)));
  server.once("exit", (code) => reject(new Error(`the server ended: ${code}`)));
});
const token = (role) => execFileSync(obit,
  ["serve", "--auth", "token-file", users, "--new-token", role, "--role", role]).toString().trim();
const tokens = Object.fromEntries(["viewer", "analyst", "owner"].map((role) => [role, token(role)]));
// Expressions are asked of one core, and every release ran for a while.
const exposure = path.join(scratch, "exposure.csv");
writeFileSync(exposure, "build,hours\n" + buildsOf().map((id) => id + ",1000\n").join(""));
const cores = path.join(here, "..", "fixtures", "null-field");
const open = await serve("--db", db, "--cores", cores, "--exposure", exposure);
const closed = await serve("--db", path.join(scratch, "off.db"), "--auth", "token-file", users);

const browser = await launch(puppeteer);
const tests = [];
const test = (name, body) => tests.push([name, body]);

// A tab of its own person, in which each request elsewhere, each message and each violation is
// written down.
const visit = async (url, { width = 1280, height = 900, scheme = "light", context } = {}) => {
  const person = context ?? await browser.createBrowserContext();
  const tab = await person.newPage();
  tab.troubles = [];
  await tab.setViewport({ width, height });
  await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  const origin = new URL(url).origin;
  tab.on("request", (request) => {
    const asked = request.url();
    if (!asked.startsWith(origin) && asked !== "data:,") tab.troubles.push("request: " + asked);
  });
  tab.on("console", (message) => {
    // A refused form is an answer, not a trouble.
    if (!/status of 4(01|09|22)/.test(message.text())) tab.troubles.push("console: " + message.text());
  });
  tab.on("pageerror", (error) => tab.troubles.push("error: " + error.message));
  await tab.evaluateOnNewDocument(() => {
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) =>
      window.violations.push(event.violatedDirective + " " + event.blockedURI));
  });
  await tab.goto(url, { waitUntil: "load" });
  return tab;
};
const close = async (tab) => {
  assert.deepEqual(await tab.evaluate(() => window.violations), [], "policy");
  assert.deepEqual(tab.troubles, []);
  await tab.close();
};
const submit = async (tab, action) => {
  await Promise.all([tab.waitForNavigation({ waitUntil: "load" }), action()]);
};
const text = (tab) => tab.$eval("main", (main) => main.innerText);
const groups = (tab) => tab.$$eval("table.groups tbody th a", (links) => links.map((link) => link.pathname));
const button = (tab, words) => tab.waitForSelector(`main ::-p-text(${words})`);
const usable = async (tab, name) => {
  // The policy lets no script in from outside: it is run as the tool's own.
  await tab.evaluate(axe);
  const found = await tab.evaluate(() => axe.run());
  const bad = found.violations.filter((one) => ["serious", "critical"].includes(one.impact));
  const words = bad.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).slice(0, 3).join(" ")}`);
  assert.deepEqual(words, [], name);
  const wide = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${name} is ${wide} pixels too wide`);
};
const picture = async (tab, name) => {
  if (!pictures) return;
  mkdirSync(pictures, { recursive: true });
  await tab.screenshot({ path: path.join(pictures, name + ".png"), fullPage: true });
};

test("every page is usable on both screens and in both colours", async () => {
  const first = await visit(open);
  const [one, other] = await groups(first);
  await first.goto(new URL(one, open).href);
  const crash = await first.$eval("table.dumps a", (link) => link.pathname);
  await close(first);
  const compare = `/compare?one=${one.slice(8)}&other=${other.slice(8)}`;
  const [left, right] = [crash, crash].map((page) => page.slice(9));
  const crashes = `/compare?one=${left}&other=${right}`;
  const pages = { groups: "/", group: one, crash, builds: "/builds", compare, crashes, query: "/query", none: "/none", empty: "/?where=count%3E%3D99999" };
  for (const [name, page] of Object.entries(pages)) {
    for (const [width, scheme] of [[1280, "light"], [390, "light"], [1280, "dark"], [390, "dark"]]) {
      const tab = await visit(new URL(page, open).href, { width, scheme, height: width > 500 ? 900 : 844 });
      // The page of a missing group is an answer, too.
      tab.troubles = tab.troubles.filter((trouble) => !trouble.includes("status of 404"));
      await usable(tab, `${name} ${width} ${scheme}`);
      await picture(tab, `${name}-${width}-${scheme}`);
      await close(tab);
    }
  }
});

test("groups are found, selected, ordered and paged", async () => {
  const tab = await visit(open);
  const all = await groups(tab);
  assert.equal(all.length, 50);
  await submit(tab, () => tab.click('nav.pages a[rel="next"]'));
  const next = await groups(tab);
  assert.ok(next.length > 0 && !next.some((group) => all.includes(group)));
  await submit(tab, () => tab.click('nav.pages a[rel="prev"]'));
  assert.deepEqual(await groups(tab), all);
  await submit(tab, async () => {
    await tab.focus('input[name="find"]');
    await tab.keyboard.type("main");
    await tab.keyboard.press("Enter");
  });
  const found = await groups(tab);
  assert.ok(found.length > 0 && found.length <= 50);
  assert.equal(await tab.$eval('input[name="find"]', (input) => input.value), "main");
  await submit(tab, () => tab.click('thead a[href*="sort=count"]'));
  assert.equal(await tab.$eval("th[aria-sort]", (cell) => cell.innerText), "Dumps");
  const counts = await tab.$$eval("td.count", (cells) => cells.map((cell) => Number(cell.dataset.value)));
  assert.deepEqual(counts, [...counts].sort((a, b) => b - a));
  await submit(tab, () => tab.click("ul.by-name a"));
  assert.ok((await tab.url()).includes("where=class"));
  await tab.type('input[name="where"]', "nonsense,");
  await submit(tab, () => tab.click('form.asked button'));
  assert.ok((await text(tab)).includes("FIELD=VALUE"));
  tab.troubles = tab.troubles.filter((trouble) => !trouble.includes("status of 400"));
  await close(tab);
});

test("an analyst asks the cores, and a question that makes no sense is said", async () => {
  const tab = await visit(open);
  await submit(tab, () => tab.click('nav a[href="/query"]'));
  await tab.type('input[name="query"]', "main { $pc }");
  await submit(tab, () => tab.click('form.asked button'));
  assert.ok((await text(tab)).includes("1 of 1 cores have the place"));
  assert.equal(await tab.$eval("table th:last-child", (cell) => cell.innerText), "$pc");
  assert.equal(await tab.$eval('input[name="query"]', (input) => input.value), "main { $pc }");
  await usable(tab, "answer");
  await tab.type('input[name="where"]', "frame >");
  await submit(tab, () => tab.click('form.asked button'));
  assert.ok((await tab.$eval('[role="alert"]', (said) => said.innerText)).includes("where"));
  await close(tab);
});

test("rates are shown where exposures are known", async () => {
  const tab = await visit(open);
  assert.ok((await text(tab)).includes("per 1,000 hours"));
  await submit(tab, () => tab.click("table.groups tbody th a"));
  assert.ok((await text(tab)).includes("Rates by release"));
  await close(tab);
});

test("a group is resolved, assigned, linked and noted", async () => {
  const tab = await visit(open);
  await submit(tab, () => tab.click("table.groups tbody th a"));
  await tab.select('select[name="state"]', "resolved");
  await tab.type('input[name="build"]', "2.1");
  await submit(tab, async () => (await button(tab, "Set state")).click());
  assert.ok((await text(tab)).includes("resolved in 2.1"));
  await tab.type('input[name="assignee"]', "Ada Lovelace");
  await submit(tab, () => tab.keyboard.press("Enter"));
  assert.ok((await text(tab)).includes("Ada Lovelace"));
  await tab.type('input[name="link"]', "https://bugs.example/7");
  await submit(tab, () => tab.keyboard.press("Enter"));
  assert.equal(await tab.$eval('a[rel~="noopener"]', (link) => link.href), "https://bugs.example/7");
  await tab.type('textarea[name="note"]', "seen with <b>build</b> 2.0");
  await submit(tab, async () => (await button(tab, "Add note")).click());
  assert.ok((await text(tab)).includes("seen with <b>build</b> 2.0"));
  await usable(tab, "a group with notes");
  await tab.select('select[name="state"]', "open");
  await submit(tab, async () => (await button(tab, "Set state")).click());
  await close(tab);
});

test("of two who change a group the second sees what the first did", async () => {
  const one = await visit(open);
  await submit(one, () => one.click("table.groups tbody th a"));
  const other = await visit(await one.url());
  for (const [tab, name] of [[one, "Grace"], [other, "Linus"]]) {
    await tab.$eval('input[name="assignee"]', (input) => { input.value = ""; });
    await tab.type('input[name="assignee"]', name);
    await submit(tab, () => tab.keyboard.press("Enter"));
  }
  assert.ok((await text(other)).includes("someone else changed the group"));
  assert.equal(await other.$eval('input[name="assignee"]', (input) => input.value), "Grace");
  await usable(other, "a conflict");
  await close(one);
  await close(other);
});

const logIn = async (role) => {
  const tab = await visit(closed);
  assert.ok((await tab.url()).endsWith("/login"));
  await tab.type('input[name="token"]', tokens[role]);
  await submit(tab, () => tab.keyboard.press("Enter"));
  assert.ok((await tab.$eval(".who-is", (words) => words.innerText)).includes(role));
  return tab;
};

test("people log in by a token and out again, and a wrong one is said", async () => {
  const tab = await visit(closed);
  await usable(tab, "login");
  await picture(tab, "login");
  await tab.type('input[name="token"]', "wrong");
  await submit(tab, () => tab.keyboard.press("Enter"));
  assert.ok((await text(tab)).includes("not one of this server"));
  await usable(tab, "a refused login");
  await close(tab);
  const viewer = await logIn("viewer");
  assert.equal((await viewer.$$('a[href="/audit"]')).length, 0);
  await submit(viewer, () => viewer.click("table.groups tbody th a"));
  assert.equal((await viewer.$$("main form[method=post]")).length, 0);
  await submit(viewer, () => viewer.click('form[action="/logout"] button'));
  assert.ok((await viewer.url()).endsWith("/login"));
  await close(viewer);
});

test("an owner reveals a crash with a reason, which is in the log", async () => {
  const tab = await logIn("owner");
  await submit(tab, () => tab.click("table.groups tbody th a"));
  await submit(tab, () => tab.click('a[href$="/reveal"]'));
  await usable(tab, "reveal");
  await picture(tab, "reveal");
  await tab.type('input[name="reason"]', "ticket 12 needs the path");
  await submit(tab, () => tab.keyboard.press("Enter"));
  assert.ok((await tab.$("a.home")) && (await text(tab)).includes("SIGSEGV"));
  await tab.goto(new URL("/audit", closed).href);
  const log = await text(tab);
  assert.ok(log.includes("reveal") && log.includes("ticket 12 needs the path") && log.includes("login"));
  await usable(tab, "audit log");
  await picture(tab, "audit");
  await close(tab);
});

test("a shared link opens one page for someone without a login", async () => {
  const tab = await logIn("analyst");
  await submit(tab, () => tab.click("table.groups tbody th a"));
  await submit(tab, async () => (await button(tab, "Make link")).click());
  await usable(tab, "a shared link");
  const link = await tab.$eval("code.whole", (code) => code.innerText);
  const guest = await visit(new URL("/login", closed).href);
  await guest.goto(link);
  await guest.waitForFunction(() => location.pathname.startsWith("/groups/"));
  assert.ok((await guest.$eval(".who-is", (words) => words.innerText)).includes("shared-link"));
  assert.ok(!(await guest.url()).includes("#"));
  await usable(guest, "a shared group");
  await close(guest);
  await close(tab);
});

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
for (const server of servers) { server.removeAllListeners("exit"); server.kill(); }
rmSync(scratch, { recursive: true });
console.log(`${tests.length - failed} of ${tests.length} passed`);
process.exit(failed ? 1 : 0);
