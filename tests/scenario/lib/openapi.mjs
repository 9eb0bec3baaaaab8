// schema/openapi.json as a judge: which operation an answer belongs to, and what is wrong with it by the document. Every answer
// that lib/client.mjs gets goes by here.
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {brotliDecompressSync, gunzipSync, inflateSync} from 'node:zlib';

export const file = join(dirname(fileURLToPath(import.meta.url)), '../../../schema/openapi.json');
export const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'];

let document, ajv;
/** The document, read once. */
export function description() { return (document ??= JSON.parse(readFileSync(file, 'utf8'))); }
/** What a $ref stands for, with the pointer at which it stands. */
export function resolve(node, pointer = '#') {
  while (node?.$ref !== undefined) {
    pointer = node.$ref;
    node = pointer.slice(2).split('/').reduce((at, token) => at?.[token.replaceAll('~1', '/').replaceAll('~0', '~')], description());
  }
  return {node, pointer};
}

const compiled = new Map();
/** A validator for the schema at a pointer of the document (JSON Schema 2020-12), compiled when it is first needed. */
export function validator(pointer) {
  if (!compiled.has(pointer)) {
    if (!ajv) {
      const require = createRequire(import.meta.url);
      const Ajv = require('ajv/dist/2020').default;
      ajv = new Ajv({strict: false, validateSchema: false, addUsedSchema: false, formats: {int64: true}});
      require('ajv-formats').default(ajv);
      ajv.addSchema(description(), 'api');
    }
    compiled.set(pointer, ajv.compile({$ref: `api${pointer.split('/').map(encodeURIComponent).join('/').replace('%23', '#')}`}));
  }
  return compiled.get(pointer);
}
const step = (pointer, ...tokens) => [pointer, ...tokens.map((t) => t.replaceAll('~', '~0').replaceAll('/', '~1'))].join('/');
function complaint(pointer, value) {
  const validate = validator(pointer);
  return validate(value) ? undefined : validate.errors.map((e) => `${e.instancePath || 'it'} ${e.message}${e.params?.additionalProperty ? ` (${e.params.additionalProperty})` : ''}`).join('; ');
}

let templates;
/** The path of the document that an address belongs to, as the router finds it; undefined when there is none. */
export function template(target) {
  templates ??= Object.keys(description().paths).map((path) => ({path, parts: path.slice(1).split('/')}))
    .sort((a, b) => rank(a.path) - rank(b.path));
  let parts;
  try {
    parts = target.split('?')[0].slice(1).split('/').map(decodeURIComponent);
  } catch {
    return undefined;
  }
  return templates.find(({parts: wanted}) => wanted.length === parts.length && wanted.every((want, i) => {
    if (want.startsWith('{')) return parts[i].length > 0;
    return want.startsWith('@{') ? parts[i].length > 1 && parts[i][0] === '@' : want === parts[i];
  }))?.path;
}
const rank = (path) => (path.includes('/{') ? 2 : path.includes('@{') ? 1 : 0);

// What HTTP itself, a front server or a cache on the way puts on an answer.
const carriers = new Set(['date', 'server', 'connection', 'keep-alive', 'content-length', 'content-type', 'content-encoding', 'transfer-encoding',
  'accept-ranges', 'age', 'via', 'warning', 'x-varnish', 'x-cache', 'x-cache-lookup', 'cache-status', 'cache-control']);
// What a front server, or a cache, says in words of its own.
const carriersOwn = new Set([206, 400, 403, 404, 405, 408, 411, 413, 414, 416, 417, 431, 500, 501, 502, 503, 504]);

function decoded(answer) {
  switch (answer.header('content-encoding')) {
    case undefined: case 'identity': return answer.body;
    case 'gzip': case 'x-gzip': return gunzipSync(answer.body);
    case 'br': return brotliDecompressSync(answer.body);
    case 'deflate': return inflateSync(answer.body);
    default: return undefined;
  }
}

/** Whether a cache on the way made the answer itself: then it bears no id of a request. */
const madeOnTheWay = (answer) => answer.header('cache-status') !== undefined && !/\bprofiled\b/.test(answer.header('cache-status'));

function headerFaults(response, pointer, answer) {
  const faults = [];
  const described = new Map(Object.entries(response.headers ?? {}).map(([name, node]) => [name.toLowerCase(), {name, ...resolve(node, step(pointer, 'headers', name))}]));
  for (const [low, {name, node, pointer: at}] of described) {
    const value = answer.header(low);
    // RFC 9110 section 15.4.5: of a 304 a front server may leave out what is no metadata of the cache's
    if (value === undefined && node.required && !(low === 'x-request-id' && madeOnTheWay(answer)) && !(answer.status === 304 && ['x-content-type-options', 'x-request-id', 'content-location', 'vary', 'last-modified'].includes(low)))
      faults.push(`${name} is missing`);
    if (value === undefined) continue;
    const {node: schema} = resolve(node.schema);
    const wrong = complaint(step(at, 'schema'), schema.type === 'integer' && /^-?[0-9]+$/.test(value) ? Number(value) : value);
    if (wrong) faults.push(`${name}: ${value}: ${wrong}`);
  }
  for (const name of new Set(answer.names))
    if (!described.has(name) && !carriers.has(name)) faults.push(`${name} is not described`);
  return faults;
}

