/** A picture of one's own: dropped, pasted or picked, looked at, and sent. What is larger than the server takes is made smaller here. */

import {announce, bytesText, el, trouble} from './dom.js';
import {isQuiet, profiled} from './page.js';
import {face} from './view.js';

const TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/avif'];
const MOST_BYTES = 1 << 20, SIDE = 1024;

/* A phone's photo has some megabytes. Drawn anew it also loses what it says of where it was taken. */
async function shrink(file) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = el('canvas', {width: Math.max(1, Math.round(bitmap.width * scale)), height: Math.max(1, Math.round(bitmap.height * scale))});
  canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  for (const quality of [0.9, 0.75, 0.5]) {
    const blob = await new Promise((done) => canvas.toBlob(done, 'image/jpeg', quality));
    if (blob !== null && blob.size <= MOST_BYTES) return blob;
  }
  return undefined;
}

export class Avatar {
  #input = el('input', {type: 'file', id: 'avatar', accept: TYPES.join(','), class: 'unseen'});
  #now = el('div', {class: 'avatar-now'});
  #preview = el('div', {class: 'avatar-new', hidden: true});
  #said = el('div', {'aria-live': 'polite'});
  #blob; #address;

  /** changed(): the server has another picture now. */
  constructor(changed) {
    this.changed = changed;
    const drop = el('div', {
      class: 'drop',
      ondragover(event) { event.preventDefault(); drop.classList.add('over'); },
      ondragleave() { drop.classList.remove('over'); },
      ondrop: (event) => { event.preventDefault(); drop.classList.remove('over'); this.#take(event.dataTransfer.files[0]); },
    }, this.#now, el('div', {}, el('p', {}, el('label', {for: 'avatar', class: 'button'}, 'Choose a picture'), this.#input),
      el('p', {class: 'hint'}, 'or drop one here. PNG, JPEG, WebP or AVIF; large ones are made smaller.')));
    this.#input.addEventListener('change', () => this.#take(this.#input.files[0]));
    this.node = el('section', {class: 'avatar', 'aria-label': 'Your picture'}, drop, this.#preview, this.#said);
  }

  /** What is there now. */
  show(profile) {
    const has = /\/v1\/avatars\//.test(profile.picture ?? '');
    this.#now.replaceChildren(face(profile, 96), ...(has ? [el('button', {type: 'button', class: 'quiet', onclick: () => this.#remove()}, 'Remove')] : []));
  }

  async #take(file) {
    this.#said.replaceChildren();
    if (file === undefined) return;
    if (!TYPES.includes(file.type)) return this.#complain('This is none of PNG, JPEG, WebP and AVIF.');
    try {
      const blob = file.size > MOST_BYTES ? await shrink(file) : file;
      if (blob === undefined) return this.#complain('It is too large, and could not be made small enough.');
      this.#offer(blob, blob === file ? bytesText(blob.size) : `${bytesText(file.size)}, made smaller to ${bytesText(blob.size)}`);
    } catch { this.#complain('This picture cannot be read.'); }
    return undefined;
  }

  #complain(text) {
    this.#drop();
    this.#said.replaceChildren(el('p', {class: 'fault'}, text));
  }

  #offer(blob, size) {
    this.#drop();
    this.#blob = blob;
    this.#address = URL.createObjectURL(blob);
    const send = el('button', {type: 'button', class: 'main', onclick: () => this.#send(send)}, 'Use this picture');
    const img = el('img', {alt: 'The picture that you chose', width: 96, height: 96, src: this.#address});
    img.addEventListener('error', () => this.#complain('This picture cannot be read.'));
    this.#preview.replaceChildren(img, el('div', {}, el('p', {class: 'small'}, size), el('div', {class: 'actions'}, send, el('button', {type: 'button', onclick: () => { this.#drop(); this.#input.focus(); }}, 'Not this one'))));
    this.#preview.hidden = false;
    announce('A picture is chosen; it is not sent yet');
    send.focus();
  }

  #drop() {
    if (this.#address !== undefined) URL.revokeObjectURL(this.#address);
    this.#address = this.#blob = undefined;
    this.#preview.hidden = true;
    this.#preview.replaceChildren();
    this.#input.value = '';
  }

  async #send(button) {
    button.disabled = true;
    try {
      await profiled.setAvatar(this.#blob);
      this.#drop();
      announce('The picture is changed');
      this.#input.focus();
      await this.changed();
    } catch (error) {
      button.disabled = false;
      if (!isQuiet(error)) this.#said.replaceChildren(trouble(error));
    }
  }

  async #remove() {
    try {
      await profiled.removeAvatar();
      announce('The picture is removed');
      this.#input.focus();
      await this.changed();
    } catch (error) { if (!isQuiet(error)) this.#said.replaceChildren(trouble(error)); }
  }
}
