/** Two have edited one version: what was there before, what I wrote and what is there now, field by field, to choose from. */

import {dialog, el} from './dom.js';
import {labelOf, threeWay} from './fields.js';
import {valueNode} from './view.js';

const WAYS = [['mine', 'Mine'], ['theirs', 'Theirs'], ['before', 'Before']];

function shown(value, key) {
  if (value === undefined) return el('em', {}, 'nothing');
  if (key.startsWith('visibility/')) return el('span', {}, value === 'public' ? 'everybody' : 'only me');
  return valueNode(value);
}

function choice(row, i) {
  const heading = labelOf(row.key);
  const options = WAYS.map(([way, label]) => {
    const id = `choice-${i}-${way}`;
    /* where only one of the two changed it there is nothing to argue about */
    const checked = !row.clash && way === (JSON.stringify(row.before) === JSON.stringify(row.mine) ? 'theirs' : 'mine');
    return el('div', {class: 'way'}, el('input', {type: 'radio', id, name: `choice-${i}`, value: way, required: true, checked}),
      el('label', {for: id}, el('span', {class: 'way-name'}, label), el('span', {class: 'way-value'}, shown(row[way], row.key))));
  });
  return el('fieldset', {class: row.clash ? 'choice clash' : 'choice'}, el('legend', {}, heading, row.clash && el('span', {class: 'tag error'}, 'both changed it')), el('div', {class: 'ways'}, options));
}

/**
 * Asks. before, mine, theirs: flat maps. Gives the flat map of what it is to be, or undefined when the question was put off. Asks
 * nothing where both have come to the same.
 */
export async function resolve(before, mine, theirs) {
  const rows = threeWay(before, mine, theirs);
  if (rows.length === 0) return theirs;
  const fault = el('p', {class: 'fault', role: 'alert'});
  const form = el('form', {
    class: 'conflict', novalidate: true,
    onsubmit(event) {
      event.preventDefault();
      const open = rows.findIndex((_, i) => !form.elements[`choice-${i}`].value);
      if (open >= 0) {
        fault.textContent = `Choose for “${labelOf(rows[open].key)}” too.`;
        form.querySelector(`#choice-${open}-mine`).focus();
        return;
      }
      const result = new Map(theirs);
      rows.forEach((row, i) => {
        const value = row[form.elements[`choice-${i}`].value];
        if (value === undefined) result.delete(row.key); else result.set(row.key, value);
      });
      box.close(result);
    },
  }, el('p', {}, 'Since you began, this profile was changed elsewhere, perhaps by yourself in another window. Nothing is lost: choose what it is to be.'),
  rows.map(choice), fault,
  el('div', {class: 'actions'}, el('button', {class: 'main'}, 'Save what I chose'), el('button', {type: 'button', onclick: () => box.close()}, 'Back to my edit')));
  const box = dialog('It was changed meanwhile', form);
  return box.show();
}
