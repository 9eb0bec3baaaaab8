// Chromium, as a person has it: windows of a phone's and a desk's size, light and dark, with everything noted that a page should
// not do. PROFILED_SHOTS=FOLDER keeps pictures of what was seen.
import assert from 'node:assert/strict';
import {existsSync, mkdirSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import puppeteer from 'puppeteer-core';
import {temporaryFolder} from './process.mjs';
import {isRoot} from './site.mjs';

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
export const PHONE = {width: 390, height: 844, isMobile: true, hasTouch: true, deviceScaleFactor: 1}, DESK = {width: 1280, height: 860};
const WAIT_MS = 30000; /* machines are busy */
const shots = process.env.PROFILED_SHOTS;

/** Where Debian puts it. */
export function chromium() {
  const found = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => path && existsSync(path));
  assert(found, 'there is no Chromium: apt-get install chromium');
  return found;
}

export class Browser {
  static async start() {
    const browser = new this();
    browser.process = await puppeteer.launch({executablePath: chromium(), headless: true, userDataDir: temporaryFolder('profiled-chromium-'),
      args: [...(isRoot ? ['--no-sandbox'] : []), '--disable-dev-shm-usage', '--disable-gpu', '--no-proxy-server', '--disable-background-networking', '--disable-component-update', '--no-first-run', '--disable-extensions', '--hide-scrollbars']});
    return browser;
  }
  async stop() { await this.process.close(); }

  /** A window with storage of its own, at an address. */
  async open(address, {size = DESK, dark = false} = {}) {
    const context = await this.process.createBrowserContext(), page = await context.newPage(), window = new Window(page, context);
    await page.setViewport(size);
    await page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: dark ? 'dark' : 'light'}, {name: 'prefers-reduced-motion', value: 'reduce'}]);
    await window.watch();
    await page.goto(address, {waitUntil: 'load'});
    return window;
  }
}

export class Window {
  faults = []; requests = [];
  /** What may be on the console, of a test's own doing: the browser reports each 4xx and each lost connection there. */
  allowed = [/^Failed to load resource: the server responded with a status of (401|409|412|422|404)/];

  constructor(page, context) {
    this.page = page;
    this.context = context;
  }
  async watch() {
    this.page.on('console', (message) => { if (['error', 'warn'].includes(message.type())) this.faults.push(message.text()); });
    this.page.on('pageerror', (error) => this.faults.push(`uncaught: ${error.stack ?? error.message}`));
    this.page.on('request', (request) => this.requests.push(request));
    await this.page.evaluateOnNewDocument(() => {
      globalThis.violations = [];
      document.addEventListener('securitypolicyviolation', ({violatedDirective, blockedURI, sourceFile, lineNumber, sample}) => globalThis.violations.push(`${violatedDirective} ${blockedURI} ${sourceFile}:${lineNumber} ${sample}`));
    });
  }

  /** Waits until an expression in the page is true. */
  async until(test, ...args) {
    await this.page.waitForFunction(test, {timeout: WAIT_MS, polling: 50}, ...args)
      .catch(async (error) => { throw new Error(`waited for ${test} ${args}\n${this.faults.join('\n')}\n${(await this.text()).slice(0, 2000)}`, {cause: error}); });
  }
  see(selector, text) {
    return this.until((s, t) => [...document.querySelectorAll(s)].some((node) => node.checkVisibility() && node.textContent.includes(t)), selector, text);
  }
  text() { return this.page.evaluate(() => document.body.innerText); }
  async click(selector, text = '') {
    const node = await this.page.evaluateHandle((s, t) => [...document.querySelectorAll(s)].find((n) => n.checkVisibility() && n.textContent.includes(t)), selector, text);
    assert(node.asElement(), `nothing to click: ${selector} ${text}`);
    await node.asElement().evaluate((n) => n.scrollIntoView({block: 'center'}));
    await node.asElement().click();
  }
  /** Replaces what is in a field, at once or key by key. */
  async type(selector, text, {keys = false} = {}) {
    await this.page.$eval(selector, (node) => { node.scrollIntoView({block: 'center'}); node.focus(); node.select(); });
    if (text === '') await this.page.keyboard.press('Delete');
    else if (keys) await this.page.keyboard.type(text);
    else await this.page.keyboard.sendCharacter(text);
  }
  async shot(name) {
    if (!shots) return;
    mkdirSync(shots, {recursive: true});
    await this.page.screenshot({path: join(shots, `${name}.png`)});
  }

  /** Nothing that axe-core knows of hinders anybody. only: some of its rules. */
  async accessible(name, only) {
    /* by the protocol, which no policy of the page's is in the way of */
    await this.page.evaluate(axe);
    const found = await this.page.evaluate(async (rules) => {
      /* what sticks to the window's edge covers some of the rest until one scrolls: that is not asked here */
      const sticking = [...document.querySelectorAll('body *')].filter((node) => getComputedStyle(node).position === 'sticky');
      for (const node of sticking) node.style.position = 'static';
      const runOnly = rules ? {type: 'rule', values: rules} : ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
      const {violations} = await globalThis.axe.run(document, {resultTypes: ['violations'], runOnly});
      for (const node of sticking) node.style.position = '';
      return violations.map(({id, help, nodes}) => ({id, help, count: nodes.length, nodes: nodes.slice(0, 4).map(({html, any, all}) => `${html.slice(0, 160)} ${[...any, ...all].map(({message}) => message).join('; ').slice(0, 200)}`)}));
    }, only);
    assert.deepEqual(found, [], `${name}: ${JSON.stringify(found, null, 1)}`);
  }

  /** Nothing on the console, nothing that the policy forbids, and the token nowhere but in memory. */
  async clean(token) {
    assert.deepEqual(this.faults.filter((text) => !this.allowed.some((pattern) => pattern.test(text))), []);
    assert.deepEqual(await this.page.evaluate(() => globalThis.violations), []);
    const kept = await this.page.evaluate(async () => ({
      local: {...localStorage}, session: {...sessionStorage}, cookie: document.cookie, address: location.href, state: JSON.stringify(history.state), title: document.title,
      databases: (await indexedDB.databases()).length, caches: await caches.keys(), html: document.documentElement.outerHTML,
    }));
    assert.deepEqual([kept.local, kept.session, kept.cookie, kept.databases, kept.caches], [{}, {}, '', 0, []]);
    if (token) assert(!JSON.stringify(kept).includes(token), 'the token is kept somewhere');
    for (const request of this.requests) {
      const sent = `${request.url()} ${request.headers().referer ?? ''}`;
      if (token && !request.isNavigationRequest()) assert(!sent.includes(token), 'the token is in an address');
    }
  }
  async close() { await this.context.close(); }
}
