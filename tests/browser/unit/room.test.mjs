// What a room knows by itself: members and media, who speaks, how much of a picture, how good it is.

import assert from 'node:assert/strict';
import test from 'node:test';

import { load } from '../support/assets.mjs';

const { RoomModel } = await load('taoyao/room/model.js');
const { Speaker } = await load('taoyao/room/speaker.js');
const { encodingsFor, layersFor } = await load('taoyao/room/layers.js');
const { gradeOf, readQuality } = await load('taoyao/room/quality.js');

const CAMERA = {
  consumerId: 'c1',
  producerId: 'p1',
  sourceId: 'bob',
  kind: 'video',
  type: 'simulcast',
  appData: { videoSource: 'camera' },
  rtpParameters: { mid: '0', encodings: [{ scalabilityMode: 'L3T3' }] },
};

test('the list of members is the truth, and media of those who are not in it go', () => {
  const room = new RoomModel('alice');
  room.setMembers([{ clientId: 'alice' }, { clientId: 'bob', name: 'Bob' }]);
  room.consume(CAMERA);
  assert.equal(room.consumedOf('bob', 'camera').consumerId, 'c1');
  room.setMembers([{ clientId: 'alice' }]);
  assert.equal(room.consumed.size, 0);
  assert.deepEqual([...room.members.keys()], ['alice']);
  assert.equal(room.members.get('alice').isMe, true);
});

test('a member that is known keeps its object when the list comes again', () => {
  const room = new RoomModel('alice');
  room.enter('bob', { name: 'Bob' });
  const bob = room.members.get('bob');
  assert.equal(room.enter('bob', {}), false);
  room.setMembers([{ clientId: 'alice' }, { clientId: 'bob' }]);
  assert.equal(room.members.get('bob'), bob);
  assert.equal(bob.name, 'Bob', 'a push without a name does not take it away');
});

test('media that come before their member wait under its id', () => {
  const room = new RoomModel('alice');
  room.consume(CAMERA);
  assert.equal(room.members.get('bob').name, 'bob');
  room.enter('bob', { name: 'Bob' });
  assert.equal(room.members.get('bob').name, 'Bob');
  room.leave('bob');
  assert.equal(room.consumed.size, 0);
});

test('pushes about a consumer change it, and those about others nothing', () => {
  const room = new RoomModel('alice');
  const camera = room.consume(CAMERA);
  assert.deepEqual(camera.layers, { spatial: 3, temporal: 3 });
  assert.equal(room.tell('media::consumer::pause', { consumerId: 'c1' }), true);
  assert.equal(camera.isPaused, true);
  room.tell('media::consumer::layers::change', { consumerId: 'c1', spatialLayer: 1, temporalLayer: 2 });
  assert.deepEqual(camera.sent, { spatial: 1, temporal: 2 });
  room.tell('media::consumer::score', { consumerId: 'c1', score: { score: 7 } });
  assert.equal(camera.score, 7);
  assert.equal(room.tell('media::consumer::pause', { consumerId: 'c2' }), false);
});

test('a screen is told from a camera, and sound has no picture', () => {
  const room = new RoomModel('alice');
  const screen = room.consume({ ...CAMERA, consumerId: 'c2', type: 'simple', appData: { videoSource: 'screen' } });
  assert.equal(screen.source, 'screen');
  assert.deepEqual(screen.layers, { spatial: 1, temporal: 1 });
  assert.equal(room.consume({ ...CAMERA, consumerId: 'c3', kind: 'audio', appData: {} }).source, 'microphone');
});

test('volumes reach from silence to full, and a reading without them is silence', () => {
  const room = new RoomModel('alice');
  room.enter('bob');
  room.setVolumes([{ clientId: 'bob', volume: -63.5 }]);
  assert.equal(room.members.get('bob').volume, 0.5);
  room.setVolumes(undefined);
  assert.equal(room.members.get('bob').volume, undefined);
});

