// The client module as an npm package: its types are right, are in what is packed, and refuse wrong use.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const GATEWAY = fileURLToPath(new URL('../../../crates/gateway/', import.meta.url));
const TOOLS = fileURLToPath(new URL('../node_modules/.bin', import.meta.url));
const RIGHT = `
import { Taoyao, TaoyaoError, type Session } from 'taoyao-terminal';
const terminal = new Taoyao({ origin: 'https://node.example:8883', answer: 'ask' });
terminal.addEventListener('session', (event) => {
  const session = (event as CustomEvent<Session>).detail;
  session.mute('audio', true);
});
const me = await terminal.connect({ clientId: 'desk-1', username: 'u', password: 'p' });
const kind: 'WEB' | 'CAMERA' | 'MOBILE' | 'MEDIA' | 'SERVER' | 'OTHER' = me.clientType;
const session = await terminal.call('cam-7', { audio: false });
const state: 'calling' | 'ringing' | 'connecting' | 'connected' | 'interrupted' | 'closed' = session.state;
const room = await terminal.rooms.enter('id', { camera: false });
const names: string[] = room.members.map((it) => it.name);
await room.set('screen', true);
await terminal.media.choose('video', 'id');
try { await terminal.request('room::list'); } catch (error) { if (error instanceof TaoyaoError) error.code.at(0); }
export { kind, state, names };
`;
const WRONG = `
import { Taoyao } from 'taoyao-terminal';
// @ts-expect-error there is no such way to answer
const terminal = new Taoyao({ answer: 'never' });
// @ts-expect-error a terminal needs an id
await terminal.connect({ username: 'u', password: 'p' });
const session = await terminal.call('cam-7');
// @ts-expect-error a kind is audio or video
session.mute('sound');
// @ts-expect-error there is nothing like this
terminal.hangUp();
`;

test('the packed module has types that an embedder can build on', async (t) => {
  const site = await mkdtemp(join(tmpdir(), 'taoyao-package-'));
  t.after(() => rm(site, { recursive: true }));
  for (const folder of ['npm', 'assets']) await cp(join(GATEWAY, folder), join(site, folder), { recursive: true });
  run('npm', ['pack', '--silent', '--pack-destination', site], join(site, 'npm'));
  const modules = join(site, 'node_modules', 'taoyao-terminal');
  await mkdir(modules, { recursive: true });
  run('tar', ['-xzf', join(site, 'taoyao-terminal-0.1.0.tgz'), '--strip-components=1', '-C', modules], site);
  const { exports } = JSON.parse(await readFile(join(modules, 'package.json'), 'utf8'));
  for (const file of Object.values(exports['.'])) assert.ok((await readFile(join(modules, file), 'utf8')).length > 1_000, file);

  await writeFile(join(site, 'right.ts'), RIGHT);
  await writeFile(join(site, 'wrong.ts'), WRONG);
  const options = ['--strict', '--noEmit', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler', '--skipLibCheck', 'false', '--lib', 'es2023,dom,dom.iterable,esnext.collection'];
  run('tsc', [...options, 'right.ts', 'wrong.ts'], site);
  const made = await import(join(modules, exports['.'].default));
  assert.equal(typeof made.Taoyao, 'function');
});

function run(program, args, cwd) {
  const env = { ...process.env, PATH: `${TOOLS}${delimiter}${process.env.PATH}` };
  try {
    return execFileSync(program, args, { cwd, env, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    throw new Error(`${program} ${args.join(' ')}:\n${error.stdout}${error.stderr}`);
  }
}
