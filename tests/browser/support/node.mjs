// A node of a test's own: one process, with the keys of the topology that the test wants.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { PATIENCE_MS } from './browser.mjs';
import { PASSWORD, USER } from './mesh.mjs';

const PROGRAM = process.env.TAOYAO_BIN;

/**
 * Starts a node that the test ends by `t.after`; it has to drain.
 *
 * @param {import('node:test').TestContext} t
 * @param {string} keys further lines of its table in the topology
 * @returns {Promise<string>} its HTTPS origin
 */
export async function startNode(t, keys) {
  if (!PROGRAM) throw new Error('Set TAOYAO_BIN to the program `taoyao`: this test starts a node of its own.');
  const site = await mkdtemp(join(tmpdir(), 'taoyao-node-'));
  const listen = `127.0.0.1:${await freeTcpPort()}`;
  await writeFile(join(site, 'one.toml'), topology(listen, keys));
  const log = await open(join(site, 'node.log'), 'w');
  const node = spawn(PROGRAM, ['up', join(site, 'one.toml')], { stdio: ['ignore', log.fd, log.fd] });
  const ended = once(node, 'exit');
  t.after(async () => {
    await log.close();
    node.kill('SIGINT');
    const [code] = await ended;
    const said = await readFile(join(site, 'node.log'), 'utf8');
    await rm(site, { recursive: true });
    if (code !== 0) throw new Error(`the node ended with ${code}:\n${said}`);
  });
  await isUp(node, `https://${listen}/mesh/probe`, join(site, 'node.log'));
  return `https://${listen}`;
}

/** A UDP port that nobody has now. */
export async function freeUdpPort() {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

async function freeTcpPort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

function topology(listen, keys) {
  return `# One node for a test.
org = "test"
[certs]
dir = "certs"
[login]
development = true
shared_account = { username = "${USER}", password = "${PASSWORD}" }
[[node]]
name = "home"
state = { dir = "state" }
terminals = { listen = "${listen}" }
${keys}
`;
}

async function isUp(node, probe, log) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await answers(probe))) {
    if (node.exitCode !== null || Date.now() > end)
      throw new Error(`the node is not up:\n${await readFile(log, 'utf8')}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function answers(url) {
  return new Promise((resolve) => {
    const request = get(url, { rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.statusCode < 500);
    });
    request.on('error', () => resolve(false));
  });
}
