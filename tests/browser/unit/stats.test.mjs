// The flat statistics of a call, made from the browser's linked reports.

import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from '../support/assets.mjs';

const { readStats } = await load('taoyao/stats.js');

function report(timestamp, bytesReceived, framesDecoded) {
  return new Map(
    Object.entries({
      v: {
        type: 'inbound-rtp',
        kind: 'video',
        timestamp,
        bytesReceived,
        framesDecoded,
        frameWidth: 640,
        frameHeight: 360,
        packetsLost: 2,
        codecId: 'c',
      },
      a: { type: 'inbound-rtp', kind: 'audio', timestamp, bytesReceived: 0, packetsLost: 1 },
      o: { type: 'outbound-rtp', kind: 'video', timestamp, bytesSent: 0, framesEncoded: 7 },
      c: { type: 'codec', mimeType: 'video/VP8' },
      t: { type: 'transport', selectedCandidatePairId: 'p' },
      p: { type: 'candidate-pair', currentRoundTripTime: 0.012, localCandidateId: 'l', remoteCandidateId: 'r' },
      l: { type: 'local-candidate', candidateType: 'host', protocol: 'udp' },
      r: { type: 'remote-candidate', candidateType: 'relay', protocol: 'tcp' },
    }),
  );
}

test('a reading names pictures, losses, round trip and path', () => {
  const stats = readStats(report(1_000, 500, 10));
  assert.equal(stats.received.frames, 10);
  assert.equal(stats.received.width, 640);
  assert.equal(stats.received.codec, 'VP8');
  assert.equal(stats.received.kbps, 0);
  assert.equal(stats.sent.frames, 7);
  assert.equal(stats.packetsLost, 3);
  assert.equal(stats.rttMs, 12);
  assert.equal(`${stats.localCandidate} ${stats.remoteCandidate}`, 'host/udp relay/tcp');
});

test('the rate is what came between two readings', () => {
  const first = readStats(report(1_000, 500, 10));
  assert.equal(readStats(report(3_000, 25_500, 60), first).received.kbps, 100);
});

test('an empty report reads as nothing, not as an error', () => {
  const stats = readStats(new Map());
  assert.equal(stats.received.frames, undefined);
  assert.equal(stats.localCandidate, undefined);
});
