/**
 * A live chart: lines by uPlot (vendor/uplot, loaded as the global it is), a legend that says the present values or those under the
 * pointer, and the same as a table for who cannot see lines.
 */

import {el} from './dom.js';

const HEIGHT = 180, LEAST_S = 60; /* of time on the scale */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Chart {
  #plot; #values; #cells; #holder = el('div', {class: 'plot', 'aria-hidden': 'true'}); #data;

  /**
   * lines: [{label, colour: '--c1'}], fill: the area below it too, rare: 0 is no line; text(value): how a number is said; top: the
   * least that the scale reaches up to.
   */
  constructor({title, note, lines, text, top = 1}) {
    Object.assign(this, {lines, text, top});
    this.#data = [[], ...lines.map(() => [])];
    this.#values = lines.map(() => el('span', {class: 'number'}, '–'));
    this.#cells = lines.map(() => [0, 1, 2].map(() => el('td', {class: 'number'}, '–')));
    this.node = el('figure', {class: 'chart'}, el('figcaption', {}, el('strong', {}, title), note && el('span', {class: 'small'}, ` ${note}`)), this.#holder,
      el('ul', {class: 'legend', 'aria-hidden': 'true'}, lines.map(({label, colour: name}, i) => {
        const swatch = el('i');
        swatch.style.background = `var(${name})`;
        return el('li', {}, swatch, `${label} `, this.#values[i]);
      })),
      el('details', {class: 'plain'}, el('summary', {}, 'As a table', el('span', {class: 'unseen'}, `: ${title}`)), el('table', {},
        el('caption', {class: 'unseen'}, title),
        el('thead', {}, el('tr', {}, el('th', {scope: 'col'}, 'What'), ['Now', 'Mean of a minute', 'Most of a minute'].map((head) => el('th', {scope: 'col'}, head)))),
        el('tbody', {}, lines.map(({label}, i) => el('tr', {}, el('th', {scope: 'row'}, label), this.#cells[i]))))));
    new ResizeObserver(([{contentRect: {width}}]) => { if (width > 0) this.#plot?.setSize({width, height: HEIGHT}); }).observe(this.#holder);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { this.#plot?.destroy(); this.#plot = undefined; this.draw(this.#data); });
  }

  #make() {
    const grid = {stroke: colour('--line'), width: 1}, axis = {stroke: colour('--quiet'), grid, ticks: {show: false}, font: '11px system-ui, sans-serif'};
    return new globalThis.uPlot({
      width: this.#holder.clientWidth, height: HEIGHT, legend: {show: false}, cursor: {y: false, points: {show: false}, drag: {x: false, y: false}},
      scales: {x: {time: true, range: ({data: [times]}) => [Math.min(times[0], times.at(-1) - LEAST_S), times.at(-1)]}, y: {range: (_, __, most) => [0, Math.max(this.top, (most ?? 0) * 1.1)]}},
      axes: [{...axis, space: 70}, {...axis, size: 58, values: (_, ticks) => ticks.map((tick) => this.text(tick))}],
      series: [{}, ...this.lines.map(({label, colour: name, fill}) => ({label, stroke: colour(name), width: 1.75, points: {show: false}, fill: fill ? `${colour(name)}22` : undefined}))],
      hooks: {setCursor: [({cursor}) => this.#say(cursor.idx ?? undefined)]},
    }, this.#drawn(), this.#holder);
  }
  #drawn() { return this.#data.map((values, i) => (i > 0 && this.lines[i - 1].rare ? values.map((value) => value || null) : values)); }

  #say(at = this.#data[0].length - 1) {
    this.lines.forEach((_, i) => { this.#values[i].textContent = this.#text(this.#data[i + 1][at]); });
  }
  #text(value) { return value === null || value === undefined ? '–' : this.text(value); }

  /** data: [times in Unix seconds, a line's values…]; null where there is none. */
  draw(data) {
    this.#data = data;
    if (this.#plot === undefined && this.#holder.clientWidth > 0) this.#plot = this.#make();
    else this.#plot?.setData(this.#drawn());
    this.#say();
    this.lines.forEach((_, i) => {
      const minute = data[i + 1].slice(-60).filter((value) => value !== null);
      const mean = minute.length === 0 ? null : minute.reduce((a, b) => a + b, 0) / minute.length;
      [data[i + 1].at(-1), mean, minute.length === 0 ? null : Math.max(...minute)].forEach((value, j) => { this.#cells[i][j].textContent = this.#text(value); });
    });
  }
}
