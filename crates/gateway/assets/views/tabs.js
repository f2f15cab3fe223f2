// Which view is in front on a small screen, and whether the signal log is open on a large one.

import { byId } from '../dom.js';

/** @returns {{show: (view: 'people'|'rooms'|'calls'|'signals') => void}} */
export function startTabs() {
  const tabs = [...document.querySelectorAll('[data-tab]')];
  const toggle = byId('signals-toggle');

  const show = (view) => {
    document.documentElement.dataset.view = view;
    for (const tab of tabs) {
      if (tab.dataset.tab === view) tab.setAttribute('aria-current', 'page');
      else tab.removeAttribute('aria-current');
    }
    document.dispatchEvent(new Event('viewchange'));
  };
  for (const tab of tabs) tab.addEventListener('click', () => show(tab.dataset.tab));
  toggle.addEventListener('click', () => {
    const open = document.documentElement.toggleAttribute('data-signals');
    toggle.setAttribute('aria-expanded', String(open));
    if (open) byId('signals').focus();
  });
  return { show };
}
