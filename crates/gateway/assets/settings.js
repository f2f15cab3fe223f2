// What the page remembers between visits, and what its address presets for kiosks and tests.

const STORED = 'taoyao.settings';
const STORED_PASSWORD = 'taoyao.password';
const STORED_DEVICES = 'taoyao.devices';

/**
 * @typedef {object} Settings
 * @property {string} clientId
 * @property {string} name
 * @property {string} username
 * @property {string} password empty unless the person asked this tab to remember it
 * @property {''|'here'|string} node `''` nearest, `here` the page's own node, else a partition
 * @property {'ask'|'auto'} answer to calls; `auto` only if the person, or the address, has chosen it
 * @property {boolean} remember
 * @property {string} [room] the id of a room to enter at once
 * @property {boolean} autoconnect connect without a click once everything needed is there
 */

/**
 * Stored values, overridden by the address: `?clientId=&name=&username=&node=&partition=&answer=&room=&autoconnect=1`.
 * A password in the address is ignored: addresses end up in histories and logs.
 *
 * @returns {Settings}
 */
export function loadSettings() {
  const query = new URLSearchParams(location.search);
  const stored = read(localStore(), STORED) ?? {};
  const password = read(sessionStore(), STORED_PASSWORD) ?? '';
  const pick = (name, fallback) => query.get(name) ?? stored[name] ?? fallback;
  return {
    clientId: pick('clientId', `web-${randomLabel()}`),
    name: pick('name', ''),
    username: pick('username', ''),
    password,
    node: query.get('node') ?? query.get('partition') ?? stored.node ?? '',
    answer: (query.get('answer') ?? stored.answerCalls) === 'auto' ? 'auto' : 'ask',
    remember: password !== '',
    room: query.get('room') || undefined,
    autoconnect: query.get('autoconnect') === '1',
  };
}

/** Remembers everything but the password, and that for this tab only if the person ticked it. */
export function saveSettings({ clientId, name, username, node, answer, password, remember }) {
  write(localStore(), STORED, { clientId, name, username, node, answerCalls: answer });
  write(sessionStore(), STORED_PASSWORD, remember ? password : undefined);
}

/** @returns {{audio?: string, video?: string, speaker?: string}} ids of the devices that were chosen in this browser */
export function loadDevices() {
  return read(localStore(), STORED_DEVICES) ?? {};
}

export function saveDevices(devices) {
  write(localStore(), STORED_DEVICES, devices);
}

function randomLabel() {
  const bytes = crypto.getRandomValues(new Uint8Array(3));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function read(store, key) {
  try {
    return JSON.parse(store?.getItem(key)) ?? undefined;
  } catch {
    return undefined;
  }
}

function write(store, key, value) {
  try {
    if (value === undefined) store?.removeItem(key);
    else store?.setItem(key, JSON.stringify(value));
  } catch {
    // A full or forbidden store: the page works without a memory.
  }
}

function localStore() {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

function sessionStore() {
  try {
    return sessionStorage;
  } catch {
    return undefined;
  }
}
