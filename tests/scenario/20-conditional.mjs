// Preconditions (RFC 9110 section 13) on reads: which tags and dates match, in which order they are looked at, what a 304 bears.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {assertProblem, scenario} from './lib/site.mjs';

const IMF = (ms) => new Date(ms).toUTCString();
const parts = (ms) => new Date(ms).toUTCString().replace(',', '').split(' '); // Sun 06 Nov 1994 08:49:37 GMT
const fullDay = (ms) => ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'][new Date(ms).getUTCDay()];
function rfc850(ms) {
  const [, day, month, year, time] = parts(ms);
  return `${fullDay(ms)}, ${day}-${month}-${year.slice(2)} ${time} GMT`;
}
function asctime(ms) {
  const [week, day, month, year, time] = parts(ms);
  return `${week} ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`;
}

scenario('conditional reads', {}, (at) => {
  // E: the tag without its quotes; O: the other view's; T: Last-Modified in ms.
  const table = [
    ['no condition', {}, 200],
    ['If-None-Match: the tag', ({E}) => ({'If-None-Match': `"${E}"`}), 304],
    ['If-None-Match: weakened', ({E}) => ({'If-None-Match': `W/"${E}"`}), 304],
    ['If-None-Match: *', {'If-None-Match': '*'}, 304],
    ['If-None-Match: last of a list', ({E}) => ({'If-None-Match': `"x", W/"y" ,"${E}"`}), 304],
    ['If-None-Match: first of a list', ({E}) => ({'If-None-Match': `"${E}","x"`}), 304],
    ['If-None-Match: empty elements', ({E}) => ({'If-None-Match': `, ,"${E}",,`}), 304],
    ['If-None-Match: a comma within a tag', ({E}) => ({'If-None-Match': `"a,b", "${E}"`}), 304],
    ...['gzip', 'br', 'zstd', 'deflate'].map((coding) => [`If-None-Match: "…-${coding}"`, ({E}) => ({'If-None-Match': `"${E}-${coding}"`}), 304]),
    ['If-None-Match: W/"…-gzip"', ({E}) => ({'If-None-Match': `W/"${E}-gzip"`}), 304],
    ['If-None-Match: "…-rot13"', ({E}) => ({'If-None-Match': `"${E}-rot13"`}), 200],
    ['If-None-Match: "…-gzip-gzip"', ({E}) => ({'If-None-Match': `"${E}-gzip-gzip"`}), 200],
    ['If-None-Match: another', {'If-None-Match': '"x"'}, 200],
    ['If-None-Match: the owner\'s view\'s', ({O}) => ({'If-None-Match': `"${O}"`}), 200],
    ['If-None-Match: without quotes', ({E}) => ({'If-None-Match': E}), 200],
    ['If-None-Match: one quote', ({E}) => ({'If-None-Match': `"${E}`}), 200],
    ['If-None-Match: w/ in small', ({E}) => ({'If-None-Match': `w/"${E}"`}), 200],
    ['If-None-Match: a part of it', ({E}) => ({'If-None-Match': `"${E.slice(0, -1)}"`}), 200],
    ['If-None-Match: more than it', ({E}) => ({'If-None-Match': `"${E}0"`}), 200],
    ['If-None-Match: in capitals', ({E}) => ({'If-None-Match': `"${E.toUpperCase()}"`}), 200],
    ['If-None-Match: * quoted', {'If-None-Match': '"*"'}, 200],
    ['If-None-Match: empty', {'If-None-Match': ''}, 200],
    ['If-Modified-Since: Last-Modified', ({T}) => ({'If-Modified-Since': IMF(T)}), 304],
    ['If-Modified-Since: later', ({T}) => ({'If-Modified-Since': IMF(T + 5000)}), 304],
    ['If-Modified-Since: a second before', ({T}) => ({'If-Modified-Since': IMF(T - 1000)}), 200],
    ['If-Modified-Since: by RFC 850', ({T}) => ({'If-Modified-Since': rfc850(T)}), 304],
    ['If-Modified-Since: by RFC 850, before', ({T}) => ({'If-Modified-Since': rfc850(T - 1000)}), 200],
    ['If-Modified-Since: by asctime', ({T}) => ({'If-Modified-Since': asctime(T)}), 304],
    ['If-Modified-Since: no date', {'If-Modified-Since': 'yesterday'}, 200],
    ['If-Modified-Since: ISO 8601', ({T}) => ({'If-Modified-Since': new Date(T + 9000).toISOString()}), 200],
    ['If-Modified-Since: a 32nd', {'If-Modified-Since': 'Sun, 32 Jan 2034 08:49:37 GMT'}, 200],
    ['If-None-Match goes before If-Modified-Since', ({T}) => ({'If-None-Match': '"x"', 'If-Modified-Since': IMF(T)}), 200],
    ['both say unchanged', ({E, T}) => ({'If-None-Match': `"${E}"`, 'If-Modified-Since': IMF(T)}), 304],
    ['the tag matches, the date is old', ({E}) => ({'If-None-Match': `"${E}"`, 'If-Modified-Since': IMF(0)}), 304],
    ['If-Match: the tag', ({E}) => ({'If-Match': `"${E}"`}), 200],
    ['If-Match: *', {'If-Match': '*'}, 200],
    ['If-Match: in a list', ({E}) => ({'If-Match': `"x", "${E}"`}), 200],
    ['If-Match: "…-gzip"', ({E}) => ({'If-Match': `"${E}-gzip"`}), 200],
    ['If-Match: weakened never matches', ({E}) => ({'If-Match': `W/"${E}"`}), 412],
    ['If-Match: another', {'If-Match': '"x"'}, 412],
    ['If-Match: without quotes', ({E}) => ({'If-Match': E}), 412],
    ['If-Match fails before If-None-Match is looked at', ({E}) => ({'If-Match': '"x"', 'If-None-Match': `"${E}"`}), 412],
    ['If-Match holds, If-None-Match says unchanged', ({E}) => ({'If-Match': `"${E}"`, 'If-None-Match': `"${E}"`}), 304],
    ['If-Unmodified-Since: Last-Modified', ({T}) => ({'If-Unmodified-Since': IMF(T)}), 200],
    ['If-Unmodified-Since: before', ({T}) => ({'If-Unmodified-Since': IMF(T - 1000)}), 412],
    ['If-Unmodified-Since: no date', {'If-Unmodified-Since': 'never'}, 200],
    ['If-Match goes before If-Unmodified-Since', ({E}) => ({'If-Match': `"${E}"`, 'If-Unmodified-Since': IMF(0)}), 200],
    ['If-Unmodified-Since fails before If-None-Match is looked at', ({E}) => ({'If-Unmodified-Since': IMF(0), 'If-None-Match': `"${E}"`}), 412],
  ];
  for (const method of ['GET', 'HEAD'])
    for (const [what, headers, status] of table)
      test(`${method}, ${what} → ${status}`, async () => {
        const {site} = at;
        const plain = await site.get('/v1/profiles/ann', {as: 'bob'});
        const owner = await site.get('/v1/me', {as: 'ann'});
        const known = {E: plain.etag.slice(1, -1), O: owner.etag.slice(1, -1), T: Date.parse(plain.header('last-modified'))};
        const answer = await site.call(method, '/v1/profiles/ann', {as: 'bob', headers: typeof headers === 'function' ? headers(known) : headers});
        assert.equal(answer.status, status, answer.text);
        if (status === 200) assert.equal(answer.etag, plain.etag);
        if (status === 412 && method === 'GET') assertProblem(answer, 412);
        if (status === 304) {
          assert.equal(answer.body.length, 0);
          assert.equal(answer.etag, plain.etag);
          assert.equal(answer.header('cache-control'), plain.header('cache-control'));
          assert.equal(answer.header('content-type'), undefined);
          assert.equal(answer.header('x-content-type-options'), 'nosniff');
          assert.equal(answer.header('x-request-id'), undefined);
        }
      });

  test('a 304 by handle bears Content-Location, one of the owner\'s view its Vary', async () => {
    const byHandle = await at.site.get('/v1/profiles/@ann', {as: 'bob'});
    const again = await at.site.get('/v1/profiles/@ann', {as: 'bob', none: byHandle.etag});
    assert.equal(again.status, 304);
    assert.equal(again.header('content-location'), '/v1/profiles/ann');
    const mine = await at.site.get('/v1/me', {as: 'ann'});
    const mineAgain = await at.site.get('/v1/me', {as: 'ann', none: mine.etag});
    assert.equal(mineAgain.status, 304);
    assert.equal(mineAgain.header('vary'), mine.header('vary'));
    assert.equal(mineAgain.header('cache-control'), 'private, no-cache');
  });

  test('authorisation comes first: a tag gets nobody in', async () => {
    const {etag} = await at.site.get('/v1/profiles/ann', {as: 'bob'});
    assertProblem(await at.site.get('/v1/profiles/ann', {none: etag}), 401);
    assertProblem(await at.site.get('/v1/profiles/ann', {none: '*'}), 401);
    assertProblem(await at.site.get('/v1/me', {as: 'ann', scope: 'profile:list', none: '*'}), 403);
  });

  test('conditions on what is not there: 404, and If-Match cannot hold', async () => {
    assertProblem(await at.site.get('/v1/profiles/nobody', {as: 'bob', none: '"x"'}), 404);
    assertProblem(await at.site.get('/v1/profiles/nobody', {as: 'bob', none: '*'}), 404);
    const answer = await at.site.get('/v1/profiles/nobody', {as: 'bob', match: '*'});
    assert([404, 412].includes(answer.status));
  });

  test('a change makes the old tag old', async () => {
    const {site} = at;
    const before = await site.get('/v1/profiles/ann', {as: 'bob'});
    const changed = await site.patch('/v1/profiles/ann', {nickname: 'Annie'}, {as: 'ann', match: before.etag});
    assert.equal(changed.status, 200);
    const after = await site.get('/v1/profiles/ann', {as: 'bob', none: before.etag});
    assert.equal(after.status, 200);
    assert.equal(after.etag, changed.etag);
    assert.notEqual(after.etag, before.etag);
    assert.equal((await site.get('/v1/profiles/ann', {as: 'bob', none: after.etag})).status, 304);
    assertProblem(await site.get('/v1/profiles/ann', {as: 'bob', match: before.etag}), 412);
  });
}, (site) => site.make({id: 'ann', handle: 'ann', name: 'Ann'}));
