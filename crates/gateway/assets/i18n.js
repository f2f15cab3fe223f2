// Words in the reader's language. Elements name their text, so that a switch of language rewrites the page in place.

import en from './i18n/en.js';
import zh from './i18n/zh.js';

const BOOKS = { en, zh };
const TAGS = { en: 'en', zh: 'zh-CN' };
const STORED = 'taoyao.language';

let language = stored() ?? (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en');

/** @returns {'en'|'zh'} */
export function currentLanguage() {
  return language;
}

/**
 * The text of a key; `{name}` in it is replaced by the argument of that name.
 * A key with the argument `n` may have a form `key.one` for exactly one.
 */
export function t(key, args = {}) {
  const book = BOOKS[language];
  const text = (args.n === 1 && book[`${key}.one`]) || (book[key] ?? key);
  return text.replace(/\{(\w+)\}/g, (_, name) => args[name] ?? '');
}

/** Whether there is a text for this key. */
export function hasText(key) {
  return key in BOOKS.en;
}

/** Writes a text into an element and remembers how, for a later switch of language. */
export function setText(element, key, args) {
  setMark(element, 't', key, args);
  const text = t(key, args);
  if (element.textContent !== text) element.textContent = text;
}

/** Names an element for assistive technology, and shows the same as its tooltip. */
export function setLabel(element, key, args) {
  setMark(element, 'tLabel', key, args);
  element.setAttribute('aria-label', t(key, args));
  if (element.matches('button, input')) element.title = t(key, args);
}

/** Rewrites everything below `root` that names its text. */
export function applyLanguage(root = document.documentElement) {
  for (const element of [root, ...root.querySelectorAll('[data-t]')]) {
    if (element.dataset?.t) setText(element, element.dataset.t, readArgs(element));
  }
  for (const element of [root, ...root.querySelectorAll('[data-t-label]')]) {
    if (element.dataset?.tLabel) setLabel(element, element.dataset.tLabel, readArgs(element));
  }
  for (const element of root.querySelectorAll('[data-t-placeholder]'))
    element.placeholder = t(element.dataset.tPlaceholder);
  for (const element of root.querySelectorAll('[data-t-group]')) element.label = t(element.dataset.tGroup);
}

/** Changes to the other language and remembers the choice. */
export function switchLanguage() {
  language = other();
  try {
    localStorage.setItem(STORED, language);
  } catch {
    // Storage may be forbidden: the choice then lasts as long as the page.
  }
  startLanguage();
}

/** Writes the whole page in the current language; the button that switches is labelled in the other one. */
export function startLanguage() {
  document.documentElement.lang = TAGS[language];
  document.getElementById('language').lang = TAGS[other()];
  applyLanguage();
}

function other() {
  return language === 'en' ? 'zh' : 'en';
}

function setMark(element, name, key, args) {
  element.dataset[name] = key;
  if (args) element.dataset.tArgs = JSON.stringify(args);
  else delete element.dataset.tArgs;
}

function readArgs(element) {
  return element.dataset.tArgs ? JSON.parse(element.dataset.tArgs) : undefined;
}

function stored() {
  try {
    const value = localStorage.getItem(STORED);
    return value in BOOKS ? value : undefined;
  } catch {
    return undefined;
  }
}