/** Without `fields` a view is whole: what is wrong where it is not. */
function partOfView(schema, value) {
  const {node} = resolve(schema);
  if (node.anyOf?.length === 2 && /ProfilePart$/.test(node.anyOf[1].$ref)) return complaint(node.anyOf[0].$ref, value);
  return (Array.isArray(value?.profiles) ? value.profiles : []).map((each) => complaint('#/components/schemas/PublicProfile', each)).find((wrong) => wrong);
}

function bodyFaults(response, pointer, {method, path}, answer) {
  const type = answer.header('content-type');
  if (!response.content) return answer.body.length === 0 ? [] : ['there is a body'];
  // of what was made, the representation may have been left out: it was preferred so, or nobody may see it
  if (answer.status === 201 && type === undefined && answer.body.length === 0) return [];
  const key = Object.keys(response.content).find((k) => k.toLowerCase() === type?.toLowerCase()) ??
    Object.keys(response.content).find((k) => k === type?.split(';')[0].trim().toLowerCase());
  if (key === undefined) return [`Content-Type: ${type}`];
  if (method === 'HEAD') return answer.body.length === 0 ? [] : ['there is a body'];
  const bytes = decoded(answer);
  if (bytes === undefined || !response.content[key].schema || !/json|text|jwt/.test(key)) return [];
  let value = bytes.toString('utf8');
  if (Buffer.compare(Buffer.from(value), bytes) !== 0) return ['the body is not UTF-8'];
  if (/json/.test(key))
    try {
      value = JSON.parse(value);
    } catch (error) {
      return [`the body is no JSON: ${error.message}`];
    }
  const wrong = complaint(step(pointer, 'content', key, 'schema'), value) ?? (/[?&]fields=/.test(path) ? undefined : partOfView(response.content[key].schema, value));
  return wrong ? [`the body: ${wrong}: ${bytes.toString('utf8').slice(0, 300)}`] : [];
}

/** An answer that no operation describes: a problem document whose type says so, and with a 405 the methods that are described. */
function undescribed(item, answer) {
  const want = item ? 405 : 404;
  const faults = [];
  if (answer.status !== want && answer.status !== 400) faults.push(`${answer.status} for ${item ? 'a method that' : 'an address that'} is not described`);
  const wrong = complaint('#/components/schemas/Problem', JSON.parse(answer.text || 'null'));
  if (wrong) faults.push(`the body: ${wrong}`);
  if (answer.status === 405) {
    const methods = METHODS.filter((m) => item?.[m]).map((m) => m.toUpperCase()).sort();
    if ((answer.header('allow') ?? '').split(', ').sort().join() !== methods.join()) faults.push(`Allow: ${answer.header('allow')}, but described are ${methods}`);
  }
  return faults;
}

/** What is wrong with an answer: a list, empty when nothing is. */
export function faultsOf({method, path}, answer) {
  if (method === 'PURGE') return []; // a cache's method
  const isProblem = /^application\/problem\+json/.test(answer.header('content-type') ?? '');
  const name = path.startsWith('/') ? template(path) : undefined;
  const item = name === undefined ? undefined : description().paths[name];
  const operation = item?.[method.toLowerCase()];
  if (!operation) return isProblem && method !== 'HEAD' ? undescribed(item, answer) : [];
  if (carriersOwn.has(answer.status) && !isProblem) return [];
  const node = operation.responses[answer.status];
  if (!node) return [`${answer.status} is not described`];
  const {node: response, pointer} = resolve(node, step('#', 'paths', name, method.toLowerCase(), 'responses', String(answer.status)));
  return [...headerFaults(response, pointer, answer), ...bodyFaults(response, pointer, {method, path}, answer)];
}

const found = [];
/** Throws when an answer is not as the document has it. The process ends badly even if nobody heard. */
export function judge(asked, answer) {
  const faults = faultsOf(asked, answer);
  if (faults.length === 0) return;
  const text = `${asked.method} ${asked.path}: ${answer.status} is not as schema/openapi.json says: ${faults.join(' | ')}`;
  if (found.push(text) === 1)
    process.on('exit', () => {
      console.error(found.join('\n'));
      process.exitCode ||= 1;
    });
  throw new Error(text);
}
