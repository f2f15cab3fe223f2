// Small helpers around the page's templates.

import { applyLanguage } from './i18n.js';

/** @returns {HTMLElement} the element with this id; the page's own markup guarantees it */
export function byId(id) {
  return document.getElementById(id);
}

/**
 * Copies a template and names its parts.
 *
 * @param {string} id of the template
 * @returns {{root: HTMLElement, slots: Record<string, HTMLElement>}} `slots` by their `data-slot`
 */
export function fromTemplate(id) {
  const root = byId(id).content.firstElementChild.cloneNode(true);
  applyLanguage(root);
  const slots = Object.fromEntries([...root.querySelectorAll('[data-slot]')].map((it) => [it.dataset.slot, it]));
  return { root, slots };
}

/** Shows another icon in an element that has one. */
export function setIcon(element, name) {
  const use = element.querySelector('use');
  const href = `icons.svg#${name}`;
  if (use.getAttribute('href') !== href) use.setAttribute('href', href);
}

/** A new icon element. */
export function makeIcon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.classList.add('icon');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(document.createElementNS('http://www.w3.org/2000/svg', 'use'));
  setIcon(svg, name);
  return svg;
}

/** A new button with words. */
export function makeButton(className, testId, onClick) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = className;
  button.dataset.testid = testId;
  button.addEventListener('click', onClick);
  return button;
}
