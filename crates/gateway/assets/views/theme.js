// The switch between light and dark; the system's choice counts until the person made one.

import { byId } from '../dom.js';

const STORED = 'taoyao.theme';

export function startTheme() {
  byId('theme').addEventListener('click', () => {
    const next = isDark() ? 'light' : 'dark';
    document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem(STORED, next);
    } catch {
      // Storage may be forbidden: the choice then lasts as long as the page.
    }
  });
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}
