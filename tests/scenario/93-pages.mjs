// The pages in a real Chromium, behind the real lighttpd, with its policy: each at a phone's and a desk's width, light and dark, and
// what people do on them. PROFILED_SHOTS=FOLDER keeps pictures.
import assert from 'node:assert/strict';
import {readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {gzipSync} from 'node:zlib';
import {Browser, DESK, PHONE} from './lib/browser.mjs';
import {sleep} from './lib/process.mjs';
import {LIST, READ, WRITE, root, scenario} from './lib/site.mjs';
import {now} from './lib/token.mjs';
import {outcome} from '../../www/app/outcome.js';
import {differing, flatten, patchOf, publicOf, same, threeWay} from '../../www/app/fields.js';
import * as numbers from '../../www/app/numbers.js';

const PEOPLE = 10000;
const ADA = {id: 'ada', handle: 'ada', name: 'Ada Lovelace', given_name: 'Augusta Ada', family_name: 'King', pronouns: 'she/her', bio: 'Weaves algebraical patterns.\nNotes on the engine.',
  website: 'https://example.org/ada', locale: 'en-GB', zoneinfo: 'Europe/London', email: 'ada@example.org', address: {locality: 'Ockham', custom: 'kept'}, attributes: {team: 'analytical', empty: null}};

scenario('pages', {}, (at) => {
  let browser;
  const base = () => `http://127.0.0.1:${at.site.port}/`;
  const token = (sub = 'ada', scope = `${READ} ${LIST} ${WRITE}`, more = {}) => at.site.mint(sub, scope, {exp: now() + 600, ...more});
  const person = async (id, more = {}) => at.site.make({id, handle: id, name: `Person ${id}`, ...more});
  /** A window that is signed in by an address, as the quickstart prints it. */
  async function enter(path, {page = '', as, scope, given, ...options} = {}) {
    const mine = given ?? await token(as, scope);
    const window = await browser.open(`${base()}${page}#token=${mine}${path ? `&${path}` : ''}`, options);
    window.token = mine;
    return window;
  }
  const leave = async (window) => { await window.clean(window.token); await window.close(); };
  const value = (window, selector) => window.page.$eval(selector, (node) => node.value);

  before(async () => {
    await at.site.make(ADA);
    const lines = Array.from({length: PEOPLE}, (_, i) => JSON.stringify({id: `u${i}`, handle: `user_${String(i).padStart(5, '0')}`, name: `Person Number ${i}`}));
    const how = await at.site.tryCli(['import', '-'], `${lines.join('\n')}\n`);
    assert.equal(how.code, 0, how.err);
    browser = await Browser.start();
  });
  after(() => browser?.stop());

  /* -- each page, by who may look, at both widths, in both colours */

  const pages = [
    ['welcome', '', undefined, (w) => w.see('h1', 'profiled')],
    ['directory', '/', {}, (w) => w.see('.row-item .name', 'Person Number 3')],
    ['person', '/@ada', {}, (w) => w.see('.card h1', 'Ada Lovelace')],
    ['me', '/me', {}, (w) => w.see('.preview .card h3', 'Ada Lovelace')],
    ['status', '', {page: 'status.html', as: 'ops', scope: 'metrics:read'}, async (w) => { await w.see('#state', 'The pool is running'); await w.until(() => document.querySelectorAll('.plot canvas').length >= 6); await w.until(() => /answered \d/.test(document.querySelector('.legend').textContent)); }],
    ['api', '', {page: 'api.html'}, (w) => w.see('.opblock', '/v1/me')],
    ['problems', '', {page: 'problems.html'}, (w) => w.see('h1', 'Problems')],
  ];
  for (const [name, path, who, ready] of pages)
    test(`${name}: on a phone in the light, on a desk in the dark; axe, policy, console`, async () => {
      for (const [form, size, dark] of [['phone', PHONE, false], ['desk', DESK, true]]) {
        const window = who === undefined ? await browser.open(base(), {size, dark}) : await enter(path, {...who, size, dark});
        await ready(window);
        await window.shot(`${name}-${form}`);
        const wide = await window.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert(wide <= 0, `${name} is ${wide} pixels too wide on a ${form}`);
        await window.accessible(`${name} on a ${form}`);
        /* the other colour, in place */
        await window.page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: dark ? 'light' : 'dark'}]);
        await window.accessible(`${name} on a ${form}, the other colour`, ['color-contrast']);
        await leave(window);
      }
    });

  /* -- the token */

  test('a token in the address is taken out of it before anything is asked for, and a reload forgets it', async () => {
    const window = await enter('/me');
    await window.see('h1', 'Your profile');
    assert.equal(await window.page.evaluate(() => location.href), `${base()}#/me`);
    const asked = window.requests.filter((request) => !request.isNavigationRequest());
    assert(asked.length > 10);
    for (const request of asked) assert(!`${request.url()}${JSON.stringify(request.headers().referer ?? '')}`.includes(window.token));
    /* handed on by a click, and taken out there too */
    await window.see('nav a', 'Problems');
    await Promise.all([window.page.waitForNavigation(), window.click('nav a', 'Problems')]);
    await window.see('.chip', 'ada');
    assert.equal(await window.page.evaluate(() => location.href), `${base()}problems.html`);
    await window.page.reload();
    await window.see('h1', 'Problems');
    assert.equal(await window.page.$eval('.chip', (node) => node.hidden), true);
    await leave(window);
  });

  test('an administrator’s token, one that lasts, and nonsense are not taken from an address', async () => {
    for (const [bad, why] of [[await at.site.mint('ada', 'profile:admin', {exp: now() + 300}), 'administration'], [await token('ada', READ, {exp: now() + 3600}), 'ten minutes'], ['%zz', 'no token']]) {
      const window = await browser.open(`${base()}#token=${bad}`);
      await window.see('#refused', why);
      assert.equal(await window.page.evaluate(() => location.hash), '');
      await window.clean(bad);
      await window.close();
    }
    const window = await browser.open(base());
    await window.type('.token input', 'nonsense');
    await window.click('.token button');
    await window.see('.fault', 'This is no token');
    await window.type('.token input', await token());
    await window.click('.token button');
    await window.see('.row-item', 'Ada Lovelace');
    /* anybody can make a link: it signs nobody in as somebody else */
    const link = await token('u1');
    await window.page.evaluate((t) => { location.hash = `#token=${t}`; }, link);
    await window.until(() => !location.hash.includes('token'));
    await sleep(200);
    assert.equal(await window.page.$eval('.chip .who', (node) => node.textContent), 'ada');
    await window.clean(link);
    await window.click('.chip button', 'Sign out');
    await window.see('#welcome h2', 'Sign in');
    assert.equal(await window.page.evaluate(() => document.body.innerText.includes('Ada Lovelace')), false);
    await leave(window);
  });

  test('a token that expires in mid-edit: another is asked for, and nothing written is lost', async () => {
    await person('exp');
    const window = await enter('/me', {given: await token('exp', undefined, {exp: now() - 20})}); // the server allows 30 s
    await window.see('.preview h3', 'Person exp');
    await window.type('#field-name', 'Edited in time');
    assert.equal((await at.site.delete('/v1/me/tokens', {token: window.token})).status, 204, 'the token is dead');
    await sleep(1100); // tokens of this second are dead too
    await window.click('.editor button', 'Save');
    await window.see('dialog h2', 'A new token is needed');
    await window.accessible('the dialog for a token');
    await window.shot('expired');
    await window.type('dialog input', await token('ada'));
    await window.click('dialog button', 'Go on');
    await window.see('dialog .fault', 'speaks for ada');
    await window.type('dialog input', await token('exp'));
    await window.click('dialog button', 'Go on');
    await window.see('.editor [role=status]', 'Saved');
    assert.equal((await at.site.get('/v1/profiles/exp', {as: 'ada'})).json.name, 'Edited in time');
    await leave(window);
  });

  /* -- directory and profile */

  test('ten thousand rows: all can be scrolled to, few are in the document, the keyboard goes through, and back leads back', async () => {
    const window = await enter('/', {size: PHONE});
    await window.see('.row-item', 'Ada Lovelace');
    const most = await window.page.evaluate(async () => {
      const list = document.querySelector('.rows'), said = () => document.querySelector('#found').textContent, start = Date.now();
      let most = 0;
      while (!said().startsWith('All ') && Date.now() - start < 60000) {
        scrollTo(0, document.documentElement.scrollHeight);
        await new Promise((done) => setTimeout(done, 20));
        most = Math.max(most, list.children.length);
      }
      return most;
    });
    assert(most < 60, `${most} rows at once`);
    const made = PEOPLE + (await at.site.status()).gauges.change_seq * 0;
    assert.match(await window.page.$eval('#found', (node) => node.textContent), new RegExp(`^All ${Math.floor(made / 1000)},\\d{3} profiles\\.$`));
    await window.see('.row-item', 'Person Number 9999');
    const middle = await window.page.evaluate(async () => {
      scrollTo(0, document.querySelector('.rows').offsetHeight / 2);
      await new Promise((done) => setTimeout(done, 200));
      const row = [...document.querySelectorAll('.row-item')].find((node) => node.getBoundingClientRect().top > 100);
      return {text: row.querySelector('.name').textContent, place: Number(row.getAttribute('aria-posinset')), of: Number(row.getAttribute('aria-setsize')), href: row.querySelector('a').getAttribute('href'), y: scrollY};
    });
    assert(middle.of > PEOPLE && middle.place > 4000 && middle.place < 6000, JSON.stringify(middle));
    await window.page.evaluate((href) => document.querySelector(`.row-item a[href="${href}"]`).focus({preventScroll: true}), middle.href);
    for (let i = 0; i < 30; i++) await window.page.keyboard.press('Tab');
    const after30 = await window.page.evaluate(() => ({place: Number(document.activeElement.closest('.row-item')?.getAttribute('aria-posinset')), seen: document.activeElement.getBoundingClientRect().top}));
    assert.equal(after30.place, middle.place + 30);
    assert(after30.seen >= 0 && after30.seen < PHONE.height);
    const y = await window.page.evaluate(() => scrollY);
    await window.page.keyboard.press('Enter');
    await window.see('.card h1', 'Person Number');
    await window.page.goBack();
    await window.see('.row-item', 'Person Number');
    assert(Math.abs(await window.page.evaluate(() => scrollY) - y) < 80, 'back is where it was');
    await leave(window);
  });

  test('search as one types: one request for what stays, the rest given up; nobody; too short', async () => {
    const window = await enter('/');
    await window.see('.row-item', 'Ada Lovelace');
    const before = window.requests.length;
    await window.type('#q', 'person number 77', {keys: true});
    await window.see('#found', 'found.');
    await window.see('.row-item', 'Person Number 77');
    const asked = window.requests.slice(before).filter((request) => request.url().includes('q='));
    assert(asked.length <= 4, `${asked.length} requests for sixteen letters`);
    assert.equal(await window.page.evaluate(() => [...document.querySelectorAll('.row-item .name')].every((node) => node.textContent.includes('Number 77'))), true);
    await window.shot('search');
    await window.type('#q', 'zzzz');
    await window.see('#found', 'Nobody is found');
    await window.type('#q', 'a');
    await window.see('#found', 'Two characters or more');
    await window.see('.row-item', 'Ada Lovelace');
    await leave(window);
  });

  test('a public profile: what is private is not there; a repeat is a 304 in the lens', async () => {
    const window = await enter('/@ada');
    await window.see('.card h1', 'Ada Lovelace');
    const text = await window.text();
    for (const private_ of ['ada@example.org', 'Ockham']) assert(!text.includes(private_));
    await window.click('summary', 'As a program sees it');
    await window.click('button', 'Ask again');
    await window.see('.lens .count', '304');
    await window.see('.lens td .tag', 'cache hit');
    await window.page.evaluate(() => { location.hash = '#/@no_such'; });
    await window.see('#view', 'There is no such profile');
    await leave(window);
  });

  /* -- the editor */

  test('an edit: only what was changed is sent, the preview shows what others will see, faults stand beside their fields', async () => {
    await person('edit', {...ADA, id: 'edit', handle: 'edit'});
    const window = await enter('/me', {as: 'edit'});
    await window.see('.preview h3', 'Ada Lovelace');
    await window.type('#field-name', 'Countess');
    await window.see('.preview h3', 'Countess');
    await window.page.select('#sees-email', 'public');
    await window.see('.preview .facts', 'ada@example.org');
    await window.page.select('#sees-bio', 'private');
    await window.until(() => !document.querySelector('.preview').textContent.includes('Weaves'));
    await window.shot('edited');
    await window.type('#field-website', 'nonsense');
    await window.type('#field-phone_number', '12');
    await window.click('.editor button', 'Save');
    await window.see('#fault-website', 'https');
    const wrong = await window.page.evaluate(() => ({focus: document.activeElement.id, invalid: [...document.querySelectorAll('[aria-invalid=true]')].map(({id}) => id),
      described: document.querySelector('#field-website').getAttribute('aria-describedby')}));
    assert.deepEqual(wrong, {focus: 'field-website', invalid: ['field-website', 'field-phone_number'], described: 'hint-website fault-website'});
    await window.accessible('the editor with faults');
    await window.shot('faults');
    await window.type('#field-website', '');
    await window.type('#field-phone_number', '');
    await window.type('#field-attributes', '{"team": ');
    await window.click('.editor button', 'Save');
    await window.see('#fault-attributes', 'no JSON');
    await window.type('#field-attributes', '{"team": "x", "nothing": null}');
    await window.type('#field-address-locality', 'Paris');
    await window.click('.editor button', 'Save');
    await window.see('.editor [role=status]', 'Saved');
    const body = JSON.parse(window.requests.findLast((request) => request.method() === 'PATCH').postData());
    assert.deepEqual(body.map(({path}) => path), ['/name', '/website', '/address', '/attributes', '/visibility/bio', '/visibility/email']);
    const full = (await at.site.get('/v1/profiles/edit/full', {as: 'admin'})).json;
    assert.deepEqual([full.name, full.website, full.address, full.attributes, full.bio], ['Countess', undefined, {locality: 'Paris', custom: 'kept'}, {team: 'x', nothing: null}, ADA.bio]);
    assert.equal((await at.site.get('/v1/profiles/edit', {as: 'ada'})).json.email, 'ada@example.org');
    await window.type('#field-handle', 'ada');
    await window.click('.editor button', 'Save');
    await window.see('#fault-handle', 'Somebody else has this handle');
    await window.click('.editor button', 'Undo');
    assert.equal(await value(window, '#field-handle'), 'edit');
    await leave(window);
  });

  test('two windows edit one profile: the later chooses field by field, and what nobody disputes is kept', async () => {
    await person('two', {...ADA, id: 'two', handle: 'two'});
    const one = await enter('/me', {as: 'two'}), other = await enter('/me', {as: 'two', size: PHONE});
    for (const window of [one, other]) await window.see('.preview h3', 'Ada Lovelace');
    await one.type('#field-name', 'Name of the first');
    await one.type('#field-nickname', 'First');
    await one.click('.editor button', 'Save');
    await one.see('.editor [role=status]', 'Saved');
    await other.type('#field-name', 'Name of the second');
    await other.type('#field-pronouns', 'they/them');
    await other.click('.editor button', 'Save');
    await other.see('dialog h2', 'It was changed meanwhile');
    await other.shot('conflict-phone');
    const rows = await other.page.$$eval('.choice', (nodes) => nodes.map((node) => [node.querySelector('legend').firstChild.textContent, [...node.querySelectorAll('.way-value')].map((n) => n.textContent), node.querySelector(':checked')?.value ?? '']));
    assert.deepEqual(rows, [['Name', ['Name of the second', 'Name of the first', 'Ada Lovelace'], ''], ['Nickname', ['nothing', 'First', 'nothing'], 'theirs'], ['Pronouns', ['they/them', 'she/her', 'she/her'], 'mine']]);
    await other.accessible('a conflict');
    await other.click('dialog button', 'Back to my edit');
    assert.equal(await value(other, '#field-name'), 'Name of the second');
    await other.click('.editor button', 'Save');
    await other.see('dialog h2', 'It was changed meanwhile');
    await other.click('dialog button', 'Save what I chose');
    await other.see('dialog .fault', 'Choose for “Name”');
    await other.click('dialog label', 'Name of the second');
    await other.click('dialog button', 'Save what I chose');
    await other.see('.editor [role=status]', 'Saved');
    const {name, nickname, pronouns} = (await at.site.get('/v1/profiles/two', {as: 'ada'})).json;
    assert.deepEqual([name, nickname, pronouns], ['Name of the second', 'First', 'they/them']);
    await leave(one);
    await leave(other);
  });

  test('a picture: looked at before it is sent, what is unsaved elsewhere stays, one too large is made smaller', async () => {
    await person('pic');
    const window = await enter('/me', {as: 'pic'});
    await window.see('.preview h3', 'Person pic');
    await window.type('#field-bio', 'unsaved');
    const file = join(at.site.folder, 'photo.png'), large = join(at.site.folder, 'large.png'), text = join(at.site.folder, 'no.txt');
    const drawn = await window.page.evaluate(async () => {
      const draw = async (side, noise) => {
        const canvas = new OffscreenCanvas(side, side), context = canvas.getContext('2d'), image = context.createImageData(side, side);
        for (let i = 0, n = 7; i < image.data.length; i++) { n = (Math.imul(n, 1103515245) + 12345) & 0x7fffffff; image.data[i] = i % 4 === 3 ? 255 : noise ? (n >> 16) & 255 : (i / side / 4) & 255; }
        context.putImageData(image, 0, 0);
        const bytes = new Uint8Array(await (await canvas.convertToBlob({type: 'image/png'})).arrayBuffer());
        let binary = '';
        for (let i = 0; i < bytes.length; i += 8192) binary += String.fromCharCode(...bytes.subarray(i, i + 8192));
        return btoa(binary);
      };
      return [await draw(200, false), await draw(700, true)];
    });
    writeFileSync(file, Buffer.from(drawn[0], 'base64'));
    writeFileSync(large, Buffer.from(drawn[1], 'base64'));
    writeFileSync(text, 'no picture');
    assert(readFileSync(large).length > 1 << 20);
    const input = await window.page.$('#avatar');
    await input.uploadFile(text);
    await window.see('.avatar .fault', 'none of PNG');
    await input.uploadFile(file);
    await window.see('.avatar-new', 'Use this picture');
    assert.equal(window.requests.some((request) => request.method() === 'PUT'), false);
    await window.click('.avatar-new button', 'Use this picture');
    await window.until(() => document.querySelector('.avatar-now img')?.naturalWidth > 0);
    await window.shot('avatar');
    assert.equal(await value(window, '#field-bio'), 'unsaved');
    await window.click('.editor button', 'Save');
    await window.see('.editor [role=status]', 'Saved');
    const seen = (await at.site.get('/v1/profiles/pic', {as: 'ada'})).json;
    assert.match(seen.picture, /\/v1\/avatars\//);
    assert.equal(seen.bio, 'unsaved');
    await input.uploadFile(large);
    await window.see('.avatar-new', 'made smaller');
    await window.click('.avatar-new button', 'Use this picture');
    await window.until((old) => document.querySelector('#field-picture').value !== old, seen.picture);
    /* dropped */
    await window.page.evaluate((base64) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], 'drop.png', {type: 'image/png'}));
      document.querySelector('.drop').dispatchEvent(new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true}));
    }, drawn[0]);
    await window.see('.avatar-new', 'Use this picture');
    await window.click('.avatar-new button', 'Not this one');
    await window.click('.avatar-now button', 'Remove');
    await window.until(() => document.querySelector('#field-picture').value === '');
    await leave(window);
  });

  test('who has no profile yet makes one; signing out everywhere ends the token', async () => {
    const window = await enter('/me', {as: 'newcomer'});
    await window.type('#new-handle', 'X');
    await window.click('button', 'Make my profile');
    await window.until(() => document.querySelector('#new-fault').textContent !== '');
    await window.type('#new-handle', 'newcomer');
    await window.click('button', 'Make my profile');
    await window.see('.preview .handle', '@newcomer');
    await window.click('button', 'Sign out everywhere');
    await window.click('dialog button', 'End them');
    await window.see('#welcome h2', 'Sign in');
    assert.equal((await at.site.get('/v1/me', {token: window.token})).status, 401);
    await leave(window);
  });

  /* -- no connection */

  test('offline: it is said, what was read stays, an edit is kept, and it goes on by itself', async () => {
    await person('off');
    const window = await enter('/me', {as: 'off'});
    window.allowed.push(/ERR_INTERNET_DISCONNECTED/);
    await window.see('.preview h3', 'Person off');
    await window.type('#field-name', 'Written offline');
    await window.page.setOfflineMode(true);
    await window.see('.banner', 'No connection');
    await window.accessible('offline');
    await window.click('.editor button', 'Save');
    await window.see('.editing .fault', 'Not saved');
    await window.shot('offline');
    assert.equal(await value(window, '#field-name'), 'Written offline');
    await window.page.setOfflineMode(false);
    await window.until(() => document.querySelector('.banner').hidden);
    await window.click('.editor button', 'Save');
    await window.see('.editor [role=status]', 'Saved');
    await window.page.evaluate(() => { location.hash = '#/'; });
    await window.see('.row-item', 'Ada Lovelace');
    await window.page.setOfflineMode(true);
    await window.see('.banner', 'No connection');
    assert.match(await window.text(), /Ada Lovelace/);
    await window.page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await window.page.setOfflineMode(false);
    await window.until(() => document.querySelector('.banner').hidden);
    await window.page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await window.until(() => /^[2-9]\d\d so far/.test(document.querySelector('#found').textContent));
    await leave(window);
  });

  /* -- the operator's page, the reference */

  test('the pool: numbers move each second, rest while hidden, and can be read as tables; a token that may not is told so', async () => {
    const window = await enter('', {page: 'status.html', as: 'ops', scope: 'metrics:read'});
    await window.see('.tiles', 'Workers busy');
    const asked = () => window.requests.filter((request) => request.url().endsWith('/v1/status')).length;
    const first = asked();
    await window.until((n) => performance.getEntriesByType('resource').filter(({name}) => name.endsWith('/v1/status')).length >= n, first + 3);
    await window.click('.chart summary', 'As a table');
    await window.see('.chart td', '.');
    await window.see('table', '/v1/status');
    await window.page.evaluate(() => { Object.defineProperty(document, 'hidden', {value: true, configurable: true}); document.dispatchEvent(new Event('visibilitychange')); });
    await sleep(300);
    const rested = asked();
    await sleep(1500);
    assert(asked() <= rested + 1, 'it rests while nobody looks');
    await leave(window);
    const other = await enter('', {page: 'status.html'});
    other.allowed.push(/status of 403/);
    await other.see('#gate', 'metrics:read');
    await leave(other);
  });

  test('the reference: made from the server’s own document, and trying works with the token in hand', async () => {
    const window = await enter('', {page: 'api.html'});
    await window.see('.opblock', '/v1/me');
    const described = (await at.site.get('/openapi.json')).json;
    const operations = Object.values(described.paths).flatMap((path) => Object.keys(path)).filter((method) => ['get', 'put', 'post', 'patch', 'delete'].includes(method)).length;
    assert.equal(await window.page.$$eval('.opblock', (nodes) => nodes.length), operations);
    await window.page.evaluate(() => [...document.querySelectorAll('.opblock-get')].find((n) => n.querySelector('[data-path="/v1/me"]')).querySelector('.opblock-summary-control').click());
    await window.until(() => document.querySelector('.try-out__btn') !== null);
    await window.accessible('an operation');
    await window.page.$eval('.try-out__btn', (button) => button.click());
    await window.until(() => document.querySelector('.execute') !== null);
    await window.page.$eval('.execute', (button) => button.click());
    await window.until(() => document.querySelector('.live-responses-table .response .microlight, .live-responses-table .response pre') !== null);
    assert.match(await window.page.$eval('.live-responses-table', (node) => node.innerText), /200[^]*"id": "ada"/);
    await window.accessible('an answer');
    await window.page.$eval('.live-responses-table', (node) => node.scrollIntoView({block: 'center'}));
    await window.shot('tried');
    assert.equal(await window.page.evaluate((t) => document.body.innerHTML.includes(t), window.token), false, 'the token is not shown');
    assert(window.requests.every((request) => new URL(request.url()).origin === new URL(base()).origin || request.url().startsWith('data:')), 'nothing is asked of anybody else');
    await leave(window);
  });

  test('the first load is small', async () => {
    const window = await browser.open(base());
    await window.see('h1', 'profiled');
    await window.until(() => document.readyState === 'complete');
    const paths = [...new Set(window.requests.map((request) => new URL(request.url()).pathname))].map((path) => (path === '/' ? '/index.html' : path));
    assert(paths.length > 8, paths.join());
    const sizes = paths.filter((path) => path !== '/favicon.ico').map((path) => [path, gzipSync(readFileSync(join(root, 'www', path)), {level: 9}).length]);
    const total = sizes.reduce((sum, [, size]) => sum + size, 0);
    assert(total <= 60 * 1024, `${total} bytes: ${sizes.map(([path, size]) => `${path} ${size}`).join(', ')}`);
    assert.deepEqual(paths.filter((path) => path.startsWith('/vendor')), []);
    /* what the page will need is named in it, so that it does not come step by step */
    const named = [...readFileSync(join(root, 'www/index.html'), 'utf8').matchAll(/modulepreload" href="([^"]+)"/g)].map(([, href]) => `/${href}`).sort();
    assert.deepEqual(named, paths.filter((path) => path.endsWith('.js') && path !== '/app/fragment.js' && path !== '/app/main.js').sort());
    console.log(`| first load: ${(total / 1024).toFixed(1)} KiB compressed, ${paths.length} files`);
    await leave(window);
  });
});

