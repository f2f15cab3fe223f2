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
 * @param {{roles?: string[]}} [options] what the account of the tests may do; default: what terminals may
 */
export async function startNode(t, keys, { roles = ['terminal'] } = {}) {
  if (!PROGRAM) throw new Error('Set TAOYAO_BIN to the program `taoyao`: this test starts a node of its own.');
  const site = await mkdtemp(join(tmpdir(), 'taoyao-node-'));
  const listen = `127.0.0.1:${await freeTcpPort()}`;
  await writeFile(join(site, 'one.toml'), topology(listen, keys, roles));
  const node = new Node(site, `https://${listen}`);
  t.after(() => node.end());
  await node.start();
  return node;
}

/** A running node. */
class Node {
  #site;
  #process;
  #exit;

  constructor(site, origin) {
    this.#site = site;
    /** What pages are opened from. */
    this.origin = origin;
  }

  async start() {
    const log = await open(this.#log, 'a');
    this.#process = spawn(PROGRAM, ['up', join(this.#site, 'one.toml')], { stdio: ['ignore', log.fd, log.fd] });
    this.#exit = once(this.#process, 'exit');
    await log.close();
    await isUp(this.#process, `${this.origin}/mesh/probe`, this.#log);
  }

  /** Kills it: it takes no leave of anybody. */
  async kill() {
    this.#process.kill('SIGKILL');
    await this.#exit;
  }

  async end() {
    this.#process.kill('SIGINT');
    const [code] = await this.#exit;
    const said = await readFile(this.#log, 'utf8');
    await rm(this.#site, { recursive: true });
    if (code !== 0) throw new Error(`the node ended with ${code}:\n${said}`);
  }

  get #log() {
    return join(this.#site, 'node.log');
  }
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

function topology(listen, keys, roles) {
  return `# One node for a test.
org = "test"
[certs]
dir = "certs"
[login]
development = true
shared_account = { username = "${USER}", password = "${PASSWORD}", roles = ${JSON.stringify(roles)} }
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
