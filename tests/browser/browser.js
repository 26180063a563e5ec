// Debian's Chromium, without a window. CHROMIUM names another.
export const launch = (puppeteer) =>
  puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    // Tests run as root in containers, where Chromium's sandbox does not start.
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