// ---- what needs no browser

test('every page names what it needs, and nothing of anybody else’s', () => {
  for (const page of readdirSync(join(root, 'www')).filter((name) => name.endsWith('.html'))) {
    const text = readFileSync(join(root, 'www', page), 'utf8');
    for (const [tag] of text.matchAll(/<script[^>]*>(?!<\/script>)/g)) assert.fail(`${page}: ${tag} has code in it`);
    for (const [, address] of text.matchAll(/(?:src|<link [^>]*href)="([^"]+)"/g)) assert(!/^(https?:)?\/\//.test(address) && readFileSync(join(root, 'www', address)), `${page}: ${address}`);
    assert.match(text, /^<!doctype html>\n<html lang="en">/);
    assert(text.indexOf('app/fragment.js') < text.indexOf('stylesheet'), `${page}: the token goes first`);
  }
});

test('fields: flat maps, patches, three ways', () => {
  const ann = {handle: 'ann', name: 'Ann', attributes: {b: 1, a: null}, visibility: {email: 'public'}};
  const before = flatten(ann);
  assert.equal(before.get('visibility/email'), 'public');
  assert.equal(before.get('visibility/birthdate'), 'private');
  const mine = new Map(before).set('name', 'Mine').set('bio', 'x'), theirs = new Map(before).set('name', 'Theirs').set('bio', 'x').set('attributes', {a: null, b: 1});
  assert.deepEqual(differing(before, mine), ['name', 'bio']);
  assert.deepEqual(patchOf(mine, before), [{op: 'add', path: '/name', value: 'Ann'}, {op: 'remove', path: '/bio'}]);
  assert.deepEqual(threeWay(before, mine, theirs), [{key: 'name', before: 'Ann', mine: 'Mine', theirs: 'Theirs', clash: true}]);
  assert.deepEqual(threeWay(before, before, before), []);
  assert.equal(same({a: [1, {b: 2, c: 3}]}, {a: [1, {c: 3, b: 2}]}), true);
  assert.equal(same([1, 2], [2, 1]), false);
  assert.equal('birthdate' in publicOf(new Map(before).set('birthdate', '1990')), false);
});

