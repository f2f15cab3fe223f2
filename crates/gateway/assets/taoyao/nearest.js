// Nearest node: ask any node for candidates, measure the best few, order them.

import { LOCAL, TaoyaoError } from './errors.js';

const CANDIDATES_PROBED = 3;
const SAMPLES = 3;
const PROBE_LIMIT_MS = 1_500;
const ASK_LIMIT_MS = 5_000;
/** A later candidate overtakes an earlier one only when it is clearly faster, by both of these. */
const BETTER_BY_MS = 10;
const BETTER_BY_SHARE = 0.33;

/**
 * @typedef {object} Candidate
 * @property {string} node e.g. `cn/east/sh`
 * @property {string} url `wss://host:port/websocket.signal`
 * @property {string} probe `https://host:port/mesh/probe`
 * @property {'cidr'|'geo'|'distance'} reason why the mesh offers it
 * @property {number} distance hops in the tree from the node that was asked
 * @property {number} [rttMs] measured round trip; `Infinity` when it did not answer
 */

/**
 * @typedef {object} Partition
 * @property {string} partition e.g. `sh.east.cn`
 * @property {Candidate[]} nodes best first
 */

/**
 * Asks a node which partitions there are and which nodes serve them, best first.
 *
 * @param {string} origin `https://host:port` of any node
 * @param {string} [partition] only this one
 * @returns {Promise<Partition[]>}
 * @throws {TaoyaoError} `no-node` when the node does not answer or knows no candidate
 */
export async function askNearest(origin, partition) {
  const url = new URL('/mesh/nearest', origin);
  if (partition) url.searchParams.set('partition', partition);
  const answer = await fetchJson(url);
  const usable = readPartitions(answer);
  if (usable.length === 0) throw new TaoyaoError(LOCAL.NO_NODE, 'The mesh offers no node for this partition.');
  return usable;
}

/**
 * Keeps what is well formed of a `/mesh/nearest` answer.
 *
 * @param {any} answer
 * @returns {Partition[]}
 */
export function readPartitions(answer) {
  const partitions = Array.isArray(answer?.partitions) ? answer.partitions : [];
  return partitions
    .filter((entry) => typeof entry?.partition === 'string' && Array.isArray(entry.nodes))
    .map((entry) => ({ partition: entry.partition, nodes: entry.nodes.filter(isCandidate) }))
    .filter((entry) => entry.nodes.length > 0);
}

/**
 * Measures the first candidates at the same time and puts the best first; the rest keep the mesh's order.
 *
 * @param {Candidate[]} candidates best first
 * @returns {Promise<Candidate[]>}
 */
export async function measure(candidates) {
  const probed = await Promise.all(
    candidates.slice(0, CANDIDATES_PROBED).map(async (it) => ({ ...it, rttMs: await roundTrip(it.probe) })),
  );
  return [...order(probed), ...candidates.slice(CANDIDATES_PROBED)];
}

/**
 * Orders measured candidates: the mesh's own order stands unless a later one is at least 10 ms and a third faster;
 * those that did not answer come last.
 *
 * @param {Candidate[]} measured in the mesh's order, with `rttMs`
 * @returns {Candidate[]}
 */
export function order(measured) {
  const left = [...measured];
  const ordered = [];
  while (left.length > 0) {
    let best = 0;
    for (let i = 1; i < left.length; i += 1) {
      if (clearlyFaster(left[i].rttMs, left[best].rttMs)) best = i;
    }
    ordered.push(...left.splice(best, 1));
  }
  return ordered;
}

function clearlyFaster(rttMs, thanMs) {
  if (thanMs === Infinity) return rttMs < Infinity;
  return thanMs - rttMs >= BETTER_BY_MS && rttMs <= thanMs * (1 - BETTER_BY_SHARE);
}

/** The fastest of a few samples in milliseconds: the first one also pays for the TLS handshake. */
async function roundTrip(probe) {
  const limit = AbortSignal.timeout(PROBE_LIMIT_MS);
  let bestMs = Infinity;
  try {
    for (let i = 0; i < SAMPLES; i += 1) {
      const start = performance.now();
      const answer = await fetch(probe, { cache: 'no-store', credentials: 'omit', signal: limit });
      if (answer.ok) bestMs = Math.min(bestMs, performance.now() - start);
    }
  } catch {
    // Out of time or out of reach: what was measured until then counts.
  }
  return bestMs;
}

async function fetchJson(url) {
  try {
    const answer = await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(ASK_LIMIT_MS) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return await answer.json();
  } catch (error) {
    throw new TaoyaoError(LOCAL.NO_NODE, `${url.host} did not say which node is near: ${error.message}.`);
  }
}

function isCandidate(entry) {
  return typeof entry?.node === 'string' && isUrl(entry.url, /^wss?:$/) && isUrl(entry.probe, /^https?:$/);
}

function isUrl(text, protocol) {
  return typeof text === 'string' && URL.canParse(text) && protocol.test(new URL(text).protocol);
}
