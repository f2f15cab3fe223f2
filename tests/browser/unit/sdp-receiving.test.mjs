// From consumers' rtpParameters to the offer of a browser that receives, and what it can receive at all.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';

import { load } from '../support/assets.mjs';
import { REMOTE, ROUTER, consumed } from '../support/router.mjs';

const { parseSdp } = await load('taoyao/sdp/text.js');
const { Sections } = await load('taoyao/sdp/offer.js');
const { receivable } = await load('taoyao/sdp/capabilities.js');

function received(kind, mid, ssrc = Number(mid) * 10 + 1_000) {
  return { kind, mid, streamId: 's1', rtpParameters: consumed(kind, mid, ssrc) };
}

function write(sections, remote = REMOTE) {
  return parseSdp(sections.writeOffer(remote, 1));
}

test('data come first, then the consumers in the order in which they came', () => {
  const sections = new Sections();
  sections.add(received('audio', '0'));
  sections.add(received('video', '1'));
  const { session, media } = write(sections);
  assert.deepEqual(
    media.map((it) => it.mid),
    ['data', '0', '1'],
  );
  assert.equal(session.first('group'), 'BUNDLE data 0 1');
  assert.equal(session.first('ice-lite'), '');
  assert.deepEqual(media[2].formats, ['101', '102']);
  assert.deepEqual(media[2].all('ssrc-group'), ['FID 1010 1011']);
  assert.equal(media[2].first('msid').startsWith('s1 '), true);
});

test('without data channels there is no section for them', () => {
  const sections = new Sections([received('audio', '0')]);
  const { media } = write(sections, { ...REMOTE, sctpParameters: undefined });
  assert.deepEqual(
    media.map((it) => it.kind),
    ['audio'],
  );
});

test('a closed section keeps its place until one of its kind takes it', () => {
  const sections = new Sections([received('audio', '0'), received('video', '1'), received('audio', '2')]);
  assert.equal(sections.remove('0'), true);
  assert.equal(sections.remove('0'), false, 'it is closed already');
  assert.equal(write(sections).media[1].isClosed, true);
  assert.equal(write(sections).session.first('group'), 'BUNDLE data 1 2');
  sections.add(received('video', '3'));
  sections.add(received('audio', '4'));
  assert.deepEqual(
    write(sections).media.map((it) => it.mid),
    ['data', '4', '1', '2', '3'],
  );
});

test('a copy does not follow its original', () => {
  const sections = new Sections([received('audio', '0')]);
  const copy = sections.copy();
  sections.remove('0');
  assert.equal(write(copy).media[1].isClosed, false);
});

for (const browser of ['chromium-156', 'firefox-153']) {
  test(`${browser} receives under the router's numbers`, async () => {
    const offer = await readFile(new URL(`offers/${browser}-receive.sdp`, import.meta.url), 'utf8');
    const { codecs, headerExtensions } = receivable(offer, ROUTER);
    const opus = codecs.find((it) => it.mimeType === 'audio/opus');
    assert.equal(opus.preferredPayloadType, 100);
    const [vp8, rtx] = codecs.filter((it) => [101, 102].includes(it.preferredPayloadType));
    assert.equal(vp8.mimeType, 'video/VP8');
    assert.deepEqual(vp8.rtcpFeedback.map((it) => `${it.type} ${it.parameter}`.trim()).sort(), [
      'ccm fir',
      'goog-remb',
      'nack',
      'nack pli',
      'transport-cc',
    ]);
    assert.equal(rtx.parameters.apt, 101);
    const routerIds = new Map(ROUTER.headerExtensions.map((it) => [it.uri, it.preferredId]));
    assert.equal(
      headerExtensions.every((it) => it.preferredId === routerIds.get(it.uri)),
      true,
    );
    assert.equal(
      headerExtensions.some((it) => it.direction === 'recvonly'),
      false,
    );
    assert.equal(
      headerExtensions.some((it) => it.kind === 'video' && it.uri.includes('transport-wide-cc')),
      true,
    );
  });
}