test('numbers: rates, ratios and percentiles between two looks; null where nothing can be told', () => {
  const look = (s, requests, buckets, counters = {}) => ({read_at: new Date(s * 1000).toISOString(), routes: [{statuses: requests}], latency: {buckets: buckets.map((count, i) => ({le_us: [100, 200, null][i], count}))},
    counters: {cache_hits: 0, cache_negative_hits: 0, cache_misses: 0, token_memo_hits: 0, token_memo_misses: 0, cache_invalidations_update: 0, ...counters}});
  const a = look(10, {200: 10, 304: 5}, [0, 0, 0]), b = look(12, {200: 14, 304: 5, 404: 2, 503: 1}, [10, 10, 0], {cache_hits: 3, cache_misses: 1, cache_invalidations_update: 4});
  assert.deepEqual(numbers.requestRates(a, b), {good: 2, same: 0, refused: 1, failed: 0.5});
  assert.deepEqual(numbers.requestRates(b, a), {good: null, same: null, refused: null, failed: null});
  assert.equal(numbers.quantile(a, b, 0.5), 100);
  assert.equal(numbers.quantile(a, b, 0.75), 150);
  assert.equal(numbers.quantile(a, a, 0.5), null);
  assert.equal(numbers.quantile(b, a, 0.5), null);
  assert.equal(numbers.quantile(a, look(11, {}, [0, 0, 5]), 0.99), 200);
  assert.equal(numbers.cacheRatio(a, b), 0.75);
  assert.equal(numbers.cacheRatio(a, a), null);
  assert.equal(numbers.memoRatio(a, b), null);
  assert.equal(numbers.invalidationRate(a, b), 2);
  assert.equal(numbers.purgeLag({edge: null}), null);
  assert.equal(numbers.purgeLag({edge: {addresses: [{lag_seconds: 1}, {lag_seconds: 2.5}]}}), 2.5);
});

test('the lens tells each outcome', () => {
  for (const [answer, text] of [
    [{status: 304, cacheStatus: 'profiled; hit'}, '304, cache hit'], [{status: 200, cacheStatus: 'profiled; hit'}, '200, cache hit'], [{status: 200, cacheStatus: 'profiled; fwd=miss; stored'}, '200, miss'],
    [{status: 200, cacheStatus: 'profiled; fwd=miss; stored, varnish; hit; ttl=4', age: 12}, 'edge hit, 12 s old'], [{status: 304, cacheStatus: 'varnish; hit'}, '304, edge hit'],
    [{status: 200, cacheStatus: 'profiled; hit, varnish; fwd=miss'}, '200, cache hit'], [{status: 404}, '404'], [{status: 0}, 'no answer'], [{status: 200, stored: true}, 'browser’s copy'], [{status: 201}, '201'],
  ]) assert.equal(outcome(answer).text, text);
});
