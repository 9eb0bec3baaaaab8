/**
 * The form of one's own profile. It is made from one version, which the client knows by its tag; save() sends what was changed and
 * nothing else.
 */

import {Conflict, Invalid, NotFound, Taken} from '../profiled.js';
import {resolve} from './conflict.js';
import {Entry, controlOf, zones} from './controls.js';
import {announce, el, trouble} from './dom.js';
import {differing, fields, flatten, patchOf, publicOf} from './fields.js';
import {isQuiet, profiled} from './page.js';
import {card} from './view.js';

const HANDLE = {name: 'handle', label: 'Handle', kind: 'text', most: 30, fixed: true, hint: 'Two to thirty of a to z, 0 to 9 and _; your address here.'};

export class Editor {
  #controls = new Map([HANDLE, ...fields].map((field) => [field.name, controlOf(field)]));
  #profile; #before = new Map(); #busy = false;
  #said = el('div');
  #state = el('span', {class: 'small', role: 'status'});
  #save = el('button', {class: 'main'}, 'Save');
  #preview = el('div', {class: 'preview-card'});

  /** saved(profile): there is a new version. */
  constructor(saved) {
    this.saved = saved;
    const form = el('form', {class: 'editor', novalidate: true, 'aria-label': 'Your profile', onsubmit: (event) => { event.preventDefault(); this.save(); }},
      zones(), [...this.#controls.values()].map(({node}) => node), 
      el('div', {class: 'actions bottom'}, this.#said, this.#save, el('button', {type: 'button', onclick: () => this.undo()}, 'Undo'), this.#state));
    form.addEventListener('input', () => this.#changed());
    this.node = el('div', {class: 'editing'}, form,
      el('section', {class: 'preview', tabindex: '0', 'aria-label': 'What others will see'}, el('h2', {}, 'What others will see'), this.#preview));
  }

  /** Takes a version. keep(name): what is entered for that field stays. */
  show(profile, keep = () => false) {
    const now = flatten(profile);
    for (const [name, control] of this.#controls) {
      const sees = control.sees;
      const entered = keep(name) && control.inputs.filter((input) => 'value' in input).map((input) => [input, input.value, input.selectionStart, input.selectionEnd]);
      control.show(now.get(name));
      control.sees = now.get(`visibility/${name}`);
      if (!entered) continue;
      for (const [input, value, start, end] of entered) {
        input.value = value;
        if (typeof start === 'number') input.setSelectionRange(start, end);
      }
      control.sees = sees;
    }
    this.#profile = profile;
    this.#before = now;
    this.#changed();
  }

  /** A version that came by the way. Where it changed what is unsaved here, the one before stays: saving meets the conflict. */
  take(profile) {
    const moved = differing(this.#before, flatten(profile)).map((key) => key.replace('visibility/', ''));
    if (!moved.some((name) => this.#controls.has(name) && this.unsaved(name))) this.show(profile, this.unsaved);
  }

  #seesTouched(name) { return this.#controls.get(name).sees !== undefined && this.#controls.get(name).sees !== this.#before.get(`visibility/${name}`); }
  unsaved = (name) => this.#controls.get(name).touched() || this.#seesTouched(name);
  get dirty() { return [...this.#controls.keys()].some(this.unsaved); }

  /* What it would be by what is entered. Throws Entry, with the control. */
  #entered({lenient = false} = {}) {
    const flat = new Map(this.#before);
    for (const [name, control] of this.#controls) {
      if (control.sees !== undefined) flat.set(`visibility/${name}`, control.sees);
      if (!control.touched()) continue;
      try {
        const value = control.read();
        if (value === undefined) flat.delete(name); else flat.set(name, value);
      } catch (error) {
        if (lenient && error instanceof Entry) continue;
        throw Object.assign(error, {control});
      }
    }
    return flat;
  }

  #changed() {
    this.#state.textContent = this.dirty ? 'Not saved yet' : '';
    this.#preview.replaceChildren(card(publicOf(this.#entered({lenient: true})), 'h3'));
  }

  undo() {
    this.#clear();
    this.show(this.#profile);
    announce('Undone');
  }

  #clear() {
    this.#said.replaceChildren();
    for (const control of this.#controls.values()) control.fault();
  }

  async save() {
    if (this.#busy) return;
    this.#clear();
    try {
      const patch = patchOf(this.#before, this.#entered());
      if (patch.length === 0) { this.#state.textContent = 'There is nothing to save'; return; }
      await this.#working(() => this.#send(this.#profile, patch));
    } catch (error) {
      if (!(error instanceof Entry)) throw error;
      error.control.fault(error.message);
      error.control.focus();
    }
  }

  async #working(what) {
    this.#busy = true;
    this.#save.setAttribute('aria-disabled', 'true');
    this.#state.textContent = 'Saving…';
    try { await what(); } finally {
      this.#busy = false;
      this.#save.removeAttribute('aria-disabled');
      if (this.#state.textContent === 'Saving…') this.#changed();
    }
  }

  async #send(from, patch) {
    const sent = this.#entered({lenient: true});
    try {
      const profile = patch.length === 0 ? from : await profiled.update(from, patch);
      /* what was entered while it was under way stays */
      const later = new Set(differing(sent, this.#entered({lenient: true})).map((key) => key.replace('visibility/', '')));
      this.show(profile, (name) => later.has(name));
      if (later.size === 0) this.#state.textContent = 'Saved';
      this.saved(profile);
    } catch (error) {
      if (error instanceof Conflict) await this.#settle(error);
      else this.#tell(error);
    }
  }

  async #settle({theirs}) {
    if (theirs === undefined) { this.#tell(new Error('This profile was deleted meanwhile.')); return; }
    const mine = this.#entered(), chosen = await resolve(this.#before, mine, flatten(theirs));
    if (chosen === undefined) { this.#save.focus(); return; }
    await this.#send(theirs, patchOf(flatten(theirs), chosen));
  }

  /* A fault stands beside its field; the first one gets the focus. */
  #tell(error) {
    if (error instanceof Invalid) {
      const left = error.errors.filter(({pointer, detail}) => !this.#point(pointer ?? '', detail));
      if (left.length > 0) this.#said.append(...left.map(({pointer, detail}) => el('p', {class: 'fault'}, pointer, ' ', detail)));
      const [first] = this.node.querySelectorAll('[aria-invalid=true]');
      first?.focus();
      announce(`Not saved: ${error.errors.length === 1 ? 'one thing is' : `${error.errors.length} things are`} wrong`);
    } else if (error instanceof Taken) {
      this.#controls.get('handle').fault('Somebody else has this handle.');
      this.#controls.get('handle').focus();
    } else if (isQuiet(error)) {
      this.#said.replaceChildren(el('p', {class: 'fault', role: 'alert'}, 'Not saved: the server cannot be reached. What you have written stays here; save it again when it is back.'));
    } else {
      this.#said.replaceChildren(trouble(error instanceof NotFound ? new Error('This profile was deleted meanwhile.') : error));
    }
  }

  #point(pointer, detail) {
    const [, first, second] = pointer.split('/');
    const control = this.#controls.get(first === 'visibility' ? second : first);
    control?.fault(detail, first);
    return control !== undefined;
  }
}