test('the picture changes to who speaks for a while, not to who coughs', () => {
  const speaker = new Speaker();
  const [a, b] = ['a', 'b'];
  const loud = (clientId) => [a, b].map((it) => ({ clientId: it, volume: it === clientId ? 0.8 : undefined }));
  assert.equal(speaker.hear(loud(undefined), 0), true, 'somebody is shown from the start');
  assert.equal(speaker.current, a);
  assert.equal(speaker.hear(loud(b), 5_000), false);
  assert.equal(speaker.hear(loud(a), 5_500), false, 'that was a cough');
  assert.equal(speaker.hear(loud(b), 6_000), false);
  assert.equal(speaker.hear(loud(b), 7_000), true);
  assert.equal(speaker.current, b);
  assert.equal(speaker.hear(loud(undefined), 9_000), false, 'silence changes nothing');
  assert.equal(speaker.hear(loud(a).slice(0, 1), 9_500), true, 'who left is not shown');
});

test('a small tile asks for a small picture', () => {
  const layers = { spatial: 3, temporal: 3 };
  assert.deepEqual(layersFor(150, layers), { spatialLayer: 0, temporalLayer: 2 });
  assert.deepEqual(layersFor(400, layers), { spatialLayer: 1, temporalLayer: 2 });
  assert.deepEqual(layersFor(900, layers), { spatialLayer: 2, temporalLayer: 2 });
  assert.equal(layersFor(900, { spatial: 1, temporal: 1 }), undefined);
});

test('simulcast sends three sizes, smallest first, within the bound', () => {
  const encodings = encodingsFor('camera', { simulcast: true, videoKbps: 500 });
  assert.deepEqual(
    encodings.map((it) => [it.scaleResolutionDownBy, it.maxBitrate]),
    [
      [4, 120_000],
      [2, 350_000],
      [1, 500_000],
    ],
  );
  assert.equal(encodingsFor('screen', { simulcast: true }).length, 1);
  assert.equal(encodingsFor('camera', { simulcast: false })[0].rid, undefined);
});

test('a camera that a call has opened larger is sent with 720 lines', () => {
  const reductions = (lines) => encodingsFor('camera', { simulcast: true, lines }).map((it) => it.scaleResolutionDownBy);
  assert.deepEqual(reductions(1_080), [6, 3, 1.5]);
  assert.deepEqual(reductions(360), [4, 2, 1], 'a smaller one is not made larger');
  assert.equal(encodingsFor('camera', { simulcast: false, lines: 1_080 })[0].scaleResolutionDownBy, 1.5);
});

function inbound(timestamp, more) {
  const stream = {
    type: 'inbound-rtp',
    kind: 'video',
    mid: '0',
    timestamp,
    framesPerSecond: 25,
    packetsLost: 0,
    ...more,
  };
  return new Map([['v', stream]]);
}

test('losses and frozen pictures are judged by what happened since the reading before', () => {
  const read = (at, more, before) => readQuality(inbound(at, more), 'in', before);
  const first = read(1_000, { packetsReceived: 100, packetsLost: 50, bytesReceived: 0 });
  assert.equal(gradeOf([...first.values()]), 'good', 'what was before does not count');
  const second = read(2_000, { packetsReceived: 200, packetsLost: 50, bytesReceived: 125_000 }, first);
  assert.equal(second.get('0').kbps, 1_000);
  assert.equal(gradeOf([...second.values()]), 'good');
  const third = read(3_000, { packetsReceived: 295, packetsLost: 55, bytesReceived: 0 }, second);
  assert.equal(third.get('0').lossShare, 0.05);
  assert.equal(gradeOf([...third.values()]), 'fair');
  const frozen = read(4_000, { packetsReceived: 395, packetsLost: 55, totalFreezesDuration: 0.5 }, third);
  assert.equal(gradeOf([...frozen.values()]), 'poor');
  assert.equal(gradeOf([]), undefined);
});

test('the streams of one simulcast picture are one reading, of the size of the largest', () => {
  const stream = (rid, frameHeight, bytesSent) => [
    rid,
    { type: 'outbound-rtp', kind: 'video', mid: '1', rid, timestamp: 1, frameHeight, bytesSent, framesPerSecond: 10 },
  ];
  const reading = readQuality(new Map([stream('r0', 180, 1), stream('r2', 720, 5), stream('r1', 360, 2)]), 'out').get(
    '1',
  );
  assert.equal(reading.height, 720);
  assert.equal(reading.bytes, 8);
  assert.equal(reading.streams, 3);
});
