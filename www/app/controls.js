/**
 * The editor's controls, one for each field: a label, what is entered, who sees it, a hint, and a place for what the server has
 * against it. A control is only read when it was touched, so that what it cannot show whole is never written back in part.
 */

import {addressParts} from './fields.js';
import {el} from './dom.js';

/** What somebody entered that cannot be sent at all. */
export class Entry extends Error {}

function slot(name) { return el('p', {class: 'fault', id: `fault-${name}`}); }

function input({kind, most, fill, mode}, id, described) {
  const common = {id, autocomplete: fill ?? 'off', 'aria-describedby': described};
  if (kind === 'prose') return el('textarea', {...common, rows: 4, maxlength: most});
  if (kind === 'free') return el('textarea', {...common, rows: 6, class: 'mono', spellcheck: 'false'});
  const plain = {type: 'text', ...common, maxlength: most, inputmode: mode ?? (kind === 'url' ? 'url' : undefined)};
  if (kind === 'url' || mode !== undefined || kind === 'zone') Object.assign(plain, {spellcheck: 'false', autocapitalize: 'off'});
  return el('input', kind === 'zone' ? {...plain, list: 'zones'} : plain);
}

/** The names of time zones that this browser knows. */
export function zones() {
  return el('datalist', {id: 'zones'}, (Intl.supportedValuesOf?.('timeZone') ?? []).map((zone) => el('option', {value: zone})));
}

function visibility(field) {
  const id = `sees-${field.name}`;
  return el('span', {class: 'sees'}, el('label', {for: id, class: 'unseen'}, `Who sees: ${field.label}`),
    el('select', {id, 'aria-describedby': `fault-${field.name}`}, el('option', {value: 'public'}, 'Everybody'), el('option', {value: 'private'}, 'Only me')));
}

/* A control is {node, inputs, focus, show(value), touched(), read()}. */

function textual(field) {
  const hint = field.hint && el('p', {class: 'hint', id: `hint-${field.name}`}, field.hint);
  const control = input(field, `field-${field.name}`, [hint && hint.id, `fault-${field.name}`].filter(Boolean).join(' '));
  const sees = field.fixed ? el('span', {class: 'sees fixed'}, 'Everybody sees it') : visibility(field);
  let shown = '';
  return {
    node: el('div', {class: 'field'}, el('div', {class: 'head'}, el('label', {for: control.id}, field.label), sees), control, slot(field.name), hint),
    inputs: [control],
    show(value) {
      control.value = value === undefined ? '' : field.kind === 'free' ? JSON.stringify(value, null, 2) : value;
      shown = control.value;
    },
    touched: () => control.value !== shown,
    read() {
      const text = field.kind === 'prose' ? control.value : control.value.trim();
      if (field.kind !== 'free' || text === '') return text === '' ? undefined : text;
      let value;
      try { value = JSON.parse(text); } catch (error) { throw new Entry(`This is no JSON: ${error.message}`); }
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Entry('It must be an object, as {"team": "blue"}.');
      return value;
    },
  };
}

function flag(field) {
  const shown = el('p', {id: `field-${field.name}`, tabindex: '-1'}, '');
  return {
    node: el('div', {class: 'field'}, el('div', {class: 'head'}, el('span', {class: 'label'}, field.label), visibility(field)), shown, slot(field.name)),
    inputs: [shown],
    show(value) { shown.textContent = value === undefined ? 'Nobody has said. A change of the address clears it.' : value ? 'Yes' : 'No'; },
    touched: () => false,
    read: () => undefined,
  };
}

function address(field) {
  let others = {}, shown = '';
  const parts = addressParts.map(([part, label, fill]) => {
    const id = `field-address-${part}`, described = 'fault-address';
    const control = part === 'formatted' ? el('textarea', {id, rows: 2, autocomplete: 'off', 'aria-describedby': described}) : el('input', {type: 'text', id, autocomplete: fill, 'aria-describedby': described});
    return {part, control, node: el('div', {class: 'part'}, el('label', {for: id}, label), control)};
  });
  const texts = () => JSON.stringify(parts.map(({control}) => control.value));
  return {
    node: el('fieldset', {class: 'field'}, el('legend', {}, field.label), el('div', {class: 'head'}, el('span'), visibility(field)), el('div', {class: 'parts'}, parts.map(({node}) => node)), slot(field.name)),
    inputs: parts.map(({control}) => control),
    show(value = {}) {
      others = Object.fromEntries(Object.entries(value).filter(([name]) => !parts.some(({part}) => part === name)));
      for (const {part, control} of parts) control.value = value[part] ?? '';
      shown = texts();
    },
    touched: () => texts() !== shown,
    read() {
      const value = {...others};
      for (const {part, control} of parts) if (control.value.trim() !== '') value[part] = control.value.trim();
      return Object.keys(value).length === 0 ? undefined : value;
    },
  };
}

/** The control of a field; with visibility: shows(), sees(). */
export function controlOf(field) {
  const control = field.kind === 'flag' ? flag(field) : field.kind === 'address' ? address(field) : textual(field);
  const fault = control.node.querySelector(`#fault-${field.name}`), select = control.node.querySelector('select');
  return {
    ...control, name: field.name,
    get sees() { return select?.value; },
    set sees(value) { if (select !== null) select.value = value; },
    /** Says what is wrong beside it; undefined: nothing is. about: 'visibility' or the value. */
    fault(text, about) {
      fault.textContent = text ?? '';
      for (const node of [...control.inputs, select].filter(Boolean))
        node.toggleAttribute('aria-invalid', false);
      if (text === undefined) return;
      for (const node of about === 'visibility' ? [select] : control.inputs) node.setAttribute('aria-invalid', 'true');
    },
    focus(about) { (about === 'visibility' && select !== null ? select : control.inputs[0]).focus(); },
  };
}
