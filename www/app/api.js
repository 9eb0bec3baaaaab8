/**
 * The reference: /openapi.json shown by Swagger UI (vendor/swagger-ui, loaded as the global it is). Its requests bear the token in
 * hand, its colours are this site's, and some of its markup is mended for who uses a keyboard or a screen reader.
 */

import {el, trouble} from './dom.js';
import {base, furnish, isQuiet, net, session} from './page.js';
import {mend} from './reference.js';
import {tokenForm} from './session.js';

const reference = document.querySelector('#reference'), said = document.querySelector('#trouble');
let shown = false;

function gate() {
  document.querySelector('#gate').hidden = session.token !== undefined;
  document.querySelector('#refused').textContent = session.refused ?? '';
}

/* Swagger UI fills what is tried with the examples: what need not be sent is not to be sent unless somebody wants it. */
function empty({example, examples, ...parameter}) {
  if (parameter.$ref !== undefined || parameter.required) return {...parameter, ...(example === undefined ? {} : {example}), ...(examples === undefined ? {} : {examples})};
  const {example: one, examples: many, ...schema} = parameter.schema ?? {};
  return {...parameter, schema};
}

/* The description names servers of its own; what is tried is tried here. HEAD and OPTIONS are everywhere, and are said once. */
function here(description) {
  const operation = (value) => (Array.isArray(value?.parameters) ? {...value, parameters: value.parameters.map(empty)} : value);
  const paths = Object.entries(description.paths).map(([path, {head, options, parameters, ...rest}]) => [path,
    {...Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, operation(value)])), ...(parameters && {parameters: parameters.map(empty)})}]);
  const shared = Object.entries(description.components?.parameters ?? {}).map(([name, parameter]) => [name, empty(parameter)]);
  return {...description, paths: Object.fromEntries(paths), components: {...description.components, parameters: Object.fromEntries(shared)}, servers: [{url: base === '' ? '/' : base}]};
}

/* The token goes to this server alone, and not where it is not asked for. */
function authorise(request) {
  const url = new URL(request.url, location.href);
  if (url.origin === location.origin && session.token !== undefined && request.headers.Authorization === undefined)
    request.headers.Authorization = `Bearer ${session.token}`;
  request.url = url.href;
  return request;
}

/* The operations and the schemas: title, description and token are the page's own. */
const layout = ({React: {createElement: h}}) => ({
  components: {
    Plain({getComponent}) {
      return h('div', {className: 'swagger-ui'}, ['SvgAssets', 'operations', 'Models'].map((name) => h(getComponent(name, name !== 'SvgAssets'), {key: name})));
    },
  },
});

async function load() {
  if (shown) return;
  said.replaceChildren();
  try {
    const answer = await fetch(`${base}/openapi.json`, {headers: {Accept: 'application/json'}});
    if (!answer.ok) throw new Error(`The server answered ${answer.status} for openapi.json.`);
    const spec = here(await answer.json());
    shown = true;
    const inside = el('div');
    reference.append(inside);
    mend(reference);
    globalThis.SwaggerUIBundle({
      spec, domNode: inside, deepLinking: false, docExpansion: 'list', defaultModelsExpandDepth: 0, validatorUrl: null, persistAuthorization: false,
      tryItOutEnabled: false, displayRequestDuration: true, syntaxHighlight: false, showMutatedRequest: false, requestInterceptor: authorise,
      presets: [globalThis.SwaggerUIBundle.presets.apis], plugins: [layout], layout: 'Plain',
      onComplete() { reference.removeAttribute('aria-busy'); },
    });
  } catch (error) {
    if (isQuiet(error) || error instanceof TypeError) net.gone();
    else said.replaceChildren(trouble(error, load));
  }
}

furnish();
document.querySelector('#paste').append(tokenForm('Use it'));
session.addEventListener('change', gate);
net.addEventListener('back', load);
gate();
load();
