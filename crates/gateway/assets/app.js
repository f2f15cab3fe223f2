// The web terminal's start: makes the client and the views, and moves between signed out and signed in.

import { byId } from './dom.js';
import { startLanguage, switchLanguage, t } from './i18n.js';
import { loadDevices, loadSettings, saveSettings } from './settings.js';
import { Taoyao } from './taoyao.js';
import { CallsView } from './views/calls.js';
import { DevicesDialog } from './views/devices-dialog.js';
import { toast, toastError } from './views/notices.js';
import { PeopleView } from './views/people.js';
import { RecordingsDialog } from './views/recordings.js';
import { RegisterView } from './views/register.js';
import { RoomsView } from './views/rooms.js';
import { SignalsView } from './views/signals.js';
import { chooseSpeaker } from './views/speaker.js';
import { Stage } from './views/stage.js';
import { StatusView } from './views/status.js';
import { startTabs } from './views/tabs.js';
import { startTheme } from './views/theme.js';

/** Messages without an answer that a person sends by a button; of a refusal of any other one it is told nothing. */
const ACTS = new Set(['room::close', 'room::expel', 'room::invite', 'client::unicast']);

const settings = loadSettings();
const client = new Taoyao({ answer: settings.answer });
const tabs = startTabs();
const stage = new Stage();
const calls = new CallsView(client, stage, () => tabs.show('calls'));
const people = new PeopleView(client, (clientId, kinds) => calls.call(clientId, kinds));
const rooms = new RoomsView(client, stage, people, () => tabs.show('calls'));
const register = new RegisterView(settings, connect);

start();

function start() {
  startLanguage();
  startTheme();
  new SignalsView(client);
  new DevicesDialog(client.media);
  new RecordingsDialog(client.recordings);
  useDevices();
  new StatusView(client);
  byId('language').addEventListener('click', switchLanguage);
  byId('leave').addEventListener('click', leave);
  client.addEventListener('state', onState);
  client.addEventListener('refused', ({ detail }) => ACTS.has(detail.signal) && toastError(detail, 'room'));
  window.addEventListener('online', () => client.retryNow());
  window.addEventListener('pagehide', (event) => !event.persisted && client.disconnect());
  offerPartitions();
  if (settings.autoconnect && settings.password) register.submit();
  else register.focus();
}

/** What the form asks for. Rejects when it did not work; the form says why. */
async function connect(values) {
  saveSettings(values);
  client.answer = values.answer;
  const { clientId, username, password, node } = values;
  const target = node === 'here' ? { url: ownUrl() } : { partition: node || undefined };
  await client.connect({ clientId, name: values.name || clientId, username, password, ...target });
}

async function leave() {
  await client.disconnect();
  register.focus();
}

/** Those that were chosen in this browser. */
function useDevices() {
  const { audio, video, speaker } = loadDevices();
  client.media.chosen = { audio, video };
  chooseSpeaker(speaker);
  client.media.addEventListener('device', ({ detail: { kind, label } }) => {
    toast(t(`device.${kind}.${label ? 'other' : 'gone'}`, { label }));
  });
}

let wasOnline = false;

function onState() {
  const { state, stateReason } = client;
  if (state === 'online') return enter();
  if (state === 'idle' || state === 'closed') exit(stateReason);
  return undefined;
}

function enter() {
  if (!wasOnline) {
    register.hide();
    byId('workspace').hidden = false;
    tabs.show('people');
    byId('people').focus();
  }
  wasOnline = true;
  people.load();
  rooms.load();
  if (settings.room) rooms.enterLinked(settings.room);
  settings.room = undefined; // Once: who has left it does not come back by a lost connection.
}

function exit(reason) {
  if (!wasOnline) return;
  wasOnline = false;
  byId('workspace').hidden = true;
  people.clear();
  rooms.clear();
  register.show();
  if (reason) register.showError(reason);
}

/** The node that served the page. */
function ownUrl() {
  return `${location.protocol === 'http:' ? 'ws' : 'wss'}://${location.host}/websocket.signal`;
}

async function offerPartitions() {
  const partitions = await client.nearest().catch(() => []);
  register.setPartitions(partitions.map((it) => it.partition));
}
