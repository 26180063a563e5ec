// Screenshots of a page: node shots.js PAGE.html DIRECTORY [NAME [png|webp]]
import path from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";
import { launch } from "./browser.js";

const [page, directory, name = path.basename(page, ".html"), type = "png"] = process.argv.slice(2);
const browser = await launch(puppeteer);
const shots = [
  ["wide", 1280, 900, "light", false],
  ["dark", 1280, 900, "dark", false],
  ["phone", 390, 844, "light", false],
  ["whole", 1280, 900, "light", true],
  ["phone-whole", 390, 844, "dark", true],
];
for (const [kind, width, height, scheme, fullPage] of shots) {
  const tab = await browser.newPage();
  await tab.setViewport({ width, height });
  await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await tab.goto(pathToFileURL(path.resolve(page)).href);
  const file = path.join(directory, `${name}-${kind}.${type}`);
  await tab.screenshot({ path: file, fullPage, type, ...(type === "webp" && { quality: 75 }) });
  await tab.close();
}
await browser.close();
