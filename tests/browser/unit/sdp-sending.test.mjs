// From a browser's offer to the mesh's rtpParameters, and back to an answer.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';

import { load } from '../support/assets.mjs';
import { REMOTE, ROUTER } from '../support/router.mjs';

const { parseSdp } = await load('taoyao/sdp/text.js');
const { readSending } = await load('taoyao/sdp/sending.js');
const { writeAnswer } = await load('taoyao/sdp/answer.js');
const { readDtls } = await load('taoyao/sdp/transport.js');
const { sameProfile } = await load('taoyao/sdp/h264.js');

/** Sound, a picture in three layers, a picture in one, and data. */
const OFFERS = {
  Chromium: parseSdp(await readFile(new URL('offers/chromium-156-send.sdp', import.meta.url), 'utf8')),
  Firefox: parseSdp(await readFile(new URL('offers/firefox-153-send.sdp', import.meta.url), 'utf8')),
};

for (const [browser, offer] of Object.entries(OFFERS)) {
  const [sound, layered, picture] = offer.media;

  test(`${browser}: sound is sent as opus under the browser's payload type`, () => {
    const rtp = readSending(sound, ROUTER);
    const [opus] = rtp.codecs;
    assert.equal(opus.mimeType, 'audio/opus');
    assert.equal(opus.payloadType, browser === 'Chromium' ? 111 : 109);
    assert.equal(opus.channels, 2);
    assert.deepEqual(opus.rtcpFeedback, [{ type: 'transport-cc', parameter: '' }]);
    assert.equal(rtp.mid, sound.mid);
    assert.equal(rtp.encodings.length, 1);
    assert.match(sound.all('ssrc').join('\n'), new RegExp(`^${rtp.encodings[0].ssrc} cname:`, 'm'));
  });

  test(`${browser}: a picture is sent as the router's first codec with its retransmissions`, () => {
    const rtp = readSending(picture, ROUTER);
    assert.deepEqual(
      rtp.codecs.map((it) => it.mimeType),
      ['video/VP8', 'video/rtx'],
    );
    const [codec, rtx] = rtp.codecs;
    assert.equal(rtx.parameters.apt, codec.payloadType);
    const [{ ssrc, rtx: repair }] = rtp.encodings;
    assert.match(picture.all('ssrc-group').join('\n'), new RegExp(`FID ${ssrc} ${repair.ssrc}`));
    assert.equal(
      rtp.headerExtensions.some((it) => it.uri.endsWith('transport-wide-cc-extensions-01')),
      true,
    );
  });

  test(`${browser}: layers are named, with the bounds that the sender has`, () => {
    const rtp = readSending(layered, ROUTER, [{ rid: 'r1', maxBitrate: 300_000, scalabilityMode: 'L1T3' }]);
    assert.deepEqual(rtp.encodings, [
      { rid: 'r0' },
      { rid: 'r1', maxBitrate: 300_000, scalabilityMode: 'L1T3' },
      { rid: 'r2' },
    ]);
    assert.equal(
      rtp.headerExtensions.some((it) => it.uri.endsWith(':rtp-stream-id')),
      true,
    );
  });

  test(`${browser}: the answer follows the offer's order and refuses what is not sent`, () => {
    const sent = new Map([
      [sound.mid, readSending(sound, ROUTER)],
      [layered.mid, readSending(layered, ROUTER)],
    ]);
    const answer = parseSdp(writeAnswer(offer, REMOTE, sent, 2));
    assert.deepEqual(
      answer.media.map((it) => [it.mid, it.isClosed]),
      offer.media.map((it) => [it.mid, it.mid === picture.mid]),
    );
    const open = answer.media.filter((it) => !it.isClosed).map((it) => it.mid);
    assert.equal(answer.session.first('group'), `BUNDLE ${open.join(' ')}`);
    assert.deepEqual(answer.media[0].formats, [String(sent.get(sound.mid).codecs[0].payloadType)]);
    assert.equal(answer.media[0].first('setup'), 'passive');
    assert.equal(answer.media[1].first('simulcast'), 'recv r0;r1;r2');
    assert.equal(answer.media[3].first('sctp-port'), '5000');
  });

  test(`${browser}: it begins the handshake, and its fingerprint is found wherever it stands`, () => {
    const { role, fingerprints } = readDtls(offer);
    assert.equal(role, 'client');
    assert.equal(fingerprints.length, 1);
    assert.equal(fingerprints[0].algorithm, 'sha-256');
    assert.match(fingerprints[0].value, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  });
}

test('a router without a common codec gets no parameters', () => {
  const deaf = { codecs: [], headerExtensions: [] };
  assert.equal(readSending(OFFERS.Chromium.media[0], deaf), undefined);
});

test('H.264 is chosen by profile and packetization, not by the text of its level', () => {
  const h264 = ROUTER.codecs.filter((it) => it.preferredPayloadType === 107 || it.preferredPayloadType === 108);
  const rtp = readSending(OFFERS.Chromium.media[2], { ...ROUTER, codecs: h264 });
  assert.equal(rtp.codecs[0].parameters['profile-level-id'], '4d001f');
  assert.equal(rtp.codecs[0].parameters['packetization-mode'], 1);
  assert.equal(sameProfile('42e01f', '42001f'), false);
  assert.equal(sameProfile('4d0032', '4D001F'), true);
  assert.equal(sameProfile('nonsense', 'nonsense'), false);
});
